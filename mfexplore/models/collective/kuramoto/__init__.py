r"""Kuramoto model: oscillators of different frequencies that pull each other into step, with noise.

$N$ phases on the unit circle, each with its own natural frequency $\omega_i$ drawn from a density $g(\omega)$:

$$\dot\theta_i=\omega_i+\frac KN\sum_j\sin(\theta_j-\theta_i)+\sqrt{2D}\,\xi_i(t) \tag{1}$$

The coherence $r$ and the mean phase $\psi$ are those of the mean field $re^{i\psi}=\frac1N\sum_je^{i\theta_j}$, so that
every oscillator feels only $\dot\theta_i=\omega_i-Kr\sin(\theta_i-\psi)+\sqrt{2D}\,\xi_i$. For one frequency and a
constant $q=Kr$ the moments $z_n=\langle e^{in\theta}\rangle$ of the stationary density obey

$$(nD-i\omega)\,z_n=\tfrac q2\,(z_{n-1}-z_{n+1}),\qquad
S_n=\frac{z_n}{z_{n-1}}=\frac{q/2}{nD-i\omega+\frac q2S_{n+1}} \tag{2}$$

a continued fraction whose value is a ratio of Bessel functions of complex order,
$S_1=I_{1-i\omega/D}(q/D)\,/\,I_{-i\omega/D}(q/D)$. Coherence is self-consistent if

$$r=F(Kr),\qquad F(q)=\int g(\omega)\,\mathrm{Re}\,S_1(\omega;q)\,d\omega \tag{3}$$

Every solution lies on the curve $K(q)=q/F(q)$. Oscillators of one frequency have the coherence
$\langle\cos(\theta-\psi)\rangle=\mathrm{Re}\,S_1$ with the mean phase, and turn at $\omega-q\,\mathrm{Im}\,S_1$.
Frequencies (width $\gamma$, separation $\omega_0$), each symmetric:

- *lorentzian*, half-width $\gamma$: the integral picks $\omega=i\gamma$; $r=\sqrt{1-2\gamma/K}$ at $D=0$.
- *gaussian*, standard deviation $\gamma$. *uniform* on $[-\gamma,\gamma]$: without noise coherence jumps from 0 to
  $\pi/4$, yet there is no hysteresis.
- *bimodal*: two Lorentzians of half-width $\gamma$ centred at $\pm\omega_0$.
- *identical*: all $\omega_i=0$. Then $D$ is the temperature of a magnet of planar rotors (XY model) with
  $H=-\frac{K}{2N}\sum_{ij}\cos(\theta_i-\theta_j)$ and $r=I_1(x)/I_0(x)$ with $x=Kr/D$.

The incoherent state gives way at the critical coupling

$$K_c=\frac{2}{\int g(\omega)\frac{D}{D^2+\omega^2}d\omega} \tag{4}$$

which is $2(\gamma+D)$, $\;2\gamma\sqrt{2/\pi}\,e^{-D^2/2\gamma^2}/\mathrm{erfc}(D/\sqrt2\gamma)$ and
$2\gamma/\arctan(\gamma/D)$ for the first three. For two peaks it is $2(a+\omega_0^2/a)$ with $a=\gamma+D$ as long as
$\omega_0<a$; beyond, two groups start to turn against each other at $K_c=4a$ already: a *standing wave*, in which the
coherence oscillates. If $\mathrm{Re}\,(a-i\omega_0)^{-2}(a+D-i\omega_0)^{-1}<0$ the coherent state exists below the $K$
of eq. (4), down to the fold where $dK/dq=0$, and sweeping the coupling draws a hysteresis loop.

In time, and with the frequency continued into the upper half plane where $g$ allows it, the moments obey

$$\dot z_n=(in\omega-n^2D)\,z_n+\frac{nK}2\,(\bar z\,z_{n-1}-\bar z^*z_{n+1}),\qquad
\bar z=\int g\,z_1\,d\omega \tag{5}$$

which without noise stays on the manifold $z_n=z_1^n$ of Ott and Antonsen: for the Lorentzian
$\dot r=(\frac K2-\gamma)r-\frac K2r^3$. The driving torques do the work $\omega_i\dot\theta_i$, all of it turned into
heat. Coherence saves the power

$$\langle\omega^2\rangle-\langle\omega\dot\theta\rangle=Kr\int g(\omega)\,\omega\,\mathrm{Im}\,S_1\,d\omega \tag{6}$$

per oscillator ($K\gamma r^2$ for the Lorentzian), and the entropy production drops by this divided by $D$.

**Valid:** as $N\to\infty$, for stationary states. At finite $N$ the incoherent state shows $r\sim N^{-1/2}$, and states
near $K_c$ fluctuate more ($N^{-1/4}$ for identical oscillators). Where only the standing wave is stable, theory says
so but gives no coherence; the predicted path, eq. (5), still follows it. A standing wave may also live beside the
coherent state.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ive

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.solution import columns
from mfexplore.families import oscillators
from mfexplore.families import synchronization as theory
from mfexplore.families.synchronization import COHERENT, DENSITIES, IDENTICAL, INCOHERENT, UNSTABLE, Population
from mfexplore.models.collective.kuramoto.dynamics import FASTEST, KuramotoSimulation
from mfexplore.numerics.functions.quadrature import gauss_legendre

BIMODAL_ONLY, DIFFERENT = {"frequencies": ("bimodal",)}, {"frequencies": DENSITIES[:IDENTICAL]}


def decay_exponent(model: Kuramoto, early: float, late: float) -> float:
    """Exponent with which the coherence falls between two times, from equal phases, after eq. (5)."""
    times = np.linspace(0.0, late, round(late) + 1)
    path = model.predicted_path({"coherence": 1.0}, times)["coherence"]
    return float(np.log(path[-1] / np.interp(early, times, path)) / math.log(late / early))


@dataclass(frozen=True)
class Kuramoto(core.Model):
    coupling: float = core.control(
        2.0, 0.0, 8.0, symbol="K", unit="1/time", role="coupling", step=0.01,
        doc="how strongly each oscillator is pulled towards the phases of all others",
    )  # fmt: skip
    temperature: float = core.control(
        0.1, 0.0, 2.0, symbol="D", unit="1/time", role="temperature", step=0.005,
        doc="noise: diffusion of a free phase, the temperature of the rotors",
    )  # fmt: skip
    disorder: float = core.control(
        0.5, 0.0, 2.0, symbol=r"\gamma", unit="1/time", role="disorder", step=0.005,
        doc="width of the frequencies: half-width (lorentzian, bimodal), standard deviation, or largest (uniform)",
        only=DIFFERENT,
    )  # fmt: skip
    separation: float = core.control(
        1.0, 0.0, 4.0, symbol=r"\omega_0", unit="1/time", role="disorder", step=0.01,
        doc="the two peaks of a bimodal density lie at plus and minus this frequency", only=BIMODAL_ONLY,
    )  # fmt: skip
    frequencies: str = core.choice(
        "lorentzian", DENSITIES, symbol="g", role="disorder", doc="density of the natural frequencies"
    )
    size: int = core.control(
        20_000, 10, 1_000_000, symbol="N", role="size", scale="log", part="simulation", doc="oscillators simulated"
    )
    sampling: str = core.choice(
        "quantile", ("quantile", "random"), part="simulation",
        doc="frequencies evenly spaced in probability, or drawn at random (larger deviations from sample to sample)",
    )  # fmt: skip
    start: str = core.choice(
        "incoherent", oscillators.STARTS, role="start", part="simulation",
        doc="phases at the start: anywhere on the circle, or all equal",
    )  # fmt: skip

    version = 3
    tags = core.Tags(
        "first contact", 10, ("phase transition", "jump", "hysteresis", "synchronization"), ("self-consistency",)
    )  # fmt: skip
    relations = (
        core.Relation(
            "has the same transition as", "curie_weiss",
            "Oscillators of equal frequency with noise are planar rotors in equilibrium: the same self-consistency, "
            "with arrows instead of signs.",
            here={"frequencies": "identical", "coupling": 1.0, "temperature": 0.3},
        ),
    )  # fmt: skip
    title = "Kuramoto oscillators"
    summary = "Oscillators of different frequencies fall into step above a critical coupling, smoothly or with a jump."
    sources = (
        core.Source("Y. Kuramoto, Chemical Oscillations, Waves, Turbulence (1984)", doi="10.1007/978-3-642-69689-3"),
        core.Source("H. Sakaguchi, Prog. Theor. Phys. 79, 39 (1988): with noise", doi="10.1143/PTP.79.39"),
        core.Source("E. Ott, T. M. Antonsen, Chaos 18, 037113 (2008)", doi="10.1063/1.2930766", arxiv="0806.0004"),
        core.Source(
            "E. A. Martens et al., Phys. Rev. E 79, 026204 (2009): two Lorentzians", doi="10.1103/PhysRevE.79.026204",
            arxiv="0809.2129",
        ),
        core.Source("D. Pazó, Phys. Rev. E 72, 046211 (2005): uniform frequencies", doi="10.1103/PhysRevE.72.046211"),
    )  # fmt: skip
    observables = (
        core.Observable("coherence", "r", "length of the mean of all phase vectors", low=0, high=1),
        core.Observable(
            "locked_fraction", r"P(|\omega|\leq Kr)", "oscillators slow enough to lock to the mean field, were it not "
            "for the noise", low=0, high=1,
        ),
        core.Observable(
            "power_saved", r"\langle\omega^2\rangle-\langle\omega\dot\theta\rangle",
            "power per oscillator that coherence saves the driving torques, eq. (6)", unit="1/time^2", low=0,
        ),
        core.Observable(
            "coherence_profile", r"\langle\cos(\theta-\psi)\rangle", "how far oscillators of a natural frequency are "
            "in step with the mean phase; the mean over all is r", low=-0.2, high=1, over="natural_frequency",
        ),
        core.Observable(
            "effective_frequency", r"\langle\dot\theta\rangle", "mean velocity of an oscillator against its natural "
            "frequency: locked ones stand still", unit="1/time", signed=True, over="natural_frequency",
        ),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("natural_frequency", r"\omega", "pace of an oscillator that is not coupled", unit="1/time"),
    )
    branches = (
        core.Branch("incoherent", "phases spread evenly, every oscillator at its own pace"),
        core.Branch("coherent", "a common rhythm"),
        core.Branch("unstable", "the threshold between the two where both are stable", only=BIMODAL_ONLY),
    )
    phases = (
        core.Phase("incoherent", "Frequencies and noise win: no common rhythm survives."),
        core.Phase("coherent", "A common rhythm grows from any start."),
        core.Phase(
            "bistable", "Incoherence and coherence are both stable: which you see depends on the start.",
            only=BIMODAL_ONLY,
        ),
        core.Phase(
            "standing_wave", "Two groups turn against each other; the coherence swells and fades for ever.",
            only=BIMODAL_ONLY,
        ),
    )  # fmt: skip
    failures = (
        core.Failure(
            "oscillating", "No stationary state is stable here: the coherence keeps oscillating. Watch the simulation "
            "or the predicted path instead.", only=BIMODAL_ONLY,
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("critical_coupling", "K_c", "above it incoherence is unstable", of="coupling"),
        core.Landmark(
            "fold", "K_f", "below it no coherent state exists (end of the hysteresis loop)", continuous=False,
            of="coupling", only=BIMODAL_ONLY,
        ),
    )  # fmt: skip
    planes = (
        core.Plane("coupling", "temperature", "coherence", x_range=(0.0, 6.0), along="x"),
        core.Plane("coupling", "disorder", "coherence", x_range=(0.0, 6.0), along="x", only=DIFFERENT),
        core.Plane("coupling", "separation", "coherence", along="x", only=BIMODAL_ONLY),
    )
    presets = (
        core.Preset(
            "onset", {"coupling": 2.2, "disorder": 1.0, "temperature": 0.0, "size": 100_000},
            "Ten per cent above the threshold K = 2 the phases gather to r = 0.30, growing slowly from noise.",
            (core.Promise(core.Crossing("critical_coupling", "coupling"), 2.0, 1e-9),
             core.Promise(core.Value("coherence"), 0.30, 0.005)),
            core.View(function="coherence_profile", series="coherence"),
        ),
        core.Preset(
            "locked and drifting", {"frequencies": "gaussian", "coupling": 2.0, "disorder": 1.0, "temperature": 0.0},
            "The slow oscillators stand still at an angle set by their frequency; the fast ones slip past them.",
            view=core.View(function="effective_frequency", picture="locking"),
        ),
        core.Preset(
            "explosive", {"frequencies": "uniform", "coupling": 1.4, "disorder": 1.0, "temperature": 0.0},
            "Ten per cent above the threshold K = 1.273 the coherence leaps to 0.87; just below it there is none.",
            (core.Promise(core.Crossing("critical_coupling", "coupling"), 1.273, 0.0005),
             core.Promise(core.Value("coherence"), 0.87, 0.005)),
            core.View(plane=("coupling", "disorder")),
        ),
        core.Preset(
            "rotors", {"frequencies": "identical", "coupling": 1.0, "temperature": 0.3, "start": "coherent"},
            "Without different frequencies this is a magnet: warm it past T = K/2 and the order melts smoothly.",
        ),
        core.Preset(
            "slow decay",
            {"frequencies": "identical", "coupling": 1.0, "temperature": 0.5, "start": "coherent", "size": 100_000},
            "At the threshold coherence falls as the inverse root of time: a tenth after a hundred times as long.",
            (core.Promise(lambda model: decay_exponent(model, 300.0, 600.0), -0.5, 0.01),),
            core.View(series="coherence"),
        ),
        core.Preset(
            "hysteresis",
            {"frequencies": "bimodal", "coupling": 1.9, "disorder": 0.5, "separation": 0.5, "temperature": 0.0},
            "From the coherent start the rhythm stays, from the incoherent one it never begins.",
            view=core.View(plane=("coupling", "separation")),
        ),
        core.Preset(
            "standing wave",
            {"frequencies": "bimodal", "coupling": 1.5, "disorder": 0.1, "separation": 1.0, "temperature": 0.1},
            "Two groups run in opposite directions: the coherence swells when they meet and fades when they part.",
            view=core.View(series="coherence", picture="phases in time"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "Lorentzian without noise, $K=3$, width 1", 0.5773502691896257, 1e-12, r"$\sqrt{1-2\gamma/K}$",
            core.Value("coherence", "coherent"), {"coupling": 3.0, "disorder": 1.0, "temperature": 0.0}, published=True,
        ),
        core.Reference(
            "Lorentzian with noise, $K=2.5$, width 0.5, $D=0.5$", 0.5209599586489116, 1e-12,
            "continued fraction with mpmath; checked against the Fokker-Planck equation of 4001 frequencies",
            core.Value("coherence", "coherent"), {"coupling": 2.5, "disorder": 0.5, "temperature": 0.5},
        ),
        core.Reference(
            "Gaussian without noise, $K=2$, standard deviation 1", 0.7151739566831832, 1e-11,
            "closed form with Bessel functions", core.Value("coherence", "coherent"),
            {"frequencies": "gaussian", "coupling": 2.0, "disorder": 1.0, "temperature": 0.0},
        ),
        core.Reference(
            "magnetization of planar rotors, $T=0.49$", 0.19866447201536014, 1e-12, "$I_1/I_0$ self-consistent",
            core.Value("coherence", "coherent"), {"frequencies": "identical", "coupling": 1.0, "temperature": 0.49},
        ),
        core.Reference(
            "critical coupling of Gaussian frequencies with noise 0.5", 2.282155540736129, 1e-12, "closed form",
            core.Crossing("critical_coupling", "coupling"),
            {"frequencies": "gaussian", "disorder": 1.0, "temperature": 0.5},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Half of the oscillators would turn at +0.5, half at -0.5, each with a Lorentzian spread of 0.5. Start "
            "coherent and lower the coupling: at which $K$ does the rhythm break down?",
            {"frequencies": "bimodal", "disorder": 0.5, "separation": 0.5, "temperature": 0.0, "coupling": 2.5,
             "start": "coherent"}, "coupling", core.Crossing("fold", "coupling"), 0.05,
            "On the way up the rhythm begins at K = 2; on the way down it lasts until the fold at K = 1.81.",
            view=core.View(plane=("coupling", "separation")),
        ),
        core.Task(
            "Uniform frequencies between -1 and 1, no noise. How large is the coherence just after it appears?",
            {"frequencies": "uniform", "disorder": 1.0, "temperature": 0.0, "coupling": 1.2733}, "coherence",
            core.Value("coherence", "coherent"), 0.05,
            "At the threshold all oscillators lock at once: the mean of cos θ with sin θ spread evenly is π/4.",
            view=core.View(plane=("coupling", "disorder")),
        ),
    )  # fmt: skip
    simulation = KuramotoSimulation

    @property
    def kind(self) -> int:
        """Position of the density in DENSITIES."""
        return DENSITIES.index(self.frequencies)

    def _columns(self, points: Points) -> tuple[Array, Array, Array]:
        """Noise, width and separation as far as they matter."""
        d, g, s = (points[n] for n in ("temperature", "disorder", "separation"))
        return d, g * (self.frequencies != "identical"), s * (self.frequencies == "bimodal")

    def population(self) -> Population:
        """All but the coupling, for the kernels."""
        d, g, s = (float(column[0]) for column in self._columns(columns(self, {})))
        return Population(d, g, s, self.kind, theory.nodes(self.kind))

    def solve(self, points: Points) -> core.Solution:
        k, (d, g, s) = points["coupling"], self._columns(points)
        field, torque, residual = np.full((3, k.size, 3), np.nan)
        iterations, growing = np.zeros((k.size, 3), np.int64), np.empty(k.size, np.bool_)
        found = theory.Stationary(field, torque, residual, iterations, growing)
        theory.solve_points(k, d, g, s, self.kind, theory.nodes(self.kind), found)
        with np.errstate(divide="ignore", invalid="ignore"):
            values = {
                "coherence": np.where(field > 0, field / k[:, None], field),
                "locked_fraction": np.where(field > 0, self._within(field, g[:, None], s[:, None]), field),
                "power_saved": field * torque,
            }
        stable = (residual <= self.tolerance) & np.array([True, True, False])
        stable[:, INCOHERENT] &= ~growing
        fails = {"oscillating": np.broadcast_to(~stable.any(axis=1)[:, None], stable.shape)}
        return core.Solution(values, residual, stable, iterations=iterations, fails=fails)

    def _within(self, q: Array, width: Array, shift: Array) -> Array:
        """Fraction of natural frequencies between -q and q."""
        with np.errstate(divide="ignore", invalid="ignore"):
            below, above = (theory.share_below(self.kind, (edge - shift) / width) for edge in (-q, q))
        return above - below

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        r, saved = state["coherence"], state["power_saved"]
        q = self.coupling * r
        if q == 0:
            return {"(3)": r, "(6)": saved}
        omega, weight = self._frequencies(q)
        s = self._first_moment(q, omega)
        return {"(3)": r - weight @ s.real, "(6)": saved - q * weight @ (omega * s.imag)}

    def _frequencies(self, q: float) -> tuple[Array, Array]:
        """Of one peak (the other has the same Re S and omega Im S), with weights, dense at the edges of locking."""
        _, width, shift = (float(column[0]) for column in self._columns(columns(self, {})))
        if width == 0:
            return np.array([shift]), np.ones(1)
        edges = theory.share_below(self.kind, (np.array([-q, q]) - shift) / width)
        breaks = np.unique([0.0, *edges, 0.5, 1.0])
        x, w = gauss_legendre(100)
        graded, rise = x**4 * (35 - 84 * x + 70 * x**2 - 20 * x**3), 140 * (x * (1 - x)) ** 3
        length = np.diff(breaks)[:, None]
        omega = shift + width * theory.of_peak(self.kind, breaks[:-1, None] + length * graded)
        return omega.ravel(), (length * rise * w).ravel()

    def _first_moment(self, q: float, omega: Array) -> Array:
        """S_1 of eq. (2) at real frequencies, shape of omega."""
        if self.temperature == 0:
            root = np.sqrt(np.asarray(q * q - omega**2, complex))
            return np.where(np.abs(omega) < q, (root + 1j * omega) / q, 1j * (omega - np.sign(omega) * root.imag) / q)
        s = np.zeros_like(omega, complex)
        for n in range(50 + math.ceil(12 * math.sqrt(q / self.temperature)), 0, -1):
            s = q / 2 / (n * self.temperature - 1j * omega + q / 2 * s)
        return s

    def select(self, points: Points, solution: core.Solution) -> Array:
        """Coherence where it is stable (the branch reached from a coherent start), else incoherence."""
        stable = solution.stable
        assert stable is not None
        return np.where(stable[:, COHERENT], COHERENT, np.where(stable[:, INCOHERENT], INCOHERENT, -1))

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        incoherent, coherent = states.stable["incoherent"], states.stable["coherent"]
        both = incoherent & coherent
        return {"bistable": both, "coherent": coherent, "incoherent": incoherent, "standing_wave": ~incoherent}

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        rates = self._columns(points)
        found = np.empty((3, rates[0].size))
        theory.corners(*rates, self.kind, theory.nodes(self.kind), found)
        return found[0] if name == "critical_coupling" else (found[1], found[2] > 0)

    def profiles(self) -> dict[str, core.Profile]:
        omega = np.linspace(-FASTEST, FASTEST, 241)
        stationary = self.solve(columns(self, {}))
        coherence, pace = np.full((2, 3, omega.size), np.nan)
        coherence[INCOHERENT], pace[INCOHERENT] = 0.0, omega
        table, work = np.zeros((2, 4, omega.size))
        table[0] = omega
        for branch in (COHERENT, UNSTABLE):
            q = self.coupling * float(stationary.values["coherence"][0, branch])
            if q > 0:
                theory.moments(q, Population(self.temperature, 1.0, 0.0, self.kind, table), table, work)
                coherence[branch], pace[branch] = work[0], omega - q * work[1]
                if self.temperature == 0:  # exactly, not to rounding errors
                    pace[branch, np.abs(omega) < q] = 0.0
        return {"coherence_profile": core.Profile(omega, coherence), "effective_frequency": core.Profile(omega, pace)}

    def landscape(self) -> core.Landscape:
        """Free energy of the rotors at a given mean field; only identical oscillators are in equilibrium."""
        if self.frequencies != "identical":
            raise core.NotOfferedError(self.title, "a free energy unless all frequencies are equal (no equilibrium)")
        r = np.linspace(0, 1, 401)
        k, d = self.coupling, self.temperature
        entropic = k * r + (d * np.log(ive(0, k * r / d)) if d > 0 else 0.0)
        return core.Landscape("coherence", r, k * r * r / 2 - entropic)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        k, d = self.coupling, self.temperature
        # The moments fall off as exp(-n^2 D/2Kr); the last is closed as on the manifold without noise.
        modes = min(48, 8 + math.ceil(4 * math.sqrt(k / d))) if d > 0 else 1
        longest = min(0.05, 1.5 / (modes * k)) if k > 0 else 0.05
        path = np.empty(len(times))
        times, first = np.asarray(times, np.float64), start["coherence"]
        theory.follow_moments(times, first, k, self.population(), modes, longest, path)
        return {"coherence": np.abs(path)}

    def footprint(self) -> int:
        return 90 * self.size
