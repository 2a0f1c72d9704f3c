"""Boundaries stated once: what a model gives as a function of its other controls, solved along any of them and traced
in any plane.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.arguments import window
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.core.controls import Control
from mfexplore.core.declaration import Landmark
from mfexplore.core.distinct import distinct
from mfexplore.core.errors import NotOfferedError
from mfexplore.core.solution import Array, columns

if TYPE_CHECKING:
    from mfexplore.core.model import Model

ALONG = 257  # places at which crossings along a control are looked for
HALVINGS = 8  # of a step of a traced curve, where it is steep or ends
MOST_TIMES = 5  # `Landmark.finest` are the points of a traced curve at most
STEEP = 2.5  # times its even share of the control's range is what one step of a traced curve may take
BENT = 0.001  # part of it by which a point may lie beside the line through its neighbours

Explicit = Callable[[Array], tuple[Array, Array]]  # values of the boundary, and where it is one; both of shape (n, k)


def all_asked_rightly(kind: type[Model]) -> None:
    """Let every method of boundaries that a class itself defines refuse, by name, what it can't be asked for: a model
    that knows its boundaries otherwise need not look. Raises UnknownNameError, ArgumentError, NotOfferedError.
    """
    for name, check in (("boundary", _check_name), ("landmark", _check_along), ("trace_landmark", _check_plane)):
        if name in vars(kind):
            setattr(kind, name, _asked_rightly(vars(kind)[name], check))


def _asked_rightly(method: Callable[..., Any], check: Callable[..., None]) -> Callable[..., Any]:
    @wraps(method)
    def asked(model: Model, name: str, *where: Any, **named: Any) -> Any:
        check(model, name, *where, **named)
        return method(model, name, *where, **named)

    return asked


def _check_name(model: Model, name: str, points: object) -> None:
    model.declared_landmark(name)


def _check_along(model: Model, name: str, along: str) -> None:
    model.declared_landmark(name)
    model.control(along)


def _check_plane(model: Model, name: str, x: str, y: str, x_range: object) -> None:
    model.declared_landmark(name)
    if model.control(x) is model.control(y):
        raise NotOfferedError(model.title, f"the boundary {name!r} in a plane of {x} against itself")
    window(model.title, "x_range", x_range, *model.control(x).bounds)


def crossings(model: Model, landmark: Landmark, along: str) -> Array:
    """All values of the control `along` at which a boundary is crossed. Raises NotOfferedError, UnknownNameError."""
    made = model.control(along)
    if not landmark.of:
        raise NotOfferedError(model.title, f"{landmark.name} along {along}")
    if not model.applies(landmark):
        return np.empty(0)
    if along == landmark.of:
        values, real = _explicit(model, landmark, {})
        return made.within(values[real])
    _require_axis(model, landmark, made)
    grid = _towards_zero(made, made.grid(ALONG))
    return made.within(_roots(model, landmark, {}, along, grid)[1])


def trace(model: Model, landmark: Landmark, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
    """A boundary as a curve in a plane; NaN separates pieces. Raises NotOfferedError."""
    if not landmark.of:
        return _by_columns(model, landmark, x, y, x_range)
    if not model.applies(landmark):
        return np.empty(0), np.empty(0)
    for axis in (x, y):
        if axis != landmark.of:
            _require_axis(model, landmark, model.control(axis), whole=True)
    if landmark.of not in (x, y):
        return _by_roots(model, landmark, x, y, x_range)
    other = model.control(y if x == landmark.of else x)
    window = x_range if other.name == x else model.range(model.plane(x, y), "y")
    low, high = model.control(landmark.of).bounds

    def explicit(places: Array) -> tuple[Array, Array]:
        return _explicit(model, landmark, {other.name: places})

    if other.is_integer:  # stairs: a level piece for every whole number, and what leads to the next
        whole = other.grid(MOST_TIMES * landmark.finest, *window)
        values, real = explicit(whole)
        a, b = other.bounds
        ends = np.clip([whole - 0.5, whole + 0.5], a, b)
        across = np.stack([ends[0], whole, ends[1]], axis=-1).ravel()
        curves = list(np.repeat(np.where(real, values, np.nan), 3, axis=0).T)
    else:
        across, found = _followed(explicit, other.grid(landmark.finest, *window), low, high)
        curves = list(found.T)
    places = np.concatenate([piece for _ in curves for piece in (across, [np.nan])][:-1])
    values = np.concatenate([piece for curve in curves for piece in (curve, [np.nan])][:-1])
    values = np.where((values >= low) & (values <= high), values, np.nan)
    return (values, places) if x == landmark.of else (places, values)


def _explicit(model: Model, landmark: Landmark, axes: dict[str, Array]) -> tuple[Array, Array]:
    """The boundary at a batch of points that are the model's but for some columns of one length."""
    n = max((len(column) for column in axes.values()), default=1)
    points = {name: np.repeat(column, n) for name, column in columns(model, {}).items()} | axes
    found = model.boundary(landmark.name, points)
    values, real = found if isinstance(found, tuple) else (found, np.isfinite(found))
    return np.reshape(values, (n, -1)), np.reshape(real, (n, -1)) & np.isfinite(np.reshape(values, (n, -1)))


