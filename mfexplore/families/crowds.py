"""Those of many sites that are in one state, in a list in which anybody is found, taken in and let go in O(1).

A process that goes event by event (an infection, a reaction) picks its next actor from such a list, however few of all
sites are in it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.kernel import inline_kernel


class Crowd(NamedTuple):
    """`members[:count]` lists the sites, `place` says where in the list a member is; int64 arrays of shape (sites,)."""

    members: Array
    place: Array


def crowd_of(sites: Array, capacity: int) -> tuple[Crowd, int]:
    """A crowd of these sites (indices below `capacity`) and their number."""
    members, place = np.zeros(capacity, np.int64), np.zeros(capacity, np.int64)
    members[: sites.size] = sites
    place[sites] = np.arange(sites.size)
    return Crowd(members, place), int(sites.size)


@inline_kernel
def join(crowd, site, count):
    """Take in a site that is not a member. Returns the new count."""
    crowd.members[count] = site
    crowd.place[site] = count
    return count + 1


@inline_kernel
def leave(crowd, k, count):
    """Let the k-th member go. Returns the new count."""
    last = crowd.members[count - 1]
    crowd.members[k] = last
    crowd.place[last] = k
    return count - 1
