"""Metropolis updates of a square lattice of two-valued sites, 64 of them in every machine word.

The sites of a chequerboard's two colours are kept apart, because those of one colour do not meet: all of them may be
updated at once. Site k of a row's colour (k = 0 ... L/2 - 1) is bit k // W of word k % W, with W = L/128 words to a
row and colour; so the site beside it stands in the same bit of the next word, and only the last word needs a rotation.

A site whose probability to flip is p flips if U < p for a uniform U. Both are compared bit by bit from the highest, 64
sites at once, and the comparison stops as soon as it is decided for every site of a block, after about 12 random words
instead of 64 numbers. Probabilities are multiples of 2^-32. The random words come from 64 generators xoroshiro128++
(Blackman and Vigna 2021) side by side, so that LLVM turns their loop into SIMD.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.matrices.aligned import aligned

Words = NDArray[np.uint64]
SIDE = 128  # sides are multiples of this
LANES = 64


def pack(spins: NDArray[np.int8]) -> tuple[Words, Words]:
    """The two colours of a lattice of +-1 of shape (L, L), L a multiple of 128, as words of shape (L, L/128)."""
    up = spins > 0
    even, odd = np.empty_like(up[:, ::2]), np.empty_like(up[:, ::2])
    even[0::2], even[1::2] = up[0::2, 0::2], up[1::2, 1::2]
    odd[0::2], odd[1::2] = up[0::2, 1::2], up[1::2, 0::2]
    return _to_words(even), _to_words(odd)


def _to_words(bits: NDArray[np.bool_]) -> Words:
    side, half = bits.shape
    interleaved = np.ascontiguousarray(bits.reshape(side, 64, half // 64).transpose(0, 2, 1))
    words = aligned((side, half // 64), np.uint64)
    words[:] = np.packbits(interleaved, axis=-1, bitorder="little").view("<u8")[..., 0]
    return words


def _to_bits(words: Words) -> NDArray[np.int8]:
    side, width = words.shape
    bits = np.unpackbits(words.astype("<u8").view(np.uint8), axis=-1, bitorder="little")
    return bits.reshape(side, width, 64).transpose(0, 2, 1).reshape(side, 64 * width).astype(np.int8)


def unpack(even: Words, odd: Words) -> NDArray[np.int8]:
    """The lattice of +-1, int8 of shape (L, L), from its two colours."""
    a, b = 2 * _to_bits(even) - 1, 2 * _to_bits(odd) - 1
    spins = np.empty((len(a), len(a)), np.int8)
    spins[0::2, 0::2], spins[1::2, 1::2] = a[0::2], a[1::2]
    spins[0::2, 1::2], spins[1::2, 0::2] = b[0::2], b[1::2]
    return spins


def threshold(probability: float) -> np.uint32:
    """A probability as the number that a random 32-bit word must stay below."""
    return np.uint32(min(math.floor(probability * 2**32), 2**32 - 1))


def generators(rng: np.random.Generator) -> Words:
    """State of the random generators, shape (2, 64)."""
    state = aligned((2, LANES), np.uint64)
    state[:] = rng.integers(1, 2**64, (2, LANES), dtype=np.uint64)
    return state


class Workspace(NamedTuple):
    """Scratch space of `sweep`: masks of rows, neighbours, and the sites that agree with three and with four of them,
    one word for every word of a colour; what is undecided and what flips, one word for every lane.
    """

    left: Words
    beside: Words
    three: Words
    four: Words
    undecided: Words
    flips: Words


def workspace(side: int) -> Workspace:
    """Scratch space for a lattice of this side."""
    words = side * side // SIDE
    room = aligned((4 * words + 2 * LANES,), np.uint64)
    return Workspace(*np.split(room, [words, 2 * words, 3 * words, 4 * words, 4 * words + LANES]))


@kernel
def mark_rows(left, side):
    """All bits of a row's words are set in every second row, from the first on."""
    width = left.size // side
    for i in range(side):
        left[i * width : (i + 1) * width] = ~np.uint64(0) if i & 1 == 0 else np.uint64(0)


@kernel
def find_beside(other, left, parity, found):
    """The neighbours in the row that do not have the same number: those to the left in the marked rows of the even
    colour (parity 0) and in the others of the odd one, else those to the right. The rows are too short for SIMD, so
    all words are taken in one loop.
    """
    side, width = other.shape
    words = other.reshape(side * width)
    odd = ~np.uint64(0) if parity else np.uint64(0)
    found[0], found[-1] = words[1], words[-2]
    for k in range(1, words.size - 1):
        to_left = left[k] ^ odd
        found[k] = (words[k - 1] & to_left) | (words[k + 1] & ~to_left)
    for i in range(side):  # across the boundary
        first, last = i * width, i * width + width - 1
        if (i + parity) & 1 == 0:
            found[first] = (words[last] << np.uint64(1)) | (words[last] >> np.uint64(63))
        else:
            found[last] = (words[first] >> np.uint64(1)) | (words[first] << np.uint64(63))


