"""# Toy

It says everything that a page can show, and computes next to nothing: for tests of what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points

DRESSED = {"kind": ("dressed",)}
LAG = np.linspace(0, 4, 41)


class ToySimulation(core.Simulation["Toy"]):
    """A number that doubles."""

    recording = "log"

    def prepare(self) -> None:
        self.level = 1e-3

    def evolve(self, duration: float) -> None:
        self.level = min(1.0, self.level * 2)

    def observe(self) -> dict[str, float]:
        return {"level": self.level, "noise": 0.5 * self.level}

    def picture(self) -> core.Picture:
        return core.Particles(np.arange(3.0), np.zeros(3), (0, 3, 0, 3))

    def pictures(self) -> dict[str, core.Picture]:
        return {"state": self.picture(), "eigenvalues": core.Spectrum(np.arange(3.0))}

    def profiles(self) -> dict[str, core.Measured]:
        decay = np.exp(-LAG[::4] / self.model.rate)
        return {
            "decay": core.Measured(LAG[::4], decay, 0.01 + 0 * decay),
            "response": core.Measured(LAG[::4], 1 - decay),
            "shape": core.Measured(np.arange(4.0), np.full(4, 0.25)),
        }

    def samples(self, observable: str | None = None) -> Array:
        return np.arange(6.0) if observable == "count" else np.geomspace(1, 100, 50)


@dataclass(frozen=True)
class Toy(core.Model):
    rate: float = core.control(1.0, 0.1, 10.0, symbol="r", role="rate", doc="how fast", scale="log")
    spread: float = core.control(0.5, 0.0, 1.0, symbol="s", role="disorder", doc="how wide")
    kind: str = core.choice("plain", ("plain", "dressed"), doc="which")
    dressing: float = core.control(0.5, 0.0, 1.0, symbol="d", role="coupling", doc="how much", only=DRESSED)
    size: int = core.control(10, 1, 100, symbol="N", role="size", part="simulation", doc="how many")

    title = "Toy"
    summary = "Nothing happens."
    sources = (core.Source("Nobody"),)
    observables = (
        core.Observable("level", "x", "what doubles", low=1e-4, high=1, scale="log"),
        core.Observable("noise", r"\xi", "half of it"),
        core.Observable("dress", "d", "of the dressed", only=DRESSED),
        core.Observable("decay", "C", "memory", low=0, high=1, over="lag"),
        core.Observable("response", "R", "answer", over="lag", against="decay"),
        core.Observable("shape", "p", "shares", low=0, over="order"),
        core.Observable("power", "S", "as a power", over="lag", scale="log", only=DRESSED),
    )
    coordinates = (
        core.Coordinate("lag", r"\tau", "time between", unit="days"),
        core.Coordinate("order", "k", "which", discrete=True),
    )
    methods = (
        core.Method("theory", "of the plain", describes={"kind": ("plain",)}),
        core.Method("rival", "of the dressed", describes=DRESSED),
        core.Method("ceiling", "never above", bound={"level": "upper"}),
    )
    branches = (core.Branch("calm", "at rest"), core.Branch("wild", "never at rest", only=DRESSED))
    phases = (core.Phase("calm", "At rest."), core.Phase("wild", "Never at rest."))
    landmarks = (
        core.Landmark("edge", "r_c", "calm meets wild", of="rate"),
        core.Landmark("hem", "r_h", "dressed meets plain", of="rate", only=DRESSED),
    )
    planes = (
        core.Plane("spread", "rate", "level", y_range=(0.1, 5.0)),
        core.Plane("dressing", "rate", "dress", only=DRESSED),
    )
    presets = (
        core.Preset("plain", {"rate": 2.0}, "Nothing."),
        core.Preset(
            "dressed", {"kind": "dressed", "rate": 3.0}, "Nothing, dressed.",
            view=core.View(
                ("dressing", "rate"), "dress", "rate", "wild", "rival", "noise", "eigenvalues", "response"
            ),
        ),
        core.Preset("fast", {"rate": 9.0}, "Outside of the plane.", view=core.View(series="noise")),
    )  # fmt: skip
    simulation = ToySimulation

    def solve(self, points: Points) -> core.Solution:
        level = np.repeat((points["rate"] / 10)[:, None], 2, axis=1)
        level[:, 1] = level[:, 1] / 2 if self.kind == "dressed" else np.nan
        found = np.stack([level, 0.5 * level, 2 * level], axis=1)
        values = {"level": found, "noise": found / 2}
        values |= {"dress": found} if self.kind == "dressed" else {}
        return core.Solution(values, 0 * found)

    def select(self, points: Points, solution: core.Solution) -> Array:
        return np.zeros((len(points["rate"]), 3), int)

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        return {"calm": points["rate"] > 0}

    def boundary(self, name: str, points: Points) -> Array:
        return 1.0 + points["spread"]

    def profiles(self) -> dict[str, core.Profile]:
        decay = np.exp(-LAG / self.rate)
        of = lambda one: np.array([[one, one], [one, one], [one, one]])  # noqa: E731 (methods and branches)
        found = {
            "decay": core.Profile(LAG, of(decay)),
            "response": core.Profile(LAG, of(1 - decay)),
            "shape": core.Profile(np.arange(4), of(np.array([0.4, 0.3, 0.2, 0.1]))),
        }
        return found | ({"power": core.Profile(LAG, of(10.0**-LAG))} if self.kind == "dressed" else {})

    def landscape(self) -> core.Landscape:
        x = np.linspace(0, 1, 21)
        return core.Landscape("noise", x, x**2, title="height", rivals=(("steeper", 2 * x**2),))

    def recursion(self) -> core.Recursion:
        x = np.linspace(0, 1, 41)
        return core.Recursion("noise", x, np.sqrt(x), 0.1)

    def laws(self, time: float) -> tuple[core.Law, ...]:
        counts, tail = np.arange(6.0), np.geomspace(1, 100, 30)
        angles = np.linspace(-np.pi, np.pi, 61)
        turned = (1 + np.cos(angles - time)) / (2 * np.pi)
        return (
            core.Law("count", counts, np.full(6, 1 / 6), "even", discrete=True),
            core.Law("avalanche", tail, tail**-2, "a power law", scale="log"),
            core.Law("angle", angles, turned, "turns", circular=True, method="theory"),
            core.Law("angle", angles, np.full(61, 1 / (2 * np.pi)), "even", circular=True, method="rival"),
        )

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        path = np.minimum(1.0, start["level"] * 2.0**times)
        return {"level": np.stack([path, path / 2, 2 * path]), "level_deviation": np.stack([0.1 * path] * 3)}

    def exact(self) -> dict[str, float]:
        return {"level": self.rate / 10}


def dressed(**values: Any) -> Toy:
    return Toy(kind="dressed", **values)
