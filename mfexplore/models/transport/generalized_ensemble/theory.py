"""Generalized ensembles: which terms an energy may have, and the steady states of master equations with them."""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations

import numpy as np

from mfexplore.core import Array
from mfexplore.families import master_equation as master
from mfexplore.numerics.kernel import kernel

NEEDED = 1e-9  # a coupling below it is none


@lru_cache(maxsize=16)
def terms(process: str, size: int) -> tuple[tuple[int, ...], ...]:
    """What the observables are, but for the constant: sets of spins by their number, or the powers of a position."""
    if process == "walk":
        return tuple((power,) for power in range(1, size))
    return tuple(chosen for order in range(1, size + 1) for chosen in combinations(range(size), order))


@lru_cache(maxsize=16)
def structure(process: str, size: int, arrangement: str) -> tuple[master.Jumps, Array]:
    """All jumps, with which of the rates of `kinds` each has.

    Spins: kind = 6 bath + 3 (spin down) + (number of neighbours up). Walk: up, down, through the gate up and down.
    """
    found = []
    if process == "walk":
        for x in range(size):
            found.append((x, (x + 1) % size, 0 if x < size - 1 else 2))
            found.append(((x + 1) % size, x, 1 if x < size - 1 else 3))
        states = size
    else:
        states = 2**size
        for state in range(states):
            down = [(state >> i) & 1 for i in range(size)]
            for i in range(size):
                bath = i % 2 if arrangement == "alternating" else int(2 * i >= size)
                up = 2 - down[i - 1] - down[(i + 1) % size]
                found.append((state, state ^ (1 << i), 6 * bath + 3 * down[i] + up))
    source, target, kind = np.array(found, np.int64).T
    listed = master.jumps(source, target, np.zeros(len(found), np.int64), kind, states)
    return listed, listed.rate.astype(np.int64)


@kernel
def steady_states(rates, carried, jumps, kind, work, laws, found):
    """Stationary laws, shape (n, states), with entropy production and what is carried per time, found of shape (n, 2).

    rates, carried: of each kind of jump, shape (n, kinds). jumps.rate and work (states, states) are overwritten.
    """
    for p in range(rates.shape[0]):
        work[:] = 0.0
        for k in range(kind.size):
            jumps.rate[k] = rates[p, kind[k]]
            work[jumps.source[k], jumps.target[k]] += jumps.rate[k]
        master.eliminate(work, laws[p])
        work[:] = 0.0
        flow = 0.0
        for k in range(kind.size):
            work[jumps.source[k], jumps.target[k]] += jumps.rate[k]
            flow += laws[p, jumps.source[k]] * jumps.rate[k] * carried[p, kind[k]]
        found[p, 0] = master.entropy_production(work, laws[p])
        found[p, 1] = flow
