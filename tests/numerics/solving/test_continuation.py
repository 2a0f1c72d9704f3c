"""Bracketing and extrapolation inside kernels."""

from __future__ import annotations

import math

import pytest

from mfexplore.numerics.solving.continuation import (
    Bracket,
    extend,
    false_position,
    forget,
    guessed,
    narrowed,
    new_trail,
    only_change,
)


@pytest.mark.parametrize("function", [lambda x: math.exp(x) - 2, lambda x: x**9 - 0.1, lambda x: 1 - 3 * x])
def test_false_position_stays_in_its_bracket_and_converges(function: object) -> None:
    bracket = Bracket(0.0, 2.0, function(0.0), function(2.0), 0)
    for steps in range(60):
        x = false_position(bracket)
        assert bracket.low <= x <= bracket.high
        bracket = narrowed(bracket, x, function(x))  # type: ignore[operator]
        if abs(function(x)) < 1e-14:  # type: ignore[operator]
            break
    assert steps < 40
    assert function(x) == pytest.approx(0, abs=1e-13)  # type: ignore[operator]


def test_a_trail_leads_on_along_the_polynomials_through_its_last_solutions() -> None:
    trail = new_trail()
    assert guessed(trail, 0.9) == (0, 0)
    for k, place in enumerate((0.1, 0.25, 0.5, 0.6)):
        extend(trail, place, 2 - place + 3 * place**2 if k > 0 else 7.0, place if k > 0 else 5.0)
        if k == 0:
            assert guessed(trail, 0.9) == (7, 5)
        if k == 1:
            assert guessed(trail, 0.9)[1] == pytest.approx(5 + (0.9 - 0.1) * (0.25 - 5) / 0.15)
    assert trail.places.tolist() == [0.6, 0.5, 0.25]
    assert guessed(trail, 0.9) == pytest.approx((2 - 0.9 + 3 * 0.81, 0.9))
    forget(trail)
    assert guessed(trail, 0.9) == (0, 0)


def test_the_one_component_that_changes_is_told() -> None:
    before = (0.1, 2.0, 3.0)
    assert only_change(before, before) == -1
    assert only_change(before, (0.1, 2.5, 3.0)) == 1
    assert only_change(before, (0.2, 2.5, 3.0)) == -1
    assert only_change((math.nan, math.nan, math.nan), before) == -1
