"""What is set for the whole process while anybody needs it set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock


class Together:
    """A change of the process that is made by the first of its concurrent users, and undone when the last has left."""

    def __init__(self, change: Callable[[], Callable[[], object]]) -> None:
        """change: makes the change, and returns what undoes it."""
        self._change = change
        self._lock = Lock()
        self._inside = 0
        self._undo: Callable[[], object] = lambda: None

    @contextmanager
    def __call__(self) -> Iterator[None]:
        with self._lock:
            if self._inside == 0:
                self._undo = self._change()
            self._inside += 1
        try:
            yield
        finally:
            with self._lock:
                self._inside -= 1
                if self._inside == 0:
                    self._undo()
