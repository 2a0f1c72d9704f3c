"""The state of a simulation as a picture: a file and a class for each kind of picture in core/pictures.py; whatever is
in this folder is found, and so are charts and fields (figures/charts.py).
"""

from __future__ import annotations

import pkgutil
from collections.abc import Collection
from importlib import import_module
from typing import Any

import mfexplore.figures.charts  # noqa: F401 (its kinds are found among the others)
from mfexplore.core.pictures import Picture
from mfexplore.figures.frame import Figure
from mfexplore.figures.picture import StateFigure
from mfexplore.figures.style import Theme

for _module in pkgutil.iter_modules(__path__):
    import_module(f"{__name__}.{_module.name}")


def figure_of(picture: Any) -> type[StateFigure]:
    """The kind of figure that shows a picture."""
    return next(kind for kind in StateFigure.kinds() if type(picture) in kind.shows)


def picture_figure(picture: Picture, theme: Theme, figure: Figure | None = None) -> StateFigure:
    """The figure for this kind of picture, already showing it. figure: the place to put it up in."""
    made = figure_of(picture)(theme, figure)
    made.show(picture)
    return made


def fits(made: StateFigure, picture: Picture) -> bool:
    """Whether a figure can show this kind of picture."""
    return type(made) is figure_of(picture)


class StatePlace:
    """The picture of a run: the figure that its kind of picture needs, which may change with the controls."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.figure = Figure()
        self._state: StateFigure | None = None
        self._size: tuple[float, float] | None = None

    def show(self, picture: Picture) -> None:
        """Draw a picture of any kind."""
        if self._state is None or not fits(self._state, picture):
            self._state = picture_figure(picture, self.theme, self.figure)
            if self._size is not None:
                self._state.resize(*self._size)
        else:
            self._state.show(picture)

    def resize(self, width: float, height: float) -> None:
        """Its frame has another size in pixels."""
        if width > 0 and height > 0:
            self._size = width, height
            if self._state is not None:
                self._state.resize(width, height)

    def key(self, picture: Picture) -> list[tuple[str, str]]:
        """What the colours of a picture mean."""
        return [] if self._state is None else self._state.named(picture)

    @property
    def shape(self) -> str:
        """How much room the picture needs: "square", "wide" or "mosaic"."""
        return "square" if self._state is None else self._state.shape

    @property
    def drawn(self) -> list[str]:
        return []

    def veil(self, hidden: Collection[str]) -> None:
        """A picture of a run is of the run: its panel shows none that is hidden."""

    def dress(self, theme: Theme) -> None:
        """Put on the colours of a theme; those of the marks come with the next picture."""
        self.theme = theme
        if self._state is not None:
            self._state.dress(theme)
