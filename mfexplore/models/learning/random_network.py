r"""Random recurrent network: from silence to chaos, and the linear network that shares its covariance.

$N$ neurons with currents $x_i$ and rates $\phi(x_i)$ excite one another through random couplings,

$$\dot x_i=-x_i+\sum_jJ_{ij}\phi(x_j)+\sqrt{2D}\,\xi_i(t),\qquad
J_{ij}\sim\mathcal N\big(0,\tfrac{g^2}N\big),\quad\overline{J_{ij}J_{ji}}=\tfrac{\rho g^2}N \tag{1}$$

with gain $g$, noise $D$, symmetry $\rho$, and $\phi=\tanh$ or $\phi(x)=\mathrm{erf}(\sqrt\pi x/2)$, both of slope 1 at
0. As $N\to\infty$ with $\rho=0$, every current is an independent Gaussian process driven by a Gaussian field of
covariance $g^2C$, $C(\tau)=\langle\phi(x(t))\phi(x(t+\tau))\rangle$ (dynamical mean-field theory). The autocorrelation
$\Delta(\tau)=\langle x(t)x(t+\tau)\rangle$, of variance $\Delta_0=\Delta(0)$, then obeys

$$\ddot\Delta=\Delta-g^2C(\Delta;\Delta_0)-2D\,\delta(\tau) \tag{2}$$

Newton's law in the potential

$$V(\Delta)=-\tfrac12\Delta^2+g^2\int_0^\Delta C(u;\Delta_0)\,du \tag{3}$$

A correlation that decays has energy zero, and it starts at $\tau=0^+$ with the slope $-D$:

$$\tfrac12D^2+V(\Delta_0)=0 \tag{4}$$

Two copies of the network that differ a little separate as $e^{\lambda t}$ with the largest Lyapunov exponent

$$\lambda=-1+\sqrt{1-E_0},\qquad-\psi''+\big[1-g^2C'(\Delta(\tau))\big]\psi=E\psi \tag{5}$$

from the ground state of a Schrödinger equation, $C'=\langle\phi'\phi'\rangle$. Its solution at $E=0$ is
$\dot\Delta$, so $\lambda=0$ exactly where $\ddot\Delta(0^+)=0$:

$$\Delta_0=g^2\langle\phi^2\rangle \tag{6}$$

With (4) this is the onset of chaos. Without noise it is $g=1$, where silence becomes unstable; noise suppresses chaos
and moves the onset up, although without coupling it only adds disorder.

**The linear network.** For covariances between *different* neurons of a given network, each nonlinearity acts like the
linear filter $S(\omega)=\langle\phi'\rangle/(1+i\omega)$ plus independent noise:

$$C(\omega)=A\,c(\omega)A^\dagger,\qquad A=(1-S(\omega)J)^{-1},\qquad
c(\omega)=\frac{N\,C_\phi(\omega)}{\mathrm{tr}\,AA^\dagger} \tag{7}$$

($C_\phi(\omega)$ is the spectrum of one neuron's rate, from eq. (2); in a large network $c\to C_\phi\,(1-g^2|S|^2)$,
but the trace of the given network is used, as single eigenvalues of $SJ$ come close to 1). The covariance at equal
times is the integral over $\omega/2\pi$. Summing planar diagrams of eq. (7) gives the dimension of the cloud of rates,
the participation ratio of the covariance's eigenvalues, as a fraction of $N$:

$$\frac{(\mathrm{tr}\,C)^2}{N\,\mathrm{tr}\,C^2}=\langle\phi^2\rangle^2\Big/\int\!\!\int\frac{d\omega\,d\omega'}{4\pi^2}
\frac{C_\phi(\omega)\,C_\phi(\omega')}{\big|1-g^2S^*(\omega)S(\omega')\big|^2} \tag{8}$$

**Valid:** as $N\to\infty$ for $\rho=0$. With $\rho\neq0$ a neuron hears the echo of its own past, eq. (2) acquires a
memory, and only the onset without noise, $g(1+\rho)=1$, is given here. At finite $N$ the Lyapunov exponent lies visibly
below theory, and close to the onset ($g<1.2$, small $N$) many samples show limit cycles or fixed points instead of
chaos: relaxation takes of the order of $(g-1)^{-1}$.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np

from mfexplore.core import (
    Array,
    Branch,
    Density,
    Failure,
    Landmark,
    Law,
    Model,
    NotOfferedError,
    Observable,
    Particles,
    Phase,
    Picture,
    Plane,
    Points,
    Preset,
    Profile,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Spectrum,
    Task,
    Trajectories,
    choice,
    control,
)
from mfexplore.numerics.blas import one_blas_thread
from mfexplore.numerics.elementary import erf, exp, tanh_sech2
from mfexplore.numerics.gaussian_pairs import (
    pair_correlation,
    pair_integral,
    pair_slope,
    pair_table,
    set_variance,
)
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.matrix_vector import products
from mfexplore.numerics.random import fill_normal, new_stream

QUIESCENT, CHAOTIC = 0, 1
SILENT, DRIVEN, CHAOS, ACTIVE = range(4)
TERMS = 40  # of a Chebyshev expansion: enough for a variance of 20
LONGEST = 6000  # points of a correlation curve


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


@kernel
def expand(table, reach, variance, nodes, series):
    """Chebyshev coefficients, in c = Delta/variance, of C'(Delta) (row 0, of T_2k) and of C(Delta)/variance (row 1, of
    T_(2k+1), by integration). Returns how many matter.
    """
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
    return used


@kernel
def force(delta, square, variance, series, used):
    """Delta - g^2 C(Delta), the right-hand side of eq. (2)."""
    c = delta / variance
    x = 4.0 * c * c - 2.0
    first, second = 0.0, 0.0
    for k in range(used - 1, -1, -1):
        first, second = x * first - second + series[1, k], first
    return delta - square * delta * (first - second)


@kernel
def well(delta, square, variance, series, used):
    """1 - g^2 C'(Delta), the potential of eq. (5)."""
    c = delta / variance
    x = 4.0 * c * c - 2.0
    first, second = 0.0, 0.0
    for k in range(used - 1, -1, -1):
        first, second = x * first - second + series[0, k], first
    return 1.0 - square * (first - 0.5 * x * second)


