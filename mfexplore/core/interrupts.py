"""What must not be left half done: signals that arrive meanwhile are handled right after it.

Python runs the handlers of signals in the main thread, between any two of its instructions, and Ctrl-C is an exception
raised by one. Inside a step of a simulation it would leave arrays that a kernel has changed beside totals that it has
not; and Numba, which runs Python code to take a NumPy Generator apart, does not look whether that raised, and crashes.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

try:
    from _signal import getsignal  # type: ignore[import-not-found]  # 0.05 us; `signal.getsignal` makes enums: 2 us
except ImportError:
    from signal import getsignal

SIGNALS = tuple(int(number) for number in signal.valid_signals())

Handler = Callable[[int, FrameType | None], Any]


class Uninterrupted:
    """`with Uninterrupted() as held:` handlers of signals do not run inside, but at its end, as they would have.

    `held.due` says whether one waits: then it is time to come to the end. Other threads than the main one run no
    handlers, so there this does nothing. Whatever is raised, every handler is put back.
    """

    def __init__(self) -> None:
        self.due: dict[int, FrameType | None] = {}
        self._handlers: dict[int, Handler] = {}
        self._holding = False

    def __enter__(self) -> Uninterrupted:
        if threading.current_thread() is not threading.main_thread():
            return self
        try:
            for number in SIGNALS:
                handler = getsignal(number)
                if callable(handler):
                    self._handlers[number] = handler
                    signal.signal(number, self._note)
            self._holding = True
            for number in self._handlers:
                if getsignal(number) != self._note:  # it came while the others were put in place
                    signal.signal(number, self._note)
        except BaseException:  # raised by a handler that is not held back yet
            self._holding = False
            self._put_back()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        try:
            self._put_back()
        finally:
            self._holding = False
            self._handle()

    def _note(self, number: int, frame: FrameType | None) -> None:
        if self._holding:
            self.due[number] = frame
        else:  # not yet, or no more: putting it back may itself be interrupted
            signal.signal(number, self._handlers[number])
            self._handlers[number](number, frame)

    def _put_back(self) -> None:
        try:
            for number, handler in self._handlers.items():
                if getsignal(number) == self._note:
                    signal.signal(number, handler)
        except BaseException:  # raised by a handler that is back already
            self._put_back()
            raise

    def _handle(self) -> None:
        """Run what is due, all of it, also if one raises."""
        if self.due:
            number = next(iter(self.due))
            frame = self.due.pop(number)
            try:
                self._handlers[number](number, frame)
            finally:
                self._handle()
