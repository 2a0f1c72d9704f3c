"""What the templates need to know, taken from declarations."""

from __future__ import annotations

import logging
from dataclasses import asdict, dataclass
from functools import cache
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

from jinja2 import Environment, FileSystemLoader, Template, select_autoescape
from markupsafe import Markup

from mfexplore.core.catalogue import Entry, entry, places, system, wings
from mfexplore.core.controls import Control
from mfexplore.core.declaration import LEVELS, METHODS, PHENOMENA, in_words, sentence_case
from mfexplore.core.model import Model
from mfexplore.core.provenance import versions
from mfexplore.figures.prose import one_line
from mfexplore.figures.style import DARK, LIGHT, symbol_html, unit_html
from mfexplore.figures.symbols import plain
from mfexplore.guide.glossary import link, linked, note
from mfexplore.workbench import sheet
from mfexplore.workbench.desk import LONGEST_LINK
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.face import VEILS
from mfexplore.workbench.sheet import Sheet

log = logging.getLogger(__name__)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=select_autoescape(),
        trim_blocks=True, lstrip_blocks=True,
    )  # fmt: skip
    made.globals.update(version=versions()["mfexplore"], light=LIGHT, dark=DARK)
    made.globals["symbol"] = lambda thing: Markup(symbol_html(thing))
    made.globals["unit"] = lambda control: Markup(unit_html(control))
    made.filters["words"] = in_words
    made.filters["sentence"] = sentence_case
    made.filters["terms"] = lambda page: Markup(linked(page, link()))
    made.filters["explained"] = lambda text: Markup(linked(escape(text, quote=False), link()))
    made.filters["query"] = lambda controls: f"?{urlencode(controls)}" if controls else ""
    made.globals["title_of"] = lambda key: entry(key).title
    made.filters["prose"] = lambda text: Markup(one_line(text))
    return made


def template(name: str) -> Template:
    return _environment().get_template(name)


@dataclass(frozen=True)
class Host:
    """Where a workbench stands.

    Attributes:
        serves: on our own server, from which figures and files can be fetched, and which has a gallery.
        own: the whole page is the workbench's: its address, its keys, its colours.
        link: of the address, what comes before the exploration.
    """

    serves: bool = False
    own: bool = False
    link: str = ""


ANYWHERE, OURS = Host(), Host(serves=True, own=True)


@cache
def component(kind: type[Model], host: Host) -> tuple[str, dict[str, Any]]:
    """The static part of a workbench: its HTML, and what its script needs to know."""
    made = Sheet(Exploration.of(kind()))
    words: dict[str, Any] = {
        name: getattr(sheet, name.upper())
        for name in ("buttons", "seed_help", "table_note", "lost", "speeds", "single_keys", "sketching", "exports")
    }
    words |= {"sheet": made, "keyboard": sheet.KEYS, "host": host, "mark": link("./glossary") if host.serves else note}
    words["veils"] = VEILS
    page = template("workbench.html").render(words)
    return page, constants(made) | asdict(host)


def constants(made: Sheet) -> dict[str, Any]:
    """What the page's script needs to know of a system."""
    kind = made.kind
    return {
        "controls": {name: _data(declared) for name, declared in kind.controls().items()},
        "main": made.main,
        "few": sheet.FEW,
        "title": kind.title,
        "key": kind.key,
        "tasks": [{"asked": task.asked} for task in kind.tasks],
        "titles": {o.name: o.title for o in kind.observables},
        "pins": {name: asdict(sheet.BUTTONS[name]) for name in ("visit", "compare", "rename", "remove")},
        "decades": [o.name for o in kind.observables if o.is_logarithmic],
        "lines": {theme.name: list(theme.lines) for theme in (LIGHT, DARK)},
    }


def _data(declared: Control) -> dict[str, Any]:
    """A control for the page's own script."""
    return {
        "low": declared.low, "high": declared.high, "step": declared.step, "integer": declared.is_integer,
        "log": declared.is_logarithmic, "choice": declared.is_choice, "title": declared.title,
        "usual": declared.default,
    }  # fmt: skip


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
    every = [one for _, kinds in halls for one in kinds]
    facets = [
        (name, title, [(word, sum(word in tags_of(one)[name] for one in every)) for word in words])
        for name, (title, words) in FACETS.items()
    ]
    facets = [(name, title, [(word, count) for word, count in words if count]) for name, title, words in facets]
    return template("gallery.html").render(halls=halls, words_of=words_of, tags_of=tags_of, facets=facets)


FACETS = {"level": ("Level", LEVELS), "phenomenon": ("Phenomenon", PHENOMENA), "method": ("Method", METHODS)}


def tags_of(found: Entry) -> dict[str, tuple[str, ...]]:
    """The words of a system by the groups of the gallery's chips."""
    return {"level": (found.level,), "phenomenon": found.phenomena, "method": found.methods}


@cache
def words_of(found: Entry) -> str:
    """What a system is found by: names, symbols, phases, boundaries, and the papers it rests on."""
    return " ".join([*found.words, *map(plain, found.symbols)])


def compared(key: str, left: str, right: str, common: bool) -> str:
    """Two states of a system side by side. left, right: what stands in links to them."""
    clean = [urlencode(parse_qsl(query[:LONGEST_LINK].lstrip("?"))) for query in (left, right)]
    sides = list(zip(("left", "right"), clean, strict=True))
    return template("compare.html").render(kind=system(key), sides=sides, common=common)


def missing(message: str, up: str = "") -> str:
    """The page of an address that leads nowhere. up: from there to the gallery, "../" for every folder."""
    return template("missing.html").render(message=message, up=up)
