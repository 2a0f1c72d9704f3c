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
