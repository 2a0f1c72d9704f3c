"""The iteration: two matrix-vector products, and between them whatever prior and output ask for."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.core import Law
from mfexplore.numerics.matrices.matrix_vector import product, transposed_product

Array = NDArray[np.float64]
STARTS = ("uninformed", "informed")


def random_matrix(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    """F of shape (rows, columns) with entries of variance 1/columns."""
    matrix = rng.standard_normal((rows, columns), dtype=np.float32)
    matrix *= np.float32(1 / math.sqrt(columns))
    return matrix


def projections(matrix: NDArray[np.float32], x: Array) -> Array:
    """F x, with the rounding of `MessagePassing.forward`, so that an exact solution leaves no residual."""
    out = np.empty(matrix.shape[0], np.float32)
    product(matrix, x.astype(np.float32), out)
    return out.astype(np.float64)


class MessagePassing:
    """State of the iteration (1)-(2) of the package. The caller supplies two scalar functions:

    >>> omega, v = passing.forward()
    >>> r, s = passing.backward(g, curvature)      # g of (1) at omega, v; curvature = mean of -dg/domega
    >>> passing.accept(a, variance)                # eta(r, s) and the mean of s * deta/dr

    Attributes:
        matrix: F, float32 of shape (M, N), never copied.
        mean: a, float64 of shape (N,). variance: V. change: mean square of the last change of a.
    """

    def __init__(self, matrix: NDArray[np.float32], mean: Array, variance: float) -> None:
        self.matrix = matrix
        self.mean = mean
        self.variance = variance
        self.output = np.zeros(matrix.shape[0])
        self.change = math.inf
        self._forward = np.empty(matrix.shape[0], np.float32)
        self._backward = np.empty(matrix.shape[1], np.float32)

    def take_in(self, matrix: NDArray[np.float32]) -> None:
        """Go on with a matrix that begins with the rows of the old one; of the others nothing is known yet."""
        self.output = np.concatenate([self.output, np.zeros(matrix.shape[0] - self.matrix.shape[0])])
        self.matrix = matrix
        self._forward = np.empty(matrix.shape[0], np.float32)

    def forward(self) -> tuple[Array, float]:
        """omega, shape (M,), and V of eq. (1)."""
        product(self.matrix, self.mean.astype(np.float32), self._forward)
        return self._forward - self.variance * self.output, self.variance

    def backward(self, output: Array, curvature: float) -> tuple[Array, float]:
        """r, shape (N,), and S of eq. (2), from g of shape (M,) and the mean of -dg/domega (> 0)."""
        rows, columns = self.matrix.shape
        self.output = output
        noise = columns / (rows * curvature)
        transposed_product(self.matrix, output.astype(np.float32), self._backward)
        return self.mean + noise * self._backward, noise

    def accept(self, mean: Array, variance: float) -> None:
        """Take over the new estimate."""
        self.change = float(np.mean((mean - self.mean) ** 2))
        self.mean, self.variance = mean, variance


def noise_law(observable: str, variance: float) -> Law:
    """What the components of r scatter with around the truth: normal, with mean zero."""
    x = np.linspace(-5, 5, 201)
    deviation = math.sqrt(variance)
    density = np.exp(-0.5 * x * x) / math.sqrt(2 * math.pi) / deviation
    return Law(observable, x * deviation, density, "normal, with the variance of state evolution")
