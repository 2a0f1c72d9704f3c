"""Settings of the interpreter, made only where the whole process is ours: never in that of a library's user."""

from __future__ import annotations

import gc
import sys

_ours = False

# Objects more than there were at the last look for garbage. Libraries and kernels are a hundred thousand that stay: to
# look through them over and over while they are loaded takes a tenth of a second of a first result.
SELDOM = 200_000
PROMPT = 0.0001  # seconds after which a thread that waits for the interpreter gets it


def take_over() -> None:
    """Say that the process is ours, and set it up for loading much at once."""
    global _ours
    _ours = True
    gc.set_threshold(SELDOM)


def serve_promptly() -> None:
    """The page's thread gives way with every piece that it writes, and gets its turn back only after so long."""
    if _ours:
        sys.setswitchinterval(PROMPT)


def keep_loaded() -> None:
    """What is loaded now stays: looking through it for garbage would stop every page for a tenth of a second."""
    if _ours:
        gc.collect()
        gc.freeze()
