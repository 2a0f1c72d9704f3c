"""Worker processes that nobody leaves behind."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import suppress
from functools import partial
from multiprocessing import get_context


class Processes(ProcessPoolExecutor):
    """A pool whose workers end with this process, however it ends, and at once when they are let go.

    Python's own pool leaves its workers waiting for ever when this process is killed. Here each holds one end of a
    pipe; when the other end is gone, by the hand of `let_go` or of the system, it ends in the middle of its work.
    Workers are spawned, because forking a process that has compiled is not safe.
    """

    def __init__(self, workers: int) -> None:
        context = get_context("spawn")
        held, self._line = context.Pipe(duplex=False)
        super().__init__(workers, mp_context=context, initializer=end_after, initargs=(held.recv_bytes,))

    def let_go(self) -> None:
        """End the workers now; what they were doing is lost."""
        self._line.close()


def end_after(wait: Callable[[], object]) -> None:
    """End this process, whatever it does, when `wait` returns or finds the other end closed."""

    def watch() -> None:
        with suppress(EOFError, OSError):
            wait()
        os._exit(1)

    threading.Thread(target=watch, name="end with parent", daemon=True).start()


def end_with_input() -> None:
    """End this process when its standard input ends: that of a process which was started with a pipe to it."""
    end_after(partial(os.read, 0, 1))


def lifeline() -> Callable[[], None]:
    """To be asked for before this process forks: what is returned makes a child that calls it end with this process."""
    held, line = os.pipe()

    def hold() -> None:
        os.close(line)  # of this child; the last one is its parent's
        end_after(partial(os.read, held, 1))

    return hold
