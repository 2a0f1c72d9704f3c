"""What a workbench consists of, and in which words, whatever it is drawn with.

The browser's page and the notebook's are made from the same sheet.
"""

from __future__ import annotations

import html
import math
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property

from mfexplore.core.controls import Control
from mfexplore.core.declaration import Reference, sentence_case
from mfexplore.core.docstrings import docstring
from mfexplore.core.model import Model
from mfexplore.core.related import Related, related
from mfexplore.figures.prose import one_line, to_html
from mfexplore.figures.style import mathml
from mfexplore.guide.glossary import Mark, linked
from mfexplore.guide.lessons import Lesson, lessons_of
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.panels import Panel, panels_of

GROUPS = (
    ("Controls", ("temperature", "load", "disorder", "field", "coupling", "order")),
    ("Data and time", ("data", "rate", "time")),
    ("Setting", ("setting",)),
    ("Simulation", ("size", "start")),
)


@dataclass(frozen=True)
class Button:
    """What a person can press. label: a word, or a sign that `words` says in words. key: that does the same."""

    label: str
    tip: str
    words: str = ""
    key: str = ""

    @property
    def tooltip(self) -> str:
        return f"{self.tip} ({self.key})" if self.key else self.tip


BUTTONS = {
    "sharing": Button("Share", "Links to this view"),
    "share": Button("Copy link", "Copy a link that restores exactly this view"),
    "embed": Button("Copy code to embed", "Copy HTML that shows this view in a course page or in slides"),
    "for-class": Button("For a class …", "Prepare a page: set a task, hide theory, lock controls"),
    "whole-page": Button("↗", "Open the whole page", "Open the whole page"),
    "export": Button("Export", "Pictures, data, a notebook"),
    "open": Button(
        "Open file …",
        "A file that was exported here brings back what was on the screen, and a sweep (.csv) is laid over the diagram;"
        " dropping it does the same",
    ),
    "give-up": Button("cancel", "Give up the file that is being made"),
    "pin": Button("Pin", "Keep this view as a ghost to compare with", key="P"),
    "undo": Button("↶", "Undo", "Undo", "Ctrl+Z"),
    "redo": Button("↷", "Redo", "Redo", "Ctrl+Y"),
    "reset": Button("Reset", "Back to the defaults; undo brings this back"),
    "cancel": Button("cancel", "Stop refining; what is drawn stays"),
    "play": Button("▶", "Play or pause", "Play", "space"),
    "step": Button("Step", "One step", key="S"),
    "restart": Button("Restart", "Start again with the same seed", key="R"),
    "sweep-run": Button("Sweep", "Move a control up and down while the run plays, and watch what lags behind"),
    "whole": Button("Show it", "Show so much of the plane that the marker is in the picture"),
    "predict": Button("Predict the curve", "Sketch it before theory and simulation are shown"),
    "predict-boundary": Button("Predict a boundary", "Sketch where phases meet before theory and simulation are shown"),
    "keep": Button("Save as CSV", "All predictions that are kept in this browser"),
    "forget": Button("forget them", "Forget all predictions"),
    "skip": Button("Show the theory", "Without an answer"),
    "visit": Button("go", "Go to where this pin was made"),
    "compare": Button("compare", "This view and the pinned one side by side, both live"),
    "rename": Button("rename", "Call this pin by another name"),
    "remove": Button("remove", "Take this pin away"),
    "look": Button("look", "Go to the point that it speaks of"),
    "zoom-in": Button("+", "Zoom in at the marker", "Zoom in at the marker", "+"),
    "zoom-out": Button("−", "Zoom out", "Zoom out", "−"),
    "zoom-all": Button("⤢", "Whole diagram", "Whole diagram", "0"),
    "help": Button("?", "Keyboard help", "Keyboard help", "?"),
}

KEYS = (
    (("←", "→", "↑", "↓"), "on the diagram: move the marker by one step"),
    (("Shift + arrow", "PgUp", "PgDn"), "by ten steps"),
    (("Home", "End"), "to the left and right edge"),
    (("+", "−", "0", "Ctrl + wheel"), "on the diagram: zoom in, out, whole"),
    (("space",), "play or pause the simulation"),
    (("S", "R"), "one step, restart"),
    (("P",), "pin this view to compare"),
    (("Ctrl + Z", "Ctrl + Y"), "undo, redo"),
    (("?",), "this help"),
)

SNIPPETS = {"python": "This view in Python", "sweep": "As a sweep over disorder", "citation": "Cite it"}

EXPORTS = {"run": "film of the run", "page": "page without a server"}  # what is called otherwise than its files

