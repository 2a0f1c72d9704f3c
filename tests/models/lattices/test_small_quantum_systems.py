"""Small quantum systems: every exact answer against sums over all states, bounds, world lines against the exact."""

from __future__ import annotations

import math
from functools import reduce

import numpy as np
import pytest
from cases import reference_values
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.optimize import brentq

from mfexplore.core import Array
from mfexplore.families.quantum_spins import half_filled
from mfexplore.models.lattices.small_quantum_systems import SmallQuantumSystems

X, Z = np.array([[0.0, 1.0], [1.0, 0.0]]), np.diag([1.0, -1.0])


def value(model: SmallQuantumSystems, name: str, method: str, branch: str) -> float:
    return float(model.theory(method=method, profiles=False)[name].sel(branch=branch))


def product(parts: dict[int, Array], sites: int) -> Array:
    """Operators on some of the sites, as a matrix."""
    return reduce(np.kron, [parts.get(i, np.eye(2)) for i in range(sites)])


def thermal(hamiltonian: Array, square: Array, temperature: float) -> dict[str, float]:
    """Averages over all states, of the whole system; the gap."""
    levels, vectors = np.linalg.eigh(hamiltonian)
    weight = np.exp(-(levels - levels[0]) / temperature)
    z = weight.sum()
    mean = np.sum(vectors * (square @ vectors), axis=0)
    return {
        "free_energy": levels[0] - temperature * math.log(z),
        "energy": float(weight @ levels / z),
        "squared_order": float(weight @ mean / z),
        "gap": float(levels[1] - levels[0]),
    }


def assert_exact(model: SmallQuantumSystems, found: dict[str, float]) -> None:
    for name, whole in found.items():
        per_site = model.sites if name in ("energy", "free_energy") else 1
        assert model.exact()[name] == pytest.approx(whole / per_site, abs=1e-11), name


@pytest.mark.parametrize("size", [5, 6])
@pytest.mark.parametrize(("field", "temperature"), [(0.3, 0.3), (1.0, 0.4), (1.0, 1.5), (1.8, 0.7)])
def test_the_chain_is_the_sum_over_all_states(field: float, temperature: float, size: int) -> None:
    h = -field * sum(product({i: X}, size) for i in range(size))
    h = h - sum(product({i: Z, (i + 1) % size: Z}, size) for i in range(size))
    m = sum(product({i: Z}, size) for i in range(size)) / size
    model = SmallQuantumSystems(transverse_field=field, temperature=temperature, size=size)
    assert_exact(model, thermal(h, m @ m, temperature))
    state = np.linalg.eigh(h)[1][:, 0]
    for length in range(1, size):
        share = np.linalg.svd(state.reshape(2**length, -1), compute_uv=False) ** 2
        assert model.entanglement()[length] == pytest.approx(-np.sum(share * np.log(share + 1e-300)), abs=1e-8)


@pytest.mark.parametrize("temperature", [0.2, 1.0])
@pytest.mark.parametrize("pairs", [2, 3])
def test_the_ring_is_the_sum_over_all_states(pairs: int, temperature: float) -> None:
    n = 2 * pairs
    flip = np.array([[0.0, 1.0], [0.0, 0.0]])

    def scalar(i: int, j: int) -> Array:
        trade = product({i: flip, j: flip.T}, n)
        return 0.25 * product({i: Z, j: Z}, n) + 0.5 * (trade + trade.T)

    h = sum(scalar(i, (i + 1) % n) for i in range(n))
    square = sum((-1) ** (i - j) * scalar(i, j) for i in range(n) for j in range(n) if i != j)
    square = 4 / n**2 * (square + 0.75 * n * np.eye(2**n))
    model = SmallQuantumSystems(problem="heisenberg_ring", spin_pairs=pairs, temperature=temperature)
    assert_exact(model, thermal(h, square, temperature))


@pytest.mark.parametrize(("repulsion", "temperature"), [(0.0, 0.3), (3.0, 0.2), (8.0, 1.3)])
def test_the_dimer_is_the_sum_over_sixteen_states(repulsion: float, temperature: float) -> None:
    """With fermion operators by Jordan and Wigner, and one electron a site on average."""
    lower = np.array([[0.0, 1.0], [0.0, 0.0]])
    c = [product({i: Z for i in range(k)} | {k: lower}, 4) for k in range(4)]  # up 1, up 2, down 1, down 2
    n = [a.T @ a for a in c]
    h = -sum(c[a].T @ c[b] + c[b].T @ c[a] for a, b in ((0, 1), (2, 3))) + repulsion * (n[0] @ n[2] + n[1] @ n[3])
    order = 0.5 * (n[0] - n[2] - n[1] + n[3])
    free = h - 0.5 * repulsion * (sum(n) - 2 * np.eye(16))
    model = SmallQuantumSystems(problem="hubbard_dimer", repulsion=repulsion, temperature=temperature)
    found = thermal(free, order @ order, temperature)
    del found["gap"]  # here with any number of electrons
    assert_exact(model, found)
    two = np.isclose(np.diag(sum(n)), 2)
    levels = np.linalg.eigvalsh(h[np.ix_(two, two)])
    assert model.exact()["gap"] == pytest.approx(levels[1] - levels[0], abs=1e-12)
    double = 0.5 * (n[0] @ n[2] + n[1] @ n[3])
    assert model.exact()["double_occupancy"] == pytest.approx(thermal(free, double, temperature)["squared_order"])


