"""A curve or a boundary that somebody has sketched before theory was shown, and how near it came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.controls import Control
from mfexplore.core.declaration import Observable
from mfexplore.figures.curves import curve_range
from mfexplore.figures.scale import Scale

NEAR = 0.1  # of the height of the plot: so far a point may be from a line of the theory
MOSTLY = 0.75  # of the points, for a sketch to be right
BESIDE = 0.06  # of the sides of the diagram: so far a point may be from a boundary
FOLLOWED = 0.6  # of a boundary, as far as it is in the picture, for a sketch of it to be right
STEPS, MOST_STEPS = 200, 1000  # in which a boundary is followed: across the diagram, and in one piece of it


@dataclass(frozen=True)
class Sketched:
    """near: of `judged` points so many came near a state that theory has there. gap: their mean distance from it, as a
    part of the height of the plot.
    """

    near: int
    judged: int
    gap: float

    @property
    def right(self) -> bool:
        return self.judged > 0 and self.near >= MOSTLY * self.judged

    def __str__(self) -> str:
        if not self.judged:
            return "Theory has no state at any of these points."
        off = f"{100 * self.gap:.0f} % of the height off on average"
        return f"{self.near} of {self.judged} points near the curve, {off}."


def judge(
    columns: dict[str, NDArray[np.float32]], control: Control, observable: Observable, xs: Sequence[float],
    ys: Sequence[float],
) -> Sketched:  # fmt: skip
    """Compare a sketch with the lines of `figures.curves.theory_columns`: any stable state counts, where there is one.
    Points where theory has none are not judged.
    """
    across, up = Scale(control), Scale(observable)
    low, high = up.place(curve_range(columns, observable))
    at = across.place(columns["x"])
    lines = [up.place(line) for name, line in columns.items() if name.startswith(("stable", "equilibrium"))]
    gaps = []
    for x, y in zip(across.place(xs), up.place(ys), strict=True):
        there = [abs(np.interp(x, at, line) - y) for line in lines]  # NaN beside a state that ends
        known = [gap for gap in there if np.isfinite(gap)]
        if known:
            gaps.append(min(known) / (high - low))
    return Sketched(sum(gap <= NEAR for gap in gaps), len(gaps), float(np.mean(gaps)) if gaps else np.nan)


Lines = list[tuple[str, NDArray[np.float64]]]


@dataclass(frozen=True)
class Traced:
    """A sketch against the boundary to which it comes nearest. near: of `judged` points so many came near. gap: their
    mean distance, as a part of the sides of the diagram. followed: the part of the boundary that the sketch runs along.
    """

    boundary: str
    near: int
    judged: int
    gap: float
    followed: float

    @property
    def right(self) -> bool:
        return self.judged > 0 and self.near >= MOSTLY * self.judged and self.followed >= FOLLOWED

    def __str__(self) -> str:
        if not self.judged:
            return "Theory has no boundary in this picture."
        off = f"{100 * self.gap:.0f} % of the picture off on average"
        followed = f"the sketch follows {100 * self.followed:.0f} % of it"
        return f"{self.near} of {self.judged} points near the boundary {self.boundary}, {off}; {followed}."


def judge_boundary(lines: Lines, sketch: NDArray[np.float64]) -> Traced:
    """Compare a sketch with every boundary. lines: each with its name, shape (n, 2), in parts of the sides of the
    diagram, with rows of NaN where it is interrupted. sketch: the same, shape (points, 2).
    """
    sketch = np.clip(sketch, 0, 1)
    best = Traced("", 0, 0, np.nan, 0.0)
    for name, line in lines:
        along = _evenly(line)
        seen = along[((along >= 0) & (along <= 1)).all(axis=1)]
        if len(seen):
            gaps = _distance(sketch, seen)
            followed = float((_distance(seen, _evenly(sketch)) <= BESIDE).mean())
            found = Traced(name, int((gaps <= BESIDE).sum()), len(sketch), float(gaps.mean()), followed)
            best = max(best, found, key=lambda one: (one.judged, one.near + len(sketch) * one.followed))
    return best


def _evenly(line: NDArray[np.float64]) -> NDArray[np.float64]:
    """Points along a line as far as it is in the picture, evenly spaced; shape (n, 2)."""
    starts, ends = line[:-1], line[1:]
    gone = ((starts < 0) & (ends < 0)) | ((starts > 1) & (ends > 1))
    there = np.isfinite(starts + ends).all(axis=1) & ~gone.any(axis=1)
    pieces = [
        start + (end - start) * np.linspace(0, 1, min(int(STEPS * np.hypot(*(end - start))), MOST_STEPS) + 2)[:, None]
        for start, end in zip(starts[there], ends[there], strict=True)
    ]
    return np.concatenate(pieces) if pieces else np.empty((0, 2))


def _distance(points: NDArray[np.float64], others: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of each point from the nearest of the others."""
    gaps = points[:, None] - others[None]
    return np.asarray(np.hypot(gaps[..., 0], gaps[..., 1]).min(axis=1))
