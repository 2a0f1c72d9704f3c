"""Pictures with axes: series, guides, heat maps and what lies on them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from mfexplore.core import Arrows, Axis, Chart, Field, Guide, Series
from mfexplore.figures.charts import SQUARE_WITH_BAR
from mfexplore.figures.frame import get_range
from mfexplore.figures.states import StatePlace, picture_figure
from mfexplore.figures.style import LIGHT, cyclic

X = np.geomspace(1, 1000, 13)
LOG = Axis("size", "log"), Axis("mass", "log")


def test_a_power_law_is_straight_and_lies_on_its_guide() -> None:
    drawing = picture_figure(Chart((Series("mass", X, X**1.7),), *LOG, (Guide(1.7, (1.0, 1.0), "1.7"),)), LIGHT)
    line, guide = drawing.layers["lines"].columns, drawing.layers["guides"].columns
    assert np.allclose(line["ys"][0], 1.7 * line["xs"][0], atol=1e-4)
    assert np.allclose(guide["ys"][0], 1.7 * guide["xs"][0], atol=1e-4)
    (bottom, top), (left, right) = get_range(drawing.figure, "y"), get_range(drawing.figure, "x")
    assert guide["ys"][0].min() >= bottom - 1e-3
    assert guide["ys"][0].max() <= top + 1e-3
    assert drawing.layers["names"].columns["Label"] == ["1.7"]
    assert left < drawing.layers["names"].columns["x"][0] < right


def test_theory_and_simulation_of_one_thing_have_one_colour_and_one_entry() -> None:
    chart = Chart((Series("mass", X, X, "points"), Series("mass", X, X), Series("other", X, 2 * X)), *LOG)
    drawing = picture_figure(chart, LIGHT)
    assert [name for name, _ in drawing.named(chart)] == ["mass", "other"]
    assert drawing.layers["points"].columns["c"][0] == drawing.layers["lines"].columns["c"][0]


def test_steps_bars_bands_and_errors() -> None:
    x = np.arange(4.0)
    chart = Chart(
        (
            Series("step", x, x, "step"), Series("bars", x, x, "bars"), Series("band", x, x, "band", upper=x + 1),
            Series("points", x, x, "points", error=np.full(4, 0.5)),
        ),
        Axis("x"), Axis("y"),
    )  # fmt: skip
    layers = picture_figure(chart, LIGHT).layers
    assert layers["lines"].columns["xs"][0].tolist() == [0, 1, 1, 2, 2, 3, 3]
    assert layers["bars"].columns["left"].tolist() == pytest.approx([-0.4, 0.6, 1.6, 2.6])
    assert len(layers["bands"].columns["xs"][0]) == 8
    assert layers["errors"].columns["y1"].tolist() == pytest.approx([0.5, 1.5, 2.5, 3.5])


def test_an_axis_that_was_logarithmic_calls_its_places_by_their_values() -> None:
    """Bokeh keeps the labels that an axis once had, wherever a tick comes to lie on such a place."""
    place = StatePlace(LIGHT)
    place.show(Chart((Series("", X, X),), *LOG))
    assert place.figure.part("xaxis")["major_label_overrides"][2.0] == "100"
    place.show(Chart((Series("", X, X),), Axis("size"), Axis("mass")))
    assert place.figure.part("xaxis")["major_label_overrides"][2.0] == "2"
    place.show(Chart((Series("", X, X),), *LOG))
    assert place.figure.part("xaxis")["major_label_overrides"][2.0] == "100"


def test_equal_axes_are_equally_long() -> None:
    place = StatePlace(LIGHT)
    place.show(Chart((Series("", np.arange(3.0), 9 * np.arange(3.0)),), Axis("x"), Axis("y"), equal=True))
    (left, right), (bottom, top) = (get_range(place.figure, axis) for axis in ("x", "y"))
    assert right - left == pytest.approx(top - bottom)
    assert place.shape == "square"


def test_a_field_of_space_has_a_square_frame() -> None:
    """Beside its bar of colours: a circle is round. A field of anything else fills the place."""
    space = Field(np.zeros((4, 4)), (0.0, 1.0, 0.0, 1.0), Axis("x"), Axis("y"), 0, 1, equal=True)
    for picture, shape, narrow in ((space, "square", True), (replace(space, equal=False), "wide", False)):
        place = StatePlace(LIGHT)
        place.show(picture)
        assert place.shape == shape
        assert (place.figure.part("figure")["aspect_ratio"] == SQUARE_WITH_BAR) == narrow


def test_a_field_lies_where_its_extent_says_and_its_first_row_at_the_bottom() -> None:
    values = np.arange(12.0).reshape(3, 4)
    field = Field(values, (1.0, 100.0, -1.0, 1.0), Axis("x", "log"), Axis("y"), 0, 11, contours=(5.5,))
    layers = picture_figure(field, LIGHT).layers
    image = layers["image"].columns
    assert (image["x"], image["dw"], image["y"], image["dh"]) == ([0.0], [2.0], [-1.0], [2.0])
    assert np.array_equal(image["image"][0], values.astype(np.float32))
    assert np.allclose(layers["contours"].columns["ys"][0].mean(), 0, atol=0.2)


def test_angles_have_colours_that_come_back() -> None:
    field = Field(np.zeros((2, 2)), (0, 1, 0, 1), Axis("x"), Axis("y"), 0, 2 * np.pi, cyclic=True)
    drawing = picture_figure(field, LIGHT)
    assert drawing.layers["image"].mapper["palette"] == list(cyclic())
    channels = np.array([[int(colour[i : i + 2], 16) for i in (1, 3, 5)] for colour in (*cyclic(), cyclic()[0])])
    assert np.abs(np.diff(channels, axis=0)).max() < 12, "no edge, also not between the last and the first"


def test_directors_have_no_heads() -> None:
    arrows = Arrows(np.ones(1), np.ones(1), np.ones(1), np.zeros(1))
    field = Field(np.zeros((2, 2)), (0, 3, 0, 3), Axis("x"), Axis("y"), 0, 1, arrows=arrows)
    pointed = picture_figure(field, LIGHT).layers["arrows"].columns
    assert pointed["xs"][0][:2].tolist() == [1, 2]
    assert len(pointed["xs"][0]) == 6
    directors = picture_figure(replace(field, arrows=replace(arrows, headless=True)), LIGHT).layers["arrows"].columns
    assert directors["xs"][0].tolist() == [0.5, 1.5]


def test_heads_of_arrows_keep_their_shape_whatever_the_frame() -> None:
    one = np.ones(1)
    field = Field(
        np.zeros((2, 2)), (0, 4, 0, 1), Axis("x"), Axis("y"), 0, 1, arrows=Arrows(one, 0.5 * one, one, 0 * one)
    )
    place = StatePlace(LIGHT)
    place.show(field)
    for width, height in ((400, 100), (300, 200)):
        place.resize(width, height)
        x, y = (np.array(place.figure.columns("arrows")[name][0]) for name in ("xs", "ys"))
        left, right = (place.figure.part("x_range")[end] for end in ("start", "end"))
        bottom, top = (place.figure.part("y_range")[end] for end in ("start", "end"))
        pixels = np.stack([(x - x[1]) / (right - left) * width, (y - y[1]) / (top - bottom) * height])
        opening = np.degrees(np.arctan2(abs(pixels[1, 2]), abs(pixels[0, 2])))
        assert opening == pytest.approx(np.degrees(0.4), abs=0.1)


def test_a_long_title_of_an_ordinate_takes_two_lines() -> None:
    place = StatePlace(LIGHT)
    place.show(Chart((), Axis("x"), Axis("share of oscillators that are slower")))
    assert place.figure.part("yaxis")["axis_label"] == "share of oscillators\nthat are slower"
