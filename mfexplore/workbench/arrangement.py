"""How a workbench is laid out, whatever it is drawn with: groups of controls, numbers as text, the series to choose."""

from __future__ import annotations

import math
import sys

from mfexplore.core.controls import Control
from mfexplore.core.docstrings import docstring
from mfexplore.core.model import Model
from mfexplore.figures.prose import to_html
from mfexplore.figures.trace import companions

GROUPS = (
    ("Controls", ("temperature", "load", "disorder", "field", "coupling", "order")),
    ("Setting", ("setting",)),
    ("Simulation", ("size", "start")),
)


def groups(kind: type[Model]) -> list[tuple[str, list[Control]]]:
    """The controls in groups: physics first, then the setting, then what only the simulation knows."""
    found: dict[str, list[Control]] = {title: [] for title, _ in GROUPS}
    for declared in kind.controls().values():
        title = next(t for t, roles in GROUPS if declared.role in roles)
        found["Simulation" if declared.part == "simulation" else title].append(declared)
    return [(title, controls) for title, controls in found.items() if controls]


def series(names: tuple[str, ...]) -> tuple[str, ...]:
    """Those observables of a run that are traced on their own; the others are drawn beside one of them."""
    hidden = {beside for name in names for beside in companions(names, name)}
    return tuple(n for n in names if n not in hidden)


def page_of(kind: type[Model]) -> str:
    """The docstring of the model's file, as HTML."""
    return to_html(docstring(sys.modules[kind.__module__]))


def is_logarithmic(declared: Control) -> bool:
    """Whether a slider moves by ratios."""
    return declared.scale == "log" and not declared.is_choice and declared.bounds[0] > 0


def snap(declared: Control, value: float) -> float | int:
    """The allowed value nearest to where a slider stands."""
    low, high = declared.bounds
    value = min(max(value, low), high)
    if declared.is_integer:
        return round(value)
    if is_logarithmic(declared):
        return min(max(float(f"{value:.3g}"), low), high)
    step = float(declared.step or (high - low) / 1000)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return min(max(round(round(value / step) * step, digits), low), high)


def nudge(declared: Control, value: float, steps: int) -> float | int:
    """The value some steps of the keyboard away; two hundred lead through a logarithmic range."""
    if not is_logarithmic(declared):
        return snap(declared, value + steps * float(declared.step or 1))
    low, high = declared.bounds
    moved = value * (high / low) ** (steps / 200)
    if declared.is_integer and round(moved) == value:
        return snap(declared, value + math.copysign(1, steps))
    return snap(declared, moved)


def as_text(value: float | int | str) -> str:
    """A value in a number box."""
    if isinstance(value, str | int):
        return str(value)
    if 0 < abs(value) < 1e-3:  # three digits, as in the app: more do not fit into the box
        return f"{value:.3g}"
    return f"{value:.{1 if abs(value) >= 1000 else 4}f}".rstrip("0").rstrip(".")
