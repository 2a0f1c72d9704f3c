"""The state behind one page: where we are, and where we came from. Knows no widget toolkit."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from mfexplore.core.declaration import Reference, Task
from mfexplore.core.model import by_name
from mfexplore.workbench.exploration import MOST_PINS, Exploration, Pinned

GESTURE_SECONDS = 1.0  # changes of one control that follow each other this closely are one step of undo

Listener = Callable[[Exploration, Exploration], None]


@dataclass(frozen=True)
class Pin:
    """A frozen view to compare with: its exploration and the curves it showed, by panel."""

    exploration: Exploration
    curves: Mapping[str, Any]


class Session:
    """One exploration with history. Every change goes through `go`, and every listener hears (old, new)."""

    def __init__(self, start: Exploration, held: Iterable[str] = (), home: Exploration | None = None) -> None:
        """held: controls that stay as they are at the start, wherever one goes. home: where `reset` leads (None: to the
        defaults).
        """
        self._held = {name: getattr(start.model, name) for name in held}
        self._home = home
        self.start = start
        self.current = start
        self._past: list[Exploration] = []
        self._future: list[Exploration] = []
        self._listeners: list[Listener] = []
        self._gesture: tuple[str, float] = ("", 0.0)

    def listen(self, listener: Listener) -> None:
        self._listeners.append(listener)

    def go(self, new: Exploration, gesture: str = "") -> None:
        """Move to another exploration. Changes with the same `gesture` (a drag of one slider) undo as one."""
        old = self.current
        if any(getattr(new.model, name) != value for name, value in self._held.items()):
            new = new.with_controls(**self._held)
        if new == old:
            return
        now = time.monotonic()
        continued = gesture and self._gesture[0] == gesture and now - self._gesture[1] < GESTURE_SECONDS
        if not continued:
            self._past.append(old)
        self._future.clear()
        self._gesture = (gesture, now)
        self._move(new)

    def set_controls(self, gesture: str = "", **controls: Any) -> None:
        """Change controls. Raises ControlError and UnknownNameError, and then nothing has changed."""
        self.go(self.current.with_controls(**controls), gesture)

    def set_view(self, **view: Any) -> None:
        self.go(self.current.with_view(**view))

    def preset(self, name: str) -> None:
        """Jump to a named preset, and look at it as its view says; at the rest as usual, wherever one comes from."""
        kind = type(self.current.model)
        there = Exploration.of(kind.preset(name), seed=self.current.seed, pins=self.current.pins)
        self.go(there.at(there.model, by_name("preset", name, kind.presets).view))

    def task(self, task: Task) -> None:
        """Set the controls and the view of a task."""
        self.go(self.current.at(self.current.model.replace(**task.controls), task.view))

    def reference(self, reference: Reference) -> None:
        """Go to the point that a reference speaks of, and look at its quantity."""
        self.go(self.current.at_reference(reference))

    def reset(self) -> None:
        """Back home (undo brings the present back); pins stay."""
        home = self._home or Exploration.of(type(self.current.model)()).as_opened()
        self.go(replace(home, pins=self.current.pins))

    @property
    def can_undo(self) -> bool:
        return bool(self._past)

    @property
    def can_redo(self) -> bool:
        return bool(self._future)

    def undo(self) -> None:
        if self._past:
            self._future.append(self.current)
            self._gesture = ("", 0.0)
            self._move(self._past.pop())

    def redo(self) -> None:
        if self._future:
            self._past.append(self.current)
            self._gesture = ("", 0.0)
            self._move(self._future.pop())

    def pin(self, title: str = "") -> Pinned:
        """Keep the present view as a ghost to compare with, under a name or what is unusual about it."""
        at = self.current
        pinned = at.pinned(title)
        self.go(replace(at, pins=(*at.pins, pinned)[-MOST_PINS:]))
        return pinned

    def rename(self, index: int, title: str) -> None:
        """Call a pin by another name."""
        pins = list(self.current.pins)
        pins[index] = pins[index].called(title)
        self.go(replace(self.current, pins=tuple(pins)))

    def unpin(self, index: int) -> None:
        pins = self.current.pins
        self.go(replace(self.current, pins=pins[:index] + pins[index + 1 :]))

    def visit(self, index: int) -> None:
        """Go to where a pin was made; all pins stay."""
        there = self.current.pins[index].exploration(type(self.current.model))
        self.go(replace(there, pins=self.current.pins))

    def _move(self, new: Exploration) -> None:
        old, self.current = self.current, new
        for listener in list(self._listeners):
            listener(old, new)
