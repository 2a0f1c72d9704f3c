"""A crowd of agents that steer towards the direction of all others, or of the few they see."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.decisions.mean_field_control.theory import GRID
from mfexplore.numerics.chance.random import advanced, new_stream, normal_pair, uniform
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.decisions.mean_field_control import MeanFieldControl  # noqa: F401 (named in the base class)

FULL_TURN = 2 * math.pi
STEP = 0.004  # in units of 1/sigma^2


@kernel
def steer(theta, policy, peers, sensing, step, steps, stream):
    """Euler's method in the time unit 1/sigma^2. peers: how many others each looks at, anew in every step; 0: at all.

    policy: control by angle from the direction of the crowd, on a whole circle. Returns the mean square control of the
    last step.
    """
    n, size = theta.size, policy.size
    position, spent = stream[0], 0.0
    sine, cosine = np.empty(n), np.empty(n)
    words = 2 + peers + peers % 2  # random ones for each agent, two of which make a pair of normal numbers
    root = math.sqrt(step)
    for _ in range(steps):
        x = y = 0.0
        for i in range(n):
            sine[i], cosine[i] = math.sin(theta[i]), math.cos(theta[i])
            x += cosine[i]
            y += sine[i]
        crowd = math.atan2(y, x)
        spent = 0.0
        for i in range(n):
            direction = crowd
            if peers > 0:
                x = y = 0.0
                for k in range(peers):
                    other = int(n * uniform(position, words * i + 2 + k))
                    x += cosine[other]
                    y += sine[other]
                direction = math.atan2(y, x)
            kick, error = normal_pair(position, words // 2 * i)
            place = ((theta[i] - direction - sensing * error) / FULL_TURN % 1.0) * size
            cell = int(place)
            part = place - cell
            control = (1.0 - part) * policy[cell % size] + part * policy[(cell + 1) % size]
            theta[i] += control * step + root * kick
            spent += control * control
        position = advanced(position, words * n)
    stream[0] = position
    return spent / n


class Crowd(core.Simulation["MeanFieldControl"]):
    """Angles of all agents, who follow the policy that theory finds best if all see everybody."""

    time_unit = "1/σ²"
    step = 0.1
    relaxation, window = 10.0, 20.0

    def prepare(self) -> None:
        m = self.model
        self.stream = new_stream(self.rng)
        spread = 1.0 if m.start == "incoherent" else 0.0
        self.theta = spread * FULL_TURN * self.rng.random(m.size)
        self.spent = 0.0
        self.retune()

    def retune(self) -> None:
        self.policy = self.model.policy()

    def evolve(self, duration: float) -> None:
        m = self.model
        some = m.sight == "some"
        steps = round(duration / STEP)
        peers, sensing = (m.peers, m.sensing_noise) if some else (0, 0.0)
        self.spent = steer(self.theta, self.policy, peers, sensing, STEP, steps, self.stream)

    @property
    def field(self) -> complex:
        return complex(np.mean(np.exp(1j * self.theta)))

    def observe(self) -> dict[str, float]:
        coherence, effort = abs(self.field), self.model.stiffness * self.spent
        return {"coherence": coherence, "effort": effort, "cost": effort + (1 - coherence**2) / 2}

    def samples(self, observable: str | None = None) -> Array:
        if observable in (None, "angle"):
            turned = self.theta - np.angle(self.field)
            return np.asarray((turned + math.pi) % FULL_TURN - math.pi)
        return super().samples(observable)

    def pictures(self) -> core.Album:
        return core.Album({"angles": self.picture, "control": self.picture_of_control})

    def picture(self) -> core.Phases:
        return core.Phases(self.theta[:2000], self.field, caption="which way agents head")

    def picture_of_control(self) -> core.Chart:
        """What an agent does at each angle from the crowd, and where agents are."""
        angle = np.linspace(-math.pi, math.pi, 65)
        counts = np.histogram(self.samples("angle"), angle)[0] / len(self.theta) / (angle[1] - angle[0])
        grid = np.arange(-GRID // 2, GRID // 2 + 1)
        control = self.policy[grid % GRID]
        scale = max(float(np.abs(control).max()), 1e-12)
        return core.Chart(
            (
                core.Series("control, of its largest", grid * FULL_TURN / GRID, control / scale),
                core.Series("agents", (angle[1:] + angle[:-1]) / 2, counts, "points"),
            ),
            core.Axis("angle from the crowd", low=-math.pi, high=math.pi), core.Axis("density, control"),
            caption="pulled back from either side",
        )  # fmt: skip
