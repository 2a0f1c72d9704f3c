"""The workbench in JupyterLab, and the tasks of the lessons.

>>> import mfexplore as mf
>>> mf.system("hopfield")(temperature=0.2, load=0.05).explore()    # doctest: +SKIP
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Any

from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.core.seeds import Seed
from mfexplore.notebook.lessons import Exercise, check, predict

__all__ = ["Exercise", "check", "explore", "predict"]

_open: dict[str, tuple[str, list[Any]]] = {}  # by the cell's id: which run of it, and the workbenches it opened


def explore(
    model: Model, seed: Seed = 0, *, measured: Any = None, controls: Sequence[str] = (),
    pins: Iterable[tuple[str, str]] = (), **view: Any,
) -> Any:  # fmt: skip
    """The workbench of a model as a widget, for the last line of a notebook cell.

    Args:
        seed: of the simulation.
        measured: a sweep that is laid over the diagram, where it lies in it, as dots in the colours of the theory: the
            Dataset of `mfexplore.sweep`, its Zarr store, or a file that it was saved to (.nc, .csv).
        controls: the names of those that are shown at first sight (default: three); the others are one click away.
        pins: what is pinned to compare with: a name, and what stands in a link to it after the question mark.
        view: x, y, colour, branch, method, along, x_window, y_window, ..., as in `Exploration`.

    Running the cell again replaces its workbenches, and ends what ran behind the old ones; several in one cell live
    side by side. Raises MfexploreError outside a notebook, SeedError, UnknownNameError for a control, axis, observable,
    branch or method that the system does not have, UnfitSweepError for what is no sweep of it.
    """
    from mfexplore.notebook.page import NotebookPage
    from mfexplore.study.measured import read
    from mfexplore.workbench.exploration import Exploration, Pinned

    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        raise MfexploreError(
            "explore() needs a notebook, because its widgets live in one. `mf.serve()` opens the same in a browser."
        ) from None
    sweep = None if measured is None else read(measured, type(model))
    for name in controls:
        model.control(name)
    pinned = tuple(Pinned("pin", query).called(title) for title, query in pins)
    start = Exploration.of(model, seed=seed, pins=pinned, **view)
    made = NotebookPage(start if view else start.as_opened(), loop, sweep, controls).widget
    cell, run = _this_cell()
    if cell:
        before, opened = _open.get(cell, ("", []))
        if before != run:
            for old in opened:
                old.close()
            opened = []
        _open[cell] = run, [*opened, made]
    return made


def _this_cell() -> tuple[str, str]:
    """The id of the cell that is being run, if the front end tells, and of this run of it."""
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)  # type: ignore[no-untyped-call]
    parent = kernel.get_parent() if kernel is not None else {}
    return str(parent.get("metadata", {}).get("cellId", "")), str(parent.get("header", {}).get("msg_id", ""))
