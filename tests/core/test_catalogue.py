"""A mistake in the files of the atlas is told, with the files."""

from __future__ import annotations

import math
import os
import shutil
import subprocess
import sys
import types
from pathlib import Path

import pytest

from mfexplore.core import Model, catalogue
from mfexplore.core.errors import CatalogueError
from mfexplore.core.folders import PACKAGE


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
        catalogue.system("strange")


def test_every_wing_introduces_itself() -> None:
    for key, wing in catalogue.wings().items():
        assert wing.title
        assert wing.sentence.endswith("."), f"models/{key}/__init__.py: a title, a sentence, Order: 10"
        assert math.isfinite(wing.order)
    orders = [wing.order for wing in catalogue.wings().values()]
    assert orders == sorted(orders)


def test_the_index_says_what_the_systems_say() -> None:
    for found in catalogue.entries():
        kind = catalogue.system(found.key)
        assert found == catalogue._entry_of(kind)


LIST = """
import sys
from mfexplore.core.catalogue import entries
titles = {entry.key: entry.title for entry in entries()}
print(titles["curie_weiss"], len([name for name in sys.modules if name.startswith("mfexplore.models.")]), sep="|")
"""


def test_a_list_imports_no_system_and_a_changed_one_is_read_again(tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "mfexplore", ignore=shutil.ignore_patterns("__pycache__"))
    for wing in (tmp_path / "mfexplore" / "models").iterdir():
        if wing.is_dir() and wing.name not in ("lattices", "fronts"):  # a few systems do
            shutil.rmtree(wing)
    environment = os.environ | {"PYTHONPATH": str(tmp_path), "NUMBA_CACHE_DIR": str(tmp_path / "kept")}

    def listed() -> list[str]:
        command = [sys.executable, "-c", LIST]
        done = subprocess.run(
            command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=240
        )
        return done.stdout.strip().split("|")

    first = listed()
    assert int(first[1]) > 0
    assert listed() == [first[0], "0"]
    (file,) = (tmp_path / "mfexplore" / "models").glob("*/curie_weiss.py")
    file.write_text(file.read_text().replace(f'title = "{first[0]}"', 'title = "Another name"'))
    title, imported = listed()
    assert title == "Another name"
    assert int(imported) == 2, "the wing and the one that changed"
    (tmp_path / "kept" / "mfexplore" / "catalogue.json").write_text('{"broken": ')
    assert listed()[0] == "Another name"
