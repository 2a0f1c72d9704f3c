"""A recursion as a cobweb: the map, the diagonal, and the steps from the start to where they lead."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.model import Model, Recursion
from mfexplore.figures.frame import Drawn, Figure, clear, dress, glyphs, load_holoviews, set_range, write_axes
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme, tex_label

STEPS = 60


class RecursionFigure(Drawn):
    """A map that is applied again and again; `show` replaces what is drawn."""

    key = "recursion"
    told = ("diagonal", "pins", "web", "map")
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        nothing = ([0.0, 1.0], [0.0, 1.0])
        names = ("diagonal", "pins", "web", "map")
        return {name: hv.Curve(nothing, "x", "y") if name != "pins" else hv.Path([nothing]) for name in names}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["diagonal"].glyph.update(line_width=1)
        layers["web"].glyph.update(line_width=1.3)
        layers["map"].glyph.update(line_width=2.2)
        layers["pins"].glyph.update(line_width=1.6)
        write_axes(figure)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=True)
        glyph = glyphs(figure)
        glyph["diagonal"].update(line_color=theme.soft)
        glyph["pins"].update(line_color=theme.ghost)
        glyph["web"].update(line_color=theme.marker)
        glyph["map"].update(line_color=theme.accent)

    def __init__(self, kind: type[Model], theme: Theme) -> None:
        super().__init__(theme)
        self.kind = kind

    @staticmethod
    def marks(kind: type[Model]) -> tuple[Mark, ...]:
        """What the legend explains."""
        return Mark("", "swatch", "the map", "accent"), Mark("", "swatch thin", "repeated from the start", "marker")

    def show(self, recursion: Recursion) -> None:
        """Draw a map, and what becomes of its start."""
        observable = self.kind.observable(recursion.observable)
        self.figure.part("xaxis").update(axis_label=tex_label(observable))
        self.figure.part("yaxis").update(axis_label=f"next {observable.title}")
        x, image = np.asarray(recursion.coordinate, float), np.asarray(recursion.image, float)
        ends = np.array([x.min(), x.max()])
        web = cobweb(x, image, recursion.start)
        self.layers["map"].put(x=x, y=image)
        self.layers["diagonal"].put(x=ends, y=ends)
        self.layers["web"].put(x=web[0], y=web[1])
        set_range(self.figure, "x", float(ends[0]), float(ends[1]), margin=0.02)
        finite = image[np.isfinite(image)]
        set_range(self.figure, "y", float(finite.min(initial=ends[1])), float(finite.max(initial=ends[0])), margin=0.05)

    def show_pins(self, curves: list[tuple[NDArray[Any], NDArray[Any]]]) -> None:
        """Ghosts of pinned maps."""
        self.layers["pins"].put(xs=[c[0] for c in curves], ys=[c[1] for c in curves])

    @property
    def drawn(self) -> list[str]:
        return []


def cobweb(x: NDArray[Any], image: NDArray[Any], start: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """The corners of the steps, until they do not move any longer, leave the map, or are too many. x: rising."""
    at = float(start)
    xs, ys = [at], [min(float(x[0]), at)]
    for _ in range(STEPS):
        following = float(np.interp(at, x, image, left=np.nan, right=np.nan))
        if not np.isfinite(following):
            break
        xs += [at, following]
        ys += [following, following]
        if abs(following - at) < 1e-4 * (x[-1] - x[0]):
            break
        at = following
    return np.array(xs), np.array(ys)
