"""A control that moves by itself, from where it is to one end, to the other and back, while the run plays: so one sees
a state that lags behind.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from mfexplore.core.controls import Control
from mfexplore.core.errors import ArgumentError
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.messages import Said, Sweeping
from mfexplore.workbench.page import Page
from mfexplore.workbench.sheet import snap

VALUES = 81  # along the control
STEP_MS = 110  # from one to the next


def the_way(declared: Control, start: float, low: float, high: float) -> list[float | int]:
    """The values of a sweep between two ends: up from `start`, down, and up to it again."""
    values = list(dict.fromkeys(snap(declared, float(value)) for value in declared.grid(VALUES, low, high)))
    at = min(range(len(values)), key=lambda k: abs(values[k] - start))
    return [*values[at + 1 :], *values[-2::-1], *values[1 : at + 1]]


class Sweep:
    """One at a time on a page. move: sets a control; say: tells the page."""

    def __init__(self, page: Page, move: Callable[[str, Any], None], say: Callable[[Said], None]) -> None:
        self._page, self._move, self._say = page, move, say
        self._left: list[float | int] = []
        self._appointment: Any = None
        self.name = ""  # the control that moves; empty: none does

    def begin(self, at: Exploration, name: str) -> None:
        """Move a control over what is shown of it, or all of it if no axis shows it. Raises UnknownNameError for a
        control that there is none of, ArgumentError for one that no run can follow.
        """
        declared = at.model.control(name)
        if not declared.is_carried:
            raise ArgumentError("a sweep", "name", name, "a number that a running simulation follows")
        axis = next((axis for axis in ("x", "y") if getattr(at, axis) == name), None)
        low, high = declared.bounds if axis is None else at.window(axis)
        self.end()
        self._left = the_way(declared, float(getattr(at.model, name)), low, high)
        self.name = name
        self._go_on()

    def end(self) -> None:
        """Leave the control where it is."""
        if self.name:
            self.name, self._left = "", []
            self._page.forget(self._appointment)
            self._say(Sweeping(""))

    def close(self) -> None:
        """The page is gone; from any thread."""
        self.name, self._left = "", []

    def _go_on(self) -> None:
        if not self._left:
            self.end()
            return
        value = self._left.pop(0)
        self._appointment = self._page.later(STEP_MS, self._go_on)
        self._say(Sweeping(self.name, value))
        self._move(self.name, value)
