"""Master equations: elimination, noise, counting and simulation against plain linear algebra."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.linalg import expm, hadamard

from mfexplore.families import master_equation as me
from mfexplore.numerics.chance.random import new_stream


@pytest.fixture
def process(rng: np.random.Generator) -> me.Jumps:
    """Seven states, every jump between them at a random rate, some of which are counted."""
    source, target = np.nonzero(~np.eye(7, dtype=bool))
    order = rng.permutation(source.size)
    return me.jumps(source[order], target[order], rng.integers(-1, 2, 42), rng.exponential(size=42), 7)


def tilted(process: me.Jumps, field: complex) -> np.ndarray:
    dense = np.zeros((7, 7), complex)
    np.add.at(dense, (process.source, process.target), process.rate * np.exp(field * process.steps))
    return dense - np.diag(process.matrix().sum(axis=1))


def largest(process: me.Jumps, field: float) -> float:
    return float(np.linalg.eigvals(tilted(process, field)).real.max())


def test_elimination_finds_the_null_vector(process: me.Jumps) -> None:
    law = me.stationary_law(process)
    assert law.sum() == pytest.approx(1)
    np.testing.assert_allclose(law @ process.generator(), 0, atol=1e-14)


def test_rare_states_have_full_accuracy() -> None:
    """A ladder down to probabilities of 1e-60, by detailed balance."""
    n = np.arange(6)
    ladder = me.jumps(
        np.r_[n[:-1], n[1:]], np.r_[n[1:], n[:-1]], np.zeros(10), np.r_[np.full(5, 1e-12), np.full(5, 1.0)], 6
    )
    np.testing.assert_allclose(me.stationary_law(ladder), 1e-12**n * (1 - 1e-12), rtol=1e-11)


def test_noise_is_the_curvature_of_the_process_free_energy(process: me.Jumps) -> None:
    law, step = np.empty(7), 1e-3
    mean, variance = me.stationary_counts(process, np.empty((8, 7)), law)
    below, here, above = (largest(process, field) for field in (-step, 0.0, step))
    assert mean == pytest.approx((above - below) / (2 * step), rel=1e-5)
    assert variance == pytest.approx((above - 2 * here + below) / step**2, rel=1e-5)
    np.testing.assert_allclose(law, me.stationary_law(process), rtol=1e-13)


def test_process_free_energy_is_the_largest_eigenvalue(process: me.Jumps) -> None:
    fields = np.linspace(-6, 6, 13)
    expected = [largest(process, field) for field in fields]
    np.testing.assert_allclose(me.process_free_energy(process, fields), expected, rtol=1e-10, atol=1e-10)


def test_counting_law_is_a_fourier_transform(process: me.Jumps) -> None:
    start, reach = np.eye(7)[2], 40
    law = me.counting_law(process, start, 1.7, reach)
    angles = 2 * np.pi * np.arange(128) / 128
    transform = np.array([start @ expm(1.7 * tilted(process, 1j * angle)) for angle in angles])
    counts = np.arange(-reach, reach + 1)
    expected = np.einsum("ak,as->sk", np.exp(-1j * np.outer(angles, counts)), transform).real / 128
    np.testing.assert_allclose(law, expected, atol=1e-12)
    np.testing.assert_allclose(law.sum(axis=1), start @ expm(1.7 * process.generator()), atol=1e-12)


def test_entropy_production_is_current_times_affinity() -> None:
    """Three states in a circle: uniform, a net flux of (k+ - k-)/3 through each of three links."""
    n = np.arange(3)
    ring = me.jumps(np.r_[n, n], np.r_[(n + 1) % 3, (n - 1) % 3], np.zeros(6), np.repeat([2.0, 0.5], 3), 3)
    law = me.stationary_law(ring)
    assert me.entropy_production(ring.matrix(), law) == pytest.approx(1.5 * np.log(4))
    one_way = np.where(ring.matrix() < 1, 0, ring.matrix())
    assert me.entropy_production(one_way, law) == np.inf


def test_copies_follow_the_law_and_count(process: me.Jumps, rng: np.random.Generator) -> None:
    copies = 40_000
    state, counter = np.full(copies, 2), np.zeros(copies, np.int64)
    seen, stream = np.zeros(process.rate.size, np.int64), new_stream(rng)
    for _ in range(4):
        me.advance(state, counter, seen, me.cumulated(process), 0.3, stream)
    joint = me.counting_law(process, np.eye(7)[2], 1.2, 40)
    found = np.bincount(state, minlength=7) / copies
    np.testing.assert_allclose(found, joint.sum(axis=1), atol=4 * 0.5 / np.sqrt(copies))
    law = joint.sum(axis=0)
    counts = np.arange(-40, 41)
    mean = law @ counts
    spread = np.sqrt(law @ (counts - mean) ** 2 / copies)
    assert counter.mean() == pytest.approx(mean, abs=4 * spread)
    assert counter.sum() == seen @ process.steps


def test_copies_stay_where_nothing_leads_away(rng: np.random.Generator) -> None:
    trap = me.jumps(np.array([0]), np.array([1]), np.array([1]), np.array([3.0]), 2)
    state, counter, seen = np.zeros(50, np.int64), np.zeros(50, np.int64), np.zeros(1, np.int64)
    me.advance(state, counter, seen, me.cumulated(trap), 20.0, new_stream(rng))
    assert (state == 1).all()
    assert (counter == 1).all()


def test_walsh_hadamard_is_a_product_with_hadamard(rng: np.random.Generator) -> None:
    values = rng.normal(size=(3, 16))
    np.testing.assert_allclose(me.walsh_hadamard(values), values @ hadamard(16), atol=1e-13)
