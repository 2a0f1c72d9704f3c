"""Prefetching changes nothing but time, and is really asked of the processor."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from mfexplore.numerics.matrices.prefetch import prefetch_row


@numba.njit
def sums(array, order):
    out = np.empty(order.size)
    for k in range(order.size):
        prefetch_row(array, order[min(k + 1, order.size - 1)])
        out[k] = array[order[k]].sum()
    return out


@pytest.mark.parametrize("dtype", [np.int8, np.float32, np.float64])
def test_sums_are_what_they_are_and_the_instruction_is_there(dtype: type, rng: np.random.Generator) -> None:
    array = rng.integers(-9, 9, (30, 70)).astype(dtype)
    order = rng.permutation(30)
    np.testing.assert_array_equal(sums(array, order), array[order].sum(axis=1))
    (code,) = (
        text for signature, text in sums.inspect_llvm().items() if signature[0].dtype == numba.from_dtype(array.dtype)
    )
    assert "call void @llvm.prefetch" in code
