"""A workbench in a browser: its figures in a Bokeh document, its messages through the channel of that document."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from bokeh.document import Document

from mfexplore.app.channel import Line
from mfexplore.app.downloads import offer
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exports import File


class BrowserPage:
    """The `Page` of a Bokeh document. One tab, one document, one desk."""

    def __init__(self, desk: Desk, doc: Document) -> None:
        self._desk, self._doc = desk, doc
        self._posted: deque[Callable[[], None]] = deque()
        self._line = Line(desk.hear)
        roots = list(desk.figures().values())
        roots[0].tags = [self._line.model]  # the channel travels with the first figure
        for root in roots:
            doc.add_root(root)
        # Bokeh would fill the page with the figures of another session; the page itself opens again instead.
        doc.config.update(reconnect_session=False, notify_connection_status=False)
        doc.on_session_destroyed(lambda context: desk.close())
        desk.attach(self)

    def say(self, type_: str, **content: Any) -> None:
        self._line.say(type_, **content)

    def post(self, work: Callable[[], None]) -> None:
        # Bokeh may call in another order than it was asked to, and a page told "finished" before its last picture would
        # wait for ever: so whichever callback comes first does the oldest work.
        self._posted.append(work)
        try:
            self._doc.add_next_tick_callback(lambda: self._posted.popleft()())
        except (AttributeError, RuntimeError):  # Bokeh took the document apart a moment before it told us
            self._desk.close()

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        return self._doc.add_timeout_callback(work, milliseconds)

    def forget(self, appointment: Any) -> None:
        self._doc.remove_timeout_callback(appointment)

    def give(self, file: File) -> None:
        self.say("download", url=offer(file))
