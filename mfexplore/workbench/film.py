"""The live picture of a run as a film, from Python.

>>> import mfexplore as mf
>>> mf.movie("kuramoto", "run.gif", frames=40)                         # doctest: +SKIP
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from mfexplore.core.arguments import whole_number
from mfexplore.core.catalogue import system
from mfexplore.core.files import write
from mfexplore.core.model import Model
from mfexplore.core.seeds import Seed
from mfexplore.figures import movie as films
from mfexplore.study.export import check_ending
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import caption

MOST_FRAMES = 10_000  # all of them are kept until the film is written


def movie(
    model: Model | str, path: Path | str, *, seed: Seed = 0, time: float | None = None, frames: int = films.FRAMES,
    picture: str | None = None, progress: Callable[[float], object] = lambda fraction: None,
) -> bytes:  # fmt: skip
    """A film of a simulation from its beginning, with the controls below it and the link inside.

    Args:
        model: the point, or the key of a system: its defaults.
        path: where to write it, as .gif or, where there is ffmpeg, as .mp4.
        time: until when, in the run's own unit (None: as long as a sample of an ensemble takes).
        frames: pictures, evenly spaced in time, or in its logarithm where the trace of the run is.
        picture: which of the run (None: the usual one).
        progress: called with the part that is done.

    Returns:
        The file. Raises UnknownNameError (system, ending, picture), ArgumentError (frames, time), MfexploreError (no
        ffmpeg), OSError.
    """
    made: Model = model if isinstance(model, Model) else system(model)()
    frames = whole_number("movie", "frames", frames, 1, MOST_FRAMES)
    form = check_ending(Path(path), tuple(f".{form}" for form in films.FORMS)).removeprefix(".")
    at = Exploration.of(made, seed=seed)
    content = b""
    for one in films.movie(made.simulate(seed=seed), form, time, frames, picture, caption(at), at.record()):
        if isinstance(one, bytes):
            content = one
        else:
            progress(one)
    write(path, content)
    return content
