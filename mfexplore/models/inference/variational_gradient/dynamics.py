"""Runs of variational gradient descent, each with its own noise."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.inference.variational_gradient.theory import FAMILIES, LOST, proximal
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.inference.variational_gradient import VariationalGradient  # noqa: F401

SINGLE = 12  # runs that are drawn one by one


class VariationalGradientSimulation(core.Simulation["VariationalGradient"]):
    """Many runs of stochastic gradient descent side by side, each with random numbers of its own."""

    time_unit = "steps"
    relaxation, window = 0.0, 0.0

    def prepare(self) -> None:
        m = self.model
        self.full = m.family == "full_rank"
        shape = (m.runs, m.dimension)
        self.offset = np.full(shape, m.offset)
        self.scale = np.full(shape, m.scale)
        if self.full:
            self.scale = np.zeros((*shape, m.dimension))
            self.scale[:, range(m.dimension), range(m.dimension)] = m.scale
        self.squared_gradient = np.full(m.runs, np.nan)
        self.single = [self.distances()[:SINGLE]]
        self.visited: list[tuple[float, float]] = []

    def evolve(self, duration: float) -> None:
        with one_blas_thread():
            for _ in range(round(duration)):
                self._step()
                self.single.append(self.distances()[:SINGLE])
                self.visited.append((float(np.mean(self.free_energy())), float(np.mean(self.squared_gradient))))

    def _step(self) -> None:
        m = self.model
        u = self.rng.standard_normal((m.runs, m.samples, m.dimension))
        if self.full:
            force = self.offset[:, None] + u @ self.scale.transpose(0, 2, 1)
            gradient = np.tril(force.transpose(0, 2, 1) @ u / m.samples)
        else:
            force = self.offset[:, None] + self.scale[:, None] * u
            gradient = np.mean(force * u, axis=1)
        pull = force.mean(axis=1)
        self.squared_gradient = np.sum(pull**2, axis=1) + np.sum(gradient.reshape(m.runs, -1) ** 2, axis=1)
        self.offset = self.offset - m.learning_rate * pull
        self.scale = self.scale - m.learning_rate * gradient
        if self.full:
            place = np.arange(m.dimension)
            self.scale[:, place, place] = proximal(self.scale[:, place, place], m.learning_rate)
        else:
            self.scale = proximal(self.scale, m.learning_rate)

    def diagonal(self) -> Array:
        """The diagonal of the scales without signs, (runs, dimension)."""
        return np.abs(np.diagonal(self.scale, axis1=1, axis2=2) if self.full else self.scale)

    def distances(self) -> Array:
        """Of every run from the target, squared and per dimension."""
        square = np.sum(self.offset**2, axis=1) + np.sum(self.scale.reshape(len(self.scale), -1) ** 2, axis=1)
        return np.asarray((square - 2 * self.diagonal().sum(axis=1)) / self.model.dimension + 1)

    def free_energy(self) -> Array:
        """F - F* of every run."""
        square = np.sum(self.offset**2, axis=1) + np.sum(self.scale.reshape(len(self.scale), -1) ** 2, axis=1)
        return np.asarray((square - self.model.dimension) / 2 - np.log(self.diagonal()).sum(axis=1))

    @property
    def finished(self) -> bool:
        return bool(np.mean(self.single[-1]) > LOST or self.distances().max() > LOST)

    def observe(self) -> dict[str, float]:
        distances = self.distances()
        return {
            "distance": float(distances.mean()),
            "typical_distance": float(np.median(distances)),
            "squared_gradient": float(np.mean(self.squared_gradient)),
        }

    def profiles(self) -> dict[str, core.Measured]:
        """The distance of every coordinate with its row of the scale."""
        rows = (
            self.offset**2 + (np.sum(self.scale**2, axis=2) if self.full else self.scale**2) - 2 * self.diagonal() + 1
        )
        error = rows.std(axis=0, ddof=1) / math.sqrt(len(rows)) if len(rows) > 1 else None
        return {"row_distance": core.Measured(np.arange(1.0, self.model.dimension + 1), rows.mean(axis=0), error)}

    def pictures(self) -> core.Album:
        return core.Album({"runs": self.picture, "ABC condition": self._bound})

    def picture(self) -> core.Chart:
        """Single runs and the mean over all."""
        times, series = self.series()
        every = max(1, len(self.single) // 400)
        lines = np.maximum(np.array(self.single[::every]), 1e-12).T
        gap = np.full((len(lines), 1), np.nan)  # between one run and the next
        steps = np.tile(np.append(np.arange(lines.shape[1]) * float(every), np.nan), len(lines))
        runs = core.Series("single runs", steps, np.hstack([lines, gap]).ravel())
        mean = core.Series("mean of all runs", times[::every], series["distance"][::every], kind="points")
        return core.Chart(
            (runs, mean), core.Axis("step"), core.Axis("distance D/d", "log"),
            caption="single runs (lines) and the mean over all (points)",
        )  # fmt: skip

    def _bound(self) -> core.Chart:
        """Squared gradients that the runs have met, below the lines that bound them in either family."""
        visited = np.array(self.visited[-2000:]).reshape(-1, 2)
        places = np.geomspace(1e-2, max(100.0, float(visited[:, 0].max(initial=1))), 60)
        lines = [core.Series(f"bound, {f.replace('_', ' ')}", places, self.model.bound(f, places)) for f in FAMILIES]
        points = core.Series("runs", np.maximum(visited[:, 0], 1e-2), visited[:, 1], kind="points")
        return core.Chart(
            (*lines, points), core.Axis("free energy above its minimum", "log"), core.Axis("squared gradient", "log"),
            caption="the gradient is never noisier than a straight line allows (logarithmic axes)",
        )  # fmt: skip
