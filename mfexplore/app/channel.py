"""Messages between a page and its session, over the connection Bokeh has anyway.

Widgets of Panel wait 50 ms before they tell the server anything; this channel does not wait. Messages are JSON objects
with their kind in "type". The page sends the next value of a slider only when the last one has been acknowledged, so
a slow server gets fewer values and never an outdated queue.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from bokeh.core.properties import String
from bokeh.model import DataModel

from mfexplore.workbench.messages import Ack, Said, written

Handler = Callable[[dict[str, Any]], None]


class Channel(DataModel):
    """Two strings: what the page says and what the session says."""

    up = String(default="")
    down = String(default="")


class Line:
    """The session's end of the channel."""

    def __init__(self, hear: Handler) -> None:
        self.model = Channel(name="channel")
        self._hear = hear
        self._sent = 0
        self.model.on_change("up", self._arrived)

    def say(self, message: Said) -> None:
        """Send a message to the page."""
        self._sent += 1
        self.model.update(down=json.dumps(written(message) | {"n": self._sent}))

    def _arrived(self, attribute: str, old: str, new: str) -> None:
        try:
            message = json.loads(new)
        except ValueError:
            return
        if isinstance(message, dict):
            try:
                self._hear(message)
            finally:
                seq = message.get("seq", 0)
                self.say(Ack(seq if isinstance(seq, int) else 0))
