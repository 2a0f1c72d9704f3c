"""What every system must do, present and future; no system is named here."""

from __future__ import annotations

import itertools
import json
import pickle
import re
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import FrozenInstanceError, astuple
from typing import Any

import numpy as np
import pytest
import xarray as xr
from cases import each_preset, each_system

from mfexplore.core import Model, NotOfferedError, Plane, Simulation, pictures
from mfexplore.core import system as find
from mfexplore.core.catalogue import places
from mfexplore.core.declaration import quantity
from mfexplore.core.errors import ArgumentError, ControlError, TooLargeError, UnknownNameError
from mfexplore.core.model import usable_memory
from mfexplore.study.warmup import tiny as small
from mfexplore.workbench.exploration import Exploration

pytestmark = pytest.mark.usefixtures("warnings_are_errors")
every_system = each_system()
with_theory = each_system(lambda entry: "solve" in entry.offers)
with_simulation = each_system(lambda entry: "simulation" in entry.offers)
all_presets = each_preset()


def offering(capability: str) -> Any:
    return each_system(lambda entry: capability in entry.offers)


# -- declaration ---------------------------------------------------------------------------------------------------


@every_system
def test_is_declared_completely(system: type[Model]) -> None:
    assert system.title
    assert system.summary.endswith(".")
    assert system.sources
    module_doc = __import__(system.__module__, fromlist=["_"]).__doc__
    assert "$" in module_doc, "the file's docstring holds the equations"
    assert "**Valid" in module_doc, "the file's docstring says where the theory is valid"
    assert len(system.presets) >= 3
    assert system.references
    assert system.offers("solve") or system.offers("simulation")
    for made in system.controls().values():
        assert made.doc, made.name
        assert made.is_choice or made.symbol, made.name


@every_system
def test_names_are_unique(system: type[Model]) -> None:
    for group in (
        system.observables, system.branches, system.methods, system.phases, system.failures, system.landmarks,
        system.presets,
    ):  # fmt: skip
        names = [item.name for item in group]
        assert len(set(names)) == len(names)
        assert all(" " not in n for n in names) or group is system.presets
    for method in system.methods:
        for observable in method.bound if isinstance(method.bound, Mapping) else ():
            assert system.observable(observable).over is None, f"{method.name} is a bound of a function"


@every_system
def test_relations_lead_to_systems_and_points_that_exist(system: type[Model]) -> None:
    said = system.relations
    assert len({(one.kind, one.to) for one in said}) == len(said)
    for one in said:
        assert one.to in places(), f"{one.to}: there is no such system"
        assert one.to != system.key
        assert one.because.endswith(".")
        system(**one.here)
        find(one.to)(**one.there)
        back = [(other.kind, other.to) for other in find(one.to).relations]
        assert (one.kind, system.key) not in back, "said by both: once is enough"


@every_system
def test_is_frozen_hashable_picklable_and_repeatable_from_its_values(system: type[Model]) -> None:
    model = system()
    assert hash(model) == hash(system())
    assert pickle.loads(pickle.dumps(model)) == model
    assert system(**model.values()) == model
    with pytest.raises(FrozenInstanceError):
        setattr(model, next(iter(model.controls())), 0)


@every_system
def test_bad_values_are_refused_by_name(system: type[Model]) -> None:
    for name, made in system.controls().items():
        bad = ["no such word"] if made.is_choice else [made.high * 2 + 1, made.low - 1, float("nan"), "many", None]
        for value in bad:
            with pytest.raises(ControlError) as caught:
                system(**{name: value})
            assert name in str(caught.value)
            assert made.allowed in str(caught.value)
    with pytest.raises(UnknownNameError, match="no_such_control"):
        system().replace(no_such_control=1)


