"""The page of a system: the docstring of its file, Markdown with LaTeX, as HTML with MathML."""

from __future__ import annotations

import html
import re
from functools import cache

from mfexplore.figures.style import mathml

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
INLINE = re.compile(r"(?<![\\$])\$([^$\n]+(?:\n[^$\n]+)?)\$")
TAG = re.compile(r"\\tag\{([^}]*)\}")
LABEL = re.compile(r"\\(?:label|nonumber)(?:\{[^}]*\})?")


@cache
def to_html(text: str) -> str:
    r"""Markdown with $...$ and $$...\tag{n}$$ as HTML; mathematics becomes MathML and never meets the Markdown."""
    from markdown_it import MarkdownIt

    kept: list[str] = []

    def keep(rendered: str) -> str:
        kept.append(rendered)
        return f"\ue000{len(kept) - 1}\ue001"

    def display(match: re.Match[str]) -> str:
        latex = match.group(1)
        tag = TAG.search(latex)
        body = mathml(TAG.sub("", LABEL.sub("", latex)).strip(), True)
        number = f'<span class="equation-number">({html.escape(tag.group(1))})</span>' if tag else ""
        anchor = f' id="equation-{html.escape(tag.group(1), quote=True)}"' if tag else ""
        return "\n\n" + keep(f'<div class="equation"{anchor}>{body}{number}</div>') + "\n\n"

    held = DISPLAY.sub(display, text.strip())
    held = INLINE.sub(lambda m: keep(mathml(m.group(1).replace("\n", " "))), held)
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(held)
    page = re.sub(r"<p>\s*(\ue000\d+\ue001)\s*</p>", lambda m: _block(m.group(1), kept), page)
    return re.sub(r"\ue000(\d+)\ue001", lambda m: kept[int(m.group(1))], page)


def _block(mark: str, kept: list[str]) -> str:
    content = kept[int(mark[1:-1])]
    return content if content.startswith("<div") else f"<p>{mark}</p>"


def one_line(text: str) -> str:
    """A sentence of a declaration with $...$ in it, as HTML without a paragraph around it."""
    return re.sub(r"^<p>|</p>\s*$", "", to_html(text)) if text else ""
