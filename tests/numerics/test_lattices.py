"""Periodic lattices: every neighbour is mutual, at the right distance, and drawn once."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mfexplore.numerics.lattices import CRYSTALS, cells_for, drawing, neighbourhood, sites, smallest

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
def test_every_site_is_drawn_in_a_place_of_its_own(name: str) -> None:
    cells = 6
    numbers, rows, columns, shape = drawing(name, cells)
    expected = sites(name, cells) // (cells if CRYSTALS[name].dimension == 3 else 1)
    assert len(set(numbers.tolist())) == expected
    assert len(set(zip(rows.tolist(), columns.tolist(), strict=True))) == expected
    assert rows.max() < shape[0]
    assert columns.max() < shape[1]


def test_honeycomb_is_drawn_as_a_brick_wall() -> None:
    cells = 8
    numbers, rows, columns, shape = drawing("honeycomb", cells)
    place = dict(zip(numbers.tolist(), zip(rows.tolist(), columns.tolist(), strict=True), strict=True))
    for site, row in enumerate(neighbourhood("honeycomb", cells).table()):
        if place[site][0] not in (0, cells - 1):  # the drawing is sheared across the border
            steps = [(place[int(j)][0] - place[site][0], (place[int(j)][1] - place[site][1]) % shape[1]) for j in row]
            assert sorted(abs(dy) + min(dx, shape[1] - dx) for dy, dx in steps) == [1, 1, 1]
