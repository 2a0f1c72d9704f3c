"""A line of its own between a page and its desk.

Panel and Bokeh carry a component's messages, five pieces each, through a document, its lock and its busy signs: 3 ms of
the server's only Python thread for what takes a tenth of that, many times a second for everybody who plays. On our own
server the page's script opens a websocket of its own beside theirs; where that can't be had (another server, a proxy
that knows only theirs) the component's messages serve as before.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from bokeh.server.util import check_allowlist
from tornado.websocket import WebSocketClosedError, WebSocketHandler

from mfexplore.app.page import BrowserPage

NOT_HERE = 4404  # the page belongs to another process of this server, or is gone


class Lines:
    """The pages that may be called, by the secret that only their browser knows."""

    def __init__(self) -> None:
        self._pages: dict[str, BrowserPage] = {}

    def open_for(self, page: BrowserPage) -> str:
        """A new secret for this page."""
        secret = secrets.token_urlsafe(18)
        self._pages[secret] = page
        return secret

    def close(self, secret: str) -> None:
        self._pages.pop(secret, None)

    def page(self, secret: str) -> BrowserPage | None:
        return self._pages.get(secret)


lines = Lines()


class LineHandler(WebSocketHandler):
    """The server's end: what is heard goes to the page, what the page says goes out in one frame."""

    page: BrowserPage | None = None

    def check_origin(self, origin: str) -> bool:
        allowed: Any = self.application
        host = urlsplit(origin).netloc.lower()
        return host == self.request.host.lower() or check_allowlist(host, list(allowed.websocket_origins))

    def open(self, secret: str) -> None:
        self.page = lines.page(secret)
        if self.page is None:
            self.close(NOT_HERE)
            return
        self.set_nodelay(True)  # else TCP keeps what is small back until the browser has acknowledged what came before
        self.page.line = self
        self.page.loop = self.page.loop or asyncio.get_running_loop()
        self.send("[]", [], [])  # says that it is the right one

    def on_message(self, message: str | bytes) -> None:
        try:
            said = json.loads(message)
        except ValueError:
            return
        if self.page is not None and isinstance(said, Mapping):
            self.page.take_in(said)

    def on_close(self) -> None:
        if self.page is not None and self.page.line is self:
            self.page.line = None

    def send(self, text: str, sizes: list[int], buffers: list[bytes]) -> asyncio.Future[None] | None:
        """Send messages and the arrays in them; returns what is done when they are on their way. None: nobody is there.

        One frame: the length of the head, the head (messages and sizes of the arrays, as JSON), the arrays.
        """
        head = f'{{"sizes":{sizes},"messages":{text}}}'.encode()
        try:
            sent = self.write_message(b"".join((len(head).to_bytes(4, "little"), head, *buffers)), binary=True)
        except WebSocketClosedError:
            return None
        sent.add_done_callback(lambda done: done.exception())  # a browser that went away in the middle is no news
        return sent
