"""The small pictures of the gallery: the real diagram of a system and beside it the state of a run, so that cards can
be told apart; computed once per state of the sources and kept. Until then there is one as it was: the package has a
picture of every system, made by `python -m mfexplore.app.thumbnails`.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfexplore.core.catalogue import places, source, system
from mfexplore.core.errors import MfexploreError
from mfexplore.core.folders import cache_folder, kept_folders, write_whole
from mfexplore.core.model import Model
from mfexplore.core.sources import FLOOR, sources
from mfexplore.figures import publication
from mfexplore.figures.states import figure_of
from mfexplore.study.turns import give_way

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RESOLUTION = 97
SIZE, DPI = (3.2, 2.0), 130
SPLIT, MARGIN = 0.6, 0.015  # where the diagram ends, and the room around the state, in parts of the width
LONGEST, STEPS = 1.0, 400  # seconds and steps that the run has
SHIPPED, QUALITY = Path(__file__).parent / "cards", 80


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


def former(key: str) -> bytes | None:
    """The picture as it was before something changed."""
    for file in (*folder().glob(f"thumbnail-{key}-*.png"), SHIPPED / f"{key}.webp"):
        with suppress(OSError):
            return file.read_bytes()
    return None


def ship() -> None:
    """Make the pictures that the package has."""
    from io import BytesIO

    from PIL import Image

    SHIPPED.mkdir(exist_ok=True)
    for key in places():
        image = stored(key) or picture(key)
        if image is not None:
            Image.open(BytesIO(image)).convert("RGB").save(SHIPPED / f"{key}.webp", quality=QUALITY, method=6)


def picture(key: str) -> bytes | None:
    """The picture, made now; None if the system has neither diagram nor run."""
    kind: Any = system(key)
    model = kind()
    has_diagram, runs = bool(kind.planes) and kind.offers("solve"), kind.offers("simulation")
    if not has_diagram and not runs:
        return None
    made = _diagram(kind, model) if has_diagram else _empty()
    if runs:
        for axes in made.axes:
            axes.set_position((0.0, 0.0, SPLIT, 1.0))
        left = SPLIT if has_diagram else 0.0
        high = MARGIN * SIZE[0] / SIZE[1]
        _draw_state(made.add_axes((left + MARGIN, high, 1 - left - 2 * MARGIN, 1 - 2 * high)), model)
    image = publication.save(made, "png", {"system": key}, dpi=DPI)
    file = folder() / _name(key)
    if write_whole(file, image):
        for former in set(folder().glob(f"thumbnail-{key}-*.png")) - {file}:
            with suppress(OSError):
                former.unlink()
    return image


def _empty() -> Figure:
    from matplotlib.figure import Figure

    return Figure(figsize=SIZE)


def _diagram(kind: Any, model: Model) -> Figure:
    plane = kind.planes[0]
    dataset = model.diagram(plane.x, plane.y, min(RESOLUTION, plane.finest))
    try:
        boundaries = model.boundaries(plane.x, plane.y)
    except MfexploreError:
        boundaries = None
    return publication.diagram(dataset, kind, plane.colour, plane.branch, boundaries=boundaries, size=SIZE, bare=True)


def _draw_state(axes: Any, model: Model) -> None:
    """The picture of a run at its defaults, once it has gone on for a while."""
    run, begun = model.simulate(seed=0), time.monotonic()
    for _ in range(STEPS):
        if run.finished or run.time >= run.usual_time or time.monotonic() - begun > LONGEST:
            break
        give_way()
        run.advance()
    picture, figure, place = run.picture(), axes.figure, axes.get_position()
    there = list(figure.axes)
    with publication.paper():
        figure_of(picture).on_paper(axes, picture)
        for beside in (*(one for one in figure.axes if one not in there), *axes.texts):  # bars of colours, and words
            beside.remove()
        axes.set_position(place)
        axes.axis("off")


if __name__ == "__main__":
    ship()
