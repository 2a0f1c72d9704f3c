"""Where to write the names of regions and the symbols of curves, so that nothing is written over anything else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from hashlib import blake2b
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, label, uniform_filter

CELLS = 80  # of the frame in each direction; everything is placed on this grid
MIDDLING = 490.0  # width and height in pixels of a frame that is not on a screen yet
LETTER, LINE = 0.5, 1.3  # mean width of a letter, height of a line, in em
GAP = 0.5  # between a curve and its symbol, in em
SMALLEST_REGION, LARGE_REGION = 0.012, 0.15  # of the frame: to be named at all, to be named once more
NARROWEST_REGION = 0.014  # half height of the largest disc inside, as fraction of the frame, to be named
WRITTEN = 10.0  # a cell with text in it, where one with a line in it counts 1
SAMPLED = 60  # points of a curve beside which its symbol may stand
CROWDED, AWAY = 0.5, 0.3  # what it costs a symbol to touch another curve, and to stand far from the end of its own

REMEMBERED = 64  # pictures with all that is written over them
APART = 0.12  # a symbol nearer than this to another curve than its own might be taken for that one's

Range = tuple[float, float]
Curve = tuple[NDArray[Any], NDArray[Any]]


class Lettering:
    """A frame that is filled: first the curves, then names of regions, then symbols of the curves.

    All coordinates are those of the axes; NaN in a curve is a gap.
    """

    def __init__(
        self, x_range: Range, y_range: Range, curves: Sequence[Curve] = (), em: Range = (0.035, 0.035)
    ) -> None:
        """em: the size of the letters, in units of the frame's width and height."""
        self._em = em
        self._low = np.array([x_range[0], y_range[0]], float)
        self._span = np.array([x_range[1] - x_range[0], y_range[1] - y_range[0]], float)
        self._curves = [self._in_frame(*curve) for curve in curves]
        self._drawn = [_cells_of(*curve) for curve in self._curves]
        self._taken = np.zeros((CELLS, CELLS))
        for cells in self._drawn:
            self._taken[cells] = 1.0

    def name_regions(
        self, phases: NDArray[Any], box: tuple[float, ...], titles: tuple[str, ...]
    ) -> list[tuple[float, float, str]]:
        """(x, y, text) for each region of phases over (y, x), an index into titles in each cell of a picture that
        covers `box` (left, bottom, width, height).

        A phase is named in its largest connected piece, and in others only if they are large; in two lines where one
        line has no room.
        """
        seen = self._seen(phases, box)
        found: list[tuple[float, float, str]] = []
        for index, title in enumerate(titles):
            pieces, count = label(seen == index)
            if not count:
                continue
            sizes = np.bincount(pieces.ravel(), minlength=count + 1)[1:] / seen.size
            for rank, piece in enumerate(np.argsort(sizes)[::-1]):
                if sizes[piece] < (LARGE_REGION if rank else SMALLEST_REGION):
                    break
                placed = self._place_name(pieces == piece + 1, title)
                if placed is not None:
                    found.append(placed)
        return found

    def place_symbols(self, widths: Sequence[float]) -> list[Range | None]:
        """The centres of symbols of these widths (in em), one beside each curve; None where a curve is not in sight."""
        return [self._place_symbol(k, width) for k, width in enumerate(widths)]

    def _place_symbol(self, k: int, width: float) -> Range | None:
        """Near the end of what is visible of the curve, away from other curves."""
        u, v = self._curves[k]
        visible = np.flatnonzero((u >= 0) & (u <= 1) & (v >= 0) & (v <= 1))
        if not visible.size:
            return None
        chosen = visible[np.unique(np.linspace(0, len(visible) - 1, SAMPLED).round().astype(int))]
        u, v = u[chosen], v[chosen]
        box = ((width + 0.7) * self._em[0], 1.7 * self._em[1])
        side = np.array([(i, j) for i in (1, 0, -1) for j in (1, 0, -1) if i or j], float)
        centre_u = u[:, None] + side[:, 0] * (box[0] / 2 + GAP * self._em[0])
        centre_v = v[:, None] + side[:, 1] * (box[1] / 2 + GAP * self._em[1])
        at = (_cell(centre_v), _cell(centre_u))
        cost = _share(self._taken, box, edge=WRITTEN)[at] + CROWDED * self._crowd(k)[at]
        cost = cost + np.where((np.abs(centre_u - 0.5) > 0.5) | (np.abs(centre_v - 0.5) > 0.5), WRITTEN, 0.0)
        cost = cost + AWAY * np.hypot(u - u[-1], v - v[-1])[:, None]
        best = np.unravel_index(int(np.argmin(cost)), cost.shape)
        place = np.array([centre_u[best], centre_v[best]])
        self._write(place, box)
        x, y = self._low + place * self._span
        return float(x), float(y)

    def _crowd(self, k: int) -> NDArray[Any]:
        """From 0 to 1: how near a cell is to other curves than the k-th."""
        free = np.ones((CELLS, CELLS), bool)
        for other, cells in enumerate(self._drawn):
            if other != k:
                free[cells] = False
        if free.all():
            return np.zeros((CELLS, CELLS))
        near: NDArray[Any] = 1 - distance_transform_edt(free, sampling=1 / CELLS) / APART
        return near.clip(0.0, 1.0)

    def _place_name(self, region: NDArray[Any], title: str) -> tuple[float, float, str] | None:
        # Names are wide and low: what is far from a border to the left or right counts for less.
        depth = distance_transform_edt(np.pad(region & (self._taken == 0), 1), sampling=(1 / CELLS, 0.4 / CELLS))
        depth = depth[1:-1, 1:-1]
        if depth.max() < NARROWEST_REGION:
            return None
        best, room = None, -np.inf
        for text in dict.fromkeys((title, _in_two_lines(title))):
            lines = text.split("\n")
            box = (LETTER * (max(map(len, lines)) + 1) * self._em[0], LINE * len(lines) * self._em[1])
            outside = _share(~region, box, edge=1.0)
            cost = 4 * outside + _share(self._taken, box, edge=WRITTEN)
            row, column = np.unravel_index(int(np.argmax(depth - cost)), depth.shape)
            if -cost[row, column] > room + 1e-6:
                best, room = (row, column, text, box), -cost[row, column]
        assert best is not None
        row, column, text, box = best
        at = (np.array([column, row]) + 0.5) / CELLS
        self._write(at, box)
        x, y = self._low + at * self._span
        return float(x), float(y), text

    def _seen(self, phases: NDArray[Any], box: tuple[float, ...]) -> NDArray[Any]:
        """The phases in the cells of the frame; -1 where the picture does not reach."""
        middle = (np.arange(CELLS) + 0.5) / CELLS
        found = []
        for axis, count in ((0, phases.shape[1]), (1, phases.shape[0])):
            places = self._low[axis] + middle * self._span[axis]
            found.append(np.floor((places - box[axis]) / box[2 + axis] * count).astype(int))
        columns, rows = found
        within = ((rows >= 0) & (rows < phases.shape[0]))[:, None] & ((columns >= 0) & (columns < phases.shape[1]))
        clipped = phases[np.ix_(rows.clip(0, phases.shape[0] - 1), columns.clip(0, phases.shape[1] - 1))]
        return np.where(within, clipped, -1)

    def _in_frame(self, xs: NDArray[Any], ys: NDArray[Any]) -> tuple[NDArray[Any], ...]:
        u, v = ((np.asarray(w, float) - self._low[k]) / self._span[k] for k, w in enumerate((xs, ys)))
        return u, v

    def _write(self, at: NDArray[Any], box: Range) -> None:
        (left, bottom), (right, top) = ((at + sign * np.array(box) / 2) * CELLS for sign in (-1, 1))
        rows = slice(max(int(np.floor(bottom)), 0), max(int(np.ceil(top)), 0))
        columns = slice(max(int(np.floor(left)), 0), max(int(np.ceil(right)), 0))
        self._taken[rows, columns] = WRITTEN


