"""An exploration as a notebook file: the workbench, live, and the lines of Python behind it."""

from __future__ import annotations

import json
from typing import Any

from mfexplore.workbench.exploration import Exploration


def as_notebook(exploration: Exploration) -> str:
    """The text of an .ipynb file that opens on this exploration; no cell has been run yet."""
    model = exploration.model
    changed = ", ".join(f"{n}={v!r}" for n, v in model.values().items() if v != getattr(type(model)(), n))
    made = f'import mfexplore as mf\nimport numpy as np\n\nmodel = mf.system("{model.key}")({changed})'
    cells = [
        _cell("markdown", f"# {model.title}\n\n{model.summary}\n\n{exploration.citation()}"),
        _cell("code", made),
        _cell("code", f"model.explore(seed={exploration.seed_expression})"),
        _cell("markdown", "## The same in Python"),
        _cell("code", exploration.as_python()),
    ]
    for number, cell in enumerate(cells):
        cell["id"] = f"cell-{number}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}, "mfexplore": exploration.record()}
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1) + "\n"


def _cell(kind: str, text: str) -> dict[str, Any]:
    lines = text.splitlines(keepends=True)
    cell: dict[str, Any] = {"cell_type": kind, "metadata": {}, "source": lines}
    return cell | ({"execution_count": None, "outputs": []} if kind == "code" else {})
