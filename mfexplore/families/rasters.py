"""Pictures of a line in time: every row is a moment, the latest at the bottom."""

from __future__ import annotations

import numpy as np

from mfexplore.core import Array


class Raster:
    """values: shape (rows, columns); what is still to come is `blank`. Once it is full the oldest row goes."""

    def __init__(self, rows: int, columns: int, blank: float = -1) -> None:
        self.values = np.full((rows, columns), blank, np.float64)
        self._filled = 0

    def add(self, row: Array) -> None:
        """One more moment, shape (columns,)."""
        if self._filled == len(self.values):
            self.values[:-1] = self.values[1:]
        self._filled = min(self._filled + 1, len(self.values))
        self.values[self._filled - 1] = row
