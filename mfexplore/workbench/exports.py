"""What can be taken home: pictures, data, films, a notebook, a page; and the table of numbers at the marker."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.core.model import Model
from mfexplore.core.provenance import attributes, error_attributes, observed_attributes, unit_of, versions
from mfexplore.core.solution import values_of
from mfexplore.core.verbs import verb
from mfexplore.figures import publication, publication_live
from mfexplore.figures.diagram import choose
from mfexplore.figures.movie import movie
from mfexplore.figures.publication_trace import traces
from mfexplore.figures.symbols import plain
from mfexplore.study.export import netcdf
from mfexplore.study.measured import Dots
from mfexplore.workbench.agreement import Sampled
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.notebook_file import as_notebook
from mfexplore.workbench.sentence import number

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

    from mfexplore.workbench.live import Frame
    from mfexplore.workbench.views import Point

TYPES = {
    "png": "image/png", "svg": "image/svg+xml", "pdf": "application/pdf", "csv": "text/csv",
    "nc": "application/x-netcdf", "ipynb": "application/x-ipynb+json", "gif": "image/gif", "mp4": "video/mp4",
    "html": "text/html",
}  # fmt: skip
LONG = ("run.gif", "run.mp4", "page.html")  # take so long that one wants to know how far they are
TABLE_ROWS = 13  # of a curve
Part = tuple[float, str]  # that is done, and in words what comes


@dataclass(frozen=True)
class Held:
    """What the page shows at the moment of export; None where it shows nothing of the kind. page: its address; shown:
    its panels that have something to show.
    """

    at: Exploration
    page: str = ""
    diagram: xr.Dataset | None = None
    boundaries: xr.Dataset | None = None
    curve: xr.Dataset | None = None
    points: dict[float, dict[str, Sampled]] = field(default_factory=dict)
    trace: xr.Dataset | None = None
    point: Point | None = None
    loop: xr.Dataset | None = None
    dots: Dots | None = None
    frame: Frame | None = None
    shown: tuple[str, ...] = ("state", "trace")


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
        return File(name, as_notebook(held.at, held.page, held.shown).encode())
    if form in ("png", "svg", "pdf"):
        return File(name, _picture(part, form, held))
    data = {"diagram": held.diagram, "curve": held.curve, "hysteresis": held.loop, "trace": held.trace}
    if part not in data or form not in ("csv", "nc"):
        raise UnknownNameError("export", what, [f"{p}.{f}" for p in data for f in ("csv", "nc")])
    dataset = data[part]
    if dataset is None:
        raise MfexploreError(f"There is no {part} to export yet.")
    dataset = dataset.assign_attrs(dataset.attrs | {"exploration": json.dumps(held.at.record(held.page))})
    if form == "nc":
        return File(name, netcdf(_with_points(dataset, held) if part == "curve" else dataset))
    if part == "diagram":
        return File(name, _csv(dataset.attrs, _shown_table(dataset, held.at)))
    frame = dataset.to_dataframe().reset_index()
    return File(name, _csv(dataset.attrs, _with_rows(frame, held) if part == "curve" else frame))


def making(what: str, held: Held, cancelled: Cancelled) -> Iterator[Part | File]:
    """One of LONG: how far it is, and at last the file. Raises MfexploreError, and CancelledError if `cancelled()`."""
    at, part, form = held.at, *what.split(".")
    if part == "page":
        yield from verb("page")(at, held.page, cancelled)
        return
    until = held.frame.time if held.frame is not None and held.frame.time > 0 else None
    run = at.model.simulate(seed=at.seed)
    picture = at.picture if at.picture in run.pictures() else None
    film = movie(
        run, form, until, picture=picture, caption=caption(at), record=at.record(held.page), cancelled=cancelled
    )
    for made in film:
        if isinstance(made, bytes):
            yield File(f"{at.model.key}-{part}.{form}", made)
        else:
            yield made, "drawing the film"


def _with_points(dataset: xr.Dataset, held: Held) -> xr.Dataset:
    """A curve with what was simulated along it: for each observable mean, standard error and every sample."""
    at, measured = held.at, sorted(held.points.items())
    names = [o.name for o in at.model.observables if any(o.name in one for _, one in measured)]
    if not names:
        return dataset
    most = max(len(one[name].values) for _, one in measured for name in names if name in one)
    place, control = f"simulated_{at.along_control}", at.model.control(at.along_control)
    made = dataset.assign_coords({place: (place, [x for x, _ in measured], attributes(control))})
    for name in names:
        meaning = observed_attributes(at.model, name)
        found = [one.get(name, Sampled(np.nan, np.nan, 0)) for _, one in measured]
        each = np.full((len(found), most), np.nan)
        for row, one in zip(each, found, strict=True):
            row[: len(one.values)] = one.values
        about = unit_of(meaning) | {"long_name": f"{meaning['long_name']} in simulations"}
        made[f"simulated_{name}"] = (place, [one.mean for one in found], about)
        made[f"simulated_{name}_standard_error"] = (place, [one.error for one in found], error_attributes(about))
        made[f"simulated_{name}_samples"] = ((place, "sample"), each, about)
    return made


def _with_rows(frame: pd.DataFrame, held: Held) -> pd.DataFrame:
    """A curve as a table, with rows below for what was simulated: of the kind "simulation", with standard errors."""
    import pandas as pd

    rows = []
    for x, measured in sorted(held.points.items()):
        row: dict[str, Any] = {"kind": "simulation", held.at.along_control: x}
        for name, one in measured.items():
            row |= {name: one.mean, f"{name}_standard_error": one.error, "samples": one.samples}
        rows.append(row)
    frame.insert(0, "kind", "theory")
    return pd.concat([frame, pd.DataFrame(rows)], ignore_index=True) if rows else frame


def _shown_table(dataset: xr.Dataset, at: Exploration) -> pd.DataFrame:
    """A diagram as a table of what is shown of it: one row per point. (Everything is in the NetCDF file.)"""
    shown = choose(dataset, type(at.model), at.branch, at.method)
    names = [n for n in (at.colour, "phase", "validity", "converged") if n in shown]
    return shown[names].reset_coords(drop=True).to_dataframe().reset_index()[[at.x, at.y, *names]]


def _picture(part: str, form: str, held: Held) -> bytes:
    at, kind, point = held.at, type(held.at.model), held.point
    made = None
    if part == "diagram" and held.diagram is not None:
        marker = float(getattr(at.model, at.x)), float(getattr(at.model, at.y))
        made = publication.diagram(
            held.diagram, kind, at.colour, at.branch, at.method, held.boundaries, marker, measured=held.dots
        )
    elif part == "curve" and held.curve is not None:
        points = [(x, *one[at.colour][:2]) for x, one in sorted(held.points.items()) if at.colour in one]
        made = publication.curve(held.curve, kind, at.along_control, at.colour, points, loop=held.loop)
    elif part == "function" and point is not None and (name := _function(at)):
        profiles = held.frame.profiles if held.frame else {}
        against = at.model.observable(name).against
        measured, across = (profiles.get(one or "") for one in (name, against))
        made = publication.function(point.theory, kind, name, None if against and across is None else measured, across)
    elif part == "landscape" and point is not None and point.landscape is not None:
        made = publication_live.landscape(point.landscape, kind, *point.states_of(point.landscape.observable))
    elif part == "distribution" and point is not None and point.laws:
        chosen = at.law if at.law in [law.observable for law in point.laws] else point.laws[0].observable
        laws = tuple(law for law in point.laws if law.observable == chosen)
        made = publication_live.histogram(laws, kind, held.frame.samples if held.frame else None)
    elif part == "state" and held.frame is not None:
        made = publication_live.picture(held.frame.picture)
    elif part == "trace" and held.trace is not None:
        made = traces(held.trace, kind, at.model.equilibrium() if kind.offers("solve") else None)
    if made is None:
        raise MfexploreError(f"There is no {part} to export yet.")
    record = at.record(held.page) | {"citation": at.citation(held.page)}
    return publication.save(made, form, record, caption=caption(at))


def caption(at: Exploration) -> str:
    """What a figure is of, for below it: the system, every control that has an effect, the seed, and who made it."""
    told = []
    for name, made in at.model.controls().items():
        if at.model.applies(made):
            value = getattr(at.model, name)
            words = made.option_title(value) if made.is_choice else f"{value:,}" if made.is_integer else f"{value:.4g}"
            told.append(f"{plain(made.symbol) if made.symbol else made.title} = {words}")
    seed = [f"seed {at.seed_text}"] if type(at.model).offers("simulation") else []
    made_by = f"mfexplore {versions()['mfexplore']}, version {at.model.version} of the system"
    return f"{at.model.title}: {', '.join([*told, *seed])}. {made_by}."


def _function(at: Exploration) -> str:
    """The observable that the page shows as a function; empty if there is none at these controls."""
    names = [o.name for o in at.model.observables if o.over is not None and at.model.applies(o)]
    return at.function if at.function in names else next(iter(names), "")


def _csv(attributes: Mapping[Any, Any], table: pd.DataFrame) -> bytes:
    """Comment lines with the provenance, then one row per point."""
    head = "".join(f"# {name}: {value}\n" for name, value in attributes.items())
    body: str = table.to_csv(index=False, float_format="%.9g")
    return (head + body).encode()


def table(
    model: Model, theory: xr.Dataset, measured: Mapping[str, Sampled], exact: Mapping[str, float]
) -> dict[str, Any]:
    """The numbers at the marker as rows of text, one per observable: what is simulated, what is exact at that size, and
    a column per method and branch of the theory; those that exist at these controls.
    """
    from mfexplore.figures.curves import lines_of

    there = {one.name for one in (*model.methods, *model.branches) if model.applies(one)}
    lines = [one for one in lines_of(type(model)) if {one.method, one.branch} - {None} <= there]
    rows = []
    for observable in model.observables:
        if observable.name not in theory or observable.over is not None or not model.applies(observable):
            continue
        simulated = measured.get(observable.name)
        cells = [number(*simulated[:2]) if simulated else ""] if model.offers("simulation") else []
        cells += [_six(exact[observable.name]) if observable.name in exact else ""] if exact else []
        for line in lines:
            value = float(values_of(theory, line.method, line.branch)(observable.name))
            cells.append("–" if np.isnan(value) else _six(value))
        rows.append({"title": observable.title, "unit": observable.unit, "name": observable.name, "cells": cells})
    columns = (["simulation"] if model.offers("simulation") else []) + (["exact"] if exact else [])
    return {"columns": columns + [line.title for line in lines], "rows": rows}


def curve_table(
    at: Exploration, columns: Mapping[str, NDArray[Any]], points: Mapping[float, Mapping[str, Sampled]]
) -> dict[str, Any]:
    """The curve as rows of text, one per value of its control: the equilibrium of each theory that there is, and what
    was simulated there. columns: of `figures.curves.theory_columns`.
    """
    from mfexplore.figures.curves import lines_of

    control = at.model.control(at.along_control)
    places = np.unique(np.concatenate([control.grid(TABLE_ROWS, *at.window(at.along)).astype(float), sorted(points)]))
    lines = list(enumerate(lines_of(type(at.model))))
    theories: dict[str, list[NDArray[Any]]] = {m.title: [] for m in at.model.methods if at.model.applies(m)}
    titles = {method.name: method.title for method in at.model.methods}
    for k, line in lines:
        title = titles.get(line.method or "", "theory")
        if line.method is None or title in theories:
            theories.setdefault(title, []).append(np.interp(places, columns["x"], columns[f"equilibrium{k}"]))
    told = {
        title: np.array([next((v for v in row if np.isfinite(v)), np.nan) for row in zip(*values, strict=True)])
        for title, values in theories.items()
    }
    runs = at.model.offers("simulation")
    rows = []
    for k, place in enumerate(places):
        cells = ["–" if np.isnan(values[k]) else _six(float(values[k])) for values in told.values()]
        found = points.get(float(place), {}).get(at.colour)
        if runs:
            cells.append(number(found.mean, found.error) if found is not None else "")
        rows.append({"title": f"{place:.4g}", "unit": control.unit, "cells": cells})
    return {"columns": [*told, *(["simulation"] if runs else [])], "rows": rows}


def _six(value: float) -> str:
    """Six digits; what is only rounding is zero."""
    return f"{value:.6g}" if abs(value) > 1e-12 else "0"
