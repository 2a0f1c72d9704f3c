"""Pages made from declarations, and the messages between a page and its session."""

from __future__ import annotations

import json
from collections import deque
from types import SimpleNamespace
from typing import Any

import pytest

from mfexplore.app import downloads, pages
from mfexplore.app.channel import Line
from mfexplore.app.workbench import BrowserPage
from mfexplore.core import system
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.sheet import Sheet

KEYS = ["curie_weiss", "hopfield", "kuramoto"]


@pytest.mark.parametrize("key", KEYS)
def test_groups_hold_every_control_once(key: str) -> None:
    kind = system(key)
    names = [declared.name for _, controls in Sheet(Exploration.of(kind())).groups for declared in controls]
    assert sorted(names) == sorted(kind.controls())


def test_gallery_shows_systems_and_needs_nothing_from_elsewhere() -> None:
    page = pages.gallery()
    for key in KEYS:
        assert f'href="{key}"' in page
    assert "http" not in page.replace("http://www.w3.org", "")  # nothing from elsewhere


@pytest.mark.parametrize("key", KEYS)
def test_compiling_page_explains_the_system(key: str) -> None:
    page = pages.template("compiling.html").render(**pages.compiling(system(key)))
    assert "Compiling (once)" in page
    assert "<math" in page


def test_missing_page_escapes_what_was_asked() -> None:
    assert "<script>alert" not in pages.missing("There is no system '<script>alert(1)</script>'.")


def test_line_acknowledges_and_survives_nonsense() -> None:
    heard: list[dict[str, Any]] = []
    line = Line(heard.append)
    line.model.up = "not json"
    line.model.up = "[1, 2]"
    line.model.up = json.dumps({"type": "control", "seq": 7})
    assert [m["type"] for m in heard] == ["control"]
    assert json.loads(line.model.down) == {"type": "ack", "n": 1, "seq": 7}


def test_downloads_need_their_address() -> None:
    url = downloads.offer(File("a.csv", b"1"))
    found = downloads.fetch(url.rpartition("/")[2])
    assert found is not None
    assert found.content == b"1"
    assert downloads.fetch("guessed") is None


def test_work_is_done_in_the_order_it_was_posted_in() -> None:
    """Bokeh does not promise the order of its callbacks."""
    asked: list[Any] = []
    page = BrowserPage.__new__(BrowserPage)
    page._doc, page._posted = SimpleNamespace(add_next_tick_callback=asked.append), deque()  # type: ignore[assignment]
    done: list[int] = []
    for k in range(4):
        page.post(lambda k=k: done.append(k))  # type: ignore[misc]
    for callback in reversed(asked):
        callback()
    assert done == [0, 1, 2, 3]
