"""A batch of lattices is unmasked, again and again; the weights of what comes out are kept."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.lattice_spins.enumeration import fold_means
from mfexplore.models.sampling.discrete_flow import theory
from mfexplore.numerics.chance.random import advanced, new_stream, uniform
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.space.lattices import neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.sampling.discrete_flow import DiscreteFlow  # noqa: F401 (what it simulates)

BATCHES = 20  # of an ensemble's sample
WIDTH = 40  # sites, about, along a picture


@kernel
def unmask_by_table(spins, neighbours, up, chance, log_q, stream):
    """One step for a batch: every masked spin is drawn with this chance, given what was known before.

    spins: int8 of shape (batch, n), 0 where masked, overwritten; up: probability of up by neighbours known to be up and
    down, shape (5, 5); log_q: shape (batch,), ln of the probability of what was drawn is added. Returns the mean
    entropy of all masked spins before the step.
    """
    position = stream[0]
    batch, n = spins.shape
    entropy, masked = 0.0, 0
    drawn = np.zeros(n, np.int8)
    for b in range(batch):
        for i in range(n):
            drawn[i] = spins[b, i]
            if spins[b, i] != 0:
                continue
            ups = downs = 0
            for k in range(neighbours.shape[1]):
                other = spins[b, neighbours[i, k]]
                ups += other > 0
                downs += other < 0
            p = up[ups, downs]
            entropy -= p * math.log(max(p, 1e-300)) + (1.0 - p) * math.log(max(1.0 - p, 1e-300))
            masked += 1
            if uniform(position, 2 * (b * n + i)) < chance:
                is_up = uniform(position, 2 * (b * n + i) + 1) < p
                drawn[i] = 1 if is_up else -1
                log_q[b] += math.log(p if is_up else 1.0 - p)
        for i in range(n):
            spins[b, i] = drawn[i]
    stream[0] = advanced(position, 2 * batch * n)
    return entropy / max(masked, 1)


@kernel
def unmask_exactly(spins, weights, chance, log_q, stream):
    """The same by sums over all states of the masked spins; weights: of every state of n spins, shape (2^n,)."""
    position = stream[0]
    batch, n = spins.shape
    entropy, masked = 0.0, 0
    some, means, places = np.empty(weights.size), np.zeros(n), np.zeros(n, np.int64)
    for b in range(batch):
        known, mask, count = 0, 0, 0
        for i in range(n):
            if spins[b, i] == 0:
                mask |= 1 << i
                places[count] = i
                count += 1
            elif spins[b, i] > 0:
                known |= 1 << i
        total = 1.0
        if count == n:  # all states: up is as likely as down
            means[:] = 0.0
        else:
            sub = 0
            for k in range(1 << count):
                some[k] = weights[known | sub]
                sub = (sub - mask) & mask
            total = fold_means(some[: 1 << count], count, means)
        for j in range(count):
            p = 0.5 * (1.0 + means[j] / total)
            entropy -= p * math.log(max(p, 1e-300)) + (1.0 - p) * math.log(max(1.0 - p, 1e-300))
            masked += 1
            if uniform(position, 2 * (b * n + j)) < chance:
                is_up = uniform(position, 2 * (b * n + j) + 1) < p
                spins[b, places[j]] = 1 if is_up else -1
                log_q[b] += math.log(p if is_up else 1.0 - p)
    stream[0] = advanced(position, 2 * batch * n)
    return entropy / max(masked, 1)


class FlowSimulation(core.Simulation["DiscreteFlow"]):
    """Lattices that are unmasked in n steps; when all is known the next batch begins."""

    time_unit = "steps"
    window = 0.0

    def prepare(self) -> None:
        self.neighbours = neighbourhood("square", self.model.side).table()
        self.stream = new_stream(self.rng)
        self.retune()

    def retune(self) -> None:
        """What was kept belongs to other controls: all begins anew."""
        m = self.model
        self.relaxation = float(BATCHES * m.steps)
        odds = theory.carried_odds(m.learnt_at, m.temperature)
        self.up = 1 / (1 + np.exp(-np.clip(odds, -700, 700)))
        self.weights = theory.probabilities(m.side, m.temperature) if m.denoiser == "exact" else np.zeros(1)
        self.log_weights: list[Array] = []
        self.energies: list[Array] = []
        self.magnetizations: list[Array] = []
        self.entropies = np.zeros(m.steps)
        self.begun = np.zeros(m.steps)
        self._mask()

    def _mask(self) -> None:
        m = self.model
        self.spins = np.zeros((m.batch, m.side**2), np.int8)
        self.log_q = np.zeros(m.batch)
        self.done = 0
        self.revealed = np.full(m.steps + 1, np.nan)
        self.revealed[0] = 0.0

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            if self.done == m.steps:
                self._mask()
            chance = 1 / (m.steps - self.done)
            if m.denoiser == "exact":
                entropy = unmask_exactly(self.spins, self.weights, chance, self.log_q, self.stream)
            else:
                entropy = unmask_by_table(self.spins, self.neighbours, self.up, chance, self.log_q, self.stream)
            self.entropies[self.done] += entropy
            self.begun[self.done] += 1
            self.done += 1
            self.revealed[self.done] = self._energies().mean() / m.side**2
            if self.done == m.steps:
                self._keep()

    def _energies(self) -> Array:
        """Energy of the bonds whose two ends are known, of every lattice; shape (batch,)."""
        beside = self.spins[:, self.neighbours[:, 0]] + self.spins[:, self.neighbours[:, 2]]
        found: Array = -np.einsum("bi,bi->b", self.spins, beside, dtype=np.int64)
        return found

    def _keep(self) -> None:
        energies = self._energies()
        self.energies.append(energies)
        self.magnetizations.append(np.abs(self.spins.mean(axis=1)))
        self.log_weights.append(-energies / self.model.temperature - self.log_q)

    def observe(self) -> dict[str, float]:
        m, n = self.model, self.model.side**2
        found = {
            "revealed_energy": float(self.revealed[self.done]),
            "known_fraction": self.done / m.steps,
            "broken_bonds": math.nan,
        }
        names = "energy", "free_energy", "free_energy_bound", "divergence", "effective_samples", "magnetization_size"
        if not self.energies:
            return found | dict.fromkeys(names, math.nan)
        energies, logs = np.concatenate(self.energies), np.concatenate(self.log_weights)
        top = logs.max()
        weights = np.exp(logs - top)
        log_z = top + math.log(weights.mean())
        share = weights / weights.sum()
        found["broken_bonds"] = float(n + energies[-1] / 2)
        values = (
            energies.mean() / n, -m.temperature * log_z / n, -m.temperature * logs.mean() / n,
            max(float(share @ (logs - log_z)), 1e-12), 1 / (len(logs) * (share**2).sum()),
            np.mean(self.magnetizations),
        )  # fmt: skip
        return found | dict(zip(names, map(float, values), strict=True))

    def samples(self, observable: str | None = None) -> Array:
        """The broken bonds of all lattices so far."""
        if observable not in (None, "broken_bonds"):
            return super().samples(observable)
        broken = [self.model.side**2 + energies / 2 for energies in self.energies]
        return np.concatenate(broken) if broken else np.empty(0)

    def profiles(self) -> dict[str, core.Measured]:
        """How uncertain the denoiser was at the beginning of every step."""
        with np.errstate(invalid="ignore"):
            mean = np.where(self.begun > 0, self.entropies / self.begun, np.nan)
        return {"uncertainty": core.Measured(np.arange(self.model.steps) / self.model.steps, mean)}

    def picture(self) -> core.Picture:
        return self._lattices()

    def pictures(self) -> core.Album:
        return core.Album({"lattices": self._lattices, "revealed energy": self._revealed})

    def _lattices(self) -> core.Lattice:
        """As many of the batch as there is room for, side by side."""
        m = self.model
        rows = max(1, min(WIDTH // (m.side + 1), math.isqrt(m.batch)))
        cells = np.full((rows, rows, m.side + 1, m.side + 1), -1, np.int8)
        state = np.where(self.spins == 0, 0, np.where(self.spins > 0, 2, 1))[: rows * rows]
        cells[:, :, : m.side, : m.side] = state.reshape(rows, rows, m.side, m.side)
        image = cells.transpose(0, 2, 1, 3).reshape(rows * (m.side + 1), -1)[:-1, :-1]
        caption = f"{rows * rows} of {m.batch} lattices after {self.done} of {m.steps} steps"
        return core.Lattice(image, 0, 2, caption, False, ("masked", "down", "up"))

    def _revealed(self) -> core.Chart:
        m = self.model
        known = np.linspace(0, 1, 101)
        energy = theory.ising(m.side, m.temperature)["energy"]
        series = (
            core.Series("exact: square of what is known, times the energy", known, known**2 * energy),
            core.Series("this batch", np.arange(m.steps + 1) / m.steps, self.revealed, "points"),
        )
        return core.Chart(
            series, core.Axis("known fraction of spins", low=0, high=1), core.Axis("energy of known bonds per spin")
        )
