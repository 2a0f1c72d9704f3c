"""Discrete flow: steps by explicit composition, denoisers by plain sums, weights against exact free energy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.sampling.discrete_flow import CRITICAL, DiscreteFlow, theory
from mfexplore.models.sampling.discrete_flow.dynamics import unmask_by_table, unmask_exactly
from mfexplore.numerics.space.lattices import neighbourhood

CARD = {one["id"]: one for one in reference_values("discrete_flow_matching_3x3")}
REVIEW = {  # 3 x 3, n = 1, 2, 4, 8, 16
    CRITICAL: (3.60860624, 1.56881601, 0.67980316, 0.30906497, 0.14649742),
    3.0: (2.03465967, 0.89193864, 0.40018165, 0.18734761, 0.09040009),
    5.0: (0.53715842, 0.24824956, 0.11833367, 0.05766802, 0.02845601),
}
STATES = np.arange(512)


def distance(method: str = "exact_denoiser", **controls: float) -> float:
    return float(DiscreteFlow().theory(method=method, profiles=False, **controls)["divergence"])


@pytest.mark.parametrize("key", list(CARD))
def test_the_card(key: str) -> None:
    """Its second number is of one mask, the chequered, not of the random ones of the flow."""
    one = CARD[key]
    model = DiscreteFlow(side=3, steps=1, temperature=one["params"]["T"])
    found = [
        float(model.equilibrium(method="exact_denoiser")["divergence"]),
        model.divergence_of_halves((0, 2, 4, 6, 8)),
    ]
    np.testing.assert_allclose(found, one["value"], atol=1e-10)


@pytest.mark.parametrize("temperature", list(REVIEW))
def test_the_review(temperature: float) -> None:
    found = [distance(side=3, temperature=temperature, steps=n) for n in (1, 2, 4, 8, 16)]
    np.testing.assert_allclose(found, REVIEW[temperature], atol=6e-9)


@pytest.mark.parametrize(
    "key",
    ["ising2d_L4_T2.0000", "ising2d_L4_T2.2692", "ising2d_L4_T3.5000", "ising2d_L16_T2.2692", "ising2d_L32_T2.0000"],
)
def test_energy_and_free_energy_of_the_card_of_lattices(key: str) -> None:
    """The 4 x 4 torus by sums, larger ones by Kaufman's formula."""
    (one,) = (v for v in reference_values("ising2d_sq") if v["id"] == key)
    side, t = one["params"]["L"], one["params"]["T"]
    energy, log_z = (one["value"][1], one["value"][0] / 16) if side == 4 else one["value"]
    at = DiscreteFlow(side=side, temperature=t).equilibrium(method="exact_denoiser", profiles=False)
    assert float(at["energy"]) == pytest.approx(energy, abs=1e-9)
    assert float(at["free_energy"]) == pytest.approx(-t * log_z, abs=1e-9)


def law_of_two_steps(temperature: float) -> tuple[np.ndarray, np.ndarray, float]:
    """The target on 3 x 3, what two exact steps produce, and the mean distance of all histories, state by state."""
    p = theory.probabilities(3, temperature)
    out, mean = np.zeros(512), 0.0
    for first in range(512):
        known = STATES & first
        q = np.full(512, 0.5 ** bin(first).count("1"))
        for i in (i for i in range(9) if not first >> i & 1):
            wider = STATES & (first | 1 << i)
            q *= np.bincount(wider, p, 512)[wider] / np.bincount(known, p, 512)[known]
        out += q / 512
        mean += float(p @ np.log(p / q)) / 512
    return p, out, mean


def test_eq_3_is_the_mean_over_histories_and_the_law_itself_is_nearer() -> None:
    p, out, mean = law_of_two_steps(3.0)
    assert out.sum() == pytest.approx(1, abs=1e-12)
    assert distance(side=3, temperature=3.0, steps=2) == pytest.approx(mean, abs=1e-11)
    assert float(p @ np.log(p / out)) == pytest.approx(0.5488886, abs=1e-6)  # below 0.8919


@pytest.mark.parametrize("side", [3, 4])
def test_uncertainties_add_up_to_the_entropy(side: int) -> None:
    """N times the integral of h is S; h(0) is ln 2, h(1) the uncertainty of a spin among all others."""
    x, w = np.polynomial.legendre.leggauss(20)
    h = theory.uncertainty(side, 2.0, np.concatenate([[0.0, 1.0], 0.5 + 0.5 * x]))
    n = side**2
    assert n * 0.5 * (w @ h[2:]) == pytest.approx(theory.mean_entropies(side, 2.0)[-1], abs=1e-11)
    assert h[0] == pytest.approx(math.log(2), abs=1e-12)
    e, p = theory.energies(side), theory.probabilities(side, 2.0)
    flipped = np.arange(2**n) ^ 1
    up = 1 / (1 + np.exp((e - e[flipped]).astype(float) / 2.0))
    assert h[1] == pytest.approx(-float(p @ np.log(up)), abs=1e-11)


