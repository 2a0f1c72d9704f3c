"""Data to files: NetCDF keeps everything, CSV is for spreadsheets; both say where the numbers come from."""

from __future__ import annotations

import json
import tempfile
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.errors import UnknownNameError
from mfexplore.core.files import replacing, write

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DATA_ENDINGS = (".nc", ".csv")
PACKED = {"zlib": True, "complevel": 4, "shuffle": True}  # in a NetCDF file; no digit is lost


def netcdf(dataset: xr.Dataset) -> bytes:
    """The dataset as a NetCDF4 file, with all attributes; `xarray.open_dataset` gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        return save(dataset, Path(folder) / "data.nc").read_bytes()


def table(dataset: xr.Dataset) -> pd.DataFrame:
    """The dataset as a flat table: a row for every combination of its coordinates, a column for every variable.

    What runs over a dimension of its own would multiply the rows. Without coordinates (the samples of a sweep) it
    becomes a column for each, `name_1` and so on; observables that are functions (of a lag, an energy, ...) are left
    out (see `left_out`) where there is anything else, and `netcdf` has them.
    """
    import pandas as pd

    dataset = _spread(dataset.drop_vars(list(left_out(dataset))))
    dataset = dataset.drop_dims([d for d in dataset.dims if not any(d in v.dims for v in dataset.data_vars.values())])
    if not dataset.dims:
        return pd.DataFrame([{str(name): v.item() for name, v in {**dataset.coords, **dataset.data_vars}.items()}])
    columns = dataset.to_dataframe(dim_order=list(dataset.dims)).reset_index()
    named = [d for d in dataset.dims if d in dataset.coords]
    return columns[[*named, *(c for c in columns.columns if c not in dataset.dims)]]


def left_out(dataset: xr.Dataset) -> dict[str, str]:
    """What a flat table leaves out, and why, by name."""
    own = _own_dimensions(dataset)
    return {
        name: "a function of " + " and ".join(sorted(d for d in dims if d in dataset.coords))
        for name, dims in own.items()
        if any(d in dataset.coords for d in dims)
    }


def _own_dimensions(dataset: xr.Dataset) -> dict[str, set[str]]:
    """The dimensions that are neither controls nor kinds of theory, by variable, where not all variables have some."""
    usual = {*json.loads(dataset.attrs.get("controls", "{}")), "method", "branch"}
    found = {str(name): {str(d) for d in variable.dims} - usual for name, variable in dataset.items()}
    return {name: dims for name, dims in found.items() if dims} if not all(found.values()) else {}


def _spread(dataset: xr.Dataset) -> xr.Dataset:
    """Variables over a dimension without coordinates as one variable for each of its places, counted from 1."""
    for name, dims in _own_dimensions(dataset).items():
        places = dataset[name].stack({"place": sorted(dims)}, create_index=False).transpose("place", ...)
        columns = {f"{name}_{k + 1}": one.drop_vars(dims, errors="ignore") for k, one in enumerate(places)}
        dataset = dataset.drop_vars(name).assign(columns)
    return dataset


def csv(dataset: xr.Dataset) -> str:
    """The dataset as comma-separated text (see `table`).

    The head, in lines that start with "#", holds the provenance and what each column means, so
    `pandas.read_csv(file, comment="#")` reads the rest.
    """
    columns = table(dataset)
    head = [f"# {name}: {_plain(value)}" for name, value in dataset.attrs.items()]
    head += [f"# left out: {name}, {reason}; a .nc file holds it" for name, reason in left_out(dataset).items()]
    spread = _spread(dataset.drop_vars(list(left_out(dataset))))
    for name in columns.columns:
        attributes = spread[name].attrs if name in spread.variables else {}
        unit = f" [{attributes['units']}]" if attributes.get("units") else ""
        meaning = attributes.get("description") or attributes.get("long_name", "")
        flags = attributes.get("flag_meanings")
        if flags is not None:
            words = zip(attributes["flag_values"], flags.split(), strict=True)
            meaning += f" ({', '.join(f'{code} = {word}' for code, word in words)})"
        head.append(f"# column {name}{unit}: {meaning}")
    body: str = columns.to_csv(index=False, lineterminator="\n")
    return "\n".join(head) + "\n" + body


def check_ending(path: Path, endings: tuple[str, ...] = DATA_ENDINGS) -> str:
    """The ending of the path in small letters. Raises UnknownNameError if it is none of the endings."""
    ending = path.suffix.lower()
    if ending not in endings:
        raise UnknownNameError("file ending", ending or path.name, endings)
    return ending


def save(dataset: xr.Dataset, path: Path | str) -> Path:
    """Write the dataset as its ending says, .nc or .csv. Raises UnknownNameError for another ending, and OSError."""
    path = Path(path)
    if check_ending(path) == ".nc":
        held = _as_netcdf_holds_it(dataset)
        packed: dict[Any, Any] = {name: PACKED for name, variable in held.items() if variable.ndim and variable.size}
        with replacing(path) as place:
            held.to_netcdf(place, engine="h5netcdf", encoding=packed)
    else:
        write(path, csv(dataset))
        for name, reason in left_out(dataset).items():
            warnings.warn(f"{path.name} leaves out {name} ({reason}); a .nc file holds it", stacklevel=2)
    return path


def _as_netcdf_holds_it(dataset: xr.Dataset) -> xr.Dataset:
    """The same with those attributes as text that NetCDF has no type for (larger whole numbers, dates, None, ...)."""
    held = dataset.copy()
    held.attrs = _holdable_ones(dataset.attrs)
    for name in held.variables:
        held[name].attrs = _holdable_ones(dataset[name].attrs)
    return held


def _holdable_ones(attributes: Mapping[Any, Any]) -> dict[Any, Any]:
    return {name: _holdable(value) for name, value in attributes.items()}


def _holdable(value: Any) -> Any:
    if isinstance(value, str):
        return value
    try:
        array = np.asarray(value)
    except ValueError:  # a list of lists of different lengths
        return _plain(value)
    return value if (array.dtype.kind in "iufS" and array.ndim < 2) or array.dtype.kind == "U" else _plain(value)


def _plain(value: Any) -> str:
    """One line of text."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return " ".join(text.split())
