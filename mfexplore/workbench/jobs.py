"""Long work beside a page that never freezes: the newest request wins, the last one always finishes."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

Cancelled = Callable[[], bool]

COURTESY = 0.1  # seconds that a job waits for the page to take its first result, or lets another job go first
FRAME = 0.02  # seconds that a browser needs to paint what it was sent, on the cores that the jobs compute on


@dataclass
class _Job:
    work: Callable[[Cancelled], Iterator[Any]]
    deliver: Callable[[Any], None]
    finish: Callable[[], None]
    fail: Callable[[Exception], None]
    cancel: threading.Event = field(default_factory=threading.Event)
    delivered: bool = False
    shown: threading.Event = field(default_factory=threading.Event)  # its first result is, or there is none


class Jobs:
    """The running jobs of one session, at most one of each kind.

    A job is a generator function: it is called with `cancelled` (a function to ask between slices) and yields results,
    coarse to fine. It runs in a thread of its own; results are handed to `post`, which calls them in the toolkit's own
    thread. A newer job of the same kind replaces it, but not before its first result is out: otherwise a slider that
    never rests would never show anything.
    """

    def __init__(self, post: Callable[[Callable[[], None]], None]) -> None:
        self._post = post
        self._lock = threading.Lock()
        self._running: dict[str, _Job] = {}
        self._waiting: dict[str, _Job] = {}
        self._closed = False

    def submit(
        self,
        kind: str,
        work: Callable[[Cancelled], Iterator[Any]],
        deliver: Callable[[Any], None],
        finish: Callable[[], None] = lambda: None,
        fail: Callable[[Exception], None] = lambda error: None,
        after: str = "",
    ) -> None:
        """Start a job, or let it wait until the running one of its kind has shown a first result.

        after: a kind that goes first if it runs, until its first result is shown but for a tenth of a second at most:
        threads that compute at the same time keep the page waiting for both.
        """
        job = _Job(self._behind(after, work) if after else work, deliver, finish, fail)
        with self._lock:
            if self._closed:
                return
            running = self._running.get(kind)
            if running is None:
                self._start(kind, job)
                return
            self._waiting[kind] = job
            if running.delivered:
                running.cancel.set()

    def cancel(self, kind: str) -> None:
        """Stop the job of this kind, and the one that waits behind it."""
        with self._lock:
            self._waiting.pop(kind, None)
            if kind in self._running:
                self._running[kind].cancel.set()

    def close(self) -> None:
        """Stop everything; later submissions are ignored. For a tab that was closed."""
        with self._lock:
            self._closed = True
            self._waiting.clear()
            for job in self._running.values():
                job.cancel.set()

    def busy(self, kind: str) -> bool:
        with self._lock:
            return kind in self._running

    def _behind(self, kind: str, work: Callable[[Cancelled], Iterator[Any]]) -> Callable[[Cancelled], Iterator[Any]]:
        def patient(cancelled: Cancelled) -> Iterator[Any]:
            with self._lock:
                first = self._running.get(kind)
            if first is not None:
                first.shown.wait(COURTESY)
            yield from work(cancelled)

        return patient

    def _start(self, kind: str, job: _Job) -> None:
        self._running[kind] = job
        threading.Thread(target=self._run, args=(kind, job), name=f"job-{kind}", daemon=True).start()

    def _run(self, kind: str, job: _Job) -> None:
        try:
            for result in job.work(job.cancel.is_set):
                if job.cancel.is_set():
                    break
                self._post(lambda result=result: None if job.cancel.is_set() else job.deliver(result))  # type: ignore[misc]
                with self._lock:
                    job.delivered = True
                    if kind in self._waiting:
                        job.cancel.set()
                if not (job.shown.is_set() or job.cancel.is_set()):
                    taken = threading.Event()
                    self._post(taken.set)
                    taken.wait(COURTESY)
                    job.cancel.wait(FRAME)
                    job.shown.set()
            if not job.cancel.is_set():
                self._post(job.finish)
        except Exception as error:  # whatever a kernel may raise belongs on the page, not into a dead thread
            if not job.cancel.is_set():
                self._post(lambda error=error: job.fail(error))  # type: ignore[misc]
        finally:
            job.shown.set()
            with self._lock:
                del self._running[kind]
                following = self._waiting.pop(kind, None)
                if following is not None and not self._closed:
                    self._start(kind, following)
