r"""Contact process: an infection that survives by spreading, and the absorbing state it cannot leave.

Every site of a hypercubic lattice with $z=2d$ neighbours is active (infected) or empty. An active site recovers at rate
$1$ and, at total rate $\lambda$, tries to infect one neighbour chosen at random; the attempt fails if that neighbour is
active already or has been removed. A fraction $p$ of the sites is removed at random, for good (*dilution*), and empty
sites may become active by themselves at rate $h$ (*activation*). Without activation the empty lattice is **absorbing**:
nothing ever leaves it.

**Mean field** replaces the neighbours by their average. With $\lambda'=\lambda(1-p)$ the density of active sites (among
those present) follows

$$\dot\rho=\lambda'\rho(1-\rho)-\rho+h(1-\rho) \tag{1}$$

so for $h=0$ activity survives, with $\rho=1-1/\lambda'$, above $\lambda_c=1/(1-p)$.

The **pair approximation** keeps the correlation of neighbours. With $u=P(\text{active, empty})$ for a pair of present
neighbours, $\kappa=\lambda(1-p)\frac{z-1}z$ and $y=u/(1-\rho)$,

$$\dot\rho=\lambda' u-\rho+h(1-\rho) \tag{2}$$

$$\dot u=\rho-u+(1-\rho-u)(\kappa y+h)-u\Big(1+\frac\lambda z+\kappa y+h\Big) \tag{3}$$

For $h=0$ this gives $y=(\lambda'-2+\kappa-\lambda/z)/2\kappa$, $\rho=\lambda'y/(1+\lambda'y)$ and the threshold

$$\lambda_c=\frac{2z}{(1-p)(2z-1)-1},\qquad\text{for }p=0:\ \lambda_c=\frac z{z-1} \tag{4}$$

**Valid:** far above the threshold. Near it fluctuations win: the true transition is in the class of directed
percolation, at $\lambda_c=3.29785$ ($d=1$), $1.64877$ ($d=2$), $1.31686$ ($d=3$) for $p=0$, with
$\rho\sim(\lambda-\lambda_c)^\beta$, $\beta=0.276,\,0.584,\,0.81$ instead of the mean-field $1$, and
$\rho\sim t^{-\delta}$ at $\lambda_c$ with $\delta=0.159,\,0.451,\,0.73$.
Beyond the percolation threshold of the sites that are left ($d=1$: any dilution) only finite clusters remain and all
activity dies, whatever (1)-(4) say. A finite lattice always dies in the end.

*Convention:* $\lambda$ is the total rate of an active site; the rate per neighbour is $\lambda/z$.
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
from mfexplore.families.crowds import crowd_of, join, leave
from mfexplore.families.rasters import Raster
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import solve_ivp

# By the dimension: published thresholds without dilution, and the fraction of sites that must be present.
DIRECTED_PERCOLATION = np.array([np.nan, 3.29785, 1.64877, 1.31686])
SITE_PERCOLATION = np.array([np.nan, 1.0, 0.592746, 0.311608])
NOTICEABLE = 0.05  # difference of the two theories' densities
ROWS, COLUMNS = 200, 320  # of the picture of a chain
STATES = ("empty", "active")


class Process(NamedTuple):
    """Rates of one site, in units of the recovery rate, on a periodic lattice of linear^dimension sites."""

    infection: float
    activation: float
    linear: int
    dimension: int


@kernel
def random_neighbour(site, process, rng):
    """One of the 2d neighbours of a site."""
    direction = int(rng.random() * 2 * process.dimension)
    stride = process.linear ** (direction // 2)
    here = (site // stride) % process.linear
    there = (here + 1 - 2 * (direction % 2)) % process.linear
    return site + (there - here) * stride


@kernel
def events(state, active, count, process, duration, rng):
    """Contact process by direct events, O(1) each.

    `state` (int8): 1 active, 0 empty, -1 removed; it and the crowd `active` are overwritten. Returns the new count.
    """
    spontaneous = process.activation * state.size  # thinned: an attempt on a site that is not empty does nothing
    time = 0.0
    while True:
        total = count * (1.0 + process.infection) + spontaneous
        if total == 0.0:
            return count
        time -= math.log(1.0 - rng.random()) / total
        if time > duration:
            return count
        pick = rng.random() * total
        born = -1
        if pick < count:
            k = int(pick)
            state[active.members[k]] = 0
            count = leave(active, k, count)
        elif pick < count * (1.0 + process.infection):
            born = random_neighbour(active.members[int((pick - count) / process.infection)], process, rng)
        else:
            born = int(rng.random() * state.size)
        if born >= 0 and state[born] == 0:
            state[born] = 1
            count = join(active, born, count)


class ContactProcessSimulation(core.Simulation["ContactProcess"]):
    """Eq. of the definition on a periodic lattice of L^d sites, event by event; the unit of time is 1/recovery rate."""

    time_unit = "recovery times"
    relaxation, window = 150.0, 100.0

    def prepare(self) -> None:
        m = self.model
        sites = m.size
        self.state = np.where(self.rng.random(sites) < m.dilution, -1, 0).astype(np.int8)
        if m.start == "seed":
            self.state[sites // 2 + (sites // m.linear // 2) * (m.dimension > 1)] = 1
        else:
            chosen = self.rng.random(sites) < (1.0 if m.start == "full" else 0.5)
            self.state[(self.state == 0) & chosen] = 1
        self.present = max(1, int((self.state >= 0).sum()))
        self.active, self.count = crowd_of(np.flatnonzero(self.state == 1), sites)
        self.raster = Raster(ROWS, min(sites, COLUMNS))

    def evolve(self, duration: float) -> None:
        m = self.model
        process = Process(m.infection_rate, m.activation, m.linear, m.dimension)
        self.count = events(self.state, self.active, self.count, process, duration, self.rng)
        if m.dimension == 1:
            self.raster.add(self.state[:COLUMNS])

    def observe(self) -> dict[str, float]:
        return {"density": self.count / self.present}

    def picture(self) -> core.Lattice:
        m = self.model
        if m.dimension == 1:
            later = "still to come" if m.dilution == 0 else "removed, or still to come"
            return core.Lattice(self.raster.values.copy(), 0, 1, "sites across, time down", False, STATES, later)
        plane = self.state[: m.linear**2].reshape(m.linear, m.linear)
        caption = "the lattice" if m.dimension == 2 else "a slice of the lattice"
        return core.Lattice(plane, 0, 1, caption, signed=False, states=STATES, outside="removed")


def constants(points: Points) -> tuple[Array, ...]:
    """The infection rate, the activation, z, lambda' and kappa of eqs. (1) to (3)."""
    rate, z = points["infection_rate"], 2 * points["dimension"]
    gain = rate * (1 - points["dilution"])
    return rate, points["activation"], z, gain, gain * (z - 1) / z


