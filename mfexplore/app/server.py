"""The server: Panel's, with a gallery, one workbench per system, downloads, and kernels compiled out of the way."""

from __future__ import annotations

import asyncio
import logging
import threading
import webbrowser
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import Any
from urllib.parse import urlencode

import panel as pn
from panel.io.resources import BASE_TEMPLATE

from mfexplore.app import pages
from mfexplore.app.component import Workbench
from mfexplore.app.handlers import MissingHandler, routes
from mfexplore.app.kernels import Kernels
from mfexplore.app.people import People
from mfexplore.core.catalogue import places, system
from mfexplore.core.process import give_back, keep_loaded, serve_promptly
from mfexplore.study.processes import lifeline
from mfexplore.study.turns import cores, scheduler
from mfexplore.workbench.face import opened

log = logging.getLogger(__name__)

KEPT_MS = 6_000  # what belongs to a page that went away, or was opened but never came, is kept so long

PULSE = 0.05  # seconds between two looks at how late the page's thread is
QUIET, TIDY = 0.01, 10.0  # seconds late at most, and between two times, to give memory back
MOST_NOTICES = 8  # about one link


def application(key: str, kernels: Kernels, people: People) -> Callable[[], Any]:
    """What Panel calls for each page of a system that is opened: the workbench at the exploration of the address."""

    def page() -> Any:
        if people.full:
            return _full(people.limit)
        arguments = pn.state.session_args
        query = {name: values[-1].decode(errors="replace") for name, values in arguments.items()}
        start, face, notices = opened(key, urlencode(query))
        if not kernels.ready(key):
            kernels.want(key)
        if len(notices) > MOST_NOTICES:
            notices = [*notices[:MOST_NOTICES], f"{len(notices) - MOST_NOTICES} more parts of the link were left out."]
        bench = Workbench(start, notices=notices, host=pages.OURS, ready=partial(kernels.ready, key), face=face)
        bench.tell_lives(people.came, people.left)
        document = pn.state.curdoc
        if document is not None:
            document.template = pages.template("page.html")
            document.template_variables.update(base=BASE_TEMPLATE, name=start.model.title)
            document.on_session_destroyed(lambda context: bench.close())
        return bench

    return page


def _full(limit: int) -> Any:
    """A page that looks again by itself."""
    document = pn.state.curdoc
    if document is not None:
        document.template = pages.template("full.html")
        document.template_variables.update(base=BASE_TEMPLATE, name="Come again", limit=limit)
    return pn.pane.HTML("")


def make_server(
    port: int = 5006, address: str = "localhost", warm: bool = True, origins: tuple[str, ...] = (), prefix: str = "",
    people: int = 200, **options: Any,
) -> Any:  # fmt: skip
    """Panel's server, not started; `server.kernels` compile once they are started. Raises OSError if the port is taken.

    Args:
        port: 0 takes any free one.
        warm: compile the kernels of all systems in the background, one process after the other.
        origins: further hosts ("host:port") from which pages may connect; "*" for all.
        prefix: path under which the app is served, behind a proxy.
        people: so many pages at most are open at a time; the next is asked to come again.
        options: of `panel.io.server.get_server`, such as basic_auth, num_procs, ssl_certfile.
    """
    kernels = Kernels(list(places()), eager=warm)
    counted = People(people)
    missing: dict[str, Any] = {"default_handler_class": MissingHandler, "default_handler_args": {}}
    server: Any = pn.io.server.get_server(
        {key: application(key, kernels, counted) for key in places()},
        port=port, address=address, websocket_origin=list(origins) or None, prefix=prefix, location=False,
        index=None, use_index=False, extra_patterns=routes(kernels, counted),
        unused_session_lifetime_milliseconds=KEPT_MS, check_unused_sessions_milliseconds=1_000,
        keep_alive_milliseconds=20_000, **missing, **options,
    )  # fmt: skip
    server.kernels = kernels
    keep_pulse(server.io_loop, counted)
    return server


