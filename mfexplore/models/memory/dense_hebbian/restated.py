"""The equations of the page a second time, by plain sums at one point: what the kernels are compared with.

Free energies and margins may be large, where examples are bad and crosstalk is strong: their differences are told in
units of their size.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaln

from mfexplore.numerics.functions.gaussian import direct_averages, resolving_rule

if TYPE_CHECKING:
    from mfexplore.models.memory.dense_hebbian import DenseHebbian


def crosstalk(model: DenseHebbian) -> tuple[float, float]:
    """The spread rho and S, as they stand below eq. (4)."""
    p, r, m = model.order, model.quality, model.examples
    strength = math.factorial(p - 1) * model.load
    if model.setting == "storage":
        return 0.0, strength
    rho, rho_p = (1 - r**2) / (m * r**2), (1 - r ** (2 * p)) / (m * r ** (2 * p))
    return rho, strength * ((1 + rho) ** p if model.setting == "supervised" else 1 + rho_p)


def symmetric_equations(model: DenseHebbian, state: Mapping[str, Any]) -> dict[str, float]:
    """Eqs. (2) or (4), (5) and (6)."""
    p, t = model.order, model.temperature
    nu, q = state["signal"], state["edwards_anderson"]
    rho, strength = crosstalk(model)
    mean = nu ** (p - 1)
    b, weight, variance = np.ones(1), np.ones(1), strength * q ** (p - 1)
    if model.setting == "storage" or model.statistics == "gaussian":
        variance += rho * mean**2
    elif model.quality < 1:
        k, n, r = np.arange(model.examples + 1), model.examples, model.quality
        b = (2 * k - n) / (n * r)
        ways = gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)
        weight = np.exp(ways + k * math.log((1 + r) / 2) + (n - k) * math.log((1 - r) / 2))
        b, weight = b[weight > 1e-15], weight[weight > 1e-15]
    each = np.array([direct_averages(x * mean, math.sqrt(variance), t) for x in b])
    m, q_new, c, quartic, entropy, log_cosh = weight @ each
    signal = (weight * b) @ each[:, 0] if b.size > 1 or model.quality == 1 else m + rho * mean * c
    tail = sum(k * q ** (k - 1) for k in range(1, p))
    f = (p - 1) / p * nu**p - strength * t / (2 * p) * c**2 * tail - log_cosh
    s = entropy - strength / (2 * p) * c**2 * tail
    margin = t - (p - 1) * strength * q ** (p - 2) * quartic
    return {
        "(4), m": state["overlap"] - m,
        "(4), nu": nu - signal,
        "(4), q": q - q_new,
        "(5)": (state["free_energy"] - f) / (1 + abs(f)),
        "(5), energy": (state["energy"] - f - t * s) / (1 + abs(f)),
        "(6)": (state["replicon"] - margin) / (1 + abs(margin)),
    }


def one_step_equations(model: DenseHebbian, state: Mapping[str, Any]) -> dict[str, float]:
    """Eq. (7), and that it is stationary. At T = 0, where x = gamma T says nothing of gamma, nothing can be told."""
    p, t = model.order, model.temperature
    nu, q1, q0 = state["signal"], state["edwards_anderson"], state["overlap_0"]
    if t == 0:
        return {}
    gamma = state["breakpoint"] / t
    rho, strength = crosstalk(model)
    mean = nu ** (p - 1)
    outer = math.sqrt(strength * q0 ** (p - 1) + rho * mean**2)
    inner = math.sqrt(strength * (q1 ** (p - 1) - q0 ** (p - 1)))
    z, weight = np.zeros(1), np.ones(1)
    if outer > 0:
        z, weight = resolving_rule(-mean / outer, math.hypot(t, inner) / outer)
    rows = []  # for every z: the averages over y, tilted by the size of the cluster
    for h0 in mean + outer * z:
        y, share = resolving_rule(-h0 / inner, t / inner, 9 + gamma * inner)
        x = (h0 + inner * y) / t
        decay, tanh = np.exp(-2 * np.abs(x)), np.tanh(x)
        log_cosh = t * (np.abs(x) + np.log1p(decay))
        highest = log_cosh.max()
        tilted = share * np.exp(gamma * (log_cosh - highest))
        total = tilted.sum()
        sech2 = 4 * decay / (1 + decay) ** 2
        of_y = np.stack([tanh, tanh**2, sech2 / t, sech2**2 / t, log_cosh]) @ tilted / total
        rows.append([*of_y, of_y[0] ** 2, highest + math.log(total) / gamma])
    m, q1_new, c, quartic, log_cosh, q0_new, potential = weight @ np.array(rows)
    tail = sum(k * q1 ** (k - 1) for k in range(1, p))
    work = (p - 1) * strength / (2 * p) * (q1**p - q0**p)
    f = (p - 1) / p * nu**p - strength * t / (2 * p) * c**2 * tail + gamma * work - potential
    margin = t - (p - 1) * strength * q1 ** (p - 2) * quartic
    return {
        "(7), m": state["overlap"] - m,
        "(7), nu": nu - m - rho * mean * (c + gamma * (q1 - q0)),
        "(7), q_1": q1 - q1_new,
        "(7), q_0": q0 - q0_new,
        "(7), gamma": (work * gamma + potential - log_cosh) / (1 + abs(potential)),
        "(7)": (state["free_energy"] - f) / (1 + abs(f)),
        "(6)": (state["replicon"] - margin) / (1 + abs(margin)),
    }
