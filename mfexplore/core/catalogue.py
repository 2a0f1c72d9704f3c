"""The systems of the atlas, found by themselves: a file `models/<wing>/<key>.py` or a folder of that name is a system.

What a list of systems shows stands in an index, kept under a stamp of the sources: only `system` imports one.
"""

from __future__ import annotations

import ast
import json
import math
import re
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from mfexplore.core.declaration import Relation
from mfexplore.core.docstrings import docstring
from mfexplore.core.errors import CatalogueError, UnknownNameError
from mfexplore.core.folders import cache_folder, kept_folders, write_whole
from mfexplore.core.model import Model
from mfexplore.core.sources import FLOOR, sources

_MODELS = Path(__file__).parent.parent / "models"
LARGEST = 2000  # entries kept: those of former sources too, and of other checkouts


@cache
def places() -> dict[str, str]:
    """Key of every system and the wing it is in, without importing any.

    Raises CatalogueError if two wings have a system of the same name.
    """
    found: dict[str, Path] = {}
    for file in sorted([*_MODELS.glob("[a-z]*/[a-z]*.py"), *_MODELS.glob("[a-z]*/[a-z]*/__init__.py")]):
        place = file.parent if file.name == "__init__.py" else file
        other = found.setdefault(place.stem, place)
        if other != place:
            names = " and ".join(f"{p.parent.name}/{p.name}" for p in (other, place))
            raise CatalogueError(f"{names} have the same name")
    return {key: place.parent.name for key, place in sorted(found.items(), key=lambda item: str(item[1]))}


def source(key: str) -> Path:
    """The file that a system is declared in. Raises UnknownNameError."""
    if key not in places():
        raise UnknownNameError("system", key, places())
    place = _MODELS / places()[key] / key
    return place / "__init__.py" if place.is_dir() else place.with_suffix(".py")


def system(key: str) -> type[Any]:
    """The class of a system by its key, e.g. `system("hopfield")`.

    Raises UnknownNameError, and CatalogueError if its file declares no system, or two.
    """
    if not isinstance(key, str) or key not in places():
        raise UnknownNameError("system", key, places())
    return _declared_in(key)


@cache
def _declared_in(key: str) -> type[Any]:
    module = import_module(f"mfexplore.models.{places()[key]}.{key}")
    # By identity: the same class may have two names.
    found = {v for v in vars(module).values() if isinstance(v, type) and issubclass(v, Model)}
    own = sorted((v for v in found if v.__module__ == module.__name__), key=lambda v: v.__name__)
    if len(own) != 1:
        names = ", ".join(v.__name__ for v in own) or "none"
        raise CatalogueError(f"{places()[key]}/{key}.py must declare one Model, and declares {names}")
    return own[0]


def systems() -> list[type[Model]]:
    """Every system, by wing and title. Imports all of them: `entries` is enough for a list."""
    return sorted((system(key) for key in places()), key=lambda s: (s.wing, s.title))


# -- wings -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wing:
    """A folder of systems as its `__init__.py` introduces it: the docstring is the title, a sentence, and `Order: 10`.
    The least order comes first.
    """

    key: str
    title: str
    sentence: str = ""
    order: float = math.inf


@cache
def wings() -> dict[str, Wing]:
    """The wings that have a system, by key and in order. Imports none."""
    found = (_introduced(key) for key in set(places().values()))
    return {wing.key: wing for wing in sorted(found, key=lambda wing: (wing.order, wing.title))}


def _introduced(key: str) -> Wing:
    file = _MODELS / key / "__init__.py"
    words = ast.get_docstring(ast.parse(file.read_text(encoding="utf-8"))) if file.is_file() else None
    title, _, rest = (words or key.replace("_", " ").capitalize()).partition("\n\n")
    sentence, _, order = rest.rpartition("Order:")
    return Wing(key, title.rstrip("."), " ".join(sentence.split()), float(order) if order.strip() else math.inf)


