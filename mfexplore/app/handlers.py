"""The pages and files that need no session: gallery, thumbnails, static files, downloads, what is not there."""

from __future__ import annotations

import mimetypes
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from tornado.ioloop import IOLoop
from tornado.web import RequestHandler, StaticFileHandler

from mfexplore.app import downloads, pages, thumbnails
from mfexplore.app.kernels import Kernels
from mfexplore.core.catalogue import places
from mfexplore.core.errors import UnknownNameError

STATIC = Path(__file__).parent / "static"
_painter = ThreadPoolExecutor(1, thread_name_prefix="thumbnails")


class GalleryHandler(RequestHandler):
    async def get(self) -> None:
        self.write(await IOLoop.current().run_in_executor(_painter, pages.gallery))


class ThumbnailHandler(RequestHandler):
    """The small picture of a system; 202 while its kernels are not compiled (the page asks again then)."""

    def initialize(self, kernels: Kernels) -> None:
        self.kernels = kernels

    async def get(self, key: str) -> None:
        if key not in places():
            self.set_status(404)
            return
        image = thumbnails.stored(key)
        if image is None and self.kernels.ready(key):
            image = await IOLoop.current().run_in_executor(_painter, thumbnails.picture, key)
        if image is None:
            self.set_header("Retry-After", "3")
            self.set_status(202)
            return
        self.set_header("Content-Type", "image/png")
        self.set_header("Cache-Control", "max-age=3600")
        self.write(image)


class ReadyHandler(RequestHandler):
    """Whether a system is compiled, for the page that waits for it."""

    def initialize(self, kernels: Kernels) -> None:
        self.kernels = kernels

    def get(self, key: str) -> None:
        self.write({"ready": key in places() and self.kernels.ready(key)})


class DownloadHandler(RequestHandler):
    def get(self, token: str) -> None:
        file = downloads.fetch(token)
        if file is None:
            self.set_status(404)
            self.write(pages.missing("This download has expired. Export it again."))
            return
        self.set_header("Content-Type", file.media_type)
        self.set_header("Content-Disposition", f'attachment; filename="{file.name}"')
        self.write(file.content)


class MissingHandler(RequestHandler):
    """An address that leads nowhere: say what was meant, perhaps, and where the gallery is."""

    def prepare(self) -> None:
        self.set_status(404)
        name = self.request.path.strip("/").rpartition("/")[2]
        message = str(UnknownNameError("system", name, places()))
        self.finish(pages.missing(message.partition(" Known:")[0]))


class OwnStatic(StaticFileHandler):
    def set_extra_headers(self, path: str) -> None:
        self.set_header("Cache-Control", "no-cache")


def routes(kernels: Kernels, prefix: str = "") -> list[Any]:
    """Patterns for the server, beside those of the workbenches."""
    mimetypes.add_type("text/javascript", ".js")
    return [
        (r"/?", GalleryHandler),
        (r"/own/(.*)", OwnStatic, {"path": str(STATIC)}),
        (r"/thumbnail/([a-z0-9_]+)\.png", ThumbnailHandler, {"kernels": kernels}),
        (r"/ready/([a-z0-9_]+)", ReadyHandler, {"kernels": kernels}),
        (r"/download/([A-Za-z0-9_-]+)", DownloadHandler),
        (r"/(?!static/)[^/]+/?", MissingHandler),
    ]
