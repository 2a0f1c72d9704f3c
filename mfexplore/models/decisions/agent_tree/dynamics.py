"""Trees and stars of agents that vote."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.decisions.agent_tree.theory import next_level
from mfexplore.numerics.chance.random import advanced, new_stream, uniform
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.decisions.agent_tree import AgentTree  # noqa: F401 (named in the base class below)

SHOWN = 128  # nodes of the lowest level that is drawn; of a larger tree those next to the root
STARS = np.array([1, 3, 7, 15, 31, 63, 127, 255])  # agents of the stars that are simulated beside the trees


@kernel
def vote(inputs, verdicts, fan_in, fidelity, shared, cliques, stream):
    """Every node hears its children and decides. inputs, verdicts: int8, 1 for right; the latter is overwritten."""
    position, word = stream[0], 0
    said = np.empty(fan_in, np.int8)
    for node in range(verdicts.size):
        together = not cliques and uniform(position, word) < shared
        right = 0
        for j in range(fan_in):
            at = word + 1 + 3 * j
            if j > 0 and together:
                said[j] = said[0]
            elif j > 0 and cliques and uniform(position, at) * (1.0 - shared + j * shared) < j * shared:
                said[j] = said[int(uniform(position, at + 1) * j)]
            else:
                kept = 2.0 * uniform(position, at + 2) < 1.0 + fidelity
                said[j] = inputs[node * fan_in + j] if kept else 1 - inputs[node * fan_in + j]
            right += said[j]
        word += 1 + 3 * fan_in
        if 2 * right == fan_in:
            verdicts[node] = uniform(position, word) < 0.5
        else:
            verdicts[node] = 2 * right > fan_in
        word += 1
    stream[0] = advanced(position, word)


class Votes(core.Simulation["AgentTree"]):
    """New trees in every round, one level higher than before, with the same budget each; and stars of every size.

    levels: answers from the leaves to the roots, int8, tree after tree.
    """

    time_unit = "rounds"
    window = 32.0

    def prepare(self) -> None:
        self.stream = new_stream(self.rng)
        self.relaxation = float(self.model.depth)
        self.rounds = 0
        self.retune()
        self.grow()

    def retune(self) -> None:
        self.trees = np.zeros((self.model.depth + 1, 2))  # how many there were, and how many of them were right
        self.stars = np.zeros((2, STARS.size, 2))

    def evolve(self, duration: float) -> None:
        self.rounds += round(duration)
        self.grow()

    def grow(self) -> None:
        m = self.model
        depth = min(self.rounds, m.depth)
        trees = m.size // m.fan_in**depth
        answers = self.leaves(m.leaf_bias(m.fan_in**depth), trees * m.fan_in**depth)
        self.levels = [answers]
        for _ in range(depth):
            answers = self.decide(answers, m.fan_in, m.dependence == "cliques")
            self.levels.append(answers)
        self.trees[depth] += trees, answers.sum()
        star = self.rounds % STARS.size
        agents = int(STARS[star])
        for cliques in (False, True):
            answers = self.leaves(m.leaf_bias(agents), max(m.size // 4, agents) // agents * agents)
            verdicts = self.decide(answers, agents, cliques)
            self.stars[int(cliques), star] += verdicts.size, verdicts.sum()

    def leaves(self, bias: float, count: int) -> Array:
        return (2 * self.rng.random(count) < 1 + bias).astype(np.int8)

    def decide(self, answers: Array, fan_in: int, cliques: bool) -> Array:
        verdicts = np.empty(answers.size // fan_in, np.int8)
        vote(answers, verdicts, fan_in, self.model.fidelity(fan_in), self.model.shared_error, cliques, self.stream)
        return verdicts

    def observe(self) -> dict[str, float]:
        return {"root_bias": 2 * float(self.levels[-1].mean()) - 1, "depth": min(self.rounds, self.model.depth)}

    def profiles(self) -> dict[str, core.Measured]:
        return {"bias_by_depth": core.Measured(np.arange(len(self.trees)), *estimates(self.trees))}

    def pictures(self) -> core.Album:
        return core.Album({"tree": self.picture, "stars": self.picture_of_stars})

    def picture(self) -> core.Network:
        """One of the trees, its root in the middle."""
        shown = [level for level in self.levels if level.size <= SHOWN * self.levels[-1].size]
        count = [level.size // self.levels[-1].size for level in shown]
        x, y, edges, first = [], [], [], 0
        for nodes in reversed(count):
            angle = 2 * np.pi * (np.arange(nodes) + 0.5) / nodes
            radius = 0.0 if nodes == 1 else math.log(nodes) / math.log(count[0])
            x.append(radius * np.cos(angle))
            y.append(radius * np.sin(angle))
            if nodes > 1:
                parents = first - nodes // self.model.fan_in + np.arange(nodes) // self.model.fan_in
                edges.append(np.stack([parents, first + np.arange(nodes)], axis=1))
            first += nodes
        states = np.concatenate([level[:nodes] for level, nodes in zip(shown[::-1], count[::-1], strict=True)])
        links = np.concatenate(edges) if edges else np.empty((0, 2), np.int64)
        return core.Network(
            np.concatenate(x), np.concatenate(y), links, states, 0, 1,
            f"one of {self.levels[-1].size:,} trees, {len(shown) - 1} levels from the root", ("wrong", "right"),
        )  # fmt: skip

    def picture_of_stars(self) -> core.Chart:
        """One level of n agents, with the same budget, for both kinds of shared errors."""
        m, n = self.model, np.arange(1, STARS[-1] + 1, 2)
        series = []
        for cliques, name in enumerate(("all or none", "cliques")):
            theory = [next_level(m.leaf_bias(k), k, m.fidelity(k), m.shared_error, bool(cliques))[0] for k in n]
            bias, error = estimates(self.stars[cliques])
            series.append(core.Series(name, n, np.array(theory)))
            series.append(core.Series(name, STARS, bias, "points", error))
        series.append(core.Series("one agent, same budget", n, np.full(n.size, m.leaf_bias(1))))
        return core.Chart(
            tuple(series), core.Axis("agents that vote together", "log"), core.Axis("bias of their verdict", low=0),
            caption="one level, same budget: the two kinds of shared errors",
        )  # fmt: skip


def estimates(counts: Array) -> tuple[Array, Array]:
    """Bias and standard error from pairs (how many, how many were right), shape (n, 2); NaN where there is none."""
    many = np.where(counts[:, 0] > 0, counts[:, 0], np.nan)
    bias = 2 * counts[:, 1] / many - 1
    return bias, np.sqrt((1 - bias**2 + 1 / many) / many)  # nor is a single tree certain
