"""BLAS stays on one thread while anyone asks for it, and gets its threads back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import numpy as np
from threadpoolctl import threadpool_info, threadpool_limits

from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs, symmetric_eigenvalues


def threads() -> list[int]:
    return [library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"]


def test_limits_overlap_and_end() -> None:
    with one_blas_thread():  # loads SciPy's BLAS
        pass
    before = threads()
    together = Barrier(2, timeout=60)

    def use(stays: bool) -> list[int]:
        with one_blas_thread():
            together.wait()
        if stays:
            together.wait()
        else:
            seen = threads()
            together.wait()
            return seen
        return []

    with ThreadPoolExecutor(2) as pool, one_blas_thread():
        assert set(threads()) == {1}
        results = list(pool.map(use, (True, False)))
    assert set(results[1]) == {1}
    assert threads() == before


def test_a_thread_that_asked_before_and_lives_is_in_nobodys_way() -> None:
    with ThreadPoolExecutor(1) as pool:
        pool.submit(lambda: threadpool_limits(1).restore_original_limits()).result()
        before = threads()
        with one_blas_thread():
            assert set(threads()) == {1}
        assert threads() == before


def test_eigenpairs(rng: np.random.Generator) -> None:
    a = rng.normal(size=(50, 50))
    a += a.T
    values, vectors = symmetric_eigenpairs(a)
    np.testing.assert_allclose(a @ vectors, vectors * values, atol=1e-12)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(50), atol=1e-12)
    assert (np.diff(values) >= 0).all()
    np.testing.assert_allclose(symmetric_eigenvalues(a), values, atol=1e-12)
