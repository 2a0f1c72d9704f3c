"""A control moves: how long until the complete 129 x 129 diagram is there, on two threads.

The real path (coarse levels first, tiles on two threads, labelled Datasets), the last level alone, and the kernels
alone. What is wanted is half the CPU time of two threads, which two free cores need whatever else runs. Wall time,
what a person waits, is told beside it, and means something on an idle machine only.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from benchmarks.harness import Report
from mfexplore.core.model import Model
from mfexplore.core.solution import columns
from mfexplore.models.glasses.sherrington_kirkpatrick import SherringtonKirkpatrick
from mfexplore.models.memory.hopfield import Hopfield
from mfexplore.study.diagram import diagram_levels, solve_grid, solve_tile

SIDE, POINTS, REPEATS, TARGET = 129, 12, 4, 20.0


def milliseconds(run: Callable[[int], Any]) -> dict[str, float]:
    """Wall time (median and slowest point of the slider) and half the CPU time (median) of `run(k)`, the point k of the
    slider, best of a few at each.
    """
    wall, cpu = [], []
    run(0)
    for k in range(POINTS):
        here = []
        for _ in range(REPEATS):
            start, used = time.perf_counter(), time.process_time()
            run(k)
            here.append((time.perf_counter() - start, (time.process_time() - used) / 2))
        wall.append(min(seconds for seconds, _ in here))
        cpu.append(min(seconds for _, seconds in here))
    found = {"median wall": np.median(wall), "slowest wall": np.max(wall), "CPU/2": np.median(cpu)}
    return {name: 1e3 * float(seconds) for name, seconds in found.items()}


def sliders(model: Model) -> Iterator[tuple[Model, str]]:
    """Every number of the theory that is no axis of the first plane (whole numbers, like steps of replica symmetry
    breaking, choose another theory).
    """
    plane = model.plane(None, None)
    for name, made in model.controls().items():
        whole = made.is_choice or made.is_integer
        if made.part != "simulation" and not whole and name not in (plane.x, plane.y):
            yield model, name


def race(report: Report) -> None:
    pool = ThreadPoolExecutor(2)
    for model, slider in (*sliders(Hopfield()), *sliders(SherringtonKirkpatrick(rsb_steps=0))):
        plane = model.plane(None, None)
        values = model.control(slider).grid(POINTS)
        xs, ys = (model.control(name).grid(SIDE, *model.range(plane, axis)) for name, axis in
                  ((plane.x, "x"), (plane.y, "y")))  # fmt: skip

        def at(k: int, model: Model = model, slider: str = slider, values: Any = values) -> Model:
            return model.replace(**{slider: values[k]})

        def levels(k: int, at: Callable[[int], Model] = at) -> Any:
            *_, last = diagram_levels(at(k), resolution=SIDE)
            return last

        def solved(k: int, at: Callable[[int], Model] = at, plane: Any = plane, xs: Any = xs, ys: Any = ys) -> Any:
            return solve_grid(at(k), plane.x, plane.y, xs, ys, 5e-7, None, lambda: False, lambda f: None)

        def halves(k: int, at: Callable[[int], Model] = at, plane: Any = plane, xs: Any = xs, ys: Any = ys) -> Any:
            here = at(k)
            parts = [pool.submit(solve_tile, here, plane.x, plane.y, xs, part) for part in np.array_split(ys, 2)]
            return [part.result() for part in parts]

        one = at(3).solve(columns(at(3), {plane.y: ys, plane.x: xs}))
        last = levels(3)
        first = next(iter(one.values))
        values = np.where(one.exists(model.tolerance), one.values[first], np.nan).reshape(last[first].shape)
        same = np.allclose(values, last[first].values, atol=1e-7, equal_nan=True)
        report.check(f"{model.key}, {slider}: the diagram in tiles is the diagram in one piece ({first})", same)
        report.check(f"{model.key}, {slider}: every point is solved", bool(last["converged"].all()))
        for what, run in (("all levels", levels), ("129 x 129 alone", solved), ("kernels alone", halves)):
            for name, value in milliseconds(run).items():
                target = TARGET if name == "CPU/2" else None
                report.limit(f"{model.key}: {slider} moved, {what}, {name}", "ms", value, target)
    pool.shutdown()
