"""A diagram that took long is read the next time, as long as nothing it is made of has changed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import xarray as xr

from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.study import diagrams_kept
from mfexplore.study.diagrams_kept import kept_diagram


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(diagrams_kept, "cache_folder", lambda: tmp_path)
    monkeypatch.setattr(diagrams_kept, "kept_folders", lambda: (tmp_path,))
    monkeypatch.setattr(diagrams_kept, "LONG", 0.0)
    return tmp_path / diagrams_kept.FOLDER


class Levels:
    def __init__(self, resolution: int = 9) -> None:
        self.calls, self.resolution = 0, resolution

    def __call__(self) -> Iterator[xr.Dataset]:
        self.calls += 1
        yield CurieWeiss().diagram(resolution=5)
        yield CurieWeiss().diagram(resolution=self.resolution)


def test_the_second_time_it_is_read(folder: Path) -> None:
    levels = Levels()
    first, again = (list(kept_diagram(CurieWeiss, "asked", levels)) for _ in range(2))
    assert levels.calls == 1
    assert len(again) == 1
    xr.testing.assert_identical(first[-1], again[-1])


def test_another_question_is_another_diagram(folder: Path) -> None:
    levels = Levels()
    for record in ("this", "that"):
        list(kept_diagram(CurieWeiss, record, levels))
    assert levels.calls == 2


def test_what_was_quick_is_not_kept(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagrams_kept, "LONG", 1e9)
    list(kept_diagram(CurieWeiss, "asked", Levels()))
    assert not folder.exists()


def test_a_diagram_that_was_given_up_is_not_kept(folder: Path) -> None:
    next(kept_diagram(CurieWeiss, "asked", Levels()))
    assert not folder.exists()


def test_a_broken_file_is_computed_anew(folder: Path) -> None:
    levels = Levels()
    list(kept_diagram(CurieWeiss, "asked", levels))
    (file,) = folder.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    for _ in range(2):
        list(kept_diagram(CurieWeiss, "asked", levels))
    assert levels.calls == 2


def test_a_changed_version_of_the_system_is_computed_anew(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    levels = Levels()
    list(kept_diagram(CurieWeiss, "asked", levels))
    monkeypatch.setattr(CurieWeiss, "version", CurieWeiss.version + 1)
    list(kept_diagram(CurieWeiss, "asked", levels))
    assert levels.calls == 2


def test_the_folder_is_bounded(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(kept_diagram(CurieWeiss, "first", Levels()))
    (file,) = folder.iterdir()
    monkeypatch.setattr(diagrams_kept, "MOST_BYTES", 3 * file.stat().st_size)
    for k in range(6):
        list(kept_diagram(CurieWeiss, k, Levels()))
    assert 1 <= len(list(folder.iterdir())) <= 3
