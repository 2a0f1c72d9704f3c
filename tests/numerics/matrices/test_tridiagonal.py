"""Tridiagonal eigenvalues against LAPACK's of the whole matrix."""

from __future__ import annotations

import threading
import time

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mfexplore.numerics.matrices.tridiagonal import tridiagonal_eigenvalues


def dense(diagonal: np.ndarray, squares: np.ndarray) -> np.ndarray:
    off = np.sqrt(squares)
    return np.diag(diagonal) + np.diag(off, 1) + np.diag(off, -1)


@given(st.integers(1, 40), st.integers(0, 10**6), st.floats(-12, 12), st.booleans())
def test_eigenvalues_are_those_of_the_whole_matrix(n: int, seed: int, decades: float, graded: bool) -> None:
    """Also where elements vanish, differ by decades, or the diagonal is zero."""
    rng = np.random.default_rng(seed)
    diagonal, squares = rng.normal(size=n), rng.gamma(1, size=max(n - 1, 0))
    squares[rng.random(squares.size) < 0.2] = 0
    if graded:
        squares *= 10.0 ** np.linspace(0, decades, squares.size)
    if seed % 3 == 0:
        diagonal[:] = 0
    found, expected = tridiagonal_eigenvalues(diagonal, squares), np.linalg.eigvalsh(dense(diagonal, squares))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-13 * max(1.0, np.abs(expected).max()))


def test_a_free_chain_has_the_known_spectrum() -> None:
    n = 500
    found = tridiagonal_eigenvalues(np.zeros(n), np.ones(n - 1))
    np.testing.assert_allclose(found, np.sort(2 * np.cos(np.pi * np.arange(1, n + 1) / (n + 1))), atol=1e-13)


def test_what_is_given_stays_and_what_is_no_number_stays_none() -> None:
    diagonal, squares = np.array([1.0, 2.0, 3.0]), np.array([0.5, 0.25])
    tridiagonal_eigenvalues(diagonal, squares)
    np.testing.assert_array_equal(diagonal, [1, 2, 3])
    np.testing.assert_array_equal(squares, [0.5, 0.25])
    assert np.isnan(tridiagonal_eigenvalues(np.array([1.0, np.nan]), np.array([1.0]))).any()


def test_other_threads_go_on_meanwhile() -> None:
    """A clock in another thread ticks while a large matrix is diagonalised."""
    rng = np.random.default_rng(1)
    tridiagonal_eigenvalues(np.zeros(2), np.ones(1))
    ticks: list[float] = []
    done = threading.Event()

    def work() -> None:
        tridiagonal_eigenvalues(rng.normal(size=3000), rng.gamma(1000.0, size=2999))
        done.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not done.is_set():
        ticks.append(time.perf_counter())
        time.sleep(0.001)
    thread.join()
    assert len(ticks) > 5
