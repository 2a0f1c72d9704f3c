"""A crowd against a set."""

from __future__ import annotations

import numpy as np

from mfexplore.families.crowds import Crowd, crowd_of, join, leave
from mfexplore.numerics.kernel import kernel


@kernel
def come_and_go(crowd, count, sites, inside):  # type: ignore[no-untyped-def]
    for site in sites:
        count = leave(crowd, crowd.place[site], count) if inside[site] else join(crowd, site, count)
        inside[site] = not inside[site]
    return count


def test_a_crowd_is_a_set(rng: np.random.Generator) -> None:
    inside = rng.random(50) < 0.3
    crowd, count = crowd_of(np.flatnonzero(inside), 50)
    count = come_and_go(crowd, count, rng.integers(0, 50, 1000), inside)
    assert isinstance(crowd, Crowd)
    assert set(crowd.members[:count]) == set(np.flatnonzero(inside))
    np.testing.assert_array_equal(crowd.members[crowd.place[crowd.members[:count]]], crowd.members[:count])
