"""The server: a gallery, one workbench per system, downloads, and kernels compiled out of the way."""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import sys
import threading
import webbrowser
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bokeh.application import Application
from bokeh.application.handlers.handler import Handler
from bokeh.core.serialization import Buffer
from bokeh.document import Document
from bokeh.protocol.message import Message
from bokeh.protocol.messages.patch_doc import patch_doc
from bokeh.server.server import Server
from bokeh.server.urls import per_app_patterns
from bokeh.server.views.ws import WSHandler
from tornado.websocket import WebSocketClosedError

from mfexplore.app import pages
from mfexplore.app.handlers import routes
from mfexplore.app.kernels import Kernels
from mfexplore.app.workbench import BrowserPage
from mfexplore.core.catalogue import places, system
from mfexplore.figures.style import LIGHT, THEMES, Theme
from mfexplore.study.warmup import is_warm
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.panels import draw

log = logging.getLogger(__name__)

SHORT = 65_536  # bytes of columns that are sent inside of a message

# Figures are built off the server's loop; one at a time, since HoloViews keeps global options.
_builder = ThreadPoolExecutor(1, thread_name_prefix="figures")


class PromptSocket(WSHandler):
    """Messages without the waits of Bokeh's own, which a slider would feel.

    Bokeh sends a message in several pieces, and TCP keeps all but the first until the browser has acknowledged it,
    which browsers put off for 40 ms; here nothing is kept. And every column of a source costs Bokeh two pieces more,
    each with its own event in the browser; here short columns travel inside of the message, and all changes of one turn
    of the loop in one, so that the browser paints them together.
    """

    def open(self) -> None:
        self._waiting: list[Any] = []
        self.set_nodelay(True)
        super().open()

    async def send_message(self, message: Message[Any]) -> None:
        short = sum(len(buffer.to_bytes()) for buffer in message.buffers) <= SHORT
        if isinstance(message, patch_doc) and short:
            if not self._waiting:  # it starts in the loop's next turn: what follows in this one goes with it
                self._sending = asyncio.create_task(self._send_waiting())
            self._waiting.extend(message.content["events"])
            return
        await self._send_waiting()
        await super().send_message(message)

    async def _send_waiting(self) -> None:
        events, self._waiting = self._waiting, []
        if not events:
            return
        content = json.dumps({"events": events}, allow_nan=False, default=Buffer.to_base64)
        try:
            with await self.write_lock.acquire():
                for piece in (json.dumps(patch_doc.create_header()), "{}", content):
                    await self.write_message(piece, locked=False)
        except WebSocketClosedError:
            pass  # the session is told when the socket closes


per_app_patterns[:] = [(p[0], PromptSocket if p[1] is WSHandler else p[1], *p[2:]) for p in per_app_patterns]


class WorkbenchHandler(Handler):
    """Makes the document of one session: the workbench of a system at the exploration of the address."""

    def __init__(self, key: str, kernels: Kernels) -> None:
        super().__init__()
        self.key, self.kernels = key, kernels
        self._built: dict[str, Built] = {}
        self._broken: dict[str, Exception] = {}

    async def on_session_created(self, session_context: Any) -> None:
        """Build the figures before the document is needed, in another thread: other sessions go on meanwhile."""
        if not self.kernels.ready(self.key):
            return
        loop = asyncio.get_running_loop()
        request = session_context.request
        query = {name: values[-1].decode() for name, values in request.arguments.items()} if request else {}
        theme = request.cookies.get("mfexplore-theme", "light") if request else "light"
        theme = getattr(theme, "value", theme)
        try:
            self._built[session_context.id] = await loop.run_in_executor(_builder, build, self.key, query, theme)
        except Exception as error:  # told on the page; the server goes on
            log.exception("the workbench of %s could not be built", self.key)
            self._broken[session_context.id] = error

    def modify_document(self, doc: Document) -> None:
        context = doc.session_context
        assert context is not None
        built = self._built.pop(context.id, None)
        if context.id in self._broken:
            doc.template = pages.template("missing.html")
            error = self._broken.pop(context.id)
            doc.template_variables["message"] = f"The workbench of {self.key} could not be built: {error}"
            return
        if built is None:  # not compiled yet
            self.kernels.want(self.key)
            doc.template = pages.template("compiling.html")
            doc.template_variables.update(pages.compiling(system(self.key)))
            doc.title = f"{system(self.key).title} · mfexplore"
            return
        exploration, _, _, theme = built
        doc.title = f"{exploration.model.title} · mfexplore"
        doc.template = pages.template("workbench.html")
        doc.template_variables.update(pages.workbench(exploration, theme))
        BrowserPage(*built, doc)


