"""A teacher, its examples, and the learners that are asked after them."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtr

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.families.ridge.arrivals import Arrivals
from mfexplore.families.ridge.regression import fit
from mfexplore.models.learning.two_layer_limits.theory import (
    DEGREES,
    EQUIVALENT,
    PROCESS,
    expansion,
    hermite_rule,
    respond,
    slope,
)
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.learning.two_layer_limits import TwoLayerLimits  # noqa: F401  (the type of the model)

LEARNERS = {
    "linear": "linear regression", "random_features": "random features", "network": "network, all weights",
    "kernel": "kernel",
}  # fmt: skip
TESTED, CHECKED = 1000, 500  # new examples that errors are averaged over, and that a network checks its steps with
STRIDES = (0.1, 0.03)  # of a step of its hidden weights, relative to their norm


class Teaching(Arrivals["TwoLayerLimits"]):
    """Four students of the same examples. errors: of each, by name; NaN where it is left out."""

    @one_blas_thread()
    def prepare(self) -> None:
        m, (coefficients, _) = self.model, expansion(self.model.activation)
        self.signs = np.where(np.arange(m.width) % 2, 1.0, -1.0)  # as many of each
        self.weights = self.rng.standard_normal((m.width, m.dimension))
        # Its linear part gets the length that it has on average, as samples then differ less.
        linear = self.signs @ self.weights / math.sqrt(m.width)
        longer = math.sqrt(m.dimension) / np.linalg.norm(linear) - 1
        self.weights += longer * np.outer(self.signs, linear) / math.sqrt(m.width)
        self.direction = coefficients[1] * (1 + longer) * linear / math.sqrt(m.dimension)
        self.inputs, self.answers, _ = self.questions(m.examples)
        self.new, _, self.truth = self.questions(TESTED)
        self.check = self.questions(CHECKED)
        self.first_hidden = self.hidden = self.rng.standard_normal((m.width, m.dimension))
        self.expect(max(2, m.dimension // 4), m.examples)
        self.errors = dict.fromkeys(LEARNERS, math.nan)
        self.students = tuple(dict.fromkeys(("linear", m.learner)))  # of an ensemble no others are seen
        self.learn()

    def questions(self, count: int) -> tuple[Array, Array, Array]:
        """Inputs, shape (count, d), answers and the teacher's function without noise, shape (count,)."""
        m = self.model
        inputs = self.rng.standard_normal((count, m.dimension))
        teacher = self.features(inputs, self.weights) @ self.signs
        seen = teacher + math.sqrt(m.noise) * self.rng.standard_normal(count)
        return inputs, np.sign(seen) if m.readout == "sign" else seen, teacher

    def features(self, inputs: Array, hidden: Array) -> Array:
        """Activities of hidden units, of mean 0, over the root of their number, shape (inputs, width)."""
        m = self.model
        with one_blas_thread():
            fields = inputs @ hidden.T / math.sqrt(m.dimension)
        return (respond(m.activation, fields) - expansion(m.activation).coefficients[0]) / math.sqrt(m.width)

    def error(self, guess: Array) -> float:
        """On new examples with their noise."""
        m = self.model
        if m.readout == "linear":
            return float(np.mean((guess - self.truth) ** 2)) + m.noise
        agreeing = self.truth * np.sign(guess)
        return float(np.mean(ndtr(-agreeing / math.sqrt(m.noise)) if m.noise > 0 else agreeing <= 0))

    @one_blas_thread()
    def learn(self) -> None:
        inputs, answers = self.inputs[: self.count], self.answers[: self.count]
        for student in self.students:
            self.errors[student] = self.error(getattr(self, f"ask_{student}")(inputs, answers))

    def ask_linear(self, inputs: Array, answers: Array) -> Array:
        """What the student says to the new questions, after these examples; so do the next."""
        m = self.model
        root = math.sqrt(m.dimension)
        found = fit(inputs / root, answers[:, None], m.best_ridge(linear=True))
        return np.asarray(self.new / root @ found.weights[:, 0])

    def ask_random_features(self, inputs: Array, answers: Array) -> Array:
        found = fit(self.features(inputs, self.first_hidden), answers[:, None], self.model.best_ridge())
        return np.asarray(self.features(self.new, self.first_hidden) @ found.weights[:, 0])

    def ask_network(self, inputs: Array, answers: Array) -> Array:
        """A step of the hidden weights, as long as it helps with other examples, or back to where they began if that
        does; the readout is always the best.
        """
        ridge = self.model.best_ridge()
        found = fit(self.features(inputs, self.hidden), answers[:, None], ridge)
        with one_blas_thread():
            fields = inputs @ self.hidden.T / math.sqrt(self.model.dimension)
            pull = (found.residuals @ found.weights.T * slope(self.model.activation, fields)).T @ inputs
        pull *= np.linalg.norm(self.hidden) / max(float(np.linalg.norm(pull)), 1e-300)
        tried = [(self.hidden, found.weights[:, 0])]
        for hidden in (self.first_hidden, *(self.hidden + stride * pull for stride in STRIDES)):
            tried.append((hidden, fit(self.features(inputs, hidden), answers[:, None], ridge).weights[:, 0]))
        misses = [np.mean((self.features(self.check[0], hidden) @ w - self.check[1]) ** 2) for hidden, w in tried]
        self.hidden, readout = tried[int(np.argmin(misses))]
        return np.asarray(self.features(self.new, self.hidden) @ readout)

    def ask_kernel(self, inputs: Array, answers: Array) -> Array:
        ridge = max(self.model.best_ridge(), 1e-9)
        gram = self.kernel(inputs, inputs)
        np.fill_diagonal(gram, self.own_kernel(inputs) + ridge)
        with one_blas_thread():
            return np.asarray(self.kernel(self.new, inputs) @ np.linalg.solve(gram, answers))

    def kernel(self, first: Array, second: Array) -> Array:
        """The covariance of f at different inputs over all teachers of infinite width, shape (first, second)."""
        radii, parts = zip(*(self.parts(inputs) for inputs in (first, second)), strict=True)
        with one_blas_thread():
            overlap = (first / radii[0][:, None]) @ (second / radii[1][:, None]).T / self.model.dimension
        total = np.outer(parts[0][:, -1], parts[1][:, -1])
        for k in reversed(range(DEGREES)):
            total *= overlap
            total += np.outer(parts[0][:, k], parts[1][:, k])
        return total

    def parts(self, inputs: Array) -> tuple[Array, Array]:
        """Lengths of inputs, in units of the usual one, and Hermite coefficients of the activation at that length."""
        radii = np.sqrt(np.mean(inputs**2, axis=1))
        z, weighted = hermite_rule()
        found = respond(self.model.activation, radii[:, None] * z) @ weighted
        found[:, 0] -= expansion(self.model.activation).coefficients[0]
        return radii, found

    def own_kernel(self, inputs: Array) -> Array:
        """The variance of f at the same inputs."""
        z, weighted = hermite_rule()
        fields = np.sqrt(np.mean(inputs**2, axis=1))[:, None] * z
        centred = respond(self.model.activation, fields) - expansion(self.model.activation).coefficients[0]
        return np.asarray(centred**2 @ weighted[:, 0])

    def evolve(self, duration: float) -> float:
        self.students = tuple(LEARNERS)
        return super().evolve(duration)

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        self.has_history = self.model.learner == "network"
        return super().measure(cancelled)

    def observe(self) -> dict[str, float]:
        own = self.errors[self.model.learner]
        return {
            "generalization_error": own,
            "relative_error": own / max(self.errors["linear"], 1e-300),
            "load": self.count / self.model.dimension,
        } | {f"{student}_error": error for student, error in self.errors.items()}

    def samples(self, observable: str | None = None) -> Array:
        """What the teacher adds to its linear part, at the new inputs."""
        return np.asarray(self.truth - self.new @ self.direction)

    def pictures(self) -> core.Album:
        return core.Album({"all students": self.picture, "learning curves": self.curves, "the teacher": self.teacher})

    def picture(self) -> core.Chart:
        """All students against linear regression on the same examples, which spares their common luck."""
        loads, theory = self.theory("relative_error")
        _, seen = self.series()
        series = [
            core.Series(LEARNERS["linear"], loads, theory[:, EQUIVALENT]),
            core.Series(LEARNERS["kernel"], loads, theory[:, PROCESS]),
        ]
        for student, title in LEARNERS.items():
            if student != "linear":
                relative = seen[f"{student}_error"] / seen["linear_error"]
                series.append(core.Series(title, seen["load"], relative, "points"))
        axes = core.Axis("examples per dimension n/d", "log"), core.Axis("error / linear regression's")
        return core.Chart(tuple(series), *axes, caption=f"{self.count} examples, {self.model.dimension} dimensions")

    def curves(self) -> core.Chart:
        """Errors of all students, and the limit."""
        loads, theory = self.theory("generalization_error")
        _, seen = self.series()
        series = [
            core.Series("limit of the equivalent model", loads, theory[:, EQUIVALENT]),
            core.Series(LEARNERS["kernel"], loads, theory[:, PROCESS]),
        ]
        for student, title in LEARNERS.items():
            series.append(core.Series(title, seen["load"], seen[f"{student}_error"], "points"))
        axes = core.Axis("examples per dimension n/d", "log"), core.Axis("error on new examples", "log")
        return core.Chart(tuple(series), *axes)

    def theory(self, observable: str) -> tuple[Array, Array]:
        """Loads from the first to the last of the run, and values by both theories, shape (loads, 2)."""
        low, high = self.model.control("load").bounds
        ends = (self.first / self.model.dimension, self.total / self.model.dimension)
        loads = np.geomspace(max(low, ends[0]), min(high, ends[1]), 97)
        return loads, self.model.theory(profiles=False, load=loads)[observable].values

    def teacher(self) -> core.Chart:
        """Its function against its linear part, at new inputs."""
        linear = self.new @ self.direction
        far = np.array([linear.min(), linear.max()])
        width = math.sqrt(expansion(self.model.activation).nonlinear)
        return core.Chart(
            (
                core.Series("two standard deviations", far, far - 2 * width, "band", upper=far + 2 * width),
                core.Series("equivalent model", far, far),
                core.Series("the teacher", linear[:600], self.truth[:600], "points"),
            ),
            core.Axis("linear part of the teacher"), core.Axis("the teacher, f(x)"), equal=True,
            caption="to who knows few examples, the rest is noise",
        )  # fmt: skip
