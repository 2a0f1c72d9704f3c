"""A file is the old one or the complete new one."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from mfexplore.core.files import replacing, write


def interrupted(place: Path) -> None:
    with replacing(place) as beside:
        beside.write_text("half of")
        raise KeyboardInterrupt


def test_a_failure_keeps_what_was_there(tmp_path: Path) -> None:
    place = tmp_path / "result.csv"
    write(place, "precious")
    with pytest.raises(KeyboardInterrupt):
        interrupted(place)
    assert place.read_text() == "precious"
    assert list(tmp_path.iterdir()) == [place]
    write(place, b"new")
    assert place.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [place]


@pytest.mark.skipif(os.name == "nt", reason="modes, links and devices of POSIX")
def test_mode_links_and_devices_stay(tmp_path: Path) -> None:
    place, link = tmp_path / "result.csv", tmp_path / "link.csv"
    place.write_text("old")
    place.chmod(0o640)
    link.symlink_to(place)
    write(link, "new")
    assert link.is_symlink()
    assert place.read_text() == "new"
    assert stat.S_IMODE(place.stat().st_mode) == 0o640
    write(os.devnull, "nothing")
    assert stat.S_ISCHR(Path(os.devnull).stat().st_mode)
