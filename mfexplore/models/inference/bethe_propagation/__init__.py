r"""Belief propagation: Ising models and spin glasses on sparse graphs, solved message by message.

Spins $s_i=\pm1$ sit on the nodes of a graph; every edge has a coupling $J_{ij}=+1$, or $-1$ with probability $\rho$:

$$H=-\sum_{\langle ij\rangle}J_{ij}s_is_j-h\sum_is_i \tag{1}$$

On a tree a spin can be asked what field it would pass on to a neighbour that is not there. These *messages* obey

$$u_{i\to j}=T\,\mathrm{artanh}\Big[\tanh\frac{J_{ij}}T\,\tanh\frac1T\Big(h+\sum_{k\ne j}u_{k\to i}\Big)\Big] \tag{2}$$

(*belief propagation*), and $m_i=\tanh(H_i/T)$ with $H_i=h+\sum_ku_{k\to i}$. This is exact on a tree, and on a random
graph as $N\to\infty$, because its loops are of length $\ln N$. The free energy is that of Bethe,

$$-\frac FT=\sum_i\ln Z_i-\sum_{\langle ij\rangle}\ln Z_{ij} \tag{3}$$

with $Z_i=2\cosh\frac{H_i}T\prod_k\cosh\frac1T/\cosh\frac{u_{k\to i}}T$ for a node, and for an edge
$Z_{ij}=\cosh\frac1T\cosh\frac{H_i}T/(\cosh\frac{u_{j\to i}}T\cosh\frac{H_i-u_{j\to i}}T)$.

In a large random graph messages have a distribution $P(u)$ that reproduces itself (*replica symmetry*):

$$u\stackrel{d}=\pm T\,\mathrm{artanh}\Big[\tanh\frac1T\tanh\frac1T\Big(h+\sum_{k=1}^{K}u_k\Big)\Big] \tag{4}$$

with $K=c-1$ on a random regular graph and a Poisson number $K$ of mean $c$ on an Erdős-Rényi graph (sign: $-$ with
probability $\rho$). Write $B$ for the mean of $K$. Without a field the trivial solution $u=0$ loses stability to a
ferromagnet and to a spin glass at

$$B\,(1-2\rho)\tanh\frac1{T_F}=1,\qquad B\tanh^2\frac1{T_{SG}}=1 \tag{5}$$

The two lines meet on the *Nishimori line* $\tanh(1/T)=1-2\rho$, where $1-2\rho=B^{-1/2}$. On that line the model is
one of Bayes-optimal inference: overlap and magnetization are equal and replica symmetry is never broken. Elsewhere it
breaks once a perturbation of one message, passed on by (2), grows:

$$\lambda=\lim_{n\to\infty}\Big(\sum_{\text{spins at distance }n}\mathbb E\prod\Big(\frac{\partial u}{\partial
u_k}\Big)^2\Big)^{1/n}>1 \tag{6}$$

Equation (4) is solved here on a grid of fields by convolution (*density evolution*), not by sampling: errors are of
order $10^{-6}$. *Population dynamics*, which samples (4), is one of the simulations, beside belief propagation on a
graph of $N$ nodes and heat-bath dynamics of the spins.

**Valid:** as $N\to\infty$ on random graphs where $\lambda<1$. Where $\lambda>1$ (flagged) there are many pure states:
belief propagation does not settle, and the replica-symmetric values are approximations. On the square lattice loops are
short, and theory and belief propagation share the same mistake: they order at $T=2.885$ instead of $2.269$, and find a
spin glass at $\rho=\frac12$ where there is none.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.sparse_graphs.density_evolution import CENTRE, FINENESS, GRID, POINTS, atom, push_linearly
from mfexplore.families.sparse_graphs.graphs import SQUARE_DEGREE
from mfexplore.families.sparse_graphs.replica_symmetric import Ensemble, RandomGraph, glasses
from mfexplore.models.inference.bethe_propagation.dynamics import PropagationSimulation
from mfexplore.models.inference.bethe_propagation.theory import (
    AVERAGES,
    FERROMAGNET,
    PARAMAGNET,
    SPIN_GLASS,
    end_of_order,
    replica_line,
    solved,
)

UNSTABLE = 1 + 1e-6  # growth of a perturbed message from which on it counts as growing
SQUARE_CRITICAL = 2 / math.log(1 + math.sqrt(2))
SQUARE_NISHIMORI = 0.1092  # no ferromagnet on the square lattice beyond this share of negative couplings


@dataclass(frozen=True)
class BethePropagation(core.Model):
    temperature: float = core.control(
        1.0, 0.1, 12.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    antiferromagnetic_fraction: float = core.control(
        0.05, 0.0, 0.5, symbol=r"\rho", role="disorder", step=0.005, doc="share of couplings that are -1"
    )
    degree: int = core.control(
        3, 3, 12, symbol="c", role="load", quenched=True, only={"graph": ("random_regular", "erdos_renyi")},
        doc="neighbours of a node (their mean on an Erdős-Rényi graph; the square lattice has four)",
    )  # fmt: skip
    field: float = core.control(0.0, -2.0, 2.0, symbol="h", unit="J", role="field", step=0.01, doc="uniform field")
    graph: str = core.choice(
        "random_regular",
        {"random_regular": "random regular", "erdos_renyi": "Erdős-Rényi", "square": "square"},
        doc="which graph the spins sit on",
    )
    size: int = core.control(
        3000, 10, 50_000, symbol="N", unit="nodes", role="size", scale="log", part="simulation",
        doc="nodes of the graph, or members of the population",
    )  # fmt: skip
    algorithm: str = core.choice(
        "belief_propagation", ("belief_propagation", "population_dynamics", "heat_bath"), part="simulation",
        doc="messages on a graph, a population of messages, or the dynamics of the spins themselves",
    )  # fmt: skip
    damping: float = core.control(
        0.0, 0.0, 0.95, symbol="d", role="setting", part="simulation", step=0.05,
        only={"algorithm": ("belief_propagation",)},
        doc="share of the old message that is kept in each step of belief propagation",
    )  # fmt: skip
    start: str = core.choice(
        "up", ("up", "random"), role="start", part="simulation", doc="messages (or spins) to start from"
    )

    version = 2
    tags = core.Tags("course", 20, ("phase transition", "glass", "recovery"), ("cavity",))
    relations = (
        core.Relation(
            "coincides with", "ising_lattice",
            "With ferromagnetic bonds only, the messages solve Bethe's approximation to the lattice with as many "
            "neighbours.",
            here={"antiferromagnetic_fraction": 0.0, "degree": 4, "temperature": 2.5},
            there={"lattice": "square", "temperature": 2.5},
        ),
    )  # fmt: skip
    title = "Belief propagation on graphs"
    summary = "Messages on sparse graphs: exact on trees, a spin glass by mixed signs, and wrong where loops are short."
    sources = (
        core.Source("H. A. Bethe, Proc. R. Soc. A 150, 552 (1935)", doi="10.1098/rspa.1935.0122"),
        core.Source("M. Mézard, G. Parisi, Eur. Phys. J. B 20, 217 (2001)", doi="10.1007/PL00011099"),
        core.Source("M. Mézard, A. Montanari, Information, Physics, and Computation (2009)"),
        core.Source("H. Nishimori, Prog. Theor. Phys. 66, 1169 (1981)", doi="10.1143/PTP.66.1169"),
        core.Source(
            "M. Gabrié, Mean-field inference methods for neural networks, J. Phys. A 53, 223002 (2020)",
            doi="10.1088/1751-8121/ab7f65",
        ),
    )
    branches = (
        core.Branch("paramagnet", "no message says anything; without a field only"),
        core.Branch("ferromagnet", "the state reached from all messages up; with a field the only one"),
        core.Branch("spin_glass", "messages of both signs, without a preference; without a field only"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin", low=-1, high=1, signed=True),
        core.Observable("overlap", "q", "mean of the squared m_i (Edwards-Anderson)", low=0, high=1),
        core.Observable("cavity_field", r"\langle u\rangle", "mean message", unit="J", low=-1, high=1, signed=True),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("free_energy", "f", "free energy per spin, eq. (3)", unit="J"),
        core.Observable("entropy", "S", "entropy per spin", low=0, high=math.log(2)),
        core.Observable("stability", r"\lambda", "growth of a perturbed message, eq. (6)", low=0, high=2),
    )
    phases = (
        core.Phase(
            "paramagnet", "Without a field messages fade, slowly near the transition: every mean spin ends at zero."
        ),
        core.Phase("ferromagnet", "Most spins agree; belief propagation settles quickly."),
        core.Phase("spin_glass", "Every spin freezes in a direction of its own, in very many states at once."),
        core.Phase("mixed", "Magnetized, but with many states: a perturbed message disturbs the whole graph."),
    )
    failures = (
        core.Failure(
            "broken_replica_symmetry",
            "A perturbed message grows as it travels (lambda > 1): there are many pure states, the messages of one of "
            "them are not given by these equations, and belief propagation does not settle.",
        ),
        core.Failure(
            "short_loops",
            "The square lattice is disordered here. Its loops of length four bring messages back as if they were news.",
        ),
    )
    landmarks = (
        core.Landmark(
            "ferromagnet", "T_F", "without a field, magnetization begins", of="antiferromagnetic_fraction"
        ),
        core.Landmark(
            "spin_glass", "T_{SG}", "without a field, spins freeze in random directions", of="temperature"
        ),
        core.Landmark(
            "nishimori", "T_N", "without a field, the Nishimori line of Bayes-optimal inference", continuous=False,
            title="Nishimori line", of="antiferromagnetic_fraction",
        ),
        core.Landmark(
            "at_line", r"\lambda=1", "inside the ferromagnet replica symmetry breaks below it", continuous=False,
            title="AT line", of="antiferromagnetic_fraction",
        ),
        core.Landmark(
            "naive_mean_field", "T_{MF}", "naive mean field would order below it", continuous=False, of="temperature"
        ),
    )  # fmt: skip
    planes = (
        core.Plane("antiferromagnetic_fraction", "temperature", "magnetization", finest=129),
        core.Plane("field", "temperature", "magnetization", finest=97),
    )
    presets = (
        core.Preset(
            "ferromagnet", {"temperature": 1.2, "antiferromagnetic_fraction": 0.0},
            "Belief propagation settles in a dozen steps, on the values of the infinite graph to three digits.",
        ),
        core.Preset(
            "critical messages", {"temperature": 1.85, "antiferromagnetic_fraction": 0.0},
            "Just above T_c the opinion fades slowly, along the path that density evolution predicts.",
            (core.Promise(core.Crossing("ferromagnet", "temperature"), 1.820, 0.0005),),
        ),
        core.Preset(
            "spin glass", {"temperature": 0.7, "antiferromagnetic_fraction": 0.5, "start": "random"},
            "Mixed signs, below the spin-glass line: messages never settle, the trace of their change does not fall.",
            (core.Promise(core.Crossing("spin_glass", "temperature"), 1.135, 0.0005),),
            core.View(colour="overlap", series="change"),
        ),
        core.Preset(
            "Nishimori line", {"temperature": 0.9102, "antiferromagnetic_fraction": 0.1},
            "On the line of optimal inference overlap and magnetization are the same, and messages settle.",
        ),
        core.Preset(
            "short loops",
            {"graph": "square", "temperature": 2.6, "antiferromagnetic_fraction": 0.0, "size": 2500},
            "The lattice is disordered at T = 2.6, yet belief propagation insists on m = 0.66; try heat bath.",
            (core.Promise(core.Value("magnetization"), 0.66, 0.005),
             core.Promise(core.Mean("magnetization", 200, 300), 0.66, 0.005)),
        ),
        core.Preset(
            "population", {"temperature": 0.8, "antiferromagnetic_fraction": 0.08, "algorithm": "population_dynamics",
                           "size": 20_000, "graph": "erdos_renyi"},
            "Twenty thousand messages that meet at random reproduce the law of the infinite graph.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "magnetization at c = 3, just below T_c", 0.28297574239631035, 1e-10, "eq. (2) with one message, mpmath",
            core.Value("magnetization"), {"temperature": 1.8, "antiferromagnetic_fraction": 0.0},
        ),
        core.Reference(
            "free energy at c = 6, T = 4", -3.2806277925369187, 1e-10, "eq. (3) with one message, mpmath",
            core.Value("free_energy"), {"degree": 6, "temperature": 4.0, "antiferromagnetic_fraction": 0.0},
        ),
        core.Reference(
            "spin-glass temperature at c = 3", 1.134592657106511, 1e-12, "eq. (5)",
            core.Crossing("spin_glass", "temperature"), {"antiferromagnetic_fraction": 0.5},
        ),
        core.Reference(
            "overlap over magnetization on the Nishimori line", 1.0, 1e-5, "an identity there (Nishimori 1981)",
            lambda model: float(model.equilibrium()["overlap"] / model.equilibrium()["magnetization"]),
            {"temperature": 1 / math.atanh(0.8), "antiferromagnetic_fraction": 0.1}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "On a random graph where every node has three neighbours, all couplings +1, the messages start up. Naive "
            "mean field puts the critical temperature at 3. Where is it?",
            {"temperature": 1.2, "antiferromagnetic_fraction": 0.0}, "temperature",
            core.Crossing("ferromagnet", "temperature"), 0.05,
            "1.820: a spin must not count its own influence that comes back to it through a neighbour.",
        ),
        core.Task(
            "Half of the couplings are -1. Lower the temperature until the spins freeze, each in its own direction. At "
            "which temperature is that?",
            {"temperature": 2.0, "antiferromagnetic_fraction": 0.5, "start": "random"}, "temperature",
            core.Crossing("spin_glass", "temperature"), 0.05,
            "1.135: the mean message stays zero, but its mean square grows by (c - 1) tanh(1/T)^2 in every step.",
        ),
    )  # fmt: skip
    tolerance = 1e-7
    simulation = PropagationSimulation

    @property
    def random_graph(self) -> RandomGraph:
        """The infinite random graph whose equations are solved."""
        return RandomGraph(SQUARE_DEGREE if self.graph == "square" else self.degree, self.graph == "erdos_renyi")

    def realised(self) -> BethePropagation:
        if self.algorithm == "population_dynamics":
            return self
        if self.graph == "square":
            low, high = self.control("size").bounds
            side = max(math.ceil(math.sqrt(low)), min(round(math.sqrt(self.size)), math.isqrt(int(high))))
            return self.with_simulated(size=side**2)
        if self.graph == "random_regular":  # such that all can have the same degree
            return self.with_simulated(size=max(self.size + (self.size * self.degree) % 2, self.degree + 1))
        return self

    def solve(self, points: Points) -> core.Solution:
        found = {name: np.full((points["temperature"].size, 3), np.nan) for name in (*AVERAGES, "order_growth")}
        for degree in np.unique(points["degree"]):
            those = points["degree"] == degree
            at = (points[k][those] for k in ("temperature", "antiferromagnetic_fraction", "field"))
            for name, values in solved(self.replace(degree=int(degree)).random_graph, *at).items():
                found[name][those] = values
        t, rho, h = (points[k][:, None] for k in ("temperature", "antiferromagnetic_fraction", "field"))
        residual, growth = found.pop("residual"), found.pop("order_growth")
        found["entropy"] = (found["energy"] - found["free_energy"]) / t
        unstable, even = found["stability"] >= UNSTABLE, (PARAMAGNET, SPIN_GLASS)
        stable = np.isfinite(residual)
        stable[:, even] &= (1 - 2 * rho) * growth[:, even] <= 1
        stable[:, PARAMAGNET] &= ~unstable[:, PARAMAGNET]
        magnetized = np.abs(np.nan_to_num(found["magnetization"])) > 1e-9
        magnetized[:, SPIN_GLASS] = True
        fails = {
            "short_loops": (self.graph == "square")
            & (h == 0) & magnetized & ((t > SQUARE_CRITICAL) | (rho > SQUARE_NISHIMORI)),
            # The paramagnet is unstable there, but a solution like any other.
            "broken_replica_symmetry": unstable & ~self.on("paramagnet", np.ones(len(t), bool)),
        }  # fmt: skip
        return core.Solution(found, residual, stable=stable, fails=fails)

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The branch that messages started up arrive at: free energies of glassy states do not decide."""
        exists = solution.exists(self.tolerance)
        order = (FERROMAGNET, SPIN_GLASS, PARAMAGNET)
        return np.select([exists[:, k] for k in order], order, -1)

    def classify(self, points: Points, states: core.States) -> dict[str, Array]:
        broken = states.value("stability", "ferromagnet") >= UNSTABLE
        return {"mixed": states.equilibrium["ferromagnet"] & broken, **states.equilibrium}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        t, rho = points["temperature"], points["antiferromagnetic_fraction"]
        degree = np.full(t.size, SQUARE_DEGREE) if self.graph == "square" else points["degree"]
        branching, straight = degree - (self.graph != "erdos_renyi"), 1 - 2 * rho
        free = points["field"] == 0
        freezing = 1 / np.arctanh(branching**-0.5)
        if name == "spin_glass":
            return freezing, free & (straight <= branching**-0.5)
        if name == "nishimori":
            return 0.5 * (1 - np.tanh(1 / t)), free
        if name == "naive_mean_field":
            return np.where(free, degree * straight, np.nan)
        values, real = np.full((2, t.size), np.nan), np.stack([free & (t >= freezing), free & (t < freezing)])
        if name == "ferromagnet":  # into a paramagnet
            values[0] = 0.5 * (1 - 1 / (branching * np.tanh(1 / t)))
        line = end_of_order if name == "ferromagnet" else replica_line
        for each in np.unique(degree[free]):
            temperatures, shares = line(RandomGraph(int(each), self.graph == "erdos_renyi"))
            those = degree == each
            values[1, those] = np.interp(t[those], temperatures, shares)
            real[1, those] &= t[those] >= temperatures[0]
        return values.T, real.T

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """For the distribution of messages, moments of both sides; sums of messages by convolution."""
        t, h, straight = self.temperature, self.field, 1 - 2 * self.antiferromagnetic_fraction
        graph, poissonian = self.random_graph, self.random_graph.poissonian
        u, w = GRID, self._weights(state["branch"])[1][0]
        if state["branch"] == "ferromagnet" and not poissonian and straight == 1:  # the same for all
            u, w = np.array([state["cavity_field"]]), np.ones(1)

        def summed(number: int) -> tuple[Array, Array]:
            """Values and weights of the sum of so many messages, or of a Poisson number of that mean."""
            chances = np.append(np.zeros(number), 1.0)
            if poissonian:
                ratios = number / np.arange(1, number + 12 * math.isqrt(number) + 24)
                chances = math.exp(-number) * np.cumprod(np.append(1.0, ratios))
            reach, most = u.size // 2, chances.size - 1
            total, power = np.zeros(2 * most * reach + 1), np.ones(1)
            for k, chance in enumerate(chances):
                total[(most - k) * reach : total.size - (most - k) * reach] += chance * power
                power = np.convolve(power, w)
            return number * u[reach] + (np.arange(total.size) - most * reach) / FINENESS, total

        def log_cosh_of(field: Array) -> Array:
            return np.logaddexp(field / t, -field / t) - math.log(2)

        (node, p), (cavity, q) = summed(graph.degree), summed(graph.branching)
        passed = 0.5 * t * (log_cosh_of(1 + h + cavity) - log_cosh_of(1 - h - cavity))
        bond = math.log(math.cosh(1 / t))
        site = math.log(2) + p @ log_cosh_of(h + node) + graph.degree * (bond - w @ log_cosh_of(u))
        pair = log_cosh_of(h + cavity[:, None] + u) - log_cosh_of(h + cavity)[:, None] - log_cosh_of(u)
        edge = bond + q @ pair @ w
        return {
            "(4), mean": straight * (q @ passed) - w @ u,
            "(4), mean square": q @ passed**2 - w @ u**2,
            "m": state["magnetization"] - p @ np.tanh((h + node) / t),
            "q": state["overlap"] - p @ np.tanh((h + node) / t) ** 2,
            "(3)": state["free_energy"] + t * (site - 0.5 * graph.degree * edge),
        }

    def _weights(self, branch: str) -> tuple[Ensemble, Array]:
        """The distribution of messages of a branch at these controls, weights of shape (1, POINTS)."""
        t, h, rho = (np.array([x]) for x in (self.temperature, self.field, self.antiferromagnetic_fraction))
        one = Ensemble(self.random_graph, t, np.abs(h), rho)
        if branch == "paramagnet":
            return one, atom(0.0)[None]
        if branch == "spin_glass":
            return one, glasses(self.random_graph, t).weights
        weights, _, _ = one.solve(atom(1.0))
        return one, weights if self.field >= 0 else weights[:, ::-1]

    def law(self) -> core.Law:
        solution = self.equilibrium()
        if not np.isfinite(float(solution["cavity_field"])):
            raise core.NotOfferedError(self.title, "a law where no solution was found")
        regular = not self.random_graph.poissonian and self.antiferromagnetic_fraction == 0
        if regular or float(solution["overlap"]) == 0:
            position = float(solution["cavity_field"])
            return core.Law("message", GRID, np.zeros(POINTS), "one message for all", atoms=((position, 1.0),))
        ensemble, weights = self._weights(str(solution["branch"].values))
        out = np.empty(POINTS)
        sums = ensemble.cavity_sums(weights)[0]
        places = ensemble.places[0] if self.field >= 0 else 2 * CENTRE - ensemble.places[0][::-1]
        push_linearly(np.ascontiguousarray(sums), places, self.antiferromagnetic_fraction, out)
        density = np.maximum(out, 0) * FINENESS
        return core.Law("message", GRID, density / np.trapezoid(density, GRID), "distribution of messages, eq. (4)")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Density evolution from the starting messages: parallel undamped belief propagation, and populations."""
        if self.algorithm == "heat_bath" or self.damping > 0 or self.graph == "square":
            return {}
        one = Ensemble(
            self.random_graph, np.array([self.temperature]), np.array([self.field]),
            np.array([self.antiferromagnetic_fraction]),
        )  # fmt: skip
        weights = atom(1.0)[None] if self.start == "up" else np.where(np.abs(GRID) <= 1, 1.0, 0.0)[None]
        weights = weights / weights.sum()
        rows = np.zeros(1, np.int64)
        # Members of a population are replaced one by one, so their distribution follows an equation in time.
        share, steps = (1.0, 1) if self.algorithm == "belief_propagation" else (1 - math.exp(-0.125), 8)
        count = math.ceil(float(times.max(initial=0.0))) + 1
        path = []
        for _ in range(min(count, 2000)):
            averages = one.observables(weights)
            path.append([float(averages[name][0]) for name in ("magnetization", "overlap", "cavity_field")])
            for _ in range(steps):
                weights = (1 - share) * weights + share * one.step(weights, rows)
        table = np.array(path).T
        known = np.arange(table.shape[1])
        return {
            name: np.interp(times, known, values)
            for name, values in zip(("magnetization", "overlap", "cavity_field"), table, strict=True)
        }

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """Temperatures up to a little above that of naive mean field."""
        low, high = super().range(plane, axis)
        return (
            (low, min(1.07 * self.random_graph.degree, high)) if getattr(plane, axis) == "temperature" else (low, high)
        )

    def footprint(self) -> int:
        return 2000 * self.size + 100 * self.size * self.degree
