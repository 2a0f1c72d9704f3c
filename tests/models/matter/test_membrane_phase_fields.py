"""Membranes: verified values, diffuse energies by other ways, flows against sharp ones, domains against caps."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import j0, j1

from mfexplore.core import NotOfferedError
from mfexplore.models.matter.membrane_phase_fields import MembranePhaseFields
from mfexplore.models.matter.membrane_phase_fields.motion import product
from mfexplore.models.matter.membrane_phase_fields.theory import RIM, SURFACE, kinks_on_a_ring

CIRCLE = {"shape": "circle"}
REFERENCES = {r["id"]: r["value"] for r in reference_values("membrane_phase_fields")}


# -- verified values -----------------------------------------------------------------------------------------------


def test_surface_constant() -> None:
    (known,) = (r["value"] for r in reference_values("membrane_phase_fields") if r["id"] == "mm_sigma")
    assert abs(SURFACE - known) < 1e-14
    assert quad(lambda s: math.sqrt(0.5) * (1 - s * s), -1, 1)[0] == pytest.approx(SURFACE, rel=1e-12)
    assert pytest.approx(8 / 9, rel=1e-14) == SURFACE**2  # energy of a kink along a line


def test_budding_and_spinodal() -> None:
    flat = MembranePhaseFields(spontaneous_curvature=0.0)
    found = [flat.landmark(name, "line_tension")[0] for name in ("budding", "spinodal")]
    assert found == pytest.approx(REFERENCES["bud"], abs=1e-7)


@pytest.mark.parametrize(("spontaneous", "tension"), [(0.0, 4.0), (0.5, 2.35991936), (1.0, 1.20113242)])
def test_first_order_line_of_the_review(spontaneous: float, tension: float) -> None:
    model = MembranePhaseFields(spontaneous_curvature=spontaneous)
    assert model.landmark("budding", "line_tension")[0] == pytest.approx(tension, abs=1e-7)


@pytest.mark.parametrize(("width", "ratio", "within"), [(0.05, 1.00162179, 1e-8), (0.1, 1.00660637, 2e-9)])
def test_bending_of_a_diffuse_circle(width: float, ratio: float, within: float) -> None:
    found = float(
        MembranePhaseFields(width=width, **CIRCLE).theory(profiles=False)["bending_ratio"].sel(branch="circle")
    )
    assert found == pytest.approx(ratio, abs=within)
    assert found - 1 == pytest.approx((math.pi**2 / 6 - 1) * width**2, rel=0.1)


def test_a_wide_profile_has_no_bending_energy_of_its_own() -> None:
    """The integral of (eps q'/r)^2 r diverges like ln r in the centre: what the review says at 0.2, 1.02899710, depends
    on where it is cut, by 1.2e-4 between R/50 and R/2700.
    """

    def ratio(lowest: float) -> float:
        weight = 0.5 / SURFACE / 0.2
        return quad(lambda r: weight / math.cosh((r - 1) / (0.2 * math.sqrt(2))) ** 4 / r, lowest, 2.8, limit=400)[0]

    theory = MembranePhaseFields(width=0.2, **CIRCLE).theory(profiles=False)
    ours = float(theory["bending_ratio"].sel(branch="circle"))
    assert ours == pytest.approx(ratio(0.02), abs=1e-9)
    cuts = [ratio(0.02 * math.exp(-2 * k)) for k in range(3)]
    assert cuts[2] - cuts[1] == pytest.approx(cuts[1] - cuts[0], rel=0.2)
    assert cuts[2] - cuts[1] > 5e-5


# -- theory by other ways ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("tension", "spontaneous"), [(3.0, 0.3), (5.0, 0.1), (1.0, 1.2)])
def test_shallow_cap_is_the_least_energy_nearby(tension: float, spontaneous: float) -> None:
    def energy(x: float) -> float:
        return (x - spontaneous) ** 2 + tension * math.sqrt(1 - x * x / 4)

    theory = MembranePhaseFields(line_tension=tension, spontaneous_curvature=spontaneous).theory(profiles=False)
    shallow, barrier = (float(theory["depth"].sel(branch=b)) for b in ("shallow", "barrier"))
    least = minimize_scalar(energy, bounds=(0, barrier), method="bounded", options={"xatol": 1e-10}).x
    most = minimize_scalar(lambda x: -energy(x), bounds=(shallow, 2), method="bounded", options={"xatol": 1e-10}).x
    assert shallow == pytest.approx(least, abs=1e-6)
    assert barrier == pytest.approx(most, abs=1e-6)


def test_spinodal_is_an_astroid() -> None:
    for spontaneous in (0.2, 0.7, 1.4):
        model = MembranePhaseFields(spontaneous_curvature=spontaneous)
        end = model.landmark("spinodal", "line_tension")[0]
        assert (spontaneous / 2) ** (2 / 3) + (end / 8) ** (2 / 3) == pytest.approx(1, abs=1e-12)
        exists = np.isfinite(model.theory(line_tension=np.array([end - 1e-6, end + 1e-6]), profiles=False)["depth"])
        assert exists.sel(branch="shallow").values.tolist() == [True, False]


def test_kinks_on_a_ring_by_relaxation() -> None:
    """Gradient descent of the energy of v on a ring, in steps of its own."""
    edge, n = 0.5, 200
    h = 2 * math.pi / n
    v = np.tanh(np.sin(h * np.arange(n)) / (math.sqrt(2) * edge))
    for _ in range(4000):
        laplacian = (np.roll(v, 1) - 2 * v + np.roll(v, -1)) / h**2
        v = v + 0.3 * h**2 * (laplacian - (v**3 - v) / edge**2)
    gradient = 0.5 * edge * h * ((np.roll(v, -1) - v) ** 2).sum() / h**2
    well = h * (0.25 * (1 - v * v) ** 2).sum() / edge
    found = kinks_on_a_ring(np.array([edge]))
    assert [gradient / SURFACE, well / SURFACE] == pytest.approx([float(part[0]) for part in found], rel=2e-3)


@pytest.mark.parametrize(("edge", "within"), [(0.2, 1e-3), (0.5, 1e-3), (0.8, 1e-3), (1.1, 2e-3), (1.2, 2e-3)])
def test_phases_on_a_circle_have_the_line_energy_of_theory(edge: float, within: float) -> None:
    """The simulated v at rest, on either side of the transition at delta = R."""
    model = MembranePhaseFields(shape="circle", width=0.05, edge=edge, cells=400)
    run = model.simulate(seed=1)
    for _ in range(100):
        run._separate(0.1)
    theory = model.theory(profiles=False)["line_ratio"].sel(branch="circle")
    assert run.observe()["line_ratio"] == pytest.approx(float(theory), abs=within)
    assert (np.abs(run.phase).max() < 1e-3) == (edge > 1)


def test_a_circle_that_shrinks_below_its_edge_mixes_its_phases() -> None:
    run = MembranePhaseFields(shape="circle", width=0.05, edge=0.5, flow="tension").simulate(seed=1)
    run.advance(0.2)
    large = run.observe()
    theory = run.model.replace(width=large["width"], edge=large["edge"]).equilibrium(profiles=False)
    assert large["line_ratio"] == pytest.approx(float(theory["line_ratio"]), abs=5e-3)  # it follows
    assert np.abs(run.phase).max() > 0.7
    run.advance(0.25)
    small = run.observe()
    assert small["edge"] > 1.5
    assert small["line_ratio"] < 0.9 * large["line_ratio"]


def test_flat_domains_are_lost_where_the_rim_says() -> None:
    """Rayleigh's quotient of (psi' + psi/r)^2 over psi^2: of J_1, not curved at the rim, j^2; of a cap, 8."""

    def quotient(psi: Any, curvature: Any) -> float:
        return quad(lambda r: curvature(r) ** 2 * r, 0, 1)[0] / quad(lambda r: psi(r) ** 2 * r, 0, 1)[0]

    assert quotient(lambda r: j1(RIM * r), lambda r: RIM * j0(RIM * r)) == pytest.approx(RIM**2, rel=1e-10)
    assert quotient(lambda r: r, lambda r: 2.0) == pytest.approx(8, rel=1e-10)
    assert abs(j0(RIM)) < 1e-12


# -- flows ---------------------------------------------------------------------------------------------------------


def test_product_of_banded_matrices() -> None:
    rng = np.random.default_rng(1)

    def whole(bands: np.ndarray) -> np.ndarray:
        reach, n = bands.shape[0] // 2, bands.shape[1]
        found = np.zeros((n, n))
        for i, j in np.ndindex(n, n):
            if abs(i - j) <= reach:
                found[i, j] = bands[reach + i - j, j]
        return found

    left, right = rng.random((3, 9)), rng.random((3, 9))
    np.testing.assert_allclose(whole(product(left, right)), whole(left) @ whole(right), rtol=1e-13)


@pytest.mark.parametrize("flow", ["bending", "tension"])
def test_diffuse_circles_follow_sharp_ones(flow: str) -> None:
    """The better, the thinner the interface."""
    gaps = []
    for width, cells in ((0.1, 150), (0.05, 300)):
        run = MembranePhaseFields(shape="circle", width=width, cells=cells, flow=flow).simulate(seed=1)
        run.advance(1.0 if flow == "bending" else 0.3)
        times, series = run.series()
        path = run.model.predicted_path({"radius": 1.0}, times)["radius"]
        gaps.append(np.abs(series["radius"] - path).max())
    assert gaps[1] < 0.6 * gaps[0] or flow == "bending"  # there the error is of the steps in time
    assert max(gaps) < 0.007


def test_energy_falls_and_is_nearly_that_of_sharp_circles() -> None:
    run = MembranePhaseFields(shape="circle", width=0.06, cells=300).simulate(seed=1)
    run.advance(0.5)
    series = run.series()[1]
    assert (np.diff(series["bending_ratio"][1:] / series["radius"][1:]) < 0).all()
    assert series["bending_ratio"][-1] == pytest.approx(1, abs=2e-3)
    assert series["length_ratio"][-1] == pytest.approx(1, abs=2e-3)


def test_coarse_cells_pin_the_interface() -> None:
    run = MembranePhaseFields(shape="circle", width=0.04, cells=30, flow="tension").simulate(seed=1)
    run.advance(0.2)
    assert run.observe()["radius"] > 0.95 > run.model.predicted_path({"radius": 1.0}, np.array([0.2]))["radius"][0]


# -- domains -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("cells", [20, 24])
def test_contours_have_the_energies_of_flat_domains_and_caps(cells: int) -> None:
    run = MembranePhaseFields(line_tension=3.0, spontaneous_curvature=0.4, cells=cells).simulate(seed=1)
    middle = (np.arange(cells) + 0.5) / cells
    for depth in (0.5, 1.2):
        angle = 2 * math.asin(depth / 2) * middle
        expected = (depth - 0.4) ** 2 + 3 * math.sqrt(1 - depth**2 / 4)
        assert float(run.energy(angle)) == pytest.approx(expected, rel=0.3 / cells)


@pytest.mark.parametrize("cells", [20, 24])
def test_flat_domains_grow_or_decay_as_the_rim_says(cells: int) -> None:
    for tension in (4.5, 7.0):
        run = MembranePhaseFields(line_tension=tension, noise=0.0, cells=cells).simulate(seed=1)
        run.advance(1.0)
        times, series = run.series()
        late = times >= 0.4
        rate = np.polyfit(times[late], np.log(series["depth"][late]), 1)[0]
        assert rate == pytest.approx(tension - RIM**2, abs=0.01)
        assert (rate > 0) == (tension > RIM**2)


def test_a_deep_domain_closes_and_a_flat_one_waits() -> None:
    model = MembranePhaseFields(line_tension=5.0, noise=0.0, cells=20)
    deep, flat = model.replace(start="deep").simulate(seed=1), model.simulate(seed=1)
    for run in (deep, flat):
        run.advance(1.0)
    assert deep.finished
    assert deep.observe()["free_energy"] < 4.3  # that of a bud is 4; the flat domain has 5
    assert not flat.finished
    assert flat.observe()["rim"] > 0.9999


def test_noise_makes_the_modes_of_a_flat_domain_share_the_energy() -> None:
    """The rim is shorter on average by T/(2 line tension) for every mode, less where modes are stiff."""
    shortened = []
    for noise in (0.0005, 0.002):
        run = MembranePhaseFields(line_tension=2.0, noise=noise, cells=20).simulate(seed=2)
        run.advance(1.2)
        shortened.append(1 - run.series()[1]["rim"][12:].mean())
    assert shortened[1] / shortened[0] == pytest.approx(4, rel=0.6)


def test_what_a_circle_does_not_offer() -> None:
    with pytest.raises(NotOfferedError):
        MembranePhaseFields(**CIRCLE).landscape()
    with pytest.raises(NotOfferedError):
        MembranePhaseFields(spontaneous_curvature=0.5).predicted_path({"depth": 0.02}, np.zeros(1))
