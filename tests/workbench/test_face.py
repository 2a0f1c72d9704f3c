"""What a link holds, hides and asks, and that the desk keeps to it whatever a page says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from test_desk import FakePage

from mfexplore.core import system
from mfexplore.core.catalogue import entry, places
from mfexplore.workbench.face import FULL, Face, opened
from mfexplore.workbench.guesses import MOST_GUESSES, MOST_TASKS, Asked, Guess, Guesses


def test_a_link_of_a_class_is_read_and_written() -> None:
    words = "ui=teach&task=1&veil=theory,simulation&lock=coupling&hide=size&theme=dark&class=k3f9"
    start, face, notices = opened("curie_weiss", f"{words}&field=0.1")
    assert not notices
    assert face == Face("teach", 0, ("theory", "simulation"), ("coupling",), ("size",), "dark", "k3f9")
    assert face.to_query(system("curie_weiss")) == words
    assert start.model.field == 0.1, "what the link says"
    assert start.model.temperature == system("curie_weiss").tasks[0].controls["temperature"], (
        "what it leaves to the task"
    )
    assert opened("curie_weiss", "")[1] == FULL


@pytest.mark.parametrize(("query", "told"), [
    ("ui=fancy", "ui='fancy'"), ("theme=blue", "light and dark"), ("lock=warmth", "no control 'warmth' to lock"),
    ("hide=field,nothing", "no control 'nothing' to hide"), ("veil=truth", "theory and simulation, but not 'truth'"),
    ("task=7", "has no task '7': it has 1"), ("task=x", "has no task 'x'"), ("task=0", "has no task '0'"),
    ("unheard=1", "no control 'unheard'"), ("class=a b", "letters, digits and dashes, not 'a b'"),
])  # fmt: skip
def test_what_is_unknown_in_a_link_is_told_in_a_sentence(query: str, told: str) -> None:
    _, face, notices = opened("curie_weiss", query)
    assert len(notices) == 1
    assert told in notices[0]
    assert face.ui == "full"
    assert set(face.hide) <= {"field"}


def test_a_page_opens_as_the_preset_at_its_controls_says() -> None:
    start, _, _ = opened("long_range_percolation", "")
    view = next(preset.view for preset in start.model.presets if type(start.model).preset(preset.name) == start.model)
    assert (start.series, start.function) == (view.series, view.function) == ("exponent", "growth")
    assert opened("long_range_percolation", "series=resistance")[0].series == "resistance"
    assert opened("long_range_percolation", "beta=0.7")[0].series is None


def test_a_control_of_the_same_name_is_not_lost() -> None:
    key, word = next((key, word) for key in places() for word in ("lock", "task") if word in entry(key).controls)
    kind = system(key)
    last = kind.control(word).options[-1]
    start, face, notices = opened(key, f"{word}={last}&lock={word}&page_task=1")
    assert not notices
    assert (getattr(start.model, word), face.task, face.lock) == (last, 0, (word,))
    assert face.to_query(kind) == f"page_task=1&lock={word}"


def prepared(words: str) -> FakePage:
    start, face, notices = opened("curie_weiss", words)
    return FakePage(start=start, face=face, notices=notices)


MOVES: list[dict[str, Any]] = [
    {"type_": "control", "name": "temperature", "value": 1.2},
    {"type_": "marker", "x": 0.3, "y": 1.2},
    {"type_": "preset", "name": "paramagnet"},
    {"type_": "go", "query": "temperature=1.2&field=0.3"},
    {"type_": "task", "index": 0},
    {"type_": "reference", "index": 1},
    {"type_": "reset"},
    {"type_": "undo"},
]


@pytest.mark.parametrize("how", ["lock", "hide"])
def test_nothing_moves_what_is_held(how: str) -> None:
    page = prepared(f"temperature=0.45&coupling=1.1&{how}=temperature,coupling")
    try:
        for move in MOVES:
            page.tell(**move)
            model = page.desk.session.current.model
            assert (model.temperature, model.coupling) == (0.45, 1.1), move
        page.tell("marker", x=0.3, y=1.2)
        assert page.desk.session.current.model.field == 0.3, "what is free moves"
        page.tell("control", name="temperature", value=1.2)
        assert "temperature is locked" in page.last("notice")["text"]  # type: ignore[index]
        state = page.last("state")
        assert state is not None
        assert state["locked"] == ["temperature", "coupling"]
        assert ("temperature" in state["absent"]["control"]) == (how == "hide")
        assert "paramagnet" in state["absent"]["preset"]
    finally:
        page.desk.close()


def test_what_a_link_hides_stays_hidden_wherever_one_goes_until_it_is_revealed() -> None:
    page = prepared("ui=teach&veil=theory,simulation&temperature=0.5")
    try:
        page.until(lambda: not page.desk.jobs.busy("point"))
        assert page.last("asking") == {"type": "asking", "index": -1, "hidden": ["simulation", "theory"]}
        curve = page.desk.panel("curve").drawing.figure

        def visible() -> set[bool]:
            return {curve.part(name)["visible"] for name in ("theory", "points", "live", "loop")}

        for step in ({"type_": "preset", "name": "paramagnet"}, {"type_": "reset"}, {"type_": "task", "index": 0}):
            page.tell(**step)
            assert visible() == {False}
        page.tell("reset")
        assert page.desk.session.current.model.temperature == 0.5, "home is where the link leads"
        run = page.desk.run
        assert run is not None
        refused: list[dict[str, Any]] = [
            {"type_": "play", "on": True}, {"type_": "step"}, {"type_": "simulate", "panel": "curve", "on": True},
            {"type_": "export", "what": "diagram.csv"}, {"type_": "export", "what": "state.png"},
        ]  # fmt: skip
        for one in refused:
            told = len(page.heard)
            page.tell(**one)
            assert "predict" in next(m["text"] for m in page.heard[told:] if m["type"] == "notice"), one
        assert not run.playing
        assert not page.last("sentence")
        checks = page.until(lambda: [m for m in page.heard if m["type"] == "check"])
        assert all(m["value"] in ("hidden", "task 1") for m in checks)
        page.tell("skip")
        assert page.last("asking") == {"type": "asking", "index": -1, "hidden": []}
        assert visible() == {True}
        page.until(lambda: page.last("sentence"))
    finally:
        page.desk.close()


def travelled(page: FakePage) -> dict[tuple[str, str], int]:
    """How many numbers each layer of each figure has sent, by figure and source, since this was asked last."""
    found = {}
    for panel in page.desk.panels:
        for source, name, columns in panel.drawing.figure.take().changes:
            if name == "data":
                found[panel.name, source] = sum(np.size(one) for column in columns.values() for one in column)
    return found


def test_what_is_veiled_does_not_leave_the_server() -> None:
    page = prepared("ui=teach&veil=theory,simulation&temperature=0.5&size=300")
    try:
        page.until(lambda: page.desk.frame and page.desk.panel("curve").columns)
        page.until(lambda: page.desk.panel("diagram").latest is not None)
        page.desk._rest()
        page.until(lambda: len(page.desk.ensembles.points) > 1)
        sent = travelled(page)
        hidden = {
            (panel.name, panel.drawing.figure.id(f"{layer}.source"))
            for panel in page.desk.panels if panel.name != "state"
            for layer in (*panel.drawing.told, *panel.drawing.ran)
        }  # fmt: skip
        assert not any(sent.get(layer) for layer in hidden)
        assert any(sent.values()), "but the marker is where it is"
        assert not [panel for panel, _ in sent if panel == "state"], "no picture of the run"
        assert not [m for m in page.heard if m["type"] in ("sentence", "picture") or m.get("key")]
        assert {m["reading"] for m in page.heard if m["type"] == "run"} <= {""}
        page.tell("pane", name="Data")
        assert [m for m in page.heard if m["type"] == "table"]
        assert not [m for m in page.heard if m["type"] == "table" and m["rows"]]
        page.tell("skip")
        sent = travelled(page)
        for figure, layer in (("diagram", "colour"), ("curve", "theory"), ("curve", "points"), ("trace", "trace")):
            assert sent[figure, page.desk.panel(figure).drawing.figure.id(f"{layer}.source")], (figure, layer)
        assert [panel for panel, _ in sent if panel == "state"]
        page.until(lambda: page.last("sentence"))
    finally:
        page.desk.close()


def test_who_has_answered_sees_what_the_class_guesses() -> None:
    words = "ui=teach&task=1&veil=theory&class="
    first, second, other = (prepared(words + group) for group in ("quiet", "quiet", "else"))
    try:
        first.tell("reveal", index=0, guess=0.18, who="a")
        first.until(lambda: first.last("guesses"))
        assert first.last("guesses")["text"] == "The class has made 1 guess, 1 of them right."  # type: ignore[index]
        assert not second.last("guesses"), "nobody sees them before"
        second.tell("reveal", index=0, guess=0.9, who="b")
        second.until(lambda: second.last("guesses"))
        for page in (first, second):
            assert page.last("guesses")["guesses"] == [0.18, 0.9]  # type: ignore[index]
        second.tell("reveal", index=0, guess=0.185, who="b")
        second.until(lambda: len([m for m in second.heard if m["type"] == "answer"]) == 2)
        assert second.last("guesses")["guesses"] == [0.18, 0.9], "the first guess counts"  # type: ignore[index]
        other.tell("skip")
        assert other.last("guesses")["guesses"] == []  # type: ignore[index]
        second.desk.close()
        told = len(second.heard)
        first.tell("reveal", index=0, guess=0.5, who="c")
        first.until(lambda: len(first.last("guesses")["guesses"]) == 3)  # type: ignore[index]
        assert len(second.heard) == told
    finally:
        for page in (first, second, other):
            page.desk.close()


def test_a_class_is_bounded_and_old_ones_are_forgotten() -> None:
    made = Guesses()
    for k in range(MOST_GUESSES + 5):
        made.make(Asked("a", "s", 0), str(k), Guess(1.0, True))
    assert len(made.of(Asked("a", "s", 0))) == MOST_GUESSES
    for k in range(MOST_TASKS):
        made.make(Asked("b", "s", k), "me", Guess(1.0, True))
    assert not made.of(Asked("a", "s", 0))


def test_the_task_of_a_link_is_answered_before_anything_is_shown() -> None:
    page = prepared("task=1&veil=simulation")
    try:
        page.tell("preset", name="paramagnet")
        assert page.last("asking") == {"type": "asking", "index": 0, "hidden": ["simulation", "theory"]}
        page.tell("reveal", index=0, guess=0.185)
        page.until(lambda: page.last("answer"))
        assert page.last("asking") == {"type": "asking", "index": -1, "hidden": []}
    finally:
        page.desk.close()