@kernel
def substep(delta, speed, step, square, variance, series, used):
    """One step of Runge and Kutta for eq. (2)."""
    a = force(delta, square, variance, series, used)
    p = speed + 0.5 * step * a
    b = force(delta + 0.5 * step * speed, square, variance, series, used)
    q = speed + 0.5 * step * b
    c = force(delta + 0.5 * step * p, square, variance, series, used)
    r = speed + step * c
    d = force(delta + step * q, square, variance, series, used)
    return delta + step / 6.0 * (speed + 2.0 * (p + q) + r), speed + step / 6.0 * (a + 2.0 * (b + c) + d)


@kernel
def speed_at(delta, square, table, reach):
    """|dDelta/dtau| from the conserved energy."""
    return math.sqrt(max(delta * delta - 2.0 * square * pair_integral(table, reach, delta), 0.0))


@kernel
def decay(gain, noise, variance, table, reach, series, used, path, piece):
    """Delta from far out in its tail to lag 0, on a uniform grid of lags.

    Never from lag 0 outwards: there the solution that decays is a separatrix. Rows of `path`: Delta, Delta'' and the
    potential of eq. (5), tail first. What remains between the last even grid point and lag 0 is `piece`, rows for its
    middle and its end: (distance from that grid point, Delta). Returns (index of that point or -1, step, kappa); before
    point 0 the correlation is exponential with rate kappa.
    """
    square = gain * gain
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
        path[1, i] = force(path[0, i], square, variance, series, used)
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
        path[1, i + 1] = force(following, square, variance, series, used)
    if reached == last:
        return -1, step, kappa
    even = reached - reached % 2
    push = force(variance, square, variance, series, used)
    if 1.5 * path[0, even] - 2.0 * path[0, even - 1] + 0.5 * path[0, even - 2] < 0.5 * step * step * abs(push):
        even -= 2  # it may lie beyond the top already
    for i in range(even + 1):
        path[2, i] = well(path[0, i], square, variance, series, used)
    start = path[0, even]
    speed = speed_at(start, square, table, reach)
    length = 1.5 * step
    for _ in range(30):
        middle, p = substep(start, speed, 0.5 * length, square, variance, series, used)
        end, p = substep(middle, p, 0.5 * length, square, variance, series, used)
        # Where the curve is flat, its slope tells the end better than its height.
        change = (p - noise) / push if 50.0 * abs(push) * step > noise else (end - variance) / p
        length -= change
        if abs(change) < 1e-13 * step:
            break
    middle, p = substep(start, speed, 0.5 * length, square, variance, series, used)
    piece[0, 0], piece[0, 1] = 0.5 * length, middle
    piece[1, 0], piece[1, 1] = length, variance
    return even, step, kappa


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
def ground_state(gain, noise, variance, table, reach, series, used, path, piece, even, step, kappa):
    """kappa^2 - E_0 = q^2 of eq. (5), as q: the even solution without nodes, shot from the tail; Newton in q. Returns
    (q, whether it was found).
    """
    square = gain * gain
    lowest = path[2, 0]
    for i in range(even + 1):
        lowest = min(lowest, path[2, i])
    top = well(variance, square, variance, series, used)
    lowest = min(lowest, top)
    centre = well(piece[0, 1], square, variance, series, used)
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
def laplace(rate, square, path, piece, even, step, kappa):
    """The integral of C(tau) exp(-rate tau) over tau > 0 by Simpson's rule, for a complex rate."""
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
def dimension_of(square, activity, slope, path, piece, even, step, kappa):
    """Eq. (8). The inner integral is one over a Lorentzian, hence two Laplace transforms; the outer one is smooth."""
    beyond = 0.0
    count = 24
    wide = 0.05 / step
    for k in range(count):
        angle = 0.5 * math.pi * (k + 0.5) / count
        omega = wide * math.tan(angle)
        spectrum = 2.0 * laplace(complex(0.0, omega), square, path, piece, even, step, kappa).real
        lift = square * slope * slope / (1.0 + omega * omega)
        a, b = 1.0 - lift, lift * omega
        inner = laplace(complex(a, b), square, path, piece, even, step, kappa)
        excess = (1.0 - a * a + b * b) / a * inner.real + 2.0 * b * inner.imag
        beyond += spectrum * excess * wide * (1.0 + (omega / wide) ** 2)
    beyond *= 0.5 / count
    return activity * activity / (activity * activity + beyond)


