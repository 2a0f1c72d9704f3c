"""Particles and networks: species, headings, radii, links with a sign, a direction, a bend."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.core import Network, Particles
from mfexplore.figures.states import picture_figure
from mfexplore.figures.style import LIGHT, cyclic

X = np.arange(4.0)
BOX = (0, 4, 0, 4)


def test_species_are_colours_with_names_and_no_gradient() -> None:
    picture = Particles(X, X, BOX, np.array([0, 1, 0, 1]), states=("prey", "predator"))
    drawing = picture_figure(picture, LIGHT)
    key = drawing.named(picture)
    assert [name for name, _ in key] == ["prey", "predator"]
    mapper = drawing.layers["dots"].mapper
    assert mapper["palette"] == [colour for _, colour in key]
    assert (mapper["low"], mapper["high"]) == (-0.5, 1.5)


def test_every_particle_has_its_own_radius_and_heading() -> None:
    drawing = picture_figure(Particles(X, X, BOX, radius=0.1 * X, heading=np.array([0, np.pi / 2, 0, 7])), LIGHT)
    dots, lines = drawing.layers["dots"].columns, drawing.layers["headings"].columns
    assert dots["r"] == pytest.approx(0.1 * X)
    assert dots["c"][3] == pytest.approx(7 - 2 * np.pi)
    assert drawing.layers["dots"].mapper["palette"] == list(cyclic())
    assert lines["xs"][1][:2] == pytest.approx([1, 1])
    assert lines["ys"][1][:2] == pytest.approx([1, 1.2])


def test_links_have_colours_directions_and_bends() -> None:
    edges, sign = np.array([[0, 1], [1, 2]]), np.array([-1.0, 2.0])
    plain = picture_figure(Network(X, X, edges, X, 0, 3), LIGHT).layers
    assert len(plain["links"].columns["x0"]) == 2
    assert not plain["bent"].columns["xs"]
    signed = picture_figure(Network(X, X, edges, X, 0, 3, edge_colour=sign, directed=True, arcs=True), LIGHT).layers
    assert not len(signed["links"].columns["x0"])
    assert len(signed["bent"].columns["xs"]) == 4, "two arcs and two heads"
    assert signed["bent"].columns["c"].tolist() == [-1, 2, -1, 2]
    assert (signed["links"].mapper["low"], signed["links"].mapper["high"]) == (-2, 2)
    arc = np.array([signed["bent"].columns[name][0] for name in ("xs", "ys")])
    assert np.abs(arc[0] - arc[1]).max() > 0.1, "it leaves the straight line"
