r"""Rosenzweig-Porter matrices: between order and chaos there is a fractal phase.

$N$ sites with random energies, and a random hopping between every two of them:

$$H_{ij}=a_i\delta_{ij}+\mu N^{-\gamma/2}V_{ij},\qquad a_i\sim\mathcal N(0,1) \tag{1}$$

with $V$ symmetric, Gaussian, of variance 1 (2 on the diagonal). The larger $\gamma$, the weaker the hopping. With
$\sigma^2=\mu^2N^{1-\gamma}$ the mean resolvent $g(z)=N^{-1}\mathrm{Tr}(z-H)^{-1}$ and that of a site solve

$$g=\int\frac{p(a)\,da}{z-a-\sigma^2g},\qquad G_{ii}(z)=\frac1{z-a_i-\sigma^2g(z)} \tag{2}$$

At $z=E+i0$ write $z-\sigma^2g=x+i\Gamma$. A site is spread in energy over the width $\Gamma$, which for weak hopping is
Fermi's golden rule, and the density of states is $\rho=\Gamma/(\pi\sigma^2)$:

$$\Gamma=\pi\rho(E)\mu^2N^{1-\gamma},\qquad
\overline{|\psi_n(i)|^2}=\frac1{N\rho}A(E_n-a_i),\qquad A=\frac{\Gamma/\pi}{(x-a_i)^2+\Gamma^2} \tag{3}$$

The components fluctuate like squares of Gaussians (Porter and Thomas), which makes a factor 3 in the inverse
participation ratio

$$I_2=\sum_i|\psi_n(i)|^4=\frac3{N\rho^2}\int p(a)A^2da\simeq\frac3{2\pi N\rho\Gamma}\sim N^{-D},\qquad
D=2-\gamma \tag{4}$$

An eigenstate lives on the $N\rho\Gamma\sim N^{2-\gamma}$ sites within its width:

* $\gamma<1$, *ergodic*: the width exceeds the whole band, all sites take part ($D=1$);
* $1<\gamma<2$, *fractal*: ever more sites, but a vanishing fraction. Levels still repel;
* $\gamma>2$, *localized*: the hopping is smaller than the spacing of levels ($D=0$, Poisson statistics).

Levels mix with the strength $\Lambda=\mu\rho N^{1-\gamma/2}$ (hopping over spacing); the ratio of neighbouring gaps
follows from three levels mixed by that much. The imaginary part $y=\mathrm{Im}\,G_{ii}(E+i\eta)$ of a local resolvent
has, with $\Gamma\to\Gamma+\eta$, the density

$$P(y)=\frac{\Gamma}{2y^2s}\big[p(x+s)+p(x-s)\big],\qquad s=\sqrt{\Gamma/y-\Gamma^2} \tag{5}$$

which falls as $y^{-3/2}$ between $\Gamma$ and $1/\Gamma$: the signature of the fractal phase, seen when
$\eta\sim N^{1-\gamma}$. A particle released on a site decays as $e^{-2\Gamma t}$ and then keeps a memory of order
$I_2$,

$$R(t)=|\chi(t)|^2\big(1-\tfrac23I_2\big)+I_2\big[1-\tfrac13b(t/2\pi N\rho)\big],\qquad
\chi(t)=\int A(\omega)e^{-i\omega t}d\omega \tag{6}$$

with the two-level form factor $b$ of random matrices. Two methods: *leading* takes (3) and (4) at the bare density
$\rho=p(E)$ and the phases of infinite $N$; *finite_size* solves (2) at this $N$ and takes $D$ from $N/4$ and $N$ sites.

**Valid:** (2)-(4) as long as the width holds many levels, $N\rho\Gamma\gg1$. In the localized phase it does not, which
is flagged. Eq. (5) leaves out that the self-energy itself fluctuates, so it needs an $\eta$ that holds many levels.
Eq. (6) is right at the beginning and the end; in between, around $t=1/2\Gamma$, it is too high by up to $I_2/2$. The
mixing of three levels is a surmise, good to 0.015.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import ndtr, wofz

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.glasses.rosenzweig_porter.dynamics import RosenzweigPorterSimulation
from mfexplore.numerics.functions.gaussian import normal_density
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.later import brentq
from mfexplore.numerics.matrices.level_statistics import ORTHOGONAL_RATIO, POISSON_RATIO, mixed_ratio

FEW = 3  # levels within the width, below which averages over them are off by more than the answer


def bare_density(energy: Array | float) -> Array:
    """p(E) of the site energies."""
    return normal_density(np.asarray(energy))


def bare_resolvent(zeta: Array) -> Array:
    """Mean of 1/(zeta - a) over the site energies, for Im zeta > 0 (Faddeeva function)."""
    return np.asarray(-1j * math.sqrt(math.pi / 2) * wofz(zeta / math.sqrt(2)))


def shifted_energy(z: Array, hopping_square: Array) -> tuple[Array, Array, int]:
    """Solve eq. (2) for zeta = z - sigma^2 g(z) in the upper half-plane.

    Args:
        z: energies E + i eta with eta >= 0; hopping_square: sigma^2 > 0; both of shape (n,).

    Returns:
        zeta and |residual| relative to its size, each of shape (n,), and the number of iterations. The damped map
        contracts the half-plane, from far above at first; Newton finishes.
    """
    sigma = np.sqrt(hopping_square)
    zeta = z + 1j * (hopping_square / np.sqrt(1 + hopping_square) + 1e-300)
    for _ in range(6):
        zeta = 0.5 * (zeta + z - hopping_square * bare_resolvent(zeta))
    for iteration in range(60):
        g = bare_resolvent(zeta)
        error = zeta + hopping_square * g - z
        slope = 1 + hopping_square * (1 - zeta * g)
        step = error / slope
        # a step must stay in the half-plane and be no longer than the band
        size = np.abs(step) / (0.5 * (1 + sigma))
        step /= np.maximum(1, size)
        down = np.where(step.imag > 0.7 * zeta.imag, 0.7 * zeta.imag / np.maximum(step.imag, 1e-300), 1.0)
        zeta = zeta - step * down
        if (np.abs(error) <= 1e-14 * (1 + np.abs(zeta))).all():
            break
    error = np.abs(zeta + hopping_square * bare_resolvent(zeta) - z) / (1 + np.abs(zeta))
    return zeta, error, iteration + 1


def mean_logarithm(zeta: Array) -> Array:
    """Mean of ln|zeta - a| over the site energies, for Im zeta > 0: the integral of the resolvent from 0, far away the
    expansion in 1/zeta^2.
    """
    nodes, weights = gauss_legendre(32)
    near = np.where(np.abs(zeta) < 7, zeta, 1j)
    path = near[..., None] * nodes
    integral = np.sum(weights * bare_resolvent(path), axis=-1) * near
    inverse = 1 / np.where(np.abs(zeta) < 7, 7j, zeta) ** 2
    series = -inverse / 2 - 3 * inverse**2 / 4 - 15 * inverse**3 / 6 - 105 * inverse**4 / 8
    far = np.log(np.maximum(np.abs(zeta), 1e-300)) + series.real
    return np.where(np.abs(zeta) < 7, integral.real - (np.euler_gamma + math.log(2)) / 2, far)


def participation(size: Array, zeta: Array) -> Array:
    """I_2 of eq. (4) with the integral done, at most 1 (and at least 3/N by itself)."""
    g = bare_resolvent(zeta)
    k, width = -g.imag, zeta.imag
    overlap = 0.5 * k / width + 0.5 * (1 - zeta * g).real
    return np.minimum(3 * overlap / (size * k**2), 1.0)


def form_factor(k: Array) -> Array:
    """Two-level form factor b(k) of large real symmetric random matrices, k in units of the Heisenberg time."""
    late = np.maximum(k, 1.0)
    return np.where(k < 1, 1 - 2 * k + k * np.log1p(2 * k), -1 + late * np.log((2 * late + 1) / (2 * late - 1)))


@dataclass(frozen=True)
class RosenzweigPorter(core.Model):
    gamma: float = core.control(
        1.5, 0.0, 3.0, symbol=r"\gamma", role="disorder", step=0.01, quenched=True,
        doc="exponent of the hopping N^(-γ/2): the larger, the more disorder wins",
    )  # fmt: skip
    hopping: float = core.control(
        1.0, 0.1, 3.0, symbol=r"\mu", role="coupling", step=0.01, quenched=True, doc="prefactor of the hopping"
    )
    energy: float = core.control(
        0.0, -2.0, 2.0, symbol="E", role="setting", step=0.02, doc="energy at which states are looked at"
    )
    broadening_exponent: float = core.control(
        0.5, 0.0, 2.0, symbol=r"\delta", role="setting", step=0.01,
        doc="the local resolvent is taken at the distance N^(-δ) from the real axis",
    )  # fmt: skip
    size: int = core.control(
        512, 16, 2048, symbol="N", unit="sites", role="size", scale="log", doc="sites of the matrix"
    )

    version = 2
    tags = core.Tags("research", 20, ("phase transition", "localization"), ("random matrices",))
    relations = (
        core.Relation(
            "coincides with", "beta_ensemble",
            "With strong hopping the random energies on the diagonal do not matter: a Gaussian matrix, whose levels "
            "are those at β = 1.",
            here={"gamma": 0.0}, there={"potential": "hermite", "beta": 1.0},
        ),
    )  # fmt: skip
    title = "Rosenzweig-Porter matrices"
    summary = (
        "Random matrices between localized and chaotic, with fractal eigenstates on a vanishing part of all sites."
    )
    sources = (
        core.Source("N. Rosenzweig, C. E. Porter, Phys. Rev. 120, 1698 (1960)", doi="10.1103/PhysRev.120.1698"),
        core.Source(
            "V. E. Kravtsov, I. M. Khaymovich, E. Cuevas, M. Amini, New J. Phys. 17, 122002 (2015)", arxiv="1508.01714"
        ),
        core.Source(
            "D. Facoetti, P. Vivo, G. Biroli, From non-ergodic eigenvectors to local resolvent statistics and back, "
            "EPL 115, 47003 (2016)",
            doi="10.1209/0295-5075/115/47003",
        ),
    )
    observables = (
        core.Observable("fractal_dimension", "D_2", "an eigenstate lives on about N^D sites", low=0, high=1),
        core.Observable("level_ratio", "r", "mean ratio of neighbouring gaps: do levels repel?", low=0.35, high=0.56),
        core.Observable("inverse_participation", "I_2", "sum of the fourth powers of a state, eq. (4)", low=0, high=1),
        core.Observable("spreading_width", r"\Gamma", "width in energy over which a site is spread, eq. (3)", low=0),
        core.Observable("density_of_states", r"\rho", "density of states per site", low=0),
        core.Observable(
            "log_local_density", r"\log_{10}\mathrm{Im}G/\pi", "mean logarithm of the local density of states"
        ),
        core.Observable(
            "local_density_of_states", "A", "weight of a state on sites detuned by so much, eq. (3)", over="detuning"
        ),
    )
    coordinates = (core.Coordinate("detuning", r"a_i-E_n", "energy of a site from that of the state"),)
    methods = (
        core.Method("leading", "leading order for large N, eqs. (3) and (4)"),
        core.Method("finite_size", "eq. (2) solved at this N"),
    )
    phases = (
        core.Phase("ergodic", "Eigenstates cover all sites, as in a fully random matrix."),
        core.Phase("fractal", "Eigenstates cover N^(2-γ) sites: more and more, yet a vanishing fraction."),
        core.Phase("localized", "Eigenstates sit on a few sites; neighbouring levels ignore each other."),
    )
    failures = (
        core.Failure(
            "few_levels",
            "The width holds fewer than three levels: they cannot be averaged over as the resolvent equation does.",
        ),
    )
    landmarks = (
        core.Landmark("ergodic_transition", r"\gamma=1", "the width reaches the whole band", of="gamma"),
        core.Landmark("localization", r"\gamma=2", "the hopping reaches the spacing of levels", of="gamma"),
    )
    planes = (
        core.Plane("gamma", "size", "fractal_dimension", along="x"),
        core.Plane("gamma", "energy", "inverse_participation", along="x"),
    )
    presets = (
        core.Preset(
            "fractal", {"gamma": 1.5}, "Levels repel as in chaos, yet a state sits on a narrow strip of energies."
        ),
        core.Preset(
            "ergodic", {"gamma": 0.5}, "All sites share the weight; trace the survival: no exponential decay.",
            view=core.View(series="survival"),
        ),
        core.Preset(
            "localized", {"gamma": 2.5, "broadening_exponent": 1.0},
            "The particle stays on its site (trace the survival); gaps are nearly Poisson (0.42, on the way to 0.386).",
            (core.Promise(core.Value("level_ratio", method="finite_size"), 0.42, 0.015),
             core.Promise(core.Value("level_ratio", method="leading"), 0.386, 0.0005)),
            view=core.View(series="survival"),
        ),
        core.Preset(
            "local resolvents", {"gamma": 1.6, "broadening_exponent": 0.6, "size": 1024},
            "Local densities spread over orders of magnitude with a power-law tail: most sites see nothing.",
        ),
        core.Preset(
            "at the localization transition", {"gamma": 2.0, "size": 1024},
            "The hopping is a fraction of the spacing at every size: the level ratio stays in between.",
            view=core.View(colour="level_ratio", series="level_ratio"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "I2 in the middle of the fractal phase, N = 1000", 0.030197872490953348, 1e-6, "Breit-Wigner, eq. (4)",
            core.Value("inverse_participation", method="leading"), {"gamma": 1.5, "size": 1000},
        ),
        core.Reference(
            "fractal dimension at gamma = 1.75", 0.25, 1e-12, "Kravtsov et al. 2015: 2 - gamma",
            core.Value("fractal_dimension", method="leading"), {"gamma": 1.75}, published=True,
        ),
        core.Reference(
            "gap ratio of chaotic levels", 0.5307, 1e-3, "Atas et al. 2013",
            core.Value("level_ratio", method="finite_size"), {"gamma": 1.0, "size": 2048}, published=True,
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "For which gamma does an eigenstate of a large matrix live on about the square root of all sites?",
            {"gamma": 1.0}, "gamma", lambda model: 1.5, 0.05,
            "On N^(2-γ) sites, so at γ = 3/2: chaotic gaps and yet almost all sites empty.",
        ),
    )  # fmt: skip
    simulation = RosenzweigPorterSimulation

    def solve(self, points: Points) -> core.Solution:
        gamma, mu, energy = points["gamma"], points["hopping"], points["energy"]
        n = points["size"].astype(np.float64)
        square, p = mu**2 * n ** (1 - gamma), bare_density(energy)
        zeta, residual, iterations = shifted_energy(energy + 0j, square)
        quarter, quarter_residual, _ = shifted_energy(energy + 0j, mu**2 * (n / 4) ** (1 - gamma))
        broad, broad_residual, _ = shifted_energy(energy + 1j * n ** -points["broadening_exponent"], square)
        density = -bare_resolvent(zeta).imag / math.pi
        inverse = participation(n, zeta)
        dimension = np.log(participation(n / 4, quarter) / inverse) / math.log(4)
        leading_width = math.pi * p * square
        eta = n ** -points["broadening_exponent"]
        both = {
            "fractal_dimension": (np.clip(2 - gamma, 0, 1), np.clip(dimension, 0, 1)),
            "level_ratio": (
                np.where(gamma < 2, ORTHOGONAL_RATIO, POISSON_RATIO), mixed_ratio(mu * density * n ** (1 - gamma / 2))
            ),
            "inverse_participation": (np.clip(3 / (2 * math.pi * n * p * leading_width), 3 / n, 1), inverse),
            "spreading_width": (leading_width, zeta.imag),
            "density_of_states": (p, density),
            "log_local_density": tuple(
                (np.log(width / math.pi) - 2 * mean_logarithm(x)) / math.log(10)
                for width, x in ((leading_width + eta, energy + 1j * (leading_width + eta)), (broad.imag, broad))
            ),
        }  # fmt: skip
        error = np.maximum(np.maximum(residual, quarter_residual), broad_residual)
        few = np.stack([n * p * leading_width, n * density * zeta.imag], axis=1) < FEW
        return core.Solution(
            {name: np.stack(pair, axis=1) for name, pair in both.items()},
            np.stack([np.zeros(n.size), error], axis=1),
            iterations=np.full((n.size, 2), iterations),
            fails={"few_levels": few},
        )

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        square, density, width = self._square(), state["density_of_states"], state["spreading_width"]
        found = {"(3)": width / (math.pi * density * square) - 1}
        if state["method"] == "leading":
            inverse = 3 / (2 * math.pi * self.size * density * width)
            return found | {"(4)": state["inverse_participation"] - np.clip(inverse, 3 / self.size, 1)}
        u = np.linspace(-1, 1, 8001) * math.asinh(20 / width)  # site energies a = x + width sinh u

        def resolvent(x: float) -> complex:
            return complex(np.trapezoid(bare_density(x + width * np.sinh(u)) * (-np.sinh(u) - 1j) / np.cosh(u), u))

        x = brentq(lambda x: x + square * resolvent(x).real - self.energy, -20, 20, xtol=1e-14)
        return found | {"(2)": resolvent(x).imag + math.pi * density}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        gamma = points["gamma"]
        return {"ergodic": gamma < 1, "fractal": gamma < 2, "localized": gamma >= 2}

    def boundary(self, name: str, points: Points) -> Array:
        return np.full(points["gamma"].size, 1.0 if name == "ergodic_transition" else 2.0)

    def _square(self) -> float:
        """Variance sigma^2 of eq. (2)."""
        return float(self.hopping**2 * self.size ** (1 - self.gamma))

    def broadening(self) -> float:
        """Distance eta of the local resolvent from the real axis."""
        return float(self.size**-self.broadening_exponent)

    def _zeta(self, eta: float = 0.0) -> complex:
        zeta, _, _ = shifted_energy(np.array([self.energy + 1j * eta]), np.array([self._square()]))
        return complex(zeta[0])

    def width(self) -> float:
        """Gamma of eq. (3) at this size."""
        return self._zeta().imag

    def density(self) -> float:
        """Density of states per site at this size."""
        return -float(bare_resolvent(np.array(self._zeta())).imag) / math.pi

    def decay_time(self) -> float:
        """Unit of time of the simulation, 1/(2 Gamma)."""
        return 1 / (2 * self.width())

    def weight_profile(self, edges: Array) -> Array:
        """Weight of a state at the energy E looked at on sites with energy a: p(a) A/rho, mean over bins of a - E."""
        zeta = self._zeta()
        lorentzian = np.diff(np.arctan((self.energy + edges - zeta.real) / zeta.imag)) / math.pi / np.diff(edges)
        return bare_density(self.energy + (edges[1:] + edges[:-1]) / 2) * lorentzian / self.density()

    def profiles(self) -> dict[str, core.Profile]:
        detuning = np.linspace(-4, 4, 401)
        leading = math.pi * float(bare_density(self.energy)) * self._square()
        curves = []
        for centre, width in ((self.energy, leading), (self._zeta().real, self.width())):
            curves.append(width / math.pi / ((centre - self.energy - detuning) ** 2 + width**2))
        return {"local_density_of_states": core.Profile(detuning, np.array(curves))}

    def law(self) -> core.Law:
        """Distribution of log10(Im G/pi) over sites, eq. (5), from differences of its cumulative distribution.

        Where the width covers all sites they are alike for eq. (5), and fluctuate for reasons that it leaves out.
        """
        if self.width() > 2:
            raise core.NotOfferedError(self.title, "the distribution of local resolvents where all sites are alike")
        zeta = self._zeta(self.broadening())
        x, width = zeta.real, zeta.imag
        top = -math.log10(math.pi * width)
        far = abs(x) + 6
        low = math.log10(width / math.pi / (far**2 + width**2))
        edges = np.linspace(low, top, 241)
        s = np.sqrt(np.maximum(width / (math.pi * 10**edges) - width**2, 0))
        s[-1] = 0
        above = ndtr(x + s) - ndtr(x - s)  # probability of a larger density
        density = -np.diff(above) / np.diff(edges)
        return core.Law("log_local_density", (edges[1:] + edges[:-1]) / 2, density, "eq. (5), averaged over bins")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Eq. (6), and what does not change with time."""
        zeta = self._zeta()
        width = zeta.imag
        inverse = float(participation(np.array(float(self.size)), np.array(zeta)))
        t = times * self.decay_time()
        square = self._square()
        # bins from a fraction of the width in the middle to a fraction of the band far out
        reach = math.asinh((5 + 3 * math.sqrt(square)) / width)
        edges = self.energy + width * np.sinh(np.linspace(-reach, reach, 2002))
        omega, bins = (edges[1:] + edges[:-1]) / 2, np.diff(edges)
        curve, _, _ = shifted_energy(omega + 0j, np.full(omega.size, square))
        spectrum = np.clip(-(1 / (curve - self.energy)).imag / math.pi, 0, None) * bins
        spectrum /= spectrum.sum()
        # within a bin the spectrum is level: sinc, so that what oscillates fast there averages out
        waves = (spectrum * np.sinc(bins * moment / (2 * math.pi)) * np.exp(-1j * omega * moment) for moment in t)
        decay = np.array([abs(wave.sum()) ** 2 for wave in waves])
        late = inverse * (1 - form_factor(t / (2 * math.pi * self.size * self.density())) / 3)
        return {"survival": np.minimum(decay * (1 - 2 * inverse / 3) + late, 1.0)}

    def footprint(self) -> int:
        return 40 * self.size**2
