"""Exact solutions against their own integrals, done as plainly as possible."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.families.lattice_spins.planar import exact_solution, torus_averages


@pytest.mark.parametrize("lattice", ["square", "triangular"])
@pytest.mark.parametrize("temperature", [1.5, 6.0])
def test_free_energy_is_the_mean_over_the_zone(lattice: str, temperature: float) -> None:
    angles = 2 * np.pi * np.arange(400) / 400
    a, b = np.meshgrid(angles, angles)
    c, s = np.cosh(2 / temperature), np.sinh(2 / temperature)
    waves = np.cos(a) + np.cos(b)
    spread = c**2 - s * waves if lattice == "square" else c**3 + s**3 - s * (waves + np.cos(a + b))
    free_energy = -temperature * (np.log(2) + 0.5 * np.log(spread).mean())
    found = exact_solution(lattice, np.array([temperature]))
    assert found.free_energy[0] == pytest.approx(free_energy, rel=1e-12)


def test_a_large_torus_is_an_infinite_lattice() -> None:
    infinite = exact_solution("square", np.array([3.0]))
    found = torus_averages(256, 3.0)
    for name, value in infinite._asdict().items():
        if name != "magnetization":
            assert found[name] == pytest.approx(value[0], rel=1e-8)
