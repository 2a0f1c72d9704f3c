"""Trajectories and densities."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.pictures import Density, Trajectories
from mfexplore.figures.frame import NOTHING, load_holoviews, thin
from mfexplore.figures.picture import StateFigure, fit
from mfexplore.figures.style import line_colour

MOST_LINES = 40


class LinesFigure(StateFigure):
    """Trajectories and densities: lines against a common abscissa."""

    shows = (
        Trajectories,
        Density,
    )
    key, square, shape = "lines", False, "wide"
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        return {"lines": load_holoviews().Path([[(0.0, 0.0), (1.0, 1.0)]])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        layers["lines"].data_source.data = {"xs": [], "ys": [], "c": []}
        layers["lines"].glyph.update(line_color={"field": "c"}, line_width=1.6, line_alpha=0.85)
        return super().finish(figure, layers)

    def show(self, picture: Trajectories | Density) -> None:
        if isinstance(picture, Trajectories):
            x, rows = picture.times, list(picture.values[:MOST_LINES])
        else:
            x, rows = picture.x, [values for _, values in picture.curves]
        self.figure.part("xaxis").update(axis_label=picture.x_title)
        self.figure.part("yaxis").update(axis_label=picture.y_title)
        short = thin(np.asarray(x), 800).astype(np.float32)
        ys = [thin(np.asarray(row), 800).astype(np.float32) for row in rows]
        colours = [line_colour(k, self.theme) for k in range(len(ys))]
        self.layers["lines"].put(xs=[short] * len(ys), ys=ys, c=colours)
        fit(self.figure, short, np.concatenate(ys) if ys else NOTHING)

    def named(self, picture: Trajectories | Density) -> list[tuple[str, str]]:
        names = [name for name, _ in picture.curves] if isinstance(picture, Density) else picture.names
        return [(name, line_colour(k, self.theme)) for k, name in enumerate(names)]

    @staticmethod
    def on_paper(axes: Any, picture: Trajectories | Density) -> None:
        rows = list(picture.curves) if isinstance(picture, Density) else [(n, v) for n, v in _rows(picture)]
        for k, (name, values) in enumerate(rows):
            x = picture.x if isinstance(picture, Density) else picture.times
            axes.plot(x, values, color=line_colour(k), lw=1.2, label=name or None)
        axes.set(xlabel=picture.x_title, ylabel=picture.y_title)


def _rows(picture: Trajectories) -> list[tuple[str, NDArray[Any]]]:
    return [(picture.names[k] if k < len(picture.names) else "", values) for k, values in enumerate(picture.values)]
