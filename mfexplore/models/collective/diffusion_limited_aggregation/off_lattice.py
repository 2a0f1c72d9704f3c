"""Walkers that come one at a time, off the lattice, and the grid that knows how far away the nearest particle is."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.kernel import inline_kernel, kernel

GEOMETRIES = ("point", "line", "ring")
POINT, LINE, RING = range(3)
CELL = 4.0  # side of the smallest cell of the grid; a power of two
WIDER = 2  # doublings of the cells' side from one level of the grid to the next
REACH = 4  # cells: from the middle of every cell, the distance to the nearest particle is kept up to here, in ...
PARTS = 16.0  # ... parts of the cell's side
FINER = 1.25 * PARTS  # below this the next lower level knows more
FAR, OCCUPIED = np.uint8(REACH * PARTS), np.uint8(0)
SHORT = 1.5  # a step that is not worth asking the particles themselves
CAPTURE = 3.0  # a walker this near is caught ...
SPACING = 1.0  # ... and pulled to this distance, the diameter of a particle


@inline_kernel
def wrapped(x, period):
    """A place on a line that closes on itself, in [0, period)."""
    x -= period * math.floor(x / period)
    return x if x < period else 0.0


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
        z = math.cos(math.pi * uniform(position, used))
        u = uniform(position, used + 1)
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
    u = uniform(position, used)
    radius = math.sqrt(-2.0 * math.log(1.0 - u))
    angle = 2.0 * math.pi * uniform(position, used + 1)
    y = (radius * math.cos(angle)) ** 2
    x = mean + mean * mean * y / (2.0 * shape)
    x -= mean / (2.0 * shape) * math.sqrt(4.0 * mean * shape * y + mean * mean * y * y)
    time = x if uniform(position, used + 2) * (mean + x) <= mean else mean * mean / x
    return math.sqrt(time) * radius * math.sin(angle), used + 3


class Grid(NamedTuple):
    """Where particles are, in cells of several levels from the corner (left, bottom); from side to side if there is a
    period.

    head, following: the particles of every smallest cell as a chain. clear: for every cell of every level, beginning at
    `offsets`, a distance from its middle within which no particle is, in parts of its side, rounded down, at most FAR;
    OCCUPIED if a particle is in the cell itself. On the lowest level it is the distance to the nearest particle, on the
    others that to the nearest occupied cell of the level below.
    """

    head: Array
    following: Array
    clear: Array
    offsets: Array
    columns: Array
    rows: Array
    left: float
    bottom: float
    period: float


class Rules(NamedTuple):
    """How a cluster grows: the geometry, the probability to stick, the drift."""

    geometry: int
    sticking: float
    drift: float


@kernel
def insert(first, last, points, grid):
    """Put the particles from number `first` to before `last` into the grid, one after another."""
    head, following, clear, offsets, columns, rows, left, bottom, period = grid
    for k in range(first, last):
        x, y = (points[k, 0] - left) / CELL, (points[k, 1] - bottom) / CELL
        cell = int(y) * columns[0] + int(x)
        following[k] = head[cell]
        head[cell] = k
        half = 0.0  # width of what is entered
        for level in range(columns.size):
            wide, offset = columns[level], offsets[level]
            ix, iy = int(x), int(y)
            cell = offset + iy * wide + ix
            again = clear[cell] == OCCUPIED
            for v in range(max(iy - REACH, 0), min(iy + REACH + 1, rows[level])):
                dy = np.float32(max(abs(v + 0.5 - y) - half, 0.0))
                for u in range(ix - REACH, ix + REACH + 1):
                    if period > 0.0 or 0 <= u < wide:
                        dx = np.float32(max(abs(u + 0.5 - x) - half, 0.0))
                        distance = min(np.float32(PARTS) * np.float32(math.sqrt(dx * dx + dy * dy)), np.float32(FAR))
                        there = offset + v * wide + u % wide
                        clear[there] = min(clear[there], np.uint8(np.int32(distance)))
            clear[cell] = OCCUPIED
            if again:
                break  # the wider cells know of it, too
            half = 0.5 / (1 << WIDER)
            x, y = (ix + 0.5) / (1 << WIDER), (iy + 0.5) / (1 << WIDER)


@inline_kernel
def clearance(level, ix, iy, grid):
    """What the cell of a level in which the smallest cell (ix, iy) is knows."""
    cell = grid.offsets[level] + (iy >> (WIDER * level)) * grid.columns[level] + (ix >> (WIDER * level))
    return grid.clear[cell]


@kernel
def nearest_particle(px, py, points, grid):
    """The nearest particle in the smallest cell at (px, py) and the eight around it, (its number, squared distance)."""
    wide = grid.columns[0]
    ix, iy = int((px - grid.left) / CELL), int((py - grid.bottom) / CELL)
    nearest, square = -1, 1e300
    for cy in range(max(iy - 1, 0), min(iy + 2, grid.rows[0])):
        for cx in range(ix - 1, ix + 2):
            k = grid.head[cy * wide + (cx % wide if grid.period > 0.0 else cx)]
            while k >= 0:
                ex, ey = points[k, 0] - px, points[k, 1] - py
                if grid.period > 0.0:
                    ex -= grid.period * round(ex / grid.period)
                e = ex * ex + ey * ey
                if e < square:
                    nearest, square = k, e
                k = grid.following[k]
    return nearest, square


@kernel
def grow(points, count, target, grid, rules, reach, limit, stream):
    """Walkers come one by one until `target` particles are in `points`, or the cluster reaches `limit`.

    A walker jumps to a random point of the largest circle around it that is known to be empty: from the distance kept
    for its cell, from wider cells where that knows of nothing, from the particles themselves where it may be less than
    SHORT. Far outside it is brought back exactly.

    reach: radius (point) or height (line) from which walkers start, beyond all particles; for the ring, minus the
    distance of the innermost particle from the centre. Returns (count, reach).
    """
    geometry, sticking, drift = rules
    period = grid.period
    position, used = stream[0], 0
    while count < target and reach < limit:
        u = uniform(position, used)
        used += 1
        level = 0
        px = py = 0.0
        if geometry == POINT:
            angle = 2.0 * math.pi * u
            px, py = reach * math.cos(angle), reach * math.sin(angle)
        elif geometry == LINE:
            px, py = period * u, reach
        far = (reach + 2.0) * (reach + 2.0) if geometry == POINT else math.inf
        while True:
            if px * px + py * py > far:
                r = math.sqrt(px * px + py * py)
                cosine, sine = return_turn(r, reach, uniform(position, used))
                used += 1
                px, py = reach / r * (px * cosine - py * sine), reach / r * (px * sine + py * cosine)
            elif geometry == LINE:
                if py > reach + 2.0:
                    if drift > 0.0:
                        shift, used = drifting_return(py - reach, drift, position, used)
                        px += shift
                    else:
                        px += (py - reach) * math.tan(math.pi * (uniform(position, used) - 0.5))
                        used += 1
                    py = reach
                px = wrapped(px, period)
            sx, sy = px - grid.left, py - grid.bottom
            ix, iy = int(sx / CELL), int(sy / CELL)
            known = clearance(level, ix, iy, grid)
            while known == FAR and level + 1 < grid.columns.size:
                level += 1
                known = clearance(level, ix, iy, grid)
            while level > 0 and known < FINER:
                level -= 1
                known = clearance(level, ix, iy, grid)
            side = CELL * (1 << (WIDER * level))
            fx, fy = sx - side * ((ix >> (WIDER * level)) + 0.5), sy - side * ((iy >> (WIDER * level)) + 0.5)
            free = side / PARTS * known - math.sqrt(fx * fx + fy * fy) - CAPTURE
            if free < SHORT:
                nearest, square = nearest_particle(px, py, points, grid)
                distance = math.sqrt(square)
                if distance < CAPTURE:
                    sticks = sticking >= 1.0 or uniform(position, used) < sticking
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
                px += free * (-sine if uniform(position, used) < 0.5 else sine)
                py -= free * cosine
                used += 1
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
        points[count, 0], points[count, 1] = wrapped(px, period) if geometry == LINE else px, py
        insert(count, count + 1, points, grid)
        count += 1
        if geometry == LINE:
            reach = max(reach, py + CAPTURE)
        else:
            r = math.sqrt(px * px + py * py)
            reach = max(reach, r + CAPTURE if geometry == POINT else -r)
    stream[0] = advanced(position, used)
    return count, reach


class OffLattice:
    """One walker at a time, off the lattice; the grid that finds empty circles is enlarged as the cluster grows."""

    def __init__(self, model: Any, rng: np.random.Generator) -> None:
        self.model = model
        self.stream = new_stream(rng)
        self.geometry = GEOMETRIES.index(model.geometry)
        radius = model.expected_radius()
        self.radius = 1.2 * radius + 8  # of the ring
        self.period, self.half, self.reach = 0.0, 64.0, CAPTURE  # half: of the height of the grid
        seeds = np.zeros((1, 2))
        if self.geometry == LINE:
            self.period = CELL * 2 ** max(3, round(math.log2(2 * radius / CELL)))
            self.half = self.period / 2
            seeds = np.stack([np.arange(self.period), np.zeros(int(self.period))], axis=1)
        elif self.geometry == RING:
            self.half, self.reach = CELL * math.ceil(self.radius / CELL + 2), -self.radius
            angle = 2 * math.pi * np.arange(int(2 * math.pi * self.radius)) / int(2 * math.pi * self.radius)
            seeds = self.radius * np.stack([np.cos(angle), np.sin(angle)], axis=1)
        self.count = self.seeds = len(seeds)
        self.points = np.concatenate([seeds, np.empty((model.size, 2))])
        self.lay_grid()

    def lay_grid(self) -> None:
        columns = [int((self.period or 2 * self.half) / CELL)]
        rows = [int(2 * self.half / CELL)]
        while min(columns[-1], rows[-1]) > 4:
            columns.append(-(-columns[-1] // 2**WIDER))
            rows.append(-(-rows[-1] // 2**WIDER))
        offsets = np.concatenate([[0], np.cumsum(np.multiply(columns, rows))])
        line = self.geometry == LINE
        self.grid = Grid(
            np.full(columns[0] * rows[0], -1, np.int32), np.empty(len(self.points), np.int32),
            np.full(offsets[-1], FAR), offsets, np.array(columns), np.array(rows),
            0.0 if line else -self.half, -2 * CELL if line else -self.half, self.period,
        )  # fmt: skip
        insert(0, self.count, self.points, self.grid)

    def advance(self, particles: float) -> None:
        target = min(self.count + round(particles), len(self.points))
        while self.count < target and not self.full:
            m = self.model
            rules = Rules(self.geometry, m.sticking, m.drift if self.geometry == LINE else 0.0)
            self.count, self.reach = grow(
                self.points, self.count, target, self.grid, rules, self.reach, self.limit(), self.stream
            )
            if self.reach >= self.limit() and self.geometry != RING:
                self.half *= 2
                self.lay_grid()

    def limit(self) -> float:
        """Reach at which the grid is too small; for the ring, at which the cluster has met in the middle."""
        if self.geometry == RING:
            return -CAPTURE - 1
        return self.half - 8 if self.geometry == POINT else self.grid.bottom + 2 * self.half - 8

    @property
    def full(self) -> bool:
        return self.geometry == RING and self.reach >= self.limit()

    def window(self) -> tuple[float, float, float, float]:
        if self.geometry == LINE:
            return 0.0, self.period, 0.0, max(self.period / 2, self.reach)
        half = self.radius if self.geometry == RING else ladder(self.reach)
        return -half, half, -half, half


def ladder(length: float) -> float:
    """The next rung above a length, so that the frame of a growing picture changes rarely."""
    return float(8 * 1.25 ** math.ceil(math.log(max(length, 8) / 8, 1.25)))
