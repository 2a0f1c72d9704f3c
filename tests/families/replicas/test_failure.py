"""Lines where replica symmetry fails: plain sums on them, their ends, and their inverse by guess."""

from __future__ import annotations

import math

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.optimize import root

from mfexplore.families.replicas.failure import at_line, failures, held_field, temperature_of_failure

Array = NDArray[np.float64]
Z = np.linspace(-9, 9, 20_001)
WEIGHT = np.exp(-Z * Z / 2) / np.exp(-Z * Z / 2).sum()


def slow_margin(temperature: float, field: float, bias: float, entropic: bool) -> float:
    """T times the replicon eigenvalue, or the entropy, of replica symmetry by SciPy on a dense trapezoid rule."""

    def tangents(q: float, m: float) -> tuple[Array, Array]:
        u = (field + bias * m + math.sqrt(abs(q)) * Z) / temperature
        return u, np.tanh(u)

    def gap(state: Array) -> Array:
        _, t = tangents(*state)
        return np.array([WEIGHT @ (t * t), WEIGHT @ t]) - state

    q, m = root(gap, [0.9, 0.9], tol=1e-13).x
    u, t = tangents(q, m)
    if not entropic:
        return float(temperature - WEIGHT @ (1 - t * t) ** 2 / temperature)
    return float(WEIGHT @ (np.logaddexp(u, -u) - u * t) - ((1 - q) / temperature) ** 2 / 4)


@pytest.mark.parametrize("entropic", [False, True])
@pytest.mark.parametrize(("field", "bias"), [(0.3, 0.0), (1.1, 0.0), (0.2, 0.8), (0.0, 1.4), (0.5, 1.7)])
def test_replica_symmetry_is_marginal_on_the_line(field: float, bias: float, entropic: bool) -> None:
    temperature = float(temperature_of_failure(np.array([field]), np.array([bias]), entropic)[0])
    assert slow_margin(temperature, field, bias, entropic) == pytest.approx(0, abs=1e-9)


def test_lines_start_without_a_field_and_fall() -> None:
    none = np.zeros(1)
    assert temperature_of_failure(none, none, False)[0] == 1.0
    assert temperature_of_failure(none, none, True)[0] == pytest.approx(0.2716021, abs=1e-6)
    for entropic in (False, True):
        line = failures(entropic)
        assert (np.diff(line[1]) < 0).all()
        assert (np.diff(line[3]) > 0).all()
    tiny = np.array([1e-6, 1e-5])  # (1 - T)^3 = 3 h^2/4
    np.testing.assert_allclose(
        1 - temperature_of_failure(tiny, 0 * tiny, False), (0.75 * tiny**2) ** (1 / 3), rtol=1e-3
    )


def test_the_guess_of_the_total_field_lies_on_the_line() -> None:
    line = at_line()
    for field, bias in ((0.4, 0.0), (0.1, 0.9), (0.0, 1.5)):
        total = held_field(line, field, bias)
        assert total - bias * np.interp(total, line[0], line[3]) == pytest.approx(field, abs=1e-10)
