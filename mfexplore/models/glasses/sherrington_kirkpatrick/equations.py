"""The equations of the page a second time, in plain NumPy, to check what the kernels solve."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np

from mfexplore.core import Array

MOST_POINTS = 1200  # of the field; where more were needed (near T = 0, or steps too close) nothing is said


@dataclass(frozen=True)
class Residuals:
    """What eqs. (2) to (6) say of an order parameter: errors of the stationarity conditions by the number of the step,
    and m, the replicon eigenvalue, and f without its part of the bias.
    """

    known: bool
    overlaps: dict[int, float] = field(default_factory=dict)
    breakpoints: dict[int, float] = field(default_factory=dict)
    magnetization: float = math.nan
    replicon: float = math.nan
    free_energy: float = math.nan


def residuals(temperature: float, total: float, q: Array, x: Array) -> Residuals:
    """The nested averages (5) on an even grid of the field, where all that is averaged is smooth; q_0 ... q_k and
    0 = x_0 ... x_k, 1.
    """
    t, k = temperature, len(q) - 1
    variances, exponents = np.diff(q), x[1:-1] / max(t, 1e-300)
    widths = np.sqrt([*variances, *([q[0]] if q[0] > 0 else [])])
    spacing = min([t / 2.2, 0.1, *widths])
    reach = 9 * math.sqrt(q[-1]) + 6 * t
    if not spacing > 2 * reach / MOST_POINTS:
        return Residuals(False)
    y = total + spacing * np.arange(-math.ceil(reach / spacing), math.ceil(reach / spacing) + 1)

    def gaussian(distance: Array, variance: float) -> Array:
        weight = np.exp(-(distance**2) / (2 * variance))
        return np.asarray(weight / weight.sum(axis=-1, keepdims=True))

    phi, slope = t * np.logaddexp(y / t, -y / t), np.tanh(y / t)
    levels: list[tuple[Array, Array]] = [(phi, slope)]
    ways: list[Array] = []
    for i in range(k, 0, -1):
        tilted = gaussian(y - y[:, None], variances[i - 1]) * np.exp(exponents[i - 1] * (phi - phi.max()))
        mean = tilted.sum(axis=1)
        phi, slope = phi.max() + np.log(mean) / exponents[i - 1], tilted @ slope / mean
        levels.insert(0, (phi, slope))
        ways.insert(0, tilted / mean[:, None])
    measure = gaussian(y - total, q[0]) if q[0] > 0 else np.where(y == total, 1.0, 0.0)
    free_energy = -float(measure @ phi) - (1 - q[-1]) ** 2 / (4 * t) + np.sum(exponents * np.diff(q**2)) / 4
    magnetization = float(measure @ slope)
    overlaps, breakpoints = {}, {}
    for i, (phi, slope) in enumerate(levels):
        if i > 0:
            before = measure @ levels[i - 1][0]
            measure = measure @ ways[i - 1]
            breakpoints[i] = float(measure @ phi - before - exponents[i - 1] / 4 * (q[i] ** 2 - q[i - 1] ** 2))
        if k <= 2 or i in (0, k):  # from three steps on the others are placed
            overlaps[i] = float(measure @ slope**2 - q[i])
    replicon = 1 - float(measure @ (1 - slope**2) ** 2) / t**2
    return Residuals(True, overlaps, breakpoints, magnetization, replicon, float(free_energy))
