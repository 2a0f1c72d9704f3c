"""Parallel tempering: copies at a ladder of temperatures trade places, so that the cold ones visit every valley.

What is exchanged is the place on the ladder, not the state (Hukushima and Nemoto 1996): `holder[level]` is the number
of the copy that sits at a level.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.kernel import kernel

COLDEST = 1e-9  # temperature below which a level is taken as frozen


def ladder(low: float, high: float, levels: int) -> NDArray[np.float64]:
    """Evenly spaced temperatures from low to max(low, high), shape (levels,). In a mean-field glass, whose specific
    heat falls towards zero temperature, copies then trade places at all levels at similar rates.
    """
    return np.linspace(low, max(low, high), levels)


@kernel
def exchange(energies, temperatures, holder, odd, stream, rates):
    """Offer to swap the copies at the levels (0, 1), (2, 3), ..., or (1, 2), (3, 4), ... if `odd` is 1.

    Args:
        energies: of the copies, shape (copies,). temperatures: of the levels, increasing, shape (levels,).
        holder: copy at each level, an integer array of shape (levels,), overwritten.
        rates: running mean of the acceptance between level k and k + 1, shape (levels - 1,), updated.
    """
    position = stream[0]
    for k in range(odd, holder.size - 1, 2):
        low, high = holder[k], holder[k + 1]
        cold, warm = max(temperatures[k], COLDEST), max(temperatures[k + 1], COLDEST)
        gain = (1.0 / cold - 1.0 / warm) * (energies[low] - energies[high])
        accepted = gain >= 0.0 or uniform(position, k) < math.exp(gain)
        rates[k] += 0.02 * ((1.0 if accepted else 0.0) - rates[k])
        if accepted:
            holder[k], holder[k + 1] = high, low
    stream[0] = advanced(position, holder.size)
