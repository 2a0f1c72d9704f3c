"""Bracketing and extrapolation inside kernels."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mfexplore.numerics.continuation import false_position, narrowed, predicted, remember


@pytest.mark.parametrize("function", [lambda x: math.exp(x) - 2, lambda x: x**9 - 0.1, lambda x: 1 - 3 * x])
def test_false_position_stays_in_its_bracket_and_converges(function: object) -> None:
    bracket = (0.0, 2.0, function(0.0), function(2.0), 0)  # type: ignore[operator]
    for steps in range(60):
        x = false_position(bracket)
        assert bracket[0] <= x <= bracket[1]
        bracket = narrowed(bracket, x, function(x))  # type: ignore[operator]
        if abs(function(x)) < 1e-14:  # type: ignore[operator]
            break
    assert steps < 40
    assert function(x) == pytest.approx(0, abs=1e-13)  # type: ignore[operator]


def test_prediction_is_the_polynomial_through_what_is_known() -> None:
    places, first, second = np.zeros(3), np.zeros(3), np.zeros(3)
    known = 0
    for place in (0.1, 0.25, 0.5, 0.6):
        known = remember(places, first, second, known, place, 2 - place + 3 * place**2, 5.0)
    assert known == 3
    assert places.tolist() == [0.6, 0.5, 0.25]
    assert predicted(places, first, known, 0.9) == pytest.approx(2 - 0.9 + 3 * 0.81)
    assert predicted(places, second, 1, 0.9) == 5.0
    assert predicted(places, places, 2, 0.9) == pytest.approx(0.9)
