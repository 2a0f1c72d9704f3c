"""The panels of theory: diagram, curve, landscape. Each draws into its figure what its jobs compute."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.curves import CurvesFigure, theory_columns
from mfexplore.figures.diagram import DiagramFigure, Prepared, prepare
from mfexplore.figures.landscape import LandscapeFigure
from mfexplore.figures.style import Theme
from mfexplore.figures.trace import HistogramFigure
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled, Jobs

if TYPE_CHECKING:
    import xarray as xr

RESOLUTION = 257
Progress = Callable[[str, float | None, str], None]  # what, finished fraction (None: over), in words


class DiagramPanel:
    """The phase diagram: follows the marker at once, and recomputes when anything else than the marker moved."""

    def __init__(self, start: Exploration, theme: Theme) -> None:
        self.drawing = DiagramFigure(type(start.model), theme)
        self.drawing.figure.name = "diagram"
        self.latest: xr.Dataset | None = None
        self.boundaries: xr.Dataset | None = None
        self._computed: Any = None
        self._look: Any = None

    def connect(
        self, jobs: Jobs, progress: Progress, fail: Callable[[Exception], None], drawn: Callable[[], None]
    ) -> None:
        """drawn: called when anything but the marker is drawn."""
        self._jobs, self._progress, self._fail, self._drawn = jobs, progress, fail, drawn

    def turn_to(self, at: Exploration) -> None:
        """Show another exploration."""
        axes = (at.x, at.y, at.colour)
        windows = (at.window("x"), at.window("y"))
        drawn = (self.drawing.axes, getattr(self.drawing, "_observable", None))
        if drawn[0] != axes[:2] or drawn[1] is None or drawn[1].name != at.colour:
            self.drawing.set_axes(at.x, at.y, *windows, at.colour)
        else:
            self.drawing.set_window(*windows)
        plane = (at.x, at.y, windows, _theory_controls(at, at.x, at.y))
        look = (at.colour, at.branch, at.method)
        if plane != self._computed:
            self._computed = plane
            self.latest = None
            self._compute(at)
        elif self.latest is not None and look != self._look:
            self.drawing.show(self.latest, at.branch, at.method)
        self._look = look

    def show_marker(self, at: Exploration) -> None:
        self.drawing.show_marker(float(getattr(at.model, at.x)), float(getattr(at.model, at.y)))

    def _compute(self, at: Exploration) -> None:
        kind = type(at.model)
        levels = views.diagram(at, RESOLUTION, lambda fraction: None)

        has_lines = kind.offers("landmark") or kind.offers("trace_landmark")

        def work(cancelled: Cancelled) -> Iterator[tuple[xr.Dataset, Prepared]]:
            for number, level in enumerate(levels(cancelled)):
                yield level, prepare(level, kind, at.colour, at.branch, at.method)
                if number == 0 and has_lines:  # the first picture does not share the processor with its lines
                    self._jobs.submit(
                        "boundaries", lambda cancelled: views.boundaries(at, cancelled), self._show_boundaries,
                        fail=self._fail,
                    )  # fmt: skip

        self._progress("diagram", 0.0, "computing the diagram")
        self._jobs.submit("diagram", work, self._show_level, self._done, self._failed)

    def _show_level(self, result: tuple[xr.Dataset, Prepared]) -> None:
        dataset, prepared = result
        self.latest = dataset
        self.drawing.paint(prepared)
        self._drawn()
        rows, columns = prepared.values.shape
        fraction = (rows * columns / RESOLUTION**2) ** 0.5
        self._progress("diagram", min(fraction, 0.97), f"refining beyond {columns} × {rows}")

    def _show_boundaries(self, boundaries: xr.Dataset) -> None:
        self.boundaries = boundaries
        self.drawing.show_boundaries(boundaries)
        self._drawn()

    def _done(self) -> None:
        self._progress("diagram", None, "")

    def _failed(self, error: Exception) -> None:
        self._done()
        self._fail(error)

    def cancel(self) -> None:
        """Stop refining; what is drawn stays."""
        self._jobs.cancel("diagram")
        self._progress("diagram", None, "stopped; the picture stays coarse")


def _theory_controls(at: Exploration, *axes: str) -> tuple[tuple[str, Any], ...]:
    """The controls that theory depends on, but those that are axes."""
    moving = [n for n in at.model.values() if n not in axes and at.model.control(n).part != "simulation"]
    return tuple((n, getattr(at.model, n)) for n in moving)


class CurvePanel:
    """Theory against simulation along one axis through the marker."""

    def __init__(self, start: Exploration, theme: Theme) -> None:
        self.drawing = CurvesFigure(type(start.model), theme)
        self.drawing.figure.name = "curve"
        self.ensembles = views.Ensembles()
        self.latest: xr.Dataset | None = None
        self.columns: dict[str, NDArray[Any]] = {}
        self._axes: Any = None
        self._computed: Any = None
        self._even: tuple[Exploration, xr.Dataset] | None = None  # a curve that is to be refined
        self._rests = False
        self._exact_for: Any = None
        self._exact_due = False
        self._points: Any = []

    def connect(
        self, jobs: Jobs, progress: Progress, fail: Callable[[Exception], None], ready: Callable[[], None],
        drawn: Callable[[], None],
    ) -> None:  # fmt: skip
        """ready: called when the curve is about to be drawn, or stays. drawn: when anything but the marker is drawn."""
        self._jobs, self._progress, self._fail, self._ready, self._drawn = jobs, progress, fail, ready, drawn

    def turn_to(self, at: Exploration) -> None:
        """Show another exploration; the ensembles follow with `measure` once the marker rests."""
        axes = (at.along_control, at.colour, at.window(at.along))
        if axes != self._axes:
            self._axes = axes
            self.drawing.set_axes(*axes)
            self.drawing.show_live(np.empty(0), np.empty(0))
        self._rests = False
        wanted = (axes, _theory_controls(at, at.along_control))
        if wanted != self._computed:
            self._computed = wanted
            self._compute(at)
        elif not self._jobs.busy("curve"):  # nothing to compute, but what comes after the curve still does
            self._jobs.submit("curve", lambda cancelled: iter([None]), lambda nothing: self._ready())
        self.ensembles.turn_to(at)
        if self._jobs.busy("ensemble"):  # the hand on the slider comes first; `measure` goes on where this stopped
            self._jobs.cancel("ensemble")
            self._progress("ensemble", None, "")
        self._draw_points(at)
        self._forget_exact(at)

    def show_marker(self, at: Exploration) -> None:
        self.drawing.show_marker(float(getattr(at.model, at.along_control)))

    def _compute(self, at: Exploration) -> None:
        def work(cancelled: Cancelled) -> Iterator[Any]:
            dataset = views.curve(at, cancelled)
            yield dataset, self._columns_of(at, dataset)

        def show(result: Any) -> None:
            self._jobs.cancel("refinement")  # of the curve before
            self._even = (at, result[0])
            self._ready()
            self._show(result)
            self._refine()

        self._even = None
        self._jobs.submit("curve", work, show, fail=self._fail)

    def rest(self, at: Exploration) -> None:
        """The hand has come to rest here: time for a finer curve, and for the exact one."""
        self._rests = True
        self._refine()
        self._sum_exactly(at)

    def _refine(self) -> None:
        if self._even is None or not self._rests:
            return
        at, dataset = self._even
        self._even = None

        def work(cancelled: Cancelled) -> Iterator[Any]:
            for finer in views.refined_curve(at, dataset, cancelled):
                yield finer, self._columns_of(at, finer)

        self._jobs.submit("refinement", work, self._show, fail=self._fail)

    @staticmethod
    def _columns_of(at: Exploration, dataset: xr.Dataset) -> dict[str, NDArray[Any]]:
        return theory_columns(dataset, type(at.model), at.along_control, at.colour)

    def _show(self, result: tuple[xr.Dataset, dict[str, NDArray[Any]]]) -> None:
        self.latest, self.columns = result
        self.drawing.show_theory(self.columns)
        self._drawn()

    def _forget_exact(self, at: Exploration) -> None:
        """Take away the exact curve if it belongs to other controls."""
        others = tuple((n, v) for n, v in at.model.values().items() if n != at.along_control)
        if not at.model.offers("exact") or self._exact_for == (self._axes, others):
            return
        self._exact_for, self._exact_due = (self._axes, others), True
        self._jobs.cancel("exact")
        self.drawing.show_exact(np.empty(0), np.empty(0))

    def _sum_exactly(self, at: Exploration) -> None:
        if not self._exact_due:
            return
        self._exact_due = False

        def show(xy: tuple[NDArray[Any], NDArray[Any]]) -> None:
            self.drawing.show_exact(*xy)
            self._drawn()

        self._jobs.submit("exact", lambda cancelled: views.exact(at, cancelled), show, after="curve")

    def measure(self, at: Exploration, told: Callable[[], None]) -> None:
        """Simulate at the marker and along the axis, in the background. told: called when the marker's own is there."""
        if not at.model.offers("simulation"):
            return

        here = [self.ensembles.here(at)]

        def show(points: Any) -> None:
            self._draw_points(at)
            self._progress("ensemble", len(points) / (views.MEASURED_POINTS + 1), "simulating")
            if self.ensembles.here(at) != here[0]:
                here[0] = self.ensembles.here(at)
                told()

        job = self.ensembles.job(at, lambda fraction: None)
        done = lambda: self._progress("ensemble", None, "")  # noqa: E731 (a name for the argument)
        self._jobs.submit("ensemble", job, show, done, self._failed, queued=self._queued)

    def _queued(self, before: int | None) -> None:
        if before is not None:
            self._progress("ensemble", 0.0, f"waiting to simulate ({before} before you)")

    def _failed(self, error: Exception) -> None:
        self._progress("ensemble", None, "")
        self._fail(error)

    def _draw_points(self, at: Exploration) -> None:
        found = [(x, *one[at.colour][:2]) for x, one in sorted(self.ensembles.points.items()) if at.colour in one]
        if found == self._points:
            return
        self._points = found
        x, mean, error = np.array(found, float).reshape(-1, 3).T
        self.drawing.show_points(x, mean, np.where(np.isfinite(error), error, 0.0))
        self._drawn()


