"""Which points differ: what depends on a few of the controls is computed once for each of their combinations."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray


def distinct(rows: Sequence[NDArray[Any]] | NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """The different columns of some rows of numbers, ordered by the first row, then the second, ...

    `np.unique(..., axis=1)` is slower, and compares records, where NumPy answers an interrupt with a TypeError.

    Args:
        rows: arrays of shape (points,), all of one length.

    Returns:
        (first, place): where each different column stands first, shape (different,), and the number of the different
        one that each column is, shape (points,), so that `row[first][place]` is `row` for every row.
    """
    order = np.lexsort(list(rows)[::-1])
    new = np.ones(order.size, np.bool_)
    if order.size:
        new[1:] = np.any([row[order][1:] != row[order][:-1] for row in rows], axis=0)
    place = np.empty_like(order)
    place[order] = np.cumsum(new) - 1
    return order[new], place
