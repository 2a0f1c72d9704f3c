"""The panels of a workbench, one file each; whatever is in this folder is found."""

from __future__ import annotations

import pkgutil
from functools import cache
from importlib import import_module
from typing import Any

from mfexplore.figures.style import Theme
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.panels.base import Panel, Surroundings

__all__ = ["Panel", "Surroundings", "all_panels", "draw", "panels_of"]


@cache
def all_panels() -> tuple[type[Panel], ...]:
    """Every kind of panel there is, in the order of the page."""
    for module in pkgutil.iter_modules(__path__):
        import_module(f"{__name__}.{module.name}")
    return tuple(sorted(Panel.__subclasses__(), key=lambda panel: panel.order))


def panels_of(start: Exploration) -> list[type[Panel]]:
    """The panels that the page of a system has."""
    return [panel for panel in all_panels() if panel.offered(start)]


def draw(start: Exploration, theme: Theme) -> dict[str, Any]:
    """The figures of a page by the names of their panels, in any thread: what a `Desk` is built with."""
    return {panel.name: panel.draw(start, theme) for panel in panels_of(start)}
