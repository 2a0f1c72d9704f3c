"""A membrane that moves: a diffuse circle along its radius, or the contour of a domain that may bud."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import solve_banded

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.matter.membrane_phase_fields.theory import SURFACE

if TYPE_CHECKING:
    from mfexplore.models.matter.membrane_phase_fields import MembranePhaseFields  # noqa: F401

OUTER = 2.5  # radius of the disc in which a circle of radius 1 is looked at
NEWTON = 30
CLOSED = 0.05  # rim over L at which a bud counts as closed
TILT = 0.02  # depth at which a flat domain starts
DEEP = 1.85
HALF = 200  # segments of the half of a circle that one phase has
MOBILE = 10.0  # how much faster the phases move along the membrane than it does


class Membrane(core.Simulation["MembranePhaseFields"]):
    """`field` (u at the middles of rings around the centre) and `phase` (v between the two edges, on the half of the
    circle that one phase keeps), or `angle` (of the contour's segments, from the pole).
    """

    time_unit = "time"

    def prepare(self) -> None:
        m = self.model
        self.is_bud, n = m.shape == "bud", m.realised().cells
        self.closed = False
        if self.is_bud:
            self.h = 1.0 / n
            middle = (np.arange(n) + 0.5) * self.h
            depth = DEEP if m.start == "deep" else TILT
            self.angle = 2 * np.arcsin(depth / 2) * middle
            self.step, self.relaxation, self.window = 0.05, 4.0, 1.0
            return
        self.h = OUTER / n
        self.place = (np.arange(n) + 0.5) * self.h
        self.field = np.tanh((1 - self.place) / (math.sqrt(2) * m.width))
        edges = np.arange(1, n) * self.h / self.h**2
        self.outward, self.inward = np.append(edges, 0.0) / self.place, np.append(0.0, edges) / self.place
        along = np.arange(1, HALF) * np.pi / HALF
        self.phase = np.tanh(np.sin(along) / (math.sqrt(2) * m.edge))
        self.step = 0.05 if m.flow == "bending" else 0.005
        self.relaxation, self.window = 10 * self.step, 0.0

    def evolve(self, duration: float) -> None:
        if self.is_bud:
            self._bend(duration)
            return
        if self.model.flow == "bending":
            self._willmore(duration)
        else:
            self._shorten(duration)
        self._separate(duration)

    # -- a diffuse circle: u along the radius -------------------------------------------------------------------------

    def laplacian(self, u: Array) -> Array:
        """In the plane, of a function of the radius; nothing flows through the centre or the outer edge."""
        above, below = np.append(u[1:], 0.0), np.append(0.0, u[:-1])
        return np.asarray(self.outward * (above - u) + self.inward * (below - u))

    def _bands(self, factor: float, middle: Array) -> Array:
        """`factor` times the Laplacian plus a diagonal, as the three bands of a matrix."""
        upper, lower = np.append(0.0, factor * self.outward[:-1]), np.append(factor * self.inward[1:], 0.0)
        return np.stack([upper, middle - factor * (self.outward + self.inward), lower])

    def force(self, u: Array) -> Array:
        """The field -eps Laplacian u + W'(u)/eps, zero where the interface is straight."""
        eps = self.model.width
        return np.asarray(-eps * self.laplacian(u) + (u**3 - u) / eps)

    def _shorten(self, duration: float) -> None:
        """Implicit Euler of du/dt = Laplacian u - W'(u)/eps^2."""
        old, eps = self.field, self.model.width
        u = old.copy()
        for _ in range(NEWTON):
            residual = u - old + duration * self.force(u) / eps
            step = solve_banded((1, 1), self._bands(-duration, 1 + duration * (3 * u * u - 1) / eps**2), residual)
            u -= step
            if np.abs(step).max() < 1e-12:
                break
        self.field = u

    def _willmore(self, duration: float) -> None:
        """Implicit Euler of eps du/dt = Laplacian mu - W''(u) mu/eps^2."""
        old, eps = self.field, self.model.width
        u = old.copy()
        for _ in range(NEWTON):
            mu, curvature = self.force(u), 3 * u * u - 1
            change = -self.laplacian(mu) + curvature * mu / eps**2
            residual = u - old + duration / eps * change
            left, right = self._bands(-1.0, curvature / eps**2), self._bands(-eps, curvature / eps)
            matrix = duration / eps * product(left, right)
            matrix[2] += 1 + duration / eps * 6 * u * mu / eps**2
            step = solve_banded((2, 2), matrix, residual)
            u -= step
            if np.abs(step).max() < 1e-11:
                break
        self.field = u

    def surface(self) -> tuple[float, float]:
        """Integrals along the radius of the density of u in the second bracket of eq. (1): over 1/r, and times r."""
        eps, u = self.model.width, self.field
        slope = 0.5 * eps * (np.diff(u) / self.h) ** 2
        well = 0.25 * (1 - u * u) ** 2 / eps
        between = np.arange(1, u.size) * self.h
        return (
            self.h * float((slope / between).sum() + (well / self.place).sum()),
            self.h * float((slope * between).sum() + (well * self.place).sum()),
        )

    def _separate(self, duration: float) -> None:
        """Implicit Euler of dv/dt = MOBILE (v''/R^2 - W'(v)/delta^2) along the circle. Its edges stay put."""
        inverse, direct = self.surface()
        spread = inverse / direct * (HALF / np.pi) ** 2
        duration *= MOBILE
        old, delta = self.phase, self.model.edge
        v, off = old.copy(), np.full(old.size, -duration * spread)
        for _ in range(NEWTON):
            beside = np.append(v[1:], 0.0) + np.append(0.0, v[:-1]) - 2 * v
            residual = v - old - duration * (spread * beside - (v**3 - v) / delta**2)
            middle = 1 + duration * (2 * spread + (3 * v * v - 1) / delta**2)
            step = solve_banded((1, 1), np.stack([off, middle, off]), residual)
            v -= step
            if np.abs(step).max() < 1e-12:
                break
        self.phase = v

    def line_energy(self) -> float:
        """The second part of eq. (1) over sigma_l, of both edges."""
        inverse, direct = self.surface()
        v, delta, piece = np.concatenate([[0.0], self.phase, [0.0]]), self.model.edge, np.pi / HALF
        gradient = float((np.diff(v) ** 2).sum()) / piece
        well = 0.25 * piece * (float(((1 - self.phase**2) ** 2).sum()) + 1)  # both ends by halves
        return 2 * (0.5 * delta * inverse * gradient + direct * well / delta)

    @property
    def radius(self) -> float:
        """Where u is zero; NaN if it is nowhere."""
        u = self.field
        last = np.flatnonzero(u > 0)
        if not last.size or last[-1] + 1 >= u.size:
            return math.nan
        k = last[-1]
        return float(self.place[k] + self.h * u[k] / (u[k] - u[k + 1]))

    def integral(self, density: Array) -> float:
        return float(2 * np.pi * self.h * (density * self.place).sum())

    # -- a domain: angles of its contour ------------------------------------------------------------------------------

    def contour(self, angle: Array) -> tuple[Array, Array, Array]:
        """Length S of contours of area pi (L = 1), radii in the middles of their segments, and radii of their rims.
        angle: shape (..., n).
        """
        ends = np.cumsum(np.cos(angle), axis=-1) * self.h
        middle = ends - 0.5 * self.h * np.cos(angle)
        length = np.sqrt(0.5 / np.maximum((middle * self.h).sum(axis=-1), 1e-9))
        return length, middle, ends[..., -1] * length

    def energy(self, angle: Array) -> Array:
        """E/(2 pi kappa) of contours. Around the pole a contour is round; at the rim its curvature ends by itself."""
        m = self.model
        length, middle, rim = self.contour(angle)
        bend = np.diff(angle, axis=-1) / self.h
        halves = 0.5 * (middle[..., 1:] + middle[..., :-1])
        across = np.sin(0.5 * (angle[..., 1:] + angle[..., :-1])) / np.maximum(halves, 1e-9)
        preferred = 2 * m.spontaneous_curvature * length[..., None]
        outside = (0.5 * (bend + across - preferred) ** 2 * halves).sum(axis=-1) * self.h
        pole = (4 * angle[..., 0] / self.h - preferred[..., 0]) ** 2 * self.h**2 / 16
        return np.asarray(outside + pole + m.line_tension * rim)

    def _bend(self, duration: float) -> None:
        """Langevin dynamics of the angles; a segment weighs as much as its ring of the flat domain."""
        m, n = self.model, self.angle.size
        weight = (np.arange(n) + 0.5) * self.h**2
        steps = math.ceil(duration / (0.2 * self.h**2))
        dt, shift = duration / steps, 1e-6
        shifts = shift * np.eye(n)
        for _ in range(steps):
            if self.closed:
                return
            slope = (self.energy(self.angle + shifts) - self.energy(self.angle - shifts)) / (2 * shift)
            kick = np.sqrt(2 * m.noise * dt / weight) * self.rng.standard_normal(n) if m.noise > 0 else 0.0
            self.angle = self.angle - dt * slope / weight + kick
            self.closed = bool(self.contour(self.angle)[2] < CLOSED)

    # -- what is seen ------------------------------------------------------------------------------------------------

    @property
    def finished(self) -> bool:
        """A bud has closed, or a circle has vanished or grown out of the picture."""
        return self.closed if self.is_bud else not 0.15 < self.radius < 0.85 * OUTER

    def observe(self) -> dict[str, float]:
        if self.is_bud:
            rim = float(self.contour(self.angle)[2])
            return {
                "depth": 2 * math.sqrt(max(1 - rim * rim, 0.0)), "free_energy": float(self.energy(self.angle)),
                "rim": rim,
                **dict.fromkeys(("radius", "bending_ratio", "line_ratio", "length_ratio", "width", "edge"), math.nan),
            }  # fmt: skip
        m, radius = self.model, self.radius
        bending = self.integral(self.force(self.field) ** 2) / (2 * m.width)
        return {
            "depth": math.nan, "free_energy": math.nan, "rim": math.nan, "radius": radius,
            "bending_ratio": bending * radius / (np.pi * SURFACE),
            "line_ratio": self.line_energy() / (2 * SURFACE**2),
            "length_ratio": self.surface()[1] / (radius * SURFACE),
            "width": m.width / radius, "edge": m.edge / radius,  # of the circle as it is now
        }  # fmt: skip

    def profiles(self) -> dict[str, core.Measured]:
        if self.is_bud:
            return {}
        distance = (self.radius - self.place) / self.model.width
        near = np.flatnonzero(np.abs(distance) < 6)[::-1]
        return {"profile": core.Measured(distance[near], self.field[near])} if near.size else {}

    def picture(self) -> core.Chart | core.Field:
        return self._contour() if self.is_bud else self._disc()

    def _contour(self) -> core.Chart:
        length, _, _ = self.contour(self.angle)
        r = np.append(0.0, np.cumsum(np.cos(self.angle)) * self.h * length)
        z = np.append(0.0, np.cumsum(-np.sin(self.angle)) * self.h * length)
        series = [core.Series("domain", np.append(-r[::-1], r), np.append(z[::-1], z) - z[-1])]
        rest = np.array([r[-1], 2.2])
        for side in (-1, 1):
            series.append(core.Series("rest of the membrane", side * rest, np.zeros(2)))
        depth = self.model.shallow_depth
        if 0 < depth <= 2:
            opening = np.linspace(-1, 1, 61) * 2 * math.asin(depth / 2)
            x, y = np.sin(opening) * 2 / depth, np.cos(opening) * 2 / depth
            series.append(core.Series("shallow cap of theory", x / 2, (y - y[0]) / 2))
        return core.Chart(
            tuple(series), core.Axis("r/L", low=-1.6, high=1.6), core.Axis("z/L", low=-0.4, high=1.4), equal=True,
            caption="a cut through the domain",
        )  # fmt: skip

    def _disc(self) -> core.Field:
        """(1 - u^2) v: where the membrane is, and which of two phases it is in."""
        side = np.linspace(-OUTER, OUTER, 141)
        x, y = np.meshgrid(side, side)
        r, angle = np.hypot(x, y), np.arctan2(y, x)
        u = np.interp(r, self.place, self.field)
        ends = np.linspace(0.0, np.pi, HALF + 1)
        v = np.sign(angle) * np.interp(np.abs(angle), ends, np.concatenate([[0.0], self.phase, [0.0]]))
        return core.Field(
            (1 - u * u) * v, (-OUTER, OUTER, -OUTER, OUTER), core.Axis("x/R"), core.Axis("y/R"), -1.0, 1.0, signed=True,
            caption="(1 - u²) v: where the membrane is, in the colours of its two phases", equal=True,
        )  # fmt: skip


def product(left: Array, right: Array) -> Array:
    """Five bands of the product of two matrices of three bands; bands are stored as `solve_banded` wants them."""
    n = left.shape[1]
    found = np.zeros((5, n))
    for i, a in enumerate((1, 0, -1)):  # left[i, k] stands at row k - a
        for j, b in enumerate((1, 0, -1)):
            columns = np.arange(max(0, b), min(n, n + b))
            rows = columns - b
            rows, columns = rows[(rows - a >= 0) & (rows - a < n)], columns[(rows - a >= 0) & (rows - a < n)]
            found[2 - a - b, columns] += left[i, rows] * right[j, columns]
    return found
