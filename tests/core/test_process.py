"""A library changes nothing of its user's process; the command sets up its own."""

from __future__ import annotations

import subprocess
import sys

SETTINGS = "(gc.isenabled(), gc.get_threshold(), gc.get_freeze_count() // 10_000, sys.getswitchinterval())"


def told(code: str) -> list[str]:
    """The lines that a fresh process prints."""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.split("\n")[:-1]


def test_use_from_python_leaves_the_interpreter_as_it_was() -> None:
    before, after = told(
        f"import gc, sys; print({SETTINGS})\n"
        "import mfexplore as mf; model = mf.system('curie_weiss')(size=50)\n"
        "model.theory(); model.diagram(resolution=9); model.ensemble(samples=2)\n"
        "from mfexplore.core.process import keep_loaded, serve_promptly; keep_loaded(); serve_promptly()\n"
        f"print({SETTINGS})"
    )
    assert after == before


def test_the_command_looks_for_garbage_seldom_but_still_does() -> None:
    collector, interval = told(
        "import gc, sys; from mfexplore.core.process import *; take_over(); keep_loaded(); serve_promptly()\n"
        "print(gc.isenabled(), gc.get_threshold()[0] == SELDOM, gc.get_freeze_count() > 0)\n"
        "print(f'{sys.getswitchinterval():.6f}')"
    )
    assert (collector, interval) == ("True True True", "0.002000")
