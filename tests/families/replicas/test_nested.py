"""Nested Gaussian averages: against sums over the whole tree, against mpmath at T = 0, and finite differences."""

from __future__ import annotations

import math

import mpmath
import numpy as np
import pytest
from numpy.typing import NDArray

from mfexplore.families.replicas.nested import nested_averages

Array = NDArray[np.float64]


def brute_force(
    temperature: float, variances: list[float], exponents: list[float], field: float, nodes: int
) -> tuple[list[float], list[float], list[float]]:
    """(averages, squares, potentials) by the trapezoid rule over every z of the tree."""
    z = np.linspace(-9, 9, nodes)
    w = np.exp(-z * z / 2)
    w /= w.sum()
    y: Array = np.array(field)
    for v in variances:
        y = y[..., None] + math.sqrt(v) * z
    u = np.abs(y) / temperature
    decay = np.exp(-2 * u)
    sech2 = 4 * decay / (1 + decay) ** 2
    phi = temperature * (u + np.log1p(decay))
    entropy = np.log1p(decay) + 2 * u * decay / (1 + decay)
    known = [np.tanh(y / temperature), sech2 / temperature, sech2**2 / temperature, entropy, 1 - sech2, phi]
    squares, potentials = [], []
    for gamma in reversed(exponents):
        top = phi.max(axis=-1, keepdims=True)
        weight = w * np.exp(gamma * (phi - top))
        total = weight.sum(axis=-1)
        known = [(k * weight).sum(axis=-1) / total for k in known]
        squares = [(s * weight).sum(axis=-1) / total for s in squares]
        potentials = [(p * weight).sum(axis=-1) / total for p in potentials]
        phi = top[..., 0] + np.log(total) / gamma
        squares.insert(0, known[0] ** 2)
        potentials.insert(0, phi)
    everything = [float(k @ w) for k in (*known, *squares, *potentials)]
    k = len(squares)
    return everything[:4], [*everything[6 : 6 + k], everything[4]], [*everything[6 + k :], everything[5]]


CASES = [
    # temperature, variances, exponents, field, nodes, tolerance
    (0.5, [0.2, 0.4], [0.6], 0.0, 1200, 1e-10),
    (0.5, [0.2, 0.4], [0.6], 0.7, 1200, 1e-10),
    (0.05, [0.2, 0.4], [0.6], 0.7, 3000, 1e-10),
    (0.9, [0.001, 0.002], [0.2], 0.0, 800, 1e-9),
    (0.9, [0.0, 0.02], [0.2], 0.3, 800, 1e-8),
    (0.4, [0.1, 0.3, 0.2], [0.5, 1.2], 0.3, 120, 1e-10),
    (0.7, [0.01, 0.1, 0.02], [0.3, 0.5], 0.1, 100, 1e-10),
    (0.9, [0.001, 0.003, 0.004], [0.05, 0.1], 0.02, 100, 1e-9),
    (0.2, [0.1, 0.3, 0.4], [0.5, 1.4], 0.3, 160, 1e-10),
]


@pytest.mark.parametrize(("temperature", "variances", "exponents", "field", "nodes", "tolerance"), CASES)
def test_against_the_sum_over_the_tree(
    temperature: float, variances: list[float], exponents: list[float], field: float, nodes: int, tolerance: float
) -> None:
    squares, potentials = np.empty(len(variances)), np.empty(len(variances))
    found = nested_averages(temperature, np.array(variances), np.array(exponents), field, squares, potentials)
    averages, slow_squares, slow_potentials = brute_force(temperature, variances, exponents, field, nodes)
    np.testing.assert_allclose(found, averages, atol=tolerance)
    np.testing.assert_allclose(squares, slow_squares, atol=tolerance)
    np.testing.assert_allclose(potentials, slow_potentials, atol=tolerance)


def test_zero_temperature_in_closed_form() -> None:
    """One step at T = 0: the inner average of exp(gamma |y|) is a pair of error functions."""
    v0, v1, gamma, field = 0.4, 0.6, 1.4, 0.3

    def inner(z: mpmath.mpf) -> mpmath.mpf:
        y = field + mpmath.sqrt(v0) * z
        shift = gamma * v1
        plus = mpmath.exp(gamma * y) * mpmath.ncdf((y + shift) / mpmath.sqrt(v1))
        minus = mpmath.exp(-gamma * y) * mpmath.ncdf((shift - y) / mpmath.sqrt(v1))
        return mpmath.log(mpmath.exp(gamma * shift / 2) * (plus + minus)) / gamma

    expected = float(mpmath.quad(lambda z: mpmath.npdf(z) * inner(z), [-9, -3, 0, 3, 9]))
    squares, potentials = np.empty(2), np.empty(2)
    _, response, _, entropy = nested_averages(0.0, np.array([v0, v1]), np.array([gamma]), field, squares, potentials)
    assert potentials[0] == pytest.approx(expected, abs=1e-11)
    assert squares[1] == 1.0
    assert entropy == 0.0
    assert np.isfinite(response)


@pytest.mark.parametrize("temperature", [0.0, 0.3, 0.8])
def test_derivatives_by_finite_differences(temperature: float) -> None:
    variances, exponents, field = np.array([0.1, 0.2, 0.15]), np.array([0.4, 0.9]), 0.25
    squares, potentials = np.empty(3), np.empty(3)

    def potential(v: Array, g: Array, h: float) -> float:
        nested_averages(temperature, v, g, h, squares, potentials)
        return float(potentials[0])

    step = 1e-4
    by_field = (
        (potential(variances, exponents, field + step) - potential(variances, exponents, field - step)) / 2 / step
    )
    by_exponent = []
    for i in range(2):
        shift = step * np.eye(2)[i]
        difference = potential(variances, exponents + shift, field) - potential(variances, exponents - shift, field)
        by_exponent.append(difference / 2 / step)
    # moving variance from step i + 1 to step i changes Phi by (gamma_i - gamma_(i+1)) <Phi_i'^2>/2
    by_variance = []
    for i in range(2):
        shift = step * (np.eye(3)[i] - np.eye(3)[i + 1])
        difference = potential(variances + shift, exponents, field) - potential(variances - shift, exponents, field)
        by_variance.append(difference / 2 / step)
    magnetization, *_ = nested_averages(temperature, variances, exponents, field, squares, potentials)
    assert by_field == pytest.approx(magnetization, abs=1e-8)
    np.testing.assert_allclose(by_exponent, np.diff(potentials) / exponents, atol=1e-8)
    gaps = -np.diff([0.0, *exponents])
    np.testing.assert_allclose(by_variance, 0.5 * gaps * squares[:2], atol=1e-8)
