"""What the README shows works as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mfexplore.cli import app

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^mfexplore (?:list|diagram|simulate|notebook)\b[^#\n]*", README, re.MULTILINE)


def test_the_public_face() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    lines = [line for line in code.splitlines() if ".explore(" not in line]  # needs a notebook
    assert len(lines) == len(code.splitlines()) - 1
    exec("\n".join(lines), {})


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = shlex.split(command)[1:] + (["--no-open"] if " notebook " in command else [])
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert sorted(p.name for p in tmp_path.iterdir()) == sorted(
        [a for a in arguments if a.endswith((".nc", ".csv", ".pdf"))] + ["hopfield.ipynb"] * (" notebook " in command)
    )


def test_pictures_are_there() -> None:
    for path in re.findall(r"!\[[^]]*\]\(([^)]+)\)", README):
        assert (Path(__file__).parents[1] / path).is_file()
