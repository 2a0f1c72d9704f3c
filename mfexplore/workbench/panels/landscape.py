"""The landscape at the marker, with its branches and the running simulation on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mfexplore.core.model import Landscape, Model
from mfexplore.figures.landscape import LandscapeFigure
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import messages, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings
from mfexplore.workbench.session import Pin

if TYPE_CHECKING:
    import xarray as xr


class LandscapePanel(Panel):
    name, title = "landscape", "Landscape"
    alt = "The potential along the order parameter, branches as dots"
    order, height, below = 30, 268, "key"

    drawing: LandscapeFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return type(start.model).offers("landscape")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> LandscapeFigure:
        return LandscapeFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return LandscapeFigure.marks(kind)

    def __init__(self, drawing: LandscapeFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self._point: views.Point | None = None

    def at_point(self, point: views.Point) -> None:
        self._point = point
        if point.landscape is None:
            return
        self.drawing.show(point.landscape, *point.states_of(point.landscape.observable))
        self._around.say(messages.Key(self.name, self.drawing.named(point.landscape, self.drawing.theme)))

    @property
    def landscape(self) -> Landscape | None:
        return None if self._point is None else self._point.landscape

    def advance(self, frame: Frame) -> None:
        if self.landscape is not None and self.landscape.observable in frame.series:
            self.drawing.show_live(float(frame.series[self.landscape.observable][-1]))

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        if self._point is not None:
            self.at_point(self._point)

    @property
    def shown(self) -> bool:
        return self._point is None or self.landscape is not None

    def pinned(self) -> Any:
        return self.landscape and (self.landscape.coordinate, self.landscape.free_energy)

    def ghost(self, at: Exploration, point: views.Point, curve: xr.Dataset | None) -> Any:
        return point.landscape and (point.landscape.coordinate, point.landscape.free_energy)

    def show_pins(self, pins: list[Pin]) -> None:
        self.drawing.show_pins([pin.curves[self.name] for pin in pins if pin.curves.get(self.name)])