@kernel
def half_lag(variance, square, table, reach, series, used, path, piece, even, step):
    """The lag at which the correlation has fallen to a half."""
    i = even - 1
    while i > 0 and path[0, i] > 0.5 * variance:
        i -= 1
    start = path[0, i]
    speed = speed_at(start, square, table, reach)
    x = 0.5 * step
    for _ in range(8):
        there, p = substep(start, speed, x, square, variance, series, used)
        x -= (there - 0.5 * variance) / p
    return piece[1, 0] + (even - i) * step - x


@kernel
def solve_points(gain, noise, table, nodes, found, residual, iterations):
    """The state that eq. (2) describes at every point. Rows of found, shape (6, n): variance, mean squared rate, mean
    slope, Lyapunov exponent, half lag, dimension. Where it is silent, the last two are 0.
    """
    reach = np.empty(table.shape[1])
    series = np.empty((2, nodes.shape[1]))
    path = np.empty((3, LONGEST))
    piece = np.empty((2, 3))
    for i in range(gain.size):
        g, d = gain[i], noise[i]
        variance, off, iterations[i] = stationary_variance(g, d, table, reach)
        residual[i] = off
        if variance == 0.0:
            found[:, i] = 0.0
            found[2, i] = 1.0
            found[3, i] = g - 1.0
            continue
        set_variance(table, variance, reach)
        activity = pair_correlation(table, reach, variance)
        slope = math.sqrt(pair_slope(table, reach, 0.0))
        if d == 0.0 and g < 1.0 + 1e-5:  # Delta = Delta_0 / cosh(kappa tau): too slow for a grid, but known
            kappa = (g - 1.0) / math.sqrt(3.0)
            found[0, i], found[1, i], found[2, i] = variance, activity, slope
            found[3, i] = 1.5 * kappa * kappa
            found[4, i] = math.acosh(2.0) / kappa
            found[5, i] = 12.0 * kappa * kappa * kappa / (math.pi * math.pi)
            continue
        used = expand(table, reach, variance, nodes, series)
        even, step, kappa = decay(g, d, variance, table, reach, series, used, path, piece)
        if even < 0:
            residual[i] = math.inf
            continue
        square = g * g
        q, ok = ground_state(g, d, variance, table, reach, series, used, path, piece, even, step, kappa)
        if not ok:
            residual[i] = math.inf
            continue
        found[0, i], found[1, i], found[2, i] = variance, activity, slope
        found[3, i] = math.sqrt(square * slope * slope + q * q) - 1.0
        found[4, i] = half_lag(variance, square, table, reach, series, used, path, piece, even, step)
        found[5, i] = 1.0
        if square > 1e-12:
            piece[0, 2] = force(piece[0, 1], square, variance, series, used)
            piece[1, 2] = force(variance, square, variance, series, used)
            found[5, i] = dimension_of(square, activity, slope, path, piece, even, step, kappa)


@kernel
def curves(gain, noise, table, nodes, lags, omegas, correlation, spectrum):
    """Delta at `lags` (rising from 0) and the spectrum of the rates at `omegas` times the rate of the fastest change,
    which is returned; written to the last two arrays. The spectrum is good up to ten times that rate.
    """
    reach = np.empty(table.shape[1])
    series = np.empty((2, nodes.shape[1]))
    path = np.empty((3, LONGEST))
    piece = np.empty((2, 3))
    variance, _, _ = stationary_variance(gain, noise, table, reach)
    correlation[:] = 0.0
    spectrum[:] = 0.0
    if variance == 0.0:
        return 1.0
    set_variance(table, variance, reach)
    used = expand(table, reach, variance, nodes, series)
    even, step, kappa = decay(gain, noise, variance, table, reach, series, used, path, piece)
    if even < 0:
        correlation[:] = math.nan
        return 1.0
    square = gain * gain
    for k in range(lags.size):
        back = (lags[k] - piece[1, 0]) / step  # in steps from the last even grid point towards the tail
        if lags[k] == 0.0:
            correlation[k] = variance
        elif back >= even:
            correlation[k] = path[0, 0] * math.exp(-kappa * step * (back - even))
        else:
            i = even - math.ceil(back) if back > 0.0 else even
            x = (even - back - i) * step
            speed = speed_at(path[0, i], square, table, reach)
            correlation[k], _ = substep(path[0, i], speed, x, square, variance, series, used)
    fastest = 0.05 / step
    if square < 1e-12:  # the rates only follow the noise; nothing is fed back that could need their spectrum
        return fastest
    piece[0, 2] = force(piece[0, 1], square, variance, series, used)
    piece[1, 2] = force(variance, square, variance, series, used)
    for k in range(omegas.size):
        rate = complex(0.0, fastest * omegas[k])
        spectrum[k] = 2.0 * laplace(rate, square, path, piece, even, step, kappa).real
    return fastest


