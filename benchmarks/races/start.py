"""From a fresh process of ours with kept kernels to the first result of every system, and to the imported package.

The time of the process itself (interpreter and start of Python) is part of the first and not of the second.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np

from benchmarks.harness import Report
from mfexplore.core.catalogue import places
from mfexplore.study.warmup import is_warm

REPEATS = 3
LIBRARIES = "import numpy, numba, scipy.special, xarray"  # below their time no first result can come
# As where it is installed: modules are compiled to byte code once, whatever the shell says that starts this.
SURROUNDINGS = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
FIRST = """
from mfexplore.core.process import take_over
take_over()
from mfexplore.core.catalogue import system
model = system({key!r})()
if model.offers("solve"):
    model.equilibrium()
else:
    model.simulate(seed=1).advance()
"""


def _process(code: str, check: bool) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", code]
    return subprocess.run(command, env=SURROUNDINGS, check=check, capture_output=True, text=True)


def run(code: str) -> tuple[float, float]:
    """(wall, CPU) seconds from the start of a fresh process to the end of this code, best of a few: whatever else runs
    only makes it slower. What Python does to end is not in the wall time.
    """
    wall, cpu = [], []
    for _ in range(REPEATS):
        start, used = time.monotonic(), os.times()
        told = f"{code}\nimport time\nprint(time.monotonic())"
        end = float(_process(told, check=True).stdout)
        after = os.times()
        wall.append(end - start)
        cpu.append(after.children_user + after.children_system - used.children_user - used.children_system)
    return float(np.min(wall)), float(np.min(cpu))


def race(report: Report) -> None:
    empty, whole = run("pass"), run("import mfexplore")
    report.limit("import mfexplore", "s", whole[0] - empty[0], 0.3)
    libraries = run(LIBRARIES)
    report.limit(f"the libraries alone (CPU {libraries[1]:.2f} s)", "s", libraries[0], None)
    cold = []
    for key in places():
        code = FIRST.format(key=key)
        if not is_warm(key):
            cold.append(key)
        if _process(code, check=False).returncode:
            report.limit(f"first result of {key}: failed", "s", float("inf"), 0.7)
            continue
        wall, cpu = run(code)
        report.limit(f"first result of {key} (CPU {cpu:.2f} s)", "s", wall, 0.7)
    if cold:
        report.checks.append(f"not warmed before, so warmed by a first run: {', '.join(cold)}")
