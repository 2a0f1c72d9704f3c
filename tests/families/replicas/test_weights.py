"""Weights of the states of a glass: the distribution of their participation has the known moments."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.families.replicas.weights import participation_law


@pytest.mark.parametrize("breakpoint", [0.1, 0.5, 0.9])
def test_participation_law_has_the_known_moments(breakpoint: float) -> None:
    y, cumulative = participation_law(breakpoint)
    weight, centre = np.diff(cumulative), (y[1:] + y[:-1]) / 2
    mean = 1 - breakpoint
    assert weight @ centre == pytest.approx(mean, abs=1e-3)
    assert weight @ centre**2 == pytest.approx((mean + 2 * mean**2) / 3, abs=2e-3)
