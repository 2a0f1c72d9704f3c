"""Message passing and the fixed points of state evolution."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.message_passing.algorithm import MessagePassing, random_matrix
from mfexplore.families.message_passing.state_evolution import LoadCurves, StateEvolution


def test_linear_regression_is_solved_exactly(rng: np.random.Generator) -> None:
    """For Gaussian prior and noise the fixed point is the ridge estimate, whatever the matrix."""
    matrix = random_matrix(rng, 600, 400)
    noise = 0.3
    y = matrix @ rng.standard_normal(400) + math.sqrt(noise) * rng.standard_normal(600)
    passing = MessagePassing(matrix, np.zeros(400), 1.0)
    for _ in range(60):
        omega, v = passing.forward()
        r, s = passing.backward((y - omega) / (noise + v), 1 / (noise + v))
        passing.accept(r / (1 + s), s / (1 + s))
    f = matrix.astype(np.float64)
    ridge = np.linalg.solve(f.T @ f + noise * np.eye(400), f.T @ y)
    np.testing.assert_allclose(passing.mean, ridge, atol=2e-3)
    assert passing.change < 1e-10


def test_rows_may_arrive_one_batch_after_another(rng: np.random.Generator) -> None:
    """In the end it is as if all had been there from the beginning."""
    matrix = random_matrix(rng, 600, 400)
    noise = 0.3
    y = matrix @ rng.standard_normal(400) + math.sqrt(noise) * rng.standard_normal(600)
    passing = MessagePassing(matrix[:0], np.zeros(400), 1.0)
    for rows in [150, 300, 450] * 2 + [600] * 60:
        if rows > len(passing.matrix):
            passing.take_in(matrix[:rows])
        seen = len(passing.matrix)
        omega, v = passing.forward()
        r, s = passing.backward((y[:seen] - omega) / (noise + v), 1 / (noise + v))
        passing.accept(r / (1 + s), s / (1 + s))
    f = matrix.astype(np.float64)
    ridge = np.linalg.solve(f.T @ f + noise * np.eye(400), f.T @ y)
    np.testing.assert_allclose(passing.mean, ridge, atol=2e-3)


def cubic(log_snr: np.ndarray, row: np.ndarray) -> np.ndarray:
    """Load curves that turn at ln R = -1 and 1 (row 0), or never (row 1)."""
    x = log_snr
    return np.where(row == 0, np.exp(0.2 * (x**3 - 3 * x)), np.exp(x))


def test_fixed_points_and_jumps_of_a_curve_with_a_fold() -> None:
    curves = LoadCurves(cubic, 2, -5.0, 5.0, points=41)
    up, where = curves.jumps(0, up=True)
    assert up == pytest.approx([math.exp(0.4)], abs=1e-14)
    assert where == pytest.approx([-1.0], abs=1e-8)
    down, where = curves.jumps(0, up=False)
    assert down == pytest.approx([math.exp(-0.4)], abs=1e-14)
    assert where == pytest.approx([1.0], abs=1e-8)
    assert curves.jumps(1, up=True)[0].size == 0
    loads = np.exp(0.2 * np.array([-0.5, 0.0, 0.5, 1.999999, 2.000001]))
    row = np.zeros(5, np.int64)
    low, high = curves.solve(row, loads, informed=False), curves.solve(row, loads, informed=True)
    for load, a, b in zip(loads, low, high, strict=True):
        roots = np.roots([1, 0, -3, -math.log(load) / 0.2])
        real = np.sort(roots[np.abs(roots.imag) < 1e-9].real)
        assert a == pytest.approx(real[0], abs=1e-7)
        assert b == pytest.approx(real[-1], abs=1e-7)


def test_loads_beyond_the_range() -> None:
    curves = LoadCurves(cubic, 2, -5.0, 5.0, points=41)
    row = np.ones(3, np.int64)
    loads = np.array([math.exp(-6), 1.0, math.exp(6)])
    for informed in (False, True):
        assert curves.solve(row, loads, informed).tolist() == pytest.approx([-math.inf, 0.0, math.inf], abs=1e-12)


class Cubic(StateEvolution):
    """A fold of half-width sqrt(p) in ln R, symmetric about ln R = 0, that vanishes at p = 0."""

    interval = (-5.0, 5.0, 42)

    def load(self, log_snr: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        return np.exp(0.2 * (log_snr**3 - 3 * parameters[0] * log_snr))

    def free_entropy(self, log_snr: np.ndarray, load: np.ndarray, *parameters: np.ndarray) -> np.ndarray:
        return np.log(load) * log_snr


def test_boundaries_of_a_fold_and_how_they_go_on_where_it_is_gone() -> None:
    p = np.array([1.0, 0.25, 1.0, -0.2])
    fixed = Cubic().at(p)
    height = 0.4 * np.maximum(p, 0) ** 1.5
    for (values, real), sign in (
        (fixed.uninformed_spinodal(), 1),
        (fixed.informed_spinodal(), -1),
        (fixed.transition(), 0),
    ):
        assert real.tolist() == [True, True, True, False]
        np.testing.assert_allclose(values[real], np.exp(sign * height[real]), rtol=1e-12)
        assert values[3] == pytest.approx(1, abs=0.02)
    load = np.array([0.9, 0.9, 1.6, 0.9])
    log_snr = fixed.solve(load)
    told = fixed.folds(load, log_snr)
    assert told["apart"].tolist() == [True, False, False, False]
    assert told["beyond"].tolist() == [False, False, True, False]
    np.testing.assert_allclose(Cubic().load(log_snr[:, 0], p), load, rtol=1e-12)
