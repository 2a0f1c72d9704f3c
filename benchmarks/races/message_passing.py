"""An iteration of (generalised) approximate message passing, N = M = 4000, against NumPy with BLAS; and its memory."""

from __future__ import annotations

import tracemalloc

import numpy as np

from benchmarks.harness import OURS, Report
from mfexplore.families.message_passing.algorithm import MessagePassing, random_matrix

N = M = 4000
CURVATURE = 0.7


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    matrix = random_matrix(rng, M, N)
    mean, output = rng.standard_normal(N), rng.standard_normal(M)
    passing = MessagePassing(matrix, mean, 0.5)
    before = np.zeros(M)

    def ours() -> tuple[np.ndarray, np.ndarray]:
        passing.mean, passing.output = mean, before
        omega, _ = passing.forward()
        r, _ = passing.backward(output, CURVATURE)
        return omega, r

    def numpy() -> tuple[np.ndarray, np.ndarray]:
        omega = matrix @ mean.astype(np.float32) - 0.5 * before
        return omega, mean + N / (M * CURVATURE) * (output.astype(np.float32) @ matrix)

    for mine, theirs, name in zip(ours(), numpy(), ("omega", "r"), strict=True):
        report.check(f"same {name} within float32", np.abs(mine - theirs).max() < 2e-5 * max(1, np.abs(theirs).max()))
    exact = matrix.astype(np.float64) @ mean
    report.check("omega within float32 of float64", np.abs(ours()[0] - exact).max() < 1e-4)
    del exact
    report.race("AMP/GAMP iteration N=4000", "iterations/s", 3, {
        OURS: lambda: [ours() for _ in range(3)] and None,
        "NumPy, BLAS": lambda: [numpy() for _ in range(3)] and None,
    }, {"NumPy, BLAS": 0.95}, rounds=21)  # fmt: skip
    tracemalloc.start()
    ours()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    report.limit("AMP/GAMP iteration: memory beside the matrix", "MB", peak / 1e6, 1.0)
