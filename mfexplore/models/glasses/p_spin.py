r"""Spin glasses with p-spin couplings: the mean-field picture of structural glass.

$N$ variables, Ising spins $s_i=\pm1$ or the components of a vector of length $\sqrt N$ (spherical), and random
couplings between all groups of $p\ge3$ of them:

$$H=-\sum_{i_1<\dots<i_p}J_{i_1\dots i_p}s_{i_1}\cdots s_{i_p},\qquad
\overline{H(s)H(s')}=\frac N2\Big(\frac{s\cdot s'}N\Big)^p \tag{1}$$

**States.** At high temperature the free energy per spin is that of a liquid, $f=-\frac1{4T}-T\ln2$ (Ising) or
$-\frac1{4T}$ (spherical, entropy counted from infinite temperature). Below $T_d$ the liquid consists of exponentially
many states, $e^{N\Sigma}$; two copies in the same one have the overlap $q$. With one step of replica symmetry breaking
at $x\le1$, $\gamma=x/T$ and $C=(1-q)/T$,

$$f=\max_{q,x}\Big[-\frac{1-pq^{p-1}+(p-1)q^p}{4T}+\frac{\gamma}4(p-1)q^p
-\frac1\gamma\ln\overline{\Big(2\cosh\frac{\sigma z}T\Big)^x}\Big] \tag{2}$$

for Ising spins, with $\sigma^2=\frac p2q^{p-1}$ and $z$ standard normal, and on the sphere

$$f=\max_{q,x}\Big[-\frac{1-q^p}{4T}-\frac\gamma4q^p-\frac T2\ln(1-q)
-\frac1{2\gamma}\ln\Big(1+\frac{\gamma q}C\Big)\Big] \tag{3}$$

The number of states at given $x$, the complexity, is $\Sigma=\gamma^2\,\partial f/\partial\gamma$.

* $T_d$, **dynamic**: with $x=1$ a solution $q>0$ appears, suddenly. Relaxation stops here as $N\to\infty$ although
  nothing happens to the free energy.
* $T_s$, **static** (Kauzmann): $\Sigma(x=1)$ has fallen to zero. Below, few states are left, $\Sigma=0$ and $x<1$.
* $T_G$, **Gardner** (Ising only): the replicon eigenvalue
  $1-\frac{p(p-1)}{2T^2}q^{p-2}\,\overline{\mathrm{sech}^4}$ of (2) vanishes and each state breaks up further.

What a fast quench reaches is neither: it is held up at the **threshold**, where states first become stable (replicon
zero), far more numerous than the lowest ones.

**Relaxation.** For the spherical model with noisy gradient descent (Langevin) the correlation $C(t)$ with the start, in
equilibrium, obeys

$$\dot C(t)=-T\,C(t)-\frac p{2T}\int_0^tC^{p-1}(t-s)\,\dot C(s)\,ds \tag{4}$$

the equation of mode-coupling theory: close above $T_d$ it decays in two steps, first to a plateau and much later, as
the states die, to zero; at and below $T_d$ it stays at $q$.

**How it is simulated.** $N\times$ *connectivity*$/p$ groups are drawn at random (all of them where there are fewer)
and given couplings of the matching variance; corrections are of order 1/connectivity. An equilibrium start costs
nothing above $T_s$: choose the configuration first and add to every coupling what makes it a typical one (*planting*;
below $T_s$ it is planted at $T_s$ and cooled for a while before the clock starts). Ising: Metropolis. Spherical: Heun's
method for the Langevin equation.

**Valid:** $N\to\infty$. Below $T_G$ the Ising solution is only the first approximation to a hierarchy of states. At
finite $N$ states live for a finite time, so the plateau below $T_d$ has an end, and $T_d$ is a crossover. Equation (4)
holds for an equilibrium start; a quenched system ages instead and has no stationary correlation.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cache

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.replicas.nested import innermost
from mfexplore.numerics.elementary import log
from mfexplore.numerics.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.memory_equation import POINTS, relax
from mfexplore.numerics.random import advanced, fill_normal, new_stream, uniform

LIQUID, GLASS, THRESHOLD = 0, 1, 2
OVERLAP, BREAKPOINT, FREE_ENERGY, ENERGY, COMPLEXITY, REPLICON = range(6)
COLUMNS = ("overlap", "breakpoint", "free_energy", "energy", "complexity", "replicon")
TIME_STEP = 0.05  # of the Langevin dynamics; half of it from p = 5 on
COOLING = 10.0  # units of time from the static temperature to one below it, before the run begins
PER_DECADE = 12  # times of the correlation that are kept for its picture


# -- Ising: one step of replica symmetry breaking ----------------------------------------------------------------------


@kernel
def ising_averages(order, temperature, rest, gamma, out):
    """The tilted averages of eq. (2) at C = rest and x = gamma T: `out`, shape (6, 1), as by `innermost`. Returns q."""
    q = 1.0 - temperature * rest
    innermost(temperature, gamma, 0.5 * order * q ** (order - 1), 0.0, out)
    return q


@kernel
def ising_conditions(order, temperature, rest, gamma, marginal, out):
    """Errors of the conditions on (C, gamma): df/dq = 0, and df/dgamma = 0 or, where `marginal`, replicon = 0."""
    q = ising_averages(order, temperature, rest, gamma, out)
    first = rest - out[2, 0]
    if marginal:
        second = temperature - 0.5 * order * (order - 1) * q ** (order - 2) * out[3, 0]
    else:
        second = 0.25 * (order - 1) * q**order - (out[5, 0] - out[0, 0]) / gamma
    return first, second


@kernel
def ising_root(order, temperature, rest, gamma, marginal, out):
    """Newton's method for `ising_conditions` from a guess. Returns (C, gamma, residual, iterations)."""
    top = 1.0 / temperature if temperature > 0.0 else math.inf
    residual = math.inf
    for iteration in range(60):
        first, second = ising_conditions(order, temperature, rest, gamma, marginal, out)
        residual = max(abs(first), abs(second))
        if residual <= 1e-13:
            break
        d_rest, d_gamma = 1e-6 * rest, -1e-6 * gamma
        a, c = ising_conditions(order, temperature, rest + d_rest, gamma, marginal, out)
        b, d = ising_conditions(order, temperature, rest, gamma + d_gamma, marginal, out)
        a, c = (a - first) / d_rest, (c - second) / d_rest
        b, d = (b - first) / d_gamma, (d - second) / d_gamma
        determinant = a * d - b * c
        step = -(first * d - second * b) / determinant
        turn = -(a * second - c * first) / determinant
        if not (abs(step) < math.inf and abs(turn) < math.inf):
            return rest, gamma, math.inf, iteration
        damping = min(
            1.0, 0.3 * rest / abs(step) if step != 0.0 else 1.0, 0.3 * gamma / abs(turn) if turn != 0.0 else 1.0
        )
        rest += damping * step
        gamma = min(gamma + damping * turn, top)
        if temperature > 0.0:
            rest = min(rest, 0.999 * top)
        if abs(step) <= 1e-13 * rest and abs(turn) <= 1e-13 * gamma:
            break
    return rest, gamma, residual, iteration + 1


