"""The running simulation beside a page."""

from __future__ import annotations

import json
import time
from collections.abc import Callable

import pytest

from mfexplore.core import Chart
from mfexplore.core.simulation import Simulation
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.live import Frame, Live
from mfexplore.workbench.views import Ensembles


def test_a_run_goes_on_where_theory_predicts_no_distribution() -> None:
    """A swept field has no equilibrium; without it there is a histogram, if somebody looks at it."""
    frames: list[Frame] = []
    errors: list[str] = []
    live = Live(lambda draw: draw(), frames.append, errors.append)
    try:
        swept, usual = CurieWeiss.preset("hysteresis"), CurieWeiss()
        for model, sampled in ((swept, None), (usual, "magnetization"), (usual, None)):
            live.look_at(None, sampled)
            live.start(model, seed=1)
            live.step()
            end = time.perf_counter() + 30
            while not (frames and (frames[-1].model, frames[-1].sampled) == (model, sampled)):
                assert time.perf_counter() < end
                time.sleep(0.01)
            assert (frames[-1].samples is not None) == (sampled == "magnetization")
            assert isinstance(frames[-1].picture, Chart) == (model is swept)
    finally:
        live.close()
    assert not errors


def test_what_is_exported_tells_which_controls_were_moved() -> None:
    frames: list[Frame] = []
    errors: list[str] = []
    live = Live(lambda draw: draw(), frames.append, errors.append)

    def wait(until: Callable[[], bool]) -> None:
        end = time.perf_counter() + 30
        while not until() and time.perf_counter() < end:
            time.sleep(0.01)

    try:
        model = CurieWeiss(size=100)
        live.start(model, seed=1)
        live.step()
        wait(lambda: bool(frames) and frames[-1].time == 1)
        live.follow(model.replace(temperature=0.5))
        wait(lambda: frames[-1].model.values()["temperature"] == 0.5)
        attributes = live.trace().attrs
    finally:
        live.close()
    assert not errors
    assert json.loads(attributes["controls"]) == model.values()
    assert json.loads(attributes["controls_changed"]) == [{"time": 1.0, "controls": {"temperature": 0.5}}]


def test_an_ensemble_that_nobody_wants_any_more_ends_within_a_sample(monkeypatch: pytest.MonkeyPatch) -> None:
    """Asked in every step: a sample may take a minute."""
    steps = 0
    take_step = Simulation._take_step

    def slowly(run: Simulation, most: int) -> int:
        nonlocal steps
        steps += 1
        time.sleep(0.01)
        return take_step(run, most)

    monkeypatch.setattr(Simulation, "_take_step", slowly)
    nobody_asked_yet = Exploration.of(CurieWeiss(), seed=17)
    assert list(Ensembles().job(nobody_asked_yet, lambda fraction: None)(lambda: steps > 20)) == []
    time.sleep(0.1)
    ended = steps
    time.sleep(0.1)
    assert steps == ended < 60
