r"""May-Leonard model: three species that beat each other in a circle, like rock, paper and scissors.

Every site of a periodic $L\times L$ lattice is empty or holds one individual of species 1, 2 or 3; species $1$
beats $2$, $2$ beats $3$ and $3$ beats $1$. An individual meets a random neighbour and

- *selection*, rate $\sigma$: removes it, if it is the one it beats;
- *reproduction*, rate $\mu$: fills it with a copy of itself, if it is empty;
- *exchange*, rate $\epsilon$: swaps places with it, whatever it holds.

With the side of the square as unit of length an individual explores the area $M=2\epsilon/L^2$ per unit time: the
*mobility*, so it diffuses with $D=M/4$. Well mixed, the densities follow (May and Leonard)

$$\dot a_1=a_1\big[\mu(1-\varrho)-\sigma a_3\big]\quad\text{and cyclically},\qquad\varrho=a_1+a_2+a_3 \tag{1}$$

with the coexistence point and its eigenvalues

$$a^*=\frac{\mu}{3\mu+\sigma},\qquad -\mu,\quad c_1(1\pm i\sqrt3),\quad c_1=\frac{\mu\sigma}{2(3\mu+\sigma)} \tag{2}$$

It is always unstable: the densities spiral out towards a cycle that visits each species in turn and, at finite $N$,
ends with a single one. Space changes that. Near (2) the dynamics is a complex Ginzburg-Landau equation

$$\partial_tz=D\nabla^2z+(c_1-i\omega)z-c_2(1-ic_3)\lvert z\rvert^2z,\qquad
c_3=\frac{\sqrt3(18\mu+5\sigma)}{48\mu+11\sigma} \tag{3}$$

whose spirals keep all three alive. Their wavelength and the speed of their fronts are

$$\lambda=\frac{2\pi c_3\sqrt{D/c_1}}{\sqrt{1+c_3^2}-1},\qquad v=2\sqrt{c_1D} \tag{4}$$

Since $\lambda\propto\sqrt M$, spirals outgrow the square at a critical mobility, $M_c=(4.5\pm0.5)\cdot10^{-4}$ for
$\mu=\sigma=1$ (simulated); eq. (4) carries that to other rates. It is no sharp threshold at finite $N$: near it, losing
a species takes a random time that grows with $N$.

**Valid:** (1) for a well-mixed population as $N\to\infty$ only: it knows neither space nor the chance that decides
who survives. (3) is an expansion around (2), while real spirals reach far from it: its wavelength is off by a
factor of order one, which the scaling of $M_c$ assumes to be the same at all rates. It also takes space as a
continuum, which needs an exchange rate of about 5 or more; with less, spirals shrink more slowly than $\sqrt M$.
(Measured is the wavelength at which the species fluctuate most.)

*Convention:* an encounter is ordered (who meets, who is met); counting pairs would double all rates.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.simulation import never
from mfexplore.families.encounters import encounters
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.later import solve_ivp

COEXISTENCE, EXTINCTION = 0, 1
SPECIES = ("species_1", "species_2", "species_3")
CRITICAL_MOBILITY = 4.5e-4  # published, at unit rates
AT_ONCE = 2.5e6  # encounters in a step, at most: with more of them the picture would not move smoothly


def outcomes() -> Array:
    """What (who meets, who is met) become in a selection, a reproduction, an exchange: uint8 of shape (3, 4, 4, 2)."""
    table = np.empty((3, 4, 4, 2), np.uint8)
    for me, you in itertools.product(range(4), repeat=2):
        beats = me > 0 and you == me % 3 + 1
        table[0, me, you] = me, 0 if beats else you
        table[1, me, you] = me, me if you == 0 else you
        table[2, me, you] = you, me
    return table


def escape(sigma: Array | float, mu: Array | float) -> Array:
    """c_1 of eq. (2)."""
    return np.asarray(mu * sigma / (2 * (3 * mu + sigma)))


def wavelength(mobility: Array | float, sigma: Array | float, mu: Array | float) -> Array:
    """Wavelength of the spirals, eq. (4), in units of the side of the square."""
    c3 = math.sqrt(3) * (18 * mu + 5 * sigma) / (48 * mu + 11 * sigma)
    return np.asarray(2 * math.pi * c3 * np.sqrt(mobility / 4 / escape(sigma, mu)) / (np.sqrt(1 + c3**2) - 1))


def critical_mobility(sigma: Array | float, mu: Array | float) -> Array:
    """Where the wavelength is that of the critical mobility at unit rates."""
    return np.asarray(CRITICAL_MOBILITY * (wavelength(1.0, 1.0, 1.0) / wavelength(1.0, sigma, mu)) ** 2)


class MayLeonardSimulation(core.Simulation["MayLeonard"]):
    """Encounters on the lattice from a random mixture at the densities of (2)."""

    time_unit = "generations"
    relaxation, window = 200.0, 50.0

    def prepare(self) -> None:
        m = self.model
        self.linear = m.linear
        share = m.reproduction / (3 * m.reproduction + m.selection)
        states = self.rng.choice(4, self.linear**2, p=[1 - 3 * share, share, share, share])
        self.grid = states.astype(np.uint8)
        self.outcomes = outcomes()
        self.stream = new_stream(self.rng)
        self.retune()

    def retune(self) -> None:
        """The faster they swap places, the shorter is a step: a power of two, so that times are exact."""
        m = self.model
        self.exchange = m.mobility * self.linear**2 / 2
        self.rate = self.linear**2 * (m.selection + m.reproduction + self.exchange)
        self.step = 2.0 ** min(0, math.floor(math.log2(AT_ONCE / self.rate)))

    def evolve(self, duration: float) -> None:
        m, attempts = self.model, self.updates(duration, self.rate)
        rates = m.selection, m.reproduction, self.exchange
        encounters(self.grid, self.linear, attempts, *rates, self.outcomes, self.stream)

    def observe(self) -> dict[str, float]:
        share = self.profiles()["densities"].values
        densities = dict(zip(SPECIES, share.tolist(), strict=True))
        total = np.count_nonzero(self.grid) / self.grid.size
        return densities | {"total_density": total, "surviving_species": float((share > 0).sum())}

    def profiles(self) -> dict[str, core.Measured]:
        """The density of each species now."""
        return {"densities": core.Measured(np.arange(1, 4), np.bincount(self.grid, minlength=4)[1:] / self.grid.size)}

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """Means over the window, and the wavelength at its end."""
        return super().measure(cancelled) | {"wavelength": self.wavelength()}

    def wavelength(self) -> float:
        """In units of the side: where the fluctuations of the species, over all directions, are strongest."""
        n = self.linear
        species = np.concatenate([[0], np.exp(2j * math.pi * np.arange(3) / 3)])[self.grid].reshape(n, n)
        power = np.abs(np.fft.fft2(species)) ** 2
        waves = np.fft.fftfreq(n, 1 / n)
        ring = np.rint(np.hypot(waves[:, None], waves)).astype(np.int64)
        total = np.bincount(ring.ravel(), power.ravel())[: n // 2]
        total[0] = 0  # all the same everywhere: no wave
        return 1 / int(total.argmax()) if np.ptp(self.grid) else math.nan

    def picture(self) -> core.Lattice:
        grid = self.grid.reshape(self.linear, self.linear)
        names = ("empty", *(name.replace("_", " ") for name in SPECIES))
        return core.Lattice(grid, 0, 3, caption="who lives where", signed=False, states=names)


@dataclass(frozen=True)
class MayLeonard(core.Model):
    mobility: float = core.control(
        1e-4, 1e-6, 1e-2, symbol="M", unit="squares per generation", role="temperature", scale="log", step=1e-6,
        doc="area that an individual explores per unit time",
    )  # fmt: skip
    selection: float = core.control(
        1.0, 0.1, 10.0, symbol=r"\sigma", role="coupling", scale="log", step=0.01, doc="rate at which one beats another"
    )
    reproduction: float = core.control(
        1.0, 0.1, 10.0, symbol=r"\mu", role="load", scale="log", step=0.01, doc="rate of offspring onto an empty site"
    )
    size: int = core.control(
        65_536, 16, 1_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="sites of the square lattice",
    )  # fmt: skip

    tags = core.Tags("first contact", 10, ("patterns", "chaos"), ("rate equations", "Monte Carlo"))
    relations = (
        core.Relation(
            "contrasts with", "contact_process",
            "Both can end in a state that nothing leaves: there too little spreads, here all moves too fast.",
            here={"mobility": 0.001},
        ),
        core.Relation(
            "shares the method with", "spatial_network_sir",
            "The speed of a front is found from its leading edge, where equations are linear.",
        ),
    )  # fmt: skip
    title = "May-Leonard rock, paper, scissors"
    summary = "Three species beat each other in a circle: spirals keep all alive, until they move too fast."
    sources = (
        core.Source("T. Reichenbach, M. Mobilia, E. Frey, Nature 448, 1046 (2007)", doi="10.1038/nature06095"),
        core.Source(
            "T. Reichenbach, M. Mobilia, E. Frey, J. Theor. Biol. 254, 368 (2008)", doi="10.1016/j.jtbi.2008.05.014"
        ),
        core.Source("R. M. May and W. J. Leonard, SIAM J. Appl. Math. 29, 243 (1975)", doi="10.1137/0129022"),
    )
    observables = (
        core.Observable("total_density", r"\varrho", "fraction of sites that are taken", low=0, high=1),
        core.Observable(
            "growth_rate", r"\mathrm{Re}\,\Lambda", "largest real part of an eigenvalue of (1)", signed=True
        ),
        core.Observable("frequency", r"\mathrm{Im}\,\Lambda", "angular frequency of the spiralling densities"),
        core.Observable("wavelength", r"\lambda", "wavelength of the spirals, eq. (4)", unit="squares", low=0, high=2),
        core.Observable("front_speed", "v", "speed of a front, eq. (4)", unit="squares per generation", low=0),
        core.Observable("densities", "a_i", "density of every species", over="species", low=0, high=1),
    )
    coordinates = (core.Coordinate("species", "i", "which of the three", discrete=True),)
    branches = (
        core.Branch("coexistence", "all three species at equal density"),
        core.Branch("extinction", "a single species is left"),
    )
    phases = (
        core.Phase("coexistence", "Spirals fit into the square: each species always finds a place ahead of its enemy."),
        core.Phase(
            "extinction", "Spirals have outgrown the square: it mixes as a whole, and chance leaves one species."
        ),
    )
    failures = (
        core.Failure(
            "space_decides",
            "Well-mixed theory calls coexistence unstable; here it lives on all the same, because moving spirals "
            "separate the species.",
        ),
    )
    landmarks = (core.Landmark("critical_mobility", "M_c", "spirals outgrow the square", of="mobility"),)
    planes = (
        core.Plane("mobility", "selection", "wavelength", "coexistence", x_range=(1e-6, 3e-3), along="x"),
        core.Plane("mobility", "reproduction", "wavelength", "coexistence", x_range=(1e-6, 3e-3), along="x"),
    )
    presets = (
        core.Preset(
            "spirals", {"mobility": 1e-4}, "Spirals of three colours turn and drift; every species survives.",
            (core.Promise(core.Mean("surviving_species", 100, 200), 3, 1e-9, {"size": 16_384}),),
        ),
        core.Preset(
            "small spirals", {"mobility": 1e-5},
            "Only 0.33 exchanges per generation, too few for eq. (4): the wavelength is not 3.2 times smaller than in "
            "'spirals', as it says, but 1.5 to 2 times.",
        ),
        core.Preset(
            "too mobile", {"mobility": 1e-3, "size": 16_384},
            "The spirals outgrow the square, and sooner or later a species is lost: who will be left?",
        ),
        core.Preset(
            "critical", {"mobility": 4.5e-4, "size": 16_384},
            "At the published critical mobility chance decides: restart with other seeds. The larger the lattice, the "
            "longer all three survive even here.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "density of each species at unit rates", 0.25, 1e-14, "May and Leonard (1975)",
            core.Value("densities", "coexistence", place=1), published=True,
        ),
        core.Reference(
            "growth rate of the spiral out of coexistence", 0.125, 1e-12, "eq. (2)",
            core.Value("growth_rate", "coexistence"),
        ),
        core.Reference(
            "its frequency", math.sqrt(3) / 8, 1e-12, "eq. (2)", core.Value("frequency", "coexistence")
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Raise the mobility until species begin to die out on a lattice of 128 × 128. At which mobility?",
            {"mobility": 1e-4, "size": 16_384}, "mobility",
            core.Crossing("critical_mobility", "mobility"), 2e-4,
            "About 4.5e-4 squares per generation: then one spiral is as large as the square.",
        ),
    )  # fmt: skip
    simulation = MayLeonardSimulation

    @property
    def linear(self) -> int:
        """Sites along each side of the square that is simulated."""
        return max(4, round(math.sqrt(self.size)))

    def realised(self) -> MayLeonard:
        return self.with_simulated(size=self.linear**2)

    def solve(self, points: Points) -> core.Solution:
        mobility, sigma, mu = points["mobility"], points["selection"], points["reproduction"]
        c1, nothing = escape(sigma, mu), np.zeros_like(mu)
        values = {
            "total_density": (3 * mu / (3 * mu + sigma), nothing + 1),
            "growth_rate": (c1, nothing),
            "frequency": (math.sqrt(3) * c1, nothing),
            "wavelength": (wavelength(mobility, sigma, mu), nothing + math.inf),
            "front_speed": (np.sqrt(c1 * mobility), nothing),
        }
        lives = mobility < critical_mobility(sigma, mu)
        stable = np.broadcast_to(np.array([False, True]), (mu.size, 2))
        return core.Solution(
            {name: np.stack(both, axis=1) for name, both in values.items()}, np.zeros(stable.shape), stable,
            extra={"lives": lives}, fails={"space_decides": self.on("coexistence", lives)},
        )  # fmt: skip

    def _growth(self, a: Array) -> Array:
        """Right-hand side of eq. (1)."""
        return a * (self.reproduction * (1 - a.sum()) - self.selection * np.roll(a, 1))

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        alone = state["branch"] == "extinction"
        a = np.array([1.0, 0.0, 0.0]) if alone else np.full(3, state["total_density"] / 3)
        rates = self.reproduction * (1 - a.sum()) - self.selection * np.roll(a, 1)
        slope = np.diag(rates) - self.reproduction * a[:, None]
        slope -= self.selection * a[:, None] * np.roll(np.eye(3), 1, axis=0)
        eigenvalues = np.linalg.eigvals(slope)
        return {
            "(1)": float(np.abs(self._growth(a)).max()),
            "(2), real part": state["growth_rate"] - float(eigenvalues.real.max()),
            "(2), imaginary part": state["frequency"] - float(eigenvalues.imag.max()),
        }

    def select(self, points: Points, solution: core.Solution) -> Array:
        """What the lattice reaches: unlike the well-mixed theory, spirals protect coexistence below the threshold."""
        return np.where(solution.extra["lives"], COEXISTENCE, EXTINCTION)

    def profiles(self) -> dict[str, core.Profile]:
        share = self.reproduction / (3 * self.reproduction + self.selection)
        return {"densities": core.Profile(np.array([1, 2, 3]), np.array([[share, share, share], [1.0, 0.0, 0.0]]))}

    def boundary(self, name: str, points: Points) -> Array:
        return critical_mobility(points["selection"], points["reproduction"])

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        first, span = [start[name] for name in SPECIES], (0.0, max(float(times[-1]), 1e-9))
        path = solve_ivp(lambda _, a: self._growth(a), span, first, t_eval=times, rtol=1e-8, atol=1e-12)
        return dict(zip(SPECIES, path.y, strict=True)) | {"total_density": path.y.sum(axis=0)}

    def caveat(self) -> str:
        return "eq. (4) is an expansion around coexistence, and off by a factor of order one"

    def footprint(self) -> int:
        return 10 * self.size
