"""The commands about physics: list, diagram, simulate, notebook."""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.table import Column, Table

from mfexplore.cli.console import (
    INTERRUPTED,
    Controls,
    Key,
    PresetName,
    Seed,
    check_outputs,
    chosen_model,
    err,
    out,
    progress_bar,
    tell_written,
    write_results,
)
from mfexplore.cli.drawing import diagram_map, sparkline
from mfexplore.core.arguments import number_from
from mfexplore.core.catalogue import entries, system, wings
from mfexplore.core.errors import NotInstalledError, NotOfferedError, UnknownNameError
from mfexplore.core.files import write
from mfexplore.core.model import Model
from mfexplore.study.export import DATA_ENDINGS, save
from mfexplore.workbench.sentence import number

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

    from mfexplore.core.simulation import Simulation

RESOLUTION = 129
FIGURE_ENDINGS = (".png", ".svg", ".pdf")
EQUILIBRIUM = "*"  # marks a branch of the theory
CAPABILITIES = {
    "solve": "theory", "planes": "diagram", "simulation": "simulation", "landscape": "landscape", "law": "law",
    "exact": "exact", "predicted_path": "predicted path",
}  # fmt: skip

Output = Annotated[
    list[Path] | None,
    typer.Option("--output", "-o", help="Write the result; the ending says how: .nc .csv .png .svg .pdf. Repeatable."),
]


def offered(kind: type[Model]) -> list[str]:
    """What a system has, in words."""
    return [w for c, w in CAPABILITIES.items() if (bool(kind.planes) if c == "planes" else kind.offers(c))]


