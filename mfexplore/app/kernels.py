"""Compilation never freezes a page: it happens in another process, and this one then loads from the disk cache."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque


class Kernels:
    """Which systems are compiled. What a page wants comes first; eager: then all others, in the background."""

    def __init__(self, keys: list[str], eager: bool = True) -> None:
        self._keys, self._eager = keys, eager
        self._ready: set[str] = set()
        self._queue: deque[str] = deque()
        self._wake = threading.Condition()
        self._stopped = False
        self._process: subprocess.Popen[bytes] | None = None
        self._now = ""

    def ready(self, key: str) -> bool:
        """Whether a page may compute with this system."""
        if key in self._ready:
            return True
        from mfexplore.study.warmup import is_warm

        if is_warm(key):
            self._ready.add(key)
        return key in self._ready

    @property
    def compiling(self) -> str:
        """The system that is being compiled; empty if none is."""
        return self._now

    def want(self, key: str) -> None:
        """A page waits for this system: compile it next."""
        with self._wake:
            if key != self._now:
                if key in self._queue:
                    self._queue.remove(key)
                self._queue.appendleft(key)
            self._wake.notify()

    def start(self) -> None:
        if self._eager:
            self._queue.extend(self._keys)
        threading.Thread(target=self._work, name="compile", daemon=True).start()

    def stop(self) -> None:
        with self._wake:
            self._stopped = True
            if self._process is not None:
                self._process.terminate()
            self._wake.notify()

    def _work(self) -> None:
        while True:
            with self._wake:
                while not self._queue and not self._stopped:
                    self._wake.wait()
                if self._stopped:
                    return
                key = self._now = self._queue.popleft()
            if not self.ready(key):
                self._compile(key)
            self._now = ""

    def _compile(self, key: str) -> None:
        command = [sys.executable, "-m", "mfexplore.study.warmup", key]
        with self._wake:
            if self._stopped:
                return
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        with self._process as process:  # it ends when its input ends, so also when this process is killed
            process.wait()
        self._process = None
        # Even if it failed (no place to keep kernels, say) the page must open: it then compiles on first use.
        self._ready.add(key)
