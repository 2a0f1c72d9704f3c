"""Normal modes of bosons against the equations of motion, and two coupled ones in closed form."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.bogoliubov import normal_modes


def test_two_modes_that_squeeze_each_other() -> None:
    """A = 1, B_12 = b: both frequencies are sqrt(1 - b^2), <a^+ a> = (1/sqrt(1 - b^2) - 1)/2."""
    b = 0.6
    frequencies, correlations = normal_modes(np.eye(2), np.array([[0, b], [b, 0]]))
    np.testing.assert_allclose(frequencies, 0.8)
    np.testing.assert_allclose(np.diag(correlations), 0.5 / 0.8)
    assert correlations[0, 3] == pytest.approx(-0.5 * b / 0.8)


def test_frequencies_are_those_of_the_equations_of_motion(rng: np.random.Generator) -> None:
    n = 7
    a = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
    b = rng.standard_normal((n, n)) + 1j * rng.standard_normal((n, n))
    normal, anomalous = a @ a.conj().T + 10 * np.eye(n), b + b.T
    frequencies, correlations = normal_modes(normal, anomalous)
    motion = np.block([[normal, anomalous], [-anomalous.conj(), -normal.conj()]])
    levels = np.linalg.eigvals(motion)
    np.testing.assert_allclose(frequencies, np.sort(levels.real[levels.real > 0]), rtol=1e-9)
    energy = np.trace(normal @ correlations[:n, :n]) + np.trace(anomalous.conj() @ correlations[:n, n:])
    assert energy.real == pytest.approx(frequencies.sum() / 2)  # zero-point energy, symmetrised


def test_a_saddle_is_refused() -> None:
    with pytest.raises(np.linalg.LinAlgError):
        normal_modes(np.eye(1), np.array([[2.0]]))
