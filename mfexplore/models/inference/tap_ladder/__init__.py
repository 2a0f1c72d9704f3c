r"""The ladder of mean-field theories on one small system: naive mean field, TAP, third order, adaptive TAP, exact.

$N$ spins $s_i=\pm1$ with one fixed set of symmetric couplings $J_{ij}$ ($J_{ii}=0$) and a field $h$ have the
probability

$$p(s)=\frac1Z\exp\frac1T\Big(\sum_{i<j}J_{ij}s_is_j+h\sum_is_i\Big) \tag{1}$$

What are the means $m_i=\langle s_i\rangle$ (*inference*: what does a noisy model say about each unknown)? With
$\beta=1/T$, the free energy at fixed means, expanded in the couplings (Plefka 1982; Georges and Yedidia 1991), is

$$-\beta G(m)=\sum_i[S(m_i)+\beta hm_i]+\beta\sum_{i<j}J_{ij}m_im_j+\frac{\beta^2}2\sum_{i<j}J_{ij}^2v_iv_j$$

$$+\frac{2\beta^3}3\sum_{i<j}J_{ij}^3m_iv_im_jv_j+\beta^3\sum_{i<j<k}J_{ij}J_{jk}J_{ki}v_iv_jv_k+\dots \tag{2}$$

with $v_i=1-m_i^2$ and the entropy $S$ of a single spin. Each rung of the ladder stops later. First order is *naive mean
field*, $m_i=\tanh\beta(h+\sum_jJ_{ij}m_j)$; second order are the equations of Thouless, Anderson and Palmer (*TAP*),
with the reaction of a spin on itself through its neighbours:

$$m_i=\tanh\beta\Big(h+\sum_jJ_{ij}m_j-\beta m_i\sum_jJ_{ij}^2v_j\Big) \tag{3}$$

*third order* keeps one term more. Responses follow from the curvature, $\chi=(-\beta\,\partial^2G/\partial
m\,\partial m)^{-1}$, and are the correlations $\langle s_is_j\rangle-m_im_j$. *Adaptive TAP* (Opper and Winther 2001;
expectation propagation) does not expand: it chooses the reaction $V_i$ in

$$m_i=\tanh\Big(\beta h+\beta\sum_jJ_{ij}m_j-V_im_i\Big) \tag{4}$$

so that response and fluctuation of each spin agree: with $\Lambda_i=V_i+1/v_i$ the matrix $\chi=(\Lambda-\beta J)^{-1}$
has the diagonal $\chi_{ii}=v_i$.

*exact* sums over all $2^N$ states (up to $N=20$). Four kinds of couplings, to each of which a uniform part of total
strength $J_0$ per spin is added:

- `sk`: $J_{ij}\sim\mathcal N(0,J^2/N)$ (Sherrington and Kirkpatrick);
- `hopfield`: $J_{ij}=\frac JN\sum_{\mu=1}^K\xi_i^\mu\xi_j^\mu$ with $K=\alpha N$ random patterns;
- `ferromagnet`: a ring where each spin is coupled to its four nearest ones by $J/4$ (with $J=0$ only the uniform part
  is left, Curie and Weiss);
- `rbm`: half the spins visible, half hidden, $J_{ij}\sim\mathcal N(0,2J^2/N)$ between the halves and nothing within.

Solving (3) by iteration needs care (Bolthausen 2014): the reaction belongs to the time before,

$$m^{t+1}=\tanh\beta\Big(h+Jm^t-\beta\,m^{t-1}\circ(J\circ J)v^t\Big) \tag{5}$$

which for $N\to\infty$ converges down to the de Almeida-Thouless line; with $m^t$ in its place it stops converging much
earlier. At the sizes here samples differ, and some fail well above that line: with $N=300$ and $h=0.2$, where it is at
0.725, 7 of 16 samples at $T=0.9$ and none at 1.1.

**Valid:** naive mean field is a bound, $f_{\rm naive}\ge f_{\rm exact}$; the others are not. The expansion is one in
weak couplings: Plefka's condition $\beta^2\sum_{ij}v_i^2J_{ij}^2v_j^2<\sum_iv_i^2$ must hold, else TAP and its
successors are flagged. Without a field every mean of a finite system vanishes by symmetry; a theory that shows
$m_i\ne0$ there has chosen one of several states, and is flagged. At low temperature the equations have many solutions;
shown is the best of those reached by slow cooling and from the rung below. No solution found is shown as unconverged.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.distinct import distinct
from mfexplore.families.lattice_spins.enumeration import coupled
from mfexplore.models.inference.tap_ladder.dynamics import LadderSimulation
from mfexplore.models.inference.tap_ladder.expansion import BROKEN_SYMMETRY, DIVERGING, NOT_A_MINIMUM, VALID, spread
from mfexplore.models.inference.tap_ladder.instance import ENUMERABLE, instance, spectrum
from mfexplore.models.inference.tap_ladder.ladder import DENSE, EXACT, climb
from mfexplore.numerics.later import brentq

INSTANCE = ("size", "sample", "load")  # controls that choose the couplings


@dataclass(frozen=True)
class TapLadder(core.Model):
    temperature: float = core.control(
        1.2, 0.1, 3.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="noise of the distribution"
    )
    field: float = core.control(
        0.2, -1.0, 1.0, symbol="h", unit="J", role="field", step=0.01, doc="field on every spin"
    )
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 2.0, symbol="J_0", role="coupling", step=0.01, doc="total strength of the uniform couplings of a spin"
    )
    disorder: float = core.control(
        1.0, 0.0, 2.0, symbol="J", role="disorder", step=0.01, doc="strength of the structured or random couplings"
    )
    coupling_kind: str = core.choice(
        "sk",
        {"sk": "SK", "hopfield": "Hopfield", "ferromagnet": "ferromagnet", "rbm": "RBM"},
        doc="what the structured couplings are",
    )
    load: float = core.control(
        0.25, 0.02, 1.0, symbol=r"\alpha", role="load", step=0.01, quenched=True, only={"coupling_kind": ("hopfield",)},
        doc="patterns per spin, for Hopfield couplings",
    )  # fmt: skip
    size: int = core.control(
        12, 4, 300, symbol="N", unit="spins", role="size", scale="log", doc="spins; exact sums up to 20"
    )
    sample: int = core.control(
        1, 1, 999, symbol="k", role="setting", quenched=True, doc="which sample of the couplings"
    )
    dynamics: str = core.choice(
        "glauber", {"glauber": "Glauber", "naive": "naive", "tap": "TAP", "tap_wrong_index": "TAP, wrong time index"},
        part="simulation",
        doc="heat-bath sampling, or an iteration: naive mean field, TAP as eq. (5), TAP with the wrong time index",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "up"), role="start", part="simulation", doc="spins or means to start from"
    )

    version = 2
    tags = core.Tags("course", 20, ("glass",), ("self-consistency", "TAP", "exact sums"))
    relations = (
        core.Relation(
            "looks differently at", "sherrington_kirkpatrick",
            "One sample of few spins, solved exactly, judges the theories that are made for very many.",
            here={"coupling_kind": "sk"},
        ),
        core.Relation(
            "looks differently at", "hopfield",
            "Hebb's couplings need another reaction term than independent ones, which the adaptive theory finds by "
            "itself.",
            here={"coupling_kind": "hopfield"},
        ),
    )  # fmt: skip
    title = "The mean-field ladder"
    summary = (
        "Naive mean field, TAP, third order, adaptive TAP and the exact answer, on one small system of your choice."
    )
    sources = (
        core.Source(
            "D. J. Thouless, P. W. Anderson, R. G. Palmer, Phil. Mag. 35, 593 (1977)", doi="10.1080/14786437708235992"
        ),
        core.Source("T. Plefka, J. Phys. A 15, 1971 (1982)", doi="10.1088/0305-4470/15/6/035"),
        core.Source("A. Georges, J. S. Yedidia, J. Phys. A 24, 2173 (1991)", doi="10.1088/0305-4470/24/9/024"),
        core.Source("M. Opper, O. Winther, Phys. Rev. E 64, 056131 (2001)", doi="10.1103/PhysRevE.64.056131"),
        core.Source("E. Bolthausen, Commun. Math. Phys. 325, 333 (2014)", doi="10.1007/s00220-013-1862-3"),
        core.Source("M. Gabrié, Mean-field inference methods for neural networks, J. Phys. A 53, 223002 (2020)",
               doi="10.1088/1751-8121/ab7f65"),
    )  # fmt: skip
    methods = (
        core.Method(
            "naive", "first order of eq. (2): independent spins in the mean of their neighbours",
            describes={"dynamics": ("glauber", "naive")},
        ),
        core.Method(
            "tap", "second order: with the reaction of a spin on itself through its neighbours", title="TAP",
            describes={"dynamics": ("glauber", "tap", "tap_wrong_index")},
        ),
        core.Method(
            "plefka3", f"third order: with triangles of couplings; absent above {DENSE} spins, where it is slow",
            title="third order", describes={"dynamics": ("glauber",)},
        ),
        core.Method(
            "adaptive_tap",
            f"reactions that make response and fluctuation agree, eq. (4); absent above {DENSE} spins",
            title="adaptive TAP", describes={"dynamics": ("glauber",)},
        ),
        core.Method(
            "exact", f"sum over all states; absent above {ENUMERABLE} spins, where there are too many",
            describes={"dynamics": ("glauber",)},
        ),
    )  # fmt: skip
    observables = (
        core.Observable("magnetization", "m", "mean of the m_i", low=-1, high=1, signed=True),
        core.Observable("overlap", "q", "mean of the m_i squared", low=0, high=1),
        core.Observable(
            "correlation", r"\sqrt{\overline{\chi^2}}", "root mean square connected correlation of two spins"
        ),
        core.Observable("free_energy", "f", "free energy per spin", unit="J"),
        core.Observable("site_magnetization", "m_i", "mean of each spin", low=-1, high=1, signed=True, over="site"),
    )
    coordinates = (core.Coordinate("site", "i", "number of a spin", discrete=True),)
    failures = (
        core.Failure(
            "not_a_minimum",
            "The solution is not a minimum of the free energy: some response is negative, which no true one can be.",
        ),
        core.Failure(
            "diverging_expansion",
            "Plefka's condition is violated: couplings are too strong, or the system too cold, for the expansion. In "
            "the Sherrington-Kirkpatrick model this is the region below the de Almeida-Thouless line.",
        ),
        core.Failure(
            "broken_symmetry",
            "Without a field every mean of a finite system is zero. The theory has chosen one of several states.",
        ),
    )
    landmarks = (
        core.Landmark(
            "onset_naive", r"T_{\rm naive}", "without a field, m = 0 is unstable below it by naive mean field",
            of="temperature",
        ),
        core.Landmark(
            "onset_tap", r"T_{\rm TAP}", "the same by TAP", continuous=False, title="onset of TAP", of="temperature"
        ),
        core.Landmark("onset_plefka3", r"T_3", "the same by the third order", continuous=False, of="temperature"),
    )  # fmt: skip
    planes = (
        core.Plane("ferromagnetic_bias", "temperature", "magnetization", finest=129),
        core.Plane("field", "temperature", "overlap", finest=129),
    )
    presets = (
        core.Preset(
            "warm glass", {"temperature": 2.0, "field": 0.2},
            "Every rung comes closer: naive mean field misses the m_i by 0.075, TAP by 0.005, third order by 0.002.",
            view=core.View(function="site_magnetization"),
        ),
        core.Preset(
            "ferromagnet near its transition",
            {"temperature": 1.0, "field": 0.1, "coupling_kind": "ferromagnet"},
            "A ring has no transition. Naive mean field says m = 0.6 where the truth is 0.3; the third order is close.",
            (core.Promise(core.Value("magnetization", method="naive"), 0.6, 0.05),
             core.Promise(core.Value("magnetization", method="exact"), 0.3, 0.05)),
        ),
        core.Preset(
            "below the AT line", {"temperature": 0.8, "field": 0.1, "dynamics": "tap"},
            "The TAP iteration no longer settles, even with the right time index, and Plefka's condition fails.",
            view=core.View(plane=("field", "temperature"), series="change"),
        ),
        core.Preset(
            "the wrong time index", {"temperature": 1.5, "field": 0.3, "dynamics": "tap_wrong_index"},
            "Far above the AT line the textbook iteration flips between two values; switch to tap and it settles.",
            view=core.View(plane=("field", "temperature"), series="change"),
        ),
        core.Preset(
            "machine of two layers", {"temperature": 1.5, "coupling_kind": "rbm", "sample": 4},
            "Visible and hidden spins: naive mean field freezes far too early; the third order beats adaptive TAP.",
        ),
        core.Preset(
            "memories", {"temperature": 1.0, "coupling_kind": "hopfield", "load": 0.25, "sample": 5},
            "Couplings that store patterns are correlated: TAP, which assumes they are not, is off by 0.07, adaptive "
            "TAP by 0.009.",
            view=core.View(function="site_magnetization"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "exact free energy of 12 uniformly coupled spins at T = 1.5", -1.107246551788191, 1e-12,
            "sum over the 13 values of the magnetization", core.Value("free_energy", method="exact"),
            {"temperature": 1.5, "field": 0.2, "disorder": 0.0, "ferromagnetic_bias": 1.2},
        ),
        core.Reference(
            "naive onset of 12 uniformly coupled spins", 1.1, 1e-12, "largest eigenvalue of the couplings, J_0 (N-1)/N",
            core.Crossing("onset_naive", "temperature"), {"disorder": 0.0, "ferromagnetic_bias": 1.2},
        ),
        core.Reference(
            "naive onset of a ring with four neighbours", 1.0, 1e-12, "largest eigenvalue of the couplings, 4 J/4",
            core.Crossing("onset_naive", "temperature"), {"coupling_kind": "ferromagnet"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Twelve spins on a ring, each coupled to its four nearest, at T = 1 in a field of 0.1. Naive mean field "
            "says that the magnetization is 0.6. What is it really?",
            {"temperature": 1.0, "field": 0.1, "coupling_kind": "ferromagnet"}, "magnetization",
            core.Value("magnetization", method="exact"), 0.05,
            "About half of that: the field of the neighbours fluctuates, and part of it is only the spin's own echo.",
        ),
    )  # fmt: skip
    simulation = LadderSimulation

    @property
    def patterns(self) -> int:
        """Patterns stored by Hopfield couplings."""
        return self.counted("load", self.size)

    def realised(self) -> TapLadder:
        return self.with_simulated(load=self.patterns / self.size)

    @property
    def instance(self) -> tuple[str, int, int, int]:
        """What chooses the couplings."""
        return self.coupling_kind, self.size, self.patterns, self.sample

    def couplings(self) -> Array:
        """The matrix J_ij, shape (size, size)."""
        structured, uniform = instance(*self.instance)
        return np.asarray(self.disorder * structured + self.ferromagnetic_bias * uniform)

    def _solved(self, points: Points) -> tuple[Array, Array, list[Array]]:
        """Free energy, correlation and residual of the theories at points of any instances, shape (3, n, methods),
        their failures, (n, methods), and the m_i of each point, (methods, size).
        """
        table = np.full((3, points["temperature"].size, len(self.methods)), np.nan)
        failure = np.full(table.shape[1:], VALID, np.int8)
        models, place = self._variants(points, INSTANCE)
        sites = [np.full((len(self.methods), models[p].size), np.nan) for p in place]
        names = ("temperature", "field", "disorder", "ferromagnetic_bias")
        for k, (t, h, disorder, bias) in enumerate(zip(*(points[name] for name in names), strict=True)):
            one = models[place[k]]
            structured, uniform = instance(*one.instance)
            free_energy, correlation, residual = table[:, k]
            j = disorder * structured + bias * uniform
            climb(t, h, j, sites[k], free_energy, correlation, residual, failure[k])
            if one.size <= ENUMERABLE:
                sites[k][EXACT], *table[:, k, EXACT] = one._counted(t, h, disorder, bias)
        return table, failure, sites

    def _counted(self, t: float, h: float, disorder: float, bias: float) -> tuple[Array, float, float, float]:
        """The m_i, free energy, correlation and residual of sums over all states."""
        structured, uniform, total = spectrum(*self.instance)
        means, pairs = np.empty(self.size), np.empty((self.size, self.size))
        scratch = np.empty(2 * total.size), np.empty(total.size)
        log_z = coupled(disorder * structured + bias * uniform, total, 1 / t, h, *scratch, means, pairs)
        # Without a field means are zero by symmetry; what is left of the sums is rounding.
        return means if h != 0 else 0 * means, -t * log_z / self.size, spread(pairs), 0.0

    def sites(self) -> Array:
        """The m_i by every method, shape (methods, size); NaN where a method has no solution."""
        here = {k: np.array([v]) for k, v in self.values().items() if not isinstance(v, str)}
        table, _, (sites,) = self._solved(here)
        with np.errstate(invalid="ignore"):
            return np.where(table[2, 0, :, None] <= self.tolerance, sites, np.nan)

    def solve(self, points: Points) -> core.Solution:
        (free_energy, correlation, residual), failure, sites = self._solved(points)
        values = {
            "magnetization": np.array([m.mean(axis=1) for m in sites]),
            "overlap": np.array([(m**2).mean(axis=1) for m in sites]),
            "correlation": correlation,
            "free_energy": free_energy,
        }
        fails = {
            "not_a_minimum": failure == NOT_A_MINIMUM,
            "diverging_expansion": failure == DIVERGING,
            "broken_symmetry": failure == BROKEN_SYMMETRY,
        }
        return core.Solution(values, residual, fails=fails)

    def profiles(self) -> dict[str, core.Profile]:
        return {"site_magnetization": core.Profile(np.arange(self.size), self.sites())}

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        beta, h, j, method = 1 / self.temperature, self.field, self.couplings(), state["method"]
        order = [one.name for one in self.methods].index(method) + 1
        m = self.sites()[order - 1]
        v, local = 1 - m**2, beta * (h + j @ m)
        if method == "exact":
            s = np.array(list(itertools.product((-1, 1), repeat=self.size)))
            gain = beta * (0.5 * np.einsum("ki,ij,kj->k", s, j, s) + h * s.sum(axis=1))
            weight = np.exp(gain - gain.max())
            pressure, wanted = math.log(weight.sum()) + gain.max(), weight @ s / weight.sum()
        elif method == "adaptive_tap":
            reaction = (local - np.arctanh(m)) / m
            chi = np.linalg.inv(np.diag(reaction + 1 / v) - beta * j)
            return {"(4)": np.abs(np.diag(chi) - v).max()}
        else:
            p = np.clip(np.stack([(1 + m) / 2, (1 - m) / 2]), 1e-300, 1)
            pressure = -np.sum(p * np.log(p)) + beta * h * m.sum() + 0.5 * beta * m @ j @ m
            wanted = local
            if order >= 2:
                pressure += 0.25 * beta**2 * v @ j**2 @ v
                wanted = wanted - beta**2 * m * (j**2 @ v)
            if order >= 3:
                around = np.linalg.matrix_power(j * v, 3)
                pressure += beta**3 / 3 * (m * v) @ j**3 @ (m * v) + beta**3 / 6 * np.trace(around)
                wanted = wanted + 2 / 3 * beta**3 * (1 - 3 * m**2) * (j**3 @ (m * v))
                wanted -= beta**3 * m * np.diag(around) / v
            wanted = np.tanh(wanted)
        return {
            "m": np.abs(m - wanted).max() if h or method != "exact" else 0.0,
            "(2)": state["free_energy"] + pressure / (beta * self.size),
        }

    def boundary(self, name: str, points: Points) -> Array:
        order = ("onset_naive", "onset_tap", "onset_plefka3").index(name) + 1
        models, place = self._variants(points, (*INSTANCE, "disorder", "ferromagnetic_bias"))
        return np.array([model._onset(order) for model in models])[place]

    def _variants(self, points: Points, names: tuple[str, ...]) -> tuple[list[TapLadder], Array]:
        """The different models among points that differ in some controls, and which of them each point is."""
        first, place = distinct([points[name] for name in names])
        values = ([points[name][k].item() for name in names] for k in first)
        return [self.replace(**dict(zip(names, each, strict=True))) for each in values], place

    def landmark(self, name: str, along: str) -> Array:
        """Along the temperature only: elsewhere every place is a search among eigenvalues."""
        if along != "temperature":
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return super().landmark(name, along)

    def _onset(self, order: int) -> float:
        """The temperature at which m = 0 becomes unstable, coming from above; NaN where it does not."""
        j = self.couplings()
        if order == 1:
            return float(np.linalg.eigvalsh(j)[-1])
        triangles = np.diag(np.einsum("ij,jk,ki->i", j, j, j, optimize=True))
        reaction = np.diag((j**2).sum(axis=1))

        def growth(beta: float) -> float:
            """Largest eigenvalue of the linearised equations, minus one."""
            third = 2 / 3 * beta**3 * j**3 - beta**3 * triangles if order >= 3 else 0.0
            return float(np.linalg.eigvalsh(beta * j - beta**2 * reaction + third)[-1] - 1)

        low, high = self.control("temperature").bounds
        betas = np.geomspace(1 / high, 1 / low, 32)
        grown = np.array([growth(beta) for beta in betas])
        onsets = np.flatnonzero((grown[:-1] < 0) & (grown[1:] >= 0))
        return float(1 / brentq(growth, *betas[onsets[0] :][:2], xtol=1e-14)) if onsets.size else math.nan

    def caveat(self) -> str:
        return "each rung of the ladder leaves out what the next takes in; in the cold all fail, and runs get stuck"

    def footprint(self) -> int:
        return 40 * self.size**2 + 2048 * self.size
