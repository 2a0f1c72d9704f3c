"""What is set for the whole process while anybody needs it set."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Lock

from mfexplore.core.forks import renew_after_fork


class Together:
    """A change of the process that is made by the first of its concurrent users, and undone when the last has left."""

    def __init__(self, change: Callable[[], Callable[[], object]]) -> None:
        """change: makes the change, and returns what undoes it."""
        self._change = change
        self._inside = 0
        self._undo: Callable[[], object] = lambda: None
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """In the child of a fork nobody is inside any more."""
        self._lock = Lock()
        if self._inside:
            self._inside = 0
            self._undo()

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
