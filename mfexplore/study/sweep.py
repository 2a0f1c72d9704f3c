"""Averages over disorder on any grid of controls: threads here, processes, or a Dask cluster, resumable from a store.

The unit of work is one sample at one grid point. Its random stream depends on the seed and the sample alone (points
share streams, as `ensemble` does: a point of a sweep equals `model.ensemble` there), so results are bit-identical
whatever executes them, in whatever batches, after however many interruptions. Only the calling process writes; a batch
is marked as done after its values are in the store, so whoever is killed, the same command goes on where it stopped.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    CancelledError,
    Executor,
    Future,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from multiprocessing import get_context
from os import PathLike, cpu_count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.catalogue import system as find_system
from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.core.extras import needs
from mfexplore.core.model import Model
from mfexplore.core.provenance import attributes, error_attributes, observed_attributes, provenance
from mfexplore.core.solution import Array
from mfexplore.study.ensemble import measure_sample, never
from mfexplore.study.executors import background_threads

if TYPE_CHECKING:
    import xarray as xr
    import zarr

TASKS_PER_WORKER = 32  # batches are cut so that every worker gets about this many: fair, and cheap to schedule
QUEUED_PER_WORKER = 4  # tasks handed out ahead, so that no worker waits and a cancelled sweep ends soon
LOST_POOLS = 3  # how often a pool of processes is built anew after one of them was killed

Unit = tuple[int, int]  # grid point, sample
Progress = Callable[[int, int], None]


class SweepMismatchError(MfexploreError):
    """A store holds another sweep than the one asked for, or no sweep at all."""


class SweepStoppedError(MfexploreError):
    """What executed a sweep is gone (the scheduler of a cluster was killed, say)."""


def measure_batch(
    models: list[Model], seed: int, samples: list[int], cancelled: Callable[[], bool] = never
) -> dict[str, Array]:
    """One sample at each of the given models: observables as arrays over the batch. This is what runs on a worker."""
    found = [measure_sample(model, seed, sample, cancelled) for model, sample in zip(models, samples, strict=True)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def sweep(
    system: Model | type[Model] | str,
    over: Mapping[str, Any],
    *,
    samples: int = 16,
    seed: int = 0,
    store: str | PathLike[str] | None = None,
    executor: Any = "threads",
    progress: Progress | bool = True,
    cancelled: Callable[[], bool] = never,
    **controls: Any,
) -> xr.Dataset:
    """Simulate `samples` independent samples at every point of a grid of controls.

    Args:
        system: a model, a system or its key.
        over: control name -> values (numbers or words); the grid is their outer product.
        samples: independent samples per point. seed: of all random streams.
        store: a Zarr folder to keep results in and to resume from (None: in memory only).
        executor: "threads", "processes", a `dask.distributed.Client`, or any `concurrent.futures.Executor`.
        progress: True for a bar in terminal or notebook, or a function of (units done, units in all).
        cancelled: asked between batches; once true, what is done is kept and returned, the rest is NaN.
        **controls: controls of the model held fixed (size=..., temperature=..., ...).

    Returns:
        Dataset over the swept controls: `x` (mean over samples), `x_standard_error`, and `x_samples` over `sample`.

    Raises:
        ControlError, UnknownNameError: before anything runs.
        SweepMismatchError: the store holds a different sweep, or something else.
        SweepStoppedError: the cluster is gone; what is done is in the store.
    """
    model = _as_model(system).replace(**controls)
    axes = {name: model.control(name).check_array(values, model.title) for name, values in over.items()}
    shape = tuple(len(values) for values in axes.values())
    units = int(np.prod(shape)) * samples
    with executed_by(executor) as pool:
        ledger = _Ledger(model, axes, samples, seed, max(1, -(-units // (TASKS_PER_WORKER * pool.workers))), store)
        with _reporter(progress, units) as report:
            _run(ledger, pool, report, cancelled)
    return ledger.dataset()


def load(store: str | PathLike[str]) -> xr.Dataset:
    """The Dataset of a sweep, finished or not, from its store; what is not done yet is NaN."""
    with needs("dask"):
        import zarr

    kept = zarr.open_group(str(store), mode="r").attrs
    if "sweep" not in kept:
        raise SweepMismatchError(f"{store} holds no sweep.")
    record = json.loads(str(kept["sweep"]))
    model = find_system(record["system"])(**record["controls"])
    axes = {name: model.control(name).check_array(values, model.title) for name, values in record["over"].items()}
    return _Ledger(model, axes, record["samples"], record["seed"], 1, store).dataset()


class _Ledger:
    """What is done and what is not: values of every unit, in memory or in a Zarr group, in batches."""

    def __init__(
        self,
        model: Model,
        axes: Mapping[str, Array],
        samples: int,
        seed: int,
        batch: int,
        store: str | PathLike[str] | None,
    ) -> None:
        self.model, self.axes, self.samples, self.seed = model, axes, samples, seed
        self.shape = tuple(len(values) for values in axes.values())
        self.units = int(np.prod(self.shape)) * samples
        self.batch = batch
        self.group: zarr.Group | None = None
        self.values: dict[str, Any] = {}
        self.done = np.zeros(self.units, bool)
        if store is not None:
            self._open(store)

    def record(self) -> dict[str, Any]:
        fixed = {name: value for name, value in self.model.values().items() if name not in self.axes}
        return {
            "system": self.model.key,
            "system_version": self.model.version,
            "controls": fixed,
            "over": {name: values.tolist() for name, values in self.axes.items()},
            "samples": self.samples,
            "seed": self.seed,
        }

    def _open(self, store: str | PathLike[str]) -> None:
        with needs("dask"):
            import zarr

        place = Path(store)
        if place.is_file() or (place.is_dir() and any(place.iterdir()) and not (place / "zarr.json").exists()):
            raise SweepMismatchError(f"{store} is no Zarr store. Choose another store.")
        self.group = zarr.open_group(str(store), mode="a")
        asked = json.dumps(self.record())
        found = self.group.attrs.get("sweep")
        if found is None:
            if set(self.group) - {"done"}:  # that alone is there if the first client was killed just now
                raise SweepMismatchError(f"{store} holds something else than a sweep. Choose another store.")
            self._array("done", np.int8, 0)
            origin = provenance(self.model, seed=self.seed, samples=self.samples)
            self.group.attrs.update(origin | {"sweep": asked, "batch": self.batch})
        elif found != asked:
            theirs, ours = json.loads(str(found)), self.record()
            other = [f"{k}: {theirs.get(k)!r} there, {v!r} asked" for k, v in ours.items() if theirs.get(k) != v]
            raise SweepMismatchError(f"{store} holds another sweep ({'; '.join(other)}). Choose another store.")
        self.batch = int(self.group.attrs["batch"])  # type: ignore[arg-type]
        self.done = np.asarray(self.group["done"][:]).astype(bool)  # type: ignore[index]
        self.values = {name: array for name, array in self.group.arrays() if name != "done"}

    def _array(self, name: str, dtype: Any, fill: float) -> Any:
        if self.group is None:
            return np.full(self.units, fill, dtype)
        return self.group.create_array(
            name, shape=(self.units,), chunks=(self.batch,), dtype=dtype, fill_value=fill, dimension_names=("unit",),
            overwrite=True,
        )  # fmt: skip

    def missing(self) -> Iterator[slice]:
        """The batches that are not done."""
        for start in range(0, self.units, self.batch):
            piece = slice(start, min(start + self.batch, self.units))
            if not self.done[piece].all():
                yield piece

    def models(self, piece: slice) -> tuple[list[Model], list[int]]:
        """The model and the sample number of every unit of a batch."""
        point, sample = np.divmod(np.arange(piece.start, piece.stop), self.samples)
        models: dict[int, Model] = {}
        for index in np.unique(point):
            where = np.unravel_index(int(index), self.shape) if self.shape else ()
            at = {name: values[k] for (name, values), k in zip(self.axes.items(), where, strict=True)}
            models[int(index)] = self.model.replace(**at)
        return [models[int(p)] for p in point], sample.tolist()

    def write(self, piece: slice, found: Mapping[str, Array]) -> None:
        for name, values in found.items():
            if name not in self.values:
                self.values[name] = self._array(name, np.float64, np.nan)
            self.values[name][piece] = values
        if self.group is not None:  # last, so that a batch counts as done only when its values are safe
            self.group["done"][piece] = 1  # type: ignore[index]
        self.done[piece] = True

    def dataset(self) -> xr.Dataset:
        import warnings

        import xarray as xr

        dataset = xr.Dataset(
            attrs=provenance(self.model, seed=self.seed, samples=self.samples, done=float(self.done.mean()))
        )
        for name, values in self.axes.items():
            dataset.coords[name] = (name, values, attributes(self.model.control(name)))
        for name, values in self.values.items():
            if name in self.axes:  # a run may report a control (a driven field), which must not replace the axis
                continue
            table = np.asarray(values[:]).reshape(*self.shape, self.samples)
            meaning = observed_attributes(self.model, name)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", RuntimeWarning)  # points without any sample yet are NaN
                count = np.isfinite(table).sum(axis=-1)
                error = np.nanstd(table, axis=-1, ddof=1) / np.sqrt(count)
                mean = np.nanmean(table, axis=-1)
            dataset[name] = (tuple(self.axes), mean, meaning | {"ancillary_variables": f"{name}_standard_error"})
            dataset[f"{name}_standard_error"] = (tuple(self.axes), error, error_attributes(meaning))
            dataset[f"{name}_samples"] = ((*self.axes, "sample"), table, meaning)
        return dataset


class _Pool:
    """An executor, how many workers it has now, and how to build it anew if a worker process was killed."""

    def __init__(
        self,
        build: Callable[[], Executor],
        count: Callable[[], int],
        *,
        rebuild: bool = False,
        owned: bool = False,
        stop: Event | None = None,
    ) -> None:
        self._build, self._count, self.rebuild, self._owned, self._stop = build, count, rebuild, owned, stop
        self.executor = build()
        self._counted, self._workers = time.monotonic(), count()

    @property
    def workers(self) -> int:
        """A cluster grows and shrinks while a sweep runs, so they are counted every other second."""
        if time.monotonic() - self._counted > 2:
            self._counted, self._workers = time.monotonic(), self._count()
        return self._workers

    def submit(self, models: list[Model], seed: int, samples: list[int]) -> Future[dict[str, Array]]:
        if self._stop is None:
            return self.executor.submit(measure_batch, models, seed, samples)
        return self.executor.submit(measure_batch, models, seed, samples, self._stop.is_set)

    def renew(self) -> None:
        self.close()
        self.executor = self._build()

    def close(self) -> None:
        if self._stop is not None:
            self._stop.set()  # threads of this process end their samples
        if self._owned:
            self.executor.shutdown(wait=False, cancel_futures=True)


@contextmanager
def executed_by(kind: Any) -> Iterator[_Pool]:
    """What `sweep` accepts as an executor, as a pool; ended with the context if it was started here."""
    cores = cpu_count() or 1
    if kind == "threads":
        pool = _Pool(background_threads, lambda: cores, stop=Event())
    elif kind == "processes":
        pool = _Pool(
            lambda: ProcessPoolExecutor(cores, mp_context=get_context("spawn")), lambda: cores, rebuild=True, owned=True
        )
    elif hasattr(kind, "get_executor"):  # a dask.distributed.Client
        pool = _Pool(lambda: kind.get_executor(pure=False), lambda: _dask_workers(kind))
    elif isinstance(kind, Executor):
        pool = _Pool(lambda: kind, lambda: getattr(kind, "_max_workers", cores))
    else:
        raise UnknownNameError("executor", str(kind), ["threads", "processes", "a dask.distributed.Client"])
    try:
        yield pool
    finally:
        pool.close()


def _dask_workers(client: Any) -> int:
    """Threads of a Dask cluster; or, while its jobs still wait in a queue, as many as have been asked for."""
    try:
        planned, running = len(getattr(client.cluster, "plan", ())), int(sum(client.nthreads().values()))
    except OSError as lost:  # asked in the moment in which the scheduler went: the same as being told by the client
        raise CancelledError from lost
    return max(1, planned, running)


def _run(ledger: _Ledger, pool: _Pool, report: Progress, cancelled: Callable[[], bool]) -> None:
    """Hand out the missing batches, a few ahead, and write each as it comes back."""
    report(int(ledger.done.sum()), ledger.units)
    lost = 0
    while True:
        running: dict[Future[dict[str, Array]], slice] = {}
        try:
            for piece in ledger.missing():
                models, samples = ledger.models(piece)
                running[pool.submit(models, ledger.seed, samples)] = piece
                while len(running) >= QUEUED_PER_WORKER * pool.workers and not cancelled():
                    _collect(ledger, running, report)
                if cancelled():
                    return
            while running and not cancelled():
                _collect(ledger, running, report)
            return
        except BrokenExecutor:
            lost += 1
            if not pool.rebuild or lost > LOST_POOLS:
                raise
            pool.renew()
        except CancelledError:  # not by us: a Dask client cancels everything when it loses its scheduler
            kept = f"{int(ledger.done.sum())} of {ledger.units} samples are done"
            what_now = ", and the same command goes on from there" if ledger.group is not None else ""
            raise SweepStoppedError(f"The cluster that executed this sweep is gone: {kept}{what_now}.") from None
        finally:
            for future in running:
                future.cancel()


def _collect(ledger: _Ledger, running: dict[Future[dict[str, Array]], slice], report: Progress) -> None:
    finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
    for future in finished:
        ledger.write(running.pop(future), future.result())
    if finished:
        report(int(ledger.done.sum()), ledger.units)


@contextmanager
def _reporter(progress: Progress | bool, units: int) -> Iterator[Progress]:
    if callable(progress):
        yield progress
    elif progress:
        from rich.progress import Progress as Bar

        with Bar(transient=True) as bar:
            task = bar.add_task("sweep", total=units)
            yield lambda done, total: bar.update(task, completed=done)
    else:
        yield lambda done, total: None


def _as_model(system: Model | type[Model] | str) -> Model:
    if isinstance(system, str):
        made: Model = find_system(system)()
        return made
    return system if isinstance(system, Model) else system()
