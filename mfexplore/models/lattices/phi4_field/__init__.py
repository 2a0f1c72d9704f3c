r"""Field with a quartic term: a lattice theory that is also a learning machine.

A number $\phi_x$ stands at every site of a lattice in $d$ dimensions, with the weight $e^{-S}$,

$$S=\sum_x\Big[\big(\tfrac12\mu^2+d\big)\phi_x^2+\lambda\phi_x^4\Big]-\sum_{\langle xy\rangle}\phi_x\phi_y \tag{1}$$

Given its neighbours a site depends on nothing else: this is a Markov random field, as those of image processing. Below
some $\mu^2<0$ the two signs part, and the field magnetizes as an Ising model does ($\lambda\to\infty$ with
$\mu^2+2d=-4\lambda$ is one).

**Bounds in a row.** For every distribution $q$ that one can handle, with entropy $H_q$,

$$f=-\frac{\ln Z}N\le\frac{\langle S\rangle_q-H_q}N,\qquad\text{and what is missing is }
\frac1N\sum q\ln\frac qp\ge0 \tag{2}$$

a distance between distributions that is not symmetric, and needs no sample of $p$. To make it small is to learn $p$ by
a machine $q$, and a mean-field theory is the best machine of its kind. Three kinds, each a field of its own:

*All links cut*: independent sites, in a source $h$ that stands for the neighbours. *Mean field*:

$$M=\langle\phi\rangle_h,\quad h=2dM,\qquad f=dM^2-\ln\int e^{h\phi-(\mu^2/2+d)\phi^2-\lambda\phi^4}\,d\phi \tag{3}$$

which orders where a site alone has

$$2d\,\langle\phi^2\rangle_0=1 \tag{4}$$

*Links along one direction kept*: endless chains, $h=2(d-1)M$. With $\Lambda$ the largest eigenvalue of the transfer
matrix of a chain, $f=(d-1)M^2-\ln\Lambda$, and order begins where the response of a whole chain is large enough,

$$2(d-1)\sum_r\langle\phi_0\phi_r\rangle_0=1 \tag{5}$$

*All links, but a Gaussian field*: mean $M$, and at every wave vector the variance $1/(\hat k^2+m^2)$ with
$\hat k^2=\sum_i(2-2\cos k_i)$. Let $G=\int\frac{d^dk}{(2\pi)^d}\frac1{\hat k^2+m^2}$. Then

$$m^2=\mu^2+12\lambda(M^2+G),\qquad M=0\ \text{ or }\ M^2=\frac{m^2}{8\lambda} \tag{6}$$

$$f=\tfrac12\int\!\frac{d^dk}{(2\pi)^d}\ln\frac{\hat k^2+m^2}{2\pi}-\tfrac12m^2G+\tfrac12\mu^2(M^2+G)
+\lambda(M^4+6M^2G+3G^2) \tag{7}$$

It is the lowest bound nearly everywhere, and yet wrong in kind: its field *jumps*, where that of the lattice grows from
zero. A better bound need not be a better story.

**Simulation.** Single sites (Metropolis) and clusters of one sign. A run starts with all links cut; while they grow to
full strength the work $W$ that this takes is counted, and goes on when you move $\mu^2$ or $\lambda$. Since
$\langle e^{-W}\rangle$ is a ratio of two $Z$, and the mean work of a slow change is close to it, $f_0+W/N$ begins as
mean field's bound and ends as the free energy itself (from above, once more): a measured value to lay beside the
bounds. In the plane the critical line of the square lattice is known from exact strips, whose gap is $\pi/4$ over the
width there, to about 0.3 %.

**An image learnt.** Let every pixel $i$ have coefficients $a_i$, $h_i$ and every link $w_{ij}$ of its own, with the
same $\lambda$. The likelihood of pictures with this machine is concave, and its gradient is what the pictures have more
of than the machine:

$$\overline{\phi_i}-\langle\phi_i\rangle,\qquad\langle\phi_i^2\rangle-\overline{\phi_i^2},\qquad
\overline{\phi_i\phi_j}-\langle\phi_i\phi_j\rangle \tag{8}$$

for $h_i$, $a_i$, $w_{ij}$. Without links every pixel is solved for by itself: mean field again, and a lower bound to
what the machine can reach. The simulation begins there and learns the links.

**Valid:** all bounds at every point; eqs. (3) to (7) as $N\to\infty$. The pictures are handwritten digits, with grain
(Gaussian noise), so that no pixel is the same on all of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.lattices.phi4_field import pixels, theory
from mfexplore.models.lattices.phi4_field.boundaries import STRONGEST, WEAKEST, green_by_waves, line
from mfexplore.models.lattices.phi4_field.dynamics import FieldSimulation
from mfexplore.models.lattices.phi4_field.theory import BARRIER, BROKEN, GAUSSIAN, SITES, SYMMETRIC
from mfexplore.numerics.space.lattices import cells_for, sites

PIXELS = 3
LATTICE, IMAGE = {"task": ("lattice",)}, {"task": ("image",)}
SQUARE = LATTICE | {"lattice": ("square",)}
NAMES = "magnetization", "field_squared", "field_fourth", "alignment", "free_energy"
# By eq. (2); of the field nothing follows.
BOUND: Mapping[str, Literal["upper", "lower"]] = {
    "free_energy": "upper", "improvement": "lower", "log_likelihood": "lower"
}  # fmt: skip


@dataclass(frozen=True)
class Phi4Field(core.Model):
    mass_squared: float = core.control(
        -0.9, -3.0, 1.5, symbol=r"\mu^2", role="coupling", step=0.005, only=LATTICE, title="mass squared",
        doc="curvature of the potential at zero field; negative, it wants a field of either sign",
    )  # fmt: skip
    quartic: float = core.control(
        0.25, WEAKEST, STRONGEST, symbol=r"\lambda", role="coupling", scale="log", step=0.01,
        doc="strength of the quartic term, which keeps fields small and steepens wells", quenched=False,
    )  # fmt: skip
    task: str = core.choice(
        "lattice", {"lattice": "be a lattice theory", "image": "learn an image"}, role="setting",
        doc="what the field is used for",
    )  # fmt: skip
    lattice: str = core.choice("square", ("square", "cubic"), role="setting", only=LATTICE, doc="in 2 or 3 dimensions")
    digit: int = core.control(
        3, 0, 9, symbol="D", role="data", quenched=True, only=IMAGE, doc="the digit that is learnt"
    )
    grain: float = core.control(
        0.25, 0.15, 0.6, symbol=r"\sigma", role="data", step=0.01, quenched=True, only=IMAGE,
        doc="noise in every pixel of the images; black is -1, white 1",
    )  # fmt: skip
    learning_rate: float = core.control(
        0.05, 0.005, 0.1, symbol=r"\eta", role="rate", scale="log", step=0.005, part="simulation", only=IMAGE,
        doc="size of an update",
    )  # fmt: skip
    growth: int = core.control(
        300, 1, 2000, symbol=r"\tau", unit="sweeps", role="start", scale="log", part="simulation", only=LATTICE,
        doc="sweeps in which links grow to full strength, at the beginning of a run",
    )  # fmt: skip
    size: int = core.control(
        1024, 16, 65_536, symbol="N", unit="sites", role="size", scale="log", part="simulation", only=LATTICE,
        doc="sites simulated",
    )  # fmt: skip

    version = 2
    title = "Field with a quartic term"
    summary = "One field, two uses: a lattice theory between variational bounds, and a machine that learns an image."
    tags = core.Tags("research", 20, ("phase transition", "learning"), ("variational", "field theory", "Monte Carlo"))
    sources = (
        core.Source(
            "D. Bachtis, G. Aarts and B. Lucini, Machine learning with quantum field theories; "
            "Phys. Rev. D 103, 074510 (2021)",
            doi="10.1103/PhysRevD.103.074510",
        ),
        core.Source("D. Schaich and W. Loinaz, Phys. Rev. D 79, 056008 (2009)", doi="10.1103/PhysRevD.79.056008"),
        core.Source("P. M. Stevenson, Phys. Rev. D 32, 1389 (1985)", doi="10.1103/PhysRevD.32.1389"),
    )
    observables = (
        core.Observable("magnetization", "M", "size of the mean field", low=0, high=1.5, only=LATTICE),
        core.Observable("improvement", r"\Delta f", "how far the free energy lies below mean field's, per site",
            signed=True, only=LATTICE),
        core.Observable("free_energy", "f", "free energy per site, eqs. (3) to (7)", only=LATTICE),
        core.Observable("field_squared", r"\langle\phi^2\rangle", "mean square of the field", low=0, only=LATTICE),
        core.Observable("field_fourth", r"\langle\phi^4\rangle", "mean fourth power of the field", low=0, only=LATTICE),
        core.Observable("alignment", r"\langle\phi_x\phi_y\rangle", "mean product of neighbours", only=LATTICE),
        core.Observable("binder_ratio", "Q", "ratio of moments of the mean field, squared mean square over fourth",
            low=0, high=1, only=LATTICE),
        core.Observable("site_field", r"\phi", "field at one site: its mean", signed=True, only=LATTICE),
        core.Observable("log_likelihood", r"\ln q", "mean log-likelihood of an image", unit="nats", only=IMAGE),
    )  # fmt: skip
    branches = (
        core.Branch("symmetric", "no field on average", only=LATTICE),
        core.Branch("broken", "a field of one sign", only=LATTICE),
        core.Branch("barrier", "between the two, where a theory jumps", only=LATTICE),
        core.Branch("pixels", "every pixel by itself, as the data have it", only=IMAGE),
    )
    methods = (
        core.Method(
            "mean_field",
            "independent sites, eq. (3), an upper bound of f; of an image, independent pixels, a lower bound of ln q",
            bound=BOUND,
        ),
        core.Method("chains", "independent chains, eq. (5), an upper bound of f", bound=BOUND, only=LATTICE),
        core.Method(
            "gaussian", "a Gaussian field, eqs. (6) and (7), an upper bound of f", title="Gaussian", bound=BOUND,
            only=LATTICE,
        ),
    )  # fmt: skip
    phases = (
        core.Phase("symmetric", "Fluctuations win: the field has no sign of its own."),
        core.Phase("broken", "The field has taken one of two signs, everywhere the same."),
        core.Phase("pixels", "An image, pixel by pixel: what links could add is still missing."),
    )
    failures = (
        core.Failure(
            "false_order",
            "The square lattice itself has no field here: fluctuations, of which this theory knows too few, undo it.",
        ),
        core.Failure(
            "false_jump",
            "Two states with a barrier between them mean a jump of the field. The lattice has none: there the field "
            "grows from zero.",
        ),
    )
    landmarks = (
        core.Landmark("critical_line", r"\mu_c^2", "the square lattice itself orders below it", of="mass_squared",
            only=SQUARE),
        core.Landmark("mean_field_line", r"\mu_{\rm MF}^2", "mean field orders below it, eq. (4)", of="mass_squared",
            continuous=False, only=LATTICE, finest=33),
        core.Landmark("chain_line", r"\mu_{\rm ch}^2", "chains order below it, eq. (5)", of="mass_squared",
            continuous=False, only=LATTICE, finest=17),
        core.Landmark("jump", r"f_0=f_M", "both states of the Gaussian field are equally good", of="mass_squared",
            continuous=False, only=LATTICE, finest=17),
        core.Landmark("fold", r"\mu_f^2", "the Gaussian field has no state with a field above it", of="mass_squared",
            continuous=False, only=LATTICE, finest=17),
    )  # fmt: skip
    planes = (
        core.Plane("mass_squared", "quartic", "magnetization", along="x", finest=33, only=LATTICE),
        core.Plane("quartic", "grain", "log_likelihood", along="x", finest=33, only=IMAGE),
        core.Plane("digit", "grain", "log_likelihood", along="x", finest=17, only=IMAGE),
    )
    presets = (
        core.Preset(
            "bounds in a row", {"mass_squared": 0.5, "size": 4096},
            "While the links grow the free energy falls below mean field's bound by 0.047: past the chains' 0.021, and "
            "just past the 0.046 of the Gaussian field.",
            (core.Promise(core.Value("improvement", method="chains"), 0.021, 0.0005),
             core.Promise(core.Value("improvement", method="gaussian"), 0.046, 0.0005),
             core.Promise(core.Mean("improvement", 310, 320), 0.047, 0.001)),
            view=core.View(colour="improvement", along="mass_squared", method="gaussian", series="improvement"),
        ),
        core.Preset(
            "all links at once", {"mass_squared": -2.0, "growth": 1, "size": 16_384},
            "The work of one sudden step is mean field's bound, no more and no less. Restart with 300 sweeps of "
            "growth: the same field, and a free energy lower by 0.027.",
            (core.Promise(core.Mean("improvement", 2, 3), 0.0, 0.005),
             core.Promise(core.Mean("improvement", 310, 320), 0.027, 0.005, {"growth": 300})),
            view=core.View(colour="free_energy", along="mass_squared", method="mean_field", series="improvement"),
        ),
        core.Preset(
            "mean field says ordered", {"mass_squared": -0.9, "size": 4096},
            "Mean field says M = 0.52, chains say 0.42; the lattice has clouds of both signs and no field at all.",
            (core.Promise(core.Value("magnetization", method="mean_field"), 0.52, 0.005),
             core.Promise(core.Value("magnetization", method="chains"), 0.42, 0.005),
             core.Promise(core.Mean("magnetization", 350, 450), 0.04, 0.02)),
            view=core.View(
                colour="magnetization", along="mass_squared", branch="broken", method="mean_field",
                series="magnetization",
            ),
        ),
        core.Preset(
            "a jump that is not there", {"mass_squared": -1.2428, "size": 4096},
            "The Gaussian field, the best bound here, has three equally deep minima, 0 and two at 0.67: a jump. The "
            "field of the lattice wanders through all values between.",
            (core.Promise(core.Value("magnetization", "broken", "gaussian"), 0.67, 0.005),
             core.Promise(core.Crossing("jump", "mass_squared"), -1.2428, 1e-4)),
            view=core.View(
                colour="magnetization", along="mass_squared", branch="broken", method="gaussian", series="magnetization"
            ),
        ),
        core.Preset(
            "critical point", {"mass_squared": -1.2724, "size": 16_384, "growth": 30},
            "Clouds of both signs of every size up to the largest; all three theories say they are long since one.",
            (core.Promise(core.Value("magnetization", method="gaussian"), 0.72, 0.01),),
            view=core.View(
                colour="magnetization", along="mass_squared", branch="broken", method="gaussian", series="binder_ratio"
            ),
        ),
        core.Preset(
            "learn an image", {"task": "image", "quartic": 1.0, "grain": 0.25, "learning_rate": 0.1},
            "Samples begin as a mean of all threes, every pixel by itself; as links are learnt the strokes close, and "
            "within 150 updates the likelihood gains 3.7 nats: -30.7 to -27.",
            (core.Promise(core.Value("log_likelihood"), -30.7, 0.1),
             core.Promise(core.Mean("log_likelihood", 145, 150), -27.0, 0.7)),
            view=core.View(plane=("quartic", "grain"), along="quartic"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            r"where mean field orders at $\lambda=1/4$", -0.6855730173901983, 1e-9, "eq. (4), trapezoid rule",
            core.Crossing("mean_field_line", "mass_squared"), {"quartic": 0.25},
        ),
        core.Reference(
            r"mean field's magnetization at $\mu^2=-1$", 0.6258529859, 1e-9, "eq. (3), trapezoid rule",
            core.Value("magnetization", "broken", "mean_field"), {"mass_squared": -1.0},
        ),
        core.Reference(
            r"where the Gaussian field jumps at $\lambda=1/4$", -1.2427836115, 1e-8, "eqs. (6) and (7)",
            core.Crossing("jump", "mass_squared"), {"quartic": 0.25},
        ),
        core.Reference(
            r"critical point of the square lattice at $\lambda=1/4$", -1.2724, 0.005, "Schaich and Loinaz 2009",
            core.Crossing("critical_line", "mass_squared"), {"quartic": 0.25}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            r"At $\lambda=1/4$ mean field orders below $\mu^2=-0.686$. Fluctuations disfavour order. Lower $\mu^2$ "
            "until the field of the lattice keeps one sign: where is that?",
            {"mass_squared": -0.6, "size": 4096}, "mass_squared", core.Crossing("critical_line", "mass_squared"), 0.05,
            "At -1.27: nearly twice as far as mean field says. Chains (-0.77) hardly do better; the Gaussian field "
            "comes close (-1.24), but by a jump.",
            view=core.View(series="magnetization"),
        ),
        core.Task(
            r"A pixel alone, of digits with a grain of 0.25: which strength $\lambda$ of the quartic term describes "
            "the threes best?",
            {"task": "image", "quartic": 0.1, "grain": 0.25}, "quartic", lambda model: model.best_quartic(), 0.15,
            "About 0.9: ink is nearly black or white, so two wells are better than one; too steep ones leave no "
            "room for grey.",
            view=core.View(plane=("quartic", "grain"), along="quartic"),
        ),
    )  # fmt: skip
    simulation = FieldSimulation

    # -- the lattice that is simulated ---------------------------------------------------------------------------------

    @property
    def dimension(self) -> int:
        return 2 if self.lattice == "square" or self.task == "image" else 3

    @property
    def crystal(self) -> str:
        """Its name among the lattices of the house."""
        return "square" if self.dimension == 2 else "cubic"

    @property
    def side(self) -> int:
        """Sites along each side of the box that is simulated."""
        side = cells_for(self.crystal, self.size)
        while sites(self.crystal, side) > self.control("size").bounds[1]:
            side -= 1
        return side

    def realised(self) -> Phi4Field:
        return self.with_simulated(size=sites(self.crystal, self.side)) if self.task == "lattice" else self

    def mean_field(self) -> tuple[float, float]:
        """(M, f) by eq. (3)."""
        out = np.full((3, 6), np.nan)
        theory.part(SITES, self.mass_squared, self.quartic, float(self.dimension), out)
        best = BROKEN if out[BROKEN, 0] > 0 else SYMMETRIC
        return float(out[best, 0]), float(out[best, 4])

    def best_quartic(self) -> float:
        """The strength of the quartic term with which independent pixels describe the images best."""
        return pixels.best_quartic(pixels.moments_of(self.digit, self.grain), self.control("quartic").grid(25))

    # -- theory --------------------------------------------------------------------------------------------------------

    def solve(self, points: Points) -> core.Solution:
        mu, quartic = points["mass_squared"], points["quartic"]
        if self.task == "image":
            return self._solve_image(points)
        found = np.full((mu.size, 3, 4, 6), np.nan)
        found[:, :, :3] = theory.solve_points(mu, quartic, self.dimension)
        values = {name: found[..., k] for k, name in enumerate(NAMES)}
        m, residual = found[..., 0], found[..., 5]
        values["improvement"] = np.nanmin(found[:, SITES, :, 4], axis=-1)[:, None, None] - values["free_energy"]
        values["binder_ratio"] = np.where(np.isnan(m), np.nan, np.where(m > 0, 1.0, 1 / 3))
        values["site_field"] = m
        stable = np.ones(m.shape, bool)
        stable[:, :GAUSSIAN, SYMMETRIC] = np.isnan(residual[:, :GAUSSIAN, BROKEN])
        stable[..., BARRIER] = False
        jumps = np.zeros(m.shape, bool)
        jumps[:, GAUSSIAN, BARRIER] = True
        fails = {"false_jump": jumps}
        if self.lattice == "square":
            early = np.zeros(m.shape, bool)
            early[..., BROKEN] = (mu > theory.critical_line(quartic))[:, None]
            fails["false_order"] = early
        return core.Solution(values, residual, stable=stable, fails=fails)

    def _solve_image(self, points: Points) -> core.Solution:
        shape = points["quartic"].size, 3, 4
        residual, likelihood = np.full(shape, np.nan), np.full(shape, np.nan)
        for k, (digit, grain, quartic) in enumerate(
            zip(points["digit"], points["grain"], points["quartic"], strict=True)
        ):
            best = pixels.best_pixels(pixels.moments_of(int(digit), grain), quartic)
            residual[k, SITES, PIXELS], likelihood[k, SITES, PIXELS] = best.residual, best.log_likelihood
        return core.Solution({"log_likelihood": likelihood}, residual)

    def classify(self, points: Points, states: core.States) -> dict[str, Array]:
        if self.task == "image":
            return {"pixels": np.ones((points["quartic"].size, 3), bool)}
        return {name: states.equilibrium[name] for name in ("symmetric", "broken")}

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        quartic, d = self.quartic, self.dimension
        if self.task == "image":
            return self._image_equations(state)
        a, m, f = 0.5 * self.mass_squared + d, state["magnetization"], state["free_energy"]
        x = np.linspace(-7, 7, 281)
        if state["method"] == "mean_field":
            weight = np.exp(2 * d * m * x - a * x**2 - quartic * x**4)
            return {
                "(3) M": m - (weight * x).sum() / weight.sum(),
                "(3) f": f - d * m**2 + np.log(weight.sum() * (x[1] - x[0])),
            }
        if state["method"] == "chains":
            half = (d - 1) * m * x - 0.5 * (a * x**2 + quartic * x**4)
            transfer = np.exp(half[:, None] + half + np.outer(x, x)) * (x[1] - x[0])
            values, states = np.linalg.eigh(transfer[::2, ::2] * 2)
            mean = states[:, -1] ** 2 @ x[::2]
            return {"(5) f": f - (d - 1) * m**2 + np.log(values[-1]), "(5) M": m - (mean if m > 0 else 0.0)}
        second = state["field_squared"]
        mass = self.mass_squared + 12 * quartic * second
        g = green_by_waves(mass, d)
        return {
            "(6) G": second - m**2 - g,
            "(6) M": m * (self.mass_squared + 4 * quartic * (m**2 + 3 * g)),
            "(7)": state["field_fourth"] - (m**4 + 6 * m**2 * g + 3 * g**2),
        }

    def _image_equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        """The likelihood is the entropy of the pixels, less of the quartic term where their fourth moments differ."""
        data = pixels.moments_of(self.digit, self.grain)
        best = pixels.best_pixels(data, self.quartic)
        x = np.linspace(-5, 5, 601)[:, None]
        weight = np.exp(best.source * x - best.quadratic * x**2 - self.quartic * x**4)
        z = weight.sum(axis=0)
        likelihood = best.source * data.first - best.quadratic * data.second - self.quartic * data.fourth
        return {
            "(8) h": float(np.abs((weight * x).sum(axis=0) / z - data.first).max()),
            "(8) a": float(np.abs((weight * x**2).sum(axis=0) / z - data.second).max()),
            "likelihood": float((likelihood - np.log(z * (x[1] - x[0]))).sum()) - state["log_likelihood"],
        }

    def boundary(self, name: str, points: Points) -> Array:
        quartic = points["quartic"]
        if name == "critical_line":
            return theory.critical_line(quartic)
        x = 2 * np.log(quartic / WEAKEST) / np.log(STRONGEST / WEAKEST) - 1
        return np.asarray(np.polynomial.chebyshev.chebval(x, line(name, self.dimension)))

    def landscape(self) -> core.Landscape:
        if self.task == "image":
            raise core.NotOfferedError(self.title, "a landscape of images")
        largest = 1.5 * max(0.6, self.mean_field()[0])
        half = np.linspace(0, largest, 81)
        bounds = theory.landscape(self.mass_squared, self.quartic, self.dimension, half)
        both = np.concatenate([-half[:0:-1], half])
        sites, chains, gaussian = np.concatenate([bounds[:, :0:-1], bounds], axis=1)
        rivals = ("chains", chains), ("Gaussian", gaussian)
        return core.Landscape("magnetization", both, sites, title="bound of the free energy", rivals=rivals)

    def law(self) -> core.Law:
        return self.laws(0.0)[0]

    def laws(self, time: float) -> tuple[core.Law, ...]:
        if self.task == "image":
            raise core.NotOfferedError(self.title, "a law of images")
        found = theory.solve_points(np.array([self.mass_squared]), np.array([self.quartic]), self.dimension)[0]
        best = np.nanargmin(np.where(np.arange(3) == BARRIER, np.nan, found[..., 4]), axis=1)
        values, densities = theory.site_laws(
            self.mass_squared, self.quartic, self.dimension, found[np.arange(3), best, 0]
        )
        return tuple(
            core.Law("site_field", values, density, f"{method.title}, both signs", method=method.name)
            for method, density in zip(self.methods, densities, strict=True)
        )

    def caveat(self) -> str:
        if self.task == "image":
            return "links, which the theory of single pixels does without"
        return "all theories leave fluctuations out, most near the critical line; or finite size"

    def footprint(self) -> int:
        return 200 * self.size
