"""Finite-size scaling: the exactly known critical point and exponents of the plane, from small boxes."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.models.lattices.ising_lattice import CRITICAL_COUPLINGS, EXPONENTS, IsingLattice
from mfexplore.numerics.space.lattices import CRYSTALS
from mfexplore.study.scaling import FiniteSize, crossing, finite_size

T_C = 2 / math.log(1 + math.sqrt(2))


@pytest.fixture(scope="module")
def planar() -> FiniteSize:
    model = IsingLattice(temperature=2.27, algorithm="swendsen_wang")
    return finite_size(model, [16**2, 32**2], samples=8, updates=1000, relaxation=50, seed=1)


def test_curves_cross_at_the_critical_point(planar: FiniteSize) -> None:
    found = planar.crossings().isel(pair=0)
    for name, value, largest in (
        ("temperature", T_C, 0.02), ("binder_ratio", 0.856216, 0.02), ("thermal_exponent", 1.0, 0.1),
        ("magnetic_exponent", 1.875, 0.02),
    ):  # fmt: skip
        error = float(found[f"{name}_standard_error"])
        assert error < largest
        assert float(found[name]) == pytest.approx(value, abs=4 * error + 0.003)  # 0.003: boxes are small


def test_averages_are_those_of_the_torus(planar: FiniteSize) -> None:
    """Reweighted energies and specific heats against Kaufman's formula over the whole window."""
    dataset = planar.dataset()
    for size in dataset["size"].values:
        at = dataset.sel(size=size).dropna("temperature").isel(temperature=slice(None, None, 16))
        exact = [IsingLattice(temperature=float(t), size=int(size)).exact() for t in at["temperature"]]
        for name in ("energy", "specific_heat"):
            gap = at[name].values - np.array([e[name] for e in exact])
            assert (np.abs(gap) <= 5 * at[f"{name}_standard_error"].values).all()


def test_slopes_are_slopes(planar: FiniteSize) -> None:
    curves = planar.estimates()
    numeric = np.gradient(curves["binder_ratio"][0, 0], planar.betas)
    np.testing.assert_allclose(curves["binder_slope"][0, 0][1:-1], numeric[1:-1], rtol=0.02)


def test_data_collapse(planar: FiniteSize) -> None:
    scaled = planar.collapse(T_C, 1.0, 15 / 8)
    curves = [scaled.isel(size=k).dropna("temperature").sortby("scaled_temperature") for k in (0, 1)]
    x = np.linspace(-0.2, 0.2, 9)
    for name, close in (("binder_ratio", 0.02), ("scaled_magnetization", 0.03)):
        a, b = (np.interp(x, c["scaled_temperature"], c[name]) for c in curves)
        np.testing.assert_allclose(a, b, rtol=close)


@pytest.mark.parametrize("lattice", CRYSTALS)
def test_every_lattice_has_its_critical_point_and_the_exponents_of_its_dimension(lattice: str) -> None:
    """Crossing of two small boxes: within four errors, and what corrections to scaling make of such sizes."""
    dimension = CRYSTALS[lattice].dimension
    sizes, updates = ([300, 1200], 1200) if dimension == 2 else ([500, 4000], 800)
    critical = 1 / CRITICAL_COUPLINGS[lattice]
    model = IsingLattice(lattice=lattice, temperature=critical, algorithm="wolff")
    at = finite_size(model, sizes, samples=8, updates=updates, relaxation=60, seed=3).crossings().isel(pair=0)
    thermal, magnetic = EXPONENTS[dimension]
    for name, value, largest, small in (
        ("temperature", critical, 0.003 * critical, 0.003 * critical), ("thermal_exponent", thermal, 0.1, 0.05),
        ("magnetic_exponent", magnetic, 0.02, 0.05),
    ):  # fmt: skip
        error = float(at[f"{name}_standard_error"])
        assert error < largest
        assert float(at[name]) == pytest.approx(value, abs=4 * error + small)


def test_the_same_seed_gives_the_same_on_one_thread_or_many() -> None:
    from concurrent.futures import ThreadPoolExecutor

    model = IsingLattice(temperature=2.3, algorithm="wolff")
    with ThreadPoolExecutor(1) as one:
        alone = finite_size(model, [64, 256], samples=3, updates=20, seed=5, executor=one)
    together = finite_size(model, [64, 256], samples=3, updates=20, seed=5)
    np.testing.assert_array_equal(alone.means, together.means)


def test_other_systems_can_be_scaled_too() -> None:
    """Curie-Weiss has no dimension: with d = 1 (L = N) its exponents are 1/2 and 3/4."""
    model = CurieWeiss(temperature=1.0, start="random")
    found = finite_size(model, [64, 256], samples=8, updates=1500, relaxation=200, seed=2).crossings(dimension=1)
    at = found.isel(pair=0)
    assert float(at["temperature"]) == pytest.approx(1.0, abs=0.06)
    assert float(at["magnetic_exponent"]) == pytest.approx(0.75, abs=0.05)


def test_progress_and_too_few_samples() -> None:
    seen: list[float] = []
    finite_size(IsingLattice(algorithm="wolff"), [64], samples=2, updates=5, relaxation=0, progress=seen.append)
    assert seen == [0.5, 1.0]
    with pytest.raises(ValueError, match="samples = 1 is not possible"):
        finite_size(IsingLattice(), [64], samples=1)


def test_crossing_of_a_table() -> None:
    x = np.linspace(0, 1, 11)
    assert crossing(x, x - 0.33) == pytest.approx(0.33)
    assert math.isnan(crossing(x, x + 1))
