"""Kernels: compiled in one way only, kept under a fingerprint of all their sources, wherever can be written, and safe
to run from several threads and to compile from several processes at once.
"""

from __future__ import annotations

import ast
import multiprocessing
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from multiprocessing.synchronize import Event
from pathlib import Path

import numpy as np
import pytest

from mfexplore.core import system
from mfexplore.models.lattices.curie_weiss import CurieWeiss, heat_bath
from mfexplore.numerics import kernel as kernels
from mfexplore.numerics.kernel import BLOCKS, PACKAGE, blocks, kernel, one_writer, store

FILES = sorted(PACKAGE.rglob("*.py"))
DECORATORS = {BLOCKS / "kernel.py", BLOCKS / "elementary.py"}  # where Numba is called; everywhere else they are used


def relative(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


# -- one way ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_numba_is_called_in_one_place_and_never_with_its_own_threads(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call):
            assert "parallel" not in [k.arg for k in node.keywords], f"line {node.lineno}: aborts a server"
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            assert name not in ("prange", "guvectorize"), f"line {node.lineno}: {name}"
            if file not in DECORATORS:
                assert name not in ("njit", "jit", "vectorize"), f"line {node.lineno}: use @kernel or @inline_kernel"


@pytest.mark.parametrize("file", [f for f in FILES if BLOCKS in f.parents or "models" in f.parts], ids=relative)
def test_the_fingerprint_covers_every_block_that_is_imported(file: Path) -> None:
    """`blocks` reads imports with a regular expression, which is fast; here the same is done by the parser."""
    found, ahead = set(), [file]
    while ahead:
        here = ahead.pop()
        found.add(here)
        for node in ast.walk(ast.parse(here.read_text())):
            names: list[str] = []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0, "imports are absolute here"
                names = [node.module or "", *(f"{node.module}.{alias.name}" for alias in node.names)]
            elif isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            for name in names:
                block = PACKAGE.parent / (name.replace(".", "/") + ".py")
                if BLOCKS in block.parents and block.exists() and block not in found:
                    ahead.append(block)
    assert found <= blocks(file)


# -- fingerprint -----------------------------------------------------------------------------------------------------


def run(code: str, *, folder: Path, environment: dict[str, str] | None = None, prefix: tuple[str, ...] = ()) -> str:
    """Run code in a fresh Python that finds the package in `folder` first; returns what it prints."""
    settings = {k: v for k, v in os.environ.items() if not k.startswith("NUMBA_")}
    settings |= {"PYTHONPATH": str(folder), "PYTHONDONTWRITEBYTECODE": "1"} | (environment or {})
    done = subprocess.run(
        [*prefix, sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env=settings,
        cwd=folder,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.fixture
def copied_package(tmp_path: Path) -> Path:
    """A folder with a copy of the part of the package that makes a kernel, and a tiny model that uses a block."""
    for name in ("core", "numerics", "models/lattices"):
        folder = tmp_path / "mfexplore" / name
        shutil.copytree(PACKAGE / name, folder, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("__init__.py", "models/__init__.py"):
        shutil.copy(PACKAGE / name, tmp_path / "mfexplore" / name)
    (tmp_path / "mfexplore" / "numerics" / "doubling.py").write_text(
        "from mfexplore.numerics.kernel import inline_kernel\n@inline_kernel\ndef twice(x):\n    return 2 * x\n"
    )
    (tmp_path / "mfexplore" / "models" / "lattices" / "doubled.py").write_text(
        "from mfexplore.numerics.doubling import twice\nfrom mfexplore.numerics.kernel import kernel\n"
        "@kernel\ndef answer(x):\n    return twice(x)\n"
    )
    return tmp_path


ANSWER = """
from mfexplore.models.lattices.doubled import answer
from mfexplore.numerics.kernel import cache_folder
print(answer(21), sum(answer.stats.cache_hits.values()), cache_folder())
"""


def test_a_kernel_is_kept_and_a_changed_block_is_not_answered_by_the_old_one(copied_package: Path) -> None:
    own = copied_package / "mfexplore" / "__pycache__" / "kernels"
    assert run(ANSWER, folder=copied_package) == f"42 0 {own}"
    assert run(ANSWER, folder=copied_package) == f"42 1 {own}"
    block = copied_package / "mfexplore" / "numerics" / "doubling.py"
    block.write_text(block.read_text().replace("2 * x", "3 * x"))
    assert run(ANSWER, folder=copied_package) == f"63 0 {own}"


def test_former_kernels_are_forgotten(copied_package: Path) -> None:
    run(ANSWER, folder=copied_package)
    block = copied_package / "mfexplore" / "numerics" / "doubling.py"
    block.write_text(block.read_text() + "\n")
    forget = "from mfexplore.numerics.kernel import forget_former; print(forget_former())"
    assert int(run(forget, folder=copied_package)) >= 1
    assert run(forget, folder=copied_package) == "0"


# -- read-only folders -------------------------------------------------------------------------------------------------


@pytest.fixture
def obeying_permissions(copied_package: Path) -> tuple[str, ...]:
    """How to start a Python for which a read-only folder is read-only; root needs to give up its privilege first."""
    prefix: tuple[str, ...] = ()
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        if not shutil.which("setpriv"):
            pytest.skip("root without setpriv cannot give up writing anywhere")
        prefix = ("setpriv", "--bounding-set=-dac_override", "--inh-caps=-dac_override")
    elif sys.platform == "win32":
        pytest.skip("permission bits do not close a folder on Windows")
    return prefix


def close(folder: Path) -> None:
    """Take away the permission to write in a folder and everything below it."""
    for place, _, _ in os.walk(folder):
        Path(place).chmod(0o555)


def test_a_read_only_package_keeps_its_kernels_at_home(
    copied_package: Path, obeying_permissions: tuple[str, ...]
) -> None:
    home = copied_package / "home"
    home.mkdir()
    close(copied_package / "mfexplore")
    environment = {"HOME": str(home), "XDG_CACHE_HOME": ""}
    for hits in (0, 1):
        said = run(ANSWER, folder=copied_package, environment=environment, prefix=obeying_permissions)
        assert said == f"42 {hits} {home / '.cache' / 'mfexplore' / 'kernels'}"


def test_a_read_only_package_and_home_keep_their_kernels_in_the_temporary_folder(
    copied_package: Path, obeying_permissions: tuple[str, ...]
) -> None:
    home, temporary = copied_package / "home", copied_package / "temporary"
    home.mkdir()
    temporary.mkdir()
    close(copied_package / "mfexplore")
    close(home)
    environment = {"HOME": str(home), "XDG_CACHE_HOME": "", "TMPDIR": str(temporary)}
    for hits in (0, 1):
        said = run(ANSWER, folder=copied_package, environment=environment, prefix=obeying_permissions)
        assert said.startswith(f"42 {hits} {temporary}")


def test_where_nothing_can_be_written_kernels_work_but_are_not_kept(
    copied_package: Path, obeying_permissions: tuple[str, ...]
) -> None:
    closed = copied_package / "closed"
    closed.mkdir()
    close(copied_package / "mfexplore")
    close(closed)
    environment = {"NUMBA_CACHE_DIR": str(closed)}
    said = run(ANSWER, folder=copied_package, environment=environment, prefix=obeying_permissions)
    assert said == "42 0 None"


def test_the_folder_that_the_user_names_is_used_and_numbas_own_setting_is_left_alone(copied_package: Path) -> None:
    named = copied_package / "named"
    code = ANSWER + "import numba; print(numba.config.CACHE_DIR)"
    said = run(code, folder=copied_package, environment={"NUMBA_CACHE_DIR": str(named)})
    assert said == f"42 0 {named / 'mfexplore'}\n{named}"


def test_a_temporary_folder_of_somebody_else_is_not_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not hasattr(os, "getuid"):
        pytest.skip("no owners here")
    monkeypatch.setattr(kernels, "candidates", lambda: [tmp_path / "planted"])
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert kernels.cache_folder.__wrapped__() is None


# -- threads and processes ---------------------------------------------------------------------------------------------


def sweep_field(seed: int) -> tuple[float, float]:
    """Theory on an axis and a short simulation: both kernels of the system."""
    model = CurieWeiss(temperature=0.6, size=500)
    theory = model.theory(field=np.linspace(-0.5, 0.5, 101))["magnetization"].sum()
    simulation = model.simulate(seed=seed)
    simulation.advance(20)
    return float(theory), simulation.observe()["magnetization"]


def test_kernels_run_from_several_threads_at_once() -> None:
    alone = [sweep_field(seed) for seed in range(16)]
    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(sweep_field, range(16))) == alone


def test_kernels_release_the_interpreter() -> None:
    """While a kernel runs in one thread, another thread gets on: many ticks in the time of one call."""
    spins = np.ones(1000, np.int8)
    rng = np.random.default_rng(1)
    arguments = (spins, 1000, 1.0, 0.9, 0.0, 0.0, 1.0, 0.0)
    heat_bath(*arguments, 1000, rng)
    with ThreadPoolExecutor(1) as pool:
        call = pool.submit(heat_bath, *arguments, 20_000_000, rng)
        ticks = 0
        while not call.done():
            time.sleep(0.001)
            ticks += 1
    assert ticks > 10


def test_processes_may_compile_the_same_kernels_at_the_same_time(tmp_path: Path) -> None:
    code = (
        "from mfexplore.study.warmup import warm, is_warm; from mfexplore.numerics.kernel import cache_folder;"
        "warm('curie_weiss'); print(is_warm('curie_weiss'))"
    )
    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    start = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(3)]
    assert [process.wait(timeout=240) for process in start] == [0, 0, 0]
    check = (
        "from mfexplore.models.lattices import curie_weiss as m; m.CurieWeiss().theory();"
        "print(sum(m.solve_points.stats.cache_hits.values()), sum(m.solve_points.stats.cache_misses.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.split() == ["1", "0"]


def hold(folder: Path, held: Event, release: Event) -> None:
    with one_writer(folder):
        held.set()
        release.wait(60)


@pytest.mark.skipif(kernels.fcntl is None, reason="no file locks here")
def test_one_process_writes_at_a_time(tmp_path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    held, release = context.Event(), context.Event()
    other = context.Process(target=hold, args=(tmp_path, held, release))
    other.start()
    assert held.wait(60)
    with ThreadPoolExecutor(1) as pool:

        def write() -> bool:
            with one_writer(tmp_path):
                return True

        waiting = pool.submit(write)
        time.sleep(0.2)
        assert not waiting.done()
        release.set()
        assert waiting.result(60)
    other.join(60)


# -- details -----------------------------------------------------------------------------------------------------------


def test_division_and_infinity_mean_what_numpy_means() -> None:
    @kernel
    def ratio(x, y):  # type: ignore[no-untyped-def]
        return x / y

    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))


def test_every_store_is_named_after_its_file() -> None:
    folder = store(PACKAGE / "models" / "lattices" / "curie_weiss.py")
    assert folder is None or re.fullmatch(r"curie_weiss-[0-9a-f]{12}", folder.name)
    assert system("curie_weiss") is CurieWeiss
