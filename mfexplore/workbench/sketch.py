"""A curve that somebody has sketched before theory was shown, and how near it came."""

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
