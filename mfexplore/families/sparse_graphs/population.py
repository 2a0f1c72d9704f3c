"""Population dynamics: a distribution of messages on an infinite sparse random graph, as a crowd of samples.

One message arrives from a spin whose other neighbours send k messages of their own: a fixed number, or a Poisson number
(Mezard and Parisi 2001). Messages are fields of +-1 couplings at inverse temperature beta.
"""

from __future__ import annotations

import math

from mfexplore.families.lattice_spins.bethe_lattice import log_cosh
from mfexplore.numerics.kernel import kernel


@kernel
def message(cavity, beta):
    """Field that a spin with a cavity field passes through a coupling of +1: artanh(tanh beta tanh beta h) / beta."""
    return 0.5 * (log_cosh(beta * (1.0 + cavity)) - log_cosh(beta * (1.0 - cavity))) / beta


@kernel
def drawn_sum(population, number, poissonian, rng):
    """Sum of `number` random members, or of a Poisson number of that mean. Returns (sum, how many)."""
    count = rng.poisson(number) if poissonian else int(number)
    total = 0.0
    for _ in range(count):
        total += population[int(rng.random() * population.size)]
    return total, count


@kernel
def renew(population, number, poissonian, beta, field, flipped, updates, rng):
    """Replace `updates` random members, each by the message of a spin with `number` others; in place.

    flipped: share of couplings -1.
    """
    for _ in range(updates):
        total, _ = drawn_sum(population, number, poissonian, rng)
        u = message(field + total, beta)
        if rng.random() < flipped:
            u = -u
        population[int(rng.random() * population.size)] = u


@kernel
def survey(population, number, cavities, poissonian, beta, field, draws, rng):
    """Averages over spins and edges built from random members.

    number: neighbours of a spin; cavities: neighbours of a spin met along an edge, besides that edge.
    Returns (magnetization, overlap, energy, free energy).
    """
    m, q, pairs, gain = 0.0, 0.0, 0.0, 0.0
    bond = math.tanh(beta)
    for _ in range(draws):
        total, count = drawn_sum(population, number, poissonian, rng)
        site = math.tanh(beta * (field + total))
        m += site
        q += site * site
        gain += log_cosh(beta * (field + total)) + 0.6931471805599453
        gain += count * log_cosh(beta)
        # An edge: one end with its other neighbours, and the message that comes along the edge
        total, _ = drawn_sum(population, cavities, poissonian, rng)
        u = population[int(rng.random() * population.size)]
        h = field + total
        product = math.tanh(beta * h) * math.tanh(beta * u)
        pairs += bond + (1.0 - bond * bond) / bond * product / (1.0 + product)
        edge = log_cosh(beta) + log_cosh(beta * (h + u)) - log_cosh(beta * h) - log_cosh(beta * u)
        gain -= 0.5 * number * (edge + 2.0 * log_cosh(beta * u))
    m, q, pairs, gain = m / draws, q / draws, pairs / draws, gain / draws
    return m, q, -0.5 * number * pairs - field * m, -gain / beta
