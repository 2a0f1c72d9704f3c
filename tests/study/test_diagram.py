"""Diagrams come coarse to fine, say how far they are, stop when told, and do not show what is outdated at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
import xarray as xr

from mfexplore.models.collective.contact_process import ContactProcess
from mfexplore.models.glasses.random_energy import RandomEnergy
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.study import diagram
from mfexplore.study.diagram import diagram_levels, resolutions


def sides(levels: list[xr.Dataset]) -> list[int]:
    return [level.sizes["temperature"] for level in levels]


def test_every_level_doubles_the_one_before() -> None:
    assert resolutions(257) == [17, 33, 65, 129, 257]
    assert resolutions(5) == [5]


def test_slow_levels_are_all_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "AT_ONCE", 0.0)
    assert sides(list(diagram_levels(CurieWeiss(), resolution=65))) == [17, 33, 65]


def test_a_level_that_a_finer_one_follows_at_once_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "AT_ONCE", np.inf)
    fast = list(diagram_levels(CurieWeiss(), resolution=65))
    assert sides(fast) == [65]
    monkeypatch.setattr(diagram, "AT_ONCE", 0.0)
    *_, slow = diagram_levels(CurieWeiss(), resolution=65)
    xr.testing.assert_identical(fast[0], slow)


@pytest.mark.parametrize("executor", [None, ThreadPoolExecutor(1)], ids=["here", "elsewhere"])
def test_what_is_computed_in_tiles_is_all_that_the_theory_says(
    monkeypatch: pytest.MonkeyPatch, executor: ThreadPoolExecutor | None
) -> None:
    monkeypatch.setattr(diagram, "TILE_SECONDS", 0.0)
    monkeypatch.setattr(diagram, "WORTH_SHARING", 0.0)
    model = RandomEnergy()
    *_, found = diagram_levels(model, resolution=9, executor=executor)
    y, x = (str(name) for name in found["phase"].dims[:2])
    whole = model.theory(**{y: found[y].values, x: found[x].values}, profiles=False)
    assert set(found) == set(whole)
    xr.testing.assert_allclose(found, whole)
    assert (found["validity"] > 0).any()


def test_progress_runs_up_to_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "AT_ONCE", 0.0)
    told: list[float] = []
    list(diagram_levels(CurieWeiss(), resolution=65, progress=told.append))
    assert told == sorted(told)
    assert told[-1] == 1


def test_stops_between_tiles_when_cancelled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "AT_ONCE", 0.0)
    shown: list[xr.Dataset] = []
    for level in diagram_levels(CurieWeiss(), resolution=257, cancelled=lambda: len(shown) == 2):
        shown.append(level)
    assert sides(shown) == [17, 33]


def test_a_diagram_shows_the_failures_of_the_theory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagram, "TILE_SECONDS", 0.0)
    *_, shown = diagram_levels(ContactProcess(), resolution=17)
    axes = {name: shown[name].values for name in ("dilution", "infection_rate")}
    validity = ContactProcess().theory(**axes)["validity"]
    np.testing.assert_array_equal(shown["validity"].transpose(*validity.dims), validity)
    assert len(np.unique(validity)) > 2


def test_a_plane_says_how_fine_it_is_unless_somebody_asks_for_more(monkeypatch: pytest.MonkeyPatch) -> None:
    coarse = tuple(replace(plane, finest=33) for plane in CurieWeiss.planes)
    monkeypatch.setattr(CurieWeiss, "planes", coarse)
    assert CurieWeiss().diagram().sizes["temperature"] == 33
    assert CurieWeiss().diagram(resolution=65).sizes["temperature"] == 65
    assert CurieWeiss().plane("coupling", "field").finest == 33, "a plane that is not declared costs as much"
