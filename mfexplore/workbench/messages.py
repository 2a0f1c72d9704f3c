"""What a page and its desk say to each other: every message is a class, its name and its fields are what travels.

What a page may say derives from `Heard`, what a desk may say from `Said`. Both pages, the browser's and the notebook's,
use these; a message or a field that is not declared here is an error on either side. How they travel: `wire.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

# -- what a person does -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Heard:
    """Base of what a page says."""


@dataclass(frozen=True)
class Hello(Heard):
    """A page is there, for the first time or again: tell it everything. theme: in which it stands."""

    theme: str = "light"


@dataclass(frozen=True)
class Control(Heard):
    """A control was set. value: a number or a word, whatever the person typed; the declaration judges it."""

    name: str
    value: Any = None


@dataclass(frozen=True)
class Marker(Heard):
    """The marker was put at these values of the two axes."""

    x: float
    y: float


@dataclass(frozen=True)
class Seed(Heard):
    value: Any


@dataclass(frozen=True)
class View(Heard):
    """One of `exploration.WORDS` was chosen; an empty value is the usual one."""

    name: str
    value: str


@dataclass(frozen=True)
class Window(Heard):
    """The zoom: ends of both axes in values of their controls, None for the whole axis."""

    x: tuple[float, float] | None = None
    y: tuple[float, float] | None = None


@dataclass(frozen=True)
class Preset(Heard):
    name: str


@dataclass(frozen=True)
class Go(Heard):
    """Be where a link says: its part after the question mark. Back and forward of a browser say so."""

    query: str


@dataclass(frozen=True)
class Whole(Heard):
    """Show so much of the plane that the marker is in the picture."""


@dataclass(frozen=True)
class Reset(Heard):
    pass


@dataclass(frozen=True)
class Undo(Heard):
    pass


@dataclass(frozen=True)
class Redo(Heard):
    pass


@dataclass(frozen=True)
class Pin(Heard):
    """Keep this view as a ghost to compare with."""


@dataclass(frozen=True)
class Unpin(Heard):
    index: int


@dataclass(frozen=True)
class Visit(Heard):
    """Go to where a pin was made."""

    index: int


@dataclass(frozen=True)
class Rename(Heard):
    """Call a pin by another name."""

    index: int
    name: str


@dataclass(frozen=True)
class Cancel(Heard):
    """Stop refining; what is drawn stays."""


@dataclass(frozen=True)
class Simulate(Heard):
    """Simulate for a panel what it offers (`Simulating`), or stop that, or take away what it left."""

    panel: str
    on: bool


@dataclass(frozen=True)
class Lay(Heard):
    """Lay a sweep over the diagram. table: what its .csv file holds; nothing takes away what lies there."""

    name: str = ""
    table: str = ""


@dataclass(frozen=True)
class Average(Heard):
    """Average at the marker over ever more samples, or stop that. by: "samples", until there are `value` of them, or
    "error", until the standard error of what the curve shows is no larger.
    """

    on: bool
    by: str = "samples"
    value: float = 64.0


@dataclass(frozen=True)
class Sweep(Heard):
    """Move a control up and down while the run plays; an empty name ends that."""

    name: str


@dataclass(frozen=True)
class Task(Heard):
    """Set the controls of a task; until it is answered, or one goes elsewhere, what theory says is hidden."""

    index: int


@dataclass(frozen=True)
class Skip(Heard):
    """Show what theory says although the task is not answered."""


@dataclass(frozen=True)
class Reference(Heard):
    """Go to the point that a reference speaks of."""

    index: int


@dataclass(frozen=True)
class Reveal(Heard):
    """The answer of a task, for a guess. who: any word by which this browser's first guess is known in its class."""

    index: int
    guess: float
    who: str = ""


@dataclass(frozen=True)
class Sketch(Heard):
    """Hide theory and simulation: somebody sketches the curve, or a boundary."""


@dataclass(frozen=True)
class Sketched(Heard):
    """What somebody expects in a figure, as values of its axes: the curve ("curve"), or a boundary ("diagram")."""

    xs: list[float]
    ys: list[float]
    figure: str = "curve"


@dataclass(frozen=True)
class Export(Heard):
    """what: "diagram.png", "curve.csv", ... as `Sheet.exports` lists them. page: the address of the page, for links."""

    what: str
    page: str = ""


@dataclass(frozen=True)
class GiveUp(Heard):
    """Nobody waits any longer for the file that is being made."""


@dataclass(frozen=True)
class Theme(Heard):
    name: str


@dataclass(frozen=True)
class Pane(Heard):
    """Another page of the system is looked at."""

    name: str


@dataclass(frozen=True)
class Visible(Heard):
    """The page is shown or hidden, behind another tab: nobody waits for what goes on behind."""

    on: bool


@dataclass(frozen=True)
class Resized(Heard):
    """The frame of a figure has another size, in pixels."""

    figure: str
    width: float
    height: float


@dataclass(frozen=True)
class Play(Heard):
    on: bool


@dataclass(frozen=True)
class Step(Heard):
    pass


@dataclass(frozen=True)
class Restart(Heard):
    pass


@dataclass(frozen=True)
class Speed(Heard):
    """Steps per frame."""

    value: float


