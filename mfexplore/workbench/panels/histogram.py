"""The histogram of the running simulation under the distribution that theory predicts."""

from __future__ import annotations

from collections.abc import Iterator

from mfexplore.core.declaration import in_words
from mfexplore.core.model import Law, Model
from mfexplore.figures.histogram import HistogramFigure
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import messages, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings

EVERY = 4  # frames: what is sampled changes more slowly than the picture


class HistogramPanel(Panel):
    name, title = "histogram", "Distribution"
    alt = "Histogram of the run under the predicted distribution"
    place, order, height = "live", 60, 170
    beside, chooses, asks = "menu", "law", "of"

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
        self._laws: tuple[Law, ...] | None = None
        self._frame: Frame | None = None
        self._frames = 0
        self._time = 0.0  # that the laws are of

    def turn_to(self, at: Exploration) -> None:
        before, self._at = self._at, at
        if at.law != before.law:
            self._show(self._laws or ())

    def at_point(self, point: views.Point) -> None:
        self._time = 0.0
        self._show(point.laws)
        if self._frame is not None:
            self._follow(self._frame)

    def _show(self, laws: tuple[Law, ...]) -> None:
        """Draw those laws that are of the chosen observable."""
        self._laws = laws
        names = list(dict.fromkeys(law.observable for law in laws))
        if not names:
            self.sampled = None
            return
        self.sampled = self._at.law if self._at.law in names else names[0]
        titles = {o.name: o.title for o in self._at.model.observables}
        offered = [(name, titles.get(name, in_words(name))) for name in names]
        self._around.say(messages.Choices(self.name, offered, self.sampled))
        self.drawing.show_laws(tuple(law for law in laws if law.observable == self.sampled))
        self._around.drawn()

    def advance(self, frame: Frame) -> None:
        turned = self._frame is not None and frame.sampled != self._frame.sampled
        self._frame = frame
        self._frames += 1
        if frame.samples is not None and (turned or frame.finished or self._frames % EVERY == 0):
            self.drawing.show(frame.samples)
        if not self._around.jobs.busy("laws"):
            self._follow(frame)

    def _follow(self, frame: Frame) -> None:
        """Laws that move with the time of the run, as fast as they can be computed."""
        moving = type(frame.model).laws is not Model.laws
        if not moving or not self._laws or frame.time == self._time:
            return
        self._time = frame.time

        def work(cancelled: Cancelled) -> Iterator[tuple[Law, ...]]:
            yield frame.model.laws(frame.time)

        self._around.jobs.submit("laws", work, self._show)

    @property
    def shown(self) -> bool:
        return self._laws is None or bool(self._laws)
