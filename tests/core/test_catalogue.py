"""A mistake in the files of the atlas is told, with the files."""

from __future__ import annotations

import sys
import types
from pathlib import Path

import pytest

from mfexplore.core import Model, catalogue
from mfexplore.core.errors import CatalogueError


def test_a_name_that_stands_in_two_wings_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for wing, key in (("glasses", "twin"), ("memory", "twin"), ("memory", "other")):
        (tmp_path / wing).mkdir(exist_ok=True)
        (tmp_path / wing / f"{key}.py").touch()
    monkeypatch.setattr(catalogue, "_MODELS", tmp_path)
    with pytest.raises(CatalogueError, match=r"glasses/twin\.py and memory/twin\.py"):
        catalogue.places.__wrapped__()


def test_a_folder_is_a_system_and_the_files_in_it_are_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "glasses" / "long").mkdir(parents=True)
    for name in ("__init__.py", "short.py", "long/__init__.py", "long/theory.py"):
        (tmp_path / "glasses" / name).touch()
    monkeypatch.setattr(catalogue, "_MODELS", tmp_path)
    assert catalogue.places.__wrapped__() == {"long": "glasses", "short": "glasses"}
    (tmp_path / "glasses" / "short").mkdir()
    (tmp_path / "glasses" / "short" / "__init__.py").touch()
    with pytest.raises(CatalogueError, match=r"glasses/short and glasses/short\.py"):
        catalogue.places.__wrapped__()


@pytest.mark.parametrize(("names", "told"), [((), "declares none"), (("One", "Two"), "declares One, Two")])
def test_a_file_declares_one_system(names: tuple[str, ...], told: str, monkeypatch: pytest.MonkeyPatch) -> None:
    module = types.ModuleType("mfexplore.models.glasses.strange")
    module.Model = Model  # type: ignore[attr-defined]  # what a file imports does not count
    for name in names:
        setattr(module, name, type(name, (Model,), {"__module__": module.__name__}))
    monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.setattr(catalogue, "places", lambda: {"strange": "glasses"})
    with pytest.raises(CatalogueError, match=rf"glasses/strange\.py .*{told}"):
        catalogue.system.__wrapped__("strange")
