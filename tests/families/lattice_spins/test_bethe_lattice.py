"""The Bethe lattice against plain iteration and against itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mfexplore.families.lattice_spins.bethe_lattice import bethe_lattice, log_cosh, mean_field, ordered, spinodal_field


@pytest.mark.parametrize("x", [0.0, 1e-9, -0.7, 30.0, 1e4])
def test_log_cosh(x: float) -> None:
    assert log_cosh(x) == pytest.approx(float(np.logaddexp(x, -x)) - math.log(2), abs=1e-14, rel=1e-13)


@pytest.mark.parametrize(("t", "h", "c"), [(1.2, 0.0, 3.0), (3.0, 0.3, 6.0), (0.4, 0.05, 4.0)])
@pytest.mark.parametrize("theory", [bethe_lattice, mean_field])
def test_derivatives(theory: Any, t: float, h: float, c: float) -> None:
    found = theory(t, h, c)
    assert found.residual < 1e-14
    iterated = 1.0
    for _ in range(5000):
        if theory is bethe_lattice:
            iterated = t * math.atanh(math.tanh(1 / t) * math.tanh((h + (c - 1) * iterated) / t))
        else:
            iterated = math.tanh((h + c * iterated) / t)
    assert found.cavity_field == pytest.approx(iterated, abs=1e-10)
    step = 1e-4
    colder, warmer = theory(t - step, h, c), theory(t + step, h, c)
    slope = (warmer.free_energy - colder.free_energy) / (2 * step)
    assert found.free_energy - t * slope == pytest.approx(found.energy, abs=1e-6)
    assert (warmer.energy - colder.energy) / (2 * step) == pytest.approx(found.specific_heat, abs=1e-6)
    if h > 0:
        weaker, stronger = theory(t, h - step, c), theory(t, h + step, c)
        slope = (stronger.free_energy - weaker.free_energy) / (2 * step)
        assert -slope == pytest.approx(found.magnetization, abs=1e-7)


@pytest.mark.parametrize("on_a_tree", [True, False])
def test_a_batch_has_the_sign_of_the_field_and_a_ground_state(on_a_tree: bool) -> None:
    batch = ordered(on_a_tree, np.array([0.0, 2.0, 2.0]), np.array([-0.5, 0.3, -0.3]), 4)
    assert (batch.magnetization[0], batch.energy[0]) == (-1, -2.5)
    assert batch.magnetization[1] == -batch.magnetization[2] > 0
    assert batch.free_energy[1] == batch.free_energy[2]


@pytest.mark.parametrize("on_a_tree", [True, False])
def test_spinodal_ends_smoothly_at_the_critical_temperature(on_a_tree: bool) -> None:
    end = 1 / math.atanh(1 / 3) if on_a_tree else 4.0
    cold, near, beyond = spinodal_field(on_a_tree, end * np.array([0.0, 1 - 1e-6, 1 + 1e-6]), 4)
    assert cold == (2.0 if on_a_tree else 4.0)
    assert 0 < near < 1e-8
    assert -1e-5 < beyond < 0
