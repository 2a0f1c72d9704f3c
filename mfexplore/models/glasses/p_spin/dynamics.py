"""Dynamics of the p-spin glass: Langevin on the sphere, Metropolis for Ising spins, from a planted or random start."""

from __future__ import annotations

import itertools
import math
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore import core
from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, fill_normal, new_stream, uniform
from mfexplore.numerics.functions.elementary import log
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.glasses.p_spin import PSpin  # noqa: F401 (what it simulates)

TIME_STEP = 0.05  # of the Langevin dynamics; half of it from p = 5 on
COOLING = 10.0  # units of time from the static temperature to one below it, before the run begins
PER_DECADE = 12  # times of the correlation that are kept for its picture


@kernel
def products(groups, spins, couplings, out):
    """Write J_a times the product of its spins into out[a]; returns the sum, which is minus the energy."""
    total = 0.0
    for a in range(couplings.size):
        product = couplings[a]
        for k in range(groups.shape[1]):
            product *= spins[groups[a, k]]
        out[a] = product
        total += product
    return total


class Interaction(NamedTuple):
    """groups: shape (n, order), the spins of each coupling; couplings: shape (n,); reaction: see `forces`."""

    groups: NDArray[Any]
    couplings: NDArray[Any]
    reaction: float


@kernel
def forces(interaction, spins, out):
    """Write -dH/ds_i into out, for any real spins, each coupling reduced by `reaction` times the product of its spins.

    Where all groups are coupled this reaction only pulls along s, which the sphere does not feel. With fewer it keeps
    the length from condensing on the spins of a few groups: the average of exp(-H/T) over couplings stays uniform.
    """
    groups, couplings, reaction = interaction
    order = groups.shape[1]
    for i in range(out.size):
        out[i] = 0.0
    if order == 3:
        for a in range(couplings.size):
            i, j, k = groups[a, 0], groups[a, 1], groups[a, 2]
            x, y, z = spins[i], spins[j], spins[k]
            c = couplings[a] - reaction * x * y * z
            out[i] += c * y * z
            out[j] += c * x * z
            out[k] += c * x * y
        return
    before = np.empty(order)
    for a in range(couplings.size):
        product = 1.0
        for k in range(order):
            before[k] = product
            product *= spins[groups[a, k]]
        after = couplings[a] - reaction * product
        for k in range(order - 1, -1, -1):
            i = groups[a, k]
            out[i] += before[k] * after
            after *= spins[i]


@kernel
def langevin(interaction, spins, temperature, step, steps, stream):
    """Noisy gradient descent on the sphere |s|^2 = N, with Heun's two evaluations of the force per step.

    The multiplier that holds the length, T + s.F/N, fluctuates by 1/sqrt(N) only; what is left of that is scaled away.
    """
    n = spins.size
    force, ahead, trial, noise = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    kick = math.sqrt(2.0 * temperature * step)
    for _ in range(steps):
        forces(interaction, spins, force)
        fill_normal(stream, noise)
        work = 0.0
        for i in range(n):
            work += force[i] * spins[i]
        hold = temperature + (work - temperature) / n
        for i in range(n):
            force[i] -= hold * spins[i]
            trial[i] = spins[i] + step * force[i] + kick * noise[i]
        forces(interaction, trial, ahead)
        work = 0.0
        for i in range(n):
            work += ahead[i] * trial[i]
        hold = temperature + (work - temperature) / n
        norm = 0.0
        for i in range(n):
            s = spins[i] + 0.5 * step * (force[i] + ahead[i] - hold * trial[i]) + kick * noise[i]
            spins[i] = s
            norm += s * s
        scale = math.sqrt(n / norm)
        for i in range(n):
            spins[i] *= scale


@kernel
def metropolis(terms, members, first, spins, temperature, sweeps, stream):
    """Metropolis sweeps of Ising spins, in order. terms: J_a times its spins, overwritten like `spins`.

    members, first: the groups of spin i are members[first[i] : first[i + 1]].
    """
    position = stream[0]
    for _ in range(sweeps):
        for i in range(spins.size):
            own = members[first[i] : first[i + 1]]
            gain = 0.0
            for a in range(own.size):
                gain += terms[own[a]]
            if gain <= -0.5 * temperature * log(1.0 - uniform(position, i)):
                spins[i] = -spins[i]
                for a in range(own.size):
                    terms[own[a]] = -terms[own[a]]
        position = advanced(position, spins.size)
    stream[0] = position


