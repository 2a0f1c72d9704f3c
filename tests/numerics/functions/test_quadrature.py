"""The rule of Gauss and Legendre on panels: exact where it must be, and fresh arrays for everybody."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.functions.quadrature import gauss_legendre


@pytest.mark.parametrize("edges", [(0.0, 1.0), (-2.0, 0.5, 3.0), np.array([-1.0, 1.0])])
def test_polynomials_are_integrated_exactly(edges):
    x, weight = gauss_legendre(4, edges)
    assert x.shape == weight.shape == (4 * (len(edges) - 1),)
    for power in range(8):
        exact = (edges[-1] ** (power + 1) - edges[0] ** (power + 1)) / (power + 1)
        assert weight @ x**power == pytest.approx(exact, rel=1e-13, abs=1e-14)
    assert weight @ x**8 != pytest.approx((edges[-1] ** 9 - edges[0] ** 9) / 9, rel=1e-9)


def test_what_one_caller_changes_the_next_does_not_see():
    x, weight = gauss_legendre(5)
    x[:], weight[:] = 0, 0
    assert gauss_legendre(5)[1].sum() == pytest.approx(1.0)
    assert gauss_legendre(5)[0].min() > 0
