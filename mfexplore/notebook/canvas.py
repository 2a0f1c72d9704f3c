"""A Bokeh figure in a notebook that loses no change, and sends few messages.

The widget it builds on sends each change at once, in several messages: a running simulation soon exceeds the rate that
a Jupyter server lets through. And what is sent before the figure is on the screen is lost. Both are mended here.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bokeh.core.serialization import Serializer
from bokeh.protocol.messages.patch_doc import patch_doc
from jupyter_bokeh import BokehModel

PAUSE_MS = 55  # between two messages of one figure: 18 frames a second


class Canvas(BokehModel):
    """Shows a figure from its present state on. Changes wait until it is painted, and then go out together."""

    def __init__(self, figure: Any, later: Callable[[int, Callable[[], None]], Any], **traits: Any) -> None:
        """later: runs something in the kernel's own thread after some milliseconds; may be called from any thread."""
        self._later = later
        self._waiting: list[Any] = []
        self._lock = threading.Lock()
        self._sending = False
        self.painted = False
        super().__init__(figure, combine_events=True, **traits)

    def _sync_model(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        """A message of the figure: from the first one on it is there, and can be spoken to."""
        if not self.painted:
            self.painted = True
            self._send_soon(0)
        super()._sync_model(widget, content, buffers)

    def _document_patched(self, event: Any) -> None:
        if event.setter is self:
            return
        with self._lock:
            if not any(earlier.combine(event) for earlier in reversed(self._waiting)):
                self._waiting.append(event)
            start = self.painted and not self._sending
        if start:
            self._send_soon(0)

    def _send_soon(self, milliseconds: int) -> None:
        self._sending = True
        self._later(milliseconds, self._send_waiting)

    def _send_waiting(self) -> None:
        with self._lock:
            events, self._waiting = self._waiting, []
            if not events or self.comm is None:
                self._sending = False
                return
        message = patch_of(events)
        for part in (message.header_json, message.metadata_json, message.content_json):
            self.send({"msg": "patch", "payload": part})
        self._send_soon(PAUSE_MS)


def patch_of(events: list[Any]) -> Any:
    """One message for all events, with the columns inside it instead of in two more messages for each."""
    models = events[0].document.models
    serializer = Serializer(references=models.synced_references, deferred=False)
    message = patch_doc(patch_doc.create_header(), {}, {"events": serializer.encode(events)})  # type: ignore[typeddict-item]
    models.flush_synced(lambda model: not serializer.has_ref(model))
    return message
