"""Handwritten digits as patterns: shapes, order, no repetition, the typical digit."""

from __future__ import annotations

import numpy as np
import pytest

from mfexplore.families.digits import ORDER, as_image, as_patterns, assorted, digits, enlarged, handwritings, typical


def test_an_image_is_enlarged_smoothly() -> None:
    image = np.zeros((8, 8))
    image[:, :4] = 16
    assert (enlarged(image, 8) == np.where(image > 8, 1, -1)).all()
    assert (enlarged(image, 100)[:, :50] == 1).all()
    assert (enlarged(image, 100)[:, 50:] == -1).all()


@pytest.mark.parametrize("size", [64, 70, 4096])
def test_patterns_are_columns_of_the_wanted_size(size: int) -> None:
    images = digits()[0][:5]
    found = as_patterns(images, size)
    assert found.shape == (size, 5)
    assert set(np.unique(found)) == {-1, 1}
    side = as_image(found[:, 0]).shape[0]
    assert (side - 1) ** 2 < size <= side**2
    assert (as_image(found[:, 2]).ravel()[:size] == found[:, 2]).all()


def test_assorted_images_follow_the_order_and_do_not_repeat(rng: np.random.Generator) -> None:
    images, values = digits()
    known = {image.tobytes(): value for image, value in zip(images, values, strict=True)}
    few = assorted(20, rng)
    assert [known[np.ascontiguousarray(image).tobytes()] for image in few] == list(ORDER) * 2
    many = assorted(4000, rng)
    assert len({np.ascontiguousarray(image).tobytes() for image in many}) > 3900


def test_a_typical_digit_resembles_its_handwritings_most(rng: np.random.Generator) -> None:
    shapes = np.stack([typical(d, 256) for d in range(10)], axis=1).astype(float)
    for digit in range(10):
        some = handwritings(digit, 50, rng)
        assert some.shape == (50, 8, 8)
        overlaps = shapes.T @ as_patterns(some, 256) / 256
        assert overlaps.mean(axis=1).argmax() == digit
    assert len(handwritings(8, 500, rng)) == 174
