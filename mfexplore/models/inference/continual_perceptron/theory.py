"""Kernels of the theory: the recursion (4)-(5), its course and its end."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import erf, log_ndtr, ndtr

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.message_passing.bayes_optimal import BayesOptimal
from mfexplore.numerics.functions.elementary import exp, log, log1p, normal_tail
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.inference.continual_perceptron import ContinualPerceptron

CERTAIN = 1e-8  # 1 - q below which the second teacher is found
REACH = 7.6  # of a standard normal variable: beyond are 3e-14
MOST = 4000  # steps of the recursion
SQRT_2PI = math.sqrt(2.0 * math.pi)


class Memory(NamedTuple):
    """What the first task left: its strength lambda, the signal-to-noise ratio R_1 and the similarity r_0."""

    strength: float
    snr: float
    similarity: float


class Weights(NamedTuple):
    """Averages of eq. (4) over the field of a weight: q, 1 - q, the overlaps, q - m_2^2, and the means of ln 2cosh h
    and sech^4 h.
    """

    overlap: float
    other: float
    first: float
    second: float
    spread: float
    log_cosh: float
    quartic: float


class Answers(NamedTuple):
    """Averages of eq. (5) over a question, all per unit of load: q^, m^, the last term of (3), and the mean square of
    the slope of the output function.
    """

    noise: float
    pull: float
    potential: float
    quartic: float


@kernel
def weights_at(memory, pull, noise):
    """The `Weights` at the pull m^ and the noise q^ of the second task. Sums by the trapezoid rule, whose error falls
    exponentially in the step, also that of the field: tanh h is analytic for |Im h| < pi/2.
    """
    deviation = math.sqrt(memory.strength * memory.strength * memory.snr + noise)
    step = min(0.5, 0.33 / deviation) if deviation > 0.0 else 0.5
    half = int(REACH / step) + 1
    q = v = m1 = m2 = c = f = missing = square = 0.0
    for agree in range(2):
        s = 1.0 if agree else -1.0
        share = 0.5 * (1.0 + s * memory.similarity)
        centre = s * memory.strength * memory.snr + pull
        tt = t1 = s2 = lc = s4 = r1 = r2 = 0.0
        for k in range(-half, half + 1):
            z = k * step
            h = centre + deviation * z
            e = exp(-2.0 * abs(h))
            d = 1.0 / (1.0 + e)
            t = math.copysign((1.0 - e) * d, h)
            sech2 = 4.0 * e * d * d
            rest = 2.0 * d * (e if h > 0.0 else 1.0)  # 1 - tanh h
            w = exp(-0.5 * z * z)
            tt += w * t * t
            t1 += w * t
            r1 += w * rest
            r2 += w * rest * rest
            s2 += w * sech2
            lc += w * (abs(h) + log1p(e))
            s4 += w * sech2 * sech2
        share *= step / SQRT_2PI
        q += share * tt
        v += share * s2
        m2 += share * t1
        m1 += share * s * t1
        missing += share * r1
        square += share * r2
        c += share * lc
        f += share * s4
    spread = q - m2 * m2 if q < 0.5 else square - missing * missing  # the same, by what is not lost to rounding
    return Weights(q, v, m1, m2, spread, c, f)


@kernel
def answers_at(weights):
    """The `Answers` where 1 - q > 0."""
    overlap, other, rest = weights.overlap, weights.other, weights.spread
    to_teacher = weights.second / math.sqrt(rest) if rest > 0.0 else 0.0  # c = to_teacher x, x standard normal
    to_student = math.sqrt(overlap / other)  # u = to_student x
    step = 0.45 / max(1.0, to_student, abs(to_teacher))
    last = int(REACH / math.sqrt(1.0 + to_student * to_student) / step) + 1
    first = -int(REACH / math.sqrt(1.0 + to_teacher * to_teacher) / step) - 1
    if to_teacher < 0.0:
        first, last = -int(REACH / step) - 1, int(REACH / step) + 1
    q = m = p = f = 0.0
    for k in range(first, last + 1):
        x = k * step
        u, c = to_student * x, to_teacher * x
        mass, hazard = normal_tail(-u)
        true, _ = normal_tail(-c)
        w = exp(-0.5 * x * x)
        slope = hazard * (hazard + u)
        q += w * true * hazard * hazard
        m += w * exp(-0.5 * c * c) * hazard
        p += w * true * log(mass)
        f += w * true * slope * slope
    scale = 2.0 * step / SQRT_2PI
    spread = math.sqrt(other * rest / overlap) if overlap > 0.0 else 1.0
    return Answers(scale * q / other, scale * m / SQRT_2PI / spread, scale * p, scale * f / (other * other))


@kernel
def free_entropy(weights, pull, noise, potential):
    """Eq. (3); potential: its last term."""
    return weights.log_cosh - pull * weights.second - 0.5 * noise * weights.other + potential


@kernel
def step_from(memory, load, pull, noise):
    """One step of the recursion (4)-(5): (m^, q^, 1 - q before it)."""
    w = weights_at(memory, pull, noise)
    if w.other < CERTAIN:
        return pull, noise, w.other
    a = answers_at(w)
    return load * a.pull, load * a.noise, w.other


@kernel
def settle(memory, load):
    """Where the recursion ends from the memory alone: (m^, q^, residual, steps); infinite m^ at the teacher.

    Newton's method takes over near the end, but only where it improves tenfold: it must not leap over a fixed point.
    """
    pull = noise = 0.0
    residual = math.inf
    for count in range(1, MOST):
        new_pull, new_noise, other = step_from(memory, load, pull, noise)
        if other < CERTAIN:
            return math.inf, math.inf, 0.0, count
        a, b = new_pull - pull, new_noise - noise
        residual = (abs(a) + abs(b)) / (new_noise + abs(new_pull))
        if residual < 1e-13:
            break
        pull, noise = new_pull, new_noise
        if count % 5 == 0 and residual < 0.02:
            a0, b0, _ = step_from(memory, load, pull, noise)
            h = 1e-6 * noise
            a1, b1, _ = step_from(memory, load, pull + h, noise)
            a2, b2, _ = step_from(memory, load, pull, noise + h)
            aa, ba, ab, bb = (a1 - a0) / h - 1.0, (b1 - b0) / h, (a2 - a0) / h, (b2 - b0) / h - 1.0
            determinant = aa * bb - ab * ba
            a, b = a0 - pull, b0 - noise
            move_pull, move_noise = (ab * b - bb * a) / determinant, (ba * a - aa * b) / determinant
            if determinant > 0.0 and aa + bb < 0.0 and abs(move_noise) < 0.5 * noise:  # plain steps converge here
                a3, b3, _ = step_from(memory, load, pull + move_pull, noise + move_noise)
                after = abs(a3 - pull - move_pull) + abs(b3 - noise - move_noise)
                if after < 0.1 * (abs(a) + abs(b)):
                    pull, noise = a3, b3
    return pull, noise, residual, count


class State(NamedTuple):
    """What `learn` writes, each of shape (n,): overlaps q, m_1 and m_2, p, V, Phi, the replicon eigenvalue, residual,
    steps.
    """

    overlap: Array
    first: Array
    second: Array
    memory: Array
    entropy: Array
    free_entropy: Array
    replicon: Array
    residual: Array
    steps: Array


@kernel
def learn(strength, snr, similarity, load, out):
    """The state `out` of the student at n points. The strength may be negative."""
    for i in range(load.size):
        memory = Memory(strength[i], snr[i], similarity[i])
        pull, noise, out.residual[i], out.steps[i] = settle(memory, load[i])
        if noise == math.inf:
            out.overlap[i] = out.second[i] = out.replicon[i] = 1.0
            out.first[i] = memory.similarity
            out.memory[i] = memory.snr * memory.similarity
            out.entropy[i] = 0.0
            out.free_entropy[i] = memory.strength * out.memory[i]
            continue
        w = weights_at(memory, pull, noise)
        a = answers_at(w)
        out.overlap[i], out.first[i], out.second[i] = w.overlap, w.first, w.second
        out.memory[i] = memory.snr * (w.first + memory.strength * w.other)
        out.free_entropy[i] = free_entropy(w, pull, noise, load[i] * a.potential)
        out.entropy[i] = out.free_entropy[i] - memory.strength * out.memory[i]
        out.replicon[i] = 1.0 - load[i] * a.quartic * w.quartic


@kernel
def fill_path(memory, loads, path):
    """The recursion while examples arrive: loads of shape (n,), path (n + 1, 5) with q, m_1, m_2, m^, q^ after each."""
    pull = noise = 0.0
    for t in range(loads.size + 1):
        w = weights_at(memory, pull, noise)
        path[t, 0], path[t, 1], path[t, 2], path[t, 3], path[t, 4] = w.overlap, w.first, w.second, pull, noise
        if t < loads.size:
            pull, noise, _ = step_from(memory, loads[t], pull, noise)


def first_snr(load: Array) -> Array:
    """R_1 of eq. (1), shape (n,)."""
    different, place = np.unique(load, return_inverse=True)
    log_snr = BayesOptimal("binary", "sign").at(np.zeros(different.size)).solve(different)[:, 1]
    return np.asarray(np.exp(log_snr)[place])


def error_before(snr: Array) -> Array:
    """The error on the first task when it has just been learnt."""
    overlap = np.array([weights_at(Memory(0.0, 0.0, 1.0), r, r).second for r in snr])
    return error_of(overlap, overlap)


def mean_size(snr: Array) -> Array:
    """The mean of |theta|."""
    return np.asarray(snr * erf(np.sqrt(0.5 * snr)) + np.sqrt(2 * snr / math.pi) * np.exp(-0.5 * snr))


def fill(memory: Memory, loads: Array) -> Array:
    """The path of `fill_path`."""
    path = np.empty((loads.size + 1, 5))
    fill_path(memory, loads, path)
    return path


def error_of(overlap: Array, square: Array) -> Array:
    """Eq. (6), from m_a and q; a student without weights guesses."""
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(square > 0, overlap / np.sqrt(square), 0.0)
    return np.asarray(np.arccos(np.clip(cosine, -1.0, 1.0)) / math.pi)


PACE = 0.02  # examples per weight that arrive in one iteration
CELLS = 12  # of a control, in which a change of sign is looked for
NEAR = 1e-3  # distance in memory strength for a slope
SETTLING = 40  # iterations after the last example of the first task


def root(function: Callable[[Array, Array], Array], made: core.Control, count: int) -> tuple[Array, Array]:
    """Where each of so many functions of a control first changes sign, and whether it does. A function is NaN where the
    second teacher is found: at the jump to him there is no root, and coming near it takes long.
    """
    grid = np.linspace(*made.bounds, CELLS + 1)
    values = function(np.tile(grid, count), np.repeat(np.arange(count), grid.size)).reshape(count, -1)
    changes = values[:, :-1] * values[:, 1:] < 0
    found = np.asarray(changes.any(axis=1))
    rows = np.flatnonzero(found)
    roots, at = np.full(count, made.bounds[0]), changes.argmax(axis=1)[rows]
    ends = values[rows, at], values[rows, at + 1]
    roots[rows] = bracketed_roots(lambda x, k: function(x, rows[k]), grid[at], grid[at + 1], ends, tolerance=1e-10)
    return roots, found


@lru_cache(maxsize=64)
def trade_off(model: ContinualPerceptron) -> tuple[Array, Array, Array]:
    strengths = np.linspace(*model.control("memory").bounds, 41)
    state = model.student({name: np.array([value]) for name, value in model.values().items()}, memory=strengths)
    return strengths, error_of(state.first, state.overlap), error_of(state.second, state.overlap)


def path(model: ContinualPerceptron, steps: int) -> Array:
    """Rows (q, m_1, m_2, m^, q^, R_1) after 0 .. steps iterations; R_1 and m^ are 0 in the first task."""
    tasks, loads = (np.array(column) for column in zip(*map(model.schedule, range(steps)), strict=True))
    first = fill(Memory(0.0, 0.0, 1.0), loads[tasks == 1])
    second = fill(Memory(model.memory, first[-1, 4], model.similarity), loads[tasks == 2])
    early = np.column_stack([first, np.zeros(len(first))])
    early[:, 2] *= model.similarity
    late = np.column_stack([second, np.full(len(second), first[-1, 4])])[1:]
    return np.concatenate([early, late])


def answers_again(square: float, overlap: float) -> tuple[float, float, float]:
    """q^, m^ and the last term of (3) per unit of load, by sums over a grid instead of the kernels above."""
    x = 9 * np.sinh(np.linspace(-12, 12, 16001)) / math.sinh(12)  # dense where u and c vary
    normal = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) * np.gradient(x)
    rest = 1 - overlap**2 / square
    u, c = x * math.sqrt(square / (1 - square)), x * overlap / math.sqrt(square * rest)
    g = np.exp(-0.5 * u * u - log_ndtr(u)) / math.sqrt(2 * math.pi)
    phi = np.exp(-0.5 * c * c) / math.sqrt(2 * math.pi)
    noise = 2 * normal @ (ndtr(c) * g * g) / (1 - square)
    pull = 2 * normal @ (phi * g) / math.sqrt((1 - square) * rest)
    return float(noise), float(pull), float(2 * normal @ (ndtr(c) * log_ndtr(u)))


def fields(model: ContinualPerceptron, steps: int) -> tuple[core.Law, ...]:
    """Laws of the fields of the weights along both teachers, after so many iterations."""
    _, _, _, pull, noise, snr = path(model, steps)[-1]
    first = model.memory * snr
    width = math.sqrt(model.memory**2 * snr + noise)
    if model.schedule(steps - 1)[0] == 1:
        first, pull = noise, 0.0  # R_1 so far
    x = np.linspace(-5 * width - abs(first) - abs(pull), 5 * width + abs(first) + abs(pull), 401)
    found = []
    for name, own, other in (("first_field", first, pull), ("second_field", pull, first)):
        density = sum(
            0.5 * (1 + s * model.similarity) * np.exp(-0.5 * ((x - own - s * other) / width) ** 2) for s in (1, -1)
        ) / (width * math.sqrt(2 * math.pi))
        found.append(core.Law(name, x, density, "two normal ones, for weights in which the teachers agree or not"))
    return tuple(found)
