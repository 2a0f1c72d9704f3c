"""Threads do not survive a fork, and a lock that one of them held is never released in the child: whoever owns such
things makes them anew there.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import Protocol
from weakref import WeakSet


class Renewed(Protocol):
    """An owner of threads or locks."""

    def renew(self) -> None:
        """Make them anew, idle and open. The child has one thread, the one that forked: what others were doing will not
        be finished there.
        """


_owners: WeakSet[Renewed] = WeakSet()


def renew_after_fork(owner: Renewed) -> None:
    """Call `owner.renew()` in the child of every fork from now on, for as long as the owner lives."""
    _owners.add(owner)


class ForkLock:
    """A lock that is open in the child of a fork; for modules, which have no owner to renew it."""

    def __init__(self) -> None:
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        """Open it: the thread that held it does not exist here."""
        self._lock = Lock()

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *error: object) -> None:
        self._lock.release()


def _renew_all() -> None:
    for owner in list(_owners):
        owner.renew()


if hasattr(os, "register_at_fork"):  # not on Windows, where there is no fork
    os.register_at_fork(after_in_child=_renew_all)
