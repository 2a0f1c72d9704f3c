"""`python -m benchmarks [race ...]`, or one of the studies (`scaling`, `load`, ...); `list` names all."""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import subprocess
import sys

from rich.console import Console

from benchmarks import races
from benchmarks.harness import (
    PROCESSOR,
    PROCESSORS,
    RESULTS,
    DifferentResultError,
    Report,
    draw,
    environment,
    table,
    write_columns,
)
from mfexplore.numerics.matrices.blas import one_blas_thread

# Not races: each prints, writes and judges in its own way, and returns an exit code.
STUDIES = {
    "scaling": "benchmarks.scaling",
    "sweep": "benchmarks.sweeping",
    "compile": "benchmarks.compiling",
    "load": "benchmarks.load",
    "growth": "benchmarks.growth",
}


def known_races() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(races.__path__))


def run(name: str) -> Report:
    """One race. Peers get what we get: BLAS on one thread, unless a race says otherwise."""
    module = importlib.import_module(f"benchmarks.races.{name}")
    report = Report(name, (module.__doc__ or name).splitlines()[0])
    with one_blas_thread():
        module.race(report)
    return report


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", help="races (default: all), or scaling, sweep, compile, load, growth, list")
    parser.add_argument(
        "--processor",
        choices=PROCESSORS,
        default=PROCESSOR,
        help="compile our kernels and the C references for this kind of processor",
    )
    parser.add_argument("--strict", action="store_true", help="exit with 1 if a target is missed")
    arguments = parser.parse_args()
    if arguments.processor != PROCESSOR:  # Numba and NumPy read what they may use when they are imported
        command = [sys.executable, "-m", "benchmarks", *sys.argv[1:]]
        return subprocess.run(command, env=environment(arguments.processor), check=False).returncode
    console = Console()
    names: list[str] = arguments.names or known_races()
    if names == ["list"]:
        console.print("\n".join([*known_races(), *STUDIES]))
        return 0
    if len(names) == 1 and names[0] in STUDIES:
        return int(importlib.import_module(STUDIES[names[0]]).main(console))
    unknown = [name for name in names if name not in known_races()]
    if unknown:
        parser.error(f"no race {', '.join(unknown)}; there are {', '.join([*known_races(), *STUDIES])}")
    reports, broken = [], []
    for name in names:
        with console.status(name):
            try:
                report = run(name)
            except DifferentResultError as error:
                broken.append(str(error))
                console.print(f"[red]{error}[/]")
                continue
        reports.append(report)
        report.save()
        for what in report.checks:
            console.print(f"{name}: {what}", style="dim")
    console.print(table(reports))
    draw(RESULTS / "speed.svg")
    write_columns()
    missed = [item for report in reports for item in report.failed]
    console.print(f"targets missed: {'; '.join(missed)}" if missed else "every target met")
    return 1 if broken or (missed and arguments.strict) else 0


if __name__ == "__main__":
    sys.exit(main())
