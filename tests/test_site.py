"""The site's own parts: what is not made by Sphinx."""

from __future__ import annotations

import pkgutil
import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

from mfexplore.core.catalogue import places

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(autouse=True)
def _beside_each_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(DOCS))
    for name in ("links", "reference", "system_page", "written"):
        sys.modules.pop(name, None)


def test_a_link_that_leads_nowhere_is_told(tmp_path: Path) -> None:
    from links import broken

    (tmp_path / "a.html").write_text(
        '<p id="here"><a href="b.html#there">b</a> <a href="#here">a</a> <a href="https://x.org">x</a>'
        '<img src="c.png"><a href="b.html#gone">b</a></p>'
    )
    (tmp_path / "b.html").write_text('<p id="there"><a href="sub">sub</a></p>')
    assert broken(tmp_path) == ["a.html: c.png", "a.html: b.html#gone", "b.html: sub"]


def test_links_of_the_app_become_links_of_the_site() -> None:
    from written import settled

    page = (
        '<a href="hopfield?load=0.1"><a href="./kuramoto"><a href="map"><a href="glossary#at-line">'
        '<a href="./#wing-glasses"><a href="#here"><a href="https://x.org/hopfield">'
    )
    assert settled(page, "../") == (
        '<a href="../systems/hopfield.html"><a href="../systems/kuramoto.html"><a href="../systems/map.html">'
        '<a href="../glossary.html#at-line"><a href="../systems/index.html#wing-glasses"><a href="#here">'
        '<a href="https://x.org/hopfield">'
    )


@pytest.mark.parametrize("key", ["curie_weiss", "random_energy"])
def test_the_page_of_a_system_tells_what_is_declared(key: str) -> None:
    from system_page import written

    from mfexplore.core import system

    page = written(key, True, False, True)
    kind = system(key)
    assert key in places()
    assert all(f"<code>{name}</code>" in page for name in kind.controls())
    assert all(f"<dt>{preset.name}</dt>" in page for preset in kind.presets)
    assert page.count("<td>yes</td>") == len(kind.references)
    assert f"pictures/{key}.webp" in page


def test_a_lesson_has_its_figures_and_leads_to_where_it_is_played() -> None:
    from written import _announced, _lesson

    from mfexplore.guide.lessons import lessons

    for lesson in lessons():
        page = _lesson(lesson, set(), [])
        assert page.count('<img class="drawn"') == sum(kind == "figure" for kind, _ in lesson.cells)
        assert any(f'Here: <a href="../systems/{key}.html">' in page for key in lesson.systems)
        assert " minutes. <strong>You need</strong>" in _announced(lesson)
    assert "../live/curie_weiss.html" in _lesson(lessons()[0], set(), ["curie_weiss"])


def test_every_public_name_has_an_entry_in_the_reference(tmp_path: Path) -> None:
    from reference import PACKAGES, modules, public, write

    import mfexplore
    from mfexplore import core

    write(tmp_path)
    for module in (mfexplore, core):
        page = (tmp_path / f"{module.__name__.replace('.', '_')}.md").read_text()
        assert all(f"\n## {name}\n" in page for name in module.__all__)
    told = set(re.findall(r"(?m)^##+ (\S+)$", "\n".join(page.read_text() for page in tmp_path.glob("*.md"))))
    assert {package.name for package in pkgutil.iter_modules(mfexplore.__path__)} == {*PACKAGES, "models"}
    every = [import_module(module) for package in PACKAGES for module in modules(package)]
    assert {name for module in every for name in public(module)} <= told
    assert "<strong>Args</strong>" in (tmp_path / "mfexplore_study_sweep.md").read_text()
