"""Single-spin flips of +-1 variables that are all coupled to each other, as fast as memory delivers the couplings.

Every spin keeps its local field, so that asking whether it flips costs one comparison, and only a flip that is accepted
reads a row of couplings. Instead of drawing a number per question, each spin draws how much energy it may cost
(exponential with mean T); thirty-two spins are asked at once, in SIMD, for the first that accepts.

Couplings are whole multiples of a unit, because reading them is what takes the time, and because fields then stay exact
however many flips they follow: int8 with int16 fields for couplings of +-1 and for Gaussian ones of many spins, whose
fields are sums of so many that coarser steps are not felt; int16 with int32 fields for Gaussian couplings of fewer
spins. Rows and fields are filled up with zeros to whole vectors.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from mfexplore.families.tempering import exchange
from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.functions.elementary import log_of_normal
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.aligned import aligned

BLOCK = 32
VECTORS = 64  # elements of a row that are read in one turn of a loop, or less
STEPS = 2048  # units of a standard deviation: 16 deviations fit into int16, and no Gaussian number is larger
COARSE_STEPS = 22  # the same of many spins: 5.77 deviations fit into int8, beyond are eight Gaussian numbers in 10^9
MANY = 2048  # spins


class Interaction(NamedTuple):
    """The energy -scale/2 sum_ij rows_ij s_i s_j - shared/2 sum_(i != j) s_i s_j - field sum_i s_i.

    rows: shape (n, width), see `symmetric_couplings`; scale: positive; shared, field: any.
    """

    rows: NDArray[Any]
    scale: float
    shared: float
    field: float


class Copies(NamedTuple):
    """Sets of copies with the same couplings.

    spins, fields: shapes (sets, levels, n) and (sets, levels, width), see `blank`.
    energies: shape (sets, levels), of the copies. holder: the copy at each level of each set.
    """

    spins: NDArray[Any]
    fields: NDArray[Any]
    energies: NDArray[Any]
    holder: NDArray[Any]


def symmetric_couplings(size: int, binary: bool, rng: np.random.Generator) -> tuple[NDArray[np.integer], float]:
    """Random couplings of mean 0 and variance 1 as (whole numbers, their unit).

    The numbers are int8 of +-1, or normal numbers rounded to a 2048th of their deviation, int16, or, above 2048 spins,
    to a 22nd, int8; the unit takes back what rounding adds to the variance. Shape (size, width >= size): a symmetric
    matrix without diagonal, and zeros.
    """
    steps = COARSE_STEPS if size > MANY else STEPS
    rows = aligned((size, -(-size // VECTORS) * VECTORS), np.int8 if binary or size > MANY else np.int16)
    largest = np.iinfo(rows.dtype).max
    for i in range(1, size):
        if binary:
            rows[i, :i] = 2 * rng.integers(0, 2, i, np.int8) - 1
        else:
            rows[i, :i] = np.rint(steps * rng.standard_normal(i)).clip(-largest, largest)
        rows[:i, i] = rows[i, :i]
    return rows, 1.0 if binary else (steps**2 + 1 / 12) ** -0.5


def blank(rows: NDArray[np.integer], *copies: int) -> tuple[NDArray[np.integer], NDArray[np.integer]]:
    """(spins, fields) for these couplings, zeros of shapes (*copies, size) and (*copies, width), of a type that holds
    any field of less than 32768 spins with couplings of +-1, and 1489/sqrt(size) standard deviations of one with
    Gaussian int8 couplings (11 for 16384 spins; in the SK model 5 are never seen).
    """
    kind = np.int16 if rows.dtype == np.int8 else np.int32
    return aligned((*copies, len(rows)), kind), aligned((*copies, rows.shape[1]), kind)


@kernel
def local_fields(rows, spins, fields):
    """Write sum_j rows[i, j] spins[j] into fields[i]. rows: shape (n, width); spins: (n,); fields: (width,)."""
    kind = fields.dtype.type
    for i in range(spins.size):
        row = rows[i]
        total = 0.0
        for j in range(spins.size):
            total += row[j] * spins[j]
        fields[i] = kind(total)


@kernel
def metropolis_sweeps(interaction, spins, fields, temperatures, stream):
    """One sweep of Metropolis updates, in order, at each of the temperatures.

    Args:
        spins, fields: shapes (n,) and (width,), see `blank`, overwritten; fields as `local_fields` makes them.
        temperatures: >= 0, shape (sweeps,).
        stream: see numerics.chance.random.

    Returns the number of flips.
    """
    rows, scale, shared, field = interaction.rows, interaction.scale, interaction.shared, interaction.field
    n = spins.size
    kind = fields.dtype.type
    position = stream[0]
    thresholds = np.empty(BLOCK, np.float32)
    total = 0.0
    for i in range(n):
        total += spins[i]
    own = np.float32(shared / scale)
    flips = 0
    for sweep in range(temperatures.size):
        half = 0.5 * temperatures[sweep] / scale
        for begin in range(0, n, BLOCK):
            size = min(BLOCK, n - begin)
            for j in range(BLOCK):
                thresholds[j] = own - half * log_of_normal(1.0 - uniform(position, j), 0.0)
            position = advanced(position, BLOCK)
            block_spins, block_fields = spins[begin : begin + size], fields[begin : begin + size]
            start = np.uint16(0)
            while start < size:
                common = np.float32((shared * total + field) / scale)
                first = np.uint16(BLOCK)
                for j in range(size):
                    cost = np.float32(block_spins[j]) * (np.float32(block_fields[j]) + common)
                    here = np.uint16(j)
                    candidate = here if cost <= thresholds[j] and here >= start else np.uint16(BLOCK)
                    first = candidate if candidate < first else first
                if first >= BLOCK:
                    break
                spin = spins[begin + first]
                spins[begin + first] = -spin
                total -= 2.0 * spin
                change = kind(-2 * spin)
                site = begin + np.int64(first)
                for k in range(fields.size):
                    fields[k] = kind(fields[k] + change * kind(rows[site, k]))
                flips += 1
                start = np.uint16(first + 1)
    stream[0] = position
    return flips


@kernel
def energy(interaction, spins, fields):
    """The energy of spins whose local fields are known."""
    bonds = total = 0.0
    for i in range(spins.size):
        bonds += spins[i] * fields[i]
        total += spins[i]
    every = total * total - spins.size
    return -0.5 * interaction.scale * bonds - 0.5 * interaction.shared * every - interaction.field * total


@kernel
def tempered_sweeps(interaction, copies, temperatures, rates, start, count, stream):
    """Sweeps of independent sets of copies, each set on a ladder of temperatures, trading places after each sweep.

    Args:
        temperatures: of the levels. rates: shape (levels - 1,), see `exchange`.
        start: number of the first sweep.
    """
    for sweep in range(start, start + count):
        for a in range(copies.holder.shape[0]):
            holder, energies = copies.holder[a], copies.energies[a]
            for level in range(temperatures.size):
                copy = holder[level]
                spins, fields = copies.spins[a, copy], copies.fields[a, copy]
                metropolis_sweeps(interaction, spins, fields, temperatures[level : level + 1], stream)
                energies[copy] = energy(interaction, spins, fields)
            exchange(energies, temperatures, holder, sweep % 2, stream, rates)
