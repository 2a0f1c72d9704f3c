"""Theory of the random network: the decaying correlation, its Lyapunov exponent, spectrum and dimension, and the
covariance of the linear twin.
"""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.functions.gaussian_pairs import (
    pair_correlation,
    pair_integral,
    pair_slope,
    pair_table,
    set_variance,
)
from mfexplore.numerics.functions.quadrature import gauss_legendre
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.blas import one_blas_thread

TERMS = 40  # of a Chebyshev expansion: enough for a variance of 20
LONGEST = 6000  # points of a correlation curve
RESOLUTION = 0.04  # of the time of the fastest change is a step
FAINTEST = 1e-100  # noise whose square is still a normal number; with less, no value differs by more than that
VARIANCE, ACTIVITY, SLOPE, LYAPUNOV, HALF_LAG, DIMENSION = range(6)  # rows of what is found; slope: mean of phi'


@cache
def chebyshev() -> Array:
    """Row 0: nodes on (0, 1), shape (TERMS,); row 1 + k: the polynomial of degree 2k there."""
    angle = np.pi * (np.arange(TERMS) + 0.5) / (2 * TERMS)
    return np.vstack([np.cos(angle), np.cos(2 * np.arange(TERMS)[:, None] * angle)])


@kernel
def excess_energy(variance, square, noise, table, reach):
    """The energy of eq. (4) over half the square of the variance, for g^2 = square."""
    set_variance(table, variance, reach)
    return (2.0 * square * pair_integral(table, reach, variance) + noise * noise) / (variance * variance) - 1.0


@kernel
def stationary_variance(gain, noise, table, reach):
    """(Delta_0, residual, iterations) of eq. (4), divided by its square; 0 if only silence solves it."""
    square = gain * gain
    if noise == 0.0 and gain <= 1.0:
        return 0.0, 0.0, 0
    low, high = noise, square + math.sqrt(square * square + noise * noise)
    at_low = excess_energy(low, square, noise, table, reach) if low > 0.0 else square - 1.0
    if at_low <= 0.0:
        return low, 0.0, 1
    at_high = excess_energy(high, square, noise, table, reach)
    for iteration in range(200):  # false position, Illinois variant
        v = high - at_high * (high - low) / (at_high - at_low)
        excess = excess_energy(v, square, noise, table, reach)
        if excess * at_high < 0.0:
            low, at_low = high, at_high
        else:
            at_low *= 0.5
        high, at_high = v, excess
        if abs(excess) < 1e-15 or abs(high - low) <= 4e-16 * high:
            break
    return v, abs(excess), iteration + 2


class Feedback(NamedTuple):
    """The covariance g^2 C(Delta) that neurons of a variance feed back: square (g^2), the table of pairs and their
    reach, and the Chebyshev `series` of which so many terms are `used`.
    """

    square: float
    variance: float
    table: Array
    reach: Array
    series: Array
    used: int


class Decay(NamedTuple):
    """The correlation from far out in its tail to lag 0, on a uniform grid of lags.

    path: rows Delta, its slope, Delta'' and the potential of eq. (5), tail first, up to the place `last`, an even one;
    before it the correlation is exponential with the rate kappa.
    """

    path: Array
    last: int
    step: float
    kappa: float


@kernel
def feedback(gain, variance, table, nodes, reach, series):
    """At a gain and a variance. Row 0 of series: Chebyshev coefficients, in c = Delta/variance, of C'(Delta) (of T_2k),
    row 1: of C(Delta)/variance (of T_(2k+1), by integration).
    """
    set_variance(table, variance, reach)
    n = nodes.shape[1]
    slopes = np.empty(n)
    for j in range(n):
        slopes[j] = pair_slope(table, reach, variance * nodes[0, j])
    for k in range(n):
        a = 0.0
        for j in range(n):
            a += slopes[j] * nodes[1 + k, j]
        series[0, k] = 2.0 / n * a
    used = 1
    for k in range(n):
        after = series[0, k + 1] if k + 1 < n else 0.0
        series[1, k] = (series[0, k] - after) / (2.0 * (2 * k + 1))
        if abs(series[0, k]) > 1e-13 * abs(series[0, 0]):
            used = k + 1
    series[0, 0] *= 0.5
    return Feedback(gain * gain, variance, table, reach, series, used)


@kernel
def last_terms(c, coefficients, used):
    """The last two terms of Clenshaw's recurrence for a series in every other Chebyshev polynomial of c."""
    first, second = 0.0, 0.0
    for k in range(used - 1, -1, -1):
        first, second = (4.0 * c * c - 2.0) * first - second + coefficients[k], first
    return first, second