def _require_axis(model: Model, landmark: Landmark, made: Control, whole: bool = False) -> None:
    if made.is_choice or made.part == "simulation" or (made.is_integer and not whole):
        raise NotOfferedError(model.title, f"{landmark.name} along {made.name}")


def _towards_zero(made: Control, grid: Array) -> Array:
    """The grid with places that approach a bound at zero: some boundaries come as near to it as one likes."""
    if grid[0] != 0 or made.is_integer:
        return grid
    return np.concatenate([grid[:1], np.geomspace(1e-30, grid[1], 40)[:-1], grid[1:]])


def _roots(model: Model, landmark: Landmark, others: dict[str, Array], along: str, grid: Array) -> tuple[Array, Array]:
    """Crossings along a control at many columns of other controls at once: (column, place), sorted by both."""
    n = max((len(column) for column in others.values()), default=1)
    own = float(getattr(model, landmark.of))

    def beyond(column: Array, place: Array) -> tuple[Array, Array]:
        values, real = _explicit(model, landmark, {name: c[column] for name, c in others.items()} | {along: place})
        return values - own, real

    every = np.repeat(np.arange(n), grid.size), np.tile(grid, n)
    excess, _ = beyond(*every)
    excess = excess.reshape(n, grid.size, -1)
    column, step, which = np.nonzero(_changes_of_sign(excess, grid))
    if not column.size:
        return column, np.empty(0)

    def function(place: Array, k: Array) -> Array:
        return beyond(column[k], place)[0][np.arange(k.size), which[k]]

    # As many steps as bisections take: at its end a boundary may meet the other value tangentially.
    place = bracketed_roots(function, grid[step], grid[step + 1], steps=200)
    real = np.zeros(place.size, bool)
    for shift in (-1e-9, 0.0, 1e-9):  # at its very end, rounding decides whether a boundary still is one
        at = np.clip(place + shift * (grid[-1] - grid[0]), grid[0], grid[-1])
        real |= beyond(column, at)[1][np.arange(place.size), which]
    gap = np.abs(function(place, np.arange(place.size)))
    low, high = model.control(landmark.of).bounds
    real &= gap <= 1e-6 * (high - low)  # where the boundary jumps over the value it is not crossed
    rounded = np.round(place / (grid[-1] - grid[0]), 12)
    order, _ = distinct([column[real], rounded[real]])
    return column[real][order], place[real][order]


