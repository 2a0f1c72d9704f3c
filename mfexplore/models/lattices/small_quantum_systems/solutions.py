"""The three problems solved exactly at finite size: free fermions, all levels of a ring, sixteen states of a dimer."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import xlogy

from mfexplore.core import Array, Points
from mfexplore.families.quantum_spins import half_filled
from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs

if TYPE_CHECKING:
    from mfexplore.models.lattices.small_quantum_systems import SmallQuantumSystems

CHAIN, RING, DIMER = "ising_chain", "heisenberg_ring", "hubbard_dimer"
COLD = 1e-12  # stands for zero temperature
TILT = 0.1234567  # of levels of different total spin, which might coincide otherwise


class Equilibrium(NamedTuple):
    """Thermal averages per site and the lowest excitation, each of shape (n,)."""

    free_energy: Array
    energy: Array
    squared_order: Array
    gap: Array


# -- Ising chain ---------------------------------------------------------------------------------------------------


def modes(field: Array, sites: int, periodic: bool) -> tuple[Array, Array]:
    """Momenta, shape (sites,), and energies, shape (n, sites), of the fermions of eq. (5), (anti)periodic ones; that of
    k = 0 has the sign of Gamma - 1.
    """
    k = 2 * np.pi * (np.arange(sites) + (0.0 if periodic else 0.5)) / sites
    energy = 2 * np.sqrt((field[:, None] - np.cos(k)) ** 2 + np.sin(k) ** 2)
    if periodic:
        energy[:, 0] = 2 * (field - 1)
    return k, energy


def contractions(field: Array, k: Array, energy: Array, weight: Array, distances: Array) -> Array:
    """<i b_0 a_R> of the fermions at the distances R: mean over k of weight e^(ikR) times the phase of mode k.

    weight: tanh(energy/2T), or what stands in its place, shape (n, sites). Returns shape (n, distances).
    """
    phase = 2 / np.where(energy == 0, 1, energy)
    ahead = np.cos(np.multiply.outer(k, distances - 1))
    here = np.cos(np.multiply.outer(k, distances))
    found = (weight * phase) @ ahead - field[:, None] * ((weight * phase) @ here)
    found -= weight[:, :1] * (energy[:, :1] == 0)  # the phase of k = 0 is -1, also where its energy vanishes
    return np.asarray(found / len(k))


def toeplitz_determinants(entries: Array, longest: int) -> Array:
    """Det a(i - j + 1), i, j = 1..r, for r = 1..longest. entries: a(R) of R = 2 - longest .. longest, last axis."""
    found = []
    for r in range(1, longest + 1):
        row = np.arange(r)
        found.append(np.linalg.det(entries[..., row[:, None] - row + longest - 1]))
    return np.stack(found, axis=-1)


@one_blas_thread()
def ising_chain(temperature: Array, field: Array, sites: int) -> Equilibrium:
    """The closed chain with transverse field, N >= 4 sites, by free fermions.

    The number of fermions is even where they are antiperiodic and odd where they are periodic. Projecting on that gives
    four traces, of e^(-H/T) with and without the parity, each over independent modes.
    """
    t = np.maximum(temperature, COLD)[:, None]
    longest = sites // 2
    distances = np.arange(2 - longest, longest + 1)
    logs, energies, orders, signs = [], [], [], []
    lowest = []
    for periodic in (False, True):
        k, energy = modes(field, sites, periodic)
        x = energy / (2 * t)
        tanh = np.tanh(x)
        total = np.sum(np.logaddexp(x, -x), axis=1)
        lowest.append(-0.5 * energy.sum(axis=1) + (energy[:, 0] if periodic else 0))
        logs.append(total)
        signs.append(np.ones(len(field)))
        energies.append(-0.5 * np.sum(energy * tanh, axis=1))
        orders.append(toeplitz_determinants(contractions(field, k, energy, tanh, distances), longest))
        others = tanh[:, 1:] if periodic else tanh
        coth = np.ones_like(tanh)
        np.divide(1, tanh, out=coth, where=(tanh != 0) & ((k != 0) | (not periodic)))
        odd = np.prod(others, axis=1)  # trace with the parity over that without, but for k = 0
        slow = -0.5 * np.sum((energy * coth)[:, 1:] if periodic else energy * coth, axis=1)
        logs.append(total)
        if not periodic:
            signs.append(odd)
            energies.append(slow)
            orders.append(toeplitz_determinants(contractions(field, k, energy, coth, distances), longest))
        else:  # the mode k = 0 may have no energy: determinants are linear in its 1/tanh, which cancels
            first = tanh[:, 0]
            coth[:, 0] = 1.0
            plus = toeplitz_determinants(contractions(field, k, energy, coth, distances), longest)
            coth[:, 0] = -1.0
            minus = toeplitz_determinants(contractions(field, k, energy, coth, distances), longest)
            signs.append(-odd)
            energies.append(slow * first - 0.5 * energy[:, 0])
            orders.append(0.5 * ((plus + minus) * first[:, None] + (plus - minus)))
    top = np.maximum(logs[0], logs[2])
    weights = [sign * np.exp(log - top) for sign, log in zip(signs, logs, strict=True)]
    parts = [w * (tanh[:, 0] if which == 3 else 1) for which, w in enumerate(weights)]
    z = sum(parts)
    mean = sum(w * e for w, e in zip(weights, energies, strict=True)) / z
    pairs = sum(w[:, None] * c for w, c in zip(weights, orders, strict=True)) / np.asarray(z)[:, None]
    times = np.where(2 * np.arange(1, longest + 1) == sites, 1, 2)
    return Equilibrium(
        -t[:, 0] * (top + np.log(z / 2)) / sites,
        np.asarray(mean) / sites,
        (1 + pairs @ times) / sites,
        np.maximum(lowest[1] - lowest[0], 0),
    )


@one_blas_thread()
def ising_entanglement(field: float, sites: int) -> Array:
    """Entropy of l = 0..sites neighbours in the ground state of the chain."""
    column = np.array([field])
    k, energy = modes(column, sites, False)
    steps = np.arange(1 - sites, sites)
    entries = contractions(column, k, energy, np.ones_like(energy), steps)[0]
    found = [0.0]
    for length in range(1, sites):
        row = np.arange(length)
        block = entries[row[:, None] - row + sites - 1]
        up = (1 + np.clip(np.linalg.svd(block, compute_uv=False), 0, 1)) / 2
        found.append(float(-np.sum(xlogy(up, up) + xlogy(1 - up, 1 - up))))
    return np.array([*found, 0.0])


# -- Heisenberg ring -----------------------------------------------------------------------------------------------


class RingLevels(NamedTuple):
    """All multiplets of a ring: energies, how many states each has, mean squared staggered magnetization in units of
    the classical one, all of shape (n,); the ground state over the half-filled states.
    """

    energy: Array
    states: Array
    squared_order: Array
    ground_state: Array


@cache
@one_blas_thread()
def ring_levels(sites: int) -> RingLevels:
    """Complete diagonalisation of an even number of at most twelve spins. Every multiplet has one state with as many
    spins up as down; turning all spins splits these into two halves.
    """
    sector = half_filled(sites)
    place = np.arange(sites)
    distance = (place[:, None] - place) % sites
    neighbours = np.isin(distance, (1, sites - 1)).astype(float)
    everybody = 2.0 * (distance > 0)
    staggered = everybody * (-1.0) ** distance
    half = len(sector.states) // 2
    found = []
    hamiltonian, spin, order = (sector.matrix(c) for c in (neighbours, everybody, staggered))
    for sign in (1, -1):
        h, s, m = (a[:half, :half] + sign * a[:half, ::-1][:, :half] for a in (hamiltonian, spin, order))
        tilted, vectors = symmetric_eigenpairs(h + TILT * s)
        square, mean = (np.sum(vectors * (a @ vectors), axis=0) + 0.75 * sites for a in (s, m))
        found.append((tilted - TILT * (square - 0.75 * sites), np.rint(np.sqrt(4 * square + 1)), mean, vectors, sign))
    lower, upper = sorted(found, key=lambda part: float(part[0].min()))
    ground = lower[3][:, np.argmin(lower[0])]
    energy, states, order = (np.concatenate([lower[k], upper[k]]) for k in range(3))
    state = np.concatenate([ground, lower[4] * ground[::-1]]) / math.sqrt(2)
    return RingLevels(energy, states, order * 4 / sites**2, state)


def heisenberg_ring(temperature: Array, sites: int) -> Equilibrium:
    """Thermal averages over all levels."""
    levels = ring_levels(sites)
    above = levels.energy - levels.energy.min()
    weight = levels.states * np.exp(-above / np.maximum(temperature, COLD)[:, None])
    z = weight.sum(axis=1)
    return Equilibrium(
        (levels.energy.min() - temperature * np.log(z)) / sites,
        weight @ levels.energy / z / sites,
        weight @ levels.squared_order / z,
        np.full(len(temperature), np.partition(above, 1)[1]),
    )


@one_blas_thread()
def ring_entanglement(sites: int) -> Array:
    """Entropy of l = 0..sites neighbours in the ground state of the ring."""
    state = np.zeros(1 << sites)
    state[half_filled(sites).states] = ring_levels(sites).ground_state
    found = [0.0]
    for length in range(1, sites):
        share = np.linalg.svd(state.reshape(1 << length, -1), compute_uv=False) ** 2
        found.append(float(-np.sum(xlogy(share, share))))
    return np.array([*found, 0.0])


# -- Hubbard dimer -------------------------------------------------------------------------------------------------


def dimer_levels(repulsion: Array) -> tuple[Array, Array, Array, Array]:
    """The sixteen states of two sites, eq. (6): energies (hopping 1), how many there are of each, doubly occupied
    sites (but for half of the electrons), squared order; each of shape (n, levels).
    """
    u = repulsion[:, None]
    r = np.sqrt(u**2 + 16)
    ones = np.ones_like(u)
    slope = u / r
    energy = np.hstack([(u - r) / 2, 0 * u, (u + r) / 2, u, u / 2 - 1, u / 2 + 1])
    states = np.array([1, 3, 1, 3, 4, 4])
    double = np.hstack([(1 - slope) / 2, 0 * u, (1 + slope) / 2, ones, ones / 2, ones / 2])
    order = np.hstack([(1 + slope) / 2, ones / 3, (1 - slope) / 2, 0 * u, ones / 4, ones / 4])
    return energy, states, double, order


def hubbard_dimer(temperature: Array, repulsion: Array) -> tuple[Equilibrium, Array]:
    """Thermal averages over all states, with the fraction of doubly occupied sites."""
    energy, states, double, order = dimer_levels(repulsion)
    lowest = energy[:, 0]
    weight = states * np.exp(-(energy - lowest[:, None]) / np.maximum(temperature, COLD)[:, None])
    z = weight.sum(axis=1)
    mean, doubled, squared = (np.sum(weight * value, axis=1) / z for value in (energy, double, order))
    return Equilibrium((lowest - temperature * np.log(z)) / 2, mean / 2, squared, -lowest), doubled / 2


class TwoLevels(NamedTuple):
    """The constants of eqs. (2) and (3); coupling and transverse field of shape (n,)."""

    coupling: Array
    transverse: Array
    kappa: int
    number: int
    shift: Array

    def free_energy(self, order: Array, temperature: Array) -> Array:
        """Eq. (3), all of shape (n,)."""
        scale = self.kappa * np.maximum(temperature, COLD)
        x = np.hypot(self.transverse, self.coupling * order) / scale
        thermal = self.number * scale / self.kappa * np.logaddexp(x, -x)
        return np.asarray(self.shift + self.number * self.coupling / (2 * self.kappa) * order**2 - thermal)


def self_consistent(theta: Array) -> Array:
    """The positive root y of y = tanh(y / theta), 0 where there is none. theta >= 0, shape (n,)."""
    y = np.ones_like(theta)
    cold = np.clip(theta, COLD, 1.0)
    for _ in range(100):  # Newton from above never steps over the root
        tanh = np.tanh(y / cold)
        slope = 1 - (1 - tanh**2) / cold
        step = np.where(slope > 0, (y - tanh) / np.where(slope > 0, slope, 1), 0.0)
        y = y - step
        if np.abs(step).max(initial=0) < 1e-15:
            break
    return np.where(theta < 1, y, 0.0)


def spin_waves(points: Points) -> dict[str, Array]:
    """Eq. (7), each of shape (n,)."""
    found: dict[str, Array] = {name: np.empty(len(points["temperature"])) for name in (
        "order", "squared_order", "energy", "free_energy", "gap")}  # fmt: skip
    for pairs in np.unique(points["spin_pairs"]):
        here = points["spin_pairs"] == pairs
        t = np.maximum(points["temperature"][here], COLD)[:, None]
        k = np.pi * np.arange(2 * pairs) / pairs
        wave = np.abs(np.sin(np.delete(k, [0, pairs])))
        coth = 1 / np.tanh(wave / (2 * t))
        zero_point = -0.75 + wave.sum() / (4 * pairs)
        occupied = np.mean(0.5 * (coth / wave), axis=1) * len(wave) / (2 * pairs)
        found["order"][here] = 2 - 2 * occupied
        found["squared_order"][here] = 3 - 4 * occupied
        found["energy"][here] = -0.75 + np.sum(wave * coth, axis=1) / (4 * pairs)
        found["free_energy"][here] = zero_point + np.sum(t * np.log1p(-np.exp(-wave / t)), axis=1) / (2 * pairs)
        found["gap"][here] = wave.min()
    return found


def exactly(model: SmallQuantumSystems, points: Points) -> dict[str, Array]:
    """The exact answer at finite size, each of shape (n,)."""
    t = points["temperature"]
    found: dict[str, Array] = {"order": np.zeros(len(t))}
    if model.problem == DIMER:
        state, found["double_occupancy"] = hubbard_dimer(t, points["repulsion"])
        return found | state._asdict()
    sizes = points["size" if model.problem == CHAIN else "spin_pairs"]
    found |= {name: np.empty(len(t)) for name in Equilibrium._fields}
    for size in np.unique(sizes):
        here = sizes == size
        if model.problem == CHAIN:
            part = ising_chain(t[here], points["transverse_field"][here], int(size))
        else:
            part = heisenberg_ring(t[here], 2 * int(size))
        for name, values in part._asdict().items():
            found[name][here] = values
    if model.problem == CHAIN:
        found["order"] = np.where(t == 0, np.maximum(1 - points["transverse_field"] ** 2, 0) ** 0.125, 0.0)
    return found
