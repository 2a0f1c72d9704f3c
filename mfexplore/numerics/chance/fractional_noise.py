r"""Fractional Gaussian noise: the increments of fractional Brownian motion, with correlations that last.

Numbers of variance one with the correlation $\rho(k)=\frac12(|k+1|^{2H}-2|k|^{2H}+|k-1|^{2H})$: white noise for
$H=\frac12$ and falls as $H(2H-1)k^{2H-2}$ else. They are drawn by circulant embedding (Davies and Harte 1987): a period
of twice the length has exactly these correlations over the length, and its modes are independent.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def correlation(hurst: float, lags: NDArray[np.int64] | int) -> Floats:
    """Rho at all lags 0 .. lags - 1 (an int), or at the lags given (an array, of which the shape is kept).

    hurst: in (0, 1).
    """
    k = np.abs(np.arange(lags) if isinstance(lags, int) else lags).astype(float)
    power = 2 * hurst
    near = 0.5 * ((k + 1) ** power - 2 * k**power + np.abs(k - 1) ** power)
    with np.errstate(divide="ignore", invalid="ignore"):  # far away the differences cancel: the first terms of a series
        far = hurst * (power - 1) * k ** (power - 2) * (1 + (power - 2) * (power - 3) / (12 * k * k))
    return np.asarray(np.where(k > 1e4, far, near))


def fractional_noise(hurst: float, length: int, rows: int, rng: np.random.Generator) -> Floats:
    """Independent rows of such noise, shape (rows, length). O(length log length) each.

    hurst: from 1/2 up to below 1 (below 1/2 the same method works, but nobody asked for it).
    """
    if hurst == 0.5 or length == 1:
        return rng.standard_normal((rows, length))
    period = 2 * length
    rho = correlation(hurst, length + 1)
    power = np.fft.rfft(np.concatenate([rho, rho[-2:0:-1]])).real  # never negative for these correlations
    scale = np.sqrt(np.maximum(power, 0.0) * period)
    modes = rng.standard_normal((rows, 2, length + 1))
    modes[:, :, 1:-1] *= np.sqrt(0.5)
    modes[:, 1, [0, -1]] = 0.0
    modes *= scale
    return np.asarray(np.fft.irfft(modes[:, 0] + 1j * modes[:, 1], period)[:, :length])
