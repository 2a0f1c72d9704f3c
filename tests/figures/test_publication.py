"""Figures for paper say the same as those on the screen: decades, bounds, functions, dots and loops."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from matplotlib.collections import PathCollection, PolyCollection
from matplotlib.container import BarContainer
from toy import LAG, Toy, dressed

import mfexplore as mf
from mfexplore.core import Measured
from mfexplore.figures import publication
from mfexplore.figures.publication_trace import traces
from mfexplore.study.measured import Dots

RATES = np.geomspace(0.1, 10, 9)


def axes_of(figure: Any) -> Any:
    return figure.axes[0]


def labels(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_a_curve_has_decades_where_its_axes_do_and_shows_what_lies_beyond_a_bound() -> None:
    axes = axes_of(publication.curve(Toy().theory(rate=RATES, profiles=False), Toy, "rate", "level"))
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    low, high = axes.get_ylim()
    assert 0 < low < 1e-4
    assert 1 < high < 10
    (shade,) = [one for one in axes.collections if isinstance(one, PolyCollection)]
    corners = shade.get_paths()[0].vertices
    side = corners[np.isclose(corners[:, 0], 0.1), 1]
    assert side.min() == pytest.approx(2 * 0.01), "the bound of the toy is twice its theory"
    assert side.max() == pytest.approx(high), "the truth cannot be above an upper bound"


def test_error_bars_on_decades_do_not_reach_below_zero() -> None:
    theory = Toy().theory(rate=RATES, profiles=False)
    axes = axes_of(publication.curve(theory, Toy, "rate", "level", [(1.0, 0.1, 0.02), (2.0, 0.1, 0.5)]))
    (bars,) = [c for c in axes.containers if hasattr(c, "has_yerr")]
    ends = np.array([segment[:, 1] for segment in bars[2][0].get_segments()])
    assert ends[0] == pytest.approx([0.08, 0.12])
    assert (ends > 0).all()


def test_a_function_is_a_line_with_what_was_measured() -> None:
    run = Measured(LAG[::4], np.exp(-LAG[::4]), np.full(11, 0.05))
    axes = axes_of(publication.function(Toy().theory(), Toy, "decay", run))
    assert axes.get_xlabel().startswith("lag")
    assert "days" in axes.get_xlabel()
    assert labels(axes)[0] == "theory, calm"
    assert "one run" in labels(axes)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), np.exp(-LAG))


def test_a_function_over_whole_numbers_is_bars() -> None:
    axes = axes_of(publication.function(Toy().theory(), Toy, "shape"))
    bars = [one for one in axes.containers if isinstance(one, BarContainer)]
    assert len(bars) == 3
    assert [bar.get_height() for bar in bars[0]] == pytest.approx([0.4, 0.3, 0.2, 0.1])
    places = [bar.get_x() + bar.get_width() / 2 for one in bars for bar in one if bar.get_height() == 0.4]
    assert np.mean(places) == pytest.approx(0, abs=1e-12), "bars of rivals stand side by side"


def test_one_function_against_another() -> None:
    coordinate = LAG[::4]
    decay = Measured(coordinate, np.exp(-coordinate))
    response = Measured(coordinate, 1 - np.exp(-coordinate))
    axes = axes_of(publication.function(Toy().theory(), Toy, "response", response, decay))
    assert axes.get_xlabel().startswith("decay")
    np.testing.assert_allclose(axes.lines[0].get_xdata() + axes.lines[0].get_ydata(), 1)


def test_a_function_by_decades() -> None:
    axes = axes_of(publication.function(dressed().theory(), Toy, "power"))
    assert axes.get_yscale() == "log"
    assert 0 < axes.get_ylim()[0] < 1e-4


def test_a_diagram_by_decades_says_values_and_dots_have_its_colours() -> None:
    made = publication.diagram(
        Toy().diagram(resolution=5), Toy, "level",
        measured=Dots(np.array([0.2, 0.8]), np.array([0.5, 2.0]), {"level": np.array([1e-2, 1.0])}),
    )  # fmt: skip
    (dots,) = [one for one in axes_of(made).collections if isinstance(one, PathCollection)]
    np.testing.assert_allclose(dots.get_array(), [-2, 0])
    assert dots.norm is axes_of(made).collections[0].norm
    bar = made.axes[1]
    assert [text.get_text() for text in bar.get_yticklabels()] == ["10⁻⁴", "0.001", "0.01", "0.1", "1"]


def test_a_loop_has_its_direction() -> None:
    kind = mf.system("curie_weiss")
    model, field = kind(temperature=0.6, size=50), np.linspace(-0.4, 0.4, 5)
    loop = model.hysteresis("field", field, seed=1)
    axes = axes_of(publication.curve(model.theory(field=field), kind, "field", "magnetization", loop=loop))
    arrows = {line.get_marker(): line.get_ydata() for line in axes.lines if line.get_marker() in "<>"}
    np.testing.assert_array_equal(arrows[">"], loop["magnetization"].sel(direction="up"))
    np.testing.assert_array_equal(arrows["<"], loop["magnetization"].sel(direction="down"))


def test_a_trace_has_decades_of_time_and_the_theories_of_what_ran() -> None:
    run = Toy().simulate()
    run.advance(8)
    made = traces(run.trace(), Toy, Toy().equilibrium())
    level = axes_of(made)
    assert (level.get_xscale(), level.get_yscale()) == ("log", "log")
    assert level.get_xlim() == pytest.approx((1, 8))
    assert labels(level) == ["theory", "ceiling"], "the rival describes another option of the simulation"


@pytest.mark.parametrize("name", ["decay", "shape", "response"])
def test_every_function_can_be_saved(name: str) -> None:
    assert publication.save(publication.function(Toy().theory(), Toy, name), "pdf").startswith(b"%PDF")
