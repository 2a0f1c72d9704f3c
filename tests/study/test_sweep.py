"""Sweeps: bit-identical on every executor, and nothing is lost when something is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import xarray as xr

from mfexplore.core import ControlError, UnknownNameError, system
from mfexplore.study.sweep import SweepMismatchError, load, sweep

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
    code = (
        "import numpy as np, mfexplore as mf\n"
        f"mf.sweep('curie_weiss', {{'temperature': np.linspace(0.6, 1.4, 40)}}, samples=4, seed=3, size=20_000, "
        f"store={str(store)!r}, progress=False)"
    )
    process = subprocess.Popen([sys.executable, "-c", code])
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if (store / "done" / "c").exists() and len(list((store / "done" / "c").iterdir())) >= 5:
            break
        time.sleep(0.02)
    process.kill()
    process.wait()
    part = load(store)
    assert 0 < part.attrs["done"] < 1
    resumed: list[int] = []
    whole = sweep(
        "curie_weiss", over, samples=4, seed=3, size=20_000, store=store, progress=lambda n, units: resumed.append(n)
    )
    assert resumed[0] == round(part.attrs["done"] * 160)
    kept = np.isfinite(part["magnetization_samples"])
    xr.testing.assert_equal(part["magnetization_samples"].where(kept), whole["magnetization_samples"].where(kept))


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
