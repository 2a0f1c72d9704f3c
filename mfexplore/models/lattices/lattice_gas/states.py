"""All states of the lattice gas by all theories, as columns."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from mfexplore.core import Array, Points
from mfexplore.families.lattice_spins.planar import exact_solution
from mfexplore.models.lattices.lattice_gas import samplers, theory
from mfexplore.models.lattices.lattice_gas.samplers import SMALL

MEAN_FIELD, BETHE, EXACT, COUNT = range(4)
DENSE, DILUTE, UNSTABLE, SEPARATED, UNIFORM = range(5)
COEXISTENCE = -2.0
MEASURED = ("coverage", "energy", "potential", "specific_heat", "free_energy", "entropy")


def equation(method: int, points: Points) -> theory.Law:
    """Of mean field or Bethe."""
    t = points["temperature"]
    return theory.bethe(t) if method == BETHE else theory.bragg_williams(t, points["disorder"])


def solve(points: Points, grand: bool) -> dict[str, Array]:
    """Observables, `stable` and `residual`, of shape (n, 4 methods, 5 branches); NaN where there is no such state."""
    t, even = points["temperature"], points["disorder"] == 0
    found = {name: np.full((t.size, 4, 5), np.nan) for name in (*MEASURED, "residual", "stable")}

    def enter(method: int, branch: int, values: Mapping[str, Array]) -> None:
        exists = np.isfinite(values["free_energy"])
        for name, column in ({"stable": 1.0, "residual": 0.0} | dict(values)).items():
            found[name][:, method, branch] = np.where(exists, column, np.nan)

    for method in (MEAN_FIELD, BETHE):
        law, known = equation(method, points), even | (method == MEAN_FIELD)
        states = reservoir(law, points, known) if grand else closed(law, points, known)
        for branch, values in states.items():
            enter(method, branch, values)
    for branch, values in onsager(points, grand, even).items():
        enter(EXACT, branch, values)
    small = counted(points, grand, even)
    dense = points["chemical_potential"] >= COEXISTENCE
    sides = {DENSE: dense, DILUTE: ~dense} if grand else {UNIFORM: even}
    for branch, here in sides.items():
        enter(COUNT, branch, {name: np.where(here, column, np.nan) for name, column in small.items()})
    return found


def as_gas(points: Points, grand: bool, m: Array, energy: Array, free_energy: Array, heat: Array) -> dict[str, Array]:
    """A state of the Ising model, in units of its coupling, as one of the lattice gas; at a fixed number of particles
    energies are those without the field.
    """
    shift = 0 * m - 0.5 * (1 + points["chemical_potential"]) if grand else -m - 0.5
    return {
        "coverage": 0.5 * (1 + m),
        "energy": 0.25 * energy + shift,
        "free_energy": 0.25 * free_energy + shift,
        "entropy": 0.25 * (energy - free_energy) / points["temperature"],
        "specific_heat": heat,
    }


def reservoir(law: theory.Law, points: Points, known: Array) -> dict[int, dict[str, Array]]:
    """The states at a chemical potential by one theory."""
    h = 2 * (points["chemical_potential"] - COEXISTENCE)
    a = np.where(known, np.stack(law.states(h)), np.nan)
    three = theory.Law(law.on_a_tree, law.t[None], law.spread[None])
    energies = three.energy(a, h[None]), three.free_energy(a), three.heat(a, h[None])
    both = as_gas({name: column[None] for name, column in points.items()}, True, three.magnetization(a), *energies)
    both["residual"] = np.abs(three.field(a) - h)
    found = {k: {name: rows[k] for name, rows in both.items()} for k in (DENSE, DILUTE, UNSTABLE)}
    found[UNSTABLE]["stable"] = 0 * h
    return found


def closed(law: theory.Law, points: Points, known: Array) -> dict[int, dict[str, Array]]:
    """The states with a number of particles by one theory."""
    m, level = 2 * points["filling"] - 1, 0 * points["filling"]
    a = np.where(known & (law.order > 0), law.dense(level), np.nan)
    a = np.where(np.abs(m) < law.magnetization(a), a, np.nan)
    separated = as_gas(points, False, m, law.energy(a, level), law.free_energy(a), law.heat(a, level))
    film = np.where(known, law.state_of(m), np.nan)
    h = law.field(film)
    energies = law.energy(film, h) + h * m, law.free_energy(film) + h * m, law.heat_of(m)
    extra = {"potential": h / 2 + COEXISTENCE, "stable": law.s * theory.slope(film, law.b) < 1}
    return {
        SEPARATED: separated | {"potential": level + COEXISTENCE, "residual": np.abs(law.field(a))},
        UNIFORM: as_gas(points, False, m, *energies) | extra,
    }


def onsager(points: Points, grand: bool, even: Array) -> dict[int, dict[str, Array]]:
    """The infinite even surface where it is known: at coexistence."""
    t, mean = points["temperature"], 2 * points["filling"] - 1
    here = np.flatnonzero(even & ((points["chemical_potential"] == COEXISTENCE) | (not grand)))
    if not here.size:
        return {}
    different, place = np.unique(t[here], return_inverse=True)
    columns = np.full((4, t.size), np.nan)
    columns[:, here] = np.array(exact_solution("square", 4 * different))[:, place]
    m, energy, heat, free_energy = columns
    if grand:
        both = {DENSE: as_gas(points, True, m, energy, free_energy, heat)}
        return both | {DILUTE: as_gas(points, True, -m, energy, np.where(m > 0, free_energy, np.nan), heat)}
    with np.errstate(invalid="ignore"):
        free_energy = np.where(np.abs(mean) < m, free_energy, np.nan)
    state = as_gas(points, False, mean, energy, free_energy, heat)
    return {SEPARATED: state | {"potential": 0 * mean + COEXISTENCE}}


def counted(points: Points, grand: bool, even: Array) -> dict[str, Array]:
    """The small lattice, all states; a number of particles must be a whole one."""
    t, count, sites = points["temperature"], samplers.exact_count(SMALL), SMALL**2
    found = {name: np.full(t.size, np.nan) for name in MEASURED}

    def enter(rows: Array, at: samplers.Averages) -> None:
        free_energy = -t[rows] * at.log_sum / sites
        found["coverage"][rows], found["energy"][rows] = at.coverage, at.energy
        found["specific_heat"][rows], found["free_energy"][rows] = at.specific_heat, free_energy
        found["entropy"][rows] = (at.energy - free_energy) / t[rows]

    if grand:
        rows = np.flatnonzero(even)
        enter(rows, samplers.averages(count, t[rows], points["chemical_potential"][rows]))
        return found
    for number in range(1, sites):
        rows = np.flatnonzero(even & (np.abs(points["filling"] * sites - number) < 1e-9))
        if rows.size:
            parts = (samplers.with_particles(count, k) for k in (number, number + 1))
            here, more = (samplers.averages(part, t[rows], 0 * rows) for part in parts)
            enter(rows, here)
            found["potential"][rows] = t[rows] * (here.log_sum - more.log_sum)
    return found


def film(method: int, points: Points, coverage: Array) -> Array:
    """Free energy of a uniform film by mean field or Bethe's theory."""
    law, m = equation(method, points), 2 * coverage - 1
    a = law.state_of(m)
    return np.asarray(0.25 * (law.free_energy(a) + law.field(a) * m) - m - 0.5)
