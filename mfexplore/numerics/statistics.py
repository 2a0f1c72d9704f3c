"""Errors of averages over correlated samples, and averages at temperatures that were not simulated."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def autocorrelation_time(series: Array, window: float = 6.0) -> float:
    """Integrated autocorrelation time of a stationary series, in steps: n / (2 tau) values count as independent.

    The sum over lags stops at `window` times the result (Sokal 1997). At least 0.5, which means no correlation.
    """
    deviation = np.asarray(series, np.float64) - np.mean(series)
    n = len(deviation)
    length = 1 << (2 * n - 1).bit_length()
    spectrum = np.abs(np.fft.rfft(deviation, length)) ** 2
    correlation = np.fft.irfft(spectrum)[:n]
    if correlation[0] <= 0.0:
        return 0.5
    summed = 0.5 + np.cumsum(correlation[1:] / correlation[0])
    enough = np.flatnonzero(np.arange(1, n) >= window * summed)
    return float(max(0.5, summed[enough[0]] if enough.size else summed[-1]))


def leave_one_out(samples: Array) -> Array:
    """Means over all samples and over all but one: shape (n, ...) becomes (1 + n, ...), the full mean first."""
    total = samples.sum(axis=0)
    n = len(samples)
    return np.concatenate([total[None] / n, (total - samples) / (n - 1)])


def jackknife(estimates: Array) -> tuple[Array, Array]:
    """(value, standard error) of a function of means, given its values at the rows of `leave_one_out`."""
    value, folds = estimates[0], estimates[1:]
    spread = folds - folds.mean(axis=0)
    return value, np.sqrt((len(folds) - 1) * np.mean(spread**2, axis=0))


def reweighted(energies: Array, values: Array, shifts: Array) -> Array:
    """Averages of `values` at inverse temperatures shifted from that of the simulation (Ferrenberg and Swendsen 1988).

    Args:
        energies: total energies, shape (n,). values: shape (k, n). shifts: beta' - beta, shape (m,).

    Returns shape (k, m). Only good as long as |shift| times the spread of the energies is not much above 1.
    """
    exponent = -np.multiply.outer(shifts, energies - energies.mean())
    weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
    weight /= weight.sum(axis=1, keepdims=True)
    return np.asarray(values @ weight.T)
