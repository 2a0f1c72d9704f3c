"""One page, one session: messages of the page move the exploration, and every panel follows.

The page may be a browser's or a notebook's: all it has to do is in `Page`. A few words of this file: to *turn* is to
show another exploration, the *marker* is where in the plane it is, a gesture *settles* when its last step is over, and
the hand *rests* a little later.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from mfexplore.core.declaration import Reference, in_words
from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.core.model import Model
from mfexplore.figures.frame import Drawing
from mfexplore.figures.style import LIGHT, THEMES, Theme
from mfexplore.study.measured import read_table
from mfexplore.study.turns import Person
from mfexplore.workbench import exports, messages, views, wire
from mfexplore.workbench.exploration import WORDS, Exploration, Pinned
from mfexplore.workbench.face import FULL, Face, HeldError, moves
from mfexplore.workbench.jobs import Cancelled, Jobs
from mfexplore.workbench.lesson import Lesson
from mfexplore.workbench.live import Frame, Live
from mfexplore.workbench.making import Making
from mfexplore.workbench.messages import Heard, Said
from mfexplore.workbench.page import Page
from mfexplore.workbench.panels import Panel, Surroundings, panels_of
from mfexplore.workbench.sentence import number, sentence
from mfexplore.workbench.session import Pin, Session
from mfexplore.workbench.sheet import absent, snap
from mfexplore.workbench.sweeping import Sweep

if TYPE_CHECKING:
    import xarray as xr

log = logging.getLogger(__name__)
T = TypeVar("T")

MOVES = (  # of a hand: after one no control goes on moving by itself
    messages.Control, messages.Marker, messages.Preset, messages.Reset, messages.Go, messages.Undo, messages.Redo,
    messages.Visit, messages.Task, messages.Reference, messages.Restart,
)  # fmt: skip

TOGETHER_MS = 20  # the marker waits so long for the curve that belongs to it: one frame costs the browser less than two
SETTLE_MS = 120  # after a step of a gesture without another: address, code and history buttons follow
LONGEST_LINK = 8000  # characters
SKETCHED = ("curve", "diagram")
REST_MS = 450  # the marker has come to rest: time to simulate there


class Desk:
    """Works for one page from its birth to `close`; everything but `close` happens in the page's own thread."""

    def __init__(
        self, start: Exploration, drawings: Mapping[str, Drawing], page: Page, notices: list[str] | None = None,
        theme: Theme = LIGHT, sweep: xr.Dataset | None = None, live: type[Live] = Live, person: Person | None = None,
        face: Face = FULL,
    ) -> None:  # fmt: skip
        """drawings: the figures of the page, as `panels.draw` made them. notices: told to the person at first.
        sweep: of this system, to be laid over the diagram. live: how simulations run. person: who it works for.
        face: what the link of the page holds and hides.
        """
        self.kind: type[Model] = type(start.model)
        self.session = Session(start, face.held, home=None if face.ui == "full" else start)
        self.face = face
        self._immovable = moves(self.kind, start, face.held)  # presets
        self.theme = theme
        self.point: views.Point | None = None
        self._pointed: Exploration | None = None  # where that is
        self._exact: tuple[Exploration | None, dict[str, float]] = (None, {})
        self.frame: Frame | None = None
        self._page = page
        self._closed = False
        self._notices = notices or []
        self._said: dict[tuple[type[Said], Any], Said] = {}  # what holds on the page
        self._resting: Any = None
        self._marked: Exploration | None = None
        self._table_open = False
        self._untold = False
        self._preset = ""  # the one that was chosen last
        self._ghosts: dict[str, Pin] = {}  # of what is pinned, by its query
        self.jobs = Jobs(self._post, person)
        self.making = Making(self.jobs, self._say, page.give, self._fail)
        self.ensembles = views.Ensembles()
        around = Surroundings(
            self.jobs, self._say, self._fail, self._mark, self._tell_drawn, self._tell_numbers, self.ensembles, sweep
        )
        self.panels: list[Panel] = [panel(drawings[panel.name], around, start) for panel in panels_of(start)]
        self.run = (
            live(page.post, self.advance, self._run_failed, self.jobs.person)
            if self.kind.offers("simulation")
            else None
        )
        self.sweep = Sweep(page, lambda name, value: self._slide(f"sweep {name}", {name: value}), self._say)
        self.lesson = Lesson(self.kind, face, self.panels, self.jobs, self._say, self._fail, self._tell_veil)
        self._hearers = self._own_hearers()
        for panel in self.panels:
            self._hearers |= panel.hears()
        for panel in self.panels:
            figure = panel.drawing.figure
            figure.listen(partial(page.changed, panel.name, figure))
        self.session.listen(lambda old, new: self._turn(old))
        self._turn(None)
        self.lesson.begin()

    def panel(self, name: str) -> Any:
        """The panel of this name. Raises UnknownNameError if this page has none."""
        found = next((panel for panel in self.panels if panel.name == name), None)
        if found is None:
            raise UnknownNameError("panel", name, [panel.name for panel in self.panels])
        return found

    @property
    def shown(self) -> tuple[str, ...]:
        """The panels that have something to show."""
        return tuple(panel.name for panel in self.panels if panel.shown)

    def move(self, to: Exploration) -> None:
        """Show another exploration of the same system."""
        self._go(lambda: self.session.go(to))

    def close(self) -> None:
        """The page was closed: stop everything that runs for it. From any thread, and as often as one likes."""
        self._closed = True
        self.sweep.close()
        self.jobs.close()
        self.lesson.close()
        if self.run:
            self.run.close()

    def _post(self, work: Callable[[], None]) -> None:
        """Run in the page's own thread, unless it was closed in the meantime; from any thread."""
        if not self._closed:
            self._page.post(lambda: None if self._closed else work())

    def _say(self, message: Said) -> None:
        """Tell the page, unless it knows."""
        if message.lasting:
            if self._said.get(message.subject) == message and not message.repeated:
                return
            self._said[message.subject] = message
        self._page.say(message)

    # -- the page speaks ------------------------------------------------------------------------------------------

    def hear(self, message: Heard | Mapping[str, Any]) -> None:
        """A message of the page, or what came of one; whatever is wrong with it becomes a notice."""
        try:
            heard = message if isinstance(message, Heard) else wire.read(message)
            if isinstance(heard, MOVES):
                self.sweep.end()
            if type(heard) in self._hearers:  # else it is for a panel that this system does not have
                self._hearers[type(heard)](heard)
        except MfexploreError as error:
            self._notice(str(error))
            self._tell_state()
        except Exception as error:  # a person's page lives on, whatever a system or a message stumbles over
            log.exception("%s: this message failed: %.200s", self.kind.key, message)
            self._notice(f"That could not be done: {error}.")
            self._tell_state()

    def _own_hearers(self) -> dict[type[Heard], Callable[[Any], None]]:
        go, session = self._go, self.session
        own: dict[type[Heard], Callable[[Any], None]] = {
            messages.Hello: self._greet,
            messages.Control: self._set_control,
            messages.Marker: self._put_marker,
            messages.Seed: lambda m: self.move(session.current.with_seed(m.value)),
            messages.View: self._look,
            messages.Window: self._zoom,
            messages.Preset: self._choose_preset,
            messages.Reset: lambda m: self._leave(session.reset),
            messages.Go: self._follow_link,
            messages.Whole: lambda m: go(lambda: session.go(session.current.with_marker_inside())),
            messages.Undo: lambda m: go(session.undo),
            messages.Redo: lambda m: go(session.redo),
            messages.Pin: lambda m: self._pin(),
            messages.Unpin: lambda m: self._of_pin(m.index, session.unpin),
            messages.Visit: lambda m: self._leave(lambda: self._of_pin(m.index, session.visit)),
            messages.Rename: lambda m: self._of_pin(m.index, lambda index: session.rename(index, m.name)),
            messages.Simulate: self._simulate,
            messages.Lay: self._lay,
            messages.Task: self._ask,
            messages.Skip: lambda m: self.lesson.skip(),
            messages.Reference: lambda m: self._leave(lambda: session.reference(self._reference(m.index))),
            messages.Reveal: lambda m: self.lesson.reveal(self._task(m.index), m.guess, m.who),
            messages.Sketch: lambda m: self.lesson.sketch(),
            messages.Sketched: lambda m: self.lesson.see_sketch(self._sketched_on(m.figure).judge(m.xs, m.ys)),
            messages.Export: self._export,
            messages.GiveUp: lambda m: self.making.give_up(),
            messages.Theme: self._dress,
            messages.Pane: self._open_pane,
            messages.Resized: lambda m: self.panel(m.figure).resize(m.width, m.height),
            messages.Visible: self._appear,
        }
        if self.run is not None:
            run = self.run
            own |= {
                messages.Play: lambda m: self._run_told(lambda: run.play(m.on)),
                messages.Step: lambda m: self._run_told(run.step),
                messages.Restart: lambda m: run.start(session.current.model, session.current.seed),
                messages.Speed: lambda m: run.set_speed(m.value),
                messages.Sweep: lambda m: self._begin_sweep(run, m.name) if m.name else self.sweep.end(),
            }
        return own

    def _appear(self, message: messages.Visible) -> None:
        self.jobs.person.visible = message.on

    def _go(self, change: Callable[[], object]) -> None:
        self.jobs.person.touch()
        change()
        self._tell_state()

    def _leave(self, change: Callable[[], None]) -> None:
        """Go somewhere else: a task that was not answered is none any more."""
        self._go(change)
        self.lesson.leave()

    def _choose_preset(self, message: messages.Preset) -> None:
        """Go to a preset, and let it run from its start: it was made to be watched."""
        self._preset = message.name
        self._leave(lambda: self.session.preset(message.name))
        run, at = self.run, self.session.current
        if run is not None and "simulation" not in self.lesson.hidden:
            run.start(at.model, at.seed)
            self._run_told(lambda: run.play(True))

    def _follow_link(self, message: messages.Go) -> None:
        there, notices = Exploration.from_query(self.kind.key, message.query[:LONGEST_LINK])
        self._leave(lambda: self.session.go(there))
        for text in notices:
            self._notice(text, "info")

    def _set_control(self, message: messages.Control) -> None:
        if message.name in self.face.held:
            raise HeldError(self.kind.title, self.kind.control(message.name).title)
        self._slide(message.name, {message.name: message.value})

    def _slide(self, gesture: str, values: dict[str, Any]) -> None:
        """One step of a gesture: what is on the screen follows now, the rest of the page once the hand rests."""
        self.jobs.person.touch()
        self.session.set_controls(gesture, **values)
        self._untold = True

    def _put_marker(self, message: messages.Marker) -> None:
        """The marker was put somewhere: the nearest allowed values of the two controls."""
        at = self.session.current
        self._slide("marker", {
            name: snap(self.kind.control(name), value) for name, value in ((at.x, message.x), (at.y, message.y))
        })  # fmt: skip

    def _look(self, message: messages.View) -> None:
        if message.name not in WORDS:
            raise UnknownNameError("view", message.name[:60], WORDS)
        self._go(lambda: self.session.set_view(**{message.name: message.value or None}))

    def _zoom(self, message: messages.Window) -> None:
        at = self.session.current
        windows: dict[str, tuple[float, float] | None] = {"x_window": None, "y_window": None}
        for axis, wanted in (("x", message.x), ("y", message.y)):
            if wanted is not None:
                bounds = self.kind.control(getattr(at, axis)).bounds
                low, high = (min(max(float(v), bounds[0]), bounds[1]) for v in wanted)
                if high > low:
                    windows[f"{axis}_window"] = (low, high)
        self._go(lambda: self.session.set_view(**windows))

    def _pin(self) -> None:
        at = self.session.current
        if self._pointed is not None and self._pointed.model == at.model:  # else it is computed, but for the run's part
            kept = {panel.name: panel.pinned() for panel in self.panels}
            self._ghosts[at.pinned().query] = Pin(at, {name: one for name, one in kept.items() if one is not None})
        self._go(self.session.pin)

    def _of_pin(self, index: int, change: Callable[[int], None]) -> None:
        _one_of("pin", index, self.session.current.pins)
        self._go(lambda: change(index))

    def _draw_pins(self) -> None:
        """The ghosts of what is pinned; what came with a link is computed first."""
        pins = self.session.current.pins
        self._say(messages.Pins([pin.title for pin in pins], [pin.query for pin in pins]))
        missing = next((pin for pin in pins if pin.query not in self._ghosts), None)
        if missing is not None:
            at = missing.exploration(self.kind)
            self.jobs.submit("pins", lambda cancelled: self._haunt(at, cancelled), partial(self._keep_ghost, missing))
        ghosts = [self._ghosts[pin.query] for pin in pins if pin.query in self._ghosts]
        for panel in self.panels:
            panel.show_pins([ghost for ghost in ghosts if panel.name in ghost.curves])

    def _haunt(self, at: Exploration, cancelled: Cancelled) -> Iterator[Pin]:
        if not self.kind.offers("solve"):
            yield Pin(at, {})  # what only a run has is not in a link
            return
        curve = views.curve(at, cancelled) if at.x else None
        for point in views.point(at, cancelled):
            found = {panel.name: panel.ghost(at, point, curve) for panel in self.panels}
            yield Pin(at, {name: curves for name, curves in found.items() if curves is not None})

    def _keep_ghost(self, pin: Pinned, ghost: Pin) -> None:
        self._ghosts[pin.query] = ghost
        self._draw_pins()

    def _open_pane(self, message: messages.Pane) -> None:
        """Another page of the system is shown: the table is made only while somebody looks at it."""
        self._table_open = message.name == "Data"
        self._tell_numbers()
        self._tell_drawn()

    def _task(self, index: int) -> int:
        _one_of("task", index, self.kind.tasks)
        return index

    def _sketched_on(self, figure: str) -> Any:
        """A panel that can judge a sketch. Raises UnknownNameError."""
        if figure not in SKETCHED:
            raise UnknownNameError("figure to sketch on", figure[:60], SKETCHED)
        return self.panel(figure)

    def _ask(self, message: messages.Task) -> None:
        """Set the controls of a task, and hide what would tell its answer."""
        task = self.kind.tasks[self._task(message.index)]
        self.lesson.ask(message.index)
        self._go(lambda: self.session.task(task))

    def _begin_sweep(self, run: Live, name: str) -> None:
        """Let a control move up and down, and the run follow it."""
        if name in self.face.held:
            raise HeldError(self.kind.title, self.kind.control(name).title)
        self.lesson.refuse("The simulation", "simulation")
        self.sweep.begin(self.session.current, name)
        self._run_told(lambda: run.play(True))

    def _simulate(self, message: messages.Simulate) -> None:
        self.lesson.refuse("A simulation", "simulation")
        self.panel(message.panel).simulate(message.on)

    def _lay(self, message: messages.Lay) -> None:
        """Lay a sweep over the diagram, and go to a plane of it unless this one is; or take it away."""
        self.lesson.refuse("A sweep", "simulation")
        panel = self.panel("diagram")

        def show(sweep: xr.Dataset) -> None:
            panel.lay(sweep, message.name[:60])
            try:
                if not panel.stored.x.size:
                    self.move(self.session.current.over(sweep))
            except MfexploreError as error:  # somebody's file says what no control can be
                self._fail(error)

        if message.table:
            work = lambda cancelled: iter([read_table(message.table, message.name[:60], self.kind)])  # noqa: E731
            self.jobs.submit("lay", work, show, fail=self._fail)
        else:
            panel.lay(None)

    def _reference(self, index: int) -> Reference:
        return _one_of("reference", index, self.kind.references)

    def _export(self, message: messages.Export) -> None:
        if not message.what.startswith("notebook"):
            self.lesson.refuse("This file", "theory", "simulation")
        data: dict[str, Any] = {}
        for panel in self.panels:
            data |= panel.held()
        trace = self.run.trace() if self.run else None
        page = message.page if message.page.startswith("http") and len(message.page) < LONGEST_LINK else ""
        held = exports.Held(
            self.session.current, page, trace=trace, point=self.point, frame=self.frame, shown=self.shown, **data
        )
        self.making.ask(message.what, held)

    def _dress(self, message: messages.Theme) -> None:
        self.theme = THEMES.get(message.name, self.theme)
        for panel in self.panels:
            panel.dress(self.theme)

    # -- the exploration moved ------------------------------------------------------------------------------------

    def _turn(self, old: Exploration | None) -> None:
        at = self.session.current
        for panel in self.panels:
            panel.turn_to(at)
        if self.jobs.busy("curve"):
            self._page.later(TOGETHER_MS, self._mark)
        else:
            self._mark()
        if self.kind.offers("solve"):
            self.jobs.submit(
                "point", lambda cancelled: views.point(at, cancelled), lambda point: self._show_point(at, point),
                fail=self._fail, after="curve",
            )  # fmt: skip
        if self.run is not None:
            self._turn_run(self.run, old, at)
        if self._resting is not None:
            self._page.forget(self._resting)
        self._resting = self._page.later(SETTLE_MS, self._settle)
        self._say(messages.Outside(at.where_it_lies()))
        if at.pins or (old is not None and old.pins):
            self._draw_pins()

    def _turn_run(self, run: Live, old: Exploration | None, at: Exploration) -> None:
        """Follow if the simulation can, begin anew if not."""
        self._look_at_run(run)
        if old is None or at.seed != old.seed:
            self.jobs.cancel("follow")
            run.start(at.model, at.seed)
        elif at.model != old.model and not self.jobs.busy("curve"):
            run.follow(at.model)
        elif at.model != old.model:
            self.jobs.submit("follow", lambda cancelled: iter([at.model]), run.follow, after="curve")

    def _look_at_run(self, run: Live) -> None:
        run.look_at(self.session.current.picture, next((p.sampled for p in self.panels if p.sampled), None))

    def _mark(self) -> None:
        at = self.session.current
        if at is not self._marked:
            self._marked = at
            for panel in self.panels:
                panel.mark(at)

    def _settle(self) -> None:
        for panel in self.panels:
            panel.settle(self.session.current)
        self._resting = self._page.later(REST_MS - SETTLE_MS, self._rest)
        if self._untold:
            self._tell_state()

    def _rest(self) -> None:
        self._resting = None
        at = self.session.current
        for panel in self.panels:
            panel.rest(at)
        if self.kind.offers("exact"):
            self.jobs.submit(
                "exact-here",
                lambda cancelled: views.exact_here(at, cancelled),
                lambda exact: self._show_exact(at, exact),
            )

    def _show_exact(self, at: Exploration, exact: dict[str, float]) -> None:
        self._exact = at, exact
        self._tell_numbers()

    def _show_point(self, at: Exploration, point: views.Point) -> None:
        self.point, self._pointed = point, at
        for panel in self.panels:
            panel.at_point(point)
            self._say(messages.Offered(panel.name, panel.shown))
        if self.run is not None:
            self._look_at_run(self.run)
        self._tell_numbers()
        self._tell_legends()

    # -- the simulation moved -------------------------------------------------------------------------------------

    def advance(self, frame: Frame) -> None:
        """Show another moment of the simulation."""
        self.frame = frame
        for panel in self.panels:
            panel.advance(frame)
        self._tell_legends()
        self._tell_run()

    def _run_told(self, change: Callable[[], None]) -> None:
        self.lesson.refuse("The simulation", "simulation")
        change()
        self._tell_run()

    def _tell_run(self) -> None:
        frame = self.frame
        if frame is not None and self.run is not None:
            reading = "" if "simulation" in self.lesson.hidden else self._reading(frame)
            self._say(messages.Run(self.run.playing, frame.time, frame.unit, frame.finished, reading))

    def _reading(self, frame: Frame) -> str:
        """What is traced, and its value now."""
        name = self.panel("trace").chosen
        if name not in frame.series:
            return ""
        title = next((o.title for o in self.kind.observables if o.name == name), in_words(name))
        return f"{title} {number(float(frame.series[name][-1]))}"

    def _run_failed(self, message: str) -> None:
        self._notice(message)
        self._tell_run()

    # -- the session speaks ---------------------------------------------------------------------------------------

    def _greet(self, message: messages.Hello) -> None:
        """A page that comes is shown what there is, and told what holds."""
        for panel in self.panels:
            panel.drawing.figure.renew()
        if message.theme != self.theme.name:
            self._dress(messages.Theme(message.theme))
        self._tell_state()
        for said in list(self._said.values()):
            if not isinstance(said, messages.State):
                self._page.say(said)
        notices, self._notices = self._notices, []
        if notices:
            self._notice("\n".join(notices), "info")

    def _tell_state(self) -> None:
        self._untold = False
        at = self.session.current
        view = {n: getattr(at, n) for n in WORDS}
        snippets = {
            "python": at.as_python(self.shown),
            "sweep": at.as_sweep() if at.x else "",
            "citation": at.citation(),
        }
        zoomed, can = bool(at.x_window or at.y_window), (self.session.can_undo, self.session.can_redo)
        values, gone = at.model.values(), absent(at.model) | {"preset": self._immovable}
        gone["control"] = [*gone["control"], *self.face.hide]
        chosen = self._chosen_preset(at)
        locked = list(self.face.held)
        self._say(
            messages.State(values, at.seed_text, view, at.to_query(), zoomed, *can, snippets, gone, chosen, locked)
        )

    def _chosen_preset(self, at: Exploration) -> str:
        """The preset at whose controls it is, the one that was chosen last before others; empty if it is at none."""
        names = [preset.name for preset in at.presets]
        return self._preset if self._preset in names else next(iter(names), "")

    def _tell_numbers(self) -> None:
        """The numbers at the marker are new: sentence and table."""
        at, point = self.session.current, self.point
        if point is None or self._pointed is None or self._pointed.model != at.model:
            return  # the numbers of another point are none of this one
        if "theory" in self.lesson.hidden:
            self._say(messages.Table("marker"))
            return
        seen = at.x and "simulation" not in self.lesson.hidden
        measured = self.ensembles.here(at) if seen else {}
        exact = self._exact[1] if self._exact[0] is not None and self._exact[0].model == at.model else {}
        if at.colour:
            said = sentence(
                at.model, point.theory, at.colour, at.branch, at.method, measured.get(at.colour), exact.get(at.colour),
                waits=self.run is not None and not measured and bool(seen),
            )  # fmt: skip
            self._say(messages.Sentence(said.headline, said.text, said.validity, said.verdict))
        if self._table_open:
            self._say(messages.Table("marker", "quantity", **exports.table(at.model, point.theory, measured, exact)))

    def _tell_veil(self) -> None:
        self._tell_run()
        self._tell_drawn()
        self._tell_numbers()

    def _tell_drawn(self) -> None:
        """A panel has drawn something new: legends, and the curve as a table while somebody looks at that."""
        self._tell_legends()
        if self._table_open and any(panel.name == "curve" for panel in self.panels):
            self._say(messages.Table("curve") if self.lesson.hidden else self.panel("curve").table())

    def _tell_legends(self) -> None:
        """What is drawn: legends list nothing else."""
        for panel in self.panels:
            self._say(messages.Legend(panel.name, [] if "theory" in self.lesson.hidden else panel.drawn))

    def _notice(self, text: str, kind: str = "error") -> None:
        self._say(messages.Notice(text, kind))

    def _fail(self, error: Exception) -> None:
        if not isinstance(error, MfexploreError):
            log.error("%s: a computation failed", self.kind.key, exc_info=error)
        text = str(error) if isinstance(error, MfexploreError) else f"A computation failed: {error}"
        self._notice(text)


def _one_of(kind: str, index: int, things: Sequence[T]) -> T:
    """By its place. Raises UnknownNameError."""
    if not 0 <= index < len(things):
        raise UnknownNameError(kind, str(index), [str(k) for k in range(len(things))])
    return things[index]
