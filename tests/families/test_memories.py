"""What associative memories store and are shown, and when their neurons fire."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families import memories
from mfexplore.numerics.chance.random import new_stream


def test_cues_are_damaged_as_their_names_say(rng: np.random.Generator) -> None:
    patterns = memories.stored("random", 400, 3, rng)
    first = patterns[:, 0]
    noisy, masked, mixed = (memories.cue(patterns, word, 0.3, rng) for word in memories.CUES)
    assert (noisy != first).sum() == 120
    assert (masked[:200] == first[:200]).all()
    assert (masked[200:] == -1).all()
    np.testing.assert_array_equal(mixed, np.sign(patterns.sum(axis=1)))
    assert {x.dtype for x in (noisy, masked, mixed)} == {np.dtype(np.int8)}


@pytest.mark.parametrize("count", [1, 2])
def test_a_mixture_of_too_few_memories_is_the_first_where_they_disagree(count: int, rng: np.random.Generator) -> None:
    patterns = memories.stored("random", 50, count, rng)
    np.testing.assert_array_equal(memories.cue(patterns, "mixture", 0.3, rng), patterns[:, 0])


def test_digits_are_stored_as_signs(rng: np.random.Generator) -> None:
    patterns = memories.stored("digits", 64, 3, rng)
    assert patterns.shape == (64, 3)
    assert set(np.unique(patterns)) == {-1, 1}


def test_thresholds_are_those_of_heat_bath(rng: np.random.Generator) -> None:
    """A field h exceeds them with the probability 1/(1 + exp(-2h/T)), within four standard errors."""
    sites, thresholds = np.empty(20_000, np.int64), np.empty(20_000)
    position = new_stream(rng)[0]
    after = memories.draw_turns(position, 7, 0.5 * 0.8, 1e-12, sites, thresholds)
    assert after != position
    assert np.bincount(sites, minlength=7).min() > 20_000 / 7 - 4 * math.sqrt(20_000 / 7)
    for field in (-0.5, 0.0, 0.9):
        p = 1 / (1 + math.exp(-2 * field / 0.8))
        assert np.mean(field > thresholds) == pytest.approx(p, abs=4 * math.sqrt(p * (1 - p) / 20_000))
    memories.draw_turns(position, 7, 0.0, 1e-12, sites, thresholds)
    np.testing.assert_allclose(np.abs(thresholds), 1e-12)


def test_what_is_recalled_is_told_with_the_strongest_rival() -> None:
    assert memories.recalled(np.array([0.9, 0.1, -0.3])) == {"overlap": 0.9, "largest_other_overlap": 0.3}
    assert memories.recalled(np.array([0.9])) == {"overlap": 0.9, "largest_other_overlap": 0.0}
