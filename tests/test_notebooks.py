"""Every lesson runs with its solutions and is stored clean, and the students' version lacks the answers."""

from __future__ import annotations

import ast
import json
import re
import runpy
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[1]
RELEASE = runpy.run_path(str(ROOT / "course" / "release.py"))
LESSONS: list[Path] = RELEASE["LESSONS"]
HEADINGS = ["Predict", "Play", "Theory", "Where it fails", "Exercises", "Stretch", "References"]

each = pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)


def cells(path: Path, kind: str) -> list[dict[str, Any]]:
    return [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["cell_type"] == kind]


def test_students_have_the_same_lessons() -> None:
    assert {path.name for path in LESSONS} == {path.name for path in RELEASE["STUDENTS"].glob("*.ipynb")}
    assert len(LESSONS) >= 3


@each
def test_the_students_version_is_made_from_it(path: Path) -> None:
    stored = RELEASE["STUDENTS"] / path.name
    students = RELEASE["students_version"](RELEASE["read"](path), RELEASE["read"](stored))
    assert not RELEASE["lacks_figures"](students), "python course/release.py --figures draws them"
    made = RELEASE["written"](students)
    assert made == stored.read_text(encoding="utf-8"), "run: python course/release.py"
    assert "SOLUTION" not in made
    assert "HIDDEN" not in made


def test_a_figure_goes_with_the_code_that_drew_it() -> None:
    lesson = RELEASE["read"](LESSONS[0])
    stored = RELEASE["students_version"](lesson)
    index, origin = next(iter(RELEASE["drawings"](stored["cells"]).items()))
    figure = {"output_type": "display_data", "data": {"image/png": ""}, "metadata": {"drawn_by": origin}}
    stored["cells"][index]["outputs"] = [figure]
    assert RELEASE["students_version"](lesson, stored)["cells"][index]["outputs"] == [figure]
    lesson["cells"][index]["source"].append("\nax.grid()")
    assert not RELEASE["students_version"](lesson, stored)["cells"][index]["outputs"]


@each
def test_stored_clean(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    code = cells(path, "code")
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    every = [*code, *cells(path, "markdown")]
    assert all(set(cell["metadata"]) <= {"nbgrader"} for cell in every)
    assert len({cell["id"] for cell in every}) == len(every)
    assert not re.search(r"/(?:home|root|tmp|work|Users)/", text), "a path of somebody's machine"


@each
def test_has_the_parts_of_a_lesson(path: Path) -> None:
    prose = "\n".join("".join(cell["source"]) for cell in cells(path, "markdown"))
    found = re.findall(r"^## (.+)$", prose, re.M)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS
    for part in ("**Question.**", "**After this lesson you can**", "**Time**", "**You need**"):
        assert part in prose
    code = "\n".join("".join(cell["source"]) for cell in cells(path, "code"))
    for part in ("predict(", ".explore(", "standard_error"):
        assert part in code


@each
def test_the_teachers_page_names_it_with_its_minutes(path: Path) -> None:
    page = (ROOT / "course" / "README.md").read_text(encoding="utf-8")
    first = "".join(cells(path, "markdown")[0]["source"])
    (number,), (minutes,) = re.findall(r"^# (\d+)", first), re.findall(r"\*\*Time\*\* (\d+) minutes", first)
    assert re.search(rf"^\| {number} \| {path.stem[3:].replace('_', ' ')} \| {minutes} \|", page, re.M)


@each
def test_answers_are_asked_for_and_graded(path: Path) -> None:
    """Each exercise is a cell to fill in and one that checks; no other needs the answer, so lessons run without."""
    code = cells(path, "code")
    marked = [cell for cell in code if cell["metadata"]]
    asked, graded = marked[::2], marked[1::2]
    assert 3 <= len(asked) == len(graded) <= 5
    ids = [cell["metadata"]["nbgrader"]["grade_id"] for cell in marked]
    assert len(set(ids)) == len(ids)
    for ask, grade in zip(asked, graded, strict=True):
        assert ask["metadata"]["nbgrader"]["solution"]
        assert grade["metadata"]["nbgrader"]["grade"]
        first = ast.parse("".join(ask["source"])).body[0]
        assert isinstance(first, ast.Assign)
        assert ast.unparse(first.value) == "None"
        name = ast.unparse(first.targets[0])
        others = [cell for cell in code if cell is not ask and cell is not grade]
        used = {n.id for c in others for n in ast.walk(ast.parse("".join(c["source"]))) if isinstance(n, ast.Name)}
        assert name not in used
        assert re.search(rf"^check\(\"\w+\.\w+\", {name}\)$", "".join(grade["source"]), re.M)


@pytest.mark.notebook
@each
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    """With the solutions, which the hidden tests find right."""
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    code = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [o for cell in code for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert any("image/png" in o.get("data", {}) for cell in code for o in cell.outputs)
    live = [cell for cell in code if ".explore(" in cell.source]
    assert all("application/vnd.jupyter.widget-view+json" in cell.outputs[-1].data for cell in live)
