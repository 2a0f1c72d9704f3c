"""Associative memories: networks that store patterns and are shown a cue.

What they store, the cue that starts a run, how its state is looked at, the updates of their neurons, and what a theory
of retrieval has in common: branches, phases, and that all of it is about random memories.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.digits import as_image, as_patterns, assorted
from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.functions.elementary import log
from mfexplore.numerics.kernel import kernel

CUES = ("noise", "masked half", "mixture")
RETRIEVAL, GLASS, PARAMAGNET = range(3)  # places in BRANCHES

BRANCHES = (
    core.Branch("retrieval", "the first memory is recalled"),
    core.Branch("spin_glass", "frozen, but near no memory"),
    core.Branch("paramagnet", "molten: no neuron keeps its state"),
)


# -- declaration -------------------------------------------------------------------------------------------------------


def memories() -> Any:
    """The choice of what is stored."""
    return core.choice(
        "random", ("random", "digits"), doc="random bits, or handwritten digits (which resemble each other)"
    )


def corruption(default: float, doc: str) -> Any:
    """The fraction of a cue that is wrong."""
    return core.control(default, 0.0, 0.5, symbol="c", role="start", part="simulation", step=0.01, doc=doc)


def phases(glass: str, other: str) -> tuple[core.Phase, ...]:
    """Those of a network that recalls. glass: what a spin glass of neurons is; other: the state that it competes with
    where retrieval is metastable.
    """
    return (
        core.Phase("paramagnet", "Too hot: every neuron flips freely and nothing is remembered."),
        core.Phase("spin_glass", glass),
        core.Phase(
            "metastable_retrieval", f"Memories are recalled and last, although {other} has the lower free energy."
        ),
        core.Phase("stable_retrieval", "Memories are the states of lowest free energy."),
    )


def correlated(consequence: str) -> core.Failure:
    """Digits are not what the theory is about."""
    assumed = "The theory assumes unrelated random memories; digits resemble each other"
    return core.Failure("memories_are_correlated", assumed + consequence)


def classify(states: core.States) -> dict[str, Array]:
    """Where the phases are: retrieval counts as long as it exists, whatever has the lower free energy."""
    known = states.equilibrium["retrieval"] | states.equilibrium["spin_glass"] | states.equilibrium["paramagnet"]
    return {
        "stable_retrieval": states.equilibrium["retrieval"],
        "metastable_retrieval": states.exists["retrieval"] & known,
        "spin_glass": states.equilibrium["spin_glass"],
        "paramagnet": states.equilibrium["paramagnet"],
    }


# -- simulation --------------------------------------------------------------------------------------------------------


def random_bits(size: int, count: int, rng: np.random.Generator) -> Array:
    """Random memories, int8 of -1 and +1, shape (size, count)."""
    patterns = rng.integers(0, 2, (size, count), dtype=np.int8)
    patterns *= 2
    patterns -= 1
    return patterns


def stored(word: str, size: int, count: int, rng: np.random.Generator) -> Array:
    """Memories, int8 of shape (size, count): "random" bits or images of "digits"."""
    return random_bits(size, count, rng) if word == "random" else as_patterns(assorted(count, rng), size)


def cue(patterns: Array, word: str, wrong: float, rng: np.random.Generator) -> Array:
    """The first memory as it is shown, int8 of shape (size,): with a fraction `wrong` of its neurons flipped ("noise"),
    with its lower half blank ("masked half"), or mixed with the next two ("mixture").
    """
    n = len(patterns)
    shown: Array = patterns[:, 0].copy()
    if word == "noise":
        shown[rng.permutation(n)[: round(wrong * n)]] *= -1
    elif word == "masked half":
        shown[n // 2 :] = -1
    else:
        majority = patterns[:, :3].sum(axis=1, dtype=np.int32)
        shown = np.where(majority == 0, shown, np.sign(majority)).astype(np.int8)
    return shown


def cue_caption(word: str, wrong: float) -> str:
    """What the cue is, in a few words."""
    known = {"noise": f"cue, {wrong:.0%} flipped", "masked half": "cue, half masked", "mixture": "cue, a mixture"}
    return known[word]


def picture(time: float, shown: str, start: Array, now: Array, more: Iterable[tuple[str, Array]]) -> core.Patterns:
    """The cue with its caption, the state now, and more states of shape (size,) with theirs: as square images."""
    states = ((shown, start), (f"now, sweep {time:.0f}", now), *more)
    return core.Patterns(tuple((caption, as_image(state)) for caption, state in states))


def recalled(overlaps: Array) -> Mapping[str, float]:
    """What is observed of the overlaps with all memories, shape (count,), of which the first was shown."""
    other = float(np.abs(overlaps[1:]).max()) if len(overlaps) > 1 else 0.0
    return {"overlap": float(overlaps[0]), "largest_other_overlap": other}


@kernel
def draw_turns(position, n, scale, tie, sites, thresholds):
    """Which neurons are updated next, and the thresholds of their fields: heat bath makes a neuron fire where its field
    exceeds (T/2) ln(u/(1 - u)), u uniform. Drawn ahead in blocks, so that nothing but the sum over memories stands
    between the choice of a neuron and its decision. Returns the new position in the stream.

    position: see numerics.chance.random; n: number of neurons; scale: T/2 in the unit of the fields; tie: added or
    taken away at random, since at T = 0 fields that are sums of whole numbers may vanish. Overwrites sites and
    thresholds.
    """
    for k in range(sites.size):
        sites[k] = np.int64(uniform(position, 2 * k) * n)
        u = uniform(position, 2 * k + 1) + 1e-16
        thresholds[k] = scale * log(u / (1.0 - u)) + (tie if u < 0.5 else -tie)
    return advanced(position, 2 * sites.size)
