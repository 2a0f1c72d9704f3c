"""Hysteresis: a run that is carried along a control and back keeps its state, and shows where it came from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.arguments import number_from, whole_number
from mfexplore.core.errors import NotOfferedError
from mfexplore.core.model import Model
from mfexplore.core.provenance import attributes, error_attributes, observed_attributes, provenance
from mfexplore.core.seeds import Seed, check_seed, stream
from mfexplore.core.simulation import never
from mfexplore.core.solution import Array, dataset_of
from mfexplore.study.ensemble import MOST_SAMPLES

if TYPE_CHECKING:
    import xarray as xr

PLACES = 33  # along the control, each way
DIRECTIONS = ("up", "down")


def carried(
    model: Model, along: str, values: Array, dwell: float | None, seed: Seed, cancelled: Callable[[], bool] = never
) -> Iterator[dict[str, Array]]:
    """One run there and back: by observable an array of shape (2, values), up and then down, in the order of `values`.
    What was not reached yet is NaN; yields at first and after every value, and stops when `cancelled()`.

    At every value the run stays for `dwell`, in its unit of time (None: the usual one); what it shows there is the mean
    of the second half. Raises NotOfferedError if the control needs a new run.
    """
    if not model.control(along).is_carried:
        raise NotOfferedError(model.title, f"a sweep along {along}, which needs a new run for every value")
    run = model.replace(**{along: values[0]}).simulate(seed)
    stay = usual_dwell(model) if dwell is None else dwell
    found = {name: np.full((2, len(values)), np.nan) for name in run.observe()}
    yield found
    with suppress(CancelledError):
        run.advance_to(run.relaxation, cancelled)
        ends = run.time + 0.5 * stay * np.arange(1, 4 * len(values) + 1)
        for place, (half, end) in enumerate(ends.reshape(-1, 2)):
            way, k = divmod(place, len(values))
            k = k if way == 0 else len(values) - 1 - k
            run.follow(run.model.replace(**{along: values[k]}))
            run.advance_to(half, cancelled)
            first = len(run.series()[0])
            run.advance_to(end, cancelled)
            now, (_, series) = run.observe(), run.series()
            found = {name: column.copy() for name, column in found.items()}  # what was yielded stays as it was
            for name, column in found.items():
                column[way, k] = series[name][first:].mean() if len(series[name]) > first else now[name]
            yield found


def usual_dwell(model: Model) -> float:
    """How long a run stays at each value unless somebody says otherwise: a hundredth of the time that an ensemble
    takes, at least ten steps.
    """
    kind: Any = model.simulation
    return float(max(10 * kind.step, 0.01 * (kind.relaxation + kind.window)))


def hysteresis(
    model: Model,
    along: str,
    values: Sequence[float] | Array | None = None,
    *,
    dwell: float | None = None,
    samples: int = 1,
    seed: Seed = 0,
    cancelled: Callable[[], bool] = never,
) -> xr.Dataset:
    """Carry a run along a control and back.

    Returns a Dataset over `direction` ("up", "down") and the control: for an observable `x` its mean over samples and,
    where there are several, `x_standard_error`.

    Args:
        along: a control that a running simulation can follow.
        values: rising values of it (default: 33 over its whole range).
        dwell: time spent at each, a step or longer (default: a hundredth of the time that an ensemble takes, at least
            ten steps).
        samples, seed: independent runs.

    Raises NotOfferedError (the control needs a new run for every value), ArgumentError, ControlError, SeedError.
    """
    seed, made = check_seed(seed), model.control(along)
    samples = whole_number("hysteresis", "samples", samples, 1, MOST_SAMPLES)
    places = made.grid(PLACES) if values is None else np.sort(made.check_array(values, model.title))
    kind: Any = model.simulation
    if kind is None:
        raise NotOfferedError(model.title, "a simulation")
    stay = usual_dwell(model) if dwell is None else number_from("hysteresis", "dwell", dwell, kind.step)
    runs = []
    for sample in range(samples):
        *_, last = carried(model, along, places, stay, stream(seed, sample), cancelled)
        runs.append(last)
    return as_dataset(model, along, places, runs, seed=seed, dwell=stay)


def as_dataset(
    model: Model, along: str, places: Array, runs: list[dict[str, Array]], *, seed: Seed, dwell: float
) -> xr.Dataset:
    """The Dataset of `hysteresis` from what `carried` gave for each of its runs."""
    samples = len(runs)
    variables: dict[str, Any] = {}
    for name in [name for name in runs[0] if name != along]:  # a run may report the control it is carried along
        table = np.stack([run[name] for run in runs])
        meaning = observed_attributes(model, name)
        variables[name] = (("direction", along), table.mean(axis=0), meaning)
        if samples > 1:
            error = table.std(axis=0, ddof=1) / np.sqrt(samples)
            variables[f"{name}_standard_error"] = (("direction", along), error, error_attributes(meaning))
    coordinates = {
        "direction": ("direction", np.array(DIRECTIONS)),
        along: (along, places, attributes(model.control(along))),
    }
    return dataset_of(variables, coordinates, provenance(model, seed=seed, samples=samples, dwell=dwell))
