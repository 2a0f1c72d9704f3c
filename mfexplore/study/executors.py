"""Where work runs: threads of our own over nogil kernels, here; anything with `submit`, when users outgrow it."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from functools import cache


@cache
def shared_threads() -> ThreadPoolExecutor:
    """One thread per core, shared by all jobs of this process; short tasks keep it fair."""
    return ThreadPoolExecutor(os.cpu_count() or 2, thread_name_prefix="mfexplore")
