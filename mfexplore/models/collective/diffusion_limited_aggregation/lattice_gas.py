"""Walkers of a given density on a square lattice in a box, all at once."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.models.collective.diffusion_limited_aggregation.off_lattice import GEOMETRIES, LINE, POINT, RING
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.kernel import kernel

WALKER, STUCK, WALL, TOUCHING = np.uint8(1), np.uint8(2), np.uint8(4), np.uint8(8)  # flags of a lattice site
TAKEN = np.uint8(7)  # no walker can go there


@kernel
def stick(site, n, sites):
    """Make a site part of the cluster and tell its neighbours."""
    sites[site] = (sites[site] | STUCK) & ~WALKER
    sites[site - n] |= TOUCHING
    sites[site + n] |= TOUCHING
    sites[site - 1] |= TOUCHING
    sites[site + 1] |= TOUCHING


class Gas(NamedTuple):
    """A box and how a cluster grows in it: flags of its side x side sites with a wall around, row by row; the sites of
    the walkers; the geometry, the probability to stick, that of a step down (1/4 without drift).
    """

    sites: Array
    side: int
    walkers: Array
    geometry: int
    sticking: float
    down: float


@kernel
def grow_among_walkers(gas, alive, points, count, sweeps, stream):
    """Lattice gas: in every sweep each walker tries one step to an empty neighbour and may stick next to the cluster;
    a new walker then enters far away, so that the density there stays.

    Of the walkers the first `alive` count; points: filled from `count` on with the places of the stuck ones, (column,
    row). Returns (count, alive).
    """
    sites, n, walkers, geometry, sticking, down = gas
    middle = n // 2
    steps = np.array([-n, n, 1, -1])
    position, used = stream[0], 0
    for _ in range(sweeps):
        i = -1
        while i + 1 < alive and count < points.shape[0]:
            i += 1
            u = uniform(position, used)
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
                if uniform(position, used) >= sticking:
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
        chosen = rng.permutation(places)[: max(1, round(model.walker_density * len(places)))]
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
        down = 0.25 * (1 + math.tanh(m.drift))
        gas = Gas(self.sites, self.side, self.walkers, self.geometry, m.sticking, down)
        self.count, self.alive = grow_among_walkers(
            gas, self.alive, self.points, self.count, max(1, round(sweeps)), self.stream
        )
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
