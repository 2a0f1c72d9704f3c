"""The partition function of a walk for all end points at once, step by step."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.disorder.colored_she.theory import COUNTED_OUT, LONGEST, all_walks, self_overlaps
from mfexplore.numerics.chance.fractional_noise import fractional_noise

if TYPE_CHECKING:
    from mfexplore.models.disorder.colored_she import ColoredSHE  # noqa: F401  (the type of the model)

GATHERED = 20_000_000  # potentials looked up when walks are counted
ROWS, COLUMNS = 200, 320  # of the picture


class ColoredSHESimulation(core.Simulation["ColoredSHE"]):
    """One sample of the potentials; Z for every end point, one step of the walk after another."""

    time_unit, relaxation, window = "steps", float(LONGEST), 0.0

    def prepare(self) -> None:
        m = self.model
        self.step = float(max(1, m.length // 256))
        self.potential = np.ascontiguousarray(fractional_noise(m.roughness, m.length, m.size, self.rng).T)
        self.spectrum = m.step_spectrum()
        self.z, self.scale = np.ones(m.size), 0.0  # Z is z times exp(scale)
        columns = min(m.size, COLUMNS)
        self.raster = np.full((min(ROWS, m.length), columns), np.nan)
        self.pairs = np.empty((2, 0))
        self.shorter = self._quarter()

    def _quarter(self) -> Array:
        """Ln Z after a quarter of the steps, at the strength that belongs to them."""
        short = self.model.replace(length=max(1, self.model.length // 4))
        z, scale = np.ones(short.size), 0.0
        for row in fractional_noise(short.roughness, short.length, short.size, self.rng).T:
            z, scale = self._stepped(z, scale, short.beta, row)
        return np.log(z) + scale

    def _stepped(self, z: Array, scale: float, beta: float, row: Array) -> tuple[Array, float]:
        z = np.fft.irfft(np.fft.rfft(z * np.exp(beta * row)) * self.spectrum, z.size)
        z = np.maximum(z, 1e-14 * z.max())  # what the transform has below zero
        mean = float(z.mean())
        return z / mean, scale + math.log(mean)

    def evolve(self, duration: float) -> float:
        m = self.model
        first = round(self.time)
        last = min(first + round(duration), m.length)
        for i in range(first, last):
            self.z, self.scale = self._stepped(self.z, self.scale, m.beta, self.potential[i])
            row = (i + 1) * len(self.raster) // m.length
            if row > i * len(self.raster) // m.length:
                shown = np.log((self.z + np.roll(self.z, 1))[: self.raster.shape[1]])  # even and odd places apart
                self.raster[row - 1] = shown - shown.mean()
        if last == m.length and m.counts_out:
            self._count_out()
        return float(last - first)

    def _count_out(self) -> None:
        """Both partition functions at some end points from all walks."""
        m = self.model
        walks, beta = all_walks(m.length), m.beta
        norm = -0.5 * beta**2 * self_overlaps(walks, m.roughness)
        time = m.length - 1 - np.arange(m.length)
        self.pairs = np.empty((2, max(1, min(m.size, GATHERED // walks.size))))
        for x in range(self.pairs.shape[1]):
            passed = beta * self.potential[time, (x + walks) % m.size].sum(axis=1)
            self.pairs[:, x] = np.exp(passed).mean(), np.exp(passed + norm).mean()

    def observe(self) -> dict[str, float]:
        m = self.model
        mean, logs = float(self.z.mean()), np.log(self.z)
        stratonovich = mean * math.exp(min(self.scale, 600.0))
        ito = stratonovich * math.exp(-0.5 * m.beta**2 * self.time) if m.noise == "white" else math.nan
        if self.pairs.size and m.noise == "coloured":
            ito = float(self.pairs[1].mean())
        return {
            "stratonovich_mean": stratonovich, "ito_mean": ito, "second_moment": float(np.mean(self.z**2)) / mean**2,
            "log_mean": float(logs.mean()) + self.scale, "log_variance": float(logs.var()),
        }  # fmt: skip

    @property
    def finished(self) -> bool:
        return round(self.time) >= self.model.length

    def pictures(self) -> core.Album:
        return core.Album({"landscape": self.picture, "law": self._law, "two integrals": self._pairs})

    def picture(self) -> core.Field:
        columns = self.raster.shape[1]
        limit = max(0.1, 2.5 * float(np.nanstd(self.raster))) if np.isfinite(self.raster).any() else 1.0
        return core.Field(
            self.raster, (0.0, float(columns), 0.0, float(self.model.length)), core.Axis("end point"),
            core.Axis("steps"), -limit, limit, signed=True, caption="ln Z about its mean",
        )  # fmt: skip

    def _law(self) -> core.Chart:
        """Ln Z over all end points, after all steps and after a quarter of them: the same law, if (3) is right."""
        both = [(f"after {max(1, self.model.length // 4)} steps", self.shorter)]
        if self.finished:
            both.append((f"after {self.model.length} steps", np.log(self.z) + self.scale))
        low, high = min(v.min() for _, v in both), max(v.max() for _, v in both)
        edges = np.linspace(low - 1e-9, high + 1e-9, 33)
        middle, series = 0.5 * (edges[1:] + edges[:-1]), []
        for name, values in both:
            series.append(core.Series(name, middle, np.histogram(values, edges, density=True)[0], "step"))
        axes = core.Axis("ln Z"), core.Axis("density", low=0.0)
        return core.Chart(tuple(series), *axes, caption="same strength, other n")

    def _pairs(self) -> core.Chart:
        """Every dot is one end point: Stratonovich's Z, and Skorokhod's in the same potentials."""
        stratonovich, skorokhod = self.pairs
        top = float(stratonovich.max(initial=2.0))
        few = f"walks are counted out for {COUNTED_OUT} steps of nearest neighbours, or fewer"
        caption = "after the last step, from all walks" if self.model.counts_out else few
        return core.Chart(
            (core.Series("end points", stratonovich, skorokhod, "points"),
             core.Series("mean of Skorokhod's", np.array([0.0, top]), np.ones(2))),
            core.Axis("Z, Stratonovich", low=0.0), core.Axis("Z, Itô and Skorokhod", low=0.0),
            (core.Guide(1.0, (0.0, 0.0), "equal"),), caption,
        )  # fmt: skip
