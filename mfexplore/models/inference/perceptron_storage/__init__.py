r"""Perceptron storage: how many random patterns one neuron can learn, and which algorithms get there.

A perceptron with $N$ weights stores $M=\alpha N$ random patterns $\xi^\mu\in\{\pm1\}^N$ with random labels
$y_\mu=\pm1$ if every *stability* reaches the margin $\kappa$:

$$\Delta_\mu=\frac{y_\mu}{\sqrt N}\,w\cdot\xi^\mu\ge\kappa,\qquad \mu=1,\dots,\alpha N \tag{1}$$

The weights are *spherical*, $|w|^2=N$, or *binary*, $w_i=\pm1$. Gardner counts the solutions. At temperature $T$, where
every violated pattern costs one unit of energy, the replica-symmetric free entropy per weight is the extremum over $q$
(the overlap of two solutions) and $\hat q$ of

$$\ln Z=\mathcal S(\hat q)-\tfrac12\hat q(1-q)\,[\textrm{binary}]+\alpha\!\int\!Dz\,
\ln\big[\epsilon+(1-\epsilon)H(u)\big] \tag{2}$$

with $u=(\kappa-\sqrt q\,z)/\sqrt{1-q}$, $\epsilon=e^{-1/T}$, $Dz$ the standard normal measure, $H(u)=\int_u^\infty
Dz$, $\mathcal S=\int Dz\ln2\cosh\sqrt{\hat q}z$ for binary and $\mathcal S=\frac12[\ln(1-q)+\frac q{1-q}]$ for
spherical weights. Stationarity gives, with $g=\frac{(1-\epsilon)\varphi(u)}{\epsilon+(1-\epsilon)H(u)}$,

$$\hat q=\frac{\alpha}{1-q}\int\!Dz\,g^2$$

$$q=\int\!Dz\tanh^2\!\sqrt{\hat q}\,z\;\;[\textrm{binary}],\qquad
\hat q=\frac q{(1-q)^2}\;\;[\textrm{spherical}] \tag{3}$$

**Capacity.** Spherical: at $T=0$ the solutions shrink to one, $q\to1$, at

$$\frac1{\alpha_c}=\int_{-\kappa}^\infty\!Dt\,(t+\kappa)^2=(1+\kappa^2)\Phi(\kappa)+\kappa\varphi(\kappa),\qquad
\alpha_c(0)=2 \tag{4}$$

Beyond it the fewest violations (Gardner and Derrida) follow from $x=\lim (1-q)/T$ and $s=\sqrt{2x}$:

$$\frac1\alpha=\int_{\kappa-s}^{\kappa}\!Dt\,(\kappa-t)^2,\qquad \textrm{violated fraction}=\Phi(\kappa-s) \tag{5}$$

Binary: there are finitely many weights, so the last solution is gone where the *entropy* vanishes (Krauth and Mézard),
at $\alpha_c(0)=0.833$ with $q=0.56$ still far from 1. Wherever the entropy (2) would be negative the system is
*frozen*: its true state is that of the freezing temperature $T_f$ at which the entropy vanishes.

**Stability.** Replica symmetry holds while

$$\lambda=1-\alpha\,\overline{(\partial_\omega g_\omega)^2}\;\overline{(\partial_b\langle w\rangle)^2}>0 \tag{6}$$

(de Almeida and Thouless; $g_\omega=g/\sqrt{1-q}$). The very same condition makes message passing converge.

**The race.** All rules see the same patterns; a unit of time is one pass, work of order $MN$. *Perceptron*: add every
pattern that is wrong (binary: its clipped form, hidden integers whose signs are the weights). *AdaTron*: the weights of
largest smallest stability (binary: their signs). *SBPI*: the clipped rule that also deepens what is barely right
(spherical: the same as perceptron). *Message passing*: approximate message passing for the centre of all solutions;
with `reinforcement` it commits itself more and more to one of them. *Annealing*: Metropolis sampling of (2), cooled
to the temperature $T$.

**Valid:** the spherical theory for $\kappa\ge0$ below capacity, and the binary one (with its frozen phase) as
conjectured exact. For $\kappa<0$ near capacity and for spherical weights beyond capacity $\lambda<0$: replica symmetry
breaks, eq. (4) is then only an upper bound and eq. (5) a lower one. Binary solutions at $T=0$ are isolated points
(frozen one-step replica symmetry breaking), yet SBPI and reinforced message passing find solutions up to
$\alpha\approx0.75$: they are drawn to rare dense clusters that this typical-case theory does not see. Temperatures
below 0.002 count as zero.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import log_ndtr, ndtr, ndtri

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.perceptrons import RULES, Passing, random_patterns
from mfexplore.models.inference.perceptron_storage.gardner import (
    COLDEST,
    NODES,
    WEIGHTS,
    Gardner,
    State,
    fewest_violations,
    frozen,
    margins_stored,
    mean_square,
    prior,
    vanishing,
)
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI, normal_density

BINARY_ONLY = {"weights": ("binary",)}
RACERS = {
    "spherical": ("perceptron", "adatron", "message_passing", "annealing"),
    "binary": ("perceptron", "sbpi", "message_passing", "adatron", "annealing"),
}


def log_weight(u: Array, epsilon: float) -> Array:
    """The logarithm in eq. (2)."""
    with np.errstate(divide="ignore"):
        return np.asarray(np.logaddexp(np.log(epsilon), math.log1p(-epsilon) + log_ndtr(-u)))


class PerceptronRace(core.Simulation["PerceptronStorage"]):
    """One rule, or all of them at once, on the same random patterns."""

    time_unit = "passes"
    relaxation, window = 300.0, 0.0

    def prepare(self) -> None:
        m = self.model
        patterns = random_patterns(self.rng, m.patterns, m.size)
        streams = dict(zip(RULES, self.rng.spawn(len(RULES)), strict=True))  # a rule alone runs as it does in the race
        names = RACERS[m.weights] if m.algorithm == "race" else (m.algorithm,)
        self.rules = {name: RULES[name](patterns, m.margin, m.weights == "binary", streams[name]) for name in names}
        self.widest = -math.inf
        self.retune()
        self.look()

    def retune(self) -> None:
        for rule in self.rules.values():
            rule.temperature, rule.reinforcement = self.model.temperature, self.model.reinforcement

    def look(self) -> None:
        self.stabilities = {name: rule.stabilities() for name, rule in self.rules.items()}
        self.violated = {name: float(np.mean(self.stabilities[name] < r.threshold)) for name, r in self.rules.items()}
        self.widest = max(self.widest, *(float(s.min()) for s in self.stabilities.values()))

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            for name, rule in self.rules.items():
                if self.violated[name] > 0 or rule.keeps_on:
                    rule.one_pass()
        self.look()

    @property
    def finished(self) -> bool:
        return all(self.violated[name] == 0 and not rule.keeps_on for name, rule in self.rules.items())

    def samples(self, observable: str | None = None) -> Array:
        """Stabilities of a typical state as message passing sees it; of the rule that runs, if that is another."""
        passing = self.rules.get("message_passing")
        return passing.typical if isinstance(passing, Passing) else next(iter(self.stabilities.values()))

    def observe(self) -> dict[str, float]:
        # Theory speaks of a typical state at the temperature, which only annealing shows; the race is about the best.
        best = min(self.violated.values())
        typical = self.violated.get("annealing", best) if self.model.temperature > 0 else best
        found = {"violated_fraction": typical, "success": float(best == 0), "largest_margin": self.widest}
        found["stability"] = float(np.mean(self.samples()))
        sampling = self.rules.get("message_passing", self.rules.get("annealing"))
        if sampling is not None:
            found["overlap"] = sampling.overlap
        if len(self.rules) > 1:
            found |= {f"violated_{name}": value for name, value in self.violated.items()}
        return found

    def picture(self) -> core.Patterns:
        """Every pattern is a pixel: blank while it is wrong, the fuller the more clearly it is right."""
        images = []
        for name, rule in self.rules.items():
            shown = core.square(self.stabilities[name])
            beyond = np.clip(0.5 * (shown - self.model.margin), 0.0, 1.0)
            title = rule.title.replace("message passing", "messages")  # captions are narrow
            shade = np.where(shown < rule.threshold, 0.0, 0.4 + 0.6 * beyond)
            images.append((f"{title}: {round(self.violated[name] * self.model.patterns) or 'done'}", shade))
        return core.Patterns(tuple(images), 0.0, 1.0)


@dataclass(frozen=True)
class PerceptronStorage(core.Model):
    load: float = core.control(
        1.0, 0.01, 10.0, symbol=r"\alpha", unit="M/N", role="load", step=0.01, quenched=True,
        doc="random patterns to be stored, per weight",
    )  # fmt: skip
    margin: float = core.control(
        0.0, -1.0, 2.0, symbol=r"\kappa", role="disorder", step=0.01, quenched=True,
        doc="how clearly every pattern must be classified",
    )  # fmt: skip
    temperature: float = core.control(
        0.0, 0.0, 2.0, symbol="T", role="temperature", step=0.01,
        doc="tolerance for violated patterns, each of which costs an energy of 1 (0: none)",
    )  # fmt: skip
    weights: str = core.choice("spherical", WEIGHTS, doc="real weights of fixed norm, or weights +1 and -1")
    size: int = core.control(
        1001, 11, 10_001, symbol="N", role="size", scale="log", part="simulation", doc="weights simulated"
    )
    algorithm: str = core.choice(
        "race", {"race": "race"} | {name: rule.title for name, rule in RULES.items()}, part="simulation",
        doc="the rule that learns, or all of them on the same patterns",
    )  # fmt: skip
    reinforcement: float = core.control(
        0.0, 0.0, 0.2, symbol=r"\rho", role="setting", step=0.001, part="simulation",
        doc="how fast message passing commits itself (0: it finds the centre of all solutions)",
        only={"algorithm": ("race", "message_passing")},
    )  # fmt: skip

    version = 2
    tags = core.Tags("course", 20, ("phase transition", "learning", "memory"), ("replicas",))
    relations = (
        core.Relation(
            "contrasts with", "teacher_student",
            "Random labels can only be memorised, up to a capacity; labels that a teacher made can be understood.",
        ),
        core.Relation(
            "contrasts with", "hopfield",
            "Each neuron of a network of memories is a perceptron: Hebb's rule stores 0.138 patterns per neuron, the "
            "best couplings two.",
            here={"margin": 0.0, "load": 1.9}, there={"load": 0.138, "temperature": 0.0},
        ),
    )  # fmt: skip
    title = "Perceptron storage"
    summary = "How many random patterns one neuron can learn, and which learning rules get there."
    sources = (
        core.Source("E. Gardner, J. Phys. A 21, 257 (1988)", doi="10.1088/0305-4470/21/1/030"),
        core.Source("E. Gardner and B. Derrida, J. Phys. A 21, 271 (1988)", doi="10.1088/0305-4470/21/1/031"),
        core.Source("W. Krauth and M. Mézard, J. Physique 50, 3057 (1989)", doi="10.1051/jphys:0198900500200305700"),
        core.Source("J. K. Anlauf and M. Biehl, Europhys. Lett. 10, 687 (1989)", doi="10.1209/0295-5075/10/7/014"),
        core.Source("C. Baldassi et al., PNAS 104, 11079 (2007)", doi="10.1073/pnas.0700324104"),
        core.Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("overlap", "q", "overlap of two solutions", low=0, high=1),
        core.Observable(
            "entropy", "S", "logarithm of the number (volume) of solutions, per weight", low=-3, high=math.log(2)
        ),
        core.Observable("violated_fraction", r"\epsilon", "fraction of patterns below the margin", low=0),
        core.Observable("stability", r"\overline\Delta", "mean stability of the patterns"),
        core.Observable(
            "largest_margin", r"\kappa_c", "largest margin that this load allows", low=-1, high=2, signed=True
        ),
        core.Observable(
            "replicon", r"\lambda", "negative where replica symmetry breaks, eq. (6)", low=-1, high=1, signed=True
        ),
        core.Observable("success", "P", "probability that all patterns can be stored", low=0, high=1),
    )  # fmt: skip
    phases = (
        core.Phase("storable", "There are weights that satisfy every pattern."),
        core.Phase("unstorable", "Every choice of weights leaves a fraction of the patterns below the margin."),
        core.Phase(
            "frozen",
            "No binary weights satisfy all; the best are a few isolated points, and nothing moves.",
            only=BINARY_ONLY,
        ),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Solutions fall into separate clusters (eq. 6): the true capacity is lower and the true number of "
            "violations higher than shown.",
        ),
    )
    landmarks = (
        core.Landmark("capacity", r"\alpha_c", "beyond it no weights satisfy every pattern", of="load"),
        core.Landmark(
            "at_line", r"\lambda=0", "beyond it replica symmetry breaks", continuous=False, title="AT line", of="load"
        ),
        core.Landmark(
            "freezing", "T_f", "below it binary weights are frozen into isolated states", of="load", only=BINARY_ONLY
        ),
    )
    planes = (
        core.Plane("margin", "load", "violated_fraction", x_range=(-0.5, 1.5), y_range=(0.01, 4.0), finest=129),
        core.Plane("load", "temperature", "violated_fraction", x_range=(0.01, 4.0), finest=129),
    )
    presets = (
        core.Preset(
            "half full", {"load": 1.0},
            "Every rule but annealing stores all patterns: half the capacity. Which one leaves the widest gap?",
        ),
        core.Preset(
            "near capacity", {"load": 1.8, "algorithm": "race"},
            "The perceptron rule needs hundreds of passes for the last few patterns: hardly any volume is left.",
        ),
        core.Preset(
            "widest margin", {"load": 0.5, "margin": 0.8, "algorithm": "adatron"},
            "AdaTron piles patterns up exactly at the largest possible margin, 1.03, beyond the 0.8 that is asked for.",
            (core.Promise(core.Value("largest_margin"), 1.03, 0.005),),
            core.View(series="largest_margin"),
        ),
        core.Preset(
            "beyond capacity", {"load": 3.0, "temperature": 1.5, "size": 501},
            "Nobody can win. Annealing settles at the violated fraction of theory, 0.35; cooled to 0.5 it gets stuck.",
            (core.Promise(core.Value("violated_fraction"), 0.35, 0.005),
             core.Promise(core.Mean("violated_fraction", 200, 400), 0.35, 0.02)),
            core.View(plane=("load", "temperature"), along="temperature", series="violated_fraction"),
        ),
        core.Preset(
            "binary weights", {"weights": "binary", "load": 0.6, "reinforcement": 0.005},
            "SBPI and reinforced message passing win; clipping, and annealing, which freezes, do not.",
        ),
        core.Preset(
            "solutions nobody finds", {"weights": "binary", "load": 0.8, "reinforcement": 0.005},
            "Theory promises e^(0.035 N) solutions, yet no rule finds one: they are isolated points.",
            (core.Promise(core.Value("entropy"), 0.035, 0.0005),), core.View(colour="entropy"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "capacity of spherical weights at margin 0", 2.0, 1e-12, "Cover 1965; Gardner 1988",
            core.Crossing("capacity", "load"), published=True,
        ),
        core.Reference(
            "capacity of spherical weights at margin 1", 0.519572229604938, 1e-12, "eq. (4)",
            core.Crossing("capacity", "load"), {"margin": 1.0},
        ),
        core.Reference(
            "capacity of binary weights at margin 0", 0.8330785997, 2e-10, "Krauth and Mézard 1989, recomputed",
            core.Crossing("capacity", "load"), {"weights": "binary"},
        ),
        core.Reference(
            "entropy of binary weights at load 0.5", 0.31439006685554066, 1e-10, "replica-symmetric equations",
            core.Value("entropy"), {"weights": "binary", "load": 0.5}, view=core.View(colour="entropy"),
        ),
        core.Reference(
            "overlap of spherical weights at load 1.5", 0.8217211868, 1e-9, "replica-symmetric equations",
            core.Value("overlap"), {"load": 1.5}, view=core.View(colour="overlap"),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A neuron with real weights shall classify random patterns with a margin of at least 0.5. "
            "How many per weight can it store? Predict, then move the load until AdaTron fails.",
            {"margin": 0.5, "load": 0.5, "algorithm": "adatron"}, "load", core.Crossing("capacity", "load"), 0.1,
            "Half a standard deviation of margin already costs more than half of the capacity, 0.96 instead of 2.",
        ),
        core.Task(
            "Weights that are only +1 or -1 carry one bit each, so at most one random label per weight can be stored. "
            "At which load does the last solution disappear?",
            {"weights": "binary", "load": 0.5, "reinforcement": 0.005}, "load", core.Crossing("capacity", "load"), 0.05,
            "The entropy vanishes at 0.833, close to the one bit per weight; algorithms give up earlier, near 0.75.",
            view=core.View(colour="entropy"),
        ),
    )  # fmt: skip
    simulation = PerceptronRace

    @property
    def patterns(self) -> int:
        """M, at least one."""
        return self.counted("load", self.size)

    def realised(self) -> PerceptronStorage:
        return self.with_simulated(load=self.patterns / self.size)

    def solve(self, points: Points) -> core.Solution:
        load, margin = points["load"], points["margin"]
        temperature = np.where(points["temperature"] < COLDEST, 0.0, points["temperature"])
        gardner = Gardner(self.weights)
        beyond = load > gardner.capacity(margin)
        hard = beyond & (temperature == 0)
        table = np.full((len(State._fields), load.size), np.nan)
        state = State(*table)
        freezes = hard & (self.weights == "binary")
        if not hard.all():
            soft = np.flatnonzero(~hard)
            fixed = gardner.at(margin, temperature)
            log_snr = fixed.curves.solve(fixed.row[soft], load[soft], informed=False)
            table[:, soft] = gardner.state(log_snr, margin[soft], temperature[soft], load[soft])
            if self.weights == "binary":
                freezes[soft] = beyond[soft] & ((state.entropy[soft] < 0) | np.isinf(log_snr))
        if freezes.any():
            table[:, freezes], temperature[freezes] = frozen(load[freezes], margin[freezes])
        elif hard.any():
            table[:, hard] = fewest_violations(load[hard], margin[hard])
        loads, place = np.unique(load, return_inverse=True)
        values = state._asdict()
        residual = values.pop("residual")
        values["largest_margin"] = margins_stored(self.weights, loads.tobytes())[place]
        values["success"] = (~beyond).astype(float)
        return core.Solution(
            values, residual, fails={"replica_symmetry_broken": (state.replicon < 0) & ~freezes},
            extra={"beyond": beyond, "frozen": freezes, "temperature": temperature},
        )  # fmt: skip

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        q, widest, load, margin = state["overlap"], state["largest_margin"], self.load, self.margin
        held = (1 + widest * widest) * ndtr(widest) + widest * normal_density(widest)
        found = {"(4)": load * held - 1} if self.weights == "spherical" else {}
        if q == 1.0:  # beyond capacity: the strip of width s below the margin
            t = np.linspace(ndtri(state["violated_fraction"]), margin, 20_001)
            return found | {"(5)": load * np.trapezoid(normal_density(t) * (margin - t) ** 2, t) - 1}
        if state["entropy"] == 0.0 and state["success"] == 0.0:
            return found  # frozen: the state of another temperature
        v, temperature = 1 - q, self.temperature if self.temperature >= COLDEST else 0.0
        epsilon = math.exp(-1 / temperature) if temperature else 0.0
        z = np.linspace(-9, 9, 40_001)
        dz = normal_density(z) * (z[1] - z[0])
        u = (margin - math.sqrt(q) * z) / math.sqrt(v)
        log_total = log_weight(u, epsilon)
        g = (1 - epsilon) * np.exp(-0.5 * u * u - log_total) * INVERSE_SQRT_2PI
        violated = float(dz @ (epsilon * ndtr(u) * np.exp(-log_total)))
        snr = load / v * float(dz @ (g * g))
        if self.weights == "spherical":
            order, weights, response = snr * v * v, 0.5 * (math.log(v) + q / v), v * v
        else:
            h = math.sqrt(snr) * z
            order, response = float(dz @ np.tanh(h) ** 2), float(dz @ np.cosh(h) ** -4.0)
            weights = float(dz @ np.logaddexp(h, -h)) - 0.5 * snr * v
        energy = load * violated / temperature if temperature else 0.0
        return found | {
            "(2)": state["entropy"] - weights - load * float(dz @ log_total) - energy,
            "(3)": q - order,
            "(6)": state["replicon"] - 1 + load * float(dz @ (g * (g - u)) ** 2) / (v * v) * response,
            "(2), violated": state["violated_fraction"] - violated,
        }

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        beyond, freezes = states.solution.extra["beyond"], states.solution.extra["frozen"]
        return {"frozen": freezes, "unstorable": beyond, "storable": ~beyond}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        margin, temperature = points["margin"], points["temperature"]
        if name == "capacity":
            return Gardner(self.weights).capacity(margin)
        if name == "at_line":
            return Gardner(self.weights).at_line(margin, np.where(temperature < COLDEST, 0.0, temperature))
        # at T = 0 it ends in the capacity
        return vanishing(margin, np.maximum(temperature, COLDEST))[1], temperature >= COLDEST

    def law(self) -> core.Law:
        values = np.linspace(-4.0, 5.0, 361)
        values = np.sort(np.append(values, [self.margin - 1e-12, self.margin]))  # the density jumps there
        solution = self.solve({n: np.array([getattr(self, n)]) for n in ("load", "margin", "temperature")})
        q = float(solution.values["overlap"][0])
        doc = "replica theory for a typical state at this temperature"
        if q == 1.0:
            cut = float(ndtri(solution.values["violated_fraction"][0]))  # kappa - s of eq. (5)
            free = np.where((values < cut) | (values > self.margin), normal_density(values), 0.0)
            at_margin = float(ndtr(self.margin) - ndtr(cut))
            return core.Law("stability_of_each_pattern", values, free, doc, ((self.margin, at_margin),))
        temperature = float(solution.extra["temperature"][0])
        v = 1 - q
        epsilon = math.exp(-1 / temperature) if temperature >= COLDEST else 0.0
        t = np.sinh(np.linspace(-1, 1, 1201) * math.asinh(9 / math.sqrt(v)))
        step = np.gradient(t)
        # The field omega behind a stability Delta is normal with mean q Delta and variance q v.
        u = (self.margin - q * values[:, None]) / math.sqrt(v) - math.sqrt(q) * t
        weight = (np.exp(-0.5 * t * t - log_weight(u, epsilon)) * step).sum(axis=1) * INVERSE_SQRT_2PI
        weight *= np.where(values >= self.margin, 1.0, epsilon)
        return core.Law("stability_of_each_pattern", values, normal_density(values) * weight, doc)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.algorithm not in ("race", "message_passing") or self.reinforcement > 0:
            raise core.NotOfferedError(self.title, "a predicted path for this algorithm")
        u, weight = np.empty(NODES), np.empty(NODES)
        q = start["overlap"]
        path = [q]
        for _ in range(int(np.max(times, initial=0.0)) + 1):
            square = mean_square(max(q, 1e-9), max(1 - q, 1e-9), self.margin, self.temperature, u, weight)
            q = prior(Gardner(self.weights).kind, math.log(self.load * square / max(1 - q, 1e-9)))[0]
            path.append(q)
        return {"overlap": np.interp(times, np.arange(len(path)), path)}

    def footprint(self) -> int:
        return 10 * self.size * self.patterns  # float32 patterns, by row and by column
