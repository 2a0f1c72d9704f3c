r"""Epidemics that hop and spread: SIR on a random spatial network, or on a real one.

$N$ people are scattered at random with density $1$ over a periodic line ($d=1$) or square ($d=2$). Two of them at a
distance $r$ share a Poisson number of links with mean $\kappa f(r)$, $\int f=1$, so that everyone has $\kappa$
contacts on average. A fraction $\varepsilon$ of the contacts ignores distance. The kernel is one of

- *gaussian*, $f\propto e^{-r^2/2\sigma^2}$;
- *exponential*, $f\propto e^{-r/\sigma}$;
- *power*, $f\propto(1+r^2/\sigma^2)^{-(d+s)/2}$, whose tail $r^{-d-s}$ sends the disease on long hops.

An infected person infects along each link at rate $\tau$ and recovers, for good, at rate $\gamma$.

**Mass action** forgets who is linked to whom: $R_0=\kappa\tau/\gamma$. The **edge-based** theory (Miller, Slim and
Volz) knows that a link transmits only once, $R_0=\kappa\tau/(\tau+\gamma)$. With the generating function $\psi$ of
the degrees, the probability $\Theta$ that a link has not transmitted ends at

$$\Theta=\frac{\gamma+\tau\,\psi'(\Theta)/\psi'(1)}{\tau+\gamma},\qquad z=1-\psi(\Theta) \tag{1}$$

and for Poisson degrees both theories give the final size

$$z=1-e^{-R_0z}=1+W_0(-R_0e^{-R_0})/R_0 \tag{2}$$

In front of a wave the infection grows as $e^{-s(x-ct)}$, where $M(s)=\int f\,e^{sx_1}$ is the moment generating
function:

$$c=\min_s\frac{A\,M(s)-B}{s},\qquad A=\kappa\tau,\quad B=\gamma\ \text{or}\ \tau+\gamma \tag{3}$$

with $M=e^{s^2\sigma^2/2}$ (gaussian) and $M=(1-s^2\sigma^2)^{-(d+1)/2}$ (exponential). A power law has no $M$: long
hops found new foci ahead of every front, and the spread **accelerates**; so does any $\varepsilon>0$.

**Valid:** as $N\to\infty$ for kernels much wider than the spacing of people, where the network is locally a tree.
Fronts of discrete people are slower than (3), by a correction of order $1/\ln^2$ of how many are within reach (a third
at the default); short kernels make triangles, which slow them further. On a real network (1) takes its true degrees
but not its groups, and tens of people are far from $N\to\infty$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.collective.spatial_network_sir.dynamics import SpatialNetworkSimulation, real_network
from mfexplore.models.collective.spatial_network_sir.theory import (
    exponential_speed,
    gaussian_speed,
    moment,
    network_size,
    poisson_size,
)

EDGE_BASED = 1  # of the methods
MANY_TRIANGLES = 0.1  # chance that two contacts know each other, above which (1) is visibly wrong
NOTICEABLE = 0.05  # difference of the two theories' final sizes
SPATIAL = {"network": ("spatial",)}  # what has a place in space


@dataclass(frozen=True)
class SpatialNetworkSIR(core.Model):
    transmission: float = core.control(
        0.4, 0.0, 3.0, symbol=r"\tau", role="load", step=0.01, doc="rate of infection along each link"
    )
    mean_degree: float = core.control(
        8.0, 0.5, 20.0, symbol=r"\kappa", role="coupling", step=0.1, quenched=True,
        doc="mean number of contacts (of a spatial network)",
    )  # fmt: skip
    recovery: float = core.control(
        1.0, 0.05, 3.0, symbol=r"\gamma", role="temperature", step=0.01, doc="rate at which the infected recover"
    )
    kernel: str = core.choice(
        "gaussian",
        {"gaussian": "Gaussian", "exponential": "exponential", "power": "power"},
        doc="how contacts thin out with distance",
    )
    length: float = core.control(
        2.5, 0.5, 20.0, symbol=r"\sigma", unit="spacings", role="disorder", step=0.1, quenched=True,
        doc="reach of a contact, in mean distances between people",
    )  # fmt: skip
    tail: float = core.control(
        1.5, 0.5, 4.0, symbol="s", role="disorder", step=0.05, quenched=True, doc="exponent of the power-law kernel"
    )
    long_range: float = core.control(
        0.0, 0.0, 0.2, symbol=r"\varepsilon", role="disorder", step=0.001, quenched=True,
        doc="fraction of contacts that ignore distance",
    )  # fmt: skip
    dimension: int = core.control(
        2, 1, 2, symbol="d", role="setting", quenched=True, doc="people on a line or in a plane"
    )
    network: str = core.choice(
        "spatial", ("spatial", "karate club", "les miserables"), doc="a random spatial network, or a real one"
    )
    size: int = core.control(
        50_000, 16, 1_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="people on the spatial network",
    )  # fmt: skip
    patients: int = core.control(
        10, 1, 1000, symbol="I_0", role="start", part="simulation", doc="people infected at the start"
    )

    tags = core.Tags("course", 15, ("phase transition", "spreading"), ("rate equations", "Monte Carlo"))
    version = 3
    title = "Epidemic on a spatial network"
    summary = (
        "Infection spreads to neighbours and hops far away: outbreak or not, how many, how fast, wave or wildfire."
    )
    sources = (
        core.Source(
            "J. Lang, H. De Sterck, J. L. Kaiser, J. C. Miller, J. Complex Netw. 6, 643 (2018)", arxiv="1702.01252"
        ),
        core.Source(
            "J. C. Miller, A. C. Slim, E. M. Volz, J. R. Soc. Interface 9, 890 (2012)", doi="10.1098/rsif.2011.0403"
        ),
        core.Source("D. Mollison, J. R. Stat. Soc. B 39, 283 (1977)"),
    )
    observables = (
        core.Observable("final_size", "z", "fraction of people infected in the end", low=0, high=1),
        core.Observable("speed", "c", "speed of the wave, eq. (3)", unit="spacings per time", low=0),
        core.Observable("reproduction_number", "R_0", "infections caused by one case at the start", low=0, high=5),
    )
    methods = (
        core.Method("mass_action", "every contact is new at every moment"),
        core.Method("edge_based", "a link transmits only once, eq. (1)"),
    )
    branches = (
        core.Branch("disease_free", "nobody is infected"),
        core.Branch("epidemic", "a finite fraction falls ill"),
    )
    phases = (
        core.Phase("no_outbreak", "Each case causes less than one other: every outbreak ends by itself."),
        core.Phase("travelling_wave", "The infection grows into a front that moves at a constant speed."),
        core.Phase("accelerating", "Hops beyond every front found new foci, and the spread gets faster and faster."),
        core.Phase("outbreak", "Each case causes more than one other on this network: a finite fraction falls ill."),
    )
    failures = (
        core.Failure(
            "no_finite_speed", "Long hops have no moment generating function: eq. (3) has no answer but infinity."
        ),
        core.Failure(
            "few_people",
            "A real network of tens of people in close groups: eq. (1), for a large one without triangles, is a guide.",
        ),
        core.Failure(
            "not_a_tree",
            "Contacts reach so few people that friends of friends are friends: triangles waste infections, and the "
            "simulated epidemic is smaller and slower.",
        ),
        core.Failure(
            "links_transmit_once",
            "Mass action forgets that a link to somebody ill already is of no use; with so few contacts that makes the "
            "epidemic larger by more than 0.05 than the edge-based theory says.",
        ),
    )
    landmarks = (
        core.Landmark(
            "epidemic_threshold", r"R_0=1", "above it one case causes more than one other (edge-based)",
            of="transmission", only=SPATIAL,
        ),
        core.Landmark(
            "mass_action_threshold", r"\kappa\tau=\gamma", "the same by mass action", continuous=False,
            of="transmission", only=SPATIAL,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("transmission", "mean_degree", "final_size", x_range=(0.0, 1.5), along="x"),
        core.Plane("transmission", "recovery", "final_size", along="x"),
        core.Plane("length", "transmission", "speed"),
    )
    presets = (
        core.Preset("wave", {}, "A round front runs outwards at constant speed and leaves the recovered behind."),
        core.Preset(
            "one in a thousand", {"long_range": 0.001, "transmission": 0.3},
            "One contact in a thousand flies: far new foci overtake the front. A small world without clustering.",
        ),
        core.Preset(
            "power law", {"kernel": "power", "tail": 1.0}, "Hops of every length: no front, a fractal of foci."
        ),
        core.Preset(
            "below threshold", {"transmission": 0.12}, "A case infects 0.86 others: it glimmers and goes out.",
            (core.Promise(core.Value("reproduction_number", method="edge_based"), 0.86, 0.005),),
        ),
        core.Preset(
            "on a line", {"dimension": 1, "length": 20.0, "mean_degree": 16.0, "size": 20_000},
            "Two fronts draw straight lines, x = ct; with 8 contacts instead of 16 they would flicker out.",
        ),
        core.Preset(
            "real friends", {"network": "les miserables", "patients": 1, "transmission": 0.8},
            "77 characters of a novel. Try other seeds: some outbreaks end at once, and theory is only a guide.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "final size at $R_0=2$", 0.79681213002002, 1e-12, "$1+W_0(-R_0e^{-R_0})/R_0$",
            core.Value("final_size", method="mass_action"), {"transmission": 0.25},
        ),
        core.Reference(
            "speed at $R_0=2$, gaussian kernel of unit width", 2.192803840603181, 1e-10, "eq. (3), mpmath",
            core.Value("speed", method="mass_action"), {"transmission": 0.25, "length": 1.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "With 8 contacts and unit recovery, below which transmission rate does no outbreak happen?",
            {"transmission": 0.4, "mean_degree": 8.0}, "transmission",
            core.Crossing("epidemic_threshold", "transmission"), 0.02,
            "Mass action says 1/8; but the link to your own infector is useless, so it takes 1/7.",
        ),
    )  # fmt: skip
    simulation = SpatialNetworkSimulation

    def solve(self, points: Points) -> core.Solution:
        degrees = self._degrees()
        columns = {name: column[:, None] for name, column in points.items()}
        tau, gamma, kappa = columns["transmission"], columns["recovery"], columns["mean_degree"]
        contacts = kappa if degrees is None else moment(degrees, 1)
        offspring = kappa if degrees is None else moment(degrees, 2) / moment(degrees, 1)
        gain = np.concatenate([contacts * tau, offspring * tau], axis=1)  # by the methods
        loss = np.concatenate([gamma, tau + gamma], axis=1)
        ratio = gain / loss
        z = poisson_size(ratio)
        error = np.abs(z - 1 + np.exp(-ratio * z))
        if degrees is not None:
            z[:, EDGE_BASED], error[:, EDGE_BASED] = network_size(degrees, points["transmission"], points["recovery"])
        of_epidemic = np.where(ratio > 1, [z, self._speed(columns, gain, loss), error], np.nan)
        size, speed, residual = np.stack([np.zeros_like(of_epidemic), of_epidemic], axis=-1)
        stable = np.ones(size.shape, bool)
        stable[:, :, 0] = np.isnan(size[:, :, 1])
        with np.errstate(invalid="ignore"):
            excess = size[:, :, 1] - np.nan_to_num(size[:, [EDGE_BASED], 1]) > NOTICEABLE
        # clustering of a gaussian kernel
        triangles = kappa * (6 * np.pi * columns["length"] ** 2) ** (-columns["dimension"] / 2)
        fails = {
            "few_people": self.on("epidemic", np.full(len(z), degrees is not None)),
            "no_finite_speed": np.isinf(speed),
            "not_a_tree": self.on("epidemic", (triangles > MANY_TRIANGLES) & (degrees is None)),
            "links_transmit_once": self.on("epidemic", excess),
        }
        number = np.stack([ratio, ratio], axis=-1)
        values = {"final_size": size, "speed": speed, "reproduction_number": number}
        return core.Solution(values, residual, stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        z, tau, gamma, degrees = state["final_size"], self.transmission, self.recovery, self._degrees()
        edge = state["method"] == "edge_based"
        if state["branch"] == "disease_free":
            return {"(2)": z}
        if edge and degrees is not None:
            share = np.polynomial.Polynomial(degrees)
            theta = max(root.real for root in (share - (1 - z)).roots() if abs(root.imag) < 1e-9 and root.real <= 1)
            reached = share.deriv(1)(theta) / share.deriv(1)(1)
            return {"(1)": theta - (gamma + tau * reached) / (tau + gamma)}
        found = {"(2)": z - 1 + math.exp(-state["reproduction_number"] * z)}
        if degrees is None and 0 < state["speed"] < math.inf:
            x = np.linspace(1e-3, 6 if self.kernel == "gaussian" else 1 - 1e-6, 1_000_001)  # s times the length
            grown = np.exp(x * x / 2) if self.kernel == "gaussian" else (1 - x * x) ** (-(self.dimension + 1) / 2)
            slowest = ((self.mean_degree * tau * grown - (gamma + edge * tau)) / x).min() * self.length
            found["(3)"] = state["speed"] / slowest - 1
        return found

    def _degrees(self) -> Array | None:
        """Share of people of every degree 0, 1, ... on a real network; None on the spatial one, where it is Poisson."""
        if self.network == "spatial":
            return None
        links, places = real_network(self.network)
        counts = np.bincount(np.bincount(links.ravel(), minlength=len(places)))
        return np.asarray(counts / counts.sum())

    def _speed(self, points: Points, gain: Array, loss: Array) -> Array:
        """Eq. (3); infinite where the kernel has a heavy tail, 0 on a real network, which has no space."""
        if self.network != "spatial":
            return np.zeros_like(gain)
        if self.kernel == "power":
            return np.full_like(gain, np.inf)
        gaussian = self.kernel == "gaussian"
        speed = gaussian_speed(gain, loss) if gaussian else exponential_speed(gain, loss, points["dimension"])
        return np.asarray(np.where(points["long_range"] > 0, np.inf, points["length"] * speed))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        epidemic = states.equilibrium["epidemic"]
        spatial = self.network == "spatial"
        return {
            "no_outbreak": states.equilibrium["disease_free"],
            "accelerating": epidemic & spatial & np.isinf(states.value("speed", "epidemic")),
            "travelling_wave": epidemic & spatial,
            "outbreak": epidemic,
        }

    def boundary(self, name: str, points: Points) -> Array:
        useful = points["mean_degree"] - (name == "epidemic_threshold")  # the link to one's own infector is of no use
        return points["recovery"] / np.where(useful > 0, useful, np.nan)

    def realised(self) -> SpatialNetworkSIR:
        people = self.size if self.network == "spatial" else len(real_network(self.network)[1])
        return self.with_simulated(size=people, patients=min(self.patients, people))

    def extent(self) -> str:
        if self.network == "spatial":
            return super().extent()
        return f"of {len(real_network(self.network)[1])} people"

    def caveat(self) -> str:
        if self.network != "spatial":
            return "so few people, and outbreaks that end by chance with the first of them"
        return "outbreaks that end by chance, people who are neighbours of neighbours, or finite size"

    def footprint(self) -> int:
        return int(self.size * (80 + 64 * self.mean_degree))
