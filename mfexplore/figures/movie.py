"""The picture of a run as a film: GIF, or MP4 where there is ffmpeg."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import CancelledError
from contextlib import suppress
from pathlib import Path
from textwrap import wrap
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.core.simulation import Simulation
from mfexplore.figures import publication_live
from mfexplore.figures.publication import paper
from mfexplore.figures.style import LIGHT

FORMS = ("gif", "mp4")
FRAMES, PER_SECOND = 72, 12
DOTS_PER_INCH = 110
COLOURS = 128  # of a GIF
LETTERS = 19  # of the caption in an inch
NO_FFMPEG = (
    "An MP4 file needs ffmpeg, which this machine does not have: install it, or mfexplore[movie], which brings it. "
    "A GIF needs nothing more."
)


def movie(
    run: Simulation[Any], form: str, time: float | None = None, frames: int = FRAMES, picture: str | None = None,
    caption: str = "", record: Mapping[str, Any] | None = None, cancelled: Callable[[], bool] = lambda: False,
) -> Iterator[float | bytes]:  # fmt: skip
    """A run from its beginning to `time` (None: as long as a sample of an ensemble takes), in at most `frames` pictures
    that are evenly spaced in time, or in its logarithm where the trace of the run is.

    picture: which of the run (None: the usual one). caption: stands below. record: kept in the file.

    Yields the part that is done, and at last the file. Raises UnknownNameError (form, picture), MfexploreError (no
    ffmpeg), CancelledError.
    """
    ffmpeg = _ffmpeg() if form == "mp4" else ""
    if picture is not None and picture not in run.pictures():
        raise UnknownNameError("picture", picture, run.pictures())
    text = json.dumps(record or {})
    layout: list[Any] = []
    drawn = []
    times = _times(run, time, frames)
    for k, at in enumerate(times):
        if cancelled():
            raise CancelledError
        run.advance_to(at, cancelled)
        drawn.append(_drawn(run, picture, caption, layout))
        yield 0.95 * (k + 1) / len(times)
        if run.finished:
            break
    yield _mp4(drawn, text, ffmpeg) if form == "mp4" else _gif(drawn, text)


def _times(run: Simulation[Any], time: float | None, frames: int) -> NDArray[np.float64]:
    """When the pictures are taken: whole quanta of time, no two the same."""
    end, quantum = run.usual_time if time is None else time, run.quantum or run.step
    times = np.linspace(0.0, end, frames)
    if run.recording == "log" and end > run.step:
        times[1:] = np.geomspace(run.step, end, frames - 1)
    return np.unique(np.rint(times / quantum)) * quantum


def _drawn(run: Simulation[Any], picture: str | None, caption: str, layout: list[Any]) -> NDArray[np.uint8]:
    """One frame as pixels, shape (rows, columns, 3), both even. layout: the places of the axes in the first frame,
    which they keep: nothing trembles, and arranging costs more than drawing.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    album = run.pictures()
    shown = album[picture if picture is not None and picture in album else next(iter(album))]
    with paper():  # once, not for each part
        figure = publication_live.picture(shown)
        figure.set_dpi(DOTS_PER_INCH)
        figure.suptitle(f"{run.time:,.4g} {run.time_unit}", x=0.99, ha="right", fontsize=9, color=LIGHT.ink)
        if caption:
            lines = "\n".join(wrap(caption.replace("$", r"\$"), int(LETTERS * figure.get_figwidth())))
            figure.supxlabel(lines, x=0.01, ha="left", fontsize=6.5, color=LIGHT.soft)
        if len(layout) == len(figure.axes):
            figure.set_layout_engine("none")
            for axes, place in zip(figure.axes, layout, strict=True):
                axes.set_position(place)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        layout[:] = [axes.get_position() for axes in figure.axes]
    pixels = np.asarray(canvas.buffer_rgba())[..., :3]
    rows, columns = (size - size % 2 for size in pixels.shape[:2])
    return np.ascontiguousarray(pixels[:rows, :columns])


def _gif(drawn: list[NDArray[np.uint8]], text: str) -> bytes:
    from PIL import Image

    first, *rest = (Image.fromarray(one).quantize(COLOURS, dither=Image.Dither.NONE) for one in drawn)
    out = io.BytesIO()
    first.save(
        out, "GIF", save_all=True, append_images=rest, duration=round(1000 / PER_SECOND), loop=0, comment=text.encode()
    )
    return out.getvalue()


def _ffmpeg() -> str:
    """Where ffmpeg is: on this machine, or in the package that brings it. Raises MfexploreError."""
    found = shutil.which("ffmpeg")
    with suppress(ImportError, RuntimeError):
        from imageio_ffmpeg import get_ffmpeg_exe

        found = found or get_ffmpeg_exe()
    if not found:
        raise MfexploreError(NO_FFMPEG)
    return found


def _mp4(drawn: list[NDArray[np.uint8]], text: str, ffmpeg: str) -> bytes:
    rows, columns = drawn[0].shape[:2]
    with tempfile.TemporaryDirectory() as folder:  # the format is written to and fro
        place = Path(folder) / "run.mp4"
        command = [
            ffmpeg, "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{columns}x{rows}",
            "-r", f"{PER_SECOND}", "-i", "-", "-pix_fmt", "yuv420p", "-movflags", "+faststart",
            "-metadata", f"comment={text}", str(place),
        ]  # fmt: skip
        done = subprocess.run(command, input=b"".join(one.tobytes() for one in drawn), capture_output=True, check=False)
        if done.returncode:
            raise MfexploreError(f"ffmpeg could not make the film: {done.stderr.decode(errors='replace').strip()}")
        return place.read_bytes()
