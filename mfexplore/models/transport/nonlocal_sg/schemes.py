"""Two populations on a ring, as densities in cells by one of three schemes, or as particles."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.fokker_planck import bernoulli, implicit_step
from mfexplore.models.transport.nonlocal_sg.patterns import MODES, transform
from mfexplore.numerics.solving.anderson import fixed_points

if TYPE_CHECKING:
    from mfexplore.models.transport.nonlocal_sg import NonlocalSG  # noqa: F401

# beta of eq. (4): the part of the diffusive hops that go against a step s of the potential over the noise
FLUXES: dict[str, Callable[[Array], Array]] = {
    "scharfetter_gummel": bernoulli,
    "upwind": lambda s: 1.0 + np.maximum(-s, 0.0),
    "centred": lambda s: 1.0 - 0.5 * s,
}
FRAME = 0.002  # time between two points of a trace, at least
PICARD, SOLVED, LOST = 200, 1e-10, 1e-3  # iterations of an implicit step; changes that end them, and that are too large
LONGEST = 0.00025  # time step of particles
KEPT = 240  # moments of the history
ROUGH = 6  # waves of the rough potential


class Ring(core.Simulation["NonlocalSG"]):
    """Densities of shape (2, cells), or positions of shape (2, particles) whose histogram is the density."""

    time_unit = "time"
    relaxation, window = 1.0, 0.2

    def prepare(self) -> None:
        m = self.model
        self.place = (np.arange(m.cells) + 0.5) / m.cells
        cell = np.arange(m.cells)
        self.after, self.behind = (cell + 1) % m.cells, cell - 1
        angle = 2 * np.pi * np.outer(np.arange(1, ROUGH + 1), self.place)
        amplitudes = self.rng.normal(size=(2, ROUGH)) / np.sqrt(ROUGH)
        self.rough = amplitudes[0] @ np.cos(angle) + amplitudes[1] @ np.sin(angle)
        self.density: Array = np.ones((2, m.cells))
        if m.start == "blocks":
            left = self.place < 0.5
            self.density = np.stack([2.0 * left, 2.0 * ~left])
        elif m.scheme != "particles":
            waves = self.rng.normal(size=(2, 2, MODES.size)) * 0.01
            angle = 2 * np.pi * np.outer(MODES, self.place)
            self.density += waves[0] @ np.cos(angle) + waves[1] @ np.sin(angle)
        if m.scheme == "particles":
            cell = np.stack([self.rng.choice(m.cells, m.particles, p=u / u.sum()) for u in self.density])
            self.position = (cell + self.rng.random(cell.shape)) / m.cells
            self.kicks = self.rng.standard_normal(self.position.shape)
            self._gather()
        self.before: Array | None = None
        self.iterations, self.failed = 0, False
        self.history = [self.density.copy()]
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.step = m.time_step * max(1, round(FRAME / m.time_step))
        mode = np.arange(m.cells // 2 + 1)
        self.kernel = transform(m.kernel, np.full(mode.size, m.reach), mode)
        if m.kernel == "top_hat":
            self.kernel[0] = 1.0

    def potential(self, density: Array) -> Array:
        """p_1 and p_2 in the cells."""
        seen = np.fft.irfft(np.fft.rfft(density, axis=1) * self.kernel, self.model.cells, axis=1)
        return np.asarray(self.model.interactions @ seen + self.model.roughness * self.rough)

    def evolve(self, duration: float) -> float | None:
        m = self.model
        for _ in range(round(duration / m.time_step)):
            if m.scheme == "particles":
                self._move(m.time_step)
            else:
                self._flow(m.time_step)
            if self.failed:
                break
        self.history.append(self.density.copy())
        self.history = self.history[-KEPT:]
        return None

    @property
    def finished(self) -> bool:
        """Whether no solution of the next step was found."""
        return self.failed

    def _flow(self, duration: float) -> None:
        """One implicit Euler step, its rates those at its end: a fixed point of steps with rates that are given."""
        old = self.density

        def step(guess: Array, rows: Array) -> Array:
            return np.stack([self._implicit(old, one.reshape(old.shape), duration).ravel() for one in guess])

        forecast = np.maximum(2 * old - self.before, 0.0) if self.before is not None else old
        found, residual, taken = fixed_points(step, forecast.reshape(1, -1), SOLVED, steps=PICARD)
        self.before, self.iterations = old, int(taken[0])
        if not residual[0] < LOST:
            self.failed = True
            return
        self.density = self._implicit(old, found.reshape(old.shape), duration)

    def _implicit(self, old: Array, guess: Array, duration: float) -> Array:
        """An implicit step from `old` with the potentials of `guess`: positive and of the same mass for any guess."""
        m, p = self.model, self.potential(guess)
        steps = (p[:, self.after] - p) / m.noise
        flux, rate = FLUXES[m.scheme], m.noise * m.cells**2
        up, down = rate * flux(steps), rate * flux(-steps)[:, self.behind]
        return np.stack([implicit_step(*one, duration, ring=True) for one in zip(old, up, down, strict=True)])

    def _move(self, duration: float) -> None:
        """With the mean of two successive noises, so that the stationary law is exact to second order in the step
        (Leimkuhler and Matthews 2013).
        """
        m = self.model
        steps = max(1, round(duration / LONGEST))
        wave = 2j * np.pi * np.arange(m.cells // 2 + 1)
        for _ in range(steps):
            p = self.potential(self.density)
            force = -np.fft.irfft(np.fft.rfft(p, axis=1) * wave, m.cells, axis=1)
            last, self.kicks = self.kicks, self.rng.standard_normal(self.position.shape)
            kick = np.sqrt(0.5 * m.noise * duration / steps) * (last + self.kicks)
            cell = np.minimum((self.position * m.cells).astype(np.intp), m.cells - 1)
            self.position += np.take_along_axis(force, cell, axis=1) * duration / steps + kick
            self.position -= np.floor(self.position)
            self._gather()

    def _gather(self) -> None:
        m = self.model
        cell = np.minimum((self.position * m.cells).astype(np.intp), m.cells - 1)
        self.density = np.stack([np.bincount(c, minlength=m.cells) for c in cell]) * (m.cells / m.particles)

    def observe(self) -> dict[str, float]:
        m, u = self.model, self.density
        harmonics = np.abs(np.fft.rfft(u[0]))[1:] / m.cells
        found = {
            "amplitude": float(harmonics.max()),
            "overlap": overlap(u),
            "min_density": float(u.min()),
            "mass_error": float(np.abs(u.mean(axis=1) - 1).max()),
        }
        if m.response == "mutual":
            found["free_energy"] = self.free_energy()
        return found

    def free_energy(self) -> float:
        """Eq. (3) of the cells; NaN where a density is negative."""
        m, u = self.model, self.density
        if u.min() < 0:
            return float("nan")
        entropy = (u * np.log(np.maximum(u, 1e-300))).sum()
        external = m.roughness * self.rough
        return float((m.noise * entropy + 0.5 * (u * (self.potential(u) + external)).sum()) / m.cells)

    def profiles(self) -> dict[str, core.Measured]:
        """The densities, turned so that the fastest mode has its peak where theory has it."""
        mode = self.model.fastest_mode
        wave = np.fft.rfft(self.density[0])[mode]
        shift = np.angle(wave) / (2 * np.pi * mode) if abs(wave) > 1e-9 else 0.0
        place = (self.place + shift) % 1.0
        order = np.argsort(place)
        first, second = (core.Measured(place[order], u[order]) for u in self.density)
        return {"first_density": first, "second_density": second}

    def picture(self) -> core.Density:
        caption = f"{self.model.cells} cells" if self.model.scheme != "particles" else "histogram of the particles"
        curves = (("first", self.density[0].copy()), ("second", self.density[1].copy()))
        return core.Density(self.place, curves, "place x", "density u", caption)

    def pictures(self) -> core.Album:
        return core.Album({"densities": self.picture, "history": self._history})

    def _history(self) -> core.Field:
        rows = np.array([u[0] - u[1] for u in self.history])
        reach = float(max(1e-6, np.abs(rows).max()))
        span = len(rows) * self.step
        return core.Field(
            rows, (0.0, 1.0, max(0.0, self.time - span), max(self.time, self.step)), core.Axis("place x"),
            core.Axis("time"), -reach, reach, signed=True, caption="first less second density",
        )  # fmt: skip


def overlap(density: Array) -> float:
    """Correlation of the two densities over the ring; 0 where one of them is even."""
    first, second = density - density.mean(axis=1, keepdims=True)
    size = np.sqrt((first**2).sum() * (second**2).sum())
    return float((first * second).sum() / size) if size > 1e-12 else 0.0
