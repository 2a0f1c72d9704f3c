"""The phase diagram: colour, regions by name, boundaries as lines, what is not known hatched, and a marker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.arithmetic import with_infinities
from mfexplore.core.declaration import Landmark, Observable
from mfexplore.core.model import Model
from mfexplore.core.solution import values_of
from mfexplore.figures.frame import (
    Drawn,
    Figure,
    afresh,
    clear,
    colour_bar,
    dress,
    dress_guess,
    get_range,
    glyphs,
    guessed,
    inside,
    load_holoviews,
    on_top,
    share_source,
    write_axes,
)
from mfexplore.figures.legends import Mark
from mfexplore.figures.lettering import MIDDLING, Lettered, letter, pieces
from mfexplore.figures.prose import one_line
from mfexplore.figures.regions import hatch_runs
from mfexplore.figures.scale import Scale, tick
from mfexplore.figures.style import LIGHT, SANS, SERIF, Theme, colour_limits, ink_on, mathml, palette, tex_label
from mfexplore.figures.symbols import typeset

if TYPE_CHECKING:
    import xarray as xr

EDGE = 0.035  # of the picture: so far from its edge is what points beyond it
EM = 17.0  # size of symbols in pixels
WIDE_DECADES = 2  # so many of colours are marked by whole ones


class DiagramFigure(Drawn):
    """A phase diagram; `show` and the other methods replace what is drawn."""

    key = "diagram"
    options = {"xlabel": "x", "ylabel": "y", "xlim": (0, 1), "ylim": (0, 1)}
    told = (
        "colour", "invalid_casing", "invalid", "unknown", "casing", "continuous", "dashed", "regions_halo", "regions",
        "symbols_halo", "symbols",
    )  # fmt: skip
    ran = ("measured",)

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        box = [(0.0, 0.0, 1.0, 1.0)]
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        image = hv.Image(np.zeros((2, 2), np.float32), bounds=(0, 0, 1, 1), kdims=["x", "y"], vdims=["z"])
        return {
            "colour": image.opts(cmap=list(palette(False)), clim=(0, 1), colorbar=True),
            "invalid_casing": hv.Rectangles(box),  # so that one sees the hatching on dark colours too
            "invalid": hv.Rectangles(box),
            "unknown": hv.Rectangles(box),
            "casing": hv.Path(line),
            "continuous": hv.Path(line),
            "dashed": hv.Path(line),
            "regions_halo": hv.Labels([(0.5, 0.5, "")]),
            "regions": hv.Labels([(0.5, 0.5, "")]),
            "symbols_halo": hv.Labels([(0.5, 0.5, "")]),
            "symbols": hv.Labels([(0.5, 0.5, "")]),
            "across": hv.HLines([0.5]),
            "upright": hv.VLines([0.5]),
            "measured": hv.Points([(0.5, 0.5)]),
            "pins": hv.Points([(0.5, 0.5)]),
            "away": hv.Labels([(0.5, 0.5, "")]),
            "guess_path": hv.Path(line),
            "guess": hv.Points([(0.5, 0.5)]),
            "marker": hv.Points([(0.5, 0.5)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models import BasicTicker
        from bokeh.models.annotations import Title

        clear(layers)
        one = {"x": "x", "y": "y"}
        share_source(layers, {"marker": one, "across": {"y": "y"}, "upright": {"x": "x"}})
        on_top(layers, "marker", "across", "upright", "pins", "guess_path", "guess")
        guessed(layers)
        layers["measured"].data_source.data = {name: [] for name in ("x", "y", "value")}
        edges = {side: side for side in ("left", "right", "bottom", "top")}
        share_source(layers, {"invalid": edges, "invalid_casing": edges})
        for name, columns in (("regions", ()), ("symbols", ("dx", "dy", "size", "style"))):
            text = {"text": "Label", "x": "x", "y": "y"}
            share_source(layers, {name: text, f"{name}_halo": text})
            every = ("x", "y", "Label", "ink", "halo", *columns)
            layers[name].data_source.data = {column: [] for column in every}
        glyph = {name: renderer.glyph for name, renderer in layers.items()}
        strokes = {"fill_alpha": 0.0, "line_alpha": 0.0, "hatch_pattern": "/", "hatch_scale": 14}
        glyph["invalid_casing"].update(**strokes, hatch_alpha=0.16, hatch_weight=2.0)
        glyph["invalid"].update(**strokes, hatch_alpha=0.25, hatch_weight=0.8)
        glyph["unknown"].update(
            fill_alpha=1.0, line_alpha=0.0, hatch_pattern="x", hatch_alpha=0.6, hatch_scale=9, hatch_weight=0.8
        )
        glyph["casing"].update(line_width=4.2, line_alpha=0.75)
        glyph["continuous"].update(line_width=2.2)
        glyph["dashed"].update(line_width=1.8, line_dash=[9, 4])
        for name in ("across", "upright"):
            glyph[name].update(line_width=1, line_alpha=0.75)
        halo = {"text_color": {"field": "halo"}, "text_outline_color": {"field": "halo"}, "text_outline_width": 3}
        regions = {
            "text_font": {"value": SERIF}, "text_font_style": "italic", "text_font_size": "17px",
            "text_align": "center", "text_baseline": "middle",
        }  # fmt: skip
        symbols = {
            "text_font": {"value": SERIF}, "text_font_style": {"field": "style"}, "text_font_size": {"field": "size"},
            "x_offset": {"field": "dx"}, "y_offset": {"field": "dy"}, "text_align": "left", "text_baseline": "middle",
        }  # fmt: skip
        for name, look in (("regions", regions), ("symbols", symbols)):
            glyph[name].update(**look, text_color={"field": "ink"})
            glyph[f"{name}_halo"].update(**look, **halo)
        glyph["marker"].update(size=17, fill_color="white", fill_alpha=0.95, line_width=4)
        layers["away"].data_source.data = {name: [] for name in ("x", "y", "Label", "angle")}
        glyph["away"].update(
            angle={"field": "angle"}, text_align="center", text_baseline="middle", text_font_size="26px",
            text_outline_color="white", text_outline_width=3,
        )  # fmt: skip
        glyph["pins"].update(size=11, line_width=2.5)
        coloured = {"field": "value", "transform": glyph["colour"].color_mapper}
        glyph["measured"].update(size=13, line_width=1.3, fill_color=coloured)
        bar = colour_bar(figure)
        bar.update(
            title="", background_fill_color=None, bar_line_color=None, major_tick_line_color=None, width=14, padding=6,
            major_label_text_font_size="12px", major_label_text_font=SANS,
        )  # fmt: skip
        title = Title(
            text="", align="center", text_font=SERIF, text_font_style="normal", text_font_size="14px", standoff=2
        )
        figure.add_layout(title, "right")
        write_axes(figure, size="12px")
        bar.ticker = ticker = BasicTicker()
        made = {"colour_bar": bar, "colour_title": title, "colour_ticker": ticker}
        return made | {"colour.mapper": glyph["colour"].color_mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme)
        glyph = glyphs(figure)
        glyph["invalid_casing"].update(hatch_color=theme.card)
        glyph["invalid"].update(hatch_color=theme.ink)
        glyph["unknown"].update(fill_color=theme.line, hatch_color=theme.soft)
        glyph["casing"].update(line_color=theme.card)
        for name in ("continuous", "dashed"):
            glyph[name].update(line_color=theme.ink)
        for name in ("across", "upright", "marker"):
            glyph[name].update(line_color=theme.marker)
        glyph["away"].update(text_color=theme.marker)
        glyph["pins"].update(fill_color=theme.card, line_color=theme.ghost)
        glyph["measured"].update(line_color=theme.card)
        dress_guess(glyph, theme)
        figure.part("colour_bar").update(major_label_text_color=theme.soft)
        title = figure.part("colour_title")
        title.update(text_color=theme.ink)
        if title["text"]:
            title.update(text=afresh(title["text"]))
        figure.part("colour.mapper").update(nan_color=theme.card)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind
        self._painted: Prepared | None = None
        self.limits = (0.0, 1.0)
        self._lettered: list[str] = []
        self._curves: list[tuple[Landmark, NDArray[Any], NDArray[Any]]] = []
        self.axes: tuple[str, str] = ("", "")
        self.scales = (Scale(), Scale())
        self._observable: Observable | None = None
        self._frame = {"inner_width": MIDDLING, "inner_height": MIDDLING}

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        lines = []
        for boundary in kind.landmarks:
            meaning = f'<b class="symbol">{mathml(boundary.symbol)}</b> {one_line(boundary.doc)}'
            lines.append(Mark(boundary.name, "rule" if boundary.continuous else "rule dash", meaning))
        hatched = (
            Mark("invalid", "hatch", "theory not to be trusted"),
            Mark("unknown", "hatch crossed", "no state of the theory"),
        )
        return (*lines, *hatched, Mark("measured", "ring", "simulations, in the colours of the theory"))

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._recolour()
        self._letter()

    def _recolour(self) -> None:
        signed = self._observable is not None and self._observable.signed
        self.layers["colour"].mapper.update(palette=list(palette(signed, self.theme)))

    def set_axes(
        self, x: str, y: str, x_range: tuple[float, float], y_range: tuple[float, float], observable: str
    ) -> None:
        """Name the axes and the colour, and show a window of the plane."""
        if self.axes != (x, y):  # what is drawn belongs to another plane
            self._painted = None
            self._show_curves([])
        self.axes = (x, y)
        self.scales = (Scale(self.kind.control(x)), Scale(self.kind.control(y)))
        self._observable = self.kind.observable(observable)
        for axis, name in (("xaxis", x), ("yaxis", y)):
            self.figure.part(axis).update(axis_label=tex_label(self.kind.control(name)))
        self.figure.part("colour_title").update(text=tex_label(self._observable))
        self._recolour()
        self.set_window(x_range, y_range)

    def set_window(self, x_range: tuple[float, float], y_range: tuple[float, float]) -> None:
        self.scales[0].show(self.figure, "x", *x_range)
        self.scales[1].show(self.figure, "y", *y_range)

    def show(self, dataset: xr.Dataset, branch: str | None = None, method: str | None = None) -> None:
        """Draw one level of a diagram, a Dataset over (y, x). branch None: the equilibrium branch."""
        self.paint(prepare(dataset, self.kind, self.observable, branch, method))

    @property
    def observable(self) -> str:
        """The name of the observable that the colours show; empty before `set_axes`."""
        return "" if self._observable is None else self._observable.name

    def paint(self, prepared: Prepared) -> None:
        """The same from data made ready by `prepare`, which may run in any thread."""
        self.limits = prepared.limits
        low, high = prepared.limits
        self.layers["colour"].mapper.update(low=low, high=high)
        self._mark_colours(low, high)
        left, bottom, width, height = prepared.box
        self.layers["colour"].put(image=[prepared.values], x=[left], y=[bottom], dw=[width], dh=[height])
        for name, runs in (("unknown", prepared.unknown), ("invalid", prepared.invalid)):
            if len(runs[0]) or len(self.layers[name].columns.get("left", ())):
                self.layers[name].put(left=runs[0], right=runs[1], bottom=runs[2], top=runs[3])
        self._painted = prepared
        self._letter()

    def _mark_colours(self, low: float, high: float) -> None:
        """Values beside the colours, which are places."""
        bar, ticker = self.figure.part("colour_bar"), self.figure.part("colour_ticker")
        if self._observable is None or not self._observable.is_logarithmic:
            ticker.update(min_interval=0.0)
            # As any axis, this one never forgets what a place was called (see Scale.show).
            bar.update(major_label_overrides={place: tick(place) for place in bar["major_label_overrides"] or {}})
            return
        # Another ticker would not be asked; so this one is told to mark only what can be named.
        step = 1.0 if high - low >= WIDE_DECADES else 0.5
        places = step * np.arange(np.ceil(low / step), np.floor(high / step) + 1)
        ticker.update(min_interval=step)
        bar.update(major_label_overrides={float(place): tick(float(f"{10**place:.2g}")) for place in places})

    def resize(self, width: float, height: float) -> None:
        """The frame has another size in pixels: letters take another part of it."""
        if width > 0 and height > 0:
            self._frame = {"inner_width": width, "inner_height": height}
            self._letter()

    def _inks(self, xs: Any, ys: Any) -> dict[str, list[str]]:
        """Colours of text that can be read at these places of the picture, and of the halo around it."""
        inks = [ink_on(self._colour_at(float(x), float(y))) for x, y in zip(xs, ys, strict=True)]
        return {"ink": inks, "halo": [f"{LIGHT.middle if ink == LIGHT.ink else LIGHT.ink}a0" for ink in inks]}

    def _colour_at(self, x: float, y: float) -> str:
        painted = self._painted
        if painted is None:
            return self.theme.card
        left, bottom, width, height = painted.box
        rows, columns = painted.values.shape
        row = int(np.clip((y - bottom) / height * rows, 0, rows - 1))
        column = int(np.clip((x - left) / width * columns, 0, columns - 1))
        value, (low, high) = float(painted.values[row, column]), painted.limits
        if np.isnan(value):
            return self.theme.card
        colours = palette(self._observable is not None and self._observable.signed, self.theme)
        return colours[int(np.clip((value - low) / (high - low), 0, 1) * (len(colours) - 1))]

    def show_boundaries(self, boundaries: xr.Dataset) -> None:
        """Draw the curves of `Model.boundaries()`, each with its symbol where it leaves the picture or ends."""
        x, y = self.axes
        declared = {landmark.name: landmark for landmark in self.kind.landmarks}
        found = []
        for name in boundaries["boundary"].values if "boundary" in boundaries else ():
            one = boundaries.sel(boundary=name)
            xs, ys = (s.place(one[n].values).astype(np.float32) for s, n in zip(self.scales, (x, y), strict=True))
            found.append((declared[str(name)], xs, ys))
        self._show_curves(found)

    def _show_curves(self, found: list[tuple[Landmark, NDArray[Any], NDArray[Any]]]) -> None:
        self._curves = found
        curves: dict[bool, tuple[list[Any], list[Any]]] = {True: ([], []), False: ([], [])}
        for landmark, xs, ys in found:
            for piece in pieces(xs, ys):
                curves[landmark.continuous][0].append(xs[piece])
                curves[landmark.continuous][1].append(ys[piece])
        for continuous, name in ((True, "continuous"), (False, "dashed")):
            self.layers[name].put(xs=curves[continuous][0], ys=curves[continuous][1])
        self.layers["casing"].put(xs=[*curves[True][0], *curves[False][0]], ys=[*curves[True][1], *curves[False][1]])
        self._letter()

    def _letter(self) -> None:
        """Write the names of the regions and the symbol of every visible boundary, beside each other and the curves."""
        x_range, y_range = (get_range(self.figure, axis) or (0.0, 1.0) for axis in ("x", "y"))
        em = (EM / self._frame["inner_width"], EM / self._frame["inner_height"])
        curves = tuple((xs, ys, typeset(landmark.symbol)[1]) for landmark, xs, ys in self._curves)
        painted = self._painted
        phases, box = (None, ()) if painted is None else (painted.phases, painted.box)
        titles = tuple(phase.title for phase in self.kind.phases)
        names, beside = letter(Lettered(x_range, y_range, em, curves, phases, box, titles))
        x, y, text = zip(*names, strict=True) if names else ((), (), ())
        at = {"x": np.array(x, np.float32), "y": np.array(y, np.float32)}
        self.layers["regions"].put(**at, Label=list(text), **self._inks(x, y))
        shown = [(landmark, at) for (landmark, *_), at in zip(self._curves, beside, strict=True) if at is not None]
        self._lettered = [landmark.name for landmark, _ in shown]
        self._put_symbols([(landmark.symbol, *place) for landmark, place in shown])

    def _put_symbols(self, symbols: list[tuple[str, float, float]]) -> None:
        """Symbols by their centres."""
        rows: dict[str, list[Any]] = {"x": [], "y": [], "Label": [], "dx": [], "dy": [], "size": [], "style": []}
        for symbol, x, y in symbols:
            runs, width = typeset(symbol)
            for run in runs:
                row = (x, y, run.text, (run.x - width / 2) * EM, -run.y * EM, f"{run.size * EM:g}px",
                       "italic" if run.italic else "normal")  # fmt: skip
                for column, value in zip(rows.values(), row, strict=True):
                    column.append(value)
        numbers = {name: np.array(rows[name], np.float32) for name in ("x", "y", "dx", "dy")}
        self.layers["symbols"].put(**rows | numbers | self._inks(rows["x"], rows["y"]))

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: the boundaries in the window by name, the hatchings "invalid" and "unknown", and
        "measured".
        """
        hatched = [name for name in ("invalid", "unknown") if len(self.layers[name].columns.get("left", ()))]
        dots = ["measured"] if len(self.layers["measured"].columns.get("x", ())) else []
        return self._lettered + hatched + dots

    def show_marker(self, x: float, y: float) -> None:
        """Move ring and cross-hair; instead of one outside of the picture there is an arrow at the edge, that way."""
        self._put_on_top("marker", [x], [y])
        gone = len(self.layers["marker"].columns["x"]) == 0
        if not gone and not self.layers["away"].columns.get("x", ()):
            return
        at, way = [], []
        for scale, value, axis in zip(self.scales, (x, y), ("x", "y"), strict=True):
            (low, high), place = get_range(self.figure, axis) or (0.0, 1.0), float(scale.place(value))
            margin = EDGE * (high - low)
            at.append(min(max(place, low + margin), high - margin))
            way.append((min(max(place, low), high) - place) / (low - high))
        angle = float(np.arctan2(way[1], way[0]) - np.pi / 2)  # an arrow points up by itself
        rows = {"x": at[:1], "y": at[1:], "Label": ["▲"], "angle": [angle]}
        self.layers["away"].put(**{name: column if gone else [] for name, column in rows.items()})

    def show_measured(self, x: NDArray[Any], y: NDArray[Any], values: NDArray[Any]) -> None:
        """What simulations say at points of the plane, on the scale of the colours. All of shape (n,)."""
        places = Scale(self._observable).place(values)
        self.layers["measured"].put(x=self.scales[0].place(x), y=self.scales[1].place(y), value=places)

    def show_pins(self, points: list[tuple[float, float]]) -> None:
        self._put_on_top("pins", *np.array(points, float).reshape(-1, 2).T)

    def _put_on_top(self, name: str, x: Any, y: Any) -> None:
        x, y = self.scales[0].place(x), self.scales[1].place(y)
        seen = inside(self.figure, x, y)
        self.layers[name].put(x=x[seen], y=y[seen])


