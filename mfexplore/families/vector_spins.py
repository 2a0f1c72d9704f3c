"""Unit vectors in three dimensions with exchange between neighbours, H = sum_<ij> J_ij n_i . n_j: heat bath,
over-relaxation, and descent to a state of rest.

spins: float64 of shape (n, 3), overwritten. neighbours: integers of shape (n, coordination); couplings: J to each of
them, the same shape, every bond at both of its ends.
"""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.numerics.chance.random import advanced, uniform
from mfexplore.numerics.kernel import inline_kernel, kernel


def random_directions(count: int, rng: np.random.Generator) -> Array:
    """Unit vectors of any direction, shape (count, 3)."""
    drawn = rng.standard_normal((count, 3))
    return np.asarray(drawn / np.linalg.norm(drawn, axis=1, keepdims=True))


@inline_kernel
def field_at(spins, neighbours, couplings, i):
    """The field -sum_j J_ij n_j at a site."""
    x = y = z = 0.0
    for k in range(neighbours.shape[1]):
        j, strength = neighbours[i, k], couplings[i, k]
        x -= strength * spins[j, 0]
        y -= strength * spins[j, 1]
        z -= strength * spins[j, 2]
    return x, y, z


@kernel
def heat_bath(spins, neighbours, couplings, temperature, reflections, sweeps, stream):
    """Sweeps site after site: each spin drawn anew in its field, then `reflections` sweeps that turn it by half a
    circle around it, which costs no energy. temperature > 0.
    """
    position = stream[0]
    drawn = 0
    for _ in range(sweeps):
        for i in range(len(spins)):
            x, y, z = field_at(spins, neighbours, couplings, i)
            size = math.sqrt(x * x + y * y + z * z) + 1e-300
            a, b, c = x / size, y / size, z / size
            u, angle = uniform(position, drawn), 2.0 * math.pi * uniform(position, drawn + 1)
            drawn += 2
            gain = size / temperature
            # exp(gain cos) is integrated in closed form; without a field cos is even between -1 and 1
            along = 1.0 + math.log(1.0 - u * (1.0 - math.exp(-2.0 * gain))) / gain if gain > 1e-9 else 2.0 * u - 1.0
            along = max(-1.0, along)
            # Two directions across the field: one without the component that the field has least of
            if abs(c) < 0.7:
                norm = math.sqrt(a * a + b * b)
                p, q, r = -b / norm, a / norm, 0.0
            else:
                norm = math.sqrt(b * b + c * c)
                p, q, r = 0.0, -c / norm, b / norm
            across = math.sqrt(max(0.0, 1.0 - along * along))
            f, g = across * math.cos(angle), across * math.sin(angle)
            spins[i, 0] = along * a + f * p + g * (b * r - c * q)
            spins[i, 1] = along * b + f * q + g * (c * p - a * r)
            spins[i, 2] = along * c + f * r + g * (a * q - b * p)
        for _ in range(reflections):
            for i in range(len(spins)):
                x, y, z = field_at(spins, neighbours, couplings, i)
                square = x * x + y * y + z * z
                if square > 0.0:
                    twice = 2.0 * (x * spins[i, 0] + y * spins[i, 1] + z * spins[i, 2]) / square
                    spins[i, 0] = twice * x - spins[i, 0]
                    spins[i, 1] = twice * y - spins[i, 1]
                    spins[i, 2] = twice * z - spins[i, 2]
    stream[0] = advanced(position, drawn)


@kernel
def descend(spins, neighbours, couplings, relaxation, tolerance, most):
    """Turn spin after spin into its field, `relaxation` times as far (1: just there, below 2 it still gains energy).

    Stops when no spin feels a torque above `tolerance`, or after `most` sweeps. Returns (largest torque, sweeps).
    """
    torque = np.inf
    for sweep in range(most):
        largest = 0.0
        for i in range(len(spins)):
            x, y, z = field_at(spins, neighbours, couplings, i)
            size = math.sqrt(x * x + y * y + z * z)
            if size == 0.0:
                continue
            a, b, c = spins[i, 0], spins[i, 1], spins[i, 2]
            u, v, w = b * z - c * y, c * x - a * z, a * y - b * x
            largest = max(largest, u * u + v * v + w * w)
            a += relaxation * (x / size - a)
            b += relaxation * (y / size - b)
            c += relaxation * (z / size - c)
            norm = math.sqrt(a * a + b * b + c * c) + 1e-300
            spins[i, 0], spins[i, 1], spins[i, 2] = a / norm, b / norm, c / norm
        torque = math.sqrt(largest)
        if torque <= tolerance:
            return torque, sweep + 1
    return torque, most
