r"""Markov logic: rules that probably hold, and mean-field steps that are products of tensors.

There are $n$ objects of $K$ kinds, equally many of each. A statement $R_{ij}=0,1$ says that $i$ is like $j$, and there
is noisy evidence for each: $\theta_{ij}=\pm\theta+s\,\xi_{ij}$ with $+$ where it is true, $\xi_{ij}$ normal (the
output of a network that looked at pairs, say). One rule is known as well, *who is like $j$ is like all that $j$ is
like*, $R_{ij}\wedge R_{jk}\Rightarrow R_{ik}$. A Markov logic network takes a constant from the log-probability
whenever a rule is broken, here $\hat w/n$ in each of the $n(n-1)(n-2)$ ways to put objects into it:

$$P(R)\propto\exp\Big[\sum_{ij}\theta_{ij}R_{ij}-\frac{\hat w}n\sum_{ijk}R_{ij}R_{jk}(1-R_{ik})\Big] \tag{1}$$

**LogicMP** replaces every statement by its belief $q_{ij}=P(R_{ij}=1)$ and repeats the mean-field step

$$q_{ij}\leftarrow(1-\alpha)\,q_{ij}+\alpha\,\sigma\Big(\theta_{ij}+\frac{\hat w}n\Delta_{ij}\Big),\qquad
\Delta=qq+qq^{\sf T}+q^{\sf T}q+2q^{\sf T}-\mathbf 1r^{\sf T}-c\mathbf 1^{\sf T} \tag{2}$$

of all statements at once, $\sigma(x)=1/(1+e^{-x})$: instead of a loop over $n^3$ groundings three products of matrices
($r$, $c$: sums of rows and columns). Each statement is once a conclusion, supported by $qq$, and twice a premise, which
its own consequences speak against. Where $R_{ij}$ and $R_{ji}$ are one statement (*symmetric*) the rule counts once for
both, and (2) stays what it is.

**As $n\to\infty$** a statement has $n$ rules of weight $\hat w/n$: mean field becomes exact. All beliefs follow from
the means over true pairs, $a$, and over false ones, $b$: with $\rho(q)=3q^2-2q$ and $\kappa=1/K$

$$a=\mathbb E\,\sigma(\theta+s\xi+\hat wu),\quad b=\mathbb E\,\sigma(-\theta+s\xi+\hat wv) \tag{3}$$

$$u=\kappa\rho(a)+(1-\kappa)\rho(b),\qquad v=2\kappa(3ab-a-b)+(1-2\kappa)\rho(b) \tag{4}$$

where the free entropy $\ln Z$ per statement is stationary:

$$\phi=\kappa\big[L(\theta+\hat wu)-\hat wua\big]+(1-\kappa)\big[L(-\theta+\hat wv)-\hat wvb\big]-\hat wV,\quad
L(x)=\mathbb E\ln(1+e^{x+s\xi}) \tag{5}$$

$V$ is the fraction of broken rules. Weak rules blur: to say nothing breaks none. Strong ones bring back the kinds, and
that state appears at once, with a jump. LogicMP that starts from the evidence does not see it where the blurred one
also exists (*hidden*), so more weight is not always better: what it finds when the weight is raised slowly it misses
when all the weight is there at once. To believe everything breaks no rule either: *collapsed*, a trap of its own.
Parallel steps without damping overshoot: they flip for ever where $\alpha>2/(1-\lambda)$, $\lambda<0$ the smallest
eigenvalue of the derivative of (3).

A *directed* relation that keeps the rule need not be a likeness: an order does as well. States (3) are unstable against

$$\delta q_{ij}=\varepsilon_i-\varepsilon_j \tag{6}$$

once one of its eigenvalues exceeds 1; then objects form layers by themselves and (3) is wrong, which is flagged.

**One rule** is the smallest network, three statements with evidence $\theta\cdot(1,0.6,-0.4)$ and $A\wedge B\Rightarrow
C$ of weight $\hat w$. Eight states can be added up: there mean field is an approximation.

**Valid:** as $n\to\infty$; at finite $n$ beliefs differ by $O(1/n)$, those of LogicMP too. For one rule the method
*exact* is exact at any weight.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import expit, ndtr

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.inference.markov_logic import theory
from mfexplore.models.inference.markov_logic.dynamics import LogicSimulation
from mfexplore.models.inference.markov_logic.theory import (
    COLLAPSED,
    EVIDENCE,
    MEAN_FIELD,
    MOST_EVIDENCE,
    NODES,
    TRUTH,
    WEIGHTS,
    Problem,
    broken,
    consequences,
    flipping_points,
    follow_evidence,
    image,
    layering,
    slope_of,
    softplus_mean,
    solve_points,
)
from mfexplore.numerics.later import solve_ivp

STARTS = {"evidence": "the evidence", "truth": "the truth", "everything": "belief in everything"}
TRANSITIVITY, IMPLICATION = {"rule": ("transitivity",)}, {"rule": ("implication",)}
LOGITS = np.linspace(-6, 6, 121)


@dataclass(frozen=True)
class MarkovLogic(core.Model):
    evidence: float = core.control(
        1.2, 0.0, MOST_EVIDENCE, symbol=r"\theta", role="data", step=0.01,
        doc="log-odds that evidence gives to what is true, and takes from what is false",
    )  # fmt: skip
    rule_weight: float = core.control(
        12.0, 0.0, 40.0, symbol=r"\hat w", role="coupling", step=0.1, doc="what a broken rule takes from the log-odds"
    )
    noise: float = core.control(
        1.0, 0.0, 3.0, symbol="s", role="disorder", step=0.01, only=TRANSITIVITY, doc="scatter of the evidence"
    )
    classes: int = core.control(
        4, 2, 12, symbol="K", role="setting", quenched=True, only=TRANSITIVITY, doc="kinds of objects"
    )
    damping: float = core.control(
        0.5, 0.02, 1.0, symbol=r"\alpha", role="rate", step=0.01,
        doc="how much of each parallel step LogicMP takes; 1: all of it",
    )  # fmt: skip
    rule: str = core.choice(
        "transitivity", {"transitivity": "likeness is transitive", "implication": "A and B imply C"},
        doc="what is known besides the evidence",
    )  # fmt: skip
    relation: str = core.choice(
        "symmetric", ("symmetric", "directed"), only=TRANSITIVITY,
        doc="whether that i is like j and that j is like i are one statement or two",
    )  # fmt: skip
    algorithm: str = core.choice(
        "logicmp", {"logicmp": "LogicMP", "gibbs": "Gibbs sampling"}, part="simulation",
        doc="mean-field steps of all statements at once, or samples of one statement after another",
    )  # fmt: skip
    size: int = core.control(
        128, 24, 384, symbol="n", unit="objects", role="size", scale="log", part="simulation", only=TRANSITIVITY,
        doc="objects simulated",
    )  # fmt: skip
    start: str = core.choice(
        "evidence", STARTS, role="start", part="simulation", only=TRANSITIVITY, doc="what is believed at first"
    )

    tags = core.Tags("course", 15, ("jump", "recovery"), ("self-consistency", "exact sums", "Monte Carlo"))
    relations = (
        core.Relation(
            "shares the method with", "monotone_boltzmann",
            "Beliefs updated all at once by naive mean field, which settles only if the steps are damped enough.",
        ),
        core.Relation(
            "has the same transition as", "teacher_student",
            "The true answer is a solution of the equations long before the iteration finds it from the evidence "
            "alone.",
            here={"start": "truth"}, there={"start": "informed"},
        ),
    )  # fmt: skip
    title = "Markov logic"
    summary = "Rules that probably hold clean noisy evidence, by jumps; mean field does it with products of matrices."
    sources = (
        core.Source(
            "W. Xu et al., LogicMP: A Neuro-symbolic Approach for Encoding First-order Logic Constraints, ICLR (2024)",
            arxiv="2309.15458",
        ),
        core.Source("M. Richardson, P. Domingos, Machine Learning 62, 107 (2006)", doi="10.1007/s10994-006-5833-1"),
        core.Source("D. J. Kleitman, B. L. Rothschild, Trans. Am. Math. Soc. 205, 205 (1975)"),
    )
    observables = (
        core.Observable("error_rate", r"\epsilon", "probability that a statement of a sample is wrong", low=0,
            high=0.75, only=TRANSITIVITY),
        core.Observable("decision_error", r"\epsilon_d", "fraction of statements whose likelier value is wrong",
            low=0, high=0.75, only=TRANSITIVITY),
        core.Observable("belief_in_true", "a", "mean belief in true statements", low=0, high=1, only=TRANSITIVITY),
        core.Observable("belief_in_false", "b", "mean belief in false statements", low=0, high=1, only=TRANSITIVITY),
        core.Observable("belief_a", "q_A", "belief in A", low=0, high=1, only=IMPLICATION, title="belief in A"),
        core.Observable("belief_b", "q_B", "belief in B", low=0, high=1, only=IMPLICATION, title="belief in B"),
        core.Observable("belief_c", "q_C", "belief in C", low=0, high=1, only=IMPLICATION, title="belief in C"),
        core.Observable("broken_rules", "V", "fraction of the rules that is broken", low=0),
        core.Observable("free_entropy", r"\phi", "ln Z per statement, eq. (5); by mean field a lower bound"),
        core.Observable("belief_if_true", r"q_{ij}", "belief in a true statement by its evidence", low=0, high=1,
            over="logit", only=TRANSITIVITY),
        core.Observable("belief_if_false", r"q_{ij}", "belief in a false statement by its evidence", low=0, high=1,
            over="logit", only=TRANSITIVITY),
    )  # fmt: skip
    coordinates = (core.Coordinate("logit", r"\theta_{ij}", "evidence for one statement"),)
    branches = (
        core.Branch("evidence", "where slow LogicMP ends that starts from the evidence"),
        core.Branch("truth", "where it ends when it starts at the truth"),
        core.Branch("collapsed", "where it ends when it starts with belief in everything, if that is a third state"),
    )
    methods = (
        core.Method("mean_field", "independent statements, eqs. (2) and (3)"),
        core.Method("exact", "sum over the eight states of one rule",
            describes=IMPLICATION | {"algorithm": ("gibbs",)}),
    )  # fmt: skip
    phases = (
        core.Phase("blurred", "To say little is likeliest; the truth is a state too, but a less likely one."),
        core.Phase("hidden", "The truth is likeliest, but LogicMP from the evidence stays in the blurred state."),
        core.Phase("one_answer", "Start from the evidence or from the truth: LogicMP ends in the same state."),
    )
    failures = (
        core.Failure(
            "layers",
            "A directed relation can obey the rule as an order: objects form layers by themselves, which the state "
            "that treats all objects of a kind alike does not know. The simulation shows them.",
        ),
    )
    landmarks = (
        core.Landmark("truth_ends", r"\theta_t", "with less evidence the truth is no state of its own",
            continuous=False, of="evidence", only=TRANSITIVITY),
        core.Landmark("transition", r"\theta_c", "the truth becomes likelier than the blurred state (first order)",
            of="evidence", only=TRANSITIVITY),
        core.Landmark("blurred_ends", r"\theta_b", "with more evidence LogicMP is no longer caught in the blur",
            continuous=False, of="evidence", only=TRANSITIVITY),
        core.Landmark("collapsed_ends", r"\theta_e", "with more evidence nobody goes on to believe everything",
            continuous=False, of="evidence", only=TRANSITIVITY),
        core.Landmark("flipping", r"\alpha_f", "parallel steps that go further overshoot and flip for ever",
            continuous=False, of="damping", only=TRANSITIVITY, finest=65),
    )  # fmt: skip
    planes = (
        core.Plane("evidence", "rule_weight", "error_rate", x_range=(0.0, 2.0), y_range=(0.0, 30.0), only=TRANSITIVITY),
        core.Plane("noise", "rule_weight", "error_rate", y_range=(0.0, 30.0), only=TRANSITIVITY),
        core.Plane("evidence", "rule_weight", "belief_c", only=IMPLICATION),
    )
    presets = (
        core.Preset(
            "rules clean the noise", {},
            "Of the evidence 12 % is on the wrong side. Beliefs fade first; in fifty sweeps the four blocks are clean.",
            view=core.View(series="decision_error", function="belief_if_true"),
        ),
        core.Preset(
            "too much at once", {"rule_weight": 20.0},
            "The heavier rule erases what it should clean. Go to weight 12, wait, and come back: now it stays clean.",
            view=core.View(series="error_rate"),
        ),
        core.Preset(
            "hidden truth", {"evidence": 1.0, "rule_weight": 15.0, "start": "truth"},
            "The truth stays, and is likeliest. Start from the evidence instead: LogicMP never comes here.",
            view=core.View(series="error_rate"),
        ),
        core.Preset(
            "collapse", {"evidence": 1.0, "rule_weight": 8.0, "start": "everything"},
            "Who believes everything breaks no rule: three quarters of all beliefs are wrong, and stay.",
            view=core.View(series="error_rate"),
        ),
        core.Preset(
            "flipping", {"evidence": 0.8, "rule_weight": 20.0, "damping": 1.0},
            "Whole parallel steps flip between two wrong answers for ever; take half of each and they settle.",
            view=core.View(series="belief_in_true"),
        ),
        core.Preset(
            "Gibbs samples", {"algorithm": "gibbs"},
            "One statement after another, by chance: the same error, on the same path, as LogicMP and theory have.",
            view=core.View(series="error_rate"),
        ),
        core.Preset(
            "layers", {"relation": "directed", "evidence": 0.3, "rule_weight": 20.0},
            "Without anybody's order, objects form layers: sorted by rank, a corner of statements is believed.",
            view=core.View(picture="by rank"),
        ),
        core.Preset(
            "one rule", {"rule": "implication", "evidence": 1.0, "rule_weight": 4.0, "algorithm": "gibbs"},
            "Mean field believes C with 0.66; samples, and the sum over all eight states, believe less.",
            (core.Promise(core.Value("belief_c"), 0.66, 0.005),
             core.Promise(core.Value("belief_c", method="exact"), 0.56, 0.005),
             core.Promise(core.Mean("belief_c", 100, 4000), 0.56, 0.02)),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "belief in true statements at rule weight 4", 0.5419895483, 1e-10, "eq. (3) iterated",
            core.Value("belief_in_true"), {"evidence": 1.0, "rule_weight": 4.0},
        ),
        core.Reference(
            "belief in false statements at rule weight 4", 0.1208440100, 1e-10, "eq. (3) iterated",
            core.Value("belief_in_false"), {"evidence": 1.0, "rule_weight": 4.0},
        ),
        core.Reference(
            "C of one rule of weight 4, exactly", 0.5553822109829819, 1e-12, "sum over eight states",
            core.Value("belief_c", method="exact"), {"rule": "implication", "evidence": 1.0, "rule_weight": 4.0},
        ),
        core.Reference(
            "C of one rule of weight 4, by mean field", 0.661557873949619, 1e-11, "sequential mean field",
            core.Value("belief_c"), {"rule": "implication", "evidence": 1.0, "rule_weight": 4.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The rule has the weight 20. How much evidence does LogicMP need at least to find the four kinds when it "
            "starts from the evidence? Move it until the blurred state is gone, then answer.",
            {"evidence": 1.0, "rule_weight": 20.0}, "evidence", core.Crossing("blurred_ends", "evidence"), 0.05,
            "From 0.73 on the truth would be likelier, but a state does not end where another becomes likelier.",
        ),
        core.Task(
            "The evidence for A, B and C is 1, 0.6 and -0.4, and A and B imply C with the weight 4. Mean field says "
            "that C holds with probability 0.66. What is it really?",
            {"rule": "implication", "evidence": 1.0, "rule_weight": 4.0}, "belief_c",
            core.Value("belief_c", method="exact"), 0.03,
            "0.56: when C fails, A or B fails with it, and independent beliefs cannot say that.",
        ),
    )  # fmt: skip
    simulation = LogicSimulation

    def solve(self, points: Points) -> core.Solution:
        if self.rule == "implication":
            return theory.solve_one_rule(self, points)
        n = points["evidence"].size
        beliefs, residual, steps = np.empty((n, 3, 2)), np.empty((n, 3)), np.empty((n, 3), np.int64)
        columns = (points["evidence"], points["noise"], points["rule_weight"], points["classes"].astype(float))
        solve_points(np.arange(3), *columns, beliefs, residual, steps)
        theta, noise, weight, classes = (column[:, None] for column in columns)
        share, a, b = 1 / classes, beliefs[..., 0], beliefs[..., 1]
        u, v = (weight * x for x in consequences(a, b, share))
        mass = softplus_mean(theta + u, noise), softplus_mean(v - theta, noise)
        free = share * (mass[0] - u * a) + (1 - share) * (mass[1] - v * b) - weight * broken(a, b, share)
        scale = np.maximum(noise, 1e-300)
        values = {
            "error_rate": share * (1 - a) + (1 - share) * b,
            "decision_error": share * ndtr(-(theta + u) / scale) + (1 - share) * ndtr((v - theta) / scale),
            "belief_in_true": a,
            "belief_in_false": b,
            "broken_rules": broken(a, b, share),
            "free_entropy": free,
        }
        unstable = np.zeros((n, 3), bool)
        if self.relation == "directed":
            slopes = weight * slope_of(theta + u, noise), weight * slope_of(v - theta, noise)
            unstable = layering(a, b, share, *slopes) > 1
        apart = np.abs(a[:, EVIDENCE] - a[:, TRUTH]) > 1e-6
        absent = np.full((n, 3), np.nan)
        return core.Solution(
            {name: np.stack([value, absent], axis=1) for name, value in values.items()},
            np.stack([residual, absent], axis=1), iterations=np.stack([steps, 0 * steps], axis=1),
            extra={"apart": apart}, fails={"layers": np.stack([unstable, unstable], axis=1)},
        )  # fmt: skip

    def select(self, points: Points, solution: core.Solution) -> Array:
        exists = solution.exists(self.tolerance)
        best = np.argmax(np.where(exists, solution.values["free_entropy"], -np.inf), axis=-1)
        # Where evidence and truth lead to one state rounding must not decide whose it is.
        chosen = best[:, MEAN_FIELD]
        chosen[(chosen == TRUTH) & ~solution.extra["apart"]] = EVIDENCE
        return np.where(exists.any(axis=-1), best, -1)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        apart = states.solution.extra["apart"]
        truth = states.equilibrium["truth"][:, MEAN_FIELD]
        return {"hidden": apart & truth, "blurred": apart & ~truth, "one_answer": ~apart}

    def boundary(self, name: str, points: Points) -> Array:
        columns = (points["noise"], points["rule_weight"], points["classes"].astype(float))
        if name == "flipping":
            return flipping_points(points["evidence"], *columns)
        branches = {"truth_ends": (TRUTH,), "blurred_ends": (EVIDENCE,), "collapsed_ends": (COLLAPSED,)}
        ends = []
        for branch in branches.get(name, (TRUTH, EVIDENCE)):
            ends.append(np.empty(points["noise"].size))
            follow_evidence(branch, *columns, ends[-1])
        return theory.transition(self, points, *ends) if name == "transition" else ends[0]

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        theta, w = self.evidence, self.rule_weight
        if self.rule == "implication":
            return theory.equations_of_one_rule(self, state)
        a, b, k = state["belief_in_true"], state["belief_in_false"], 1 / self.classes
        z = np.linspace(-9, 9, 361)
        normal = np.exp(-z * z / 2) / np.exp(-z * z / 2).sum()
        # u, v and V by the kinds of the third object, straight from Delta: it is of both kinds, of one, of none
        u = k * (a * a - 2 * a * (1 - a)) + (1 - k) * (b * b - 2 * b * (1 - b))
        v = k * 2 * (a * b - b * (1 - a) - a * (1 - b)) + (1 - 2 * k) * (b * b - 2 * b * (1 - b))
        broken_rules = k * (k * a * a + (1 - k) * b * b) * (1 - a)
        broken_rules += (1 - k) * (2 * k * a * b + (1 - 2 * k) * b * b) * (1 - b)
        inside, outside = theta + w * u + self.noise * z, w * v - theta + self.noise * z
        free = k * (normal @ np.logaddexp(0, inside) - w * u * a) - w * broken_rules
        free += (1 - k) * (normal @ np.logaddexp(0, outside) - w * v * b)
        return {
            "(3), a": a - normal @ expit(inside),
            "(3), b": b - normal @ expit(outside),
            "(5)": state["free_entropy"] - free,
            "V": state["broken_rules"] - broken_rules,
        }

    def profiles(self) -> dict[str, core.Profile]:
        if self.rule == "implication":
            return {}
        theory = self.theory(profiles=False).sel({"method": "mean_field"})
        a, b = (theory[f"belief_in_{kind}"].values[:, None] for kind in ("true", "false"))
        pushes = consequences(a, b, np.array(1 / self.classes))
        curves = (expit(LOGITS + self.rule_weight * push) for push in pushes)
        return {
            name: core.Profile(LOGITS, np.stack([curve, np.full_like(curve, np.nan)]))
            for name, curve in zip(("belief_if_true", "belief_if_false"), curves, strict=True)
        }

    def landscape(self) -> core.Landscape:
        if self.rule == "implication":
            raise core.NotOfferedError(self.title, "a landscape of one rule, which has three beliefs")
        theta, w, k = self.evidence, self.rule_weight, 1 / self.classes
        noise = np.array(self.noise)
        push = np.linspace(-9, 14, 231)  # on true statements, which gives a
        z = push[:, None] + theta + noise * NODES
        a, b = expit(z) @ WEIGHTS, np.zeros(push.size)
        for _ in range(150):
            other = w * consequences(a, b, np.array(k))[1]
            b = b + 0.2 * (expit(other[:, None] - theta + noise * NODES) @ WEIGHTS - b)
        other = w * consequences(a, b, np.array(k))[1]
        gain = k * (softplus_mean(theta + push, noise) - push * a) - w * broken(a, b, np.array(k))
        gain += (1 - k) * (softplus_mean(other - theta, noise) - other * b)
        return core.Landscape("belief_in_true", a, -gain, ("evidence", "truth"), "false statements follow true ones")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.rule == "implication":
            return {}
        problem = Problem(self.evidence, self.noise, self.rule_weight, 1 / self.classes)
        first, last = np.array([start["belief_in_true"], start["belief_in_false"]]), float(np.max(times, initial=0.0))
        if self.algorithm == "logicmp":
            path = [first]
            for _ in range(math.ceil(last)):
                path.append(
                    path[-1] + self.damping * (np.array(image(path[-1][0], path[-1][1], problem)[:2]) - path[-1])
                )
            a, b = (np.interp(times, np.arange(len(path)), x) for x in np.array(path).T)
        else:  # statements are renewed one by one, each at the rate 1 per sweep
            run = solve_ivp(
                lambda _, q: np.array(image(q[0], q[1], problem)[:2]) - q,
                (0.0, last or 1.0), first, t_eval=times, rtol=1e-8, atol=1e-10,
            )  # fmt: skip
            a, b = run.y
        return {
            "belief_in_true": a,
            "belief_in_false": b,
            "error_rate": (1 - a) / self.classes + (1 - 1 / self.classes) * b,
            "broken_rules": broken(a, b, np.array(1 / self.classes)),
        }

    def caveat(self) -> str:
        if self.rule == "implication":
            return "beliefs of three statements are not independent, and mean field takes them to be"
        if self.relation == "directed":
            return "finite size, a start that leads to another state, or layers that objects form by themselves"
        return "beliefs of finitely many objects differ by 1/n, or the start leads to another state"

    def extent(self) -> str:
        if self.rule == "implication":
            return "of three statements"
        n = self.size
        return f"of {n} objects: {n * (n - 1):,} statements, {n * (n - 1) * (n - 2):,} ways to break the rule"

    def footprint(self) -> int:
        return 200 * self.size**2
