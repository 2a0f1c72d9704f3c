"""What the templates need to know, taken from declarations."""

from __future__ import annotations

import logging
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from markupsafe import Markup

from mfexplore.core.catalogue import Entry, entry, places, wings
from mfexplore.core.controls import Control
from mfexplore.core.declaration import in_words, sentence_case
from mfexplore.core.docstrings import docstring
from mfexplore.core.model import Model
from mfexplore.core.provenance import versions
from mfexplore.figures.legends import legends, sheet
from mfexplore.figures.prose import one_line, to_html
from mfexplore.figures.style import DARK, LIGHT, line_colour, symbol_html, unit_html
from mfexplore.figures.symbols import plain

if TYPE_CHECKING:
    from mfexplore.workbench.desk import Desk

log = logging.getLogger(__name__)

GROUPS = (
    ("Controls", ("temperature", "load", "disorder", "field", "coupling", "order")),
    ("Setting", ("setting",)),
    ("Simulation", ("size", "start")),
)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(version=versions()["mfexplore"], light=LIGHT, dark=DARK)
    made.globals["symbol"] = lambda thing: Markup(symbol_html(thing))
    made.filters["words"] = in_words
    made.filters["prose"] = lambda text: Markup(one_line(text))
    return made


def template(name: str) -> Template:
    return _environment().get_template(name)


@dataclass(frozen=True)
class ControlView:
    """One control as the page draws it."""

    declared: Control
    value: Any
    symbol: Markup
    unit: Markup
    words: str  # the symbol for screen readers

    @property
    def log(self) -> bool:
        return self.declared.scale == "log" and self.declared.bounds[0] > 0

    @property
    def title(self) -> str:
        return sentence_case(self.declared.title)


def view_of(declared: Control, value: Any) -> ControlView:
    return ControlView(
        declared, value, Markup(symbol_html(declared)), Markup(unit_html(declared)), plain(declared.symbol)
    )


def groups(model: Model) -> list[tuple[str, list[ControlView]]]:
    """The controls in groups: physics first, then the setting, then what only the simulation knows."""
    found: dict[str, list[ControlView]] = {title: [] for title, _ in GROUPS}
    for name, declared in model.controls().items():
        title = next(t for t, roles in GROUPS if declared.role in roles)
        if declared.part == "simulation":
            title = "Simulation"
        found[title].append(view_of(declared, getattr(model, name)))
    return [(title, views) for title, views in found.items() if views]


def page_of(kind: type[Model]) -> Markup:
    """The docstring of the model's file, as HTML."""
    return Markup(to_html(docstring(sys.modules[kind.__module__])))


def workbench(built: Desk) -> dict[str, Any]:
    """Variables of the workbench page."""
    kind, at = built.kind, built.session.current
    figures = built.figures()
    return {
        "kind": kind,
        "at": at,
        "theme": built.theme.name,
        "groups": groups(at.model),
        "figures": list(figures),
        "picture_kind": type(built.live.state).__name__ if built.live else "",
        "axes": [(n, kind.control(n).title) for n in kind.axis_names()] if at.x else [],
        "colours": [o for o in kind.observables if o.over is None] if at.x else [],
        "legends": legends(kind),
        "legend_styles": sheet(),
        "line_colours": {t.name: [line_colour(k, t) for k in range(6)] for t in (LIGHT, DARK)},
        "live": built.live,
        "titles": {o.name: o.title for o in kind.observables},
        "about": page_of(kind),
        "failures": kind.failures,
        "control_data": {n: _data(c) for n, c in kind.controls().items()},
    }


def _data(declared: Control) -> dict[str, Any]:
    """A control for the page's own script."""
    return {
        "low": declared.low, "high": declared.high, "step": declared.step, "integer": declared.is_integer,
        "log": declared.is_logarithmic,
        "choice": declared.is_choice, "title": declared.title, "allowed": declared.allowed,
    }  # fmt: skip


def compiling(kind: type[Model]) -> dict[str, Any]:
    return {"kind": kind, "about": page_of(kind)}


def gallery() -> str:
    """The page of all systems, by wing."""
    shown: dict[str, list[Entry]] = {wing: [] for wing in wings()}
    for key in places():
        try:
            found = entry(key)
        except Exception:  # one broken file must not take the whole gallery with it
            log.exception("the system %s could not be loaded", key)
            continue
        shown[found.wing].append(found)
    halls = [(wing, sorted(shown[wing.key], key=lambda e: e.title)) for wing in wings().values() if shown[wing.key]]
    return template("gallery.html").render(halls=halls, words_of=words_of)


@cache
def words_of(found: Entry) -> str:
    """What a system is found by: names, symbols, phases, boundaries, and the papers it rests on."""
    return " ".join([*found.words, *map(plain, found.symbols)])


def missing(message: str) -> str:
    return template("missing.html").render(message=message)
