"""The record of an exploration survives every form it takes."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.core.catalogue import places, system
from mfexplore.core.errors import UnknownNameError
from mfexplore.workbench.exploration import Exploration, Pinned
from mfexplore.workbench.notebook_file import as_notebook

every_system = pytest.mark.parametrize("key", places())


def anywhere(kind):
    """Any possible model of a system."""
    controls = {
        n: st.sampled_from(c.options)
        if c.is_choice
        else st.integers(int(c.low), int(c.high))
        if c.is_integer
        else st.floats(c.low, c.high)
        for n, c in kind.controls().items()
    }
    return st.builds(kind, **controls)


@every_system
@given(data=st.data())
def test_a_link_restores_exactly_what_it_was_made_from(key: str, data: st.DataObject) -> None:
    model = data.draw(anywhere(system(key)))
    made = Exploration.of(model, seed=data.draw(st.integers(0, 2**62)))
    if made.x:
        low, high = model.control(made.x).bounds
        made = made.with_view(x_window=(low + (high - low) / 3, low + (high - low) / 1.7), along="x")
        if data.draw(st.booleans()):
            made = made.with_view(x=made.y)  # which swaps the axes
    restored, notices = Exploration.from_query(key, made.to_query())
    assert restored == made
    assert notices == []


@every_system
def test_a_record_in_a_file_restores_the_view(key: str) -> None:
    made = Exploration.of(system(key)(), seed=5)
    assert Exploration.from_json(made.to_json()) == (made, [])


def test_a_bad_link_costs_only_its_bad_parts_and_says_so() -> None:
    query = "v=99&temperature=0.5&field=nan&size=many&colour=beauty&along=z&warp=9&x_window=3&seed=7"
    made, notices = Exploration.from_query("curie_weiss", query)
    assert made.model.temperature == 0.5
    assert made.model.field == 0.0
    assert made.seed == 7
    text = " ".join(notices)
    for word in ("version 99", "field", "size", "beauty", "'z'", "warp", "x_window"):
        assert word in text
    assert len(notices) == 7


def test_an_unknown_system_names_the_nearest() -> None:
    with pytest.raises(UnknownNameError, match="curie_weiss"):
        Exploration.from_query("curie_wiess", "")


@every_system
def test_the_lines_of_python_run(key: str) -> None:
    made = Exploration.of(system(key)())
    lines = made.as_python()
    scope: dict[str, object] = {}
    exec(lines.split("\n\n")[0] + "\n\n" + lines.split("\n\n")[1], scope)
    assert scope["model"] == made.model
    compile(lines, key, "exec")
    compile(made.as_sweep(), key, "exec")


def test_the_lines_of_python_draw_what_is_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    model = system("curie_weiss")(temperature=0.6, size=40)
    made = Exploration.of(model, x="temperature", y="field", along="x", colour="energy", x_window=(0.5, 0.8))
    scope: dict[str, Any] = {}
    shown = ("state", "trace", "landscape", "histogram")
    exec(made.as_python(shown), scope)
    assert scope["diagram"]["energy"].dims[:2] == ("field", "temperature")
    assert (scope["diagram"]["temperature"].min(), scope["diagram"]["temperature"].max()) == (0.5, 0.8)
    assert len(scope["points"]) == 13
    drawn = {path.name.removeprefix("curie_weiss-") for path in tmp_path.iterdir()}
    assert drawn == {f"{name}.png" for name in ("diagram", "curve", *shown)}


def test_the_lines_of_python_draw_functions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = Exploration.of(system("kuramoto")(size=100))
    first, *parts = made.as_python(("function",)).split("\n\n")
    needed = [part for part in parts if part.startswith(("model", "run"))]
    scope: dict[str, Any] = {}
    exec("\n".join([first, *needed, parts[-1]]), scope)
    assert [path.name for path in tmp_path.iterdir()] == ["kuramoto-function.png"]


def test_links_of_a_notebook_lead_to_the_page_it_was_made_on() -> None:
    made = Exploration.of(system("curie_weiss")(temperature=0.6))
    written = json.loads(as_notebook(made, "http://here:5006/curie_weiss"))
    assert written["metadata"]["mfexplore"]["link"].startswith("http://here:5006/curie_weiss?v=")
    assert "http://here:5006/curie_weiss?v=" in "".join(written["cells"][0]["source"])


def test_a_notebook_opens_on_the_whole_view() -> None:
    made = Exploration.of(system("hopfield")(load=0.1), seed=4).with_view(x="temperature")
    made = made.with_view(y_window=(0.05, 0.15), along="x", branch="spin_glass")
    made = replace(made, pins=(made.pinned("cold"), made.with_controls(load=0.05).pinned()))
    (cell,) = [cell for cell in json.loads(as_notebook(made))["cells"] if "explore(" in "".join(cell["source"])]
    call = "".join(cell["source"])
    seen: dict[str, Any] = {}
    spy = SimpleNamespace(explore=lambda **view: seen.update(view))
    exec(call, {"model": spy})
    pins = tuple(Pinned("pin", query).called(title) for title, query in seen.pop("pins"))
    assert Exploration.of(made.model, pins=pins, **seen) == made


def test_changing_an_axis_drops_the_zoom() -> None:
    made = Exploration.of(system("curie_weiss")(), x_window=(-0.1, 0.1))
    assert made.window("x") == (-0.1, 0.1)
    assert made.with_view(x="coupling").window("x") == (0.1, 2.0)
    assert np.allclose(made.with_view(along="x").window("x"), (-0.1, 0.1))


def test_choosing_the_control_of_the_other_axis_swaps_the_axes() -> None:
    start = Exploration.of(system("curie_weiss")(), along="y")
    for swapped in (start.with_view(x=start.y), start.with_view(y=start.x)):
        assert (swapped.x, swapped.y) == (start.y, start.x)
        assert swapped.along_control == start.along_control


@pytest.mark.parametrize(("query", "axes"), [
    ("x=temperature", ("temperature", "field")), ("y=field", ("temperature", "field")),
    ("x=coupling", ("coupling", "temperature")), ("y=temperature", ("field", "temperature")),
])  # fmt: skip
def test_one_axis_alone_in_a_link_changes_places_with_the_other(query: str, axes: tuple[str, str]) -> None:
    made, notices = Exploration.from_query("curie_weiss", query)
    assert not notices
    assert (made.x, made.y) == axes
    assert made.along_control == "temperature", "what the curve runs along is what it was"


def test_an_axis_against_itself_is_told() -> None:
    made, notices = Exploration.from_query("curie_weiss", "x=temperature&y=temperature")
    assert notices
    assert (made.x, made.y) != ("temperature", "temperature")


def test_a_zoom_stays_as_long_as_its_axes_do() -> None:
    at = Exploration.of(system("phi4_field")(), x_window=(-2.0, 0.15), y_window=(0.5, 1.0))
    assert at.with_controls(quartic=0.3).x_window == (-2.0, 0.15)
    elsewhere = at.with_controls(task="image")
    assert elsewhere.x != at.x
    assert elsewhere.x_window is None


@pytest.mark.parametrize("zoom", ["-1,2", "nan,1", "-inf,inf", "5,9", "1,1"])
def test_a_zoom_beyond_the_axis_is_refused_in_words(zoom: str) -> None:
    made, notices = Exploration.from_query("phi4_field", f"task=image&x_window={zoom}")
    assert made.x_window is None
    assert len(notices) == 1
    assert "x_window" in notices[0]


def test_an_empty_word_in_a_link_is_none() -> None:
    for word in ("series", "picture", "function", "law", "colour", "x"):
        restored, notices = Exploration.from_query("curie_weiss", f"{word}=")
        assert (restored, notices) == (Exploration.of(system("curie_weiss")()), [])
