"""Accelerated fixed points: the right ones, in fewer steps than plain iteration."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.solving.anderson import fixed_points


def test_linear_maps(rng: np.random.Generator) -> None:
    n, d = 20, 12
    root = rng.normal(size=(n, d, d))
    matrices = np.array([0.95 * r @ r.T / np.linalg.norm(r @ r.T, 2) for r in root])
    shift = rng.normal(size=(n, d))

    def step(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.einsum("nij,nj->ni", matrices[rows], x) + shift[rows]

    x, residual, taken = fixed_points(step, np.zeros((n, d)), tolerance=1e-10)
    expected = np.array([np.linalg.solve(np.eye(d) - a, b) for a, b in zip(matrices, shift, strict=True)])
    np.testing.assert_allclose(x, expected, atol=1e-8)
    assert (residual <= 1e-10).all()
    assert taken.max() < 150  # plainly it takes 0.95^n = 1e-10, n = 450


def test_nonlinear_maps_of_different_speed() -> None:
    """The map tanh(a x) from above: the magnetized root, close to criticality too."""
    a = np.array([0.5, 1.01, 1.2, 3.0])

    def step(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        return np.tanh(a[rows, None] * x)

    x, _, _ = fixed_points(step, np.ones((4, 1)), tolerance=1e-12)
    np.testing.assert_allclose(x, np.tanh(a[:, None] * x), atol=1e-11)
    assert x[0, 0] == pytest.approx(0, abs=1e-11)
    assert x[1, 0] == pytest.approx(np.sqrt(3 * 0.01), rel=0.02)


def test_finished_rows_are_not_asked_again() -> None:
    asked: list[int] = []

    def step(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        asked.append(rows.size)
        return np.where(rows[:, None] == 0, x, 0.5 * x)

    fixed_points(step, np.ones((2, 3)), tolerance=1e-6)
    assert asked[0] == 2
    assert set(asked[1:]) == {1}


def test_steps_are_limited() -> None:
    _, residual, taken = fixed_points(lambda x, rows: -x, np.ones((1, 1)), steps=3, warm=10)
    assert taken[0] == 3
    assert residual[0] == 2


def test_a_map_that_cannot_be_extrapolated() -> None:
    """Points that jump between cells: no combination of them means anything, and plain iteration has to do."""

    def step(x: np.ndarray, rows: np.ndarray) -> np.ndarray:
        place = 1.0 + 0.5 * (x * np.arange(40)).sum(axis=1)
        out = np.zeros_like(x)
        low = np.floor(place).astype(int)
        out[np.arange(len(x)), low] = 1 - (place - low)
        out[np.arange(len(x)), low + 1] = place - low
        return out

    start = np.zeros((1, 40))
    start[0, 35] = 1
    x, residual, _ = fixed_points(step, start, tolerance=1e-9)
    assert residual[0] <= 1e-9
    assert (x * np.arange(40)).sum() == pytest.approx(2, abs=1e-8)
