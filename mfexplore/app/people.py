"""How many pages are open, for the limit and for whoever watches the server."""

from __future__ import annotations

from typing import Any


class People:
    """Counts the open pages of one process. limit: more than so many are asked to come again."""

    def __init__(self, limit: int) -> None:
        self.limit, self.now, self.ever = limit, 0, 0

    @property
    def full(self) -> bool:
        return self.now >= self.limit

    def came(self, document: Any) -> None:
        """Somebody opened a page; that it is closed is told by its document."""
        self.now += 1
        self.ever += 1
        document.on_session_destroyed(self._left)

    def _left(self, context: Any) -> None:
        self.now -= 1
