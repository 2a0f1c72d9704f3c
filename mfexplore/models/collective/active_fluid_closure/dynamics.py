"""Rods in a steady flow, one by one; and a box of active fluid, by kinetics and by a closure from the same start."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.collective.active_fluid_closure.theory import (
    BINGHAM,
    KINETIC,
    QUADRATIC,
    quick_bingham,
    turning,
)

if TYPE_CHECKING:
    from mfexplore.models.collective.active_fluid_closure import ActiveFluidClosure

HARMONICS = 6  # of the angle, in a box
START = 1e-4  # order at the start, in waves of random phase
SMALL = 0.001  # order up to which a box grows as linear theory says
ANGLES = np.linspace(-90, 90, 37)  # degrees, edges of bins


class Box:
    """Harmonics of the angle on a periodic square of side 2 pi; c <exp(2 i n theta)>, n = 1 to its number.

    Fourier modes in space; diffusion and rotation are exact, the rest by the classical method of
    Runge and Kutta in between.
    """

    def __init__(self, model: ActiveFluidClosure, closure: int, first: Array) -> None:
        n = first.shape[0]
        self.closure, self.model = closure, model
        k = np.fft.fftfreq(n, 1 / n)
        self.kx, self.ky = k[None, :], k[:, None]
        self.square = self.kx**2 + self.ky**2
        self.inverse = np.divide(1, self.square, out=np.zeros_like(self.square), where=self.square > 0)
        self.kept = (np.abs(self.kx) < n / 3) & (np.abs(self.ky) < n / 3)  # what products do not spoil
        count = HARMONICS if closure == KINETIC else 1
        self.number = np.arange(1, count + 1)[:, None, None]
        self.waves = np.zeros((count, n, n), complex)
        self.waves[0] = np.fft.fft2(first) * self.kept
        self.flow()

    def flow(self) -> tuple[Array, Array, Array, Array]:
        """(u, v, complex rate of strain, vorticity) that the active stress drives, without inertia."""
        z = np.fft.ifft2(self.waves[0])
        a, b = np.fft.fft2(z.real), np.fft.fft2(z.imag)
        stress = -self.model.activity / 2
        force_x, force_y = 1j * stress * (self.kx * a + self.ky * b), 1j * stress * (self.kx * b - self.ky * a)
        along = (self.kx * force_x + self.ky * force_y) * self.inverse
        u, v = (force_x - self.kx * along) * self.inverse, (force_y - self.ky * along) * self.inverse
        speeds = np.fft.ifft2(u + 1j * v)
        strain = np.fft.ifft2(1j * self.kx * u - 0.5 * (self.ky * u + self.kx * v))  # du/dx + i (du/dy + dv/dx) / 2
        vorticity = np.fft.ifft2(1j * (self.kx * v - self.ky * u)).real
        self.z, self.u, self.v, self.vorticity = z, speeds.real, speeds.imag, vorticity
        return speeds.real, speeds.imag, strain, vorticity

    def _change(self) -> Array:
        """All but diffusion of place and angle."""
        u, v, strain, vorticity = self.flow()
        strain = strain + self.model.alignment * self.z
        psi = np.fft.ifft2(self.waves, axes=(1, 2))
        if self.closure == KINETIC:
            below = np.concatenate([np.ones((1, *self.z.shape)), psi[:-1]])
            above = np.concatenate([psi[1:], np.zeros((1, *self.z.shape))])
            turned = self.number * (1j * vorticity * psi + strain * below - np.conj(strain) * above)
        else:
            given = quick_bingham if self.closure == BINGHAM else None
            turned = 1j * vorticity * psi + turning(psi, strain, self.closure, given)
        slope_x = np.fft.ifft2(1j * self.kx * self.waves, axes=(1, 2))
        slope_y = np.fft.ifft2(1j * self.ky * self.waves, axes=(1, 2))
        return np.asarray(np.fft.fft2(turned - u * slope_x - v * slope_y, axes=(1, 2)) * self.kept)

    def advance(self, dt: float) -> None:
        half = np.exp(-dt / 2 * (4 * self.number**2 + self.model.diffusion * self.square))
        before, first = self.waves, self._change()
        self.waves = half * (before + dt / 2 * first)
        second = self._change()
        self.waves = half * before + dt / 2 * second
        third = self._change()
        self.waves = half * (half * before + dt * third)
        between = half * (half * before + dt / 6 * (half * first + 2 * (second + third)))
        self.waves = between + dt / 6 * self._change()
        size = np.abs(np.fft.ifft2(self.waves[0]))
        if size.max() > 0.999:  # more order than rods can have: some closures know no bound
            z = np.fft.ifft2(self.waves[0])
            self.waves[0] = np.fft.fft2(z * np.minimum(1, 0.999 / np.maximum(size, 1e-9))) * self.kept

    def follow(self, duration: float) -> None:
        """Advance by as many steps as turning, the flow that carries order, and the growth of it ask for."""
        m, strain = self.model, np.abs(self.flow()[2]).max()
        turned = (1 + float(strain) + m.alignment) * (HARMONICS if self.closure == KINETIC else 2)
        carried = float((np.abs(self.u) + np.abs(self.v)).max()) * m.cells / 3  # the waves that products do not spoil
        drive = (m.activity / 4 + m.alignment) * (2 if self.closure == QUADRATIC else 1)
        pieces = math.ceil(duration * max(turned, carried, drive / 0.3, 20.0))
        for _ in range(pieces):
            self.advance(duration / pieces)
        self.flow()

    def size(self) -> float:
        """Root of the mean square of the order."""
        return math.sqrt(float(np.mean(np.abs(self.z) ** 2)))

    def slowest(self) -> float:
        """Power of the flow in the longest waves that fit."""
        stream = np.fft.fft2(self.u + 1j * self.v)
        return float((np.abs(stream[self.square == 1]) ** 2).sum())

    def energy(self) -> Array:
        """Kinetic energy by wave number, 1 to a third of the grid."""
        n = self.z.shape[0]
        power = np.abs(np.fft.fft2(self.u + 1j * self.v)) ** 2 / (2 * n**4)
        ring = np.rint(np.sqrt(self.square)).astype(int)
        return np.bincount(ring.ravel(), power.ravel())[1 : n // 3 + 1]


class RodsSimulation(core.Simulation["ActiveFluidClosure"]):
    """N rods that flow turns and noise shakes; or a box, twice: by kinetics, and by a closure beside it."""

    time_unit, step = "1/D_R", 0.05
    relaxation, window = 4.0, 4.0

    def prepare(self) -> None:
        m = self.model
        if m.flow == "shear":
            self.angles = math.pi * self.rng.random(m.size)
        else:
            n = m.cells
            self.step = 0.025 / max(1, round((n / 32) ** 2))  # a finer grid takes longer, and more pieces of it
            waves = np.fft.fft2(self.rng.normal(size=(n, n)) + 1j * self.rng.normal(size=(n, n)))
            k = np.fft.fftfreq(n, 1 / n)
            waves[(k[None, :] ** 2 + k[:, None] ** 2 > 20) | (k[None, :] ** 2 + k[:, None] ** 2 == 0)] = 0
            first = np.fft.ifft2(waves)
            first *= START / math.sqrt(float(np.mean(np.abs(first) ** 2)))
            self.kinetic, self.closed = Box(m, KINETIC, first), Box(m, m.closed_by, first)
        self.retune()

    def retune(self) -> None:
        """The law of angles and the growth are those of one setting of the controls."""
        self.since, self.seen = self.time, np.zeros(ANGLES.size - 1)
        self.growth = [math.nan, math.nan]

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.flow == "shear":
            self._turn(duration)
            return
        for k, box in enumerate((self.kinetic, self.closed)):
            box.model = m
            before = box.slowest()
            box.follow(duration)
            if self.since + 2 * self.step < self.time and box.size() < SMALL and before > 0:
                self.growth[k] = 0.5 * math.log(box.slowest() / before) / duration

    def _turn(self, duration: float) -> None:
        """Heun's method: the noise does not depend on the angle."""
        m = self.model
        pieces = math.ceil(duration / min(0.01, 0.1 / m.shear))
        dt = duration / pieces

        def rate(angles: Array) -> Array:
            return np.asarray(-m.shear / 2 * (m.rotation - np.cos(2 * angles)))

        for _ in range(pieces):
            shaken = math.sqrt(2 * dt) * self.rng.normal(size=m.size)
            first = rate(self.angles)
            self.angles = self.angles + dt / 2 * (first + rate(self.angles + dt * first + shaken)) + shaken
        self.angles %= math.pi
        if self.time > self.since + 2:
            degrees = (np.degrees(self.angles) + 90) % 180 - 90
            self.seen += np.histogram(degrees, ANGLES)[0]

    def observe(self) -> dict[str, float]:
        m = self.model
        names = ("order", "along_flow", "along_stretch", "speed", "closure_speed", "local_order", "closure_order")
        seen = dict.fromkeys((*names, "growth_rate", "closure_growth_rate"), math.nan)
        if m.flow == "shear":
            z = np.exp(2j * self.angles).mean()
            return seen | {"order": abs(z), "along_flow": float(z.real), "along_stretch": float(z.imag)}
        for box, order, speed in (
            (self.kinetic, "local_order", "speed"), (self.closed, "closure_order", "closure_speed")
        ):  # fmt: skip
            seen[order] = float(np.abs(box.z).mean())
            seen[speed] = math.sqrt(float(np.mean(box.u**2 + box.v**2)))
        return seen | {"growth_rate": self.growth[0], "closure_growth_rate": self.growth[1]}

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.flow != "shear" or not self.seen.sum():
            return {}
        width = math.radians(ANGLES[1] - ANGLES[0])
        density = self.seen / (self.seen.sum() * width)
        alone = density * self.model.size * width  # rods of one moment in a bin: later ones are not independent
        return {"orientation": core.Measured((ANGLES[1:] + ANGLES[:-1]) / 2, density, density / np.sqrt(alone + 1))}

    def pictures(self) -> core.Album:
        if self.model.flow == "shear":
            return core.Album({"state": self._rods})
        return core.Album({
            "state": self.picture, "closure beside it": lambda: self._vortices(False), "energy": self._energy,
        })  # fmt: skip

    def picture(self) -> core.Picture:
        return self._rods() if self.model.flow == "shear" else self._vortices(True)

    def _rods(self) -> core.Field:
        """Some rods, at places that mean nothing; colour: their angle."""
        side = 20
        angles = np.resize(self.angles[: side * side], side * side).reshape(side, side)
        x, y = (one.ravel() + 0.5 for one in np.meshgrid(np.arange(side), np.arange(side)))
        some = angles.ravel()
        arrows = core.Arrows(x, y, 0.8 * np.cos(some), 0.8 * np.sin(some), headless=True)
        return core.Field(
            np.degrees(angles), (0.0, side, 0.0, side), core.Axis("flow"), core.Axis("shear"), 0.0, 180.0, cyclic=True,
            caption="400 rods and their angles in degrees (places mean nothing)", arrows=arrows, equal=True,
        )  # fmt: skip

    def _vortices(self, by_kinetics: bool) -> core.Field:
        m = self.model
        box = self.kinetic if by_kinetics else self.closed
        n = m.cells
        size = max(float(np.abs(self.kinetic.vorticity).max()), 1e-9)
        skip = max(1, n // 16)
        place = (np.arange(0, n, skip) + 0.5) * 2 * math.pi / n
        x, y = (one.ravel() for one in np.meshgrid(place, place))
        z = box.z[::skip, ::skip].ravel()
        long = 0.9 * skip * 2 * math.pi / n * np.abs(z) / max(float(np.abs(z).max()), 1e-9)
        arrows = core.Arrows(x, y, long * np.cos(np.angle(z) / 2), long * np.sin(np.angle(z) / 2), headless=True)
        return core.Field(
            box.vorticity, (0.0, 2 * math.pi, 0.0, 2 * math.pi), core.Axis("x"), core.Axis("y"), -size, size,
            signed=True, arrows=arrows,
            caption=f"vorticity and mean direction, by {'kinetics' if by_kinetics else 'the closure'}", equal=True,
        )  # fmt: skip

    def _energy(self) -> core.Chart:
        found = [(name, box.energy()) for name, box in (("kinetics", self.kinetic), ("closure", self.closed))]
        k = np.arange(1, found[0][1].size + 1)
        series = tuple(core.Series(name, k, np.maximum(energy, 1e-14), "points") for name, energy in found)
        return core.Chart(series, core.Axis("wave number", "log"), core.Axis("energy of the flow", "log"))
