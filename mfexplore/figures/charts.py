"""Pictures with axes: a chart of several series, and a field, which is a heat map with what lies on it."""

from __future__ import annotations

from collections.abc import Mapping
from textwrap import wrap
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.pictures import Arrows, Axis, Chart, Field, Guide, Series
from mfexplore.figures.frame import Figure, clear, colour_bar, get_range, glyphs, load_holoviews, thin
from mfexplore.figures.picture import StateFigure, arrows, colour_map
from mfexplore.figures.scale import Scale, room
from mfexplore.figures.style import LIGHT, SANS, SERIF, Theme, cyclic, line_colour, palette

MOST_POINTS = 800  # of a series
MOST_PIXELS = 512  # along a side of a field
MOST_ARROWS = 900
SQUARE_WITH_BAR = 1.17  # as wide as high is a figure whose frame is square, with a bar of colours beside it
WIDE = 1.5  # as wide as high, about, is the frame of a picture with axes, until its page has told
LINE = 24  # letters of the title of an ordinate that fit beside it
NAMED = 0.72  # of the way across a guide, where its name stands


class AxesFigure(StateFigure):
    """Base of both: two named axes, each linear or logarithmic."""

    square, shape = False, "wide"
    options: ClassVar[Mapping[str, Any]] = {"xlabel": "x", "ylabel": "y"}

    def __init__(self, theme: Theme, figure: Figure | None = None) -> None:
        super().__init__(theme, figure)
        self._axes: tuple[Axis, Axis] | None = None
        self.scales = Scale(), Scale()

    def _name(self, x: Axis, y: Axis) -> None:
        if self._axes != (x, y):
            self._axes, self.scales = (x, y), (Scale(x), Scale(y))
            self.figure.part("xaxis").update(axis_label=x.title)
            self.figure.part("yaxis").update(axis_label="\n".join(wrap(y.title, LINE)))

    def _places(self, x: NDArray[Any], y: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        across, up = self.scales
        return across.place(np.asarray(x, float)).astype(np.float32), up.place(np.asarray(y, float)).astype(np.float32)


class ChartFigure(AxesFigure):
    """Several series in one frame, with guides to compare them with."""

    shows = (Chart,)
    key = "chart"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        return {
            "bands": hv.Path(line),
            "bars": hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]),
            "guides": hv.Path(line),
            "lines": hv.Path(line),
            "errors": hv.Segments([(0.0, 0.0, 0.0, 1.0)]),
            "points": hv.Points([(0.0, 0.0)]),
            "names": hv.Labels([(0.5, 0.5, "")]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models.glyphs import Patches

        clear(layers)
        columns = {
            "bands": ("xs", "ys", "c"), "bars": ("left", "right", "bottom", "top", "c"), "lines": ("xs", "ys", "c"),
            "errors": ("x0", "y0", "x1", "y1", "c"), "points": ("x", "y", "c"),
        }  # fmt: skip
        for name, names in columns.items():
            layers[name].data_source.data = {column: [] for column in names}
        colour: Any = {"field": "c"}
        layers["bands"].glyph = Patches(xs="xs", ys="ys", fill_color=colour, line_color=None, fill_alpha=0.22)
        layers["bars"].glyph.update(fill_color=colour, line_color=colour, fill_alpha=0.4, line_width=0.5)
        layers["lines"].glyph.update(line_color=colour, line_width=1.8)
        layers["errors"].glyph.update(line_color=colour, line_width=1.2)
        layers["points"].glyph.update(size=5, line_color=colour, line_width=1.2)
        layers["names"].data_source.data = {name: [] for name in ("x", "y", "Label", "side")}
        layers["guides"].glyph.update(line_width=1.3, line_dash=[5, 4])
        layers["names"].glyph.update(
            text_font={"value": SERIF}, text_font_style="italic", text_font_size="13px", text_align={"field": "side"},
            text_baseline="bottom", y_offset=-3,
        )  # fmt: skip
        return super().finish(figure, layers)

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyph = glyphs(figure)
        glyph["points"].update(fill_color=theme.card)
        glyph["guides"].update(line_color=theme.soft)
        glyph["names"].update(text_color=theme.soft)

    def named(self, picture: Chart) -> list[tuple[str, str]]:
        return [(name, self._colour(picture, name)) for name in dict.fromkeys(s.name for s in picture.series) if name]

    def _colour(self, picture: Chart, name: str) -> str:
        """Theory and simulation of the same thing have the same name, and so the same colour."""
        return line_colour(list(dict.fromkeys(s.name for s in picture.series)).index(name), self.theme)

    def show(self, picture: Chart) -> None:
        self._name(picture.x, picture.y)
        self._fit(picture)
        rows: dict[str, dict[str, list[Any]]] = {
            "bands": {"xs": [], "ys": [], "c": []},
            "bars": {"left": [], "right": [], "bottom": [], "top": [], "c": []},
            "lines": {"xs": [], "ys": [], "c": []},
            "errors": {"x0": [], "y0": [], "x1": [], "y1": [], "c": []},
            "points": {"x": [], "y": [], "c": []},
        }
        for series in picture.series:
            self._add(series, self._colour(picture, series.name), rows)
        for name, columns in rows.items():
            if name in ("bands", "lines"):
                self.layers[name].put(**columns)
            else:
                numbers = {n: np.concatenate(v) if v else np.empty(0) for n, v in columns.items() if n != "c"}
                self.layers[name].put(**numbers, c=columns["c"])
        self._show_guides(picture.guides)

    def _add(self, series: Series, colour: str, rows: dict[str, dict[str, list[Any]]]) -> None:
        up = self.scales[1]
        x, y = (thin(np.asarray(values), MOST_POINTS) for values in (series.x, series.y))
        if series.kind == "points":
            known = np.isfinite(x) & np.isfinite(y)
            px, py = self._places(x[known], y[known])
            _extend(rows["points"], colour, x=px, y=py)
            if series.error is not None:
                error = thin(np.asarray(series.error), MOST_POINTS)[known]
                low, high = up.places_of_ends(y[known], np.where(np.isfinite(error), error, 0.0))
                _extend(rows["errors"], colour, x0=px, y0=low, x1=px, y1=high)
        elif series.kind == "bars":
            px, py = self._places(x, y)
            half = 0.4 * (float(np.diff(np.sort(px)).min()) if len(px) > 1 else 1.0)
            shown = get_range(self.figure, "y") or (0.0, 1.0)
            foot = np.full(len(px), shown[0] if up.is_log else 0.0, np.float32)
            _extend(rows["bars"], colour, left=px - half, right=px + half, bottom=foot, top=py)
        elif series.kind == "band":
            upper = thin(np.asarray(series.y if series.upper is None else series.upper), MOST_POINTS)
            known = np.isfinite(x) & np.isfinite(y) & np.isfinite(upper)
            px, low = self._places(x[known], y[known])
            _, high = self._places(x[known], upper[known])
            self._extend_lines(rows["bands"], colour, np.append(px, px[::-1]), np.append(low, high[::-1]))
        else:
            px, py = self._places(x, y)
            if series.kind == "step":
                px, py = np.repeat(px, 2)[1:], np.repeat(py, 2)[:-1]
            self._extend_lines(rows["lines"], colour, px, py)

    @staticmethod
    def _extend_lines(columns: dict[str, list[Any]], colour: str, x: NDArray[Any], y: NDArray[Any]) -> None:
        for name, value in zip(("xs", "ys", "c"), (x, y, colour), strict=True):
            columns[name].append(value)

    def _fit(self, picture: Chart) -> None:
        ranges = []
        for k, (axis, scale) in enumerate(zip((picture.x, picture.y), self.scales, strict=True)):
            drawn = [np.ravel(np.asarray(s.y if k else s.x, float)) for s in picture.series]
            drawn += [np.ravel(np.asarray(s.upper, float)) for s in picture.series if k and s.upper is not None]
            if k and not scale.is_log and any(s.kind == "bars" for s in picture.series):
                drawn.append(np.zeros(1))
            values = np.concatenate(drawn) if drawn else np.empty(0)
            finite = values[np.isfinite(values) & ((values > 0) | (not scale.is_log))]
            ends = [float(finite.min()), float(finite.max())] if finite.size else [None, None]
            low, high = _given(axis, ends)
            ranges.append(scale.range(values, low, high))
        if picture.equal:
            ranges = self._equally(ranges)
        for name, axis, scale, (low, high) in zip("xy", (picture.x, picture.y), self.scales, ranges, strict=True):
            firm = picture.equal or (axis.low is not None and axis.high is not None)
            room(self.figure, name, scale, low, high, margin=0.0 if picture.equal else 0.04, firm=firm)

    def _equally(self, ranges: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """The same length of both axes around the same middles, in a square."""
        self.shape = "square"  # type: ignore[misc]
        self.figure.part("figure").update(sizing_mode="stretch_width", aspect_ratio=1.02)
        half = 0.52 * max(high - low for low, high in ranges)
        return [((low + high) / 2 - half, (low + high) / 2 + half) for low, high in ranges]

    def _show_guides(self, guides: tuple[Guide, ...]) -> None:
        """Straight lines between the sides of the frame."""
        (left, right), (bottom, top) = (get_range(self.figure, axis) or (0.0, 1.0) for axis in ("x", "y"))
        xs, ys, at_x, at_y, names, sides = [], [], [], [], [], []
        for guide in guides:
            (x0,), (y0,) = self._places(np.array(guide.through[:1]), np.array(guide.through[1:]))
            ends = [left, right]
            if guide.slope:
                hits = sorted(float(x0 + (side - y0) / guide.slope) for side in (bottom, top))
                ends = [max(left, hits[0]), min(right, hits[1])]
            x = np.array(ends, np.float32)
            if not x[1] > x[0]:
                continue
            xs.append(x)
            ys.append(y0 + np.float32(guide.slope) * (x - x0))
            middle = float(x[0] + NAMED * (x[1] - x[0]))
            at_x.append(middle)
            at_y.append(float(y0 + guide.slope * (middle - x0)))
            names.append(guide.name)
            sides.append("right" if guide.slope > 0 else "left")  # where the line is lower
        self.layers["guides"].put(xs=xs, ys=ys)
        self.layers["names"].put(x=np.array(at_x, np.float32), y=np.array(at_y, np.float32), Label=names, side=sides)

    @staticmethod
    def on_paper(axes: Any, picture: Chart) -> None:
        _name_on_paper(axes, picture.x, picture.y)
        colours = {name: line_colour(k) for k, name in enumerate(dict.fromkeys(s.name for s in picture.series))}
        named: set[str] = set()
        for series in picture.series:
            _series_on_paper(axes, series, colours[series.name], "" if series.name in named else series.name)
            named.add(series.name)
        for guide in picture.guides:
            style = {"color": LIGHT.soft, "lw": 1, "ls": "--", "label": guide.name}
            if picture.x.scale == picture.y.scale == "linear":
                axes.axline(guide.through, slope=guide.slope, **style)
            else:  # the slope is an exponent
                x = np.geomspace(max(axes.get_xlim()[0], 1e-12), axes.get_xlim()[1], 20)
                axes.plot(x, guide.through[1] * (x / guide.through[0]) ** guide.slope, **style)
        if picture.equal:
            axes.set_aspect("equal")


def _given(axis: Axis, ends: Any) -> tuple[Any, Any]:
    """The ends of an axis: as given, else these."""
    return (ends[0] if axis.low is None else axis.low), (ends[1] if axis.high is None else axis.high)


def _extend(columns: dict[str, list[Any]], colour: str, **values: NDArray[Any]) -> None:
    for name, more in values.items():
        columns[name].append(np.asarray(more, np.float32))
    columns["c"] += [colour] * len(more)


def _series_on_paper(axes: Any, series: Series, colour: str, name: str) -> None:
    x, y = np.asarray(series.x, float), np.asarray(series.y, float)
    if series.kind == "points":
        axes.errorbar(x, y, series.error, fmt="o", ms=3, mfc="white", color=colour, lw=0.9, label=name or None)
    elif series.kind == "bars":
        axes.bar(
            x, y, 0.8 * float(np.min(np.diff(np.unique(x)), initial=1.0)), color=colour, alpha=0.4, label=name or None
        )
    elif series.kind == "band" and series.upper is not None:
        axes.fill_between(x, y, series.upper, color=colour, alpha=0.22, lw=0, label=name or None)
    else:
        style = {"drawstyle": "steps-mid"} if series.kind == "step" else {}
        axes.plot(x, y, color=colour, lw=1.3, label=name or None, **style)


def _name_on_paper(axes: Any, x: Axis, y: Axis) -> None:
    axes.set(xlabel=x.title, ylabel=y.title, xscale=x.scale, yscale=y.scale)
    if None not in (x.low, x.high):
        axes.set_xlim(x.low, x.high)
    if None not in (y.low, y.high):
        axes.set_ylim(y.low, y.high)


class FieldFigure(AxesFigure):
    """A heat map with axes, and contours, paths, points and arrows on it."""

    shows = (Field,)
    key = "field"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        image = hv.Image(np.zeros((2, 2), np.float32), bounds=(0, 0, 1, 1), kdims=["x", "y"], vdims=["z"])
        return {
            "image": image.opts(cmap=list(palette(False)), clim=(0, 1), colorbar=True),
            "contours": hv.Path(line),
            "arrows": hv.Path(line),
            "casing": hv.Path(line),
            "paths": hv.Path(line),
            "errors": hv.Segments([(0.0, 0.0, 0.0, 1.0)]),
            "points": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["points"].data_source.data = {"x": [], "y": [], "c": []}
        layers["contours"].glyph.update(line_width=1.1, line_alpha=0.8)
        layers["arrows"].glyph.update(line_width=1.2)
        layers["casing"].glyph.update(line_width=4, line_alpha=0.7)
        layers["paths"].glyph.update(line_width=2)
        layers["errors"].glyph.update(line_width=1.3)
        layers["points"].glyph.update(size=7, fill_color={"field": "c"}, line_width=1.4)
        bar = colour_bar(figure)
        bar.update(
            title="", background_fill_color=None, bar_line_color=None, major_tick_line_color=None, width=10, padding=4,
            major_label_text_font_size="11px", major_label_text_font=SANS,
        )  # fmt: skip
        made = super().finish(figure, layers)
        return made | {"image.mapper": layers["image"].glyph.color_mapper, "colour_bar": bar}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyph = glyphs(figure)
        for name in ("contours", "arrows", "paths", "errors"):
            glyph[name].update(line_color=theme.ink)
        glyph["casing"].update(line_color=theme.card)
        glyph["points"].update(line_color=theme.card)
        figure.part("colour_bar").update(major_label_text_color=theme.soft)
        figure.layer("image").mapper.update(nan_color=theme.card)

    def __init__(self, theme: Theme, figure: Figure | None = None) -> None:
        super().__init__(theme, figure)
        self._wide = WIDE
        self._arrows: Arrows | None = None

    def resize(self, width: float, height: float) -> None:
        """Heads of arrows keep their shape."""
        self._wide = width / height
        self._show_arrows(self._arrows)

    def show(self, picture: Field) -> None:
        self._name(picture.x, picture.y)
        across, up = self.scales
        left, right, bottom, top = picture.extent
        for axis, declared, scale, ends in (
            ("x", picture.x, across, (left, right)), ("y", picture.y, up, (bottom, top))
        ):  # fmt: skip
            low, high = _given(declared, ends)
            room(self.figure, axis, scale, low, high, firm=True)
        if picture.equal:
            self.shape = "square"  # type: ignore[misc]
            self.figure.part("figure").update(sizing_mode="stretch_width", aspect_ratio=SQUARE_WITH_BAR)
        step = max(1, -(-max(picture.values.shape) // MOST_PIXELS))
        values = np.ascontiguousarray(picture.values[::step, ::step], np.float32)
        colours = cyclic() if picture.cyclic else palette(picture.signed, self.theme)
        self.layers["image"].mapper.update(palette=list(colours), low=picture.low, high=picture.high)
        (x0, x1), (y0, y1) = across.place(picture.extent[:2]), up.place(picture.extent[2:])
        self.layers["image"].put(image=[values], x=[float(x0)], y=[float(y0)], dw=[float(x1 - x0)], dh=[float(y1 - y0)])
        self._show_contours(values, picture.contours, (float(x0), float(x1), float(y0), float(y1)))
        paths = [self._places(thin(x, MOST_POINTS), thin(y, MOST_POINTS)) for x, y in picture.paths]
        for name in ("casing", "paths"):
            self.layers[name].put(xs=[x for x, _ in paths], ys=[y for _, y in paths])
        self._show_points(picture)
        self._show_arrows(picture.arrows)

    def named(self, picture: Field) -> list[tuple[str, str]]:
        return [(s.name, line_colour(k, self.theme)) for k, s in enumerate(picture.points) if s.name]

    def _show_contours(
        self, values: NDArray[Any], levels: tuple[float, ...], box: tuple[float, float, float, float]
    ) -> None:
        xs: list[Any] = []
        ys: list[Any] = []
        if levels and min(values.shape) > 1:
            from contourpy import contour_generator

            rows, columns = values.shape
            dx, dy = (box[1] - box[0]) / columns, (box[3] - box[2]) / rows
            x, y = box[0] + dx * (np.arange(columns) + 0.5), box[2] + dy * (np.arange(rows) + 0.5)
            made = contour_generator(x, y, np.ma.masked_invalid(values))
            for line in (line for level in levels for line in made.lines(level)):
                xs.append(np.asarray(line)[:, 0].astype(np.float32))
                ys.append(np.asarray(line)[:, 1].astype(np.float32))
        self.layers["contours"].put(xs=xs, ys=ys)

    def _show_points(self, picture: Field) -> None:
        rows: dict[str, list[Any]] = {"x": [], "y": [], "c": []}
        bars: dict[str, list[Any]] = {"x0": [], "y0": [], "x1": [], "y1": []}
        for k, series in enumerate(picture.points):
            x, y = self._places(series.x, series.y)
            _extend(rows, line_colour(k, self.theme), x=x, y=y)
            if series.error is not None:
                low, high = self.scales[1].places_of_ends(np.asarray(series.y), np.asarray(series.error))
                for name, more in zip(bars, (x, low, x, high), strict=True):
                    bars[name].append(np.asarray(more, np.float32))
        joined = {n: np.concatenate(v) if v else np.empty(0) for n, v in (rows | bars).items() if n != "c"}
        self.layers["points"].put(x=joined["x"], y=joined["y"], c=rows["c"])
        self.layers["errors"].put(**{name: joined[name] for name in bars})

    def _show_arrows(self, shown: Arrows | None) -> None:
        self._arrows = shown
        lines: tuple[list[Any], list[Any]] = ([], [])
        if shown is not None:
            x, y, u, v = (
                thin(np.ravel(np.asarray(one, float)), MOST_ARROWS) for one in (shown.x, shown.y, shown.u, shown.v)
            )
            (left, right), (bottom, top) = (get_range(self.figure, axis) or (0.0, 1.0) for axis in ("x", "y"))
            px, py = self._places(x, y)
            ex, ey = self._places(x + u, y + v)
            aspect = self._wide * (top - bottom) / (right - left)
            lines = arrows(px, py, ex - px, ey - py, aspect, shown.headless)
        self.layers["arrows"].put(xs=lines[0], ys=lines[1])

    @staticmethod
    def on_paper(axes: Any, picture: Field) -> None:
        _name_on_paper(axes, picture.x, picture.y)
        left, right, bottom, top = picture.extent
        rows, columns = picture.values.shape
        across, up = (
            np.geomspace(a, b, n + 1) if axis.is_logarithmic else np.linspace(a, b, n + 1)
            for axis, a, b, n in ((picture.x, left, right, columns), (picture.y, bottom, top, rows))
        )
        colours = cyclic() if picture.cyclic else palette(picture.signed)
        image = axes.pcolormesh(
            across, up, picture.values, cmap=colour_map(colours), vmin=picture.low, vmax=picture.high, rasterized=True
        )  # fmt: skip
        if picture.contours:
            middle = [0.5 * (edges[1:] + edges[:-1]) for edges in (across, up)]
            axes.contour(*middle, picture.values, levels=sorted(picture.contours), colors=LIGHT.ink, linewidths=0.8)
        for x, y in picture.paths:
            axes.plot(x, y, color=LIGHT.marker, lw=1.2)
        for k, series in enumerate(picture.points):
            _series_on_paper(axes, series, line_colour(k + 1), series.name)
        if picture.arrows is not None:
            a = picture.arrows
            head = {"headwidth": 0, "headlength": 0, "headaxislength": 0, "pivot": "middle"} if a.headless else {}
            axes.quiver(
                a.x, a.y, a.u, a.v, angles="xy", scale_units="xy", scale=1, color=LIGHT.ink, width=0.003, **head
            )
        if picture.equal:
            axes.set_aspect("equal")
        axes.figure.colorbar(image, ax=axes, aspect=30, pad=0.02).outline.set_visible(False)
