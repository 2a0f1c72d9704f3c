r"""The ladder of mean-field theories on one small system: naive mean field, TAP, third order, adaptive TAP, exact.

$N$ spins $s_i=\pm1$ with one fixed set of symmetric couplings $J_{ij}$ ($J_{ii}=0$) and a field $h$ have the
probability

$$p(s)=\frac1Z\exp\frac1T\Big(\sum_{i<j}J_{ij}s_is_j+h\sum_is_i\Big) \tag{1}$$

What are the means $m_i=\langle s_i\rangle$ (*inference*: what does a noisy model say about each unknown)? With
$\beta=1/T$, the free energy at fixed means, expanded in the couplings (Plefka 1982; Georges and Yedidia 1991), is

$$-\beta G(m)=\sum_i[S(m_i)+\beta hm_i]+\beta\sum_{i<j}J_{ij}m_im_j+\frac{\beta^2}2\sum_{i<j}J_{ij}^2v_iv_j$$

$$+\frac{2\beta^3}3\sum_{i<j}J_{ij}^3m_iv_im_jv_j+\beta^3\sum_{i<j<k}J_{ij}J_{jk}J_{ki}v_iv_jv_k+\dots \tag{2}$$

with $v_i=1-m_i^2$ and the entropy $S$ of a single spin. Each rung of the ladder stops later. First order is *naive mean
field*, $m_i=\tanh\beta(h+\sum_jJ_{ij}m_j)$; second order are the equations of Thouless, Anderson and Palmer (*TAP*),
with the reaction of a spin on itself through its neighbours:

$$m_i=\tanh\beta\Big(h+\sum_jJ_{ij}m_j-\beta m_i\sum_jJ_{ij}^2v_j\Big) \tag{3}$$

*plefka3* keeps the third order too. Responses follow from the curvature, $\chi=(-\beta\,\partial^2G/\partial
m\,\partial m)^{-1}$, and are the correlations $\langle s_is_j\rangle-m_im_j$. *Adaptive TAP* (Opper and Winther 2001;
expectation propagation) does not expand: it chooses the reaction $V_i$ in

$$m_i=\tanh\Big(\beta h+\beta\sum_jJ_{ij}m_j-V_im_i\Big) \tag{4}$$

so that response and fluctuation of each spin agree: with $\Lambda_i=V_i+1/v_i$ the matrix $\chi=(\Lambda-\beta J)^{-1}$
has the diagonal $\chi_{ii}=v_i$.

*exact* sums over all $2^N$ states (up to $N=20$). Four kinds of couplings, to each of which a uniform part of total
strength $J_0$ per spin is added:

- `sk`: $J_{ij}\sim\mathcal N(0,J^2/N)$ (Sherrington and Kirkpatrick);
- `hopfield`: $J_{ij}=\frac JN\sum_{\mu=1}^K\xi_i^\mu\xi_j^\mu$ with $K=\alpha N$ random patterns;
- `ferromagnet`: a ring where each spin is coupled to its four nearest ones by $J/4$ (with $J=0$ only the uniform part
  is left, Curie and Weiss);
- `rbm`: half the spins visible, half hidden, $J_{ij}\sim\mathcal N(0,2J^2/N)$ between the halves and nothing within.

Solving (3) by iteration needs care (Bolthausen 2014): the reaction belongs to the time before,

$$m^{t+1}=\tanh\beta\Big(h+Jm^t-\beta\,m^{t-1}\circ(J\circ J)v^t\Big) \tag{5}$$

which for $N\to\infty$ converges down to the de Almeida-Thouless line; with $m^t$ in its place it stops converging much
earlier. At the sizes here samples differ, and some fail well above that line: with $N=300$ and $h=0.2$, where it is at
0.725, 7 of 16 samples at $T=0.9$ and none at 1.1.

**Valid:** naive mean field is a bound, $f_{\rm naive}\ge f_{\rm exact}$; the others are not. The expansion is one in
weak couplings: Plefka's condition $\beta^2\sum_{ij}v_i^2J_{ij}^2v_j^2<\sum_iv_i^2$ must hold, else TAP and its
successors are flagged. Without a field every mean of a finite system vanishes by symmetry; a theory that shows
$m_i\ne0$ there has chosen one of several states, and is flagged. At low temperature the equations have many solutions;
shown is the best of those reached by slow cooling and from the rung below. No solution found is shown as unconverged.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.lattice_spins.enumeration import fold_pairs, quadratic_form
from mfexplore.numerics.elementary import exp
from mfexplore.numerics.elementary import tanh as fast_tanh
from mfexplore.numerics.inverse import invert, invert_positive
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.linear import solve_linear

ENUMERABLE = 20
DENSE = 50  # spins up to which the rungs that cost N^3 in every step are computed
NAIVE, TAP, THIRD, ADAPTIVE, EXACT = range(5)
NOT_A_MINIMUM, DIVERGING, BROKEN_SYMMETRY = 1, 2, 3
LINES = 40  # spins whose traces are drawn
HISTORY = 120  # iterations that a picture shows


# -- the instance --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=32)
def instance(kind: str, size: int, patterns: int, sample: int) -> tuple[Array, Array]:
    """(structured couplings at J = 1, uniform ones at J_0 = 1), each of shape (size, size) with zero diagonal."""
    rng = np.random.default_rng([sample, size])
    uniform = np.full((size, size), 1 / size)
    if kind == "sk":
        couplings = np.triu(rng.normal(0, 1 / math.sqrt(size), (size, size)), 1)
        couplings += couplings.T
    elif kind == "hopfield":
        memories = np.where(rng.random((patterns, size)) < 0.5, -1.0, 1.0)
        couplings = memories.T @ memories / size
    elif kind == "ferromagnet":
        distance = np.abs(np.subtract.outer(np.arange(size), np.arange(size)))
        couplings = np.where(np.minimum(distance, size - distance) <= 2, 0.25, 0.0)
    else:
        half = size // 2
        couplings = np.zeros((size, size))
        couplings[:half, half:] = rng.normal(0, math.sqrt(2 / size), (half, size - half))
        couplings += couplings.T
        uniform = np.where(couplings != 0, 2 / size, 0.0)
    for matrix in (couplings, uniform):
        np.fill_diagonal(matrix, 0)
        matrix.flags.writeable = False
    return couplings, uniform


@lru_cache(maxsize=4)
def spectrum(kind: str, size: int, patterns: int, sample: int) -> tuple[Array, Array, Array]:
    """Over all states with the last spin down: sums of J_ij s_i s_j, of the uniform couplings, and of the spins."""
    found = [np.empty(2 ** (size - 1)) for _ in range(2)]
    for matrix, out in zip(instance(kind, size, patterns, sample), found, strict=True):
        quadratic_form(matrix, out)
    up = np.zeros(1, np.int64)
    for _ in range(size - 1):
        up = np.concatenate([up, up + 1])
    return found[0], found[1], (2 * up - size).astype(np.float64)


# -- kernels -------------------------------------------------------------------------------------------------------


@kernel
def copy(source, target):
    for i in range(source.size):
        target[i] = source[i]


@kernel
def local_fields(order, beta, field, j1, j2, j3, m, v, out):
    """Arguments x of m = tanh(x), which holds where G of eq. (2) is stationary; triangles left out."""
    n = m.size
    for i in range(n):
        first, second, third = 0.0, 0.0, 0.0
        a, b, c = j1[i], j2[i], j3[i]
        for j in range(n):
            first += a[j] * m[j]
            second += b[j] * v[j]
            third += c[j] * m[j] * v[j]
        x = beta * (field + first)
        if order >= 2:
            x -= beta * beta * m[i] * second
        if order >= 3:
            x += 2.0 / 3.0 * beta**3 * (1.0 - 3.0 * m[i] * m[i]) * third
        out[i] = x


@kernel
def list_triangles(j1, triangles):
    """2 J_ij J_jk J_ki for every spin i and all pairs j < k, shape (n, n (n - 1) / 2)."""
    n = j1.shape[0]
    for i in range(n):
        at = 0
        for j in range(n):
            for k in range(j + 1, n):
                triangles[i, at] = 2.0 * j1[i, j] * j1[j, k] * j1[k, i]
                at += 1


@kernel
def close_triangles(triangles, v, pairs, out):
    """Write (J D J D J)_ii, D = diag(v), into out; pairs: scratch, shape (n (n - 1) / 2,)."""
    n = v.size
    at = 0
    for j in range(n):
        for k in range(j + 1, n):
            pairs[at] = v[j] * v[k]
            at += 1
    for i in range(n):
        row, total = triangles[i], 0.0
        for at in range(pairs.size):
            total += row[at] * pairs[at]
        out[i] = total


@kernel
def two_steps(j1, v, out):
    """Write (J D J)_ij, D = diag(v), into out."""
    n = v.size
    for i in range(n):
        for j in range(n):
            out[i, j] = 0.0
        for k in range(n):
            factor = j1[i, k] * v[k]
            if factor != 0.0:
                for j in range(n):
                    out[i, j] += factor * j1[k, j]


@kernel
def arguments(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, out):
    """The same as `local_fields`, with the triangles of third order."""
    n = m.size
    for i in range(n):
        v[i] = 1.0 - m[i] * m[i]
    local_fields(order, beta, field, j1, j2, j3, m, v, out)
    if order >= 3:
        close_triangles(triangles, v, pairs, closed)
        for i in range(n):
            out[i] -= beta**3 * m[i] * closed[i]


@kernel
def curvature(order, beta, j1, j2, j3, m, v, closed, paths, out):
    """-beta d2 G/dm dm at given means, into out of shape (n, n); uses the v and closed that `arguments` left behind."""
    n = m.size
    if order >= 3:
        two_steps(j1, v, paths)
    for i in range(n):
        second, third = 0.0, 0.0
        for j in range(n):
            value = beta * j1[i, j]
            if order >= 2:
                second += j2[i, j] * v[j]
                value += 2.0 * beta * beta * m[i] * j2[i, j] * m[j]
            if order >= 3:
                third += j3[i, j] * m[j] * v[j]
                value += 2.0 / 3.0 * beta**3 * (1.0 - 3.0 * m[i] * m[i]) * j3[i, j] * (1.0 - 3.0 * m[j] * m[j])
                value += 4.0 * beta**3 * m[i] * m[j] * j1[i, j] * paths[i, j]
            out[i, j] = -value
        out[i, i] += 1.0 / v[i]
        if order >= 2:
            out[i, i] += beta * beta * second
        if order >= 3:
            out[i, i] += beta**3 * (4.0 * m[i] * third + closed[i])


@kernel
def descend(beta, field, j1, m, steps):
    """Naive mean field, spin by spin: each update lowers the free energy, so this always converges."""
    for _ in range(steps):
        change = 0.0
        for i in range(m.size):
            x = field
            for j in range(m.size):
                x += j1[i, j] * m[j]
            new = math.tanh(beta * x)
            change = max(change, abs(new - m[i]))
            m[i] = new
        if change < 1e-15:
            break


@kernel
def iterate(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x, steps, damping):
    """Damped iteration m <- tanh(x) of an order, until it stands still."""
    if order == 1:
        descend(beta, field, j1, m, steps)
        return
    for _ in range(steps):
        arguments(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x)
        change = 0.0
        for i in range(m.size):
            step = fast_tanh(x[i]) - m[i]
            change = max(change, abs(step))
            m[i] += (1.0 - damping) * step
        if change < 1e-15:
            break


@kernel
def polish(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x, paths, matrix, best):
    """Newton in artanh(m) from a good start; m is left alone if that does not improve it. Returns the residual."""
    n = m.size
    for i in range(n):
        best[i] = m[i]
    smallest = math.inf
    for step in range(30):
        arguments(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x)
        residual = 0.0
        for i in range(n):
            residual = max(residual, abs(m[i] - math.tanh(x[i])))
        if residual < smallest:
            smallest = residual
            for i in range(n):
                best[i] = m[i]
        if residual < 1e-14 or not residual < 4.0 * smallest + 1e-3:
            break
        curvature(order, beta, j1, j2, j3, m, v, closed, paths, matrix)
        for i in range(n):
            x[i] -= 0.5 * math.log((1.0 + m[i]) / (1.0 - m[i]))
        solve_linear(matrix, x)
        for i in range(n):
            # A step in artanh(m), where the equations are smooth up to |m| = 1
            change = x[i] / v[i]
            change = min(max(change, -2.0), 2.0) if abs(change) < math.inf else 0.0
            m[i] = math.tanh(0.5 * math.log((1.0 + m[i]) / (1.0 - m[i])) + change)
            m[i] = min(max(m[i], -0.9999999999999998), 0.9999999999999998)
    for i in range(n):
        m[i] = best[i]
    return smallest


@kernel
def settled(order, beta, field, j1, j2, j3, triangles, m, work, pairs, paths, matrix):
    """Solve the equations of an order from given means, overwritten. Returns the residual."""
    v, closed, x, best = work[0], work[1], work[2], work[3]
    residual = math.inf
    for attempt in range(5):
        steps, damping = (10, 0.4) if attempt == 0 else (60, 0.7)
        iterate(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x, steps, damping)
        residual = polish(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed, x, paths, matrix, best)
        if residual < 1e-10:
            break
    return residual


@kernel
def coupling_strength(j1, j2):
    """An estimate of the largest eigenvalue, from above for random and for uniform couplings."""
    strength = 1e-9
    for i in range(j1.shape[0]):
        total, sum_, square = 0.0, 0.0, 0.0
        for j in range(j1.shape[0]):
            total += abs(j1[i, j])
            sum_ += j1[i, j]
            square += j2[i, j]
        strength = max(strength, min(total, 2.0 * math.sqrt(square) + abs(sum_)))
    return strength


@kernel
def cool(order, beta, field, j1, j2, j3, triangles, m, work, pairs):
    """Means that were carried from high temperature down to 1/beta by iteration, into m."""
    v, closed, x = work[0], work[1], work[2]
    strength = coupling_strength(j1, j2)
    hot = min(beta, 1.0 / strength)
    # Without a field a hint of one chooses a state; it is taken away at the end.
    hint = field if field != 0.0 else 0.02 * strength
    for i in range(m.size):
        m[i] = math.tanh(hot * hint)
    stages = math.ceil(math.log(beta / hot) / 0.25)
    for stage in range(stages):
        b = hot * (beta / hot) ** ((stage + 1.0) / stages)
        iterate(order, b, hint, j1, j2, j3, triangles, m, v, pairs, closed, x, np.int64(8), 0.35)


@kernel
def entropy(m):
    """Sum of the entropies of single spins."""
    total = 0.0
    for i in range(m.size):
        for p in (0.5 * (1.0 + m[i]), 0.5 * (1.0 - m[i])):
            if p > 0.0:
                total -= p * math.log(p)
    return total


@kernel
def gibbs(order, beta, field, j1, j2, j3, triangles, m, v, pairs, closed):
    """-beta G of eq. (2) up to an order."""
    total = entropy(m)
    n = m.size
    for i in range(n):
        v[i] = 1.0 - m[i] * m[i]
    for i in range(n):
        total += beta * field * m[i]
        for j in range(i):
            total += beta * j1[i, j] * m[i] * m[j]
            if order >= 2:
                total += 0.5 * beta * beta * j2[i, j] * v[i] * v[j]
            if order >= 3:
                total += 2.0 / 3.0 * beta**3 * j3[i, j] * m[i] * v[i] * m[j] * v[j]
    if order >= 3:
        close_triangles(triangles, v, pairs, closed)
        for i in range(n):
            total += beta**3 * v[i] * closed[i] / 6.0
    return total


@kernel
def spread(chi):
    """Root mean square of the elements off the diagonal."""
    n = chi.shape[0]
    total = 0.0
    for i in range(n):
        for j in range(i):
            total += chi[i, j] * chi[i, j]
    return math.sqrt(2.0 * total / (n * (n - 1)))


@kernel
def consistent(beta, field, j1, m, reaction, matrix, chi, rho, missing):
    """Response and free energy of eq. (4) at given means and reactions: chi, the argument of the tanh in rho, and in
    missing what each reaction would need more: 1/v - 1/chi_ii, without the cancellation that this has near |m| = 1,
    where a runaway would else count as a solution.

    Returns (residual, -beta G); NaN if the matrix of eq. (4) is not positive definite.
    """
    n = m.size
    for i in range(n):
        local = 0.0
        for j in range(n):
            local += j1[i, j] * m[j]
            matrix[i, j] = -beta * j1[i, j]
        rho[i] = beta * (field + local) - reaction[i] * m[i]
        matrix[i, i] = reaction[i] + 1.0 / (1.0 - m[i] * m[i])
    value = -0.5 * invert_positive(matrix, chi)
    residual = math.nan
    if value == value:
        residual = 0.0
        for i in range(n):
            v = 1.0 - m[i] * m[i]
            back = 0.0
            for j in range(n):
                back += j1[i, j] * chi[i, j]
            missing[i] = beta * back / chi[i, i] - reaction[i]
            residual = max(residual, abs(m[i] - math.tanh(rho[i])), abs(missing[i]))
            value += abs(rho[i]) + math.log1p(math.exp(-2.0 * abs(rho[i]))) + 0.5 * reaction[i]
            # Half of m (Lambda - beta J) m, with (beta J m)_i = rho_i + V_i m_i - beta h
            value += 0.5 * m[i] * (m[i] / v - rho[i] + beta * field)
            value -= 0.5 * math.log(chi[i, i]) + 0.5 * m[i] * m[i] / chi[i, i]
    return residual, value


@kernel
def newton_step(m, missing, chi, rho, matrix, product, d_m, d_reaction):
    """Newton's step for means and reactions of eq. (4) together, from what `consistent` left behind."""
    n = m.size
    for i in range(n):
        rho[i] -= 0.5 * math.log((1.0 + m[i]) / (1.0 - m[i]))  # minus the residual of the means
    for i in range(n):
        d_m[i] = 0.0
        for j in range(n):
            d_m[i] += chi[i, j] * rho[j]
    # With dm = d_m - chi (m dV), and d chi_ii = - sum_j chi_ij^2 (dV_j + c_j dm_j), c = 2 m / v^2
    for i in range(n):
        v = 1.0 - m[i] * m[i]
        d_reaction[i] = missing[i] * chi[i, i] * v + 2.0 * m[i] * d_m[i]
        for j in range(n):
            product[i, j] = 0.0
        for k in range(n):
            w = 1.0 - m[k] * m[k]
            c = 2.0 * m[k] / (w * w)
            square = chi[i, k] * chi[i, k] * c
            d_reaction[i] += -square * d_m[k]
            for j in range(n):
                product[i, j] += square * chi[k, j]
        for j in range(n):
            matrix[i, j] = chi[i, j] * chi[i, j] - (product[i, j] - 2.0 * m[i] * chi[i, j]) * m[j]
    solve_linear(matrix, d_reaction)
    for i in range(n):
        for j in range(n):
            d_m[i] -= chi[i, j] * m[j] * d_reaction[j]