class PointPanels:
    """What theory says at the marker: landscape and law, and the numbers for sentence and table."""

    def __init__(self, start: Exploration, theme: Theme) -> None:
        kind = type(start.model)
        self.landscape = LandscapeFigure(kind, theme) if kind.offers("landscape") else None
        self.histogram = HistogramFigure(kind, theme) if kind.offers("law") else None
        self.latest: views.Point | None = None
        for name in ("landscape", "histogram"):
            made = getattr(self, name)
            if made is not None:
                made.figure.name = name

    def connect(self, jobs: Jobs, told: Callable[[], None], fail: Callable[[Exception], None]) -> None:
        """told: called when the numbers at the marker are new."""
        self._jobs, self._told, self._fail = jobs, told, fail

    def turn_to(self, at: Exploration) -> None:
        self._jobs.submit(
            "point", lambda cancelled: views.point(at, cancelled), self._show, fail=self._fail, after="curve"
        )

    def _show(self, point: views.Point) -> None:
        self.latest = point
        self.draw()
        self._told()

    def draw(self) -> None:
        """Draw what theory says, once it is known."""
        point = self.latest
        if point is None:
            return
        if self.landscape is not None and point.landscape is not None:
            theory = point.theory
            if "method" in theory.dims:
                theory = theory.isel({"method": 0})
            name = point.landscape.observable
            if name in theory:
                values, stable = (np.atleast_1d(theory[n].values) for n in (name, "stable"))
            else:  # a landscape along something the theory has no branches of
                values, stable = np.empty(0), np.empty(0, bool)
            self.landscape.show(point.landscape, values, stable)
        if self.histogram is not None and point.law is not None:
            self.histogram.show_law(point.law)
