"""Metropolis updates of the square lattice, L = 1024 at T_c, against peapods, NumPy and C."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import OURS, Missing, Report, available, c_function, peer, seeds
from mfexplore.families.lattice_spins import bit_lattice
from mfexplore.models.lattices.ising_lattice import IsingLattice
from mfexplore.numerics.matrices.aligned import aligned

SIDE = 1024
CRITICAL = 2 / math.log(1 + math.sqrt(2))
WARM = 3.0  # temperature at which all sides are soon in equilibrium, for the check


def thresholds(temperature: float) -> tuple[np.uint32, np.uint32]:
    three, four = (bit_lattice.threshold(math.exp(-x / temperature)) for x in (4, 8))
    return three, four


def bond_energy(spins: NDArray[np.int8]) -> float:
    s = spins.astype(np.int32)
    return -float((s * (np.roll(s, 1, 0) + np.roll(s, 1, 1))).mean())


def numpy_sweep(spins: NDArray[np.int8], temperature: float, rng: np.random.Generator) -> None:
    """One sweep as one writes it with NumPy: both colours of the chequerboard, by masks."""
    for colour in (0, 1):
        field = np.roll(spins, 1, 0) + np.roll(spins, -1, 0) + np.roll(spins, 1, 1) + np.roll(spins, -1, 1)
        flips = rng.random(spins.shape) < np.exp(-2.0 * spins * field / temperature)
        flips &= np.indices(spins.shape, sparse=True)[0] + np.indices(spins.shape, sparse=True)[1] & 1 == colour
        spins[flips] *= -1


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    spins = np.where(rng.random((SIDE, SIDE)) < 0.5, 1, -1).astype(np.int8)
    even, odd = bit_lattice.pack(spins)
    state, scratch = bit_lattice.generators(rng), bit_lattice.workspace(SIDE)
    c_bits = c_function("ising", "bit_lattice")
    c_plain = c_function("ising", "metropolis")
    c_even, c_odd, c_state = (aligned(a.shape, a.dtype) for a in (even, odd, state))
    c_even[:], c_odd[:], c_state[:] = even, odd, state
    c_scratch = aligned((sum(len(part) for part in scratch),), np.uint64)
    plain, plain_state = spins.copy(), seeds(rng, 2)

    def ours(sweeps: int, temperature: float = CRITICAL) -> None:
        bit_lattice.sweep(even, odd, sweeps, *thresholds(temperature), state, scratch)

    def in_c(sweeps: int, temperature: float = CRITICAL) -> None:
        c_bits(c_even, c_odd, SIDE, sweeps, *thresholds(temperature), c_state, c_scratch)

    def in_plain_c(sweeps: int, temperature: float = CRITICAL) -> None:
        chances = np.exp(-2.0 * (2.0 * np.arange(5) - 4) / temperature)
        limits = np.minimum(chances * 2**32, 2**32 - 1).astype(np.uint32)
        c_plain(plain, SIDE, sweeps, limits, plain_state)

    exact = float(IsingLattice(temperature=WARM).theory(method="exact")["energy"].max())
    heat = float(IsingLattice(temperature=WARM).theory(method="exact")["specific_heat"].max())
    error = math.sqrt(heat) * WARM / SIDE  # of one snapshot
    ours(200, WARM)
    energy = bond_energy(bit_lattice.unpack(even, odd))
    report.check(f"our energy at T = {WARM:g} is Onsager's: {energy:.4f}, {exact:.4f}", abs(energy - exact) < 4 * error)
    if not isinstance(c_bits, Missing):
        in_c(200, WARM)
        report.check(
            "same words as the C bit lattice after 200 sweeps", (even == c_even).all() and (odd == c_odd).all()
        )
        in_plain_c(200, WARM)
        energy = bond_energy(plain)
        report.check(f"plain C has that energy too: {energy:.4f}", abs(energy - exact) < 4 * error)
    peapods = peer("peapods")
    if not isinstance(peapods, Missing):
        warm = peapods.Ising((SIDE, SIDE), temperatures=np.array([WARM]))
        warm.sample(60, warmup_ratio=0.5, sequential=True)
        energy = -float(warm.energies_avg[0])  # its sign is the other one
        report.check(f"peapods has that energy too: {energy:.4f}", abs(energy - exact) < 4 * error)
        theirs = peapods.Ising((SIDE, SIDE), temperatures=np.array([CRITICAL]))
    flat = spins.copy()
    for _ in range(5):
        numpy_sweep(flat, CRITICAL, rng)
    sites = SIDE * SIDE
    report.race(
        "Ising Metropolis L=1024", "updates/s", sites,
        {
            OURS: lambda: (ours(150), 150 * sites)[1],
            "C, bit lattice": available(c_bits, lambda: (in_c(150), 150 * sites)[1]),
            "C, plain": available(c_plain, lambda: (in_plain_c(8), 8 * sites)[1]),
            "peapods": available(peapods, lambda: (theirs.sample(4, sequential=True), 4 * sites)[1]),
            "NumPy": lambda: numpy_sweep(flat, CRITICAL, rng),
        },
        {"C, bit lattice": 1.0, "peapods": 100},
        rounds=9,
    )  # fmt: skip
