"""Small images side by side."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mfexplore.core.pictures import Patterns
from mfexplore.figures.frame import Figure, clear
from mfexplore.figures.picture import StateFigure, colour_map, frame, without_axes
from mfexplore.figures.states.lattice import image, shrink
from mfexplore.figures.style import LIGHT, SANS, Theme, two_tone

LETTERS_ACROSS = 56  # of captions side by side


class PatternsFigure(StateFigure):
    """Small images side by side, each with its caption below."""

    shows = (Patterns,)
    key, shape = "patterns", "mosaic"

    @staticmethod
    def declare() -> dict[str, Any]:
        return image("captions")

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["captions"].glyph.update(
            text_font={"value": SANS}, text_font_size="11px", text_align="center", text_baseline="top"
        )
        return super().finish(figure, layers) | {"image.mapper": layers["image"].glyph.color_mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("captions").glyph.update(text_color=theme.soft)
        figure.layer("image").mapper.update(palette=list(two_tone(theme.card, theme.ink)))

    def show(self, picture: Patterns) -> None:
        self.layers["image"].mapper.update(low=picture.low, high=picture.high)
        images = [shrink(values)[::-1] for _, values in picture.images]
        longest = max(len(caption) for caption, _ in picture.images)
        columns = min(len(images), 3 if len(images) <= 6 else 4, max(2, LETTERS_ACROSS // max(longest, 1)))
        rows = -(-len(images) // columns)
        left = [1.08 * (k % columns) for k in range(len(images))]
        bottom = [1.28 * (rows - 1 - k // columns) + 0.2 for k in range(len(images))]
        ones = [1.0] * len(images)
        self.layers["image"].put(image=images, x=left, y=bottom, dw=ones, dh=ones)
        captions = [caption for caption, _ in picture.images]
        if self.layers["captions"].columns.get("Label") != captions:
            self.layers["captions"].put(x=np.array(left) + 0.5, y=np.array(bottom) - 0.04, Label=captions)
        frame(self.figure, 1.08 * columns - 0.08, 1.28 * rows - 0.08)

    @staticmethod
    def on_paper(axes: Any, picture: Patterns) -> None:
        columns = min(len(picture.images), 3)
        rows = -(-len(picture.images) // columns)
        for k, (caption, values) in enumerate(picture.images):
            left, top = 1.1 * (k % columns), -1.35 * (k // columns)
            axes.imshow(
                values,
                cmap=colour_map(two_tone()),
                vmin=picture.low,
                vmax=picture.high,
                extent=(left, left + 1, top - 1, top),
            )
            axes.text(left + 0.5, top - 1.04, caption, ha="center", va="top", fontsize=7, color=LIGHT.soft)
        axes.set(xlim=(-0.05, 1.1 * columns), ylim=(-1.35 * rows, 0.1))
        without_axes(axes)
