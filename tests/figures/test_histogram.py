"""Distributions: of whole numbers, with heavy tails, on a circle, of rival theories, moving."""

from __future__ import annotations

import numpy as np
import pytest
from toy import Toy

from mfexplore.figures.frame import get_range
from mfexplore.figures.histogram import HistogramFigure, beyond
from mfexplore.figures.style import LIGHT

COUNT, TAIL, *ANGLES = Toy().laws(0.0)


def drawn(*laws) -> HistogramFigure:
    figure = HistogramFigure(Toy, LIGHT)
    figure.show_laws(laws)
    return figure


def test_whole_numbers_have_a_bar_and_a_dot_each() -> None:
    figure = drawn(COUNT)
    figure.show(np.repeat(np.arange(6.0), 10))
    bars, dots = figure.layers["bars"].columns, figure.layers["dots"].columns
    middle = (bars["left"] + bars["right"]) / 2
    assert middle[bars["top"] > 0] == pytest.approx(np.arange(6), abs=1e-5)
    assert bars["top"].max() == pytest.approx(1 / 6)
    assert dots["y"] == pytest.approx(np.full(6, 1 / 6))


def test_a_heavy_tail_is_what_lies_beyond_on_logarithmic_axes() -> None:
    x = np.geomspace(1, 1e4, 2000)
    assert beyond(x, x**-2)[1][1000] == pytest.approx(1 / x[1000], rel=0.03)
    figure = drawn(TAIL)
    figure.show(1 / np.linspace(0.01, 1, 500))
    line, run = (figure.layers[name].columns for name in ("law", "run"))
    assert line["ys"][0][0] == pytest.approx(0, abs=1e-6)
    at = np.searchsorted(run["xs"][0], 1.0)
    assert run["ys"][0][at] == pytest.approx(-1, abs=0.05), "a tenth lies beyond ten"
    assert get_range(figure.figure, "x")[1] < 3


def test_angles_go_once_around() -> None:
    figure = drawn(ANGLES[0])
    figure.show(np.array([0.1, 0.1 + 2 * np.pi, -7 * np.pi / 2]))
    assert get_range(figure.figure, "x") == pytest.approx((-np.pi, np.pi))
    assert figure.figure.part("xaxis")["major_label_overrides"][0.0] == "0"
    bars = figure.layers["bars"].columns
    assert (bars["top"] > 0).sum() == 2
    assert bars["top"].sum() * 2 * np.pi / len(bars["top"]) == pytest.approx(1, rel=1e-5)


def test_rival_theories_have_the_colours_of_their_methods() -> None:
    figure = drawn(*ANGLES)
    assert figure.layers["law"].columns["c"] == list(LIGHT.lines[:2])
    assert figure.drawn == ["law-0", "law-1"]
