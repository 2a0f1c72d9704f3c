"""Curves on which a state evolution stands still, its fixed points on them, and where these appear and vanish."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from mfexplore.core import States
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.core.distinct import distinct
from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]
Rows = NDArray[np.int64]
Mask = NDArray[np.bool_]


@kernel
def find_brackets(node_load, count, row, load, last, position):
    """Where the curve of each row first reaches the load from below (or, with `last`, is below it for the last time).

    Writes the index of the node at the upper (lower) end of the bracket; -1 if even the first node is above the load,
    `count` if even the last is below.
    """
    for i in range(load.size):
        r = row[i]
        n = count[r]
        if last:
            k = n - 1
            while k >= 0 and not node_load[r, k] <= load[i]:
                k -= 1
            position[i] = k if k < n - 1 else n
        else:
            k = 0
            while k < n and not node_load[r, k] >= load[i]:
                k += 1
            position[i] = k if k > 0 else -1


class LoadCurves:
    """The curves alpha(ln R) on which the state evolutions of several systems stand still, and their fixed points.

    Args:
        load_at: the curve, called with ln R and the number of the system, both of shape (n,); returns alpha > 0.
        rows: how many systems.
        low, high: the range of ln R. Below it counts as R = 0 (ln R = -inf), above it as perfect knowledge (inf).
        points: nodes per curve. Between two of them a curve may turn once.

    Attributes:
        turn_row, turn_snr, turn_load, turn_up: the turning points, shape (k,): system, ln R, alpha, whether a maximum.
    """

    def __init__(
        self, load_at: Callable[[Array, Rows], Array], rows: int, low: float, high: float, points: int = 385
    ) -> None:
        self.load_at = load_at
        x = np.linspace(low, high, points)
        grid = np.tile(x, (rows, 1))
        load = load_at(grid.ravel(), np.repeat(np.arange(rows), points)).reshape(rows, points)
        self._turns(x, load)
        extra = int(np.bincount(self.turn_row, minlength=rows).max(initial=0))
        self._snr = np.full((rows, points + extra), np.inf)
        self._load = np.full((rows, points + extra), np.nan)
        self._snr[:, :points], self._load[:, :points] = grid, load
        place = np.array([np.sum(self.turn_row[:i] == r) for i, r in enumerate(self.turn_row)], np.int64)
        self._snr[self.turn_row, points + place] = self.turn_snr
        self._load[self.turn_row, points + place] = self.turn_load
        order = np.argsort(self._snr, axis=1, kind="stable")
        self._snr = np.take_along_axis(self._snr, order, 1)
        self._load = np.take_along_axis(self._load, order, 1)
        self._count = points + np.bincount(self.turn_row, minlength=rows)

    def _turns(self, x: Array, load: Array) -> None:
        """Find the turning points on the grid, then each by golden section and a final parabola."""
        step = np.diff(load, axis=1)
        with np.errstate(invalid="ignore"):
            turns = step[:, :-1] * step[:, 1:] < 0
            real = np.maximum(np.abs(step[:, :-1]), np.abs(step[:, 1:])) > 1e-10 * load[:, 1:-1]
        row, k = np.nonzero(turns & real)
        up = step[row, k] > 0
        sign = np.where(up, -1.0, 1.0)

        def height(at: Array) -> Array:
            return sign * self.load_at(at, row)

        golden = 0.5 * (math.sqrt(5) - 1)
        a, b = x[k], x[k + 2]
        c, d = b - golden * (b - a), a + golden * (b - a)
        fc, fd = height(c), height(d)
        for _ in range(14):
            left = fc < fd
            a, b = np.where(left, a, c), np.where(left, d, b)
            new = np.where(left, b - golden * (b - a), a + golden * (b - a))
            value = height(new)
            c, d, fc, fd = (
                np.where(left, new, d), np.where(left, c, new), np.where(left, value, fd), np.where(left, fc, value)
            )  # fmt: skip
        centre, h = 0.5 * (a + b), 5e-5  # smaller drowns in rounding, larger is not a parabola
        for _ in range(4):
            below, here, above = height(centre - h), height(centre), height(centre + h)
            curvature = above - 2 * here + below
            with np.errstate(divide="ignore", invalid="ignore"):
                shift = 0.5 * h * (below - above) / curvature
            centre = centre + np.clip(np.nan_to_num(shift, posinf=0.0, neginf=0.0), -4 * h, 4 * h)
        self.turn_row, self.turn_snr, self.turn_up = row, centre, up
        self.turn_load = self.load_at(centre, row)

    def solve(self, row: Rows, load: Array, informed: bool) -> Array:
        """The fixed point that state evolution reaches from no knowledge (R = 0) or, `informed`, from the truth
        (R = infinity), as ln R of shape (n,); -inf or inf where it lies beyond the range.
        """
        position = np.empty(load.size, np.int64)
        find_brackets(self._load, self._count, row, load, informed, position)
        outside = (position < 0) | (position >= self._count[row])
        upper = np.where(outside, 1, position + 1 if informed else position)
        snr_low, snr_high = self._snr[row, upper - 1], self._snr[row, upper]
        inside = np.flatnonzero(~outside)
        with np.errstate(divide="ignore"):
            target = np.log(load[inside])

            def excess(x: Array, which: Rows) -> Array:
                return np.asarray(np.log(self.load_at(x, row[inside][which])) - target[which])

            ends = (
                np.log(self._load[row, upper - 1][inside]) - target,
                np.log(self._load[row, upper][inside]) - target,
            )
            found = bracketed_roots(excess, snr_low[inside], snr_high[inside], ends)
        result = np.where(position < 0, -np.inf, np.inf)
        result[inside] = found
        return result

    def jumps(self, row: int, up: bool) -> tuple[Array, Array]:
        """Loads at which the uninformed solution jumps up (the informed one down) and ln R there, sorted by load:
        the turning points that no earlier (later) part of the curve exceeds (undercuts).
        """
        of_row = (self.turn_row == row) & (self.turn_up == up)
        loads, places = self.turn_load[of_row], self.turn_snr[of_row]
        n = self._count[row]
        snr, load = self._snr[row, :n], self._load[row, :n]
        kept = [
            np.max(load[snr < x], initial=0.0) <= height * (1 + 1e-12)
            if up
            else np.min(load[snr > x], initial=np.inf) >= height * (1 - 1e-12)
            for x, height in zip(places, loads, strict=True)
        ]
        order = np.argsort(loads[kept])
        return loads[kept][order], places[kept][order]

    @cached_property
    def spinodals(self) -> tuple[Array, Array]:
        """The loads beyond which the informed solution exists and the uninformed one has gone, shape (rows,); NaN where
        it never appears or never goes at once.
        """
        rows = range(self._load.shape[0])
        appears = [self.jumps(row, up=False)[0] for row in rows]
        goes = [self.jumps(row, up=True)[0] for row in rows]
        return (
            np.array([loads.min() if loads.size else np.nan for loads in appears]),
            np.array([loads.max() if loads.size else np.nan for loads in goes]),
        )

    @cached_property
    def flattest(self) -> Array:
        """The load where each curve rises least, shape (rows,): there a fold is about to appear."""
        with np.errstate(invalid="ignore"):
            rise = np.diff(np.log(self._load), axis=1) / np.diff(self._snr, axis=1)
        place = np.nanargmin(np.where(np.isfinite(rise), rise, np.inf), axis=1)
        return np.asarray(self._load[np.arange(place.size), place])


@dataclass(frozen=True)
class StateEvolution(ABC):
    """A recursion R -> alpha I(R) whose parameters (a noise, a sparsity) differ from point to point."""

    @property
    @abstractmethod
    def interval(self) -> tuple[float, float, int]:
        """The range of ln R, and how many nodes a curve has: see `LoadCurves`."""

    @abstractmethod
    def load(self, log_snr: Array, *parameters: Array) -> Array:
        """The load at which R = exp(log_snr) stands still; all of shape (n,)."""

    def free_entropy(self, log_snr: Array, load: Array, *parameters: Array) -> Array:
        """What decides between fixed points at the same load; all of shape (n,)."""
        raise NotImplementedError

    def at(self, *parameters: Array) -> FixedPoints:
        """The fixed points at many parameters, each of shape (n,)."""
        return FixedPoints(self, parameters)


@lru_cache(maxsize=64)
def curves_of(evolution: StateEvolution, parameters: tuple[bytes, ...]) -> LoadCurves:
    """One curve per set of parameters, each float64 in bytes."""
    columns = [np.frombuffer(column) for column in parameters]

    def load_at(log_snr: Array, row: Rows) -> Array:
        return evolution.load(log_snr, *(column[row] for column in columns))

    return LoadCurves(load_at, columns[0].size, *evolution.interval)


class FixedPoints:
    """Fixed points of a state evolution at n points. curves: one for every different set of parameters; row: which of
    them each point is on.
    """

    def __init__(self, evolution: StateEvolution, parameters: tuple[Array, ...]) -> None:
        self.evolution = evolution
        first, self.row = distinct(parameters)
        self.different = np.stack([values[first] for values in parameters])
        self.curves = curves_of(evolution, tuple(column.tobytes() for column in self.different))

    def solve(self, load: Array) -> Array:
        """Ln R of the informed and the uninformed fixed point, shape (n, 2)."""
        return np.stack([self.curves.solve(self.row, load, informed) for informed in (True, False)], axis=1)

    def folds(self, load: Array, log_snr: Array) -> dict[str, Mask]:
        """Where the two fixed points differ, where the curve has a fold, and where the load is beyond it."""
        last, folded = self.uninformed_spinodal()
        return {"apart": log_snr[:, 0] > log_snr[:, 1] + 1e-9, "folded": folded, "beyond": folded & (load > last)}

    def informed_spinodal(self) -> tuple[Array, Mask]:
        """The load below which the informed fixed point is gone, shape (n,), and whether there is such a load. Where
        there is no fold it is continued to the flattest place of the curve, where the fold would appear.
        """
        appears, goes = self.curves.spinodals
        continued = np.where(np.isfinite(goes), 0.0, self.curves.flattest)
        return self._of_points(appears, continued)

    def uninformed_spinodal(self) -> tuple[Array, Mask]:
        """The same for the load above which the uninformed fixed point is gone."""
        return self._of_points(self.curves.spinodals[1], self.curves.flattest)

    def transition(self) -> tuple[Array, Mask]:
        """The same for the load at which both have the same free entropy."""
        appears, goes = self.curves.spinodals
        folded = np.flatnonzero(np.isfinite(goes))
        found = np.full(goes.size, np.nan)

        def advantage(load: Array, which: Rows) -> Array:
            row = folded[which]
            parameters = [column[row] for column in self.different]
            informed, uninformed = (
                self.evolution.free_entropy(self.curves.solve(row, load, start), load, *parameters)
                for start in (True, False)
            )
            return np.asarray(informed - uninformed)

        if folded.size:
            low = np.where(np.isfinite(appears), appears, 1e-3)[folded] * (1 + 1e-10)
            found[folded] = bracketed_roots(advantage, low, goes[folded] * (1 - 1e-10), tolerance=1e-13)
        return self._of_points(found, self.curves.flattest)

    def _of_points(self, values: Array, continued: Array) -> tuple[Array, Mask]:
        real = np.isfinite(values)
        return np.where(real, values, continued)[self.row], real[self.row]


def hardness(states: States) -> dict[str, Mask]:
    """Phases of inference from what `FixedPoints.folds` left in `extra`, with the branches "informed" and "uninformed":
    where two fixed points compete it is "hard" if the informed one wins and "impossible" if not; beyond the fold it is
    "easy", before it "impossible"; where there is no fold, "smooth".
    """
    two, folded, beyond = (states.solution.extra[name] for name in ("apart", "folded", "beyond"))
    return {
        "hard": two & states.equilibrium["informed"],
        "easy": beyond & ~two,
        "impossible": folded | two,
        "smooth": ~folded,
    }
