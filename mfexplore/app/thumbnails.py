"""The small pictures of the gallery: the real diagram of a system, computed once per state of the sources and kept."""

from __future__ import annotations

import tempfile
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

from mfexplore.core.catalogue import source, system
from mfexplore.core.errors import MfexploreError
from mfexplore.core.folders import cache_folder, kept_folders, write_whole
from mfexplore.core.sources import FLOOR, sources
from mfexplore.figures import publication

RESOLUTION = 97
SIZE, DPI = (3.2, 2.0), 130


def folder() -> Path:
    """Where pictures are kept: beside the kernels, else in a folder of this process only."""
    return cache_folder() or _own_folder()


@cache
def _own_folder() -> Path:
    return Path(tempfile.mkdtemp(prefix="mfexplore-"))


def _name(key: str) -> str:
    """Named after all that it is made from, so that a changed system, block or look gets a new picture."""
    drawn_by = [*Path(publication.__file__).parent.rglob("*.py"), Path(__file__), *FLOOR.glob("*.py")]
    made_from = sources().stamp({*sources().imported(source(key)), *drawn_by})
    return f"thumbnail-{key}-{made_from[:12]}.png"


def stored(key: str) -> bytes | None:
    """The picture, if it has been made before, by whoever installed the package or here."""
    for place in dict.fromkeys([folder(), *kept_folders()]):
        with suppress(OSError):
            return (place / _name(key)).read_bytes()
    return None


def picture(key: str) -> bytes | None:
    """The picture, made now; None if the system has neither diagram nor curve."""
    kind: Any = system(key)
    model = kind()
    if not kind.planes or not kind.offers("solve"):
        return None
    plane = kind.planes[0]
    dataset = model.diagram(plane.x, plane.y, min(RESOLUTION, plane.finest))
    try:
        boundaries = model.boundaries(plane.x, plane.y)
    except MfexploreError:
        boundaries = None
    made = publication.diagram(dataset, kind, plane.colour, plane.branch, boundaries=boundaries, size=SIZE, bare=True)
    image = publication.save(made, "png", {"system": key}, dpi=DPI)
    file = folder() / _name(key)
    if write_whole(file, image):
        for former in set(folder().glob(f"thumbnail-{key}-*.png")) - {file}:
            with suppress(OSError):
                former.unlink()
    return image
