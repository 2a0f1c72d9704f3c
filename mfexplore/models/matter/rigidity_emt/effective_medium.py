"""Theory of the triangular spring network: contacts of a growing gel, and the effective spring of a diluted lattice."""

from __future__ import annotations

import cmath
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import kernel

Array = NDArray[Any]

COORDINATION = 6
SHARE_LOST = 2 / 3  # h without inertia: degrees of freedom per bond of the whole lattice, 2d/z
SIDE = 64  # of the grid of wave vectors
LONGEST = 0.005  # step of the filling
SEVEN_SITES, PAIR = range(2)  # as in `methods`

# The states of the six sites around one are the bits of a whole number; its contacts, and what three in a row are.
RING = np.arange(64)
CONTACTS = np.array([int(ring).bit_count() for ring in RING])
THREE = np.stack([sum((RING >> (k + m) % 6 & 1) << m for m in range(3)) for k in range(6)], axis=1)


@kernel
def seven_site_slopes(p, accepted, contacts, three, out):
    """Derivatives of the probabilities p[centre, ring] with the filling, to `out`; returns the mean acceptance.

    An empty centre is filled with the probability `accepted[contacts]`. A site of the ring has three more neighbours
    that are not seen: they are as around an empty centre that has the same three in a row on its ring.
    """
    rate, seen = np.zeros(8), np.zeros(8)
    total = 0.0
    for ring in range(64):
        weight = p[0, ring]
        gain = weight * accepted[contacts[ring]]
        total += gain
        for k in range(6):
            rate[three[ring, k]] += gain
            seen[three[ring, k]] += weight
        out[0, ring], out[1, ring] = -gain, gain
    for row in range(8):
        rate[row] = rate[row] / seen[row] if seen[row] > 0.0 else 0.0
    for ring in range(64):
        for k in range(6):
            if ring >> k & 1 == 0:
                beside = (ring >> (k + 5) % 6 & 1) | (ring >> (k + 1) % 6 & 1) << 2
                for centre in range(2):
                    flow = p[centre, ring] * rate[beside | centre << 1]
                    out[centre, ring] -= flow
                    out[centre, ring | 1 << k] += flow
    for ring in range(64):
        out[0, ring] /= total
        out[1, ring] /= total
    return total


@kernel
def pair_slope(bonds, filling, attraction):
    """Derivative of the bonds per site with the filling, eq. (3)."""
    x = (6.0 * filling - 2.0 * bonds) / (6.0 * (1.0 - filling))
    return 6.0 * x / (1.0 - attraction * (1.0 - x))


@kernel
def mean_contacts(attraction, fillings, contacts, three, out):
    """Mean contacts of a filled site of the gel, by both closures: out, shape (2, n), at n sorted fillings.

    Runge and Kutta's method from an empty lattice; the steps are as short as the fastest filling of a hole asks for.
    """
    accepted = np.empty(7)
    for n in range(7):
        accepted[n] = (1.0 - attraction) ** (6 - n)
    p, trial, slope, summed = np.zeros((2, 64)), np.zeros((2, 64)), np.zeros((2, 64)), np.zeros((2, 64))
    p[0, 0] = 1.0
    bonds, filling = 0.0, 0.0
    for place in range(fillings.size):
        goal = fillings[place]
        while filling < min(goal, 1.0 - 1e-9):
            step = min(LONGEST, goal - filling, 0.25 * (1.0 - filling))
            ahead, weight = 0.0, 1.0
            pair = pairs = 0.0
            for stage in range(4):
                for centre in range(2):
                    for ring in range(64):
                        trial[centre, ring] = p[centre, ring] + ahead * slope[centre, ring]
                fastest = seven_site_slopes(trial, accepted, contacts, three, slope)
                if stage == 0:
                    step = min(step, fastest)
                pair = pair_slope(bonds + ahead * pair, filling + ahead, attraction)
                pairs += weight * pair
                for centre in range(2):
                    for ring in range(64):
                        summed[centre, ring] = weight * slope[centre, ring] + (summed[centre, ring] if stage else 0.0)
                ahead = step if stage == 2 else 0.5 * step
                weight = 1.0 if stage == 2 else 2.0
            for centre in range(2):
                for ring in range(64):
                    p[centre, ring] += step / 6.0 * summed[centre, ring]
            bonds += step / 6.0 * pairs
            filling = goal if step == goal - filling else filling + step
        both = 0.0
        for ring in range(64):
            both += p[1, ring] * contacts[ring]
        out[0, place] = both / filling if filling > 0.0 else 0.0
        out[1, place] = 2.0 * bonds / filling if filling > 0.0 else 0.0


