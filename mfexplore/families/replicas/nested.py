r"""Nested Gaussian averages: the tree of states of replica symmetry breaking, valid at every temperature.

A field $y_k=H+\sqrt{v_0}\,z_0+\dots+\sqrt{v_k}\,z_k$ is built up in steps, and from its end, where
$\Phi_k(y)=T\ln2\cosh(y/T)$, one averages back, at every step but the first with the exponent $\gamma_i$:

$$\Phi_{i-1}(y)=\frac1{\gamma_i}\ln\overline{e^{\gamma_i\Phi_i(y+\sqrt{v_i}z)}}\quad(i=k,\dots,1),\qquad
\Phi=\overline{\Phi_0(H+\sqrt{v_0}\,z)}$$

This is the Parisi recursion for a function with $k$ steps. The weights met on the way back define a tilted average
$\langle\cdot\rangle_i$ over $y_i$, and

$$\Big(\frac\partial{\partial v_i}-\frac\partial{\partial v_{i+1}}\Big)\Phi
=\tfrac12(\gamma_i-\gamma_{i+1})\langle\Phi_i'^2\rangle_i,\qquad
\gamma_i\frac{\partial\Phi}{\partial\gamma_i}=\langle\Phi_i\rangle_i-\langle\Phi_{i-1}\rangle_{i-1},\qquad
\frac{\partial\Phi}{\partial H}=\langle\Phi_0'\rangle_0$$

**How.** The innermost average is split into one in closed form (of a smooth stand-in for $e^{\gamma|y|}$) and a
localised rest, by the trapezoid rule over $y/T$, so $T=0$ is nothing special. What comes out is smooth on the scale
$\sqrt{T^2+v_k}$ and even in $y$, so that a grid of that spacing over half the line carries the rest: a convolution per
step with the Gaussian sampled there, or, where it is narrower than the grid, with the kernel of the same moments up to
order 17 (averaged Lagrange polynomials). The tilted averages are the transpose of that, exactly, whatever
the width of the first step. Relative errors are of order $10^{-9}$ or below.
"""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import exp, expm1, log1p
from mfexplore.numerics.functions.gaussian import NARROW, SQRT_2PI, Z_WEIGHT, Z
from mfexplore.numerics.kernel import kernel

U_STEP = 0.28
U_NODES = 46  # u up to 12.9, where the rest has decayed as exp(-2u)
STAND_IN = 0.9 * math.sqrt(2.0)  # slope of the stand-in for the sign: the argument of the normal distribution function
# Spacing of the grid, in units of what smooths the innermost average: temperature and width of the Gaussian
FROM_TEMPERATURE, FROM_VARIANCE = 0.18, 0.25
LARGEST = 0.11  # spacing due to temperature: near T = 1 the steps are so small that the last digits count
NARROW_STEP = 1.5  # variance in units of the spacing squared, below which the kernel is built from its moments
TAPS = 8


def lagrange_coefficients(taps: int) -> NDArray[np.float64]:
    """Coefficients, shape (points, powers), of the Lagrange polynomials of the points -taps..taps, computed exactly."""
    points = range(-taps, taps + 1)
    rows = []
    for own in points:
        row = [Fraction(1)]
        for other in points:
            if other != own:
                shifted, scaled = [Fraction(0), *row], [*(other * c for c in row), Fraction(0)]
                row = [(a - b) / (own - other) for a, b in zip(shifted, scaled, strict=True)]
        rows.append([float(c) for c in row])
    return np.array(rows)


LAGRANGE = lagrange_coefficients(TAPS)


@kernel
def normal_cdf(x):
    """Standard normal distribution function."""
    return 0.5 * math.erfc(-x * 0.7071067811865476)


