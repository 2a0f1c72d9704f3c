"""Predators and prey: neighbours on a lattice, or anybody with anybody; spectra and fronts of what happens."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.families.encounters import encounters
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.reactions.lotka_volterra import LotkaVolterra  # noqa: F401 (what it simulates)

EMPTY, PREY, PREDATOR = range(3)  # states of a site
SEGMENT = 200.0  # shortest time in one periodogram
SETTLED = 60.0  # shortest time after which the start is forgotten
FORGET, RESOLVE = 5.0, 25.0  # as many decay times of a deviation: to forget the start, and to see a peak as it is
PATIENCE = 600.0  # longest time in which to forget the start
FREQUENCIES = np.linspace(0.02, 1.5, 149)


def outcomes() -> Array:
    """What (who meets, who is met) become in a predation, a birth, a death: uint8 of shape (3, 3, 3, 2)."""
    me, you = np.indices((3, 3))
    table = np.stack([np.stack([me, you], axis=-1)] * 3).astype(np.uint8)
    table[0, PREDATOR, PREY, 1] = PREDATOR
    table[1, PREY, EMPTY, 1] = PREY
    table[2, PREDATOR, :, 0] = EMPTY
    return table


@kernel
def well_mixed(counts, total, predation, birth, death, duration, rng):
    """Reactions of anybody with anybody for a duration, one after another, exactly: O(1) each.

    `counts` (int64: predators, prey) is overwritten.
    """
    time = 0.0
    while True:
        a, b = counts[0], counts[1]
        hunt, breed, die = predation * a * b / total, birth * b * (total - a - b) / total, death * a
        rate = hunt + breed + die
        if rate <= 0.0:
            return
        time -= math.log(1.0 - rng.random()) / rate
        if time > duration:
            return
        pick = rng.random() * rate
        if pick < hunt:
            counts[0] += 1
            counts[1] -= 1
        elif pick < hunt + breed:
            counts[1] += 1
        else:
            counts[0] -= 1


class PredatorSimulation(core.Simulation["LotkaVolterra"]):
    """Neighbours on a lattice, or anybody with anybody; from a random mixture, or a line of predators among prey."""

    time_unit = "time units"
    window = 400.0

    def prepare(self) -> None:
        m, rng = self.model, self.rng
        self.linear = m.linear
        self.step = 1.0 if m.mixing == "well_mixed" else 0.5
        self.stream = new_stream(rng)
        self.table = outcomes()
        if m.invades:
            self.grid = np.full((self.linear, self.linear), PREY, np.uint8)
            self.grid[:, 0] = PREDATOR
        else:
            mixture = [1 - m.first_predators - m.first_prey, m.first_prey, m.first_predators]
            self.grid = rng.choice(3, (self.linear, self.linear), p=mixture).astype(np.uint8)
        here = np.bincount(self.grid.ravel(), minlength=3)
        self.counts = np.array([here[PREDATOR], here[PREY]])
        self.reached = [0.0]  # distance of the front, step by step
        self.retune()

    def retune(self) -> None:
        """Spectrum and variance are of one setting of the controls; slow decay asks for more time, and narrow peaks."""
        m = self.model
        decay = float(m.equilibrium(profiles=False)["damping"]) if m.mixing == "well_mixed" else math.inf
        decays = 1 / max(decay, 1e-3)
        self.relaxation = min(max(SETTLED, FORGET * decays), PATIENCE)
        self.points = round(max(SEGMENT, RESOLVE * decays) / self.step)  # in one periodogram
        self.path: Array | None = None  # of mean field, for the picture
        self.since = round(self.time / self.step)
        self.past: list[float] = []  # predators, since then
        self.power, self.segments = np.zeros(self.points // 2 + 1), 0
        self.sums = np.zeros(3)  # number, sum and sum of squares of what the past had

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.mixing == "lattice":
            attempts = self.updates(duration, self.grid.size * (m.predation + m.birth + m.death))
            encounters(
                self.grid.reshape(-1), self.linear, attempts, m.predation, m.birth, m.death, self.table, self.stream
            )
            here = np.bincount(self.grid.ravel(), minlength=3)
            self.counts[:] = here[PREDATOR], here[PREY]
            if m.invades:
                self.reached.append(self._front())
        else:
            well_mixed(self.counts, self.grid.size, m.predation, m.birth, m.death, duration, self.rng)
        self._remember()

    def _remember(self) -> None:
        if round(self.time / self.step) + 1 - self.since <= self.relaxation / self.step:
            return
        density = self.counts[0] / self.grid.size
        self.sums += 1, density, density**2
        self.past.append(density)
        if len(self.past) == self.points:  # overlapping by half, so that the window wastes nothing
            window = np.hanning(self.points)
            seen = np.array(self.past)
            power = np.abs(np.fft.rfft((seen - seen.mean()) * window)) ** 2
            self.power += power * self.step / (window**2).sum() * self.grid.size
            self.segments += 1
            self.past = self.past[self.points // 2 :]

    def _front(self) -> float:
        """Mean distance of the foremost predators from where they began, in rows, to both sides; at most to the middle.

        Beyond it stays where it was.
        """
        half = self.linear // 2
        if self.reached[-1] > 0.9 * half:
            return self.reached[-1]
        hunting = self.grid == PREDATOR
        right, left = hunting[:, half:0:-1], hunting[:, half:]
        reached = np.concatenate([(half - side.argmax(axis=1))[side.any(axis=1)] for side in (right, left)])
        return float(reached.mean()) if reached.size else self.reached[-1]

    @property
    def finished(self) -> bool:
        return bool(self.counts[0] == 0)

    def observe(self) -> dict[str, float]:
        m, size = self.model, self.grid.size
        seen = {"predators": self.counts[0] / size, "prey": self.counts[1] / size, "fluctuation": math.nan}
        if self.sums[0] * self.step >= 100:
            mean, square = self.sums[1:] / self.sums[0]
            seen["fluctuation"] = float((square - mean**2) * size)
        return seen | {"front_speed": self._speed() if m.invades else math.nan}

    def _speed(self) -> float:
        """Over the second half of the way that the front has come."""
        way = np.array(self.reached)
        if way[-1] < 8:
            return math.nan
        end, half = int(np.argmax(way == way[-1])), int(np.argmax(way >= way[-1] / 2))
        return float((way[end] - way[half]) / ((end - half) * self.step)) if end > half else math.nan

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """Means over the window, and the variance at its end."""
        return super().measure(cancelled) | {"fluctuation": self.observe()["fluctuation"]}

    def profiles(self) -> dict[str, core.Measured]:
        if not self.segments:
            return {}
        omega = 2 * math.pi * np.fft.rfftfreq(self.points, self.step)
        shown = (omega > 0.05) & (omega < FREQUENCIES[-1])
        power = self.power[shown] / self.segments
        return {"spectrum": core.Measured(omega[shown], power, power * math.sqrt(1.1 / self.segments))}

    def pictures(self) -> core.Album:
        sites = {"sites": self._sites} if self.model.mixing == "lattice" else {}  # else places mean nothing
        return core.Album({**sites, "cycle": self._cycle})

    def picture(self) -> core.Lattice | core.Chart:
        return self._sites() if self.model.mixing == "lattice" else self._cycle()

    def _sites(self) -> core.Lattice:
        caption = "no predator is left" if self.finished else "who lives where"
        return core.Lattice(self.grid, 0, 2, caption, False, ("empty", "prey", "predators"))

    def _cycle(self) -> core.Chart:
        """Predators against prey lately, and where mean field goes from the same start."""
        series = self.series()[1]
        lately = slice(-400, None)
        if self.path is None:
            first = {name: float(series[name][0]) for name in ("predators", "prey")}
            self.path = self.model.mean_field(first, np.linspace(0, 150, 301))
        path = self.path
        return core.Chart(
            (core.Series("run, lately", series["prey"][lately], series["predators"][lately], "line"),
             core.Series("mean field", path[1], path[0]),
             core.Series("now", series["prey"][-1:], series["predators"][-1:], "points")),
            core.Axis("prey b", low=0.0), core.Axis("predators a", low=0.0),
            caption="no predator is left" if self.finished else "",
        )  # fmt: skip
