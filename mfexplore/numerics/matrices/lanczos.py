"""Lowest eigenvalues of a symmetric matrix that is only known by what it does to a vector (Lanczos 1950)."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.linalg import eigh_tridiagonal, eigvalsh_tridiagonal

from mfexplore.numerics.matrices.blas import one_blas_thread

Floats = NDArray[np.float64]

BETWEEN = 5  # steps between two looks at how far it is
LOOSE = 1e-10  # tolerance from which rounding does not matter


def lowest_eigenpair(
    apply: Callable[[Floats], Floats], start: Floats, tolerance: float = 1e-12, most: int = 300
) -> tuple[Floats, Floats]:
    """The lowest two eigenvalues, shape (2,), and the normalised eigenvector of the first, shape (n,).

    Every new direction is made orthogonal to all before, so that no level appears twice; one that is degenerate appears
    once. What rounding leaves is a part of what has converged, of the order of its last digit over the tolerance (Paige
    1971): above `LOOSE` that is less than the tolerance, and the last two directions are enough. The lowest level is
    converged until its residual is below `tolerance` times the width of the spectrum, the second until below the root
    of that.

    Args:
        apply: the matrix times a vector of shape (n,), n >= 2. start: any vector that has a part of the lowest, and
            others.
        most: steps after which it stops in any case.
    """
    n = len(start)
    basis = np.empty((min(most, n), n))
    diagonal, beside = np.zeros((2, len(basis)))
    with one_blas_thread():
        basis[0] = start / np.linalg.norm(start)
        for k in range(len(basis)):
            new = apply(basis[k])
            diagonal[k] = basis[k] @ new
            if tolerance > LOOSE:
                new -= diagonal[k] * basis[k]
                if k:
                    new -= beside[k - 1] * basis[k - 1]
            else:
                size = np.linalg.norm(new)
                new -= (basis[: k + 1] @ new) @ basis[: k + 1]
                if np.linalg.norm(new) < 0.7 * size:  # then once more, and twice is enough (Kahan, Parlett)
                    new -= (basis[: k + 1] @ new) @ basis[: k + 1]
            beside[k] = np.linalg.norm(new)
            last = k == len(basis) - 1
            if k and (last or k % BETWEEN == 0 or beside[k] < tolerance):
                tridiagonal = diagonal[: k + 1], beside[:k]
                levels, vectors = eigh_tridiagonal(*tridiagonal, select="i", select_range=(0, 1))
                highest = eigvalsh_tridiagonal(*tridiagonal, select="i", select_range=(k, k))[0]
                errors = beside[k] * np.abs(vectors[k]) / (highest - levels[0])
                if last or beside[k] < tolerance or (errors < (tolerance, np.sqrt(tolerance))).all():
                    break
            basis[k + 1] = new / beside[k]
        return levels, vectors[:, 0] @ basis[: k + 1]
