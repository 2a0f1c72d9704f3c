"""Make the students' lessons in ../notebooks from the teachers' in source: without solutions and hidden tests.

$ python course/release.py [--figures]

A student's lesson is stored without output, but for the first figure of each section, so that it can also be read where
nothing runs. A figure goes once the code that drew it, or the version of a system in it, is another one; --figures runs
the lessons that lack some, and keeps theirs.
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import re
import sys
from pathlib import Path
from typing import Any

from mfexplore.core.catalogue import places, system

HERE = Path(__file__).parent
LESSONS = sorted(HERE.glob("source/*/*.ipynb"))
STUDENTS = HERE.parent / "notebooks"
WITHHELD = re.compile(r"^### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?^### END \1\n?", re.MULTILINE | re.DOTALL)
COLOURS = 64  # of a stored figure


def students_version(lesson: dict[str, Any], stored: dict[str, Any] | None = None) -> dict[str, Any]:
    """A lesson without what only the teacher may see, and without the marks of nbgrader.

    stored: where figures come from, as far as they are still what the code draws: a students' version of before.
    """
    cells = []
    for cell in lesson["cells"]:
        source = WITHHELD.sub("", "".join(cell["source"])).rstrip("\n")
        cells.append(cell | {"source": source.splitlines(keepends=True), "metadata": {}})
    found = [output for cell in (stored or {"cells": []})["cells"] for output in cell.get("outputs", [])]
    figures = {output["metadata"]["drawn_by"]: output for output in found}
    for index, origin in drawings(cells).items():
        if origin in figures:
            cells[index]["outputs"] = [figures[origin]]
    return lesson | {"cells": cells}


def drawings(cells: list[dict[str, Any]]) -> dict[int, str]:
    """The first cell of each section that draws, by its index, and what its figure comes from, as a short hash."""
    found, code, drawn = {}, "", False
    for index, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] != "code":
            drawn = drawn and not re.search(r"^## ", source, re.MULTILINE)
            continue
        code += source
        if "plt.subplots" in source and not drawn:
            keys = sorted(set(re.findall(r'"(\w+)"', code)) & set(places()))
            origin = "\n".join([code, *(f"{key} {system(key).version}" for key in keys)])
            found[index] = hashlib.sha256(origin.encode()).hexdigest()[:12]
            drawn = True
    return found


def drawn(lesson: dict[str, Any], students: dict[str, Any]) -> dict[str, Any]:
    """The students' version with all its figures, drawn by running the teacher's."""
    import nbformat
    from nbclient import NotebookClient

    run = nbformat.reads(json.dumps(lesson), as_version=4)
    NotebookClient(run, timeout=300, resources={"metadata": {"path": str(HERE)}}).execute()
    for index, origin in drawings(students["cells"]).items():
        image = next(o["data"]["image/png"] for o in run.cells[index].outputs if "image/png" in o.get("data", {}))
        made = {"data": {"image/png": smaller(image)}, "metadata": {"drawn_by": origin}, "output_type": "display_data"}
        students["cells"][index]["outputs"] = [made]
    return students


def smaller(image: str) -> str:
    """A PNG in base64 with few colours."""
    from PIL import Image

    out = io.BytesIO()
    Image.open(io.BytesIO(base64.b64decode(image))).convert("RGB").quantize(COLOURS).save(out, "png", optimize=True)
    return base64.b64encode(out.getvalue()).decode()


def lacks_figures(students: dict[str, Any]) -> bool:
    return any(not students["cells"][index]["outputs"] for index in drawings(students["cells"]))


def written(notebook: dict[str, Any]) -> str:
    """A notebook as the text of its file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


def read(path: Path) -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"cells": []}
    return loaded


if __name__ == "__main__":
    for path in LESSONS:
        made = students_version(read(path), read(STUDENTS / path.name))
        if "--figures" in sys.argv and lacks_figures(made):
            print(f"running {path.stem}", flush=True)
            made = drawn(read(path), made)
        (STUDENTS / path.name).write_text(written(made), encoding="utf-8")
