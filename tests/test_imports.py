"""The house stands on its own feet: imports point down, and importing it is cheap."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import mfexplore

PACKAGE = Path(mfexplore.__file__).parent
FLOORS = [
    "core",
    "numerics",
    "families",
    "models",
    "study",
    "figures",
    "guide",
    "workbench",
    "notebook",
    "app",
    "cli",
]  # from the ground up
FILES = [f for f in sorted(PACKAGE.rglob("*.py")) if f.parent != PACKAGE or f.stem == "cli"]


def floor_of(parts: tuple[str, ...]) -> str | None:
    return parts[1] if len(parts) > 1 and parts[1] in FLOORS else None


def imported(file: Path) -> set[str]:
    names = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
    return {n for n in names if n.startswith("mfexplore.")}


@pytest.mark.parametrize("file", FILES, ids=lambda f: str(f.relative_to(PACKAGE)))
def test_imports_point_down(file: Path) -> None:
    parts = ("mfexplore", *file.relative_to(PACKAGE).with_suffix("").parts)
    here = floor_of(parts)
    assert here is not None
    for name in imported(file):
        there = floor_of(tuple(name.split(".")))
        assert there is not None, name
        assert FLOORS.index(there) <= FLOORS.index(here), f"{'.'.join(parts)} imports {name}, which is above it"
        own = name.split(".")[:4] == list(parts[:4])  # a system that is a folder, of its own files
        if here == "models" and there == "models" and not own:
            pytest.fail(f"{'.'.join(parts)} imports {name}: a system knows no other system")
        if {here, there} == {"app", "notebook"}:
            pytest.fail("app and notebook stand side by side")


def test_importing_loads_no_plotting_web_or_model() -> None:
    code = "import sys, mfexplore; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120)
    loaded = done.stdout.split()
    tops = {name.split(".")[0] for name in loaded}
    heavy = {"panel", "holoviews", "bokeh", "matplotlib", "ipywidgets", "tornado", "dask", "IPython", "xarray"}
    assert not tops & heavy
    assert not [name for name in loaded if name.startswith("mfexplore.models.")]


def test_no_system_loads_what_a_first_result_does_not_need() -> None:
    """These parts of SciPy load each other; root finders come by `numerics.later`. Dask is installed with the tests,
    and xarray loads its arrays where it must find out whether it was given one.
    """
    code = (
        "import sys, mfexplore; mfexplore.systems(); mfexplore.system('kuramoto')().equilibrium(); print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=240)
    heavy = {"scipy.optimize", "scipy.integrate", "scipy.stats", "sklearn", "networkx", "dask.array"}
    assert not heavy & set(done.stdout.split())
