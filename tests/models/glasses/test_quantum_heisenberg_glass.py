"""Quantum Heisenberg glass: rest and waves against slow paths and limits, spin waves beside exact 4 x 4 samples."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values
from scipy.linalg import sqrtm

from mfexplore.core import Array
from mfexplore.families.quantum_spins import half_filled
from mfexplore.models.glasses.quantum_heisenberg_glass import QuantumHeisenbergGlass
from mfexplore.models.glasses.quantum_heisenberg_glass.theory import (
    NODES,
    bonds,
    lattice,
    matrix,
    projected,
    quadratic,
    sample,
    spin_waves,
    sublattices,
    unturned,
)

EXACT = 0.75  # S(S + 1) of the spins that are solved exactly


def observed(fraction: float) -> dict[str, float]:
    """What an exact run shows; at p = 0 and 1 there is only one sample."""
    return QuantumHeisenbergGlass(ferromagnetic_fraction=fraction).simulate(seed=1).observe()


# -- references ----------------------------------------------------------------------------------------------------


def test_exact_antiferromagnet() -> None:
    (reference,) = (r for r in reference_values("heisenberg_square") if r["id"] == "heis_4x4")
    energy, per_site, gap, squared = reference["value"]
    found = observed(0.0)
    assert EXACT * 16 * found["energy"] == pytest.approx(energy, abs=1e-7)
    assert EXACT * found["energy"] == pytest.approx(per_site, abs=1e-8)
    assert EXACT * found["staggered_order"] == pytest.approx(squared, abs=1e-7)
    exchange = matrix(lattice(4), np.ones((16, 4)))
    assert half_filled(16).ground_state(exchange, np.random.default_rng(2))[1] == pytest.approx(gap, abs=1e-6)


def test_exact_squared_overlap_of_the_antiferromagnet() -> None:
    (reference,) = (r for r in reference_values("heisenberg_2d_pmJ_4x4") if r["id"] == "heis_dis_p0.0")
    per_site, overlap, squared, uniform = reference["value"]
    found = observed(0.0)
    values = [EXACT * found[name] for name in ("energy", "staggered_order", "uniform_order")]
    assert values == pytest.approx([per_site, squared, uniform], abs=1e-7)
    assert EXACT**2 * found["overlap_squared"] == pytest.approx(overlap, abs=1e-7)
    assert overlap == pytest.approx(0.0953072324, abs=1e-9)


def test_exact_energies_of_the_samples_of_the_references() -> None:
    """Their bonds, to the right and then down, are drawn one sample after another from one stream of seed 7."""
    rng = np.random.default_rng(7)
    for row in sorted(reference_values("heisenberg_2d_pmJ_4x4"), key=lambda row: row["params"]["pF"]):
        energies = []
        for _ in range(row["params"]["nreal"]):
            couplings = bonds(lattice(4), row["params"]["pF"], rng.random((2, 16)).T)
            energies.append(
                half_filled(16).ground_state(
                    matrix(lattice(4), couplings), rng=np.random.default_rng(0), tolerance=1e-6
                )[0]
            )
        assert np.mean(energies) / 16 == pytest.approx(row["value"][0], abs=1e-9)


def test_the_ferromagnet_is_exact_by_both() -> None:
    theory = QuantumHeisenbergGlass(ferromagnetic_fraction=1.0).theory(method="spin_wave", profiles=False)
    exact = observed(1.0)
    for found in (exact, {name: float(theory[name]) for name in exact}):
        assert EXACT * 16 * found["energy"] == pytest.approx(-8, abs=1e-7)
        assert EXACT**2 * found["overlap_squared"] == pytest.approx(3 / 32, abs=1e-7)
        assert EXACT * found["staggered_order"] == pytest.approx(1 / 32, abs=1e-7)
        assert EXACT * found["uniform_order"] == pytest.approx(9 / 32, abs=1e-7)


@pytest.mark.parametrize("side", [4, 6, 8])
def test_waves_of_the_antiferromagnet_are_those_of_the_books(side: int) -> None:
    """Frequencies 4 sqrt(1 - g^2) with g the mean of two cosines, but for the two that turn all spins."""
    k = 2 * np.pi * np.arange(side) / side
    g = 0.5 * np.add.outer(np.cos(k), np.cos(k)).ravel()
    g = g[np.abs(g) < 1 - 1e-12]
    root = np.sqrt(1 - g * g)
    n = side**2
    model = QuantumHeisenbergGlass(ferromagnetic_fraction=0.0, half_side=side // 2, samples=1)
    found = model.theory(method="spin_wave", profiles=False)
    # S = 1/2: M^2 = S^2 + S - (S/N) sum 1/root and E/N = -2 S (S + 1) + (2S/N) sum root
    assert EXACT * float(found["staggered_order"]) == pytest.approx(0.75 - 0.5 / n * np.sum(1 / root), abs=1e-7)
    assert EXACT * float(found["energy"]) == pytest.approx(-1.5 + np.sum(root) / n, abs=1e-7)
    frequencies, _, _ = spin_waves(*at_rest(0, side))
    np.testing.assert_allclose(frequencies, np.sort(4 * root), atol=1e-6)


# -- slow paths ----------------------------------------------------------------------------------------------------


def at_rest(node: int, side: int, number: int = 0) -> tuple[Array, Array]:
    one = sample(node, side, number)
    return one.spins, matrix(lattice(side), one.couplings)


@pytest.mark.parametrize(("node", "side"), [(0, 4), (12, 4), (16, 6), (32, 4)])
def test_spins_are_at_rest_and_nothing_bends_them(node: int, side: int, rng: np.random.Generator) -> None:
    spins, exchange = at_rest(node, side)
    torque = np.cross(spins, exchange @ spins)
    assert np.abs(torque).max() < 1e-8
    energy = 0.5 * np.sum(exchange * (spins @ spins.T))
    for _ in range(20):
        bent = spins + 0.05 * rng.standard_normal(spins.shape)
        bent /= np.linalg.norm(bent, axis=1, keepdims=True)
        assert 0.5 * np.sum(exchange * (bent @ bent.T)) >= energy - 1e-9


@pytest.mark.parametrize(("node", "side", "number"), [(8, 4, 0), (16, 4, 1), (20, 6, 0)])
def test_correlations_of_waves_by_roots_of_matrices(node: int, side: int, number: int) -> None:
    """Positions and momenta x, p with H = (x, p) h (x, p)/2 have the covariance
    h^(-1/2) |h^(1/2) J h^(1/2)| h^(-1/2)/2, where J is the symplectic form; no Cholesky, no complex modes.
    """
    spins, exchange = at_rest(node, side, number)
    kept = unturned(spins)
    a, b = projected(kept, *quadratic(spins, exchange))
    h = np.block([[(a + b).real, (b - a).imag], [(a + b).imag, (a - b).real]])
    h = (h + h.T) / 2
    m = len(a)
    levels, vectors = np.linalg.eigh(h)
    root, inverse = ((vectors * levels**power) @ vectors.T for power in (0.5, -0.5))
    turned = root @ np.block([[np.zeros((m, m)), np.eye(m)], [-np.eye(m), np.zeros((m, m))]]) @ root
    covariance = 0.5 * inverse @ sqrtm(turned.T @ turned).real @ inverse
    xx, xp, pp = covariance[:m, :m], covariance[:m, m:], covariance[m:, m:]
    hopping = 0.5 * (xx + pp + 1j * (xp.T - xp))  # <{a_i, a_j^+}>/2 of a = (x + ip)/sqrt 2
    deviation = np.diag(kept @ hopping @ kept.conj().T).real - 0.5
    frequencies, found, _ = spin_waves(spins, exchange)
    np.testing.assert_allclose(found, deviation, atol=1e-7)
    steps = np.sort(np.abs(np.linalg.eigvals(turned).imag))[::2]
    np.testing.assert_allclose(frequencies, steps, atol=1e-6)


@pytest.mark.parametrize("node", [4, 16, 27])
def test_turning_one_sublattice_trades_the_classical_magnets(node: int) -> None:
    """To reverse one sublattice turns every bond over; classically p and 1 - p are the same, for waves they are not."""
    one = sample(node, 4, 0)
    eta = sublattices(4)
    spins, exchange = one.spins * eta[:, None], -matrix(lattice(4), one.couplings)
    assert np.abs(np.cross(spins, exchange @ spins)).max() < 1e-8
    before, after = (spin_waves(s, e)[0].sum() for s, e in ((one.spins, -exchange), (spins, exchange)))
    assert not math.isclose(before, after, rel_tol=1e-3)


@pytest.mark.parametrize("fraction", [0.0, 0.2, 0.5, 1.0])
def test_unit_vectors_overlap_by_a_third_at_least(fraction: float) -> None:
    model = QuantumHeisenbergGlass(ferromagnetic_fraction=fraction)
    assert float(model.theory(method="classical", profiles=False)["overlap_squared"]) >= 1 / 3


def test_theory_is_linear_between_its_nodes() -> None:
    p = np.array([16, 16.25, 17]) / NODES
    found = QuantumHeisenbergGlass().theory(method="classical", profiles=False, ferromagnetic_fraction=p)["energy"]
    assert float(found[1]) == pytest.approx(0.75 * float(found[0]) + 0.25 * float(found[2]), abs=1e-12)


# -- the claim -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("node", "number"), [(4, 0), (8, 0), (12, 1), (16, 1), (20, 3), (26, 0)])
def test_spin_waves_stand_beside_the_exact_answer(node: int, number: int) -> None:
    """Sample by sample, S = 1/2 on 4 x 4: energy within 5%, the squared overlap within 0.06."""
    _, exchange = at_rest(node, 4, number)
    energy, _, state = half_filled(16).ground_state(exchange, np.random.default_rng(1), 1e-9)
    exact = half_filled(16).correlations(state) / EXACT
    one = sample(node, 4, number)
    waves = (one.classical + 2 * one.first) / 3
    assert 0.5 * np.sum(exchange * waves) == pytest.approx(energy / EXACT, rel=0.05)
    assert np.mean(waves**2) == pytest.approx(np.mean(exact**2), abs=0.06)


def test_magnetism_dies_and_the_overlap_stays() -> None:
    """By spin waves at S = 1/2 from p = 0 to 1/2: M^2 is lost, and the more the larger the lattice; q^2 is not."""
    found = {}
    for half_side in (2, 4):
        model = QuantumHeisenbergGlass(half_side=half_side, samples=4)
        theory = model.theory(method="spin_wave", profiles=False, ferromagnetic_fraction=[0.0, 0.5])
        found[half_side] = {n: theory[n].values for n in ("staggered_order", "overlap_squared")}
    kept = {side: {n: v[1] / v[0] for n, v in orders.items()} for side, orders in found.items()}
    assert kept[4]["staggered_order"] < 0.5 * kept[2]["staggered_order"] < 0.15
    assert min(one["overlap_squared"] for one in kept.values()) > 0.5
    # Beyond what each spin has with itself, from 16 to 64 sites: 1/4 would be nothing in the end
    pairs = {n: [found[side][n][1] - 1 / (2 * side) ** 2 for side in (2, 4)] for n in found[2]}
    assert pairs["staggered_order"][1] < 0.25 * pairs["staggered_order"][0]
    assert pairs["overlap_squared"][1] > 0.28 * pairs["overlap_squared"][0]


# -- simulation ----------------------------------------------------------------------------------------------------


def test_exact_samples_agree_with_spin_waves_on_average() -> None:
    """Many samples of each: the squared overlap within a twentieth of its value and four standard errors."""
    model = QuantumHeisenbergGlass(ferromagnetic_fraction=0.5, samples=16)
    run = model.simulate(seed=3)
    run.advance(19)
    found = run.series()[1]["overlap_squared"]
    theory = float(model.theory(method="spin_wave", profiles=False)["overlap_squared"])
    error = float(found.std(ddof=1)) / math.sqrt(found.size)
    assert found.size == 20
    assert found.mean() == pytest.approx(theory, abs=0.05 * theory + 4 * error)


@pytest.mark.parametrize("half_side", [2, 4])
def test_cold_vectors_have_the_energy_of_rest_and_half_of_t_for_each_way_to_turn(half_side: int) -> None:
    """Without disorder, so that there is one state of rest; the three turns of all spins cost nothing (or two)."""
    t = 0.02
    model = QuantumHeisenbergGlass(
        ferromagnetic_fraction=0.0, half_side=half_side, simulated="classical", temperature=t, samples=1
    )
    found = model.ensemble(samples=6, seed=4)
    rest = float(model.theory(method="classical", profiles=False)["energy"])
    n = model.side**2
    error = float(found["energy_standard_error"])
    assert float(found["energy"]) == pytest.approx(rest + t * (n - 1) / n, abs=4 * error + t * t)


def test_a_warm_classical_glass_melts_as_it_grows() -> None:
    """At T = 0.5 two copies overlap by about 1/N: nothing is frozen."""
    overlaps = []
    for half_side in (2, 4):
        model = QuantumHeisenbergGlass(half_side=half_side, simulated="classical", temperature=0.5, samples=1)
        overlaps.append(float(model.ensemble(samples=6, seed=1)["overlap_squared"]))
    assert overlaps[1] < 0.4 * overlaps[0]
