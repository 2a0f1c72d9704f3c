"""Many processes of the same rates, each seen in noisy snapshots, and what is learnt of the rates meanwhile."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import expm

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import hidden_chain
from mfexplore.families import master_equation as master
from mfexplore.models.decisions.jump_process_inference.theory import Summary, amortised, covariance_bound
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.decisions.jump_process_inference import JumpProcessInference  # noqa: F401 (of the base class)

FRAMES = 100  # in which a run shows itself
ITERATIONS, LAST = 3, 40  # of expectation maximisation when data have come in, and at the end
SLOWEST, FASTEST = 0.01, 100.0  # rates that are thought possible
FINE = 4  # places between two observations at which the hidden path is drawn
SHOWN = 40  # observations in the picture of the path


class InferenceSimulation(core.Simulation["JumpProcessInference"]):
    """Hidden jumps event by event, snapshots with errors; rates by expectation maximisation or by the learnt answer."""

    time_unit = "observations"
    window = 0.0

    def prepare(self) -> None:
        m = self.model
        self.step = float(max(1, m.observations // FRAMES))
        self.relaxation = float(m.observations)
        self.recording = "log"
        process = m.jumps
        self.table, self.states = master.cumulated(process), process.states
        self.true = process.matrix()
        law = master.stationary_law(process)
        self.state = self.rng.choice(self.states, m.size, p=law)
        self.stream = new_stream(self.rng)
        self.seen = np.empty((m.size, m.observations), np.int64)
        self.path: list[int] = []
        self.emission = m.emission
        self.rates = np.repeat((self.true > 0).astype(float)[None], m.size, axis=0)
        self.done = 0
        self.errors: list[tuple[int, float, float]] = []
        self._learn(0)

    def evolve(self, duration: float) -> float:
        m = self.model
        new = min(round(duration), m.observations - self.done)
        idle, jumps = np.zeros(m.size, np.int64), np.zeros(self.table.rate.size, np.int64)
        for _ in range(new):
            for _ in range(FINE):
                master.advance(self.state, idle, jumps, self.table, m.spacing / FINE, self.stream)
                self.path.append(int(self.state[0]))
            wrong = self.rng.random(m.size) < m.error
            other = self.rng.integers(1, self.states, m.size)
            self.seen[:, self.done] = np.where(wrong, (self.state + other) % self.states, self.state)
            self.done += 1
        self._learn(LAST if self.done == m.observations else ITERATIONS)
        return float(new)

    def _learn(self, iterations: int) -> None:
        m, seen = self.model, self.seen[:, : self.done]
        if self.done >= 2:
            if m.estimator == "amortised" and m.process == "telegraph":
                number = np.full(m.size, float(self.done))
                changes = (seen[:, 1:] != seen[:, :-1]).mean(axis=1)
                summary = Summary(seen.mean(axis=1), changes, np.full(m.size, m.error), number)
                answer = np.exp(amortised(summary, np.full(m.size, m.spacing)))
                self.rates[:, 0, 1], self.rates[:, 1, 0] = np.clip(answer, SLOWEST, FASTEST).T
            else:
                for _ in range(iterations):
                    better, _ = hidden_chain.more_likely_rates(self.rates, seen, self.emission, m.spacing)
                    self.rates = np.where(self.true > 0, np.clip(better, SLOWEST, FASTEST), 0.0)
            each = self.squared_errors()
            self.errors.append((self.done, float(each.mean()), float(each.std()) / math.sqrt(m.size)))

    def squared_errors(self) -> Array:
        """Mean square error of the logarithms of the rates, of every process."""
        there = self.true > 0
        return np.asarray(np.mean(np.log(self.rates[:, there] / self.true[there]) ** 2, axis=1))

    @property
    def finished(self) -> bool:
        return self.done >= self.model.observations

    def observe(self) -> dict[str, float]:
        learnt = self.done >= 2
        found = {"observations": float(self.done)}
        found["relative_error"] = math.sqrt(float(self.squared_errors().mean())) if learnt else math.nan
        if self.model.process == "ratchet":
            found["velocity"] = float(np.mean([self._velocity(one) for one in self.rates])) if learnt else math.nan
        return found

    def _velocity(self, rates: Array) -> float:
        law = np.empty(self.states)
        master.eliminate(rates.copy(), law)
        listed = self.model.jumps
        return float(law[listed.source] @ (rates[listed.source, listed.target] * listed.steps))

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.process == "ratchet" or not self.errors:
            return {}
        number, square, error = np.array(self.errors).T
        keep = np.unique(np.searchsorted(number[:-1], np.geomspace(number[0], number[-1], 24)))
        root = np.sqrt(square[keep])
        return {"learning_curve": core.Measured(number[keep], root, error[keep] / (2 * np.maximum(root, 1e-300)))}

    def picture(self) -> core.Chart | core.Patterns:
        return self._estimates() if self.model.process == "telegraph" else self._rates()

    def pictures(self) -> core.Album:
        return core.Album({"learnt": self.picture, "path": self._path})

    def _estimates(self) -> core.Chart:
        """The answers of all processes, and the ellipse in which the bound wants nine of ten."""
        m = self.model
        a, b = np.array([m.rate_up]), np.array([m.rate_down])
        aa, ab, bb = covariance_bound(m.fisher_information(), a, b)[0] / max(self.done, 2)
        root = np.linalg.cholesky(np.array([[aa, ab], [ab, bb]]) + 1e-12 * np.eye(2))
        angle = np.linspace(0, 2 * np.pi, 121)
        ring = math.sqrt(-2 * math.log(0.1)) * root @ np.array([np.cos(angle), np.sin(angle)])
        x, y = np.exp(np.clip(np.log([a, b]) + ring, math.log(SLOWEST), math.log(FASTEST)))
        cross = np.array([0.93, 1.07, np.nan, 1.0, 1.0])
        return core.Chart(
            (core.Series(m.estimator_title, self.rates[:, 0, 1], self.rates[:, 1, 0], "points"),
             core.Series("truth", a * cross, b * cross[::-1]),
             core.Series("nine of ten, at best", x, y)),
            core.Axis("rate up a", "log"), core.Axis("rate down b", "log"),
            caption=f"what {m.size} processes seem to be after {self.done} observations",
        )  # fmt: skip

    def _rates(self) -> core.Patterns:
        """All rates between the six states, as they are and as they are learnt."""
        learnt = self.rates.mean(axis=0)
        images = (("true rates", self.true), ("learnt, mean", learnt))
        return core.Patterns(images, 0.0, float(self.true.max()))

    def _path(self) -> core.Chart:
        """Hidden path of the first process, what was seen of it, and what can be told afterwards."""
        m, last = self.model, self.done
        first = max(0, last - SHOWN)
        fine = np.array(self.path[first * FINE :], float)
        times = (first + np.arange(1, last - first + 1)) * m.spacing
        seen, told = self.seen[0, first:last], np.zeros((last - first, self.states))
        if last > first:
            generator = self.rates[0] - np.diag(self.rates[0].sum(axis=1))
            pairs = np.empty((self.states, self.states))
            hidden_chain.smooth(seen, expm(m.spacing * generator), self.emission, pairs, told)
        return core.Chart(
            (core.Series("hidden", (first + np.arange(1, len(fine) + 1) / FINE) * m.spacing, fine, "step"),
             core.Series("seen", times, seen.astype(float), "points"),
             core.Series("expected, given all that was seen", times, told @ np.arange(self.states))),
            core.Axis("time"), core.Axis("state", low=-0.2, high=self.states - 0.8),
        )  # fmt: skip
