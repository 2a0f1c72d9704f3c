"""Dense Hebbian networks: published values, one step of symmetry breaking against slow sums, simulation."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.polynomial import Polynomial
from scipy.special import logsumexp
from scipy.stats import binom

from mfexplore.core import TooLargeError
from mfexplore.models.memory.dense_hebbian import DenseHebbian
from mfexplore.models.memory.dense_hebbian.dynamics import group_sums

STORED = {v["id"]: v for v in reference_values("dense_hebbian")}
LEARNT = {v["id"]: v for v in reference_values("dense_hebbian_dataset")}
GLASSES = {v["id"]: v for v in reference_values("pspin_ising")}
Z = np.linspace(-8, 8, 6001)
WEIGHT = np.exp(-0.5 * Z * Z) / math.sqrt(2 * math.pi) * (Z[1] - Z[0])


def chosen(source: dict[str, Any], *parts: str) -> Any:
    found = [v for k, v in source.items() if all(p in k for p in parts)]
    assert found
    return pytest.mark.parametrize("reference", found, ids=lambda v: v["id"])


def branch(model: DenseHebbian, name: str) -> dict[str, float]:
    at = model.theory().sel(branch=name)
    return {o.name: float(at[o.name]) for o in model.observables}


# -- published values ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [3, 4, 5])
def test_capacity_at_zero_temperature(order: int) -> None:
    sigma, load, m = STORED[f"dense_p{order}_T0"]["value"]
    model = DenseHebbian(temperature=0, order=order)
    (found,) = model.landmark("retrieval_spinodal", "load")
    assert found == pytest.approx(load, rel=1e-11)
    assert found * math.factorial(order - 1) == pytest.approx(sigma**2, rel=1e-11)
    assert branch(model.replace(load=float(found) * (1 - 1e-12)), "retrieval")["overlap"] == pytest.approx(m, abs=1e-5)


@pytest.mark.parametrize("reference", [v for v in STORED.values() if "sigma" in v["params"]], ids=lambda v: v["id"])
def test_states(reference: dict[str, Any]) -> None:
    p = reference["params"]
    m, q, f, stability = reference["value"]
    model = DenseHebbian(order=p["p"], temperature=p["T"], load=p["alpha"])
    kind = "retrieval" if m > 0.1 else "paramagnet"
    found = branch(model, kind)
    assert (found["overlap"], found["edwards_anderson"], found["free_energy"]) == pytest.approx((m, q, f), abs=1e-10)
    assert found["replicon"] / p["T"] == pytest.approx(stability, abs=1e-10)
    assert math.isnan(branch(model, "retrieval")["overlap"]) == (kind == "paramagnet")


@chosen(STORED, "sigM")
def test_spinodal(reference: dict[str, Any]) -> None:
    p = reference["params"]
    (load,) = DenseHebbian(order=p["p"], temperature=p["T"]).landmark("retrieval_spinodal", "load")
    # The reference stops iterating near the fold and therefore lies a little beyond it.
    assert math.sqrt(load * math.factorial(p["p"] - 1)) == pytest.approx(reference["value"], abs=2e-6)


@pytest.mark.parametrize("order", [3, 4])
def test_one_memory_alone(order: int) -> None:
    spinodal, m, first_order = STORED[f"dense_p{order}_alpha0"]["value"]
    model = DenseHebbian(order=order, load=0)
    assert model.landmark("retrieval_spinodal", "temperature") == pytest.approx([spinodal], abs=1e-10)
    assert model.landmark("retrieval_transition", "temperature") == pytest.approx([first_order], abs=2e-9)
    assert branch(model.replace(temperature=spinodal * (1 - 1e-11)), "retrieval")["overlap"] == pytest.approx(
        m, abs=1e-5
    )


@chosen(LEARNT, "dense_data_")
def test_learning_from_examples(reference: dict[str, Any]) -> None:
    p = reference["params"]
    load = p["sigma2"] / math.factorial(p["p"] - 1)
    model = DenseHebbian(
        order=p["p"], temperature=p["T"], load=load, examples=p["M"], quality=p["r"],
        setting={"sup": "supervised", "uns": "unsupervised"}[p["mode"]],
        statistics="binomial" if "binom" in reference["id"] else "gaussian",
    )  # fmt: skip
    m, q, nu, *rest = reference["value"]
    kind = "retrieval" if m > 0.1 else "spin_glass"
    found = branch(model, kind)
    values = found["overlap"], found["edwards_anderson"], found["signal"]
    assert values == pytest.approx((max(m, 0), q, max(nu, 0)), abs=2e-9)
    if kind == "spin_glass":
        assert math.isnan(branch(model, "retrieval")["overlap"])
    if rest:  # rho, rho_p and S, which must also be those of the scale of the picture
        spread, spread_p, strength = rest
        factor = (1 + spread) ** p["p"] if p["mode"] == "sup" else 1 + spread_p
        assert strength == pytest.approx(p["sigma2"] * factor, rel=1e-9)
        assert model.range(model.planes[0], "x")[1] == pytest.approx(min(0.5, 0.4 * load / strength), rel=1e-9)


@pytest.mark.parametrize("order", [3, 4, 5])
def test_glass_transitions_are_those_of_the_p_spin_model(order: int) -> None:
    model = DenseHebbian(order=order, load=0.3 / math.factorial(order - 1))
    coupling = math.sqrt(2 * 0.3 / order)
    known = {"Td": "dynamic_transition", "Ts": "glass_transition"}
    published = {3: (0.6815980406, 0.6513852269), 4: (0.6784110549, 0.6168832895), 5: (0.7001417071, 0.6069517302)}
    for (short, name), value in zip(known.items(), published[order], strict=True):
        assert model.landmark(name, "temperature") == pytest.approx([value * coupling], abs=1e-9)
        if f"pspin_ising_p{order}_{short}" in GLASSES:
            assert value == pytest.approx(np.ravel(GLASSES[f"pspin_ising_p{order}_{short}"]["value"])[0], abs=1e-9)


@pytest.mark.parametrize(
    "reference", [v for v in GLASSES.values() if "Gardner eig" in v["quantity"]], ids=lambda v: v["id"]
)
def test_one_step_glass_is_the_p_spin_model(reference: dict[str, Any]) -> None:
    order, temperature = (int(reference["id"].split("_p")[1][0]), float(reference["id"].split("_T")[1]))
    strength = 0.3
    coupling = math.sqrt(2 * strength / order)
    model = DenseHebbian(
        order=order, load=strength / math.factorial(order - 1), temperature=temperature * coupling, rsb_steps=1
    )
    q, x, f, gardner = reference["value"]
    found = branch(model, "spin_glass")
    values = found["edwards_anderson"], found["breakpoint"], found["free_energy"] / coupling
    assert values == pytest.approx((q, x, f), abs=2e-8)
    assert found["replicon"] / model.temperature == pytest.approx(gardner, abs=1e-6)
    assert found["overlap_0"] == 0


# -- the equations -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("setting", ["supervised", "unsupervised"])
def test_binomial_examples_against_a_double_sum(setting: str) -> None:
    model = DenseHebbian(temperature=0.15, load=0.01, setting=setting, examples=7, quality=0.6)
    found = branch(model, "retrieval")
    k = np.arange(8)
    b, w = (2 * k - 7) / (7 * 0.6), binom.pmf(k, 7, 0.8)
    spread = (1 - 0.36) / (7 * 0.36)
    assert w @ b == pytest.approx(1)
    assert w @ b**2 == pytest.approx(1 + spread)
    factor = (1 + spread) ** 3 if setting == "supervised" else 1 + (1 - 0.6**6) / (7 * 0.6**6)
    strength = 0.02 * factor
    nu, q = found["signal"], found["edwards_anderson"]
    h = b[:, None] * nu**2 + math.sqrt(strength) * q * Z
    t = np.tanh(h / 0.15)
    assert w @ (t @ WEIGHT) == pytest.approx(found["overlap"], abs=1e-10)
    assert (w * b) @ (t @ WEIGHT) == pytest.approx(nu, abs=1e-10)
    assert w @ (t**2 @ WEIGHT) == pytest.approx(q, abs=1e-10)
    log_cosh = w @ (np.logaddexp(h / 0.15, -h / 0.15) @ WEIGHT)
    c = (1 - q) / 0.15
    f = 2 / 3 * nu**3 - strength / 6 * 0.15 * c**2 * (1 + 2 * q) - 0.15 * log_cosh
    assert found["free_energy"] == pytest.approx(f, abs=1e-10)


def test_many_examples_are_gaussian() -> None:
    for setting in ("supervised", "unsupervised"):
        exact, limit = (
            branch(DenseHebbian(load=0.002, setting=setting, examples=500, quality=0.3, statistics=s), "retrieval")
            for s in ("binomial", "gaussian")
        )
        assert exact["overlap"] == pytest.approx(limit["overlap"], abs=2e-4)


def test_perfect_examples_are_memories() -> None:
    stored = branch(DenseHebbian(load=0.03), "retrieval")
    for setting, statistics in itertools.product(("supervised", "unsupervised"), ("binomial", "gaussian")):
        model = DenseHebbian(load=0.03, setting=setting, quality=1, examples=3, statistics=statistics)
        assert branch(model, "retrieval") == pytest.approx(stored, abs=1e-9)


@settings(deadline=None, max_examples=30)
@given(
    st.floats(0.06, 0.5), st.floats(0.001, 0.12), st.sampled_from([3, 4, 6]),
    st.sampled_from(["storage", "supervised", "unsupervised"]), st.sampled_from(["binomial", "gaussian"]),
)  # fmt: skip
def test_entropy_is_the_slope_of_the_free_energy(
    temperature: float, load: float, order: int, setting: str, statistics: str
) -> None:
    model = DenseHebbian(
        load=2 * load / math.factorial(order - 1), order=order, setting=setting, quality=0.8, statistics=statistics
    )
    step = 1e-5
    cold, here, hot = (model.theory(temperature=temperature + d) for d in (-step, 0, step))
    slope = (cold["free_energy"] - hot["free_energy"]) / (2 * step)
    kept = np.isfinite(slope) & np.isfinite(here["entropy"])
    np.testing.assert_allclose(slope.values[kept], here["entropy"].values[kept], atol=2e-4)


def one_step_free_energy(nu: float, q0: float, q1: float, gamma: float, model: DenseHebbian) -> float:
    """Eq. (7) for storage by plain double sums."""
    p, temperature = model.order, model.temperature
    strength = model.load * math.factorial(p - 1)
    z = Z[::25]
    weight = np.exp(-0.5 * z * z)
    weight /= weight.sum()
    y = Z[::5]
    log_weight = -0.5 * y * y - logsumexp(-0.5 * y * y)
    h0 = nu ** (p - 1) + math.sqrt(strength * q0 ** (p - 1)) * z
    h = h0[:, None] + math.sqrt(strength * (q1 ** (p - 1) - q0 ** (p - 1))) * y
    log_cosh = temperature * np.logaddexp(h / temperature, -h / temperature)
    inner = logsumexp(gamma * log_cosh + log_weight, axis=1) / gamma
    x = gamma * temperature
    bracket = 1 - p * q1 ** (p - 1) + (p - 1) * ((1 - x) * q1**p + x * q0**p)
    return float((p - 1) / p * nu**p - strength / (2 * p * temperature) * bracket - weight @ inner)


@pytest.mark.parametrize(("order", "temperature", "load"), [(3, 0.05, 0.145), (3, 0.15, 0.14), (4, 0.08, 0.036)])
def test_broken_retrieval_is_a_stationary_point_of_its_free_energy(order: int, temperature: float, load: float) -> None:
    model = DenseHebbian(order=order, temperature=temperature, load=load, rsb_steps=1)
    found = branch(model, "retrieval")
    nu, q0, q1 = found["signal"], found["overlap_0"], found["edwards_anderson"]
    gamma = found["breakpoint"] / temperature
    assert q0 < q1 - 0.01
    point = np.array([nu, q0, q1, gamma])
    assert found["free_energy"] == pytest.approx(one_step_free_energy(*point, model), abs=1e-8)
    step = 1e-4
    for k in range(4):
        moved = np.zeros(4)
        moved[k] = step
        slope = (one_step_free_energy(*(point + moved), model) - one_step_free_energy(*(point - moved), model)) / (
            2 * step
        )
        assert abs(slope) < 2e-6, k


def test_one_step_joins_replica_symmetry_where_that_becomes_unstable() -> None:
    model = DenseHebbian(temperature=0.1)
    (at,) = model.landmark("at_line", "load")
    for load in (at * 0.99, at * 1.01):
        symmetric, broken = (branch(model.replace(load=load, rsb_steps=k), "retrieval") for k in (0, 1))
        assert symmetric["overlap"] == pytest.approx(broken["overlap"], abs=2e-4)
        assert (symmetric["replicon"] > 0) == (load < at)
    assert broken["free_energy"] > symmetric["free_energy"]


def test_one_step_removes_the_oddity_that_capacity_grows_on_heating() -> None:
    temperatures = np.array([0.0, 0.05, 0.1, 0.2])
    symmetric, broken = (
        np.array(
            [DenseHebbian(temperature=t, rsb_steps=k).landmark("retrieval_spinodal", "load")[0] for t in temperatures]
        )
        for k in (0, 1)
    )
    assert symmetric[-1] / symmetric[0] > 1.15
    assert np.ptp(broken) / broken[0] < 0.01
    assert (broken > symmetric).all()
    assert broken[0] == pytest.approx(0.1537, abs=1e-4)


def test_zero_temperature_is_the_limit() -> None:
    for steps in (0, 1):
        for load in (0.0, 0.001, 0.05, 0.11):
            cold, frozen = (DenseHebbian(load=load, temperature=t, rsb_steps=steps).theory() for t in (1e-6, 0.0))
            for name in ("overlap", "edwards_anderson", "free_energy", "energy"):
                kept = np.isfinite(frozen[name].values)
                np.testing.assert_allclose(cold[name].values[kept], frozen[name].values[kept], atol=2e-5, err_msg=name)


def test_the_order_of_the_points_does_not_matter(rng: np.random.Generator) -> None:
    for model in (DenseHebbian(), DenseHebbian(rsb_steps=1), DenseHebbian(setting="supervised", examples=5)):
        axes = {"temperature": np.linspace(0, 0.6, 9), "load": np.linspace(0, 0.18, 9)}
        rows = model.theory(**axes)
        mixed = model.theory(load=rng.permutation(axes["load"]), temperature=axes["temperature"]).sortby("load")
        for name in ("overlap", "edwards_anderson", "free_energy", "entropy"):
            np.testing.assert_allclose(
                rows[name], mixed[name].transpose(*rows[name].dims), rtol=1e-6, atol=1e-7, err_msg=name
            )


def test_steps_of_symmetry_breaking_may_differ_in_a_batch() -> None:
    model = DenseHebbian(temperature=0.1, load=0.145)
    both = model.theory(rsb_steps=np.array([0, 1]))
    for steps in (0, 1):
        alone = model.theory(rsb_steps=steps)
        for name in ("overlap", "free_energy", "breakpoint"):
            np.testing.assert_allclose(both[name].sel(rsb_steps=steps), alone[name], rtol=1e-9)


def test_boundaries_end_the_branches() -> None:
    model = DenseHebbian(temperature=0.2, setting="unsupervised", load=0.004, quality=0.5, examples=20)
    for along in ("load", "temperature", "quality"):
        (end,) = model.landmark("retrieval_spinodal", along)
        there, gone = (1.0001, 0.9999) if along == "quality" else (0.9999, 1.0001)
        for factor, exists in ((there, True), (gone, False)):
            overlap = model.theory(**{along: end * factor})["overlap"].sel(branch="retrieval")
            assert bool(np.isfinite(overlap)) == exists, along


def test_phases_and_validity() -> None:
    model = DenseHebbian(rsb_steps=1)
    names = [p.name for p in model.phases]

    def phase(temperature: float, load: float) -> str:
        return names[int(model.theory(temperature=temperature, load=load)["phase"])]

    assert phase(0.65, 0.05) == "paramagnet"
    assert phase(0.2, 0.19) == "spin_glass"
    assert phase(0.2, 0.03) == "stable_retrieval"
    assert phase(0.51, 0.05) == "metastable_retrieval"
    theory = model.theory(temperature=0.1, load=0.1)
    assert int(theory["validity"].sel(branch="paramagnet")) == 2
    assert float(theory["entropy"].sel(branch="paramagnet")) < 0
    assert not bool(theory["stable"].sel(branch="paramagnet"))


def test_the_picture_follows_the_order() -> None:
    for order in (3, 4, 5, 6):
        model = DenseHebbian(order=order)
        (capacity,) = model.landmark("retrieval_spinodal", "load")
        assert 0.3 < capacity / model.range(model.planes[0], "x")[1] < 0.9


# -- simulation ----------------------------------------------------------------------------------------------------


def brute_force_energy(run: Any) -> float:
    """Eq. (1) or (3) without the terms in which a neuron meets itself, by a sum over all groups of neurons."""
    model = run.model
    x = run.patterns.astype(float) * run.spins[:, None]
    groups = np.array(list(itertools.combinations(range(model.size), model.order)))
    total = x[groups].prod(axis=1).sum()
    return float(-run.unit * total / model.size**model.order)


@pytest.mark.parametrize("setting", ["storage", "supervised", "unsupervised"])
@pytest.mark.parametrize("order", [3, 4, 5, 6])
def test_the_energy_is_that_of_all_groups_and_every_neuron_agrees_with_its_field(order: int, setting: str) -> None:
    """At T = 0 the dynamics ends where no single flip lowers the energy."""
    size = 16
    model = DenseHebbian(
        order=order, load=3 / size ** (order - 1), setting=setting, examples=2, quality=0.7, temperature=0, size=size,
        corruption=0.3,
    )  # fmt: skip
    run = model.simulate(seed=order)
    run.advance(30)
    assert model.memory_count == 3
    energy = brute_force_energy(run)
    assert run.observe()["energy"] == pytest.approx(energy, abs=1e-6)
    for i in range(size):
        run.spins[i] *= -1
        assert brute_force_energy(run) >= energy - 1e-6
        run.spins[i] *= -1
    x = run.patterns.astype(float) * run.spins[:, None]
    for k in range(6):
        np.testing.assert_allclose(run.moments[k], (x ** (k + 1)).sum(axis=0), atol=1e-4)


@pytest.mark.parametrize("order", [3, 4])
def test_the_smallest_network_meets_the_sum_over_all_its_states(order: int) -> None:
    """Energies of all states by counting: in a memory with k sites that disagree, groups have the sum K_order(k)."""
    n = 16
    model = DenseHebbian(order=order, load=3 / n ** (order - 1), temperature=0.6, size=n, corruption=0.5)
    run = model.simulate(seed=order)
    sums = [Polynomial([1, 1]) ** (n - k) * Polynomial([1, -1]) ** k for k in range(n + 1)]
    groups = np.array([one.coef[order] for one in sums])
    states = 1 - 2 * (np.arange(2**n)[:, None] >> np.arange(n) & 1)
    disagreeing = (n - states @ run.patterns.astype(int)) // 2
    energy = -run.unit * groups[disagreeing].sum(axis=1) / n**order
    overlap = 1 - 2 * disagreeing[:, 0] / n
    weight = np.exp(-n * (energy - energy.min()) / model.temperature)
    run.advance(100)
    batches = []
    for _ in range(30):
        start = len(run.series()[0])
        run.advance(120)
        batches.append([run.series()[1][name][start:].mean() for name in ("energy", "overlap")])
    for found, exact in zip(np.transpose(batches), (energy, overlap), strict=True):
        error = found.std(ddof=1) / math.sqrt(len(found))
        assert error < 0.02
        assert found.mean() == pytest.approx(weight @ exact / weight.sum(), abs=4 * error)


def test_group_sums_are_elementary_symmetric_polynomials(rng: np.random.Generator) -> None:
    x = rng.normal(size=(9, 2))
    powers = np.stack([(x**k).sum(axis=0) for k in range(1, 7)])
    for k in range(1, 7):
        direct = sum(x[list(group)].prod(axis=0) for group in itertools.combinations(range(9), k))
        np.testing.assert_allclose(group_sums(powers, k), direct, rtol=1e-9)


@pytest.mark.parametrize(
    ("controls", "samples"),
    [
        ({"load": 0.045, "temperature": 0.3, "size": 200}, 8),
        ({"load": 0.008, "temperature": 0.3, "order": 4, "size": 90}, 6),
        ({"load": 0.025, "temperature": 0.2, "setting": "supervised", "examples": 10, "size": 180}, 8),
        (
            {"load": 0.005, "temperature": 0.1, "setting": "unsupervised", "examples": 20, "quality": 0.4, "size": 180},
            6,
        ),
    ],
    ids=["storage", "order 4", "supervised", "unsupervised"],
)
def test_simulation_agrees_with_theory(controls: dict[str, Any], samples: int) -> None:
    """Within four standard errors and 2/sqrt(N) * 0.1: a few hundred neurons depart from theory by a percent."""
    model = DenseHebbian(corruption=0.0, **controls)
    result = model.ensemble(samples=samples, seed=1)
    for name in ("overlap", "energy"):
        theory = float(result[f"{name}_theory"].sel(branch="retrieval"))
        error = float(result[f"{name}_standard_error"])
        assert float(result[name]) == pytest.approx(theory, abs=4 * error + 0.2 / math.sqrt(model.size)), name


def test_the_gap_to_theory_closes_with_size() -> None:
    model = DenseHebbian(load=0.045, temperature=0.3, corruption=0.0)
    gaps = []
    for size, samples in ((40, 32), (200, 6)):
        result = model.ensemble(size=size, samples=samples, seed=2)
        gaps.append(abs(float(result["energy"]) - float(result["energy_theory"].sel(branch="retrieval"))))
    assert gaps[1] < 0.5 * gaps[0]


def test_memory_stays_where_only_broken_symmetry_has_one() -> None:
    model = DenseHebbian.preset("broken symmetry")
    assert math.isnan(branch(model.replace(rsb_steps=0), "retrieval")["overlap"])
    run = model.simulate(seed=3, size=200)
    run.advance(60)
    assert run.observe()["overlap"] > 0.75
    assert branch(model, "retrieval")["overlap"] > 0.75


def test_high_order_tells_ten_digits_apart() -> None:
    for order, recalled in ((3, False), (6, True)):
        run = DenseHebbian.preset("ten digits").simulate(seed=1, order=order, load=10 / 400 ** (order - 1))
        run.advance(30)
        assert len(run.overlaps()) == 10
        assert (run.observe()["overlap"] > 0.97) == recalled


@pytest.mark.parametrize("setting", ["supervised", "unsupervised"])
def test_digits_are_learnt_from_real_examples(setting: str) -> None:
    run = DenseHebbian.preset("digits from examples").simulate(seed=1, setting=setting)
    assert run.patterns.shape == (400, 4 if setting == "supervised" else 400)
    assert 0.6 < run.quality < 0.9
    run.advance(20)
    assert run.observe()["overlap"] > 0.9
    assert len(run.picture().images) == 4


def test_too_many_memories_are_refused_with_bytes() -> None:
    with pytest.raises(TooLargeError, match="bytes"):
        DenseHebbian(order=6, load=0.05).simulate()