# -- what the desk tells ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Said:
    """Base of what a desk says.

    Attributes:
        lasting: holds until something else is said, and is told to a page that comes later.
        about: the field that says what it holds of.
        repeated: said even if it was said before, since the page may have shown something else meanwhile.
    """

    lasting: ClassVar[bool] = True
    about: ClassVar[str] = ""
    repeated: ClassVar[bool] = False

    @property
    def subject(self) -> tuple[type[Said], Any]:
        """What it says the newest of."""
        return type(self), getattr(self, self.about) if self.about else None


@dataclass(frozen=True)
class State(Said):
    """Where the exploration is, and what can be done from here. absent: controls ("control"), and options of the menus
    by their names, that do not exist at these words of choices, or that the link of the page hides, with the presets
    ("preset") that would move what it holds. preset: the one at whose controls it is, if any. locked: controls that
    stay where they are.
    """

    repeated = True

    values: dict[str, Any]
    seed: str
    view: dict[str, str | None]
    query: str
    zoomed: bool
    undo: bool
    redo: bool
    snippets: dict[str, str]
    absent: dict[str, list[str]]
    preset: str
    locked: list[str]


@dataclass(frozen=True)
class Asking(Said):
    """The task that is to be answered before theory is shown; -1: none. hidden: "theory", "simulation", until it is
    answered or somebody asks to see them.
    """

    index: int
    hidden: list[str]


@dataclass(frozen=True)
class Outside(Said):
    """The marker is not in the picture: why, in words; empty if it is."""

    text: str


@dataclass(frozen=True)
class Sentence(Said):
    """What the picture means at the marker; the answer to every move of it. verdict: "agrees", "differs" or "open"."""

    repeated = True

    headline: str
    text: str
    validity: str
    verdict: str


@dataclass(frozen=True)
class Progress(Said):
    """what: "diagram", "ensemble", "queue", which is an export that waits, or "file", which is one that takes long.
    fraction: None when it is over.
    """

    about = "what"

    what: str
    fraction: float | None
    text: str


@dataclass(frozen=True)
class Simulating(Said):
    """What a panel simulates if somebody asks for it; "average" is an offer of the curve, and "sweep" what lies on the
    diagram.

    label, tip: of the button, nothing where it cannot be asked for. on: it runs, or what it left is there, so that the
    button ends it. text: how far it is, or what it has found.
    """

    about = "panel"

    panel: str
    label: str
    tip: str
    on: bool
    text: str


@dataclass(frozen=True)
class Sweeping(Said):
    """The control that moves by itself, and where it is now; an empty name: none does."""

    name: str
    value: Any = None


@dataclass(frozen=True)
class Offered(Said):
    """Whether a panel of the system has something to show at these controls."""

    about = "panel"

    panel: str
    shown: bool


@dataclass(frozen=True)
class Notice(Said):
    """kind: "error" or "info"."""

    lasting = False

    text: str
    kind: str = "error"


@dataclass(frozen=True)
class Check(Said):
    """A reference beside what is computed here."""

    about = "index"

    index: int
    title: str
    value: str
    computed: str
    source: str
    agrees: bool
    mark: str


@dataclass(frozen=True)
class Table(Said):
    """Numbers: "marker", all quantities there, or "curve", one quantity along the curve. head: of the first column;
    rows: "title", "unit" and "cells" each.
    """

    about = "name"

    name: str
    head: str = ""
    columns: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Legend(Said):
    """What of the legend of a figure is drawn."""

    about = "figure"

    figure: str
    names: list[str]


@dataclass(frozen=True)
class Run(Said):
    """How the simulation stands. reading: what is traced, and its value now."""

    playing: bool
    time: float
    unit: str
    finished: bool
    reading: str = ""


@dataclass(frozen=True)
class Picture(Said):
    """What the picture of the run is. shape: "square", "wide" or "mosaic"."""

    shape: str
    caption: str


@dataclass(frozen=True)
class Key(Said):
    """What the colours of a panel mean: pairs of a name and its colour."""

    about = "panel"

    panel: str
    key: list[tuple[str, str]]


@dataclass(frozen=True)
class Choices(Said):
    """What a panel can show, as pairs of name and title, and what it does; `Panel.chooses` is the word for it."""

    about = "panel"

    panel: str
    names: list[tuple[str, str]]
    chosen: str


@dataclass(frozen=True)
class Draw(Said):
    """A figure has changed. template: to be put up first, by its name; None if it is up. document: the template itself,
    for a page that cannot fetch it. events: a patch in the words of Bokeh's protocol.
    """

    lasting = False

    figure: str
    template: str | None
    document: str | None
    events: list[dict[str, Any]]


@dataclass(frozen=True)
class Waiting(Said):
    """The page has to wait, for this reason; empty when it need not any longer."""

    lasting = False

    text: str


@dataclass(frozen=True)
class Pins(Said):
    """queries: of links to them."""

    titles: list[str]
    queries: list[str]


@dataclass(frozen=True)
class Answer(Said):
    """The verdict on a guess. index: of the task; -1: of what was sketched. truth: what was to be guessed."""

    lasting = False

    index: int
    right: bool
    text: str
    lesson: str
    truth: float | None = None


@dataclass(frozen=True)
class Guesses(Said):
    """What the class of the page has guessed so far, for who has answered. index: of the task; text: in a sentence."""

    index: int
    guesses: list[float]
    text: str


@dataclass(frozen=True)
class Download(Said):
    """A file to save under this name. content: the place of its bytes beside the text of the message."""

    lasting = False

    name: str
    media_type: str
    content: str


@dataclass(frozen=True)
class Ack(Said):
    """A message of the page was worked off, by its number."""

    lasting = False

    seq: int
