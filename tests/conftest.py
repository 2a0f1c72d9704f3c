"""Fixtures shared by all tests."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

# Kernels compile on first use, so no deadline; the same examples in every run, so that a failure can be repeated.
settings.register_profile("mfexplore", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("mfexplore")

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
REFERENCES = Path(__file__).parent / "references"


def reference_values(model: str) -> list[dict[str, Any]]:
    """The verified values of one card's model, from tests/references/*.json; each has id, params, quantity, value."""
    values = [v for file in sorted(REFERENCES.glob("*.json")) for v in json.loads(file.read_text())]
    return [v for v in values if v["model"] == model]


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261123)


@pytest.fixture(scope="module")  # its event loop would be in the way of tests that run one
def browser() -> Iterator[Any]:
    """A real Chromium, driven by Playwright; whoever has none skips what needs it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = os.environ.get("MFEXPLORE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_api.sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield opened
        opened.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A browser on a busy machine may be late; what fails three times is wrong."""
    for item in items:
        if item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