@kernel
def innermost(temperature, exponent, variance, spacing, out):
    """The average over y_k at every y_(k-1) = j spacing, tilted by exp(exponent Phi_k).

    Args:
        exponent: gamma_k > 0, at most 1/T. variance: v_k >= 0, positive at T = 0.
        out: shape (6, n), is filled with Phi_(k-1), the averages of tanh(y/T), sech^2/T, sech^4/T, of the entropy
            ln 2cosh(y/T) - y/T tanh(y/T), and of Phi_k.
    """
    deviation = math.sqrt(variance)
    x = exponent * temperature
    if deviation < NARROW * temperature:
        beta, scale = 1.0 / temperature, deviation / temperature
        for j in range(out.shape[1]):
            centre = j * spacing * beta
            excess = t1 = c1 = c2 = s1 = 0.0
            for k in range(Z.size):
                u = centre + scale * Z[k]
                a = abs(u)
                e = exp(-2.0 * a)
                d = 1.0 / (1.0 + e)
                log_cosh = log1p(e)
                growth = expm1(x * (a - centre + log_cosh))
                w = Z_WEIGHT[k] * (1.0 + growth)
                c = 4.0 * e * d * d
                excess += Z_WEIGHT[k] * growth
                t1 += w * math.copysign((1.0 - e) * d, u)
                c1 += w * c
                c2 += w * c * c
                s1 += w * (log_cosh + 2.0 * a * e * d)
            fill(out, j, spacing, temperature, exponent, variance, 0.0, excess, t1, c1 * beta, c2 * beta, s1)
        return
    tables = np.empty((6, U_NODES))
    for k in range(U_NODES):
        u = (k + 0.5) * U_STEP
        e = math.exp(-2.0 * u)
        power = math.exp(x * math.log1p(e))
        above, below = normal_cdf(STAND_IN * u), math.exp(-2.0 * x * u) * normal_cdf(-STAND_IN * u)
        d = 1.0 / (1.0 + e)
        c = 4.0 * e * d * d
        tables[0, k] = u * temperature
        tables[1, k] = power - above - below
        tables[2, k] = power * (1.0 - e) * d - above + below
        tables[3, k] = power * c
        tables[4, k] = power * c * c
        tables[5, k] = power * (math.log1p(e) + 2.0 * u * e * d)
    field, rest, rest_t = tables[0], tables[1], tables[2]
    sech2, sech4, entropy = tables[3], tables[4], tables[5]
    drift = exponent * variance
    width = math.sqrt(temperature * temperature + STAND_IN * STAND_IN * variance)
    scale = U_STEP / (SQRT_2PI * deviation)
    inverse = 0.7071067811865476 / deviation
    reach = drift + 8.6 * deviation + U_NODES * U_STEP * temperature
    for j in range(out.shape[1]):
        y = j * spacing
        mirror = math.exp(-2.0 * exponent * y)
        above = normal_cdf(STAND_IN * (y + drift) / width)
        below = mirror * normal_cdf(STAND_IN * (drift - y) / width)
        r = t = c1 = c2 = s1 = 0.0
        if y < reach:
            for k in range(U_NODES):
                a = (field[k] - y - drift) * inverse
                b = (field[k] + y - drift) * inverse
                plus, minus = exp(-a * a), mirror * exp(-b * b)
                both = plus + minus
                r += both * rest[k]
                t += (plus - minus) * rest_t[k]
                c1 += both * sech2[k]
                c2 += both * sech4[k]
                s1 += both * entropy[k]
        local = scale * temperature
        excess = (above - 1.0) + below + local * r
        fill(
            out, j, spacing, temperature, exponent, variance, 0.5 * drift, excess, above - below + local * t,
            scale * c1, scale * c2, local * s1,
        )  # fmt: skip


@kernel
def fill(out, j, spacing, temperature, exponent, variance, shift, excess, t, c1, c2, s):
    """Column j of `innermost` from the weighted sums; the weights sum up to 1 + excess."""
    y = j * spacing
    inverse = 1.0 / (1.0 + excess)
    t, c1, c2, s = t * inverse, c1 * inverse, c2 * inverse, s * inverse
    out[0, j] = y + shift + math.log1p(excess) / exponent
    out[1, j] = t
    out[2, j] = c1
    out[3, j] = c2
    out[4, j] = s
    # y tanh, by parts in the tilted Gaussian average, and T times the entropy
    out[5, j] = y * t + variance * (c1 + exponent * (1.0 - temperature * c1)) + temperature * s


