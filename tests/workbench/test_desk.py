"""The desk behind a page, without a browser: messages in, exploration and figures follow."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mfexplore.core import Model, system
from mfexplore.core.catalogue import places
from mfexplore.figures.diagram import prepare
from mfexplore.figures.frame import Figure
from mfexplore.figures.movie import movie
from mfexplore.figures.style import LIGHT
from mfexplore.study.answers import answers
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.face import FULL, Face
from mfexplore.workbench.messages import Said
from mfexplore.workbench.panels import draw
from mfexplore.workbench.wire import written


class FakePage:
    """A page that remembers what it is told, and runs what is scheduled when it is asked to."""

    def __init__(
        self, query: str = "", start: Exploration | None = None, face: Face = FULL, notices: list[str] | None = None
    ) -> None:
        exploration, told = (start, notices or []) if start else Exploration.from_query("curie_weiss", query)
        self.heard: list[dict[str, Any]] = []
        self.files: list[File] = []
        self.drawn: set[str] = set()
        self._posted: deque[Callable[[], None]] = deque()
        self.desk = Desk(exploration, draw(exploration, LIGHT), self, told, face=face)

    def say(self, message: Said) -> None:
        self.heard.append(written(message))

    def changed(self, name: str, figure: Figure) -> None:
        self.drawn.add(name)

    def post(self, work: Callable[[], None]) -> None:
        self._posted.append(work)

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        return work

    def forget(self, appointment: Any) -> None:
        pass

    def give(self, file: File) -> None:
        self.files.append(file)

    def until(self, condition: Callable[[], Any], seconds: float = 60.0) -> Any:
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while self._posted:
                self._posted.popleft()()
            found = condition()
            if found:
                return found
            time.sleep(0.01)
        raise AssertionError("waited in vain")

    def tell(self, type_: str, **content: Any) -> None:
        self.desk.hear({"type": type_, **content})

    def last(self, type_: str) -> dict[str, Any] | None:
        return next((m for m in reversed(self.heard) if m["type"] == type_), None)


@pytest.fixture
def page() -> Iterator[FakePage]:
    made = FakePage()
    yield made
    made.desk.close()


def test_control_moves_marker(page: FakePage) -> None:
    page.tell("control", name="temperature", value=0.5)
    assert page.desk.session.current.model.temperature == 0.5
    marker = page.desk.panel("diagram").drawing.layers["marker"]
    assert page.until(lambda: list(marker.columns.get("y", ())) == [pytest.approx(0.5)])


def test_curve_follows(page: FakePage) -> None:
    curve = page.desk.panel("curve")
    page.until(lambda: curve.columns)
    page.tell("control", name="coupling", value=0.5)
    page.until(lambda: not np.isfinite(curve.columns["unstable2"][curve.columns["x"] > 0.6]).any())


def test_marker_comes_with_its_curve_and_the_curve_only_when_it_changes(page: FakePage) -> None:
    desk = page.desk
    curve, diagram = desk.panel("curve"), desk.panel("diagram")
    along = desk.session.current.along_control
    page.until(lambda: curve.columns and not desk.jobs.busy("curve"))
    drawn = curve.columns
    page.tell("control", name=along, value=0.77)
    on_curve = curve.drawing.layers["marker"]
    page.until(lambda: list(on_curve.columns.get("x", ())) == [pytest.approx(0.77)])
    page.until(lambda: not desk.jobs.busy("point"))
    assert curve.columns is drawn
    x = desk.session.current.x
    page.tell("control", name=x, value=0.25)
    page.until(lambda: curve.columns is not drawn)
    assert diagram.drawing.layers["marker"].columns["x"][0] == pytest.approx(0.25)


def test_the_same_link_gives_the_same_numbers_to_the_last_bit() -> None:
    link = Exploration.of(system("curie_weiss")(temperature=0.55, size=80), seed=7, along="x", x_window=(-0.2, 0.2))

    def numbers() -> dict[str, Any]:
        answers.forget()
        page = FakePage(link.to_query())
        desk = page.desk
        try:
            desk.run.start(desk.session.current.model, 7)  # type: ignore[union-attr]
            page.until(lambda: desk.frame and desk.panel("curve").columns)
            page.until(lambda: desk.panel("diagram").latest is not None and not desk.jobs.busy("diagram"))
            page.tell("average", on=True, by="samples", value=4)
            here = lambda: desk.ensembles.here(desk.session.current).get("magnetization")  # noqa: E731
            sampled = page.until(lambda: (found := here()) and found.samples == 4 and found)
            found = {f"curve {name}": column for name, column in desk.panel("curve").columns.items()}
            found["diagram"] = desk.panel("diagram").latest["magnetization"].values
            return found | {"samples": np.array(sampled.values), "start": desk.frame.series["magnetization"][:1]}
        finally:
            desk.close()

    first, second = numbers(), numbers()
    assert first.keys() == second.keys()
    for name, values in first.items():
        np.testing.assert_array_equal(values, second[name], err_msg=name)


def test_the_curve_is_told_as_a_table(page: FakePage) -> None:
    def table() -> dict[str, Any] | None:
        return next((m for m in reversed(page.heard) if m["type"] == "table" and m["name"] == "curve"), None)

    curve = page.desk.panel("curve")
    page.until(lambda: curve.columns and page.desk.frame)
    page.tell("control", name="size", value=50)
    page.tell("view", name="along", value="y")
    assert table() is None, "nobody looks at it"
    page.tell("pane", name="Data")
    page.tell("average", on=True, by="samples", value=4)
    here = page.desk.session.current.model.temperature
    page.until(lambda: (said := table()) and any(row["cells"][-1] for row in said["rows"]))
    said = table()
    assert said is not None
    assert said["columns"][-1] == "simulation"
    assert said["head"] == "temperature"
    values = [float(row["title"]) for row in said["rows"]]
    assert values == sorted(values)
    assert len(values) >= 13
    for row, value in zip(said["rows"], values, strict=True):
        theory = float(system("curie_weiss")(temperature=value).equilibrium()["magnetization"]) if value else 1.0
        if abs(value - 1) > 0.05:  # on the even grid it is steep there
            assert float(row["cells"][0]) == pytest.approx(theory, abs=0.02), value
        assert bool(row["cells"][-1]) == (value == here)


@pytest.mark.parametrize("value", [99.0, "nonsense", None, float("nan")])
def test_a_bad_value_is_told_and_changes_nothing(page: FakePage, value: Any) -> None:
    before = page.desk.session.current
    page.tell("control", name="temperature", value=value)
    assert page.desk.session.current == before
    notice = page.last("notice")
    assert notice is not None
    assert "temperature" in notice["text"]


@pytest.mark.parametrize("message", [{"name": "nothing", "value": 1}, {"value": 1}, {}])
def test_a_malformed_message_does_no_harm(page: FakePage, message: dict[str, Any]) -> None:
    page.tell("control", **message)
    assert page.last("notice") is not None
    page.tell("view", name="x", value="no_such_control")
    told = len(page.heard)
    page.tell("unheard_of")
    assert "unheard_of" in page.heard[told]["text"], "an unknown message is told, not swallowed"
    page.tell("control", name="field", value=0.1)
    assert page.desk.session.current.model.field == 0.1


def test_marker_snaps_to_steps_and_bounds(page: FakePage) -> None:
    page.tell("marker", x=0.12345, y=99)
    model = page.desk.session.current.model
    assert (model.field, model.temperature) == (0.125, 2.0)


def test_undo_redo_preset_reset(page: FakePage) -> None:
    page.tell("preset", name="hysteresis")
    assert page.desk.session.current.model.drive_amplitude == 0.4
    page.tell("undo")
    assert page.desk.session.current.model.drive_amplitude == 0.0
    page.tell("redo")
    page.tell("reset")
    assert page.desk.session.current.model == page.desk.kind()


def test_sentence_checks_and_diagram_arrive(page: FakePage) -> None:
    page.tell("hello")
    page.until(lambda: page.last("sentence"))
    check = page.until(lambda: page.last("check"))
    assert check["agrees"]
    page.until(lambda: page.desk.panel("diagram").latest is not None)


def test_legends_list_what_is_drawn(page: FakePage) -> None:
    page.tell("hello")

    def legends() -> dict[str, set[str]]:
        return {m["figure"]: set(m["names"]) for m in page.heard if m["type"] == "legend"}

    page.desk.panel("curve").settle(page.desk.session.current)  # then the exact curve is summed
    page.until(lambda: {"unstable", "exact", "live"} <= legends().get("curve", set()))
    page.until(lambda: "spinodal_up" in legends().get("diagram", set()) and "theory" in legends().get("trace", set()))
    page.tell("control", name="temperature", value=1.5)
    page.until(lambda: legends()["landscape"] >= {"stable"} and "unstable" not in legends()["landscape"])
    page.tell("view", name="along", value="x")
    page.until(lambda: "unstable" not in legends()["curve"])


def test_a_legend_is_told_once(page: FakePage) -> None:
    page.tell("hello")
    page.until(lambda: page.desk.frame)
    for _ in range(5):
        page.tell("step")
        time.sleep(0.05)
    page.until(lambda: page.desk.frame and page.desk.frame.time > 0)
    for figure in ("diagram", "curve", "trace"):
        told = [m["names"] for m in page.heard if m["type"] == "legend" and m["figure"] == figure]
        assert told
        assert all(one != other for one, other in itertools.pairwise(told))


def test_zoom_keeps_the_window_within_bounds(page: FakePage) -> None:
    page.tell("window", x=[-9, 0.2], y=[0.3, 0.6])
    assert page.desk.session.current.x_window == (-1.0, 0.2)
    page.tell("window")
    assert page.desk.session.current.x_window is None


def test_run_plays_steps_and_stops(page: FakePage) -> None:
    desk = page.desk
    page.until(lambda: desk.frame)
    page.tell("step")
    page.until(lambda: desk.frame and desk.frame.time > 0)
    page.tell("play", on=True)
    page.until(lambda: desk.frame and desk.frame.time > 5)
    page.tell("play", on=False)
    page.tell("restart")
    page.until(lambda: desk.frame and desk.frame.time == 0)


def test_a_closed_page_stops_its_threads(page: FakePage) -> None:
    run = page.desk.run
    assert run is not None
    page.until(lambda: page.desk.frame)
    page.tell("play", on=True)
    page.desk.close()
    thread = run._thread
    assert thread is not None
    thread.join(10)
    assert not thread.is_alive()


def test_task_is_revealed_with_its_lesson(page: FakePage) -> None:
    page.tell("reveal", index=0, guess=0.1)
    answer = page.until(lambda: page.last("answer"))
    assert not answer["right"]
    assert "spinodal" in answer["lesson"]


def test_pin_keeps_a_ghost(page: FakePage) -> None:
    page.until(lambda: page.desk.panel("curve").columns)
    page.tell("pin")
    pins = page.last("pins")
    assert pins is not None
    assert len(pins["titles"]) == 1
    page.tell("unpin", index=0)
    assert not page.desk.session.current.pins


def test_a_pin_has_a_name_and_a_place(page: FakePage) -> None:
    page.tell("control", name="temperature", value=0.5)
    page.tell("pin")
    page.tell("rename", index=0, name="  cold\nstart ")
    assert page.last("pins") == {"type": "pins", "titles": ["cold start"], "queries": ["temperature=0.5"]}
    page.tell("reset")
    page.tell("visit", index=0)
    assert page.desk.session.current.model.temperature == 0.5
    page.tell("visit", index=3)
    assert "pin" in page.last("notice")["text"]  # type: ignore[index]
    landscape = page.desk.panel("landscape").drawing
    drawn = page.until(lambda: landscape.layers["pins"].columns.get("xs"))
    other = FakePage(page.desk.session.current.to_query())  # a link to all this
    try:
        assert other.last("pins")["titles"] == ["cold start"]  # type: ignore[index]
        other.until(lambda: other.desk.panel("landscape").drawing.layers["pins"].columns.get("xs"))
        assert np.array_equal(other.desk.panel("landscape").drawing.layers["pins"].columns["xs"], drawn)
        assert len(other.desk.panel("diagram").drawing.layers["pins"].columns["x"]) == 1
    finally:
        other.desk.close()


def test_a_preset_runs_and_is_shown_as_chosen_until_one_leaves_it(page: FakePage) -> None:
    page.tell("preset", name="paramagnet")
    assert page.last("state")["preset"] == "paramagnet"  # type: ignore[index]
    page.until(lambda: page.desk.frame and page.desk.frame.time > 2)
    page.tell("control", name="temperature", value=1.3)
    page.desk._settle()
    assert page.last("state")["preset"] == ""  # type: ignore[index]
    page.tell("reset")
    assert page.last("state")["preset"] == "ordered", "whose controls are the defaults"  # type: ignore[index]
    assert page.until(lambda: (page.last("run") or {}).get("reading")).startswith("magnetization ")


def test_back_and_forward_of_a_browser_go_where_its_address_says(page: FakePage) -> None:
    page.tell("control", name="temperature", value=0.5)
    query = page.desk.session.current.to_query()
    page.tell("reset")
    page.tell("go", query=query)
    assert page.desk.session.current.model.temperature == 0.5
    page.tell("go", query="temperature=warm")
    assert "warm" in page.last("notice")["text"]  # type: ignore[index]
    assert page.desk.session.can_undo


def test_a_marker_outside_of_the_picture_is_told_and_can_be_brought_back(page: FakePage) -> None:
    layers = page.desk.panel("diagram").drawing.layers
    page.tell("control", name="temperature", value=1.8)
    page.until(lambda: layers["away"].columns.get("x"))
    away = layers["away"].columns
    assert (away["x"][0], away["y"][0], away["angle"][0]) == pytest.approx((0.0, 1.5, 0.0), abs=0.06)
    assert not len(layers["marker"].columns["x"])
    assert "temperature 1.8" in page.last("outside")["text"]  # type: ignore[index]
    page.tell("whole")
    page.until(lambda: len(layers["marker"].columns["x"]))
    assert layers["away"].columns["x"] == []
    assert page.desk.session.current.window("y") == (0.0, 2.0)
    assert page.last("outside") == {"type": "outside", "text": ""}


def test_a_task_hides_what_would_tell_its_answer_until_there_is_one(page: FakePage) -> None:
    page.until(lambda: page.last("sentence"))

    def visible() -> set[bool]:
        parts = {"diagram": ("colour", "dashed"), "curve": ("theory", "points"), "landscape": ("curve",)}
        figures = {name: page.desk.panel(name).drawing.figure for name in parts}
        return {figures[name].part(layer)["visible"] for name, layers in parts.items() for layer in layers}

    page.tell("task", index=0)
    assert page.last("asking") == {"type": "asking", "index": 0, "hidden": ["theory"]}
    assert visible() == {False}
    told = len(page.heard)
    page.tell("control", name="field", value=-0.1)
    page.until(lambda: not page.desk.jobs.busy("point") and not page.desk.jobs.busy("curve"))
    assert not [m for m in page.heard[told:] if m["type"] == "sentence"], "which says the numbers of theory"
    page.tell("reveal", index=0, guess=0.19)
    assert page.until(lambda: page.last("answer"))["right"], "of a strength the sign does not count"
    assert page.last("asking") == {"type": "asking", "index": -1, "hidden": []}
    assert visible() == {True}
    page.tell("task", index=0)
    assert visible() == {True}, "what is known is not hidden again"


def test_who_leaves_a_task_sees_everything_again(page: FakePage) -> None:
    for leave in ({"type_": "skip"}, {"type_": "preset", "name": "paramagnet"}, {"type_": "reset"}):
        page.tell("task", index=0)
        assert page.last("asking")["index"] == 0  # type: ignore[index]
        page.tell(**leave)
        assert page.last("asking")["index"] == -1  # type: ignore[index]


FILES = ["diagram.png", "curve.svg", "trace.csv", "trace.png", "landscape.pdf", "distribution.png", "state.png",
         "notebook.ipynb"]  # fmt: skip


@pytest.mark.parametrize("what", FILES)
def test_everything_can_be_taken_home(page: FakePage, what: str) -> None:
    desk = page.desk
    page.until(lambda: desk.panel("diagram").latest is not None and desk.panel("curve").latest is not None)
    page.until(lambda: desk.frame and desk.point)
    page.tell("export", what=what)
    (file,) = page.until(lambda: page.files)
    assert file.name.startswith("curie_weiss")
    assert len(file.content) > 100


def test_files_hold_what_is_shown_and_where_from(page: FakePage, tmp_path: Path) -> None:
    import pandas as pd
    import xarray as xr

    desk = page.desk
    page.tell("control", name="size", value=50)
    page.tell("view", name="along", value="x")
    page.until(lambda: desk.panel("diagram").latest is not None and desk.panel("curve").latest is not None)
    desk._settle()
    desk._rest()
    page.until(lambda: len(desk.ensembles.points) > 2)
    page.until(lambda: not (desk.jobs.busy("diagram") or desk.jobs.busy("ensemble")))
    for what in ("diagram.csv", "diagram.nc", "curve.csv", "curve.nc"):
        page.files.clear()
        page.tell("export", what=what, page="https://course.example/curie_weiss")
        (file,) = page.until(lambda: page.files)
        (tmp_path / what).write_bytes(file.content)
    shown = pd.read_csv(tmp_path / "diagram.csv", comment="#")
    assert list(shown.columns) == ["field", "temperature", "magnetization", "phase", "validity", "converged"]
    assert len(shown) == 257**2
    assert (tmp_path / "diagram.csv").stat().st_size < 4e6
    whole = xr.open_dataset(tmp_path / "diagram.nc", engine="h5netcdf")
    assert whole.nbytes > 3 * (tmp_path / "diagram.nc").stat().st_size
    assert "https://course.example/curie_weiss?v=" in whole.attrs["exploration"]
    curve = pd.read_csv(tmp_path / "curve.csv", comment="#")
    simulated = curve[curve["kind"] == "simulation"]
    assert len(simulated) > 2
    assert (simulated["magnetization_standard_error"] >= 0).all()
    kept = xr.open_dataset(tmp_path / "curve.nc", engine="h5netcdf")
    assert kept["simulated_magnetization_samples"].shape[1] == 8
    assert kept["simulated_magnetization"].values == pytest.approx(simulated["magnetization"].values)


def test_notices_of_a_link_are_told() -> None:
    page = FakePage("temperature=99&colour=red&old=1")
    page.tell("hello")
    (text,) = [m["text"] for m in page.heard if m["type"] == "notice"]
    page.desk.close()
    assert len(text.splitlines()) == 3, "all at once, so that they do not cover the page"


def test_what_is_shown_while_the_diagram_is_refined_is_what_was_chosen_last(page: FakePage) -> None:
    panel, layer = page.desk.panel("diagram"), page.desk.panel("diagram").drawing.layers["colour"]
    page.tell("control", name="coupling", value=1.1)
    page.until(lambda: layer.columns.get("image"))
    page.tell("view", name="colour", value="energy")
    level = panel.latest
    assert level is not None
    page.until(lambda: panel.latest is not level)
    expected = prepare(panel.latest, page.desk.kind, "energy")
    np.testing.assert_array_equal(layer.columns["image"][0], expected.values)


def test_lines_of_another_plane_are_not_drawn(page: FakePage) -> None:
    page.until(lambda: page.desk.jobs.busy("boundaries") or page.desk.panel("diagram").boundaries is not None)
    page.tell("view", name="x", value="coupling")
    page.until(lambda: page.desk.panel("diagram").boundaries is not None and not page.desk.jobs.busy("diagram"))
    assert "coupling" in page.desk.panel("diagram").boundaries
    assert page.last("notice") is None


def test_theme_changes_colours_not_data(page: FakePage) -> None:
    page.until(lambda: page.desk.panel("curve").columns)
    page.tell("theme", name="dark")
    page.tell("theme", name="no such theme")
    assert page.desk.theme.name == "dark"


@pytest.mark.parametrize("key", ["curie_weiss"])
@pytest.mark.parametrize("without", [("planes",), ("planes", "solve", "references"), ("planes", "simulation")])
def test_a_system_may_lack_planes_theory_or_simulation(
    key: str, without: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = system(key)
    for name in without:
        lacking = () if name in ("planes", "references") else None if name == "simulation" else getattr(Model, name)
        monkeypatch.setattr(kind, name, lacking)
    page = FakePage()
    try:
        assert page.desk.panels
        page.tell("hello")
        page.tell("control", name="temperature", value=0.5)
        page.tell("pin")
        page.tell("pane", name="Data")
        page.tell("theme", name="dark")
        page.tell("export", what="notebook.ipynb")
        page.until(lambda: page.files)
        if page.desk.run:
            page.tell("step")
            page.until(lambda: page.desk.frame and page.desk.frame.time > 0)
        page.desk._settle()
        page.desk._rest()
        assert page.last("state") is not None
        assert not [m for m in page.heard if m["type"] == "notice"]
    finally:
        page.desk.close()


@pytest.mark.parametrize("key", list(places()))
def test_the_page_of_every_system_has_something_to_show(key: str) -> None:
    kind = system(key)
    shown = draw(Exploration.of(kind()), LIGHT)
    assert shown
    assert ("state" in shown) == kind.offers("simulation")
    assert ("diagram" in shown) == (kind.offers("solve") and bool(kind.planes))


def test_a_page_that_comes_again_is_told_what_holds(page: FakePage) -> None:
    page.until(lambda: page.last("sentence") and page.last("run") and page.last("check"))
    before = {m["type"] for m in page.heard} - {"notice"}
    page.heard.clear()
    page.tell("hello")
    assert {m["type"] for m in page.heard} >= before
    for panel in page.desk.panels:
        assert panel.drawing.figure.take().template is not None, "it has to put up its figures"


def test_opening_a_page_prepares_its_simulation_once(monkeypatch: pytest.MonkeyPatch) -> None:
    kind = system("curie_weiss")
    prepared: list[Any] = []
    prepare = kind.simulation.prepare  # type: ignore[union-attr]
    monkeypatch.setattr(kind.simulation, "prepare", lambda self: (prepared.append(self), prepare(self))[1])
    monkeypatch.setattr("mfexplore.workbench.desk.REST_MS", 10**9)
    page = FakePage()
    page.until(lambda: page.last("run"))
    page.desk.close()
    assert len(prepared) == 1


# -- files that take long ---------------------------------------------------------------------------------------------


def test_a_film_says_how_far_it_is_and_comes_with_the_run_that_was_seen(page: FakePage, small_film: None) -> None:
    page.tell("export", what="run.gif", page="http://here/curie_weiss")
    (file,) = page.until(lambda: page.files)
    assert file.name == "curie_weiss-run.gif"
    assert file.content.startswith(b"GIF89a")
    assert b"http://here/curie_weiss" in file.content
    told = [m for m in page.heard if m["type"] == "progress" and m["what"] == "file"]
    page.until(lambda: page.last("progress")["fraction"] is None)  # type: ignore[index]
    assert {m["text"] for m in told} >= {"begins", "drawing the film"}


def test_one_long_file_at_a_time_and_it_can_be_given_up(page: FakePage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfexplore.workbench.exports.movie", endless)
    page.tell("export", what="run.gif")
    page.until(lambda: page.desk.jobs.busy("long file"))
    page.tell("export", what="page.html")
    assert "already" in page.last("notice")["text"]  # type: ignore[index]
    page.until(lambda: page.desk.run.trace() is not None)  # type: ignore[union-attr]
    page.tell("export", what="trace.csv")  # what is quick need not wait
    page.until(lambda: page.files)
    page.tell("giveup")
    page.until(lambda: not page.desk.jobs.busy("long file"))
    assert [file.name for file in page.files] == ["curie_weiss-trace.csv"]


def endless(*args: Any, cancelled: Callable[[], bool], **options: Any) -> Iterator[float]:
    while not cancelled():
        time.sleep(0.01)
        yield 0.5


@pytest.fixture
def small_film(monkeypatch: pytest.MonkeyPatch) -> None:
    def short(*args: Any, **options: Any) -> Iterator[float | bytes]:
        return movie(*args, **(options | {"frames": 3}))

    monkeypatch.setattr("mfexplore.workbench.exports.movie", short)
