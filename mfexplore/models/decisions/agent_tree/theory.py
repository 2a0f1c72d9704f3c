"""Majorities of inputs that fail together, the map from level to level, and where it ends."""

from __future__ import annotations

from mfexplore.numerics.kernel import kernel


@kernel
def majority(bias, fan_in, correlation):
    """Bias of the majority of inputs of this bias, and its derivative. The number of right ones is beta-binomial with
    this correlation of pairs: eq. (2) without, eq. (3) of cliques with it. From the top, by ratios of neighbours.
    """
    n = fan_in - 1 + fan_in % 2
    own, p, q = 1.0 - correlation, 0.5 * (1.0 + bias), 0.5 * (1.0 - bias)
    term, slope = p, 1.0
    for i in range(1, n):
        whole = own + i * correlation
        factor = (p * own + i * correlation) / whole
        slope = slope * factor + term * own / whole
        term *= factor
    total, total_slope = term, slope
    for k in range(n, (n + 1) // 2, -1):
        up, down = q * own + (n - k) * correlation, p * own + (k - 1) * correlation
        ways = k / (n - k + 1.0)
        slope = ways * (slope * up / down - term * own * (up + down) / (down * down))
        term *= ways * up / down
        total += term
        total_slope += slope
    return 2.0 * total - 1.0, total_slope


@kernel
def next_level(bias, fan_in, fidelity, shared, cliques):
    """The map of eq. (3), and its derivative."""
    heard = fidelity * bias
    if cliques:
        value, slope = majority(heard, fan_in, shared)
    else:
        value, slope = majority(heard, fan_in, 0.0)
        value, slope = shared * heard + (1.0 - shared) * value, shared + (1.0 - shared) * slope
    return value, fidelity * slope


@kernel
def solve_points(leaf, fan_in, depth, fidelity, shared, cliques, found):
    """Gain, fixed point, its residual, iterations and bias of the root of every point, written into found, (5, n).

    The map is concave: Newton from m = 1 descends to the fixed point without ever stepping over it.
    """
    for i in range(leaf.size):
        b, f, rho = fan_in[i], fidelity[i], shared[i]
        gain = next_level(0.0, b, f, rho, cliques)[1]
        m, iterations = 0.0, 0
        if gain > 1.0:
            m = 1.0
            for iterations in range(1, 200):
                value, slope = next_level(m, b, f, rho, cliques)
                step = (value - m) / (1.0 - slope) if slope < 1.0 else 0.0
                m += step
                if abs(step) <= 1e-16:
                    break
        root = leaf[i]
        for _ in range(depth[i]):
            root = next_level(root, b, f, rho, cliques)[0]
        found[0, i], found[1, i] = gain, m
        found[2, i], found[3, i] = abs(next_level(m, b, f, rho, cliques)[0] - m), iterations
        found[4, i] = root
