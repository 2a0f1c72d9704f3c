"""The glossary: sound entries, and words that are found where they mean what is explained."""

from __future__ import annotations

import re

import pytest

from mfexplore.core.catalogue import places
from mfexplore.guide.glossary import Term, link, linked, note, terms


@pytest.mark.parametrize("term", terms(), ids=lambda term: term.slug)
def test_an_entry_is_short_and_leads_to_systems_that_exist(term: Term) -> None:
    assert term.text.endswith(".")
    assert 1 <= len(re.findall(r"[.;](?= |$)", term.text)) <= 4
    assert len(term.text) < 360
    assert term.see
    assert set(term.see) <= set(places())
    assert len(set(term.see)) == len(term.see)


def test_no_form_belongs_to_two_terms_and_no_address_either() -> None:
    forms = [form for term in terms() for form in term.forms]
    assert len(set(forms)) == len(forms)
    slugs = [term.slug for term in terms()]
    assert len(set(slugs)) == len(slugs)


def found(page: str) -> list[str]:
    return re.findall(r"«(.*?)»", linked(page, lambda words, term: f"«{term.name}»"))


def test_a_word_is_marked_once_and_where_it_stands_alone() -> None:
    page = "<p>Two spinodals, and a spinodal again; an antispinodal is none.</p>"
    assert linked(page, lambda words, term: f"«{words}»") == page.replace("spinodals", "«spinodals»")


def test_the_longest_form_counts_and_a_sentence_may_begin_with_it() -> None:
    assert found("<p>Naive mean field is no directed\npercolation.</p>") == ["naive mean field", "directed percolation"]


def test_capitals_of_a_form_are_capitals_in_the_text() -> None:
    assert found("<p>They meet at line four.</p>") == []
    assert found("<p>Below the AT line.</p>") == ["AT line"]


def test_nothing_is_marked_in_formulas_links_headings_and_code() -> None:
    page = "<h3>Spinodal</h3><a href='x'>spinodal <b>overlap</b></a><math><mi>overlap</mi></math><code>annealed</code>"
    assert linked(page, link()) == page


def test_sections_of_a_page_share_what_was_seen() -> None:
    seen: set[str] = set()
    assert "<a" in linked("<p>An overlap.</p>", link(), seen)
    assert "<a" not in linked("<p>Overlaps.</p>", link(), seen)


def test_a_mark_explains_itself_also_where_there_is_no_glossary() -> None:
    marked = linked("<p>quenched</p>", link("./glossary"))
    assert 'href="./glossary#quenched"' in marked
    assert 'title="Drawn at random once' in marked
    assert "href" not in linked("<p>quenched</p>", note)
    assert 'title="Drawn at random once' in linked("<p>quenched</p>", note)
