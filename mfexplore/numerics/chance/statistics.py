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


class BlockAverages:
    """Averages of n quantities over the later half of a run, with standard errors from the means of blocks of time.

    Neighbouring blocks are joined when there are BLOCKS of them: they grow with the run, beyond every correlation time,
    and the start is forgotten.
    """

    BLOCKS = 32

    def __init__(self, n: int) -> None:
        self._sums, self._weights = np.zeros((2, self.BLOCKS, n))
        self._length, self._added = 1, 0

    def add(self, values: Array, weights: Array | float = 1.0) -> None:
        """One more sample, shape (n,); weights: how much each value counts, 0 where there is none."""
        block = self._added // self._length
        if block == self.BLOCKS:
            for table in (self._sums, self._weights):
                table[: self.BLOCKS // 2] = table[::2] + table[1::2]
                table[self.BLOCKS // 2 :] = 0.0
            self._length *= 2
            block //= 2
        self._sums[block] += values * weights
        self._weights[block] += weights
        self._added += 1

    def mean_and_error(self) -> tuple[Array, Array]:
        """Both of shape (n,), NaN where nothing was added, or too little to tell an error."""
        whole = self._added // self._length
        sums, weights = self._sums[whole // 2 : whole], self._weights[whole // 2 : whole]
        with np.errstate(divide="ignore", invalid="ignore"):
            mean = sums.sum(axis=0) / weights.sum(axis=0)
            share = weights / weights.sum(axis=0)
            count = (weights > 0).sum(axis=0)
            square = np.sum(share**2 * (sums / np.where(weights > 0, weights, 1.0) - mean) ** 2, axis=0)
            error = np.sqrt(square * count / (count - 1))
        return mean, np.where(count > 1, error, np.nan)


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


def reweighting(energies: Array, shifts: Array, reference: float) -> Array:
    """Weights that turn averages into those at shifted inverse temperatures (Ferrenberg and Swendsen 1988).

    Only good as long as |shift| times the spread of the energies is not much above 1.

    Args:
        energies: total energies, shape (n,). shifts: beta' - beta, shape (m,). reference: an energy near their mean,
            the same for all runs that are averaged together.

    Returns shape (m, n).
    """
    return np.asarray(np.exp(np.clip(-np.multiply.outer(shifts, energies - reference), -300, 300)))
