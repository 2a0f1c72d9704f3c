"""Kuramoto: values, independent Fokker-Planck route, stability by eigenvalues, simulation against theory."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad, solve_ivp
from scipy.special import ive

from mfexplore.core import NotOfferedError
from mfexplore.families.synchronization import DENSITIES
from mfexplore.models.collective.kuramoto import Kuramoto

TIGHT = {"temperature": 0.0, "disorder": 1.0}


def coherent(model: Kuramoto, observable: str = "coherence", branch: str = "coherent") -> float:
    return float(model.theory()[observable].sel(branch=branch))


def late(model: Kuramoto, seed: int, relax: float, window: float) -> dict[str, tuple[float, float]]:
    """Mean and standard error (from ten blocks) of what a single run shows after it has relaxed."""
    run = model.simulate(seed=seed)
    run.advance(relax)
    states = []
    for _ in range(round(window / run.step)):  # the trace itself has ever fewer points
        run.advance()
        states.append(run.observe())
    found = {}
    for name in states[0]:
        blocks = np.array([b.mean() for b in np.array_split([state[name] for state in states], 10)])
        found[name] = (float(blocks.mean()), float(blocks.std(ddof=1) / math.sqrt(10)))
    return found


# -- verified values -----------------------------------------------------------------------------------------------


def of_reference(reference: dict[str, Any]) -> Kuramoto:
    """The model at the controls of a reference, which names them as the literature does."""
    p, name = reference["params"], reference["id"]
    words = {"kur_lor": "lorentzian", "kur_gau": "gaussian", "xy": "identical"}
    frequencies = next(word for start, word in words.items() if name.startswith(start))
    return Kuramoto(
        coupling=p.get("K", p.get("J", 2.0)),
        temperature=p.get("D", p.get("T", 0.0)),
        disorder=p.get("gamma", p.get("sigma", 1.0)),
        frequencies=frequencies,
        size=p.get("N", 20_000),
        start="coherent",
    )


@pytest.mark.parametrize("reference", reference_values("kuramoto_xy"), ids=lambda r: r["id"])
def test_verified_values(reference: dict[str, Any]) -> None:
    model = of_reference(reference)
    if reference["quantity"] == "K_c":
        assert model.landmark("critical_coupling", "coupling")[0] == pytest.approx(reference["value"], rel=1e-13)
    elif reference["verified"] == "simulation":
        mean, error = late(model, 0, 40, 100)["coherence"]
        assert mean == pytest.approx(reference["value"], abs=5 * error)
        assert mean == pytest.approx(coherent(model), abs=5 * error)
    else:
        assert coherent(model) == pytest.approx(reference["value"], rel=10.0 ** (2 - reference["digits"]))


# -- theory against slower routes ----------------------------------------------------------------------------------


def rotor_mean(field: float, noise: float, omega: float) -> complex:
    """<exp(i theta)> from the stationary density of the Fokker-Planck equation, written out as a double integral."""
    n = 768
    theta = np.arange(n) * 2 * np.pi / n
    ahead = theta[:, None] + theta[None, :]
    energy = -(omega * ahead + field * np.cos(ahead)) / noise
    here = -(omega * theta + field * np.cos(theta)) / noise
    density = np.exp(energy - here[:, None]).sum(axis=1)
    # The inner integral runs over one turn, at whose ends the integrand differs: trapezoid rule with both ends.
    density += 0.5 * (math.exp(-2 * np.pi * omega / noise) - 1)
    density /= density.sum()
    return complex(density @ np.exp(1j * theta))


@pytest.mark.parametrize(
    ("frequencies", "coupling", "noise"),
    [("gaussian", 2.4, 0.4), ("gaussian", 4.0, 1.0), ("uniform", 1.9, 0.3), ("uniform", 3.0, 1.0)],
)
def test_coherence_is_self_consistent_in_the_fokker_planck_equation(
    frequencies: str, coupling: float, noise: float
) -> None:
    model = Kuramoto(coupling, noise, 1.0, frequencies=frequencies)
    r = coherent(model)
    if frequencies == "gaussian":
        x, weights = np.polynomial.hermite_e.hermegauss(40)
        weights = weights / weights.sum()
    else:
        x, weights = np.polynomial.legendre.leggauss(24)
        weights = weights / 2
    x, weights = x[x > 0], 2 * weights[x > 0]  # of -omega the mean is the complex conjugate
    means = np.array([rotor_mean(coupling * r, noise, omega) for omega in x])
    # The trapezoid rule of the inner integral, over a step that is not periodic, limits this route.
    assert weights @ means.real == pytest.approx(r, abs=2e-5)
    saved = coupling * r * (weights @ (x * means.imag))
    assert saved == pytest.approx(coherent(model, "power_saved"), abs=5e-5)


@pytest.mark.parametrize("coupling", [1.61, 1.8, 3.0, 8.0])
def test_gaussian_without_noise_in_closed_form(coupling: float) -> None:
    r = coherent(Kuramoto(coupling, frequencies="gaussian", **TIGHT))
    x = (coupling * r / 2) ** 2
    assert coupling * math.sqrt(math.pi / 8) * (ive(0, x) + ive(1, x)) == pytest.approx(1, rel=1e-11)


@pytest.mark.parametrize("coupling", [1.2733, 1.4, 3.0])
def test_uniform_without_noise_is_an_integral_over_locked_oscillators(coupling: float) -> None:
    r = coherent(Kuramoto(coupling, frequencies="uniform", **TIGHT))
    integral = quad(lambda w: math.sqrt(1 - (w / (coupling * r)) ** 2), 0, 1, epsabs=1e-13)[0]
    assert integral == pytest.approx(r, rel=1e-9)


@pytest.mark.parametrize("frequencies", ["lorentzian", "gaussian", "uniform", "bimodal", "identical"])
def test_a_little_noise_changes_little(frequencies: str) -> None:
    without = Kuramoto(3.0, 0.0, 0.6, 0.4, frequencies=frequencies)
    assert coherent(without.replace(temperature=1e-9)) == pytest.approx(coherent(without), rel=1e-7)
    assert coherent(without.replace(temperature=1e-5)) == pytest.approx(coherent(without), rel=1e-3)


@given(st.sampled_from(DENSITIES), st.floats(0.5, 3.9), st.floats(0, 1), st.floats(0, 1), st.floats(0, 2))
@settings(max_examples=25, deadline=None)
def test_only_ratios_of_rates_matter(
    frequencies: str, coupling: float, noise: float, width: float, separation: float
) -> None:
    slow = Kuramoto(coupling, noise, width, separation, frequencies=frequencies)
    fast = Kuramoto(2 * coupling, 2 * noise, 2 * width, 2 * separation, frequencies=frequencies)
    a, b = slow.theory(), fast.theory()
    np.testing.assert_array_equal(a["stable"], b["stable"])
    np.testing.assert_allclose(a["coherence"], b["coherence"], atol=1e-9)
    np.testing.assert_allclose(4 * a["power_saved"], b["power_saved"], atol=1e-8)


@given(st.floats(0.1, 8), st.floats(0, 2), st.floats(0, 2))
@settings(max_examples=25, deadline=None)
def test_lorentzian_saves_the_power_of_its_pole(coupling: float, noise: float, width: float) -> None:
    theory = Kuramoto(coupling, noise, width).theory().sel(branch="coherent")
    expected = coupling * width * theory["coherence"] ** 2
    np.testing.assert_allclose(theory["power_saved"], expected, atol=1e-10)


def test_two_sharp_lines_without_noise() -> None:
    """F = sqrt(1 - (w0/q)^2): the fold lies at K = 2 w0 with r = 1/sqrt(2), and both branches solve a quadratic."""
    model = Kuramoto(2.5, 0.0, 0.0, 1.0, frequencies="bimodal")
    assert model.landmark("fold", "coupling")[0] == pytest.approx(2, rel=1e-10)
    root = math.sqrt(0.25 - 1 / 2.5**2)
    assert coherent(model) == pytest.approx(math.sqrt(0.5 + root), rel=1e-10)
    assert coherent(model, branch="unstable") == pytest.approx(math.sqrt(0.5 - root), rel=1e-10)


def test_rotors_are_a_magnet() -> None:
    model = Kuramoto(1.0, 0.3, frequencies="identical")
    landscape = model.landscape()
    lowest = landscape.coordinate[np.argmin(landscape.free_energy)]
    assert lowest == pytest.approx(coherent(model), abs=0.002)
    near = model.replace(temperature=0.5 - 1e-5)
    assert coherent(near) ** 2 == pytest.approx(2 * (1 - 2 * near.temperature), rel=1e-3)
    assert coherent(model.replace(temperature=0)) == 1
    with pytest.raises(NotOfferedError):
        Kuramoto().landscape()


def test_mean_velocities_add_up_to_the_power() -> None:
    """Integral over the density of w (w - <velocity>), from the profile, against eq. (6)."""
    model = Kuramoto(2.5, 0.3, 1.0, frequencies="gaussian")
    profile = model.theory()["effective_frequency"].sel(branch="coherent")
    omega, velocity = profile["natural_frequency"].values, profile.values
    density = np.exp(-(omega**2) / 2) / math.sqrt(2 * math.pi)
    saved = np.trapezoid(density * omega * (omega - velocity), omega)
    assert saved == pytest.approx(coherent(model, "power_saved"), abs=1e-6)
    locked = model.replace(temperature=0).theory()["effective_frequency"].sel(branch="coherent")
    field = 2.5 * coherent(model.replace(temperature=0))
    assert (locked.values[np.abs(omega) < field] == 0).all()
    assert (locked.values[np.abs(omega) > field] != 0).all()


# -- boundaries and stability --------------------------------------------------------------------------------------


@pytest.mark.parametrize("frequencies", DENSITIES)
def test_critical_coupling_is_the_integral(frequencies: str) -> None:
    model = Kuramoto(2.0, 0.4, 0.7, 0.5, frequencies=frequencies)

    def density(w: float) -> float:
        if frequencies == "gaussian":
            return math.exp(-((w / 0.7) ** 2) / 2) / (0.7 * math.sqrt(2 * math.pi))
        peaks = (-0.5, 0.5) if frequencies == "bimodal" else (0.0,)
        return sum(0.7 / math.pi / ((w - p) ** 2 + 0.49) for p in peaks) / len(peaks)

    if frequencies == "identical":
        integral = 1 / 0.4
    elif frequencies == "uniform":
        integral = quad(lambda w: 0.4 / (0.16 + w * w) / 1.4, -0.7, 0.7)[0]
    else:
        integral = 2 * quad(lambda w: density(w) * 0.4 / (0.16 + w * w), 0, np.inf, epsabs=1e-12)[0]
    assert model.landmark("critical_coupling", "coupling")[0] == pytest.approx(2 / integral, rel=1e-9)


@pytest.mark.parametrize("frequencies", DENSITIES)
@pytest.mark.parametrize("along", ["temperature", "disorder", "separation"])
@pytest.mark.parametrize("name", ["critical_coupling", "fold"])
def test_landmarks_agree_along_every_axis(frequencies: str, along: str, name: str) -> None:
    model = Kuramoto(2.0, 0.2, 0.3, 0.6, frequencies=frequencies)
    found = model.landmark(name, "coupling")
    if not found.size:
        assert name == "fold"
        return
    there = model.replace(coupling=found[0])
    values = there.landmark(name, along)
    matters = (along != "separation" or frequencies == "bimodal") and (along, frequencies) != ("disorder", "identical")
    if name == "critical_coupling" and (along, frequencies) == ("separation", "bimodal"):
        matters = False  # two turning groups: K_c = 4 (width + noise), whatever their separation
    assert values.size == int(matters)
    if matters:
        assert values[0] == pytest.approx(getattr(model, along), abs=1e-9)


@pytest.mark.parametrize("frequencies", ["lorentzian", "gaussian", "identical"])
def test_coherence_sets_in_continuously_at_the_critical_coupling(frequencies: str) -> None:
    model = Kuramoto(2.0, 0.3, 0.5, frequencies=frequencies)
    critical = float(model.landmark("critical_coupling", "coupling")[0])
    above = coherent(model.replace(coupling=critical * (1 + 1e-8)))
    assert 0 < above < 1e-3
    assert np.isnan(coherent(model.replace(coupling=critical * (1 - 1e-8))))


def test_uniform_frequencies_jump_without_hysteresis() -> None:
    model = Kuramoto(2.0, frequencies="uniform", **TIGHT)
    critical = float(model.landmark("critical_coupling", "coupling")[0])
    assert critical == pytest.approx(4 / math.pi, rel=1e-14)
    assert coherent(model.replace(coupling=critical * (1 + 1e-12))) == pytest.approx(math.pi / 4, abs=1e-6)
    below = model.replace(coupling=critical * (1 - 1e-12)).theory()
    assert np.isnan(below["coherence"].values[1:]).all()
    assert bool(below["stable"].sel(branch="incoherent"))


def growth_rate(model: Kuramoto, r: float, modes: int = 40) -> float:
    """Largest real part of the spectrum of eq. (5) for two Lorentzian groups, linearised around a state of coherence r;
    the turn of all phases together, which is neutral, is left out.
    """
    k, d, g, w = model.coupling, model.temperature, model.disorder, model.separation
    field = k * r
    stationary = []
    for omega in (w, -w):
        ratios, s = np.zeros(modes + 1, complex), 0j
        for n in range(modes + 60, 0, -1):
            s = 0.5 * field / (n * d + g - 1j * omega + 0.5 * field * s)
            if n <= modes:
                ratios[n] = s
        stationary.append(np.concatenate([[1], np.cumprod(ratios[1:])]))
    size = 4 * modes  # real and imaginary parts of both groups

    def flow(y: np.ndarray) -> np.ndarray:
        z = y.reshape(2, 2, modes)
        z = z[:, 0] + 1j * z[:, 1]
        mean = z[:, 0].mean()
        n = np.arange(1, modes + 1)
        out = np.empty((2, 2, modes))
        for group, omega in enumerate((w, -w)):
            before = np.concatenate([[1], z[group, :-1]])
            after = np.concatenate([z[group, 1:], [z[group, -1] * z[group, 0]]])
            change = (1j * n * omega - n * g - n * n * d) * z[group]
            change += 0.5 * n * k * (mean * before - np.conj(mean) * after)
            out[group] = change.real, change.imag
        return out.ravel()

    y = np.array([[s[1:].real, s[1:].imag] for s in stationary]).ravel()
    assert np.abs(flow(y)).max() < 1e-6
    step = 1e-6
    jacobian = np.array([(flow(y + step * e) - flow(y - step * e)) / (2 * step) for e in np.eye(size)]).T
    rates = np.linalg.eigvals(jacobian)
    if r > 0:
        rates = np.delete(rates, np.argmin(np.abs(rates)))
    return float(rates.real.max())


@pytest.mark.parametrize(
    ("coupling", "noise", "width", "separation"),
    [
        (1.9, 0.1, 0.4, 0.5), (1.85, 0.05, 0.4, 0.55), (2.6, 0.2, 0.3, 0.9), (3.1, 0.3, 0.5, 0.9), (2.2, 0.1, 0.4, 0.2),
        (1.5, 0.1, 0.2, 1.0),
    ],
)  # fmt: skip
def test_stability_is_that_of_the_spectrum(coupling: float, noise: float, width: float, separation: float) -> None:
    theory = (model := Kuramoto(coupling, noise, width, separation, frequencies="bimodal")).theory()
    seen = 0
    for branch in theory["branch"].values:
        r = float(theory["coherence"].sel(branch=branch))
        if np.isfinite(r):
            assert bool(theory["stable"].sel(branch=branch)) == (growth_rate(model, r) < 0), branch
            seen += 1
    assert seen >= 1


def test_where_two_groups_turn_no_stationary_state_is_stable() -> None:
    model = Kuramoto.preset("standing wave")
    theory = model.theory()
    assert not theory["stable"].any()
    assert int(theory["equilibrium"]) == -1
    assert model.phases[int(theory["phase"])].name == "standing_wave"
    assert int(theory["validity"].sel(branch="incoherent")) == 1
    assert growth_rate(model, 0.0) == pytest.approx(model.coupling / 4 - 0.2, abs=1e-6)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"frequencies": "lorentzian", "coupling": 3.0, "temperature": 0.5, "disorder": 0.5},
        {"frequencies": "gaussian", "coupling": 2.4, "temperature": 0.2, "disorder": 1.0},
        {"frequencies": "uniform", "coupling": 1.8, "temperature": 0.2, "disorder": 1.0},
        {"frequencies": "bimodal", "coupling": 2.6, "temperature": 0.1, "disorder": 0.4, "separation": 0.6},
        {"frequencies": "identical", "coupling": 1.0, "temperature": 0.3},
    ],
    ids=lambda c: c["frequencies"],
)
def test_simulation_meets_theory(controls: dict[str, Any]) -> None:
    model = Kuramoto(size=10_000, start="coherent", **controls)
    found = late(model, 3, 15, 40)
    mean, error = found["coherence"]
    assert mean == pytest.approx(coherent(model), abs=4.5 * error + 2e-4)
    assert found["locked_fraction"][0] == pytest.approx(coherent(model, "locked_fraction"), abs=2e-3)
    assert found["power_saved"][0] == pytest.approx(coherent(model, "power_saved"), rel=0.01)


def test_incoherence_is_of_order_one_over_the_root_of_the_size() -> None:
    """Far below K_c the mean field is a sum of N unit vectors, enlarged by 1/sqrt(1 - K/K_c) for equal frequencies."""
    for size in (500, 8000):
        model = Kuramoto(0.5, 1.0, frequencies="identical", size=size)
        run = model.simulate(seed=4)
        run.advance(20)
        squares = []
        for _ in range(1400):
            run.advance()
            squares.append(run.observe()["coherence"] ** 2)
        squared = np.mean(squares)
        assert squared * size == pytest.approx(1 / (1 - 0.25), rel=0.15)


def test_the_gap_to_theory_shrinks_with_the_size() -> None:
    gaps = []
    for size, samples in ((100, 6), (10_000, 4)):
        model = Kuramoto(2.3, 0.1, 1.0, size=size, start="coherent", sampling="random")
        means = [late(model, seed, 15, 30)["coherence"][0] for seed in range(samples)]
        gaps.append(np.sqrt(np.mean((np.array(means) - coherent(model)) ** 2)))
    assert gaps[1] < 0.3 * gaps[0]


def test_steps_are_accurate_to_second_order() -> None:
    """Against an adaptive high-order solver of eq. (1) as a double sum, without noise."""
    model = Kuramoto(2.5, size=30, frequencies="gaussian", **TIGHT)
    errors = []
    for refinement in (1, 2, 4):
        run = model.simulate(seed=5)
        run.longest /= refinement
        start, omega = run.state.theta.copy(), run.state.omega

        def slope(time: float, theta: np.ndarray) -> np.ndarray:
            return omega + model.coupling * np.sin(theta[None, :] - theta[:, None]).mean(axis=1)  # noqa: B023

        run.advance(3)
        exact = solve_ivp(slope, (0, 3), start, rtol=1e-10, atol=1e-10).y[:, -1]
        errors.append(float(np.abs(np.exp(1j * run.state.theta) - np.exp(1j * exact)).max()))
    assert errors[0] < 1e-2
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.2)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.2)


@pytest.mark.parametrize(
    "controls",
    [
        {"coupling": 0.0, "temperature": 0.3, "disorder": 0.4},
        {"coupling": 3.0, "temperature": 0.0, "disorder": 1.0},
        {"frequencies": "gaussian", "coupling": 2.0, "temperature": 0.0, "disorder": 1.0},
        {"frequencies": "gaussian", "coupling": 1.0, "temperature": 0.3, "disorder": 1.0},
        {"frequencies": "uniform", "coupling": 1.0, "temperature": 0.0, "disorder": 1.0},
        {"frequencies": "uniform", "coupling": 1.6, "temperature": 0.2, "disorder": 1.0},
        {"frequencies": "bimodal", "coupling": 1.5, "temperature": 0.1, "disorder": 0.1, "separation": 1.0},
        {"frequencies": "identical", "coupling": 1.0, "temperature": 0.8},
    ],
)
def test_predicted_path_is_followed(controls: dict[str, Any]) -> None:
    """From equal phases; the standing wave (bimodal) included."""
    model = Kuramoto(size=40_000, start="coherent", **controls)
    run = model.simulate(seed=6)
    run.advance(12)
    times, series = run.series()
    path = model.predicted_path({"coherence": 1.0}, times)["coherence"]
    np.testing.assert_allclose(series["coherence"], path, atol=0.02)
    if controls["coupling"] == 0:
        np.testing.assert_allclose(path, np.exp(-0.7 * times), atol=1e-10)


@pytest.mark.parametrize("frequencies", DENSITIES)
@pytest.mark.parametrize("noise", [0.0, 0.02, 0.5])
def test_predicted_path_ends_at_the_stationary_state(frequencies: str, noise: float) -> None:
    model = Kuramoto(3.0, noise, 0.6, 0.3, frequencies=frequencies)
    end = model.predicted_path({"coherence": 0.9}, np.linspace(0, 60, 61))["coherence"][-1]
    assert end == pytest.approx(coherent(model), abs=1e-6)


def test_predicted_path_of_the_lorentzian_is_the_logistic_one() -> None:
    times = np.linspace(0, 5, 11)
    path = Kuramoto(3.0, **TIGHT).predicted_path({"coherence": 0.1}, times)["coherence"]
    growth, limit = 3 / 2 - 1, 1 - 2 / 3
    squared = limit / (1 + (limit / 0.01 - 1) * np.exp(-2 * growth * times))
    np.testing.assert_allclose(path, np.sqrt(squared), rtol=1e-6)


def test_bimodal_hysteresis() -> None:
    """Between fold and K_c the start decides; a sweep down loses the rhythm at the fold only."""
    model = Kuramoto(1.9, 0.0, 0.5, 0.5, frequencies="bimodal", size=10_000)
    low, high = (float(model.landmark(n, "coupling")[0]) for n in ("fold", "critical_coupling"))
    assert low < 1.9 < high
    up, down = model.simulate(seed=7), model.replace(start="coherent").simulate(seed=7)
    for run in (up, down):
        run.advance(60)
    assert up.observe()["coherence"] < 0.2  # noise of a finite sample, hardly damped so near to K_c
    assert down.observe()["coherence"] == pytest.approx(coherent(model), abs=0.01)
    for coupling in (low + 0.03, low - 0.1):
        assert down.follow(down.model.replace(coupling=coupling))
        down.advance(80)
        assert (down.observe()["coherence"] > 0.25) == (coupling > low)
    assert up.follow(up.model.replace(coupling=high + 0.3))
    up.advance(80)
    assert up.observe()["coherence"] == pytest.approx(coherent(model.replace(coupling=high + 0.3)), abs=0.01)


def test_uniform_jump_in_simulation() -> None:
    """Either start gives the same on both sides of the jump: a leap, but no hysteresis."""
    model = Kuramoto(1.2, frequencies="uniform", size=4000, **TIGHT)
    for coupling, expected in ((1.2, 0.0), (1.4, coherent(model.replace(coupling=1.4)))):
        for start in ("incoherent", "coherent"):
            run = model.replace(coupling=coupling, start=start).simulate(seed=8)
            run.advance(120)
            times, series = run.series()
            mean = series["coherence"][times > 100].mean()
            assert mean == pytest.approx(expected, abs=0.06 if expected == 0 else 0.01)


@pytest.mark.parametrize("noise", [0.0, 0.2])
def test_measured_functions_of_the_frequency_are_those_of_theory(noise: float) -> None:
    """Coherence and velocity of oscillators of one natural frequency, within their errors and the width of a bin."""
    model = Kuramoto(2.4, noise, 1.0, frequencies="gaussian", size=20_000, start="coherent")
    run = model.simulate(seed=10)
    run.advance(40)
    theory = model.theory().sel(branch="coherent")
    for name, measured in run.profiles().items():
        inner = np.abs(measured.coordinate) < 2.5
        expected = np.interp(measured.coordinate, theory["natural_frequency"], theory[name])[inner]
        gap = np.abs(measured.values[inner] - expected)
        assert (gap < 4.5 * measured.error[inner] + 0.05).all(), name  # a bin across the edge of locking is a mixture
        assert np.median(gap) < 0.005
    assert run.follow(run.model.replace(coupling=2.5))
    assert run.profiles()["coherence_profile"].values.size == 0


def test_coherence_profile_has_the_mean_of_the_coherence() -> None:
    model = Kuramoto(2.4, 0.3, 1.0, frequencies="gaussian")
    profile = model.theory()["coherence_profile"].sel(branch="coherent")
    omega = profile["natural_frequency"].values
    density = np.exp(-(omega**2) / 2) / math.sqrt(2 * math.pi)
    assert np.trapezoid(density * profile.values, omega) == pytest.approx(coherent(model), abs=1e-6)


def test_times_are_recorded_by_ratios_unless_the_coherence_may_oscillate() -> None:
    for frequencies, points in (("lorentzian", 65 + 32), ("bimodal", 129)):
        run = Kuramoto(frequencies=frequencies, size=50).simulate(seed=1)
        run.advance(128 * run.step)
        assert len(run.series()[0]) == points


def test_pictures_show_who_is_locked() -> None:
    model = Kuramoto.preset("locked and drifting").replace(size=2000)
    run = model.simulate(seed=11)
    run.advance(60)
    album = run.pictures()
    oscillators, line = album["locking"].series
    held = np.abs(oscillators.x) < 0.8 * line.x.max()
    np.testing.assert_allclose(oscillators.y[held], np.interp(oscillators.x[held], line.x, line.y), atol=0.15)
    drifting = np.abs(oscillators.x) > 1.2 * line.x.max()
    assert np.ptp(oscillators.y[drifting]) > 4
    rows = album["phases in time"].values
    turning = np.abs(np.exp(1j * rows[:, -100:]).mean(axis=1))
    assert turning[len(rows) // 2] > 0.9 > 0.5 > turning[[0, -1]].max()


def test_quantile_frequencies_have_the_declared_widths() -> None:
    quartiles = {"lorentzian": 1.0, "gaussian": 0.6744897501960817, "uniform": 0.5, "identical": 0.0}
    for frequencies, quartile in quartiles.items():
        model = Kuramoto(frequencies=frequencies, disorder=1, size=40_000)
        for sampling, close in (("quantile", 1e-3), ("random", 0.03)):
            omega = model.replace(sampling=sampling).simulate(seed=9).state.omega
            assert np.quantile(omega, 0.75) == pytest.approx(quartile, abs=close)
            assert np.median(omega) == pytest.approx(0, abs=close)
    omega = Kuramoto(frequencies="bimodal", disorder=0.1, separation=2.0).simulate().state.omega
    assert np.median(omega[omega > 0]) == pytest.approx(2, abs=1e-2)
    assert np.median(omega[omega < 0]) == pytest.approx(-2, abs=1e-2)
