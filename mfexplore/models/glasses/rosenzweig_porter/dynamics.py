"""One matrix, diagonalised, and the decay of particles released on its sites."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs
from mfexplore.numerics.matrices.level_statistics import gap_ratios

if TYPE_CHECKING:
    from mfexplore.models.glasses.rosenzweig_porter import RosenzweigPorter  # noqa: F401 (what it simulates)

SMALL_ONES = 4  # matrices of a quarter of the size, whose scatter would dominate otherwise
NEAR = 0.3  # distance in energy over which the density of site energies hardly changes
DETUNINGS = np.linspace(-4, 4, 42)  # edges of the bins in which the weight of a state is measured


def random_matrix(size: int, gamma: float, hopping: float, rng: np.random.Generator) -> tuple[Array, Array]:
    """Site energies and matrix of eq. (1)."""
    sites = rng.standard_normal(size)
    matrix = rng.standard_normal((size, size))
    matrix += matrix.T
    matrix *= hopping * size ** (-gamma / 2) / math.sqrt(2)
    matrix[np.diag_indices(size)] += sites
    return sites, matrix


class RosenzweigPorterSimulation(core.Simulation["RosenzweigPorter"]):
    """One matrix, diagonalised (and a few of a quarter of the size beside it, for the fractal dimension); live, the
    decay of particles released on sites at the energy looked at.
    """

    time_unit = "decay times 1/(2Γ)"
    step = 0.05
    relaxation, window = 0.0, 0.0

    def prepare(self) -> None:
        m = self.model
        with one_blas_thread():
            self.sites, matrix = random_matrix(m.size, m.gamma, m.hopping, self.rng)
            self.energies, self.eigenvectors = symmetric_eigenpairs(matrix)
            self.weights = self.eigenvectors**2
            small = [random_matrix(m.size // 4, m.gamma, m.hopping, self.rng)[1] for _ in range(SMALL_ONES)]
            self.small_pairs = [symmetric_eigenpairs(matrix) for matrix in small]
        self.retune()

    def window_of(self, energies: Array) -> slice:
        """The quarter of the states around the energy looked at."""
        count = len(energies)
        half = max(2, count // 8)
        middle = min(max(int(np.searchsorted(energies, self.model.energy)), half), count - half)
        return slice(middle - half, middle + half)

    def near(self) -> slice:
        """The states whose energy is, compared with the spread of the sites, the one looked at."""
        energy = self.model.energy
        low, high = np.searchsorted(self.energies, [energy - NEAR, energy + NEAR])
        return slice(int(low), int(high)) if high - low >= 4 else self.window_of(self.energies)

    def retune(self) -> None:
        m = self.model
        chosen = self.window_of(self.energies)
        eta = m.broadening()
        inverse = np.sum(self.weights[:, chosen] ** 2, axis=0)
        small = [np.sum(vectors[:, self.window_of(e)] ** 4, axis=0) for e, vectors in self.small_pairs]
        with one_blas_thread():
            self.local_density = self.weights @ (eta / math.pi / ((m.energy - self.energies) ** 2 + eta**2))
        self.released = np.argsort(np.abs(self.sites - m.energy), kind="stable")[: max(4, m.size // 8)]
        self.decay_time = m.decay_time()
        self.static = {
            "fractal_dimension": float(np.mean(np.log(small)) - np.mean(np.log(inverse)))
            / math.log(m.size / (m.size // 4)),
            "level_ratio": float(gap_ratios(self.energies[chosen]).mean()),
            "inverse_participation": float(inverse.mean()),
            "log_local_density": float(np.log10(self.local_density).mean()),
        }

    def evolve(self, duration: float) -> None:
        """Nothing to integrate: the spectrum gives the state at any time."""

    def observe(self) -> dict[str, float]:
        return {"survival": self.survival(self.time)} | self.static

    def survival(self, time: float) -> float:
        """Mean probability to be still (or again) on the site of release, after `time` decay times."""
        phases = np.exp(-1j * self.energies * time * self.decay_time)
        with one_blas_thread():
            amplitudes = self.weights[self.released] @ np.stack([phases.real, phases.imag], axis=1)
        return float(np.mean(np.sum(amplitudes**2, axis=1)))

    def samples(self, observable: str | None = None) -> Array:
        return np.log10(self.local_density)

    def profiles(self) -> dict[str, core.Measured]:
        """Mean weight on the sites of a bin of detuning, in the units of A of eq. (3)."""
        chosen = self.near()
        detuning = self.sites[:, None] - self.energies[chosen]
        weight = self.weights[:, chosen] * self.model.size * self.model.density()
        bins = len(DETUNINGS) - 1
        place = np.floor((detuning - DETUNINGS[0]) / (DETUNINGS[1] - DETUNINGS[0])).astype(np.intp)
        inside = (place >= 0) & (place < bins)
        place, weight = place[inside], weight[inside]
        count, sums, squares = (np.bincount(place, w, bins) for w in (None, weight, weight**2))
        mean = sums / count
        error = np.sqrt(np.maximum(squares / count - mean**2, 0) / np.maximum(count - 1, 1))
        return {"local_density_of_states": core.Measured((DETUNINGS[1:] + DETUNINGS[:-1]) / 2, mean, error)}

    def picture(self) -> core.Density:
        m = self.model
        width = m.width()
        reach = min(4.0, max(12 * width, 60 / m.size))
        edges = np.linspace(-reach, reach, 82)
        chosen = self.near()
        detuning = self.sites[:, None] - self.energies[chosen]
        weight, _ = np.histogram(detuning, edges, weights=self.weights[:, chosen])
        centres = (edges[1:] + edges[:-1]) / 2
        curves = (
            ("measured", weight / (chosen.stop - chosen.start) / (edges[1] - edges[0])),
            ("theory, eq. (3)", m.weight_profile(edges)),
        )
        return core.Density(
            centres, curves, "site energy minus energy of the state", "weight per energy",
            "where in energy the sites of an eigenstate are",
        )  # fmt: skip
