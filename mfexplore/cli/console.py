"""What all commands share: one console, errors a person can act on, controls as NAME=VALUE, results to files."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from typer.core import TyperGroup

from mfexplore.core.catalogue import system
from mfexplore.core.errors import MfexploreError, NotInstalledError
from mfexplore.core.files import write
from mfexplore.core.model import Model
from mfexplore.core.seeds import SeedError, read_seed
from mfexplore.study.export import DATA_ENDINGS, check_ending, save

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

# Exit codes: the request was not possible; it was, but something failed on the way; Ctrl-C
WRONG, FAILED, INTERRUPTED = 2, 1, 130

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)


def _as_seed(text: Any) -> Any:
    try:
        return read_seed(str(text))
    except SeedError as error:
        raise typer.BadParameter(str(error)) from None


Key = Annotated[str, typer.Argument(metavar="SYSTEM", help="Key of a system; `mfexplore list` shows them.")]
Controls = Annotated[
    list[str] | None,
    typer.Argument(metavar="NAME=VALUE", help="Controls to change, e.g. temperature=0.2 size=1000."),
]
PresetName = Annotated[str | None, typer.Option("--preset", "-p", help="Start from a named preset.")]
Seed = Annotated[
    Any, typer.Option("--seed", parser=_as_seed, metavar="SEED", help="Same seed, same run: a whole number from 0 on.")
]


class Commands(TyperGroup):
    """Turns the errors raised on purpose into one clear line and an exit code, without a traceback."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except MfexploreError as error:
            complain(str(error))
            raise typer.Exit(FAILED if isinstance(error, NotInstalledError) else WRONG) from None
        except OSError as error:
            complain(f"{error.strerror or error}: {error.filename}" if error.filename else str(error))
            raise typer.Exit(FAILED) from None


def write_results(dataset: xr.Dataset, paths: list[Path], draw: Callable[[], Figure]) -> None:
    """Write a result to files, each as its ending says, figures with the provenance of the data inside."""
    for path in paths:
        if path.suffix.lower() in DATA_ENDINGS:
            save(dataset, path)
        else:
            from mfexplore.figures import publication

            write(path, publication.save(draw(), path.suffix.lower()[1:], dataset.attrs))


def tell_written(paths: list[Path]) -> None:
    for path in paths:
        out.print(f"wrote {path}", markup=False, soft_wrap=True)


def complain(message: str) -> None:
    err.print(f"[bold red]mfexplore:[/] {_literal(message)}", soft_wrap=True)


def _literal(text: str) -> str:
    return text.replace("[", r"\[")


def chosen_model(key: str, controls: list[str] | None, preset: str | None = None) -> Model:
    """The model that the arguments ask for. Raises UnknownNameError, ControlError and AbsentError."""
    kind: type[Model] = system(key)
    model: Model = kind() if preset is None else kind.preset(preset)
    changes = {}
    for pair in controls or []:
        name, equals, text = pair.partition("=")
        if not equals:
            raise typer.BadParameter(f"{pair!r} is not of the form NAME=VALUE, e.g. temperature=0.2")
        changes[name.strip()] = kind.control(name.strip()).check(text.strip(), kind.title)
    made = model.replace(**changes)
    for name in changes:
        made.require("control", kind.control(name))
    return made


def check_outputs(paths: list[Path] | None, endings: tuple[str, ...] = DATA_ENDINGS) -> list[Path]:
    """Refuse what could not be written before anything is computed. Raises UnknownNameError and OSError."""
    for path in paths or []:
        check_ending(path, endings)
        if not path.absolute().parent.is_dir():
            raise FileNotFoundError(2, "There is no such folder", str(path.absolute().parent))
        if path.exists():
            path.open("ab").close()
        if path.is_file() or not path.exists():
            tempfile.TemporaryFile(dir=path.absolute().parent).close()  # the result is written beside it
    return paths or []


@contextmanager
def progress_bar(task: str) -> Iterator[Any]:
    """A bar on stderr; yields a function to call with (finished fraction, what has been done).

    Where stderr is no terminal there is no bar; then what has been done is told line by line.
    """
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.percentage:3.0f}%"))
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True, disable=not err.is_terminal) as bar:
        row = bar.add_task(task, total=1.0)

        def update(fraction: float, description: str | None = None) -> None:
            bar.update(row, completed=fraction, description=description or task)
            if description and not err.is_terminal:
                err.print(f"{fraction:4.0%} {description}")

        yield update
