"""The corner walk against sums over all states: partition function, correlations, zeros on the circle."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins.corner_network import CornerNetwork, square

Graph = tuple[int, np.ndarray, np.ndarray]


def lattice(side: int) -> Graph:
    edges, directions, _ = square(side, periodic=False)
    return side**2, edges, directions


def triangles() -> Graph:
    """A square lattice of side 3 with a diagonal in every plaquette."""
    sites, edges, directions = lattice(3)
    diagonals = np.array([[0, 4], [1, 5], [3, 7], [4, 8]])
    return sites, np.vstack([edges, diagonals]), np.append(directions, np.full(4, math.pi / 4))


def wheel() -> Graph:
    """A hub with seven spokes and a rim, at no special angles."""
    angle = 0.3 + 2 * math.pi * np.arange(7) / 7
    rim = np.stack([np.arange(1, 8), np.append(np.arange(2, 8), 1)], axis=-1)
    place = np.exp(1j * angle)
    spokes = np.stack([np.zeros(7, int), np.arange(1, 8)], axis=-1)
    return 8, np.vstack([spokes, rim]), np.append(angle, np.angle(np.roll(place, -1) - place))


GRAPHS = {"plaquette": lattice(2), "square": lattice(3), "triangles": triangles(), "wheel": wheel()}


def states(graph: Graph) -> np.ndarray:
    """s_i s_j of every edge in every state."""
    spins = np.array(list(itertools.product((-1, 1), repeat=graph[0])))
    return spins[:, graph[1][:, 0]] * spins[:, graph[1][:, 1]]


@pytest.mark.parametrize("name", GRAPHS)
@pytest.mark.parametrize("strength", [0.1, 1.0, 3.0])
def test_partition_function_and_correlations_are_sums_over_states(
    name: str, strength: float, rng: np.random.Generator
) -> None:
    graph = GRAPHS[name]
    couplings = strength * rng.standard_normal(len(graph[1]))
    bonds = states(graph)
    weight = np.exp(bonds @ couplings)
    network = CornerNetwork.of(*graph)
    assert network.log_partition(couplings) == pytest.approx(math.log(weight.sum()), rel=1e-12)
    np.testing.assert_allclose(network.correlations(couplings), weight @ bonds / weight.sum(), atol=1e-9)


@pytest.mark.parametrize("name", GRAPHS)
def test_zeros_lie_on_the_circle_and_no_nearer_than_the_angle_of_a_site_less_that_of_the_strongest_bond(
    name: str, rng: np.random.Generator
) -> None:
    graph = GRAPHS[name]
    network, degree = CornerNetwork.of(*graph), np.bincount(graph[1].ravel()).max()
    for _ in range(20):
        couplings = 0.3 * rng.standard_normal(len(graph[1]))
        step = network.walk(couplings)
        np.testing.assert_allclose(step @ step.T, np.eye(len(step)), atol=1e-14)
        zeros = network.zeros(couplings)
        eigenvalues = np.linalg.eigvals(step)
        np.testing.assert_allclose(np.sort(np.abs(np.angle(eigenvalues)))[::2], zeros, atol=1e-7)
        assert zeros[0] >= math.pi / degree - np.arcsin(np.tanh(2 * np.abs(couplings).max())) - 1e-12


def test_turning_a_spin_moves_no_zero(rng: np.random.Generator) -> None:
    graph = GRAPHS["triangles"]
    network, couplings = CornerNetwork.of(*graph), rng.standard_normal(len(graph[1]))
    turned = np.where((graph[1] == 4).any(1), -couplings, couplings)
    np.testing.assert_allclose(network.zeros(turned), network.zeros(couplings), atol=1e-7)


@pytest.mark.parametrize("strength", [0.2, 0.4406868, 0.9])
def test_zeros_of_a_clean_torus_are_waves(strength: float) -> None:
    side = 6
    edges, directions, signs = square(side, periodic=True)
    zeros = CornerNetwork.of(side**2, edges, directions).zeros(strength * signs)
    k = 2 * math.pi * (np.arange(side) + 0.5) / side
    alpha = math.asin(math.tanh(2 * strength))
    twice = np.arccos(0.5 * math.sin(2 * alpha) * np.add.outer(np.cos(k), np.cos(k))).ravel()
    np.testing.assert_allclose(zeros, np.sort(np.append(twice / 2, math.pi - twice / 2)), atol=1e-7)


def test_zeros_in_the_plane_of_the_temperature_are_those_of_the_partition_function(rng: np.random.Generator) -> None:
    graph = GRAPHS["square"]
    signs = np.where(rng.random(len(graph[1])) < 0.4, -1.0, 1.0)
    zeros = CornerNetwork.of(*graph).fisher_zeros(signs)
    energies = states(graph) @ signs
    for strength in (0.2, 0.7 + 0.3j):
        squared = np.exp(strength * energies).sum() ** 2
        product = np.prod(1 - np.tanh(strength) / zeros) * 4.0 ** graph[0] * np.cosh(strength) ** (2 * len(signs))
        assert product == pytest.approx(squared, rel=1e-10)