@kernel
def adaptive(beta, field, j1, m, reaction, matrix, chi, product, work, steps):
    """Solve eq. (4) from given means and reactions, both overwritten. Returns (residual, -beta G).

    The first steps set each reaction so that it would make its own spin consistent, and move the means by Newton's
    rule at fixed reactions; then Newton's rule for both, shortened where it leads astray.
    """
    n = m.size
    rho, old, old_reaction, d_m, d_reaction, missing = work[0], work[1], work[2], work[3], work[5], work[6]
    share, last = 1.0, math.inf
    residual, value = math.inf, math.nan
    for step in range(steps):
        residual, value = consistent(beta, field, j1, m, reaction, matrix, chi, rho, missing)
        if residual < 1e-13:
            break
        newton = step >= 6
        if step > 0 and not residual < (2.0 * last if newton else math.inf):
            share *= 0.5
            if share < 1e-3:
                break
        else:
            share = min(1.0, 2.0 * share) if step > 0 else 1.0
            last = residual
            copy(m, old)
            copy(reaction, old_reaction)
            if newton:
                newton_step(m, missing, chi, rho, matrix, product, d_m, d_reaction)
            else:
                for i in range(n):
                    rho[i] -= 0.5 * math.log((1.0 + m[i]) / (1.0 - m[i]))
                for i in range(n):
                    d_m[i] = 0.0
                    for j in range(n):
                        d_m[i] += chi[i, j] * rho[j]
                    d_reaction[i] = missing[i]
        for i in range(n):
            # A step in artanh(m), where the equations are smooth up to |m| = 1
            change = min(max(share * d_m[i] / (1.0 - old[i] * old[i]), -1.0), 1.0)
            m[i] = math.tanh(0.5 * math.log((1.0 + old[i]) / (1.0 - old[i])) + change)
            m[i] = min(max(m[i], -0.99999999999999), 0.99999999999999)
            reaction[i] = old_reaction[i] + share * d_reaction[i]
    return residual if value == value else math.inf, value


