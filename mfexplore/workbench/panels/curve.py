"""Theory against simulation along one axis through the marker."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.arguments import number_from
from mfexplore.core.errors import ArgumentError, UnknownNameError
from mfexplore.core.model import Model
from mfexplore.figures.curves import CurvesFigure, theory_columns
from mfexplore.figures.frame import thin
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import messages, views
from mfexplore.workbench.agreement import Sampled
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import curve_table
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Asked, Panel, Surroundings
from mfexplore.workbench.sentence import number
from mfexplore.workbench.session import Pin
from mfexplore.workbench.sketch import Sketched, judge

if TYPE_CHECKING:
    import xarray as xr

TRAIL, MOST_OF_TRAIL = 2000, 400  # points of the trail of the live run, and so many of them are drawn
CARRY = "Carry up and down"
AVERAGE = "Average here"
AVERAGE_TIP = "Simulate sample after sample at the marker, and watch mean and error settle"


class CurvePanel(Panel):
    name, title = "curve", "Theory and simulation"
    alt = "Theory and simulation along one axis through the marker"
    order, height = 20, 268
    beside, below = "along", "measuring"

    drawing: CurvesFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return bool(start.x) and type(start.model).offers("solve")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> CurvesFigure:
        return CurvesFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return CurvesFigure.marks(kind)

    def __init__(self, drawing: CurvesFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self.latest: xr.Dataset | None = None
        self.columns: dict[str, NDArray[Any]] = {}
        self._axes: Any = None
        self._computed: Any = None
        self._even: tuple[Exploration, xr.Dataset] | None = None  # a curve that is to be refined
        self._settled = False
        self._exact_for: Any = None
        self._exact_due = False
        self._points: Any = []
        self.loop: xr.Dataset | None = None  # a run carried along the abscissa and back
        self._loop_for: Any = None
        self._measures: tuple[str, ...] = ()  # what the simulation observes
        self._carrying = Asked(
            self.name, around, CARRY, "", lambda cancelled: views.loop(self._at, cancelled), self._show_loop
        )
        self._until: tuple[str, float] = ("samples", 64.0)  # an average at the marker
        self._averaging_at: Any = None
        self._averaging = Asked(
            "average", around, AVERAGE, AVERAGE_TIP,
            lambda cancelled: around.ensembles.longer(self._at, *self._until, cancelled), self._show_average, _told,
        )  # fmt: skip
        self._moved: list[tuple[float, float]] = []  # times from which on the live run had these values of the abscissa
        self._time = 0.0  # of the live run

    def turn_to(self, at: Exploration) -> None:
        """The ensembles follow with `rest`, once the marker does."""
        self._at = at
        jobs = self._around.jobs
        axes = (at.along_control, at.colour, at.window(at.along))
        if axes != self._axes:
            self._axes = axes
            jobs.cancel("curve", "refinement")  # what still comes belongs to other axes
            self.drawing.set_axes(*axes)
            self.drawing.show_live(np.empty(0), np.empty(0))
            self._moved = []
            self._draw_loop()
        self._settled = False
        wanted = (axes, at.theory_controls(at.along_control))
        if wanted != self._computed:
            self._computed = wanted
            self._compute(at)
        self._around.ensembles.turn_to(at)
        if jobs.busy("ensemble"):  # the hand on the slider comes first; `rest` goes on where this stopped
            jobs.cancel("ensemble")
            self._progress(None)
        self._draw_points(at)
        self._forget_exact(at)
        self._offer_loop(at)
        self._offer_average(at)

    def mark(self, at: Exploration) -> None:
        self.drawing.show_marker(float(getattr(at.model, at.along_control)))

    def _compute(self, at: Exploration) -> None:
        def work(cancelled: Cancelled) -> Iterator[Any]:
            dataset = views.curve(at, cancelled)
            yield dataset, self._columns_of(at, dataset)

        def show(result: Any) -> None:
            self._around.jobs.cancel("refinement")  # of the curve before
            self._even = (at, result[0])
            self._around.mark()
            self._show(result)
            self._refine()

        self._even = None
        self._around.jobs.submit("curve", work, show, fail=self._around.fail)

    def settle(self, at: Exploration) -> None:
        """Time for a finer curve, and for the exact one."""
        self._settled = True
        self._refine()
        self._sum_exactly(at)

    def _refine(self) -> None:
        if self._even is None or not self._settled:
            return
        at, dataset = self._even
        self._even = None

        def work(cancelled: Cancelled) -> Iterator[Any]:
            for finer in views.refined_curve(at, dataset, cancelled):
                yield finer, self._columns_of(at, finer)

        self._around.jobs.submit("refinement", work, self._show, fail=self._around.fail)

    @staticmethod
    def _columns_of(at: Exploration, dataset: xr.Dataset) -> dict[str, NDArray[Any]]:
        return theory_columns(dataset, type(at.model), at.along_control, at.colour)

    def _show(self, result: tuple[xr.Dataset, dict[str, NDArray[Any]]]) -> None:
        self.latest, self.columns = result
        self.drawing.show_theory(self.columns)
        self._around.drawn()

    def _forget_exact(self, at: Exploration) -> None:
        """Take away the exact curve if it belongs to other controls."""
        others = tuple((n, v) for n, v in at.model.values().items() if n != at.along_control)
        if not at.model.offers("exact") or self._exact_for == (self._axes, others):
            return
        self._exact_for, self._exact_due = (self._axes, others), True
        self._around.jobs.cancel("exact")
        self.drawing.show_exact(np.empty(0), np.empty(0))

    def _sum_exactly(self, at: Exploration) -> None:
        if not self._exact_due:
            return
        self._exact_due = False

        def show(xy: tuple[NDArray[Any], NDArray[Any]]) -> None:
            self.drawing.show_exact(*xy)
            self._around.drawn()

        self._around.jobs.submit("exact", lambda cancelled: views.exact(at, cancelled), show, after="curve")

    # -- simulation ---------------------------------------------------------------------------------------------------

    def rest(self, at: Exploration) -> None:
        """Simulate at the marker and along the axis, in the background."""
        if not at.model.offers("simulation"):
            return
        ensembles = self._around.ensembles
        here = [ensembles.here(at)]

        def show(points: Any) -> None:
            self._draw_points(at)
            self._progress(len(points) / (views.MEASURED_POINTS + 1), "simulating")
            if ensembles.here(at) != here[0]:
                here[0] = ensembles.here(at)
                self._around.numbers()

        job = ensembles.job(at, lambda fraction: None)
        over = lambda: self._progress(None)  # noqa: E731 (a name for the argument)
        self._around.jobs.submit("ensemble", job, show, over, self._failed, queued=self._queued)

    def _queued(self, before: int | None) -> None:
        if before is not None:
            self._progress(0.0, f"waiting to simulate ({before} before you)" if before else "simulating")

    def _progress(self, fraction: float | None, text: str = "") -> None:
        self._around.say(messages.Progress("ensemble", fraction, text))

    def _failed(self, error: Exception) -> None:
        self._progress(None)
        self._around.fail(error)

    def _draw_points(self, at: Exploration) -> None:
        measured = sorted(self._around.ensembles.points.items())
        found = [(x, one[at.colour]) for x, one in measured if at.colour in one]
        if found == self._points:
            return
        self._points = found
        x, mean, error = np.array([(x, *one[:2]) for x, one in found], float).reshape(-1, 3).T
        samples = [one.values for _, one in found]
        self.drawing.show_points(x, mean, np.where(np.isfinite(error), error, 0.0), samples)
        self._around.drawn()

    # -- hysteresis, if somebody asks for it --------------------------------------------------------------------------

    def simulate(self, on: bool) -> None:
        self._carrying.hear(on)

    def _offer_loop(self, at: Exploration) -> None:
        """Take away the loop of other controls, and say whether there can be one here."""
        name = at.along_control
        others = (name, at.seed, *((n, v) for n, v in at.model.values().items() if n != name))
        if others != self._loop_for:
            self._loop_for = others
            self._carrying.forget()
        made = at.model.control(name)
        there = at.model.offers("simulation") and made.is_carried and at.colour in self._measures
        self._carrying.offer(there, f"Carry one run along {made.title} and back: it keeps its state on the way")

    def _show_loop(self, loop: xr.Dataset | None) -> None:
        self.loop = loop
        self._draw_loop()

    def _draw_loop(self) -> None:
        name, observable, nothing = self._at.along_control, self._at.colour, np.empty(0)
        if self.loop is None or observable not in self.loop or name not in self.loop.dims:
            self.drawing.show_loop(nothing, nothing, nothing)
        else:
            self.drawing.show_loop(self.loop[name].values, *self.loop[observable].values)

    def advance(self, frame: Frame) -> None:
        at = self._at
        if tuple(frame.series) != self._measures:
            self._measures = tuple(frame.series)
            self._offer_loop(at)
            self._offer_average(at)
        self._follow_control(frame)
        values = frame.series.get(at.colour)
        if values is None:
            return
        part = slice(-TRAIL, None)
        reported = frame.series.get(at.along_control)
        x = self._values_at(frame.times[part]) if reported is None else reported[part]
        self.drawing.show_live(thin(x, MOST_OF_TRAIL), thin(values[part], MOST_OF_TRAIL))

    def _follow_control(self, frame: Frame) -> None:
        """Remember when the live run had which value of the abscissa: it may have been carried along it."""
        here = float(getattr(frame.model, self._at.along_control))
        if frame.restarted or not self._moved:
            self._moved = [(-np.inf, here)]
        elif here != self._moved[-1][1]:
            self._moved = [*self._moved, (self._time, here)][-TRAIL:]
        self._time = frame.time

    def _values_at(self, times: NDArray[Any]) -> NDArray[np.float64]:
        since, values = np.array(self._moved).T
        return np.asarray(values[np.maximum(np.searchsorted(since, times, side="left") - 1, 0)])

    # -- an average at the marker, if somebody asks for it -----------------------------------------------------------

    def hears(self) -> Mapping[type[messages.Heard], Callable[[Any], None]]:
        return {messages.Average: self._average}

    def _average(self, message: messages.Average) -> None:
        """Raises UnknownNameError and ArgumentError."""
        if message.by not in ("samples", "error"):
            raise UnknownNameError("end of an average", message.by[:60], ("samples", "error"))
        if message.on:
            least = 2 if message.by == "samples" else 0.0
            value = number_from("an average", message.by, message.value, least)
            self._until = message.by, value
        self._averaging.hear(message.on)

    def _offer_average(self, at: Exploration) -> None:
        if (at.model, at.seed, at.colour) != self._averaging_at:
            self._averaging_at = (at.model, at.seed, at.colour)
            self._averaging.forget()
        timed = at.model.control(at.along_control).role == "time"  # ages are measured along the same runs
        self._averaging.offer(at.model.offers("simulation") and at.colour in self._measures and not timed)

    def _show_average(self, found: Sampled | None) -> None:
        if found is not None:
            self._draw_points(self._at)
            self._around.numbers()

    def judge(self, xs: list[float], ys: list[float]) -> Sketched:
        """How near the theory that is drawn somebody's sketch of it comes. Raises ArgumentError."""
        if len(xs) != len(ys):
            raise ArgumentError("a sketch", "ys", len(ys), f"as many as there are xs, {len(xs)}")
        kind = type(self._at.model)
        return judge(self.columns, kind.control(self._at.along_control), kind.observable(self._at.colour), xs, ys)

    # -- what it has --------------------------------------------------------------------------------------------------

    def pinned(self) -> Any:
        return _ghost_of(self.columns)

    def ghost(self, at: Exploration, point: views.Point, curve: xr.Dataset | None) -> Any:
        return None if curve is None else _ghost_of(self._columns_of(at, curve))

    def show_pins(self, pins: list[Pin]) -> None:
        axes = (self._at.along_control, self._at.colour)
        there = [p for p in pins if (p.exploration.along_control, p.exploration.colour) == axes]
        self.drawing.show_pins([(p.curves[self.name][0], y) for p in there for y in p.curves[self.name][1]])

    def table(self) -> messages.Table:
        """The same in numbers, for who does not see it."""
        at = self._at
        if not self.columns:
            return messages.Table("curve")
        rows = curve_table(at, self.columns, self._around.ensembles.points)
        return messages.Table("curve", at.model.control(at.along_control).title, **rows)

    def held(self) -> dict[str, Any]:
        return {"curve": self.latest, "points": dict(self._around.ensembles.points), "loop": self.loop}


def _told(found: Sampled) -> str:
    """An average in words."""
    return f"{number(found.mean, found.error)} from {found.samples} samples"


def _ghost_of(columns: dict[str, NDArray[Any]]) -> tuple[NDArray[Any] | None, list[NDArray[Any]]]:
    return columns.get("x"), [y for name, y in columns.items() if name.startswith("equilibrium")]
