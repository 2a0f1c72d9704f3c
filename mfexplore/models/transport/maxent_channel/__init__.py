r"""Ion channel: statistical mechanics built up from what is known, one piece of information after another.

**Jaynes:** of all laws $p$ that agree with what is known, $\langle f_k\rangle=F_k$, the least prejudiced is that of the
largest entropy $S=-\sum p\ln p$,

$$p\propto e^{-\sum_k\lambda_kf_k},\qquad
\lambda=\arg\min\Big[\ln\sum_x e^{-\lambda\cdot f(x)}+\lambda\cdot F\Big] \tag{1}$$

A die whose mean is 4.5 instead of 3.5 so has the faces $p_k\propto e^{0.371\,k}$.

**The channel** is a file of $M$ sites between two baths; two ions never share a site, nor overtake. Each step along the
field lowers the energy by $V/(M+1)$ ($k_BT=1$), which with $\varphi=e^{V/2(M+1)}$ makes the rates

$$\underset{\text{enter, left}}{c_L\varphi},\quad\underset{\text{leave}}{\varphi^{-1}},\quad
\underset{\text{hop right}}{\varphi},\quad\underset{\text{hop left}}{\varphi^{-1}},\quad
\underset{\text{leave, right}}{\beta\varphi},\quad\underset{\text{enter}}{\beta c_R\varphi^{-1}} \tag{2}$$

with a narrow mouth $\beta$ on the right. An ion that passes produces the entropy $A=V+\ln(c_L/c_R)$, whatever happens
inside, so the current $J$ turns where $A=0$ and $\sigma=JA$ is produced per time. *Exact*: $pQ=0$ for the $2^M$ states.
*Mean field*: each site knows only how often its neighbours are occupied,

$$J=c_L\varphi(1-\rho_1)-\tfrac{\rho_1}\varphi=\varphi\rho_i(1-\rho_{i+1})-\tfrac{\rho_{i+1}(1-\rho_i)}\varphi=
\beta\varphi\rho_M-\tfrac{\beta c_R(1-\rho_M)}\varphi \tag{3}$$

which is eq. (1) for known occupancies in every instant. It is right for $V=0$ and in equilibrium; otherwise neighbours
know of each other, and more must be said: *missing information* is how far the law of eq. (1), given (1) the number of
ions, (2) the occupancy of each site, (3) neighbours as well, (4) all pairs, is from the truth, in nats.

**Motion.** Count the ions $n$ that have come in from the left. The *process free energy*

$$\psi(\lambda)=\lim_{t\to\infty}\tfrac1t\ln\langle e^{\lambda n}\rangle,\qquad\psi'(0)=J,\quad
\psi''(0)=\text{noise},\quad\psi(\lambda)=\psi(-A-\lambda) \tag{4}$$

is the largest eigenvalue of a tilted $Q$; to maximise the entropy of *histories* of given current leads to the same
tilt. Its derivatives are response and fluctuation, arbitrarily far from equilibrium. The symmetry is the *fluctuation
theorem*: $\ln P(n)/P(-n)$ grows by $A$ for every ion. Hence $\psi''A/2\psi'$ is 1 in equilibrium (fluctuation and
dissipation) and never below: precision costs entropy. In mean field the noise of each link is white, and filtered by
what eq. (3) answers; a Gaussian that need not keep the symmetry.

Strong fields make the channel one-way. If it were long, it would be *limited by entry* (few ions), *by exit* (jammed)
or *by itself*, with the lines

$$c_L=\tfrac{1+q}2,\qquad\beta=\frac{1-q}{2(1-c_Rq)},\qquad q=e^{-V/(M+1)} \tag{5}$$

where the left or the right bath would fill a long channel to $\rho_L,\rho_R=\frac12$, and a first-order line
$\rho_L=1-\rho_R$ between the first two, where both impose the same current.

**Valid:** the exact law always; mean field for $V=0$ or few ions, and roughly elsewhere (at strong fields currents are
some per cent, noise is far off). The lines of eq. (5) are crossovers in so short a file.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import expm
from scipy.special import entr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.families import master_equation as master
from mfexplore.models.transport.maxent_channel import theory
from mfexplore.models.transport.maxent_channel.dynamics import REACH, ChannelSimulation
from mfexplore.models.transport.maxent_channel.theory import RUNGS

NOTICEABLE = 0.02  # relative difference of the currents


def _missed(model: MaxentChannel, observable: str) -> float:
    """By which part of the exact value mean field is too low."""
    mean_field, exact = model.theory(profiles=False)[observable].values
    return float(1 - mean_field / exact)


@dataclass(frozen=True)
class MaxentChannel(core.Model):
    voltage: float = core.control(
        2.0, -30.0, 30.0, symbol="V", unit="k_BT/e", role="field", step=0.05,
        doc="voltage across the channel; positive drives ions to the right",
    )  # fmt: skip
    left_concentration: float = core.control(
        1.0, 1e-3, 10.0, symbol="c_L", role="load", scale="log",
        doc="ions in the left bath: rate of entry, relative to hopping",
    )  # fmt: skip
    right_concentration: float = core.control(
        0.2, 1e-3, 10.0, symbol="c_R", role="load", scale="log", doc="the same in the right bath"
    )
    mouth: float = core.control(
        1.0, 0.02, 1.0, symbol=r"\beta", role="coupling", step=0.01,
        doc="how open the right end is, for ions that leave and that enter",
    )  # fmt: skip
    sites: int = core.control(4, 1, 6, symbol="M", role="setting", quenched=True, doc="sites of the channel, in file")
    counting_time: int = core.control(
        10, 1, 50, symbol="t", unit="hopping times", role="setting", part="simulation", quenched=True,
        doc="length of the windows in which passing ions are counted",
    )  # fmt: skip
    size: int = core.control(
        20_000, 64, 1_000_000, symbol="N", role="size", scale="log", part="simulation", doc="channels simulated"
    )
    start: str = core.choice(
        "empty", ("empty", "full"), role="start", part="simulation", doc="channels at the start: without ions, or full"
    )

    title = "Ion channel from information"
    summary = "How much must be known to describe a driven channel: its current, its noise, and a symmetry of both."
    tags = core.Tags("course", 20, ("currents",), ("master equations", "variational"))
    sources = (
        core.Source("D. M. Rogers, T. L. Beck, S. B. Rempe (2011)", arxiv="1105.5662"),
        core.Source("D. M. Rogers et al., J. Stat. Phys. 145, 385 (2011)", doi="10.1007/s10955-011-0358-9"),
        core.Source("E. T. Jaynes, Phys. Rev. 106, 620 (1957)", doi="10.1103/PhysRev.106.620"),
        core.Source("J. L. Lebowitz, H. Spohn, J. Stat. Phys. 95, 333 (1999): the symmetry", arxiv="cond-mat/9811220"),
        core.Source("A. C. Barato, U. Seifert, PRL 114, 158101 (2015): the price of precision", arxiv="1502.05944"),
        core.Source(
            "B. Derrida et al., J. Phys. A 26, 1493 (1993): the one-way file", doi="10.1088/0305-4470/26/7/011"
        ),
    )
    observables = (
        core.Observable("current", "J", "ions that pass to the right per hopping time", signed=True),
        core.Observable("occupancy", r"\langle n\rangle", "ions in the channel", low=0),
        core.Observable("entropy_production", r"\sigma", "entropy produced per time, JA", low=0),
        core.Observable(
            "current_noise", r"\psi''", "growth of the variance of passed ions with time, eq. (4)", low=0,
        ),
        core.Observable(
            "fluctuation_ratio", r"\psi''A/2\psi'", "1 where fluctuation and dissipation are one; never less",
            low=0, high=4,
        ),
        core.Observable("entropy", "S", "entropy of the law of the states, in nats", low=0),
        core.Observable(
            "process_free_energy", r"\psi", "growth of the mean of an exponential of the ions passed, eq. (4)",
            over="counting_field", signed=True,
        ),
        core.Observable(
            "asymmetry", r"\ln P(n)/P(-n)", "how much likelier ions pass forth than back; its slope tends to A",
            over="transported", signed=True,
        ),
        core.Observable(
            "missing_information", r"S_k-S", "what is still unknown when 0: nothing, 1: the number of ions, 2: each "
            "site, 3: neighbours too, 4: all pairs are known", unit="nats", over="known", scale="log",
        ),
        core.Observable("site_occupancy", r"\rho_i", "how often a site is occupied", low=0, high=1, over="site"),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("counting_field", r"\lambda", "what tilts the histories"),
        core.Coordinate("transported", "n", "ions passed in a window"),
        core.Coordinate("known", "k", "rung of the ladder of knowledge", discrete=True),
        core.Coordinate("site", "i", "site, from the left", discrete=True),
    )
    methods = (
        core.Method("mean_field", "every site knows only how often its neighbours are occupied, eq. (3)"),
        core.Method("exact", "the law of all states"),
    )
    phases = (
        core.Phase("against_the_voltage", "The difference of concentrations drives ions, against the voltage if any."),
        core.Phase("to_the_left", "Voltage and concentrations, both or the stronger, drive ions to the left."),
        core.Phase("limited_by_itself", "Ions could come and go faster than the channel lets them pass."),
        core.Phase("limited_by_exit", "Ions queue before the exit, which sets the current."),
        core.Phase("limited_by_entry", "Ions are rare in the channel: their entry sets the current."),
    )
    failures = (
        core.Failure(
            "neighbours_know_of_each_other",
            "Mean field misses the current by more than two per cent: sites in the file are correlated.",
        ),
    )
    landmarks = (
        core.Landmark("reversal", "A=0", "the current turns: equilibrium", of="voltage"),
        core.Landmark(
            "entry_line", r"\rho_L=1/2", "beyond it the entry no longer limits a long channel", continuous=False,
            of="left_concentration",
        ),
        core.Landmark(
            "exit_line", r"\rho_R=1/2", "below it the exit limits a long channel", continuous=False,
            of="mouth",
        ),
        core.Landmark(
            "jam", r"\rho_L=1-\rho_R", "entry and exit impose the same current: a long channel jams beyond it",
            continuous=False, of="mouth",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("voltage", "left_concentration", "current", x_range=(-6.0, 6.0), along="x", finest=129),
        core.Plane("left_concentration", "mouth", "current", x_range=(0.05, 3.0), along="x", finest=129),
    )
    presets = (
        core.Preset(
            "Langmuir", {"voltage": 0.0, "left_concentration": 0.3, "right_concentration": 0.3},
            "Equilibrium: once the number of ions is known (0.92 on average) nothing is missing, on any rung.",
            (core.Promise(core.Value("occupancy", method="exact"), 0.923, 0.001),),
            core.View(function="missing_information", method="exact"),
        ),
        core.Preset(
            "what must be known", {"voltage": 6.0, "left_concentration": 1.0, "right_concentration": 0.2},
            "Driven: even all pairs leave something unknown; the bars fall rung by rung, but never to nothing.",
            view=core.View(function="missing_information", method="exact"),
        ),
        core.Preset(
            "uphill", {"voltage": -1.5, "left_concentration": 8.0, "right_concentration": 0.2},
            "The voltage pulls to the left, the concentrations push to the right and win: the current is positive.",
            (core.Promise(lambda model: np.sign(core.Value("current", method="exact").of(model)), 1.0, 0.0),),
            core.View(function="site_occupancy", method="exact"),
        ),
        core.Preset(
            "fluctuation theorem", {"voltage": 2.0, "right_concentration": 1.0, "size": 100_000},
            "Few ions pass against the field: their odds fall by nearly e^A = 7.4 per ion, for ever rarer events.",
            view=core.View(function="asymmetry", series="current_noise", method="exact"),
        ),
        core.Preset(
            "two theories of the current", {"voltage": 6.0, "right_concentration": 1.0, "size": 100_000},
            "Mean field says 0.396 ions per time, the exact law 0.407; of the noise mean field misses an eighth.",
            (core.Promise(core.Value("current", method="mean_field"), 0.396, 0.0005),
             core.Promise(core.Value("current", method="exact"), 0.407, 0.0005),
             core.Promise(lambda model: _missed(model, "current_noise"), 0.125, 0.01)),
            core.View(function="process_free_energy", method="mean_field"),
        ),
        core.Preset(
            "one way", {"voltage": 20.0, "sites": 6, "left_concentration": 2.0, "right_concentration": 0.01},
            "In a strong field the channel itself is the limit: it is half full, and mean field 8 % too slow.",
            (core.Promise(lambda model: _missed(model, "current"), 0.081, 0.003),),
            core.View(plane=("left_concentration", "mouth"), function="site_occupancy", method="exact"),
        ),
        core.Preset(
            "queue",
            {"voltage": 20.0, "sites": 6, "left_concentration": 2.0, "right_concentration": 0.01, "mouth": 0.15,},
            "A narrow exit: the ions queue through all of the channel, and every step of one frees the next.",
            view=core.View(plane=("left_concentration", "mouth"), function="site_occupancy", method="exact"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "probability of a six when the mean of a die is 4.5", 0.3474940657740611, 1e-12, "Jaynes (1963), eq. (1)",
            lambda model: theory.maximum_entropy(np.arange(1.0, 7.0)[None], np.array([4.5]))[1][5], published=True,
        ),
        core.Reference(
            "current by concentrations alone, three sites", 0.1, 1e-13, r"$(\frac12-\frac16)/(2+\frac12+\frac1{1.2})$",
            core.Value("current", method="exact"), {"voltage": 0.0, "sites": 3}, published=True,
        ),
        core.Reference(
            "current through three sites, $V=2$, equal baths", 0.169241710938478, 1e-12, "stationary law of 8 states",
            core.Value("current", method="exact"), {"voltage": 2.0, "sites": 3, "right_concentration": 1.0},
        ),
        core.Reference(
            "the same in mean field, four sites, $V=6$", 0.39615612, 1e-8, "factorised currents, by another solver",
            core.Value("current", method="mean_field"), {"voltage": 6.0, "right_concentration": 1.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The left bath holds ten times as many ions as the right, and the right mouth is narrow. Which voltage "
            "stops the current? Predict, then try whether the mouth or the number of sites matters.",
            {"left_concentration": 2.0, "right_concentration": 0.2, "mouth": 0.3, "voltage": 0.0}, "voltage",
            core.Crossing("reversal", "voltage"), 0.05,
            "-ln 10: what an ion gains in entropy it must lose to the field. No barrier can shift an equilibrium.",
        ),
        core.Task(
            "In a strong field ions enter faster than they can pass. How open must the mouth be so that a long channel "
            "is limited by itself and no longer by its exit?",
            {"voltage": 20.0, "sites": 6, "left_concentration": 2.0, "right_concentration": 0.01, "mouth": 0.1},
            "mouth", core.Crossing("exit_line", "mouth"), 0.05,
            "Just under one half: beyond, the exit takes ions off a half-full channel as fast as it delivers them.",
            view=core.View(plane=("left_concentration", "mouth")),
        ),
    )  # fmt: skip
    simulation = ChannelSimulation

    @property
    def affinity(self) -> float:
        """Entropy produced by an ion that passes to the right."""
        return self.voltage + math.log(self.left_concentration / self.right_concentration)

    @staticmethod
    def _rates(points: Mapping[str, Any]) -> Array:
        """Eq. (2), shape (n, 6)."""
        f = np.exp(points["voltage"] / (2 * (points["sites"] + 1.0)))
        left, right, mouth = (points[name] for name in ("left_concentration", "right_concentration", "mouth"))
        return np.stack([left * f, 1 / f, f, 1 / f, mouth * f, mouth * right / f], axis=-1)

    @property
    def process(self) -> master.Jumps:
        """All jumps of one channel."""
        listed, kind = theory.structure(self.sites)
        return listed._replace(rate=self._rates(columns(self, {}))[0, kind])

    def solve(self, points: Points) -> core.Solution:
        n, rates = points["voltage"].size, self._rates(points)
        found, occupied, own = np.empty((n, 2, 4)), np.empty((n, 2)), np.empty(n)
        for sites in np.unique(points["sites"]):
            here = np.flatnonzero(points["sites"] == sites)
            densities, found[here] = theory.both(rates[here], int(sites))
            occupied[here] = densities.sum(axis=2)
            own[here] = (entr(densities[:, 0]) + entr(1 - densities[:, 0])).sum(axis=1)
        current, noise, residual, entropy = np.moveaxis(found, -1, 0)
        entropy[:, 0] = own
        affinity = (points["voltage"] + np.log(points["left_concentration"] / points["right_concentration"]))[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where(np.abs(affinity) > 1e-7, noise * affinity / (2 * current), 1.0)
        values = {
            "current": current, "occupancy": occupied, "entropy_production": current * affinity,
            "current_noise": noise, "fluctuation_ratio": ratio, "entropy": entropy,
        }  # fmt: skip
        apart = np.abs(current[:, 0] - current[:, 1]) > NOTICEABLE * np.abs(current[:, 1]) + 1e-9
        fails = {"neighbours_know_of_each_other": np.stack([apart, np.zeros_like(apart)], axis=-1)}
        return core.Solution(values, residual / rates.max(axis=1)[:, None], fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        enter, leave, forth, back, out, into = self._rates(columns(self, {}))[0]
        m, j = self.sites, state["current"]
        if state["method"] == "exact":
            q = self.process.generator()
            law = np.linalg.lstsq(np.vstack([q.T, np.ones(len(q))]), np.eye(len(q) + 1)[-1])[0]
            rho = theory.occupations(m) @ law
            links = [enter * (1 - rho[0]) - leave * rho[0], out * rho[-1] - into * (1 - rho[-1])]
        else:  # from both ends to the middle
            rho = np.zeros(m)
            rho[0] = (enter - j) / (enter + leave)
            rho[-1] = (j + into) / (into + out) if m > 1 else rho[0]
            for i in range(1, (m + 1) // 2):
                rho[i] = (forth * rho[i - 1] - j) / (forth * rho[i - 1] + back * (1 - rho[i - 1]))
            for i in range(m - 2, (m + 1) // 2 - 1, -1):
                rho[i] = (j + back * rho[i + 1]) / (forth * (1 - rho[i + 1]) + back * rho[i + 1])
            links = [forth * rho[i] * (1 - rho[i + 1]) - back * rho[i + 1] * (1 - rho[i]) for i in range(m - 1)]
            links.append(out * rho[-1] - into * (1 - rho[-1]))
        scale = max(enter, leave, out, into, forth, back)
        found = {f"(3), link {i}": (link - j) / scale for i, link in enumerate(links)}
        produced = state["entropy_production"] - j * self.affinity
        return found | {"occupancy": state["occupancy"] - rho.sum(), "JA": produced}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        affinity = points["voltage"] + np.log(points["left_concentration"] / points["right_concentration"])
        entry, exit_ = self.boundary("entry_line", points), self.boundary("exit_line", points)
        with np.errstate(invalid="ignore"):
            free = (points["left_concentration"] >= entry) & (points["mouth"] >= exit_)
            jammed = (points["mouth"] < self.boundary("jam", points)) | (points["left_concentration"] >= entry)
        masks = {
            "against_the_voltage": (affinity * points["voltage"] < 0) | (points["voltage"] == 0),
            "to_the_left": affinity < 0,
            "limited_by_itself": free,
            "limited_by_exit": jammed,
            "limited_by_entry": np.ones_like(free),
        }
        return {name: np.broadcast_to(mask[:, None], (mask.size, 2)) for name, mask in masks.items()}

    def boundary(self, name: str, points: Points) -> Array:
        left, right = points["left_concentration"], points["right_concentration"]
        if name == "reversal":
            return -np.log(left / right)
        q = np.exp(-points["voltage"] / (points["sites"] + 1.0))
        with np.errstate(divide="ignore", invalid="ignore"):
            if name == "entry_line":
                return np.where(q < 1, (1 + q) / 2, np.nan)
            if name == "exit_line":
                line = (1 - q) / (2 * (1 - right * q))
                return np.where((q < 1) & (line > 0), line, np.nan)
            # The density that the left bath imposes: c_L (1 - r) - q r = (1 - q) r (1 - r).
            a, b = 1 - q, -(1 + left)
            r = 2 * left / (-b + np.sqrt(b * b - 4 * a * left))
            line = (left * (1 - r) - q * r) / ((1 - r) - right * q * r)
            return np.where((q < 1) & (r < 0.5) & (line > 0), line, np.nan)

    @property
    def counting_fields(self) -> Array:
        """Where the process free energy is shown: about its symmetry, -A/2."""
        half = abs(self.affinity) / 2 + 0.6
        return np.asarray(-self.affinity / 2 + np.linspace(-half, half, 31))

    @property
    def ions(self) -> Array:
        return np.arange(1, 16)

    def _states(self) -> tuple[Array, Array, Array]:
        """(law of the states, densities of both theories, current and noise of both theories)."""
        densities, found = theory.both(self._rates(columns(self, {})), self.sites)
        return master.stationary_law(self.process), densities[0], found[0, :, :2]

    def _counted(self, law: Array, reach: int) -> Array:
        """Exact probabilities of -reach ... reach ions in a window."""
        wide = reach + 40
        return master.counting_law(self.process, law, float(self.counting_time), wide).sum(axis=0)[40:-40]

    def profiles(self) -> dict[str, core.Profile]:
        law, densities, ((slow, rough), (current, _)) = self._states()
        fields, ions = self.counting_fields, self.ions
        forwards = 1 - 2 * (theory.structure(self.sites)[1] % 2)
        everywhere = forwards / (self.sites + 1)  # a part of an ion in every link
        tilted = master.process_free_energy(self.process._replace(steps=everywhere), fields)
        psi = np.stack([slow * fields + rough * fields**2 / 2, tilted])
        ratio = np.full(ions.size, np.nan)
        if abs(current) * self.counting_time < REACH / 2:  # else so few ions are never seen in a window
            counted = self._counted(law, int(ions[-1]))
            log = np.log(np.where(counted > 1e-250, counted, np.nan))
            ratio = log[len(log) // 2 + ions] - log[len(log) // 2 - ions]
        rungs = theory.ladder(law)
        return {
            "process_free_energy": core.Profile(fields, psi),
            "asymmetry": core.Profile(ions, np.stack([2 * slow / rough * ions, ratio])),
            "missing_information": core.Profile(np.arange(RUNGS), np.stack([np.full(RUNGS, np.nan), rungs])),
            "site_occupancy": core.Profile(np.arange(1, self.sites + 1), densities),
        }

    def exact(self) -> dict[str, float]:
        theory = self.theory(method="exact", profiles=False)
        return {name: float(theory[name]) for name in ("current", "occupancy", "entropy_production")}

    def law(self) -> core.Law:
        return self.laws(0.0)[1]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        law, _, currents = self._states()
        t = self.counting_time
        reach = math.ceil(abs(currents[1, 0]) * t + 6 * math.sqrt(currents[:, 1].max() * t) + 6)
        if reach > REACH:
            raise core.NotOfferedError(self.title, f"a law of more than {REACH} ions in a window")
        ions = np.arange(-reach, reach + 1)
        gauss = np.exp(-((ions - currents[0, 0] * t) ** 2) / (2 * currents[0, 1] * t))
        both = (gauss / gauss.sum(), self._counted(law, reach))
        docs = ("Gaussian, mean and noise of mean field", "exact in a window of this length")
        return tuple(
            core.Law("transported_ions", ions, density, doc, discrete=True, method=method.name)
            for method, density, doc in zip(self.methods, both, docs, strict=True)
        )

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """The exact mean number of ions from empty or full channels on."""
        q, ions = self.process.generator(), theory.occupations(self.sites).sum(axis=0)
        law = np.eye(len(q))[0 if start["occupancy"] < self.sites / 2 else -1]
        steps: dict[float, Array] = {}
        path, last = np.empty(len(times)), 0.0
        for k, time in enumerate(times):
            gap = round(float(time) - last, 9)
            if gap not in steps:
                steps[gap] = expm(gap * q)
            law = law @ steps[gap]
            path[k], last = law @ ions, float(time)
        return {"occupancy": path}

    def caveat(self) -> str:
        return "mean field forgets that neighbours know of each other, or the channels are still filling"

    def footprint(self) -> int:
        return 48 * self.size
