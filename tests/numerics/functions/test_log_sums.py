"""Logarithms of sums, beside SciPy's."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import logsumexp

from mfexplore.numerics.functions.log_sums import log_sum_exp


@pytest.mark.parametrize("axis", [0, 1, -1])
def test_it_is_what_scipy_says(axis: int, rng: np.random.Generator) -> None:
    logs = 800 * rng.standard_normal((4, 7))
    logs[0] = -np.inf
    logs[:, 0] = -np.inf
    np.testing.assert_allclose(log_sum_exp(logs, axis), logsumexp(logs, axis=axis), rtol=1e-14)


def test_one_axis_leaves_one_number() -> None:
    assert float(log_sum_exp(np.array([-1000.0, -1000.0]))) == pytest.approx(np.log(2) - 1000)