def _changes_of_sign(excess: Array, grid: Array) -> Array:
    """Between which neighbours along axis 1, the grid, there is a root; none where the function is zero on a whole
    stretch, as that of a boundary that does not depend on the control.
    """
    zero = excess == 0
    apart = 1e-9 * (grid[-1] - grid[0])
    after, before = np.searchsorted(grid, grid + apart, "right"), np.searchsorted(grid, grid - apart) - 1
    stretch = np.zeros_like(zero)
    for beside in (after, before):
        inside = (beside >= 0) & (beside < grid.size)
        stretch[:, inside] |= zero[:, inside] & zero[:, beside[inside]]
    with np.errstate(invalid="ignore"):
        change = excess[:, :-1] * excess[:, 1:] <= 0
    return np.asarray(change & ~stretch[:, :-1] & ~stretch[:, 1:])


def _followed(explicit: Explicit, places: Array, low: float, high: float) -> tuple[Array, Array]:
    """An explicit boundary with places added, by halving, where it is steep or bent and where it begins or ends."""

    def inside(places: Array) -> Array:
        values, real = explicit(places)
        return np.where(real & (values >= low) & (values <= high), values, np.nan)

    places = np.asarray(places, np.float64)
    most, steepest = MOST_TIMES * places.size, STEEP / places.size * (high - low)
    values = inside(places)
    for _ in range(HALVINGS):
        there = np.isfinite(values)
        ends = (there[1:] != there[:-1]).any(axis=1)
        with np.errstate(invalid="ignore"):
            steep = np.asarray((np.abs(np.diff(values, axis=0)) > steepest).any(axis=1))
            share = ((places[1:-1] - places[:-2]) / (places[2:] - places[:-2]))[:, None]
            aside = values[1:-1] - (1 - share) * values[:-2] - share * values[2:]
            bent = (np.abs(aside) > BENT * (high - low)).any(axis=1)
        steep[1:] |= bent
        steep[:-1] |= bent
        middle = 0.5 * (places[1:] + places[:-1])[ends | steep]
        middle = np.setdiff1d(middle, places)
        if not middle.size or places.size + middle.size > most:
            break
        order = np.argsort(np.concatenate([places, middle]))
        places = np.concatenate([places, middle])[order]
        values = np.concatenate([values, inside(middle)])[order]
    return places, values


def _pieces(x: Array, columns_of: Array, places: Array) -> tuple[Array, Array]:
    """Curves through crossings: the k-th crossing of every column makes one piece."""
    counts = np.bincount(columns_of, minlength=x.size)
    rank = np.arange(columns_of.size) - np.repeat(np.cumsum(counts) - counts, counts)
    table = np.full((int(counts.max(initial=0)), x.size + 1), np.nan)
    table[rank, columns_of] = places
    return np.tile(np.append(x, np.nan), len(table))[:-1], table.ravel()[:-1]


def _by_roots(model: Model, landmark: Landmark, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
    """In a plane without the control that a boundary is explicit in: its crossings on the columns of the plane."""
    made = model.control(y)
    if made.is_integer:
        turned = _by_roots(model, landmark, y, x, made.bounds)
        inside = ~((turned[1] < x_range[0]) | (turned[1] > x_range[1]))
        return turned[1][inside], turned[0][inside]
    across = model.control(x).grid(landmark.finest, *x_range)
    column, place = _roots(model, landmark, {x: across}, y, _towards_zero(made, made.grid(landmark.finest)))
    return _pieces(across.astype(float), column, place)


def _by_columns(model: Model, landmark: Landmark, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
    """From `landmark` on the columns of x, or the rows of y if it can only be solved along x."""
    for fixed, along in ((x, y), (y, x)):
        across = model.control(fixed).grid(landmark.finest, *(x_range if fixed == x else (None, None)))
        try:
            found = [model.replace(**{fixed: value}).landmark(landmark.name, along) for value in across]
        except NotOfferedError:
            continue
        column = np.repeat(np.arange(across.size), [len(one) for one in found])
        curve = _pieces(across.astype(float), column, np.concatenate([np.empty(0), *found]))
        return curve if fixed == x else curve[::-1]
    raise NotOfferedError(model.title, f"the boundary {landmark.name!r} in the plane ({x}, {y})")
