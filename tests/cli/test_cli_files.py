"""What the command writes to take along."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from mfexplore.cli import app


def ask(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_a_film(tmp_path: Path) -> None:
    path = tmp_path / "run.gif"
    code, said = ask("movie", "curie_weiss", "size=50", "--time", "3", "--frames", "3", "-o", str(path))
    assert code == 0, said
    assert path.read_bytes().startswith(b"GIF89a")
    assert "run.gif" in said.replace("\n", "")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["movie", "curie_weiss", "-o", "run.avi"], ".mp4"),
        (["movie", "curie_weiss", "--time", "-1"], "--time"),
        (["movie", "curie_weiss", "--picture", "nonsense", "-o", "run.gif"], "nonsense"),
        (["snapshot", "curie_wiess"], "curie_weiss"),
        (["snapshot", "curie_weiss", "--presets", "nonsense"], "metastable"),
        (["snapshot", "curie_weiss", "-o", "page.pdf"], ".html"),
        (["snapshot", "curie_weiss", "-o", "nowhere/page.html"], "no such folder"),
    ],
)
def test_what_cannot_be_made_is_told_in_a_sentence(
    arguments: list[str], told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = ask(*arguments)
    assert code != 0
    assert told in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir()), "nothing is left behind"
