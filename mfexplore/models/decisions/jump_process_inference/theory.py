"""What noisy snapshots of two states tell of their rates at best, and an estimator that has learnt beforehand."""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations_with_replacement
from typing import NamedTuple

import numpy as np
from scipy.special import expit, logit

from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, new_stream, uniform
from mfexplore.numerics.kernel import kernel

NODES = 20  # of the posterior, on which functions of it are interpolated
SLICE = 1024  # points solved at once, so that tables stay in the cache
TRAINING, DEGREE = 20_000, 3
FEWEST, MOST = 20, 5000  # observations that the estimator was trained with
MIXING, SHARE, NOISE = (0.03, 5.0), (0.08, 0.92), (0.0, 0.3)  # (a + b) spacing, a/(a + b), error it was trained with
CLEAREST, FAINTEST = 0.98, 0.02  # correlations of neighbouring observations, and shares, that it tells apart


# -- the bound ---------------------------------------------------------------------------------------------------------


def interpolation(nodes: Array, at: Array) -> Array:
    """Barycentric matrix from values at Chebyshev nodes, shape (..., NODES), to places, shape (..., m)."""
    weight = (-1.0) ** np.arange(NODES)
    weight[[0, -1]] /= 2
    gap = at[..., :, None] - nodes[..., None, :]
    at_node = np.abs(gap) < 1e-14
    terms = weight / np.where(at_node, 1.0, gap)
    matrix = terms / terms.sum(axis=-1, keepdims=True)
    alone = at_node / np.maximum(at_node.sum(axis=-1, keepdims=True), 1)
    return np.where(at_node.any(axis=-1, keepdims=True), alone, matrix)


def information(up: Array, down: Array, spacing: Array, error: Array) -> Array:
    """Fisher information [aa, ab, bb] per observation of the rates of two states, seen wrongly with the probability
    `error`: all of shape (n,), gives (n, 3). Exact: see the page.
    """
    parts = [slice(k, k + SLICE) for k in range(0, up.size, SLICE)]
    return np.concatenate([_information(up[k], down[k], spacing[k], error[k]) for k in parts])


def _information(up: Array, down: Array, spacing: Array, error: Array) -> Array:
    total, wrong = (up + down)[:, None], error[:, None]
    a, b, delta = up[:, None], down[:, None], spacing[:, None]
    kept, clear = np.exp(-total * delta), 1 - 2 * wrong
    into = -a / total * np.expm1(-total * delta)
    # Posteriors lie between the fixed points of always seeing 0 and always seeing 1.
    ends = []
    for sign, right in ((1.0, 1 - wrong), (-1.0, wrong)):
        quadratic, linear = sign * clear * kept, (1 - right) + sign * clear * into - right * kept
        root = np.sqrt(linear**2 + 4 * quadratic * right * into)
        ends.append(2 * right * into / (linear + root))
    high, low = ends
    p = low + (high - low) * (1 - np.cos(np.pi * np.arange(NODES) / (NODES - 1))) / 2
    # Slopes with the rates a and b: of the probability to be in state 1 next, where the posterior is p.
    by_a = -b / total**2 * np.expm1(-total * delta) + (a / total - p) * delta * kept
    by_b = a / total**2 * np.expm1(-total * delta) + (a / total - p) * delta * kept
    ahead = into + kept * p
    seen = wrong + clear * ahead
    probability = np.stack([1 - seen, seen], axis=1)  # of seeing 0 or 1
    sharpness = (wrong * (1 - wrong))[:, None] / probability**2  # slope of the new posterior with that ahead
    after = np.stack([wrong * ahead / (1 - seen), (1 - wrong) * ahead / seen], axis=1)
    matrix = interpolation(p[:, None], after)
    weigh = clear**2 / (seen * (1 - seen))
    moved = [(probability * (sharpness * kept[:, None]) ** k)[..., None] * matrix for k in range(3)]
    stay, drift, square = (part.sum(axis=1) for part in moved)
    unit = np.eye(NODES)
    w = np.linalg.solve(unit - square, (weigh * kept**2)[..., None])[..., 0]
    of_w = np.einsum("nyij,nj->nyi", matrix, w)
    again = (probability * sharpness**2 * of_w).sum(axis=1)
    v = {}
    for name, slope in (("a", by_a), ("b", by_b)):
        v[name] = np.linalg.solve(unit - drift, (slope * kept * (weigh + again))[..., None])[..., 0]
    of_v = {k: (probability * sharpness * np.einsum("nyij,nj->nyi", matrix, v[k])).sum(axis=1) for k in v}
    balance = stay.transpose(0, 2, 1) - unit
    balance[:, -1] = 1.0  # the law of the posterior adds up to one
    law = np.linalg.solve(balance, np.eye(NODES)[None, :, -1:].repeat(up.size, axis=0))[..., 0]
    slopes = {"a": by_a, "b": by_b}
    found = []
    for i, j in (("a", "a"), ("a", "b"), ("b", "b")):
        each = slopes[i] * slopes[j] * (weigh + again) + slopes[j] * of_v[i] + slopes[i] * of_v[j]
        found.append((law * each).sum(axis=1))
    return np.stack(found, axis=1)


