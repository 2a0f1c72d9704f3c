"""Two layers: what is drawn against exact averages, sums over one layer against sums over all states."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.families.bipartite import (
    BITS,
    all_states,
    gaussian_units,
    ising_units,
    log_partition,
    log_two_cosh,
    log_weights,
)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_units_follow_their_fields(kind: type, rng: np.random.Generator) -> None:
    fields = np.repeat(np.array([[-1.5], [0.0], [0.4]], kind), 40_000, axis=1)
    spins = ising_units(fields, 0.8, rng)
    assert spins.dtype == kind
    assert set(np.unique(spins)) == {-1, 1}
    np.testing.assert_allclose(spins.mean(axis=1), np.tanh(fields[:, 0] / 0.8), atol=4 / math.sqrt(40_000))
    reals = gaussian_units(fields, 2.0, 0.8, rng)
    assert reals.dtype == kind
    np.testing.assert_allclose(reals.mean(axis=1), fields[:, 0] / 2, atol=4 * math.sqrt(0.4 / 40_000))
    np.testing.assert_allclose(reals.var(axis=1), 0.4, rtol=4 * math.sqrt(2 / 40_000))


def test_cold_units_obey_and_never_overflow(rng: np.random.Generator) -> None:
    fields = np.array([-1e4, -3.0, 3.0, 1e4], np.float32)
    with np.errstate(all="raise", under="ignore"):
        np.testing.assert_array_equal(ising_units(fields, 1e-3, rng), np.sign(fields))
        np.testing.assert_allclose(log_two_cosh(np.array([-900.0, 0.0, 900.0])), [900, math.log(2), 900])


@pytest.mark.parametrize("shape", [(5, 3), (3, 5)])
def test_sums_over_one_layer_are_sums_over_all_states(shape: tuple[int, int], rng: np.random.Generator) -> None:
    w, a, b = rng.standard_normal(shape), rng.standard_normal(shape[0]), rng.standard_normal(shape[1])
    visible, hidden = all_states(shape[0]), all_states(shape[1])
    logs = visible @ w @ hidden.T + (visible @ a)[:, None] + hidden @ b
    assert log_partition(w, a, b) == pytest.approx(np.log(np.exp(logs).sum()), abs=1e-12)
    np.testing.assert_allclose(log_weights(w, a, b, visible), np.log(np.exp(logs).sum(axis=1)), atol=1e-12)


def test_too_many_units_are_refused() -> None:
    n = BITS + 1
    with pytest.raises(ValueError, match=str(n)):
        log_partition(np.zeros((n, n)), np.zeros(n), np.zeros(n))


def test_alternating_sampling_has_the_averages_of_all_states(rng: np.random.Generator) -> None:
    w = rng.standard_normal((4, 3)) * 0.8
    visible, hidden = all_states(4), all_states(3)
    weight = np.exp(visible @ w @ hidden.T)
    exact = visible.T @ (weight / weight.sum()) @ hidden
    chains = rng.choice(np.array([-1.0, 1.0]), (4000, 4))
    found = np.zeros((4, 3))
    for sweep in range(60):
        units = ising_units(chains @ w, 1.0, rng)
        chains = ising_units(units @ w.T, 1.0, rng)
        if sweep >= 20:
            found += chains.T @ np.tanh(chains @ w) / 4000 / 40
    np.testing.assert_allclose(found, exact, atol=4 / math.sqrt(4000 * 10))
