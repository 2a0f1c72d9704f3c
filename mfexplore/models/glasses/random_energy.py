r"""Random energy model: the simplest glass.

Each of the $2^N$ configurations of $N$ Ising spins has an energy of its own, drawn independently:

$$H(\mathbf s)=E_{\mathbf s}-hNm(\mathbf s)-J_0N\,\delta_{\mathbf s,\uparrow\dots\uparrow},\qquad
E_{\mathbf s}\sim\mathcal N(0,N/2) \tag{1}$$

with $m=N^{-1}\sum_is_i$. It is the limit $p\to\infty$ of the $p$-spin glass; the bias $J_0$ hides one good
configuration (all spins up) among the random ones, as a message is hidden in a noisy code. There are
$e^{N[S(m)-\epsilon^2]}$ levels with random part $\epsilon N$ and magnetization $m$, where $S(m)$ is the entropy of free
spins, so typically none at all where that exponent is negative. While it is positive at the saddle point, the annealed
average is right:

$$f=-T\ln2\cosh\frac hT-\frac1{4T},\qquad m=\tanh\frac hT,\qquad s=\ln2\cosh\frac hT-\frac hTm-\frac1{4T^2} \tag{2}$$

The entropy vanishes at the freezing temperature $T_c(h)$, written with $x=h/T_c$ as

$$T_c=\frac1{2\sqrt{S(\tanh x)}},\qquad h=xT_c,\qquad T_c(0)=\frac1{2\sqrt{\ln2}}=0.6006 \tag{3}$$

Below it the system sits in the few lowest levels: $f$, $m$ and the energy stay at their values at $T_c$. Those levels
form a Poisson process of density $e^{(E-E_0)/T_c}$, so the Boltzmann weights $w_{\mathbf s}$ follow the
Poisson-Dirichlet law of parameter (breakpoint) $x=T/T_c$. The participation

$$Y=\sum_{\mathbf s}w_{\mathbf s}^2,\qquad \overline Y=1-\frac T{T_c},\qquad
\overline{Y^2}=\tfrac13(\overline Y+2\,\overline Y^2) \tag{4}$$

does not become sharp as $N\to\infty$: *every sample is different*. Its density is that of
$Y_0$ in $Y_k=V_k^2+(1-V_k)^2Y_{k+1}$ with $V_k\sim\mathrm{Beta}(1-x,(k+1)x)$. The hidden configuration has

$$f=-J_0-h \tag{5}$$

and wins by a first-order transition that no local dynamics can find quickly.

At finite $N$ the average over samples is known exactly: with an exponential variable $\xi$ the cumulative distribution
of $\ln Z-\ln\xi$ at $-u$ is

$$G(u)=\prod_{\mathbf s}\overline{\exp(-e^{u-H(\mathbf s)/T})} \tag{6}$$

a product of one-dimensional integrals, and $\overline{\ln Z}$, $\overline Y$, $\overline m$ are integrals over it.

Two simulations: *redraw* draws all $2^N$ levels anew at every step and sums over them exactly; *metropolis* keeps one
sample and flips single spins (rejection-free, one unit of time is one attempt per spin), which falls into ever deeper
traps and ages.

**Valid:** as $N\to\infty$. Corrections are of order $\ln N/N$ below $T_c$. The entropy of the annealed solution (2),
continued below $T_c$, is negative: it describes rare samples that have impossibly many deep levels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import beta, betainc, gammaln, ndtr

from mfexplore.core import (
    Array,
    Branch,
    Density,
    Failure,
    Landmark,
    Landscape,
    Law,
    Model,
    NotOfferedError,
    Observable,
    Phase,
    Plane,
    Points,
    Preset,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Task,
    choice,
    control,
)
from mfexplore.numerics.elementary import exp
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.later import brentq

PARAMAGNET, GLASS, FERROMAGNET = 0, 1, 2
GROUND_STATE_ENERGY = -math.sqrt(math.log(2))
COLDEST = 0.004  # below it the exact averages are those of the ground state
STEP = 0.25  # of the trapezoid rule for entire functions that live on a strip of width pi: exact to rounding


@inline_kernel
def free_spin_entropy(x):
    """S(tanh x) of a spin in the field x: ln 2cosh x - x tanh x, accurate for large |x| too."""
    y = abs(x)
    decay = math.exp(-2.0 * y)
    return math.log1p(decay) + 2.0 * y * decay / (1.0 + decay)


@kernel
def critical_temperatures(field, out):
    """T_c(h) of eq. (3): x/(2 sqrt S(tanh x)) = h grows with x; Newton from the left on a convex function of x,
    kept inside a bracket. Writes into `out`, shape of `field`.
    """
    for i in range(field.size):
        h = abs(field[i])
        low, high = 0.0, 1.0
        while high < 2.0 * h * math.sqrt(free_spin_entropy(high)):
            high *= 2.0
        x = 2.0 * h * math.sqrt(math.log(2.0)) if h < 0.2 else 0.5 * high
        for _ in range(100):
            s = free_spin_entropy(x)
            root = math.sqrt(s)
            value = x - 2.0 * h * root
            if value > 0.0:
                high = x
            else:
                low = x
            decay = math.exp(-2.0 * x)
            slope = 1.0 + h * x * 4.0 * decay / ((1.0 + decay) * (1.0 + decay)) / root
            new = x - value / slope
            if not low <= new <= high:
                new = 0.5 * (low + high)
            if abs(new - x) <= 1e-15 * (1.0 + x):
                x = new
                break
            x = new
        out[i] = 0.5 / math.sqrt(free_spin_entropy(x))


@kernel
def level_averages(y, width, nodes, tables, out):
    """Averages of three tabulated functions of v over Gaussian levels v ~ N(y, width^2), by the trapezoid rule.

    nodes: equally spaced, shape (k,); tables: shape (3, k), times the step; out: shape (3, n) for y of shape (n,).
    """
    scale = -0.5 / (width * width)
    norm = 1.0 / (width * math.sqrt(2.0 * math.pi))
    for i in range(y.size):
        a = b = c = 0.0
        centre = y[i]
        for k in range(nodes.size):
            d = nodes[k] - centre
            weight = exp(scale * d * d)
            a += weight * tables[0, k]
            b += weight * tables[1, k]
            c += weight * tables[2, k]
        out[0, i], out[1, i], out[2, i] = a * norm, b * norm, c * norm


@kernel
def boltzmann(levels, ups, temperature, field, bias):
    """Sum over all levels of a sample. levels: random parts; ups: number of up spins of every configuration;
    bias: J_0 N. Returns (free energy, energy, magnetization, participation) of the sample, not divided by N.
    """
    count = levels.size
    n = ups[count - 1]
    lowest = math.inf
    ground = 0
    for i in range(count):
        e = levels[i] - field * (2 * ups[i] - n)
        if i == count - 1:
            e -= bias
        if e < lowest:
            lowest, ground = e, i
    if temperature == 0.0:
        return lowest, lowest, (2.0 * ups[ground] - n), 1.0
    z = z2 = ze = zm = 0.0
    for i in range(count):
        m = 2 * ups[i] - n
        e = levels[i] - field * m
        if i == count - 1:
            e -= bias
        w = math.exp((lowest - e) / temperature)
        z += w
        z2 += w * w
        ze += w * e
        zm += w * m
    return lowest - temperature * math.log(z), ze / z, zm / z, z2 / (z * z)


@kernel
def metropolis(levels, ups, spent, state, squares, duration, temperature, field, bias, rng):
    """Single-spin-flip Metropolis dynamics for `duration` sweeps without rejections: the walker waits an exponential
    time of the total escape rate, then takes one flip in proportion to its rate.

    spent: time spent in every configuration, updated; squares: the sum of its squares. Returns (state, squares, jumps).
    """
    n = ups[levels.size - 1]
    last = levels.size - 1
    rates = np.empty(n)
    now = 0.0
    jumps = 0
    while True:
        here = levels[state] - field * (2 * ups[state] - n) - (bias if state == last else 0.0)
        total = 0.0
        for k in range(n):
            other = state ^ (1 << k)
            rise = levels[other] - field * (2 * ups[other] - n) - (bias if other == last else 0.0) - here
            if rise <= 0.0:
                rates[k] = 1.0
            else:
                rates[k] = math.exp(-rise / temperature) if temperature > 0.0 else 0.0
            total += rates[k]
        wait = -math.log(1.0 - rng.random()) / total if total > 0.0 else math.inf
        stay = min(wait, duration - now)
        squares += stay * (2.0 * spent[state] + stay)
        spent[state] += stay
        now += wait
        if now >= duration:
            return state, squares, jumps
        target = rng.random() * total
        k = 0
        while k < n - 1 and target >= rates[k]:
            target -= rates[k]
            k += 1
        state ^= 1 << k
        jumps += 1


@kernel
def histograms(levels, ups, spent, temperature, field, bias, free_energy, low, width, number, weight, time):
    """Number of levels, Boltzmann weight and time spent, by energy in bins of `width` from `low`."""
    count = levels.size
    n = ups[count - 1]
    for i in range(count):
        e = levels[i] - field * (2 * ups[i] - n) - (bias if i == count - 1 else 0.0)
        k = min(max(int((e - low) / width), 0), number.size - 1)
        number[k] += 1.0
        if temperature > 0.0:
            weight[k] += math.exp((free_energy - e) / temperature)
        elif e <= free_energy:
            weight[k] = 1.0
        if spent.size:
            time[k] += spent[i]


def participation_law(breakpoint: float, points: int = 401) -> tuple[Array, Array]:
    """Grid on [0, 1] and cumulative distribution of Y, eq. (4), for Poisson-Dirichlet weights: the recursion of the
    docstring from the far end, where Y is small and taken at its mean, back to k = 0.

    V^2 + (1 - V)^2 Y <= y holds for all Y where V lies between the roots of V^2 + (1 - V)^2 = y, for some Y below and
    above them (up to sqrt y); there the Beta density is taken out of the integral by its own powers.
    """
    x = breakpoint
    y = np.linspace(0, 1, points)
    depth = math.ceil(min(60, 20 + 4 / (1 - x)))
    mean = (1 - x) / (1 + depth * x)
    cumulative = (y >= mean).astype(float)
    nodes, weights = np.polynomial.legendre.leggauss(24)
    nodes, weights = (1 + nodes) / 2, weights / 2
    edge = np.sqrt(y)
    gap = np.sqrt(np.maximum(2 * y - 1, 0))
    lower, upper = np.where(y > 0.5, (1 - gap) / 2, edge), np.where(y > 0.5, (1 + gap) / 2, edge)
    for k in reversed(range(depth)):
        b = (k + 1) * x
        norm = beta(1 - x, b)
        v = lower[:, None] * nodes ** (1 / (1 - x))
        below = _at(v, y, cumulative) * (1 - v) ** (b - 1) @ weights * lower ** (1 - x) / (1 - x)
        first, last = (1 - edge) ** b, (1 - upper) ** b
        v = 1 - (first[:, None] + (last - first)[:, None] * nodes) ** (1 / b)
        above = _at(v, y, cumulative) * np.maximum(v, 1e-300) ** -x @ weights * (last - first) / b
        between = np.where(y > 0.5, betainc(1 - x, b, upper) - betainc(1 - x, b, lower), 0.0)
        cumulative = np.clip((below + above) / norm + between, 0, 1)
        cumulative[-1] = 1
    return y, np.maximum.accumulate(cumulative)


def _at(v: Array, y: Array, cumulative: Array) -> Array:
    """The distribution function at the largest Y with v^2 + (1 - v)^2 Y <= y; v of shape (points, nodes)."""
    inner = (y[:, None] - v**2) / np.maximum((1 - v) ** 2, 1e-300)
    return np.where(inner < 0, 0, np.interp(np.clip(inner, 0, 1), y, cumulative))


class RandomEnergySimulation(Simulation):
    """All 2^N levels of a sample: redrawn at every step, or explored by a walker."""

    time_unit = "samples"

    def prepare(self) -> None:
        n = self.model.size
        ups = np.zeros(1, np.uint8)
        for _ in range(n):
            ups = np.concatenate([ups, ups + np.uint8(1)])
        self.ups = ups.astype(np.int8)
        walks = self.model.dynamics == "metropolis"
        if walks:
            self.time_unit = "sweeps"  # type: ignore[misc]  # of this run, not of all
        self.spent = np.zeros(len(ups) if walks else 0)
        self.squares = self.elapsed = 0.0
        self.draw()
        self.state = int(self.rng.integers(len(ups)))

    def draw(self) -> None:
        """A new sample of levels."""
        scale = np.float32(math.sqrt(self.model.size / 2))
        self.levels = self.rng.standard_normal(2**self.model.size, np.float32) * scale
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.sums = boltzmann(self.levels, self.ups, m.temperature, m.field, m.ferromagnetic_bias * m.size)

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.dynamics == "redraw":
            self.draw()
            return
        self.elapsed += duration
        self.state, self.squares, _ = metropolis(
            self.levels, self.ups, self.spent, self.state, self.squares, duration, m.temperature, m.field,
            m.ferromagnetic_bias * m.size, self.rng,
        )  # fmt: skip

    def observe(self) -> dict[str, float]:
        m = self.model
        if m.dynamics == "redraw":
            free_energy, energy, magnetization, participation = self.sums
            entropy = (energy - free_energy) / m.temperature if m.temperature > 0 else 0.0
            return {
                "participation": participation,
                "free_energy": free_energy / m.size,
                "energy": energy / m.size,
                "entropy": entropy / m.size,
                "magnetization": magnetization / m.size,
            }
        magnetization = 2 * int(self.ups[self.state]) - m.size
        energy = float(self.levels[self.state]) - m.field * magnetization
        if magnetization == m.size:
            energy -= m.ferromagnetic_bias * m.size
        return {
            "participation": self.squares / self.elapsed**2 if self.elapsed else 1.0,
            "energy": energy / m.size,
            "magnetization": magnetization / m.size,
        }

    def measure(self, cancelled: Callable[[], bool] = lambda: False) -> dict[str, float]:
        if self.model.dynamics == "redraw":  # a sample is already summed over exactly
            return self.observe()
        return super().measure(cancelled)

    def picture(self) -> Density:
        m = self.model
        energies = np.linspace(-1.05 - m.field - m.ferromagnetic_bias, 1.05 + m.field, 106)
        number, weight, time = np.zeros((3, 105))
        histograms(
            self.levels, self.ups, self.spent, m.temperature, m.field, m.ferromagnetic_bias * m.size, self.sums[0],
            energies[0] * m.size, (energies[1] - energies[0]) * m.size, number, weight, time,
        )  # fmt: skip
        centres = (energies[1:] + energies[:-1]) / 2
        with np.errstate(divide="ignore"):
            found = np.log(np.maximum(number, 0.1)) / m.size
        width = (energies[1] - energies[0]) * math.sqrt(m.size)
        expected = m.level_entropy(centres) + math.log(width / math.sqrt(math.pi)) / m.size
        curves = [
            ("levels in the bin, logarithm / N", np.where(number > 0, found, 0.0)),
            ("expected", np.maximum(expected, 0.0)),
            ("Boltzmann weight", weight / max(weight.sum(), 1e-300)),
        ]
        if m.dynamics == "metropolis" and self.time > 0:
            curves.append(("time spent by the walker", time / max(time.sum(), 1e-300)))
        return Density(centres, tuple(curves), "energy per spin", "entropy per spin, weight", "where the weight sits")


@dataclass(frozen=True)
class RandomEnergy(Model):
    temperature: float = control(
        0.4, 0.0, 2.0, symbol="T", role="temperature", step=0.005, doc="temperature (energies have variance N/2)"
    )
    field: float = control(0.0, 0.0, 2.0, symbol="h", role="field", step=0.01, doc="uniform field on the spins")
    ferromagnetic_bias: float = control(
        0.0,
        0.0,
        1.5,
        symbol="J_0",
        role="load",
        step=0.01,
        doc="energy by which 'all up' is favoured",
    )
    size: int = control(
        16, 2, 24, symbol="N", unit="spins", role="size", scale="log", part="simulation",
        doc="spins simulated: all 2^N levels are kept",
    )  # fmt: skip
    dynamics: str = choice(
        "redraw", ("redraw", "metropolis"), part="simulation", doc="new levels at every step, or a walker on one sample"
    )

    title = "Random energy model"
    summary = "Independent random levels: freezing into a handful of states, different in every sample."
    sources = (
        Source("B. Derrida, Phys. Rev. B 24, 2613 (1981)", doi="10.1103/PhysRevB.24.2613"),
        Source("B. Derrida, H. Flyvbjerg, J. Phys. A 20, 5273 (1987)", doi="10.1088/0305-4470/20/15/039"),
        Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        Observable("participation", "Y", "mean sum of squared Boltzmann weights, eq. (4)", low=0, high=1),
        Observable("free_energy", "f", "free energy per spin"),
        Observable("energy", "e", "energy per spin"),
        Observable("entropy", "s", "entropy per spin"),
        Observable("magnetization", "m", "mean spin", low=0, high=1),
        Observable("specific_heat", "c", "slope of the energy with temperature", low=0, high=2),
        Observable("breakpoint", "x", "parameter T/T_c of the Poisson-Dirichlet weights", low=0, high=1),
    )
    branches = (
        Branch("paramagnet", "exponentially many levels share the weight"),
        Branch("glass", "a handful of levels at the edge of the spectrum carry all weight"),
        Branch("ferromagnet", "the hidden configuration alone"),
    )
    phases = (
        Phase("paramagnet", "Exponentially many levels share the weight; no single one matters."),
        Phase("glass", "The entropy has run out: a handful of levels, different in every sample, carry all weight."),
        Phase("ferromagnet", "The hidden configuration is lower than everything random."),
    )
    failures = (
        Failure(
            "negative_entropy",
            "The annealed solution has fewer than one level left here; the true system is frozen.",
        ),
    )
    landmarks = (
        Landmark("critical_temperature", "T_c", "the entropy vanishes and the system freezes"),
        Landmark("hidden_state", "J_0^*", "the hidden configuration becomes the lowest (first order)"),
    )
    planes = (
        Plane("field", "temperature", "participation", y_range=(0.0, 2.0)),
        Plane("ferromagnetic_bias", "temperature", "magnetization", y_range=(0.0, 1.5)),
    )
    presets = (
        Preset(
            "frozen", {"temperature": 0.3},
            "One or two levels carry half of the weight, and Y jumps from sample to sample: it does not self-average.",
        ),
        Preset(
            "at the transition", {"temperature": 0.6006},
            "The Boltzmann weight has just reached the edge of the spectrum, where levels are few.",
            (Promise("critical_temperature", 0.6006, 0.0001, along="temperature"),),
        ),
        Preset("paramagnet", {"temperature": 1.0}, "The weight sits at e = -1/(2T), inside the spectrum.",
            (Promise("energy", -0.5, 1e-9),),
        ),
        Preset(
            "ageing", {"temperature": 0.35, "dynamics": "metropolis", "size": 18},
            "The walker finds ever deeper traps and stays in each as long as it has searched so far: it never settles.",
        ),
        Preset(
            "hidden message", {"temperature": 0.4, "ferromagnetic_bias": 0.95, "dynamics": "metropolis"},
            "All up is the true ground state (f = -0.95 against -0.83), yet the walker does not find it.",
            (Promise("free_energy", -0.95, 1e-9, branch="ferromagnet"),
             Promise("free_energy", -0.83, 0.005, branch="glass"),
             Promise("magnetization", 0.0, 0.9, during=(50, 100))),
        ),
    )  # fmt: skip
    references = (
        Reference(
            "freezing temperature", 0.6005612043932249, 1e-12, "Derrida 1980: T_c = 1/(2 sqrt(ln 2))",
            lambda: float(RandomEnergy().landmark("critical_temperature", "temperature")[0]),
        ),
        Reference(
            "ground-state energy", -0.8325546111576977, 1e-12, "Derrida 1980: e_0 = -sqrt(ln 2)",
            lambda: float(RandomEnergy(temperature=0).equilibrium()["energy"]),
        ),
        Reference(
            "participation at T_c/2", 0.5, 1e-12, "Gross and Mezard 1984: 1 - T/T_c",
            lambda: float(RandomEnergy(temperature=0.25 / math.sqrt(math.log(2))).equilibrium()["participation"]),
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "Two copies of the same sample are cooled to half the freezing temperature. How likely are both in "
            "the same configuration, on average over samples?",
            {"temperature": 0.30028}, "participation",
            lambda model: float(model.equilibrium()["participation"]), 0.05,
            "That probability is Y, whose mean is 1 - T/T_c = 1/2, although there are 2^N configurations.",
        ),
        Task(
            "How strongly must one configuration be favoured before it is the ground state?",
            {"temperature": 0.0}, "ferromagnetic_bias",
            lambda model: float(model.landmark("hidden_state", "ferromagnetic_bias")[0]), 0.03,
            "By sqrt(ln 2) = 0.83 per spin, the depth of the deepest of 2^N random levels: the limit at which a code "
            "can be decoded at all.",
        ),
    )  # fmt: skip
    simulation = RandomEnergySimulation

    def solve(self, points: Points) -> Solution:
        t, h, bias = points["temperature"], points["field"], points["ferromagnetic_bias"]
        freezing = np.empty_like(t)
        critical_temperatures(h, freezing)
        shape = (t.size, 3)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.stack([t, freezing, np.ones_like(t)], axis=1)  # eq. (2) is used at T and at T_c
            x = h[:, None] / at
            decay = np.exp(-2 * x)
            s = np.log1p(decay) + 2 * x * decay / (1 + decay) - 1 / (4 * at**2)
            m = np.tanh(x)
            energy = -1 / (2 * at) - h[:, None] * m
            heat = 1 / (2 * at**2) + (x / np.cosh(np.minimum(x, 300))) ** 2
            share = t / freezing
        energy[:, FERROMAGNET], m[:, FERROMAGNET] = -bias - h, 1.0
        s[:, GLASS] = s[:, FERROMAGNET] = heat[:, GLASS] = heat[:, FERROMAGNET] = 0.0
        residual = np.zeros(shape)
        residual[t == 0, PARAMAGNET] = np.nan
        residual[t > freezing, GLASS] = np.nan
        residual[bias == 0, FERROMAGNET] = np.nan
        zeros, ones = np.zeros_like(t), np.ones_like(t)
        values = {
            "participation": np.stack([zeros, 1 - share, ones], axis=1),
            "free_energy": energy - np.where(s != 0, t[:, None] * s, 0.0),
            "energy": energy,
            "entropy": s,
            "magnetization": m,
            "specific_heat": heat,
            "breakpoint": np.stack([ones, share, zeros], axis=1),
        }
        stable = np.ones(shape, bool)
        stable[:, PARAMAGNET] = t >= freezing
        validity = np.where(~stable, 1, 0)
        return Solution(values, residual, stable=stable, validity=validity)

    def _freezing(self) -> float:
        out = np.empty(1)
        critical_temperatures(np.array([self.field]), out)
        return float(out[0])

    def _random_free_energy(self) -> float:
        """Free energy of paramagnet or glass, without the hidden configuration."""
        return float(self.replace(ferromagnetic_bias=0).equilibrium()["free_energy"])

    def landmark(self, name: str, along: str) -> Array:
        if name == "critical_temperature" and along == "temperature":
            freezing = self._freezing()
            frozen = self.replace(temperature=min(freezing, self.control("temperature").bounds[1]))
            hidden = self.ferromagnetic_bias + self.field > -frozen._random_free_energy()
            return self.control(along).within([] if hidden else [freezing])
        if name == "hidden_state" and along == "ferromagnetic_bias":
            return self.control(along).within([-self._random_free_energy() - self.field])
        if name == "hidden_state" and along == "temperature":
            return self._hidden_state_temperature()
        raise NotOfferedError(self.title, f"{name} along {along}")

    def _hidden_state_temperature(self) -> Array:
        """Where the random part, whose free energy falls with temperature from T_c on, takes over from eq. (5)."""
        h, depth = self.field, self.ferromagnetic_bias + self.field
        low, high = self._freezing(), self.control("temperature").bounds[1]

        def gain(t: float) -> float:
            return t * (h / t + math.log1p(math.exp(-2 * h / t))) + 1 / (4 * t) - depth

        inside = low < high and gain(low) < 0 < gain(high)
        return np.array([brentq(gain, low, high, xtol=1e-14)] if inside else [])

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        grids = {c: self.control(c).grid(129, *(x_range if c == x else (None, None))) for c in (x, y)}
        if name == "critical_temperature" and {x, y} == {"field", "temperature"}:
            freezing = np.empty(129)
            critical_temperatures(grids["field"], freezing)
            curve = {"field": grids["field"], "temperature": freezing}
            random = self.replace(ferromagnetic_bias=0).equilibrium(field=grids["field"], temperature=0.0)
            visible = -random["free_energy"].values - grids["field"] >= self.ferromagnetic_bias
        elif name == "critical_temperature" and {x, y} == {"ferromagnetic_bias", "temperature"}:
            freezing = np.full(129, self._freezing())
            edge = -self.replace(temperature=0)._random_free_energy() - self.field
            curve = {"ferromagnetic_bias": np.minimum(grids["ferromagnetic_bias"], edge), "temperature": freezing}
            visible = np.ones(129, bool)
        elif name == "hidden_state" and {x, y} == {"ferromagnetic_bias", "temperature"}:
            random = self.replace(ferromagnetic_bias=0).equilibrium(temperature=grids["temperature"])
            bias = -random["free_energy"].values - self.field
            curve = {"ferromagnetic_bias": bias, "temperature": grids["temperature"]}
            visible = bias <= self.control("ferromagnetic_bias").bounds[1]
        else:
            return super().trace_landmark(name, x, y, x_range)
        low, high = self.control("temperature").bounds
        visible = visible & (curve["temperature"] >= low) & (curve["temperature"] <= high)
        return np.where(visible, curve[x], np.nan), np.where(visible, curve[y], np.nan)

    def level_entropy(self, energy: Array) -> Array:
        """Logarithm of the number of levels per spin at the total energy: the largest S(m) - (e + hm)^2 over m."""
        m = np.linspace(-1, 1, 401)
        p, q = (1 + m) / 2, (1 - m) / 2
        s = -p * np.log(np.maximum(p, 1e-300)) - q * np.log(np.maximum(q, 1e-300))
        return np.asarray(np.max(s - (energy[:, None] + self.field * m) ** 2, axis=1))

    def landscape(self) -> Landscape:
        """Free energy of the random levels, from the lowest to the highest."""
        edge = -float(self.replace(temperature=0, ferromagnetic_bias=0).equilibrium()["energy"])
        energy = np.linspace(-edge, edge, 401)
        return Landscape("energy", energy, energy - self.temperature * np.maximum(self.level_entropy(energy), 0))

    def _sectors(self) -> tuple[Array, Array, Array]:
        """Groups of levels with the same mean: (how many, energy shift, magnetization); the hidden one is last."""
        n = self.size
        ups = np.arange(n + 1)
        many = np.rint(np.exp(gammaln(n + 1) - gammaln(ups + 1) - gammaln(n - ups + 1)))
        m = 2 * ups / n - 1
        shift = n * self.field * m
        shift[-1] += n * self.ferromagnetic_bias
        if self.field == 0:  # all but the hidden level are alike, so that one sector of mean magnetization is enough
            return np.array([2.0**n - 1, 1]), np.array([0.0, shift[-1]]), np.array([-1 / (2.0**n - 1), 1.0])
        return many, shift, m

    def _finite_size(self) -> dict[str, Any]:
        """Eq. (6) and its ingredients at this size, tabulated over u where G falls from 1 to 0."""
        n, t = self.size, self.temperature
        many, shift, m = self._sectors()
        a = math.sqrt(n / 2) / t
        c = shift / t

        def averages(u: Array) -> Array:
            y = (u[:, None] + c).ravel()
            centre = y.min() + a * a
            low = -max(-centre + math.hypot(centre, 8.7 * a), 12.0)
            nodes = np.arange(low, 12.0, STEP)
            z = np.exp(nodes)
            # 1 - exp(-z) without a Gaussian step, whose average is known, is local
            tables = STEP * np.stack([-np.expm1(-z) - ndtr(nodes / 1.5), z * np.exp(-z), z * z * np.exp(-z)])
            found = np.empty((3, y.size))
            level_averages(y, a, nodes, tables, found)
            found[0] += ndtr(y / math.hypot(a, 1.5))
            return found.reshape(3, u.size, c.size)

        def log_g(found: Array) -> Array:
            return np.asarray(np.log1p(-np.minimum(found[0], 1 - 1e-16)) @ many)

        reach = a * math.sqrt(2 * n * math.log(2) + 80)
        coarse = np.linspace(-n * math.log(2) - reach - c.max() - 37, 5 + 4 * a - min(c.min(), 0), 513)
        fall = log_g(averages(coarse))
        inside = np.flatnonzero((fall < -1e-15) & (fall > -45))
        low, high = coarse[max(int(inside[0]) - 1, 0)], coarse[min(int(inside[-1]) + 1, 512)]
        u = np.linspace(low, high, max(201, int((high - low) / 0.3)))
        occupied, once, twice = found = averages(u)
        g = np.exp(log_g(found))
        left = np.maximum(1 - occupied, 1e-16)
        return {
            "u": u, "g": g, "many": many, "shift": shift, "m": m,
            "once": many * once / left * g[:, None], "twice": many * twice / left * g[:, None],
        }  # fmt: skip

    def exact(self) -> dict[str, float]:
        """Averages over samples at this size, from eq. (6); below T = 0.004 those of the ground state."""
        n, t = self.size, self.temperature
        if t < COLDEST:
            return self._exact_ground_state()
        table = self._finite_size()
        u = table["u"]
        free_energy = -t * (np.trapezoid(-u * table["once"].sum(axis=1), u) - np.euler_gamma) / n
        share = np.trapezoid(table["once"], u, axis=0)
        participation = float(np.trapezoid(table["twice"].sum(axis=1), u))
        magnetization = float(share @ table["m"])
        # Gaussian integration by parts: the mean random part of the energy is -(1 - Y)/(2T)
        energy = -(1 - participation) / (2 * t) - self.field * magnetization - self.ferromagnetic_bias * share[-1]
        return {
            "participation": participation,
            "free_energy": float(free_energy),
            "energy": float(energy),
            "entropy": float(energy - free_energy) / t,
            "magnetization": magnetization,
        }

    def _exact_ground_state(self) -> dict[str, float]:
        n = self.size
        many, shift, m = self._sectors()
        scale = math.sqrt(n / 2)
        e = np.linspace(-9 * scale - shift.max(), 9 * scale - min(shift.min(), 0.0), 4001)
        z = (e[:, None] + shift) / scale
        above = np.exp(np.log(np.maximum(ndtr(-z), 1e-300)) @ many)
        hazard = many * np.exp(-0.5 * z * z) / (scale * math.sqrt(2 * math.pi)) / np.maximum(ndtr(-z), 1e-300)
        lowest = hazard * above[:, None]  # density that the minimum is here, in this sector
        energy = float(np.trapezoid(e * lowest.sum(axis=1), e)) / n
        magnetization = float(np.trapezoid(lowest, e, axis=0) @ m)
        return {
            "participation": 1.0, "free_energy": energy, "energy": energy, "entropy": 0.0,
            "magnetization": magnetization,
        }  # fmt: skip

    def law(self) -> Law:
        """redraw: the density of the participation over samples. metropolis: that of the walker's energy in
        equilibrium, averaged over samples of this size.
        """
        if self.dynamics == "redraw":
            return self._participation_law()
        return self._energy_law()

    def _participation_law(self) -> Law:
        x = float(self.equilibrium()["breakpoint"])
        y = np.linspace(0, 1, 401)
        doc = "Poisson-Dirichlet weights, N to infinity"
        if not 0.01 < x < 0.99:  # one level has it all, or none has any
            return Law("participation", y, np.zeros(401), doc, atoms=((1.0 if x < 0.5 else 0.0, 1.0),))
        grid, cumulative = participation_law(x)
        return Law("participation", (grid[1:] + grid[:-1]) / 2, np.diff(cumulative) / np.diff(grid), doc)

    def _energy_law(self) -> Law:
        n = self.size
        model = self.replace(temperature=max(self.temperature, 0.02))
        table = model._finite_size()
        many, shift = table["many"], table["shift"]
        reach = 1.2 + self.field + self.ferromagnetic_bias
        e = np.linspace(-reach, reach, 321)
        random = n * e[:, None] + shift
        levels = many * np.exp(-(random**2) / n) / math.sqrt(math.pi * n) * n
        v = table["u"] - n * e[:, None] / model.temperature
        kept = np.where(v < 6, np.exp(np.minimum(v, 6) - np.exp(np.minimum(v, 6))), 0.0)
        weight = np.trapezoid(kept * table["g"], table["u"], axis=1)
        density = levels.sum(axis=1) * weight
        return Law("energy", e, density / np.trapezoid(density, e), "exact at this size, averaged over samples")

    def caveat(self) -> str:
        if self.dynamics == "metropolis":
            return "a walker with single flips falls into ever deeper traps and ages; equilibrium is out of its reach"
        return "with 2^N levels corrections are of order ln(N)/N (dashed in the curve: exact at this size)"

    def footprint(self) -> int:
        return 24 << self.size
