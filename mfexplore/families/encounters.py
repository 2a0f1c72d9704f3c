"""Random ordered encounters of neighbours on a periodic square lattice, of which a table says what they become.

For species that live on sites, one on each: a rate for each of three kinds of encounter, and a table of what whoever
meets and whoever is met become in it.
"""

from __future__ import annotations

import numpy as np

from mfexplore.numerics.chance.random import advanced, random_word
from mfexplore.numerics.kernel import kernel


@kernel
def encounters(grid, linear, attempts, first, second, third, table, stream):
    """So many encounters, of three kinds at the rates `first`, `second`, `third`; O(1) each.

    `grid` (uint8 of shape (linear^2,), the state of every site) is overwritten; `table` (uint8 of shape (3, states,
    states, 2)) has what (who meets, who is met) become; N (first + second + third) attempts are one unit of time.
    Without branches: nothing here can be foreseen, and a wrong guess of the processor costs more than the rest.
    """
    position = stream[0]
    length = np.uint64(linear)
    scale = (first + second + third) / 1073741824.0
    for k in range(attempts):
        word = random_word(position, k)  # 32 bits for the site, 2 for the neighbour, 30 for the reaction
        place = (word >> np.uint64(32)) * length
        row = np.int64(place >> np.uint64(32))
        column = np.int64(((place & np.uint64(0xFFFFFFFF)) * length) >> np.uint64(32))
        step = np.int64(word & np.uint64(2)) - 1
        across = np.int64(word & np.uint64(1))
        row_2, column_2 = row + step * (1 - across), column + step * across
        row_2 += linear if row_2 < 0 else 0
        row_2 -= linear if row_2 == linear else 0
        column_2 += linear if column_2 < 0 else 0
        column_2 -= linear if column_2 == linear else 0
        site, other = row * linear + column, row_2 * linear + column_2
        pick = np.float64(np.int64((word & np.uint64(0xFFFFFFFF)) >> np.uint64(2))) * scale
        kind = (1 if pick >= first else 0) + (1 if pick >= first + second else 0)
        me, you = grid[site], grid[other]
        grid[site], grid[other] = table[kind, me, you, 0], table[kind, me, you, 1]
    stream[0] = advanced(position, attempts)
