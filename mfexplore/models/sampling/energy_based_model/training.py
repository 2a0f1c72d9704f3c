"""Training: the gradient of the likelihood, or what short chains say of it, for units that are real or binary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.bipartite import (
    all_states,
    gaussian_units,
    ising_units,
    log_partition,
    log_two_cosh,
    log_weights,
)
from mfexplore.models.sampling.energy_based_model import theory
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.sampling.energy_based_model import EnergyBasedModel

SIDE = 8  # of the images of digits
SHOWN = 3  # images, samples and modes that are shown
OTHERS = 400  # digits, at most, that are not shown but tried
DREAMS = 200  # sweeps from noise to a sample


class RealUnits:
    """Gaussian units in both layers, as many hidden as visible ones, trained on data with a spike along one direction.

    The data are drawn in a basis whose first vector is the spike. Weights start as a multiple of the unit matrix, which
    has all modes of the data equally strong.
    """

    def __init__(self, model: EnergyBasedModel, rng: np.random.Generator) -> None:
        n = model.size
        examples = rng.standard_normal((model.example_count, n))
        examples[:, 0] *= math.sqrt(model.spike)
        self.examples = examples.astype(np.float32)
        self.covariance = examples.T @ examples / len(examples)
        self.eigenvalues, self.modes = np.linalg.eigh(self.covariance)
        self.weights = model.first_weight * np.eye(n)
        self.chains = self.examples.copy()
        self.strongest = self.modes[:, -1]
        self.spike = model.spike
        self.grid = np.linspace(0.0, 1.05 * self.eigenvalues[-1], 161)
        self.expected = np.full(161, model.first_weight), self.grid

    def update(self, model: EnergyBasedModel, rng: np.random.Generator) -> None:
        """One step along the gradient, eq. (3)."""
        w = self.weights
        pull = (self.covariance - model.weight_decay * np.eye(len(w))) @ w
        if model.rule == "likelihood":
            pull -= np.linalg.solve(np.eye(len(w)) - w @ w.T, w)
        else:
            if model.rule == "contrastive":
                self.chains = self.examples
            short = w.astype(np.float32)
            for _ in range(model.sweeps):
                hidden = gaussian_units(self.chains @ short, 1.0, 1.0, rng)
                self.chains = gaussian_units(hidden @ short.T, 1.0, 1.0, rng)
            pull -= self.chains.T @ (self.chains @ short) / np.float32(len(self.chains))
        self.weights = w + model.learning_rate * pull
        grown = self.weights @ (self.weights.T @ self.strongest)  # power iteration, from where it was before
        self.strongest = grown / np.linalg.norm(grown)
        self.expected = theory.one_update(*self.expected, self.grid, model.training_rule())

    def squares(self) -> Array:
        """sigma^2 of the modes of the data, shape (n,)."""
        found: Array = ((self.weights.T @ self.modes) ** 2).sum(axis=0)
        return found

    def observe(self, model: EnergyBasedModel) -> dict[str, float]:
        w = self.weights
        precision = np.eye(len(w)) - w @ w.T
        try:
            half_log = float(np.log(np.diag(np.linalg.cholesky(precision))).sum())
        except np.linalg.LinAlgError:  # no distribution: a mode has left the unit circle
            half_log = math.nan
        explained = 0.5 * float(np.einsum("ij,ji->", self.covariance, np.eye(len(w)) - precision))
        expected = 0.5 * float(np.sum(w**2) + (self.spike - 1) * np.sum(w[0] ** 2))
        return {
            "eigenvalue": float(self.eigenvalues[-1]),
            "mode_weight": float(np.linalg.norm(w.T @ self.modes[:, -1])),
            "overlap": float(self.strongest[0] ** 2),
            "train_gain": half_log + explained,
            "test_gain": half_log + expected,
        }

    def chart(self, model: EnergyBasedModel, time: float) -> core.Chart:
        """Every mode of the data: how far it is learnt, against its eigenvalue."""
        series = (
            core.Series("theory, after long training", self.grid, theory.square_at(self.grid, model.training_rule())),
            core.Series("theory, now", self.grid, np.minimum(self.expected[0] ** 2, 1.0)),
            core.Series("modes of the run", self.eigenvalues, self.squares(), "points"),
        )
        x, y = core.Axis("eigenvalue of the data", low=0.0), core.Axis("weight squared", low=0.0, high=1.0)
        return core.Chart(series, x, y, caption=f"all modes after {time:.0f} updates")


class BinaryUnits:
    """Ising units and biases, trained on handwritten digits; few hidden units, so that sums over their states are
    exact. The biases of the visible units start where they are best without weights.
    """

    def __init__(self, model: EnergyBasedModel, rng: np.random.Generator) -> None:
        every = theory.black_and_white()
        order = rng.permutation(len(every))
        m = model.example_count
        self.examples, self.others = every[order[:m]], every[order[m : m + OTHERS]]
        self.means = self.examples.mean(axis=0)
        sure = 1 - 1 / (m + 1)
        self.visible_bias = np.arctanh(np.clip(self.means, -sure, sure))
        self.without = tuple(self._independent(of) for of in (self.examples, self.others))
        h = model.hidden_units
        self.hidden_bias = np.zeros(h, np.float32)
        self.weights = rng.standard_normal((SIDE**2, h), np.float32) * np.float32(model.first_weight / SIDE)
        self.eigenvalue = float(theory.growth_eigenvalues(self.examples)[0])
        covariance = np.cov(self.examples.T, bias=True)
        np.fill_diagonal(covariance, 0)
        self.direction = np.linalg.eigh(covariance)[1][:, -1]
        self.states = all_states(h).astype(np.float32)
        self.chains = self.examples.copy()

    def _independent(self, examples: Array) -> float:
        """Log-likelihood per example of independent pixels."""
        fit = examples @ self.visible_bias - log_two_cosh(self.visible_bias).sum()
        return float(fit.mean()) if len(examples) else math.nan

    def update(self, model: EnergyBasedModel, rng: np.random.Generator) -> None:
        """One step along the gradient, eqs. (3) and (10)."""
        w, a, b = self.weights, self.visible_bias, self.hidden_bias
        hidden = np.tanh(self.examples @ w + b)
        pull = self.examples.T @ hidden / np.float32(len(hidden)) - np.float32(model.weight_decay) * w
        if model.rule == "likelihood":
            fields = self.states @ w.T + a
            logs = self.states @ b + log_two_cosh(fields).sum(axis=1)
            chance = np.exp(logs - logs.max())
            chance /= chance.sum()
            seen = np.tanh(fields)
            both, visible_mean, hidden_mean = (
                (seen * chance[:, None]).T @ self.states,
                chance @ seen,
                chance @ self.states,
            )
        else:
            if model.rule == "contrastive":
                self.chains = self.examples
            for _ in range(model.sweeps):
                units = ising_units(self.chains @ w + b, 1.0, rng)
                self.chains = ising_units(units @ w.T + a, 1.0, rng)
            seen = np.tanh(self.chains @ w + b)
            both = self.chains.T @ seen / np.float32(len(seen))
            visible_mean, hidden_mean = self.chains.mean(axis=0), seen.mean(axis=0)
        rate = np.float32(model.learning_rate)
        self.weights = w + rate * (pull - both)
        self.visible_bias = a + rate * (self.means - visible_mean)
        self.hidden_bias = b + rate * (hidden.mean(axis=0) - hidden_mean)

    def observe(self, model: EnergyBasedModel) -> dict[str, float]:
        machine = self.weights, self.visible_bias, self.hidden_bias
        log_z = log_partition(*machine)
        train, test = (
            float(log_weights(*machine, of).mean()) - log_z - without if len(of) else math.nan
            for of, without in zip((self.examples, self.others), self.without, strict=True)
        )
        return {
            "eigenvalue": self.eigenvalue,
            "mode_weight": float(np.linalg.norm(self.weights.T @ self.direction)),
            "train_gain": train,
            "test_gain": test,
        }

    def images(self, rng: np.random.Generator) -> core.Patterns:
        """Digits, what chains make of noise, and the weights of some hidden units."""
        w, a, b = self.weights, self.visible_bias, self.hidden_bias
        dreams = rng.choice(np.array([-1, 1], np.float32), (SHOWN, SIDE**2))
        for _ in range(DREAMS):
            dreams = ising_units(ising_units(dreams @ w + b, 1.0, rng) @ w.T + a, 1.0, rng)
        strongest = np.argsort(-np.linalg.norm(w, axis=0))[:SHOWN]
        filters = w.T[strongest] / np.maximum(np.abs(w).max(axis=0), 1e-9)[strongest, None]
        rows = (("digit", self.examples[:SHOWN]), ("sample", dreams), ("weights", filters))
        return core.Patterns(tuple((name, image.reshape(SIDE, SIDE)) for name, images in rows for image in images))


class Training(core.Simulation["EnergyBasedModel"]):
    """Full-batch gradient steps. One unit of time is one update of all weights."""

    time_unit = "updates"
    relaxation, window = 240.0, 20.0

    def prepare(self) -> None:
        units: type[RealUnits | BinaryUnits] = RealUnits if self.model.data == "spike" else BinaryUnits
        with one_blas_thread():
            self.machine = units(self.model, self.rng)
        self.step = 1.0 if self.model.data == "spike" else 5.0

    def evolve(self, duration: float) -> None:
        with one_blas_thread():
            for _ in range(round(duration)):
                self.machine.update(self.model, self.rng)

    def observe(self) -> dict[str, float]:
        with one_blas_thread():
            return self.machine.observe(self.model)

    def profiles(self) -> dict[str, core.Measured]:
        if isinstance(self.machine, BinaryUnits):
            return {}
        return {"mode_spectrum": core.Measured(self.machine.eigenvalues, self.machine.squares())}

    def picture(self) -> core.Chart | core.Patterns:
        if isinstance(self.machine, BinaryUnits):
            fresh = np.random.default_rng(round(self.time))  # to look changes nothing
            return self.machine.images(fresh)
        return self.machine.chart(self.model, self.time)
