"""Pictures of a run for paper: every kind is drawn, with what it holds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mfexplore.core import (
    Arrows,
    Axis,
    Chart,
    Density,
    Field,
    Guide,
    Landscape,
    Lattice,
    Law,
    Network,
    Particles,
    Patterns,
    Phases,
    Picture,
    Series,
    Spectrum,
    Trajectories,
    system,
)
from mfexplore.figures import publication, publication_live

X = np.linspace(1.0, 4.0, 7)
CELLS = np.arange(12).reshape(3, 4) % 3 - 1
PICTURES: dict[str, Picture] = {
    "lattice": Lattice(CELLS, 0, 1, "cells", states=("empty", "full"), outside="wall"),
    "spins": Lattice(np.sign(CELLS + 0.5).astype(np.int8), -1, 1),
    "patterns": Patterns((("cue", CELLS), ("now", CELLS), ("memory", CELLS), ("other", CELLS)), -1, 1),
    "phases": Phases(X, 0.5 + 0.2j, X),
    "trajectories": Trajectories(X, np.stack([X, X**2]), names=("one", "two")),
    "density": Density(X, (("theory", X), ("run", X**2)), "x", "p"),
    "spectrum": Spectrum(np.exp(1j * X)),
    "levels": Spectrum(X),
    "particles": Particles(X, X, (0, 5, 0, 5), radius=0.1 * X, heading=X),
    "species": Particles(X, X, (0, 5, 0, 5), np.arange(7) % 2, states=("prey", "predator")),
    "network": Network(X, X**2, np.array([[0, 1], [2, 5]]), X, 0, 4, edge_colour=np.array([-1.0, 2.0])),
    "chart": Chart(
        (Series("sizes", X, X**2), Series("sizes", X, X**2, "points", 0.1 * X), Series("counts", X, X, "bars"),
         Series("band", X, X, "band", upper=2 * X), Series("steps", X, X, "step")),
        Axis("x", "log"), Axis("y", "log"), (Guide(2.0, (1.0, 1.0), "square"),),
    ),
    "field": Field(
        np.outer(X, X), (1, 4, 1, 4), Axis("x"), Axis("y"), 0, 16, contours=(4.0, 2.0), paths=((X, X),),
        points=(Series("here", X[:2], X[:2], "points"),), arrows=Arrows(X, X, 0.1 * X, 0.1 * X, headless=True),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", PICTURES)
def test_every_kind_of_picture_is_drawn(kind: str) -> None:
    figure = publication_live.picture(PICTURES[kind])
    axes = figure.axes[0]
    assert axes.has_data()
    made = publication.save(figure, "png", caption="what it is of: T = 0.2, N = 2,000", dpi=50)
    assert made.startswith(b"\x89PNG")
    assert "N = 2,000" in figure.get_supxlabel()


def test_a_guide_is_a_power_where_axes_are_logarithmic() -> None:
    axes = publication_live.picture(PICTURES["chart"]).axes[0]
    (guide,) = [line for line in axes.lines if line.get_label() == "square"]
    x, y = guide.get_xdata(), guide.get_ydata()
    assert y == pytest.approx(np.asarray(x) ** 2)


def test_branches_stand_on_their_landscape() -> None:
    kind = system("curie_weiss")
    m = np.linspace(-1, 1, 201)
    shown = Landscape("magnetization", m, (m**2 - 0.25) ** 2, rivals=(("steeper", 2 * m**2),))
    figure = publication_live.landscape(shown, kind, np.array([0.5, -0.5, 0.0]), np.array([True, True, False]))
    dots = [line for line in figure.axes[0].lines if line.get_marker() == "o"]
    stable, barrier = (np.asarray(one.get_ydata()) for one in dots)
    assert stable == pytest.approx([0, 0], abs=1e-12)
    assert barrier == pytest.approx([0.0625])


@pytest.mark.parametrize("shape", [{}, {"discrete": True}, {"scale": "log"}, {"circular": True}])
def test_a_run_is_drawn_under_the_law(shape: dict[str, Any]) -> None:
    kind = system("curie_weiss")
    law = Law("magnetization", X, np.full(7, 0.25), "flat", atoms=((2.0, 0.1),), **shape)
    axes = publication_live.histogram((law,), kind, np.repeat(X, 3)).axes[0]
    labels = axes.get_legend_handles_labels()[1]
    assert {"run", "theory"} <= set(labels)
