"""The dynamics: groups of neurons are summed over by Newton's identities, from sums that follow every flip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import memories
from mfexplore.families.digits import ORDER, as_patterns, handwritings, typical
from mfexplore.families.memories import draw_turns
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.kernel import inline_kernel, kernel

if TYPE_CHECKING:
    from mfexplore.models.memory.dense_hebbian import DenseHebbian  # noqa: F401 (named in the base class below)

BLOCK = 128  # updates whose random numbers are drawn together
MOST_ENTRIES = 2**26  # neurons times patterns: more would take a second per sweep


class Network(NamedTuple):
    """The neurons and what their fields are made of."""

    patterns: Any  # int8 (+-1) or float32, shape (N, patterns)
    moments: Any  # float32, shape (6, patterns): sums of (eta_i s_i)^k, k = 1 .. 6
    spins: Any  # int8, shape (N,)


@inline_kernel
def symmetric_sum(k, p1, p2, p3, p4, p5):
    """Sum over all groups of k different neurons of the product of their x, from the sums of powers (Newton)."""
    e2 = np.float32(0.5) * (p1 * p1 - p2)
    e3 = np.float32(1.0 / 3.0) * (e2 * p1 - p1 * p2 + p3)
    if k == 2:
        return e2
    if k == 3:
        return e3
    e4 = np.float32(0.25) * (e3 * p1 - e2 * p2 + p1 * p3 - p4)
    if k == 4:
        return e4
    return np.float32(0.2) * (e4 * p1 - e3 * p2 + e2 * p3 - p1 * p4 + p5)


@kernel
def local_sum(row, old, moments, n, k):
    """Sum over patterns of a neuron's entry times the `symmetric_sum` over the other neurons, times (1/N)^k."""
    total = np.float32(0.0)
    unit = np.float32(1.0 / n)
    m1, m2, m3, m4, m5 = moments[0], moments[1], moments[2], moments[3], moments[4]
    for r in range(row.size):
        x = np.float32(row[r]) * np.float32(old)
        square = x * x
        p1, p2 = (m1[r] - x) * unit, (m2[r] - square) * unit**2
        p3, p4 = (m3[r] - x * square) * unit**3, (m4[r] - square * square) * unit**4
        p5 = (m5[r] - x * square * square) * unit**5
        total += np.float32(row[r]) * symmetric_sum(k, p1, p2, p3, p4, p5)
    return total


@kernel
def flip(row, change, moments):
    """Change the odd sums; the even ones do not notice a sign."""
    m1, m3, m5 = moments[0], moments[2], moments[4]
    for r in range(row.size):
        x = np.float32(row[r])
        m1[r] += change * x
        m3[r] += change * x**3
        m5[r] += change * x**5


@kernel
def heat_bath(network, order, unit, temperature, updates, stream):
    """Heat-bath updates of random neurons in the field of eq. (1) or (3), O(patterns) each.

    unit: what turns sums into fields. Overwrites moments, spins and stream (see numerics.chance.random).
    """
    patterns, moments, spins = network
    n = spins.size
    sites, thresholds = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    position, done = stream[0], 0
    while done < updates:
        count = min(BLOCK, updates - done)
        position = draw_turns(position, n, 0.5 * temperature / unit, 1e-12, sites[:count], thresholds[:count])
        done += count
        for k in range(count):
            i = sites[k]
            row, old = patterns[i], spins[i]
            new = np.int8(1) if local_sum(row, old, moments, n, order - 1) > thresholds[k] else np.int8(-1)
            if new != old:
                spins[i] = new
                flip(row, np.float32(new - old), moments)
    stream[0] = position