@kernel
def find_agreeing(mine, same, beside, above, below, three, four):
    """The sites that agree with three of their neighbours, and those that agree with all four."""
    for k in range(mine.size):
        x = mine[k]
        a, b, c, d = ~(x ^ same[k]), ~(x ^ beside[k]), ~(x ^ above[k]), ~(x ^ below[k])
        ab, cd = a & b, c & d
        four[k] = ab & cd
        three[k] = ((ab & (c | d)) | (cd & (a | b))) & ~(ab & cd)


@kernel
def update_colour(mine, other, parity, three, four, state, scratch):
    """Metropolis update of one colour: a site flips surely if at most two neighbours agree with it, with the
    probabilities `three` and `four` (thresholds) if three or four do. `scratch.left` is from `mark_rows`.
    """
    left, beside, aligned_3, aligned_4, undecided, flips = scratch
    side, width = mine.shape
    last, end = (side - 1) * width, side * width
    sites, same = mine.reshape(end), other.reshape(end)
    find_beside(other, left, parity, beside)
    # The first row, those between, the last row: from where to where, and where the rows above and below them begin
    for start, stop, above, below in (
        (0, width, last, width),
        (width, last, 0, 2 * width),
        (last, end, last - width, 0),
    ):
        size = stop - start
        find_agreeing(
            sites[start:stop], same[start:stop], beside[start:stop], same[above : above + size],
            same[below : below + size], aligned_3[start:stop], aligned_4[start:stop],
        )  # fmt: skip
    first, second = state[0], state[1]
    for start in range(0, side * width, LANES):
        k3, k4 = aligned_3[start : start + LANES], aligned_4[start : start + LANES]
        for j in range(LANES):
            open_ = k3[j] | k4[j]
            undecided[j] = open_
            flips[j] = ~open_
        for plane in range(32):
            bit = 31 - plane
            bits_3 = ~np.uint64(0) if (three >> bit) & 1 else np.uint64(0)
            bits_4 = ~np.uint64(0) if (four >> bit) & 1 else np.uint64(0)
            any_open = np.uint64(0)
            for j in range(LANES):
                x, y = first[j], second[j]
                word = x + y
                word = ((word << np.uint64(17)) | (word >> np.uint64(47))) + x
                y ^= x
                first[j] = ((x << np.uint64(49)) | (x >> np.uint64(15))) ^ y ^ (y << np.uint64(21))
                second[j] = (y << np.uint64(28)) | (y >> np.uint64(36))
                wanted = (k3[j] & bits_3) | (k4[j] & bits_4)
                open_ = undecided[j]
                flips[j] |= open_ & ~word & wanted
                open_ = open_ & ~(word ^ wanted)
                undecided[j] = open_
                any_open |= open_
            if any_open == np.uint64(0):
                break
        for j in range(LANES):
            sites[start + j] ^= flips[j]


@kernel
def sweep(even, odd, sweeps, three, four, state, scratch):
    """Update every site `sweeps` times, first those of the even colour, then those of the odd one; in place."""
    mark_rows(scratch.left, even.shape[0])
    for _ in range(sweeps):
        update_colour(even, odd, 0, three, four, state, scratch)
        update_colour(odd, even, 1, three, four, state, scratch)


@inline_kernel
def ones(word):
    """Number of bits set."""
    word = word - ((word >> np.uint64(1)) & np.uint64(0x5555555555555555))
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@kernel
def count(even, odd):
    """(sum of the sites, sum over all bonds of the product of their ends)."""
    side, width = even.shape
    words = side * width
    left, beside = np.empty(words, np.uint64), np.empty(words, np.uint64)
    mark_rows(left, side)
    find_beside(odd, left, 0, beside)
    a, b = even.reshape(words), odd.reshape(words)
    up, agreeing = np.int64(0), np.int64(0)
    for k in range(words):
        up += ones(a[k]) + ones(b[k])
        agreeing += ones(~(a[k] ^ b[k])) + ones(~(a[k] ^ beside[k]))
    for i in range(side):
        above, below = (i - 1 if i > 0 else side - 1), (i + 1 if i < side - 1 else 0)
        for w in range(width):
            agreeing += ones(~(even[i, w] ^ odd[above, w])) + ones(~(even[i, w] ^ odd[below, w]))
    sites = side * side
    return 2 * up - sites, 2 * agreeing - 2 * sites
