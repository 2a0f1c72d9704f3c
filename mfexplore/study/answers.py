"""One answer for all who ask the same: what is a pure function of what was asked is computed once and remembered.

Requests for what is being computed join it, whoever made them; it is given up when the last of them leaves.
"""

from __future__ import annotations

import dataclasses
import sys
import threading
import time
from collections.abc import Callable, Hashable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Generic, TypeVar

import numpy as np

from mfexplore.core.forks import renew_after_fork
from mfexplore.core.simulation import never
from mfexplore.study.threads import threads
from mfexplore.study.turns import Turn, aside, current

T = TypeVar("T")
Cancelled = Callable[[], bool]

POLL = 0.05  # seconds after which somebody who waits without a turn asks whether it is still wanted
VARIABLE = 2_000  # bytes that a variable of a Dataset takes beside its numbers
MOST_BYTES = 96 * 2**20


class _Answer(Generic[T]):
    """What is known so far, and who waits for more. Everything is read and written under `news`."""

    def __init__(self, compute: Callable[[Cancelled], Iterator[T]]) -> None:
        self.compute = compute
        self.news = threading.Condition()
        self.askers: list[Turn] = []
        self.turn = Turn([], ahead=self._queue)
        self.latest: T | None = None
        self.count = 0  # of values that have been known, the latest included
        self.finished = False
        self.error: Exception | None = None
        self.seconds = 0.0

    def join(self, asker: Turn) -> bool:
        """False if it was given up."""
        with self.news:
            if self.turn.over:
                return False
            self.askers.append(asker)
            self._turn_to_askers()
            return True

    def leave(self, asker: Turn) -> None:
        with self.news:
            self.askers.remove(asker)
            self._turn_to_askers()
            if self.askers or self.finished:
                return
            self.turn.ended.set()
        self.turn.cancel()

    def _turn_to_askers(self) -> None:
        self.turn.people = list(dict.fromkeys(person for asker in self.askers for person in asker.people))

    def tell(self) -> None:
        with self.news:
            self.news.notify_all()

    def wait(self, known: int, asker: Turn, cancelled: Cancelled, poll: float | None) -> None:
        """Until more than `known` values have been there, or there will be no more, or `cancelled()`."""
        asker.wake = self.tell
        with self.news:
            while self.count <= known and not self.finished and not (asker.over or (poll and cancelled())):
                self.news.wait(poll)

    def _queue(self, turns: int | None) -> None:
        with self.news:
            askers = list(self.askers)
        for asker in askers:
            asker.ahead(turns)


@dataclasses.dataclass
class _Kept:
    answer: _Answer[Any]
    bytes: int
    worth: float


class Answers:
    """Remembers answers in a bounded number of bytes, and forgets first what costs least to find again for the place
    that it takes (GreedyDual-Size: Cao and Irani, 1997).
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self.most_bytes = most_bytes
        self.bytes = 0  # of what is remembered
        self._kept: dict[Hashable, _Kept] = {}
        self._age = 0.0  # the worth of what was forgotten last: newcomers begin there
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._computing: dict[Hashable, _Answer[Any]] = {}

    def ask(
        self, key: Hashable, compute: Callable[[Cancelled], Iterator[T]], cancelled: Cancelled = never,
        short: bool = False,
    ) -> Iterator[T]:  # fmt: skip
        """What `compute(cancelled)` yields, each value better than the one before: whoever comes late or takes long
        gets the latest only, and whoever comes after the end the last.

        key: says all that the values depend on. short: one value, which whoever asks first computes on the spot: to
        hand it over to another thread and back would take longer, and it is not given up. Raises what `compute` raises;
        ends early if `cancelled()`.
        """
        here = current()
        asker = here or Turn()
        poll = None if here is not None else POLL
        answer = self._join(key, compute, asker, short and here is not None)
        known = 0
        try:
            while True:
                with answer.news:
                    latest, count, finished, error = answer.latest, answer.count, answer.finished, answer.error
                if cancelled():
                    return
                if count > known:
                    known = count
                    yield latest  # type: ignore[misc]
                elif error is not None:
                    raise error
                elif finished:
                    return
                else:
                    with aside():
                        answer.wait(known, asker, cancelled, poll)
        except CancelledError:
            return
        finally:
            asker.wake = lambda: None
            answer.leave(asker)

    def _join(
        self, key: Hashable, compute: Callable[[Cancelled], Iterator[T]], asker: Turn, on_the_spot: bool
    ) -> _Answer[T]:
        with self._lock:
            kept = self._kept.get(key)
            if kept is not None:
                kept.worth = self._age + kept.answer.seconds / kept.bytes
            known = kept.answer if kept is not None else self._computing.get(key)
            if known is not None and known.join(asker):
                return known
            answer = self._computing[key] = _Answer(compute)
            answer.join(asker)
        if on_the_spot:
            self._compute(key, answer, nullcontext(), never)
        else:
            threads.run(lambda: self._compute(key, answer, answer.turn, answer.turn.cancelled))
        return answer

    def _compute(
        self, key: Hashable, answer: _Answer[Any], place: AbstractContextManager[Any], cancelled: Cancelled
    ) -> None:
        turn = answer.turn
        try:
            values = answer.compute(cancelled)
            while not turn.over:
                with place:
                    start = time.thread_time()
                    try:
                        value = next(values)
                    except StopIteration:
                        break
                    finally:
                        answer.seconds += time.thread_time() - start
                with answer.news:
                    answer.latest = value
                    answer.count += 1
                    answer.news.notify_all()
        except CancelledError:
            turn.cancel()
        except Exception as error:
            with answer.news:
                answer.error = error
        with self._lock:
            if self._computing.get(key) is answer:
                del self._computing[key]
            if answer.error is None and not turn.over:
                self._keep(key, answer)
        with answer.news:
            answer.finished = True
            answer.news.notify_all()

    def _keep(self, key: Hashable, answer: _Answer[Any]) -> None:
        size = weight(answer.latest)
        if size > self.most_bytes // 4:
            return
        del answer.compute  # and all that it refers to
        self._kept[key] = _Kept(answer, size, self._age + answer.seconds / size)
        self.bytes += size
        if self.bytes <= self.most_bytes:
            return
        for forgotten in sorted(self._kept, key=lambda k: self._kept[k].worth):
            kept = self._kept.pop(forgotten)
            self._age = kept.worth
            self.bytes -= kept.bytes
            if self.bytes <= 0.9 * self.most_bytes:
                return

    def forget(self) -> None:
        """Everything that is remembered."""
        with self._lock:
            self._kept.clear()
            self.bytes = 0


def weight(value: Any) -> int:
    """About how many bytes a value takes: arrays and Datasets, and what is made of them."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes) + VARIABLE // 10
    if hasattr(value, "data_vars"):
        return int(value.nbytes) + VARIABLE * (1 + len(value.variables))
    if isinstance(value, Mapping):
        return sum(weight(v) for v in value.values()) + 100
    if isinstance(value, list | tuple):
        return sum(weight(v) for v in value) + 100
    if dataclasses.is_dataclass(value):
        return sum(weight(getattr(value, f.name)) for f in dataclasses.fields(value)) + 100
    return sys.getsizeof(value)


answers = Answers()
