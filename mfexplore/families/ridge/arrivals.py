"""Learners that are shown more and more examples."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TypeVar

from mfexplore.core import Model, Simulation
from mfexplore.core.simulation import never

System = TypeVar("System", bound=Model)
BLOCKS = 8  # of examples, from any number of them to twice as many


class Arrivals(Simulation[System]):
    """Examples arrive in blocks, each a fixed part of those that are there, until there are `total`: the run draws a
    learning curve with a logarithmic axis.

    A subclass calls `expect` in `prepare` and implements `learn`, which is called whenever there are more examples.

    Attributes:
        count: examples so far; total: examples in the end; has_history: whether what is learnt from them depends on
            how many there were before.
    """

    time_unit, step, window = "doublings of the examples", 1 / BLOCKS, 0.0
    has_history = False

    def expect(self, first: int, total: int) -> None:
        """Begin with `first` examples, or with all if there are fewer."""
        self.total = total
        self.first = self.count = min(first, total)
        self.relaxation = math.log2(self.total / self.first) + self.step

    def evolve(self, duration: float) -> float:
        left = math.log2(self.total / self.first) - self.time
        done = min(duration, left)
        last = left <= duration * (1 + 1e-9)
        self.count = self.total if last else round(self.first * 2 ** (self.time + done))
        self.learn()
        return done

    def learn(self) -> None:
        """Take the examples in that are new."""

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """One sample of an ensemble. Where it does not matter in which order one learns, all examples come at once."""
        if not self.has_history:
            self.count = self.total
            self.learn()
        return super().measure(cancelled)

    @property
    def finished(self) -> bool:
        return self.count == self.total