def keep_pulse(loop: Any, people: People) -> None:
    """Let the scheduler know how late the thread is that answers all pages: what can wait then does. In a quiet moment
    after somebody has come or left, memory is given back.
    """
    tidied = people.ever, people.gone, loop.time()

    def beat(due: float) -> None:
        nonlocal tidied
        scheduler.late(loop.time() - due)
        ever, gone, then = tidied
        if (people.ever, people.gone) != (ever, gone) and scheduler.lag < QUIET and loop.time() - then > TIDY:
            give_back(garbage=people.gone != gone)
            tidied = people.ever, people.gone, loop.time()
        loop.call_later(PULSE, beat, loop.time() + PULSE)

    loop.call_later(PULSE, beat, loop.time() + PULSE)


def serve(
    port: int = 5006, address: str = "localhost", show: bool = True, warm: bool = True, origins: tuple[str, ...] = (),
    prefix: str = "", key: str = "", people: int = 200, **options: Any,
) -> str:  # fmt: skip
    """Serve the app: until interrupted from a script, beside everything else in a notebook, where it returns at once.

    Returns its address. show: open a browser, at the workbench `key` if given. See `make_server` for the rest.
    """
    if key:
        system(key)  # an unknown one is told now, not in the browser
    if address not in ("localhost", "127.0.0.1") and not origins:
        origins = ("*",) if address in ("0.0.0.0", "") else (f"{address}:{port}",)
    with suppress(RuntimeError):
        asyncio.get_running_loop()
        return _beside(port, address, show, warm, origins, prefix, key, people, options)
    serve_promptly()  # this process is ours from here on
    keep_the_log_readable()
    processes = options.get("num_procs", 1) or cores()
    scheduler.share_with(processes)
    hold = lifeline() if processes > 1 else None
    server = make_server(port, "" if address == "0.0.0.0" else address, warm, origins, prefix, people, **options)
    if hold:  # this is a child of the process that was asked to serve, and must not survive it
        hold()
    server.start()
    where = _begin(server, address, prefix, key, show)
    try:
        server.io_loop.start()
    except KeyboardInterrupt:
        pass
    finally:
        server.kernels.stop()
        server.stop()
    return where


def _beside(
    port: int, address: str, show: bool, warm: bool, origins: tuple[str, ...], prefix: str, key: str, people: int,
    options: dict[str, Any],
) -> str:  # fmt: skip
    """In a running loop the server joins it. Asked again, the one that is there serves; a port that somebody else has
    gives way to any other.
    """
    asked = (port, address, prefix)
    if asked not in _serving:
        host = "" if address == "0.0.0.0" else address
        try:
            server = make_server(port, host, warm, origins, prefix, people, **options)
        except OSError:
            server = make_server(0, host, warm, origins, prefix, people, **options)
        server.start()
        _serving[asked] = server
        return _begin(server, address, prefix, key, show)
    return _tell(_serving[asked], address, prefix, key, show)


_serving: dict[tuple[int, str, str], Any] = {}  # beside a notebook


def _begin(server: Any, address: str, prefix: str, key: str, show: bool) -> str:
    server.kernels.start()
    threading.Thread(target=prepare, name="prepare", daemon=True).start()
    return _tell(server, address, prefix, key, show)


def _tell(server: Any, address: str, prefix: str, key: str, show: bool) -> str:
    where = f"http://{'localhost' if address in ('', '0.0.0.0') else address}:{server.port}{prefix}/{key}"
    print(f"mfexplore is at {where}", flush=True)
    if show:
        webbrowser.open(where)
    return where


def keep_the_log_readable() -> None:
    """One line for each thing that a person can do something about."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for noisy in ("bokeh.core.validation", "bokeh.server.views.ws", "tornado.access"):  # a closed tab is no news
        logging.getLogger(noisy).setLevel(logging.ERROR)


def prepare() -> None:
    """Make what the first page needs, so that it does not wait."""
    from mfexplore.figures.frame import Drawn
    from mfexplore.figures.style import DARK, LIGHT
    from mfexplore.workbench.panels import all_panels

    all_panels()
    for kind in Drawn.kinds():
        for theme in (LIGHT, DARK):
            kind.template(theme)
    pages.gallery()
    keep_loaded()