class Prepared:
    """What `paint` needs, computed off the page's thread: see `prepare`."""

    def __init__(
        self, values: NDArray[Any], box: tuple[float, float, float, float], limits: tuple[float, float],
        unknown: NDArray[Any], invalid: NDArray[Any], phases: NDArray[Any],
    ) -> None:  # fmt: skip
        self.values, self.box, self.limits = values, box, limits
        self.unknown, self.invalid, self.phases = unknown, invalid, phases


def choose(dataset: xr.Dataset, kind: type[Model], branch: str | None, method: str | None) -> xr.Dataset:
    """One method and one branch (None: the first method, the equilibrium branch) of a Dataset of the theory.

    Where no equilibrium branch is known the first one stands in, with its values taken away.
    """
    if "method" in dataset.dims:
        dataset = dataset.sel({"method": method or kind.methods[0].name})
    if "branch" not in dataset.dims:
        return dataset
    if branch is not None:
        return dataset.sel(branch=branch)
    known = dataset["equilibrium"] >= 0
    chosen = dataset.isel(branch=dataset["equilibrium"].where(known, 0).astype(int))
    names = [o.name for o in kind.observables if o.name in dataset and "branch" in dataset[o.name].dims]
    return chosen.assign({n: chosen[n].where(known) for n in names} | {"converged": chosen["converged"] & known})


