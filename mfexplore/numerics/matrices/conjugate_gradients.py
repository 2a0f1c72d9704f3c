"""Springs or resistors at rest: conjugate gradients on the links themselves (Hestenes and Stiefel 1952)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.kernel import kernel


@kernel
def relax_links(links, directions, pull, tolerance, coefficients, u):
    """Displacements u of the nodes that make the sum of squares of all link tensions least.

    The tension of link b from node i to j is pull[b] + directions[b] . (u[j] - u[i]): a spring along a direction, whose
    length is the root of its stiffness, or in one dimension a resistor with the root of its conductance. No matrix is
    stored, and what is floppy does no harm: its forces are balanced, and it stays where it is.

    Args:
        links: int32 of shape (b, 2); directions: float64 of shape (b, d); pull: float64 of shape (b,).
        tolerance: of the unbalanced force, relative to that at the start, where all u are 0.
        coefficients: float64 of shape (2, most), most >= 1: gets the steps and the ratios of all iterations, from which
            `resolvent` makes what the force does at any frequency.
        u: float64 of shape (n, d), overwritten.

    Returns (iterations, square of the force at the start).
    """
    d = u.shape[1]
    force = np.zeros(u.shape)
    noise = 0.0  # what rounding leaves of forces that balance
    for b in range(links.shape[0]):
        i, j = links[b, 0], links[b, 1]
        for x in range(d):
            force[i, x] += directions[b, x] * pull[b]
            force[j, x] -= directions[b, x] * pull[b]
            noise += (1e-14 * directions[b, x] * pull[b]) ** 2
    way, answer = np.empty(u.shape), np.empty(u.shape)
    rest = 0.0
    for i in range(u.shape[0]):
        for x in range(d):
            u[i, x] = 0.0
            way[i, x] = force[i, x]
            rest += force[i, x] * force[i, x]
    first = rest
    for iteration in range(coefficients.shape[1]):
        if rest <= max(tolerance * tolerance * first, noise):
            return iteration, first
        for i in range(u.shape[0]):
            for x in range(d):
                answer[i, x] = 0.0
        curvature = 0.0
        for b in range(links.shape[0]):
            i, j = links[b, 0], links[b, 1]
            tension = 0.0
            for x in range(d):
                tension += directions[b, x] * (way[j, x] - way[i, x])
            curvature += tension * tension
            for x in range(d):
                answer[i, x] -= directions[b, x] * tension
                answer[j, x] += directions[b, x] * tension
        step = rest / curvature
        left = 0.0
        for i in range(u.shape[0]):
            for x in range(d):
                u[i, x] += step * way[i, x]
                force[i, x] -= step * answer[i, x]
                left += force[i, x] * force[i, x]
        coefficients[0, iteration], coefficients[1, iteration] = step, left / rest
        rest = left
        for i in range(u.shape[0]):
            for x in range(d):
                way[i, x] = force[i, x] + coefficients[1, iteration] * way[i, x]
    return coefficients.shape[1], first


def resolvent(coefficients: NDArray[np.float64], first: float, at: NDArray[Any]) -> NDArray[np.complex128]:
    """What the links answer, f (K - z)^-1 f, for the force f at the start and their stiffness matrix K, at complex z.

    The steps of conjugate gradients are those of Lanczos' tridiagonal matrix, evaluated as a continued fraction.

    Args:
        coefficients: shape (2, iterations), those that were done; first: the square of f; see `relax_links`.
        at: z, of any shape, which is also that of the result.
    """
    steps, ratios = coefficients
    if not len(steps):
        return np.zeros(np.shape(at), np.complex128)
    diagonal = 1 / steps
    diagonal[1:] += ratios[:-1] / steps[:-1]
    beside = np.append(ratios[:-1] / steps[:-1] ** 2, 0.0)
    tail = np.zeros(np.shape(at), np.complex128)
    for own, coupling in zip(diagonal[::-1], beside[::-1], strict=True):
        tail = 1 / (own - at - coupling * tail)
    return first * tail