def covariance_bound(fisher: Array, up: Array, down: Array) -> Array:
    """Least covariance of the logarithms of both rates from one observation: [aa, ab, bb], shape (n, 3)."""
    aa, ab, bb = (fisher * np.stack([up**2, up * down, down**2], axis=1)).T
    determinant = np.maximum(aa * bb - ab**2, 1e-24)  # less is nothing known
    return np.stack([bb, -ab, aa], axis=1) / determinant[:, None]


# -- the amortised estimator -------------------------------------------------------------------------------------------


@kernel
def count(chances, length, stream, found):
    """Simulate two states seen with errors; for each row of chances (into 1, into 0, error) and length, write the
    fractions of ones and of changes into found, shape (n, 2).
    """
    position, drawn = stream[0], 0
    for k in range(length.size):
        into, out, error = chances[k, 0], chances[k, 1], chances[k, 2]
        s = uniform(position, drawn) * (into + out) < into
        ones, changes, before = 0, 0, False
        for t in range(length[k]):
            s = uniform(position, drawn + 2 * t + 1) >= out if s else uniform(position, drawn + 2 * t + 1) < into
            y = s != (uniform(position, drawn + 2 * t + 2) < error)
            ones += y
            changes += t > 0 and y != before
            before = y
        drawn += 2 * length[k] + 1
        found[k, 0], found[k, 1] = ones / length[k], changes / (length[k] - 1)
    stream[0] = advanced(position, drawn)


class Summary(NamedTuple):
    """What the estimator looks at: fraction of ones, fraction of changes, error, number; all of shape (n,)."""

    ones: Array
    changes: Array
    error: Array
    number: Array


def features(summary: Summary) -> Array:
    """All monomials up to DEGREE of the odds of state 1, how fast the correlation of neighbours decays (both as they
    would be without errors), the error and the number.
    """
    clear = 1 - 2 * summary.error
    share = np.clip((summary.ones - summary.error) / clear, FAINTEST, CLEAREST)
    covariance = summary.ones * (1 - summary.ones) - summary.changes / 2
    correlation = np.clip(covariance / (clear**2 * share * (1 - share)), FAINTEST, CLEAREST)
    inputs = [logit(share), np.log(-np.log(correlation)), 6 * summary.error - 1, np.log(summary.number / 300) / 2]
    columns = [np.ones(len(share))]
    for degree in range(1, DEGREE + 1):
        columns += [np.prod(chosen, axis=0) for chosen in combinations_with_replacement(inputs, degree)]
    return np.stack(columns, axis=-1)


