"""Measured diagrams: what simulations say at points of a plane, from a sweep wherever it is kept."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.core.solution import Array
from mfexplore.study.export import DATA_ENDINGS, check_ending
from mfexplore.study.sweep import load

if TYPE_CHECKING:
    import xarray as xr

DERIVED = re.compile(r"_(standard_error|samples(_\d+)?|simulated|quartiles|theory)$")  # from a mean, or beside it
MOST_TEXT = 4_000_000  # characters of a table
ROUNDING = 0.01  # relative difference of two values of a control that are the same but for whole numbers of things


class UnfitSweepError(MfexploreError):
    """What was to be laid over a diagram is no sweep, or one of another system."""


@dataclass(frozen=True)
class Dots:
    """What simulations say at points of a plane. x, y: shape (n,); values: means by observable, each of shape (n,), NaN
    where one is not known.
    """

    x: Array
    y: Array
    values: Mapping[str, Array]

    @classmethod
    def of(cls, points: Sequence[tuple[float, float, Mapping[str, float]]]) -> Dots:
        """Of points one by one: (x, y, {observable: mean})."""
        names = dict.fromkeys(name for _, _, means in points for name in means)
        values = {name: np.array([means.get(name, np.nan) for _, _, means in points]) for name in names}
        return cls(np.array([p[0] for p in points], float), np.array([p[1] for p in points], float), values)

    def __add__(self, other: Dots) -> Dots:
        """Those of both."""
        values = {}
        for name in {**self.values, **other.values}:
            parts = [one.values.get(name, np.full(one.x.size, np.nan)) for one in (self, other)]
            values[name] = np.concatenate(parts)
        return Dots(np.append(self.x, other.x), np.append(self.y, other.y), values)

    def shown(self, observable: str) -> tuple[Array, Array, Array]:
        """x, y and value of those at which an observable is known."""
        values = self.values.get(observable, np.full(self.x.size, np.nan))
        known = np.isfinite(values)
        return self.x[known], self.y[known], values[known]


NONE = Dots.of([])


def read(source: xr.Dataset | str | PathLike[str], kind: type[Model]) -> xr.Dataset:
    """A sweep of a system: the Dataset itself, its Zarr folder, or a file that was saved from it (.nc, .csv).

    Raises UnfitSweepError (no sweep, or of another system), SweepMismatchError, UnknownNameError (ending), OSError.
    """
    import xarray as xr

    if isinstance(source, xr.Dataset):
        found = source
    elif Path(source).is_dir():
        found = load(source)
    elif check_ending(Path(source), DATA_ENDINGS) == ".nc":
        found = xr.load_dataset(source, engine="h5netcdf")
    else:
        return read_table(Path(source).read_text(encoding="utf-8"), str(source), kind)
    return _checked(found, str(source) if isinstance(source, str | PathLike) else "This Dataset", kind)


def read_table(text: str, name: str, kind: type[Model]) -> xr.Dataset:
    """The same from the text of a .csv file, `name`: over the points one by one. Raises UnfitSweepError."""
    import pandas as pd
    import xarray as xr

    if len(text) > MOST_TEXT:
        raise UnfitSweepError(f"{name} has {len(text):,} characters, more than {MOST_TEXT:,}.")
    head = [line[2:].partition(": ") for line in text.splitlines() if line.startswith("# ")]
    attributes = {name: value for name, _, value in head if not name.startswith("column ")}
    try:
        columns = pd.read_csv(io.StringIO(text), comment="#")
    except ValueError as error:
        raise UnfitSweepError(f"{name} cannot be read as a table: {error}.") from None
    wordless = [str(n) for n in columns if columns[n].dtype.kind in "biuf" or n in kind.controls()]
    found = xr.Dataset({n: ("point", columns[n].to_numpy()) for n in wordless}, attrs=attributes)
    return _checked(found, name, kind)


def _checked(found: xr.Dataset, name: str, kind: type[Model]) -> xr.Dataset:
    """A sweep, if it is one of this system."""
    if missing := {"system", "controls", "samples"} - set(found.attrs):  # theory has no samples
        raise UnfitSweepError(f"{name} is no sweep: it has no {', '.join(sorted(missing))}.")
    if found.attrs["system"] != kind.key:
        raise UnfitSweepError(f"{name} is a sweep of {found.attrs['system']}, not of {kind.key}.")
    try:
        dict(json.loads(found.attrs["controls"]))
    except (TypeError, ValueError):
        raise UnfitSweepError(f"{name} does not say at which controls it was made.") from None
    return found


def dots(sweep: xr.Dataset, model: Model, x: str, y: str) -> Dots:
    """The points of a sweep that lie in the plane (x, y) of a model: those at which all else that theory depends on has
    the values of the model.
    """
    axes = _axes(sweep, type(model))
    known = [str(name) for name in sweep.data_vars if _is_mean(sweep, str(name), axes)]
    kept = [*axes, *(f"{name}_simulated" for name in axes)]
    flat = sweep[[*known, *(name for name in kept if name in sweep.variables)]]
    flat = flat.drop_vars([name for name in flat.coords if name not in kept])
    rows = (flat if flat.dims else flat.expand_dims("point")).to_dataframe().reset_index()
    fixed = json.loads(sweep.attrs["controls"])

    def column(name: str) -> Array:
        """A control at every point, as it was really simulated."""
        found = next((n for n in (f"{name}_simulated", name) if n in rows), None)
        return np.full(len(rows), fixed.get(name, np.nan)) if found is None else rows[found].to_numpy()

    there = np.ones(len(rows), bool)
    for name, made in model.controls().items():
        if name not in (x, y) and made.part != "simulation" and model.applies(made):
            there &= _alike(column(name), getattr(model, name))
    across, up = (column(name).astype(float)[there] for name in (x, y))
    return Dots(across, up, {name: rows[name].to_numpy(float)[there] for name in known})


def controls_of(sweep: xr.Dataset, kind: type[Model]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """The controls of one point of a sweep, as far as theory depends on them, and which of them were swept."""
    made = {name: one for name, one in kind.controls().items() if one.part != "simulation"}
    swept = tuple(name for name in _axes(sweep, kind) if name in made)
    fixed = {name: value for name, value in json.loads(sweep.attrs["controls"]).items() if name in made}
    return fixed | {name: sweep[name].values.flat[0].item() for name in swept}, swept


def _axes(sweep: xr.Dataset, kind: type[Model]) -> list[str]:
    """The controls that were swept; one that a run reports (a driven field) has an error beside it."""
    there = set(sweep.variables)
    return [name for name in kind.controls() if name in there and f"{name}_standard_error" not in there]


def _is_mean(sweep: xr.Dataset, name: str, axes: list[str]) -> bool:
    """Whether a variable is the mean of an observable at each point, and no error, sample or control."""
    return not DERIVED.search(name) and name not in axes and set(sweep[name].dims) <= {*axes, "point"}


def _alike(values: Array, wanted: Any) -> Array:
    """Where a control has the value that is wanted, but for what a simulation rounds."""
    if isinstance(wanted, str):
        return np.asarray(values == wanted)
    return np.asarray(np.isclose(values.astype(float), wanted, rtol=ROUNDING, atol=1e-9))
