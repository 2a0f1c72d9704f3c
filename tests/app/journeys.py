"""What journeys through the app have in common: a server, a page of it, and what is on that page."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any
from urllib.error import HTTPError
from urllib.request import urlopen

PATIENCE = 60_000

# The workbench stands in the shadow of its component.
FIND = """
function rootOf(node) {
  for (const {shadowRoot} of node.querySelectorAll("*")) {
    const found = shadowRoot && (shadowRoot.getElementById("main") ? shadowRoot : rootOf(shadowRoot));
    if (found) return found;
  }
  return null;
}
window.bench = () => rootOf(document) ?? document;
window.$ = id => bench().getElementById(id);
"""

SOURCE = """(([figure, layer, column]) => {
  const root = Bokeh.documents.flatMap(doc => doc.roots()).find(r => r.name === figure);
  if (!root) return [];
  const data = root.renderers.find(r => r.name === layer).data_source.data;
  const values = data instanceof Map ? data.get(column) : data[column];
  return Array.from(values, v => typeof v === "number" ? v : Array.from(v));
})"""


IMPORTS = "from mfexplore.study.processes import end_with_input; from mfexplore.app.server import serve"


@contextmanager
def running(*command: str) -> Iterator[None]:
    """A server in a process of its own, which ends with the block, whatever happens in it; so do those it started.

    It is asked to end, as `docker stop` or a terminal would, and has half a minute for it. It may end with its input,
    if it wants not to be left behind by tests that are killed.
    """
    server = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        yield
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGKILL)
            server.communicate(timeout=30)


@contextmanager
def served(port: int, **options: Any) -> Iterator[str]:
    """A server on this port that answers."""
    serves = f"serve(port={port}, show=False, warm=False, **{options!r})"
    with running(sys.executable, "-c", f"{IMPORTS}; end_with_input(); {serves}"):
        url = f"http://localhost:{port}{options.get('prefix', '')}"
        await_answer(url)
        yield url


def await_answer(url: str) -> None:
    """Return when there is something under this address; what is there may be an error."""
    end = time.monotonic() + PATIENCE / 1000
    while True:
        try:
            urlopen(url, timeout=10).close()
            return
        except HTTPError as error:
            error.close()
            return
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port: int = free.getsockname()[1]
    return port


def visit(page: Any, address: str, query: str = "") -> None:
    page.goto(f"{address}/curie_weiss{query}")
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    page.wait_for_selector("#progress.done", state="attached")
    until(page, f"() => {SOURCE}(['diagram', 'marker', 'x']).length")  # the figure itself may come later than its data


def back_home(page: Any) -> None:
    """To the default point, with a run that has not begun."""
    page.evaluate("(document.activeElement.shadowRoot ?? document).activeElement?.blur()")
    if page.get_attribute("#play", "aria-pressed") == "true":
        page.click("#play")
    if page.is_enabled("#reset"):
        page.click("#reset")
    marker_at(page, 0.0, 0.7)
    page.click("#restart")
    until(page, "() => parseFloat($('clock').textContent) === 0 && $('play').getAttribute('aria-pressed') === 'false'")
    page.evaluate("scrollTo({top: 0, behavior: 'instant'})")


def column(page: Any, figure: str, layer: str, name: str) -> list[Any]:
    found: list[Any] = page.evaluate(SOURCE, [figure, layer, name])
    return found


def until(page: Any, condition: str, argument: Any = None) -> None:
    page.wait_for_function(condition, arg=argument)


def marker_at(page: Any, x: float, y: float) -> None:
    until(
        page,
        f"([x, y]) => {{ const at = n => {SOURCE}(['diagram', 'marker', n])[0];"
        " return Math.abs(at('x') - x) < 1e-4 && Math.abs(at('y') - y) < 1e-4; }",
        [x, y],
    )
