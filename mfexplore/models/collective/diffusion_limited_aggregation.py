r"""Diffusion-limited aggregation: random walkers that stick where they touch.

A walker comes from far away, wanders, and joins the cluster at the first contact (with probability $s$, else it
bounces). Where it arrives is decided by the field of walkers outside, $\nabla^2c=0$ with $c=0$ on the cluster, so tips
catch more than fjords and grow ahead: the cluster becomes a branched fractal, $N\sim R^D$.

**Mean field.** Balancing how a walk of dimension $d_w$ penetrates a cluster of dimension $D$ in $d$ dimensions gives

$$D_0=\frac{d^2+d_w-1}{d+d_w-1} \tag{1}$$

that is 5/3 for diffusion ($d_w=2$) in the plane and 2 for straight paths ($d_w=1$). The true value is 1.71(1). It is a
fractal of one dimension: all Renyi dimensions of the mass, $\sum_bp_b^q\sim\ell^{(q-1)D_q}$ over boxes of side $\ell$
that hold the shares $p_b$, are equal.

**Dilute to dense.** With walkers of density $n_0$ everywhere, those between the arms have no way to go: the cluster is
fractal up to the screening length where its own density has fallen to $n_0$, and compact beyond,

$$\xi\sim n_0^{-1/(2-D_0)} \tag{2}$$

Bouncing walkers reach every gap within a length $\xi_s$ and make a compact core; a drift makes paths straight beyond
the length $1/\lambda$, where the cluster stops thinning out. All three are in one profile of density,

$$\rho(r)=\max\Big[n_0,\;\rho(1/\lambda),\;c\,\min\Big(1,\frac{\xi_s}r\Big)^{2-D_0}\Big] \tag{3}$$

that fixes the number of particles $N=\int_0^R2\pi r\rho\,dr$ and the exponent $D(R)=d\ln N/d\ln R$ seen at that size.
Theory gives the exponents; the prefactors ($c$ and $\xi_s=bs^{-k}$, off and on the lattice) are taken from the
simulation. In boxes of side $\ell$ that cover the square around it, a fractal cluster has the lacunarity

$$\Lambda=\frac{\langle M^2\rangle}{\langle M\rangle^2}\simeq\frac4\pi\Big(\frac{bR}\ell\Big)^{2-D} \tag{4}$$

which is exact for a disc ($D=2$); that not all of the radius counts as much, $b=0.42$, is again from the simulation, at
$10^5$ particles (with $2\cdot10^4$ it is a tenth larger than (4), with $10^6$ a few per cent smaller).

**Simulation.** For $n_0=0$ walkers come one at a time, off the lattice: discs of diameter 1 that are caught within 3
and pulled to contact. A walker jumps to a random point on the largest circle that is known to be empty, found in a
hierarchy of grids, and when it is beyond the cluster's radius $R$ at the distance $r$, it is brought back exactly: it
meets the circle $R$ turned by the angle

$$\varphi=2\arctan\Big[\frac{r-R}{r+R}\tan\pi\big(u-\tfrac12\big)\Big],\qquad
\langle\cos k\varphi\rangle=(R/r)^k \tag{5}$$

with $u$ uniform. With a drift of $\lambda$ (velocity over twice the diffusion constant) the point on the circle has the
density $e^{\lambda r\cos\theta}$. For $n_0>0$ all walkers move at once on a square lattice, one per site, and a new one
enters far away whenever one sticks.

**Valid:** for the exponents, as $N\to\infty$. Crossovers are far smoother than (3), so that a measured $D$ between 1.71
and 2 is an effective one, and box counting on clusters of $10^4$ particles finds 1.6 (1.70 for $10^6$). $R_g$ is
that of growth around a point.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore.core import (
    Array,
    Landmark,
    Method,
    Model,
    NotOfferedError,
    Observable,
    Particles,
    Phase,
    Plane,
    Points,
    Preset,
    Profile,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Task,
    choice,
    control,
)
from mfexplore.core.solution import columns
from mfexplore.numerics.box_counting import lacunarity, renyi_dimensions
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.random import advanced, new_stream, random_word

POINT, LINE, RING = 0, 1, 2
GEOMETRIES = ("point", "line", "ring")
CELL = 4.0  # side of the smallest cell of the grid; a power of two
WIDER = 2  # doublings of the cells' side from one level of the grid to the next
REACH = 4  # cells: from the middle of every cell, the distance to the nearest particle is kept up to here, in ...
PARTS = 16.0  # ... parts of the cell's side
FINER = 1.25 * PARTS  # below this the next lower level knows more
FAR, OCCUPIED = np.uint8(REACH * PARTS), np.uint8(128)
SHORT = 1.5  # a step that is not worth asking the particles themselves
CAPTURE = 3.0  # a walker this near is caught ...
SPACING = 1.0  # ... and pulled to this distance, the diameter of a particle
WALKER, STUCK, WALL, TOUCHING = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)  # flags of a lattice site
TAKEN = np.uint8(7)  # no walker can go there
DOTS = 3000  # of a picture
FRAMES = 200  # of a growing cluster
MOST_AT_ONCE = 2000  # particles in a step
THICK = 2.0  # diameters: growth from a line or ring has an exponent once its first tenth is thicker
ACROSS = 250  # dots side by side, at most: smaller ones would not be seen
MEASURED_DIMENSION = 1.71
# What eq. (3) leaves open, as found in the simulation: density c of the core, and its size b s^-k.
OFF_LATTICE = (0.235, 2.2, 1.0)
ON_LATTICE = (0.65, 0.34, 1.4)
UNEVEN = 0.42  # b of eq. (4)


def mean_field_dimension(walk: float) -> float:
    """D_0 of eq. (1) in the plane, for walkers whose own path has the dimension `walk`."""
    return (4 + walk - 1) / (2 + walk - 1)


@inline_kernel
def fraction(word):
    """A random word as a multiple of 2^-53 in [0, 1)."""
    return float(word >> np.uint64(11)) * 2.0**-53


@kernel
def return_turn(r, radius, u):
    """Angle by which a walker at distance r > radius has turned when it first meets the circle: the Poisson kernel of
    the outside, inverted at the uniform number u. Returns (cosine, sine).
    """
    t = (r - radius) / (r + radius) * math.tan(math.pi * (u - 0.5))
    norm = 1.0 / (1.0 + t * t)
    return (1.0 - t * t) * norm, 2.0 * t * norm


@kernel
def drifting_turn(bias, position, used):
    """Cosine of the angle to the drift at which a drifting walker leaves a circle around it: density e^(bias cos),
    bias = drift times radius, by the rejection of Best and Fisher. Returns (cosine, words used so far).
    """
    a = 1.0 + math.sqrt(1.0 + 4.0 * bias * bias)
    b = (a - math.sqrt(2.0 * a)) / (2.0 * bias)
    r = (1.0 + b * b) / (2.0 * b)
    while True:
        z = math.cos(math.pi * fraction(random_word(position, used)))
        u = fraction(random_word(position, used + 1))
        used += 2
        f = (1.0 + r * z) / (r + z)
        c = bias * (r - f)
        if c * (2.0 - c) > u or math.log(c / max(u, 1e-300)) + 1.0 >= c:
            return min(max(f, -1.0), 1.0), used


@kernel
def drifting_return(height, drift, position, used):
    """Sideways displacement of a walker that falls back by `height` against its free diffusion: the time is inverse
    Gaussian (Michael, Schucany and Haas). Returns (displacement, words used so far).
    """
    mean = height / drift
    shape = height * height
    u = fraction(random_word(position, used))
    radius = math.sqrt(-2.0 * math.log(1.0 - u))
    angle = 2.0 * math.pi * fraction(random_word(position, used + 1))
    y = (radius * math.cos(angle)) ** 2
    x = mean + mean * mean * y / (2.0 * shape)
    x -= mean / (2.0 * shape) * math.sqrt(4.0 * mean * shape * y + mean * mean * y * y)
    time = x if fraction(random_word(position, used + 2)) * (mean + x) <= mean else mean * mean / x
    return math.sqrt(time) * radius * math.sin(angle), used + 3


@kernel
def insert(k, px, py, points, head, following, clear, offsets, columns, rows, left, bottom, periodic):
    """Put particle k at (px, py) into the grid.

    head, following: the particles of every smallest cell as a chain. clear: for every cell of every level, beginning at
    `offsets`, a distance from its middle within which no particle is, in parts of its side, rounded down, at most FAR;
    OCCUPIED is added if a particle is in the cell itself. On the lowest level it is the distance to the nearest
    particle, on the others that to the nearest occupied cell of the level below.
    """
    points[k, 0], points[k, 1] = px, py
    x, y = (px - left) / CELL, (py - bottom) / CELL
    cell = int(y) * columns[0] + int(x)
    following[k] = head[cell]
    head[cell] = k
    half = 0.0  # width of what is entered
    for level in range(columns.size):
        wide, first = columns[level], offsets[level]
        ix, iy = int(x), int(y)
        for v in range(max(iy - REACH, 0), min(iy + REACH + 1, rows[level])):
            dy = np.float32(max(abs(v + 0.5 - y) - half, 0.0))
            u, end = ix - REACH, ix + REACH + 1
            if not periodic:
                u, end = max(u, 0), min(end, wide)
            while u < end:  # in pieces within which cells are neighbours in memory, too
                column = (u + REACH * wide) % wide
                piece = clear[first + v * wide + column : first + v * wide + min(column + end - u, wide)]
                for j in range(piece.size):
                    dx = np.float32(max(abs(u + j + 0.5 - x) - half, 0.0))
                    distance = min(np.float32(PARTS) * np.float32(math.sqrt(dx * dx + dy * dy)), np.float32(FAR))
                    piece[j] = min(piece[j], np.uint8(np.int32(distance)) | (piece[j] & OCCUPIED))
                u += piece.size
        cell = first + iy * wide + ix
        if clear[cell] & OCCUPIED:
            return  # then the wider cells know of it, too
        clear[cell] |= OCCUPIED
        half = 0.5 / (1 << WIDER)
        x, y = (ix + 0.5) / (1 << WIDER), (iy + 0.5) / (1 << WIDER)


@kernel
def insert_all(count, points, head, following, clear, offsets, columns, rows, left, bottom, periodic):
    """Fill an empty grid with the first `count` particles."""
    for k in range(count):
        insert(k, points[k, 0], points[k, 1], points, head, following, clear, offsets, columns, rows, left,
               bottom, periodic)  # fmt: skip


@inline_kernel
def cell_of(level, ix, iy, offsets, columns):
    """The cell of a level in which the smallest cell (ix, iy) is."""
    return offsets[level] + (iy >> (WIDER * level)) * columns[level] + (ix >> (WIDER * level))


@kernel
def grow(points, count, target, head, following, clear, offsets, columns, rows, left, bottom, geometry, period,
         reach, limit, sticking, drift, stream):  # fmt: skip
    """Walkers come one by one until `target` particles are in `points`, or the cluster reaches `limit`.

    A walker jumps to a random point of the largest circle around it that is known to be empty: from the distance kept
    for its cell, from wider cells where that knows of nothing, from the particles themselves where it may be less than
    SHORT. Far outside it is brought back exactly.

    reach: radius (point) or height (line) from which walkers start, beyond all particles; for the ring, minus the
    distance of the innermost particle from the centre. Returns (count, reach).
    """
    position, used = stream[0], 0
    wide, levels = columns[0], columns.size
    while count < target and reach < limit:
        word = random_word(position, used)
        used += 1
        level = 0
        if geometry == POINT:
            angle = 2.0 * math.pi * fraction(word)
            px, py = reach * math.cos(angle), reach * math.sin(angle)
        elif geometry == LINE:
            px, py = period * fraction(word), reach
        else:
            px = py = 0.0
        far = (reach + 2.0) * (reach + 2.0) if geometry == POINT else math.inf
        while True:
            if px * px + py * py > far:
                r = math.sqrt(px * px + py * py)
                cosine, sine = return_turn(r, reach, fraction(random_word(position, used)))
                used += 1
                px, py = reach / r * (px * cosine - py * sine), reach / r * (px * sine + py * cosine)
            elif geometry == LINE:
                if py > reach + 2.0:
                    if drift > 0.0:
                        shift, used = drifting_return(py - reach, drift, position, used)
                        px += shift
                    else:
                        px += (py - reach) * math.tan(math.pi * (fraction(random_word(position, used)) - 0.5))
                        used += 1
                    py = reach
                px -= period * math.floor(px / period)
                if px >= period:
                    px = 0.0
            sx, sy = px - left, py - bottom
            ix, iy = int(sx / CELL), int(sy / CELL)
            known = clear[cell_of(level, ix, iy, offsets, columns)] & ~OCCUPIED
            while known == FAR and level + 1 < levels:
                level += 1
                known = clear[cell_of(level, ix, iy, offsets, columns)] & ~OCCUPIED
            while level > 0 and known < FINER:
                level -= 1
                known = clear[cell_of(level, ix, iy, offsets, columns)] & ~OCCUPIED
            side = CELL * (1 << (WIDER * level))
            fx, fy = sx - side * ((ix >> (WIDER * level)) + 0.5), sy - side * ((iy >> (WIDER * level)) + 0.5)
            free = side / PARTS * known - math.sqrt(fx * fx + fy * fy) - CAPTURE
            if free < SHORT:
                nearest, square = -1, 1e300
                for cy in range(max(iy - 1, 0), min(iy + 2, rows[0])):
                    for cx in range(ix - 1, ix + 2):
                        if geometry == LINE:
                            cx = (cx + wide) % wide
                        k = head[cy * wide + cx]
                        while k >= 0:
                            ex, ey = points[k, 0] - px, points[k, 1] - py
                            if geometry == LINE:
                                ex -= period * round(ex / period)
                            e = ex * ex + ey * ey
                            if e < square:
                                nearest, square = k, e
                            k = following[k]
                distance = math.sqrt(square)
                if distance < CAPTURE:
                    sticks = sticking >= 1.0 or fraction(random_word(position, used)) < sticking
                    used += 1
                    ex, ey = px - points[nearest, 0], py - points[nearest, 1]
                    if geometry == LINE:
                        ex -= period * round(ex / period)
                    scale = (SPACING if sticks else CAPTURE + 1.0) / max(distance, 1e-12)
                    px, py = points[nearest, 0] + ex * scale, points[nearest, 1] + ey * scale
                    if sticks:
                        break
                    continue
                fx, fy = sx - CELL * ix, sy - CELL * iy
                free = min(distance, CELL + min(min(fx, CELL - fx), min(fy, CELL - fy))) - CAPTURE
            free = max(free, 1.0)
            if drift > 0.0:
                cosine, used = drifting_turn(drift * free, position, used)
                sine = math.sqrt(1.0 - cosine * cosine)
                if fraction(random_word(position, used)) < 0.5:
                    sine = -sine
                used += 1
                px += free * sine
                py -= free * cosine
                continue
            while True:  # a direction, from a point in the unit disc turned by twice its angle
                word = random_word(position, used)
                used += 1
                ux = float(np.int64(word) >> 32) * 2.0**-31
                uy = float(np.int64(word << np.uint64(32)) >> 32) * 2.0**-31
                w = ux * ux + uy * uy
                if 1e-9 < w < 1.0:
                    break
            px += free / w * (ux * ux - uy * uy)
            py += free / w * 2.0 * ux * uy
        if geometry == LINE:
            px -= period * math.floor(px / period)
            if px >= period:
                px = 0.0
        insert(count, px, py, points, head, following, clear, offsets, columns, rows, left, bottom,
               geometry == LINE)  # fmt: skip
        count += 1
        if geometry == POINT:
            reach = max(reach, math.sqrt(px * px + py * py) + CAPTURE)
        elif geometry == LINE:
            reach = max(reach, py + CAPTURE)
        else:
            reach = max(reach, -math.sqrt(px * px + py * py))
    stream[0] = advanced(position, used)
    return count, reach


@kernel
def stick(site, n, sites):
    """Make a site part of the cluster and tell its neighbours."""
    sites[site] = (sites[site] | STUCK) & ~WALKER
    sites[site - n] |= TOUCHING
    sites[site + n] |= TOUCHING
    sites[site - 1] |= TOUCHING
    sites[site + 1] |= TOUCHING


@kernel
def grow_among_walkers(sites, n, walkers, alive, points, count, geometry, sticking, down, sweeps, stream):
    """Lattice gas: in every sweep each walker tries one step to an empty neighbour and may stick next to the cluster;
    a new walker then enters far away, so that the density there stays.

    sites: flags of an n x n box with a wall around, row by row; walkers: their sites, of which the first `alive`
    count; points: filled from `count` on with the places of the stuck ones, (column, row); down: probability of a step
    down, 1/4 without drift. Returns (count, alive).
    """
    middle = n // 2
    steps = np.array([-n, n, 1, -1])
    position, used = stream[0], 0
    for _ in range(sweeps):
        i = -1
        while i + 1 < alive and count < points.shape[0]:
            i += 1
            u = fraction(random_word(position, used))
            used += 1
            site = np.int64(walkers[i])
            aim = site + steps[int(u >= down) + int(u >= 0.5) + int(u >= 0.75)]
            if sites[aim] & TAKEN == 0:
                sites[site] ^= WALKER
                sites[aim] ^= WALKER
                walkers[i] = aim
                site = aim
            if sites[site] & TOUCHING == 0:
                continue
            if sticking < 1.0:
                used += 1
                if fraction(random_word(position, used)) >= sticking:
                    continue
            stick(site, n, sites)
            points[count, 0], points[count, 1] = site % n, site // n
            count += 1
            found = False
            for _ in range(200):  # a free place far from the cluster; nearly always there is one
                word = random_word(position, used)
                used += 1
                x, y = np.int64(word >> np.uint64(33)) % n, np.int64(word & np.uint64(0x7FFFFFFF)) % n
                if geometry == LINE:
                    y = n - 1 - y // 8
                elif geometry == RING:
                    x, y = middle + (x - middle) // 8, middle + (y - middle) // 8
                elif (x - middle) * (x - middle) + (y - middle) * (y - middle) < middle * middle:
                    continue
                site = y * n + x
                if sites[site] & TAKEN == 0:
                    found = True
                    break
            if found:
                sites[site] |= WALKER
                walkers[i] = site
            else:
                alive -= 1
                walkers[i] = walkers[alive]
    stream[0] = advanced(position, used)
    return count, alive


@kernel
def first_arrivals(points, left, bottom, side, arrival):
    """arrival[row, column]: the number of the first point in that box, -1 if none. Returns how many boxes have one."""
    rows, columns = arrival.shape
    arrival[:] = -1
    filled = 0
    for k in range(points.shape[0]):
        i, j = math.floor((points[k, 1] - bottom) / side), math.floor((points[k, 0] - left) / side)
        if 0 <= i < rows and 0 <= j < columns and arrival[i, j] < 0:
            arrival[i, j] = k
            filled += 1
    return filled


class OffLattice:
    """One walker at a time, off the lattice; the grid that finds empty circles is enlarged as the cluster grows."""

    def __init__(self, model: Any, rng: np.random.Generator) -> None:
        self.model = model
        self.stream = new_stream(rng)
        self.geometry = GEOMETRIES.index(model.geometry)
        radius = model.expected_radius()
        self.period = 0.0
        self.radius = 1.2 * radius + 8  # of the ring
        if self.geometry == POINT:
            seeds = np.zeros((1, 2))
            self.half = 64.0
            self.reach = CAPTURE
        elif self.geometry == LINE:
            self.period = CELL * 2 ** max(3, round(math.log2(2 * radius / CELL)))
            seeds = np.stack([np.arange(self.period), np.zeros(int(self.period))], axis=1)
            self.half = self.period / 2  # of the height
            self.reach = CAPTURE
        else:
            angle = 2 * math.pi * np.arange(int(2 * math.pi * self.radius)) / int(2 * math.pi * self.radius)
            seeds = self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
            self.half = CELL * math.ceil(self.radius / CELL + 2)
            self.reach = -self.radius
        self.count = self.seeds = len(seeds)
        self.points = np.empty((self.seeds + model.size, 2))
        self.points[: self.seeds] = seeds
        self.following = np.empty(len(self.points), np.int32)
        self.lay_grid()

    def lay_grid(self) -> None:
        columns = [int((self.period or 2 * self.half) / CELL)]
        rows = [int(2 * self.half / CELL)]
        while min(columns[-1], rows[-1]) > 4:
            columns.append(-(-columns[-1] // 2**WIDER))
            rows.append(-(-rows[-1] // 2**WIDER))
        self.columns, self.rows = np.array(columns), np.array(rows)
        self.offsets = np.concatenate([[0], np.cumsum(self.columns * self.rows)])
        self.clear = np.full(self.offsets[-1], FAR)
        self.head = np.full(columns[0] * rows[0], -1, np.int32)
        self.left = 0.0 if self.geometry == LINE else -self.half
        self.bottom = -2 * CELL if self.geometry == LINE else -self.half
        insert_all(
            self.count, self.points, self.head, self.following, self.clear, self.offsets,
            self.columns, self.rows, self.left, self.bottom, self.geometry == LINE,
        )  # fmt: skip

    def advance(self, particles: float) -> None:
        target = min(self.count + round(particles), len(self.points))
        while self.count < target and not self.full:
            m = self.model
            self.count, self.reach = grow(
                self.points, self.count, target, self.head, self.following, self.clear, self.offsets,
                self.columns, self.rows, self.left, self.bottom, self.geometry, self.period, self.reach,
                self.limit(), m.sticking, m.drift if self.geometry == LINE else 0.0, self.stream,
            )  # fmt: skip
            if self.reach >= self.limit() and self.geometry != RING:
                self.half *= 2
                self.lay_grid()

    def limit(self) -> float:
        """Reach at which the grid is too small; for the ring, at which the cluster has met in the middle."""
        if self.geometry == RING:
            return -CAPTURE - 1
        return self.half - 8 if self.geometry == POINT else self.bottom + 2 * self.half - 8

    @property
    def full(self) -> bool:
        return self.geometry == RING and self.reach >= self.limit()

    def window(self) -> tuple[float, float, float, float]:
        if self.geometry == LINE:
            return 0.0, self.period, 0.0, max(self.period / 2, self.reach)
        half = self.radius if self.geometry == RING else ladder(self.reach)
        return -half, half, -half, half


class LatticeGas:
    """Walkers of a given density on a square lattice in a box, all at once."""

    def __init__(self, model: Any, rng: np.random.Generator) -> None:
        self.model = model
        self.stream = new_stream(rng)
        self.geometry = GEOMETRIES.index(model.geometry)
        self.side = n = 2 * math.ceil(1.3 * model.expected_radius()) + 24
        y, x = np.mgrid[:n, :n]
        inside = (x > 0) & (x < n - 1) & (y > 0) & (y < n - 1)
        distance = np.hypot(x - n // 2, y - n // 2)
        self.radius = 0.47 * n  # of the ring
        if self.geometry == POINT:
            cluster = distance == 0
        elif self.geometry == LINE:
            cluster = inside & (y == 1)
        else:
            cluster = np.abs(distance - self.radius) <= 0.8
            inside &= distance < self.radius
        self.sites = np.where(inside, 0, WALL).astype(np.uint8).ravel()
        for site in np.flatnonzero(cluster):
            stick(site, n, self.sites)
        places = np.flatnonzero(self.sites & TAKEN == 0)
        chosen = rng.permutation(places)[: round(model.walker_density * len(places))]
        self.sites[chosen] |= WALKER
        self.walkers = chosen.astype(np.int32)
        self.alive = len(chosen)
        seeds = np.argwhere(cluster)[:, ::-1]
        self.count = self.seeds = len(seeds)
        self.points = np.empty((self.seeds + model.size, 2))
        self.origin = np.array([n // 2, 1 if self.geometry == LINE else n // 2])
        self.points[: self.seeds] = seeds - self.origin

    def advance(self, sweeps: float) -> None:
        m = self.model
        before = self.count
        self.count, self.alive = grow_among_walkers(
            self.sites, self.side, self.walkers, self.alive, self.points, self.count, self.geometry, m.sticking,
            0.25 * (1 + math.tanh(m.drift)), max(1, round(sweeps)), self.stream,
        )  # fmt: skip
        self.points[before : self.count] -= self.origin

    @property
    def full(self) -> bool:
        if self.alive == 0:
            return True
        n, sites = self.side, self.sites.reshape(self.side, -1)
        if self.geometry == RING:
            zone = [sites[n // 2 - 2 : n // 2 + 3, n // 2 - 2 : n // 2 + 3].ravel()]
        elif self.geometry == LINE:
            zone = [sites[-n // 8 - 1]]
        else:
            zone = [sites[2], sites[-3], sites[:, 2], sites[:, -3]]
        return any(bool((line & STUCK).any()) for line in zone)

    def window(self) -> tuple[float, float, float, float]:
        half = self.side / 2
        return (-half, half, 0.0, 2 * half) if self.geometry == LINE else (-half, half, -half, half)


def ladder(length: float) -> float:
    """The next rung above a length, so that the frame of a growing picture changes rarely."""
    return float(8 * 1.25 ** math.ceil(math.log(max(length, 8) / 8, 1.25)))


class DiffusionLimitedAggregationSimulation(Simulation):
    """A growing cluster. One walker at a time: a unit of time is a particle. Many at once: a sweep of the walkers."""

    time_unit = "particles"
    quantum, relaxation, window = 1.0, 0.0, 0.0

    def prepare(self) -> None:
        engine = OffLattice if self.model.walker_density == 0 else LatticeGas
        self.step = float(min(max(100, self.model.size // FRAMES), MOST_AT_ONCE))
        if engine is LatticeGas:
            self.time_unit, self.step = "sweeps", 20.0  # type: ignore[misc]  # of this run, not of all
        self.engine: OffLattice | LatticeGas = engine(self.model, self.rng)
        self.measured_at, self.dimensions = -1, dict[str, float]()
        self.squares, self.summed = 0.0, self.engine.seeds
        self.box = SPACING

    def retune(self) -> None:
        self.engine.model = self.model

    def evolve(self, duration: float) -> float | None:
        before = self.engine.count
        self.engine.advance(duration)
        return None if isinstance(self.engine, LatticeGas) else float(self.engine.count - before)

    @property
    def finished(self) -> bool:
        return self.engine.count == len(self.engine.points) or self.engine.full

    def cluster(self) -> Array:
        """Positions of the particles in the order of their arrival, without the seeds, shape (n, 2)."""
        return self.engine.points[self.engine.seeds : self.engine.count]

    def scale(self) -> float:
        """Size of the cluster: radius of an even disc with its radius of gyration, height, or radius of the ring."""
        points = self.cluster()
        if not len(points):
            return 1.0
        if self.model.geometry == "point":
            return max(1.0, math.sqrt(2 * self._squared_distances() / len(points)))
        if self.model.geometry == "line":
            return max(1.0, float(points[:, 1].max()))
        return self.engine.radius

    def observe(self) -> dict[str, float]:
        points, squares = self.cluster(), self._squared_distances()
        due = self.measured_at < 0 or len(points) > 1.15 * self.measured_at
        dimensions = self._dimensions() if due else self.dimensions
        if not self.between_points:
            self.squares, self.summed = squares, self.engine.count
            self.dimensions, self.measured_at = dimensions, len(points) if due else self.measured_at
        observed = dimensions | {"size": float(len(points))}
        if self.model.geometry == "point":
            observed["radius_of_gyration"] = math.sqrt(squares / max(len(points), 1))
        return observed

    def _squared_distances(self) -> float:
        """Sum over the particles of their squared distances from the middle."""
        return self.squares + float(np.sum(self.engine.points[self.summed : self.engine.count] ** 2))

    def measure(self, cancelled: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """The finished cluster: one sample of an ensemble. Raises CancelledError if `cancelled()`."""
        while not self.finished:
            self._advance_unless(cancelled, 50 * self.step)
        self.measured_at = -1
        return self.observe()

    def renyi_dimensions(self, orders: Array) -> Array:
        """D_q of the mass of the cluster, from boxes between a 32nd and a quarter of its size; shape of `orders`."""
        points, scale = self.cluster(), self.scale()
        finest = max(scale / 32, min(8.0, scale / 8))
        return renyi_dimensions(points, orders, finest, max(2, 1 + round(math.log2(scale / 4 / finest))))

    def _dimensions(self) -> dict[str, float]:
        """What is expensive to measure; unknown while there are too few particles."""
        points, scale = self.cluster(), self.scale()
        if len(points) < 30:
            return dict.fromkeys(("fractal_dimension", "information_dimension", "lacunarity"), math.nan)
        geometry = self.model.geometry
        distance = points[:, 1] if geometry == "line" else np.hypot(points[:, 0], points[:, 1])
        if geometry == "ring":
            distance = scale - distance
        dimension = growth_dimension(distance, geometry == "point")
        window = (-scale, scale, -scale, scale)
        if geometry == "line":
            window = (*self.engine.window()[:2], 0.0, scale)
        return {
            "fractal_dimension": dimension,
            "information_dimension": float(self.renyi_dimensions(np.ones(1))[0]),
            "lacunarity": lacunarity(points, scale / 8, window),
        }

    def picture(self) -> Particles:
        """The cluster in at most a few thousand dots: boxes that hold a particle, coloured by the first arrival."""
        left, right, bottom, top = self.engine.window()
        points = self.engine.points[: self.engine.count]
        caption = f"{len(points) - self.engine.seeds} particles, coloured by their arrival"
        if len(points) <= DOTS and right - left <= ACROSS * SPACING:
            return Particles(
                points[:, 0], points[:, 1], (left, right, bottom, top), np.arange(len(points)), SPACING / 2, caption
            )
        self.box = max(self.box, (right - left) / ACROSS)
        while True:
            shape = math.ceil((top - bottom) / self.box), math.ceil((right - left) / self.box)
            arrival = np.empty(shape, np.int64)
            if first_arrivals(points, left, bottom, self.box, arrival) <= DOTS:
                break
            self.box *= 1.19
        rows, columns = np.nonzero(arrival >= 0)
        x, y = left + (columns + 0.5) * self.box, bottom + (rows + 0.5) * self.box
        caption += f"; a dot stands for {self.box:.3g} diameters"
        return Particles(x, y, (left, right, bottom, top), arrival[rows, columns], 0.55 * self.box, caption)


def growth_dimension(lengths: Array, around_a_point: bool) -> float:
    """Exponent D from the growth of the first n particles, n between a few percent of them and all.

    lengths: distance of every particle from the point (n ~ R^D with R their root mean square), or from the line or ring
    it grew from (n ~ R^(D-1)), in the order of arrival. NaN as long as that is a layer too thin to have an exponent.
    """
    first = (0.03 if around_a_point else 0.1) * len(lengths)
    n = np.unique(np.geomspace(max(10, first), len(lengths), 25).astype(int))
    squares = np.cumsum(lengths**2)
    if not around_a_point and squares[n[0] - 1] < THICK**2 * n[0]:
        return math.nan
    slope = max(float(np.polyfit(np.log(n), 0.5 * np.log(squares[n - 1] / n), 1)[0]), 1e-2)
    return 1 / slope + (0 if around_a_point else 1)


@kernel
def mass_profile(dimension, core, blob, floor, particles, out):
    """Radius, local exponent, screening length of a cluster of `particles` with the density profile of eq. (3).

    dimension: D_0; core: density within the length `blob`; floor: density below which walkers inside take over. Arrays
    of shape (n,); out: shape (3, n).
    """
    for i in range(dimension.size):
        d, c, b, low, n = dimension[i], core[i], blob[i], floor[i], particles[i]
        gap = 2.0 - d
        if low >= c:
            screening = 0.0
        elif low > 0.0:
            screening = b * (c / low) ** (1.0 / gap)
        else:
            screening = math.inf
        inner = math.pi * c * b * b
        factor = 2.0 * math.pi * c * b**gap / d
        if low >= c:
            radius, density = math.sqrt(n / (math.pi * low)), low
        elif n <= inner:
            radius, density = math.sqrt(n / (math.pi * c)), c
        else:
            radius = ((n - inner) / factor + b**d) ** (1.0 / d)
            density = c * (b / radius) ** gap
            if radius > screening:
                rest = n - inner - factor * (screening**d - b**d)
                radius = math.sqrt(screening * screening + rest / (math.pi * low))
                density = low
        out[0, i], out[1, i], out[2, i] = radius, 2.0 * math.pi * radius * radius * density / n, screening


def mean_dimension(seeds: Iterable[int]) -> float:
    """Mean D of the default clusters with these seeds."""
    runs = [DiffusionLimitedAggregation().simulate(seed=seed) for seed in seeds]
    return float(np.mean([run.measure()["fractal_dimension"] for run in runs]))


@dataclass(frozen=True)
class DiffusionLimitedAggregation(Model):
    walker_density: float = control(
        0.0, 0.0, 0.6, symbol="n_0", role="load", step=0.01, quenched=True,
        doc="walkers per site of a square lattice; 0: one at a time, off the lattice",
    )  # fmt: skip
    sticking: float = control(
        1.0, 0.01, 1.0, symbol="s", role="temperature", scale="log", step=0.01, doc="probability to stick at a contact"
    )
    drift: float = control(
        0.0, 0.0, 1.0, symbol=r"\lambda", unit="1/diameter", role="field", step=0.01,
        doc="drift velocity of the walkers over twice their diffusion constant, downwards (line, or many walkers)",
    )  # fmt: skip
    size: int = control(
        20_000,
        50,
        10_000_000,
        symbol="N",
        unit="particles",
        role="size",
        scale="log",
        doc="how large the cluster grows",
    )
    geometry: str = choice("point", GEOMETRIES, doc="growth out of a point, up from a line, or into a ring")

    version = 2
    title = "Diffusion-limited aggregation"
    summary = "Random walkers stick where they touch: a branched fractal when dilute, a compact cluster when dense."
    sources = (
        Source("T. A. Witten, L. M. Sander, Phys. Rev. Lett. 47, 1400 (1981)", doi="10.1103/PhysRevLett.47.1400"),
        Source("M. Muthukumar, Phys. Rev. Lett. 50, 839 (1983)", doi="10.1103/PhysRevLett.50.839"),
        Source("Numba-accelerated 2D diffusion-limited aggregation: implementation and fractal characterization"),
    )
    observables = (
        Observable("fractal_dimension", "D", "exponent of mass against radius at this size", low=1.5, high=2.1),
        Observable("information_dimension", "D_1", "Renyi dimension of order 1 of the mass", low=1.4, high=2),
        Observable("renyi_dimensions", "D_q", "generalised dimensions of the mass", low=1.4, high=2, over="order"),
        Observable(
            "lacunarity", r"\Lambda", "unevenness of the mass in boxes of an eighth of the size, eq. (4)", low=1
        ),
        Observable("radius_of_gyration", "R_g", "root mean square distance from the centre", unit="diameters", low=0),
        Observable(
            "inverse_screening_length",
            r"1/\xi",
            "inverse of the size up to which the cluster is fractal",
            unit="1/diameter",
            low=0,
            high=1,
        ),
    )
    methods = (
        Method("numerical", "D_0 = 1.71, from the largest off-lattice clusters"),
        Method("mean_field", "D_0 = 5/3 from eq. (1)"),
    )
    phases = (
        Phase("dilute", "A branched fractal: its arms screen the gaps between them from newcomers."),
        Phase("compact", "Walkers are everywhere between the arms (or come straight down) and fill them."),
        Phase("reaction_limited", "Walkers bounce so often that they reach every gap: a compact core."),
    )
    landmarks = (
        Landmark("screening", r"R=\xi", "the cluster has reached the screening length", continuous=False),
        Landmark("core", r"R=\xi_s", "the cluster outgrows its compact core", continuous=False),
    )
    planes = (
        Plane("walker_density", "size", "fractal_dimension", y_range=(100, 1_000_000)),
        Plane("sticking", "size", "fractal_dimension", y_range=(100, 1_000_000)),
    )
    presets = (
        Preset("dilute", {}, "Arms grow at their tips; the fjords stay empty however long you wait."),
        Preset(
            "large", {"size": 1_000_000},
            "A million particles in half a minute: D settles near 1.71, and the arms look alike at every scale.",
            (Promise("fractal_dimension", 1.71, 0.005, method="numerical"),),
        ),
        Preset("dense", {"walker_density": 0.3}, "Walkers wait between the arms and fill them: D_1 comes to 1.87."),
        Preset(
            "crossover", {"walker_density": 0.15},
            "Fractal at first, compact later: on the way any effective dimension between 1.71 and 2 can be measured.",
        ),
        Preset("sticky", {"sticking": 0.03}, "Walkers that bounce fill the core; only beyond it the arms appear."),
        Preset(
            "frost", {"geometry": "line", "size": 30_000}, "Trees compete for walkers: few reach high up."
        ),
        Preset(
            "rain", {"geometry": "line", "drift": 0.3, "size": 30_000},
            "Walkers that fall cannot be screened from the side: dense columns instead of trees.",
        ),
    )  # fmt: skip
    references = (
        Reference(
            "mean-field dimension", 5 / 3, 1e-12, "Muthukumar 1983: $(d^2+1)/(d+1)$",
            lambda: mean_field_dimension(walk=2.0),
        ),
        Reference(
            "dimension of three clusters of 20000", 1.71, 0.05, "Witten and Sander 1981 and later: 1.71(1)",
            lambda: mean_dimension(range(3)),
        ),
        Reference(
            "effective dimension of a dense cluster", 1.87, 0.04, "Numba-accelerated 2D DLA: about 1.87 when dense",
            lambda: DiffusionLimitedAggregation.preset("dense").simulate(seed=1).measure()["information_dimension"],
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "A cluster of walkers that come one by one grows to twice its radius. By which exponent does its number of "
            "particles grow with the radius?",
            {}, "fractal_dimension",
            lambda model: float(model.theory(method="numerical")["fractal_dimension"]), 0.1,
            "By 1.71, far below 2: the fjords are screened. Mean-field theory gives 5/3.",
        ),
    )  # fmt: skip
    simulation = DiffusionLimitedAggregationSimulation

    def solve(self, points: Points) -> Solution:
        n = points["size"].astype(np.float64)
        gas = points["walker_density"] > 0
        drifting = points["drift"] if self.geometry == "line" else np.where(gas, points["drift"], 0.0)
        found = np.empty((3, 2, n.size))
        core, size, power = (np.where(gas, on, off) for on, off in zip(ON_LATTICE, OFF_LATTICE, strict=True))
        blob = size * points["sticking"] ** -power
        for k, dimension in enumerate((MEASURED_DIMENSION, mean_field_dimension(walk=2.0))):
            d = np.full(n.size, dimension)
            straight = core * np.minimum(1.0, blob * drifting) ** (2 - d)  # density at the length 1/drift
            floor = np.maximum(points["walker_density"], np.where(drifting > 0, straight, 0.0))
            mass_profile(d, core, blob, floor, n, found[:, k])
        radius, slope, screening = found
        gyration = radius * np.sqrt(slope / (slope + 2))
        values = {
            "fractal_dimension": slope,
            "information_dimension": slope,
            "lacunarity": 4 / math.pi * (8 * UNEVEN) ** (2 - slope),
            "radius_of_gyration": gyration,
            "inverse_screening_length": 1 / np.maximum(screening, SPACING),
        }
        extra = {"radius": radius.T, "blob": np.stack([blob, blob], axis=1)}
        return Solution({k: v.T for k, v in values.items()}, np.zeros((n.size, 2)), extra=extra)

    def classify(self, points: Points, solution: Solution, equilibrium: Array) -> Array:
        radius, inverse = solution.extra["radius"], solution.values["inverse_screening_length"]
        return np.where(radius * inverse > 1, 1, np.where(radius < solution.extra["blob"] * (1 - 1e-12), 2, 0))

    def expected_radius(self) -> float:
        """Radius of the cluster of this size, in diameters, after eq. (3)."""
        theory = self.theory(method="numerical")
        dimension = float(theory["fractal_dimension"])
        return float(theory["radius_of_gyration"]) * math.sqrt((dimension + 2) / dimension)

    def _prefactors(self) -> tuple[float, float, float]:
        """(density of the core, size of the core, 2 - D_0) of eq. (3) with the numerical dimension."""
        core, size, power = ON_LATTICE if self.walker_density > 0 else OFF_LATTICE
        return core, size * self.sticking**-power, 2 - MEASURED_DIMENSION

    def _straightened(self) -> float:
        """Density that a drift leaves in the cluster, eq. (3); 0 without one."""
        if self.drift == 0 or (self.geometry != "line" and self.walker_density == 0):
            return 0.0
        core, blob, gap = self._prefactors()
        return core * min(1.0, blob * self.drift) ** gap

    def landmark(self, name: str, along: str) -> Array:
        core, blob, gap = self._prefactors()
        found: list[float] = []
        if name == "core" and along == "size":
            found = [math.pi * core * blob**2] if self._straightened() < core else []
        elif name == "core" and along == "sticking":
            _, size, power = ON_LATTICE if self.walker_density > 0 else OFF_LATTICE
            value = (size * math.sqrt(math.pi * core / self.size)) ** (1 / power)
            within = self.control("sticking").within([value])
            found = [x for x in within if self.replace(sticking=x)._straightened() < core]
        elif name == "screening" and along in ("size", "walker_density"):
            gas = self if along == "size" else self.replace(walker_density=0.1)
            core, blob, gap = gas._prefactors()
            inner, factor = math.pi * core * blob**2, 2 * math.pi * core * blob**gap / (2 - gap)
            if along == "size" and 0 < (low := max(self.walker_density, self._straightened())) < core:
                length = blob * (core / low) ** (1 / gap)
                found = [inner + factor * (length ** (2 - gap) - blob ** (2 - gap))]
            elif along == "walker_density" and self.size > inner:
                radius = ((self.size - inner) / factor + blob ** (2 - gap)) ** (1 / (2 - gap))
                density = core * (blob / radius) ** gap
                found = [density] if density > gas._straightened() else []
        else:
            raise NotOfferedError(self.title, f"{name} along {along}")
        return self.control(along).within(found)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        along = {"screening": "walker_density", "core": "sticking"}[name]
        if {x, y} != {along, "size"}:
            raise NotOfferedError(self.title, f"{name} in the plane ({x}, {y})")
        model = self.replace(walker_density=0.1) if name == "screening" else self
        curve: dict[str, list[float]] = {"size": [], along: []}
        for size in np.geomspace(*self.control("size").bounds, 129):
            for value in model.replace(size=round(size)).landmark(name, along):
                curve["size"].append(round(size))
                curve[along].append(float(value))
        return np.array(curve[x]), np.array(curve[y])

    def profiles(self) -> dict[str, Profile]:
        orders = np.linspace(0, 5, 11)
        slope = self.solve(columns(self, {})).values["fractal_dimension"][0]
        return {"renyi_dimensions": Profile(orders, np.repeat(slope[:, None], len(orders), axis=1))}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Radius of gyration while particles come one by one to a point, after eq. (3)."""
        if self.walker_density > 0 or self.geometry != "point":
            raise NotOfferedError(self.title, "a predicted path but for one walker at a time around a point")
        particles = np.maximum(start["size"] + times, 1.0)
        d = np.full(times.size, MEASURED_DIMENSION)
        found = np.empty((3, times.size))
        core, blob, _ = self._prefactors()
        mass_profile(d, np.full(d.size, core), np.full(d.size, blob), np.zeros(d.size), particles, found)
        return {"radius_of_gyration": found[0] * np.sqrt(found[1] / (found[1] + 2))}

    def caveat(self) -> str:
        return "crossovers are far smoother than eq. (3), and what is measured is an effective exponent"

    def footprint(self) -> int:
        radius = 1.5 * self.expected_radius()
        if self.walker_density > 0:
            return int((2 * radius) ** 2 * (4 + 8 * self.walker_density)) + 16 * self.size
        return int(6 * (2 * radius) ** 2) + 20 * self.size
