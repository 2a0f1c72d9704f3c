"""Gaussian elimination inside kernels against LAPACK."""

from __future__ import annotations

import numpy as np

from mfexplore.numerics.matrices.linear import solve_linear


def test_linear_equations(rng: np.random.Generator) -> None:
    matrix, vector = rng.normal(size=(9, 9)), rng.normal(size=9)
    matrix[0, 0] = 0.0  # needs a pivot
    expected = np.linalg.solve(matrix, vector)
    solution = vector.copy()
    solve_linear(matrix.copy(), solution)
    np.testing.assert_allclose(solution, expected, rtol=1e-10)
