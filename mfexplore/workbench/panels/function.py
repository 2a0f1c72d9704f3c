"""An observable that is a function, at the marker: theory as lines, what the run has measured as points."""

from __future__ import annotations

from typing import Any

from mfexplore.core.declaration import sentence_case
from mfexplore.core.model import Model
from mfexplore.figures.function import FunctionFigure
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import messages, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings
from mfexplore.workbench.session import Pin


class FunctionPanel(Panel):
    name = "function"
    alt = "A function at the marker: theory as lines, the run as points"
    order, height = 25, 268
    beside, chooses = "menu", "function"

    drawing: FunctionFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return any(o.over is not None for o in type(start.model).observables)

    @classmethod
    def heading(cls, kind: type[Model]) -> str:
        functions = [o.title for o in kind.observables if o.over is not None]
        return sentence_case(functions[0]) if len(functions) == 1 else "Functions"

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> FunctionFigure:
        return FunctionFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return FunctionFigure.marks(kind)

    def __init__(self, drawing: FunctionFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self.chosen = ""
        self._point: views.Point | None = None
        self._frame: Frame | None = None

    def turn_to(self, at: Exploration) -> None:
        self._at = at
        names = {o.name: o.title for o in at.model.observables if o.over is not None and at.model.applies(o)}
        wanted = at.function if at.function in names else next(iter(names), "")
        if wanted:
            self._around.say(messages.Choices(self.name, list(names.items()), wanted))
        if wanted != self.chosen:
            self.chosen = wanted
            self._draw()

    def at_point(self, point: views.Point) -> None:
        self._point = point
        if self.chosen:
            self.drawing.show_theory(point.functions.get(self.chosen, []))

    def advance(self, frame: Frame) -> None:
        before, self._frame = self._frame, frame
        if before is None or frame.profiles is not before.profiles:
            self._measure(frame)

    def _measure(self, frame: Frame) -> None:
        if self.chosen:
            against = self._at.model.observable(self.chosen).against
            measured = frame.profiles.get(self.chosen)
            across = frame.profiles.get(against) if against else None
            self.drawing.show_measured(None if against and across is None else measured, across)

    def _draw(self) -> None:
        if self.chosen:
            self.drawing.set_function(self.chosen)
            if self._point is not None:
                self.at_point(self._point)
            if self._frame is not None:
                self._measure(self._frame)
            self._around.drawn()

    @property
    def shown(self) -> bool:
        return bool(self.chosen)

    def pinned(self) -> Any:
        if self._point is None or not self.chosen:
            return None
        lines = self._point.functions.get(self.chosen, [])
        return self.chosen, [(one.x, one.y) for one in lines if one.kind != "unstable"]

    def show_pins(self, pins: list[Pin]) -> None:
        kept = [pin.curves[self.name] for pin in pins]
        self.drawing.show_pins([line for name, lines in kept if name == self.chosen for line in lines])
