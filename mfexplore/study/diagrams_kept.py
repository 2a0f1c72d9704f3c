"""Diagrams that took long, kept on disk for whoever asks next, in this process or another."""

from __future__ import annotations

import hashlib
import io
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
    return f"{kind.key}-{asked[:24]}.npz"


def _read(name: str) -> xr.Dataset | None:
    for folder in kept_folders():
        file = folder / FOLDER / name
        if file.is_file():
            try:
                found = _unpacked(file.read_bytes())
            except Exception:  # whatever is wrong with it, it can be computed
                with suppress(OSError):
                    file.unlink()
                continue
            with suppress(OSError):
                os.utime(file)  # used just now
            return found
    return None


ABOUT = "about"  # beside the arrays: all the rest, as JSON


def _packed(dataset: xr.Dataset) -> bytes:
    """A Dataset as NumPy writes arrays: what reads and writes NetCDF takes a server 40 MiB."""
    about = dataset.to_dict(data="array")
    arrays = {}
    for part in ("coords", "data_vars"):
        for name, variable in about[part].items():
            data = variable.pop("data")
            arrays[f"{part}/{name}"] = data.astype(str) if data.dtype == object else data
    arrays[ABOUT] = np.frombuffer(json.dumps(about, default=str).encode(), np.uint8)
    written = io.BytesIO()
    np.savez_compressed(written, **arrays)
    return written.getvalue()


def _unpacked(content: bytes) -> xr.Dataset:
    import xarray as xr

    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        about = json.loads(arrays[ABOUT].tobytes())
        for part in ("coords", "data_vars"):
            for name, variable in about[part].items():
                variable["data"] = arrays[f"{part}/{name}"]
    for variable in about["data_vars"].values():
        if "flag_values" in variable["attrs"]:  # JSON knows lists only
            variable["attrs"]["flag_values"] = np.array(variable["attrs"]["flag_values"])
    return xr.Dataset.from_dict(about)


def _write(name: str, dataset: xr.Dataset) -> None:
    """Keep it; those that were not used for longest make room. A full disk keeps nothing."""
    root = cache_folder()
    if root is None:
        return
    folder = root / FOLDER
    with suppress(OSError):
        write_whole(folder / name, _packed(dataset))
        room = MOST_BYTES
        for file in sorted(folder.glob("*.*"), key=lambda f: f.stat().st_mtime, reverse=True):
            room -= file.stat().st_size
            if room < 0 and file.name != name:
                file.unlink()
