"""Simulation: one student and two teachers, whose examples arrive one batch after another."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.message_passing.algorithm import MessagePassing, projections, random_matrix
from mfexplore.families.message_passing.channels import SIGN, respond
from mfexplore.families.message_passing.priors import posterior
from mfexplore.models.inference.continual_perceptron.theory import error_of

if TYPE_CHECKING:
    from mfexplore.models.inference.continual_perceptron import ContinualPerceptron  # noqa: F401


CERTAIN = 1e-12  # curvature that is nothing


def picture_of(task: int, side: int) -> Array:
    """A teacher one can recognise, -1 and 1, shape (side, side): a ring or a cross. Students know nothing of that."""
    y, x = np.mgrid[-1 : 1 : side * 1j, -1 : 1 : side * 1j]  # type: ignore[misc]
    r = np.hypot(x, y)
    inside = (r > 0.45) & (r < 0.85) if task == 1 else np.minimum(abs(x), abs(y)) < 0.27
    return np.where(inside, 1.0, -1.0)


class TwoTasks(core.Simulation["ContinualPerceptron"]):
    """Message passing for the first task, then for the second, while the examples of each arrive."""

    time_unit = "iterations"
    relaxation, window = 1000.0, 0.0

    def prepare(self) -> None:
        m = self.model
        side = math.ceil(math.sqrt(m.size))
        first, second = (picture_of(task, side).ravel()[: m.size] for task in (1, 2))
        differ = np.flatnonzero(first != second)
        excess = len(differ) - m.disagreements
        chosen = differ if excess > 0 else np.flatnonzero(first == second)
        second[self.rng.permutation(chosen)[: abs(excess)]] *= -1
        self.teachers = first, second
        self.memory = np.zeros(m.size)
        self.begin(1)

    def begin(self, task: int) -> None:
        """Nothing of this task is seen yet; the first leaves its fields as the memory of the second."""
        m = self.model
        self.task = task
        count, teacher = m.examples[task - 1], self.teachers[task - 1]
        self.matrix = random_matrix(self.rng, count, m.size)
        self.answers = np.sign(projections(self.matrix, teacher))
        self.fields = m.memory * self.memory if task == 2 else np.zeros(m.size)
        self.passing = MessagePassing(self.matrix[:0], *posterior("binary", self.fields, 1.0))

    def retune(self) -> None:
        self.passing.change = math.inf  # goes on with another memory strength

    def evolve(self, duration: float) -> None:
        for k in range(round(duration)):
            if self.finished:
                return
            task, load = self.model.schedule(round(self.time) + k)
            if task != self.task:
                self.memory, self.error_before = self.fields, self.observe()["first_error"]
                self.begin(task)
            rows = min(max(1, round(load * self.model.size)), len(self.matrix))  # of few weights too one at a time
            if rows > len(self.passing.matrix):
                self.passing.take_in(self.matrix[:rows])
            self.iterate(self.answers[:rows])

    def iterate(self, answers: Array) -> None:
        omega, v = self.passing.forward()
        g, slopes = np.empty_like(omega), np.empty_like(omega)
        curvature = respond(SIGN, answers, omega, v, g, slopes)[0] if v > 0 else 0.0
        if not curvature > CERTAIN:  # of every answer: nothing is left to learn from them
            self.passing.change = 0.0
            return
        r, s = self.passing.backward(g, curvature)
        prior = self.model.memory * self.memory if self.task == 2 else 0.0
        self.fields = r / s + prior
        self.passing.accept(*posterior("binary", self.fields, 1 / s))

    @property
    def finished(self) -> bool:
        if self.task == 1 or len(self.passing.matrix) < len(self.matrix):
            return False
        certain = (
            self.passing.variance * self.model.size < 1e-3
        )  # nothing is left in doubt, and the rest divides 0 by 0
        return certain or self.passing.change < 1e-14

    def observe(self) -> dict[str, float]:
        a, n = self.passing.mean, self.model.size
        square = float(np.mean(a * a))
        first, second = (float(np.mean(w * a)) for w in self.teachers)
        errors = [float(error_of(np.array(m), np.array(square))) for m in (first, second)]
        rows = len(self.passing.matrix) / n
        remembered = float(np.sum(np.abs(self.memory)))
        return {
            "first_error": errors[0],
            "second_error": errors[1],
            "mean_error": 0.5 * sum(errors),
            "forgetting": errors[0] - self.error_before if self.task == 2 else 0.0,
            "first_overlap": first,
            "second_overlap": second,
            "self_overlap": square,
            "memory_overlap": float(self.memory @ a) / remembered if remembered else math.nan,
            "first_load": rows if self.task == 1 else self.model.first_load,
            "second_load": rows if self.task == 2 else 0.0,
        }

    def samples(self, observable: str | None = None) -> Array:
        """Fields of the weights in units of a teacher."""
        return self.fields * self.teachers[observable == "second_field"]

    def picture(self) -> core.Patterns:
        remembered = np.tanh(self.memory) if self.task == 2 else self.passing.mean
        shown = (("first teacher", self.teachers[0]), ("second teacher", self.teachers[1]),
                 ("memory of the first task", remembered), ("student", self.passing.mean))  # fmt: skip
        return core.Patterns(tuple((name, core.square(w)) for name, w in shown))

    def pictures(self) -> core.Album:
        return core.Album({"weights": self.picture, "trade-off": self._trade_off})

    def _trade_off(self) -> core.Chart:
        """What the two tasks cost each other, for all memory strengths; the run comes down onto the curve."""
        m = self.model
        strengths, first, second = m.trade_off()
        ends = [0, int(np.argmin(first + second)), -1]
        _, series = self.series()
        of_second = series["second_load"] > 0
        x, y = series["first_error"][of_second], series["second_error"][of_second]
        return core.Chart(
            (core.Series("all memory strengths", first, second),
             *(core.Series(f"strength {strengths[k]:.2g}", first[[k]], second[[k]], "points") for k in ends),
             core.Series("run", x, y),
             core.Series("student", x[-1:], y[-1:], "points")),
            core.Axis("error on the first task", low=0.0, high=0.5),
            core.Axis("error on the second task", low=0.0, high=0.5),
            caption="examples of the second task arrive: the student comes from the upper left",
        )  # fmt: skip
