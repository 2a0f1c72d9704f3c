"""A growing cluster and what is measured on it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.models.collective.diffusion_limited_aggregation.lattice_gas import LatticeGas
from mfexplore.models.collective.diffusion_limited_aggregation.off_lattice import SPACING, OffLattice
from mfexplore.numerics.space.box_counting import lacunarity, renyi_dimensions

if TYPE_CHECKING:
    from mfexplore.models.collective.diffusion_limited_aggregation import (  # noqa: F401  (the type of the model)
        DiffusionLimitedAggregation,
    )

DOTS = 3000  # of a picture
FRAMES = 200  # of a growing cluster
MOST_AT_ONCE = 2000  # particles in a step
FEW = 30  # particles have no dimensions yet
THICK = 2.0  # diameters: growth from a line or ring has an exponent once its first tenth is thicker
ACROSS = 250  # dots side by side, at most: smaller ones would not be seen
ORDERS = np.linspace(0, 5, 11)  # at which Renyi dimensions are found
RADII = np.geomspace(1, 1e5, 81)  # at which masses are counted


class Structure(NamedTuple):
    """What is expensive to measure, on a cluster of so many particles. renyi: at ORDERS; mass: within RADII."""

    particles: int
    dimensions: dict[str, float]
    renyi: Array
    mass: core.Measured


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
        m = self.model
        if m.walker_density > 0:
            self.time_unit, self.step = "sweeps", 20.0  # type: ignore[misc]  # of this run, not of all
            self.engine: OffLattice | LatticeGas = LatticeGas(m, self.rng)
        else:
            self.step = float(min(max(100, m.size // FRAMES), MOST_AT_ONCE))
            self.engine = OffLattice(m, self.rng)
        self.box = SPACING
        self.structure = self._structured()

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
            return max(1.0, math.sqrt(2 * np.sum(points**2) / len(points)))
        return max(1.0, float(points[:, 1].max())) if self.model.geometry == "line" else self.engine.radius

    def observe(self) -> dict[str, float]:
        points, structure = self.cluster(), self._renewed()
        if not self.between_points:
            self.structure = structure
        observed = structure.dimensions | {"size": float(len(points))}
        if self.model.geometry == "point":
            observed["radius_of_gyration"] = math.sqrt(np.sum(points**2) / max(len(points), 1))
        return observed

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """The finished cluster: one sample of an ensemble. Raises CancelledError if `cancelled()`."""
        while not self.finished:
            self._advance_unless(cancelled, 50 * self.step)
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

    def _renewed(self) -> Structure:
        """The structure of the cluster as it is now, or as it was when it was hardly smaller."""
        n, last = len(self.cluster()), self.structure.particles
        return self._structured() if n > 1.15 * last or (self.finished and n > last) else self.structure

    def _structured(self) -> Structure:
        points, scale, distances = self.cluster(), self.scale(), self._distances()
        radii = RADII[scale >= RADII]  # further out the cluster still grows
        within = np.searchsorted(np.sort(distances), radii, side="right").astype(float)
        found = dict.fromkeys(("fractal_dimension", "information_dimension", "lacunarity"), math.nan)
        renyi = np.empty(0)
        if len(points) >= FEW:
            window = (-scale, scale, -scale, scale)
            if self.model.geometry == "line":
                window = (*self.engine.window()[:2], 0.0, scale)
            renyi = self.renyi_dimensions(ORDERS)
            found = {
                "fractal_dimension": growth_dimension(distances, self.model.geometry == "point"),
                "information_dimension": float(renyi[ORDERS == 1][0]),
                "lacunarity": lacunarity(points, scale / 8, window),
            }
        return Structure(len(points), found, renyi, core.Measured(radii, within))

    def profiles(self) -> dict[str, core.Measured]:
        """The Renyi dimensions, and around a point how many particles lie within a radius."""
        structure = self._renewed()
        found = {"renyi_dimensions": core.Measured(ORDERS, structure.renyi)} if structure.renyi.size else {}
        return found | ({"mass": structure.mass} if self.model.geometry == "point" else {})

    def pictures(self) -> core.Album:
        return core.Album({"cluster": self.picture, "growth": self._growth})

    def _growth(self) -> core.Chart:
        """The number of particles against the size of the cluster when it had so many."""
        around = self.model.geometry == "point"
        n, size = growth_curve(self._distances(), 30)
        dimension = self.observe()["fractal_dimension"]
        guides: tuple[core.Guide, ...] = ()
        if np.isfinite(dimension):
            slope, name = (dimension, "D") if around else (dimension - 1, "D - 1")
            guides = (core.Guide(slope, (float(size[-1]), float(n[-1])), f"{name} = {slope:.2f}"),)
        title = "radius of gyration" if around else "root mean square distance from where it grows"
        return core.Chart(
            (core.Series("cluster", size, n.astype(float), "points"),), core.Axis(title, "log"),
            core.Axis("particles", "log"), guides, "each point: when the cluster had so many particles",
        )  # fmt: skip

    def picture(self) -> core.Particles:
        """The cluster in at most a few thousand dots: boxes that hold a particle, coloured by the first arrival."""
        frame = left, right, bottom, top = self.engine.window()
        points = self.engine.points[: self.engine.count]
        caption = f"{len(self.cluster())} particles, coloured by their arrival"
        if len(points) <= DOTS and right - left <= ACROSS * SPACING:
            return core.Particles(points[:, 0], points[:, 1], frame, np.arange(len(points)), SPACING / 2, caption)
        self.box = max(self.box, (right - left) / ACROSS)
        while True:
            shape = math.ceil((right - left) / self.box), math.ceil((top - bottom) / self.box)
            boxes = ((points - (left, bottom)) / self.box).astype(int).T
            arrival = np.full(math.prod(shape), -1)
            # Of those in a box the one that is written last stays: the first.
            arrival[np.ravel_multi_index(tuple(boxes), shape, mode="clip")[::-1]] = np.arange(len(points))[::-1]
            filled = np.flatnonzero(arrival >= 0)
            if len(filled) <= DOTS:
                break
            self.box *= 1.19
        x, y = (np.stack(np.unravel_index(filled, shape)) + 0.5) * self.box + [[left], [bottom]]
        caption += f"; a dot stands for {self.box:.3g} diameters"
        return core.Particles(x, y, frame, arrival[filled], 0.55 * self.box, caption)
