"""Files give back what was written, and say where it came from."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from mfexplore.core.errors import UnknownNameError
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.study.export import csv, netcdf, save, table
from mfexplore.study.sweep import sweep

MODEL = CurieWeiss(temperature=0.6, field=0.05, size=100)
RESULTS: dict[str, Callable[[], xr.Dataset]] = {
    "point": MODEL.theory,
    "axis": lambda: MODEL.theory(temperature=[0.2, 0.5]),
    "diagram": lambda: MODEL.diagram(resolution=9),
    "boundaries": MODEL.boundaries,
    "trace": lambda: _trace(),
    "ensemble": lambda: MODEL.ensemble(samples=2),
}


def _trace() -> xr.Dataset:
    run = MODEL.simulate(seed=3)
    run.advance(10)
    return run.trace()


@pytest.fixture(params=RESULTS.values(), ids=RESULTS)
def dataset(request: Any) -> xr.Dataset:
    return request.param()


def test_netcdf_gives_everything_back(dataset: xr.Dataset, tmp_path: Path) -> None:
    with xr.open_dataset(save(dataset, tmp_path / "result.nc")) as back:
        xr.testing.assert_equal(back, dataset)
        for name, value in dataset.attrs.items():
            np.testing.assert_array_equal(back.attrs[name], value)
        for name, variable in dataset.variables.items():
            assert (
                back[name].attrs["long_name"] == variable.attrs["long_name"] if "long_name" in variable.attrs else True
            )
    with xr.open_dataset(io.BytesIO(netcdf(dataset)), engine="h5netcdf") as back:
        xr.testing.assert_equal(back, dataset)


def test_csv_holds_every_number_and_its_provenance(dataset: xr.Dataset, tmp_path: Path) -> None:
    text = save(dataset, tmp_path / "result.csv").read_text()
    head = dict(line[2:].split(": ", 1) for line in text.splitlines() if line.startswith("# "))
    assert head["system"] == "curie_weiss"
    assert json.loads(head["controls"])["temperature"] == 0.6
    columns = pd.read_csv(io.StringIO(text), comment="#", float_precision="round_trip")
    for name in dataset.data_vars:
        assert any(key.startswith(f"column {name}") for key in head)
        if "quartile" in dataset[name].dims:  # columns of their own
            found = columns[[f"{name}_{k}" for k in (1, 2, 3)]].iloc[0]
            np.testing.assert_allclose(found, dataset[name], rtol=1e-15)
            continue
        rows = dataset.drop_dims("quartile", errors="ignore")
        expected = rows[name].broadcast_like(rows).transpose(*rows.dims).values.ravel()
        if expected.dtype.kind == "f":
            np.testing.assert_allclose(columns[name], expected, rtol=1e-15)
        else:
            np.testing.assert_array_equal(columns[name], expected)


def test_codes_are_explained() -> None:
    assert "0 = bistable" in next(line for line in csv(MODEL.theory()).splitlines() if "column phase" in line)


def test_functions_do_not_multiply_the_rows() -> None:
    attributes = {"controls": json.dumps({"temperature": 1.0})}
    scalars = {"energy": ("temperature", np.arange(3.0)), "density": (("temperature", "lag"), np.ones((3, 50)))}
    mixed = xr.Dataset(scalars, {"temperature": [0.1, 0.2, 0.3], "lag": np.arange(50)}, attrs=attributes)
    assert list(table(mixed)) == ["temperature", "energy"]
    assert len(table(mixed)) == 3
    assert len(table(mixed[["density"]])) == 150


def test_samples_of_a_sweep_are_columns_and_what_is_left_out_is_said(tmp_path: Path) -> None:
    swept = sweep(MODEL, {"temperature": [0.6, 1.0]}, samples=3, progress=False)
    text = save(swept, tmp_path / "swept.csv").read_text()
    columns = pd.read_csv(io.StringIO(text), comment="#")
    for k in range(3):
        np.testing.assert_allclose(columns[f"energy_samples_{k + 1}"], swept["energy_samples"][:, k], rtol=1e-12)
    assert "# column energy_samples_1 [J]: energy per spin" in text
    swept["density"] = (("temperature", "lag"), np.ones((2, 5)))
    swept = swept.assign_coords(lag=np.arange(5))
    with pytest.warns(UserWarning, match=r"swept.csv leaves out density \(a function of lag\); a .nc file holds it"):
        save(swept, tmp_path / "swept.csv")
    assert "# left out: density, a function of lag" in (tmp_path / "swept.csv").read_text()


def test_what_netcdf_has_no_type_for_is_written_as_text(tmp_path: Path) -> None:
    found = MODEL.ensemble(samples=2).assign_attrs(
        large=2**64, nothing=None, flag=True, words=["a", "b"], record={"a": 1}, ragged=[[1], [1, 2]], exact=2**63 - 1
    )
    with xr.open_dataset(save(found, tmp_path / "found.nc")) as back:
        assert back.attrs["large"] == str(2**64)
        assert back.attrs["exact"] == 2**63 - 1
        assert (back.attrs["nothing"], back.attrs["flag"], back.attrs["record"]) == ("null", "true", '{"a": 1}')
        assert back.attrs["words"] == ["a", "b"]
    assert found.attrs["large"] == 2**64, "the dataset itself is left as it was"


def test_a_failure_keeps_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    old = {place: save(MODEL.theory(), place).read_bytes() for place in (tmp_path / "a.nc", tmp_path / "a.csv")}
    monkeypatch.setattr(xr.Dataset, "to_netcdf", fail)
    monkeypatch.setattr(Path, "write_text", fail)
    for place, content in old.items():
        with pytest.raises(OSError, match="No space"):
            save(MODEL.theory(), place)
        assert place.read_bytes() == content
    assert {*tmp_path.iterdir()} == {*old}


def test_another_ending_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnknownNameError, match=r"\.nc, \.csv"):
        save(MODEL.theory(), tmp_path / "result.xls")
    assert not list(tmp_path.iterdir())
