"""An observable that is a function: lines, or bars, are theory, points with error bars are what a run has measured."""

from __future__ import annotations

import html
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Coordinate, Observable
from mfexplore.core.model import Model
from mfexplore.core.simulation import Measured
from mfexplore.core.solution import values_of
from mfexplore.figures.curves import KINDS, Line, legend_of, lines_of
from mfexplore.figures.frame import Drawn, Figure, clear, dress, glyphs, load_holoviews, thin, write_axes
from mfexplore.figures.legends import Mark
from mfexplore.figures.scale import Scale, room
from mfexplore.figures.style import Theme, line_colour, short_label, tex_label

if TYPE_CHECKING:
    import xarray as xr

MOST_POINTS = 80  # measured: more would hide the line
BROAD = 0.8  # of the distance between two values is what all bars at one of them take


@dataclass(frozen=True)
class Branchwise:
    """The function on one line of the theory. x, y: shape (n,); kind: of `curves.KINDS` by name."""

    line: Line
    x: NDArray[Any]
    y: NDArray[Any]
    kind: str


def functions_of(theory: xr.Dataset, kind: type[Model], name: str) -> list[Branchwise]:
    """The lines of an observable that is a function, from `Model.theory()` at one point; those that there are."""
    observable = kind.observable(name)
    if name not in theory:
        return []
    names = [b.name for b in kind.branches]
    found = []
    for line in lines_of(kind):
        of = values_of(theory, line.method, line.branch)
        if not of("residual") <= kind.tolerance:  # there is no such state
            continue
        here = names.index(line.branch) if line.branch else 0
        is_equilibrium = "equilibrium" not in theory.variables or of("equilibrium") == here
        y = np.asarray(of(name), float)
        x = np.asarray(of(observable.against or str(observable.over)), float)
        if np.isfinite(y).any():
            style = "equilibrium" if is_equilibrium else "stable" if of("stable") else "unstable"
            found.append(Branchwise(line, x, y, style))
    return found


