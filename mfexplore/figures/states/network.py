"""Nodes and links."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfexplore.core.pictures import Network
from mfexplore.figures.frame import Figure, clear, colour_mapper, glyphs, load_holoviews, thin
from mfexplore.figures.picture import MOST_MARKS, StateFigure, arrows, colour_map, frame, key_on_paper, without_axes
from mfexplore.figures.states.colours import state_colours, state_key
from mfexplore.figures.style import LIGHT, Theme, diverging, palette

BEND = 0.18  # of its length, how far an arc leaves the straight line


class NetworkFigure(StateFigure):
    shows = (Network,)
    key = "network"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        nodes = hv.Points([(0.0, 0.0)])
        bent = hv.Path([[(0.0, 0.0), (1.0, 1.0)]])
        return {"links": hv.Segments([(0.0, 0.0, 1.0, 1.0)]), "bent": bent, "nodes": nodes}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["nodes"].data_source.data = {"x": [], "y": [], "c": []}
        layers["links"].data_source.data = {"x0": [], "y0": [], "x1": [], "y1": [], "c": []}
        layers["bent"].data_source.data = {"xs": [], "ys": [], "c": []}
        mapper, links = colour_mapper(), colour_mapper(-1.0, 1.0)
        for name in ("links", "bent"):  # straight ones, and arcs and the heads of arrows
            layers[name].glyph.update(line_alpha=0.35, line_width=0.8, line_color={"field": "c", "transform": links})
        layers["nodes"].glyph.update(fill_color={"field": "c", "transform": mapper})
        return super().finish(figure, layers) | {"nodes.mapper": mapper, "links.mapper": links}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyphs(figure)["nodes"].update(line_color=theme.ghost)  # or one of the colour of the ground would not be seen

    def __init__(self, theme: Theme, figure: Figure | None = None) -> None:
        super().__init__(theme, figure)
        self._linked: Any = None

    def named(self, picture: Network) -> list[tuple[str, str]]:
        return state_key(picture.states, self.theme)

    def show(self, picture: Network) -> None:
        signed = picture.low < 0 < picture.high
        colours = state_colours(len(picture.states), self.theme) or palette(signed, self.theme)
        self.layers["nodes"].mapper.update(palette=list(colours), low=picture.low, high=picture.high)
        size = float(np.clip(60 / np.sqrt(max(len(picture.x), 1)), 7, 24))  # few nodes are larger
        self.layers["nodes"].glyph.update(size=size)
        linked = (id(picture.edges), id(picture.edge_colour), self.theme.name)
        if self._linked != linked:  # links seldom change, and are most of the data
            self._linked = linked
            self._link(picture)
        self.layers["nodes"].put(x=picture.x, y=picture.y, c=picture.colour.astype(np.float32))
        low, high = np.array([picture.x.min(), picture.y.min()]), np.array([picture.x.max(), picture.y.max()])
        margin = 0.005 * size
        width, height = np.maximum(high - low, 1e-9) * (1 + 2 * margin)
        left, bottom = low - margin * (high - low)
        frame(self.figure, float(width), float(height), float(left), float(bottom))

    def _link(self, picture: Network) -> None:
        a, b = thin(picture.edges, MOST_MARKS).T
        plain = picture.edge_colour is None
        colour = np.zeros(len(a)) if picture.edge_colour is None else thin(picture.edge_colour, MOST_MARKS)
        most = float(np.nanmax(np.abs(colour), initial=0.0)) or 1.0
        shades = (self.theme.ghost,) if plain else diverging(self.theme)
        self.layers["links"].mapper.update(palette=list(shades), low=-most, high=most)
        for name in ("links", "bent"):
            self.layers[name].glyph.update(line_alpha=0.35 if plain else 0.8)
        start = np.array([picture.x[a], picture.y[a]], float)
        way = np.array([picture.x[b], picture.y[b]], float) - start
        xs: list[Any] = []
        ys: list[Any] = []
        straight = slice(0, 0) if picture.arcs else slice(None)
        side = np.array([-way[1], way[0]]) * (BEND if picture.arcs else 0.0)
        if picture.arcs:
            t = np.linspace(0, 1, 13)
            bent = start[..., None] + way[..., None] * t + side[..., None] * (4 * t * (1 - t))
            xs, ys = list(bent[0].astype(np.float32)), list(bent[1].astype(np.float32))
        if picture.directed:  # a head beyond the middle, where the lines of a node do not yet come together
            length = np.hypot(*way)
            short = 0.04 * max(float(np.ptp(picture.x)), float(np.ptp(picture.y)), 1e-9)
            u, v = way / np.maximum(length, 1e-300) * np.minimum(short / 0.25, length)
            tip = start + 0.6 * way + side * (4 * 0.6 * 0.4)
            heads = arrows(tip[0] - u, tip[1] - v, u, v)
            xs, ys = [*xs, *(line[2:] for line in heads[0])], [*ys, *(line[2:] for line in heads[1])]
        times = picture.arcs + picture.directed
        x, y = start
        self.layers["links"].put(
            x0=x[straight], y0=y[straight], x1=(x + way[0])[straight], y1=(y + way[1])[straight], c=colour[straight]
        )
        self.layers["bent"].put(xs=xs, ys=ys, c=np.tile(colour, times))

    @staticmethod
    def on_paper(axes: Any, picture: Network) -> None:
        from matplotlib.collections import LineCollection

        ends = np.stack([np.column_stack([picture.x[k], picture.y[k]]) for k in picture.edges.T], axis=1)
        plain = picture.edge_colour is None
        most = 1.0 if picture.edge_colour is None else float(np.nanmax(np.abs(picture.edge_colour), initial=0.0)) or 1.0
        links = LineCollection(
            list(ends), array=picture.edge_colour, cmap=colour_map(diverging()), lw=0.6, alpha=0.35 if plain else 0.8
        )
        if plain:
            links.set(color=LIGHT.ghost)
        else:
            links.set_clim(-most, most)
        axes.add_collection(links)
        colours = palette(picture.low < 0 < picture.high)
        if picture.states:
            colours = state_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        axes.scatter(
            picture.x, picture.y, 14, picture.colour, cmap=colour_map(colours), vmin=picture.low, vmax=picture.high,
            zorder=2, edgecolors=LIGHT.ghost, linewidths=0.4,
        )  # fmt: skip
        without_axes(axes)
