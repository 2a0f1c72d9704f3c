"""Where this package keeps what it has worked out: compiled kernels, what is known of its sources, pictures."""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path

from mfexplore.core.files import write

PACKAGE = Path(__file__).parents[1]
CHECKOUT = (PACKAGE.parent / "pyproject.toml").is_file()


def _named_by_user() -> str:
    """NUMBA_CACHE_DIR, or the setting of Numba where it has been loaded (asking must not load it)."""
    numba = sys.modules.get("numba")
    config = getattr(numba, "config", None)
    return str(getattr(config, "CACHE_DIR", os.environ.get("NUMBA_CACHE_DIR", "")))


def candidates() -> list[Path]:
    """Folders in which things may be kept, best first.

    An installed package keeps them in itself, so that one warm-up serves everybody who uses the installation. A
    checkout keeps them with its user: what several checkouts have in common is compiled once.
    """
    named = _named_by_user()
    if named:
        return [Path(named) / PACKAGE.name]
    found = [PACKAGE / "__pycache__" / "kernels"]
    with suppress(RuntimeError):  # there is no home
        place = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
        found.insert(0 if CHECKOUT else 1, Path(place) / PACKAGE.name / "kernels")
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return [*found, Path(tempfile.gettempdir()) / f"{PACKAGE.name}-kernels-{user}"]


def trusted(folder: Path) -> bool:
    """Kernels are code: what somebody else put into a shared temporary folder is not run."""
    return not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid() or PACKAGE in folder.parents


@cache
def cache_folder() -> Path | None:
    """Where things are kept between runs; None if no place can be written and every run works them out anew."""
    for folder in candidates():
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if trusted(folder) and os.access(folder, os.W_OK):
                return folder
    return None


@cache
def kept_folders() -> tuple[Path, ...]:
    """Every folder in which something may have been kept that can be read, also those that can't be written."""
    found = []
    for folder in candidates():
        with suppress(OSError):
            if trusted(folder) and os.access(folder, os.R_OK | os.X_OK):
                found.append(folder)
    first = cache_folder()
    return tuple(dict.fromkeys(found if first is None else [first, *found]))


def write_whole(file: Path, content: bytes) -> bool:
    """Keep something; False: there is no room. Others may read the file meanwhile: they see the old one or the new."""
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write(file, content)
    except OSError:  # the disk is full, the folder has gone, or (on Windows) somebody reads the old file
        return False
    return True
