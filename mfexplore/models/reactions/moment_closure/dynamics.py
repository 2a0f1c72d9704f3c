"""Moment closure: independent cells, reaction by reaction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.families.birth_death import simulate_many
from mfexplore.models.reactions.moment_closure.closures import react
from mfexplore.models.reactions.moment_closure.theory import SLOWEST
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.reactions.moment_closure import MomentClosure  # noqa: F401 (what it simulates)

SHOWN, KEPT = 8, 400  # cells in a picture, and points of each


class Cells(core.Simulation["MomentClosure"]):
    """Gillespie's exact simulation of many cells that know nothing of each other."""

    time_unit, step = "time units", 0.1

    def prepare(self) -> None:
        m = self.model
        self.stream = new_stream(self.rng)
        first = m.first_count
        self.x, self.y = np.full(m.size, first), np.full(m.size, first if m.network == "brusselator" else 0)
        self.past = np.full((KEPT, 2), np.nan)
        self.lines = np.full((KEPT, min(SHOWN, m.size)), np.nan)
        self.retune()
        self._keep()

    def retune(self) -> None:
        m = self.model
        self.reactions = m.reactions()
        self.relaxation, self.window = (10.0, 10.0) if m.network == "pair_annihilation" else (40.0, 20.0)
        if m.network == "schloegl":
            self.relaxation = 15.0 + 6 * min(m.mixing_time, SLOWEST)

    def evolve(self, duration: float) -> None:
        r = self.reactions
        if self.model.network == "schloegl":
            population = self.x.astype(np.float64)
            simulate_many(population, duration, r.birth, r.death, self.stream)
            self.x = population.astype(np.int64)
        else:
            react(self.x, self.y, r, duration, self.rng)
        self._keep()

    def _keep(self) -> None:
        self.past[:-1], self.lines[:-1] = self.past[1:], self.lines[1:]
        self.past[-1] = self.x.mean(), self.y.mean()
        self.lines[-1] = self.x[: self.lines.shape[1]]

    def observe(self) -> dict[str, float]:
        x, y = self.x.astype(np.float64), self.y.astype(np.float64)
        mean, two, spread = x.mean(), self.model.network == "brusselator", np.cov(x, y)
        return {
            "mean": float(mean),
            "variance": float(spread[0, 0]),
            "third_cumulant": float(np.mean((x - mean) ** 3)),
            "mean_y": float(y.mean()) if two else np.nan,
            "covariance": float(spread[0, 1]) if two else np.nan,
            "variance_y": float(spread[1, 1]) if two else np.nan,
        }

    def samples(self, observable: str | None = None) -> core.Array:
        return self.x.astype(np.float64) if observable in (None, "mean") else super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        n = self.model.molecules()
        share = np.bincount(np.minimum(self.x, len(n)), minlength=len(n) + 1)[: len(n)] / self.x.size
        return {"distribution": core.Measured(n, share, np.sqrt(share * (1 - share) / self.x.size))}

    def picture(self) -> core.Chart:
        """What is in every cell, beside what the closures make of their mean and variance at rest."""
        m, n = self.model, self.model.molecules()
        seen = self.profiles()["distribution"]
        theory = m.profiles()["distribution"].values
        lines = [core.Series("cells", n, seen.values, "points", error=seen.error)]
        for method, rows in zip(m.methods, theory, strict=True):
            if method.name in ("exact", "normal"):
                for row in rows[np.isfinite(rows).all(axis=1)]:
                    kind = "bars" if method.name == "exact" else "line"
                    lines.append(core.Series(method.title, n, row, kind))  # type: ignore[arg-type]
        return core.Chart(
            tuple(lines[1:] + lines[:1]), core.Axis("molecules n"), core.Axis("probability", low=0.0),
            caption=f"{self.x.size:,} cells now",
        )  # fmt: skip

    def pictures(self) -> core.Album:
        found = {"molecules": self.picture, "single cells": self._single}
        if self.model.network == "brusselator":
            found["both species"] = self._both
        return core.Album(found)

    def _single(self) -> core.Chart:
        t = self.time + self.step * np.arange(1 - KEPT, 1)
        seen = np.isfinite(self.past[:, 0])
        lines = [core.Series("", t[seen], line) for line in self.lines[seen].T]
        mean = core.Series("mean of all cells", t[seen], self.past[seen, 0])
        return core.Chart((mean, *lines), core.Axis("time"), core.Axis("molecules n", low=0.0))

    def _both(self) -> core.Chart:
        """All cells in the plane of the two species, and the way of their mean."""
        seen = np.isfinite(self.past[:, 0])
        some = slice(None, None, max(1, self.x.size // 500))
        return core.Chart(
            (core.Series("cells", self.x[some].astype(float), self.y[some].astype(float), "points"),
             core.Series("mean of all cells", *self.past[seen].T)),
            core.Axis("molecules X", low=0.0), core.Axis("molecules Y", low=0.0),
        )  # fmt: skip
