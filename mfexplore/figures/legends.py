"""What the marks in the figures mean, in the same words and looks for the page and for notebooks."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path


@dataclass(frozen=True)
class Mark:
    """One entry of a legend.

    name: what `drawn()` of the figure says where it is to be seen; empty: always.
    look: classes of `legends.css`. meaning: HTML. colour: of the theme, by its name, where the look leaves it open.
    """

    name: str
    look: str
    meaning: str
    colour: str = ""

    @property
    def html(self) -> str:
        style = f' style="--c: var(--{self.colour})"' if self.colour else ""
        return (f'<i class="{self.look}"{style}></i>' if self.look else "") + self.meaning


@cache
def sheet() -> str:
    """How the marks look; the colours are custom properties named as those of `Theme`."""
    return (Path(__file__).parent / "legends.css").read_text(encoding="utf-8")
