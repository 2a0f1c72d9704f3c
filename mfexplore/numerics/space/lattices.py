"""Periodic lattices: who is next to whom, and where a site is drawn.

A lattice is a box of cells, usually as many in every direction, with periodic boundaries. The sites of a cell are
numbered first, then the cells, last direction fastest: site = basis + sites_per_cell * cell. In two dimensions the cell
is the primitive one; in three it is the conventional cube, so that the box is a cube whatever the lattice.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

Offset = tuple[int, ...]
IntArray = NDArray[Any]


@dataclass(frozen=True)
class Crystal:
    """One kind of lattice.

    basis: positions of the sites of a cell in whole numbers, (row, column) or (layer, row, column).
    period: how many such steps a cell measures.
    bonds: (from site, to site, offset of the other cell) for every bond that starts in a cell, each bond once.
    slant: columns by which the drawing moves to the right from one row of cells to the next, in steps of the basis.
    """

    basis: tuple[Offset, ...]
    period: int
    bonds: tuple[tuple[int, int, Offset], ...]
    slant: float = 0.0

    @property
    def dimension(self) -> int:
        return len(self.basis[0])

    @property
    def sites_per_cell(self) -> int:
        return len(self.basis)

    @property
    def coordination(self) -> int:
        return 2 * len(self.bonds) // len(self.basis)


def by_distance(basis: tuple[Offset, ...], period: int, squared: int) -> Crystal:
    """Cubic crystal whose bonds join all sites at a squared distance (in steps of the basis)."""
    reach = range(-int(squared**0.5), int(squared**0.5) + 1)
    vectors = [v for v in itertools.product(reach, repeat=3) if sum(x * x for x in v) == squared]
    bonds = []
    for (a, place), vector in itertools.product(enumerate(basis), vectors):
        if vector < (0, 0, 0):
            continue  # the bond is met from its other end
        target = tuple(p + v for p, v in zip(place, vector, strict=True))
        home = tuple(t % period for t in target)
        if home in basis:
            bonds.append((a, basis.index(home), tuple(t // period for t in target)))
    return Crystal(basis, period, tuple(bonds))


HERE, RIGHT, DOWN, DOWN_LEFT = (0, 0), (0, 1), (1, 0), (1, -1)
CRYSTALS = {
    "square": Crystal(((0, 0),), 1, ((0, 0, RIGHT), (0, 0, DOWN))),
    "triangular": Crystal(((0, 0),), 1, ((0, 0, RIGHT), (0, 0, DOWN), (0, 0, DOWN_LEFT)), slant=0.5),
    # A brick wall: two sites side by side, bonds along the row and down from the second to the first
    "honeycomb": Crystal(((0, 0), (0, 1)), 2, ((0, 1, HERE), (1, 0, RIGHT), (1, 0, DOWN)), slant=1.0),
    # A triangular lattice without the sites that have both numbers odd
    "kagome": Crystal(
        ((0, 0), (0, 1), (1, 0)), 2,
        ((0, 1, HERE), (0, 2, HERE), (1, 2, HERE), (1, 0, RIGHT), (2, 0, DOWN), (2, 1, DOWN_LEFT)), slant=1.0,
    ),
    "cubic": by_distance(((0, 0, 0),), 1, 1),
    "bcc": by_distance(((0, 0, 0), (1, 1, 1)), 2, 3),
    "fcc": by_distance(((0, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0)), 2, 2),
    "diamond": by_distance(
        ((0, 0, 0), (0, 2, 2), (2, 0, 2), (2, 2, 0), (1, 1, 1), (1, 3, 3), (3, 1, 3), (3, 3, 1)), 4, 3
    ),
    "hydrogen_peroxide": by_distance(
        ((0, 0, 0), (1, 2, 3), (2, 3, 1), (3, 1, 2), (2, 2, 2), (3, 0, 1), (0, 1, 3), (1, 3, 0)), 4, 2
    ),
}  # fmt: skip

SMALLEST = {"honeycomb": 2, "kagome": 2, "bcc": 2, "fcc": 2, "diamond": 1, "hydrogen_peroxide": 1}


def smallest(name: str) -> int:
    """Cells along a side from which on no site is its own neighbour or meets another one twice."""
    return SMALLEST.get(name, 3)


def sites(name: str, cells: int) -> int:
    """Number of sites of a box with `cells` cells along each side."""
    return CRYSTALS[name].sites_per_cell * int(cells ** CRYSTALS[name].dimension)


def cells_for(name: str, size: int) -> int:
    """Cells along a side of the box whose number of sites comes closest to `size`."""
    crystal = CRYSTALS[name]
    side = (size / crystal.sites_per_cell) ** (1 / crystal.dimension)
    candidates = [max(smallest(name), int(side) + k) for k in (0, 1)]
    return min(candidates, key=lambda cells: abs(sites(name, cells) - size))


@dataclass(frozen=True)
class Neighbourhood:
    """The neighbours of every site as site + shifts[kinds[site]].

    Sites of the same place in the cell, equally far from the borders of the box, have the same shifts, so there are few
    kinds: a table of one byte a site takes the place of one of 4 * coordination bytes, and stays in the cache.

    kinds: uint8 of shape (sites,); shifts: int32 of shape (kinds, coordination).
    """

    kinds: NDArray[np.uint8]
    shifts: NDArray[np.int32]

    def table(self) -> NDArray[np.int32]:
        """All neighbours written out, int32 of shape (sites, coordination)."""
        return np.arange(len(self.kinds), dtype=np.int32)[:, None] + self.shifts[self.kinds]


@cache
def neighbourhood(name: str, cells: int | tuple[int, ...]) -> Neighbourhood:
    """Neighbours in a periodic box with `cells` cells along each side, or along every one of them.

    The directions of `shifts` are, for every bond of the crystal, there and back.
    """
    crystal = CRYSTALS[name]
    per_cell, dimension = crystal.sites_per_cell, crystal.dimension
    steps: list[list[tuple[int, Offset]]] = [[] for _ in range(per_cell)]
    for a, b, offset in crystal.bonds:
        steps[a].append((b, offset))
        steps[b].append((a, tuple(-x for x in offset)))
    box = (cells,) * dimension if isinstance(cells, int) else cells
    shifts = np.zeros((per_cell * 3**dimension, crystal.coordination), np.int32)
    for kind, where in enumerate(itertools.product((0, 1, 2), repeat=dimension)):
        cell = tuple((0, min(1, side - 1), side - 1)[w] for w, side in zip(where, box, strict=True))
        home = int(np.ravel_multi_index(cell, box))
        for a, k in itertools.product(range(per_cell), range(crystal.coordination)):
            b, offset = steps[a][k]
            there = tuple((c + x) % side for c, x, side in zip(cell, offset, box, strict=True))
            target = per_cell * int(np.ravel_multi_index(there, box)) + b
            shifts[per_cell * kind + a, k] = target - (per_cell * home + a)
    kinds = np.zeros(box, np.int64)
    for axis, side in enumerate(box):
        border = np.full(side, 1)
        border[0], border[-1] = 0, min(2, side - 1)
        kinds += (3 ** (dimension - 1 - axis) * border).reshape([-1 if k == axis else 1 for k in range(dimension)])
    every = per_cell * kinds.ravel()[:, None] + np.arange(per_cell)
    return Neighbourhood(every.ravel().astype(np.uint8), shifts)


@cache
def drawing(name: str, cells: int) -> IntArray:
    """The site that each dot of a square picture belongs to, or -1 for none; shape (rows, columns).

    In three dimensions these are the sites of the middle layer of cells, seen from above; every dot goes to the site
    nearest to it.
    """
    crystal = CRYSTALS[name]
    period, dimension = crystal.period, crystal.dimension
    if name == "honeycomb":  # its bricks are two wide and one high
        row, column = np.indices((cells, 2 * cells))
        shifted = (column - row) % (2 * cells)
        return np.asarray(2 * (cells * row + shifted // 2) + shifted % 2)
    row, column = np.indices((period * cells, period * cells))
    if dimension == 2:
        column = (column - (crystal.slant * row / period).astype(np.intp)) % (period * cells)
    basis, row_step, column_step = (table[row % period, column % period] for table in _nearest(crystal))
    cell = (row // period + row_step) % cells * cells + (column // period + column_step) % cells
    layer = cells**2 * (cells // 2) if dimension == 3 else 0
    return np.asarray(np.where(basis < 0, -1, crystal.sites_per_cell * (layer + cell) + basis))


def _nearest(crystal: Crystal) -> tuple[IntArray, IntArray, IntArray]:
    """(site of the basis, steps to its cell) nearest to each dot of a cell; in the plane only where the site stands."""
    found = np.full((3, crystal.period, crystal.period), -1)
    for dot in itertools.product(range(crystal.period), repeat=2):
        candidates = []
        for (k, place), i, j in itertools.product(enumerate(crystal.basis), (-1, 0, 1), (-1, 0, 1)):
            dy, dx = dot[0] - place[-2] - crystal.period * i, dot[1] - place[-1] - crystal.period * j
            candidates.append((dy * dy + dx * dx, abs(dy), -dx, k, i, j))  # of equally near ones that to the left
        best = min(candidates)
        if best[0] == 0 or crystal.dimension == 3:
            found[:, dot[0], dot[1]] = best[3:]
    return found[0], found[1], found[2]
