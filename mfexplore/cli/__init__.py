"""The command `mfexplore`: everything but the app's own pages, from a shell."""

from __future__ import annotations

import typer

from mfexplore.cli import atlas, machine
from mfexplore.cli.console import Commands

app = typer.Typer(
    name="mfexplore",
    cls=Commands,
    help="An explorable atlas of mean-field physics: theory and finite-size simulation under the same controls.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
app.command("list")(atlas.list_systems)
app.command()(atlas.diagram)
app.command()(atlas.simulate)
app.command()(atlas.notebook)
app.command()(machine.serve)
app.command()(machine.doctor)
app.command()(machine.warmup)


def main() -> None:
    app()
