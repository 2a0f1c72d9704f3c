"""The pages that lead through the atlas: map, glossary, paths, lessons. Each is made once."""

from __future__ import annotations

from functools import cache

from mfexplore.app.pages import template
from mfexplore.core.catalogue import wings
from mfexplore.core.declaration import RELATIONS
from mfexplore.core.related import relations
from mfexplore.guide import atlas_map
from mfexplore.guide.lessons import lessons

NAMES = ("map",)


@cache
def room(name: str) -> str:
    """The page of a room, one of `NAMES`."""
    return {"map": map_page}[name]()


def map_page() -> str:
    said = list(relations())
    by_kind = {kind: [(one, r, other) for one, r, other in said if r.kind == kind] for kind in RELATIONS}
    return template("map.html").render(
        drawing=atlas_map.draw(), legend=atlas_map.LEGEND, wings=list(wings().values()),
        by_kind={kind: rows for kind, rows in by_kind.items() if rows},
    )  # fmt: skip


def lesson_page(name: str) -> str | None:
    """A lesson to read; None where there is none of that name."""
    found = [lesson for lesson in lessons() if lesson.name == name]
    return template("lesson.html").render(lesson=found[0], up="../") if found else None
