"""What the marks in the figures mean, in the same words and looks for the page and for notebooks."""

from __future__ import annotations

import html
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mfexplore.core.model import Model
from mfexplore.figures.curves import legend_of
from mfexplore.figures.prose import one_line
from mfexplore.figures.style import mathml


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


def legends(kind: type[Model]) -> dict[str, tuple[Mark, ...]]:
    """The legends of a system's figures, by the figure's name."""
    lines = []
    for boundary in kind.landmarks:
        meaning = f'<b class="symbol">{mathml(boundary.symbol)}</b> {one_line(boundary.doc)}'
        lines.append(Mark(boundary.name, "rule" if boundary.continuous else "rule dash", meaning))
    theories = [Mark(f"line-{c}", "swatch", html.escape(title), f"line-{c}") for title, c in legend_of(kind)]
    return {
        "diagram": (
            *lines,
            Mark("invalid", "hatch", "theory not to be trusted"),
            Mark("unknown", "hatch crossed", "no state of the theory"),
        ),
        "curve": (
            *theories,
            Mark("exact", "swatch dash", "exact at this size", "ink"),
            Mark("points", "ring", "simulations, mean ± s.e."),
            Mark("live", "dot", "live run"),
            Mark("equilibrium", "", "thick: equilibrium"),
            Mark("unstable", "", "dotted: unstable"),
        ),
        "landscape": (
            Mark("stable", "full", "stable"),
            Mark("unstable", "ring", "unstable"),
            Mark("live", "swatch thin", "live run", "marker"),
        ),
        "trace": (
            Mark("", "swatch", "run", "accent"),
            Mark("companions", "swatch pale", "the others of its kind", "soft"),
            Mark("theory", "swatch dash", "theory", "marker"),
            Mark("predicted", "swatch broad", "predicted path", "line-1"),
        ),
        "histogram": (Mark("bars", "patch pale", "run", "soft"), Mark("law", "swatch", "theory", "marker")),
    }


@cache
def sheet() -> str:
    """How the marks look; the colours are custom properties named as those of `Theme`."""
    return (Path(__file__).parent / "legends.css").read_text(encoding="utf-8")
