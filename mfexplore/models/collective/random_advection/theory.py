"""What mean field says of the masses, eqs. (4) and (5), and how all begins from an even field, eqs. (2) and (7)."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import comb

from mfexplore.core import Array
from mfexplore.numerics.kernel import kernel

ORDERS = np.arange(1, 7)  # of the moments


@kernel
def occupation(mixing, returned, inner, found):
    """F of eq. (5) at 1/m = first (1 - mixing)^(-k / inner), k = 0, 1, ...; the first where F = 1/m still holds.

    returned: 1 for the rule *mix*, else 0; inner: steps of the grid for a factor of 1 - mixing. `found` holds the
    first value and is overwritten.
    """
    back = inner * math.log(mixing) / math.log(1.0 - mixing)  # steps of the grid for a factor of mixing
    whole = int(back)
    part = back - whole
    start = found[0]
    grow = (1.0 - mixing) ** (-1.0 / inner)
    for k in range(1, found.size):
        x = start * grow**k
        carried = found[k - inner] if k >= inner else x * (1.0 - mixing)
        left = x * mixing
        if k - whole - 1 >= 0:
            left = (1.0 - part) * found[k - whole] + part * found[k - whole - 1]
        if returned == 1:
            found[k] = left - 0.5 * left * left + carried - 0.5 * carried * carried
        else:
            found[k] = (left + carried) / (1.0 + carried)


def occupied(mixing: float, rule: str, levels: Array) -> Array:
    """F_k of mean field at any levels (real), from eq. (5) upwards from masses so large that nobody has them."""
    inner = max(1, math.ceil(mixing / 0.004))
    first = 1e-4 * mixing
    wanted = -np.log(mixing) * (np.asarray(levels) + 0.5)  # ln 1/m
    step = -math.log1p(-mixing) / inner
    found = np.empty(math.ceil((wanted.max() - math.log(first)) / step) + 2)
    found[0] = first
    occupation(mixing, int(rule == "mix"), inner, found)
    grid = math.log(first) + step * np.arange(found.size)
    return np.asarray(np.interp(wanted, grid, found))


def mean_field_moments(a: float, b: float) -> Array:
    """Eq. (4) for all `ORDERS`; NaN where nothing stays behind, and they grow for ever."""
    if a == 1:
        return np.full(len(ORDERS), np.nan)
    found = np.ones(len(ORDERS) + 1)
    for n in ORDERS[1:]:
        j = np.arange(1, n)
        gain = comb(n, j) * found[j] * found[n - j] * ((1 - a) ** j * b ** (n - j) + (1 - b) ** j * a ** (n - j))
        found[n] = 0.5 * gain.sum() / (1 - 0.5 * ((1 - a) ** n + a**n + (1 - b) ** n + b**n))
    return found[1:]


def _decay(s: Array, rate: float) -> Array:
    """The root below one of s = rate (root + 1/root - 2)."""
    return 2 * rate / (2 * rate + s + np.sqrt(s) * np.sqrt(s + 4 * rate))


def square_in_time(s: Array, n: int, x: float, y: float, w: float) -> Array:
    """Transform of C_0 of eq. (2): C_r = 1/s + B (decay^r + decay^(n - r)) for r >= 1."""
    decay = _decay(s, w)
    near, far = 1 + decay**n, decay + decay ** (n - 1)
    source = 2 * y / s - 2 * x * (1 + 4 * y / s) / (s + 4 * x)
    amplitude = source / (8 * x * y * far / (s + 4 * x) - 2 * y * far - w * (near - far))
    return (1 + 4 * y * (1 / s + amplitude * far)) / (s + 4 * x)


def lumps_in_time(s: Array, n: int) -> Array:
    """Eq. (7)."""
    decay = _decay(s, 2.0)
    return (1 - (decay - decay ** (2 * n - 1)) / (1 - decay ** (2 * n))) / s
