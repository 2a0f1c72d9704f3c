"""The commands that make something to take along: a page without a server, a film of a run."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import mfexplore
from mfexplore.cli.console import (
    Controls,
    Key,
    PresetName,
    Seed,
    check_outputs,
    chosen_model,
    out,
    progress_bar,
    tell_written,
)
from mfexplore.core.arguments import number_from

MEGA = 1e6


def snapshot(
    key: Key,
    controls: Controls = None,
    presets: Annotated[
        str | None, typer.Option(metavar="NAME,NAME", help='Presets that can be gone to (default: all; "": none).')
    ] = None,
    preset: PresetName = None,
    seed: Seed = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to (default: SYSTEM.html).")] = None,
) -> None:
    """Write a page that needs no server: diagram, curves and recorded runs in one HTML file that opens from disk."""
    model = chosen_model(key, controls, preset)
    target = output or Path(f"{key}.html")
    check_outputs([target], (".html",))
    names = None if presets is None else [name.strip() for name in presets.split(",") if name.strip()]
    with progress_bar(f"{model.title}: page") as update:
        content = mfexplore.snapshot(model, target, presets=names, seed=seed, progress=update)
    tell_written([target])
    out.print(f"{len(content) / MEGA:.2f} MB; it opens from disk and needs no network", markup=False)


def movie(
    key: Key,
    controls: Controls = None,
    preset: PresetName = None,
    seed: Seed = 0,
    time: Annotated[float | None, typer.Option("--time", "-t", help="How long, in the run's own unit.")] = None,
    frames: Annotated[int, typer.Option(min=2, max=1000, help="Pictures in the film.")] = 72,
    picture: Annotated[str | None, typer.Option(help="Which picture of the run (default: the usual one).")] = None,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Where to: .gif, or .mp4 where there is ffmpeg.")
    ] = None,
) -> None:
    """Write a film of a simulation: its live picture, with the controls below it."""
    time = None if time is None else number_from("movie", "--time", time, 0)
    model = chosen_model(key, controls, preset)
    target = output or Path(f"{key}.gif")
    check_outputs([target], (".gif", ".mp4"))
    with progress_bar(f"{model.title}: film") as update:
        mfexplore.movie(model, target, seed=seed, time=time, frames=frames, picture=picture, progress=update)
    tell_written([target])