@kernel
def write_ising(values, i, branch, order, temperature, rest, gamma, out):
    """Fill in the observables of a state of eq. (2)."""
    q = ising_averages(order, temperature, rest, gamma, out)
    weight, ring, power = 0.0, 1.0, 1.0  # 1 - p q^(p-1) + (p-1) q^p and 1 - q^p, without the zeros at q = 1
    for j in range(order - 1):
        weight += (j + 1) * power
        power *= q
        ring += power
    phi = out[0, 0]
    free_energy = -0.25 * temperature * rest * rest * weight + 0.25 * gamma * (order - 1) * q**order - phi
    row = values[i, branch]
    row[OVERLAP] = q
    row[BREAKPOINT] = gamma * temperature
    row[FREE_ENERGY] = free_energy
    row[ENERGY] = -0.5 * (rest * ring + gamma * power * q)
    row[COMPLEXITY] = gamma * gamma * 0.25 * (order - 1) * q**order - gamma * (out[5, 0] - phi)
    row[REPLICON] = 1.0 - 0.5 * order * (order - 1) * q ** (order - 2) * out[3, 0] / temperature


@kernel
def liquid_states(lam):
    """At x = 1 and the width lambda = sigma/T of the field: (q, mean of sech^4, entropy of a spin)."""
    _, q, _, _, _, quartic, entropy = response_and_entropy(lam * lam, lam, 1.0)
    return q, quartic, entropy


@kernel
def temperature_of(order, lam):
    """T(lambda) of the states at x = 1: rises to T_d, then falls."""
    return math.sqrt(0.5 * order * liquid_states(lam)[0] ** (order - 1)) / lam


@kernel
def states_in_liquid(order, temperature, dynamic):
    """The stable solution with x = 1 at T < T_d: lambda, by bisection and secant on the falling side of T(lambda)."""
    low, high = dynamic, 1.01 * math.sqrt(0.5 * order) / temperature
    for _ in range(200):
        middle = 0.5 * (low + high)
        if temperature_of(order, middle) > temperature:
            low = middle
        else:
            high = middle
        if high - low <= 1e-15 * high:
            break
    return 0.5 * (low + high)


@kernel
def solve_ising(order, temperature, lines, values, residual, iterations):
    """All branches at points of any order and temperature. lines: see `ising_lines`, by order - 3."""
    out = np.empty((6, 1))
    for i in range(order.size):
        p, t = order[i], temperature[i]
        line = lines[p - 3]
        dynamic, static, gardner, lam_dynamic = line[0, 0], line[0, 1], line[0, 2], line[0, 3]
        if t > 0.0:
            row = values[i, LIQUID]
            row[OVERLAP], row[BREAKPOINT], row[COMPLEXITY], row[REPLICON] = 0.0, 1.0, 0.0, 1.0
            row[FREE_ENERGY] = -0.25 / t - t * math.log(2.0)
            row[ENERGY] = -0.5 / t
            residual[i, LIQUID] = 0.0
        if t >= dynamic:
            continue
        if t >= static:
            lam = states_in_liquid(p, t, lam_dynamic)
            q = liquid_states(lam)[0]
            write_ising(values, i, GLASS, p, t, (1.0 - q) / t, 1.0 / t, out)
            residual[i, GLASS] = abs(temperature_of(p, lam) - t)
            values[i, GLASS, BREAKPOINT] = 1.0
        else:
            rest, gamma = interpolate(line[1], line[2], t), interpolate(line[1], line[3], t)
            rest, gamma, worst, count = ising_root(p, t, rest, gamma, t < 0.0, out)
            write_ising(values, i, GLASS, p, t, rest, gamma, out)
            residual[i, GLASS], iterations[i, GLASS] = worst, count
        if t > gardner:
            rest, gamma = interpolate(line[4], line[5], t), interpolate(line[4], line[6], t)
            rest, gamma, worst, count = ising_root(p, t, rest, gamma, t > 0.0, out)
            write_ising(values, i, THRESHOLD, p, t, rest, gamma, out)
            values[i, THRESHOLD, FREE_ENERGY] += values[i, THRESHOLD, COMPLEXITY] / gamma
            residual[i, THRESHOLD], iterations[i, THRESHOLD] = worst, count


