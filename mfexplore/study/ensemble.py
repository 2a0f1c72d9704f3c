"""Averages over independent samples, with standard errors, beside the theory."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor
from typing import TYPE_CHECKING

import numpy as np

from mfexplore.core.model import Model
from mfexplore.core.provenance import provenance
from mfexplore.study.executors import shared_threads

if TYPE_CHECKING:
    import xarray as xr


def measure_sample(model: Model, seed: int, sample: int) -> dict[str, float]:
    """One independent sample: its random stream depends on (seed, sample) only, so any executor gives the same."""
    stream = np.random.SeedSequence(seed, spawn_key=(sample,))
    return model.simulate(seed=stream).measure()  # type: ignore[arg-type]


def ensemble(
    model: Model,
    *,
    samples: int = 16,
    seed: int = 0,
    executor: Executor | None = None,
    progress: Callable[[float], None] = lambda fraction: None,
) -> xr.Dataset:
    """Mean and standard error of every observable of the simulation over `samples` independent samples.

    Returns a Dataset: for an observable `x` of the simulation the variables `x` (mean), `x_standard_error` (over
    samples) and, where the theory knows it, `x_theory` (over `method` and `branch`).
    """
    import xarray as xr

    executor = executor or shared_threads()
    futures = [executor.submit(measure_sample, model, seed, k) for k in range(samples)]
    found = []
    for k, future in enumerate(futures):
        found.append(future.result())
        progress((k + 1) / samples)
    attributes = provenance(model, seed=seed, samples=samples)
    dataset = xr.Dataset(attrs=attributes)
    theory = model.theory() if model.offers("solve") else xr.Dataset()
    for name in found[0]:
        values = np.array([one[name] for one in found])
        error = values.std(ddof=1) / np.sqrt(samples) if samples > 1 else np.nan
        title = name.replace("_", " ")
        dataset[name] = ((), values.mean(), {"long_name": title, "ancillary_variables": f"{name}_standard_error"})
        dataset[f"{name}_standard_error"] = ((), error, {"long_name": f"standard error of {title}"})
        if name in theory:
            dataset[f"{name}_theory"] = theory[name]
    return dataset
