r"""State evolution of a student who knows prior and channel, and what decides between its fixed points.

$$R=\alpha\,I(q),\qquad S=S_P+\alpha\,[\psi(q)-\psi(1)] \tag{1}$$

with $q(R)$ and $S_P$ of the prior, $I$ and $\psi$ of the channel. $S$ is the entropy of the posterior per component.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.message_passing.channels import (
    CHANNELS,
    PHASE,
    effective_noise,
    information_by_snr,
    output_potential,
    phase_table,
)
from mfexplore.families.message_passing.priors import PRIORS, prior_values
from mfexplore.families.message_passing.state_evolution import StateEvolution
from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]


class Problem(NamedTuple):
    """Codes of prior and channel, and the table of the phase channel."""

    prior: int
    channel: int
    table: Array


class State(NamedTuple):
    """Values at n points, each of shape (n,); residual: relative, of the load."""

    overlap: Array
    mean_squared_error: Array
    entropy: Array
    residual: Array


@kernel
def load_of(problem, snr, noise):
    """The load at which R = snr is a fixed point."""
    q, v, _ = prior_values(problem.prior, snr)
    v += noise
    if v == 0.0:
        return 0.0
    information = information_by_snr(problem.channel, q / v, problem.table)
    if problem.channel == PHASE:
        return snr / q * v * (v + q) / information
    return snr * v / information


@kernel
def fill_loads(problem, log_snr, noise, load):
    for i in range(log_snr.size):
        load[i] = load_of(problem, math.exp(log_snr[i]), noise[i])


@kernel
def fill_state(problem, log_snr, load, noise, out):
    """out: a State. log_snr may be infinite."""
    for i in range(log_snr.size):
        snr = math.exp(log_snr[i])
        q, v, entropy = prior_values(problem.prior, snr)
        out.overlap[i], out.mean_squared_error[i] = q, v
        out.residual[i] = 0.0
        if 0.0 < snr < math.inf:
            out.residual[i] = abs(load_of(problem, snr, noise[i]) / load[i] - 1.0)
        total = v + noise[i]
        there = output_potential(problem.channel, math.inf if total == 0.0 else q / total, total, problem.table)
        known = math.inf if noise[i] == 0.0 else 1.0 / noise[i]
        out.entropy[i] = entropy + load[i] * (there - output_potential(problem.channel, known, noise[i], problem.table))


@kernel
def snr_at(problem, q, load, noise):
    """R after a step of state evolution from the overlap q; 1 - q + noise > 0."""
    v = 1.0 - q + noise
    rho = q / v
    information = information_by_snr(problem.channel, rho, problem.table) / v
    if problem.channel == PHASE:
        information *= rho / (1.0 + rho)
    return load * information


@kernel
def fill_landscape(problem, q, load, noise, out):
    """Eq. (1) at any q, with R a step later: what it is stationary in at the fixed points."""
    truth = output_potential(problem.channel, math.inf if noise == 0.0 else 1.0 / noise, noise, problem.table)
    for i in range(q.size):
        v = 1.0 - q[i] + noise
        if v == 0.0:  # the teacher itself: there R is infinite, and only the entropy is left
            out[i] = prior_values(problem.prior, math.inf)[2]
            continue
        snr = snr_at(problem, q[i], load, noise)
        inner, _, entropy = prior_values(problem.prior, snr)
        # psi_P - R q/2 from the entropy part, which has its own q: R (1 - q) / 2 + ...
        potential = output_potential(problem.channel, q[i] / v, v, problem.table) - truth
        out[i] = entropy + 0.5 * snr * (inner - q[i]) + load * potential


@kernel
def evolve_overlap(problem, q, load, noise, path):
    """State evolution from the overlap q, written to path (path[0] = q)."""
    path[0] = q
    for t in range(1, path.size):
        if 1.0 - q + noise > 0.0:
            q = prior_values(problem.prior, snr_at(problem, q, load, noise))[0]
        path[t] = q


@dataclass(frozen=True)
class BayesOptimal(StateEvolution):
    """The state evolution of a prior and a channel, by their words. Its parameter is the noise in the channel."""

    prior: str
    channel: str
    interval = (-14.0, 32.0, 321)

    @property
    def problem(self) -> Problem:
        return Problem(list(PRIORS).index(self.prior), CHANNELS.index(self.channel), phase_table())

    def load(self, log_snr: Array, *parameters: Array) -> Array:
        load = np.empty_like(log_snr)
        fill_loads(self.problem, log_snr, effective_noise(self.channel, parameters[0]), load)
        return load

    def state(self, log_snr: Array, load: Array, noise: Array) -> State:
        """At any ln R, infinite ones included; all of shape (n,)."""
        state = State(*np.empty((4, log_snr.size)))
        fill_state(self.problem, log_snr, load, effective_noise(self.channel, noise), state)
        return state

    def free_entropy(self, log_snr: Array, load: Array, *parameters: Array) -> Array:
        return self.state(log_snr, load, parameters[0]).entropy

    def landscape(self, overlap: Array, load: float, noise: float) -> Array:
        """The free entropy along the overlap, minus that of knowing the teacher."""
        out = np.empty_like(overlap)
        fill_landscape(self.problem, overlap, load, float(effective_noise(self.channel, np.array(noise))), out)
        return out

    def path(self, overlap: float, load: float, noise: float, steps: int) -> Array:
        """The overlap in the course of state evolution, shape (steps + 1,)."""
        path = np.empty(steps + 1)
        evolve_overlap(self.problem, overlap, load, float(effective_noise(self.channel, np.array(noise))), path)
        return path
