"""Ising spins: where a run of them starts, what its state looks like, and the entropy of their mean."""

from __future__ import annotations

import numpy as np

from mfexplore.core import Array, Lattice, on_a_square

STARTS = ("up", "down", "random")


def start(word: str, n: int, rng: np.random.Generator) -> Array:
    """Many (n) spins of -1 and +1, int8: all "up", all "down", or each "random" with equal chances."""
    if word == "random":
        return np.where(rng.random(n) < 0.5, 1, -1).astype(np.int8)
    return np.full(n, 1 if word == "up" else -1, np.int8)


def picture(spins: Array, caption: str = "spins (their place means nothing here)") -> Lattice:
    """Spins that have no place of their own. shape (n,), down where they are negative."""
    return on_a_square(spins > 0, ("down", "up"), caption, "no spin")


def entropy(magnetization: Array) -> Array:
    """Entropy per spin of independent spins with this mean: -sum of p ln p over up and down."""
    up, down = (1 + magnetization) / 2, (1 - magnetization) / 2
    return sum(-p * np.log(np.where(p > 0, p, 1)) for p in (up, down))  # type: ignore[return-value]