def drift(rho: Array, u: Array, at: tuple[Array, ...]) -> tuple[Array, Array]:
    """Right-hand sides of eqs. (2) and (3)."""
    rate, h, z, gain, kappa = at
    infect = kappa * u / np.maximum(1 - rho, 1e-300) + h
    return gain * u - rho + h * (1 - rho), rho - u + (1 - rho - u) * infect - u * (1 + rate / z + infect)


def driven_pair_density(at: tuple[Array, ...]) -> Array:
    """Stationary density of eqs. (2) and (3) for h > 0. With u from (2), eq. (3) times the fraction e = 1 - rho of
    empty sites is a quadratic in e with exactly one root between 0 and 1/(1 + h).
    """
    rate, h, z, gain, kappa = at

    def quadratic(e: float) -> Array:
        u = (1 - e * (1 + h)) / gain
        return (1 - e - u) * e + (e - u) * (kappa * u + h * e) - u * ((1 + rate / z + h) * e + kappa * u)

    at_0, at_half, at_1 = quadratic(0.0), quadratic(0.5), quadratic(1.0)
    a = 2 * (at_1 + at_0 - 2 * at_half)
    b = at_1 - at_0 - a
    root = np.sqrt(np.maximum(b * b - 4 * a * at_0, 0.0))
    q = -0.5 * (b + np.copysign(root, b))
    with np.errstate(divide="ignore", invalid="ignore"):
        first, second = q / a, at_0 / q
    return np.asarray(1 - np.where((first > 0) & (first <= 1 / (1 + h)), first, second))


