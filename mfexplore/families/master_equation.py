r"""Master equations of few states: jumps from state to state at given rates, and what is counted along the way.

A system is a list of `Jumps`: where each leads from and to, its rate, and what it counts (+1 or -1 for an ion that
comes in or goes back, say). Row vectors are laws: $\dot p=pQ$. Of what has been counted until the time t, the process
free energy (scaled cumulant generating function)

$$\psi(\lambda)=\lim_{t\to\infty}\frac1t\ln\langle e^{\lambda\,n(t)}\rangle$$

is the largest eigenvalue of the tilted generator, in which every rate is multiplied by $e^{\lambda\,\mathrm{count}}$;
$\psi'(0)$ is the current and $\psi''(0)$ its noise.

Stationary laws are found by the elimination of Grassmann, Taksar and Heyman, which never subtracts: every probability
has full relative accuracy, however rare the state.

Sources: Grassmann, Taksar, Heyman, Oper. Res. 33, 1107 (1985); Noda, Numer. Math. 17, 382 (1971); Touchette, Phys. Rep.
478, 1 (2009).
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.kernel import kernel


class Jumps(NamedTuple):
    """All jumps, sorted by the state they leave: arrays of shape (jumps,).

    source, target: int64 states. steps: int64, what a jump adds to the counter. rate: float64.
    first: int64 of shape (states + 1,): the jumps that leave s are first[s] ... first[s + 1] - 1.
    """

    source: Array
    target: Array
    steps: Array
    rate: Array
    first: Array

    @property
    def states(self) -> int:
        return len(self.first) - 1

    def matrix(self, values: Array | None = None) -> Array:
        """Rates (or other values per jump) as a matrix [from, to], added up; shape (states, states)."""
        dense = np.zeros((self.states, self.states))
        np.add.at(dense, (self.source, self.target), self.rate if values is None else values)
        return dense

    def generator(self) -> Array:
        """Q of shape (states, states), whose rows add up to zero."""
        dense = self.matrix()
        dense[np.diag_indices(self.states)] -= dense.sum(axis=1)
        return dense


def jumps(source: Array, target: Array, count: Array, rate: Array, states: int) -> Jumps:
    """Jumps in any order, sorted."""
    order = np.argsort(source, kind="stable")
    source, target, count = (np.asarray(values, np.int64)[order] for values in (source, target, count))
    first = np.searchsorted(source, np.arange(states + 1)).astype(np.int64)
    return Jumps(source, target, count, np.asarray(rate, np.float64)[order], first)


# -- the stationary law and the noise of what is counted ---------------------------------------------------------------


@kernel
def eliminate(rates, law):
    """The stationary law of an irreducible process, written into `law` of shape (n,).

    rates: shape (n, n), from row to column, the diagonal is not read; overwritten by the factors for `solve_balance`.
    """
    n = law.size
    for k in range(n - 1, 0, -1):
        away = 0.0
        for j in range(k):
            away += rates[k, j]
        rates[k, k] = away
        for i in range(k):
            if rates[i, k] != 0.0:
                share = rates[i, k] / away
                rates[i, k] = share
                for j in range(k):
                    rates[i, j] += share * rates[k, j]
    law[0] = 1.0
    total = 1.0
    for k in range(1, n):
        weight = 0.0
        for i in range(k):
            weight += law[i] * rates[i, k]
        law[k] = weight
        total += weight
    for k in range(n):
        law[k] /= total


@kernel
def solve_balance(factors, law, change):
    """Solve x Q = change for the x of sum zero, overwriting `change` (whose sum is zero, too)."""
    n = law.size
    for k in range(n - 1, 0, -1):
        change[k] /= factors[k, k]
        for j in range(k):
            change[j] += change[k] * factors[k, j]
    change[0] = 0.0
    total = 0.0
    for k in range(1, n):
        x = -change[k]
        for i in range(k):
            x += change[i] * factors[i, k]
        change[k] = x
        total += x
    for k in range(n):
        change[k] -= total * law[k]


@kernel
def stationary_counts(jumps, work, law):
    """The stationary law, written into `law`; returns (psi'(0), psi''(0)): mean and variance of the count, per time.

    work: shape (states + 1, states), overwritten.
    """
    n = law.size
    rates, change = work[:n], work[n]
    rates[:] = 0.0
    change[:] = 0.0
    for k in range(jumps.rate.size):
        rates[jumps.source[k], jumps.target[k]] += jumps.rate[k]
    eliminate(rates, law)
    mean, traffic = 0.0, 0.0
    for k in range(jumps.rate.size):
        flow = law[jumps.source[k]] * jumps.rate[k] * jumps.steps[k]
        change[jumps.target[k]] -= flow
        mean += flow
        traffic += flow * jumps.steps[k]
    for s in range(n):
        change[s] += mean * law[s]
    solve_balance(rates, law, change)
    memory = 0.0
    for k in range(jumps.rate.size):
        memory += change[jumps.source[k]] * jumps.rate[k] * jumps.steps[k]
    return mean, traffic + 2.0 * memory


def stationary_law(process: Jumps) -> Array:
    """The stationary law of an irreducible process, shape (states,)."""
    law = np.empty(process.states)
    eliminate(process.matrix(), law)
    return law


@kernel
def entropy_production(rates, law):
    """Sum over pairs of states of the net flux times the logarithm of the ratio of both fluxes; inf if one is missing.

    rates: shape (n, n), from row to column, the diagonal is not read.
    """
    produced = 0.0
    for i in range(law.size):
        for j in range(i):
            there, back = law[i] * rates[i, j], law[j] * rates[j, i]
            if there != back:
                produced += (there - back) * math.log(there / back) if there > 0.0 and back > 0.0 else math.inf
    return produced


def process_free_energy(process: Jumps, fields: Array) -> Array:
    """The process free energy at counting fields lambda of shape (m,), best in order.

    By Noda's iteration, which comes down quadratically to the largest eigenvalue of a matrix without negative entries
    off its diagonal; each field begins at the vector of the last one. What is counted on the way in may be counted
    anywhere else along the way, or in parts (counts need not be whole): the most even way keeps most digits.
    """
    away = process.matrix().sum(axis=1)
    vector, found = np.ones(process.states), np.empty(len(fields))
    for k, field in enumerate(fields):
        tilted = process.matrix(process.rate * np.exp(field * process.steps)) - np.diag(away)
        gap = 1e-13 * float(np.abs(tilted).max())  # relative to it nothing is known, and a shift by it is not singular
        before = math.inf
        for _ in range(60):
            image = tilted @ vector
            found[k] = image.sum() / vector.sum()
            if abs(found[k] - before) <= gap:
                break
            before = found[k]
            large = vector > 1e-10  # the others have lost their digits
            above = float((image[large] / vector[large]).max())
            vector = np.abs(np.linalg.solve((above + 10 * gap) * np.eye(process.states) - tilted, vector))
            vector /= vector.max()
    return found


# -- in time -----------------------------------------------------------------------------------------------------------


@kernel
def spread(jumps, share, old, new):
    """One step of the uniformised process: `new` = `old` after at most one jump, both of shape (states, counts).

    share: probability of each jump in a step. What is counted beyond the ends is lost.
    """
    width = old.shape[1]
    for s in range(old.shape[0]):
        stay = 1.0
        for k in range(jumps.first[s], jumps.first[s + 1]):
            stay -= share[k]
        for c in range(width):
            new[s, c] = stay * old[s, c]
    for k in range(share.size):
        before, after, shift, part = old[jumps.source[k]], new[jumps.target[k]], jumps.steps[k], share[k]
        for c in range(max(0, -shift), min(width, width - shift)):
            after[c + shift] += part * before[c]


@kernel
def uniformised(jumps, share, mean, steps, old, law):
    """Add to `law` what `old` becomes in a Poissonian number of steps of this mean, at most `steps`. `old` is lost."""
    new = np.empty_like(old)
    log_weight = -mean
    for step in range(steps + 1):
        if step:
            spread(jumps, share, old, new)
            old, new = new, old
            log_weight += math.log(mean / step)
        if step == 0 or log_weight > -40.0:
            weight = math.exp(log_weight)
            for s in range(law.shape[0]):
                for c in range(law.shape[1]):
                    law[s, c] += weight * old[s, c]


def counting_law(process: Jumps, start: Array, duration: float, reach: int) -> Array:
    """Joint probabilities of state and count after a time, by uniformisation; exact up to 1e-14.

    start: law at the beginning, shape (states,). Returns shape (states, 2 reach + 1): counts from -reach to
    reach, which must be as far as anything comes.
    """
    fastest = 1.0001 * float(process.matrix().sum(axis=1).max())
    mean = fastest * duration
    steps = math.ceil(mean + 8 * math.sqrt(mean) + 20) if mean > 0 else 0
    old, law = np.zeros((2, process.states, 2 * reach + 1))
    old[:, reach] = start
    uniformised(process, process.rate / fastest, mean, steps, old, law)
    return np.asarray(law / law.sum())


@kernel
def advance(state, counter, seen, jumps, duration, stream):
    """Many independent copies, event by event (Gillespie), for a time `duration`.

    Args:
        state: int64 array of shape (copies,), overwritten.
        counter: int64 array of shape (copies,), to which the counts are added.
        seen: int64 array of shape (jumps,), in which every jump of every copy is counted.
        jumps: see `Jumps`, with running sums of the rates that leave a state as `rate` (`cumulated`).
        stream: uint64 array of shape (1,) of `numerics.chance.random`, moved on.
    """
    position, drawn = stream[0], 0
    for copy in range(state.size):
        s, counted, left = state[copy], 0, duration
        while True:
            begin, end = jumps.first[s], jumps.first[s + 1]
            total = jumps.rate[end - 1] if end > begin else 0.0
            if total == 0.0:
                break
            left += math.log(1.0 - uniform(position, drawn)) / total
            drawn += 1
            if left <= 0.0:
                break
            pick = uniform(position, drawn) * total
            drawn += 1
            k = begin
            while k < end - 1 and jumps.rate[k] <= pick:
                k += 1
            seen[k] += 1
            counted += jumps.steps[k]
            s = jumps.target[k]
        state[copy] = s
        counter[copy] += counted
    stream[0] = advanced(position, drawn)


def cumulated(process: Jumps) -> Jumps:
    """The same with running sums of the rates that leave each state, as `advance` wants them."""
    running = np.cumsum(process.rate)
    before = np.concatenate([[0.0], running])[process.first[process.source]]
    return process._replace(rate=np.maximum(running - before, 0.0))


def walsh_hadamard(values: Array) -> Array:
    """Sums over s of chi_A(s) values(s) for all 2^n sets A of spins, chi_A the product of the spins in A; O(n 2^n).

    values: shape (..., 2^n); bit i of a state is 1 where spin i is down, bit i of A is 1 where i is in A.
    """
    found = np.array(values, np.float64)
    length = found.shape[-1]
    half = 1
    while half < length:
        pairs = found.reshape(*found.shape[:-1], length // (2 * half), 2, half)
        up, down = pairs[..., 0, :], pairs[..., 1, :]
        found = np.stack([up + down, up - down], axis=-2).reshape(found.shape)
        half *= 2
    return found
