"""Walk in coloured noise: verified values, direct sums, walks counted out, where Stratonovich's limit exists."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.disorder.colored_she import ColoredSHE
from mfexplore.models.disorder.colored_she.theory import all_walks, growth_rate, returns, second_moments
from mfexplore.numerics.chance.fractional_noise import correlation

CARD = {r["id"]: r for r in reference_values("colored_she")}


def value(name: str, **controls: Any) -> float:
    return float(ColoredSHE(**controls).theory()[name])


# -- verified values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("b", [0.1, 0.5, 1.0])
def test_verified_growth_of_the_second_moment(b: float) -> None:
    """The closed form, and the ratio of two moments; a finite temperature through the controls."""
    assert growth_rate(b) == pytest.approx(CARD[f"dp_gamma2_b{b}"]["value"], rel=1e-12)
    n = 2000 if b == 0.1 else 400
    moments = second_moments(2.0, n, np.array([b]))[:, 0]
    assert math.log(moments[-1] / moments[-2]) == pytest.approx(growth_rate(b), abs=1e-8 if b == 0.1 else 1e-12)
    n, beta = 300, math.sqrt(math.log1p(b))
    strength = beta * n**0.25
    if strength <= 3:
        assert value("second_moment", noise="white", length=n, strength=strength) == pytest.approx(moments[n])


def test_verified_second_moments() -> None:
    """Of the review: b = 1/2."""
    for n, moment in {1: 1.25, 2: 1.5, 5: 2.373046875, 10: 4.599555969, 50: 541.50075012}.items():
        strength = math.sqrt(math.log(1.5)) * n**0.25
        assert value("second_moment", noise="white", length=n, strength=strength) == pytest.approx(moment, rel=1e-9)


def test_verified_means_of_stratonovich() -> None:
    for name, hurst, beta in (("she_strat_mean_H0.75_b0.3", 0.75, 0.3), ("she_strat_mean_H0.9_b0.5", 0.9, 0.5)):
        found = value("stratonovich_mean", hurst=hurst, length=10, strength=beta * 10 ** (hurst - 0.25))
        assert found == pytest.approx(CARD[name]["value"], rel=1e-12)
    white = value("stratonovich_mean", noise="white", length=10, strength=0.3 * 10**0.25)
    assert white == pytest.approx(1.568312185490, rel=1e-12)


@pytest.mark.parametrize(("hurst", "short", "long"), [(0.5, 8, 22.627), (0.6, 3.19, 6.152), (0.75, 1.138, 1.448),
                                                      (0.9, 0.6305, 0.679)])  # fmt: skip
def test_verified_corrections(hurst: float, short: float, long: float) -> None:
    """Of the review: they diverge for little memory, grow as a logarithm at the border, and converge above."""
    found = [value("correction", hurst=hurst, length=n, strength=1.0) for n in (256, 2048)]
    assert found == pytest.approx([short, long], rel=2e-3)
    chaos = value("first_chaos", hurst=hurst, length=64, strength=1.0)
    assert chaos == pytest.approx({0.5: 1.010, 0.6: 0.6532, 0.75: 0.4845, 0.9: 0.4420}[hurst], rel=1e-3)


# -- independent routes --------------------------------------------------------------------------------------------


def test_returns_are_those_of_the_walk() -> None:
    """Binomial for nearest neighbours; for jumps the powers of the step itself on a long ring."""
    k = np.arange(0, 60, 2)
    np.testing.assert_allclose(returns(2.0)[k], [math.comb(int(i), int(i) // 2) / 2.0**i for i in k], rtol=1e-12)
    assert np.abs(returns(2.0)[1:60:2]).max() < 1e-14
    angle = 2 * np.pi * np.arange(2**16) / 2**16
    step = 1 - (1 - np.cos(angle)) ** 0.7
    probability = np.fft.ifft(step).real
    assert probability.min() > -1e-12  # it is a walk
    far = probability[[200, 400]]
    assert math.log2(far[0] / far[1]) == pytest.approx(2.4, abs=0.01)
    np.testing.assert_allclose(returns(1.4)[:50], [np.mean(step**i) for i in range(50)], rtol=1e-4)


def test_mean_lies_above_its_bound_and_near_it_for_weak_disorder() -> None:
    for strength, gap in ((0.2, 0.003), (1.0, 0.5)):
        model = ColoredSHE(hurst=0.8, length=12, strength=strength)
        mean, bound = (float(model.theory()[name]) for name in ("stratonovich_mean", "correction"))
        assert math.exp(bound) <= mean < math.exp(bound) * (1 + gap)


def test_paths_end_where_the_theory_is() -> None:
    for noise in ("coloured", "white"):
        model = ColoredSHE(noise=noise, hurst=0.7, alpha=1.6, length=100, strength=0.8)
        path = model.predicted_path({}, np.array([0.0, 1.0, 100.0]))
        for name, values in path.items():
            assert values[[0, -1]] == pytest.approx([1.0, float(model.theory()[name])], rel=1e-9)


def test_boundary_is_where_the_correction_stops_growing() -> None:
    """Per doubling of the steps it grows by a power that passes zero at eq. (6)."""
    for alpha in (2.0, 1.5):
        border = float(ColoredSHE(alpha=alpha).landmark("stratonovich_limit", "hurst")[0])
        assert alpha * (2 * border - 1) == pytest.approx(1.0)
        growth = [
            math.log2(value("correction", alpha=alpha, hurst=h, length=2048) / value("correction", alpha=alpha, hurst=h,
                                                                                    length=1024))
            for h in (border - 0.1, border + 0.09)
        ]  # fmt: skip
        assert growth[0] > 0.15 > 0.08 > growth[1]


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("alpha", [2.0, 1.4])
def test_steps_on_the_ring_are_sums_over_walks(alpha: float) -> None:
    """A few steps by a matrix of the probabilities of a step, in the very potentials of the run."""
    model = ColoredSHE(alpha=alpha, length=5, size=16, strength=1.0)
    run = model.simulate(seed=1)
    run.advance(5)
    step = np.fft.irfft(model.step_spectrum(), 16)
    matrix = step[np.subtract.outer(np.arange(16), np.arange(16)) % 16]
    z = np.ones(16)
    for row in run.potential:
        z = matrix @ (np.exp(model.beta * row) * z)
    np.testing.assert_allclose(run.z * math.exp(run.scale), z, rtol=1e-10)


def test_walks_counted_out_are_the_transfer_matrix_and_skorokhod_has_mean_one() -> None:
    model = ColoredSHE(hurst=0.9, strength=0.6, length=8, size=512)
    ito, stratonovich = [], []
    for seed in range(6):
        run = model.simulate(seed=seed)
        run.advance(8)
        counted = run.z[: run.pairs.shape[1]] * math.exp(run.scale)
        np.testing.assert_allclose(run.pairs[0], counted, rtol=1e-9)
        assert (run.pairs[1] < run.pairs[0]).all()
        ito.append(run.pairs[1].mean())
        stratonovich.append(run.observe()["stratonovich_mean"])
    for found, theory in ((ito, 1.0), (stratonovich, float(model.theory()["stratonovich_mean"]))):
        assert np.mean(found) == pytest.approx(theory, abs=4 * np.std(found, ddof=1) / math.sqrt(6))


@pytest.mark.parametrize("length", [16, 128])
def test_white_noise_has_the_exact_moments(length: int) -> None:
    model = ColoredSHE(noise="white", strength=0.5, length=length, size=512)
    means, squares = [], []
    for seed in range(16):
        run = model.simulate(seed=seed)
        run.advance(length)
        means.append(run.observe()["ito_mean"])
        squares.append(float(np.mean(run.z**2)) * means[-1] ** 2)
    for found, theory in ((means, 1.0), (squares, float(model.theory()["second_moment"]))):
        assert np.mean(found) == pytest.approx(theory, abs=4 * np.std(found, ddof=1) / 4)


def test_the_law_is_that_of_a_quarter_of_the_steps() -> None:
    """Width of ln Z at n and at n/4, each at the strength that belongs to it; without the scaling it would differ."""
    model = ColoredSHE(hurst=0.9, strength=0.7, length=256, size=1024)
    both = []
    for seed in range(10):
        run = model.simulate(seed=seed)
        run.advance(256)
        both.append((run.observe()["log_variance"], float(run.shorter.var())))
    mean, error = np.mean(both, axis=0), np.std(both, axis=0, ddof=1) / math.sqrt(10)
    assert mean[0] == pytest.approx(mean[1], abs=4 * float(np.hypot(*error)))
    assert error.max() < 0.15 * mean.min()


def test_memory_is_in_the_potentials() -> None:
    run = ColoredSHE(hurst=0.85, length=256, size=2048).simulate(seed=3)
    measured = [float(np.mean(run.potential[k:] * run.potential[: 256 - k])) for k in (0, 1, 8)]
    np.testing.assert_allclose(measured, correlation(0.85, np.array([0, 1, 8])), atol=0.02)
    assert all_walks(3).tolist()[0] == [-1, -2, -3]
