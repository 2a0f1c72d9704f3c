"""Warming compiles all that a system uses, so that nothing is compiled afterwards."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from mfexplore.core.catalogue import places, system
from mfexplore.core.errors import UnknownNameError
from mfexplore.study.warmup import is_warm, tiny, variants, warm


@pytest.mark.parametrize("key", places())
def test_variants_take_every_option_and_every_preset(key: str) -> None:
    kind = system(key)
    models = variants(kind)
    for name, made in kind.controls().items():
        assert {getattr(m, name) for m in models} >= set(made.options)
    assert {tiny(kind.preset(p.name)) for p in kind.presets} <= set(models)


def test_an_unknown_system_is_refused() -> None:
    for call in (is_warm, warm):
        with pytest.raises(UnknownNameError, match="no_such_system"):
            call("no_such_system")


CHECK = """
import sys
from mfexplore.study.warmup import is_warm, warm
before = is_warm("curie_weiss")
assert not [m for m in sys.modules if m.startswith("mfexplore.models.")], "asking must not import a system"
fractions = []
warm("curie_weiss", fractions.append)
assert fractions == sorted(fractions) and fractions[0] == 0 and fractions[-1] == 1
from numba.core.dispatcher import Dispatcher
from mfexplore.models.lattices import curie_weiss
kernels = [v for v in vars(curie_weiss).values() if isinstance(v, Dispatcher)]
print(before, is_warm("curie_weiss"), sum(sum(k.stats.cache_misses.values()) for k in kernels))
"""


def said(folder: Path, code: str = CHECK, **environment: str) -> list[str]:
    settings = os.environ | {"NUMBA_CACHE_DIR": str(folder)} | environment
    done = subprocess.run(
        [sys.executable, "-c", code], env=settings, capture_output=True, text=True, check=False, timeout=240
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.fixture(scope="module")
def warmed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[str]]:
    """A folder with the kernels of one system, and what was said while they were compiled."""
    folder = tmp_path_factory.mktemp("kernels")
    return folder, said(folder)


def test_once_warm_nothing_is_compiled(warmed: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder, (before, after, compiled) = shutil.copytree(warmed[0], tmp_path / "kernels"), warmed[1]
    assert (before, after) == ("False", "True")
    assert int(compiled) > 0
    assert said(folder) == ["True", "True", "0"]
    other_processor = said(folder, NUMBA_CPU_NAME="generic", NUMBA_CPU_FEATURES="")
    assert other_processor[0] == "False"
    assert int(other_processor[2]) > 0


BREAK = """
from mfexplore.core.folders import cache_folder
from mfexplore.study.warmup import is_warm, warm
warm("curie_weiss")
file = next(cache_folder().glob("solve_points-*.nbc"))
file.write_bytes(file.read_bytes()[:-1])
print(is_warm("curie_weiss"))
"""


def test_a_broken_or_missing_kernel_is_not_called_warm(warmed: tuple[Path, list[str]], tmp_path: Path) -> None:
    folder = shutil.copytree(warmed[0], tmp_path / "kernels")
    assert said(folder, BREAK) == ["False"]
    assert said(folder)[:2] == ["False", "True"]


LOOSE = "from mfexplore.study import warmup; print(warmup.is_warm('curie_weiss'))"


def test_what_cannot_be_kept_is_not_called_warm(tmp_path: Path) -> None:
    full = "import resource, signal; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
    full += "resource.setrlimit(resource.RLIMIT_FSIZE, (5000, 5000));"
    if sys.platform == "win32":
        pytest.skip("no limit of file sizes on Windows")
    assert said(tmp_path, full + "from mfexplore.study.warmup import warm; warm('curie_weiss');" + LOOSE) == ["False"]
