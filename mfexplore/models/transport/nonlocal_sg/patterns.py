"""Linear growth and stationary patterns of two populations on a ring of length 1, both of density 1.

In a pattern that repeats n times both populations have the same shape. Either they are at the same places
(*together*), or each is in the middle between two peaks of the other (*apart*): then the k-th harmonic of one is
(-1)^k times that of the other. So one density u(y) over a period is left, in a potential
p = 2 sum_k g_k m_k cos 2 pi k y of its own moments m_k = <cos 2 pi k y>, with g_k the transform of the kernel at the
wave number n k times the coupling of that harmonic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfexplore.core import Array

MODES = np.arange(1, 13)  # how often a pattern may repeat
HARMONICS, PLACES = 32, 192  # of a period
TOGETHER, APART = 0, 1
_PLACE = np.arange(PLACES) / PLACES
COSINES = np.cos(2 * np.pi * np.outer(np.arange(2 * HARMONICS + 1), _PLACE))
_SUM = np.add.outer(np.arange(1, HARMONICS + 1), np.arange(1, HARMONICS + 1))
_DIFFERENCE = np.abs(np.subtract.outer(np.arange(1, HARMONICS + 1), np.arange(1, HARMONICS + 1)))
WARM, NEWTON = 40, 40  # steps


def transform(kernel: str, reach: Array, mode: Array) -> Array:
    """Fourier coefficient of the kernel: of a top hat of half width `reach` and weight 1, or of cos 2 pi x."""
    if kernel == "cosine":
        return np.where(np.abs(mode) == 1, 0.5, 0.0) + 0 * reach
    return np.sinc(2 * mode * reach)


class Fastest(NamedTuple):
    """The mode that grows fastest; arrays of shape (n,). kind: TOGETHER or APART; coupling: of its first harmonic;
    second: rate of the next one.
    """

    rate: Array
    second: Array
    mode: Array
    kind: Array
    coupling: Array


def growth(noise: Array, couplings: Array, kernel: str, reach: Array) -> Array:
    """Growth rates of all modes, shape (n, kinds, modes), from the couplings of the kinds, shape (n, kinds)."""
    weight = transform(kernel, reach[:, None], MODES)
    found = noise[:, None, None] + couplings[:, :, None] * weight[:, None, :]
    return np.asarray(-((2 * np.pi * MODES) ** 2) * found)


def fastest(noise: Array, couplings: Array, kernel: str, reach: Array) -> Fastest:
    rates = growth(noise, couplings, kernel, reach).reshape(len(noise), -1)
    best = rates.argmax(axis=1)
    kind, mode = np.divmod(best, MODES.size)
    rows = np.arange(len(noise))
    second = np.partition(rates, -2, axis=1)[:, -2]
    return Fastest(rates[rows, best], second, MODES[mode], kind, couplings[rows, kind])


class Pattern(NamedTuple):
    """Stationary states; arrays of shape (n, ...). moments: m_1, ...; density over a period, its peak first;
    free_energy: of both populations, less that of the homogeneous state.
    """

    moments: Array
    density: Array
    free_energy: Array
    residual: Array


def pattern(noise: Array, strengths: Array) -> Pattern:
    """The pattern in the potential of its own moments, by damped iteration from a sharp peak and then Newton's rule.

    noise: shape (n,); strengths: g_k, shape (n, HARMONICS).
    """
    waves = COSINES[1 : HARMONICS + 1]
    m = 0.9 ** (np.arange(1, HARMONICS + 1) ** 2) * np.ones_like(strengths)
    pull = -2 * strengths / noise[:, None]

    def moments(m: Array) -> tuple[Array, Array]:
        exponent = (pull * m) @ waves
        weight = np.exp(exponent - exponent.max(axis=1, keepdims=True))
        density = weight / weight.mean(axis=1, keepdims=True)
        return density, density @ COSINES.T / PLACES

    for _ in range(WARM):
        m = 0.5 * (m + moments(m)[1][:, 1 : HARMONICS + 1])
    unit = np.eye(HARMONICS)
    for _ in range(NEWTON):
        density, all_moments = moments(m)
        mean = all_moments[:, 1 : HARMONICS + 1]
        gap = mean - m
        if np.abs(gap).max(initial=0) < 1e-14:
            break
        spread = 0.5 * (all_moments[:, _SUM] + all_moments[:, _DIFFERENCE]) - mean[:, :, None] * mean[:, None, :]
        step = np.linalg.solve(unit - spread * pull[:, None, :], gap[..., None])[..., 0]
        far = np.abs(step).max(axis=1, keepdims=True)
        m = m + step * np.minimum(1.0, 0.2 / np.maximum(far, 1e-300))
    density, all_moments = moments(m)
    residual = np.abs(all_moments[:, 1 : HARMONICS + 1] - m).max(axis=1, initial=0)
    exponent = (pull * m) @ waves
    top = exponent.max(axis=1)
    log_z = top + np.log(np.exp(exponent - top[:, None]).mean(axis=1))
    free_energy = -2 * (strengths * m * m).sum(axis=1) - 2 * noise * log_z
    return Pattern(m, density, free_energy, residual)


def strengths(found: Fastest, couplings: Array, kernel: str, reach: Array) -> Array:
    """g_k of the pattern of the fastest mode, shape (n, HARMONICS); couplings: of the two kinds, shape (n, 2)."""
    k = np.arange(1, HARMONICS + 1)
    rows = np.arange(len(found.mode))[:, None]
    kind = np.where(found.kind[:, None] == APART, k % 2, TOGETHER)
    return np.asarray(couplings[rows, kind] * transform(kernel, reach[:, None], found.mode[:, None] * k))
