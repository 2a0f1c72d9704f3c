"""Which cells of a picture to hatch, in few rectangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def hatch_runs(mask: NDArray[Any], box: tuple[float, float, float, float]) -> NDArray[np.float32]:
    """Rectangles (left, right, bottom, top), shape (4, n), that cover the true cells of a mask over (y, x).

    Runs along a row are joined, and equal runs of neighbouring rows too, so that a solid region is a few rectangles.
    """
    if not mask.any():
        return np.empty((4, 0), np.float32)
    rows, columns = mask.shape
    padded = np.zeros((rows, columns + 2), np.int8)
    padded[:, 1:-1] = mask
    change = np.diff(padded, axis=1)
    starts, ends = np.argwhere(change == 1), np.argwhere(change == -1)
    open_runs: dict[tuple[int, int], int] = {}
    found: list[tuple[int, int, int, int]] = []
    by_row: dict[int, list[tuple[int, int]]] = {}
    for (row, start), (_, end) in zip(starts.tolist(), ends.tolist(), strict=True):
        by_row.setdefault(row, []).append((start, end))
    for row in range(rows + 1):
        here = set(by_row.get(row, ()))
        for run in [r for r in open_runs if r not in here]:
            found.append((*run, open_runs.pop(run), row))
        for run in here:
            open_runs.setdefault(run, row)
    left, bottom, width, height = box
    runs = np.array(found, np.float64).T
    runs[:2] = left + runs[:2] * width / columns
    runs[2:] = bottom + runs[2:] * height / rows
    return runs.astype(np.float32)
