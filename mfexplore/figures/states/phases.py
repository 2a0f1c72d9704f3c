"""Oscillators on a circle."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfexplore.core.pictures import Phases
from mfexplore.figures.frame import Figure, clear, colour_mapper, glyphs, load_holoviews, thin
from mfexplore.figures.picture import MOST_MARKS, StateFigure, colour_map, without_axes
from mfexplore.figures.states.colours import mark_colours, ranks
from mfexplore.figures.style import LIGHT, Theme


class PhasesFigure(StateFigure):
    """Oscillators on the unit circle with the order parameter as an arrow."""

    shows = (Phases,)
    key = "phases"
    options = {"xlim": (-1.22, 1.22), "ylim": (-1.22, 1.22)}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        turn = np.linspace(0, 2 * np.pi, 181)
        return {
            "ring": hv.Curve((np.cos(turn), np.sin(turn)), "x", "y"),
            "dots": hv.Points([(0.0, 0.0)]),
            "arrow": hv.Segments([(0.0, 0.0, 1.0, 0.0)]),
            "tip": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear({name: layers[name] for name in ("dots", "arrow", "tip")})
        layers["dots"].data_source.data = {"x": [], "y": [], "c": []}
        mapper = colour_mapper()
        layers["dots"].glyph.update(
            size=6, line_color=None, fill_color={"field": "c", "transform": mapper}, fill_alpha=0.7
        )
        layers["ring"].glyph.update(line_width=1.5)
        layers["arrow"].glyph.update(line_width=3.5)
        layers["tip"].glyph.update(size=11, line_width=1.5)
        return super().finish(figure, layers) | {"dots.mapper": mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyph = glyphs(figure)
        glyph["ring"].update(line_color=theme.line)
        figure.layer("dots").mapper.update(palette=list(mark_colours(theme)))
        glyph["arrow"].update(line_color=theme.marker)
        glyph["tip"].update(fill_color=theme.marker, line_color=theme.card)

    def show(self, picture: Phases) -> None:
        angles = thin(picture.angles, MOST_MARKS)
        colour = np.zeros(len(angles)) if picture.colour is None else ranks(thin(picture.colour, MOST_MARKS))
        radius = 1.0 + 0.07 * (colour - 0.5)  # a thin ring, so that equal phases do not hide each other
        self.layers["dots"].put(x=radius * np.cos(angles), y=radius * np.sin(angles), c=colour)
        x, y = picture.mean.real, picture.mean.imag
        self.layers["arrow"].put(x0=np.zeros(1), y0=np.zeros(1), x1=np.array([x]), y1=np.array([y]))
        self.layers["tip"].put(x=np.array([x]), y=np.array([y]))

    @staticmethod
    def on_paper(axes: Any, picture: Phases) -> None:
        turn = np.linspace(0, 2 * np.pi, 181)
        axes.plot(np.cos(turn), np.sin(turn), color=LIGHT.line, lw=1.2)
        colour = np.zeros(len(picture.angles)) if picture.colour is None else ranks(picture.colour)
        radius = 1.0 + 0.07 * (colour - 0.5)
        axes.scatter(
            radius * np.cos(picture.angles),
            radius * np.sin(picture.angles),
            8,
            colour,
            cmap=colour_map(mark_colours(LIGHT)),
        )
        axes.annotate(
            "", (picture.mean.real, picture.mean.imag), (0, 0), arrowprops={"color": LIGHT.marker, "width": 1.5}
        )
        without_axes(axes)