def draw_groups(size: int, order: int, count: int, rng: np.random.Generator) -> Array:
    """Groups of `order` different spins, shape (n, order), int32: all there are, if that is at most `count`."""
    if math.comb(size, order) <= count:
        return np.array(list(itertools.combinations(range(size), order)), np.int32)
    groups = np.empty((0, order), np.int32)
    while len(groups) < count:
        drawn = np.sort(rng.integers(0, size, (2 * (count - len(groups)) + 16, order), dtype=np.int32), axis=1)
        distinct = (np.diff(drawn, axis=1) > 0).all(axis=1)
        groups = np.concatenate([groups, drawn[distinct]])
    return groups[:count]


class PSpinSimulation(core.Simulation["PSpin"]):
    """Langevin (spherical) or Metropolis (Ising) dynamics, and its overlap with the configuration it started from."""

    time_unit = "units of time"
    relaxation, window = 100.0, 100.0

    def prepare(self) -> None:
        m = self.model
        n, p = m.size, m.order
        self.groups = draw_groups(n, p, m.groups(), self.rng)
        self.variance = n / (2 * len(self.groups))
        self.couplings = self.rng.normal(0.0, math.sqrt(self.variance), len(self.groups))
        self.spins = self.rng.normal(size=n)
        if m.kind == "ising":
            self.spins = np.sign(self.spins)
        else:
            self.spins *= math.sqrt(n / np.sum(self.spins**2))
        if m.start == "equilibrium":
            planted = max(m.temperature, m.transitions()[1])
            self.couplings += self.variance / planted * np.prod(self.spins[self.groups], axis=1)
        self.terms = np.empty(len(self.groups))
        if m.kind == "ising":
            self.time_unit = "sweeps"  # type: ignore[misc]  # of this run, not of all
            products(self.groups, self.spins, self.couplings, self.terms)
            flat = self.groups.ravel()
            self.members = (np.argsort(flat, kind="stable") // p).astype(np.int32)
            self.first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n))])
        self.stream = new_stream(self.rng)
        self._begin()
        if m.start == "equilibrium" and m.temperature < m.transitions()[1]:
            self.evolve(COOLING)  # for q is the overlap of two configurations of a state at this temperature
            self._begin()

    def _begin(self) -> None:
        """Count time, and the overlap, from the configuration that there is now."""
        self.start = self.spins.copy()
        self.clock = 0.0
        self.kept = [(0.0, 1.0)]

    def evolve(self, duration: float) -> None:
        m = self.model
        grain = 1.0 if m.kind == "ising" else TIME_STEP if m.order < 5 else TIME_STEP / 2
        left = round(duration / grain)
        while left > 0:
            due = max(1, round(self.clock * (10 ** (1 / PER_DECADE) - 1) / grain))  # until the next time to keep
            steps = min(left, due)
            if m.kind == "ising":
                metropolis(self.terms, self.members, self.first, self.spins, m.temperature, steps, self.stream)
            else:
                reaction = self.variance / max(m.temperature, m.transitions()[1])
                interaction = Interaction(self.groups, self.couplings, reaction)
                langevin(interaction, self.spins, m.temperature, grain, steps, self.stream)
            left -= steps
            self.clock += steps * grain
            if self.clock >= self.kept[-1][0] * 10 ** (1 / PER_DECADE) - 1e-9:
                self.kept.append((self.clock, self.overlap()))

    def overlap(self) -> float:
        return float(self.spins @ self.start) / self.model.size

    def observe(self) -> dict[str, float]:
        """After a quench no overlap: a random start belongs to no state, so q says nothing about it."""
        energy = -products(self.groups, self.spins, self.couplings, self.terms) / self.model.size
        return (
            {"overlap": self.overlap(), "energy": energy} if self.model.start == "equilibrium" else {"energy": energy}
        )

    def picture(self) -> core.Chart:
        """The overlap with the start against the logarithm of time, beside the prediction."""
        times, overlaps = np.array([*self.kept[1:], (max(self.clock, TIME_STEP), self.overlap())]).T
        series = [core.Series("simulation", times, overlaps, "points")]
        with suppress(core.NotOfferedError):
            path = self.model.predicted_path({"overlap": 1.0}, times)
            series.append(core.Series("mode coupling, eq. (4)", times, path["overlap"]))
        plateau = self.model.plateau()
        if plateau > 0:
            series.append(core.Series("overlap of the states, q", times, np.full_like(times, plateau)))
        return core.Chart(tuple(series), core.Axis(self.time_unit, "log"), core.Axis("overlap with the start"))
