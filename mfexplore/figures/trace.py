"""What a running simulation measures: its trace in time, with what theory predicts for it."""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.model import Model
from mfexplore.core.pictures import Axis
from mfexplore.figures.frame import (
    Drawn,
    Figure,
    clear,
    dress,
    get_range,
    glyphs,
    load_holoviews,
    thin,
    write_axes,
)
from mfexplore.figures.legends import Mark
from mfexplore.figures.scale import Scale, room
from mfexplore.figures.style import Theme, line_colour, short_label

MOST_POINTS = 1200
MOST_COMPANIONS = 12
NUMBERED = re.compile(r"(.+)_\d+")


def companions(names: tuple[str, ...], chosen: str) -> tuple[str, ...]:
    """Series drawn pale beside the chosen one: its numbered relatives that come after it ("overlap_2" beside "overlap",
    "species_2" beside "species_1").
    """
    after = names[names.index(chosen) + 1 :] if chosen in names else ()
    return tuple(n for n in after if NUMBERED.fullmatch(n) and _family(n) == _family(chosen))


def _family(name: str) -> str:
    numbered = NUMBERED.fullmatch(name)
    return numbered[1] if numbered else name


def traced(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those observables of a run that are traced on their own; the others are drawn beside one of them."""
    hidden = {beside for name in names for beside in companions(names, name)}
    return tuple(n for n in names if n not in hidden)


class TraceFigure(Drawn):
    """A trace in time; `show` replaces what is drawn."""

    key = "trace"
    told = ("band", "pins", "predicted", "theory")
    ran = ("companions", "trace", "now")
    options = {"xlabel": "time", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        nothing = ([0.0, 1.0], [np.nan, np.nan])
        return {
            "band": hv.Path([[(0.0, 0.0), (1.0, 1.0)]]),
            "companions": hv.Path([[(0.0, 0.0)]]),
            "pins": hv.Path([[(0.0, 0.0)]]),
            "predicted": hv.Path([[(0.0, 0.0), (1.0, 1.0)]]),
            "theory": hv.Path([[(0.0, 0.0)]]),
            "trace": hv.Curve(nothing, "t", "y"),
            "now": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models.glyphs import Patches

        clear(layers)
        colour: Any = {"field": "c"}
        for name in ("band", "predicted", "theory"):
            layers[name].data_source.data = {"xs": [], "ys": [], "c": []}
        layers["band"].glyph = Patches(xs="xs", ys="ys", fill_color=colour, line_color=None, fill_alpha=0.16)
        figure.xaxis[0].ticker.desired_num_ticks = 5  # large numbers must not run into each other
        layers["companions"].glyph.update(line_width=1, line_alpha=0.6)
        layers["pins"].glyph.update(line_width=1.5)
        layers["predicted"].glyph.update(line_color=colour, line_width=5, line_alpha=0.35)
        layers["theory"].glyph.update(line_color=colour, line_width=1.5, line_dash=[5, 4])
        layers["trace"].glyph.update(line_width=1.8)
        layers["now"].glyph.update(size=7, line_width=1)
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=True)
        glyph = glyphs(figure)
        glyph["companions"].update(line_color=theme.ghost)
        glyph["pins"].update(line_color=theme.ghost)
        glyph["trace"].update(line_color=theme.accent)
        glyph["now"].update(fill_color=theme.accent, line_color=theme.card)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind
        self._theory: tuple[tuple[float, int | None], ...] = ()
        self._predicted: dict[str, None] = {}
        self._step = 1.0
        self._span = 0.0
        self._limits: tuple[float | None, float | None] = (None, None)
        self.along, self.up = Scale(), Scale()

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        return (
            Mark("", "swatch", "run", "accent"),
            Mark("companions", "swatch pale", "the others of its kind", "soft"),
            Mark("theory", "swatch dash", "theory", "marker"),
            *(
                Mark(f"theory-{k}", "swatch dash", html.escape(m.title), f"line-{k}")
                for k, m in enumerate(kind.methods)
            ),
            Mark("predicted", "swatch broad", "predicted path", "line-1"),
            *(
                Mark(f"predicted-{k}", "swatch broad", f"predicted by {html.escape(m.title)}", f"line-{k}")
                for k, m in enumerate(kind.methods)
            ),
            Mark("band", "", "band: one standard deviation of runs"),
        )

    def set_axes(
        self, observable: str, time_unit: str, step: float = 1.0, recording: Literal["linear", "log"] = "linear"
    ) -> None:
        """Name the axes. step: time between two points of the trace; recording: "log" for a logarithmic axis of it."""
        self._step = step
        declared = next((o for o in self.kind.observables if o.name == observable), None)
        self.along, self.up = Scale(Axis(time_unit, recording)), Scale(declared)
        self.figure.part("xaxis").update(axis_label=time_unit)
        label = short_label(declared) if declared else observable.replace("_", " ")
        self.figure.part("yaxis").update(axis_label=label)
        self._limits = (declared.low, declared.high) if declared else (None, None)
        self._span = 0.0

    def show(self, times: NDArray[Any], values: NDArray[Any], beside: list[NDArray[Any]]) -> None:
        """Draw a trace. times, values and each of `beside`: shape (n,)."""
        t, y = thin(times, MOST_POINTS).astype(np.float32), thin(values, MOST_POINTS).astype(np.float32)
        t = self.along.place(t).astype(np.float32)
        self.layers["trace"].put(t=t, y=self.up.place(y))
        self.layers["now"].put(x=t[-1:], y=self.up.place(y[-1:]))
        drawn = [thin(v, 300).astype(np.float32) for v in beside[:MOST_COMPANIONS]]
        if drawn or self.layers["companions"].columns.get("xs"):
            short = self.along.place(thin(times, 300)).astype(np.float32)
            self.layers["companions"].put(xs=[short] * len(drawn), ys=[self.up.place(v) for v in drawn])
        end = float(times[-1])
        first = max(end, 40 * self._step)
        if end > self._span or self._span > 4 * first:  # grow in steps, so that the axis does not creep
            self._span = first if end < first else 1.6 * end
            self.along.show(self.figure, "x", self._step if self.along.is_log else 0.0, self._span)
            self._draw_theory()
        everything = np.concatenate([y, *drawn])
        low, high = self.up.range(everything, *self._limits)
        # A declared limit is the least that is shown. Without one outliers are left out, but for the latest values: the
        # ends of a run that leaves are none.
        known, latest = everything[np.isfinite(everything)], [v[-1] for v in (y, *drawn) if np.isfinite(v[-1])]
        ends = [known.min(), known.max()] if known.size else []
        below, above = (latest if limit is None else ends for limit in self._limits)
        ends = [low, high, *(v for v, _ in self._theory), *(v for v in (*below, *above) if v > 0 or not self.up.is_log)]
        low, high = float(min(ends)), float(max(ends))
        now = get_range(self.figure, "y")
        a, b = (float(self.up.place(end)) for end in (low, high))
        if self._limits != (None, None) or now is None or a < now[0] or b > now[1] or times.size < 3:
            room(self.figure, "y", self.up, low, high, margin=0.07, firm=True)

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: "theory", "predicted" (or with "-1" of the second method), "companions"."""
        seen = {"theory" if k is None else f"theory-{k}": True for _, k in self._theory} | {
            "companions": bool(self.layers["companions"].columns.get("xs"))
        }
        seen["band"] = bool(self.layers["band"].columns.get("xs"))
        return [name for name, there in seen.items() if there] + list(self._predicted)

    @property
    def span(self) -> float:
        """The time up to which the axis reaches."""
        return self._span

    def times(self, n: int) -> NDArray[Any]:
        """Times along the whole axis, from zero."""
        if self.along.is_log:
            return np.append(0.0, np.geomspace(self._step, max(self._span, 2 * self._step), n - 1))
        return np.linspace(0.0, self._span, n)

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._draw_theory()

    def show_theory(self, values: tuple[tuple[float, int | None], ...]) -> None:
        """Values that theory predicts for the long run, as dashed lines: each with the place of its theory among rivals
        (None: there is only one), whose colour it has.
        """
        self._theory = tuple(one for one in values if np.isfinite(self.up.place(one[0])))
        self._draw_theory()

    def _draw_theory(self) -> None:
        first = self._step if self.along.is_log else 0.0
        ends = self.along.place([first, self._span or 1.0]).astype(np.float32)
        levels = [self.up.place([v, v]).astype(np.float32) for v, _ in self._theory]
        colours = [self.theme.marker if k is None else line_colour(k, self.theme) for _, k in self._theory]
        self.layers["theory"].put(xs=[ends] * len(levels), ys=levels, c=colours)

    def show_predicted(
        self, times: NDArray[Any], paths: Mapping[str, NDArray[Any]], deviations: Mapping[str, NDArray[Any]]
    ) -> None:
        """The paths that theory predicts, by method ("" if there is only one theory), and the standard deviations over
        runs of those that know them. All of shape (n,).
        """
        names = [method.name for method in self.kind.methods]
        rows: dict[str, list[Any]] = {"xs": [], "ys": [], "c": []}
        bands: dict[str, list[Any]] = {"xs": [], "ys": [], "c": []}
        self._predicted = {}
        t = self.along.place(times).astype(np.float32)
        for name, path in paths.items():
            known = np.isfinite(t) & np.isfinite(self.up.place(path))
            if not known.any():
                continue
            k = names.index(name) if name in names else 1
            self._predicted[f"predicted-{k}" if name in names else "predicted"] = None
            first, last = np.flatnonzero(known)[[0, -1]]
            part = slice(first, last + 1)
            row = (t[part], self.up.place(path[part]).astype(np.float32), line_colour(k, self.theme))
            for column, value in zip(rows.values(), row, strict=True):
                column.append(value)
            if name in deviations:
                low, high = self.up.places_of_ends(path[known], np.nan_to_num(deviations[name][known]))
                bands["xs"].append(np.append(t[known], t[known][::-1]))
                bands["ys"].append(np.append(low, high[::-1]).astype(np.float32))
                bands["c"].append(row[2])
        self.layers["predicted"].put(**rows)
        self.layers["band"].put(**bands)

    def show_pins(self, curves: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        xs, ys = ([scale.place(thin(c[k], 400)) for c in curves] for k, scale in enumerate((self.along, self.up)))
        self.layers["pins"].put(xs=xs, ys=ys)
