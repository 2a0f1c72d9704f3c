"""Linear algebra that shares the machine: BLAS on one thread.

Here many tasks run side by side on threads of our own. If each of them lets BLAS start threads too, these wait for one
another in busy loops as soon as a core is taken: a 512 x 512 eigenproblem that needs 50 ms was seen to take 100 times
as long on a busy machine, and gains little on an idle one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

_lock = Lock()
_inside = 0
_limiter: Any = None


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401 (so that SciPy's own BLAS is loaded, and limited too)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS of this process stays on the calling thread until the last of the concurrent users has left."""
    global _inside, _limiter
    with _lock:
        if _inside == 0:
            _limiter = _controller().limit(limits=1, user_api="blas")
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limiter.restore_original_limits()


def symmetric_eigenpairs(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All eigenvalues (ascending, shape (n,)) and orthonormal eigenvectors (columns, shape (n, n)) of a real symmetric
    matrix, of which the lower triangle is read.

    Other threads go on meanwhile: NumPy's call lets them, SciPy's (the same routine of LAPACK) would stop them all.
    """
    with one_blas_thread():
        values, vectors = np.linalg.eigh(matrix)
    return values, vectors
