"""Springs at rest by conjugate gradients, against dense matrices."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.conjugate_gradients import relax_links, resolvent


@pytest.mark.parametrize("present", [1.0, 0.7])  # the second network has floppy parts
def test_tensions_and_spectrum_are_those_of_dense_algebra(rng: np.random.Generator, present: float) -> None:
    n = 30
    pairs = np.array([(i, j) for i in range(n) for j in range(i) if rng.random() < 5 / n * present], np.int32)
    angle = rng.uniform(0, np.pi, len(pairs))
    directions = np.stack([np.cos(angle), np.sin(angle)], axis=1) * rng.uniform(0.5, 1, (len(pairs), 1))
    pull = rng.normal(size=len(pairs))
    matrix = np.zeros((len(pairs), n, 2))
    matrix[np.arange(len(pairs)), pairs[:, 1]] += directions
    matrix[np.arange(len(pairs)), pairs[:, 0]] -= directions
    flat = matrix.reshape(len(pairs), -1)
    u, coefficients = np.empty((n, 2)), np.empty((2, 400))
    iterations, first = relax_links(pairs, directions, pull, 1e-12, coefficients, u)
    best = np.linalg.lstsq(flat, -pull, rcond=None)[0]
    np.testing.assert_allclose(pull + flat @ u.ravel(), pull + flat @ best, atol=1e-8)
    force = -flat.T @ pull
    assert first == pytest.approx(force @ force)
    z = np.array([0.3 + 0.2j, 2.0 + 0.5j, -1.0 + 0j])
    found = resolvent(coefficients[:, :iterations], first, z)
    expected = [force @ np.linalg.solve(flat.T @ flat - one * np.eye(2 * n), force) for one in z]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_resistors_in_a_row() -> None:
    """A battery in one link of a ring of unit resistors is opposed by all of them alike."""
    links = np.array([(k, (k + 1) % 8) for k in range(8)], np.int32)
    u, coefficients = np.empty((8, 1)), np.empty((2, 20))
    pull = np.eye(8)[0]
    relax_links(links, np.ones((8, 1)), pull, 1e-12, coefficients, u)
    np.testing.assert_allclose(pull + u[links[:, 1], 0] - u[links[:, 0], 0], 1 / 8, atol=1e-12)


def test_what_is_in_balance_stays() -> None:
    u, coefficients = np.ones((3, 2)), np.empty((2, 5))
    assert relax_links(np.zeros((0, 2), np.int32), np.zeros((0, 2)), np.zeros(0), 1e-9, coefficients, u) == (0, 0.0)
    assert not u.any()
    assert not resolvent(coefficients[:, :0], 0.0, np.array([1.0 + 1j])).any()
