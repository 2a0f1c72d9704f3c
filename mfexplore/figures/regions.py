"""Where to write the name of a region, and which cells to hatch."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

SMALLEST_REGION = 0.012  # of the picture, to be named at all
LETTER = 0.014  # width of a letter, in units of the picture
NARROWEST_REGION = 0.035  # half width of the widest disc inside, in units of the picture


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


def region_labels(
    phases: NDArray[Any], names: tuple[str, ...], xs: NDArray[Any], ys: NDArray[Any]
) -> tuple[NDArray[Any], NDArray[Any], tuple[str, ...]]:
    """The place farthest from its border in each connected region of a phase, and the name to write there.

    A phase is named in its largest connected piece, and in others only if they are large.
    """
    from scipy.ndimage import distance_transform_edt, label

    at: list[tuple[float, float, str]] = []
    rows, columns = phases.shape
    for index, name in enumerate(names):
        labelled, count = label(phases == index)
        if not count:
            continue
        sizes = np.bincount(labelled.ravel(), minlength=count + 1)[1:] / phases.size
        for piece in np.argsort(sizes)[::-1]:
            largest = piece == np.argmax(sizes)
            if sizes[piece] < (SMALLEST_REGION if largest else 0.15):
                break
            inside = np.pad(labelled == piece + 1, 1)
            # A name is about four times as wide as high, so distances along x count less.
            distance = distance_transform_edt(inside, sampling=(1 / rows, 0.4 / columns))[1:-1, 1:-1]
            row, column = np.unravel_index(int(np.argmax(distance)), distance.shape)
            if distance[row, column] < NARROWEST_REGION * 0.4:
                continue
            half = min(0.5, LETTER / 2 * len(name) + 0.01)
            left, right = xs[0] + half * (xs[-1] - xs[0]), xs[-1] - half * (xs[-1] - xs[0])
            at.append((float(np.clip(xs[column], left, right)), float(ys[row]), name))
    x, y, text = zip(*at, strict=True) if at else ((), (), ())
    return np.array(x, np.float32), np.array(y, np.float32), tuple(text)
