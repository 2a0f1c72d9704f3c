"""What the house costs when it is full: the present systems are copied under other names until there are 130.

In a temporary package: how long a list takes (cold, and from its index), how long it takes to collect the contract, and
how many CPU seconds of compiling a system needs that shares the blocks of those before it. CPU time of fresh processes.
"""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import tempfile
from itertools import cycle
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.harness import RESULTS, machine
from mfexplore.core.catalogue import places, source
from mfexplore.core.folders import PACKAGE

SYSTEMS = 130
COMPILED = 3  # copies that are compiled; more would say nothing new
LIMITS = {"list": 0.3, "compile": 4.0}  # CPU seconds

LIST = """
import time
from mfexplore.core.catalogue import entries
start = time.process_time()
entries()
print(time.process_time() - start)
"""
IMPORT = "import mfexplore"


def full_house(folder: Path) -> list[str]:
    """Copy the package and its tests, and its systems until there are enough; returns the keys of the copies."""
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, folder / PACKAGE.name, ignore=ignored)
    shutil.copytree(PACKAGE.parent / "tests", folder / "tests", ignore=ignored)
    shutil.copy(PACKAGE.parent / "pyproject.toml", folder)
    made: list[str] = []
    for number, key in enumerate(cycle(places())):
        if len(places()) + len(made) == SYSTEMS:
            return made
        place = folder / PACKAGE.name / source(key).relative_to(PACKAGE)
        place = place.parent if place.name == "__init__.py" else place
        copied = f"{key}_{number}"
        there = place.with_name(copied + place.suffix)
        shutil.copytree(place, there) if place.is_dir() else shutil.copy(place, there)
        for file in there.rglob("*.py") if there.is_dir() else [there]:
            text = file.read_text(encoding="utf-8")
            file.write_text(re.sub(rf"models\.(\w+)\.{key}\b", rf"models.\1.{copied}", text), encoding="utf-8")
        made.append(copied)
    raise AssertionError


def run(folder: Path, *command: str) -> tuple[float, str]:
    """CPU seconds of a fresh Python and of those it starts, and what it says."""
    environment = os.environ | {"PYTHONPATH": str(folder), "NUMBA_CACHE_DIR": str(folder / "kept")}
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(
        [sys.executable, *command], cwd=folder, env=environment, capture_output=True, text=True, check=False
    )
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stdout[-2000:] + done.stderr[-2000:])
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout


def compiling(folder: Path, key: str) -> float:
    """CPU seconds of compiling, of all that warming a system takes."""
    code = "import benchmarks.compiling as c; "
    shutil.copytree(PACKAGE.parent / "benchmarks", folder / "benchmarks", dirs_exist_ok=True)
    _, said = run(folder, "-c", f"{code}c.compile_one({key!r})")
    return float(sum(seconds for _, seconds in json.loads(said.splitlines()[-1])))


def main(console: Console) -> int:
    found: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as name, console.status("building a full house"):
        folder = Path(name)
        copies = full_house(folder)
        found["import mfexplore"] = min(run(folder, "-c", IMPORT)[0] for _ in range(3))
        found["index, cold"] = float(run(folder, "-c", LIST)[1])
        found["list"] = min(float(run(folder, "-c", LIST)[1]) for _ in range(3))
        found["command list"] = min(run(folder, "-m", "mfexplore.cli", "list")[0] for _ in range(3))
        contract = ("-m", "pytest", "-q", "--co", "-p", "no:cacheprovider", "tests/core/test_contract.py")
        found["collect the contract"] = run(folder, *contract)[0]
        seconds = []
        for key in copies[:COMPILED]:
            original = key.rpartition("_")[0]
            first, again = compiling(folder, original), compiling(folder, key)
            console.print(f"{original}: {first:.1f} s of compiling, its copy {again:.1f} s")
            seconds.append(again)
        found["compile"] = sum(seconds) / len(seconds)
    table = Table("what", "CPU seconds", "limit", title=f"{SYSTEMS} systems")
    for what, took in found.items():
        limit = LIMITS.get(what)
        style = "red" if limit is not None and took > limit else ""
        table.add_row(what, f"{took:.2f}", "" if limit is None else f"{limit:g}", style=style)
    console.print(table)
    record = {"machine": machine(), "systems": SYSTEMS, "seconds": {k: round(v, 3) for k, v in found.items()}}
    (RESULTS / "growth.json").write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return int(any(found[what] > limit for what, limit in LIMITS.items()))
