r"""Walkers on periodic lattices of one, two or three dimensions that react where they meet.

Every walker steps to each of its 2d neighbours at the rate D = 1, so that times are in units of 1/D. If it steps onto a
site where others are that it can react with, it reacts with each of them with a probability p, the *reactivity*;
walkers that do not react share a site.

Simulation: a step picks one of the n walkers that were there when a bundle of steps began; if that one is gone, nothing
happens, so that every walker still steps at its rate, exactly (uniformization), and no waiting time needs a logarithm.
Walkers on one site are a doubly linked list, so that a step is O(1) and touches three lines of memory; these are asked
for ahead of time, because random numbers are functions of an index.

Theory: how often a walker meets another one that it has not met before, from the lattice's Green function at the origin
and an inverse Laplace transform (Smoluchowski 1917; Collins and Kimball 1949), and exact densities of the chain
(Doering and ben-Avraham 1988, by the empty intervals; Torney and McConnell 1983, Spouge 1988).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.matrices.prefetch import touch

PLACE, BEFORE, AFTER, KIND = range(4)  # columns of the table of walkers
NOBODY = -1
AHEAD = 16  # steps ahead of its use that a walker is asked for; its site half as many

# -- simulation --------------------------------------------------------------------------------------------------------


class Box(NamedTuple):
    """A lattice: neighbour `k` of a site is site + shifts[kinds[site], k]; a shift of 0 is a wall.

    kinds: uint8 of shape (sites,); shifts: int32 of shape (3^d, neighbours); across: sites of one slice across the
    first direction.
    """

    kinds: Array
    shifts: Array
    across: int


def box_of(sides: tuple[int, ...], walled: bool = False, along: int | None = None) -> Box:
    """Periodic box with so many sites along each direction; walled: the first direction ends at both sides; along: so
    many of the directions are stepped in (None: all), the others number independent copies.
    """
    d = len(sides)
    strides = [math.prod(sides[axis + 1 :]) for axis in range(d)]
    kinds = np.zeros(sides, np.uint8)
    for axis, side in enumerate(sides):  # 0: at the lower border, 1: inside, 2: at the upper one
        border = np.ones(side, np.uint8)
        border[0], border[-1] = 0, 2
        kinds += 3**axis * border.reshape([-1 if k == axis else 1 for k in range(d)])
    shifts = np.zeros((3**d, 2 * d), np.int32)
    for kind in range(3**d):
        for axis, (side, stride) in enumerate(zip(sides, strides, strict=True)):
            border = kind // 3**axis % 3
            shifts[kind, 2 * axis] = stride if border < 2 else -stride * (side - 1)
            shifts[kind, 2 * axis + 1] = -stride if border > 0 else stride * (side - 1)
            if walled and axis == 0:
                shifts[kind, :2] *= np.array([border < 2, border > 0])
    return Box(kinds.ravel(), np.ascontiguousarray(shifts[:, : 2 * (along or d)]), strides[0])


class Rules(NamedTuple):
    """What reacts: a walker of kind i with those of kind partner[i], with the probability `reactivity`; it is gone
    then, and so is the other one if `both_go`.
    """

    partner: Array
    both_go: bool
    reactivity: float


@inline_kernel
def enter(rows, first, k, site):
    """Walker k is the first of a site."""
    head = first[site, 0]
    rows[k, PLACE], rows[k, BEFORE], rows[k, AFTER] = site, NOBODY, head
    if head >= 0:
        rows[head, BEFORE] = k
    first[site, 0] = k


@inline_kernel
def exit_site(rows, first, k):
    """Walker k is not on its site any more."""
    before, after = rows[k, BEFORE], rows[k, AFTER]
    if before >= 0:
        rows[before, AFTER] = after
    else:
        first[rows[k, PLACE], 0] = after
    if after >= 0:
        rows[after, BEFORE] = before


@inline_kernel
def vanish(rows, first, k, count):
    """Walker k is gone, and the last one takes its number. Returns the new count."""
    exit_site(rows, first, k)
    last = count - 1
    if last != k:
        for column in range(4):
            rows[k, column] = rows[last, column]
        if rows[k, BEFORE] >= 0:
            rows[rows[k, BEFORE], AFTER] = k
        else:
            first[rows[k, PLACE], 0] = k
        if rows[k, AFTER] >= 0:
            rows[rows[k, AFTER], BEFORE] = k
    return last


@kernel
def settle(rows, first, count):
    """Put walkers 0 ... count - 1 on the sites in their column PLACE."""
    for k in range(count):
        enter(rows, first, k, rows[k, PLACE])


@kernel
def wander(rows, first, box, rules, count, steps, reacted, stream):
    """So many steps of randomly picked walkers, O(1) each; returns how many walkers are left.

    rows: int32 of shape (walkers, 4), the movable ones first; first: int32 of shape (sites, 1), the first walker of a
    site; reacted: int64, how many reactions there were in each slice across the first direction. All are overwritten.
    """
    walkers = np.uint64(count)
    directions = np.uint64(box.shifts.shape[1])
    position, met = stream[0], 0
    low = np.uint64(0xFFFFFFFF)
    half = np.uint64(32)
    for step in range(steps):
        soon = np.int64(((random_word(position, step + AHEAD) >> half) * walkers) >> half)
        touch(rows, soon, 0)
        sooner = np.int64(((random_word(position, step + AHEAD // 2) >> half) * walkers) >> half)
        place = rows[sooner, PLACE]
        touch(first, place, 0)
        word = random_word(position, step)
        k = np.int64(((word >> half) * walkers) >> half)
        if k >= count:
            continue
        site = rows[k, PLACE]
        target = site + box.shifts[box.kinds[site], np.int64(((word & low) * directions) >> half)]
        if target == site:
            continue
        other = first[target, 0]
        wanted = rules.partner[rows[k, KIND]]
        while other >= 0:
            if rows[other, KIND] == wanted:
                met += 1
                if rules.reactivity >= 1.0 or uniform(position, steps + AHEAD + met) < rules.reactivity:
                    break
            other = rows[other, AFTER]
        if other < 0:
            exit_site(rows, first, k)
            enter(rows, first, k, target)
            continue
        reacted[target // box.across] += 1
        if rules.both_go:
            count = vanish(rows, first, max(k, other), count)
            k = min(k, other)
        count = vanish(rows, first, k, count)
    stream[0] = advanced(position, steps + AHEAD + met + 1)
    return count


class Walkers:
    """Walkers of several kinds on a lattice.

    count: those that can move, the first rows of the table; reacted: reactions so far, by the first coordinate.
    """

    def __init__(self, sides: tuple[int, ...], places: tuple[Array, ...], rules: Rules, rng: np.random.Generator, *,
                 walled: bool = False, along: int | None = None, fixed: int = 0) -> None:  # fmt: skip
        """places: the sites of the walkers of each kind, of which the last `fixed` kinds never move (and never react
        with each other).
        """
        self.sides, self.rules, self.rng = sides, rules, rng
        self.box = box_of(sides, walled, along)
        self.rows = np.full((max(1, sum(len(p) for p in places)), 4), NOBODY, np.int32)
        everybody = sum(len(p) for p in places)
        if everybody:
            self.rows[:, PLACE] = np.concatenate(places)
            self.rows[:, KIND] = np.repeat(np.arange(len(places)), [len(p) for p in places])
        self.first = np.full((math.prod(sides), 1), NOBODY, np.int32)
        settle(self.rows, self.first, everybody)
        self.count = sum(len(p) for p in places[: len(places) - fixed])
        self.reacted = np.zeros(sides[0], np.int64)
        self.stream = new_stream(rng)

    def advance(self, duration: float) -> None:
        """Go on for a time, in units of the time between two steps in one direction."""
        if self.count == 0:
            return
        steps = int(self.rng.poisson(self.box.shifts.shape[1] * self.count * duration))
        self.count = wander(
            self.rows, self.first, self.box, self.rules, self.count, steps, self.reacted, self.stream
        )  # fmt: skip

    def places(self, kind: int) -> Array:
        """The sites of all movable walkers of a kind, in no order."""
        here = self.rows[: self.count]
        found: Array = here[here[:, KIND] == kind, PLACE]
        return found


# -- theory ------------------------------------------------------------------------------------------------------------

NODES = 24  # of the contour; the error is 3.89^-NODES
_ANGLES = math.pi * np.arange(1, NODES, 2) / NODES
_CONTOUR = NODES * (0.5017 * _ANGLES / np.tan(0.6407 * _ANGLES) - 0.6122 + 0.2645j * _ANGLES)
_WEIGHTS = (
    (0.5017 / np.tan(0.6407 * _ANGLES) - 0.5017 * 0.6407 * _ANGLES / np.sin(0.6407 * _ANGLES) ** 2 + 0.2645j)
    * np.exp(_CONTOUR) * 2 / 1j
)  # fmt: skip


def inverse_laplace(transform: Callable[[Array], Array], times: Array) -> Array:
    """Functions of time, shape (..., n), from their transforms, which may be singular only at real s <= 0.

    transform: of complex s, shape (n, NODES / 2), may return several, (..., n, NODES / 2).
    Talbot's contour with the parameters of Trefethen, Weideman and Schmelzer (BIT 46, 653 (2006)).
    """
    t = np.asarray(times, np.float64)
    found: Array = np.real(transform(_CONTOUR / t[:, None]) @ _WEIGHTS) / t
    return found


def _mean(a: Array, b: Array) -> Array:
    """Arithmetic-geometric mean of complex numbers."""
    for _ in range(9):
        a, root = (a + b) / 2, np.sqrt(a * b)
        b = np.where(np.abs(a - root) > np.abs(a + root), -root, root)
    return a


def returns(s: Array, dimension: int, rate: float) -> Array:
    """Mean number of visits of its start by a walker on the chain, the square or the cubic lattice that steps to each
    neighbour at `rate` and is stopped at the rate s (complex, off the cut from -4 d rate to 0), start included.
    """
    total = 2 * dimension * rate
    if dimension == 1:
        return (s + total) / (np.sqrt(s) * np.sqrt(s + 2 * total))
    if dimension == 2:
        return (s + total) / _mean(s + total, np.sqrt(s) * np.sqrt(s + 2 * total))
    z = total / (s + total)  # Joyce, J. Phys. A 31, 5105 (1998)
    small = (z * z / 9) / (1 + np.sqrt(1 - z * z / 9))
    xi = np.sqrt(small / (1 + np.sqrt(s) * np.sqrt(s + 2 * total) / (s + total)))
    below = (1 - xi) ** 3 * (1 + 3 * xi)
    return (1 - 9 * xi**4) / below / _mean(np.ones_like(xi), np.sqrt(1 - 16 * xi**3 / below)) ** 2


def meeting_rate(s: Array, dimension: int, rate: float, reactivity: Array) -> Array:
    """Transform of K(t), the rate at which one walker reacts with walkers of density 1 that do not know of each other.

    rate: at which two walkers step apart in one direction (2 if both move); nobody shares the site at the start.
    """
    visits = returns(s, dimension, rate)
    return ((s + 2 * dimension * rate) / s - visits) / (visits + (1 - reactivity) / reactivity)


def meetings(times: Array, dimension: int, rate: float, reactivity: Array) -> tuple[Array, Array]:
    """(K(t), its integral from 0 to t); times, reactivity: shape (n,)."""
    p = np.broadcast_to(np.asarray(reactivity, np.float64), np.shape(times))[:, None]

    def both(s: Array) -> Array:
        found = meeting_rate(s, dimension, rate, p)
        return np.stack([found, found / s])

    now, so_far = inverse_laplace(both, times)
    return now, so_far


def last_meeting_rate(reactivity: Array, rate: float) -> Array:
    """K(t) as t goes to infinity in three dimensions; below it goes to 0."""
    visits = float(returns(np.zeros(1, complex), 3, rate)[0].real)
    return 6 * rate / (visits + (1 - reactivity) / reactivity)


def chain_density(times: Array, start: Array, both_go: bool) -> tuple[Array, Array]:
    """(density, its derivative) of walkers of reactivity 1 on the chain, exactly; start: the fraction of sites that are
    occupied at the time 0, at random. Shapes (n,).

    The probability E_n that n sites are empty (or hold an even number, if both go) diffuses at the rate 2 from
    E_n(0) = q^n with E_0 = 1, and the density is 1 - E_1.
    """
    q = 1 - (2 if both_go else 1) * np.broadcast_to(np.asarray(start, np.float64), np.shape(times))[:, None]

    def transform(s: Array) -> Array:
        decay = 4 / (4 + s + np.sqrt(s) * np.sqrt(s + 8))
        own = q / (s * q - 2 * (1 - q) ** 2)  # the answer to q^n alone, which E_0 = 1 corrects
        found = 1 / s - (1 / s - own) * decay - own * q
        return np.stack([found, s * found - (1 - q)])

    density, slope = (0.5 if both_go else 1.0) * inverse_laplace(transform, times)
    return density, slope
