"""Takes the pictures of the README anew from this checkout: `python docs/pictures.py [NAME ...]`.

They are of the app and of JupyterLab, and go to .github/, as WebP. Needs `pip install ".[test,notebook]"` and Chromium;
compile first (`mfexplore warmup`).
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from PIL import Image
from playwright.sync_api import sync_playwright

ROOT = Path(__file__).parents[1]
PLACE = ROOT / ".github"
CELL = 880  # pixels of a picture in the table of the tour, twice as wide as it is shown
QUALITY = 82
PATIENCE = 60  # seconds
SEEN = """[...document.querySelectorAll("img")].filter(one => one.getBoundingClientRect().top < innerHeight)
          .every(one => one.complete && getComputedStyle(one).opacity === "1")"""


@contextmanager
def serving(command: list[str], port: int, answer: str, settings: dict[str, str] | None = None) -> Iterator[str]:
    """The address of a server, which ends with the block."""
    server = subprocess.Popen(
        [sys.executable, "-m", *command], cwd=ROOT, env=os.environ | (settings or {}), stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        for _ in range(10 * PATIENCE):
            try:
                urlopen(f"http://localhost:{port}/{answer}", timeout=5).close()
                break
            except OSError:
                time.sleep(0.1)
        yield f"http://localhost:{port}"
    finally:
        server.terminate()
        server.wait()


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("localhost", 0))
        port: int = one.getsockname()[1]
        return port


def save(name: str, image: bytes, width: int) -> None:
    made = Image.open(BytesIO(image)).convert("RGB")
    made.resize((width, round(made.height * width / made.width)), Image.Resampling.LANCZOS).save(
        PLACE / f"{name}.webp", quality=QUALITY, method=6
    )
    print(f"{name}: {(PLACE / f'{name}.webp').stat().st_size // 1000} kB", flush=True)


def of_the_app(browser: Any, wanted: Callable[[str], bool]) -> None:
    port = free_port()
    command = ["mfexplore.cli", "serve", "--no-warm", "--no-browser", "--port", str(port)]
    with serving(command, port, "health") as address:

        def opened(path: str, width: int = 1440, height: int = 960, theme: str = "light") -> Any:
            page = browser.new_page(viewport={"width": width, "height": height}, color_scheme=theme)
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(f"{address}/{path}")
            return page

        def played(path: str, seconds: float, **view: Any) -> Any:
            """A page whose simulation has run for a while."""
            page = opened(path, **view)
            page.wait_for_selector("#progress.done", state="attached")
            page.click("#play")
            page.wait_for_timeout(1000 * seconds)
            return page

        if wanted("workbench"):
            save("workbench", played("hopfield", 6).screenshot(), 1440)
        if wanted("gallery"):
            page = opened("", height=1000)
            page.wait_for_load_state("networkidle")
            page.wait_for_timeout(2000)
            page.wait_for_function(SEEN)
            save("gallery", page.screenshot(), CELL)
        if wanted("class"):
            page = opened("curie_weiss?ui=teach&task=1&veil=theory,simulation&lock=coupling")
            page.wait_for_timeout(4000)
            save("class", page.screenshot(), CELL)
        if wanted("dark"):
            save("dark", played("diffusion_limited_aggregation", 12, theme="dark").screenshot(), CELL)
        if wanted("phone"):
            save("phone", played("kuramoto", 5, width=390, height=844).screenshot(), 390)


def of_a_lesson(browser: Any) -> None:
    """The first lesson in JupyterLab, up to its workbench."""
    port = free_port()
    with tempfile.TemporaryDirectory() as folder:
        lesson = json.loads((ROOT / "notebooks" / "01_order_from_many.ipynb").read_text(encoding="utf-8"))
        last = next(k for k, cell in enumerate(lesson["cells"]) if ".explore(" in "".join(cell["source"]))
        lesson["cells"] = lesson["cells"][: last + 1]
        (Path(folder) / "lesson.ipynb").write_text(json.dumps(lesson), encoding="utf-8")
        kinds = ("_CONFIG", "_DATA", "LAB_WORKSPACES", "LAB_SETTINGS")
        own = {f"JUPYTER{kind}_DIR": f"{folder}/.{kind}" for kind in kinds}
        asks = Path(own["JUPYTERLAB_SETTINGS_DIR"]) / "@jupyterlab/apputils-extension/notification.jupyterlab-settings"
        asks.parent.mkdir(parents=True)
        asks.write_text('{"fetchNews": "false", "checkForUpdates": false}', encoding="utf-8")
        command = [
            "jupyter", "lab", "--no-browser", f"--port={port}", "--allow-root", "--IdentityProvider.token=",
            f"--ServerApp.root_dir={folder}",
        ]  # fmt: skip
        with serving(command, port, "api", own) as address:
            page = browser.new_page(viewport={"width": 1440, "height": 1100})
            page.set_default_timeout(1000 * PATIENCE)
            page.goto(f"{address}/doc/tree/lesson.ipynb?reset")
            page.wait_for_selector("text=(ipykernel) | Idle")
            page.click(".lm-MenuBar-itemLabel:text-is('Run')")
            page.click(".lm-Menu-itemLabel:text-is('Run All Cells')")
            page.wait_for_selector(".mfexplore-say")
            page.evaluate("document.querySelector('.mfexplore-top').closest('.jp-Cell').scrollIntoView()")
            page.click(".mfexplore-top button >> nth=0")
            page.wait_for_timeout(10_000)
            save("lesson", page.locator(".jp-NotebookPanel").screenshot(), CELL)


def main(names: list[str]) -> None:
    def wanted(name: str) -> bool:
        return not names or name in names

    with sync_playwright() as playwright:
        executable = shutil.which("chromium") or shutil.which("google-chrome")
        browser = playwright.chromium.launch(executable_path=executable, args=["--no-sandbox", "--disable-gpu"])
        if not names or set(names) - {"lesson"}:
            of_the_app(browser, wanted)
        if wanted("lesson"):
            of_a_lesson(browser)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1:])
