"""Drawn Ising chains, and the XX chain in time."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.transport.cumulant_clustering.theory import (
    DISTANCES,
    MEASURED,
    along_ray,
    cumulants,
    decays,
    draw_chain,
    products,
    propagators,
)
from mfexplore.numerics.chance.statistics import jackknife

if TYPE_CHECKING:
    from mfexplore.models.transport.cumulant_clustering import CumulantClustering  # noqa: F401

ISING, XX = {"chain": ("ising",)}, {"chain": ("xx",)}
GROUPS = 32  # of samples, for errors
ROWS = 120  # times in the picture of the light cone


class ClusteringSimulation(core.Simulation["CumulantClustering"]):
    """Stretches of an Ising chain, drawn exactly, one after another; or a ring of XX spins that evolves exactly."""

    time_unit = "steps"
    relaxation, window = 0.0, 40.0

    def prepare(self) -> None:
        m = self.model
        self.sums, self.added = np.zeros((GROUPS, 7, MEASURED - 1)), np.zeros(GROUPS)
        self.last = math.nan
        self.cone = np.full((ROWS, min(m.size, WIDTH)), np.nan)
        self.late = 0.0
        self.ray: list[tuple[float, complex, complex]] = []
        if m.chain == "xx":
            self._look()

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.chain == "ising":
            found = products(draw_chain(m.temperature, m.field, m.size, self.rng))
            k = int(self.added.sum()) % GROUPS
            self.sums[k] += found
            self.added[k] += 1
            self.last = float(found[6, 0])
        else:
            self.late += duration * TICK
            self._look()

    def _look(self) -> None:
        """The light cone now, and what lies on the ray."""
        m = self.model
        there, back = propagators(np.array([self.late]), m.temperature, m.size)
        row, half = len(self.ray), self.cone.shape[1] // 2
        if row < ROWS:
            shown = np.arange(-half, self.cone.shape[1] - half) % m.size
            self.cone[row] = np.log10(np.maximum(np.abs(there[0, shown] * back[0, shown]), 1e-16))
        two, four = along_ray(m.velocity, np.array([self.late]), m.temperature, m.size)
        self.ray.append((self.late, complex(two[0]), complex(four[0])))

    @property
    def finished(self) -> bool:
        return self.model.chain == "xx" and len(self.ray) >= ROWS

    def observe(self) -> dict[str, float]:
        if self.model.chain == "ising":
            return {"magnetization": self.last}
        times, two, _ = map(np.array, zip(*self.ray, strict=True))
        average = abs(np.trapezoid(two, times)) / times[-1] if len(times) > 1 else abs(two[0])
        return {"correlation": float(abs(two[-1])), "average": float(average)}

    def cumulants(self) -> tuple[Array, Array]:
        """|C_2|, |u_4|, |kappa_4|, interleaved |kappa_4| and their errors, both of shape (4, MEASURED - 1)."""
        sums = np.concatenate([self.sums.sum(axis=0)[None], self.sums.sum(axis=0) - self.sums])
        count = np.concatenate([[self.added.sum()], self.added.sum() - self.added])
        mean = sums / count[:, None, None]
        moments = dict(zip(("near", "same", "far", "close", "triples", "all"), mean.swapaxes(0, 1), strict=False))
        m = mean[:, 6]
        values, error = jackknife(np.stack([moments["same"] - m**2, *cumulants(moments, m)], axis=1))
        return np.abs(values), error

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.chain == "xx" or self.added.min() < 1:
            return {}
        values, error = self.cumulants()
        seen = np.where(values > 3 * error, values, np.nan)
        return {name: core.Measured(DISTANCES[: MEASURED - 1], seen[k], error[k]) for k, name in enumerate(FUNCTIONS)}

    def picture(self) -> core.Chart:
        return self._decay() if self.model.chain == "ising" else self._ray()

    def pictures(self) -> core.Album:
        cone = {"light cone": self._cone} if self.model.chain == "xx" else {}
        return core.Album({"decay": self.picture, **cone})

    def _decay(self) -> core.Chart:
        """All cumulants at once, theory beside the run."""
        names = ("two spins", "four, classical", "four, free", "four, interleaved")
        exact = decays(self.model.temperature, self.model.field)
        series = [
            core.Series(name, DISTANCES, np.maximum(line, 1e-30)) for name, line in zip(names, exact, strict=True)
        ]
        measured = self.profiles()
        for name, function in zip(names, FUNCTIONS, strict=True):
            if function in measured:
                one = measured[function]
                series.append(core.Series(f"{name}, seen", one.coordinate, one.values, "points", one.error))
        low = max(1e-12, float(exact[0].min()) / 10)
        return core.Chart(
            tuple(series), core.Axis("distance r of the groups"), core.Axis("size of the cumulant", "log", low=low),
            caption="grouped cumulants die together; interleaved ones do not",
        )  # fmt: skip

    def _cone(self) -> core.Field:
        half = self.cone.shape[1] // 2
        latest = (ROWS - 1) * TICK
        times = np.array([0.0, latest])
        return core.Field(
            self.cone.copy(), (-half - 0.5, half - 0.5, -TICK / 2, latest + TICK / 2), core.Axis("distance"),
            core.Axis("time"), -10.0, 0.0, caption="logarithm of the connected correlation; the cone and the ray",
            paths=((times, times), (np.minimum(self.model.velocity * times, half), times)),
        )  # fmt: skip

    def _ray(self) -> core.Chart:
        times, two, four = map(np.array, zip(*self.ray, strict=True))
        running = np.abs(np.cumsum(two)) / np.arange(1, len(two) + 1)
        curves = (("two spins", np.abs(two)), ("four spins", np.abs(four)), ("average over time of two", running))
        series = tuple(core.Series(name, times, np.maximum(values, 1e-16)) for name, values in curves)
        guide = core.Guide(0.0, (0.0, 1e-16), "rounding")
        return core.Chart(series, core.Axis("time along the ray"), core.Axis("size", "log"), (guide,))


FUNCTIONS = ("two_point", "ursell", "free_cumulant", "interleaved")
TICK = 0.25  # time of the XX chain in a step
WIDTH = 121  # sites in the picture of the light cone
