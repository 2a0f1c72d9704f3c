"""Haar wavelets."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.space.wavelets import haar, inverse_haar, scales


@pytest.mark.parametrize("side", [1, 2, 8, 32])
def test_is_orthonormal_and_inverted(side: int, rng: np.random.Generator) -> None:
    picture = rng.standard_normal((side, side))
    coefficients = haar(picture)
    assert np.sum(coefficients**2) == pytest.approx(np.sum(picture**2))
    np.testing.assert_allclose(inverse_haar(coefficients), picture, atol=1e-13)


def test_a_wavelet_lives_on_its_scale() -> None:
    level = scales(16)
    assert level[0, 0] == 0
    for k in range(1, 5):
        assert (level == k).sum() == 3 * 4 ** (k - 1)
        one = np.zeros((16, 16))
        one[np.unravel_index(int(np.argmax(level == k)), level.shape)] = 1
        assert (np.abs(inverse_haar(one)) > 0).sum() == (16 // 2 ** (k - 1)) ** 2
    flat = haar(np.ones((16, 16)))
    assert flat[0, 0] == pytest.approx(16)
    assert np.abs(flat).sum() == pytest.approx(16)
