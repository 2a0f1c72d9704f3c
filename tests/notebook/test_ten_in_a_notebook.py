"""Several live workbenches in one kernel do not keep each other waiting."""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets as widgets
import pytest

import mfexplore as mf
from mfexplore.notebook.page import NotebookPage
from mfexplore.workbench.exploration import Exploration

TEN = 10


class Notebook:
    """Ten cells with a workbench each, and how many messages of each have gone to the browser."""

    def __init__(self, sent: Counter[int]) -> None:
        self.loop = asyncio.new_event_loop()
        kind = mf.system("curie_weiss")
        self.pages = [
            NotebookPage(Exploration.of(kind(temperature=0.6 + 0.01 * k, size=100)), self.loop) for k in range(TEN)
        ]
        self.sent = sent

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> float:
        """The seconds until it holds."""
        start = time.monotonic()
        while not condition():
            assert time.monotonic() - start < seconds, "waited in vain"
            self.run(0.005)
        return time.monotonic() - start

    def run(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def move(self, k: int, temperature: float) -> float:
        """One step of the slider in a cell; the seconds until its sentence is another."""
        sentence = self.pages[k].bench.sentence
        before = sentence.value
        self.pages[k].bench.controls["temperature"].slider.value = temperature
        return self.until(lambda: sentence.value != before)

    def at_rest(self) -> bool:
        before = self.sent.total()
        self.run(0.6)  # longer than it takes until something begins by itself
        return self.sent.total() == before and all(page.desk.jobs.idle for page in self.pages if page.desk)


@pytest.fixture
def notebook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Notebook]:
    sent: Counter[int] = Counter()
    owners: dict[int, int] = {}
    send = widgets.Widget._send

    def counted(self: widgets.Widget, message: Any, buffers: Any = None) -> None:
        sent[owners.get(id(self), -1)] += 1
        send(self, message, buffers)

    monkeypatch.setattr(widgets.Widget, "_send", counted)
    monkeypatch.setattr("mfexplore.notebook.page.GONE_MS", 3_600_000)  # no script says again and again that it is there
    made = Notebook(sent)
    for page in made.pages:
        page._frontend.hear(
            json.dumps({"view": "a", "missing": "", "theme": "light", "steps": (0, 0), "visible": True})
        )
    made.until(lambda: all("Bistable" in page.bench.sentence.value for page in made.pages))
    made.until(made.at_rest)
    owners |= {id(widget): k for k, page in enumerate(made.pages) for widget in everything_in(page.widget)}
    yield made
    for page in made.pages:
        page.close()
    made.run(0.1)
    made.loop.close()


def everything_in(widget: widgets.Widget) -> Iterator[widgets.Widget]:
    yield widget
    for child in getattr(widget, "children", ()):
        yield from everything_in(child)


def test_ten_workbenches_stay_usable(notebook: Notebook) -> None:
    notebook.sent.clear()
    alone = notebook.move(0, 1.3)
    assert alone < 2
    assert notebook.sent[0] > 0
    assert all(notebook.sent[k] == 0 for k in range(1, TEN)), "who is at rest sends nothing"
    assert notebook.sent.total() < 60

    for page in notebook.pages[1:]:
        page.bench.play.click()
    notebook.until(lambda: all(page.desk.run.playing for page in notebook.pages[1:]))
    assert notebook.move(0, 0.8) < 2, "hands come before the frames of the nine that play"
