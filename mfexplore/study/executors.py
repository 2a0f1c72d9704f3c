"""Where work runs: threads of our own over nogil kernels, here; anything with `submit`, when users outgrow it.

However many threads there are, no more of them compute at once than there are cores: each takes a turn (turns.py).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from mfexplore.core.forks import renew_after_fork
from mfexplore.study.turns import Rank, Turn, current, give_way, scheduler

T = TypeVar("T")


class TurnTaking(ThreadPoolExecutor):
    """One thread per core for long tasks that somebody called for from Python."""

    def submit(self, function: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        return super().submit(in_turn, Turn(rank=Rank.BACKGROUND), function, *args, **options)


class Here(Executor):
    """Whoever computes in a turn already does all of it there: others would wait for the place that it has."""

    def submit(self, function: Callable[..., T], /, *args: Any, **options: Any) -> Future[T]:
        done: Future[T] = Future()
        done.set_result(function(*args, **options))
        return done


def in_turn(turn: Turn, function: Callable[..., T], *args: Any, **options: Any) -> T:
    with turn:
        return function(*args, **options)


class _Pool:
    """The threads of this process, started when they are first needed, and anew in the child of a fork."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._threads: TurnTaking | None = None

    def __call__(self) -> Executor:
        if current() is not None:
            return Here()
        with self._lock:
            if self._threads is None:
                self._threads = TurnTaking(scheduler.places, thread_name_prefix="mfexplore")
            return self._threads


background_threads = _Pool()


def share(work: Callable[[], Iterator[T]]) -> list[T]:
    """Everything that several threads get out of `work()`, each from an iterator of its own over what is left to do;
    in no particular order.

    One who computes already goes on, and is helped as far as places are free; whoever else calls waits for the helpers.
    The iterators are left between two of their values to whoever is more urgent, and where the work is cancelled.
    """
    found: list[T] = []
    errors: list[BaseException] = []
    mine = current()

    def join() -> None:
        for value in work():
            found.append(value)
            if give_way() or errors:
                break

    def help_(turn: Turn) -> None:
        try:
            with turn:
                join()
        except CancelledError:
            pass
        except BaseException as error:
            errors.append(error)

    turns = [Turn(mine.people, mine.rank) if mine else Turn() for _ in range(scheduler.places - (mine is not None))]
    threads = [threading.Thread(target=help_, args=(turn,), name="mfexplore-share", daemon=True) for turn in turns]
    try:
        for thread in threads:
            thread.start()
        if mine is not None:
            join()
        else:
            for thread in threads:
                thread.join()
    finally:
        for turn in turns:  # who has not begun need not, and who computes ends with what is in hand
            turn.cancel()
        for thread in threads:
            with suppress(RuntimeError):  # not started
                thread.join()
    if errors:
        raise errors[0]
    return found
