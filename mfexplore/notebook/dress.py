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
    marks = "".join(f"--{name}: var(--mf-{name});" for name in _colours(LIGHT))  # what the sheet of the legends expects
    themes = f".mfexplore {{{_declared(LIGHT)}}}\n{dark} {{{_declared(DARK)}}}\n.mfexplore .legend {{{marks}}}"
    return f"<style>{themes}\n{sheet()}\n{own}</style>"


def _colours(theme: Theme) -> dict[str, str]:
    names = ("paper", "card", "ink", "soft", "line", "accent", "marker", "ghost")
    return {n: getattr(theme, n) for n in names} | {f"line-{k}": colour for k, colour in enumerate(theme.lines)}


def _declared(theme: Theme) -> str:
    return "".join(f"--mf-{n}: {c};" for n, c in _colours(theme).items()) + f"color-scheme: {theme.name};"
