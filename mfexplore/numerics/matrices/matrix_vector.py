"""Products of a large dense matrix with a vector, on one thread, at the speed of memory.

A BLAS library starts its own threads for these, which spin on cores that others are using: on a shared machine that
costs ten to a hundred times what it gains. These read the matrix once, in place, and release the GIL.
"""

from __future__ import annotations

from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.aligned import LINE
from mfexplore.numerics.matrices.prefetch import touch

BEGIN = 128  # numbers at the beginning of a row that are asked for ahead of their use


@kernel
def product(matrix, x, out):
    """Write matrix @ x into out. matrix: C-contiguous, (m, n); x: (n,); out: (m,), one float type."""
    zero = out.dtype.type(0.0)
    blocks = out.size // 8
    for b in range(blocks):  # eight rows at a time: as many streams as the processor fetches ahead, once it knows them
        following = min(8 * b + 8, out.size - 8)
        for k in range(8):
            for i in range(0, min(BEGIN, x.size), LINE // matrix.itemsize):
                touch(matrix, following + k, i)
        rows, sums = matrix[8 * b : 8 * b + 8], out[8 * b : 8 * b + 8]
        r0, r1, r2, r3, r4, r5, r6, r7 = rows[0], rows[1], rows[2], rows[3], rows[4], rows[5], rows[6], rows[7]
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = zero
        for i in range(x.size):
            s0 += r0[i] * x[i]
            s1 += r1[i] * x[i]
            s2 += r2[i] * x[i]
            s3 += r3[i] * x[i]
            s4 += r4[i] * x[i]
            s5 += r5[i] * x[i]
            s6 += r6[i] * x[i]
            s7 += r7[i] * x[i]
        sums[0], sums[1], sums[2], sums[3], sums[4], sums[5], sums[6], sums[7] = s0, s1, s2, s3, s4, s5, s6, s7
    for k in range(8 * blocks, out.size):
        row = matrix[k]
        s0 = zero
        for i in range(x.size):
            s0 += row[i] * x[i]
        out[k] = s0


@kernel
def products(matrix, vectors, out):
    """Write matrix @ v for each row v of `vectors` into the rows of `out`: the matrix is read from memory once for all.
    matrix: C-contiguous, (m, n); vectors: (k, n), the same float type; out: (k, m).
    """
    m, k = matrix.shape[0], vectors.shape[0]
    zero = matrix.dtype.type(0.0)
    for b in range(m // 4):
        first, second, third, fourth = matrix[4 * b], matrix[4 * b + 1], matrix[4 * b + 2], matrix[4 * b + 3]
        for c in range(k // 2):  # four rows and two vectors: eight sums from six loads
            u, v = vectors[2 * c], vectors[2 * c + 1]
            s0 = s1 = s2 = s3 = t0 = t1 = t2 = t3 = zero
            for i in range(u.size):
                s0 += first[i] * u[i]
                s1 += second[i] * u[i]
                s2 += third[i] * u[i]
                s3 += fourth[i] * u[i]
                t0 += first[i] * v[i]
                t1 += second[i] * v[i]
                t2 += third[i] * v[i]
                t3 += fourth[i] * v[i]
            for row, sums in ((out[2 * c], (s0, s1, s2, s3)), (out[2 * c + 1], (t0, t1, t2, t3))):
                row[4 * b], row[4 * b + 1], row[4 * b + 2], row[4 * b + 3] = sums
    for c in range(k):
        start = 0 if c == k - 1 and k % 2 == 1 else 4 * (m // 4)
        product(matrix[start:], vectors[c], out[c, start:])


@kernel
def transposed_product(matrix, y, out):
    """Write matrix.T @ y into out. matrix: C-contiguous, (m, n); y: (m,); out: (n,), one float type."""
    out[:] = 0.0
    blocks = y.size // 4
    for b in range(blocks):
        first, second, third, fourth = matrix[4 * b], matrix[4 * b + 1], matrix[4 * b + 2], matrix[4 * b + 3]
        y0, y1, y2, y3 = y[4 * b], y[4 * b + 1], y[4 * b + 2], y[4 * b + 3]
        for i in range(out.size):
            out[i] += (y0 * first[i] + y1 * second[i]) + (y2 * third[i] + y3 * fourth[i])
    for k in range(4 * blocks, y.size):
        row, y0 = matrix[k], y[k]
        for i in range(out.size):
            out[i] += y0 * row[i]
