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
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, ndtr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families import spins
from mfexplore.families.replicas.weights import participation_law
from mfexplore.models.glasses.random_energy.dynamics import COLDEST, STEP, RandomEnergySimulation
from mfexplore.numerics.later import brentq

PARAMAGNET, GLASS, FERROMAGNET = range(3)


def free_spin_entropy(x: Array) -> Array:
    """S(tanh x) of a spin in the field x >= 0, accurate for large x too."""
    decay = np.exp(-2 * x)
    return np.asarray(np.log1p(decay) + 2 * x * decay / (1 + decay))


def freezing_temperature(field: Array) -> Array:
    """T_c(h) of eq. (3), shape of `field`: the root x = h/T_c of x = 2h sqrt S(tanh x), of which the left side grows
    and the right side falls.
    """
    h = np.abs(field)

    def excess(x: Array, rows: Array) -> Array:
        return np.asarray(x - 2 * h[rows] * np.sqrt(free_spin_entropy(x)))

    x = bracketed_roots(excess, np.zeros(h.size), 2 * h * math.sqrt(math.log(2)))
    return np.asarray(0.5 / np.sqrt(free_spin_entropy(x)))


def hidden_bias(temperature: Array, field: Array) -> Array:
    """J_0 at which the hidden configuration, eq. (5), has the free energy (2), at or above T_c."""
    return np.asarray(temperature * np.logaddexp(0, -2 * field / temperature) + 1 / (4 * temperature))


