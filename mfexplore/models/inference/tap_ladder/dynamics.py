"""Sampling with running means, and the iterations of the theories, as something that runs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.models.inference.tap_ladder.instance import ENUMERABLE
from mfexplore.models.inference.tap_ladder.ladder import EXACT
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.inference.tap_ladder import TapLadder  # noqa: F401 (named in the base class below)

LINES = 40  # spins whose traces are drawn
HISTORY = 120  # iterations that a picture shows


@kernel
def heat_bath(spins, local, couplings, beta, field, sweeps, sums, rng):
    """Heat-bath sweeps over random spins; adds the spins after each sweep to `sums`. `local` follows the spins."""
    n = spins.size
    for _ in range(sweeps):
        for _ in range(n):
            i = int(rng.random() * n)
            up = rng.random() * (1.0 + math.exp(-2.0 * beta * (local[i] + field))) < 1.0
            new = 1.0 if up else -1.0
            if new != spins[i]:
                spins[i] = new
                row = couplings[i]
                for j in range(n):
                    local[j] += 2.0 * new * row[j]
        for i in range(n):
            sums[i] += spins[i]


class LadderSimulation(core.Simulation["TapLadder"]):
    """Glauber dynamics with running means, or one of the iterations of eqs. (3) and (5); `means` is shape (n,)."""

    time_unit = "sweeps or iterations"
    relaxation, window = 2000.0, 0.0

    def prepare(self) -> None:
        m = self.model
        self.spins = np.ones(m.size)
        if m.start == "random":
            self.spins[self.rng.random(m.size) < 0.5] = -1
        # An iteration starts from a weaker opinion, and its reaction from none.
        self.means = self.spins.copy() if m.dynamics == "glauber" else self.rng.random(m.size) * self.spins
        self.before = np.zeros(m.size)
        self.change = 0.0
        self.history = np.empty((0, min(m.size, LINES)))
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.couplings = m.couplings()
        self.local = self.couplings @ self.spins
        self.sums, self.sweeps = np.zeros(m.size), 0
        self.exact = m.sites()[EXACT] if m.size <= ENUMERABLE else None

    def evolve(self, duration: float) -> None:
        m = self.model
        beta = 1 / m.temperature
        for _ in range(round(duration)):
            old = self.means
            if m.dynamics == "glauber":
                heat_bath(self.spins, self.local, self.couplings, beta, m.field, 1, self.sums, self.rng)
                self.sweeps += 1
                self.means = self.sums / self.sweeps
            else:
                x = beta * (m.field + self.couplings @ old)
                if m.dynamics != "naive":
                    reaction = (beta * self.couplings) ** 2 @ (1 - old**2)
                    x -= (self.before if m.dynamics == "tap" else old) * reaction
                self.before, self.means = old, np.tanh(x)
            self.change = float(np.abs(self.means - old).max())
        self.history = np.concatenate([self.history, self.means[None, :LINES]])[-HISTORY:]

    def observe(self) -> dict[str, float]:
        found = {
            "magnetization": float(self.means.mean()),
            "overlap": float(np.mean(self.means**2)),
            "change": self.change,
        }
        if self.exact is not None:
            found["distance"] = float(np.sqrt(np.mean((self.means - self.exact) ** 2)))
        return found

    def picture(self) -> core.Trajectories:
        rows = self.history if len(self.history) else self.means[None, :LINES]
        times = self.time - np.arange(len(rows))[::-1]
        what = "mean since the start" if self.model.dynamics == "glauber" else "mean at this iteration"
        return core.Trajectories(times, rows.T, y_title="m of each spin", caption=what)

    def profiles(self) -> dict[str, core.Measured]:
        return {"site_magnetization": core.Measured(np.arange(self.model.size), self.means)}
