"""Arguments that are no controls: what is not possible is told by name, before anything is done with it."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from mfexplore.core.errors import ArgumentError


def whole_number(where: str, argument: str, value: Any, low: int, high: float = math.inf) -> int:
    """A Python int from `low` to `high`. Raises ArgumentError, for True and for 2.5 too."""
    given = scalar(value)
    if not isinstance(given, int) or isinstance(given, bool) or not low <= given <= high:
        raise ArgumentError(where, argument, value, f"a whole number {_between(low, high)}")
    return int(given)


def number_from(where: str, argument: str, value: Any, low: float, high: float = math.inf) -> float:
    """A finite float from `low` to `high`. Raises ArgumentError."""
    given = scalar(value)
    most = min(high, sys.float_info.max)  # also of a whole number that no float can hold
    if not isinstance(given, int | float) or isinstance(given, bool) or not low <= given <= most:
        raise ArgumentError(where, argument, value, f"a number {_between(low, high)}")
    return float(given)


def window(where: str, argument: str, value: Any, low: float, high: float) -> tuple[float, float]:
    """A pair of rising numbers from `low` to `high`. Raises ArgumentError."""
    try:
        a, b = (number_from(where, argument, one, low, high) for one in value)
    except (ArgumentError, TypeError, ValueError):
        a, b = 1.0, 0.0
    if a >= b:
        raise ArgumentError(where, argument, value, f"a pair of rising numbers {_between(low, high)}")
    return a, b


def is_axis(value: Any) -> bool:
    """Whether a value stands for many: an array, a list, a tuple or a range; a word does not."""
    return getattr(value, "ndim", 0) > 0 or isinstance(value, list | tuple | range)


def scalar(value: Any) -> Any:
    """NumPy's scalars and 0-d arrays as Python's own; None if masked."""
    return value.tolist() if isinstance(value, np.generic | np.ndarray) and value.ndim == 0 else value


def _between(low: float, high: float) -> str:
    return f"of at least {low:g}" if math.isinf(high) else f"from {low:g} to {high:g}"
