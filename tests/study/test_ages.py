"""Time as an axis, samples that never get there, and heavy tails: a toy whose runs are known."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mfexplore import core
from mfexplore.core.simulation import Simulation
from mfexplore.study.ensemble import average, ensemble, measure_ages


class DecayRun(Simulation["Decay"]):
    step, recording = 0.5, "log"

    def prepare(self) -> None:
        self.starts_counted = DecayRun.starts = getattr(DecayRun, "starts", 0) + 1
        self.first = self.rng.exponential()

    def evolve(self, duration: float) -> None:
        pass

    def observe(self) -> dict[str, float]:
        fired = self.first <= self.time
        return {"alive": float(not fired), "passage": self.first if fired else np.nan}

    def picture(self) -> core.Picture:
        return core.on_a_square(np.array([0]), ("dead", "alive"))


@dataclass(frozen=True)
class Decay(core.Model):
    age: float = core.control(1.0, 0.0, 100.0, symbol="t", role="time", doc="how long it has lived")

    title = "Decay"
    sources = (core.Source("a toy"),)
    observables = (core.Observable("alive", "p", "still there"), core.Observable("passage", "t_1", "when it fell"))
    simulation = DecayRun


def test_an_ensemble_is_looked_at_when_its_time_has_passed_and_counts_who_got_there() -> None:
    found = ensemble(Decay(age=1.0), samples=200, seed=1)
    assert float(found["alive"]) == pytest.approx(np.exp(-1), abs=4 * float(found["alive_standard_error"]))
    assert int(found["passage_samples"]) == round(200 * (1 - float(found["alive"])))
    assert np.isfinite(float(found["passage"]))
    assert found["passage_quartiles"].shape == (3,)


def test_states_along_one_run_are_states_of_one_run() -> None:
    before = getattr(DecayRun, "starts", 0)
    rows = measure_ages(Decay(), [0.5, 1.0, 4.0], seed=3, sample=0)
    assert DecayRun.starts == before + 1
    alive = [row["alive"] for row in rows]
    assert alive == sorted(alive, reverse=True)


def test_samples_without_a_number_do_not_count() -> None:
    over = average([{"x": 1.0}, {"x": np.nan}, {"x": 3.0}, {"x": 1000.0}])["x"]
    assert (over.samples, over.median) == (3, 3.0)
    assert average([{"x": np.nan}])["x"].samples == 0


def test_a_logarithmic_recording_grows_with_the_logarithm_of_time_and_is_the_same_however_it_is_cut() -> None:
    once, often = Decay().simulate(seed=1), Decay().simulate(seed=1)
    once.advance(5000)
    for _ in range(10_000):
        often.advance(0.5)
    times, _ = once.series()
    np.testing.assert_array_equal(times, often.series()[0])
    assert len(times) < 64 + 32 * 9
    assert np.diff(times).max() / times[-1] < 1 / 32


def test_a_control_named_time_is_refused_where_it_is_declared() -> None:
    with pytest.raises(TypeError, match="'age'"):

        class Clock(core.Model):
            time: float = core.control(1.0, 0.0, 2.0, symbol="t", role="time", doc="no")
