"""Sweeps: bit-identical on every executor, and nothing is lost when something is killed."""

from __future__ import annotations

import errno
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

from mfexplore.core import ControlError, Model, UnknownNameError, system
from mfexplore.core.seeds import read_seed
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.study.ensemble import ensemble
from mfexplore.study.executors import background_threads
from mfexplore.study.ownership import StoreInUseError
from mfexplore.study.sweep import SweepMismatchError, SweepStoppedError, executed_by, load, sweep

MODEL = system("curie_weiss")(size=100)
OVER = {"temperature": np.linspace(0.6, 1.4, 5), "start": ["up", "down"]}


@pytest.fixture(scope="module")
def serial() -> xr.Dataset:
    return sweep(MODEL, OVER, samples=4, seed=3, progress=False)


@pytest.fixture(scope="module")
def cluster() -> Iterator[object]:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as local,
        distributed.Client(local) as client,
    ):
        yield client


def test_a_point_of_a_sweep_is_the_ensemble_there(serial: xr.Dataset) -> None:
    point = serial.sel(temperature=1.4, start="down")
    alone = MODEL.replace(temperature=1.4, start="down").ensemble(samples=4, seed=3)
    for name in ("magnetization", "magnetization_standard_error", "energy"):
        assert float(point[name]) == float(alone[name])
    assert serial["magnetization_samples"].dims == ("temperature", "start", "sample")


def test_processes_give_the_same_bits(serial: xr.Dataset) -> None:
    again = sweep("curie_weiss", OVER, samples=4, seed=3, size=100, executor="processes", progress=False)
    xr.testing.assert_identical(again, serial)


def test_dask_gives_the_same_bits(serial: xr.Dataset, cluster: object, tmp_path: Path) -> None:
    again = sweep(MODEL, OVER, samples=4, seed=3, executor=cluster, store=tmp_path / "s.zarr", progress=False)
    xr.testing.assert_identical(again, serial)
    xr.testing.assert_identical(load(tmp_path / "s.zarr"), serial)


def test_a_killed_dask_worker_loses_nothing(serial: xr.Dataset, cluster: object, tmp_path: Path) -> None:
    killed: list[int] = []

    def kill_one(done: int, units: int) -> None:
        if done > units // 4 and not killed:
            pid = next(iter(cluster.run(os.getpid).values()))
            os.kill(pid, signal.SIGKILL)
            killed.append(pid)

    model = MODEL.replace(size=1000)
    expected = sweep(model, OVER, samples=4, seed=3, progress=False)
    again = sweep(model, OVER, samples=4, seed=3, executor=cluster, store=tmp_path / "s.zarr", progress=kill_one)
    assert killed
    xr.testing.assert_identical(again, expected)


def test_a_cancelled_sweep_resumes_where_it_stopped(serial: xr.Dataset, tmp_path: Path) -> None:
    store = tmp_path / "s.zarr"
    seen: list[int] = []
    part = sweep(
        MODEL, OVER, samples=4, seed=3, store=store,
        progress=lambda done, units: seen.append(done), cancelled=lambda: bool(seen) and seen[-1] >= 10,
    )  # fmt: skip
    done = int(np.isfinite(part["magnetization_samples"]).sum())
    assert 10 <= done < 40
    assert part.attrs["done"] == done / 40
    resumed: list[int] = []
    whole = sweep(MODEL, OVER, samples=4, seed=3, store=store, progress=lambda n, units: resumed.append(n))
    assert resumed[0] == done, "what was done is not done again"
    xr.testing.assert_identical(whole, serial)


