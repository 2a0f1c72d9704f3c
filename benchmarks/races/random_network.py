"""Products of a random network of N = 2000 in float32 with one vector, and with 16 at once, against BLAS."""

from __future__ import annotations

import numpy as np

from benchmarks.harness import OURS, Report
from mfexplore.numerics.matrices.matrix_vector import product, products

N, TRIALS, REPEATS = 2000, 16, 20


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    matrix = (rng.standard_normal((N, N)) / np.sqrt(N)).astype(np.float32)
    many = rng.standard_normal((TRIALS, N)).astype(np.float32)
    pair, columns = many[:2].copy(), np.ascontiguousarray(many.T)
    a, b = pair
    out, out_pair, out_many = np.empty(N, np.float32), np.empty((2, N)), np.empty((TRIALS, N))
    product(matrix, a, out)
    products(matrix, pair, out_pair)
    products(matrix, many, out_many)
    exact = many.astype(np.float64) @ matrix.astype(np.float64).T
    for name, values, wanted in (("one product", out, exact[0]), ("two", out_pair, exact[:2]), ("16", out_many, exact)):
        report.check(f"{name}: right within float32", np.abs(values - wanted).max() < 1e-5)
    report.race("random network N=2000", "products/s", REPEATS, {
        OURS: lambda: [product(matrix, a, out) for _ in range(REPEATS)] and None,
        "BLAS": lambda: [matrix @ a for _ in range(REPEATS)] and None,
    }, {"BLAS": 0.9}, rounds=15)  # fmt: skip
    report.race("random network N=2000, state and tangent", "pairs/s", REPEATS, {
        OURS: lambda: [products(matrix, pair, out_pair) for _ in range(REPEATS)] and None,
        "BLAS, twice": lambda: [(matrix @ a, matrix @ b) for _ in range(REPEATS)] and None,
    }, {"BLAS, twice": 0.9}, rounds=15)  # fmt: skip
    report.race("random network N=2000, 16 trials at once, per trial", "products/s", REPEATS * TRIALS, {
        OURS: lambda: [products(matrix, many, out_many) for _ in range(REPEATS)] and None,
        "BLAS, one by one": lambda: [matrix @ a for _ in range(REPEATS * TRIALS)] and None,
        "BLAS, 16 at once": lambda: [matrix @ columns for _ in range(REPEATS)] and None,
    }, {"BLAS, one by one": 2.0}, rounds=5)  # fmt: skip
