r"""Dense Hebbian network: memories of higher order, in numbers that pairwise couplings could never hold.

$N$ neurons $s_i=\pm1$ interact in groups of $p\ge3$. With the overlaps $m_\mu=N^{-1}\sum_i\xi_i^\mu s_i$ with $K$
memories $\xi^\mu$ (products of one neuron with itself left out),

$$H=-\frac Np\sum_{\mu=1}^Km_\mu^p,\qquad K=\alpha N^{p-1} \tag{1}$$

For $p=2$ this is the Hopfield network and $K$ of the order $N$; here it is $N^2$ and more: *ultra-storage*. All other
memories act on a neuron as a Gaussian field of variance $Sq^{p-1}$ with $S=(p-1)!\,\alpha$, without the feedback that
makes the Hopfield network special. With $z$ standard normal and $\overline{\,\cdot\,}$ its average, the
replica-symmetric theory of plain **storage** is

$$m=\overline{\tanh\frac hT},\qquad q=\overline{\tanh^2\frac hT},\qquad h=m^{p-1}+\sqrt{Sq^{p-1}}\,z \tag{2}$$

**Learning from examples.** The network may never see its memories, only $M$ noisy examples of each,
$\eta_i^{\mu a}=\pm\xi_i^\mu$ with probabilities $(1\pm r)/2$; $r$ is their quality. With
$n_{\mu a}=N^{-1}\sum_i\eta_i^{\mu a}s_i$, a teacher who says which examples belong together allows *supervised*
learning from their mean; without one, learning is *unsupervised*:

$$H_\text{sup}=-\frac N{p\,r^p}\sum_\mu\Big(\frac1M\sum_an_{\mu a}\Big)^p,\qquad
H_\text{uns}=-\frac N{p\,r^p}\sum_\mu\frac1M\sum_an_{\mu a}^p \tag{3}$$

A neuron then feels the examples' mean, $b=(2k-M)/(Mr)$ with $k$ binomial of mean $M(1+r)/2$, of average 1 and variance
$\rho=(1-r^2)/(Mr^2)$. The signal $\nu=\overline{b\tanh}$ is the overlap with the mean example over $r$, and

$$m=\overline{\tanh\frac hT},\quad\nu=\overline{b\tanh\frac hT},\quad q=\overline{\tanh^2\frac hT},\quad
h=b\,\nu^{p-1}+\sqrt{Sq^{p-1}}\,z \tag{4}$$

averaged over $b$ too. The crosstalk grows to $S_\text{sup}=(p-1)!\,\alpha\,(1+\rho)^p$ and
$S_\text{uns}=(p-1)!\,\alpha\,(1+\rho_p)$, $\rho_p=(1-r^{2p})/(Mr^{2p})$: without a teacher, examples are compared one
by one, and much worse once $r^{2p}M<1$. With few memories ($\alpha\to0$) even that can be afforded: *ultra-detection*.
For many examples $b$ becomes Gaussian and $\nu=m+\rho\,\nu^{p-1}(1-q)/T$, the form found in the literature
(`statistics="gaussian"`).

The free energy per neuron and the condition of stability are, with $C=(1-q)/T$,

$$f=\frac{p-1}p\nu^p-\frac{ST}{2p}\,C^2\sum_{k=1}^{p-1}kq^{k-1}-T\,\overline{\ln2\cosh\frac hT} \tag{5}$$

$$\lambda=T-\frac{(p-1)Sq^{p-2}}T\,\overline{\mathrm{sech}^4\frac hT}>0 \tag{6}$$

**One step of replica symmetry breaking** (`rsb_steps=1`) has states of overlap $q_1$ with themselves and $q_0$ with
each other, in clusters of size $x=\gamma T$:

$$f=\frac{p-1}p\nu^p-\frac S{2p}\Big[TC^2\sum_{k=1}^{p-1}kq_1^{k-1}-(p-1)\gamma(q_1^p-q_0^p)\Big]
-\frac1\gamma\overline{\ln\overline{(2\cosh\tfrac{h_1}T)^{x}}^{\,y}}^{\,z} \tag{7}$$

with $h_0=\nu^{p-1}+\sqrt{Sq_0^{p-1}+\rho\nu^{2p-2}}\,z$ and $h_1=h_0+\sqrt{S(q_1^{p-1}-q_0^{p-1})}\,y$, stationary in
$\nu$, $q_0$, $q_1$, $\gamma$. Without retrieval it is the $p$-spin glass of coupling $J=\sqrt{2S/p}$: at $T_s$ the
entropy of its states vanishes and the paramagnet freezes, discontinuously and without latent heat (a random first-order
transition); below $T_d>T_s$ the dynamics already does not equilibrate. Symmetry breaking matters where
retrieval ends: at $T=0$, $p=3$ symmetry predicts a capacity of $\alpha=0.126$, which would grow on heating; one step
gives 0.154, and no such oddity.

**Valid:** random memories, $N\to\infty$ at fixed $\alpha$; eqs. (4) hold at finite $M$ ($\lambda>0$; one step is
carried out for storage and Gaussian examples). At finite $N$ the crosstalk is not yet Gaussian, so a hundred
neurons agree with theory to some percent. **Digits are not random**: see the presets for what high orders make of that.

Sources: E. Gardner (1987) for storage; Agliari, Albanese, Alemanno, Alessandrelli, Barra et al. (2023) for examples and
for broken symmetry, there derived by interpolation; eqs. (4) at finite $M$ and (7) were derived for this page.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.replicas.nested import nested_averages
from mfexplore.numerics.continuation import false_position, narrowed, predicted, remember
from mfexplore.numerics.digits import ORDER, as_image, as_patterns, assorted, handwritings, typical
from mfexplore.numerics.elementary import log
from mfexplore.numerics.gaussian import response_and_entropy
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.linear import solve_linear
from mfexplore.numerics.random import advanced, new_stream, uniform

RETRIEVAL, GLASS, PARAMAGNET = 0, 1, 2
LN2 = math.log(2.0)
CLOSE = 1e-9  # relative size of the last Newton step
FAR = 60  # more iterations than any of the loops below needs
HIGHEST = 6  # order
MOST_EXAMPLES = 500

# The rows of the table that `solve_points` fills, as the observables are declared, and two more
QUANTITIES = (
    "overlap", "edwards_anderson", "overlap_0", "breakpoint", "signal", "free_energy", "energy", "entropy", "replicon",
)  # fmt: skip
RESIDUAL, ITERATIONS, ROWS = 9, 10, 11


# -- replica symmetry ----------------------------------------------------------------------------------------------


@kernel
def tail(order, q):
    """The polynomial sum of k q^(k-1), k = 1 .. p-1, of eq. (5)."""
    total = 0.0
    for k in range(order - 1, 0, -1):
        total = total * q + k
    return total


@kernel
def fill_blur(examples, quality, values, weights):
    """Values and weights of b, eq. (4), as far as they count; returns how many."""
    if quality >= 1.0:
        values[0], weights[0] = 1.0, 1.0
        return 1
    odds = 0.5 * math.log((1.0 + quality) / (1.0 - quality))
    common = math.lgamma(examples + 1.0) + 0.5 * examples * math.log(0.25 * (1.0 - quality * quality))
    count = 0
    for k in range(examples + 1):
        logarithm = common - math.lgamma(k + 1.0) - math.lgamma(examples - k + 1.0) + (2 * k - examples) * odds
        if logarithm > -35.0:
            values[count] = (2.0 * k - examples) / (examples * quality)
            weights[count] = math.exp(logarithm)
            count += 1
    return count


@kernel
def averages(nu, deviation, temperature, order, spread, values, weights):
    """The averages of eqs. (4) at a given signal and standard deviation of the crosstalk: (next nu, m, q, C), then the
    slopes of the next nu and of q along nu and along the deviation, then the means of sech^4/T, of S and of T ln 2cosh.

    values, weights: of b; empty for a Gaussian b of variance `spread` (zero for plain storage).
    """
    mean = nu ** (order - 1)
    slope = (order - 1) * nu ** (order - 2)
    if values.size == 0:
        own = spread * mean
        total = math.sqrt(own * mean + deviation * deviation)
        m, q, c, by_mean, by_total, quartic, entropy = response_and_entropy(mean, total, temperature)
        inverse = 1.0 / total if total > 0.0 else 0.0
        c_mean = by_mean + by_total * own * inverse
        c_deviation = by_total * deviation * inverse
        by_nu = (c * (1.0 + spread) + own * (by_mean + c_mean)) * slope
        by_deviation = deviation * by_mean + own * c_deviation
        log_cosh = mean * m + total * total * c + temperature * entropy
        return (
            m + own * c, m, q, c, by_nu, by_deviation, -temperature * c_mean * slope, -temperature * c_deviation,
            quartic, entropy, log_cosh,
        )  # fmt: skip
    target = m = q = c = by_nu = by_deviation = c_nu = c_deviation = quartic = entropy = log_cosh = 0.0
    safe = max(deviation, 1e-12) if temperature == 0.0 else deviation  # b may vanish, and the field with it
    for k in range(values.size):
        b, w = values[k], weights[k]
        m1, q1, c1, by_mean, by_total, quartic1, entropy1 = response_and_entropy(b * mean, safe, temperature)
        target += w * b * m1
        m += w * m1
        q += w * q1
        c += w * c1
        by_nu += w * b * b * c1
        by_deviation += w * b * safe * by_mean
        c_nu += w * b * by_mean
        c_deviation += w * by_total
        quartic += w * quartic1
        entropy += w * entropy1
        log_cosh += w * (b * mean * m1 + safe * safe * c1 + temperature * entropy1)
    return (
        target, m, q, c, by_nu * slope, by_deviation, -temperature * c_nu * slope, -temperature * c_deviation, quartic,
        entropy, log_cosh,
    )  # fmt: skip


@kernel
def write(table, i, branch, nu, strength, temperature, order, state, residual, iterations):
    """Enter a replica-symmetric branch into the table. state: m, q, C, means of sech^4/T, of S, of T ln 2cosh."""
    m, q, c, quartic, entropy, log_cosh = state
    pressure = 0.5 * strength / order * c * c * tail(order, q)
    f = (order - 1.0) / order * nu**order - temperature * pressure - log_cosh
    s = entropy - pressure
    margin = temperature - strength * (order - 1) * q ** (order - 2) * quartic
    row = (m, q, q, 1.0, nu, f, f + temperature * s, s, margin, residual, float(iterations))
    for k in range(ROWS):
        table[k, i, branch] = row[k]


@kernel
def unloaded(temperature, order, spread, values, weights):
    """Largest signal without crosstalk, 0 if there is none: Newton from above, where the average is concave."""
    nu = math.sqrt(1.0 + spread)
    for _ in range(FAR):
        a = averages(nu, 0.0, temperature, order, spread, values, weights)
        if a[4] >= 1.0:
            return 0.0
        step = (nu - a[0]) / (1.0 - a[4])
        nu -= step
        if nu <= 1e-3:
            return 0.0
        if step <= 1e-13:
            break
    return nu


@kernel
def smallest(top, temperature, order, spread, values, weights):
    """The unstable root below the largest without crosstalk: only between the two can crosstalk be borne."""
    low, high = 0.0, top
    for _ in range(45):
        nu = 0.5 * (low + high)
        if averages(nu, 0.0, temperature, order, spread, values, weights)[0] > nu:
            high = nu
        else:
            low = nu
        if high - low < 1e-12:
            break
    return high


@kernel
def on_curve(nu, guess, temperature, order, spread, values, weights):
    """How much crosstalk makes nu the solution: (deviation, S, sign of the slope of S along nu, lambda, f). The average
    falls with the deviation, so there is one.
    """
    low, high, deviation = 0.0, math.inf, guess
    a = averages(nu, deviation, temperature, order, spread, values, weights)
    for _ in range(FAR):
        f = a[0] - nu
        if f >= 0.0:
            low = deviation
        else:
            high = deviation
        square = deviation * (deviation - 2.0 * f / a[5]) if a[5] < 0.0 else -1.0  # linear in the square near zero
        new = math.sqrt(square) if square > 0.0 else -1.0
        if not low <= new <= high:
            new = 0.5 * (low + min(high, 2.0 * deviation + 0.1))
        done = abs(new - deviation) <= 1e-11 * deviation or high - low < 1e-14
        deviation = new
        a = averages(nu, deviation, temperature, order, spread, values, weights)
        if done:
            break
    _, _, q, c, by_nu, by_deviation, q_nu, q_deviation, quartic, _, log_cosh = a
    strength = deviation * deviation / q ** (order - 1)
    along = (1.0 - by_nu) / by_deviation if by_deviation != 0.0 else -math.inf
    slope = 2.0 * along * q - (order - 1) * deviation * (q_nu + q_deviation * along)
    margin = temperature - strength * (order - 1) * q ** (order - 2) * quartic
    f = (order - 1.0) / order * nu**order - log_cosh
    f -= 0.5 * strength / order * temperature * c * c * tail(order, q)
    return deviation, strength, slope, margin, f


@kernel
def symmetric_range(temperature, order, spread, values, weights):
    """Retrieval without broken symmetry, as a curve S(nu) from nu = top, S = 0 to its maximum: (top, nu, deviation and
    S at the maximum); zeros if there is none.
    """
    top = unloaded(temperature, order, spread, values, weights)
    if top == 0.0:
        return 0.0, 0.0, 0.0, 0.0
    bottom = smallest(top, temperature, order, spread, values, weights) if temperature > 0.0 else 0.0
    high, deviation = top, 0.1
    pieces = 24
    for k in range(1, pieces):
        nu = top - (top - bottom) * k / pieces
        deviation, strength, slope, _, _ = on_curve(nu, deviation, temperature, order, spread, values, weights)
        if slope > 0.0:
            low, low_slope = nu, slope
            nu = high
            if high == top:
                nu = top - 1e-6 * (top - bottom)
            _, _, high_slope, _, _ = on_curve(nu, deviation, temperature, order, spread, values, weights)
            bracket = (low, nu, low_slope, max(high_slope, -3.0 * low_slope), 0)
            for _ in range(FAR):
                nu = false_position(bracket)
                deviation, strength, slope, _, _ = on_curve(nu, deviation, temperature, order, spread, values, weights)
                bracket = narrowed(bracket, nu, slope)
                if bracket[1] - bracket[0] < 1e-11 or abs(slope) < 1e-12:
                    break
            return top, nu, deviation, strength
        high = nu
    return top, nu, deviation, strength


@kernel
def breaking(top, fold, temperature, order, spread, values, weights):
    """(nu, S) at which lambda vanishes between nu = top and the fold; the fold if it does not."""
    deviation, strength, _, margin, _ = on_curve(fold, 0.3, temperature, order, spread, values, weights)
    low, high = fold, top
    if margin >= 0.0:
        return fold, strength
    if temperature == 0.0:
        return top, 0.0
    for _ in range(FAR):
        nu = 0.5 * (low + high)
        deviation, strength, _, margin, _ = on_curve(nu, deviation, temperature, order, spread, values, weights)
        if margin < 0.0:
            low = nu
        else:
            high = nu
        if high - low < 1e-13:
            break
    return nu, strength


@kernel
def newton(nu, deviation, strength, temperature, order, spread, values, weights):
    """Polish a root of eqs. (4). Returns nu, the deviation, the state as `write` takes it, the residual before the last
    step, and the iterations, negative if it did not converge.
    """
    state, residual = (0.0, 0.0, 0.0, 0.0, 0.0, 0.0), math.inf
    root = math.sqrt(strength)
    power = 0.5 * (order - 1)
    for iteration in range(12):
        target, m, q, c, by_nu, by_deviation, q_nu, q_deviation, quartic, entropy, log_cosh = averages(
            nu, deviation, temperature, order, spread, values, weights
        )
        f1, f2 = nu - target, deviation - root * q**power
        residual = max(abs(f1), abs(f2) / (1.0 + deviation))
        bend = root * power * q ** (power - 1.0)
        j11, j12, j21, j22 = 1.0 - by_nu, -by_deviation, -bend * q_nu, 1.0 - bend * q_deviation
        determinant = j11 * j22 - j12 * j21
        dn = (f1 * j22 - f2 * j12) / determinant
        ds = (j11 * f2 - j21 * f1) / determinant
        if abs(dn) <= CLOSE * nu and abs(ds) <= CLOSE * deviation:
            log_cosh -= target * (order - 1) * nu ** (order - 2) * dn + deviation * c * ds
            state = (m, q, c, quartic, entropy, log_cosh)
            return nu - dn, deviation - ds, state, residual, iteration + 1
        if not (abs(dn) < 0.5 * nu and abs(ds) < 0.7 * deviation):
            break
        nu -= dn
        deviation -= ds
    return nu, deviation, state, residual, -12


@kernel
def retrieved(nu, deviation, known, top, fold, strength, temperature, order, spread, values, weights):
    """Retrieval at one S, from a guess if one is known, else safely along the curve. Returns what `newton` does."""
    if strength == 0.0:
        a = averages(top, 0.0, temperature, order, spread, values, weights)
        return top, 0.0, (a[1], a[2], a[3], a[8], a[9], a[10]), abs(a[0] - top), 1
    if not known:  # near S = 0 the signal differs from `top` by less than the last digit
        nu, deviation = top, math.sqrt(strength)
    nu, deviation, state, residual, count = newton(nu, deviation, strength, temperature, order, spread, values, weights)
    if count > 0 and nu >= fold * (1.0 - 1e-7):
        return nu, deviation, state, residual, count
    bracket, deviation = (fold, top, 1.0, -1.0, 0), 0.3
    for k in range(FAR):
        nu = 0.5 * (bracket[0] + bracket[1]) if k < 4 else false_position(bracket)
        deviation, found, _, _, _ = on_curve(nu, deviation, temperature, order, spread, values, weights)
        bracket = narrowed(bracket, nu, found - strength)
        if bracket[1] - bracket[0] < 1e-11 or abs(found - strength) < 1e-10 * strength:
            break
    nu, deviation, state, residual, count = newton(nu, deviation, strength, temperature, order, spread, values, weights)
    return nu, deviation, state, residual if count > 0 else math.inf, abs(count)


@kernel
def symmetric_glass_threshold(order):
    """(smallest S/T^2, deviation/T there) of the replica-symmetric glass: eq. (2) at m = 0 knows no other scale."""
    bracket, u, q = (0.2, 6.0, -1.0, 1.0, 0), 1.0, 0.0
    for k in range(FAR):
        u = 0.5 * (bracket[0] + bracket[1]) if k < 6 else false_position(bracket)
        _, q, _, _, by_deviation, _, _ = response_and_entropy(0.0, u, 1.0)
        slope = 2.0 * q + (order - 1) * u * by_deviation
        bracket = narrowed(bracket, u, slope)
        if bracket[1] - bracket[0] < 1e-9:
            break
    return u * u / q ** (order - 1), u


@kernel
def symmetric_glass(low, strength, temperature, order):
    """Root of eq. (2) at m = 0 by Newton from above. Returns the state as `write` takes it, residual and iterations."""
    root = math.sqrt(strength)
    power = 0.5 * (order - 1)
    high = deviation = root
    for iteration in range(FAR):
        _, q, c, _, by_deviation, quartic, entropy = response_and_entropy(0.0, deviation, temperature)
        f = deviation - root * q**power
        if f > 0.0:
            high = deviation
        else:
            low = deviation
        slope = 1.0 + root * power * q ** (power - 1.0) * temperature * by_deviation
        new = deviation - f / slope
        if abs(new - deviation) <= CLOSE * deviation:
            log_cosh = deviation * new * c + temperature * entropy
            return (0.0, q, c, quartic, entropy, log_cosh), abs(f) / (1.0 + deviation), iteration + 1
        deviation = new if low <= new <= high else 0.5 * (low + high)
    return (0.0, q, c, quartic, entropy, 0.0), math.inf, FAR


# -- one step of replica symmetry breaking -------------------------------------------------------------------------

# A point of the broken branch: signal, C, gamma, S, and d = q1 - q0, along which it is followed from small to large.
# It is born at d = 0, where lambda vanishes, and ends where S is largest.
NODES = np.array([0.002, 0.004, 0.008, 0.015, 0.025, 0.04, 0.065, 0.1, 0.15, 0.21, 0.28, 0.37, 0.47, 0.6, 0.75])
START = 4  # the node that is solved first
SIGNAL, RESPONSE, GAMMA, STRENGTH, DISTANCE = range(5)


@kernel
def one_step(u, temperature, order, spread, out):
    """How far a point is from stationarity of eq. (7). Returns (m, mean of sech^4/T, of S, f); m NaN off the domain.

    out: shape (4,): nu, C, q1 - q0 and gamma; the last two divided by powers of d, or every point of replica symmetry,
    with d = 0 and any gamma, would be a solution.
    """
    nu, c, gamma, strength, d = u
    q1 = 1.0 - temperature * c
    q0 = q1 - d
    if not (nu > 0.0 and q0 > 0.0 and d > 0.0 and strength > 0.0 and gamma > 0.0 and gamma * temperature <= 1.0):
        out[0] = math.nan
        return math.nan, 0.0, 0.0, 0.0
    mean = nu ** (order - 1)
    outer = strength * q0 ** (order - 1)
    variances = np.array([outer + spread * mean * mean, strength * q1 ** (order - 1) - outer])
    squares, potentials = np.empty(2), np.empty(2)
    m, c_new, quartic, entropy = nested_averages(temperature, variances, np.array([gamma]), mean, squares, potentials)
    q1_new = 1.0 - temperature * c_new
    work = 0.5 * (order - 1) * strength / order * (q1**order - q0**order)
    out[0] = m + spread * mean * (c_new + gamma * (q1_new - squares[0])) - nu
    out[1] = c_new - c
    out[2] = (q1_new - squares[0] - d) / d
    out[3] = (work * gamma + potentials[0] - potentials[1]) / d**3
    pressure = 0.5 * strength / order * c * c * tail(order, q1)
    f = (order - 1.0) / order * nu**order - temperature * pressure + gamma * work - potentials[0]
    return m, quartic, entropy - pressure, f


@kernel
def refine(u, fixed, temperature, order, spread, result):
    """Newton (finite differences, Jacobian kept while it serves) for the stationary point of eq. (7) with one component
    of u held. Overwrites u; result: m, mean of sech^4/T, s, f, residual. Returns the iterations, negative if not
    converged.
    """
    out, tried, shifted = np.empty(4), np.empty(4), np.empty(5)
    jacobian, work = np.empty((4, 4)), np.empty((4, 4))
    size, fresh = math.inf, False
    for iteration in range(25):
        result[0], result[1], result[2], result[3] = one_step(u, temperature, order, spread, out)
        d = u[DISTANCE]
        result[4] = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]) * d, abs(out[3]) * d**3))
        now = max(max(abs(out[0]), abs(out[1])), max(abs(out[2]), abs(out[3])))
        if math.isnan(out[0]) or not now < math.inf:
            return -25
        fresh = iteration == 0 or (now > 0.1 * size and not fresh)
        size = now
        if fresh:
            for column in range(4):
                k = column if column < fixed else column + 1
                for other in range(5):
                    shifted[other] = u[other]
                step = 1e-5 * u[k] if k != GAMMA else -1e-5 * u[k]  # gamma = 1/T is the edge of the domain
                shifted[k] += step
                one_step(shifted, temperature, order, spread, tried)
                for row in range(4):
                    jacobian[row, column] = (tried[row] - out[row]) / step
        for row in range(4):
            for column in range(4):
                work[row, column] = jacobian[row, column]
        solve_linear(work, out)
        largest = 0.0
        for column in range(4):
            largest = max(largest, abs(out[column]) / u[column if column < fixed else column + 1])
        if not largest < math.inf:
            return -25
        for column in range(4):
            u[column if column < fixed else column + 1] -= min(1.0, 0.3 / largest) * out[column]
        if largest < 2e-8 and result[4] < 3e-9:
            return iteration + 1
    return -25


@kernel
def put(u, nodes, k):
    """Copy a point into a row of nodes."""
    for i in range(5):
        nodes[k, i] = u[i]


@kernel
def guessed(nodes, k, j, target, by, u):
    """Guess at `target` of component `by` from three neighbouring nodes k, k + j, k + 2j (parabola)."""
    a, b, c = nodes[k, by], nodes[k + j, by], nodes[k + 2 * j, by]
    wa = (target - b) * (target - c) / ((a - b) * (a - c))
    wb = (target - a) * (target - c) / ((b - a) * (b - c))
    for i in range(5):
        u[i] = wa * nodes[k, i] + wb * nodes[k + j, i] + (1.0 - wa - wb) * nodes[k + 2 * j, i]
    u[by] = target


@kernel
def step_along(nodes, here, side, extrapolate, temperature, order, spread, u, result):
    """Solve the node beside `here`, into u: from a parabola through three, else in up to eight steps from `here`.
    Returns whether it was found.
    """
    start, end = nodes[here, DISTANCE], NODES[here + side]
    if extrapolate:
        guessed(nodes, here, -side, end, DISTANCE, u)
        if refine(u, DISTANCE, temperature, order, spread, result) > 0:
            return True
    for pieces in (1, 2, 8):
        for i in range(5):
            u[i] = nodes[here, i]
        for k in range(1, pieces + 1):
            d = start * (end / start) ** (k / pieces)
            before = temperature**2 + 0.55 * u[DISTANCE] * u[STRENGTH]
            u[GAMMA] *= math.sqrt(before / (temperature**2 + 0.55 * d * u[STRENGTH]))
            u[DISTANCE] = d
            if refine(u, DISTANCE, temperature, order, spread, result) < 0:
                break
            if k == pieces:
                return True
    return False


@kernel
def broken_curve(nu, c, strength, temperature, order, spread, nodes):
    """Follow the broken branch through NODES, from a symmetric solution (nu, C, S) near its start. Fills rows of nodes,
    shape (len(NODES) + 1, 5), and returns the first and the last, (0, -1) if nothing was found. The last row has the
    largest S: retrieval ends there.
    """
    u, result = np.empty(5), np.empty(5)
    first = last = START
    found = False
    for factor in (1.0, 0.7, 1.4, 0.5, 2.0):
        d = NODES[START]
        gamma = factor * 0.52 / math.sqrt(temperature**2 + 0.55 * d * strength)
        u[SIGNAL], u[RESPONSE], u[STRENGTH], u[DISTANCE] = nu, c, strength, d
        u[GAMMA] = min(gamma, 0.9 / temperature) if temperature > 0.0 else gamma
        if refine(u, DISTANCE, temperature, order, spread, result) > 0:
            found = True
            break
    if not found:
        return 0, -1
    put(u, nodes, START)
    for side in (-1, 1):
        here = START
        while 0 <= here + side < NODES.size:
            if not step_along(nodes, here, side, last - first >= 2, temperature, order, spread, u, result):
                break
            here += side
            put(u, nodes, here)
            first, last = min(first, here), max(last, here)
            if side == 1 and u[STRENGTH] < nodes[here - 1, STRENGTH]:
                break
    peak = first
    for k in range(first, last + 1):
        if nodes[k, STRENGTH] > nodes[peak, STRENGTH]:
            peak = k
    if peak in (first, last):
        return first, peak
    for _ in range(4):  # the maximum of S by parabolas
        left = nodes[peak, DISTANCE] - nodes[peak - 1, DISTANCE]
        right = nodes[peak, DISTANCE] - nodes[peak + 1, DISTANCE]
        p = left * (nodes[peak, STRENGTH] - nodes[peak + 1, STRENGTH])
        q = right * (nodes[peak, STRENGTH] - nodes[peak - 1, STRENGTH])
        d = nodes[peak, DISTANCE] - 0.5 * (left * p - right * q) / (p - q)
        gap = abs(d - nodes[peak, DISTANCE])
        if gap < 1e-5 or not nodes[peak - 1, DISTANCE] < d < nodes[peak + 1, DISTANCE]:
            break
        guessed(nodes, peak - 1, 1, d, DISTANCE, u)
        if refine(u, DISTANCE, temperature, order, spread, result) < 0:
            break
        gain = u[STRENGTH] - nodes[peak, STRENGTH]
        side = 1 if d > nodes[peak, DISTANCE] else -1
        if gain > 0.0:  # the new point is the highest; the old one becomes its neighbour
            for i in range(5):
                nodes[peak - side, i] = nodes[peak, i]
            put(u, nodes, peak)
        else:
            put(u, nodes, peak + side)
        if abs(gain) < 1e-10:
            break
    return first, peak


@kernel
def glass_equations(c, gamma, t, order, out):
    """Stationarity of eq. (7) for the pure glass at J = 1; returns (mean of sech^4/T, s, f)."""
    strength = 0.5 * order
    q = 1.0 - t * c
    squares, potentials = np.empty(2), np.empty(2)
    variances = np.array([0.0, strength * q ** (order - 1)])
    _, c_new, quartic, entropy = nested_averages(t, variances, np.array([gamma]), 0.0, squares, potentials)
    work = 0.5 * (order - 1) * strength / order * q**order
    out[0] = c_new - c
    out[1] = work * gamma + potentials[0] - potentials[1]
    pressure = 0.5 * strength / order * c * c * tail(order, q)
    return quartic, entropy - pressure, gamma * work - t * pressure - potentials[0]


@kernel
def pure_glass(c, gamma, t, order, result):
    """Solve `glass_equations` from a guess; fills result with (q, gamma, f, s, lambda, C). Returns the last step."""
    out, tried = np.empty(2), np.empty(2)
    jacobian = np.empty((2, 2))
    largest = math.inf
    for _ in range(30):
        quartic, entropy, f = glass_equations(c, gamma, t, order, out)
        glass_equations(c * (1.0 + 1e-5), gamma, t, order, tried)
        for row in range(2):
            jacobian[row, 0] = (tried[row] - out[row]) / (1e-5 * c)
        glass_equations(c, gamma * (1.0 - 1e-5), t, order, tried)
        for row in range(2):
            jacobian[row, 1] = (out[row] - tried[row]) / (1e-5 * gamma)
        solve_linear(jacobian, out)
        largest = max(abs(out[0]) / c, abs(out[1]) / gamma)
        scale = min(1.0, 0.3 / largest)
        c -= scale * out[0]
        gamma -= scale * out[1]
        if t > 0.0:
            gamma = min(gamma, 1.0 / t)
        q = 1.0 - t * c
        margin = t - 0.5 * order * (order - 1) * q ** (order - 2) * quartic
        result[0], result[1], result[2], result[3], result[4], result[5] = q, gamma, f, entropy, margin, c
        if largest < 1e-9:
            break
    return largest


@kernel
def frozen_overlap(scale):
    """Overlap q and ln 2cosh of the states at x = 1, where the tilted average is one over N(scale^2, scale^2)."""
    m, _, c, _, _, _, entropy = response_and_entropy(scale * scale, scale, 1.0)
    return m, scale * scale * (m + c) + entropy


@kernel
def transition_temperatures(order):
    """(T_d, T_s) of the pure glass at J = 1: the largest temperature at which states exist, and where their number is
    no longer exponential, along the curve of solutions with x = 1.
    """
    best, at = 0.0, 0.0
    low, high = 0.5, 8.0
    for _ in range(FAR):  # T has one maximum along the curve: golden section
        a, b = low + 0.381966 * (high - low), high - 0.381966 * (high - low)
        if dynamic(a, order)[0] > dynamic(b, order)[0]:
            high = b
        else:
            low = a
    at = 0.5 * (low + high)
    best = dynamic(at, order)[0]
    low, high = at, 12.0
    for _ in range(FAR):
        a = 0.5 * (low + high)
        if dynamic(a, order)[1] > 0.0:
            low = a
        else:
            high = a
    return best, dynamic(low, order)[0]


@kernel
def dynamic(scale, order):
    """(T, complexity) at a point of that curve."""
    q, log_cosh = frozen_overlap(scale)
    squared = 2.0 * scale * scale / (order * q ** (order - 1))  # 1/T^2
    return 1.0 / math.sqrt(squared), LN2 + 0.5 * scale * scale - log_cosh + 0.25 * squared * (order - 1) * q**order


@cache
def transition_pair(order: int) -> tuple[float, float]:
    """(T_d, T_s) of the pure glass at J = 1."""
    dynamic_temperature, static_temperature = transition_temperatures(order)
    return float(dynamic_temperature), float(static_temperature)


DEGREE = 23
GLASS_ROWS = 5  # q, gamma, f, s, lambda


def chebyshev_places() -> Array:
    """Chebyshev points in [0, 1], descending."""
    return 0.5 + 0.5 * np.cos(np.pi * (np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1))


@cache
def glass_series(order: int) -> Array:
    """The pure glass at J = 1 for all temperatures: T_d, T_s, the error, then Chebyshev coefficients of GLASS_ROWS
    quantities over T/T_s in [0, 1], shape (3 + GLASS_ROWS * (DEGREE + 1),).
    """
    t_d, t_s = transition_pair(order)
    places = chebyshev_places()
    samples = np.empty((GLASS_ROWS, places.size))
    result = np.empty(6)
    q = {3: 0.82, 4: 0.93, 5: 0.96}.get(order, 0.98)
    c, gamma, error = (1 - q) / t_s, 1 / t_s, 0.0
    for k, place in enumerate(places):
        error = max(error, pure_glass(c, gamma, place * t_s, order, result))
        c, gamma = result[5], result[1]
        samples[:, k] = result[:GLASS_ROWS]
    angles = np.pi * np.outer(np.arange(DEGREE + 1), np.arange(DEGREE + 1) + 0.5) / (DEGREE + 1)
    series = 2.0 / (DEGREE + 1) * samples @ np.cos(angles).T
    series[:, 0] *= 0.5
    error = max(error, float(np.abs(series[:3, -2:]).max()))
    return np.concatenate([[t_d, t_s, error], series.ravel()])


def freezing_temperatures(order: Array, dynamic: bool = False) -> Array:
    """T_s (or T_d) at J = 1 for an array of orders."""
    known = {p: transition_pair(int(p))[0 if dynamic else 1] for p in np.unique(order)}
    return np.array([known[p] for p in order])


@cache
def all_series() -> Array:
    """`glass_series` of the orders 3 .. HIGHEST, shape (orders, n)."""
    return np.stack([glass_series(order) for order in range(3, HIGHEST + 1)])


@kernel
def series_value(series, row, place):
    """Sum a Chebyshev series of `glass_series` at a place in [0, 1] (Clenshaw)."""
    x = 2.0 * place - 1.0
    start = 3 + row * (DEGREE + 1)
    a = b = 0.0
    for k in range(DEGREE, 0, -1):
        a, b = series[start + k] + 2.0 * x * a - b, a
    return series[start] + x * a - b


@kernel
def broken_at(strength, temperature, order, spread, nodes, first, last, u, result):
    """The broken branch at one S between those of the first and last node; see `refine`."""
    k = first
    while k < last - 1 and nodes[k + 1, STRENGTH] <= strength:
        k += 1
    middle = min(max(k, first + 1), last - 1)
    low, high = nodes[k, DISTANCE], nodes[k + 1, DISTANCE]
    for _ in range(40):  # S is flat at its maximum, so look for d
        d = 0.5 * (low + high)
        if last - first >= 2:
            guessed(nodes, middle - 1, 1, d, DISTANCE, u)
        else:
            share = (d - nodes[first, DISTANCE]) / (nodes[last, DISTANCE] - nodes[first, DISTANCE])
            for i in range(5):
                u[i] = nodes[first, i] + share * (nodes[last, i] - nodes[first, i])
        if u[STRENGTH] < strength:
            low = d
        else:
            high = d
    u[STRENGTH] = strength
    count = refine(u, STRENGTH, temperature, order, spread, result)
    if count < 0:  # walk there from the node above
        for i in range(5):
            u[i] = nodes[k + 1, i]
        pieces = 12
        for piece in range(1, pieces + 1):
            u[STRENGTH] = nodes[k + 1, STRENGTH] + (strength - nodes[k + 1, STRENGTH]) * piece / pieces
            count = refine(u, STRENGTH, temperature, order, spread, result)
    return count


# -- all branches --------------------------------------------------------------------------------------------------


@kernel
def solve_points(temperatures, loads, strengths, orders, spreads, examples, qualities, binomial, table):
    """All branches without broken symmetry at n points, into a table of shape (ROWS, n, 3) full of NaN. A point that
    differs from the one before in load or temperature only starts where the last three solutions lead to.

    strengths, spreads: S and rho; binomial: b is not Gaussian.
    """
    places, nus, deviations = np.zeros(3), np.zeros(3), np.zeros(3)
    all_values, all_weights = np.empty(MOST_EXAMPLES + 1), np.empty(MOST_EXAMPLES + 1)
    known, axis, count = 0, -1, 0
    top, fold, largest, threshold, narrowest = 0.0, 0.0, 0.0, 0.0, 0.0
    for i in range(temperatures.size):
        t, strength, order, spread = temperatures[i], strengths[i], orders[i], spreads[i]
        same = i > 0 and order == orders[i - 1] and examples[i] == examples[i - 1] and qualities[i] == qualities[i - 1]
        moved, place = -1, 0.0
        if same and t == temperatures[i - 1] and loads[i] != loads[i - 1]:
            moved, place = 1, math.sqrt(strength)
        elif same and t != temperatures[i - 1] and loads[i] == loads[i - 1]:
            moved, place = 0, t
        if moved != axis or moved < 0:
            known, axis = 0, moved
        if not same:
            threshold, narrowest = symmetric_glass_threshold(order)
            count = fill_blur(examples[i], qualities[i], all_values, all_weights) if binomial else 0
        values, weights = all_values[:count], all_weights[:count]
        if not same or t != temperatures[i - 1]:
            top, fold, _, largest = symmetric_range(t, order, spread, values, weights)
        if top > 0.0 and strength <= largest:
            nu = deviation = 0.0
            if known > 0:
                nu, deviation = predicted(places, nus, known, place), predicted(places, deviations, known, place)
            nu, deviation, state, residual, steps = retrieved(
                nu, deviation, known > 0, top, fold, strength, t, order, spread, values, weights
            )
            known = remember(places, nus, deviations, known, place, nu, deviation)
            write(table, i, RETRIEVAL, nu, strength, t, order, state, residual, steps)
        else:
            known = 0
        if t > 0.0 or strength == 0.0:
            beta = 1.0 / t if t > 0.0 else 0.0
            state = (0.0, 0.0, beta, beta, LN2, t * LN2)
            write(table, i, PARAMAGNET, 0.0, strength, t, order, state, 0.0, 0)
        if strength > 0.0 and strength >= threshold * t * t:
            state, residual, steps = symmetric_glass(narrowest * t, strength, t, order)
            write(table, i, GLASS, 0.0, strength, t, order, state, residual, steps)


@kernel
def broken_range(temperature, order, spread, nodes):
    """First and last node of the broken branch (see `broken_curve`), for a Gaussian b; (0, -1) where symmetry holds up
    to the end of retrieval.
    """
    values = np.empty(0)
    top, fold, _, largest = symmetric_range(temperature, order, spread, values, values)
    if top == 0.0 or breaking(top, fold, temperature, order, spread, values, values)[0] <= fold:
        return 0, -1
    for share in (0.95, 1.0, 0.8):
        nu, _, state, residual, _ = retrieved(
            0.0, 0.0, False, top, fold, share * largest, temperature, order, spread, values, values
        )
        if residual < math.inf:
            first, last = broken_curve(nu, state[2], share * largest, temperature, order, spread, nodes)
            if last > first:
                return first, last
    return 0, -1


@kernel
def write_broken(table, i, u, temperature, order, result, count):
    """Enter a point of the broken branch into the table."""
    nu, c, gamma, strength, d = u
    m, quartic, s, f, residual = result
    q = 1.0 - temperature * c
    margin = temperature - strength * (order - 1) * q ** (order - 2) * quartic
    residual = residual if count > 0 else math.inf
    row = (m, q, q - d, gamma * temperature, nu, f, f + temperature * s, s, margin, residual, float(abs(count)))
    for k in range(ROWS):
        table[k, i, RETRIEVAL] = row[k]


@kernel
def break_symmetry(temperatures, strengths, orders, spreads, chosen, gaussian, series, table):
    """Replace what `solve_points` found by one step of symmetry breaking at the chosen points: always the glass, and
    retrieval where symmetry is broken and b is Gaussian. series: `glass_series` of the orders 3 .. HIGHEST.
    """
    nodes, u, result = np.zeros((NODES.size, 5)), np.empty(5), np.empty(5)
    first, last, before = 0, -1, -1
    for i in range(temperatures.size):
        if not chosen[i]:
            continue
        t, strength, order, spread = temperatures[i], strengths[i], orders[i], spreads[i]
        if gaussian:
            if before < 0 or t != temperatures[before] or order != orders[before] or spread != spreads[before]:
                first, last = broken_range(t, order, spread, nodes)
            before = i
            if last > first and strength >= nodes[first, STRENGTH]:
                for k in range(ROWS):
                    table[k, i, RETRIEVAL] = 0.0 if k == ITERATIONS else math.nan
                if strength <= nodes[last, STRENGTH]:
                    count = broken_at(strength, t, order, spread, nodes, first, last, u, result)
                    write_broken(table, i, u, t, order, result, count)
        for k in range(ROWS):
            table[k, i, GLASS] = 0.0 if k == ITERATIONS else math.nan
        own = series[order - 3]
        coupling = math.sqrt(2.0 * strength / order)
        t_s = own[1] * coupling
        if strength > 0.0 and t < t_s:
            q, gamma = series_value(own, 0, t / t_s), series_value(own, 1, t / t_s) / coupling
            f, s = series_value(own, 2, t / t_s) * coupling, series_value(own, 3, t / t_s)
            margin = series_value(own, 4, t / t_s) * coupling
            row = (0.0, q, 0.0, gamma * t, 0.0, f, f + t * s, s, margin, own[2], 0.0)
            for k in range(ROWS):
                table[k, i, GLASS] = row[k]


# -- boundaries ----------------------------------------------------------------------------------------------------

SPINODAL, TRANSITION, REPLICA = range(3)


@kernel
def free_energy_without(strength, temperature, order, broken, series):
    """Free energy of the state that competes with retrieval: the glass where it exists, else the paramagnet."""
    if broken:
        coupling = math.sqrt(2.0 * strength / order)
        t_s = series[1] * coupling
        if temperature < t_s:
            return series_value(series, 2, temperature / t_s) * coupling
    else:
        threshold, u = symmetric_glass_threshold(order)
        if strength >= threshold * temperature**2 and strength > 0.0:
            state, _, _ = symmetric_glass(u * temperature, strength, temperature, order)
            c = state[2]
            return -0.5 * strength / order * temperature * c * c * tail(order, state[1]) - state[5]
    if temperature == 0.0:
        return 0.0
    return -0.5 * strength / (order * temperature) - temperature * LN2


@kernel
def equal_strength(top, fold, limit, temperature, order, spread, values, weights, broken, series):
    """S at which retrieval without broken symmetry, S < limit, and the state without it have the same free energy; inf
    if retrieval is always preferred, a negative number if it never is.
    """
    deviation, before_nu, before = 0.1, top, 0.0
    pieces = 16
    for k in range(pieces + 1):
        nu = top - (top - fold) * (k / pieces if k > 0 else 1e-9)
        deviation, strength, _, _, f = on_curve(nu, deviation, temperature, order, spread, values, weights)
        now = f - free_energy_without(strength, temperature, order, broken, series)
        if k == 0 and now > 0.0:
            return -now
        if now > 0.0:
            bracket = (nu, before_nu, now, before, 0)
            for _ in range(FAR):
                nu = false_position(bracket)
                deviation, strength, _, _, f = on_curve(nu, deviation, temperature, order, spread, values, weights)
                now = f - free_energy_without(strength, temperature, order, broken, series)
                bracket = narrowed(bracket, nu, now)
                if bracket[1] - bracket[0] < 1e-13 or abs(now) < 1e-14:
                    break
            return strength if strength < limit else math.inf
        if strength > limit:
            break
        before_nu, before = nu, now
    return math.inf


@kernel
def equal_broken(first, last, temperature, order, spread, nodes, series):
    """The same on the broken branch; inf if retrieval is always preferred there."""
    u, result = np.empty(5), np.empty(5)
    before = 0.0
    for k in range(first, last + 1):
        for i in range(5):
            u[i] = nodes[k, i]
        refine(u, DISTANCE, temperature, order, spread, result)
        now = result[3] - free_energy_without(u[STRENGTH], temperature, order, True, series)
        if now > 0.0:
            if k == first:
                return u[STRENGTH]
            bracket = (nodes[k - 1, STRENGTH], u[STRENGTH], before, now, 0)
            strength = u[STRENGTH]
            for _ in range(FAR):
                strength = false_position(bracket)
                broken_at(strength, temperature, order, spread, nodes, first, last, u, result)
                now = result[3] - free_energy_without(strength, temperature, order, True, series)
                bracket = narrowed(bracket, strength, now)
                if bracket[1] - bracket[0] < 1e-11 or abs(now) < 1e-12:
                    break
            return strength
        before = now
    return math.inf


@kernel
def symmetric_boundary(
    kind, temperatures, orders, spreads, examples, qualities, binomial, broken, series, strengths, real
):
    """S on a boundary of retrieval without broken symmetry, at n points, and whether it is crossed there. Where it is
    not, `strengths` continues with the sign that it has there, so that crossings along other controls are found.

    broken: compare with the glass of broken symmetry.
    """
    all_values, all_weights = np.empty(MOST_EXAMPLES + 1), np.empty(MOST_EXAMPLES + 1)
    for i in range(temperatures.size):
        t, order, spread = temperatures[i], orders[i], spreads[i]
        count = fill_blur(examples[i], qualities[i], all_values, all_weights) if binomial else 0
        values, weights = all_values[:count], all_weights[:count]
        top, fold, _, largest = symmetric_range(t, order, spread, values, weights)
        strengths[i], real[i] = largest, top > 0.0
        if top == 0.0:
            strengths[i] = -1e-4
        elif kind == TRANSITION:
            found = equal_strength(top, fold, largest, t, order, spread, values, weights, broken[i], series[order - 3])
            strengths[i], real[i] = min(found, largest), 0.0 <= found < math.inf
        elif kind == REPLICA:
            nu, strengths[i] = breaking(top, fold, t, order, spread, values, weights)
            real[i] = nu > fold


@kernel
def broken_boundary(kind, temperatures, orders, spreads, chosen, series, strengths, real):
    """Correct what `symmetric_boundary` found where one step of symmetry breaking is chosen and matters: the spinodal,
    and the transition where retrieval was preferred up to there.
    """
    nodes = np.zeros((NODES.size, 5))
    for i in range(temperatures.size):
        if not chosen[i] or strengths[i] < 0.0:
            continue
        t, order, spread = temperatures[i], orders[i], spreads[i]
        first, last = broken_range(t, order, spread, nodes)
        if last <= first:
            continue
        if kind == SPINODAL:
            strengths[i] = nodes[last, STRENGTH]
        elif not real[i] or strengths[i] > nodes[first, STRENGTH]:
            found = equal_broken(first, last, t, order, spread, nodes, series[order - 3])
            strengths[i], real[i] = min(found, nodes[last, STRENGTH]), found < math.inf


# -- simulation ----------------------------------------------------------------------------------------------------

BLOCK = 128  # updates whose random numbers are drawn together
MOST_ENTRIES = 2**26  # neurons times patterns: more would take a second per sweep


@inline_kernel
def symmetric_sum(k, p1, p2, p3, p4, p5):
    """Sum over all groups of k different neurons of the product of their x, from the sums of powers (Newton)."""
    e2 = np.float32(0.5) * (p1 * p1 - p2)
    e3 = np.float32(1.0 / 3.0) * (e2 * p1 - p1 * p2 + p3)
    if k == 2:
        return e2
    if k == 3:
        return e3
    e4 = np.float32(0.25) * (e3 * p1 - e2 * p2 + p1 * p3 - p4)
    if k == 4:
        return e4
    return np.float32(0.2) * (e4 * p1 - e3 * p2 + e2 * p3 - p1 * p4 + p5)


@kernel
def binary_sum(row, old, overlaps, n, k):
    """Sum over patterns (entries +-1) of the entry times the `symmetric_sum` over the other neurons, times (1/N)^k."""
    total = np.float32(0.0)
    unit = np.float32(1.0 / n)
    p2, p4 = np.float32(n - 1) * unit**2, np.float32(n - 1) * unit**4
    for r in range(row.size):
        x = np.float32(row[r] * old)
        rest = overlaps[r] - x
        p1 = rest * unit
        total += np.float32(row[r]) * symmetric_sum(k, p1, p2, p1 * unit * unit, p4, p1 * unit**4)
    return total


@kernel
def weighted_sum(row, old, moments, n, k):
    """The same for real entries; moments: sums of x, .., x^5 over the neurons, shape (5, patterns)."""
    total = np.float32(0.0)
    unit = np.float32(1.0 / n)
    m1, m2, m3, m4, m5 = moments[0], moments[1], moments[2], moments[3], moments[4]
    for r in range(row.size):
        x = row[r] * np.float32(old)
        square = x * x
        p1, p2 = (m1[r] - x) * unit, (m2[r] - square) * unit**2
        p3, p4 = (m3[r] - x * square) * unit**3, (m4[r] - square * square) * unit**4
        total += row[r] * symmetric_sum(k, p1, p2, p3, p4, (m5[r] - x * square * square) * unit**5)
    return total


@kernel
def flip_binary(row, change, overlaps):
    for r in range(row.size):
        overlaps[r] += change * np.float32(row[r])


@kernel
def flip_weighted(row, change, moments):
    m1, m3, m5 = moments[0], moments[2], moments[4]
    for r in range(row.size):
        x = row[r]
        m1[r] += change * x
        m3[r] += change * x**3
        m5[r] += change * x**5


@kernel
def heat_bath(patterns, moments, spins, weighted, order, unit, temperature, updates, stream):
    """Heat-bath updates of random neurons in the field of eq. (1) or (3), O(patterns) each.

    A neuron fires where its field exceeds (T/2) ln(u/(1 - u)), u uniform; these thresholds are drawn ahead in blocks.

    patterns: int8 (+-1) or, if weighted, float32, shape (N, patterns); moments: float32, shape (5, patterns), sums over
    i of (eta_i s_i)^k, of which only the first is used without weights; spins: int8, shape (N,); unit: what turns sums
    into fields. Overwrites moments, spins and stream.
    """
    n = spins.size
    sites, thresholds = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    position, done = stream[0], 0
    while done < updates:
        count = min(BLOCK, updates - done)
        for k in range(count):
            sites[k] = np.int64(uniform(position, 2 * k) * n)
            u = uniform(position, 2 * k + 1) + 1e-16
            tie = 1e-12 if u < 0.5 else -1e-12
            thresholds[k] = 0.5 * temperature / unit * log(u / (1.0 - u)) + tie
        position = advanced(position, 2 * count)
        done += count
        for k in range(count):
            i = sites[k]
            row, old = patterns[i], spins[i]
            if weighted:
                field = weighted_sum(row, old, moments, n, order - 1)
            else:
                field = binary_sum(row, old, moments[0], n, order - 1)
            new = np.int8(1) if field > thresholds[k] else np.int8(-1)
            if new != old:
                spins[i] = new
                if weighted:
                    flip_weighted(row, np.float32(new - old), moments)
                else:
                    flip_binary(row, np.float32(new - old), moments[0])
    stream[0] = position


class DenseHebbianSimulation(core.Simulation["DenseHebbian"]):
    """Heat-bath dynamics from a damaged first memory, one sweep = N updates of random neurons.

    Attributes:
        memories: int8, shape (N, K). patterns: what the couplings are made of: the memories (int8), their examples
            (int8, shape (N, K M)), or the examples' means over r (float32, shape (N, K)).
    """

    relaxation, window = 40.0, 40.0

    def prepare(self) -> None:
        m = self.model
        needed = m.footprint()
        if m.size * m.pattern_count > MOST_ENTRIES:
            raise core.TooLargeError(m.title, m.size, needed, 2 * MOST_ENTRIES)
        self.quality = m.quality
        if m.memories == "digits":
            self._draw_digits(m.memory_count)
        else:
            self._draw_random(m.memory_count)
        self.stream = new_stream(self.rng)
        self.cue = self.memories[:, 0].copy()
        lost = self.rng.permutation(m.size)[: round(m.corruption * m.size)]
        self.cue[lost] *= -1
        self.spins = self.cue.copy()
        self.weighted = self.patterns.dtype == np.float32
        self.sixth = (self.patterns.astype(np.float64) ** 6).sum(axis=0)[None] if self.weighted else np.empty(0)
        self.moments = np.zeros((5, self.patterns.shape[1]), np.float32)
        for start in range(0, self.patterns.shape[1], 4096):
            x = self.patterns[:, start : start + 4096] * self.spins[:, None].astype(np.float32)
            for k in range(5):
                self.moments[k, start : start + 4096] = (x ** (k + 1)).sum(axis=0)
        examples = 1 if m.setting != "unsupervised" else self.patterns.shape[1] / self.memories.shape[1]
        scale = self.quality**m.order if m.setting == "unsupervised" else 1.0
        self.unit = math.factorial(m.order - 1) / (examples * scale)

    def _draw_random(self, count: int) -> None:
        m = self.model
        self.memories = self.rng.integers(0, 2, (m.size, count), dtype=np.int8)
        self.memories *= 2
        self.memories -= 1
        self.patterns: Array = self.memories
        if m.setting == "supervised":
            right = self.rng.binomial(m.examples, 0.5 + 0.5 * m.quality, (m.size, count))
            mean = (2.0 * right - m.examples) / (m.examples * m.quality)
            self.patterns = (mean * self.memories).astype(np.float32)
        elif m.setting == "unsupervised":
            self.patterns = np.repeat(self.memories, m.examples, axis=1)
            wrong = self.rng.random(self.patterns.shape, dtype=np.float32) >= 0.5 + 0.5 * m.quality
            self.patterns[wrong] *= -1

    def _draw_digits(self, count: int) -> None:
        """Memories are images; or, to be learnt from examples, the ten digits, each from the images of it."""
        m = self.model
        if m.setting == "storage":
            self.patterns = self.memories = as_patterns(assorted(count, self.rng), m.size)
            return
        self.memories = np.stack([typical(d, m.size) for d in ORDER[:count]], axis=1)
        images = [as_patterns(handwritings(d, m.example_count, self.rng), m.size) for d in ORDER[:count]]
        self.quality = float(np.mean([np.mean(x * self.memories[:, [k]]) for k, x in enumerate(images)]))
        if m.setting == "supervised":
            means = [x.mean(axis=1, dtype=np.float32) for x in images]
            self.patterns = (np.stack(means, axis=1) / self.quality).astype(np.float32)
        else:
            self.patterns = np.concatenate(images, axis=1)

    def evolve(self, duration: float) -> None:
        m = self.model
        heat_bath(
            self.patterns, self.moments, self.spins, self.weighted, m.order, self.unit, m.temperature,
            round(duration * m.size), self.stream,
        )  # fmt: skip

    def overlaps(self) -> Array:
        """Overlap of the present state with every memory, shape (K,)."""
        if self.patterns is self.memories:
            return self.moments[0].astype(np.float64) / self.model.size
        overlaps: Array = self.spins.astype(np.float64) @ self.memories / self.model.size
        return overlaps

    def observe(self) -> dict[str, float]:
        m, n, order = self.overlaps(), self.model.size, self.model.order
        other = float(np.abs(m[1:]).max()) if len(m) > 1 else 0.0
        known = self.moments[0].astype(np.float64) / n
        own = self.patterns.shape[1] // self.memories.shape[1]
        signal = known[:own].mean() / (self.quality if self.model.setting == "unsupervised" else 1.0)
        return {
            "overlap": float(m[0]),
            "largest_other_overlap": other,
            "signal": float(signal),
            "energy": -self.unit * float(group_sums(self.powers(), order).sum()) / n**order,
        }

    def powers(self) -> Array:
        """Sums over the neurons of (eta_i s_i)^k, k = 1 .. 6, for every pattern: shape (6, patterns)."""
        if self.weighted:
            return np.concatenate([self.moments.astype(np.float64), self.sixth])
        odd = self.moments[0].astype(np.float64)
        return np.stack([odd, np.full(odd.size, float(self.model.size))] * 3)

    def picture(self) -> core.Patterns:
        images = [
            (f"cue, {self.model.corruption:.0%} flipped", as_image(self.cue)),
            (f"now, sweep {self.time:.0f}", as_image(self.spins)),
            ("memory", as_image(self.memories[:, 0])),
        ]
        if self.model.setting != "storage":
            example = self.patterns[:, 0] if not self.weighted else np.sign(self.patterns[:, 0]).astype(np.int8)
            images.append(("an example" if not self.weighted else "mean of the examples", as_image(example)))
        return core.Patterns(tuple(images))


def group_sums(powers: Array, k: int) -> Array:
    """Sum over all groups of k different neurons of the product of their x, from the sums of powers, by Newton's
    identities; powers: shape (>= k, patterns).
    """
    sums = [np.ones(powers.shape[1])]
    for j in range(1, k + 1):
        sums.append(sum((-1) ** (i - 1) * sums[j - i] * powers[i - 1] for i in range(1, j + 1)) / j)
    return sums[k]


@dataclass(frozen=True)
class DenseHebbian(core.Model):
    temperature: float = core.control(
        0.2, 0.0, 1.5, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise in each neuron"
    )
    load: float = core.control(
        0.05, 0.0, 0.5, symbol=r"\alpha", role="load", step=0.0005, quenched=True, doc="memories K over Nᵖ⁻¹"
    )
    order: int = core.control(
        3, 3, HIGHEST, symbol="p", role="order", quenched=True, doc="how many neurons interact at once"
    )
    setting: str = core.choice(
        "storage", ("storage", "unsupervised", "supervised"),
        doc="memories given as such, or learnt from noisy examples, without or with a teacher who sorts them",
    )  # fmt: skip
    examples: int = core.control(
        50, 1, MOST_EXAMPLES, symbol="M", role="disorder", scale="log", quenched=True,
        doc="noisy examples of each memory (not for storage)",
    )  # fmt: skip
    quality: float = core.control(
        0.5, 0.05, 1.0, symbol="r", role="disorder", step=0.01, quenched=True,
        doc="overlap of an example with its memory (not for storage)",
    )  # fmt: skip
    statistics: str = core.choice(
        "binomial", {"binomial": "binomial", "gaussian": "Gaussian"}, part="theory",
        doc="theory of the mean of M examples: exact, or in the limit of many",
    )  # fmt: skip
    rsb_steps: int = core.control(
        0,
        0,
        1,
        symbol="k",
        role="order",
        part="theory",
        doc="steps of replica symmetry breaking in the theory",
        title="RSB steps",
    )
    memories: str = core.choice(
        "random", ("random", "digits"), doc="random bits, or handwritten digits (which resemble each other)"
    )
    size: int = core.control(
        128, 16, 2048, symbol="N", unit="neurons", role="size", scale="log", part="simulation", doc="neurons simulated"
    )
    corruption: float = core.control(
        0.1, 0.0, 0.5, symbol="c", role="start", part="simulation", step=0.01, doc="fraction of the memory flipped"
    )

    title = "Dense Hebbian network"
    summary = "Neurons in groups of three and more store memories by the square of their number, or see through noise."
    sources = (
        core.Source("E. Gardner, J. Phys. A 20, 3453 (1987)", doi="10.1088/0305-4470/20/11/046"),
        core.Source(
            "L. Albanese, F. Alemanno, A. Alessandrelli and A. Barra, Replica symmetry breaking in dense neural "
            "networks (2021)", arxiv="2111.12997",
        ),
        core.Source(
            "E. Agliari et al., Dense Hebbian neural networks: a replica symmetric picture of unsupervised learning, "
            "Physica A 627, 129143 (2023)", doi="10.1016/j.physa.2023.129143", arxiv="2211.14067",
        ),
        core.Source(
            "E. Agliari et al., Dense Hebbian neural networks: a replica symmetric picture of supervised learning, "
            "Physica A 626, 129076 (2023)", doi="10.1016/j.physa.2023.129076", arxiv="2212.00606",
        ),
    )  # fmt: skip
    observables = (
        core.Observable("overlap", "m", "likeness to the first memory", low=0, high=1),
        core.Observable(
            "edwards_anderson",
            "q",
            "how frozen the neurons are (with broken symmetry: q_1)",
            low=0,
            high=1,
            title="Edwards-Anderson",
        ),
        core.Observable(
            "overlap_0", "q_0", "overlap of different states of the same cluster (q without breaking)", low=0, high=1
        ),
        core.Observable("breakpoint", "x", "probability of different states, the Parisi parameter", low=0, high=1),
        core.Observable("signal", r"\nu", "overlap with the mean example over its quality", low=0, high=1),
        core.Observable("free_energy", "f", "free energy per neuron, eqs. (5) and (7)", unit="J"),
        core.Observable("energy", "e", "energy per neuron", unit="J"),
        core.Observable("entropy", "s", "entropy per neuron; below zero the theory is wrong", signed=True),
        core.Observable(
            "replicon", r"\lambda", "replica symmetry (or its one breaking) holds where positive", signed=True
        ),
    )
    branches = (
        core.Branch("retrieval", "the first memory is recalled"),
        core.Branch("spin_glass", "frozen, but near no memory"),
        core.Branch("paramagnet", "molten: no neuron keeps its state"),
    )
    phases = (
        core.Phase("paramagnet", "Too hot: every neuron flips freely and nothing is remembered."),
        core.Phase(
            "spin_glass", "The neurons freeze, all at once and nearly completely, into states that resemble no memory."
        ),
        core.Phase(
            "metastable_retrieval", "Memories are recalled and last, although another state has the lower free energy."
        ),
        core.Phase("stable_retrieval", "Memories are the states of lowest free energy."),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Eq. (6) is negative: the state falls apart into more states than the theory (of none or one step) allows.",
        ),
        core.Failure(
            "paramagnet_frozen",
            "Here the paramagnet would have fewer states than one: it has frozen into the glass.",
        ),
        core.Failure(
            "memories_are_correlated",
            "The theory assumes unrelated random memories; digits resemble each other.",
        ),
    )
    landmarks = (
        core.Landmark("glass_transition", "T_s", "below it the paramagnet is frozen (one step of broken symmetry)"),
        core.Landmark(
            "dynamic_transition", "T_d", "below it the dynamics gets stuck before it freezes", continuous=False
        ),
        core.Landmark("retrieval_transition", "T_c", "below it memories have the lowest free energy", continuous=False),
        core.Landmark("retrieval_spinodal", "T_M", "above it no memory is recalled"),
        core.Landmark(
            "at_line", "T_R", "below it replica symmetry breaks in the memories", continuous=False, title="AT line"
        ),
    )
    planes = (
        core.Plane("load", "temperature", "overlap", branch="retrieval", y_range=(0.0, 0.7)),
        core.Plane("quality", "load", "overlap", branch="retrieval"),
        core.Plane("quality", "examples", "overlap", branch="retrieval"),
    )
    presets = (
        core.Preset(
            "ultra-storage", {"load": 0.05, "size": 256, "corruption": 0.2},
            "256 neurons recall one of 3277 memories from a copy with 20 % errors; pairwise couplings would hold 35.",
            (core.Promise(core.Mean("overlap", 10, 20), 1.0, 0.05),),
        ),
        core.Preset(
            "higher order", {"order": 4, "load": 0.008, "size": 128, "corruption": 0.15},
            "Groups of four: 128 neurons hold 16777 memories, yet a cue must be better than for groups of three.",
        ),
        core.Preset(
            "with a teacher",
            {"temperature": 0.1, "load": 0.005, "setting": "supervised", "examples": 20, "quality": 0.4, "size": 300},
            "The network saw only examples with 30 % errors and recalls what it never saw, up to 4 %.",
        ),
        core.Preset(
            "without a teacher",
            {"temperature": 0.1, "load": 0.005, "setting": "unsupervised", "examples": 20, "quality": 0.4, "size": 300},
            "The same examples unsorted: the crosstalk is ten times larger, and a little more is lost.",
        ),
        core.Preset(
            "ultra-detection",
            {
                "temperature": 0.1, "load": 3 / 300**3, "order": 4, "setting": "unsupervised", "examples": 300,
                "quality": 0.2, "size": 300,
            },
            "Every example has 40 % of its neurons wrong; with few memories the network sees through the noise.",
        ),
        core.Preset(
            "broken symmetry",
            {"temperature": 0.05, "load": 0.145, "rsb_steps": 1, "size": 400, "corruption": 0.02},
            "Beyond the capacity of the symmetric theory (0.133 here) the memory stays: set rsb_steps to 0, and theory "
            "loses it.",
            (core.Promise(core.Crossing("retrieval_spinodal", "load"), 0.133, 0.0005),),
        ),
        core.Preset(
            "ten digits", {
                "temperature": 0.02, "load": 10 / 400**5, "order": 6, "memories": "digits", "size": 400,
                "corruption": 0.25,
            },
            "All ten digits, which a Hopfield network melts into one blot: at order 6 likeness of a half counts 1/32.",
        ),
        core.Preset(
            "digits from examples", {
                "temperature": 0.05, "load": 4 / 400**5, "order": 6, "memories": "digits", "setting": "supervised",
                "examples": 100, "size": 400, "corruption": 0.2,
            },
            "Taught by a hundred handwritings of each of four digits, the network completes the typical one.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "capacity at T = 0, order 3", 0.1260952153853357, 1e-12, "max over y of erf(y)^4/(2 y^2)/2!",
            lambda model: float(DenseHebbian(temperature=0).landmark("retrieval_spinodal", "load")[0]),
        ),
        core.Reference(
            "capacity at T = 0, order 4", 0.03297668653256358, 1e-12, "max over y of erf(y)^6/(2 y^2)/3!",
            lambda model: float(DenseHebbian(temperature=0, order=4).landmark("retrieval_spinodal", "load")[0]),
        ),
        core.Reference(
            "overlap at T = 0.3, load 0.125", 0.863812754480256, 1e-9, "iteration of eqs. (2) from m = q = 1",
            lambda model: float(DenseHebbian(temperature=0.3, load=0.125).theory()["overlap"].sel(branch="retrieval")),
        ),
        core.Reference(
            "highest temperature of one memory alone", 0.5825829083651486, 1e-9, "spinodal of m = tanh(m^2/T)",
            lambda model: float(DenseHebbian(load=0).landmark("retrieval_spinodal", "temperature")[0]),
        ),
        core.Reference(
            "overlap learnt from 10 examples of quality 0.5", 0.8611612842, 1e-9, "eqs. (4); simulation of 900 neurons "
            "gives 0.858(10)", lambda model: float(
                DenseHebbian(temperature=0.2, load=0.025, setting="supervised", examples=10, quality=0.5)
                .theory()["overlap"].sel(branch="retrieval")
            ),
        ),
        core.Reference(
            "T_s of the 3-spin glass", 0.6513852269, 1e-8, "zero of the complexity, p-spin glass with J = 1",
            lambda model: float(DenseHebbian(load=0.375).landmark("glass_transition", "temperature")[0] * math.sqrt(2)),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "At zero temperature, order 3: how many memories (over N²) can be stored, by the symmetric theory?",
            {"temperature": 0.0, "load": 0.05}, "load",
            lambda model: float(model.landmark("retrieval_spinodal", "load")[0]), 0.01,
            "0.126 N^2: of 1000 neurons, 126 000 memories. Allow one step of symmetry breaking, and it is 0.154 N^2.",
        ),
        core.Task(
            "Without a teacher, with 20 examples of each memory: how good must the examples be (r) to be learnt from?",
            {"temperature": 0.1, "load": 0.005, "setting": "unsupervised", "examples": 20, "quality": 0.8}, "quality",
            lambda model: float(model.landmark("retrieval_spinodal", "quality")[0]), 0.04,
            "Pairs of examples are compared p at a time, so their quality enters as r^(2p): the threshold is sharp.",
        ),
    )  # fmt: skip
    simulation = DenseHebbianSimulation

    @property
    def memory_count(self) -> int:
        """K, the number of memories at this size, at least one; of digits to be learnt there are only ten."""
        count = self.counted("load", float(self.size) ** (self.order - 1))
        return min(count, 10) if self.memories == "digits" and self.setting != "storage" else count

    @property
    def example_count(self) -> int:
        """M in the simulation; of real digits there are at most 174 images each."""
        return min(self.examples, 174) if self.memories == "digits" else self.examples

    def realised(self) -> DenseHebbian:
        return self.with_simulated(
            load=self.memory_count / float(self.size) ** (self.order - 1), examples=self.example_count,
            corruption=round(self.corruption * self.size) / self.size,
        )  # fmt: skip

    @property
    def pattern_count(self) -> int:
        """How many patterns the simulation has to sum over."""
        return self.memory_count * (self.example_count if self.setting == "unsupervised" else 1)

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """The load at which memories drown falls with the order and with bad examples; the picture follows it."""
        if getattr(plane, axis) != "load":
            return super().range(plane, axis)
        quality = 1.0 if "quality" in (plane.x, plane.y) else self.quality
        _, crosstalk = self._crosstalk(np.array([self.order]), np.array([self.examples]), np.array([quality]))
        return 0.0, float(min(0.4 / crosstalk[0], self.control("load").bounds[1]))

    def _crosstalk(self, order: Array, examples: Array, quality: Array) -> tuple[Array, Array]:
        """The spread rho and S over load at arrays of controls, see below eq. (4)."""
        groups = np.array([math.factorial(p - 1) for p in range(HIGHEST + 1) if p > 0], float)[order - 1]
        if self.setting == "storage":
            return np.zeros(order.size), groups
        spread = (1 - quality**2) / (examples * quality**2)
        if self.setting == "supervised":
            return spread, groups * (1 + spread) ** order
        return spread, groups * (1 + (1 - quality ** (2 * order)) / (examples * quality ** (2 * order)))

    @property
    def _binomial(self) -> bool:
        return self.setting != "storage" and self.statistics == "binomial"

    def solve(self, points: Points) -> core.Solution:
        temperature, load, quality = (
            np.ascontiguousarray(points[name], np.float64) for name in ("temperature", "load", "quality")
        )
        order, examples, steps = (
            np.ascontiguousarray(points[name], np.int64) for name in ("order", "examples", "rsb_steps")
        )
        spread, per_load = self._crosstalk(order, examples, quality)
        strength = load * per_load
        table = np.full((ROWS, load.size, 3), np.nan)
        solve_points(temperature, load, strength, order, spread, examples, quality, self._binomial, table)
        if (steps > 0).any():
            break_symmetry(temperature, strength, order, spread, steps > 0, not self._binomial, all_series(), table)
        values = dict(zip(QUANTITIES, table, strict=False))
        exists = np.isfinite(table[RESIDUAL])
        frozen = temperature < freezing_temperatures(order) * np.sqrt(2 * strength / order)
        broken = values["replicon"] < 0
        validity = np.where(broken, 1, 0)
        validity[:, PARAMAGNET] = np.where(frozen, 2, 0)
        if self.memories == "digits":
            validity = np.where(validity == 0, 3, validity)
        stable = np.ones(broken.shape, bool)
        stable[:, PARAMAGNET] = ~np.where(steps > 0, frozen, exists[:, GLASS])
        return core.Solution(
            values, table[RESIDUAL], stable, validity, np.nan_to_num(table[ITERATIONS]).astype(np.int64)
        )

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        recalled = solution.exists(self.tolerance)[:, RETRIEVAL]
        assert solution.validity is not None
        frozen = (equilibrium == GLASS) | (solution.validity[:, PARAMAGNET] == 2)
        phase = np.where(equilibrium == RETRIEVAL, 3, np.where(recalled, 2, np.where(frozen, 1, 0)))
        return np.where(equilibrium < 0, -1, phase)

    def _boundary(self, name: str, **columns: Array) -> tuple[Array, Array]:
        """Loads of a boundary (and whether it is one) at arrays of the other numerical controls."""
        n = max(len(c) for c in columns.values())
        given = {k: columns.get(k, np.full(n, getattr(self, k))) for k in self.axis_names() if k != "load"}
        temperature, quality = (np.ascontiguousarray(given[k], np.float64) for k in ("temperature", "quality"))
        order, examples, steps = (np.ascontiguousarray(given[k], np.int64) for k in ("order", "examples", "rsb_steps"))
        spread, per_load = self._crosstalk(order, examples, quality)
        if name in ("glass_transition", "dynamic_transition"):
            at = freezing_temperatures(order, dynamic=name == "dynamic_transition")
            return 0.5 * order * (temperature / at) ** 2 / per_load, np.ones(n, bool)
        kinds = {"retrieval_spinodal": SPINODAL, "retrieval_transition": TRANSITION, "at_line": REPLICA}
        if name not in kinds:
            raise core.NotOfferedError(self.title, f"the boundary {name!r}")
        strengths, real = np.empty(n), np.empty(n, bool)
        chosen = steps > 0
        series = all_series() if chosen.any() else np.zeros((HIGHEST - 2, 1))
        symmetric_boundary(
            kinds[name], temperature, order, spread, examples, quality, self._binomial, chosen, series, strengths, real
        )
        if name != "at_line" and chosen.any() and not self._binomial:
            broken_boundary(kinds[name], temperature, order, spread, chosen, series, strengths, real)
        return strengths / per_load, real

    def landmark(self, name: str, along: str) -> Array:
        if along == "load":
            loads, real = self._boundary(name, temperature=np.array([self.temperature]))
            return self.control("load").within(loads[real])
        if along not in ("temperature", "quality"):
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        if along == "quality" and self.setting == "storage":
            return np.empty(0)
        made = self.control(along)
        grid = made.grid(97)

        def difference(x: float) -> float:
            return float(self._boundary(name, **{along: np.array([x])})[0][0]) - self.load

        values = self._boundary(name, **{along: grid})[0] - self.load
        crossed = np.flatnonzero(values[:-1] * values[1:] <= 0)
        roots = np.array([brentq(difference, grid[k], grid[k + 1], xtol=1e-14) for k in crossed])
        real = np.zeros(roots.size, bool)
        for shift in (-1e-9, 0.0, 1e-9) if roots.size else ():
            real |= self._boundary(name, **{along: np.clip(roots + shift, grid[0], grid[-1])})[1]
        _, first = np.unique(np.round(roots[real], 9), return_index=True)
        return made.within(roots[real][first])

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        if "load" not in (x, y):
            return super().trace_landmark(name, x, y, x_range)
        other = self.control(y if x == "load" else x)
        low, high = other.bounds if x == "load" else x_range
        values = other.grid(49 if self.rsb_steps > 0 else 97, low, high)
        squares = np.linspace(0, 1, values.size) ** 2
        if other.name == "temperature" and name in ("retrieval_spinodal", "retrieval_transition"):
            # the line starts on the axis of temperature, at right angles to it
            end = self.replace(load=0, rsb_steps=0).landmark(name, "temperature")
            values = np.sort(end.max() * (1 - squares)) if end.size else values
        elif other.name == "temperature" and name == "at_line":
            values = squares
        loads, real = self._boundary(name, **{other.name: values})
        highest = self.control("load").bounds[1]
        loads = np.where(real & (loads >= 0) & (loads <= highest), loads, np.nan)
        return (loads, values) if x == "load" else (values, loads)

    def caveat(self) -> str:
        return "a few hundred neurons lose a memory before infinitely many do, and their crosstalk is not Gaussian"

    def footprint(self) -> int:
        entries = self.size * self.pattern_count
        drawn = self.size * self.memory_count * 16 if self.setting == "supervised" else 0
        return entries * (6 if self.setting != "storage" else 1) + drawn + 40 * (self.size + self.pattern_count)
