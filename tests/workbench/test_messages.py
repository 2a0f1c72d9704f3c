"""Messages between page and desk: declared once, checked on the way in, and heard by both pages."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mfexplore.app import pages
from mfexplore.core.errors import MfexploreError
from mfexplore.notebook.page import NotebookPage
from mfexplore.workbench import messages, wire

STATIC = Path(pages.__file__).parent / "static"
SCRIPT = "".join(path.read_text() for path in sorted(STATIC.glob("*.js")))


def test_the_page_hears_everything_a_desk_may_say() -> None:
    assert set(re.findall(r'\bhear\("([a-z]+)"', SCRIPT)) == set(wire.SAID)


def test_the_page_says_nothing_that_a_desk_does_not_hear() -> None:
    said = set(re.findall(r'\bsay(?:Latest)?\("([a-z]+)"', SCRIPT))
    said |= {
        word for words in re.findall(r"\bsay\(\w[^\"()]*\? (.*?)\)", SCRIPT) for word in re.findall(r'"(\w+)"', words)
    }
    assert said == set(wire.HEARD)


def test_a_notebook_hears_everything_a_desk_may_say() -> None:
    told = set(vars(NotebookPage)["tell"].dispatcher.registry) - {object}
    of_browsers = {
        messages.Download,
        messages.Ack,
        messages.Draw,
        messages.Waiting,
        messages.Guesses,
    }  # said by the browser's page itself, or to pages that a link has prepared
    assert told == set(messages.Said.__subclasses__()) - of_browsers


@pytest.mark.parametrize("message", [
    {}, {"type": "unknown"}, {"type": ["marker"]}, {"type": "marker", "x": 1}, {"type": "marker", "x": 1, "y": "2"},
    {"type": "marker", "x": 1, "y": float("nan")}, {"type": "undo", "more": 1}, {"type": "play", "on": 1},
    {"type": "unpin", "index": 0.5}, {"type": "window", "x": [1]}, {"type": "window", "x": [1, None]},
    {"type": "control", "name": "temperature", "value": {"a": 1}}, {"type": "view", "name": None, "value": "x"},
])  # fmt: skip
def test_what_is_not_declared_is_refused(message: dict[str, Any]) -> None:
    with pytest.raises(MfexploreError):
        wire.read(message)


def test_what_is_declared_is_read() -> None:
    assert wire.read({"type": "marker", "seq": 7, "x": 1, "y": 0.5}) == messages.Marker(1, 0.5)
    assert wire.read({"type": "window", "x": [0, 1]}) == messages.Window([0, 1])  # type: ignore[arg-type]
    assert wire.read({"type": "control", "name": "size", "value": "many"}) == messages.Control("size", "many")


def test_infinities_are_written_as_null() -> None:
    said = messages.Run(False, float("nan"), "sweeps", True)
    assert json.loads(json.dumps(wire.written(said), allow_nan=False))["time"] is None