@dataclass(frozen=True)
class ContactProcess(core.Model):
    infection_rate: float = core.control(
        3.6, 0.1, 6.0, symbol=r"\lambda", unit="per recovery", role="load", step=0.01,
        doc="rate at which an active site tries to infect a neighbour",
    )  # fmt: skip
    activation: float = core.control(
        0.0, 0.0, 0.1, symbol="h", unit="per recovery", role="field", step=0.0005,
        doc="rate at which an empty site becomes active by itself",
    )  # fmt: skip
    dilution: float = core.control(
        0.0, 0.0, 0.6, symbol="p", role="disorder", step=0.005, quenched=True, doc="fraction of sites removed for good"
    )
    dimension: int = core.control(1, 1, 3, symbol="d", role="setting", quenched=True, doc="dimension of the lattice")
    size: int = core.control(
        20_000, 4, 4_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="sites of the simulated lattice",
    )  # fmt: skip
    start: str = core.choice(
        "full", ("full", "half", "seed"), role="start", part="simulation",
        doc="every site active, half of them, or a single one",
    )  # fmt: skip

    tags = core.Tags(
        "course", 15, ("phase transition", "spreading", "critical fluctuations"), ("rate equations", "Monte Carlo")
    )  # fmt: skip
    relations = (
        core.Relation(
            "contrasts with", "spatial_network_sir",
            "Who recovers can be infected again here, so that activity may last; there they are immune, and an "
            "epidemic passes once.",
        ),
    )  # fmt: skip
    title = "Contact process"
    summary = "An infection on a lattice: survive or be absorbed, and how far mean field errs when fluctuations rule."
    sources = (
        core.Source("T. E. Harris, Ann. Probab. 2, 969 (1974)", doi="10.1214/aop/1176996493"),
        core.Source("J. Marro and R. Dickman, Nonequilibrium Phase Transitions in Lattice Models, chapter 6 (1999)"),
        core.Source(
            "M. J. de Oliveira et al.; I. Jensen, J. Phys. A 32, 5233 (1999)", doi="10.1088/0305-4470/32/28/304"
        ),
    )
    observables = (
        core.Observable("density", r"\rho", "fraction of the present sites that are active", low=0, high=1),
        core.Observable(
            "relaxation_time", r"\tau", "time in which a small deviation decays", unit="recovery times", low=0, high=30
        ),
    )
    methods = (
        core.Method("mean_field", "every neighbour is average, eq. (1)"),
        core.Method("pair", "the correlation of neighbours is kept, eqs. (2) and (3)"),
    )
    branches = (core.Branch("absorbing", "no site is active"), core.Branch("active", "activity renews itself"))
    phases = (
        core.Phase("absorbing", "Every outbreak dies out and nothing brings it back."),
        core.Phase(
            "active", "Each infection causes more than one other: by theory activity never ends on a large lattice."
        ),
    )
    failures = (
        core.Failure(
            "fluctuations_win",
            "Theory expects activity here, but on the real lattice fluctuations extinguish it: this is below the "
            "simulated threshold of directed percolation.",
        ),
        core.Failure(
            "no_connected_lattice",
            "So many sites are removed that only finite islands are left, and on each of them activity dies.",
        ),
        core.Failure(
            "correlations",
            "The two theories differ by more than 0.05: neighbours are correlated, and the density of the lattice is "
            "lower still than both.",
        ),
    )
    landmarks = (
        core.Landmark(
            "threshold", r"\lambda_c^{\rm MF}", "activity survives above it, by mean field", of="infection_rate"
        ),
        core.Landmark(
            "pair_threshold", r"\lambda_c^{\rm pair}", "activity survives above it, by the pair approximation (4)",
            of="infection_rate",
        ),
        core.Landmark(
            "directed_percolation", r"\lambda_c", "published threshold of the undiluted lattice", continuous=False,
            of="infection_rate",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("infection_rate", "dilution", "density", x_range=(0.5, 6.0), along="x"),
        core.Plane("infection_rate", "activation", "density", x_range=(0.5, 6.0), along="x"),
    )
    presets = (
        core.Preset(
            "active", {"infection_rate": 4.0}, "Simulation 0.607, pair approximation 0.667, mean field 0.750: why?",
            (core.Promise(core.Mean("density", 100, 300), 0.607, 0.01, {"size": 5000}),
             core.Promise(core.Value("density", "active", method="pair"), 0.667, 0.0005),
             core.Promise(core.Value("density", "active", method="mean_field"), 0.75, 1e-9)),
        ),
        core.Preset(
            "critical decay", {"infection_rate": 3.29785, "size": 100_000},
            "At the threshold the density decays as a power of time, t^(-0.159); mean field still expects 0.70.",
            (core.Promise(core.Value("density", "active", method="mean_field"), 0.697, 0.001),),
        ),
        core.Preset("dying out", {"infection_rate": 3.0}, "Both theories promise life; the chain dies.",
            (core.Promise(core.Mean("density", 1500, 1600), 0.0, 1e-9, {"size": 1000}),
             core.Promise(core.Value("density", "active", method="mean_field"), 2 / 3, 1e-6)),
        ),
        core.Preset(
            "plane", {"infection_rate": 2.0, "dimension": 2, "size": 40_000},
            "With four neighbours the pair approximation already comes close.",
        ),
        core.Preset(
            "spreading from a seed", {"infection_rate": 2.2, "dimension": 2, "size": 90_000, "start": "seed"},
            "A single infection either dies at once or grows into a round front.",
        ),
        core.Preset(
            "diluted plane", {"infection_rate": 2.8, "dimension": 2, "dilution": 0.3, "size": 90_000},
            "Removed sites shield islands: activity is patchy and decays slowly.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "pair threshold of the chain", 2.0, 1e-12, "Marro and Dickman (1999), section 6.2",
            core.Crossing("pair_threshold", "infection_rate"), published=True,
        ),
        core.Reference(
            "density of the chain at rate 4, pair approximation", 2 / 3, 1e-12, "Marro and Dickman (1999)",
            core.Value("density", method="pair"), {"infection_rate": 4.0}, published=True,
        ),
        core.Reference(
            "simulated density of the chain at rate 4", 0.607, 0.006, "Monte Carlo on 20000 sites",
            lambda model: float(model.ensemble(samples=2, seed=1)["density"]),
            {"infection_rate": 4.0, "size": 20_000},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "On the plane ($d=2$), above which infection rate does activity survive in the simulation? Lower the rate "
            "step by step and watch the density.",
            {"infection_rate": 2.2, "dimension": 2, "size": 40_000}, "infection_rate",
            core.Crossing("directed_percolation", "infection_rate"), 0.08,
            "Mean field says 1, the pair approximation 4/3; the lattice needs 1.649, because sick neighbours block "
            "each other.",
        ),
    )  # fmt: skip
    simulation = ContactProcessSimulation

    @property
    def linear(self) -> int:
        """Sites along each side of the lattice that is simulated."""
        largest = int(self.control("size").bounds[1] ** (1 / self.dimension) + 1e-9)
        return max(2, min(largest, round(self.size ** (1 / self.dimension))))

    def realised(self) -> ContactProcess:
        return self.with_simulated(size=self.linear**self.dimension)

    def solve(self, points: Points) -> core.Solution:
        at = rate, h, z, gain, kappa = constants(points)
        alone, b = h == 0, gain - 1 - h
        y = np.maximum((gain - 2 + kappa - rate / z) / (2 * kappa), 0)
        mean_field = (b + np.sqrt(b * b + 4 * gain * h)) / (2 * gain)
        pair = np.where(alone, gain * y / (1 + gain * y), driven_pair_density(at))
        active = np.stack([mean_field, pair], axis=1)
        absorbing = np.where(alone, 0.0, np.nan)[:, None] + 0 * active
        density = np.stack([absorbing, np.where(active > 0, active, np.nan)], axis=2)
        residual, relaxation = np.empty_like(density), np.empty_like(density)

        at = rate, h, z, gain, kappa = tuple(x[:, None] for x in at)
        residual[:, 0] = np.abs(gain * density[:, 0] * (1 - density[:, 0]) - density[:, 0] + h * (1 - density[:, 0]))
        rho = density[:, 1]
        u = (rho * (1 + h) - h) / gain  # of eq. (2)
        residual[:, 1] = np.abs(drift(rho, u, at)[1])
        y = u / np.maximum(1 - rho, 1e-300)
        with np.errstate(divide="ignore"):
            relaxation[:, 0] = 1 / np.abs(gain * (1 - 2 * density[:, 0]) - 1 - h)
            # The larger eigenvalue of the linearised eqs. (2) and (3), with these on the diagonal.
            first, second = -1 - h, -2 - 2 * h - rate / z + kappa - 4 * kappa * y
            split = 0.25 * (first - second) ** 2 + gain * (1 - h - 2 * kappa * y**2)
            relaxation[:, 1] = 1 / np.abs(0.5 * (first + second) + np.sqrt(np.maximum(split, 0.0)))
        stable = np.stack([np.isnan(density[:, :, 1]), np.ones_like(active, bool)], axis=2)
        with np.errstate(invalid="ignore"):
            apart = density[:, 0, 1] - density[:, 1, 1] > NOTICEABLE
        d = points["dimension"].astype(int)
        fails = {
            "no_connected_lattice": self.on("active", alone & (1 - points["dilution"] < SITE_PERCOLATION[d])),
            "fluctuations_win": self.on("active", alone & (rate[:, 0] < DIRECTED_PERCOLATION[d])),
            "correlations": self.on("active", apart),
        }
        return core.Solution({"density": density, "relaxation_time": relaxation}, residual, stable=stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        rho, h, z = state["density"], self.activation, 2 * self.dimension
        gain = self.infection_rate * (1 - self.dilution)
        if state["method"] == "mean_field":
            return {"(1)": gain * rho * (1 - rho) - rho + h * (1 - rho)}
        u = (rho - h * (1 - rho)) / gain  # eq. (2) at rest
        infect = gain * (z - 1) / z * u / (1 - rho) + h
        return {"(3)": rho - u + (1 - rho - u) * infect - u * (1 + self.infection_rate / z + infect)}

    def boundary(self, name: str, points: Points) -> Array:
        z, p = 2 * points["dimension"], points["dilution"]
        if name == "threshold":
            rate = 1 / (1 - p)
        elif name == "pair_threshold":
            reach = (1 - p) * (2 * z - 1) - 1
            rate = 2 * z / np.where(reach > 0, reach, np.nan)
        else:
            rate = np.where(p == 0, DIRECTED_PERCOLATION[points["dimension"].astype(int)], np.nan)
        return np.where(points["activation"] == 0, rate, np.nan)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        first, at = start["density"], tuple(x[0] for x in constants(columns(self, {})))
        span = (0.0, max(float(times[-1]), 1e-9))
        path = solve_ivp(
            lambda _, y: drift(y[0], y[1], at), span, [first, first * (1 - first)], t_eval=times, rtol=1e-8, atol=1e-10
        )
        return {"density": path.y[0]}

    def caveat(self) -> str:
        if self.start == "seed":
            return "a single patient often recovers before anybody falls ill, or the infection has only begun to spread"
        return "both theories ignore fluctuations over long distances, which near the threshold decide everything"

    def footprint(self) -> int:
        return 17 * self.size