@every_system
def test_words_for_students_are_whole_sentences(system: type[Model]) -> None:
    for item in (*system.phases, *system.failures):
        assert item.doc[0].isupper() or item.doc[0] == "$", item.name
        assert item.doc.endswith((".", "?", "!")), item.name
    for landmark in system.landmarks:  # phrases that go on after a name and a symbol
        assert not landmark.doc.endswith("."), landmark.name
    for made in system.controls().values():
        assert not made.doc.endswith("."), made.name


@all_presets
def test_presets_lie_in_the_plane_that_is_drawn(system: type[Model], preset: Any) -> None:
    """Its own plane, or one that is declared and exists there."""
    model = system.preset(preset.name)
    there = [plane for plane in system.planes if model.applies(plane)]
    planes = [model.plane(*preset.view.plane)] if preset.view.plane else there

    def holds(plane: Plane) -> bool:
        axes = ((plane.x, model.range(plane, "x")), (plane.y, model.range(plane, "y")))
        return all(low <= getattr(model, name) <= high for name, (low, high) in axes)

    assert any(map(holds, planes)) or not system.planes


@every_system
def test_one_can_look_as_views_say(system: type[Model]) -> None:
    """Everything that the view of a preset, a task or a reference names is there."""
    views = [(p.controls, p.view) for p in system.presets] + [(t.controls, t.view) for t in system.tasks]
    for controls, view in [*views, *((r.at, r.view) for r in system.references)]:
        model = system(**controls)
        at = Exploration.of(system()).at(model, view)
        assert at.model == model
        assert view.plane in (None, (at.x, at.y))


@all_presets
def test_presets_are_possible(system: type[Model], preset: Any) -> None:
    assert system.preset(preset.name) == system(**preset.controls)
    assert preset.watch.endswith((".", "?", "!"))


@every_system
def test_references_are_re_derived(system: type[Model]) -> None:
    for reference in system.references:
        assert reference.computed(system) == pytest.approx(reference.value, abs=reference.tolerance), reference.title


@every_system
def test_tasks_have_an_answer_in_reach(system: type[Model]) -> None:
    for task in system.tasks:
        answer = quantity(task.answer, system(**task.controls))
        assert np.isfinite(answer)
        if task.asked in system.controls():
            made = system.control(task.asked)
            assert made.low <= answer <= made.high


def numbers_in(text: str) -> list[float]:
    """The numbers that a text tells, but for small whole ones: 0.138, 13.8 %, 1000."""
    found = re.findall(r"(?<![\w.^_{])-?\d+(?:\.\d+)?(?:\s?\\?%)?", text)
    read = [(one, float(one.rstrip("% \\"))) for one in found]
    return [0.01 * value if "%" in one else value for one, value in read if "%" in one or "." in one or value >= 10]


@every_system
def test_a_page_does_not_tell_the_answers_of_its_tasks(system: type[Model]) -> None:
    """What stands on it unasked; the numbers of references are kept back until a task is revealed."""
    told = [system.summary, *(control.doc for control in system.controls().values())]
    told += [text for preset in system.presets for text in (preset.name, preset.watch)]
    told += [text for reference in system.references for text in (reference.title, reference.source)]
    told += [one.doc for one in (*system.landmarks, *system.phases, *system.failures)]
    told += [task.prompt for task in system.tasks]
    for task in system.tasks:
        truth = task.truth(system)
        for text in told:
            for number in numbers_in(text):
                assert not task.is_told_by(number, truth), f"{text!r} answers {task.prompt!r}"


# -- theory --------------------------------------------------------------------------------------------------------


