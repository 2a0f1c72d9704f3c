"""Kuramoto oscillators, N = 10^5, Heun's method with noise, against NumPy and against the same arithmetic in C."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import OURS, Missing, Report, available, c_function
from mfexplore.families import oscillators
from mfexplore.numerics.chance.random import new_stream

Array = NDArray[np.float64]
N, STEP, COUPLING = 100_000, 0.02, 2.0


def numpy_heun(theta: Array, omega: Array, noise: float, steps: int, rng: np.random.Generator) -> Array:
    """The same method as one writes it with NumPy."""

    def drift(phases: Array) -> Array:
        z = np.exp(1j * phases).mean()
        return omega + COUPLING * (z.imag * np.cos(phases) - z.real * np.sin(phases))

    for _ in range(steps):
        kick = math.sqrt(2 * noise * STEP) * rng.standard_normal(N) if noise else 0.0
        first = drift(theta)
        theta = theta + 0.5 * STEP * (first + drift(theta + STEP * first + kick)) + kick
    return theta


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    begin, omega = rng.random(N) * 2 * np.pi, rng.standard_normal(N)
    stream = new_stream(rng)
    state = oscillators.start("incoherent", omega, rng)
    theta = state.theta
    theta[:] = begin

    def ours(noise: float, steps: int) -> None:
        state.sine[:], state.cosine[:] = np.sin(theta), np.cos(theta)
        oscillators.heun_globally(state, COUPLING, noise, STEP, steps, stream)

    c_heun = c_function("kuramoto", "heun", None, "-fno-math-errno", "-fno-trapping-math", "-fopenmp-simd")
    c_theta, others = begin.copy(), np.empty((5, N))

    def in_c(noise: float, steps: int) -> None:
        others[0], others[1] = np.sin(c_theta), np.cos(c_theta)
        c_heun(c_theta, omega, N, COUPLING, noise, STEP, steps, stream, *others)

    ours(0.0, 20)
    gap = np.angle(np.exp(1j * (theta - numpy_heun(begin, omega, 0.0, 20, rng))))
    report.check(f"same phases without noise after 20 steps (largest difference {np.abs(gap).max():.0e})",
                 np.abs(gap).max() < 1e-12)  # fmt: skip
    if not isinstance(c_heun, Missing):
        in_c(0.0, 20)
        gap = np.angle(np.exp(1j * (theta - c_theta)))
        report.check(f"same phases in C (largest difference {np.abs(gap).max():.0e})", np.abs(gap).max() < 1e-12)
        in_c(0.2, 100)
    theta[:] = begin
    ours(0.2, 100)
    other = numpy_heun(begin, omega, 0.2, 100, rng)
    coherence = abs(np.exp(1j * theta).mean()), abs(np.exp(1j * other).mean())
    report.check("same coherence with noise within 4 standard errors: {:.4f} and {:.4f}".format(*coherence),
                 abs(coherence[0] - coherence[1]) < 4 * math.sqrt(2 / N))  # fmt: skip
    if not isinstance(c_heun, Missing):
        third = abs(np.exp(1j * c_theta).mean())
        report.check(f"and in C: {third:.4f}", abs(coherence[0] - third) < 4 * math.sqrt(2 / N))
    report.race(
        "Kuramoto N=10^5, Heun with noise", "steps/s", 1,
        {
            OURS: lambda: (ours(0.2, 20), 20)[1],
            "NumPy": lambda: (numpy_heun(begin, omega, 0.2, 2, rng), 2)[1],
            "C": available(c_heun, lambda: (in_c(0.2, 20), 20)[1]),
        },
        {"NumPy": 30, "C": 1.0},
        rounds=9,
    )  # fmt: skip
