"""Chemical Langevin equation: cells reaction by reaction, in counted leaps, or in Gaussian ones."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.birth_death import simulate_many
from mfexplore.models.reactions.chemical_langevin.theory import propensities
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.reactions.chemical_langevin import ChemicalLangevin  # noqa: F401 (what it simulates)

SHORTEST = 0.1  # step of the trace
LOOKS = 5  # at exact cells in a step, for switches
SHOWN, KEPT = 6, 500  # cells in a picture, and points of each


class Cells(core.Simulation["ChemicalLangevin"]):
    """Independent cells, and their switches between two states."""

    time_unit = "time units"

    def prepare(self) -> None:
        m = self.model
        self.stream = new_stream(self.rng)
        self.x = np.full(m.size, float(m.first_count))
        self.lines = np.full((KEPT, min(SHOWN, m.size)), np.nan)
        self.high = np.full(m.size, m.start == "high")  # which of the two states was visited last
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.step = m.leap * max(1, math.ceil(SHORTEST / m.leap - 1e-9))
        self.relaxation, self.window = (10.0, 10.0) if m.network == "birth_death" else (60.0, 40.0)
        self.spent, self.switches = np.zeros(2), np.zeros(2)  # time since a visit to low, to high; switches from there
        self.lines[:-1] = np.nan
        self.lines[-1] = self.x[: self.lines.shape[1]]

    def evolve(self, duration: float) -> None:
        m = self.model
        exact = m.description == "exact"
        pieces = LOOKS if exact else round(duration / m.leap)
        for _ in range(pieces):
            if exact:
                simulate_many(self.x, duration / pieces, *m.coefficients(), self.stream)
            elif m.description == "tau_leap":
                self._leap_counted(m.leap)
            else:
                self._leap_gaussian(m.leap)
            if m.network == "schloegl":
                self._watch(duration / pieces)
        self.lines[:-1] = self.lines[1:]
        self.lines[-1] = self.x[: self.lines.shape[1]]

    def _leap_counted(self, leap: float) -> None:
        """Every reaction fires a Poisson number of times, at the rates before the leap; no number falls below 0."""
        rises, falls = self._rates(counts=True)
        self.x = np.maximum(self.x + self.rng.poisson(leap * rises) - self.rng.poisson(leap * falls), 0.0)

    def _leap_gaussian(self, leap: float) -> None:
        """Euler's step of the Langevin equation. Birth and death alone have the noise k + x also below 0; Schloegl's
        reactions have a mirror at 0.
        """
        rises, falls = self._rates(counts=self.model.rates == "counts")
        noise = np.sqrt(leap * np.maximum(rises + falls, 0.0))
        self.x = self.x + leap * (rises - falls) + noise * self.rng.standard_normal(self.x.size)
        if self.model.network == "schloegl":
            self.x = np.abs(self.x)

    def _rates(self, counts: bool) -> tuple[Array, Array]:
        m = self.model
        if m.network == "birth_death":
            return np.full(self.x.size, m.population), self.x
        up_2, down_3, up_0, down_1 = propensities(self.x, m.volume, m.feed, m.decay, counts)
        return up_2 + up_0, down_3 + down_1

    def _watch(self, duration: float) -> None:
        low, high = self.model.ends
        self.spent += duration * np.array([np.sum(~self.high), np.sum(self.high)])
        arrived, left = ~self.high & (self.x >= high), self.high & (self.x <= low)
        self.switches += arrived.sum(), left.sum()
        self.high ^= arrived | left

    def observe(self) -> dict[str, float]:
        x = self.x
        mean, variance = float(x.mean()), float(x.var())
        standard = (x - mean) / math.sqrt(variance) if variance > 0 else np.full(x.size, np.nan)
        with np.errstate(divide="ignore", invalid="ignore"):
            there, back = np.where(self.switches > 0, self.spent / self.switches, np.nan)
        return {
            "mean": mean,
            "variance": variance,
            "skewness": float(np.mean(standard**3)),
            "excess_kurtosis": float(np.mean(standard**4)) - 3,
            "below_zero": float(np.mean(x < 0)),
            "switching_time": float(there),
            "return_time": float(back),
        }

    def samples(self, observable: str | None = None) -> Array:
        return self.x if observable in (None, "mean") else super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        n = self.model.molecules()
        place = np.rint(self.x).astype(np.int64) - round(n[0])
        seen = place[(place >= 0) & (place < len(n))]
        share = np.bincount(seen, minlength=len(n)) / self.x.size
        return {"distribution": core.Measured(n, share, np.sqrt(share * (1 - share) / self.x.size))}

    def picture(self) -> core.Chart:
        """The cells beside the laws of the master equation, the Langevin equation, and linear noise."""
        m, n = self.model, self.model.molecules()
        laws = {"master equation": "bars", "Langevin": "line", "linear noise": "line"}
        theory = dict(zip((method.title for method in m.methods), m.profiles()["distribution"].values, strict=True))
        seen = self.profiles()["distribution"]
        series = [core.Series(name, n, theory[name], kind) for name, kind in laws.items()]  # type: ignore[arg-type]
        return core.Chart(
            (*series, core.Series("cells", n, seen.values, "points", error=seen.error)),
            core.Axis("molecules n"), core.Axis("probability", low=0.0), caption=f"{self.x.size:,} cells now",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        return core.Album({"law": self.picture, "single cells": self._single})

    def _single(self) -> core.Chart:
        seen = np.isfinite(self.lines[:, 0])
        t = self.time + self.step * np.arange(1 - KEPT, 1)[seen]
        lines = [core.Series("", t, line) for line in self.lines[seen].T]
        marks = []
        if self.model.network == "schloegl":
            places = zip(("low state", "high state"), self.model.ends, strict=True)
            marks = [core.Series(name, t[[0, -1]], np.full(2, at)) for name, at in places]
        return core.Chart((*marks, *lines), core.Axis("time"), core.Axis("molecules n"))
