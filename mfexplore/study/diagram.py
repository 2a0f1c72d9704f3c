"""Anytime diagrams: the theory on a plane, coarse to fine, in tiles that can be cancelled between calls."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Executor, Future
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.arguments import whole_number, window
from mfexplore.core.model import Model
from mfexplore.core.simulation import never
from mfexplore.core.solution import Array, Solution, columns, label
from mfexplore.study.executors import share
from mfexplore.study.turns import Rank, lower, scheduler

if TYPE_CHECKING:
    import xarray as xr

COARSEST = 17  # the first level; every level doubles the resolution until the last is reached
FINEST = 4097  # points along each axis: more than any figure shows, and a gigabyte
TILE_SECONDS = 0.03  # aimed-at length of one kernel call, after which a job may be cancelled
AT_ONCE = 0.02  # seconds: a level that a finer one follows this soon is not shown
WORTH_SHARING = 0.002  # seconds of work that are cut at all, so that every worker gets a part
UNKNOWN_PACE = 4e-4  # seconds per point, before any was measured: small tiles


def resolutions(finest: int) -> list[int]:
    """The levels of the pyramid, e.g. 257 -> [17, 33, 65, 129, 257]."""
    levels = [finest]
    while levels[0] > COARSEST:
        levels.insert(0, (levels[0] - 1) // 2 + 1)
    return levels


def solve_tile(model: Model, x: str, y: str, xs: Array, ys: Array) -> tuple[Solution, float]:
    """Theory on the outer product (ys, xs), x fastest, and the seconds it took. Runs on any executor."""
    start = time.perf_counter()
    solution = model.solve(columns(model, {y: ys, x: xs}))
    return solution, time.perf_counter() - start


def solve_grid(
    model: Model,
    x: str,
    y: str,
    xs: Array,
    ys: Array,
    seconds_per_point: float,
    executor: Executor | None,
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> tuple[Solution, float] | None:
    """The whole grid in tiles; None if cancelled. Returns the solution and the measured seconds per point."""
    if executor is None:
        return solve_here(columns(model, {y: ys, x: xs}), len(xs), model, seconds_per_point, cancelled, progress)
    workers = getattr(executor, "_max_workers", 8)
    seconds_per_row = seconds_per_point * len(xs)
    longest = -(-len(ys) // workers) if seconds_per_row * len(ys) > WORTH_SHARING else len(ys)
    rows = int(np.clip(TILE_SECONDS / seconds_per_row, 1, longest))
    pieces = np.array_split(ys, max(1, -(-len(ys) // rows)))
    futures: list[Future[tuple[Solution, float]]] = []
    done: list[Solution] = []
    spent = 0.0
    width = 2 * workers  # keep the queue short, so that a cancelled job leaves it at once
    for k, piece in enumerate(pieces):
        futures.append(executor.submit(solve_tile, model, x, y, xs, piece))
        while futures and (len(futures) >= width or k == len(pieces) - 1):
            if cancelled():
                for future in futures:
                    future.cancel()
                return None
            solution, seconds = futures.pop(0).result()
            done.append(solution)
            spent += seconds
            progress(len(done) / len(pieces))
    return concatenate(done), spent / (len(xs) * len(ys))


def solve_here(
    points: dict[str, Array],
    row: int,
    model: Model,
    pace: float,
    cancelled: Callable[[], bool],
    progress: Callable[[float], None],
) -> tuple[Solution, float] | None:
    """The same on threads of this process, which cut off their next tile when they need one: of whole rows of `row`
    points if that is short enough. pace: seconds per point, until one is measured.
    """
    total = len(next(iter(points.values())))
    lock = threading.Lock()
    begun = finished = 0
    spent = 0.0

    def cut() -> slice:
        nonlocal begun
        with lock:
            per_point = spent / finished if finished else pace
            most = max(1, int(TILE_SECONDS / per_point))
            if per_point * total > WORTH_SHARING:
                most = min(most, row * -(-total // (row * scheduler.places)))
            if most > row:
                most -= most % row
            piece = slice(begun, min(begun + most, total))
            begun = piece.stop
            return piece

    def tiles() -> Iterator[tuple[int, Solution]]:
        nonlocal finished, spent
        while not cancelled():
            piece = cut()
            if piece.start == total:
                return
            start = time.perf_counter()
            solution = model.solve({name: values[piece] for name, values in points.items()})
            with lock:
                spent += time.perf_counter() - start
                finished += piece.stop - piece.start
                progress(finished / total)
            yield piece.start, solution

    found = share(tiles) if pace * total > WORTH_SHARING else list(tiles())
    if finished < total:
        return None
    return concatenate([solution for _, solution in sorted(found, key=lambda tile: tile[0])]), spent / total


def concatenate(parts: list[Solution]) -> Solution:
    """One solution for the points of all parts, in order: every field of it, so that none is left behind."""
    return Solution(**{one.name: _joined([getattr(part, one.name) for part in parts]) for one in fields(Solution)})


def _joined(pieces: list[Any]) -> Any:
    first = pieces[0]
    if isinstance(first, Mapping):
        return {name: _joined([piece[name] for piece in pieces]) for name in first}
    return None if first is None else np.concatenate(pieces)


def diagram_levels(
    model: Model,
    x: str | None = None,
    y: str | None = None,
    resolution: int | None = None,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    executor: Executor | None = None,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[float], None] = lambda fraction: None,
) -> Iterator[xr.Dataset]:
    """Diagram of a plane from coarse to fine, each level a Dataset over (y, x); stops early when `cancelled()`.

    How many levels there are depends on how long they take: one that a finer level follows at once is left out.

    Args:
        x, y: the controls that span it (default: the first plane of the model).
        resolution: points along each axis of the last level, fewer for a whole-number control (default: as fine as the
            plane says).
        x_range, y_range: a window to zoom into (default: as declared by the plane).
        executor: where tiles run (default: threads of this process, no more than it has cores).
        progress: called with the finished fraction of the whole diagram.

    Raises ArgumentError (a resolution below 2 or above 4097, a window that is no window), UnknownNameError and
    NotOfferedError.
    """
    plane = model.plane(x, y)
    resolution = whole_number("diagram", "resolution", plane.finest if resolution is None else resolution, 2, FINEST)
    x_window, y_window = (
        model.range(plane, axis) if asked is None  # type: ignore[arg-type]
        else window("diagram", f"{axis}_range", asked, *model.control(getattr(plane, axis)).bounds)
        for axis, asked in (("x", x_range), ("y", y_range))
    )  # fmt: skip
    pace, done, pending = UNKNOWN_PACE, 0, resolutions(resolution)
    while pending:
        n = pending.pop(0)
        xs = model.control(plane.x).grid(n, *x_window)
        ys = model.control(plane.y).grid(n, *y_window)
        total = done + n * n + sum(m * m for m in pending)

        def report(fraction: float, done: int = done, points: int = n * n, total: int = total) -> None:
            progress((done + fraction * points) / total)

        solved = solve_grid(model, plane.x, plane.y, xs, ys, pace, executor, cancelled, report)
        if solved is None:
            return
        solution, pace = solved
        done += n * n
        soon = [m for m in pending if m * m * pace <= AT_ONCE]
        if soon:
            pending = pending[len(soon) - 1 :]
        else:
            yield label(model, {plane.y: ys, plane.x: xs}, solution)
            lower(Rank.REFINEMENT)  # the first picture follows the hand; now others come first


def diagram(
    model: Model, x: str | None = None, y: str | None = None, resolution: int | None = None, **options: Any
) -> xr.Dataset:
    """The finished diagram; see `diagram_levels` for the arguments."""
    *_, last = diagram_levels(model, x, y, resolution, **options)
    return last
