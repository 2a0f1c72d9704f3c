"""Kernels: compiled in one way only, kept under what they are made of wherever can be written, safe in threads and
processes.
"""

from __future__ import annotations

import ast
import os
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from mfexplore.core import folders
from mfexplore.core.folders import PACKAGE
from mfexplore.core.sources import sources
from mfexplore.models.lattices.curie_weiss import CurieWeiss, Drive, heat_bath
from mfexplore.numerics.functions.elementary import exp
from mfexplore.numerics.kernel import fingerprint, forget_unused, kernel

BLOCKS = PACKAGE / "numerics"
FILES = sorted(PACKAGE.rglob("*.py"))
DECORATORS = {BLOCKS / "kernel.py", BLOCKS / "functions/elementary.py"}  # where Numba is called


def relative(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


# -- one way ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("file", FILES, ids=relative)
def test_numba_is_called_in_one_place_and_never_with_its_own_threads(file: Path) -> None:
    text = file.read_text()
    if not any(word in text for word in ("parallel", "prange", "jit", "vectorize")):
        return
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.Call):
            assert "parallel" not in [k.arg for k in node.keywords], f"line {node.lineno}: aborts a server"
        if isinstance(node, ast.Attribute | ast.Name):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            assert name not in ("prange", "guvectorize"), f"line {node.lineno}: {name}"
            if file not in DECORATORS:
                assert name not in ("njit", "jit", "vectorize"), f"line {node.lineno}: use @kernel or @inline_kernel"


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
    family = tmp_path / "mfexplore" / "families" / "doubling"
    family.mkdir(parents=True)
    (family.parent / "__init__.py").write_text('"""Families."""\n')
    (family / "__init__.py").write_text('"""Doubling."""\n')
    (family / "twice.py").write_text(
        '"""A block."""\nfrom mfexplore.numerics.kernel import inline_kernel\nFACTOR = 2\n\n\n'
        "@inline_kernel\ndef twice(x):\n    return FACTOR * x\n"
    )
    model = tmp_path / "mfexplore" / "models" / "lattices" / "doubled"
    model.mkdir()
    (model / "__init__.py").write_text(
        '"""A page."""\nfrom mfexplore.models.lattices.doubled.theory import answer, other\n'
    )
    (model / "theory.py").write_text(
        "from mfexplore.families.doubling.twice import twice\nfrom mfexplore.numerics.kernel import kernel\n"
        '@kernel\ndef answer(x):\n    """Words."""\n    return twice(x)\n'
        "@kernel\ndef other(x):\n    return x\n"
    )
    return tmp_path


ANSWER = """
from mfexplore.models.lattices.doubled import answer, other
from mfexplore.core.folders import cache_folder
other(1)
print(answer(21), sum(answer.stats.cache_hits.values()), cache_folder())
"""


def change(folder: Path, name: str, old: str, new: str) -> None:
    file = folder / "mfexplore" / name
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))


BLOCK, THEORY = "families/doubling/twice.py", "models/lattices/doubled/theory.py"


def test_a_kernel_is_kept_and_a_changed_block_or_constant_is_not_answered_by_the_old_one(copied_package: Path) -> None:
    own = copied_package / "mfexplore" / "__pycache__" / "kernels"
    assert run(ANSWER, folder=copied_package) == f"42 0 {own}"
    assert run(ANSWER, folder=copied_package) == f"42 1 {own}"
    change(copied_package, BLOCK, "FACTOR * x", "FACTOR * x + 1")
    assert run(ANSWER, folder=copied_package) == f"43 0 {own}"
    change(copied_package, BLOCK, "FACTOR = 2", "FACTOR = 3")
    assert run(ANSWER, folder=copied_package) == f"64 0 {own}"
    other = "from mfexplore.models.lattices.doubled import other; other(1); print(sum(other.stats.cache_hits.values()))"
    assert run(other, folder=copied_package) == "1", "it does not use the block"


