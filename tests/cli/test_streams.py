"""A command does its work whatever its streams can show, and whether or not anybody is listening."""

from __future__ import annotations

import codecs
import errno
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import xarray as xr

from mfexplore.cli import streams

COMMAND = [sys.executable, "-m", "mfexplore.cli"]
DIAGRAM = ["diagram", "curie_weiss", "--resolution", "5"]


def nobody() -> int:
    """A pipe that nobody reads."""
    reading, writing = os.pipe()
    os.close(reading)
    return writing


def lost_terminal() -> int:
    """A terminal whose window is closed."""
    pty = pytest.importorskip("pty")
    window, terminal = pty.openpty()
    os.close(window)
    return int(terminal)


@pytest.mark.skipif(os.name != "posix", reason="descriptors as on Unix")
@pytest.mark.parametrize("streams_of", [nobody, lost_terminal, None], ids=["pipe", "terminal", "closed"])
def test_a_result_is_saved_when_nobody_listens(streams_of: Callable[[], int] | None, tmp_path: Path) -> None:
    path = tmp_path / "diagram.nc"
    command = [*COMMAND, *DIAGRAM, "-o", str(path)]
    if streams_of is None:
        done = subprocess.run(["sh", "-c", 'exec "$@" 0<&- >&- 2>&-', "sh", *command], check=False, timeout=200)
    else:
        there = streams_of()
        done = subprocess.run(command, stdout=there, stderr=there, check=False, timeout=200)
        os.close(there)
    assert done.returncode == 0
    with xr.open_dataset(path) as dataset:
        assert dataset.sizes["temperature"] == 5


@pytest.mark.parametrize(
    "settings",
    [{"PYTHONIOENCODING": "cp1252", "COLUMNS": "1"}, {"PYTHONIOENCODING": "ascii", "TERM": "dumb", "NO_COLOR": "1"}],
    ids=lambda settings: settings["PYTHONIOENCODING"],
)
def test_what_a_console_can_not_show_is_replaced(settings: dict[str, str], tmp_path: Path) -> None:
    command = [*COMMAND, *DIAGRAM, "-o", str(tmp_path / "diagram.nc")]
    done = subprocess.run(command, env=os.environ | settings, capture_output=True, check=False, timeout=200)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "diagram.nc").exists()
    assert b">" in done.stdout
    done.stdout.decode(settings["PYTHONIOENCODING"])


@pytest.mark.skipif(os.name != "posix", reason="descriptors as on Unix")
def test_help_and_complaints_need_no_listener() -> None:
    for arguments, code in ((["--help"], 0), (["diagram", "--help"], 0), (["list", "no_such_system"], 2)):
        there = nobody()
        done = subprocess.run([*COMMAND, *arguments], stdout=there, stderr=there, check=False, timeout=200)
        os.close(there)
        assert done.returncode == code, arguments


def test_look_alikes() -> None:
    codecs.register_error("mfexplore", streams.look_alike)
    assert "Schrödinger … 0.5 ± 0.1 → ▁█ 日".encode("ascii", "mfexplore") == b"Schrodinger .. 0.5 +- 0.1 > _@ ?"
    assert "± …".encode("cp1252", "mfexplore") == "± …".encode("cp1252")


class Broken:
    """A raw stream whose other end is gone, or whose disk is full."""

    def __init__(self, error: int) -> None:
        self.error, self.asked = error, 0

    def write(self, data: Any) -> int:
        self.asked += 1
        raise OSError(self.error, "wrong")


def test_a_full_disk_is_told_and_a_closed_pipe_is_not() -> None:
    gone = Broken(errno.EPIPE)
    listened = streams.Listened(gone)
    assert [listened.write(b"12"), listened.write(b"345")] == [2, 3]
    assert gone.asked == 1
    full = Broken(errno.ENOSPC)
    listened = streams.Listened(full)
    with pytest.raises(OSError, match="wrong"):
        listened.write(b"12")
    assert [listened.write(b"12"), full.asked] == [2, 1], "it is told once, not again by the buffers at the exit"


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a full disk as on Linux")
def test_a_full_disk_is_one_sentence() -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [*COMMAND, "list"], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "No space left" in done.stderr


@pytest.mark.skipif(not hasattr(signal, "SIGHUP"), reason="signals as on Unix")
@pytest.mark.parametrize("told", ["SIGTERM", "SIGHUP"])
def test_told_to_end_is_as_interrupted(told: str) -> None:
    code = f"""
import os, signal
from mfexplore.cli import streams
streams.prepare()
try:
    os.kill(os.getpid(), signal.{told})
    print("ignored")
except KeyboardInterrupt:
    print("in order")
"""
    for before, said in (("SIG_DFL", "in order\n"), ("SIG_IGN", "ignored\n")):  # the latter as `nohup` has it
        made = f"import signal; signal.signal(signal.{told}, signal.{before})\n{code}"
        done = subprocess.run([sys.executable, "-c", made], capture_output=True, text=True, check=False, timeout=100)
        assert done.stdout == said
