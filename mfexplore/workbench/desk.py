"""One page, one session: messages of the page move the exploration, and every panel follows.

The page may be a browser's or a notebook's: all it has to do is in `Page`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Any

from mfexplore.core.declaration import Verdict
from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.core.seeds import read_seed
from mfexplore.figures.style import THEMES
from mfexplore.study.turns import Rank, lower
from mfexplore.workbench import exports, views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled, Jobs
from mfexplore.workbench.livepanel import LivePanel
from mfexplore.workbench.page import Page
from mfexplore.workbench.panels import CurvePanel, DiagramPanel, PointPanels
from mfexplore.workbench.sentence import judgement, sentence
from mfexplore.workbench.session import Session

TOGETHER_MS = 20  # the marker waits so long for the curve that belongs to it: one frame costs the browser less than two
SETTLE_MS = 120  # after a step of a gesture without another: address, code and history buttons follow
REST_MS = 450  # the marker has come to rest: time to simulate there


class Desk:
    """Built in any thread (figures take a while), then attached to a page in that page's own."""

    def __init__(self, start: Exploration, notices: list[str], theme: str = "light") -> None:
        self.session = Session(start)
        self.notices = notices
        self.theme = THEMES.get(theme, THEMES["light"])
        kind: type[Model] = type(start.model)
        self.kind = kind
        has_plane = bool(start.x) and kind.offers("solve")
        self.diagram = DiagramPanel(start, self.theme) if has_plane else None
        self.curve = CurvePanel(start, self.theme) if has_plane else None
        self.points = PointPanels(start, self.theme)
        self.live = LivePanel(start, self.theme) if kind.offers("simulation") else None
        self._resting: Any = None
        self._marked: Exploration | None = None
        self._data_open = False
        self._untold = False
        self._shown: dict[str, bool] = {}
        self._legends: dict[str, list[str]] = {}
        self._progressing: dict[str, tuple[float | None, str]] = {}
        self._closed = False
        self._messages: dict[str, Callable[[dict[str, Any]], None]] = {
            "hello": lambda m: self._greet(),
            "control": lambda m: self._slide(str(m["name"]), {str(m["name"]): m["value"]}),
            "marker": self._marker,
            "seed": lambda m: self._go(lambda: self.session.go(self._with_seed(m["value"]))),
            "view": lambda m: self._go(lambda: self.session.set_view(**{str(m["name"]): m["value"] or None})),
            "window": self._window,
            "preset": lambda m: self._go(lambda: self.session.preset(str(m["name"]))),
            "reset": lambda m: self._go(self.session.reset),
            "undo": lambda m: self._go(self.session.undo),
            "redo": lambda m: self._go(self.session.redo),
            "pin": lambda m: self._pin(),
            "unpin": self._unpin,
            "cancel": lambda m: self.diagram.cancel() if self.diagram else None,
            "task": self._start_task,
            "reveal": self._reveal,
            "export": self._export,
            "theme": self._dress,
            "pane": self._pane,
            "visible": self._appear,
        }

    # -- life -----------------------------------------------------------------------------------------------------

    def figures(self) -> dict[str, Any]:
        """The Bokeh figures of this page by name."""
        found: dict[str, Any] = {}
        if self.diagram and self.curve:
            found |= {"diagram": self.diagram.drawing.figure, "curve": self.curve.drawing.figure}
        if self.points.landscape:
            found["landscape"] = self.points.landscape.figure
        if self.points.histogram and self.live:
            found["histogram"] = self.points.histogram.figure
        if self.live:
            found |= {"state": self.live.place, "trace": self.live.drawing.figure}
        return found

    def attach(self, page: Page) -> None:
        """Begin to work for a page that shows the figures; in the page's own thread."""
        self._page = page
        self.jobs = Jobs(self._post)
        self.points.connect(self.jobs, self._told, self._fail)
        if self.diagram and self.curve:
            self.diagram.connect(self.jobs, self._progress, self._fail, self._tell_legends)
            self.curve.connect(self.jobs, self._progress, self._fail, self._show_marker, self._tell_legends)
        if self.live:
            self.live.connect(page, self.jobs, self.curve, self.points, self._tell_legends)
        self.session.listen(self._moved)
        self._turn(None)

    def close(self) -> None:
        """The page was closed: stop everything that runs for it."""
        self._closed = True
        self.jobs.close()
        if self.live:
            self.live.live.close()

    def _post(self, work: Callable[[], None]) -> None:
        """Run in the page's own thread, unless it was closed in the meantime; from any thread."""
        if not self._closed:
            self._page.post(lambda: None if self._closed else work())

    # -- the page speaks ------------------------------------------------------------------------------------------

    def hear(self, message: dict[str, Any]) -> None:
        """A message of the page, with its kind in "type"; whatever is wrong with it becomes a notice."""
        kind = message.get("type")
        try:
            if kind in ("play", "step", "restart", "speed", "series"):
                if self.live:
                    self.live.control(message)
            elif kind in self._messages:
                self._messages[kind](message)
        except MfexploreError as error:
            self._notice(str(error))
            self._tell_state()
        except (KeyError, TypeError, ValueError) as error:
            self._notice(f"That could not be understood: {error}.")
            self._tell_state()

    def _appear(self, message: dict[str, Any]) -> None:
        """The page is shown or hidden, behind another tab: nobody waits for what goes on behind."""
        self.jobs.person.visible = bool(message["on"])

    def _go(self, change: Callable[[], None]) -> None:
        self.jobs.person.touch()
        change()
        self._tell_state()

    def _slide(self, gesture: str, values: dict[str, Any]) -> None:
        """One step of a gesture: what is on the screen follows now, the rest of the page once the hand rests."""
        self.jobs.person.touch()
        self.session.set_controls(gesture, **values)
        self._untold = True

    def _with_seed(self, value: Any) -> Exploration:
        from dataclasses import replace

        return replace(self.session.current, seed=read_seed(str(value)))

    def _marker(self, message: dict[str, Any]) -> None:
        """The marker was put somewhere: the nearest allowed values of the two controls."""
        at = self.session.current
        values = {}
        for axis, name in (("x", at.x), ("y", at.y)):
            declared = self.kind.control(name)
            low, high = declared.bounds
            value = min(max(float(message[axis]), low), high)
            if declared.is_integer:
                value = round(value)
            elif declared.step and declared.scale == "linear":
                digits = max(0, 2 - math.floor(math.log10(float(declared.step))))
                value = min(max(round(round(value / declared.step) * declared.step, digits), low), high)
            values[name] = value
        self._slide("marker", values)

    def _window(self, message: dict[str, Any]) -> None:
        at = self.session.current
        windows: dict[str, tuple[float, float] | None] = {"x_window": None, "y_window": None}
        for axis in ("x", "y"):
            if message.get(axis):
                bounds = self.kind.control(getattr(at, axis)).bounds
                low, high = (min(max(float(v), bounds[0]), bounds[1]) for v in message[axis])
                if high > low:
                    windows[f"{axis}_window"] = (low, high)
        self._go(lambda: self.session.set_view(**windows))

    def _pin(self) -> None:
        at, curve = self.session.current, self.curve
        curves: dict[str, Any] = {}
        if curve is not None:
            shown = [values for name, values in curve.columns.items() if name.startswith("equilibrium")]
            curves["curve"] = (curve.columns.get("x"), shown)
            curves["marker"] = (float(getattr(at.model, at.x)), float(getattr(at.model, at.y)))
        point = self.points.latest
        if point is not None and point.landscape is not None:
            curves["landscape"] = (point.landscape.coordinate, point.landscape.free_energy)
        if self.live and self.live.frame:
            frame = self.live.frame
            curves["trace"] = (frame.times, frame.series)
        self.session.pin(curves)
        self._draw_pins()

    def _unpin(self, message: dict[str, Any]) -> None:
        index = int(message["index"])
        if 0 <= index < len(self.session.pins):
            self.session.unpin(self.session.pins[index])
            self._draw_pins()

    def _draw_pins(self) -> None:
        pins, at = self.session.pins, self.session.current
        same_axes = [p for p in pins if (p.exploration.along_control, p.exploration.colour)
                     == (at.along_control, at.colour)]  # fmt: skip
        if self.curve and self.diagram:
            lines = [(p.curves["curve"][0], y) for p in same_axes for y in p.curves["curve"][1]]
            self.curve.drawing.show_pins(lines)
            here = [p for p in pins if (p.exploration.x, p.exploration.y) == (at.x, at.y)]
            self.diagram.drawing.show_pins([p.curves["marker"] for p in here])
        if self.points.landscape:
            self.points.landscape.show_pins([p.curves["landscape"] for p in pins if "landscape" in p.curves])
        if self.live:
            chosen = self.live.chosen
            traces = [p.curves["trace"] for p in pins if "trace" in p.curves and chosen in p.curves["trace"][1]]
            self.live.drawing.show_pins([(times, series[chosen]) for times, series in traces])
        self._page.say("pins", pins=[p.title for p in pins])

    def _pane(self, message: dict[str, Any]) -> None:
        """Another page of the system is shown: the table is made only while somebody looks at it."""
        self._data_open = message.get("name") == "Data"
        self._told()

    def _start_task(self, message: dict[str, Any]) -> None:
        task = self.kind.tasks[int(message["index"])]
        self._go(lambda: self.session.set_controls(**dict(task.controls)))

    def _reveal(self, message: dict[str, Any]) -> None:
        index = int(message["index"])
        task = self.kind.tasks[index]
        guess = float(message["guess"])

        def work(cancelled: Cancelled) -> Iterator[Verdict]:
            yield task.judge(guess, self.kind)

        def show(judged: Verdict) -> None:
            self._page.say("answer", index=index, right=judged.right, text=judgement(judged), lesson=task.lesson)

        self.jobs.submit(f"task-{index}", work, show, fail=self._fail)

    def _export(self, message: dict[str, Any]) -> None:
        what = str(message["what"])
        at = self.session.current
        held = exports.Held(
            at,
            self.diagram.latest if self.diagram else None,
            self.diagram.boundaries if self.diagram else None,
            self.curve.latest if self.curve else None,
            dict(self.curve.ensembles.points) if self.curve else {},
            self.live.live.trace() if self.live else None,
            self.points.latest.theory if self.points.latest else None,
        )

        def work(cancelled: Cancelled) -> Iterator[exports.File]:
            lower(Rank.REFINEMENT)
            yield exports.make(what, held)

        self.jobs.submit("export", work, self._page.give, fail=self._fail, queued=self._queued)

    def _dress(self, message: dict[str, Any]) -> None:
        self.theme = THEMES.get(str(message.get("name")), self.theme)
        drawings = [self.points.landscape, self.points.histogram]
        if self.diagram and self.curve:
            drawings += [self.diagram.drawing, self.curve.drawing]  # type: ignore[list-item]
        if self.live:
            drawings += [self.live.state, self.live.drawing]  # type: ignore[list-item]
        for drawing in drawings:
            if drawing is not None:
                drawing.dress(self.theme)
        self.points.draw()
        if self.live and self.live.frame:
            self.live.state.show(self.live.frame.picture)
            self.live.tell()

    # -- the exploration moved ------------------------------------------------------------------------------------

    def _moved(self, old: Exploration, new: Exploration) -> None:
        self._turn(old)

    def _turn(self, old: Exploration | None) -> None:
        at = self.session.current
        if self.diagram and self.curve:
            self.diagram.turn_to(at)
            self.curve.turn_to(at)
            self._page.later(TOGETHER_MS, self._show_marker)
        if self.kind.offers("solve"):
            self.points.turn_to(at)
        if self.live:
            if old is None:
                self.live.begin(at)
            else:
                self.live.turn_to(old, at)
        if self._resting is not None:
            self._page.forget(self._resting)
        self._resting = self._page.later(SETTLE_MS, self._settle)

    def _show_marker(self) -> None:
        at = self.session.current
        if at is not self._marked and self.diagram and self.curve:
            self._marked = at
            self.diagram.show_marker(at)
            self.curve.show_marker(at)

    def _settle(self) -> None:
        if self.curve:
            self.curve.rest(self.session.current)
        self._resting = self._page.later(REST_MS - SETTLE_MS, self._rest)
        if self._untold:
            self._tell_state()

    def _rest(self) -> None:
        self._resting = None
        if self.curve:
            self.curve.measure(self.session.current, self._told)

    # -- the session speaks ---------------------------------------------------------------------------------------

    def _greet(self) -> None:
        self._tell_state()
        for text in self.notices:
            self._notice(text, "info")
        self.notices = []
        for what, (fraction, told) in self._progressing.items():  # what was said before anyone listened
            self._page.say("progress", what=what, fraction=fraction, text=told)
        self._shown.clear()
        self._legends.clear()
        self._told()
        self._tell_legends()
        if self.live:
            self.live.tell()
        self.jobs.submit("checks", self._check, self._tell_check, fail=self._fail)

    def _check(self, cancelled: Cancelled) -> Iterator[Any]:
        yield from enumerate(views.checks(self.kind, cancelled))

    def _tell_check(self, found: Any) -> None:
        index, check = found
        value = f"{check.value:.6g}"
        mark = f"✓ {check.digits} digit{'' if check.digits == 1 else 's'}" if check.agrees else f"≠ {value}"
        self._page.say(
            "check", index=index, title=check.title, computed=f"{check.computed:.6g}", value=value,
            source=check.source, agrees=check.agrees, mark=mark,
        )  # fmt: skip

    def _tell_state(self) -> None:
        self._untold = False
        at = self.session.current
        view = {n: getattr(at, n) for n in ("x", "y", "colour", "branch", "method", "along")}
        self._page.say(
            "state", values=at.model.values(), seed=at.seed_text, view=view, query=at.to_query(),
            zoomed=bool(at.x_window or at.y_window), undo=self.session.can_undo, redo=self.session.can_redo,
            python=at.as_python(), sweep=at.as_sweep() if at.x else "", citation=at.citation(),
        )  # fmt: skip

    def _told(self) -> None:
        """The numbers at the marker are new: sentence, table, theory in the trace."""
        at, point = self.session.current, self.points.latest
        if point is None:
            return
        measured = self.curve.ensembles.here(at).get(at.colour) if self.curve else None
        if at.colour:
            said = sentence(at.model, point.theory, at.colour, at.branch, at.method, measured)
            self._page.say(
                "sentence", headline=said.headline, text=said.text, validity=said.validity, trusted=said.trusted
            )
        if self._data_open:
            measured_here = self.curve.ensembles.here(at) if self.curve else {}
            self._page.say("table", **exports.table(self.kind, point.theory, measured_here))
        for name, offered in (("landscape", point.landscape), ("law", point.law)):
            if self.kind.offers(name) and self._shown.get(name) != (offered is not None):
                self._shown[name] = offered is not None
                self._page.say("panel", name=name, shown=offered is not None)
        if self.live:
            self.live.show_theory()
        self._tell_legends()

    def _tell_legends(self) -> None:
        """What is drawn: legends list nothing else."""
        panels = [panel.drawing for panel in (self.diagram, self.curve, self.live) if panel is not None]
        for drawing in (*panels, self.points.landscape, self.points.histogram):
            if drawing is None:
                continue
            figure, names = str(drawing.figure.name), drawing.drawn
            if self._legends.get(figure) != names:
                self._legends[figure] = names
                self._page.say("legend", figure=figure, names=names)

    def _progress(self, what: str, fraction: float | None, text: str) -> None:
        self._progressing[what] = (fraction, text)
        self._page.say("progress", what=what, fraction=fraction, text=text)

    def _queued(self, before: int | None) -> None:
        text = "" if before is None else f"waiting for its turn ({before} before it)"
        self._progress("queue", None if before is None else 0.0, text)

    def _notice(self, text: str, kind: str = "error") -> None:
        self._page.say("notice", text=text, kind=kind)

    def _fail(self, error: Exception) -> None:
        text = str(error) if isinstance(error, MfexploreError) else f"A computation failed: {error}"
        self._notice(text)