SINGLE_KEYS = "Single keys act (space, S, R, P, ?)"
SKETCHING = "Your sketch of the curve: left and right choose a point, up and down move it."
SEED_HELP = "the same seed gives the same run"
TABLE_NOTE = "A dash: this branch does not exist here. All data of the diagram, the curve and the run are under Export."
LOST = "The connection to the server is lost. This page opens again, as it is, as soon as the server answers."
FEW = 3  # controls at first sight
SPEEDS = (-1.5, 2.5, 0.05)  # powers of ten of steps per frame: least, most, step


CHECKS = {"Checks against the literature": True, "Checks by other computations": False}


@dataclass(frozen=True)
class Menu:
    """A choice of the view: its name in `messages.View`, and its options as value -> title."""

    name: str
    title: str
    options: dict[str, str]


@dataclass(frozen=True)
class Section:
    """A heading of "About" and what stands below it, as HTML."""

    title: str
    body: str


class Sheet:
    """The workbench of one system. panels: the panels it has, in order."""

    def __init__(self, start: Exploration) -> None:
        self.kind: type[Model] = type(start.model)
        self.panels: list[type[Panel]] = panels_of(start)
        self._has_plane = bool(start.x)

    def at(self, place: str) -> list[type[Panel]]:
        """The panels of one place."""
        return [panel for panel in self.panels if panel.place == place]

    @property
    def runs(self) -> bool:
        return self.kind.offers("simulation")

    @cached_property
    def wing(self) -> str:
        return sentence_case(self.kind.wing.replace("_", " "))

    @cached_property
    def groups(self) -> list[tuple[str, list[Control]]]:
        """The controls in groups: physics first, then the setting, then what only the simulation knows."""
        found: dict[str, list[Control]] = {title: [] for title, _ in GROUPS}
        for declared in self.kind.controls().values():
            title = next((t for t, roles in GROUPS if declared.role in roles), "Controls")
            found["Simulation" if declared.part == "simulation" else title].append(declared)
        return [(title, controls) for title, controls in found.items() if controls]

    @cached_property
    def main(self) -> list[str]:
        """All controls, those first that a page shows at first sight: of the plane, then as they are declared."""
        start = Exploration.of(self.kind())
        declared = [one.name for _, controls in self.groups for one in controls]
        return [name for name in declared if name in (start.x, start.y)] + [
            name for name in declared if name not in (start.x, start.y)
        ]

    def first(self, absent: Collection[str], chosen: Sequence[str] = ()) -> list[str]:
        """The controls at first sight: those that were chosen for it, or a few, of those that are there."""
        there = [name for name in chosen or self.main if name not in absent]
        return there if chosen or len(there) <= FEW + 1 else there[:FEW]

    @cached_property
    def carried(self) -> list[Control]:
        """The controls that can move up and down while a run plays."""
        return [made for made in self.kind.controls().values() if made.is_carried] if self.runs else []

    @cached_property
    def menus(self) -> list[Menu]:
        """What can be chosen of the view; nothing where there is no choice."""
        if not self._has_plane:
            return []
        kind = self.kind
        axes = {name: kind.control(name).title for name in kind.axis_names()}
        found = [
            Menu("x", "x", axes),
            Menu("y", "y", axes),
            Menu("colour", "colour", {o.name: o.title for o in kind.observables if o.over is None}),
        ]
        if len(kind.branches) > 1:
            found.append(Menu("branch", "branch", {"": "equilibrium"} | {b.name: b.title for b in kind.branches}))
        if len(kind.methods) > 1:
            found.append(Menu("method", "theory", {m.name: m.title for m in kind.methods}))
        return found

    @cached_property
    def tabs(self) -> list[str]:
        return ["Explore", "About", *(["Tasks"] if self.kind.tasks else []), "Code", "Data"]

    @cached_property
    def checks(self) -> list[tuple[str, list[tuple[int, Reference]]]]:
        """The references with their places, under what they are: numbers of the literature, or computed otherwise."""
        numbered = list(enumerate(self.kind.references))
        of = {title: [one for one in numbered if one[1].published == told] for title, told in CHECKS.items()}
        return [(title, rows) for title, rows in of.items() if rows]

    @cached_property
    def exports(self) -> list[tuple[str, list[str]]]:
        """What can be taken home: pairs of a part's title and its forms, of which `part.form` is the name."""
        found = []
        if self._has_plane and self.kind.offers("solve"):
            found += [(part, ["png", "svg", "pdf", "csv", "nc"]) for part in ("diagram", "curve")]
            if self.runs:
                found.append(("hysteresis", ["csv", "nc"]))
        shown = {"function": "function", "landscape": "landscape", "histogram": "distribution", "state": "state"}
        names = [panel.name for panel in self.panels]
        found += [(part, ["png", "svg", "pdf"]) for name, part in shown.items() if name in names]
        if self.runs:
            found += [("trace", ["png", "svg", "pdf", "csv", "nc"]), ("run", ["gif", "mp4"])]
        return [*found, ("notebook", ["ipynb"]), ("page", ["html"])]

    @cached_property
    def snippets(self) -> dict[str, str]:
        """The texts of the pane "Code" by their names in `messages.State`, with their titles."""
        return {name: title for name, title in SNIPPETS.items() if name != "sweep" or self._has_plane}

    @cached_property
    def related(self) -> list[Related]:
        """The systems that this one belongs to."""
        return related(self.kind.key)

    @cached_property
    def lessons(self) -> list[Lesson]:
        """The lessons that play with it."""
        return lessons_of(self.kind.key)

    @cached_property
    def about(self) -> list[Section]:
        """The page of the system, and what its regions, lines and failures mean."""
        kind = self.kind
        sections = [Section("", to_html(docstring(sys.modules[kind.__module__])))]
        explained: dict[str, list[tuple[str, str]]] = {
            "What the regions mean": [(html.escape(p.title), p.doc) for p in kind.phases],
            "What the lines mean": [(f"{html.escape(b.title)} {mathml(b.symbol)}", b.doc) for b in kind.landmarks],
            "Where the theory fails": [(html.escape(f.title), f.doc) for f in kind.failures],
        }
        for title, things in explained.items():
            rows = "".join(f"<dt>{name}</dt><dd>{one_line(doc)}</dd>" for name, doc in things)
            if rows:
                sections.append(Section(title, f"<dl>{rows}</dl>"))
        rows = ""
        for source in kind.sources:
            row = html.escape(source.citation)
            for name, number, site in (("doi", source.doi, "doi.org"), ("arXiv", source.arxiv, "arxiv.org/abs")):
                if number:
                    row += f' · <a href="https://{site}/{number}" rel="noreferrer">{name}:{number}</a>'
            rows += f"<li>{row}</li>"
        sections.append(Section("Sources", f"<ul>{rows}</ul>"))
        if self.related:
            rows = "".join(
                f"<dt>{r.phrase} {html.escape(r.other.title)}</dt><dd>{html.escape(r.because, quote=False)}</dd>"
                for r in self.related
            )
            sections.append(Section("Related systems", f"<dl>{rows}</dl>"))
        return sections

    def explained(self, mark: Mark) -> list[Section]:
        """The same, with each word of the glossary marked where it first occurs."""
        seen: set[str] = set()
        return [Section(section.title, linked(section.body, mark, seen)) for section in self.about]


