"""Flips of fully connected spins and parallel tempering: bookkeeping, exact averages, balance of the ladder."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mfexplore.families.dense_spins import (
    Interaction,
    blank,
    energy,
    local_fields,
    metropolis_sweeps,
    symmetric_couplings,
)
from mfexplore.families.tempering import exchange, ladder
from mfexplore.numerics.chance.random import new_stream


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("size", [1, 31, 32, 33, 150, 2100])
def test_fields_follow_the_flips(binary: bool, size: int, rng: np.random.Generator) -> None:
    rows, unit = symmetric_couplings(size, binary, rng)
    spins, fields = blank(rows)
    spins[:] = rng.choice([-1, 1], size)
    local_fields(rows, spins, fields)
    np.testing.assert_array_equal(fields, spins @ rows.astype(int))
    before = spins.copy()
    flips = metropolis_sweeps(
        Interaction(rows, 0.1 * unit, 0.02, 0.1), spins, fields, np.full(20, 1.0), new_stream(rng)
    )
    assert flips >= np.count_nonzero(before != spins)
    assert set(np.unique(spins)) <= {-1, 1}
    np.testing.assert_array_equal(fields, spins @ rows.astype(int))


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("size", [700, 2100])
def test_couplings_have_variance_one_and_are_symmetric(size: int, binary: bool, rng: np.random.Generator) -> None:
    rows, unit = symmetric_couplings(size, binary, rng)
    square = rows[:, :size]
    np.testing.assert_array_equal(square, square.T)
    assert not square.diagonal().any()
    assert not rows[:, size:].any()
    drawn = unit * rows[np.tril_indices(size, -1)]
    kurtosis = 1.0 if binary else 3.0
    assert abs(drawn.mean()) < 4 / np.sqrt(drawn.size)
    assert abs((drawn**2).mean() - 1) <= 4 * np.sqrt((kurtosis - 1) / drawn.size)
    assert abs((drawn**4).mean() - kurtosis) <= (0 if binary else 4 * np.sqrt(96 / drawn.size))


def test_the_unit_of_the_couplings_does_not_matter(rng: np.random.Generator) -> None:
    """Couplings of +-1 give the same flips whether they are kept as such or as 2048 units of 1/2048."""
    rows, _ = symmetric_couplings(300, True, rng)
    start, stream = rng.choice([-1, 1], len(rows)), new_stream(rng)
    ends = []
    for given, unit in ((rows, 1.0), (2048 * rows.astype(np.int16), 1 / 2048)):
        spins, fields = blank(given)
        spins[:] = start
        local_fields(given, spins, fields)
        temperatures = np.array([2.0, 1.0, 0.5])
        metropolis_sweeps(Interaction(given, unit * 300**-0.5, 0.1, 0.1), spins, fields, temperatures, stream.copy())
        ends.append(spins.tolist())
    assert ends[0] == ends[1] != start.tolist()


def test_zero_temperature_never_climbs(rng: np.random.Generator) -> None:
    rows, unit = symmetric_couplings(100, False, rng)
    scale = 0.1 * unit
    spins, fields = blank(rows)
    spins[:] = rng.choice([-1, 1], 100)
    local_fields(rows, spins, fields)
    stream, last = new_stream(rng), np.inf
    for _ in range(30):
        metropolis_sweeps(Interaction(rows, scale, 0.0, 0.05), spins, fields, np.zeros(1), stream)
        now = energy(Interaction(rows, scale, 0.0, 0.05), spins, fields)
        assert now <= last + 1e-12
        last = now
    assert (spins * (scale * fields[:100] + 0.05) >= -1e-6).all(), "a local minimum is reached"


def test_averages_are_those_of_the_boltzmann_distribution(rng: np.random.Generator) -> None:
    size, scale, shared, field, temperature = 8, 0.4, 0.15, 0.2, 0.9
    rows, _ = symmetric_couplings(size, True, rng)
    states = np.array(list(itertools.product((-1, 1), repeat=size)))
    fields = states @ rows[:, :size].astype(int)
    total = states.sum(axis=1)
    energies = -0.5 * scale * (states * fields).sum(axis=1) - 0.5 * shared * (total**2 - size) - field * total
    checked = [
        energy(Interaction(rows, scale, shared, field), s.astype(np.int16), f.astype(np.int16))
        for s, f in zip(states, fields, strict=True)
    ]
    np.testing.assert_allclose(checked, energies, atol=1e-12)
    weight = np.exp(-energies / temperature)
    weight /= weight.sum()
    (spins, local), stream = blank(rows), new_stream(rng)
    spins[:] = 1
    local_fields(rows, spins, local)
    counts = np.zeros(len(states))
    one = np.full(1, temperature)
    for _ in range(60_000):
        metropolis_sweeps(Interaction(rows, scale, shared, field), spins, local, one, stream)
        counts[int(((spins + 1) // 2) @ (2 ** np.arange(size)[::-1]))] += 1
    found = counts / counts.sum()
    assert abs(found - weight).sum() < 0.05


def test_exchange_keeps_the_joint_distribution(rng: np.random.Generator) -> None:
    """Two-level copies that are redrawn at their own temperature and then traded keep their Boltzmann weights."""
    temperatures = ladder(0.5, 2.0, 4)
    assert temperatures.tolist() == [0.5, 1.0, 1.5, 2.0]
    stream, rates = new_stream(rng), np.full(3, 0.5)
    energies, holder = np.zeros(4), np.arange(4)
    occupied = np.zeros(4)
    rounds = 20_000
    for step in range(rounds):
        if step % 3 == 0:
            excited = rng.random(4) < 1 / (1 + np.exp(1 / temperatures))
            energies[holder] = excited
        exchange(energies, temperatures, holder, step % 2, stream, rates)
        assert sorted(holder) == [0, 1, 2, 3]
        occupied += energies[holder]
    expected = 1 / (1 + np.exp(1 / temperatures))
    np.testing.assert_allclose(occupied / rounds, expected, atol=0.02)
    assert (rates > 0.5).all()
    assert ladder(3.0, 2.0, 3).tolist() == [3.0, 3.0, 3.0]
