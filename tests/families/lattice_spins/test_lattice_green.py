"""Averages over the Brillouin zone against a plain sum over it."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.families.lattice_spins.lattice_green import green, log_determinant


@pytest.mark.parametrize("triangular", [False, True])
@pytest.mark.parametrize("delta", [0.3, 2.0, 50.0])
def test_sum_over_the_zone(triangular: bool, delta: float) -> None:
    a = 2 * np.pi * np.arange(256) / 256  # the sum of a smooth periodic function converges exponentially
    gamma = np.cos(a)[:, None] + np.cos(a) + (np.cos(a[:, None] + a) if triangular else 0.0)
    rest = delta + (3.0 if triangular else 2.0) - gamma
    g, slope = green(np.array(delta), triangular)
    assert float(log_determinant(np.array(delta), triangular)) == pytest.approx(np.log(rest).mean(), rel=1e-13)
    assert float(g) == pytest.approx((1 / rest).mean(), rel=1e-13)
    assert float(slope) == pytest.approx(-(rest**-2).mean(), rel=1e-12)


@pytest.mark.parametrize("triangular", [False, True])
def test_derivatives_near_the_singularity(triangular: bool) -> None:
    delta, step = 1e-4, 1e-7
    around = delta + step * np.array([-1, 0, 1])
    phi, (g, slope) = log_determinant(around, triangular), green(around, triangular)
    assert (phi[2] - phi[0]) / (2 * step) == pytest.approx(g[1], rel=1e-7)
    assert (g[2] - g[0]) / (2 * step) == pytest.approx(slope[1], rel=1e-5)


def test_at_the_singularity_it_is_catalans_constant() -> None:
    """Phi of the square lattice at delta = 0 is 4 G/pi - ln 2."""
    catalan = 0.915965594177219015
    assert float(log_determinant(np.array(0.0), triangular=False)) == pytest.approx(
        4 * catalan / np.pi - np.log(2), rel=1e-12
    )
