"""Lotka-Volterra: verified values, the master equation, linear noise at two sizes, and what a lattice changes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.linalg import expm, solve_continuous_lyapunov

from mfexplore.models.reactions.lotka_volterra import LotkaVolterra
from mfexplore.models.reactions.lotka_volterra.dynamics import EMPTY, PREDATOR, PREY, outcomes, well_mixed


def value(model: LotkaVolterra, name: str) -> float:
    return float(model.theory(profiles=False)[name].sel(branch="coexistence"))


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("predation", "known"),
    [
        (1.0, {"predators": 1 / 6, "prey": 1 / 2, "damping": 0.125, "frequency": 0.34061361, "front_speed": 0.75443978,
               "fluctuation": 0.46296296}),
        (2.0, {"damping": 0.0625, "frequency": 0.43059191, "front_speed": 1.89347943}),
        (0.55, {"damping": 0.05719739}),
    ],
)  # fmt: skip
def test_values_of_the_review(predation: float, known: dict[str, float]) -> None:
    for name, expected in known.items():
        assert value(LotkaVolterra(predation=predation), name) == pytest.approx(expected, abs=2e-8), name


def test_eigenvalues_and_the_peak_of_the_spectrum() -> None:
    for predation, wanted in ((1.0, -0.125 + 0.33071891j), (2.0, -0.0625 + 0.42847841j), (0.55, -0.05719739)):
        model = LotkaVolterra(predation=predation)
        found = np.linalg.eigvals(model.jacobian(value(model, "predators"), value(model, "prey")))
        assert np.abs(found - wanted).min() < 2e-8
    spectrum = LotkaVolterra().theory()["spectrum"].sel(branch="coexistence")
    assert float(spectrum.max()) == pytest.approx(3.74235253, abs=5e-4)
    assert float(spectrum["omega"][int(np.argmax(spectrum.values))]) == pytest.approx(0.34061361, abs=0.006)
    assert float(LotkaVolterra().landmark("spiralling", "predation")[0]) == pytest.approx(0.60355339, abs=1e-8)
    assert float(LotkaVolterra().landmark("survival", "predation")[0]) == pytest.approx(0.5, abs=1e-12)


def test_the_spectrum_adds_up_to_the_variance_of_the_lyapunov_equation() -> None:
    """Both variances and the covariance of the review; and the area under (4), for another choice of rates."""
    model = LotkaVolterra()
    a, b = value(model, "predators"), value(model, "prey")
    found = solve_continuous_lyapunov(model.jacobian(a, b), -model.diffusion(a, b))
    np.testing.assert_allclose(found, [[0.46296296, -0.5], [-0.5, 1.83333333]], atol=1e-8)
    other = LotkaVolterra(predation=2.5, death=0.7, birth=1.3)
    alpha, beta = other._noise(2.5, 0.7, 1.3)
    omega = np.linspace(0, 400, 2_000_001)
    friction, stiffness = 1.3 * 0.7 / 2.5, 0.7 * 1.3 * (1 - 0.7 / 2.5)
    power = (alpha + beta * omega**2) / ((omega**2 - stiffness) ** 2 + friction**2 * omega**2)
    area = 2 * np.trapezoid(power, omega) / (2 * math.pi) + beta / (math.pi * 400)
    assert area == pytest.approx(value(other, "fluctuation"), rel=1e-5)


def test_noise_without_room_is_that_of_the_textbook() -> None:
    """Plenty of predation leaves much room: frequency sqrt(mu sigma), hardly any damping."""
    model = LotkaVolterra(predation=4.0, death=0.1, birth=0.1)
    assert value(model, "frequency") == pytest.approx(0.1, rel=0.02)
    assert value(model, "damping") < 0.002


# -- kernels ---------------------------------------------------------------------------------------------------------


def test_outcomes_are_the_rules_of_the_game() -> None:
    hunt, breed, die = outcomes().astype(int)
    for me, you in np.ndindex(3, 3):
        assert tuple(hunt[me, you]) == ((me, PREDATOR) if (me, you) == (PREDATOR, PREY) else (me, you))
        assert tuple(breed[me, you]) == ((me, PREY) if (me, you) == (PREY, EMPTY) else (me, you))
        assert tuple(die[me, you]) == ((EMPTY, you) if me == PREDATOR else (me, you))


def test_the_well_mixed_kernel_solves_the_master_equation() -> None:
    """Seven individuals: means and variances at time 2 from the exponential of the generator."""
    n, rates = 7, (1.5, 0.8, 0.6)
    states = [(a, b) for a in range(n + 1) for b in range(n + 1 - a)]
    place = {state: k for k, state in enumerate(states)}
    generator = np.zeros((len(states), len(states)))
    for (a, b), k in place.items():
        for (to, rate) in (((a + 1, b - 1), rates[0] * a * b / n), ((a, b + 1), rates[1] * b * (n - a - b) / n),
                           ((a - 1, b), rates[2] * a)):  # fmt: skip
            if rate > 0:
                generator[place[to], k] += rate
                generator[k, k] -= rate
    law = expm(2 * generator)[:, place[2, 3]]
    rng, runs = np.random.default_rng(3), 20_000
    found = np.empty((runs, 2))
    for k in range(runs):
        counts = np.array([2, 3])
        well_mixed(counts, n, *rates, 2.0, rng)
        found[k] = counts
    exact = np.array(states, float)
    mean = law @ exact
    spread = np.sqrt(law @ (exact - mean) ** 2)
    assert (np.abs(found.mean(axis=0) - mean) < 4 * spread / math.sqrt(runs)).all()
    np.testing.assert_allclose(found.std(axis=0), spread, rtol=0.03)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=[2500, 22_500])
def runs(request: pytest.FixtureRequest) -> list[Any]:
    found = []
    for seed in range(3):
        run = LotkaVolterra(size=request.param).simulate(seed=seed)
        run.advance(1060)
        found.append(run)
    return found


def test_chance_keeps_the_cycles_of_the_theory_alive(runs: list[Any]) -> None:
    """Mean, variance and spectrum: the latter is (4), with its peak where theory has it."""
    model = runs[0].model
    for name in ("predators", "fluctuation"):
        found = [run.series()[1][name][100:].mean() if name == "predators" else run.observe()[name] for run in runs]
        error = max(np.std(found, ddof=1) / math.sqrt(len(found)), 0.02 * value(model, name))
        bias = value(model, "predators") * 6 / math.sqrt(model.size) / 10  # beyond linear noise
        assert np.mean(found) == pytest.approx(value(model, name), abs=4 * error + bias), name
    measured = [run.profiles()["spectrum"] for run in runs]
    power = np.mean([one.values for one in measured], axis=0)
    error = np.sqrt(np.sum([one.error**2 for one in measured], axis=0)) / len(measured)
    theory = model.theory()["spectrum"].sel(branch="coexistence")
    expected = np.interp(measured[0].coordinate, theory["omega"], theory)
    assert (np.abs(power - expected) < 4.5 * expected / power * error + 0.05).all()
    assert np.sum(power) == pytest.approx(np.sum(expected), rel=0.12)


@pytest.mark.parametrize(("predation", "death"), [(1.0, 0.5), (4.0, 0.5), (4.0, 0.2)])
def test_pieces_are_long_enough_to_see_the_peak_as_high_as_it_is(predation: float, death: float) -> None:
    """Eq. (4) as Welch's method sees it, through the window of one piece; pieces of 200 see a quarter of the last."""
    model = LotkaVolterra(predation=predation, death=death, birth=death)
    run = model.simulate(seed=1)
    window = np.pad(np.hanning(run.points), (0, 15 * run.points))
    through = np.abs(np.fft.fft(window)) ** 2
    square = (2 * math.pi * np.fft.fftfreq(window.size, run.step)) ** 2
    alpha, beta = model._noise(predation, death, death)
    friction, stiffness = death**2 / predation, death**2 * (1 - death / predation)
    power = (alpha + beta * square) / ((square - stiffness) ** 2 + friction**2 * square)
    seen = np.fft.ifft(np.fft.fft(power) * np.fft.fft(through)).real / through.sum()
    assert seen.max() == pytest.approx(power.max(), rel=0.03)
    assert run.relaxation * friction / 2 >= 3  # and the start is forgotten


