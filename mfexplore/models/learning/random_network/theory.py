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
FAINTEST = 1e-100  # noise whose square is still a normal number; with less, no value differs by more than that
VARIANCE, ACTIVITY, SLOPE, LYAPUNOV, HALF_LAG, DIMENSION = range(6)  # rows of what is found; slope: mean of phi'


@cache
def chebyshev() -> Array:
    """Row 0: nodes on (0, 1), shape (TERMS,); row 1 + k: the polynomial of degree 2k there."""
    angle = np.pi * (np.arange(TERMS) + 0.5) / (2 * TERMS)
    return np.vstack([np.cos(angle), np.cos(2 * np.arange(TERMS)[:, None] * angle)])


@kernel
def stationary_variance(gain, noise, table, reach):
    """(Delta_0, residual, iterations) of eq. (4), divided by its square; 0 if only silence solves it."""
    if noise == 0.0 and gain <= 1.0:
        return 0.0, 0.0, 0
    square = gain * gain
    low, high = noise, square + math.sqrt(square * square + noise * noise)
    if low > 0.0:
        set_variance(table, low, reach)
        at_low = 2.0 * square * pair_integral(table, reach, low) / (low * low)
    else:
        at_low = square - 1.0
    if at_low <= 0.0:
        return low, 0.0, 1
    set_variance(table, high, reach)
    at_high = (2.0 * square * pair_integral(table, reach, high) + noise * noise) / (high * high) - 1.0
    v, excess = high, at_high
    side = 0
    for iteration in range(200):  # false position, Illinois variant
        v = high - at_high * (high - low) / (at_high - at_low)
        set_variance(table, v, reach)
        excess = (2.0 * square * pair_integral(table, reach, v) + noise * noise) / (v * v) - 1.0
        if excess > 0.0:
            low, at_low = v, excess
            if side == 1:
                at_high *= 0.5
            side = 1
        else:
            high, at_high = v, excess
            if side == -1:
                at_low *= 0.5
            side = -1
        if abs(excess) < 1e-15 or high - low <= 4e-16 * high:
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
    """Delta from far out in its tail to lag 0, on a uniform grid of lags.

    path: rows Delta, Delta'' and the potential of eq. (5), tail first, up to the place `even`; before it the
    correlation is exponential with the rate kappa. piece: what remains to lag 0, rows for its middle and its end:
    distance from the last grid point, Delta, Delta''.
    """

    path: Array
    piece: Array
    even: int
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
def force(delta, back):
    """Delta - g^2 C(Delta), the right-hand side of eq. (2)."""
    c = delta / back.variance
    x = 4.0 * c * c - 2.0
    first, second = 0.0, 0.0
    for k in range(back.used - 1, -1, -1):
        first, second = x * first - second + back.series[1, k], first
    return delta - back.square * delta * (first - second)


@kernel
def well(delta, back):
    """1 - g^2 C'(Delta), the potential of eq. (5)."""
    c = delta / back.variance
    x = 4.0 * c * c - 2.0
    first, second = 0.0, 0.0
    for k in range(back.used - 1, -1, -1):
        first, second = x * first - second + back.series[0, k], first
    return 1.0 - back.square * (first - 0.5 * x * second)


@kernel
def substep(delta, speed, step, back):
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
def speed_at(delta, back):
    """|dDelta/dtau| from the conserved energy."""
    return math.sqrt(max(delta * delta - 2.0 * back.square * pair_integral(back.table, back.reach, delta), 0.0))