def test_words_lines_and_the_place_of_the_package_compile_nothing_anew(copied_package: Path, tmp_path: Path) -> None:
    run(ANSWER, folder=copied_package)
    change(copied_package, BLOCK, '"""A block."""', '"""A better\n\nblock."""\n# and a comment\nimport math')
    change(copied_package, THEORY, '"""Words."""', '"""Other words."""  # a comment')
    change(copied_package, "models/lattices/doubled/__init__.py", "A page.", "A page of a\n\ntextbook.")
    moved = tmp_path / "elsewhere"
    shutil.copytree(copied_package / "mfexplore", moved / "mfexplore")
    assert run(ANSWER, folder=moved) == f"42 1 {moved / 'mfexplore' / '__pycache__' / 'kernels'}"


def test_checkouts_share_their_kernels(copied_package: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(copied_package / "mfexplore", other / "mfexplore")
    environment = {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    for hits, place in enumerate((copied_package, other)):
        (place / "pyproject.toml").touch()
        said = run(ANSWER, folder=place, environment=environment)
        assert said == f"42 {hits} {tmp_path / '.cache' / 'mfexplore' / 'kernels'}"


def test_a_fingerprint_follows_what_is_called_and_no_words() -> None:
    def made(factor: float, table: Any, words: str) -> str:
        def inner(x):  # type: ignore[no-untyped-def]
            return factor * x

        inner.__doc__ = words

        def outer(x):  # type: ignore[no-untyped-def]
            return inner(x) + table[0] + exp(x)

        return fingerprint(outer)

    table = np.linspace(1.0, 2.0, 7)
    first = made(1.0, table, "one")
    assert made(1.0, table, "one") == first
    assert made(1.0, table * (1 + 2e-16), "one") == first, "another processor rounds otherwise"
    assert made(1.5, table, "one") != first
    assert made(1.0, table + 1e-9, "one") != first
    assert made(1.0, table[:-1], "one") != first


def test_a_fingerprint_of_functions_that_call_each_other_changes_with_each() -> None:
    def made(first_step: int, second_step: int) -> tuple[str, str]:
        def ping(n):  # type: ignore[no-untyped-def]
            return pong(n - first_step) if n > 0 else n

        def pong(n):  # type: ignore[no-untyped-def]
            return ping(n - second_step) if n > 0 else n

        return fingerprint(ping), fingerprint(pong)

    assert made(1, 1) == made(1, 1)
    for changed in (made(2, 1), made(1, 2)):
        assert not set(changed) & set(made(1, 1))


@pytest.mark.parametrize("file", [f for f in FILES if "models" in f.parts], ids=relative)
def test_the_stamp_of_a_system_covers_every_file_that_python_loads_for_its_kernels(file: Path) -> None:
    """What each kernel of a module uses, found in the running objects, stands in the files that imports lead to."""
    module = import_module(".".join(file.relative_to(PACKAGE.parent).with_suffix("").parts))
    ahead, met = [v for v in vars(module).values() if isinstance(v, Dispatcher)], set()
    while ahead:
        function = ahead.pop().py_func
        if function not in met:
            met.add(function)
            used = [function.__globals__.get(name) for name in function.__code__.co_names]
            ahead += [v for v in used if isinstance(v, Dispatcher)]
    assert {Path(function.__code__.co_filename) for function in met} <= sources().imported(file)


def test_what_nobody_uses_is_forgotten(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mfexplore.numerics.kernel.cache_folder", lambda: tmp_path)
    old, new = tmp_path / "former" / "old.nbc", tmp_path / "new.nbc"
    old.parent.mkdir()
    for file in (old, new):
        file.touch()
    os.utime(old, (0, 0))
    assert forget_unused() == 1
    assert not old.exists()
    assert new.exists()


# -- broken files ------------------------------------------------------------------------------------------------------


DAMAGED = """
import pickle, sys
from pathlib import Path
from mfexplore.core.folders import cache_folder
from mfexplore.numerics.kernel import _checksum, intact

def answered():
    # With modules that are loaded anew, kernels are, too.
    for name in [name for name in sys.modules if "doubl" in name]:
        del sys.modules[name]
    from mfexplore.models.lattices.doubled import answer, other
    return other(1), answer(21), sum(answer.stats.cache_hits.values())

assert answered() == (1, 42, 0) and answered() == (1, 42, 1)
(file,), (other,) = cache_folder().glob("answer-*.nbc"), cache_folder().glob("other-*.nbc")
whole = file.read_bytes()
for damage, content in {
    "cut off": whole[: len(whole) // 2],
    "empty": b"",
    "foreign": _checksum(file.name, pickle.dumps("hello")) + pickle.dumps("hello"),
    "of another kernel": other.read_bytes(),
    "changed": whole[:-100] + b"x" + whole[-99:],
}.items():
    file.write_bytes(content)
    print(damage, answered() == (1, 42, 0), answered() == (1, 42, 1), intact(file) is not None)
"""


def test_what_is_broken_is_compiled_anew_and_replaced(copied_package: Path) -> None:
    said = run(DAMAGED, folder=copied_package).splitlines()
    assert len(said) == 5
    assert [line for line in said if not line.endswith("True True True")] == []


def test_a_full_disk_keeps_nothing_and_stops_nothing(copied_package: Path) -> None:
    full = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000));"
    if sys.platform == "win32":
        pytest.skip("no limit of file sizes on Windows")
    assert run(full + ANSWER, folder=copied_package).startswith("42 0 ")
    assert not list((copied_package / "mfexplore" / "__pycache__" / "kernels").iterdir())


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


def test_warm_kernels_of_a_read_only_package_are_read(
    copied_package: Path, obeying_permissions: tuple[str, ...]
) -> None:
    """Whoever installed it warmed one kernel; the other is kept at home."""
    one = "from mfexplore.models.lattices.doubled import answer; print(answer(1))"
    run(one, folder=copied_package)
    home = copied_package / "home"
    home.mkdir()
    close(copied_package / "mfexplore")
    environment = {"HOME": str(home), "XDG_CACHE_HOME": ""}
    said = run(ANSWER, folder=copied_package, environment=environment, prefix=obeying_permissions)
    assert said == f"42 1 {home / '.cache' / 'mfexplore' / 'kernels'}"
    assert [file.name.split("-")[0] for file in (home / ".cache" / "mfexplore" / "kernels").glob("*.nbc")] == ["other"]


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
    monkeypatch.setattr(folders, "candidates", lambda: [tmp_path / "planted"])
    monkeypatch.setattr(os, "getuid", lambda: tmp_path.stat().st_uid + 1)
    assert folders.cache_folder.__wrapped__() is None


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
    arguments = (spins, 1000, 1.0, 0.9, Drive(0.0, 0.0, 1.0), 0.0)
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
    start = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(timeout=240) for process in start] == [0, 0]
    check = (
        "from mfexplore.models.lattices import curie_weiss as m; m.CurieWeiss().theory();"
        "print(sum(m.solve_points.stats.cache_hits.values()), sum(m.solve_points.stats.cache_misses.values()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], env=environment, capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.split() == ["1", "0"]


# -- details -----------------------------------------------------------------------------------------------------------


def test_division_and_infinity_mean_what_numpy_means() -> None:
    @kernel
    def ratio(x, y):  # type: ignore[no-untyped-def]
        return x / y

    assert ratio(1.0, 0.0) == np.inf
    assert np.isnan(ratio(0.0, 0.0))


@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no such signal")
def test_compiling_is_not_interrupted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The exception comes when the kernel is complete."""

    @kernel
    def double(x):  # type: ignore[no-untyped-def]
        return 2 * x

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    load = double._cache.load_overload  # type: ignore[attr-defined]

    def interrupt_and_load(*arguments: Any) -> Any:
        signal.raise_signal(signal.SIGALRM)
        return load(*arguments)

    monkeypatch.setattr(double._cache, "load_overload", interrupt_and_load)  # type: ignore[attr-defined]
    before = signal.signal(signal.SIGALRM, stop)
    try:
        with pytest.raises(KeyboardInterrupt):
            double(1.0)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(double.overloads) == 1  # type: ignore[attr-defined]
    assert double(1.0) == 2
