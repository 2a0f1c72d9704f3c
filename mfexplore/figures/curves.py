"""Theory against simulation along one control: lines are theory, points with error bars are simulation."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Observable
from mfexplore.core.model import Model
from mfexplore.core.solution import values_of
from mfexplore.figures.frame import (
    NOTHING,
    Drawn,
    Figure,
    clear,
    dress,
    dress_guess,
    get_range,
    glyphs,
    guessed,
    inside,
    load_holoviews,
    on_top,
    write_axes,
)
from mfexplore.figures.legends import Mark
from mfexplore.figures.scale import Scale, room
from mfexplore.figures.style import Theme, line_colour, tex_label

if TYPE_CHECKING:
    import xarray as xr

FAR = 1e6  # beyond every frame
EDGE = 0.03  # of the picture: so far from its edge is what points beyond it
KINDS = (("stable", 1.6, "solid"), ("equilibrium", 3.2, "solid"), ("unstable", 1.6, "2 3"))  # width and dash


@dataclass(frozen=True)
class Line:
    """One line of the theory: its place in the arrays, its name, and which colour of the theme it has."""

    method: str | None
    branch: str | None
    title: str
    colour: int


def lines_of(kind: type[Model]) -> list[Line]:
    """The lines a system's theory has: one per method and branch, in order of declaration."""
    methods: list[Any] = list(kind.methods) or [None]
    branches: list[Any] = list(kind.branches) or [None]
    found = []
    for i, method in enumerate(methods):
        for j, branch in enumerate(branches):
            title = ", ".join(part.title for part in (method, branch) if part is not None) or "theory"
            colour = i if len(methods) > 1 else j
            names = (method.name if method else None, branch.name if branch else None)
            found.append(Line(*names, title, colour))
    return found


def legend_of(kind: type[Model]) -> list[tuple[str, int]]:
    """What the colours of the lines mean: pairs (title, colour). With rival methods each has one colour.

    `CurvesFigure.drawn` says which of them there are.
    """
    if len(kind.methods) > 1:
        return [(method.title, k) for k, method in enumerate(kind.methods)]
    return [(line.title, line.colour) for line in lines_of(kind)]


def theory_columns(dataset: xr.Dataset, kind: type[Model], control: str, observable: str) -> dict[str, NDArray[Any]]:
    """Columns "x" and, for the k-th line, "stable{k}", "equilibrium{k}" and "unstable{k}", NaN where it is not."""
    columns: dict[str, NDArray[Any]] = {"x": dataset.variables[control].values.astype(np.float32)}
    names = [b.name for b in kind.branches]
    for k, line in enumerate(lines_of(kind)):
        of = values_of(dataset, line.method, line.branch)
        values, stable = of(observable), of("stable")
        chosen = stable
        if line.branch and "branch" in dataset.dims:
            chosen = of("equilibrium") == names.index(line.branch)
        for name, mask in (("stable", stable), ("equilibrium", chosen), ("unstable", ~stable)):
            columns[f"{name}{k}"] = np.where(mask, values, np.nan).astype(np.float32)
        # Dotted and solid pieces of one line should meet: let the unstable one reach over by a point on either side.
        unstable = ~stable & np.isfinite(values)
        reach = unstable | np.roll(unstable, 1) | np.roll(unstable, -1)
        reach[[0, -1]] = unstable[[0, -1]]
        joined = np.where(reach & (np.isfinite(values)), values, np.nan)
        columns[f"unstable{k}"] = joined.astype(np.float32)
    return columns


