"""Arrays at the start of a cache line."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.aligned import aligned


@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.uint64, np.float32])
@pytest.mark.parametrize("shape", [(0,), (1,), (33,), (2, 3, 5)])
def test_zeros_begin_at_a_multiple_of_64_bytes(shape: tuple[int, ...], dtype: type) -> None:
    array = aligned(shape, dtype)
    assert array.shape == shape
    assert array.dtype == dtype
    assert array.ctypes.data % 64 == 0 or array.size == 0
    assert array.flags.c_contiguous
    assert array.flags.writeable
    assert not array.any()
