"""Runs of the categorical Hopfield network."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.memory.categorical_hopfield.theory import couplings, links

if TYPE_CHECKING:
    from mfexplore.models.memory.categorical_hopfield import CategoricalHopfield  # noqa: F401

REMEMBERED = 600  # updates, for pictures and the measured rhythm
STILL = 1e-9  # smaller changes are no rhythm


class CategoricalHopfieldSimulation(core.Simulation["CategoricalHopfield"]):
    """Eq. (1), update after update."""

    time_unit = "updates"
    relaxation, window = 2000.0, 400.0

    def prepare(self) -> None:
        self.retune()
        self.resources = self.model.spread * self.rng.random(len(self.matrix))
        self.past = deque([self.resources], REMEMBERED)
        self.risen: deque[float] = deque(maxlen=2)

    def retune(self) -> None:
        m = self.model
        self.matrix, self.rest = couplings(m.graph, m.units, m.epsilon, m.delta), m.together()

    def evolve(self, duration: float) -> None:
        rate, x = self.model.learning_rate, self.resources
        for k in range(round(duration)):
            old, x = x, (1 - rate) * x + rate * np.maximum(self.matrix @ x + 1, 0)
            self.past.append(x)
            if old[0] < self.rest <= x[0]:  # the first unit rises through the state of rest
                self.risen.append(self.time + k + float((self.rest - old[0]) / (x[0] - old[0])))
        self.resources = x

    def downhill(self) -> Array:
        """Minus the gradient of eq. (3)."""
        symmetric = (self.matrix + self.matrix.T) / 2
        return np.asarray(1 - self.resources + symmetric @ self.resources)

    def observe(self) -> dict[str, float]:
        x = self.resources
        return {
            "total_resource": float(x.sum()),
            "energy": float(0.5 * x @ (x - self.matrix @ x) - x.sum()),
            "rhythm": self.rhythm(),
            "active": float(np.mean(self.matrix @ x + 1 > 0)),
        }

    def rhythm(self) -> float:
        """Periods per update: one over the time between the last two risings, unless all has come to rest."""
        if len(self.risen) < 2 or np.abs(self.resources - self.past[-2]).max() < STILL:
            return 0.0
        return 1 / (self.risen[1] - self.risen[0])

    def pictures(self) -> Mapping[str, core.Picture]:
        return core.Album({"network": self.picture, "resources": self.lines, "downhill or round": self.portrait})

    def picture(self) -> core.Network:
        m, n = self.model, len(self.matrix)
        angle = math.pi / 2 - 2 * math.pi * np.arange(n) / n
        to, begin = np.nonzero(links(m.graph, m.units))
        one_way = m.graph == "cycle"
        kept = slice(None) if one_way else begin < to
        return core.Network(
            np.cos(angle), np.sin(angle), np.stack([begin, to], axis=-1)[kept], self.resources, 0.0,
            max(1.5 * m.together(), 1e-3), caption="edges along which units help; colour: their resource",
            directed=one_way,
        )  # fmt: skip

    def lines(self) -> core.Trajectories:
        shown = 301 if self.model.graph == "cycle" else 61
        past = np.array(self.past)[-shown:]
        times = self.time - np.arange(len(past))[::-1]
        return core.Trajectories(times, past.T, "update", "resource x", caption=f"the last {len(past) - 1} updates")

    def portrait(self) -> core.Chart:
        """One unit against the next: to rest, to and fro, or round."""
        past = np.array(self.past)
        other = 1 if self.model.graph != "two_cliques" else self.model.units
        here = self.model.together()
        top = 1.05 * max(float(past.max()), 2 * here)
        series = (
            core.Series("run", past[:, 0], past[:, other]),
            core.Series("now", past[-1:, 0], past[-1:, other], "points"),
            core.Series("all active", np.array([here]), np.array([here]), "points"),
        )
        x, y = (core.Axis(f"resource of unit {k + 1}", low=0.0, high=top) for k in (0, other))
        return core.Chart(series, x, y, equal=True, caption=f"the last {len(past)} updates")
