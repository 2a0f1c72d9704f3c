"""Ising spins with couplings +-1 on a given graph: belief propagation, what it says of the energy, and heat bath.

links: see `graphs.Links`; couplings: of the edge at every end, float64 of shape (2 edges,).
"""

from __future__ import annotations

import math

from mfexplore.families.lattice_spins.bethe_lattice import LN2, log_cosh
from mfexplore.numerics.functions.elementary import exp, log1p
from mfexplore.numerics.kernel import kernel


@kernel
def pass_messages(links, couplings, beta, field, damping, messages, cavities):
    """One parallel step of belief propagation. Message k is what arrives at the node to which end k belongs; returns
    the largest change before damping. couplings: of the edge at every end; cavities: scratch, shape of messages.
    """
    starts, reverse = links.starts, links.reverse
    for i in range(starts.size - 1):
        total = field
        for k in range(starts[i], starts[i + 1]):
            total += messages[k]
        for k in range(starts[i], starts[i + 1]):
            cavities[k] = total - messages[k]
    for k in range(cavities.size):
        a, b = abs(beta * (1.0 + cavities[k])), abs(beta * (1.0 - cavities[k]))
        passed = 0.5 * (a - b + log1p(exp(-2.0 * a)) - log1p(exp(-2.0 * b))) / beta
        cavities[k] = couplings[k] * passed
    change = 0.0
    for k in range(cavities.size):
        new = cavities[reverse[k]]
        change = max(change, abs(new - messages[k]))
        messages[k] = (1.0 - damping) * new + damping * messages[k]
    return change


@kernel
def bethe_averages(links, beta, field, messages, means):
    """(energy, free energy) per node by Bethe's free energy, and the m_i into `means`."""
    starts = links.starts
    n = starts.size - 1
    bond = math.tanh(beta)
    pairs, gain, total_m = 0.0, 0.0, 0.0
    for i in range(n):
        total = field
        for k in range(starts[i], starts[i + 1]):
            total += messages[k]
        means[i] = math.tanh(beta * total)
        total_m += means[i]
        gain += LN2 + log_cosh(beta * total) * (1.0 - 0.5 * (starts[i + 1] - starts[i]))
        for k in range(starts[i], starts[i + 1]):
            u = messages[k]
            gain += 0.5 * (log_cosh(beta) - log_cosh(beta * u) + log_cosh(beta * (total - u)))
            product = math.tanh(beta * (total - u)) * math.tanh(beta * u)
            pairs += 0.5 * (bond + (1.0 - bond * bond) / bond * product / (1.0 + product))
    return (-pairs - field * total_m) / n, -gain / (beta * n)


@kernel
def heat_bath(links, couplings, spins, beta, field, sweeps, sums, rng):
    """Heat-bath sweeps over random nodes; adds the spins after each sweep to `sums`."""
    starts, neighbours = links.starts, links.neighbours
    n = spins.size
    for _ in range(sweeps):
        for _ in range(n):
            i = int(rng.random() * n)
            local = field
            for k in range(starts[i], starts[i + 1]):
                local += couplings[k] * spins[neighbours[k]]
            up = rng.random() * (1.0 + math.exp(-2.0 * beta * local)) < 1.0
            spins[i] = 1.0 if up else -1.0
        for i in range(n):
            sums[i] += spins[i]
