"""Eigenvalues of symmetric tridiagonal matrices, inside kernels and without Python's lock.

LAPACK's `dsterf`, which SciPy offers, holds the lock all the time; this is its algorithm: QL with implicit shifts, in
the form of Pal, Walker and Kahan, which needs the squares of the off-diagonal elements only and no square root per
rotation. About 1.6 sweeps per eigenvalue, O(n^2) in all.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import precise_block
from mfexplore.numerics.kernel import kernel

SWEEPS = 60  # per eigenvalue; two are usual


@precise_block  # the differences cancel, so their order matters
def ql_sweep(diagonal, squares, low, high):
    """One implicit QL step on the block from `low` to `high`, shifted by an eigenvalue of its first two rows."""
    root = math.sqrt(squares[low])
    sigma = (diagonal[low + 1] - diagonal[low]) / (2.0 * root)
    shift = diagonal[low] - root / (sigma + math.copysign(math.sqrt(sigma * sigma + 1.0), sigma))
    cosine, sine = 1.0, 0.0
    gamma = diagonal[high] - shift
    p = gamma * gamma
    for i in range(high - 1, low - 1, -1):
        square = squares[i]
        r = p + square
        if i != high - 1:
            squares[i + 1] = sine * r
        before = cosine
        cosine = p / r
        sine = square / r
        gamma_before = gamma
        gamma = cosine * (diagonal[i] - shift) - sine * gamma_before
        diagonal[i + 1] = gamma_before + (diagonal[i] - gamma)
        p = gamma * gamma / cosine if cosine != 0.0 else before * square
    squares[low] = sine * p
    diagonal[low] = shift + gamma


@kernel
def ql_without_roots(diagonal, squares):
    """Turn `diagonal` (n) into the eigenvalues, unsorted; `squares` (n, the last is not read) is overwritten."""
    n = diagonal.size
    norm = abs(diagonal[n - 1])
    for i in range(n - 1):
        norm = max(norm, abs(diagonal[i]) + 2.0 * math.sqrt(squares[i]))
    negligible = (1.1e-16 * norm) ** 2
    for low in range(n):
        for sweep in range(SWEEPS + 1):
            high = low
            while high < n - 1 and squares[high] > negligible:
                high += 1
            if high == low:
                break
            if sweep == SWEEPS:
                diagonal[low] = math.nan
                break
            ql_sweep(diagonal, squares, low, high)


def tridiagonal_eigenvalues(diagonal: NDArray[np.float64], squares: NDArray[np.float64]) -> NDArray[np.float64]:
    """All eigenvalues, ascending, to about 1e-15 sqrt(n) of the largest; NaN for what is not a number.

    Args:
        diagonal: shape (n,), n >= 1; squares: of the off-diagonal elements, shape (n - 1,), none negative.
    """
    values = np.array(diagonal, np.float64)
    rest = np.zeros(values.size)
    rest[: values.size - 1] = squares
    ql_without_roots(values, rest)
    values.sort()
    return values
