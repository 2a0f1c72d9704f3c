"""The command `mfexplore`: everything but the app's own pages, from a shell."""

from __future__ import annotations

from collections.abc import Callable

import typer

from mfexplore.cli import atlas, files, machine, streams
from mfexplore.cli.console import Commands
from mfexplore.core.docstrings import docstring
from mfexplore.core.process import take_over

app = typer.Typer(
    name="mfexplore",
    cls=Commands,
    help="An explorable atlas of mean-field physics: theory and finite-size simulation under the same controls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
COMMANDS: dict[str, Callable[..., None]] = {
    "list": atlas.list_systems, "diagram": atlas.diagram, "simulate": atlas.simulate, "notebook": atlas.notebook,
    "snapshot": files.snapshot, "movie": files.movie,
    "serve": machine.serve, "doctor": machine.doctor, "warmup": machine.warmup,
}  # fmt: skip
for name, command in COMMANDS.items():
    app.command(name, help=docstring(command))(command)


def main() -> None:
    take_over()
    streams.prepare()
    app()
