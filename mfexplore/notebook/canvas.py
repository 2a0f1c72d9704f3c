"""A Bokeh figure in a notebook that loses no change, and never gets ahead of the browser.

The widget it builds on sends each change at once, in several messages each. A running simulation then exceeds the rate
that a Jupyter server lets through, or fills the browser's queue so that a slider is answered seconds later; and what
is sent before the figure is on the screen is lost. Here changes wait until the browser has painted the last ones, and
then go out together, newest values only.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from bokeh.core.serialization import Serializer
from bokeh.document.events import ColumnDataChangedEvent, ModelChangedEvent
from bokeh.models import ColumnDataSource, CustomJS
from bokeh.protocol.messages.patch_doc import patch_doc
from jupyter_bokeh import BokehModel

PAUSE_MS = 45  # at least between two messages of one figure
PATIENCE_MS = 1000  # a page in the background does not paint, and does not answer

# The kernel writes a number on the figure; the browser, once it has painted, writes it on a model made for that.
ECHO = "requestAnimationFrame(() => setTimeout(() => { echo.tags = cb_obj.tags; }, 0));"


class Canvas(BokehModel):
    """Shows a figure from its present state on."""

    def __init__(self, figure: Any, later: Callable[[int, Callable[[], None]], Any], **traits: Any) -> None:
        """figure: a Bokeh figure or layout. later: runs something in the kernel's own thread after some milliseconds;
        may be called from any thread.
        """
        self._figure, self._later = figure, later
        self._waiting: dict[Any, Any] = {}
        self._lock = threading.Lock()
        self._sent = 0
        self._free = False  # painted, and nothing on its way
        self.painted = False
        answer = CustomJS(args={"echo": ColumnDataSource()}, code=ECHO)
        figure.js_property_callbacks = {"change:tags": [answer]}
        super().__init__(figure, combine_events=True, **traits)

    def close(self) -> None:
        """Leave the figure alone. May be called again: a forgotten widget closes itself."""
        if self.comm is not None:
            super().close()

    def __repr__(self) -> str:
        return f"Canvas({self._figure.name!r})"

    def _sync_model(self, widget: Any, content: dict[str, Any], buffers: Any) -> None:
        """A message of the figure: from the first one on it is there, and can be spoken to."""
        if not self.painted:
            self.painted = True
            self._later(0, self._send_waiting)
        if content.get("attr") == "data":
            return  # the page repeats what it was sent, and the kernel may hold something newer by now
        super()._sync_model(widget, content, buffers)

    def _document_patched(self, event: Any) -> None:
        if event.setter is self:
            if isinstance(event, ModelChangedEvent) and event.attr == "tags":
                number = event.new[0] if event.new else 0
                self._later(PAUSE_MS, lambda: self._answered(number))
            return
        with self._lock:
            self._waiting.pop(key := _place_of(event), None)
            self._waiting[key] = event
            start, self._free = self._free, False
        if start:
            self._later(0, self._send_waiting)

    def _answered(self, number: int) -> None:
        """The browser has painted that message, or never will."""
        if number == self._sent and not self._free:
            self._send_waiting()

    def _send_waiting(self) -> None:
        with self._lock:
            events, self._waiting = list(self._waiting.values()), {}
            self._free = not events
        if not events or self.comm is None:
            return
        self._sent += 1
        number = self._sent
        events.append(ModelChangedEvent(self._figure.document, self._figure, "tags", [number]))
        message = patch_of(events)
        for part in (message.header_json, message.metadata_json, message.content_json):
            self.send({"msg": "patch", "payload": part})
        self._later(PATIENCE_MS, lambda: self._answered(number))


def _place_of(event: Any) -> Any:
    """What an event changes, if a later change of the same makes it superfluous; else the event itself."""
    whole = isinstance(event, ModelChangedEvent) or (isinstance(event, ColumnDataChangedEvent) and not event.cols)
    return (event.model.id, event.attr) if whole else id(event)


def patch_of(events: list[Any]) -> Any:
    """One message for all events, with the columns inside it instead of in two more messages for each."""
    models = events[0].document.models
    serializer = Serializer(references=models.synced_references, deferred=False)
    message = patch_doc(patch_doc.create_header(), {}, {"events": serializer.encode(events)})  # type: ignore[typeddict-item]
    models.flush_synced(lambda model: not serializer.has_ref(model))
    return message