# -- references ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("reference", reference_values("tfim_chain"), ids=lambda r: r["id"])
def test_references_of_the_chain(reference: dict) -> None:
    params = reference["params"]
    model = SmallQuantumSystems(transverse_field=params["Gamma"], size=params["N"], temperature=0.0)
    assert model.exact()["energy"] == pytest.approx(reference["value"], abs=1e-12)


@pytest.mark.parametrize("reference", reference_values("heisenberg_chain"), ids=lambda r: r["id"])
def test_references_of_the_ring(reference: dict) -> None:
    n, (energy, per_site, gap) = reference["params"]["N"], reference["value"]
    if n <= 12:
        found = SmallQuantumSystems(problem="heisenberg_ring", spin_pairs=n // 2, temperature=0.0).exact()
        assert found["energy"] == pytest.approx(per_site, abs=1e-12)
        assert found["gap"] == pytest.approx(gap, abs=1e-11)
    place = np.arange(n)
    neighbours = np.isin((place[:, None] - place) % n, (1, n - 1)).astype(float)
    lowest, distance, _ = half_filled(n).ground_state(neighbours, np.random.default_rng(1))
    assert lowest == pytest.approx(energy, abs=1e-9)
    assert distance == pytest.approx(gap, abs=1e-6)


@pytest.mark.parametrize("reference", reference_values("hubbard_dimer"), ids=lambda r: r["id"])
def test_references_of_the_dimer(reference: dict) -> None:
    exact, restricted, unrestricted = reference["value"]
    model = SmallQuantumSystems(problem="hubbard_dimer", repulsion=reference["params"]["U"], temperature=0.0)
    assert 2 * model.exact()["energy"] == pytest.approx(exact, abs=1e-13)
    assert 2 * value(model, "energy", "mean_field", "symmetric") == pytest.approx(restricted, abs=1e-13)
    assert 2 * float(model.equilibrium(method="mean_field")["energy"]) == pytest.approx(unrestricted, abs=1e-13)


@pytest.mark.parametrize(
    ("temperature", "energy", "squared", "free_energy"),
    [(0.5, -1.2555313098, 0.6442128233, -1.3182271530), (1.0, -1.1333596034, 0.4974226010, -1.4195968277)],
)
def test_reviewed_values_of_eight_spins(temperature: float, energy: float, squared: float, free_energy: float) -> None:
    found = SmallQuantumSystems(transverse_field=1.0, temperature=temperature, size=8).exact()
    assert found["energy"] == pytest.approx(energy, abs=1e-10)
    assert found["squared_order"] == pytest.approx(squared, abs=1e-10)
    assert found["free_energy"] == pytest.approx(free_energy, abs=1e-10)


@pytest.mark.parametrize(("temperature", "energy"), [(0.5, -1.2381122500), (1.0, -1.1179418373)])
def test_a_long_chain_has_the_energy_of_an_infinite_one(temperature: float, energy: float) -> None:
    found = SmallQuantumSystems(transverse_field=1.0, temperature=temperature, size=64).exact()["energy"]
    assert found == pytest.approx(energy, abs=1e-6)

    def of_mode(k: float) -> float:
        half = abs(2 * math.sin(k / 2))
        return -half * math.tanh(half / temperature) / (2 * math.pi)

    assert quad(of_mode, 0, 2 * math.pi)[0] == pytest.approx(energy, abs=1e-9)


@pytest.mark.parametrize(("temperature", "order"), [(0.5, 0.8652466705), (1.0, 0.8165867720)])
def test_mean_field_of_the_chain(temperature: float, order: float) -> None:
    model = SmallQuantumSystems(transverse_field=1.0, temperature=temperature)
    assert value(model, "order", "mean_field", "ordered") == pytest.approx(order, abs=1e-10)
    assert model.landmark("critical_temperature_mean_field", "temperature") == pytest.approx(1.8204785, abs=5e-8)


# -- mean field and spin waves -------------------------------------------------------------------------------------


@given(st.floats(0.02, 2.5), st.floats(0.0, 3.0))
def test_mean_field_by_bisection(temperature: float, field: float) -> None:
    def excess(strength: float) -> float:
        return 2 * math.tanh(strength / temperature) - strength

    found = value(
        SmallQuantumSystems(transverse_field=field, temperature=temperature), "order", "mean_field", "ordered"
    )
    if temperature < 2 - 1e-6 and excess(max(field, 1e-6)) > 1e-9:
        strength = brentq(excess, max(field, 1e-6), 2, xtol=1e-14)
        assert found == pytest.approx(math.sqrt(strength**2 - field**2) / 2, abs=1e-6)
    elif excess(max(field, 1e-6)) < -1e-9:
        assert math.isnan(found)


@given(
    st.sampled_from(["ising_chain", "heisenberg_ring", "hubbard_dimer"]),
    st.floats(0.0, 2.5), st.floats(0.0, 3.0), st.floats(0.0, 12.0),
)  # fmt: skip
def test_mean_field_is_an_upper_bound(problem: str, temperature: float, field: float, repulsion: float) -> None:
    """Gibbs and Bogoliubov: no free energy of a trial state lies below the exact one."""
    model = SmallQuantumSystems(
        problem=problem, temperature=temperature, transverse_field=field, repulsion=repulsion, size=8, spin_pairs=3
    )
    free_energy = model.theory(profiles=False)["free_energy"]
    exact = float(free_energy.sel({"method": "exact", "branch": "symmetric"}))
    assert float(free_energy.sel({"method": "mean_field"}).min()) >= exact - 1e-12


def test_spin_waves_of_a_long_ring_have_the_energy_of_anderson() -> None:
    """-1/4 - (1 - 2/pi)/2 per spin, and on the way there the error falls like 1/N^2."""
    limit = -0.25 - 0.5 * (1 - 2 / math.pi)
    gaps = [
        value(SmallQuantumSystems(problem="heisenberg_ring", spin_pairs=pairs, temperature=0.0), "energy", "spin_wave",
              "ordered") - limit
        for pairs in (3, 6)
    ]  # fmt: skip
    assert gaps[0] / gaps[1] == pytest.approx(4, rel=0.02)


def test_four_spins_are_nothing_but_spin_waves() -> None:
    """Without the two modes that turn all spins, one pair of modes is left, and it is harmonic."""
    model = SmallQuantumSystems(problem="heisenberg_ring", spin_pairs=2, temperature=0.0)
    for name in ("energy", "gap", "squared_order"):
        assert value(model, name, "spin_wave", "ordered") == pytest.approx(model.exact()[name], abs=1e-12)


def test_the_order_of_a_ring_falls_with_its_size() -> None:
    found = [
        SmallQuantumSystems(problem="heisenberg_ring", spin_pairs=pairs, temperature=0.0).exact()["squared_order"]
        for pairs in (2, 3, 4, 5, 6)
    ]
    assert (np.diff(found) < 0).all()


def test_a_chain_without_a_gap_is_entangled_by_a_logarithm() -> None:
    model = SmallQuantumSystems(transverse_field=1.0, size=64)
    entropy = model.entanglement()
    chord = np.log(np.sin(np.pi * np.arange(8, 33) / 64))
    slope = np.polyfit(chord, entropy[8:33], 1)[0]
    assert slope == pytest.approx(1 / 6, rel=0.01)
    np.testing.assert_allclose(entropy, entropy[::-1], atol=1e-10)


# -- simulation ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "controls",
    [
        {"size": 8, "temperature": 0.5},
        {"size": 32, "temperature": 0.25, "transverse_field": 0.8},
        {"size": 8, "temperature": 0.3, "transverse_field": 0.0},
        {"problem": "heisenberg_ring", "spin_pairs": 2, "temperature": 0.5},
        {"problem": "heisenberg_ring", "spin_pairs": 6, "temperature": 0.15},
        {"problem": "hubbard_dimer", "repulsion": 2.0, "temperature": 0.2},
        {"problem": "hubbard_dimer", "repulsion": 8.0, "temperature": 0.5},
    ],
)
def test_world_lines_meet_the_exact_answer(controls: dict) -> None:
    model = SmallQuantumSystems(**controls)
    exact, found = model.exact(), model.ensemble(samples=8, seed=2)
    for name in ("energy", "squared_order", "double_occupancy"):
        if name in found:
            error = float(found[f"{name}_standard_error"])
            assert float(found[name]) == pytest.approx(exact[name], abs=4 * error + 3e-4), name


def test_order_that_mean_field_promises_fades_as_the_chain_grows() -> None:
    """At Gamma = 1, T = 0.5 mean field keeps 0.87; the squared order of the world lines falls like 1/N."""
    sizes = [16, 64]
    found = [SmallQuantumSystems(size=size, temperature=0.5).ensemble(samples=4, seed=1) for size in sizes]
    orders = [float(one["squared_order"]) for one in found]
    exact = [SmallQuantumSystems(size=size, temperature=0.5).exact()["squared_order"] for size in sizes]
    assert orders[1] < 0.45 * orders[0]
    assert exact[1] / exact[0] == pytest.approx(0.28, abs=0.05)
    for one, order, expected in zip(found, orders, exact, strict=True):
        assert order == pytest.approx(expected, abs=4 * float(one["squared_order_standard_error"]))
