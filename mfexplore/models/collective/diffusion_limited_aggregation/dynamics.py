"""A growing cluster and what is measured on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.models.collective.diffusion_limited_aggregation.lattice_gas import LatticeGas
from mfexplore.models.collective.diffusion_limited_aggregation.off_lattice import SPACING, OffLattice
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space.box_counting import lacunarity, renyi_dimensions

if TYPE_CHECKING:
    from mfexplore.models.collective.diffusion_limited_aggregation import (  # noqa: F401  (the type of the model)
        DiffusionLimitedAggregation,
    )

DOTS = 3000  # of a picture
FRAMES = 200  # of a growing cluster
MOST_AT_ONCE = 2000  # particles in a step
THICK = 2.0  # diameters: growth from a line or ring has an exponent once its first tenth is thicker
ACROSS = 250  # dots side by side, at most: smaller ones would not be seen
ORDERS = np.linspace(0, 5, 11)  # at which Renyi dimensions are found
RADII = np.geomspace(1, 1e5, 81)  # at which masses are counted


@kernel
def first_arrivals(points, left, bottom, side, arrival):
    """arrival[row, column]: the number of the first point in that box, -1 if none. Returns how many boxes have one."""
    rows, columns = arrival.shape
    arrival[:] = -1
    filled = 0
    for k in range(points.shape[0]):
        i, j = math.floor((points[k, 1] - bottom) / side), math.floor((points[k, 0] - left) / side)
        if 0 <= i < rows and 0 <= j < columns and arrival[i, j] < 0:
            arrival[i, j] = k
            filled += 1
    return filled


def growth_curve(lengths: Array, first: float) -> tuple[Array, Array]:
    """Numbers n of particles from the first one on, evenly spaced in their logarithm, and the root mean square of the
    lengths of the first n, given in the order of arrival. Arrays of shape (k,).
    """
    n = np.unique(np.geomspace(max(10, min(first, len(lengths))), max(10, len(lengths)), 25).astype(int))
    n = n[n <= len(lengths)]
    return n, np.sqrt(np.cumsum(lengths**2)[n - 1] / n)


def growth_dimension(lengths: Array, around_a_point: bool) -> float:
    """Exponent D from the growth of the first n particles, n between a few percent of them and all.

    lengths: distance of every particle from the point (n ~ R^D with R their root mean square), or from the line or ring
    it grew from (n ~ R^(D-1)), in the order of arrival. NaN as long as that is a layer too thin to have an exponent.
    """
    n, size = growth_curve(lengths, (0.03 if around_a_point else 0.1) * len(lengths))
    if not around_a_point and size[0] < THICK:
        return math.nan
    slope = max(float(np.polyfit(np.log(n), np.log(size), 1)[0]), 1e-2)
    return 1 / slope + (0 if around_a_point else 1)


class DiffusionLimitedAggregationSimulation(core.Simulation["DiffusionLimitedAggregation"]):
    """A growing cluster. One walker at a time: a unit of time is a particle. Many at once: a sweep of the walkers."""

    time_unit = "particles"
    quantum, relaxation, window = 1.0, 0.0, 0.0

    def prepare(self) -> None:
        engine = OffLattice if self.model.walker_density == 0 else LatticeGas
        self.step = float(min(max(100, self.model.size // FRAMES), MOST_AT_ONCE))
        if engine is LatticeGas:
            self.time_unit, self.step = "sweeps", 20.0  # type: ignore[misc]  # of this run, not of all
        self.engine: OffLattice | LatticeGas = engine(self.model, self.rng)
        self.measured_at, self.dimensions = -1, dict[str, float]()
        self.squares, self.summed = 0.0, self.engine.seeds
        self.box = SPACING
        self.counted, self.masses = self.engine.seeds, np.zeros(len(RADII) + 1, np.int64)
        self.spectrum_at, self.spectrum = 0, np.empty(0)

    def retune(self) -> None:
        self.engine.model = self.model

    def evolve(self, duration: float) -> float | None:
        before = self.engine.count
        self.engine.advance(duration)
        return None if isinstance(self.engine, LatticeGas) else float(self.engine.count - before)

    @property
    def finished(self) -> bool:
        return self.engine.count == len(self.engine.points) or self.engine.full

    def cluster(self) -> Array:
        """Positions of the particles in the order of their arrival, without the seeds, shape (n, 2)."""
        return self.engine.points[self.engine.seeds : self.engine.count]

    def scale(self) -> float:
        """Size of the cluster: radius of an even disc with its radius of gyration, height, or radius of the ring."""
        points = self.cluster()
        if not len(points):
            return 1.0
        if self.model.geometry == "point":
            return max(1.0, math.sqrt(2 * self._squared_distances() / len(points)))
        if self.model.geometry == "line":
            return max(1.0, float(points[:, 1].max()))
        return self.engine.radius

    def observe(self) -> dict[str, float]:
        points, squares = self.cluster(), self._squared_distances()
        due = self.measured_at < 0 or len(points) > 1.15 * self.measured_at
        dimensions = self._dimensions() if due else self.dimensions
        if not self.between_points:
            self.squares, self.summed = squares, self.engine.count
            self.dimensions, self.measured_at = dimensions, len(points) if due else self.measured_at
        observed = dimensions | {"size": float(len(points))}
        if self.model.geometry == "point":
            observed["radius_of_gyration"] = math.sqrt(squares / max(len(points), 1))
        return observed

    def _squared_distances(self) -> float:
        """Sum over the particles of their squared distances from the middle."""
        return self.squares + float(np.sum(self.engine.points[self.summed : self.engine.count] ** 2))

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """The finished cluster: one sample of an ensemble. Raises CancelledError if `cancelled()`."""
        while not self.finished:
            self._advance_unless(cancelled, 50 * self.step)
        self.measured_at = -1
        return self.observe()

    def renyi_dimensions(self, orders: Array) -> Array:
        """D_q of the mass of the cluster, from boxes between a 32nd and a quarter of its size; shape of `orders`."""
        points, scale = self.cluster(), self.scale()
        finest = max(scale / 32, min(8.0, scale / 8))
        return renyi_dimensions(points, orders, finest, max(2, 1 + round(math.log2(scale / 4 / finest))))

    def _distances(self) -> Array:
        """Of the particles from where the cluster grows, in the order of their arrival; shape (n,)."""
        points = self.cluster()
        if self.model.geometry == "line":
            return points[:, 1]
        distance = np.hypot(points[:, 0], points[:, 1])
        return self.engine.radius - distance if self.model.geometry == "ring" else distance

    def _dimensions(self) -> dict[str, float]:
        """What is expensive to measure; unknown while there are too few particles."""
        points, scale = self.cluster(), self.scale()
        if len(points) < 30:
            return dict.fromkeys(("fractal_dimension", "information_dimension", "lacunarity"), math.nan)
        window = (-scale, scale, -scale, scale)
        if self.model.geometry == "line":
            window = (*self.engine.window()[:2], 0.0, scale)
        return {
            "fractal_dimension": growth_dimension(self._distances(), self.model.geometry == "point"),
            "information_dimension": float(self.renyi_dimensions(np.ones(1))[0]),
            "lacunarity": lacunarity(points, scale / 8, window),
        }

    def profiles(self) -> dict[str, core.Measured]:
        """The Renyi dimensions, and around a point how many particles lie within a radius."""
        found = {}
        n = len(self.cluster())
        if n >= 30 and (n > 1.15 * self.spectrum_at or (self.finished and n > self.spectrum_at)):
            self.spectrum_at, self.spectrum = n, self.renyi_dimensions(ORDERS)
        if self.spectrum_at:
            found["renyi_dimensions"] = core.Measured(ORDERS, self.spectrum)
        if self.model.geometry == "point":
            distance = np.hypot(*self.engine.points[self.counted : self.engine.count].T)
            self.masses += np.bincount(np.searchsorted(RADII, distance), minlength=len(RADII) + 1)
            self.counted = self.engine.count
            inside = self.scale() >= RADII  # further out the cluster still grows
            mass = np.cumsum(self.masses)[:-1][inside].astype(float)
            found["mass"] = core.Measured(RADII[inside], mass)
        return found

    def pictures(self) -> core.Album:
        return core.Album({"cluster": self.picture, "growth": self._growth})

    def _growth(self) -> core.Chart:
        """The number of particles against the size of the cluster when it had so many."""
        around = self.model.geometry == "point"
        n, size = growth_curve(self._distances(), 30)
        dimension = self.observe()["fractal_dimension"]
        guides = []
        if np.isfinite(dimension):
            slope = dimension if around else dimension - 1
            name = f"D = {dimension:.2f}" if around else f"D - 1 = {slope:.2f}"
            guides.append(core.Guide(slope, (float(size[-1]), float(n[-1])), name))
        title = "radius of gyration" if around else "root mean square distance from where it grows"
        return core.Chart(
            (core.Series("cluster", size, n.astype(float), "points"),), core.Axis(title, "log"),
            core.Axis("particles", "log"), tuple(guides), "each point: when the cluster had so many particles",
        )  # fmt: skip

    def picture(self) -> core.Particles:
        """The cluster in at most a few thousand dots: boxes that hold a particle, coloured by the first arrival."""
        left, right, bottom, top = self.engine.window()
        points = self.engine.points[: self.engine.count]
        caption = f"{len(points) - self.engine.seeds} particles, coloured by their arrival"
        if len(points) <= DOTS and right - left <= ACROSS * SPACING:
            return core.Particles(
                points[:, 0], points[:, 1], (left, right, bottom, top), np.arange(len(points)), SPACING / 2, caption
            )
        self.box = max(self.box, (right - left) / ACROSS)
        while True:
            shape = math.ceil((top - bottom) / self.box), math.ceil((right - left) / self.box)
            arrival = np.empty(shape, np.int64)
            if first_arrivals(points, left, bottom, self.box, arrival) <= DOTS:
                break
            self.box *= 1.19
        rows, columns = np.nonzero(arrival >= 0)
        x, y = left + (columns + 0.5) * self.box, bottom + (rows + 0.5) * self.box
        caption += f"; a dot stands for {self.box:.3g} diameters"
        return core.Particles(x, y, (left, right, bottom, top), arrival[rows, columns], 0.55 * self.box, caption)
