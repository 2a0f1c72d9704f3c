"""The pages and files that need no session: gallery, thumbnails, figures, static files, what is not there."""

from __future__ import annotations

import mimetypes
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

import psutil
from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, StaticFileHandler

from mfexplore.app import pages, rooms, thumbnails
from mfexplore.app.kernels import Kernels
from mfexplore.app.line import LineHandler
from mfexplore.app.people import People
from mfexplore.core.catalogue import places
from mfexplore.core.errors import UnknownNameError
from mfexplore.figures.template import template_named
from mfexplore.study.turns import Person, Rank, Turn

STATIC = Path(__file__).parent / "static"
STARTED = time.monotonic()
_writer = ThreadPoolExecutor(1, thread_name_prefix="pages")  # and figures, for which somebody waits
_painter = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")  # which may take minutes for all of them


class GalleryHandler(RequestHandler):
    async def get(self) -> None:
        self.write(await IOLoop.current().run_in_executor(_writer, pages.gallery))


class CompareHandler(RequestHandler):
    """Two states of a system side by side."""

    def get(self) -> None:
        asked = {name: self.get_query_argument(name, "") for name in ("system", "left", "right", "common")}
        if asked["system"] not in places():
            self.set_status(404)
            message = str(UnknownNameError("system", asked["system"][:80], places()))
            self.write(pages.missing(message.partition(" Known:")[0]))
            return
        self.write(pages.compared(asked["system"], asked["left"], asked["right"], asked["common"] == "1"))


class ThumbnailHandler(RequestHandler):
    """The small picture of a system. 202 while it is not made: with one as it was, if there is one, and the page asks
    again, with `?shown` once it shows that.
    """

    making: ClassVar[set[str]] = set()

    def initialize(self, kernels: Kernels) -> None:
        self.kernels = kernels

    def get(self, key: str) -> None:
        if key not in places():
            self.set_status(404)
            return
        image = thumbnails.stored(key)
        if image is not None:
            self.set_header("Cache-Control", "max-age=3600")
        else:
            if self.kernels.ready(key) and key not in self.making:
                self.making.add(key)
                IOLoop.current().run_in_executor(_painter, self._make, key)
            self.set_status(202)
            self.set_header("Retry-After", "3")
            image = b"" if "shown" in self.request.query else thumbnails.former(key) or b""
        self.set_header("Content-Type", "image/webp" if image[8:12] == b"WEBP" else "image/png")
        self.write(image)

    def _make(self, key: str) -> None:
        try:
            with Turn([Person()], Rank.BACKGROUND):
                thumbnails.picture(key)
        finally:
            self.making.discard(key)


class RoomHandler(RequestHandler):
    async def get(self, name: str) -> None:
        self.write(await IOLoop.current().run_in_executor(_writer, rooms.room, name))


class LessonHandler(RequestHandler):
    async def get(self, name: str) -> None:
        page = await IOLoop.current().run_in_executor(_writer, rooms.lesson_page, name)
        if page is None:
            self.set_status(404)
        self.write(page or pages.missing(f"There is no lesson {name!r} here.", "../"))


class SlashlessHandler(RequestHandler):
    """The gallery behind a prefix, without the slash that its links need."""

    def get(self) -> None:
        self.redirect(self.request.path.rpartition("/")[2] + "/")


class FigureHandler(RequestHandler):
    """The template of a figure: its name says its version, so a browser asks once."""

    async def get(self, name: str) -> None:
        made = await IOLoop.current().run_in_executor(_writer, template_named, name)
        if made is None:
            self.set_status(404)
            return
        self.set_header("Content-Type", "application/json")
        self.set_header("Cache-Control", "public, max-age=31536000, immutable")
        self.write(made.document)


class HealthHandler(RequestHandler):
    """For whoever watches the server."""

    def initialize(self, kernels: Kernels, people: People) -> None:
        self.kernels, self.people = kernels, people

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write({
            "people": self.people.now, "limit": self.people.limit, "opened": self.people.ever,
            "memory_mib": round(psutil.Process().memory_info().rss / 2**20), "threads": threading.active_count(),
            "compiling": self.kernels.compiling, "seconds": round(time.monotonic() - STARTED),
        })  # fmt: skip


class SlashHandler(RequestHandler):
    """An address with slashes at its end leads to where it leads without."""

    def get(self, path: str) -> None:
        name = path.rstrip("/").rpartition("/")[2]
        query = f"?{self.request.query}" if self.request.query else ""
        self.redirect("../" * path.count("/") + name + query if name else f"./{query}", permanent=False)


class MissingHandler(RequestHandler):
    """An address that leads nowhere: say what was meant, perhaps, and where the gallery is."""

    def prepare(self) -> None:
        path = self.request.path.removeprefix(self.application.prefix)  # type: ignore[attr-defined]
        up = "../" * (path.count("/") - 1)  # to the gallery, whatever a proxy has put before our addresses
        name = unquote(path.strip("/").rpartition("/")[2])
        meant = name.lower().replace("-", "_").removesuffix(".html")
        if meant in places() and path != f"/{meant}":
            query = f"?{self.request.query}" if self.request.query else ""
            self.redirect(f"{up}{meant}{query}")
            return
        self.set_status(404)
        message = str(UnknownNameError("system", name[:80], places()))
        self.finish(pages.missing(message.partition(" Known:")[0], up))


class OwnStatic(StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")


def routes(kernels: Kernels, people: People) -> list[Any]:
    """Patterns for the server, beside those of the workbenches."""
    mimetypes.add_type("text/javascript", ".js")
    both = {"kernels": kernels, "people": people}
    return [
        (r"/", GalleryHandler),
        (r"", SlashlessHandler),
        (rf"/({'|'.join(rooms.NAMES)})", RoomHandler),
        (r"/lessons/([a-z0-9_]+)", LessonHandler),
        (r"/own/(.*)", OwnStatic, {"path": str(STATIC)}),
        (r"/figures/([a-z]+-[a-z]+-[0-9a-f]+)\.json", FigureHandler),
        (r"/thumbnail/([a-z0-9_]+)\.png", ThumbnailHandler, {"kernels": kernels}),
        (r"/line/([A-Za-z0-9_-]+)", LineHandler),
        (r"/health", HealthHandler, both),
        (r"/compare", CompareHandler),
        (r"/([A-Za-z0-9_.-]+/+)", SlashHandler),
        (r"/(?!static/)[^/]+", MissingHandler),
    ]
