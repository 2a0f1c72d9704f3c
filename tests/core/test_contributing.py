"""CONTRIBUTING.md is true: the system that it shows, taken from its page, fulfils the contract and passes its tests."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PRINTED_FILE = re.compile(r"^\*\*`(\S+\.py)`\*\*\n\n```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_system_in_contributing_works_as_it_stands(tmp_path: Path) -> None:
    package = ROOT / "mfexplore"
    shutil.copytree(package, tmp_path / "mfexplore", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.rmtree(tmp_path / "mfexplore" / "models")
    shutil.copytree(ROOT / "tests" / "core", tmp_path / "tests" / "core", ignore=shutil.ignore_patterns("__pycache__"))
    for file in ("tests/conftest.py", "tests/cases.py", "pyproject.toml"):
        shutil.copy(ROOT / file, tmp_path / file)
    for file in (tmp_path / "tests" / "core").glob("test_*.py"):  # the contract names no system
        text = file.read_text(encoding="utf-8")
        if "each_system" not in text or "mfexplore.models." in text:
            file.unlink()
    printed = dict(PRINTED_FILE.findall((ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")))
    assert len(printed) == 2
    for path, text in printed.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text, encoding="utf-8")
    for folder in ("mfexplore/models", "mfexplore/models/collective"):
        (tmp_path / folder / "__init__.py").touch()
    environment = os.environ | {"PYTHONPATH": str(tmp_path)}
    for arguments in (
        ["pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", "tests", "-k", "epidemic"],
        ["ruff", "check", "--no-cache", *printed],
        ["ruff", "format", "--no-cache", "--check", *printed],
    ):
        command = [sys.executable, "-m", *arguments]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
