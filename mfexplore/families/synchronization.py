r"""Theory of phase oscillators in a mean field: moments of their phases over a density of frequencies, stationary and
in time, and the coherence that keeps itself up.

For one frequency and a constant field $q$ the moments $z_n=\langle e^{in\theta}\rangle$ of the stationary density obey

$$(nD-i\omega)\,z_n=\tfrac q2\,(z_{n-1}-z_{n+1}),\qquad S_n=\frac{z_n}{z_{n-1}}=\frac{q/2}{nD-i\omega+\frac q2S_{n+1}}$$

Coherence is self-consistent where $r=F(Kr)$ with $F(q)=\int g\,\mathrm{Re}\,S_1\,d\omega$, on the curve $K(q)=q/F(q)$.
In the field $K\bar z$ of all, with $\bar z=\int g\,z_1\,d\omega$,

$$\dot z_n=(in\omega-n^2D)\,z_n+\frac{nK}2\,(\bar z\,z_{n-1}-\bar z^*z_{n+1}).$$
"""

from __future__ import annotations

import cmath
import math
from functools import cache
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.elementary import erfcx
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import kernel

DENSITIES = ("lorentzian", "gaussian", "uniform", "bimodal", "identical")
LORENTZIAN, GAUSSIAN, UNIFORM, BIMODAL, IDENTICAL = range(5)
INCOHERENT, COHERENT, UNSTABLE = range(3)


class Population(NamedTuple):
    """Noise D, width and separation of the frequencies, the place of their density in DENSITIES, its `nodes`."""

    noise: float
    width: float
    shift: float
    kind: int
    table: Array


@cache
def nodes(kind: int) -> Array:
    """Rows Re w, Im w, Re weight, Im weight, shape (4, n): the integral of g f over the frequencies is
    Re sum(weight f(width w + shift)) for f analytic in the upper half plane with f(-w*) = f(w)*.

    There every moment is analytic (its poles lie below -iD), so the path of integration may leave the real line, where
    the moments get edges as the noise vanishes. Lorentzians pick their pole. The Gaussian is entire: the trapezoid rule
    on the line Im w = 2.5 has a relative error of 1e-13 whatever the noise. The uniform density is integrated along an
    ellipse that leaves its edge at a right angle, with nodes dense at the edge.
    """
    w: Array
    weight: Array
    if kind == GAUSSIAN:
        step = 0.5
        w = (np.arange(18) + 0.5) * step + 2.5j
        weight = 2 * step * np.exp(-w * w / 2) / math.sqrt(2 * math.pi)
    elif kind == UNIFORM:
        v, weights = gauss_legendre(32)
        angle = np.pi / 2 * v**3
        w = np.cos(angle) + 0.5j * np.sin(angle)
        weight = (np.sin(angle) - 0.5j * np.cos(angle)) * (1.5 * np.pi * v**2) * weights
    else:
        w, weight = np.array([0j if kind == IDENTICAL else 1j]), np.array([1 + 0j])
    return np.stack([w.real, w.imag, weight.real, weight.imag])


def frequencies(kind: int, level: Array) -> tuple[Array, Array]:
    """Frequencies at levels of the cumulative probability (0 to 1), for width 1, and the side (-1, 1, or 0 if there is
    one peak) on which each lies. Arrays of the shape of `level`.
    """
    side = np.zeros_like(level)
    if kind == BIMODAL:
        side = np.where(level < 0.5, -1.0, 1.0)
        level = np.where(level < 0.5, 2 * level, 2 * level - 1)
    return of_peak(kind, level), side


def of_peak(kind: int, level: Array) -> Array:
    """The frequency of width 1 in one peak that a share `level` of it is slower than; shape of `level`."""
    from scipy.special import ndtri

    level = np.clip(level, 1e-12, 1 - 1e-12)
    if kind == GAUSSIAN:
        return np.asarray(ndtri(level))
    if kind == UNIFORM:
        return 2 * level - 1
    return np.zeros_like(level) if kind == IDENTICAL else np.tan(np.pi * (level - 0.5))


