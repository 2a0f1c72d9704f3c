"""Signals that arrive while something must not be left half done."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from mfexplore.core.interrupts import Uninterrupted
from mfexplore.numerics.kernel import kernel

if not hasattr(signal, "setitimer"):
    pytest.skip("this system has no such signals", allow_module_level=True)


@pytest.fixture
def handled() -> Iterator[list[int]]:
    """What the handlers of two signals were called for; that of SIGALRM raises."""
    calls: list[int] = []

    def stop(number: int, _: Any) -> None:
        calls.append(number)
        raise KeyboardInterrupt

    before = {
        signal.SIGALRM: signal.signal(signal.SIGALRM, stop),
        signal.SIGUSR1: signal.signal(signal.SIGUSR1, lambda number, _: calls.append(number)),
    }
    yield calls
    signal.setitimer(signal.ITIMER_REAL, 0)
    for number, handler in before.items():
        signal.signal(number, handler)


def handlers() -> list[Any]:
    return [signal.getsignal(number) for number in signal.valid_signals()]


def test_handlers_run_at_the_end_and_are_put_back(handled: list[int]) -> None:
    before = handlers()
    with Uninterrupted() as held:
        signal.raise_signal(signal.SIGUSR1)
        assert held.due
        assert not handled
    assert handled == [signal.SIGUSR1]
    assert handlers() == before


def test_what_a_handler_raises_comes_at_the_end_and_the_others_run_too(handled: list[int]) -> None:
    before, reached = handlers(), []

    def interrupted() -> None:
        with Uninterrupted():
            signal.raise_signal(signal.SIGALRM)
            signal.raise_signal(signal.SIGUSR1)
            reached.append(True)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert reached
    assert sorted(handled) == sorted([signal.SIGALRM, signal.SIGUSR1])
    assert handlers() == before


def test_one_within_another_waits_for_the_outer(handled: list[int]) -> None:
    with Uninterrupted():
        with Uninterrupted():
            signal.raise_signal(signal.SIGUSR1)
        assert not handled
    assert handled == [signal.SIGUSR1]


def test_a_handler_may_take_itself_away(handled: list[int]) -> None:
    def once(number: int, _: Any) -> None:
        handled.append(number)
        signal.signal(number, signal.SIG_IGN)

    signal.signal(signal.SIGUSR1, once)
    with Uninterrupted():
        signal.raise_signal(signal.SIGUSR1)
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_IGN


def test_other_threads_leave_signals_alone(handled: list[int]) -> None:
    before, inside = handlers(), []

    def work() -> None:
        with Uninterrupted():
            inside.extend(handlers())

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert inside == before


def test_handlers_are_put_back_in_a_storm(handled: list[int]) -> None:
    """Alarms come at any instruction, also of those that take the handlers away and put them back."""
    before = handlers()
    armed, torn = [False], 0

    def stop(*_: Any) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)
    before[list(signal.valid_signals()).index(signal.SIGALRM)] = stop
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    interrupts = 0
    while interrupts < 500:
        first = second = 0
        try:
            armed[0] = True
            while True:
                with Uninterrupted():
                    first += 1
                    second += 1
        except KeyboardInterrupt:
            interrupts += 1
            torn += first != second
    armed[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert torn == 0
    assert handlers() == before


@kernel
def walk(total, steps, rng):
    for _ in range(steps):
        total += 1 if rng.random() < 0.5 else -1
    return total


def test_a_kernel_that_takes_a_generator_survives_a_storm(handled: list[int]) -> None:
    rng, same, total = np.random.default_rng(1), np.random.default_rng(1), 0
    walk(0, 1, np.random.default_rng(0))
    calls = 0
    armed = [False]

    def stop(*_: Any) -> None:
        if armed[0]:
            armed[0] = False
            raise KeyboardInterrupt

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)
    interrupts = 0
    while interrupts < 500:
        try:
            armed[0] = True
            while True:
                with Uninterrupted():
                    total = walk(total, 10, rng)
                    calls += 1
        except KeyboardInterrupt:
            interrupts += 1
    armed[0] = False
    signal.setitimer(signal.ITIMER_REAL, 0)
    assert total == walk(0, 10 * calls, same)
    assert rng.bit_generator.state == same.bit_generator.state
