"""Ridge regression on given examples."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.matrices.blas import one_blas_thread

Array = NDArray[Any]


class Fit(NamedTuple):
    """weights: shape (N, tasks); residuals: answers minus those of the fit, shape (P, tasks); inverse: of the smaller
    of two matrices (Gram matrix of the features, kernel of the examples) plus ridge; freedom: trace of what maps
    answers to those of the fit.
    """

    weights: Array
    residuals: Array
    inverse: Array
    freedom: float


def fit(features: Array, answers: Array, ridge: float) -> Fit:
    """Minimise |answers - features weights|^2 + ridge |weights|^2 for several tasks at once, in O(P N min(P, N)).

    Args:
        features: shape (P, N); answers: shape (P, tasks); ridge: positive.
    """
    examples, size = features.shape
    with one_blas_thread():
        if examples < size:
            dual = fit_kernel(features @ features.T, answers, ridge)
            return Fit(features.T @ dual.weights, dual.residuals, dual.inverse, dual.freedom)
        inverse = np.linalg.inv(features.T @ features + ridge * np.eye(size))
        weights = inverse @ (features.T @ answers)
        return Fit(weights, answers - features @ weights, inverse, float(size - ridge * np.trace(inverse)))


def fit_kernel(gram: Array, answers: Array, ridge: float) -> Fit:
    """The same from the kernel of the examples, shape (P, P). weights: shape (P, tasks), one for each example, so that
    the answer to a new one is the weighted sum of its kernel with them.
    """
    with one_blas_thread():
        inverse = np.linalg.inv(gram + ridge * np.eye(len(gram)))
        weights = inverse @ answers
        return Fit(weights, ridge * weights, inverse, float(len(gram) - ridge * np.trace(inverse)))
