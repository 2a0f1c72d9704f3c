"""A page of the desk in the output of a notebook cell: what is said here becomes what the widgets show."""

from __future__ import annotations

import asyncio
import base64
import html
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets
from bokeh.models import Plot

from mfexplore.figures.prose import one_line
from mfexplore.notebook.bench import Bench
from mfexplore.notebook.canvas import Canvas
from mfexplore.notebook.frontend import Frontend
from mfexplore.workbench.arrangement import nudge
from mfexplore.workbench.desk import Desk
from mfexplore.workbench.exports import File

TEXT_MS = 90  # texts that follow a slider or a simulation change at most this often
NOTICES = 3  # that are shown at a time


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
        self._frontend = Frontend(
            lambda: self.post(self._appear), lambda name: self.hear("theme", name=name),
            lambda across, up: self.post(lambda: self._nudge(across, up)),
        )  # fmt: skip
        for root in desk.figures().values():
            _paint_plainly(root)
        self.bench = Bench(desk, self.hear)
        self.widget = Workbench(self, [*self.bench.parts, self._frontend.widget])
        self.widget.add_class(self._frontend.name)

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
        self.bench.download.value = (
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
            self.bench.places[name].children = (self.canvases[name],)
        self.bench.waiting.layout.display = "none"
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
        self, values: dict[str, Any], seed: str, view: dict[str, Any], query: str, undo: bool, redo: bool,
        python: str, sweep: str, citation: str, **more: Any,
    ) -> None:  # fmt: skip
        for name, value in values.items():
            self.bench.controls[name].show(value)
        self.bench.seed.value = seed
        for name, menu in self.bench.menus.items():
            menu.show(view[name] or "")
        self.bench.name_axes(view)
        self.bench.undo.disabled, self.bench.redo.disabled = not undo, not redo
        link = f"{self.desk.kind.key}?{query}"
        parts = [("This view in Python", python), ("As a sweep over disorder", sweep), ("Its link in the app", link),
                 ("Cite it", citation)]  # fmt: skip
        texts = "".join(f"<h4>{title}</h4><pre>{html.escape(text)}</pre>" for title, text in parts if text)
        self._write(self.bench.code, "value", texts)

    def _tell_sentence(self, headline: str, text: str, validity: str, trusted: bool) -> None:
        tag = f'<span class="mfexplore-tag{"" if trusted else " mfexplore-doubt"}">{html.escape(validity)}</span>'
        said = f"<p><b>{html.escape(headline)}.</b> {one_line(text)}</p>{tag}"
        self._write(self.bench.sentence, "value", said)

    def _tell_progress(self, what: str, fraction: float | None, text: str) -> None:
        if what == "ensemble":
            words = "" if fraction is None else f"{text} {100 * fraction:.0f} % …"
            self._write(self.bench.measuring, "value", f"<small>{html.escape(words)}</small>")
        elif what == "diagram":
            width = 100 if fraction is None else round(100 * fraction)
            done = " mfexplore-done" if fraction is None else ""
            words = html.escape(text if fraction is None else f"{text} …")
            bar = f'<div class="mfexplore-bar{done}"><b style="width:{width}%"></b></div><small>{words}</small>'
            self._write(self.bench.progress, "value", bar)
            self._write(self.bench.stop.layout, "visibility", "hidden" if fraction is None else "visible")

    def _tell_notice(self, text: str, kind: str = "error") -> None:
        words = widgets.HTML(f"<span>{html.escape(text)}</span>")
        dismiss = widgets.Button(description="×", tooltip="Dismiss")
        note = widgets.HBox([words, dismiss])
        note.add_class("mfexplore-notice")
        note.add_class(f"mfexplore-{kind}")

        def leave(*args: Any) -> None:
            self.bench.notices.children = tuple(n for n in self.bench.notices.children if n is not note)
            note.close()

        dismiss.on_click(lambda button: self.post(leave))
        self.bench.notices.children = (*self.bench.notices.children, note)[-NOTICES:]

    def _tell_panel(self, name: str, shown: bool) -> None:
        place = self.bench.places.get({"law": "histogram"}.get(name, name))
        if place is not None:
            self.bench.cards.get(name, place).layout.display = None if shown else "none"

    def _tell_check(self, index: int, title: str, computed: str, source: str, mark: str, **more: Any) -> None:
        self.bench.checked[index] = (
            f"<tr><td>{one_line(title)}<small>{one_line(source)}</small></td><td>{computed}</td><td>{mark}</td></tr>"
        )
        rows = "".join(self.bench.checked[k] for k in sorted(self.bench.checked))
        self._write(self.bench.checks, "value", f"<h4>Checks against the literature</h4><table>{rows}</table>")

    def _tell_table(self, columns: list[str], rows: list[dict[str, Any]]) -> None:
        head = "".join(f"<th>{html.escape(text)}</th>" for text in ["", *columns])
        body = ""
        for row in rows:
            unit = f" [{html.escape(row['unit'])}]" if row["unit"] else ""
            cells = "".join(f"<td>{html.escape(text)}</td>" for text in row["cells"])
            body += f"<tr><th>{html.escape(row['title'])}{unit}</th>{cells}</tr>"
        note = "<small>A dash: this branch does not exist here.</small>"
        self._write(self.bench.table, "value", f"<table><tr>{head}</tr>{body}</table>{note}")

    def _tell_live(
        self, playing: bool, time: float, unit: str, chosen: str, finished: bool, caption: str,
        names: tuple[str, ...], picture: str, key: list[tuple[str, str]], **more: Any,
    ) -> None:  # fmt: skip
        self.bench.playing = playing and not finished
        self._write(self.bench.play, "icon", "pause" if self.bench.playing else "play")
        self._write(self.bench.play, "tooltip", "Pause" if self.bench.playing else "Play")
        ended = ", finished" if finished else ""
        clock = f"<span>{html.escape(caption)}</span><span>{float(f'{time:.4g}'):,g} {html.escape(unit)}{ended}</span>"
        self._write(self.bench.clock, "value", clock)
        patches = [f'<i class="patch" style="--c: {colour}"></i>{html.escape(name)}' for name, colour in key]
        self._write(self.bench.key, "value", _legend(patches))
        if self.bench.series is not None:
            self.bench.series.offer({name: name.replace("_", " ") for name in names}, chosen)
            self.bench.series.widget.layout.display = None if len(names) > 1 else "none"
        if picture != self.bench.picture:
            place = self.bench.places["state"]
            place.remove_class(f"mfexplore-{self.bench.picture}")
            place.add_class(f"mfexplore-{picture}")
            self.bench.picture = picture
            _paint_plainly(self.desk.figures()["state"])

    def _tell_legend(self, figure: str, names: list[str]) -> None:
        drawn = [mark.html for mark in self.bench.marks[figure] if mark.name in ("", *names)]
        self._write(self.bench.legends[figure], "value", _legend(drawn))

    def _tell_pins(self, pins: list[str]) -> None:
        made = []
        for index, title in enumerate(pins):
            button = widgets.Button(description=f"{title}  ×", tooltip="Remove this pin")
            button.on_click(lambda button, index=index: self.hear("unpin", index=index))
            made.append(button)
        self.bench.pins.children = tuple(made)

    def _tell_answer(self, index: int, right: bool, text: str, lesson: str) -> None:
        self.bench.tasks[index].tell(right, text)


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
            at = self.page.desk.session.current
            bundle["text/plain"] = f"The workbench of {at.model!r}; it is live while its kernel runs."
        return bundle


def _legend(entries: list[str]) -> str:
    return f'<div class="legend">{"".join(f"<span>{entry}</span>" for entry in entries)}</div>'


def _paint_plainly(root: Any) -> None:
    """Without WebGL: a browser has fewer of its contexts than a course has figures."""
    for plot in root.select({"type": Plot}):
        plot.output_backend = "canvas"
