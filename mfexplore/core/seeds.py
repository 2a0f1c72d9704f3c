"""The one rule for seeds: a whole number from 0 on, of any size, or a NumPy `SeedSequence`.

Everything that draws random numbers checks its seed here before it does anything else, and everything that writes one
down writes a text that `read_seed` takes back.
"""

from __future__ import annotations

import ast
from operator import index
from typing import Any

import numpy as np

from mfexplore.core.errors import MfexploreError, shown

Seed = int | np.integer[Any] | np.random.SeedSequence

MOST_POOL = 1024  # words of a SeedSequence's pool that a text may ask for: mixing them takes their number squared
ALLOWED = "a whole number from 0 on, or a numpy.random.SeedSequence"


class SeedError(MfexploreError, ValueError):
    """What was given as a seed is none."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"seed = {shown(value)} is not possible; allowed: {ALLOWED}.")

    def __reduce__(self) -> tuple[type, tuple[object, ...]]:
        return type(self), (self.value,)


def check_seed(seed: Any) -> int | np.random.SeedSequence:
    """The seed as an int of Python, or the SeedSequence it is. Raises SeedError (bool, float, text, negative, None)."""
    if isinstance(seed, np.random.SeedSequence):
        return seed
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise SeedError(seed)
    return int(seed)


def stream(seed: Seed, *key: int) -> np.random.SeedSequence:
    """The random stream of one part (a sample, say) of what a seed stands for; other keys give independent streams."""
    whole = check_seed(seed)
    if isinstance(whole, int):
        return np.random.SeedSequence(whole, spawn_key=key)
    return np.random.SeedSequence(whole.entropy, spawn_key=(*whole.spawn_key, *key), pool_size=whole.pool_size)


def seed_text(seed: Seed) -> str:
    """A seed as text: the digits, or the call that makes the SeedSequence."""
    whole = check_seed(seed)
    if isinstance(whole, int):
        return str(whole)
    entropy: Any = whole.entropy
    entropy = index(entropy) if np.ndim(entropy) == 0 else [index(word) for word in entropy]
    key = tuple(index(part) for part in whole.spawn_key)
    return f"SeedSequence(entropy={entropy}, spawn_key={key}, pool_size={whole.pool_size})"


def read_seed(text: str) -> int | np.random.SeedSequence:
    """The seed that `seed_text` wrote, or somebody typed. Raises SeedError."""
    words = text.strip()
    try:
        if words.isascii() and words.isdigit():
            return int(words)
        call = ast.parse(words, mode="eval").body
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "SeedSequence" and not call.args:
            asked = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
            if asked.get("pool_size", 4) <= MOST_POOL:
                return np.random.SeedSequence(**asked)
    except (SyntaxError, TypeError, ValueError, OverflowError, RecursionError, MemoryError):
        pass  # texts come from links, too
    raise SeedError(text)


def written_seed(seed: Seed) -> int | str:
    """A seed for files: a number where every reader of JSON and NetCDF holds it exactly, else its text."""
    whole = check_seed(seed)
    return whole if isinstance(whole, int) and whole < 2**53 else seed_text(whole)
