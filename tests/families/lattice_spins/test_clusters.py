"""Cluster updates against sums over all states, with and without a field."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from mfexplore.families.lattice_spins.clusters import all_clusters, joining, single_clusters
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.space.lattices import neighbourhood


def exact(table: np.ndarray, beta: float, field: float) -> tuple[float, float]:
    """(mean |m|, mean m) over all states, weight exp(beta bonds + field sum)."""
    n = len(table)
    states = np.array(list(itertools.product((-1, 1), repeat=n)))
    bonds = 0.5 * np.einsum("ki,kij->k", states, states[:, table])
    total = states.sum(axis=1)
    weight = np.exp(beta * bonds + field * total)
    weight /= weight.sum()
    return float(weight @ np.abs(total)) / n, float(weight @ total) / n


@pytest.mark.parametrize("field", [0.0, 0.05])
@pytest.mark.parametrize("update", ["single", "all"])
@pytest.mark.parametrize(("name", "cells", "beta"), [("square", 3, 0.35), ("kagome", 2, 0.4), ("diamond", 1, 0.5)])
def test_averages_are_exact(name: str, cells: int, beta: float, update: str, field: float) -> None:
    place = neighbourhood(name, cells)
    n = len(place.kinds)
    rng = np.random.default_rng(5)
    spins, stream = np.ones(n, np.int8), new_stream(rng)
    members, forest = np.zeros(n + 1, np.int32), np.zeros((2, n), np.int32)
    joins_below = joining(np.full(place.shifts.shape[1], -math.expm1(-2 * beta)))
    m = np.empty(40_000)
    for k in range(m.size):
        if update == "single":
            single_clusters(spins, place.kinds, place.shifts, joins_below, field, 2, members, stream)
        else:
            all_clusters(spins, place.kinds, place.shifts, joins_below, field, 1, forest, stream)
        m[k] = spins.mean()
    size, mean = exact(place.table(), beta, field)
    blocks = m.reshape(100, -1)
    for values, expected in ((np.abs(blocks), size), (blocks, mean)):
        error = values.mean(axis=1).std(ddof=1) / 10
        assert values.mean() == pytest.approx(expected, abs=4 * error)


def test_all_bonds_join_everything() -> None:
    place = neighbourhood("cubic", 4)
    n = len(place.kinds)
    stream = new_stream(np.random.default_rng(1))
    spins, members, forest = np.ones(n, np.int8), np.zeros(n + 1, np.int32), np.zeros((2, n), np.int32)
    turned, last = single_clusters(spins, place.kinds, place.shifts, joining(np.ones(6)), 0.0, 1, members, stream)
    assert turned == last == n
    assert (spins == -1).all()
    assert sorted(members[:n].tolist()) == list(range(n))
    assert all_clusters(spins, place.kinds, place.shifts, joining(np.ones(6)), 0.0, 1, forest, stream) == n
    assert abs(int(spins.sum())) == n


def test_a_strong_field_refuses_every_cluster_against_it() -> None:
    place = neighbourhood("square", 4)
    stream = new_stream(np.random.default_rng(1))
    spins, members = np.ones(16, np.int8), np.zeros(17, np.int32)
    turned, _ = single_clusters(spins, place.kinds, place.shifts, joining(np.full(4, 0.5)), 1e3, 50, members, stream)
    assert turned == 0
    assert (spins == 1).all()


@pytest.mark.parametrize("update", ["single", "all"])
@pytest.mark.parametrize("kind", ["by direction", "by bond"])
def test_every_bond_has_a_coupling_of_its_own(kind: str, update: str) -> None:
    """Averages on a box of 3 x 4 cells against the sum over all states."""
    place = neighbourhood("square", (3, 4))
    table = place.table()
    n = len(table)
    rng = np.random.default_rng(8)
    by_site = np.broadcast_to([0.15, 0.15, 0.5, 0.5], (n, 4)).copy()  # right, left, down, up
    if kind == "by bond":
        by_site[:, ::2] = rng.uniform(0.1, 0.6, (n, 2))
        for k in (0, 2):
            by_site[table[:, k], k + 1] = by_site[:, k]
    below = joining(-np.expm1(-2 * (by_site if kind == "by bond" else by_site[0])))
    spins, stream = np.ones(n, np.int8), new_stream(rng)
    members, forest = np.zeros(n + 1, np.int32), np.zeros((2, n), np.int32)
    pairs = np.empty((30_000, 2))
    for step in pairs:
        if update == "single":
            single_clusters(spins, place.kinds, place.shifts, below, 0.0, 2, members, stream)
        else:
            all_clusters(spins, place.kinds, place.shifts, below, 0.0, 1, forest, stream)
        step[:] = spins[0] * spins[table[0, 0]], spins[5] * spins[table[5, 2]]
    states = np.array(list(itertools.product((-1, 1), repeat=n)))
    gain = 0.5 * np.einsum("ki,kij,ij->k", states, states[:, table], by_site)
    weight = np.exp(gain) / np.exp(gain).sum()
    for values, (a, b) in zip(pairs.T, ((0, table[0, 0]), (5, table[5, 2])), strict=True):
        error = values.reshape(100, -1).mean(axis=1).std(ddof=1) / 10
        assert values.mean() == pytest.approx(float(weight @ (states[:, a] * states[:, b])), abs=4 * error)
