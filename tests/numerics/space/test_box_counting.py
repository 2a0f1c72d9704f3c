"""Box counting on sets whose dimensions are known."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.space.box_counting import bounding_window, box_masses, lacunarity, renyi_dimensions

ORDERS = np.array([0.0, 0.5, 1.0, 2.0, 4.0])


def gasket(levels: int) -> np.ndarray:
    """Sierpinski's gasket on a square lattice: three of four quarters, again and again."""
    points = np.zeros((1, 2))
    for level in range(levels):
        points = (points + 2**level * np.array([(0, 0), (1, 0), (0, 1)])[:, None]).reshape(-1, 2)
    return points


def test_masses_are_those_of_a_histogram(rng: np.random.Generator) -> None:
    points = rng.normal(size=(500, 2)) * 10
    window = bounding_window(points)
    masses = box_masses(points, 3.0, window)
    x_edges, y_edges = (window[i] + 3.0 * np.arange(n + 1) for i, n in ((0, masses.shape[1]), (2, masses.shape[0])))
    expected, _, _ = np.histogram2d(points[:, 1], points[:, 0], [y_edges, x_edges])
    np.testing.assert_array_equal(masses, expected)
    assert box_masses(points, 3.0, (0, 6, 0, 6)).sum() == np.sum(((points >= 0) & (points < 6)).all(axis=1))


def test_dimensions_of_a_line_and_of_the_plane(rng: np.random.Generator) -> None:
    line = np.stack([np.linspace(0, 1000, 40_000), 0.3 * np.linspace(0, 1000, 40_000)], axis=1)
    np.testing.assert_allclose(renyi_dimensions(line, ORDERS, 8.0, 4), 1, atol=0.06)
    plane = rng.random((200_000, 2)) * 1000
    np.testing.assert_allclose(renyi_dimensions(plane, ORDERS, 16.0, 3), 2, atol=0.1)


def test_a_self_similar_set_has_one_dimension() -> None:
    dimensions = renyi_dimensions(gasket(11), ORDERS, 4.0, 6)
    np.testing.assert_allclose(dimensions, np.log2(3), atol=0.08)


def test_a_multifractal_has_falling_dimensions(rng: np.random.Generator) -> None:
    """Each square passes the shares 0.4, 0.3, 0.2, 0.1 on to its quarters: D_q = log2(sum p^q)/(1 - q)."""
    shares = np.array([0.4, 0.3, 0.2, 0.1])
    quarters = rng.choice(4, size=(400_000, 12), p=shares)
    powers = 2 ** np.arange(12)
    points = np.stack([(quarters % 2) @ powers, (quarters // 2) @ powers], axis=1).astype(float)
    found = renyi_dimensions(points, np.array([0.0, 2.0, 4.0]), 64.0, 5)
    expected = [np.log2(np.sum(shares**q)) / (1 - q) for q in (0, 2, 4)]
    np.testing.assert_allclose(found, expected, atol=0.12)


def test_lacunarity(rng: np.random.Generator) -> None:
    even = np.stack(np.meshgrid(np.arange(64) + 0.5, np.arange(64) + 0.5), axis=-1).reshape(-1, 2)
    assert lacunarity(even, 8.0, (0, 64, 0, 64)) == pytest.approx(1)
    corner = even[(even < 32).all(axis=1)]
    assert lacunarity(corner, 8.0, (0, 64, 0, 64)) == pytest.approx(4)
    assert lacunarity(even[:0], 8.0, (0, 64, 0, 64)) == 1
