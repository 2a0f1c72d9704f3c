"""What the README shows works as it stands."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import tomllib
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


def test_whose_the_repository_is_is_said_once(tmp_path: Path) -> None:
    """In a copy: `./run owner NAME` completes every address, and no other file has one to complete."""
    root = Path(__file__).parents[1]
    addressed = ["README.md", "pyproject.toml", "CITATION.cff"]
    for name in [*addressed, "run"]:
        shutil.copy(root / name, tmp_path / name)
    subprocess.run(["./run", "owner", "somebody"], cwd=tmp_path, check=True)
    texts = [(tmp_path / name).read_text(encoding="utf-8") for name in addressed]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([*addressed, "run"])
    assert not any("OWNER" in text or "run owner" in text for text in texts)
    urls = tomllib.loads(texts[1])["project"]["urls"]
    assert all(urls[name] in texts[0] for name in ("Homepage", "Binder", "Lessons"))
    assert urls["Source"] in texts[2]
    folders = ("docs", "course", "binder", ".github", "mfexplore")
    others = [path for folder in folders for path in (root / folder).rglob("*") if "_build" not in path.parts]
    assert not [path for path in others if path.suffix in (".md", ".py", ".yml", ".html", "") and _asks(path)]


def _asks(path: Path) -> bool:
    return path.is_file() and re.search(r"\bOWNER[./]", path.read_text(encoding="utf-8")) is not None