@dataclass(frozen=True)
class RandomEnergy(core.Model):
    temperature: float = core.control(
        0.4, 0.0, 2.0, symbol="T", role="temperature", step=0.005, doc="temperature (energies have variance N/2)"
    )
    field: float = core.control(0.0, 0.0, 2.0, symbol="h", role="field", step=0.01, doc="uniform field on the spins")
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 1.5, symbol="J_0", role="load", step=0.01, doc="energy by which 'all up' is favoured"
    )
    size: int = core.control(
        16, 2, 24, symbol="N", unit="spins", role="size", scale="log", part="simulation",
        doc="spins simulated: all 2^N levels are kept",
    )  # fmt: skip
    dynamics: str = core.choice(
        "redraw", {"redraw": "redraw", "metropolis": "Metropolis"}, part="simulation",
        doc="new levels at every step, or a walker on one sample",
    )  # fmt: skip

    tags = core.Tags("course", 15, ("phase transition", "glass", "aging"), ("exact sums",))
    relations = (
        core.Relation(
            "is a limit of", "p_spin",
            "With groups of ever more spins the energies of any two configurations become independent.",
            there={"kind": "ising", "order": 6},
        ),
    )  # fmt: skip
    title = "Random energy model"
    summary = "Independent random levels: freezing into a handful of states, different in every sample."
    sources = (
        core.Source("B. Derrida, Phys. Rev. B 24, 2613 (1981)", doi="10.1103/PhysRevB.24.2613"),
        core.Source("B. Derrida, H. Flyvbjerg, J. Phys. A 20, 5273 (1987)", doi="10.1088/0305-4470/20/15/039"),
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("participation", "Y", "mean sum of squared Boltzmann weights, eq. (4)", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per spin"),
        core.Observable("energy", "e", "energy per spin"),
        core.Observable("entropy", "s", "entropy per spin"),
        core.Observable("magnetization", "m", "mean spin", low=0, high=1),
        core.Observable("specific_heat", "c", "slope of the energy with temperature", low=0, high=2),
        core.Observable("breakpoint", "x", "parameter T/T_c of the Poisson-Dirichlet weights", low=0, high=1),
    )
    branches = (
        core.Branch("paramagnet", "exponentially many levels share the weight"),
        core.Branch("glass", "a handful of levels at the edge of the spectrum carry all weight"),
        core.Branch("ferromagnet", "the hidden configuration alone"),
    )
    phases = (
        core.Phase("paramagnet", "Exponentially many levels share the weight; no single one matters."),
        core.Phase(
            "glass", "The entropy has run out: a handful of levels, different in every sample, carry all weight."
        ),
        core.Phase("ferromagnet", "The hidden configuration is lower than everything random."),
    )
    failures = (
        core.Failure(
            "negative_entropy", "The annealed solution has fewer than one level left here; the true system is frozen."
        ),
    )
    landmarks = (
        core.Landmark("critical_temperature", "T_c", "the entropy vanishes and the system freezes", of="temperature"),
        core.Landmark(
            "hidden_state",
            "J_0^*",
            "the hidden configuration becomes the lowest (first order)",
            of="ferromagnetic_bias",
        ),
    )
    planes = (
        core.Plane("field", "temperature", "participation", y_range=(0.0, 2.0)),
        core.Plane("ferromagnetic_bias", "temperature", "magnetization", y_range=(0.0, 1.5)),
    )
    presets = (
        core.Preset(
            "frozen", {"temperature": 0.3},
            "One or two levels carry half of the weight, and Y jumps from sample to sample: it does not self-average.",
        ),
        core.Preset(
            "at the transition", {"temperature": 0.6006},
            "The Boltzmann weight has just reached the edge of the spectrum, where levels are few.",
            (core.Promise(core.Crossing("critical_temperature", "temperature"), 0.6006, 0.0001),),
        ),
        core.Preset("paramagnet", {"temperature": 1.0}, "The weight sits at e = -1/(2T), inside the spectrum.",
            (core.Promise(core.Value("energy"), -0.5, 1e-9),),
        ),
        core.Preset(
            "ageing", {"temperature": 0.35, "dynamics": "metropolis", "size": 18},
            "The walker finds ever deeper traps and stays in each as long as it has searched so far: it never settles.",
            view=core.View(series="energy"),
        ),
        core.Preset(
            "hidden message", {"temperature": 0.4, "ferromagnetic_bias": 0.95, "dynamics": "metropolis"},
            "All up is the true ground state, by far, yet the walker does not find it.",
            (core.Promise(core.Value("free_energy", "ferromagnet"), -0.95, 1e-9),
             core.Promise(core.Value("free_energy", "glass"), -0.83, 0.005),
             core.Promise(core.Mean("magnetization", 50, 100), 0.0, 0.9)),
            view=core.View(("ferromagnetic_bias", "temperature"), "magnetization", along="ferromagnetic_bias"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "freezing temperature", 0.6005612043932249, 1e-12, "Derrida 1980: T_c = 1/(2 sqrt(ln 2))",
            core.Crossing("critical_temperature", "temperature"), published=True,
        ),
        core.Reference(
            "ground-state energy", -0.8325546111576977, 1e-12, "Derrida 1980: e_0 = -sqrt(ln 2)",
            core.Value("energy"), {"temperature": 0.0}, published=True,
        ),
        core.Reference(
            "participation at T_c/2", 0.5, 1e-12, "Gross and Mezard 1984: 1 - T/T_c",
            core.Value("participation"), {"temperature": 0.25 / math.sqrt(math.log(2))}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Two copies of the same sample are cooled to half the freezing temperature. How likely are both in "
            "the same configuration, on average over samples?",
            {"temperature": 0.30028}, "participation", core.Value("participation"), 0.05,
            "That probability is Y, whose mean is 1 - T/T_c = 1/2, although there are 2^N configurations.",
        ),
        core.Task(
            "How strongly must one configuration be favoured before it is the ground state?",
            {"temperature": 0.0}, "ferromagnetic_bias", core.Crossing("hidden_state", "ferromagnetic_bias"), 0.03,
            "By sqrt(ln 2) = 0.83 per spin, the depth of the deepest of 2^N random levels: the limit at which a code "
            "can be decoded at all.",
            view=core.View(plane=("ferromagnetic_bias", "temperature"), along="ferromagnetic_bias"),
        ),
    )  # fmt: skip
    simulation = RandomEnergySimulation

    def solve(self, points: Points) -> core.Solution:
        t, h, bias = points["temperature"], points["field"], points["ferromagnetic_bias"]
        freezing = freezing_temperature(h)
        with np.errstate(divide="ignore", invalid="ignore"):
            at = np.stack([t, freezing, np.ones_like(t)], axis=1)  # eq. (2) is used at T and at T_c
            x = h[:, None] / at
            s = free_spin_entropy(x) - 1 / (4 * at**2)
            m = np.tanh(x)
            energy = -1 / (2 * at) - h[:, None] * m
            heat = 1 / (2 * at**2) + (x / np.cosh(np.minimum(x, 300))) ** 2
        energy[:, FERROMAGNET], m[:, FERROMAGNET] = -bias - h, 1.0
        s[:, [GLASS, FERROMAGNET]] = heat[:, [GLASS, FERROMAGNET]] = 0.0
        share, zeros, ones = t / freezing, np.zeros_like(t), np.ones_like(t)
        values = {
            "participation": np.stack([zeros, 1 - share, ones], axis=1),
            "free_energy": energy - np.where(s != 0, t[:, None] * s, 0.0),
            "energy": energy,
            "entropy": s,
            "magnetization": m,
            "specific_heat": heat,
            "breakpoint": np.stack([ones, share, zeros], axis=1),
        }
        residual = np.where(np.stack([t == 0, t > freezing, bias == 0], axis=1), np.nan, 0.0)
        frozen = self.on("paramagnet", t < freezing)
        return core.Solution(values, residual, stable=~frozen, fails={"negative_entropy": frozen})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, h = self.temperature, self.field
        if state["branch"] == "ferromagnet":
            return {"(5)": state["free_energy"] + self.ferromagnetic_bias + h}

        def annealed(t: float) -> tuple[float, float, float]:
            f, m = -t * np.logaddexp(h / t, -h / t) - 1 / (4 * t), np.tanh(h / t)
            return f, m, float(spins.entropy(m)) - 1 / (4 * t * t)

        if state["branch"] == "paramagnet":
            f, m, s = annealed(t)
            gaps = {"(2) f": state["free_energy"] - f, "(2) m": state["magnetization"] - m}
            return gaps | {"(2) s": state["entropy"] - s}
        freezing = brentq(lambda t: annealed(t)[2], 0.1, 10.0, xtol=1e-14)
        f, m, _ = annealed(freezing)
        gaps = {"(3) f": state["free_energy"] - f, "(3) m": state["magnetization"] - m}
        return gaps | {"(4)": state["participation"] - (1 - t / freezing)}

    def boundary(self, name: str, points: Points) -> tuple[Array, Array]:
        t, h = points["temperature"], points["field"]
        freezing = freezing_temperature(h)
        if name == "critical_temperature":
            return freezing, points["ferromagnetic_bias"] <= hidden_bias(freezing, h)
        return hidden_bias(np.maximum(t, freezing), h), np.ones(t.size, bool)

    def level_entropy(self, energy: Array) -> Array:
        """Logarithm of the number of levels per spin at the total energy: the largest S(m) - (e + hm)^2 over m."""
        m = np.linspace(-1, 1, 401)
        return np.asarray(np.max(spins.entropy(m) - (energy[:, None] + self.field * m) ** 2, axis=1))

    def landscape(self) -> core.Landscape:
        """Free energy of the random levels, from the lowest to the highest."""
        edge = -float(self.replace(temperature=0, ferromagnetic_bias=0).equilibrium()["energy"])
        energy = np.linspace(-edge, edge, 401)
        return core.Landscape("energy", energy, energy - self.temperature * np.maximum(self.level_entropy(energy), 0))

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
            parts = np.array_split(y, 1 + y.size // 4096)
            found = np.hstack([tables @ np.exp(-0.5 * ((nodes[:, None] - part) / a) ** 2) for part in parts])
            found /= a * math.sqrt(2 * math.pi)
            found[0] += ndtr(y / math.hypot(a, 1.5))
            return np.asarray(found.reshape(3, u.size, c.size))

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

    def law(self) -> core.Law:
        """redraw: the density of the participation over samples. metropolis: that of the walker's energy in
        equilibrium, averaged over samples of this size.
        """
        if self.dynamics == "redraw":
            return self._participation_law()
        return self._energy_law()

    def _participation_law(self) -> core.Law:
        x = float(self.equilibrium()["breakpoint"])
        y = np.linspace(0, 1, 401)
        doc = "Poisson-Dirichlet weights, N to infinity"
        if not 0.01 < x < 0.99:  # one level has it all, or none has any
            return core.Law("participation", y, np.zeros(401), doc, atoms=((1.0 if x < 0.5 else 0.0, 1.0),))
        grid, cumulative = participation_law(x, 201)
        return core.Law("participation", (grid[1:] + grid[:-1]) / 2, np.diff(cumulative) / np.diff(grid), doc)

    def _energy_law(self) -> core.Law:
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
        return core.Law("energy", e, density / np.trapezoid(density, e), "exact at this size, averaged over samples")

    def caveat(self) -> str:
        if self.dynamics == "metropolis":
            return "a walker with single flips falls into ever deeper traps and ages; equilibrium is out of its reach"
        return "with 2^N levels corrections are of order ln(N)/N (dashed in the curve: exact at this size)"

    def footprint(self) -> int:
        return 24 << self.size
