"""A sketched curve: how near it comes to the theory, and that theory is hidden until it is there."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from test_desk import FakePage

from mfexplore.core import system
from mfexplore.figures.curves import theory_columns
from mfexplore.workbench.sketch import judge, judge_boundary

KIND = system("curie_weiss")
AT = np.linspace(0.1, 1.4, 9)


@pytest.fixture
def page() -> Iterator[FakePage]:
    made = FakePage("temperature=0.6")
    yield made
    made.desk.close()


def test_any_stable_state_is_right_and_none_that_is_not_there() -> None:
    grid = np.linspace(0.02, 1.5, 161)
    columns = theory_columns(KIND().theory(temperature=grid), KIND, "temperature", "magnetization")
    exact = [float(KIND(temperature=t).equilibrium()["magnetization"]) for t in AT]
    parts = (KIND.control("temperature"), KIND.observable("magnetization"), AT)
    best = judge(columns, *parts, exact)
    assert (best.near, best.judged) == (9, 9)
    assert best.right
    assert best.gap < 0.005
    assert judge(columns, *parts, [-m for m in exact]).right, "down is as stable as up"
    flat = judge(columns, *parts, [0.5] * 9)  # half way: of the height, from -1 to 1, a quarter off in both phases
    assert not flat.right
    assert flat.gap == pytest.approx(np.mean([abs(0.5 - m) / 2 for m in exact]), abs=0.01)


def test_a_sketch_hides_everything_and_its_end_shows_it(page: FakePage) -> None:
    page.until(lambda: page.desk.panel("curve").columns)
    page.tell("sketch")
    assert page.last("asking") == {"type": "asking", "index": -1, "hidden": ["simulation", "theory"]}
    page.tell("play", on=True)
    assert "predict" in page.last("notice")["text"]  # type: ignore[index]
    page.tell("sketched", xs=list(AT), ys=[0.9, 0.9, 0.9, 0.8, 0.7, 0.3, 0, 0, 0])
    answer = page.last("answer")
    assert answer is not None
    assert (answer["index"], answer["right"]) == (-1, True)
    assert page.last("asking")["hidden"] == []  # type: ignore[index]
    page.tell("sketch")
    page.tell("reset")
    assert page.last("asking")["hidden"] == [], "who goes elsewhere has left it"  # type: ignore[index]


def test_a_boundary_has_to_be_followed_not_only_met() -> None:
    across = np.linspace(0, 1, 41)
    parabola = ("T_c", np.column_stack([across, across**2]))
    broken = ("T_s", np.column_stack([np.where(across > 0.5, np.nan, across), 0.9 + 0 * across]))
    beyond = ("T_x", np.column_stack([across, 2 + 0 * across]))
    at = np.linspace(0.04, 0.96, 9)
    best = judge_boundary([broken, beyond, parabola], np.column_stack([at, at**2 + 0.02]))
    assert (best.boundary, best.near, best.judged) == ("T_c", 9, 9)
    assert best.right
    assert best.followed > 0.9
    assert best.gap == pytest.approx(0.015, abs=0.006), "the nearest point is not the one above"
    heap = judge_boundary([parabola], np.full((9, 2), 0.5) * [1, 0.5])
    assert heap.near == 9
    assert not heap.right, "nine points at one place of it"
    assert not judge_boundary([parabola], np.column_stack([at, np.full(9, 0.9)])).right
    assert judge_boundary([beyond], np.column_stack([at, at])).judged == 0
    assert judge_boundary([broken], np.column_stack([at * 0.5, np.full(9, 0.9)])).followed > 0.9


def test_a_boundary_is_sketched_on_the_diagram(page: FakePage) -> None:
    page.tell("view", name="x", value="coupling")
    page.until(lambda: page.desk.panel("diagram").boundaries is not None)
    assert not page.desk.session.current.model.field
    couplings = list(np.linspace(0.3, 1.4, 9))
    page.tell("sketch")
    assert page.last("asking")["hidden"] == ["simulation", "theory"]  # type: ignore[index]
    page.tell("sketched", figure="trace", xs=[1.0], ys=[1.0])
    assert "curve, diagram" in page.last("notice")["text"]  # type: ignore[index]
    page.tell("sketched", figure="diagram", xs=couplings, ys=couplings)
    answer = page.last("answer")
    assert answer is not None
    assert (answer["index"], answer["right"]) == (-1, True), answer["text"]
    assert page.last("asking")["hidden"] == []  # type: ignore[index]


@pytest.mark.parametrize("bad", [{"xs": [0.1], "ys": []}, {"xs": [0.1, 0.2], "ys": [0.1]}, {"xs": ["a"], "ys": [1]},
                                 {"xs": [0.1] * 101, "ys": [0.1] * 101}])  # fmt: skip
def test_a_sketch_that_is_none_is_refused(page: FakePage, bad: dict[str, list[float]]) -> None:
    page.until(lambda: page.desk.panel("curve").columns)
    page.tell("sketch")
    page.tell("sketched", **bad)
    assert not page.last("answer")
    assert page.last("notice")
