r"""Mean-field control: a crowd that is steered into step, by one planner or by everybody for themselves.

$N$ agents head in the directions $\theta_i$ and may turn, at a price:

$$d\theta_i=u_i\,dt+\sigma\,dW_i,\qquad J=\Big\langle\frac R2u^2\Big\rangle+\tfrac12(1-r^2),\qquad
re^{i\phi}=\frac1N\sum_je^{i\theta_j} \tag{1}$$

$J$ is the cost per time: it is dear to turn, and dear not to head where the others do. A *planner* chooses the control
$u(\theta)$ of all to minimise it. In a *game* everybody minimises their own cost,
$\frac R2u^2+\frac12(1-r\cos(\theta-\phi))$, and takes $r$ as given. The density that a control
$u=\sigma^2\partial_\theta\ln\psi$ keeps up is $\rho=\psi^2$, and either problem is the ground state of a pendulum in
a well that the crowd itself makes:

$$-\epsilon\,\psi''-\kappa\,r\cos\theta\;\psi=E\,\psi,\qquad r=\int\!\psi^2\cos\theta\,d\theta,\qquad
\epsilon=\frac{R\sigma^4}2,\qquad\kappa=\begin{cases}1&\text{planner}\\\frac12&\text{game}\end{cases} \tag{2}$$

for the planner gains twice by turning somebody: that one is in step, and all others are with one more. The effort is
$\frac R2\langle u^2\rangle=\epsilon\int\psi'^2$. Everything depends on $\epsilon/\kappa$. A shallow well of the depth
$h=\kappa r/\epsilon$ makes the coherence $h$, so that the crowd is in step below

$$R_c=\frac{2\kappa}{\sigma^4} \tag{3}$$

Between the two thresholds lies *anarchy*: a planner would align all, but it pays for nobody to begin. What that costs
is the *price of anarchy* $J_{\rm game}/J_{\rm planner}\ge1$.

**Who sees only some** estimates the direction from $k$ random others, anew each moment, with a further error of
standard deviation $s$. With the policy as above, an agent is then controlled by

$$u_k(\theta)=\langle u(\theta-\delta)\rangle_\delta,\qquad\rho_k\propto\exp\frac2{\sigma^2}\!\int\!u_k\,d\theta
\tag{4}$$

where the error $\delta$ has the law of the direction of a normal vector around $(r,0)$ with the variances
$\frac1k\mathrm{var}(\cos\theta)$, $\frac1k\mathrm{var}(\sin\theta)$, so that $r$ has to be found again. The error
$s$ alone weakens the first harmonic of the control by $e^{-s^2/2}$.

**Valid:** as $N\to\infty$, and (4) for the normal law of the mean of $k$ others (flagged below five). All agents follow
a policy that is best for those who see everybody; that is not the best policy for those who do not. Near the threshold
a crowd of finite size fluctuates as in any mean field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.decisions.mean_field_control.dynamics import Crowd
from mfexplore.models.decisions.mean_field_control.theory import (
    ANGLES,
    GRID,
    crowd,
    crowd_that_sees_some,
    depth_at,
    ground,
    policy,
)

INCOHERENT, COHERENT = range(2)
EVERYBODY, SOME = {"sight": ("everybody",)}, {"sight": ("some",)}
MELTED = 1e-6  # coherence below which there is none


@dataclass(frozen=True)
class MeanFieldControl(core.Model):
    noise: float = core.control(
        1.0, 0.5, 2.0, symbol=r"\sigma", role="temperature", step=0.005, doc="noise that turns each agent"
    )
    price: float = core.control(
        0.5, 0.1, 50.0, symbol="R", role="field", scale="log", step=0.01, doc="price of turning by control"
    )
    peers: int = core.control(
        10, 1, 200, symbol="k", role="data", scale="log", only=SOME, doc="others that each agent looks at"
    )
    sensing_noise: float = core.control(
        0.0, 0.0, 2.0, symbol="s", role="disorder", step=0.01, only=SOME, doc="error of the direction that is read"
    )
    objective: str = core.choice(
        "planner", {"planner": "one planner for all", "game": "a game, each for themselves"},
        doc="whose cost is minimised",
    )  # fmt: skip
    sight: str = core.choice("everybody", ("everybody", "some"), doc="whom agents see")
    size: int = core.control(
        2000, 2, 100_000, symbol="N", role="size", scale="log", part="simulation", doc="agents simulated"
    )
    start: str = core.choice(
        "incoherent", ("incoherent", "coherent"), role="start", part="simulation", doc="where agents head at first"
    )

    title = "Mean-field control"
    summary = "A crowd steered into step by one planner, or a game in which nobody begins: the price of anarchy."
    tags = core.Tags("course", 20, ("synchronization", "decisions"), ("self-consistency", "variational"))
    relations = (
        core.Relation(
            "builds on", "kuramoto",
            "There a law tells oscillators to follow each other; here agents choose to, because it pays.",
            there={"frequencies": "identical"},
        ),
    )  # fmt: skip
    sources = (
        core.Source(
            "Learning Decentralized Partially Observable Mean Field Control for Artificial Collective Behavior"
        ),
        core.Source("H. Yin et al., IEEE Trans. Autom. Control 57, 920 (2012)", doi="10.1109/TAC.2011.2168082"),
        core.Source("J.-M. Lasry and P.-L. Lions, Jpn. J. Math. 2, 229 (2007)", doi="10.1007/s11537-007-0657-8"),
    )
    observables = (
        core.Observable("coherence", "r", "how far all head one way", low=0, high=1),
        core.Observable("cost", "J", "cost of an agent per time, eq. (1)", low=0, high=0.6),
        core.Observable(
            "effort", r"\frac{R}{2}\langle u^2\rangle", "part of the cost that is control", low=0, high=0.2
        ),
        core.Observable(
            "price_of_anarchy", r"J_g/J_p", "cost of the game over that of the planner", low=1, high=1.2, only=EVERYBODY
        ),
        core.Observable("angle", r"\theta-\phi", "mean angle from the crowd", low=-math.pi, high=math.pi, signed=True),
    )
    branches = (
        core.Branch("incoherent", "all directions alike, no control"),
        core.Branch("coherent", "in step"),
    )
    phases = (
        core.Phase("in_step", "It pays to turn towards the others, as they turn towards one."),
        core.Phase("anarchy", "A planner would align all, but it pays for nobody to begin.", only=EVERYBODY),
        core.Phase("scattered", "Noise or the price of control wins: everybody heads anywhere."),
    )
    failures = (core.Failure("few_peers", "The mean of less than five others is not normal: look at the simulation."),)
    landmarks = (
        core.Landmark("planned", "R_p", "the planner's crowd falls into step below it", of="price", only=EVERYBODY),
        core.Landmark("played", "R_g", "the players fall into step below it", of="price", only=EVERYBODY),
    )
    planes = (
        core.Plane("noise", "price", "coherence", only=EVERYBODY),
        core.Plane("peers", "price", "coherence", None, None, (0.1, 4.0), finest=17, only=SOME),
        core.Plane("sensing_noise", "price", "coherence", None, None, (0.1, 4.0), finest=17, only=SOME),
    )
    presets = (
        core.Preset(
            "in step", {},
            "Nobody leads: all are paid to head where others do, and as soon as noise would turn them round they do.",
            (core.Promise(core.Value("coherence"), 0.80, 0.002),
             core.Promise(core.Mean("coherence", 15, 30), 0.80, 0.02, {"size": 1000})),
            core.View(series="coherence", picture="angles"),
        ),
        core.Preset(
            "anarchy", {"price": 1.3, "objective": "game", "start": "coherent"},
            "They begin in step, and it melts away: a planner would hold them together at a coherence of 0.59.",
            (core.Promise(core.Value("coherence"), 0.59, 0.005, {"objective": "planner"}),
             core.Promise(core.Mean("coherence", 15, 30), 0.0, 0.12, {"size": 600})),
            core.View(colour="price_of_anarchy", series="coherence", picture="angles"),
        ),
        core.Preset(
            "planned", {"price": 1.3},
            "The same price, and a planner: each turn pays twice, for who is turned and for all others.",
            (core.Promise(core.Value("coherence"), 0.59, 0.005),),
            core.View(series="coherence", picture="control"),
        ),
        core.Preset(
            "few in sight", {"price": 1.8, "sight": "some", "peers": 7, "start": "coherent"},
            "With seven in sight the threshold comes earlier: this crowd melts, which would hold 0.33 if all saw all.",
            (core.Promise(core.Value("coherence"), 0.33, 0.002, {"sight": "everybody"}),
             core.Promise(core.Mean("coherence", 20, 30), 0.0, 0.15, {"size": 1000})),
            view=core.View(series="coherence", picture="angles"),
        ),
        core.Preset(
            "bad eyes", {"price": 0.5, "sight": "some", "peers": 100, "sensing_noise": 1.2},
            "A hundred in sight, but read with a large error: they spend so much that to let go would be cheaper.",
            view=core.View(("sensing_noise", "price"), "coherence", series="coherence", picture="control"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            r"coherence at $\epsilon=0.1\,\kappa$", 0.8807364646546825, 1e-12, "Mathieu ground state, self-consistent",
            core.Value("coherence", "coherent"), {"price": 0.2},
        ),
        core.Reference(
            r"coherence at $\epsilon=0.9\,\kappa$", 0.3309385494058729, 1e-12, "Mathieu ground state, self-consistent",
            core.Value("coherence", "coherent"), {"price": 1.8},
        ),
        core.Reference(
            "threshold of the planner", 2.0, 1e-12, "eq. (3)", core.Crossing("planned", "price"), {"noise": 1.0}
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At the noise 1 a planner aligns a crowd up to the price 2. Up to which price do players?",
            {"price": 0.3, "objective": "game"}, "price", core.Crossing("played", "price"), 0.1,
            "Half of it: a player gains by being in step, and does not count what all others gain by that.",
            view=core.View(("noise", "price"), "coherence", "price"),
        ),
    )  # fmt: skip
    simulation = Crowd

    @property
    def stiffness(self) -> float:
        """The epsilon of eq. (2)."""
        return self.price * self.noise**4 / 2

    @property
    def gain(self) -> float:
        """The kappa of eq. (2)."""
        return 1.0 if self.objective == "planner" else 0.5

    def policy(self) -> Array:
        """Control in units of sigma^2, shape (GRID,), by angle from the crowd from 0 to a whole turn."""
        return np.asarray(policy(np.array([min(self.stiffness / self.gain, 1.0)]))[0])

    def solve(self, points: Points) -> core.Solution:
        stiffness = points["price"] * points["noise"] ** 4 / 2
        ratio = stiffness / self.gain
        nothing, wide = np.zeros_like(ratio), np.full_like(ratio, 0.5)
        fails = {}
        if self.sight == "everybody":
            coherence, spent = crowd(ratio)
            effort, residual = spent * self.gain, np.where(ratio < 1, 0.0, np.nan)
            costs = [
                (spent * kappa + (1 - r * r) / 2)
                for kappa, (r, spent) in ((k, crowd(stiffness / k)) for k in (1.0, 0.5))
            ]
            anarchy = costs[1] / costs[0]
        else:
            found = crowd_that_sees_some(ratio, points["peers"].astype(float), points["sensing_noise"])
            coherence, effort = found.coherence, stiffness * found.effort
            residual = np.where((coherence > MELTED) & (ratio < 1), found.residual, np.nan)
            fails = {"few_peers": np.broadcast_to((points["peers"] < 5)[:, None], (ratio.size, 2))}
        values = {
            "coherence": np.stack([nothing, coherence], axis=1),
            "effort": np.stack([nothing, effort], axis=1),
            "cost": np.stack([wide, effort + (1 - coherence**2) / 2], axis=1),
            "angle": np.zeros((ratio.size, 2)),
        }
        if self.sight == "everybody":
            values["price_of_anarchy"] = np.repeat(anarchy[:, None], 2, axis=1)
        exists = ~np.isnan(residual)
        stable = np.stack([~exists, exists], axis=1)
        return core.Solution(values, np.stack([nothing, residual], axis=1), stable=stable, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        r, epsilon = state["coherence"], self.stiffness
        gaps = {"(1)": state["cost"] - state["effort"] - (1 - r * r) / 2}
        if state["branch"] == "incoherent":
            return gaps | {"(2)": r, "effort": state["effort"]}
        if self.sight == "some":
            return gaps
        n = 2 * GRID  # the ground state a second time, as a matrix of finite differences of spectral accuracy
        angle = 2 * math.pi * np.arange(n) / n
        waves = np.fft.fftfreq(n, 1 / n)
        kinetic = np.fft.ifft(waves[:, None] ** 2 * np.fft.fft(np.eye(n), axis=0), axis=0).real
        depth = self.gain * r / epsilon
        psi = np.abs(np.linalg.eigh((kinetic + kinetic.T) / 2 - np.diag(depth * np.cos(angle)))[1][:, 0])
        effort = epsilon * float(psi @ kinetic @ psi)
        return gaps | {"(2)": r - float(psi**2 @ np.cos(angle)), "effort": state["effort"] - effort}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        stiffness, coherent = points["price"] * points["noise"] ** 4 / 2, states.exists["coherent"]
        missed = (stiffness < 1) & ~coherent & (self.sight == "everybody")
        return {"in_step": coherent, "anarchy": missed, "scattered": ~coherent}

    def boundary(self, name: str, points: Points) -> Array:
        return np.asarray({"planned": 2.0, "played": 1.0}[name] / points["noise"] ** 4)

    def landscape(self) -> core.Landscape:
        """Least cost of a crowd that is held at a coherence: its effort is that of some well."""
        depths = np.geomspace(1e-3, 300, 120)
        states = [ground(float(depth))[0] for depth in depths]
        r = np.array([0.0, *(state.coherence for state in states)])
        effort = self.stiffness * np.array([0.0, *(state.effort for state in states)])
        cost = effort + (1 - r * r) / 2
        shown = cost <= 0.75
        note = "the game does not end at the minimum" if self.objective == "game" else ""
        note = "of a crowd that sees everybody" if self.sight == "some" else note
        return core.Landscape("coherence", r[shown], cost[shown], note=note, title="cost")

    def law(self) -> core.Law:
        ratio = np.array([self.stiffness / self.gain])
        if self.sight == "some":
            seen = crowd_that_sees_some(ratio, np.array([float(self.peers)]), np.array([self.sensing_noise]))
            density = seen.density[0] if ratio[0] < 1 and seen.coherence[0] > MELTED else np.full(GRID, 1 / GRID)
        else:
            psi = self._wave(float(ratio[0]))
            density = psi**2 / np.sum(psi**2)
        turned = np.roll(density, GRID // 2) * GRID / (2 * math.pi)
        angle = np.append(ANGLES - math.pi, math.pi)
        return core.Law("angle", angle, np.append(turned, turned[0]), "where agents head", circular=True)

    def _wave(self, ratio: float) -> Array:
        """The psi of eq. (2) at ANGLES."""
        if ratio >= 1:
            return np.ones(GRID)
        c = ground(depth_at(ratio))[1]
        return np.asarray(c[0] / math.sqrt(2) + np.cos(np.outer(ANGLES, np.arange(1, c.size))) @ c[1:])

    def caveat(self) -> str:
        return "few agents or few peers, steps that are not short, or a crowd that is still far from rest"

    def footprint(self) -> int:
        return 64 * self.size
