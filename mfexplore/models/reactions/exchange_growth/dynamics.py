"""Finitely many clusters that trade monomers, event by event."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.crowds import crowd_of, join, leave
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.kernel import inline_kernel, kernel

if TYPE_CHECKING:
    from mfexplore.models.reactions.exchange_growth import ExchangeGrowth  # noqa: F401  (the type of the model)

OCTAVES = 24  # classes of size: [1, 2), [2, 4), ...; class 0 has the largest
SHOWN, SMALLEST = 196, 0.06  # clusters in the picture, and the radius of a drop that can be seen
MOST = 4_000_000  # events in one step: at gelation they come without end
COUNTED = np.unique(np.round(np.geomspace(1, 1e7, 90))).astype(np.int64)  # edges of the bins of sizes


@inline_kernel
def octave(size):
    """The class of a size, OCTAVES for 0."""
    found = OCTAVES
    while size > 0:
        size >>= 1
        found -= 1
    return found


@inline_kernel
def resize(size, start, at, value, other):
    """Give the cluster at a place another size, and keep the list in the order of the classes. Returns where the
    cluster is now that was at the place `other`.
    """
    old, new = octave(size[at]), octave(value)
    size[at] = value
    while old != new:
        if old > new:  # to the front
            there = start[old]
            start[old] += 1
            old -= 1
        else:
            there = start[old + 1] - 1
            start[old + 1] -= 1
            old += 1
        size[at], size[there] = size[there], value
        if there == other:
            other = at
        at = there
    return other


@inline_kernel
def candidate(start, bound, total, without, rng):
    """(class, place) of a cluster by the largest weight of its class; one of class `without` is left out, the last."""
    left = rng.random() * total
    for c in range(OCTAVES):
        count = start[c + 1] - start[c] - (1 if c == without else 0)
        weight = count * bound[c]
        if count > 0:
            last = c
            if left < weight:
                return c, start[c] + min(count - 1, int(left / bound[c]))
        left -= weight
    return last, start[last]


@kernel
def trade(size, start, exponent, everything, duration, rng):
    """Pairs by their weight, with rejection (which waits, too). The clusters of class c, as `octave` says, are
    size[start[c] : start[c + 1]]; both are overwritten. Returns how much of the duration there was time for.
    """
    total_number = size.size
    bound = np.empty(OCTAVES)
    for c in range(OCTAVES):
        bound[c] = (2.0 ** (OCTAVES - c) - 1.0) ** exponent
    time = 0.0
    for _ in range(MOST):
        total, alike = 0.0, 0.0
        for c in range(OCTAVES):
            weight = (start[c + 1] - start[c]) * bound[c]
            total += weight
            alike += weight * bound[c]
        pairs = total * total - alike  # of different clusters
        if start[OCTAVES] < 2 or pairs <= 0.0:
            return time
        time -= math.log(1.0 - rng.random()) * total_number / pairs
        if time > duration:
            return duration
        left = rng.random() * pairs
        giver_class = 0
        for c in range(OCTAVES):
            weight = (start[c + 1] - start[c]) * bound[c] * (total - bound[c])
            if weight > 0.0:
                giver_class = c
                if left < weight:
                    break
            left -= weight
        giver = start[giver_class] + int(rng.random() * (start[giver_class + 1] - start[giver_class]))
        taker_class, taker = candidate(start, bound, total - bound[giver_class], giver_class, rng)
        if taker_class == giver_class and taker >= giver:
            taker += 1
        given, taken = size[giver], size[taker]
        chance = (float(given) * float(taken)) ** exponent / (bound[giver_class] * bound[taker_class])
        if chance < 1.0 and rng.random() >= chance:
            continue
        part = given if everything else 1
        taker = resize(size, start, giver, given - part, taker)
        resize(size, start, taker, taken + part, -1)
    return time


@kernel
def hop(size, occupied, count, attraction, duration, rng):
    """Sites that stay: a monomer leaves an occupied one at the rate 1 + b/k and goes to any. Returns the new number of
    occupied sites; `size` and the crowd `occupied` are overwritten.
    """
    time = 0.0
    while True:
        time -= math.log(1.0 - rng.random()) / (count * (1.0 + attraction))
        if time > duration:
            return count
        place = int(rng.random() * count)
        giver = occupied.members[place]
        if rng.random() * (1.0 + attraction) * size[giver] >= size[giver] + attraction:
            continue
        taker = int(rng.random() * size.size)
        size[giver] -= 1
        if size[giver] == 0:
            count = leave(occupied, place, count)
        if size[taker] == 0:
            count = join(occupied, taker, count)
        size[taker] += 1


class ExchangeGrowthSimulation(core.Simulation["ExchangeGrowth"]):
    """As defined, one exchange after another."""

    time_unit, recording = "exchange times", "log"

    def prepare(self) -> None:
        m = self.model
        n, self.over = m.size, False
        if m.empties == "vanish":
            self.sizes = np.ones(n, np.int64)
            self.start = np.zeros(OCTAVES + 1, np.int64)
            self.start[OCTAVES] = n
            self.step = 0.004 if m.exponent > m.threshold else float(np.clip(m.age / 400, 0.01, 1.0))
        else:
            self.sizes = np.zeros(n, np.int64)
            if m.start == "even":
                self.sizes += np.bincount(self.rng.integers(0, n, m.monomers), minlength=n)
            else:
                self.sizes[0] = m.monomers
            self.occupied, self.count = crowd_of(np.flatnonzero(self.sizes), n)
            self.step = 4.0
        self.retune()

    def retune(self) -> None:
        self.averages = BlockAverages(len(COUNTED) - 1)

    def evolve(self, duration: float) -> float | None:
        m = self.model
        if m.empties == "vanish":
            done = float(trade(self.sizes, self.start, m.exponent, m.transfer == "all", duration, self.rng))
            self.over = done < duration
            return done
        self.count = hop(self.sizes, self.occupied, self.count, m.attraction, duration, self.rng)
        self.averages.add(self._counts() / m.size)
        return None

    @property
    def clusters(self) -> Array:
        """Sizes of those that have not vanished."""
        return self.sizes[: self.start[OCTAVES]] if self.model.empties == "vanish" else self.sizes

    def _counts(self) -> Array:
        return np.histogram(self.clusters, COUNTED)[0].astype(float)

    def observe(self) -> dict[str, float]:
        m, clusters = self.model, self.clusters
        largest, whole = int(clusters.max()), int(clusters.sum())
        found = {
            "clusters": len(clusters) / m.size, "mass": (whole - largest) / m.size, "condensed": largest / whole,
            "total_mass": whole / m.size,
        }  # fmt: skip
        if m.empties == "vanish":
            found["mean_size"] = whole / len(clusters)
        else:
            found["empty"] = 1 - self.count / m.size
        return found | {"age": self.time}

    @property
    def finished(self) -> bool:
        """A single cluster is left, or exchanges come faster than they can be followed."""
        return self.over

    def profiles(self) -> dict[str, core.Measured]:
        """Clusters of every size, per starting cluster; of bins, at their middle on a logarithmic scale."""
        width = np.diff(COUNTED)
        middle = np.sqrt(COUNTED[:-1] * (COUNTED[1:] - 1.0))
        if self.model.empties == "vanish":
            counts = self._counts()
            mean, error = counts / self.model.size, np.sqrt(counts) / self.model.size
        else:
            mean, error = self.averages.mean_and_error()
        seen = mean > 0
        return {"size_distribution": core.Measured(middle[seen], (mean / width)[seen], (error / width)[seen])}

    def pictures(self) -> core.Album:
        album: dict[str, Callable[[], core.Picture]] = {"clusters": self.picture, "sizes": self._chart}
        return core.Album(album)

    def picture(self) -> core.Particles:
        """Some of the clusters as drops: areas in proportion to their sizes."""
        side = math.isqrt(SHOWN)
        shown = np.zeros(SHOWN)
        clusters = self.clusters
        some = clusters[:: -(-len(clusters) // SHOWN)][:SHOWN]
        shown[: len(some)] = some
        place = np.arange(SHOWN)
        radius = np.where(shown > 0, np.maximum(0.5 * np.sqrt(shown / max(1, shown.max())), SMALLEST), 0.0)
        caption = f"clusters as drops, {len(some)} of {len(clusters)}; the largest of these has {int(shown.max())}"
        return core.Particles(
            place % side + 0.5, place // side + 0.5, (0.0, float(side), 0.0, float(side)),
            np.log(np.maximum(shown, 0.5)), radius, caption,
        )  # fmt: skip

    def _chart(self) -> core.Chart:
        """How many clusters there are of every size, and what theory says of them now."""
        measured = self.profiles()["size_distribution"]
        run = core.Series("run", measured.coordinate, measured.values, "points", error=measured.error)
        sizes, rows = self.model.distribution(self.time)
        names = ("rate equations", "scaling law")
        there = [(name, row) for name, row in zip(names, rows, strict=True) if np.isfinite(row).any()]
        low = 0.3 / self.model.size / max(1.0, float(measured.coordinate.max(initial=1.0)))
        return core.Chart(
            (run, *(core.Series(name, sizes, row) for name, row in there)),
            core.Axis("size", "log"),
            core.Axis("clusters per starting cluster", "log", low, 1.5),
        )
