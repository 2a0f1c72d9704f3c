"""Many traders who make the same kind of trip at once, each in a market of its own."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array

if TYPE_CHECKING:
    from mfexplore.models.decisions.price_impact import PriceImpact  # noqa: F401 (named in the base class below)

CELLS = 100  # intervals of a trip of two blocks
SHOWN = 24  # trips that are drawn
BINS = 16  # sizes of gains and losses that are compared


class Trips(core.Simulation["PriceImpact"]):
    """Positions, prices and cash, interval after interval; time 1 is the end of the trip.

    position: at the ends of intervals, shape (trips or 1, cells + 1); cost: work in each interval, (trips or 1, cells);
    gain: marked at the unperturbed price, shape (trips,).
    """

    time_unit = "round trips"
    relaxation, window = 1.0, 0.0

    def prepare(self) -> None:
        m = self.model
        self.cells = m.points + 1 if m.market == "ensemble" else CELLS
        self.step = 1 / self.cells
        self.done = 0
        if m.market == "ensemble":
            waves = np.arange(1, m.points + 1)
            shapes = np.sin(np.pi * np.outer(waves, np.arange(self.cells + 1)) / self.cells)
            amplitudes = np.sqrt(m.temperature / m.modes().price[0] / self.cells)
            self.position = (self.rng.standard_normal((m.size, m.points)) * amplitudes) @ shapes
        else:
            age = np.arange(self.cells + 1) / self.cells
            self.position = m.volume * np.minimum(age / m.split, (1 - age) / (1 - m.split))[None]
        self.cost = self.costs(np.diff(self.position) / self.interval)
        self.liquidity = np.ones(m.size)
        if m.liquidity_noise and m.market != "ensemble":
            self.liquidity = np.exp(m.liquidity_noise * self.rng.standard_normal(m.size) - m.liquidity_noise**2 / 2)
        self.gain = np.zeros(m.size)
        self.paths = np.full((min(m.size, SHOWN), self.cells + 1), np.nan)
        self.paths[:, 0] = 0.0

    @property
    def interval(self) -> float:
        return self.model.duration / self.cells

    def costs(self, rate: Array) -> Array:
        """Work in every interval at given rates, both of shape (..., cells)."""
        m = self.model
        pushed = m.impact * np.sign(rate) * np.abs(rate) ** (1.0 if m.market == "ensemble" else m.exponent)
        if m.market != "transient":
            return rate * pushed * self.interval
        power, lag = 2 - m.memory, np.arange(self.cells + 1.0)
        grown = lag**power
        kept = np.concatenate(
            [grown[1:2], grown[2:] - 2 * grown[1:-1] + grown[:-2]]
        )  # by lag, of one interval in another
        kept *= self.interval**power / ((1 - m.memory) * power)
        return rate * np.convolve(pushed[0], kept)[: self.cells]

    def evolve(self, duration: float) -> None:
        k = self.done
        a, b = self.position[:, k], self.position[:, k + 1]
        held = np.sqrt((a * a + a * b + b * b) / 3)  # root of the mean square of a position that changes linearly
        self.gain += self.model.volatility * math.sqrt(self.interval) * held * self.rng.standard_normal(self.model.size)
        self.gain -= self.cost[:, k] * self.liquidity
        self.done += 1
        self.paths[:, self.done] = self.gain[: len(self.paths)]

    @property
    def finished(self) -> bool:
        return self.done == self.cells

    def observe(self) -> dict[str, float]:
        found = {"gain": float(self.gain.mean()), "variance": float(self.gain.var())}
        found["profit_probability"] = float(np.mean(self.gain > 0))
        if self.model.market == "ensemble":
            m = self.model
            held = np.sum(self.position**2, axis=1) * self.interval
            found["energy"] = float(np.mean(self.cost.sum(axis=1) + m.risk_aversion * m.volatility**2 * held))
        return found

    def profiles(self) -> dict[str, core.Measured]:
        age = np.arange(self.cells + 1) / self.cells
        square = self.position**2
        error = square.std(axis=0) / math.sqrt(len(square)) if len(square) > 1 else None
        found = {"mean_square_position": core.Measured(age, square.mean(axis=0), error)}
        if self.finished:
            edges = self.model.gains_compared()
            won, lost = (np.histogram(sign * self.gain, edges)[0] for sign in (1, -1))
            with np.errstate(divide="ignore", invalid="ignore"):
                seen = (won > 0) & (lost > 0)
                ratio = np.where(seen, np.log(won / lost), np.nan)
                error = np.where(seen, np.sqrt(1 / won + 1 / lost), np.nan)
            found["log_ratio"] = core.Measured((edges[1:] + edges[:-1]) / 2, ratio, error)
        return found

    def samples(self, observable: str | None = None) -> Array:
        return self.gain if observable in (None, "gain") else super().samples(observable)

    def pictures(self) -> core.Album:
        return core.Album({"gains": self.picture, "positions": self.picture_of_positions})

    def picture(self) -> core.Trajectories:
        age = np.arange(self.cells + 1) / self.cells
        return core.Trajectories(
            age, self.paths, "part of the trip", "gain", f"{len(self.paths)} of {self.model.size:,}"
        )

    def picture_of_positions(self) -> core.Trajectories:
        age = np.arange(self.cells + 1) / self.cells
        return core.Trajectories(age, self.position[:SHOWN], "part of the trip", "position", "what traders hold")
