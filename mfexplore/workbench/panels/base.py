"""What a panel is: one figure of the workbench, what it draws, and when."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from mfexplore.core.model import Model
from mfexplore.figures.frame import Drawing
from mfexplore.figures.legends import Mark
from mfexplore.figures.style import Theme
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Jobs
from mfexplore.workbench.messages import Heard, Said
from mfexplore.workbench.session import Pin

if TYPE_CHECKING:
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
        ensembles: what was measured so far.
    """

    jobs: Jobs
    say: Callable[[Said], None]
    fail: Callable[[Exception], None]
    mark: Callable[[], None]
    drawn: Callable[[], None]
    numbers: Callable[[], None]
    ensembles: views.Ensembles


class Panel:
    """Base of all panels: each method is called at its time, and does nothing unless a panel has something to do then.

    A panel is a class in a file of this folder, found by itself. The pages place it as it describes itself here.

    Attributes:
        name: of its figure, of its legend, and in messages.
        title: its heading. alt: the same for who cannot see it, with the system's title in the place of {}.
        place: "explore" (the first pane), "centre" (a card of its own below it) or "live" (with the simulation).
        order: among all panels. height: of the figure in pixels; None if the page or the picture decides.
        beside, below: parts of the page that stand in its heading or under its figure: "along", "progress",
            "measuring", "picture", "menu", "tabs", "key".
        chooses: which of `exploration.WORDS` is chosen in its "menu" or "tabs"; asks: the words before the menu.
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

    def show_pins(self, pins: list[Pin]) -> None:
        """Draw the ghosts of these pins; `pin.curves[self.name]` is what `pinned` gave."""

    def held(self) -> dict[str, Any]:
        """Data that can be exported, by the names of `exports.Held`."""
        return {}
