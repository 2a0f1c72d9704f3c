"""The pages that lead through the atlas: map, glossary, paths, lessons. Each is made once."""

from __future__ import annotations

from functools import cache
from html import escape
from itertools import groupby

from mfexplore.app.pages import template
from mfexplore.core.catalogue import system, wings
from mfexplore.core.declaration import RELATIONS
from mfexplore.core.related import relations
from mfexplore.guide import atlas_map
from mfexplore.guide.glossary import link, linked, terms
from mfexplore.guide.lessons import lessons
from mfexplore.guide.paths import Step, paths
from mfexplore.workbench.exploration import Exploration

NAMES = ("map", "glossary", "paths")


@cache
def room(name: str) -> str:
    """The page of a room, one of `NAMES`."""
    return {"map": map_page, "glossary": glossary_page, "paths": paths_page}[name]()


def map_page() -> str:
    said = list(relations())
    by_kind = {kind: [(one, r, other) for one, r, other in said if r.kind == kind] for kind in RELATIONS}
    return template("map.html").render(
        drawing=atlas_map.draw(), narrow=atlas_map.draw(narrow=True), legend=atlas_map.LEGEND,
        wings=list(wings().values()), by_kind={kind: rows for kind, rows in by_kind.items() if rows},
    )  # fmt: skip


def glossary_page() -> str:
    explained = [(term, linked(escape(term.text, quote=False), link(), {term.name})) for term in terms()]
    letters = groupby(explained, key=lambda row: row[0].name[0].upper())
    return template("glossary.html").render(letters=[(letter, list(rows)) for letter, rows in letters])


def address(step: Step) -> str:
    """The permalink of a step: its system, as its preset shows it."""
    kind = system(step.system)
    start = Exploration.of(kind())
    for preset in kind.presets:
        if preset.name == step.preset:
            start = start.at(start.model.replace(**preset.controls), preset.view)
    query = start.to_query()
    return f"{step.system}?{query}" if query else step.system


def paths_page() -> str:
    ways = [(path, [(step, address(step)) for step in path.steps]) for path in paths()]
    return template("paths.html").render(paths=ways)


def lesson_page(name: str) -> str | None:
    """A lesson to read; None where there is none of that name."""
    found = [lesson for lesson in lessons() if lesson.name == name]
    return template("lesson.html").render(lesson=found[0], up="../") if found else None
