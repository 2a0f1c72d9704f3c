"""One owner at a time for a folder that is written to: a lock beside it, held by the operating system.

The lock ends with the process that holds it, however that ends, so a dead owner's folder is free at once. The file says
who the owner is. Where the file system knows no locks there is none: two sweeps in one store then compute the same
samples twice and write the same bits twice, which costs time and nothing else.
"""

from __future__ import annotations

import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EACCES, EAGAIN, EDEADLK
from pathlib import Path
from typing import IO

from mfexplore.core.errors import MfexploreError

TAKEN = (EACCES, EAGAIN, EDEADLK)
_held: set[IO[str]] = set()
FAR = 2**30  # Windows locks bytes against reading as well, so the byte that is locked lies behind the text


class StoreInUseError(MfexploreError):
    """Another process, or another thread of this one, is writing to a store."""


if sys.platform == "win32":
    import msvcrt

    def _lock(file: IO[str]) -> None:
        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _leave() -> None:
    """A forked child is no owner, and must not keep the lock of a parent that dies."""
    while _held:
        _held.pop().close()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave)


@contextmanager
def owned(store: Path) -> Iterator[None]:
    """Inside, nobody else owns the store. Raises StoreInUseError, which names the owner and since when, and OSError."""
    place = store.resolve()
    place = place.with_name(f"{place.name}.lock")
    place.parent.mkdir(parents=True, exist_ok=True)
    file = _taken(place, store)
    _held.add(file)
    try:
        file.seek(0)
        file.truncate()
        json.dump({"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()}, file)
        file.flush()
        yield
    finally:
        with suppress(OSError):  # Windows deletes no open file
            place.unlink()
        _held.discard(file)
        file.close()


def _taken(place: Path, store: Path) -> IO[str]:
    """The lock file, open and locked."""
    while True:
        file = place.open("a+", encoding="utf-8")
        try:
            _lock(file)
            if _is_still(place, file):
                return file
        except OSError as error:
            if error.errno not in TAKEN:  # no locks on this file system
                return file
            file.seek(0)
            owner = _described(file.read())
            file.close()
            raise StoreInUseError(
                f"{store} is being written to by {owner}. Wait for it, end it, or choose another store; "
                "`load` reads what is there."
            ) from None
        file.close()  # its owner left, and deleted it, between our opening and locking it


def _is_still(place: Path, file: IO[str]) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), place.stat())
    except FileNotFoundError:
        return False


def _described(text: str) -> str:
    """The owner in words, and how long it has been that."""
    try:
        owner = json.loads(text)
        age = max(0, round(time.time() - owner["since"]))
        since = f"{age // 3600}:{age // 60 % 60:02}:{age % 60:02}"
        return f"another sweep (process {owner['pid']} on {owner['host']}, for {since})"
    except (ValueError, KeyError, TypeError):  # it has begun in this very moment
        return "somebody else, since just now"
