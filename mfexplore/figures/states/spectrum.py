"""Eigenvalues."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfexplore.core.pictures import Spectrum
from mfexplore.figures.frame import NOTHING, Figure, clear, load_holoviews, thin
from mfexplore.figures.picture import MOST_MARKS, StateFigure, fit
from mfexplore.figures.style import LIGHT, Theme


class SpectrumFigure(StateFigure):
    """Eigenvalues: a histogram when they are real, points in the plane when they are complex."""

    shows = (Spectrum,)
    key, square, shape = "spectrum", False, "wide"
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        return {"bars": hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]), "dots": hv.Points([(0.0, 0.0)])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["bars"].glyph.update(fill_alpha=0.5)
        layers["dots"].glyph.update(size=4, line_color=None, fill_alpha=0.7)
        return super().finish(figure, layers)

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("bars").glyph.update(fill_color=theme.accent, line_color=theme.card)
        figure.layer("dots").glyph.update(fill_color=theme.accent)

    def show(self, picture: Spectrum) -> None:
        values = picture.values[np.isfinite(picture.values)]
        complex_ = np.iscomplexobj(values)
        empty = {"left": NOTHING, "right": NOTHING, "bottom": NOTHING, "top": NOTHING}
        across = f"{picture.title}, real part" if complex_ else picture.title
        self.figure.part("xaxis").update(axis_label=across)
        self.figure.part("yaxis").update(axis_label="imaginary part" if complex_ else "density")
        if complex_:
            shown = thin(values, MOST_MARKS)
            self.layers["bars"].put(**empty)
            self.layers["dots"].put(x=shown.real.astype(np.float32), y=shown.imag.astype(np.float32))
            fit(self.figure, shown.real, shown.imag)
        elif values.size:
            heights, edges = np.histogram(values, bins=60, density=True)
            self.layers["dots"].put(x=NOTHING, y=NOTHING)
            self.layers["bars"].put(left=edges[:-1], right=edges[1:], bottom=np.zeros_like(heights), top=heights)
            fit(self.figure, edges, np.append(heights, 0.0))

    @staticmethod
    def on_paper(axes: Any, picture: Spectrum) -> None:
        values = picture.values[np.isfinite(picture.values)]
        if np.iscomplexobj(values):
            axes.plot(values.real, values.imag, ".", ms=3, color=LIGHT.accent)
            axes.set(xlabel=f"{picture.title}, real part", ylabel="imaginary part")
        else:
            axes.hist(values, 60, density=True, color=LIGHT.accent, alpha=0.5)
            axes.set(xlabel=picture.title, ylabel="density")
