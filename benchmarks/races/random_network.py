"""Products of a random network of N = 2000 in float32 with one vector, and with 16 at once, against BLAS."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import OURS, Report
from mfexplore.models.learning.random_network import two_products
from mfexplore.numerics.matrix_vector import product

N, TRIALS, REPEATS = 2000, 16, 20


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    matrix = (rng.standard_normal((N, N)) / np.sqrt(N)).astype(np.float32)
    a, b = rng.standard_normal((2, N)).astype(np.float32)
    out, out_a, out_b = np.empty(N, np.float32), np.empty(N), np.empty(N)
    many = rng.standard_normal((N, TRIALS)).astype(np.float32)
    product(matrix, a, out)
    two_products(matrix, a, b, out_a, out_b)
    exact = matrix.astype(np.float64) @ np.stack([a, b], axis=1)
    for name, values, wanted in (("product", out, exact[:, 0]), ("first of two", out_a, exact[:, 0]),
                                 ("second of two", out_b, exact[:, 1])):  # fmt: skip
        report.check(f"{name} is right within float32", np.abs(values - wanted).max() < 1e-5)
    report.race("random network N=2000", "products/s", REPEATS, {
        OURS: lambda: [product(matrix, a, out) for _ in range(REPEATS)] and None,
        "BLAS": lambda: [matrix @ a for _ in range(REPEATS)] and None,
    }, {"BLAS": 0.9}, rounds=15)  # fmt: skip
    report.race("random network N=2000, state and tangent", "pairs/s", REPEATS, {
        OURS: lambda: [two_products(matrix, a, b, out_a, out_b) for _ in range(REPEATS)] and None,
        "BLAS, twice": lambda: [(matrix @ a, matrix @ b) for _ in range(REPEATS)] and None,
    }, {"BLAS, twice": 0.9}, rounds=15)  # fmt: skip
    report.race("random network N=2000, BLAS with 16 trials at once, per trial", "products/s", REPEATS * TRIALS, {
        "BLAS, 16 at once": lambda: [matrix @ many for _ in range(REPEATS)] and None,
        "BLAS, one by one": lambda: [matrix @ a for _ in range(REPEATS * TRIALS)] and None,
    }, {"BLAS, one by one": 2.0}, rounds=5)  # fmt: skip
