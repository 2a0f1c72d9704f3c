"""The commands about this machine: serve, doctor, warmup. They load the compiler when they run: `list` needs none."""

from __future__ import annotations

import os
import platform
import re
import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import as_completed
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from typing import Annotated, Literal

import typer

import mfexplore
from mfexplore.cli.console import FAILED, complain, err, out, progress_bar
from mfexplore.core.catalogue import places, system
from mfexplore.core.folders import cache_folder, candidates, kept_folders
from mfexplore.core.model import usable_memory
from mfexplore.study.processes import Processes

PORTABLE = {"x86_64": "x86-64-v3", "amd64": "x86-64-v3"}  # any x86 server since 2015; elsewhere Numba's "generic"
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome", "firefox", "msedge", "safari")


def serve(
    key: Annotated[str, typer.Argument(metavar="SYSTEM", help="Open at this one.", show_default=False)] = "",
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes any free port.")] = 5006,
    address: Annotated[str, typer.Option(help="0.0.0.0 lets other machines in.")] = "localhost",
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the app in a browser.")] = True,
    warm: Annotated[bool, typer.Option("--warm/--no-warm", help="Compile all systems in the background.")] = True,
    origin: Annotated[
        list[str] | None, typer.Option(help="A further host:port whose pages may connect (* for any). Repeatable.")
    ] = None,
    prefix: Annotated[str, typer.Option(help="Path under which a proxy serves the app.")] = "",
    people: Annotated[int, typer.Option(min=1, help="So many at a time and process; the next is asked to wait.")] = 200,
    num_procs: Annotated[int, typer.Option(min=0, help="Processes that serve; 0: one for each core.")] = 1,
) -> None:
    """Open the app."""
    mfexplore.serve(
        key=key, port=port, address=address, show=browser, warm=warm, origins=tuple(origin or ()),
        prefix=prefix.rstrip("/"), people=people, num_procs=num_procs,
    )  # fmt: skip


# -- doctor --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Finding:
    """One thing looked at. state: "fine", "hint" (works, could be better) or "wrong"; remedy: what to do about it."""

    what: str
    state: Literal["fine", "hint", "wrong"]
    text: str
    remedy: str = ""


def doctor() -> None:
    """Say what is installed, whether kernels are kept and warm, and what to do about what is wrong."""
    signs = {"fine": "[green]ok[/]   ", "hint": "[yellow]hint[/] ", "wrong": "[bold red]wrong[/]"}
    wrong = False
    for finding in examine():
        out.print(f"{signs[finding.state]} [bold]{finding.what}[/]: ", end="")
        out.print(finding.text, markup=False, soft_wrap=True)
        if finding.remedy:
            out.print(f"      -> {finding.remedy}", markup=False, soft_wrap=True)
        wrong |= finding.state == "wrong"
    if wrong:
        raise typer.Exit(FAILED)


def examine() -> Iterator[Finding]:
    """Everything the doctor looks at."""
    yield _python()
    yield from _packages()
    yield _kernel_folder()
    yield from _compiler_settings()
    if cache_folder() is not None:
        yield _warmth()
    yield _machine()
    yield _browser()


def _python() -> Finding:
    where = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("Python", "fine", f"{where}, {sys.executable}")


def _packages() -> Iterator[Finding]:
    """The package itself, what it needs, and each extra."""
    try:
        lines = requires("mfexplore") or []
        yield Finding("mfexplore", "fine", f"{version('mfexplore')}, {len(places())} systems")
    except PackageNotFoundError:
        yield Finding("mfexplore", "wrong", "runs from its source but is not installed", "pip install .")
        return
    groups: dict[str, list[str]] = {}
    for line in lines:
        name, marked = re.split(r"[^\w.-]", line)[0], re.search(r"""extra == ['"](\w+)['"]""", line)
        if name != "mfexplore" and not any(name in group for group in groups.values()):
            groups.setdefault(marked[1] if marked else "", []).append(name)
    for extra, names in groups.items():
        found, missing = [], []
        for package in names:
            try:
                found.append(f"{package} {version(package)}")
            except PackageNotFoundError:
                missing.append(package)
        what = f"extra {extra}" if extra else "needed packages"
        if not missing:
            yield Finding(what, "fine", ", ".join(found))
            continue
        wanted = f"mfexplore[{extra}]" if extra else "mfexplore"
        text = f"missing: {', '.join(missing)}" + (f"; found: {', '.join(found)}" if found else "")
        yield Finding(what, "hint" if extra else "wrong", text, f'pip install "{wanted}"')


def _kernel_folder() -> Finding:
    from mfexplore.numerics.kernel import intact

    folder = cache_folder()
    if folder is None:
        tried = ", ".join(str(c) for c in candidates())
        return Finding(
            "kernel cache", "wrong", f"none of these can be written, so every start compiles anew: {tried}",
            "Set NUMBA_CACHE_DIR to a folder that you can write to.",
        )  # fmt: skip
    # A folder that cannot be written may hold kernels too; what stands in two is counted where it is found first.
    files = {file.name: file for place in reversed(kept_folders()) for file in place.glob("*.nbc")}
    megabytes = sum(file.stat().st_size for file in files.values()) / 2**20
    where = "" if folder == candidates()[0] else f" ({candidates()[0]} cannot be written)"
    text = f"{folder}{where}, {len(files)} kernels, {megabytes:.0f} MB"
    others = [str(place) for place in kept_folders() if place != folder and any(place.glob("*.nbc"))]
    if others:
        text += f"; kernels are also read from {', '.join(others)}"
    broken = [file for file in files.values() if intact(file) is None]
    if broken:
        text += f"; {len(broken)} of them are broken: {', '.join(file.name for file in broken[:3])}"
        return Finding("kernel cache", "hint", text, "Nothing: what is broken is compiled anew when it is next used.")
    return Finding("kernel cache", "fine", text)


