"""Here infinity and NaN are values, whatever NumPy does elsewhere: no number depends on the user's `np.seterr`."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TypeVar

import numpy as np

Computes = TypeVar("Computes", bound=Callable[..., object])


def with_infinities(function: Computes) -> Computes:
    """The function, computed with x/0 = inf and 0/0 = NaN, without a word."""
    return np.errstate(all="ignore")(function)


def all_with_infinities(kind: type) -> None:
    """The same for every public method that a class itself defines.

    Not for generators: what they set would hold in whoever iterates over them.
    """
    for name, method in list(vars(kind).items()):
        if inspect.isfunction(method) and not name.startswith("_") and not inspect.isgeneratorfunction(method):
            setattr(kind, name, with_infinities(method))