class FunctionFigure(Drawn):
    """A function; the `show_...` methods replace what is drawn."""

    key = "function"
    told = ("heights", "pins", "theory")
    ran = ("errors", "points")
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        return {
            "heights": hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]),
            "pins": hv.Path(line),
            "theory": hv.Path(line),
            "errors": hv.Segments([(0.0, 0.0, 0.0, 1.0)]),
            "points": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["heights"].data_source.data = {n: [] for n in ("left", "right", "bottom", "top", "colour")}
        layers["theory"].data_source.data = {name: [] for name in ("xs", "ys", "colour", "width", "dash")}
        glyph = {name: renderer.glyph for name, renderer in layers.items()}
        glyph["heights"].update(fill_color={"field": "colour"}, line_color={"field": "colour"}, fill_alpha=0.35)
        glyph["theory"].update(
            line_color={"field": "colour"}, line_width={"field": "width"}, line_dash={"field": "dash"}
        )
        glyph["pins"].update(line_width=1.8, line_alpha=0.8)
        glyph["errors"].update(line_width=1.2)
        glyph["points"].update(size=5, line_width=1.2)
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=True)
        glyph = glyphs(figure)
        glyph["pins"].update(line_color=theme.ghost)
        glyph["errors"].update(line_color=theme.ink)
        glyph["points"].update(fill_color=theme.card, line_color=theme.ink)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind
        self.observable: Observable | None = None
        self._across: Observable | Coordinate | None = None
        self._scales = Scale(), Scale()
        self._theory: list[Branchwise] = []
        self._measured: tuple[NDArray[Any], NDArray[Any], NDArray[Any]] | None = None
        self._drawn: set[str] = set()

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        return (
            *(Mark(f"line-{c}", "swatch", html.escape(title), f"line-{c}") for title, c in legend_of(kind)),
            Mark("points", "ring", "this run"),
            Mark("errors", "ring", "this run, mean ± s.e."),
            Mark("equilibrium", "", "thick: equilibrium"),
            Mark("unstable", "", "dotted: unstable"),
        )

    def set_function(self, name: str) -> None:
        """Name the axes; nothing is drawn of this function yet."""
        self.observable = observable = self.kind.observable(name)
        across: Observable | Coordinate = self.kind.coordinate(str(observable.over))
        if observable.against is not None:
            across = self.kind.observable(observable.against)
        self._across, self._scales = across, (Scale(across), Scale(observable))
        self.figure.part("xaxis").update(axis_label=tex_label(across))
        self.figure.part("yaxis").update(axis_label=short_label(observable))
        self._theory, self._measured = [], None
        self._put_theory()
        self._put_measured()

    @property
    def _in_bars(self) -> bool:
        return isinstance(self._across, Coordinate) and self._across.discrete

    def show_theory(self, lines: list[Branchwise]) -> None:
        """Draw the lines of `functions_of`."""
        self._theory = lines
        self._fit()
        self._put_theory()

    def show_measured(self, measured: Measured | None, across: Measured | None = None) -> None:
        """Draw what the run has measured; across: the function that is on the abscissa, where it is one."""
        self._measured = None
        if measured is not None:
            x = measured.coordinate if across is None else across.values
            error = np.full(len(x), np.nan) if measured.error is None else measured.error
            x, y, error = (thin(np.asarray(column, float), MOST_POINTS) for column in (x, measured.values, error))
            self._measured = x, y, error
        self._fit()
        self._put_measured()

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._put_theory()

    def _put_theory(self) -> None:
        across, up = self._scales
        self._drawn = set()
        bars: dict[str, list[Any]] = {name: [] for name in ("left", "right", "bottom", "top", "colour")}
        rows: dict[str, list[Any]] = {name: [] for name in ("xs", "ys", "colour", "width", "dash")}
        looks = {name: (width, dash) for name, width, dash in KINDS}
        for k, one in enumerate(self._theory):
            colour = line_colour(one.line.colour, self.theme)
            self._drawn |= {f"line-{one.line.colour}"}
            x, y = across.place(one.x).astype(np.float32), up.place(one.y).astype(np.float32)
            if self._in_bars:
                width = BROAD * _step(x) / len(self._theory)
                middle = x + (k - (len(self._theory) - 1) / 2) * width
                foot = np.float32(up.place(up.foot(self._range("y"))))
                columns = (middle - width / 2, middle + width / 2, np.full(len(x), foot, np.float32), y)
                for column, values in zip(bars.values(), columns, strict=False):
                    column.extend(values)
                bars["colour"] += [colour] * len(x)
                continue
            self._drawn |= {one.kind} if self.kind.branches else set()
            row = (x, y, colour, *looks[one.kind])
            for column, value in zip(rows.values(), row, strict=True):
                column.append(value)
        numbers = {name: np.array(bars[name], np.float32) for name in ("left", "right", "bottom", "top")}
        self.layers["heights"].put(**numbers, colour=bars["colour"])
        self.layers["theory"].put(**rows)

    def _put_measured(self) -> None:
        nothing = np.empty(0, np.float32)
        x, y, error = self._measured or (nothing, nothing, nothing)
        across, up = self._scales
        known = np.isfinite(x) & np.isfinite(y)
        x, y, error = across.place(x[known]), y[known], error[known]
        self.layers["points"].put(x=x, y=up.place(y))
        there = np.isfinite(error)
        low, high = up.places_of_ends(y[there], error[there])
        self.layers["errors"].put(x0=x[there], y0=low, x1=x[there], y1=high)

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: "line-2" for a colour, a kind of line by name, "points" or "errors"."""
        errors, points = (len(self.layers[n].columns.get(c, ())) for n, c in (("errors", "x0"), ("points", "x")))
        return sorted(self._drawn | ({"errors"} if errors else {"points"} if points else set()))

    def show_pins(self, curves: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Ghosts of pinned lines."""
        across, up = self._scales
        self.layers["pins"].put(xs=[across.place(x) for x, _ in curves], ys=[up.place(y) for _, y in curves])

    # -- the axes, which show all of the theory and of what was measured -----------------------------------------------

    def _fit(self) -> None:
        for axis, scale in zip("xy", self._scales, strict=True):
            low, high = self._range(axis)
            declared = self.observable if axis == "y" else self._across
            firm = isinstance(declared, Observable) and declared.low is not None and declared.high is not None
            room(self.figure, axis, scale, low, high, margin=0.06 if axis == "y" else 0.02, firm=firm)

    def _range(self, axis: str) -> tuple[float, float]:
        """Where there is something along an axis, in values."""
        k = "xy".index(axis)
        drawn = [one.y if k else one.x for one in self._theory if one.kind != "unstable"]
        drawn = drawn or [one.y if k else one.x for one in self._theory]
        if self._measured is not None:
            drawn = [*drawn, self._measured[k]]
        declared = self.observable if k else self._across
        values = np.concatenate(drawn) if drawn else np.empty(0)
        low, high = (getattr(declared, name, None) for name in ("low", "high"))
        if axis == "x" and self._in_bars and values.size:
            half = 0.5 * _step(np.unique(values))
            return float(np.nanmin(values)) - half, float(np.nanmax(values)) + half
        return self._scales[k].range(values, low, high)


def _step(x: NDArray[Any]) -> float:
    return float(np.min(np.diff(x))) if len(x) > 1 else 1.0
