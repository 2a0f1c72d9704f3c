"""Diffusion-limited aggregation off the lattice: 10^5 and 10^6 particles on one thread.

There is nobody to race: dla-ideal-solver grows another kind of cluster (on a lattice, many walkers at once).
"""

from __future__ import annotations

import time

import numpy as np

from benchmarks.harness import Report
from mfexplore.models.collective.diffusion_limited_aggregation import DiffusionLimitedAggregation

SMALL, LARGE = 100_000, 1_000_000


def grown(size: int, seed: int) -> tuple[float, float, np.ndarray]:
    """(CPU seconds, seconds per particle, positions) of one cluster, grown in pieces as a screen would."""
    run = DiffusionLimitedAggregation(size=size).simulate(seed=seed)
    start = time.process_time()
    while not run.finished:
        run.evolve(size / 10)
    seconds = time.process_time() - start
    return seconds, seconds / size, run.cluster()


def race(report: Report) -> None:
    grown(2000, 0)
    per_small = min(grown(SMALL, seed)[1] for seed in (1, 2, 3))
    seconds, per_large, points = grown(LARGE, 3)
    radii = np.hypot(points[:, 0], points[:, 1])
    n = np.geomspace(LARGE // 100, LARGE, 20).astype(int)
    gyration = np.sqrt(np.cumsum(radii**2)[n - 1] / n)
    dimension = 1 / np.polyfit(np.log(n), np.log(gyration), 1)[0]
    report.check(f"dimension from the radius of gyration: {dimension:.3f}, literature 1.715 +- 0.004",
                 abs(dimension - 1.715) < 0.04)  # fmt: skip
    report.limit("DLA 10^6 particles", "particles/s", LARGE / seconds, 170_000, larger_is_better=True)
    report.limit("DLA: cost per particle at 10^6 over that at 10^5", "", per_large / per_small, 1.5)
