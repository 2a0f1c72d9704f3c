"""What all pictures of a state have in common."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.frame import Drawn, Figure, dress, get_range, set_range, write_axes
from mfexplore.figures.style import LIGHT, Theme

MOST_MARKS = 3000  # points, particles, links
HEAD = 0.25  # of an arrow, on either side of it
OPEN = 0.4  # radians between an arrow and the sides of its head


class StateFigure(Drawn):
    """Base of the figures for a kind of picture: `show` replaces what is drawn.

    A new kind of picture is one of these, and nothing else: it says which classes of `core/pictures.py` it `shows`, and
    how they are drawn on the screen (`show`) and on paper.

    Attributes:
        shows: kinds of pictures.
        square: one unit is as long across as up, and the axes are left away. shape: how much room it needs.
    """

    shows: ClassVar[tuple[type, ...]] = ()
    square: ClassVar[bool] = True
    shape: ClassVar[str] = "square"

    def show(self, picture: Any) -> None:
        raise NotImplementedError

    @staticmethod
    def on_paper(axes: Any, picture: Any) -> None:
        """The same with matplotlib."""
        raise NotImplementedError

    def resize(self, width: float, height: float) -> None:
        """The frame has another size in pixels."""

    def named(self, picture: Any) -> list[tuple[str, str]]:
        """What the colours of a picture mean: pairs (name, colour), empty if nothing in it is named."""
        return []

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        write_axes(figure)
        if cls.square:
            for part in (*figure.axis, *figure.grid):
                part.visible = False
            borders = {f"min_border{side}": 2 for side in ("", "_left", "_right", "_top", "_bottom")}
            figure.update(match_aspect=True, sizing_mode="stretch_width", aspect_ratio=1.0, **borders)
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        dress(figure, theme, grid=not cls.square)


def frame(figure: Figure, width: float, height: float, left: float = 0.0, bottom: float = 0.0) -> None:
    """Show a box, as it is: one unit is as long across as up."""
    set_range(figure, "x", left, left + width)
    set_range(figure, "y", bottom, bottom + height)
    whole = figure.part("figure")
    ratio = float(width / height)
    if abs((whole["aspect_ratio"] or 0) - ratio) > 0.01:
        whole.update(aspect_ratio=ratio)


def fit(figure: Figure, x: NDArray[Any], y: NDArray[Any]) -> None:
    """Show all of these values; an axis that has room for them already stays as it is."""
    for axis, values in (("x", x), ("y", y)):
        finite = values[np.isfinite(values)]
        if finite.size:
            low, high = float(finite.min()), float(finite.max())
            spread = (high - low) or 1.0
            shown = get_range(figure, axis)
            if shown is None or low < shown[0] or high > shown[1] or spread < 0.5 * (shown[1] - shown[0]):
                set_range(figure, axis, low, low + spread, margin=0.05 if axis == "y" else 0.0)


def arrows(
    x: NDArray[Any], y: NDArray[Any], u: NDArray[Any], v: NDArray[Any], aspect: float = 1.0, headless: bool = False
) -> tuple[list[NDArray[Any]], list[NDArray[Any]]]:
    """Arrows as lines: their abscissas and ordinates. x, y, u, v: shape (n,); aspect: units up that are as long on the
    screen as one unit across. Without heads they are directors, whose middles are at x, y.
    """
    if headless:
        x, y = x - u / 2, y - v / 2
    angle, length = np.arctan2(v / aspect, u), HEAD * np.hypot(u, v / aspect)
    xs, ys = [x, x + u], [y, y + v]
    if not headless:
        for turn in (np.pi - OPEN, np.pi + OPEN):
            xs += [x + u + length * np.cos(angle + turn), x + u]
            ys += [y + v + aspect * length * np.sin(angle + turn), y + v]
    return [list(np.stack(rows, axis=-1).astype(np.float32)) for rows in (xs, ys)]  # type: ignore[return-value]


# -- on paper -----------------------------------------------------------------------------------------------------


def colour_map(colours: tuple[str, ...]) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap(list(colours))


def key_on_paper(axes: Any, states: tuple[str, ...], colours: tuple[str, ...]) -> None:
    for name, colour in zip(states, colours, strict=True):
        axes.plot([], [], "s", mfc=colour, mec=LIGHT.ghost, label=name)


def without_axes(axes: Any) -> None:
    axes.set_aspect("equal")
    axes.set(xticks=(), yticks=())  # else they are measured, a third of the time of a film, although they are not drawn
    axes.axis("off")
