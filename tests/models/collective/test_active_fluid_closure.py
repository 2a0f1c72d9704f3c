"""Closures of an active fluid: verified values, the ladder in other ways, rods one by one, growth in a box."""

from __future__ import annotations

import copy
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.special import iv

from mfexplore.models.collective.active_fluid_closure import ActiveFluidClosure
from mfexplore.models.collective.active_fluid_closure.dynamics import Box
from mfexplore.models.collective.active_fluid_closure.theory import (
    BINGHAM,
    KINETIC,
    LEARNED,
    bingham,
    concentration,
    learnt,
    quick_bingham,
)

CARD = {  # Pe: Bingham, learnt, linear, quadratic
    0.5: {"bingham": (0.0076490, 0.0614276), "linear": (0.0076923, 0.0615385), "quadratic": (0.01493531, 0.12129406)},
    10: {"bingham": (0.44491731, 0.23570059), "learned": (0.44046, 0.26746), "linear": (0.4310345, 0.1724138),
         "quadratic": (0.55410116, 0.49706445)},
    50: {"bingham": (0.59509482, 0.07259889), "learned": (0.72070, 0.19992), "linear": (0.4968203, 0.0397456),
         "quadratic": (0.82581119, 0.37927176)},
}  # fmt: skip


def shear(rate: float, method: str) -> tuple[float, float]:
    theory = ActiveFluidClosure(shear=rate).theory(method=method, profiles=False)
    return float(theory["along_flow"]), float(theory["along_stretch"])


# -- verified values -----------------------------------------------------------------------------------------------


def test_values_of_the_references() -> None:
    """Bingham's moments, the kinetic theory of shear, alignment without flow, growth."""
    seen = 0
    for known in reference_values("active_fluid_closure"):
        at, value = known["params"], known["value"]
        if "xi" in at:
            s = np.array([value[0]])
            assert float(concentration(s)[0]) == pytest.approx(at["xi"], rel=1e-12)
            assert float(bingham(s**2)[0]) * value[0] ** 2 == pytest.approx(value[1], rel=1e-12)
        elif "Pe" in at:
            np.testing.assert_allclose(shear(at["Pe"], "kinetic"), value, rtol=1e-11)
        elif "a" in at:
            model = ActiveFluidClosure(flow="suspension", alignment=2 * at["a"])
            for method in ("kinetic", "bingham"):
                assert float(model.theory(method=method)["nematic_order"]) == pytest.approx(value, rel=1e-11)
        else:  # d Q_xy / dt = E_xy / 2: with A the flow makes E_xy = A Q_xy / 2, so that growth has A / 4
            growth = [float(ActiveFluidClosure(flow="suspension", activity=a).theory(method="kinetic")["growth_rate"])
                      for a in (0.0, 2.0)]  # fmt: skip
            assert growth[1] - growth[0] == pytest.approx(value, abs=1e-14)
        seen += 1
    assert seen == 8


def test_values_of_the_review() -> None:
    np.testing.assert_allclose(learnt(), (0.49278576, 1.22267395, -0.60511591), atol=1e-8)
    for rate, closures in CARD.items():
        for method, value in closures.items():
            np.testing.assert_allclose(shear(rate, method), value, atol=1e-5 if method == "learned" else 1e-7)
    assert shear(2.0, "kinetic") == pytest.approx((0.0946231758, 0.1976021714), abs=1e-9)


def test_boundaries() -> None:
    model = ActiveFluidClosure(flow="suspension", alignment=2.0, diffusion=0.5)
    assert float(model.landmark("onset", "activity")[0]) == pytest.approx(16 + 2 - 8)
    assert float(model.landmark("aligning", "alignment")[0]) == pytest.approx(4)


# -- closures --------------------------------------------------------------------------------------------------------


def test_bingham_is_exact_without_rotation_and_only_there() -> None:
    for rotation in (0.0, 0.5):
        order = ActiveFluidClosure(shear=20.0, rotation=rotation).theory(profiles=False)["order"]
        gap = abs(float(order.sel({"method": "bingham"}) - order.sel({"method": "kinetic"})))
        assert gap < 1e-12 if rotation == 0 else gap > 1e-3


