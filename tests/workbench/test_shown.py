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
from mfexplore.workbench.exploration import Exploration


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
