r"""Closures of an active fluid: rods that flow turns and that drive the flow, and what one may forget of their angles.

Rods with the law $\psi(\theta)$ of angles at every place are turned by the flow $u$ around them and by each other, as
$\dot p=(I-pp)(\nabla u+2\zeta Q)p$, and shaken at random. All there is to know are the harmonics
$z_n=\langle e^{2in\theta}\rangle$; $z=z_1$ says how strongly they are aligned, $S=|z|$, and where to. With the rate of
strain $e=\partial_xu_x+\frac i2(\partial_yu_x+\partial_xu_y)+\zeta z$ and the vorticity $\omega$, in units of the
rotational diffusion $D_R$, the **kinetic theory** is

$$\partial_tz_n+u\cdot\nabla z_n=n\big[i\omega z_n+e\,z_{n-1}-e^*z_{n+1}\big]-4n^2z_n+D\Delta z_n \tag{1}$$

an infinite ladder. A *closure* cuts it after the first rung: it says what $z_2$ is, given $z$. By symmetry
$z_2=z^2g(S^2)$, if it is to depend on nothing else:

$$g=\frac{1-2S/\xi}{S^2},\ S=\frac{I_1(\xi)}{I_0(\xi)}\ \text{(Bingham)},\qquad
g=c_0+c_1S^2+c_2S^4\ \text{(learnt)},\qquad g=0\ \text{(linear)} \tag{2}$$

Bingham's is right if $\psi\propto e^{\xi\cos2(\theta-\phi)}$. The learnt one has three coefficients, from the kinetic
theory of 60 shear flows by least squares, or of flows that rotate less, too (*taught* by every rotation). The
*quadratic* closure $\langle pppp\rangle\!:\!E\to\langle pp\rangle\langle pp\rangle\!:\!E$ is popular and replaces
$e-e^*z_2$ by $2e-2z\,\mathrm{Re}(e^*z)$: right where all are aligned, wrong by a factor of two where none is.

**Shear.** In a flow that is imposed, $\dot\theta=-\frac{\mathrm{Pe}}2(\beta-\cos2\theta)$, with the rotation $\beta=0$
in a stretching flow and $\beta=1$ in simple shear, (1) has the steady solution

$$\frac{z_n}{z_{n-1}}=\cfrac{e}{4n-i\omega+e^*\,\cfrac{z_{n+1}}{z_n}},\qquad e=\frac i2\mathrm{Pe},\quad
\omega=-\beta\,\mathrm{Pe} \tag{3}$$

a continued fraction. Without rotation the law *is* Bingham's. With it $z_2/z^2$ has an imaginary part, up to 0.19 in
shear, which no closure of the form (2) can have.

**Suspension.** Rods drive the flow: $-\Delta u+\nabla q=-A\nabla\cdot Q$ with the activity $A$ (they push), on a square
of side $2\pi$. Where angles are random the longest wave grows at the rate

$$\Lambda=\frac A4+\zeta-4-D \tag{4}$$

(twice the first two terms in the quadratic closure): beyond $A=16+4D-4\zeta$ the fluid stirs itself and becomes
turbulent. And for $\zeta>4$ rods align without any flow, as nematics do,

$$S=\frac{I_1(\zeta S/2)}{I_0(\zeta S/2)} \tag{5}$$

**Valid:** (1) for many thin rods that do not swim. (4) for small deviations. Closures are as good as (2) is; in a box
they are judged by its statistics, for no two turbulent runs stay close to each other. Between the times 3 and 5 runs at
$A=40$, $\zeta=0$ on a grid of 32 have the mean order 0.55 (kinetics), 0.56 (Bingham), 0.53 (learnt from shear), 0.71
(quadratic), give or take 0.01, and the speeds 6.2, 6.0, 6.3, 6.7, give or take 0.3. A grid of 16 is too coarse for
them.

*Simulation:* in shear $N$ rods, one by one. The suspension runs twice from the same start: by six harmonics of (1), and
by a closure beside it (order above 0.999 is cut).
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ive

from mfexplore import core
from mfexplore.core import Array, NotOfferedError, Points
from mfexplore.models.collective.active_fluid_closure.dynamics import RodsSimulation
from mfexplore.models.collective.active_fluid_closure.theory import (
    BINGHAM,
    BROADLY,
    KINETIC,
    LEARNED,
    LINEAR,
    QUADRATIC,
    concentration,
    harmonics,
    learnt,
    nematic_order,
    steady,
    turning,
)
from mfexplore.numerics.later import solve_ivp

SHEAR, SUSPENSION = {"flow": ("shear",)}, {"flow": ("suspension",)}
CLOSURES = {"kinetic": KINETIC, "bingham": BINGHAM, "learned": LEARNED, "quadratic": QUADRATIC, "linear": LINEAR}
FAR = 0.05  # in z, from the kinetic theory


@dataclass(frozen=True)
class ActiveFluidClosure(core.Model):
    shear: float = core.control(
        10.0, 0.1, 60.0, symbol=r"\mathrm{Pe}", role="load", scale="log", step=0.1, only=SHEAR,
        doc="rate of the flow that is imposed, over the rotational diffusion",
    )  # fmt: skip
    rotation: float = core.control(
        1.0, 0.0, 1.5, symbol=r"\beta", role="load", step=0.01, only=SHEAR,
        doc="how much the flow rotates: 0 only stretches, 1 is simple shear",
    )  # fmt: skip
    activity: float = core.control(
        40.0, 0.0, 100.0, symbol="A", role="load", step=0.5, only=SUSPENSION, doc="how strongly rods push the fluid"
    )
    alignment: float = core.control(
        0.0, 0.0, 10.0, symbol=r"\zeta", role="coupling", step=0.05, only=SUSPENSION,
        doc="how strongly rods turn towards each other",
    )  # fmt: skip
    diffusion: float = core.control(
        0.1, 0.02, 1.0, symbol="D", role="temperature", scale="log", only=SUSPENSION, doc="how fast rods change places"
    )
    size: int = core.control(
        2000, 100, 100_000, symbol="N", role="size", scale="log", part="simulation", only=SHEAR, doc="rods in the shear"
    )
    cells: int = core.control(
        32, 16, 64, symbol="M", role="size", scale="log", part="simulation", only=SUSPENSION,
        doc="points of the grid along each side",
    )  # fmt: skip
    flow: str = core.choice(
        "shear", {"shear": "imposed", "suspension": "driven by rods"}, doc="where the flow comes from"
    )
    closure: str = core.choice(
        "bingham",
        {"bingham": "Bingham", "learned": "learnt", "quadratic": "quadratic", "linear": "linear"},
        doc="which closure runs beside the kinetic theory",
        part="simulation",
        only=SUSPENSION,
    )
    taught: str = core.choice(
        "shear", {"shear": "shear alone", "broadly": "every rotation"},
        doc="from which imposed flows the learnt closure has its coefficients",
    )  # fmt: skip

    version = 3
    title = "Closures of an active fluid"
    summary = "Rods that stir the fluid that turns them: what of their angles one may forget, and what comes of it."
    tags = core.Tags("research", 20, ("patterns", "chaos", "learning"), ("rate equations", "field theory"))
    sources = (
        core.Source("Learning fast, accurate, and stable closures of a kinetic theory of an active fluid (2024)"),
        core.Source("D. Saintillan and M. J. Shelley, Phys. Fluids 20, 123304 (2008)", doi="10.1063/1.3041776"),
        core.Source(
            "C. V. Chaubal and L. G. Leal, J. Rheol. 42, 177 (1998): a closure by Bingham's law", doi="10.1122/1.550887"
        ),
    )
    observables = (
        core.Observable("order", "S", "how strongly rods are aligned", low=0, high=1, only=SHEAR),
        core.Observable(
            "along_flow", r"\langle\cos2\theta\rangle", "alignment with the flow", low=-0.2, high=1, only=SHEAR
        ),
        core.Observable(
            "along_stretch", r"\langle\sin2\theta\rangle", "alignment with the stretch", low=0, high=1, only=SHEAR
        ),
        core.Observable("growth_rate", r"\Lambda", "growth of the longest wave, eq. (4)", signed=True, only=SUSPENSION),
        core.Observable("nematic_order", "S", "order without flow, eq. (5)", low=0, high=1, only=SUSPENSION),
        core.Observable("orientation", r"\psi", "law of the angles", low=0, over="angle", only=SHEAR),
    )
    coordinates = (core.Coordinate("angle", r"\theta", "angle with the flow", unit="degrees"),)
    methods = (
        core.Method("kinetic", "all harmonics, eq. (1)", title="kinetic theory"),
        core.Method("bingham", "as if the law were Bingham's", title="Bingham"),
        core.Method("learned", "three coefficients from the kinetic theory of imposed flows", title="learnt"),
        core.Method("quadratic", "the product of second moments"),
        core.Method("linear", "no fourth moment"),
    )
    phases = (
        core.Phase("caught", "The flow stretches more than it rotates: without noise every rod would stop somewhere."),
        core.Phase(
            "rotating", "The flow rotates more than it stretches: rods go round for ever, and linger on the way."
        ),
        core.Phase("quiescent", "Noise keeps angles random, and random rods drive no flow."),
        core.Phase("turbulent", "A little order drives a flow that makes more of it: the fluid stirs itself."),
        core.Phase("nematic", "Rods align with each other, flow or no flow."),
    )
    failures = (
        core.Failure(
            "far_from_kinetics", "This closure misses the second harmonic of the kinetic theory by over 0.05."
        ),
        core.Failure("twice_too_fast", "Where angles are random, flow aligns rods twice as fast as it should."),
        core.Failure("no_bound", "Nothing ends the growth of order in this closure."),
    )
    landmarks = (
        core.Landmark("turning", r"\beta=1", "rods go round above", of="rotation", continuous=False, only=SHEAR),
        core.Landmark("onset", r"\Lambda=0", "the fluid begins to stir itself", of="activity", only=SUSPENSION),
        core.Landmark("aligning", r"\zeta=4", "rods align without flow", of="alignment", only=SUSPENSION),
    )
    planes = (
        core.Plane("shear", "rotation", "order", along="x", finest=97, only=SHEAR),
        core.Plane("alignment", "activity", "growth_rate", along="y", only=SUSPENSION),
    )
    presets = (
        core.Preset(
            "shear",
            {"shear": 10.0},
            "Rods align, but not quite with the flow. Bingham and the learnt closure are close, the quadratic one is "
            "far off.",
            view=core.View(series="along_flow", function="orientation"),
        ),
        core.Preset(
            "stretching flow",
            {"shear": 10.0, "rotation": 0.0},
            "Without rotation the law of angles is Bingham's: that closure and the kinetic theory are one line.",
            view=core.View(series="order", function="orientation"),
        ),
        core.Preset(
            "fast shear",
            {"shear": 50.0},
            "The law of angles is lopsided, which no local closure can know: Bingham loses most of the alignment with "
            "the stretch, the learnt one exaggerates both a little.",
            view=core.View(series="along_stretch", function="orientation"),
        ),
        core.Preset(
            "onset",
            {"flow": "suspension", "activity": 26.0, "closure": "learned"},
            "Slightly unstable: for a while nothing is seen, then the flow grows in the longest waves at first, alike "
            "in kinetics and closure.",
            view=core.View(series="growth_rate", picture="state"),
        ),
        core.Preset(
            "turbulence",
            {"flow": "suspension", "activity": 40.0, "closure": "learned"},
            "Vortices come and go. Kinetics and closure part soon, but their mean speeds and their energies by wave "
            "number stay alike: three coefficients, learnt from shear alone, are enough for that.",
            view=core.View(series="speed", picture="energy"),
        ),
        core.Preset(
            "wrong closure",
            {"flow": "suspension", "activity": 12.0, "closure": "quadratic"},
            "Kinetic theory is quiescent here and its flow dies out; the quadratic closure beside it stirs itself.",
            view=core.View(series="closure_speed", picture="closure beside it"),
        ),
    )
    references = (
        core.Reference(
            "along the flow at Pe = 10", 0.41706310479466857, 1e-11, "Fourier series, finite volumes",
            core.Value("along_flow", method="kinetic"), {"shear": 10.0},
        ),
        core.Reference(
            "along the stretch at Pe = 50", 0.18196131546690764, 1e-11, "Fourier series, finite volumes",
            core.Value("along_stretch", method="kinetic"), {"shear": 50.0},
        ),
        core.Reference(
            "the same by Bingham", 0.07259889, 1e-7, "Newton's method", core.Value("along_stretch", method="bingham"),
            {"shear": 50.0},
        ),
        core.Reference(
            r"nematic order at $\zeta=6$", 0.7241587176263529, 1e-11, "root of eq. (5)",
            core.Value("nematic_order", method="kinetic"), {"flow": "suspension", "alignment": 6.0},
        ),
        core.Reference(
            "first coefficient that is learnt", 0.49278576, 1e-8, "least squares", lambda model: learnt()[0],
            {"shear": 10.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Rods turn towards each other at the rate 1; D = 0.1. From which activity on does the fluid stir itself?",
            {"flow": "suspension", "alignment": 1.0, "activity": 30.0}, "activity", core.Crossing("onset", "activity"),
            0.6,
            "A quarter of the activity has to make up for the 4 + D that noise takes off, less what alignment gives.",
        ),
        core.Task(
            "Shear at Pe = 50. How strongly are rods aligned with the flow, on a scale up to 1?",
            {"shear": 50.0}, "along_flow", core.Value("along_flow", method="kinetic"), 0.06,
            "Two thirds: noise kicks rods out of the flow direction, and the shear takes its time to turn them round.",
        ),
    )  # fmt: skip
    simulation = RodsSimulation

    def closure_of(self, method: str) -> int:
        """What `theory` calls a method here; the learnt closure depends on what it was taught."""
        return BROADLY if (method, self.taught) == ("learned", "broadly") else CLOSURES[method]

    @property
    def closed_by(self) -> int:
        return self.closure_of(self.closure)

    @property
    def closures(self) -> tuple[int, ...]:
        """In the order of the methods."""
        return tuple(self.closure_of(method.name) for method in self.methods)

    # -- theory ----------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        return self._in_shear(points) if self.flow == "shear" else self._in_suspension(points)

    def _in_shear(self, points: Points) -> core.Solution:
        strain, vorticity = 0.5j * points["shear"], -points["rotation"] * points["shear"]
        z, residual = np.empty((strain.size, len(self.methods)), complex), np.zeros((strain.size, len(self.methods)))
        z[:, 0] = harmonics(strain, vorticity)[0]
        for place, closure in enumerate(self.closures[1:], 1):
            z[:, place], residual[:, place] = steady(strain, vorticity, closure)
        far = np.abs(z - z[:, :1]) > FAR
        values = {"order": np.abs(z), "along_flow": z.real, "along_stretch": z.imag}
        return core.Solution(values, residual, fails={"far_from_kinetics": far})

    def _in_suspension(self, points: Points) -> core.Solution:
        drive, loss = points["activity"] / 4 + points["alignment"], 4 + points["diffusion"]
        closures = np.array(self.closures)
        growth = (drive - loss)[:, None] + np.where(closures == QUADRATIC, drive[:, None], 0.0)
        order = np.stack([nematic_order(points["alignment"], closure) for closure in closures], axis=1)
        endless = (growth > 0) | (points["alignment"] > 4)[:, None]
        fails = {
            "twice_too_fast": (closures == QUADRATIC) & (growth == growth), "no_bound": endless & (closures == LINEAR)
        }  # fmt: skip
        return core.Solution({"growth_rate": growth, "nematic_order": order}, np.zeros_like(growth), fails=fails)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.flow == "shear":
            caught = points["rotation"] <= 1
            return {"caught": caught, "rotating": ~caught}
        nematic = points["alignment"] > 4
        stirs = points["activity"] > self.boundary("onset", points)
        return {"nematic": nematic, "turbulent": stirs, "quiescent": ~stirs}

    def boundary(self, name: str, points: Points) -> Array:
        if name == "onset":
            return np.asarray(16 + 4 * points["diffusion"] - 4 * points["alignment"])
        return np.full(points["shear"].shape, 1.0 if name == "turning" else 4.0)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        method = state["method"]
        theta = np.linspace(-math.pi / 2, math.pi / 2, 721)[:-1]

        def moment(xi: float, n: int) -> float:
            weight = np.exp(xi * (np.cos(2 * theta) - 1))
            return float((weight * np.cos(2 * n * theta)).sum() / weight.sum())

        if self.flow == "suspension":
            twice = 2 if method == "quadratic" else 1
            drive = twice * (self.activity / 4 + self.alignment)
            found = {"(4)": state["growth_rate"] - drive + 4 + self.diffusion}
            if method in ("kinetic", "bingham"):
                found["(5)"] = state["nematic_order"] - moment(self.alignment * state["nematic_order"] / 2, 1)
            return found
        z, e, omega = (
            complex(state["along_flow"], state["along_stretch"]),
            0.5j * self.shear,
            -self.rotation * self.shear,
        )
        if method == "kinetic":  # the ladder (1) as one linear system
            n = np.arange(1, 41)
            ladder = np.diag(n * (1j * omega) - 4.0 * n * n) + np.diag(n[1:] * e, -1) - np.diag(n[:-1] * np.conj(e), 1)
            return {"(1)": abs(z - np.linalg.solve(ladder, np.r_[-e, np.zeros(39)])[0])}
        square = abs(z) ** 2
        if method == "quadratic":
            return {"(2)": abs(1j * omega * z + 2 * e - 2 * z * (np.conj(e) * z).real - 4 * z) / (1 + self.shear)}
        g = 0.0 if method == "linear" else float(np.polyval(learnt(self.taught == "broadly")[::-1], square))
        if method == "bingham":
            low, high = 0.0, 200.0
            for _ in range(80):
                middle = (low + high) / 2
                low, high = (middle, high) if moment(middle, 1) < abs(z) else (low, middle)
            g = moment(low, 2) / square
        return {"(2)": abs(1j * omega * z + e - np.conj(e) * z * z * g - 4 * z) / (1 + self.shear)}

    def profiles(self) -> dict[str, core.Profile]:
        if self.flow != "shear":
            return {}
        angle = np.linspace(-90, 90, 181)
        theta = np.radians(angle)
        density = np.full((len(self.methods), angle.size), np.nan)
        strain, vorticity = np.array(0.5j * self.shear), np.array(-self.rotation * self.shear)
        waves = np.exp(2j * np.arange(1, 61)[:, None] * theta)
        density[KINETIC] = (1 + 2 * (np.conj(harmonics(strain, vorticity))[:, None] * waves).real.sum(axis=0)) / math.pi
        z = complex(steady(strain[None], vorticity[None], BINGHAM)[0][0])
        xi = float(concentration(np.array(abs(z))))
        density[BINGHAM] = np.exp(xi * (np.cos(2 * theta - np.angle(z)) - 1)) / (math.pi * ive(0, xi))
        return {"orientation": core.Profile(angle, density)}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.flow != "shear":
            raise NotOfferedError(self.title, "a predicted path of turbulence")
        strain, vorticity, first = 0.5j * self.shear, -self.rotation * self.shear, start["along_flow"]
        begin = complex(first, start["along_stretch"])
        ends = min(float(times[-1]), 8.0)  # then it is at rest
        n = np.arange(1, 21)

        def ladder(_: float, y: Array) -> Array:
            below, above = np.r_[1.0, y[:-1]], np.r_[y[1:], 0.0]
            return np.asarray(n * (1j * vorticity * y + strain * below - np.conj(strain) * above) - 4 * n * n * y)

        path = np.empty((len(self.methods), times.size), complex)
        for place, closure in enumerate(self.closures):
            if closure == KINETIC:
                rates, y = ladder, np.r_[begin, np.zeros(19)].astype(complex)
            else:

                def rates(_: float, y: Array, closure: int = closure) -> Array:
                    return np.asarray(1j * vorticity * y + turning(y, np.array([strain]), closure) - 4 * y)

                y = np.array([begin])
            found = solve_ivp(rates, (0.0, max(ends, 1e-9)), y, t_eval=np.minimum(times, ends), rtol=1e-5, atol=1e-7)
            path[place] = found.y[0]
        return {"order": np.abs(path), "along_flow": path.real, "along_stretch": path.imag}

    def extent(self) -> str:
        return f"of {self.size:,} rods" if self.flow == "shear" else f"on {self.cells} × {self.cells} points"

    def caveat(self) -> str:
        if self.flow == "suspension":
            return "growth is measured while deviations are small, and order without a flow not at all"
        return "a closure knows no more of the law of angles than its width"

    def footprint(self) -> int:
        return 200 * self.size + 2000 * self.cells**2
