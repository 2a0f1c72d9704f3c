"""What the panels of a workbench show, computed as jobs: generators that ask `cancelled` between slices.

All of it is a pure function of the exploration, so it is computed once for all people of a process (study/answers.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Landscape, Law, Model, Recursion
from mfexplore.core.provenance import provenance
from mfexplore.core.seeds import Seed, stream
from mfexplore.core.simulation import never
from mfexplore.core.solution import values_of
from mfexplore.figures.function import Branchwise, functions_of
from mfexplore.figures.scale import Scale
from mfexplore.study.answers import answers
from mfexplore.study.diagram import diagram_levels
from mfexplore.study.diagrams_kept import kept_diagram
from mfexplore.study.ensemble import Average, average, measure_ages, measure_sample
from mfexplore.study.hysteresis import PLACES, as_dataset, carried, usual_dwell
from mfexplore.study.measured import Dots
from mfexplore.study.turns import Rank, lower
from mfexplore.workbench.agreement import Sampled
from mfexplore.workbench.exploration import ENSEMBLE_SAMPLES, Exploration
from mfexplore.workbench.jobs import Cancelled

if TYPE_CHECKING:
    import xarray as xr

# Where it is installed, xarray imports it in the middle of some work, and SciPy asks whether arrays are of its kind: a
# thread of another job would find it half loaded.
with suppress(ImportError):
    import dask.array  # noqa: F401

CURVE_POINTS = 161
MOST_CURVE_POINTS = 500
HALVINGS = 10  # of a step of the curve, where it is too coarse
STEEP = 0.03  # part of the height of the picture that one step of the curve may take
MEASURED_POINTS = 13
EXACT_POINTS = 41
MOST_SAMPLES, FEWEST_SAMPLES = 10_000, 8  # of an average at one point; an error of fewer is not trusted
JUDGED = 20  # an average has to have grown by such a part to be looked at again: all of it is computed anew
TOLD = 0.1  # seconds from one look at a long average to the next
PLANE_POINTS = 9  # along each axis of a plane, where it is measured ...
PLANE_SAMPLES = 4  # ... with so many samples each


@dataclass(frozen=True)
class Point:
    """Everything the theory says at the marker; None where the system does not offer it. functions: the lines of each
    observable that is a function.
    """

    theory: xr.Dataset
    functions: dict[str, list[Branchwise]]
    landscape: Landscape | None
    recursion: Recursion | None
    laws: tuple[Law, ...]

    def states_of(self, observable: str) -> tuple[NDArray[Any], NDArray[Any]]:
        """The observable on all branches (of the first method), and which of them are stable: shape (branches,); empty
        for something that the theory has no branches of.
        """
        if observable not in self.theory.variables:
            return np.empty(0), np.empty(0, bool)
        of = values_of(self.theory, self.theory.get_index("method")[0] if "method" in self.theory.dims else None)
        return np.atleast_1d(of(observable)), np.atleast_1d(of("stable"))


def _theory(model: Model, *axes: str) -> tuple[Any, ...]:
    """The key of what theory says along these axes: the system and all that it depends on beside them."""
    names = [n for n, c in model.controls().items() if c.part != "simulation" and n not in axes]
    return (type(model), axes, *(getattr(model, n) for n in names))


def _said_of(dataset: xr.Dataset, model: Model) -> xr.Dataset:
    """The same numbers, whoever asked for them first, with the provenance of this model."""
    return dataset.assign_attrs(provenance(model))


def point(at: Exploration, cancelled: Cancelled) -> Iterator[Point]:
    """The theory at the marker."""
    model = at.model

    def compute(cancelled: Cancelled) -> Iterator[Point]:
        laws = model.offers("law") and _unless_refused(lambda: model.laws(0.0))
        landscape, recursion = (
            _unless_refused(getattr(model, what)) if model.offers(what) else None for what in ("landscape", "recursion")
        )
        theory, kind = model.theory(), type(model)
        functions = {
            o.name: functions_of(theory, kind, o.name) for o in kind.observables if o.over and model.applies(o)
        }
        yield Point(theory, functions, landscape, recursion, laws or ())

    yield from answers.ask(("point", model), compute, cancelled, short=True)


def _unless_refused(compute: Callable[[], Any]) -> Any:
    """What a model has at these controls, or None if it refuses."""
    try:
        return compute()
    except MfexploreError:
        return None


def curve(at: Exploration, cancelled: Cancelled = never) -> xr.Dataset:
    """The theory along the abscissa of the curve, on an even grid. Raises CancelledError if `cancelled()`."""

    def compute(cancelled: Cancelled) -> Iterator[xr.Dataset]:
        yield _theory_along(at, at.model.control(at.along_control).grid(CURVE_POINTS, *at.window(at.along)))

    key = ("curve", _theory(at.model, at.along_control), at.window(at.along))
    for found in answers.ask(key, compute, cancelled, short=True):
        return _said_of(found, at.model)
    raise CancelledError


def _theory_along(at: Exploration, values: NDArray[Any]) -> xr.Dataset:
    """The theory at these values of the abscissa, as far as the curve can show it."""
    axes: dict[str, Any] = {at.along_control: values}
    return at.model.theory(profiles=False, **axes)


def refined_curve(at: Exploration, dataset: xr.Dataset, cancelled: Cancelled) -> Iterator[xr.Dataset]:
    """The curve with points added, by halving, where a branch begins or ends and where it is steep: on an even grid one
    that grows from zero like a square root would seem to begin with a jump, and a jump would seem to lean. Nothing if
    there is nothing to add, or `cancelled()`.
    """
    key = ("refined", _theory(at.model, at.along_control), at.window(at.along), at.colour)
    for found in answers.ask(key, lambda cancelled: _refine(at, dataset, cancelled), cancelled):
        yield _said_of(found, at.model)


def _refine(at: Exploration, dataset: xr.Dataset, cancelled: Cancelled) -> Iterator[xr.Dataset]:
    import xarray as xr

    lower(Rank.REFINEMENT)
    model, name, observable = at.model, at.along_control, at.colour
    if model.control(name).is_integer:
        return
    declared = model.observable(observable)
    scale = Scale(declared)
    low, high = scale.range(dataset[observable].values, declared.low, declared.high)
    height = float(scale.place(high) - scale.place(low))

    def lines(found: xr.Dataset) -> NDArray[Any]:
        """Places on the ordinate as far as they are shown, NaN where there is no such state; shape (points, lines)."""
        solved = (found["residual"] <= model.tolerance).transpose(name, ...)
        shown = found[observable].clip(low, high).where(solved).transpose(*solved.dims).values
        return scale.place(shown).reshape(len(shown), -1)

    x, y, pieces = dataset[name].values, lines(dataset), [dataset]
    for _ in range(HALVINGS):
        if cancelled():
            return
        there = np.isfinite(y)
        ends = (there[1:] != there[:-1]).any(axis=1)
        steep = (np.abs(np.diff(y, axis=0)) > STEEP * height).any(axis=1)
        middle = (0.5 * (x[1:] + x[:-1]))[ends | steep]
        points = np.setdiff1d(middle, x)
        if not len(points) or len(x) + len(points) > MOST_CURVE_POINTS:
            break
        pieces.append(_theory_along(at, points))
        order = np.argsort(np.concatenate([x, points]))
        x, y = np.concatenate([x, points])[order], np.concatenate([y, lines(pieces[-1])])[order]
    if len(pieces) == 1:
        return
    joined: xr.Dataset = xr.concat(pieces, name, combine_attrs="override", data_vars="minimal").sortby(name)
    yield joined


def diagram(at: Exploration, resolution: int, progress: Callable[[float], None]) -> Any:
    """The job that computes the levels of the diagram."""
    windows = at.window("x"), at.window("y")
    key = ("diagram", _theory(at.model, at.x, at.y), resolution, windows)

    def compute(cancelled: Cancelled) -> Iterator[xr.Dataset]:
        levels = lambda: diagram_levels(  # noqa: E731 (most diagrams are not kept, and then it is called at once)
            at.model, at.x, at.y, resolution, x_range=windows[0], y_range=windows[1],
            cancelled=cancelled, progress=progress,
        )  # fmt: skip
        yield from kept_diagram(type(at.model), key[1:], levels)

    def levels(cancelled: Cancelled) -> Iterator[xr.Dataset]:
        for found in answers.ask(key, compute, cancelled):
            yield _said_of(found, at.model)

    return levels


def boundaries(at: Exploration, cancelled: Cancelled) -> Iterator[xr.Dataset]:
    """The lines of the diagram."""

    def compute(cancelled: Cancelled) -> Iterator[xr.Dataset]:
        lower(Rank.REFINEMENT)
        yield at.model.boundaries(at.x, at.y)

    for found in answers.ask(("boundaries", _theory(at.model, at.x, at.y)), compute, cancelled):
        yield _said_of(found, at.model)


def exact(at: Exploration, cancelled: Cancelled) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
    """The exact values at finite size along the abscissa, if the system knows them for the observable."""
    name = at.along_control
    grid = at.model.control(name).grid(EXACT_POINTS, *at.window(at.along))

    def compute(cancelled: Cancelled) -> Iterator[tuple[NDArray[Any], NDArray[Any]]]:
        lower(Rank.BACKGROUND)
        values = np.full(len(grid), np.nan)
        for k, value in enumerate(grid):
            if cancelled():
                return
            values[k] = at.model.replace(**{name: value}).exact().get(at.colour, np.nan)
            if k == 0 and np.isnan(values[0]):
                break
        if np.isfinite(values).any():
            yield grid.astype(float), values

    elsewhere = tuple((n, v) for n, v in at.model.values().items() if n != name)
    yield from answers.ask(("exact", type(at.model), name, elsewhere, tuple(grid), at.colour), compute, cancelled)


def exact_here(at: Exploration, cancelled: Cancelled) -> Iterator[dict[str, float]]:
    """The exact values at the size that is simulated at the marker; nothing where the system has none."""
    model = at.model.realised()

    def compute(cancelled: Cancelled) -> Iterator[dict[str, float]]:
        lower(Rank.BACKGROUND)
        yield _unless_refused(model.exact) or {}

    yield from answers.ask(("exact here", model), compute, cancelled)


def loop(at: Exploration, cancelled: Cancelled) -> Iterator[tuple[xr.Dataset, float]]:
    """A run that is carried along the abscissa of the curve and back, as `Model.hysteresis` gives it, so far; and which
    part of all that is.
    """
    name = at.along_control
    values = at.model.control(name).grid(PLACES, *at.window(at.along))
    model = at.model.replace(**{name: values[0]})

    def compute(cancelled: Cancelled) -> Iterator[tuple[xr.Dataset, float]]:
        lower(Rank.REFINEMENT)
        for done, found in enumerate(carried(model, name, values, None, stream(at.seed, 0), cancelled)):
            so_far = as_dataset(model, name, values, [found], seed=at.seed, dwell=usual_dwell(model))
            yield so_far, done / (2 * len(values))

    yield from answers.ask(("loop", model, name, tuple(values), at.seed), compute, cancelled)


def measured_plane(at: Exploration, cancelled: Cancelled) -> Iterator[tuple[Dots, float]]:
    """Averages of the simulation at points all over the shown plane, coarse to fine, so far; and which part of all that
    is.
    """
    lower(Rank.REFINEMENT)
    across, up = (_inside(at, axis) for axis in ("x", "y"))
    order = [(x, y) for x, y in _coarse_to_fine_in(len(across), len(up))]
    found: list[tuple[float, float, dict[str, float]]] = []
    for done, (i, k) in enumerate(order):
        model = at.model.replace(**{at.x: across[i], at.y: up[k]}).realised()
        here = _samples(model, at.seed, cancelled, PLANE_SAMPLES, Rank.REFINEMENT)
        if here is None:
            return
        means = {name: mean for name, (mean, *_) in here.items()}
        found.append((float(getattr(model, at.x)), float(getattr(model, at.y)), means))
        yield Dots.of(found), (done + 1) / len(order)


def _inside(at: Exploration, axis: str) -> NDArray[Any]:
    """Places all over an axis of the plane, but not at its ends, where dots would be cut off."""
    name = at.x if axis == "x" else at.y
    places = at.model.control(name).grid(2 * PLANE_POINTS + 1, *at.window(axis))
    return places[1::2] if len(places) == 2 * PLANE_POINTS + 1 else places[:: -(-len(places) // PLANE_POINTS)]


def _coarse_to_fine_in(columns: int, rows: int) -> list[tuple[int, int]]:
    """The cells of a table in an order of which every beginning is spread over all of it."""
    first = {k: place for place, k in enumerate(coarse_to_fine(columns))}
    second = {k: place for place, k in enumerate(coarse_to_fine(rows))}
    cells = [(i, k) for k in second for i in first]
    return sorted(cells, key=lambda cell: max(first[cell[0]], second[cell[1]]))


class Ensembles:
    """Averages of the simulation along a control, remembered while the other controls stay as they are."""

    def __init__(self) -> None:
        self._key: Any = None
        self.points: dict[float, dict[str, Sampled]] = {}

    def turn_to(self, at: Exploration) -> None:
        """Forget what was measured elsewhere."""
        others = {n: v for n, v in at.model.values().items() if n != at.along_control}
        key = (at.along_control, tuple(others.items()), at.seed, at.along and at.window(at.along))
        if key != self._key:
            self._key, self.points = key, {}

    def job(self, at: Exploration, progress: Callable[[float], None]) -> Any:
        """Measure at the marker first, then at points spread over the window, coarse to fine; yields after each."""
        name, points = at.along_control, self.points
        declared = at.model.control(name)
        here = float(getattr(at.model, name))
        spread = [float(v) for v in declared.grid(MEASURED_POINTS, *at.window(at.along))]
        order = [here] + [spread[k] for k in coarse_to_fine(len(spread))]
        if declared.role == "time":
            return _ages_job(at, sorted(set(order)), points, progress)

        def measure(cancelled: Cancelled) -> Iterator[dict[float, dict[str, Sampled]]]:
            for done, asked in enumerate(order):
                progress(done / len(order))
                simulated = at.model.replace(**{name: asked}).realised()
                value = float(getattr(simulated, name))
                if value not in points:
                    found = _samples(simulated, at.seed, cancelled)
                    if found is None:
                        return
                    points[value] = found
                yield dict(points)

        return measure

    def longer(self, at: Exploration, by: str, value: float, cancelled: Cancelled) -> Iterator[tuple[Sampled, float]]:
        """Average at the marker over ever more samples: as many as `value` ("samples"), or until the standard error of
        the observable of the diagram is no larger ("error"). Yields that average so far, and which part of all that is.
        """
        lower(Rank.REFINEMENT)
        points, model, told = self.points, at.model.realised(), 0.0
        found: list[dict[str, float]] = []
        most, judged = (MOST_SAMPLES, FEWEST_SAMPLES) if by == "error" else (min(int(value), MOST_SAMPLES),) * 2
        while len(found) < most:
            found.append(measure_sample(model, at.seed, len(found), cancelled))
            may_end = len(found) == judged
            if not may_end and time.monotonic() - told <= TOLD:
                continue
            sampled = _as_shown(model, average(found))
            here = sampled.get(at.colour, Sampled(np.nan, np.nan, 0))
            part = len(found) / most
            if by == "error" and here.samples >= FEWEST_SAMPLES:
                part = min(1.0, (value / here.error) ** 2) if here.error > 0 else 1.0
            told = time.monotonic()
            points[float(getattr(model, at.along_control))] = sampled
            yield here, part
            if may_end:
                if part >= 1:
                    return
                judged = min(most, judged + 1 + judged // JUDGED)

    def here(self, at: Exploration) -> dict[str, Sampled]:
        """What was measured at the marker, by observable."""
        return self.points.get(float(getattr(at.model.realised(), at.along_control)), {})


def _ages_job(
    at: Exploration, ages: list[float], points: dict[float, dict[str, Sampled]], progress: Callable[[float], None]
) -> Any:
    """Measure at all ages along the same runs; yields after each run."""

    def measure(cancelled: Cancelled) -> Iterator[dict[float, dict[str, Sampled]]]:
        lower(Rank.BACKGROUND)
        model = at.model.realised()
        runs: list[list[dict[str, float]]] = []
        for sample in range(ENSEMBLE_SAMPLES):
            progress(sample / ENSEMBLE_SAMPLES)
            runs.append(measure_ages(model, ages, at.seed, sample, cancelled))
            for k, age in enumerate(ages):
                points[age] = _as_shown(model, average([run[k] for run in runs]))
            yield dict(points)

    return measure


def _samples(
    model: Model, seed: Seed, cancelled: Cancelled, samples: int = ENSEMBLE_SAMPLES, rank: Rank = Rank.BACKGROUND
) -> dict[str, Sampled] | None:
    """The ensemble at one point; None if `cancelled()`."""

    def compute(cancelled: Cancelled) -> Iterator[dict[str, Sampled]]:
        lower(rank)
        found = [measure_sample(model, seed, sample, cancelled) for sample in range(samples)]
        yield _as_shown(model, average(found))

    for found in answers.ask(("ensemble", model, seed, samples), compute, cancelled):
        return found
    return None


def _as_shown(model: Model, found: dict[str, Average]) -> dict[str, Sampled]:
    """Means, or medians of what has a heavy tail, with their standard errors."""
    tailed = {o.name for o in model.observables if o.heavy_tailed}
    return {
        name: Sampled(
            over.median, 0.93 * (over.upper - over.lower) / np.sqrt(max(over.samples, 1)), over.samples, over.values
        )
        if name in tailed
        else Sampled(over.mean, over.error, over.samples, over.values)
        for name, over in found.items()
    }


def coarse_to_fine(n: int) -> list[int]:
    """0 ... n-1 so that every beginning of the list is spread evenly: ends, middle, quarters, ..."""
    order, step = [0, n - 1], n - 1
    while step > 1:
        step = -(-step // 2)
        order += range(step, n - 1, step)
    return list(dict.fromkeys(k for k in order if 0 <= k < n))


@dataclass(frozen=True)
class Check:
    """A reference beside what is computed here. digits: to how many significant digits the two agree. answers: the
    tasks, by their places, whose answer it would tell.
    """

    title: str
    value: float
    computed: float
    source: str
    agrees: bool
    digits: int
    answers: tuple[int, ...]


def checks(kind: type[Model], cancelled: Cancelled) -> Iterator[Check]:
    """The references of a system, one by one."""

    def compute(cancelled: Cancelled) -> Iterator[tuple[Check, ...]]:
        lower(Rank.BACKGROUND)
        found: tuple[Check, ...] = ()
        asked = [(k, task, task.truth(kind)) for k, task in enumerate(kind.tasks)]
        for reference in kind.references:
            if cancelled():
                return
            computed = reference.computed(kind)
            gap = abs(computed - reference.value)
            scale = max(abs(reference.value), 1e-300)
            digits = 15 if gap == 0 else int(np.clip(np.floor(-np.log10(gap / scale)), 0, 15))
            agrees, of = gap <= reference.tolerance, reference.speaks_of
            told = tuple(k for k, t, truth in asked if of in ("", t.asked) and t.is_told_by(reference.value, truth))
            found += (Check(reference.title, reference.value, computed, reference.source, agrees, digits, told),)
            yield found

    told = 0
    for found in answers.ask(("checks", kind), compute, cancelled):
        yield from found[told:]
        told = len(found)
