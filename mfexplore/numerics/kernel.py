"""The one way a kernel is compiled here, and the one place where compiled kernels are kept.

Numba keeps a compiled kernel for as long as the file it stands in is unchanged. That is not enough here, for three
reasons, each dealt with below: the building blocks of a kernel stand in other files (numerics/), and a changed block
must not be answered by an old kernel; the package's folder, or even the home, may be read-only; and processes that
compile at the same time must not mix up Numba's index of a kernel, which is read, changed and written back.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import numba

try:
    import fcntl
except ImportError:  # Windows: there Numba retries by itself when two processes meet at a file
    fcntl = None  # type: ignore[assignment]

Function = TypeVar("Function", bound=Callable[..., Any])
settings: Any = numba.config

# Reassociation and friends, so that loops vectorise, but NaN and infinity keep their meaning.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}

PACKAGE = Path(__file__).parents[1]
BLOCKS = Path(__file__).parent
_IMPORTED_BLOCKS = re.compile(r"mfexplore\.numerics(?:\.(\w+)| import (\([^)]*\)|.*))")
_decorating = threading.Lock()


def candidates() -> list[Path]:
    """Folders in which compiled kernels may be kept, best first."""
    if settings.CACHE_DIR:
        return [Path(settings.CACHE_DIR) / "mfexplore"]
    found = [PACKAGE / "__pycache__" / "kernels"]
    with suppress(RuntimeError):  # there is no home
        place = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or Path.home() / ".cache"
        found.append(Path(place) / "mfexplore" / "kernels")
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "")
    return [*found, Path(tempfile.gettempdir()) / f"mfexplore-kernels-{user}"]


@cache
def cache_folder() -> Path | None:
    """Where compiled kernels are kept between runs; None if no place can be written and every run compiles anew."""
    for folder in candidates():
        with suppress(OSError):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            # Kernels are code: what somebody else put into a shared temporary folder is not run.
            own = not hasattr(os, "getuid") or folder.stat().st_uid == os.getuid() or PACKAGE in folder.parents
            if own and os.access(folder, os.W_OK):
                return folder
    return None


@cache
def blocks(file: Path) -> frozenset[Path]:
    """The file itself and every file of numerics/ that it imports, directly or not."""
    found: set[Path] = set()
    ahead = [file]
    while ahead:
        here = ahead.pop()
        found.add(here)
        imported = _IMPORTED_BLOCKS.findall(here.read_text(encoding="utf-8"))
        words = re.findall(r"\w+", " ".join(" ".join(groups) for groups in imported))
        ahead += [f for f in (BLOCKS / f"{w}.py" for w in set(words)) if f not in found and f.exists()]
    return frozenset(found)


@cache
def store(file: Path) -> Path | None:
    """Folder for the compiled kernels of a source file as it and its building blocks are now; None: not kept."""
    root = cache_folder()
    if root is None:
        return None
    stamp = hashlib.sha256()
    for block in sorted(blocks(file)):
        stamp.update(block.name.encode() + block.read_bytes())
    return root / f"{file.stem}-{stamp.hexdigest()[:12]}"


@contextmanager
def one_writer(folder: Path) -> Iterator[None]:
    """Hold the folder's lock; other processes wait."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("ab") as file:
        if fcntl is not None:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def kernel(function: Function) -> Function:
    """Compile with Numba: cached, nogil, single-threaded, NumPy error model (x/0 is inf), NaN-safe fastmath."""
    folder = store(Path(function.__code__.co_filename))
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": FASTMATH}
    if folder is None:
        return numba.njit(**options)(function)  # type: ignore[no-any-return]
    with _decorating:  # Numba reads the setting only while it decorates; other packages keep theirs
        before, settings.CACHE_DIR = settings.CACHE_DIR, str(folder)
        try:
            compiled: Any = numba.njit(cache=True, **options)(function)
        finally:
            settings.CACHE_DIR = before
    kept = getattr(compiled, "_cache", None)  # None under NUMBA_DISABLE_JIT
    if kept is not None:
        save = kept.save_overload

        def save_alone(*args: Any) -> None:
            with one_writer(folder):
                save(*args)

        kept.save_overload = save_alone
    return compiled  # type: ignore[no-any-return]


def inline_kernel(function: Function) -> Function:
    """The same for a small building block, inlined into its callers so that their loops vectorise."""
    compiled: Any = numba.njit(inline="always", error_model="numpy", fastmath=FASTMATH)(function)
    return compiled  # type: ignore[no-any-return]


def forget_former() -> int:
    """Delete the kernels of sources that have changed since, and return how many files' kernels that were."""
    root = cache_folder()
    if root is None:
        return 0
    present = {store(file) for file in PACKAGE.rglob("*.py")}
    former = [folder for folder in root.iterdir() if folder.is_dir() and folder not in present]
    for folder in former:
        shutil.rmtree(folder, ignore_errors=True)
    return len(former)