def test_a_closure_is_right_for_what_it_was_taught() -> None:
    """Shear by shear; flows that rotate less by all of them: mean distance from kinetics in z over rates of flow."""
    for rotation, better in ((1.0, "shear"), (0.7, "broadly"), (0.0, "broadly")):
        gaps = {}
        for taught in ("shear", "broadly"):
            model = ActiveFluidClosure(rotation=rotation, taught=taught)
            theory = model.theory(shear=[1.0, 5.0, 20.0, 50.0], profiles=False)
            z = theory["along_flow"] + 1j * theory["along_stretch"]
            gaps[taught] = float(abs(z.sel({"method": "learned"}) - z.sel({"method": "kinetic"})).mean())
        assert min(gaps, key=lambda taught: gaps[taught]) == better, gaps


def test_bingham_by_sums_over_angles_and_from_the_table() -> None:
    theta = np.linspace(0, math.pi, 2001)[:-1]
    for xi in (1e-3, 0.3, 4.0, 40.0):
        weight = np.exp(xi * np.cos(2 * theta))
        s, z4 = ((weight * np.cos(n * theta)).sum() / weight.sum() for n in (2, 4))
        assert float(bingham(np.array([s * s]))[0]) * s * s == pytest.approx(z4, rel=1e-6)
        assert s == pytest.approx(iv(1, xi) / iv(0, xi), rel=1e-10)
        assert float(quick_bingham(np.array(s * s))) == pytest.approx(float(bingham(np.array([s * s]))[0]), abs=2e-6)


def test_laws_of_angles_are_normalised_and_have_the_moments() -> None:
    model = ActiveFluidClosure(shear=10.0)
    law = model.theory()["orientation"]
    theta = np.radians(law["angle"].values)
    for method in ("kinetic", "bingham"):
        density = law.sel({"method": method}).values
        assert np.trapezoid(density, theta) == pytest.approx(1, abs=1e-6)
        assert np.trapezoid(density * np.cos(2 * theta), theta) == pytest.approx(shear(10.0, method)[0], abs=1e-5)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("size", "rotation"), [(300, 1.0), (2000, 1.0), (1000, 0.0)])
def test_rods_have_the_moments_of_the_kinetic_theory(size: int, rotation: float) -> None:
    model = ActiveFluidClosure(shear=10.0, size=size, rotation=rotation)
    run = model.simulate(seed=1)
    run.advance(8)
    series = run.series()[1]
    for name in ("along_flow", "along_stretch"):
        error = math.sqrt(0.5 / (size * 6 / 0.25))  # moments are forgotten within a quarter
        wanted = float(model.theory(method="kinetic", profiles=False)[name])
        assert series[name][40:].mean() == pytest.approx(wanted, abs=4 * error + 0.002), name
    law = run.profiles()["orientation"]
    theory = model.theory()["orientation"].sel({"method": "kinetic"})
    assert (np.abs(law.values - np.interp(law.coordinate, theory["angle"], theory)) < 4.5 * law.error + 0.01).all()


def test_rods_start_as_the_ladder_says() -> None:
    model = ActiveFluidClosure(shear=30.0, size=20_000)
    run = model.simulate(seed=3)
    run.advance(0.5)
    times, series = run.series()
    path = model.predicted_path({name: series[name][0] for name in ("along_flow", "along_stretch")}, times)
    for name in ("along_flow", "along_stretch"):
        np.testing.assert_allclose(series[name], path[name][KINETIC], atol=0.025)
        quadratic = path[name][[method.name for method in model.methods].index("quadratic")]
        assert np.abs(quadratic - path[name][KINETIC]).max() > 0.1  # that closure is far off


@pytest.mark.parametrize("cells", [16, 32])
@pytest.mark.parametrize(("activity", "alignment"), [(40.0, 0.0), (8.0, 1.0)])
def test_small_deviations_grow_as_theory_says(cells: int, activity: float, alignment: float) -> None:
    """In kinetics, and in the quadratic closure about twice as fast: two grids, growth and decay."""
    model = ActiveFluidClosure(
        flow="suspension", activity=activity, alignment=alignment, cells=cells, closure="quadratic"
    )
    run = model.simulate(seed=1)
    run.advance(0.6)
    growth = model.theory()["growth_rate"]
    seen = run.observe()
    kinetic = float(growth.sel({"method": "kinetic"}))
    assert seen["growth_rate"] == pytest.approx(kinetic, abs=0.02)  # no error of time steps
    if activity == 8.0:
        assert seen["closure_growth_rate"] == pytest.approx(float(growth.sel({"method": "quadratic"})), abs=0.03)


