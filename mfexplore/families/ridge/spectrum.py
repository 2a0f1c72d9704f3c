"""Learning curves of ridge regression from the spectrum of its features."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]
MOST_STEPS = 200


class Spectrum(NamedTuple):
    """Directions of feature space, those of one eigenvalue together. All of shape (levels,).

    eigenvalues: of the covariance of the features, not negative; multiplicity: how many directions have it; power: the
    variance of the answers that a readout of all these directions explains.
    """

    eigenvalues: Array
    multiplicity: Array
    power: Array


class Learning(NamedTuple):
    """What is learnt at n points, arrays of shape (n,).

    effective_ridge: kappa; freedom: d; left: P minus the sum in the denominator of (3), how many examples are left to
    average over; residual: of (2), relative.
    """

    effective_ridge: Array
    freedom: Array
    left: Array
    test_error: Array
    train_error: Array
    residual: Array


@kernel
def effective_ridge(examples, ridge, eigenvalues, multiplicity):
    """The root kappa of (2): P kappa - kappa d(kappa) is convex, so that Newton's steps from above never overshoot."""
    total = 0.0
    for k in range(eigenvalues.size):
        total += multiplicity[k] * eigenvalues[k]
    kappa = (ridge + total) / examples
    for _ in range(MOST_STEPS):
        freedom = pinned = 0.0
        for k in range(eigenvalues.size):
            share = eigenvalues[k] / (eigenvalues[k] + kappa)
            freedom += multiplicity[k] * share
            pinned += multiplicity[k] * share * share
        step = (kappa * (examples - freedom) - ridge) / (examples - pinned)
        kappa -= step
        if step <= 2e-16 * kappa:
            break
    return kappa


@kernel
def fill_learning(examples, ridge, noise, spectrum, out):
    """Write (2) and (3) into a Learning. examples, ridge > 0, noise (all that no direction explains): shape (n,)."""
    for i in range(examples.size):
        kappa = effective_ridge(examples[i], ridge[i], spectrum.eigenvalues, spectrum.multiplicity)
        freedom = soft = missed = 0.0
        for k in range(spectrum.eigenvalues.size):
            share = spectrum.eigenvalues[k] / (spectrum.eigenvalues[k] + kappa)
            freedom += spectrum.multiplicity[k] * share
            soft += spectrum.multiplicity[k] * share * (1.0 - share)
            missed += spectrum.power[k] * (1.0 - share) ** 2
        fitted = ridge[i] / kappa  # P - d, without the difference
        left = fitted + soft
        test = (noise[i] + missed) * examples[i] / left
        out.effective_ridge[i], out.freedom[i], out.left[i] = kappa, freedom, left
        out.test_error[i] = test
        out.train_error[i] = (fitted / examples[i]) ** 2 * test
        out.residual[i] = abs(kappa * (examples[i] - freedom) - ridge[i]) / (kappa * examples[i])


def learning(examples: Array, ridge: Array, noise: Array, spectrum: Spectrum) -> Learning:
    """Theory of ridge regression at n points.

    Args:
        examples, ridge, noise: P, nu > 0 and the variance that no direction explains, of shape (n,).
    """
    out = Learning(*np.empty((6, len(examples))))
    p, nu, rest = (np.asarray(column, np.float64) for column in (examples, ridge, noise))
    fill_learning(p, nu, rest, spectrum, out)
    return out
