r"""Hopfield network: associative memory, and how it drowns in its own memories.

$N$ neurons $s_i=\pm1$ store $P=\alpha N$ memories $\xi^\mu$ in couplings that add up what the memories agree on (Hebb's
rule); $\Delta$ is the strength of random noise $\eta_{ij}=\pm1$ in the synapses, $h$ a field along the first memory:

$$H=-\frac1{2N}\sum_{i\ne j}\sum_{\mu=1}^{P}\xi_i^\mu\xi_j^\mu s_is_j
-\frac{\Delta}{\sqrt N}\sum_{i<j}\eta_{ij}s_is_j-h\sum_i\xi_i^1s_i \tag{1}$$

Started from a damaged copy of the first memory, the network completes it: the overlap
$m=N^{-1}\sum_i\xi_i^1s_i$ grows to nearly one. The other memories act as noise of variance $\sigma^2$ in the field of
each neuron. For random memories the replica-symmetric theory of Amit, Gutfreund and Sompolinsky reads, with $z$
standard normal and $\overline{\,\cdot\,}$ its average,

$$m=\overline{\tanh\frac{m+h+\sigma z}{T}},\qquad q=\overline{\tanh^2\frac{m+h+\sigma z}{T}},\qquad C=\frac{1-q}{T}
\tag{2}$$

$$\sigma^2=\alpha r+\Delta^2q,\qquad r=\frac{q}{(1-C)^2} \tag{3}$$

$q$ is the freezing of the neurons, $r$ the crosstalk of the other memories. At $T=0$ the averages become
$m=\mathrm{erf}(m/\sqrt2\sigma)$ and $C=\sqrt{2/\pi}\,e^{-m^2/2\sigma^2}/\sigma$ (without a field). For given $\sigma$
the first of eqs. (2) has one largest root $m(\sigma)$, so that the load is a function of $\sigma$,

$$\alpha(\sigma)=(1-C)^2\Big(\frac{\sigma^2}{q}-\Delta^2\Big) \tag{4}$$

Its rising part from $\sigma=0$ is retrieval, and its maximum the load beyond which no memory can be recalled: 0.1379 at
$T=0$. The free energy per neuron is, with $u=(m+h+\sigma z)/T$,

$$f=\frac{m^2}2+\frac\alpha2+\frac{\alpha T}2\ln(1-C)-\frac{\alpha q}{2(1-C)}+\frac{\alpha rC}2-\frac{\Delta^2TC^2}4
-T\,\overline{\ln2\cosh u} \tag{5}$$

and the entropy, with $S(x)=\ln2\cosh x-x\tanh x$,

$$s=\overline{S(u)}-\frac\alpha2\Big[\ln(1-C)+\frac C{1-C}\Big]-\frac{\Delta^2C^2}4 \tag{6}$$

Replica symmetry holds (de Almeida and Thouless) where

$$\lambda=T(1-C)^2-\frac1T\,\overline{\mathrm{sech}^4u}\,\big[\alpha+\Delta^2(1-C)^2\big]>0 \tag{7}$$

**Valid:** random memories, $N\to\infty$ with $\alpha=P/N$ fixed, and $\lambda>0$. The retrieval state is stable down to
very low temperature (the line $T_R$); the spin glass never is, and its numbers are approximate. Where retrieval is
metastable ($T_c<T<T_M$) the glass has the lower free energy, yet the time to leave the memory grows exponentially with
$N$. Beyond $T_M$ theory says $m=0$, but the glass relaxes ever more slowly: a run that began at a memory keeps a trace
of it for very long, and about 0.3 of it for ever at $T=0$. **Handwritten digits are not random memories**: they
resemble one another (mean overlap 0.5), which adds crosstalk that the theory does not know, and only about three can be
told apart however large the network is.

The simulation never forms the $N\times N$ couplings: it keeps the $P$ overlaps, from which the field of a neuron is a
sum over memories, and recomputes a noisy synapse from a hash whenever it is needed.

Sources: the equations with their derivation in Amit, Gutfreund and Sompolinsky (1987); eq. (4) is eqs. (2), (3) read
the other way round.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from mfexplore.core import (
    Array,
    Branch,
    Failure,
    Landmark,
    Landscape,
    Law,
    Model,
    NotOfferedError,
    Observable,
    Patterns,
    Phase,
    Plane,
    Points,
    Preset,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Task,
    choice,
    control,
)
from mfexplore.numerics.bracketing import bracketed_roots
from mfexplore.numerics.continuation import false_position, narrowed, predicted, remember
from mfexplore.numerics.digits import as_image, as_patterns, assorted
from mfexplore.numerics.elementary import log
from mfexplore.numerics.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.prefetch import prefetch_row
from mfexplore.numerics.random import advanced, new_stream, uniform

RETRIEVAL, GLASS, PARAMAGNET = 0, 1, 2
LN2 = math.log(2.0)
CLOSE = 1e-9  # relative size of the last Newton step
BLOCK = 256  # updates whose random numbers are drawn together
FEW = 10  # memories that are all shown
AHEAD = 4  # updates between asking for a neuron's memories and using them
FAR = 60  # more iterations than any of the loops below needs

# The rows of the table that `solve_points` fills, as the observables are declared, and two more
QUANTITIES = ("overlap", "edwards_anderson", "crosstalk", "free_energy", "energy", "entropy", "replicon")
RESIDUAL, ITERATIONS, ROWS = 7, 8, 9


@kernel
def write(table, i, branch, m, deviation, state, residual, iterations, temperature, load, noise):
    """Enter one branch into the table: eqs. (3) and (5) to (7). state: see `newton`."""
    q, c, quartic, entropy, log_cosh = state
    k = 1.0 - c
    f = 0.5 * m * m - log_cosh - 0.25 * temperature * (noise * c) ** 2
    s = entropy - 0.25 * (noise * c) ** 2
    if load > 0.0:
        logarithm = math.log(k)
        f += 0.5 * load * (1.0 + temperature * logarithm - q / k) + 0.5 * (deviation**2 - noise * noise * q) * c
        s -= 0.5 * load * (logarithm + c / k)
    table[0, i, branch] = m
    table[1, i, branch] = q
    table[2, i, branch] = q / (k * k) if q > 0.0 else 0.0
    table[3, i, branch] = f
    table[4, i, branch] = f + temperature * s
    table[5, i, branch] = s
    table[6, i, branch] = temperature * k * k - quartic * (load + (noise * k) ** 2)
    table[RESIDUAL, i, branch] = residual
    table[ITERATIONS, i, branch] = iterations


@kernel
def magnetized(deviation, temperature, field, start):
    """Largest root m of the first of eqs. (2) at a given sigma, from `start` above it: the average is concave in m > 0,
    so Newton descends without stepping over. Returns m and, there, q, C, dC/dm, dC/dsigma.
    """
    m = start
    for _ in range(FAR):
        t, q, c, by_mean, by_deviation = response(m + field, deviation, temperature)
        step = (t - m) / (1.0 - c)
        m += step
        if abs(step) <= 1e-7 * m:  # the next step would be as its square
            return m, q - temperature * by_mean * step, c + by_mean * step, by_mean, by_deviation
        if m < 1e-9:
            break
    _, q, c, by_mean, by_deviation = response(field, deviation, temperature)
    return 0.0, q, c, by_mean, by_deviation


@kernel
def load_at(deviation, temperature, field, noise, start):
    """A point of the curve (4): m, the load, and its slope along sigma over 1 - C."""
    m, q, c, by_mean, by_deviation = magnetized(deviation, temperature, field, start)
    k = 1.0 - c
    w = deviation * deviation / q - noise * noise
    c_slope = by_deviation + deviation * by_mean * by_mean / k
    slope = k * deviation * (2.0 * q + deviation * temperature * c_slope) / (q * q) - 2.0 * c_slope * w
    return m, k * k * w, slope


@kernel
def turning_point(low, high, low_slope, high_slope, temperature, field, noise, start):
    """(sigma, load) where the slope of the curve (4) vanishes, between two values of sigma."""
    bracket = (low, high, low_slope, high_slope, 0)
    x, load = high, 0.0
    for _ in range(FAR):
        x = false_position(bracket)
        m, load, slope = load_at(x, temperature, field, noise, start)
        bracket = narrowed(bracket, x, slope)
        if bracket[0] == x:
            start = m
        if bracket[1] - bracket[0] < 1e-10 * x or abs(slope) < 1e-13:
            break
    return x, load


@kernel
def folds(temperature, field, noise):
    """Where the curve (4) turns: (sigma_1, load_1, sigma_2, load_2), sigma 0 and load -1 where it does not.

    Retrieval ends at the maximum (1). In a field the state without retrieval begins at the minimum (2); without a
    field the curve ends instead, where C = 1 at m = 0, which is at sigma = sqrt(2/pi) or before.
    """
    first, first_load, second, second_load = 0.0, -1.0, 0.0, -1.0
    if field == 0.0 and temperature >= 1.0:
        return first, first_load, second, second_load
    reach, pieces = (min(0.8, 1.05 * math.sqrt(1.0 - temperature)), 12) if field == 0.0 else (1.2 + noise, 32)
    m, low, low_slope = 1.0, 0.0, 1.0
    for k in range(1, pieces + 1):
        x, start = reach * k / pieces, m
        m, _, slope = load_at(x, temperature, field, noise, start)
        ended = m == 0.0
        slope = -1.0 if ended else slope
        if slope * low_slope < 0.0:
            turn, turn_load = turning_point(low, x, low_slope, slope, temperature, field, noise, start)
            if first == 0.0:
                first, first_load = turn, turn_load
                ended = ended or field == 0.0
            else:
                second, second_load = turn, turn_load
                ended = True
        if ended:
            break
        low, low_slope = x, slope
    return first, first_load, second, second_load


@kernel
def on_curve(low, high, temperature, load, field, noise):
    """(m, sigma) of the one point with this load between two values of sigma on the curve (4): slow and safe."""
    m = start = magnetized(low, temperature, field, 1.0)[0] if low > 0.0 else 1.0
    bracket, x = (low, high, -1.0, 1.0, 0), high
    for k in range(FAR):
        x = 0.5 * (bracket[0] + bracket[1]) if k < 3 else false_position(bracket)
        m, q, c, _, _ = magnetized(x, temperature, field, start)
        f = x * (1.0 - c) - math.sqrt(q * (load + (noise * (1.0 - c)) ** 2))
        bracket = narrowed(bracket, x, f)
        if bracket[0] == x:
            start = m
        if bracket[1] - bracket[0] < 1e-9 * x or abs(f) < 1e-12 * x:
            break
    return m, x


@kernel
def newton(m, deviation, temperature, load, field, noise):
    """Polish a root of eqs. (2), (3) in (m, sigma), load or noise > 0. Returns m, sigma, (q, C, mean of sech^4/T, mean
    of S, mean of T ln 2cosh), the residual before the last step and the iterations, negative if it did not converge.
    """
    state, residual = (0.0, 0.0, 0.0, 0.0, 0.0), math.inf
    for iteration in range(12):
        t, q, c, by_mean, by_deviation, quartic, entropy = response_and_entropy(m + field, deviation, temperature)
        k = 1.0 - c
        w = load + (noise * k) ** 2
        root = math.sqrt(q * w)
        f1, f2 = m - t, deviation * k - root
        residual = max(abs(f1), abs(f2))
        bend = 0.5 * (temperature * w + 2.0 * q * noise * noise * k) / root - deviation
        j12, j21, j22 = -deviation * by_mean, bend * by_mean, k + bend * by_deviation
        determinant = k * j22 - j12 * j21
        dm = (f1 * j22 - f2 * j12) / determinant
        ds = (k * f2 - j21 * f1) / determinant
        if abs(dm) <= CLOSE * m and abs(ds) <= CLOSE * deviation:
            dc = by_mean * dm + by_deviation * ds
            log_cosh = (m + field - dm) * t + deviation * (deviation - ds) * c + temperature * entropy
            state = (q + temperature * dc, c - dc, quartic, entropy, log_cosh)
            return m - dm, deviation - ds, state, residual, iteration + 1
        if not (abs(dm) < 0.5 * m and abs(ds) < 0.5 * deviation):
            break
        m -= dm
        deviation -= ds
    return m, deviation, state, residual, -12


@kernel
def centred(deviation, temperature, load, noise):
    """The root sigma > 0 of eq. (3) at m = h = 0, by Newton within a bracket: above T = 1 in the variable sigma^2, in
    which it rises linearly from zero at T_g, below in sigma, in which the equation is linear at T = 0. Returns what
    `newton` does, without m.
    """
    state = (0.0, 0.0, 0.0, 0.0, 0.0)
    low, high = 0.0, math.sqrt(load) + noise + 1.0
    if not low < deviation < high:
        deviation = min(max(high - 1.0 + 0.798 * (1.0 - temperature), 0.1 * high), 0.9 * high)
    for iteration in range(FAR):
        _, q, c, _, by_deviation, quartic, entropy = response_and_entropy(0.0, deviation, temperature)
        k = 1.0 - c
        w = load + (noise * k) ** 2
        root = math.sqrt(q * w)
        f = deviation * k - root
        if k <= 0.0 or f < 0.0:
            low = deviation
        else:
            high = deviation
        slope = k + (0.5 * (temperature * w + 2.0 * q * noise * noise * k) / root - deviation) * by_deviation
        if temperature < 1.0:
            new = deviation - f / slope
        else:
            new = math.sqrt(max(0.0, deviation * (deviation - 2.0 * f / (slope - f / deviation))))
        step = new - deviation
        if abs(step) <= CLOSE * deviation and k > 0.0:
            dc = by_deviation * step
            state = (q - temperature * dc, c + dc, quartic, entropy, deviation * new * c + temperature * entropy)
            return new, state, abs(f), iteration + 1
        deviation = new if low < new < high else 0.5 * (low + high)
    return deviation, state, math.inf, FAR


@kernel
def find(low, high, guess, known, temperature, load, field, noise):
    """A root on the curve (4) with sigma in [low, high]: by Newton from a guess (m, sigma) if one is known, else, or if
    that leaves the interval, from `on_curve`. Returns what `newton` does.
    """
    if load == 0.0 and noise == 0.0:
        m = magnetized(0.0, temperature, field, 1.0)[0]
        t, q, c, _, _, quartic, entropy = response_and_entropy(m + field, 0.0, temperature)
        state = (q, c, quartic, entropy, (m + field) * m + temperature * entropy)
        return m, 0.0, state, abs(m - t), 1
    if known:
        m, deviation, state, residual, count = newton(guess[0], guess[1], temperature, load, field, noise)
        if count > 0 and state[1] < 1.0 and low * (1.0 - 1e-7) <= deviation <= high * (1.0 + 1e-7):
            return m, deviation, state, residual, count
    m, deviation = on_curve(low, high, temperature, load, field, noise)
    m, deviation, state, residual, count = newton(m, deviation, temperature, load, field, noise)
    return m, deviation, state, residual if count > 0 else math.inf, abs(count)


@kernel
def without_retrieval(temperature, load, noise, state):
    """Name of a state without retrieval in a field: there the glass begins where eq. (7) changes sign."""
    k = 1.0 - state[1]
    return GLASS if temperature * k * k < state[2] * (load + (noise * k) ** 2) else PARAMAGNET


@kernel
def solve_points(temperatures, loads, fields, noises, table):
    """All branches of eqs. (2), (3) at n points, into a table of shape (9, n, 3) full of NaN. A point that differs from
    the one before in a single control starts where the last three solutions lead to.
    """
    places, firsts, seconds = np.zeros((2, 3)), np.zeros((2, 3)), np.zeros((2, 3))
    known_r = known_g = 0
    axis = -1
    turn, turn_load, back, back_load = 0.0, -1.0, 0.0, -1.0
    for i in range(temperatures.size):
        t, load, h, noise = temperatures[i], loads[i], fields[i], noises[i]
        moved, place = -1, 0.0
        if i > 0:
            steps = (t - temperatures[i - 1], load - loads[i - 1], h - fields[i - 1], noise - noises[i - 1])
            changes = 0
            for k, values in enumerate((t, math.sqrt(load), h, noise)):
                if steps[k] != 0.0:
                    moved, place, changes = k, values, changes + 1
            moved = moved if changes == 1 else -1
        if moved < 0 or moved != axis:
            known_r = known_g = 0
            axis = moved
        if moved != 1:
            turn, turn_load, back, back_load = folds(t, h, noise)
        folded = turn > 0.0
        top = math.sqrt(load) + noise + 1.0
        if (folded and load <= turn_load) or (h > 0.0 and not folded):
            guess = (0.0, 0.0)
            if known_r > 0:
                guess = (
                    predicted(places[0], firsts[0], known_r, place), predicted(places[0], seconds[0], known_r, place),
                )  # fmt: skip
            m, deviation, state, residual, count = find(
                0.0, turn if folded else top, guess, known_r > 0, t, load, h, noise
            )
            known_r = remember(places[0], firsts[0], seconds[0], known_r, place, m, deviation)
            branch = RETRIEVAL if folded or m >= 0.5 else without_retrieval(t, load, noise, state)
            write(table, i, branch, m, deviation, state, residual, count, t, load, noise)
        else:
            known_r = 0
        if h > 0.0:
            if folded and load >= back_load and load + noise > 0.0:
                guess = (0.0, 0.0)
                if known_g > 0:
                    guess = (
                        predicted(places[1], firsts[1], known_g, place),
                        predicted(places[1], seconds[1], known_g, place),
                    )
                m, deviation, state, residual, count = find(max(turn, back), top, guess, known_g > 0, t, load, h, noise)
                known_g = remember(places[1], firsts[1], seconds[1], known_g, place, m, deviation)
                branch = without_retrieval(t, load, noise, state)
                write(table, i, branch, m, deviation, state, residual, count, t, load, noise)
            else:
                known_g = 0
            continue
        if t > 1.0 or (t == 1.0 and load == 0.0):
            state = (0.0, 1.0 / t, 1.0 / t, LN2, t * LN2)
            write(table, i, PARAMAGNET, 0.0, 0.0, state, 0.0, 0, t, load, noise)
        if load + noise > 0.0 and (t < 1.0 or load > (t - 1.0) ** 2 * (1.0 - (noise / t) ** 2)):
            deviation = 0.0
            if known_g > 0 and t >= 1.0:
                deviation = math.sqrt(max(0.0, predicted(places[1], firsts[1], known_g, place)))
            elif known_g > 0:
                deviation = predicted(places[1], seconds[1], known_g, place)
            deviation, state, residual, count = centred(deviation, t, load, noise)
            known_g = remember(places[1], firsts[1], seconds[1], known_g, place, deviation * deviation, deviation)
            if load > 0.0 or 1.0 - state[1] > 1e-6:  # without load, C = 1 is no solution
                write(table, i, GLASS, 0.0, deviation, state, residual, count, t, load, noise)
        else:
            known_g = 0


SPINODAL, TRANSITION, REPLICA, FREEZING = range(4)


@kernel
def breaking(low, high, temperature, field):
    """The sigma between two values on the curve (4) at which eq. (7) changes sign, or `high` if it does not."""
    start = 1.0
    for k in range(FAR):
        x = high if k == 0 else 0.5 * (low + high)
        m = magnetized(x, temperature, field, start)[0]
        _, q, _, _, _, quartic, _ = response_and_entropy(m + field, x, temperature)
        if temperature * q > x * x * quartic:
            if k == 0:
                break
            low, start = x, m
        else:
            high = x
        if high - low < 1e-14 * high:
            break
    return high


@kernel
def advantage(load, turn, back, guess, temperature, field, noise):
    """(free energy of retrieval minus that of the state without, m and sigma of retrieval) at this load."""
    table = np.zeros((ROWS, 1, 3))
    m, deviation, state, _, _ = find(0.0, turn, guess, guess[1] > 0.0, temperature, load, field, noise)
    write(table, 0, 0, m, deviation, state, 0.0, 0, temperature, load, noise)
    top = math.sqrt(load) + noise + 1.0
    if field > 0.0:
        other, spread, state, _, _ = find(max(turn, back), top, guess, False, temperature, load, field, noise)
        write(table, 0, 1, other, spread, state, 0.0, 0, temperature, load, noise)
    else:
        spread, state, _, _ = centred(0.0, temperature, load, noise)
        write(table, 0, 1, 0.0, spread, state, 0.0, 0, temperature, load, noise)
    return table[3, 0, 0] - table[3, 0, 1], m, deviation


@kernel
def equal_load(turn, turn_load, back, back_load, temperature, field, noise):
    """Load at which retrieval and the state without it have the same free energy, or a negative number."""
    low, high = max(1e-9 * turn_load, back_load), turn_load
    f_low, m, deviation = advantage(low, turn, back, (0.0, 0.0), temperature, field, noise)
    f_high, _, _ = advantage(high, turn, back, (0.0, 0.0), temperature, field, noise)
    if f_low > 0.0 or f_high < 0.0:
        return -1.0
    bracket, x = (low, high, f_low, f_high, 0), low
    for k in range(FAR):
        x = 0.5 * (bracket[0] + bracket[1]) if k < 2 else false_position(bracket)
        f, m, deviation = advantage(x, turn, back, (m, deviation), temperature, field, noise)
        bracket = narrowed(bracket, x, f)
        if bracket[1] - bracket[0] < 1e-13 * x or abs(f) < 1e-15:
            break
    return x


@kernel
def boundary_loads(kind, temperatures, fields, noises, loads, real):
    """The load at which a boundary is crossed, at n temperatures, fields and noises; and whether it is. Where it is
    not, `loads` continues the line with the sign that it has there, so that crossings along other controls are found.
    """
    for i in range(temperatures.size):
        t, h, noise = temperatures[i], fields[i], noises[i]
        loads[i], real[i] = math.nan, False
        if h == 0.0 and t >= 1.0:  # nothing but the paramagnet and the glass
            distance = (t - 1.0) ** 2
            loads[i] = distance * (1.0 - (noise / t) ** 2) if kind == FREEZING else -distance
            real[i] = kind == FREEZING and loads[i] >= 0.0
            continue
        turn, turn_load, back, back_load = folds(t, h, noise)
        if kind == FREEZING:
            if h == 0.0:
                loads[i] = -((t - 1.0) ** 2)
                continue
            low, top = max(turn, back), 4.0 + 4.0 * t + noise
            x = breaking(low, top, t, h)
            loads[i] = load_at(x, t, h, noise, 1.0)[1]
            real[i] = low + 1e-9 < x < top and loads[i] >= 0.0
        elif turn == 0.0 or turn_load <= 0.0:
            loads[i] = -1.0 if h == 0.0 else math.nan
        elif kind == SPINODAL:
            loads[i], real[i] = turn_load, True
        elif kind == TRANSITION:
            loads[i] = equal_load(turn, turn_load, back, back_load, t, h, noise)
            real[i] = loads[i] >= 0.0
        else:
            x = breaking(0.0, turn, t, h)
            loads[i] = load_at(x, t, h, noise, 1.0)[1]
            real[i] = x < turn


@kernel
def imbalance(deviation, mean, temperature, load, noise):
    """What eq. (3) leaves over; negative where C > 1."""
    _, q, c, _, _ = response(mean, deviation, temperature)
    k = 1.0 - c
    return deviation * k - math.sqrt(q * (load + (noise * k) ** 2)) if k > 0.0 else k - 1.0


@kernel
def valley(ms, temperature, load, field, noise, free_energy):
    """Free energy (5) at given m, with eq. (3) solved for sigma: the lowest of its solutions that have C < 1."""
    table = np.zeros((ROWS, 1, 1))
    top = math.sqrt(load) + noise + 1.0
    pieces = 64
    for i in range(ms.size):
        mean = ms[i] + field
        best = math.inf
        if load + noise == 0.0:
            _, q, c, _, _, quartic, entropy = response_and_entropy(mean, 0.0, temperature)
            t = response(mean, 0.0, temperature)[0]
            best = 0.5 * ms[i] ** 2 - mean * t - temperature * entropy
        before = -1.0
        for k in range(1, pieces + 1 if best == math.inf else 1):
            low, high = top * (k - 1) / pieces, top * k / pieces
            now = imbalance(high, mean, temperature, load, noise)
            if before < 0.0 <= now:
                for _ in range(45):
                    x = 0.5 * (low + high)
                    if imbalance(x, mean, temperature, load, noise) < 0.0:
                        low = x
                    else:
                        high = x
                t, q, c, _, _, quartic, entropy = response_and_entropy(mean, high, temperature)
                log_cosh = mean * t + high * high * c + temperature * entropy
                state = (q, c, quartic, entropy, log_cosh)
                write(table, 0, 0, ms[i], high, state, 0.0, 0, temperature, load, noise)
                best = min(best, table[3, 0, 0])
            before = now
        free_energy[i] = best


@kernel
def synapse(a, b):
    """eta_ij = +-1 of eq. (1) from a random word of each neuron: symmetric, and the same whenever it is asked for."""
    x = np.uint32(a + b)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x7FEB352D))
    x = np.uint32((x ^ (x >> np.uint32(15))) * np.uint32(0x846CA68B))
    return np.int32(1) - np.int32((x >> np.uint32(30)) & np.uint32(2))


@kernel
def noise_fields(spins, words, sums):
    """sums[i] = sum over j of eta_ij s_j, without j = i."""
    for i in range(spins.size):
        total = np.int32(0)
        for j in range(spins.size):
            total += synapse(words[i], words[j]) * np.int32(spins[j])
        sums[i] = total - synapse(words[i], words[i]) * np.int32(spins[i])


@kernel
def count_overlaps(patterns, spins, overlaps):
    """Add the overlaps of `heat_bath` to an array of zeros."""
    kind = overlaps.dtype.type
    for i in range(spins.size):
        row, s = patterns[i], kind(spins[i])
        for k in range(row.size):
            overlaps[k] = kind(overlaps[k] + kind(s * kind(row[k])))


@kernel
def heat_bath(patterns, overlaps, zero, spins, words, sums, temperature, field, noise, updates, stream):
    """Heat-bath updates of random neurons, O(P) each: the field is a sum over the overlaps, which follow every flip.

    A neuron fires where its field exceeds (T/2) ln(u/(1 - u)), u uniform. Neurons and thresholds are drawn ahead in
    blocks, so that nothing but the sum over memories stands between the choice of a neuron and its decision, and so
    that the memories are on their way before their turn comes. Rows are indexed, not taken out: Numba counts who holds
    an array, with two atomic operations for every row that is taken, a tenth of an update.

    patterns: int8, shape (N, P); overlaps: shape (P,), sum over i of xi_i s_i, whole numbers; zero: shape (1,), of the
    type in which such are added, see `whole_numbers`; spins: int8, shape (N,); words, sums: shape (N,), see
    `noise_fields`; stream: see numerics.random. All but patterns and words are overwritten.
    """
    n, p = patterns.shape
    kind, wide = overlaps.dtype.type, zero.dtype.type
    noise_unit = noise * math.sqrt(n)
    sites, thresholds = np.empty(BLOCK, np.int64), np.empty(BLOCK)
    position, done = stream[0], 0
    while done < updates:
        count = min(BLOCK, updates - done)
        for k in range(count):
            sites[k] = np.int64(uniform(position, 2 * k) * n)
            u = uniform(position, 2 * k + 1) + 1e-16
            tie = 1e-9 if u < 0.5 else -1e-9  # at T = 0 without a field, sums of whole numbers may be equal
            thresholds[k] = 0.5 * temperature * n * log(u / (1.0 - u)) + tie
        position = advanced(position, 2 * count)
        done += count
        for k in range(count):
            if k + AHEAD < count:
                prefetch_row(patterns, sites[k + AHEAD])
            i = sites[k]
            old = spins[i]
            threshold = thresholds[k] + p * old - n * field * patterns[i, 0]
            if noise > 0.0:
                threshold -= noise_unit * sums[i]
            total = zero[0]
            for mu in range(p):
                total = wide(total + wide(wide(overlaps[mu]) * wide(patterns[i, mu])))
            new = np.int8(1) if total > threshold else np.int8(-1)
            if new != old:
                spins[i] = new
                change = kind(new - old)
                for mu in range(p):
                    overlaps[mu] = kind(overlaps[mu] + kind(change * kind(patterns[i, mu])))
                if noise > 0.0:
                    own, flip = sums[i], np.int32(new - old)
                    for j in range(n):
                        sums[j] += flip * synapse(words[i], words[j])
                    sums[i] = own
    stream[0] = position


def whole_numbers(n: int, count: int) -> tuple[Array, Array]:
    """Zeros for the overlaps of n neurons with `count` memories, and one of the type in which they are added up: short
    integers, of which a processor multiplies and adds twice as many at a time, where none can be too large for them.
    """
    short = n < 2**15 and n * count < 2**31
    return np.zeros(count, np.int16 if short else np.float32), np.zeros(1, np.int32 if short else np.float32)


class HopfieldSimulation(Simulation):
    """Heat-bath dynamics of eq. (1) from a damaged first memory, one sweep = N updates of random neurons."""

    relaxation, window = 40.0, 20.0

    def prepare(self) -> None:
        n, count = self.model.size, self.model.memory_count
        if self.model.memories == "digits":
            self.patterns = as_patterns(assorted(count, self.rng), n)
        else:
            self.patterns = self.rng.integers(0, 2, (n, count), dtype=np.int8)
            self.patterns *= 2
            self.patterns -= 1
        self.words = self.rng.integers(0, 2**32, n, dtype=np.uint32)
        self.stream = new_stream(self.rng)
        self.cue = self._damaged()
        self.spins = self.cue.copy()
        self.counts, self.zero = whole_numbers(n, count)
        count_overlaps(self.patterns, self.spins, self.counts)
        self.sums = np.zeros(n, np.int32)
        self.noisy = False
        self.retune()

    def _damaged(self) -> Array:
        n = self.model.size
        cue = self.patterns[:, 0].copy()
        if self.model.cue == "masked half":
            cue[n // 2 :] = -1
        elif self.model.cue == "mixture":
            three = self.patterns[:, :3].sum(axis=1, dtype=np.int32)
            cue = np.where(three == 0, cue, np.sign(three)).astype(np.int8)
        lost = self.rng.permutation(n)[: round(self.model.corruption * n)]
        if self.model.cue == "noise":
            cue[lost] *= -1
        return cue

    def retune(self) -> None:
        """The fields of noisy synapses are only kept while there is noise."""
        noisy = self.model.synaptic_noise > 0
        if noisy and not self.noisy:
            noise_fields(self.spins, self.words, self.sums)
        self.noisy = noisy

    def evolve(self, duration: float) -> None:
        m = self.model
        heat_bath(
            self.patterns, self.counts, self.zero, self.spins, self.words, self.sums,
            m.temperature, m.field, m.synaptic_noise, round(duration * m.size), self.stream,
        )  # fmt: skip

    def overlaps(self) -> Array:
        """Overlap of the present state with every memory, shape (P,)."""
        overlaps: Array = self.counts.astype(np.float64) / self.model.size
        return overlaps

    def observe(self) -> dict[str, float]:
        m = self.overlaps()
        n, p = self.model.size, len(m)
        energy = -0.5 * float(m @ m) + 0.5 * p / n - self.model.field * float(m[0])
        if self.noisy:
            energy -= 0.5 * self.model.synaptic_noise * float(self.sums @ self.spins.astype(np.int32)) / n**1.5
        other = float(np.abs(m[1:]).max()) if p > 1 else 0.0
        return {"overlap": float(m[0]), "largest_other_overlap": other, "energy": energy}

    def samples(self) -> Array:
        return self.overlaps()[1:] * math.sqrt(self.model.size)

    def picture(self) -> Patterns:
        cues = {"noise": f"cue, {self.model.corruption:.0%} flipped", "masked half": "cue, half masked"}
        m = self.overlaps()
        shown = m.size if m.size <= FEW else 1
        return Patterns(
            (
                (cues.get(self.model.cue, "cue, a mixture"), as_image(self.cue)),
                (f"now, sweep {self.time:.0f}", as_image(self.spins)),
                (f"memory, m = {m[0]:z.2f}", as_image(self.patterns[:, 0])),
                *((f"m = {m[k]:z.2f}", as_image(self.patterns[:, k])) for k in range(1, shown)),
            )
        )


@dataclass(frozen=True)
class Hopfield(Model):
    temperature: float = control(
        0.2, 0.0, 2.0, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise in each neuron"
    )
    load: float = control(
        0.05, 0.0, 0.5, symbol=r"\alpha", role="load", step=0.001, quenched=True, doc="memories per neuron, P/N"
    )
    field: float = control(
        0.0, 0.0, 0.5, symbol="h", unit="J", role="field", step=0.005, doc="field along the first memory: a hint"
    )
    synaptic_noise: float = control(
        0.0, 0.0, 1.0, symbol=r"\Delta", role="disorder", step=0.01,
        doc="size of the random part of every synapse, next to √α of the learnt part",
    )  # fmt: skip
    memories: str = choice(
        "random", ("random", "digits"), doc="random bits, or handwritten digits (which resemble each other)"
    )
    size: int = control(
        4096, 16, 100_000, symbol="N", unit="neurons", role="size", scale="log", part="simulation",
        doc="neurons simulated",
    )  # fmt: skip
    corruption: float = control(
        0.25, 0.0, 0.5, symbol="c", role="start", part="simulation", step=0.01, doc="fraction flipped in a noisy cue"
    )
    cue: str = choice(
        "noise", ("noise", "masked half", "mixture"), role="start", part="simulation",
        doc="the first memory with noise, with its lower half blank, or mixed with two others (in the "
        "cold a state of its own, with overlap 1/2)",
    )  # fmt: skip

    title = "Hopfield network"
    summary = "A memory that completes what it is shown, until it has learnt too much or gets too hot."
    sources = (
        Source("J. J. Hopfield, PNAS 79, 2554 (1982)", doi="10.1073/pnas.79.8.2554"),
        Source(
            "D. J. Amit, H. Gutfreund and H. Sompolinsky, Phys. Rev. Lett. 55, 1530 (1985)",
            doi="10.1103/PhysRevLett.55.1530",
        ),
        Source(
            "D. J. Amit, H. Gutfreund and H. Sompolinsky, Ann. Phys. 173, 30 (1987)", doi="10.1016/0003-4916(87)90092-3"
        ),
    )
    observables = (
        Observable("overlap", "m", "likeness to the first memory", low=0, high=1),
        Observable("edwards_anderson", "q", "how frozen the neurons are, whatever they remember", low=0, high=1),
        Observable("crosstalk", "r", "noise from the other memories, in units of the load", low=0, high=10),
        Observable("free_energy", "f", "free energy per neuron, eq. (5)", unit="J"),
        Observable("energy", "e", "energy per neuron", unit="J"),
        Observable("entropy", "s", "entropy per neuron, eq. (6)", low=0, high=LN2),
        Observable("replicon", r"\lambda", "replica symmetry holds where it is positive, eq. (7)", signed=True),
    )
    branches = (
        Branch("retrieval", "the first memory is recalled"),
        Branch("spin_glass", "frozen, but near no memory"),
        Branch("paramagnet", "molten: no neuron keeps its state"),
    )
    phases = (
        Phase("paramagnet", "Too hot: every neuron flips freely and nothing is remembered."),
        Phase(
            "spin_glass",
            "The neurons freeze into one of countless states that resemble no memory; a run that starts at one keeps a "
            "trace of it for very long.",
        ),
        Phase(
            "metastable_retrieval",
            "Memories are recalled and last, although the glass has the lower free energy.",
        ),
        Phase("stable_retrieval", "Memories are the states of lowest free energy."),
    )
    failures = (
        Failure(
            "replica_symmetry_broken",
            "Eq. (7) is negative: the state falls apart into many, and replica symmetry is only an approximation.",
        ),
        Failure(
            "memories_are_correlated",
            "The theory assumes unrelated random memories; digits resemble each other and fail at far smaller load.",
        ),
    )
    landmarks = (
        Landmark("glass_transition", "T_g", "below it the neurons freeze"),
        Landmark("retrieval_transition", "T_c", "below it memories have the lowest free energy", continuous=False),
        Landmark("retrieval_spinodal", "T_M", "above it no memory is recalled"),
        Landmark("at_line", "T_R", "below it replica symmetry breaks in the memories too", continuous=False),
    )
    planes = (
        Plane("load", "temperature", "overlap", branch="retrieval", x_range=(0.0, 0.2), y_range=(0.0, 1.5)),
        Plane("load", "synaptic_noise", "overlap", branch="retrieval", x_range=(0.0, 0.2)),
        Plane("load", "field", "overlap", branch="retrieval", x_range=(0.0, 0.3)),
    )
    presets = (
        Preset(
            "clean recall", {"temperature": 0.2, "load": 0.05, "corruption": 0.3},
            "A cue with 30 % of its neurons flipped is completed within a few sweeps; all other overlaps stay small.",
            (Promise("overlap", 0.97, 0.03, during=(5, 25)),),
        ),
        Preset(
            "metastable recall", {"temperature": 0.3, "load": 0.08, "corruption": 0.2},
            "The glass has the lower free energy here, and still the memory is found and never left.",
        ),
        Preset(
            "catastrophe", {"temperature": 0.0, "load": 0.16, "corruption": 0.0, "size": 10_000},
            "Just beyond the capacity 0.138 even an undamaged memory dissolves: all are lost at once, not the last.",
            (Promise("retrieval_spinodal", 0.138, 0.0005, along="load"),),
        ),
        Preset(
            "mixture", {"temperature": 0.2, "load": 0.002, "cue": "mixture"},
            "A mixture of three memories is a state of its own, with overlap 1/2 with each. Above T = 0.46 (in "
            "an infinite network, a bit earlier in this one) it makes up its mind.",
        ),
        Preset(
            "noisy synapses", {"temperature": 0.2, "load": 0.03, "synaptic_noise": 0.4, "corruption": 0.1},
            "Random numbers twice as large as the learnt ones in every synapse, and 95 % of the memory comes back.",
            (Promise("overlap", 0.95, 0.02),),
        ),
        Preset(
            "digits", {"temperature": 0.05, "load": 3 / 4096, "memories": "digits", "corruption": 0.25},
            "Three handwritten digits: the damaged 3 is completed, although each looks half like the others.",
        ),
        Preset(
            "too many digits", {"temperature": 0.05, "load": 10 / 4096, "memories": "digits", "corruption": 0.1},
            "Ten random memories would be no load at all; ten digits, being alike, melt into one blot.",
        ),
    )  # fmt: skip
    references = (
        Reference(
            "capacity at T = 0", 0.13790556649493174, 1e-11, "max over y of (erf(y)/y - 2/sqrt(pi) exp(-y^2))^2/2; "
            "0.138 in Amit, Gutfreund and Sompolinsky (1985)",
            lambda: float(Hopfield(temperature=0).landmark("retrieval_spinodal", "load")[0]),
        ),
        Reference(
            "overlap at capacity", 0.96741711568529, 1e-5, "same, at its maximum; 0.967 in AGS 1985",
            lambda: float(Hopfield(temperature=0, load=0.13790556649).theory()["overlap"].sel(branch="retrieval")),
        ),
        Reference(
            "load at which memories stop being the ground state", 0.05185433, 1e-8, "equal energies at T = 0; 0.051 in "
            "AGS 1987", lambda: float(Hopfield(temperature=0).landmark("retrieval_transition", "load")[0]),
        ),
        Reference(
            "overlap at T = 0.2, load 0.1", 0.9890851550442616, 1e-10, "Newton with a dense trapezoid rule",
            lambda: float(Hopfield(temperature=0.2, load=0.1).theory()["overlap"].sel(branch="retrieval")),
        ),
        Reference(
            "temperature of the spinodal at load 0.05", 0.5422550379183745, 1e-9, "augmented system of the fold",
            lambda: float(Hopfield(load=0.05).landmark("retrieval_spinodal", "temperature")[0]),
        ),
        Reference(
            "temperature of the AT line at load 0.1379", 0.021349871287, 1e-9, "q T^2 = sigma^2 E sech^4, dense sum",
            lambda: float(Hopfield(load=0.1379).landmark("at_line", "temperature")[0]),
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "At load 0.08 a memory is recalled when it is cold. Predict the temperature at which it is lost, then heat "
            "the network slowly and watch the overlap.",
            {"temperature": 0.1, "load": 0.08, "corruption": 0.0}, "temperature",
            lambda model: float(model.landmark("retrieval_spinodal", "temperature")[0]), 0.02,
            "The overlap does not fade to zero: it falls from 0.89 in one jump, because the state itself ends there.",
        ),
        Task(
            "At zero temperature, how many memories per neuron can be stored before none can be recalled?",
            {"temperature": 0.0, "load": 0.1, "corruption": 0.0, "size": 10_000}, "load",
            lambda model: float(model.landmark("retrieval_spinodal", "load")[0]), 0.006,
            "At 0.1379 the recalled state still has 97 % overlap; beyond, nothing is left of any memory.",
        ),
    )  # fmt: skip
    simulation = HopfieldSimulation

    @property
    def memory_count(self) -> int:
        """P, the number of memories at this size; at least one."""
        return self.counted("load", self.size)

    def realised(self) -> Hopfield:
        lost = {"corruption": round(self.corruption * self.size) / self.size} if self.cue == "noise" else {}
        return self.with_simulated(load=self.memory_count / self.size, **lost)

    def solve(self, points: Points) -> Solution:
        names = ("temperature", "load", "field", "synaptic_noise")
        temperature, load, field, noise = (np.ascontiguousarray(points[name], np.float64) for name in names)
        table = np.full((ROWS, load.size, 3), np.nan)
        solve_points(temperature, load, field, noise, table)
        values = dict(zip(QUANTITIES, table, strict=False))
        replicon = values["replicon"]
        broken = replicon < 0
        stable = np.ones(broken.shape, bool)
        stable[:, PARAMAGNET] = ~broken[:, PARAMAGNET]
        broken[:, PARAMAGNET] = False  # it is unstable, not badly described
        validity = np.where(broken, 1, 0 if self.memories == "random" else 2)
        return Solution(values, table[RESIDUAL], stable, validity, np.nan_to_num(table[ITERATIONS]).astype(np.int64))

    def classify(self, points: Points, solution: Solution, equilibrium: Array) -> Array:
        recalled = solution.exists(self.tolerance)[:, RETRIEVAL]
        without = np.where(equilibrium == GLASS, 1, 0)
        phase = np.where(equilibrium == RETRIEVAL, 3, np.where(recalled, 2, without))
        return np.where(equilibrium < 0, -1, phase)

    def _boundary(self, name: str, **columns: Array) -> tuple[Array, Array]:
        """Loads of a boundary (and whether it is one) at arrays of temperature, field or synaptic noise."""
        kinds = ("retrieval_spinodal", "retrieval_transition", "at_line", "glass_transition")
        if name not in kinds:
            raise NotOfferedError(self.title, f"the boundary {name!r}")
        n = max(len(c) for c in columns.values())
        temperature, field, noise = (
            np.ascontiguousarray(columns.get(k, np.full(n, getattr(self, k))), np.float64)
            for k in ("temperature", "field", "synaptic_noise")
        )
        loads, real = np.empty(n), np.empty(n, bool)
        boundary_loads(kinds.index(name), temperature, field, noise, loads, real)
        return loads, real

    def landmark(self, name: str, along: str) -> Array:
        if along == "load":
            loads, real = self._boundary(name, temperature=np.array([self.temperature]))
            return self.control("load").within(loads[real])
        if along not in ("temperature", "field", "synaptic_noise"):
            raise NotOfferedError(self.title, f"{name} along {along}")
        made = self.control(along)
        # T_R is exponentially small in 1/load
        logarithmic = name == "at_line" and along == "temperature"
        grid = np.linspace(math.log(1e-30), math.log(0.3), 257) if logarithmic else made.grid(129)

        def given(x: Array) -> Array:
            values: Array = np.exp(x) if logarithmic else x
            return values

        def difference(x: Array, which: Array | None = None) -> Array:
            return self._boundary(name, **{along: given(x)})[0] - self.load

        values = difference(grid)
        with np.errstate(invalid="ignore"):
            crossed = np.flatnonzero(values[:-1] * values[1:] <= 0)
        roots = bracketed_roots(difference, grid[crossed], grid[crossed + 1])
        real = np.zeros(roots.size, bool)
        for shift in (-1e-9, 0.0, 1e-9) if roots.size else ():
            real |= self._boundary(name, **{along: given(np.clip(roots + shift, grid[0], grid[-1]))})[1]
        _, first = np.unique(np.round(roots[real], 9), return_index=True)
        return made.within(given(roots[real][first]))

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        if "load" not in (x, y):
            return super().trace_landmark(name, x, y, x_range)
        other = self.control(y if x == "load" else x)
        low, high = other.bounds if x == "load" else x_range
        values = self._trace_points(name, other.name, low, high)
        loads, real = self._boundary(name, **{other.name: values})
        highest = self.control("load").bounds[1]
        loads = np.where(real & (loads >= 0) & (loads <= highest), loads, np.nan)
        return (loads, values) if x == "load" else (values, loads)

    def _trace_points(self, name: str, other: str, low: float, high: float) -> Array:
        """Values of the other control at which to trace a boundary."""
        if other != "temperature":
            return np.linspace(low, high, 129)
        if name == "at_line":
            return np.concatenate([np.geomspace(1e-12, 1e-3, 40), np.linspace(1e-3, 0.05, 99)[1:]])
        if self.field > 0:
            return np.linspace(low, high, 193)
        return (
            np.linspace(max(low, 1.0), high, 129)
            if name == "glass_transition"
            else np.linspace(low, min(high, 1.0), 129)
        )

    def landscape(self) -> Landscape:
        """Free energy (5) along m, with q and r as eqs. (2), (3) want them; the lowest where they have several."""
        m = np.linspace(-1.1, 1.1, 220)  # an even number: not at m = 0
        free_energy = np.empty(m.size)
        valley(m, self.temperature, self.load, self.field, self.synaptic_noise, free_energy)
        return Landscape("overlap", m, free_energy)

    def law(self) -> Law:
        """Gaussian of variance (1 - q)/(1 - C) + q/(1 - C)^2: the overlaps with all other memories, times sqrt(N)."""
        theory = self.theory()
        for branch in ("retrieval", "spin_glass", "paramagnet"):
            q = float(theory["edwards_anderson"].sel(branch=branch))
            r = float(theory["crosstalk"].sel(branch=branch))
            if not math.isnan(q):
                break
        else:
            raise NotOfferedError(self.title, "a law where no state is known")
        k = math.sqrt(q / r) if r > 0 else 1.0 - 1.0 / self.temperature
        width = math.sqrt((1.0 - q) / k + r)
        x = np.linspace(-6 * width, 6 * width, 401)
        density = np.exp(-0.5 * (x / width) ** 2) / (width * math.sqrt(2 * math.pi))
        return Law("other_overlaps", x, density, "overlaps with all other memories, times the square root of N")

    def caveat(self) -> str:
        if self.cue == "mixture":
            return "a mixture of memories is a state of its own, which this theory leaves out"
        return "finite size, above all near a boundary, or a cue from which this state is not reached"

    def footprint(self) -> int:
        return self.size * (self.memory_count + 40)