class CurvesFigure(Drawn):
    """Theory as lines, simulation as points; the `show_...` methods replace what is drawn."""

    key = "curves"
    options = {"xlabel": "x", "ylabel": "y", "xlim": (0, 1), "ylim": (0, 1)}
    told = ("beyond", "pins", "theory", "exact", "samples", "bars", "points")  # the last three would tell it as well
    ran = ("loop", "arrows", "samples", "bars", "points", "trail", "live")

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        nothing = ([0.0, 1.0], [np.nan, np.nan])
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        return {
            "beyond": hv.Path(line),
            "marker": hv.VLines([0.5]),
            "pins": hv.Path(line),
            "theory": hv.Path(line),
            "exact": hv.Curve(nothing, "x", "y"),
            "loop": hv.Path(line),
            "arrows": hv.Points([(0.0, 0.0)]),
            "samples": hv.Points([(0.0, 0.0)]),
            "bars": hv.Segments([(0.0, 0.0, 0.0, 1.0)]),
            "points": hv.Points([(0.0, 0.0)]),
            "trail": hv.Curve(nothing, "x", "y"),
            "live": hv.Points([(0.0, 0.0)]),
            "away": hv.Labels([(0.0, 0.0, "")]),
            "guess_path": hv.Path(line),
            "guess": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models.glyphs import Patches

        colour: Any = {"field": "colour"}
        layers["beyond"].glyph = Patches(xs="xs", ys="ys", fill_color=colour, line_color=None, fill_alpha=0.13)
        glyph = {name: renderer.glyph for name, renderer in layers.items()}
        glyph["marker"].x = "x"
        on_top(layers, "marker", "away", "guess_path", "guess")
        clear(layers)
        guessed(layers)
        layers["theory"].data_source.data = {name: [] for name in ("xs", "ys", "colour", "width", "dash")}
        layers["beyond"].data_source.data = {name: [] for name in ("xs", "ys", "colour")}
        layers["marker"].data_source.data = {"x": []}
        layers["away"].data_source.data = {name: [] for name in ("x", "y", "Label")}
        layers["arrows"].data_source.data = {name: [] for name in ("x", "y", "angle", "fill")}
        glyph["theory"].update(
            line_color={"field": "colour"}, line_width={"field": "width"}, line_dash={"field": "dash"}
        )
        glyph["marker"].update(line_width=1, line_alpha=0.8)
        glyph["pins"].update(line_width=1.8, line_alpha=0.8)
        glyph["exact"].update(line_width=1.6, line_dash=[4, 3])
        glyph["loop"].update(line_width=1.2, line_alpha=0.7)
        glyph["arrows"].update(
            marker="triangle", size=8, line_width=1.2, angle={"field": "angle"}, fill_alpha={"field": "fill"}
        )
        glyph["samples"].update(size=4, line_color=None, fill_alpha=0.35)
        glyph["bars"].update(line_width=1.4)
        glyph["points"].update(size=7, line_width=1.5)
        glyph["trail"].update(line_width=1.2, line_alpha=0.5)
        glyph["live"].update(size=9, line_width=1.5)
        glyph["away"].update(text_align="center", text_baseline="middle", text_font_size="20px")
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=True)
        glyph = glyphs(figure)
        glyph["marker"].update(line_color=theme.marker)
        glyph["away"].update(text_color=theme.marker)
        glyph["pins"].update(line_color=theme.ghost)
        glyph["exact"].update(line_color=theme.ink)
        glyph["loop"].update(line_color=theme.marker)
        glyph["arrows"].update(line_color=theme.marker, fill_color=theme.marker)
        glyph["samples"].update(fill_color=theme.ink)
        glyph["bars"].update(line_color=theme.ink)
        glyph["points"].update(fill_color=theme.card, line_color=theme.ink)
        glyph["trail"].update(line_color=theme.marker)
        glyph["live"].update(fill_color=theme.marker, line_color=theme.card)
        dress_guess(glyph, theme)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind, self.lines = kind, lines_of(kind)
        self._columns: dict[str, NDArray[Any]] = {}
        self._drawn_lines: set[str] = set()
        self._bounds: dict[str, str] = {}
        self.scale, self.up = Scale(), Scale()
        self._away: bool | None = None  # whether the marker is beyond the right edge, or the left; None: it is seen

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        theories = [Mark(f"line-{c}", "swatch", html.escape(title), f"line-{c}") for title, c in legend_of(kind)]
        return (
            *theories,
            Mark("exact", "swatch dash", "exact at this size", "ink"),
            Mark("points", "ring", "simulations (pale), mean ± s.e."),
            Mark("live", "dot", "live run"),
            Mark("loop", "carried", "one run carried up, then down"),
            Mark("equilibrium", "", "thick: equilibrium"),
            Mark("unstable", "", "dotted: unstable"),
            Mark("beyond", "", "shaded: beyond a bound"),
        )

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._put_lines()

    def set_axes(self, control: str, observable: str, x_range: tuple[float, float]) -> None:
        """Name the axes and show a window of the control."""
        self.observable = self.kind.observable(observable)
        self._bounds = {m.name: side for m in self.kind.methods if (side := m.bound_of(observable))}
        self.figure.part("xaxis").update(axis_label=tex_label(self.kind.control(control)))
        self.figure.part("yaxis").update(axis_label=tex_label(self.observable))
        self.scale, self.up = Scale(self.kind.control(control)), Scale(self.observable)
        self.scale.show(self.figure, "x", *x_range)

    def show_theory(self, columns: dict[str, NDArray[Any]]) -> None:
        """Draw the lines of `theory_columns`."""
        self._columns = columns
        self._put_lines()
        room(self.figure, "y", self.up, *curve_range(columns, self.observable), margin=0.06, firm=True)
        self._point_away()

    def _put_lines(self) -> None:
        """All lines are one glyph over one source: each further glyph costs the browser a millisecond per change."""
        rows: dict[str, list[Any]] = {"xs": [], "ys": [], "colour": [], "width": [], "dash": []}
        x = self.scale.place(self._columns.get("x", NOTHING))
        self._drawn_lines = set()
        for k, line in enumerate(self.lines):
            for name, width, dash in KINDS:
                y = self.up.place(self._columns.get(f"{name}{k}", NOTHING))
                there = np.flatnonzero(np.isfinite(y))
                if len(there):
                    self._drawn_lines |= {f"line-{line.colour}", name}
                    part = slice(there[0], there[-1] + 1)
                    row = (x[part], y[part], line_colour(line.colour, self.theme), width, dash)
                    for column, value in zip(rows.values(), row, strict=True):
                        column.append(value)
        self.layers["theory"].put(**rows)
        self._shade_bounds(x)

    def _shade_bounds(self, x: NDArray[Any]) -> None:
        """The side of a bound on which the truth cannot be."""
        rows: dict[str, list[Any]] = {"xs": [], "ys": [], "colour": []}
        for k, line in enumerate(self.lines):
            y = self.up.place(self._columns.get(f"equilibrium{k}", NOTHING))
            known = np.isfinite(y)
            if line.method in self._bounds and known.any():
                far = FAR if self._bounds[line.method] == "upper" else -FAR
                side = np.full(known.sum(), far, np.float32)
                row = (
                    np.append(x[known], x[known][::-1]),
                    np.append(y[known], side),
                    line_colour(line.colour, self.theme),
                )
                for column, value in zip(rows.values(), row, strict=True):
                    column.append(value)
        self.layers["beyond"].put(**rows)
        self._drawn_lines |= {"beyond"} if rows["xs"] else set()

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: "line-2" for a colour, a kind of line by name, "points", "exact", "live", and
        "loop".
        """
        series = {"points": "points", "exact": "exact", "live": "live", "loop": "arrows"}
        seen = {n for n, layer in series.items() if np.isfinite(self.layers[layer].columns.get("y", NOTHING)).any()}
        return sorted(self._drawn_lines | seen)

    def show_marker(self, x: float) -> None:
        """Move the line of the marker; one outside of the picture is an arrow at its edge, that way."""
        place = self.scale.place([x])
        seen = inside(self.figure, place)
        self.layers["marker"].put(x=place[seen])
        self._away = None if seen[0] else bool(place[0] > (get_range(self.figure, "x") or (0.0, 1.0))[0])
        self._point_away()

    def _point_away(self) -> None:
        """The arrow that stands for a marker beyond the edge, half way up."""
        if self._away is None and not self.layers["away"].columns.get("x"):
            return
        (left, right), (low, high) = (get_range(self.figure, axis) or (0.0, 1.0) for axis in ("x", "y"))
        edge = right - EDGE * (right - left) if self._away else left + EDGE * (right - left)
        rows = {"x": [edge], "y": [(low + high) / 2], "Label": ["▶" if self._away else "◀"]}
        self.layers["away"].put(**{name: [] if self._away is None else column for name, column in rows.items()})

    def show_points(
        self, x: NDArray[Any], mean: NDArray[Any], error: NDArray[Any], samples: Sequence[Sequence[float]] = ()
    ) -> None:
        """Means of the simulation with their standard errors, all of shape (n,); and the samples behind each."""
        x = self.scale.place(x)
        each = [(at, value) for at, values in zip(x, samples, strict=False) for value in values]
        across, up = np.array(each, float).reshape(-1, 2).T
        self.layers["samples"].put(x=across, y=self.up.place(up))
        self.layers["points"].put(x=x, y=self.up.place(mean))
        low, high = self.up.places_of_ends(mean, error)
        self.layers["bars"].put(x0=x, y0=low, x1=x, y1=high)

    def show_exact(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """The exact values at finite size."""
        self.layers["exact"].put(x=self.scale.place(x), y=self.up.place(y))

    def show_live(self, x: NDArray[Any], y: NDArray[Any]) -> None:
        """The running simulation: where it is now (last value) and where it came from."""
        x, y = self.scale.place(x), self.up.place(y)
        self.layers["trail"].put(x=x, y=y)
        self.layers["live"].put(x=x[-1:], y=y[-1:])

    def show_loop(self, x: NDArray[Any], up: NDArray[Any], down: NDArray[Any]) -> None:
        """A run that was carried along the abscissa, up and then down, as arrows that point its way. All of shape (n,),
        NaN where it was not yet.
        """
        x = self.scale.place(x)
        ways = [(x, self.up.place(up), -np.pi / 2, 1.0), (x[::-1], self.up.place(down)[::-1], np.pi / 2, 0.0)]
        path = [np.concatenate(parts) for parts in zip(*(way[:2] for way in ways), strict=True)]
        turns, full = (np.repeat([way[k] for way in ways], len(x)) for k in (2, 3))
        there = np.isfinite(path[1])
        self.layers["loop"].put(xs=[path[0][there]], ys=[path[1][there]])
        self.layers["arrows"].put(x=path[0][there], y=path[1][there], angle=turns[there], fill=full[there])

    def show_pins(self, curves: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Ghosts of pinned runs."""
        self.layers["pins"].put(xs=[self.scale.place(c[0]) for c in curves], ys=[self.up.place(c[1]) for c in curves])


def curve_range(columns: dict[str, NDArray[Any]], observable: Observable) -> tuple[float, float]:
    """The range of an axis for `theory_columns`. States in which nothing stays may leave the picture: often they would
    dwarf all others.
    """
    stable = np.concatenate([v for n, v in columns.items() if n.startswith(("stable", "equilibrium"))])
    drawn = stable if np.isfinite(stable).any() else np.concatenate([v for n, v in columns.items() if n != "x"])
    return Scale(observable).range(drawn, observable.low, observable.high)


__all__ = ["CurvesFigure", "Line", "curve_range", "legend_of", "lines_of", "theory_columns"]
