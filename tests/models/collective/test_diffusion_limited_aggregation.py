"""Diffusion-limited aggregation: exact samplers, the grid against brute force, scaling, dilute to dense."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import quad
from scipy.special import iv

from mfexplore.core import NotOfferedError
from mfexplore.core.solution import columns
from mfexplore.models.collective.diffusion_limited_aggregation import (
    MEASURED_DIMENSION,
    DiffusionLimitedAggregation,
    mean_field_dimension,
)
from mfexplore.models.collective.diffusion_limited_aggregation.dynamics import DOTS
from mfexplore.models.collective.diffusion_limited_aggregation.off_lattice import (
    CAPTURE,
    CELL,
    FAR,
    OCCUPIED,
    PARTS,
    SPACING,
    WIDER,
    OffLattice,
    drifting_return,
    drifting_turn,
    return_turn,
)
from mfexplore.numerics.chance.random import new_stream

REFERENCES = {v["id"]: v["value"] for v in reference_values("dla")}


def final(seeds: int, **controls: float | str) -> list[dict[str, float]]:
    """What is measured on a few finished clusters."""
    return [DiffusionLimitedAggregation(**controls).simulate(seed=seed).measure() for seed in range(seeds)]


# -- references ----------------------------------------------------------------------------------------------------


def test_reference_values_of_the_return_to_the_circle() -> None:
    """Eq. (5) at r = 2R, averaged over evenly spaced u instead of random ones."""
    u = (np.arange(20_000) + 0.5) / 20_000
    angles = np.array([math.atan2(sine, cosine) for cosine, sine in (return_turn(2.0, 1.0, x) for x in u)])
    for k, expected in enumerate(REFERENCES["dla_return"], 1):
        assert np.cos(k * angles).mean() == pytest.approx(expected, abs=1e-7)


def test_reference_value_of_the_fractal_dimension() -> None:
    """Single clusters of 20000 particles scatter by 0.04."""
    found = np.mean([o["fractal_dimension"] for o in final(5, size=20_000)])
    assert found == pytest.approx(REFERENCES["dla_Df"], abs=0.06)
    assert found == pytest.approx(REFERENCES["lit_dla171"], abs=0.04)


def test_reference_value_of_dense_clusters() -> None:
    found = [o["information_dimension"] for o in final(1, size=20_000, walker_density=0.3)]
    assert np.mean(found) == pytest.approx(REFERENCES["lit_dla187"], abs=0.03)


def test_mean_field_dimension() -> None:
    assert mean_field_dimension(walk=2.0) == pytest.approx(5 / 3)
    assert mean_field_dimension(walk=1.0) == 2
    theory = DiffusionLimitedAggregation(size=1_000_000).theory(method="mean_field")
    assert float(theory["fractal_dimension"]) == pytest.approx(5 / 3, abs=1e-3)


# -- samplers ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bias", [0.01, 0.5, 3.0, 200.0])
def test_drifting_walkers_leave_a_circle_as_they_should(bias: float) -> None:
    """Moments of the density e^(bias cos): Bessel ratios."""
    position = new_stream(np.random.default_rng(1))[0]
    used, found = 0, []
    for _ in range(20_000):
        cosine, used = drifting_turn(bias, position, used)
        found.append(cosine)
    mean = iv(1, bias) / iv(0, bias) if bias < 500 else 1 - 0.5 / bias
    second = (
        quad(lambda a: math.cos(a) ** 2 * math.exp(bias * (math.cos(a) - 1)), 0, math.pi)[0]
        / quad(lambda a: math.exp(bias * (math.cos(a) - 1)), 0, math.pi)[0]
    )
    values = np.array(found)
    assert values.mean() == pytest.approx(mean, abs=4 * values.std() / math.sqrt(20_000))
    assert (values**2).mean() == pytest.approx(second, abs=4 * (values**2).std() / math.sqrt(20_000))


def test_drifting_walkers_fall_back_as_they_should() -> None:
    """E exp(i k x) = exp(height (drift - sqrt(drift^2 + k^2))), the harmonic function of the half plane with drift."""
    position = new_stream(np.random.default_rng(2))[0]
    used, found = 0, []
    for _ in range(20_000):
        shift, used = drifting_return(3.0, 0.4, position, used)
        found.append(shift)
    for k in (0.1, 0.5, 1.0):
        expected = math.exp(3.0 * (0.4 - math.sqrt(0.16 + k * k)))
        assert np.cos(k * np.array(found)).mean() == pytest.approx(expected, abs=0.02)


# -- the cluster ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("geometry", ["point", "line", "ring"])
def test_every_particle_touches_an_earlier_one_and_the_grid_holds_them_all(geometry: str) -> None:
    run = DiffusionLimitedAggregation(size=1500, geometry=geometry).simulate(seed=3)
    run.advance(1500)
    engine = run.engine
    points = engine.points[: engine.count]
    for k in range(engine.seeds, engine.count, 7):
        offset = points[:k] - points[k]
        if geometry == "line":
            offset[:, 0] -= engine.period * np.round(offset[:, 0] / engine.period)
        assert np.min(np.abs(np.hypot(*offset.T) - SPACING)) < 1e-9
    chained = []
    for first in engine.grid.head[engine.grid.head >= 0]:
        k = first
        while k >= 0:
            chained.append(k)
            k = engine.grid.following[k]
    assert sorted(chained) == list(range(engine.count))


def brute_distances(engine: OffLattice, level: int, span: float) -> np.ndarray:
    """From the middle of every cell of a level to the nearest square of side `span` that holds a particle."""
    side = CELL * 2 ** (WIDER * level)
    points = engine.points[: engine.count] - [engine.grid.left, engine.grid.bottom]
    held = (np.floor(points / span) + 0.5) * span if span else points
    y, x = (side * (np.arange(n) + 0.5) for n in (engine.grid.rows[level], engine.grid.columns[level]))
    dx, dy = np.abs(x[:, None] - held[:, 0]), np.abs(y[:, None] - held[:, 1])
    if engine.period:
        dx = np.minimum(dx, engine.period - dx)
    dx, dy = np.maximum(dx - span / 2, 0), np.maximum(dy - span / 2, 0)
    return np.array([np.hypot(dx, row).min(axis=1) for row in dy])


@pytest.mark.parametrize("geometry", ["point", "line"])
def test_distances_of_the_grid_are_those_of_brute_force(geometry: str) -> None:
    """On every level, and never more than to the nearest particle."""
    run = DiffusionLimitedAggregation(size=800, geometry=geometry).simulate(seed=5)
    run.advance(800)
    engine = run.engine
    for level, (wide, high) in enumerate(zip(engine.grid.columns, engine.grid.rows, strict=True)):
        side = CELL * 2 ** (WIDER * level)
        marks = engine.grid.clear[engine.grid.offsets[level] : engine.grid.offsets[level + 1]].reshape(high, wide)
        span = 0.0 if level == 0 else side / 2**WIDER
        wanted = np.floor(np.minimum(PARTS / side * brute_distances(engine, level, span), FAR))
        inside = np.zeros((high, wide), bool)
        x, y = ((engine.points[: engine.count] - [engine.grid.left, engine.grid.bottom]) / side).astype(int).T
        inside[y, x] = True
        np.testing.assert_array_equal(marks == OCCUPIED, inside)
        # What is further away than REACH cells to a side is not looked at; float32 may round a whole part down.
        near = (wanted < FAR) & ~inside
        np.testing.assert_allclose(marks[near], wanted[near], atol=1)
        exact = brute_distances(engine, level, 0.0)
        assert (side / PARTS * marks <= exact + 1e-4).all()


def test_first_contact_from_far_away_is_even_in_angle() -> None:
    """The second particle sticks to a single disc, so its direction is uniform."""
    angles = []
    for seed in range(400):
        run = DiffusionLimitedAggregation(size=50).simulate(seed=seed)
        run.advance(1)
        x, y = run.cluster()[0]
        assert math.hypot(x, y) == pytest.approx(SPACING)
        angles.append(math.atan2(y, x))
    for k in (1, 2, 3):
        assert abs(np.exp(1j * k * np.array(angles)).mean()) < 4 / math.sqrt(400)


def test_brute_force_walkers_build_the_same_kind_of_cluster() -> None:
    """The slow way: unit steps only, all particles looked at, walkers dropped far outside come back by eq. (5)."""
    rng = np.random.default_rng(8)
    radii = []
    for _ in range(4):
        points = [np.zeros(2)]
        reach = CAPTURE
        while len(points) < 60:
            angle = rng.uniform(0, 2 * math.pi)
            place = reach * np.array([math.cos(angle), math.sin(angle)])
            while True:
                r = float(np.hypot(*place))
                if r > reach + 2:
                    turn = 2 * math.atan((r - reach) / (r + reach) * math.tan(math.pi * (rng.random() - 0.5)))
                    angle = math.atan2(place[1], place[0]) + turn
                    place = reach * np.array([math.cos(angle), math.sin(angle)])
                offsets = place - np.array(points)
                distance = np.hypot(*offsets.T)
                k = int(np.argmin(distance))
                if distance[k] < CAPTURE:
                    points.append(points[k] + offsets[k] / distance[k] * SPACING)
                    reach = max(reach, float(np.hypot(*points[-1])) + CAPTURE)
                    break
                angle = rng.uniform(0, 2 * math.pi)
                place = place + max(1.0, distance[k] - CAPTURE) * np.array([math.cos(angle), math.sin(angle)])
        radii.append(math.sqrt(np.mean(np.sum(np.array(points) ** 2, axis=1))))
    fast = [o["radius_of_gyration"] for o in final(40, size=59)]
    error = math.hypot(np.std(radii) / 2, np.std(fast) / math.sqrt(40))
    assert np.mean(radii) == pytest.approx(np.mean(fast), abs=4 * error)


def test_radius_follows_the_predicted_path() -> None:
    model = DiffusionLimitedAggregation(size=20_000)
    run = model.simulate(seed=2)
    run.advance(20_000)
    times, series = run.series()
    path = model.predicted_path({"size": 0.0}, times)["radius_of_gyration"]
    late = times > 500
    np.testing.assert_allclose(series["radius_of_gyration"][late], path[late], rtol=0.1)


@pytest.mark.parametrize(
    ("controls", "tolerance"),
    [
        ({"size": 1000}, 0.08),
        ({"size": 50_000}, 0.05),
        ({"size": 20_000, "sticking": 0.1}, 0.08),
        ({"size": 5000, "sticking": 0.01}, 0.05),
        ({"size": 4000, "walker_density": 0.15}, 0.1),
        ({"size": 10_000, "walker_density": 0.3}, 0.05),
        ({"size": 10_000, "walker_density": 0.6}, 0.03),
    ],
    ids=str,
)
def test_size_of_the_cluster_is_that_of_theory(controls: dict[str, float], tolerance: float) -> None:
    """Eq. (3) from dilute to dense, with two prefactors for each kind of simulation."""
    found = np.mean([o["radius_of_gyration"] for o in final(2, **controls)])
    theory = DiffusionLimitedAggregation(**controls).theory(method="numerical")
    assert found == pytest.approx(float(theory["radius_of_gyration"]), rel=tolerance)


def test_dense_clusters_are_as_dense_as_the_walkers() -> None:
    for density in (0.3, 0.5):
        run = DiffusionLimitedAggregation(size=8000, walker_density=density).simulate(seed=1)
        run.measure()
        radius = np.hypot(*run.cluster().T)
        inner = 0.7 * math.sqrt(2 * np.mean(radius**2))
        assert np.sum(radius < inner) / (math.pi * inner**2) == pytest.approx(density, rel=0.08)


def test_the_gas_keeps_its_books() -> None:
    run = DiffusionLimitedAggregation(size=2000, walker_density=0.2).simulate(seed=6)
    before = run.engine.alive
    run.advance(300)
    sites = run.engine.sites.reshape(run.engine.side, -1)
    assert run.engine.alive == before
    assert np.sum(sites & 1 > 0) == before
    assert np.sum(sites & 2 > 0) == run.engine.count
    assert len(np.unique(run.engine.walkers)) == before
    places = (run.engine.points[: run.engine.count] + run.engine.origin).astype(int)
    assert (sites[places[:, 1], places[:, 0]] & 2 > 0).all()
    stuck = np.pad(sites & 2 > 0, 1)
    touching = stuck[:-2, 1:-1] | stuck[2:, 1:-1] | stuck[1:-1, :-2] | stuck[1:-1, 2:]
    np.testing.assert_array_equal(sites & 8 > 0, touching)


def test_drift_makes_dense_columns() -> None:
    straight = [o["fractal_dimension"] for o in final(2, geometry="line", size=8000, drift=0.5)]
    diffusive = [o["fractal_dimension"] for o in final(2, geometry="line", size=8000)]
    assert np.mean(straight) == pytest.approx(2, abs=0.06)
    assert np.mean(diffusive) < 1.9
    density = {}
    for drift in (0.0, 0.5):
        run = DiffusionLimitedAggregation(geometry="line", size=4000, drift=drift).simulate(seed=1)
        run.advance(4000)
        density[drift] = 4000 / (2 * run.cluster()[:, 1].mean() * run.engine.period)
    assert density[0.5] > 1.5 * density[0.0]


@pytest.fixture(scope="module")
def large() -> Any:
    """A finished cluster of 100000 particles."""
    run = DiffusionLimitedAggregation(size=100_000).simulate(seed=1)
    run.measure()
    return run


def test_mass_is_monofractal(large: Any) -> None:
    dimensions = large.renyi_dimensions(np.array([0.0, 1.0, 2.0, 4.0]))
    assert np.ptp(dimensions) < 0.06
    assert dimensions.mean() == pytest.approx(1.68, abs=0.05)


# -- theory --------------------------------------------------------------------------------------------------------


def test_radius_and_exponent_are_those_of_the_integrated_profile() -> None:
    """Eq. (3) integrated numerically for the lattice gas with drift and sticking."""
    model = DiffusionLimitedAggregation(walker_density=0.12, sticking=0.3, size=30_000)
    _, core, blob, floor = (float(np.ravel(x)[0]) for x in model.density(columns(model, {}), MEASURED_DIMENSION))
    gap = 2 - MEASURED_DIMENSION
    assert floor == 0.12

    def density(r: float) -> float:
        return max(0.12, core * min(1.0, blob / r) ** gap)

    radius = model.expected_radius()
    corners = sorted(x for x in (blob, blob * (core / 0.12) ** (1 / gap)) if x < radius)
    mass = quad(lambda r: 2 * math.pi * r * density(r), 0, radius, points=corners, limit=200)[0]
    assert mass == pytest.approx(30_000, rel=1e-8)
    slope = 2 * math.pi * radius**2 * density(radius) / mass
    assert float(model.theory(method="numerical")["fractal_dimension"]) == pytest.approx(slope, rel=1e-8)


def test_screening_is_solved_the_same_way_along_both_axes() -> None:
    model = DiffusionLimitedAggregation(walker_density=0.15)
    size = round(float(model.landmark("screening", "size")[0]))
    assert model.replace(size=size).landmark("screening", "walker_density") == pytest.approx([0.15], rel=1e-3)
    around = model.theory(method="numerical", size=[int(0.8 * size), int(1.25 * size)])
    assert around["phase"].values.tolist() == [0, 1]


@pytest.mark.parametrize("along", ["walker_density", "size", "sticking"])
@pytest.mark.parametrize(
    "controls",
    [{}, {"drift": 0.02}, {"drift": 0.5}, {"geometry": "line", "drift": 0.1}, {"sticking": 0.02, "geometry": "line"},
     {"sticking": 0.03, "walker_density": 0.2, "drift": 0.005, "size": 200_000}],
    ids=str,
)  # fmt: skip
def test_regions_end_at_the_landmarks(along: str, controls: dict[str, Any]) -> None:
    """With a drift, too, which alone makes a cluster compact; beyond zero density, where the lattice takes over."""
    model = DiffusionLimitedAggregation(**controls)
    low = 1e-3 if along == "walker_density" else None
    grid = model.control(along).grid(400, low)
    phase = model.theory(method="numerical", **{along: grid})["phase"].values
    changes = [(grid[k], grid[k + 1]) for k in np.flatnonzero(np.diff(phase))]
    lines = [x for name in ("screening", "core") for x in _crossed(model, name, along)]
    for below, above in changes:
        assert any(below <= x <= above for x in lines)
    for x in lines:
        assert any(below <= x <= above for below, above in changes)


def _crossed(model: DiffusionLimitedAggregation, name: str, along: str) -> list[float]:
    try:
        return [float(x) for x in model.landmark(name, along)]
    except NotOfferedError:
        return []


def test_core_is_solved_the_same_way_along_both_axes() -> None:
    model = DiffusionLimitedAggregation(sticking=0.02)
    size = round(float(model.landmark("core", "size")[0]))
    assert model.replace(size=size).landmark("core", "sticking") == pytest.approx([0.02], rel=1e-3)
    around = model.theory(method="numerical", size=[int(0.8 * size), int(1.25 * size)])
    assert around["phase"].values.tolist() == [2, 0]


def test_measured_mass_grows_with_the_radius_as_theory_says() -> None:
    """Particles within a distance of the centre of a finished cluster, and the exponent of that."""
    model = DiffusionLimitedAggregation(size=50_000)
    run = model.simulate(seed=3)
    run.advance(20_000)
    early = run.profiles()["mass"]
    run.measure()
    mass = run.profiles()["mass"]
    distance = np.hypot(*run.cluster().T)
    np.testing.assert_array_equal(mass.values, [(distance <= r).sum() for r in mass.coordinate])
    inner = early.coordinate < 0.3 * early.coordinate.max()
    np.testing.assert_allclose(early.values[inner], mass.values[: inner.sum()], rtol=0.05)  # hardly anyone gets there
    theory = model.theory(method="numerical")["mass"]
    outer = (
        np.isfinite(theory.values) & (theory["radius"].values > 5) & (theory["radius"].values <= mass.coordinate[-1])
    )
    ratio = mass.values[outer[: len(mass.values)]] / theory.values[outer]
    assert np.abs(ratio - 1).max() < 0.4  # one cluster; the prefactor is that of its whole
    slope = np.polyfit(np.log(mass.coordinate[mass.coordinate > 8]), np.log(mass.values[mass.coordinate > 8]), 1)[0]
    assert slope == pytest.approx(1.71, abs=0.1)


def test_mass_of_theory_is_the_integral_of_the_profile_and_ends_with_the_cluster() -> None:
    model = DiffusionLimitedAggregation(walker_density=0.12, sticking=0.3, size=30_000)
    theory = model.theory()["mass"]
    for method, values in zip(theory["method"].values, theory.values, strict=True):
        last = np.flatnonzero(np.isfinite(values))[-1]
        at = model.replace(size=max(50, round(values[last])))
        found = at.theory(method=str(method))
        outer = float(found["radius_of_gyration"] * np.sqrt(1 + 2 / found["fractal_dimension"]))
        assert outer == pytest.approx(float(theory["radius"][last]), rel=1e-4)
        assert (np.diff(values[: last + 1]) > 0).all()
    assert "mass" not in DiffusionLimitedAggregation(geometry="line").profiles()


@pytest.mark.parametrize("geometry", ["point", "line"])
def test_growth_is_drawn_with_its_exponent(geometry: str) -> None:
    run = DiffusionLimitedAggregation(size=6000, geometry=geometry).simulate(seed=1)
    chart = run.pictures()["growth"]
    assert not chart.guides
    run.measure()
    chart = run.pictures()["growth"]
    assert chart.x.scale == chart.y.scale == "log"
    (series,), (guide,) = chart.series, chart.guides
    assert (series.x[-1], series.y[-1]) == guide.through
    assert series.y[-1] == 6000
    expected = run.observe()["fractal_dimension"] - (geometry == "line")
    assert guide.slope == pytest.approx(expected)
    late = series.y > 600
    assert np.polyfit(np.log(series.x[late]), np.log(series.y[late]), 1)[0] == pytest.approx(expected, abs=0.15)


# -- picture -------------------------------------------------------------------------------------------------------


def test_a_large_cluster_is_drawn_with_few_dots_that_cover_it() -> None:
    run = DiffusionLimitedAggregation(size=30_000).simulate(seed=1)
    run.advance(100)
    assert len(run.picture().x) == 101
    run.advance(30_000)
    picture = run.picture()
    assert 500 < len(picture.x) <= DOTS
    side = picture.radius / 0.55
    boxes = {(math.floor((x - picture.box[0]) / side), math.floor((y - picture.box[2]) / side)) for x, y in
             zip(picture.x, picture.y, strict=True)}  # fmt: skip
    filled = {(math.floor((x - picture.box[0]) / side), math.floor((y - picture.box[2]) / side)) for x, y in
              run.engine.points[: run.engine.count]}  # fmt: skip
    assert boxes == filled
    left, right, bottom, top = picture.box
    assert run.cluster()[:, 0].min() > left
    assert run.cluster()[:, 0].max() < right
    assert run.cluster()[:, 1].min() > bottom
    assert run.cluster()[:, 1].max() < top


def test_growth_from_a_line_has_no_exponent_before_it_is_a_layer() -> None:
    """Mass ~ height^(D-1) fitted to a monolayer would give a dimension far above that of the plane."""
    run = DiffusionLimitedAggregation.preset("frost").simulate(seed=0)
    run.advance(1000)
    assert math.isnan(run.observe()["fractal_dimension"])
    run.advance(9000)
    assert 1.6 < run.observe()["fractal_dimension"] < 2


def test_a_large_cluster_comes_in_larger_steps() -> None:
    steps = [DiffusionLimitedAggregation(size=size).simulate().step for size in (500, 20_000, 1_000_000)]
    assert steps == [100, 100, 2000]


def test_there_is_no_path_for_the_gas() -> None:
    with pytest.raises(NotOfferedError):
        DiffusionLimitedAggregation(walker_density=0.2).predicted_path({"size": 0.0}, np.arange(3.0))


@pytest.mark.parametrize("geometry", ["point", "line", "ring"])
def test_dots_are_large_enough_to_be_seen(geometry: str) -> None:
    run = DiffusionLimitedAggregation(size=30_000, geometry=geometry).simulate(seed=1)
    for particles in (100, 2900):
        run.advance(particles)
        picture = run.picture()
        left, right, _, _ = picture.box
        assert picture.radius / (right - left) >= 0.5 / 250


def test_lacunarity_is_about_that_of_a_large_cluster(large: Any) -> None:
    found = large.observe()["lacunarity"]
    assert found == pytest.approx(float(large.model.theory(method="numerical")["lacunarity"]), rel=0.1)
