"""The picture of the running simulation."""

from __future__ import annotations

from collections.abc import Collection

from mfexplore.core.declaration import in_words
from mfexplore.figures.states import StatePlace
from mfexplore.figures.style import Theme
from mfexplore.workbench import messages
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Panel, Surroundings


class StatePanel(Panel):
    name, alt = "state", "State of the simulation"
    place, order = "live", 40
    beside, below, chooses = "tabs", "picture", "picture"

    drawing: StatePlace

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return type(start.model).offers("simulation")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> StatePlace:
        return StatePlace(theme)

    def __init__(self, drawing: StatePlace, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self._frame: Frame | None = None
        self._hidden = False

    def advance(self, frame: Frame) -> None:
        before = self._frame
        if not frame.advanced and before is not None and frame.looked_at == before.looked_at:  # only the controls moved
            return
        self._frame = frame
        self._draw()
        names = [(name, in_words(name)) for name in frame.pictures]
        self._around.say(messages.Choices(self.name, names, frame.looked_at))

    def _draw(self) -> None:
        if self._frame is not None and not self._hidden:
            picture = self._frame.picture
            self.drawing.show(picture)
            self._around.say(messages.Picture(self.drawing.shape, getattr(picture, "caption", "")))
            self._around.say(messages.Key(self.name, self.drawing.key(picture)))

    def veil(self, hidden: Collection[str]) -> None:
        self._hidden = "simulation" in hidden
        self._draw()

    def resize(self, width: float, height: float) -> None:
        self.drawing.resize(width, height)

    def dress(self, theme: Theme) -> None:
        super().dress(theme)
        self._draw()
