r"""Hidden Markov chains: what noisy observations tell of states and jumps (forward-backward), and of rates of jumps in
continuous time (expectation maximisation).

emission[s, y] is the probability to see y in state s. With the transition matrix $P=e^{Q\Delta}$ of equally spaced
observations the expected numbers $\xi_{ij}$ of transitions are turned into expected jumps and times with one
exponential (Van Loan): for $W_{ij}=\xi_{ij}/P_{ij}$

$$M=\int_0^\Delta e^{Q^Ts}\,W\,e^{Q^T(\Delta-s)}ds,\qquad \langle\text{jumps}\;k\to l\rangle=Q_{kl}M_{kl},\qquad
\langle\text{time in}\;k\rangle=M_{kk}.$$

Sources: Rabiner, Proc. IEEE 77, 257 (1989); Hobolth, Jensen, Stat. Appl. Genet. Mol. Biol. 4, 18 (2005).
"""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.kernel import kernel

TERMS = 13  # of the series of an exponential


@kernel
def smooth(seen, transition, emission, pairs, posterior):
    """Forward-backward for one sequence whose first state may be any, all alike. Returns the log-likelihood.

    seen: int array of shape (n,). pairs: shape (states, states), overwritten with expected numbers of transitions.
    posterior: shape (n, states), overwritten with the probabilities of the states.
    """
    n, states = posterior.shape
    likelihood = 0.0
    for t in range(n):
        total = 0.0
        for j in range(states):
            ahead = 1.0 / states
            if t > 0:
                ahead = 0.0
                for i in range(states):
                    ahead += posterior[t - 1, i] * transition[i, j]
            posterior[t, j] = ahead * emission[j, seen[t]]
            total += posterior[t, j]
        for j in range(states):
            posterior[t, j] /= total
        likelihood += math.log(total)
    pairs[:] = 0.0
    share, before = np.empty(states), np.empty(states)  # of the state after, by what is predicted of it
    for t in range(n - 2, -1, -1):
        for j in range(states):
            ahead = 0.0
            for i in range(states):
                ahead += posterior[t, i] * transition[i, j]
            share[j] = posterior[t + 1, j] / ahead if ahead > 0.0 else 0.0
        for i in range(states):
            whole = 0.0
            for j in range(states):
                both = posterior[t, i] * transition[i, j] * share[j]
                pairs[i, j] += both
                whole += both
            before[i] = whole
        for i in range(states):
            posterior[t, i] = before[i]
    return likelihood


@kernel
def smooth_all(seen, transitions, emission, pairs, likelihoods):
    """The same for sequences of shape (sequences, n), each with a transition matrix of its own."""
    posterior = np.empty((seen.shape[1], transitions.shape[1]))
    for k in range(seen.shape[0]):
        likelihoods[k] = smooth(seen[k], transitions[k], emission, pairs[k], posterior)


def exponentials(matrices: Array) -> Array:
    """Exponentials of many small matrices at once, shape (n, k, k): a series of a part of each, squared again."""
    norm = float(np.abs(matrices).sum(axis=2).max(initial=0.0))
    squarings = max(0, math.ceil(math.log2(max(norm, 1e-300) / 0.5)))
    part, unit = matrices / 2.0**squarings, np.eye(matrices.shape[1])
    found = unit + part / TERMS
    for k in range(TERMS - 1, 0, -1):
        found = unit + part @ found / k
    for _ in range(squarings):
        found = found @ found
    return np.asarray(found)


def more_likely_rates(rates: Array, seen: Array, emission: Array, spacing: float) -> tuple[Array, Array]:
    """One step of expectation maximisation for many sequences at once.

    Args:
        rates: from row to column, shape (sequences, states, states), zero on the diagonal; those that are zero stay so.
        seen: int array of shape (sequences, n).
        spacing: time between observations.

    Returns:
        (new rates, log-likelihoods of the old ones, shape (sequences,)); no step lowers a likelihood.
    """
    count, states = rates.shape[:2]
    generator = rates - rates.sum(axis=2)[..., None] * np.eye(states)
    transitions = np.maximum(exponentials(spacing * generator), 1e-300)
    pairs, likelihoods = np.empty_like(rates), np.empty(count)
    smooth_all(seen, transitions, emission, pairs, likelihoods)
    block = np.zeros((count, 2 * states, 2 * states))
    block[:, :states, :states] = block[:, states:, states:] = generator.transpose(0, 2, 1)
    weight = pairs / transitions
    weight /= np.maximum(weight.max(axis=(1, 2), keepdims=True), 1e-300)  # only ratios matter
    block[:, :states, states:] = weight
    spent = np.maximum(exponentials(spacing * block)[:, :states, states:], 0.0)
    return rates * spent / np.maximum(np.einsum("kss->ks", spent), 1e-300)[..., None], likelihoods
