"""Which points differ, against NumPy's own answer."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.core.distinct import distinct


@given(st.lists(st.tuples(st.integers(0, 3), st.sampled_from([-1.0, 0.0, 0.5])), max_size=30))
def test_as_numpy_finds_them(columns: list[tuple[int, float]]) -> None:
    rows = np.array(columns, float).reshape(-1, 2).T
    first, place = distinct(rows)
    different, at, inverse = np.unique(rows, axis=1, return_index=True, return_inverse=True)
    np.testing.assert_array_equal(rows[:, first], different)
    np.testing.assert_array_equal(first, at)
    np.testing.assert_array_equal(place, inverse.reshape(-1))


def test_rows_of_several_kinds_keep_theirs() -> None:
    size, name = np.array([3, 1, 3]), np.array([0.5, 0.5, 0.5])
    first, place = distinct([size, name])
    assert size[first].dtype == size.dtype
    np.testing.assert_array_equal(size[first][place], size)


@pytest.mark.parametrize("rows", [[np.array([np.nan, np.nan])], [np.zeros(2), np.array([np.nan, np.nan])]])
def test_what_is_no_number_equals_nothing(rows: list[np.ndarray]) -> None:
    assert distinct(rows)[0].size == 2
