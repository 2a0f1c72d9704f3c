"""Pictures of a line in time."""

from __future__ import annotations

import numpy as np

from mfexplore.families.rasters import Raster


def test_rows_fill_from_the_top_and_then_move_up() -> None:
    raster = Raster(3, 2)
    for moment in range(5):
        raster.add(np.array([moment, 10 * moment]))
        if moment == 1:
            np.testing.assert_array_equal(raster.values, [[0, 0], [1, 10], [-1, -1]])
    np.testing.assert_array_equal(raster.values[:, 0], [2, 3, 4])
