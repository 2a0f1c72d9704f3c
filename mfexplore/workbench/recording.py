"""A workbench recorded, for a page without a server: each scene in every view, and a run of it.

A *scene* is a point with a name: where the record begins, a preset, or where a task is set. A *view* of it is an
observable along an axis.
What a server would say there is kept word for word; only where the marker goes elsewhere the page finds its numbers in
the *plane*: all states of the theory on a grid.
"""

from __future__ import annotations

import heapq
import itertools
import json
import queue
import re
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.model import Model
from mfexplore.core.simulation import never
from mfexplore.figures.frame import Figure
from mfexplore.figures.style import DARK, LIGHT
from mfexplore.study.turns import Person, aside, current
from mfexplore.workbench import messages
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.jobs import Cancelled
from mfexplore.workbench.live import Frame, Live
from mfexplore.workbench.messages import Heard, Said
from mfexplore.workbench.panels import Panel, draw
from mfexplore.workbench.plane import Plane
from mfexplore.workbench.tape import Tape
from mfexplore.workbench.wire import written

if TYPE_CHECKING:
    import xarray as xr

FRAMES = 72  # of a run, at most: ever faster, so that both what happens soon and what takes long is seen ...
STEPS = 1500  # ... up to so many steps ...
RUN_SECONDS, FRAME_SECONDS = 5.0, 0.5  # ... and no more computing than this, in all and for one
SIMULATING, PATIENT = 6.0, 5  # seconds for averages at the points of a curve; times these for that at the marker
LABEL = re.compile(r'"((?:[^"\\]|\\.)*\$\$(?:[^"\\]|\\.)*)"')  # in JSON
PATIENCE = 0.02  # seconds between two looks whether something came
SIZE = 640.0, 440.0  # of the diagram in pixels, for which its letters are placed


class Paced(Live):
    """A simulation that goes on when it is asked to."""

    def _notify(self) -> None:
        """No thread is needed."""

    def next(self, steps: int) -> Frame | None:
        """So many steps on, or the beginning of the run that is ordered; None if there is no run."""
        order, self._order = self._order, None
        restarted = self._begin(order, None)
        if self._run is None:
            return None
        begun = time.monotonic()
        for _ in range(0 if restarted else steps):
            if not self._run.finished and time.monotonic() - begun < FRAME_SECONDS:
                self._run.advance()
        return self._frame(self._run, restarted, True, 0.0)


class Onlooker(Person):
    """Somebody whose hand always rests; whoever asked for the record pays for it."""

    def __init__(self) -> None:
        super().__init__()
        turn = current()
        if turn is not None and turn.people:
            self.spent = turn.people[0].spent

    def touch(self) -> None:
        """A message was no move of a hand."""


class Recorder:
    """The page of a desk at which nobody sits: what was said and drawn is there to be taken."""

    def __init__(self, start: Exploration, cancelled: Cancelled) -> None:
        self.said: dict[Any, Said] = {}
        self.drawn: dict[str, Figure] = {}
        self.errors: list[str] = []
        self._cancelled = cancelled
        self._posted: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._clock = 0
        self._numbers = itertools.count()
        self._due: list[tuple[int, int, Callable[[], None]]] = []
        self.desk = Desk(start, draw(start, LIGHT), self, live=Paced, person=Onlooker())
        self.tell(messages.Pane("Data"))
        if any(panel.name == "diagram" for panel in self.desk.panels):
            self.tell(messages.Resized("diagram", *SIZE))

    # -- the page of the desk -----------------------------------------------------------------------------------------

    def say(self, message: Said) -> None:
        if isinstance(message, messages.Notice) and message.kind == "error":
            self.errors.append(message.text)
        elif message.lasting:
            self.said[message.subject] = message

    def changed(self, name: str, figure: Figure) -> None:
        self.drawn[name] = figure

    def post(self, work: Callable[[], None]) -> None:
        self._posted.put(work)

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        appointment = (self._clock + milliseconds, next(self._numbers), work)
        heapq.heappush(self._due, appointment)
        return appointment

    def forget(self, appointment: Any) -> None:
        if appointment in self._due:
            self._due.remove(appointment)
            heapq.heapify(self._due)

    def give(self, file: File) -> None:
        """Nobody asks for one."""

    # -- whoever records ----------------------------------------------------------------------------------------------

    def tell(self, message: Heard) -> None:
        self.desk.hear(message)

    def settle(self, simulating: float = 0.0) -> None:
        """Until nothing more comes, in a time that passes as fast as the work is done. Raises CancelledError.

        simulating: seconds after which averages of the simulation, which come coarse to fine, are dense enough, if
        there is one at the marker.
        """
        begun: float | None = None  # of the averages
        while True:
            if self._cancelled():
                raise CancelledError
            if self.desk.jobs.busy("ensemble"):
                begun = begun or time.monotonic()
                spent = time.monotonic() - begun
                if spent > simulating and (self.desk.ensembles.points or spent > PATIENT * simulating):
                    self.desk.jobs.cancel("ensemble")
            idle = self.desk.jobs.idle
            if self._work(wait=not idle) or not idle:
                continue
            if not self._due:
                return
            self._clock, _, work = heapq.heappop(self._due)
            work()

    def _work(self, wait: bool) -> bool:
        """Do what is posted; returns whether there was something."""
        found = False
        with aside():
            work = self._next(PATIENCE if wait else 0.0)
        while work is not None:
            found = True
            work()
            work = self._next(0.0)
        return found

    def _next(self, seconds: float) -> Callable[[], None] | None:
        try:
            return self._posted.get(timeout=seconds) if seconds else self._posted.get_nowait()
        except queue.Empty:
            return None