@kernel
def interpolate(x, y, at):
    """Linear interpolation in x, increasing."""
    k = min(max(np.searchsorted(x, at), 1), x.size - 1)
    return y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1])


@cache
def ising_line(order: int) -> Array:
    """Row 0: T_d, T_s, T_G, lambda at T_d. Rows 1-3: T, C, gamma of the glass from T = 0 to T_s; rows 4-6: the same of
    the threshold from T_G to T_d. Both are starting points for Newton's method.
    """

    def flatness(lam: float) -> float:
        q, quartic, _ = liquid_states(lam)
        return float((order - 1) * lam * lam * quartic / q - 1)

    def states_left(lam: float) -> float:
        q, _, entropy = liquid_states(lam)
        t = temperature_of(order, lam)
        return float((order - 1) * q**order / (4 * t * t) - (lam * lam / 2 + entropy - math.log(2)))

    peak = brentq(flatness, 0.8, 12.0, xtol=1e-14)
    dynamic = temperature_of(order, peak)
    last = brentq(states_left, peak, 4 * math.sqrt(order), xtol=1e-14)
    static = temperature_of(order, last)
    out = np.empty((6, 1))
    nodes = 49
    line = np.zeros((7, nodes))
    # the glass, followed from T_s down to zero temperature
    line[1] = np.linspace(0, static, nodes)
    rest, gamma = (1 - liquid_states(last)[0]) / static, 1 / static
    line[2, -1], line[3, -1] = rest, gamma
    replicon = np.zeros(nodes)
    for k in range(nodes - 2, -1, -1):
        rest, gamma, _, _ = ising_root(order, line[1, k], rest, gamma, False, out)
        line[2, k], line[3, k] = rest, gamma

    def softness(t: float) -> float:
        rest, gamma = np.interp(t, line[1], line[2]), np.interp(t, line[1], line[3])
        rest, gamma, _, _ = ising_root(order, t, rest, gamma, False, out)
        return float(ising_conditions(order, t, rest, gamma, True, out)[1])

    replicon = np.array([softness(t) for t in line[1, 1:]])
    k = int(np.flatnonzero(replicon < 0)[-1]) + 1
    gardner = brentq(softness, line[1, k], line[1, k + 1], xtol=1e-14)
    # the threshold, followed from T_d down to where it meets the glass
    line[4] = np.linspace(gardner, dynamic, nodes)
    rest, gamma = (1 - liquid_states(peak)[0]) / dynamic, 1 / dynamic
    line[5, -1], line[6, -1] = rest, gamma
    for k in range(nodes - 2, -1, -1):
        rest, gamma, _, _ = ising_root(order, line[4, k], rest, gamma, True, out)
        line[5, k], line[6, k] = rest, gamma
    line[0, :4] = dynamic, static, gardner, peak
    return line


@cache
def ising_lines() -> Array:
    """`ising_line` of every order, shape (orders, 7, nodes)."""
    low, high = PSpin.control("order").bounds
    return np.stack([ising_line(p) for p in range(int(low), int(high) + 1)])


# -- spherical ---------------------------------------------------------------------------------------------------------


@cache
def spherical_temperatures(order: int) -> tuple[float, float]:
    """(T_d, T_s)."""
    p = order
    dynamic = math.sqrt(p * (p - 2) ** (p - 2) / (2 * (p - 1) ** (p - 1)))

    def states_left(q: float) -> float:  # at the temperature at which q is the overlap at x = 1
        return q * q / (p * (1 - q)) + math.log1p(-q) + q

    q = brentq(states_left, (p - 2) / (p - 1), 1 - 1e-12, xtol=1e-15)
    return dynamic, math.sqrt(p / 2 * q ** (p - 2) * (1 - q))


@cache
def spherical_ratio(order: int) -> float:
    """(1 - q)/(1 - q + xq) in the glass below T_s, the same at every temperature."""

    def condition(y: float) -> float:
        return 2 / order + 2 * y * (1 - y + math.log(y)) / (1 - y) ** 2

    return float(brentq(condition, 1e-8, 1 - 1e-4, xtol=1e-15))


def rest_of(order: int, temperature: Array, level: float) -> Array:
    """The smaller root C of C^2 (1 - TC)^(p-2) = level, by Newton's method from its value at T = 0, which is below."""
    rest = np.full_like(temperature, math.sqrt(level))
    for _ in range(100):
        q = 1 - temperature * rest
        error = rest * q ** ((order - 2) / 2) - math.sqrt(level)
        slope = q ** ((order - 4) / 2) * (q - (order - 2) / 2 * temperature * rest)
        step = error / slope
        rest = rest - step
        if np.all(np.abs(step) <= 1e-15 * rest):
            break
    return rest


def overlap_in_liquid(order: int, temperature: Array) -> Array:
    """Larger root q of (p/2T^2) q^(p-2) (1 - q) = 1, by Newton's method from 1, for T <= T_d."""
    level = 2 * temperature**2 / order
    q = np.ones_like(temperature)
    for _ in range(200):
        error = q ** (order - 2) * (1 - q) - level
        slope = q ** (order - 3) * ((order - 2) * (1 - q) - q)
        step = np.where(slope < 0, error / np.where(slope < 0, slope, -1), 0)
        q = q - step
        if np.all(np.abs(step) <= 1e-16):
            break
    return q


