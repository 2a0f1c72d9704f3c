"""Lanczos against complete diagonalisation."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.lanczos import lowest_eigenpair


@pytest.mark.parametrize("n", [2, 3, 40, 400])
def test_the_lowest_levels_are_those_of_the_matrix(n: int, rng: np.random.Generator) -> None:
    matrix = rng.standard_normal((n, n))
    matrix += matrix.T
    levels, vector = lowest_eigenpair(lambda state: matrix @ state, rng.standard_normal(n))
    np.testing.assert_allclose(levels, np.linalg.eigvalsh(matrix)[:2], atol=1e-7)
    assert np.linalg.norm(vector) == pytest.approx(1)
    np.testing.assert_allclose(matrix @ vector, levels[0] * vector, atol=1e-8 * np.sqrt(n))


def test_a_degenerate_level_counts_once(rng: np.random.Generator) -> None:
    rotation = np.linalg.qr(rng.standard_normal((30, 30)))[0]
    matrix = (rotation * np.repeat([-2.0, -1.0, 3.0], 10)) @ rotation.T
    levels, vector = lowest_eigenpair(lambda state: matrix @ state, rng.standard_normal(30))
    np.testing.assert_allclose(levels, [-2, -1], atol=1e-10)
    np.testing.assert_allclose(matrix @ vector, -2 * vector, atol=1e-9)
