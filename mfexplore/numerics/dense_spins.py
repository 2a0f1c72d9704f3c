"""Single-spin flips of +-1 variables that are all coupled to each other, as fast as memory delivers the couplings.

Every spin keeps its local field, so that asking whether it flips costs one comparison, and only a flip that is accepted
reads a row of couplings. Instead of drawing a number per question, each spin draws how much energy it may cost
(exponential with mean T); thirty-two spins are asked at once, in SIMD, for the first that accepts. Where the couplings
do not fit into the cache, the others are told of the flips of these thirty-two afterwards, four rows in one pass.

The couplings are float32, or int8 where they are +-1 (a quarter of the traffic); spins and fields then are int16.
"""

from __future__ import annotations

import numpy as np

from mfexplore.numerics.elementary import log
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.random import advanced, uniform

BLOCK = 32
CACHED = 33_554_432  # bytes of couplings that may be hoped to stay in a processor's cache


@kernel
def add_rows(rows, which, count, factor, fields, low, high):
    """Add factor times the sum of some rows to fields[low:high]. which: their numbers, of which `count` are used."""
    kind = fields.dtype.type
    part = fields[low:high]
    k = 0
    while k + 4 <= count:
        a, b = rows[which[k], low:high], rows[which[k + 1], low:high]
        c, d = rows[which[k + 2], low:high], rows[which[k + 3], low:high]
        for i in range(part.size):
            part[i] = kind(part[i] + factor * kind((a[i] + b[i]) + (c[i] + d[i])))
        k += 4
    if k + 2 <= count:
        a, b = rows[which[k], low:high], rows[which[k + 1], low:high]
        for i in range(part.size):
            part[i] = kind(part[i] + factor * kind(a[i] + b[i]))
        k += 2
    if k < count:
        a = rows[which[k], low:high]
        for i in range(part.size):
            part[i] = kind(part[i] + factor * kind(a[i]))


@kernel
def local_fields(rows, spins, fields):
    """Write sum_j rows[i, j] spins[j] into fields[i]. rows: shape (n, n); spins, fields: shape (n,)."""
    kind = fields.dtype.type
    for i in range(fields.size):
        row = rows[i]
        total = 0.0
        for j in range(spins.size):
            total += row[j] * spins[j]
        fields[i] = kind(total)


@kernel
def metropolis_sweeps(rows, spins, fields, scale, shared, field, temperatures, stream):
    """One sweep of Metropolis updates, in order, at each of the temperatures.

    The energy is -scale/2 sum_ij rows_ij s_i s_j - shared/2 sum_(i != j) s_i s_j - field sum_i s_i.

    Args:
        rows: symmetric couplings with zero diagonal, float32 or int8, shape (n, n).
        spins, fields: shape (n,), float32 or int16, overwritten; fields as `local_fields` makes them.
        scale, shared, field: > 0; any; any.
        temperatures: >= 0, shape (sweeps,).
        stream: see numerics.random.

    Returns the number of flips.
    """
    n = spins.size
    kind = fields.dtype.type
    position = stream[0]
    later = rows.nbytes > CACHED
    thresholds = np.empty(BLOCK, np.float32)
    raised, lowered = np.empty(BLOCK, np.int64), np.empty(BLOCK, np.int64)
    total = 0.0
    for i in range(n):
        total += spins[i]
    own = np.float32(shared / scale)
    flips = 0
    for sweep in range(temperatures.size):
        half = 0.5 * temperatures[sweep] / scale
        for begin in range(0, n, BLOCK):
            size = min(BLOCK, n - begin)
            low, high = (begin, begin + size) if later else (0, n)
            ups = downs = 0
            for j in range(BLOCK):
                thresholds[j] = own - half * log(1.0 - uniform(position, j))
            position = advanced(position, BLOCK)
            block_spins, block_fields = spins[begin : begin + size], fields[begin : begin + size]
            start = np.int32(0)
            while start < size:
                common = np.float32((shared * total + field) / scale)
                first = np.int32(BLOCK)
                for j in range(size):
                    cost = np.float32(block_spins[j]) * (np.float32(block_fields[j]) + common)
                    accepts = cost <= thresholds[j] and j >= start
                    first = min(first, np.int32(j) if accepts else np.int32(BLOCK))
                if first >= BLOCK:
                    break
                spin = spins[begin + first]
                spins[begin + first] = -spin
                total -= 2.0 * spin
                change = kind(-2 * spin)
                row, touched = rows[begin + first, low:high], fields[low:high]
                for k in range(touched.size):
                    touched[k] = kind(touched[k] + change * kind(row[k]))
                if later and spin < 0:
                    raised[ups] = begin + first
                    ups += 1
                elif later:
                    lowered[downs] = begin + first
                    downs += 1
                flips += 1
                start = np.int32(first + 1)
            if later:
                for side in ((0, begin), (begin + size, n)):
                    add_rows(rows, raised, ups, kind(2), fields, side[0], side[1])
                    add_rows(rows, lowered, downs, kind(-2), fields, side[0], side[1])
    stream[0] = position
    return flips


@kernel
def energy(spins, fields, scale, shared, field):
    """The energy of `metropolis_sweeps`."""
    bonds = total = 0.0
    for i in range(spins.size):
        bonds += spins[i] * fields[i]
        total += spins[i]
    return -0.5 * scale * bonds - 0.5 * shared * (total * total - spins.size) - field * total
