"""Kinds of picture a simulation's state can be. A model names the kind and fills in arrays; figures/ draws it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
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
    """Points in the plane. x, y, colour: shape (n,); box: (left, right, bottom, top); radius in data units.

    radius: one for all, or of shape (n,).
    states: if given, the colours 0, 1, ... are species with these names; else colours are spread over the palette.
    heading: angles in radians, drawn as arrows and, without `colour`, as the cyclic colour of a particle.
    """

    x: Array
    y: Array
    box: tuple[float, float, float, float]
    colour: Array | None = None
    radius: float | Array = 0.5
    caption: str = ""
    states: tuple[str, ...] = ()
    heading: Array | None = None


@dataclass(frozen=True)
class Network:
    """Nodes in the plane with links. edges: int array of shape (links, 2); colour: a number per node in [low, high].

    states: if given, the colours 0, 1, ... are states with these names, as those of a Lattice.
    edge_colour: a number per link, drawn diverging from zero; directed: links have a direction; arcs: they are bent.
    """

    x: Array
    y: Array
    edges: Array
    colour: Array
    low: float
    high: float
    caption: str = ""
    states: tuple[str, ...] = ()
    edge_colour: Array | None = None
    directed: bool = False
    arcs: bool = False


@dataclass(frozen=True)
class Density:
    """Curves over a line: pairs (label, values of shape (n,)) against x of shape (n,)."""

    x: Array
    curves: tuple[tuple[str, Array], ...]
    x_title: str
    y_title: str
    caption: str = ""


@dataclass(frozen=True)
class Axis:
    """A named axis; low, high: None follows the data."""

    title: str
    scale: Literal["linear", "log"] = "linear"
    low: float | None = None
    high: float | None = None

    @property
    def is_logarithmic(self) -> bool:
        return self.scale == "log"


@dataclass(frozen=True)
class Series:
    """One series of a chart, with an abscissa of its own. x, y: shape (n,).

    kind: "points" is for what was simulated or measured, a line for what theory says.
    error: standard errors of points; upper: the other side of a band, whose first is y.
    """

    name: str
    x: Array
    y: Array
    kind: Literal["line", "step", "points", "bars", "band"] = "line"
    error: Array | None = None
    upper: Array | None = None


@dataclass(frozen=True)
class Guide:
    """A straight line to compare with: of a slope (on logarithmic axes an exponent), through a point, with its name."""

    slope: float
    through: tuple[float, float]
    name: str


@dataclass(frozen=True)
class Chart:
    """Several series in one frame. equal: one unit is equally long on both axes."""

    series: tuple[Series, ...]
    x: Axis
    y: Axis
    guides: tuple[Guide, ...] = ()
    caption: str = ""
    equal: bool = False


@dataclass(frozen=True)
class Arrows:
    """Arrows at x, y with the components u, v in data units, all of shape (n,). headless: directors."""

    x: Array
    y: Array
    u: Array
    v: Array
    headless: bool = False


@dataclass(frozen=True)
class Field:
    """A heat map with axes, and what lies on it. values: shape (rows, columns), the first row at the bottom.

    extent: (left, right, bottom, top) of the map in the units of its axes.
    cyclic: low and high are the same angle. contours: levels at which lines of equal value are drawn.
    paths: pairs (x, y) of arrays; points: series of kind "points". equal: a map of a square in space, whose axes are
    equally long.
    """

    values: Array
    extent: tuple[float, float, float, float]
    x: Axis
    y: Axis
    low: float
    high: float
    signed: bool = False
    cyclic: bool = False
    caption: str = ""
    contours: tuple[float, ...] = ()
    paths: tuple[tuple[Array, Array], ...] = ()
    points: tuple[Series, ...] = ()
    arrows: Arrows | None = None
    equal: bool = False


Picture = Lattice | Patterns | Phases | Trajectories | Spectrum | Particles | Network | Density | Chart | Field


class Album(Mapping[str, Picture]):
    """Pictures by name that are drawn when they are looked up, so that those nobody looks at cost nothing."""

    def __init__(self, draw: Mapping[str, Callable[[], Picture]]) -> None:
        self._draw = dict(draw)

    def __getitem__(self, name: str) -> Picture:
        return self._draw[name]()

    def __iter__(self) -> Iterator[str]:
        return iter(self._draw)

    def __len__(self) -> int:
        return len(self._draw)


def square(values: Array) -> Array:
    """What has no place of its own, row by row on the largest square that it fills: (n,) to (side, side)."""
    side = math.isqrt(len(values))
    return values[: side * side].reshape(side, side)


def on_a_square(values: Array, states: tuple[str, ...], caption: str = "", outside: str = "") -> Lattice:
    """What has no place of its own (spins that all couple, people who all meet), row by row on the smallest square.

    values: shape (n,), the index of the state of each; the rest of the square is drawn as `outside`.
    """
    side = math.ceil(math.sqrt(len(values)))
    cells = np.full(side * side, -1, np.int8)
    cells[: len(values)] = values
    return Lattice(cells.reshape(side, side), 0, len(states) - 1, caption, False, states, outside)
