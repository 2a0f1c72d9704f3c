"""Averages over disorder on any grid of controls: threads here, processes, or a Dask cluster, resumable from a store.

The unit of work is one sample at one grid point. Its random stream depends on the seed and the sample alone (points
share streams, as `ensemble` does: a point of a sweep equals `model.ensemble` there), so results are bit-identical
whatever executes them, in whatever batches, after however many interruptions. Only the calling process writes, and a
store has one such owner at a time. A unit is marked as done after its values are in the store, and the mark says how
many there are; so whoever is killed, the same command goes on where it stopped, and what is marked but lost is seen and
computed again.
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
    wait,
)
from contextlib import contextmanager, nullcontext, suppress
from os import PathLike, cpu_count
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.arguments import whole_number
from mfexplore.core.arithmetic import with_infinities
from mfexplore.core.catalogue import system as find_system
from mfexplore.core.errors import ArgumentError, MfexploreError, UnknownNameError
from mfexplore.core.extras import needs
from mfexplore.core.model import Model
from mfexplore.core.provenance import attributes, error_attributes, observed_attributes, provenance
from mfexplore.core.rounding import simulated_grid
from mfexplore.core.seeds import Seed, check_seed, read_seed, written_seed
from mfexplore.core.simulation import never
from mfexplore.core.solution import Array
from mfexplore.study.ensemble import MOST_SAMPLES, measure_sample
from mfexplore.study.executors import background_threads
from mfexplore.study.ownership import owned
from mfexplore.study.processes import Processes

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
    """What executed a sweep is gone (the scheduler of a cluster was killed, say), or its store takes no more (full)."""


def measure_batch(
    models: list[Model], seed: Seed, samples: list[int], cancelled: Callable[[], bool] = never
) -> dict[str, Array]:
    """One sample at each of the given models: observables as arrays over the batch. This is what runs on a worker."""
    found = [measure_sample(model, seed, sample, cancelled) for model, sample in zip(models, samples, strict=True)]
    return {name: np.array([one[name] for one in found]) for name in found[0]}


def sweep(
    system: Model | type[Model] | str,
    over: Mapping[str, Any],
    *,
    samples: int = 16,
    seed: Seed = 0,
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
        Dataset over the swept controls, with the values really simulated (`Model.realised`; where these depend on
        several axes, as `x_simulated` over them): `x` (mean over samples), `x_standard_error`, and `x_samples` over
        `sample`.

    Raises:
        ArgumentError, ControlError, UnknownNameError, SeedError: before anything runs.
        StoreInUseError: somebody else is writing to the store.
        SweepMismatchError: the store holds a different sweep, or something else.
        SweepStoppedError: the cluster is gone, or the disk full; what is done is in the store.
    """
    seed = check_seed(seed)
    samples = whole_number("sweep", "samples", samples, 1, MOST_SAMPLES)
    model = _as_model(system).replace(**controls)
    if not isinstance(over, Mapping):
        raise ArgumentError("sweep", "over", over, "values by the names of controls, {name: values}")
    axes = {name: model.control(name).check_array(values, model.title) for name, values in over.items()}
    simulated_grid(model, axes)  # refuses what rounding would make one simulation under two labels
    shape = tuple(len(values) for values in axes.values())
    units = int(np.prod(shape)) * samples
    with (
        executed_by(executor) as pool,
        nullcontext() if store is None else owned(_as_folder(store)),
        _reporter(progress, units) as report,
    ):
        ledger = _Ledger(model, axes, samples, seed)
        if store is not None:
            ledger.keep_in(_as_folder(store))
        ledger.cut(max(1, -(-units // (TASKS_PER_WORKER * pool.workers))))
        _run(ledger, pool, report, cancelled)
        return ledger.dataset()


def load(store: str | PathLike[str]) -> xr.Dataset:
    """The Dataset of a sweep, finished or not, from its store; what is not done yet is NaN."""
    group = _opened(_as_folder(store), "r")
    record = _recorded(group, store)
    if record is None:
        raise SweepMismatchError(f"{store} holds no sweep.")
    model = find_system(record["system"])(**record["controls"])
    axes = {name: model.control(name).check_array(values, model.title) for name, values in record["over"].items()}
    ledger = _Ledger(model, axes, record["samples"], read_seed(str(record["seed"])))
    ledger.read(group)
    return ledger.dataset().assign_attrs(system_version=record["system_version"])


def _as_folder(store: str | PathLike[str]) -> Path:
    if not isinstance(store, str | PathLike):
        raise ArgumentError("sweep", "store", store, "the path of a folder")
    if "://" in str(store):
        raise SweepMismatchError(f"{store} is an address, but a store must be a folder, so that it can have an owner.")
    return Path(store)


def _opened(store: Path, mode: Any) -> zarr.Group:
    with needs("dask"):
        import zarr

    try:
        return zarr.open_group(str(store), mode=mode)
    except (ValueError, KeyError) as error:  # what describes the group is no JSON, or of another format
        raise SweepMismatchError(f"{store} cannot be read ({error}). Delete it, or choose another store.") from error


def _recorded(group: zarr.Group, store: object) -> dict[str, Any] | None:
    """What was asked for when this store was made; None if it holds no sweep."""
    if "sweep" not in group.attrs:
        return None
    try:
        return dict(json.loads(str(group.attrs["sweep"])))
    except ValueError:
        raise SweepMismatchError(f"{store} does not say which sweep it holds. Choose another store.") from None


def _difference(theirs: Mapping[str, Any], ours: Mapping[str, Any]) -> str:
    """What a store says otherwise than was asked, in words."""
    found = []
    for name in {**ours, **theirs}:
        there, asked = theirs.get(name), ours.get(name)
        if isinstance(there, dict) and isinstance(asked, dict):
            found += [part for part in [_difference(there, asked)] if part]
        elif there != asked:
            found.append(f"{name}: {_shortened(there)} there, {_shortened(asked)} asked")
    return "; ".join(found)


def _shortened(value: Any) -> str:
    words = repr(value)
    return words if len(words) <= 60 else f"{words[:40]} ... {words[-15:]}"


class _Ledger:
    """What is done and what is not: values of every unit, in memory or in a Zarr group, in batches."""

    def __init__(
        self, model: Model, axes: Mapping[str, Array], samples: int, seed: int | np.random.SeedSequence
    ) -> None:
        self.model, self.axes, self.samples, self.seed = model, axes, samples, seed
        self.shape = tuple(len(values) for values in axes.values())
        self.units = int(np.prod(self.shape)) * samples
        self.batch = self.units
        self.group: zarr.Group | None = None
        self.values: dict[str, Any] = {}
        self.done = np.zeros(self.units, bool)

    def record(self) -> dict[str, Any]:
        fixed = {name: value for name, value in self.model.values().items() if name not in self.axes}
        return {
            "system": self.model.key,
            "system_version": self.model.version,
            "controls": fixed,
            "over": {name: values.tolist() for name, values in self.axes.items()},
            "samples": int(self.samples),
            "seed": written_seed(self.seed),
        }

    def keep_in(self, store: Path) -> None:
        """Keep values in a store, which is new or holds a part of this sweep. Raises SweepMismatchError."""
        if store.is_file() or (store.is_dir() and any(store.iterdir()) and not (store / "zarr.json").exists()):
            raise SweepMismatchError(f"{store} is no Zarr store. Choose another store.")
        group = _opened(store, "a")
        record = _recorded(group, store)
        if record is None:
            if {file.name for file in store.iterdir()} - {"done", "zarr.json"}:  # as if the first was killed at once
                raise SweepMismatchError(f"{store} holds something else than a sweep. Choose another store.")
        elif different := _difference(record, self.record()):
            raise SweepMismatchError(f"{store} holds another sweep ({different}). Choose another store.")
        self.group = group
        if record is not None:
            self.read(group)

    def read(self, group: zarr.Group) -> None:
        """What a store holds. Only what is marked as done and really there counts: see `write` for the marks."""
        kept: dict[str, Any] = dict(group.attrs)
        self.batch = int(kept.get("batch", self.units))
        names = kept.get("observables") or [name for name in group if name != "done"]
        there = {name: array for name in (*names, "done") if (array := self._array_in(group, name)) is not None}
        self.values = {name: array for name, array in there.items() if name != "done"}
        marks = self._whole(there["done"], 0) if "done" in there else np.zeros(self.units)
        known = sum((~np.isnan(self._whole(array, np.nan)) for array in self.values.values()), np.zeros(self.units))
        self.done = (marks > 0) & (known == marks - 1)

    def cut(self, batch: int) -> None:
        """Cut the work into batches. A store that has been begun keeps its own; a new one is told all about itself."""
        if self.group is None:
            self.batch = batch
            return
        if "sweep" not in self.group.attrs:
            self.batch = batch
            self._array("done", np.int8, 0)
            origin = provenance(self.model, seed=self.seed, samples=int(self.samples))
            self.group.attrs.update(origin | {"sweep": json.dumps(self.record()), "batch": batch})
        else:
            self._array("done", np.int8, 0)

    def _array_in(self, group: zarr.Group, name: str) -> Any:
        """An array of the store; None if there is none of this name that can be read and has the right shape."""
        try:
            found = group[name]
        except (KeyError, ValueError):
            return None
        return found if getattr(found, "shape", None) == (self.units,) else None

    def _array(self, name: str, dtype: Any, fill: float) -> Any:
        """The array that is there, or a new one: values that are there are never created over."""
        if self.group is None:
            return np.full(self.units, fill, dtype)
        found = self._array_in(self.group, name)
        if found is not None:
            return found
        return self.group.create_array(
            name, shape=(self.units,), chunks=(self.batch,), dtype=dtype, fill_value=fill, dimension_names=("unit",),
            overwrite=True,
        )  # fmt: skip

    def _whole(self, array: Any, lost: float) -> Array:
        """All values of an array; where a chunk of it is damaged, `lost`."""
        try:
            return np.asarray(array[:])
        except Exception:  # a broken file makes each codec raise an error of its own
            found = np.full(self.units, lost)
            for piece in self.pieces():
                with suppress(Exception):
                    found[piece] = array[piece]
            return found

    def pieces(self) -> Iterator[slice]:
        """All batches."""
        for start in range(0, self.units, self.batch):
            yield slice(start, min(start + self.batch, self.units))

    def missing(self) -> Iterator[slice]:
        """The batches that are not done."""
        for piece in self.pieces():
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
        """Values first, marks last. A mark is one more than the number of observables that have a value there and not
        NaN, so that a NaN that was found is told from one that stands for a lost value.
        """
        if not self.values.keys() >= found.keys():
            if self.group is not None:
                self.group.attrs["observables"] = sorted({*self.values, *found})
            self.values |= {name: self._array(name, np.float64, np.nan) for name in found if name not in self.values}
        for name, values in found.items():
            self.values[name][piece] = values
        if self.group is not None:
            known = sum(~np.isnan(np.asarray(values, np.float64)) for values in found.values())
            self.group["done"][piece] = 1 + known  # type: ignore[index]
        self.done[piece] = True

    def stopped(self, reason: str) -> SweepStoppedError:
        """The error that says why there is no more, how much there is, and what to do."""
        kept = f"{int(self.done.sum())} of {self.units} samples are done"
        what_now = ", and the same command goes on from there" if self.group is not None else ""
        return SweepStoppedError(f"{reason}: {kept}{what_now}.")

    @with_infinities
    def dataset(self) -> xr.Dataset:
        import warnings

        import xarray as xr

        grid = simulated_grid(self.model, self.axes)
        dataset = xr.Dataset(
            attrs=provenance(grid.model, seed=self.seed, samples=self.samples, done=float(self.done.mean()))
        )
        for name, along in grid.axes.items():
            dataset.coords[name] = (name, along, attributes(self.model.control(name)))
        for name, simulated in grid.varying.items():
            meaning = attributes(self.model.control(name))
            meaning["long_name"] += " really simulated"
            dataset.coords[f"{name}_simulated"] = (tuple(self.axes), simulated, meaning)
        for name, values in self.values.items():
            if name in self.axes:  # a run may report a control (a driven field), which must not replace the axis
                continue
            known = np.where(self.done, self._whole(values, np.nan), np.nan)
            table = known.reshape(*self.shape, self.samples)
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

    def submit(self, models: list[Model], seed: Seed, samples: list[int]) -> Future[dict[str, Array]]:
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
            if isinstance(self.executor, Processes):
                self.executor.let_go()


@contextmanager
def executed_by(kind: Any) -> Iterator[_Pool]:
    """What `sweep` accepts as an executor, as a pool; ended with the context if it was started here."""
    cores = cpu_count() or 1
    if kind == "threads":
        pool = _Pool(background_threads, lambda: cores, stop=Event())
    elif kind == "processes":
        pool = _Pool(lambda: Processes(cores), lambda: cores, rebuild=True, owned=True)
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
            raise ledger.stopped("The cluster that executed this sweep is gone") from None
        finally:
            for future in running:
                future.cancel()


def _collect(ledger: _Ledger, running: dict[Future[dict[str, Array]], slice], report: Progress) -> None:
    finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
    for future in finished:
        piece, found = running.pop(future), future.result()
        try:
            ledger.write(piece, found)
        except OSError as error:  # the disk is full, say
            raise ledger.stopped(f"The store of this sweep cannot be written to ({error})") from error
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
    if isinstance(system, Model):
        return system
    made: Model = system() if isinstance(system, type) and issubclass(system, Model) else find_system(system)()  # type: ignore[arg-type]
    return made