@dataclass
class Scene:
    """What is recorded of one point: numbers of the tape. frames: of the run, each what was said and what was drawn.
    task: its place, if it is the point of one.
    """

    name: str
    at: dict[str, float]
    task: int = -1
    plane: int | None = None
    view: str = ""
    views: dict[str, dict[str, Any]] = field(default_factory=dict)
    live: dict[str, Any] = field(default_factory=dict)
    frames: list[tuple[list[int], dict[str, list[int]]]] = field(default_factory=list)


class Recording:
    """scenes, planes: of which a page consists. templates: of figures by their names, as Bokeh's JSON. parts: the
    identities of the parts of the two figures that follow the marker.
    """

    def __init__(self, start: Exploration, cancelled: Cancelled = never) -> None:
        self.kind: type[Model] = type(start.model)
        self.tape = Tape()
        self.scenes: list[Scene] = []
        self.planes: list[Plane] = []
        self.templates: dict[str, str] = {}
        self.parts: dict[str, dict[str, str]] = {}
        self._start = start
        self._keys: dict[Any, int] = {}
        self._page = Recorder(start, cancelled)

    def close(self) -> None:
        """Stop everything that works for it."""
        self._page.desk.close()

    def tasks(self) -> list[dict[str, Any]]:
        """What a page has to know of each task to judge a guess."""
        words = ("tolerance", "magnitude", "lesson")
        return [{"truth": t.truth(self.kind)} | {word: getattr(t, word) for word in words} for t in self.kind.tasks]

    def told_by_theory(self) -> dict[str, list[str]]:
        """The layers of each figure that are hidden until a task is answered."""
        return {panel.name: list(getattr(panel.drawing, "told", ())) for panel in self._page.desk.panels}

    @property
    def failed(self) -> str:
        """What went wrong, in words."""
        return next(iter(self._page.errors), "")

    def labels(self) -> list[str]:
        """Every text with mathematics that a figure shows."""
        texts = [json.loads(f'"{text}"') for one in self.tape.told for text in LABEL.findall(one)]
        return list(dict.fromkeys(text.rstrip() for text in texts))

    def record(self, presets: tuple[str, ...]) -> Iterator[str]:
        """Record where it begins, unless a preset is there, these presets, and all tasks; yields the name of each
        before it is done. Raises CancelledError.
        """
        desk = self._page.desk
        there = [self.kind.preset(name) for name in presets]
        if self._start.model not in there:
            yield ""
            self._run_anew(self._start)
            self._record("")
        for name in presets:
            yield name
            desk.move(self._start)
            self._page.tell(messages.Preset(name))
            self._record(name)
        for index, task in enumerate(self.kind.tasks):
            yield f"task {index + 1}"
            at = self._start.at(self._start.model.replace(**task.controls), task.view)
            desk.move(at)
            self._run_anew(at)
            self._record(f"task {index + 1}", index)

    def _run_anew(self, at: Exploration) -> None:
        run = self._page.desk.run
        if run is not None:
            run.start(at.model, at.seed)

    def _record(self, name: str, task: int = -1) -> None:
        page, desk = self._page, self._page.desk
        simulating = SIMULATING if task < 0 else SIMULATING / 3  # a task is looked at once
        page.settle(simulating)
        at = desk.session.current
        self._advance(0)
        scene = Scene(name, {n: v for n, v in at.model.values().items() if not isinstance(v, str)}, task)
        self.scenes.append(scene)
        scene.live = self._seen([panel for panel in desk.panels if panel.place == "live"])
        if task < 0:
            self._play(scene)
        if at.x:
            scene.view = _view(at)
            scene.plane = self._plane(at)
        simulated = {at.along}
        for view in self._views(at) if task < 0 else [at]:
            desk.move(view)
            page.settle(0.0 if view.along in simulated else simulating / 2)
            simulated.add(view.along)
            scene.views[_view(view)] = self._seen([panel for panel in desk.panels if panel.place != "live"])
            if scene.plane is not None:
                self.planes[scene.plane].say(view)
        desk.move(at)

    def _views(self, at: Exploration) -> Iterator[Exploration]:
        """The views of a point, that in which it is shown first."""
        yield at
        if not at.x:
            return
        there = [o.name for o in self.kind.observables if o.over is None and at.model.applies(o)]
        for along in (at.along, "x" if at.along == "y" else "y"):
            for colour in there:
                if (colour, along) != (at.colour, at.along):
                    yield at.with_view(colour=colour, along=along)

    def _seen(self, panels: list[Panel]) -> dict[str, Any]:
        """What is said, and what these panels show, in both themes."""
        page = self._page
        names = {panel.name for panel in panels}
        drawn: dict[str, dict[str, Any]] = {panel.name: {} for panel in panels}
        for theme in (LIGHT, DARK):
            page.tell(messages.Theme(theme.name))
            page.settle()
            for panel in panels:
                figure = panel.drawing.figure
                figure.renew()
                update = figure.take()
                if update.template is not None:
                    self.templates[update.template.name] = update.template.document
                    self.parts.setdefault(panel.name, dict(update.template.parts))
                    image = update.template.parts.get("colour.source", "") if panel.name == "diagram" else ""
                    drawn[panel.name]["template"] = update.template.name
                    drawn[panel.name][theme.name] = self.tape.changes(update, but=[image])
        page.tell(messages.Theme(LIGHT.name))
        page.settle()
        at, desk = page.desk.session.current, page.desk
        waits = bool(at.x) and desk.run is not None and not desk.ensembles.here(at)  # for what will not come any more
        said = [
            self.tape.tell(written(one))
            for one in page.said.values()
            if _belongs(one, names) and not (waits and isinstance(one, messages.Sentence))
        ]
        return {"said": said, "drawn": {name: one for name, one in drawn.items() if one}}

    def _plane(self, at: Exploration) -> int | None:
        """The number of the plane that is shown; None where there is none."""
        shown: xr.Dataset | None = self._page.desk.panel("diagram").latest
        if shown is None:
            return None
        key = (at.x, at.y, at.branch, at.method, at.window("x"), at.window("y"), at.theory_controls(at.x, at.y))
        if key not in self._keys:
            self._keys[key] = len(self.planes)
            self.planes.append(Plane(shown, at))
        return self._keys[key]

    # -- the run ------------------------------------------------------------------------------------------------------

    def _advance(self, steps: int) -> Frame | None:
        run = self._page.desk.run
        frame = run.next(steps) if isinstance(run, Paced) else None
        if frame is not None:
            self._page.desk.advance(frame)
            self._page.settle()
        return frame

    def _play(self, scene: Scene) -> None:
        """Record the run from its beginning, which is drawn already."""
        page = self._page
        page.drawn.clear()
        for panel in page.desk.panels:
            panel.drawing.figure.take()
        said, begun = dict(page.said), time.monotonic()
        ends = np.unique(np.ceil(STEPS * np.linspace(0, 1, FRAMES + 1) ** 2)).astype(int)
        for steps in np.diff(ends):
            frame = self._advance(int(steps))
            if frame is None:
                return
            drawn = {name: self.tape.changes(figure.take(), bits=8) for name, figure in page.drawn.items()}
            page.drawn.clear()
            new = [self.tape.tell(written(one)) for key, one in page.said.items() if said.get(key) != one]
            said = dict(page.said)
            scene.frames.append((new, drawn))
            if frame.finished or time.monotonic() - begun > RUN_SECONDS:
                return


def _view(at: Exploration) -> str:
    return f"{at.colour} {at.along}"


LIVE = (messages.Run, messages.Picture)
OF_A_PANEL = (messages.Choices, messages.Key, messages.Legend, messages.Offered)


def _belongs(said: Said, panels: set[str]) -> bool:
    """Whether a message is about one of these panels, or about all that is no panel and no run."""
    if isinstance(said, LIVE):
        return "state" in panels
    if isinstance(said, OF_A_PANEL):
        return str(getattr(said, said.about)) in panels
    return "state" not in panels and not isinstance(said, messages.Progress | messages.Simulating)
