"""The words of the field: read from one file, found in prose, linked where they first occur."""

from __future__ import annotations

import html
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("glossary.toml")
TAG = re.compile(r"(<[^>]*>)")
NAME = re.compile(r"</?\s*([a-zA-Z0-9]+)")
CLOSED = {
    "a",
    "button",
    "code",
    "dt",
    "h1",
    "h2",
    "h3",
    "h4",
    "math",
    "pre",
    "svg",
}  # nothing is linked inside of these


@dataclass(frozen=True)
class Term:
    """A word: its name, one or two sentences, how prose writes it, and the keys of systems where it can be seen."""

    name: str
    text: str
    forms: tuple[str, ...]
    see: tuple[str, ...]

    @property
    def slug(self) -> str:
        """Its name in an address."""
        return re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-")


@cache
def terms() -> tuple[Term, ...]:
    """All terms, in the order of the alphabet."""
    read = tomllib.loads(FILE.read_text(encoding="utf-8"))
    found = [
        Term(name, said["text"], tuple(said.get("written", [name, *said.get("also", [])])), tuple(said.get("see", [])))
        for name, said in read.items()
    ]
    return tuple(sorted(found, key=lambda term: term.name.lower()))


@cache
def _pattern() -> tuple[re.Pattern[str], dict[str, Term]]:
    """Finds any form, the longest first, and the term by its form. A capital in a form is one in the text, too."""
    by_form = {form: term for term in terms() for form in term.forms}
    found = []
    for form in sorted(by_form, key=len, reverse=True):
        words = r"\s+".join(map(re.escape, form.split()))
        if words[0].islower():  # it may begin a sentence
            words = f"[{words[0]}{words[0].upper()}]{words[1:]}"
        found.append(words)
    return re.compile(rf"(?<![\w-])({'|'.join(found)})(s?)(?![\w-])"), by_form


def term_of(words: str) -> Term:
    """The term that a form found in a text belongs to."""
    form = " ".join(words.split())
    by_form = _pattern()[1]
    return by_form[form] if form in by_form else by_form[form[:1].lower() + form[1:]]


Mark = Callable[[str, Term], str]


def link(address: str = "glossary") -> Mark:
    """Marks a word as a link to its entry. address: of the page of the glossary, from where the word stands."""

    def mark(words: str, term: Term) -> str:
        said = html.escape(term.text, quote=True)
        return f'<a class="term" href="{address}#{term.slug}" title="{said}">{words}</a>'

    return mark


def note(words: str, term: Term) -> str:
    """Marks a word where there is no glossary to lead to."""
    return f'<span class="term" title="{html.escape(term.text, quote=True)}">{words}</span>'


def linked(page: str, mark: Mark, seen: set[str] | None = None) -> str:
    """HTML with each term marked where it first occurs, outside of links, headings, code and formulas.

    seen: names of terms that need no mark any more; those marked here are added.
    """
    pattern, seen = _pattern()[0], set() if seen is None else seen

    def first(match: re.Match[str]) -> str:
        term = term_of(match[1])
        if term.name in seen:
            return match[0]
        seen.add(term.name)
        return mark(match[0], term)

    inside, parts = 0, TAG.split(page)
    for i, part in enumerate(parts):
        if part.startswith("<"):
            name = NAME.match(part)
            if name and name[1].lower() in CLOSED and not part.endswith("/>"):
                inside += -1 if part.startswith("</") else 1
        elif not inside:
            parts[i] = pattern.sub(first, part)
    return "".join(parts)
