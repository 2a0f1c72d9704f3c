"""One computation for all who ask the same, given up when nobody waits, remembered in bounded memory."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest

from mfexplore.study.answers import Answers, weight
from mfexplore.study.turns import Person, Rank, Turn, scheduler


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


class Work:
    """Counts how often it is begun and ended; yields 1, 2, 3, each after `step()`."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.gate = threading.Semaphore(0)

    def step(self, times: int = 1) -> None:
        self.gate.release(times)

    def __call__(self, cancelled: Callable[[], bool]) -> Iterator[int]:
        self.begun += 1
        for k in (1, 2, 3):
            while not self.gate.acquire(timeout=0.01):
                if cancelled():
                    self.ended += 1
                    return
            yield k
        self.ended += 1


class Asker:
    """A thread with a page, which asks."""

    def __init__(self, answers: Answers, key: Any, work: Callable[..., Iterator[Any]], short: bool = False) -> None:
        self.turn = Turn([Person()])
        self.heard: list[Any] = []
        self.error: Exception | None = None

        def run() -> None:
            try:
                with self.turn:
                    for value in answers.ask(key, work, self.turn.cancelled, short):
                        self.heard.append(value)
            except ZeroDivisionError as error:
                self.error = error

        self.thread = threading.Thread(target=run, daemon=True)
        self.thread.start()


def test_many_ask_and_one_computes() -> None:
    answers, work = Answers(), Work()
    askers = [Asker(answers, "diagram", work) for _ in range(20)]
    for k in (1, 2, 3):
        work.step()
        wait_until(lambda k=k: all(asker.heard[-1:] == [k] for asker in askers))
    for asker in askers:
        asker.thread.join(10)
    late = list(answers.ask("diagram", work))
    assert late == [3], "what came before the last is not computed again"
    assert work.begun == 1


def test_other_questions_are_computed_apart() -> None:
    answers, work = Answers(), Work()
    work.step(6)
    assert list(answers.ask("a", work))[-1] == list(answers.ask("b", work))[-1] == 3
    assert work.begun == 2


def test_it_goes_on_until_the_last_has_left() -> None:
    answers, work = Answers(), Work()
    first, second = Asker(answers, "diagram", work), Asker(answers, "diagram", work)
    work.step()
    wait_until(lambda: first.heard == second.heard == [1])
    first.turn.cancel()
    first.thread.join(10)
    assert not work.ended
    work.step()
    wait_until(lambda: second.heard == [1, 2])
    assert first.heard == [1]
    second.turn.cancel()
    wait_until(lambda: work.ended)
    work.step(3)
    assert list(answers.ask("diagram", work))[-1] == 3, "half an answer is not remembered"
    assert work.begun == 2


def test_a_failure_is_told_to_everybody_and_not_remembered() -> None:
    answers, gate, calls = Answers(), threading.Event(), []

    def broken(cancelled: Callable[[], bool]) -> Iterator[int]:
        calls.append(1)
        gate.wait(10)
        yield 1 // 0

    askers = [Asker(answers, "x", broken) for _ in range(3)]
    wait_until(lambda: calls)
    time.sleep(0.05)
    gate.set()
    for asker in askers:
        asker.thread.join(10)
        assert isinstance(asker.error, ZeroDivisionError)
    assert len(calls) == 1
    with pytest.raises(ZeroDivisionError):
        list(answers.ask("x", broken))
    assert len(calls) == 2


def test_those_who_wait_do_not_take_the_place_of_those_who_compute() -> None:
    answers, work = Answers(), Work()
    askers = [Asker(answers, k, work) for k in range(scheduler.places + 3)]
    wait_until(lambda: work.begun >= scheduler.places)
    work.step(3 * len(askers))
    for asker in askers:
        asker.thread.join(10)
        assert asker.heard[-1] == 3


def test_memory_is_bounded_and_what_was_cheap_goes_first() -> None:
    answers = Answers(most_bytes=1_000_000)

    def make(seconds: float) -> Callable[..., Iterator[Any]]:
        def work(cancelled: Callable[[], bool]) -> Iterator[Any]:
            end = time.thread_time() + seconds
            while time.thread_time() < end:
                pass
            yield np.zeros(10_000)

        return work

    list(answers.ask("dear", make(0.05)))
    for k in range(200):
        list(answers.ask(("cheap", k), make(0.0)))
        assert answers.bytes <= answers.most_bytes

    def unexpected(cancelled: Callable[[], bool]) -> Iterator[Any]:
        raise AssertionError
        yield

    assert len(list(answers.ask("dear", unexpected))) == 1
    with pytest.raises(AssertionError):
        list(answers.ask(("cheap", 0), unexpected))


def test_the_weight_of_a_value_is_at_least_its_arrays() -> None:
    import xarray as xr

    values = np.zeros((100, 100))
    assert weight({"a": (values, 1.0)}) >= values.nbytes
    assert weight(xr.Dataset({"a": (("x", "y"), values)})) >= values.nbytes
    assert weight(None) > 0


def test_work_is_charged_to_all_who_wait_for_it() -> None:
    answers, work = Answers(), Work()
    askers = [Asker(answers, "ensemble", work) for _ in range(2)]
    wait_until(lambda: work.begun)
    time.sleep(0.05)
    work.step(3)
    for asker in askers:
        asker.thread.join(10)
    spent = [asker.turn.people[0].spent[Rank.HAND] for asker in askers]
    assert min(spent) > 0


def test_what_is_short_is_computed_on_the_spot_for_all_who_ask() -> None:
    answers, gate = Answers(), threading.Event()
    where: list[threading.Thread] = []

    def compute(cancelled: Callable[[], bool]) -> Iterator[str]:
        where.append(threading.current_thread())
        gate.wait(10)
        yield "point"

    first = Asker(answers, "x", compute, short=True)
    wait_until(lambda: where)
    second = Asker(answers, "x", compute, short=True)
    wait_until(lambda: second.turn not in scheduler._computing)  # it waits, and keeps nobody from computing
    first.turn.cancel()  # it goes on for the other
    gate.set()
    for asker in (first, second):
        asker.thread.join(10)
    assert where == [first.thread]
    assert (first.heard, second.heard) == ([], ["point"])
