r"""Phase oscillators, with couplings of any kind and noise:

$$\dot\theta_i=\omega_i+T_i(\theta)+\sqrt{2D}\,\xi_i(t)$$

A coupling is a kernel that writes the torques from the sines and cosines of all phases; `heun_of(coupling)` makes the
kernel that advances such oscillators. A system with a coupling of its own (on a ring, on a graph) writes that kernel.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array, Axis, Field, Measured
from mfexplore.numerics.chance.random import fill_normal
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.functions.elementary import sincos
from mfexplore.numerics.kernel import inline_kernel, kernel

STARTS = ("incoherent", "coherent")
SMALL_TURN = 0.06


class Oscillators(NamedTuple):
    """Phases, natural frequencies, sine and cosine of the phases, all of shape (n,), and room for a step."""

    theta: Array
    omega: Array
    sine: Array
    cosine: Array
    first: Array
    second: Array
    kick: Array  # of even length


def start(word: str, omega: Array, rng: np.random.Generator) -> Oscillators:
    """Oscillators of natural frequencies omega with phases anywhere on the circle, or all 0 ("coherent")."""
    n = len(omega)
    theta = np.zeros(n) if word == "coherent" else rng.random(n) * 2 * np.pi
    return Oscillators(theta, omega, np.sin(theta), np.cos(theta), np.empty(n), np.empty(n), np.zeros(n + n % 2))


def heun_of(couple: Callable[..., None]) -> Callable[..., None]:
    """Kernel (oscillators, coupling, noise, step, steps, stream): Heun's method, of second order also with this noise.

    couple: kernel (sine, cosine, coupling, torque) that writes the torques; `coupling` may be whatever it needs. Phases
    are not wrapped.
    """

    @kernel
    def heun(oscillators, coupling, noise, step, steps, stream):
        theta, omega, sine, cosine, torque, later_torque, kick = oscillators
        strength = math.sqrt(2.0 * noise * step)
        kick[:] = 0.0
        for _ in range(steps):
            if noise > 0.0:
                fill_normal(stream, kick)
            couple(sine, cosine, coupling, torque)
            for i in range(theta.size):
                sine[i], cosine[i] = sincos(theta[i] + step * (omega[i] + torque[i]) + strength * kick[i])
            couple(sine, cosine, coupling, later_torque)
            for i in range(theta.size):
                x = theta[i] + step * (omega[i] + 0.5 * (torque[i] + later_torque[i])) + strength * kick[i]
                theta[i] = x
                sine[i], cosine[i] = sincos(x)

    return heun


@inline_kernel
def turned(sine, cosine, angle):
    """(sine, cosine) of a phase turned by a small angle, to 4e-16 below SMALL_TURN."""
    square = angle * angle
    y = angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    x = -0.5 * square * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)))
    return sine + (cosine * y + sine * x), cosine + (cosine * x - sine * y)


@kernel
def heun_globally(oscillators, coupling, noise, step, steps, stream):
    """The same for the coupling K sin(theta_j - theta_i)/n of all to all, O(n) each step: mean fields are summed while
    the phases are at hand, and where the field is weak the second stage only turns the first.
    """
    theta, omega, sine, cosine, next_sine, next_cosine, kick = oscillators
    n = theta.size
    strength = math.sqrt(2.0 * noise * step)
    c, s = 0.0, 0.0
    for i in range(n):
        c += cosine[i]
        s += sine[i]
    c *= coupling / n
    s *= coupling / n
    kick[:] = 0.0
    for _ in range(steps):
        if noise > 0.0:
            fill_normal(stream, kick)
        c2, s2 = 0.0, 0.0
        for i in range(n):
            pull = s * cosine[i] - c * sine[i]
            alone = theta[i] + step * omega[i] + strength * kick[i]
            theta[i] = alone
            a, b = sincos(alone + step * pull)
            next_sine[i], next_cosine[i] = a, b
            s2 += a
            c2 += b
        c2 *= coupling / n
        s2 *= coupling / n
        c1, s1 = 0.0, 0.0
        if 0.5 * step * (math.hypot(c, s) + math.hypot(c2, s2)) < SMALL_TURN:
            for i in range(n):  # the second stage turns every oscillator by little, which is cheaper than starting anew
                pull, next_pull = s * cosine[i] - c * sine[i], s2 * next_cosine[i] - c2 * next_sine[i]
                theta[i] += 0.5 * step * (pull + next_pull)
                a, b = turned(next_sine[i], next_cosine[i], 0.5 * step * (next_pull - pull))
                sine[i], cosine[i] = a, b
                s1 += a
                c1 += b
        else:
            for i in range(n):
                pull = s * cosine[i] - c * sine[i] + s2 * next_cosine[i] - c2 * next_sine[i]
                theta[i] += 0.5 * step * pull
                a, b = sincos(theta[i])
                sine[i], cosine[i] = a, b
                s1 += a
                c1 += b
        c = c1 * coupling / n
        s = s1 * coupling / n


@kernel
def wrap(theta):
    """Bring phases back into [0, 2 pi)."""
    for i in range(theta.size):
        theta[i] -= 2.0 * math.pi * math.floor(theta[i] / (2.0 * math.pi))


@kernel
def sums_in_frame(oscillators, bins, coupling, sums):
    """Sums over the oscillators of each bin, shape (2, bins), overwritten: of the cosine of the angle to the mean
    phase, and of the torque K r sin that pulls there.
    """
    sums[:] = 0.0
    for i in range(bins.size):
        sums[0, bins[i]] += oscillators.cosine[i]
        sums[1, bins[i]] += oscillators.sine[i]
    c, s = sums[0].sum(), sums[1].sum()
    norm = math.sqrt(c * c + s * s) + 1e-300
    for k in range(sums.shape[1]):
        x, y = sums[0, k], sums[1, k]
        sums[0, k] = (c * x + s * y) / norm
        sums[1, k] = (c * y - s * x) * coupling / bins.size


class FrequencyAverages:
    """What oscillators of similar natural frequency do in a mean field, averaged over the later half of a run."""

    def __init__(self, omega: Array, fastest: float, bins: int = 48) -> None:
        self._bins = np.searchsorted(np.linspace(-fastest, fastest, bins + 1), omega).astype(np.int32)
        held = np.bincount(self._bins, minlength=bins + 2)  # the first and the last are beyond the fastest
        self._share = 1 / np.maximum(held, 1)
        self._pace = np.bincount(self._bins, omega, bins + 2) * self._share
        self._weights = np.tile(held > 0, 2).astype(float)
        self._averages = BlockAverages(2 * len(held))

    def add(self, oscillators: Oscillators, coupling: float) -> None:
        """The state now, where all are coupled to all."""
        sums = np.empty((2, len(self._share)))
        sums_in_frame(oscillators, self._bins, coupling, sums)
        self._averages.add((sums * self._share).ravel(), self._weights)

    def measured(self) -> tuple[Measured, Measured]:
        """The cosine of the angle to the mean phase, and the mean velocity, over the natural frequency."""
        mean, error = (part.reshape(2, -1)[:, 1:-1] for part in self._averages.mean_and_error())
        known = np.isfinite(mean[0])
        pace = self._pace[1:-1][known]
        velocity = Measured(pace, pace - mean[1, known], error[1, known])
        return Measured(pace, mean[0, known], error[0, known]), velocity


class Raster:
    """The phases of some oscillators at the latest times, as a map of cyclic colours."""

    def __init__(self, rows: int, columns: int) -> None:
        self._phases = np.full((columns, rows), np.nan)
        self._times = np.zeros(columns)
        self._kept = 0

    def add(self, time: float, phases: Array) -> None:
        """The phases at one more time, equally long after the last; shape (rows,)."""
        slot = self._kept % len(self._times)
        self._phases[slot], self._times[slot] = phases, time
        self._kept += 1

    def picture(self, y: Axis, caption: str) -> Field:
        """Time to the right; the rows fill the axis y, which has ends, from its bottom."""
        columns = len(self._times)
        shown = np.arange(max(0, self._kept - columns), max(1, self._kept)) % columns
        times = self._times[shown]
        extent = (float(times[0]), max(float(times[-1]), float(times[0]) + 1e-9), float(y.low or 0), float(y.high or 1))
        values = self._phases[shown].T % (2 * np.pi)
        return Field(values, extent, Axis("time"), y, 0.0, 2 * math.pi, cyclic=True, caption=caption)