def spherical_states(order: int, temperature: Array, rest: Array, gamma: Array) -> dict[str, Array]:
    """Observables of a state of eq. (3) from C and gamma."""
    p, t, c = order, temperature, rest
    q = 1 - t * c
    ring = c * sum(q**j for j in range(p))  # (1 - q^p)/T
    mixed = np.log1p(gamma * q / c)
    with np.errstate(divide="ignore", invalid="ignore"):
        shrunk = np.where(t > 0, t * np.log(t * c), 0.0)
        loose = np.where(gamma > 0, mixed / (2 * np.where(gamma > 0, gamma, 1)), q / (2 * c))
    return {
        "overlap": q,
        "breakpoint": gamma * t,
        "free_energy": -ring / 4 - gamma / 4 * q**p - shrunk / 2 - loose,
        "energy": -(ring + gamma * q**p) / 2,
        "complexity": -(gamma**2) / 4 * q**p + mixed / 2 - gamma * q / (2 * (c + gamma * q)),
        "replicon": 1 - p * (p - 1) / 2 * q ** (p - 2) * c**2,
    }


def solve_spherical(order: int, temperature: Array, values: Array, residual: Array) -> None:
    """All branches at one order; values: shape (n, 3, 6), residual: (n, 3)."""
    p, t = order, temperature
    dynamic, static = spherical_temperatures(p)
    y = spherical_ratio(p)
    warm = t > 0
    values[warm, LIQUID] = 0.0
    values[warm, LIQUID, BREAKPOINT] = values[warm, LIQUID, REPLICON] = 1.0
    values[warm, LIQUID, FREE_ENERGY], values[warm, LIQUID, ENERGY] = -0.25 / t[warm], -0.5 / t[warm]
    residual[warm, LIQUID] = 0.0
    inside = (t >= static) & (t < dynamic)
    q = overlap_in_liquid(p, t[inside])
    error = np.abs(p / 2 * q ** (p - 2) * (1 - q) - t[inside] ** 2)
    place(values, residual, inside, GLASS, p, t, (1 - q) / t[inside], 1 / t[inside], error)
    values[inside, GLASS, BREAKPOINT] = 1.0
    cold = t < static
    rest = rest_of(p, t[cold], 2 * y / p)
    gamma = rest * (1 / y - 1) / (1 - t[cold] * rest)
    error = np.abs(p / 2 * (1 - t[cold] * rest) ** (p - 2) * rest**2 - y)
    place(values, residual, cold, GLASS, p, t, rest, gamma, error)
    below = t < dynamic
    rest = rest_of(p, t[below], 2 / (p * (p - 1)))
    gamma = (p - 2) * rest / (1 - t[below] * rest)
    error = np.abs(1 - p * (p - 1) / 2 * (1 - t[below] * rest) ** (p - 2) * rest**2)
    place(values, residual, below, THRESHOLD, p, t, rest, gamma, error)
    values[below, THRESHOLD, FREE_ENERGY] += values[below, THRESHOLD, COMPLEXITY] / gamma


def place(
    values: Array,
    residual: Array,
    where: Array,
    branch: int,
    order: int,
    t: Array,
    rest: Array,
    gamma: Array,
    error: Array,
) -> None:
    """Write a spherical branch into the points `where`."""
    for k, column in enumerate(spherical_states(order, t[where], rest, gamma).values()):
        values[where, branch, k] = column
    residual[where, branch] = error


# -- simulation --------------------------------------------------------------------------------------------------------


@kernel
def products(groups, spins, couplings, out):
    """Write J_a times the product of its spins into out[a]; returns the sum, which is minus the energy."""
    total = 0.0
    for a in range(couplings.size):
        product = couplings[a]
        for k in range(groups.shape[1]):
            product *= spins[groups[a, k]]
        out[a] = product
        total += product
    return total


@kernel
def forces(groups, couplings, reaction, spins, out):
    """Write -dH/ds_i into out, for any real spins, each coupling reduced by `reaction` times the product of its spins.

    Where all groups are coupled this reaction only pulls along s, which the sphere does not feel. With fewer it keeps
    the length from condensing on the spins of a few groups: the average of exp(-H/T) over couplings stays uniform.
    """
    order = groups.shape[1]
    for i in range(out.size):
        out[i] = 0.0
    if order == 3:
        for a in range(couplings.size):
            i, j, k = groups[a, 0], groups[a, 1], groups[a, 2]
            x, y, z = spins[i], spins[j], spins[k]
            c = couplings[a] - reaction * x * y * z
            out[i] += c * y * z
            out[j] += c * x * z
            out[k] += c * x * y
        return
    before = np.empty(order)
    for a in range(couplings.size):
        product = 1.0
        for k in range(order):
            before[k] = product
            product *= spins[groups[a, k]]
        after = couplings[a] - reaction * product
        for k in range(order - 1, -1, -1):
            i = groups[a, k]
            out[i] += before[k] * after
            after *= spins[i]


