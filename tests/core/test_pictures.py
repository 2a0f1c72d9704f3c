"""What pictures are made of."""

from __future__ import annotations

import numpy as np

from mfexplore.core import Album, Spectrum, square


def test_only_the_picture_that_is_looked_at_is_drawn() -> None:
    drawn = []

    def draw(name: str) -> Spectrum:
        drawn.append(name)
        return Spectrum(np.zeros(1), name)

    album = Album({name: lambda name=name: draw(name) for name in ("first", "second")})
    assert list(album) == ["first", "second"]
    assert not drawn
    assert album["second"].title == "second"
    assert drawn == ["second"]


def test_a_square_is_filled_row_by_row() -> None:
    np.testing.assert_array_equal(square(np.arange(11)), np.arange(9).reshape(3, 3))
