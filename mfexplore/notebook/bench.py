"""The widgets of a workbench in a notebook, made from what the system declares; a panel only for what it offers."""

from __future__ import annotations

import html
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets
from bokeh.events import Pan, Tap

from mfexplore.figures.legends import legends
from mfexplore.figures.prose import one_line
from mfexplore.notebook.controls import ChoiceControl, Menu, NumberControl, control_widget
from mfexplore.notebook.dress import styles
from mfexplore.notebook.lessons import TaskCard
from mfexplore.workbench.arrangement import groups, page_of
from mfexplore.workbench.desk import Desk

WAITING = (
    "Drawing … If nothing appears here, this notebook cannot show live figures: open it in JupyterLab with "
    "<code>jupyter_bokeh</code> installed, or run <code>mfexplore serve</code>."
)


class Bench:
    """The widgets, and where they are. They tell `hear` what a person does; the page changes what they show.

    Attributes:
        parts: what to display, from top to bottom.
        places: an empty box for each figure of the desk, by its name.
        marks, legends: what may stand in the legend of a figure, and the widget that shows it.
        cards: what to hide where a panel is not offered, by name of the panel.
        along_shown, playing, picture: the abscissa of the curve, whether the run plays, the kind of its picture.
    """

    def __init__(self, desk: Desk, hear: Callable[..., None]) -> None:
        """hear: called with the type and the content of a message to the desk."""
        self._desk, self._hear = desk, hear
        self.controls: dict[str, NumberControl | ChoiceControl] = {}
        self.menus: dict[str, Menu] = {}
        self.series: Menu | None = None
        self.along: Any = None
        self.places: dict[str, Any] = {}
        self.cards: dict[str, Any] = {}
        self.checked: dict[int, str] = {}
        self.along_shown = desk.session.current.along
        self.playing, self.picture = False, ""
        self.sentence, self.progress, self.measuring = (widgets.HTML() for _ in range(3))
        self.marks = legends(desk.kind)
        self.legends = {name: widgets.HTML() for name in self.marks}
        self.code, self.table, self.checks, self.download = (widgets.HTML() for _ in range(4))
        self.clock, self.key = widgets.HTML(), widgets.HTML()
        self.notices, self.pins = _box([], "mfexplore-notices"), _box([], "mfexplore-pins")
        self.waiting = widgets.HTML(f"<p>{WAITING}</p>")
        self.waiting.add_class("mfexplore-soft")
        columns = _box([self._build_controls(), self._build_centre(), *self._build_live()], "mfexplore-bench")
        if desk.live is None:
            columns.add_class("mfexplore-without-live")
        self.parts = [widgets.HTML(styles()), self._build_top(), self.notices, self.waiting, columns]

    def _build_top(self) -> Any:
        self.undo = self._button("", "Undo", lambda: self._hear("undo"), icon="undo")
        self.redo = self._button("", "Redo", lambda: self._hear("redo"), icon="repeat")
        self.undo.disabled = self.redo.disabled = True
        pin = self._button("Pin", "Keep this view as a ghost to compare with", lambda: self._hear("pin"))
        reset = self._button("Reset", "Back to the defaults; undo brings this back", lambda: self._hear("reset"))
        files = {"": "Export …"}
        if self._desk.diagram:
            files |= {f"{p}.{f}": f"{p}, {f.upper()}" for p in ("diagram", "curve") for f in ("png", "svg", "pdf", "csv", "nc")}  # fmt: skip  # noqa: E501
        if self._desk.live:
            files |= {f"trace.{f}": f"trace, {f.upper()}" for f in ("csv", "nc")}
        files["notebook.ipynb"] = "notebook"

        def export(what: str) -> None:
            if what:
                self.download.value = "<small>preparing …</small>"
                self._hear("export", what=what)
                menu.show("")

        menu = Menu("", files, "", export)
        kind = self._desk.kind
        wing = kind.wing.replace("_", " ").capitalize()
        title = widgets.HTML(f"<span>{html.escape(wing)} / <b>{html.escape(kind.title)}</b></span>")
        title.add_class("mfexplore-title")
        return _box([title, self.pins, self.download, self.undo, self.redo, reset, pin, menu.widget], "mfexplore-top")

    def _build_controls(self) -> Any:
        at, kind = self._desk.session.current, self._desk.kind
        heard: Callable[[str, Any], None] = lambda name, value: self._hear("control", name=name, value=value)  # noqa: E731
        parts: list[Any] = []
        for title, declared in groups(kind):
            parts.append(widgets.HTML(f"<h3>{title}</h3>"))
            for one in declared:
                self.controls[one.name] = control_widget(one, getattr(at.model, one.name), heard)
                parts.append(self.controls[one.name].widget)
        self.seed = widgets.Text(value=at.seed_text, continuous_update=False, tooltip="The same seed, the same run")
        self.seed.observe(self._seeded, "value")
        if self._desk.live:
            row = widgets.HBox([widgets.HTML("<span>Seed</span>"), self.seed])
            parts.append(_box([row], "mfexplore-control"))
        parts += self._build_presets()
        parts += self._build_axes()
        return _box(parts, "mfexplore-card", "mfexplore-controls")

    def _seeded(self, change: dict[str, Any]) -> None:
        if change["new"].strip() != self._desk.session.current.seed_text:
            self._hear("seed", value=change["new"].strip())

    def _build_presets(self) -> list[Any]:
        kind = self._desk.kind
        if not kind.presets:
            return []
        watch = widgets.HTML()
        watch.add_class("mfexplore-watch")

        def choose(name: str, words: str) -> None:
            watch.value = f"<p>{one_line(words)}</p>"
            self._hear("preset", name=name)

        buttons = [
            self._button(p.name.replace("_", " "), p.watch, partial(choose, p.name, p.watch)) for p in kind.presets
        ]
        return [widgets.HTML("<h3>Presets</h3>"), _box(buttons, "mfexplore-chips"), watch]

    def _build_axes(self) -> list[Any]:
        at, kind = self._desk.session.current, self._desk.kind
        if self._desk.diagram is None:
            return []
        axes = {n: kind.control(n).title for n in kind.axis_names()}
        choices: dict[str, tuple[str, dict[str, str]]] = {
            "x": ("x", axes), "y": ("y", axes),
            "colour": ("colour", {o.name: o.title for o in kind.observables if o.over is None}),
            "branch": ("branch", {"": "equilibrium"} | {b.name: b.title for b in kind.branches}),
            "method": ("theory", {"": kind.methods[0].title if kind.methods else ""}
                       | {m.name: m.title for m in kind.methods[1:]}),
        }  # fmt: skip
        for name, (title, options) in choices.items():
            if len(options) > (2 if name == "branch" else 1):
                heard = partial(self._viewed, name)
                start = getattr(at, name) or ""
                self.menus[name] = Menu(title, options, start if start in options else "", heard)
        menus = _box([menu.widget for menu in self.menus.values()], "mfexplore-menus")
        return [widgets.HTML("<h3>Axes</h3>"), menus] if self.menus else []

    def _viewed(self, name: str, value: str) -> None:
        self._hear("view", name=name, value=value)

    def _build_centre(self) -> Any:
        kind = self._desk.kind
        self.sentence.value = f"<p>{one_line(kind.summary)}</p>"
        self.sentence.add_class("mfexplore-say")
        self.stop = self._button("stop", "Stop refining; what is drawn stays", lambda: self._hear("cancel"))
        self.stop.layout.visibility = "hidden"
        explore: list[Any] = []
        if self._desk.diagram:
            explore = [
                self._figure("diagram", "mfexplore-plane"),
                _box([self.progress, self.stop], "mfexplore-progress"),
            ]
            explore.append(self.legends["diagram"])
            self._wire_plane(self._desk.figures()["diagram"])
        explore.append(self.sentence)
        self.tasks = [self._task_card(index) for index in range(len(kind.tasks))]
        about = widgets.HTML(f'<div class="mfexplore-prose">{page_of(kind)}{_sources(kind)}</div>')
        panes = {"Explore": explore, "About": [about, self.checks]}
        if self.tasks:
            panes["Tasks"] = [card.widget for card in self.tasks]
        panes |= {"Code": [self.code], "Data": [self.table]}
        main = _box([self._tabs(panes)], "mfexplore-card", "mfexplore-main")
        return _box([main, *self._build_curve()], "mfexplore-centre")

    def _tabs(self, panes: dict[str, list[Any]]) -> Any:
        made = {name: _box(parts, "mfexplore-pane", f"mfexplore-pane-{name.lower()}") for name, parts in panes.items()}
        tabs = widgets.ToggleButtons(options=list(made), value="Explore")
        tabs.add_class("mfexplore-tabs")

        def show(change: dict[str, Any]) -> None:
            for name, pane in made.items():
                pane.layout.display = None if name == change["new"] else "none"
            self._hear("pane", name=change["new"])

        self.tab = tabs
        show({"new": "Explore"})
        tabs.observe(show, "value")
        return _box([tabs, *made.values()])

    def _task_card(self, index: int) -> TaskCard:
        def start() -> None:
            self.tab.value = "Explore"
            self._hear("task", index=index)

        task = self._desk.kind.tasks[index]
        return TaskCard(task, lambda guess: self._hear("reveal", index=index, guess=guess), start, f"Task {index + 1}")

    def _wire_plane(self, figure: Any) -> None:
        for kind in (Tap, Pan):
            figure.on_event(kind, lambda event: self._hear("marker", x=event.x, y=event.y))

    def _build_curve(self) -> list[Any]:
        if self._desk.curve is None:
            return []
        self.along = widgets.ToggleButtons(options=[("along x", "x"), ("along y", "y")], value=self.along_shown)
        self.along.add_class("mfexplore-chips")
        self.along.observe(self._turned, "value")
        head = _box([widgets.HTML("<h3>Theory and simulation</h3>"), self.along], "mfexplore-head")
        cards = [_box([head, self._figure("curve"), self.legends["curve"], self.measuring], "mfexplore-card")]
        if self._desk.points.landscape:
            title = widgets.HTML("<h3>Free-energy landscape</h3>")
            cards.append(_box([title, self._figure("landscape"), self.legends["landscape"]], "mfexplore-card"))
            self.cards["landscape"] = cards[-1]
        return [_box(cards, "mfexplore-two")]

    def name_axes(self, view: dict[str, Any]) -> None:
        """Say which controls the two directions of the curve are."""
        if self.along is None:
            return
        titles = [self._desk.kind.control(view[axis]).title for axis in ("x", "y")]
        options = tuple((f"along {title}", axis) for title, axis in zip(titles, ("x", "y"), strict=True))
        self.along_shown = ""  # new options come with a value of their own, which nobody has chosen
        if self.along.options != options:
            self.along.options = options
        self.along.value = view["along"]
        self.along_shown = view["along"]

    def _turned(self, change: dict[str, Any]) -> None:
        if self.along_shown and change["new"] in ("x", "y") and change["new"] != self.along_shown:
            self.along_shown = change["new"]
            self._hear("view", name="along", value=change["new"])

    def _build_live(self) -> list[Any]:
        live = self._desk.live
        self.play = self._button("", "Play", lambda: self._hear("play", on=not self.playing), icon="play")
        if live is None:
            return []
        self.play.add_class("mfexplore-primary")
        step = self._button("Step", "One step", lambda: self._hear("step"))
        restart = self._button("Restart", "Start again with the same seed", lambda: self._hear("restart"))
        speed = widgets.FloatLogSlider(value=1.0, base=10, min=-1.5, max=2.5, step=0.05, readout=False)
        speed.tooltip = "Speed: steps per frame"
        speed.observe(lambda change: self._hear("speed", value=change["new"]), "value")
        pace = _box([widgets.HTML("<small>speed</small>"), speed], "mfexplore-speed")
        self.clock.add_class("mfexplore-clock")
        self.picture = type(live.state).__name__
        picture = self._figure("state", f"mfexplore-{self.picture}")
        title = widgets.HTML("<h3>Live simulation</h3>")
        row = _box([self.play, step, restart, pace], "mfexplore-row")
        parts: list[Any] = [title, row, _box([picture, self.key, self.clock], "mfexplore-column")]
        self.series = Menu("trace of", {"": ""}, "", lambda name: self._hear("series", name=name))
        parts.append(_box([self.series.widget], "mfexplore-menus"))
        parts += [self._figure("trace"), self.legends["trace"]]
        if self._desk.points.histogram:
            head = widgets.HTML("<h3>Distribution</h3>")
            law = _box([head, self._figure("histogram"), self.legends["histogram"]], "mfexplore-column")
            self.cards["law"] = law
            parts.append(law)
        return [_box(parts, "mfexplore-card", "mfexplore-live")]

    def _figure(self, name: str, *classes: str) -> Any:
        self.places[name] = _box([], "mfexplore-figure", f"mfexplore-figure-{name}", *classes)
        return self.places[name]

    def _button(self, title: str, tooltip: str, clicked: Callable[[], None], icon: str = "") -> Any:
        made = widgets.Button(description=title, tooltip=tooltip, icon=icon)
        made.on_click(lambda button: clicked())
        return made


def _box(children: list[Any], *classes: str) -> Any:
    made = widgets.Box(children)
    for name in classes:
        made.add_class(name)
    return made


def _sources(kind: Any) -> str:
    rows = ""
    for source in kind.sources:
        link = f' <a href="https://doi.org/{source.doi}">doi:{source.doi}</a>' if source.doi else ""
        link += f' <a href="https://arxiv.org/abs/{source.arxiv}">arXiv:{source.arxiv}</a>' if source.arxiv else ""
        rows += f"<li>{html.escape(source.citation)}{link}</li>"
    return f"<h4>Sources</h4><ul>{rows}</ul>"
