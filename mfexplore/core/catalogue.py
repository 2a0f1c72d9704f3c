"""The systems of the atlas, found by themselves: a file `models/<wing>/<key>.py` is a system."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mfexplore.core.errors import UnknownNameError
from mfexplore.core.loading import loading
from mfexplore.core.model import Model

_MODELS = Path(__file__).parent.parent / "models"


@cache
def places() -> dict[str, str]:
    """Key of every system and the wing it is in, without importing any."""
    files = sorted(_MODELS.glob("[a-z]*/[a-z]*.py"))
    return {file.stem: file.parent.name for file in files}


@cache
def system(key: str) -> type[Any]:
    """The class of a system by its key, e.g. `system("hopfield")`. Raises UnknownNameError."""
    if key not in places():
        raise UnknownNameError("system", key, places())
    with loading():
        module = import_module(f"mfexplore.models.{places()[key]}.{key}")
    for value in vars(module).values():
        if isinstance(value, type) and issubclass(value, Model) and value.__module__ == module.__name__:
            return value
    raise AssertionError(f"{module.__name__} declares no Model")


def systems() -> list[type[Model]]:
    """Every system, by wing and title."""
    return sorted((system(key) for key in places()), key=lambda s: (s.wing, s.title))
