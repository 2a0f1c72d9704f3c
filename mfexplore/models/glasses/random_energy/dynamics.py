"""One sample of the model: its configurations, or its levels drawn at random, and spins flipped among them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.numerics.kernel import inline_kernel, kernel

if TYPE_CHECKING:
    from mfexplore.models.glasses.random_energy import RandomEnergy  # noqa: F401  (the type of the model)

COLDEST = 0.004  # below it the exact averages are those of the ground state
STEP = 0.25  # of the trapezoid rule for entire functions that live on a strip of width pi: exact to rounding


class Sample(NamedTuple):
    """The levels of one sample and what shifts them.

    levels: random parts, shape (2^N,), float32; ups: number of up spins of every configuration, int8, the last is N;
    bias: J_0 N.
    """

    levels: Array
    ups: Array
    temperature: float
    field: float
    bias: float


@inline_kernel
def energy_of(sample, i):
    """The energy, eq. (1), of configuration i; the last one, all up, is the hidden one."""
    last = sample.levels.size - 1
    e = sample.levels[i] - sample.field * (2 * sample.ups[i] - sample.ups[last])
    return e - sample.bias if i == last else e


@kernel
def boltzmann(sample):
    """Sum over all levels: (free energy, energy, magnetization, participation) of the sample, not divided by N."""
    n = sample.ups[sample.levels.size - 1]
    lowest = math.inf
    ground = 0
    for i in range(sample.levels.size):
        e = energy_of(sample, i)
        if e < lowest:
            lowest, ground = e, i
    if sample.temperature == 0.0:
        return lowest, lowest, (2.0 * sample.ups[ground] - n), 1.0
    z = z2 = ze = zm = 0.0
    for i in range(sample.levels.size):
        e = energy_of(sample, i)
        w = math.exp((lowest - e) / sample.temperature)
        z += w
        z2 += w * w
        ze += w * e
        zm += w * (2 * sample.ups[i] - n)
    return lowest - sample.temperature * math.log(z), ze / z, zm / z, z2 / (z * z)


@kernel
def metropolis(sample, spent, state, squares, duration, rng):
    """Single-spin-flip Metropolis dynamics for `duration` sweeps without rejections: the walker waits an exponential
    time of the total escape rate, then takes one flip in proportion to its rate.

    spent: time spent in every configuration, updated; squares: the sum of its squares. Returns (state, squares).
    """
    n = sample.ups[sample.levels.size - 1]
    rates = np.empty(n)
    now = 0.0
    while True:
        here = energy_of(sample, state)
        total = 0.0
        for k in range(n):
            rise = energy_of(sample, state ^ (1 << k)) - here
            if rise <= 0.0:
                rates[k] = 1.0
            else:
                rates[k] = math.exp(-rise / sample.temperature) if sample.temperature > 0.0 else 0.0
            total += rates[k]
        wait = -math.log(1.0 - rng.random()) / total if total > 0.0 else math.inf
        stay = min(wait, duration - now)
        squares += stay * (2.0 * spent[state] + stay)
        spent[state] += stay
        now += wait
        if now >= duration:
            return state, squares
        target = rng.random() * total
        k = 0
        while k < n - 1 and target >= rates[k]:
            target -= rates[k]
            k += 1
        state ^= 1 << k


@kernel
def histograms(sample, spent, free_energy, low, width, out):
    """Number of levels, Boltzmann weight and time spent, by energy in bins of `width` from `low`; out: (3, bins)."""
    for i in range(sample.levels.size):
        e = energy_of(sample, i)
        k = min(max(int((e - low) / width), 0), out.shape[1] - 1)
        out[0, k] += 1.0
        if sample.temperature > 0.0:
            out[1, k] += math.exp((free_energy - e) / sample.temperature)
        elif e <= free_energy:
            out[1, k] = 1.0
        if spent.size:
            out[2, k] += spent[i]


class RandomEnergySimulation(core.Simulation["RandomEnergy"]):
    """All 2^N levels of a sample: redrawn at every step, or explored by a walker."""

    time_unit = "samples"

    def prepare(self) -> None:
        n = self.model.size
        ups = np.zeros(1, np.uint8)
        for _ in range(n):
            ups = np.concatenate([ups, ups + np.uint8(1)])
        self.ups = ups.astype(np.int8)
        walks = self.model.dynamics == "metropolis"
        if walks:
            self.time_unit = "sweeps"  # type: ignore[misc]  # of this run, not of all
        self.spent = np.zeros(len(ups) if walks else 0)
        self.squares = self.elapsed = 0.0
        self.draw()
        self.state = int(self.rng.integers(len(ups)))

    def draw(self) -> None:
        """A new sample of levels."""
        scale = np.float32(math.sqrt(self.model.size / 2))
        self.levels = self.rng.standard_normal(2**self.model.size, np.float32) * scale
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.sample = Sample(self.levels, self.ups, m.temperature, m.field, m.ferromagnetic_bias * m.size)
        self.sums = boltzmann(self.sample)

    def evolve(self, duration: float) -> None:
        if self.model.dynamics == "redraw":
            self.draw()
            return
        self.elapsed += duration
        self.state, self.squares = metropolis(self.sample, self.spent, self.state, self.squares, duration, self.rng)

    def observe(self) -> dict[str, float]:
        m = self.model
        if m.dynamics == "redraw":
            free_energy, energy, magnetization, participation = self.sums
            entropy = (energy - free_energy) / m.temperature if m.temperature > 0 else 0.0
            return {
                "participation": participation,
                "free_energy": free_energy / m.size,
                "energy": energy / m.size,
                "entropy": entropy / m.size,
                "magnetization": magnetization / m.size,
            }
        magnetization = 2 * int(self.ups[self.state]) - m.size
        energy = float(self.levels[self.state]) - m.field * magnetization
        if magnetization == m.size:
            energy -= m.ferromagnetic_bias * m.size
        return {
            "participation": self.squares / self.elapsed**2 if self.elapsed else 1.0,
            "energy": energy / m.size,
            "magnetization": magnetization / m.size,
        }

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        if self.model.dynamics == "redraw":  # a sample is already summed over exactly
            return self.observe()
        return super().measure(cancelled)

    def picture(self) -> core.Density:
        m = self.model
        energies = np.linspace(-1.05 - m.field - m.ferromagnetic_bias, 1.05 + m.field, 106)
        number, weight, time = table = np.zeros((3, 105))
        low, width = energies[0] * m.size, (energies[1] - energies[0]) * m.size
        histograms(self.sample, self.spent, self.sums[0], low, width, table)
        centres = (energies[1:] + energies[:-1]) / 2
        with np.errstate(divide="ignore"):
            found = np.log(np.maximum(number, 0.1)) / m.size
        width = (energies[1] - energies[0]) * math.sqrt(m.size)
        expected = m.level_entropy(centres) + math.log(width / math.sqrt(math.pi)) / m.size
        curves = [
            ("levels in the bin, logarithm / N", np.where(number > 0, found, 0.0)),
            ("expected", np.maximum(expected, 0.0)),
            ("Boltzmann weight", weight / max(weight.sum(), 1e-300)),
        ]
        if m.dynamics == "metropolis" and self.time > 0:
            curves.append(("time spent by the walker", time / max(time.sum(), 1e-300)))
        return core.Density(
            centres, tuple(curves), "energy per spin", "entropy per spin, weight", "where the weight sits"
        )
