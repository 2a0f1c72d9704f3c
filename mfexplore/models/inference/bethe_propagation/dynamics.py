"""Belief propagation or heat bath on a graph, or a population of messages."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.interrupts import Uninterrupted
from mfexplore.families.sparse_graphs.graphs import build
from mfexplore.families.sparse_graphs.messages import bethe_averages, heat_bath, pass_messages
from mfexplore.families.sparse_graphs.population import renew, survey

if TYPE_CHECKING:
    from mfexplore.models.inference.bethe_propagation import BethePropagation  # noqa: F401 (what it simulates)


class PropagationSimulation(core.Simulation["BethePropagation"]):
    """Belief propagation or heat-bath dynamics on a graph, or population dynamics. `means`: the m_i, shape (n,)."""

    time_unit = "iterations or sweeps"
    relaxation, window = 100.0, 50.0

    def prepare(self) -> None:
        m = self.model
        if m.algorithm == "population_dynamics":
            side = math.ceil(math.sqrt(m.size))
            self.messages, self.shape = np.empty(m.size), (side, side)
            self.means = np.zeros(m.size)
        else:
            self.links, self.shape = build(m.graph, m.random_graph.degree, m.size, self.rng)
            n = len(self.links.starts) - 1
            self.luck = self.rng.random(len(self.links.neighbours) // 2)
            self.messages, self.cavities = np.empty(len(self.links.neighbours)), np.empty(len(self.links.neighbours))
            self.means = np.zeros(n)
            self.spins = np.ones(n)
        # From above, or from no opinion: messages anywhere between -1 and 1
        self.messages[:] = 1.0 if m.start == "up" else self.rng.uniform(-1, 1, self.messages.size)
        if m.algorithm == "heat_bath" and m.start == "random":
            self.spins[self.rng.random(self.spins.size) < 0.5] = -1.0
        self.change = 0.0
        self.retune()

    def retune(self) -> None:
        m = self.model
        self.beta = 1 / m.temperature
        if m.algorithm != "population_dynamics":
            self.couplings = np.where(self.luck < m.antiferromagnetic_fraction, -1.0, 1.0)[self.links.edge]
            self.sums, self.sweeps = np.zeros(self.means.size), 0

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            if m.algorithm == "population_dynamics":
                random = m.random_graph
                renew(
                    self.messages, random.branching, random.poissonian, self.beta, m.field,
                    m.antiferromagnetic_fraction, m.size, self.rng,
                )  # fmt: skip
            elif m.algorithm == "belief_propagation":
                self.change = pass_messages(
                    self.links, self.couplings, self.beta, m.field, m.damping, self.messages, self.cavities
                )
            else:
                heat_bath(self.links, self.couplings, self.spins, self.beta, m.field, 1, self.sums, self.rng)
                self.sweeps += 1

    def observe(self) -> dict[str, float]:
        m = self.model
        if m.algorithm == "population_dynamics":
            random = m.random_graph
            with Uninterrupted():
                magnetization, overlap, energy, free_energy = survey(
                    self.messages, random.degree, random.branching, random.poissonian, self.beta, m.field, m.size,
                    np.random.default_rng(int(1e6 * self.time) + 1),
                )  # fmt: skip
            self.means = np.tanh(self.beta * self.messages)
        elif m.algorithm == "belief_propagation":
            energy, free_energy = bethe_averages(self.links, self.beta, m.field, self.messages, self.means)
            magnetization, overlap = float(self.means.mean()), float(np.mean(self.means**2))
        else:
            bonds = 0.5 * float(np.sum(self.couplings * np.repeat(self.spins, self.links.degrees)
                                       * self.spins[self.links.neighbours]))  # fmt: skip
            self.means = self.sums / max(self.sweeps, 1)
            magnetization = float(self.spins.mean())
            energy = -bonds / self.spins.size - m.field * magnetization
            return {"magnetization": magnetization, "overlap": float(np.mean(self.means**2)), "energy": energy}
        return {
            "magnetization": magnetization,
            "overlap": overlap,
            "cavity_field": float(self.messages.mean()),
            "energy": energy,
            "free_energy": free_energy,
            "change": self.change,
        }

    def samples(self, observable: str | None = None) -> Array:
        return self.messages if self.model.algorithm != "heat_bath" else np.empty(0)

    def picture(self) -> core.Lattice:
        shown = self.spins if self.model.algorithm == "heat_bath" else self.means
        values = np.zeros(self.shape[0] * self.shape[1], np.float32)
        values[: shown.size] = shown
        what = {
            "belief_propagation": "m of each node",
            "heat_bath": "spins",
            "population_dynamics": "tanh of each message over T",
        }[self.model.algorithm]
        place = "" if self.model.graph == "square" else " (their place means nothing here)"
        return core.Lattice(values.reshape(self.shape), -1, 1, caption=what + place)
