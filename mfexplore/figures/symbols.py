"""Symbols written into a canvas: simple LaTeX as runs of text with raised and lowered, smaller pieces.

Bokeh draws mathematics in axis titles but not reliably in glyphs that change, so symbols beside curves are set by us.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

GREEK_NAMES = """alpha beta gamma delta epsilon varepsilon zeta eta theta vartheta iota kappa lambda mu nu xi pi rho
varrho sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi Psi Omega"""
GREEK = dict(zip(GREEK_NAMES.split(), "αβγδϵεζηθϑικλμνξπρϱστυϕφχψωΓΔΘΛΞΠΣΥΦΨΩ", strict=True))
SIGNS = {
    "infty": "∞", "uparrow": "↑", "downarrow": "↓", "leftarrow": "←", "rightarrow": "→", "to": "→", "times": "×",
    "cdot": "·", "pm": "±", "le": "≤", "leq": "≤", "ge": "≥", "geq": "≥", "neq": "≠", "approx": "≈", "sim": "∼",
    "langle": "⟨", "rangle": "⟩", "partial": "∂", "nabla": "∇", "ell": "ℓ", "hbar": "ℏ", "star": "⋆", "ast": "∗",
    "prime": "′", "dagger": "†", "perp": "⊥", "parallel": "∥", "circ": "∘", "propto": "∝", "sqrt": "√", "lvert": "|",
    "rvert": "|", "mid": "|", "vert": "|",
}  # fmt: skip
ACCENTS = {"bar": "\u0304", "hat": "\u0302", "tilde": "\u0303", "dot": "\u0307", "overline": "\u0304", "vec": "\u20d7"}
UPRIGHT = {"mathrm", "text", "operatorname", "textrm", "mathbf", "mathcal", "boldsymbol", "mathit"}
NARROW, WIDE = set("ijltfrI1|.,:;()[]′· "), set("mwMWΩΦΨΘ∞→←=+±×∼≈≤≥")
AS_CAPITALS = set("αωψφϕπ")

TOKEN = re.compile(r"\\([A-Za-z]+)|\\(.)|([\^_{}])|(.)", re.S)


@dataclass(frozen=True)
class Run:
    """A piece of text: x from the left edge and y above the base line in em, size relative to the base."""

    text: str
    x: float
    y: float
    size: float
    italic: bool


def typeset(latex: str) -> tuple[list[Run], float]:
    """The runs of a symbol and its whole width in em. Widths are estimates: exact ones live in the browser."""
    runs: list[Run] = []
    x = 0.0
    for text, level, italic in _pieces(latex):
        size = 0.72 if level else 1.0
        raise_ = {-1: -0.24, 0: 0.0, 1: 0.36}[level]
        runs.append(Run(text, x, raise_, size, italic))
        x += size * sum(_width(c) for c in text)
    return runs, x


def plain(latex: str) -> str:
    """The symbol in one line of Unicode, for screen readers, file names and tables."""
    out, before = "", 0
    for text, level, _ in _pieces(latex):
        out += (("", "^", "_")[level] if level != before else "") + text
        before = level
    return out


def _width(character: str) -> float:
    if 0x300 <= ord(character) <= 0x36F or ord(character) == 0x20D7:
        return 0.0
    large = character.isupper() or character in AS_CAPITALS
    return 0.36 if character in NARROW else 0.86 if character in WIDE else 0.7 if large else 0.56


def _pieces(latex: str) -> list[tuple[str, int, bool]]:
    """(text, -1 | 0 | 1 for lowered, base, raised, italic), neighbours of one kind joined."""
    found: list[tuple[str, int, bool]] = []
    stack: list[tuple[int, bool]] = []
    level, upright = 0, False
    once: int | None = None  # a shift for the next character or group only
    pending_upright = False
    accent = ""
    for command, escaped, structure, character in TOKEN.findall(latex):
        if structure in ("^", "_"):
            once = 1 if structure == "^" else -1
            continue
        if structure == "{":
            stack.append((level, upright))
            level = once if once is not None else level
            upright = upright or pending_upright
            once, pending_upright = None, False
            continue
        if structure == "}":
            if stack:
                level, upright = stack.pop()
            continue
        if command == "rm":  # a switch: up to the end of its group
            upright = True
            continue
        if command in UPRIGHT:
            pending_upright = True
            continue
        if command in ACCENTS:
            accent = ACCENTS[command]
            continue
        if command in ("left", "right", "big", "Big", "mathstrut", "quad", "tfrac", "frac", "dfrac"):
            continue
        text = GREEK.get(command) or SIGNS.get(command) or command or (character.strip() if character else "")
        if escaped in ("{", "}", "%", "_", "|", "#", "&"):
            text = "‖" if escaped == "|" else escaped
        if not text:
            continue
        here = level if once is None else once
        once = None
        italic = not upright and len(text) == 1 and text.isalpha() and not command[:1].isupper()
        piece = (text + accent, here, italic)
        accent = ""
        if found and found[-1][1:] == piece[1:]:
            found[-1] = (found[-1][0] + piece[0], *piece[1:])
        else:
            found.append(piece)
    return found
