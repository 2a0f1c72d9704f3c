"""What every system states once is true wherever it is used: equations, phases and failures by name, boundaries."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import each_system

from mfexplore.core import Model, NotOfferedError, boundaries
from mfexplore.study.warmup import tiny as small

PLACES = 12  # random points at which equations are evaluated
COARSE = 9  # places along each axis of a plane, where what is declared must occur


def variants(kind: type[Model]) -> Iterator[Model]:
    """The default, every option of every choice that theory knows, and every preset."""
    default = small(kind())
    found = [default]
    for name, made in kind.controls().items():
        if made.part != "simulation":
            found += [default.replace(**{name: option}) for option in made.options]
    found += [small(kind.preset(preset.name)) for preset in kind.presets]
    yield from dict.fromkeys(found)


@each_system()
def test_equations_of_the_page_hold_where_the_theory_is_solved(system: type[Model]) -> None:
    """The kernel that solves does not certify itself: the equations stand a second time, in plain NumPy."""
    kind = system
    if not kind.offers("solve"):
        pytest.skip("no theory")
    assert kind.offers("equations"), "state the equations of the page in plain NumPy"
    rng = np.random.default_rng(1)
    free = [n for n in kind.axis_names() if kind.control(n).role != "size"]
    words = {n: c.options for n, c in kind.controls().items() if c.is_choice and c.part != "simulation"}
    evaluated = 0
    for _ in range(PLACES):
        values = {n: rng.choice(kind.control(n).grid(2001)) for n in free}
        chosen = {n: str(rng.choice(options)) for n, options in words.items()}
        model = small(kind()).replace(**values, **chosen)
        theory = model.theory(profiles=False)
        residual = theory["residual"]
        scalars = {o.name: theory[o.name].values for o in kind.observables if o.over is None and o.name in theory}
        labels = [theory[dimension].values for dimension in residual.dims]
        for place in map(tuple, np.argwhere(residual.values <= kind.tolerance)):
            names = [str(label[k]) for label, k in zip(labels, place, strict=True)]
            state = {name: float(values[place]) for name, values in scalars.items()}
            found = model.equations(state | dict(zip(map(str, residual.dims), names, strict=True)))
            for number, gap in found.items():
                assert abs(gap) <= max(1e-7, 100 * kind.tolerance), (number, values, chosen, names)
                evaluated += 1
    assert evaluated


@each_system()
def test_every_phase_and_every_failure_occurs(system: type[Model]) -> None:
    kind = system
    missing = {("phase", p.name) for p in kind.phases} | {("validity", f.name) for f in kind.failures}
    for model in variants(kind):
        planes: list[Any] = [None, *(p for p in kind.planes if model.applies(p))]
        for plane in planes:
            if not missing:
                return
            axes = {}
            if plane is not None:
                for axis in ("y", "x"):
                    window = model.range(plane, axis)
                    axes[getattr(plane, axis)] = model.control(getattr(plane, axis)).grid(COARSE, *window)
            theory = model.theory(profiles=False, **axes)
            for variable in ("phase", "validity"):
                if variable in theory:
                    names = theory[variable].attrs["flag_meanings"].split()
                    first = int(theory[variable].attrs["flag_values"][0])
                    codes = np.unique(theory[variable].values)
                    missing -= {(variable, names[int(code) - first]) for code in codes}
    assert not missing


@each_system()
def test_a_traced_boundary_is_crossed_where_it_is_drawn(system: type[Model]) -> None:
    kind = system
    model = small(kind())
    for plane, landmark in itertools.product(kind.planes, kind.landmarks):
        if landmark.of not in (plane.x, plane.y) or not model.applies(plane):
            continue
        kind.control(landmark.of)
        xs, ys = model.trace_landmark(landmark.name, plane.x, plane.y, model.range(plane, "x"))
        drawn = np.flatnonzero(np.isfinite(xs) & np.isfinite(ys))
        for k in drawn[:: max(1, len(drawn) // 3)]:
            at = {plane.x: xs[k], plane.y: ys[k]}
            value = at.pop(landmark.of)
            other = next(iter(at))
            if kind.control(other).is_integer and at[other] != round(at[other]):
                continue
            crossed = model.replace(**at).landmark(landmark.name, landmark.of)
            low, high = kind.control(landmark.of).bounds
            assert np.abs(crossed - value).min() <= 1e-6 * (high - low), (landmark.name, at, value)


@each_system()
def test_a_boundary_is_the_same_along_every_control(system: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Solved along another control, a boundary is where the one it is explicit in says."""
    kind = system
    monkeypatch.setattr(boundaries, "ALONG", 65)  # places at which crossings are looked for
    for model in itertools.islice(variants(kind), 4):
        for landmark, along in itertools.product(kind.landmarks, kind.axis_names()):
            if not landmark.of or along == landmark.of:
                continue
            try:
                places_along = model.landmark(landmark.name, along)
            except NotOfferedError:
                continue
            low, high = kind.control(landmark.of).bounds
            for place in places_along:
                values = model.replace(**{along: place}).landmark(landmark.name, landmark.of)
                if values.size:  # at the very end of a boundary rounding decides
                    gap = np.abs(values - getattr(model, landmark.of)).min()
                    assert gap <= 1e-5 * (high - low), (landmark.name, along, place)