@kernel
def langevin(groups, couplings, reaction, spins, temperature, step, steps, stream):
    """Noisy gradient descent on the sphere |s|^2 = N, with Heun's two evaluations of the force per step.

    The multiplier that holds the length, T + s.F/N, fluctuates by 1/sqrt(N) only; what is left of that is scaled away.
    """
    n = spins.size
    force, ahead, trial, noise = np.empty(n), np.empty(n), np.empty(n), np.empty(n)
    kick = math.sqrt(2.0 * temperature * step)
    for _ in range(steps):
        forces(groups, couplings, reaction, spins, force)
        fill_normal(stream, noise)
        work = 0.0
        for i in range(n):
            work += force[i] * spins[i]
        hold = temperature + (work - temperature) / n
        for i in range(n):
            force[i] -= hold * spins[i]
            trial[i] = spins[i] + step * force[i] + kick * noise[i]
        forces(groups, couplings, reaction, trial, ahead)
        work = 0.0
        for i in range(n):
            work += ahead[i] * trial[i]
        hold = temperature + (work - temperature) / n
        norm = 0.0
        for i in range(n):
            s = spins[i] + 0.5 * step * (force[i] + ahead[i] - hold * trial[i]) + kick * noise[i]
            spins[i] = s
            norm += s * s
        scale = math.sqrt(n / norm)
        for i in range(n):
            spins[i] *= scale


@kernel
def metropolis(terms, members, first, spins, temperature, sweeps, stream):
    """Metropolis sweeps of Ising spins, in order. terms: J_a times its spins, overwritten like `spins`.

    members, first: the groups of spin i are members[first[i] : first[i + 1]].
    """
    position = stream[0]
    for _ in range(sweeps):
        for i in range(spins.size):
            own = members[first[i] : first[i + 1]]
            gain = 0.0
            for a in range(own.size):
                gain += terms[own[a]]
            if gain <= -0.5 * temperature * log(1.0 - uniform(position, i)):
                spins[i] = -spins[i]
                for a in range(own.size):
                    terms[own[a]] = -terms[own[a]]
        position = advanced(position, spins.size)
    stream[0] = position


def draw_groups(size: int, order: int, count: int, rng: np.random.Generator) -> Array:
    """Groups of `order` different spins, shape (n, order), int32: all there are, if that is at most `count`."""
    if math.comb(size, order) <= count:
        return np.array(list(itertools.combinations(range(size), order)), np.int32)
    groups = np.empty((0, order), np.int32)
    while len(groups) < count:
        drawn = np.sort(rng.integers(0, size, (2 * (count - len(groups)) + 16, order), dtype=np.int32), axis=1)
        distinct = (np.diff(drawn, axis=1) > 0).all(axis=1)
        groups = np.concatenate([groups, drawn[distinct]])
    return groups[:count]


