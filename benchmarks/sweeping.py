"""Sweeps on a Dask LocalCluster: two processes against one, and what scheduling costs per unit at 10^4 units."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.harness import RESULTS, installed, machine
from mfexplore.core import Lattice, Model, Simulation, control
from mfexplore.core.catalogue import system
from mfexplore.study.ensemble import measure_sample
from mfexplore.study.sweep import sweep

GAIN, OVERHEAD = 1.8, 1.0  # targets: times as fast; milliseconds per unit
ROUNDS = 2


class IdleSimulation(Simulation):
    """Nothing to do, so that a sweep over it is nothing but scheduling."""

    relaxation = window = 0.0

    def prepare(self) -> None: ...

    def evolve(self, duration: float) -> None: ...

    def observe(self) -> dict[str, float]:
        return {"seen": self.model.place}

    def picture(self) -> Lattice:
        return Lattice(np.zeros((1, 1), np.int8), 0, 1)


@dataclass(frozen=True)
class Idle(Model):
    place: float = control(0.0, 0.0, 1.0, symbol="x", role="setting", doc="a number")
    size: int = control(1, 1, 10, symbol="N", role="size", doc="no meaning")

    title = "Idle"
    summary = "A system without work."
    sources = ()
    observables = ()
    simulation = IdleSimulation


@contextmanager
def cluster(workers: int) -> Iterator[Any]:
    from distributed import Client, LocalCluster

    with (
        LocalCluster(n_workers=workers, threads_per_worker=1, dashboard_address=None) as local,
        Client(local) as client,
    ):
        yield client


def overhead(client: Any, store: bool) -> float:
    """Milliseconds per unit of a sweep of 10^4 units that have nothing to do, less what a loop over them takes."""
    places = np.linspace(0, 1, 625)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        found = sweep(
            Idle(), {"place": places}, samples=16, executor=client, progress=False,
            store=Path(folder) / "idle.zarr" if store else None,
        )  # fmt: skip
        seconds = time.perf_counter() - start
    assert np.array_equal(found["seen_samples"][:, 0], places)
    start = time.perf_counter()
    for place in places:
        for sample in range(16):
            measure_sample(Idle(place=place), 0, sample)
    return 1e3 * (seconds - (time.perf_counter() - start)) / 1e4


def main(console: Console) -> int:
    if installed("distributed") == "not installed":
        console.print("distributed is not installed; pip install 'mfexplore[dask]'")
        return 1
    model = system("kuramoto")(size=20_000)
    over = {"coupling": np.linspace(0.5, 3.0, 6)}
    seconds: dict[int, list[float]] = {1: [], 2: []}
    rows: list[tuple[str, float, str, float, bool]] = []
    with console.status("sweeping"), cluster(1) as one, cluster(2) as two:
        reference = None
        for client in (one, two):  # let the workers load their kernels
            found = sweep(model, {"coupling": [1.0, 2.0]}, samples=2, executor=client, progress=False)
            assert reference is None or found.identical(reference), "not the same bits"
            reference = found
        for _ in range(ROUNDS):
            for workers, client in ((1, one), (2, two)):
                start = time.perf_counter()
                sweep(model, over, samples=16, executor=client, progress=False)
                seconds[workers].append(time.perf_counter() - start)
        gain = min(seconds[1]) / min(seconds[2])
        rows.append(("two processes against one", gain, "x", GAIN, gain >= GAIN))
        for name, client, store in (
            ("threads", "threads", False), ("Dask", two, False), ("Dask and a Zarr store", two, True),
        ):  # fmt: skip
            cost = min(overhead(client, store) for _ in range(ROUNDS))
            rows.append((f"overhead per unit at 10^4 units: {name}", cost, "ms", OVERHEAD, cost <= OVERHEAD))
    table = Table("sweep", "measured", "wanted", "", title=f"load average {os.getloadavg()[0]:.1f} before and during")
    for name, value, unit, target, met in rows:
        table.add_row(name, f"{value:.3g} {unit}", f"{target:g}", "[green]yes[/]" if met else "[red]no[/]")
    console.print(table)
    RESULTS.mkdir(exist_ok=True)
    record = {"machine": machine(), "rows": [dict(zip(("item", "value", "unit", "target", "met"), r, strict=True))
                                             for r in rows]}  # fmt: skip
    (RESULTS / "sweep.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return 0 if all(met for *_, met in rows) else 1
