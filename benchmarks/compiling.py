"""Cold compile time of every kernel: each must take less than three seconds of CPU time, without what it calls.

Every system is warmed in a fresh process (two at a time) with an empty folder for kernels, shared between systems.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.harness import RESULTS, machine
from mfexplore.core.catalogue import places

LIMIT = 3.0  # seconds
SHOWN = 12


class Stopwatch:
    """Listens to Numba and times every compilation, less the compilations that happen inside it."""

    def __init__(self) -> None:
        self.found: list[tuple[str, float]] = []
        self._open: list[tuple[float, float]] = []  # (start, seconds spent inside on others)

    def notify(self, event: Any) -> None:
        if event.is_start:
            self._open.append((time.process_time(), 0.0))
            return
        start, inside = self._open.pop()
        whole = time.process_time() - start
        if self._open:
            outer_start, outer_inside = self._open[-1]
            self._open[-1] = (outer_start, outer_inside + whole)
        function = event.data["dispatcher"].py_func
        self.found.append((f"{function.__module__}.{function.__name__}", whole - inside))


def compile_one(key: str) -> None:
    """Warm a system and print, as JSON, how long each of its kernels took. Runs in a process of its own."""
    from numba.core import event

    from mfexplore.study.warmup import warm

    watch = Stopwatch()

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            watch.notify(event)

        def on_end(self, event: Any) -> None:
            watch.notify(event)

    event.register("numba:compile", Listener())
    warm(key)
    print(json.dumps(watch.found))


def measure(key: str, folder: str) -> list[tuple[str, float]] | str:
    """What `compile_one` printed, or why it failed."""
    code = f"from benchmarks.compiling import compile_one; compile_one({key!r})"
    environment = os.environ | {"NUMBA_CACHE_DIR": folder}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        return done.stderr.strip().splitlines()[-1]
    return [(name, seconds) for name, seconds in json.loads(done.stdout.splitlines()[-1])]


def main(console: Console) -> int:
    slowest: dict[str, float] = {}
    failed: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool, console.status("compiling"):
        for key, found in zip(places(), pool.map(lambda key: measure(key, folder), places()), strict=True):
            if isinstance(found, str):
                failed[key] = found
                continue
            for name, seconds in found:
                slowest[name] = max(seconds, slowest.get(name, 0.0))
            console.print(f"{key}: {len(found)} compilations, {sum(s for _, s in found):.1f} s")
    ordered = dict(sorted(slowest.items(), key=lambda item: -item[1]))
    table = Table("kernel", "CPU seconds", title=f"{len(ordered)} kernels, slowest first (limit {LIMIT:g} s)")
    for name, seconds in list(ordered.items())[:SHOWN]:
        table.add_row(name, f"{seconds:.2f}", style="red" if seconds >= LIMIT else "")
    console.print(table)
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": machine(), "seconds": {name: round(seconds, 3) for name, seconds in ordered.items()}}
    (RESULTS / "compile.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    for key, why in failed.items():
        console.print(f"[red]{key} failed: {why}[/]")
    offenders = [f"{name} ({seconds:.1f} s)" for name, seconds in ordered.items() if seconds >= LIMIT]
    console.print(f"too slow: {', '.join(offenders)}" if offenders else "every kernel within the limit")
    return 1 if offenders or failed else 0
