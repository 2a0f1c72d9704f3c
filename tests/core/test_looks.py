"""What a page can show of a system: functions over their coordinates, pictures by name, views of what exists."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from cases import each_system

from mfexplore.core import Crossing, Mean, Model, Simulation, Value, View, pictures
from mfexplore.study.warmup import tiny as small
from mfexplore.workbench.exploration import Exploration

STEPS = 40  # of a small run, until it has measured something


def views(kind: type[Model]) -> list[tuple[str, Model, View]]:
    """All that are declared, with what they are views of and the model there."""
    found = [(one.name, one.controls, one.view) for one in kind.presets]
    found += [(one.title, one.at, one.view) for one in kind.references]
    found += [(one.prompt, one.controls, one.view) for one in kind.tasks]
    return [(of, kind(**controls), view) for of, controls, view in found]


@each_system()
def test_functions_are_over_declared_coordinates(system: type[Model]) -> None:
    kind, declared = system, {c.name for c in system.coordinates}
    if not declared:
        pytest.skip("no coordinates")
    assert declared == {o.over for o in kind.observables if o.over is not None}
    model = small(kind())
    for name, profile in model.profiles().items():
        assert model.observable(name).over in declared
        inner = [len(part) for part in (kind.methods, kind.branches) if part]
        assert profile.values.shape == (*inner, len(profile.coordinate))


@each_system(lambda entry: "simulation" in entry.offers)
def test_pictures_have_names_and_functions_are_measured(system: type[Model]) -> None:
    run = small(system()).simulate(seed=1)
    for steps in (0, STEPS):
        run.advance(steps * run.step)
        album = run.pictures()
        assert type(album[next(iter(album))]) is type(run.picture())
        for name in album:
            assert isinstance(album[name], pictures.Picture), name
        for name, measured in run.profiles().items():
            assert system.observable(name).over is not None
            assert np.shape(measured.coordinate) == np.shape(measured.values)
            assert measured.error is None or np.shape(measured.error) == np.shape(measured.values)
            assert (np.diff(measured.coordinate) > 0).all()


@each_system()
def test_views_are_of_what_exists(system: type[Model]) -> None:
    kind = system
    functions = {o.name for o in kind.observables if o.over is not None}
    words = [name for name, made in kind.controls().items() if made.is_choice]

    @cache
    def run_with(*options: str) -> Simulation[Any]:
        return small(kind(**dict(zip(words, options, strict=True)))).simulate(seed=1)

    for of, model, view in views(kind):
        run = run_with(*(getattr(model, name) for name in words)) if view.picture or view.series else None
        if view.plane is not None:
            model.plane(*view.plane)
        assert view.along is None or view.along in kind.axis_names(), of
        assert view.colour is None or kind.observable(view.colour), of
        assert view.branch is None or view.branch in {b.name for b in kind.branches}, of
        assert view.method is None or view.method in {m.name for m in kind.methods}, of
        assert view.function is None or view.function in functions, of
        assert view.picture is None or (run and view.picture in run.pictures()), of
        assert view.series is None or (run and view.series in run.observe()), of


@each_system()
def test_references_lead_to_what_they_speak_of(system: type[Model]) -> None:
    for reference in system.references:
        if reference.leads_somewhere:
            at, of = Exploration.of(system()).at_reference(reference), reference.of
            values = at.model.values()
            assert all(values[name] == value for name, value in reference.at.items() if name != reference.speaks_of)
            if isinstance(of, Value):
                assert of.observable in (at.colour, at.function), reference.title
                assert (at.branch, at.method) == (of.branch, of.method or at.method), reference.title
            elif isinstance(of, Mean):
                assert at.series == of.observable, reference.title
            elif isinstance(of, Crossing) and of.along in (at.x, at.y):
                assert at.along_control == of.along, reference.title
