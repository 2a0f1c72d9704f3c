"""A journey through the workbench in a real JupyterLab, without network: one cell, and everything is there."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import numpy as np
import pytest

PATIENCE = 60  # seconds; a kernel on a busy machine starts late
CELL = 'import mfexplore as mf\nmf.system("hopfield")(temperature=0.2, load=0.05).explore()'
NO_NEWS = {"fetchNews": "false", "checkForUpdates": False}
VALUE = "[...document.querySelectorAll('.mfexplore-control input[type=text]')].map(box => Number(box.value))"


def write_notebook(path: Path) -> None:
    cell = {"cell_type": "code", "id": "one", "metadata": {}, "execution_count": None, "outputs": [], "source": CELL}
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    book = {"cells": [cell], "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(book))


@contextmanager
def running_lab(root: Path) -> Iterator[str]:
    """The address of a JupyterLab on this folder; it and its kernels are gone afterwards, whatever happens."""
    folders = {"JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR"}
    folders |= {"JUPYTERLAB_WORKSPACES_DIR", "JUPYTERLAB_SETTINGS_DIR"}
    own = {name: str(root / name.lower()) for name in folders}
    news = Path(own["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
    news.parent.mkdir(parents=True)
    news.write_text(json.dumps(NO_NEWS))
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = free.getsockname()[1]
    command = [
        sys.executable, "-m", "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root",
        "--IdentityProvider.token=", "--LabApp.extension_manager=readonly", f"--ServerApp.root_dir={root}",
    ]  # fmt: skip
    with (root / "server.log").open("w") as log:
        server = subprocess.Popen(
            command, env=os.environ | own, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
    try:
        url = f"http://localhost:{port}"
        end = time.monotonic() + PATIENCE
        while not answers(f"{url}/api"):
            assert time.monotonic() < end, (root / "server.log").read_text()
            time.sleep(0.1)
        yield url
    finally:
        server.terminate()  # it ends its kernels, which are sessions of their own
        try:
            server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(server.pid, signal.SIGKILL)  # and a kernel without a server ends by itself
            server.wait()


def answers(url: str) -> bool:
    try:
        urlopen(url, timeout=5).close()
    except OSError:
        return False
    return True


@contextmanager
def tab_without_network(browser: Any, address: str) -> Iterator[Any]:
    """A tab that can reach nothing but this address, and fails on a script error."""
    tab = browser.new_page(viewport={"width": 1500, "height": 1250})
    tab.set_default_timeout(1000 * PATIENCE)
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))

    def pass_on(route: Any) -> None:
        if route.request.url.startswith((address, "data:", "blob:")):
            route.continue_()
        else:
            troubles.append(route.request.url)
            route.abort()

    tab.route("**/*", pass_on)
    yield tab
    tab.close()
    assert not troubles


@pytest.mark.browser
@pytest.mark.timeout(240)
def test_journey(tmp_path: Path, browser: Any) -> None:
    notebook = tmp_path / "bench.ipynb"
    write_notebook(notebook)
    with running_lab(tmp_path) as address, tab_without_network(browser, address) as tab:
        tab.goto(f"{address}/lab/tree/bench.ipynb")
        tab.wait_for_selector(".jp-NotebookPanel .jp-CodeCell")
        tab.wait_for_selector("text=(ipykernel) | Idle")  # what is run before the kernel answers is lost
        tab.click("text=Run >> nth=0")
        tab.click("text=Run All Cells >> nth=0")
        tab.wait_for_selector(".mfexplore-say:has-text('Stable retrieval')")
        figures_are_painted(tab)
        slider_moves_numbers_words_and_figures(tab)
        box_takes_a_number_and_nothing_else(tab)
        click_and_keys_move_the_marker(tab)
        run_plays(tab)
        every_stop_has_a_name_and_play_is_near(tab)
        page_loaded_again_goes_on(tab)
        assert notebook.stat().st_size < 20_000  # BokehJS itself has three millions


def figures_are_painted(tab: Any) -> None:
    until_painted(tab, "diagram", 300)  # a coloured plane
    for name in ("curve", "landscape", "trace"):
        until_painted(tab, name, 20)
    until_painted(tab, "state", 3)


def slider_moves_numbers_words_and_figures(tab: Any) -> None:
    handle = tab.locator(".mfexplore-controls .noUi-handle").first
    before = {name: picture(tab, name).tobytes() for name in ("diagram", "curve", "landscape")}
    handle.focus()
    for _ in range(16):
        handle.press("PageUp")
    tab.wait_for_selector(".mfexplore-say:has-text('Spin glass')")
    # The kernel answers each step; only when it has come to the last one may somebody type.
    stands = "Number(document.querySelector('.mfexplore-controls .noUi-handle').ariaValueNow)"
    tab.wait_for_function(f"Math.abs({VALUE}[0] - {stands}) < 1e-9 && {VALUE}[0] > 0.2")
    for name, old in before.items():
        until(lambda name=name, old=old: picture(tab, name).tobytes() != old, f"{name} did not move")


def box_takes_a_number_and_nothing_else(tab: Any) -> None:
    box = tab.locator(".mfexplore-control input[type=text]").first
    box.fill("1.3")
    box.press("Enter")
    tab.wait_for_selector(".mfexplore-say:has-text('Paramagnet')")
    for refused in ("cold", "-1"):
        box.fill(refused)
        box.press("Enter")
        tab.wait_for_selector(f".mfexplore-notice:has-text('{refused}')")
        tab.wait_for_function(f"{VALUE}[0] === 1.3")


def click_and_keys_move_the_marker(tab: Any) -> None:
    plane = tab.locator(".mfexplore-plane")
    plane.scroll_into_view_if_needed()
    place = plane.bounding_box()
    tab.mouse.click(place["x"] + 0.7 * place["width"], place["y"] + 0.6 * place["height"])
    tab.wait_for_function(f"{VALUE}[1] > 0.1 && {VALUE}[0] < 1")
    load = tab.evaluate(VALUE)[1]
    for _ in range(3):
        tab.keyboard.press("Shift+ArrowLeft")
    tab.wait_for_function(f"{VALUE}[1] < {load} - 0.02")


def run_plays(tab: Any) -> None:
    play = tab.locator(".mfexplore-live button").first
    play.click()
    tab.wait_for_function("parseInt(document.querySelector('.mfexplore-clock span:last-child').innerText) > 5")
    play.click()


def every_stop_has_a_name_and_play_is_near(tab: Any) -> None:
    stops = ".mfexplore select, .mfexplore .noUi-handle, .mfexplore input[type=text], .mfexplore .bk-events"
    nameless = "one => one.tabIndex >= 0 && one.checkVisibility() && !one.ariaLabel && !one.labels?.length"
    tab.wait_for_function(f"!([...document.querySelectorAll('{stops}')].some({nameless}))")
    # It says Pause until the kernel has heard that the run was stopped.
    tab.wait_for_function("document.querySelector('.mfexplore-top button').title.includes('Play')")


def page_loaded_again_goes_on(tab: Any) -> None:
    box = tab.locator(".mfexplore-control input[type=text]").first
    box.fill("0.1")
    box.press("Enter")
    tab.wait_for_selector(".mfexplore-say:has-text('Retrieval')")
    with tab.expect_response(lambda answer: "/api/contents/bench.ipynb" in answer.url and answer.status == 200):
        tab.click("text=File >> nth=0")
        tab.click("text=Save Notebook >> nth=0")
    tab.reload()
    tab.wait_for_selector(".mfexplore-figure-diagram .jupyter-widgets", state="attached")
    until_painted(tab, "diagram", 300)
    assert tab.evaluate(VALUE)[0] == 0.1
    box.fill("1.4")
    box.press("Enter")
    tab.wait_for_selector(".mfexplore-say:has-text('Paramagnet')")


def picture(tab: Any, name: str) -> Any:
    """The pixels of a figure of the workbench."""
    import matplotlib.image

    place = tab.locator(f".mfexplore-figure-{name}").first
    place.scroll_into_view_if_needed()
    return (255 * matplotlib.image.imread(BytesIO(place.screenshot()))[..., :3]).astype(np.uint8)


def until_painted(tab: Any, name: str, least: int) -> None:
    """Wait until a figure shows at least so many colours."""
    until(lambda: len(np.unique(picture(tab, name).reshape(-1, 3), axis=0)) >= least, f"{name} is not painted")


def until(condition: Any, what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, what
        time.sleep(0.2)
