"""One sample of the quantum random energy model: its spectrum, its thermal averages, and how a corner spreads."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ive, jv

from mfexplore import core
from mfexplore.core import Array
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import eigsh, linear_operator
from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs
from mfexplore.numerics.matrices.level_statistics import (
    gap_ratios,
)

if TYPE_CHECKING:
    from mfexplore.models.glasses.quantum_random_energy import QuantumRandomEnergy  # noqa: F401 (what it simulates)

DENSE_SPINS = 10  # up to here the whole spectrum is computed
LOWEST = 20  # eigenstates found exactly above that
VECTORS = 4  # random vectors that stand for the others


@kernel
def apply_hamiltonian(levels, transverse_field, vector, out):
    """H of eq. (1) on a vector, real or complex; configuration i has spin k up where bit k of i is set."""
    count = levels.size
    for i in range(count):
        out[i] = levels[i] * vector[i]
    block = 1
    while block < count:
        for start in range(0, count, 2 * block):
            for i in range(start, start + block):
                out[i] -= transverse_field * vector[i + block]
                out[i + block] -= transverse_field * vector[i]
        block *= 2


def chebyshev_sum(apply: Callable[[Array], Array], bounds: tuple[float, float], c: Array, vector: Array) -> Array:
    """Sum of c_k T_k(h) on a vector, where h is H, shifted and scaled from `bounds` to -1 .. 1."""
    centre, radius = (bounds[0] + bounds[1]) / 2, (bounds[1] - bounds[0]) / 2
    before, now = vector, (apply(vector) - centre * vector) / radius
    total = c[0] * before + c[1] * now
    for coefficient in c[2:]:
        before, now = now, 2 * (apply(now) - centre * now) / radius - before
        total += coefficient * now
    return np.asarray(total)


class QuantumRandomEnergySimulation(core.Simulation["QuantumRandomEnergy"]):
    """One sample: its thermal averages, and the time evolution of one corner of the hypercube."""

    time_unit = "inverse energy units"
    step = 0.25
    relaxation, window = 10.0, 10.0

    def prepare(self) -> None:
        n = self.model.size
        self.levels = self.rng.normal(0, math.sqrt(n / 2), 2**n)
        self.vectors = self.rng.standard_normal((VECTORS, 2**n)) if n > DENSE_SPINS else np.empty((0, 2**n))
        self.start = int(np.argmin(np.abs(self.levels + self.model.energy_density() * n)))
        flips = np.arange(2**n) ^ self.start
        self.distance = np.bitwise_count(flips).astype(np.int64)
        self.state = np.zeros(2**n, np.complex128)
        self.state[self.start] = 1
        self._solved_field = -1.0
        self.retune()

    def retune(self) -> None:
        with one_blas_thread():
            if self.model.transverse_field != self._solved_field:
                self._solved_field = self.model.transverse_field
                self._diagonalise()
            self.thermal = self._thermal_averages()

    def _apply(self, vector: Array) -> Array:
        out = np.empty_like(vector)
        apply_hamiltonian(self.levels, self.model.transverse_field, vector, out)
        return out

    def _diagonalise(self) -> None:
        """Energies (ascending), eigenvectors in columns, and the classical part of each energy."""
        n, field = self.model.size, self.model.transverse_field
        count = self.levels.size
        if n <= DENSE_SPINS:
            matrix = np.diag(self.levels)
            for k in range(n):
                flipped = np.arange(count) ^ (1 << k)
                matrix[np.arange(count), flipped] = -field
            self.energies, self.eigenvectors = symmetric_eigenpairs(matrix)
        elif field == 0:
            order = np.argsort(self.levels, kind="stable")[:LOWEST]
            self.energies = self.levels[order]
            self.eigenvectors = np.zeros((count, LOWEST))
            self.eigenvectors[order, np.arange(LOWEST)] = 1
        else:
            operator = linear_operator((count, count), matvec=lambda v: self._apply(np.ravel(v)), dtype=np.float64)
            start = np.ones(count) + np.where(self.levels < np.partition(self.levels, 8)[8], 30.0, 0.0)
            energies, vectors = eigsh(operator, LOWEST, which="SA", v0=start)
            order = np.argsort(energies)
            self.energies, self.eigenvectors = energies[order], vectors[:, order]
        self.classical = self.levels @ self.eigenvectors**2

    def _thermal_averages(self) -> dict[str, float]:
        """Free energy, energy and transverse magnetization per spin of this sample."""
        m = self.model
        t, n, field = m.temperature, m.size, m.transverse_field
        ground = float(self.energies[0])
        weights = np.exp(-(self.energies - ground) / t) if t > 0 else (self.energies == ground).astype(float)
        z, energy, classical = weights.sum(), weights @ self.energies, weights @ self.classical
        if t > 0 and len(self.energies) < self.levels.size:
            others = np.mean([self._complement(vector, ground) for vector in self.vectors], axis=0)
            z, energy, classical = z + others[0], energy + others[1], classical + others[2]
        return {
            "free_energy": float(ground - t * math.log(z)) / n,
            "energy": float(energy / z) / n,
            "transverse_magnetization": float((classical - energy) / z) / (field * n) if field > 0 else 0.0,
        }

    def _complement(self, vector: Array, ground: float) -> tuple[float, float, float]:
        """(Z, Z times energy, Z times classical energy) of the states not found exactly, estimated by one random
        vector orthogonal to those found, with weights relative to the ground state.
        """
        t = self.model.temperature
        rest = vector - self.eigenvectors @ (self.eigenvectors.T @ vector)
        low, high = self._bounds()
        decay = (high - low) / (4 * t)
        orders = np.arange(int(12 + decay if decay < 30 else 40 + 9 * math.sqrt(decay)))
        coefficients = np.where(orders > 0, 2, 1) * (-1.0) ** orders * ive(orders, decay)
        coefficients *= math.exp((ground - low) / (2 * t)) if (ground - low) / t < 1400 else 0.0
        cooled = chebyshev_sum(self._apply, (low, high), coefficients, rest)
        scale = (self.levels.size - len(self.energies)) / float(rest @ rest)
        return (
            float(cooled @ cooled) * scale,
            float(cooled @ self._apply(cooled)) * scale,
            float(cooled @ (self.levels * cooled)) * scale,
        )

    def _bounds(self) -> tuple[float, float]:
        """Interval that holds the spectrum: the exact ground state below, the sum of the parts above."""
        reach = self.model.size * self.model.transverse_field
        slack = 1e-6 * (1 + reach)
        return float(self.energies[0]) - slack, float(self.levels.max()) + reach + slack

    def evolve(self, duration: float) -> None:
        low, high = self._bounds()
        phase = (high - low) / 2 * duration
        orders = np.arange(int(25 + 1.2 * phase))
        coefficients = np.where(orders > 0, 2, 1) * (-1j) ** orders * jv(orders, phase)
        coefficients *= np.exp(-0.5j * (high + low) * duration)
        self.state = chebyshev_sum(self._apply, (low, high), coefficients, self.state)

    def weights(self) -> Array:
        """Probability to be at every distance from the start, shape (size + 1,)."""
        return np.bincount(self.distance, np.abs(self.state) ** 2, self.model.size + 1)

    def window_states(self) -> slice:
        """Neighbouring eigenstates around the energy of the start, a sixteenth of all."""
        count = len(self.energies)
        half = max(8, count // 32)
        target = int(np.searchsorted(self.energies, -self.model.energy_density() * self.model.size))
        middle = min(max(target, half), count - half)
        return slice(max(middle - half, 0), middle + half)

    def observe(self) -> dict[str, float]:
        weights = self.weights()
        size = self.model.size
        observed = {
            "survival": float(np.abs(self.state[self.start]) ** 2),
            "participation": float(np.sum(np.abs(self.state) ** 4)),
            "distance": float(weights @ np.arange(size + 1)) / size,
            "gap": float(self.energies[1] - self.energies[0]),
        } | self.thermal
        if size <= DENSE_SPINS:
            window = self.window_states()
            participation = np.sum(self.eigenvectors[:, window] ** 4, axis=0)
            observed["level_ratio"] = float(gap_ratios(self.energies[window]).mean())
            observed["fractal_dimension"] = -float(np.log(participation).mean()) / (size * math.log(2))
        return observed

    def samples(self, observable: str | None = None) -> Array:
        return gap_ratios(self.energies[self.window_states()])

    def picture(self) -> core.Density:
        n = self.model.size
        distance = np.arange(n + 1)
        even = np.exp(
            [math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1) - n * math.log(2) for k in distance]
        )
        return core.Density(
            distance / n,
            (("now", self.weights()), ("spread over all corners", even)),
            "fraction of spins flipped since the start", "probability",
            "a corner of the hypercube, released at time 0",
        )  # fmt: skip
