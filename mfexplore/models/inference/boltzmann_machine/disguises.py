"""The two models that the machine is in disguise, by their own solvers, in the table of `theory.states`."""

from __future__ import annotations

import math

import numpy as np

from mfexplore.core import Array
from mfexplore.families import hebbian
from mfexplore.families.replicas import symmetric
from mfexplore.models.inference.boltzmann_machine import theory

FAINT = 1e-3  # least noise of Gaussian hidden units, in whose square temperatures are measured


def one_layer(t: Array, w: Array, g: Array, load: Array) -> Array:
    """The table of `theory.states` as the Sherrington-Kirkpatrick model has it, with J and J_0 of eq. (7)."""
    root = np.sqrt(load) / (1 + load)
    unit, bias = g * np.sqrt(root), w * root
    found = np.full((theory.COLUMNS, t.size, 3), np.nan)
    there = unit > 1e-3 * t
    rest = ~there  # almost without noise: no number is finite over J
    found[:, rest] = theory.states(t[rest], 2 * bias[rest], math.sqrt(2) * unit[rest], np.ones(int(rest.sum())))
    j = unit[there]
    values = np.full((j.size, 3, len(symmetric.COLUMNS)), np.nan)
    residual, iterations = np.full((j.size, 3), np.nan), np.zeros((j.size, 3), np.int64)
    symmetric.solve_symmetric(t[there] / j, np.zeros(j.size), bias[there] / j, values, residual, iterations)
    rows = (
        symmetric.MAGNETIZATION, symmetric.MAGNETIZATION, symmetric.OVERLAP, symmetric.OVERLAP, symmetric.FREE_ENERGY,
        symmetric.ENERGY, symmetric.ENTROPY, symmetric.REPLICON,
    )  # fmt: skip
    for k, (name, row) in enumerate(zip(theory.QUANTITIES, rows, strict=True)):
        found[k, there] = values[:, ::-1, row] * (j[:, None] if name in ("free_energy", "energy") else 1)
    found[theory.RESIDUAL, there], found[theory.ITERATIONS, there] = residual[:, ::-1], iterations[:, ::-1]
    return found


def hopfield(t: Array, g: Array, load: Array) -> Array:
    """The same with Gaussian hidden units: Hopfield's table, by eq. (8)."""
    unit = np.maximum(g, FAINT) ** 2
    table = np.full((hebbian.ROWS, t.size, 3), np.nan)
    none = np.zeros(t.size)
    hebbian.solve_points(t / unit, load, none, none, table)
    own = dict(zip(hebbian.QUANTITIES, table, strict=False))
    t, unit, load = (t / unit)[:, None], unit[:, None], load[:, None]
    found = np.full((theory.COLUMNS, t.size, 3), np.nan)
    stiffness = 1 - (1 - own["edwards_anderson"]) / t
    of_visible = {
        "overlap_visible": own["overlap"],
        "freezing_visible": own["edwards_anderson"],
        "free_energy": unit * (own["free_energy"] - load / 2) / (1 + load),
        "energy": unit * (own["energy"] - load / 2) / (1 + load),
        "entropy": own["entropy"] / (1 + load),
        "replicon": 1 - np.sqrt(np.maximum(1 - own["replicon"] / (t * stiffness**2), 0)),
    }
    for name, values in of_visible.items():
        found[theory.QUANTITIES.index(name)] = values
    found[theory.RESIDUAL], found[theory.ITERATIONS] = table[hebbian.RESIDUAL], table[hebbian.ITERATIONS]
    return found
