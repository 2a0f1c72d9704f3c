"""What a workbench needs of the page it is on, whatever toolkit that is made with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from mfexplore.figures.frame import Figure
from mfexplore.workbench.exports import File
from mfexplore.workbench.messages import Said


class Page(Protocol):
    """The other side of a `Desk`: a browser page on a server, or the output of a notebook cell."""

    def say(self, message: Said) -> None:
        """Tell the page something."""

    def post(self, work: Callable[[], None]) -> None:
        """Run in the page's own thread; may be called from any thread."""

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        """Run in the page's own thread after a while; returns what `forget` takes."""

    def forget(self, appointment: Any) -> None:
        """Do not run it after all."""

    def changed(self, name: str, figure: Figure) -> None:
        """The figure of a panel has something new: `figure.take()` it when this turn is over."""

    def give(self, file: File) -> None:
        """Let the person save a file."""
