"""Data to files: NetCDF keeps everything, CSV is for spreadsheets; both say where the numbers come from."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfexplore.core.errors import UnknownNameError

if TYPE_CHECKING:
    import pandas as pd
    import xarray as xr

DATA_ENDINGS = (".nc", ".csv")


def netcdf(dataset: xr.Dataset) -> bytes:
    """The dataset as a NetCDF4 file, with all attributes; `xarray.open_dataset` gives it back."""
    with tempfile.TemporaryDirectory() as folder:
        return save(dataset, Path(folder) / "data.nc").read_bytes()


def table(dataset: xr.Dataset) -> pd.DataFrame:
    """The dataset as a flat table: a row for every combination of its coordinates, a column for every variable.

    Observables that are functions (of a lag, an energy, ...) run over a coordinate of their own and would multiply the
    rows; where there is anything else they are left out, and `netcdf` has them.
    """
    import pandas as pd

    usual = {*json.loads(dataset.attrs.get("controls", "{}")), "method", "branch"}
    functions = [name for name, variable in dataset.items() if not usual.issuperset(variable.dims)]
    if len(functions) < len(dataset.data_vars):
        dataset = dataset.drop_dims({d for name in functions for d in dataset[name].dims} - usual)
    if not dataset.dims:
        return pd.DataFrame([{str(name): v.item() for name, v in {**dataset.coords, **dataset.data_vars}.items()}])
    columns = dataset.to_dataframe(dim_order=list(dataset.dims)).reset_index()
    named = [d for d in dataset.dims if d in dataset.coords]
    return columns[[*named, *(c for c in columns.columns if c not in dataset.dims)]]


def csv(dataset: xr.Dataset) -> str:
    """The dataset as comma-separated text (see `table`).

    The head, in lines that start with "#", holds the provenance and what each column means, so
    `pandas.read_csv(file, comment="#")` reads the rest.
    """
    columns = table(dataset)
    head = [f"# {name}: {_plain(value)}" for name, value in dataset.attrs.items()]
    for name in columns.columns:
        attributes = dataset[name].attrs if name in dataset.variables else {}
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
        dataset.to_netcdf(path, engine="h5netcdf")
    else:
        path.write_text(csv(dataset), encoding="utf-8")
    return path


def _plain(value: Any) -> str:
    """One line of text."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return " ".join(text.split())
