"""The workbench in the output of a notebook cell: the same desk as in the app, with the notebook's own widgets."""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Callable
from functools import partial
from typing import Any

import ipywidgets as widgets
from bokeh.models import Plot

from mfexplore.figures.curves import legend_of
from mfexplore.figures.prose import one_line
from mfexplore.figures.style import mathml
from mfexplore.notebook.canvas import Canvas
from mfexplore.notebook.controls import ChoiceControl, Menu, NumberControl, control_widget
from mfexplore.notebook.dress import styles
from mfexplore.notebook.frontend import Frontend
from mfexplore.notebook.lessons import TaskCard
from mfexplore.workbench.arrangement import groups, nudge, page_of
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exports import File

TEXT_MS = 90  # texts that follow a slider or a simulation change at most this often
NOTICES = 3  # that are shown at a time
WAITING = (
    "Drawing … If nothing appears here, this notebook cannot show live figures: open it in JupyterLab with "
    "<code>jupyter_bokeh</code> installed, or run <code>mfexplore serve</code>."
)


class NotebookPage:
    """The `Page` of a desk in a notebook.

    The desk begins to work when the page first shows it; a notebook that is run without a page computes nothing here.
    Everything happens in the kernel's own thread, between two cells.
    """

    def __init__(self, desk: Desk, loop: asyncio.AbstractEventLoop) -> None:
        self.desk, self._loop = desk, loop
        self._attached = False
        self._closed = False
        self._texts: dict[tuple[Any, str], Any] = {}
        self._writing = False
        self.canvases: dict[str, Canvas] = {}
        self._places: dict[str, widgets.Box] = {}
        self._frontend = Frontend(
            lambda: self.post(self._appear), lambda name: self.hear("theme", name=name),
            lambda across, up: self.post(lambda: self._nudge(across, up)),
        )  # fmt: skip
        for root in desk.figures().values():
            _paint_plainly(root)
        self.widget = self._build()

    # -- the page of the desk -------------------------------------------------------------------------------------

    def say(self, type_: str, **content: Any) -> None:
        """What the desk says becomes what the widgets show."""
        told = getattr(self, f"_tell_{type_}", None)
        if told is not None and not self._closed:
            told(**content)

    def post(self, work: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        return self._loop.call_later(milliseconds / 1000, work)

    def forget(self, appointment: Any) -> None:
        appointment.cancel()

    def give(self, file: File) -> None:
        """A link to save the file with; it carries the file itself, so that it works wherever the kernel runs."""
        data = base64.b64encode(file.content).decode()
        href = f"data:{file.media_type};base64,{data}"
        self._download.value = (
            f'<a class="mfexplore-file" download="{html.escape(file.name)}" href="{href}">Save {file.name}</a>'
        )

    def hear(self, type_: str, **content: Any) -> None:
        """A message of the widgets to the desk, from whatever thread the notebook delivers it in."""
        self.post(lambda: None if self._closed else self.desk.hear({"type": type_, **content}))

    def close(self) -> None:
        """The cell is gone or was run again: stop everything that runs for it."""
        if not self._closed:
            self._closed = True
            if self._attached:
                self.desk.close()
            for canvas in self.canvases.values():
                canvas.close()

    # -- life -----------------------------------------------------------------------------------------------------

    def _appear(self) -> None:
        """A view is there, for the first time or after the page was loaded again: figures as they are now."""
        if self._closed:
            return
        for name, figure in self.desk.figures().items():
            if name in self.canvases:
                self.canvases[name].close()
            self.canvases[name] = Canvas(figure, self._call_later)
            self._places[name].children = (self.canvases[name],)
        self._waiting.layout.display = "none"
        if not self._attached:
            self._attached = True
            self.desk.attach(self)
            self.desk.hear({"type": "hello"})

    def _call_later(self, milliseconds: int, work: Callable[[], None]) -> None:
        """The same as `later`, from any thread."""
        self.post(work if milliseconds == 0 else lambda: self._set_alarm(milliseconds, work))

    def _set_alarm(self, milliseconds: int, work: Callable[[], None]) -> None:
        self.later(milliseconds, work)

    def _nudge(self, across: int, up: int) -> None:
        at = self.desk.session.current
        moved = {}
        for axis, name, steps in (("x", at.x, across), ("y", at.y, up)):
            moved[axis] = nudge(self.desk.kind.control(name), float(getattr(at.model, name)), steps)
        self.desk.hear({"type": "marker", **moved})

    def _write(self, widget: Any, name: str, value: Any) -> None:
        """Change a text, but not more often than somebody can read."""
        self._texts[widget, name] = value
        if not self._writing:
            self._writing = True
            self._write_waiting()

    def _write_waiting(self) -> None:
        texts, self._texts = self._texts, {}
        for (widget, name), value in texts.items():
            setattr(widget, name, value)
        if texts:
            self.later(TEXT_MS, self._write_waiting)
        else:
            self._writing = False

    # -- what the desk says ---------------------------------------------------------------------------------------

    def _tell_state(
        self, values: dict[str, Any], seed: int, view: dict[str, Any], query: str, undo: bool, redo: bool,
        python: str, sweep: str, citation: str, **more: Any,
    ) -> None:  # fmt: skip
        for name, value in values.items():
            self.controls[name].show(value)
        self._seed.value = str(seed)
        for name, menu in self._menus.items():
            menu.show(view[name] or "")
        self._show_marker_titles(view)
        self._undo.disabled, self._redo.disabled = not undo, not redo
        link = f"{self.desk.kind.key}?{query}"
        parts = [("This view in Python", python), ("As a sweep over disorder", sweep), ("Its link in the app", link),
                 ("Cite it", citation)]  # fmt: skip
        texts = "".join(f"<h4>{title}</h4><pre>{html.escape(text)}</pre>" for title, text in parts if text)
        self._write(self._code, "value", texts)

    def _show_marker_titles(self, view: dict[str, Any]) -> None:
        if self._along is None:
            return
        titles = [self.desk.kind.control(view[axis]).title for axis in ("x", "y")]
        options = tuple((f"along {title}", axis) for title, axis in zip(titles, ("x", "y"), strict=True))
        self._along_shown = ""  # new options come with a value of their own, which nobody has chosen
        if self._along.options != options:
            self._along.options = options
        self._along.value = view["along"]
        self._along_shown = view["along"]

    def _tell_sentence(self, headline: str, text: str, validity: str, trusted: bool) -> None:
        tag = f'<span class="mfexplore-tag{"" if trusted else " mfexplore-doubt"}">{html.escape(validity)}</span>'
        said = f"<p><b>{html.escape(headline)}.</b> {one_line(text)}</p>{tag}"
        self._write(self._sentence, "value", said)

    def _tell_progress(self, what: str, fraction: float | None, text: str) -> None:
        if what == "ensemble":
            words = "" if fraction is None else f"{text} {100 * fraction:.0f} % …"
            self._write(self._measuring, "value", f"<small>{html.escape(words)}</small>")
        elif what == "diagram":
            width = 100 if fraction is None else round(100 * fraction)
            done = " mfexplore-done" if fraction is None else ""
            words = html.escape(text if fraction is None else f"{text} …")
            bar = f'<div class="mfexplore-bar{done}"><b style="width:{width}%"></b></div><small>{words}</small>'
            self._write(self._progress, "value", bar)
            self._write(self._stop.layout, "visibility", "hidden" if fraction is None else "visible")

    def _tell_notice(self, text: str, kind: str = "error") -> None:
        words = widgets.HTML(f"<span>{html.escape(text)}</span>")
        dismiss = widgets.Button(description="×", tooltip="Dismiss")
        note = widgets.HBox([words, dismiss])
        note.add_class("mfexplore-notice")
        note.add_class(f"mfexplore-{kind}")

        def leave(*args: Any) -> None:
            self._notices.children = tuple(n for n in self._notices.children if n is not note)
            note.close()

        dismiss.on_click(lambda button: self.post(leave))
        self._notices.children = (*self._notices.children, note)[-NOTICES:]

    def _tell_panel(self, name: str, shown: bool) -> None:
        place = self._places.get({"law": "histogram"}.get(name, name))
        if place is not None:
            self._cards.get(name, place).layout.display = None if shown else "none"

    def _tell_check(
        self, index: int, title: str, computed: str, value: str, source: str, agrees: bool, digits: int
    ) -> None:
        mark = f"✓ {digits} digits" if agrees else f"≠ {value}"
        self._checked[index] = (
            f"<tr><td>{one_line(title)}<small>{html.escape(source)}</small></td><td>{computed}</td><td>{mark}</td></tr>"
        )
        rows = "".join(self._checked[k] for k in sorted(self._checked))
        self._write(self._checks, "value", f"<h4>Checks against the literature</h4><table>{rows}</table>")

    def _tell_table(self, columns: list[str], rows: list[dict[str, Any]]) -> None:
        head = "".join(f"<th>{html.escape(text)}</th>" for text in ["", *columns])
        body = ""
        for row in rows:
            unit = f" [{html.escape(row['unit'])}]" if row["unit"] else ""
            cells = "".join(f"<td>{html.escape(text)}</td>" for text in row["cells"])
            body += f"<tr><th>{html.escape(row['title'])}{unit}</th>{cells}</tr>"
        note = "<small>A dash: this branch does not exist here.</small>"
        self._write(self._table, "value", f"<table><tr>{head}</tr>{body}</table>{note}")

    def _tell_live(
        self, playing: bool, time: float, unit: str, chosen: str, finished: bool, caption: str,
        names: tuple[str, ...], picture: str, key: list[tuple[str, str]], **more: Any,
    ) -> None:  # fmt: skip
        self._playing = playing and not finished
        self._write(self._play, "icon", "pause" if self._playing else "play")
        self._write(self._play, "tooltip", "Pause" if self._playing else "Play")
        ended = ", finished" if finished else ""
        clock = f"<span>{html.escape(caption)}</span><span>{float(f'{time:.4g}'):,g} {html.escape(unit)}{ended}</span>"
        self._write(self._clock, "value", clock)
        patches = "".join(f'<span><i style="background:{c}"></i>{html.escape(name)}</span>' for name, c in key)
        self._write(self._key, "value", f'<div class="mfexplore-legend mfexplore-patches">{patches}</div>')
        if self._series is not None:
            self._series.offer({name: name.replace("_", " ") for name in names}, chosen)
            self._series.widget.layout.display = None if len(names) > 1 else "none"
        if picture != self._picture:
            place = self._places["state"]
            place.remove_class(f"mfexplore-{self._picture}")
            place.add_class(f"mfexplore-{picture}")
            self._picture = picture
            _paint_plainly(self.desk.figures()["state"])

    def _tell_boundaries(self, names: list[str]) -> None:
        shown = [b for b in self.desk.kind.landmarks if b.name in names]
        words = "".join(
            f'<span><i style="border-top: 2px {"solid" if b.continuous else "dashed"} var(--mf-ink)"></i>'
            f"{mathml(b.symbol)} {one_line(b.doc)}</span>"
            for b in shown
        )
        self._write(self._boundaries, "value", f'<div class="mfexplore-legend">{words}</div>')

    def _tell_pins(self, pins: list[str]) -> None:
        made = []
        for index, title in enumerate(pins):
            button = widgets.Button(description=f"{title}  ×", tooltip="Remove this pin")
            button.on_click(lambda button, index=index: self.hear("unpin", index=index))
            made.append(button)
        self._pins.children = tuple(made)

    def _tell_answer(self, index: int, right: bool, text: str, lesson: str) -> None:
        self._tasks[index].tell(right, text)

    # -- the widgets ----------------------------------------------------------------------------------------------

    def _build(self) -> widgets.VBox:
        self._notices = _box([], "mfexplore-notices")
        self._waiting = widgets.HTML(f"<p>{WAITING}</p>")
        self._waiting.add_class("mfexplore-soft")
        self._cards: dict[str, Any] = {}
        self._picture, self._key = "", widgets.HTML()
        bench = _box([self._build_controls(), self._build_centre(), *self._build_live()], "mfexplore-bench")
        if self.desk.live is None:
            bench.add_class("mfexplore-without-live")
        parts = [widgets.HTML(styles()), self._build_top(), self._notices, self._waiting, bench, self._frontend.widget]
        root = Workbench(self, parts)
        root.add_class("mfexplore")
        root.add_class(self._frontend.name)
        return root

    def _build_top(self) -> Any:
        self._undo = self._button("", "Undo", lambda: self.hear("undo"), icon="undo")
        self._redo = self._button("", "Redo", lambda: self.hear("redo"), icon="repeat")
        self._undo.disabled = self._redo.disabled = True
        pin = self._button("Pin", "Keep this view as a ghost to compare with", lambda: self.hear("pin"))
        reset = self._button("Reset", "Back to the defaults; undo brings this back", lambda: self.hear("reset"))
        files = {"": "Export …"}
        if self.desk.diagram:
            files |= {f"{p}.{f}": f"{p}, {f.upper()}" for p in ("diagram", "curve") for f in ("png", "svg", "pdf", "csv", "nc")}  # fmt: skip  # noqa: E501
        if self.desk.live:
            files |= {f"trace.{f}": f"trace, {f.upper()}" for f in ("csv", "nc")}
        files["notebook.ipynb"] = "notebook"

        def export(what: str) -> None:
            if what:
                self._download.value = "<small>preparing …</small>"
                self.hear("export", what=what)
                menu.show("")

        menu = Menu("", files, "", export)
        self._download = widgets.HTML()
        self._pins = _box([], "mfexplore-pins")
        kind = self.desk.kind
        wing = kind.wing.replace("_", " ").capitalize()
        title = widgets.HTML(f"<span>{html.escape(wing)} / <b>{html.escape(kind.title)}</b></span>")
        title.add_class("mfexplore-title")
        return _box(
            [title, self._pins, self._download, self._undo, self._redo, reset, pin, menu.widget], "mfexplore-top"
        )

    def _build_controls(self) -> Any:
        at, kind = self.desk.session.current, self.desk.kind
        heard: Callable[[str, Any], None] = lambda name, value: self.hear("control", name=name, value=value)  # noqa: E731
        self.controls: dict[str, NumberControl | ChoiceControl] = {}
        parts: list[Any] = []
        for title, declared in groups(kind):
            parts.append(widgets.HTML(f"<h3>{title}</h3>"))
            for one in declared:
                self.controls[one.name] = control_widget(one, getattr(at.model, one.name), heard)
                parts.append(self.controls[one.name].widget)
        self._seed = widgets.Text(value=str(at.seed), continuous_update=False, tooltip="The same seed, the same run")
        self._seed.observe(self._seeded, "value")
        if self.desk.live:
            row = widgets.HBox([widgets.HTML("<span>Seed</span>"), self._seed])
            parts.append(_box([row], "mfexplore-control"))
        parts += self._build_presets()
        parts += self._build_axes()
        return _box(parts, "mfexplore-card", "mfexplore-controls")

    def _seeded(self, change: dict[str, Any]) -> None:
        if change["new"].strip() != str(self.desk.session.current.seed):
            self.hear("seed", value=change["new"].strip())

    def _build_presets(self) -> list[Any]:
        kind = self.desk.kind
        if not kind.presets:
            return []
        watch = widgets.HTML()
        watch.add_class("mfexplore-watch")

        def choose(name: str, words: str) -> None:
            watch.value = f"<p>{one_line(words)}</p>"
            self.hear("preset", name=name)

        buttons = [
            self._button(p.name.replace("_", " "), p.watch, partial(choose, p.name, p.watch)) for p in kind.presets
        ]
        return [widgets.HTML("<h3>Presets</h3>"), _box(buttons, "mfexplore-chips"), watch]

    def _build_axes(self) -> list[Any]:
        at, kind = self.desk.session.current, self.desk.kind
        self._menus: dict[str, Menu] = {}
        if self.desk.diagram is None:
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
                self._menus[name] = Menu(title, options, start if start in options else "", heard)
        menus = _box([menu.widget for menu in self._menus.values()], "mfexplore-menus")
        return [widgets.HTML("<h3>Axes</h3>"), menus] if self._menus else []

    def _viewed(self, name: str, value: str) -> None:
        self.hear("view", name=name, value=value)

    def _build_centre(self) -> Any:
        kind = self.desk.kind
        self._sentence = widgets.HTML(f"<p>{one_line(kind.summary)}</p>")
        self._sentence.add_class("mfexplore-say")
        self._progress = widgets.HTML()
        self._stop = self._button("stop", "Stop refining; what is drawn stays", lambda: self.hear("cancel"))
        self._stop.layout.visibility = "hidden"
        explore: list[Any] = []
        if self.desk.diagram:
            explore = [
                self._figure("diagram", "mfexplore-plane"),
                _box([self._progress, self._stop], "mfexplore-progress"),
            ]
            self._boundaries = widgets.HTML()
            explore.append(self._boundaries)
            self._wire_plane(self.desk.figures()["diagram"])
        explore.append(self._sentence)
        self._code, self._table, self._checks = widgets.HTML(), widgets.HTML(), widgets.HTML()
        self._checked: dict[int, str] = {}
        self._tasks = [self._task_card(index) for index in range(len(kind.tasks))]
        about = widgets.HTML(f'<div class="mfexplore-prose">{page_of(kind)}{_sources(kind)}</div>')
        panes = {"Explore": explore, "About": [about, self._checks]}
        if self._tasks:
            panes["Tasks"] = [card.widget for card in self._tasks]
        panes |= {"Code": [self._code], "Data": [self._table]}
        main = _box([self._tabs(panes)], "mfexplore-card", "mfexplore-main")
        return _box([main, *self._build_curve()], "mfexplore-centre")

    def _tabs(self, panes: dict[str, list[Any]]) -> Any:
        made = {name: _box(parts, "mfexplore-pane", f"mfexplore-pane-{name.lower()}") for name, parts in panes.items()}
        tabs = widgets.ToggleButtons(options=list(made), value="Explore")
        tabs.add_class("mfexplore-tabs")

        def show(change: dict[str, Any]) -> None:
            for name, pane in made.items():
                pane.layout.display = None if name == change["new"] else "none"
            self.hear("pane", name=change["new"])

        self._tab = tabs
        show({"new": "Explore"})
        tabs.observe(show, "value")
        return _box([tabs, *made.values()])

    def _task_card(self, index: int) -> TaskCard:
        def start() -> None:
            self._tab.value = "Explore"
            self.hear("task", index=index)

        task = self.desk.kind.tasks[index]
        return TaskCard(task, lambda guess: self.hear("reveal", index=index, guess=guess), start, f"Task {index + 1}")

    def _wire_plane(self, figure: Any) -> None:
        from bokeh.events import Pan, Tap

        for event in (Tap, Pan):
            figure.on_event(event, lambda event: self.hear("marker", x=event.x, y=event.y))

    def _build_curve(self) -> list[Any]:
        self._along: Any = None
        self._measuring = widgets.HTML()
        if self.desk.curve is None:
            return []
        kind = self.desk.kind
        self._along_shown = self.desk.session.current.along
        self._along = widgets.ToggleButtons(options=[("along x", "x"), ("along y", "y")], value=self._along_shown)
        self._along.add_class("mfexplore-chips")
        self._along.observe(self._turned, "value")
        legend = "".join(
            f'<span><i style="border-top: 3px solid var(--mf-line-{colour % 6})"></i>{html.escape(title)}</span>'
            for title, colour in legend_of(kind)
        )
        if kind.offers("exact"):
            legend += '<span><i style="border-top:2px dashed var(--mf-ink)"></i>exact at this size</span>'
        if self.desk.live:
            legend += "<span>○ simulations, mean ± s.e.</span>"
        head = _box([widgets.HTML("<h3>Theory and simulation</h3>"), self._along], "mfexplore-head")
        notes = widgets.HTML(f'<div class="mfexplore-legend">{legend}</div>')
        cards = [_box([head, self._figure("curve"), notes, self._measuring], "mfexplore-card")]
        if self.desk.points.landscape:
            title = widgets.HTML("<h3>Free-energy landscape</h3>")
            cards.append(_box([title, self._figure("landscape")], "mfexplore-card"))
            self._cards["landscape"] = cards[-1]
        return [_box(cards, "mfexplore-two")]

    def _turned(self, change: dict[str, Any]) -> None:
        if self._along_shown and change["new"] in ("x", "y") and change["new"] != self._along_shown:
            self._along_shown = change["new"]
            self.hear("view", name="along", value=change["new"])

    def _build_live(self) -> list[Any]:
        live = self.desk.live
        self._series: Menu | None = None
        self._clock = widgets.HTML()
        self._play = self._button("", "Play", lambda: self.hear("play", on=not self._playing), icon="play")
        self._playing = False
        if live is None:
            return []
        self._play.add_class("mfexplore-primary")
        step = self._button("Step", "One step", lambda: self.hear("step"))
        restart = self._button("Restart", "Start again with the same seed", lambda: self.hear("restart"))
        speed = widgets.FloatLogSlider(value=1.0, base=10, min=-1.5, max=2.5, step=0.05, readout=False)
        speed.tooltip = "Speed: steps per frame"
        speed.observe(lambda change: self.hear("speed", value=change["new"]), "value")
        pace = _box([widgets.HTML("<small>speed</small>"), speed], "mfexplore-speed")
        self._clock.add_class("mfexplore-clock")
        self._picture = type(live.state).__name__
        picture = self._figure("state", f"mfexplore-{self._picture}")
        title = widgets.HTML("<h3>Live simulation</h3>")
        row = _box([self._play, step, restart, pace], "mfexplore-row")
        parts: list[Any] = [title, row, _box([picture, self._key, self._clock], "mfexplore-column")]
        self._series = Menu("trace of", {"": ""}, "", lambda name: self.hear("series", name=name))
        parts.append(_box([self._series.widget], "mfexplore-menus"))
        parts.append(self._figure("trace"))
        if self.desk.points.histogram:
            law = _box([widgets.HTML("<h3>Distribution</h3>"), self._figure("histogram")], "mfexplore-column")
            self._cards["law"] = law
            parts.append(law)
        return [_box(parts, "mfexplore-card", "mfexplore-live")]

    def _figure(self, name: str, *classes: str) -> Any:
        self._places[name] = _box([], "mfexplore-figure", f"mfexplore-figure-{name}", *classes)
        return self._places[name]

    def _button(self, title: str, tooltip: str, clicked: Callable[[], None], icon: str = "") -> Any:
        made = widgets.Button(description=title, tooltip=tooltip, icon=icon)
        made.on_click(lambda button: clicked())
        return made


class Workbench(widgets.VBox):
    """What `explore()` returns. `close()` ends everything that runs behind it."""

    def __init__(self, page: NotebookPage, children: list[Any]) -> None:
        self.page = page
        super().__init__(children)

    def close(self) -> None:
        self.page.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if isinstance(bundle, dict):
            at = self.page.desk.session.current
            bundle["text/plain"] = f"The workbench of {at.model!r}; it is live while its kernel runs."
        return bundle


def _paint_plainly(root: Any) -> None:
    """Without WebGL: a browser has fewer of its contexts than a course has figures."""
    for plot in root.select({"type": Plot}):
        plot.output_backend = "canvas"


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