@with_infinities
def prepare(
    dataset: xr.Dataset, kind: type[Model], observable: str, branch: str | None = None, method: str | None = None
) -> Prepared:
    """Make a diagram Dataset over (y, x) ready to be painted."""
    y_name, x_name = (str(d) for d in dataset.variables[observable].dims[:2])
    at, known = _chosen(dataset, kind, branch, method)
    declared = kind.observable(observable)
    values = np.where(known, at(observable), np.nan)
    xs, ys = (Scale(kind.control(name)).place(at(name).astype(float)) for name in (x_name, y_name))
    dx, dy = (float(v[1] - v[0]) if len(v) > 1 else 1.0 for v in (xs, ys))
    box = (xs[0] - dx / 2, ys[0] - dy / 2, xs[-1] - xs[0] + dx, ys[-1] - ys[0] + dy)
    if declared.is_logarithmic:
        scale = Scale(declared)
        low, high = scale.place(scale.range(values, declared.low, declared.high))
        limits = float(low), float(high)
        values = scale.place(values)
    else:
        limits = colour_limits(values, declared.low, declared.high, declared.signed)
    phases = at("phase") if "phase" in dataset.variables else np.full(values.shape, -1)
    known = known & at("converged")
    return Prepared(
        np.ascontiguousarray(values, np.float32), box, limits,
        hatch_runs(~known, box), hatch_runs(known & (at("validity") > 0), box),
        phases,
    )  # fmt: skip


def _chosen(
    dataset: xr.Dataset, kind: type[Model], branch: str | None, method: str | None
) -> tuple[Callable[[str], NDArray[Any]], NDArray[np.bool_]]:
    """What `choose` gives, as bare arrays: the values of a variable by its name, and where they are known. Of a fine
    diagram with all its variables that takes a tenth of the time.
    """
    if "method" in dataset.dims:
        method = method or kind.methods[0].name
    of = values_of(dataset, method, branch)
    if "branch" not in dataset.dims or branch is not None:
        return of, np.array(True)
    place = of("equilibrium")
    first = np.maximum(place, 0)[..., np.newaxis]

    def at(name: str) -> NDArray[Any]:
        on_branches = "branch" in dataset.variables[name].dims
        return np.take_along_axis(of(name), first, -1)[..., 0] if on_branches else of(name)

    return at, place >= 0


__all__ = ["DiagramFigure", "Prepared", "choose", "pieces", "prepare"]