@kernel
def activate(x, tangent, smooth, rates, lifted):
    """Rates phi(x) and phi'(x) times the tangent, as float32. `smooth`: tanh, else erf(sqrt(pi) x/2)."""
    if smooth:
        for i in range(x.size):
            t, d = tanh_sech2(x[i])
            rates[i] = t
            lifted[i] = d * tangent[i]
    else:
        for i in range(x.size):
            rates[i] = erf(0.886226925452758 * x[i])
            lifted[i] = exp(-0.7853981633974483 * x[i] * x[i]) * tangent[i]


@kernel
def heun(matrix, gain, noise, smooth, x, tangent, both, work, step, steps, stream):
    """Eq. (1) and its linearisation along the path by Heun's method, 2 N^2 multiplications of float32 each step for
    both. x and tangent, shape (N,), are overwritten, the tangent brought back to length 1; returns the logarithm of
    its growth.
    """
    n = x.size
    rates, lifted = both[0], both[1]
    push, lift, push_after, lift_after, kick = work[0], work[1], work[2], work[3], work[4]
    moved, moved_tangent = work[5], work[6]
    strength = math.sqrt(2.0 * noise * step)
    kick[:] = 0.0
    for _ in range(steps):
        if noise > 0.0:
            fill_normal(stream, kick)
        activate(x, tangent, smooth, rates, lifted)
        products(matrix, both, work[:2])
        for i in range(n):
            push[i] = gain * push[i] - x[i]
            lift[i] = gain * lift[i] - tangent[i]
            moved[i] = x[i] + step * push[i] + strength * kick[i]
            moved_tangent[i] = tangent[i] + step * lift[i]
        activate(moved, moved_tangent, smooth, rates, lifted)
        products(matrix, both, work[2:4])
        for i in range(n):
            x[i] += 0.5 * step * (push[i] + gain * push_after[i] - moved[i]) + strength * kick[i]
            tangent[i] += 0.5 * step * (lift[i] + gain * lift_after[i] - moved_tangent[i])
    total = 0.0
    for i in range(n):
        total += tangent[i] * tangent[i]
        if abs(x[i]) < 1e-20:  # silence: numbers below the normal ones of float32 would be slow
            x[i] = 0.0
    length = math.sqrt(total)
    for i in range(n):
        tangent[i] /= length
    return math.log(length)


def linear_covariance(matrix: Array, gain: float, noise: float, nonlinearity: str) -> Array:
    """Equal-time covariance of the rates in the linear network of eq. (7), for given couplings.

    matrix: shape (N, N), couplings at gain 1. Its eigenvectors are used, O(N^3). Returns shape (N, N).
    """
    n = len(matrix)
    x, weight = np.polynomial.legendre.leggauss(48)
    angle, weight = (x + 1) / 2 * math.atan(10), weight / 2 * math.atan(10)
    omega, spectrum = np.tan(angle), np.empty(48)
    table = pair_table(nonlinearity)
    fastest = curves(gain, noise, table, chebyshev(), np.zeros(1), omega, np.empty(1), spectrum)
    weight, omega = weight * (1 + omega**2) * fastest / np.pi, omega * fastest
    found, residual, iterations = np.empty((6, 1)), np.empty(1), np.empty(1, np.int64)
    solve_points(np.array([gain]), np.array([noise]), table, chebyshev(), found, residual, iterations)
    activity, slope = found[1:3, 0]
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


