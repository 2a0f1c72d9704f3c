"""Hidden chains: sums over all paths, and likelihoods that only rise."""

from __future__ import annotations

import itertools

import numpy as np
from scipy.linalg import expm

from mfexplore.families.hidden_chain import exponentials, more_likely_rates, smooth

EMISSION = np.array([[0.8, 0.1, 0.1], [0.2, 0.7, 0.1], [0.05, 0.05, 0.9]])


def test_forward_backward_is_a_sum_over_all_paths(rng: np.random.Generator) -> None:
    transition, seen = rng.dirichlet(np.ones(3), 3), np.array([0, 2, 1, 1, 0])
    pairs, posterior = np.empty((3, 3)), np.empty((5, 3))
    likelihood = smooth(seen, transition, EMISSION, pairs, posterior)
    total, expected, states = 0.0, np.zeros((3, 3)), np.zeros((5, 3))
    for path in itertools.product(range(3), repeat=5):
        weight = np.prod([EMISSION[s, y] for s, y in zip(path, seen, strict=True)]) / 3
        weight *= np.prod([transition[i, j] for i, j in itertools.pairwise(path)])
        total += weight
        for t, s in enumerate(path):
            states[t, s] += weight
        for i, j in itertools.pairwise(path):
            expected[i, j] += weight
    assert np.isclose(likelihood, np.log(total))
    np.testing.assert_allclose(posterior, states / total, rtol=1e-12)
    np.testing.assert_allclose(pairs, expected / total, rtol=1e-12)


def test_exponentials_are_those_of_scipy(rng: np.random.Generator) -> None:
    matrices = rng.normal(size=(5, 4, 4)) * np.array([0.0, 0.01, 1.0, 3.0, 9.0])[:, None, None]
    np.testing.assert_allclose(exponentials(matrices), expm(matrices), rtol=1e-9, atol=1e-10)


def test_rates_become_more_likely_until_nothing_changes(rng: np.random.Generator) -> None:
    rates = np.array([[0.0, 1.0, 0.5], [2.0, 0.0, 0.0], [0.3, 1.0, 0.0]])  # one way is closed
    transition = expm(0.4 * (rates - np.diag(rates.sum(axis=1))))
    seen = np.empty((4, 3000), np.int64)
    for row in seen:
        s = 0
        for t in range(3000):
            s = rng.choice(3, p=transition[s])
            row[t] = rng.choice(3, p=EMISSION[s])
    found, likelihoods = np.repeat([(rates > 0) * 1.0], 4, axis=0), []
    for _ in range(150):
        found, likelihood = more_likely_rates(found, seen, EMISSION, 0.4)
        likelihoods.append(likelihood)
    assert (np.diff(likelihoods, axis=0) > -1e-8).all()
    assert np.abs(likelihoods[-1] - likelihoods[-2]).max() < 0.02
    assert (found[:, 1, 2] == 0).all()
    np.testing.assert_allclose(found.mean(axis=0), rates, atol=0.35)


def test_complete_data_give_jumps_over_time(rng: np.random.Generator) -> None:
    """Seen clearly and often, rates are numbers of jumps over time spent."""
    p = np.array([[0.995, 0.005], [0.01, 0.99]])
    seen = np.zeros((1, 20_000), np.int64)
    for t in range(1, 20_000):
        seen[0, t] = rng.choice(2, p=p[seen[0, t - 1]])
    rates = np.array([[[0.0, 1.0], [1.0, 0.0]]])
    for _ in range(30):
        rates, _ = more_likely_rates(rates, seen, np.eye(2), 0.01)
    up = np.sum(np.diff(seen[0]) == 1) / (0.01 * np.sum(seen[0] == 0))
    assert np.isclose(rates[0, 0, 1], up, rtol=0.02)
