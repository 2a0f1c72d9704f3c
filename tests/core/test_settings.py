"""No number depends on the user's settings: floating-point errors raise and warnings are errors, for every system."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cases import each_system

from mfexplore import core
from mfexplore.core import Model, NotOfferedError, Simulation
from mfexplore.figures import publication, publication_trace
from mfexplore.study.export import csv
from mfexplore.study.warmup import tiny
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.sheet import Sheet

COARSE = 17  # places of a boundary, of every preset


def briefly(run: Simulation[Any], cancelled: object = None) -> dict[str, float]:
    """A sample of an ensemble after one step."""
    run.advance()
    return run.observe()


@each_system()
@pytest.mark.usefixtures("warnings_are_errors")
def test_floating_point_errors_and_warnings_may_be_errors(system: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is made of a system; its theory and its runs are computed so by the contract, where they are needed."""
    coarse = tuple(replace(landmark, finest=min(landmark.finest, COARSE)) for landmark in system.landmarks)
    monkeypatch.setattr(system, "landmarks", coarse)
    default = tiny(system())
    boundaries = {}
    for model in dict.fromkeys([default, *(tiny(system.preset(p.name)) for p in system.presets)]):
        for compute in (model.law, model.exact):
            with suppress(NotOfferedError):
                compute()
        with suppress(NotOfferedError):
            boundaries[model] = model.boundaries()
    figures = []
    if system.planes:
        plane, picture = default.planes[0], default.diagram(resolution=9)
        figures.append(publication.diagram(picture, system, plane.colour, plane.branch, boundaries=boundaries[default]))
    if system.offers("simulation"):
        run = default.simulate(seed=1)
        run.advance(2 * run.step)
        figures.append(publication_trace.traces(run.trace(), system))
        if default.offers("exact") or system.planes:
            if system.simulation.measure is Simulation.measure:
                monkeypatch.setattr(Simulation, "measure", briefly)
            default.ensemble(samples=1)
    with publication.paper():  # as `publication.save` does; what it writes, and where it places it, is the same for all
        for figure in figures:
            figure.set_layout_engine("none")
            figure.draw_without_rendering()


HOSTILE = """
import decimal, gc, sys, warnings
import matplotlib as mpl, numpy as np, pandas as pd, xarray as xr
mpl.rcParams.update({
    "text.usetex": True, "font.family": "no such font", "axes.formatter.use_locale": True, "savefig.bbox": "tight",
    "figure.dpi": 7, "axes.facecolor": "red", "lines.marker": "x",
})
before = dict(mpl.rcParams)
np.seterr(all="raise")
np.set_printoptions(precision=1, threshold=2)
decimal.getcontext().prec = 2
gc.disable()
pd.set_option("display.precision", 1)
xr.set_options(keep_attrs=False, arithmetic_join="exact", display_style="text")
sys.path.insert(0, "tests")
import tests.core.test_settings as test
warnings.simplefilter("error")
print(*test.fingerprints())
if dict(mpl.rcParams) != before or np.geterr()["divide"] != "raise" or gc.isenabled():
    print("changed")
"""


def fingerprints() -> list[str]:
    """Of figures, data and the page of a system."""
    kind = core.system("curie_weiss")
    model: Model = kind()
    picture, run = model.diagram(resolution=9), model.simulate(seed=1)
    run.advance(5)
    figures = (
        publication.diagram(picture, kind, "magnetization", boundaries=model.boundaries()),
        publication_trace.traces(run.trace(), kind, model.equilibrium()),
    )
    words = model.theory(start=["up", "down"], temperature=[0.5, 0.6])
    tables = [csv(d) for d in (picture, run.trace(), model.ensemble(samples=2, seed=1, size=100), words)]
    parts = [publication.save(figure, "svg") for figure in figures] + [table.encode() for table in tables]
    parts += [section.body.encode() for section in Sheet(Exploration.of(kind())).about]
    return [hashlib.sha256(part).hexdigest()[:16] for part in parts]


def test_hostile_settings_change_nothing_and_are_not_changed() -> None:
    """Matplotlib, NumPy, pandas, xarray, the collector, and docstrings left out by `python -OO`."""
    done = subprocess.run(
        [sys.executable, "-OO", "-c", HOSTILE], cwd=Path(__file__).parents[2], capture_output=True, text=True,
        check=False, timeout=250,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == fingerprints()
