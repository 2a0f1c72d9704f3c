"""Links of a graph: every edge twice, each end knowing the other."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mfexplore.families.sparse_graphs.graphs import build, links


@pytest.mark.parametrize("graph", [nx.petersen_graph(), nx.path_graph(5), nx.gnp_random_graph(40, 0.1, seed=1)])
def test_links(graph: nx.Graph) -> None:
    edges, n = np.array(graph.edges()), graph.number_of_nodes()
    found = links(edges, n)
    owner = np.repeat(np.arange(n), found.degrees)
    for node in range(n):
        ends = found.neighbours[found.starts[node] : found.starts[node + 1]]
        assert sorted(ends.tolist()) == sorted(graph.neighbors(node))
    np.testing.assert_array_equal(owner[found.reverse], found.neighbours)
    np.testing.assert_array_equal(found.reverse[found.reverse], np.arange(2 * len(edges)))
    np.testing.assert_array_equal(found.edge[found.reverse], found.edge)
    assert sorted(np.bincount(found.edge).tolist()) == [2] * len(edges)


def test_no_edges() -> None:
    found = links(np.empty((0, 2), np.int64), 3)
    assert found.degrees.tolist() == [0, 0, 0]
    assert found.neighbours.size == 0


@pytest.mark.parametrize(("graph", "degree"), [("random_regular", 5), ("random_regular", 3), ("erdos_renyi", 4)])
def test_graphs_have_the_asked_degrees(graph: str, degree: int) -> None:
    found, shape = build(graph, degree, 1002, np.random.default_rng(1))
    degrees = found.degrees
    assert shape[0] * shape[1] >= len(degrees)
    if graph == "random_regular":
        assert set(degrees.tolist()) == {degree}
    else:
        assert degrees.mean() == pytest.approx(degree, rel=0.05)
        assert degrees.var() == pytest.approx(degree, rel=0.15)


def test_the_square_lattice() -> None:
    found, shape = build("square", 4, 36, np.random.default_rng(1))
    assert shape == (6, 6)
    assert set(found.degrees.tolist()) == {4}
    assert sorted(found.neighbours[found.starts[7] : found.starts[8]].tolist()) == [1, 6, 8, 13]