def share_below(kind: int, frequency: Array) -> Array:
    """The share of a peak of width 1 that is slower than that: the inverse of `of_peak`."""
    from scipy.special import ndtr

    if kind == GAUSSIAN:
        return np.asarray(ndtr(frequency))
    if kind == UNIFORM:
        return np.clip((1 + frequency) / 2, 0, 1)
    return np.asarray(0.5 + np.arctan(frequency) / np.pi)


@kernel
def moments(q, population, table, work):
    """S_1 and dS_1/dq at the frequencies width * w + shift of a table of nodes.

    Written to the rows Re S, Im S, Re S', Im S' of `work`. The fraction is started from the uniform expansion of the
    Bessel functions for large order (exact without noise), which must be taken some way up from the edge of locking,
    where a frequency on the real line equals q.
    """
    noise, width, shift = population.noise, population.width, population.shift
    count = table.shape[1]
    depth = 1
    if noise > 0.0:
        depth = 16
        if width * table[1, 0] < 0.3 * q:
            depth += int(min(8.0 * (q / noise) ** (1.0 / 3.0), 2000.0))
    half = 0.5 * q
    for j in range(count):
        b = width * table[1, j] + (depth - 0.5) * noise if noise > 0.0 else width * table[1, j]
        m = complex(max(b, 1e-30), -(width * table[0, j] + shift))  # never exactly on the edge, where w = 0
        w = cmath.sqrt(m * m + q * q)
        lift = noise * m / (w * w)
        s = q / (w + m) * cmath.exp(-0.5 * lift - noise * noise * m * (0.5 - 0.625 * m * m / (w * w)) / (w * w * w))
        d = s * (m / (q * w) + lift * q / (w * w))
        work[0, j], work[1, j], work[2, j], work[3, j] = s.real, s.imag, d.real, d.imag
    for n in range(depth - 1, 0, -1):
        for j in range(count):
            sr, si, dr, di = work[0, j], work[1, j], work[2, j], work[3, j]
            x = n * noise + width * table[1, j] + half * sr
            y = half * si - (width * table[0, j] + shift)
            scale = 1.0 / (x * x + y * y)
            tr, ti = x * scale, -y * scale  # 1 / denominator
            er, ei = 0.5 * sr + half * dr, 0.5 * si + half * di
            sr, si = half * tr, half * ti
            fr, fi = 0.5 - (sr * er - si * ei), -(sr * ei + si * er)
            work[0, j], work[1, j] = sr, si
            work[2, j], work[3, j] = tr * fr - ti * fi, tr * fi + ti * fr


@kernel
def response(q, population, work):
    """The integrals F of g Re S_1, its slope dF/dq, and that of g w Im S_1."""
    width, table = population.width, population.table
    if width == 0.0 and population.kind != BIMODAL:
        moments(q, population, table[:, :1], work)
        return work[0, 0], work[2, 0], 0.0
    if population.kind == UNIFORM and population.noise == 0.0:
        if q < width:  # the drifting ones contribute nothing: F is linear
            return 0.25 * math.pi * q / width, 0.25 * math.pi / width, 0.0
        u = width / q
        arc, root = math.asin(u), math.sqrt(1.0 - u * u)
        return 0.5 * (arc / u + root), 0.5 * (arc / width - root / q), width * width / (3.0 * q)
    moments(q, population, table, work)
    f = 0.0
    slope = 0.0
    torque = 0.0
    for j in range(table.shape[1]):
        a, b = table[2, j], table[3, j]
        f += a * work[0, j] - b * work[1, j]
        slope += a * work[2, j] - b * work[3, j]
        x, y = width * table[0, j] + population.shift, width * table[1, j]
        re, im = x * work[0, j] - y * work[1, j], x * work[1, j] + y * work[0, j]
        torque += a * im + b * re
    return f, slope, torque


