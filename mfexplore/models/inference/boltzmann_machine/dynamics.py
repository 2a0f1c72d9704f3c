"""Alternating Gibbs sampling of a machine with a planted mode, or with memories for weights."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.bipartite import gaussian_units, ising_units
from mfexplore.families.digits import as_image, typical
from mfexplore.families.memories import random_bits
from mfexplore.numerics.matrices.blas import one_blas_thread

if TYPE_CHECKING:
    from mfexplore.models.inference.boltzmann_machine import BoltzmannMachine  # noqa: F401 (named in the base class)

SHOWN, PAIRED = 3, 4  # the digits that are planted in the visible and in the hidden layer
COPIES = 2  # with the same weights; how alike they are measures how frozen they are


class BoltzmannMachineSimulation(core.Simulation["BoltzmannMachine"]):
    """One sweep: all hidden units given the visible ones, then all visible ones given these; in two copies."""

    relaxation, window = 200.0, 200.0

    def prepare(self) -> None:
        m, rng = self.model, self.rng
        self.planted = typical(SHOWN, m.size).astype(np.float32)
        self.paired = typical(PAIRED, m.hidden_size).astype(np.float32)
        if m.hidden == "binary":
            self.random = rng.standard_normal((m.size, m.hidden_size), np.float32)
        else:
            self.random = random_bits(m.size, m.hidden_size, rng).astype(np.float32)
            self.random[:, 0] = self.planted
        if m.start == "planted":
            self.visible = np.tile(self.planted, (COPIES, 1))
        else:
            self.visible = random_bits(COPIES, m.size, rng).astype(np.float32)
        self.fields = self._fields(self.visible, self.random, self.planted, self.paired)
        self.units = self._hidden()

    @one_blas_thread()
    def _fields(self, units: Array, random: Array, own: Array, other: Array) -> Array:
        """The fields that the units of one layer, shape (copies, n), make in the other."""
        m = self.model
        total = m.size + m.hidden_size
        fields: Array = (m.noise / math.sqrt(total)) * (units @ random)
        if m.hidden == "binary":
            fields += (m.mode_strength / total) * (units @ own)[:, None] * other
        return fields

    def _hidden(self) -> Array:
        m = self.model
        if m.hidden == "binary":
            return ising_units(self.fields, m.temperature, self.rng)
        return gaussian_units(self.fields, m.visible_fraction, m.temperature, self.rng)

    def retune(self) -> None:
        with one_blas_thread():
            self.fields = self._fields(self.visible, self.random, self.planted, self.paired)

    def evolve(self, duration: float) -> None:
        with one_blas_thread():
            for _ in range(round(duration)):
                self.units = self._hidden()
                back = self._fields(self.units, self.random.T, self.paired, self.planted)
                self.visible = ising_units(back, self.model.temperature, self.rng)
                self.fields = self._fields(self.visible, self.random, self.planted, self.paired)

    def observe(self) -> dict[str, float]:
        m = self.model
        total = m.size + m.hidden_size
        seen = {
            "overlap_visible": float(np.abs(self.visible @ self.planted).mean()) / m.size,
            "freezing_visible": abs(float(self.visible[0] @ self.visible[1])) / m.size,
        }
        if m.hidden == "binary":
            energies = -np.einsum("ca,ca->c", self.fields, self.units)
            seen["overlap_hidden"] = float(np.abs(self.units @ self.paired).mean()) / m.hidden_size
            seen["freezing_hidden"] = abs(float(self.units[0] @ self.units[1])) / m.hidden_size
        else:
            energies = -0.5 / m.visible_fraction * np.einsum("ca,ca->c", self.fields, self.fields)
        return seen | {"energy": float(energies.mean()) / total}

    def samples(self, observable: str | None = None) -> Array:
        """Fields of the hidden units, turned so that the planted mode favours positive ones; with Gaussian hidden
        units those of all other memories.
        """
        if self.model.hidden == "gaussian":
            return self.fields[:, 1:].ravel()
        sides = np.sign(self.visible @ self.planted)
        return (np.where(sides == 0, 1, sides)[:, None] * self.fields * self.paired).ravel()

    def picture(self) -> core.Patterns:
        """The planted pair of patterns, then the layers of each copy, turned to the planted side."""
        layers = [("visible", self.planted, self.visible)]
        if self.model.hidden == "binary":
            layers.append(("hidden", self.paired, self.units))
        images = [(f"planted, {name}", planted) for name, planted, _ in layers]
        for copy in range(COPIES):
            for name, planted, units in layers:
                likeness = float(units[copy] @ planted) / planted.size
                side = 1 if likeness >= 0 else -1
                images.append((f"{name}, copy {copy + 1}, m = {abs(likeness):.2f}", side * units[copy]))
        return core.Patterns(tuple((caption, as_image(image.astype(np.int8))) for caption, image in images))
