"""Theory of Markov logic: the mean-field states of many objects, where they end, and those of a single rule."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import expit

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.numerics.functions.elementary import exp
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.inference.markov_logic import MarkovLogic

EVIDENCE, TRUTH, COLLAPSED = range(3)  # the branches
MOST_EVIDENCE = 4.0
NODES = np.linspace(-8, 8, 65)  # of the trapezoid rule, whose error is below 1e-11 up to s = 3
WEIGHTS = np.exp(-0.5 * NODES**2) / np.exp(-0.5 * NODES**2).sum()
SHARES = np.array([1.0, 0.6, -0.4])  # of A, B and C in the evidence for one rule


class Problem(NamedTuple):
    """What eq. (3) depends on."""

    evidence: float
    noise: float
    weight: float
    share: float  # 1/K


@kernel
def mean_belief(field, noise):
    """The mean of sigma(field + noise z) over normal z, and its derivative by the field."""
    mean, slope = 0.0, 0.0
    for k in range(NODES.size):
        decay = exp(-abs(field + noise * NODES[k]))
        small = decay / (1.0 + decay)
        mean += WEIGHTS[k] * (small if field + noise * NODES[k] < 0.0 else 1.0 - small)
        slope += WEIGHTS[k] * small * (1.0 - small)
    return mean, slope


@kernel
def image(a, b, problem):
    """The right sides of eq. (3) and their derivatives: (a', b', da'/da, da'/db, db'/da, db'/db)."""
    theta, noise, weight, share = problem
    rho = 3.0 * b * b - 2.0 * b
    u = share * (3.0 * a * a - 2.0 * a) + (1.0 - share) * rho
    v = 2.0 * share * (3.0 * a * b - a - b) + (1.0 - 2.0 * share) * rho
    new_a, by_u = mean_belief(theta + weight * u, noise)
    new_b, by_v = mean_belief(-theta + weight * v, noise)
    by_u, by_v = by_u * weight, by_v * weight
    return (
        new_a, new_b, by_u * share * (6.0 * a - 2.0), by_u * (1.0 - share) * (6.0 * b - 2.0),
        by_v * share * (6.0 * b - 2.0), by_v * (share * (6.0 * a - 2.0) + (1.0 - 2.0 * share) * (6.0 * b - 2.0)),
    )  # fmt: skip


@kernel
def newton(a, b, problem):
    """A stable solution of eq. (3) near (a, b), by Newton: (a, b, residual), the last infinite if there is none."""
    first_a, first_b = a, b
    for _ in range(16):
        new_a, new_b, aa, ab, ba, bb = image(a, b, problem)
        f, g = new_a - a, new_b - b
        determinant = (1.0 - aa) * (1.0 - bb) - ab * ba
        if max(abs(f), abs(g)) < 1e-14:
            stable = determinant > 0.0 and aa + bb < 2.0  # both eigenvalues (they are real) below 1
            return a, b, max(abs(f), abs(g)) if stable else math.inf
        a += (f * (1.0 - bb) + ab * g) / determinant
        b += (g * (1.0 - aa) + ba * f) / determinant
        if not max(abs(a - first_a), abs(b - first_b)) < 0.1:
            break
    return a, b, math.inf


@kernel
def settle(a, b, problem):
    """Where slow LogicMP ends that starts at (a, b): (a, b, residual, steps). Newton takes over at the end."""
    change = 1.0
    for step in range(5000):
        new_a, new_b, _, _, _, _ = image(a, b, problem)
        change = max(abs(new_a - a), abs(new_b - b))
        if change < 1e-3:
            end_a, end_b, residual = newton(a, b, problem)
            if residual < 1e-13:
                return end_a, end_b, residual, step
        a += 0.25 * (new_a - a)
        b += 0.25 * (new_b - b)
    return a, b, change, step


@kernel
def start_of(branch, problem):
    """(a, b) from which a branch is reached."""
    if branch == EVIDENCE:
        return mean_belief(problem.evidence, problem.noise)[0], mean_belief(-problem.evidence, problem.noise)[0]
    return 1.0, (0.0 if branch == TRUTH else 1.0)


@kernel
def solve_points(branches, evidence, noise, weight, classes, beliefs, residual, steps):
    """Some branches at many points. beliefs: (a, b) of shape (n, 3, 2); residual, steps: shape (n, 3), NaN where the
    collapsed branch is none of its own.
    """
    for i in range(evidence.size):
        problem = Problem(evidence[i], noise[i], weight[i], 1.0 / classes[i])
        for branch in branches:
            a, b = start_of(branch, problem)
            a, b, residual[i, branch], steps[i, branch] = settle(a, b, problem)
            beliefs[i, branch, 0], beliefs[i, branch, 1] = a, b
            if branch == COLLAPSED and b < 0.5:
                residual[i, COLLAPSED] = math.nan


@kernel
def follow_evidence(branch, noise, weight, classes, ends):
    """The evidence at which a branch ends that is followed from where it surely is (no evidence, or very much for the
    truth), by steps that are halved where there is no solution nearby; NaN where it goes on to the other bound.
    """
    for i in range(noise.size):
        place = MOST_EVIDENCE if branch == TRUTH else 0.0
        longest = -MOST_EVIDENCE / 40.0 if branch == TRUTH else MOST_EVIDENCE / 40.0
        step = longest
        problem = Problem(place, noise[i], weight[i], 1.0 / classes[i])
        a, b = start_of(branch, problem)
        a, b, _, _ = settle(a, b, problem)
        ends[i] = math.nan
        while branch != COLLAPSED or b > 0.5:
            there = min(max(place + step, 0.0), MOST_EVIDENCE)
            if there == place:
                break
            next_a, next_b, residual = newton(a, b, Problem(there, noise[i], weight[i], 1.0 / classes[i]))
            if residual < 1e-13:
                a, b, place = next_a, next_b, there
                step = max(step * 1.5, longest) if longest < 0.0 else min(step * 1.5, longest)
            else:
                step *= 0.5
            if abs(step) < 1e-11:
                ends[i] = place
                break


@one_blas_thread()
def softplus_mean(field: Array, noise: Array) -> Array:
    """L of eq. (5)."""
    return np.asarray(np.logaddexp(0, field[..., None] + noise[..., None] * NODES) @ WEIGHTS)


@one_blas_thread()
def slope_of(field: Array, noise: Array) -> Array:
    """The derivative of the mean belief by its field."""
    belief = expit(field[..., None] + noise[..., None] * NODES)
    return np.asarray((belief * (1 - belief)) @ WEIGHTS)


def consequences(a: Array, b: Array, share: Array) -> tuple[Array, Array]:
    """The pair u, v of eq. (4)."""
    rho = 3 * b * b - 2 * b
    u = share * (3 * a * a - 2 * a) + (1 - share) * rho
    return u, 2 * share * (3 * a * b - a - b) + (1 - 2 * share) * rho


def flipping_points(evidence: Array, noise: Array, weight: Array, classes: Array) -> Array:
    """The damping 2/(1 - lambda) beyond which parallel steps flip, lambda the smallest eigenvalue of the derivative of
    eq. (3) where LogicMP from the evidence ends. All of shape (n,).
    """
    n = evidence.size
    beliefs = np.empty((n, 3, 2))
    alone = np.array([EVIDENCE])
    solve_points(alone, evidence, noise, weight, classes, beliefs, np.empty((n, 3)), np.empty((n, 3), np.int64))
    (a, b), share = beliefs[:, EVIDENCE].T, 1 / classes
    u, v = consequences(a, b, share)
    by_u = weight * slope_of(evidence + weight * u, noise)
    by_v = weight * slope_of(weight * v - evidence, noise)
    aa, bb = by_u * share * (6 * a - 2), by_v * (share * (6 * a - 2) + (1 - 2 * share) * (6 * b - 2))
    product = by_u * by_v * share * (1 - share) * (6 * b - 2) ** 2
    return np.asarray(2 / (1 - 0.5 * (aa + bb - np.sqrt((aa - bb) ** 2 + 4 * product))))


def broken(a: Array, b: Array, share: Array) -> Array:
    """V: what fraction of the rules is broken, by the kinds of the three objects in it."""
    mixed = 2 * a * b * (1 - b) + b * b * (1 - a)
    alike, apart = a * a * (1 - a), b * b * (1 - b)
    return np.asarray(share**2 * alike + share * (1 - share) * mixed + (1 - share) * (1 - 2 * share) * apart)


def layering(a: Array, b: Array, share: Array, by_u: Array, by_v: Array) -> Array:
    """The largest eigenvalue of the derivative of eq. (2) for antisymmetric deviations, eq. (6): of single objects
    within their kind, or of whole kinds. by_u, by_v: slopes of the mean beliefs, times the weight.
    """
    within, between = share * (1 + a), share * (1 + b)
    rest = within + (1 / share - 2) * between
    trace = by_u * within + by_v * rest
    determinant = by_u * by_v * (within * rest - (1 / share - 1) * between**2)
    single = 0.5 * (trace + np.sqrt(np.maximum(trace**2 - 4 * determinant, 0)))
    return np.maximum(single, by_v * (2 * share * (a - b) + 1 + b))


def ascend(start: Array, theta: Array, weight: Array) -> tuple[Array, Array]:
    """Mean field of one rule, one statement after another, which never lowers the bound; beliefs of shape (n, 3), and
    the residual of each point.
    """
    a, b, c = start.T
    change = np.ones(weight.size)
    for _ in range(3000):
        before = a, b, c
        a = expit(theta[:, 0] - weight * b * (1 - c))
        b = expit(theta[:, 1] - weight * a * (1 - c))
        c = expit(theta[:, 2] + weight * a * b)
        change = np.max([np.abs(x - y) for x, y in zip((a, b, c), before, strict=True)], axis=0)
        if change.max() < 1e-14:
            break
    return np.stack([a, b, c], axis=1), change


MEAN_FIELD, EXACT = range(2)
STATES = np.array(np.meshgrid([0, 1], [0, 1], [0, 1], indexing="ij")).reshape(3, 8).T  # of A, B and C


def solve_one_rule(model: MarkovLogic, points: Points) -> core.Solution:
    """A, B and C of a single rule, by mean field and by the sum over their eight states."""
    theta, weight = points["evidence"][:, None] * SHARES, points["rule_weight"]
    n = weight.size
    q = np.full((3, n, 2, 3), np.nan)  # statements, points, methods, branches
    residual = np.full((n, 2, 3), np.nan)
    for branch, start in ((EVIDENCE, expit(theta)), (COLLAPSED, np.ones((n, 3)))):
        beliefs, residual[:, MEAN_FIELD, branch] = ascend(start, theta, weight)
        q[:, :, MEAN_FIELD, branch] = beliefs.T
    same = np.abs(q[:, :, MEAN_FIELD, EVIDENCE] - q[:, :, MEAN_FIELD, COLLAPSED]).max(axis=0) < 1e-6
    residual[same, MEAN_FIELD, COLLAPSED] = np.nan
    log_weight = theta @ STATES.T - weight[:, None] * (STATES @ [1, 1, 0] - STATES[:, 2] == 2)
    total = np.logaddexp.reduce(log_weight, axis=1)
    chance = np.exp(log_weight - total[:, None])
    q[:, :, EXACT, EVIDENCE] = (chance @ STATES).T
    residual[:, EXACT, EVIDENCE] = 0.0
    rule = q[0] * q[1] * (1 - q[2])
    spread = -sum(x * np.log(np.where(x > 0, x, 1)) for x in (q, 1 - q))
    free = np.einsum("ni,inmb->nmb", theta, q) + np.sum(spread, axis=0) - weight[:, None, None] * rule
    rule[:, EXACT, EVIDENCE], free[:, EXACT, EVIDENCE] = chance[:, 6], total
    values = {"belief_a": q[0], "belief_b": q[1], "belief_c": q[2], "broken_rules": rule, "free_entropy": free / 3}
    return core.Solution(values, residual, extra={"apart": np.zeros(n, bool)})


def transition(model: MarkovLogic, points: Points, truth_ends: Array, blurred_ends: Array) -> Array:
    """Where both states have the same free entropy, between the ends of the two."""

    def gain(evidence: Array, rows: Array) -> Array:
        there = {name: column[rows] for name, column in points.items()} | {"evidence": evidence}
        free = model.solve(there).values["free_entropy"][:, MEAN_FIELD]
        return np.asarray(free[:, TRUTH] - free[:, EVIDENCE])

    low = np.where(np.isnan(truth_ends), 0.0, truth_ends + 1e-9)
    high = np.where(np.isnan(blurred_ends), MOST_EVIDENCE, blurred_ends - 1e-9)
    every = np.arange(low.size)
    ends = gain(low, every), gain(high, every)
    crossed = (ends[0] < -1e-12) & (ends[1] > 1e-12)
    found = np.full(low.size, np.nan)
    rows = np.flatnonzero(crossed)
    sides = (ends[0][rows], ends[1][rows])
    found[rows] = bracketed_roots(lambda x, k: gain(x, rows[k]), low[rows], high[rows], sides, tolerance=1e-12)
    return found


def equations_of_one_rule(model: MarkovLogic, state: Mapping[str, Any]) -> dict[str, float]:
    q = [state[f"belief_{x}"] for x in "abc"]
    theta, w = model.evidence * SHARES, model.rule_weight
    if state["method"] == "exact":
        weights = {
            (x, y, z): math.exp(theta @ [x, y, z] - w * (x and y and not z))
            for x in (0, 1) for y in (0, 1) for z in (0, 1)
        }  # fmt: skip
        total = sum(weights.values())
        wanted = [sum(p * s[k] for s, p in weights.items()) / total for k in range(3)]
        free = math.log(total)
    else:
        wanted = list(expit(theta + w * np.array([-q[1] * (1 - q[2]), -q[0] * (1 - q[2]), q[0] * q[1]])))
        entropy = -sum(x * math.log(x) for p in q for x in (p, 1 - p) if x > 0)
        free = theta @ q - w * q[0] * q[1] * (1 - q[2]) + entropy
    gaps = {f"belief {x}": q[k] - wanted[k] for k, x in enumerate("ABC")}
    return gaps | {"free entropy": state["free_entropy"] - free / 3}
