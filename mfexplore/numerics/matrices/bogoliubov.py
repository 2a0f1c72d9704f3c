"""Normal modes of coupled bosons, by Cholesky (J. H. P. Colpa, Physica A 93, 327 (1978))."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.matrices.blas import one_blas_thread

Array = NDArray[Any]


def normal_modes(normal: Array, anomalous: Array) -> tuple[Array, Array]:
    """Frequencies and ground-state correlations of H = sum A_ij a_i^+ a_j + (B_ij a_i^+ a_j^+ + h.c.)/2.

    Args:
        normal: A, Hermitian; anomalous: B, symmetric; complex of shape (n, n). H must be positive: raises LinAlgError.

    Returns:
        The frequencies, shape (n,), ascending, and the symmetrised correlations of (a, a^+) with themselves, shape
        (2n, 2n): <{a_i, a_j^+}>/2 in the upper left quarter, <a_i a_j> in the upper right one.
    """
    n = len(normal)
    with one_blas_thread():
        form = np.block([[normal, anomalous], [anomalous.conj(), normal.conj()]])
        lower = np.linalg.cholesky(form)  # H = L L^+
        signed = lower.conj().T.copy()
        signed[:, n:] *= -1  # L^+ diag(1, -1)
        levels, vectors = np.linalg.eigh(signed @ lower)
        modes = np.linalg.solve(lower.conj().T, vectors * np.sqrt(np.abs(levels)))
        correlations = 0.5 * modes @ modes.conj().T
    return levels[n:], correlations
