r"""Bosons on a quasicrystal: Mott insulator, Bose glass and superfluid, site by site and on average.

Bosons hop between neighbouring sites of a lattice and repel each other on a site. Energies in units of the repulsion:

$$H=-J\sum_{\langle ij\rangle}(a_i^\dagger a_j+h.c.)+\tfrac12\sum_in_i(n_i-1)+\sum_i(V_i-\mu)\,n_i \tag{1}$$

On the *square* lattice ($z=4$ neighbours) two waves along the diagonals, whose periods are never a whole number of
sites, make a *quasi-periodic* potential, $V_i=\frac\Lambda2(\cos\alpha_i+\cos\beta_i)$; a *box* is a random one,
$|V_i|<\frac\Lambda2$. The *eightfold* tiling of Ammann and Beenker has sites of three to eight neighbours, four on
average, and is a quasicrystal without any potential.

**Gutzwiller's mean field** replaces the neighbours by their order $\varphi_j=\langle a_j\rangle$. Every site is then
alone,

$$h_i=\tfrac12n(n-1)-(\mu-V_i)\,n-J\sum_{j\sim i}\varphi_j\,(a+a^\dagger),\;\varphi_i=\langle a\rangle_{h_i} \tag{2}$$

The simulation solves this for all sites. The theory takes for the field of every site $zJ\varphi$ with the mean order
$\varphi$, which needs only the law of $V$ (*averaged*; *homogeneous*: without $V$):

$$\varphi=\big\langle\langle a\rangle_{\mu-V,\;zJ\varphi}\big\rangle_V \tag{3}$$

**Mott insulator.** Without hopping a site holds $n=\lceil\mu_i\rceil$ particles, $\mu_i=\mu-V_i$, and answers a small
field by

$$\chi_i=\frac{n+1}{n-\mu_i}+\frac n{\mu_i-n+1} \tag{4}$$

As long as $zJ\langle\chi\rangle<1$ there is no order. Without a potential these are the lobes
$zJ=\frac{(n-\mu)(\mu-n+1)}{1+\mu}$, whose tips are at $\mu=\sqrt{n(n+1)}-1$ and $zJ=(\sqrt n+\sqrt{n+1})^{-2}$. On a
given lattice the first order appears where the largest eigenvalue of $J\sqrt\chi A\sqrt\chi$ is one, with $A$ the
neighbours.

**Bose glass.** Where the potential reaches over a whole number some sites can take one particle more for nothing,
$\chi$ is infinite, and the gap is gone. Those sites order at the slightest hopping, but as islands. If the sites with
an order above a tenth are fewer than 0.593 of all (percolation of the square lattice), they do not connect, and we call
the state a glass: compressible, but no superfluid.

**Where it stops being true:** the average of eq. (3) spreads order over all sites, and knows of no islands (marked).
Near the onset the ordered sites of a lattice are rare, and their order is larger than the average says. On the tiling
sites of seven and eight neighbours order first. Mean field itself is late for strong repulsion: on the square lattice
the tip of the first lobe is at $J=0.0597$, not at $0.0429$.

**Simulation:** sweeps of eq. (2), site after site, until nothing changes. A square of 34 by 34 holds 21 waves.

**Valid:** eq. (3) for many neighbours. Left out: the path integrals in continuous space of the paper, temperature,
motion after a quench; and the Mott phases that break the eightfold symmetry: there particles that sit on some sites of
a ring choose among equal places, which takes correlations between sites that no product state has.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.lattices.bose_quasicrystal.lattice import (
    GOLDEN,
    BoseQuasicrystalSimulation,
    onset_on_lattice,
    quasi_periodic,
    square_lattice,
)
from mfexplore.models.lattices.bose_quasicrystal.site import (
    PERCOLATION,
    STATES,
    common_order,
    connecting_hopping,
    filling,
    ground_state,
    law_of,
    mean_susceptibility,
    quantiles,
    susceptibility,
)

AVERAGED, HOMOGENEOUS = range(2)  # as in `methods`
SHOWN = 61  # potentials at which functions are drawn


@dataclass(frozen=True)
class BoseQuasicrystal(core.Model):
    hopping: float = core.control(
        0.12, 0.0, 0.5, symbol="zJ", unit="U", role="coupling", step=0.002, doc="hopping to all neighbours together"
    )
    chemical_potential: float = core.control(
        0.41, 0.0, 3.0, symbol=r"\mu", unit="U", role="field", step=0.01, doc="energy for which a particle is to be had"
    )
    amplitude: float = core.control(
        0.4, 0.0, 2.0, symbol=r"\Lambda", unit="U", role="disorder", step=0.01,
        doc="strength of the potential: quasi-periodic from -Λ to Λ, box from -Λ/2 to Λ/2",
    )  # fmt: skip
    potential: str = core.choice(
        "quasi_periodic", {"quasi_periodic": "quasi-periodic", "box": "box"},
        doc="two waves that fit no lattice, or random",
    )  # fmt: skip
    lattice: str = core.choice(
        "square", ("square", "eightfold"), part="simulation",
        doc="sites of four neighbours, or the tiling of Ammann and Beenker",
    )  # fmt: skip
    size: int = core.control(
        1156, 64, 10_000, symbol="N", role="size", scale="log", part="simulation", doc="sites of the lattice"
    )

    tags = core.Tags("course", 15, ("phase transition", "quantum", "localization"), ("self-consistency", "variational"))
    title = "Bosons on a quasicrystal"
    summary = "Bosons freeze into a Mott insulator, flow as a superfluid, or order on islands only: the Bose glass."
    sources = (
        core.Source("Strongly-interacting bosons in a two-dimensional quasicrystal lattice"),
        core.Source("M. P. A. Fisher et al., Phys. Rev. B 40, 546 (1989)", doi="10.1103/PhysRevB.40.546"),
        core.Source("K. Sheshadri et al., Europhys. Lett. 22, 257 (1993)", doi="10.1209/0295-5075/22/4/004"),
    )
    observables = (
        core.Observable("order", r"\varphi", "mean of <a>, the superfluid order of a site", low=0, high=1.2),
        core.Observable("density", r"\langle n\rangle", "particles per site", low=0),
        core.Observable("number_variance", r"\langle\delta n^2\rangle", "variance of the particles on a site", low=0),
        core.Observable(
            "ordered_sites", r"P(\varphi_i>0.1)", "share of sites with an order above a tenth", low=0, high=1
        ),
        core.Observable(
            "order_by_potential", r"\varphi(V)", "order of sites by their potential", low=0, over="site_potential"
        ),
        core.Observable(
            "density_by_potential", "n(V)", "particles of sites by their potential", low=0, over="site_potential"
        ),
    )  # fmt: skip
    coordinates = (core.Coordinate("site_potential", "V", "potential of a site", unit="U"),)
    methods = (
        core.Method("averaged", "one order for all sites, averaged over the potential, eq. (3)"),
        core.Method("homogeneous", "without the potential"),
    )
    phases = (
        core.Phase("mott", "Every site holds the same whole number of particles, and none can be added for nothing.",
                   title="Mott insulator"),
        core.Phase("glass", "Order on islands that do not connect: particles can be added, but nothing flows.",
                   title="Bose glass"),
        core.Phase("superfluid", "Order that reaches from end to end."),
    )  # fmt: skip
    failures = (
        core.Failure(
            "islands",
            "The average spreads order over all sites; on a lattice it is on islands that do not connect.",
        ),
    )
    landmarks = (
        core.Landmark("onset", r"zJ_c", r"order appears on average, $zJ\langle\chi\rangle=1$", of="hopping"),
        core.Landmark("connection", r"zJ_s", "ordered sites connect: glass below, superfluid above", of="hopping",
                      finest=33),
        core.Landmark("clean_lobe", r"zJ_0", "order appears without a potential", of="hopping", continuous=False),
    )  # fmt: skip
    planes = (
        core.Plane("hopping", "chemical_potential", "order", x_range=(0.0, 0.4), along="x", finest=33),
        core.Plane("amplitude", "hopping", "order", x_range=(0.0, 1.0), y_range=(0.0, 0.25), along="y", finest=33),
    )
    presets = (
        core.Preset(
            "Bose glass", {"hopping": 0.05, "amplitude": 0.7},
            "Order stays on the sites that can take a particle for nothing: islands and rings that do not connect.",
            view=core.View(plane=("amplitude", "hopping"), picture="order", function="order_by_potential"),
        ),
        core.Preset(
            "Mott insulator", {"hopping": 0.12, "amplitude": 0.2},
            "The order dies out everywhere; one particle on every site, whatever its potential.",
            (core.Promise(core.Value("density"), 1.0, 1e-9), core.Promise(core.Mean("order", 20, 400), 0.0, 1e-3)),
            core.View(picture="order", function="density_by_potential"),
        ),
        core.Preset(
            "superfluid", {"hopping": 0.3, "amplitude": 0.4},
            "Every site has order, the higher ones a little less: here the average is all one needs to know.",
            view=core.View(picture="order", function="order_by_potential"),
        ),
        core.Preset(
            "clean tip", {"hopping": 0.1718, "chemical_potential": 0.41, "amplitude": 0.0},
            "At the tip of the first lobe: order of a few per cent, which takes hundreds of sweeps to settle.",
            view=core.View(series="order"),
        ),
        core.Preset(
            "wedding cake", {"hopping": 0.02, "amplitude": 1.2, "chemical_potential": 0.9},
            "Hardly any hopping: terraces of 0, 1, 2 and 3 particles, and a little order along their edges only.",
            view=core.View(picture="particles", function="density_by_potential"),
        ),
        core.Preset(
            "eightfold tiling", {"hopping": 0.168, "amplitude": 0.0, "lattice": "eightfold", "size": 1200},
            "No potential, and still uneven: inside the lobe order appears, most on sites of 7 and 8 neighbours.",
            view=core.View(picture="order"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "order at zJ = 0.3, no potential", 0.7899005914163222, 1e-9, "two routes: iteration and energy minimum",
            core.Value("order", method="homogeneous"), {"hopping": 0.3, "chemical_potential": 2**0.5 - 1},
        ),
        core.Reference(
            "tip of the first lobe", 3 - 8**0.5, 1e-12, "closed form", core.Crossing("clean_lobe", "hopping"),
            {"chemical_potential": 2**0.5 - 1}, published=True,
        ),
        core.Reference(
            "onset in a box", 0.14426950408889633, 1e-12, "closed form and quadrature",
            core.Crossing("onset", "hopping"), {"chemical_potential": 0.5, "amplitude": 0.6, "potential": "box"},
        ),
        core.Reference(
            "first order on a lattice of 34 by 34", 0.16356096596376893, 1e-9, "largest eigenvalue, phases 0.3 and 0.7",
            lambda model: first_order(model.amplitude, model.chemical_potential),
            {"amplitude": 0.2, "chemical_potential": 2**0.5 - 1},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "One particle per site, $\\mu=0.5$, no potential. Which zJ makes the insulator a superfluid?",
            {"amplitude": 0.0, "chemical_potential": 0.5}, "hopping", core.Crossing("onset", "hopping"), 0.01,
            "A site answers a field by adding or losing a particle; both cost half of U, and χ = 6.",
        ),
        core.Task(
            "From which amplitude of the quasi-periodic potential on has the insulator at $\\mu=0.6$ no gap, at "
            "whatever hopping?",
            {"amplitude": 0.1, "chemical_potential": 0.6, "hopping": 0.02}, "amplitude",
            lambda model: min(model.chemical_potential, 1 - model.chemical_potential), 0.03,
            "Where μ + Λ reaches 1, the lowest sites take a second particle for nothing.",
            view=core.View(plane=("amplitude", "hopping")),
        ),
    )  # fmt: skip
    simulation = BoseQuasicrystalSimulation

    def solve(self, points: Points) -> core.Solution:
        hopping, mu, strength = (points[name] for name in ("hopping", "chemical_potential", "amplitude"))
        n = len(hopping)
        out = np.empty((5, n, 2))
        own = susceptibility(mu)
        depths, weights = law_of(self.potential, mu, strength)
        none, one = np.zeros((n, 1)), np.ones((n, 1))
        levels = strength[:, None] * quantiles(self.potential)
        laws = ((mean_susceptibility(mu, strength, self.potential), depths, weights, levels), (own, none, one, none))
        for method, (response, places, shares, spread) in enumerate(laws):
            found = np.empty((5, n))
            common_order(hopping, mu, places, shares, orders(hopping, response), spread, found)
            out[..., method] = found
        order, density, square, gap, ordered = out
        values = {
            "order": order,
            "density": density,
            "number_variance": np.maximum(square - density**2, 0.0),
            "ordered_sites": ordered,
        }
        islands = (order > 0) & (ordered < PERCOLATION) & (strength > 0)[:, None] & (np.arange(2) == AVERAGED)
        return core.Solution(values, gap, fails={"islands": islands}, extra={"islands": islands})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        averaged = state["method"] == "averaged"
        mu, strength = np.array([self.chemical_potential]), np.array([self.amplitude if averaged else 0.0])
        depths, weights = (table[0] for table in law_of(self.potential, mu, strength))
        n = np.arange(STATES)
        a = np.diag(np.sqrt(n[1:]), 1)
        found = np.zeros(3)
        for depth, weight in zip(depths, weights, strict=True):
            local = self.chemical_potential - depth
            if self.hopping * state["order"] <= 1e-13:
                whole = float(filling(np.array(local)))
                found += weight * np.array([0.0, whole, whole**2])
                continue
            h = np.diag(n * (n - 1) / 2 - local * n) - self.hopping * state["order"] * (a + a.T)
            ground = np.linalg.eigh(h)[1][:, 0]
            found += weight * np.array([abs(ground @ a @ ground), ground**2 @ n, ground**2 @ n**2])
        return {
            "(3)": found[0] - state["order"],
            "density": found[1] - state["density"],
            "variance": found[2] - found[1] ** 2 - state["number_variance"],
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        ordered = states.solution.values["order"] > 0
        islands = states.solution.extra["islands"]
        strength, mu = points["amplitude"], points["chemical_potential"]
        gapless = np.isinf(mean_susceptibility(mu, strength, self.potential))[:, None] & (np.arange(2) == AVERAGED)
        return {"mott": ~ordered & ~gapless, "glass": islands | ~ordered, "superfluid": ordered}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        mu = points["chemical_potential"]
        if name == "clean_lobe":
            return 1 / susceptibility(mu)
        if name == "connection":
            found, strength = np.empty(mu.size), points["amplitude"]
            levels = strength[:, None] * quantiles(self.potential)
            connecting_hopping(mu, *law_of(self.potential, mu, strength), levels, found)
            return np.where(strength > 0, found, np.nan)
        return 1 / mean_susceptibility(mu, points["amplitude"], self.potential)

    def profiles(self) -> dict[str, core.Profile]:
        half = 0.5 if self.potential == "box" else 1.0
        depth = max(half * self.amplitude, 1e-3) * np.linspace(-1, 1, SHOWN)
        order = self.theory(profiles=False)["order"].values
        found, amplitudes = np.empty((2, 2, SHOWN)), np.empty(STATES)
        for method, seen in ((AVERAGED, depth), (HOMOGENEOUS, 0 * depth)):
            for k, one in enumerate(seen):
                mu = self.chemical_potential - one
                found[:, method, k] = ground_state(mu, self.hopping * order[method], amplitudes)[:2]
        return {
            "order_by_potential": core.Profile(depth, found[0]),
            "density_by_potential": core.Profile(depth, found[1]),
        }

    def realised(self) -> BoseQuasicrystal:
        return self.with_simulated(size=round(self.size**0.5) ** 2) if self.lattice == "square" else self

    def caveat(self) -> str:
        if self.lattice == "eightfold":
            return "sites of the tiling have different numbers of neighbours, and theory gives all of them four"
        return "the average over all sites knows of no islands, and every site has neighbours of its own"

    def footprint(self) -> int:
        return 400 * self.size


def orders(hopping: Array, response: Array) -> Array:
    """Whether a response suffices for order: zJ chi > 1."""
    return np.asarray(
        np.where(np.isinf(response), hopping > 0, hopping * np.where(np.isinf(response), 0, response) > 1)
    )


def first_order(amplitude: float, mu: float, side: int = 34) -> float:
    """ZJ at which order first appears on a square whose potential has the phases 0.3 and 0.7."""
    pairs, places = square_lattice(side)
    shape = quasi_periodic(places, round(GOLDEN * side) / side, np.array([0.3, 0.7]))
    return onset_on_lattice(pairs, mu - amplitude * shape)