def assert_sound(dataset: xr.Dataset, system: type[Model]) -> None:
    """Converged solutions have numbers; absent or unconverged ones have none; codes are in range.

    On the arrays alone: xarray would take ten times as long as the theory, and this is asked at hundreds of corners.
    """
    residual = dataset.variables["residual"]
    exists = residual.values <= system.tolerance
    model = system(**json.loads(dataset.attrs["controls"]))
    for observable in system.observables:
        if observable.name in dataset.variables and observable.over is None:
            assert dataset.variables[observable.name].dims == residual.dims
            missing = np.isnan(dataset.variables[observable.name].values)
            if not model.applies(observable):
                assert missing.all(), f"{observable.name} has values where it does not exist"
                continue
            assert not (exists & missing).any(), f"{observable.name} is NaN where the solution exists"
            assert (exists | missing).all(), f"{observable.name} has values where there is no solution"
    assert (dataset.variables["converged"].values == (exists | np.isnan(residual.values))).all()
    validity = dataset.variables["validity"].values
    assert validity.min() >= 0
    assert validity.max() <= len(system.failures)
    if "phase" in dataset.variables:
        phase = dataset.variables["phase"].values
        assert phase.min() >= -1
        assert phase.max() < len(system.phases)


@with_theory
def test_theory_is_labelled(system: type[Model]) -> None:
    dataset = system().theory()
    assert_sound(dataset, system)
    assert dataset.attrs["system"] == system.key
    for observable in (o for o in system.observables if system().applies(o)):
        assert observable.name in dataset, f"declared observable {observable.name} is missing"
        assert dataset[observable.name].attrs["symbol"] == observable.symbol
    if system.branches:
        assert list(dataset["branch"].values) == [b.name for b in system.branches]
    if system.methods:
        assert list(dataset["method"].values) == [m.name for m in system.methods]


@all_presets
def test_presets_are_solved(system: type[Model], preset: Any) -> None:
    if not system.offers("solve"):
        pytest.skip("no theory")
    dataset = system.preset(preset.name).theory()
    assert_sound(dataset, system)
    assert bool(dataset["converged"].all()), "a preset must be solved on every branch"
    if system.phases:
        assert (dataset["phase"] >= 0).all()


@with_theory
def test_corners_are_sound(system: type[Model]) -> None:
    """For all words each control at its extremes, and corners of the theory's controls at once: of the first five all
    of them, with the others at their low ends and at their high ends.
    """
    numbers = [n for n in system.axis_names() if system.control(n).role != "size"]
    ends = {n: np.array(system.control(n).bounds) for n in numbers}
    choices = {n: c.options for n, c in system.controls().items() if c.is_choice and c.part != "simulation"}
    defaults = small(system())
    for words in itertools.product(*choices.values()):
        model = defaults.replace(**dict(zip(choices, words, strict=True)))
        for name in numbers:
            assert_sound(model.theory(**{name: ends[name]}), system)
        for end in range(2 if numbers[5:] else 1):
            others = {name: ends[name][end] for name in numbers[5:]}
            assert_sound(model.theory(**others, **{name: ends[name] for name in numbers[:5]}), system)


@with_theory
def test_an_axis_gives_the_same_as_its_points(system: type[Model]) -> None:
    """A batch must not depend on its neighbours beyond the tolerance of the solver."""
    if not system.planes:
        pytest.skip("no plane")
    plane = system.planes[0]
    model = small(system())
    axis = model.control(plane.y).grid(7, *model.range(plane, "y"))
    together = model.theory(**{plane.y: axis})
    for value in axis:
        alone = model.theory(**{plane.y: value})
        for name in [o.name for o in system.observables if o.over is None]:
            a, b = together[name].sel({plane.y: value}).values, alone[name].values
            np.testing.assert_allclose(a, b, rtol=1e-5, atol=1e-6, err_msg=f"{name} at {plane.y} = {value}")


@with_theory
def test_two_axes_make_two_dimensions(system: type[Model]) -> None:
    if not system.planes:
        pytest.skip("no plane")
    x, y = system.planes[0].x, system.planes[0].y
    model = small(system())
    xs, ys = model.control(x).grid(3), model.control(y).grid(4)
    dataset = model.theory(**{y: ys, x: xs})
    assert dataset["residual"].dims[:2] == (y, x)
    assert dataset["residual"].shape[:2] == (len(ys), len(xs))


