"""The workbench in JupyterLab, and the tasks of the lessons.

>>> import mfexplore as mf
>>> mf.system("hopfield")(temperature=0.2, load=0.05).explore()    # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
from typing import Any

from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.core.seeds import Seed
from mfexplore.notebook.lessons import check, predict

__all__ = ["check", "explore", "predict"]

_open: dict[str, Any] = {}  # the workbench of each cell, by the cell's id


def explore(model: Model, seed: Seed = 0, **view: Any) -> Any:
    """The workbench of a model as a widget, for the last line of a notebook cell.

    Args:
        seed: of the simulation.
        view: x, y, colour, branch, method, along, as in `Exploration`.

    Running the cell again replaces its workbench, and ends what ran behind the old one. Raises MfexploreError outside
    a notebook, SeedError, UnknownNameError for an axis, observable, branch or method that the system does not have.
    """
    from mfexplore.notebook.page import NotebookPage
    from mfexplore.workbench.exploration import Exploration

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise MfexploreError(
            "explore() needs a notebook, because its widgets live in one. `mf.serve()` opens the same in a browser."
        ) from None
    cell = _this_cell()
    if cell in _open:
        _open.pop(cell).close()
    made = NotebookPage(Exploration.of(model, seed=seed, **view), loop).widget
    if cell:
        _open[cell] = made
    return made


def _this_cell() -> str:
    """The id of the cell that is being run, if the front end tells."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)  # type: ignore[no-untyped-call]
    parent = kernel.get_parent() if kernel is not None else {}
    return str(parent.get("metadata", {}).get("cellId", ""))
