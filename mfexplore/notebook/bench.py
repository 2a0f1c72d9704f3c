"""The widgets of a workbench in a notebook, made from what the system declares; a panel only for what it offers."""

from __future__ import annotations

import html
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import Any

import ipywidgets as widgets

from mfexplore.figures.prose import one_line
from mfexplore.guide.glossary import note
from mfexplore.notebook.controls import ChoiceControl, Menu, NumberControl, Tabs, control_widget
from mfexplore.notebook.dress import styles
from mfexplore.notebook.lessons import TaskCard
from mfexplore.workbench import messages
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.messages import Heard
from mfexplore.workbench.panels import Panel
from mfexplore.workbench.sheet import BUTTONS, EXPORTS, SEED_HELP, SPEEDS, TABLE_NOTE, Sheet

WAITING = (
    "Drawing … If nothing appears here, this notebook cannot show live figures: open it in JupyterLab with "
    "<code>jupyter_bokeh</code> installed, or run <code>mfexplore serve</code>."
)


class Bench:
    """The widgets, and where they are. They tell `hear` what a person does; the page changes what they show.

    Attributes:
        parts: what to display, from top to bottom.
        places: an empty box for the figure of each panel, by its name. cards: what to hide with a panel.
        marks, legends: what may stand in the legend of a figure, and the widget that shows it.
        along_shown, playing, shape: the abscissa of the curve, whether the run plays, the shape of its picture.
        sweeping: whether a control moves by itself.
        choices: what a panel shows, by its name, where it has a choice.
        checks: of each reference the words, and the button that leads to its point.
        asked, asked_on: by panel, the button of what it simulates if somebody asks for it, with the words beside it,
            and whether the button ends it.
    """

    def __init__(self, start: Exploration, hear: Callable[[Heard], None], first: Sequence[str] = ()) -> None:
        """first: the controls that are shown at first sight (default: a few)."""
        self.sheet, self._start, self._hear, self._first = Sheet(start), start, hear, first
        self.kind = self.sheet.kind
        self.controls: dict[str, NumberControl | ChoiceControl] = {}
        self.headings: list[tuple[widgets.HTML, set[str]]] = []  # each with the controls under it
        self._all = False  # whether all controls are shown
        self.menus: dict[str, Menu] = {}
        self.choices: dict[str, Menu | Tabs] = {}
        self.along: Any = None
        self.places: dict[str, Any] = {}
        self.cards: dict[str, Any] = {}
        self.along_shown = start.along
        self.playing, self.shape, self.sweeping = False, "", False
        self.sentence, self.progress, self.measuring, self.watch = (widgets.HTML() for _ in range(4))
        self.presets: dict[str, Any] = {}
        self.asking, self.outside = _box([], "mfexplore-asking"), self._build_outside()
        self.marks = {panel.name: panel.marks(self.kind) for panel in self.sheet.panels}
        self.legends = {name: widgets.HTML() for name in self.marks}
        self.table, self.curve_table, self.download = (widgets.HTML() for _ in range(3))
        looks = [self._button("look", partial(self._look_at, index)) for index in range(len(self.kind.references))]
        self.checks = [(widgets.HTML(), look) for look in looks]
        self.snippets = {name: widgets.HTML() for name in self.sheet.snippets}
        self.clock, self.caption = widgets.HTML(), widgets.HTML()
        self.keys: dict[str, Any] = {}
        self.asked: dict[str, tuple[Any, Any]] = {}
        self.asked_on: dict[str, bool] = {}
        self.notices, self.pins = _box([], "mfexplore-notices"), _box([], "mfexplore-pins")
        self.waiting = widgets.HTML(f"<p>{WAITING}</p>")
        self.waiting.add_class("mfexplore-soft")
        self.play = self._button("play", lambda: hear(messages.Play(not self.playing)), icon="play")
        self.cancel = self._button("cancel", lambda: hear(messages.Cancel()))
        self.cancel.layout.visibility = "hidden"
        columns = _box([self._build_controls(), self._build_centre(), *self._build_live()], "mfexplore-bench")
        if not self.sheet.runs:
            columns.add_class("mfexplore-without-live")
        self.parts = [widgets.HTML(styles()), self._build_top(), self.notices, self.waiting, columns]

    def _build_top(self) -> Any:
        hear = self._hear
        self.undo = self._button("undo", lambda: hear(messages.Undo()), icon="undo")
        self.redo = self._button("redo", lambda: hear(messages.Redo()), icon="repeat")
        self.undo.disabled = self.redo.disabled = True
        pin = self._button("pin", lambda: hear(messages.Pin()))
        reset = self._button("reset", lambda: hear(messages.Reset()))
        files = {"": f"{BUTTONS['export'].label} …"}
        for part, forms in self.sheet.exports:
            files |= {f"{part}.{form}": f"{EXPORTS.get(part, part)}, {form.upper()}" for form in forms}
        files["give up"] = BUTTONS["give-up"].tip

        def export(what: str) -> None:
            if what == "give up":
                self.download.value = ""
                hear(messages.GiveUp())
                menu.show("")
            elif what:
                self.download.value = "<small>preparing …</small>"
                hear(messages.Export(what))
                menu.show("")

        menu = Menu("", files, "", export)
        title = widgets.HTML(f"<span>{html.escape(self.sheet.wing)} / <b>{html.escape(self.kind.title)}</b></span>")
        title.add_class("mfexplore-title")
        menu.widget.add_class("mfexplore-export")
        run = [self.play] if self.sheet.runs else []  # also here, where it is reached first
        self.file = widgets.FileUpload(multiple=False, description="Open file", tooltip=BUTTONS["open"].tip)
        tools = [self.undo, self.redo, reset, pin, menu.widget, self.file]
        return _box([title, *run, self.pins, self.download, *tools], "mfexplore-top")

    def _build_controls(self) -> Any:
        at, hear = self._start, self._hear
        heard: Callable[[str, Any], None] = lambda name, value: hear(messages.Control(name, value))  # noqa: E731
        parts: list[Any] = []
        for title, declared in self.sheet.groups:
            heading = widgets.HTML(f"<h3>{title}</h3>")
            self.headings.append((heading, {one.name for one in declared}))
            parts.append(heading)
            for one in declared:
                self.controls[one.name] = control_widget(one, getattr(at.model, one.name), heard)
                parts.append(self.controls[one.name].widget)
        self.every = widgets.Button()
        self.every.add_class("mfexplore-every")
        self.every.on_click(lambda button: self._open_controls(not self._all))
        parts.append(self.every)
        self.show_controls({name: getattr(at.model, name) for name in self.controls}, ())
        self.seed_shown = at.seed_text
        self.seed = widgets.Text(value=self.seed_shown, continuous_update=False, tooltip=SEED_HELP)
        self.seed.observe(self._seeded, "value")
        if self.sheet.runs:
            row = widgets.HBox([widgets.HTML("<span>Seed</span>"), self.seed])
            parts.append(_box([row], "mfexplore-control"))
        parts += self._build_presets()
        parts += self._build_menus()
        return _box(parts, "mfexplore-card", "mfexplore-controls")

    def show_controls(self, values: Mapping[str, Any], absent: Collection[str]) -> None:
        """Stand at these values, silently; at first sight only with a few of the controls that are there."""
        for name, value in values.items():
            self.controls[name].show(value)
        self._values, self._absent = values, absent
        self._open_controls(self._all)

    def _open_controls(self, every: bool) -> None:
        self._all = every
        there = [name for name in self.controls if name not in self._absent]
        first = self.sheet.first(self._absent, self._first)
        shown = there if every else first
        for name, control in self.controls.items():
            control.widget.layout.display = None if name in shown else "none"
        for heading, names in self.headings:
            heading.layout.display = None if names & set(shown) else "none"
        changed = sum(self._values[n] != self.kind.control(n).default for n in there if n not in first)
        more = f"All {len(there)} controls{f' ({changed} changed)' if changed else ''}"
        self.every.description = "Fewer controls" if every else more
        self.every.layout.display = None if len(first) < len(there) else "none"

    def show_seed(self, seed: str) -> None:
        """Stand at a seed, silently."""
        self.seed_shown = seed
        self.seed.value = self.seed_shown

    def _seeded(self, change: dict[str, Any]) -> None:
        if change["new"].strip() != self.seed_shown:
            self._hear(messages.Seed(change["new"].strip()))

    def _build_presets(self) -> list[Any]:
        if not self.kind.presets:
            return []
        self.watch.add_class("mfexplore-watch")
        for preset in self.kind.presets:
            button = widgets.Button(description=preset.name.replace("_", " "), tooltip=preset.watch)
            button.on_click(lambda button, name=preset.name: self._hear(messages.Preset(name)))
            self.presets[preset.name] = button
        chips = _box(list(self.presets.values()), "mfexplore-chips")
        return [widgets.HTML("<h3>Presets</h3>"), chips, self.watch]

    def show_preset(self, chosen: str) -> None:
        """Mark the preset at which it is, if any, and say what is to be seen there."""
        for name, button in self.presets.items():
            (button.add_class if name == chosen else button.remove_class)("mod-active")
        said = next((preset.watch for preset in self.kind.presets if preset.name == chosen), "")
        self.watch.value = f"<p>{one_line(said)}</p>" if said else ""

    def _build_outside(self) -> Any:
        """What says that the marker is not in the picture, with the way to get it there."""
        self.outside_words = widgets.HTML()
        box = _box([self.outside_words, self._button("whole", lambda: self._hear(messages.Whole()))], "mfexplore-row")
        box.layout.display = "none"
        return box

    def ask(self, index: int) -> None:
        """Show a task in the place of what theory says, or nothing any more (-1)."""
        card = (
            [self.tasks[index].widget, self._button("skip", lambda: self._hear(messages.Skip()))] if index >= 0 else []
        )
        self.asking.children = tuple(card)
        self.sentence.layout.display = "none" if card else None

    def _build_menus(self) -> list[Any]:
        for menu in self.sheet.menus:
            if len(menu.options) > 1:
                heard = partial(self._viewed, menu.name)
                start = getattr(self._start, menu.name) or ""
                shown = start if start in menu.options else next(iter(menu.options))
                self.menus[menu.name] = Menu(menu.title, menu.options, shown, heard)
        menus = _box([menu.widget for menu in self.menus.values()], "mfexplore-menus")
        return [widgets.HTML("<h3>Axes</h3>"), menus] if self.menus else []

    def _viewed(self, name: str, value: str) -> None:
        self._hear(messages.View(name, value))

    def _build_centre(self) -> Any:
        kind = self.kind
        self.sentence.value = f"<p>{one_line(kind.summary)}</p>"
        self.sentence.add_class("mfexplore-say")
        explore: list[Any] = []
        for panel in self.sheet.at("explore"):
            below = self._part(panel.below, panel)
            explore += [self._figure(panel, "mfexplore-plane"), *below, self.legends[panel.name]]
        explore += [self.outside, self.asking, self.sentence]
        self.tasks = [self._task_card(index) for index in range(len(kind.tasks))]
        about = "".join(f"<h4>{section.title}</h4>{section.body}" for section in self.sheet.explained(note))
        panes = {
            "Explore": explore,
            "About": [widgets.HTML(f'<div class="mfexplore-prose">{about}</div>'), *self._build_checks()],
            "Tasks": [card.widget for card in self.tasks],
            "Code": list(self.snippets.values()),
            "Data": [self.table, self.curve_table, widgets.HTML(f"<small>{TABLE_NOTE}</small>")],
        }
        main = _box([self._tabs({name: panes[name] for name in self.sheet.tabs})], "mfexplore-card", "mfexplore-main")
        cards = [self._card(panel) for panel in self.sheet.at("centre")]
        return _box([main, *([_box(cards, "mfexplore-two")] if cards else [])], "mfexplore-centre")

    def _tabs(self, panes: dict[str, list[Any]]) -> Any:
        made = {name: _box(parts, "mfexplore-pane", f"mfexplore-pane-{name.lower()}") for name, parts in panes.items()}
        tabs = widgets.ToggleButtons(options=list(made), value="Explore")
        tabs.add_class("mfexplore-tabs")

        def show(name: str) -> None:
            for other, pane in made.items():
                pane.layout.display = None if other == name else "none"

        def turned(change: dict[str, Any]) -> None:
            show(change["new"])
            self._hear(messages.Pane(change["new"]))

        self.tab = tabs
        show("Explore")
        tabs.observe(turned, "value")
        return _box([tabs, *made.values()])

    def _task_card(self, index: int) -> TaskCard:
        def start() -> None:
            self.tab.value = "Explore"
            self._hear(messages.Task(index))

        def reveal(guess: float) -> None:
            self._hear(messages.Reveal(index, guess))

        return TaskCard(self.kind.tasks[index], reveal, start, f"Task {index + 1}")

    def _build_checks(self) -> list[Any]:
        """The references, each with the way to the point that it speaks of."""
        parts: list[Any] = []
        for title, rows in self.sheet.checks:
            parts.append(widgets.HTML(f"<h4>{title}</h4>"))
            for index, reference in rows:
                words, look = self.checks[index]
                look.layout.visibility = None if reference.leads_somewhere else "hidden"
                parts.append(_box([words, look], "mfexplore-check"))
        return parts

    def _look_at(self, index: int) -> None:
        self.tab.value = "Explore"
        self._hear(messages.Reference(index))

    def _card(self, panel: type[Panel]) -> Any:
        """A panel with its heading, its legend and what stands beside and below it."""
        title = widgets.HTML(f"<h3>{panel.heading(self.kind)}</h3>")
        head = _box([title, *self._part(panel.beside, panel)], "mfexplore-head")
        parts = [head, self._figure(panel), self.legends[panel.name], *self._part(panel.below, panel)]
        self.cards[panel.name] = _box(parts, "mfexplore-card")
        return self.cards[panel.name]

    def _part(self, name: str, panel: type[Panel]) -> list[Any]:
        """What stands beside or below a figure, by the names of `Panel`."""
        if name == "along":
            self.along = widgets.ToggleButtons(options=[("along x", "x"), ("along y", "y")], value=self.along_shown)
            self.along.add_class("mfexplore-chips")
            self.along.observe(self._turned, "value")
            return [self.along]
        if name == "menu":
            menu = self.choices[panel.name] = Menu(panel.asks, {"": ""}, "", partial(self._viewed, panel.chooses))
            return [_box([menu.widget], "mfexplore-menus")]
        if name == "tabs":
            tabs = self.choices[panel.name] = Tabs(partial(self._viewed, panel.chooses))
            return [tabs.widget]
        if name == "picture":
            self.clock.add_class("mfexplore-clock")
            return [*self._part("key", panel), _box([self.caption, self.clock], "mfexplore-caption")]
        if name == "key":
            self.keys[panel.name] = widgets.HTML()
            return [self.keys[panel.name]]
        if name == "progress":
            laid = self._asked("sweep", lambda on: messages.Lay())
            return [_box([self.progress, self.cancel], "mfexplore-progress"), self._asked(panel.name), laid]
        if name == "measuring":
            return [self._asked(panel.name), self._build_average(), self.measuring]
        return []

    def _asked(self, panel: str, ask: Callable[[bool], Heard] | None = None) -> Any:
        """The button of what a panel simulates if somebody asks for it, and how far that is. ask: the message."""
        button, words = widgets.Button(), widgets.HTML()
        button.layout.display = "none"
        said = ask or (lambda on: messages.Simulate(panel, on))
        button.on_click(lambda _: self._hear(said(not self.asked_on[panel])))
        self.asked[panel], self.asked_on[panel] = (button, words), False
        return _box([button, words], "mfexplore-asked")

    def _build_average(self) -> Any:
        """An average at the marker, until so many samples or so small an error."""
        by = widgets.Dropdown(options=[("samples", "samples"), ("standard error", "error")], description="until")
        value = widgets.FloatText(value=64.0, tooltip="Until how many samples, or which standard error")
        by.observe(lambda change: setattr(value, "value", 64.0 if change["new"] == "samples" else 0.005), "value")
        button = self._asked("average", lambda on: messages.Average(on, by.value, value.value))
        return _box([button, by, value], "mfexplore-average")

    def _build_sweep(self) -> list[Any]:
        """A control that moves up and down while the run plays."""
        if not self.sheet.carried:
            return []
        names = [one.name for one in self.sheet.carried]
        along = self._start.along_control
        name = widgets.Dropdown(
            options=[(one.title, one.name) for one in self.sheet.carried], description="sweep",
            value=along if along in names else names[0],
        )  # fmt: skip
        self.sweep = self._button("sweep-run", lambda: self._hear(messages.Sweep("" if self.sweeping else name.value)))
        return [_box([name, self.sweep], "mfexplore-average")]

    def name_axes(self, view: dict[str, Any]) -> None:
        """Say which controls the two directions of the curve are."""
        if self.along is None:
            return
        titles = [self.kind.control(view[axis]).title for axis in ("x", "y")]
        options = tuple((f"along {title}", axis) for title, axis in zip(titles, ("x", "y"), strict=True))
        self.along_shown = ""  # new options come with a value of their own, which nobody has chosen
        if self.along.options != options:
            self.along.options = options
        self.along.value = view["along"]
        self.along_shown = view["along"]

    def _turned(self, change: dict[str, Any]) -> None:
        if self.along_shown and change["new"] in ("x", "y") and change["new"] != self.along_shown:
            self.along_shown = change["new"]
            self._hear(messages.View("along", change["new"]))

    def _build_live(self) -> list[Any]:
        if not self.sheet.runs:
            return []
        self.play.add_class("mfexplore-primary")
        step = self._button("step", lambda: self._hear(messages.Step()))
        restart = self._button("restart", lambda: self._hear(messages.Restart()))
        least, most, by = SPEEDS
        speed = widgets.FloatLogSlider(value=1.0, base=10, min=least, max=most, step=by, readout=False)
        speed.tooltip = "Speed: steps per frame"
        speed.observe(lambda change: self._hear(messages.Speed(change["new"])), "value")
        pace = _box([widgets.HTML("<small>speed</small>"), speed], "mfexplore-speed")
        row = _box([self.play, step, restart, pace], "mfexplore-row")
        parts: list[Any] = [widgets.HTML("<h3>Live simulation</h3>"), row, *self._build_sweep()]
        for panel in self.sheet.at("live"):
            title = panel.heading(self.kind)
            head = [widgets.HTML(f"<h3>{title}</h3>")] if title else []
            below = [*self._part(panel.below, panel), self.legends[panel.name]]
            card = _box([*head, *self._part(panel.beside, panel), self._figure(panel), *below], "mfexplore-column")
            self.cards[panel.name] = card
            parts.append(card)
        return [_box(parts, "mfexplore-card", "mfexplore-live")]

    def _figure(self, panel: type[Panel], *classes: str) -> Any:
        place = _box([], "mfexplore-figure", f"mfexplore-figure-{panel.name}", *classes)
        if panel.height:
            place.layout.height = f"{panel.height}px"
        self.places[panel.name] = place
        return place

    def _button(self, name: str, clicked: Callable[[], None], icon: str = "") -> Any:
        button = BUTTONS[name]
        made = widgets.Button(description="" if icon else button.label, tooltip=button.tip, icon=icon)
        made.on_click(lambda button: clicked())
        return made


def _box(children: list[Any], *classes: str) -> Any:
    made = widgets.Box(children)
    for name in classes:
        made.add_class(name)
    return made
