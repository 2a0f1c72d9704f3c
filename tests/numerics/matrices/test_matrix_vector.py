"""Products of a dense matrix with a vector."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.numerics.matrices.matrix_vector import product, products, transposed_product


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 7), (129, 64), (250, 401)])
def test_products_are_those_of_numpy(dtype: type, shape: tuple[int, int], rng: np.random.Generator) -> None:
    matrix = rng.standard_normal(shape).astype(dtype)
    x, y = rng.standard_normal(shape[1]).astype(dtype), rng.standard_normal(shape[0]).astype(dtype)
    forward, backward = np.empty(shape[0], dtype), np.full(shape[1], np.nan, dtype)
    product(matrix, x, forward)
    transposed_product(matrix, y, backward)
    tolerance = 40 * np.finfo(dtype).eps * np.sqrt(max(shape))
    np.testing.assert_allclose(forward, matrix.astype(np.float64) @ x, atol=tolerance)
    np.testing.assert_allclose(backward, matrix.astype(np.float64).T @ y, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (4, 7), (129, 64)])
@pytest.mark.parametrize("count", [1, 2, 5, 16])
def test_many_products_at_once_are_those_of_numpy(
    dtype: type, shape: tuple[int, int], count: int, rng: np.random.Generator
) -> None:
    matrix, vectors = rng.standard_normal(shape).astype(dtype), rng.standard_normal((count, shape[1])).astype(dtype)
    out = np.full((count, shape[0]), np.nan)
    products(matrix, vectors, out)
    tolerance = 40 * np.finfo(dtype).eps * np.sqrt(max(shape))
    np.testing.assert_allclose(out, vectors.astype(np.float64) @ matrix.astype(np.float64).T, atol=tolerance)
