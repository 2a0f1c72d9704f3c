"""Inverses of small dense matrices inside kernels, without a library call."""

from __future__ import annotations

import math

from mfexplore.numerics.kernel import kernel


@kernel
def invert_positive(matrix, inverse):
    """Write the inverse of a symmetric positive definite matrix; return the logarithm of its determinant.

    matrix: shape (n, n), its lower triangle is overwritten by the Cholesky factor; inverse: shape (n, n), overwritten.
    Returns NaN, and leaves `inverse` undefined, if the matrix is not positive definite.
    """
    n = matrix.shape[0]
    log_determinant = 0.0
    for i in range(n):
        row = matrix[i]
        for j in range(i):
            other = matrix[j]
            value = row[j]
            for k in range(j):
                value -= row[k] * other[k]
            row[j] = value / other[j]
        pivot = row[i]
        for k in range(i):
            pivot -= row[k] * row[k]
        if not pivot > 0.0:
            return math.nan
        row[i] = math.sqrt(pivot)
        log_determinant += math.log(pivot)
    # Rows of the inverse of the factor, then their products
    for i in range(n):
        row = inverse[i]
        for j in range(n):
            row[j] = 0.0
        row[i] = 1.0 / matrix[i, i]
        for k in range(i):
            factor = -matrix[i, k] / matrix[i, i]
            above = inverse[k]
            for j in range(k + 1):
                row[j] += factor * above[j]
    for i in range(n):
        for j in range(i + 1):
            value = 0.0
            for k in range(i, n):
                value += inverse[k, i] * inverse[k, j]
            matrix[i, j] = value
    for i in range(n):
        for j in range(i + 1):
            inverse[i, j] = matrix[i, j]
            inverse[j, i] = matrix[i, j]
    return log_determinant


@kernel
def invert(matrix, inverse):
    """Write the inverse of any square matrix, by elimination with row pivoting; `matrix` is overwritten.

    A singular matrix gives numbers that are not finite.
    """
    n = matrix.shape[0]
    for i in range(n):
        for j in range(n):
            inverse[i, j] = 1.0 if i == j else 0.0
    for i in range(n):
        pivot = i
        for r in range(i + 1, n):
            if abs(matrix[r, i]) > abs(matrix[pivot, i]):
                pivot = r
        if pivot != i:
            for c in range(n):
                matrix[i, c], matrix[pivot, c] = matrix[pivot, c], matrix[i, c]
                inverse[i, c], inverse[pivot, c] = inverse[pivot, c], inverse[i, c]
        scale = 1.0 / matrix[i, i]
        for c in range(n):
            matrix[i, c] *= scale
            inverse[i, c] *= scale
        for r in range(n):
            factor = matrix[r, i]
            if r != i and factor != 0.0:
                for c in range(n):
                    matrix[r, c] -= factor * matrix[i, c]
                    inverse[r, c] -= factor * inverse[i, c]
