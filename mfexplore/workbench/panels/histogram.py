"""The histogram of the running simulation under the distribution that theory predicts."""

from __future__ import annotations

from mfexplore.core.model import Model
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.figures.trace import HistogramFigure
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings

EVERY = 4  # frames: what is sampled changes more slowly than the picture


class HistogramPanel(Panel):
    name, title = "histogram", "Distribution"
    alt = "Histogram of the run under the predicted distribution"
    place, order, height = "live", 60, 170

    drawing: HistogramFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return type(start.model).offers("law") and type(start.model).offers("simulation")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> HistogramFigure:
        return HistogramFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return HistogramFigure.marks(kind)

    def __init__(self, drawing: HistogramFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self._point: views.Point | None = None
        self._frames = 0

    def at_point(self, point: views.Point) -> None:
        self._point = point
        if point.law is not None:
            self.drawing.show_law(point.law)

    def advance(self, frame: Frame) -> None:
        self._frames += 1
        if frame.samples is not None and self._frames % EVERY == 0:
            self.drawing.show(frame.samples)

    @property
    def shown(self) -> bool:
        return self._point is None or self._point.law is not None