@with_theory
def test_choices_may_be_axes(system: type[Model]) -> None:
    model = small(system())
    for name, made in system.controls().items():
        if made.is_choice and made.part != "simulation":
            dataset = model.theory(**{name: list(made.options)})
            assert list(dataset[name].values) == list(made.options)


@with_theory
def test_theory_without_profiles_is_the_rest_of_it(system: type[Model]) -> None:
    model = small(system())
    functions = {o.name: o.over for o in system.observables if o.over is not None}
    whole, rest = model.theory(), model.theory(profiles=False)
    assert not functions.keys() & set(rest.variables)
    assert rest.identical(whole.drop_vars([n for n in (*functions, *functions.values()) if n in whole.variables]))


@with_theory
def test_equilibrium_is_one_of_the_branches(system: type[Model]) -> None:
    model = small(system())
    axes = {}
    if model.planes:
        plane = model.planes[0]
        axes = {plane.x: model.control(plane.x).grid(4, *model.range(plane, "x"))}
    theory, found = model.theory(**axes), model.equilibrium(**axes)
    assert "branch" not in found.dims
    if not model.branches:
        assert theory.identical(found)
        return
    chosen = theory.isel(branch=theory["equilibrium"].clip(0).astype(int)).drop_vars("equilibrium")
    for name, values in chosen.variables.items():
        if "branch" in theory.variables[name].dims and values.dtype.kind == "f":
            chosen[name] = chosen[name].where(theory["equilibrium"] >= 0).assign_attrs(values.attrs)
    assert chosen.identical(found)


@offering("planes")
def test_diagram_refines_from_coarse_to_fine(system: type[Model]) -> None:
    levels = list(small(system()).diagram_levels(resolution=33))
    sizes = [d.sizes[system.planes[0].x] for d in levels]
    assert sizes == sorted(sizes)
    assert_sound(levels[-1], system)
    assert system.planes[0].colour in levels[-1]
    if system.phases:
        assert (levels[-1]["phase"] >= 0).mean() > 0.9, "most of the diagram must be known"


@each_system(lambda entry: bool(entry.landmarks))
def test_boundaries_lie_in_their_plane(system: type[Model]) -> None:
    boundaries = small(system()).boundaries()
    assert boundaries.sizes["boundary"] >= 1
    for axis in ("x", "y"):
        name = getattr(system.planes[0], axis)
        values = boundaries[name].values
        values = values[np.isfinite(values)]
        made = system.control(name)
        slack = 1e-9 * (made.high - made.low)
        assert values.size
        assert values.min() >= made.low - slack
        assert values.max() <= made.high + slack


@offering("landscape")
def test_landscape_is_finite_and_named(system: type[Model]) -> None:
    for preset in system.presets:
        try:
            landscape = small(system.preset(preset.name)).landscape()
        except NotOfferedError:
            continue
        system.observable(landscape.observable)
        assert np.isfinite(landscape.free_energy).any()
        assert landscape.coordinate.shape == landscape.free_energy.shape


@offering("law")
def test_law_is_normalised(system: type[Model]) -> None:
    law = small(system()).law()
    spread = law.density.sum() if law.discrete else np.trapezoid(law.density, law.values)
    mass = spread + sum(weight for _, weight in law.atoms)
    assert mass == pytest.approx(1, abs=0.02)
    assert (law.density >= -1e-9).all()


@offering("exact")
def test_exact_values_are_observables(system: type[Model]) -> None:
    for name, value in small(system()).exact().items():
        system.observable(name)
        assert np.isfinite(value)


# -- simulation ----------------------------------------------------------------------------------------------------


@with_simulation
def test_same_seed_same_run(system: type[Model]) -> None:
    model = small(system())
    runs = [model.simulate(seed=seed) for seed in (3, 3, 4)]
    for run in runs:
        run.advance(3 * run.step)
    first, second, other = (run.trace() for run in runs)
    xr.testing.assert_identical(first, second)
    assert not first.drop_attrs().identical(other.drop_attrs())


