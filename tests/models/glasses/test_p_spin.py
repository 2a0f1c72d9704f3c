"""p-spin glass: published values, slow paths, the meeting points of its branches, dynamics against both theories."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from numpy.typing import NDArray

from mfexplore.core import Chart, NotOfferedError
from mfexplore.models.glasses.p_spin import PSpin
from mfexplore.models.glasses.p_spin.dynamics import Interaction, draw_groups, forces, products

Array = NDArray[np.float64]
FEW = {"spherical": 360, "ising": 200}  # couplings of a spin that are enough here
ISING = {v["id"]: v for v in reference_values("pspin_ising")}
SPHERICAL = {v["id"]: v for v in reference_values("pspin_spherical")}


def found(model: PSpin, branch: str, *names: str) -> list[float]:
    theory = model.theory().sel(branch=branch)
    return [float(theory[name]) for name in names]


def transition(model: PSpin, name: str) -> float:
    return float(model.landmark(f"{name}_temperature", "temperature")[0])


# -- verified values ---------------------------------------------------------------------------------------------------


def test_every_given_value_is_tested() -> None:
    assert all(key.endswith(("Td", "TG")) or "_T0." in key for key in ISING)
    assert set(SPHERICAL) == {"pspin_sph_p3", "pspin_sph_p4", "pspin_sph_p4_e"}


@pytest.mark.parametrize("value", [v for k, v in ISING.items() if k.endswith("Td")], ids=lambda v: v["id"])
def test_dynamic_temperature_of_ising_spins(value: dict[str, Any]) -> None:
    model = PSpin(kind="ising", order=value["params"]["p"])
    temperature, overlap = value["value"]
    assert transition(model, "dynamic") == pytest.approx(temperature, abs=1e-9)
    just_below = model.replace(temperature=temperature * (1 - 1e-12))
    assert found(just_below, "glass", "overlap") == pytest.approx([overlap], abs=1e-4)  # it leaves as a square root


def test_gardner_temperature() -> None:
    value = ISING["pspin_ising_p3_TG"]["value"]
    assert transition(PSpin(kind="ising"), "gardner") == pytest.approx(value, abs=1e-7)


@pytest.mark.parametrize(
    "value", [v for k, v in ISING.items() if "_T0." in k and "Sigma" not in k], ids=lambda v: v["id"]
)
def test_glass_of_ising_spins(value: dict[str, Any]) -> None:
    model = PSpin(kind="ising", order=value["params"]["p"], temperature=value["params"]["T"])
    names = "overlap", "breakpoint", "free_energy", "replicon"
    np.testing.assert_allclose(found(model, "glass", *names), value["value"], atol=2e-8)


def test_complexity_of_ising_spins() -> None:
    value = ISING["pspin3_Sigma_T0.665"]["value"]
    model = PSpin(kind="ising", temperature=0.665)
    np.testing.assert_allclose(found(model, "glass", "overlap", "complexity"), value, atol=1e-9)


@pytest.mark.parametrize("name", ["pspin_sph_p3", "pspin_sph_p4"])
def test_transitions_of_the_sphere(name: str) -> None:
    model = PSpin(order=SPHERICAL[name]["params"]["p"])
    dynamic, q_dynamic, static, q_static = SPHERICAL[name]["value"]
    assert transition(model, "dynamic") == pytest.approx(dynamic, abs=1e-12)
    assert transition(model, "static") == pytest.approx(static, abs=1e-12)
    near = found(model.replace(temperature=dynamic * (1 - 1e-12)), "glass", "overlap")[0]
    assert near == pytest.approx(q_dynamic, abs=1e-5)
    assert found(model.replace(temperature=static), "glass", "overlap")[0] == pytest.approx(q_static, abs=1e-10)


def test_energies_of_the_sphere_at_zero_temperature() -> None:
    threshold, ground = SPHERICAL["pspin_sph_p4_e"]["value"]
    model = PSpin(order=4, temperature=0)
    assert found(model, "threshold", "energy", "free_energy") == pytest.approx([threshold] * 2, abs=1e-10)
    assert found(model, "glass", "energy", "free_energy") == pytest.approx([ground] * 2, abs=1e-10)


# -- slow paths and identities -----------------------------------------------------------------------------------------


def slow_free_energy(kind: str, p: int, t: float, q: float, x: float) -> float:
    """Eqs. (2) and (3), the average by the trapezoid rule."""
    if kind == "spherical":
        entropy = (x - 1) / x * math.log(1 - q) + math.log(1 - q + x * q) / x
        return -(1 - (1 - x) * q**p) / (4 * t) - t / 2 * entropy
    z = np.linspace(-12, 12, 8001)
    w = np.exp(-z * z / 2)
    u = np.abs(math.sqrt(p / 2 * q ** (p - 1)) * z / t)
    exponent = x * (u + np.log1p(np.exp(-2 * u)))
    average = math.log(float(w @ np.exp(exponent - exponent.max()) / w.sum())) + float(exponent.max())
    return -(1 + (p - 1) * (1 - x) * q**p - p * q ** (p - 1)) / (4 * t) - t / x * average


@pytest.mark.parametrize("kind", ["ising", "spherical"])
@pytest.mark.parametrize(("order", "temperature"), [(3, 0.3), (3, 0.55), (4, 0.45), (6, 0.2)])
def test_glass_is_stationary(kind: str, order: int, temperature: float) -> None:
    model = PSpin(kind=kind, order=order, temperature=temperature)
    q, x, f = found(model, "glass", "overlap", "breakpoint", "free_energy")
    assert slow_free_energy(kind, order, temperature, q, x) == pytest.approx(f, abs=1e-11)
    for dq, dx in ((1e-5 * (1 - q), 0.0), (0.0, 1e-5 * x)):
        change = slow_free_energy(kind, order, temperature, q + dq, x + dx)
        change -= slow_free_energy(kind, order, temperature, q - dq, x - dx)
        assert change / (2 * (dq + dx)) == pytest.approx(0, abs=2e-6)


@pytest.mark.parametrize("kind", ["ising", "spherical"])
@pytest.mark.parametrize(("order", "temperature"), [(3, 0.3), (4, 0.45)])
def test_energy_is_the_derivative_of_the_free_energy(kind: str, order: int, temperature: float) -> None:
    model = PSpin(kind=kind, order=order, temperature=temperature)
    f, e = found(model, "glass", "free_energy", "energy")
    h = 1e-5
    warm, cold = (found(model.replace(temperature=temperature + s), "glass", "free_energy")[0] for s in (h, -h))
    assert f - temperature * (warm - cold) / (2 * h) == pytest.approx(e, abs=1e-7)


@pytest.mark.parametrize("branch", ["glass", "threshold"])
@pytest.mark.parametrize(
    ("order", "temperature", "liquid"), [(3, 0.66, -0.7576), (4, 0.65, -0.7692), (6, 0.7, -0.7143)]
)
def test_energy_of_one_of_many_states(branch: str, order: int, temperature: float, liquid: float) -> None:
    """The slope of f/T with 1/T at fixed q and x, for states that are chosen by their number, and not by T."""
    model = PSpin(kind="ising", order=order, temperature=temperature)
    q, x, e = found(model, branch, "overlap", "breakpoint", "energy")
    h = 1e-5
    cold, warm = (slow_free_energy("ising", order, 1 / (1 / temperature + s), q, x) for s in (h, -h))
    slope = cold * (1 / temperature + h) - warm * (1 / temperature - h)
    assert e == pytest.approx(slope / (2 * h), abs=1e-8)
    if branch == "glass":
        assert e == pytest.approx(liquid, abs=5e-5)


@pytest.mark.parametrize("kind", ["ising", "spherical"])
@pytest.mark.parametrize("order", [3, 5])
def test_branches_meet_where_they_must(kind: str, order: int) -> None:
    model = PSpin(kind=kind, order=order)
    dynamic, static = transition(model, "dynamic"), transition(model, "static")
    assert static < dynamic
    # the threshold starts at T_d with x = 1
    q, x, replicon = found(model.replace(temperature=dynamic - 1e-9), "threshold", "overlap", "breakpoint", "replicon")
    assert x == pytest.approx(1, abs=1e-6)
    assert replicon == pytest.approx(0, abs=1e-7)
    assert q == pytest.approx(found(model.replace(temperature=dynamic - 1e-9), "glass", "overlap")[0], abs=1e-3)
    # the complexity falls from T_d to zero at T_s and stays there
    middle = (static + dynamic) / 2
    sigma = [found(model.replace(temperature=t), "glass", "complexity")[0] for t in (dynamic - 1e-9, middle, static)]
    assert sigma[0] > sigma[1] > 1e-4
    assert sigma[2] == pytest.approx(0, abs=1e-9)
    assert found(model.replace(temperature=0.7 * static), "glass", "complexity")[0] == pytest.approx(0, abs=1e-10)
    # the free energy knows nothing of T_d, and is continuous with its slope at T_s
    here = model.replace(temperature=middle)
    assert found(here, "glass", "free_energy") == pytest.approx(found(here, "liquid", "free_energy"), abs=1e-12)
    below, above = (found(model.replace(temperature=static + s), "glass", "energy", "overlap") for s in (-1e-7, 1e-7))
    np.testing.assert_allclose(below, above, atol=1e-5)


def test_threshold_of_ising_spins_ends_at_the_gardner_temperature() -> None:
    model = PSpin(kind="ising", order=4)
    gardner = transition(model, "gardner")
    q, x, sigma = found(model.replace(temperature=gardner + 1e-9), "threshold", "overlap", "breakpoint", "complexity")
    assert [q, x] == pytest.approx(
        found(model.replace(temperature=gardner), "glass", "overlap", "breakpoint"), abs=1e-6
    )
    assert sigma == pytest.approx(0, abs=1e-8)
    cold = model.replace(temperature=gardner * 0.9).equilibrium()
    assert PSpin.failures[int(cold["validity"]) - 1].name == "gardner_unstable"
    assert PSpin.phases[int(cold["phase"])].name == "gardner"


def test_many_body_couplings_approach_the_random_energy_model() -> None:
    limit = 1 / (2 * math.sqrt(math.log(2)))
    gaps = [transition(PSpin(kind="ising", order=p), "static") - limit for p in (3, 4, 5, 6)]
    assert all(a > 2 * b > 0 for a, b in itertools.pairwise(gaps))


@pytest.mark.parametrize("kind", ["ising", "spherical"])
def test_traced_boundaries_pass_through_the_solved_temperatures(kind: str) -> None:
    boundaries = PSpin(kind=kind).boundaries()
    for order in (3, 4, 5, 6):
        model = PSpin(kind=kind, order=order)
        for name in ("dynamic", "static", "gardner") if kind == "ising" else ("dynamic", "static"):
            curve = boundaries.sel(boundary=f"{name}_temperature")
            here = curve["temperature"].values[curve["order"].values == order]
            assert here == pytest.approx(transition(model, name), abs=1e-14)


def test_glass_of_ising_spins_at_zero_temperature_is_where_low_temperatures_end() -> None:
    for order in (3, 6):
        frozen, cold = (found(PSpin(kind="ising", order=order, temperature=t), "glass", "energy") for t in (0, 1e-5))
        assert cold == pytest.approx(frozen, abs=1e-8)


@pytest.mark.parametrize(("kind", "temperature"), [("ising", 0.66), ("spherical", 0.595)])
def test_landscape_shows_the_state_and_its_complexity(kind: str, temperature: float) -> None:
    """The potential of Franz and Parisi has a minimum at q, higher than at q = 0 by T times the complexity."""
    model = PSpin(kind=kind, temperature=temperature)
    q, sigma = found(model, "glass", "overlap", "complexity")
    landscape = model.landscape()
    f = landscape.free_energy
    minima = np.flatnonzero((f[1:-1] < f[:-2]) & (f[1:-1] < f[2:])) + 1
    assert landscape.coordinate[minima[-1]] == pytest.approx(q, abs=0.006)
    assert f[minima[-1]] - f[0] == pytest.approx(temperature * sigma, abs=3e-5)
    with pytest.raises(NotOfferedError):
        model.replace(temperature=0.3).landscape()


# -- dynamics ----------------------------------------------------------------------------------------------------------


def test_groups_are_distinct(rng: np.random.Generator) -> None:
    everything = draw_groups(7, 3, 35, rng)
    assert len({tuple(g) for g in everything.tolist()}) == 35
    some = draw_groups(40, 4, 500, rng)
    assert some.shape == (500, 4)
    assert (np.diff(some, axis=1) > 0).all()


@pytest.mark.parametrize("order", [3, 5])
def test_forces_are_derivatives(order: int, rng: np.random.Generator) -> None:
    groups = draw_groups(9, order, 40, rng)
    couplings, spins, out = rng.normal(size=40), rng.normal(size=9), np.empty(9)
    terms = np.empty(40)

    def potential(s: Array) -> float:
        return -products(groups, s, couplings, terms) + 0.3 / 2 * float(np.sum(np.prod(s[groups], axis=1) ** 2))

    forces(Interaction(groups, couplings, 0.3), spins, out)
    for i, unit in enumerate(np.eye(9)):
        slope = (potential(spins + 1e-6 * unit) - potential(spins - 1e-6 * unit)) / 2e-6
        assert out[i] == pytest.approx(-slope, abs=1e-6)


def test_ising_simulation_samples_the_boltzmann_distribution() -> None:
    model = PSpin(kind="ising", temperature=0.9, size=16, start="random")
    run = model.simulate(seed=4)
    groups, couplings = run.groups, run.couplings  # type: ignore[attr-defined]
    states = np.array(list(itertools.product((-1.0, 1.0), repeat=16)))
    energies = np.zeros(len(states))
    for group, coupling in zip(groups, couplings, strict=True):
        energies -= coupling * np.prod(states[:, group], axis=1)
    weight = np.exp(-(energies - energies.min()) / 0.9)
    exact = float(weight @ energies / weight.sum()) / 16
    blocks = []
    run.advance(200)
    for _ in range(30):
        before = len(run.series()[0])
        run.advance(1000)
        blocks.append(run.series()[1]["energy"][before:].mean())
    assert np.mean(blocks) == pytest.approx(exact, abs=4 * np.std(blocks, ddof=1) / math.sqrt(30))


def test_planted_start_is_in_equilibrium() -> None:
    """The energy of an equilibrium start neither differs from that of the liquid nor moves."""
    for kind, size, temperature in (("spherical", 100, 0.8), ("ising", 200, 0.75)):
        first, late = [], []
        for seed in range(20):
            run = PSpin(kind=kind, size=size, temperature=temperature, connectivity=FEW[kind]).simulate(seed=seed)
            run.advance(40)
            energy = run.series()[1]["energy"]
            first.append(energy[0])
            late.append(energy[10:].mean())
        for energies in (first, late):
            error = np.std(energies, ddof=1) / math.sqrt(20)
            assert np.mean(energies) == pytest.approx(-0.5 / temperature, abs=4 * error + 2 / size), kind


def test_correlation_follows_mode_coupling() -> None:
    """C(t) of the sphere against eq. (4), and the finite-size gap shrinking."""
    gaps = []
    for size, samples in ((32, 48), (160, 12)):
        model = PSpin(temperature=0.8, size=size, connectivity=FEW["spherical"])
        curves = []
        for seed in range(samples):
            run = model.simulate(seed=seed)
            run.advance(16)
            curves.append(run.series()[1]["overlap"])
        times = run.series()[0]
        theory = model.predicted_path({"overlap": 1.0}, times)
        assert theory["overlap"][0] == 1
        assert theory["energy"] == pytest.approx(-0.625)
        mean, error = np.mean(curves, axis=0), np.std(curves, axis=0, ddof=1) / math.sqrt(samples)
        assert (np.abs(mean - theory["overlap"]) <= 4 * error + 3 / size + 1e-12).all()
        gaps.append(float(np.abs(mean - theory["overlap"]).max()))
    assert gaps[1] < gaps[0] + 0.02


def test_prediction_stops_at_the_plateau_below_the_dynamic_temperature() -> None:
    times = np.array([0.0, 1e7])
    for order, temperature in ((3, 0.6), (4, 0.53)):
        model = PSpin(order=order, temperature=temperature)
        overlap = model.predicted_path({}, times)["overlap"]
        assert overlap[1] == pytest.approx(found(model, "glass", "overlap")[0], abs=1e-4)
    assert PSpin(temperature=0.62).predicted_path({}, times)["overlap"][1] == pytest.approx(0, abs=1e-6)
    for bad in ({"kind": "ising"}, {"start": "random"}, {"temperature": 0.5}):
        with pytest.raises(NotOfferedError):
            PSpin(**bad).predicted_path({}, times)  # type: ignore[arg-type]


def test_a_state_of_ising_spins_keeps_its_overlap() -> None:
    model = PSpin(kind="ising", temperature=0.655, size=500, connectivity=FEW["ising"])
    overlaps = []
    for seed in range(6):
        run = model.simulate(seed=seed)
        run.advance(150)
        overlaps.append(run.series()[1]["overlap"][50:].mean())
    error = np.std(overlaps, ddof=1) / math.sqrt(6)
    assert np.mean(overlaps) == pytest.approx(found(model, "glass", "overlap")[0], abs=4 * error + 0.01)


@pytest.mark.parametrize(("kind", "size"), [("ising", 600), ("spherical", 256)])
def test_below_the_static_temperature_the_overlap_is_that_of_one_state(kind: str, size: int) -> None:
    """Not with the start at T_s, whose overlap with what it has been cooled to is smaller: about sqrt(q(T_s) q(T))."""
    model = PSpin(kind=kind, temperature=0.2, size=size, connectivity=FEW[kind])
    q = found(model, "glass", "overlap")[0]
    with_start = math.sqrt(q * found(model.replace(temperature=1.0001 * model.transitions()[1]), "glass", "overlap")[0])
    overlaps = []
    for seed in range(6):
        run = model.simulate(seed=seed)
        assert run.overlap() == pytest.approx(1)
        run.advance(40)
        overlaps.append(run.series()[1]["overlap"][10:].mean())
    error = np.std(overlaps, ddof=1) / math.sqrt(6)
    assert np.mean(overlaps) == pytest.approx(q, abs=4 * error)
    assert np.mean(overlaps) > (q + with_start) / 2


def test_a_quench_is_held_up_near_the_threshold() -> None:
    model = PSpin(temperature=0.1, start="random", size=180, connectivity=FEW["spherical"])
    threshold, glass = found(model, "threshold", "energy")[0], found(model, "glass", "energy")[0]
    late = []
    for seed in range(3):
        run = model.simulate(seed=seed)
        run.advance(150)
        assert "overlap" not in run.series()[1]  # that of states, to none of which a random start belongs
        energy = run.series()[1]["energy"]
        assert energy[120:].mean() < energy[2:4].mean() < energy[0]
        late.append(energy[100:].mean())
    assert threshold - 0.02 < np.mean(late) < threshold + 0.08
    assert np.mean(late) > glass


def test_picture_shows_simulation_and_prediction() -> None:
    run = PSpin(temperature=0.6, size=64).simulate(seed=1)
    run.advance(30)
    picture = run.picture()
    assert isinstance(picture, Chart)
    assert [one.name.split(",")[0] for one in picture.series] == [
        "simulation", "mode coupling", "overlap of the states",
    ]  # fmt: skip
    assert picture.x.scale == "log"
    for one in picture.series:
        assert one.x[-1] == pytest.approx(30)
        assert (np.diff(one.x) >= 0).all()