@kernel
def interpolation_weights(offset, variance, weights):
    """Weights, shape (2 TAPS + 1,), that average over N(offset, variance) what is known at -TAPS..TAPS; exact for
    polynomials up to order 2 TAPS. |offset| <= 1/2.
    """
    moment = np.empty(2 * TAPS + 1)
    moment[0], moment[1] = 1.0, offset
    for p in range(2, 2 * TAPS + 1):
        moment[p] = offset * moment[p - 1] + (p - 1) * variance * moment[p - 2]
    for d in range(2 * TAPS + 1):
        total = 0.0
        for p in range(2 * TAPS + 1):
            total += LAGRANGE[d, p] * moment[p]
        weights[d] = total


@kernel
def convolution_kernel(variance, spacing):
    """Weights of the average over a Gaussian, at distances 0, 1, 2, ... grid points."""
    s = variance / (spacing * spacing)
    if s < NARROW_STEP:
        both = np.empty(2 * TAPS + 1)
        interpolation_weights(0.0, s, both)
        return both[TAPS:].copy()
    n = int(7.8 * math.sqrt(s)) + 1
    weights = np.empty(n + 1)
    total = 0.0
    for d in range(n + 1):
        weights[d] = math.exp(-0.5 * d * d / s)
        total += weights[d] if d == 0 else 2.0 * weights[d]
    return weights / total


@kernel
def convolve(weights, buffer, pad, out):
    """out[j] = sum over d of weights[|d|] buffer[pad + j + d]."""
    n = out.size
    centre = buffer[pad : pad + n]
    for j in range(n):
        out[j] = weights[0] * centre[j]
    for d in range(1, weights.size):
        left, right, w = buffer[pad - d : pad - d + n], buffer[pad + d : pad + d + n], weights[d]
        for j in range(n):
            out[j] += w * (left[j] + right[j])


@kernel
def mirror(buffer, pad, sign):
    """Continue a function known for y >= 0 to y < 0, even (sign = 1) or odd (-1)."""
    for d in range(1, pad + 1):
        buffer[pad - d] = sign * buffer[pad + d]


@kernel
def start_weights(field, variance, spacing, even, odd):
    """Weights of the average over N(field, variance) of an even and of an odd function known at j spacing, j >= 0."""
    even[:] = 0.0
    odd[:] = 0.0
    s = variance / (spacing * spacing)
    centre = field / spacing
    nearest = round(centre)
    if s < NARROW_STEP:
        weights = np.empty(2 * TAPS + 1)
        interpolation_weights(centre - nearest, s, weights)
        half = TAPS
    else:
        half = int(7.8 * math.sqrt(s)) + 1
        weights = np.empty(2 * half + 1)
        for d in range(-half, half + 1):
            weights[d + half] = math.exp(-0.5 * (nearest + d - centre) ** 2 / s)
        weights /= weights.sum()
    for d in range(-half, half + 1):
        j = nearest + d
        if abs(j) < even.size:
            even[abs(j)] += weights[d + half]
            odd[abs(j)] += weights[d + half] * np.sign(j)


@kernel
def grid_of(temperature, variances, field):
    """(points, spacing) of the grid that serves `nested_averages`."""
    by_temperature = min(FROM_TEMPERATURE * temperature, LARGEST)
    spacing = math.sqrt(by_temperature**2 + FROM_VARIANCE**2 * variances[-1])
    total = 0.0
    for i in range(variances.size):
        total += variances[i]
    reach = abs(field) + 7.5 * math.sqrt(total) + 6.0 * temperature
    return max(int(reach / spacing) + 2, 2 * TAPS + 2), spacing


