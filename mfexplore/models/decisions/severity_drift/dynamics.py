"""Severity drift: walkers whose law at rest is exact, passages over the threshold, memory."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.fokker_planck import follow
from mfexplore.models.decisions.severity_drift.theory import cells, exponents

if TYPE_CHECKING:
    from mfexplore.models.decisions.severity_drift import SeverityDrift  # noqa: F401 (what it simulates)

LONGEST = 0.0125  # step of the walkers
FINEST = 0.01  # square of what noise does, sigma_0^2 dt, in a step of those that are to cross
SHOWN, KEPT = 12, 400  # runs in a picture, and points of each
BINS = 50


class SeverityDriftSimulation(core.Simulation["SeverityDrift"]):
    """Eq. (1) for N walkers, and for N more that start anew when they cross the threshold.

    Half a step of (alpha + beta) x (1 - x), which shifts the logit; a whole one of the rest, gamma - beta x and the
    noise, by way of a sample: n of M are severe, and x is what n and the law Beta(a, b) say of them; half a step again.
    """

    time_unit, step, window = "time units", 0.1, 0.0

    def prepare(self) -> None:
        m = self.model
        self.walkers, self.probes = np.full((2, m.size), m.first_severity)
        self.mass = cells(m.rates).at(m.first_severity)
        self.shown = min(SHOWN, m.size)
        self.past = np.full((KEPT, self.shown), np.nan)
        self.past[-1] = m.first_severity
        self.retune()

    def retune(self) -> None:
        """Passages and memory are those of one setting of the controls."""
        m = self.model
        self.chain = cells(m.rates)
        slowest = self.chain.slowest
        self.balanced = 4 * slowest  # age from which crossings and new starts are in balance
        self.relaxation = 2 * self.balanced
        self.first = np.full(m.size, np.inf)
        self.probes[:] = m.first_severity
        self.since, self.crossed = self.time, 0
        self.lags = math.ceil(5 * m.forgetting / self.step)
        self.products, self.counted = np.zeros(self.lags + 1), np.zeros(self.lags + 1)
        self.reference: Array | None = None
        self.lag = -math.ceil(6 * slowest / self.step)  # first the start is forgotten

    def moved(self, x: Array, dt: float) -> Array:
        """Where walkers are a time dt later, to second order, and with the exact powers of (3) at both ends."""
        m = self.model
        a, b, _ = exponents(*m.rates)
        shift = math.exp(-(m.reinforcement + m.correction) * dt / 2)
        x = x / (x + shift * (1 - x))
        asked = (a + b) / math.expm1(m.correction * dt)  # so that the mean relaxes at the rate of the correction
        sample = np.floor(asked + self.rng.random(x.size)).astype(np.int64)
        severe = self.rng.binomial(sample, x)
        x = self.rng.beta(a + severe, b + sample - severe)
        return np.asarray(x / (x + shift * (1 - x)))

    def evolve(self, duration: float) -> None:
        coarse = math.ceil(duration / LONGEST - 1e-9)
        for _ in range(coarse):
            self.walkers = self.moved(self.walkers, duration / coarse)
        fine = coarse * max(1, math.ceil(LONGEST * self.model.noise / FINEST - 1e-9))
        dt = duration / fine
        for k in range(1, fine + 1):
            self._cross(self.moved(self.probes, dt), dt, self.time + k * dt - self.since)
        (self.mass,) = follow(self.mass, self.chain.up, self.chain.down, np.array([duration]), duration / 2)
        self.past[:-1] = self.past[1:]
        self.past[-1] = self.walkers[: self.shown]
        self._remember()

    def _cross(self, x: Array, dt: float, age: float) -> None:
        """Send those to the start that have crossed the threshold by now, or between two steps and come back."""
        m, before = self.model, self.probes
        spread = m.noise * dt * before * (1 - before)
        bridge = np.exp(-2 * (m.threshold - before) * np.maximum(m.threshold - x, 0.0) / np.maximum(spread, 1e-300))
        over = self.rng.random(x.size) < bridge
        self.crossed += int(over.sum()) * (age > self.balanced)
        self.first[over] = np.minimum(self.first[over], age)
        self.probes = np.where(over, m.first_severity, x)

    def _remember(self) -> None:
        """Correlation of where walkers are with where they were."""
        self.lag += 1
        if self.lag >= 0 and (self.reference is None or self.lag > self.lags):
            self.reference, self.lag = self.walkers - self.walkers.mean(), 0
        if self.reference is not None:
            self.products[self.lag] += np.mean(self.reference * self.walkers) / np.mean(self.reference**2)
            self.counted[self.lag] += 1

    def observe(self) -> dict[str, float]:
        x = self.walkers
        elapsed = (self.time - self.since - self.balanced) * x.size
        return {
            "severity": float(x.mean()),
            "variance": float(x.var(ddof=1)),
            "harmful_fraction": float((x >= self.model.threshold).mean()),
            "passage_time": elapsed / self.crossed if self.crossed else math.nan,
        }

    def samples(self, observable: str | None = None) -> Array:
        return self.walkers if observable in (None, "severity") else super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        found = {}
        age = self.model.horizon * np.arange(1, 41) / 40
        age = age[age <= self.time - self.since]
        if age.size:
            alive = (self.first[:, None] > age).mean(axis=0)
            found["survival"] = core.Measured(age, alive, np.sqrt(alive * (1 - alive) / self.model.size))
        seen = np.flatnonzero(self.counted)[:: max(1, self.lags // 40)]
        if seen.size:
            memory = self.products[seen] / self.counted[seen]
            error = np.sqrt(np.maximum(1 - memory**2, 0.0) / (self.model.size * self.counted[seen]))
            found["memory"] = core.Measured(seen * self.step, memory, error)
        return found

    def picture(self) -> core.Chart:
        edges = np.linspace(0, 1, BINS + 1)
        middle = (edges[1:] + edges[:-1]) / 2
        now, rest = (
            np.diff(np.interp(edges, self.chain.edges, np.concatenate([[0.0], np.cumsum(mass)]))) * BINS
            for mass in (self.mass, self.chain.mass)
        )
        heights = np.histogram(self.walkers, edges)[0] * BINS / self.model.size
        top = 1.3 * float(np.sort(rest)[-3])
        return core.Chart(
            (core.Series("walkers", middle, heights, "bars"),
             core.Series("Fokker-Planck now", middle, now),
             core.Series("at rest, eq. (3)", middle, rest),
             core.Series("threshold", np.full(2, self.model.threshold), np.array([0.0, top]))),
            core.Axis("severity x", low=0.0, high=1.0), core.Axis("density", low=0.0, high=top),
            caption="where the walkers are",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        return core.Album({"severity now": self.picture, "single runs": self._runs})

    def _runs(self) -> core.Chart:
        t = self.time + self.step * np.arange(1 - KEPT, 1)
        shown = t >= 0
        lines = tuple(core.Series("", t[shown], line) for line in self.past[shown].T)
        ends = np.array([t[shown][0], max(t[-1], t[shown][0] + self.step)])
        marks = tuple(
            core.Series(name, ends, np.full(2, level))
            for name, level in (("threshold", self.model.threshold), ("drift alone", self.model.fixed_point))
        )
        return core.Chart((*marks, *lines), core.Axis("time"), core.Axis("severity x", low=0.0, high=1.0))