def absent(model: Model) -> dict[str, list[str]]:
    """What the page of a system has, but not at these controls: see `messages.State`."""
    controls = [name for name, made in model.controls().items() if not model.applies(made)]
    parts = {"colour": model.observables, "branch": model.branches, "method": model.methods}
    found = {word: [one.name for one in declared if not model.applies(one)] for word, declared in parts.items()}
    return {"control": controls, "x": controls, "y": controls} | found


# -- numbers ------------------------------------------------------------------------------------------------------


def snap(declared: Control, value: float) -> float | int:
    """The allowed value nearest to where a slider or the marker stands."""
    low, high = declared.bounds
    value = min(max(value, low), high)
    if declared.is_integer:
        return round(value)
    if declared.is_logarithmic:
        return min(max(float(f"{value:.3g}"), low), high)
    step = float(declared.step or (high - low) / 1000)
    digits = max(0, 2 - math.floor(math.log10(step)))
    return min(max(round(round(value / step) * step, digits), low), high)


def nudge(declared: Control, value: float, steps: int) -> float | int:
    """The value some steps of the keyboard away; two hundred lead through a logarithmic range."""
    if not declared.is_logarithmic:
        return snap(declared, value + steps * float(declared.step or 1))
    low, high = declared.bounds
    moved = value * (high / low) ** (steps / 200)
    if declared.is_integer and round(moved) == value:
        return snap(declared, value + math.copysign(1, steps))
    return snap(declared, moved)


def as_text(value: float | int | str) -> str:
    """A value in a number box."""
    if isinstance(value, str | int):
        return str(value)
    if 0 < abs(value) < 1e-3:  # three digits, as in the app: more do not fit into the box
        return f"{value:.3g}"
    return f"{value:.{1 if abs(value) >= 1000 else 4}f}".rstrip("0").rstrip(".")