@kernel
def decay(noise, back, path, piece):
    """The solution that decays, written to path and piece; `even` is -1 if it does not come to its top on this grid.

    Never from lag 0 outwards: there it is a separatrix.
    """
    square, variance, table, reach = back.square, back.variance, back.table, back.reach
    kappa = math.sqrt(max(1.0 - square * pair_slope(table, reach, 0.0), 1e-300))
    cubic = 0.0
    for k in range(reach.size):
        cubic += table[0, k] * reach[k] ** 3
    bend = -square * cubic / (48.0 * kappa * kappa)
    step = 0.05 / math.sqrt(max(kappa * kappa, abs(1.0 - square * pair_slope(table, reach, variance))))
    last = path.shape[1] - 1
    for i in range(6):
        a = 0.005 * variance * math.exp(kappa * step * (i - 5))
        path[0, i] = a + bend * a * a * a
        path[1, i] = force(path[0, i], back)
    reached = last
    for i in range(5, last):  # Störmer's explicit rule of seventh order, in backward differences
        f0, f1, f2 = path[1, i], path[1, i - 1], path[1, i - 2]
        f3, f4, f5 = path[1, i - 3], path[1, i - 4], path[1, i - 5]
        d2, e2, g2, h2 = f0 - 2.0 * f1 + f2, f1 - 2.0 * f2 + f3, f2 - 2.0 * f3 + f4, f3 - 2.0 * f4 + f5
        d3, e3, g3 = d2 - e2, e2 - g2, g2 - h2
        d4, e4 = d3 - e3, e3 - g3
        push = f0 + (d2 + d3) / 12.0 + 19.0 / 240.0 * d4 + 3.0 / 40.0 * (d4 - e4)
        following = 2.0 * path[0, i] - path[0, i - 1] + step * step * push
        if following >= variance or following <= path[0, i]:
            reached = i
            break
        path[0, i + 1] = following
        path[1, i + 1] = force(following, back)
    if reached == last:
        return Decay(path, piece, -1, step, kappa)
    even = reached - reached % 2
    push = force(variance, back)
    if 1.5 * path[0, even] - 2.0 * path[0, even - 1] + 0.5 * path[0, even - 2] < 0.5 * step * step * abs(push):
        even -= 2  # it may lie beyond the top already
    for i in range(even + 1):
        path[2, i] = well(path[0, i], back)
    start = path[0, even]
    speed = speed_at(start, back)
    length = 1.5 * step
    for _ in range(30):
        middle, p = substep(start, speed, 0.5 * length, back)
        end, p = substep(middle, p, 0.5 * length, back)
        # Where the curve is flat, its slope tells the end better than its height.
        change = (p - noise) / push if 50.0 * abs(push) * step > noise else (end - variance) / p
        length -= change
        if abs(change) < 1e-13 * step:
            break
    middle, p = substep(start, speed, 0.5 * length, back)
    piece[0, 0], piece[0, 1] = 0.5 * length, middle
    piece[1, 0], piece[1, 1] = length, variance
    piece[0, 2], piece[1, 2] = force(middle, back), push
    return Decay(path, piece, even, step, kappa)


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
def ground_state(noise, back, curve):
    """kappa^2 - E_0 = q^2 of eq. (5), as q: the even solution without nodes, shot from the tail; Newton in q. Returns
    (q, whether it was found).
    """
    path, piece, even, step, kappa = curve
    lowest = path[2, 0]
    for i in range(even + 1):
        lowest = min(lowest, path[2, i])
    top = well(back.variance, back)
    lowest = min(lowest, top)
    centre = well(piece[0, 1], back)
    # Without noise dDelta/dtau, which is odd, has E = 0, so that the ground state lies below.
    low = kappa if noise == 0.0 else 0.0
    high = math.sqrt(max(kappa * kappa - lowest, 0.0)) + 1e-300
    q = high
    for _ in range(100):
        energy = kappa * kappa - q * q
        y = q - (kappa * kappa - path[2, 0]) / (2.0 * (kappa + q))
        slope = 1.0 + (kappa * kappa - path[2, 0]) / (2.0 * (kappa + q) ** 2)
        for i in range(0, even, 2):
            y, slope = riccati(y, slope, 2.0 * step, path[2, i], path[2, i + 1], path[2, i + 2], energy, 2.0 * q)
            if y < -20.0 / step:
                break
        if y >= -20.0 / step:
            y, slope = riccati(y, slope, piece[1, 0], path[2, even], centre, top, energy, 2.0 * q)
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
    path, piece, even, step, kappa = curve
    length = piece[1, 0]
    rise = (piece[1, 1] - piece[1, 2]) / square
    total = length / 6.0 * (
        rise + 4.0 * (piece[0, 1] - piece[0, 2]) / square * np.exp(-rate * 0.5 * length)
        + (path[0, even] - path[1, even]) / square * np.exp(-rate * length)
    )  # fmt: skip
    factor, turn = np.exp(-rate * length), np.exp(-rate * step)
    for i in range(even, 0, -2):
        first = (path[0, i] - path[1, i]) * factor
        factor *= turn
        second = (path[0, i - 1] - path[1, i - 1]) * factor
        factor *= turn
        third = (path[0, i - 2] - path[1, i - 2]) * factor
        total += step / (3.0 * square) * (first + 4.0 * second + third)
    return total + (path[0, 0] - path[1, 0]) / square * factor / (rate + kappa)


