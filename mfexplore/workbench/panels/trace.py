"""The trace of the running simulation, with what theory predicts for it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.model import Model
from mfexplore.core.solution import values_of
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.figures.trace import TraceFigure, companions, traced
from mfexplore.study.turns import Rank, lower
from mfexplore.workbench import messages, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings
from mfexplore.workbench.session import Pin

PREDICTED_POINTS = 241
MOST_LEVELS = 6  # of theory in the trace: more are no help


class TracePanel(Panel):
    name, alt = "trace", "Trace of the running simulation"
    place, order, height = "live", 50, 190
    beside, chooses, asks = "menu", "series", "trace of"

    drawing: TraceFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return type(start.model).offers("simulation")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> TraceFigure:
        return TraceFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return TraceFigure.marks(kind)

    def __init__(self, drawing: TraceFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self.names: tuple[str, ...] = ()
        self.chosen = ""
        self._measured: Any = None
        self._frame: Frame | None = None
        self._point: views.Point | None = None
        self._predicted: Any = None

    def turn_to(self, at: Exploration) -> None:
        self._at = at
        if self._frame is not None and self._wanted() != self.chosen:
            self.chosen = self._wanted()
            self._name_axes(self._frame)
            self._draw(self._frame)
            self._predict(self._frame)
            self._tell()

    def _wanted(self) -> str:
        """The series that is asked for, or as near to that as what the run measures comes."""
        wanted = (self._at.series, self.chosen if self._at.colour not in self.names else None, self._at.colour)
        return next((name for name in wanted if name in self.names), self.names[0])

    def at_point(self, point: views.Point) -> None:
        self._point = point
        self._show_theory()

    def _show_theory(self) -> None:
        """What theory predicts for the long run: the stable branches at the marker."""
        values: dict[tuple[float, int | None], None] = {}
        point = self._point
        if point is not None and self.chosen in point.theory and point.theory[self.chosen].ndim <= 2:
            theory, model = point.theory, self._at.model
            rivals: list[tuple[int | None, Any]] = [(None, values_of(theory))]
            if "method" in theory.dims:  # those that are of what runs; bounds only where nothing else is known
                there = [k for k, m in enumerate(model.methods) if model.describes(m)]
                there = [k for k in there if model.methods[k].bound_of(self.chosen) is None] or there
                rivals = [(k if len(there) > 1 else None, values_of(theory, model.methods[k].name)) for k in there]
            for k, of in rivals:
                known = np.where(of("stable"), of(self.chosen), np.nan)
                values |= dict.fromkeys((round(float(v), 9), k) for v in np.ravel(known) if np.isfinite(v))
        self.drawing.show_theory(tuple(values)[:MOST_LEVELS])

    def advance(self, frame: Frame) -> None:
        measured = (tuple(frame.series), frame.unit, frame.step, frame.recording)
        if measured != self._measured:  # with a setting a system may measure other things, in another unit of time
            self._measured, self.names = measured, tuple(frame.series)
            self.chosen = self._wanted()
            self._name_axes(frame)
            self._tell()
        if frame.advanced or self._frame is None:
            self._draw(frame)
        self._frame = frame
        self._predict(frame)

    def _name_axes(self, frame: Frame) -> None:
        self.drawing.set_axes(self.chosen, frame.unit, frame.step, frame.recording)
        self._predicted = None
        self._show_theory()

    def _draw(self, frame: Frame) -> None:
        beside = [frame.series[n] for n in companions(self.names, self.chosen)]
        self.drawing.show(frame.times, frame.series[self.chosen], beside)

    def _predict(self, frame: Frame) -> None:
        """The path that theory predicts, from the first point of the trace, as far as the axis reaches."""
        if not frame.model.offers("predicted_path") or not self.drawing.span:
            return
        key = (frame.model, self.drawing.span, self.chosen, tuple(v[0] for v in frame.series.values()))
        if key == self._predicted:
            return
        followed = self._predicted is not None and self._predicted[0] != frame.model and not frame.restarted
        self._predicted = key
        if followed:  # the controls moved on the way: the path from the start is not this run's any more
            self.drawing.show_predicted(np.empty(0), {}, {})
            return
        start = {name: float(v[0]) for name, v in frame.series.items()}
        times = self.drawing.times(PREDICTED_POINTS)
        model, chosen = frame.model, self.chosen

        def work(cancelled: Cancelled) -> Iterator[Any]:
            lower(Rank.FRAME)
            found = model.predicted_path(start, times)
            yield tuple(_by_method(model, found.get(name)) for name in (chosen, f"{chosen}_deviation"))

        def show(found: Any) -> None:
            if key == self._predicted:  # else it is of another series, or its run has been moved on
                self.drawing.show_predicted(times, *found)
                self._around.drawn()

        self._around.jobs.submit("predicted", work, show)

    def _tell(self) -> None:
        declared = {o.name: o.title for o in type(self._at.model).observables}
        names = [(name, declared.get(name, name.replace("_", " "))) for name in traced(self.names)]
        self._around.say(messages.Choices(self.name, names, self.chosen))

    def pinned(self) -> Any:
        return self._frame and (self._frame.times, self._frame.series)

    def show_pins(self, pins: list[Pin]) -> None:
        traces = [pin.curves[self.name] for pin in pins if pin.curves.get(self.name)]
        self.drawing.show_pins([(t, series[self.chosen]) for t, series in traces if self.chosen in series])


def _by_method(model: Model, paths: NDArray[Any] | None) -> dict[str, NDArray[Any]]:
    """Predicted paths by the name of the theory ("" where there is one): of those that describe what runs."""
    if paths is None:
        return {}
    if paths.ndim == 1:
        return {"": paths}
    return {m.name: path for m, path in zip(model.methods, paths, strict=True) if model.describes(m)}
