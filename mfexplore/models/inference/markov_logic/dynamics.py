"""LogicMP and Gibbs sampling of a Markov logic network with evidence of its own."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.inference.markov_logic.theory import SHARES
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.inference.markov_logic import MarkovLogic

BINS = np.linspace(-6.25, 6.25, 26)  # of the evidence for a statement
MEMORY = 50  # sweeps over which beliefs are read off Gibbs samples


@kernel
def sample_statements(state, transposed, evidence, weight, symmetric, updates, rng):
    """Gibbs sampling of eq. (1): random statements, one after another, O(n) each.

    state (int8, 0 or 1, no diagonal) and its transposed copy are overwritten; weight: that of a grounding.
    """
    n = state.shape[0]
    for _ in range(updates):
        i, j = int(rng.random() * n), int(rng.random() * (n - 1))
        j += j >= i
        of_i, of_j, to_i, to_j = state[i], state[j], transposed[i], transposed[j]
        count = 2 * of_j[i]
        for k in range(n):
            count += of_i[k] * to_j[k] + of_i[k] * of_j[k] + to_i[k] * to_j[k] - of_j[k] - to_i[k]
        holds = rng.random() * (1.0 + math.exp(-evidence[i, j] - weight * count)) < 1.0
        state[i, j] = transposed[j, i] = holds
        if symmetric:
            state[j, i] = transposed[i, j] = holds


def supported(beliefs: Array, symmetric: bool) -> Array:
    """Delta of eq. (2)."""
    with one_blas_thread():
        forward = beliefs @ beliefs
        paths = 3 * forward if symmetric else forward + beliefs @ beliefs.T + beliefs.T @ beliefs
    delta = paths + 2 * beliefs.T - beliefs.sum(axis=1) - beliefs.sum(axis=0)[:, None]
    # Rounding is not symmetric, and grows where eq. (6) does: what is one statement must stay one.
    return 0.5 * (delta + delta.T) if symmetric else delta


class Likeness:
    """The statements about n objects, their evidence, and what the rule of transitivity says of them."""

    def __init__(self, model: MarkovLogic, rng: np.random.Generator) -> None:
        n = model.size
        self.symmetric = model.relation == "symmetric"
        self.kinds = np.arange(n) * model.classes // n
        self.true = self.kinds[:, None] == self.kinds
        self.off = ~np.eye(n, dtype=bool)
        noise = rng.standard_normal((n, n))
        self.noise = np.triu(noise, 1) + np.triu(noise, 1).T if self.symmetric else noise
        self.retune(model)
        guess = {"evidence": expit(self.evidence), "truth": self.true, "everything": 1.0}[model.start]
        self.beliefs = np.where(self.off, guess, 0.0)
        draws = rng.random((n, n))
        if self.symmetric:
            draws = np.triu(draws) + np.triu(draws, 1).T
        self.state = (draws < self.beliefs).astype(np.int8)
        self.transposed = np.ascontiguousarray(self.state.T)

    def retune(self, model: MarkovLogic) -> None:
        self.weight = model.rule_weight / len(self.kinds)
        self.evidence = np.where(self.true, model.evidence, -model.evidence) + model.noise * self.noise

    def message(self, beliefs: Array) -> Array:
        return np.where(self.off, expit(self.evidence + self.weight * supported(beliefs, self.symmetric)), 0.0)

    def sweep(self, rng: np.random.Generator) -> Array:
        n = len(self.state)
        updates = n * (n - 1) // (2 if self.symmetric else 1)
        sample_statements(self.state, self.transposed, self.evidence, self.weight, self.symmetric, updates, rng)
        return self.state

    def observe(self, now: Array, beliefs: Array) -> dict[str, float]:
        n = len(now)
        now = now.astype(float)
        with one_blas_thread():
            broken_ones = np.sum((now @ now) * (1 - now), where=self.off)
        true, false = self.true & self.off, ~self.true
        return {
            "belief_in_true": float(now[true].mean()),
            "belief_in_false": float(now[false].mean()),
            "error_rate": float(np.abs(now - self.true)[self.off].mean()),
            "decision_error": float(((beliefs > 0.5) != self.true)[self.off].mean()),
            "broken_rules": float(broken_ones / (n * (n - 1) * (n - 2))),
        }

    def profiles(self, beliefs: Array) -> dict[str, core.Measured]:
        found = {}
        for name, chosen in (("belief_if_true", self.true & self.off), ("belief_if_false", ~self.true)):
            logits, values = self.evidence[chosen], beliefs[chosen]
            count, total, squares = (
                np.histogram(logits, BINS, weights=w)[0] for w in (np.ones_like(values), values, values**2)
            )
            with np.errstate(invalid="ignore", divide="ignore"):
                mean = total / count
                error = np.sqrt(np.maximum(squares / count - mean**2, 0) / np.maximum(count - 1, 1))
            found[name] = core.Measured((BINS[1:] + BINS[:-1]) / 2, mean, error)
        return found

    def pictures(self, now: Array, beliefs: Array) -> Mapping[str, core.Picture]:
        rank = beliefs.sum(axis=0) - beliefs.sum(axis=1)  # first who is like others, then whom others are like
        orders = {"relation": self.kinds, "by rank": rank}
        return core.Album(
            {
                name: lambda by=by: self._matrices(now, beliefs, by.argsort(kind="stable"))  # type: ignore[misc]
                for name, by in orders.items()
            }
        )

    def _matrices(self, now: Array, beliefs: Array, order: Array) -> core.Patterns:
        images = (("evidence", expit(self.evidence)), ("now", now), ("beliefs", beliefs), ("truth", self.true))
        return core.Patterns(
            tuple((name, np.where(self.off, matrix, 1.0)[np.ix_(order, order)]) for name, matrix in images), 0.0, 1.0
        )


class OneRule:
    """Three statements, A and B imply C."""

    def __init__(self, model: MarkovLogic, rng: np.random.Generator) -> None:
        self.retune(model)
        self.beliefs = expit(self.evidence)
        self.state = (rng.random(3) < self.beliefs).astype(np.int8)

    def retune(self, model: MarkovLogic) -> None:
        self.model, self.weight, self.evidence = model, model.rule_weight, model.evidence * SHARES

    def _fields(self, q: Array) -> Array:
        return self.evidence + self.weight * np.array([-q[1] * (1 - q[2]), -q[0] * (1 - q[2]), q[0] * q[1]])

    def message(self, beliefs: Array) -> Array:
        return np.asarray(expit(self._fields(beliefs)))

    def sweep(self, rng: np.random.Generator) -> Array:
        for k in rng.integers(0, 3, 3):
            self.state[k] = rng.random() < expit(self._fields(self.state)[k])
        return self.state

    def observe(self, now: Array, beliefs: Array) -> dict[str, float]:
        a, b, c = (float(x) for x in now)
        return {"belief_a": a, "belief_b": b, "belief_c": c, "broken_rules": a * b * (1 - c)}

    def profiles(self, beliefs: Array) -> dict[str, core.Measured]:
        return {}

    def pictures(self, now: Array, beliefs: Array) -> Mapping[str, core.Picture]:
        return core.Album({"beliefs": lambda: self._beliefs(beliefs)})

    def _beliefs(self, beliefs: Array) -> core.Chart:
        theory = self.model.theory(profiles=False).sel({"branch": "evidence"})
        place = np.arange(1.0, 4.0)
        series = [core.Series("exact", place, _abc(theory, "exact"), "bars")]
        series += [core.Series("mean field", place, _abc(theory, "mean_field"), "points")]
        series += [core.Series("run", place, beliefs, "points")]
        axis = core.Axis("statement: A, B, C", low=0.4, high=3.6)
        return core.Chart(tuple(series), axis, core.Axis("belief", low=0.0, high=1.0))


def _abc(theory: Any, method: str) -> Array:
    return np.array([float(theory[f"belief_{x}"].sel({"method": method})) for x in "abc"])


class LogicSimulation(core.Simulation["MarkovLogic"]):
    """LogicMP, or Gibbs sampling of the same network with the same evidence."""

    time_unit = "sweeps"
    relaxation = 100.0

    def prepare(self) -> None:
        self.network = (Likeness if self.model.rule == "transitivity" else OneRule)(self.model, self.rng)
        self.samples_seen = 0
        self.window = 0.0 if self.model.algorithm == "logicmp" else 100.0
        self.beliefs = np.array(self.network.beliefs)
        self.now: Array = self.beliefs if self.model.algorithm == "logicmp" else self.network.state

    def retune(self) -> None:
        self.network.retune(self.model)
        self.samples_seen = 0

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            if self.model.algorithm == "logicmp":
                self.beliefs = self.beliefs + self.model.damping * (self.network.message(self.beliefs) - self.beliefs)
                self.now = self.beliefs
            else:
                self.now = self.network.sweep(self.rng)
                self.samples_seen = min(self.samples_seen + 1, MEMORY)
                self.beliefs = self.beliefs + (self.now - self.beliefs) / self.samples_seen

    def observe(self) -> dict[str, float]:
        return self.network.observe(self.now, self.beliefs)

    def profiles(self) -> dict[str, core.Measured]:
        return self.network.profiles(self.beliefs)

    def picture(self) -> core.Picture:
        return next(iter(self.pictures().values()))

    def pictures(self) -> Mapping[str, core.Picture]:
        return self.network.pictures(self.now, self.beliefs)
