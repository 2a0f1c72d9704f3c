"""The map behind a theory that is solved by repeating it, at the marker."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mfexplore.core.model import Model, Recursion
from mfexplore.figures.legends import Mark
from mfexplore.figures.recursion import RecursionFigure
from mfexplore.figures.style import Theme
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.panels.base import Panel, Surroundings
from mfexplore.workbench.session import Pin

if TYPE_CHECKING:
    import xarray as xr


class RecursionPanel(Panel):
    name, title = "recursion", "Recursion"
    alt = "The map behind the theory, and where its repetition leads"
    order, height = 35, 268

    drawing: RecursionFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return type(start.model).offers("recursion")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> RecursionFigure:
        return RecursionFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return RecursionFigure.marks(kind)

    def __init__(self, drawing: RecursionFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self._point: views.Point | None = None

    @property
    def recursion(self) -> Recursion | None:
        return None if self._point is None else self._point.recursion

    def at_point(self, point: views.Point) -> None:
        self._point = point
        if self.recursion is not None:
            self.drawing.show(self.recursion)

    @property
    def shown(self) -> bool:
        return self._point is None or self.recursion is not None

    def pinned(self) -> Any:
        return self.recursion and (self.recursion.coordinate, self.recursion.image)

    def ghost(self, at: Exploration, point: views.Point, curve: xr.Dataset | None) -> Any:
        return point.recursion and (point.recursion.coordinate, point.recursion.image)

    def show_pins(self, pins: list[Pin]) -> None:
        self.drawing.show_pins([pin.curves[self.name] for pin in pins if pin.curves.get(self.name)])