# -- index -------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entry:
    """What a list shows of a system without importing it."""

    key: str
    wing: str
    title: str
    summary: str
    controls: tuple[str, ...]
    observables: tuple[str, ...]
    landmarks: tuple[str, ...]
    presets: tuple[str, ...]
    promising: tuple[str, ...]  # the presets whose sentence holds a number
    offers: tuple[str, ...]  # capabilities, as `Model.offers` knows them; "planes": it has a diagram
    source: str  # citation of the first
    level: str  # of its tags; empty without
    minutes: int
    phenomena: tuple[str, ...]
    methods: tuple[str, ...]
    words: tuple[str, ...]  # what it is found by: names, phases, presets, papers
    names: tuple[str, ...]  # and names and abbreviations on its page
    symbols: tuple[str, ...]  # the same, in LaTeX
    relations: tuple[Relation, ...] = ()  # that it declares


CAPABILITIES = ("solve", "planes", "simulation", "landscape", "law", "exact", "predicted_path")
INDEX = "entries.json"
NAME = re.compile(r"(?<![\\\w])[A-Z][\w’-]*[A-Za-z](?!\w)")  # a word with a capital at its beginning, not in LaTeX


def _entry_of(kind: type[Model]) -> Entry:
    named: list[Any] = [*kind.controls().values(), *kind.observables, *kind.landmarks]
    words = [kind.key, kind.title, kind.summary, kind.wing, *(phase.title for phase in kind.phases)]
    words += [thing.title for thing in (*named, *kind.branches, *kind.methods)]
    words += [preset.name for preset in kind.presets]
    words += [f"{source.citation} {source.doi} {source.arxiv}" for source in kind.sources]
    tags = kind.tags
    offers = [name for name in CAPABILITIES if (bool(kind.planes) if name == "planes" else kind.offers(name))]
    return Entry(
        key=kind.key,
        wing=kind.wing,
        title=kind.title,
        summary=kind.summary,
        controls=tuple(kind.controls()),
        observables=tuple(observable.name for observable in kind.observables),
        landmarks=tuple(landmark.name for landmark in kind.landmarks),
        presets=tuple(preset.name for preset in kind.presets),
        promising=tuple(preset.name for preset in kind.presets if preset.promises),
        offers=tuple(offers),
        source=kind.sources[0].citation,
        level=tags.level if tags else "",
        minutes=tags.minutes if tags else 0,
        phenomena=tags.phenomena if tags else (),
        methods=tags.methods if tags else (),
        words=tuple([*words, *offers, *(tags.phenomena + tags.methods if tags else ())]),
        names=tuple(sorted(_names(docstring(sys.modules[kind.__module__])))),
        symbols=tuple(thing.symbol for thing in named),
        relations=kind.relations,
    )


def _names(page: str) -> set[str]:
    """Words that are never written small: people, abbreviations."""
    small = set(re.findall(r"\w+", page))
    return {name for name in NAME.findall(page) if name.lower() not in small}


class _Index:
    """Entries under the stamps of their sources, as they are kept: each as JSON, because few of them are looked up."""

    def __init__(self) -> None:
        self.floor = sources().stamp(FLOOR.glob("*.py"))
        self.kept: dict[str, str] = {}
        for folder in kept_folders():
            with suppress(OSError, ValueError):
                known = json.loads((folder / INDEX).read_bytes())
                self.kept = dict(known) | self.kept

    def entry(self, key: str) -> Entry:
        stamp = f"{self.floor} {sources().stamp(sources().imported(source(key)))}"
        with suppress(KeyError, TypeError, ValueError):
            known: dict[str, Any] = json.loads(self.kept[stamp])
            values: dict[str, Any] = {name: tuple(v) if isinstance(v, list) else v for name, v in known.items()}
            return Entry(**values | {"relations": tuple(Relation(**one) for one in known["relations"])})
        made = _entry_of(system(key))
        self.kept[stamp] = json.dumps(asdict(made))
        folder = cache_folder()
        if folder is not None:
            write_whole(folder / INDEX, json.dumps(dict(list(self.kept.items())[-LARGEST:])).encode())
        return made


@cache
def _index() -> _Index:
    return _Index()


@cache
def entry(key: str) -> Entry:
    """What is known of a system, by its key. Imports the system only if its sources have changed since the last time.

    Raises UnknownNameError, and whatever importing a broken system raises.
    """
    return _index().entry(key)


def entries() -> list[Entry]:
    """Every system, by wing and title. Raises as `entry` does."""
    order = list(wings())
    return sorted((entry(key) for key in places()), key=lambda e: (order.index(e.wing), e.title))
