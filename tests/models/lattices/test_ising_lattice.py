"""Ising model on lattices: the given values, sums over all states, symmetries, simulation against exact results."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.core import NotOfferedError
from mfexplore.models.lattices.ising_lattice import CRITICAL_COUPLINGS, EXPONENTS, IsingLattice
from mfexplore.numerics.space.lattices import CRYSTALS, neighbourhood, sites
from mfexplore.study.scaling import finite_size

T_C = 2 / math.log(1 + math.sqrt(2))
every_lattice = pytest.mark.parametrize("lattice", CRYSTALS)
PLANAR = [name for name, crystal in CRYSTALS.items() if crystal.dimension == 2]
SQUARE = {r["id"]: r for r in reference_values("ising2d_sq")}


def given_values(quantity: str) -> list[dict[str, Any]]:
    return [r for r in SQUARE.values() if r["quantity"].startswith(quantity)]


def temperature_of(reference: dict[str, Any]) -> float:
    return T_C if reference["params"]["T"] == "Tc" else float(reference["params"]["T"])


# -- given values --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", given_values("[f,u,m]"), ids=lambda r: r["id"])
def test_infinite_square_lattice(reference: dict[str, Any]) -> None:
    theory = IsingLattice(temperature=temperature_of(reference)).theory(method="exact")
    found = [float(theory[name]) for name in ("free_energy", "energy", "magnetization")]
    np.testing.assert_allclose(found, reference["value"], rtol=1e-13, atol=1e-13)


def test_critical_point_of_the_square_lattice() -> None:
    model = IsingLattice(temperature=T_C)
    assert model.landmark("critical_temperature", "temperature")[0] == pytest.approx(
        SQUARE["ising2d_Tc"]["value"], abs=1e-14
    )
    theory = model.theory(method="exact")
    free_energy, energy = SQUARE["ising2d_uTc"]["value"]
    assert float(theory["free_energy"]) == pytest.approx(free_energy, abs=1e-13)
    assert float(theory["energy"]) == pytest.approx(energy, abs=1e-12)


def test_critical_points_of_other_planar_lattices() -> None:
    (reference,) = reference_values("ising2d")
    for lattice, value in zip(("triangular", "honeycomb", "kagome"), reference["value"], strict=True):
        found = IsingLattice(lattice=lattice).landmark("critical_temperature", "temperature")
        assert found[0] == pytest.approx(value, abs=1e-14)


@pytest.mark.parametrize("reference", given_values("[u, lnZ/N]"), ids=lambda r: r["id"])
def test_torus_by_kaufman(reference: dict[str, Any]) -> None:
    t = temperature_of(reference)
    exact = IsingLattice(temperature=t, size=reference["params"]["L"] ** 2).exact()
    assert exact["energy"] == pytest.approx(reference["value"][0], rel=1e-12)
    assert -exact["free_energy"] / t == pytest.approx(reference["value"][1], rel=1e-12)


def test_density_of_states() -> None:
    counts = IsingLattice(size=16).density_of_states().sum(axis=1)
    found = {str(2 * k - 32): int(n) for k, n in enumerate(counts) if n}
    assert found == SQUARE["ising2d_L4_dos"]["value"]


@pytest.mark.parametrize("reference", given_values("[lnZ,u,<|m|>"), ids=lambda r: r["id"])
def test_smallest_torus_by_enumeration(reference: dict[str, Any]) -> None:
    t = temperature_of(reference)
    model = IsingLattice(temperature=t, size=16)
    exact = model.exact()
    log_z, energy, size_of_m, heat, squared, cumulant = reference["value"]
    assert -16 * exact["free_energy"] / t == pytest.approx(log_z, rel=1e-12)
    assert exact["energy"] == pytest.approx(energy, rel=1e-11)
    assert exact["absolute_magnetization"] == pytest.approx(size_of_m, rel=1e-11)
    assert exact["specific_heat"] == pytest.approx(heat, rel=1e-11)
    assert 1 - 1 / (3 * exact["binder_ratio"]) == pytest.approx(cumulant, rel=1e-11)
    counts = model.density_of_states()
    weight = counts * np.exp(-(2 * np.arange(33)[:, None] - 32) / t)
    m = (2 * np.arange(17) - 16) / 16
    assert (weight * m**2).sum() / weight.sum() == pytest.approx(squared, rel=1e-12)


WITH_NEIGHBOURS = {3: "honeycomb", 4: "square", 6: "cubic", 8: "bcc", 12: "fcc"}
BETHE_VALUES = [r for r in reference_values("ising_rrg") if r["params"]["c"] in WITH_NEIGHBOURS]


@pytest.mark.parametrize("reference", BETHE_VALUES, ids=lambda r: r["id"])
def test_bethe_values(reference: dict[str, Any]) -> None:
    lattice = WITH_NEIGHBOURS[reference["params"]["c"]]
    if "T" not in reference["params"]:
        found = IsingLattice(lattice=lattice).landmark("critical_temperature_bethe", "temperature")
        assert found[0] == pytest.approx(reference["value"][0], rel=1e-13)
        return
    theory = IsingLattice(lattice=lattice, temperature=reference["params"]["T"]).theory(method="bethe")
    found = [float(theory[name]) for name in ("magnetization", "energy", "free_energy")]
    np.testing.assert_allclose(found, reference["value"][1:], rtol=1e-10)


def test_laves_graph() -> None:
    reference = {r["id"]: r for r in reference_values("ising_3d_lattices")}["laves_graph"]
    crystal = CRYSTALS["hydrogen_peroxide"]
    assert [list(place) for place in crystal.basis] == reference["params"]["basis"]
    assert crystal.coordination == reference["value"][0]  # the girth is tested with the lattices


def test_published_exponents_and_couplings() -> None:
    values = {r["id"]: r["value"] for r in reference_values("ising_3d_lattices") + reference_values("ising_3d")}
    assert list(EXPONENTS[3]) == values["lit_ising3d_exponents"][:2]
    assert CRITICAL_COUPLINGS["fcc"] == pytest.approx(values["lit_ising3d_fcc_Kc"], abs=1e-5)
    assert CRITICAL_COUPLINGS["diamond"] == pytest.approx(values["lit_ising3d_diamond_Kc"], abs=1e-5)


CROSSINGS = [r for r in reference_values("ising_3d_lattices") if r["id"].startswith("Kc_Q")]
NAMES = {"sc": "cubic", "diamond": "diamond", "laves": "hydrogen_peroxide"}


@pytest.mark.parametrize("name", NAMES)
def test_where_a_box_has_the_critical_binder_ratio(name: str) -> None:
    """The given inverse temperatures at which Q = 0.62341, within four of both standard errors."""
    lattice = NAMES[name]
    wanted = {r["params"]["L"]: r["value"] for r in CROSSINGS if f"_{name}_" in r["id"]}
    boxes = [sites(lattice, cells) for cells in wanted]
    target = reference_values("ising_3d")[1]["value"]
    model = IsingLattice(lattice=lattice, temperature=1 / next(iter(wanted.values()))[0], algorithm="wolff")
    if len(wanted) == 3:
        model = model.replace(temperature=1 / 0.573)
    found = finite_size(model, boxes, samples=6, updates=400, relaxation=60, seed=7).reaches(target)
    for k, (value, error) in enumerate(wanted.values()):
        ours = float(found["inverse_temperature_standard_error"][k])
        assert ours < 1e-3
        assert float(found["inverse_temperature"][k]) == pytest.approx(value, abs=4 * math.hypot(error, ours))


# -- theory --------------------------------------------------------------------------------------------------------


def finite_difference(model: IsingLattice, method: str) -> dict[str, float]:
    """Energy, specific heat and magnetization as derivatives of the free energy and the energy."""
    t, h = model.temperature, model.field
    step = 1e-4 * t
    around = model.theory(temperature=np.array([t - step, t, t + step]), method=method)
    f, e = around["free_energy"].values, around["energy"].values
    found = {"energy": f[1] - t * (f[2] - f[0]) / (2 * step), "specific_heat": (e[2] - e[0]) / (2 * step)}
    if method != "exact":
        f = model.theory(field=np.array([h - step, h + step]), method=method)["free_energy"].values
        found["magnetization"] = -(f[1] - f[0]) / (2 * step)
    return found


@pytest.mark.parametrize("lattice", PLANAR)
@pytest.mark.parametrize("temperature", [0.4, 1.0, 2.0, 5.0])
def test_exact_energies_are_derivatives_of_the_free_energy(lattice: str, temperature: float) -> None:
    model = IsingLattice(lattice=lattice, temperature=temperature)
    theory = model.theory(method="exact")
    for name, value in finite_difference(model, "exact").items():
        assert float(theory[name]) == pytest.approx(value, abs=1e-6)


@pytest.mark.parametrize("lattice", PLANAR)
@pytest.mark.parametrize("ratio", [0.7, 1.4])
def test_exact_free_energies_are_those_of_the_page(lattice: str, ratio: float) -> None:
    model = IsingLattice(lattice=lattice)
    model = model.replace(temperature=ratio * model.critical("exact"))
    theory = model.theory(method="exact")
    state = {name: float(theory[name]) for name in ("magnetization", "energy", "free_energy")}
    gaps = model.equations(state | {"method": "exact"})
    assert abs(gaps["(4), (5)"]) < 1e-12


@pytest.mark.parametrize("method", ["mean_field", "bethe"])
@pytest.mark.parametrize(("temperature", "field"), [(0.3, 0.2), (2.0, 0.1), (2.5, -0.3), (5.0, 1.0)])
def test_mean_field_and_bethe_are_consistent(method: str, temperature: float, field: float) -> None:
    model = IsingLattice(temperature=temperature, field=field)
    theory = model.theory(method=method)
    for name, value in finite_difference(model, method).items():
        assert float(theory[name]) == pytest.approx(value, abs=1e-6)


def bethe_by_iteration(t: float, h: float, c: int) -> float:
    u = 1.0
    for _ in range(6000):
        u = t * math.atanh(math.tanh(1 / t) * math.tanh((h + (c - 1) * u) / t))
    return math.tanh((h + c * u) / t)


@pytest.mark.parametrize("lattice", ["honeycomb", "cubic", "fcc"])
@pytest.mark.parametrize("ratio", [0.4, 0.9, 1.1])
@pytest.mark.parametrize("field", [0.0, 0.2])
def test_bethe_by_plain_iteration(lattice: str, ratio: float, field: float) -> None:
    model = IsingLattice(lattice=lattice, field=field)
    t = ratio * model.critical("bethe")
    found = float(model.theory(temperature=t, method="bethe")["magnetization"])
    assert found == pytest.approx(bethe_by_iteration(t, field, model.coordination), abs=1e-9)


@given(st.floats(0.02, 13), st.floats(0.001, 2), st.sampled_from(list(CRYSTALS)))
def test_flipping_the_field_flips_the_magnetization(temperature: float, field: float, lattice: str) -> None:
    model = IsingLattice(lattice=lattice, temperature=temperature)
    plus, minus = model.theory(field=field), model.theory(field=-field)
    np.testing.assert_allclose(plus["magnetization"], -minus["magnetization"], atol=1e-14)
    np.testing.assert_allclose(plus["free_energy"], minus["free_energy"], rtol=1e-14)


@every_lattice
def test_theories_order_one_above_the_other(lattice: str) -> None:
    """Fluctuations only ever lower the critical temperature and the free energy."""
    model = IsingLattice(lattice=lattice)
    assert model.critical("exact") < model.critical("bethe") < model.critical("mean_field")
    theory = model.theory(temperature=np.linspace(0.1, 13, 40))
    mean_field = theory["free_energy"].sel({"method": "mean_field"})
    assert (theory["free_energy"].sel({"method": "bethe"}) <= mean_field + 1e-12).all()
    if CRYSTALS[lattice].dimension == 2:
        assert (theory["free_energy"].sel({"method": "exact"}) <= mean_field + 1e-12).all()


@pytest.mark.parametrize("lattice", PLANAR)
def test_magnetization_vanishes_with_exponent_one_eighth(lattice: str) -> None:
    t = IsingLattice(lattice=lattice).critical("exact")
    near = IsingLattice(lattice=lattice).theory(temperature=t * (1 - np.array([1e-5, 1e-7])), method="exact")
    m = near["magnetization"].values
    assert math.log(m[0] / m[1]) / math.log(100) == pytest.approx(1 / 8, abs=1e-4)


@pytest.mark.parametrize("lattice", PLANAR)
def test_high_temperature_series(lattice: str) -> None:
    """At high temperature e = -c/2 tanh K [1 + (triangles through a bond) tanh K + ...]."""
    k = 1 / 13
    triangles = {"triangular": 2, "kagome": 1}.get(lattice, 0)
    t = math.tanh(k)
    expected = -0.5 * CRYSTALS[lattice].coordination * (t + triangles * t**2)
    found = float(IsingLattice(lattice=lattice, temperature=13).theory(method="exact")["energy"])
    assert found == pytest.approx(expected, rel=8 * t**2)


@every_lattice
def test_zero_temperature_is_the_ground_state(lattice: str) -> None:
    c = CRYSTALS[lattice].coordination
    theory = IsingLattice(lattice=lattice, temperature=0, field=-0.5).theory()
    assert theory["energy"].values[:2].tolist() == [-c / 2 - 0.5] * 2
    assert theory["magnetization"].values[:2].tolist() == [-1, -1]


def test_exact_theory_is_absent_where_nobody_has_solved_it() -> None:
    for model in (IsingLattice(field=0.1), IsingLattice(lattice="cubic")):
        theory = model.theory(method="exact")
        assert np.isnan(theory["residual"])
        assert bool(theory["converged"])


@every_lattice
def test_false_order_is_flagged(lattice: str) -> None:
    model = IsingLattice(lattice=lattice)
    truth, bethe, mean_field = (model.critical(m) for m in ("exact", "bethe", "mean_field"))
    axis = np.array([0.4 * truth, 0.5 * (truth + bethe), 0.5 * (bethe + mean_field), 1.05 * mean_field])
    found = model.theory(temperature=axis)["validity"]
    assert found.sel({"method": "mean_field"}).values.tolist() == [0, 1, 1, 0]
    assert found.sel({"method": "bethe"}).values.tolist() == [0, 1, 0, 0]


def test_a_noticeable_difference_to_a_better_theory_is_flagged() -> None:
    theory = IsingLattice().theory(temperature=np.array([1.0, 2.15, 2.269]))
    m, validity = theory["magnetization"], theory["validity"]
    for method in ("mean_field", "bethe"):
        off = np.abs(m.sel({"method": method}) - m.sel({"method": "exact"})) > 0.05
        np.testing.assert_array_equal(validity.sel({"method": method}), np.where(off, 2, 0))
        assert off.values.tolist()[::2] == [False, True]
    # Without an exact solution Bethe is the better one of the two.
    in_space = IsingLattice(lattice="cubic", temperature=4.4).theory()["validity"]
    assert in_space.sel({"method": ["mean_field", "bethe"]}).values.tolist() == [2, 0]


@pytest.mark.parametrize("method", ["mean_field", "bethe"])
@pytest.mark.parametrize("lattice", ["square", "hydrogen_peroxide", "fcc"])
def test_spinodal_is_where_the_state_against_the_field_is_lost(lattice: str, method: str) -> None:
    """Plain iteration from all spins up keeps a positive magnetization below the spinodal field, not above it."""
    model = IsingLattice(lattice=lattice)
    c, t = model.coordination, 0.7 * model.critical(method)
    limit = model.replace(temperature=t).landmark(f"spinodal_{method}", "field")[1]
    assert model.replace(field=limit).landmark(f"spinodal_{method}", "temperature")[0] == pytest.approx(t, rel=1e-9)
    for factor, stays in ((0.98, True), (1.02, False)):
        m, u, h = 1.0, 1.0, -factor * limit
        for _ in range(20_000):
            m = math.tanh((c * m + h) / t)
            u = t * math.atanh(math.tanh(1 / t) * math.tanh((h + (c - 1) * u) / t))
        assert ((m if method == "mean_field" else h + c * u) > 0) == stays


@pytest.mark.parametrize("method", ["mean_field", "bethe"])
def test_spinodals_end_at_the_critical_temperature(method: str) -> None:
    model = IsingLattice(lattice="hydrogen_peroxide", field=0.0)
    (end,) = np.unique(model.landmark(f"spinodal_{method}", "temperature").round(9))
    assert end == pytest.approx(model.critical(method), rel=1e-7)
    assert model.landmark("coexistence", "temperature").size == 0  # without a field one is on it all along


# -- exact at finite size --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("lattice", "size"), [("triangular", 9), ("honeycomb", 8), ("kagome", 12), ("bcc", 16)])
@pytest.mark.parametrize(("temperature", "field"), [(1.5, 0.0), (4.0, 0.3), (0.0, 0.1)])
def test_exact_values_are_sums_over_all_states(lattice: str, size: int, temperature: float, field: float) -> None:
    model = IsingLattice(lattice=lattice, size=size, temperature=temperature, field=field)
    table = neighbourhood(lattice, model.cells).table()
    states = np.array(list(itertools.product((-1, 1), repeat=size)))
    energy = -0.5 * np.einsum("ki,kij->k", states, states[:, table]) - field * states.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        weight = np.exp(-np.nan_to_num((energy - energy.min()) / np.float64(temperature), nan=0.0))
    weight /= weight.sum()
    exact, m = model.exact(), states.mean(axis=1)
    assert exact["energy"] == pytest.approx(weight @ energy / size, rel=1e-12)
    assert exact["absolute_magnetization"] == pytest.approx(weight @ np.abs(m), rel=1e-12)
    assert exact["magnetization"] == pytest.approx(weight @ m, abs=1e-12)


def test_torus_agrees_with_enumeration_and_with_the_infinite_lattice() -> None:
    model = IsingLattice(temperature=2.0)
    large, infinite = model.replace(size=10**6).exact(), model.theory(method="exact")
    for name in ("energy", "specific_heat"):
        assert large[name] == pytest.approx(float(infinite[name]), rel=1e-7)
    both_states = 2.0 * math.log(2) / model.replace(size=10**6).sites  # up and down, on a box that cannot choose
    assert float(infinite["free_energy"]) - large["free_energy"] == pytest.approx(both_states, rel=1e-5)
    with pytest.raises(NotOfferedError):
        IsingLattice(lattice="cubic").exact()
    with pytest.raises(NotOfferedError):
        IsingLattice(field=0.1).exact()


def test_specific_heat_of_a_torus_grows_with_the_logarithm_of_its_side() -> None:
    heat = [IsingLattice(temperature=T_C, size=side**2).exact()["specific_heat"] for side in (64, 128, 256)]
    amplitude = 2 / math.pi * math.log(1 + math.sqrt(2)) ** 2
    np.testing.assert_allclose(np.diff(heat), amplitude * math.log(2), rtol=5e-3)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("algorithm", ["metropolis", "wolff", "swendsen_wang"])
@pytest.mark.parametrize(("lattice", "size", "field"), [("square", 16, 0.0), ("honeycomb", 18, 0.0), ("bcc", 16, 0.15)])
def test_every_algorithm_samples_the_exact_distribution(algorithm: str, lattice: str, size: int, field: float) -> None:
    model = IsingLattice(lattice=lattice, field=field, size=size, algorithm=algorithm)
    model = model.replace(temperature=1.1 * model.critical("exact"))
    run = model.simulate(seed=3)
    run.advance(8000)
    exact = model.exact()
    for name in ("energy", "absolute_magnetization"):
        blocks = run.series()[1][name][1:].reshape(50, -1).mean(axis=1)
        error = blocks.std(ddof=1) / math.sqrt(50)
        assert blocks.mean() == pytest.approx(exact[name], abs=4 * error)


@pytest.mark.parametrize("temperature", [2.0, 2.6])
def test_packed_spins_have_the_energy_of_their_torus(temperature: float) -> None:
    model = IsingLattice(temperature=temperature, size=128**2)
    run = model.simulate(seed=4)
    assert run.packed
    run.advance(300)
    first = len(run.series()[0])
    run.advance(4000)
    blocks = run.series()[1]["energy"][first:].reshape(40, -1).mean(axis=1)
    error = blocks.std(ddof=1) / math.sqrt(40)
    assert error < 2e-3
    assert blocks.mean() == pytest.approx(model.exact()["energy"], abs=4 * error)


@pytest.mark.parametrize("algorithm", ["metropolis", "wolff", "swendsen_wang"])
def test_ensemble_beside_the_exact_solution(algorithm: str) -> None:
    """Away from T_c a box of 64 x 64 is as good as infinite: energy, magnetization, specific heat within 4 errors."""
    model = IsingLattice(temperature=2.0, size=64**2, algorithm=algorithm)
    result = model.ensemble(samples=5, seed=2)
    for name in ("energy", "absolute_magnetization", "specific_heat"):
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(
            float(result[f"{name}_theory"].sel({"method": "exact"})), abs=5 * error
        )


def test_simulation_departs_from_false_order() -> None:
    """At T = 2.6 mean field and Bethe are ordered; the spins are not, and less so the larger the box."""
    model = IsingLattice(temperature=2.6, algorithm="swendsen_wang")
    sizes = [float(model.ensemble(samples=4, seed=1, size=side**2)["absolute_magnetization"]) for side in (16, 32, 64)]
    assert sizes[0] > 1.5 * sizes[1] > 2.25 * sizes[2]
    assert sizes[2] < 0.2 < float(model.theory(method="bethe")["magnetization"])


def test_a_field_is_followed_in_and_out_of_the_packed_form() -> None:
    run = IsingLattice(temperature=2.5, size=128**2).simulate(seed=1)
    run.advance(50)
    before = run.observe()
    assert run.follow(run.model.replace(field=0.5))
    assert not run.packed
    assert run.observe()["magnetization"] == before["magnetization"]
    run.advance(50)
    bethe = float(run.model.theory(method="bethe")["magnetization"])
    assert run.observe()["magnetization"] == pytest.approx(bethe, abs=0.03)
    assert run.follow(run.model.replace(field=0.0))
    assert run.packed


def test_rounds_of_clusters_are_fixed_by_the_controls() -> None:
    """Their number depends on nothing measured, and a round turns about every spin once."""
    for lattice, factor in (("square", 0.9), ("square", 1.05), ("cubic", 1.1), ("hydrogen_peroxide", 1.0)):
        model = IsingLattice(lattice=lattice, size=8000, algorithm="wolff")
        model = model.replace(temperature=factor * model.critical("exact"))
        run = model.simulate(seed=1)
        run.advance(20)
        assert run.clusters == model.clusters_per_round
        turned = [float(np.mean(_turned(run))) for _ in range(20)]
        assert 0.15 < np.mean(turned) < 4


def _turned(run: Any) -> Any:
    before = run.spins.copy()
    run.advance(1)
    return before != run.spins


@every_lattice
def test_pictures_show_spins(lattice: str) -> None:
    run = IsingLattice(lattice=lattice, size=2000, algorithm="wolff", temperature=1.0).simulate(seed=1)
    run.advance(2)
    values = run.picture().values
    assert set(np.unique(values).tolist()) <= {-2, -1, 0, 1, 2}
    assert (values != 0).mean() >= 0.75
