"""Every lesson runs from top to bottom, is stored without its outputs, and follows the order of a lesson."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

NOTEBOOKS = sorted((Path(__file__).parents[1] / "notebooks").glob("*.ipynb"))
HEADINGS = ["Predict", "Play", "Theory", "Compare with finite $N$", "Check", "Stretch", "References"]

each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


def test_there_are_lessons() -> None:
    assert {path.stem for path in NOTEBOOKS} >= {"01_curie_weiss", "02_hopfield", "03_kuramoto"}


@each
def test_stored_clean(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    code = [cell for cell in cells if cell["cell_type"] == "code"]
    assert all(not cell["outputs"] and cell["execution_count"] is None for cell in code)
    assert all(cell["metadata"] == {} for cell in cells)
    assert len({cell["id"] for cell in cells}) == len(cells)
    text = path.read_text()
    assert not re.search(r"/(?:home|root|tmp|work|Users)/", text), "a path of somebody's machine"


@each
def test_has_the_parts_of_a_lesson(path: Path) -> None:
    cells = json.loads(path.read_text())["cells"]
    prose = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")
    found = re.findall(r"^## (.+)$", prose, re.M)
    assert [heading for heading in found if heading in HEADINGS] == HEADINGS
    assert "**Question.**" in prose
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    for part in ("predict(", ".explore(", "check(", "standard_error"):
        assert part in code


@pytest.mark.notebook
@each
def test_runs_from_top_to_bottom(path: Path, tmp_path: Path) -> None:
    import nbformat
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=240, resources={"metadata": {"path": str(tmp_path)}}).execute()
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert not [o for cell in cells for o in cell.outputs if o.output_type == "stream" and o.name == "stderr"]
    assert any("image/png" in o.get("data", {}) for cell in cells for o in cell.outputs)
    live = [cell for cell in cells if ".explore(" in cell.source]
    assert all("application/vnd.jupyter.widget-view+json" in cell.outputs[-1].data for cell in live)
