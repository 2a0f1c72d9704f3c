"""Random numbers by position: the known sequence, distributions, independence, no word used twice."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from mfexplore.numerics.chance.random import advanced, fill_normal, fill_uniform, new_stream, normal_pair, random_word
from mfexplore.numerics.kernel import kernel

COUNT = 400_001


@kernel
def words(position, out):
    for i in range(out.size):
        out[i] = random_word(position, i)


@kernel
def pairs(position, out):
    for i in range(out.shape[0]):
        out[i, 0], out[i, 1] = normal_pair(position, i)


@kernel
def moved(position, count):
    return advanced(position, count)


def test_words_are_those_of_splitmix64() -> None:
    """The first words for seed 1234567, as listed with the published C code."""
    out = np.empty(3, np.uint64)
    words(np.uint64(1234567), out)
    assert out.tolist() == [6457827717110365317, 3203168211198807973, 9817491932198370423]


def test_a_stream_goes_on_where_it_stopped() -> None:
    whole, part = np.empty(7, np.uint64), np.empty(4, np.uint64)
    start = np.uint64(99)
    words(start, whole)
    words(moved(start, 3), part)
    assert whole[3:].tolist() == part.tolist()


@pytest.mark.parametrize(("fill", "name"), [(fill_uniform, "uniform"), (fill_normal, "norm")])
def test_distribution(fill: object, name: str, rng: np.random.Generator) -> None:
    stream, x = new_stream(rng), np.empty(COUNT)
    fill(stream, x)  # type: ignore[operator]
    assert stats.kstest(x, name).pvalue > 1e-3
    first = x.copy()
    fill(stream, x)  # type: ignore[operator]
    assert abs(np.corrcoef(first, x)[0, 1]) < 5 / np.sqrt(COUNT)
    assert abs(np.corrcoef(x[1:], x[:-1])[0, 1]) < 5 / np.sqrt(COUNT)


def test_uniform_numbers_stay_below_one_and_fill_many_boxes_evenly(rng: np.random.Generator) -> None:
    stream, x = new_stream(rng), np.empty(COUNT)
    fill_uniform(stream, x)
    assert x.min() >= 0
    assert x.max() < 1
    counts = np.histogram(x, 1000, (0, 1))[0]
    assert stats.chisquare(counts).pvalue > 1e-3


def test_normal_pairs_are_independent_of_each_other_and_have_the_moments(rng: np.random.Generator) -> None:
    out = np.empty((COUNT, 2))
    pairs(new_stream(rng)[0], out)
    for power, mean, variance in ((1, 0, 1), (2, 1, 2), (3, 0, 15), (4, 3, 96)):
        error = np.sqrt(variance / COUNT)
        assert np.abs((out**power).mean(axis=0) - mean).max() < 4.5 * error
    assert abs(np.corrcoef(out[:, 0], out[:, 1])[0, 1]) < 5 / np.sqrt(COUNT)
    assert abs(np.corrcoef(out[:, 0] ** 2, out[:, 1] ** 2)[0, 1]) < 5 / np.sqrt(COUNT)


def test_streams_of_one_generator_differ(rng: np.random.Generator) -> None:
    assert new_stream(rng)[0] != new_stream(rng)[0]
