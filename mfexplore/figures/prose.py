"""The page of a system: the docstring of its file, Markdown with LaTeX, as HTML with MathML."""

from __future__ import annotations

import html
import re
from functools import cache

from mfexplore.figures.style import mathml

DISPLAY = re.compile(r"\$\$(.+?)\$\$", re.S)
INLINE = re.compile(r"(?<![\\$])\$([^$\n]+(?:\n[^$\n]+)?)\$")
TAG = re.compile(r"\\tag\{([^}]*)\}")
NESTING = re.compile(r"\\(?:left|begin)\b|\\(?:right|end)\b|\\qquad\s*|\\.|[{}]", re.S)
CLINGING = re.compile(r"([(\[]*)(\ue000\d+\ue001)([,.;:!?)\]]*)")
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
        parts = apart(TAG.sub("", LABEL.sub("", latex)).strip())
        body = f'<div class="statements">{"".join(mathml(part, True) for part in parts)}</div>'
        number = f'<span class="equation-number">({html.escape(tag.group(1))})</span>' if tag else ""
        name = html.escape(tag.group(1), quote=True) if tag else ""
        anchor = f' id="equation-{name}"' if tag else ""
        anchor += f' role="group" aria-label="equation{f" {name}" if name else ""}"'
        return "\n\n" + keep(f'<div class="equation"{anchor}>{body}{number}</div>') + "\n\n"

    held = DISPLAY.sub(display, text.strip())
    held = INLINE.sub(lambda m: keep(mathml(m.group(1).replace("\n", " "))), held)
    page = MarkdownIt("commonmark", {"html": False}).enable("table").render(held)
    page = re.sub(r"<p>\s*(\ue000\d+\ue001)\s*</p>", lambda m: _block(m.group(1), kept), page)
    page = CLINGING.sub(_whole, page)
    return re.sub(r"\ue000(\d+)\ue001", lambda m: kept[int(m.group(1))], page)


def apart(latex: str) -> list[str]:
    r"""The statements of a display, which stand a \qquad apart: on a narrow page they go below each other."""
    parts, start, depth = [], 0, 0
    for token in NESTING.finditer(latex):
        if token[0].startswith("\\qquad"):
            if depth == 0:
                parts.append(latex[start : token.start()])
                start = token.end()
        elif token[0] in ("{", "}") or token[0][1:] in ("left", "begin", "right", "end"):
            depth += 1 if token[0] in ("{", "\\left", "\\begin") else -1
    return [*parts, latex[start:]]


def _whole(match: re.Match[str]) -> str:
    """No line ends between a formula and the brackets and points beside it."""
    return f'<span class="whole">{match[0]}</span>' if match[1] or match[3] else match[0]


def _block(mark: str, kept: list[str]) -> str:
    content = kept[int(mark[1:-1])]
    return content if content.startswith("<div") else f"<p>{mark}</p>"


def one_line(text: str) -> str:
    """A sentence of a declaration with $...$ in it, as HTML without a paragraph around it."""
    return re.sub(r"^<p>|</p>\s*$", "", to_html(text)) if text else ""
