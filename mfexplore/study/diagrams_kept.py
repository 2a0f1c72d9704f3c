"""Diagrams that took long, kept on disk for whoever asks next, in this process or another."""

from __future__ import annotations

import hashlib
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.catalogue import places, source
from mfexplore.core.folders import cache_folder, kept_folders, write_whole
from mfexplore.core.model import Model
from mfexplore.core.provenance import versions
from mfexplore.core.sources import sources
from mfexplore.study.export import netcdf

if TYPE_CHECKING:
    import xarray as xr

LONG = 1.0  # seconds of computing that are worth a file
MOST_BYTES = 256 * 2**20
FOLDER = "diagrams"  # beside the kernels


def kept_diagram(
    kind: type[Model], record: Any, levels: Callable[[], Iterator[xr.Dataset]]
) -> Iterator[xr.Dataset]:  # fmt: skip
    """The diagram that is kept for a system and a record of what was asked, or the `levels` of a new one, of which the
    last is kept if it took long. record: its repr() says all that the diagram depends on beside the sources.
    """
    name = _name(kind, record)
    found = _read(name) if name else None
    if found is not None:
        yield found
        return
    last, seconds, start = None, 0.0, time.thread_time()
    for last in levels():
        seconds += time.thread_time() - start
        yield last
        start = time.thread_time()
    seconds += time.thread_time() - start
    if name and last is not None and seconds > LONG:
        _write(name, last)


def _name(kind: type[Model], record: Any) -> str:
    """Of its file: another one as soon as the sources of the system or the versions of packages change. Empty for what
    is not in the catalogue.
    """
    if kind.key not in places():
        return ""
    stamp = sources().stamp(sources().imported(source(kind.key)))
    asked = hashlib.sha256(f"{record!r} {kind.version} {json.dumps(versions())} {stamp}".encode()).hexdigest()
    return f"{kind.key}-{asked[:24]}.nc"


def _read(name: str) -> xr.Dataset | None:
    import xarray as xr

    for folder in kept_folders():
        file = folder / FOLDER / name
        if file.is_file():
            try:
                found = xr.load_dataset(file, engine="h5netcdf")
            except Exception:  # whatever is wrong with it, it can be computed
                with suppress(OSError):
                    file.unlink()
                continue
            for variable in found.variables.values():  # NetCDF knows no list of one
                if "flag_values" in variable.attrs:
                    variable.attrs["flag_values"] = np.atleast_1d(variable.attrs["flag_values"])
            with suppress(OSError):
                os.utime(file)  # used just now
            return found
    return None


def _write(name: str, dataset: xr.Dataset) -> None:
    """Keep it; those that were not used for longest make room. A full disk keeps nothing."""
    root = cache_folder()
    if root is None:
        return
    folder = root / FOLDER
    with suppress(OSError):
        write_whole(folder / name, netcdf(dataset))
        room = MOST_BYTES
        for file in sorted(folder.glob("*.nc"), key=lambda f: f.stat().st_mtime, reverse=True):
            room -= file.stat().st_size
            if room < 0 and file.name != name:
                file.unlink()
