r"""Curie-Weiss ferromagnet: every spin couples to every other.

$N$ Ising spins $s_i=\pm1$ with the energy

$$H=-\frac{J}{2N}\Big(\sum_i s_i\Big)^2-h\sum_i s_i \tag{1}$$

As $N\to\infty$ the magnetization $m=\langle s_i\rangle$ solves

$$m=\tanh\frac{Jm+h}{T} \tag{2}$$

and minimises the free energy per spin

$$f(m)=-\tfrac12 Jm^2-hm-T\,S(m),\qquad S(m)=-\tfrac{1+m}2\ln\tfrac{1+m}2-\tfrac{1-m}2\ln\tfrac{1-m}2 \tag{3}$$

Below $T_c=J$ the branch against the field survives until the spinodal

$$m_s=\sqrt{1-T/J},\qquad h_s=Jm_s-T\,\mathrm{artanh}\,m_s \tag{4}$$

so a swept field draws a hysteresis loop. Single-spin (heat-bath) dynamics follows

$$\dot m=-m+\tanh\frac{Jm+h}{T} \tag{5}$$

per sweep, and relaxes in the time $\tau=1/[1-\tfrac JT(1-m^2)]$, which diverges at $T_c$ and at the spinodals:
*critical slowing down*. At finite $N$ the distribution of the magnetization is exactly

$$P(m)\propto\binom{N}{N(1+m)/2}\,e^{N(Jm^2/2+hm)/T} \tag{6}$$

**Valid:** everywhere as $N\to\infty$. At finite $N$ fluctuations are of order $N^{-1/2}$ (and $N^{-1/4}$ at $T_c$), and
a metastable state lives for a time of order $e^{N\Delta f/T}$, not for ever.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from scipy.special import gammaln, softmax, xlogy

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families import spins
from mfexplore.families.lattice_spins.bethe_lattice import mean_field_root
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import solve_ivp

UP, DOWN, UNSTABLE = 0, 1, 2


@kernel
def spinodal_field(temperature, coupling):
    """h_s of eq. (4); 0 above the critical temperature."""
    if temperature >= coupling:
        return 0.0
    m = math.sqrt(1.0 - temperature / coupling)
    return coupling * m - temperature * math.atanh(m) if temperature > 0.0 else coupling


@kernel
def inner_root(temperature, field, coupling):
    """The unstable root between the spinodals, by bisection: T artanh(m) - Jm - h falls monotonically there."""
    low = -math.sqrt(1.0 - temperature / coupling)
    high = -low
    for iteration in range(60):
        m = 0.5 * (low + high)
        if temperature * math.atanh(m) - coupling * m - field > 0.0:
            low = m
        else:
            high = m
        if high - low < 1e-16:
            break
    return 0.5 * (low + high), iteration + 1


@kernel
def solve_points(temperature, field, coupling, magnetization, residual, iterations):
    """All branches of eq. (2), written into arrays of shape (n, 3); a branch that does not exist keeps residual NaN."""
    for i in range(temperature.size):
        t, h, j = temperature[i], field[i], coupling[i]
        h_s = spinodal_field(t, j)
        below = t < j
        for branch, sign in ((UP, 1.0), (DOWN, -1.0)):
            alone = sign * h > 0.0 or (h == 0.0 and branch == UP)
            if alone or (below and -sign * h <= h_s):
                if t == 0.0:
                    m, count = 1.0, 1
                else:
                    m, count = mean_field_root(t, sign * h, j)
                magnetization[i, branch] = sign * m
                iterations[i, branch] = count
        if below and abs(h) < h_s:
            if t == 0.0:
                m, count = -h / j, 1
            elif h == 0.0:
                m, count = 0.0, 1
            else:
                m, count = inner_root(t, h, j)
            magnetization[i, UNSTABLE] = m
            iterations[i, UNSTABLE] = count
        for branch in range(3):
            m = magnetization[i, branch]
            if t > 0.0:
                residual[i, branch] = abs(m - math.tanh((j * m + h) / t))
            elif branch == UNSTABLE:
                residual[i, branch] = abs(j * m + h)
            else:
                residual[i, branch] = abs(m - np.sign(j * m + h)) if j * m + h != 0.0 else 0.0


class Drive(NamedTuple):
    """The field as it changes with time: h + h_1 sin(2 pi t / tau_h)."""

    field: float
    amplitude: float
    period: float


@kernel
def heat_bath(state, total, coupling, temperature, drive, time, updates, rng):
    """Heat-bath updates of random spins, O(1) each: only the total magnetization enters the local field.

    `state` (int8) is overwritten; returns the new total. One unit of time is one update per spin.
    """
    n = state.size
    for k in range(updates):
        i = int(rng.random() * n)
        h = drive.field
        if drive.amplitude != 0.0:
            h += drive.amplitude * math.sin(2.0 * math.pi * (time + k / n) / drive.period)
        local = coupling * (total - state[i]) / n + h
        if temperature > 0.0:
            up = rng.random() * (1.0 + math.exp(-2.0 * local / temperature)) < 1.0
        else:
            up = local > 0.0 or (local == 0.0 and rng.random() < 0.5)
        new = 1 if up else -1
        total += new - state[i]
        state[i] = new
    return total


class CurieWeissSimulation(core.Simulation["CurieWeiss"]):
    """Heat-bath dynamics of eq. (1), one sweep = N updates of random spins."""

    relaxation, window = 100.0, 200.0

    def prepare(self) -> None:
        self.spins = spins.start(self.model.start, self.model.size, self.rng)
        self.total = int(self.spins.sum())

    def evolve(self, duration: float) -> None:
        m = self.model
        drive = Drive(m.field, m.drive_amplitude, m.drive_period)
        updates = round(duration * m.size)
        self.total = heat_bath(self.spins, self.total, m.coupling, m.temperature, drive, self.time, updates, self.rng)

    def observe(self) -> dict[str, float]:
        m = self.total / self.model.size
        field = self.model.driven_field(self.time)
        energy = -0.5 * self.model.coupling * m * m - field * m
        return {"magnetization": m, "absolute_magnetization": abs(m), "energy": energy, "field": field}

    def picture(self) -> core.Picture:
        return self._loop() if self.model.drive_amplitude > 0 else spins.picture(self.spins)

    def _loop(self) -> core.Chart:
        """Magnetization against field over the last periods, on top of all states of eq. (2)."""
        m = self.model
        states = np.tanh(np.linspace(-4, 4, 161))
        static = m.temperature * np.arctanh(states) - m.coupling * states
        reached = np.abs(static) <= m.drive_amplitude + abs(m.field)
        recent = math.ceil(3 * m.drive_period / self.step)
        series = self.series()[1]
        field, run = (series[name][-recent :: max(1, recent // 600)] for name in ("field", "magnetization"))
        return core.Chart(
            (core.Series("states of theory", static[reached], states[reached]), core.Series("run", field, run)),
            core.Axis("field h"), core.Axis("magnetization m", low=-1, high=1), caption="against the driven field",
        )  # fmt: skip


@dataclass(frozen=True)
class CurieWeiss(core.Model):
    temperature: float = core.control(
        0.7, 0.0, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise in each spin"
    )
    field: float = core.control(
        0.0, -1.0, 1.0, symbol="h", unit="J", role="field", step=0.005, doc="uniform field that favours spins up"
    )
    coupling: float = core.control(
        1.0, 0.1, 2.0, symbol="J", role="coupling", step=0.01, doc="strength with which all spins align each other"
    )
    size: int = core.control(
        2000, 2, 1_000_000, symbol="N", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    start: str = core.choice(
        "up", spins.STARTS, role="start", part="simulation",
        doc="state the simulation starts from; in the cold a random one turns up or down by chance",
    )  # fmt: skip
    drive_amplitude: float = core.control(
        0.0, 0.0, 1.0, symbol="h_1", unit="J", role="field", part="simulation", step=0.01,
        doc="amplitude of a sine added to the field in time; means of simulations are then over the loop",
    )  # fmt: skip
    drive_period: float = core.control(
        400.0, 10.0, 10_000.0, symbol=r"\tau_h", unit="sweeps", role="field", part="simulation", scale="log", step=10.0,
        doc="period of that sine",
    )  # fmt: skip

    tags = core.Tags(
        "first contact", 10, ("phase transition", "jump", "hysteresis", "critical fluctuations"),
        ("self-consistency", "exact sums"),
    )  # fmt: skip
    relations = (
        core.Relation(
            "is a limit of", "ising_lattice",
            "With ever more neighbours, coupled more weakly, their field stops fluctuating: mean field becomes exact.",
            there={"lattice": "fcc", "temperature": 9.5},
        ),
        core.Relation(
            "is a limit of", "sherrington_kirkpatrick",
            "A ferromagnetic bias beside which the scatter of the couplings is small leaves the pull of all on each.",
            there={"ferromagnetic_bias": 2.0, "temperature": 1.4},
        ),
        core.Relation(
            "is a limit of", "hopfield",
            "Few memories: each, in the gauge in which its pattern is all up, is this ferromagnet, with T_c = 1.",
            there={"load": 0.0, "temperature": 0.7},
        ),
    )  # fmt: skip
    title = "Curie-Weiss ferromagnet"
    summary = "Every spin feels the mean of all others: a transition, two branches, hysteresis, critical slowing down."
    sources = (
        core.Source("P. Weiss, J. Phys. Theor. Appl. 6, 661 (1907)", doi="10.1051/jphystap:019070060066100"),
        core.Source("R. J. Baxter, Exactly Solved Models in Statistical Mechanics, chapter 3 (1982)"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin", low=-1, high=1, signed=True),
        core.Observable("absolute_magnetization", "|m|", "size of the mean spin", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per spin, eq. (3)", unit="J"),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("entropy", "S", "entropy per spin", low=0, high=math.log(2)),
        core.Observable("susceptibility", r"\chi", "response of the magnetization to the field", low=0, high=10),
        core.Observable(
            "relaxation_time", r"\tau", "time in which a small deviation decays", unit="sweeps", low=0, high=30
        ),
    )
    branches = (
        core.Branch("up", "the state reached from all spins up"),
        core.Branch("down", "the state reached from all spins down"),
        core.Branch("unstable", "the barrier between the two"),
    )
    phases = (
        core.Phase("bistable", "Two states survive: which one you see depends on where you came from."),
        core.Phase("one_state", "Only one state exists, and it follows the field: without one nothing is magnetized."),
    )
    landmarks = (
        core.Landmark("critical_temperature", "T_c", "below it spins order without a field", of="temperature"),
        core.Landmark(
            "coexistence", r"f_\uparrow=f_\downarrow", "both states have the same free energy (first order)", of="field"
        ),
        core.Landmark("spinodal_up", r"h_{s\uparrow}", "the up state ceases to exist", continuous=False, of="field"),
        core.Landmark(
            "spinodal_down", r"h_{s\downarrow}", "the down state ceases to exist", continuous=False, of="field"
        ),
    )
    planes = (
        core.Plane("field", "temperature", "magnetization", x_range=(-1.0, 1.0), y_range=(0.0, 1.5)),
        core.Plane("temperature", "coupling", "magnetization"),
    )
    presets = (
        core.Preset("ordered", {"temperature": 0.7}, "The spins stay up although nothing tells them to.",
            (core.Promise(core.Mean("magnetization", 20, 220), 0.8286, 0.01),),
        ),
        core.Preset(
            "critical point", {"temperature": 1.0, "size": 10_000, "start": "random"},
            "The magnetization wanders slowly and far: fluctuations of order N^(-1/4), relaxation without end.",
        ),
        core.Preset("paramagnet", {"temperature": 1.4}, "The starting state is forgotten within a few sweeps.",
            (core.Promise(core.Mean("magnetization", 20, 220), 0.0, 0.03),),
        ),
        core.Preset(
            "hysteresis", {"temperature": 0.6, "drive_amplitude": 0.4, "drive_period": 400.0, "size": 10_000},
            "The swept field draws a loop: spins turn only beyond the spinodal, the later the faster the sweep.",
            (core.Promise(core.Crossing("spinodal_down", "field"), 0.185, 0.0005, {"drive_amplitude": 0.0}),),
        ),
        core.Preset(
            "metastable", {"temperature": 0.6, "field": -0.15, "size": 500},
            "Up is only metastable against this field. At N = 500 it escapes sooner or later; at N = 10000 never.",
            (core.Promise(core.Mean("magnetization", 1000, 1200), -0.9, 0.05, {"size": 100}),),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "spontaneous magnetization at $T=0.5$", 0.9575040240772687, 1e-13, "eq. (2) solved with mpmath",
            core.Value("magnetization", "up"), {"temperature": 0.5},
        ),
        core.Reference(
            "spinodal field at $T=0.6$", math.sqrt(0.4) - 0.6 * math.atanh(math.sqrt(0.4)), 1e-12, "eq. (4)",
            core.Crossing("spinodal_down", "field"), {"temperature": 0.6},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At $T=0.6$ all spins point up. How strong must the field against them be before they all turn?",
            {"temperature": 0.6, "field": 0.0, "size": 10_000}, "field", core.Crossing("spinodal_up", "field"), 0.02,
            "The state does not turn when the other becomes cheaper (at h = 0) but when it ceases to exist, "
            "at the spinodal.", magnitude=True,
        ),
    )  # fmt: skip
    simulation = CurieWeissSimulation

    def solve(self, points: Points) -> core.Solution:
        t, h, j = points["temperature"], points["field"], points["coupling"]
        m = np.full((t.size, 3), np.nan)
        residual = np.full_like(m, np.nan)
        iterations = np.zeros(m.shape, np.int64)
        solve_points(t, h, j, m, residual, iterations)
        t, h, j = t[:, None], h[:, None], j[:, None]
        s = spins.entropy(m)
        energy = -0.5 * j * m * m - h * m
        with np.errstate(divide="ignore", invalid="ignore"):
            stiffness = t - j * (1 - m * m)  # T times the curvature of f over (1 - m^2)
            susceptibility = (1 - m * m) / stiffness
            relaxation = np.where(t > 0, t / np.abs(stiffness), 1.0)
        frozen = (t == 0) & (np.abs(m) == 1)
        values = {
            "magnetization": m,
            "absolute_magnetization": np.abs(m),
            "free_energy": energy - t * s,
            "energy": energy,
            "entropy": s,
            "susceptibility": np.where(frozen, 0.0, susceptibility),
            "relaxation_time": relaxation,
        }
        stable = np.broadcast_to(np.arange(3) != UNSTABLE, m.shape)
        return core.Solution(values, residual, stable=stable, iterations=iterations)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        m, t = state["magnetization"], self.temperature
        local = self.coupling * m + self.field
        free_energy = -0.5 * self.coupling * m * m - self.field * m - t * float(spins.entropy(np.array(m)))
        mean = np.tanh(local / t) if t > 0 else m if local == 0 else np.sign(local)
        return {"(2)": m - mean, "(3)": state["free_energy"] - free_energy}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        both = states.exists["up"] & states.exists["down"]
        cold = points["temperature"] < points["coupling"]
        return {"bistable": both & cold, "one_state": np.ones_like(both)}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        t, h, j = points["temperature"], points["field"], points["coupling"]
        if name == "critical_temperature":
            return np.where(h == 0, j, np.nan)
        if name == "coexistence":
            return np.where(t < j, 0.0, np.nan)
        m = np.sqrt(np.clip(1 - t / j, 0, 1))  # artanh m is the logarithm of (1 + m) / sqrt(1 - m^2)
        limit = np.where(t < j, j * m - xlogy(t, (1 + m) / np.sqrt(np.maximum(t, 1e-300) / j)), j - t)
        return (-limit if name == "spinodal_up" else limit), t < j

    def landscape(self) -> core.Landscape:
        m = np.linspace(-1, 1, 401)
        energy = -0.5 * self.coupling * m * m - self.field * m
        return core.Landscape("magnetization", m, energy - self.temperature * spins.entropy(m))

    def _probabilities(self) -> tuple[Array, Array]:
        """All magnetizations and their exact probabilities, eq. (6).

        Raises NotOfferedError while the field is swept: then there is no equilibrium.
        """
        if self.drive_amplitude > 0:
            raise core.NotOfferedError(self.title, "an equilibrium distribution in a field that changes with time")
        n, up = self.size, np.arange(self.size + 1)
        m = 2 * up / n - 1
        gain = n * (0.5 * self.coupling * m * m + self.field * m)
        if self.temperature == 0 or not np.isfinite(1 / self.temperature):
            return m, (gain == gain.max()) / np.sum(gain == gain.max())
        return m, softmax(gain / self.temperature - gammaln(up + 1) - gammaln(n - up + 1))

    def exact(self) -> dict[str, float]:
        m, p = self._probabilities()
        energy = float(p @ (-0.5 * self.coupling * m * m - self.field * m))
        return {"magnetization": float(p @ m), "absolute_magnetization": float(p @ np.abs(m)), "energy": energy}

    def law(self) -> core.Law:
        m, p = self._probabilities()
        return core.Law("magnetization", m, p * self.size / 2, "exact at this size, eq. (6)")

    def driven_field(self, time: float) -> float:
        """The field at a time of the simulation (in sweeps)."""
        return self.field + self.drive_amplitude * math.sin(2 * math.pi * time / self.drive_period)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        temperature = max(self.temperature, 1e-6)  # eq. (5) at T = 0 is a step; a hair of noise makes it smooth

        def slope(time: float, m: Array) -> Array:
            return -m + np.tanh((self.coupling * m + self.driven_field(time)) / temperature)

        span, first = (0.0, float(times[-1]) or 1.0), [start["magnetization"]]
        m = solve_ivp(slope, span, first, t_eval=times, rtol=1e-8, atol=1e-9).y[0]
        return {"magnetization": m, "absolute_magnetization": np.abs(m)}

    def caveat(self) -> str:
        if self.drive_amplitude > 0:
            return "the driven field never lets it rest, and the mean is taken over its loop"
        return "finite size, or a start from which it has to choose between two states"

    def footprint(self) -> int:
        return 16 * self.size
