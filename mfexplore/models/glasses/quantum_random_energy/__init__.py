r"""Quantum random energy model: a glass that tunnels.

The levels of the random energy model, with a transverse field $\Gamma$ that flips spins:

$$H=E(\sigma^z_1,\dots,\sigma^z_N)-\Gamma\sum_i\sigma^x_i,\qquad E_{\mathbf s}\sim\mathcal N(0,N/2) \tag{1}$$

It is one particle that hops on the $2^N$ corners of a hypercube, each with a random energy of its own.

**Thermodynamics.** Each part wins alone, since a random level is nearly orthogonal to any other direction. The free
energy is the lower one of the transverse field's, $-T\ln2\cosh(\Gamma/T)$, and that of the classical levels,

$$f=-T\ln2-\frac1{4T}\quad(T>T_c),\qquad f=-\sqrt{\ln2}\quad(T\le T_c),\qquad T_c=\frac1{2\sqrt{\ln2}} \tag{2}$$

Between the two there is a first-order line. With $L=\ln2+1/(4T^2)$ above $T_c$ and $L=\sqrt{\ln2}/T$ below,

$$\Gamma_c(T)=T\,\mathrm{arcosh}(e^L/2)=T\Big[L-\ln2+\ln\big(1+\sqrt{1-4e^{-2L}}\big)\Big] \tag{3}$$

from $\Gamma_c(0)=\sqrt{\ln2}$ to $\Gamma_c(\infty)=1/\sqrt2$. At finite $N$ perturbation theory shifts the energy per
spin by $-\Gamma^2/(\epsilon N)$ for a level at $-\epsilon N$, and the ground state of the quantum paramagnet by
$-1/(2\Gamma N)$.

**Dynamics.** Inside the paramagnet, where the temperature only sets the energy density $\epsilon=-E/N=1/(2T)$, what
do eigenstates look like? A particle at energy $-\epsilon N$ reaches a corner $n=xN$ flips away with the amplitude
$n!\,(\Gamma/\epsilon N)^n$ to leading order (forward scattering). Among the corners at that distance there are resonant
ones if $r(x)>0$, and together they broaden the level by $e^{Ng(x)}$:

$$r(x)=x\ln\frac\Gamma\epsilon-x-(1-x)\ln(1-x)-\epsilon^2,\qquad g(x)=r(x)+x\ln\frac{x\Gamma}\epsilon-x \tag{4}$$

*Localized* (no resonance at any distance) as long as $\max_xr<0$, which is

$$\ln\frac\Gamma\epsilon-1+\frac\epsilon\Gamma<\epsilon^2 \tag{5}$$

*Ergodic* (the broadening is not exponentially small) when $g(x_*)>0$ at the distance
$x_*=\tfrac12(1+\sqrt{1-4\epsilon^2/\Gamma^2})$.
Between the two lines lies the *bad metal*: as in the Rosenzweig-Porter model an eigenstate spreads over all corners
within its broadening, exponentially many and yet an exponentially small fraction of those at its energy. It fills
$2^{ND}$ corners with

$$D\ln2=\ln2-\epsilon^2+\min\Big[0,\max_{r(x)\ge0}g(x)\Big] \tag{6}$$

The simulation takes one sample, finds its thermal averages (all eigenstates up to 10 spins; above, the 20 lowest
exactly and the rest by random vectors), and lets a corner at energy $-\epsilon N$ evolve in time: it stays, or spreads.

**Valid:** (2) and (3) are exact as $N\to\infty$. The lines of (4)-(6) are estimates of leading order in $\Gamma$, which
the cavity method refines; a few spins show them only as crossovers. Below $T_c$ the paramagnet's entropy is negative.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import xlogy

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bisected
from mfexplore.models.glasses.quantum_random_energy.dynamics import DENSE_SPINS, QuantumRandomEnergySimulation
from mfexplore.numerics.later import brentq
from mfexplore.numerics.matrices.level_statistics import (
    ORTHOGONAL_RATIO,
    POISSON_RATIO,
    orthogonal_ratio_density,
    poisson_ratio_density,
)

PARAMAGNET, GLASS, QUANTUM_PARAMAGNET = 0, 1, 2
FREEZING = 1 / (2 * math.sqrt(math.log(2)))
EDGE = math.sqrt(math.log(2))  # energy density of the lowest level


def resonance(x: Array, y: Array, energy: Array) -> Array:
    """r(x) of eq. (4), with y = energy/Gamma; arrays of shape (n,), as below."""
    return np.asarray(-x * np.log(y) - x - xlogy(1 - x, 1 - x) - energy**2)


def broadening(x: Array, y: Array, energy: Array | float = 0.0) -> Array:
    """g(x) of eq. (4), with y = energy/Gamma."""
    return np.asarray(xlogy(x, x) - xlogy(1 - x, 1 - x) - 2 * x - 2 * x * np.log(y) - energy**2)


def farthest(y: Array) -> Array:
    """x*, the distance at which g has its maximum, for y <= 1/2."""
    return np.asarray(0.5 + np.sqrt(0.25 - np.minimum(y, 0.5) ** 2))


def edges(transverse_field: Array) -> tuple[Array, Array]:
    """Energy densities of the lines (5) and g(x*) = 0 at every field: where the square of an energy density, which at
    fixed y = energy/Gamma falls with y, is that of Gamma y. There may be no second line; then it is 0.
    """
    field, none = transverse_field, np.zeros_like(transverse_field)
    localization = bisected(lambda y: -np.log(y) - 1 + y > (field * y) ** 2, none, none + 1)
    ergodicity = bisected(lambda y: broadening(farthest(y), y) > (field * y) ** 2, none, none + 0.5)
    return localization * field, ergodicity * field


def fractal_dimensions(energy: Array, transverse_field: Array, localization: Array, ergodicity: Array) -> Array:
    """D of eq. (6) at every point, 0 where localized. The largest g is looked for among the distances with r >= 0, an
    interval around x = 1 - y.
    """
    found = np.where(energy < localization, 1 - energy**2 / math.log(2), 0.0)
    some = (energy > ergodicity) & (energy < localization)
    e, y = energy[some], energy[some] / transverse_field[some]
    top, one = 1 - y, np.ones_like(y)
    left = bisected(lambda x: resonance(x, y, e) < 0, 0 * one, top)
    right = np.where(resonance(one, y, e) >= 0, 1.0, bisected(lambda x: resonance(x, y, e) >= 0, top, one))
    inside = np.clip(np.where(y < 0.5, farthest(y), left), left, right)
    largest = np.max([broadening(x, y, e) for x in (left, right, inside)], axis=0)
    found[some] += np.minimum(largest, 0) / math.log(2)
    return np.maximum(found, 0)


def critical_field(temperature: Array) -> Array:
    """The first-order line of eq. (3); temperatures of any shape."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.where(
            temperature > FREEZING, math.log(2) + 1 / (4 * temperature**2), EDGE / np.maximum(temperature, 1e-300)
        )
        found = temperature * (exponent - math.log(2) + np.log1p(np.sqrt(-np.expm1(2 * math.log(2) - 2 * exponent))))
    return np.where(temperature > 1e-12, found, EDGE)


