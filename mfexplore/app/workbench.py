"""A workbench in a browser: its figures in a Bokeh document, its messages through the channel of that document."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

from bokeh.document import Document

from mfexplore.app.channel import Line
from mfexplore.app.downloads import offer
from mfexplore.figures.style import Theme
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.messages import Download, Said


class BrowserPage:
    """The `Page` of a Bokeh document. One tab, one document, one desk."""

    def __init__(
        self, start: Exploration, drawings: dict[str, Any], notices: list[str], theme: Theme, doc: Document
    ) -> None:
        self._doc = doc
        self._posted: deque[Callable[[], None]] = deque()
        self._line = Line(lambda message: self._desk.hear(message))
        for name, drawing in drawings.items():
            drawing.figure.name = name
            doc.add_root(drawing.figure)
        doc.roots[0].tags = [self._line.model]  # the channel travels with the first figure
        # Bokeh would fill the page with the figures of another session; the page itself opens again instead.
        doc.config.update(reconnect_session=False, notify_connection_status=False)
        doc.on_session_destroyed(lambda context: self._desk.close())
        self._desk = Desk(start, drawings, self, notices, theme)
        if "diagram" in drawings:
            figure = drawings["diagram"].figure
            for size in ("inner_width", "inner_height"):
                figure.on_change(size, lambda attr, old, new: self._resized(figure))

    def _resized(self, figure: Any) -> None:
        width, height = figure.inner_width, figure.inner_height
        if width and height:
            self._desk.hear({"type": "resized", "figure": "diagram", "width": width, "height": height})

    def say(self, message: Said) -> None:
        self._line.say(message)

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
        self.say(Download(offer(file)))
