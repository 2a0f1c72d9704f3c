"""What the colours of pictures are, and by which numbers marks have them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.style import Theme, line_colour, sequential


def ranks(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values as evenly spread numbers from 0 to 1, so that a few outliers do not take all the colours; equal ones have
    equal numbers.
    """
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(ties) - (ties + 1) / 2  # SciPy's rankdata does this, and brings 35 MiB with it
    return np.asarray(middle[place] / max(1, len(values) - 1), np.float32)


def state_colours(n: int, theme: Theme) -> tuple[str, ...]:
    """Colours of the named states of a lattice: the first is ground."""
    return (theme.card, *(line_colour(k, theme) for k in (0, 3, 1, 4, 5)))[:n]


def species_colours(n: int, theme: Theme) -> tuple[str, ...]:
    """Colours of the named species of particles, which all are to be seen on the ground."""
    return tuple(line_colour(k, theme) for k in (0, 3, 1, 4, 5, 2))[:n]


def mark_colours(theme: Theme) -> tuple[str, ...]:
    """The sequential map for marks on the ground, without the end that can hardly be seen on it."""
    return sequential()[80:] if theme.name == "dark" else sequential()[:-30]


def state_key(states: tuple[str, ...], theme: Theme) -> list[tuple[str, str]]:
    """Those names with their colours."""
    return list(zip(states, state_colours(len(states), theme), strict=True))


def outside_colour(theme: Theme) -> str:
    """Between ground and ink: seen, but behind everything else."""
    return f"{theme.ghost}80"
