"""Pages made from declarations, and the messages between a page and its session."""

from __future__ import annotations

import asyncio
import io
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from toy import Toy

from mfexplore.app import pages, rooms, thumbnails
from mfexplore.app.page import BrowserPage
from mfexplore.core import system
from mfexplore.core.related import relations
from mfexplore.figures.style import LIGHT, THEMES, Theme
from mfexplore.guide.paths import paths
from mfexplore.study.turns import scheduler
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.face import opened
from mfexplore.workbench.messages import Ack, Notice, Progress, Run, Sentence
from mfexplore.workbench.sheet import Sheet

APP = Path(pages.__file__).parent

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
def test_no_two_parts_of_a_page_have_one_name(key: str) -> None:
    page, _ = pages.component(system(key), pages.OURS)
    names = re.findall(r'\bid="([^"]+)"', page)
    assert len(names) == len(set(names))


@pytest.mark.parametrize("key", ["curie_weiss", "kuramoto"])
def test_a_card_shows_the_diagram_and_beside_it_a_run(
    key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(thumbnails, "folder", lambda: tmp_path)
    monkeypatch.setattr(thumbnails, "STEPS", 3)
    image = thumbnails.picture(key)
    assert image is not None
    pixels = np.asarray(Image.open(io.BytesIO(image)).convert("RGB"), float)
    assert pixels.shape == (260, 416, 3)
    split = round(thumbnails.SPLIT * 416)
    for part in (pixels[:, : split - 8], pixels[:, split + 8 :]):
        assert len(np.unique(part.reshape(-1, 3), axis=0)) > 2
        assert part.std() > 5
    assert (pixels[:, split + 1 : split + 4] == 255).all(), "room between them"
    assert thumbnails.stored(key) == image


@pytest.mark.parametrize("key", KEYS)
@pytest.mark.parametrize("host", [pages.OURS, pages.ANYWHERE], ids=["ours", "anywhere"])
def test_the_page_explains_the_system_and_needs_nothing_from_elsewhere(key: str, host: pages.Host) -> None:
    sheet, constants = pages.component(system(key), host)
    assert "<math" in sheet
    assert set(constants["controls"]) == set(system(key).controls())
    for panel in Sheet(Exploration.of(system(key)())).panels:
        assert f'data-figure="{panel.name}"' in sheet
    assert 'src="http' not in sheet
    assert ('href="./"' in sheet) == host.serves, "in somebody else's page it leads nowhere"


def test_a_system_shows_its_relatives_and_lessons_once_said() -> None:
    page, _ = pages.component(system("hopfield"), pages.OURS)
    assert 'href="./dense_hebbian?setting=storage"' in page
    assert ">Dense Hebbian network</a>" in page
    assert 'href="./lessons/05_memory"' in page
    elsewhere, _ = pages.component(system("hopfield"), pages.ANYWHERE)
    assert "Dense Hebbian network" in elsewhere
    assert 'href="./dense_hebbian' not in elsewhere


def test_the_map_is_also_a_list() -> None:
    page = re.sub(r'<a class="term"[^>]*>(.*?)</a>', r"\1", rooms.room("map"))
    for one, said, other in relations():
        assert f">{one.title}</a> {said.kind} <a" in page
        assert said.because in page
        assert f">{other.title}</a>." in page


def test_words_of_the_glossary_are_links_at_home_and_notes_elsewhere() -> None:
    page, _ = pages.component(system("hopfield"), pages.OURS)
    assert page.count('href="./glossary#overlap"') == 1
    elsewhere, _ = pages.component(system("hopfield"), pages.ANYWHERE)
    assert "glossary#" not in elsewhere
    assert elsewhere.count('<span class="term"') == page.count('class="term"')


def test_the_glossary_has_a_place_for_every_link_to_it() -> None:
    glossary = rooms.room("glossary")
    ids = set(re.findall(r'id="([^"]+)"', glossary))
    everywhere = glossary + pages.gallery() + rooms.room("map") + pages.component(system("hopfield"), pages.OURS)[0]
    assert set(re.findall(r'glossary#([\w-]+)"', everywhere)) <= ids


def test_a_step_of_a_path_is_a_link_to_its_preset() -> None:
    (step,) = [step for path in paths() for step in path.steps if step.preset == "Hopfield in disguise"]
    key, _, query = rooms.address(step).partition("?")
    exploration, notices = Exploration.from_query(key, query)
    assert not notices
    assert exploration.model.hidden == "gaussian"
    assert rooms.address(step).replace("&", "&amp;") in rooms.room("paths")


def test_a_lesson_can_be_read_and_one_that_is_not_there_cannot() -> None:
    page = rooms.lesson_page("05_memory")
    assert page is not None
    assert 'href="hopfield"' in page
    assert rooms.lesson_page("99_nothing") is None


def test_missing_page_escapes_what_was_asked() -> None:
    assert "<script>alert" not in pages.missing("There is no system '<script>alert(1)</script>'.")


# -- the page of a desk ----------------------------------------------------------------------------------------------


class Wire:
    """A page whose browser is the test."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, ready: bool = True, serves: bool = True, query: str = ""
    ) -> None:
        self.sent: list[dict[str, Any]] = []
        self.ready = ready
        start, face, _ = opened("curie_weiss", query)
        self.page = BrowserPage(
            start, ["told once"], self.sent.append, serves=serves, ready=lambda: self.ready,
            born=lambda desk: None, face=face,
        )  # fmt: skip
        self.page.loop = self.loop = loop

    def run(self, seconds: float = 0.1) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def until(self, kind: str) -> dict[str, Any]:
        for _ in range(600):
            self.run(0.1)
            found = [m for m in self.messages if m["type"] == kind]
            if found:
                return found[-1]
        raise AssertionError(f"waited in vain for {kind}")

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [message for sent in self.sent for message in json.loads(sent["text"])]


@pytest.fixture
def loop() -> Any:
    made = asyncio.new_event_loop()
    yield made
    made.close()


def test_nothing_runs_before_hello_and_nothing_is_said_after_the_end(loop: Any) -> None:
    wire = Wire(loop)
    for nonsense in (None, "text", [], {}, {"type": "control", "name": "temperature", "value": 1}):
        wire.page.hear(nonsense)
    wire.run()
    assert wire.page.desk is None
    assert not wire.sent
    wire.page.hear({"type": "hello", "seq": 1, "theme": "dark"})
    assert wire.until("sentence")
    assert wire.until("ack")["seq"] == 1
    assert any(m["type"] == "notice" and m["text"] == "told once" for m in wire.messages)
    drawn = {m["figure"] for m in wire.messages if m["type"] == "draw" and m["template"]}
    assert drawn == {panel.name for panel in wire.page.desk.panels}  # type: ignore[union-attr]
    wire.page.close()
    wire.run()
    before = len(wire.sent)
    wire.page.hear({"type": "undo"})
    wire.run(0.3)
    assert len(wire.sent) == before


def test_what_is_said_in_one_turn_travels_together(loop: Any) -> None:
    wire = Wire(loop)
    wire.page.hear({"type": "hello"})
    wire.until("sentence")
    wire.until("run")
    wire.sent.clear()
    wire.page.hear({"type": "control", "seq": 9, "name": "coupling", "value": 0.5})
    wire.run(1.5)
    both = [{m["figure"] for m in json.loads(sent["text"]) if m["type"] == "draw"} for sent in wire.sent]
    assert any({"diagram", "curve"} <= figures for figures in both), "marker and curve are painted together"
    wire.page.close()


def test_a_page_waits_for_the_compiler(loop: Any) -> None:
    wire = Wire(loop, ready=False)
    wire.page.hear({"type": "hello", "seq": 1})
    assert "Compiling" in wire.until("waiting")["text"]
    assert wire.page.desk is None
    wire.ready = True
    wire.until("sentence")
    assert [m["text"] for m in wire.messages if m["type"] == "waiting"][-1] == ""
    wire.page.close()


def test_a_page_that_cannot_fetch_is_sent_its_figures(loop: Any) -> None:
    wire = Wire(loop, serves=False)
    wire.page.hear({"type": "hello"})
    wire.until("sentence")
    put_up = [m for m in wire.messages if m["type"] == "draw" and m["template"]]
    assert put_up
    assert all(json.loads(m["document"])["root_id"] for m in put_up)
    wire.page.close()


def test_arrays_travel_beside_the_text(loop: Any) -> None:
    wire = Wire(loop)
    wire.page.hear({"type": "hello"})
    wire.until("sentence")
    for sent in wire.sent:
        assert sum(sent["sizes"]) == len(sent["buffer"])
    assert any(sent["buffer"] for sent in wire.sent)
    wire.page.close()


def test_what_a_hand_waits_for_is_sent_at_once_and_takes_along_what_waits(
    loop: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    wire = Wire(loop)
    monkeypatch.setattr(type(scheduler), "lag", 30.0)  # so late is the thread that answers all pages
    monkeypatch.setattr("mfexplore.app.page.LONGEST", 30.0)
    wire.page.say(Ack(1))
    wire.run(0.05)
    assert not wire.sent
    wire.page.say(Sentence("Bistable", "", "", "open"))
    wire.page.say(Run(playing=True, time=1.0, unit="sweeps", finished=False))
    wire.run(0.05)
    (sent,) = wire.sent
    assert [message["type"] for message in json.loads(sent["text"])] == ["ack", "sentence", "run"]
    wire.page.say(Sentence("One state", "", "", "open"))
    wire.run(0.05)
    assert len(wire.sent) == 2


def test_of_what_waits_for_a_slow_network_only_the_newest_is_sent(loop: Any) -> None:
    wire = Wire(loop)
    wire.page._sent = loop.create_future()  # what was sent last is still on its way
    for k in range(10_000):
        wire.page.say(Run(playing=True, time=float(k), unit="sweeps", finished=False))
        wire.page.say(Progress("file", k / 10_000, "writing"))
        wire.page.say(Ack(k))
    wire.page.say(Notice("one"))
    wire.page.say(Notice("two"))
    wire.run()
    assert not wire.sent
    wire.page._sent.set_result(None)
    wire.run()
    (sent,) = wire.sent
    said = json.loads(sent["text"])
    assert [message["type"] for message in said] == ["run", "progress", "ack", "notice", "notice"]
    assert said[0]["time"] == said[2]["seq"] == 9_999


def test_a_file_travels_with_its_message(loop: Any) -> None:
    wire = Wire(loop)
    wire.page.give(File("a.csv", b"1,2"))
    wire.run()
    (sent,) = wire.sent
    (message,) = json.loads(sent["text"])
    assert (message["type"], message["name"], message["media_type"]) == ("download", "a.csv", "text/csv")
    assert sent["buffer"] == b"1,2"


@pytest.mark.parametrize("query", ["", "ui=teach&task=1&veil=theory,simulation&lock=temperature&class=k3f9"])
def test_ten_thousand_messages_are_worked_off_between_those_of_others(loop: Any, query: str) -> None:
    wire = Wire(loop, query=query)
    wire.page.hear({"type": "hello"})
    wire.until("run")
    for k in range(10_000):
        name = ("temperature", "field", "coupling")[k % 3]
        wire.page.hear({"type": "control", "seq": k, "name": name, "value": 0.1 + 1e-5 * k})
    for k in range(10_000):
        wire.page.hear({"type": ["undo", "pin", "nonsense", None, "sketch", "skip"][k % 6], "seq": 10_000 + k})
        wire.page.hear({"type": "reveal", "index": 0, "guess": 0.001 * k, "who": str(k)})
        wire.page.hear({"type": "sweep", "name": "field"})
    turns = 0

    async def others() -> None:
        nonlocal turns
        while wire.page._inbox or turns < 3:
            await asyncio.sleep(0)
            turns += 1

    wire.run(0)
    assert len(wire.page._inbox) <= 500
    loop.run_until_complete(others())
    assert turns > 3, "others had their turns meanwhile"
    wire.run(0.5)
    wire.page.close()
    assert any(m["type"] == "notice" and "nonsense" in m["text"] for m in wire.messages)
    if query:
        assert wire.page.desk.session.current.model.temperature == 0.6, "it is locked"  # type: ignore[union-attr]


def test_a_system_that_breaks_breaks_its_own_page_only(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*args: Any, **options: Any) -> Any:
        raise ZeroDivisionError("a kernel stumbled")

    monkeypatch.setattr("mfexplore.workbench.views.curve", broken)
    monkeypatch.setattr("mfexplore.workbench.exports.make", lambda *args: broken())
    wire = Wire(loop)
    wire.page.hear({"type": "hello"})
    assert "a kernel stumbled" in wire.until("notice")["text"] or wire.until("sentence")
    wire.page.hear({"type": "export", "what": "notebook.ipynb"})
    wire.until("run")
    assert [m for m in wire.messages if m["type"] == "notice" and "a kernel stumbled" in m["text"]]
    wire.page.close()


def test_a_full_disk_is_told(loop: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*args: Any) -> Any:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("mfexplore.workbench.exports.make", full)
    wire = Wire(loop)
    wire.page.hear({"type": "hello"})
    wire.until("sentence")
    wire.page.hear({"type": "export", "what": "curve.nc"})
    for _ in range(100):
        wire.run(0.1)
        if any("No space left" in m.get("text", "") for m in wire.messages):
            break
    else:
        raise AssertionError("nobody was told")
    wire.page.close()


def test_a_sheet_has_a_place_for_everything_that_a_system_says() -> None:
    sheet = pages.component(Toy, pages.ANYWHERE)[0]
    for panel, word in (("trace", "series"), ("function", "function"), ("state", "picture"), ("histogram", "law")):
        assert f'data-choices="{panel}" data-chooses="{word}"' in sheet
    for name in ("function", "recursion", "landscape"):
        assert f'data-figure="{name}"' in sheet
    assert 'data-key="landscape"' in sheet
    assert 'data-key="state"' in sheet


@pytest.mark.parametrize("theme", THEMES.values(), ids=lambda theme: theme.name)
def test_page_and_figures_have_the_same_colours(theme: Theme) -> None:
    """A style sheet is read before any script, a figure is made in Python: each says the colours of a theme itself."""
    light, dark = (APP / "static" / "base.css").read_text().partition(":root[data-theme")[::2]
    block = light if theme is LIGHT else dark[: dark.index("}")]
    said = dict(re.findall(r"--([\w-]+): (#\w+);", block))
    for name in ("paper", "card", "ink", "soft", "line", "accent", "marker"):
        assert said[name] == getattr(theme, name), name
    assert f"background: {theme.paper}" in (APP / "templates" / "page.html").read_text(), "what is seen while it loads"
