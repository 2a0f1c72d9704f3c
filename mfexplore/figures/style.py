"""Colours, fonts, labels and units: everything that decides how a number or a line looks, in one place."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.controls import Control

SERIF = "Georgia, 'DejaVu Serif', 'Times New Roman', serif"
SANS = "Inter, system-ui, 'DejaVu Sans', 'Segoe UI', sans-serif"

ACCENT = "#0f766e"
MARKER = "#d9480f"


class Named(Protocol):
    """What a label is made from: a control or an observable."""

    @property
    def title(self) -> str: ...
    @property
    def symbol(self) -> str: ...
    @property
    def unit(self) -> str: ...


@dataclass(frozen=True)
class Theme:
    """Colours of one appearance. lines: one per branch or method, in order of declaration."""

    name: str
    paper: str
    card: str
    ink: str
    soft: str
    line: str
    accent: str
    marker: str
    ghost: str
    lines: tuple[str, ...]
    middle: str  # of the diverging map
    guess: str  # of what a person predicts


LIGHT = Theme(
    "light", "#fbfaf7", "#ffffff", "#1d2433", "#5b6472", "#e4e1d8", ACCENT, MARKER, "#9aa1ab",
    (ACCENT, "#7c5295", "#8b929d", "#b7791f", "#2563a8", "#a3345c"), "#f4f1e8", "#8e24aa",
)  # fmt: skip
DARK = Theme(
    "dark", "#14171d", "#1c2028", "#e8e6e0", "#9aa3b0", "#343a46", "#2dd4bf", "#ff8a4c", "#6b7380",
    ("#2dd4bf", "#c4a1e0", "#8b95a5", "#e3b04b", "#7fb2ef", "#ef86ad"), "#2b303b", "#e58bf2",
)  # fmt: skip
THEMES = {theme.name: theme for theme in (LIGHT, DARK)}


# -- colour maps --------------------------------------------------------------------------------------------------


def _interpolate(stops: tuple[str, ...], n: int = 256) -> tuple[str, ...]:
    rgb = np.array([[int(s[i : i + 2], 16) for i in (1, 3, 5)] for s in stops], dtype=float)
    at = np.linspace(0, len(stops) - 1, n)
    channels = [np.interp(at, np.arange(len(stops)), rgb[:, c]) for c in range(3)]
    return tuple(f"#{round(r):02x}{round(g):02x}{round(b):02x}" for r, g, b in zip(*channels, strict=True))


SEQUENTIAL_STOPS = (
    "#00224e", "#123570", "#3b496c", "#575d6d", "#707173", "#8a8678", "#a59c74", "#c3b369", "#e1cc55", "#fee838",
)  # fmt: skip


@cache
def sequential() -> tuple[str, ...]:
    """Dark blue to yellow, even in lightness and safe for colour-blind eyes (the stops of cividis)."""
    return _interpolate(SEQUENTIAL_STOPS)


@cache
def diverging(theme: Theme = LIGHT) -> tuple[str, ...]:
    """Blue through paper to ochre, with zero in the middle: from there on darker on light paper and lighter on dark
    paper, so that no value between looks like an edge.
    """
    if ink_on(theme.middle) == LIGHT.ink:
        return _interpolate(("#274b80", "#5d80b1", "#a8bdd8", theme.middle, "#e6d29b", "#c79d3d", "#8f6410"))
    return _interpolate(("#a8bdd8", "#6686b4", "#41597e", theme.middle, "#6b5833", "#b3914c", "#e6d29b"))


@cache
def cyclic() -> tuple[str, ...]:
    """For angles: once around all hues of equal colourfulness (in Oklab), a little lighter on one side than on the
    other, so that eyes that do not tell all hues apart see opposite ones.
    """
    hue = np.linspace(0, 2 * np.pi, 256, endpoint=False)
    lightness, a, b = 0.64 + 0.09 * np.cos(hue - 1.9), 0.115 * np.cos(hue), 0.115 * np.sin(hue)
    cones = np.array(
        [[1, 0.3963377774, 0.2158037573], [1, -0.1055613458, -0.0638541728], [1, -0.0894841775, -1.2914855480]]
    )
    to_rgb = np.array([
        [4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965],
        [-0.0041960863, -0.7034186147, 1.7076147010],
    ])  # fmt: skip
    light = np.clip(to_rgb @ (cones @ np.array([lightness, a, b])) ** 3, 0, 1)
    rgb = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return tuple("#" + "".join(f"{round(255 * channel):02x}" for channel in one) for one in rgb.T)


@cache
def two_tone(low: str = LIGHT.card, high: str = LIGHT.ink) -> tuple[str, ...]:
    """Ink on paper, for spins and pixels."""
    return _interpolate((low, high))


def palette(signed: bool, theme: Theme = LIGHT) -> tuple[str, ...]:
    return diverging(theme) if signed else sequential()


def ink_on(colour: str) -> str:
    """Dark or light, whichever can be read on a colour "#rrggbb"."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return LIGHT.ink if 0.299 * red + 0.587 * green + 0.114 * blue > 0.45 else LIGHT.middle


def line_colour(k: int, theme: Theme = LIGHT) -> str:
    return theme.lines[k % len(theme.lines)]


