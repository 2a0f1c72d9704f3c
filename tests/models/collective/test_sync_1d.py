"""Synchronization on a ring: verified values, mode sums, locking against the equations of motion, growth of width."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import kolmogi
from scipy.stats import kurtosis, skew

from mfexplore.models.collective.sync_1d import Sync1D
from mfexplore.models.collective.sync_1d.theory import (
    flat_variance,
    linear_width,
    locking_coupling,
    locking_couplings,
    slip_widening,
)

CARD = {r["id"]: r for r in reference_values("sync_1d")}


def value(model: Sync1D, name: str, method: str = "edwards_wilkinson", **changes: Any) -> float:
    return float(model.theory(method=method, profiles=False, **changes)[name])


def widths(model: Sync1D, seeds: range, times: list[float]) -> tuple[Any, Any]:
    """Mean square width at times, and its standard error."""
    found = []
    for seed in seeds:
        run = model.simulate(seed=seed)
        row = []
        for t in times:
            run.advance_to(t)
            row.append(run.observe()["square_width"])
        found.append(row)
    return np.mean(found, axis=0), np.std(found, axis=0, ddof=1) / math.sqrt(len(found))


# -- verified values -----------------------------------------------------------------------------------------------


def test_verified_widths_at_last() -> None:
    noise = Sync1D(noise=1.0, size=64, age=1e5)
    columnar = Sync1D(noise=0.0, disorder=1.0, size=64, age=1e5)
    np.testing.assert_allclose([value(noise, "square_width"), value(columnar, "square_width")], CARD["ew_sat"]["value"])
    assert value(noise.replace(noise=0.05), "square_width") == pytest.approx(0.05 * 5.33203125)


def test_verified_amplitudes_of_growth() -> None:
    """Between the spacing and the length of the ring."""
    columnar = Sync1D(noise=0.0, disorder=0.5, size=16_384, age=500.0)
    whole = value(columnar, "square_width") / 0.25 + 500.0**2 / 16_384  # with the mode that the mean takes away
    assert whole / 500.0**1.5 == pytest.approx(CARD["cew_growth"]["value"], rel=2e-3)
    assert CARD["cew_growth"]["value"] == pytest.approx(4 * (math.sqrt(2) - 1) / (3 * math.sqrt(math.pi)), rel=1e-12)
    noise = Sync1D(noise=0.1, size=16_384, age=1000.0)
    assert value(noise, "square_width") == pytest.approx(0.1 * math.sqrt(2000 / math.pi), rel=0.02)


def test_verified_exponents() -> None:
    """alpha, beta, z of KPZ, of Edwards and Wilkinson, beta of random deposition: from widths at two times or sizes."""
    alpha, beta, z, *linear, deposition = CARD["lit_kpzexp"]["value"]
    model = Sync1D(noise=0.06, nonoddity=1.0, size=16_384, age=4000.0)
    assert value(model, "growth_exponent", "kpz") == pytest.approx(2 * beta)
    assert value(model, "growth_exponent", "random_deposition") == pytest.approx(2 * deposition)
    assert value(Sync1D(size=16_384), "growth_exponent") == pytest.approx(2 * linear[1], abs=0.01)
    last = [value(Sync1D(size=n, age=1e5), "square_width") for n in (64, 128)]
    assert math.log2(last[1] / last[0]) / 2 == pytest.approx(alpha, abs=1e-3) == linear[0]
    assert (alpha / beta, linear[0] / linear[1]) == (pytest.approx(z), linear[2])


def test_verified_shape_of_the_law() -> None:
    law = Sync1D().laws(0.0)[0]
    weight = law.density / law.density.sum()
    moments = [weight @ law.values**k for k in (1, 2, 3, 4)]
    np.testing.assert_allclose(moments[:2], [0, 1], atol=5e-3)
    np.testing.assert_allclose([moments[2], moments[3] - 3], CARD["lit_twgoe"]["value"], atol=0.01)
    assert flat_variance() == pytest.approx(2 ** (-4 / 3) * 1.6078, rel=1e-4)


def slipped(omega: Any, coupling: Any, ring: bool) -> Any:
    """Which rings or chains, shape (samples, n), have slipped long after equal phases, coupled so strongly."""
    omega = omega - omega.mean(axis=1, keepdims=True)
    phase, apart = np.zeros_like(omega), np.zeros(len(omega), bool)
    for step in range(4000):
        difference = np.roll(phase, -1, axis=1) - phase
        pull = coupling * np.sin(difference)
        if not ring:
            pull[:, -1] = 0.0
        phase += 0.25 / coupling * (omega + pull - np.roll(pull, 1, axis=1))
        if step % 100 == 99:
            apart |= (np.abs(difference[:, : None if ring else -1]) > np.pi).any(axis=1)
    return apart


def test_verified_locking_of_an_open_chain(rng: np.random.Generator) -> None:
    """max|S| is the least coupling: at 1.08 of it 120 of 120 chains hold, at 0.92 all slip, by eq. (1)."""
    card = CARD["sync_open_lock"]
    omega = rng.standard_normal((card["value"], card["params"]["n"]))
    sums = np.cumsum(omega - omega.mean(axis=1, keepdims=True), axis=1)
    least = np.abs(sums).max(axis=1, keepdims=True)
    assert not slipped(omega, 1.08 * least, ring=False).any()
    assert slipped(omega, 0.92 * least, ring=False).all()
    assert kolmogi(0.5) == pytest.approx(0.8275735552, rel=1e-8)
    assert CARD["sync_open_mean"]["value"] == pytest.approx(math.sqrt(math.pi / 2) * math.log(2), rel=1e-12)


@pytest.mark.parametrize(("name", "delta", "noise"),
                         [("kpz_osc", 1.1, 0.1), ("kpz_osc_d0.8_D0.05", 0.8, 0.05), ("kpz_osc_d1.0_D0.06", 1.0, 0.06),
                          ("kpz_osc_d0.8_D0.2", 0.8, 0.2)])  # fmt: skip
def test_verified_runs_of_oscillators(name: str, delta: float, noise: float) -> None:
    card = CARD[name]
    model = Sync1D(noise=noise, nonoddity=delta, size=4096)
    if "g" in card["params"]:
        assert value(model, "kpz_coupling") == pytest.approx(card["params"]["g"], rel=1e-12)
    times = card["params"]["t"][:6]
    found, _ = widths(model, range(1, 3), times)
    np.testing.assert_allclose(found, card["value"][:6], rtol=0.25 if name == "kpz_osc" or noise == 0.2 else 0.12)


@pytest.mark.parametrize("growth", [1.0, 0.5])
def test_verified_runs_of_the_single_step_model(growth: float) -> None:
    card = CARD[f"ssm_p{growth}"]
    found, _ = widths(Sync1D(kind="single_step", growth=growth, size=8192), range(2), card["params"]["t"][:7])
    np.testing.assert_allclose(found, card["value"][:7], rtol=0.13)


# -- independent routes --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("length", [8, 9, 64])
def test_widths_are_the_sums_over_all_modes(length: int) -> None:
    x = np.array([1e-5, 0.3, 0.62, 7.0, 40.0, 400.0])
    pace = 4 * np.sin(math.pi * np.arange(1, length) / length)[:, None] ** 2
    f, g = linear_width(x, np.full(x.size, length))
    np.testing.assert_allclose(f, np.sum((1 - np.exp(-2 * pace * x)) / pace, axis=0) / length, rtol=2e-5)
    np.testing.assert_allclose(g, np.sum(((1 - np.exp(-pace * x)) / pace) ** 2, axis=0) / length, rtol=2e-5)


def test_rings_lock_where_the_criterion_says(rng: np.random.Generator) -> None:
    """40 rings of 24 from equal phases: all hold at 1.08 of eq. (8), and all slip at 0.92."""
    omega = rng.standard_normal((40, 24))
    least = locking_coupling(omega)[:, None]
    assert not slipped(omega, 1.08 * least, ring=True).any()
    assert slipped(omega, 0.92 * least, ring=True).all()


def test_locking_couplings_are_those_of_the_review() -> None:
    """Median 0.616 of rings of 400; never below half the range of the bridge, whose median tends to 0.6117."""
    found = locking_couplings(400)
    assert np.median(found) == pytest.approx(0.616, abs=4 * 1.25 * found.std() / math.sqrt(found.size))
    model = Sync1D(noise=0.0, size=400, disorder=0.1)
    half = float(model.landmark("locking", "disorder")[0])
    assert value(model, "locking_probability", disorder=half) == pytest.approx(0.5, abs=0.01)
    assert half * math.sqrt(400) * np.median(found) == pytest.approx(1.0, rel=0.01)


def test_a_run_locks_as_its_own_frequencies_say() -> None:
    for seed in (1, 2):
        run = Sync1D(noise=0.0, disorder=0.2, size=24, age=100.0).simulate(seed=seed)
        for factor in (1.08, 0.92):
            model = run.model.replace(coupling=1.0, disorder=0.2 / run.locking / factor)
            again = model.simulate(seed=seed)
            assert again.locking == pytest.approx(1 / factor)
            again.advance(900)
            assert (again.observe()["slips"] == 0) == (factor > 1)


def test_the_crossover_is_where_two_laws_meet() -> None:
    model = Sync1D(nonoddity=0.8, noise=0.05, size=16_384)
    age = float(model.landmark("crossover", "age")[0])
    linear, bent = (value(model, "square_width", method, age=age) for method in ("edwards_wilkinson", "kpz"))
    assert bent == pytest.approx(linear, rel=0.03)


# -- simulation ----------------------------------------------------------------------------------------------------


def test_both_laws_are_too_narrow_where_one_takes_over() -> None:
    """Of the single-step model, whose constants are exact: by a fifth to a quarter, whatever the nonlinearity."""
    model = Sync1D(kind="single_step", growth=0.7, size=16_384)
    age = 61 / (0.5 * 0.64**2)
    found, error = widths(model, range(3), [age])
    assert error[0] < 0.04 * found[0]
    assert found[0] / value(model, "square_width", "regime", age=age) == pytest.approx(1.22, abs=0.07)


def test_differences_of_oscillators_are_wider_than_small_ones_would_be() -> None:
    run = Sync1D(noise=0.06, nonoddity=1.0, size=1024).simulate(seed=1)
    found = []
    for _ in range(40):
        run.advance(5)
        found.append(np.mean((np.roll(run.height, -1) - run.height) ** 2))
    assert np.mean(found[10:]) / (0.06 / math.cos(1.0)) == pytest.approx(1.13, abs=0.04)
    assert run.observe()["slips"] == 0


@pytest.mark.parametrize("size", [128, 512])
def test_the_width_is_that_of_edwards_and_wilkinson(size: int) -> None:
    model = Sync1D(noise=0.02, size=size)
    times = [4.0, 40.0]
    found, error = widths(model, range(24), times)
    theory = [value(model, "square_width", age=t) for t in times]
    np.testing.assert_array_less(np.abs(found / theory - 1.02), 4 * error / theory + 0.03)  # stiffness falls by D/2 nu


def test_columnar_disorder_widens_faster() -> None:
    model = Sync1D(noise=0.0, disorder=0.01, size=1024)
    found, error = widths(model, range(12), [10.0, 60.0])
    theory = np.array([value(model, "square_width", age=t) for t in (10.0, 60.0)])
    np.testing.assert_array_less(np.abs(found - theory), 4 * error + 0.01 * theory)
    assert value(model, "growth_exponent", age=60.0) == pytest.approx(1.5, abs=0.03)


def test_nothing_holds_oscillators_that_are_not_coupled() -> None:
    model = Sync1D(coupling=0.0, noise=0.1, disorder=0.05, size=1024)
    found, error = widths(model, range(8), [5.0, 20.0])
    theory = [value(model, "square_width", "regime", age=t) for t in (5.0, 20.0)]
    assert theory == pytest.approx([2 * 0.1 * t + (0.05 * t) ** 2 for t in (5.0, 20.0)], rel=2e-3)
    np.testing.assert_array_less(np.abs(found - theory), 4 * error)


@pytest.mark.parametrize(("size", "age", "runs"), [(4096, 300.0, 3), (64, 3000.0, 10)])
def test_bonds_slip_at_the_rate_of_kramers_and_langer(size: int, age: float, runs: int) -> None:
    """On a long young ring and on a short old one: the prefactor, and what it costs that neighbours give way."""
    model = Sync1D(noise=0.2, size=size)
    count = 0.0
    for seed in range(runs):
        run = model.simulate(seed=seed)
        run.advance(age)
        count += run.observe()["slips"] * size
    expected = value(model, "slips", age=age) * size * runs
    plain = 4 / (3 * math.pi) * math.exp(-2 / 0.2) * age * size * runs
    assert expected > 15
    assert count == pytest.approx(expected, abs=4 * math.sqrt(expected) + 0.1 * expected)
    assert expected < 0.7 * plain


@pytest.mark.parametrize(("size", "noise"), [(512, 0.35), (1024, 0.5)])
def test_bonds_that_slip_are_springs_and_dashpots(size: int, noise: float) -> None:
    """Eq. (7): far from free phases, and from those of Edwards and Wilkinson."""
    model = Sync1D(noise=noise, size=size)
    found, error = widths(model, range(6), [60.0, 200.0])
    theory = np.array([value(model, "square_width", "regime", age=t) for t in (60.0, 200.0)])
    np.testing.assert_array_less(np.abs(found - theory), 4 * error + 0.1 * theory)
    assert 1.5 * value(model, "square_width", age=200.0) < theory[1]
    assert theory[1] < 0.4 * value(model, "square_width", "random_deposition", age=200.0)


@pytest.mark.parametrize(("length", "mu", "x"), [(512, 0.01, 50.0), (512, 0.3, 300.0), (2048, 1e-4, 1000.0)])
def test_widening_by_slips_is_a_sum_over_modes(length: int, mu: float, x: float) -> None:
    pace = 4 * np.sin(np.pi * np.arange(1, length) / length) ** 2
    exact = np.sum(2 * x * mu / (mu + pace) - pace / (mu + pace) ** 2 * np.expm1(-2 * (pace + mu) * x)) / length
    one = np.ones(1)
    added = slip_widening(one, one, one * mu / (2 * np.pi**2), one * x, one * length)
    assert linear_width(one * x, one * length)[0] + added == pytest.approx(exact, rel=1e-3)


def test_heights_of_kpz_lean_and_those_of_edwards_and_wilkinson_do_not() -> None:
    found = []
    for growth in (1.0, 0.5):
        heights = []
        for seed in range(4):
            run = Sync1D(kind="single_step", growth=growth, size=16_384).simulate(seed=seed)
            run.advance(200)
            heights.append(run.samples())
        found.append((skew(np.concatenate(heights)), kurtosis(np.concatenate(heights))))
    assert found[0][0] == pytest.approx(0.2935, abs=0.12)
    assert abs(found[1][0]) < 0.12
