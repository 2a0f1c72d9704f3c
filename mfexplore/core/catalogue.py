"""The systems of the atlas, found by themselves: a file `models/<wing>/<key>.py` or a folder of that name is a system."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mfexplore.core.errors import CatalogueError, UnknownNameError
from mfexplore.core.model import Model

_MODELS = Path(__file__).parent.parent / "models"


@cache
def places() -> dict[str, str]:
    """Key of every system and the wing it is in, without importing any.

    Raises CatalogueError if two wings have a system of the same name.
    """
    found: dict[str, Path] = {}
    for file in sorted([*_MODELS.glob("[a-z]*/[a-z]*.py"), *_MODELS.glob("[a-z]*/[a-z]*/__init__.py")]):
        place = file.parent if file.name == "__init__.py" else file
        other = found.setdefault(place.stem, place)
        if other != place:
            names = " and ".join(f"{p.parent.name}/{p.name}" for p in (other, place))
            raise CatalogueError(f"{names} have the same name")
    return {key: place.parent.name for key, place in sorted(found.items(), key=lambda item: str(item[1]))}


def source(key: str) -> Path:
    """The file that a system is declared in. Raises UnknownNameError."""
    if key not in places():
        raise UnknownNameError("system", key, places())
    place = _MODELS / places()[key] / key
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


@cache
def system(key: str) -> type[Any]:
    """The class of a system by its key, e.g. `system("hopfield")`.

    Raises UnknownNameError, and CatalogueError if its file declares no system, or two.
    """
    if key not in places():
        raise UnknownNameError("system", key, places())
    module = import_module(f"mfexplore.models.{places()[key]}.{key}")
    # By identity: the same class may have two names.
    found = {v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Model)}
    own = sorted((v for v in found if v.__module__ == module.__name__), key=lambda v: v.__name__)
    if len(own) != 1:
        names = ", ".join(v.__name__ for v in own) or "none"
        raise CatalogueError(f"{places()[key]}/{key}.py must declare one Model, and declares {names}")
    return own[0]


def systems() -> list[type[Model]]:
    """Every system, by wing and title."""
    return sorted((system(key) for key in places()), key=lambda s: (s.wing, s.title))
