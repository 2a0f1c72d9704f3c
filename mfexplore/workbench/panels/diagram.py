"""The phase diagram: follows the marker at once, and is computed again when anything else than the marker moved."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.errors import ArgumentError, MfexploreError
from mfexplore.core.model import Model
from mfexplore.figures.diagram import DiagramFigure, Prepared, prepare
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.figures.symbols import plain
from mfexplore.study.measured import NONE, Dots, dots
from mfexplore.workbench import messages, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.live import Frame
from mfexplore.workbench.panels.base import Asked, Panel, Surroundings
from mfexplore.workbench.session import Pin
from mfexplore.workbench.sketch import Traced, judge_boundary

if TYPE_CHECKING:
    import xarray as xr

Look = tuple[str, str | None, str | None]  # colour, branch, method

RESOLUTION = 257  # at most
MEASURE = "Measure"
MEASURE_TIP = "Simulate at points all over the plane: dots in the colours of the theory"


class DiagramPanel(Panel):
    name, title, alt = "diagram", "Phase diagram", "Phase diagram of {}"
    place, order = "explore", 10
    below = "progress"

    drawing: DiagramFigure

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        return bool(start.x) and type(start.model).offers("solve")

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> DiagramFigure:
        return DiagramFigure(type(start.model), theme)

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        return DiagramFigure.marks(kind)

    def __init__(self, drawing: DiagramFigure, around: Surroundings, start: Exploration) -> None:
        super().__init__(drawing, around, start)
        self.latest: xr.Dataset | None = None
        self.boundaries: xr.Dataset | None = None
        self._computed: Any = None
        self._finest = RESOLUTION
        self._look: Look = (start.colour, start.branch, start.method)
        self._measured = NONE
        self._measured_for: Any = None  # the controls that these dots belong to
        self._sweep, self._sweep_name = around.sweep, "sweep"
        self._stored: tuple[Any, Dots] = (None, NONE)  # of that sweep, and for which plane
        self._measures: tuple[str, ...] = ()  # what the simulation observes
        self._measuring = Asked(
            self.name, around, MEASURE, MEASURE_TIP, lambda cancelled: views.measured_plane(self._at, cancelled),
            self._show_measured,
        )  # fmt: skip

    def turn_to(self, at: Exploration) -> None:
        self._at = at
        windows = (at.window("x"), at.window("y"))
        if self.drawing.axes != (at.x, at.y):  # what still comes belongs to another plane
            self._around.jobs.cancel("diagram", "boundaries")
        if (self.drawing.axes, self.drawing.observable) != ((at.x, at.y), at.colour):
            self.drawing.set_axes(at.x, at.y, *windows, at.colour)
        else:
            self.drawing.set_window(*windows)
        plane = (at.x, at.y, windows, at.theory_controls(at.x, at.y))
        look, self._look = self._look, (at.colour, at.branch, at.method)
        if plane != self._computed:
            self._computed = plane
            self.latest = self.boundaries = None
            self._compute(at)
        elif self.latest is not None and look != self._look:
            self.drawing.show(self.latest, at.branch, at.method)
        self._offer_measuring(at)
        self._draw_dots()

    def mark(self, at: Exploration) -> None:
        self.drawing.show_marker(float(getattr(at.model, at.x)), float(getattr(at.model, at.y)))

    def _compute(self, at: Exploration) -> None:
        kind = type(at.model)
        jobs, fail = self._around.jobs, self._around.fail
        self._finest = min(RESOLUTION, at.model.plane(at.x, at.y).finest)
        levels = views.diagram(at, self._finest, lambda fraction: None)
        has_lines = kind.offers("landmark")

        def work(cancelled: Cancelled) -> Iterator[tuple[xr.Dataset, Look, Prepared]]:
            for number, level in enumerate(levels(cancelled)):
                look = self._look
                yield level, look, prepare(level, kind, *look)
                if number == 0 and has_lines:  # the first picture does not share the processor with its lines
                    lines = lambda cancelled: views.boundaries(at, cancelled)  # noqa: E731 (a name for the argument)
                    jobs.submit("boundaries", lines, self._show_boundaries, fail=fail)

        self._progress(0.0, "computing the diagram")
        jobs.submit("diagram", work, self._show_level, lambda: self._progress(None), self._failed)

    def _progress(self, fraction: float | None, text: str = "") -> None:
        self._around.say(messages.Progress("diagram", fraction, text))

    def _show_level(self, result: tuple[xr.Dataset, Look, Prepared]) -> None:
        self.latest, look, prepared = result
        if look == self._look:
            self.drawing.paint(prepared)
        else:  # another was chosen while this was on its way
            self.drawing.show(self.latest, self._at.branch, self._at.method)
        self._around.drawn()
        rows, columns = prepared.values.shape
        fraction = (rows * columns) ** 0.5 / self._finest
        self._progress(min(fraction, 0.97), f"refining beyond {columns} × {rows}")

    def _show_boundaries(self, boundaries: xr.Dataset) -> None:
        self.boundaries = boundaries
        self.drawing.show_boundaries(boundaries)
        self._around.drawn()

    def _failed(self, error: Exception) -> None:
        self._progress(None)
        self._around.fail(error)

    # -- what simulations say, if somebody asks for it ----------------------------------------------------------------

    def simulate(self, on: bool) -> None:
        self._measuring.hear(on)

    def advance(self, frame: Frame) -> None:
        if tuple(frame.series) != self._measures:
            self._measures = tuple(frame.series)
            self._offer_measuring(self._at)

    def _offer_measuring(self, at: Exploration) -> None:
        """Take away the dots of other controls, and say whether there can be some here."""
        axes = (at.x, at.y)
        others = (axes, at.seed, *((n, v) for n, v in at.model.values().items() if n not in axes))
        if others != self._measured_for:
            self._measured_for = others
            self._measuring.forget()
        depends = any(at.model.control(name).part != "theory" for name in axes)
        self._measuring.offer(at.model.offers("simulation") and depends and at.colour in self._measures)

    def _show_measured(self, found: Dots | None) -> None:
        self._measured = found or NONE
        self._draw_dots()

    def lay(self, sweep: xr.Dataset | None, name: str = "") -> None:
        """Lay a sweep over the diagram, or take away what lies there."""
        self._sweep, self._sweep_name, self._stored = sweep, name, (None, NONE)
        self._draw_dots()
        self._around.drawn()

    @property
    def stored(self) -> Dots:
        """Those points of the sweep that was laid over the diagram which lie in this plane."""
        if self._sweep is None:
            return NONE
        at = self._at
        key = (at.x, at.y, at.theory_controls(at.x, at.y))
        if self._stored[0] != key:
            self._stored = key, dots(self._sweep, at.model, at.x, at.y)
        return self._stored[1]

    @property
    def dots(self) -> Dots:
        """What is measured in this plane: just now, and in a sweep."""
        return self.stored + self._measured

    def _draw_dots(self) -> None:
        if self.drawing.observable:
            self.drawing.show_measured(*self.dots.shown(self._at.colour))
        laid = self._sweep is not None
        text = f"{self._sweep_name}: {self.stored.x.size} points in this plane" if laid else ""
        label, tip = ("Clear", "Take the sweep away") if laid else ("", "")
        self._around.say(messages.Simulating("sweep", label, tip, laid, text))

    def hears(self) -> Mapping[type[messages.Heard], Callable[[Any], None]]:
        return {messages.Cancel: lambda message: self.cancel()}

    def cancel(self) -> None:
        """Stop refining; what is drawn stays."""
        self._around.jobs.cancel("diagram")
        self._progress(None, "stopped; the picture stays coarse")

    def resize(self, width: float, height: float) -> None:
        self.drawing.resize(width, height)

    def pinned(self) -> Any:
        return self._place(self._at)

    def ghost(self, at: Exploration, point: views.Point, curve: xr.Dataset | None) -> Any:
        return self._place(at)

    @staticmethod
    def _place(at: Exploration) -> tuple[float, float]:
        return float(getattr(at.model, at.x)), float(getattr(at.model, at.y))

    def show_pins(self, pins: list[Pin]) -> None:
        here = [pin for pin in pins if (pin.exploration.x, pin.exploration.y) == (self._at.x, self._at.y)]
        self.drawing.show_pins([pin.curves[self.name] for pin in here])

    def judge(self, xs: list[float], ys: list[float]) -> Traced:
        """How near to a boundary somebody's sketch comes. Raises MfexploreError before there are any, ArgumentError."""
        if len(xs) != len(ys):
            raise ArgumentError("a sketch", "ys", len(ys), f"as many as there are xs, {len(xs)}")
        at = self._at
        if self.boundaries is None:
            raise MfexploreError("The boundaries are still being computed: reveal again in a moment.")
        windows = [scale.place(at.window(axis)) for scale, axis in zip(self.drawing.scales, "xy", strict=True)]

        def placed(x: Any, y: Any) -> Any:
            parts = [
                (scale.place(np.asarray(values, float)) - low) / (high - low)
                for scale, values, (low, high) in zip(self.drawing.scales, (x, y), windows, strict=True)
            ]
            return np.stack(parts, axis=-1)

        symbols = {landmark.name: plain(landmark.symbol) for landmark in type(at.model).landmarks}
        lines = []
        for name in self.boundaries["boundary"].values if "boundary" in self.boundaries else ():
            one = self.boundaries.sel(boundary=name)
            lines.append((symbols[str(name)], placed(one[at.x].values, one[at.y].values)))
        return judge_boundary(lines, placed(xs, ys))

    def held(self) -> dict[str, Any]:
        return {"diagram": self.latest, "boundaries": self.boundaries, "dots": self.dots}
