"""A running finite-size simulation: advance it, observe it, look at it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Generic, Literal, TypeVar

import numpy as np

from mfexplore.core.pictures import Picture
from mfexplore.core.provenance import observed_attributes, provenance
from mfexplore.core.solution import Array

if TYPE_CHECKING:
    import xarray as xr

    from mfexplore.core.model import Model


System = TypeVar("System", bound="Model")


@dataclass(frozen=True)
class Measured:
    """A function as a simulation measures it. coordinate, values: shape (n,); error: standard errors, if it knows them;
    NaN is what cannot be measured.
    """

    coordinate: Array
    values: Array
    error: Array | None = None


class Simulation(ABC, Generic[System]):
    """Base of all simulations. A subclass, of `Simulation["ItsModel"]`, implements `prepare`, `evolve`, `observe` and
    `picture`.

    Attributes:
        time_unit: what one unit of time is, in words ("sweeps", "iterations", ...).
        step: time between two points of the trace, and what the Step button advances; a run may choose its own.
        recording: "log" where a trace is looked at on a logarithmic axis of time: it is then recorded ever more rarely.
        repeats: a run that has ended begins again with the next seed, and what it measures accumulates.
        deterministic: a seed makes no difference (unless the start is drawn).
        relaxation, window: in an ensemble, the time left to relax and the time averaged over (0: only the final state).
        model: the controls it runs at; rng: its stream of random numbers; time: how far it has come.
    """

    time_unit: ClassVar[str] = "sweeps"
    step: float = 1.0
    recording: ClassVar[Literal["linear", "log"]] = "linear"
    repeats: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    relaxation: float = 100.0
    window: float = 100.0

    def __init__(self, model: System, seed: int | np.random.SeedSequence = 0) -> None:
        self.model = model
        self.seed = seed
        self.rng = np.random.default_rng(seed)
        self.time = 0.0
        self.prepare()
        first = self.observe()
        self._names = tuple(first)
        self._trace = np.empty((256, 1 + len(first)))
        self._trace[0] = (0.0, *first.values())
        self._recorded = 1

    @abstractmethod
    def prepare(self) -> None:
        """Draw the disorder and the initial state from `self.rng`."""

    @abstractmethod
    def evolve(self, duration: float) -> None:
        """Advance the state by `duration` units of time: one bounded call of a kernel."""

    @abstractmethod
    def observe(self) -> dict[str, float]:
        """The order parameters now, named as the theory's observables where they are the same quantity.

        NaN is what cannot be measured yet. Named as a control is what has come so far of it (a cluster's size).
        """

    @abstractmethod
    def picture(self) -> Picture:
        """The state as a picture."""

    def pictures(self) -> dict[str, Picture]:
        """The pictures of the state by name, where there are several; the first is the usual one."""
        return {"state": self.picture()}

    def profiles(self) -> dict[str, Measured]:
        """The observables that are functions (declared with `over`), as this run has measured them so far."""
        return {}

    @property
    def finished(self) -> bool:
        """Whether there is nothing left to simulate (an algorithm has converged, a cluster is full)."""
        return False

    def retune(self) -> None:
        """Called after `follow` changed `self.model`, for a simulation that keeps values derived from controls."""

    def follow(self, model: System) -> bool:
        """Go on at other controls with the present state. False, and nothing changes, if that needs a new sample:
        a quenched control, or one that only shapes the start, differs.
        """
        old, new = self.model.values(), model.values()
        for name, made in model.controls().items():
            if old[name] != new[name] and (made.quenched or made.role in ("size", "start")):
                return False
        self.model = model
        self.retune()
        return True

    def advance(self, duration: float | None = None) -> None:
        """Run for `duration` units of time (default: one `step`), recording the trace every `step`."""
        end = self.time + (self.step if duration is None else duration)
        while self.time < end - 1e-9 * self.step and not self.finished:
            slice_ = min(self.step, end - self.time)
            self.evolve(slice_)
            self.time += slice_
            if self._recorded == len(self._trace):
                self._trace = np.concatenate([self._trace, np.empty_like(self._trace)])
            self._trace[self._recorded] = (self.time, *self.observe().values())
            self._recorded += 1

    def trace(self) -> xr.Dataset:
        """Everything observed so far: Dataset over `time`."""
        import xarray as xr

        times, *series = self._trace[: self._recorded].T.copy()
        variables = {
            name: ("time", values, observed_attributes(self.model, name))
            for name, values in zip(self._names, series, strict=True)
        }
        time = ("time", times, {"long_name": "time", "units": self.time_unit})
        return xr.Dataset(variables, {"time": time}, attrs=provenance(self.model, seed=str(self.seed)))

    def series(self) -> tuple[Array, dict[str, Array]]:
        """The same as bare arrays: times of shape (n,) and the observables by name (views, not copies)."""
        table = self._trace[: self._recorded]
        return table[:, 0], {name: table[:, i + 1] for i, name in enumerate(self._names)}

    def samples(self) -> Array:
        """Values whose histogram `Model.law` predicts; default: the trace of the law's observable, second half."""
        values = self.series()[1][self.model.law().observable]
        return values[len(values) // 2 :]

    def measure(self, cancelled: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Relax, then average over the window: one sample of an ensemble. Raises CancelledError if `cancelled()`."""
        self._advance_unless(cancelled, self.relaxation)
        if self.window <= 0:
            return self.observe()
        first = self._recorded
        self._advance_unless(cancelled, self.window)
        if self._recorded == first:  # finished while relaxing
            return self.observe()
        mean = self._trace[first : self._recorded, 1:].mean(axis=0)
        return dict(zip(self._names, mean.tolist(), strict=True))

    def _advance_unless(self, cancelled: Callable[[], bool], duration: float) -> None:
        end = self.time + duration
        while self.time < end - 1e-9 * self.step and not self.finished:
            if cancelled():
                raise CancelledError
            self.advance(min(self.step, end - self.time))
