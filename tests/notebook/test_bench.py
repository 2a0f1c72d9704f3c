"""The workbench of a notebook without a browser: the test says what the page would say, and looks at the widgets."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any

import ipywidgets as widgets
import numpy as np
import pytest
import xarray as xr
from bokeh.events import Tap
from bokeh.plotting import figure
from cases import each_system

import mfexplore as mf
from mfexplore import notebook
from mfexplore.core import Model
from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.notebook.canvas import Canvas
from mfexplore.notebook.page import NotebookPage
from mfexplore.study.export import csv
from mfexplore.workbench import messages
from mfexplore.workbench.exploration import Exploration


class Browser:
    """A page in front of a workbench: it says hello, and paints whatever it is sent."""

    def __init__(self, model: Any, first: tuple[str, ...] = ()) -> None:
        self.loop = asyncio.new_event_loop()
        self.page = NotebookPage(Exploration.of(model), self.loop, first=first)

    @property
    def desk(self) -> Any:
        return self.page.desk

    def says(
        self, view: str = "a", missing: str = "", theme: str = "light", steps: tuple[int, int] = (0, 0),
        visible: bool = True,
    ) -> None:  # fmt: skip
        message = {"view": view, "missing": missing, "theme": theme, "steps": steps, "visible": visible}
        self._said, self._when = json.dumps(message), time.monotonic()
        self.page._frontend.hear(self._said)
        self.run(0.05)

    def run(self, seconds: float) -> None:
        self.loop.run_until_complete(asyncio.sleep(seconds))

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if time.monotonic() - self._when > 5:  # as the script of a page does
                self._when = time.monotonic()
                self.page._frontend.hear(self._said)
            self.run(0.02)
            found = condition()
            if found:
                return found
        raise AssertionError("waited in vain")

    def close(self) -> None:
        self.page.close()
        self.run(0.1)
        self.loop.close()


@pytest.fixture
def browser() -> Iterator[Browser]:
    made = Browser(mf.system("curie_weiss")(temperature=0.6, size=500))
    yield made
    made.close()


@pytest.fixture
def shown(browser: Browser) -> Browser:
    browser.says()
    browser.until(lambda: "Bistable" in browser.page.bench.sentence.value)
    return browser


def test_nothing_runs_before_somebody_looks(browser: Browser) -> None:
    before = threading.active_count()
    browser.run(0.3)
    assert threading.active_count() == before
    assert not browser.page.canvases


def test_scripts_are_sent_once_and_only_if_missing(browser: Browser) -> None:
    scripts = browser.page._frontend._scripts
    browser.says(missing="mathematics")
    part = scripts.outputs[0]["data"]["text/html"]
    browser.says(missing="all")
    whole = scripts.outputs[0]["data"]["text/html"]
    assert len(whole) > len(part) > 1_000_000
    assert "http://cdn" not in whole
    assert not browser.page.canvases
    browser.says()
    assert scripts.outputs == ()  # nothing of it stays in the notebook
    browser.until(lambda: set(browser.page.canvases) == {panel.name for panel in browser.desk.panels})


def test_slider_moves_marker_text_and_code(shown: Browser) -> None:
    shown.page.bench.controls["temperature"].slider.value = 1.2
    shown.until(lambda: "One state" in shown.page.bench.sentence.value)
    shown.until(lambda: "temperature=1.2" in shown.page.bench.snippets["python"].value)
    assert shown.desk.session.current.model.temperature == 1.2
    assert not shown.page.bench.undo.disabled
    shown.page.bench.undo.click()
    shown.until(lambda: shown.page.bench.controls["temperature"].slider.value == 0.6)


def test_a_bad_value_is_explained_and_taken_back(shown: Browser) -> None:
    box = shown.page.bench.controls["temperature"].box
    box.value = "-3"
    notice = shown.until(lambda: shown.page.bench.notices.children)[0]
    assert "temperature = -3" in notice.children[0].value
    assert box.value == "0.6"
    notice.children[1].click()
    shown.until(lambda: not shown.page.bench.notices.children)


def test_click_and_arrow_keys_move_the_marker(shown: Browser) -> None:
    plane = shown.page.mirrors["diagram"].plot
    plane.document.callbacks.trigger_event(Tap(plane, x=0.3, y=0.45))
    shown.until(lambda: shown.page.bench.controls["field"].box.value == "0.3")
    shown.says(steps=(2, -10))
    declared = shown.desk.kind.control("temperature")
    shown.until(lambda: shown.desk.session.current.model.temperature == pytest.approx(0.45 - 10 * declared.step))
    shown.says(steps=(2, -10))  # the same again is no step
    assert shown.desk.session.current.model.temperature == pytest.approx(0.45 - 10 * declared.step)


def test_axes_and_abscissa(shown: Browser) -> None:
    assert shown.page.bench.along.value == shown.desk.session.current.along
    assert not shown.desk.session.can_undo  # building the page is no change
    other = "x" if shown.page.bench.along.value == "y" else "y"
    shown.page.bench.along.value = other
    shown.until(lambda: shown.desk.session.current.along == other)
    shown.page.bench.menus["colour"].widget.value = "energy"
    shown.until(lambda: "Energy" in shown.page.bench.sentence.value)


def test_nothing_runs_for_a_page_that_was_closed(shown: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfexplore.notebook.page.GONE_MS", 200)
    shown.says()
    shown.page.bench.play.click()
    shown.until(lambda: shown.desk.frame.time > 0)
    shown.run(0.8)
    at = shown.desk.frame.time
    shown.run(0.4)
    assert shown.desk.frame.time == at
    shown.says()
    shown.run(0.1)
    assert shown.desk.jobs.person.visible
    shown.says(visible=False)
    assert not shown.desk.jobs.person.visible
    monkeypatch.undo()
    shown.says()
    shown.until(lambda: shown.desk.frame.time > at)


def test_run_plays_pauses_and_follows_series(shown: Browser) -> None:
    shown.until(lambda: shown.page.bench.choices["trace"].widget.value)  # the first frame has come
    shown.page.bench.play.click()
    shown.until(lambda: shown.desk.frame.time > 5)
    shown.until(lambda: shown.page.bench.play.icon == "pause")
    shown.page.bench.choices["trace"].widget.value = "energy"
    shown.until(lambda: shown.desk.panel("trace").chosen == "energy")
    shown.page.bench.play.click()
    shown.until(lambda: shown.page.bench.play.icon == "play")


def test_theme_reaches_the_figures(shown: Browser) -> None:
    shown.says(theme="dark")
    shown.until(lambda: shown.desk.theme.name == "dark")


def test_preset_pin_and_reset(shown: Browser) -> None:
    shown.page.hear(messages.Preset("paramagnet"))
    shown.page.hear(messages.Pin())
    shown.until(lambda: shown.page.bench.pins.children)
    name, _, remove = shown.page.bench.pins.children[0].children
    name.value = "cold"
    shown.until(lambda: [pin.title for pin in shown.desk.session.current.pins] == ["cold"])
    remove.click()
    shown.until(lambda: not shown.page.bench.pins.children)


def test_export_is_a_link_that_carries_the_file(shown: Browser) -> None:
    shown.page.hear(messages.Export("notebook.ipynb"))
    link = shown.until(lambda: shown.page.bench.download.value)
    assert 'download="curie_weiss-notebook.ipynb"' in link
    assert "base64," in link


def test_a_file_leads_back_to_where_it_was_made(shown: Browser) -> None:
    bench = shown.page.bench

    def put(content: bytes, name: str = "a file") -> None:
        when = datetime.now(UTC)
        one = {
            "name": name,
            "type": "",
            "size": len(content),
            "content": memoryview(content),
            "last_modified": when,
        }
        bench.file.value = [one]

    there = Exploration.of(mf.system("curie_weiss")(temperature=1.1, size=500), colour="energy")
    elsewhere = Exploration.of(mf.system("kuramoto")())
    for content, told in ((b"nothing", "does not say"), (elsewhere.to_json().encode(), "another system, kuramoto")):
        put(content)
        shown.until(lambda told=told: any(told in note.children[0].value for note in bench.notices.children))
    put(there.to_json().encode())
    shown.until(lambda: shown.desk.session.current == there)
    assert bench.file.value == ()
    sweep = mf.sweep("curie_weiss", {"temperature": [0.9, 1.1]}, samples=2, progress=False, size=50)
    put(csv(sweep).encode(), "mine.csv")
    shown.until(lambda: "mine.csv: 2 points in this plane" in bench.asked["sweep"][1].value)
    bench.asked["sweep"][0].click()
    shown.until(lambda: not shown.desk.panel("diagram").dots.x.size)


def test_task_keeps_the_first_guess(shown: Browser) -> None:
    card = shown.page.bench.tasks[0]
    card.button.click()
    assert "Predict first" in card.said.value
    for guess in ("0.5", "-0,19"):
        card.box.value = guess
        card.button.click()
        shown.until(lambda guess=guess: guess.replace(",", ".") in card.said.value)
    assert card.guess == 0.5


def test_table_and_checks(shown: Browser) -> None:
    shown.page.bench.tab.value = "Data"
    shown.until(lambda: "simulation" in shown.page.bench.table.value)
    shown.until(lambda: all("digits" in words.value for words, _ in shown.page.bench.checks))


def test_a_run_is_carried_up_and_down_when_somebody_asks(shown: Browser) -> None:
    shown.page.bench.along.value = "x"
    (button, words), layers = shown.page.bench.asked["curve"], shown.desk.panel("curve").drawing.layers
    shown.until(lambda: button.description == "Carry up and down" and "field" in button.tooltip)
    button.click()
    shown.until(lambda: button.description == "Stop" and "%" in words.value)
    shown.until(lambda: button.description == "Clear")
    assert len(layers["arrows"].columns["x"]) == 66
    button.click()
    shown.until(lambda: button.description == "Carry up and down")
    assert not len(layers["arrows"].columns["x"])
    button, words = shown.page.bench.asked["average"]
    button.click()
    shown.until(lambda: "from 64 samples" in words.value)
    sweep = shown.page.bench.sweep
    sweep.click()
    shown.until(lambda: sweep.description == "Stop" and shown.desk.session.current.model.temperature != 0.6)
    sweep.click()
    shown.until(lambda: sweep.description == "Sweep")


def test_a_reference_leads_to_its_point(shown: Browser) -> None:
    bench = shown.page.bench
    bench.tab.value = "About"
    shown.desk.session.set_controls(temperature=1.4)
    bench.checks[0][1].click()
    shown.until(lambda: shown.desk.session.current.model.temperature == 0.5)
    assert bench.tab.value == "Explore"


def test_page_loaded_again_gets_the_present_state(shown: Browser) -> None:
    shown.page.bench.controls["temperature"].slider.value = 0.9
    shown.until(lambda: shown.desk.session.current.model.temperature == 0.9)
    old = dict(shown.page.canvases)
    shown.says(view="b")
    assert all(shown.page.canvases[name] is not old[name] for name in old)
    assert all(canvas.comm is None for canvas in old.values())
    docs = shown.page.canvases["diagram"].render_bundle["docs_json"]
    assert "0.9" in json.dumps(docs, default=str)


def test_closing_ends_what_runs(shown: Browser) -> None:
    shown.page.bench.play.click()
    shown.until(lambda: shown.desk.run.playing)
    shown.page.widget.close()
    thread = shown.desk.run._thread
    thread.join(5)
    assert not thread.is_alive()
    shown.page.say(messages.Sentence("late", "", "", True))  # and late words do no harm


@each_system()
def test_every_system_has_a_bench(system: type[Model]) -> None:
    loop = asyncio.new_event_loop()
    page = NotebookPage(Exploration.of(system()), loop)
    assert set(page.bench.controls) == set(system.controls())
    assert page.widget._dom_classes[0] == "mfexplore"
    loop.close()


# -- canvas -----------------------------------------------------------------------------------------------------------


class Clock:
    """Appointments that the test keeps by hand."""

    def __init__(self) -> None:
        self.due: list[tuple[int, Callable[[], None]]] = []

    def __call__(self, milliseconds: int, work: Callable[[], None]) -> None:
        self.due.append((milliseconds, work))

    def strike(self, longest: int) -> None:
        now = [work for milliseconds, work in self.due if milliseconds <= longest]
        self.due = [one for one in self.due if one[0] > longest]
        for work in now:
            work()


def test_changes_wait_for_the_browser_and_go_out_together(monkeypatch: pytest.MonkeyPatch) -> None:
    sent: list[Any] = []
    monkeypatch.setattr(Canvas, "send", lambda self, content, buffers=None: sent.append(content["payload"]))
    drawn, clock = figure(), Clock()
    line = drawn.line([0.0, 1.0], [0.0, 1.0])
    canvas = Canvas(drawn, clock)

    def change(top: float) -> None:
        line.data_source.data = {"x": np.arange(2.0), "y": np.array([0.0, top])}

    def answer(number: int) -> None:
        echo = drawn.js_property_callbacks["change:tags"][0].args["echo"]
        content = {"kind": "ModelChanged", "model": echo.ref, "attr": "tags", "new": [number], "event": "jsevent"}
        canvas._sync_model(canvas, content, [])

    change(1.0)
    clock.strike(100)
    assert not sent  # nobody has painted it yet
    canvas._sync_model(canvas, {"event": "something"}, [])
    clock.strike(0)
    assert len(sent) == 3  # header, metadata, content
    change(2.0)
    change(3.0)
    clock.strike(100)
    assert len(sent) == 3  # the browser has not answered
    answer(1)
    clock.strike(100)
    assert len(sent) == 6
    events = json.loads(sent[-1])["events"]
    assert [event["attr"] for event in events] == ["data", "tags"]  # only the newest
    change(4.0)
    clock.strike(2000)  # a page in the background never answers
    assert len(sent) == 9
    canvas.close()


def test_a_late_repetition_of_old_data_does_not_undo_newer_data() -> None:
    drawn = figure()
    source = drawn.line([0.0], [0.5]).data_source
    canvas = Canvas(drawn, Clock())
    source.data = {"x": [0.0], "y": [0.7]}
    old = {"type": "map", "entries": [["x", [0.0]], ["y", [0.5]]]}
    content = {"kind": "ModelChanged", "model": source.ref, "attr": "data", "new": old, "event": "jsevent"}
    canvas._sync_model(canvas, content, [])
    assert source.data["y"] == [0.7]
    canvas.close()


# -- explore, predict, check ------------------------------------------------------------------------------------------


def test_explore_needs_a_notebook() -> None:
    with pytest.raises(MfexploreError, match=r"mf\.serve"):
        mf.system("curie_weiss")().explore()


def test_a_sweep_is_laid_over_the_diagram(monkeypatch: pytest.MonkeyPatch) -> None:
    model = mf.system("curie_weiss")(size=50)
    sweep = mf.sweep(model, {"temperature": [0.5, 1.0], "field": [0.1, 0.4]}, samples=1, progress=False)

    async def cell() -> NotebookPage:
        with pytest.raises(MfexploreError, match="not of hopfield"):
            mf.system("hopfield")().explore(measured=sweep)
        return model.explore(measured=sweep).page

    page = asyncio.run(cell())
    assert page._sweep is sweep
    page.close()


def test_explore_checks_its_view_and_replaces_the_workbenches_of_its_cell(monkeypatch: pytest.MonkeyPatch) -> None:
    runs = iter(["first", "first", "second"])
    monkeypatch.setattr(notebook, "_this_cell", lambda: ("cell", next(runs)))
    model = mf.system("curie_weiss")()

    async def three() -> list[Any]:
        with pytest.raises(UnknownNameError):
            model.explore(colour="nonsense")
        both = [model.explore(), model.explore(seed=3)]
        assert all(one.comm is not None for one in both), "two in one cell live side by side"
        widgets.VBox(both)
        return [*both, model.explore(seed=4)]

    first, second, third = asyncio.run(three())
    assert first.comm is None
    assert second.comm is None
    assert third.comm is not None
    assert third.page.start.seed == 4
    assert "curie" in third._repr_mimebundle_()["text/plain"].lower().replace("-", "")
    third.close()


def test_predict() -> None:
    made = notebook.predict(mf.system("hopfield"), 1)
    made.card.box.value = "0.14"
    made.card.button.click()
    assert "Right" in made.card.said.value
    assert made.card.guess == 0.14
    with pytest.raises(IndexError):
        notebook.predict(mf.system("hopfield"), 99)


def test_check() -> None:
    asked: list[int] = []

    def truth() -> float:
        asked.append(1)
        return 2.0

    exercise = notebook.Exercise(truth, 0.1, hint="Think of $x^2$.", solution="Two.")
    nothing = notebook.check(exercise, None)
    assert not nothing
    assert not asked  # the answer is not computed before it is needed
    right = notebook.check(exercise, 2.05)
    assert right
    assert "Two." in right._repr_html_()
    for wrong in (notebook.check(exercise, 3), notebook.check(exercise, 3), notebook.check(exercise, 4)):
        assert not wrong
        assert "2.0" not in repr(wrong)
        assert "<math" in wrong._repr_html_()
        assert "Two." not in wrong._repr_html_()  # the same number again is no other try
    assert "Two." in notebook.check(exercise, 5)._repr_html_()


TWO = [2, "2.05", " 2,05 ", (2.0,), [[2]], np.array([2.0]), np.float32(1.95), xr.DataArray(2.0), Fraction(2), 2 + 0j]
NO_NUMBER = ["two", "", (2, 5), [], np.nan, np.array([2.0, 2.0]), 2 + 1j, {}, len]


def visible(browser: Browser) -> list[str]:
    return [name for name, one in browser.page.bench.controls.items() if one.widget.layout.display is None]


def test_a_few_controls_at_first_and_the_others_by_one_click() -> None:
    browser = Browser(mf.system("curie_weiss")())
    bench = browser.page.bench
    try:
        assert visible(browser) == ["temperature", "field", "coupling"]
        browser.says()
        browser.until(lambda: bench.every.description == "All 7 controls")
        assert visible(browser) == ["temperature", "field", "coupling"]
        browser.page.hear(messages.Control("size", 300))
        browser.until(lambda: bench.every.description == "All 7 controls (1 changed)")
        bench.every.click()
        assert "size" in visible(browser)
        assert bench.every.description == "Fewer controls"
    finally:
        browser.close()


def test_a_lesson_says_which_controls_come_first() -> None:
    browser = Browser(mf.system("curie_weiss")(), ("temperature", "size"))
    try:
        assert visible(browser) == ["temperature", "size"]
    finally:
        browser.close()


@pytest.mark.parametrize(("answers", "right"), [(TWO, True), (NO_NUMBER, None), ([1.8, "2,2", -2.0], False)])
def test_check_takes_one_number_in_whatever_holds_it(answers: list[object], right: bool | None) -> None:
    exercise = notebook.Exercise(lambda: 2.0, 0.1, hint="", solution="")
    assert [notebook.check(exercise, answer).right for answer in answers] == [right] * len(answers)


@pytest.mark.parametrize("name", ["order_from_many.nothing", "nothing.nothing", "nothing", ""])
def test_check_says_what_there_is(name: str) -> None:
    with pytest.raises(UnknownNameError):
        notebook.check(name, 1)


def test_a_heading_goes_with_the_last_control_under_it() -> None:
    browser = Browser(mf.system("phi4_field")())
    try:
        browser.says()
        browser.page.bench.every.click()
        shown = {heading.value: heading.layout.display for heading, _ in browser.page.bench.headings}
        assert shown["<h3>Data and time</h3>"] == "none"
        assert shown["<h3>Setting</h3>"] is None
        browser.page.hear(messages.Control("task", "image"))
        data = next(heading for heading, names in browser.page.bench.headings if "digit" in names)
        browser.until(lambda: data.layout.display is None)
    finally:
        browser.close()
