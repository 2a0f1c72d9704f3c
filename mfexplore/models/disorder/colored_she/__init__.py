r"""Random walk in coloured noise: one discrete partition function, two limits, and where only one of them exists.

A walk $S_i$ on the integers passes through random potentials $\omega(i,x)$, independent from site to site but with a
memory in time:

$$\langle\omega(i,x)\omega(j,y)\rangle=\delta_{xy}\,\rho(i-j),\qquad
\rho(k)=\tfrac12\big(|k+1|^{2H}-2|k|^{2H}+|k-1|^{2H}\big) \tag{1}$$

(increments of fractional Brownian motion; $H=\frac12$ is *white*). Steps are symmetric, with the characteristic
function $1-(1-\cos\theta)^{\alpha/2}$: nearest neighbours for $\alpha=2$, jumps with $P(k)\sim|k|^{-1-\alpha}$ below.
Averages over walks give two partition functions of the potentials,

$$Z^{\rm Str}=\Big\langle e^{\beta\sum_i\omega(i,S_i)}\Big\rangle_S,\qquad
Z^{\rm Sko}=\Big\langle e^{\beta\sum_i\omega(i,S_i)-\frac{\beta^2}2\sum_{ij}\rho(i-j)1_{S_i=S_j}}\Big\rangle_S \tag{2}$$

the second divided, walk by walk, by its mean over the potentials, so that $\mathbb EZ^{\rm Sko}=1$. A walk of $n$ steps
returns to a site at the lag $k$ with the probability $q_k=P(S_k=0)\sim k^{-1/\alpha}$. Then with

$$\beta=\hat\beta\,n^{-\zeta},\qquad\zeta=H-\frac1{2\alpha} \tag{3}$$

the disorder is neither nothing nor everything as $n\to\infty$, and $Z$ becomes the solution of the stochastic heat
equation $\partial_tu=-\nu(-\Delta)^{\alpha/2}u+\hat\beta\,u\,\dot W$ with a noise white in space and coloured in time:
in the sense of Stratonovich, and in that of Itô and Skorokhod. To first order the variance of $Z$ is

$$w=\beta^2\sum_{i,j=1}^n\rho(i-j)\,q_{i+j} \tag{4}$$

the weight of the *first chaos* (the part linear in $\omega$), which always has a limit. The two differ by how often a
walk meets *itself*,

$$A=\tfrac12\beta^2\sum_{i,j=1}^n\rho(i-j)\,q_{|i-j|},\qquad\mathbb EZ^{\rm Str}\geq e^A \tag{5}$$

The terms fall as $|i-j|^{2H-2-1/\alpha}$. If their sum converges, it is of order $n$ and $A\sim n^{1-2\zeta}$ diverges;
if it does not, $A$ has a limit. So

$$H>\frac12+\frac1{2\alpha} \tag{6}$$

is needed for Stratonovich's limit, and Skorokhod's alone remains below.

**White noise.** $Z^{\rm Sko}=e^{-n\beta^2/2}Z^{\rm Str}$, and with $b=e^{\beta^2}-1$ two walks in the same potentials
are a renewal process,

$$\mathbb E(Z^{\rm Sko})^2=W_n,\qquad W_n=1+b\sum_{k=1}^nq_{2k}\,W_{n-k} \tag{7}$$

which for nearest neighbours grows as $[1-(\frac b{1+b})^2]^{-n}$ in the end. Strong disorder gathers the walk into few
channels, and $-\ln Z$ is a rough surface of the class of Kardar, Parisi and Zhang.

**Valid:** (3) as $n\to\infty$. (7) at every $n$. Where the noise has a memory the second moment is only known to be at
least $1+w$, the mean of Stratonovich's $Z$ only to be at least $e^A$, but for few steps of nearest neighbours, where
all walks are counted.

**Simulation:** for all end points at once, $Z\to P*(e^{\beta\omega}Z)$ on a ring of sites by Fourier transform. For
Skorokhod's $Z$ with memory no such step exists (the correction depends on the walk): walks are counted out, at 12 steps
or fewer.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.disorder.colored_she.dynamics import ColoredSHESimulation
from mfexplore.models.disorder.colored_she.theory import (
    COUNTED_OUT,
    LONGEST,
    all_walks,
    correction,
    first_chaos,
    growth_rate,
    second_moments,
    self_overlaps,
    sums_in_time,
)
from mfexplore.numerics.chance.fractional_noise import correlation

COLOURED = {"noise": ("coloured",)}


@dataclass(frozen=True)
class ColoredSHE(core.Model):
    strength: float = core.control(
        0.5, 0.0, 3.0, symbol=r"\hat\beta", role="disorder", step=0.01, quenched=True,
        doc="of the potentials, after the scaling (3); its inverse is a temperature",
    )  # fmt: skip
    hurst: float = core.control(
        0.9, 0.5, 0.95, symbol="H", role="disorder", step=0.005, quenched=True, title="Hurst exponent",
        doc="memory of the potentials in time", only=COLOURED,
    )  # fmt: skip
    alpha: float = core.control(
        2.0, 1.05, 2.0, symbol=r"\alpha", role="order", step=0.01, quenched=True, title="exponent of jumps",
        doc="how rare long jumps are; at the largest all are to nearest neighbours",
    )  # fmt: skip
    length: int = core.control(
        1024, 1, LONGEST, symbol="n", role="size", scale="log", doc="steps of the walk"
    )  # fmt: skip
    noise: str = core.choice("coloured", ("coloured", "white"), doc="whether potentials remember")
    size: int = core.control(
        1024, 16, 2048, symbol="L", role="size", scale="log", part="simulation", doc="end points, on a ring"
    )

    title = "Walk in coloured noise"
    summary = "A random walk in potentials with a memory: its partition function has two limits, or only one."
    tags = core.Tags("research", 20, ("localization", "growth"), ("field theory", "exact sums"))
    sources = (
        core.Source("G. Rang, Stoch. Process. Appl. 130, 3408 (2020): from walks to the equation",
                    doi="10.1016/j.spa.2019.09.018"),
        core.Source("T. Alberts, K. Khanin, J. Quastel, Ann. Probab. 42, 1212 (2014): intermediate disorder",
                    doi="10.1214/13-AOP858", arxiv="1202.4398"),
        core.Source("Y. Hu, J. Huang, D. Nualart, S. Tindel, Electron. J. Probab. 20, 55 (2015)",
                    doi="10.1214/EJP.v20-3316"),
    )  # fmt: skip
    observables = (
        core.Observable("exponent", r"\zeta", "of the scaling (3): longer walks need less disorder", low=0, high=0.7),
        core.Observable("first_chaos", "w", "weight of the first chaos, eq. (4): how strong the disorder is", low=0,
                        high=2),
        core.Observable("correction", "A", "how often a walk meets itself, eq. (5): what the two integrals differ by",
                        low=0, high=5),
        core.Observable("ito_mean", r"\mathbb{E}Z^{\rm Sko}", "mean of Itô and Skorokhod's partition function", low=0,
                        title="Itô mean"),
        core.Observable("stratonovich_mean", r"\mathbb{E}Z^{\rm Str}", "mean of Stratonovich's, or what it is at least",
                        low=1, scale="log", title="Stratonovich mean"),
        core.Observable("second_moment", r"\mathbb{E}Z^2/(\mathbb{E}Z)^2", "of Itô and Skorokhod's, or what it is at "
                        "least; in a run with memory Stratonovich's", low=1, scale="log"),
    )  # fmt: skip
    phases = (
        core.Phase("both_limits", "Walks meet their own past often enough, and evenly: both integrals have a limit."),
        core.Phase("skorokhod_only", "What Stratonovich's integral has more grows without end: only Skorokhod's has a "
                   "limit.", title="Skorokhod only"),
    )  # fmt: skip
    failures = (
        core.Failure(
            "no_limit", "Stratonovich's mean has no limit: the number belongs to this many steps only.", only=COLOURED
        ),
    )
    landmarks = (
        core.Landmark("stratonovich_limit", "H_c", "eq. (6): Stratonovich's limit exists above", of="hurst",
                      only=COLOURED, title="Stratonovich limit"),
        core.Landmark("strong_disorder", "w=1", "the first chaos is as large as the mean", continuous=False,
                      of="strength"),
    )  # fmt: skip
    planes = (
        core.Plane("hurst", "alpha", "correction", along="x", finest=65, only=COLOURED),
        core.Plane("length", "strength", "first_chaos", along="y", finest=33),
    )
    presets = (
        core.Preset(
            "enough memory", {},
            "Both integrals have a limit: the correction stays below one, and the law is the same after a quarter.",
            view=core.View(plane=("hurst", "alpha"), colour="correction", series="log_variance", picture="landscape"),
        ),
        core.Preset(
            "one limit only", {"hurst": 0.6, "strength": 0.5},
            "Too little memory: the correction grows with the number of steps, and so does the mean of Z.",
            view=core.View(plane=("length", "strength"), colour="correction", along="length",
                           series="stratonovich_mean", picture="law"),
        ),
        core.Preset(
            "ten steps, two integrals", {"hurst": 0.9, "strength": 1.0, "length": 10, "size": 2048},
            "All walks counted: in the same potentials Stratonovich's Z is larger; the mean of Skorokhod's is one.",
            view=core.View(plane=("hurst", "alpha"), colour="stratonovich_mean", along="hurst",
                           series="stratonovich_mean", picture="two integrals"),
        ),
        core.Preset(
            "weak and white", {"noise": "white", "strength": 0.5},
            "Without memory the Itô mean stays at one, and the second moment follows the exact renewal.",
            view=core.View(plane=("length", "strength"), colour="second_moment", along="strength",
                           series="second_moment", picture="landscape"),
        ),
        core.Preset(
            "channels", {"noise": "white", "strength": 3.0},
            "Strong disorder gathers all walks into few channels; ln Z is the surface of a growing crystal.",
            view=core.View(plane=("length", "strength"), colour="first_chaos", along="strength", series="log_variance",
                           picture="landscape"),
        ),
        core.Preset(
            "long jumps", {"alpha": 1.3, "hurst": 0.93, "strength": 1.0},
            "Jumps seldom return, so that both limits want more memory; channels are wide, and stay where they are.",
            view=core.View(plane=("hurst", "alpha"), colour="correction", along="alpha", series="log_variance",
                           picture="landscape"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "second moment after 10 white steps, $b=0.5$", 4.599555969, 1e-8, "two replicas in their distance",
            core.Value("second_moment"),
            {"noise": "white", "length": 10, "strength": math.sqrt(math.log(1.5)) * 10**0.25},
        ),
        core.Reference(
            "growth of the second moment, $b=0.5$", 0.11778303565638346, 1e-12, r"$-\ln[1-(\frac{b}{1+b})^2]$",
            lambda _: growth_rate(0.5), {"noise": "white"}, published=True,
        ),
        core.Reference(
            r"Stratonovich mean, 10 steps, $\beta=0.3$", 1.8426184042350493, 1e-11, "1024 walks counted, $H=0.75$",
            core.Value("stratonovich_mean"), {"hurst": 0.75, "length": 10, "strength": 0.3 * 10**0.5},
        ),
        core.Reference(
            "correction with much memory, 256 steps", 0.6305, 1e-4, r"the sum (5) as it stands, $\hat\beta=1$",
            core.Value("correction"), {"hurst": 0.9, "length": 256, "strength": 1.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Jumps with the exponent 1.6. How large must H be, at least, for Stratonovich's integral to have a limit?",
            {"alpha": 1.6, "hurst": 0.6}, "hurst", core.Crossing("stratonovich_limit", "hurst"), 0.015,
            "Returns at the lag k have the probability k^(-1/alpha) and the weight k^(2H-2): their sum must diverge, "
            "so that it is not those at the smallest lags that count.",
            view=core.View(plane=("hurst", "alpha")),
        ),
        core.Task(
            "Nearest neighbours in white noise. With which power of n must the disorder be weakened to have a limit?",
            {"noise": "white", "alpha": 2.0}, "exponent", core.Value("exponent"), 0.02,
            "Two walks of n steps meet about n^(1/2) times, each time with the weight of beta squared.", magnitude=True,
            view=core.View(plane=("length", "strength")),
        ),
    )  # fmt: skip
    simulation = ColoredSHESimulation

    @property
    def roughness(self) -> float:
        """The Hurst exponent of the potentials."""
        return 0.5 if self.noise == "white" else self.hurst

    @property
    def beta(self) -> float:
        """Eq. (3)."""
        return float(self.strength * self.length ** (1 / (2 * self.alpha) - self.roughness))

    @property
    def counts_out(self) -> bool:
        """Whether all walks can be counted."""
        return self.alpha == 2 and self.length <= COUNTED_OUT

    def step_spectrum(self) -> Array:
        """Characteristic function of a step at the wave numbers of the ring."""
        angle = 2 * np.pi * np.arange(self.size // 2 + 1) / self.size
        return np.asarray(1 - (1 - np.cos(angle)) ** (self.alpha / 2))

    # -- theory ----------------------------------------------------------------------------------------------------

    def _hurst(self, points: Points) -> Array:
        return np.full_like(points["hurst"], 0.5) if self.noise == "white" else points["hurst"]

    def solve(self, points: Points) -> core.Solution:
        hurst, alpha, n = self._hurst(points), points["alpha"], points["length"]
        zeta = hurst - 1 / (2 * alpha)
        beta = points["strength"] * n**-zeta
        chaos, more = np.array([
            (first_chaos(h, a, k), correction(h, a, k)) for h, a, k in zip(hurst.tolist(), alpha.tolist(), n.tolist(),
                                                                         strict=True)
        ]).T * beta**2  # fmt: skip
        if self.noise == "white":
            square = np.empty(n.shape)
            b = np.expm1(beta**2)
            for a, k in {(float(a), int(k)) for a, k in zip(alpha, n, strict=True)}:
                own = (alpha == a) & (n == k)
                square[own] = second_moments(a, k, b[own])[-1]
            mean = np.exp(np.minimum(n * beta**2 / 2, 600.0))
        else:
            square, mean = 1 + chaos, np.exp(np.minimum(more, 600.0))
            for point in np.flatnonzero((alpha == 2) & (n <= COUNTED_OUT)):
                overlaps = self_overlaps(all_walks(int(n[point])), float(hurst[point]))
                mean[point] = np.exp(0.5 * beta[point] ** 2 * overlaps).mean()
        values = {
            "exponent": zeta, "first_chaos": chaos, "correction": more, "ito_mean": np.ones(n.shape),
            "stratonovich_mean": mean, "second_moment": square,
        }  # fmt: skip
        coloured = self.noise == "coloured"
        fails = {"no_limit": (alpha * (2 * hurst - 1) <= 1) & coloured}
        return core.Solution(values, np.zeros(n.shape), fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        n, beta = min(self.length, 400), self.beta
        if self.length > n:
            return {"(3)": state["exponent"] - self.roughness + 0.5 / self.alpha}
        i = np.arange(1, n + 1)
        rho = correlation(self.roughness, np.subtract.outer(i, i))
        v = (np.arange(20_000) + 0.5) / 20_000
        step = 1 - (1 - np.cos(math.pi * v**4)) ** (self.alpha / 2)
        q, power = np.ones(2 * n + 1), 4 * v**3
        for k in range(1, 2 * n + 1):
            power *= step
            q[k] = power.mean()
        chaos = beta**2 * np.sum(rho * q[np.add.outer(i, i)])
        more = 0.5 * beta**2 * np.sum(rho * q[np.abs(np.subtract.outer(i, i))])
        found = {"(4)": (chaos - state["first_chaos"]) / (1 + chaos), "(5)": (more - state["correction"]) / (1 + more)}
        if self.noise == "white" and np.isfinite(state["second_moment"]):  # the coefficient of its generating function
            radius = (state["second_moment"] * math.exp(12)) ** (-1 / n)
            x = radius * np.exp(2j * np.pi * np.arange(4 * n) / (4 * n))
            meetings = np.expm1(beta**2) * np.polyval(np.append(q[2::2][::-1], 0.0), x)
            whole = np.mean((1 / ((1 - x) * (1 - meetings))) * x**-n).real
            found["(7)"] = whole / state["second_moment"] - 1
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        both = points["alpha"] * (2 * self._hurst(points) - 1) > 1
        return {"both_limits": both, "skorokhod_only": ~both}

    def boundary(self, name: str, points: Points) -> Array:
        if name == "stratonovich_limit":
            return np.asarray(0.5 + 1 / (2 * points["alpha"]))
        hurst, alpha, n = self._hurst(points), points["alpha"], points["length"]
        whole = np.array([
            first_chaos(h, a, round(k)) * k ** (1 / a - 2 * h)
            for h, a, k in zip(hurst.tolist(), alpha.tolist(), n.tolist(), strict=True)
        ])  # fmt: skip
        return np.asarray(whole**-0.5)

    def landmark(self, name: str, along: str) -> Array:
        """Strong disorder is solved for the strength alone: along others every step would want its own walk."""
        if name == "strong_disorder" and along != "strength":
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return super().landmark(name, along)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """The same of its curve."""
        if name == "strong_disorder" and "strength" not in (x, y):
            raise core.NotOfferedError(self.title, f"{name} in the plane ({x}, {y})")
        return super().trace_landmark(name, x, y, x_range)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Of a walk that is shorter at the same beta."""
        steps = np.clip(np.round(np.asarray(times)), 0, self.length).astype(int)
        beta = self.beta
        if self.noise == "white":
            square = second_moments(self.alpha, self.length, np.array([np.expm1(beta**2)]))[steps, 0]
            return {"second_moment": square, "ito_mean": np.ones(steps.size),
                    "stratonovich_mean": np.exp(np.minimum(steps * beta**2 / 2, 600.0))}  # fmt: skip
        chaos, more = (beta**2 * table[steps] for table in sums_in_time(self.hurst, self.alpha, self.length))
        return {"second_moment": 1 + chaos, "stratonovich_mean": np.exp(np.minimum(more, 600.0))}

    def caveat(self) -> str:
        return "what is compared is a lower bound, or rare end points carry the mean"

    def footprint(self) -> int:
        return 60 * self.size * self.length + 100_000
