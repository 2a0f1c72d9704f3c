r"""Moment closure: equations for mean and variance that do not end, how they are cut off, and when to believe them.

Molecules in a cell react at random. The master equation for the probabilities $p_n$ gives equations of motion for the
moments, in which those of one order need the next: with the rates $b(n)$ of $n\to n+1$, $d(n)$ of $n\to n-1$ and
$e(n)=n(n-1)$ of $n\to n-2$,

$$\dot m=\langle b-d-2e\rangle,\qquad \frac{d}{dt}\langle n^2\rangle=\langle 2n(b-d-2e)+b+d+4e\rangle \tag{1}$$

A *closure* guesses the moments that are missing from mean $m$ and variance $v$:

- *normal*: all cumulants beyond the second are 0, so $\langle n^3\rangle=m^3+3mv$,
  $\langle n^4\rangle=m^4+6m^2v+3v^2$;
- *log-normal*: $\langle n^k\rangle=m^k(1+v/m^2)^{k(k-1)/2}$;
- *Poisson*: all higher cumulants are $m$ (mixed ones 0);
- *normal, third order*: the third cumulant has an equation of its own, and the fourth and fifth are 0;
- *rate equation*: no fluctuations at all, $\dot x=f(x)$ in concentrations, with linear noise about it:

$$v=\frac{\langle b+d+4e\rangle}{2\,|f'|} \tag{2}$$

**Networks.** *Schlögl*: $2X\to3X$ (rate $a_1=3$), $3X\to2X$ (1), $\emptyset\to X$ ($a_3$), $X\to\emptyset$ ($a_4$) in
the volume $\Omega$, so $b=a_1n(n-1)/\Omega+a_3\Omega$ and $d=n(n-1)(n-2)/\Omega^2+a_4n$. The rate equation has up to
three states at rest, the roots of

$$x^3-a_1x^2+a_4x-a_3=0 \tag{3}$$

*Pair annihilation*: $\emptyset\to X$ (rate $c$), $2X\to\emptyset$ (1), $X\to\emptyset$ ($\mu$). *Brusselator*:
$\emptyset\to X$ ($\Omega$), $X\to Y$ ($B$), $2X+Y\to3X$ ($1/\Omega^2$), $X\to\emptyset$ (1); its rate equation
oscillates for $B>2$; its closures are five equations, for two means, two variances and a covariance.

**The truth** has exactly one stationary state, because the master equation is linear. For Schlögl's reactions it is
$p_{n+1}/p_n=b(n)/d(n+1)$, and a cell switches between the two states in finite times. For pair annihilation with
$\mu=0$

$$m=\sqrt{c/2}\,\frac{I_0(u)}{I_1(u)},\qquad \langle n(n-1)\rangle=\frac c2,\qquad u=2\sqrt{2c} \tag{4}$$

The mean over many cells never oscillates for ever: cells fall out of step.

**Valid:** a closure is to be believed where molecules are many and the law has one peak. Else it gives several answers,
which depend on the start; a negative variance; oscillations that no mean has; or no answer, when its moments run off to
infinity. Nothing in its own equations warns of a wrong number: only other orders or the master equation do. All this is
said of states at rest; a cell that starts in one of two states needs the switching time to know of the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.birth_death import Schloegl, stationary
from mfexplore.models.reactions.moment_closure import closures, theory
from mfexplore.models.reactions.moment_closure.closures import MOST, Reactions
from mfexplore.models.reactions.moment_closure.dynamics import Cells
from mfexplore.models.reactions.moment_closure.theory import AUTOCATALYSIS, EXACT, FEW, HIGH, LOW, RATE, SLOWEST

NOTICEABLE = 0.1  # relative error of the mean that makes a closure useless
SCHLOEGL, PAIR, BRUSSELATOR = ({"network": (name,)} for name in ("schloegl", "pair_annihilation", "brusselator"))
ONE = {"network": ("schloegl", "pair_annihilation")}


@dataclass(frozen=True)
class MomentClosure(core.Model):
    network: str = core.choice(
        "schloegl", {"schloegl": "Schlögl", "pair_annihilation": "pair annihilation", "brusselator": "Brusselator"},
        doc="reactions: two states, one state, or a cycle",
    )  # fmt: skip
    volume: float = core.control(
        20.0, 2.0, 200.0, symbol=r"\Omega", role="temperature", scale="log", step=1.0, quenched=True,
        doc="volume of a cell; numbers grow with it, relative noise falls as its inverse root",
        only={"network": ("schloegl", "brusselator")},
    )  # fmt: skip
    feed: float = core.control(
        0.25, 0.01, 1.0, symbol="a_3", unit="1/time", role="load", step=0.005,
        doc="rate at which X comes in from outside", only=SCHLOEGL,
    )  # fmt: skip
    decay: float = core.control(
        2.25, 1.5, 3.5, symbol="a_4", unit="1/time", role="rate", step=0.01, doc="rate at which an X vanishes",
        only=SCHLOEGL,
    )  # fmt: skip
    birth: float = core.control(
        1.0, 0.01, 100.0, symbol="c", unit="1/time", role="load", scale="log",
        doc="rate at which X comes in from outside", only=PAIR,
    )  # fmt: skip
    loss: float = core.control(
        0.0, 0.0, 4.0, symbol=r"\mu", unit="1/time", role="rate", step=0.01, doc="rate at which an X vanishes alone",
        only=PAIR,
    )  # fmt: skip
    conversion: float = core.control(
        3.0, 0.5, 4.0, symbol="B", unit="1/time", role="coupling", step=0.01, doc="rate at which an X turns into a Y",
        only=BRUSSELATOR,
    )  # fmt: skip
    size: int = core.control(
        1000, 10, 100_000, symbol="M", role="size", scale="log", part="simulation", doc="cells simulated"
    )
    start: str = core.choice(
        "few", {"few": "empty", "many": "full"}, role="start", part="simulation",
        doc="cells at the start: without a molecule, or with more than ever after",
    )  # fmt: skip

    title = "Moment closure"
    summary = "Five ways to close the equations for mean and variance of reactions, and where to believe each."
    tags = core.Tags("course", 20, ("jump", "rare events"), ("master equations", "rate equations"))
    sources = (
        core.Source(
            "D. Schnoerr, G. Sanguinetti, R. Grima, J. Chem. Phys. 141, 084103 (2014)", doi="10.1063/1.4892838"
        ),
        core.Source("F. Schlögl, Z. Physik 253, 147 (1972)", doi="10.1007/BF01379769"),
        core.Source("D. T. Gillespie, J. Phys. Chem. 81, 2340 (1977)", doi="10.1021/j100540a008"),
    )
    observables = (
        core.Observable("mean", "m", "mean number of molecules X", low=0),
        core.Observable("variance", "v", "variance of that number over cells", signed=True),
        core.Observable("third_cumulant", r"\kappa_3", "third cumulant: how skew the law is", signed=True, only=ONE),
        core.Observable(
            "relative_error", r"|m/m_{\rm exact}-1|", "by how much the mean is wrong", low=0, high=1, only=ONE
        ),
        core.Observable(
            "switching_time", r"T_\uparrow", "mean time from the low to the high state of the rate equation; infinite "
            "where there are no two, and in every closure", unit="time", scale="log", only=SCHLOEGL,
        ),
        core.Observable(
            "return_time", r"T_\downarrow", "mean time back", unit="time", scale="log", only=SCHLOEGL
        ),
        core.Observable("mean_y", r"\langle y\rangle", "mean number of molecules Y", low=0, only=BRUSSELATOR),
        core.Observable("covariance", r"\mathrm{cov}", "covariance of X and Y", signed=True, only=BRUSSELATOR),
        core.Observable("variance_y", r"\mathrm{var}\,y", "variance of the number of Y", signed=True, only=BRUSSELATOR),
        core.Observable("distribution", "p_n", "probability of n molecules X at rest", low=0, over="molecules"),
    )  # fmt: skip
    coordinates = (core.Coordinate("molecules", "n", "molecules X in a cell", discrete=True),)
    methods = (
        core.Method("normal", "cumulants beyond the second are 0"),
        core.Method("log_normal", "moments of a log-normal law", title="log-normal"),
        core.Method("poisson", "higher cumulants are the mean", title="Poisson"),
        core.Method("normal_3", "cumulants beyond the third are 0", title="normal, third order"),
        core.Method("rate_equation", "no fluctuations, and linear noise about that", title="rate equation"),
        core.Method("exact", "the master equation itself", title="master equation"),
    )
    branches = (
        core.Branch("low", "where the moments end that start without a molecule, or the only answer if it is low"),
        core.Branch("high", "where they end that start with very many, or the only answer if it is high", only=ONE),
        core.Branch("threshold", "the state between the two of the rate equation", only=SCHLOEGL),
    )
    phases = (
        core.Phase("not_made", "A closure of third order is made for one species only."),
        core.Phase("no_answer", "The moments run off to infinity or below zero: there is nothing to believe."),
        core.Phase("negative_variance", "The closure rests at a variance below zero."),
        core.Phase("false_oscillation", "The moments circle for ever; the mean of many cells does not."),
        core.Phase("several_answers", "What the closure says at rest depends on how it started; the truth does not."),
        core.Phase("inaccurate", "One answer, and it is wrong by more than a tenth."),
        core.Phase("trustworthy", "One answer at rest, within a tenth of the truth or, for Brusselators, stable."),
    )
    failures = (
        core.Failure("negative_variance", "A variance cannot be negative: no law has such moments."),
        core.Failure("several_answers", "The master equation has one state at rest, this closure has two."),
        core.Failure("false_oscillation", "This state is unstable, so the closure circles around it for ever."),
    )
    landmarks = (
        core.Landmark(
            "low_fold", r"a_3^{\uparrow}", "the low state of the rate equation ends", continuous=False, of="feed",
            only=SCHLOEGL,
        ),
        core.Landmark(
            "high_fold", r"a_3^{\downarrow}", "the high state of the rate equation ends", continuous=False, of="feed",
            only=SCHLOEGL,
        ),
        core.Landmark(
            "hopf", "B_c", "the rate equation begins to oscillate", of="conversion", only=BRUSSELATOR, title="Hopf"
        ),
    )  # fmt: skip
    planes = (
        core.Plane("feed", "volume", "relative_error", along="x", finest=65, only=SCHLOEGL),
        core.Plane("decay", "feed", "mean", along="y", finest=65, only=SCHLOEGL),
        core.Plane("birth", "loss", "relative_error", along="x", finest=65, only=PAIR),
        core.Plane("conversion", "volume", "mean_y", along="x", finest=49, only=BRUSSELATOR),
    )
    presets = (
        core.Preset(
            "two answers", {"volume": 10.0},
            "The normal closure says 1.4 or 11.9, as it starts; the master equation 1.9, and a law with two humps.",
            (core.Promise(core.Value("mean", "low", method="normal"), 1.43, 0.01),
             core.Promise(core.Value("mean", "high", method="normal"), 11.93, 0.01),
             core.Promise(core.Value("mean", method="exact"), 1.91, 0.01)),
            core.View(plane=("feed", "volume"), along="volume", method="normal", series="mean", picture="molecules",
                      function="distribution"),
        ),
        core.Preset(
            "higher order, worse", {"volume": 12.0},
            "Third order has a single answer, 10.2 where the truth is 2.2: further off than the low one of second.",
            (core.Promise(core.Value("mean", method="normal_3"), 10.2, 0.05),
             core.Promise(core.Value("mean", method="exact"), 2.2, 0.05)),
            view=core.View(plane=("feed", "volume"), along="volume", method="normal_3", series="mean"),
        ),
        core.Preset(
            "believe the low branch", {"volume": 80.0},
            "From an empty start mean and variance are right within ten per cent; from a full one the mean ends at "
            "twelve times the truth.",
            view=core.View(plane=("feed", "volume"), along="volume", method="normal", series="variance"),
        ),
        core.Preset(
            "negative variance",
            {"network": "pair_annihilation", "birth": 0.2, "size": 2000, "start": "many"},
            "With less than a molecule in the mean the Poisson closure rests at a variance below zero.",
            view=core.View(plane=("birth", "loss"), along="birth", method="poisson", colour="variance",
                           series="variance"),
        ),
        core.Preset(
            "run off", {"network": "pair_annihilation", "birth": 1.0},
            "The normal closure starts well, then its mean falls below zero and nothing holds it.",
            view=core.View(plane=("birth", "loss"), along="birth", colour="relative_error", method="normal",
                           series="mean"),
        ),
        core.Preset(
            "five molecules suffice", {"network": "pair_annihilation", "birth": 50.0, "size": 4000},
            "All closures have the mean within two per cent; the rate equation has not.",
            view=core.View(plane=("birth", "loss"), along="birth", colour="relative_error", method="normal",
                           series="mean"),
        ),
        core.Preset(
            "false oscillation", {"network": "brusselator", "volume": 50.0, "conversion": 3.0},
            "The normal closure swings for ever. So does every cell, each in its own time: their mean comes to rest.",
            view=core.View(plane=("conversion", "volume"), along="conversion", colour="mean_y", method="normal",
                           series="mean", picture="single cells"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean of the Schlögl reactions at volume 10", 1.9110264704493263, 1e-10, "detailed balance, product form",
            core.Value("mean", method="exact"), {"volume": 10.0},
        ),
        core.Reference(
            "normal closure at volume 20 from a full start", 22.474959342963, 1e-5, "LSODA to t = 4000",
            core.Value("mean", "high", method="normal"), {"volume": 20.0},
        ),
        core.Reference(
            "pair annihilation at birth 5", 1.7240175559047914, 1e-11, "Bessel functions, eq. (4)",
            core.Value("mean", method="exact"), {"network": "pair_annihilation", "birth": 5.0}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "In a volume of 10, fed at the rate 0.4, the rate equation rests at 2.6 or at 19.5 molecules. How many are "
            "there in the mean, in truth?",
            {"volume": 10.0, "feed": 0.4}, "mean", core.Value("mean", method="exact"), 1.0,
            "Cells switch, so that there is one law and one mean, in between; no closure of this page is near it.",
            view=core.View(series="mean", method="exact"),
        ),
    )  # fmt: skip
    simulation = Cells

    # -- the reactions ------------------------------------------------------------------------------------------------

    def schloegl(self) -> Schloegl:
        return Schloegl(AUTOCATALYSIS, 1.0, self.feed, self.decay, self.volume)

    def reactions(self, points: Points | None = None) -> Reactions:
        """The rates at these controls, or in columns at a batch of points."""
        at: Mapping[str, Any] = points or {name: np.float64(getattr(self, name)) for name in self.axis_names()}
        none = 0.0 * at["feed"]
        birth, death = (np.stack([none] * 4, axis=-1) for _ in range(2))
        pairs = supply = conversion = cubic = none
        if self.network == "schloegl":
            birth, death = Schloegl(AUTOCATALYSIS, 1.0, at["feed"], at["decay"], at["volume"]).coefficients()
        elif self.network == "pair_annihilation":
            birth[..., 0], death[..., 1], pairs = at["birth"], at["loss"], none + 1.0
        else:
            death[..., 1], supply, conversion = 1.0, none + at["volume"], none + at["conversion"]
            cubic = none + at["volume"] ** -2.0
        return Reactions(birth, death, pairs, supply, conversion, cubic)

    @property
    def first_count(self) -> int:
        """Molecules in every cell at the start."""
        full = 3 * np.sqrt(self.birth / 2) + 8 if self.network == "pair_annihilation" else 3 * self.volume
        return round(full) if self.start == "many" else 0

    # -- theory -------------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        n = points["feed"].size
        values = {o.name: np.full((n, 6, 3), np.nan) for o in self.observables if o.over is None and self.applies(o)}
        residual, stable = np.full((n, 6, 3), np.nan), np.zeros((n, 6, 3), bool)
        if self.network == "brusselator":
            theory.rest_of_two(self, points, values, residual, stable)
        else:
            theory.rest_of_one(self, points, values, residual, stable)
        exists = np.asarray(residual <= self.tolerance)
        rests = np.array(exists & stable)
        with np.errstate(invalid="ignore"):
            negative = exists & (values["variance"] < 0)
        fails = {
            "negative_variance": negative,
            "several_answers": rests & np.all(rests[..., [LOW, HIGH]], axis=-1, keepdims=True),
            "false_oscillation": exists & ~stable & (self.network == "brusselator"),
        }
        return core.Solution(values, residual, stable, fails=fails)

    def _here(self) -> dict[str, Array]:
        """The values of the theory at these controls, each of shape (1, methods, branches)."""
        return self.solve({name: np.array([float(getattr(self, name))]) for name in self.axis_names()}).values

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The answer from an empty start; also one that the closure only circles around."""
        exists = solution.exists(self.tolerance)
        return np.where(exists[..., LOW], LOW, np.where(exists[..., HIGH], HIGH, -1))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        low, high = states.stable["low"], states.stable["high"]
        answers = states.exists["low"] | states.exists["high"]
        truth = np.arange(6) == EXACT
        wrong = np.zeros_like(low)
        with np.errstate(invalid="ignore"):
            negative = (states.value("variance", "low") < 0) | (states.value("variance", "high") < 0)
            for name in ("low", "high") if self.network != "brusselator" else ():
                wrong |= states.equilibrium[name] & (states.value("relative_error", name) > NOTICEABLE)
        return {
            "not_made": (np.arange(6) == closures.NORMAL_3) & (self.network == "brusselator") & ~answers,
            "no_answer": ~answers & ~truth,
            "negative_variance": negative,
            "false_oscillation": answers & ~(low | high),
            "several_answers": low & high,
            "inaccurate": wrong,
            "trustworthy": answers | truth,
        }

    def boundary(self, name: str, points: Points) -> Array:
        if name == "hopf":
            return np.full(points["conversion"].shape, 2.0)
        with np.errstate(invalid="ignore"):
            root = np.sqrt(1 - points["decay"] / AUTOCATALYSIS)
        x = 1 - root if name == "low_fold" else 1 + root
        return np.asarray(x**3 - AUTOCATALYSIS * x**2 + points["decay"] * x)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        method = state["method"]
        if self.network == "brusselator":
            return theory.balance_of_two(self, state)
        m, v, third = state["mean"], state["variance"], state["third_cumulant"]
        if method == "rate_equation":
            return theory.rate_balance(self, m, v)
        raw = theory.raw_moments(method, m, v, third)
        r = self.reactions()
        polynomial = np.polynomial.Polynomial
        n, up, down = polynomial([0, 1]), polynomial(r.birth), polynomial(r.death)
        pairs = r.pairs * n * (n - 1)

        def mean(p: Any) -> float:
            """Relative to the largest term."""
            terms = p.coef * raw[: len(p.coef)]
            return float(terms.sum() / np.abs(terms).max())

        found = {"(1a)": mean(up - down - 2 * pairs)}
        if method != "exact" or self.network == "pair_annihilation":  # else the fourth moment is missing
            found["(1b)"] = mean(2 * n * (up - down - 2 * pairs) + up + down + 4 * pairs)
        if method == "normal_3":
            found["(1c)"] = mean(
                up * ((n + 1) ** 3 - n**3) + down * ((n - 1) ** 3 - n**3) + pairs * ((n - 2) ** 3 - n**3)
            )
        return found

    # -- laws and paths -----------------------------------------------------------------------------------------------

    def molecules(self) -> Array:
        """Numbers of X over which laws are drawn."""
        if self.network == "pair_annihilation":
            return np.arange(round(4 * np.sqrt(self.birth / 2)) + 8)
        return np.arange(round(3.2 * self.volume + 8 * np.sqrt(self.volume)) + 10)

    def chain(self) -> tuple[Array, Array]:
        """Tables of Schlögl's rates, as far as molecules get."""
        return self.schloegl().rates(round(4 * self.volume) + 40)

    def master_law(self) -> Array:
        """p_n at rest over `molecules`. Raises NotOfferedError for two species."""
        if self.network == "brusselator":
            raise core.NotOfferedError(self.title, "the law of two species at rest")
        law = stationary(*self.chain()) if self.network == "schloegl" else theory.pair_law(self.birth, self.loss)
        n = len(self.molecules())
        return np.pad(law, (0, max(0, n - len(law))))[:n]

    def profiles(self) -> dict[str, core.Profile]:
        n, values = self.molecules(), self._here()
        laws = np.full((6, 3, len(n)), np.nan)
        for k, method in enumerate(self.methods):
            for branch in (LOW, HIGH):
                m, v = (float(values[name][0, k, branch]) for name in ("mean", "variance"))
                if method.name == "exact" and np.isfinite(m):
                    laws[k, branch] = self.master_law()
                elif np.isfinite(m) and 0 < v < np.inf:
                    laws[k, branch] = theory.assumed_law(method.name, m, v, n)
        return {"distribution": core.Profile(n.astype(np.float64), laws)}

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        n, p = np.arange(-1.0, len(self.molecules())), np.append(0.0, self.master_law())
        exact = core.Law("mean", n, p, "master equation at rest", discrete=True, method="exact")
        rows = self.profiles()["distribution"].values[closures.NORMAL]
        normal = (np.append(0.0, row) for row in rows[np.isfinite(rows).all(axis=1)])
        return exact, *(core.Law("mean", n, law, "normal law", discrete=True, method="normal") for law in normal)

    @property
    def mixing_time(self) -> float:
        """Time in which cells forget in which of two states they began; 0 where there is one."""
        values = self._here()
        there, back = (float(np.nanmin(values[name][0, EXACT])) for name in ("switching_time", "return_time"))
        return 0.0 if np.isinf(there) else there * back / (there + back)

    def exact(self) -> dict[str, float]:
        """Raises NotOfferedError for two species, and where cells switch so seldom that no run sees these moments."""
        if self.network == "brusselator":
            raise core.NotOfferedError(self.title, "exact moments of two species")
        if self.network == "schloegl" and self.mixing_time > SLOWEST:
            raise core.NotOfferedError(self.title, "exact moments for cells that hardly ever switch")
        values = self._here()
        return {name: float(np.nansum(values[name][0, EXACT])) for name in ("mean", "variance")}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        first, two = start["mean"], self.network == "brusselator"
        mean, variance = np.full((2, 6, len(times)), np.nan)
        mean[EXACT], variance[EXACT] = theory.master_path(self, first, times)
        begin = np.zeros(MOST if two else 3)
        begin[0] = max(first, FEW[0])
        begin[1] = max(start["mean_y"], FEW[0]) if two else FEW[1]
        mean[RATE], variance[RATE] = theory.integrated(lambda _, y: theory.rate_slopes(self, y), begin, times)
        r, change = self.reactions(), np.zeros_like(begin)
        change_of = closures.change_of_two if two else closures.change_of_one
        for closure in range(3 if two else 4):

            def slopes(_: float, y: Array, closure: int = closure) -> Array:
                change_of(y, closure, r, change)
                return change.copy()

            mean[closure], variance[closure] = theory.integrated(slopes, begin, times)
        found = {"mean": mean, "variance": variance}
        if not two:
            found["mean_deviation"] = np.sqrt(np.maximum(variance, 0.0) / self.size) * (np.arange(6) == EXACT)[:, None]
        return found

    def caveat(self) -> str:
        if self.network == "schloegl":
            return "a cell that starts in one state needs the switching time to know of the other"
        return "too few molecules for this closure, or moments that circle"

    def footprint(self) -> int:
        return 200 * self.size + 50_000
