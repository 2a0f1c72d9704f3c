"""Stochastic gradients: moments by quadrature and sampling, limits of the step by running beside them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.models.inference.variational_gradient import VariationalGradient
from mfexplore.models.inference.variational_gradient.theory import FAMILIES, critical_step, growth, proximal

REFERENCES = {v["id"]: v["value"] for v in reference_values("bbvi")}


@pytest.mark.parametrize("dimension", [1, 5, 20])
def test_reference_values_of_the_gradient_moments(dimension: int) -> None:
    location, mean_field, full_rank = REFERENCES[f"bbvi_d{dimension}"]
    theory = VariationalGradient(dimension=dimension, offset=0.7, scale=1.3, samples=1).theory()
    np.testing.assert_allclose(theory["location_gradient"], location, rtol=1e-12)
    np.testing.assert_allclose(theory["scale_gradient"], [mean_field, full_rank], rtol=1e-12)


@pytest.mark.parametrize(
    ("dimension", "samples", "value"),
    [
        (2, 1, 0.4384471872), (5, 1, 0.2583426132), (20, 1, 0.0872877895), (100, 1, 0.0194211377),
        (20, 10, 0.6267095027), (100, 10, 0.1786023988),
    ],
)  # fmt: skip
def test_review_values_of_the_critical_step_at_full_rank(dimension: int, samples: int, value: float) -> None:
    model = VariationalGradient(dimension=dimension, samples=samples)
    assert model.landmark("full_rank_limit", "learning_rate") == pytest.approx(value, abs=1e-10)


@pytest.mark.parametrize(("samples", "value"), [(1, 0.5857864376), (10, 1.6110565441)])
def test_review_values_of_the_critical_step_of_the_mean_field(samples: int, value: float) -> None:
    for dimension in (1, 20, 200):
        model = VariationalGradient(dimension=dimension, samples=samples)
        assert model.landmark("mean_field_limit", "learning_rate") == pytest.approx(value, abs=1e-10)


@given(st.integers(1, 100), st.integers(1, 200))
def test_at_the_critical_step_second_moments_keep_their_size(samples: int, row: int) -> None:
    step = critical_step(np.array(float(samples)), np.array(float(row)))
    assert growth(step, np.array(float(samples)), np.array(float(row))) == pytest.approx(1, abs=1e-9)
    assert growth(0.99 * step, np.array(float(samples)), np.array(float(row))) < 1


@given(st.floats(-5, 5), st.floats(0.001, 2))
def test_the_proximal_step_minimises_what_it_should(scale: float, step: float) -> None:
    """(x - y)^2 / 2 - step ln|x|, by trying."""
    found = float(proximal(np.array(scale), step))
    x = np.linspace(-9, 9, 20_000)
    cost = (x - scale) ** 2 / 2 - step * np.log(np.abs(x))
    assert (found - scale) ** 2 / 2 - step * math.log(abs(found)) <= cost.min() + 1e-9


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("samples", [1, 4])
def test_second_moments_of_one_step_are_eq_4(family: str, samples: int) -> None:
    """One step of many runs from a scale that is a full random triangle; the entropy is taken out again."""
    model = VariationalGradient(dimension=4, samples=samples, learning_rate=0.3, family=family, runs=2000, scale=1.0)
    rng = np.random.default_rng(3)
    offset, triangle = rng.normal(size=4), np.tril(rng.normal(size=(4, 4)))
    if family == "mean_field":
        triangle = np.diag(np.diag(triangle))
    after = []
    for seed in range(10):
        run = model.simulate(seed=seed)
        run.offset[:] = offset
        run.scale[:] = triangle if family == "full_rank" else np.diag(triangle)
        run.advance(1)
        scale = run.scale.copy()
        diagonal = scale[:, range(4), range(4)] if family == "full_rank" else scale
        before = diagonal - model.learning_rate / diagonal  # the inverse of the proximal step
        if family == "full_rank":
            scale[:, range(4), range(4)] = before
            rows = np.sum(scale**2, axis=2)
        else:
            rows = before**2
        after.append(np.stack([run.offset**2, rows]))
    values = np.concatenate(after, axis=1)  # (2, runs, coordinates)
    step, entries = model.learning_rate, np.arange(1, 5) if family == "full_rank" else np.ones(4)
    d, c = offset**2, np.sum(triangle**2, axis=1)
    expected = np.stack(
        [
            (1 - step) ** 2 * d + step**2 / samples * c,
            entries * step**2 / samples * d + (1 - 2 * step + step**2 * (1 + (entries + 1) / samples)) * c,
        ]
    )
    error = values.std(axis=1) / math.sqrt(values.shape[1])
    assert (np.abs(values.mean(axis=1) - expected) < 4.5 * error).all()


@pytest.mark.parametrize("family", FAMILIES)
def test_measured_gradients_have_the_predicted_size(family: str) -> None:
    model = VariationalGradient(dimension=10, samples=2, family=family, offset=0.7, scale=1.3, runs=2000)
    run = model.simulate(seed=4)
    run.advance(1)
    theory = model.theory(method=family, profiles=False)
    expected = float(theory["location_gradient"] + theory["scale_gradient"])
    error = run.squared_gradient.std() / math.sqrt(2000)
    assert run.observe()["squared_gradient"] == pytest.approx(expected, abs=4 * error)


@pytest.mark.parametrize("family", FAMILIES)
def test_the_gradient_lies_below_the_line_of_its_family(family: str) -> None:
    """The ABC condition at random places, by eq. (3) in plain words."""
    rng = np.random.default_rng(5)
    d, samples = 6, 3
    model = VariationalGradient(dimension=d, samples=samples)
    for _ in range(200):
        offset = rng.normal(size=d) * 10 ** rng.uniform(-2, 1)
        scale = np.tril(rng.normal(size=(d, d))) * 10 ** rng.uniform(-2, 1)
        if family == "mean_field":
            scale = np.diag(np.diag(scale))
        entries = np.arange(1, d + 1) if family == "full_rank" else np.ones(d)
        rows = np.sum(scale**2, axis=1)
        gradient = np.sum(offset**2) + rows.sum() / samples
        gradient += rows.sum() + np.sum(entries * offset**2 + (entries + 1) * rows) / samples
        excess = (np.sum(offset**2) + rows.sum() - d) / 2 - np.sum(np.log(np.abs(np.diag(scale))))
        assert gradient <= model.bound(family, np.array(excess)) * (1 + 1e-12)


def test_only_the_bound_of_the_full_rank_grows_with_the_dimension() -> None:
    slopes = {}
    for family in FAMILIES:
        for d in (10, 100):
            low, high = VariationalGradient(dimension=d).bound(family, np.array([0.0, 1.0]))
            slopes[family, d] = high - low
    assert slopes["mean_field", 100] == pytest.approx(slopes["mean_field", 10], rel=1e-12)
    assert slopes["full_rank", 100] > 7 * slopes["full_rank", 10]


@pytest.mark.parametrize("dimension", [5, 20])
@pytest.mark.parametrize("family", FAMILIES)
def test_runs_follow_the_path_and_settle_at_the_predicted_distance(family: str, dimension: int) -> None:
    """Within 4 standard errors and, for the linearised proximal step, a fraction gamma / 2 (path) or gamma (end)."""
    step = 0.3 / dimension
    model = VariationalGradient(dimension=dimension, learning_rate=step, family=family, runs=100)
    run = model.simulate(seed=6)
    run.advance(round(5 / step))
    times, series = run.series()
    path = model.predicted_path({}, times)["distance"]
    distances = run.distances()
    error = 4 * distances.std() / math.sqrt(distances.size)
    assert series["distance"][-1] == pytest.approx(path[-1], abs=error + step / 2 * path[-1])
    middle = len(times) // 6
    assert series["distance"][middle] == pytest.approx(path[middle], rel=0.06)
    theory = float(model.theory(method=family, profiles=False)["distance"])
    left = 9 * (1 - step) ** (2 * times[-1])  # of the way from the start
    assert distances.mean() == pytest.approx(theory, abs=error + step * theory + left)
    measured, expected = run.profiles()["row_distance"], model.profiles()["row_distance"].values
    assert (
        np.abs(measured.values - expected[FAMILIES.index(family)])
        < 5 * measured.error + 2 * step * measured.values + left
    ).mean() > 0.9


def test_the_same_step_converges_in_mean_field_and_explodes_at_full_rank() -> None:
    for dimension in (20, 60):
        ends = {}
        for family in FAMILIES:
            run = VariationalGradient(dimension=dimension, learning_rate=0.2, family=family, runs=40).simulate(seed=7)
            run.advance(60)
            ends[family] = run.observe()["typical_distance"]
        assert ends["mean_field"] < 0.6
        assert ends["full_rank"] > 1e3


@pytest.mark.parametrize(("factor", "grows"), [(0.85, False), (1.6, True)])
def test_the_mean_field_limit_is_where_runs_say_it_is(factor: float, grows: bool) -> None:
    model = VariationalGradient(dimension=3, learning_rate=factor * 0.5857864376, runs=1000, offset=10.0, scale=10.0)
    run = model.simulate(seed=8)
    run.advance(40)
    distance = run.series()[1]["distance"]
    assert (distance[-1] > distance[0]) == grows


def test_rare_runs_make_the_mean_above_the_limit() -> None:
    """The mean follows the path (here within a factor of two), and leaves the typical run behind."""
    model = VariationalGradient.preset("rare runs")
    run = model.simulate(seed=9)
    run.advance(120)
    series = run.series()[1]
    path = model.predicted_path({}, np.array([60.0, 120.0]))["distance"]
    for k, expected in zip((60, 120), path, strict=True):
        assert abs(math.log(series["distance"][k] / expected)) < math.log(2)
    ratio = series["distance"] / series["typical_distance"]
    assert ratio[20] < 1.6 < 3 < ratio[120]


def test_close_below_the_limit_the_distance_is_larger_than_to_first_order() -> None:
    model = VariationalGradient(dimension=8, learning_rate=0.9 * 0.1849, family="full_rank", offset=1.0, runs=400)
    run = model.simulate(seed=10)
    run.advance(120)
    distances = run.series()[1]["distance"][60:]
    path = model.predicted_path({}, np.array([120.0]))["distance"][0]
    theory = float(model.theory(method="full_rank", profiles=False)["distance"])
    assert distances.mean() > 1.07 * theory
    assert distances.mean() == pytest.approx(path, rel=0.1)


def test_validity_is_flagged() -> None:
    def validity(**controls) -> list[str]:
        found = VariationalGradient(**controls).theory(profiles=False)["validity"]
        return [found.attrs["flag_meanings"].split()[int(code)] for code in found]

    assert validity(learning_rate=0.02) == ["valid", "valid"]
    assert validity(learning_rate=0.08) == ["valid", "loud_noise"]
    assert validity(learning_rate=1.2, samples=10)[0] == "overshooting"


def test_a_step_beyond_one_settles_off_the_target() -> None:
    model = VariationalGradient(learning_rate=1.3, samples=100, dimension=5, offset=0.0, runs=200)
    run = model.simulate(seed=1)
    run.advance(40)
    assert float(np.mean(run.diagonal())) == pytest.approx(math.sqrt(1.3 / 0.7), rel=0.05)
