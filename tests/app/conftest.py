"""A server to travel to, and a fresh tab."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
from journeys import FIND, PATIENCE, free_port, served


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """A running server, with the kernels of the system that the journeys visit compiled."""
    subprocess.run([sys.executable, "-m", "mfexplore.cli", "warmup", "curie_weiss"], check=True, capture_output=True)
    with served(free_port()) as url:
        yield url


@pytest.fixture
def page(browser: Any, address: str) -> Iterator[Any]:
    """A fresh tab that fails the test on a script error or on a request to anywhere but the server."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    context.add_init_script(FIND)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    troubles: list[str] = []
    tab.on("pageerror", lambda error: troubles.append(str(error)))
    tab.on(
        "request",
        lambda r: None if r.url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
        else troubles.append(r.url),
    )  # fmt: skip
    yield tab
    context.close()
    assert not troubles
