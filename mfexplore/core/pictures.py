"""Kinds of picture a simulation's state can be. A model names the kind and fills in arrays; figures/ draws it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from numpy.typing import NDArray

Array = NDArray[Any]


@dataclass(frozen=True)
class Lattice:
    """Values on a square grid. values: shape (rows, columns), any number type, drawn between low and high.

    states: if given, the values 0, 1, ... are states with these names, the first drawn as ground and the others each in
        a colour of its own; negative values are drawn as outside.
    outside: what such a value means, if it wants a name.
    """

    values: Array
    low: float
    high: float
    caption: str = ""
    signed: bool = True
    states: tuple[str, ...] = ()
    outside: str = ""


@dataclass(frozen=True)
class Patterns:
    """Small images side by side. images: pairs (caption, values of shape (rows, columns) in [low, high])."""

    images: tuple[tuple[str, Array], ...]
    low: float = -1.0
    high: float = 1.0


@dataclass(frozen=True)
class Phases:
    """Angles on the unit circle, in radians. mean: the complex order parameter, drawn as an arrow.
    colour: one number per oscillator (its natural frequency, say), or None.
    """

    angles: Array
    mean: complex
    colour: Array | None = None
    caption: str = ""


@dataclass(frozen=True)
class Trajectories:
    """Lines against time. values: shape (lines, times); names: of the lines, if they want any."""

    times: Array
    values: Array
    x_title: str = "time"
    y_title: str = ""
    caption: str = ""
    names: tuple[str, ...] = ()


@dataclass(frozen=True)
class Spectrum:
    """Eigenvalues, drawn as a histogram when real and as points in the plane when complex. shape (n,)."""

    values: Array
    title: str = "eigenvalue"
    caption: str = ""


@dataclass(frozen=True)
class Particles:
    """Points in the plane. x, y, colour: shape (n,); box: (left, right, bottom, top); radius in data units."""

    x: Array
    y: Array
    box: tuple[float, float, float, float]
    colour: Array | None = None
    radius: float = 0.5
    caption: str = ""


@dataclass(frozen=True)
class Network:
    """Nodes in the plane with links. edges: int array of shape (links, 2); colour: a number per node in [low, high].

    states: if given, the colours 0, 1, ... are states with these names, as those of a Lattice.
    """

    x: Array
    y: Array
    edges: Array
    colour: Array
    low: float
    high: float
    caption: str = ""
    states: tuple[str, ...] = ()


@dataclass(frozen=True)
class Density:
    """Curves over a line: pairs (label, values of shape (n,)) against x of shape (n,)."""

    x: Array
    curves: tuple[tuple[str, Array], ...]
    x_title: str
    y_title: str
    caption: str = ""


Picture = Lattice | Patterns | Phases | Trajectories | Spectrum | Particles | Network | Density