@kernel
def force(delta, back):
    """Delta - g^2 C(Delta), the right-hand side of eq. (2)."""
    first, second = last_terms(delta / back.variance, back.series[1], back.used)
    return delta - back.square * delta * (first - second)


@kernel
def well(delta, back):
    """1 - g^2 C'(Delta), the potential of eq. (5)."""
    c = delta / back.variance
    first, second = last_terms(c, back.series[0], back.used)
    return 1.0 - back.square * (first - (2.0 * c * c - 1.0) * second)


@kernel
def climb(delta, speed, step, back):
    """One step of Runge and Kutta for eq. (2)."""
    a = force(delta, back)
    p = speed + 0.5 * step * a
    b = force(delta + 0.5 * step * speed, back)
    q = speed + 0.5 * step * b
    c = force(delta + 0.5 * step * p, back)
    r = speed + step * c
    d = force(delta + step * q, back)
    return delta + step / 6.0 * (speed + 2.0 * (p + q) + r), speed + step / 6.0 * (a + 2.0 * (b + c) + d)


@kernel
def decay(noise, back, path):
    """The solution that decays, written to path; `last` is -1 if it does not come to its top on this grid.

    Never from lag 0 outwards: there it is a separatrix. So it is climbed twice, the first time to learn how long it is.
    """
    square, variance = back.square, back.variance
    kappa = math.sqrt(max(well(0.0, back), 1e-300))
    step = RESOLUTION / math.sqrt(max(kappa * kappa, abs(well(variance, back))))
    first = 0.005 * variance
    start = math.sqrt(max(first * first - 2.0 * square * pair_integral(back.table, back.reach, first), 0.0))
    delta, speed = first, start
    count = 0
    while True:
        following, p = climb(delta, speed, step, back)
        if following >= variance or p <= 0.0:
            break
        delta, speed = following, p
        count += 1
        if count == path.shape[1] - 2:
            return Decay(path, -1, step, kappa)
    push = force(variance, back)
    rest = 0.5 * step
    for _ in range(30):
        end, p = climb(delta, speed, rest, back)
        # Where the curve is flat, its slope tells the end better than its height.
        change = (p - noise) / push if 50.0 * abs(push) * step > noise else (end - variance) / p
        rest -= change
        if abs(change) < 1e-13 * step:
            break
    length = count * step + rest
    last = 2 * math.ceil(0.5 * length / step)
    step = length / last
    delta, speed = first, start
    for i in range(last + 1):
        path[0, i], path[1, i], path[2, i], path[3, i] = delta, speed, force(delta, back), well(delta, back)
        delta, speed = climb(delta, speed, step, back)
    return Decay(path, last, step, kappa)


@kernel
def riccati(y, slope, step, before, middle, after, energy, turn):
    """One step of Runge and Kutta for y = psi'/psi of eq. (5), and for its derivative by sqrt(kappa^2 - E) = turn/2."""
    a, da = before - energy - y * y, turn - 2.0 * y * slope
    u, du = y + 0.5 * step * a, slope + 0.5 * step * da
    b, db = middle - energy - u * u, turn - 2.0 * u * du
    u, du = y + 0.5 * step * b, slope + 0.5 * step * db
    c, dc = middle - energy - u * u, turn - 2.0 * u * du
    u, du = y + step * c, slope + step * dc
    d, dd = after - energy - u * u, turn - 2.0 * u * du
    return y + step / 6.0 * (a + 2.0 * (b + c) + d), slope + step / 6.0 * (da + 2.0 * (db + dc) + dd)


@kernel
def ground_state(noise, curve):
    """kappa^2 - E_0 = q^2 of eq. (5), as q: the even solution without nodes, shot from the tail; Newton in q. Returns
    (q, whether it was found).
    """
    path, last, step, kappa = curve
    depth = path[3]
    # Without noise dDelta/dtau, which is odd, has E = 0, so that the ground state lies below.
    low = kappa if noise == 0.0 else 0.0
    high = math.sqrt(max(kappa * kappa - depth[: last + 1].min(), 0.0)) + 1e-300
    q = high
    for _ in range(100):
        energy = kappa * kappa - q * q
        y = q - (kappa * kappa - depth[0]) / (2.0 * (kappa + q))
        slope = 1.0 + (kappa * kappa - depth[0]) / (2.0 * (kappa + q) ** 2)
        for i in range(0, last, 2):
            y, slope = riccati(y, slope, 2.0 * step, depth[i], depth[i + 1], depth[i + 2], energy, 2.0 * q)
            if y < -20.0 / step:
                break
        if y > 0.0:
            high = q
        else:
            low = q
        new = q - y / slope
        if not (low <= new <= high):
            new = 0.5 * (low + high)
        if abs(new - q) <= 1e-11 * high or high - low <= 1e-13 * high:
            return new, True
        q = new
    return q, False


