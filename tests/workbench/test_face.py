"""What a link holds, hides and asks, and that the desk keeps to it whatever a page says."""

from __future__ import annotations

from typing import Any

import pytest
from test_desk import FakePage

from mfexplore.core import system
from mfexplore.core.catalogue import entry, places
from mfexplore.workbench.face import FULL, Face, opened


def test_a_link_of_a_class_is_read_and_written() -> None:
    words = "ui=teach&task=1&veil=theory,simulation&lock=coupling&hide=size&theme=dark"
    start, face, notices = opened("curie_weiss", f"{words}&field=0.1")
    assert not notices
    assert face == Face("teach", 0, ("theory", "simulation"), ("coupling",), ("size",), "dark")
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
    ("unheard=1", "no control 'unheard'"),
])  # fmt: skip
def test_what_is_unknown_in_a_link_is_told_in_a_sentence(query: str, told: str) -> None:
    _, face, notices = opened("curie_weiss", query)
    assert len(notices) == 1
    assert told in notices[0]
    assert face.ui == "full"
    assert set(face.hide) <= {"field"}


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
