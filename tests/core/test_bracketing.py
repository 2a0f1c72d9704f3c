"""Bracketed roots of many equations at once."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.core.bracketing import bisected, bracketed_roots


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.sampled_from([1, 3, 7]))
def test_roots_of_odd_powers(places: list[float], power: int) -> None:
    """Also where the root is flat, and false position alone would creep."""
    expected = np.array(places)
    found = bracketed_roots(
        lambda x, which: (x - expected[which]) ** power, np.full(expected.shape, -4.0), 5 + 0 * expected
    )
    np.testing.assert_allclose(found, expected, atol=1e-13 if power == 1 else 2e-5 if power == 3 else 5e-3)


def test_known_values_at_the_ends_are_used() -> None:
    calls = []

    def function(x: np.ndarray, which: np.ndarray) -> np.ndarray:
        calls.append(x.size)
        return np.cos(x) - which

    found = bracketed_roots(function, np.zeros(2), np.array([3.0, 0.0]), (np.array([1.0, 0.0]), np.array([-0.9, 0.0])))
    np.testing.assert_allclose(found, [np.pi / 2, 0.0], atol=1e-14)
    assert set(calls) == {1}
    assert len(calls) < 12


@given(st.lists(st.floats(-3, 3), min_size=1, max_size=20), st.booleans())
def test_ends_of_conditions(places: list[float], upwards: bool) -> None:
    """Whether the condition holds on the left or on the right."""
    expected, ends = np.array(places), (np.full(len(places), -4.0), np.full(len(places), 5.0))
    low, high = ends if upwards else ends[::-1]
    found = bisected(lambda x: (x < expected) == upwards, low, high)
    np.testing.assert_allclose(found, expected, atol=1e-14)