def colour_limits(values: NDArray[Any], low: float | None, high: float | None, signed: bool) -> tuple[float, float]:
    """The range of a colour map or an axis: as declared, else the middle 98 % of the data; symmetric if signed."""
    finite = values[np.isfinite(values)]
    if low is None or high is None:
        found = np.quantile(finite, (0.01, 0.99)) if finite.size else np.array([0.0, 1.0])
        low, high = float(found[0]) if low is None else low, float(found[1]) if high is None else high
        if signed:
            high = max(abs(low), abs(high))
            low = -high
    if not high > low:
        return low - 0.5, low + 0.5
    return float(low), float(high)


# -- labels -------------------------------------------------------------------------------------------------------


def _is_math(unit: str) -> bool:
    """Whether a unit is a symbol (the coupling J, say) and not a word."""
    return len(unit) == 1 or bool(re.search(r"[\\_^]", unit))


def tex_label(thing: Named) -> str:
    """Axis title for Bokeh: words in plain text, the symbol and a symbolic unit as mathematics."""
    return _tex_label(thing.title, thing)


def _tex_label(title: str, thing: Named) -> str:
    parts = [title] if title else []
    if thing.symbol:
        parts.append(rf"$${thing.symbol}$$")
    if thing.unit:
        parts.append(rf"$$[{thing.unit}]$$" if _is_math(thing.unit) else f"[{thing.unit}]")
    return "  ".join(parts)


def short_label(thing: Named) -> str:
    """The same for a low figure: a long name gives way to its symbol."""
    if len(thing.title) + len(thing.symbol) <= 17 or not thing.symbol:
        return tex_label(thing)
    return _tex_label("", thing)


def mpl_label(thing: Named) -> str:
    """The same for matplotlib."""
    parts = [thing.title]
    if thing.symbol:
        parts.append(f"${mpl_math(thing.symbol)}$")
    if thing.unit:
        parts.append(f"[${mpl_math(thing.unit)}$]" if _is_math(thing.unit) else f"[{thing.unit}]")
    return " ".join(parts)


def mpl_math(latex: str) -> str:
    """LaTeX that matplotlib's own renderer understands."""
    for ours, theirs in ((r"\tfrac", r"\frac"), (r"\dfrac", r"\frac"), (r"\lvert", "|"), (r"\rvert", "|")):
        latex = latex.replace(ours, theirs)
    return re.sub(r"(\\overline)\s*(\\[a-zA-Z]+|\w)", r"\1{\2}", latex)  # it wants the braces that TeX does without


@cache
def mathml(latex: str, display: bool = False) -> str:
    """LaTeX as MathML, which browsers draw themselves; the escaped source if it cannot be converted."""
    from latex2mathml.converter import convert

    try:
        made = str(convert(_spaced(latex), display="block" if display else "inline"))
    except Exception:  # the converter raises whatever its parser stumbles over; the source is still readable
        return f"<code>{html.escape(latex)}</code>"
    made = made.replace("<mo>&#x0002F;</mo>", '<mo lspace="0" rspace="0">/</mo>')  # as TeX sets it
    made = made.replace("<mi>&#x02032;</mi>", '<mo lspace="0" rspace="0">&#x02032;</mo>')  # or the font raises it twice
    return _with_overlines(made) if "&#x02015;" in made else made


_FUNCTION = r"\\(?:ln|log|exp|sinh?|cosh?|tanh?|mathrm\{(?:sech|artanh|erfc?)\})(?![a-zA-Z])"


def _spaced(latex: str) -> str:
    """Thin spaces beside functions as TeX sets them, which the converter and browsers leave out: T ln 2, not Tln2."""
    latex = re.sub(rf"(?<!langle)(?<=[\w)\]}}])\s*(?={_FUNCTION})", r"\\,", latex)
    argument = r"(?=[\w\\])(?!\\(?:left|right|[Bb]ig|\W))"
    return re.sub(rf"({_FUNCTION}(?:\^(?:\w|\{{[^{{}}]*\}}))?)\s*{argument}", r"\1\\,", latex)


def _with_overlines(made: str) -> str:
    """The converter covers a term with a dash, which does not stretch; a line above a row does."""
    from xml.etree import ElementTree

    namespace = "{http://www.w3.org/1998/Math/MathML}"
    ElementTree.register_namespace("", namespace[1:-1])
    root = ElementTree.fromstring(made)
    for mover in list(root.iter(f"{namespace}mover")):
        if len(mover) == 2 and mover[1].text == "\u2015":
            mover.tag = f"{namespace}mrow"
            mover.set("style", "border-top: 0.06em solid; padding-top: 0.12em")
            mover.remove(mover[1])
    return ElementTree.tostring(root, encoding="unicode")


def symbol_html(thing: Named) -> str:
    return mathml(thing.symbol) if thing.symbol else ""


def unit_html(control: Control) -> str:
    """The unit after the description of a control; nothing if the description has named it ("spins simulated")."""
    unit = control.unit
    if unit in re.findall(r"[\w/]+", control.doc):
        return ""
    return mathml(unit) if _is_math(unit) else html.escape(unit)


def nice(value: float, digits: int = 4) -> str:
    """A number for people."""
    if not np.isfinite(value):
        return "∞" if value > 0 else "-∞" if value < 0 else "unknown"  # noqa: RUF100
    return f"{value:.{digits}g}"
