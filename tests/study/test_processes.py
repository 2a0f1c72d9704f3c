"""Worker processes end with the process that started them."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

START = """
import os, signal, time
from mfexplore.study.processes import Processes
if __name__ == "__main__":
    pool = Processes(2)
    print(len({pool.submit(os.getpid).result() for _ in range(3)}) > 0, flush=True)
    pool.submit(time.sleep, 3600)
"""


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), signal.SIGKILL)", "pool.let_go()"], ids=["killed", "let go"])
@pytest.mark.skipif(os.name != "posix", reason="signals as on Unix")
def test_nobody_is_left_behind(end: str, tmp_path: Path) -> None:
    script = tmp_path / "script.py"  # spawned processes read it again
    script.write_text(START + "    " + end)
    # Workers write to the same pipe, so this returns when the last of them has ended.
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False, timeout=100)
    assert done.stdout == "True\n"
    assert done.returncode == (0 if "let_go" in end else -signal.SIGKILL)


def test_a_process_ends_with_its_input() -> None:
    code = "from mfexplore.study.processes import end_with_input; import time; end_with_input(); time.sleep(3600)"
    with subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE) as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(timeout=100) == 1
