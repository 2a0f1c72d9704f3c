"""The Bethe lattice against plain iteration and against itself."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins.bethe_lattice import bethe_lattice, log_cosh


@pytest.mark.parametrize("x", [0.0, 1e-9, -0.7, 30.0, 1e4])
def test_log_cosh(x: float) -> None:
    assert log_cosh(x) == pytest.approx(float(np.logaddexp(x, -x)) - math.log(2), abs=1e-14, rel=1e-13)


@pytest.mark.parametrize(("t", "h", "c"), [(1.2, 0.0, 3.0), (3.0, 0.3, 6.0), (0.4, 0.05, 4.0)])
def test_derivatives(t: float, h: float, c: float) -> None:
    u, m, energy, heat, free_energy, residual = bethe_lattice(t, h, c)
    assert residual < 1e-14
    iterated = 1.0
    for _ in range(5000):
        iterated = t * math.atanh(math.tanh(1 / t) * math.tanh((h + (c - 1) * iterated) / t))
    assert u == pytest.approx(iterated, abs=1e-10)
    step = 1e-4
    colder, warmer = bethe_lattice(t - step, h, c), bethe_lattice(t + step, h, c)
    assert free_energy - t * (warmer[4] - colder[4]) / (2 * step) == pytest.approx(energy, abs=1e-6)
    assert (warmer[2] - colder[2]) / (2 * step) == pytest.approx(heat, abs=1e-6)
    stronger = bethe_lattice(t, h + step, c)
    if h > 0:
        weaker = bethe_lattice(t, h - step, c)
        assert -(stronger[4] - weaker[4]) / (2 * step) == pytest.approx(m, abs=1e-7)
