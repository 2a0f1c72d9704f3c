"""A page of the desk in the output of a notebook cell: what is said here becomes what the widgets show."""

from __future__ import annotations

import asyncio
import html
from collections.abc import Callable, Sequence
from functools import singledispatchmethod
from typing import TYPE_CHECKING, Any

import ipywidgets as widgets
from bokeh.events import Pan, Tap

from mfexplore.figures.frame import Figure
from mfexplore.figures.prose import one_line
from mfexplore.figures.style import LIGHT, THEMES
from mfexplore.notebook.bench import Bench
from mfexplore.notebook.canvas import Canvas
from mfexplore.notebook.frontend import Frontend
from mfexplore.notebook.mirror import Mirror
from mfexplore.workbench import messages
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import File
from mfexplore.workbench.messages import Heard, Hello, Marker, Resized, Said
from mfexplore.workbench.messages import Theme as ThemeChosen
from mfexplore.workbench.panels import draw
from mfexplore.workbench.restore import made_at, sweep_in
from mfexplore.workbench.sheet import BUTTONS, nudge

if TYPE_CHECKING:
    import xarray as xr

TEXT_MS = 90  # texts that follow a slider or a simulation change at most this often
GONE_MS = 20_000  # a page that is there says so four times in this
NOTICES = 3  # that are shown at a time


