"""Films of a run."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

import mfexplore as mf
from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.figures import movie as films
from mfexplore.figures.movie import movie


def test_a_gif_has_all_frames_and_says_where_it_comes_from(tmp_path: Path) -> None:
    told: list[float] = []
    model = mf.system("curie_weiss")(temperature=1.1, size=400)
    content = mf.movie(model, tmp_path / "run.gif", seed=3, time=12, frames=5, progress=told.append)
    assert (tmp_path / "run.gif").read_bytes() == content
    film = Image.open(io.BytesIO(content))
    assert film.n_frames == 5
    record = json.loads(film.info["comment"])
    assert record["system"] == "curie_weiss"
    assert "temperature=1.1" in record["link"]
    assert told == sorted(told)
    assert len(told) == 5


def test_the_pictures_are_those_of_the_run() -> None:
    def content(seed: int) -> Any:
        run = mf.system("curie_weiss")(temperature=1.1, size=400).simulate(seed=seed)
        return list(movie(run, "gif", 5.0, frames=3))[-1]

    assert content(1) == content(1) != content(2)


def test_what_cannot_be_made_is_told_before_anything_is_drawn(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    run = mf.system("curie_weiss")(size=100).simulate()
    with pytest.raises(UnknownNameError, match="picture"):
        next(movie(run, "gif", picture="nonsense"))
    with pytest.raises(UnknownNameError, match="ending"):
        mf.movie("curie_weiss", tmp_path / "run.avi")
    monkeypatch.setattr(films.shutil, "which", lambda name: None)
    monkeypatch.setitem(__import__("sys").modules, "imageio_ffmpeg", None)
    with pytest.raises(MfexploreError, match="needs ffmpeg"):
        next(movie(run, "mp4"))
    assert run.time == 0


def test_mp4(tmp_path: Path) -> None:
    try:
        films._ffmpeg()
    except MfexploreError:
        pytest.skip("no ffmpeg here")
    content = mf.movie("curie_weiss", tmp_path / "run.mp4", time=5, frames=4)
    assert content[4:8] == b"ftyp"