@dataclass(frozen=True)
class QuantumRandomEnergy(core.Model):
    temperature: float = core.control(
        2.0, 0.0, 5.0, symbol="T", role="temperature", step=0.01, doc="temperature; also sets the energy density 1/(2T)"
    )
    transverse_field: float = core.control(
        0.5, 0.0, 1.5, symbol=r"\Gamma", role="field", step=0.005, doc="transverse field, the rate of spin flips"
    )
    size: int = core.control(
        9, 4, 16, symbol="N", unit="spins", role="size", scale="log", part="simulation",
        doc="spins simulated: 2^N levels; up to 10 the whole spectrum",
    )  # fmt: skip

    tags = core.Tags("research", 20, ("jump", "glass", "quantum"), ("exact sums",))
    relations = (
        core.Relation(
            "is the quantum version of", "random_energy",
            "Without a transverse field nothing moves between configurations, and the classical levels are left.",
            here={"transverse_field": 0.0},
        ),
        core.Relation(
            "has the same transition as", "rosenzweig_porter",
            "Eigenstates on one configuration, on a vanishing fraction of them, or on all: hopping on a hypercube "
            "here, between any two sites there.",
            there={"gamma": 1.5},
        ),
    )  # fmt: skip
    title = "Quantum random energy model"
    summary = (
        "A particle on a hypercube of random energies: localized, bad metal, ergodic, and a first-order transition."
    )
    sources = (
        core.Source("Y. Y. Goldschmidt, Phys. Rev. B 41, 4858 (1990)", doi="10.1103/PhysRevB.41.4858"),
        core.Source(
            "G. Biroli, D. Facoetti, M. Schiro, M. Tarzia, P. Vivo, Out of equilibrium phase diagram of the quantum "
            "random energy model, Phys. Rev. B 103, 014204 (2021)",
            doi="10.1103/PhysRevB.103.014204",
        ),
    )
    observables = (
        core.Observable("fractal_dimension", "D", "an eigenstate fills 2^(ND) corners, eq. (6)", low=0, high=1),
        core.Observable("transverse_magnetization", "m_x", "mean spin along the transverse field", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per spin"),
        core.Observable("energy", "e", "energy per spin"),
        core.Observable("entropy", "s", "entropy per spin"),
        core.Observable("level_ratio", "r", "mean ratio of neighbouring gaps: do levels repel?", low=0.35, high=0.56),
        core.Observable("energy_density", r"\epsilon", "distance below the middle of the spectrum, per spin", low=0),
        core.Observable(
            "localization_edge", r"\epsilon_{loc}", "energy density beyond which states are localized", low=0
        ),
        core.Observable("ergodicity_edge", r"\epsilon_{erg}", "energy density below which states are ergodic", low=0),
    )
    branches = (
        core.Branch("paramagnet", "exponentially many classical levels, dressed by the field"),
        core.Branch("glass", "the lowest few classical levels"),
        core.Branch("quantum_paramagnet", "all spins along the transverse field"),
    )
    phases = (
        core.Phase("glass", "Frozen into the lowest few levels, which are localized."),
        core.Phase("localized", "Classically disordered, but nothing moves: no resonance anywhere on the hypercube."),
        core.Phase(
            "bad_metal", "Eigenstates fill exponentially many corners, yet a vanishing fraction of those they could."
        ),
        core.Phase("ergodic", "Eigenstates fill their energy shell; a corner forgets itself."),
        core.Phase("quantum_paramagnet", "The transverse field has won: spins point along it."),
    )
    failures = (
        core.Failure(
            "negative_entropy", "The annealed solution has fewer than one level left here; the true system is frozen."
        ),
    )
    landmarks = (
        core.Landmark(
            "first_order", r"\Gamma_c", "classical and quantum states have the same free energy, eq. (3)",
            of="transverse_field",
        ),
        core.Landmark("freezing", "T_c", "the entropy of the classical levels vanishes", of="temperature"),
        core.Landmark(
            "localization", r"\Gamma_{loc}", "first resonances (leading-order estimate)", continuous=False,
            of="temperature",
        ),
        core.Landmark(
            "ergodicity", r"\Gamma_{erg}", "states fill their shell (leading-order estimate)", continuous=False,
            of="temperature",
        ),
    )  # fmt: skip
    planes = (
        core.Plane("temperature", "transverse_field", "fractal_dimension", x_range=(0.0, 4.0), y_range=(0.0, 1.2)),
        core.Plane(
            "temperature", "transverse_field", "transverse_magnetization", x_range=(0.0, 1.5), y_range=(0.0, 1.2)
        ),
    )
    presets = (
        core.Preset(
            "localized", {"temperature": 1.0, "transverse_field": 0.2, "size": 12},
            "The released corner keeps most of its weight for ever: survival stays between 0.8 and 1, by sample.",
            (core.Promise(core.Mean("survival", 20, 40), 0.9, 0.12),),
        ),
        core.Preset(
            "bad metal", {"temperature": 2.0, "transverse_field": 0.5},
            "Levels repel and the corner decays, but the state never covers the hypercube evenly.",
        ),
        core.Preset(
            "ergodic", {"temperature": 3.5, "transverse_field": 0.55, "size": 12},
            "Within a few flip times the weight follows the binomial of all corners.",
        ),
        core.Preset(
            "level crossing", {"temperature": 0.0, "transverse_field": 0.78, "size": 14},
            "Trace the gap and move the field from 0.7 to 0.9: in a narrow window it nearly closes.",
            (core.Promise(core.Crossing("first_order", "transverse_field"), 0.833, 0.0005),),
        ),
        core.Preset(
            "classical", {"temperature": 0.4, "transverse_field": 0.0},
            "Without the field every corner is an eigenstate, and gaps follow the Poisson law.",
        ),
        core.Preset(
            "quantum paramagnet", {"temperature": 0.3, "transverse_field": 1.1},
            "All spins follow the transverse field; the random energies only shift the energy by -1/(2 Gamma).",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "first-order line at T = 0.5", 0.8136171452912463, 1e-12, "Goldschmidt 1990, closed form",
            core.Crossing("first_order", "transverse_field"), {"temperature": 0.5},
        ),
        core.Reference(
            "triple point", 0.7909138207123364, 1e-12, "Goldschmidt 1990, closed form at T_c",
            core.Crossing("first_order", "transverse_field"), {"temperature": FREEZING},
        ),
        core.Reference(
            "localization edge at field 0.6", 0.3499100009994855, 1e-12, "forward scattering, eq. (5)",
            core.Value("localization_edge"), {"transverse_field": 0.6},
        ),
        core.Reference(
            "ergodicity edge at field 0.6", 0.23339723778350968, 1e-12, "forward scattering, g = 0",
            core.Value("ergodicity_edge"), {"transverse_field": 0.6},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At zero temperature the transverse field is raised from 0. At which field does the ground state jump from "
            "one frozen configuration to all spins along the field?",
            {"temperature": 0.0}, "transverse_field", core.Crossing("first_order", "transverse_field"), 0.03,
            "Where -Gamma meets -sqrt(ln 2) = -0.83: the two states ignore each other until they cross.",
        ),
    )  # fmt: skip
    simulation = QuantumRandomEnergySimulation

    def energy_density(self) -> float:
        """Energy density that the temperature sets among the classical levels, at most that of the lowest."""
        return EDGE if self.temperature <= FREEZING else 1 / (2 * self.temperature)

    def solve(self, points: Points) -> core.Solution:
        t, field = points["temperature"], points["transverse_field"]
        shape = (t.size, 3)
        frozen = t <= FREEZING
        with np.errstate(divide="ignore", invalid="ignore"):
            density = np.where(frozen, EDGE, 1 / (2 * t))
            x = np.where(t > 0, field / t, np.where(field > 0, np.inf, 0.0))
            aligned = np.tanh(x)
            free = np.where(np.isfinite(x), np.log1p(np.exp(-2 * x)) + x * (1 - aligned), 0.0)  # entropy of free spins
            f = np.stack([-t * math.log(2) - 1 / (4 * t), np.full(t.size, -EDGE), -field * aligned - t * free], axis=1)
            e = np.stack([-1 / (2 * t), np.full(t.size, -EDGE), -field * aligned], axis=1)
            s = np.stack([math.log(2) - 1 / (4 * t * t), np.zeros(t.size), free], axis=1)
        localization, ergodicity = edges(field)
        dimension = fractal_dimensions(density, field, localization, ergodicity)
        zeros, ones = np.zeros(t.size), np.ones(t.size)
        residual = np.zeros(shape)
        residual[t == 0, PARAMAGNET] = np.nan
        residual[t > FREEZING, GLASS] = np.nan
        ratio = np.where(dimension > 0, ORTHOGONAL_RATIO, POISSON_RATIO)
        values = {
            "fractal_dimension": np.stack([dimension, zeros, ones], axis=1),
            "transverse_magnetization": np.stack([zeros, zeros, aligned], axis=1),
            "free_energy": f,
            "energy": e,
            "entropy": s,
            "level_ratio": np.stack([ratio, POISSON_RATIO * ones, ORTHOGONAL_RATIO * ones], axis=1),
            "energy_density": np.stack([density, density, field * aligned], axis=1),
            "localization_edge": np.repeat(localization[:, None], 3, axis=1),
            "ergodicity_edge": np.repeat(ergodicity[:, None], 3, axis=1),
        }
        stable = np.ones(shape, bool)
        stable[frozen, PARAMAGNET] = False
        return core.Solution(values, residual, stable=stable, fails={"negative_entropy": ~stable})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        t, field, density = self.temperature, self.transverse_field, state["energy_density"]
        if state["branch"] == "quantum_paramagnet":
            free = -np.logaddexp(field, -field) if t == 0 else -t * np.logaddexp(field / t, -field / t)
            return {"(2)": state["free_energy"] - free}
        free = -EDGE if state["branch"] == "glass" else -t * math.log(2) - 1 / (4 * t)
        found = {"(2)": state["free_energy"] - free}
        if field == 0 or state["branch"] == "glass":
            return found
        edge = state["localization_edge"]
        found["(5)"] = math.log(field / edge) - 1 + edge / field - edge**2
        if state["ergodicity_edge"] < density < edge:
            y = density / field

            def r(x: float) -> float:
                return -x * math.log(y) - x - xlogy(1 - x, 1 - x) - density**2

            left = brentq(r, 1e-12, 1 - y, xtol=1e-15)
            right = 1.0 if r(1.0) >= 0 else brentq(r, 1 - y, 1.0, xtol=1e-15)
            x = np.linspace(left, right, 100_001)
            g = -x * math.log(y) - x - xlogy(1 - x, 1 - x) - density**2 + xlogy(x, x / y) - x
            found["(6)"] = math.log(2) * (state["fractal_dimension"] - 1) + density**2 - min(0.0, float(g.max()))
            if state["fractal_dimension"] == 0:
                found["(6)"] = min(found["(6)"], 0.0)  # no fewer than one corner
        return found

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        hot, density = states.equilibrium["paramagnet"], states.value("energy_density", "glass")
        return {
            "glass": states.equilibrium["glass"],
            "quantum_paramagnet": states.equilibrium["quantum_paramagnet"],
            "localized": hot & (density >= states.value("localization_edge", "glass")),
            "bad_metal": hot & (density > states.value("ergodicity_edge", "glass")),
            "ergodic": hot,
        }

    def boundary(self, name: str, points: Points) -> Array | tuple[Array, Array]:
        field = points["transverse_field"]
        if name == "first_order":
            return critical_field(points["temperature"])
        if name == "freezing":
            temperature = np.full(field.size, FREEZING)
        else:
            temperature = 0.5 / np.maximum(edges(field)[("localization", "ergodicity").index(name)], 1e-300)
        thawed = (temperature > FREEZING) | (name == "freezing")
        return temperature, thawed & (field < critical_field(temperature))

    def law(self) -> core.Law:
        """Ratios of neighbouring gaps around the energy of the start."""
        if self.size > DENSE_SPINS:
            raise core.NotOfferedError(self.title, f"a whole spectrum for more than {DENSE_SPINS} spins")
        ratio = np.linspace(0, 1, 201)
        if float(self.equilibrium()["level_ratio"]) > 0.5:
            return core.Law(
                "level_ratio", ratio, orthogonal_ratio_density(ratio), "levels repel: random-matrix surmise"
            )
        return core.Law("level_ratio", ratio, poisson_ratio_density(ratio), "independent levels")

    def caveat(self) -> str:
        return "with so few spins every transition is a crossover, and the lines of the dynamics are first estimates"

    def footprint(self) -> int:
        dense = 32 << (2 * self.size) if self.size <= DENSE_SPINS else 0
        return dense + (600 << self.size)
