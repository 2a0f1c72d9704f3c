r"""Diffusion-limited aggregation: random walkers that stick where they touch.

A walker comes from far away, wanders, and joins the cluster at the first contact (with probability $s$, else it
bounces). Where it arrives is decided by the field of walkers outside, $\nabla^2c=0$ with $c=0$ on the cluster, so tips
catch more than fjords and grow ahead: the cluster becomes a branched fractal, $N\sim R^D$.

**Mean field.** Balancing how a walk of dimension $d_w$ penetrates a cluster of dimension $D$ in $d$ dimensions gives

$$D_0=\frac{d^2+d_w-1}{d+d_w-1} \tag{1}$$

that is 5/3 for diffusion ($d_w=2$) in the plane and 2 for straight paths ($d_w=1$). The true value is 1.71(1). It is a
fractal of one dimension: all Renyi dimensions of the mass, $\sum_bp_b^q\sim\ell^{(q-1)D_q}$ over boxes of side $\ell$
that hold the shares $p_b$, are equal.

**Dilute to dense.** With walkers of density $n_0$ everywhere, those between the arms have no way to go: the cluster is
fractal up to the screening length where its own density has fallen to $n_0$, and compact beyond,

$$\xi\sim n_0^{-1/(2-D_0)} \tag{2}$$

Bouncing walkers reach every gap within a length $\xi_s$ and make a compact core; a drift makes paths straight beyond
the length $1/\lambda$, where the cluster stops thinning out. All three are in one profile of density,

$$\rho(r)=\max\Big[n_0,\;\rho(1/\lambda),\;c\,\min\Big(1,\frac{\xi_s}r\Big)^{2-D_0}\Big] \tag{3}$$

that fixes the number of particles $N=\int_0^R2\pi r\rho\,dr$ and the exponent $D(R)=d\ln N/d\ln R$ seen at that size,
the slope of the mass against the radius on logarithmic axes.
Theory gives the exponents; the prefactors ($c$ and $\xi_s=bs^{-k}$, off and on the lattice) are taken from the
simulation. In boxes of side $\ell$ that cover the square around it, a fractal cluster has the lacunarity

$$\Lambda=\frac{\langle M^2\rangle}{\langle M\rangle^2}\simeq\frac4\pi\Big(\frac{bR}\ell\Big)^{2-D} \tag{4}$$

which is exact for a disc ($D=2$); that not all of the radius counts as much, $b=0.42$, is again from the simulation, at
$10^5$ particles (with $2\cdot10^4$ it is a tenth larger than (4), with $10^6$ a few per cent smaller).

**Simulation.** For $n_0=0$ walkers come one at a time, off the lattice: discs of diameter 1 that are caught within 3
and pulled to contact. A walker jumps to a random point on the largest circle that is known to be empty, found in a
hierarchy of grids, and when it is beyond the cluster's radius $R$ at the distance $r$, it is brought back exactly: it
meets the circle $R$ turned by the angle

$$\varphi=2\arctan\Big[\frac{r-R}{r+R}\tan\pi\big(u-\tfrac12\big)\Big],\qquad
\langle\cos k\varphi\rangle=(R/r)^k \tag{5}$$

with $u$ uniform. With a drift of $\lambda$ (velocity over twice the diffusion constant) the point on the circle has the
density $e^{\lambda r\cos\theta}$. For $n_0>0$ all walkers move at once on a square lattice, one per site, and a new one
enters far away whenever one sticks.

**Valid:** for the exponents, as $N\to\infty$. Crossovers are far smoother than (3), so that a measured $D$ between 1.71
and 2 is an effective one, and box counting on clusters of $10^4$ particles finds 1.6 (1.70 for $10^6$). $R_g$ is
that of growth around a point.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.models.collective.diffusion_limited_aggregation.dynamics import (
    ORDERS,
    RADII,
    DiffusionLimitedAggregationSimulation,
)
from mfexplore.models.collective.diffusion_limited_aggregation.off_lattice import GEOMETRIES, SPACING
from mfexplore.numerics.later import quad

MEASURED_DIMENSION = 1.71
# What eq. (3) leaves open, as found in the simulation: density c of the core, and its size b s^-k.
OFF_LATTICE = (0.235, 2.2, 1.0)
ON_LATTICE = (0.65, 0.34, 1.4)
UNEVEN = 0.42  # b of eq. (4)


def mean_field_dimension(walk: float) -> float:
    """D_0 of eq. (1) in the plane, for walkers whose own path has the dimension `walk`."""
    return (4 + walk - 1) / (2 + walk - 1)


DIMENSIONS = np.array([MEASURED_DIMENSION, mean_field_dimension(walk=2.0)])  # by the methods


class DensityProfile(NamedTuple):
    """Eq. (3), of arrays that broadcast: D_0, the density of the core, its size, the density that is left far out."""

    dimension: Array
    dense: Array
    blob: Array
    floor: Array

    def at(self, r: Array) -> Array:
        return np.maximum(self.floor, self.dense * np.minimum(1, self.blob / r) ** (2 - self.dimension))

    def end_of_arms(self) -> Array:
        """Where they have thinned out to the density far out; infinite if they never do."""
        with np.errstate(divide="ignore", over="ignore"):
            return self.blob * (self.dense / self.floor) ** (1 / (2 - self.dimension))

    def core(self) -> Array:
        """How many particles are in it."""
        return math.pi * self.dense * self.blob**2

    def arms(self, r: Array) -> Array:
        """Particles within r if the arms begin before and go on to there."""
        return self.core() * (1 + 2 / self.dimension * ((r / self.blob) ** self.dimension - 1))

    def mass(self, r: Array) -> Array:
        """Particles within r."""
        reach = np.minimum(r, np.maximum(self.blob, self.end_of_arms()))
        beyond = math.pi * self.floor * (r**2 - reach**2)
        return np.where(r < self.blob, math.pi * self.dense * r**2, self.arms(reach) + beyond)

    def radius(self, particles: Array) -> Array:
        """Within which so many are: the inverse of `mass`."""
        d, end = self.dimension, np.maximum(self.blob, self.end_of_arms())
        core = self.core()
        with np.errstate(invalid="ignore", divide="ignore"):
            beyond = np.sqrt(end**2 + (particles - self.arms(end)) / (math.pi * self.floor))
        arms = self.blob * (1 + d / 2 * np.maximum(particles / core - 1, 0)) ** (1 / d)
        inside = np.where(particles <= core, np.sqrt(particles / (math.pi * self.dense)), arms)
        return np.where(particles > self.arms(end), beyond, inside)

    def slope(self, particles: Array) -> Array:
        """The exponent D(R) = d ln N / d ln R where the cluster has so many."""
        radius = self.radius(particles)
        return 2 * math.pi * radius**2 * self.at(radius) / particles


def gyration(radius: Array, slope: Array) -> Array:
    """Radius of gyration of a cluster whose mass grows as the power `slope` of the radius."""
    return radius * np.sqrt(slope / (slope + 2))


@dataclass(frozen=True)
class DiffusionLimitedAggregation(core.Model):
    walker_density: float = core.control(
        0.0, 0.0, 0.6, symbol="n_0", role="load", step=0.01, quenched=True,
        doc="walkers per site of a square lattice; 0: one at a time, off the lattice",
    )  # fmt: skip
    sticking: float = core.control(
        1.0, 0.01, 1.0, symbol="s", role="temperature", scale="log", step=0.01, doc="probability to stick at a contact"
    )
    drift: float = core.control(
        0.0, 0.0, 1.0, symbol=r"\lambda", unit="1/diameter", role="field", step=0.01,
        doc="drift velocity of the walkers over twice their diffusion constant, downwards (line, or many walkers)",
    )  # fmt: skip
    size: int = core.control(
        20_000, 50, 10_000_000, symbol="N", unit="particles", role="size", scale="log",
        doc="how large the cluster grows",
    )  # fmt: skip
    geometry: str = core.choice("point", GEOMETRIES, doc="growth out of a point, up from a line, or into a ring")

    version = 3
    tags = core.Tags("first contact", 15, ("growth", "patterns"), ("field theory", "Monte Carlo"))
    relations = (
        core.Relation(
            "shares the method with", "annihilation",
            "Around whatever absorbs walkers their density is depleted; it solves the equation of diffusion with "
            "that boundary.",
        ),
    )  # fmt: skip
    title = "Diffusion-limited aggregation"
    summary = "Random walkers stick where they touch: a branched fractal when dilute, a compact cluster when dense."
    sources = (
        core.Source("T. A. Witten, L. M. Sander, Phys. Rev. Lett. 47, 1400 (1981)", doi="10.1103/PhysRevLett.47.1400"),
        core.Source("M. Muthukumar, Phys. Rev. Lett. 50, 839 (1983)", doi="10.1103/PhysRevLett.50.839"),
        core.Source("Numba-accelerated 2D diffusion-limited aggregation: implementation and fractal characterization"),
    )
    observables = (
        core.Observable("fractal_dimension", "D", "exponent of mass against radius at this size", low=1.5, high=2.1),
        core.Observable("information_dimension", "D_1", "Renyi dimension of order 1 of the mass", low=1.4, high=2),
        core.Observable(
            "renyi_dimensions", "D_q", "generalised dimensions of the mass", low=1.4, high=2, over="order",
            title="Rényi dimensions",
        ),
        core.Observable(
            "lacunarity", r"\Lambda", "unevenness of the mass in boxes of an eighth of the size, eq. (4)", low=1
        ),
        core.Observable(
            "radius_of_gyration", "R_g", "root mean square distance from the centre", unit="diameters", low=0
        ),
        core.Observable(
            "inverse_screening_length", r"1/\xi", "inverse of the size up to which the cluster is fractal",
            unit="1/diameter", low=0, high=1,
        ),
        core.Observable(
            "mass", "N(r)", "particles within a distance of the centre", over="radius", scale="log",
            only={"geometry": ("point",)},
        ),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("order", "q", "power to which the shares of the boxes are raised"),
        core.Coordinate("radius", "r", "distance from the centre", unit="diameters", scale="log"),
    )
    methods = (
        core.Method("numerical", "D_0 = 1.71, from the largest off-lattice clusters"),
        core.Method("mean_field", "D_0 = 5/3 from eq. (1)"),
    )
    phases = (
        core.Phase("dilute", "A branched fractal: its arms screen the gaps between them from newcomers."),
        core.Phase("compact", "Walkers are everywhere between the arms (or come straight down) and fill them."),
        core.Phase("reaction_limited", "Walkers bounce so often that they reach every gap: a compact core."),
    )
    landmarks = (
        core.Landmark(
            "screening", r"R=\xi", "the cluster has reached the screening length", continuous=False, of="size"
        ),
        core.Landmark("core", r"R=\xi_s", "the cluster outgrows its compact core", continuous=False, of="size"),
    )
    planes = (
        core.Plane("walker_density", "size", "fractal_dimension", y_range=(100, 1_000_000)),
        core.Plane("sticking", "size", "fractal_dimension", y_range=(100, 1_000_000)),
    )
    presets = (
        core.Preset(
            "dilute", {},
            "Arms grow at their tips; the fjords stay empty however long you wait.",
            view=core.View(function="mass"),
        ),
        core.Preset(
            "large", {"size": 1_000_000},
            "A million particles in half a minute: D settles, and the arms look alike at every scale.",
            (core.Promise(core.Value("fractal_dimension", method="numerical"), 1.71, 0.005),),
            core.View(picture="growth"),
        ),
        core.Preset(
            "dense", {"walker_density": 0.3}, "Walkers wait between the arms and fill them: D_1 comes to 1.87.",
        ),
        core.Preset(
            "crossover", {"walker_density": 0.15},
            "Fractal at first, compact later: on the way any effective dimension up to 2 can be measured.",
        ),
        core.Preset(
            "sticky", {"sticking": 0.03}, "Walkers that bounce fill the core; only beyond it the arms appear.",
            view=core.View(plane=("sticking", "size")),
        ),
        core.Preset(
            "frost", {"geometry": "line", "size": 30_000}, "Trees compete for walkers: few reach high up."
        ),
        core.Preset(
            "rain", {"geometry": "line", "drift": 0.3, "size": 30_000},
            "Walkers that fall cannot be screened from the side: dense columns instead of trees.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean-field dimension", 5 / 3, 1e-12, "Muthukumar 1983: $(d^2+1)/(d+1)$",
            lambda model: mean_field_dimension(walk=2.0), published=True,
        ),
        core.Reference(
            "dimension of three clusters of 20000", 1.71, 0.05, "Witten and Sander 1981 and later",
            lambda model: np.mean([model.simulate(seed).measure()["fractal_dimension"] for seed in range(3)]),
            published=True,
        ),
        core.Reference(
            "effective dimension of a dense cluster", 1.87, 0.04, "Numba-accelerated 2D DLA: about 1.87 when dense",
            lambda model: model.simulate(seed=1).measure()["information_dimension"], {"walker_density": 0.3},
            published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A cluster of walkers that come one by one grows to twice its radius. By which exponent does its number of "
            "particles grow with the radius?",
            {}, "fractal_dimension", core.Value("fractal_dimension", method="numerical"), 0.1,
            "By 1.71, far below 2: the fjords are screened. Mean-field theory gives 5/3.",
            view=core.View(picture="growth"),
        ),
    )  # fmt: skip
    simulation = DiffusionLimitedAggregationSimulation

    def solve(self, points: Points) -> core.Solution:
        columns = {name: column[:, None] for name, column in points.items()}
        profile, n = self.density(columns, DIMENSIONS), columns["size"].astype(np.float64)
        radius, slope = profile.radius(n), profile.slope(n)
        screening = np.where(profile.floor < profile.dense, profile.end_of_arms(), SPACING)
        values = {
            "fractal_dimension": slope,
            "information_dimension": slope,
            "lacunarity": 4 / math.pi * (8 * UNEVEN) ** (2 - slope),
            "radius_of_gyration": gyration(radius, slope),
            "inverse_screening_length": 1 / np.maximum(screening, SPACING),
        }
        return core.Solution(values, np.zeros(slope.shape), extra={"radius": radius, "blob": profile.blob})

    def density(self, points: Points, dimension: Array | float) -> DensityProfile:
        """Eq. (3) at every point."""
        gas = points["walker_density"] > 0
        dense, size, power = (np.where(gas, on, off) for on, off in zip(ON_LATTICE, OFF_LATTICE, strict=True))
        blob = size * points["sticking"] ** -power
        drift = points["drift"] if self.geometry == "line" else np.where(gas, points["drift"], 0.0)
        straight = dense * np.minimum(1.0, blob * drift) ** (2 - dimension)  # density at the length 1/drift
        floor = np.maximum(points["walker_density"], np.where(drift > 0, straight, 0.0))
        return DensityProfile(np.asarray(dimension), dense, blob, floor)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        d0 = DIMENSIONS[[m.name for m in self.methods].index(state["method"])]
        _, dense, blob, floor = (float(np.ravel(x)[0]) for x in self.density(columns(self, {}), d0))
        slope = state["fractal_dimension"]
        radius = state["radius_of_gyration"] * math.sqrt((slope + 2) / slope)

        def density(r: float) -> float:
            return max(floor, dense * min(1.0, blob / r) ** (2 - d0))

        corners = [blob, blob * (dense / floor) ** (1 / (2 - d0))] if floor > 0 else [blob]
        corners = sorted(r for r in corners if r < radius)
        mass = quad(lambda r: 2 * math.pi * r * density(r), 0, radius, points=corners or None, epsrel=1e-11)[0]
        return {
            "(3)": mass / self.size - 1,
            "D(R)": 2 * math.pi * radius**2 * density(radius) / mass - slope,
            "(4)": state["lacunarity"] - 4 / math.pi * (8 * UNEVEN) ** (2 - slope),
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        radius, blob = states.solution.extra["radius"], states.solution.extra["blob"]
        return {
            "compact": radius * states.solution.values["inverse_screening_length"] > 1,
            "reaction_limited": radius < blob * (1 - 1e-12),
            "dilute": np.ones(radius.shape, np.bool_),
        }

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        profile = self.density(points, MEASURED_DIMENSION)
        if name == "core":
            thin = dict(points, walker_density=np.where(points["walker_density"] > 0, 1e-9, 0.0))
            return profile.core(), self.density(thin, MEASURED_DIMENSION).floor < profile.dense
        with np.errstate(over="ignore"):
            screened = profile.arms(profile.end_of_arms())
        return screened, (profile.floor > 0) & (profile.floor < profile.dense)

    def expected_radius(self) -> float:
        """Radius of the cluster of this size, in diameters, after eq. (3)."""
        return float(self.density(columns(self, {}), MEASURED_DIMENSION).radius(np.array([self.size]))[0])

    def profiles(self) -> dict[str, core.Profile]:
        profile = self.density(columns(self, {}), DIMENSIONS[:, None])
        n = np.array(float(self.size))
        found = {"renyi_dimensions": core.Profile(ORDERS, np.repeat(profile.slope(n), len(ORDERS), axis=1))}
        if self.geometry == "point":
            found["mass"] = core.Profile(RADII, np.where(profile.radius(n) >= RADII, profile.mass(RADII), np.nan))
        return found

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Radius of gyration while particles come one by one to a point, after eq. (3)."""
        if self.walker_density > 0 or self.geometry != "point":
            raise core.NotOfferedError(self.title, "a predicted path but for one walker at a time around a point")
        n, profile = np.maximum(start["size"] + times, 1.0), self.density(columns(self, {}), MEASURED_DIMENSION)
        return {"radius_of_gyration": gyration(profile.radius(n), profile.slope(n))}

    def caveat(self) -> str:
        return "crossovers are far smoother than eq. (3), and what is measured is an effective exponent"

    def footprint(self) -> int:
        radius = 1.5 * self.expected_radius()
        if self.walker_density > 0:
            return int((2 * radius) ** 2 * (4 + 8 * self.walker_density)) + 16 * self.size
        return int(6 * (2 * radius) ** 2) + 20 * self.size
