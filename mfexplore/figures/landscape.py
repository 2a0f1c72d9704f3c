"""A potential along an order parameter, with the branches on it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Observable
from mfexplore.core.model import Landscape, Model
from mfexplore.figures.frame import (
    Drawn,
    Figure,
    clear,
    dress,
    get_range,
    glyphs,
    load_holoviews,
    set_range,
    write_axes,
)
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme, line_colour, tex_label


class LandscapeFigure(Drawn):
    """A landscape with its branches; `show` replaces what is drawn."""

    key = "landscape"
    told = ("live", "pins", "rivals", "curve", "branches")
    ran = ("live",)
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        return {
            "live": hv.Path([[(0.0, 0.0)]]),
            "pins": hv.Path([[(0.0, 0.0)]]),
            "rivals": hv.Path([[(0.0, 0.0)]]),
            "curve": hv.Curve(([0.0, 1.0], [0.0, 1.0]), "x", "y"),
            "branches": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["rivals"].data_source.data = {"xs": [], "ys": [], "c": []}
        layers["rivals"].glyph.update(line_width=1.6, line_color={"field": "c"})
        layers["branches"].data_source.data = {"x": [], "y": [], "fill": []}
        layers["curve"].glyph.update(line_width=2.2)
        layers["pins"].glyph.update(line_width=1.6)
        layers["live"].glyph.update(line_width=1.2, line_alpha=0.8)
        layers["branches"].glyph.update(size=11, fill_color={"field": "fill"}, line_width=2)
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=True)
        glyph = glyphs(figure)
        glyph["curve"].update(line_color=theme.ink)
        glyph["pins"].update(line_color=theme.ghost)
        glyph["live"].update(line_color=theme.marker)
        glyph["branches"].update(line_color=line_colour(0, theme))

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind
        self._marked: list[str] = []

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        return (
            Mark("stable", "full", "stable"),
            Mark("unstable", "ring", "unstable"),
            Mark("live", "swatch thin", "live run", "marker"),
        )

    def show(self, landscape: Landscape, values: NDArray[Any], stable: NDArray[Any]) -> None:
        """Draw a landscape and mark the branches on it. values, stable: shape (branches,), NaN where there is none."""
        observable = self.kind.observable(landscape.observable)
        named: Observable | None = next((o for o in self.kind.observables if o.title == landscape.title), None)
        note = f"  ({landscape.note})" if landscape.note else ""
        self.figure.part("xaxis").update(axis_label=tex_label(observable) + note)
        self.figure.part("yaxis").update(axis_label=tex_label(named) if named else landscape.title)
        x, f = landscape.coordinate, landscape.free_energy
        self.layers["curve"].put(x=x, y=f)
        colours = [line_colour(k + 1, self.theme) for k in range(len(landscape.rivals))]
        self.layers["rivals"].put(xs=[x] * len(colours), ys=[values for _, values in landscape.rivals], c=colours)
        order = np.argsort(x)
        height = np.interp(values, x[order], f[order], left=np.nan, right=np.nan)
        known = np.isfinite(height)
        if landscape.branches is not None:
            known &= [branch.name in landscape.branches for branch in self.kind.branches]
        fill = [line_colour(0, self.theme) if one else self.theme.card for one in stable[known]]
        self.layers["branches"].put(x=values[known], y=height[known], fill=fill)
        self._marked = [name for name, kind in (("stable", True), ("unstable", False)) if kind in stable[known]]
        set_range(self.figure, "x", float(np.nanmin(x)), float(np.nanmax(x)), margin=0.02)
        every = np.concatenate([f, *(values for _, values in landscape.rivals)])
        finite = every[np.isfinite(every)]
        if finite.size:
            # Entropy walls may dwarf the wells: keep the middle nine tenths of the height, and all wells.
            low, high = float(finite.min()), float(np.quantile(finite, 0.93))
            set_range(self.figure, "y", low, high if high > low else low + 1.0, margin=0.1)

    def show_live(self, value: float) -> None:
        """Where the running simulation is."""
        shown = get_range(self.figure, "y")
        if shown is None or not np.isfinite(value):
            return
        height = np.array(shown, np.float32)
        self.layers["live"].put(xs=[np.array([value, value], np.float32)], ys=[height])

    @property
    def drawn(self) -> list[str]:
        """What of the legend is drawn: "stable", "unstable", "live"."""
        return self._marked + ["live"] * bool(self.layers["live"].columns.get("xs"))

    @staticmethod
    def named(landscape: Landscape, theme: Theme) -> list[tuple[str, str]]:
        """What the colours of its lines mean; nothing if there is only one."""
        names = [name for name, _ in landscape.rivals]
        rivals = [(name, line_colour(k + 1, theme)) for k, name in enumerate(names)]
        return [(landscape.title, theme.ink), *rivals] if rivals else []

    def show_pins(self, curves: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Ghosts of pinned landscapes."""
        self.layers["pins"].put(xs=[c[0] for c in curves], ys=[c[1] for c in curves])
