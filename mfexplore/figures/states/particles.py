"""Particles in a box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.pictures import Particles
from mfexplore.figures.frame import Figure, clear, colour_mapper, load_holoviews, thin
from mfexplore.figures.picture import MOST_MARKS, StateFigure, arrows, colour_map, frame, key_on_paper, without_axes
from mfexplore.figures.states.colours import mark_colours, ranks, species_colours
from mfexplore.figures.style import LIGHT, Theme, cyclic

MOST_ARROWS = 600


class ParticlesFigure(StateFigure):
    shows = (Particles,)
    key = "particles"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        return {"dots": hv.Points([(0.0, 0.0)]), "headings": hv.Path([[(0.0, 0.0), (1.0, 1.0)]])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models import Circle

        clear(layers)
        layers["dots"].data_source.data = {"x": [], "y": [], "r": [], "c": []}
        mapper = colour_mapper()
        # Particles have a radius in the units of the box, which HoloViews' Points do not.
        fill: Any = {"field": "c", "transform": mapper}
        layers["dots"].glyph = Circle(
            x="x", y="y", radius={"field": "r"}, fill_color=fill, line_color=None, fill_alpha=0.85
        )
        layers["headings"].glyph.update(line_width=1.2)
        return super().finish(figure, layers) | {"dots.mapper": mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("headings").glyph.update(line_color=theme.ink)

    def show(self, picture: Particles) -> None:
        x, y = thin(picture.x, MOST_MARKS), thin(picture.y, MOST_MARKS)
        radius = thin(np.broadcast_to(picture.radius, np.shape(picture.x)), MOST_MARKS).astype(np.float32)
        colour, low, high, colours = self._colours(picture)
        self.layers["dots"].mapper.update(palette=list(colours), low=low, high=high)
        self.layers["dots"].put(x=x, y=y, r=radius, c=thin(colour, MOST_MARKS).astype(np.float32))
        if picture.heading is not None or self.layers["headings"].columns:
            heading = np.empty(0) if picture.heading is None else thin(picture.heading, MOST_MARKS)[:MOST_ARROWS]
            n = len(heading)
            length = 2 * radius[:n]
            lines = arrows(x[:n], y[:n], length * np.cos(heading), length * np.sin(heading))
            self.layers["headings"].put(xs=lines[0], ys=lines[1])
        left, right, bottom, top = picture.box
        frame(self.figure, right - left, top - bottom, left, bottom)

    def _colours(self, picture: Particles) -> tuple[NDArray[Any], float, float, tuple[str, ...]]:
        """A number for every particle, where its scale begins and ends, and the colours along it."""
        if picture.states and picture.colour is not None:
            named = species_colours(len(picture.states), self.theme)
            return picture.colour, -0.5, len(named) - 0.5, named
        if picture.colour is not None:
            return ranks(picture.colour), 0.0, 1.0, mark_colours(self.theme)
        if picture.heading is not None:
            return picture.heading % (2 * np.pi), 0.0, 2 * np.pi, cyclic()
        return np.zeros(len(picture.x)), 0.0, 1.0, (self.theme.accent,)

    def named(self, picture: Particles) -> list[tuple[str, str]]:
        return list(zip(picture.states, species_colours(len(picture.states), self.theme), strict=True))

    @staticmethod
    def on_paper(axes: Any, picture: Particles) -> None:
        from matplotlib.collections import EllipseCollection

        colour: NDArray[Any] = np.zeros(len(picture.x))
        colours: tuple[str, ...] = (LIGHT.accent, LIGHT.accent)
        if picture.states and picture.colour is not None:
            colour, colours = picture.colour, species_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        elif picture.colour is not None:
            colour, colours = ranks(picture.colour), mark_colours(LIGHT)
        elif picture.heading is not None:
            colour, colours = picture.heading % (2 * np.pi), cyclic()
        width = np.broadcast_to(2 * np.asarray(picture.radius, float), np.shape(picture.x))
        axes.add_collection(EllipseCollection(
            width, width, np.zeros(len(width)), units="xy", offsets=np.column_stack([picture.x, picture.y]),
            offset_transform=axes.transData, array=colour, cmap=colour_map(colours), alpha=0.85,
        ))  # fmt: skip
        if picture.heading is not None:
            axes.quiver(
                picture.x, picture.y, np.cos(picture.heading), np.sin(picture.heading), color=LIGHT.ink, width=0.002
            )
        left, right, bottom, top = picture.box
        axes.set(xlim=(left, right), ylim=(bottom, top))
        without_axes(axes)
