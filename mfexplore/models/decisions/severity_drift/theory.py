"""Severity drift: the law, its moments and passage times by panels in the logit, and the chain of cells in time."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np
from scipy.linalg import eigh_tridiagonal
from scipy.special import expit, log_expit, logit, logsumexp

from mfexplore.core import Array
from mfexplore.families.fokker_planck import gauss_points, hops, log_integrals, log_passage_times, panel_integrals

LEFT, RIGHT = -40.0, 40.0  # logits beyond which the law is a bare power
LOW, HIGH = -5.0, 4.0  # logits between which it may be anything
OUTWARDS = 2.0 ** -np.arange(8.0)  # beyond, panels double in length
CELLS = 160


class Rates(NamedTuple):
    """alpha, beta, gamma and sigma_0^2 of eq. (1): numbers, or arrays of one shape."""

    reinforcement: Any
    correction: Any
    feed: Any
    noise: Any


def exponents(alpha: Any, beta: Any, gamma: Any, noise: Any) -> tuple[Any, Any, Any]:
    """a, b, c of eq. (3)."""
    return 2 * gamma / noise, 2 * (beta - gamma) / noise, 2 * (alpha + beta) / noise


def rest(alpha: Any, beta: Any, gamma: Any) -> tuple[Any, Any]:
    """(x*, Delta) of eq. (2), without cancellation for any sign."""
    slope = np.sqrt(alpha**2 + 4 * (alpha + beta) * gamma)
    positive = (alpha + slope) / (2 * np.where(alpha > 0, alpha + beta, 1.0))
    return np.where(alpha > 0, positive, 2 * gamma / np.where(alpha > 0, 1.0, slope - alpha)), slope


def stationary(rates: Rates, start: float, threshold: float) -> tuple[Array, Array, Array, Array]:
    """(mean, variance, fraction above, passage time) after eqs. (3) and (5), each of shape (n,) as the rates are."""
    a, b, c = (column[:, None, None] for column in exponents(*rates))
    low, high = logit(start), logit(threshold)
    probe = expit(np.linspace(LOW, HIGH, 46))
    steepest = np.abs(a * (1 - probe) - b * probe + c * probe * (1 - probe)).max()
    longest = min(0.5, 4 / steepest)
    pieces = [
        np.linspace(one, other, max(2, math.ceil((other - one) / longest) + 1))
        for one, other in ((LOW, low), (low, high), (high, HIGH))
    ]
    left, right = LOW + (LEFT - LOW) * OUTWARDS, (HIGH + (RIGHT - HIGH) * OUTWARDS)[::-1]
    first = len(left) + len(pieces[0]) - 1  # the edge at the start, and that at the threshold
    last = first + len(pieces[1]) - 1
    s, half = gauss_points(np.concatenate([left, pieces[0], pieces[1][1:], pieces[2][1:], right]))
    x = expit(s)
    weight = a * log_expit(s) + b * log_expit(-s) + c * x
    before = a[:, 0, 0] * LEFT - np.log(a[:, 0, 0])
    after = b[:, 0, 0] * -RIGHT + c[:, 0, 0] - np.log(b[:, 0, 0])
    below = log_integrals(weight, half, before)
    total = np.logaddexp(below[:, -1], after)
    share = np.exp(weight - total[:, None, None])
    at_0, at_1 = np.exp(before - total), np.exp(after - total)
    mean = panel_integrals(share * x, half).sum(axis=-1) + at_1
    spread = panel_integrals(share * (x - mean[:, None, None]) ** 2, half).sum(axis=-1)
    variance = spread + at_0 * mean**2 + at_1 * (1 - mean) ** 2
    above = panel_integrals(share[:, last:], half[last:]).sum(axis=-1) + at_1
    log_length = log_expit(s) + log_expit(-s)
    climbs = log_passage_times(weight[:, :last], log_length[:last], weight[:, :last], half[:last], before)
    passage = np.exp(logsumexp(climbs[:, first:], axis=-1)) * 2 / rates.noise
    return mean, variance, above, passage


class Cells(NamedTuple):
    """The Fokker-Planck equation as a chain of cells. All of shape (n,), but edges (n + 1,)."""

    edges: Array
    up: Array
    down: Array
    mass: Array  # stationary; its sum is 1
    mean: Array  # of x and of x^2 in a cell
    square: Array

    def at(self, x: float) -> Array:
        """All mass at x: in two neighbours, so that the mean is x."""
        k = int(np.clip(np.searchsorted(self.mean, x) - 1, 0, len(self.mean) - 2))
        share = np.clip((x - self.mean[k]) / (self.mean[k + 1] - self.mean[k]), 0.0, 1.0)
        mass = np.zeros(len(self.mean))
        mass[k], mass[k + 1] = 1 - share, share
        return mass

    @property
    def slowest(self) -> float:
        """Time in which the last deviation from the stationary law decays: one over the gap of the generator."""
        last = (CELLS - 2, CELLS - 2)  # of the eigenvalues, after the 0 of the stationary law
        gap = eigh_tridiagonal(
            -self.up - self.down,
            np.sqrt(self.up[:-1] * self.down[1:]),
            eigvals_only=True,
            select="i",
            select_range=last,
        )
        return float(-1 / gap[0])

    def share_above(self, mass: Array, x: float) -> float:
        """Mass above x, as if it were spread evenly over a cell."""
        return float(np.interp(x, self.edges, np.concatenate([[1.0], 1 - np.cumsum(mass)])))


def log_law(rates: Rates, logits: Array) -> Array:
    """Logarithm of x^a (1-x)^b e^(cx), which is the stationary law of the logit, but for its norm."""
    a, b, c = exponents(*rates)
    return np.asarray(a * log_expit(logits) + b * log_expit(-logits) + c * expit(logits))


def cells(rates: Rates, end: float = 1.0) -> Cells:
    """The chain on [0, end], its cells denser towards both ends. Below 1 the end absorbs."""
    edges = end * np.sin(np.linspace(0, np.pi / 2, CELLS + 1)) ** 2
    middle = end * np.sin((np.arange(CELLS) + 0.5) * np.pi / 2 / CELLS) ** 2
    inner = logit(edges[1:-1] if end == 1 else edges[1:])
    left = inner[0] + (LEFT - inner[0]) * OUTWARDS
    right = inner[-1] + (RIGHT - inner[-1]) * OUTWARDS[::-1] if end == 1 else np.empty(0)
    s, half = gauss_points(np.concatenate([left, inner, right]))
    a, b, _ = exponents(*rates)
    weight, x = log_law(rates, s), expit(s)
    highest = weight.max(axis=1)
    parts = panel_integrals(np.exp(weight - highest[:, None]) * np.stack([np.ones_like(x), x, x * x]), half)
    first = np.array([0, *range(len(left), len(left) + CELLS - 1)])  # panel of each cell
    top = np.maximum.reduceat(highest, first)
    parts *= np.exp(highest - np.repeat(top, np.diff(first, append=len(half))))
    parts[0, 0] += np.exp(a * LEFT - top[0]) / a
    if end == 1:
        parts[:, -1] += np.exp(log_law(rates, np.array(RIGHT)) - top[-1]) / b
    mass, mean, square = np.add.reduceat(parts, first, axis=1)
    log_mass = top + np.log(mass)
    phi, width, gap = log_law(rates, logit(middle)), np.diff(edges), np.diff(middle)
    diffusion = rates.noise / 2 * width * np.exp(phi - log_mass)
    if end < 1:  # one more, of which only the place matters
        phi, gap = np.append(phi, log_law(rates, logit(end))), np.append(gap, end - middle[-1])
        diffusion, width = np.append(diffusion, 1.0), np.append(width, 1.0)
    up, down = hops(np.diff(phi), diffusion, width, gap)
    return Cells(edges, up[:CELLS], down[:CELLS], np.exp(log_mass - logsumexp(log_mass)), mean / mass, square / mass)