@kernel
def plefka_ratio(beta, j2, m):
    """Plefka's condition holds below 1."""
    above, below = 0.0, 0.0
    for i in range(m.size):
        v = (1.0 - m[i] * m[i]) ** 2
        below += v
        for j in range(m.size):
            w = 1.0 - m[j] * m[j]
            above += beta * beta * v * j2[i, j] * w * w
    return above / below if below > 0.0 else 0.0


@kernel
def enumerate_states(beta, field, structured, uniform, total, disorder, bias, weights, work, means, pairs):
    """Sums over all states: means and correlations into the last two; returns ln Z.

    structured, uniform, total: see `spectrum`, shape (2^(n-1),); weights, work: scratch, shape (2^n,).
    """
    half = total.size
    top = -math.inf
    for k in range(half):
        energy = disorder * structured[k] + bias * uniform[k]
        top = max(top, energy + abs(field * total[k]))
    for k in range(half):
        energy = disorder * structured[k] + bias * uniform[k]
        weights[k] = exp(beta * (energy + field * total[k] - top))
    mirror = weights[half:][::-1]  # all spins turned: the same energy, the opposite sum
    for k in range(half):
        energy = disorder * structured[k] + bias * uniform[k]
        mirror[k] = exp(beta * (energy - field * total[k] - top))
    n = means.size
    z = fold_pairs(weights, n, means, pairs, work)
    for i in range(n):
        means[i] /= z
    for i in range(n):
        for j in range(n):
            pairs[i, j] = pairs[i, j] / z - means[i] * means[j]
    return math.log(z) + beta * top