def _compiler_settings() -> Iterator[Finding]:
    from mfexplore.numerics.kernel import settings

    if settings.DISABLE_JIT:
        yield Finding(
            "compiler", "wrong", "NUMBA_DISABLE_JIT is set: everything runs a hundred times slower",
            "unset NUMBA_DISABLE_JIT",
        )  # fmt: skip
    if settings.CPU_NAME and settings.CPU_FEATURES is None:
        yield Finding(
            "compiler", "hint", "NUMBA_CPU_NAME without NUMBA_CPU_FEATURES: kernels still fit this machine only",
            'Set NUMBA_CPU_FEATURES="" as well.',
        )  # fmt: skip


def _warmth() -> Finding:
    from mfexplore.study.warmup import is_warm, processor

    cold = [key for key in places() if not is_warm(key)]
    count = f"{len(places()) - len(cold)} of {len(places())} systems are warm for {' '.join(processor().split()[:2])}"
    if not cold:
        return Finding("kernels", "fine", count)
    shown = ", ".join(cold[:6]) + (", ..." if len(cold) > 6 else "")
    return Finding("kernels", "hint", f"{count}; their first use compiles, for seconds: {shown}", "mfexplore warmup")


def _machine() -> Finding:
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    gigabytes = 2 * usable_memory() / 2**30
    text = f"{cores} cores, {gigabytes:.0f} GiB of memory, of which one simulation may take half"
    if gigabytes < 2:
        return Finding("machine", "hint", text, "Choose sizes below a million.")
    return Finding("machine", "fine", text)


def _browser() -> Finding:
    found = next((path for path in map(shutil.which, BROWSERS) if path), None)
    if found:
        return Finding("browser", "fine", found)
    return Finding(
        "browser", "hint", "none found on the path; the app can still be opened from another machine",
        "mfexplore serve --no-browser; the browser tests want Chromium (Debian: apt-get install chromium)",
    )  # fmt: skip


# -- warmup --------------------------------------------------------------------------------------------------------


def warmup(
    keys: Annotated[list[str] | None, typer.Argument(metavar="SYSTEM", help="Default: all of them.")] = None,
    jobs: Annotated[int | None, typer.Option("--jobs", "-j", min=1, help="Processes. Default: all cores.")] = None,
    portable: Annotated[
        bool, typer.Option("--portable", help="For any processor of this kind, for images that move between machines.")
    ] = False,
    again: Annotated[bool, typer.Option("--again", help="Also what is warm already.")] = False,
) -> None:
    """Compile everything now, in parallel processes, so that nothing waits for it later."""
    from mfexplore.numerics.kernel import forget_unused, settings
    from mfexplore.study.warmup import is_warm

    for key in keys or []:
        system(key)  # refuses an unknown one before any work
    if portable:
        _aim_at_portable()
    if cache_folder() is None:
        complain("no folder for compiled kernels can be written; `mfexplore doctor` says more")
        raise typer.Exit(FAILED)
    forgotten = forget_unused()
    if forgotten:
        err.print(f"forgot {forgotten} kernels that nobody has used for a month")
    wanted = [key for key in keys or places() if again or not is_warm(key)]
    failed = compile_in_processes(wanted, jobs or os.cpu_count() or 1) if wanted else {}
    for key in wanted:
        if key not in failed and not is_warm(key):
            failed[key] = f"compiled, but not kept: {cache_folder()} has no room (is the disk full?)"
    for key, reason in failed.items():
        complain(f"{key}: {reason}")
    if portable:
        out.print(
            f"Compiled for {settings.CPU_NAME}. They are found where these are set:\n"
            f'export NUMBA_CPU_NAME={settings.CPU_NAME} NUMBA_CPU_FEATURES=""',
            markup=False,
        )
    total = len(keys or places())
    out.print(f"{total - len(failed)} of {total} systems are warm.")
    if failed:
        raise typer.Exit(FAILED)


def _aim_at_portable() -> None:
    """Compile for what all processors of this kind have in common, here and in the processes started from here."""
    from mfexplore.numerics.kernel import settings
    from mfexplore.study.warmup import processor

    os.environ["NUMBA_CPU_NAME"] = PORTABLE.get(platform.machine().lower(), "generic")
    os.environ["NUMBA_CPU_FEATURES"] = ""  # without this, Numba adds the features of the processor at hand
    settings.reload_config()
    processor.cache_clear()


def compile_in_processes(keys: list[str], jobs: int) -> dict[str, str]:
    """Warm the systems, `jobs` at a time; returns what went wrong, by key."""
    from mfexplore.study.warmup import warm

    failed: dict[str, str] = {}
    # Not renewed by `max_tasks_per_child`: before Python 3.12.3 such a pool may wait for ever
    # (https://github.com/python/cpython/issues/115634).
    with progress_bar("compiling") as update, Processes(min(jobs, len(keys))) as pool:
        try:
            running = {pool.submit(warm, key): key for key in keys}
            for done, future in enumerate(as_completed(running), start=1):
                key = running[future]
                try:
                    future.result()
                except BrokenProcessPool:
                    failed[key] = "the compiling process died (out of memory?); try again with --jobs 1"
                except Exception as error:  # whatever a system raises must not stop the others
                    failed[key] = f"{type(error).__name__}: {error}"
                update(done / len(keys), f"compiled {key}")
        except BaseException:  # Ctrl-C, or told to end: what is half compiled is not kept anyway
            pool.let_go()
            raise
    return failed
