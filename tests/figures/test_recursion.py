"""A recursion as a cobweb."""

from __future__ import annotations

import numpy as np
import pytest
from toy import Toy

from mfexplore.figures.recursion import RecursionFigure, cobweb
from mfexplore.figures.style import LIGHT


def test_steps_lead_from_the_start_to_the_fixed_point() -> None:
    x = np.linspace(0, 1, 401)
    xs, ys = cobweb(x, np.sqrt(x), 0.1)
    assert (xs[0], xs[-1]) == pytest.approx((0.1, 1.0), abs=1e-3)
    assert np.allclose(ys[1::2], np.sqrt(xs[1::2]), atol=2e-2)
    assert np.array_equal(xs[2::2], ys[2::2]), "every second corner lies on the diagonal"
    leaving, _ = cobweb(x, 3 * x, 0.1)
    assert leaving[-1] > 0.3


def test_the_figure_shows_map_diagonal_and_web() -> None:
    figure = RecursionFigure(Toy, LIGHT)
    figure.show(Toy().recursion())
    assert {name for name, layer in figure.layers.items() if layer.columns} == {"map", "diagonal", "web"}
