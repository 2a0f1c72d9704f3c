"""The scripts around the package: `run`, `.ci/run` and Binder's folder."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mfexplore.cli import app
from mfexplore.cli.machine import PORTABLE

ROOT = Path(__file__).parents[2]
SCRIPTS = ["run", ".ci/run", "binder/postBuild", "binder/warm", "binder/start"]

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash here")


@pytest.mark.parametrize("name", SCRIPTS)
def test_scripts_are_sound_and_executable(name: str) -> None:
    script = ROOT / name
    assert os.access(script, os.X_OK)
    subprocess.run(["bash", "-n", str(script)], check=True, timeout=60)
    assert "set -e" in script.read_text() or name == "binder/start"


def test_run_explains_itself() -> None:
    done = subprocess.run([ROOT / "run"], capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "./run app" in done.stdout
    assert "./run test" in done.stdout


def test_run_refuses_an_old_python(tmp_path: Path) -> None:
    old = tmp_path / "python2"
    old.write_text('#!/bin/sh\n[ "$1" = --version ] && echo Python 2.7 && exit 0\nexit 1\n')
    old.chmod(0o755)
    environment = os.environ | {"PYTHON": str(old), "MFEXPLORE_VENV": str(tmp_path / "venv")}
    done = subprocess.run(
        [ROOT / "run", "app"], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "Python 2.7 is too old" in done.stderr
    assert not (tmp_path / "venv").exists()


@pytest.mark.parametrize(
    ("asked", "started"),
    [
        ([], "-m pytest --numprocesses 2 --dist loadgroup --max-worker-restart 0"),
        (["tests/cli", "-x"], "-m pytest tests/cli -x"),
        (["kuramoto"], "-m pytest tests/core tests/models --system=kuramoto"),
        (["hopfield", "kuramoto", "-x"], "-m pytest tests/core tests/models --system=hopfield --system=kuramoto -x"),
    ],
)
def test_run_test_starts_what_is_asked(asked: list[str], started: str, tmp_path: Path) -> None:
    for command, says in (("venv/bin/python", 'if [ "$1" = -c ]; then echo 2; else echo "$@"; fi'), ("chromium", ":")):
        (tmp_path / command).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / command).write_text(f"#!/bin/sh\n{says}\n")
        (tmp_path / command).chmod(0o755)
    environment = os.environ | {
        "MFEXPLORE_VENV": str(tmp_path / "venv"),
        "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}",
    }
    done = subprocess.run(
        [ROOT / "run", "test", *asked], capture_output=True, text=True, env=environment, check=False, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == started


def binder_environment(**outside: str) -> dict[str, str]:
    """The variables that `binder/start` hands to what it starts."""
    code = "import json, os; print(json.dumps(dict(os.environ)))"
    command = [ROOT / "binder" / "start", sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=os.environ | outside, timeout=60)
    return json.loads(done.stdout)


def test_binder_runs_with_the_processor_that_it_was_built_for() -> None:
    environment = binder_environment()
    assert environment["NUMBA_CPU_NAME"] == PORTABLE["x86_64"]
    assert environment["NUMBA_CPU_FEATURES"] == ""
    assert "/processor" in (ROOT / "binder" / "warm").read_text()


def test_binder_start_ends_by_becoming_what_it_starts() -> None:
    assert (ROOT / "binder" / "start").read_text().rstrip().endswith('exec "$@"')


def test_jupyter_finds_the_app_and_the_app_knows_the_options() -> None:
    (entry,) = entry_points(group="jupyter_serverproxy_servers", name="mfexplore")
    command = entry.load()()["command"]
    assert command[:2] == ["mfexplore", "serve"]
    assert "{port}" in command
    options = CliRunner().invoke(app, ["serve", "--help"], env={"COLUMNS": "200"}).output
    assert all(word in options for word in command if word.startswith("--"))
