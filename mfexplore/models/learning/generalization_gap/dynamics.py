"""Examples that arrive one after another, and a ridge regression on all so far."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.ridge.arrivals import Arrivals
from mfexplore.families.ridge.regression import Fit, fit
from mfexplore.models.learning.generalization_gap.theory import OTHERS, examples, layers, moments
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.learning.generalization_gap import GeneralizationGap  # noqa: F401

BLOCK_STEPS, STRIDE = 8, 0.02  # gradient steps for each block, and how far each moves weights, of their norm


class Arriving(Arrivals["GeneralizationGap"]):
    """Readouts of the same features, fitted to the answers of several teachers; the first is that of the controls.

    fitted: the present fits; train_error, test_error: of every teacher, shape (teachers,).
    """

    @one_blas_thread()
    def prepare(self) -> None:
        m = self.model
        self.world = m.world
        self.hidden, self.moments = self.world.hidden, self.world.moments
        self.inputs, self.parts = examples(m.features, self.world.direction, m.examples, self.rng)
        self.noise = self.rng.standard_normal((m.examples, 1 + len(OTHERS)))
        self.has_history = m.training == "all_layers" and bool(self.hidden)  # the hidden weights are trained, too
        self.features = self.world.scale * layers(self.inputs, self.hidden)[-1]
        self.expect(max(2, m.size // 8), m.examples)
        self.refit()

    def retune(self) -> None:
        self.refit()

    def learn(self) -> None:
        if self.has_history:
            for _ in range(BLOCK_STEPS):
                self.descend()
            self.features = self.world.scale * layers(self.inputs, self.hidden)[-1]
            inputs, parts = self.world.pool
            chosen = slice(None, None, max(1, len(inputs) // 2048))
            self.moments = moments(self.world.scale * layers(inputs[chosen], self.hidden)[-1], parts[chosen])
        self.refit()

    def answers(self, teachers: Array) -> Array:
        """What teachers, of shape (k, 3) as OTHERS, say to the examples so far, shape (count, k)."""
        return self.parts[: self.count] @ teachers[:, :2].T + self.noise[: self.count, : len(teachers)] * teachers[:, 2]

    @one_blas_thread()
    def refit(self) -> None:
        own = (*self.model.strengths, math.sqrt(self.model.noise))
        teachers = np.array([own, *OTHERS])
        self.fitted: Fit = fit(self.features[: self.count], self.answers(teachers), self.model.ridge)
        self.train_error = np.mean(self.fitted.residuals**2, axis=0)
        strengths, (eigenvalues, directions, best, rest) = teachers[:, :2].T, self.moments
        missed = eigenvalues @ (directions.T @ (self.fitted.weights - best @ strengths)) ** 2
        self.test_error = missed + np.maximum(np.sum(strengths * (rest @ strengths), axis=0), 0) + teachers[:, 2] ** 2

    def descend(self) -> None:
        """A step of the hidden weights down the gradient of (1), in which the readout is always the best one."""
        found = layers(self.inputs[: self.count], self.hidden)
        own = np.array([(*self.model.strengths, math.sqrt(self.model.noise))])
        fitted = fit(self.world.scale * found[-1], self.answers(own), self.model.ridge)
        slope, moved = -fitted.residuals @ fitted.weights.T, list(self.hidden)
        with one_blas_thread():
            for k in reversed(range(len(moved))):
                slope = slope * (found[k + 1] > 0)
                gradient = found[k].T @ slope
                slope = slope @ self.hidden[k].T
                length = STRIDE * np.linalg.norm(self.hidden[k]) / max(float(np.linalg.norm(gradient)), 1e-300)
                moved[k] = self.hidden[k] - length * gradient
        self.hidden = tuple(moved)

    def observe(self) -> dict[str, float]:
        train, test = float(self.train_error[0]), float(self.test_error[0])
        return {
            "relative_gap": 1 - train / test,
            "test_error": test,
            "train_error": train,
            "freedom": self.fitted.freedom / self.model.size,
            "load": self.count / self.model.size,
        }

    @one_blas_thread()
    def profiles(self) -> dict[str, core.Measured]:
        if self.has_history:
            return {}
        ridge, seen = self.model.ridge, self.features[: self.count] @ self.moments.directions
        if self.count < self.model.size:
            learned = np.sum(seen * (self.fitted.inverse @ seen), axis=0)
        else:
            turned = self.fitted.inverse @ self.moments.directions
            learned = 1 - ridge * np.sum(self.moments.directions * turned, axis=0)
        return {"learned_part": core.Measured(np.arange(1, learned.size + 1), learned[::-1])}

    def pictures(self) -> core.Album:
        return core.Album({"all teachers": self.picture, "learning curve": self.curve})

    def picture(self) -> core.Chart:
        """Training against test error of every teacher: all lie on one line, that of theory, and above the bound."""
        reach = 1.08 * float(self.test_error.max())
        load = max(self.count / self.model.size, self.model.control("load").bounds[0])
        freedom = float(self.model.theory(method="replica", profiles=False, load=load)["freedom"]) / load
        bound = 1 - 2 / load
        far = np.array([0.0, reach])
        lines = [core.Series("teachers", far, (1 - freedom) ** 2 * far)]
        if bound > 0:
            lines.append(core.Series("bound, eq. (4)", far, bound * far))
        points = (
            core.Series("teachers", self.test_error[1:], self.train_error[1:], "points"),
            core.Series("this teacher", self.test_error[:1], self.train_error[:1], "points"),
        )
        return core.Chart(
            (*lines, *points), core.Axis("test error", low=0, high=reach),
            core.Axis("training error", low=0, high=reach),
            (core.Guide(1.0, (0.0, 0.0), "no gap"),), f"{self.count} examples, {len(OTHERS) + 1} teachers",
        )  # fmt: skip

    def curve(self) -> core.Chart:
        """Both errors against the number of examples, as far as the run has come."""
        low, high = self.model.control("load").bounds
        loads = np.geomspace(max(low, self.first / self.model.size), min(high, self.total / self.model.size), 97)
        theory = self.model.theory(method="replica", profiles=False, load=loads)
        _, seen = self.series()
        series = []
        for name in ("test_error", "train_error"):
            title = self.model.observable(name).title
            series.append(core.Series(title, loads, theory[name].values))
            series.append(core.Series(title, seen["load"], seen[name], "points"))
        axes = core.Axis("examples per feature P/N", "log"), core.Axis("mean squared error", "log")
        return core.Chart(tuple(series), *axes, caption="the gap is between the two curves")
