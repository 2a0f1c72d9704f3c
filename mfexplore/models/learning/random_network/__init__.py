r"""Random recurrent network: from silence to chaos, and the linear network that shares its covariance.

$N$ neurons with currents $x_i$ and rates $\phi(x_i)$ excite one another through random couplings,

$$\dot x_i=-x_i+\sum_jJ_{ij}\phi(x_j)+\sqrt{2D}\,\xi_i(t),\qquad
J_{ij}\sim\mathcal N\big(0,\tfrac{g^2}N\big),\quad\overline{J_{ij}J_{ji}}=\tfrac{\rho g^2}N \tag{1}$$

with gain $g$, noise $D$, symmetry $\rho$, and $\phi=\tanh$ or $\phi(x)=\mathrm{erf}(\sqrt\pi x/2)$, both of slope 1 at
0. As $N\to\infty$ with $\rho=0$, every current is an independent Gaussian process driven by a Gaussian field of
covariance $g^2C$, $C(\tau)=\langle\phi(x(t))\phi(x(t+\tau))\rangle$ (dynamical mean-field theory). The autocorrelation
$\Delta(\tau)=\langle x(t)x(t+\tau)\rangle$, of variance $\Delta_0=\Delta(0)$, then obeys

$$\ddot\Delta=\Delta-g^2C(\Delta;\Delta_0)-2D\,\delta(\tau) \tag{2}$$

Newton's law in the potential

$$V(\Delta)=-\tfrac12\Delta^2+g^2\int_0^\Delta C(u;\Delta_0)\,du \tag{3}$$

A correlation that decays has energy zero, and it starts at $\tau=0^+$ with the slope $-D$:

$$\tfrac12D^2+V(\Delta_0)=0 \tag{4}$$

Two copies of the network that differ a little separate as $e^{\lambda t}$ with the largest Lyapunov exponent

$$\lambda=-1+\sqrt{1-E_0},\qquad-\psi''+\big[1-g^2C'(\Delta(\tau))\big]\psi=E\psi \tag{5}$$

from the ground state of a Schrödinger equation, $C'=\langle\phi'\phi'\rangle$. Its solution at $E=0$ is
$\dot\Delta$, so $\lambda=0$ exactly where $\ddot\Delta(0^+)=0$:

$$\Delta_0=g^2\langle\phi^2\rangle \tag{6}$$

With (4) this is the onset of chaos. Without noise it is $g=1$, where silence becomes unstable; noise suppresses chaos
and moves the onset up, although without coupling it only adds disorder.

**The linear network.** For covariances between *different* neurons of a given network, each nonlinearity acts like the
linear filter $S(\omega)=\langle\phi'\rangle/(1+i\omega)$ plus independent noise:

$$C(\omega)=A\,c(\omega)A^\dagger,\qquad A=(1-S(\omega)J)^{-1},\qquad
c(\omega)=\frac{N\,C_\phi(\omega)}{\mathrm{tr}\,AA^\dagger} \tag{7}$$

($C_\phi(\omega)$ is the spectrum of one neuron's rate, from eq. (2); in a large network $c\to C_\phi\,(1-g^2|S|^2)$,
but the trace of the given network is used, as single eigenvalues of $SJ$ come close to 1). The covariance at equal
times is the integral over $\omega/2\pi$. Summing planar diagrams of eq. (7) gives the dimension of the cloud of rates,
the participation ratio of the covariance's eigenvalues, as a fraction of $N$:

$$\frac{(\mathrm{tr}\,C)^2}{N\,\mathrm{tr}\,C^2}=\langle\phi^2\rangle^2\Big/\int\!\!\int\frac{d\omega\,d\omega'}{4\pi^2}
\frac{C_\phi(\omega)\,C_\phi(\omega')}{\big|1-g^2S^*(\omega)S(\omega')\big|^2} \tag{8}$$

**Valid:** as $N\to\infty$ for $\rho=0$. With $\rho\neq0$ a neuron hears the echo of its own past, eq. (2) acquires a
memory, and only the onset without noise, $g(1+\rho)=1$, is given here. At finite $N$ the Lyapunov exponent lies visibly
below theory, and close to the onset ($g<1.2$, small $N$) many samples show limit cycles or fixed points instead of
chaos: relaxation takes of the order of $(g-1)^{-1}$.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import erf

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.learning.random_network.dynamics import RandomNetworkSimulation
from mfexplore.models.learning.random_network.theory import (
    ACTIVITY,
    DIMENSION,
    HALF_LAG,
    LYAPUNOV,
    VARIANCE,
    chebyshev,
    curves,
    onset_of_chaos,
    solve_points,
)
from mfexplore.numerics.functions.gaussian_pairs import pair_table

QUIESCENT, CHAOTIC = range(2)


@dataclass(frozen=True)
class RandomNetwork(core.Model):
    gain: float = core.control(
        1.5, 0.0, 4.0, symbol="g", role="coupling", step=0.01, doc="strength of the random couplings"
    )
    noise: float = core.control(
        0.0, 0.0, 3.0, symbol="D", role="temperature", step=0.005, doc="white noise in every neuron's current"
    )
    symmetry: float = core.control(
        0.0, -1.0, 1.0, symbol=r"\rho", role="disorder", step=0.05,
        doc="correlation of the couplings of a pair in opposite directions; the theory of activity is for 0",
    )  # fmt: skip
    nonlinearity: str = core.choice("tanh", ("tanh", "erf"), symbol=r"\phi", doc="how a neuron's rate saturates")
    size: int = core.control(
        400, 20, 2000, symbol="N", unit="neurons", role="size", scale="log", part="simulation", doc="neurons simulated"
    )

    version = 2
    tags = core.Tags("course", 20, ("phase transition", "chaos"), ("dynamical mean field",))
    relations = (
        core.Relation(
            "contrasts with", "sherrington_kirkpatrick",
            "Couplings that are not mutual belong to no energy: instead of freezing, a random network wanders for "
            "ever.",
            here={"symmetry": 0.0},
        ),
        core.Relation(
            "shares the method with", "p_spin",
            "Dynamical mean field: one unit in a field whose correlation is that of the unit itself.",
            there={"kind": "spherical"},
        ),
    )  # fmt: skip
    title = "Random recurrent network"
    summary = (
        "Turn up the random couplings and silence becomes chaos; noise tames it; a linear twin shares its covariance."
    )
    sources = (
        core.Source(
            "H. Sompolinsky, A. Crisanti, H. J. Sommers, Phys. Rev. Lett. 61, 259 (1988)", "10.1103/PhysRevLett.61.259"
        ),
        core.Source(
            "J. Schuecker, S. Goedeke, M. Helias, Phys. Rev. X 8, 041029 (2018): with noise",
            "10.1103/PhysRevX.8.041029", "1603.01880",
        ),
        core.Source(
            "D. G. Clark, L. F. Abbott, A. Litwin-Kumar, Phys. Rev. Lett. 131, 118401 (2023): dimension",
            "10.1103/PhysRevLett.131.118401", "2207.12373",
        ),
    )  # fmt: skip
    observables = (
        core.Observable("variance", r"\Delta_0", "variance of a neuron's current", low=0),
        core.Observable("activity", r"\langle\phi^2\rangle", "mean squared rate", low=0, high=1),
        core.Observable(
            "lyapunov_exponent", r"\lambda", "rate at which two slightly different copies separate", signed=True,
            title="Lyapunov exponent",
        ),
        core.Observable("correlation_time", r"\tau_{1/2}", "lag that halves the autocorrelation; 0 in silence", low=0),
        core.Observable(
            "dimension", r"\mathrm{PR}/N", "participation ratio of the covariance of rates, eq. (8); 0 in silence",
            low=0, high=1,
        ),
        core.Observable("autocorrelation", r"\Delta(\tau)", "covariance of a current with itself later", over="lag"),
    )  # fmt: skip
    coordinates = (core.Coordinate("lag", r"\tau", "time between the two currents", unit="membrane times"),)
    branches = (
        core.Branch("quiescent", "silence, or with noise activity that the noise alone determines"),
        core.Branch("chaotic", "activity that sustains itself and forgets its start"),
    )
    phases = (
        core.Phase("silent", "Every disturbance dies out."),
        core.Phase("driven", "The neurons follow the noise: any two copies that hear the same noise end up alike."),
        core.Phase(
            "chaotic",
            "The smallest difference grows until nothing of the start is left (near the onset, in a finite network, "
            "often not at all).",
        ),
        core.Phase("active", "Couplings correlated with their opposites keep activity up."),
    )
    failures = (
        core.Failure(
            "memory", "With this symmetry a neuron hears the echo of its own past. The values shown are those without "
            "symmetry and only a rough guide.",
        ),
    )  # fmt: skip
    landmarks = (
        core.Landmark("onset_of_chaos", r"\lambda=0", "two copies neither separate nor come together", of="gain"),
    )
    planes = (
        core.Plane("gain", "noise", "lyapunov_exponent", x_range=(0.0, 3.0), y_range=(0.0, 2.0), along="x"),
        core.Plane("gain", "symmetry", "variance", x_range=(0.0, 3.0)),
    )
    presets = (
        core.Preset(
            "edge of chaos", {"gain": 1.2, "size": 1000},
            "The currents drift slowly, correlated over 15 time units; small networks often freeze or cycle here.",
        ),
        core.Preset(
            "deep chaos", {"gain": 2.5},
            "The measured autocorrelation settles on the curve of theory: half is gone after 4.5 time units.",
            (core.Promise(core.Value("correlation_time", "chaotic"), 4.5, 0.05),),
            core.View(function="autocorrelation"),
        ),
        core.Preset(
            "noise tames chaos", {"gain": 1.5, "noise": 0.25},
            "The neurons are busier than without noise, yet the Lyapunov exponent is negative.",
            (core.Promise(core.Value("lyapunov_exponent"), -0.1, 0.1),), core.View(function="autocorrelation"),
        ),
        core.Preset(
            "linear twin", {"gain": 2.0, "noise": 0.5, "size": 200},
            "Each dot is a pair of neurons: the linear network knows its covariance in advance, and what is measured "
            "comes closer the longer one averages.",
            view=core.View(picture="covariances"),
        ),
        core.Preset(
            "disc of eigenvalues", {"gain": 1.5},
            "Saturation shrinks the disc of eigenvalues until its edge just touches the line of stability.",
            view=core.View(picture="eigenvalues"),
        ),
        core.Preset(
            "symmetric couplings", {"gain": 1.5, "symmetry": 1.0},
            "With symmetric couplings there is an energy: every current comes to rest at a fixed point.",
            view=core.View(plane=("gain", "symmetry")),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "variance at gain 2", 1.9248054137370578, 1e-9, "energy condition (4), trapezoid rule with 4801 points",
            core.Value("variance", "chaotic"), {"gain": 2.0},
        ),
        core.Reference(
            "Lyapunov exponent at gain 1.5", 0.046746219521379695, 1e-7, "eq. (5) by finite differences, extrapolated",
            core.Value("lyapunov_exponent", "chaotic"), {"gain": 1.5},
        ),
        core.Reference(
            "variance with noise 0.5 at gain 2, erf", 2.2159312778067126, 1e-9, "eq. (4)",
            core.Value("variance"), {"gain": 2.0, "noise": 0.5, "nonlinearity": "erf"},
        ),
        core.Reference(
            "noise that ends chaos at gain 2, erf", 0.6187600881886312, 2e-6, "root of the Lyapunov exponent",
            core.Crossing("onset_of_chaos", "noise"), {"gain": 2.0, "nonlinearity": "erf"},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At gain 2 the network is chaotic. How much noise D makes it follow the noise instead?",
            {"gain": 2.0, "noise": 0.0}, "noise",
            core.Crossing("onset_of_chaos", "noise"), 0.05,
            "Noise drives the neurons into saturation, where they amplify differences less.",
        ),
        core.Task(
            "Without noise, how large is the Lyapunov exponent at gain 3?", {"gain": 3.0}, "lyapunov_exponent",
            core.Value("lyapunov_exponent", "chaotic"), 0.03,
            "Two copies separate e-fold in about four time units, much slower than the gain of 3 suggests.",
        ),
    )  # fmt: skip
    simulation = RandomNetworkSimulation

    def solve(self, points: Points) -> core.Solution:
        gain, noise, rho = points["gain"], points["noise"], points["symmetry"]
        n = gain.size
        found, off, count = np.full((6, n), np.nan), np.empty(n), np.zeros(n, np.int64)
        solve_points(gain, noise, pair_table(self.nonlinearity), chebyshev(), found, off, count)
        off = np.where(np.isfinite(found).all(axis=0), off, np.inf)
        rate = gain * (1 + rho) - 1  # the edge of the spectrum of the couplings decides over silence
        quiet, rough = noise == 0, rho != 0
        chaotic = np.where(quiet, gain > 1, found[LYAPUNOV] > 0)
        here = np.stack([~chaotic, chaotic], axis=1)  # the branch on which the state is
        found = np.where(here, found[:, :, None], np.nan)
        residual = np.where(here, off[:, None], np.nan)
        found[:, quiet, QUIESCENT] = residual[quiet, QUIESCENT] = 0.0
        found[LYAPUNOV, quiet, QUIESCENT] = rate[quiet]
        residual[quiet & rough & (rate > 0) & (gain <= 1), CHAOTIC] = np.inf
        residual[quiet & rough & (rate <= 0), CHAOTIC] = np.nan
        stable = np.ones((n, 2), np.bool_)
        stable[quiet, QUIESCENT] = rate[quiet] <= 0
        silent = quiet[:, None] & np.array([True, False])
        names = ("variance", "activity", "lyapunov_exponent", "correlation_time", "dimension")
        values = dict(zip(names, found[[VARIANCE, ACTIVITY, LYAPUNOV, HALF_LAG, DIMENSION]], strict=True))
        iterations, fails = np.stack([count, count], axis=1), {"memory": rough[:, None] & ~silent}
        return core.Solution(values, residual, stable, iterations=iterations, fails=fails)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if state["variance"] == 0:
            return {"(2)": state["activity"], "(5)": state["lyapunov_exponent"] + 1 - self.gain * (1 + self.symmetry)}
        z = np.linspace(-9, 9, 4001)
        weight = np.exp(-z * z / 2)
        weight /= weight.sum()
        x = np.sqrt(state["variance"]) * z
        if self.nonlinearity == "tanh":
            rate, primitive = np.tanh(x), np.logaddexp(x, -x)
        else:
            rate = erf(np.sqrt(np.pi) / 2 * x)
            primitive = x * rate + 2 / np.pi * np.exp(-np.pi * x * x / 4)
        # The integral of C is the covariance of the primitive of phi with itself (Price's theorem).
        fed_back = self.gain**2 * (weight @ primitive**2 - (weight @ primitive) ** 2)
        potential = -(state["variance"] ** 2) / 2 + fed_back
        return {"(2)": state["activity"] - weight @ rate**2, "(4)": self.noise**2 / 2 + potential}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        rough = points["symmetry"] != 0
        return {
            "silent": (points["noise"] == 0) & (points["gain"] * (1 + points["symmetry"]) <= 1),
            "active": rough,
            "chaotic": states.equilibrium["chaotic"],
            "driven": states.equilibrium["quiescent"],
        }

    def boundary(self, name: str, points: Points) -> Array:
        noise, rho = points["noise"], points["symmetry"]
        known = (noise == 0) | (rho == 0)
        if not known.any():
            raise core.NotOfferedError(self.title, "the onset of chaos with noise and this symmetry")
        gain = np.empty(noise.size)
        onset_of_chaos(noise, pair_table(self.nonlinearity), gain)
        return np.where(noise == 0, 1 / np.maximum(1 + rho, 1e-300), np.where(known, gain, np.nan))

    def autocorrelation(self, lags: Array) -> Array:
        """Delta of eq. (2) at these lags (rising, not negative), shape of lags; 0 in silence."""
        found, lags = np.empty(len(lags)), np.asarray(lags, np.float64)
        table, nothing = pair_table(self.nonlinearity), np.empty(0)
        curves(self.gain, self.noise, table, chebyshev(), lags, nothing, found, nothing)
        return found

    def active_state(self) -> Array:
        """What theory says of the state that is active, if one is, by VARIANCE, ACTIVITY, SLOPE, ...; shape (6,)."""
        found, residual, iterations = np.full((6, 1), np.nan), np.empty(1), np.empty(1, np.int64)
        at = np.array([self.gain]), np.array([self.noise])
        solve_points(*at, pair_table(self.nonlinearity), chebyshev(), found, residual, iterations)
        return found[:, 0]

    def profiles(self) -> dict[str, core.Profile]:
        lag = np.linspace(0, 40, 161)
        solution = self.solve({n: np.array([float(getattr(self, n))]) for n in self.axis_names()})
        exists = solution.exists(self.tolerance)[0]
        values = np.full((2, lag.size), np.nan)
        values[QUIESCENT] = 0.0 if self.noise == 0 else np.nan
        if self.noise > 0 or exists[CHAOTIC]:
            values[CHAOTIC if exists[CHAOTIC] else QUIESCENT] = self.autocorrelation(lag)
        return {"autocorrelation": core.Profile(lag, values)}

    def law(self) -> core.Law:
        variance = float(self.active_state()[VARIANCE])
        if self.symmetry != 0:
            raise core.NotOfferedError(self.title, "the distribution of currents with symmetric couplings")
        if variance == 0:
            return core.Law("current", np.linspace(-1, 1, 3), np.zeros(3), "silence", atoms=((0.0, 1.0),))
        x = np.linspace(-5, 5, 301) * math.sqrt(variance)
        density = np.exp(-(x**2) / (2 * variance)) / math.sqrt(2 * np.pi * variance)
        return core.Law("current", x, density, "Gaussian of the variance of theory, over all neurons")

    def caveat(self) -> str:
        if self.noise == 0 and abs(self.gain - 1) < 0.2:
            return "near the onset a finite network may settle in silence, at a fixed point or in a cycle"
        return "finite size; two copies of a finite network separate more slowly than in theory"

    def footprint(self) -> int:
        return 32 * self.size**2