@kernel
def critical_coupling(population):
    """K_c: above it the incoherent state is unstable."""
    noise, width, shift, kind, _ = population
    if kind == BIMODAL:
        a = noise + width
        return 2.0 * (a + shift * shift / a) if shift < a else 4.0 * a
    if width == 0.0 or kind == IDENTICAL:
        return 2.0 * noise
    if kind == LORENTZIAN:
        return 2.0 * (noise + width)
    if kind == GAUSSIAN:
        return 1.5957691216057308 * width / erfcx(noise / (1.4142135623730951 * width))
    return 2.0 * width / math.atan2(width, noise)


@kernel
def fold(population, work):
    """(q, K) where coherence first appears, at or below the K(0) of its vanishing; q = 0 if it appears there."""
    noise, width, shift, kind, _ = population
    if kind != BIMODAL:
        return 0.0, critical_coupling(population)
    a = noise + width
    if shift == 0.0:
        return 0.0, 2.0 * a
    if a > 0.0:
        first, second = complex(a, -shift), complex(a + noise, -shift)
        if (1.0 / (first * first * second)).real >= 0.0:
            return 0.0, 2.0 * (a + shift * shift / a)
    low, high = 0.0, shift + a
    for _ in range(60):
        f, slope, _ = response(high, population, work)
        if f - high * slope > 0.0:
            break
        low = high
        high *= 1.5
    for _ in range(50):
        q = 0.5 * (low + high)
        f, slope, _ = response(q, population, work)
        if f - q * slope > 0.0:
            high = q
        else:
            low = q
        if high - low < 1e-12 * high:
            break
    f, slope, _ = response(high, population, work)
    return high, high / f


@kernel
def root(coupling, low, high, rising, population, work):
    """The q between low and high with K(q) = coupling, by Newton's method on K^2 as a function of q^2, which is nearly
    a straight line, kept in the bracket. `rising`: whether K rises with q there. Returns (q, iterations).
    """
    target = coupling * coupling
    a, b = low * low, high * high
    p = b if rising else 0.5 * (a + b)
    for iteration in range(80):
        q = math.sqrt(p)
        f, slope, _ = response(q, population, work)
        k = q / f if f > 0.0 else math.inf
        excess = k * k - target
        if (excess > 0.0) == rising:
            b = p
        else:
            a = p
        gradient = k * (f - q * slope) / (f * f) / q
        new = p - excess / gradient
        if not (a < new < b):
            new = 0.5 * (a + b)
        if abs(new - p) <= 1e-15 * p or b - a <= 1e-15 * b:
            p = new
            break
        p = new
    return math.sqrt(p), iteration + 1


class Stationary(NamedTuple):
    """Of all states, shape (n, 3): the field q = Kr, the integral of g w Im S_1, the residual of r = F(Kr), NaN where a
    branch does not exist. growing, shape (n,): whether the incoherent state is unstable.
    """

    field: Array
    torque: Array
    residual: Array
    iterations: Array
    growing: Array


@kernel
def solve_points(coupling, noise, width, shift, kind, table, found):
    """All stationary states, written to `found`."""
    work = np.empty((4, table.shape[1]))
    critical, corner_q, corner = 0.0, 0.0, 0.0
    for i in range(coupling.size):
        k, d, g, s = coupling[i], noise[i], width[i], shift[i]
        population = Population(d, g, s, kind, table)
        if i == 0 or d != noise[i - 1] or g != width[i - 1] or s != shift[i - 1]:
            critical = critical_coupling(population)
            corner_q, corner = fold(population, work)
            # K(0), from which the unstable branch hangs (infinite for two sharp lines without noise)
            bare = 2.0 * (d + g + s * s / (d + g)) if kind == BIMODAL else critical
        found.growing[i] = k > critical
        found.field[i, INCOHERENT], found.torque[i, INCOHERENT], found.residual[i, INCOHERENT] = 0.0, 0.0, 0.0
        if k > corner:
            found.field[i, COHERENT], found.iterations[i, COHERENT] = root(k, corner_q, k, True, population, work)
            if corner_q > 0.0 and k < bare:
                q, count = root(k, 0.0, corner_q, False, population, work)
                found.field[i, UNSTABLE], found.iterations[i, UNSTABLE] = q, count
            for branch in (COHERENT, UNSTABLE):
                q = found.field[i, branch]
                if q > 0.0:
                    f, _, found.torque[i, branch] = response(q, population, work)
                    found.residual[i, branch] = abs(q / k - f)


