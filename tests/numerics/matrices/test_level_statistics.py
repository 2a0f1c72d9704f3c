"""Gap ratios of levels that ignore or repel each other."""

from __future__ import annotations

import math

import numpy as np
import pytest
from cases import reference_values

from mfexplore.numerics.matrices.level_statistics import (
    ORTHOGONAL_RATIO,
    POISSON_RATIO,
    gap_ratios,
    orthogonal_ratio_density,
    poisson_ratio_density,
    repelling_ratio,
    repelling_spacing_density,
)

REFERENCES = {v["id"]: v["value"] for v in reference_values("rmt")}


def mean(density) -> float:
    r = np.linspace(0, 1, 20_001)
    assert np.trapezoid(density(r), r) == pytest.approx(1, abs=1e-8)
    return float(np.trapezoid(r * density(r), r))


def test_reference_values() -> None:
    poisson, orthogonal, *_, surmise = REFERENCES["rstat_ref"]
    assert pytest.approx(poisson, abs=1e-15) == POISSON_RATIO
    assert mean(poisson_ratio_density) == pytest.approx(poisson, abs=1e-8)
    assert pytest.approx(orthogonal, abs=5e-5) == ORTHOGONAL_RATIO
    assert mean(orthogonal_ratio_density) == pytest.approx(surmise, abs=1e-8)


def test_ratios_of_a_known_spectrum() -> None:
    np.testing.assert_allclose(gap_ratios(np.array([0.0, 1, 3, 4, 4, 4])), [0.5, 0.5, 0, 0])


def test_independent_levels(rng: np.random.Generator) -> None:
    ratios = gap_ratios(np.sort(rng.random(40_000)))
    assert ratios.mean() == pytest.approx(POISSON_RATIO, abs=5 * ratios.std() / math.sqrt(20_000))


def test_levels_of_symmetric_matrices(rng: np.random.Generator) -> None:
    def spectrum(n: int) -> np.ndarray:
        a = rng.normal(size=(n, n))
        return np.linalg.eigvalsh(a + a.T)

    small = np.concatenate([gap_ratios(spectrum(3)) for _ in range(6000)])
    assert small.mean() == pytest.approx(4 - 2 * math.sqrt(3), abs=5 * small.std() / math.sqrt(6000))
    large = np.concatenate([gap_ratios(spectrum(60)) for _ in range(150)])
    assert large.mean() == pytest.approx(ORTHOGONAL_RATIO, abs=5 * large.std() / math.sqrt(4000))


def test_levels_of_hermitian_and_self_dual_matrices(rng: np.random.Generator) -> None:
    """The published ratios of the other two classes, which repel more strongly."""
    *_, unitary, symplectic, _ = REFERENCES["rstat_ref"]

    def gaussian(n: int) -> np.ndarray:
        return rng.normal(size=(n, n)) + 1j * rng.normal(size=(n, n))

    def hermitian(n: int) -> np.ndarray:
        a = gaussian(n)
        return np.linalg.eigvalsh(a + a.conj().T)

    def self_dual(n: int) -> np.ndarray:
        a, b = gaussian(n), gaussian(n)
        a, b = a + a.conj().T, b - b.T
        return np.linalg.eigvalsh(np.block([[a, b], [-b.conj(), a.conj()]]))[::2]  # every level is there twice

    for spectrum, expected in ((hermitian, unitary), (self_dual, symplectic)):
        ratios = np.concatenate([gap_ratios(spectrum(60)) for _ in range(120)])
        assert ratios.mean() == pytest.approx(expected, abs=5 * ratios.std() / math.sqrt(3000))


def test_levels_that_repel_have_the_ratios_of_the_known_ensembles() -> None:
    """Atas, Bogomolny, Giraud and Roux (2013) for large matrices of beta = 1, 2, 4; independent levels exactly."""
    found = repelling_ratio(np.array([[0.0, 1.0], [2.0, 4.0]]))
    np.testing.assert_allclose(found, [[POISSON_RATIO, 0.5307], [0.5996, 0.6744]], atol=2e-3)
    assert found[0, 0] == pytest.approx(POISSON_RATIO, abs=1e-6)


@pytest.mark.parametrize("beta", [0.0, 0.02, 1.0, 2.0, 10.0])
def test_spacings_are_normalised_and_have_mean_one(beta: float) -> None:
    s = np.linspace(0, 30, 300_001)[1:] - 5e-5
    density = repelling_spacing_density(beta, s)
    assert np.sum(density) * 1e-4 == pytest.approx(1, abs=3e-3)
    assert np.sum(s * density) * 1e-4 == pytest.approx(1, abs=3e-3)


def test_spacings_are_those_of_poisson_and_nearly_those_of_wigner() -> None:
    s = np.linspace(0.01, 3, 60)
    np.testing.assert_allclose(repelling_spacing_density(0.0, s), np.exp(-s), atol=2e-3)
    unitary = 32 / np.pi**2 * s**2 * np.exp(-4 / np.pi * s**2)
    np.testing.assert_allclose(repelling_spacing_density(2.0, s), unitary, atol=0.02)
