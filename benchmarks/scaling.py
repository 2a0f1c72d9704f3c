"""How time and memory grow with the size, for every system, through what any user can call.

A system says how many bytes a size needs (`footprint`). What is really allocated may not grow faster (no hidden
N x N), and the time of a step not faster than the power 1.5 of that (an N x N matrix may be diagonalised), both with
some slack for what is constant at small sizes.
"""

from __future__ import annotations

import json
import time
import tracemalloc
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.harness import RESULTS, machine
from mfexplore.core.catalogue import systems
from mfexplore.core.errors import TooLargeError
from mfexplore.core.model import Model
from mfexplore.numerics.matrices.blas import one_blas_thread

POINTS = 6
LONGEST, HEAVIEST = 0.6, 300e6  # seconds of one step and bytes, beyond which a larger size is not tried
MEMORY_POWER, TIME_POWER = 1.15, 1.6


@dataclass
class Growth:
    """One system: sizes and, at each, seconds per step, bytes allocated at most, bytes announced."""

    key: str
    size: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    allocated: list[float] = field(default_factory=list)
    announced: list[float] = field(default_factory=list)

    def power(self, values: list[float], of: list[float]) -> float:
        """Exponent over the upper half of the sizes."""
        half = max(2, len(values) // 2 + 1)
        x, y = np.log(of[-half:]), np.log(values[-half:])
        return float(np.polyfit(x, y, 1)[0]) if np.ptp(x) > 0.3 else 0.0

    @property
    def fine(self) -> bool:
        memory, seconds = self.power(self.allocated, self.announced), self.power(self.seconds, self.announced)
        return memory <= MEMORY_POWER and seconds <= TIME_POWER


def measure(model: Model) -> tuple[float, float]:
    """(CPU seconds of a step, most bytes allocated at once) of a simulation at this size."""
    tracemalloc.start()
    run = model.simulate(seed=1)
    run.advance()
    allocated = float(tracemalloc.get_traced_memory()[1])
    tracemalloc.stop()
    seconds = []
    for _ in range(3):
        start = time.process_time()
        run.advance()
        seconds.append(time.process_time() - start)
        if run.finished or sum(seconds) > LONGEST:
            break
    return max(float(np.median(seconds)), 1e-7), allocated


def grow(kind: type[Model]) -> Growth:
    name, made = next((n, c) for n, c in kind.controls().items() if c.role == "size")
    low, high = made.bounds
    sizes = np.unique(np.geomspace(max(low, min(64, high / 8)), high, 2 * POINTS).astype(int))
    found = Growth(kind.key)
    default = kind()
    for size in sizes:
        model = default.replace(**{name: int(size)})
        if model.footprint() > HEAVIEST:
            break
        try:
            if not found.size:
                measure(model)  # loads kernels
            seconds, allocated = measure(model)
        except TooLargeError:  # a system may refuse what memory alone would allow
            break
        found.size.append(int(size))
        found.seconds.append(seconds)
        found.allocated.append(allocated)
        found.announced.append(float(model.footprint()))
        if seconds > LONGEST:
            break
    return found


def draw(results: list[Growth]) -> None:
    import matplotlib.pyplot as plt

    columns = 5
    rows = -(-len(results) // columns)
    figure, all_axes = plt.subplots(rows, columns, figsize=(2.7 * columns, 2.3 * rows), layout="constrained")
    for axes, result in zip(np.ravel(all_axes), results, strict=False):
        axes.loglog(result.size, result.seconds, "o-", color="#2f5d8a", markersize=3, label="seconds per step")
        axes.set_title(result.key.replace("_", " "), fontsize=8)
        other = axes.twinx()
        other.loglog(result.size, np.divide(result.allocated, 1e6), "s--", color="#b2683b", markersize=3)
        for one in (axes, other):
            one.tick_params(labelsize=7)
    for axes in np.ravel(all_axes)[len(results) :]:
        axes.set_visible(False)
    figure.suptitle("Seconds per step (blue, left) and megabytes (orange, right) against the size", fontsize=9)
    figure.savefig(RESULTS / "scaling.svg", metadata={"Date": None})
    plt.close(figure)


def main(console: Console) -> int:
    results: list[Growth] = []
    for kind in systems():
        if not kind.offers("simulation") or not any(c.role == "size" for c in kind.controls().values()):
            continue
        with console.status(kind.key), one_blas_thread():
            results.append(grow(kind))
        console.print(f"{kind.key}: sizes {results[-1].size}", style="dim")
    table = Table("system", "sizes", "time ~ N^", "memory ~ N^", "time ~ bytes^", "memory ~ bytes^", "")
    for r in results:
        size: list[Any] = r.size
        powers = [r.power(r.seconds, size), r.power(r.allocated, size), r.power(r.seconds, r.announced),
                  r.power(r.allocated, r.announced)]  # fmt: skip
        verdict = "[green]yes[/]" if r.fine else "[red]no[/]"
        table.add_row(r.key, f"{r.size[0]} to {r.size[-1]}", *(f"{p:.2f}" for p in powers), verdict)
    console.print(table)
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": machine(), "systems": {r.key: vars(r) | {"fine": r.fine} for r in results}}
    (RESULTS / "scaling.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    draw(results)
    failed = [r.key for r in results if not r.fine]
    console.print(f"grow too fast: {', '.join(failed)}" if failed else "every system grows as it says")
    return 1 if failed else 0
