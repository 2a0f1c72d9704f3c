"""Long work beside a page that never freezes: the newest request wins, the last one always finishes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from mfexplore.core.forks import renew_after_fork
from mfexplore.study.threads import threads
from mfexplore.study.turns import Person, Turn

Cancelled = Callable[[], bool]

COURTESY = 0.1  # seconds that a job waits for the page to take its first result, or lets another job go first
FRAME = 0.02  # seconds that a browser needs to paint what it was sent, on the cores that the jobs compute on


@dataclass
class _Job:
    work: Callable[[Cancelled], Iterator[Any]]
    deliver: Callable[[Any], None]
    finish: Callable[[], None] | None
    fail: Callable[[Exception], None]
    turn: Turn
    after: str
    delivered: bool = False
    shown: threading.Event = field(default_factory=threading.Event)  # its first result is, or there is none


def _hand_over(job: _Job, result: Any, taken: threading.Event) -> None:
    """In the page's own thread, which every post wakes."""
    try:
        if not job.turn.over:
            job.deliver(result)
    finally:
        taken.set()


class Jobs:
    """The running jobs of one session, at most one of each kind.

    A job is a generator function: it is called with `cancelled` (a function to ask between slices, which also gives way
    to more urgent work of the process) and yields results, coarse to fine. It runs in another thread, whenever it is
    its turn; results are handed to `post`, which calls them in the toolkit's own thread. A newer job of a kind
    replaces it, but not before its first result is out: otherwise a slider that never rests would never show anything.

    person: who has this page open. The page says there whether it is visible, and when a hand moves (`touch`).
    """

    def __init__(self, post: Callable[[Callable[[], None]], None], person: Person | None = None) -> None:
        self._post = post
        self.person = person or Person()
        self._closed = False
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._running: dict[str, _Job] = {}
        self._waiting: dict[str, _Job] = {}

    def submit(
        self,
        kind: str,
        work: Callable[[Cancelled], Iterator[Any]],
        deliver: Callable[[Any], None],
        finish: Callable[[], None] | None = None,
        fail: Callable[[Exception], None] = lambda error: None,
        after: str = "",
        queued: Callable[[int | None], None] = lambda turns: None,
    ) -> None:
        """Start a job, or let it wait until the running one of its kind has shown a first result.

        after: a kind that goes first if it runs, until its first result is shown but for a tenth of a second at most:
        threads that compute at the same time keep the page waiting for both.
        queued: called with the number of those before it while it waits for its turn, and with None when it has it.
        """

        def ahead(turns: int | None) -> None:
            self._post(lambda: queued(turns))

        job = _Job(work, deliver, finish, fail, Turn([self.person], ahead=ahead), after)
        with self._lock:
            if self._closed:
                return
            running = self._running.get(kind)
            if running is None:
                self._start(kind, job)
                return
            self._waiting[kind] = job
            if running.delivered:
                running.turn.cancel()

    def cancel(self, *kinds: str) -> None:
        """Stop the jobs of these kinds, and those that wait behind them."""
        with self._lock:
            for kind in kinds:
                self._waiting.pop(kind, None)
                if kind in self._running:
                    self._running[kind].turn.cancel()

    def close(self) -> None:
        """Stop everything; later submissions are ignored. For a tab that was closed."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for job in self._running.values():
                job.turn.cancel()

    def busy(self, kind: str) -> bool:
        with self._lock:
            return kind in self._running

    @property
    def idle(self) -> bool:
        """Whether nothing runs, and everything that has been found is posted."""
        with self._lock:
            return not self._running

    def _start(self, kind: str, job: _Job) -> None:
        self._running[kind] = job
        threads.run(lambda: self._run(kind, job))

    def _run(self, kind: str, job: _Job) -> None:
        turn = job.turn
        try:
            self._wait_behind(job)
            for result in self._results(job):
                taken = threading.Event()
                self._post(partial(_hand_over, job, result, taken))
                with self._lock:
                    job.delivered = True
                    if kind in self._waiting:
                        turn.cancel()
                if not (job.shown.is_set() or turn.over):
                    taken.wait(COURTESY)
                    turn.ended.wait(FRAME)
                    job.shown.set()
            if job.finish is not None and not turn.over:
                self._post(job.finish)
        except CancelledError:
            pass
        except Exception as error:  # whatever a kernel may raise belongs on the page, not into a dead thread
            if not turn.over:
                self._post(lambda error=error: job.fail(error))  # type: ignore[misc]
        finally:
            job.shown.set()
            with self._lock:
                del self._running[kind]
                following = self._waiting.pop(kind, None)
                if following is not None and not self._closed:
                    self._start(kind, following)

    def _results(self, job: _Job) -> Iterator[Any]:
        """What the job yields, computed whenever it is its turn; until it is cancelled."""
        results = job.work(job.turn.cancelled)
        try:
            while True:
                with job.turn:
                    try:
                        result = next(results)
                    except StopIteration:
                        return
                if job.turn.over:
                    return
                yield result
        finally:
            if hasattr(results, "close"):  # a generator leaves at once what it has joined
                results.close()

    def _wait_behind(self, job: _Job) -> None:
        if job.after:
            with self._lock:
                first = self._running.get(job.after)
            if first is not None:
                first.shown.wait(COURTESY)
