"""Quantum Heisenberg glass: samples at rest, their spin waves, and averages over samples."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.vector_spins import descend, heat_bath, random_directions
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.matrices.blas import one_blas_thread
from mfexplore.numerics.matrices.bogoliubov import normal_modes
from mfexplore.numerics.space.lattices import neighbourhood

NODES = 32  # theory is computed at multiples of 1/NODES of the fraction
COOLING = np.geomspace(1.5, 0.05, 20)  # temperatures on the way to a state of rest
STARTS = 4
REST = 1e-9  # largest torque
ATTEMPTS = 20
FREE = 1e-3  # a turn that costs less, in units of J, costs nothing
RIGHT, LEFT, DOWN, UP = range(4)


def lattice(side: int) -> Array:
    """Neighbours to the right, left, down and up of every site, shape (side^2, 4)."""
    return neighbourhood("square", side).table().astype(np.int64)


def bonds(neighbours: Array, fraction: float, drawn: Array) -> Array:
    """Couplings to the neighbours, shape (n, 4). drawn: uniform numbers of the bonds right and down, shape (n, 2)."""
    right, down = np.where(drawn < fraction, -1.0, 1.0).T
    return np.stack([right, right[neighbours[:, LEFT]], down, down[neighbours[:, UP]]], axis=1)


def matrix(neighbours: Array, couplings: Array) -> Array:
    """The same couplings as a symmetric matrix of shape (n, n)."""
    found = np.zeros((len(neighbours), len(neighbours)))
    np.put_along_axis(found, neighbours, couplings, axis=1)
    return found


def sublattices(side: int) -> Array:
    """+1 and -1 like the fields of a chessboard, shape (side^2,)."""
    return np.asarray(1 - 2 * (np.indices((side, side)).sum(axis=0).ravel() % 2))


def at_rest(neighbours: Array, couplings: Array, rng: np.random.Generator) -> tuple[Array, float, int]:
    """The lowest of a few states of eq. (3), reached by cooling: spins of shape (n, 3), largest torque, sweeps."""
    stream, found = new_stream(rng), []
    for _ in range(STARTS):
        spins = random_directions(len(neighbours), rng)
        for temperature in COOLING:
            heat_bath(spins, neighbours, couplings, temperature, 1, 5, stream)
        torque, sweeps = descend(spins, neighbours, couplings, 1.8, REST, 3000)
        energy = float(np.sum(couplings[:, :, None] * spins[:, None] * spins[neighbours]))
        found.append((energy, spins, float(torque), int(sweeps)))
    return min(found, key=lambda one: one[0])[1:]


def across(spins: Array) -> Array:
    """The complex vectors u_i of eq. (4), shape (n, 3)."""
    x, y, z = spins.T
    steep = np.abs(z) >= 0.7
    first = np.where(steep, [0 * x, z, -y], [y, -x, 0 * x]).T
    first /= np.linalg.norm(first, axis=1, keepdims=True)
    return np.asarray(first + 1j * np.cross(spins, first))


def quadratic(spins: Array, exchange: Array) -> tuple[Array, Array]:
    """A and B of eq. (4). exchange: J as a matrix."""
    u = across(spins)
    local = -np.sum((exchange @ spins) * spins, axis=1)
    return 0.5 * exchange * (u @ u.conj().T) + np.diag(local), 0.5 * exchange * (u @ u.T)


def is_stiff(spins: Array, exchange: Array) -> bool:
    """Whether nothing but to turn all spins together costs nothing (two ways if all are on one line, else three)."""
    normal, anomalous = quadratic(spins, exchange)
    with one_blas_thread():
        cost = np.linalg.eigvalsh(np.block([[normal, anomalous], [anomalous.conj(), normal.conj()]]))
        on_a_line = np.linalg.svd(spins, compute_uv=False)[1] < 1e-3
    return int(np.sum(cost < FREE)) <= (2 if on_a_line else 3)


def unturned(spins: Array) -> Array:
    """Orthonormal bosons, shape (n, m), across those that turn all spins together."""
    left, size, _ = np.linalg.svd(across(spins))  # u . (e x n) = e . (n x u) = -i e . u for every axis e
    return np.asarray(left[:, int(np.sum(size > 1e-3 * size[0])) :])


def projected(kept: Array, normal: Array, anomalous: Array) -> tuple[Array, Array]:
    """A and B for these bosons alone."""
    return kept.conj().T @ normal @ kept, kept.conj().T @ anomalous @ kept.conj()


def spin_waves(spins: Array, exchange: Array) -> tuple[Array, Array, Array]:
    """Frequencies, shape (m,); the deviations delta_i, shape (n,); and what 1/S multiplies on the right of eq. (6), of
    shape (n, n).
    """
    with one_blas_thread():
        u, kept = across(spins), unturned(spins)
        modes, correlations = normal_modes(*projected(kept, *quadratic(spins, exchange)))
        m = len(modes)
        hopping = kept @ correlations[:m, :m] @ kept.conj().T
        pairing = kept @ correlations[:m, m:] @ kept.T
        deviation = np.diag(hopping).real - 0.5
        transverse = np.real((u.conj() @ u.T) * hopping + (u.conj() @ u.conj().T) * pairing)
        return modes, deviation, transverse - (spins @ spins.T) * np.add.outer(deviation, deviation)


class Semiclassics(NamedTuple):
    """One sample at rest. c = classical + first / S over 1 + 1/S, for all pairs of sites (n, n)."""

    couplings: Array
    spins: Array
    torque: float
    sweeps: int
    deviation: float
    classical: Array
    first: Array


@lru_cache(4096)
def sample(node: int, side: int, number: int) -> Semiclassics:
    """The sample of a number, at p = node / NODES; another one in the place of what has no harmonic waves."""
    neighbours = lattice(side)
    for attempt in range(ATTEMPTS):
        rng = np.random.default_rng((side, number, attempt))
        couplings = bonds(neighbours, node / NODES, rng.random((side * side, 2)))
        exchange = matrix(neighbours, couplings)
        spins, torque, sweeps = at_rest(neighbours, couplings, rng)
        if torque <= REST and is_stiff(spins, exchange):
            break
    _, deviation, first = spin_waves(spins, exchange)
    return Semiclassics(couplings, spins, torque, sweeps, float(deviation.mean()), spins @ spins.T, first)


@lru_cache(1024)
def moments(node: int, side: int, samples: int) -> Array:
    """Averages over samples from which every order follows at every S, and the largest torque and number of sweeps."""
    found = []
    eta, exchange = sublattices(side), lattice(side)
    for number in range(samples):
        one = sample(node, side, number)
        c, f = one.classical, one.first
        row = []
        for part in (c, f):
            bond = np.take_along_axis(part, exchange, axis=1)
            row += [np.sum(bond * one.couplings) / (2 * len(c)), eta @ part @ eta / len(c) ** 2, part.mean()]
        found.append([*row, np.mean(c * c), np.mean(c * f), np.mean(f * f), one.deviation])
    torques, sweeps = zip(*((s.torque, s.sweeps) for s in (sample(node, side, k) for k in range(samples))), strict=True)
    return np.array([*np.mean(found, axis=0), max(torques), max(sweeps)])