Built = tuple[Exploration, dict[str, Any], list[str], Theme]


def build(key: str, query: dict[str, str], theme: str) -> Built:
    """A link's exploration and its figures. What cannot be used of the link becomes a notice."""
    from urllib.parse import urlencode

    exploration, notices = Exploration.from_query(key, urlencode(query))
    dressed = THEMES.get(theme, LIGHT)
    return exploration, draw(exploration, dressed), notices, dressed


def make_server(
    port: int = 5006, address: str = "localhost", warm: bool = True, origins: tuple[str, ...] = (), prefix: str = ""
) -> Server:
    """The server, not started. Raises OSError if the port is taken.

    Args:
        port: 0 takes any free one.
        warm: compile the kernels of all systems in the background, one process after the other.
        origins: further hosts ("host:port") from which pages may connect; "*" for all.
        prefix: path under which the app is served, behind a proxy.
    """
    kernels = Kernels(list(places()), eager=warm)
    applications = {f"/{key}": Application(WorkbenchHandler(key, kernels)) for key in places()}
    server = Server(
        applications,  # type: ignore[arg-type]
        port=port, address=address, prefix=prefix, use_index=False, extra_patterns=routes(kernels, prefix),
        allow_websocket_origin=list(origins) or None, unused_session_lifetime_milliseconds=6_000,
        check_unused_sessions_milliseconds=1_000, keep_alive_milliseconds=20_000,
    )  # fmt: skip
    server.kernels = kernels  # type: ignore[attr-defined]
    return server


def serve(
    port: int = 5006,
    address: str = "localhost",
    show: bool = True,
    warm: bool = True,
    origins: tuple[str, ...] = (),
    prefix: str = "",
    key: str = "",
) -> None:
    """Serve the app until interrupted. show: open a browser, at the workbench `key` if given.

    See `make_server` for the rest.
    """
    if key:
        system(key)  # an unknown one is told now, not in the browser
    # The page's thread gives way with every piece that it writes, and gets its turn back only after so long.
    sys.setswitchinterval(0.0001)
    for noisy in ("bokeh.core.validation", "bokeh.server.views.ws"):  # a closed tab is no news
        logging.getLogger(noisy).setLevel(logging.ERROR)
    if address not in ("localhost", "127.0.0.1") and not origins:
        origins = ("*",) if address in ("0.0.0.0", "") else (f"{address}:{port}",)
    server = make_server(port, "" if address == "0.0.0.0" else address, warm, origins, prefix)
    server.start()
    kernels: Kernels = server.kernels  # type: ignore[attr-defined]
    kernels.start()
    threading.Thread(target=prepare, name="prepare", daemon=True).start()
    where = f"http://{'localhost' if address in ('', '0.0.0.0') else address}:{server.port}{prefix}/{key}"
    print(f"mfexplore is at {where} (stop with Ctrl+C)", flush=True)
    if show:
        webbrowser.open(where)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        pass
    finally:
        kernels.stop()
        server.stop()


def prepare() -> None:
    """Load what the first page needs, so that it does not wait for imports."""
    import xarray  # noqa: F401

    from mfexplore.figures.frame import load_holoviews

    load_holoviews()
    pages.gallery()
    for key in places():
        if is_warm(key):
            _builder.submit(build, key, {}, "light").result()  # render the common figures once, for all later sessions
            break
    gc.collect()
    gc.freeze()  # libraries stay: looking through them for garbage would stop every page for a tenth of a second
