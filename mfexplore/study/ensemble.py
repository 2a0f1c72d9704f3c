"""Averages over independent samples, with standard errors, beside the theory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from threading import Event
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from mfexplore.core.arguments import number_from, whole_number
from mfexplore.core.errors import ArgumentError
from mfexplore.core.model import Model
from mfexplore.core.provenance import error_attributes, observed_attributes, provenance, unit_of
from mfexplore.core.seeds import Seed, check_seed, stream
from mfexplore.core.simulation import never
from mfexplore.study.executors import background_threads
from mfexplore.study.turns import give_way

if TYPE_CHECKING:
    import xarray as xr

Sample = dict[str, float]
MOST_SAMPLES = 1_000_000  # each is handed out, and kept


def measure_sample(model: Model, seed: Seed, sample: int, cancelled: Callable[[], bool] = never) -> Sample:
    """One independent sample: its random stream depends on (seed, sample) only, so any executor gives the same.

    Between its steps it gives way to what is more urgent in this process.
    """
    return model.simulate(seed=stream(seed, sample)).measure(lambda: give_way() or cancelled())


class Average(NamedTuple):
    """An observable over samples. Those in which it is NaN (it never got there, say) do not count.

    mean, error: with its standard error, NaN for fewer than two; samples: how many count.
    median, lower, upper: for heavy tails, with the quartiles. values: the samples that count.
    """

    mean: float
    error: float
    samples: int
    median: float
    lower: float
    upper: float
    values: tuple[float, ...] = ()


def average(found: list[Sample]) -> dict[str, Average]:
    """Averages over samples, by observable."""
    result = {}
    for name in found[0]:
        values = np.array([one[name] for one in found])
        values = values[~np.isnan(values)]
        if not values.size:
            result[name] = Average(np.nan, np.nan, 0, np.nan, np.nan, np.nan)
            continue
        error = values.std(ddof=1) / np.sqrt(values.size) if values.size > 1 else np.nan
        lower, median, upper = np.quantile(values, (0.25, 0.5, 0.75))
        result[name] = Average(
            float(values.mean()), float(error), values.size, float(median), float(lower), float(upper),
            tuple(values.tolist()),
        )  # fmt: skip
    return result


def measure_ages(
    model: Model, ages: list[float], seed: Seed, sample: int, cancelled: Callable[[], bool] = never
) -> list[Sample]:
    """What one run observes at times that do not fall: states along one run, not one run for each of them.

    Raises ArgumentError, SeedError.
    """
    times = [number_from("measure_ages", "ages", age, 0) for age in ages]
    if times != sorted(times):
        raise ArgumentError("measure_ages", "ages", ages, "times that do not fall: a run does not go back")
    sample = whole_number("measure_ages", "sample", sample, 0)
    run, found = model.simulate(seed=stream(seed, sample)), []
    for age in times:
        run.advance_to(age, lambda: give_way() or cancelled())
        found.append(run.observe())
    return found


def ensemble(
    model: Model,
    *,
    samples: int = 16,
    seed: Seed = 0,
    executor: Executor | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> xr.Dataset:
    """Mean and standard error of every observable of the simulation over `samples` independent samples.

    Returns a Dataset: for an observable `x` of the simulation the variables `x` (mean), `x_standard_error` (over
    samples), `x_quartiles` (over `quartile`) and, where the theory knows it, `x_theory` (over `method` and `branch`).
    The error of one sample is NaN. Samples in which `x` is NaN do not count; `x_samples` says how many did then.
    Theory and attributes are those of the controls really simulated, `model.realised()`.

    Raises ArgumentError for fewer than one sample or more than a million, SeedError, and what `simulate` raises.
    """
    seed, model = check_seed(seed), model.realised()
    found = []
    for one in measured(model, samples=samples, seed=seed, executor=executor):
        found.append(one)
        progress(len(found) / samples)
    return summarised(model, found, seed)


def measured(model: Model, *, samples: int, seed: Seed, executor: Executor | None = None) -> Iterator[Sample]:
    """The samples of an ensemble in their order, each as soon as it is there. Raises as `ensemble` does."""
    samples = whole_number("ensemble", "samples", samples, 1, MOST_SAMPLES)
    over = Event()  # an interrupted program must not wait for samples that nobody wants any more
    if executor is None:
        futures = [background_threads().submit(measure_sample, model, seed, k, over.is_set) for k in range(samples)]
    else:
        futures = [executor.submit(measure_sample, model, seed, k) for k in range(samples)]
    try:
        for future in futures:
            yield future.result()
    finally:
        over.set()
        for future in futures:
            future.cancel()


def summarised(model: Model, found: list[Sample], seed: Seed) -> xr.Dataset:
    """The Dataset of `ensemble` from the samples there are: at least one."""
    import xarray as xr

    samples = len(found)
    dataset = xr.Dataset(attrs=provenance(model, seed=seed, samples=samples))
    theory = model.theory() if model.offers("solve") else xr.Dataset()
    for name, averaged in average(found).items():
        meaning = observed_attributes(model, name)
        dataset[name] = ((), averaged.mean, meaning | {"ancillary_variables": f"{name}_standard_error"})
        unknown = {"comment": "unknown: it takes two samples"} if averaged.samples < 2 else {}
        dataset[f"{name}_standard_error"] = ((), averaged.error, error_attributes(meaning) | unknown)
        about = {"long_name": f"median and quartiles of {meaning['long_name']}"} | unit_of(meaning)
        dataset[f"{name}_quartiles"] = ("quartile", [averaged.lower, averaged.median, averaged.upper], about)
        if averaged.samples < samples:
            dataset[f"{name}_samples"] = ((), averaged.samples, {"long_name": f"samples with a {meaning['long_name']}"})
        if name in theory:
            dataset[f"{name}_theory"] = theory[name]
    return dataset
