"""What a panel is: one figure of the workbench, what it draws, and when."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mfexplore.core.model import Model
from mfexplore.figures.frame import Drawing
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Cancelled, Jobs
from mfexplore.workbench.messages import Heard, Said, Simulating
from mfexplore.workbench.session import Pin

if TYPE_CHECKING:
    import xarray as xr

    from mfexplore.workbench.live import Frame


@dataclass(frozen=True)
class Surroundings:
    """What the panels of one desk share.

    Attributes:
        jobs: for everything that takes longer than a drawing.
        say: tells the page something. fail: tells a person what went wrong in a job.
        mark: puts the marker where the exploration is; called by the panel that the marker waits for.
        drawn: called after drawing in answer to a job, so that legends follow. numbers: what was measured at the marker
            is new.
        ensembles: what was measured so far. sweep: laid over the diagram (None: nothing).
    """

    jobs: Jobs
    say: Callable[[Said], None]
    fail: Callable[[Exception], None]
    mark: Callable[[], None]
    drawn: Callable[[], None]
    numbers: Callable[[], None]
    ensembles: views.Ensembles
    sweep: xr.Dataset | None = None


class Asked:
    """What a panel simulates only if somebody asks for it. One button starts it, stops it (what is there stays), and
    takes away what it left.
    """

    def __init__(
        self, panel: str, around: Surroundings, label: str, tip: str,
        work: Callable[[Cancelled], Iterator[tuple[Any, float]]], show: Callable[[Any], None],
        words: Callable[[Any], str] | None = None,
    ) -> None:  # fmt: skip
        """label, tip: of the button. work: a job that yields what there is and which part of all that is. show: draws
        it, or nothing for None. words: says what there is, and leaves nothing that could be taken away.
        """
        self._panel, self._around, self._label, self._tip = panel, around, label, tip
        self._work, self._show, self._words = work, show, words
        self._offered = self._runs = self._is_there = False
        self._text = self._found = ""  # how far it is; what it has found, in words
        self._tell()

    def offer(self, on: bool, tip: str = "") -> None:
        """Whether it can be asked for at these controls, perhaps in other words."""
        self._offered, self._tip = on, tip or self._tip
        self._tell()

    def hear(self, on: bool) -> None:
        """The button was pressed."""
        if on and self._offered:
            self._runs, self._text, self._found = True, "begins", ""
            self._tell()
            self._around.jobs.submit(
                f"asked-{self._panel}", self._work, self._deliver, self._end, self._fail, queued=self._queue
            )
        elif self._runs:
            self._around.jobs.cancel(f"asked-{self._panel}")
            self._end()
        elif not on:
            self.forget()

    def forget(self) -> None:
        """What it left belongs to other controls, or is not wanted any more."""
        if self._runs or self._is_there or self._found:
            self._around.jobs.cancel(f"asked-{self._panel}")
            self._runs = self._is_there = False
            self._text = self._found = ""
            self._show(None)
            self._around.drawn()
            self._tell()

    def _deliver(self, result: tuple[Any, float]) -> None:
        if self._runs:
            found, part = result
            self._is_there = self._words is None
            self._found = "" if self._words is None else self._words(found)
            self._text = self._found or f"{100 * part:.0f} %"
            self._show(found)
            self._around.drawn()
            self._tell()

    def _end(self) -> None:
        self._runs, self._text = False, self._found
        self._tell()

    def _fail(self, error: Exception) -> None:
        self._end()
        self._around.fail(error)

    def _queue(self, before: int | None) -> None:
        if self._runs and before:
            self._text = f"waiting ({before} before you)"
            self._tell()

    def _tell(self) -> None:
        label, tip = self._label if self._offered else "", self._tip
        if self._runs:
            label, tip = "Stop", "Stop; what is there stays"
        elif self._is_there:
            label, tip = "Clear", "Take away what was simulated"
        self._around.say(Simulating(self._panel, label, tip, self._runs or self._is_there, self._text))


class Panel:
    """Base of all panels: each method is called at its time, and does nothing unless a panel has something to do then.

    A panel is a class in a file of this folder, found by itself. The pages place it as it describes itself here.

    Attributes:
        name: of its figure, of its legend, and in messages.
        title: its heading. alt: the same for who cannot see it, with the system's title in the place of {}.
        place: "explore" (the first pane), "centre" (a card of its own below it) or "live" (with the simulation).
        order: among all panels. height: of the figure in pixels; None if the page or the picture decides.
        beside, below: parts of the page that stand in its heading or under its figure: "along", "progress",
            "measuring", "picture", "menu", "tabs", "key"; "progress" and "measuring" have the button of `simulate`.
        chooses: which of `exploration.WORDS` is chosen in its "menu" or "tabs"; asks: the words before the menu.
        sampled: the observable of whose samples it shows how often they come (None: of none).
    """

    name: ClassVar[str]
    title: ClassVar[str] = ""
    alt: ClassVar[str] = ""
    place: ClassVar[Literal["explore", "centre", "live"]] = "centre"
    order: ClassVar[int]
    height: ClassVar[int | None] = None
    beside: ClassVar[str] = ""
    below: ClassVar[str] = ""
    chooses: ClassVar[str] = ""
    asks: ClassVar[str] = ""

    drawing: Drawing
    sampled: str | None = None

    @classmethod
    def offered(cls, start: Exploration) -> bool:
        """Whether the page of this system has the panel at all."""
        raise NotImplementedError

    @classmethod
    def draw(cls, start: Exploration, theme: Theme) -> Drawing:
        """Its figure, still empty; in any thread."""
        raise NotImplementedError

    @classmethod
    def heading(cls, kind: type[Model]) -> str:
        """What stands above it on the page of a system."""
        return cls.title

    @classmethod
    def marks(cls, kind: type[Model]) -> tuple[Mark, ...]:
        """What its legend explains."""
        return ()

    def __init__(self, drawing: Any, around: Surroundings, start: Exploration) -> None:
        self.drawing, self._around, self._at = drawing, around, start

    # -- what happens, in the order in which it does ----------------------------------------------------------------

    def turn_to(self, at: Exploration) -> None:
        """The exploration moved."""
        self._at = at

    def mark(self, at: Exploration) -> None:
        """The marker moves, together with the curve that belongs to it."""

    def at_point(self, point: views.Point) -> None:
        """What theory says at the marker is known."""

    def advance(self, frame: Frame) -> None:
        """The simulation moved on, or follows other controls."""

    def settle(self, at: Exploration) -> None:
        """The gesture is over: time for what is finer."""

    def rest(self, at: Exploration) -> None:
        """The hand rests: time for what is long."""

    def dress(self, theme: Theme) -> None:
        """Another theme."""
        self.drawing.dress(theme)

    def veil(self, hidden: Collection[str]) -> None:
        """Hide what "theory" says, or a "simulation", since somebody is to predict it; and show what is not hidden."""
        self.drawing.veil(hidden)

    def simulate(self, on: bool) -> None:
        """The button of what it simulates if somebody asks for it (`Asked`) was pressed."""

    def resize(self, width: float, height: float) -> None:
        """The frame of its figure has another size, in pixels."""

    def hears(self) -> Mapping[type[Heard], Callable[[Any], None]]:
        """Messages of the page that are for this panel, and what to do with them."""
        return {}

    # -- what it has ------------------------------------------------------------------------------------------------

    @property
    def shown(self) -> bool:
        """Whether it has something to show at these controls."""
        return True

    @property
    def drawn(self) -> list[str]:
        """What of its legend is drawn."""
        return self.drawing.drawn

    def pinned(self) -> Any:
        """What a pin keeps of it; None for nothing."""
        return None

    def ghost(self, at: Exploration, point: views.Point, curve: xr.Dataset | None) -> Any:
        """The same of another place, from what theory says there; None for what only a run would have."""
        return None

    def show_pins(self, pins: list[Pin]) -> None:
        """Draw the ghosts of these pins; `pin.curves[self.name]` is what `pinned` gave."""

    def held(self) -> dict[str, Any]:
        """Data that can be exported, by the names of `exports.Held`."""
        return {}
