"""A run of the lattice gas: particles come and go, hop, or are counted."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.core.simulation import never
from mfexplore.models.lattices.lattice_gas import samplers, states
from mfexplore.models.lattices.lattice_gas.samplers import SMALL
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.functions.log_sums import log_sum_exp
from mfexplore.numerics.space.lattices import neighbourhood

if TYPE_CHECKING:
    from mfexplore.models.lattices.lattice_gas import LatticeGas  # noqa: F401

COUNTED = 16  # side up to which the heat bath keeps a histogram of what it has seen
TRUSTED = 200.0  # states that an average over a histogram, taken at other controls, must rest on
BLOCKS = 10
OBSERVED = (*states.MEASURED, "count_error")
POTENTIALS, TEMPERATURES = np.linspace(-4.0, 0.0, 81), np.linspace(0.1, 1.3, 61)


class LatticeGasSimulation(core.Simulation["LatticeGas"]):
    """Particles on the surface; `occupied` (int8), for nested sampling the walkers' states."""

    def prepare(self) -> None:
        m = self.model
        self.near = neighbourhood("square", m.side).table()
        n, self.fixed = m.sites, m.statistical_ensemble == "canonical"
        self.particles = m.particles if self.fixed else None
        self.stream = new_stream(self.rng)
        # The same energies in every sample, at places that differ
        self.site_energies = self.rng.permutation((2 * np.arange(n) + 1.0) / n - 1)
        self.ordering = m.chemical_potential
        count = n if m.algorithm == "nested" or m.side <= COUNTED else 0
        self.shape = (count + 1, 2 * count + 1) if count else (0, 0)
        self.moves, self.ln_f = 0, 1.0
        # What is small is fast, and looked at less often.
        steps = {"heat_bath": max(1.0, 32 // m.side), "wang_landau": 2000.0, "nested": 0.2}
        self.step = steps[m.algorithm]
        self.relaxation, self.window = 100 * self.step, 200 * self.step
        if m.algorithm != "heat_bath":
            self.relaxation, self.window = 15 * self.step, 0.0
        if m.algorithm == "nested":
            self.time_unit = "e-folds"  # type: ignore[misc]  # of this run, not of all
            self.relaxation = m.all_states + 2
        walkers = m.walkers if m.algorithm == "nested" else 1
        self.occupied = np.squeeze(np.array([self._start() for _ in range(walkers)]))
        states = self.occupied.reshape(-1, n)
        bonds = (states[:, self.near] * states[:, :, None]).sum(axis=(1, 2)) // 2
        self.totals = np.stack([states.sum(axis=1), bonds], axis=1).astype(np.int64)
        self.labels = self.rng.random(len(states))
        self.count = np.full(self.shape, -np.inf)
        self.visits = np.zeros(self.shape, np.int64)
        self.before = self.visits.copy()  # Wang-Landau: those until ln f was last halved
        self.removed: list[tuple[float, float]] = []
        if m.algorithm == "wang_landau":
            n_now, b_now = self.totals[0]
            self.count[n_now, b_now], self.visits[n_now, b_now] = 0.0, 1
        self.retune()

    def _start(self) -> Array:
        m, n = self.model, self.model.sites
        state = np.zeros(n, np.int8)
        if m.algorithm == "nested" and not self.fixed:
            return self.rng.integers(0, 2, n, dtype=np.int8)
        if self.fixed:
            strip = m.start == "covered" and m.algorithm == "heat_bath"
            state[: self.particles if strip else 0] = 1
            if not strip:
                state[self.rng.permutation(n)[: self.particles]] = 1
        elif m.start == "covered":
            state[:] = 1
        return state

    def retune(self) -> None:
        """What a heat bath has seen at other controls is forgotten; a count knows nothing of them."""
        m = self.model
        bonds = np.arange(-4, 5) + (0.0 if self.fixed else m.chemical_potential)
        energies = m.disorder * self.site_energies
        self.gains = samplers.Gains(np.exp(bonds / m.temperature), np.exp(energies / m.temperature))
        if m.algorithm == "heat_bath":
            self.visits[:] = 0

    def evolve(self, duration: float) -> None:
        m, totals = self.model, self.totals[0]
        if m.algorithm == "heat_bath":
            update = samplers.hop if self.fixed else samplers.exchange
            update(self.occupied, totals, self.near, self.gains, round(duration), self.visits, self.stream)
        elif m.algorithm == "wang_landau":
            moves = round(duration) * m.sites
            steps = np.array([moves, self.ln_f])
            samplers.flatten(
                self.occupied, totals, self.near, self.fixed, self.count, self.visits, steps, self.stream
            )  # fmt: skip
            self.moves += moves
            known = self.visits > 0
            if (self.visits > self.before)[known].all():
                self.ln_f *= 0.5
                self.before = self.visits.copy()
            self.ln_f = min(1.0, max(self.ln_f, known.sum() / self.moves))
        else:
            self._remove(self.updates(duration, m.walkers))

    def _remove(self, removals: int) -> None:
        m, k = self.model, self.model.walkers
        out = np.zeros((removals, 2), np.int64)
        walkers = samplers.Walkers(self.occupied, self.totals, self.labels, self.fixed, self.ordering)
        samplers.nest(walkers, self.near, removals, 4 * m.sites, out, self.stream)
        passed = np.arange(self.moves, self.moves + removals)
        np.logaddexp.at(self.count, (out[:, 0], out[:, 1]), math.log(-math.expm1(-1 / k)) - passed / k)
        energy = -out[:, 1] - (0.0 if self.fixed else self.ordering) * out[:, 0]
        self.removed += list(zip((passed / k).tolist(), (energy / m.sites).tolist(), strict=True))
        self.moves += removals

    @property
    def finished(self) -> bool:
        """Nested sampling ends when less than half a state is left."""
        return self.model.algorithm == "nested" and self.moves > self.model.walkers * (self.model.all_states + 1)

    def log_count(self) -> Array:
        """Logarithm of g(N, B) as it is known so far; of a heat bath up to a constant."""
        m = self.model
        with np.errstate(divide="ignore"):
            if m.algorithm == "heat_bath":
                n, b = np.indices(self.visits.shape, sparse=True)
                gain = (b + (0.0 if self.fixed else m.chemical_potential) * n) / m.temperature
                return np.asarray(np.log(self.visits) - gain)
            found = np.where(self.visits > 0, self.count, -np.inf)
        if m.algorithm == "nested":
            found = self.count.copy()
            left = -(self.moves + math.log(m.walkers) * m.walkers) / m.walkers
            np.logaddexp.at(found, (self.totals[:, 0], self.totals[:, 1]), left)
        return np.asarray(found + m.all_states - log_sum_exp(found.ravel(), 0))

    def observe(self) -> dict[str, float]:
        """NaN is what this sampler does not tell: single changes no entropy, counts no potential."""
        m, n = self.model, self.model.sites
        mu = 0.0 if self.fixed else m.chemical_potential
        found = dict.fromkeys(OBSERVED, math.nan)
        if m.algorithm == "heat_bath":
            bound = m.disorder * float(self.site_energies[self.occupied > 0].sum()) if m.disorder else 0.0
            particles, bonds = self.totals[0].tolist()
            found |= {"coverage": particles / n, "energy": (-bonds - mu * particles - bound) / n}
            return found | ({"potential": self._insertion()} if self.fixed else {})
        count = self.log_count()
        at = samplers.averages(count, np.array([m.temperature]), np.array([mu]))
        coverage, energy, heat, log_sum = (float(column[0]) for column in at)
        found |= {"coverage": coverage, "energy": energy, "specific_heat": heat}
        found |= {"free_energy": -m.temperature * log_sum / n, "entropy": energy / m.temperature + log_sum / n}
        if m.side == SMALL:
            exact = m.bond_count()
            gap = samplers.by_bonds(count) - exact
            # Nested sampling goes to low energies; rare states of high ones it has met by chance.
            gap = gap[np.argmax(exact) if m.algorithm == "nested" else 0 :]
            found["count_error"] = float(np.abs(gap[np.isfinite(gap)]).max())
        return found

    def _insertion(self) -> float:
        """Chemical potential by eq. (5), of this state."""
        m, empty = self.model, self.occupied == 0
        bonds = self.occupied[self.near[empty]].sum(axis=1)
        factors = np.exp((bonds + m.disorder * self.site_energies[empty]) / m.temperature)
        return float(-m.temperature * math.log(factors.sum() / (self.totals[0, 0] + 1)))

    def measure(self, cancelled: Any = never) -> dict[str, float]:
        """Of a heat bath means over the window, and what only fluctuations tell."""
        found, m = super().measure(cancelled), self.model
        if m.algorithm == "heat_bath":
            late = round(self.window / self.step)
            series = self.series()[1]
            energy = series["energy"][-late:]
            # Within the window it varies around the window's own mean; how much that varies is seen in its blocks.
            variance = energy.var() + energy.reshape(BLOCKS, -1).mean(axis=1).var(ddof=1) / BLOCKS
            found["specific_heat"] = float(variance * m.sites / m.temperature**2)
            if self.fixed:
                inserted = -series["potential"][-late:] / m.temperature
                found["potential"] = float(-m.temperature * (log_sum_exp(inserted, 0) - math.log(late)))
        return {name: value for name, value in found.items() if not math.isnan(value)}

    def profiles(self) -> dict[str, core.Measured]:
        m = self.model
        if not self.shape[0] or (m.algorithm == "heat_bath" and not self.visits.any()):
            return {}
        count = self.log_count()
        mu = np.full(TEMPERATURES.size, 0.0 if self.fixed else m.chemical_potential)
        found = {"heat_curve": core.Measured(TEMPERATURES, self._trusted(count, TEMPERATURES, mu, "specific_heat"))}
        if not self.fixed:
            t = np.full(POTENTIALS.size, m.temperature)
            found["isotherm"] = core.Measured(POTENTIALS, self._trusted(count, t, POTENTIALS, "coverage"))
        if m.algorithm != "heat_bath":
            logs = samplers.by_bonds(count)
            found["bond_count"] = core.Measured(np.arange(len(logs)), np.where(np.isfinite(logs), logs, np.nan))
        return found

    def _trusted(self, count: Array, temperature: Array, mu: Array, name: str) -> Array:
        """Averages at other controls; of a heat bath only where enough of what it has seen matters there."""
        values = getattr(samplers.averages(count, temperature, mu), name)
        if self.model.algorithm != "heat_bath" or self.model.disorder > 0:
            return np.asarray(values if self.model.disorder == 0 else np.full_like(values, np.nan))
        n, b = np.nonzero(self.visits)
        shift = count[n, b] + (b + mu[:, None] * n) / temperature[:, None]
        rest = 2 * log_sum_exp(shift, 1) - log_sum_exp(2 * shift - np.log(self.visits[n, b]), 1)
        return np.where(rest > math.log(TRUSTED), values, np.nan)

    def picture(self) -> core.Picture:
        m = self.model
        if m.algorithm == "nested":
            order = np.argsort(self.totals[:, 1] + (0 if self.fixed else self.ordering) * self.totals[:, 0])
            chosen = order[np.linspace(0, m.walkers - 1, 8).astype(int)]
            images = tuple((f"{self.totals[k, 1]} bonds", self.occupied[k].reshape(m.side, -1)) for k in chosen)
            return core.Patterns(images, 0.0, 1.0)
        caption = f"{m.side} × {m.side} places"
        return core.Lattice(self.occupied.reshape(m.side, -1), 0, 1, caption, False, ("empty", "particle"))

    def pictures(self) -> core.Album:
        draw: dict[str, Callable[[], core.Picture]] = {"heat_bath": self._seen, "wang_landau": self._counted}
        progress = draw.get(self.model.algorithm, self._compression)
        return core.Album({"surface": self.picture, "progress": progress})

    def _seen(self) -> core.Chart:
        coverage = self.series()[1]["coverage"]
        bars, edges = np.histogram(coverage[len(coverage) // 4 :], 50, (0.0, 1.0))
        middle = (edges[1:] + edges[:-1]) / 2
        return core.Chart(
            (core.Series("seen", middle, bars / bars.sum(), "bars"),),
            core.Axis("coverage θ", low=0.0, high=1.0), core.Axis("part of the time", low=0.0),
            caption="which coverages this run has seen",
        )  # fmt: skip

    def _counted(self) -> core.Field:
        count = self.log_count()
        n, b = np.nonzero(np.isfinite(count))
        extent = (n.min() - 0.5, n.max() + 0.5, -0.5, b.max() + 0.5)
        shown = np.where(np.isfinite(count), count, np.nan).T[: b.max() + 1, n.min() : n.max() + 1]
        return core.Field(
            shown, extent, core.Axis("particles N"), core.Axis("bonds B"), 0.0, float(np.nanmax(shown)),
            caption="ln g(N, B): how many states have so many particles and bonds, as counted so far",
        )  # fmt: skip

    def _compression(self) -> core.Chart:
        m = self.model
        past = np.array(self.removed[:: max(1, len(self.removed) // 500)] or [(0.0, math.nan)])
        energy = -self.totals[:, 1] - (0.0 if self.fixed else self.ordering) * self.totals[:, 0]
        now = np.full(m.walkers, self.moves / m.walkers)
        return core.Chart(
            (core.Series("removed", past[:, 0], past[:, 1], "step"),
             core.Series("walkers", now, energy / m.sites, "points")),
            core.Axis("compression, -ln X", low=0.0, high=m.all_states + 1), core.Axis("energy per place"),
            caption="the energy under which the part X of all states lies, eq. (7)",
        )  # fmt: skip
