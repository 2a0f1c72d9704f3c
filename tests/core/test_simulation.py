"""The clock of a simulation: whole quanta, exact, however an interval is cut."""

from __future__ import annotations

import json
from dataclasses import dataclass

import numpy as np
import pytest

from mfexplore.core import Model, Observable, Simulation, Source, control
from mfexplore.core.pictures import Picture


class Counting(Simulation):
    """Counts what it was asked for, one by one."""

    step, quantum = 0.3, 0.1

    def prepare(self) -> None:
        self.total = 0
        self.calls: list[float] = []

    def evolve(self, duration: float) -> float | None:
        self.calls.append(duration)
        wanted = round(duration / self.quantum)
        done = min(wanted, self.model.most - self.total)
        self.total += done
        return None if done == wanted else done * self.quantum

    @property
    def finished(self) -> bool:
        return bool(self.total == self.model.most)

    def observe(self) -> dict[str, float]:
        return {"total": float(self.total)}

    def picture(self) -> Picture:
        raise NotImplementedError


@dataclass(frozen=True)
class Counter(Model):
    most: int = control(1_000_000, 1, 10_000_000, symbol="M", role="size", part="simulation", doc="where it ends")
    rate: float = control(1.0, 0.0, 2.0, symbol="r", role="coupling", part="simulation", doc="what may be followed")

    title = "Counter"
    sources = (Source("nobody"),)
    observables = (Observable("total", "n", "how far it has counted"),)
    simulation = Counting


@pytest.mark.parametrize("cut", [[3.0], [0.3] * 10, [0.1] * 30, [0.04] * 75, [1.7, 1.3], [0.0, 2.999, 0.001]])
def test_the_clock_is_what_was_counted(cut: list[float]) -> None:
    run = Counter().simulate()
    for part in cut:
        run.advance(part)
        assert run.time == pytest.approx(0.1 * run.total, rel=1e-15)
    assert run.total == 30
    np.testing.assert_allclose(run.series()[0], 0.3 * np.arange(11), rtol=1e-15)
    assert max(run.calls) <= 0.3 * (1 + 1e-15)


def test_a_part_of_a_quantum_is_carried_over() -> None:
    run = Counter().simulate()
    totals = []
    for _ in range(5):
        run.advance(0.04)
        totals.append(run.total)
    assert totals == [0, 0, 1, 1, 2]


def test_the_clock_does_not_drift() -> None:
    class Tenths(Counting):
        step, quantum = 0.1, None

        def evolve(self, duration: float) -> None:
            self.total += 1

    run = Tenths(Counter(), 0)
    run.advance(1000)
    assert run.time == 10_000 * 0.1
    assert run.total == 10_000
    for _ in range(1000):
        run.advance(0.07)
    assert run.total == 10_700


def test_between_two_points_the_trace_ends_now() -> None:
    run = Counter().simulate()
    run.advance(0.7)
    assert run.between_points
    assert run.trace()["total"].values.tolist() == [0, 3, 6, 7]
    assert run.series()[1]["total"].tolist() == [0, 3, 6]
    run.advance(0.2)
    assert run.trace()["total"].values.tolist() == [0, 3, 6, 9]


def test_a_run_that_ends_within_a_step_says_when() -> None:
    run = Counter(most=8).simulate()
    run.advance(100)
    assert run.time == pytest.approx(0.8)
    assert run.trace()["total"].values.tolist() == [0, 3, 6, 8]


def test_updates_are_whole_and_none_is_lost() -> None:
    run = Counter().simulate()
    updates = 0
    for _ in range(1000):
        updates += run.updates(0.3, 2.17)
        run.advance(0.3)
    assert updates == round(run.time * 2.17)


def test_changes_at_one_time_are_one_entry() -> None:
    run = Counter().simulate()
    run.advance(0.6)
    for rate in (1.5, 2.0):
        run.follow(run.model.replace(rate=rate))
    run.follow(run.model)
    run.advance(0.6)
    run.follow(run.model.replace(rate=0.0))
    attributes = run.trace().attrs
    assert json.loads(attributes["controls"])["rate"] == 1.0
    changes = json.loads(attributes["controls_changed"])
    assert [c["controls"] for c in changes] == [{"rate": 2.0}, {"rate": 0.0}]
    assert [c["time"] for c in changes] == pytest.approx([0.6, 1.2])


def test_a_sample_is_the_mean_over_every_step_however_the_trace_is_recorded() -> None:
    plain, rare = Counter().simulate(), Counter().simulate()
    rare.recording = "log"
    for run in (plain, rare):
        run.relaxation, run.window = 90.0, 60.0
    assert rare.measure() == plain.measure()
    assert len(rare.series()[0]) < len(plain.series()[0]) / 2
