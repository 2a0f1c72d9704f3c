"""An exploration as a notebook file: the workbench, live, and the lines of Python behind it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from mfexplore.workbench.exploration import Exploration


def as_notebook(exploration: Exploration, page: str = "", shown: Collection[str] = ("state", "trace")) -> str:
    """The text of an .ipynb file that opens on this exploration; no cell has been run yet.

    page: the address of the page it was made on, so that its links lead there. shown: as in `Exploration.as_python`.
    """
    model = exploration.model
    made = f'import mfexplore as mf\nimport numpy as np\n\nmodel = mf.system("{model.key}")({exploration.changed()})'
    view = "".join(f", {name}={value!r}" for name, value in exploration.view().items())
    if exploration.pins:
        view += f", pins={[(pin.title, pin.query) for pin in exploration.pins]!r}"
    cells = [
        _cell("markdown", f"# {model.title}\n\n{model.summary}\n\n{exploration.citation(page)}"),
        _cell("code", made),
        _cell("code", f"model.explore(seed={exploration.seed_expression}{view})"),
        _cell("markdown", "## The same in Python"),
        *(_cell("code", lines) for lines in _cells(exploration.as_python(shown))),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "mfexplore": exploration.record(page)}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cells(lines: str) -> list[str]:
    """The parts of a program, each with what it makes as its last line, so that a notebook shows it."""
    parts = lines.split("\n\n")
    return [re.sub(r"(figure)\.savefig\(.*\)$", r"\g<0>\n\1", part) for part in parts]


def _cell(kind: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": lines}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
