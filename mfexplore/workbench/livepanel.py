"""The panel of the running simulation: picture, traces, histogram, and the dot on the curve."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from bokeh.models import Column

from mfexplore.core.errors import MfexploreError
from mfexplore.core.pictures import Picture
from mfexplore.figures.states import fits, picture_figure
from mfexplore.figures.style import Theme
from mfexplore.figures.trace import TraceFigure, companions
from mfexplore.workbench.arrangement import series
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Jobs
from mfexplore.workbench.live import Frame, Live
from mfexplore.workbench.page import Page
from mfexplore.workbench.panels import CurvePanel, PointPanels

TRAIL = 400  # points of the trail on the curve
HISTOGRAM_EVERY = 4  # frames


class LivePanel:
    """Draws the frames of a `Live`. Offered only by systems with a simulation."""

    def __init__(self, start: Exploration, theme: Theme) -> None:
        kind = type(start.model)
        try:
            run = start.model.simulate(seed=start.seed)
        except MfexploreError:  # too large for this machine: the page says so when it tries to play
            run = kind().simulate(seed=start.seed)
        self.place = Column(name="state")
        self._put_figure(run.picture(), theme)
        self.drawing = TraceFigure(kind, theme)
        self.drawing.figure.name = "trace"
        self.names = tuple(run.observe())
        self.unit = run.time_unit
        self.chosen = start.colour if start.colour in self.names else self.names[0]
        self.drawing.set_axes(self.chosen, self.unit, run.step)
        self._step = run.step
        self.frame: Frame | None = None
        self._frames = 0
        self._predicted: Any = None
        self._at = start

    def _put_figure(self, picture: Picture, theme: Theme) -> None:
        """A figure of the kind that the picture needs; with the controls the kind of a system's picture may change."""
        self.state = picture_figure(picture, theme)
        self.place.update(children=[self.state.figure], sizing_mode=self.state.figure.sizing_mode)

    def connect(
        self, page: Page, jobs: Jobs, curve: CurvePanel | None, points: PointPanels, drawn: Callable[[], None]
    ) -> None:
        """drawn: called when something is drawn."""
        self._jobs, self._page, self._curve, self._points, self._drawn = jobs, page, curve, points, drawn
        self.live = Live(page.post, self._show, self._fail, jobs.person)

    def begin(self, at: Exploration) -> None:
        """A new run."""
        self._at = at
        self.live.start(at.model, at.seed)

    def turn_to(self, old: Exploration, at: Exploration) -> None:
        """Another exploration: follow if the simulation can, begin anew if not."""
        self._at = at
        if at.seed != old.seed:
            self._jobs.cancel("follow")
            self.live.start(at.model, at.seed)
        elif at.model != old.model:
            self._jobs.submit("follow", lambda cancelled: iter([at.model]), self.live.follow, after="curve")
        if at.colour != old.colour and at.colour in self.names:
            self.choose(at.colour)

    def choose(self, name: str) -> None:
        """Draw the trace of another observable."""
        if name not in self.names:
            return
        self.chosen = name
        self.drawing.set_axes(name, self.unit, self._step)
        self._predicted = None
        self.show_theory()
        if self.frame is not None:
            self._show(self.frame)

    def _rename(self, frame: Frame) -> None:
        """With a setting a system may simulate in another way: it measures other things, in another unit of time."""
        self.names, self.unit, self._step = tuple(frame.series), frame.unit, frame.step
        if self.chosen not in self.names:
            self.chosen = self._at.colour if self._at.colour in self.names else self.names[0]
        self.drawing.set_axes(self.chosen, self.unit, self._step)
        self._predicted = None
        self.show_theory()

    def show_theory(self) -> None:
        """Draw what theory predicts for the long run: the stable branches at the marker."""
        point = self._points.latest
        values: tuple[float, ...] = ()
        if point is not None and self.chosen in point.theory and point.theory[self.chosen].ndim <= 2:
            theory = point.theory
            known = np.where(theory["stable"].values, theory[self.chosen].values, np.nan)
            values = tuple(dict.fromkeys(round(float(v), 9) for v in np.ravel(known) if np.isfinite(v)))
        self.drawing.show_theory(values[:4])
        self._drawn()

    def control(self, message: dict[str, Any]) -> None:
        """A message of the page about the run: play, step, restart, speed or series."""
        kind = message["type"]
        if kind == "play":
            self.live.play(bool(message.get("on")))
        elif kind == "step":
            self.live.step()
        elif kind == "restart":
            self.live.start(self._at.model, self._at.seed)
        elif kind == "speed":
            value = float(message.get("value", 1.0))
            self.live.speed = float(np.clip(value, 0.02, 1000.0)) if np.isfinite(value) else 1.0
        elif kind == "series":
            self.choose(str(message.get("name")))
        self.tell()

    def _show(self, frame: Frame) -> None:
        advanced = self.frame is None or frame.restarted or frame.time != self.frame.time or self.frame is frame
        self.frame = frame
        self._frames += 1
        if (tuple(frame.series), frame.unit, frame.step) != (self.names, self.unit, self._step):
            self._rename(frame)
        values = frame.series.get(self.chosen)
        if advanced:  # else only the controls moved, and the dot on the curve with them
            if fits(self.state, frame.picture):
                self.state.show(frame.picture)
            else:
                self._put_figure(frame.picture, self.state.theme)
        if advanced and values is not None:
            beside = [frame.series[n] for n in companions(self.names, self.chosen)]
            self.drawing.show(frame.times, values, beside)
        self._show_on_curve(frame)
        points = self._points
        if points.landscape is not None and points.latest is not None and points.latest.landscape is not None:
            name = points.latest.landscape.observable
            if name in frame.series:
                points.landscape.show_live(float(frame.series[name][-1]))
        if points.histogram is not None and frame.samples is not None and self._frames % HISTOGRAM_EVERY == 0:
            points.histogram.show(frame.samples)
        self._predict(frame)
        self._drawn()
        self.tell()

    def _show_on_curve(self, frame: Frame) -> None:
        at = self._at
        values = frame.series.get(at.colour)
        if values is None or self._curve is None:
            return
        y = values[-TRAIL:]
        reported = frame.series.get(at.along_control)
        x = np.full(len(y), float(getattr(frame.model, at.along_control))) if reported is None else reported[-TRAIL:]
        self._curve.drawing.show_live(x, y)

    def _predict(self, frame: Frame) -> None:
        """The path that theory predicts, from the first point of the trace, as far as the axis reaches."""
        if not frame.model.offers("predicted_path") or not self.drawing.span:
            return
        key = (frame.model, self.drawing.span, self.chosen, tuple(v[0] for v in frame.series.values()))
        if key == self._predicted:
            return
        followed = self._predicted is not None and self._predicted[0] != frame.model and not frame.restarted
        self._predicted = key
        if followed:  # the controls moved on the way: the path from the start is not this run's any more
            self.drawing.show_predicted(np.empty(0), np.empty(0))
            return
        start = {name: float(v[0]) for name, v in frame.series.items()}
        times = np.linspace(0.0, self.drawing.span, 241)
        model, chosen = frame.model, self.chosen

        def work(cancelled: Any) -> Any:
            yield model.predicted_path(start, times).get(chosen, np.full(times.shape, np.nan))

        def show(path: Any) -> None:
            self.drawing.show_predicted(times, path)
            self._drawn()

        self._jobs.submit("predicted", work, show)

    def tell(self) -> None:
        """Say how the run stands."""
        frame = self.frame
        key = self.state.key(frame.picture) if frame else []
        self._page.say(
            "live", playing=self.live.playing, time=frame.time if frame else 0.0, unit=self.unit, chosen=self.chosen,
            finished=bool(frame and frame.finished), caption=getattr(frame.picture, "caption", "") if frame else "",
            names=series(self.names), picture=type(self.state).__name__, key=key,
            value=float(frame.series[self.chosen][-1]) if frame else None,
        )  # fmt: skip

    def _fail(self, message: str) -> None:
        self._page.say("notice", text=message, kind="error")
        self.tell()
