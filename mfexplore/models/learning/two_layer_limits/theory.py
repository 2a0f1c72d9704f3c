"""Activations, what a network of many random units keeps of a teacher, and the best linear model."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
from scipy.special import erf

from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.message_passing.channels import sign_channel
from mfexplore.families.ridge.spectrum import Spectrum
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import kernel

EQUIVALENT, PROCESS = range(2)  # as in `methods`
ACTIVATIONS = {"relu": "ReLU", "erf": "erf", "tanh": "tanh", "sign": "sign"}
DEGREES = 8  # Hermite coefficients that are told apart; the rest is noise, and overlaps of inputs are small


class Activation(NamedTuple):
    """Hermite coefficients c_0 ... c_DEGREES, and the variance of all that is of higher degree."""

    coefficients: Array
    beyond: float

    @property
    def nonlinear(self) -> float:
        """The variance of all but the linear part."""
        return float(np.sum(self.coefficients[2:] ** 2)) + self.beyond


def respond(activation: str, field: Array) -> Array:
    if activation == "relu":
        return np.maximum(field, 0)
    if activation == "erf":
        return np.asarray(erf(field / math.sqrt(2)))
    return np.tanh(field) if activation == "tanh" else np.sign(field)


def slope(activation: str, field: Array) -> Array:
    """Derivative of the activation; of a sign, that of a smooth step like it, without which it could not learn."""
    if activation == "relu":
        return (field > 0).astype(float)
    if activation == "erf":
        return np.asarray(math.sqrt(2 / math.pi) * np.exp(-0.5 * field**2))
    return 1 / np.cosh(np.clip(field, -300, 300)) ** 2


@cache
def hermite_rule() -> tuple[Array, Array]:
    """Nodes on both half-lines, shape (n,), and weights for normal averages times h_k there, (n, DEGREES + 1)."""
    z, weight = gauss_legendre(60, (-9, 0, 9))
    density = weight * np.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    columns = [np.ones_like(z), z]
    for k in range(1, DEGREES):
        columns.append((z * columns[k] - math.sqrt(k) * columns[k - 1]) / math.sqrt(k + 1))
    return z, density[:, None] * np.stack(columns, axis=1)


@cache
def expansion(activation: str) -> Activation:
    z, weighted = hermite_rule()
    values = respond(activation, z)
    coefficients = values @ weighted
    coefficients[np.abs(coefficients) < 1e-14] = 0.0
    return Activation(coefficients, float(values**2 @ weighted[:, 0] - np.sum(coefficients**2)))


@kernel
def fill_information(rho, out):
    """What a sign tells about its field, J of the sign channel."""
    for i in range(rho.size):
        out[i] = sign_channel(rho[i])[0]


def effective_ridges(examples: Array, noise: Array, spectrum: Spectrum) -> tuple[Array, Array]:
    """The effective ridge of the Bayes-optimal student of signs, and the residual of its equation. All of shape (n,).

    noise: all that adds to the field and no direction explains; positive.
    """
    values, power = spectrum.eigenvalues, spectrum.power

    def excess(log_kappa: Array, k: Array) -> Array:
        kappa = np.exp(log_kappa)
        missed = (kappa[:, None] / (values + kappa[:, None])) @ power
        width, information = missed + noise[k], np.empty(k.size)
        fill_information((power.sum() - missed) / width, information)
        return np.asarray(log_kappa + np.log(examples[k] * information / width))

    total = power.sum() + noise
    low, high = np.log(1e-3 * noise / examples), np.log(10 * total / examples)  # J lies between 0 and 2 / pi
    root = bracketed_roots(excess, low, high)
    return np.exp(root), np.abs(excess(root, np.arange(root.size)))