class DenseHebbianSimulation(core.Simulation["DenseHebbian"]):
    """Heat-bath dynamics from a damaged first memory, one sweep = N updates of random neurons.

    Attributes:
        memories: int8, shape (N, K). patterns: what the couplings are made of: the memories (int8), their examples
            (int8, shape (N, K M)), or the examples' means over r (float32, shape (N, K)).
    """

    relaxation, window = 40.0, 40.0

    def prepare(self) -> None:
        m = self.model
        if m.size * m.pattern_count > MOST_ENTRIES:
            raise core.TooLargeError(m.title, m.size, m.footprint(), 2 * MOST_ENTRIES)
        self.quality = m.quality
        if m.memories == "digits":
            self._draw_digits(m.memory_count)
        else:
            self._draw_random(m.memory_count)
        self.stream = new_stream(self.rng)
        self.cue = memories.cue(self.memories, "noise", m.corruption, self.rng)
        self.spins = self.cue.copy()
        self.moments = np.zeros((6, self.patterns.shape[1]), np.float32)
        for start in range(0, self.patterns.shape[1], 4096):
            x = self.patterns[:, start : start + 4096] * self.spins[:, None].astype(np.float32)
            for k in range(6):
                self.moments[k, start : start + 4096] = (x ** (k + 1)).sum(axis=0)
        examples = 1 if m.setting != "unsupervised" else self.patterns.shape[1] / self.memories.shape[1]
        scale = self.quality**m.order if m.setting == "unsupervised" else 1.0
        self.unit = math.factorial(m.order - 1) / (examples * scale)

    def _draw_random(self, count: int) -> None:
        m = self.model
        self.patterns: Array = memories.random_bits(m.size, count, self.rng)
        self.memories = self.patterns
        if m.setting == "supervised":
            right = self.rng.binomial(m.examples, 0.5 + 0.5 * m.quality, (m.size, count))
            mean = (2.0 * right - m.examples) / (m.examples * m.quality)
            self.patterns = (mean * self.memories).astype(np.float32)
        elif m.setting == "unsupervised":
            self.patterns = np.repeat(self.memories, m.examples, axis=1)
            wrong = self.rng.random(self.patterns.shape, dtype=np.float32) >= 0.5 + 0.5 * m.quality
            self.patterns[wrong] *= -1

    def _draw_digits(self, count: int) -> None:
        """Memories are images; or, to be learnt from examples, the ten digits, each from the images of it."""
        m = self.model
        if m.setting == "storage":
            self.patterns = self.memories = memories.stored("digits", m.size, count, self.rng)
            return
        self.memories = np.stack([typical(d, m.size) for d in ORDER[:count]], axis=1)
        images = [as_patterns(handwritings(d, m.example_count, self.rng), m.size) for d in ORDER[:count]]
        self.quality = float(np.mean([np.mean(x * self.memories[:, [k]]) for k, x in enumerate(images)]))
        if m.setting == "supervised":
            means = [x.mean(axis=1, dtype=np.float32) for x in images]
            self.patterns = (np.stack(means, axis=1) / self.quality).astype(np.float32)
        else:
            self.patterns = np.concatenate(images, axis=1)

    def evolve(self, duration: float) -> None:
        m = self.model
        network = Network(self.patterns, self.moments, self.spins)
        heat_bath(network, m.order, self.unit, m.temperature, round(duration * m.size), self.stream)

    def overlaps(self) -> Array:
        """Overlap of the present state with every memory, shape (K,)."""
        if self.patterns is self.memories:
            return self.moments[0].astype(np.float64) / self.model.size
        overlaps: Array = self.spins.astype(np.float64) @ self.memories / self.model.size
        return overlaps

    def observe(self) -> dict[str, float]:
        m, n, order = self.overlaps(), self.model.size, self.model.order
        known = self.moments[0].astype(np.float64) / n
        own = self.patterns.shape[1] // self.memories.shape[1]
        signal = known[:own].mean() / (self.quality if self.model.setting == "unsupervised" else 1.0)
        return {
            **memories.recalled(m),
            "signal": float(signal),
            "energy": -self.unit * float(group_sums(self.moments.astype(np.float64), order).sum()) / n**order,
        }

    def picture(self) -> core.Patterns:
        more = [("memory", self.memories[:, 0])]
        if self.model.setting != "storage":
            what = "mean of the examples" if self.model.setting == "supervised" else "an example"
            more.append((what, np.sign(self.patterns[:, 0]).astype(np.int8)))
        return memories.picture(
            self.time, memories.cue_caption("noise", self.model.corruption), self.cue, self.spins, more
        )


def group_sums(powers: Array, k: int) -> Array:
    """Sum over all groups of k different neurons of the product of their x, from the sums of powers, by Newton's
    identities; powers: shape (>= k, patterns).
    """
    sums = [np.ones(powers.shape[1])]
    for j in range(1, k + 1):
        sums.append(sum((-1) ** (i - 1) * sums[j - i] * powers[i - 1] for i in range(1, j + 1)) / j)
    return sums[k]
