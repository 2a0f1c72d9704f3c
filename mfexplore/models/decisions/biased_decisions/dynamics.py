"""Agents that are asked again and again, and their testers."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import entr

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.decisions.biased_decisions.theory import Z
from mfexplore.numerics.kernel import kernel

if TYPE_CHECKING:
    from mfexplore.models.decisions.biased_decisions import BiasedDecisions  # noqa: F401 (named in the base class below)

PROTOCOLS = {"one_shot": "one-shot", "batch": "batch", "imitation": "imitation", "herd": "herd"}
ONE_SHOT, BATCH, IMITATION, HERD = range(4)
LENGTHS = 24  # of runs that are counted
SHOWN = 64  # testers and answers that are drawn


class Chances(NamedTuple):
    """All they depend on: after_yes, after_no in a chain, weight (1 - rho)/rho of the urn, and those of eq. (2)."""

    protocol: int
    after_yes: float
    after_no: float
    weight: float
    bias: float
    field: float
    coupling: float
    temperature: float


class Book(NamedTuple):
    """What is known of the agents: last answers (int8), yes in all, pairs [agent, last, now], the present run of yes,
    how many runs had each length (or more), the last answers of some [agent, answer], and the fields Delta z.
    """

    last: Array
    yes: Array
    pairs: Array
    run: Array
    lengths: Array
    shown: Array
    fields: Array


@kernel
def answer(book, chances, told, rounds, rng):
    """Every agent answers once in each round, after `told` answers. O(1) each."""
    c, n = chances, book.last.size
    for k in range(told, told + rounds):
        mean = 2.0 * book.last.sum() / n - 1.0 if c.protocol == HERD else 0.0
        for i in range(n):
            before = book.last[i]
            if c.protocol == IMITATION:
                chance = (c.weight * c.bias + book.yes[i]) / (c.weight + k)
            elif c.protocol == HERD:
                chance = 1.0 / (1.0 + math.exp(-2.0 * (c.field + book.fields[i] + c.coupling * mean) / c.temperature))
            else:
                chance = c.after_yes if before else c.after_no
            now = 1 if rng.random() < chance else 0
            book.last[i] = now
            book.yes[i] += now
            if k > 0:
                book.pairs[i, before, now] += 1
            if now:
                book.run[i] += 1
            elif book.run[i] > 0:
                book.lengths[min(book.run[i], book.lengths.size) - 1] += 1
                book.run[i] = 0
            if i < SHOWN:
                book.shown[i, k % SHOWN] = now


class Asking(core.Simulation["BiasedDecisions"]):
    """Agents that are asked again and again, each by a tester of its own."""

    time_unit, recording, step, quantum = "answers", "log", 10.0, 1.0

    def prepare(self) -> None:
        m = self.model
        p = {"random": m.one_chain()[0], "yes": 1.0, "no": 0.0}[m.start if m.protocol == "herd" else "random"]
        before = (self.rng.random(m.size) < p).astype(np.int8)  # what the agents said when no tester was there
        shown = np.full((min(m.size, SHOWN), SHOWN), -1, np.int8)
        pairs, none = np.zeros((m.size, 2, 2), np.int64), np.zeros((2, m.size), np.int64)
        fields = m.spread * self.rng.standard_normal(m.size)
        self.book = Book(before, none[0], pairs, none[1], np.zeros(LENGTHS + 1, np.int64), shown, fields)
        self.told = 0

    def chances(self) -> Chances:
        m = self.model
        p, yes, no = m.one_chain()
        weight = (1 - m.recency) / m.recency if m.recency > 0 else 1e300
        return Chances(list(PROTOCOLS).index(m.protocol), yes, no, weight, p, m.field, m.coupling, m.temperature)

    def evolve(self, duration: float) -> None:
        answer(self.book, self.chances(), self.told, round(duration), self.rng)
        self.told += round(duration)

    def scores(self) -> tuple[Array, Array]:
        """z_b and z_r of every tester; the latter NaN where all answers are the same."""
        n, yes, changes = self.told, self.book.yes, self.book.pairs[:, 0, 1] + self.book.pairs[:, 1, 0]
        with np.errstate(divide="ignore", invalid="ignore"):
            expected = 2 * yes * (n - yes) / n + 1
            spread = np.sqrt((expected - 1) * (expected - 2) / (n - 1))
            return (2 * yes - n) / math.sqrt(n), np.where(spread > 0, (changes + 1 - expected) / spread, np.nan)

    def observe(self) -> dict[str, float]:
        b, n = self.book, self.told
        names = (
            "entropy_rate", "noticed_bias", "noticed_recency", "yes_after_yes", "yes_after_no", "runs",
            "variance_factor",
        )  # fmt: skip
        if n < 2:
            return {"yes_fraction": float(b.last.mean())} | dict.fromkeys(names, math.nan)
        p, pairs, context = float(b.yes.mean()) / n, b.pairs.sum(axis=0), b.pairs.sum(axis=2, keepdims=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            after_no, after_yes = pairs[:, 1] / pairs.sum(axis=1)
            scatter = np.var(b.yes / n, ddof=1) * n / np.float64(p * (1 - p))
        told = float(np.mean(np.sum(context * entr(b.pairs / np.maximum(context, 1)), axis=(1, 2))))
        entropy = (
            (told + 1) / (n - 1) / math.log(2)
        )  # as many as there are free frequencies, halved, are missed (Miller)
        bias, recency = (float(np.mean(np.abs(z) > Z)) for z in self.scores())
        runs = (pairs[0, 1] + pairs[1, 0]) / pairs.sum()
        found = (entropy, bias, recency, after_yes, after_no, runs, scatter if 0 < p < 1 else math.nan)
        return {"yes_fraction": p} | dict(zip(names, map(float, found), strict=True))

    def samples(self, observable: str | None = None) -> Array:
        if observable in (None, "yes_fraction") and self.told:
            within = 0.6180339887 * np.arange(self.model.size) % 1  # spread over the cell of a whole number
            return np.asarray((self.book.yes + within) / (self.told + 1))
        return super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        """The law of runs from how many of each length ended: also those that still go on have reached theirs."""
        ended = self.book.lengths
        length = np.arange(1, LENGTHS + 1)
        going = (self.book.run[:, None] > length).sum(axis=0)
        reached = ended[::-1].cumsum()[::-1][:-1] + going
        with np.errstate(divide="ignore", invalid="ignore"):
            end = ended[:-1] / reached
            share = np.concatenate([[1.0], np.cumprod(1 - end)[:-1]]) * end
            share, error = (np.where(ended[:-1] > 0, f, np.nan) for f in (share, share / np.sqrt(ended[:-1])))
        return {"run_law": core.Measured(length, share, error)}

    def pictures(self) -> core.Album:
        return core.Album({"testers": self.picture, "answers": self.picture_of_answers})

    def picture(self) -> core.Chart:
        """What every tester has found: outside of the rectangle it is noticed."""
        bias, recency = (scores[:500] for scores in self.scores()) if self.told > 1 else np.empty((2, 0))
        p, yes, no = self.model.one_chain()
        root = math.sqrt(self.told)
        box = np.array([-Z, Z, Z, -Z, -Z])
        series = [
            core.Series("passes for a fair coin", box, np.array([-Z, -Z, Z, Z, -Z])),
            core.Series("testers", bias, recency, "points"),
        ]
        if self.model.protocol in ("one_shot", "batch"):
            way = np.array([0.0, root])
            series.append(core.Series("where they go on average", (2 * p - 1) * way, (no - yes) * way))
        reach = max(4.0, *(1.05 * float(np.nanmax(np.abs(one), initial=0.0)) for one in (bias, recency)))
        return core.Chart(
            tuple(series), core.Axis("excess of yes, standard deviations", low=-reach, high=reach),
            core.Axis("excess of runs, standard deviations", low=-reach, high=reach),
            caption=f"testers after {self.told:,} answers each",
        )  # fmt: skip

    def picture_of_answers(self) -> core.Lattice:
        """One row for each agent, its last answers from left to right."""
        shown = np.roll(self.book.shown, -(self.told % SHOWN), axis=1)
        return core.Lattice(shown, 0, 1, "the last answers of some agents", False, ("no", "yes"), "not asked yet")
