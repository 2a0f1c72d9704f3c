"""The oscillators themselves, and what is seen of them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.families import oscillators
from mfexplore.families.synchronization import frequencies
from mfexplore.numerics.chance.random import new_stream

if TYPE_CHECKING:
    from mfexplore.models.collective.kuramoto import Kuramoto  # noqa: F401  (the type of the model)

FASTEST = 6.0  # natural frequency up to which functions of it are drawn


class KuramotoSimulation(core.Simulation["Kuramoto"]):
    """Eq. (1) for N oscillators by Heun's method."""

    time_unit = "time units"
    step, relaxation, window = 0.2, 60.0, 60.0
    shown = 1000  # oscillators in a picture

    def prepare(self) -> None:
        m = self.model
        if m.frequencies != "bimodal":  # there the coherence may oscillate for ever; else it grows or decays by ratios
            self.recording = "log"
        level = (np.arange(m.size) + 0.5) / m.size if m.sampling == "quantile" else self.rng.random(m.size)
        self.standard, self.side = frequencies(m.kind, level)
        self.state = oscillators.start(m.start, np.empty(m.size), self.rng)
        self.stream = new_stream(self.rng)
        self.by_pace = np.argsort(self.standard + 1e12 * self.side, kind="stable")
        self.raster = oscillators.Raster(rows=len(self.by_pace[:: self.stride(120)]), columns=240)
        self.retune()

    def stride(self, most: int) -> int:
        return -(-self.model.size // most)

    def retune(self) -> None:
        m = self.model
        self.state.omega[:] = m.disorder * self.standard + m.separation * self.side
        self.longest = min(0.05, 0.1 / m.coupling) if m.coupling > 0 else 0.05  # step of integration
        self.fastest = 0.5 / self.longest  # frequency up to which it resolves how the mean field drags
        self.averages = oscillators.FrequencyAverages(self.state.omega, FASTEST)

    def evolve(self, duration: float) -> None:
        m = self.model
        steps = math.ceil(duration / self.longest - 1e-9)
        oscillators.heun_globally(self.state, m.coupling, m.temperature, duration / steps, steps, self.stream)
        oscillators.wrap(self.state.theta)
        self.raster.add(self.time + duration, self.state.theta[self.by_pace[:: self.stride(120)]])
        self.averages.add(self.state, m.coupling)

    def profiles(self) -> dict[str, core.Measured]:
        coherence, pace = self.averages.measured()
        return {"coherence_profile": coherence, "effective_frequency": pace}

    def mean_field(self) -> complex:
        """The complex order parameter."""
        return complex(self.state.cosine.mean(), self.state.sine.mean())

    def observe(self) -> dict[str, float]:
        omega, sine, cosine = self.state.omega, self.state.sine, self.state.cosine
        mean, pace = self.mean_field(), np.abs(omega)
        field = self.model.coupling * abs(mean)
        torque = self.model.coupling * (mean.real * sine - mean.imag * cosine)
        # What turns too fast for the steps is dragged as the mean field does on average: w <sin> = Kr/2.
        saved = float(np.mean(np.where(pace <= self.fastest, omega * torque, 0.5 * field * field)))
        return {"coherence": abs(mean), "locked_fraction": float(np.mean(pace <= field)), "power_saved": saved}

    def picture(self) -> core.Phases:
        stride = self.stride(self.shown)
        limit = 3 * self.model.disorder + self.model.separation
        speed = np.clip(self.state.omega[::stride], -limit, limit)
        caption = "phases, coloured by natural frequency" + (f"; every {stride}th of them" if stride > 1 else "")
        return core.Phases(self.state.theta[::stride].copy(), self.mean_field(), speed, caption)

    def pictures(self) -> core.Album:
        return core.Album({"circle": self.picture, "locking": self._locking, "phases in time": self._in_time})

    def _locking(self) -> core.Chart:
        """The angle to the mean phase against the natural frequency: the locked ones lie on the line."""
        stride, mean = self.stride(self.shown), self.mean_field()
        omega = self.state.omega[::stride]
        angle = (self.state.theta[::stride] - np.angle(mean) + np.pi) % (2 * np.pi) - np.pi
        near = np.abs(omega) <= FASTEST
        held = np.linspace(-1, 1, 101)
        return core.Chart(
            (core.Series("oscillators", omega[near], angle[near], "points"),
             core.Series("held by the mean field", self.model.coupling * abs(mean) * held, np.arcsin(held))),
            core.Axis("natural frequency", low=-FASTEST, high=FASTEST),
            core.Axis("angle to the mean phase", low=-math.pi, high=math.pi),
        )  # fmt: skip

    def _in_time(self) -> core.Field:
        axis = core.Axis("share of oscillators that are slower", low=0.0, high=1.0)
        return self.raster.picture(axis, "phases in time: those in step have one colour, those that slip have stripes")
