"""Small dense systems of linear equations inside kernels, without a library call."""

from __future__ import annotations

from mfexplore.numerics.kernel import kernel


@kernel
def solve_linear(matrix, vector):
    """Solve matrix x = vector by elimination with row pivoting; both are overwritten, `vector` by the solution.

    matrix: shape (n, n); vector: shape (n,). A singular matrix gives numbers that are not finite.
    """
    n = vector.size
    for i in range(n):
        pivot = i
        for r in range(i + 1, n):
            if abs(matrix[r, i]) > abs(matrix[pivot, i]):
                pivot = r
        if pivot != i:
            for c in range(i, n):
                matrix[i, c], matrix[pivot, c] = matrix[pivot, c], matrix[i, c]
            vector[i], vector[pivot] = vector[pivot], vector[i]
        for r in range(i + 1, n):
            factor = matrix[r, i] / matrix[i, i]
            if factor != 0.0:
                for c in range(i + 1, n):
                    matrix[r, c] -= factor * matrix[i, c]
                vector[r] -= factor * vector[i]
    for i in range(n - 1, -1, -1):
        for c in range(i + 1, n):
            vector[i] -= matrix[i, c] * vector[c]
        vector[i] /= matrix[i, i]
