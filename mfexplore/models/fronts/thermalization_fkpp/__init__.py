r"""Thermalization front: heat that breeds more heat travels as a wave, at a speed that its thin tip decides.

A closed system is its own bath: a site that has thermalized warms the next. With $u$ the local temperature between that
of the start ($u=0$) and that of the end ($u=1$), in the smallest model of this that is faithful,

$$\dot u=[\,\text{coupling}\,]+ru(1-u)(1+bu) \tag{1}$$

where *growth* $r$ is how fast a site makes its own heat once it has some, and the coupling to the others, which sets
the unit of time, is $\partial_x^2u$ (*continuum*), $u_{n+1}+u_{n-1}-2u_n$ (*lattice*) or $u_{n-1}-u_n$ (*bath chain*:
site $n$ sees site $n-1$ as its bath, and is no bath to it). *Cooperation* $b$, where hot neighbours help each other,
is there for the continuum only.

A cold site is unstable: little heat $e^{-\lambda(x-ct)}$ grows, and moves at

$$c(\lambda)=\frac{g(\lambda)}\lambda,\qquad g=r+\lambda^2,\quad r+2\cosh\lambda-2,\quad r+e^\lambda-1 \tag{2}$$

**Which speed?** A steep start ends at the slowest of them, where the front is *pulled* by its tip,

$$g'(\lambda^*)=c=\frac{g(\lambda^*)}{\lambda^*},\qquad
\text{in the continuum}\quad\lambda^*=\sqrt r,\quad c=2\sqrt r \tag{3}$$

A start with a shallower tail $e^{-\lambda_0x}$, $\lambda_0<\lambda^*$, keeps it and goes faster, at $c(\lambda_0)$. And
for $b>2$ what is behind *pushes* the front with (whichever is faster, this or its tail)

$$\lambda=\sqrt{rb/2},\qquad c=\sqrt r\,\big(\sqrt{b/2}+\sqrt{2/b}\big) \tag{4}$$

**How soon?** A pushed front exponentially, a pulled one never quite: it is late by a logarithm. Its mean speed over the
second half of a time $t$ is (Bramson; Ebert and van Saarloos), with $B=3\sqrt\pi/2\lambda^{*2}\sqrt{g''/2}$,

$$\bar c(t)=c-\frac{3\ln2}{\lambda^*t}+\frac{4(\sqrt2-1)B}{t^{3/2}} \tag{5}$$

**With how much noise?** Where no site can hold less than one of $N$ walkers, the tip ends at $u=1/N$, and the front
is slower by an amount that falls more slowly than any power (Brunet and Derrida),

$$c_N=c-\frac{\pi^2\lambda^*g''(\lambda^*)}{2\,\ell^2},\qquad\ell=\ln N\ \text{(cut-off)},\quad
\ell=\ln N+3\ln\ln N\ \text{(walkers)} \tag{6}$$

**Two edges.** In the bath chain both edges of a hot stretch move ahead. The rear one solves (3) with $\lambda<0$: where
$r<1$ the cold bath at $n=0$ eats its way in at $0<c_-<c$, where $r\ge1$ the chain stays hot by itself and $c_-=0$. In
dynamical mean-field theory iteration $n-1$ is the bath of iteration $n$, iteration 0 that of the start, and all of
them begin alike. So nothing is colder ahead: each thermalizes by itself, until the bath of the start reaches it. Up to
a time $n/c_-$ iteration $n$ has what the exact solution has, and the front that the paper follows in the plane of
iteration and time is the rear one. It moves, hence $r<1$; what $r$ is in terms of the interaction this model cannot
say.

**Valid:** (3) and (4) as $t\to\infty$ for $N=\infty$; (5) until then; (6) to leading order in $1/\ell$. Walkers cut any
tail off, so that all their fronts end pulled. At the $N$ one can afford they run between the two speeds of (6).

*Simulation:* in each piece of time heat first spreads exactly, then grows exactly, so that tips advance as (2)
says. *Walkers* hop with the same probabilities; each then leaves offspring at the rate $r$, of whom crowding removes
some.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.fronts import Edge, along_a_chain, noisy_depth, on_a_lattice, on_a_line
from mfexplore.models.fronts.thermalization_fkpp.dynamics import MORE, OFFSETS, ROWS, FrontSimulation

ASYMPTOTIC, RELAXING, CUT, NOISY = range(4)  # as in `methods`
LINE = {"medium": ("continuum",)}
CHAIN = {"medium": ("bath_chain",)}
GROWING, PUSHING, COUNTING = ("growth", "tail_steepness"), ("cooperation", "tail_steepness"), ("walkers", "growth")


@dataclass(frozen=True)
class ThermalizationFkpp(core.Model):
    growth: float = core.control(
        1.0, 0.05, 1.6, symbol="r", role="coupling", step=0.01,
        doc="how fast a site makes its own heat, in units of its coupling to the others",
    )  # fmt: skip
    tail_steepness: float = core.control(
        3.0, 0.25, 4.0, symbol=r"\lambda_0", role="start", scale="log", step=0.01,
        doc="the heat ahead of the hot stretch decays at this rate",
    )  # fmt: skip
    cooperation: float = core.control(
        0.0, 0.0, 9.0, symbol="b", role="order", step=0.05, only=LINE, doc="by how much hot neighbours speed growth up"
    )
    walkers: int = core.control(
        10_000, 10, 1_000_000_000, symbol="N", role="size", scale="log", doc="walkers of a site that is hot"
    )
    age: float = core.control(
        200.0, 10.0, 400.0, symbol="t", role="time", scale="log", doc="time at which the front is looked at"
    )
    medium: str = core.choice(
        "continuum", {"continuum": "continuum", "lattice": "lattice", "bath_chain": "bath chain"},
        doc="how a site is coupled to others",
    )  # fmt: skip
    graininess: str = core.choice(
        "walkers", {"smooth": "smooth heat", "cut_off": "cut off at 1/N", "walkers": "walkers"}, part="simulation",
        doc="what heat is made of in the simulation",
    )  # fmt: skip

    title = "Thermalization front"
    summary = "Heat travels as a wave: pulled by its tip, pushed from behind, slowed down by a single walker."
    tags = core.Tags("course", 15, ("spreading", "critical fluctuations"), ("rate equations",))
    sources = (
        core.Source(
            "A. Picano, G. Biroli and M. Schirò, Phys. Rev. Lett. 134, 116503 (2025)", arxiv="2405.19884"
        ),
        core.Source("W. van Saarloos, Phys. Rep. 386, 29 (2003)", doi="10.1016/j.physrep.2003.08.001"),
        core.Source("U. Ebert and W. van Saarloos, Physica D 146, 1 (2000)", doi="10.1016/S0167-2789(00)00068-3"),
        core.Source("E. Brunet and B. Derrida, Phys. Rev. E 56, 2597 (1997)", doi="10.1103/PhysRevE.56.2597"),
        core.Source(
            "E. Brunet, B. Derrida, A. H. Mueller and S. Munier, Phys. Rev. E 73, 056126 (2006)",
            doi="10.1103/PhysRevE.73.056126",
        ),
    )  # fmt: skip
    observables = (
        core.Observable("speed", "c", "speed of the front, over the second half of the time"),
        core.Observable("rear_speed", "c_-", "speed of the rear edge of what is hot", signed=True),
        core.Observable("steepness", r"\lambda", "rate at which heat decays ahead of the front", low=0, title="decay"),
        core.Observable("shape", "u", "heat around the front", over="offset", scale="log", low=1e-8, only=LINE),
    )
    coordinates = (core.Coordinate("offset", r"x-x_{1/2}", "place ahead of where u = 1/2"),)
    methods = (
        core.Method("asymptotic", "smooth heat after an infinite time, eqs. (2) to (4)"),
        core.Method(
            "relaxing", "smooth heat at this age, eq. (5)", describes={"graininess": ("smooth",)}, title="relaxing"
        ),
        core.Method("cut_off", "no heat grows below 1/N, eq. (6)", describes={"graininess": ("cut_off",)}),
        core.Method("noise", "walkers, many of them, eq. (6)", describes={"graininess": ("walkers",)}, title="walkers"),
    )
    phases = (
        core.Phase("pulled", "The thin tip sets the speed: it is the slowest that a tail can have."),
        core.Phase("tail_driven", "The start has a tail so shallow that the front follows it, faster than by itself."),
        core.Phase("pushed", "Where hot sites help each other, what is behind drives the front; its tip is steeper."),
    )
    failures = (
        core.Failure("too_early", "The last term of eq. (5) is no smaller than the one before: the expansion fails."),
        core.Failure("few_walkers", "Eq. (6) takes off more than a quarter of the speed: N is too small for it."),
    )
    landmarks = (
        core.Landmark(
            "shallow", r"\lambda_0=\lambda^*", "a shallower tail makes the front faster", of="tail_steepness",
            title="tail as steep as the front",
        ),
        core.Landmark("pushing", "b=2", "beyond, the front is pushed", of="cooperation", only=LINE),
        core.Landmark(
            "standstill", "r=1", "the rear edge stands still", of="growth", continuous=False, only=CHAIN
        ),
    )  # fmt: skip
    planes = (
        core.Plane("growth", "tail_steepness", "speed", along="x"),
        core.Plane("cooperation", "tail_steepness", "speed", along="x", only=LINE),
        core.Plane("walkers", "growth", "speed", along="x"),
    )
    presets = (
        core.Preset(
            "pulled", {"graininess": "smooth", "tail_steepness": 3.0},
            "The front falls ever farther behind a line of its final speed, by a logarithm: straight on these axes, as "
            "theory has it. After 200 time units it is still half a per cent too slow.",
            (core.Promise(core.Mean("speed", 199, 200), 1.9905, 0.002),),
            core.View(plane=GROWING, colour="speed", picture="lag", series="speed", method="relaxing"),
        ),
        core.Preset(
            "shallow tail", {"graininess": "smooth", "tail_steepness": 0.4, "age": 100.0},
            "Ahead of the right edge heat decays slowly, and it runs at 2.9; the left edge, sharp at first, makes 2.",
            (core.Promise(core.Value("speed", method="asymptotic"), 2.9, 1e-9),),
            core.View(plane=GROWING, colour="speed", picture="space and time", series="speed", method="asymptotic"),
        ),
        core.Preset(
            "a hundred walkers", {"graininess": "walkers", "walkers": 100, "age": 100.0},
            "Both edges are ragged and lag behind the lines of smooth heat: where no walker is, none can grow.",
            view=core.View(plane=COUNTING, colour="speed", picture="space and time", series="speed", method="noise"),
        ),
        core.Preset(
            "a million are not enough", {"graininess": "cut_off", "walkers": 1_000_000},
            "Heat below one millionth does not grow: the tip ends where it crosses 1/N, and the speed settles "
            "at 1.95 instead of 2.",
            (core.Promise(core.Mean("speed", 190, 200), 1.946, 0.004),),
            core.View(plane=COUNTING, colour="speed", picture="front now", series="speed", method="cut_off"),
        ),
        core.Preset(
            "pushed", {"graininess": "smooth", "cooperation": 6.0, "age": 60.0},
            "Hot neighbours help each other: the front is soon at its final 2.31 and stays there, with a steep tip.",
            (core.Promise(core.Value("speed", method="asymptotic"), 2.309, 0.001),
             core.Promise(core.Mean("speed", 40, 60), 2.309, 0.01)),
            core.View(plane=PUSHING, colour="speed", picture="front now", series="speed", method="asymptotic"),
        ),
        core.Preset(
            "cold bath eats its way in", {"medium": "bath_chain", "graininess": "smooth", "growth": 0.5, "age": 300.0},
            "Heat runs along the chain of baths at 2.16, but behind it the cold bath at 0 takes site after site "
            "back, at less than a tenth of that. Of iterations of mean-field theory this slow edge is the front.",
            (core.Promise(core.Value("speed", method="asymptotic"), 2.1555, 0.001),
             core.Promise(core.Mean("rear_speed", 290, 300), 0.19, 0.005)),
            core.View(colour="rear_speed", picture="space and time", series="rear_speed", method="relaxing"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "lattice, $r=1$: $c$", 2.073444684205341, 1e-12, "root of the derivative in high precision",
            core.Value("speed", method="asymptotic"), {"medium": "lattice"},
        ),
        core.Reference(
            "lattice, $r=1$: $\\lambda^*$", 0.9071032935762899, 1e-12, "root of the derivative in high precision",
            core.Value("steepness", method="asymptotic"), {"medium": "lattice"},
        ),
        core.Reference(
            "bath chain, $r=1$: $c=e$", math.e, 1e-12, "eq. (3)", core.Value("speed", method="asymptotic"),
            {"medium": "bath_chain"},
        ),
        core.Reference(
            "bath chain, $r=1/4$: the rear edge", 0.38240357, 1e-8, "minimisation of eq. (2)",
            core.Value("rear_speed", method="asymptotic"), {"medium": "bath_chain", "growth": 0.25},
        ),
        core.Reference(
            "exact front of Ablowitz and Zeppetella", 5 / math.sqrt(6), 1e-12,
            r"$u=(1+e^{(x-ct)/\sqrt6})^{-2}$, Bull. Math. Biol. 41, 835 (1979)",
            core.Value("speed", method="asymptotic"), {"tail_steepness": math.sqrt(2 / 3)}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Growth is 1 in the continuum, but ahead of the hot stretch heat decays only as exp(-x/2). How fast does "
            "the front become?",
            {"graininess": "smooth", "tail_steepness": 0.5}, "speed", core.Value("speed", method="asymptotic"), 0.05,
            "As fast as that tail: (r + 1/4) / (1/2), a quarter faster than a sharp start.",
        ),
        core.Task(
            "How much cooperation makes a sharp front a quarter faster than without?",
            {"graininess": "smooth", "growth": 1.0}, "cooperation", lambda model: 8.0, 0.6,
            "Up to b = 2 none changes anything: the tip does not feel it. Beyond, b = 8 gives 2 + 1/2 instead of 2.",
            view=core.View(plane=PUSHING),
        ),
        core.Task(
            "A cut-off at one of a thousand costs the front a fifth of its speed (or so theory says). How many walkers "
            "make it a quarter of that?",
            {"graininess": "cut_off", "walkers": 1000, "growth": 1.0}, "walkers", lambda model: model.walkers**2, 4e5,
            "The loss goes as 1 over the square of ln N: the square of N, a thousand times as many, for a quarter.",
            view=core.View(plane=COUNTING, method="cut_off"),
        ),
    )  # fmt: skip
    simulation = FrontSimulation

    @property
    def helped(self) -> float:
        """The cooperation, which other media than the continuum do not have."""
        return self.cooperation if self.medium == "continuum" else 0.0

    def grown(self, heat: Array, duration: float) -> Array:
        """What heat has become without its neighbours: du/dt = r u (1 - u) (1 + b u), of u >= 0."""
        if self.helped == 0:
            factor = math.exp(self.growth * duration)
            return np.asarray(heat * factor / (1 + heat * (factor - 1)))
        some = np.flatnonzero(heat)
        log, grown = np.log(heat[some]), np.zeros_like(heat)

        def rate(log: Array) -> Array:
            u = np.exp(log)
            return np.asarray(self.growth * (1 - u) * (1 + self.helped * u))

        pieces = max(1, math.ceil(2 * self.growth * (1 + self.helped) * duration))
        dt = duration / pieces
        for _ in range(pieces):
            one = rate(log)
            two = rate(log + dt / 2 * one)
            three = rate(log + dt / 2 * two)
            log = log + dt / 6 * (one + 2 * two + 2 * three + rate(log + dt * three))
        grown[some] = np.exp(log)
        return grown

    # -- theory ----------------------------------------------------------------------------------------------------

    def tip_growth(self, steepness: Array | float, growth: Array | float | None = None) -> Array:
        """The rate g of eq. (2) at which a tail grows."""
        r = self.growth if growth is None else growth
        if self.medium == "continuum":
            return np.asarray(r + steepness**2)
        alone = 2 * np.cosh(steepness) - 2 if self.medium == "lattice" else np.expm1(steepness)
        return np.asarray(r + alone)

    def edge(self, growth: Array) -> Edge:
        """The pulled front, eq. (3)."""
        return {"continuum": on_a_line, "lattice": on_a_lattice, "bath_chain": along_a_chain}[self.medium](growth)

    def rear(self, growth: Array) -> Edge:
        """The rear edge."""
        if self.medium == "bath_chain":
            return along_a_chain(growth, behind=True)
        front = self.edge(growth)
        return Edge(-front.steepness, -front.speed, front.spreading)

    def speeds(self) -> tuple[float, float]:
        """Final speeds of front and rear edge of smooth heat."""
        found = self.equilibrium(method="asymptotic", profiles=False)
        return float(found["speed"]), float(found["rear_speed"])

    def _is_pushed(self, points: Points) -> Array:
        return np.asarray((points["cooperation"] > 2) & (self.medium == "continuum"))

    def solve(self, points: Points) -> core.Solution:
        r, start, b, age = (points[name] for name in ("growth", "tail_steepness", "cooperation", "age"))
        depth = np.log(points["walkers"])
        front, rear = self.edge(r), self.rear(r)
        pushed = self._is_pushed(points)
        tail = start < self.boundary("shallow", points)
        b = np.where(pushed, b, 2.0)
        steep = np.where(pushed, np.sqrt(r * b / 2), front.steepness)
        push = np.where(pushed, np.sqrt(r) * (np.sqrt(b / 2) + np.sqrt(2 / b)), front.speed)
        final = np.where(tail, self.tip_growth(start, r) / start, push)
        slow = pushed | tail  # not pulled

        def by_method(edge: Edge, last: Array, driven: Array) -> Array:
            late = np.where(driven, last, edge.mean_speed(age))
            cut = [np.where(pushed, np.nan, edge.cut_speed(d)) for d in (depth, noisy_depth(points["walkers"]))]
            return np.stack([last, late, *cut], axis=1)

        values = {
            "speed": by_method(front, final, slow),
            "rear_speed": by_method(rear, np.where(pushed, -push, rear.speed), pushed),
            "steepness": np.stack([np.where(tail, start, steep)] * 2 + [front.steepness] * 2, axis=1),
        }
        if self.medium == "bath_chain":  # it stays hot
            values["rear_speed"] = np.where((r >= 1)[:, None], 0.0, values["rear_speed"])
        lost = 1 - values["speed"][:, CUT:] / front.speed[:, None]
        step = np.abs(front.mean_speed(age) - front.speed)
        leading = 3 * math.log(2) / (front.steepness * age)
        never = np.zeros(r.size, bool)
        with np.errstate(invalid="ignore"):
            fails = {
                "too_early": np.stack([never, (step < leading / 2) & ~slow, never, never], axis=1),
                "few_walkers": np.concatenate([np.stack([never, never], axis=1), lost > 0.25], axis=1),
            }
        c, decay = values["speed"][:, ASYMPTOTIC], values["steepness"][:, ASYMPTOTIC]
        gap = np.abs(c * decay - self.tip_growth(decay, r))
        residual = np.stack([gap, gap, *[np.where(pushed, np.nan, gap)] * 2], axis=1)
        for name in values:
            values[name] = np.where(np.isnan(residual), np.nan, values[name])
        return core.Solution(values, residual, fails=fails)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        tail = points["tail_steepness"] < self.boundary("shallow", points)
        return {"tail_driven": tail, "pushed": self._is_pushed(points), "pulled": ~tail}

    def boundary(self, name: str, points: Points) -> Array:
        r = points["growth"]
        if name == "shallow":  # of two tails with the speed of a pushed front, the shallower one
            b = np.where(self._is_pushed(points), points["cooperation"], 2.0)
            return np.where(b > 2, np.sqrt(2 * r / b), self.edge(r).steepness)
        return np.full(r.shape, 2.0 if name == "pushing" else 1.0)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        r, c, decay, method = self.growth, state["speed"], state["steepness"], state["method"]
        g = {
            "continuum": lambda x: r + x * x, "lattice": lambda x: r + 2 * math.cosh(x) - 2,
            "bath_chain": lambda x: r + math.exp(x) - 1,
        }[self.medium]  # fmt: skip
        if method == "asymptotic":
            found = {"(2)": c * decay - g(decay)}
            if decay != self.tail_steepness and self.helped <= 2:
                found["(3)"] = 1e-3 * ((g(decay + 1e-4) - g(decay - 1e-4)) / 2e-4 - c)
            return found
        if (method == "relaxing" and decay == self.tail_steepness) or self.helped > 2:
            return {}
        bend = (g(decay + 1e-3) - 2 * g(decay) + g(decay - 1e-3)) / 1e-6
        final = g(decay) / decay
        if method == "relaxing":
            late = 3 * math.sqrt(math.pi) / (2 * decay**2 * math.sqrt(bend / 2))
            by_hand = final - 3 * math.log(2) / (decay * self.age) + 4 * (math.sqrt(2) - 1) * late * self.age**-1.5
            return {"(5)": 1e-3 * (c - by_hand)}
        depth = math.log(self.walkers) + (3 * math.log(math.log(self.walkers)) if method == "noise" else 0)
        return {"(6)": 1e-3 * (c - final + math.pi**2 * decay * bend / (2 * depth**2))}

    def profiles(self) -> dict[str, core.Profile]:
        """The wave u(x - ct) with the speed of each method, down to 1e-8.

        With y = ln u/(1 - u) and q = -dy/dx eq. (1) is dq/dy = c - q (1 - 2u) - r (1 + bu) / q: Runge and Kutta, from
        where it is hot.
        """
        if self.medium != "continuum":
            return {}
        r, b = self.growth, self.cooperation
        speed = self.theory(profiles=False)["speed"].values
        c = np.where(speed > 0, speed, np.nan)

        def turn(y: float, q: Array) -> Array:
            u = 1 / (1 + math.exp(-y))
            return np.asarray(c - q * (1 - 2 * u) - r * (1 + b * u) / q)

        y = np.linspace(20, -20, 401)
        h = float(y[1] - y[0])
        q = np.empty((y.size, c.size))
        q[0] = (-c + np.sqrt(c * c + 4 * r * (1 + b))) / 2
        for k in range(y.size - 1):
            one = turn(y[k], q[k])
            two = turn(y[k] + h / 2, q[k] + h / 2 * one)
            three = turn(y[k] + h / 2, q[k] + h / 2 * two)
            q[k + 1] = q[k] + h / 6 * (one + 2 * two + 2 * three + turn(y[k + 1], q[k] + h * three))
        x = np.concatenate([np.zeros((1, c.size)), np.cumsum(-h / 2 * (1 / q[1:] + 1 / q[:-1]), axis=0)])
        x -= x[y.size // 2]  # where u is one half
        shape = [np.interp(OFFSETS, place, y, right=np.nan) for place in x.T]
        u = 1 / (1 + np.exp(-np.array(shape)))
        return {"shape": core.Profile(OFFSETS, np.where(u > 1e-8, u, np.nan))}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        found = self.theory(profiles=False)
        path = {name: np.repeat(found[name].values[:, None], times.size, axis=1) for name in ("speed", "rear_speed")}
        r, at = np.array([self.growth]), np.maximum(np.asarray(times, np.float64), 1e-3)
        if found["speed"].values[RELAXING] != found["speed"].values[ASYMPTOTIC]:
            path["speed"][RELAXING] = np.where(at >= 2, self.edge(r).mean_speed(at), np.nan)
        if found["rear_speed"].values[RELAXING] != found["rear_speed"].values[ASYMPTOTIC]:
            path["rear_speed"][RELAXING] = np.where(at >= 2, self.rear(r).mean_speed(at), np.nan)
        return path

    def extent(self) -> str:
        return f"until time {self.age:,.0f}" + ("" if self.graininess == "smooth" else f", N = {self.walkers:,}")

    def caveat(self) -> str:
        if self.graininess == "walkers":
            return "at so few walkers (6) is far from exact, and they run between its two speeds"
        return "eqs. (5) and (6) are the first terms of expansions, and a shallow tail takes long to take over"

    def footprint(self) -> int:
        return 16 * ROWS * int(20 * self.age + 2 * MORE)
