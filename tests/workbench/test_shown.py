"""What a page shows of a system that says everything: the toy, without a browser, through a desk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from test_desk import FakePage
from toy import Toy, dressed

from mfexplore.core import Particles, Spectrum
from mfexplore.core.errors import AbsentError
from mfexplore.workbench.agreement import Sampled
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.sentence import sentence


@contextmanager
def opened(model: Toy, **view: Any) -> Iterator[FakePage]:
    page = FakePage(start=Exploration.of(model, **view))
    page.tell("hello")
    yield page
    page.desk.close()


def choices(page: FakePage, panel: str) -> Callable[[], dict[str, Any] | None]:
    return lambda: next((m for m in reversed(page.heard) if m["type"] == "choices" and m["panel"] == panel), None)


def test_a_function_is_drawn_with_what_the_run_has_measured() -> None:
    with opened(Toy()) as page:
        figure = page.desk.panel("function").drawing
        page.until(lambda: figure.layers["theory"].columns.get("xs") and "errors" in figure.drawn)
        assert figure.observable.name == "decay"
        offered = choices(page, "function")()
        assert [name for name, _ in offered["names"]] == ["decay", "response", "shape"]
        page.tell("view", name="function", value="shape")
        assert figure.observable.name == "shape"
        assert len(figure.layers["heights"].columns["left"])
        page.tell("undo")
        assert figure.observable.name == "decay"


def test_several_pictures_of_one_run_are_tabs_that_start_nothing_anew() -> None:
    with opened(Toy()) as page:
        page.until(lambda: page.desk.frame)
        page.tell("step")
        page.until(lambda: page.desk.frame.time > 0)
        assert isinstance(page.desk.frame.picture, Particles)
        page.tell("view", name="picture", value="eigenvalues")
        page.until(lambda: isinstance(page.desk.frame.picture, Spectrum))
        assert page.desk.frame.time > 0
        assert choices(page, "state")() == {
            "type": "choices", "panel": "state", "chosen": "eigenvalues",
            "names": [["state", "state"], ["eigenvalues", "eigenvalues"]],
        }  # fmt: skip


def test_a_preset_says_how_to_look_at_it() -> None:
    with opened(Toy()) as page:
        page.tell("preset", name="dressed")
        at = page.desk.session.current
        assert at.model == dressed(rate=3.0)
        assert (at.x, at.y, at.colour, at.along_control) == ("dressing", "rate", "dress", "rate")
        assert (at.branch, at.method, at.series, at.picture, at.function) == (
            "wild", "rival", "noise", "eigenvalues", "response"
        )  # fmt: skip
        trace = page.desk.panel("trace")
        page.until(lambda: trace.chosen == "noise")


def test_a_preset_without_a_plane_is_shown_in_one_in_which_it_lies() -> None:
    start = Exploration.of(dressed())
    lies = start.at(dressed(rate=2.0), Toy.presets[0].view)
    assert (lies.x, lies.y) == ("spread", "rate")
    outside = start.at(dressed(rate=9.0), Toy.presets[2].view)
    assert (outside.x, outside.y) == ("dressing", "rate")
    assert outside.series == "noise"


def test_what_exists_only_under_another_word_is_refused_with_a_sentence() -> None:
    with pytest.raises(AbsentError, match="'dress' exists only for kind = 'dressed'; here it is 'plain'"):
        Exploration.of(Toy(), colour="dress")
    for view in ({"branch": "wild"}, {"x": "dressing"}, {"function": "power"}):
        with pytest.raises(AbsentError):
            Exploration.of(Toy(), **view)


def test_with_another_word_the_view_keeps_what_still_exists() -> None:
    start = Exploration.of(dressed(), x="dressing", y="rate", colour="dress", branch="wild", along="x")
    plain = start.with_controls(kind="plain")
    assert (plain.x, plain.y, plain.colour, plain.branch) == ("spread", "rate", "level", None)
    assert plain.along == "x"


def test_a_link_carries_what_is_looked_at() -> None:
    made = Exploration.of(dressed(), series="noise", picture="eigenvalues", function="response")
    for word in ("series=noise", "picture=eigenvalues", "function=response"):
        assert word in made.to_query()


def test_decades_on_all_axes() -> None:
    with opened(Toy()) as page:
        curve, trace = page.desk.panel("curve").drawing, page.desk.panel("trace").drawing
        page.until(lambda: curve.layers["theory"].columns.get("xs") and trace.layers["trace"].columns)
        y = curve.layers["theory"].columns["ys"][0]
        assert y[np.isfinite(y)].min() == pytest.approx(-2, abs=0.1)
        for _ in range(4):
            page.tell("step")
        page.until(lambda: page.desk.frame.time >= 4)
        columns = trace.layers["trace"].columns
        assert columns["t"][-1] == pytest.approx(np.log10(4), abs=1e-5)
        assert columns["y"][0] == pytest.approx(-3, abs=1e-5)


def test_a_page_hides_what_does_not_exist_here() -> None:
    with opened(Toy()) as page:
        gone = page.last("state")["absent"]
        assert gone["control"] == ["dressing"]
        assert gone["branch"] == ["wild"]
        assert "dress" in gone["colour"]
        assert "dressing" in gone["x"]
        page.tell("control", name="kind", value="dressed")
        page.tell("view", name="colour", value="noise")
        assert not any(page.last("state")["absent"].values())


def test_a_link_to_what_does_not_exist_is_refused_with_a_sentence() -> None:
    made, errors = Exploration.of(Toy())._looking({"colour": "dress", "branch": "wild", "series": "noise"})
    assert (made.colour, made.branch, made.series) == ("level", None, "noise")
    assert all("exists only for kind = 'dressed'" in str(error) for error in errors)
    assert len(errors) == 2


def test_the_theory_that_is_shown_is_that_of_what_runs() -> None:
    assert Exploration.of(Toy()).method == "theory"
    assert Exploration.of(dressed()).method == "rival"
    assert Exploration.of(Toy()).with_controls(kind="dressed").method == "rival"
    assert Exploration.of(Toy(), method="ceiling").with_controls(kind="dressed").method == "ceiling"


def test_only_theories_of_what_runs_predict_its_path_with_a_band() -> None:
    with opened(Toy()) as page:
        trace = page.desk.panel("trace").drawing
        page.tell("step")
        page.until(lambda: trace.layers["predicted"].columns.get("xs"))
        assert [name for name in trace.drawn if name.startswith("predicted")] == ["predicted-0", "predicted-2"]
        assert len(trace.layers["band"].columns["xs"]) == 2


def test_a_bound_is_shaded_and_judged() -> None:
    with opened(Toy()) as page:
        curve = page.desk.panel("curve").drawing
        page.until(lambda: curve.layers["beyond"].columns.get("xs"))
        assert len(curve.layers["beyond"].columns["xs"]) == 1
        assert "beyond" in curve.drawn
    theory = Toy().theory()
    for measured, verb, verdict in ((0.1, "respected", "agrees"), (0.9, "violated", "differs")):
        said = sentence(Toy(), theory, "level", method="ceiling", measured=Sampled(measured, 0.001, 8))
        assert f"The upper bound is {verb}" in said.text
        assert said.verdict == verdict
    estimate = sentence(Toy(), theory, "noise", method="ceiling", measured=Sampled(0.01, 0.001, 8))
    assert (estimate.verdict, "bound" in estimate.text) == ("differs", False), "it is a bound of the level alone"
    assert Exploration.of(Toy()).method == Exploration.of(Toy(), colour="noise").method == "theory"
    other = sentence(Toy(), theory, "level", method="rival", measured=Sampled(0.9, 0.001, 8))
    assert other.verdict == "open"
    assert "another option" in other.text


def test_landscapes_have_their_own_name_and_rivals() -> None:
    with opened(Toy()) as page:
        figure = page.desk.panel("landscape").drawing
        page.until(lambda: figure.layers["rivals"].columns.get("xs"))
        assert figure.figure.part("yaxis")["axis_label"] == "height"
        key = next(m["key"] for m in page.heard if m["type"] == "key" and m["panel"] == "landscape")
        assert [name for name, _ in key] == ["height", "steeper"]
        web = page.desk.panel("recursion").drawing.layers["web"].columns
        assert len(web["x"]) > 5


def test_distributions_are_chosen_and_move_with_the_run() -> None:
    with opened(Toy(), law="angle") as page:
        figure = page.desk.panel("histogram").drawing
        page.until(lambda: len(figure.layers["law"].columns.get("xs", ())) == 2)
        before = figure.layers["law"].columns["ys"][0]
        page.tell("step")
        page.until(lambda: page.desk.frame and page.desk.frame.time > 0)
        page.until(lambda: np.abs(figure.layers["law"].columns["ys"][0] - before).max() > 0.05)
        assert [name for name, _ in choices(page, "histogram")()["names"]] == ["count", "avalanche", "angle"]
        page.tell("view", name="law", value="count")
        page.until(lambda: len(figure.layers["dots"].columns["x"]) == 6)


def test_colours_are_decades_where_the_observable_is() -> None:
    with opened(Toy()) as page:
        figure = page.desk.panel("diagram").drawing
        page.until(lambda: figure.layers["colour"].columns.get("image"))
        assert figure.limits == pytest.approx((-4, 0))

        labels = figure.figure.part("colour_bar")["major_label_overrides"]
        assert labels == {-4: "10⁻⁴", -3: "0.001", -2: "0.01", -1: "0.1", 0: "1"}
