"""The one way a kernel is compiled here."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numba

Function = TypeVar("Function", bound=Callable[..., Any])
settings: Any = numba.config

# Reassociation and friends, so that loops vectorise, but NaN and infinity keep their meaning.
FASTMATH = {"nsz", "arcp", "contract", "afn", "reassoc"}


def _writable(folder: Path) -> bool:
    while not folder.exists():
        folder = folder.parent
    return os.access(folder, os.W_OK)


def cache_folder() -> Path | None:
    """Where compiled kernels are kept between runs; None if no place can be written and every run compiles anew.

    Numba's own order is NUMBA_CACHE_DIR, `__pycache__` beside the source, then the user's cache folder; where all of
    these are read-only it raises on import, so we point it at the temporary folder first."""
    if settings.CACHE_DIR:
        return Path(settings.CACHE_DIR)
    package = Path(__file__).parents[1]
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"
    for folder in (package, home):
        if _writable(folder):
            return folder
    fallback = Path(tempfile.gettempdir()) / f"mfexplore-kernels-{os.getuid() if hasattr(os, 'getuid') else 0}"
    if _writable(fallback):
        settings.CACHE_DIR = str(fallback)
        return fallback
    return None


CACHED = cache_folder() is not None


def kernel(function: Function) -> Function:
    """Compile with Numba: cached, nogil, single-threaded, NumPy error model (x/0 is inf), NaN-safe fastmath."""
    compiled: Any = numba.njit(cache=CACHED, nogil=True, error_model="numpy", fastmath=FASTMATH)(function)
    return compiled  # type: ignore[no-any-return]


def inline_kernel(function: Function) -> Function:
    """The same for a small building block, inlined into its callers so that their loops vectorise."""
    compiled: Any = numba.njit(inline="always", error_model="numpy", fastmath=FASTMATH)(function)
    return compiled  # type: ignore[no-any-return]
