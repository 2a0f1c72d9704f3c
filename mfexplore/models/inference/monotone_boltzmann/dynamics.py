"""Mean-field iterations from many starts, Gibbs-like sampling of the same machine, and a machine that learns digits."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import dense_spins
from mfexplore.families.digits import digits, enlarged
from mfexplore.families.lattice_spins.enumeration import coupled, quadratic_form
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs

if TYPE_CHECKING:
    from mfexplore.models.inference.monotone_boltzmann import MonotoneBoltzmann

RUNS = 16
SHOWN = 200  # iterations
ENUMERABLE = 16  # units
PIXELS, LABELS, TESTED = 64, 10, 150
BATCH, SETTLING, LEARNING_RATE = 32, 30, 0.05


class Machine:
    """Random couplings at unit radius of the spectrum: of all units with all, or of two layers; or a single pair."""

    def __init__(self, model: MonotoneBoltzmann, rng: np.random.Generator) -> None:
        self.model, self.rng, n = model, rng, model.units
        if model.machine == "pair":
            rows, unit = dense_spins.symmetric_couplings(2, True, rng)
            rows[0, 1] = rows[1, 0] = 1
        else:
            rows, unit = dense_spins.symmetric_couplings(n, False, rng)
            unit /= 2 * math.sqrt(n)
        if model.machine == "restricted":
            half = n // 2
            rows[:half, :half], rows[half:, half:n] = 0, 0
            unit *= math.sqrt(2)
        self.rows, self.unit = rows, unit
        self.couplings: Array = unit * rows[:, :n].astype(np.float64)
        reach = 0.01 if model.start == "near_zero" else 1.0
        self.beliefs = rng.uniform(-reach, reach, (RUNS if model.dynamics == "mean_field" else 1, n))
        self.softest = symmetric_eigenpairs(self.couplings)[1][:, -1] / math.sqrt(n)
        self.softest *= np.sign(self.softest.sum()) or 1.0
        self.path, self.steps = [self.beliefs @ self.softest], 0
        self.spins, self.fields = dense_spins.blank(rows, 2)
        self.spins[:, :n] = 2 * rng.integers(0, 2, (2, n)) - 1
        for k in range(2):
            dense_spins.local_fields(rows, self.spins[k], self.fields[k])
        self.stream = new_stream(rng)
        self.forget()

    def forget(self) -> None:
        """Begin to average samples anew."""
        self.sums, self.sweeps = np.zeros(self.model.units), 0

    def iterate(self) -> None:
        m = self.model
        with one_blas_thread():
            field = m.radius * (self.beliefs @ self.couplings) - m.self_inhibition * self.beliefs + m.bias
        self.beliefs = (1 - m.damping) * self.beliefs + m.damping * np.tanh(field)
        self.path, self.steps = [*self.path[-SHOWN:], self.beliefs @ self.softest], self.steps + 1

    def sample(self) -> None:
        m = self.model
        interaction = dense_spins.Interaction(self.rows, m.radius * self.unit, 0.0, m.bias)
        for k in range(2):
            dense_spins.metropolis_sweeps(interaction, self.spins[k], self.fields[k], np.ones(1), self.stream)
        self.sums += self.spins.sum(axis=0)
        self.sweeps += 2

    def observe(self) -> dict[str, float]:
        if self.model.dynamics == "sampling":
            return {"magnetization": float(self.spins.mean()), "overlap": float(np.mean(self.spins[0] * self.spins[1]))}
        return {
            "magnetization": float(self.beliefs.mean()),
            "overlap": float(np.mean(self.beliefs**2)),
            "spread": float(np.sqrt(np.mean(self.beliefs.var(axis=0)))),
        }

    def pictures(self) -> Mapping[str, core.Picture]:
        shown: dict[str, Callable[[], core.Picture]]
        if self.model.dynamics == "sampling":
            shown = {"units": lambda: core.on_a_square(self.spins[0] > 0, ("down", "up"), "units of one sample")}
        else:
            shown = {"starts": self._starts}
        return core.Album(shown | {"marginals": self._marginals})

    def _starts(self) -> core.Trajectories:
        lines = np.array(self.path).T
        times = self.steps + 1 - lines.shape[1] + np.arange(lines.shape[1])
        return core.Trajectories(
            times, lines, "iterations", "along the softest direction", f"{lines.shape[0]} starts of one machine"
        )

    def exact_means(self) -> Array:
        """The mean of every unit, from all states."""
        n, m = self.model.units, self.model
        energies = np.empty(2 ** (n - 1))
        quadratic_form(np.ascontiguousarray(m.radius * self.couplings), energies)
        up = np.zeros(1, np.int64)
        for _ in range(n - 1):
            up = np.concatenate([up, up + 1])
        means, pairs = np.empty(n), np.empty((n, n))
        scratch = np.empty(2**n), np.empty(2 ** (n - 1))
        coupled(energies, (2 * up - n).astype(float), 1.0, m.bias, *scratch, means, pairs)
        return means

    def _marginals(self) -> core.Chart:
        few = self.model.units <= ENUMERABLE
        true = self.exact_means() if few else self.sums / max(self.sweeps, 1)
        title = "exact mean, from all states" if few else f"mean of {self.sweeps} samples"
        return core.Chart(
            (core.Series("units", true, self.beliefs.mean(axis=0), "points"),), core.Axis(title, low=-1.0, high=1.0),
            core.Axis("mean field", low=-1.0, high=1.0), (core.Guide(1.0, (0.0, 0.0), "equal"),), equal=True,
        )  # fmt: skip


class DigitMachine:
    """Pixels and labels in one machine that learns by implicit differentiation to complete what is hidden."""

    def __init__(self, model: MonotoneBoltzmann, rng: np.random.Generator) -> None:
        self.model, self.rng = model, rng
        images, values = digits()
        pixels = enlarged(images, 8).reshape(len(images), PIXELS)
        labels = np.where(values[:, None] == np.arange(LABELS), 1, -1)
        units, order = np.hstack([pixels, labels]).astype(float), rng.permutation(len(images))
        self.tested, self.taught = units[order[:TESTED]], units[order[TESTED:]]
        self.couplings, self.biases = np.zeros((PIXELS + LABELS,) * 2), self.taught.mean(axis=0)
        self.shown = int(rng.integers(TESTED))
        self.hidden = np.arange(PIXELS + LABELS) >= PIXELS // 2  # the lower half, and the label
        self.complete_tests()

    def iterate(self) -> None:
        """One batch: settle, ask how the solution depends on couplings, go downhill, and back into the allowed set."""
        batch = self.taught[self.rng.integers(len(self.taught), size=BATCH)]
        hidden = self.rng.random(PIXELS + LABELS) < 0.5
        hidden[PIXELS:] |= self.rng.random() < 0.5
        couplings, biases = self.gradient(batch, hidden)
        self.couplings += LEARNING_RATE * couplings
        self.biases += LEARNING_RATE * biases
        values, vectors = symmetric_eigenpairs(self.couplings)
        allowed = np.clip(values, -self.model.inhibition, self.model.gain)
        with one_blas_thread():
            self.couplings = (vectors * allowed) @ vectors.T

    def gradient(self, batch: Array, hidden: Array) -> tuple[Array, Array]:
        """Of the mean log-likelihood of the hidden units, by couplings (J_ij and J_ji are one) and biases; shapes
        (n, n) and (n,).
        """
        beliefs = self.settled(np.where(hidden, 0.0, batch), hidden, 2 / (2 + self.model.inhibition), SETTLING)
        inner = self.couplings[np.ix_(hidden, hidden)]
        change, biases = np.zeros_like(self.couplings), np.zeros_like(self.biases)
        with one_blas_thread():
            steep = np.eye(len(inner)) - (1 - beliefs[:, hidden, None] ** 2) * inner
            blame = np.linalg.solve(steep, (batch - beliefs)[:, hidden, None])[..., 0] / len(batch)
            change[hidden] = blame.T @ beliefs
        biases[hidden] = blame.sum(axis=0)
        return change + change.T, biases

    def settled(self, start: Array, hidden: Array, damping: float, steps: int) -> Array:
        """Beliefs after so many iterations of the hidden units; the others keep their start."""
        beliefs = start
        with one_blas_thread():
            for _ in range(steps):
                new = np.tanh(beliefs @ self.couplings + self.biases)
                beliefs = np.where(hidden, beliefs + damping * (new - beliefs), beliefs)
        return beliefs

    def complete_tests(self) -> None:
        """Unseen digits, half hidden, from two random starts."""
        rng = np.random.default_rng(1)  # the same starts whenever one looks
        self.answers = [
            self.settled(
                np.where(self.hidden, rng.uniform(-1, 1, self.tested.shape), self.tested), self.hidden,
                self.model.damping, SETTLING,
            )
            for _ in range(2)
        ]  # fmt: skip

    def observe(self) -> dict[str, float]:
        first, second = self.answers
        wrong = (first > 0) != (self.tested > 0)
        label = first[:, PIXELS:].argmax(axis=1) != self.tested[:, PIXELS:].argmax(axis=1)
        return {
            "pixel_error": float(wrong[:, self.hidden][:, :-LABELS].mean()),
            "label_error": float(label.mean()),
            "spread": float(np.sqrt(np.mean((first - second)[:, self.hidden] ** 2)) / 2),
        }

    def pictures(self) -> Mapping[str, core.Picture]:
        return core.Album({"digits": self._digits})

    def _digits(self) -> core.Patterns:
        truth, shape = self.tested[self.shown], (8, 8)
        images = [("seen", np.where(self.hidden, 0.0, truth)[:PIXELS].reshape(shape))]
        for name, answers in zip(("one start", "another start"), self.answers, strict=True):
            answer = answers[self.shown]
            images.append((f"{name}: {answer[PIXELS:].argmax()}", answer[:PIXELS].reshape(shape)))
        images.append((f"truth: {truth[PIXELS:].argmax()}", truth[:PIXELS].reshape(shape)))
        return core.Patterns(tuple(images))


class MonotoneSimulation(core.Simulation["MonotoneBoltzmann"]):
    """Iterations of eq. (2) from many starts, sweeps of eq. (1), or batches of digits, by the words of the choices."""

    time_unit = "iterations"
    relaxation = 80.0

    def prepare(self) -> None:
        self.machine: Machine | DigitMachine = (DigitMachine if self.model.machine == "digits" else Machine)(
            self.model, self.rng
        )
        self.window = 150.0 if self.model.dynamics == "sampling" else 0.0
        if self.model.machine == "digits":
            self.step, self.window = 4.0, 0.0

    def retune(self) -> None:
        self.machine.model = self.model
        if isinstance(self.machine, Machine):
            self.machine.forget()

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            self.machine.iterate()
            if isinstance(self.machine, Machine):  # both, so that they can be seen beside each other
                self.machine.sample()
        if isinstance(self.machine, DigitMachine):
            self.machine.complete_tests()

    def observe(self) -> dict[str, float]:
        return self.machine.observe()

    def picture(self) -> core.Picture:
        return next(iter(self.pictures().values()))

    def pictures(self) -> Mapping[str, core.Picture]:
        return self.machine.pictures()