@kernel
def dimension_of(square, activity, slope, curve):
    """Eq. (8). The inner integral is one over a Lorentzian, hence two Laplace transforms; the outer one is smooth."""
    beyond = 0.0
    count = 24
    wide = 0.05 / curve.step
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
    path, even, step = curve.path, curve.even, curve.step
    i = even - 1
    while i > 0 and path[0, i] > 0.5 * back.variance:
        i -= 1
    start = path[0, i]
    speed = speed_at(start, back)
    x = 0.5 * step
    for _ in range(8):
        there, p = substep(start, speed, x, back)
        x -= (there - 0.5 * back.variance) / p
    return curve.piece[1, 0] + (even - i) * step - x


@kernel
def solve_points(gain, noise, table, nodes, found, residual, iterations):
    """The state that eq. (2) describes at every point, written to the rows of found, shape (6, n). Where it is silent,
    half lag and dimension are 0.
    """
    reach = np.empty(table.shape[1])
    series, path, piece = np.empty((2, nodes.shape[1])), np.empty((3, LONGEST)), np.empty((2, 3))
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
        curve = decay(d, back, path, piece)
        if curve.even < 0:
            residual[i] = math.inf
            continue
        found[HALF_LAG, i] = half_lag(back, curve)
        if back.square < 1e-12:  # too little is fed back to bind a state, or to make rates depend on each other
            found[LYAPUNOV, i], found[DIMENSION, i] = g * slope - 1.0, 1.0
            continue
        q, ok = ground_state(d, back, curve)
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
    curve = decay(noise, back, np.empty((3, LONGEST)), np.empty((2, 3)))
    path, piece, even, step, kappa = curve
    if even < 0:
        correlation[:] = math.nan
        return 1.0
    for k in range(lags.size):
        place = (lags[k] - piece[1, 0]) / step  # in steps from the last even grid point towards the tail
        if lags[k] == 0.0:
            correlation[k] = variance
        elif place >= even:
            correlation[k] = path[0, 0] * math.exp(-kappa * step * (place - even))
        else:
            i = even - math.ceil(place) if place > 0.0 else even
            x = (even - place - i) * step
            correlation[k], _ = substep(path[0, i], speed_at(path[0, i], back), x, back)
    fastest = 0.05 / step
    if back.square < 1e-12:  # the rates only follow the noise; nothing is fed back that could need their spectrum
        return fastest
    for k in range(omegas.size):
        spectrum[k] = 2.0 * laplace(complex(0.0, fastest * omegas[k]), back.square, curve).real
    return fastest


@kernel
def at_onset(variance, table, reach):
    """(gain, noise) at the onset of chaos where the variance has this value, eqs. (4) and (6)."""
    set_variance(table, variance, reach)
    square = variance / pair_correlation(table, reach, variance)
    return math.sqrt(square), math.sqrt(
        max(variance * variance - 2.0 * square * pair_integral(table, reach, variance), 0.0)
    )


@kernel
def onset_of_chaos(noise, table, gain):
    """The gain at which chaos sets in for every noise, shape (n,), written to gain. Both rise with the variance."""
    reach = np.empty(table.shape[1])
    for i in range(noise.size):
        low, high = math.log(1e-9), math.log(100.0)
        gain[i] = 1.0
        while high - low > 1e-14:
            middle = 0.5 * (low + high)
            gain[i], there = at_onset(math.exp(middle), table, reach)
            if there > noise[i]:
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
