"""Periodic lattices: every neighbour is mutual, at the right distance, and drawn once."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mfexplore.numerics.space.lattices import CRYSTALS, cells_for, drawing, neighbourhood, sites, smallest

COORDINATION = {
    "square": 4, "triangular": 6, "honeycomb": 3, "kagome": 4, "cubic": 6, "bcc": 8, "fcc": 12, "diamond": 4,
    "hydrogen_peroxide": 3,
}  # fmt: skip
GIRTH = {
    "square": 4, "triangular": 3, "honeycomb": 6, "kagome": 3, "cubic": 4, "bcc": 4, "fcc": 3, "diamond": 6,
    "hydrogen_peroxide": 10,
}  # fmt: skip
every_lattice = pytest.mark.parametrize("name", CRYSTALS)


@every_lattice
def test_neighbours_are_mutual_distinct_and_as_many_as_they_should_be(name: str) -> None:
    for cells in (smallest(name), smallest(name) + 1, 5):
        table = neighbourhood(name, cells).table()
        assert table.shape == (sites(name, cells), COORDINATION[name])
        pairs = {(i, int(j)) for i, row in enumerate(table) for j in row}
        assert len(pairs) == table.size
        assert all((j, i) in pairs and i != j for i, j in pairs)


@every_lattice
def test_shortest_loop(name: str) -> None:
    table = neighbourhood(name, 4 if CRYSTALS[name].dimension == 3 else 7).table()
    graph = nx.Graph([(i, int(j)) for i, row in enumerate(table) for j in row])
    assert nx.is_connected(graph)
    assert nx.girth(graph) == GIRTH[name]


@pytest.mark.parametrize("name", [n for n, c in CRYSTALS.items() if c.dimension == 3])
def test_bonds_in_space_are_all_pairs_at_the_shortest_distance(name: str) -> None:
    crystal, cells = CRYSTALS[name], 4
    places = [
        crystal.period * np.array(cell) + np.array(place)
        for cell in np.ndindex(cells, cells, cells)
        for place in crystal.basis
    ]
    box = crystal.period * cells
    difference = np.abs(np.array(places)[:, None] - np.array(places)[None])
    squared = (np.minimum(difference, box - difference) ** 2).sum(axis=-1)
    np.fill_diagonal(squared, 10**6)
    for site, row in enumerate(neighbourhood(name, cells).table()):
        assert set(row.tolist()) == set(np.flatnonzero(squared[site] == squared.min()).tolist())


@every_lattice
def test_size_is_rounded_to_the_nearest_box(name: str) -> None:
    for cells in range(smallest(name), smallest(name) + 4):
        assert cells_for(name, sites(name, cells)) == cells
        assert cells_for(name, sites(name, cells) + 1) == cells
    assert cells_for(name, 1) == smallest(name)


@every_lattice
def test_every_site_is_drawn(name: str) -> None:
    cells = 6
    picture = drawing(name, cells)
    shown, dots = np.unique(picture[picture >= 0], return_counts=True)
    assert len(shown) == sites(name, cells) // (cells if CRYSTALS[name].dimension == 3 else 1)
    assert set(dots.tolist()) <= ({1} if CRYSTALS[name].dimension == 2 else {1, 2, 3})
    assert (picture < 0).mean() == (0.25 if name == "kagome" else 0)


@pytest.mark.parametrize("name", ["square", "triangular", "honeycomb"])
def test_neighbours_are_drawn_side_by_side(name: str) -> None:
    cells = 8
    picture = drawing(name, cells)
    place = {int(site): where for where, site in np.ndenumerate(picture)}
    for site, row in enumerate(neighbourhood(name, cells).table()):
        y, x = place[site]
        if y not in (0, len(picture) - 1):  # the drawing is sheared across the border
            steps = [(place[int(j)][0] - y, (place[int(j)][1] - x) % picture.shape[1]) for j in row]
            assert all(abs(dy) <= 1 and min(dx, picture.shape[1] - dx) <= 1 for dy, dx in steps)
            if name != "triangular":
                assert all(abs(dy) + min(dx, picture.shape[1] - dx) == 1 for dy, dx in steps)
