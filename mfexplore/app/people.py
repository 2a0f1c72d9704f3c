"""How many people are at work, for the limit and for whoever watches the server."""

from __future__ import annotations

import threading


class People:
    """Counts the open workbenches of one process. limit: who comes when there are so many is asked to come again."""

    def __init__(self, limit: int) -> None:
        self.limit, self.now, self.ever = limit, 0, 0
        self._lock = threading.Lock()  # pages may end in any thread

    @property
    def full(self) -> bool:
        return self.now >= self.limit

    @property
    def gone(self) -> int:
        return self.ever - self.now

    def came(self) -> None:
        with self._lock:
            self.now += 1
            self.ever += 1

    def left(self) -> None:
        with self._lock:
            self.now -= 1