def list_systems(
    key: Annotated[str | None, typer.Argument(metavar="SYSTEM", help="Show the controls of this one.")] = None,
    wing: Annotated[str | None, typer.Option(help="Only this wing.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="For programs.")] = False,
) -> None:
    """List the systems of the atlas, or everything that can be tuned in one of them."""
    if key is not None:
        kind: type[Model] = system(key)
        if as_json:
            out.print_json(json.dumps({n: _control_record(c) for n, c in kind.controls().items()}))
        else:
            _show_system(kind)
        return
    if wing is not None and wing not in wings():
        raise UnknownNameError("wing", wing, wings())
    found = [entry for entry in entries() if wing in (None, entry.wing)]
    if as_json:
        records = [
            {"key": e.key, "wing": e.wing, "title": e.title, "summary": e.summary}
            | {"controls": list(e.controls), "offers": [CAPABILITIES[name] for name in e.offers]}
            for e in found
        ]
        out.print_json(json.dumps(records))
        return
    for group in wings().values():
        inside = [entry for entry in found if entry.wing == group.key]
        if inside:
            out.print(f"[bold]{group.title}[/] [dim]({group.key})[/]: {group.sentence}")
            table = Table(Column("system", no_wrap=True, width=max(len(e.key) for e in found)), "title", box=None)
            table.show_header = False
            for entry in inside:
                table.add_row(entry.key, entry.title)
            out.print(table)
            out.print()
    out.print(f"{len(found)} systems. `mfexplore list SYSTEM` shows what can be tuned.")


def _control_record(made: Any) -> dict[str, Any]:
    return {"default": made.default, "allowed": made.allowed, "unit": made.unit, "doc": made.doc}


def _show_system(kind: type[Model]) -> None:
    out.print(f"[bold]{kind.title}[/] ({kind.key}, {kind.wing})\n{kind.summary}\n")
    table = Table("control", "default", "allowed", "what it is", box=None, header_style="bold")
    for name, made in kind.controls().items():
        table.add_row(name, f"{made.default}", made.allowed, made.doc)
    out.print(table)
    presets = Table("preset", "what to watch", box=None, header_style="bold")
    for preset in kind.presets:
        presets.add_row(preset.name, preset.watch)
    out.print(presets)
    out.print("Offers: " + ", ".join(offered(kind)), soft_wrap=True, markup=False)
    out.print("Source: " + "; ".join(s.citation for s in kind.sources), soft_wrap=True, markup=False)


def diagram(
    key: Key,
    controls: Controls = None,
    x: Annotated[str | None, typer.Option("--x", help="Control along the abscissa.")] = None,
    y: Annotated[str | None, typer.Option("--y", help="Control along the ordinate.")] = None,
    resolution: Annotated[
        int | None, typer.Option(min=2, max=4097, help=f"Points along each axis (default: at most {RESOLUTION}).")
    ] = None,
    preset: PresetName = None,
    measured: Annotated[
        Path | None,
        typer.Option(help="A sweep to lay over the picture as dots: its Zarr store, or a .nc or .csv file."),
    ] = None,
    output: Output = None,
) -> None:
    """Compute the phase diagram in a plane of two controls."""
    from mfexplore.study.diagram import diagram as make_diagram
    from mfexplore.study.measured import dots, read

    model = chosen_model(key, controls, preset)
    paths = check_outputs(output, DATA_ENDINGS + FIGURE_ENDINGS)
    sweep = None if measured is None else read(measured, type(model))
    plane = model.plane(x, y)
    with progress_bar(f"{model.title}: diagram") as update:
        dataset = make_diagram(model, plane.x, plane.y, resolution or min(RESOLUTION, plane.finest), progress=update)

    def draw() -> Figure:
        from mfexplore.figures import publication

        boundaries = model.boundaries(plane.x, plane.y)
        over = None if sweep is None else dots(sweep, model, plane.x, plane.y)
        return publication.diagram(
            dataset, type(model), plane.colour, plane.branch, boundaries=boundaries, measured=over
        )

    write_results(dataset, paths, draw)
    out.print(f"[bold]{model.title}[/]: {plane.y} against {plane.x}")
    out.print(diagram_map(model, dataset, plane.x, plane.y, plane.colour, max(1, min(96, out.width - 2))))
    unsolved = float(1 - dataset["converged"].mean())
    if unsolved:
        out.print(f"{100 * unsolved:.2g}% of all points and branches did not converge; they are NaN in the data.")
    tell_written(paths)


def simulate(
    key: Key,
    controls: Controls = None,
    seed: Seed = 0,
    time: Annotated[float | None, typer.Option("--time", "-t", help="How long, in its own unit.")] = None,
    samples: Annotated[
        int, typer.Option("--samples", "-n", min=1, help="Average over this many independent samples instead.")
    ] = 1,
    preset: PresetName = None,
    output: Output = None,
) -> None:
    """Simulate at finite size, beside the theory: one run with its trace, or an average over many."""
    if time is not None:
        time = number_from("simulate", "--time", time, 0)
    model = chosen_model(key, controls, preset)
    paths = check_outputs(output, DATA_ENDINGS if samples > 1 else DATA_ENDINGS + FIGURE_ENDINGS)
    interrupted = False
    if rounded := model.rounding():
        err.print(f"simulated with {', '.join(rounded.values())}", markup=False, soft_wrap=True)
    model = model.realised()
    if samples > 1:
        dataset = _ensemble(model, samples, seed)
        interrupted = "partial" in dataset.attrs
        for path in paths:
            save(dataset, path)
        _show_ensemble(model, dataset)
    else:
        run = model.simulate(seed=seed)
        duration = run.usual_time if time is None else time
        interrupted = _run(run, duration)
        dataset = run.trace()
        if interrupted:
            dataset.attrs["partial"] = f"interrupted at {run.time:g} of {duration:g} {run.time_unit}"

        def draw() -> Figure:
            from mfexplore.figures.publication_trace import traces

            return traces(dataset, type(model), model.equilibrium() if model.offers("solve") else None)

        write_results(dataset, paths, draw)
        _show_trace(model, run, dataset)
    tell_written(paths)
    if interrupted:
        raise typer.Exit(INTERRUPTED)


def _ensemble(model: Model, samples: int, seed: Any) -> xr.Dataset:
    """The average over samples; over those that there are after Ctrl-C, and then it says so."""
    from mfexplore.study.ensemble import measured, summarised

    found = []
    with progress_bar(f"{model.title}: {samples} samples") as update:
        try:
            for one in measured(model, samples=samples, seed=seed):
                found.append(one)
                update(len(found) / samples)
        except KeyboardInterrupt:
            if not found:
                err.print("stopped before the first sample was there: nothing is written")
                raise typer.Exit(INTERRUPTED) from None
            err.print(f"stopped after {len(found)} of {samples} samples; what follows is their average")
    dataset = summarised(model, found, seed)
    if len(found) < samples:
        dataset.attrs["partial"] = f"interrupted after {len(found)} of {samples} samples"
    return dataset


def _run(run: Simulation[Any], duration: float) -> bool:
    """Advance in slices, so that the bar moves and Ctrl-C keeps what there is. Returns whether it was interrupted."""
    slices = max(1, min(200, math.ceil(duration / run.step)))
    with progress_bar(f"{run.model.title}: {duration:g} {run.time_unit}") as update:
        try:
            for k in range(slices):
                run.advance(duration / slices)
                update((k + 1) / slices)
                if run.finished:
                    break
        except KeyboardInterrupt:
            err.print(f"stopped at {run.time:g} {run.time_unit}; what follows is what there is so far")
            return True
    quantum = run.quantum or run.step
    if not run.finished and abs(run.time - duration) > 1e-3 * quantum:
        err.print(f"time goes in steps of {quantum:g} {run.time_unit}: simulated {run.time:g} of {duration:g}")
    return False


def _theory_columns(model: Model) -> dict[str, xr.Dataset]:
    """What theory says here, by the heading of its column: every method, or every branch that a run may stay on."""
    if not model.offers("solve"):
        return {}
    if model.methods:
        equilibrium = model.equilibrium()
        return {m.title: equilibrium.sel({"method": m.name}) for m in model.methods}
    theory = model.theory()
    stable = [b for b in model.branches if bool(theory["stable"].sel(branch=b.name))]
    if len(stable) < 2:
        return {"theory": model.equilibrium()}
    best = model.branches[int(theory["equilibrium"])] if theory["equilibrium"] >= 0 else None
    return {f"theory, {b.title}{EQUILIBRIUM if b is best else ''}": theory.sel(branch=b.name) for b in stable}


def _theory_cells(columns: dict[str, xr.Dataset], name: str) -> list[str]:
    return [number(float(d[name])) if name in d and d[name].ndim == 0 else "" for d in columns.values()]


def _exact(model: Model) -> dict[str, float]:
    try:
        return model.exact()
    except NotOfferedError:
        return {}


def _table(*headings: str) -> Table:
    return Table(Column("observable", no_wrap=True), *headings, box=None, header_style="bold")


def _print_table(table: Table) -> None:
    out.print(table)
    if any(str(column.header).endswith(EQUILIBRIUM) for column in table.columns):
        out.print(f"{EQUILIBRIUM} the branch in equilibrium")


def _show_trace(model: Model, run: Simulation[Any], trace: xr.Dataset) -> None:
    theory = _theory_columns(model)
    table = _table("at last", "mean, 2nd half", *theory)
    table.add_column("trace", no_wrap=True)
    for name, values in trace.items():
        series = values.values
        late = series[len(series) // 2 :]
        cells = [number(float(series[-1])), number(float(late.mean())), *_theory_cells(theory, str(name))]
        table.add_row(str(name), *cells, sparkline(series, 20 if len(theory) < 2 else 10))
    finished = ", finished" if run.finished else ""
    out.print(f"[bold]{model.title}[/] after {run.time:g} {run.time_unit}{finished}, seed {run.seed}")
    _print_table(table)


def _show_ensemble(model: Model, dataset: xr.Dataset) -> None:
    theory, exact = _theory_columns(model), _exact(model)
    table = _table("simulation", *theory, *(["exact"] if exact else []))
    for name in dataset.data_vars:
        error = f"{name}_standard_error"
        if error in dataset:
            cells = [number(float(dataset[name]), float(dataset[error])), *_theory_cells(theory, str(name))]
            table.add_row(str(name), *cells, number(exact[str(name)]) if name in exact else "")
    out.print(f"[bold]{model.title}[/], mean and standard error of {dataset.attrs['samples']} samples")
    _print_table(table)


def notebook(
    key: Annotated[str | None, typer.Argument(metavar="SYSTEM", help="Write a notebook for this system.")] = None,
    controls: Controls = None,
    preset: PresetName = None,
    seed: Seed = 0,
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Where to, e.g. lesson.ipynb.")] = None,
    open_lab: Annotated[bool, typer.Option("--open/--no-open", help="Open JupyterLab.")] = True,
) -> None:
    """Open JupyterLab: on the lessons, or on a fresh notebook with a workbench of one system."""
    lessons = Path(__file__).parents[2] / "notebooks"
    target = lessons if lessons.is_dir() else Path.cwd()
    if key is not None:
        from mfexplore.workbench.exploration import Exploration
        from mfexplore.workbench.notebook_file import as_notebook

        model = chosen_model(key, controls, preset)
        target = output or Path(f"{key}.ipynb")
        check_outputs([target], (".ipynb",))
        if output is None and target.exists():
            raise FileExistsError(17, "This file exists; choose another with --output", str(target))
        write(target, as_notebook(Exploration.of(model, seed=seed)))
        out.print(f"wrote {target}", markup=False, soft_wrap=True)
    if open_lab:
        lab = shutil.which("jupyter-lab", path=str(Path(sys.executable).parent)) or shutil.which("jupyter-lab")
        if lab is None:
            raise NotInstalledError("jupyterlab", "notebook")
        sys.stdout.flush()
        if os.name == "posix":  # it takes the place of this process, so whoever ends the one ends the other
            os.execv(lab, [lab, str(target)])
        raise typer.Exit(subprocess.run([lab, str(target)], check=False).returncode)