@pytest.mark.parametrize("size", [10_000, 250_000])
def test_the_way_to_rest_is_that_of_mean_field_within_its_noise(size: int) -> None:
    model = LotkaVolterra(size=size)
    run = model.simulate(seed=2)
    run.advance(30)
    times, series = run.series()
    path = model.predicted_path({name: series[name][0] for name in ("predators", "prey")}, times)
    for name in ("predators", "prey"):
        assert (np.abs(series[name] - path[name]) < 4 * path[f"{name}_deviation"] + 1e-3).all()


def test_a_predator_alone_dies_out_and_prey_fills_all() -> None:
    run = LotkaVolterra(predation=0.4, size=400).simulate(seed=1)
    run.advance(500)
    assert run.finished
    assert run.picture().caption == "no predator is left"


@pytest.mark.parametrize("size", [2500, 10_000])
def test_on_a_lattice_predators_need_more(size: int) -> None:
    """At twice the mean-field threshold they vanish, whatever the size; at eight times it they live, but fewer."""
    low = LotkaVolterra(mixing="lattice", predation=1.0, size=size, first_predators=0.3).simulate(seed=1)
    low.advance(300)
    assert low.finished
    high = LotkaVolterra(mixing="lattice", predation=4.0, size=size).simulate(seed=1)
    high.advance(60)
    assert 0 < high.series()[1]["predators"][60:].mean() < value(high.model, "predators")


def test_an_invasion_is_slower_than_its_mean_field() -> None:
    run = LotkaVolterra(mixing="lattice", predation=4.0, size=14_400, start="invasion").simulate(seed=1)
    run.advance(30)
    assert 0.35 < run.observe()["front_speed"] / value(run.model, "front_speed") < 0.6
