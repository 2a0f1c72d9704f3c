"""Libraries and kernels are a hundred thousand objects that stay: to look for garbage among them while they are loaded
takes a tenth of a second, in which a first result could have been there.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mfexplore.core.together import Together

_used: set[type] = set()
_SOME = 10_000  # objects; Python itself puts some hundred aside


def _keep_garbage() -> Callable[[], None]:
    if not gc.isenabled():  # whoever switched it off finds it off
        return lambda: None
    gc.disable()
    return _search_later


def _search_later() -> None:
    """Look for garbage again, but not at once through all that was loaded: it counts as old, as if looked through."""
    if gc.get_freeze_count() < _SOME:  # else somebody, like our server, put libraries aside and wants them there
        gc.freeze()
        gc.unfreeze()
    gc.enable()


loading = Together(_keep_garbage)  # with loading(): Python does not look for garbage


@contextmanager
def first_use(kind: type) -> Iterator[None]:
    """The same as `loading`, but only the first time that something of this kind is computed."""
    if kind in _used:
        yield
        return
    with loading():
        yield
    _used.add(kind)