@dataclass(frozen=True, eq=False)
class Lettered:
    """What is to be written over a picture.

    curves: on the axes, with the width of the symbol of each in em. phases: over (y, x), in a picture that covers `box`
    (left, bottom, width, height), as in `Lettering.name_regions`; None: no picture yet. em: as in `Lettering`.
    """

    x_range: Range
    y_range: Range
    em: Range
    curves: tuple[tuple[NDArray[Any], NDArray[Any], float], ...]
    phases: NDArray[Any] | None
    box: tuple[float, ...]
    titles: tuple[str, ...]

    @cached_property
    def _same(self) -> tuple[Any, ...]:
        """What is equal where all is."""
        arrays = [part for *curve, _ in self.curves for part in curve]
        arrays += [] if self.phases is None else [self.phases]
        bits = blake2b()
        for one in arrays:
            bits.update(np.ascontiguousarray(one).data)
        shapes = tuple(one.shape for one in arrays)
        widths = tuple(width for *_, width in self.curves)
        return bits.digest(), shapes, widths, self.x_range, self.y_range, self.em, self.box, self.titles

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Lettered) and self._same == other._same

    def __hash__(self) -> int:
        return hash(self._same)


@lru_cache(REMEMBERED)
def letter(asked: Lettered) -> tuple[list[tuple[float, float, str]], list[Range | None]]:
    """The names of the regions, and the places of the symbols beside each other and the curves: see `Lettering`.

    It takes twenty milliseconds, and all who open the same link see the same picture.
    """
    letters = Lettering(asked.x_range, asked.y_range, [(xs, ys) for xs, ys, _ in asked.curves], asked.em)
    names = [] if asked.phases is None else letters.name_regions(asked.phases, asked.box, asked.titles)
    return names, letters.place_symbols([width for *_, width in asked.curves])


