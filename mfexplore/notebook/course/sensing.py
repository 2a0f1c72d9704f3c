"""Sensing and hard phases: compressed sensing."""

from __future__ import annotations

import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize_scalar
from scipy.special import ndtr

from mfexplore.core.catalogue import system
from mfexplore.notebook.lessons import Exercise

SPARSITY = 0.1


def _density(t: float) -> float:
    return float(np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi))


def _needed(threshold: float) -> float:
    """The rate of measurement that soft thresholding needs at a threshold, eq. (4) of the lesson."""
    wrong = (1 + threshold**2) * float(ndtr(-threshold)) - threshold * _density(threshold)
    return SPARSITY * (1 + threshold**2) + 2 * (1 - SPARSITY) * wrong


def _crossing(name: str) -> float:
    return float(system("compressed_sensing")(sparsity=SPARSITY, noise=1e-10).landmark(name, "measurement_rate")[0])


EXERCISES = {
    "error_of_zeros": Exercise(
        lambda: 2 * quad(lambda t: (t - 1) ** 2 * _density(t), 1, np.inf)[0], 0.002,
        "Only noise beyond the threshold gets through: $2\\int_1^\\infty(t-1)^2\\varphi(t)\\,dt$.",
        "$2[(1+\\lambda^2)\\Phi(-\\lambda)-\\lambda\\varphi(\\lambda)]=0.151$ for $\\lambda=1$: six sevenths of the "
        "noise is "
        "gone.",
    ),
    "tenth_by_lasso": Exercise(
        lambda: _crossing("donoho_tanner"), 0.005,
        "Minimize (4) over $\\lambda$ at $\\rho=0.1$; a fine grid will do.",
        "About three measurements for every component that is not zero.",
    ),
    "best_threshold": Exercise(
        lambda: float(minimize_scalar(_needed, bounds=(0.1, 4.0), method="bounded").x), 0.05,
        "The $\\lambda$ at which that minimum was.",
        "A sparser signal wants a higher threshold: more zeros to keep quiet, fewer others to spoil.",
    ),
    "tenth_by_bayes": Exercise(
        lambda: _crossing("spinodal"), 0.005,
        "`CompressedSensing(sparsity=0.1, noise=1e-10).landmark(\"spinodal\", \"measurement_rate\")`.",
        "To know the law of the signal saves a third of the measurements. What is left above $\\alpha=\\rho$ is hard, "
        "not "
        "impossible.",
    ),
}  # fmt: skip
