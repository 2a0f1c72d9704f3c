"""Hopfield's replica-symmetric diagram, 128 x 128, both branches, against SciPy's `root` at every point.

SciPy is used as one would: at every point from the retrieval state and from the state without, because where these end
is not known before; averages by Gauss-Hermite quadrature with 64 nodes (which is wrong at low temperature), or by a
trapezoid rule with 801. It runs on every 16th row and column, whose mean cost stands for the whole.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import root

from benchmarks.harness import OURS, Report
from mfexplore.core.solution import columns
from mfexplore.families.memories import GLASS, RETRIEVAL
from mfexplore.models.memory.hopfield import Hopfield

Array = NDArray[np.float64]
SIDE, EVERY = 128, 16
TEMPERATURES, LOADS = np.linspace(0.02, 1.2, SIDE), np.linspace(0.001, 0.2, SIDE)


def averages(m: Array, deviation: Array, temperature: float) -> tuple[Array, ...]:
    """E tanh, E sech^2/T and its derivatives along m and sigma, by a trapezoid rule that is fine enough."""
    step = 0.2 / max(1.0, float(deviation.max()) / temperature)
    z = np.arange(-8.5, 8.5 + step, step)
    weight = np.exp(-z * z / 2)
    weight /= weight.sum()
    t = np.tanh((m[:, None] + deviation[:, None] * z) / temperature)
    # 1 - tanh^2 loses digits where tanh is close to one
    sech2 = np.cosh(np.clip((m[:, None] + deviation[:, None] * z) / temperature, -350, 350)) ** -2.0
    c = sech2 @ weight / temperature
    by_m = -2 * (sech2 * t) @ weight / temperature**2
    by_deviation = deviation * ((4 * sech2 - 6 * sech2**2) @ weight) / temperature**3
    return t @ weight, c, by_m, by_deviation


def polished(m: Array, deviation: Array, load: Array, temperature: float) -> tuple[Array, Array, Array]:
    """(m, q, r) after Newton steps of our own in (m, sigma) on equations (2), (3) of the model, from a solution."""
    centred = not m.any()
    for _ in range(4):
        t, c, by_m, by_deviation = averages(m, deviation, temperature)
        q, k = 1 - temperature * c, 1 - c
        if centred:  # in u = sigma^2, in which the glass begins linearly
            f = k - np.sqrt(load * q) / deviation
            slope = -by_deviation + np.sqrt(load) * (
                0.5 * temperature * by_deviation / (np.sqrt(q) * deviation) + np.sqrt(q) / deviation**2
            )
            deviation = np.sqrt(np.maximum(deviation**2 - 2 * deviation * f / slope, 1e-30))
            continue
        f1, f2 = m - t, deviation * k - np.sqrt(load * q)
        bend = 0.5 * temperature * np.sqrt(load / q) - deviation
        j11, j12, j21, j22 = k, -deviation * by_m, bend * by_m, k + bend * by_deviation
        determinant = j11 * j22 - j12 * j21
        m, deviation = m - (f1 * j22 - f2 * j12) / determinant, deviation - (j11 * f2 - j21 * f1) / determinant
    _, c, _, _ = averages(m, deviation, temperature)
    return m, 1 - temperature * c, (1 - temperature * c) / (1 - c) ** 2


def farthest(table: dict[str, Array]) -> float:
    """Largest distance of m, q and r (relative where r > 1) from the polished roots, over every point and branch."""
    worst = 0.0
    for i, temperature in enumerate(TEMPERATURES):
        for branch in (RETRIEVAL, GLASS):
            m, q, r = (table[n][i, :, branch] for n in ("overlap", "edwards_anderson", "crosstalk"))
            here = np.isfinite(m)
            if not here.any():
                continue
            m, q, r, load = m[here], q[here], r[here], LOADS[here]
            exact = polished(m, np.sqrt(load * r), load, float(temperature))
            worst = max(
                worst,
                float(np.abs(m - exact[0]).max()),
                float(np.abs(q - exact[1]).max()),
                float((np.abs(r - exact[2]) / np.maximum(1, r)).max()),
            )
    return worst


def scipy_points(z: Array, weight: Array) -> list[tuple[float, float, float, float]]:
    """Both branches at the points of the coarse grid as SciPy finds them: (m, q, r), or just (q, r) at m = 0."""
    found = []
    for temperature in TEMPERATURES[::EVERY]:
        for load in LOADS[::EVERY]:

            def retrieval(u: Array, t: float = temperature, a: float = load) -> list[float]:
                tanh = np.tanh((u[0] + math.sqrt(a * abs(u[2])) * z) / t)
                return [weight @ tanh - u[0], weight @ tanh**2 - u[1], u[1] / (1 - (1 - u[1]) / t) ** 2 - u[2]]

            def without(u: Array, t: float = temperature, a: float = load) -> list[float]:
                tanh = np.tanh(math.sqrt(a * abs(u[1])) * z / t)
                return [weight @ tanh**2 - u[0], u[0] / (1 - (1 - u[0]) / t) ** 2 - u[1]]

            m, q, _ = root(retrieval, [1.0, 1.0, 1.0], tol=1e-10).x
            glass = root(without, [0.9, 1.0], tol=1e-10).x
            found.append((m, q, glass[0], glass[1]))
    return found


def race(report: Report) -> None:
    model = Hopfield()
    points = columns(model, {"temperature": TEMPERATURES, "load": LOADS})
    solution = model.solve(points)
    table = {name: values.reshape(SIDE, SIDE, 3) for name, values in solution.values.items()}
    exists = solution.exists(1e-8).reshape(SIDE, SIDE, 3)
    report.check("every point is solved or known not to exist", solution.converged(1e-8).all())
    worst = farthest(table)
    report.check(f"every root within 1e-8 of a polished one (farthest {worst:.1e})", worst < 1e-8)
    gauss_z, gauss_weight = np.polynomial.hermite_e.hermegauss(64)
    dense_z = np.linspace(-8.5, 8.5, 801)
    dense_weight = np.exp(-dense_z * dense_z / 2)
    gauss_weight, dense_weight = gauss_weight / gauss_weight.sum(), dense_weight / dense_weight.sum()
    theirs = np.array(scipy_points(dense_z, dense_weight))
    ours = table["overlap"][::EVERY, ::EVERY, RETRIEVAL].ravel()
    recalled = exists[::EVERY, ::EVERY, RETRIEVAL].ravel()
    same = np.abs(theirs[recalled, 0] - ours[recalled]) < 1e-7
    report.check(
        f"SciPy (801 nodes) finds the same retrieval state at {same.mean():.0%} of its points", same.mean() > 0.9
    )
    coarse = len(TEMPERATURES[::EVERY]) * len(LOADS[::EVERY])
    report.race(
        "Hopfield RS diagram 128 x 128", "points/s", SIDE * SIDE,
        {
            OURS: lambda: (model.solve(points), SIDE * SIDE)[1],
            "SciPy root, 801 nodes": lambda: (scipy_points(dense_z, dense_weight), coarse)[1],
            "SciPy root, 64 nodes": lambda: (scipy_points(gauss_z, gauss_weight), coarse)[1],
        },
        {"SciPy root, 801 nodes": 800},
    )  # fmt: skip
