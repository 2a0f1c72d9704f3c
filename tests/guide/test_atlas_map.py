"""The map: every system once, nothing covered, the same each time."""

from __future__ import annotations

import itertools
from xml.etree import ElementTree

import numpy as np
import pytest

from mfexplore.core.catalogue import places
from mfexplore.core.related import relations
from mfexplore.guide import atlas_map
from mfexplore.guide.routes import CLEAR, routes


def test_every_system_and_every_relation_is_on_the_map() -> None:
    drawn = ElementTree.fromstring(atlas_map.draw(".html"))
    links = [one.attrib for one in drawn.iter("a")]
    assert sorted(link["href"] for link in links) == sorted(f"{key}.html" for key in places())
    assert all(link["aria-label"] for link in links)
    lines = [one.attrib["data-ends"] for one in drawn.iter("path")]
    assert lines == [f"{one.key} {other.key}" for one, _, other in relations()]


def covering(centres: np.ndarray, sizes: np.ndarray) -> int:
    gaps = np.abs(centres[:, None] - centres[None])
    both = (gaps < (sizes[:, None] + sizes[None]) / 2).all(axis=-1)
    return int(both.sum() - len(centres)) // 2


@pytest.mark.parametrize("narrow", [False, True])
def test_no_name_covers_another(narrow: bool) -> None:
    there = atlas_map.places(narrow)
    centres = np.array([(place.x, place.y) for place in there])
    sizes = np.array([(place.width, place.height) for place in there])
    assert covering(centres, sizes) == 0
    if narrow:
        assert (centres[:, 0] + sizes[:, 0] / 2).max() <= atlas_map.NARROW


@pytest.mark.parametrize("narrow", [False, True])
def test_no_line_crosses_the_name_of_another_system(narrow: bool) -> None:
    there = atlas_map.places(narrow)
    low = np.array([(place.x - place.width / 2, place.y - place.height / 2) for place in there])
    high = 2 * np.array([(place.x, place.y) for place in there]) - low
    keys = [place.entry.key for place in there]
    for (one, _, other), way in zip(relations(), atlas_map.lines_between(there), strict=True):
        points = np.concatenate([a + (b - a) * np.linspace(0, 1, 200)[:, None] for a, b in itertools.pairwise(way)])
        hit = ((points[:, None] > low) & (points[:, None] < high)).all(axis=-1).any(axis=0)
        assert {keys[k] for k in np.flatnonzero(hit)} <= {one.key, other.key}


def test_a_line_takes_the_shortest_way_around() -> None:
    centres, sizes = (
        np.array([[0.0, 0.0], [50.0, 0.0], [100.0, 0.0]]),
        np.array([[10.0, 10.0], [20.0, 40.0], [10.0, 10.0]]),
    )
    around, straight = routes(centres, sizes, [(0, 2), (0, 1)])
    assert len(straight) == 2
    assert np.abs(around[1:-1, 1]).max() == 20 + CLEAR
    assert len(around) == 4


def test_there_is_room_for_many_more() -> None:
    rng = np.random.default_rng(1)
    centres, sizes = rng.normal(scale=150, size=(150, 2)), rng.uniform((60, 20), (150, 40), size=(150, 2))
    assert covering(centres, sizes) > 100
    assert covering(atlas_map.apart(centres, sizes), sizes) == 0


def test_relatives_lie_nearer_than_strangers() -> None:
    there = {place.entry.key: np.array([place.x, place.y]) for place in atlas_map.places()}
    near = [np.linalg.norm(there[one.key] - there[other.key]) for one, _, other in relations()]
    every = list(there.values())
    usual = [np.linalg.norm(one - other) for i, one in enumerate(every) for other in every[:i]]
    assert np.median(near) < np.median(usual) / 2


def test_wanted_distances_are_met_where_they_can_be() -> None:
    square = np.array([[0, 0], [1, 0], [1, 1], [0, 1]], float)
    distances = np.linalg.norm(square[:, None] - square[None], axis=-1)
    start = np.array([[0.1, 0], [2, 0.3], [1.5, 2], [-1, 1]])
    found = atlas_map.laid_out(distances, start)
    np.testing.assert_allclose(np.linalg.norm(found[:, None] - found[None], axis=-1), distances, atol=1e-3)