class NotebookPage:
    """The `Page` of a desk in a notebook.

    Its desk is there from the moment when the page is first looked at; a notebook that is run without anybody looking
    computes nothing here. Everything happens in the kernel's own thread, between two cells.
    """

    def __init__(
        self, start: Exploration, loop: asyncio.AbstractEventLoop, sweep: xr.Dataset | None = None,
        first: Sequence[str] = (),
    ) -> None:  # fmt: skip
        self.start, self._loop, self._sweep = start, loop, sweep
        self.desk: Desk | None = None
        self._closed = False
        self._theme = LIGHT
        self._texts: dict[tuple[Any, str], Any] = {}
        self._writing = False
        self.canvases: dict[str, Canvas] = {}
        self.mirrors: dict[str, Mirror] = {}
        self._changed: dict[str, None] = {}
        self._frontend = Frontend(
            lambda: self.post(self._appear), lambda name: self.post(lambda: self._dress(name)),
            lambda across, up: self.post(lambda: self._nudge(across, up)),
            lambda visible: self.post(lambda: self._look(visible)),
        )  # fmt: skip
        self._gone: Any = None  # when it will be, unless the page says something before
        self.bench = Bench(start, self.hear, first)
        self.bench.file.observe(lambda change: self.post(self._open), "value")
        self.widget = Workbench(self, [*self.bench.parts, self._frontend.widget])
        self.widget.add_class(self._frontend.name)

    # -- the page of the desk -------------------------------------------------------------------------------------

    def say(self, message: Said) -> None:
        """What the desk says becomes what the widgets show."""
        if not self._closed:
            self.tell(message)

    def post(self, work: Callable[[], None]) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(work)

    def later(self, milliseconds: int, work: Callable[[], None]) -> Any:
        return self._loop.call_later(milliseconds / 1000, work)

    def forget(self, appointment: Any) -> None:
        appointment.cancel()

    def give(self, file: File) -> None:
        """A link to save the file with; it carries the file itself, so that it works wherever the kernel runs."""
        name = html.escape(file.name)
        self.bench.download.value = (
            f'<a class="mfexplore-file" download="{name}" href="{file.as_link()}">Save {name}</a>'
        )

    def _open(self) -> None:
        """A file that was exported leads back to where it was made; a sweep is laid over the diagram."""
        for one in self.bench.file.value:
            content, key = bytes(one["content"]), self.start.model.key
            made = made_at(content)
            table = "" if made else sweep_in(one["name"], content)
            if table:
                self.hear(messages.Lay(one["name"], table))
            elif made is None:
                self.say(messages.Notice(f"{one['name']} does not say where it was made. Files exported here do."))
            elif made[0] == key:
                self.hear(messages.Go(made[1]))
            else:
                self.say(messages.Notice(f"{one['name']} was made on the page of another system, {made[0]}.", "info"))
        if self.bench.file.value:
            self.bench.file.value = ()

    def hear(self, message: Heard) -> None:
        """A message of the widgets to the desk, from whatever thread the notebook delivers it in."""
        self.post(lambda: self.desk.hear(message) if self.desk and not self._closed else None)

    def close(self) -> None:
        """The cell is gone or was run again: stop everything that runs for it."""
        if not self._closed:
            self._closed = True
            if self.desk:
                self.desk.close()
            for canvas in self.canvases.values():
                canvas.close()

    # -- life -----------------------------------------------------------------------------------------------------

    def _appear(self) -> None:
        """A view is there, for the first time or after the page was loaded again: figures as they are now."""
        if self._closed:
            return
        self.bench.waiting.layout.display = "none"
        if self.desk is None:
            drawings = draw(self.start, self._theme)
            self.mirrors = {name: Mirror(drawing.figure) for name, drawing in drawings.items()}
            self.desk = Desk(self.start, drawings, self, theme=self._theme, sweep=self._sweep)
        self.desk.hear(Hello(self._theme.name))

    def _look(self, visible: bool) -> None:
        """A page is there, in sight or not; one that was closed says nothing, and nothing runs for it any longer."""
        if self._gone is not None:
            self.forget(self._gone)
        self._gone = None
        if self.desk is not None and not self._closed:
            self.desk.hear(messages.Visible(visible))
            if visible:
                self._gone = self.later(GONE_MS, lambda: self._look(False))

    def changed(self, name: str, figure: Figure) -> None:
        if not self._changed:
            self._loop.call_soon(self._redraw)
        self._changed[name] = None

    def _redraw(self) -> None:
        names, self._changed = self._changed, {}
        for name in names:
            if not self._closed and self.mirrors[name].follow():
                self._put_up(name, self.mirrors[name].plot)

    def _put_up(self, name: str, plot: Any) -> None:
        if name in self.canvases:
            self.canvases[name].close()
        plot.name = name
        if name == "diagram":
            for kind in (Tap, Pan):
                plot.on_event(kind, lambda event: self.hear(Marker(event.x, event.y)))
        for size in ("inner_width", "inner_height"):
            plot.on_change(size, lambda attr, old, new: self._resized(name, plot))
        self.canvases[name] = Canvas(plot, self._call_later)
        self.bench.places[name].children = (self.canvases[name],)

    def _resized(self, name: str, plot: Any) -> None:
        if plot.inner_width and plot.inner_height:
            self.hear(Resized(name, plot.inner_width, plot.inner_height))

    def _dress(self, name: str) -> None:
        self._theme = THEMES[name]
        if self.desk:
            self.desk.hear(ThemeChosen(name))

    def _call_later(self, milliseconds: int, work: Callable[[], None]) -> None:
        """The same as `later`, from any thread."""
        self.post(work if milliseconds == 0 else lambda: self._set_alarm(milliseconds, work))

    def _set_alarm(self, milliseconds: int, work: Callable[[], None]) -> None:
        self.later(milliseconds, work)

    def _nudge(self, across: int, up: int) -> None:
        if self.desk is None:
            return
        at = self.desk.session.current
        x, y = (
            nudge(self.desk.kind.control(name), float(getattr(at.model, name)), steps)
            for name, steps in ((at.x, across), (at.y, up))
        )
        self.desk.hear(Marker(x, y))

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

    @singledispatchmethod
    def tell(self, message: Said) -> None:
        raise TypeError(f"A notebook's page does not know what to do with {message}.")

    @tell.register
    def _(self, said: messages.State) -> None:
        self.bench.show_controls(said.values, said.absent["control"])
        self.bench.show_seed(said.seed)
        self.bench.show_preset(said.preset)
        for name, menu in self.bench.menus.items():
            menu.without(said.absent.get(name, []), said.view[name] or "")
        self.bench.name_axes(said.view)
        self.bench.undo.disabled, self.bench.redo.disabled = not said.undo, not said.redo
        for name, place in self.bench.snippets.items():
            title = self.bench.sheet.snippets[name]
            self._write(place, "value", f"<h4>{title}</h4><pre>{html.escape(said.snippets[name])}</pre>")

    @tell.register
    def _(self, said: messages.Asking) -> None:
        self.bench.ask(said.index)

    @tell.register
    def _(self, said: messages.Outside) -> None:
        self.bench.outside_words.value = f"<span>{html.escape(said.text)}</span>"
        self.bench.outside.layout.display = None if said.text else "none"

    @tell.register
    def _(self, said: messages.Sentence) -> None:
        tag = f'<span class="mfexplore-tag mfexplore-{said.verdict}">{html.escape(said.validity)}</span>'
        text = f"<p><b>{html.escape(said.headline)}.</b> {one_line(said.text)}</p>{tag}"
        self._write(self.bench.sentence, "value", text)

    @tell.register
    def _(self, said: messages.Progress) -> None:
        fraction = said.fraction
        if said.what in ("queue", "file"):
            part = f" {100 * fraction:.0f} %" if said.what == "file" and fraction is not None else ""
            if said.text:
                self.bench.download.value = f"<small>{html.escape(said.text)}{part}</small>"
            return
        if said.what == "ensemble":
            words = "" if fraction is None else f"{said.text} {100 * fraction:.0f} % …"
            self._write(self.bench.measuring, "value", f"<small>{html.escape(words)}</small>")
            return
        width = 100 if fraction is None else round(100 * fraction)
        done = " mfexplore-done" if fraction is None else ""
        words = html.escape(said.text if fraction is None else f"{said.text} …")
        bar = f'<div class="mfexplore-bar{done}"><b style="width:{width}%"></b></div><small>{words}</small>'
        self._write(self.bench.progress, "value", bar)
        self._write(self.bench.cancel.layout, "visibility", "hidden" if fraction is None else "visible")

    @tell.register
    def _(self, said: messages.Notice) -> None:
        words = widgets.HTML(f"<span>{html.escape(said.text)}</span>")
        dismiss = widgets.Button(description="×", tooltip="Dismiss")
        note = widgets.HBox([words, dismiss])
        note.add_class("mfexplore-notice")
        note.add_class(f"mfexplore-{said.kind}")

        def leave(*args: Any) -> None:
            self.bench.notices.children = tuple(n for n in self.bench.notices.children if n is not note)
            note.close()

        dismiss.on_click(lambda button: self.post(leave))
        self.bench.notices.children = (*self.bench.notices.children, note)[-NOTICES:]

    @tell.register
    def _(self, said: messages.Simulating) -> None:
        button, words = self.bench.asked[said.panel]
        self.bench.asked_on[said.panel] = said.on
        for name, value in (("description", said.label), ("tooltip", said.tip)):
            self._write(button, name, value)
        self._write(button.layout, "display", None if said.label else "none")
        self._write(words, "value", f"<small>{html.escape(said.text)}</small>")

    @tell.register
    def _(self, said: messages.Sweeping) -> None:
        self.bench.sweeping = bool(said.name)
        if said.name:
            self.bench.controls[said.name].show(said.value)
        self._write(self.bench.sweep, "description", "Stop" if said.name else BUTTONS["sweep-run"].label)

    @tell.register
    def _(self, said: messages.Offered) -> None:
        if said.panel in self.bench.cards:
            self.bench.cards[said.panel].layout.display = None if said.shown else "none"

    @tell.register
    def _(self, said: messages.Check) -> None:
        source = f"<small>{one_line(said.source)}</small>"
        row = f"<span>{one_line(said.title)}{source}</span><span>{said.computed}</span><span>{said.mark}</span>"
        self._write(self.bench.checks[said.index][0], "value", row)

    @tell.register
    def _(self, said: messages.Table) -> None:
        head = "".join(f"<th>{html.escape(text)}</th>" for text in [said.head, *said.columns])
        body = ""
        for row in said.rows:
            unit = f" [{html.escape(row['unit'])}]" if row["unit"] else ""
            cells = "".join(f"<td>{html.escape(text)}</td>" for text in row["cells"])
            body += f"<tr><th>{html.escape(row['title'])}{unit}</th>{cells}</tr>"
        place = self.bench.curve_table if said.name == "curve" else self.bench.table
        self._write(place, "value", f"<table><tr>{head}</tr>{body}</table>" if said.rows else "")

    @tell.register
    def _(self, said: messages.Run) -> None:
        self.bench.playing = said.playing and not said.finished
        self._write(self.bench.play, "icon", "pause" if self.bench.playing else "play")
        self._write(self.bench.play, "tooltip", "Pause" if self.bench.playing else "Play")
        ended = ", finished" if said.finished else ""
        time = f"{float(f'{said.time:.4g}'):,g} {html.escape(said.unit)}{ended}"
        clock = f"<span>{html.escape(said.reading)}</span> <span>{time}</span>"
        self._write(self.bench.clock, "value", clock)

    @tell.register
    def _(self, said: messages.Picture) -> None:
        self._write(self.bench.caption, "value", f"<span>{html.escape(said.caption)}</span>")
        if said.shape != self.bench.shape:
            place = self.bench.places["state"]
            place.remove_class(f"mfexplore-{self.bench.shape}")
            place.add_class(f"mfexplore-{said.shape}")
            self.bench.shape = said.shape

    @tell.register
    def _(self, said: messages.Key) -> None:
        patches = [f'<i class="patch" style="--c: {colour}"></i>{html.escape(name)}' for name, colour in said.key]
        self._write(self.bench.keys[said.panel], "value", _legend(patches))

    @tell.register
    def _(self, said: messages.Choices) -> None:
        choice = self.bench.choices[said.panel]
        choice.offer(dict(said.names), said.chosen)
        choice.widget.layout.display = None if len(said.names) > 1 else "none"

    @tell.register
    def _(self, said: messages.Legend) -> None:
        drawn = [mark.html for mark in self.bench.marks[said.figure] if mark.name in ("", *said.names)]
        self._write(self.bench.legends[said.figure], "value", _legend(drawn))

    @tell.register
    def _(self, said: messages.Pins) -> None:
        self.bench.pins.children = tuple(self._pin(index, title) for index, title in enumerate(said.titles))

    def _pin(self, index: int, title: str) -> Any:
        """A pin: its name, which can be changed, the way there, and the way out."""
        name = widgets.Text(value=title, continuous_update=False, tooltip=BUTTONS["rename"].tip)
        name.observe(lambda change: self.hear(messages.Rename(index, change["new"])), "value")
        go = widgets.Button(description=BUTTONS["visit"].label, tooltip=BUTTONS["visit"].tip)
        go.on_click(lambda button: self.hear(messages.Visit(index)))
        remove = widgets.Button(description="×", tooltip=BUTTONS["remove"].tip)
        remove.on_click(lambda button: self.hear(messages.Unpin(index)))
        row = widgets.HBox([name, go, remove])
        row.add_class("mfexplore-pin")
        return row

    @tell.register
    def _(self, said: messages.Answer) -> None:
        self.bench.tasks[said.index].tell(said.right, said.text)


class Workbench(widgets.VBox):
    """What `explore()` returns. `close()` ends everything that runs behind it."""

    def __init__(self, page: NotebookPage, children: list[Any]) -> None:
        self.page = page
        super().__init__(children)
        self.add_class("mfexplore")

    def close(self) -> None:
        self.page.close()
        super().close()

    def _repr_mimebundle_(self, **kwargs: Any) -> Any:
        bundle = super()._repr_mimebundle_(**kwargs)
        if isinstance(bundle, dict):
            at = self.page.desk.session.current if self.page.desk else self.page.start
            bundle["text/plain"] = f"The workbench of {at.model!r}; it is live while its kernel runs."
        return bundle


def _legend(entries: list[str]) -> str:
    return f'<div class="legend">{"".join(f"<span>{entry}</span>" for entry in entries)}</div>'