def _cells_of(u: NDArray[Any], v: NDArray[Any]) -> tuple[NDArray[Any], ...]:
    """Rows and columns of the cells that a curve passes."""
    rows, columns = [np.empty(0, int)], [np.empty(0, int)]
    for piece in pieces(u, v):
        along = np.concatenate([[0.0], np.cumsum(np.hypot(np.diff(u[piece]), np.diff(v[piece])))])
        fine = np.linspace(0.0, along[-1], int(np.clip(2 * CELLS * along[-1], 2, 20 * CELLS)))
        x, y = np.interp(fine, along, u[piece]), np.interp(fine, along, v[piece])
        inside = (x >= 0) & (x < 1) & (y >= 0) & (y < 1)
        rows.append((y[inside] * CELLS).astype(int))
        columns.append((x[inside] * CELLS).astype(int))
    return np.concatenate(rows), np.concatenate(columns)


def pieces(xs: NDArray[Any], ys: NDArray[Any]) -> list[slice]:
    """The runs of a curve between its NaNs, as slices of at least two points."""
    good = np.concatenate([[False], np.isfinite(xs) & np.isfinite(ys), [False]])
    edges = np.flatnonzero(good[1:] != good[:-1])
    return [slice(a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a >= 2]


def _share(field: NDArray[Any], box: Range, edge: float) -> NDArray[Any]:
    """The mean of a field over a box (width, height) centred at each cell; outside of the frame it is `edge`."""
    size = [max(1, int(np.ceil(extent * CELLS))) for extent in (box[1], box[0])]
    mean: NDArray[Any] = uniform_filter(field.astype(float), size, mode="constant", cval=edge)
    return mean.clip(0.0)


def _cell(places: NDArray[Any]) -> NDArray[Any]:
    return (places * CELLS).astype(int).clip(0, CELLS - 1)


def _in_two_lines(title: str) -> str:
    """Broken at the space nearest to the middle, if there is one."""
    spaces = [k for k, letter in enumerate(title) if letter == " "]
    if not spaces:
        return title
    k = min(spaces, key=lambda k: abs(k - len(title) / 2))
    return f"{title[:k]}\n{title[k + 1 :]}"
