"""The dynamics without a matrix of couplings: overlaps follow every flip, and a noisy synapse is recomputed."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import memories
from mfexplore.families.memories import draw_turns
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.prefetch import prefetch_row

if TYPE_CHECKING:
    from mfexplore.models.memory.hopfield import Hopfield  # noqa: F401 (named in the base class below)

BLOCK = 256  # updates whose random numbers are drawn together
AHEAD = 4  # updates between asking for a neuron's memories and using them
FEW = 10  # memories that are all shown


class Network(NamedTuple):
    """The neurons and what their fields are made of."""

    patterns: Any  # int8, shape (N, P)
    overlaps: Any  # shape (P,), sum over i of xi_i s_i: whole numbers
    zero: Any  # shape (1,), of the type in which such are added, see `whole_numbers`
    spins: Any  # int8, shape (N,)
    words: Any  # uint32, shape (N,): random ones, of which synapses are made
    sums: Any  # int32, shape (N,): see `noise_fields`


@kernel
def synapse(a, b):
    """eta_ij = +-1 of eq. (1) from a random word of each neuron: symmetric, and the same whenever it is asked for."""
    x = np.uint32(a + b)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.int32(1) - np.int32((x >> np.uint32(30)) & np.uint32(2))


@kernel
def noise_fields(spins, words, sums):
    """sums[i] = sum over j of eta_ij s_j, without j = i."""
    for i in range(spins.size):
        total = np.int32(0)
        for j in range(spins.size):
            total += synapse(words[i], words[j]) * np.int32(spins[j])
        sums[i] = total - synapse(words[i], words[i]) * np.int32(spins[i])


@kernel
def count_overlaps(patterns, spins, overlaps):
    """Add the overlaps of a `Network` to an array of zeros."""
    kind = overlaps.dtype.type
    for i in range(spins.size):
        row, s = patterns[i], kind(spins[i])
        for k in range(row.size):
            overlaps[k] = kind(overlaps[k] + kind(s * kind(row[k])))


@kernel
def heat_bath(network, temperature, field, noise, updates, stream):
    """Heat-bath updates of random neurons, O(P) each: the field is a sum over the overlaps, which follow every flip.

    What is needed is drawn, and the memories are on their way, before a neuron's turn comes. Rows are indexed, not
    taken out: Numba counts who holds an array, with two atomic operations for every row that is taken, a tenth of an
    update. Overwrites overlaps, spins, sums and stream (see numerics.chance.random).
    """
    patterns, overlaps, zero, spins, words, sums = network
    n, p = patterns.shape
    kind, wide = overlaps.dtype.type, zero.dtype.type
    noise_unit = noise * math.sqrt(n)
    sites, thresholds = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    position, done = stream[0], 0
    while done < updates:
        count = min(BLOCK, updates - done)
        position = draw_turns(position, n, 0.5 * temperature * n, 1e-9, sites[:count], thresholds[:count])
        done += count
        for k in range(count):
            if k + AHEAD < count:
                prefetch_row(patterns, sites[k + AHEAD])
            i = sites[k]
            old = spins[i]
            threshold = thresholds[k] + p * old - n * field * patterns[i, 0]
            if noise > 0.0:
                threshold -= noise_unit * sums[i]
            total = zero[0]
            for mu in range(p):
                total = wide(total + wide(wide(overlaps[mu]) * wide(patterns[i, mu])))
            new = np.int8(1) if total > threshold else np.int8(-1)
            if new != old:
                spins[i] = new
                change = kind(new - old)
                for mu in range(p):
                    overlaps[mu] = kind(overlaps[mu] + kind(change * kind(patterns[i, mu])))
                if noise > 0.0:
                    own, flip = sums[i], np.int32(new - old)
                    for j in range(n):
                        sums[j] += flip * synapse(words[i], words[j])
                    sums[i] = own
    stream[0] = position


def whole_numbers(n: int, count: int) -> tuple[Array, Array]:
    """Zeros for the overlaps of n neurons with `count` memories, and one of the type in which they are added up: short
    integers, of which a processor multiplies and adds twice as many at a time, where none can be too large for them.
    """
    short = n < 2**15 and n * count < 2**31
    return np.zeros(count, np.int16 if short else np.float32), np.zeros(1, np.int32 if short else np.float32)


class HopfieldSimulation(core.Simulation["Hopfield"]):
    """Heat-bath dynamics of eq. (1) from a damaged first memory, one sweep = N updates of random neurons."""

    relaxation, window = 40.0, 20.0

    def prepare(self) -> None:
        m, n = self.model, self.model.size
        patterns = memories.stored(m.memories, n, m.memory_count, self.rng)
        words = self.rng.integers(0, 2**32, n, dtype=np.uint32)
        self.stream = new_stream(self.rng)
        self.cue = memories.cue(patterns, m.cue, m.corruption, self.rng)
        overlaps, zero = whole_numbers(n, m.memory_count)
        self.network = Network(patterns, overlaps, zero, self.cue.copy(), words, np.zeros(n, np.int32))
        count_overlaps(patterns, self.network.spins, overlaps)
        self.noisy = False
        self.retune()

    def retune(self) -> None:
        """The fields of noisy synapses are only kept while there is noise."""
        noisy = self.model.synaptic_noise > 0
        if noisy and not self.noisy:
            noise_fields(self.network.spins, self.network.words, self.network.sums)
        self.noisy = noisy

    def evolve(self, duration: float) -> None:
        m = self.model
        updates = round(duration * m.size)
        heat_bath(self.network, m.temperature, m.field, m.synaptic_noise, updates, self.stream)

    def overlaps(self) -> Array:
        """Overlap of the present state with every memory, shape (P,)."""
        overlaps: Array = self.network.overlaps.astype(np.float64) / self.model.size
        return overlaps

    def observe(self) -> dict[str, float]:
        m = self.overlaps()
        n, p = self.model.size, len(m)
        energy = -0.5 * float(m @ m) + 0.5 * p / n - self.model.field * float(m[0])
        if self.noisy:
            own = self.network.sums @ self.network.spins.astype(np.int32)
            energy -= 0.5 * self.model.synaptic_noise * float(own) / n**1.5
        return {**memories.recalled(m), "energy": energy}

    def samples(self, observable: str | None = None) -> Array:
        return self.overlaps()[1:] * math.sqrt(self.model.size)

    def picture(self) -> core.Patterns:
        m, patterns = self.overlaps(), self.network.patterns
        shown = m.size if m.size <= FEW else 1
        captions = (f"{'' if k else 'memory, '}m = {m[k]:z.2f}" for k in range(shown))
        more = ((caption, patterns[:, k]) for k, caption in enumerate(captions))
        cue = memories.cue_caption(self.model.cue, self.model.corruption)
        return memories.picture(self.time, cue, self.cue, self.network.spins, more)