@kernel
def laplace(rate, square, curve):
    """The integral of C(tau) exp(-rate tau) over tau > 0 by Simpson's rule, for a complex rate."""
    path, last, step, kappa = curve
    total, factor, turn = 0.0 * rate, 1.0 + 0.0 * rate, np.exp(-rate * step)
    for i in range(last, 0, -2):
        first = (path[0, i] - path[2, i]) * factor
        factor *= turn
        second = (path[0, i - 1] - path[2, i - 1]) * factor
        factor *= turn
        third = (path[0, i - 2] - path[2, i - 2]) * factor
        total += step / (3.0 * square) * (first + 4.0 * second + third)
    return total + (path[0, 0] - path[2, 0]) / square * factor / (rate + kappa)


@kernel
def dimension_of(square, activity, slope, curve):
    """Eq. (8). The inner integral is one over a Lorentzian, hence two Laplace transforms; the outer one is smooth."""
    beyond = 0.0
    count = 24
    wide = RESOLUTION / curve.step
    for k in range(count):
        angle = 0.5 * math.pi * (k + 0.5) / count
        omega = wide * math.tan(angle)
        spectrum = 2.0 * laplace(complex(0.0, omega), square, curve).real
        lift = square * slope * slope / (1.0 + omega * omega)
        a, b = 1.0 - lift, lift * omega
        inner = laplace(complex(a, b), square, curve)
        excess = (1.0 - a * a + b * b) / a * inner.real + 2.0 * b * inner.imag
        beyond += spectrum * excess * wide * (1.0 + (omega / wide) ** 2)
    beyond *= 0.5 / count
    return activity * activity / (activity * activity + beyond)


@kernel
def half_lag(back, curve):
    """The lag at which the correlation has fallen to a half."""
    path, last, step, _ = curve
    half = 0.5 * back.variance
    i = last - 1
    while i > 0 and path[0, i] > half:
        i -= 1
    x = 0.5 * step
    for _ in range(8):
        there, p = climb(path[0, i], path[1, i], x, back)
        x -= (there - half) / p
    return (last - i) * step - x


@kernel
def solve_points(gain, noise, table, nodes, found, residual, iterations):
    """The state that eq. (2) describes at every point, written to the rows of found, shape (6, n). Where it is silent,
    half lag and dimension are 0.
    """
    reach = np.empty(table.shape[1])
    series, path = np.empty((2, nodes.shape[1])), np.empty((4, LONGEST))
    for i in range(gain.size):
        g, d = gain[i], max(noise[i], FAINTEST) if noise[i] > 0.0 else 0.0
        variance, residual[i], iterations[i] = stationary_variance(g, d, table, reach)
        if variance == 0.0:
            found[:, i] = 0.0
            found[SLOPE, i], found[LYAPUNOV, i] = 1.0, g - 1.0
            continue
        set_variance(table, variance, reach)
        activity = pair_correlation(table, reach, variance)
        slope = math.sqrt(pair_slope(table, reach, 0.0))
        found[VARIANCE, i], found[ACTIVITY, i], found[SLOPE, i] = variance, activity, slope
        if d == 0.0 and g < 1.0 + 1e-5:  # Delta = Delta_0 / cosh(kappa tau): too slow for a grid, but known
            kappa = (g - 1.0) / math.sqrt(3.0)
            found[LYAPUNOV, i] = 1.5 * kappa * kappa
            found[HALF_LAG, i] = math.acosh(2.0) / kappa
            found[DIMENSION, i] = 12.0 * kappa * kappa * kappa / (math.pi * math.pi)
            continue
        back = feedback(g, variance, table, nodes, reach, series)
        curve = decay(d, back, path)
        if curve.last < 0:
            residual[i] = math.inf
            continue
        found[HALF_LAG, i] = half_lag(back, curve)
        if back.square < 1e-12:  # too little is fed back to bind a state, or to make rates depend on each other
            found[LYAPUNOV, i], found[DIMENSION, i] = g * slope - 1.0, 1.0
            continue
        q, ok = ground_state(d, curve)
        if not ok:
            residual[i] = math.inf
            continue
        found[LYAPUNOV, i] = math.sqrt(back.square * slope * slope + q * q) - 1.0
        found[DIMENSION, i] = dimension_of(back.square, activity, slope, curve)


