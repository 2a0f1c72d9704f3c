"""Field with a quartic term: every bound by a slow path, bounds above exact strips, the measured free energy below
them, and a machine whose partition function is found again on the way back.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.models.lattices.phi4_field import Phi4Field, pixels, theory
from mfexplore.models.lattices.phi4_field.dynamics import Picture, metropolis

VALUES = {one["id"]: one for one in reference_values("phi4_lattice")}


def lattice(params: dict[str, float]) -> dict[str, Any]:
    return {"quartic": params["lambda"], "lattice": "square" if params["d"] == 2 else "cubic"}


@pytest.mark.parametrize("key", [k for k in VALUES if k.startswith("phi4_mf")])
def test_mean_field_orders_where_the_card_says(key: str) -> None:
    one = VALUES[key]
    (found,) = Phi4Field(**lattice(one["params"])).landmark("mean_field_line", "mass_squared")
    assert found == pytest.approx(one["value"][0], abs=1e-10)


@pytest.mark.parametrize("key", [k for k in VALUES if k.startswith("phi4_Q")])
def test_moments_of_the_lattice_are_those_of_the_card(key: str) -> None:
    """They bracket the critical point: at -1.24 the ratio falls as the lattice grows, at -1.30 it rises above 0.856."""
    one = VALUES[key]["params"]
    model = Phi4Field(mass_squared=one["mu2"], quartic=one["lambda"], size=one["L"] ** 2, growth=50)
    found = []
    for seed in range(2):
        run = model.simulate(seed=seed)
        run.advance(1200)
        found.append(run.observe()["binder_ratio"])
    assert np.mean(found) == pytest.approx(VALUES[key]["value"], abs=0.06)


@pytest.mark.parametrize(("mu", "m"), [(-0.8, 0.3796165635), (-1.0, 0.6258529859), (-1.2724, 0.8490973830)])
def test_magnetization_of_mean_field(mu: float, m: float) -> None:
    found = Phi4Field(mass_squared=mu).theory(method="mean_field").sel(branch="broken")
    assert float(found["magnetization"]) == pytest.approx(m, abs=1e-9)


def test_the_gaussian_field_jumps_where_the_review_says() -> None:
    model = Phi4Field(mass_squared=-1.2427836115)
    (jump,), (fold,) = (model.landmark(name, "mass_squared") for name in ("jump", "fold"))
    assert jump == pytest.approx(-1.2427836115, abs=1e-9)
    assert fold == pytest.approx(-1.1981648166, abs=1e-9)
    assert theory.fold_mass(0.25, theory.walks(2)) == pytest.approx(0.53391707, abs=1e-8)
    f = model.theory(method="gaussian")["free_energy"]
    assert float(f.sel(branch="symmetric") - f.sel(branch="broken")) == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("dimension", [2, 3])
def test_propagator_is_a_sum_over_waves(dimension: int) -> None:
    """On a large torus, which for a mass of one is as good as endless."""
    n = 48
    wave = 4 * np.sin(np.pi * np.arange(n) / n) ** 2
    total = np.asarray(sum(np.meshgrid(*[wave] * dimension))) + 1.0
    g, slope, logarithm = theory.propagator(1.0, theory.walks(dimension))
    assert g == pytest.approx((1 / total).mean(), abs=1e-12)
    assert slope == pytest.approx((1 / total**2).mean(), abs=1e-12)
    assert logarithm == pytest.approx(np.log(total).mean(), abs=1e-12)
    if dimension == 3:
        assert theory.propagator(0.0, theory.walks(3))[0] == pytest.approx(0.2527310098586630, abs=1e-12)  # Watson


def test_a_chain_is_a_long_ring() -> None:
    """Free energy and response of a ring of 200 sites, by a power of its transfer matrix on another grid."""
    mu, quartic, source, moments = -0.5, 0.4, 0.3, np.zeros(4)
    log_z = theory.one_chain(mu, quartic, 2.0, source, moments, np.full(theory.NODES, 0.1))

    def ring(h: float) -> float:
        x = np.linspace(-4, 4, 121)
        half = 0.5 * (h * x - (0.5 * mu + 2) * x**2 - quartic * x**4)
        values = np.linalg.eigvalsh(np.exp(half[:, None] + half + np.outer(x, x)) * (x[1] - x[0]))
        return float(np.log(values[-1]) + np.log1p(((values[:-1] / values[-1]) ** 200).sum()) / 200)

    assert log_z == pytest.approx(ring(source), abs=1e-11)
    assert moments[0] == pytest.approx((ring(source + 1e-4) - ring(source - 1e-4)) / 2e-4, abs=1e-7)
    response = (ring(1e-3) - 2 * ring(0.0) + ring(-1e-3)) / 1e-6
    assert theory.chain_susceptibility(mu, quartic, 2) == pytest.approx(response, rel=1e-5)


@pytest.mark.parametrize("mu", [0.4, -1.1, -1.6])
@pytest.mark.parametrize("lattice", ["square", "cubic"])
def test_bounds_are_stationary(mu: float, lattice: str) -> None:
    """The best q has the mean squares and fourth powers that are derivatives of its free energy."""
    model, step = Phi4Field(lattice=lattice, quartic=0.3), 1e-4
    at = model.theory(mass_squared=mu)
    for control, value, factor, name in (
        ("mass_squared", mu, 0.5, "field_squared"), ("quartic", 0.3, 1.0, "field_fourth")
    ):  # fmt: skip
        axes: dict[str, Any] = {"mass_squared": mu, control: np.array([value - step, value + step])}
        f = model.theory(**axes)["free_energy"]
        slope = (f.isel({control: 1}) - f.isel({control: 0})) / (2 * step)
        known = np.isfinite(slope.values)
        assert known.sum() >= 3
        np.testing.assert_allclose(slope.values[known], factor * at[name].values[known], rtol=2e-6)


def test_bounds_lie_above_the_exact_strip_in_their_order() -> None:
    for mu in (1.0, 0.5):
        sites, chains, gaussian = Phi4Field(mass_squared=mu).equilibrium()["free_energy"].values
        narrow, wide = (theory.strip(mu, 0.25, width, 12)[0] for width in (3, 4))
        endless = wide + (wide - narrow) * 0.3  # widths approach it like e^(-width / 0.9) or faster
        assert sites > chains > gaussian > endless > wide
    for method in Phi4Field.methods:
        sides = [method.bound_of(name) for name in ("free_energy", "improvement", "magnetization")]
        assert sides == ["upper", "lower", None], "a bound of f says nothing of the field"


def test_the_critical_line_is_that_of_the_literature() -> None:
    """In their units lambda is 4 of ours: -1.2724 at 1 and -0.7210 at 1/2."""
    np.testing.assert_allclose(theory.critical_line(np.array([0.25, 0.125])), [-1.2724, -0.7210], rtol=4e-3)


# -- simulation --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [256, 4096])
def test_the_work_of_growing_links_is_the_free_energy(size: int) -> None:
    """Strips approach the plane by a factor of 5 with every width here."""
    narrow, wide = (theory.strip(0.5, 0.25, width, 12)[0] for width in (3, 4))
    endless = wide + 0.25 * (wide - narrow)
    found = []
    for seed in range(4):
        run = Phi4Field(mass_squared=0.5, size=size, growth=300).simulate(seed=seed)
        run.advance(300)
        found.append(run.observe()["free_energy"])
    error = np.std(found, ddof=1) / 2
    assert abs(np.mean(found) - endless) < 4 * error + 1e-3
    bound = float(Phi4Field(mass_squared=0.5).theory(method="gaussian")["free_energy"].min())
    assert np.mean(found) < bound + 4 * error


def test_all_links_at_once_give_the_bound() -> None:
    found = []
    for seed in range(8):
        run = Phi4Field(mass_squared=-1.5, size=4096, growth=1).simulate(seed=seed)
        assert run.observe()["improvement"] == pytest.approx(0, abs=1e-5), "it starts from the bound"
        run.advance(1)
        found.append(run.observe()["improvement"])
    assert abs(np.mean(found)) < 4 * np.std(found, ddof=1) / math.sqrt(8)


def test_the_free_energy_follows_the_controls() -> None:
    """Grown at one place and carried slowly to another, it is that of the other."""
    run = Phi4Field(mass_squared=1.0, size=4096, growth=300).simulate(seed=1)
    run.advance(300)
    for mu in np.linspace(1.0, 0.5, 101)[1:]:
        assert run.follow(run.model.replace(mass_squared=float(mu)))
        run.advance(1)
    assert run.observe()["free_energy"] == pytest.approx(-0.1831, abs=0.002)


@pytest.mark.parametrize("side", [8, 32])
def test_light_coupling_meets_the_gaussian_field(side: int) -> None:
    """At lambda = 0.1 and mu^2 = 1.5 the Gaussian theory is good to a few in a thousand."""
    model = Phi4Field(mass_squared=1.5, quartic=0.1, size=side**2, growth=20)
    at = model.theory(method="gaussian").sel(branch="symmetric")
    result = model.ensemble(samples=8, seed=3)
    for name in ("field_squared", "alignment"):
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(float(at[name]), abs=4 * error + 0.003)


# -- an image ----------------------------------------------------------------------------------------------------------


def test_a_pixel_by_a_fine_grid() -> None:
    """The likelihood of independent pixels falls in every direction from the best."""
    data = pixels.moments_of(3, 0.3)
    best = pixels.best_pixels(data, 0.7)
    x = np.linspace(-5, 5, 2001)[:, None]

    def likelihood(a: np.ndarray, h: np.ndarray) -> np.ndarray:
        log_z = np.log(np.exp(h * x - a * x**2 - 0.7 * x**4).sum(axis=0) * (x[1] - x[0]))
        return np.asarray(h * data.first - a * data.second - 0.7 * data.fourth - log_z)

    top = likelihood(best.quadratic, best.source)
    assert top.sum() == pytest.approx(best.log_likelihood, abs=1e-9)
    for a, h in ((0.05, 0), (-0.05, 0), (0, 0.05), (0, -0.05)):
        assert (likelihood(best.quadratic + a, best.source + h) < top).all()


def test_the_partition_function_is_found_again_on_the_way_back() -> None:
    """Links that were learnt are taken away step by step, counting the work, down to pixels whose z is an integral."""
    run: Any = Phi4Field(task="image", quartic=1.0).simulate(seed=1)
    start = run.observe()["log_likelihood"]
    run.advance(60)
    machine = run.state
    assert isinstance(machine, Picture)
    assert run.observe()["log_likelihood"] > start + 0.5
    a, h = machine.action.quadratic, machine.action.source
    x = pixels.VALUES[:, None]
    free = float(np.log(np.exp(h * x - a * x**2 - x**4).sum(axis=0) * (x[1] - x[0])).sum())
    links, steps, back = machine.action.links, 150, 0.0
    for k in range(steps):
        phi = machine.fields
        step = 0.5 * np.einsum("ci,cik,ik->c", phi, phi[:, machine.neighbours], links) / steps
        back += float(np.log(np.exp(-step).mean()))
        action = machine.action._replace(links=(1 - (k + 1) / steps) * links)
        metropolis(machine.fields, machine.neighbours, action, 2, machine.stream)
    assert machine.log_z + back == pytest.approx(free, abs=0.5)


def test_the_machine_reproduces_what_it_was_shown() -> None:
    run: Any = Phi4Field(task="image", quartic=1.0, learning_rate=0.1).simulate(seed=2)
    before = run.observe()["mismatch"]
    run.advance(100)
    machine = run.state
    assert isinstance(machine, Picture)
    assert run.observe()["mismatch"] < 0.7 * before
    pairs = machine.products.mean(axis=0)
    assert np.corrcoef(pairs.ravel(), machine.aligned.ravel())[0, 1] > 0.98


def test_a_machine_follows_another_quartic_term_and_its_partition_function_with_it() -> None:
    """Without links ln Z is a sum over pixels; it kept the old term before, and told the likelihood of that."""
    run: Any = Phi4Field(task="image", quartic=0.5).simulate(seed=1)
    x, (a, _, h, *_) = pixels.VALUES[:, None], run.state.action
    for quartic in (0.9, 0.5):
        assert run.follow(run.model.replace(quartic=quartic))
        assert run.state.action.quartic == quartic
        exact = np.log(np.trapezoid(np.exp(h * x - a * x**2 - quartic * x**4), x, axis=0)).sum()
        assert run.state.log_z == pytest.approx(exact, abs=0.5)