@kernel
def expanded(method, beta, field, j1, j2, j3, triangles, m, work, pairs, paths, matrix, chi):
    """Naive mean field, TAP or third order, from given means. Returns (residual, -beta G, correlation, validity)."""
    order = method + 1
    residual = settled(order, beta, field, j1, j2, j3, triangles, m, work, pairs, paths, matrix)
    arguments(order, beta, field, j1, j2, j3, triangles, m, work[0], pairs, work[1], work[2])
    curvature(order, beta, j1, j2, j3, m, work[0], work[1], paths, matrix)
    validity = 0
    if not invert_positive(matrix, chi) > -math.inf:
        validity = NOT_A_MINIMUM
        curvature(order, beta, j1, j2, j3, m, work[0], work[1], paths, matrix)
        invert(matrix, chi)
    elif order > 1 and plefka_ratio(beta, j2, m) >= 1.0:
        validity = DIVERGING
    value = gibbs(order, beta, field, j1, j2, j3, triangles, m, work[0], pairs, work[1])
    return residual, value, spread(chi), validity


@kernel
def extended(beta, field, j1, j2, m, work, matrix, chi, product):
    """The same for adaptive TAP."""
    reaction = work[4]
    for i in range(m.size):
        reaction[i] = 0.0
        for j in range(m.size):
            reaction[i] += beta * beta * j2[i, j] * (1.0 - m[j] * m[j])
    residual, value = adaptive(beta, field, j1, m, reaction, matrix, chi, product, work, 40)
    return residual, value, spread(chi), DIVERGING if plefka_ratio(beta, j2, m) >= 1.0 else 0


