"""How a model reaches the floors above it without importing them.

The package's `__init__` says which function carries out a verb ("diagram", "explore", ...); the model looks it up when
it is asked. So imports keep pointing down, and `import mfexplore` loads none of it.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

_places: dict[str, str] = {}


def register(**places: str) -> None:
    """Say where a verb lives, as "package.module:function"."""
    _places.update(places)


def verb(name: str) -> Callable[..., Any]:
    module, function = _places[name].split(":")
    found: Callable[..., Any] = getattr(import_module(module), function)
    return found