def test_the_distance_halves_with_the_steps() -> None:
    h = theory.uncertainty(4, CRITICAL, np.array([0.0, 1.0]))
    limit = 16 * (h[0] - h[1]) / 2
    gaps = [abs(n * distance(temperature=CRITICAL, steps=n) / limit - 1) for n in (16, 64)]
    assert gaps[1] < 0.3 * gaps[0]
    assert gaps[1] < 0.03


def test_the_table_is_the_best_of_all_tables() -> None:
    """At its own temperature no other log-odds have a smaller surprise."""
    joint, odds = theory.known_neighbours(4, 2.5), theory.learnt_odds(2.5)
    assert joint.sum(axis=2)[0, 0] == pytest.approx(1)
    assert joint.sum() == pytest.approx(5)  # one distribution for every number of known neighbours

    def surprise(odds: np.ndarray) -> np.ndarray:
        return np.asarray(joint[..., 1] * np.logaddexp(0, -odds) + joint[..., 0] * np.logaddexp(0, odds))

    used = joint.sum(axis=2) > 0
    for change in (0.05, -0.05):
        assert (surprise(odds + change)[used] > surprise(odds)[used]).all()
    assert distance("local_table", temperature=2.5) > distance(temperature=2.5)


# -- simulation --------------------------------------------------------------------------------------------------------


def test_exact_denoiser_by_plain_sums() -> None:
    """Log-probabilities that a step adds up, against marginals of all states."""
    rng = np.random.default_rng(3)
    p = theory.probabilities(3, 2.0)
    before = rng.integers(-1, 2, (20, 9)).astype(np.int8)
    spins, log_q, stream = before.copy(), np.zeros(20), np.array([5], np.uint64)
    unmask_exactly(spins, p, 0.5, log_q, stream)
    signs = 2 * ((STATES[:, None] >> np.arange(9)) & 1) - 1
    for old, new, found in zip(before, spins, log_q, strict=True):
        q = p * np.all((signs == old) | (old == 0), axis=1)
        drawn = np.flatnonzero((old == 0) & (new != 0))
        right = sum(math.log(q[signs[:, i] == new[i]].sum() / q.sum()) for i in drawn)
        assert (old[old != 0] == new[old != 0]).all()
        assert found == pytest.approx(right, abs=1e-12)


def test_table_denoiser_by_counting() -> None:
    rng = np.random.default_rng(4)
    up = rng.uniform(0.1, 0.9, (5, 5))
    before = rng.integers(-1, 2, (10, 25)).astype(np.int8)
    spins, log_q = before.copy(), np.zeros(10)
    table = neighbourhood("square", 5).table()
    unmask_by_table(spins, table, up, 1.0, log_q, np.array([7], np.uint64))
    for old, new, found in zip(before, spins, log_q, strict=True):
        near = old[table]
        p = up[(near > 0).sum(axis=1), (near < 0).sum(axis=1)]
        chosen = np.where(new > 0, p, 1 - p)[old == 0]
        assert found == pytest.approx(np.log(chosen).sum(), abs=1e-12)


@pytest.mark.parametrize(("side", "denoiser"), [(3, "exact"), (4, "exact"), (3, "local_table"), (4, "local_table")])
def test_weights_meet_theory(side: int, denoiser: str) -> None:
    """Distance and free energy, which the weights of the samples tell, within their errors at two sizes."""
    model = DiscreteFlow(side=side, denoiser=denoiser, temperature=3.0, steps=8, batch=128)
    result = model.ensemble(samples=8, seed=2)
    at = model.theory(method={"exact": "exact_denoiser"}.get(denoiser, denoiser), profiles=False)
    for name in ("divergence", "free_energy"):
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(float(at[name]), abs=4 * error + 1e-3), name
    assert float(result["free_energy_bound"]) > float(at["free_energy"])
    assert float(result["energy"]) > float(at["energy"]) + 0.01  # what is drawn at once does not agree enough


def test_many_steps_are_the_target() -> None:
    found = [
        DiscreteFlow(steps=n, batch=128).simulate(seed=1).measure()["energy"] for n in (4, 64)
    ]  # fmt: skip
    exact = theory.ising(4, 2.269)["energy"]
    assert abs(found[1] - exact) < 0.07 < 0.3 < abs(found[0] - exact)


def test_a_small_table_measures_a_larger_lattice() -> None:
    """8 x 8 against Kaufman's formula, by weights; 16 x 16 only from above."""
    eight = DiscreteFlow.preset("free energy of 8 × 8").replace(temperature=3.5)
    result = eight.ensemble(samples=4, seed=3)
    exact = theory.ising(8, 3.5)["free_energy"]
    assert float(result["free_energy"]) == pytest.approx(
        exact, abs=4 * float(result["free_energy_standard_error"]) + 2e-3
    )
    large = eight.replace(side=16, batch=16).ensemble(samples=3, seed=3)
    assert float(large["free_energy_bound"]) > theory.ising(16, 3.5)["free_energy"]
