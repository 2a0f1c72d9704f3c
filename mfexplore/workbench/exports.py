"""What can be taken home: pictures, data, the trace, a notebook; and the table of numbers at the marker."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.core.model import Model
from mfexplore.core.simulation import Measured
from mfexplore.figures import publication
from mfexplore.study.export import netcdf
from mfexplore.study.measured import Dots
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.notebook_file import as_notebook
from mfexplore.workbench.sentence import number

if TYPE_CHECKING:
    import xarray as xr

TYPES = {
    "png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "csv": "text/csv",
    "nc": "application/x-netcdf", "ipynb": "application/x-ipynb+json",
}  # fmt: skip


@dataclass(frozen=True)
class Held:
    """What the page shows at the moment of export; None where it shows nothing of the kind."""

    at: Exploration
    diagram: xr.Dataset | None = None
    boundaries: xr.Dataset | None = None
    curve: xr.Dataset | None = None
    points: dict[float, dict[str, tuple[float, float, int]]] = field(default_factory=dict)
    trace: xr.Dataset | None = None
    theory: xr.Dataset | None = None
    loop: xr.Dataset | None = None
    dots: Dots | None = None
    profiles: Mapping[str, Measured] = field(default_factory=dict)


@dataclass(frozen=True)
class File:
    name: str
    content: bytes

    @property
    def media_type(self) -> str:
        return TYPES[self.name.rpartition(".")[2]]

    def as_link(self) -> str:
        """An address that carries the file itself."""
        return f"data:{self.media_type};base64,{base64.b64encode(self.content).decode()}"


def make(what: str, held: Held) -> File:
    """The file for "diagram.png", "curve.svg", "diagram.nc", "curve.csv", "trace.csv", "notebook.ipynb", ...

    Raises UnknownNameError, and MfexploreError if there is nothing to export yet. Pictures are for paper: always light.
    """
    part, _, form = what.partition(".")
    name = f"{held.at.model.key}-{part}.{form}"
    if what == "notebook.ipynb":
        return File(name, as_notebook(held.at).encode())
    if form in ("png", "svg", "pdf"):
        return File(name, _picture(part, form, held))
    data = {
        "diagram": held.diagram, "curve": held.curve, "hysteresis": held.loop, "trace": held.trace,
        "theory": held.theory,
    }  # fmt: skip
    if part not in data or form not in ("csv", "nc"):
        raise UnknownNameError("export", what, [f"{p}.{f}" for p in data for f in ("csv", "nc")])
    dataset = data[part]
    if dataset is None:
        raise MfexploreError(f"There is no {part} to export yet.")
    dataset = dataset.assign_attrs(dataset.attrs | {"exploration": json.dumps(held.at.record())})
    return File(name, netcdf(dataset) if form == "nc" else _csv(dataset))


def _picture(part: str, form: str, held: Held) -> bytes:
    record = held.at.record() | {"citation": held.at.citation()}
    if part == "diagram" and held.diagram is not None:
        made = publication.diagram(
            held.diagram, type(held.at.model), held.at.colour, held.at.branch, held.at.method, held.boundaries,
            (float(getattr(held.at.model, held.at.x)), float(getattr(held.at.model, held.at.y))), measured=held.dots,
        )  # fmt: skip
    elif part == "curve" and held.curve is not None:
        points = [(x, *one[held.at.colour][:2]) for x, one in sorted(held.points.items()) if held.at.colour in one]
        made = publication.curve(
            held.curve, type(held.at.model), held.at.along_control, held.at.colour, points, loop=held.loop
        )
    elif part == "function" and held.theory is not None and (name := _function(held.at)):
        against = held.at.model.observable(name).against
        measured, across = (held.profiles.get(one or "") for one in (name, against))
        made = publication.function(
            held.theory, type(held.at.model), name, None if against and across is None else measured, across
        )
    else:
        raise MfexploreError(f"There is no {part} to export yet.")
    return publication.save(made, form, record)


def _function(at: Exploration) -> str:
    """The observable that the page shows as a function; empty if there is none at these controls."""
    names = [o.name for o in at.model.observables if o.over is not None and at.model.applies(o)]
    return at.function if at.function in names else next(iter(names), "")


def _csv(dataset: xr.Dataset) -> bytes:
    """Comment lines with the provenance, then one row per point."""
    head = "".join(f"# {name}: {value}\n" for name, value in dataset.attrs.items())
    text: str = dataset.to_dataframe().reset_index().to_csv(index=False)
    return (head + text).encode()


def table(model: Model, theory: xr.Dataset, measured: dict[str, tuple[float, float, int]]) -> dict[str, Any]:
    """The theory at the marker as rows of text: one per observable, one column per method and branch; those that exist
    at these controls.
    """
    from mfexplore.figures.curves import lines_of

    lines = lines_of(type(model))
    rows = []
    for observable in model.observables:
        if observable.name not in theory or observable.over is not None or not model.applies(observable):
            continue
        cells = []
        for line in lines:
            at = theory
            if line.method and "method" in at.dims:
                at = at.sel({"method": line.method})
            if line.branch and "branch" in at.dims:
                at = at.sel(branch=line.branch)
            value = float(at[observable.name])
            cells.append("–" if np.isnan(value) else f"{value:.6g}")
        simulated = measured.get(observable.name)
        cells.append(number(*simulated[:2]) if simulated else "")
        rows.append({"title": observable.title, "unit": observable.unit, "name": observable.name, "cells": cells})
    return {"columns": [line.title for line in lines] + ["simulation"], "rows": rows}
