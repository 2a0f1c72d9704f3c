"""Links of a graph: every edge twice, each end knowing the other."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest

from mfexplore.families.sparse_graphs.graphs import links


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
