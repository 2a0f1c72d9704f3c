"""A workbench in a browser: the page of a desk at the other end of a component's messages."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Protocol

from mfexplore.figures.frame import Figure
from mfexplore.figures.style import LIGHT, THEMES
from mfexplore.figures.wire import events, into
from mfexplore.study.turns import scheduler
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.face import FULL, Face
from mfexplore.workbench.messages import Ack, Download, Draw, Notice, Said, Waiting
from mfexplore.workbench.panels import draw
from mfexplore.workbench.wire import written

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)

COMPILING = (
    "Compiling (once). The kernels of this system are being translated for this machine; next time it opens at once. "
    "What it is about stands under About."
)
MOST_MESSAGES = 500  # of one page that wait
MOMENT = 0.01  # seconds for the messages of one page, before others have their turn
LONGEST = 0.05  # seconds that messages wait for each other
AGAIN_MS = 500  # until it is looked whether the kernels are there


class Line(Protocol):
    """A connection of the page's own."""

    def send(self, text: str, sizes: list[int], buffers: list[bytes]) -> asyncio.Future[None] | None: ...
    def close(self) -> None: ...


class BrowserPage:
    """The `Page` of one component. Its desk is born when a browser says hello, and works until `close`.

    What is said in one turn of the loop goes out in one message, so that the browser paints it together.
    """

    def __init__(
        self, start: Exploration, notices: list[str], send: Callable[[dict[str, Any]], None],
        loop: asyncio.AbstractEventLoop, *, serves: bool, ready: Callable[[], bool], born: Callable[[Desk], None],
        sweep: xr.Dataset | None = None, face: Face = FULL,
    ) -> None:  # fmt: skip
        """send: hands a message over to the browser. serves: whether the browser can fetch figures from the server that
        it is on. ready: whether the system is compiled. born: told the desk. sweep: laid over the diagram. face: what
        its link holds and hides.
        """
        self.desk: Desk | None = None
        self.line: Line | None = None  # quicker than `send`, while there is one
        self.ended: Callable[[], None] = lambda: None  # called when it is closed, if it ever had a desk
        self._start, self._notices, self._send, self._loop = start, notices, send, loop
        self._serves, self._ready, self._born, self._sweep, self._face = serves, ready, born, sweep, face
        self._closed = False
        self._outbox: list[Said] = []
        self._drawn: dict[str, Figure] = {}
        self._given: list[File] = []
        self._due = False
        self._sent: asyncio.Future[None] | None = None
        self._inbox: dict[Any, Mapping[str, Any]] = {}
        self._working = False

    # -- from the browser ---------------------------------------------------------------------------------------------

    def hear(self, message: Any) -> None:
        """A message of the browser, whatever it is; from any thread."""
        self.post(lambda: self.take_in(message if isinstance(message, Mapping) else {}))

    def take_in(self, message: Mapping[str, Any]) -> None:
        """The same, from the page's own thread."""
        if len(self._inbox) >= MOST_MESSAGES:
            return  # nobody's hands are so fast
        key = _subject(message)
        if key is not None:
            self._inbox.pop(key, None)  # only the newest counts
        self._inbox[key or object()] = message
        self._work_soon()

    def _work_soon(self) -> None:
        if self._inbox and not self._working:
            self._working = True
            self._loop.call_soon(self._work)

    def _work(self) -> None:
        """Work off what has come, for a moment: other people's messages wait in the same loop."""
        self._working = False
        start = time.perf_counter()
        while self._inbox and not self._closed and time.perf_counter() - start < MOMENT:
            self._hear(self._inbox.pop(next(iter(self._inbox))))
        self._work_soon()

    def _hear(self, message: Mapping[str, Any]) -> None:
        if self._closed:
            return
        if self.desk is None:
            if message.get("type") != "hello":
                return
            if not self._ready():
                self.say(Waiting(COMPILING))
                self.later(AGAIN_MS, lambda: self._hear(message))
                return
            self._begin(message)
        if self.desk is not None:
            self.desk.hear(message)
        seq = message.get("seq")
        if isinstance(seq, int):
            self.say(Ack(seq))

    def _begin(self, message: Mapping[str, Any]) -> None:
        theme = THEMES.get(str(message.get("theme")), LIGHT)
        self.say(Waiting(""))
        try:
            drawings = draw(self._start, theme)
            self.desk = Desk(self._start, drawings, self, self._notices, theme, self._sweep, face=self._face)
        except Exception as error:  # a system that is broken breaks its own pages only
            log.exception("%s: the workbench could not be opened", self._start.model.key)
            self.say(Notice(f"The workbench could not be opened: {error}."))
        else:
            self._born(self.desk)

    # -- the page of the desk -----------------------------------------------------------------------------------------

    def say(self, message: Said) -> None:
        self._outbox.append(message)
        self._schedule()

    def changed(self, name: str, figure: Figure) -> None:
        self._drawn[name] = figure
        self._schedule()

    def post(self, work: Callable[[], None]) -> None:
        if not (self._closed or self._loop.is_closed()):
            self._loop.call_soon_threadsafe(work)

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        return self._loop.call_later(milliseconds / 1000, lambda: None if self._closed else work())

    def forget(self, appointment: Any) -> None:
        appointment.cancel()

    def give(self, file: File) -> None:
        self._given.append(file)
        self._schedule()

    def close(self) -> None:
        """Nobody looks any longer: stop everything that runs for this page. From any thread."""
        if not self._closed:
            if self.line is not None:
                self.post(self.line.close)
            self._closed = True
            if self.desk is not None:
                self.desk.close()
                self.ended()

    # -- to the browser -----------------------------------------------------------------------------------------------

    def _schedule(self) -> None:
        if not self._due and not self._closed:
            self._due = True
            if self._sent is None or self._sent.done():
                # Where many people move their hands at once, what is said to each of them in a moment goes together.
                self._loop.call_later(min(scheduler.lag, LONGEST), self._flush)
            else:  # the network is slow: what comes in the meantime goes out together
                self._sent.add_done_callback(lambda _: self._flush())

    def _flush(self) -> None:
        self._due = False
        if self._closed:
            return
        buffers: list[bytes] = []
        drawn, self._drawn = self._drawn, {}
        said, self._outbox = self._outbox, []
        given, self._given = self._given, []
        figures = [self._draw(name, figure, buffers) for name, figure in drawn.items()]
        for file in given:
            said.append(Download(file.name, file.media_type, str(len(buffers))))
            buffers.append(file.content)
        text = json.dumps([*map(written, said), *figures], allow_nan=False, separators=(",", ":"))
        sizes = [len(one) for one in buffers]
        self._sent = self.line.send(text, sizes, buffers) if self.line is not None else None
        if self._sent is None:
            # One buffer for all: each costs Bokeh two messages more.
            self._send({"text": text, "sizes": sizes, "buffer": b"".join(buffers)})

    def _draw(self, name: str, figure: Figure, buffers: list[bytes]) -> dict[str, Any]:
        update = figure.take()
        template = update.template
        document = template.document if template is not None and not self._serves else None
        message = Draw(name, template.name if template else None, document, events(update, into(buffers)))
        return {"type": "draw"} | vars(message)  # encoded already


def _subject(message: Mapping[str, Any]) -> Any:
    """What a message says the newest of: an older one that still waits need not be worked off."""
    kind = message.get("type")
    return (kind, str(message.get("name"))) if kind in ("control", "marker", "window", "speed", "resized") else None
