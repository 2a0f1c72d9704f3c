"""Random network: verified values, slow independent solution of the theory, simulation, the linear twin."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp
from scipy.interpolate import make_interp_spline
from scipy.linalg import eigh_tridiagonal

from mfexplore.core import NotOfferedError
from mfexplore.models.learning.random_network import RandomNetwork
from mfexplore.models.learning.random_network.theory import SLOPE
from mfexplore.numerics.matrices.blas import one_blas_thread

FAMILIES = {"random RNN tanh": "tanh", "random RNN phi=erf(sqrt(pi)x/2)": "erf"}


def active(model: RandomNetwork) -> dict[str, float]:
    """All observables of the active state, on whichever branch it is."""
    state = model.theory()
    branch = "chaotic" if float(state["residual"].sel(branch="chaotic")) <= model.tolerance else "quiescent"
    values = state.sel(branch=branch)
    names = ("variance", "activity", "lyapunov_exponent", "correlation_time", "dimension")
    return {name: float(values[name]) for name in names}


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("family", FAMILIES)
def test_verified_values_without_noise(family: str) -> None:
    rows = reference_values(family)
    assert len(rows) >= 3
    for row in rows:
        found = active(RandomNetwork(gain=float(row["params"].removeprefix("g=")), nonlinearity=FAMILIES[family]))
        quantity = row["quantity"]
        names = {
            "Delta(0)=<x^2>": ["variance"],
            "<phi^2> (=1-<phi'>)": ["activity"],
            "max Lyapunov exponent": ["lyapunov_exponent"],
            "tau with Delta(tau)=Delta(0)/2": ["correlation_time"],
            "[Delta0, lambda_max, tau_half]": ["variance", "lyapunov_exponent", "correlation_time"],
        }[quantity]
        for name, value in zip(names, np.atleast_1d(row["value"]), strict=True):
            assert found[name] == pytest.approx(value, rel=10.0 ** (1 - row["digits"])), f"{row['id']} {name}"


def test_verified_values_with_noise() -> None:
    rows = reference_values("random RNN erf with white noise sqrt(2D)")
    assert len(rows) == 3
    for row in rows:
        gain, noise = (float(part.split("=")[1]) for part in row["params"].split(","))
        found = active(RandomNetwork(gain=gain, noise=noise, nonlinearity="erf"))
        assert found["variance"] == pytest.approx(row["value"][0], rel=1e-9)
        assert found["lyapunov_exponent"] == pytest.approx(row["value"][1], abs=3e-7)


def test_verified_onsets_of_chaos() -> None:
    rows = reference_values("random RNN erf with white noise")
    assert len(rows) == 3
    for row in rows:
        model = RandomNetwork(gain=float(row["params"].removeprefix("g=")), nonlinearity="erf")
        assert model.landmark("onset_of_chaos", "noise")[0] == pytest.approx(row["value"], rel=1e-5)


@pytest.mark.parametrize(
    ("gain", "noise", "name"), [(2.0, 0.5, "random RNN erf, D=0.5"), (3.0, 0.0, "random RNN erf, D=0")]
)
def test_verified_simulations(gain: float, noise: float, name: str) -> None:
    """One network of 1000 neurons each: values to a few per cent, exponent to 0.03."""
    (row,) = reference_values(name)
    model = RandomNetwork(gain=gain, noise=noise, nonlinearity="erf", size=1000)
    run = model.simulate(seed=1)
    run.advance(50)
    first = len(run.series()[0])
    run.advance(120)
    series = run.series()[1]
    assert series["variance"][first:].mean() == pytest.approx(row["value"][1], rel=0.07)
    assert series["lyapunov_exponent"][first:].mean() == pytest.approx(row["value"][0], abs=0.03)
    found = active(model)
    assert [found["lyapunov_exponent"], found["variance"]] == pytest.approx(row["value"][2:], abs=2e-6)


# -- theory against a slow route -----------------------------------------------------------------------------------


def slow_state(gain: float, noise: float, variance: float) -> dict[str, float]:
    """Eq. (2) for tanh by a general solver and two-dimensional quadrature, eq. (5) by finite differences."""
    z = np.linspace(-9, 9, 151)  # of an analytic function the trapezoid rule leaves no error
    w = np.exp(-(z**2) / 2)
    w /= w.sum()
    angle = np.linspace(0, np.pi / 2, 160)
    covariance = variance * np.sin(angle)
    table = []
    for c in covariance:
        inner = np.tanh(np.sqrt(c) * z[:, None] + np.sqrt(max(variance - c, 0.0)) * z) @ w
        table.append(w @ inner**2)
    curve = make_interp_spline(angle, table, k=7)
    slope = w @ (1 - np.tanh(math.sqrt(variance) * z) ** 2)
    kappa = math.sqrt(1 - (gain * slope) ** 2)

    def rate(time: float, y: np.ndarray) -> list[float]:
        return [y[1], y[0] - gain**2 * float(curve(np.arcsin(min(y[0] / variance, 1.0))))]

    def at_end(time: float, y: np.ndarray) -> float:
        return float(y[1] if noise == 0 else variance - y[0])

    at_end.terminal, at_end.direction = True, -1  # type: ignore[attr-defined]
    start = 1e-5 * variance
    path = solve_ivp(
        rate, (0, 300), [start, kappa * start], "DOP853", rtol=1e-10, atol=1e-13, events=at_end, dense_output=True
    )
    end = path.t[-1]
    assert path.y[0, -1] == pytest.approx(variance, rel=1e-5)
    fine = np.linspace(max(end - 60, 0), end, 60_001)
    half = end - fine[np.searchsorted(path.sol(fine)[0], variance / 2)]
    energies = []
    far = end + 60  # a weakly bound state reaches far beyond the correlation
    for n in (6000, 12_000):
        h = far / n
        lag = (np.arange(n) + 0.5) * h
        delta = np.where(lag < end, path.sol(np.maximum(end - lag, 0))[0], start * np.exp(-kappa * (lag - end)))
        turned = np.arcsin(np.minimum(delta / variance, 1))
        potential = 1 - gain**2 * curve.derivative()(turned) / (variance * np.cos(turned))
        diagonal = 2 / h**2 + potential
        diagonal[0] -= 1 / h**2
        found = eigh_tridiagonal(diagonal, np.full(n - 1, -1 / h**2), select="i", select_range=(0, 0))[0]
        energies.append(found[0])
    energy = (4 * energies[1] - energies[0]) / 3
    lags = np.arange(0, end, 0.02)
    delta = path.sol(end - lags)[0]
    rates = curve(np.arcsin(np.minimum(delta / variance, 1)))
    omega = np.concatenate([np.linspace(0, 3, 600), np.linspace(3, 40, 900)[1:]])
    spectrum = np.array([2 * np.trapezoid(rates * np.cos(o * lags), lags) for o in omega])
    weight = np.gradient(omega)
    weight[[0, -1]] /= 2
    total = 0.0
    for sign in (1, -1):
        loop = 1 - (gain * slope) ** 2 / ((1 - 1j * omega)[:, None] * (1 + 1j * sign * omega))
        total += 2 * (weight * spectrum) @ (1 / np.abs(loop) ** 2 - 1) @ (weight * spectrum) / (4 * np.pi**2)
    dimension = table[-1] ** 2 / (table[-1] ** 2 + total)
    return {
        "activity": float(table[-1]),
        "lyapunov_exponent": math.sqrt(1 - energy) - 1,
        "correlation_time": float(half),
        "dimension": dimension,
    }


@pytest.mark.parametrize(("gain", "noise"), [(1.5, 0.0), (3.0, 0.0), (2.0, 0.4), (1.4, 0.5)])
def test_state_against_a_slow_solution(gain: float, noise: float) -> None:
    found = active(RandomNetwork(gain=gain, noise=noise))
    slow = slow_state(gain, noise, found["variance"])
    assert found["activity"] == pytest.approx(slow["activity"], abs=1e-9)
    assert found["lyapunov_exponent"] == pytest.approx(slow["lyapunov_exponent"], abs=3e-6)
    assert found["correlation_time"] == pytest.approx(slow["correlation_time"], abs=2e-3)
    assert found["dimension"] == pytest.approx(slow["dimension"], rel=2e-3)


@pytest.mark.parametrize("nonlinearity", ["tanh", "erf"])
def test_near_the_onset(nonlinearity: str) -> None:
    """Delta = Delta_0/cosh(kappa tau) with kappa = (gain - 1)/sqrt(3): exponent, time and dimension follow."""
    for excess, close in ((1e-3, 5e-3), (2e-5, 1e-3), (1e-6, 1e-5)):
        found = active(RandomNetwork(gain=1 + excess, nonlinearity=nonlinearity))
        assert found["lyapunov_exponent"] == pytest.approx(excess**2 / 2, rel=close)
        assert found["correlation_time"] == pytest.approx(math.acosh(2) * math.sqrt(3) / excess, rel=close)
        assert found["dimension"] == pytest.approx(4 * excess**3 / (math.sqrt(3) * np.pi**2), rel=close)


@given(st.floats(0.05, 0.95), st.sampled_from(["tanh", "erf"]))
def test_weak_noise_on_silence_is_linear(gain: float, nonlinearity: str) -> None:
    """Currents of a linear network: variance D/sqrt(1 - g^2), and every disturbance decays at the rate 1 - g."""
    noise = 1e-7
    found = active(RandomNetwork(gain=gain, noise=noise, nonlinearity=nonlinearity))
    assert found["variance"] == pytest.approx(noise / math.sqrt(1 - gain**2), rel=1e-3)
    assert found["lyapunov_exponent"] == pytest.approx(gain - 1, abs=1e-3)


@given(st.floats(0, 4), st.floats(0, 3), st.sampled_from(["tanh", "erf"]))
def test_state_solves_its_equations(gain: float, noise: float, nonlinearity: str) -> None:
    model = RandomNetwork(gain=gain, noise=noise, nonlinearity=nonlinearity)
    theory = model.theory()
    assert bool(theory["converged"].all())
    found = active(model)
    if noise > 0:
        chaotic = gain**2 * found["activity"] > found["variance"]
        assert (found["lyapunov_exponent"] > 0) == chaotic or abs(found["lyapunov_exponent"]) < 1e-5
    if nonlinearity == "tanh" and found["variance"] > 0:
        assert model.active_state()[SLOPE] == pytest.approx(1 - found["activity"], abs=1e-9)
    assert 0 <= found["dimension"] <= 1


@pytest.mark.parametrize(("gain", "noise"), [(1.2e-7, 0.375), (0.0, 4e-243)])
def test_the_weakest_coupling_and_the_faintest_noise_are_solved_too(gain: float, noise: float) -> None:
    model = RandomNetwork(gain=gain, noise=noise, nonlinearity="erf")
    found = active(model)
    assert found["variance"] == pytest.approx(noise, rel=1e-6, abs=1e-99)
    assert found["lyapunov_exponent"] == pytest.approx(-1, abs=1e-6)
    assert np.isfinite(model.autocorrelation(np.array([0.0, 1.0]))).all()


def test_without_coupling_only_noise_is_left() -> None:
    found = active(RandomNetwork(gain=0, noise=0.7))
    assert found["variance"] == 0.7
    assert found["lyapunov_exponent"] == pytest.approx(-1)
    assert found["correlation_time"] == pytest.approx(math.log(2))
    assert found["dimension"] == 1


@pytest.mark.parametrize("noise", [0.0, 0.3])
def test_autocorrelation_profile(noise: float) -> None:
    """It starts at the variance with slope -D, halves at the correlation time, and obeys eq. (2)."""
    model = RandomNetwork(gain=2, noise=noise, nonlinearity="erf")
    found = active(model)
    lags = np.arange(0, 30, 0.01)
    delta = model.autocorrelation(lags)
    assert delta[0] == found["variance"]
    assert (delta[1] - delta[0]) / 0.01 == pytest.approx(-noise, abs=6e-3)
    assert np.interp(found["correlation_time"], lags, delta) == pytest.approx(found["variance"] / 2, rel=1e-5)
    assert model.autocorrelation(np.array([10.0]))[0] == pytest.approx(delta[1000], rel=1e-9)
    b = np.pi / 2 / (1 + np.pi * delta[0] / 2)
    curvature = (delta[2:] - 2 * delta[1:-1] + delta[:-2]) / 1e-4
    expected = delta - 4 * 2 / np.pi * np.arcsin(b * delta)
    np.testing.assert_allclose(curvature[5:], expected[6:-1], atol=2e-5)
    assert (np.diff(delta) < 0).all()


# -- boundaries ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("nonlinearity", ["tanh", "erf"])
@pytest.mark.parametrize("noise", [0.01, 0.3, 1.5])
def test_the_exponent_vanishes_at_the_onset(nonlinearity: str, noise: float) -> None:
    model = RandomNetwork(noise=noise, nonlinearity=nonlinearity)
    gain = float(model.landmark("onset_of_chaos", "gain")[0])
    assert gain > 1
    there = model.replace(gain=gain)
    assert active(there)["lyapunov_exponent"] == pytest.approx(0, abs=2e-6)
    assert there.landmark("onset_of_chaos", "noise")[0] == pytest.approx(noise, rel=1e-9)
    below, above = (model.replace(gain=gain * factor).theory() for factor in (0.99, 1.01))
    assert model.phases[int(below["phase"])].name == "driven"
    assert model.phases[int(above["phase"])].name == "chaotic"


def test_symmetry_moves_the_onset_without_noise() -> None:
    model = RandomNetwork(symmetry=0.5)
    assert model.landmark("onset_of_chaos", "gain")[0] == pytest.approx(2 / 3)
    assert model.replace(gain=0.8).landmark("onset_of_chaos", "symmetry")[0] == pytest.approx(0.25)
    assert not model.replace(symmetry=-1).landmark("onset_of_chaos", "gain").size
    silent = model.replace(gain=0.6).theory()
    assert float(silent["lyapunov_exponent"].sel(branch="quiescent")) == pytest.approx(-0.1)
    active_ = model.replace(gain=1.5).theory()
    assert int(active_["validity"].sel(branch="chaotic")) == 1
    assert model.phases[int(active_["phase"])].name == "active"
    unknown = model.replace(gain=0.9).theory()
    assert not bool(unknown["converged"].sel(branch="chaotic"))
    with pytest.raises(NotOfferedError):
        model.replace(noise=0.1).landmark("onset_of_chaos", "gain")
    with pytest.raises(NotOfferedError):
        model.law()


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"gain": 0.8, "noise": 0.3},
        {"gain": 1.5, "noise": 0.4},
        {"gain": 2.0, "noise": 1.0, "nonlinearity": "erf"},
    ],
)
def test_simulation_meets_theory(controls: dict[str, Any]) -> None:
    model = RandomNetwork(size=500, **controls)
    found = active(model)
    runs = [model.simulate(seed=seed) for seed in range(5)]
    for run in runs:
        run.advance(130)
    for name, systematic in (("variance", 0.015), ("activity", 0.006), ("lyapunov_exponent", 0.02)):
        means = np.array([run.series()[1][name][60:].mean() for run in runs])
        error = means.std(ddof=1) / math.sqrt(len(runs))
        assert means.mean() == pytest.approx(found[name], abs=4 * error + systematic), name
    profiles = [run.profiles()["autocorrelation"] for run in runs]
    lags = profiles[0].coordinate[:12]
    measured, error = (np.array([getattr(p, name)[:12] for p in profiles]) for name in ("values", "error"))
    np.testing.assert_allclose(measured.mean(axis=0), model.autocorrelation(lags), atol=0.06 * found["variance"])
    spread = measured.std(axis=0, ddof=1)  # of networks, too, not of time alone
    assert 0.4 < np.sqrt(np.mean(error**2) / np.mean(spread**2)) < 2.5


def test_the_gap_to_theory_shrinks_with_the_size() -> None:
    gaps = []
    for size in (40, 640):
        model = RandomNetwork(gain=1.5, noise=0.5, size=size)
        means = []
        for seed in range(8 if size < 100 else 4):
            run = model.simulate(seed=seed)
            run.advance(100)
            means.append(run.series()[1]["variance"][50:].mean())
        gaps.append(np.sqrt(np.mean((np.array(means) - active(model)["variance"]) ** 2)))
    assert gaps[1] < 0.5 * gaps[0]


def test_steps_and_tangent_are_accurate() -> None:
    """Against a general solver with two nearby copies, without noise."""
    model = RandomNetwork(gain=1.8, size=60)
    run = model.simulate(seed=3)
    matrix = 1.8 * run.matrix.astype(np.float64)
    start = np.concatenate([run.x, run.x + 1e-6 * run.currents.tangent])

    def rate(time: float, y: np.ndarray) -> np.ndarray:
        a, b = y[:60], y[60:]
        return np.concatenate([matrix @ np.tanh(a) - a, matrix @ np.tanh(b) - b])

    end = solve_ivp(rate, (0, 4), start, rtol=1e-11, atol=1e-13).y[:, -1]
    run.advance(4)
    np.testing.assert_allclose(run.x, end[:60], atol=5e-3)
    growth = math.log(np.linalg.norm(end[60:] - end[:60]) / 1e-6)
    assert np.sum(run.series()[1]["lyapunov_exponent"]) * run.step == pytest.approx(growth, abs=0.02)


def test_silence_decays_at_the_edge_of_the_spectrum() -> None:
    run = RandomNetwork(gain=0.6, size=300).simulate(seed=4)
    with one_blas_thread():
        edge = 0.6 * np.linalg.eigvals(run.matrix.astype(np.float64)).real.max() - 1
    run.advance(300)
    assert run.observe()["variance"] == 0
    assert run.series()[1]["lyapunov_exponent"][300:].mean() == pytest.approx(edge, abs=0.01)


def test_couplings_have_the_symmetry_asked_for() -> None:
    for rho in (-1.0, 0.0, 0.4, 1.0):
        matrix = RandomNetwork(symmetry=rho, size=400).simulate(seed=5).matrix
        above = np.triu_indices(400, 1)
        assert np.corrcoef(matrix[above], matrix.T[above])[0, 1] == pytest.approx(rho, abs=0.02)
        assert matrix[above].var() * 400 == pytest.approx(1, abs=0.02)
        assert not np.diag(matrix).any()


def test_symmetric_couplings_come_to_rest_and_odd_ones_fall_silent() -> None:
    rest = RandomNetwork(gain=1.5, symmetry=1.0, size=200).simulate(seed=6)
    rest.advance(400)
    before = rest.x.copy()
    rest.advance(5)
    assert rest.observe()["variance"] > 0.1
    np.testing.assert_allclose(rest.x, before, atol=1e-3)
    odd = RandomNetwork(gain=3.0, symmetry=-1.0, size=200).simulate(seed=6)
    odd.advance(100)
    assert odd.observe()["variance"] < 1e-6


def test_gain_and_symmetry_can_be_turned_while_it_runs() -> None:
    run = RandomNetwork(size=100).simulate(seed=7)
    run.advance(10)
    x = run.x.copy()
    assert run.follow(run.model.replace(gain=2.5, symmetry=0.5))
    assert (run.x == x).all()
    assert run.profiles()["autocorrelation"].values.size == 0
    fresh = RandomNetwork(gain=2.5, symmetry=0.5, size=100).simulate(seed=7)
    np.testing.assert_array_equal(run.matrix, fresh.matrix)


# -- the linear network --------------------------------------------------------------------------------------------


def test_linear_network_foretells_the_covariance_of_each_pair() -> None:
    model = RandomNetwork(gain=2.0, noise=0.5, size=120)
    run = model.simulate(seed=8)
    run.advance(50)
    run._forget()
    run.advance(3000)
    above = np.triu_indices(120, 1)
    measured, predicted = run.covariance(), run.linear_covariance()
    assert np.corrcoef(measured[above], predicted[above])[0, 1] > 0.93
    assert measured[above] @ predicted[above] / (predicted[above] @ predicted[above]) == pytest.approx(1, abs=0.12)
    assert np.trace(predicted) / 120 == pytest.approx(active(model)["activity"], rel=1e-10)
    sizes = [np.trace(c) ** 2 / (120 * np.sum(c * c)) for c in (measured, predicted)]
    assert sizes[0] == pytest.approx(sizes[1], rel=0.1)


def test_linear_network_in_the_card_s_deep_chaos() -> None:
    """Gain 3 without noise; the card averaged one network of N = 500 over fifteen times as long a run, and neglected
    noise in C lowers its correlation with the prediction and its participation ratio a little.
    """
    (row,) = (r for r in reference_values("linear equivalence tanh") if r["id"] == "rnn_lineq_N500_g3_sim_trace")
    correlation, slope, measured_size, predicted_size = row["value"]
    model = RandomNetwork(gain=3.0, size=500)
    run = model.simulate(seed=2)
    run.advance(50)
    run._forget()
    run.advance(6000)
    measured, predicted = run.covariance(), run.linear_covariance()
    above = np.triu_indices(500, 1)
    c, p = measured[above], predicted[above]
    assert np.corrcoef(c, p)[0, 1] == pytest.approx(correlation, abs=0.02)
    assert c @ p / (c @ c) == pytest.approx(slope, abs=0.03)
    sizes = [np.trace(m) ** 2 / (500 * np.sum(m**2)) for m in (measured, predicted)]
    assert sizes[0] == pytest.approx(measured_size, abs=0.006)
    assert sizes[1] == pytest.approx(predicted_size, abs=0.012)
    assert active(model)["dimension"] == pytest.approx(predicted_size, abs=0.012)


def test_dimension_is_that_of_a_large_linear_network() -> None:
    model = RandomNetwork(gain=1.2, noise=0.5)
    sizes = []
    for seed in range(3):
        c = model.replace(size=400).simulate(seed=seed).linear_covariance()
        sizes.append(np.trace(c) ** 2 / (400 * np.sum(c * c)))
    assert np.mean(sizes) == pytest.approx(active(model)["dimension"], rel=0.03)


def test_every_picture_is_drawn_from_the_start() -> None:
    run = RandomNetwork(gain=1.5, noise=0.2, size=50).simulate(seed=9)
    with pytest.raises(NotOfferedError):
        run.covariance()
    first = dict(run.pictures())
    run.advance(40)
    later = dict(run.pictures())
    assert list(later) == ["currents", "eigenvalues", "covariances"]
    for name, picture in later.items():
        assert type(first[name]) is type(picture)
        assert picture.caption
    assert later["eigenvalues"].values.size == 50
    assert later["eigenvalues"].values.real.max() == pytest.approx(1.5 * run.model.active_state()[SLOPE] - 1, abs=0.35)
    (pairs,) = later["covariances"].series
    assert pairs.x.size == pairs.y.size > 500