class RandomNetworkSimulation(Simulation):
    """Eq. (1) with a tangent vector carried along, whose growth is the Lyapunov exponent."""

    time_unit = "membrane times"
    step, relaxation, window = 0.5, 100.0, 200.0
    longest = 0.1  # step of integration
    watched = 200  # neurons whose past is kept
    remembered = 120  # steps it is kept for
    largest = 600  # neurons up to which all eigenvalues are found

    def prepare(self) -> None:
        n = self.model.size
        self._normal = self.rng.standard_normal((n, n))
        self._couple()
        self.x = self.rng.standard_normal(n)
        self.tangent = self.rng.standard_normal(n)
        self.tangent /= np.linalg.norm(self.tangent)
        self.stream = new_stream(self.rng)
        self._both = np.empty((2, n), np.float32)
        self._work = np.empty((7, n))
        self._growth = 0.0
        self._eigenvalues: Array | None = None
        self._forget()

    def _couple(self) -> None:
        """Couplings at gain 1 with the correlation between opposite directions that the symmetry asks for."""
        rho, n = self.model.symmetry, self.model.size
        even, odd = math.sqrt(1 + rho) / 2, math.sqrt(1 - rho) / 2
        matrix = (even + odd) * self._normal + (even - odd) * self._normal.T
        np.fill_diagonal(matrix, 0.0)
        self.matrix = (matrix / math.sqrt(n)).astype(np.float32)
        self._symmetry = rho
        self._eigenvalues = None

    def _forget(self) -> None:
        """Start averages anew."""
        self._past = np.zeros((self.remembered, min(self.watched, self.model.size)))
        self._times = np.zeros(self.remembered)
        self._records = 0
        self._products = np.zeros(self.remembered)
        self._counts = np.zeros(self.remembered)
        self._second = np.zeros((self.model.size,) * 2) if self.model.show == "covariance" else None
        self._pending: list[Array] = []
        self._summed = 0
        self._linear: Array | None = None

    def retune(self) -> None:
        if self.model.symmetry != self._symmetry:
            self._couple()
        self._forget()

    def evolve(self, duration: float) -> None:
        m = self.model
        steps = math.ceil(duration / self.longest - 1e-9)
        grown = heun(
            self.matrix, m.gain, m.noise, m.nonlinearity == "tanh", self.x, self.tangent, self._both,
            self._work, duration / steps, steps, self.stream,
        )  # fmt: skip
        self._growth = grown / duration
        self._remember(self.time + duration)

    def _remember(self, time: float) -> None:
        slot = self._records % self.remembered
        now = self.x[: self._past.shape[1]]
        self._past[slot], self._times[slot] = now, time
        self._records += 1
        kept = min(self._records, self.remembered)
        products = self._past[:kept] @ now / len(now)
        lags = (slot - np.arange(kept)) % self.remembered
        self._products[lags] += products
        self._counts[lags] += 1
        if self._second is not None:
            self._pending.append(self.rates())
            if len(self._pending) == 8:
                block = np.array(self._pending)
                with one_blas_thread():
                    self._second += block.T @ block
                self._summed += len(block)
                self._pending.clear()

    def rates(self) -> Array:
        """phi(x), shape (N,)."""
        if self.model.nonlinearity == "tanh":
            return np.tanh(self.x)
        from scipy.special import erf as scipy_erf

        return np.asarray(scipy_erf(math.sqrt(math.pi) / 2 * self.x))

    def observe(self) -> dict[str, float]:
        rates = self.rates()
        return {
            "variance": float(self.x @ self.x) / len(self.x),
            "activity": float(rates @ rates) / len(rates),
            "lyapunov_exponent": self._growth,
        }

    def samples(self) -> Array:
        return self.x

    def autocorrelation(self) -> tuple[Array, Array]:
        """Lags and Delta at them as measured so far, averaged over time and the watched neurons; shape (lags,)."""
        known = self._counts > 0
        return np.arange(self.remembered)[known] * self.step, self._products[known] / self._counts[known]

    def covariance(self) -> Array:
        """Measured second moments of the rates, shape (N, N); only while they are shown."""
        if self._second is None or not self._summed:
            raise NotOfferedError(self.model.title, "measured covariances before they have been shown for a while")
        return self._second / self._summed

    def linear_covariance(self) -> Array:
        """The same of the linear network with these couplings, eq. (7)."""
        if self._linear is None:
            m = self.model
            self._linear = linear_covariance(self.matrix, m.gain, m.noise, m.nonlinearity)
        return self._linear

    def picture(self) -> Picture:
        drawn: dict[str, Callable[[], Picture]] = {
            "traces": self._traces,
            "autocorrelation": self._autocorrelations,
            "eigenvalues": self._spectrum,
            "covariance": self._covariances,
        }
        return drawn[self.model.show]()

    def _traces(self) -> Trajectories:
        kept = min(self._records, self.remembered)
        order = (self._records - kept + np.arange(kept)) % self.remembered
        times = self._times[order] if kept else np.zeros(1)
        values = self._past[order, :12].T if kept else self.x[None, :12].T
        return Trajectories(times.copy(), values.copy(), "time", "current", "currents of twelve neurons")

    def _autocorrelations(self) -> Density:
        lags, measured = self.autocorrelation()
        often = self._counts[: len(lags)] >= self._counts.max() / 2  # long lags come last, and have few averages first
        lags, measured = lags[often], measured[often]
        if not len(lags):
            lags, measured = np.zeros(1), np.array([self.observe()["variance"]])
        predicted = self.model.autocorrelation(lags)
        curves_ = (("simulation", measured), ("theory", predicted))
        return Density(lags, curves_, "lag", "autocorrelation", "averaged since the last change")

    def _spectrum(self) -> Spectrum:
        n = min(self.model.size, self.largest)
        if self._eigenvalues is None:
            part = self.matrix[:n, :n].astype(np.float64) * math.sqrt(self.model.size / n)
            with one_blas_thread():
                self._eigenvalues = np.linalg.eigvals(part).astype(np.complex128)
        slope = self.model.mean_slope()
        caption = "rates of growth in the linear network: the mean slope shrinks the disc until it fits left of 0"
        return Spectrum(self.model.gain * slope * self._eigenvalues - 1, "eigenvalue of -1 + slope J", caption)

    def _covariances(self) -> Particles:
        if not self._summed or self.model.size > self.largest or not self.model.activity() > 0:
            words = f"up to {self.largest} neurons" if self.model.size > self.largest else "waiting for averages"
            return Particles(np.zeros(1), np.zeros(1), (-1.0, 1.0, -1.0, 1.0), None, 0.01, words)
        above = np.triu_indices(self.model.size, 1)
        predicted, measured = self.linear_covariance()[above], self.covariance()[above]
        fit = np.corrcoef(predicted, measured)[0, 1]
        stride = -(-len(predicted) // 2000)
        x, y = predicted[::stride], measured[::stride]
        edge = 1.05 * float(max(np.abs(x).max(), np.abs(y).max()))
        caption = f"covariances of pairs: linear network (across) and measured (up), correlation {fit:.2f}"
        return Particles(x, y, (-edge, edge, -edge, edge), None, edge / 100, caption)


@dataclass(frozen=True)
class RandomNetwork(Model):
    gain: float = control(1.5, 0.0, 4.0, symbol="g", role="coupling", step=0.01, doc="strength of the random couplings")
    noise: float = control(
        0.0, 0.0, 3.0, symbol="D", role="temperature", step=0.005, doc="white noise in every neuron's current"
    )
    symmetry: float = control(
        0.0, -1.0, 1.0, symbol=r"\rho", role="disorder", step=0.05,
        doc="correlation of the couplings of a pair in opposite directions; the theory of activity is for 0",
    )  # fmt: skip
    nonlinearity: str = choice("tanh", ("tanh", "erf"), symbol=r"\phi", doc="how a neuron's rate saturates")
    size: int = control(
        400, 20, 2000, symbol="N", unit="neurons", role="size", scale="log", part="simulation", doc="neurons simulated"
    )
    show: str = choice(
        "traces", ("traces", "autocorrelation", "eigenvalues", "covariance"), part="simulation",
        doc="what the live view draws",
    )  # fmt: skip

    title = "Random recurrent network"
    summary = (
        "Turn up the random couplings and silence becomes chaos; noise tames it; a linear twin shares its covariance."
    )
    sources = (
        Source(
            "H. Sompolinsky, A. Crisanti, H. J. Sommers, Phys. Rev. Lett. 61, 259 (1988)", "10.1103/PhysRevLett.61.259"
        ),
        Source(
            "J. Schuecker, S. Goedeke, M. Helias, Phys. Rev. X 8, 041029 (2018): with noise",
            "10.1103/PhysRevX.8.041029", "1603.01880",
        ),
        Source(
            "D. G. Clark, L. F. Abbott, A. Litwin-Kumar, Phys. Rev. Lett. 131, 118401 (2023): dimension",
            "10.1103/PhysRevLett.131.118401", "2207.12373",
        ),
    )  # fmt: skip
    observables = (
        Observable("variance", r"\Delta_0", "variance of a neuron's current", low=0),
        Observable("activity", r"\langle\phi^2\rangle", "mean squared rate", low=0, high=1),
        Observable(
            "lyapunov_exponent", r"\lambda", "rate at which two slightly different copies separate", signed=True
        ),
        Observable("correlation_time", r"\tau_{1/2}", "lag that halves the autocorrelation; 0 in silence", low=0),
        Observable(
            "dimension", r"\mathrm{PR}/N", "participation ratio of the covariance of rates, eq. (8); 0 in silence",
            low=0, high=1,
        ),
        Observable("autocorrelation", r"\Delta(\tau)", "covariance of a current with itself later", over="lag"),
    )  # fmt: skip
    branches = (
        Branch("quiescent", "silence, or with noise activity that the noise alone determines"),
        Branch("chaotic", "activity that sustains itself and forgets its start"),
    )
    phases = (
        Phase("silent", "Every disturbance dies out."),
        Phase("driven", "The neurons follow the noise: any two copies that hear the same noise end up alike."),
        Phase(
            "chaotic",
            "The smallest difference grows until nothing of the start is left (near the onset, in a finite network, "
            "often not at all).",
        ),
        Phase("active", "Couplings correlated with their opposites keep activity up."),
    )
    failures = (
        Failure(
            "memory", "With this symmetry a neuron hears the echo of its own past. The values shown are those without "
            "symmetry and only a rough guide.",
        ),
    )  # fmt: skip
    landmarks = (Landmark("onset_of_chaos", r"\lambda=0", "two copies neither separate nor come together"),)
    planes = (
        Plane("gain", "noise", "lyapunov_exponent", x_range=(0.0, 3.0), y_range=(0.0, 2.0), along="x"),
        Plane("gain", "symmetry", "variance", x_range=(0.0, 3.0)),
    )
    presets = (
        Preset(
            "edge of chaos", {"gain": 1.2, "size": 1000},
            "The currents drift slowly, correlated over 15 time units; small networks often freeze or cycle here.",
        ),
        Preset(
            "deep chaos", {"gain": 2.5, "show": "autocorrelation"},
            "The measured autocorrelation settles on the curve of theory: half is gone after 4.5 time units.",
        ),
        Preset(
            "noise tames chaos", {"gain": 1.5, "noise": 0.25, "show": "autocorrelation"},
            "The neurons are busier than without noise, yet the Lyapunov exponent is negative.",
            (Promise("lyapunov_exponent", -0.1, 0.1),),
        ),
        Preset(
            "linear twin", {"gain": 2.0, "noise": 0.5, "size": 200, "show": "covariance"},
            "Each dot is a pair of neurons: the linear network knows its covariance in advance, and what is measured "
            "comes closer the longer one averages.",
        ),
        Preset(
            "disc of eigenvalues", {"gain": 1.5, "show": "eigenvalues"},
            "Saturation shrinks the disc of eigenvalues until its edge just touches the line of stability.",
        ),
        Preset(
            "symmetric couplings", {"gain": 1.5, "symmetry": 1.0},
            "With symmetric couplings there is an energy: every current comes to rest at a fixed point.",
        ),
    )  # fmt: skip
    references = (
        Reference(
            "variance at gain 2", 1.9248054137370578, 1e-9, "energy condition (4), trapezoid rule with 4801 points",
            lambda: _theory("variance", gain=2.0),
        ),
        Reference(
            "Lyapunov exponent at gain 1.5", 0.046746219521379695, 1e-7, "eq. (5) by finite differences, extrapolated",
            lambda: _theory("lyapunov_exponent", gain=1.5),
        ),
        Reference(
            "variance with noise 0.5 at gain 2, erf", 2.2159312778067126, 1e-9, "eq. (4)",
            lambda: _theory("variance", "quiescent chaotic", gain=2.0, noise=0.5, nonlinearity="erf"),
        ),
        Reference(
            "noise that ends chaos at gain 2, erf", 0.6187600881886312, 2e-6, "root of the Lyapunov exponent",
            lambda: float(RandomNetwork(gain=2.0, nonlinearity="erf").landmark("onset_of_chaos", "noise")[0]),
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "At gain 2 the network is chaotic. How much noise D makes it follow the noise instead?",
            {"gain": 2.0, "noise": 0.0}, "noise",
            lambda model: float(model.landmark("onset_of_chaos", "noise")[0]), 0.05,
            "Noise drives the neurons into saturation, where they amplify differences less.",
        ),
        Task(
            "Without noise, how large is the Lyapunov exponent at gain 3?", {"gain": 3.0}, "lyapunov_exponent",
            lambda model: float(model.theory()["lyapunov_exponent"].sel(branch="chaotic")), 0.03,
            "Two copies separate e-fold in about four time units, much slower than the gain of 3 suggests.",
        ),
    )  # fmt: skip
    simulation = RandomNetworkSimulation

    def solve(self, points: Points) -> Solution:
        gain, noise, rho = points["gain"], points["noise"], points["symmetry"]
        n = gain.size
        found, off, count = np.full((6, n), np.nan), np.empty(n), np.zeros(n, np.int64)
        solve_points(gain, noise, pair_table(self.nonlinearity), chebyshev(), found, off, count)
        off = np.where(np.isfinite(found).all(axis=0), off, np.inf)
        names = ("variance", "activity", "lyapunov_exponent", "correlation_time", "dimension")
        rows = np.delete(found, 2, axis=0)
        rate = gain * (1 + rho) - 1  # the edge of the spectrum of the couplings decides over silence
        quiet = noise == 0
        chaotic = np.where(quiet, gain > 1, rows[2] > 0)
        values, residual = np.full((5, n, 2), np.nan), np.full((n, 2), np.nan)
        values[:, :, CHAOTIC] = np.where(chaotic, rows, np.nan)
        values[:, :, QUIESCENT] = np.where(chaotic, np.nan, rows)
        residual[:, CHAOTIC] = np.where(chaotic, off, np.nan)
        residual[:, QUIESCENT] = np.where(chaotic, np.nan, off)
        values[:, quiet, QUIESCENT] = 0.0
        values[2, quiet, QUIESCENT] = rate[quiet]
        residual[quiet, QUIESCENT] = 0.0
        residual[:, CHAOTIC] = np.where(quiet & (rho != 0) & (rate > 0) & (gain <= 1), np.inf, residual[:, CHAOTIC])
        residual[quiet & (rho != 0) & (rate <= 0), CHAOTIC] = np.nan
        stable = np.ones((n, 2), np.bool_)
        stable[quiet, QUIESCENT] = rate[quiet] <= 0
        validity = np.zeros((n, 2), np.int8)
        validity[rho != 0] = 1
        validity[quiet, QUIESCENT] = 0
        iterations = np.stack([count, count], axis=1)
        return Solution(dict(zip(names, values, strict=True)), residual, stable, validity, iterations)

    def classify(self, points: Points, solution: Solution, equilibrium: Array) -> Array:
        gain, noise, rho = points["gain"], points["noise"], points["symmetry"]
        silent = (noise == 0) & (gain * (1 + rho) <= 1)
        found = np.where(equilibrium < 0, -1, np.where(equilibrium == CHAOTIC, CHAOS, DRIVEN))
        return np.where(silent, SILENT, np.where(rho != 0, ACTIVE, found))

    def _onset(self, variance: float) -> tuple[float, float]:
        """Gain and noise at the onset of chaos where the variance has this value, eqs. (4) and (6)."""
        table = pair_table(self.nonlinearity)
        reach = np.empty(table.shape[1])
        set_variance(table, variance, reach)
        square = variance / pair_correlation(table, reach, variance)
        return math.sqrt(square), math.sqrt(max(variance**2 - 2 * square * pair_integral(table, reach, variance), 0.0))

    def landmark(self, name: str, along: str) -> Array:
        if along == "symmetry" and self.noise == 0:
            return self.control(along).within([1 / self.gain - 1] if self.gain > 0 else [])
        if along not in ("gain", "noise") or (self.symmetry != 0 and (along == "noise" or self.noise > 0)):
            raise NotOfferedError(self.title, f"{name} along {along} with this symmetry")
        if along == "gain" and self.noise == 0:
            return self.control(along).within([1 / (1 + self.symmetry)] if self.symmetry > -1 else [])
        index, wanted = (1, self.noise) if along == "gain" else (0, self.gain)
        low, high = 1e-9, 60.0  # the variance there, with both bounds of both controls in between
        if not self._onset(low)[index] < wanted < self._onset(high)[index]:
            return np.array([])
        variance = brentq(lambda v: self._onset(v)[index] - wanted, low, high, xtol=1e-15, rtol=1e-14)
        return self.control(along).within([self._onset(variance)[1 - index]])

    def autocorrelation(self, lags: Array) -> Array:
        """Delta of eq. (2) at these lags (rising, not negative), shape of lags; 0 in silence."""
        found = np.empty(len(lags))
        curves(
            self.gain, self.noise, pair_table(self.nonlinearity), chebyshev(), np.asarray(lags, np.float64),
            np.empty(0), found, np.empty(0),
        )  # fmt: skip
        return found

    def _state(self) -> Array:
        found, residual, iterations = np.full((6, 1), np.nan), np.empty(1), np.empty(1, np.int64)
        at = np.array([self.gain]), np.array([self.noise])
        solve_points(*at, pair_table(self.nonlinearity), chebyshev(), found, residual, iterations)
        return found[:, 0]

    def mean_slope(self) -> float:
        """Mean of phi' in the active state (1 in silence)."""
        return float(self._state()[2])

    def activity(self) -> float:
        """Mean squared rate in the active state (0 in silence)."""
        return float(self._state()[1])

    def profiles(self) -> dict[str, Profile]:
        lag = np.linspace(0, 40, 161)
        values = np.full((2, lag.size), np.nan)
        exists = self.theory_exists()
        values[QUIESCENT] = 0.0 if self.noise == 0 else np.nan
        branch = CHAOTIC if exists[CHAOTIC] else QUIESCENT
        if self.noise > 0 or exists[CHAOTIC]:
            values[branch] = self.autocorrelation(lag)
        return {"autocorrelation": Profile(lag, values)}

    def theory_exists(self) -> Array:
        """Which branches exist here, shape (2,)."""
        solution = self.solve({n: np.array([float(getattr(self, n))]) for n in self.axis_names()})
        return solution.exists(self.tolerance)[0]

    def law(self) -> Law:
        variance = float(self._state()[0])
        if self.symmetry != 0:
            raise NotOfferedError(self.title, "the distribution of currents with symmetric couplings")
        if variance == 0:
            return Law("current", np.linspace(-1, 1, 3), np.zeros(3), "silence", atoms=((0.0, 1.0),))
        x = np.linspace(-5, 5, 301) * math.sqrt(variance)
        density = np.exp(-(x**2) / (2 * variance)) / math.sqrt(2 * np.pi * variance)
        return Law("current", x, density, "Gaussian of the variance of theory, over all neurons")

    def caveat(self) -> str:
        if self.noise == 0 and abs(self.gain - 1) < 0.2:
            return "near the onset a finite network may settle in silence, at a fixed point or in a cycle"
        return "finite size; two copies of a finite network separate more slowly than in theory"

    def footprint(self) -> int:
        return 24 * self.size**2 + (120 * self.size**2 if self.show == "covariance" else 0)


def _theory(observable: str, branches: str = "chaotic", **controls: float | str) -> float:
    """The value on whichever of the branches exists."""
    model = RandomNetwork().replace(**controls)
    values = [float(model.theory()[observable].sel(branch=b)) for b in branches.split()]
    return next(v for v in values if np.isfinite(v))
