"""The small pictures of the gallery: the real diagram of a system, computed once per version and kept."""

from __future__ import annotations

import hashlib
import inspect
import os
import tempfile
from pathlib import Path
from typing import Any

from mfexplore.core.catalogue import system
from mfexplore.core.errors import MfexploreError
from mfexplore.core.files import write
from mfexplore.figures import publication

RESOLUTION = 97
SIZE, DPI = (3.2, 2.0), 130


def folder() -> Path:
    """Where pictures are kept: the user's cache folder, else the temporary one."""
    home = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mfexplore"
    for place in (home, Path(tempfile.gettempdir()) / f"mfexplore-{os.getuid() if hasattr(os, 'getuid') else 0}"):
        try:
            place.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(place, os.W_OK):
            return place
    return Path(tempfile.mkdtemp(prefix="mfexplore-"))


def _file(key: str) -> Path:
    """Named after what it is made from, so that a changed system or look gets a new picture."""
    sources = [inspect.getfile(system(key)), publication.__file__, __file__]
    made_from = hashlib.sha256(b"".join(Path(source).read_bytes() for source in sources)).hexdigest()[:12]
    return folder() / f"thumbnail-{key}-{made_from}.png"


def stored(key: str) -> bytes | None:
    """The picture, if it has been made before."""
    file = _file(key)
    return file.read_bytes() if file.exists() else None


def picture(key: str) -> bytes | None:
    """The picture, made now; None if the system has neither diagram nor curve."""
    kind: Any = system(key)
    model = kind()
    if not kind.planes or not kind.offers("solve"):
        return None
    plane = kind.planes[0]
    dataset = model.diagram(plane.x, plane.y, RESOLUTION)
    try:
        boundaries = model.boundaries(plane.x, plane.y)
    except MfexploreError:
        boundaries = None
    made = publication.diagram(dataset, kind, plane.colour, plane.branch, boundaries=boundaries, size=SIZE, bare=True)
    image = publication.save(made, "png", {"system": key}, dpi=DPI)
    write(_file(key), image)
    return image
