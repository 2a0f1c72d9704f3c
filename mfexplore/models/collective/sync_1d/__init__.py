r"""Synchronization in one dimension: a ring of oscillators whose phases grow like a rough surface.

$L$ oscillators on a ring are pulled by their two neighbours, with noise and with frequencies of their own:

$$\dot\phi_i=\omega_i+K\sum_\pm\big[\sin(\phi_{i\pm1}-\phi_i+\delta)-\sin\delta\big]+\sqrt{2D}\,\xi_i \tag{1}$$

The frequencies $\omega_i$ have the standard deviation $\sigma$ and never change (*columnar* disorder: as a surface that
grows over fixed posts). $\delta$ makes the coupling less odd. All start at one phase. In one dimension the ring as a
whole never falls into step: neighbours do, and their small differences add up. Unwrapped, the phases are heights of a
surface, and what counts is its square width $W^2=\langle(\phi_i-\bar\phi)^2\rangle$. As long as neighbours stay close,

$$\partial_t\phi=\nu\,\partial_x^2\phi+\frac\lambda2(\partial_x\phi)^2+\omega(x)+\sqrt{2D}\,\xi,\qquad
\nu=K\cos\delta,\quad\lambda=-2K\sin\delta \tag{2}$$

the equation of Kardar, Parisi and Zhang, with the one parameter $g=\lambda^2D/\nu^3=4D\sin^2\delta/K\cos^3\delta$.

**Edwards and Wilkinson,** $\lambda=0$: modes of (1) decay independently, at the rates $\nu\epsilon_k$ with
$\epsilon_k=4\sin^2(\pi k/L)$,

$$W^2=\frac D\nu F(\nu t)+\frac{\sigma^2}{\nu^2}G(\nu t),\qquad
F(x)=\frac1L\sum_{k=1}^{L-1}\frac{1-e^{-2\epsilon_kx}}{\epsilon_k} \tag{3}$$

$$G(x)=\frac1L\sum_{k=1}^{L-1}\Big(\frac{1-e^{-\epsilon_kx}}{\epsilon_k}\Big)^2 \tag{4}$$

For $1\ll\nu t\ll L^2$ this is $D\sqrt{2t/\pi\nu}$ and $\frac{4(\sqrt2-1)}{3\sqrt\pi}\,\sigma^2t^{3/2}/\sqrt\nu$;
at last $\frac D\nu\frac{L^2-1}{12L}$ and $\frac{\sigma^2}{\nu^2}\frac{(L^2-1)(L^2+11)}{720L}$.

**KPZ** (noise only): with $\Gamma=|\lambda|D^2/2\nu^2$ the surface widens as

$$W^2=0.638\,(\Gamma t)^{2/3}\quad\text{from}\quad t_\times=\frac{61}{\nu g^2}\quad\text{on} \tag{5}$$

where it is wider than Edwards and Wilkinson's. The heights have the law of Tracy and Widom (orthogonal ensemble).

**Phase slips.** A difference of neighbours that passes $\pi$ falls into the next well. The energy
$-K\sum\cos(\phi_{i+1}-\phi_i)$ has a saddle at $2K$ with one bond at $\pi$, whose one unstable mode grows at the rate
$\frac43K$ and whose other curvatures are those of the minimum. But the phases on both sides must give way by $\pi$
together, which in the time $t$ only those within $\ell$ do. So for $\delta=0$ a bond slips, either way, at the rate

$$r=\frac{4K}{3\pi}\,e^{-\frac{2K}D\big(1+\frac{\pi^2}{4\ell}\big)},\qquad
\frac1\ell=\frac1L+e^{-4\nu t}I_0(4\nu t)\simeq\frac1L+\frac1{\sqrt{8\pi\nu t}} \tag{6}$$

For $\delta>0$ there is no energy; with $K\cos\delta$ for $K$, (6) is a guess, and runs slip sooner. Under a strain a
bond slips rather one way: it is a spring and a dashpot in a row (Maxwell), with the *plasticity* $\mu=2\pi^2r/D$ by
Einstein's relation. So every mode is a linear process again, and (3) becomes

$$W^2=\frac1L\sum_k\Big[\frac{2Dt\,\mu}{\mu+\epsilon_k}+\frac D\nu\frac{\epsilon_k}{(\mu+\epsilon_k)^2}
\big(1-e^{-2\nu(\epsilon_k+\mu)t}\big)\Big]\to\frac{2Dt}{\sqrt{1+4/\mu}} \tag{7}$$

in the end: *random deposition*, which without anything that holds is $W^2=2Dt+\sigma^2t^2$. Of frequencies alone there
is no such law: stretches of the ring keep together, and part far more slowly.

**Locking.** Without noise, and for $\delta=0$, there is a state at rest if and only if all bonds can carry currents:
with $S_n=\sum_{j\le n}(\omega_j-\bar\omega)$ and some circulating current $c$

$$\max_n|S_n-c|\le K,\qquad\sum_n\arcsin\frac{S_n-c}K=0 \tag{8}$$

(the phases close around the ring; an open chain only needs $\max|S_n|\le K$, and $c=0$). Else bonds slip, though some
rings then rest with a winding. The sums are a random walk, so $K_c\sim\sigma\sqrt L$: long rings never lock, though
they need time to notice.

**The single-step model** is the plainest surface with these laws: a local minimum grows by 2 with probability $p$, a
local maximum shrinks by 2 else; $\nu=D=\frac12$, $\lambda=1-2p$.

**Valid:** (3), (4) for small differences of neighbours; (5) for $t\gg t_\times$ on rings that feel no end; the weak
coupling $g$ of oscillators that do not slip makes $t_\times$ long, and what is seen is a crossover. Where they meet at
$t_\times$ both laws are too narrow, by a fifth to a quarter for any surface of this kind. And the constants of (2) are
those of small differences: at $g\approx1$ the variance of those of oscillators is a seventh more than $D/\nu$, of which
(5) is the power $\frac43$. Both together: runs with $\delta>0$ are wider than theory by up to a half. For columnar
disorder with $\delta>0$ no amplitude is known.

**Simulation:** Heun's method; slips are counted at every step of the trace, once a bond has settled. The exponent is
that over the last factor of two in time, $2\beta=\log_2W^2(t)/W^2(t/2)$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import kolmogorov

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.models.collective.sync_1d import theory
from mfexplore.models.collective.sync_1d.dynamics import Sync1DSimulation
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.functions.tracy_widom import tracy_widom

REGIME, LINEAR, KPZ, FREE = range(4)  # as in `methods`
OSCILLATORS, SINGLE_STEP = {"kind": ("oscillators",)}, {"kind": ("single_step",)}
SLIPPED = 0.01  # slips per bond that make a surface another one
STRAIN = (2 - math.sqrt(2)) / math.sqrt(math.pi)  # eq. (4) for differences: <d^2> = STRAIN (sigma/nu)^2 (nu t)^(1/2)
BEARS = 2.576**-2  # of <d^2>, at which one bond in a hundred is asked for |d| > 1: more than it can carry
FLAT, HELD = 0.9, 0.8  # of the last square width that passes for it; of that of free phases that does not


@dataclass(frozen=True)
class Sync1D(core.Model):
    noise: float = core.control(
        0.05, 0.0, 1.0, symbol="D", unit="1/time", role="temperature", step=0.005, doc="noise of every oscillator",
        only=OSCILLATORS,
    )  # fmt: skip
    disorder: float = core.control(
        0.0, 0.0, 1.0, symbol=r"\sigma", unit="1/time", role="disorder", step=0.005,
        doc="standard deviation of the natural frequencies", only=OSCILLATORS,
    )  # fmt: skip
    nonoddity: float = core.control(
        0.0, 0.0, 1.4, symbol=r"\delta", role="field", step=0.01, title="nonoddity",
        doc="phase shift of the coupling: how far it is from odd", only=OSCILLATORS,
    )  # fmt: skip
    coupling: float = core.control(
        1.0, 0.0, 2.0, symbol="K", unit="1/time", role="coupling", step=0.01, doc="how strongly neighbours pull",
        only=OSCILLATORS,
    )  # fmt: skip
    growth: float = core.control(
        1.0, 0.5, 1.0, symbol="p", role="field", step=0.01, doc="probability to grow rather than to shrink",
        only=SINGLE_STEP,
    )  # fmt: skip
    age: float = core.control(
        1000.0, 0.5, 1e5, symbol="t", unit="time units", role="time", scale="log", doc="time since all were equal"
    )
    kind: str = core.choice(
        "oscillators", {"oscillators": "oscillators", "single_step": "single-step model"}, doc="what makes the surface"
    )
    size: int = core.control(2048, 8, 16_384, symbol="L", role="size", scale="log", doc="oscillators on the ring")

    title = "Synchronization on a ring"
    summary = "Oscillators with two neighbours: their phases roughen like a growing surface, slip apart, or lock."
    version = 2
    tags = core.Tags("research", 25, ("synchronization", "growth"), ("field theory", "Monte Carlo"))
    sources = (
        core.Source("R. Gutiérrez and R. Cuerno, Phys. Rev. Research 5, 023047 (2023): synchronization as growth",
                    doi="10.1103/PhysRevResearch.5.023047"),
        core.Source("M. Kardar, G. Parisi, Y.-C. Zhang, PRL 56, 889 (1986)", doi="10.1103/PhysRevLett.56.889"),
        core.Source("S. F. Edwards and D. R. Wilkinson, Proc. R. Soc. A 381, 17 (1982)", doi="10.1098/rspa.1982.0056"),
        core.Source("S. H. Strogatz and R. E. Mirollo, Physica D 31, 143 (1988): chains lock",
                    doi="10.1016/0167-2789(88)90074-7"),
    )  # fmt: skip
    observables = (
        core.Observable("square_width", "W^2", "variance of the phases (or heights) along the ring", scale="log"),
        core.Observable("growth_exponent", r"2\beta", "exponent of the square width over the last factor of two in "
                        "time", low=0, high=1.2),
        core.Observable("kpz_coupling", "g", "strength of the nonlinearity, of which t_x is a power", low=0, high=2,
                        title="KPZ coupling"),
        core.Observable("slips", "n_s", "phase slips per bond so far, eq. (6)", low=0, only=OSCILLATORS),
        core.Observable("locking_probability", r"P_{\rm lock}", "fraction of rings with such frequencies that lock "
                        "where there is no noise, eq. (8)", low=0, high=1, only=OSCILLATORS),
    )  # fmt: skip
    methods = (
        core.Method("regime", "that law of the three which rules"),
        core.Method("edwards_wilkinson", "small differences, linear, eqs. (3) and (4)", title="Edwards-Wilkinson"),
        core.Method("kpz", "late times with nonlinearity, eq. (5)", title="KPZ"),
        core.Method("random_deposition", "nothing holds neighbours together", title="random deposition"),
    )
    phases = (
        core.Phase("desynchronized", "Neighbours slip against each other all the time, and phases grow apart freely."),
        core.Phase("saturated", "The ring feels that it is one: its width grows no more."),
        core.Phase("kpz", "The nonlinearity rules: heights have the law of Tracy and Widom.", title="KPZ"),
        core.Phase("edwards_wilkinson", "Differences are small and add up as in a linear equation.",
                   title="Edwards-Wilkinson"),
    )  # fmt: skip
    failures = (
        core.Failure("slips", "Neighbours slip: their differences are not small."),
        core.Failure("nonlinear", "The surface is old or its nonlinearity strong enough to widen it faster."),
        core.Failure("too_early", "The nonlinearity has had no time yet to widen the surface."),
        core.Failure("coupled", "Neighbours hold each other, so that phases are not free."),
        core.Failure("stretches", "Stretches of the ring keep together, and part far more slowly than free phases."),
        core.Failure("columnar", "With a coupling that is not odd, lasting disorder widens the surface otherwise; no "
                     "amplitude is known."),
    )  # fmt: skip
    landmarks = (
        core.Landmark("crossover", r"t_\times=t", "the nonlinearity takes over", continuous=False, of="noise",
                      only=OSCILLATORS),
        core.Landmark("slip_line", "rt=0.01", "one bond in a hundred slips by then, eq. (6)",
                      continuous=False, of="noise", only=OSCILLATORS),
        core.Landmark("locking", r"K_c=K", "half of the rings lock, eq. (8)", of="disorder", only=OSCILLATORS),
    )  # fmt: skip
    planes = (
        core.Plane("noise", "nonoddity", "growth_exponent", along="x", finest=129, x_range=(0.0, 0.4),
                   only=OSCILLATORS),
        core.Plane("size", "disorder", "locking_probability", along="y", finest=97, y_range=(0.0, 0.4),
                   only=OSCILLATORS),
        core.Plane("age", "noise", "growth_exponent", along="x", finest=97, only=OSCILLATORS),
        core.Plane("age", "growth", "growth_exponent", along="x", finest=97, only=SINGLE_STEP),
    )  # fmt: skip
    presets = (
        core.Preset(
            "small differences", {"noise": 0.05},
            "Neighbours keep in step, yet phases spread: the square width follows the root of time.",
            view=core.View(plane=("noise", "nonoddity"), colour="growth_exponent", series="square_width",
                           picture="width"),
        ),
        core.Preset(
            "a coupling not odd", {"noise": 0.06, "nonoddity": 1.0, "size": 8192, "age": 256.0},
            "Faster than the root of time and not yet as two thirds: the run is on its way from one law to the other.",
            view=core.View(plane=("noise", "nonoddity"), colour="growth_exponent", series="square_width",
                           picture="width"),
        ),
        core.Preset(
            "KPZ at once", {"kind": "single_step", "growth": 1.0, "size": 16_384, "age": 2000.0},
            "A surface that only grows widens as time to the power two thirds, and its heights lean to one side.",
            view=core.View(plane=("age", "growth"), colour="growth_exponent", series="growth_exponent",
                           picture="surface"),
        ),
        core.Preset(
            "as much up as down", {"kind": "single_step", "growth": 0.5, "size": 16_384, "age": 2000.0},
            "Without a direction the same steps make a surface of Edwards and Wilkinson.",
            view=core.View(plane=("age", "growth"), colour="growth_exponent", series="growth_exponent",
                           picture="width"),
        ),
        core.Preset(
            "avalanche of slips", {"noise": 0.1, "nonoddity": 1.1, "size": 4096, "age": 500.0},
            "After a quiet start one slip sets off others, and the width runs away from every law.",
            view=core.View(plane=("noise", "nonoddity"), colour="growth_exponent", series="square_width",
                           picture="phases in time"),
        ),
        core.Preset(
            "noise makes slips", {"noise": 0.25, "nonoddity": 0.0, "size": 4096, "age": 1000.0},
            "Each bond crosses its barrier now and then: stripes end, and the count of slips grows as eq. (6) says.",
            view=core.View(plane=("noise", "nonoddity"), colour="growth_exponent", series="slips",
                           picture="phases in time"),
        ),
        core.Preset(
            "a ring that locks", {"noise": 0.0, "disorder": 0.16, "size": 64, "age": 2000.0},
            "Different frequencies and no noise: nine rings in ten come to rest in a bent shape.",
            (core.Promise(core.Value("locking_probability", method="regime"), 0.9, 0.05),),
            core.View(plane=("size", "disorder"), along="disorder", colour="locking_probability",
                      series="square_width", picture="surface"),
        ),
        core.Preset(
            "too long to lock", {"noise": 0.0, "disorder": 0.3, "size": 2048, "age": 200.0},
            "No bond can carry what a long ring adds up: from about t = 30 on the weakest slip; the width runs away.",
            view=core.View(plane=("size", "disorder"), along="size", colour="locking_probability",
                           series="square_width", picture="width"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "width at last, noise, $L=64$", 5.33203125, 1e-9, r"$\frac{D}{K}\frac{L^2-1}{12L}$ for $D=K=1$",
            core.Value("square_width", method="edwards_wilkinson"), {"noise": 1.0, "size": 64, "age": 1e5},
            published=True,
        ),
        core.Reference(
            "width at last, columnar, $L=64$", 364.9775390625, 1e-7,
            r"$\frac{\sigma^2}{K^2}\frac{(L^2-1)(L^2+11)}{720L}$ for $\sigma=K=1$",
            core.Value("square_width", method="edwards_wilkinson"),
            {"noise": 0.0, "disorder": 1.0, "size": 64, "age": 1e5}, published=True,
        ),
        core.Reference(
            "an open chain: mean of $K_c/\\sigma\\sqrt{L}$", 0.8687311606361592, 1e-8, r"$\sqrt{\pi/2}\,\ln2$",
            lambda _: float(np.sum(kolmogorov((np.arange(400_000) + 0.5) * 1e-5)) * 1e-5), published=True,
        ),
        core.Reference(
            "variance of flat KPZ heights", 0.63805, 2e-5, "M. Prähofer and H. Spohn (2000), from 1.6078",
            lambda _: theory.flat_variance(), published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Neighbours pull with K = 1 and an odd coupling, the noise is 0.5, the ring has 96 oscillators. What would "
            "the square width be at last, if no bond slipped?",
            {"noise": 0.5, "size": 96, "age": 1e5}, "square_width",
            core.Value("square_width", method="edwards_wilkinson"), 0.5,
            "Differences of neighbours are a random walk that must close: a bridge, whose square width is a twelfth of "
            "D L/K.",
            view=core.View(plane=("noise", "nonoddity")),
        ),
        core.Task(
            "The coupling is odd, K = 1. Above about which noise has one bond in a hundred slipped by the time 10000?",
            {"noise": 0.05, "age": 1e4}, "noise", core.Crossing("slip_line", "noise"), 0.025,
            "A barrier of 2K is passed at the rate of exp(-2K/D): the noise that does it falls only with the logarithm "
            "of the time.",
            view=core.View(plane=("age", "noise")),
        ),
    )  # fmt: skip
    simulation = Sync1DSimulation

    @property
    def nonlinearity(self) -> float:
        """Lambda of eq. (2)."""
        return 1 - 2 * self.growth if self.kind == "single_step" else -2 * self.coupling * math.sin(self.nonoddity)

    def realised(self) -> Sync1D:
        """The single-step model has an even ring."""
        return self.with_simulated(size=self.size - self.size % 2) if self.kind == "single_step" else self

    # -- theory ----------------------------------------------------------------------------------------------------

    def constants(self, points: Points) -> tuple[Array, Array, Array, Array]:
        """(nu, lambda, D, sigma) of eq. (2), each of shape (n,)."""
        if self.kind == "single_step":
            half = np.full(points["growth"].shape, 0.5)
            return half, 1 - 2 * points["growth"], half, 0 * half
        k, delta = points["coupling"], points["nonoddity"]
        return k * np.cos(delta), -2 * k * np.sin(delta), points["noise"], points["disorder"]

    def widths(self, points: Points, desynchronized: Array) -> tuple[Array, Array]:
        """(square widths by method, shape (n, 4), and the time t_x of eq. (5)); NaN where there is no such law."""
        nu, lam, noise, sigma = self.constants(points)
        t, n = points["age"], points["size"]
        found = np.full((t.size, 4), np.nan)
        held = nu > 0
        stiff = np.where(held, nu, 1.0)
        f, g = theory.linear_width(stiff * t, n, bool(np.any(sigma)))
        found[:, LINEAR] = np.where(held, noise / stiff * f + (sigma / stiff) ** 2 * g, np.nan)
        gamma = np.abs(lam) * noise**2 / (2 * stiff**2)
        bent = held & (gamma > 0) & (sigma == 0)
        last = noise / stiff * (n**2 - 1) / (12 * n)
        found[:, KPZ] = np.where(bent, np.minimum(theory.flat_variance() * (gamma * t) ** (2 / 3), last), np.nan)
        found[:, FREE] = (2 * noise * t + sigma**2 * t**2) * (1 - 1 / n)
        with np.errstate(divide="ignore", invalid="ignore"):
            takes_over = np.where(bent, theory.crossover_constant() * stiff**5 / (lam**4 * noise**2), np.inf)
            late = bent & (t > takes_over)
            either = np.where(late, np.fmax(found[:, KPZ], found[:, LINEAR]), found[:, LINEAR])
        if self.kind == "oscillators" and np.any(slipping := held & (noise > 0) & (sigma == 0)):
            rate = self.slips_by({name: column[slipping] for name, column in points.items()}) / t[slipping]
            of = stiff[slipping], noise[slipping], rate, t[slipping], n[slipping]
            either[slipping] += noise[slipping] / stiff[slipping] * theory.slip_widening(*of)
        found[:, REGIME] = np.where(desynchronized & ((sigma > 0) | ~held), found[:, FREE], either)
        return found, takes_over

    def desynchronized(self, points: Points) -> Array:
        """Where bonds slip all the time, by noise, eq. (6), or because they cannot carry their current, eq. (8)."""
        if self.kind == "single_step":
            return np.zeros(points["age"].shape, bool)
        nu, _, noise, sigma = self.constants(points)
        with np.errstate(divide="ignore", invalid="ignore"):
            slipped = 4 * nu / (3 * math.pi) * np.exp(-2 * nu / noise) * points["age"] > SLIPPED
            strained = STRAIN * (sigma / nu) ** 2 * np.sqrt(nu * points["age"]) > BEARS
        return slipped | (strained & (theory.locked_fraction(nu, sigma, points["size"]) < 0.5)) | (nu <= 0)

    def slips_by(self, points: Points) -> Array:
        """Eq. (6) from the start to the age."""
        nu, _, noise, _ = self.constants(points)
        share, weight = gauss_legendre(12)
        times = points["age"][:, None] * share**2
        rates = theory.slip_rate(nu[:, None], noise[:, None], times, points["size"][:, None])
        return np.asarray((rates * 2 * share) @ weight * points["age"])

    def solve(self, points: Points) -> core.Solution:
        nu, lam, noise, sigma = self.constants(points)
        apart = self.desynchronized(points)
        widths, takes_over = self.widths(points, apart)
        half, _ = self.widths({**points, "age": points["age"] / 2}, apart)
        with np.errstate(divide="ignore", invalid="ignore"):
            exponents = np.where(widths > 0, np.log2(widths / half), np.where(np.isnan(widths), np.nan, 0.0))
            g = np.where(noise * lam**2 > 0, lam**2 * noise / nu**3, 0.0)
        there = np.isfinite(widths)
        values = {"square_width": widths, "growth_exponent": exponents, "kpz_coupling": g[:, None] + 0 * widths}
        if self.kind == "oscillators":
            values["slips"] = self.slips_by(points)[:, None] + 0 * widths
            values["locking_probability"] = theory.locked_fraction(nu, sigma, points["size"])[:, None] + 0 * widths
        method = np.arange(4)
        late = points["age"] > takes_over
        columnar = (sigma > 0) & (lam != 0)
        fails = {
            "slips": apart[:, None] & ((method == LINEAR) | (method == KPZ)),
            "coupled": np.where(sigma > 0, ~apart, widths[:, REGIME] < HELD * widths[:, FREE])[:, None]
            & (method == FREE),
            "stretches": (apart & (sigma > 0) & (nu > 0))[:, None] & ((method == REGIME) | (method == FREE)),
            "columnar": columnar[:, None] & (method < KPZ) & ~apart[:, None],
            "nonlinear": late[:, None] & (method == LINEAR),
            "too_early": ~late[:, None] & (method == KPZ),
        }
        extra = {"apart": apart, "late": late}
        return core.Solution(values, np.where(there, 0.0, np.nan), fails=fails, extra=extra)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if state["method"] == "random_deposition" or not state["square_width"] > 0:
            return {}
        nu, lam, noise, sigma = (float(v[0]) for v in self.constants(columns(self, {})))
        if state["method"] == "edwards_wilkinson":  # by modes of the ring, each a process of Ornstein and Uhlenbeck
            decay = nu * (2 - 2 * np.cos(2 * np.pi * np.arange(1, self.size) / self.size))
            whole = noise * (1 - np.exp(-2 * decay * self.age)) / decay
            whole += (sigma * (1 - np.exp(-decay * self.age)) / decay) ** 2
            return {"(3)": whole.sum() / self.size / state["square_width"] - 1}
        found = {"g": state["kpz_coupling"] * nu**3 - lam**2 * noise}
        if state["method"] == "kpz":
            free = (abs(lam) * noise**2 / (2 * nu**2) * self.age) ** (2 / 3) * theory.flat_variance()
            x = np.arange(1, self.size) / self.size  # of the bridge that differences make in the end
            found["(5)"] = min(free, 0.5 * noise / nu * x @ (1 - x)) / state["square_width"] - 1
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        values = states.solution.values["square_width"]
        nu, _, noise, sigma = self.constants(points)
        n = points["size"]
        stiff = np.where(nu > 0, nu, 1.0)
        last = noise / stiff * (n**2 - 1) / (12 * n) + (sigma / stiff) ** 2 * (n**2 - 1) * (n**2 + 11) / (720 * n)
        return {
            "desynchronized": states.solution.extra["apart"],
            "saturated": (values[:, REGIME] > FLAT * last) & (last > 0),
            "kpz": states.solution.extra["late"],
            "edwards_wilkinson": np.ones(n.shape, bool),
        }

    def boundary(self, name: str, points: Points) -> Array:
        nu, lam, _, _ = self.constants(points)
        t, n = points["age"], points["size"]
        with np.errstate(divide="ignore", invalid="ignore"):
            if name == "crossover":
                found = np.sqrt(theory.crossover_constant() * nu**5 / t) / lam**2
            elif name == "slip_line":
                slips = np.log(4 * nu * t / (3 * math.pi * SLIPPED))
                found = np.where(slips > 0, 2 * nu / slips, np.nan)
            else:
                lengths, place = np.unique(n, return_inverse=True)
                middle = np.array([np.median(theory.locking_couplings(int(length))) for length in lengths])
                found = nu / (middle[place] * np.sqrt(n))
        return np.where(np.isfinite(found) & (nu > 0), found, np.nan)

    def widths_in_time(self, times: Array) -> Array:
        """Square widths by method, shape (4, n)."""
        points = columns(self, {"age": times})
        return self.widths(points, self.desynchronized(points))[0].T

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """By the law that rules at every time; the others stand in the picture of the width."""
        t = np.maximum(np.asarray(times, np.float64), 1e-9)
        width, half = (self.widths_in_time(at)[REGIME] for at in (t, t / 2))
        with np.errstate(divide="ignore", invalid="ignore"):
            path = {"square_width": width, "growth_exponent": np.where(width > 0, np.log2(width / half), 0.0)}
        if self.kind == "oscillators":
            path["slips"] = self.slips_by(columns(self, {"age": t}))
        return path

    def laws(self, time: float) -> tuple[core.Law, ...]:
        s, _, density = tracy_widom(1.0)
        mean = np.trapezoid(s * density, s)
        width = math.sqrt(np.trapezoid((s - mean) ** 2 * density, s))
        z = (s - mean) / width
        normal = np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        return (
            core.Law("height", z, density * width, "Tracy and Widom, flat KPZ", method="kpz"),
            core.Law("height", z, normal, "Gauss, a linear equation", method="edwards_wilkinson"),
        )

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def caveat(self) -> str:
        return "one law takes over from the other slowly, differences of neighbours are not small, or the ring is short"

    def footprint(self) -> int:
        return 200 * self.size + 500_000
