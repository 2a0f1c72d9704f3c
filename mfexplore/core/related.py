"""How the systems belong together: what each declares of others, seen from either side."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from mfexplore.core.catalogue import Entry, entry, places
from mfexplore.core.declaration import RELATIONS, Relation

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Related:
    """Another system, as the page of a system speaks of it.

    phrase: what this system is to the other, to be followed by its title; controls: of the other, where it is seen.
    """

    phrase: str
    other: Entry
    because: str
    controls: dict[str, Any] = field(default_factory=dict, hash=False)

    @property
    def link(self) -> str:
        """Its address in the app, beside that of this system."""
        return f"{self.other.key}?{urlencode(self.controls)}" if self.controls else self.other.key


def known() -> dict[str, Entry]:
    """The entries of all systems that can be loaded, by key: a broken file takes no other page with it."""
    found = {}
    for key in places():
        try:
            found[key] = entry(key)
        except Exception:
            log.exception("the system %s could not be loaded", key)
    return found


def relations() -> Iterator[tuple[Entry, Relation, Entry]]:
    """Everything that is declared, in the order of the files: who says it, what, and of whom. Who is not there is left
    out.
    """
    entries = known()
    for one in entries.values():
        for said in one.relations:
            if said.to in entries:
                yield one, said, entries[said.to]


def related(key: str) -> list[Related]:
    """The systems that this one is related to, in the order of `RELATIONS`; empty where nobody says anything."""
    found = []
    for one, said, other in relations():
        if one.key == key:
            found.append(Related(said.kind, other, said.because, dict(said.there)))
        if other.key == key:
            found.append(Related(RELATIONS[said.kind], one, said.because, dict(said.here)))
    order = [phrase for both in RELATIONS.items() for phrase in both]
    return sorted(found, key=lambda related: order.index(related.phrase))
