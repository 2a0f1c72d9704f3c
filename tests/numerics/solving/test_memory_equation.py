"""Relaxation with memory: against a plain integration on a uniform grid, and its plateau."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.numerics.solving.memory_equation import relax


def solved(friction: float, strength: float, power: float, longest: float) -> tuple[np.ndarray, np.ndarray]:
    table = np.empty((2, 20_000))
    count = relax(friction, strength, power, longest, table[0], table[1])
    assert count < 20_000
    return table[0, :count], table[1, :count]


def plain(friction: float, strength: float, power: float, longest: float, n: int) -> float:
    """C(longest) by the trapezoid rule in time with n equal steps, of second order."""
    h = longest / n
    c, slope = np.ones(n + 1), np.zeros(n + 1)
    slope[0] = -1 / friction
    for i in range(1, n + 1):
        memory = strength * c**power
        known = h * np.dot(memory[1:i][::-1], slope[1:i]) + 0.5 * h * memory[i] * slope[0]
        new, s = c[i - 1] + h * slope[i - 1], slope[i - 1]
        for _ in range(50):
            total = known - 0.5 * h * memory[i] * slope[0] + 0.5 * h * strength * new**power * slope[0]
            s_new = -(new + total + 0.5 * h * strength * s) / friction
            new, s = c[i - 1] + 0.5 * h * (slope[i - 1] + s_new), s_new
        c[i], slope[i] = new, s
    return float(c[n])


@pytest.mark.parametrize(
    ("friction", "strength", "power"), [(1.0, 0.0, 2), (1.5, 3.0, 2), (2.0, 2.0, 1), (0.5, 4.0, 3)]
)
def test_against_a_uniform_grid(friction: float, strength: float, power: float) -> None:
    times, correlation = solved(friction, strength, power, 10.0)
    coarse, fine = (plain(friction, strength, power, 4.0, n) for n in (400, 800))
    expected = fine + (fine - coarse) / 3
    assert np.interp(4.0, times, correlation) == pytest.approx(expected, abs=2e-5)
    if strength == 0:
        np.testing.assert_allclose(correlation, np.exp(-times / friction), atol=2e-6)


def test_the_plateau_is_that_of_the_fixed_point() -> None:
    """q/(1 - q) = v q^2 has the largest solution q = (1 + sqrt(1 - 4/v))/2, from v = 4 on."""
    for strength in (4.01, 5.0, 8.0):
        _, correlation = solved(1.0, strength, 2, 1e9)
        assert correlation[-1] == pytest.approx((1 + math.sqrt(1 - 4 / strength)) / 2, abs=1e-5)
    _, correlation = solved(1.0, 3.9, 2, 1e6)
    assert abs(correlation[-1]) < 1e-6


def test_decays_monotonically_over_many_decades() -> None:
    times, correlation = solved(1.0, 3.999, 2, 1e8)
    assert (np.diff(times) > 0).all()
    assert (np.diff(correlation) < 1e-12).all()
    assert times[-1] >= 1e8
