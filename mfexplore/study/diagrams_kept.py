"""Diagrams that took long, kept on disk for whoever asks next, in this process or another."""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfexplore.core.model import Model
from mfexplore.core.provenance import versions
from mfexplore.numerics.kernel import cache_folder, store
from mfexplore.study.export import netcdf

if TYPE_CHECKING:
    import xarray as xr

LONG = 1.0  # seconds of computing that are worth a file
MOST_BYTES = 256 * 2**20


def kept_diagram(
    kind: type[Model], record: Any, levels: Callable[[], Iterator[xr.Dataset]]
) -> Iterator[xr.Dataset]:  # fmt: skip
    """The diagram that is kept for a system and a record of what was asked, or the `levels` of a new one, of which the
    last is kept if it took long. record: its repr() says all that the diagram depends on beside the sources.
    """
    file = _file(kind, record)
    found = _read(file) if file is not None else None
    if found is not None:
        yield found
        return
    last, seconds, start = None, 0.0, time.thread_time()
    for last in levels():
        seconds += time.thread_time() - start
        yield last
        start = time.thread_time()
    seconds += time.thread_time() - start
    if file is not None and last is not None and seconds > LONG:
        _write(file, last)


def _file(kind: type[Model], record: Any) -> Path | None:
    """Its place; another one as soon as the sources of the system or the versions of packages change."""
    folder, sources = cache_folder(), store(Path(inspect.getfile(kind)))
    if folder is None or sources is None:
        return None
    asked = hashlib.sha256(f"{record!r} {kind.version} {json.dumps(versions())}".encode()).hexdigest()[:20]
    return folder / "diagrams" / f"{sources.name}-{asked}.nc"


def _read(file: Path) -> xr.Dataset | None:
    import xarray as xr

    if not file.is_file():
        return None
    try:
        found = xr.load_dataset(file, engine="h5netcdf")
        os.utime(file)  # used just now
    except Exception:  # whatever is wrong with it, it can be computed
        with suppress(OSError):
            file.unlink()
        return None
    return found


def _write(file: Path, dataset: xr.Dataset) -> None:
    """Beside and moved into place; the ones that were not used for longest make room. A full disk keeps nothing."""
    beside = file.with_name(f"{file.name}.{os.getpid()}.part")
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(netcdf(dataset))
        beside.replace(file)
        kept = sorted(file.parent.iterdir(), key=lambda f: f.stat().st_mtime, reverse=True)
        room = MOST_BYTES
        for each in kept:
            room -= each.stat().st_size
            if room < 0 and each != file:
                each.unlink()
    except OSError:
        with suppress(OSError):
            beside.unlink()
