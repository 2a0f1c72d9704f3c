"""Two layers of units that see only each other: restricted Boltzmann machines.

Given one layer, the units of the other are independent, so that a whole layer is drawn at once: a sweep of alternating
Gibbs sampling costs two products with the matrix of weights, for any number of chains in one go. These are BLAS
products, on the calling thread.

    hidden = ising_units(chains @ weights, temperature, rng)
    chains = ising_units(hidden @ weights.T, temperature, rng)
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32 or float64

BITS = 14  # units of the smaller layer whose states are all summed over, at most


def ising_units(fields: Floats, temperature: float, rng: np.random.Generator) -> Floats:
    """Units of -1 and +1 in equilibrium with their fields, of the shape and type of these. temperature: > 0."""
    up = np.tanh(fields / fields.dtype.type(temperature))  # twice the chance of +1, minus one
    up += 1
    units = np.where(2 * rng.random(fields.shape, fields.dtype) < up, 1, -1)
    return units.astype(fields.dtype)


def gaussian_units(fields: Floats, stiffness: float, temperature: float, rng: np.random.Generator) -> Floats:
    """Real units x of the energy stiffness x^2/2 - field x in equilibrium, of the shape and type of the fields."""
    noise = rng.standard_normal(fields.shape, fields.dtype)
    noise *= fields.dtype.type(np.sqrt(temperature / stiffness))
    noise += fields / fields.dtype.type(stiffness)
    return noise


def log_two_cosh(x: Floats) -> Floats:
    """ln(2 cosh x), element by element, for any x."""
    size = np.abs(x)
    return np.asarray(size + np.log1p(np.exp(-2 * size)))


def all_states(bits: int) -> NDArray[np.float64]:
    """All states of a few units of -1 and +1, shape (2^bits, bits)."""
    ups: NDArray[np.float64] = ((np.arange(2**bits)[:, None] >> np.arange(bits)) & 1).astype(np.float64)
    return 2 * ups - 1


def log_weights(weights: Floats, visible_bias: Floats, hidden_bias: Floats, visible: Floats) -> NDArray[np.float64]:
    """Logarithm of the weight of visible states, with hidden Ising units summed over, at temperature one:
    a.v + sum_a ln 2cosh(b_a + (v W)_a), shape (n,) for states of shape (n, N_v).
    """
    fields = np.asarray(visible, np.float64) @ weights + hidden_bias
    found: NDArray[np.float64] = visible @ visible_bias + log_two_cosh(fields).sum(axis=-1)
    return found


def log_partition(weights: Floats, visible_bias: Floats, hidden_bias: Floats) -> float:
    """Ln Z of two layers of Ising units at temperature one, exactly: a sum over all states of the smaller layer, which
    may have up to `BITS` units, of which each gives the other layer in closed form. Raises ValueError if it has more.
    """
    if weights.shape[0] < weights.shape[1]:
        return log_partition(weights.T, hidden_bias, visible_bias)
    if weights.shape[1] > BITS:
        raise ValueError(f"{weights.shape[1]} units are too many for a sum over their states; at most {BITS}")
    logs = log_weights(weights.T, hidden_bias, visible_bias, all_states(weights.shape[1]))
    top = logs.max()
    return float(top + np.log(np.exp(logs - top).sum()))
