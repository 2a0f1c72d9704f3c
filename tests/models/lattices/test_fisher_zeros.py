"""Zeros of a spin glass: references, the mean field against slow paths and limits, simulation against theory."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from cases import reference_values

from mfexplore.families.lattice_spins.corner_network import CornerNetwork, square
from mfexplore.families.lattice_spins.planar import exact_solution
from mfexplore.models.lattices.fisher_zeros import CLEAN, FisherZeros, coherent

SAMPLES = {v["id"]: v for v in reference_values("fisher_zeros_4x4")}
SIDE = 4


def sample(name: str) -> tuple[CornerNetwork, np.ndarray]:
    """The network and the signs of a sample of the references, which is given by its bonds along rows and columns."""
    given = SAMPLES[name]["params"]
    edges, directions, _ = square(SIDE, periodic=False)
    rows, columns = np.array(given["Jh"])[:, : SIDE - 1], np.array(given["Jv"])[: SIDE - 1]
    return CornerNetwork.of(SIDE**2, edges, directions), np.concatenate([rows.ravel(), columns.ravel()]).astype(float)


def means(name: str, samples: int, **controls: Any) -> tuple[float, float]:
    """Mean and standard error of an observable over samples of the signs."""
    run = FisherZeros(**controls).simulate(seed=7)
    run.advance(samples - 1)
    values = run.series()[1][name]
    return float(values.mean()), float(values.std(ddof=1) / math.sqrt(samples))


# -- the theorem -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["fisher_ferro_free", "fisher_pmJ0_free"])
def test_reference_zeros_in_the_plane_of_the_temperature(name: str) -> None:
    ground, states, count, median, nearest = SAMPLES[name]["value"]
    network, signs = sample(name)
    cold = 6.0
    assert network.log_partition(cold * signs) == pytest.approx(-ground * cold + math.log(states), abs=1e-4)
    t = network.fisher_zeros(signs)
    with np.errstate(divide="ignore", invalid="ignore"):
        x = (1 - np.where(np.abs(t) > 1e9, 1e9, t)) / (1 + np.where(np.abs(t) > 1e9, 1e9, t))
    x = x[(np.abs(x) > 1e-5) & (np.abs(x) < 1e5)]  # the others are at zero temperature
    assert len(x) == 2 * count  # those of Z²
    s = (1 / x - x) / 2
    assert np.median(np.abs(s)) == pytest.approx(median, abs=1e-6)
    assert np.abs(np.angle(x)).min() == pytest.approx(nearest, abs=1e-6)


@pytest.mark.parametrize(
    ("temperature", "log_z", "nearest"), [(1, 20.4272228257, 0.0409167), (2, 13.9004043076, 0.2585711)]
)
def test_reference_partition_function_and_nearest_zero(temperature: float, log_z: float, nearest: float) -> None:
    network, signs = sample("fisher_pmJ0_free")
    assert network.log_partition(signs / temperature) == pytest.approx(log_z, abs=1e-9)
    assert network.zeros(signs / temperature)[0] == pytest.approx(nearest, abs=1e-7)


@pytest.mark.parametrize("name", ["fisher_ferro_per", "fisher_pmJ1_per", "fisher_pmJ2_per"])
def test_reference_zeros_on_a_torus(name: str) -> None:
    """From the levels of all 2^16 states; and the four determinants that Z is made of have the same Z above the
    Griffiths temperature, where none of them has come to a zero.
    """
    ground, states, count, median, nearest = SAMPLES[name]["value"]
    given = SAMPLES[name]["params"]
    edges, directions, _ = square(SIDE, periodic=True)
    signs = np.concatenate([np.ravel(given["Jh"]), np.ravel(given["Jv"])])
    spins = 1 - 2 * ((np.arange(2**SIDE**2)[:, None] >> np.arange(SIDE**2)) & 1)
    levels, degeneracy = np.unique(-(spins[:, edges[:, 0]] * spins[:, edges[:, 1]]) @ signs, return_counts=True)
    assert (levels[0], degeneracy[0]) == (ground, states)
    step = 2 * given["step_in_x"]
    polynomial = np.zeros((levels[-1] - levels[0]) // step + 1)  # in a power of x = exp(-2 K)
    polynomial[(levels - levels[0]) // step] = degeneracy
    zeros: list[complex] = []
    while abs(np.polyval(polynomial, -1.0)) < 0.5:  # a multiple zero would not be found well
        zeros.append(-1.0)
        polynomial = np.polydiv(polynomial, [1, 1])[0]
    y = np.array([*zeros, *np.roots(polynomial)])
    x = np.sqrt(y + 0j)
    assert len(y) == count
    assert np.median(np.abs(1 / x - x)) / 2 == pytest.approx(median, abs=1e-9)
    assert np.abs(np.angle(y)).min() == pytest.approx(nearest, abs=1e-9)
    network = CornerNetwork.of(SIDE**2, edges, directions)
    closes = np.repeat(np.eye(2), SIDE**2, axis=1) * np.concatenate([
        np.arange(SIDE**2) % SIDE == SIDE - 1, np.arange(SIDE**2) >= SIDE * (SIDE - 1)
    ])  # fmt: skip
    for temperature in (2.4, 4.0):
        log_z = np.log(degeneracy @ np.exp(-levels / temperature))
        parts = [
            np.exp(network.log_partition(signs * (1 - 2 * np.array(crossed) @ closes) / temperature) - log_z)
            for crossed in itertools.product((0, 1), repeat=2)
        ]
        assert sum(parts) / 2 - parts[0] == pytest.approx(1, abs=1e-12)


def test_reference_gaps_of_open_clean_lattices() -> None:
    """In the cold the walk along the edge closes a gap that the bulk has."""
    clean = {"antiferromagnetic_fraction": 0.0, "side": 14, "border": "open"}
    assert FisherZeros(temperature=1 / 0.3, **clean).simulate(seed=0).observe()["angular_gap"] == pytest.approx(
        0.2414, abs=1e-4
    )
    assert FisherZeros(temperature=1.0, **clean).simulate(seed=0).observe()["angular_gap"] == pytest.approx(
        0.0557, abs=1e-4
    )
    theory = FisherZeros(antiferromagnetic_fraction=0.0).theory(method="coherent_potential", temperature=[1.0, 1 / 0.3])
    np.testing.assert_allclose(theory["angular_gap"], [0.516, 0.2184626], atol=5e-4)


@pytest.mark.parametrize("border", ["open", "periodic"])
@pytest.mark.parametrize("fraction", [0.05, 0.5])
def test_no_signs_bring_a_zero_nearer_than_the_bound(border: str, fraction: float) -> None:
    run = FisherZeros(antiferromagnetic_fraction=fraction, temperature=2.4, side=8, border=border).simulate(seed=3)
    run.advance(30)
    bound = run.model.bound()
    assert bound > 0.03
    assert run.series()[1]["angular_gap"].min() > bound


def test_the_zeros_of_a_sample_move_with_the_temperature_no_faster_than_the_angle_of_a_bond() -> None:
    run = FisherZeros(antiferromagnetic_fraction=0.3, temperature=2.0, side=6, border="open").simulate(seed=5)
    alpha, zeros, signs = [], [], run.signs
    for t in (2.0, 1.9, 1.8):
        assert run.follow(run.model.replace(temperature=t))
        assert np.array_equal(run.signs, signs)
        alpha.append(math.asin(math.tanh(2 / t)))
        zeros.append(run.zeros)
    moved = np.abs(np.diff(zeros, axis=0)).max(1)
    assert (moved <= np.diff(alpha) + 1e-9).all()
    assert (moved > 0.2 * np.diff(alpha)).all()


@pytest.mark.parametrize("fraction", [0.1, 0.5])
def test_energies_of_small_lattices_against_sums_over_all_states_and_signs(fraction: float) -> None:
    """Open lattices of 3 × 3 spins: 2^9 states, 2^12 signs."""
    side, temperature = 3, 1.2
    edges, _, _ = square(side, periodic=False)
    states = np.array(list(itertools.product((-1, 1), repeat=side**2)))
    signs = 1 - 2 * np.array(list(itertools.product((0, 1), repeat=len(edges))))
    negative = (signs < 0).sum(1)
    chance = fraction**negative * (1 - fraction) ** (len(edges) - negative)
    energies = -(states[:, edges[:, 0]] * states[:, edges[:, 1]]) @ signs.T
    weight = np.exp(-energies / temperature)
    z = weight.sum(0)
    exact = {
        "bond_energy": chance @ ((weight * energies).sum(0) / z) / len(edges),
        "free_energy": chance @ (-temperature * np.log(z)) / side**2,
    }
    for name, value in exact.items():
        mean, error = means(
            name, 300, antiferromagnetic_fraction=fraction, temperature=temperature, side=side, border="open"
        )
        assert mean == pytest.approx(value, abs=4 * error)


# -- the coherent potential --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("temperature", [0.8, 2.0, 2.5, 4.0])
def test_without_disorder_it_is_the_clean_lattice(temperature: float) -> None:
    theory = FisherZeros(antiferromagnetic_fraction=0.0, temperature=temperature).theory(method="coherent_potential")
    onsager = exact_solution("square", np.array([temperature]))
    assert float(theory["free_energy"]) == pytest.approx(onsager.free_energy[0], rel=1e-10)
    assert float(theory["bond_energy"]) == pytest.approx(onsager.energy[0] / 2, rel=1e-8)
    assert float(theory["effective_coupling"]) == pytest.approx(1 / temperature, rel=1e-9)
    assert float(theory["angular_gap"]) == pytest.approx(
        abs(math.pi / 4 - math.asin(math.tanh(2 / temperature))), abs=1e-12
    )


@pytest.mark.parametrize("temperature", [0.7, 1.2, 1.5])
def test_with_half_of_the_bonds_negative_it_is_the_tree(temperature: float) -> None:
    """On a tree with four bonds at a site a walker that comes back after going round keeps w of itself on each bond:
    w = cos(alpha) (1 + w²), and g = 1/(1 + w⁴).
    """
    c = 1 / math.cosh(2 / temperature)
    w = (1 - math.sqrt(1 - 4 * c * c)) / (2 * c)
    theory = FisherZeros(temperature=temperature).theory(method="coherent_potential", profiles=False)
    assert float(theory["zeros_at_one"]) == pytest.approx((2 / (1 + w**4) - 1) / (2 * math.pi), abs=1e-10)
    assert float(theory["angular_gap"]) == 0


@pytest.mark.parametrize(("fraction", "temperature", "angle"), [(0.1, 1.5, 0.0), (0.3, 1.0, 0.3), (0.2, 2.5, 0.6)])
def test_density_of_zeros_against_sums_over_waves(fraction: float, temperature: float, angle: float) -> None:
    """Four amplitudes at a site and a grid of waves, without elliptic integrals or acceleration."""
    k = 2 * math.pi * (np.arange(96) + 0.5) / 96
    alpha, zeta = math.asin(math.tanh(2 / temperature)), np.exp(-1j * angle)
    gamma = np.add.outer(np.cos(k), np.cos(k))
    r = [0j, 0j]

    def green(w: list[complex]) -> list[complex]:
        found = []
        for j, sign in enumerate((1, -1)):  # g = 1 - (w/2) d/dw <ln D>
            determinant = 1 + (zeta**2 * w[0] * w[1]) ** 2 - 0.5j * zeta**2 * (w[0] ** 2 - w[1] ** 2) * gamma
            slope = 2 * (zeta**2 * w[0] * w[1]) ** 2 - 1j * sign * zeta**2 * w[j] ** 2 * gamma
            found.append(1 - 0.5 * np.mean(slope / determinant))
        return found

    for _ in range(400):
        w = []
        for j, sign in enumerate((1, -1)):  # 1/(1 - w r) is the mean of 1/(1 - e r)
            bonds = np.exp(-1j * sign * alpha * np.array([1, -1]))
            if r[j] == 0:
                w.append(complex(np.array([1 - fraction, fraction]) @ bonds))
            else:
                w.append(complex((1 - 1 / (np.array([1 - fraction, fraction]) @ (1 / (1 - bonds * r[j])))) / r[j]))
        g = green(w)
        r = [(1 - 1 / g[j]) / w[j] for j in range(2)]
    expected = (sum(g).real - 1) / (2 * math.pi)
    assert expected > 0.05
    found = coherent.density(fraction, 1 / temperature, np.array([angle]))[0]
    assert found == pytest.approx(expected, abs=1e-4)  # of the grid


@pytest.mark.parametrize(("fraction", "temperature"), [(0.5, 3.0), (0.1, 2.2), (0.02, 2.6), (0.3, 1.9)])
def test_zeros_begin_at_the_gap_and_there_is_one_of_each(fraction: float, temperature: float) -> None:
    model = FisherZeros(antiferromagnetic_fraction=fraction, temperature=temperature)
    gap = float(model.equilibrium(method="coherent_potential")["angular_gap"])
    assert gap > model.bound()
    near = coherent.density(fraction, 1 / temperature, gap * np.array([0.99, 1.01]))
    assert near[0] == 0
    assert near[1] > 0.005
    u = np.linspace(0, 1, 401)  # fine where the density begins like a root
    angle = gap + (math.pi / 4 - gap) * u**2
    assert 8 * np.trapezoid(coherent.density(fraction, 1 / temperature, angle), angle) == pytest.approx(1, abs=2e-3)


def test_bond_energy_is_the_derivative_of_the_free_energy() -> None:
    t = 1.7 + 1e-4 * np.array([-1, 0, 1])
    theory = FisherZeros(antiferromagnetic_fraction=0.1).theory(
        method="coherent_potential", profiles=False, temperature=t
    )
    log_z = -theory["free_energy"].values / t
    slope = (log_z[2] - log_z[0]) / (1 / t[2] - 1 / t[0])
    assert float(theory["bond_energy"][1]) == pytest.approx(-slope / 2, abs=1e-6)


@pytest.mark.parametrize("fraction", [0.001, 0.05, 0.12, 0.3, 0.5])
def test_boundaries_are_where_the_solution_changes(fraction: float) -> None:
    model = FisherZeros(antiferromagnetic_fraction=fraction)
    closes = float(model.landmark("gap_closing", "temperature")[0])
    gap = model.theory(method="coherent_potential", profiles=False, temperature=[closes - 1e-3, closes + 1e-3])[
        "angular_gap"
    ]
    assert float(gap[0]) == 0 or fraction < 0.01  # without disorder it opens again at once
    assert float(gap[1]) > 0
    if fraction < 0.14:
        critical = float(model.landmark("ordering", "temperature")[0])
        theory = model.theory(method="coherent_potential", profiles=False, temperature=critical)
        assert float(theory["effective_coupling"]) == pytest.approx(1 / CLEAN, abs=1e-6)


# -- simulation --------------------------------------------------------------------------------------------------------


def test_the_page_opens_on_a_gap_that_a_run_shows_as_well() -> None:
    """Without edges, and to a twentieth of the range that is drawn: zeros are discrete, and the first is a bit late."""
    mean, error = means("angular_gap", 8)
    theory = float(FisherZeros().equilibrium(method="coherent_potential", profiles=False)["angular_gap"])
    assert FisherZeros.bound(FisherZeros()) < theory < mean
    assert mean + error < theory + 0.05 * float(FisherZeros().observable("angular_gap").high)


@pytest.mark.parametrize("side", [4, 7])
def test_energy_meets_theory_where_bonds_are_nearly_independent(side: int) -> None:
    controls = {"antiferromagnetic_fraction": 0.4, "temperature": 3.5, "border": "periodic"}
    mean, error = means("bond_energy", 60, side=side, **controls)
    theory = FisherZeros(**controls).equilibrium(method="coherent_potential", profiles=False)
    assert mean == pytest.approx(float(theory["bond_energy"]), abs=4 * error)


@pytest.mark.parametrize(("side", "border"), [(4, "open"), (7, "open"), (7, "periodic")])
def test_energy_on_the_nishimori_line_is_known(side: int, border: str) -> None:
    mean, error = means(
        "bond_energy", 60, side=side, border=border, antiferromagnetic_fraction=0.1, temperature=2 / math.log(9)
    )
    assert mean == pytest.approx(-0.8, abs=4 * error)
    assert error < 0.015


def test_density_of_zeros_meets_theory_above_the_glass_and_departs_below() -> None:
    far = {}
    for temperature in (3.0, 1.0):
        model = FisherZeros(temperature=temperature, side=8, border="periodic")
        run = model.simulate(seed=2)
        run.advance(15)
        measured = run.profiles()["zero_density"]
        fine = np.linspace(0, math.pi, 36 * 20 + 1)
        middles = (fine[1:] + fine[:-1]) / 2
        theory = coherent.density(0.5, 1 / temperature, middles).reshape(36, 20).mean(1)
        far[temperature] = np.abs(measured.values - theory).mean() / theory.mean()
    assert far[3.0] < 0.2
    assert far[1.0] > 0.5


def test_half_of_the_zeros_of_a_cold_glass_belong_to_frustrated_plaquettes() -> None:
    run = FisherZeros(temperature=0.6, side=10, border="periodic").simulate(seed=4)
    near = np.abs(run.zeros[:, None] - np.array([0, math.pi / 2, math.pi])).min(1) < math.pi / 8
    rows, columns = run.square_signs()
    product = rows * np.roll(rows, -1, 0) * columns * np.roll(columns, -1, 1)
    assert near.mean() == pytest.approx((product < 0).mean(), abs=0.02)