def assert_same(run: Simulation, other: Simulation) -> None:
    """The same clock, state and past, bit for bit."""
    assert run.time == other.time
    np.testing.assert_equal(run.observe(), other.observe())
    xr.testing.assert_identical(run.trace(), other.trace())
    np.testing.assert_equal(astuple(run.picture()), astuple(other.picture()))


@with_simulation
def test_time_is_what_was_simulated_however_it_is_cut(system: type[Model]) -> None:
    model = small(system())
    whole, cut, one_by_one = (model.simulate(seed=3) for _ in range(3))
    step, quantum = whole.step, whole.quantum or whole.step
    assert step / quantum == round(step / quantum)
    whole.advance(7 * step)
    asked = 0.0
    for part in [0.4] * 5 + [0.0, 1 / 3, 1 / 3, 1 / 3] + [2.5, 1.25, 0.01, 0.24]:
        cut.advance(part * step)
        asked += part * step
        assert cut.finished or asked - quantum < cut.time * (1 + 1e-9) <= asked * (1 + 2e-9) + 1e-9 * step
        cut.observe()  # to look at it changes nothing
        cut.trace()
    for _ in range(7):
        one_by_one.advance()
    assert_same(cut, whole)
    assert_same(one_by_one, whole)
    assert whole.finished or whole.time == pytest.approx(7 * step, rel=1e-12)
    times, series = whole.series()
    np.testing.assert_allclose(times[1:-1], step * np.arange(1, len(times) - 1), rtol=1e-12)
    np.testing.assert_equal({name: values[-1] for name, values in series.items()}, whole.observe())


@with_simulation
def test_an_impossible_duration_is_refused(system: type[Model]) -> None:
    run = small(system()).simulate(seed=1)
    for duration in (-1.0, float("nan"), float("inf")):
        with pytest.raises(ArgumentError, match=f"duration = {duration}"):
            run.advance(duration)
        assert run.time == 0