@kernel
def climb(temperature, field, couplings, sites, free_energy, correlation, residual, validity):
    """The four theories at one point, into entries NAIVE to ADAPTIVE; sites: shape (methods, n), others (methods,).

    Each is solved from its own cooled state and from states lower on the ladder (adaptive TAP only if the first was
    not good); kept is the best one: solved, valid, of lower free energy, in this order.
    """
    n = couplings.shape[0]
    beta = 1.0 / temperature
    j1 = couplings
    j2, j3 = np.empty((n, n)), np.empty((n, n))
    for i in range(n):
        for j in range(n):
            j2[i, j] = j1[i, j] ** 2
            j3[i, j] = j1[i, j] ** 3
    pairs = np.empty(n * (n - 1) // 2 if n <= DENSE else 0)
    triangles = np.empty((n, pairs.size))
    if pairs.size:
        list_triangles(j1, triangles)
    matrix, chi, paths = np.empty((n, n)), np.empty((n, n)), np.empty((n, n))
    work = np.zeros((7, n))
    m, cooled = np.empty(n), np.empty(n)
    for method in range(4 if n <= DENSE else 2):
        residual[method] = math.inf
        for start in range(3):
            if start == 0 and method < ADAPTIVE:
                cool(method + 1, beta, field, j1, j2, j3, triangles, m, work, pairs)
                if method == TAP:
                    copy(m, cooled)
            elif start == 0:
                copy(cooled, m)
            elif method == ADAPTIVE and (validity[method] != 0 or residual[method] > 1e-8):
                copy(sites[TAP if start == 1 else NAIVE], m)
            elif start == 1 and (method == TAP or method == THIRD):  # noqa: SIM109 (a tuple compiles slowly)
                copy(sites[NAIVE], m)
            else:
                break
            if method < ADAPTIVE:
                found, value, linked, code = expanded(
                    method, beta, field, j1, j2, j3, triangles, m, work, pairs, paths, matrix, chi
                )
            else:
                found, value, linked, code = extended(beta, field, j1, j2, m, work, matrix, chi, paths)
            energy = -temperature * value / n
            solved, before = found < 1e-8, residual[method] < 1e-8
            better = start == 0 or (solved and not before)
            if solved and before:
                better = (code == 0 and validity[method] != 0) or (
                    (code == 0 or validity[method] != 0) and energy < free_energy[method] - 1e-10
                )
            if better:
                copy(m, sites[method])
                free_energy[method], correlation[method] = energy, linked
                residual[method], validity[method] = found, code
        if validity[method] == 0 and field == 0.0:
            overlap = 0.0
            for i in range(n):
                overlap += sites[method, i] ** 2
            if overlap > 1e-10 * n:
                validity[method] = BROKEN_SYMMETRY


@kernel
def enumerate_points(
    temperature, field, disorder, bias, structured, uniform, total, sites, free_energy, correlation, residual
):
    """`enumerate_states` at every point; the same outputs, entry EXACT."""
    n = sites.shape[2]
    weights, work = np.empty(2 * total.size), np.empty(total.size)
    means, pairs = np.empty(n), np.empty((n, n))
    for k in range(temperature.size):
        log_z = enumerate_states(
            1.0 / temperature[k],
            field[k],
            structured,
            uniform,
            total,
            disorder[k],
            bias[k],
            weights,
            work,
            means,
            pairs,
        )
        for i in range(n):  # without a field zero by symmetry; what is left of the sums is rounding
            sites[k, EXACT, i] = means[i] if field[k] != 0.0 else 0.0
        free_energy[k, EXACT] = -temperature[k] * log_z / n
        correlation[k, EXACT] = spread(pairs)
        residual[k, EXACT] = 0.0


@kernel
def heat_bath(spins, local, couplings, beta, field, sweeps, sums, rng):
    """Heat-bath sweeps over random spins; adds the spins after each sweep to `sums`. `local` follows the spins."""
    n = spins.size
    for _ in range(sweeps):
        for _ in range(n):
            i = int(rng.random() * n)
            up = rng.random() * (1.0 + math.exp(-2.0 * beta * (local[i] + field))) < 1.0
            new = 1.0 if up else -1.0
            if new != spins[i]:
                spins[i] = new
                row = couplings[i]
                for j in range(n):
                    local[j] += 2.0 * new * row[j]
        for i in range(n):
            sums[i] += spins[i]


# -- simulation ----------------------------------------------------------------------------------------------------


class LadderSimulation(core.Simulation["TapLadder"]):
    """Glauber dynamics with running means, or one of the iterations of eqs. (3) and (5); `means` is shape (n,)."""

    time_unit = "sweeps or iterations"
    relaxation, window = 2000.0, 0.0

    def prepare(self) -> None:
        m = self.model
        self.spins = np.ones(m.size)
        if m.start == "random":
            self.spins[self.rng.random(m.size) < 0.5] = -1
        # An iteration starts from a weaker opinion, and its reaction from none.
        self.means = self.spins.copy() if m.dynamics == "glauber" else self.rng.random(m.size) * self.spins
        self.before = np.zeros(m.size)
        self.change = 0.0
        self.history = np.empty((0, min(m.size, LINES)))
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.couplings = m.couplings()
        self.local = self.couplings @ self.spins
        self.sums, self.sweeps = np.zeros(m.size), 0
        self.exact = m.sites()[EXACT] if m.size <= ENUMERABLE else None

    def evolve(self, duration: float) -> None:
        m = self.model
        beta = 1 / m.temperature
        for _ in range(round(duration)):
            old = self.means
            if m.dynamics == "glauber":
                heat_bath(self.spins, self.local, self.couplings, beta, m.field, 1, self.sums, self.rng)
                self.sweeps += 1
                self.means = self.sums / self.sweeps
            else:
                x = beta * (m.field + self.couplings @ old)
                if m.dynamics != "naive":
                    reaction = (beta * self.couplings) ** 2 @ (1 - old**2)
                    x -= (self.before if m.dynamics == "tap" else old) * reaction
                self.before, self.means = old, np.tanh(x)
            self.change = float(np.abs(self.means - old).max())
        self.history = np.concatenate([self.history, self.means[None, :LINES]])[-HISTORY:]

    def observe(self) -> dict[str, float]:
        found = {
            "magnetization": float(self.means.mean()),
            "overlap": float(np.mean(self.means**2)),
            "change": self.change,
        }
        if self.exact is not None:
            found["distance"] = float(np.sqrt(np.mean((self.means - self.exact) ** 2)))
        return found

    def picture(self) -> core.Trajectories:
        rows = self.history if len(self.history) else self.means[None, :LINES]
        times = self.time - np.arange(len(rows))[::-1]
        what = "mean since the start" if self.model.dynamics == "glauber" else "mean at this iteration"
        return core.Trajectories(times, rows.T, y_title="m of each spin", caption=what)


@dataclass(frozen=True)
class TapLadder(core.Model):
    temperature: float = core.control(
        1.2, 0.1, 3.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="noise of the distribution"
    )
    field: float = core.control(
        0.2, -1.0, 1.0, symbol="h", unit="J", role="field", step=0.01, doc="field on every spin"
    )
    ferromagnetic_bias: float = core.control(
        0.0, 0.0, 2.0, symbol="J_0", role="coupling", step=0.01, doc="total strength of the uniform couplings of a spin"
    )
    disorder: float = core.control(
        1.0, 0.0, 2.0, symbol="J", role="disorder", step=0.01, doc="strength of the structured or random couplings"
    )
    coupling_kind: str = core.choice(
        "sk",
        {"sk": "SK", "hopfield": "Hopfield", "ferromagnet": "ferromagnet", "rbm": "RBM"},
        doc="what the structured couplings are",
    )
    load: float = core.control(
        0.25, 0.02, 1.0, symbol=r"\alpha", role="load", step=0.01, quenched=True,
        doc="patterns per spin, for Hopfield couplings",
    )  # fmt: skip
    size: int = core.control(
        12, 4, 300, symbol="N", unit="spins", role="size", scale="log", doc="spins; exact sums up to 20"
    )
    sample: int = core.control(
        1, 1, 999, symbol="k", role="setting", quenched=True, doc="which sample of the couplings"
    )
    dynamics: str = core.choice(
        "glauber", {"glauber": "Glauber", "naive": "naive", "tap": "TAP", "tap_wrong_index": "TAP, wrong time index"}, part="simulation",
        doc="heat-bath sampling, or an iteration: naive mean field, TAP as eq. (5), TAP with the wrong time index",
    )  # fmt: skip
    start: str = core.choice(
        "random", ("random", "up"), role="start", part="simulation", doc="spins or means to start from"
    )

    title = "The mean-field ladder"
    summary = (
        "Naive mean field, TAP, third order, adaptive TAP and the exact answer, on one small system of your choice."
    )
    sources = (
        core.Source(
            "D. J. Thouless, P. W. Anderson, R. G. Palmer, Phil. Mag. 35, 593 (1977)", doi="10.1080/14786437708235992"
        ),
        core.Source("T. Plefka, J. Phys. A 15, 1971 (1982)", doi="10.1088/0305-4470/15/6/035"),
        core.Source("A. Georges, J. S. Yedidia, J. Phys. A 24, 2173 (1991)", doi="10.1088/0305-4470/24/9/024"),
        core.Source("M. Opper, O. Winther, Phys. Rev. E 64, 056131 (2001)", doi="10.1103/PhysRevE.64.056131"),
        core.Source("E. Bolthausen, Commun. Math. Phys. 325, 333 (2014)", doi="10.1007/s00220-013-1862-3"),
        core.Source("M. Gabrié, Mean-field inference methods for neural networks, J. Phys. A 53, 223002 (2020)",
               doi="10.1088/1751-8121/ab7f65"),
    )  # fmt: skip
    methods = (
        core.Method("naive", "first order of eq. (2): independent spins in the mean of their neighbours"),
        core.Method("tap", "second order: with the reaction of a spin on itself through its neighbours", title="TAP"),
        core.Method(
            "plefka3", f"third order: with triangles of couplings; absent above {DENSE} spins, where it is slow"
        ),
        core.Method(
            "adaptive_tap",
            f"reactions that make response and fluctuation agree, eq. (4); absent above {DENSE} spins",
            title="adaptive TAP",
        ),
        core.Method("exact", f"sum over all states; absent above {ENUMERABLE} spins, where there are too many"),
    )
    observables = (
        core.Observable("magnetization", "m", "mean of the m_i", low=-1, high=1, signed=True),
        core.Observable("overlap", "q", "mean of the m_i squared", low=0, high=1),
        core.Observable(
            "correlation", r"\sqrt{\overline{\chi^2}}", "root mean square connected correlation of two spins"
        ),
        core.Observable("free_energy", "f", "free energy per spin", unit="J"),
        core.Observable("site_magnetization", "m_i", "mean of each spin", low=-1, high=1, signed=True, over="site"),
    )
    failures = (
        core.Failure(
            "not_a_minimum",
            "The solution is not a minimum of the free energy: some response is negative, which no true one can be.",
        ),
        core.Failure(
            "diverging_expansion",
            "Plefka's condition is violated: couplings are too strong, or the system too cold, for the expansion. In "
            "the Sherrington-Kirkpatrick model this is the region below the de Almeida-Thouless line.",
        ),
        core.Failure(
            "broken_symmetry",
            "Without a field every mean of a finite system is zero. The theory has chosen one of several states.",
        ),
    )
    landmarks = (
        core.Landmark(
            "onset_naive", r"T_{\rm naive}", "without a field, m = 0 is unstable below it by naive mean field"
        ),
        core.Landmark("onset_tap", r"T_{\rm TAP}", "the same by TAP", continuous=False, title="onset of TAP"),
        core.Landmark("onset_plefka3", r"T_3", "the same by the third order", continuous=False),
    )
    planes = (
        core.Plane("ferromagnetic_bias", "temperature", "magnetization"),
        core.Plane("field", "temperature", "overlap"),
    )
    presets = (
        core.Preset(
            "warm glass", {"temperature": 2.0, "field": 0.2},
            "Every rung comes closer: naive mean field misses the m_i by 0.075, TAP by 0.005, third order by 0.002.",
        ),
        core.Preset(
            "ferromagnet near its transition",
            {"temperature": 1.0, "field": 0.1, "coupling_kind": "ferromagnet"},
            "A ring has no transition. Naive mean field says m = 0.6 where the truth is 0.3; the third order is close.",
            (core.Promise(core.Value("magnetization", method="naive"), 0.6, 0.05),
             core.Promise(core.Value("magnetization", method="exact"), 0.3, 0.05)),
        ),
        core.Preset(
            "below the AT line", {"temperature": 0.8, "field": 0.1, "dynamics": "tap"},
            "The TAP iteration no longer settles, even with the right time index, and Plefka's condition fails.",
        ),
        core.Preset(
            "the wrong time index", {"temperature": 1.5, "field": 0.3, "dynamics": "tap_wrong_index"},
            "Far above the AT line the textbook iteration flips between two values; switch to tap and it settles.",
        ),
        core.Preset(
            "machine of two layers", {"temperature": 1.5, "coupling_kind": "rbm", "sample": 4},
            "Visible and hidden spins: naive mean field freezes far too early; the third order beats adaptive TAP.",
        ),
        core.Preset(
            "memories", {"temperature": 1.0, "coupling_kind": "hopfield", "load": 0.25, "sample": 5},
            "Couplings that store patterns are correlated: TAP, which assumes they are not, is off by 0.07, adaptive "
            "TAP by 0.009.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "exact free energy of 12 uniformly coupled spins at T = 1.5", -1.107246551788191, 1e-12,
            "sum over the 13 values of the magnetization",
            lambda model: float(
                TapLadder(temperature=1.5, field=0.2, disorder=0.0, ferromagnetic_bias=1.2).theory(method="exact")[
                    "free_energy"
                ]
            ),
        ),
        core.Reference(
            "naive onset of 12 uniformly coupled spins", 1.1, 1e-12, "largest eigenvalue of the couplings, J_0 (N-1)/N",
            lambda model: float(TapLadder(disorder=0.0, ferromagnetic_bias=1.2).landmark("onset_naive", "temperature")[0]),
        ),
        core.Reference(
            "naive onset of a ring with four neighbours", 1.0, 1e-12, "largest eigenvalue of the couplings, 4 J/4",
            lambda model: float(TapLadder(coupling_kind="ferromagnet").landmark("onset_naive", "temperature")[0]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "Twelve spins on a ring, each coupled to its four nearest, at T = 1 in a field of 0.1. Naive mean field "
            "says that the magnetization is 0.6. What is it really?",
            {"temperature": 1.0, "field": 0.1, "coupling_kind": "ferromagnet"}, "magnetization",
            lambda model: float(model.theory(method="exact")["magnetization"]), 0.05,
            "About half of that: the field of the neighbours fluctuates, and part of it is only the spin's own echo.",
        ),
    )  # fmt: skip
    simulation = LadderSimulation

    @property
    def patterns(self) -> int:
        """Patterns stored by Hopfield couplings."""
        return self.counted("load", self.size)

    def realised(self) -> TapLadder:
        return self.with_simulated(load=self.patterns / self.size)

    def couplings(self) -> Array:
        """The matrix J_ij, shape (size, size)."""
        structured, uniform = instance(self.coupling_kind, self.size, self.patterns, self.sample)
        return np.asarray(self.disorder * structured + self.ferromagnetic_bias * uniform)

    def _solved(self, points: Points) -> tuple[Array, Array, Array, Array, list[Array]]:
        """(free energy, correlation, residual, validity) of shape (n, methods), and the m_i of every point."""
        n = points["temperature"].size
        free_energy, correlation, residual = (np.full((n, 5), np.nan) for _ in range(3))
        validity = np.zeros((n, 5), np.int8)
        sites: list[Array] = [np.empty(0)] * n
        names = np.stack([points[k].astype(np.float64) for k in ("size", "sample", "load")])
        for size, sample, load in np.unique(names, axis=1).T:
            those = np.flatnonzero((names == np.array([[size], [sample], [load]])).all(axis=0))
            one = self.replace(size=int(size), sample=int(sample), load=float(load))
            f, c, r, v, m = one._climbed({k: p[those] for k, p in points.items()})
            free_energy[those], correlation[those], residual[those], validity[those] = f, c, r, v
            for k, means in zip(those, m, strict=True):
                sites[k] = means
        return free_energy, correlation, residual, validity, sites

    def _climbed(self, points: Points) -> tuple[Array, Array, Array, Array, Array]:
        """The same for points of one instance."""
        t, h, disorder, bias = (points[k] for k in ("temperature", "field", "disorder", "ferromagnetic_bias"))
        key = (self.coupling_kind, self.size, self.patterns, self.sample)
        structured, uniform = instance(*key)
        n = t.size
        f, c, r = (np.full((n, 5), np.nan) for _ in range(3))
        v, m = np.zeros((n, 5), np.int8), np.full((n, 5, self.size), np.nan)
        for k in range(n):
            climb(t[k], h[k], disorder[k] * structured + bias[k] * uniform, m[k], f[k], c[k], r[k], v[k])
        if self.size <= ENUMERABLE:
            structured, uniform, total = spectrum(*key)
            enumerate_points(t, h, disorder, bias, structured, uniform, total, m, f, c, r)
        return f, c, r, v, m

    def sites(self) -> Array:
        """The m_i by every method, shape (methods, size); NaN where a method has no solution."""
        points = {k: np.array([v]) for k, v in self.values().items() if not isinstance(v, str)}
        _, _, residual, _, means = self._climbed(points)
        with np.errstate(invalid="ignore"):
            return np.where(residual[0, :, None] <= self.tolerance, means[0], np.nan)

    def solve(self, points: Points) -> core.Solution:
        free_energy, correlation, residual, validity, sites = self._solved(points)
        values = {
            "magnetization": np.array([m.mean(axis=1) for m in sites]),
            "overlap": np.array([(m**2).mean(axis=1) for m in sites]),
            "correlation": correlation,
            "free_energy": free_energy,
        }
        return core.Solution(values, residual, validity=validity)

    def profiles(self) -> dict[str, core.Profile]:
        return {"site_magnetization": core.Profile(np.arange(self.size), self.sites())}

    def landmark(self, name: str, along: str) -> Array:
        if along != "temperature":
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        order = ("onset_naive", "onset_tap", "onset_plefka3").index(name) + 1
        j = self.couplings()
        squares = (j**2).sum(axis=1)
        closed = np.einsum("ij,jk,ki->i", j, j, j, optimize=True)

        def growth(betas: Array) -> Array:
            """Largest eigenvalue of the linearised equations, minus one, at every beta."""
            beta = np.asarray(betas, np.float64)[..., None, None]
            matrix = beta * j
            if order >= 2:
                matrix = matrix - beta**2 * np.diag(squares)
            if order >= 3:
                matrix = matrix + 2 / 3 * beta**3 * j**3 - beta**3 * np.diag(closed)
            return np.asarray(np.linalg.eigvalsh(matrix)[..., -1] - 1)

        if order == 1:
            return self.control(along).within(np.linalg.eigvalsh(j)[-1:])
        low, high = self.control("temperature").bounds
        betas = np.geomspace(1 / high, 1 / low, 32)
        values = growth(betas)
        crossed = np.flatnonzero((values[:-1] < 0) & (values[1:] >= 0))[:1]  # the first one, coming from above
        found = [1 / brentq(growth, betas[k], betas[k + 1], xtol=1e-14) for k in crossed]
        return self.control(along).within(found)

    def footprint(self) -> int:
        return 40 * self.size**2 + 2048 * self.size
