"""Copies of a small driven system."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import entr

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families import master_equation as master
from mfexplore.models.transport.generalized_ensemble.theory import structure
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.chance.statistics import jackknife

if TYPE_CHECKING:
    from mfexplore.models.transport.generalized_ensemble import GeneralizedEnsemble  # noqa: F401

GROUPS = 16  # of copies, for errors


class EnsembleSimulation(core.Simulation["GeneralizedEnsemble"]):
    """Many independent copies, event by event; states and jumps are counted."""

    time_unit = "flip times"
    step, relaxation, window = 0.5, 20.0, 30.0
    settled = 10.0  # when counting begins

    def prepare(self) -> None:
        m = self.model
        states = structure(m.process, m.sites, m.arrangement)[0].states
        aligned = m.start == "aligned"
        self.state = np.zeros(m.size, np.int64) if aligned else self.rng.integers(0, states, m.size)
        self.group = np.arange(m.size) * GROUPS // m.size
        self.stream = new_stream(self.rng)
        self.begins = self.settled
        self.retune()

    def retune(self) -> None:
        """What has been counted at other controls is forgotten."""
        m = self.model
        self.plain, self.carried = m.jumps_of()
        self.table = master.cumulated(self.plain)
        self.seen = np.zeros(self.table.rate.size, np.int64)
        self.visits = np.zeros((GROUPS, self.table.states))
        self.begins = max(self.begins, self.time)
        self.observed, self.flow = 0.0, math.nan

    def evolve(self, duration: float) -> None:
        seen, idle, m = np.zeros_like(self.seen), np.zeros(self.model.size, np.int64), self.model
        master.advance(self.state, idle, seen, self.table, duration, self.stream)
        self.flow = float(seen @ self.carried) / (m.size * duration)
        if self.time + duration > self.begins:
            states = self.table.states
            place = self.group * states + self.state
            self.visits += np.bincount(place, minlength=GROUPS * states).reshape(GROUPS, states)
            self.seen += seen
            self.observed += duration

    def fluxes(self) -> tuple[Array, Array, Array]:
        """Jumps seen so far from each state to each other, and the pairs (i < j) between which there are any."""
        i, j = np.nonzero(np.triu(self.plain.matrix() > 0))
        return self.plain.matrix(self.seen.astype(float)), i, j

    def couplings(self) -> tuple[Array, Array]:
        """Eq. (1) from the frequencies of the states, with errors from groups of copies; both of shape (terms,)."""
        total = self.visits.sum(axis=0)
        return jackknife(self._couplings_from(np.concatenate([total[None], total - self.visits])))

    def _couplings_from(self, visits: Array) -> Array:
        smooth = visits + 0.5  # a state that was not seen is not impossible
        return self.model.couplings_of(np.log(smooth / smooth.sum(axis=-1, keepdims=True)))

    def observe(self) -> dict[str, float]:
        m = self.model
        here = np.bincount(self.state, minlength=self.table.states) / m.size
        found = {"entropy": float(entr(here).sum()), "flow": self.flow}
        produced, higher = math.nan, math.nan
        if self.observed > 0:
            counts, i, j = self.fluxes()
            there, back = counts[i, j] + 0.5, counts[j, i] + 0.5  # a jump that was not seen is not impossible
            produced = float((there - back) @ np.log(there / back)) / (m.size * self.observed)
            higher = self._strongest_beyond()
        return found | {"entropy_production": produced, "higher_coupling": higher}

    def _strongest_beyond(self) -> float:
        """The strongest coupling beyond pairs: chosen by one half of the copies and measured, with the sign found
        there, by the other, so that chance alone does not make one.
        """
        beyond = self.model.beyond
        if not beyond.any():
            return 0.0
        first, second = (self._couplings_from(self.visits[k::2].sum(axis=0))[beyond] for k in (0, 1))
        chosen, other = np.argmax(np.abs(first)), np.argmax(np.abs(second))
        return float(np.sign(first[chosen]) * second[chosen] + np.sign(second[other]) * first[other]) / 2

    def profiles(self) -> dict[str, core.Measured]:
        if self.observed == 0:
            return {}
        m = self.model
        values, error = self.couplings()
        coupling = core.Measured(np.arange(1, len(values) + 1), values, error)
        orders = m.orders
        strongest, its_error = np.full((2, orders.max()), np.nan)
        for order in np.unique(orders):
            best = np.flatnonzero(orders == order)[np.argmax(np.abs(values[orders == order]))]
            if abs(values[best]) > 5 * error[best]:
                strongest[order - 1], its_error[order - 1] = abs(values[best]), error[best]
        return {
            "couplings": coupling,
            "strongest_coupling": core.Measured(np.arange(1, len(strongest) + 1), strongest, its_error),
        }

    def picture(self) -> core.Network:
        """States, coloured by how often they are visited, and the fluxes between them that are not balanced."""
        m, states = self.model, self.table.states
        counts, i, j = self.fluxes()
        net = counts[i, j] - counts[j, i]
        clear = np.abs(net) > 5 * np.sqrt(counts[i, j] + counts[j, i] + 1)
        ends = np.where(net > 0, [i, j], [j, i])[:, clear].T
        strength = np.abs(net[clear]) / max(m.size * self.observed, 1.0)
        if m.process == "walk":
            angle = 2 * np.pi * np.arange(states) / states
            x, y = np.sin(angle), np.cos(angle)
        else:  # by the number of spins that are down
            down = np.array([state.bit_count() for state in range(states)])
            x = np.empty(states)
            for number in np.unique(down):
                same = np.flatnonzero(down == number)
                x[same] = (np.arange(same.size) - (same.size - 1) / 2) / math.comb(m.sites, m.sites // 2)
            y = -down / m.sites
        here = np.bincount(self.state, minlength=states) / m.size
        caption = "states by how often they are visited, and the fluxes between them that are not balanced"
        return core.Network(
            x, y, ends.astype(np.int64), here, 0.0, float(here.max()), caption, edge_colour=strength, directed=True
        )

    def pictures(self) -> core.Album:
        return core.Album({"fluxes": self.picture, "law": self._law})

    def _law(self) -> core.Chart:
        """The states by their probability, theory beside frequencies."""
        m = self.model
        law = m.steady_state()
        order, visited = np.argsort(-law), self.visits.sum(axis=0)
        seen = np.where(visited > 0, visited / max(visited.sum(), 1), np.nan)[order]
        rank = np.arange(1, len(law) + 1.0)
        return core.Chart(
            (core.Series("theory", rank, law[order]), core.Series("copies", rank, seen, "points")),
            core.Axis("states, the most frequent first"), core.Axis("probability", "log"),
            caption="the law that is written with couplings",
        )  # fmt: skip