def test_steps_in_turbulence_are_short_enough_for_what_the_flow_carries() -> None:
    """A closure is turned slowly and carried fast: 0.05 time units in the steps of the program, and in many more."""
    model = ActiveFluidClosure(flow="suspension", activity=60.0, cells=32)
    x = 2 * math.pi * np.arange(32) / 32
    box = Box(model, LEARNED, 0.2 * np.exp(2j * np.sin(x)[None, :] + 3j * np.cos(x)[:, None]))
    box.follow(0.3)
    exact = copy.deepcopy(box)
    for _ in range(100):
        exact.advance(0.0005)
    exact.flow()
    box.follow(0.05)
    assert float(np.hypot(box.u, box.v).max()) > 10
    assert np.abs(box.z - exact.z).max() < 0.1  # by turning alone the steps would be wrong by more than one


def test_flow_of_one_wave_is_stokes_flow() -> None:
    """Q_xy = cos(x)/2 drives u_y = -A sin(x)/2 and E_xy = A Q_xy/2 (with the sign of pushers), at 32 points."""
    model = ActiveFluidClosure(flow="suspension", activity=10.0)
    x = 2 * math.pi * np.arange(32) / 32
    box = Box(model, BINGHAM, 0.01j * np.cos(x)[None, :] * np.ones((32, 1)))
    u, v, strain, vorticity = box.flow()
    np.testing.assert_allclose(u, 0, atol=1e-14)
    np.testing.assert_allclose(v, np.tile(10 * 0.01 * np.sin(x) / 2, (32, 1)), atol=1e-14)
    np.testing.assert_allclose(strain, 1j * 10 * 0.01 / 4 * np.cos(x)[None, :] * np.ones((32, 1)), atol=1e-14)
    np.testing.assert_allclose(vorticity, np.tile(10 * 0.01 * np.cos(x) / 2, (32, 1)), atol=1e-14)


def test_without_flow_a_box_aligns_as_a_nematic() -> None:
    """Homogeneous alignment: kinetics by harmonics and Bingham end at the order of eq. (5)."""
    model = ActiveFluidClosure(flow="suspension", activity=0.0, alignment=5.0)
    for closure in (KINETIC, BINGHAM):
        box: Any = Box(model, closure, np.full((8, 8), 0.3 + 0.1j))
        for _ in range(200):
            box.advance(0.04)
        wanted = float(model.theory(method="kinetic")["nematic_order"])
        assert float(np.abs(np.fft.ifft2(box.waves[0])).mean()) == pytest.approx(wanted, abs=3e-3)


def test_the_quadratic_closure_stirs_where_kinetics_does_not() -> None:
    run = ActiveFluidClosure(flow="suspension", activity=12.0, closure="quadratic", cells=16).simulate(seed=1)
    run.advance(1.5)
    series = run.series()[1]
    assert series["speed"][-1] < 0.5 * series["speed"][10]
    assert series["closure_speed"][-1] > 4 * series["closure_speed"][10]


def test_what_a_flow_has_not_is_not_offered() -> None:
    """No empty pictures: an imposed flow has no closure beside it, and no energy of its own."""
    for flow, pictures in (("shear", ["state"]), ("suspension", ["state", "closure beside it", "energy"])):
        run = ActiveFluidClosure(flow=flow, size=100, cells=16).simulate(seed=1)
        assert list(run.pictures()) == pictures
        for picture in run.pictures().values():
            assert picture.caption or picture.series  # type: ignore[union-attr]


def test_a_run_that_follows_another_flow_forgets_the_law_of_the_last() -> None:
    """Angles of both flows in one histogram would be the law of neither."""
    run = ActiveFluidClosure(flow="shear", shear=60.0, rotation=0.0, size=400).simulate(seed=1)
    run.advance(2.5)
    assert run.profiles()
    assert run.follow(run.model.replace(shear=0.1))
    assert not run.profiles()
    box = ActiveFluidClosure(flow="suspension", activity=90.0, cells=16).simulate(seed=1)
    box.advance(6 * box.step)
    assert np.isfinite(box.observe()["growth_rate"])
    assert box.follow(box.model.replace(activity=0.0))
    assert np.isnan(box.observe()["growth_rate"])
