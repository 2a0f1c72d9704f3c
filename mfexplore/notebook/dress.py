"""The look of everything that is shown in a notebook."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mfexplore.figures.legends import sheet
from mfexplore.figures.style import DARK, LIGHT, Theme


@cache
def styles() -> str:
    """The style sheet, with the colours of both themes, as an element to put beside the widgets."""
    own = (Path(__file__).parent / "bench.css").read_text(encoding="utf-8")
    dark = 'body[data-jp-theme-light="false"] .mfexplore, body.vscode-dark .mfexplore'
    return f"<style>.mfexplore {{{_colours(LIGHT)}}}\n{dark} {{{_colours(DARK)}}}\n{sheet()}\n{own}</style>"


def _colours(theme: Theme) -> str:
    names = ("paper", "card", "ink", "soft", "line", "accent", "marker", "ghost")
    own = "".join(f"--mf-{name}: {getattr(theme, name)};" for name in names)
    own += f"color-scheme: {theme.name};"
    return own + "".join(f"--mf-line-{k}: {colour};" for k, colour in enumerate(theme.lines))
