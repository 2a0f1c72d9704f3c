"""Threads that wait for their next piece of work: starting one costs whoever starts it two turns of the interpreter."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import Empty, SimpleQueue

from mfexplore.core.forks import renew_after_fork

LINGER = 5.0  # seconds after which a thread without work ends

Work = Callable[[], None]


class Threads:
    """As many as there is work at a time, none of which keeps a program from ending."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[SimpleQueue[Work]] = []

    def run(self, work: Work) -> None:
        """Do it soon, in another thread. work: raises nothing."""
        with self._lock:
            waits = self._idle.pop() if self._idle else None
        if waits is not None:
            waits.put(work)
        else:
            threading.Thread(target=self._work, args=(work,), name="work", daemon=True).start()

    def _work(self, work: Work) -> None:
        mine: SimpleQueue[Work] = SimpleQueue()
        while True:
            work()
            del work  # and all that it refers to
            with self._lock:
                self._idle.append(mine)
            try:
                work = mine.get(timeout=LINGER)
            except Empty:
                with self._lock:
                    if mine in self._idle:
                        self._idle.remove(mine)
                        return
                work = mine.get()  # in the last moment


threads = Threads()
