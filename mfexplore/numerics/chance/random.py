"""Random numbers inside loops that LLVM vectorises: a function of a position and an index, without a state to carry.

The n-th word of a stream is SplitMix64 (Steele, Lea and Flood 2014, the generator that seeds Java's and NumPy's
others): a counter in steps of the golden ratio, scrambled by two multiplications. It passes BigCrush, and any word can
be computed without the ones before, so loops over many of them become SIMD: 1 ns per uniform, 2 ns per normal number.

    stream = new_stream(rng)                       # uint64 array of shape (1,), kept by the simulation
    position = stream[0]                           # in a kernel
    for i in range(n // 2):
        a, b = normal_pair(position, i)            # uses words 2i and 2i + 1
    stream[0] = advanced(position, n)              # never use a word twice
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import log_of_normal, precise_block, sincos
from mfexplore.numerics.kernel import kernel

GOLDEN = np.uint64(0x9E3779B97F4A7C15)


def new_stream(rng: np.random.Generator) -> NDArray[np.uint64]:
    """A stream of its own for a kernel, at a random place of the cycle of 2^64 words; shape (1,)."""
    return rng.integers(0, 2**64, 1, dtype=np.uint64)


@precise_block
def random_word(position, index):
    """64 random bits: word `index` (a non-negative int) after `position` (uint64)."""
    z = position + np.uint64(index + 1) * GOLDEN
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


@precise_block
def uniform(position, index):
    """A multiple of 2^-52 in [0, 1)."""
    word = random_word(position, index)
    return np.uint64((word >> np.uint64(12)) | np.uint64(0x3FF0000000000000)).view(np.float64) - 1.0


@precise_block
def normal_pair(position, index):
    """Two independent standard normal numbers (Box and Muller) from the words 2 index and 2 index + 1; at most 8.5."""
    radius = math.sqrt(-2.0 * log_of_normal(1.0 - uniform(position, 2 * index), 0.0))
    sine, cosine = sincos(6.283185307179586 * uniform(position, 2 * index + 1))
    return radius * cosine, radius * sine


@precise_block
def advanced(position, words):
    """The position after `words` words."""
    return position + np.uint64(words) * GOLDEN


@kernel
def fill_uniform(stream, out):
    """Fill a 1-d float64 array with uniform numbers in [0, 1), moving the stream on."""
    position = stream[0]
    for i in range(out.size):
        out[i] = uniform(position, i)
    stream[0] = advanced(position, out.size)


@kernel
def fill_normal(stream, out):
    """Fill a 1-d float64 array with standard normal numbers, moving the stream on."""
    position = stream[0]
    half = out.size // 2
    for i in range(half):
        out[i], out[half + i] = normal_pair(position, i)
    if out.size % 2 == 1:
        out[out.size - 1] = normal_pair(position, half)[0]
    stream[0] = advanced(position, out.size + 1)
