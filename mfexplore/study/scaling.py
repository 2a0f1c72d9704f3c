"""Finite-size scaling: one system at several sizes around its critical point, where the curves cross, with what slopes.

Works for every system whose simulation samples a canonical equilibrium and observes `magnetization` and `energy` (per
spin). Each size is simulated at one temperature only; averages at neighbouring temperatures come from the same states
by reweighting, which also gives exact slopes. Errors are jackknife errors over independent runs.

    model = mf.system("ising_lattice")(lattice="cubic", temperature=4.51, algorithm="wolff")
    found = finite_size(model, [8**3, 16**3], seed=1)
    found.dataset()        # Binder ratio, moments, specific heat over size and temperature
    found.crossings()      # critical temperature and exponents, by pairs of sizes
    found.reaches(0.62341) # where each size has a given Binder ratio
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.arguments import number_from, whole_number
from mfexplore.core.arithmetic import all_with_infinities, with_infinities
from mfexplore.core.errors import ControlError, NotOfferedError
from mfexplore.core.model import Model
from mfexplore.core.provenance import error_attributes, observed_attributes, provenance
from mfexplore.core.rounding import simulated_grid
from mfexplore.core.seeds import Seed, check_seed, stream
from mfexplore.core.simulation import never
from mfexplore.core.solution import Array
from mfexplore.numerics.chance.statistics import jackknife, leave_one_out, reweighting
from mfexplore.study.ensemble import MOST_SAMPLES
from mfexplore.study.executors import background_threads

if TYPE_CHECKING:
    import xarray as xr

MOST_POINTS = 100_001  # inverse temperatures that one set of runs is reweighted to
TRUSTED = 1.5  # shift in inverse temperature, times the spread of the energy, up to which reweighting is used

# What is averaged: 1, |m|, m^2, m^4, E, E^2, E m^2, E m^4
ONE, SIZE_OF_M, SECOND, FOURTH, ENERGY, ENERGY_SQUARED, ENERGY_SECOND, ENERGY_FOURTH = range(8)


def run_sample(
    model: Model, seed: Seed, sample: int, relaxation: int, updates: int, cancelled: Callable[[], bool] = never
) -> tuple[Array, Array]:
    """(total energies, magnetizations per spin) of one independent run, after `relaxation` units of time."""
    run = model.simulate(seed=stream(seed, spins(model), sample))
    if not {"energy", "magnetization"} <= run.observe().keys():
        raise NotOfferedError(model.title, "finite-size scaling, which needs an energy and a magnetization")
    for _ in range(relaxation + updates):
        if cancelled():
            break
        run.advance()
    _, series = run.series()
    return series["energy"][-updates:] * spins(model), series["magnetization"][-updates:]


def spins(model: Model) -> int:
    """The number of spins really simulated."""
    return int(model.realised().values()["size"])


@dataclass(frozen=True)
class FiniteSize:
    """Averages over size and inverse temperature.

    model: the controls, but for size and temperature. sizes: spins, shape (n,). betas: shape (m,), rising.
    means: reweighted averages, shape (n, 8, 1 + samples, m); the third axis holds the mean over all runs and over all
        but one. trusted: where reweighting is sound, shape (n, m).
    """

    model: Model
    sizes: Array
    betas: Array
    means: Array
    trusted: Array

    def estimates(self) -> dict[str, Array]:
        """Observables by name, shape (n, 1 + samples, m): all runs, and all but one."""
        x = self.means
        m2, m4, e = x[:, SECOND], x[:, FOURTH], x[:, ENERGY]
        n = self.sizes[:, None, None]
        m2_slope, m4_slope = e * m2 - x[:, ENERGY_SECOND], e * m4 - x[:, ENERGY_FOURTH]
        found = {
            "binder_ratio": m2**2 / m4,
            "absolute_magnetization": x[:, SIZE_OF_M],
            "squared_magnetization": m2,
            "energy": e / n,
            "specific_heat": (x[:, ENERGY_SQUARED] - e**2) * self.betas**2 / n,
            "binder_slope": m2 / m4 * (2 * m2_slope - m2 / m4 * m4_slope),  # by inverse temperature
        }
        return {name: np.where(self.trusted[:, None], values, np.nan) for name, values in found.items()}

    def _dimension(self, asked: int | None) -> int:
        known = int(getattr(self.model, "dimension", 1))
        return known if asked is None else whole_number("finite_size", "dimension", asked, 1)

    def dataset(self) -> xr.Dataset:
        """Every observable and its standard error over `size` and `temperature`; NaN where reweighting is unsound."""
        import xarray as xr

        order = slice(None, None, -1)  # rising temperatures
        dataset = xr.Dataset(
            coords={"size": self.sizes, "temperature": 1 / self.betas[order]}, attrs=provenance(self.model)
        )
        for name, values in self.estimates().items():
            mean, error = jackknife(np.moveaxis(values, 1, 0))
            meaning = observed_attributes(self.model, name)
            dataset[name] = (("size", "temperature"), mean[:, order], meaning)
            dataset[f"{name}_standard_error"] = (("size", "temperature"), error[:, order], error_attributes(meaning))
        return dataset

    def reaches(self, binder_ratio: float) -> xr.Dataset:
        """The temperature at which each size has a Binder ratio, with its error: Dataset over `size`."""
        import xarray as xr

        curves = self.estimates()["binder_ratio"]
        found = [jackknife(np.array([crossing(self.betas, fold - binder_ratio) for fold in curve])) for curve in curves]
        beta, error = np.array(found).T
        return xr.Dataset(
            {
                "inverse_temperature": ("size", beta),
                "inverse_temperature_standard_error": ("size", error),
                "temperature": ("size", 1 / beta),
                "temperature_standard_error": ("size", error / beta**2),
            },
            {"size": self.sizes},
            attrs=provenance(self.model, binder_ratio=binder_ratio),
        )

    def crossings(self, dimension: int | None = None) -> xr.Dataset:
        """Where the Binder ratios of successive sizes cross, and the exponents that follow: Dataset over `pair`.

        The ratio of the slopes there is b^y_t, that of the mean squared magnetizations b^(2 y_h - 2 d), for sizes whose
        sides are in the ratio b. NaN if the curves do not cross where both are trusted.

        Args:
            dimension: d of the lattice (default: the model's `dimension`).
        """
        import xarray as xr

        d = self._dimension(dimension)
        estimates = self.estimates()
        names = ("inverse_temperature", "binder_ratio", "thermal_exponent", "magnetic_exponent")
        pairs = len(self.sizes) - 1
        values, errors = np.full((4, pairs), np.nan), np.full((4, pairs), np.nan)
        for k in range(pairs):
            log_b = np.log(self.sizes[k + 1] / self.sizes[k]) / d
            folds = []
            for fold in range(self.means.shape[2]):
                small, large = ({name: v[i, fold] for name, v in estimates.items()} for i in (k, k + 1))
                beta = crossing(self.betas, large["binder_ratio"] - small["binder_ratio"])
                ratio = {
                    name: np.interp(beta, self.betas, large[name]) / np.interp(beta, self.betas, small[name])
                    for name in ("binder_slope", "squared_magnetization")
                }
                folds.append((
                    beta,
                    np.interp(beta, self.betas, small["binder_ratio"]),
                    np.log(ratio["binder_slope"]) / log_b,
                    d + np.log(ratio["squared_magnetization"]) / (2 * log_b),
                ))  # fmt: skip
            values[:, k], errors[:, k] = jackknife(np.array(folds))
        found = {}
        for i, name in enumerate(names):
            found[name], found[f"{name}_standard_error"] = ("pair", values[i]), ("pair", errors[i])
        found["temperature"] = ("pair", 1 / values[0])
        found["temperature_standard_error"] = ("pair", errors[0] / values[0] ** 2)
        labels = [f"{a} and {b}" for a, b in zip(self.sizes, self.sizes[1:], strict=False)]
        return xr.Dataset(found, {"pair": labels}, attrs=provenance(self.model))

    def collapse(
        self, temperature: float, thermal_exponent: float, magnetic_exponent: float, dimension: int | None = None
    ) -> xr.Dataset:
        """The curves in scaled variables, which make them fall onto one another at the right exponents.

        Returns a Dataset over `size` and `temperature` with `scaled_temperature` = (1/T - 1/T_c) L^y_t, `binder_ratio`
        and `scaled_magnetization` = <m^2> L^(2d - 2 y_h), L = N^(1/d).
        """
        d = self._dimension(dimension)
        temperature = number_from("collapse", "temperature", temperature, 1e-12)
        dataset = self.dataset()[["binder_ratio", "squared_magnetization"]]
        side = dataset["size"] ** (1 / d)
        dataset["scaled_temperature"] = (1 / dataset["temperature"] - 1 / temperature) * side**thermal_exponent
        dataset["scaled_magnetization"] = dataset["squared_magnetization"] * side ** (2 * d - 2 * magnetic_exponent)
        return dataset.drop_vars("squared_magnetization")


all_with_infinities(FiniteSize)


def crossing(x: Array, y: Array) -> float:
    """The zero of a tabulated function by linear interpolation, the one nearest to the middle; NaN if there is none."""
    with np.errstate(invalid="ignore"):
        change = np.flatnonzero(y[:-1] * y[1:] <= 0)
    if not change.size:
        return float("nan")
    k = change[np.argmin(np.abs(change - len(x) / 2))]
    return float(x[k] - y[k] * (x[k + 1] - x[k]) / (y[k + 1] - y[k])) if y[k] != y[k + 1] else float(x[k])


@with_infinities
def finite_size(
    model: Model,
    sizes: Sequence[int],
    *,
    samples: int = 8,
    updates: int = 1000,
    relaxation: int = 200,
    seed: Seed = 0,
    points: int = 129,
    executor: Executor | None = None,
    cancelled: Callable[[], bool] = never,
    progress: Callable[[float], None] = lambda fraction: None,
) -> FiniteSize:
    """Simulate a model at several sizes near its critical temperature.

    Args:
        model: its temperature is the one simulated: the best guess of the critical one.
        sizes: numbers of spins, rising.
        samples: independent runs per size (at least 2, for errors). updates: measurements per run, one unit of time
            apart, after `relaxation` units. seed: of all random streams.
        points: inverse temperatures of the result, around that of the model.
        executor: where the runs are made (default: one thread per core).
        cancelled: asked between measurements. progress: called with the finished fraction.

    Raises NotOfferedError, TooLargeError, ControlError as `simulate` does, ArgumentError for fewer than two samples,
    ControlError for sizes that are simulated as the same one and for the temperature 0.
    """
    samples = whole_number("finite_size", "samples", samples, 2, MOST_SAMPLES)  # errors come from their differences
    updates = whole_number("finite_size", "updates", updates, 1)
    relaxation = whole_number("finite_size", "relaxation", relaxation, 0)
    points = whole_number("finite_size", "points", points, 2, MOST_POINTS)
    axis = model.control("size").check_array(sizes, model.title)
    temperature: Any = getattr(model, model.control("temperature").name)
    if temperature <= 0:
        raise ControlError(model.title, "temperature", temperature, "a number above 0, where energies fluctuate")
    executor = executor or background_threads()
    seed = check_seed(seed)
    simulated_grid(model, {"size": axis})  # refuses one size twice
    models = [model.replace(size=int(size)).realised() for size in axis]
    tasks = [
        [executor.submit(run_sample, one, seed, k, relaxation, updates, cancelled) for k in range(samples)]
        for one in models
    ]
    runs: list[list[tuple[Array, Array]]] = []
    for row in tasks:
        runs.append([])
        for task in row:
            runs[-1].append(task.result())
            progress(sum(len(r) for r in runs) / (samples * len(models)))
    spreads = np.array([np.std(np.concatenate([e for e, _ in row])) for row in runs])
    reach = min(TRUSTED / spreads.min(), 0.5 / temperature)
    shifts = np.linspace(-reach, reach, points)
    means = np.array([_averages(row, shifts) for row in runs])
    trusted = np.abs(shifts) * spreads[:, None] <= TRUSTED * (1 + 1e-9)
    return FiniteSize(model, np.array([spins(one) for one in models]), 1 / temperature + shifts, means, trusted)


def _averages(runs: list[tuple[Array, Array]], shifts: Array) -> Array:
    """Reweighted averages of one size, shape (8, 1 + samples, m)."""
    reference = float(np.mean([e.mean() for e, _ in runs]))
    sums = []
    for e, m in runs:
        m2 = m * m
        rows = np.stack([np.ones_like(e), np.abs(m), m2, m2 * m2, e, e * e, e * m2, e * m2 * m2])
        sums.append(rows @ reweighting(e, shifts, reference).T)
    folded = np.moveaxis(leave_one_out(np.array(sums)), 0, 1)
    return np.asarray(folded / folded[ONE])