def test_a_killed_client_loses_nothing(tmp_path: Path) -> None:
    store = tmp_path / "s.zarr"
    over = {"temperature": np.linspace(0.6, 1.4, 40)}
    code = f"""
import os, signal, threading
import numpy as np, mfexplore as mf

def killed(done, units):
    if done >= 20:  # from a thread of its own: whatever the client is at
        threading.Thread(target=os.kill, args=(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))).start()

mf.sweep("curie_weiss", {{"temperature": np.linspace(0.6, 1.4, 40)}}, samples=4, seed=3, size=2000,
         store={str(store)!r}, progress=killed)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=240).returncode != 0
    part = load(store)
    assert 0 < part.attrs["done"] < 1
    resumed: list[int] = []
    whole = sweep(
        "curie_weiss", over, samples=4, seed=3, size=2000, store=store, progress=lambda n, units: resumed.append(n)
    )
    assert resumed[0] == round(part.attrs["done"] * 160)
    kept = np.isfinite(part["magnetization_samples"])
    xr.testing.assert_equal(part["magnetization_samples"].where(kept), whole["magnetization_samples"].where(kept))


def test_a_killed_scheduler_loses_nothing(tmp_path: Path) -> None:
    distributed = pytest.importorskip("distributed")
    address, store = tmp_path / "scheduler.json", tmp_path / "s.zarr"
    options = ["--scheduler-file", str(address), "--no-dashboard"]
    started = []

    def start(part: str, *more: str) -> None:
        command = [sys.executable, "-m", f"distributed.cli.dask_{part}", *options, *more]
        started.append(subprocess.Popen(command, stderr=subprocess.DEVNULL))

    seen: list[int] = []

    def kill_it(done: int, units: int) -> None:
        seen.append(done)
        if done > units // 4:
            started[0].kill()

    try:
        start("scheduler", "--port", "0", "--host", "127.0.0.1")
        start("worker", "--nthreads", "1", "--no-nanny")
        model = MODEL.replace(size=5000)
        with distributed.Client(scheduler_file=str(address)) as client:
            client.wait_for_workers(1, timeout=60)
            with pytest.raises(SweepStoppedError, match="of 40 samples are done, and the same command goes on"):
                sweep(model, OVER, samples=4, seed=3, executor=client, store=store, progress=kill_it)
    finally:
        for process in started:
            process.kill()
            process.wait(timeout=60)
    resumed: list[int] = []
    again = sweep(model, OVER, samples=4, seed=3, store=store, progress=lambda n, units: resumed.append(n))
    assert resumed[0] == seen[-1]
    xr.testing.assert_identical(again, sweep(model, OVER, samples=4, seed=3, progress=False))


def test_a_cluster_whose_jobs_still_wait_gets_as_many_tasks_as_it_has_been_asked_for() -> None:
    distributed = pytest.importorskip("distributed")
    with (
        distributed.LocalCluster(n_workers=0, threads_per_worker=1, processes=False, dashboard_address=None) as local,
        distributed.Client(local) as client,
        executed_by(client) as pool,
    ):
        assert pool.workers == 1
        local.scale(2)
        time.sleep(2.1)  # until they are counted again
        assert pool.workers == 2
        found = sweep(MODEL, {"temperature": [0.6]}, samples=2, executor=client, progress=False)
    assert found.attrs["done"] == 1


def by_sweep(model: Model, progress: Callable[..., None]) -> None:
    sweep(model, {"temperature": [1.0]}, samples=16, progress=progress)


def by_ensemble(model: Model, progress: Callable[..., None]) -> None:
    ensemble(model, samples=16, progress=progress)


@pytest.mark.parametrize("call", [by_sweep, by_ensemble])
def test_ended_early_it_leaves_no_work_behind(call: Callable[..., None]) -> None:
    """Whoever presses Ctrl-C gets the prompt back: what threads are at is given up, not finished."""
    call(MODEL, lambda *_: None)  # loads kernels
    began, ended = time.process_time(), []

    def interrupt(done: float, *_: object) -> None:
        if done:
            ended.append(time.process_time())
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        call(MODEL.replace(size=100_000), interrupt)
    background_threads().submit(int).result(timeout=120)  # comes after all that was handed out
    assert time.process_time() - ended[0] < 0.3 * (ended[0] - began)


def test_what_is_no_sweep_is_left_alone(tmp_path: Path) -> None:
    import zarr

    (tmp_path / "file").write_text("precious")
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "file").write_text("precious")
    zarr.open_group(str(tmp_path / "other.zarr"), mode="w").create_array("precious", shape=(3,), dtype=float)
    for name in ("file", "folder", "other.zarr"):
        with pytest.raises(SweepMismatchError, match=name):
            sweep(MODEL, {"temperature": [0.6]}, samples=2, store=tmp_path / name, progress=False)
    assert (tmp_path / "folder" / "file").read_text() == "precious"
    with pytest.raises(SweepMismatchError, match="holds no sweep"):
        load(tmp_path / "other.zarr")


def test_a_client_killed_before_its_first_batch_can_be_repeated(tmp_path: Path) -> None:
    import zarr

    store = tmp_path / "s.zarr"
    zarr.open_group(str(store), mode="w").create_array("done", shape=(2,), dtype="int8")
    assert sweep(MODEL, {"temperature": [0.6]}, samples=2, store=store, progress=False).attrs["done"] == 1


def test_variables_say_what_they_are(serial: xr.Dataset) -> None:
    assert serial["temperature"].attrs["units"] == "J/k_B"
    assert serial["magnetization"].attrs["symbol"] == "m"
    assert serial["magnetization_standard_error"].attrs["long_name"] == "standard error of magnetization"


def test_what_a_run_reports_of_a_control_does_not_replace_the_axis() -> None:
    driven = system("curie_weiss")(size=100, drive_amplitude=0.3, drive_period=100.0)
    found = sweep(driven, {"field": [-0.1, 0.2]}, samples=2, seed=1, progress=False)
    assert found["field"].values.tolist() == [-0.1, 0.2]


def test_a_store_of_another_sweep_is_refused(tmp_path: Path) -> None:
    store = tmp_path / "s.zarr"
    sweep(MODEL, {"temperature": [0.6]}, samples=2, store=store, progress=False)
    with pytest.raises(SweepMismatchError, match="seed"):
        sweep(MODEL, {"temperature": [0.6]}, samples=2, seed=1, store=store, progress=False)


def test_nonsense_is_refused_before_anything_runs() -> None:
    with pytest.raises(ControlError, match="temperature"):
        sweep(MODEL, {"temperature": [-1.0]}, progress=False)
    with pytest.raises(UnknownNameError, match="warp"):
        sweep(MODEL, {"warp": [1]}, progress=False)
    with pytest.raises(UnknownNameError, match="executor"):
        sweep(MODEL, {"temperature": [1.0]}, executor="magic", progress=False)


def small(store: Path, executor: object = "threads", **options: object) -> xr.Dataset:
    return sweep(
        MODEL, {"temperature": [0.6, 1.0, 1.4]}, samples=4, seed=3, store=store, executor=executor,
        **{"progress": False, **options},
    )  # type: ignore[arg-type]  # fmt: skip


@pytest.fixture(scope="module")
def small_one() -> xr.Dataset:
    return sweep(MODEL, {"temperature": [0.6, 1.0, 1.4]}, samples=4, seed=3, progress=False)


@pytest.mark.parametrize("executor", ["threads", "processes", "plain", "dask"])
def test_a_store_has_one_owner_at_a_time(
    executor: str, small_one: xr.Dataset, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    """A second client comes while the first writes: it is told who does, and nothing of the first is lost."""
    store = tmp_path / "s.zarr"
    refused: list[str] = []

    def come_second(done: int, units: int) -> None:
        if done and not refused:
            with pytest.raises(StoreInUseError) as error:
                small(store)
            refused.append(str(error.value))

    with ThreadPoolExecutor(2) as plain:
        workers = request.getfixturevalue("cluster") if executor == "dask" else {"plain": plain}.get(executor, executor)
        xr.testing.assert_identical(small(store, workers, progress=come_second), small_one)
    assert f"process {os.getpid()} on " in refused[0]
    assert "for 0:00:" in refused[0]
    xr.testing.assert_identical(load(store), small_one)
    assert [file.name for file in tmp_path.iterdir()] == ["s.zarr"], "the lock goes with its owner"


def test_the_store_of_a_dead_owner_is_free(small_one: xr.Dataset, tmp_path: Path) -> None:
    """Refused while the other process lives, and free once it was killed, though its lock is still lying there."""
    store = tmp_path / "s.zarr"
    code = (
        "import pathlib, time\nfrom mfexplore.study.ownership import owned\n"
        f"with owned(pathlib.Path({str(store)!r})):\n    print('mine', flush=True)\n    time.sleep(600)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        process.stdout.readline()
        try:
            with pytest.raises(StoreInUseError, match=f"process {process.pid} on "):
                small(store)
        finally:
            process.kill()
    assert (tmp_path / "s.zarr.lock").exists()
    xr.testing.assert_identical(small(store), small_one)
    assert not (tmp_path / "s.zarr.lock").exists()


def test_marked_as_done_but_not_there_is_computed_again(small_one: xr.Dataset, tmp_path: Path) -> None:
    """What two clients on one store once left behind: every flag set, values lost. Chunks, arrays and files may go."""
    store = tmp_path / "s.zarr"
    small(store)
    chunks = sorted((store / "energy" / "c").iterdir())
    chunks[0].unlink()
    chunks[1].write_bytes(b"")
    assert load(store).attrs["done"] == 10 / 12
    assert int(np.isnan(load(store)["energy_samples"]).sum()) == 2
    computed: list[int] = []
    xr.testing.assert_identical(small(store, progress=lambda done, units: computed.append(done)), small_one)
    assert computed[0] == 10
    for broken in (store / "magnetization", store / "done"):
        (broken / "zarr.json").write_text("{")
        xr.testing.assert_identical(small(store), small_one)
        shutil.rmtree(broken)
        xr.testing.assert_identical(small(store), small_one)
    (store / "zarr.json").write_text("{")
    with pytest.raises(SweepMismatchError, match="cannot be read"):
        small(store)


class Silent(CurieWeiss):
    """A system whose energy cannot be measured, and has not even a name where it started down."""


class SilentSimulation(CurieWeiss.simulation):  # type: ignore[misc, name-defined]
    def observe(self) -> dict[str, float]:
        seen = {**super().observe(), "energy": np.nan}
        return {name: value for name, value in seen.items() if self.model.start == "up" or name != "energy"}


Silent.simulation = SilentSimulation


def test_what_is_honestly_nan_is_not_computed_again(tmp_path: Path) -> None:
    done: list[int] = []
    for _ in range(2):
        found = sweep(
            Silent(size=100), {"start": ["down", "up"]}, samples=2, store=tmp_path / "s.zarr",
            progress=lambda n, units: done.append(n),
        )  # fmt: skip
        assert np.isnan(found["energy_samples"]).all()
        assert found.attrs["done"] == 1
    assert done[-1] == 4
    assert done.count(0) == 1, "the second time there is nothing to do"


def test_a_full_disk_loses_nothing(small_one: xr.Dataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from zarr.storage import LocalStore

    room, put = [24], LocalStore.set

    async def set_while_there_is_room(self: LocalStore, *args: object, **options: object) -> None:
        room[0] -= 1
        if room[0] < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        await put(self, *args, **options)  # type: ignore[arg-type]

    store = tmp_path / "s.zarr"
    with monkeypatch.context() as full:
        full.setattr(LocalStore, "set", set_while_there_is_room)
        with pytest.raises(SweepStoppedError, match=r"No space left.*of 12 samples are done, and the same command"):
            small(store)
    part = load(store)
    assert 0 < part.attrs["done"] < 1
    kept = np.isfinite(part["magnetization_samples"])
    xr.testing.assert_equal(part["magnetization_samples"].where(kept), small_one["magnetization_samples"].where(kept))
    xr.testing.assert_identical(small(store), small_one)


def test_a_store_says_in_what_it_differs(tmp_path: Path) -> None:
    import zarr

    store = tmp_path / "s.zarr"
    small(store)
    with pytest.raises(SweepMismatchError, match=r"holds another sweep \(field: 0.0 there, 0.1 asked\)"):
        small(store, field=0.1)
    group = zarr.open_group(str(store), mode="a")
    group.attrs["sweep"] = str(group.attrs["sweep"]).replace('"system_version": 1', '"system_version": 0')
    with pytest.raises(SweepMismatchError, match="system_version: 0 there"):
        small(store)
    assert load(store).attrs["system_version"] == 0


@pytest.mark.parametrize("seed", [np.int64(5), 2**70, np.random.SeedSequence(5, spawn_key=(1, 2))])
def test_any_seed_can_be_resumed_and_read_back(seed: Any, tmp_path: Path) -> None:
    for _ in range(2):
        found = sweep(MODEL, {"temperature": [0.6]}, samples=2, seed=seed, store=tmp_path / "s.zarr", progress=False)
    xr.testing.assert_identical(load(tmp_path / "s.zarr"), found)
    again = MODEL.ensemble(samples=2, seed=read_seed(str(found.attrs["seed"])), temperature=0.6)
    assert found["energy"].item() == again["energy"].item()
