"""Generalized ensemble: verified values, equilibrium, couplings by definition, fluxes, simulation against theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.linalg import expm

from mfexplore.models.transport.generalized_ensemble import GeneralizedEnsemble
from mfexplore.models.transport.generalized_ensemble.theory import terms

DRIVEN = {"first_temperature": 0.5, "second_temperature": 2.0}


def couplings(model: GeneralizedEnsemble) -> dict[tuple[int, ...], float]:
    """Those of the theory, by the numbers of the spins."""
    values = model.theory()["couplings"].values
    return dict(zip(terms(model.process, model.sites), values, strict=True))


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("generalized_ensemble"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    p = reference["params"]
    if "kplus" in p:  # both rates have the product 1, as the page's
        force = math.log(p["kplus"] / p["kminus"])
        theory = GeneralizedEnsemble(process="walk", sites=3, gate=1.0, force=force).theory()
        found = [theory["flow"], theory["entropy_production"]]
    else:
        first, second, third, _ = p["T"]
        arrangement = "alternating" if second != first else "halves"
        other = second if second != first else third
        model = GeneralizedEnsemble(
            first_temperature=first, second_temperature=other, coupling=p["J"], sites=p["n"], arrangement=arrangement
        )
        of = couplings(model)
        pairs = [of[0, 1], of[1, 2], of[0, 2], of[1, 3]]
        found = [*pairs, of[0, 1, 2, 3], model.theory()["entropy_production"]]
    tolerance = 10.0 ** (1 - reference["digits"])
    np.testing.assert_allclose(np.array(found, float), reference["value"], rtol=tolerance, atol=1e-13)


def test_equilibrium_has_the_couplings_of_its_energy() -> None:
    model = GeneralizedEnsemble(first_temperature=1.3, second_temperature=1.3, coupling=0.8, field=0.3, sites=5)
    for chosen, value in couplings(model).items():
        neighbours = len(chosen) == 2 and (chosen[1] - chosen[0]) % 5 in (1, 4)
        expected = 0.8 / 1.3 if neighbours else 0.3 / 1.3 if len(chosen) == 1 else 0.0
        assert value == pytest.approx(expected, abs=1e-9), chosen
    theory = model.theory()
    assert float(theory["entropy_production"]) == pytest.approx(0, abs=1e-12)
    assert float(theory["flow"]) == pytest.approx(0, abs=1e-12)
    assert float(theory["sufficient_statistics"]) == 10


def test_a_spin_that_is_not_seen_couples_its_neighbours() -> None:
    """Sum over every second spin of a ring of four: twice half the logarithm of cosh 2J (for J = 0.7, 0.38294 each)."""
    law = GeneralizedEnsemble(first_temperature=1.0, second_temperature=1.0, coupling=0.7).steady_state()
    seen = law.reshape(2, 2, 2, 2).sum(axis=(0, 2))  # spins 3 and 1 are summed over
    coupling = (np.log(seen) * np.array([[1, -1], [-1, 1]])).sum() / 4
    assert coupling / 2 == pytest.approx(0.3829428228640, abs=1e-12)


# -- theory by other ways ------------------------------------------------------------------------------------------


def slow_generator(model: GeneralizedEnsemble) -> np.ndarray:
    """Eq. (2) written out for lists of spins."""
    n, temperatures = model.sites, (model.first_temperature, model.second_temperature)
    q = np.zeros((2**n, 2**n))
    for spins in itertools.product((1, -1), repeat=n):
        state = sum(1 << i for i in range(n) if spins[i] < 0)
        for i in range(n):
            bath = i % 2 if model.arrangement == "alternating" else i >= n / 2
            local = model.coupling * (spins[i - 1] + spins[(i + 1) % n]) + model.field
            q[state, state ^ (1 << i)] = 0.5 * (1 - spins[i] * math.tanh(local / temperatures[int(bath)]))
    return q - np.diag(q.sum(axis=1))


@pytest.mark.parametrize("arrangement", ["alternating", "halves"])
@pytest.mark.parametrize("sites", [3, 5])
def test_the_law_is_where_the_master_equation_ends(sites: int, arrangement: str) -> None:
    model = GeneralizedEnsemble(sites=sites, arrangement=arrangement, field=0.4, coupling=-0.9, **DRIVEN)
    end = expm(3000 * slow_generator(model))[0]
    np.testing.assert_allclose(model.steady_state(), end, rtol=1e-9)
    states = list(itertools.product((1, -1), repeat=sites))
    index = [sum(1 << i for i in range(sites) if s[i] < 0) for s in states]
    of = couplings(model)
    for chosen in ((0,), (0, 2), (0, 1, 2)):  # eq. (3) as it stands
        value = np.mean(
            [math.log(end[k]) * np.prod([s[i] for i in chosen]) for k, s in zip(index, states, strict=True)]
        )
        assert of[chosen] == pytest.approx(value, abs=1e-9)


@pytest.mark.parametrize(("force", "gate"), [(1.0, 0.3), (-2.0, 0.05), (1.5, 1.0)])
def test_a_walker_has_the_law_that_its_polynomial_says(force: float, gate: float) -> None:
    model = GeneralizedEnsemble(process="walk", force=force, gate=gate, sites=5)
    x = np.arange(5)
    law = np.exp(sum(value * x ** power[0] for power, value in couplings(model).items()))
    law /= law.sum()
    np.testing.assert_allclose(law, model.steady_state(), rtol=1e-8)
    up, down = math.exp(force / 2), math.exp(-force / 2)
    flows = [*(law[:-1] * up - law[1:] * down), gate * (law[-1] * up - law[0] * down)]
    assert flows == pytest.approx([float(model.theory()["flow"])] * 5, abs=1e-9)


def test_behind_walls_the_force_is_the_only_coupling() -> None:
    of = couplings(GeneralizedEnsemble(process="walk", force=0.7, gate=0.0, sites=7))
    assert of.pop((1,)) == pytest.approx(0.7, abs=1e-12)
    assert max(abs(value) for value in of.values()) < 1e-9


def test_turning_all_spins_in_a_turned_field_changes_nothing() -> None:
    """Odd couplings change their sign with the field, even ones do not."""
    up, down = (couplings(GeneralizedEnsemble(field=h, **DRIVEN)) for h in (0.5, -0.5))
    for chosen, value in up.items():
        assert down[chosen] == pytest.approx((-1) ** len(chosen) * value, abs=1e-10)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [1000, 16_000])
@pytest.mark.parametrize("controls", [DRIVEN, {"process": "walk", "gate": 0.3, "force": 1.5}], ids=["spins", "walk"])
def test_simulation_agrees_with_theory(size: int, controls: dict[str, Any]) -> None:
    model = GeneralizedEnsemble(size=size, **controls)
    result, theory = model.ensemble(samples=6, seed=1), model.theory(profiles=False)
    for name in ("flow", "entropy_production"):
        error = float(result[f"{name}_standard_error"])
        bias = 30 / (size * 30)  # a logarithm of counts: of the order of pairs of states over jumps
        assert float(result[name]) == pytest.approx(float(theory[name]), abs=5 * error + bias), name


def test_couplings_are_measured_within_their_errors() -> None:
    run = GeneralizedEnsemble(size=40_000, **DRIVEN).simulate(seed=2)
    run.advance(60)
    theory, measured = run.model.profiles(), run.profiles()
    pulls = (measured["couplings"].values - theory["couplings"].values) / measured["couplings"].error
    assert np.abs(pulls).max() < 5
    assert np.sqrt(np.mean(pulls**2)) == pytest.approx(1, abs=0.6)
    assert abs(measured["couplings"].values[-1]) > 5 * measured["couplings"].error[-1]  # all four together
    assert np.isfinite(measured["strongest_coupling"].values).tolist() == [False, True, False, True]


def test_in_equilibrium_no_arrow_is_left() -> None:
    for temperature, arrows in ((2.0, True), (0.5, False)):
        run = GeneralizedEnsemble(size=20_000, first_temperature=0.5, second_temperature=temperature).simulate(seed=3)
        run.advance(40)
        assert bool(len(run.picture().edges)) == arrows


def test_entropy_relaxes_as_predicted() -> None:
    run = GeneralizedEnsemble(size=50_000, start="aligned", **DRIVEN).simulate(seed=4)
    run.advance(8)
    times, series = run.series()
    np.testing.assert_allclose(series["entropy"], run.model.predicted_path({}, times)["entropy"], atol=0.02)
