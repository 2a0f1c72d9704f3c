"""Threads for those who call from Python; who computes in a turn already does it there."""

from __future__ import annotations

import threading

import pytest

from mfexplore.models.collective.kuramoto import Kuramoto
from mfexplore.study import turns
from mfexplore.study.ensemble import ensemble
from mfexplore.study.executors import background_threads
from mfexplore.study.turns import Person, Rank, Scheduler, Turn


def test_who_computes_in_a_turn_keeps_nobody_from_a_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """A check that averages over runs once waited for them in the only place that they could have had."""
    monkeypatch.setattr(turns, "scheduler", Scheduler(1))
    model, found = Kuramoto(size=20), []

    def check() -> None:
        with Turn([Person()], Rank.BACKGROUND):
            found.append(ensemble(model, samples=2, seed=1))

    thread = threading.Thread(target=check, daemon=True)
    thread.start()
    thread.join(60)
    assert found
    assert found[0].identical(ensemble(model, samples=2, seed=1))
    assert background_threads().submit(threading.current_thread).result(60) is not threading.current_thread()
