"""The ladder against sums over states, its own free energies, and what each rung is known to get right."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.models.inference.tap_ladder import TapLadder
from mfexplore.models.inference.tap_ladder.adaptive import adaptive
from mfexplore.models.inference.tap_ladder.expansion import space
from mfexplore.models.inference.tap_ladder.instance import instance
from mfexplore.models.inference.tap_ladder.ladder import ADAPTIVE, EXACT, NAIVE, TAP, THIRD

KINDS = ("sk", "hopfield", "ferromagnet", "rbm")
every_kind = pytest.mark.parametrize("kind", KINDS)
NAMES = [m.name for m in TapLadder.methods]


def states(n: int) -> np.ndarray:
    return np.array(list(itertools.product((-1.0, 1.0), repeat=n)))


def errors(model: TapLadder) -> np.ndarray:
    """Root mean square error of the m_i of every method."""
    sites = model.sites()
    return np.sqrt(np.mean((sites - sites[EXACT]) ** 2, axis=1))


# -- couplings -----------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize("size", [5, 12])
def test_couplings_are_symmetric_without_diagonal_and_frozen(kind: str, size: int) -> None:
    for matrix in instance(kind, size, 3, 1):
        np.testing.assert_array_equal(matrix, matrix.T)
        assert not np.diag(matrix).any()
        with pytest.raises(ValueError, match="read-only"):
            matrix[0, 1] = 1.0


def test_random_couplings_have_the_stated_variance() -> None:
    n = 300
    sk, _ = instance("sk", n, 1, 1)
    assert n * np.var(sk[np.triu_indices(n, 1)]) == pytest.approx(1, rel=0.02)
    rbm, uniform = instance("rbm", n, 1, 1)
    assert not rbm[: n // 2, : n // 2].any()
    assert n / 2 * np.var(rbm[: n // 2, n // 2 :]) == pytest.approx(1, rel=0.03)
    np.testing.assert_allclose(uniform.sum(axis=1), 1)
    np.testing.assert_allclose(instance("ferromagnet", n, 1, 1)[0].sum(axis=1), 1)


# -- exact ---------------------------------------------------------------------------------------------------------


@every_kind
@pytest.mark.parametrize(("temperature", "field", "bias"), [(1.2, 0.3, 0.4), (0.3, -0.1, 0.0), (2.0, 0.0, 1.0)])
def test_exact_is_the_sum_over_all_states(kind: str, temperature: float, field: float, bias: float) -> None:
    model = TapLadder(
        coupling_kind=kind, temperature=temperature, field=field, ferromagnetic_bias=bias, size=9, disorder=0.8
    )
    s = states(9)
    energy = -0.5 * np.einsum("ki,ij,kj->k", s, model.couplings(), s) - field * s.sum(axis=1)
    weight = np.exp(-energy / temperature)
    z = weight.sum()
    weight /= z
    theory = model.theory(method="exact")
    m = weight @ s
    np.testing.assert_allclose(theory["site_magnetization"], m, atol=1e-12)
    assert float(theory["free_energy"]) == pytest.approx(-temperature * math.log(z) / 9, rel=1e-12)
    connected = (s.T * weight) @ s - np.outer(m, m)
    pairs = connected[np.triu_indices(9, 1)]
    assert float(theory["correlation"]) == pytest.approx(math.sqrt(np.mean(pairs**2)), rel=1e-10)


def test_rungs_that_cost_too_much_are_absent() -> None:
    for size, method in ((21, "exact"), (51, "plefka3"), (51, "adaptive_tap")):
        theory = TapLadder(size=size).theory(method=method)
        assert np.isnan(theory["residual"])
        assert bool(theory["converged"])


# -- the expansion -------------------------------------------------------------------------------------------------


def gibbs(order: int, m: np.ndarray, beta: float, field: float, j: np.ndarray) -> float:
    """-beta G of eq. (2), written as plainly as possible."""
    v = 1 - m**2
    n = len(m)
    total = -sum(p * math.log(p) for x in m for p in ((1 + x) / 2, (1 - x) / 2))
    total += beta * field * m.sum()
    for i, k in itertools.combinations(range(n), 2):
        total += beta * j[i, k] * m[i] * m[k]
        if order >= 2:
            total += beta**2 / 2 * j[i, k] ** 2 * v[i] * v[k]
        if order >= 3:
            total += 2 * beta**3 / 3 * j[i, k] ** 3 * m[i] * v[i] * m[k] * v[k]
    if order >= 3:
        for i, k, q in itertools.combinations(range(n), 3):
            total += beta**3 * j[i, k] * j[k, q] * j[q, i] * v[i] * v[k] * v[q]
    return total


@every_kind
@pytest.mark.parametrize("method", [NAIVE, TAP, THIRD])
def test_solutions_are_stationary_points_of_their_free_energy(kind: str, method: int) -> None:
    model = TapLadder(coupling_kind=kind, temperature=1.6, field=0.25, ferromagnetic_bias=0.3, size=7)
    theory = model.theory(method=NAMES[method])
    m, beta, j = theory["site_magnetization"].values, 1 / 1.6, model.couplings()
    assert float(theory["free_energy"]) == pytest.approx(-1.6 * gibbs(method + 1, m, beta, 0.25, j) / 7, rel=1e-12)
    for i in range(7):
        step = np.zeros(7)
        step[i] = 1e-5
        slope = gibbs(method + 1, m + step, beta, 0.25, j) - gibbs(method + 1, m - step, beta, 0.25, j)
        assert slope / 2e-5 == pytest.approx(0, abs=1e-8)


@every_kind
@pytest.mark.parametrize("method", [NAIVE, TAP, THIRD])
def test_responses_are_derivatives_of_the_means(kind: str, method: int) -> None:
    """Sum over chi_ij = T dm_i/dh: the correlation observable must come from the same matrix."""
    model = TapLadder(coupling_kind=kind, temperature=1.8, field=0.2, size=6)
    j, beta, n = model.couplings(), 1 / 1.8, 6
    m = model.sites()[method]

    def minus_gradient(x: np.ndarray) -> np.ndarray:
        steps = 1e-5 * np.eye(n)
        return np.array(
            [(gibbs(method + 1, x + s, beta, 0.2, j) - gibbs(method + 1, x - s, beta, 0.2, j)) / 2e-5 for s in steps]
        )

    curvature = np.array([(minus_gradient(m - s) - minus_gradient(m + s)) / 2e-3 for s in 1e-3 * np.eye(n)])
    chi = np.linalg.inv(curvature)
    expected = math.sqrt(np.mean(chi[np.triu_indices(n, 1)] ** 2))
    found = float(model.theory(method=NAMES[method])["correlation"])
    assert found == pytest.approx(expected, rel=1e-3)


@every_kind
@pytest.mark.parametrize("order", [1, 2, 3])
def test_error_falls_with_the_next_power_of_the_couplings(kind: str, order: int) -> None:
    """An expansion to order n misses the m_i by J^(n+1): halving J divides the error by 2^(n+1)."""
    method = order - 1
    gaps = [
        errors(TapLadder(coupling_kind=kind, temperature=3.0, field=0.5, disorder=d, size=8, load=0.4))[method]
        for d in (0.1, 0.05)
    ]
    power = math.log2(gaps[0] / gaps[1])
    assert power > order + 0.65
    assert kind == "ferromagnet" or power < order + 1.35  # on the ring the next term happens to be small


@given(st.floats(0.3, 3), st.floats(0, 1), st.floats(0, 2), st.sampled_from(KINDS), st.integers(1, 50))
def test_naive_mean_field_is_a_bound(t: float, h: float, bias: float, kind: str, sample: int) -> None:
    model = TapLadder(temperature=t, field=h, ferromagnetic_bias=bias, coupling_kind=kind, sample=sample, size=8)
    theory = model.theory()
    naive, exact = (float(theory["free_energy"].sel({"method": m})) for m in ("naive", "exact"))
    assert bool(theory["converged"].sel({"method": "naive"}))
    assert naive >= exact - 1e-12


# -- adaptive TAP --------------------------------------------------------------------------------------------------


@every_kind
def test_adaptive_tap_is_consistent(kind: str) -> None:
    """Its means satisfy eq. (4) with reactions found independently, by plain iteration."""
    model = TapLadder(coupling_kind=kind, temperature=1.8, field=0.3, size=9)
    j, beta, m = model.couplings(), 1 / 1.8, model.sites()[ADAPTIVE]
    v, reaction = 1 - m**2, np.zeros(9)
    for _ in range(2000):
        chi = np.linalg.inv(np.diag(reaction + 1 / v) - beta * j)
        reaction += 0.5 * (1 / v - 1 / np.diag(chi))
    np.testing.assert_allclose(m, np.tanh(beta * (0.3 + j @ m) - reaction * m), atol=1e-10)


@every_kind
def test_adaptive_tap_is_found_below_the_onset_and_no_runaway_counts(kind: str) -> None:
    """Frozen spins hide an inconsistent reaction; its free energy would lie far below the exact one."""
    axes = {"ferromagnetic_bias": np.linspace(0, 2, 7), "temperature": np.linspace(0.5, 3, 11)}
    theory = TapLadder(coupling_kind=kind, sample=4).theory(**axes)
    found, exact = (theory.sel({"method": name}) for name in ("adaptive_tap", "exact"))
    assert float(found["converged"].mean()) > 0.96
    assert float(np.abs(found["free_energy"] - exact["free_energy"]).max()) < 0.1


def test_adaptive_free_energy_gives_the_means() -> None:
    """It is stationary too, so its derivative by the field is minus the magnetization."""
    model = TapLadder(temperature=1.5, field=0.2)
    step = 1e-4
    f = [float(model.theory(field=0.2 + s, method="adaptive_tap")["free_energy"]) for s in (-step, step)]
    m = float(model.theory(method="adaptive_tap")["magnetization"])
    assert -(f[1] - f[0]) / (2 * step) == pytest.approx(m, abs=1e-6)


def test_adaptive_reaction_becomes_that_of_tap_in_a_large_glass() -> None:
    """For independent couplings V_i tends to beta^2 (1 - q): both theories agree as N grows."""
    gaps = []
    for size in (20, 200):
        tap = TapLadder(temperature=1.5, field=0.3, size=size).sites()[TAP]
        couplings, _ = instance("sk", size, 1, 1)
        m = tap.copy()
        adaptive(1 / 1.5, 0.3, couplings, m, space(couplings, False), 40)
        gaps.append(np.sqrt(np.mean((m - tap) ** 2)))
    assert gaps[1] < 0.5 * gaps[0]


# -- limits --------------------------------------------------------------------------------------------------------


def test_uniform_couplings_become_exact_with_size() -> None:
    """Curie-Weiss: naive mean field is right as N grows, its gap falls like 1/N."""
    model = TapLadder(disorder=0.0, ferromagnetic_bias=0.8, temperature=1.0, field=0.3)
    gaps = [errors(model.replace(size=n))[NAIVE] for n in (5, 10, 20)]
    assert gaps[0] / gaps[1] == pytest.approx(2, rel=0.25)
    assert gaps[1] / gaps[2] == pytest.approx(2, rel=0.15)


def test_ring_by_transfer_matrix() -> None:
    """The ring with four neighbours is a chain of pairs of spins; its free energy is the trace of a power."""
    t, h, n = 0.9, 0.1, 12
    beta = 1 / t
    pairs = list(itertools.product((-1, 1), repeat=2))
    matrix = np.array([
        [math.exp(beta * (0.25 * b * c + 0.25 * a * c + h * c)) if b == b2 else 0.0 for b2, c in pairs]
        for a, b in pairs
    ])  # fmt: skip
    z = np.trace(np.linalg.matrix_power(matrix, n))
    theory = TapLadder(coupling_kind="ferromagnet", temperature=t, field=h, size=n).theory(method="exact")
    assert float(theory["free_energy"]) == pytest.approx(-t * math.log(z) / n, rel=1e-12)


def test_ladder_climbs_at_high_temperature() -> None:
    mean = np.mean([errors(TapLadder(temperature=2.0, field=0.3, sample=k, size=10)) for k in range(1, 21)], axis=0)
    assert mean[NAIVE] > 8 * mean[TAP] > 12 * mean[THIRD]
    assert mean[ADAPTIVE] < mean[TAP]


@every_kind
def test_flipping_the_field_flips_every_mean(kind: str) -> None:
    model = TapLadder(coupling_kind=kind, temperature=1.1, field=0.3)
    np.testing.assert_allclose(model.sites(), -model.replace(field=-0.3).sites(), atol=1e-9)


def test_flags() -> None:
    cold = TapLadder(temperature=0.8, field=0.1).theory()["validity"]
    assert cold.sel({"method": "tap"}) == 2
    assert cold.sel({"method": "naive"}) == 0
    symmetric = TapLadder(temperature=0.8, field=0.0, disorder=0.0, ferromagnetic_bias=1.5).theory()
    assert symmetric["validity"].sel({"method": "naive"}) == 3
    assert float(symmetric["magnetization"].sel({"method": "naive"})) > 0.7
    assert float(symmetric["magnetization"].sel({"method": "exact"})) == 0


@pytest.mark.parametrize(("name", "method"), [("onset_naive", NAIVE), ("onset_tap", TAP), ("onset_plefka3", THIRD)])
def test_onsets_are_where_order_begins(name: str, method: int) -> None:
    model = TapLadder(disorder=0.2, ferromagnetic_bias=1.5, field=0.0)
    onset = model.landmark(name, "temperature")[0]
    below, above = (np.abs(model.replace(temperature=f * onset).sites()[method]).max() for f in (0.98, 1.02))
    assert below > 0.05
    assert above < 1e-6 or method == THIRD  # whose order begins with a jump, above the instability


# -- dynamics ------------------------------------------------------------------------------------------------------


def test_sampling_finds_the_exact_means() -> None:
    model = TapLadder(temperature=1.2, field=0.2)
    runs = [model.simulate(seed=k) for k in range(8)]
    for run in runs:
        run.advance(2000)
    exact = model.theory(method="exact")
    for name in ("magnetization", "overlap"):
        found = [run.observe()[name] for run in runs]
        error = np.std(found, ddof=1) / math.sqrt(len(runs))
        assert error < 0.02
        assert np.mean(found) == pytest.approx(float(exact[name]), abs=4 * error + 0.003)  # 0.003: finite time
    short = np.mean([run.series()[1]["distance"][200] for run in runs])
    assert short / np.mean([run.observe()["distance"] for run in runs]) == pytest.approx(math.sqrt(10), rel=0.4)


@pytest.mark.parametrize("kind", KINDS)
def test_tap_iteration_ends_in_the_solution_of_the_theory(kind: str) -> None:
    model = TapLadder(temperature=2.0, coupling_kind=kind, dynamics="tap")
    run = model.simulate(seed=2)
    run.advance(300)
    assert run.observe()["change"] < 1e-12
    np.testing.assert_allclose(run.means, model.sites()[TAP], atol=1e-9)


def at_temperature(field: float) -> float:
    """De Almeida-Thouless temperature of the Sherrington-Kirkpatrick model by plain quadrature."""
    z = np.linspace(-10, 10, 2001)
    w = np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi) * (z[1] - z[0])
    low, high = 0.2, 1.2
    for _ in range(30):
        t, q = 0.5 * (low + high), 0.5
        for _ in range(400):
            q = float(w @ np.tanh((math.sqrt(q) * z + field) / t) ** 2)
        if w @ np.cosh((math.sqrt(q) * z + field) / t) ** -4 > t**2:
            low = t
        else:
            high = t
    return 0.5 * (low + high)


def test_right_time_index_works_down_to_the_at_line_the_wrong_one_does_not() -> None:
    model = TapLadder(size=300, field=0.5)
    line = at_temperature(0.5)
    assert line == pytest.approx(0.535, abs=1e-3)
    for factor, dynamics, settles in ((1.35, "tap", True), (0.8, "tap", False), (2.5, "tap_wrong_index", False)):
        run = model.replace(temperature=factor * line, dynamics=dynamics).simulate(seed=1)
        run.advance(400)
        assert (run.observe()["change"] < 1e-8) == settles


def test_a_running_simulation_starts_its_means_anew_when_the_temperature_changes() -> None:
    run = TapLadder(temperature=3.0).simulate(seed=1)
    run.advance(500)
    assert run.follow(run.model.replace(temperature=0.5))
    run.advance(1)
    assert set(np.abs(run.means)) == {1.0}
    np.testing.assert_allclose(run.local, run.couplings @ run.spins, atol=1e-12)
