r"""Energy-based model: a machine that learns to produce what it was shown, and what contrastive divergence makes of it.

An energy $E_\theta(v)$ stands for the distribution $p_\theta(v)=e^{-E_\theta(v)}/Z_\theta$. To make examples likely is
to climb

$$\nabla_\theta\,\overline{\ln p_\theta}=-\langle\nabla_\theta E\rangle_{data}+\langle\nabla_\theta E\rangle_{model}
\tag{1}$$

whose second average needs samples of the model itself. **Contrastive divergence** (CD-$k$) takes them from chains that
start at the data and run for only $k$ sweeps; **persistent** chains go on from update to update where they were.

**A machine that can be solved**: Gaussian units in two layers, $N$ visible and $N$ hidden,

$$E=\tfrac12|v|^2+\tfrac12|h|^2-v^TWh,\qquad p(v)\propto e^{-\frac12v^T(1-WW^T)v} \tag{2}$$

which gives a variance $1/(1-\sigma^2)$ to a mode of weight $\sigma$ (a singular value of $W$), and one to all others.
Its modes are those of the covariance of the data and do not disturb each other. One with the eigenvalue $\lambda$ obeys

$$\frac{d\sigma}{dt}=\sigma\,(\lambda-\gamma-v_k),\qquad
v_\infty=\frac1{1-\sigma^2}\ \text{(likelihood)} \tag{3}$$

($\gamma$ is a decay of the weights, $t$ the number of updates times their size $\eta$), and the chains forget the data
by a factor $\sigma^4$ per sweep, $v_{j+1}=\sigma^4v_j+\sigma^2+1$:

$$v_k=v_\infty+(\lambda-v_\infty)\,\sigma^{4k},\qquad
\lambda-v_k=(\lambda-v_\infty)(1-\sigma^{4k}) \tag{4}$$

**So CD-$k$ follows exactly that part of the gradient which its chains forget.** It learns the same modes, up to the
same weights, $\sigma^2=1-1/\lambda$; but the better a mode is learnt the slower the chains, whose memory lasts for
$-1/\ln\sigma^4\approx\lambda/2$ sweeps, and the slower it learns. With a decay it also ends elsewhere, below the
likelihood's:

$$\lambda=\frac1{1-\sigma^2}+\frac\gamma{1-\sigma^{4k}} \tag{5}$$

Persistent chains end where the likelihood does ($k\to\infty$), but lag behind: they overshoot if updates outrun them.
In all cases **a mode is learnt if and only if $\lambda>1+\gamma$**.

**What is in the data?** $M=N/a$ examples of variance one, but $\ell$ along one direction, the spike. Their covariance
shows it only if there are enough of them (Baik, Ben Arous and Péché): as $N\to\infty$

$$\ell>1+\sqrt a:\qquad\lambda=\ell\Big(1+\frac a{\ell-1}\Big),\qquad
\text{overlap}^2=\frac{1-a/(\ell-1)^2}{1+a/(\ell-1)} \tag{6}$$

is then its largest eigenvalue, and how far its eigenvector points along the spike; else the overlap is zero. The noise
of the sample alone has eigenvalues up to

$$\lambda_+=(1+\sqrt a)^2 \tag{7}$$

with the density of Marchenko and Pastur, so that without a decay noise is always learnt. It costs: what an example $v$
gains in log-likelihood by a mode along the unit vector $u$ is

$$\tfrac12\big[\ln(1-\sigma^2)+\sigma^2(u\cdot v)^2\big] \tag{8}$$

with mean square $\lambda$ on the examples shown, but only 1 on others if the mode is noise, and
$1+(\ell-1)\,\text{overlap}^2$ if it is the spike. Summed over all modes this is proportional to $N$; what the spike
shifts, and how real random matrices differ, is of order one and taken into account (Bai and Silverstein 2004).

**Handwritten digits** are learnt by units of $\pm1$ in both layers with biases $b_i$ and $c_a$,

$$E=-v^TWh-b\cdot v-c\cdot h,\qquad
Z=\sum_he^{c\cdot h}\prod_i2\cosh\big(b_i+(Wh)_i\big) \tag{9}$$

With few hidden units the sum over their $2^H$ states is done, so that the likelihood, which large machines never see,
and its gradient

$$\overline{v_i\tanh(c_a+(W^Tv)_a)}^{\,data}-\langle v_ih_a\rangle_{model} \tag{10}$$

are exact. The first steps are those of eq. (3) with $\lambda$ one plus an eigenvalue of the covariance without its
diagonal. Then the units saturate, and the Gaussian theory is only a sketch: weights grow further, and gain more.

**Valid:** eqs. (3) to (5) exactly for Gaussian units and many chains; eqs. (6) to (8) as $N\to\infty$; for digits only
at the start. Gains are measured from a machine without weights (digits: from independent pixels), in nats per example.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.sampling.energy_based_model import theory
from mfexplore.models.sampling.energy_based_model.training import OTHERS, SIDE, Training

LEARNT, UNTOUCHED = 0, 1
SPIKE, DIGITS = {"data": ("spike",)}, {"data": ("digits",)}
EIGENVALUES = np.linspace(0.0, 12.0, 241)
MOST_DIGITS = 1600  # examples; the rest is tried


@dataclass(frozen=True)
class EnergyBasedModel(core.Model):
    spike: float = core.control(
        4.0, 1.0, 8.0, symbol=r"\ell", role="data", step=0.05, quenched=True, only=SPIKE,
        doc="variance of the data along one direction; 1 along all others",
    )  # fmt: skip
    load: float = core.control(
        0.1, 0.04, 2.0, symbol="a", role="load", step=0.01, quenched=True, doc="visible units per example, N/M"
    )
    weight_decay: float = core.control(
        1.0, 0.0, 4.0, symbol=r"\gamma", role="rate", step=0.05, doc="rate at which weights decay"
    )
    rule: str = core.choice(
        "contrastive",
        {
            "likelihood": "maximum likelihood", "contrastive": "contrastive divergence",
            "persistent": "persistent chains",
        },
        doc="where the samples of the model come from: exact, chains from the data, chains that go on", quenched=False,
    )  # fmt: skip
    sweeps: int = core.control(
        1, 1, 20, symbol="k", role="setting", doc="sweeps of the chains per update",
        only={"rule": ("contrastive", "persistent")},
    )  # fmt: skip
    learning_rate: float = core.control(
        0.02, 0.001, 0.2, symbol=r"\eta", role="rate", scale="log", step=0.001, doc="size of an update"
    )
    data: str = core.choice(
        "spike", {"spike": "Gaussian with a spike", "digits": "handwritten digits"}, role="data",
        doc="what is learnt, and by units of which kind: Gaussian ones, or of -1 and +1 for the digits",
    )  # fmt: skip
    hidden_units: int = core.control(
        8, 2, 10, symbol="H", role="setting", quenched=True, only=DIGITS, doc="hidden units of the machine for digits"
    )
    size: int = core.control(
        64, 16, 256, symbol="N", unit="units", role="size", scale="log", only=SPIKE,
        doc="visible units; digits have 64 pixels",
    )  # fmt: skip
    first_weight: float = core.control(
        0.05, 0.01, 0.5, symbol=r"\sigma_0", role="start", part="simulation", step=0.01,
        doc="weight of all modes before training",
    )  # fmt: skip

    tags = core.Tags("research", 20, ("learning",), ("dynamical mean field", "Monte Carlo"))
    relations = (
        core.Relation(
            "builds on", "boltzmann_machine", "There the weights between two layers are given, here they are learnt.",
            there={"hidden": "gaussian"},
        ),
    )  # fmt: skip
    title = "Energy-based model"
    summary = "What a machine learns from samples of its own, when there are too few, and why short chains suffice."
    sources = (
        core.Source(
            "Hitchhiker's guide on Energy-Based Models: a comprehensive review on the relation with other generative "
            "models, sampling and statistical physics"
        ),
        core.Source("G. E. Hinton, Neural Computation 14, 1771 (2002)", doi="10.1162/089976602760128018"),
        core.Source(
            "J. Baik, G. Ben Arous and S. Péché, Ann. Probab. 33, 1643 (2005)", doi="10.1214/009117905000000233"
        ),
        core.Source(
            "A. Decelle, G. Fissore and C. Furtlehner, EPL 119, 60001 (2017)", doi="10.1209/0295-5075/119/60001"
        ),
    )
    observables = (
        core.Observable("mode_weight", r"\sigma", "weight of the strongest mode", low=0, high=1),
        core.Observable("overlap", "o", "squared overlap of the strongest learnt mode with the spike", low=0, high=1,
            only=SPIKE),
        core.Observable("eigenvalue", r"\lambda", "largest eigenvalue of the data, eqs. (6) and (7)", low=1),
        core.Observable("noise_modes", "n", "fraction of modes that are noise, and learnt", low=0, high=1, only=SPIKE),
        core.Observable("train_gain", "g", "log-likelihood gained per example shown", unit="nats"),
        core.Observable(
            "test_gain", "g_t", "log-likelihood gained per other example", unit="nats", signed=True
        ),
        core.Observable("memory", r"\tau", "sweeps after which chains forget", unit="sweeps", low=0),
        core.Observable("mode_spectrum", r"\sigma^2", "how far modes are learnt", over="data_eigenvalue", low=0, high=1,
            only=SPIKE),
    )  # fmt: skip
    coordinates = (core.Coordinate("data_eigenvalue", r"\lambda", "eigenvalue of the data"),)
    branches = (
        core.Branch("learnt", "every mode at the end of eq. (5)"),
        core.Branch("untouched", "no weights: all units independent"),
    )
    phases = (
        core.Phase("nothing", "The decay is stronger than all that the data show: no mode grows."),
        core.Phase("signal", "The spike is learnt, and nothing else: as good as it gets."),
        core.Phase("noise", "Only accidents of the sample are learnt: the spike is invisible in so few examples."),
        core.Phase("signal_and_noise", "The spike is learnt, and accidents of the sample with it."),
        core.Phase("modes", "What pixels have in common is learnt: the machine has begun to see digits."),
    )
    failures = (
        core.Failure("units_are_binary", "Units of -1 and +1 saturate: eq. (3) holds at the start only."),
        core.Failure("steps_too_large", "Updates are so large that training circles its end, or leaves it."),
    )
    landmarks = (
        core.Landmark(
            "visibility", r"\ell=1+\sqrt{a}", "the spike shows in the covariance of the data", of="spike", only=SPIKE
        ),
        core.Landmark(
            "signal_line", r"\lambda=1+\gamma", "the strongest mode of the data is learnt", of="weight_decay"
        ),
        core.Landmark("noise_line", r"\lambda_+=1+\gamma", "noise is learnt", of="load", only=SPIKE),
    )
    planes = (
        core.Plane("load", "spike", "overlap", only=SPIKE),
        core.Plane("weight_decay", "load", "test_gain", only=SPIKE),
        core.Plane("weight_decay", "hidden_units", "train_gain", along="x", only=DIGITS),
    )
    presets = (
        core.Preset(
            "one mode", {},
            "One mode grows out of nothing, all others die. It stops at 0.779; take maximum likelihood, and it goes on "
            "to 0.825: with a decay short chains end below.",
            (core.Promise(core.Value("mode_weight"), 0.779, 0.0005),
             core.Promise(core.Value("mode_weight"), 0.825, 0.0005, {"rule": "likelihood"})),
            view=core.View(plane=("load", "spike"), colour="overlap", series="mode_weight", function="mode_spectrum"),
        ),
        core.Preset(
            "short chains suffice",
            {"spike": 8.0, "load": 0.04, "weight_decay": 0.0, "learning_rate": 0.01, "size": 64},
            "Chains of one sweep that need 3.8 to forget, and yet it ends where maximum likelihood does, at 0.936, ten "
            "updates later: they only fail to forget what is learnt already.",
            (core.Promise(core.Value("memory"), 3.8, 0.05), core.Promise(core.Value("mode_weight"), 0.936, 0.0005),
             core.Promise(lambda model: float(np.argmax(model.strongest_path(200) > 0.93)), 56, 1),
             core.Promise(
                 lambda model: float(np.argmax(model.strongest_path(200) > 0.93)), 46, 1, {"rule": "likelihood"})),
            view=core.View(plane=("load", "spike"), colour="overlap", series="mode_weight"),
        ),
        core.Preset(
            "too few examples", {"spike": 2.0, "load": 1.5, "weight_decay": 0.0, "size": 128},
            "85 examples of 128 numbers: the likelihood of these rises for hundreds of updates, that of all others "
            "falls below nothing learnt; what is learnt is an accident.",
            (core.Promise(core.Value("test_gain"), -6.41, 0.01), core.Promise(core.Value("overlap"), 0.0, 1e-9)),
            view=core.View(plane=("load", "spike"), colour="test_gain", series="test_gain", function="mode_spectrum"),
        ),
        core.Preset(
            "decay saves", {"spike": 4.0, "load": 0.5, "weight_decay": 1.95, "rule": "likelihood", "size": 128},
            "The decay is just large enough to keep all noise out: other examples gain 0.58, and without "
            "decay they lose 2.75.",
            (core.Promise(core.Value("test_gain"), 0.583, 0.001),
             core.Promise(core.Value("test_gain"), -2.75, 0.01, {"weight_decay": 0.0}),
             core.Promise(lambda model: float(theory.edge(np.array(model.load))), 2.914, 0.001)),
            view=core.View(
                plane=("weight_decay", "load"), colour="test_gain", along="weight_decay", series="test_gain",
                function="mode_spectrum",
            ),
        ),
        core.Preset(
            "chains left behind", {"spike": 6.0, "load": 0.04, "weight_decay": 0.0, "rule": "persistent", "size": 64},
            "Persistent chains lag behind a mode that grows fast: its weight shoots up to 0.97 before it settles at "
            "0.914.",
            (core.Promise(core.Value("mode_weight"), 0.914, 0.0005),
             core.Promise(lambda model: model.strongest_path(200).max(), 0.97, 0.01)),
            view=core.View(plane=("load", "spike"), colour="overlap", series="mode_weight"),
        ),
        core.Preset(
            "digits", {"data": "digits", "weight_decay": 0.0, "learning_rate": 0.05},
            "640 digits, one sweep per update: modes come one after another, the samples turn into digits, and the "
            "exact likelihood rises past the 2.4 of the Gaussian theory to twice as much.",
            (core.Promise(core.Value("train_gain"), 2.37, 0.01),
             core.Promise(core.Mean("train_gain", 400, 500), 5.4, 0.3)),
            view=core.View(series="train_gain"),
        ),
        core.Preset(
            "too few digits",
            {"data": "digits", "weight_decay": 0.0, "learning_rate": 0.05, "load": 2.0, "hidden_units": 10},
            "32 digits are learnt by heart: their likelihood rises, while that of other digits, which only a sum over "
            "all states can tell, rises, turns and falls.",
            view=core.View(series="test_gain"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "largest eigenvalue of data with spike 3 at N/M = 1/2", 3.75, 1e-12, "Baik, Ben Arous and Péché (2005)",
            core.Value("eigenvalue"), {"spike": 3.0, "load": 0.5}, published=True,
        ),
        core.Reference(
            "squared overlap of its mode with the spike", 0.7, 1e-12, "the same", core.Value("overlap"),
            {"spike": 3.0, "load": 0.5}, published=True,
        ),
        core.Reference(
            "least visible spike at N/M = 1/2", 1.7071067811865475, 1e-9, "the same",
            core.Crossing("visibility", "spike"), {"load": 0.5}, published=True,
        ),
        core.Reference(
            "weight of a mode with the eigenvalue 3 after 1000 updates, likelihood", 0.356227, 1e-6,
            "eq. (3), independently", lambda model: model.path(0.05, 3.0, 1000)[-1],
            {"rule": "likelihood", "weight_decay": 0.0, "learning_rate": 0.001},
        ),
        core.Reference(
            "the same after 2000 updates by contrastive divergence", 0.811404, 1e-6, "the same",
            lambda model: model.path(0.05, 3.0, 2000)[-1],
            {"rule": "contrastive", "weight_decay": 0.0, "learning_rate": 0.001},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "200 examples of 100 numbers, so a = 1/2. How large must the variance of the spike be for anything of it "
            "to be learnt?",
            {"load": 0.5, "weight_decay": 0.0, "spike": 3.0}, "spike", core.Crossing("visibility", "spike"), 0.1,
            "$1+\\sqrt a=1.71$. Below, the largest eigenvalue of the data is one of pure noise: no learner of modes "
            "sees the spike.",
            view=core.View(along="spike"),
        ),
        core.Task(
            "The spike is 4, a = 1/2. Which weight decay is just large enough to keep all noise out?",
            {"load": 0.5, "spike": 4.0, "weight_decay": 0.0, "rule": "likelihood"}, "weight_decay",
            core.Crossing("noise_line", "weight_decay"), 0.15,
            "$\\lambda_+-1=1.91$: more would only cost signal, less lets accidents of the sample in. The larger "
            "the machine, the nearer to it is the decay by which other examples gain most.",
            view=core.View(plane=("weight_decay", "load"), colour="test_gain", along="weight_decay"),
        ),
    )  # fmt: skip
    simulation = Training

    @property
    def visible_units(self) -> int:
        """Of the machine: those of the spike, or pixels of a digit."""
        return self.size if self.data == "spike" else SIDE**2

    @property
    def example_count(self) -> int:
        """M, the number of examples shown, within the bounds of the load."""
        low, high = self.control("load").bounds
        n = self.visible_units
        found = max(math.ceil(n / high * (1 - 1e-12)), min(math.floor(n / low * (1 + 1e-12)), round(n / self.load)))
        return found if self.data == "spike" else min(found, MOST_DIGITS)

    def realised(self) -> EnergyBasedModel:
        return self.with_simulated(load=self.visible_units / self.example_count)

    def training_rule(self, points: Points | None = None) -> theory.Rule:
        """How weights move at these controls, or at a batch of points."""
        at: Mapping[str, Any] = points or self.values()
        sweeps = np.asarray(at["sweeps"], np.float64) if self.rule != "likelihood" else 0 * at["weight_decay"] + np.inf
        return theory.Rule(at["weight_decay"], sweeps, self.rule == "persistent", at["learning_rate"])

    def solve(self, points: Points) -> core.Solution:
        rule = self.training_rule(points)
        if self.data == "spike":
            spike, load, size = points["spike"], points["load"], points["size"]
            top = theory.top_eigenvalue(spike, load)
            square, share = theory.square_at(top, rule), theory.squared_overlap(spike, load)
            learnt = theory.learnt(spike, load, size, rule)
            train, test = learnt.train, learnt.test
            found = {"overlap": share, "noise_modes": learnt.noise_modes}
        else:
            modes = theory.digit_eigenvalues()[: int(self.control("hidden_units").bounds[1]), None]
            top = np.full(rule.decay.shape, modes[0])
            square = theory.square_at(top, rule)
            gains = theory.gain(theory.square_at(modes + 0 * top, rule), modes)
            train = test = np.where(np.arange(len(modes))[:, None] < points["hidden_units"], gains, 0).sum(axis=0)
            found = {}
        grown = square > 0
        with np.errstate(divide="ignore"):
            memory = np.where(grown, -0.5 / np.log(square), 0.0)
        found |= {"mode_weight": np.sqrt(square), "train_gain": train, "test_gain": test, "memory": memory}
        values = {name: np.stack([np.where(grown, v, np.nan), 0 * v], axis=-1) for name, v in found.items()}
        values["eigenvalue"] = np.stack([np.where(grown, top, np.nan), top], axis=-1)
        gap = np.sqrt(square) * np.abs(top - theory.eigenvalue_at(square, rule))
        residual = np.stack([np.where(grown, gap, np.nan), 0 * top], axis=-1)
        large = self.on("learnt", theory.steepness(square, top, rule) > 1)
        fails = {
            "units_are_binary": self.on("learnt", np.full(top.shape, self.data == "digits")),
            "steps_too_large": large,
        }
        extra = {"noise": theory.edge(points["load"]) > 1 + rule.decay}
        return core.Solution(values, residual, np.stack([grown, ~grown], axis=-1), extra=extra, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        s, weight, gamma = state["mode_weight"] ** 2, state["mode_weight"], self.weight_decay
        chain = 1 / (1 - s)
        if self.rule == "contrastive":
            chain = state["eigenvalue"]
            for _ in range(self.sweeps):
                chain = s**2 * chain + s + 1
        gaps = {"(3), (4)": weight * (state["eigenvalue"] - gamma - chain)}
        if s > 0:
            gaps["memory"] = s * math.exp(0.5 / state["memory"]) - 1
        if self.data == "spike":
            excess = max(self.spike - 1, 1e-12)
            edge = (1 + math.sqrt(self.load)) ** 2
            seen = self.spike > 1 + math.sqrt(self.load)
            gaps["(6), (7)"] = state["eigenvalue"] - (self.spike * (1 + self.load / excess) if seen else edge)
            if s > 0 and seen:
                gaps["(6)"] = state["overlap"] * (1 + self.load / excess) - (1 - self.load / excess**2)
        return gaps

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        learnt = states.exists["learnt"]
        if self.data == "digits":
            return {"modes": learnt, "nothing": ~learnt}
        seen, noise = theory.is_visible(points["spike"], points["load"]), states.solution.extra["noise"]
        return {
            "signal_and_noise": learnt & seen & noise,
            "signal": learnt & seen,
            "noise": learnt & noise,
            "nothing": ~learnt,
        }

    def boundary(self, name: str, points: Points) -> Array:
        if name == "visibility":
            return 1 + np.sqrt(points["load"])
        if name == "noise_line":
            return (np.sqrt(1 + points["weight_decay"]) - 1) ** 2
        if self.data == "digits":
            return np.full(points["load"].shape, theory.digit_eigenvalues()[0] - 1)
        return theory.top_eigenvalue(points["spike"], points["load"]) - 1

    def profiles(self) -> dict[str, core.Profile]:
        if self.data == "digits":
            return {}
        rule = self.training_rule()
        values = np.stack([theory.square_at(EIGENVALUES, rule), 0 * EIGENVALUES])
        return {"mode_spectrum": core.Profile(EIGENVALUES, values)}

    def landscape(self) -> core.Landscape:
        """What one mode descends, eq. (3): by the likelihood, and by contrastive divergence."""
        state = self.theory(profiles=False).isel(branch=UNTOUCHED)
        weight = np.linspace(0, 0.995, 400)
        exact, followed = theory.descended(weight, float(state["eigenvalue"]), self.training_rule())
        if self.rule != "contrastive":
            return core.Landscape("mode_weight", weight, exact, title="what training descends")
        return core.Landscape(
            "mode_weight", weight, followed, title="what training descends", rivals=(("maximum likelihood", exact),),
            note="flat where chains are slow",
        )  # fmt: skip

    def path(self, weight: float, eigenvalue: float, updates: int) -> Array:
        """Eq. (3), update by update: the weights of one mode, shape (updates + 1,)."""
        return theory.course(weight, eigenvalue, updates, self.training_rule())

    def strongest_path(self, updates: int) -> Array:
        """The same for the strongest mode of infinitely many units."""
        eigenvalue = float(theory.top_eigenvalue(np.array(self.spike), np.array(self.load)))
        return self.path(self.first_weight, eigenvalue, updates)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Of the strongest mode of the examples that were drawn."""
        whole = np.rint(times).astype(np.int64)
        return {"mode_weight": self.path(start["mode_weight"], start["eigenvalue"], int(whole[-1]))[whole]}

    def extent(self) -> str:
        units = f"{self.size} units" if self.data == "spike" else f"{self.hidden_units} hidden units"
        return f"of {units} and {self.example_count:,} examples"

    def caveat(self) -> str:
        if self.data == "digits":
            return "units of -1 and +1 saturate, and the theory knows Gaussian ones only"
        return "finite size, which moves the eigenvalues of the data, or training that has not come to its end"

    def footprint(self) -> int:
        n, m = self.visible_units, self.example_count
        return 16 * m * n + 64 * n * n + 4 * OTHERS * SIDE**2 + 2**18