@lru_cache(maxsize=1)
def trained() -> Array:
    """Ridge regression on simulated data of processes drawn at random: shape (features, 2)."""
    rng = np.random.default_rng(179)
    mixing = np.exp(rng.uniform(math.log(MIXING[0]), math.log(MIXING[1]), TRAINING))
    share, error = (rng.uniform(low, high, TRAINING) for low, high in (SHARE, NOISE))
    number = np.exp(rng.uniform(math.log(FEWEST), math.log(MOST), TRAINING)).astype(np.int64)
    moved = -np.expm1(-mixing)
    seen = np.empty((TRAINING, 2))
    count(np.stack([share * moved, (1 - share) * moved, error], axis=1), number, new_stream(rng), seen)
    x = features(Summary(seen[:, 0], seen[:, 1], error, number))
    targets = np.stack([np.log(mixing), logit(share)], axis=1)
    return np.asarray(np.linalg.solve(x.T @ x + np.eye(x.shape[1]), x.T @ targets))


def amortised(summary: Summary, spacing: Array) -> Array:
    """Logarithms of both rates at once, shape (n, 2), without looking at the data again."""
    log_mixing, odds = (features(summary) @ trained()).T
    total = log_mixing - np.log(spacing)
    return np.stack([total + np.log(expit(odds)), total + np.log(expit(-odds))], axis=1)


def long_run(up: Array, down: Array, spacing: Array, error: Array) -> tuple[Array, Array]:
    """Mean, shape (n, 2), and covariance per observation, (n, 2, 2), of the fractions of ones and of changes."""
    n, total = up.size, up + down
    moved = -np.expm1(-total * spacing)
    into, out = up / total * moved, down / total * moved
    hidden = np.stack([np.stack([1 - into, into], axis=1), np.stack([out, 1 - out], axis=1)], axis=1)
    emission = np.stack([np.stack([1 - error, error], axis=1), np.stack([error, 1 - error], axis=1)], axis=1)
    # States (s, y), seen one after another: z = 2 s + y.
    law = (np.stack([down, up], axis=1) / total[:, None])[..., None] * emission
    law = law.reshape(n, 4)
    step = np.repeat((hidden[..., None] * emission[:, None]).reshape(n, 2, 4), 2, axis=1)
    y = np.array([0, 1, 0, 1])
    values = np.stack([np.broadcast_to(y, (4, 4)), y[:, None] != y], axis=0).astype(float)  # of z and the next
    mean = np.einsum("nz,nzw,gzw->ng", law, step, values)
    centred = values - mean[:, :, None, None]
    later = np.einsum("nzw,ngzw->nzg", step, centred)
    fundamental = np.linalg.solve(np.eye(4) - step + law[:, None], later)
    now = np.einsum("nz,nzw,ngzw,nhzw->ngh", law, step, centred, centred)
    lagged = np.einsum("nz,nzw,ngzw,nwh->ngh", law, step, centred, fundamental)
    return mean, now + lagged + lagged.transpose(0, 2, 1)


def amortised_error(up: Array, down: Array, spacing: Array, error: Array, number: Array) -> tuple[Array, Array]:
    """(root mean square error of the logarithms of both rates, the part that no data cure), both of shape (n,): how
    fluctuations of what is counted pass through the estimator, and what is left without them.
    """
    mean, covariance = long_run(up, down, spacing, error)
    truth = np.log(np.stack([up, down], axis=1))

    def answer(seen: Array) -> Array:
        return amortised(Summary(seen[:, 0], seen[:, 1], error, number), spacing)

    step = 1e-5 * np.eye(2)
    slopes = np.stack([(answer(mean + e) - answer(mean - e)) / 2e-5 for e in step], axis=-1)
    spread = np.einsum("nig,ngh,nih->ni", slopes, covariance, slopes) / number[:, None]
    bias = answer(mean) - truth
    return np.sqrt((bias**2 + spread).mean(axis=1)), np.sqrt((bias**2).mean(axis=1))


def was_trained(up: Array, down: Array, spacing: Array, error: Array, number: Array) -> Array:
    """Where the estimator has seen processes and data of this kind."""
    mixing, share = (up + down) * spacing, up / (up + down)
    inside = (mixing >= MIXING[0]) & (mixing <= MIXING[1]) & (share >= SHARE[0]) & (share <= SHARE[1])
    return np.asarray(inside & (error <= NOISE[1]) & (number >= FEWEST) & (number <= MOST))
