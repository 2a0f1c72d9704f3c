"""A page without a server: one file that shows a system as the app does, from what was recorded of it.

>>> import mfexplore as mf
>>> mf.snapshot("curie_weiss", "page.html")                            # doctest: +SKIP
"""

from __future__ import annotations

import base64
import gzip
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from mfexplore.app import bundle, pages
from mfexplore.core.catalogue import system
from mfexplore.core.errors import MfexploreError
from mfexplore.core.files import write
from mfexplore.core.model import Model, by_name
from mfexplore.core.seeds import Seed
from mfexplore.core.simulation import never
from mfexplore.figures import typesetting
from mfexplore.figures.curves import KINDS
from mfexplore.figures.style import DARK, LIGHT
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.plane import lines
from mfexplore.workbench.recording import Recording, Scene

MOST_BYTES = 3_000_000
STRIDES = ((1, False), (2, False), (3, False), (4, False), (4, True), (8, True), (16, True))  # of frames; coarse planes
NOTE = (
    "A page without a server: the marker moves over what was computed, along its two axes; every preset brings "
    "one recorded run. Everything else moves in the app."
)


def snapshot(
    model: Model | str, path: Path | str | None = None, *, presets: Sequence[str] | None = None, seed: Seed = 0,
    progress: Callable[[float, str], None] = lambda fraction, text: None, **view: Any,
) -> bytes:  # fmt: skip
    """The page of a model as one HTML file of at most 3 MB, which opens from disk and needs no network.

    Args:
        model: the point that it opens at, or the key of a system: its defaults.
        path: where to write it (None: nowhere). What was there stays until the page is complete.
        presets: the presets that can be gone to (None: all).
        progress: called with the part that is done, and what comes next.
        view: how the point is looked at, as in `Model.explore`.

    Returns:
        The file. Raises UnknownNameError (system, preset, view), MfexploreError (it cannot be made), OSError.
    """
    made: Model = system(model)() if isinstance(model, str) else model
    start = Exploration.of(made, seed=seed, **view)
    names = [preset.name for preset in type(made).presets]
    chosen = tuple(names if presets is None else [by_name("preset", p, type(made).presets).name for p in presets])
    content = b""
    for done, told, content in page(start, chosen):
        progress(done, told)
    if path is not None:
        write(path, content)
    return content


def exported(start: Exploration, address: str, cancelled: Cancelled) -> Iterator[tuple[float, str] | File]:
    """The same for the menu of a page at an address: how far it is, and at last the file."""
    content = b""
    for done, told, content in page(start, tuple(p.name for p in type(start.model).presets), address, cancelled):
        yield done, told
    yield File(f"{start.model.key}.html", content)


def page(
    start: Exploration, presets: tuple[str, ...], address: str = "", cancelled: Cancelled = never
) -> Iterator[tuple[float, str, bytes]]:
    """How much is done, what is done next, and the page, which comes last. Raises CancelledError."""
    start = replace(start, pins=())
    recording = Recording(start, cancelled)
    try:
        for k, name in enumerate(recording.record(presets)):
            yield 0.95 * k / (len(presets) + len(recording.kind.tasks) + 1), f"recording {name or 'the beginning'}", b""
        yield 0.95, "packing", b""
        yield 1.0, "packed", _packed(recording, start.record(address))
    finally:
        recording.close()


def _packed(recording: Recording, record: dict[str, Any]) -> bytes:
    kind = recording.kind
    if not recording.scenes:
        raise MfexploreError(f"There is nothing to show of {kind.title}.")
    if recording.failed:
        raise MfexploreError(f"The page of {kind.title} could not be recorded: {recording.failed}")
    library, index = _library()
    sheet, constants = pages.component(kind, pages.ANYWHERE)  # type: ignore[arg-type]
    shell = pages.template("snapshot.html").render(
        title=kind.title, summary=kind.summary, style=bundle.style(), script=bundle.script("tape"), library=library,
        record=json.dumps(record).replace("<", "\\u003c"), icon=_icon(), tape="\0",
    )  # fmt: skip
    head = {
        "key": kind.key, "sheet": sheet, "constants": constants, "note": NOTE, "parts": recording.parts,
        "templates": recording.templates, "lines": lines(kind), "kinds": KINDS, "mathematics": index,
        "formulas": {typesetting.formula(label): typesetting.svg(label) for label in recording.labels()},
        "dark": _recoloured(), "tasks": recording.tasks(), "veiled": recording.told_by_theory(),
    }  # fmt: skip
    for stride, coarse in STRIDES:
        scenes = [vars(_thinned(scene, stride)) for scene in recording.scenes]
        planes = [plane.packed(recording.tape, coarse) for plane in recording.planes]
        tape = recording.tape.pack(head | {"scenes": scenes, "planes": planes}, _used(recording, stride))
        whole = shell.replace("\0", base64.b64encode(tape).decode()).encode()
        if len(whole) <= MOST_BYTES:
            return whole
    raise MfexploreError(f"The page of {kind.title} would be larger than 3 MB; choose fewer presets.")


def _thinned(scene: Scene, stride: int) -> Scene:
    """With every so manyeth frame of its run; what was told in between is told then, as far as it still holds."""
    if stride == 1:
        return scene
    frames = []
    for first in range(0, len(scene.frames), stride):
        group = scene.frames[first : first + stride]
        said = list(dict.fromkeys(number for one, _ in group for number in one))
        drawn: dict[str, list[int]] = {}
        for _, figures in group:
            drawn |= figures
        frames.append((said, drawn))
    return replace(scene, frames=frames)


def _used(recording: Recording, stride: int) -> Iterator[int]:
    """What of the tape the page needs, figure by figure: what follows each other there is alike."""
    for scene in (_thinned(scene, stride) for scene in recording.scenes):
        for seen in (scene.live, *scene.views.values()):
            yield from seen["said"]
            for drawn in seen["drawn"].values():
                yield from (number for theme in (LIGHT, DARK) for number in drawn[theme.name])
        for said, _ in scene.frames:
            yield from said
        for name in dict.fromkeys(name for _, drawn in scene.frames for name in drawn):
            for _, drawn in scene.frames:
                yield from drawn.get(name, ())


@cache
def _library() -> tuple[str, int]:
    """Bokeh's script, compressed, and the number under which it looks for its mathematics."""
    spec = find_spec("bokeh")
    folder = Path(spec.origin).parent / "server" / "static" / "js" if spec and spec.origin else Path()
    found = re.search(rb'"models/text/mathjax/index":(\d+)', (folder / "bokeh-mathjax.min.js").read_bytes()[-500:])
    if found is None:
        raise MfexploreError("This version of Bokeh sets mathematics in a way that a page without a server does not.")
    script = gzip.compress((folder / "bokeh.min.js").read_bytes(), 9, mtime=0)
    return base64.b64encode(script).decode(), int(found[1])


def _icon() -> str:
    return f"data:image/svg+xml;base64,{base64.b64encode((bundle.STATIC / 'icon.svg').read_bytes()).decode()}"


def _recoloured() -> dict[str, str]:
    """What the colours of marks that come with data are in the dark."""
    named = ("card", "ink", "soft", "line", "accent", "marker", "ghost")
    pairs = [(getattr(LIGHT, name), getattr(DARK, name)) for name in named]
    return dict([*pairs, *zip(LIGHT.lines, DARK.lines, strict=True)])
