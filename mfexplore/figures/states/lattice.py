"""Sites of a lattice as an image."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.pictures import Lattice
from mfexplore.figures.frame import Part, clear, load_holoviews
from mfexplore.figures.picture import StateFigure, colour_map, frame, key_on_paper, without_axes
from mfexplore.figures.states.colours import outside_colour, state_colours, state_key
from mfexplore.figures.style import LIGHT, Theme, palette, two_tone

MOST_PIXELS = 512  # along a side: more than the picture has on the screen


def image(*captions: str) -> dict[str, Any]:
    hv = load_holoviews()
    image = hv.Image(np.zeros((2, 2), np.float32), bounds=(0, 0, 1, 1), kdims=["x", "y"], vdims=["z"])
    layers = {"image": image.opts(cmap=list(two_tone()), clim=(-1, 1), colorbar=False)}
    return layers | {name: hv.Labels([(0.5, 0.5, "")]) for name in captions}


class LatticeFigure(StateFigure):
    shows = (Lattice,)
    key = "lattice"

    @staticmethod
    def declare() -> dict[str, Any]:
        return image()

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        return super().finish(figure, layers) | {"image.mapper": layers["image"].glyph.color_mapper}

    def show(self, picture: Lattice) -> None:
        values = shrink(picture.values)
        _set_mapper(self.layers["image"].mapper, picture, values, self.theme)
        rows, columns = values.shape
        self.layers["image"].put(image=[values[::-1]], x=[0.0], y=[0.0], dw=[float(columns)], dh=[float(rows)])
        frame(self.figure, columns, rows)

    def named(self, picture: Lattice) -> list[tuple[str, str]]:
        named = state_key(picture.states, self.theme)
        outside = bool(picture.outside) and bool((picture.values < 0).any())
        return [*named, (picture.outside, outside_colour(self.theme))] if outside else named

    @staticmethod
    def on_paper(axes: Any, picture: Lattice) -> None:
        spins = np.issubdtype(picture.values.dtype, np.integer) and picture.high - picture.low <= 2
        colours = two_tone() if spins and not picture.states else palette(picture.signed)
        if picture.states:
            colours = state_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        scale = colour_map(colours).with_extremes(under=f"{LIGHT.ghost}80")
        axes.imshow(picture.values, cmap=scale, vmin=picture.low, vmax=picture.high, interpolation="nearest")
        without_axes(axes)


def shrink(values: NDArray[Any]) -> NDArray[Any]:
    """At most MOST_PIXELS along a side, by taking every k-th; small integers as int8, everything else as float32."""
    step = max(1, -(-max(values.shape) // MOST_PIXELS))
    small = values[::step, ::step]
    if values.dtype == np.bool_:
        return np.ascontiguousarray(small, np.uint8)
    integer = np.issubdtype(values.dtype, np.integer)
    kind = (np.int8 if values.dtype == np.int8 else np.int32) if integer else np.float32
    return np.ascontiguousarray(small, kind)


def _set_mapper(mapper: Part, picture: Lattice, values: NDArray[Any], theme: Theme) -> None:
    spins = np.issubdtype(values.dtype, np.integer) and picture.high - picture.low <= 2
    if picture.states:
        colours = state_colours(len(picture.states), theme)
        mapper.update(low_color=outside_colour(theme))
    else:
        colours = two_tone(theme.card, theme.ink) if spins else palette(picture.signed, theme)
    mapper.update(low=picture.low, high=picture.high, palette=list(colours))
