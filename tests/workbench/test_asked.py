"""What a panel simulates only if somebody asks for it: a run carried up and down, and a plane that is measured."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from test_desk import FakePage

import mfexplore as mf
from mfexplore.core import Crossing, Reference, Value
from mfexplore.figures.style import LIGHT
from mfexplore.study import export
from mfexplore.study.answers import answers
from mfexplore.workbench import views
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.panels import draw

CurieWeiss = mf.system("curie_weiss")
START = Exploration.of(CurieWeiss(temperature=0.6, size=60), seed=4, along="x")


@pytest.fixture
def page() -> Iterator[FakePage]:
    made = FakePage(start=START)
    made.until(lambda: made.desk.frame)
    yield made
    made.desk.close()


def button(page: FakePage, panel: str) -> dict[str, Any]:
    return next(m for m in reversed(page.heard) if m["type"] == "simulating" and m["panel"] == panel)


def loop(page: FakePage) -> dict[str, Any]:
    return page.desk.panel("curve").drawing.layers["arrows"].columns


def dots(page: FakePage) -> dict[str, Any]:
    return page.desk.panel("diagram").drawing.layers["measured"].columns


def test_nothing_starts_unasked(page: FakePage) -> None:
    assert button(page, "curve")["label"] == "Carry up and down"
    assert "field" in button(page, "curve")["tip"]
    assert button(page, "diagram")["label"] == "Measure"
    page.desk._rest()
    page.until(lambda: not page.desk.jobs.busy("ensemble"))
    assert not len(loop(page).get("x", ()))
    assert not len(dots(page).get("x", ()))


def test_a_run_is_carried_up_and_down_and_drawn_with_its_direction(page: FakePage) -> None:
    page.tell("simulate", panel="curve", on=True)
    assert button(page, "curve")["label"] == "Stop"
    page.until(lambda: 0 < len(loop(page).get("x", ())) < 66)
    page.until(lambda: button(page, "curve")["label"] == "Clear")
    there = loop(page)
    assert len(there["x"]) == 66
    up, down = np.split(there["x"], 2)
    assert (np.diff(up) > 0).all()
    assert (np.diff(down) < 0).all()
    assert set(there["angle"][:33]) == {np.float32(-np.pi / 2)}
    assert set(there["angle"][33:]) == {np.float32(np.pi / 2)}
    expected = CurieWeiss(temperature=0.6, size=60).hysteresis("field", up.astype(float), seed=4)
    np.testing.assert_allclose(there["y"][:33], expected["magnetization"].sel(direction="up"), atol=1e-6)
    np.testing.assert_allclose(there["y"][33:][::-1], expected["magnetization"].sel(direction="down"), atol=1e-6)
    assert "loop" in page.desk.panel("curve").drawn
    page.tell("export", what="hysteresis.csv")
    page.until(lambda: page.files)
    page.tell("simulate", panel="curve", on=False)
    assert not len(loop(page)["x"])
    assert button(page, "curve")["label"] == "Carry up and down"


def test_it_stays_while_the_marker_moves_along_and_goes_with_other_controls(page: FakePage) -> None:
    page.tell("simulate", panel="curve", on=True)
    page.until(lambda: button(page, "curve")["label"] == "Clear")
    page.tell("control", name="field", value=0.3)
    assert len(loop(page)["x"]) == 66
    page.tell("view", name="colour", value="energy")
    page.until(lambda: len(loop(page)["x"]) == 66)
    page.tell("control", name="temperature", value=0.8)
    assert not len(loop(page)["x"])
    assert button(page, "curve")["label"] == "Carry up and down"


def test_what_is_stopped_stays_as_it_is(page: FakePage) -> None:
    page.tell("simulate", panel="diagram", on=True)
    page.until(lambda: len(dots(page).get("x", ())) > 3)
    page.tell("simulate", panel="diagram", on=False)
    count = len(dots(page)["x"])
    page.until(lambda: not page.desk.jobs.busy("asked-diagram"))
    assert len(dots(page)["x"]) == count < 81
    assert button(page, "diagram")["label"] == "Clear"


def test_a_plane_is_measured_coarse_to_fine_in_the_colours_of_the_theory(page: FakePage) -> None:
    page.tell("simulate", panel="diagram", on=True)
    page.until(lambda: button(page, "diagram")["label"] == "Clear", 120)
    there = dots(page)
    assert len(there["x"]) == 81
    first = np.column_stack([there["x"], there["y"]])[:9]
    assert np.ptp(first[:, 0]) == pytest.approx(np.ptp(there["x"]))
    x, y = float(there["x"][0]), float(there["y"][0])
    expected = CurieWeiss(field=x, temperature=y, size=60).ensemble(samples=views.PLANE_SAMPLES, seed=4)
    assert there["value"][0] == pytest.approx(float(expected["magnetization"]), abs=1e-5)
    assert "measured" in page.desk.panel("diagram").drawn
    page.tell("control", name="coupling", value=0.9)
    assert not len(dots(page)["x"])


def test_what_no_run_follows_or_measures_is_not_offered(page: FakePage) -> None:
    page.tell("view", name="colour", value="free_energy")
    assert button(page, "curve")["label"] == button(page, "diagram")["label"] == ""
    page.tell("simulate", panel="curve", on=True)
    assert not page.desk.jobs.busy("asked-curve")


@pytest.fixture(scope="module")
def table() -> str:
    sweep = mf.sweep(
        "curie_weiss", {"temperature": [0.5, 1.0, 1.5], "coupling": [0.8, 1.2]}, samples=2, progress=False, size=50,
        field=0.1,
    )  # fmt: skip
    return export.csv(sweep)


def laid(page: FakePage) -> tuple[str, str]:
    said = button(page, "sweep")
    return said["label"], said["text"]


def test_the_file_of_a_sweep_is_laid_over_a_plane_of_it_and_taken_away(page: FakePage, table: str) -> None:
    assert laid(page) == ("", "")
    page.tell("lay", name="mine.csv", table=table)
    page.until(lambda: laid(page) == ("Clear", "mine.csv: 6 points in this plane"))
    at = page.desk.session.current
    assert (at.x, at.y, at.model.field) == ("temperature", "coupling", 0.1)
    there = dots(page)
    assert {(round(float(x), 3), round(float(y), 3)) for x, y in zip(there["x"], there["y"], strict=True)} == {
        (temperature, coupling) for temperature in (0.5, 1.0, 1.5) for coupling in (0.8, 1.2)
    }
    page.tell("control", name="field", value=0.2)
    assert laid(page) == ("Clear", "mine.csv: 0 points in this plane")
    page.tell("undo")
    assert len(dots(page)["x"]) == 6
    page.tell("lay")
    assert laid(page) == ("", "")
    assert not len(dots(page)["x"])


@pytest.mark.parametrize(
    ("pattern", "instead", "says"),
    [
        (r"(?s).*", "a,b\n1,2\n", "is no sweep"),
        (r"(?s)\ntemperature.*", "", "cannot be read as a table"),
        (r"system: .*", "system: hopfield", "a sweep of hopfield"),
        (r"controls: .*", "controls: {", "at which controls"),
        (r"controls: .*", 'controls: {"field": 1e9}', "field"),
        (r"\Z", "#" * 4_000_001, "characters"),
    ],
)
def test_what_is_no_sweep_is_refused_with_a_sentence(
    page: FakePage, table: str, pattern: str, instead: str, says: str
) -> None:
    page.tell("lay", name="mine.csv", table=re.sub(pattern, instead, table, count=1))
    page.until(lambda: any(m["type"] == "notice" for m in page.heard))
    assert says in page.last("notice")["text"]
    assert "could not be done" not in page.last("notice")["text"]


def averaged(page: FakePage) -> str:
    return str(button(page, "average")["text"])


def test_an_average_goes_on_until_so_many_samples(page: FakePage) -> None:
    assert (button(page, "average")["label"], averaged(page)) == ("Average here", "")
    page.tell("average", on=True, by="samples", value=24)
    assert button(page, "average")["label"] == "Stop"
    page.until(lambda: button(page, "average")["label"] == "Average here")
    ((x, found),) = page.desk.ensembles.points.items()
    expected = CurieWeiss(temperature=0.6, size=60).ensemble(samples=24, seed=4)
    assert x == 0
    assert found["magnetization"].samples == 24
    assert found["magnetization"].mean == pytest.approx(float(expected["magnetization"]), abs=1e-12)
    assert averaged(page).endswith("from 24 samples")
    assert len(page.desk.panel("curve").drawing.layers["points"].columns["x"]) == 1
    page.tell("control", name="field", value=0.2)
    assert averaged(page) == ""


def test_an_average_goes_on_until_its_error_is_small_enough(page: FakePage) -> None:
    page.tell("control", name="temperature", value=1.4)
    page.until(lambda: page.desk.frame.model.temperature == 1.4)
    page.tell("average", on=True, by="error", value=0.004)
    page.until(lambda: averaged(page) and button(page, "average")["label"] == "Average here")
    found = page.desk.ensembles.here(page.desk.session.current)["magnetization"]
    assert found.error <= 0.004
    assert 8 <= found.samples < 3000
    fewer = np.std(found.values[: found.samples // 2], ddof=1) / np.sqrt(found.samples // 2)
    assert fewer > 0.004, "half of them were not enough"
    again = FakePage(start=page.desk.session.current)
    again.until(lambda: again.desk.frame)
    again.tell("average", on=True, by="error", value=0.004)
    again.until(lambda: averaged(again) and button(again, "average")["label"] == "Average here")
    assert again.desk.ensembles.here(again.desk.session.current)["magnetization"].samples == found.samples
    again.desk.close()


def test_an_average_is_stopped_and_its_end_is_checked(page: FakePage) -> None:
    page.tell("average", on=True, by="error", value=1e-9)
    page.until(lambda: averaged(page))
    page.tell("average", on=False)
    assert button(page, "average")["label"] == "Average here"
    for bad in ({"by": "mood"}, {"by": "samples", "value": 1}, {"by": "error", "value": -1.0}):
        page.tell("average", on=True, **bad)
        assert button(page, "average")["label"] == "Average here", bad
        assert page.last("notice")


def test_a_control_sweeps_up_and_down_while_the_run_follows(page: FakePage) -> None:
    page.tell("sweep", name="field")
    sweep, run = page.desk.sweep, page.desk.run
    assert page.last("sweeping") == {
        "type": "sweeping",
        "name": "field",
        "value": page.desk.session.current.model.field,
    }
    assert run is not None
    assert run.playing
    seen = [0.0]
    while sweep.name:
        seen.append(page.desk.session.current.model.field)
        sweep._go_on()
    low, high = START.window("x")
    turns = [seen.index(high), seen.index(low)]
    assert 0 < turns[0] < turns[1] < len(seen)
    assert seen[-1] == 0
    for part, way in zip(np.split(np.array(seen), [turns[0] + 1, turns[1] + 1]), (1, -1, 1), strict=True):
        assert (way * np.diff(part) > 0).all()
    assert page.last("sweeping")["name"] == ""  # type: ignore[index]
    page.tell("undo")
    assert page.desk.session.current == START, "it was one gesture"


def test_a_sweep_ends_where_a_hand_moves_something_and_begins_only_with_what_a_run_follows(page: FakePage) -> None:
    for name in ("size", "nothing"):
        page.tell("sweep", name=name)
        assert not page.desk.sweep.name
        assert page.last("notice")
    page.tell("sweep", name="temperature")
    assert page.desk.sweep.name == "temperature"
    page.tell("view", name="colour", value="energy")
    assert page.desk.sweep.name == "temperature", "who only looks disturbs nothing"
    page.tell("control", name="field", value=0.1)
    assert not page.desk.sweep.name
    page.tell("sweep", name="temperature")
    page.tell("sweep", name="")
    assert not page.desk.sweep.name


def test_the_trail_of_the_run_shows_where_it_was_carried(page: FakePage) -> None:
    curve = page.desk.panel("curve")
    page.tell("play", on=True)
    for field in (0.0, 0.1, 0.2):
        page.tell("control", name="field", value=field)
        page.until(lambda field=field: page.desk.frame.model.field == field)
        after = page.desk.frame.time
        page.until(lambda after=after: page.desk.frame.time > after + 2)
    trail = curve.drawing.layers["trail"].columns["x"]
    assert sorted({round(float(x), 6) for x in trail}) == [0.0, 0.1, 0.2]
    assert (np.diff(trail) >= 0).all()


def test_a_sweep_is_laid_over_the_plane_in_which_it_lies() -> None:
    sweep = mf.sweep(
        "curie_weiss", {"temperature": [0.5, 1.0], "field": [0.1, 0.4]}, samples=2, progress=False, size=50
    )
    page = FakePage(start=START)
    page.desk.close()
    page.desk = Desk(START, draw(START, LIGHT), page, sweep=sweep)
    try:
        assert sorted(dots(page)["x"]) == pytest.approx([0.1, 0.1, 0.4, 0.4])
        page.tell("control", name="coupling", value=0.5)
        assert not len(dots(page)["x"])
        page.tell("control", name="coupling", value=1.0)
        page.tell("view", name="x", value="coupling")
        page.tell("control", name="field", value=0.1)
        assert list(dots(page)["x"]) == [1.0, 1.0]
    finally:
        page.desk.close()


def test_a_reference_leads_to_its_point_and_shows_its_quantity(page: FakePage) -> None:
    index = next(k for k, one in enumerate(CurieWeiss.references) if isinstance(one.of, Crossing))
    reference = CurieWeiss.references[index]
    page.tell("reference", index=index)
    at = page.desk.session.current
    assert at.along_control == reference.of.along
    assert getattr(at.model, at.along_control) == pytest.approx(reference.value)
    page.tell("undo")
    assert page.desk.session.current == START
    page.tell("reference", index=99)
    assert "reference" in page.last("notice")["text"]


def test_a_reference_does_not_tell_the_answer_of_a_task_before_that_is_revealed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    truth = CurieWeiss.tasks[0].truth(CurieWeiss)
    telling = Reference("the field at which it turns", round(truth, 4), 1e-3, "s", CurieWeiss.tasks[0].answer, {})
    telling = replace(telling, at=CurieWeiss.tasks[0].controls)
    other = Reference("the same number of something else", round(truth, 4), 1, "s", Value("magnetization"))
    monkeypatch.setattr(CurieWeiss, "references", (telling, other))
    answers.forget()
    page = FakePage(start=START)

    def told(index: int) -> str:
        return next(
            (m["computed"] for m in reversed(page.heard) if m["type"] == "check" and m["index"] == index), ""
        )  # fmt: skip

    try:
        page.until(lambda: told(1))
        assert told(0) == "task 1"
        assert told(1) != "task 1"
        assert f"{truth:.3f}" not in str([m for m in page.heard if m["type"] == "check" and m["index"] == 0])
        page.tell("reveal", index=0, guess=0.1)
        page.until(lambda: told(0) != "task 1")
        assert float(told(0)) == pytest.approx(truth, abs=1e-4)
    finally:
        page.desk.close()
        answers.forget()


def test_the_order_of_a_table_is_spread_from_the_beginning() -> None:
    cells = views._coarse_to_fine_in(9, 5)
    assert sorted(cells) == [(i, k) for i in range(9) for k in range(5)]
    assert set(cells[:4]) == {(0, 0), (8, 0), (0, 4), (8, 4)}
