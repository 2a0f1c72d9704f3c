"""Cluster updates of the square lattice at T_c, per turned spin (Wolff) and per site (Swendsen-Wang): C and peapods.

peapods always makes Metropolis sweeps between cluster updates; its cost is the difference of runs with and without. How
many spins its Wolff clusters turn it does not tell: their mean size is taken to be that of ours, in equilibrium.
"""

from __future__ import annotations

import math
import time

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import OURS, Missing, Report, Timed, available, c_function, peer, seeds
from mfexplore.families.lattice_spins.clusters import all_clusters, joining, single_clusters
from mfexplore.families.lattice_spins.metropolis import sums
from mfexplore.families.lattice_spins.planar import torus
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.space.lattices import neighbourhood

SIDE, SMALL = 1024, 32
CRITICAL = 2 / math.log(1 + math.sqrt(2))
JOINING = -math.expm1(-2 / CRITICAL)
JOINS_BELOW = joining(np.full(4, JOINING))
UPDATES = 30


class Sides:
    """Our and C's cluster updates on a lattice of one size."""

    def __init__(self, side: int, rng: np.random.Generator) -> None:
        self.side, self.sites = side, side * side
        self.place = neighbourhood("square", side)
        self.spins = np.ones(self.sites, np.int8)
        self.c_spins = self.spins.copy()
        self.members = np.zeros(self.sites + 4, np.int32)
        self.forest = np.zeros((2, self.sites), np.int32)
        self.parent = self.forest[0]
        self.stream, self.state = new_stream(rng), seeds(rng, 2)
        self.c_wolff = c_function("ising", "wolff", int)
        self.c_all = c_function("ising", "swendsen_wang")

    def wolff(self, clusters: int) -> int:
        kinds, shifts = self.place.kinds, self.place.shifts
        turned, _ = single_clusters(self.spins, kinds, shifts, JOINS_BELOW, 0.0, clusters, self.members, self.stream)
        return int(turned)

    def swendsen_wang(self, updates: int) -> int:
        kinds, shifts = self.place.kinds, self.place.shifts
        all_clusters(self.spins, kinds, shifts, JOINS_BELOW, 0.0, updates, self.forest, self.stream)
        return updates * self.sites

    def wolff_in_c(self, clusters: int) -> int:
        return int(self.c_wolff(self.c_spins, self.side, clusters, JOINING, self.state, self.members))

    def swendsen_wang_in_c(self, updates: int) -> int:
        self.c_all(self.c_spins, self.side, updates, JOINING, self.state, self.parent)
        return updates * self.sites

    def energy(self, spins: NDArray[np.int8]) -> float:
        return -float(sums(spins, self.place.kinds, self.place.shifts)[1]) / self.sites


def torus_energy(side: int, temperature: float) -> float:
    """Exact energy per site of the periodic square lattice (Kaufman 1949), by a complex step."""
    k, step = 1 / temperature, 1e-20
    return -float(np.imag(torus(side, complex(k, step))) / step)


def mean_energy(small: Sides, spins: NDArray[np.int8], update: object) -> tuple[float, float]:
    """Mean energy at T_c over many updates and its standard error, from 40 bins."""
    bins = []
    for _ in range(40):
        values = []
        for _ in range(50):
            update()  # type: ignore[operator]
            values.append(small.energy(spins))
        bins.append(np.mean(values))
    return float(np.mean(bins[2:])), float(np.std(bins[2:]) / math.sqrt(38))


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    small, large = Sides(SMALL, rng), Sides(SIDE, rng)
    exact = torus_energy(SMALL, CRITICAL)
    here = [
        ("our Wolff", small.spins, lambda: small.wolff(5)),
        ("our Swendsen-Wang", small.spins, lambda: small.swendsen_wang(2)),
    ]
    if not isinstance(small.c_wolff, Missing):
        here += [
            ("C Wolff", small.c_spins, lambda: small.wolff_in_c(5)),
            ("C Swendsen-Wang", small.c_spins, lambda: small.swendsen_wang_in_c(2)),
        ]
    for name, spins, update in here:
        mean, error = mean_energy(small, spins, update)
        report.check(f"{name} at T_c, L = {SMALL}: energy {mean:.4f} +- {error:.4f}, exact {exact:.4f}",
                     abs(mean - exact) < 4 * error)  # fmt: skip
    peapods = peer("peapods")
    if not isinstance(peapods, Missing):
        for mode in ("sw", "wolff"):
            lattice = peapods.Ising((SMALL, SMALL), temperatures=np.array([CRITICAL]))
            lattice.sample(20_000, cluster_update_interval=1, cluster_mode=mode, sequential=True)
            energy = -float(lattice.energies_avg[0])  # its sign is the other one
            report.check(f"peapods ({mode}): energy {energy:.4f}", abs(energy - exact) < 0.004)

    lattices = {}

    def theirs(mode: str, updates: int, turned: float) -> Timed:
        """Cluster updates alone: a run with them minus one without, from an equilibrated lattice."""
        if mode not in lattices:
            lattices[mode] = peapods.Ising((SIDE, SIDE), temperatures=np.array([CRITICAL]))
            lattices[mode].sample(40, cluster_update_interval=1, cluster_mode="sw", sequential=True)
        lattice = lattices[mode]
        start = time.process_time()
        lattice.sample(updates, sequential=True)
        middle = time.process_time()
        lattice.sample(updates, cluster_update_interval=1, cluster_mode=mode, sequential=True)
        end = time.process_time()
        return Timed(updates * turned, max(1e-9, (end - middle) - (middle - start)))

    large.swendsen_wang(150)
    mean = large.wolff(1000) / 1000
    large.c_spins[:] = large.spins
    report.race(
        "Wolff L=1024 at T_c", "turned spins/s", 0,
        {
            OURS: lambda: large.wolff(UPDATES),
            "C": available(large.c_wolff, lambda: large.wolff_in_c(UPDATES)),
            "peapods": available(peapods, lambda: theirs("wolff", 2 * UPDATES, mean)),
        },
        {"C": 1.0, "peapods": 2.0}, rounds=15,
    )  # fmt: skip
    report.race(
        "Swendsen-Wang L=1024 at T_c", "sites/s", 0,
        {
            OURS: lambda: large.swendsen_wang(6),
            "C": available(large.c_all, lambda: large.swendsen_wang_in_c(6)),
            "peapods": available(peapods, lambda: theirs("sw", 8, SIDE * SIDE)),
        },
        {"C": 1.0, "peapods": 2.0}, rounds=7,
    )  # fmt: skip
