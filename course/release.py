"""Make the students' lessons in ../notebooks from the teachers' in source: without solutions and hidden tests.

$ python course/release.py
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LESSONS = sorted(HERE.glob("source/*/*.ipynb"))
STUDENTS = HERE.parent / "notebooks"
WITHHELD = re.compile(r"^### BEGIN (SOLUTION|HIDDEN TESTS)\n.*?^### END \1\n?", re.MULTILINE | re.DOTALL)


def students_version(lesson: dict[str, Any]) -> dict[str, Any]:
    """A lesson without what only the teacher may see, and without the marks of nbgrader."""
    cells = []
    for cell in lesson["cells"]:
        source = WITHHELD.sub("", "".join(cell["source"])).rstrip("\n")
        cells.append(cell | {"source": source.splitlines(keepends=True), "metadata": {}})
    return lesson | {"cells": cells}


def written(notebook: dict[str, Any]) -> str:
    """A notebook as the text of its file."""
    return json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    for path in LESSONS:
        made = students_version(json.loads(path.read_text(encoding="utf-8")))
        (STUDENTS / path.name).write_text(written(made), encoding="utf-8")
