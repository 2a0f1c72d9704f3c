"""The histogram of a running simulation under the distribution that theory predicts, or rival theories do."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Coordinate, Observable, in_words
from mfexplore.core.model import Law, Model
from mfexplore.core.pictures import Axis
from mfexplore.figures.frame import Drawn, Figure, clear, dress, glyphs, load_holoviews, set_range, thin, write_axes
from mfexplore.figures.legends import Mark
from mfexplore.figures.scale import Scale, room
from mfexplore.figures.style import Theme, line_colour, tex_label

BINS = 41
MOST_POINTS = 2000
TURN = 2 * np.pi
QUARTERS = {-np.pi: "−π", -np.pi / 2: "−π/2", 0.0: "0", np.pi / 2: "π/2", np.pi: "π", 1.5 * np.pi: "3π/2", TURN: "2π"}


class HistogramFigure(Drawn):
    """A histogram: bars are the run, lines are theory. Whole numbers have bars and dots of their own; of a heavy tail
    one sees how much lies beyond a value, on logarithmic axes.
    """

    key = "histogram"
    told = ("atoms", "law", "dots")
    ran = ("bars", "run")
    options = {"xlabel": "x", "ylabel": "density"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        line = [[(0.0, 0.0), (1.0, 1.0)]]
        return {
            "bars": hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]),
            "atoms": hv.Segments([(0.0, 0.0, 0.0, 1.0)]),
            "law": hv.Path(line),
            "dots": hv.Points([(0.0, 0.0)]),
            "run": hv.Path(line),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["law"].data_source.data = {"xs": [], "ys": [], "c": []}
        layers["dots"].data_source.data = {"x": [], "y": [], "c": []}
        layers["atoms"].data_source.data = {"x0": [], "y0": [], "x1": [], "y1": [], "c": []}
        layers["bars"].glyph.update(fill_alpha=0.45, line_width=0.5)
        layers["atoms"].glyph.update(line_width=3, line_color={"field": "c"})
        layers["law"].glyph.update(line_width=2, line_color={"field": "c"})
        layers["dots"].glyph.update(size=7, line_width=1, fill_color={"field": "c"})
        layers["run"].glyph.update(line_width=2.5)
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme)
        glyph = glyphs(figure)
        glyph["bars"].update(fill_color=theme.ghost, line_color=theme.card)
        glyph["run"].update(line_color=theme.ghost)
        glyph["dots"].update(line_color=theme.card)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind
        self._laws: tuple[Law, ...] = ()
        self._named: Any = None
        self._top = 1.0
        self._range = (0.0, 1.0)
        self._scales = Scale(), Scale()

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        rivals = [
            Mark(f"law-{k}", "swatch", html.escape(method.title), f"line-{k}") for k, method in enumerate(kind.methods)
        ]
        return Mark("bars", "patch pale", "run", "soft"), Mark("law", "swatch", "theory", "marker"), *rivals

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        if self._laws:
            self.show_laws(self._laws)

    def show_law(self, law: Law) -> None:
        """Draw the predicted density, and show where it lives."""
        self.show_laws((law,))

    def show_laws(self, laws: tuple[Law, ...]) -> None:
        """Draw what theories predict of one observable, and show where it lives."""
        self._laws = laws
        first = laws[0]
        self._name(first)
        self._draw_laws()
        self._show_range()

    def _name(self, law: Law) -> None:
        declared: Observable | None = next((o for o in self.kind.observables if o.name == law.observable), None)
        named = (law.observable, law.scale, law.discrete, law.circular)
        if named == self._named:
            return
        self._named = named
        self.layers["bars"].put(left=(), right=(), bottom=(), top=())
        self.layers["run"].put(xs=[], ys=[])
        up = "fraction beyond" if law.scale == "log" else "probability" if law.discrete else "density"
        self.figure.part("xaxis").update(axis_label=tex_label(declared) if declared else in_words(law.observable))
        self.figure.part("yaxis").update(axis_label=up)
        across = Coordinate(law.observable, "", "", scale=law.scale, discrete=law.discrete)
        self._scales = Scale(across), Scale(Axis("", law.scale))

    def _colour(self, law: Law) -> str:
        names = [method.name for method in self.kind.methods]
        return line_colour(names.index(law.method), self.theme) if law.method in names else self.theme.marker

    def _draw_laws(self) -> None:
        lines: dict[str, list[Any]] = {"xs": [], "ys": [], "c": []}
        dots: dict[str, list[Any]] = {"x": [], "y": [], "c": []}
        atoms: dict[str, list[Any]] = {"at": [], "weight": [], "c": []}
        lows, highs, tops = [], [], []
        for law in self._laws:
            values, density = np.asarray(law.values, float), np.asarray(law.density, float)
            finite = np.where(np.isfinite(density), density, 0.0)
            colour = self._colour(law)
            if law.scale == "log":
                values, density = beyond(values, finite)
                finite = density
            keep = np.flatnonzero(finite > 1e-4 * max(finite.max(initial=0.0), 1e-300))
            keep = np.arange(len(values)) if law.circular or law.scale == "log" or not keep.size else keep
            shown = slice(max(keep[0] - 1, 0), keep[-1] + 2)
            places = [position for position, _ in law.atoms]
            lows.append(min([values[keep[0]], *places]))
            highs.append(max([values[keep[-1]], *places]))
            tops.append(float(np.quantile(finite[keep], 0.995)))
            if law.discrete:
                dots["x"] += values[shown].tolist()
                dots["y"] += density[shown].tolist()
                dots["c"] += [colour] * len(values[shown])
            else:
                x, y = (
                    scale.place(thin(column[shown], MOST_POINTS)).astype(np.float32)
                    for scale, column in zip(self._scales, (values, density), strict=True)
                )
                for column, value in zip(lines.values(), (x, y, colour), strict=True):
                    column.append(value)
            atoms["at"] += places
            atoms["weight"] += [weight for _, weight in law.atoms]
            atoms["c"] += [colour] * len(places)
        self._top = max(tops) or 1.0
        self._range = (float(min(lows)), float(max(highs)))
        self.layers["law"].put(**lines)
        self.layers["dots"].put(x=np.array(dots["x"]), y=np.array(dots["y"]), c=dots["c"])
        at, height = np.array(atoms["at"], np.float32), np.array(atoms["weight"], np.float32) * self._top
        self.layers["atoms"].put(x0=at, y0=np.zeros_like(at), x1=at, y1=height, c=atoms["c"])

    def _show_range(self) -> None:
        law, (low, high) = self._laws[0], self._range
        if law.scale == "log":
            return self._show_decades(np.array([low, high]))
        if law.circular:
            self._show_turn(float(np.asarray(law.values, float)[0]))
        else:
            pad = 0.6 if law.discrete else 0.12 * (high - low) or 0.5
            self._range = (low - pad, high + pad)
            self._scales[0].show(self.figure, "x", *self._range)
        set_range(self.figure, "y", 0.0, 1.15 * self._top)
        return None

    def _show_turn(self, first: float) -> None:
        """Once around, from where the law begins, with ticks at quarters."""
        self._range = (first, first + TURN)
        set_range(self.figure, "x", *self._range)
        ticks = {at: words for at, words in QUARTERS.items() if first - 1e-6 <= at <= first + TURN + 1e-6}
        told = self.figure.part("x_told_ticker")
        told.update(ticks=list(ticks))
        self.figure.part("xaxis").update(major_label_overrides=ticks, ticker=told.ref)

    def _show_decades(self, x: NDArray[Any], least: float = 1.0) -> None:
        across, up = self._scales
        positive = x[x > 0]
        if positive.size:
            room(self.figure, "x", across, float(positive.min()), float(positive.max()), margin=0.03)
        lowest = min([least, *(float(10.0 ** np.nanmin(y)) for y in self.layers["law"].columns["ys"] if len(y))])
        room(self.figure, "y", up, max(lowest, 1e-9), 1.0, margin=0.06)

    def show(self, samples: NDArray[Any]) -> None:
        """Draw the histogram of samples of shape (n,)."""
        finite = np.asarray(samples[np.isfinite(samples)], float)
        if finite.size < 2 or not self._laws:
            return
        law = self._laws[0]
        if law.scale == "log":
            self._show_tail(np.sort(finite[finite > 0]))
            return
        low, high = self._range
        if law.circular:
            finite = low + (finite - low) % TURN
            edges = np.linspace(low, high, BINS + 1)
        elif law.discrete:
            low, high = min(np.rint(low), finite.min()), max(np.rint(high), finite.max())
            edges = np.arange(np.floor(low) - 0.5, np.ceil(high) + 1.0)
        else:
            low, high = min(low, float(finite.min())), max(high, float(finite.max()))
            edges = np.linspace(low, high, BINS + 1)
        heights, edges = np.histogram(finite, bins=edges)
        width = np.diff(edges)
        density = heights / (finite.size * width)
        gap = 0.1 * width if law.discrete else 0.0
        self.layers["bars"].put(left=edges[:-1] + gap, right=edges[1:] - gap, bottom=np.zeros(len(width)), top=density)
        if not law.circular:
            self._scales[0].show(self.figure, "x", float(edges[0]), float(edges[-1]))
        set_range(self.figure, "y", 0.0, 1.15 * max(self._top, float(np.sort(density)[-3:].mean())))

    def _show_tail(self, samples: NDArray[Any]) -> None:
        if samples.size < 2:
            return
        share = 1.0 - np.arange(samples.size) / samples.size
        x, y = (
            scale.place(thin(column, MOST_POINTS)).astype(np.float32)
            for scale, column in zip(self._scales, (samples, share), strict=True)
        )
        self.layers["run"].put(xs=[np.repeat(x, 2)[:-1]], ys=[np.repeat(y, 2)[1:]])
        self._show_decades(np.array([*samples[[0, -1]], *self._range]), 0.5 / samples.size)

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: "bars", and "law" or "law-1" for the second method."""
        run = len(self.layers["bars"].columns.get("left", ())) or len(self.layers["run"].columns.get("xs", ()))
        names = [method.name for method in self.kind.methods]
        laws = {f"law-{names.index(law.method)}" if law.method in names else "law" for law in self._laws}
        return (["bars"] if run else []) + sorted(laws)


def beyond(values: NDArray[Any], density: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """How much of a density lies beyond each of the values, from a trapezoid rule; 1 beyond the first."""
    parts = 0.5 * (density[1:] + density[:-1]) * np.diff(values)
    left = np.append(np.cumsum(parts[::-1])[::-1], 0.0)
    return values[:-1], left[:-1] / left[0] if left[0] > 0 else left[:-1]


__all__ = ["HistogramFigure", "beyond"]