@kernel
def curves(gain, noise, table, nodes, lags, omegas, correlation, spectrum):
    """Delta at `lags` (rising from 0) and the spectrum of the rates at `omegas` times the rate of the fastest change,
    which is returned; written to the last two arrays. The spectrum is good up to ten times that rate.
    """
    reach = np.empty(table.shape[1])
    noise = max(noise, FAINTEST) if noise > 0.0 else 0.0
    variance, _, _ = stationary_variance(gain, noise, table, reach)
    correlation[:] = 0.0
    spectrum[:] = 0.0
    if variance == 0.0:
        return 1.0
    back = feedback(gain, variance, table, nodes, reach, np.empty((2, nodes.shape[1])))
    curve = decay(noise, back, np.empty((4, LONGEST)))
    path, last, step, kappa = curve
    if last < 0:
        correlation[:] = math.nan
        return 1.0
    for k in range(lags.size):
        place = last - lags[k] / step  # in steps from the tail
        if place <= 0.0:
            correlation[k] = path[0, 0] * math.exp(kappa * step * place)
        else:
            i = int(place)
            correlation[k], _ = climb(path[0, i], path[1, i], (place - i) * step, back)
        if lags[k] == 0.0:
            correlation[k] = variance
    fastest = RESOLUTION / step
    if back.square < 1e-12:  # the rates only follow the noise; nothing is fed back that could need their spectrum
        return fastest
    for k in range(omegas.size):
        spectrum[k] = 2.0 * laplace(complex(0.0, fastest * omegas[k]), back.square, curve).real
    return fastest


@kernel
def onset_of_chaos(noise, table, gain):
    """The gain at which chaos sets in for every noise, shape (n,), written to gain. Both follow from the variance by
    eqs. (4) and (6), and rise with it.
    """
    reach = np.empty(table.shape[1])
    for i in range(noise.size):
        low, high = math.log(1e-9), math.log(100.0)
        while high - low > 1e-14:
            middle = 0.5 * (low + high)
            variance = math.exp(middle)
            set_variance(table, variance, reach)
            square = variance / pair_correlation(table, reach, variance)
            gain[i] = math.sqrt(square)
            if variance * variance - 2.0 * square * pair_integral(table, reach, variance) > noise[i] * noise[i]:
                high = middle
            else:
                low = middle


def linear_covariance(matrix: Array, gain: float, noise: float, nonlinearity: str) -> Array:
    """Equal-time covariance of the rates in the linear network of eq. (7), for given couplings.

    matrix: shape (N, N), couplings at gain 1. Its eigenvectors are used, O(N^3). Returns shape (N, N).
    """
    n = len(matrix)
    angle, weight = gauss_legendre(48, (0, math.atan(10)))
    omega, spectrum = np.tan(angle), np.empty(48)
    table = pair_table(nonlinearity)
    fastest = curves(gain, noise, table, chebyshev(), np.zeros(1), omega, np.empty(1), spectrum)
    weight, omega = weight * (1 + omega**2) * fastest / np.pi, omega * fastest
    found, residual, iterations = np.empty((6, 1)), np.empty(1), np.empty(1, np.int64)
    solve_points(np.array([gain]), np.array([noise]), table, chebyshev(), found, residual, iterations)
    activity, slope = found[ACTIVITY, 0], found[SLOPE, 0]
    with one_blas_thread():
        values, vectors = np.linalg.eig(gain * matrix.astype(np.float64))
        inverse = np.linalg.inv(vectors)
        between = inverse @ inverse.conj().T
        overlap = between * (vectors.conj().T @ vectors).T
        filters = 1 / (1 - slope / (1 + 1j * omega)[:, None] * values)
        traces = np.einsum("wk,kl,wl->w", filters, overlap, filters.conj(), optimize=True).real
        scale = weight * spectrum * n / traces
        mixed = (filters.T * scale) @ filters.conj()
        covariance = (vectors @ (mixed * between) @ vectors.conj().T).real
    # Faster than the filter the rates are independent of one another.
    rest = activity - weight @ spectrum
    return np.asarray((covariance + covariance.T) / 2 + rest * np.eye(n))
