"""An observable that is a function: lines, bars, points, one function against another."""

from __future__ import annotations

import numpy as np
import pytest
from toy import LAG, Toy, dressed

from mfexplore.core import Measured
from mfexplore.figures.function import FunctionFigure, functions_of
from mfexplore.figures.style import LIGHT


def drawn(model: Toy, name: str) -> FunctionFigure:
    figure = FunctionFigure(Toy, LIGHT)
    figure.set_function(name)
    figure.show_theory(functions_of(model.theory(), Toy, name))
    return figure


def test_theory_is_a_line_for_every_method_and_branch_that_exists() -> None:
    figure = drawn(dressed(), "decay")
    lines = figure.layers["theory"].columns
    assert len(lines["xs"]) == 6
    assert np.allclose(lines["ys"][0], np.exp(-LAG), atol=1e-6)
    assert figure.figure.part("xaxis")["axis_label"].startswith("lag")
    assert "days" in figure.figure.part("xaxis")["axis_label"]


def test_what_is_counted_stands_in_bars_beside_each_other() -> None:
    bars = drawn(Toy(), "shape").layers["heights"].columns
    left, right = np.sort(bars["left"]), np.sort(bars["right"])
    assert len(left) == 3 * 4  # the second branch does not exist
    assert (left[1:] >= right[:-1] - 1e-5).all(), "bars at one place lie over each other"
    assert np.unique(bars["top"]) == pytest.approx([0.1, 0.2, 0.3, 0.4])


def test_one_function_against_another_has_its_values_on_the_abscissa() -> None:
    figure = drawn(Toy(), "response")
    x, y = (figure.layers["theory"].columns[name][0] for name in ("xs", "ys"))
    assert np.allclose(x + y, 1, atol=1e-6)
    figure.show_measured(Measured(np.arange(3.0), np.array([0.1, 0.2, 0.3])), Measured(np.arange(3.0), np.arange(3.0)))
    assert np.allclose(figure.layers["points"].columns["x"], [0, 1, 2])


def test_decades_are_places_on_the_ordinate() -> None:
    figure = drawn(dressed(), "power")
    assert np.allclose(figure.layers["theory"].columns["ys"][0], -LAG, atol=1e-5)
    assert figure.figure.part("yaxis")["major_label_overrides"]


def test_what_is_measured_has_error_bars_if_it_knows_its_errors() -> None:
    figure = drawn(Toy(), "decay")
    at, values = np.array([0.0, 1.0, 2.0]), np.array([1.0, np.nan, 0.2])
    figure.show_measured(Measured(at, values, np.full(3, 0.1)))
    assert figure.layers["points"].columns["x"].tolist() == [0, 2]
    assert figure.layers["errors"].columns["y1"] == pytest.approx([1.1, 0.3])
    assert "errors" in figure.drawn
    figure.show_measured(Measured(at, values))
    assert not len(figure.layers["errors"].columns["x0"])
    assert "points" in figure.drawn