@kernel
def corners(noise, width, shift, kind, table, out):
    """Rows of out, shape (3, n): K_c, the K of the fold, and the q there (0: there is none)."""
    work = np.empty((4, table.shape[1]))
    for i in range(noise.size):
        population = Population(noise[i], width[i], shift[i], kind, table)
        out[0, i] = critical_coupling(population)
        out[2, i], out[1, i] = fold(population, work)


@kernel
def follow_moments(times, start, coupling, population, modes, longest, out):
    """Mean field at `times` (shape (n,), rising), started on the Ott-Antonsen manifold at coherence `start`.

    Fourth-order Runge-Kutta, the linear part exactly; steps no longer than `longest`. z is real: the frequencies are
    symmetric, and so is the start.
    """
    noise, width, shift, table = population.noise, population.width, population.shift, population.table
    count = table.shape[1]
    z = np.empty((modes + 2, count), np.complex128)
    stage = np.empty_like(z)
    kept = np.empty((4, modes + 2, count), np.complex128)
    half = np.empty_like(z)
    for n in range(modes + 2):
        for j in range(count):
            z[n, j] = start**n
    weight = np.empty(count, np.complex128)
    for j in range(count):
        weight[j] = complex(table[2, j], table[3, j])
    out[0] = start
    before = -1.0
    for i in range(1, times.size):
        steps = max(1, math.ceil((times[i] - times[i - 1]) / longest))
        h = (times[i] - times[i - 1]) / steps
        if abs(h - before) > 1e-12 * h:
            before = h
            for n in range(modes + 2):
                for j in range(count):
                    rate = complex(-n * width * table[1, j] - n * n * noise, n * (width * table[0, j] + shift))
                    half[n, j] = cmath.exp(0.5 * h * rate)
        mean = 0.0
        for _ in range(steps):
            for k in range(4):
                source = z if k == 0 else stage
                mean = 0.0
                for j in range(count):
                    mean += (weight[j] * source[1, j]).real
                for j in range(count):
                    source[modes + 1, j] = source[modes, j] * source[1, j]
                for n in range(1, modes + 1):
                    gain = 0.5 * n * coupling * mean
                    for j in range(count):
                        kept[k, n, j] = gain * (source[n - 1, j] - source[n + 1, j])
                if k < 3:
                    for j in range(count):
                        stage[0, j] = 1.0
                    for n in range(1, modes + 1):
                        for j in range(count):
                            e = half[n, j]
                            if k == 0:
                                stage[n, j] = e * (z[n, j] + 0.5 * h * kept[0, n, j])
                            elif k == 1:
                                stage[n, j] = e * z[n, j] + 0.5 * h * kept[1, n, j]
                            else:
                                stage[n, j] = e * (e * z[n, j] + h * kept[2, n, j])
            for n in range(1, modes + 1):
                for j in range(count):
                    e = half[n, j]
                    both = e * (kept[1, n, j] + kept[2, n, j])
                    z[n, j] = e * e * (z[n, j] + h / 6.0 * kept[0, n, j]) + h / 6.0 * (2.0 * both + kept[3, n, j])
        mean = 0.0
        for j in range(count):
            mean += (weight[j] * z[1, j]).real
        out[i] = mean
