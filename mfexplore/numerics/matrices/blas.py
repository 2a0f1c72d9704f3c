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

# OpenBLAS under the names that it is built with. threadpoolctl finds it, but lets only the first thread that ever asked
# change anything, while here the first of many comes and the last one goes.
SETTERS = [f"{before}openblas_set_num_threads{after}" for before in ("scipy_", "") for after in ("64_", "_64", "")]


@cache
def _libraries() -> list[tuple[Callable[[], int], Callable[[int], object]]]:
    """What tells the number of threads, and what sets it, for every BLAS of this process."""
    import scipy.linalg  # noqa: F401 (so that SciPy's own BLAS is loaded, and limited too)
    from threadpoolctl import ThreadpoolController

    found = ThreadpoolController().select(user_api="blas").lib_controllers
    return [(each.get_num_threads, _setter(each)) for each in found]


def _setter(library: Any) -> Callable[[int], object]:
    setter: Callable[[int], object] = library.set_num_threads
    names = SETTERS if library.internal_api == "openblas" else []
    return next((getattr(library.dynlib, name) for name in names if hasattr(library.dynlib, name)), setter)


def _limit() -> Callable[[], object]:
    before = [(put, get()) for get, put in _libraries()]
    for put, _ in before:
        put(1)
    return lambda: [put(number) for put, number in before]


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
