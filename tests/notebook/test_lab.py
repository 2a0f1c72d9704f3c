"""A journey through the workbench in a real JupyterLab, without network: one cell, and everything is there."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import urlopen

import numpy as np
import pytest

pytestmark = [pytest.mark.browser, pytest.mark.timeout(120)]

PATIENCE = 30_000
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
CELL = 'import mfexplore as mf\nmf.system("curie_weiss")(temperature=0.6, size=500).explore()'


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, Path]]:
    """A running JupyterLab with one notebook, and its folder."""
    root = tmp_path_factory.mktemp("lab")
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": [], "source": CELL}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    (root / "bench.ipynb").write_text(json.dumps(book))
    own = {name: str(root / name.lower()) for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR")}
    own |= {name: str(root / name.lower()) for name in ("JUPYTERLAB_WORKSPACES_DIR", "JUPYTERLAB_SETTINGS_DIR")}
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root",
        "--ServerApp.token=", "--ServerApp.password=", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env=os.environ | own, **quiet) as server:  # type: ignore[call-overload]
        url = f"http://localhost:{port}"
        for _ in range(600):
            try:
                urlopen(f"{url}/api").close()
                break
            except URLError:
                time.sleep(0.1)
        yield url, root
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


@pytest.fixture(scope="module")
def page(lab: tuple[str, Path]) -> Iterator[Any]:
    """A tab with the notebook, run from the menu. It can reach nothing but the server."""
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = os.environ.get("MFEXPLORE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    url, _ = lab
    with sync_api.sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=executable, args=FLAGS)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error}")
        tab = opened.new_page(viewport={"width": 1400, "height": 1200})
        tab.set_default_timeout(PATIENCE)
        own = (url, "data:", "blob:")
        tab.route("**/*", lambda route: route.continue_() if route.request.url.startswith(own) else route.abort())
        tab.goto(f"{url}/lab/tree/bench.ipynb")
        tab.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        tab.wait_for_selector("text=(ipykernel) | Idle")  # what is run before the kernel answers is lost
        tab.click("text=Run >> nth=0")
        tab.click("text=Run All Cells >> nth=0")
        tab.wait_for_selector(".mfexplore-say:has-text('Bistable')")
        yield tab
        opened.close()


def colours(page: Any, selector: str) -> int:
    """How many different colours are on a part of the screen."""
    import matplotlib.image

    place = page.locator(selector).first
    place.scroll_into_view_if_needed()
    pixels = matplotlib.image.imread(BytesIO(place.screenshot()))
    return len(np.unique((255 * pixels[..., :3]).astype(np.uint8).reshape(-1, 3), axis=0))


def until_painted(page: Any, selector: str, least: int) -> None:
    for _ in range(100):
        if colours(page, selector) >= least:
            return
        time.sleep(0.2)
    raise AssertionError(f"{selector} has only {colours(page, selector)} colours")


def value_of(page: Any, number: int) -> float:
    return float(page.locator(".mfexplore-control input[type=text]").nth(number).input_value())


def test_figures_are_painted(page: Any) -> None:
    until_painted(page, ".mfexplore-figure-diagram", 300)  # a coloured plane
    for name in ("curve", "landscape", "trace"):
        until_painted(page, f".mfexplore-figure-{name}", 20)
    until_painted(page, ".mfexplore-figure-state", 3)  # spins are black or white


def test_slider_moves_numbers_and_words(page: Any) -> None:
    handle = page.locator(".mfexplore-controls .noUi-handle").first
    handle.focus()
    before = value_of(page, 0)
    for _ in range(5):
        handle.press("PageUp")
    page.wait_for_function(
        "before => document.querySelector('.mfexplore-control input[type=text]').value > before", arg=before
    )
    box = page.locator(".mfexplore-control input[type=text]").first
    box.fill("1.3")
    box.press("Enter")
    page.wait_for_selector(".mfexplore-say:has-text('Paramagnet')")
    box.fill("cold")
    box.press("Enter")
    page.wait_for_selector(".mfexplore-notice:has-text('cold')")
    page.wait_for_function("document.querySelector('.mfexplore-control input[type=text]').value === '1.3'")


def test_click_and_keys_move_the_marker(page: Any) -> None:
    plane = page.locator(".mfexplore-plane")
    plane.scroll_into_view_if_needed()
    place = plane.bounding_box()
    page.mouse.click(place["x"] + 0.35 * place["width"], place["y"] + 0.4 * place["height"])
    page.wait_for_function("Number(document.querySelectorAll('.mfexplore-control input[type=text]')[1].value) < 0")
    field = value_of(page, 1)
    for _ in range(5):
        page.keyboard.press("Shift+ArrowRight")
    page.wait_for_function(
        "old => Number(document.querySelectorAll('.mfexplore-control input[type=text]')[1].value) > old", arg=field
    )


def test_run_plays(page: Any) -> None:
    page.locator(".mfexplore-live button").first.click()
    page.wait_for_function("parseInt(document.querySelector('.mfexplore-clock span:last-child').innerText) > 20")
    page.locator(".mfexplore-live button").first.click()


def test_page_loaded_again_goes_on(page: Any) -> None:
    said = page.locator(".mfexplore-say").inner_text()
    box = page.locator(".mfexplore-control input[type=text]").first
    box.fill("0.8")
    box.press("Enter")
    page.wait_for_function("said => document.querySelector('.mfexplore-say').innerText !== said", arg=said)
    with page.expect_response(lambda answer: "/api/contents/bench.ipynb" in answer.url and answer.status == 200):
        page.click("text=File >> nth=0")
        page.click("text=Save Notebook >> nth=0")
    page.reload()
    page.wait_for_selector(".mfexplore-figure-diagram .jupyter-widgets", state="attached")
    until_painted(page, ".mfexplore-figure-diagram", 300)
    assert value_of(page, 0) == 0.8


def test_saved_notebook_is_small(page: Any, lab: tuple[str, Path]) -> None:
    assert (lab[1] / "bench.ipynb").stat().st_size < 20_000  # BokehJS itself has three millions
