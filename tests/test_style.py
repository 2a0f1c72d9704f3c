"""The linters, as tests: one command says whether everything is in order; and the rules that no linter knows."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    "arguments", [["ruff", "check", "."], ["ruff", "format", "--check", "."], ["mypy"]], ids=["ruff", "format", "mypy"]
)
def test_is_clean(arguments: list[str]) -> None:
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


MOST_ARGUMENTS, MOST_LINES = 8, 700
FILES = sorted((ROOT / "mfexplore").rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(ROOT)))
def test_files_and_kernels_are_of_a_size_that_is_read(file: Path) -> None:
    """What belongs together is a NamedTuple, and what does not stands in another file."""
    text = file.read_text(encoding="utf-8")
    assert text.count("\n") < MOST_LINES
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            marks = {ast.unparse(mark) for mark in node.decorator_list}
            if marks & {"kernel", "inline_kernel"}:
                count = len(node.args.args)
                assert count <= MOST_ARGUMENTS, f"{node.name} takes {count} arguments: name what belongs together"
