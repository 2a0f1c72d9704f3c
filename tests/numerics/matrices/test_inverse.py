"""Inverses against LAPACK, and what is said about matrices that have none."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.inverse import invert, invert_positive


@pytest.mark.parametrize("n", [1, 2, 7, 40])
def test_positive_definite(rng: np.random.Generator, n: int) -> None:
    root = rng.normal(size=(n, n))
    matrix = root @ root.T + np.eye(n)
    inverse = np.empty((n, n))
    log_determinant = invert_positive(matrix.copy(), inverse)
    assert log_determinant == pytest.approx(np.linalg.slogdet(matrix)[1], rel=1e-12)
    np.testing.assert_allclose(inverse @ matrix, np.eye(n), atol=1e-10)


def test_not_positive_definite() -> None:
    assert np.isnan(invert_positive(np.diag([1.0, -1.0, 2.0]), np.empty((3, 3))))
    assert np.isnan(invert_positive(np.zeros((2, 2)), np.empty((2, 2))))


@pytest.mark.parametrize("n", [1, 3, 25])
def test_general(rng: np.random.Generator, n: int) -> None:
    matrix = rng.normal(size=(n, n))
    if n > 1:
        matrix[0, 0] = 0.0  # needs a pivot
    inverse = np.empty((n, n))
    invert(matrix.copy(), inverse)
    np.testing.assert_allclose(inverse @ matrix, np.eye(n), atol=1e-9)


def test_singular() -> None:
    inverse = np.empty((2, 2))
    invert(np.ones((2, 2)), inverse)
    assert not np.isfinite(inverse).all()
