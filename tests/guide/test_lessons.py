"""Lessons as they are read: number, title, systems."""

from __future__ import annotations

import json
from pathlib import Path

from mfexplore.core.catalogue import places
from mfexplore.guide import lessons


def test_a_lesson_tells_what_it_is_and_plays_with(tmp_path: Path) -> None:
    cells = [
        {"cell_type": "markdown", "source": ["# 7 · Echoes: who said that?\n", "\n", "A question about $x^2$."]},
        {"cell_type": "code", "source": ['Hopfield = mf.system("hopfield")\n', 'print("a < b", "no_system")']},
    ]
    file = tmp_path / "07_echoes.ipynb"
    file.write_text(json.dumps({"cells": cells}))
    lesson = lessons.read(file)
    assert (lesson.number, lesson.title, lesson.systems) == (7, "Echoes: who said that?", ("hopfield",))
    page = lesson.page()
    assert "<math" in page
    assert "a &lt; b" in page


def test_every_lesson_plays_with_a_system_and_systems_know_it() -> None:
    for lesson in lessons.lessons():
        assert lesson.number > 0
        assert set(lesson.systems) <= set(places())
        assert lesson.systems
        assert lesson in lessons.lessons_of(lesson.systems[0])