@kernel
def nested_averages(temperature, variances, exponents, field, squares, potentials):
    """The averages of the module at one set of variances and exponents.

    Args:
        variances: v_0, ..., v_k, shape (k + 1,), k >= 1; all but the last may vanish, at T > 0 the last too.
        exponents: gamma_1, ..., gamma_k, shape (k,), positive, at most 1/T. field: H >= 0.
        squares: shape (k + 1,), is filled with the tilted averages of Phi_i'^2, the last (tanh^2) too.
        potentials: shape (k + 1,), is filled with the tilted averages of Phi_i; the first is Phi itself.

    Returns the tilted averages of tanh(y_k/T) (the derivative of Phi by the field), of sech^2/T, of sech^4/T and of the
    entropy of a spin in the field y_k.
    """
    k = exponents.size
    n, spacing = grid_of(temperature, variances, field)
    inner = np.empty((6, n))
    innermost(temperature, exponents[k - 1], variances[k], spacing, inner)
    phi, slope = np.empty((k, n)), np.empty((k, n))  # of levels 0 .. k - 1
    tilt, total = np.empty((k, n)), np.empty((k, n))  # e^(gamma_i Phi_i) at i, its average at i - 1
    for j in range(n):
        phi[k - 1, j], slope[k - 1, j] = inner[0, j], inner[1, j]
    widest = 0.0
    for i in range(1, k):
        widest = max(widest, variances[i])
    room = max(TAPS, int(7.8 * math.sqrt(widest) / spacing) + 2)
    even, odd = np.empty(n + 2 * room), np.empty(n + 2 * room)
    work = np.empty(n)
    constant = 0.5 * exponents[k - 1] * variances[k]  # Phi_i = |y| + constant far out
    for i in range(k - 1, 0, -1):
        gamma = exponents[i - 1]
        weights = convolution_kernel(variances[i], spacing)
        pad = weights.size - 1
        for j in range(n):
            g = expm1(gamma * (phi[i, j] - constant))
            tilt[i, j] = 1.0 + g
            even[pad + j] = g
            odd[pad + j] = (1.0 + g) * slope[i, j]
        for j in range(n, n + pad):
            g = math.expm1(gamma * j * spacing)
            even[pad + j] = g
            odd[pad + j] = 1.0 + g
        mirror(even, pad, 1.0)
        mirror(odd, pad, -1.0)
        convolve(weights, even, pad, total[i - 1])
        convolve(weights, odd, pad, work)
        for j in range(n):
            # expm1 and log1p, because a small exponent would magnify the rounding of numbers close to one
            phi[i - 1, j] = constant + log1p(total[i - 1, j]) / gamma
            total[i - 1, j] += 1.0
            slope[i - 1, j] = work[j] / total[i - 1, j]
        constant += 0.5 * gamma * variances[i]

    measure = np.empty(n)  # of y_i, folded onto y >= 0: all that is averaged from here on is even
    start_weights(field, variances[0], spacing, measure, work)
    magnetization = 0.0
    for j in range(n):
        magnetization += work[j] * slope[0, j]
    for i in range(k):
        if i > 0:
            weights = convolution_kernel(variances[i], spacing)
            pad = weights.size - 1
            for j in range(n):
                even[pad + j] = 0.5 * measure[j] / total[i - 1, j]
            even[pad] *= 2.0
            even[pad + n : n + 2 * pad] = 0.0
            mirror(even, pad, 1.0)
            convolve(weights, even, pad, work)
            for j in range(n):
                weight = 2.0 * work[j] * tilt[i, j]
                measure[j] = weight if abs(weight) > 1e-60 else 0.0  # what fades must not become denormal: 50x slower
            measure[0] *= 0.5
        square = potential = 0.0
        for j in range(n):
            square += measure[j] * slope[i, j] * slope[i, j]
            potential += measure[j] * phi[i, j]
        squares[i], potentials[i] = square, potential
    response = quartic = entropy = potential = 0.0
    for j in range(n):
        response += measure[j] * inner[2, j]
        quartic += measure[j] * inner[3, j]
        entropy += measure[j] * inner[4, j]
        potential += measure[j] * inner[5, j]
    squares[k], potentials[k] = 1.0 - temperature * response, potential
    return magnetization, response, quartic, entropy