def gel_contacts(attraction: Array, filling: Array) -> Array:
    """Mean contacts at pairs of attraction and filling, shape (n,) each, by both closures: shape (n, 2)."""
    out = np.empty((len(filling), 2))
    kinds, kind = np.unique(attraction, return_inverse=True)
    for k, one in enumerate(kinds):
        rows = np.flatnonzero(kind == k)
        levels, level = np.unique(filling[rows], return_inverse=True)
        found = np.empty((2, len(levels)))
        mean_contacts(one, levels, CONTACTS, THREE, found)
        out[rows] = found[:, level].T
    return out


@lru_cache(maxsize=4096)
def isostatic_filling(attraction: float, closure: int) -> float:
    """Filling at which the contacts of the gel are four on average."""
    low, high = 0.0, 0.7
    for _ in range(3):
        levels = np.linspace(low, high, 97)
        found = gel_contacts(np.full(97, attraction), levels)[:, closure]
        k = int(np.clip(np.searchsorted(found, 4.0), 1, 96))
        low, high = levels[k - 1], levels[k]
    return float(np.interp(4.0, found, levels))


@lru_cache(maxsize=1)
def modes() -> tuple[Array, Array]:
    """Squared frequencies of the whole lattice on the grid of wave vectors, and the share of each."""
    angle = 2 * np.pi * np.arange(SIDE) / SIDE
    a, b = np.meshgrid(angle, angle)
    stiffness = np.stack([2 - 2 * np.cos(a), 2 - 2 * np.cos(b), 2 - 2 * np.cos(b - a)])
    turn = np.exp(2j * np.pi / 3 * np.arange(3))
    split = np.abs(np.tensordot(turn, stiffness, axes=1))
    total = stiffness.sum(axis=0)
    values = np.round(np.concatenate([total - split, total + split]).ravel() / 2, 12)
    kept, place = np.unique(values, return_inverse=True)
    return kept, np.bincount(place) / len(values)


@kernel
def effective_springs(share, weak, square, values, weights, out):
    """k_m of eqs. (4) and (5), written with the residual to out, complex of shape (2, n).

    share, weak: of shape (n,); square: omega and eta, shape (2, n). The spring is an analytic function of the frequency
    in the upper half plane, so Newton's method follows it from strong damping down to eta, along its power of s; there
    is no other way to know which root is meant.
    """
    for i in range(share.size):
        p, w = share[i], weak[i]
        mean = p + (1.0 - p) * w
        k = complex(mean, 0.0)
        gap = 0.0j
        more, power = 4.0, 0.0j
        s = complex(square[0, i], square[1, i] + more) ** 2
        while True:
            more = 0.4 * more if more > 0.1 * (square[0, i] + square[1, i]) else 0.0
            before, s = s, complex(square[0, i], square[1, i] + more) ** 2
            k *= cmath.exp(power * cmath.log(s / before))
            for _ in range(60 if more == 0.0 else 3):
                z = s / k
                a, b = z.real, z.imag
                h, hi, slope, slope_i = 0.0, 0.0, 0.0, 0.0
                for m in range(values.size):
                    away = values[m] - a
                    size = 1.0 / (away * away + b * b)
                    x, y = away * size, b * size
                    part = weights[m] * values[m]
                    h += part * x
                    hi += part * y
                    slope += part * (x * x - y * y)
                    slope_i += part * 2.0 * x * y
                lost = complex(h, hi) * (2.0 / 3.0)
                by_s = complex(slope, slope_i) * (2.0 / 3.0) * (1.0 + w - k - w / k) / k
                by_k = 1.0 - lost + w * lost / (k * k) - by_s * z
                gap = (1.0 - lost) * k - mean + lost * (1.0 + w) - w * lost / k
                change = gap / by_k
                power = -by_s / by_k * z
                k -= change
                if abs(change) <= 1e-14 * abs(k) or abs(gap) <= 1e-14:
                    break
            if more == 0.0:
                break
        out[0, i], out[1, i] = k, gap