class PSpinSimulation(core.Simulation["PSpin"]):
    """Langevin (spherical) or Metropolis (Ising) dynamics, and its overlap with the configuration it started from."""

    time_unit = "units of time"
    relaxation, window = 100.0, 100.0

    def prepare(self) -> None:
        m = self.model
        n, p = m.size, m.order
        self.groups = draw_groups(n, p, m.groups(), self.rng)
        self.variance = n / (2 * len(self.groups))
        self.couplings = self.rng.normal(0.0, math.sqrt(self.variance), len(self.groups))
        self.spins = self.rng.normal(size=n)
        if m.kind == "ising":
            self.spins = np.sign(self.spins)
        else:
            self.spins *= math.sqrt(n / np.sum(self.spins**2))
        if m.start == "equilibrium":
            planted = max(m.temperature, m.transitions()[1])
            self.couplings += self.variance / planted * np.prod(self.spins[self.groups], axis=1)
        self.terms = np.empty(len(self.groups))
        if m.kind == "ising":
            self.time_unit = "sweeps"  # type: ignore[misc]  # of this run, not of all
            products(self.groups, self.spins, self.couplings, self.terms)
            flat = self.groups.ravel()
            self.members = (np.argsort(flat, kind="stable") // p).astype(np.int32)
            self.first = np.concatenate([[0], np.cumsum(np.bincount(flat, minlength=n))])
        self.stream = new_stream(self.rng)
        self._begin()
        if m.start == "equilibrium" and m.temperature < m.transitions()[1]:
            self.evolve(COOLING)  # for q is the overlap of two configurations of a state at this temperature
            self._begin()

    def _begin(self) -> None:
        """Count time, and the overlap, from the configuration that there is now."""
        self.start = self.spins.copy()
        self.clock = 0.0
        self.kept = [(0.0, 1.0)]

    def evolve(self, duration: float) -> None:
        m = self.model
        grain = 1.0 if m.kind == "ising" else TIME_STEP if m.order < 5 else TIME_STEP / 2
        left = round(duration / grain)
        while left > 0:
            due = max(1, round(self.clock * (10 ** (1 / PER_DECADE) - 1) / grain))  # until the next time to keep
            steps = min(left, due)
            if m.kind == "ising":
                metropolis(self.terms, self.members, self.first, self.spins, m.temperature, steps, self.stream)
            else:
                reaction = self.variance / max(m.temperature, m.transitions()[1])
                langevin(self.groups, self.couplings, reaction, self.spins, m.temperature, grain, steps, self.stream)
            left -= steps
            self.clock += steps * grain
            if self.clock >= self.kept[-1][0] * 10 ** (1 / PER_DECADE) - 1e-9:
                self.kept.append((self.clock, self.overlap()))

    def overlap(self) -> float:
        return float(self.spins @ self.start) / self.model.size

    def observe(self) -> dict[str, float]:
        """After a quench no overlap: a random start belongs to no state, so q says nothing about it."""
        energy = -products(self.groups, self.spins, self.couplings, self.terms) / self.model.size
        return (
            {"overlap": self.overlap(), "energy": energy} if self.model.start == "equilibrium" else {"energy": energy}
        )

    def picture(self) -> core.Density:
        """The overlap with the start against the logarithm of time, beside the prediction."""
        times, overlaps = np.array([*self.kept[1:], (max(self.clock, TIME_STEP), self.overlap())]).T
        curves = [("simulation", overlaps)]
        with suppress(core.NotOfferedError):
            curves.append(("mode coupling, eq. (4)", self.model.predicted_path({"overlap": 1.0}, times)["overlap"]))
        plateau = self.model.plateau()
        if plateau > 0:
            curves.append(("overlap of the states, q", np.full_like(times, plateau)))
        return core.Density(np.log10(times), tuple(curves), "decimal logarithm of time", "overlap with the start")


@dataclass(frozen=True)
class PSpin(core.Model):
    temperature: float = core.control(
        0.65, 0.0, 1.5, symbol="T", unit="J/k_B", role="temperature", step=0.005, doc="thermal noise"
    )
    order: int = core.control(3, 3, 6, symbol="p", role="order", quenched=True, doc="variables in each coupling")
    kind: str = core.choice(
        "spherical",
        {"spherical": "spherical", "ising": "Ising"},
        doc="components of a vector of fixed length, or spins that are up or down",
    )
    size: int = core.control(
        200, 16, 4000, symbol="N", unit="spins", role="size", scale="log", part="simulation", doc="spins simulated"
    )
    connectivity: int = core.control(
        600, 20, 10_000, symbol="c", role="setting", scale="log", part="simulation", quenched=True,
        doc="couplings that each spin takes part in, drawn from all there are (spherical: at least 40 x 3^(p-1))",
    )  # fmt: skip
    start: str = core.choice(
        "equilibrium", ("equilibrium", "random"), role="start", part="simulation",
        doc="a configuration of equilibrium (above the static temperature), or a quench from infinite temperature",
    )  # fmt: skip

    version = 2
    title = "p-spin glass"
    summary = (
        "Two transitions for one glass: relaxation stops where states appear, entropy runs out where few are left."
    )
    sources = (
        core.Source("D. J. Gross and M. Mezard, Nucl. Phys. B 240, 431 (1984)", doi="10.1016/0550-3213(84)90237-2"),
        core.Source("E. Gardner, Nucl. Phys. B 257, 747 (1985)", doi="10.1016/0550-3213(85)90374-8"),
        core.Source("A. Crisanti and H.-J. Sommers, Z. Phys. B 87, 341 (1992)", doi="10.1007/BF01309287"),
        core.Source("A. Crisanti, H. Horner and H.-J. Sommers, Z. Phys. B 92, 257 (1993)", doi="10.1007/BF01312184"),
        core.Source("Mean-field inference methods for neural networks", arxiv="1911.00890"),
    )
    observables = (
        core.Observable(
            "overlap", "q", "overlap of two copies in the same state; in time, with the start", low=0, high=1
        ),
        core.Observable(
            "breakpoint", "x", "weight of being in different states among those of this kind", low=0, high=1
        ),
        core.Observable(
            "free_energy", "f", "free energy per spin, eqs. (2) and (3); at the threshold, of one state", unit="J"
        ),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable("complexity", r"\Sigma", "logarithm of the number of states, per spin", low=0, high=0.1),
        core.Observable(
            "replicon", r"\lambda", "stability of the states; below zero they break up", low=-1, high=1, signed=True
        ),
    )
    branches = (
        core.Branch("liquid", "no states: copies have nothing in common"),
        core.Branch("glass", "the states that dominate: many of them above the static temperature, few below"),
        core.Branch("threshold", "the highest states, just stable, where a quench is held up", thermodynamic=False),
    )
    phases = (
        core.Phase("liquid", "Everything relaxes: two copies have nothing in common, and C(t) decays to zero."),
        core.Phase(
            "many_states", "Frozen in one of exponentially many states, though the free energy is that of the liquid."
        ),
        core.Phase("glass", "The entropy of states has run out: few are left, and copies share them."),
        core.Phase(
            "gardner",
            "Each state has broken up into a hierarchy of states (full replica symmetry breaking).",
            title="Gardner",
        ),
    )
    failures = (
        core.Failure(
            "gardner_unstable",
            "Below the Gardner temperature one step of symmetry breaking is not enough.",
            title="Gardner unstable",
        ),
    )
    landmarks = (
        core.Landmark("dynamic_temperature", "T_d", "states appear and relaxation stops", continuous=False),
        core.Landmark("static_temperature", "T_s", "only few states are left: the transition of the free energy"),
        core.Landmark(
            "gardner_temperature", "T_G", "each state breaks up further (Ising)", title="Gardner temperature"
        ),
    )
    planes = (core.Plane("order", "temperature", "overlap", y_range=(0.0, 1.0)),)
    presets = (
        core.Preset(
            "two-step relaxation", {"temperature": 0.625, "size": 1000},
            "C(t) waits at a plateau near q = 1/2 before it decays: dynamics and mode coupling on a logarithmic clock.",
        ),
        core.Preset(
            "liquid", {"temperature": 0.9},
            "Far above the dynamic temperature the memory of the start is gone within a few units of time.",
        ),
        core.Preset(
            "caught in a state", {"temperature": 0.59, "size": 1000},
            "Between T_s = 0.586 and T_d = 0.612 the start is not forgotten, yet the energy is that of a liquid.",
            (core.Promise(core.Crossing("static_temperature", "temperature"), 0.586, 0.0005),
             core.Promise(core.Crossing("dynamic_temperature", "temperature"), 0.612, 0.0005),
             core.Promise(core.Value("energy"), -0.5 / 0.59, 1e-9)),
        ),
        core.Preset(
            "quench", {"temperature": 0.2, "start": "random", "size": 400},
            "The energy creeps down and is held up near the threshold -1.05, above the glass at -1.07.",
            (core.Promise(core.Value("energy", "threshold"), -1.05, 0.005),
             core.Promise(core.Value("energy", "glass"), -1.07, 0.005)),
        ),
        core.Preset(
            "Ising states", {"temperature": 0.66, "kind": "ising", "size": 1000},
            "The same with Ising spins: an equilibrium start keeps the overlap q = 0.79 of its state.",
            (core.Promise(core.Value("overlap"), 0.79, 0.005),
             core.Promise(core.Mean("overlap", 20, 120), 0.79, 0.08)),
        ),
        core.Preset(
            "Gardner", {"temperature": 0.2, "kind": "ising", "start": "equilibrium", "size": 1000},
            "Below T_G = 0.240 one step of symmetry breaking fails: the diagram says so.",
            (core.Promise(core.Crossing("gardner_temperature", "temperature"), 0.240, 0.0005),),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "dynamic temperature, spherical p = 3", 0.6123724356957945, 1e-12, "Crisanti and Sommers 1992, closed form",
            lambda model: float(PSpin().landmark("dynamic_temperature", "temperature")[0]),
        ),
        core.Reference(
            "static temperature, spherical p = 3", 0.5860539724173638, 1e-11, "Crisanti and Sommers 1992",
            lambda model: float(PSpin().landmark("static_temperature", "temperature")[0]),
        ),
        core.Reference(
            "ground-state energy, spherical p = 4", -1.268609689450809, 1e-9, "minimum of eq. (3) at T = 0",
            lambda model: float(PSpin(temperature=0, order=4).equilibrium()["energy"]),
        ),
        core.Reference(
            "threshold energy, spherical p = 3", -2 / math.sqrt(3), 1e-12, "-sqrt(2(p-1)/p), Crisanti and Sommers 1995",
            lambda model: float(PSpin(temperature=0).theory()["energy"].sel(branch="threshold")),
        ),
        core.Reference(
            "dynamic temperature, Ising p = 3", 0.6815980405761617, 1e-9, "Montanari and Ricci-Tersenghi 2003 (0.6815)",
            lambda model: float(PSpin(kind="ising").landmark("dynamic_temperature", "temperature")[0]),
        ),
        core.Reference(
            "Gardner temperature, Ising p = 3", 0.24026003630898807, 1e-7, "Gardner 1985 (0.24)",
            lambda model: float(PSpin(kind="ising").landmark("gardner_temperature", "temperature")[0]),
        ),
        core.Reference(
            "free energy, Ising p = 3, T = 0.5", -0.8231361419795616, 1e-9, "Newton's method on eq. (2)",
            lambda model: float(PSpin(kind="ising", temperature=0.5).equilibrium()["free_energy"]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Spherical, p = 3, equilibrium start. Choose lower and lower temperatures and watch the overlap with the "
            "start: below which is it never forgotten?",
            {"temperature": 0.7, "size": 400}, "temperature",
            lambda model: float(model.landmark("dynamic_temperature", "temperature")[0]), 0.02,
            "At T_d = 0.6124 the plateau becomes eternal as N grows. The free energy shows nothing at all there.",
        ),
        core.Task(
            "Quench the spherical model to T = 0.05 from a random start. Which energy per spin does it get stuck at?",
            {"temperature": 0.05, "start": "random", "size": 400}, "energy",
            lambda model: float(model.theory()["energy"].sel(branch="threshold")), 0.03,
            "At the threshold (-1.13), where states first become stable, not in the ground state (-1.15).",
        ),
    )  # fmt: skip
    simulation = PSpinSimulation

    def solve(self, points: Points) -> core.Solution:
        t, order = np.ascontiguousarray(points["temperature"]), points["order"]
        values = np.full((t.size, 3, len(COLUMNS)), np.nan)
        residual = np.full((t.size, 3), np.nan)
        iterations = np.zeros((t.size, 3), np.int64)
        validity = np.zeros((t.size, 3), np.int64)
        if self.kind == "ising":
            lines = ising_lines()
            solve_ising(order, t, lines, values, residual, iterations)
            validity[t < lines[order - 3, 0, 2], GLASS] = 1
        else:
            for p in np.unique(order):
                rows = order == p
                part, error = values[rows], residual[rows]
                solve_spherical(int(p), t[rows], part, error)
                values[rows], residual[rows] = part, error
        static = np.array([self.replace(order=p).transitions()[1] for p in range(3, int(order.max()) + 1)])
        stable = ~np.isnan(residual)
        stable[:, LIQUID] &= t >= static[order - 3]
        stable[:, THRESHOLD] = False
        named = {name: values[:, :, k] for k, name in enumerate(COLUMNS)}
        return core.Solution(named, residual, stable=stable, validity=validity, iterations=iterations)

    def select(self, points: Points, solution: core.Solution) -> Array:
        """The glass where it exists: between T_s and T_d the liquid consists of its states."""
        exists = solution.exists(self.tolerance)
        return np.where(exists[:, GLASS], GLASS, np.where(exists[:, LIQUID], LIQUID, -1))

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        broken = solution.values["breakpoint"][:, GLASS] < 1
        gardner = solution.validity[:, GLASS] > 0 if solution.validity is not None else np.zeros_like(broken)
        phase = np.where(broken, np.where(gardner, 3, 2), 1)
        return np.where(equilibrium == GLASS, phase, np.where(equilibrium == LIQUID, 0, -1))

    def transitions(self) -> tuple[float, float]:
        """(T_d, T_s) of this order and kind."""
        if self.kind == "ising":
            line = ising_line(self.order)
            return float(line[0, 0]), float(line[0, 1])
        return spherical_temperatures(self.order)

    def plateau(self) -> float:
        """The overlap at which an equilibrium start is caught: q of the states, 0 above T_d."""
        points = {"temperature": np.array([self.temperature]), "order": np.array([self.order])}
        q = self.solve(points).values["overlap"][0, GLASS]
        return float(np.nan_to_num(q)) if self.start == "equilibrium" else 0.0

    def landmark(self, name: str, along: str) -> Array:
        if along != "temperature":
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        if name == "gardner_temperature":
            found = [float(ising_line(self.order)[0, 2])] if self.kind == "ising" else []
        else:
            found = [self.transitions()[0 if name == "dynamic_temperature" else 1]]
        return self.control(along).within(found)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """In the plane of order and temperature a level piece for every order, which is a whole number."""
        if {x, y} != {"order", "temperature"}:
            return super().trace_landmark(name, x, y, x_range)
        low, high = self.control("order").bounds
        pieces = [
            ([max(p - 0.5, low), p, min(p + 0.5, high), np.nan], [*np.repeat(found, 3), np.nan])
            for p in range(int(low), int(high) + 1)
            for found in [self.replace(order=p).landmark(name, "temperature")]
            if found.size
        ]
        order, temperature = np.array(pieces, float).reshape(-1, 2, 4).transpose(1, 0, 2).reshape(2, -1)
        return (order, temperature) if x == "order" else (temperature, order)

    def landscape(self) -> core.Landscape:
        """Free energy per spin of a copy held at overlap q with an equilibrium configuration (Franz and Parisi 1995).

        Its last minimum is the state of that configuration, higher than q = 0 by T times the complexity. Both ends are
        exact; on the way between them copies may differ in more than one way, which is left out here.
        """
        t, p = self.temperature, self.order
        if t < self.transitions()[1]:
            raise core.NotOfferedError(self.title, "a landscape below the static temperature")
        q = np.linspace(0, 0.995, 200)
        f = np.array([held_ising(p, t, x) if self.kind == "ising" else held_spherical(p, t, x) for x in q])
        return core.Landscape("overlap", q, f, branches=("liquid", "glass"))

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """C(t) of eq. (4), and the energy, which does not move in equilibrium."""
        t, p = self.temperature, self.order
        if self.kind == "ising" or self.start != "equilibrium" or t < self.transitions()[1]:
            raise core.NotOfferedError(self.title, "a predicted path but for the spherical model in equilibrium")
        longest = max(float(times.max()), 1.0)
        table = np.empty((2, 6000 + POINTS * 40))
        count = relax(1 / t, p / (2 * t * t), p - 1, longest, table[0], table[1])
        clock = np.log(np.maximum(times, 1e-300))
        overlap = np.interp(clock, np.log(table[0, :count]), table[1, :count], left=1.0)
        return {"overlap": overlap, "energy": np.full_like(overlap, -0.5 / t)}

    def caveat(self) -> str:
        if self.start == "random":
            return "a quench never reaches equilibrium; it ages, held up near the threshold"
        if self.temperature < self.transitions()[0]:
            return "at finite N states differ from sample to sample, and none lasts for ever"
        return "the memory of the start fades in time; theory says what is left of it in the end"

    def footprint(self) -> int:
        return self.groups() * (12 * self.order + 24) + 64 * self.size

    def realised(self) -> PSpin:
        return self.with_simulated(connectivity=round(self.groups() * self.order / self.size))

    def groups(self) -> int:
        """How many couplings a simulation has. The squared product of p - 1 normal numbers has the mean square 3^(p-1),
        so that a spherical model needs many times that per spin for the fields to be alike.
        """
        per_spin = self.connectivity if self.kind == "ising" else max(self.connectivity, 40 * 3 ** (self.order - 1))
        return min(math.comb(self.size, self.order), max(1, self.size * per_spin // self.order))


def held_spherical(order: int, temperature: float, q: float) -> float:
    """Free energy at overlap q with an equilibrium configuration; u is the overlap of two such copies."""
    p, t = order, temperature

    def excess(u: float) -> float:
        return u - q * q - p / (2 * t * t) * u ** (p - 1) * (1 - u) ** 2

    grid = np.linspace(q * q, 1, 200)
    signs = np.array([excess(u) for u in grid])
    k = int(np.argmax(signs >= 0))
    u = brentq(excess, grid[k - 1], grid[k], xtol=1e-14) if k > 0 else 0.0
    entropy = math.log(1 - u) + (u - q * q) / (1 - u)
    return float(-(q**p) / (2 * t) - (1 - u**p) / (4 * t) - t / 2 * entropy)


def held_ising(order: int, temperature: float, q: float) -> float:
    """The same for Ising spins, by iteration over u and the field that holds the overlap at q."""
    p, t = order, temperature
    u, field = q * q, t * math.atanh(q)
    for _ in range(500):
        deviation = math.sqrt(p / 2 * u ** (p - 1))
        for _ in range(60):
            m, square, chi, _, _ = response(field, deviation, t)
            field += (q - m) / max(chi, 1e-3)
            if abs(q - m) < 1e-13:
                break
        u, before = square, u
        if abs(u - before) < 1e-12:
            break
    m, _, chi, _, _, _, entropy = response_and_entropy(field, deviation, t)
    logarithm = field * m + deviation**2 * chi + t * entropy  # T times the average of ln 2cosh
    return float(-(q**p) / (2 * t) + field * q - logarithm - (1 + (p - 1) * u**p - p * u ** (p - 1)) / (4 * t))
