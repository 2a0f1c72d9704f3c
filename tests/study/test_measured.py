"""A sweep is found wherever it is kept, and its points lie in the plane of a model where all else agrees."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import xarray as xr

import mfexplore as mf
from mfexplore.study import export
from mfexplore.study.measured import Dots, UnfitSweepError, dots, read

CurieWeiss = mf.system("curie_weiss")
OVER = {"temperature": [0.5, 1.0, 1.5], "field": [-0.2, 0.2]}


@pytest.fixture(scope="module")
def sweep() -> xr.Dataset:
    return mf.sweep("curie_weiss", OVER, samples=2, seed=3, progress=False, size=50)


def test_every_point_of_a_sweep_becomes_a_dot(sweep: xr.Dataset) -> None:
    found = dots(sweep, CurieWeiss(), "field", "temperature")
    assert set(zip(found.x, found.y, strict=True)) == {(x, y) for y in OVER["temperature"] for x in OVER["field"]}
    for x, y, value in zip(*found.shown("magnetization"), strict=True):
        assert value == float(sweep["magnetization"].sel(field=x, temperature=y))
    turned = dots(sweep, CurieWeiss(), "temperature", "field")
    np.testing.assert_array_equal(np.sort(turned.y), np.sort(found.x))


def test_it_is_the_same_from_memory_a_store_and_files(sweep: xr.Dataset, tmp_path: Path) -> None:
    store = tmp_path / "store.zarr"
    mf.sweep("curie_weiss", OVER, samples=2, seed=3, progress=False, size=50, store=store)
    places = [sweep, store, export.save(sweep, tmp_path / "sweep.nc"), export.save(sweep, tmp_path / "sweep.csv")]
    every = [dots(read(place, CurieWeiss), CurieWeiss(), "field", "temperature") for place in places]
    order = [np.lexsort((one.x, one.y)) for one in every]
    for one, by in zip(every[1:], order[1:], strict=True):
        assert set(one.values) == set(every[0].values)
        np.testing.assert_array_equal(one.x[by], every[0].x[order[0]])
        for name, values in every[0].values.items():
            np.testing.assert_allclose(one.values[name][by], values[order[0]], rtol=1e-12)


def test_only_what_was_measured_in_this_plane_lies_in_it(sweep: xr.Dataset) -> None:
    assert not dots(sweep, CurieWeiss(coupling=0.5), "field", "temperature").x.size
    assert dots(sweep, CurieWeiss(size=10_000), "field", "temperature").x.size == 6, "theory knows no size"
    along = dots(sweep, CurieWeiss(field=0.2), "coupling", "temperature")
    np.testing.assert_array_equal(along.x, 1.0)
    np.testing.assert_array_equal(np.sort(along.y), OVER["temperature"])


def test_what_is_not_done_yet_is_no_dot(sweep: xr.Dataset) -> None:
    half = sweep.copy(deep=True)
    half["magnetization"][:, 0] = np.nan
    x, _, _ = dots(half, CurieWeiss(), "field", "temperature").shown("magnetization")
    np.testing.assert_array_equal(x, 0.2)


def test_an_ensemble_is_one_dot(tmp_path: Path) -> None:
    model = CurieWeiss(temperature=0.5, size=50)
    found = dots(read(model.ensemble(samples=2), CurieWeiss), model, "field", "temperature")
    assert (found.x.tolist(), found.y.tolist()) == ([0.0], [0.5])


def test_what_is_no_sweep_of_this_system_is_refused_with_a_sentence(sweep: xr.Dataset, tmp_path: Path) -> None:
    with pytest.raises(UnfitSweepError, match="a sweep of curie_weiss, not of hopfield"):
        read(sweep, mf.system("hopfield"))
    with pytest.raises(UnfitSweepError, match="no sweep: it has no samples"):
        read(CurieWeiss().theory(temperature=[0.5, 1.0]), CurieWeiss)
    with pytest.raises(mf.MfexploreError, match="file ending"):
        read(tmp_path / "sweep.xlsx", CurieWeiss)
    with pytest.raises(FileNotFoundError):
        read(tmp_path / "nothing.nc", CurieWeiss)


def test_dots_add_up() -> None:
    both = Dots.of([(0, 1, {"a": 2.0})]) + Dots.of([(1, 1, {"a": 3.0, "b": 4.0})])
    assert both.shown("a")[2].tolist() == [2.0, 3.0]
    assert both.shown("b")[0].tolist() == [1.0]
    assert both.shown("c")[0].size == 0
