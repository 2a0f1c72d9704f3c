r"""Membranes with two phases: a diffuse interface for a sharp one, and when a domain buds.

A phase field $u$ is 1 inside and $-1$ outside of a membrane, a second one, $v=\pm1$, tells its two lipid phases apart.
With $W(s)=\frac14(1-s^2)^2$ the diffuse energy of bending (modulus $k$) and of the line between the phases is

$$E=\frac k{2\varepsilon}\int\Big(\varepsilon\Delta u-\frac{W'(u)}\varepsilon\Big)^2+\sigma_l\int
\Big(\frac\delta2|\nabla v|^2+\frac{W(v)}\delta\Big)\Big(\frac\varepsilon2|\nabla u|^2+\frac{W(u)}\varepsilon\Big)
\tag{1}$$

As $\varepsilon,\delta\to0$ it should become that of sharp membranes (Gamma-convergence): with
$c_0=\int_{-1}^1\sqrt{2W}=\frac{2\sqrt2}3$, bending $\frac{c_0k}2\int H^2$ and $c_0^2\sigma_l$ for a unit of line.

**Circle.** Across a circle of radius $R$ the profile $u=\tanh(d/\sqrt2\varepsilon)$ leaves only what is bent. With
the square of its slope as the weight of an average

$$\frac{E_{\rm bend}}{E_{\rm sharp}}=\Big\langle\frac Rr\Big\rangle=1+\Big(\frac{\pi^2}6-1\Big)
\frac{\varepsilon^2}{R^2}+\dots \tag{2}$$

Two kinks of $v$ share the circle's length; they solve $\delta^2v''=W'(v)$ there, which has such a solution for
$\delta<R$ only. Their line energy is

$$\frac{E_{\rm line}}{E_{\rm sharp}}=\tfrac12\Big(G\Big\langle\frac Rr\Big\rangle+P\Big) \tag{3}$$

with the gradient and potential energies $G,P\to1$ of a kink. On a circle smaller than $\delta$ the phases mix: $v=0$,
and what is left, $G=0$, $P=\pi R/2c_0\delta$, is no line at all. Left alone, a diffuse circle moves:
$\varepsilon\dot u=$ minus the derivative of the bending energy by $u$ is Willmore's flow,
$\dot u=\Delta u-W'/\varepsilon^2$ shortens the curve:

$$R^4=R_0^4+2t\quad\text{(bending)},\qquad R^2=R_0^2-2t\quad\text{(tension)} \tag{4}$$

**Bud.** A flat domain of area $\pi L^2$ in a large membrane without tension can shorten its rim only by bulging. As a
spherical cap of curvature $C$, with the spontaneous curvature $C_0$, $\kappa=c_0k$ and $\xi=\kappa/(c_0^2\sigma_l)$,

$$\frac E{2\pi\kappa}=(LC-LC_0)^2+\frac L\xi\sqrt{1-(LC/2)^2} \tag{5}$$

(Lipowsky). $LC=0$ is flat, $LC=2$ a closed bud, which is always a minimum. The shallow cap ends at the spinodal

$$\Big(\frac{LC_0}2\Big)^{2/3}+\Big(\frac L{8\xi}\Big)^{2/3}=1 \tag{6}$$

But a domain need not be a cap. Its contour may have any angles $\psi(s)$; without spontaneous curvature small ones grow
in the shape $J_1$ that has no curvature at the rim, at the rate $L/\xi-j^2$, with $j=2.405$ the first zero of $J_0$:
the flat domain is lost at

$$\frac L\xi=j^2 \tag{7}$$

well before the cap's 8. The simulation follows such contours, axisymmetric, of fixed area, with noise.

**Valid:** (2) and (3) for profiles that are not distorted, $\varepsilon\ll R$; the relaxed field is slightly cheaper,
that of a circle that shrinks dearer. On a circle both phases keep their half, and follow its radius ten times as fast.
In the centre (2) diverges logarithmically, and $r<R/50$ is left out. (5) compares flat domains and closed buds exactly,
but not what is in between: there the rim bends differently. The rest of the membrane costs nothing as long as it has
no tension: it forms a catenoid. Left out: the proof, and domains on moving curves in the plane, where an edge between
phases is a point: by (1) it costs the same wherever it is and whatever the curve, which does not know of its phases.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.models.matter.membrane_phase_fields import theory
from mfexplore.models.matter.membrane_phase_fields.motion import Membrane
from mfexplore.models.matter.membrane_phase_fields.theory import BARRIER, RIM, SHALLOW, SURFACE
from mfexplore.numerics.later import brentq, quad

DOMAIN, CIRCLE = {"shape": ("bud",)}, {"shape": ("circle",)}
RING = 3
THICK = 0.01  # error of the bending energy from which an interface counts as thick
DISTANCE = np.linspace(-6.0, 6.0, 97)
MOST_SEGMENTS = 24


@dataclass(frozen=True)
class MembranePhaseFields(core.Model):
    shape: str = core.choice(
        "bud", {"bud": "a domain that may bud", "circle": "a diffuse circle"},
        doc="a domain of a large membrane, or a closed curve with a diffuse interface",
    )  # fmt: skip
    line_tension: float = core.control(
        9.0, 0.0, 10.0, symbol=r"L/\xi", role="load", step=0.02, only=DOMAIN,
        doc="line tension times the size of the domain, over the bending modulus",
    )  # fmt: skip
    spontaneous_curvature: float = core.control(
        0.0, 0.0, 1.5, symbol="LC_0", role="field", step=0.01, only=DOMAIN, doc="curvature that the domain prefers"
    )
    noise: float = core.control(
        0.0005, 0.0, 0.02, symbol=r"T/2\pi\kappa", role="temperature", step=0.0001, part="simulation", only=DOMAIN,
        doc="thermal energy over the bending modulus",
    )  # fmt: skip
    width: float = core.control(
        0.08, 0.02, 0.25, symbol=r"\varepsilon/R", role="setting", step=0.005, only=CIRCLE, quenched=True,
        doc="width of the diffuse membrane",
    )  # fmt: skip
    edge: float = core.control(
        0.2, 0.05, 1.2, symbol=r"\delta/R", role="setting", step=0.01, only=CIRCLE,
        doc="width of the edge between the two phases",
    )  # fmt: skip
    flow: str = core.choice(
        "bending", ("bending", "tension"), part="simulation", only=CIRCLE, doc="what moves the circle, eq. (4)"
    )
    cells: int = core.control(
        200, 20, 1000, symbol="M", role="size", scale="log", part="simulation",
        doc="cells along the radius; segments of a domain's contour (at most 24)",
    )  # fmt: skip
    start: str = core.choice(
        "flat", ("flat", "deep"), role="start", part="simulation", only=DOMAIN, doc="a flat domain, or nearly a bud"
    )

    version = 2
    title = "Membranes as phase fields"
    summary = "Diffuse membranes for sharp ones, and line tension against bending: when a domain buds."
    tags = core.Tags("research", 20, ("phase transition", "jump", "growth"), ("variational", "field theory"))
    sources = (
        core.Source("Interacting phase fields yielding phase separation on surfaces (2025)"),
        core.Source("R. Lipowsky, J. Phys. II France 2, 1825 (1992)", doi="10.1051/jp2:1992238"),
    )
    observables = (
        core.Observable("depth", "LC", "curvature of a cap with this rim: 0 flat, 2 closed", only=DOMAIN),
        core.Observable("free_energy", r"E/2\pi\kappa", "energy of the domain, eq. (5)", only=DOMAIN),
        core.Observable("rim", "r/L", "radius of the rim", low=0, high=1, only=DOMAIN),
        core.Observable("bending_ratio", r"E_{\rm b}/E_0", "diffuse over sharp bending energy, eq. (2)", only=CIRCLE),
        core.Observable("line_ratio", r"E_{\rm l}/E_0", "diffuse over sharp line energy, eq. (3)", only=CIRCLE),
        core.Observable("profile", "u", "phase field across the membrane", over="distance", only=CIRCLE),
    )
    coordinates = (core.Coordinate("distance", r"d/\varepsilon", "distance to the membrane, inside positive"),)
    branches = (
        core.Branch("shallow", "a flat domain or a shallow cap", only=DOMAIN),
        core.Branch("barrier", "the cap that has to be passed", only=DOMAIN),
        core.Branch("bud", "a closed bud", only=DOMAIN),
        core.Branch("circle", "a circle of two phases", only=CIRCLE),
    )
    phases = (
        core.Phase("open", "The shallow cap is best: bending is dearer than the rim."),
        core.Phase("metastable", "A bud would be better, but the caps on the way to it cost more."),
        core.Phase("closing", "No cap holds: the domain closes by itself."),
        core.Phase("two_phases", "Both phases have room on the circle, with an edge on either side."),
        core.Phase("one_phase", "The edge is as wide as the circle: the phases mix."),
    )
    failures = (
        core.Failure(
            "soft_rim",
            "A domain that need not be a cap bends at its rim, for less: it is unstable already, and buds where caps "
            "would still hold.",
        ),
        core.Failure("thick", "The interface is so wide that its bending energy is wrong by more than one per cent."),
    )
    landmarks = (
        core.Landmark(
            "budding", "E_{bud}=E_{cap}", "bud and shallow cap cost the same (first order)", of="line_tension",
            only=DOMAIN,
        ),
        core.Landmark(
            "spinodal", r"(L/\xi)_s", "the shallow cap ends, eq. (6)", continuous=False, of="line_tension", only=DOMAIN
        ),
        core.Landmark(
            "rim_instability", "j^2", "a flat domain of any shape is lost, eq. (7)", continuous=False,
            of="line_tension", only=DOMAIN,
        ),
        core.Landmark("mixing", r"\delta=R", "no room for two phases", of="edge", only=CIRCLE),
    )  # fmt: skip
    planes = (
        core.Plane("line_tension", "spontaneous_curvature", "depth", along="x", finest=129, only=DOMAIN),
        core.Plane("width", "edge", "line_ratio", along="y", finest=65, only=CIRCLE),
    )
    presets = (
        core.Preset(
            "closing", {"line_tension": 9.0},
            "No cap holds beyond 8: the rim curls up, and the domain closes to a bud by itself.",
            view=core.View(series="rim"),
        ),
        core.Preset(
            "softer than a cap", {"line_tension": 7.5},
            "Caps hold up to 8. But the rim curls up, the domain bulges faster and faster, and buds.",
            (core.Promise(core.Crossing("spinodal", "line_tension"), 8.0, 1e-6),), core.View(series="rim"),
        ),
        core.Preset(
            "flat", {"line_tension": 3.0},
            "The rim costs less than a bud would: the domain flutters, and stays flat.",
            (core.Promise(core.Crossing("budding", "line_tension"), 4.0, 1e-6),), core.View(series="rim"),
        ),
        core.Preset(
            "a barrier in the way", {"line_tension": 5.0},
            "A bud would be cheaper, and yet nothing happens: the domain would have to bulge first.",
            (core.Promise(core.Mean("rim", 0.5, 1.5), 1.0, 0.01, {"cells": 20}),), core.View(series="rim"),
        ),
        core.Preset(
            "closing from above", {"line_tension": 5.0, "start": "deep", "noise": 0.0},
            "The same line tension as behind the barrier, begun on the other side of it: the bud closes.",
            view=core.View(series="rim"),
        ),
        core.Preset(
            "Willmore's flow", {"shape": "circle", "width": 0.08},
            "A diffuse circle grows to bend less, along the line of the sharp one.",
            view=core.View(series="radius", function="profile"),
        ),
        core.Preset(
            "curve shortening", {"shape": "circle", "width": 0.06, "flow": "tension"},
            "Its square of the radius falls evenly, until the interface is as wide as the circle.",
            view=core.View(series="radius", function="profile"),
        ),
        core.Preset(
            "phases mix", {"shape": "circle", "width": 0.05, "edge": 0.4, "flow": "tension"},
            "Two phases share the circle while it is large. Once it is as small as the edge between them is wide, "
            "their colours fade, and the line costs less than two edges.",
            view=core.View(plane=("width", "edge"), along="edge", series="line_ratio"),
        ),
        core.Preset(
            "too coarse", {"shape": "circle", "width": 0.04, "cells": 30, "flow": "tension"},
            "Cells twice as wide as the interface pin it: the circle does not shrink, whatever the theory says.",
            (core.Promise(core.Mean("radius", 0.1, 0.2), 1.0, 0.06),), core.View(series="radius"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "bending of a diffuse circle at $\\varepsilon/R=0.1$", 1.00660637, 1e-8, "quadrature, eq. (2)",
            core.Value("bending_ratio", "circle"), {"shape": "circle", "width": 0.1},
        ),
        core.Reference(
            "budding with the spontaneous curvature $LC_0=0.5$", 2.35991936, 1e-7, "eq. (5)",
            core.Crossing("budding", "line_tension"), {"spontaneous_curvature": 0.5},
        ),
        core.Reference(
            "a flat cap is unstable", 8.0, 1e-7, "Lipowsky 1992", core.Crossing("spinodal", "line_tension"),
            {"spontaneous_curvature": 0.0}, published=True,
        ),
        core.Reference(
            "a flat domain is unstable", RIM**2, 1e-9, "first zero of $J_0$",
            core.Crossing("rim_instability", "line_tension"), {"spontaneous_curvature": 0.0},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "The domain prefers the curvature $LC_0=1$. From which line tension on is a closed bud cheaper?",
            {"spontaneous_curvature": 1.0, "line_tension": 0.5}, "line_tension",
            core.Crossing("budding", "line_tension"), 0.1,
            "1.2: flat and closed are equally far from the curvature preferred, and the cap has bent towards it.",
        ),
    )  # fmt: skip
    simulation = Membrane

    def realised(self) -> MembranePhaseFields:
        return self.replace(cells=min(self.cells, MOST_SEGMENTS)) if self.shape == "bud" else self

    @property
    def shallow_depth(self) -> float:
        """Depth of the shallow cap; NaN where there is none."""
        here = np.array([self.line_tension]), np.array([self.spontaneous_curvature])
        return float(theory.stationary(*here)[0][0])

    def solve(self, points: Points) -> core.Solution:
        tension, spontaneous = points["line_tension"], points["spontaneous_curvature"]
        shape = (tension.size, 4)
        values = {o.name: np.full(shape, np.nan) for o in self.observables if o.over is None}
        residual, stable = np.full(shape, np.nan), np.ones(shape, bool)
        stable[:, BARRIER] = False
        fails = {}
        if self.shape == "bud":
            depths = np.stack([*theory.stationary(tension, spontaneous), np.full(tension.size, 2.0)], axis=1)
            values["depth"][:, :RING] = depths
            energy = theory.cap_energy(depths, tension[:, None], spontaneous[:, None])
            values["free_energy"][:, :RING] = energy
            values["rim"][:, :RING] = np.sqrt(np.maximum(1 - depths**2 / 4, 0))
            residual[:, :RING] = 0 * energy
            fails["soft_rim"] = (tension > RIM**2)[:, None] & (np.arange(4) == SHALLOW)
        else:
            curved = theory.moment(points["width"], -1.0)
            gradient, potential = theory.kinks_on_a_ring(np.minimum(points["edge"], 1.0))
            potential = potential / np.maximum(points["edge"], 1.0)  # of mixed phases
            values["bending_ratio"][:, RING] = curved
            values["line_ratio"][:, RING] = 0.5 * (gradient * curved + potential)
            residual[:, RING] = 0.0
            fails["thick"] = (curved > 1 + THICK)[:, None] & (np.arange(4) == RING)
        return core.Solution(values, residual, stable, fails=fails)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        if self.shape == "circle":
            return {"two_phases": points["edge"] < 1, "one_phase": points["edge"] >= 1}
        shallow = states.exists["shallow"]
        return {
            "open": shallow & (states.value("free_energy", "shallow") <= states.value("free_energy", "bud")),
            "metastable": shallow,
            "closing": ~shallow,
        }

    def boundary(self, name: str, points: Points) -> Array:
        spontaneous = points["spontaneous_curvature"]
        if name == "mixing":
            return np.ones_like(points["edge"])
        if name == "rim_instability":
            return np.where(spontaneous == 0, RIM**2, np.nan)
        return theory.budding(spontaneous) if name == "budding" else theory.spinodal(spontaneous)

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        if self.shape == "bud":
            x, x0, tension = state["depth"], self.spontaneous_curvature, self.line_tension
            rim = math.sqrt(max(1 - x * x / 4, 0.0))
            found = {"(5)": state["free_energy"] - (x - x0) ** 2 - tension * rim}
            return found if x == 2 else found | {"at rest": 2 * (x - x0) * rim - tension * x / 4}

        def weight(s: float) -> float:
            return 0.5 / math.cosh(s / math.sqrt(2)) ** 4 / SURFACE

        low = max(-theory.REACH, (theory.CENTRE - 1) / self.width)
        curved = quad(lambda s: weight(s) / (1 + self.width * s), low, theory.REACH, epsabs=1e-12, limit=400)[0]
        found = {"(2)": state["bending_ratio"] - curved}
        if self.edge > 1:  # v = 0 on the whole circle
            return found | {"(3)": state["line_ratio"] - math.pi / (4 * self.edge * SURFACE)}
        if 0.25 < self.edge < 0.99:  # a kink by the conserved energy of a particle in the potential -W

            def quarter(top: float, of: Any) -> float:
                def along(angle: float) -> float:
                    v = top * math.sin(angle)
                    return float(of(v, top) * math.sqrt(2) / math.sqrt(2 - top**2 - v**2))

                return quad(along, 0, math.pi / 2, epsabs=1e-13)[0]

            def length(top: float) -> float:
                return 4 * quarter(top, lambda v, top: 1.0) * self.edge - 2 * math.pi

            top = brentq(length, 1e-9, 1 - 1e-9, xtol=1e-15)
            well = 2 * quarter(top, lambda v, top: 0.25 * (1 - v * v) ** 2)
            slope = 2 * quarter(top, lambda v, top: 0.25 * ((1 - v * v) ** 2 - (1 - top * top) ** 2))
            found["(3)"] = state["line_ratio"] - (slope * curved + well) / SURFACE
        return found

    def landscape(self) -> core.Landscape:
        """Energy of a cap along its depth. Raises NotOfferedError for a circle."""
        if self.shape != "bud":
            raise core.NotOfferedError(self.title, "a landscape of a circle")
        depth = np.linspace(0.0, 2.0, 201)
        tension, spontaneous = (np.full(depth.size, x) for x in (self.line_tension, self.spontaneous_curvature))
        energy = theory.cap_energy(depth, tension, spontaneous)
        return core.Landscape("depth", depth, energy, title="energy of a cap over 2πκ")

    def profiles(self) -> dict[str, core.Profile]:
        u = np.full((4, DISTANCE.size), np.nan)
        if self.shape == "circle":
            u[RING] = np.tanh(DISTANCE / math.sqrt(2))
        return {"profile": core.Profile(DISTANCE, u)}

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """Sharp circles by eq. (4); a flat domain by the mode that grows or decays most slowly, eq. (7)."""
        if self.shape == "circle":
            first = start["radius"]
            if self.flow == "bending":
                return {"radius": (first**4 + 2 * times) ** 0.25}
            return {"radius": np.sqrt(np.maximum(first**2 - 2 * times, 0.0))}
        if self.spontaneous_curvature > 0 or self.start == "deep":
            raise core.NotOfferedError(self.title, "a path but of a flat domain without spontaneous curvature")
        grown = start["depth"] * np.exp(np.minimum((self.line_tension - RIM**2) * times, 50.0))
        depth = np.minimum(grown, 2.0)
        return {"depth": depth, "rim": np.sqrt(1 - depth**2 / 4)}

    def caveat(self) -> str:
        return "a rim that is not a cap's, thermal bulges, an interface that is relaxed, or too few cells"

    def footprint(self) -> int:
        return 2000 * self.cells + 1_000_000
