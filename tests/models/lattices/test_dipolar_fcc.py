"""Dipoles: mean field by plain integrals, the spherical model by its limits, updates, and the bracket."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.lattices.dipolar_fcc import DipolarFcc, theory
from mfexplore.models.lattices.dipolar_fcc.dynamics import FAMILIES, LEVELS, box, fields_of


def magnetization(**controls: float) -> float:
    return float(DipolarFcc(**controls).equilibrium(method="mean_field")["magnetization"])  # type: ignore[arg-type]


def test_sums_of_the_card() -> None:
    """Of the sum of r^-6 the card has five digits: 14.45390 for 14.45392."""
    (one,) = (v for v in reference_values("dipolar_fcc") if v["id"] == "fcc_sums")
    model = DipolarFcc()
    (mean_field,) = model.landmark("mean_field_line", "temperature")
    glass = float(model.boundary("glass_estimate", {"anisotropy": np.zeros(1)})[0])
    found = [1.5 * glass**2, 3 * mean_field, mean_field, glass]
    np.testing.assert_allclose(found, one["value"], rtol=3e-6)
    assert found[0] == pytest.approx(14.45392104374, abs=2e-5)


@pytest.mark.parametrize(
    ("anisotropy", "m"), [(0.0, 0.7851909676), (1.0, 0.77998771), (5.0, 0.65371788), (20.0, 0.48526903)]
)
def test_mean_field_of_the_review(anisotropy: float, m: float) -> None:
    assert magnetization(temperature=1.0, anisotropy=anisotropy) == pytest.approx(m, abs=6e-9)


def test_mean_field_of_endless_anisotropy() -> None:
    assert DipolarFcc(temperature=1.0).ising_magnetization() == pytest.approx(0.4425613795, abs=1e-9)
    assert DipolarFcc(temperature=0.5).ising_magnetization() == pytest.approx(0.4876836689, abs=1e-9)
    gaps = [magnetization(temperature=1.0, anisotropy=k) - 0.4425613795 for k in (25.0, 50.0)]
    assert gaps[0] > gaps[1] > 0
    assert gaps[1] / gaps[0] == pytest.approx(0.5, abs=0.05)  # it closes as one over the anisotropy


def test_without_axes_it_is_langevin() -> None:
    for t in (0.2, 1.0, 1.9):
        m = magnetization(temperature=t)
        x = theory.LORENTZ * m / t
        assert m == pytest.approx(1 / math.tanh(x) - 1 / x, abs=1e-9)


def test_mean_field_orders_at_the_same_temperature_for_all_anisotropies() -> None:
    for k in (0.0, 3.0, 50.0):
        assert magnetization(temperature=1.97, anisotropy=k) > 0.01
        assert magnetization(temperature=1.98, anisotropy=k) == 0


def test_no_wave_has_more_than_the_field_of_lorentz() -> None:
    levels = theory.couplings(8)
    assert levels.max() < theory.LORENTZ
    assert levels.mean() == pytest.approx(0, abs=1e-12)  # no dipole acts on itself
    np.testing.assert_allclose(levels, theory.couplings(8, 2.9), atol=1e-10)
    _, interactions = box(3)
    largest = np.linalg.eigvalsh(-interactions.transpose(0, 2, 1, 3).reshape(324, 324))[-3:]
    np.testing.assert_allclose(largest, 5.92384391755, atol=1e-10)


def test_spherical_model() -> None:
    """Its temperature as the review has it; its sum over waves by all levels of a box; its second moment."""
    (found,) = DipolarFcc().landmark("spherical_point", "temperature")
    assert found == pytest.approx(0.4878, abs=1.5e-4)
    _, interactions = box(3)
    levels = np.linalg.eigvalsh(-interactions.transpose(0, 2, 1, 3).reshape(324, 324))
    assert theory.response(12.0) == pytest.approx(3 * (1 / (12.0 - levels)).mean(), rel=5e-3)
    second = (theory.couplings(12) ** 2).sum(axis=1).mean()
    assert second == pytest.approx(6 * theory.inverse_sixth_powers(), rel=1e-5)  # tr D^2 = 6 / r^6
    cold = DipolarFcc(temperature=0.2439).theory(method="spherical").sel(branch="ferromagnet")
    assert float(cold["magnetization"]) == pytest.approx(math.sqrt(0.5), abs=1e-3)


# -- simulation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("anisotropy", [0.0, 20.0])
def test_energies_and_fields_are_kept_up_to_date(anisotropy: float) -> None:
    run: Any = DipolarFcc(size=32, anisotropy=anisotropy, temperature=0.8).simulate(seed=1)
    run.advance(20)
    for k in range(FAMILIES * LEVELS):
        kept, anew = run.fields[k].copy(), np.empty((32, 3))
        assert fields_of(run.dipoles[k], run.sample, anew) == pytest.approx(run.energies[k], abs=1e-9)
        np.testing.assert_allclose(kept, anew, atol=1e-10)
    mine = run.coldest
    plain = 0.5 * np.einsum("ia,ijab,jb->", mine, run.sample.interactions, mine)
    plain -= anisotropy * np.sum((mine * run.sample.axes).sum(axis=1) ** 2)
    assert run.observe()["energy"] * 32 == pytest.approx(plain, abs=1e-9)
    np.testing.assert_allclose(np.linalg.norm(mine, axis=1), 1, atol=1e-12)


@pytest.mark.parametrize("size", [32, 108])
def test_hot_dipoles_meet_the_spherical_model(size: int) -> None:
    """Far above all order the length of every dipole matters little; what remains is of fourth order."""
    model = DipolarFcc(temperature=2.0, size=size)
    at = model.theory(method="spherical").sel(branch="paramagnet")
    found = []
    for seed in range(3):
        run = model.simulate(seed=seed)
        run.advance(40)
        found.append(run.series()[1]["energy"][15:].mean())
    assert abs(np.mean(found) - float(at["energy"])) < 4 * np.std(found, ddof=1) / 3**0.5 + 0.03


@pytest.mark.parametrize("size", [32, 108])
def test_hot_dipoles_follow_their_axes_as_mean_field_says(size: int) -> None:
    model = DipolarFcc(temperature=3.0, anisotropy=20.0, size=size)
    at = model.theory(method="mean_field").sel(branch="paramagnet")
    run = model.simulate(seed=1)
    run.advance(60)
    assert run.series()[1]["axis_alignment"][20:].mean() == pytest.approx(float(at["axis_alignment"]), abs=0.01)


def test_theories_bracket_the_magnetization() -> None:
    model = DipolarFcc(temperature=0.45, size=32)
    spherical, mean_field = (
        float(model.equilibrium(method=name)["magnetization"]) for name in ("spherical", "mean_field")
    )
    run = model.simulate(seed=2, start="aligned")
    run.advance(300)
    assert spherical < run.series()[1]["magnetization"][100:].mean() < mean_field
