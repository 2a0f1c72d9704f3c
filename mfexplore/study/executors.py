"""Where work runs: threads of our own over nogil kernels, here; anything with `submit`, when users outgrow it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def shared_threads() -> ThreadPoolExecutor:
    """One thread per core for short tasks (tiles of a diagram), shared by all jobs of this process and so fair."""
    return ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="mfexplore")


@cache
def background_threads() -> ThreadPoolExecutor:
    """One thread per core for long tasks (samples of an ensemble), apart, so that no diagram waits behind them."""
    return ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="mfexplore-background")
