"""A running finite-size simulation: advance it, observe it, look at it."""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from concurrent.futures import CancelledError
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import numpy as np

from mfexplore.core.arguments import number_from
from mfexplore.core.arithmetic import all_with_infinities
from mfexplore.core.errors import ArgumentError, UnknownNameError
from mfexplore.core.interrupts import Uninterrupted
from mfexplore.core.pictures import Album, Picture
from mfexplore.core.provenance import observed_attributes, provenance
from mfexplore.core.seeds import Seed, check_seed, seed_text
from mfexplore.core.solution import Array

if TYPE_CHECKING:
    import xarray as xr

    from mfexplore.core.model import Model

ALMOST = 1e-6  # of a step: ten times a tenth of it is a whole one


def never() -> bool:
    return False


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

    Time goes in whole quanta, however `advance` is called: `time` is what has been simulated, the same seed gives the
    same bits, and an interrupt leaves the run between two calls of `evolve`.

    Attributes:
        time_unit: what one unit of time is, in words ("sweeps", "iterations", ...).
        step: time between two points of the trace, and what the Step button advances; `prepare` and `retune` may
            choose it.
        quantum: the least time that can be simulated, of which a step has a whole number; None: a step.
        recording: "log" where a trace is looked at on a logarithmic axis of time: the later, the fewer points, at least
            32 for every doubling of the time; `prepare` may choose it.
        repeats: a run that has ended begins again with the next seed, and what it measures accumulates.
        deterministic: a seed makes no difference (unless the start is drawn).
        relaxation, window: in an ensemble, the time left to relax and the time averaged over (0: only the final state).
        model: the controls it runs at, as it has them (`Model.realised`); rng: its stream of random numbers; time: how
            far it has come.
    """

    time_unit: ClassVar[str] = "sweeps"
    step: float = 1.0
    quantum: float | None = None
    recording: Literal["linear", "log"] = "linear"
    repeats: ClassVar[bool] = False
    deterministic: ClassVar[bool] = False
    relaxation: float = 100.0
    window: float = 100.0

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        all_with_infinities(cls)

    def __init__(self, model: System, seed: Seed = 0) -> None:
        self.model = model
        self.seed = check_seed(seed)
        self.rng = np.random.default_rng(self.seed)
        self.time = 0.0
        self._clock = Fraction()  # exact, so that a million steps of 0.1 are what one product gives
        self._carried = 0.0  # asked for, but not a whole quantum yet
        self._unrecorded = 0  # quanta since the last whole step
        self._steps = 0
        self._first, self._changes = model, dict[float, dict[str, Any]]()
        self._law_of: tuple[Any, str] = (None, "")
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
    def evolve(self, duration: float) -> float | None:
        """Advance the state by `duration` units of time: a bounded call of a kernel, which no interrupt cuts.

        It is always one step; with a `quantum`, any number of quanta up to the next point of the trace, and several
        calls must then give the same bits as one. Returns how much was simulated if the run came to its end before;
        None: all of it.
        """

    @abstractmethod
    def observe(self) -> dict[str, float]:
        """The order parameters now, named as the theory's observables where they are the same quantity.

        NaN is what cannot be measured yet. Named as a control is what has come so far of it (a cluster's size).
        """

    @abstractmethod
    def picture(self) -> Picture:
        """The state as a picture."""

    def pictures(self) -> Mapping[str, Picture]:
        """The pictures of the state by name, where there are several; the first is the usual one. An `Album` draws
        those that are looked at.
        """
        return Album({"state": self.picture})

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
        a quenched control, or one that only shapes the start, differs. The trace remembers what changed, and when.
        Raises ArgumentError for what is no model of this system.
        """
        if type(model) is not type(self.model):
            raise ArgumentError("follow", "model", model, f"a model of the same system, {self.model.title}")
        model = model.realised()
        old, new = self.model.values(), model.values()
        changed = {name: value for name, value in new.items() if old[name] != value}
        if not all(self.model.control(name).is_followed for name in changed):
            return False
        with Uninterrupted():
            self.model = model
            self.retune()
            if changed:
                self._changes.setdefault(self.time, {}).update(changed)
        return True

    def updates(self, duration: float, rate: float) -> int:
        """How many updates come in the next `duration`, `rate` per unit of time: whole ones, and none is lost."""
        return round((self.time + duration) * rate) - round(self.time * rate)

    def advance(self, duration: float | None = None) -> None:
        """Run for `duration` units of time (default: one `step`), recording the trace every `step`.

        What does not make a whole quantum is carried over to the next call, so any way of cutting an interval gives the
        same run. An interrupt (Ctrl-C, or whatever the handler of a signal raises) comes between two steps; what was
        left of `duration` is then forgotten, and the run can go on. Raises ArgumentError (negative, NaN or infinite).
        """
        self._advance_unless(never, self.step if duration is None else duration)

    def _advance_unless(self, cancelled: Callable[[], bool], duration: float) -> None:
        duration = number_from(self.model.title, "duration", duration, 0)
        quantum = self.quantum or self.step
        asked = self._carried + duration
        quanta = left = math.floor(asked / quantum + ALMOST)
        waits = True
        while waits:
            with Uninterrupted() as held:
                while left and not held.due:
                    if cancelled():
                        raise CancelledError
                    left = 0 if self.finished else left - self._take_step(left)
                if not left:
                    self._carried = asked - quanta * quantum
                    waits = False

    def _take_step(self, most: int) -> int:
        """Go on to the next point of the trace, or by `most` quanta if that is nearer. Returns how many it was.

        Without a quantum it is one step, because it would make a difference how time is cut; with one, many steps where
        the trace has fewer points, but not so many that an interrupt would have to wait.
        """
        quantum = self.quantum or self.step
        stride = 1 if self.quantum is None else self._stride(self._steps + 1)
        steps = min(stride - self._steps % stride, 64)
        to_go = steps * round(self.step / quantum) - self._unrecorded
        quanta = min(most, to_go)
        done = self.evolve(quanta * quantum)
        self._clock += Fraction(quanta * quantum if done is None else done)
        self.time = float(self._clock)
        self._unrecorded += quanta
        if quanta == to_go or self.finished:
            self._unrecorded = 0
            self._steps += steps
            if not (self._is_recorded(self._steps) or self.finished):
                return quanta
            if self._recorded == len(self._trace):
                self._trace = np.concatenate([self._trace, np.empty_like(self._trace)])
            self._trace[self._recorded] = (self.time, *self.observe().values())
            self._recorded += 1
        return quanta

    def _is_recorded(self, step: int) -> bool:
        return step % self._stride(step) == 0

    def _stride(self, step: int) -> int:
        return 1 if self.recording == "linear" or step < 64 else 1 << (step.bit_length() - 6)

    @property
    def usual_time(self) -> float:
        """As long as a sample of an ensemble takes; 200 steps where a sample is not a matter of time."""
        return self.relaxation + self.window or 200 * self.step

    @property
    def between_points(self) -> bool:
        """Whether time has gone on since the last point of the trace. What is observed then must leave no mark."""
        return self._unrecorded > 0 or not self._is_recorded(self._steps)

    def trace(self) -> xr.Dataset:
        """Everything observed so far, every step and now: Dataset over `time`.

        The attribute `controls` holds those the run began at. If it has followed others since, `controls_changed` says
        which and when: JSON, a list of {"time": ..., "controls": {name: new value, ...}}.
        """
        import xarray as xr

        table = self._trace[: self._recorded]
        if self.between_points:
            table = np.vstack([table, (self.time, *self.observe().values())])
        times, *series = table.T.copy()
        variables = {
            name: ("time", values, observed_attributes(self.model, name))
            for name, values in zip(self._names, series, strict=True)
        }
        time = ("time", times, {"long_name": "time", "units": self.time_unit, "recording": self.recording})
        origin = provenance(self._first) | {"seed": seed_text(self.seed)}
        if self._changes:
            changes = [{"time": time, "controls": changed} for time, changed in list(self._changes.items())]
            origin["controls_changed"] = json.dumps(changes)
        return xr.Dataset(variables, {"time": time}, attrs=origin)

    def series(self) -> tuple[Array, dict[str, Array]]:
        """Points of the trace as bare arrays: times, shape (n,), and the observables by name (views, not copies)."""
        table = self._trace[: self._recorded]
        return table[:, 0], {name: table[:, i + 1] for i, name in enumerate(self._names)}

    def samples(self, observable: str | None = None) -> Array:
        """Values whose histogram the law of an observable (None: the first) predicts; default: the second half of its
        trace. Raises UnknownNameError.
        """
        series, name = self.series()[1], observable or self._first_law()
        if name not in series:
            raise UnknownNameError("observable of the run", name, series)
        values = series[name]
        return values[len(values) // 2 :]

    def _first_law(self) -> str:
        """The observable of the first law; asked once while the controls stay, since a law may take long."""
        if self._law_of[0] is not self.model:
            self._law_of = self.model, self.model.laws(self.time)[0].observable
        return self._law_of[1]

    def advance_to(self, time: float, cancelled: Callable[[], bool] = never) -> None:
        """Run until a time, or not at all if that is past. Raises ArgumentError (negative, NaN or infinite), and
        CancelledError if `cancelled()`.
        """
        time = number_from(self.model.title, "time", time, 0)
        self._advance_unless(cancelled, max(0.0, time - self.time - self._carried))

    def measure(self, cancelled: Callable[[], bool] = never) -> dict[str, float]:
        """One sample of an ensemble: relax, then average over the window. A model with a control whose role is "time"
        is looked at when that has passed. Raises CancelledError if `cancelled()`.
        """
        for name, made in self.model.controls().items():
            if made.role == "time":
                self.advance_to(float(getattr(self.model, name)), cancelled)
                return self.observe()
        self._advance_unless(cancelled, self.relaxation)
        if self.window <= 0:
            return self.observe()
        first = self._recorded
        seen: list[Array] = []
        if self.recording == "linear":
            self._advance_unless(cancelled, self.window)
            seen.extend(self._trace[first : self._recorded, 1:])
        else:  # of every step, too, although the trace has fewer points
            for _ in range(round(self.window / self.step)):
                if self.finished:
                    break
                self._advance_unless(cancelled, self.step)
                seen.append(np.array(list(self.observe().values())))
        if not seen:  # finished while relaxing
            return self.observe()
        return dict(zip(self._names, np.mean(seen, axis=0).tolist(), strict=True))


all_with_infinities(Simulation)
