"""Averages over independent samples, with standard errors, beside the theory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from threading import Event
from typing import TYPE_CHECKING

import numpy as np

from mfexplore.core.arguments import whole_number
from mfexplore.core.model import Model
from mfexplore.core.provenance import error_attributes, observed_attributes, provenance
from mfexplore.core.seeds import Seed, check_seed, stream
from mfexplore.study.executors import background_threads
from mfexplore.study.turns import give_way

if TYPE_CHECKING:
    import xarray as xr

Sample = dict[str, float]


def never() -> bool:
    return False


def measure_sample(model: Model, seed: Seed, sample: int, cancelled: Callable[[], bool] = never) -> Sample:
    """One independent sample: its random stream depends on (seed, sample) only, so any executor gives the same.

    Between its steps it gives way to what is more urgent in this process.
    """
    return model.simulate(seed=stream(seed, sample)).measure(lambda: give_way() or cancelled())


def average(found: list[Sample]) -> dict[str, tuple[float, float]]:
    """Mean and standard error over samples, by observable; the error of a single sample is NaN."""
    result = {}
    for name in found[0]:
        values = np.array([one[name] for one in found])
        error = values.std(ddof=1) / np.sqrt(len(found)) if len(found) > 1 else np.nan
        result[name] = (float(values.mean()), float(error))
    return result


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
    samples) and, where the theory knows it, `x_theory` (over `method` and `branch`). The error of one sample is NaN.
    Theory and attributes are those of the controls really simulated, `model.realised()`.

    Raises ArgumentError for fewer than one sample, SeedError, and what `simulate` raises.
    """
    import xarray as xr

    samples = whole_number("ensemble", "samples", samples, 1)
    seed, model = check_seed(seed), model.realised()
    over = Event()  # an interrupted program must not wait for samples that nobody wants any more
    if executor is None:
        futures = [background_threads().submit(measure_sample, model, seed, k, over.is_set) for k in range(samples)]
    else:
        futures = [executor.submit(measure_sample, model, seed, k) for k in range(samples)]
    found = []
    try:
        for k, future in enumerate(futures):
            found.append(future.result())
            progress((k + 1) / samples)
    finally:
        over.set()
        for future in futures:
            future.cancel()
    dataset = xr.Dataset(attrs=provenance(model, seed=seed, samples=samples))
    theory = model.theory() if model.offers("solve") else xr.Dataset()
    for name, (mean, error) in average(found).items():
        meaning = observed_attributes(model, name)
        dataset[name] = ((), mean, meaning | {"ancillary_variables": f"{name}_standard_error"})
        unknown = {"comment": "unknown: it takes two samples"} if samples < 2 else {}
        dataset[f"{name}_standard_error"] = ((), error, error_attributes(meaning) | unknown)
        if name in theory:
            dataset[f"{name}_theory"] = theory[name]
    return dataset
