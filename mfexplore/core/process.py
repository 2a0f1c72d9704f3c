"""Settings of the interpreter, made only where the whole process is ours: never in that of a library's user."""

from __future__ import annotations

import ctypes
import gc
import sys
from contextlib import suppress

_ours = False

# Objects more than there were at the last look for garbage. Libraries and kernels are a hundred thousand that stay: to
# look through them over and over while they are loaded takes a tenth of a second of a first result.
SELDOM = 200_000
PROMPT = 0.002  # seconds until a thread that waits for the interpreter gets it; less, and those who wait cost too much

M_ARENA_MAX, ARENAS = -8, 2  # places in which glibc keeps free memory: with one for each thread a server only grows


def take_over() -> None:
    """Say that the process is ours, and set it up for loading much at once."""
    global _ours
    _ours = True
    gc.set_threshold(SELDOM)


def serve_promptly() -> None:
    """The page's thread gives way with every piece that it writes, and gets its turn back only after so long."""
    if _ours:
        sys.setswitchinterval(PROMPT)
        with suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(M_ARENA_MAX, ARENAS)


def give_back(garbage: bool = True) -> None:
    """Give back to the system what is free but kept by the allocator: loading kernels leaves tens of MiB behind.
    garbage: look for that first, which is done seldom, since closed pages leave some.
    """
    if _ours:
        if garbage:
            gc.collect()
        with suppress(OSError, AttributeError):  # another C library than glibc has no such thing
            ctypes.CDLL(None).malloc_trim(0)


def keep_loaded() -> None:
    """What is loaded now stays: looking through it for garbage would stop every page for a tenth of a second."""
    if _ours:
        gc.collect()
        gc.freeze()
