"""Libraries and kernels are a hundred thousand objects that stay: to look for garbage among them while they are loaded
takes a tenth of a second, in which a first result could have been there.
"""

from __future__ import annotations

import gc
import threading
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_inside = 0
_was_on = False
_used: set[type] = set()


@contextmanager
def loading() -> Iterator[None]:
    """Python does not look for garbage until the last of the concurrent users has left."""
    global _inside, _was_on
    with _lock:
        if _inside == 0:
            _was_on = gc.isenabled()
            gc.disable()
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0 and _was_on:
                gc.enable()


@contextmanager
def first_use(kind: type) -> Iterator[None]:
    """The same, but only the first time that something of this kind is computed."""
    if kind in _used:
        yield
        return
    with loading():
        yield
    _used.add(kind)
