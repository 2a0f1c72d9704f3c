"""What the README shows works as it stands."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from mfexplore.cli import app
from mfexplore.study.sweep import load

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^mfexplore (?:list|diagram|simulate|notebook)\b[^#\n]*", README, re.MULTILINE)


PYTHON = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


def test_the_public_face() -> None:
    code = PYTHON[0]
    lines = [line for line in code.splitlines() if ".explore(" not in line]  # needs a notebook
    assert len(lines) == len(code.splitlines()) - 1
    exec("\n".join(lines), {})


def test_the_sweep(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    scope: dict[str, Any] = {"__name__": "__main__"}
    try:
        exec(PYTHON[1], scope)
        found = load(tmp_path / "hopfield.zarr")
        assert found.sizes == {"temperature": 3, "load": 2, "sample": 4}
        assert found.attrs["done"] == 1
    finally:
        scope["cluster"].close()


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
