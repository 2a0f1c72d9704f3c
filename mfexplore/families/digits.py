"""The handwritten digits that come with scikit-learn, as black and white patterns of any size."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from numpy.typing import NDArray

ORDER = (3, 4, 6, 1, 0, 7, 2, 5, 9, 8)  # the first three resemble each other least
HALF_OF_THE_INK = 8.0


@cache
def digits() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The 1797 images, shape (n, 8, 8) in 0..16, and the digits they show, shape (n,)."""
    from sklearn.datasets import load_digits

    data = load_digits()
    images: NDArray[np.float64] = data.images
    return images, data.target


def enlarged(images: NDArray[np.float64], side: int) -> NDArray[np.int8]:
    """Images of shape (..., n, n) at side x side pixels, interpolated linearly, 1 above half of the ink and else -1."""
    n = images.shape[-1]
    place = np.clip((np.arange(side) + 0.5) * n / side - 0.5, 0, n - 1)
    weight = np.maximum(0.0, 1.0 - np.abs(place[:, None] - np.arange(n)))
    return np.where(weight @ images @ weight.T > HALF_OF_THE_INK, 1, -1).astype(np.int8)


def as_patterns(images: NDArray[np.float64], size: int) -> NDArray[np.int8]:
    """The same as columns of `size` pixels, shape (size, images): the first of the smallest square that holds them."""
    side = math.ceil(math.sqrt(size))
    return np.ascontiguousarray(enlarged(images, side).reshape(len(images), -1)[:, :size].T)


def assorted(count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Random images, shape (count, 8, 8), of the digits in ORDER, again and again. No image comes twice until all have
    been used; then they come mirrored and turned.
    """
    images, values = digits()
    waiting: dict[int, list[int]] = {}
    used = dict.fromkeys(ORDER, -1)
    chosen = np.empty((count, 8, 8))
    for k in range(count):
        digit = ORDER[k % 10]
        if not waiting.get(digit):
            waiting[digit] = rng.permutation(np.flatnonzero(values == digit)).tolist()
            used[digit] += 1
        image = images[waiting[digit].pop()]
        chosen[k] = np.rot90(image.T if used[digit] & 1 else image, used[digit] >> 1)
    return chosen


def handwritings(digit: int, count: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Up to `count` different images of one digit (there are 174 to 183 of each), shape (n, 8, 8), in random order."""
    images, values = digits()
    return images[rng.permutation(np.flatnonzero(values == digit))[:count]]


def typical(digit: int, size: int) -> NDArray[np.int8]:
    """The pattern of shape (size,) that most images of a digit agree with, pixel by pixel."""
    images, values = digits()
    mean = as_patterns(images[values == digit], size).mean(axis=1)
    return np.where(mean > 0, 1, -1).astype(np.int8)


def as_image(state: NDArray[np.int8]) -> NDArray[np.int8]:
    """A state of shape (size,) as a square, filled up with zeros."""
    side = math.ceil(math.sqrt(len(state)))
    image = np.zeros(side * side, np.int8)
    image[: len(state)] = state
    return image.reshape(side, side)
