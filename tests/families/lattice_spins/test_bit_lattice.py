"""Packed square lattice: the same as an array of spins, spin by spin."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins import bit_lattice


def random_spins(rng: np.random.Generator, side: int) -> np.ndarray:
    return rng.choice(np.array([-1, 1], np.int8), (side, side))


@pytest.mark.parametrize("side", [128, 256])
def test_packing_and_counting(rng: np.random.Generator, side: int) -> None:
    spins = random_spins(rng, side)
    even, odd = bit_lattice.pack(spins)
    np.testing.assert_array_equal(bit_lattice.unpack(even, odd), spins)
    bonds = int((spins.astype(int) * (np.roll(spins, 1, 0).astype(int) + np.roll(spins, 1, 1))).sum())
    assert bit_lattice.count(even, odd) == (int(spins.sum()), bonds)


def swept(spins: np.ndarray, three: float, four: float, rng: np.random.Generator, sweeps: int = 1) -> np.ndarray:
    even, odd = bit_lattice.pack(spins)
    thresholds = bit_lattice.threshold(three), bit_lattice.threshold(four)
    scratch = bit_lattice.workspace(len(spins))
    bit_lattice.sweep(even, odd, sweeps, *thresholds, bit_lattice.generators(rng), scratch)
    return bit_lattice.unpack(even, odd)


def agreeing(spins: np.ndarray) -> np.ndarray:
    total = sum(np.roll(spins, s, a).astype(int) for s, a in ((1, 0), (-1, 0), (1, 1), (-1, 1)))
    return (spins * total + 4) // 2


@pytest.mark.parametrize("side", [128, 384])
def test_at_zero_temperature_it_is_the_plain_rule(rng: np.random.Generator, side: int) -> None:
    """A spin flips exactly if at most two neighbours agree; first the even colour, then the odd one."""
    spins = random_spins(rng, side)
    expected = spins.copy()
    colour = np.indices(spins.shape).sum(axis=0) & 1
    for c in (0, 1):
        flips = (agreeing(expected) <= 2) & (colour == c)
        expected[flips] *= -1
    np.testing.assert_array_equal(swept(spins, 0.0, 0.0, rng), expected)


def test_flips_have_the_asked_probabilities(rng: np.random.Generator) -> None:
    """Of the even colour, with neighbours still as they were: frequencies within four standard errors."""
    three, four = 0.37, 0.0213
    seen = {3: [0, 0], 4: [0, 0]}
    for _ in range(40):
        spins = np.where(rng.random((256, 256)) < 0.8, 1, -1).astype(np.int8)
        after = swept(spins, three, four, rng)
        even = np.indices(spins.shape).sum(axis=0) % 2 == 0
        for k in seen:
            those = even & (agreeing(spins) == k)
            seen[k][0] += int(those.sum())
            seen[k][1] += int((those & (after != spins)).sum())
    for k, p in ((3, three), (4, four)):
        n, flipped = seen[k]
        assert flipped / n == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / n))


def test_scratch_begins_at_a_cache_line() -> None:
    assert all(part.ctypes.data % 64 == 0 for part in bit_lattice.workspace(128))
    assert bit_lattice.threshold(1.0) == 2**32 - 1
    assert bit_lattice.threshold(0.0) == 0
