"""What journeys through the app have in common: a server, a page of it, and what is on that page."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.error import URLError
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


@contextmanager
def served(port: int) -> Iterator[str]:
    """A server on this port that answers."""
    code = f"from mfexplore.app.server import serve; serve(port={port}, show=False, warm=False)"
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.DEVNULL) as server:
        url = f"http://localhost:{port}"
        for _ in range(600):
            try:
                urlopen(url).close()
                break
            except URLError:
                time.sleep(0.1)
        try:
            yield url
        finally:
            server.terminate()


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