@with_simulation
@pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="this system has no such signal")
def test_an_interrupt_comes_between_two_steps(system: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    """Signals whose handler raises, sent in the middle of every step: each step is done, then the exception comes."""
    model = small(system())
    calm, run = model.simulate(seed=3), model.simulate(seed=3)
    calm.advance(4 * calm.step)

    def interrupted(method: Any) -> Any:
        def call(*args: Any) -> Any:
            signal.raise_signal(signal.SIGALRM)
            result = method(*args)
            signal.raise_signal(signal.SIGALRM)
            return result

        return call

    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    for name in ("evolve", "observe"):
        monkeypatch.setattr(run, name, interrupted(getattr(run, name)))
    before = signal.signal(signal.SIGALRM, stop)
    try:
        interrupts = 0
        while run.time < calm.time:
            try:
                run.advance(calm.time - run.time)
            except KeyboardInterrupt:
                interrupts += 1
        assert interrupts == len(run.series()[0]) - 1
        assert signal.getsignal(signal.SIGALRM) is stop
    finally:
        signal.signal(signal.SIGALRM, before)
    monkeypatch.undo()
    assert_same(run, calm)


@with_simulation
def test_a_trace_tells_which_controls_were_followed_and_when(system: type[Model]) -> None:
    model = small(system()).realised()
    run = model.simulate(seed=1)
    run.advance(2 * run.step)
    assert "controls_changed" not in run.trace().attrs
    changes: dict[str, Any] = {}
    for name, made in system.controls().items():
        if made.is_choice or made.quenched or made.role in ("size", "start"):
            continue
        changes[name] = made.low if getattr(model, name) != made.low else made.high
        assert run.follow(run.model.replace(**{name: changes[name]}))
    run.advance(run.step)
    attributes = run.trace().attrs
    assert json.loads(attributes["controls"]) == model.values()
    if changes:
        (change,) = json.loads(attributes["controls_changed"])
        assert change["controls"] == changes
        assert change["time"] in run.series()[0]


def measured(run: Simulation) -> bool:
    """Whether everything observed is a number; NaN stands for what cannot be measured yet, but never for everything."""
    values = np.array(list(run.observe().values()))
    return bool(np.isfinite(values).any() and not np.isinf(values).any())


@with_simulation
def test_trace_and_picture_grow_with_time(system: type[Model]) -> None:
    run = small(system()).simulate(seed=1)
    run.advance(2 * run.step)
    trace = run.trace()
    assert trace.sizes["time"] >= 2 or run.finished
    assert trace.attrs["system"] == system.key
    for values in trace.values():
        assert not np.isinf(values).any()
    assert np.isfinite(trace.isel(time=-1).to_array()).any()
    assert isinstance(run.picture(), pictures.Picture)


@with_simulation
def test_simulated_observables_have_the_names_of_theory(system: type[Model]) -> None:
    known = {o.name for o in system.observables}
    assert known & set(small(system()).simulate(seed=1).observe())


@all_presets
def test_presets_run(system: type[Model], preset: Any) -> None:
    if not system.offers("simulation"):
        pytest.skip("no simulation")
    model = small(system.preset(preset.name))
    run = model.simulate(seed=1)
    with suppress(NotOfferedError):
        model.predicted_path(run.observe(), np.linspace(0, 5 * run.step, 6))
    run.advance(2 * run.step)
    assert measured(run)
    run.trace()
    run.picture()
    with suppress(NotOfferedError):
        run.samples()


@with_simulation
def test_extremes_run(system: type[Model]) -> None:
    """Every control at both ends, the others at their defaults, at an affordable size; what cannot fit is refused."""
    for name, made in system.controls().items():
        values = made.options if made.is_choice else (made.low, made.high)
        for value in values:
            if made.role == "size" and value == made.high:
                continue
            try:
                run = small(system()).replace(**{name: value}).simulate(seed=1)
            except TooLargeError:
                continue
            run.advance(run.step)
            assert measured(run), f"{name} = {value}"


@with_simulation
def test_a_running_simulation_follows_a_control_that_is_not_quenched(system: type[Model]) -> None:
    model = small(system())
    run = model.simulate(seed=1)
    for name, made in system.controls().items():
        if made.is_choice or made.role == "size":
            continue
        changed = model.replace(**{name: made.low if getattr(model, name) != made.low else made.high})
        followed = model.simulate(seed=1).follow(changed)
        assert followed == (not made.quenched and made.role not in ("size", "start"))
    run.advance(run.step)


@with_simulation
def test_a_size_too_large_is_refused_with_bytes(system: type[Model], monkeypatch: pytest.MonkeyPatch) -> None:
    assert small(system()).footprint() > 0
    monkeypatch.setattr("mfexplore.core.model.usable_memory", lambda: 1)
    with pytest.raises(TooLargeError, match="bytes"):
        system().simulate()
    assert usable_memory() > 2**20


@with_simulation
def test_law_has_samples(system: type[Model]) -> None:
    if not system.offers("law"):
        pytest.skip("no law")
    run = small(system()).simulate(seed=1)
    run.advance(4 * run.step)
    assert np.isfinite(run.samples()).all()


@with_simulation
def test_predicted_path_starts_where_the_simulation_starts(system: type[Model]) -> None:
    if not system.offers("predicted_path"):
        pytest.skip("no predicted path")
    model = small(system())
    run = model.simulate(seed=1)
    times = np.linspace(0, 5 * run.step, 6)
    path = model.predicted_path(run.observe(), times)
    assert path
    for name, values in path.items():
        assert values.shape in (times.shape, (len(system.methods), *times.shape)), name
        assert np.isfinite(np.atleast_2d(values)).all(axis=1).any(), name  # a rival may have nothing to say here
