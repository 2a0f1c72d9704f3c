"""Linear algebra that shares the machine: BLAS on one thread.

Here many tasks run side by side on threads of our own. If each of them lets BLAS start threads too, these wait for one
another in busy loops as soon as a core is taken: a 512 x 512 eigenproblem that needs 50 ms was seen to take 100 times
as long on a busy machine, and gains little on an idle one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.together import Together


@cache
def _controller() -> Any:
    import scipy.linalg  # noqa: F401 (so that SciPy's own BLAS is loaded, and limited too)
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


def _limit() -> Callable[[], object]:
    undo: Callable[[], object] = _controller().limit(limits=1, user_api="blas").restore_original_limits
    return undo


one_blas_thread = Together(_limit)  # with one_blas_thread(): BLAS of this process stays on the calling thread


def symmetric_eigenpairs(matrix: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """All eigenvalues (ascending, shape (n,)) and orthonormal eigenvectors (columns, shape (n, n)) of a real symmetric
    matrix, of which the lower triangle is read.

    Other threads go on meanwhile: NumPy's call lets them, SciPy's (the same routine of LAPACK) would stop them all.
    """
    with one_blas_thread():
        values, vectors = np.linalg.eigh(matrix)
    return values, vectors


def symmetric_eigenvalues(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """The eigenvalues alone, which takes a third of the time."""
    with one_blas_thread():
        return np.asarray(np.linalg.eigvalsh(matrix), np.float64)
