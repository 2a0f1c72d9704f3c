r"""Price impact: a round trip in a market is a cycle of thermodynamics, with work, heat and a second law.

A trader buys the volume $X$ and sells it again within the time $T$, so that the position $x(t)$ is zero before and
after. The price diffuses with the volatility $\sigma$, and gives way to the rate $v=\dot x$ of trading by an *impact*.
What is gained in the end is noise less work:

$$\Pi=\sigma\int_0^Tx\,dW-\mathcal W,\qquad\mathcal W=\int_0^Tv\,f(v)\,dt,\quad f(v)=\eta\,\mathrm{sgn}(v)\,|v|^\delta
\tag{1}$$

Buying at a constant rate for the part $\theta$ of the time and selling for the rest (two blocks) costs

$$\mathcal W=\eta X^{1+\delta}T^{-\delta}\big[\theta^{-\delta}+(1-\theta)^{-\delta}\big]\ge0,\qquad
\Sigma=\sigma^2\!\int\!x^2dt=\tfrac13\sigma^2X^2T \tag{2}$$

*Second law:* with $v\,f(v)\ge0$ no round trip gains on average. As $\Pi$ is Gaussian, its law obeys a *fluctuation
theorem* with the temperature $\vartheta$ of this trip

$$\frac{P(\Pi=w)}{P(\Pi=-w)}=e^{-w/\vartheta},\qquad\vartheta=\frac\Sigma{2\mathcal W},\qquad
P(\Pi>0)=\tfrac12\mathrm{erfc}\sqrt{\mathcal W/4\vartheta}\le\tfrac12e^{-\mathcal W/4\vartheta} \tag{3}$$

Slow trips cost little and are lotteries, fast ones lose for sure. But $\vartheta$ is no property of the market: another
trip has another one. If the liquidity varies from trip to trip (a lognormal factor of $\eta$ with the deviation
$s$ of its logarithm), or the strategy does, the gains are mixtures, and no single temperature describes them.

**Where manipulation pays.** If the impact decays as time goes on,

$$\mathcal W=\int_0^T\!dt\,v(t)\int_0^t\!ds\,f(v(s))\,(t-s)^{-\gamma} \tag{4}$$

the second block sells into the price that the first has driven up. Relative to the first block alone two of them cost

$$c(\theta)=1+\frac{r^{1+\delta}(1-\theta)^{2-\gamma}-r\,[1-\theta^{2-\gamma}-(1-\theta)^{2-\gamma}]}{\theta^{2-\gamma}},\qquad
r=\frac\theta{1-\theta} \tag{5}$$

For $\delta+\gamma<1$ a second block that is ever shorter ($\theta\to1$) brings it to $\gamma-1<0$: concave impact that
is soon forgotten can be exploited, though no single $\theta$ shows how far. For $\delta>1$ it is the first block that
is short, and two blocks pay below a line $\gamma_c(\delta)$ that begins with $\gamma_c=0$ at $\delta=1$, where the
kernel is positive definite and *no* trip pays, and reaches $2-\log_23$ only as $\delta\to\infty$.

**A market with a temperature.** Strategies through $n$ points $x_i$, at intervals $\Delta=T/(n+1)$, drawn from the
Gibbs measure of their price in work and risk,

$$P(x)\propto e^{-C/\tau},\quad C=\sum_i\Big[\eta\frac{(x_{i+1}-x_i)^2}\Delta+\lambda\sigma^2x_i^2\Delta\Big]=x^{\mathsf
T}\!Ax,\qquad F=\langle C\rangle-\tau S=-\tfrac{n\tau}2\ln\pi\tau+\tfrac\tau2\ln\det A \tag{6}$$

have $\langle C\rangle=n\tau/2$ by equipartition and $\langle x_ix_j\rangle=\frac\tau2(A^{-1})_{ij}$. Sine waves are the
normal modes of all parts of $C$, so the law of the gain over noise *and* strategies is known, too:

$$\langle e^{ik\Pi}\rangle=\prod_j\Big[1+\frac\tau{a_j}\Big(ik\,\kappa_j+\tfrac12k^2\sigma_j^2\Big)\Big]^{-1/2}
\tag{7}$$

with $a_j=\kappa_j+\lambda\sigma^2\Delta$, $\kappa_j=\frac{4\eta}\Delta\sin^2\frac{\pi j}{2(n+1)}$ and
$\sigma_j^2=\frac{\sigma^2\Delta}3\big(2+\cos\frac{\pi j}{n+1}\big)$.

**Valid:** exactly for these trips. That two blocks do not pay does not exclude that cleverer trips do: the lines are
where manipulation by two blocks ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.models.decisions.price_impact import theory
from mfexplore.models.decisions.price_impact.dynamics import BINS, CELLS, Trips
from mfexplore.models.decisions.price_impact.theory import EXACT, NODES, ONE_TEMPERATURE, WEIGHTS, Market, Modes


def value(model: PriceImpact, observable: str) -> float:
    """By the exact method."""
    return core.Value(observable).of(model)


AT_ONCE, DECAYING, ENSEMBLE = ({"market": (name,)} for name in ("instantaneous", "transient", "ensemble"))
BLOCKS = {"market": ("instantaneous", "transient")}
MANIPULATION = core.View(("exponent", "memory"), "relative_cost", picture="gains")


@dataclass(frozen=True)
class PriceImpact(core.Model):
    duration: float = core.control(
        1.0, 0.01, 100.0, symbol="T", role="rate", scale="log", step=0.01, quenched=True,
        doc="how long a round trip takes",
    )  # fmt: skip
    impact: float = core.control(
        0.1, 0.001, 10.0, symbol=r"\eta", role="coupling", scale="log", step=0.001, quenched=True,
        doc="how far the price gives way to a unit rate",
    )  # fmt: skip
    volatility: float = core.control(
        0.3, 0.01, 3.0, symbol=r"\sigma", role="temperature", scale="log", step=0.01, doc="noise of the price"
    )
    volume: float = core.control(
        1.0, 0.1, 10.0, symbol="X", role="load", scale="log", step=0.01, quenched=True, only=BLOCKS,
        doc="what is bought and sold again",
    )  # fmt: skip
    split: float = core.control(
        0.5, 0.001, 0.999, symbol=r"\theta", role="load", step=0.001, quenched=True, only=BLOCKS,
        doc="part of the time in which it is bought; the rest is for selling",
    )  # fmt: skip
    exponent: float = core.control(
        1.0, 0.05, 20.0, symbol=r"\delta", role="coupling", scale="log", step=0.01, quenched=True, only=BLOCKS,
        title="exponent of impact", doc="power of the rate with which the price gives way",
    )  # fmt: skip
    memory: float = core.control(
        0.4, 0.0, 0.95, symbol=r"\gamma", role="coupling", step=0.005, quenched=True, only=DECAYING,
        title="decay of impact", doc="power of time with which the impact is forgotten; 0 is never",
    )  # fmt: skip
    liquidity_noise: float = core.control(
        0.0, 0.0, 1.5, symbol="s", role="disorder", step=0.01, quenched=True, only=BLOCKS,
        doc="deviation of the logarithm of the impact from trip to trip",
    )  # fmt: skip
    temperature: float = core.control(
        0.2, 0.001, 10.0, symbol=r"\tau", role="temperature", scale="log", step=0.001, quenched=True, only=ENSEMBLE,
        doc="temperature of the market: how far strategies are from the cheapest",
    )  # fmt: skip
    risk_aversion: float = core.control(
        5.0, 0.0, 50.0, symbol=r"\lambda", role="field", step=0.1, quenched=True, only=ENSEMBLE,
        doc="price of risk in eq. (6)",
    )  # fmt: skip
    points: int = core.control(
        10, 4, 60, symbol="n", role="order", quenched=True, only=ENSEMBLE, doc="points between start and end"
    )
    market: str = core.choice(
        "instantaneous",
        {"instantaneous": "impact at once", "transient": "impact that decays", "ensemble": "random strategies"},
        doc="two blocks against an impact at once or one that decays, or strategies at a temperature (linear, at once)",
    )
    size: int = core.control(
        20_000, 100, 1_000_000, symbol="M", role="size", scale="log", part="simulation", doc="trips simulated at once"
    )

    title = "Price impact"
    summary = "Round trips in a market as cycles of thermodynamics: work, a fluctuation theorem, and where they pay."
    tags = core.Tags("course", 20, ("decisions",), ("exact sums", "Monte Carlo"))
    relations = (
        core.Relation(
            "shares the method with", "maxent_channel",
            "A fluctuation theorem: how often a gain is seen, compared with an equal loss, is fixed by what is "
            "dissipated.",
            there={"voltage": 2.0},
        ),
    )  # fmt: skip
    sources = (
        core.Source("A Stochastic Thermodynamics Approach to Price Impact and Round-Trip Arbitrage (abstract)"),
        core.Source("J. Gatheral, Quant. Finance 10, 749 (2010)", doi="10.1080/14697680903373692"),
        core.Source("G. Huberman and W. Stanzl, Econometrica 72, 1247 (2004)", doi="10.1111/j.1468-0262.2004.00531.x"),
        core.Source("R. Almgren and N. Chriss, J. Risk 3, 5 (2001)"),
    )
    coordinates = (
        core.Coordinate("gain_size", "w", "size of a gain and of a loss"),
        core.Coordinate("trip_part", "t/T", "part of the trip that is over"),
    )
    observables = (
        core.Observable("profit_probability", r"P(\Pi>0)", "probability to gain", low=0, high=0.5),
        core.Observable("gain", r"\Pi", "gain; its mean is the work, lost", signed=True),
        core.Observable("variance", r"\mathrm{Var}\,\Pi", "variance of the gain", low=0),
        core.Observable(
            "effective_temperature", r"\vartheta", "variance over twice the mean loss, eq. (3)", signed=True
        ),
        core.Observable(
            "relative_cost", r"c(\theta)", "cost over that of the first block, eq. (5)", low=-1, high=1, signed=True,
            only=DECAYING,
        ),
        core.Observable(
            "lowest_cost", r"\inf c", "the same for the cheapest two blocks", low=-1, high=1, signed=True, only=DECAYING
        ),
        core.Observable("free_energy", "F", "free energy of strategies, eq. (6)", only=ENSEMBLE),
        core.Observable("energy", r"\langle C\rangle", "mean price of a strategy in work and risk", only=ENSEMBLE),
        core.Observable("entropy", "S", "entropy of strategies", only=ENSEMBLE),
        core.Observable(
            "log_ratio", r"\ln P(w)/P(-w)", "logarithm of the odds of gain and loss of one size", over="gain_size"
        ),
        core.Observable("mean_square_position", r"\langle x^2\rangle", "mean square of the position", over="trip_part"),
    )  # fmt: skip
    methods = (
        core.Method("exact", "the mixture over liquidities or strategies"),
        core.Method("one_temperature", "a Gaussian of the same mean and variance: the fluctuation theorem"),
    )
    phases = (
        core.Phase("pays", "This very trip gains on average: it sells into the price that it has made.", only=DECAYING),
        core.Phase("manipulable", "This trip loses on average, but two blocks split otherwise gain.", only=DECAYING),
        core.Phase("loss", "The work is more than a standard deviation of the noise: hardly anybody gains."),
        core.Phase("gamble", "The noise is larger than the work: on average one loses, but many gain."),
    )
    failures = (core.Failure("mixture", "Trips differ in more than noise: their gains are not Gaussian."),)
    landmarks = (
        core.Landmark("one_deviation", r"\mathcal{W}^2=\Sigma", "the work is one standard deviation", of="duration",
                      only=AT_ONCE),
        core.Landmark("two_blocks", r"\gamma_c", "below it some two blocks pay", False, of="memory", only=DECAYING,
                      finest=33),
        core.Landmark("this_trip", "c=0", "below it two blocks that are split so pay", of="memory", only=DECAYING),
    )  # fmt: skip
    planes = (
        core.Plane("duration", "impact", "profit_probability", along="x", only=AT_ONCE),
        core.Plane("exponent", "memory", "relative_cost", None, (0.1, 10.0), finest=65, only=DECAYING),
        core.Plane("volatility", "duration", "profit_probability", finest=129, only=BLOCKS),
        core.Plane("temperature", "risk_aversion", "profit_probability", finest=33, along="x", only=ENSEMBLE),
    )

    presets = (
        core.Preset(
            "quick", {"duration": 0.3},
            "What is left after a quick trip is the work: the noise is fourteen times smaller, and nobody gains.",
            (core.Promise(lambda m: -value(m, "gain") / math.sqrt(value(m, "variance")), 14.06, 0.02),),
            core.View(picture="gains", function="log_ratio"),
        ),
        core.Preset(
            "slow", {"duration": 10.0},
            "A slow trip costs 0.04 on average, and 47 of a hundred gain: a lottery with a price.",
            (core.Promise(lambda m: -value(m, "gain"), 0.04, 1e-12),
             core.Promise(core.Value("profit_probability"), 0.47, 0.002),
             core.Promise(core.Mean("profit_probability", 1, 1), 0.47, 0.02)),
            core.View(picture="gains", function="log_ratio"),
        ),
        core.Preset(
            "fluctuation theorem", {"duration": 4.0, "size": 200_000},
            "At the end the odds of gain and loss of one size lie on a line, whose slope is one over the temperature.",
            (core.Promise(core.Value("effective_temperature"), 0.6, 1e-9),),
            core.View(picture="gains", function="log_ratio"),
        ),
        core.Preset(
            "varying liquidity", {"duration": 2.0, "liquidity_noise": 1.0, "size": 200_000},
            "Trips meet different markets: the points leave the straight line, for large losses come on illiquid days.",
            view=core.View(picture="gains", function="log_ratio"),
        ),
        core.Preset(
            "concave impact, short memory",
            {"market": "transient", "exponent": 0.5, "memory": 0.2, "split": 0.98, "size": 100_000},
            "Buy slowly, sell at once: the last moments bring back more than all before has cost, on average.",
            (core.Promise(core.Value("relative_cost"), -0.459, 0.0005),), MANIPULATION,
        ),
        core.Preset(
            "convex impact", {"market": "transient", "exponent": 3.0, "memory": 0.1, "split": 0.2, "size": 100_000},
            "Here it is the other way round: buy quickly, which drives the price up, and sell it slowly.",
            (core.Promise(core.Value("relative_cost"), -0.534, 0.0005),), MANIPULATION,
        ),
        core.Preset(
            "hot market", {"market": "ensemble", "impact": 0.01, "temperature": 0.02, "risk_aversion": 5.0},
            "Strategies at a temperature: 14 of a hundred gain, and no straight line describes their odds.",
            (core.Promise(core.Value("profit_probability"), 0.142, 0.002),
             core.Promise(core.Mean("profit_probability", 1, 1), 0.142, 0.01)),
            core.View(picture="positions", function="log_ratio"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "chance to gain of two equal blocks", 0.010460667668897007, 1e-14, "eq. (3) in closed form",
            core.Value("profit_probability"), {"duration": 1.0, "impact": 0.1, "volatility": 0.3},
        ),
        core.Reference(
            "free energy of ten points", 0.8715730656513048, 1e-12, "Gaussian integral", core.Value("free_energy"),
            {"market": "ensemble", "risk_aversion": 0.5 / 0.09},
        ),
        core.Reference(
            r"cheapest two blocks, $\delta=1$, $\gamma=0.1$", 0.26545161, 1e-8, "eq. (5) minimised",
            core.Value("lowest_cost"), {"market": "transient", "exponent": 1.0, "memory": 0.1},
        ),
        core.Reference(
            r"two blocks pay at $\delta=1.5$ below", 0.16300, 5e-6, "eq. (5) minimised",
            core.Crossing("two_blocks", "memory"), {"market": "transient", "exponent": 1.5},
        ),
        core.Reference(
            r"two blocks pay at $\delta=\frac12$ below", 0.5, 1e-12, r"Gatheral 2010, $\delta+\gamma\ge1$",
            core.Crossing("two_blocks", "memory"), {"market": "transient", "exponent": 0.5}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Impact grows as the square of the rate and decays as a power of time. Which power is just enough to make "
            "all two-block trips lose?",
            {"market": "transient", "exponent": 2.0, "memory": 0.0, "split": 0.1}, "memory",
            core.Crossing("two_blocks", "memory"), 0.03,
            "0.22. For a linear impact any decay will do; for a concave one exponent and power must make up one.",
            view=MANIPULATION,
        ),
        core.Task(
            "Impact at once, two equal blocks. How slow must the trip be for the work to be just one standard "
            "deviation of the noise?",
            {"duration": 0.5}, "duration", core.Crossing("one_deviation", "duration"), 0.2,
            "The work falls as 1/T, the noise grows as the root of T: they meet at (4 x 0.1 x 1.73/0.3)^(2/3).",
        ),
    )  # fmt: skip
    simulation = Trips

    def work_and_noise(self, part: Array, points: Points) -> tuple[Array, Array]:
        """Work and variance of two blocks after a part of the trip; all of shape (n,) or (1,)."""
        memory = points["memory"] if self.market == "transient" else None
        split, volume, duration = points["split"], points["volume"], points["duration"]
        market = Market(points["impact"], points["exponent"], memory, volume, duration)
        noise = theory.noise_until(points["volatility"], volume, duration, split, part)
        return theory.work_until(market, split, part), noise

    def modes(self, points: Points | None = None) -> Modes:
        """Normal modes of strategies, of one number of points."""
        at = points or columns(self, {})
        return theory.modes(at["impact"], at["risk_aversion"], at["volatility"], at["duration"], int(at["points"][0]))

    def solve(self, points: Points) -> core.Solution:
        values = theory.strategies(self, points) if self.market == "ensemble" else theory.blocks(self, points)
        loss, variance = -values["gain"], values["variance"]
        values["effective_temperature"] = variance / (2 * loss)
        gaussian = theory.profit_probability(loss, variance, np.zeros_like(loss))
        both = {name: np.repeat(column[:, None], 2, axis=1) for name, column in values.items()}
        both["profit_probability"] = np.stack([values["profit_probability"], gaussian], axis=1)
        mixed = (points["liquidity_noise"] > 0) | (self.market == "ensemble")
        fails = {"mixture": mixed[:, None] & (np.arange(2) == ONE_TEMPERATURE)}
        return core.Solution(both, np.zeros((loss.size, 2)), fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        loss, variance = -state["gain"], state["variance"]
        gaps = {"(3), temperature": 2 * loss * state["effective_temperature"] / variance - 1}
        if state["method"] == "one_temperature":
            likely = 0.5 * math.erfc(loss / math.sqrt(2 * variance))
            return gaps | {"(3)": state["profit_probability"] - likely}
        if self.market == "ensemble":
            n, step = self.points, self.duration / (self.points + 1)
            neighbours = 2 * np.eye(n) - np.eye(n, k=1) - np.eye(n, k=-1)
            price, risk = self.impact / step * neighbours, self.risk_aversion * self.volatility**2 * step * np.eye(n)
            correlation = self.temperature / 2 * np.linalg.inv(price + risk)
            held = self.volatility**2 * step * (np.eye(n) - neighbours / 6)
            spread = np.trace(held @ correlation) + 2 * np.trace(price @ correlation @ price @ correlation)
            return gaps | {
                "work": 1 - np.trace(price @ correlation) / loss, "variance": 1 - spread / variance,
                "(6)": state["free_energy"] - state["energy"] + self.temperature * state["entropy"],
                "(6), determinant": state["entropy"] - 0.5 * n * math.log(2 * math.pi * math.e)
                - 0.5 * np.linalg.slogdet(correlation)[1],
            }  # fmt: skip
        work = theory.work(self)
        noise = (self.volatility * self.volume) ** 2 * self.duration / 3
        factor = np.exp(self.liquidity_noise * NODES - self.liquidity_noise**2 / 2)
        chance = float(WEIGHTS @ [0.5 * math.erfc(work * one / math.sqrt(2 * noise)) for one in factor])
        scale = self.impact * (self.volume / self.duration) ** self.exponent * self.volume
        name = "(2)" if self.market == "instantaneous" else "(4)"
        gaps |= {
            name: (loss - work) / max(scale, abs(work)), "(3)": state["profit_probability"] - chance,
            "variance": (noise + work**2 * math.expm1(self.liquidity_noise**2)) / variance - 1,
        }  # fmt: skip
        if self.market == "transient":
            power = 2 - self.memory
            buy = self.volume / (self.split * self.duration)
            first = self.impact * buy ** (1 + self.exponent) * (self.split * self.duration) ** power
            cost = work * power * (1 - self.memory) / first
            gaps["(5)"] = (state["relative_cost"] - cost) / max(1, abs(work / first))
        return gaps

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        values = {name: column[:, EXACT] for name, column in states.solution.values.items()}
        loss = values["gain"] ** 2 > values["variance"]
        if self.market != "transient":
            return {"loss": loss, "gamble": ~loss}
        pays, some = values["relative_cost"] < 0, values["lowest_cost"] < 0
        return {"pays": pays, "manipulable": some, "loss": loss, "gamble": ~loss}

    def boundary(self, name: str, points: Points) -> Array:
        delta, theta = points["exponent"], points["split"]
        if name == "one_deviation":
            blocks = theta**-delta + (1 - theta) ** -delta
            ratio = points["impact"] * points["volume"] ** delta * blocks * math.sqrt(3) / points["volatility"]
            return np.asarray(ratio ** (1 / (delta + 0.5)))
        size, high = delta.size, self.control("memory").bounds[1]
        if name == "this_trip":
            return theory.root_in_memory(lambda memory: theory.relative_cost(theta, delta, memory), size, 0.0, high)
        steep = np.maximum(delta, 1)
        convex = theory.root_in_memory(lambda memory: theory.lowest_cost(steep, memory), size, 0.0, high)
        return np.where(delta < 1, 1 - delta, np.where(delta == 1, 0.0, convex))

    def gains_compared(self) -> Array:
        """Edges of the sizes that gains and losses are compared at, up to 2.5 standard deviations."""
        values = self.solve(columns(self, {})).values
        return np.linspace(0, 2.5 * math.sqrt(float(values["variance"][0, EXACT])), BINS + 1)

    def density(self, gain: Array, part: float = 1.0) -> Array:
        """Density of the gain after a part of the trip (for random strategies: at its end)."""
        points = columns(self, {})
        if self.market == "ensemble":
            return theory.density_among_strategies(self.modes(points), self.temperature, gain)
        work, noise = (float(one[0]) for one in self.work_and_noise(np.array([part]), points))
        return theory.density_over_liquidity(work, noise, self.liquidity_noise, gain)

    def profiles(self) -> dict[str, core.Profile]:
        edges = self.gains_compared()
        sizes = (edges[1:] + edges[:-1]) / 2
        won, lost = np.split(self.density(np.concatenate([sizes, -sizes])), 2)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = np.where((won > 1e-300) & (lost > 1e-300), np.log(won / lost), np.nan)
        straight = -sizes / float(self.solve(columns(self, {})).values["effective_temperature"][0, EXACT])
        if self.market == "ensemble":
            part = np.arange(self.points + 2) / (self.points + 1)
            shapes = np.sin(np.pi * np.outer(part, np.arange(1, self.points + 1)))
            square = shapes**2 @ (self.temperature / self.modes().price[0]) / (self.points + 1)
        else:
            part = np.linspace(0, 1, CELLS + 1)
            square = (self.volume * np.minimum(part / self.split, (1 - part) / (1 - self.split))) ** 2
        return {
            "log_ratio": core.Profile(sizes, np.stack([ratio, straight])),
            "mean_square_position": core.Profile(part, np.stack([square, square])),
        }

    def laws(self, time: float) -> tuple[core.Law, ...]:
        at, part = columns(self, {}), min(max(time, 1 / CELLS), 1.0)
        if self.market == "ensemble":
            part, values = 1.0, self.solve(at).values
            centre, deviation = float(values["gain"][0, EXACT]), math.sqrt(float(values["variance"][0, EXACT]))
            gain = np.linspace(centre - 8 * deviation, centre + 8 * deviation, 401)
        else:
            work, noise = (float(one[0]) for one in self.work_and_noise(np.array([part]), at))
            factor = np.exp(self.liquidity_noise * np.array([-4.0, 4.0]) - self.liquidity_noise**2 / 2)
            ends = -work * factor
            reach = 5 * math.sqrt(noise)
            gain = np.linspace(ends.min() - reach, ends.max() + reach, 401)
        return (core.Law("gain", gain, self.density(gain, part), "over noise, and what else differs"),)

    def law(self) -> core.Law:
        return self.laws(1.0)[0]

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.market == "ensemble":
            raise core.NotOfferedError(self.title, "the gain of random strategies before the trip is over")
        part, at = np.minimum(times, 1.0), columns(self, {})
        work, noise = self.work_and_noise(part, at)
        variance = noise + work**2 * math.expm1(self.liquidity_noise**2)
        likely = theory.profit_probability(work, np.maximum(noise, 1e-300), at["liquidity_noise"])
        likely = np.where(part > 0, likely, 0.0)
        return {
            "gain": -work, "gain_deviation": np.sqrt(variance / self.size), "variance": variance,
            "profit_probability": likely, "profit_probability_deviation": np.sqrt(likely * (1 - likely) / self.size),
        }  # fmt: skip

    # -- simulation -----------------------------------------------------------------------------------------------

    def realised(self) -> PriceImpact:
        """A split after a whole number of intervals."""
        if self.market == "ensemble":
            return self
        return self.with_simulated(split=min(max(round(self.split * CELLS), 1), CELLS - 1) / CELLS)

    def extent(self) -> str:
        return f"of {self.size:,} trips"

    def caveat(self) -> str:
        return "the theorem of one temperature where liquidity or strategies vary, or a trip that is not over"

    def footprint(self) -> int:
        return self.size * (64 + (24 * (self.points + 2) if self.market == "ensemble" else 0))
