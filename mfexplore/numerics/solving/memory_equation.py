r"""Relaxation with memory of its own past, over many decades of time.

$$\tau\,\dot C(t)=-C(t)-\int_0^t m(t-s)\,\dot C(s)\,ds,\qquad m(t)=v\,C(t)^k,\qquad C(0)=1$$

is the equation of mode-coupling theory with one correlator (the schematic model F_k), exact for the equilibrium
dynamics of spherical p-spin glasses. Close to its transition $C$ relaxes in two steps, hours apart: so the step of time
doubles again and again while the past is thinned out (Fuchs, Götze, Hofacker and Latz 1991).
"""

from __future__ import annotations

import numpy as np

from mfexplore.numerics.kernel import kernel

POINTS = 512  # of the grid; the first half is what was known before the step was doubled


@kernel
def relax(friction, strength, power, longest, times, correlation):
    """Fill in times and C from the first step on; returns how many of them.

    Args:
        friction: tau > 0. strength, power: v >= 0 and k >= 1. longest: time to reach.
        times, correlation: shape (n,), with n >= POINTS/2 log2(longest/tau) + 6000 for all of it.
    """
    half = POINTS // 2
    c, m = np.empty(POINTS + 1), np.empty(POINTS + 1)
    mean_c, mean_m = np.zeros(POINTS + 1), np.zeros(POINTS + 1)  # averages over the intervals that end at a point
    step = 1e-7 * friction / (1.0 + strength)
    first = -1.0 / friction
    second = (1.0 + strength) / (friction * friction)
    for i in range(half + 1):  # series of short times
        t = i * step
        c[i] = 1.0 + first * t + 0.5 * second * t * t
        m[i] = strength * c[i] ** power
        if i > 0:
            mean_c[i], mean_m[i] = 0.5 * (c[i] + c[i - 1]), 0.5 * (m[i] + m[i - 1])
    count = 0
    for i in range(1, half + 1):
        if count < times.size:
            times[count], correlation[count] = i * step, c[i]
            count += 1
    while half * step < longest and count < times.size:
        for i in range(half + 1, POINTS + 1):
            k = i // 2
            # what is known of the memory integral, split in the middle and integrated by parts beyond
            known = -m[i - k] * c[k]
            for j in range(2, k + 1):
                known += (c[j] - c[j - 1]) * mean_m[i - j + 1]
            for j in range(2, i - k + 1):
                known += (m[j] - m[j - 1]) * mean_c[i - j + 1]
            known += 0.5 * (m[1] - m[0]) * c[i - 1] + 0.5 * (c[1] - c[0]) * m[i - 1]
            known += friction * (0.5 * c[i - 2] - 2.0 * c[i - 1]) / step
            slope = 1.0 + m[0] + 0.5 * (m[1] - m[0]) + 1.5 * friction / step
            new = c[i - 1]
            for _ in range(100):
                before = new
                new = -(known + 0.5 * (c[1] - c[0]) * strength * before**power) / slope
                if abs(new - before) <= 1e-15:
                    break
            c[i] = new
            m[i] = strength * new**power
            mean_c[i], mean_m[i] = 0.5 * (c[i] + c[i - 1]), 0.5 * (m[i] + m[i - 1])
            if count < times.size and (i - half) % 4 == 0:
                times[count], correlation[count] = i * step, new
                count += 1
        for i in range(1, half + 1):
            c[i], m[i] = c[2 * i], m[2 * i]
            mean_c[i] = 0.5 * (mean_c[2 * i] + mean_c[2 * i - 1])
            mean_m[i] = 0.5 * (mean_m[2 * i] + mean_m[2 * i - 1])
        step *= 2.0
    return count
