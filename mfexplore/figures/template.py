"""From a HoloViews declaration to a file: what a browser needs to put up a figure, made once and kept.

HoloViews and Bokeh take a few tenths of a second for a figure. So each kind of figure is rendered once for each theme
and version to Bokeh's own JSON, which browsers read themselves; whoever changes a figure afterwards needs only to know
the names of its parts.
"""

from __future__ import annotations

import hashlib
import json
import re
import threading
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mfexplore.core.folders import cache_folder, kept_folders, write_whole

if TYPE_CHECKING:
    from mfexplore.figures.frame import Drawn

FORMER_SECONDS = 7 * 86_400.0  # after which what an other version made is thrown away

IDENTITY = re.compile(r'"(p\d+)"')  # as Bokeh numbers its models
_rendering = threading.RLock()  # HoloViews keeps its options in global trees


@dataclass(frozen=True)
class Template:
    """A figure that is put up, but shows nothing yet.

    Attributes:
        name: says the kind, the theme and the version: the same name is always the same file.
        parts: the identity of each part of the figure by its name.
        document: Bokeh's JSON, with the keys "doc" and "root_id" that `Bokeh.embed.embed_item` wants.
    """

    name: str
    parts: Mapping[str, str]
    document: str


@cache
def stamp() -> str:
    """Changes whenever the look of a figure may."""
    sources = sorted(Path(__file__).parent.glob("*.py"))
    made_from = b"".join(source.read_bytes() for source in sources)
    made_by = " ".join(version(library) for library in ("bokeh", "holoviews"))
    return hashlib.sha256(made_from + made_by.encode()).hexdigest()[:16]


def template(kind: type[Drawn], theme: str) -> Template:
    """The template of a kind of figure in a theme: from memory, from disk, or rendered now. From any thread."""
    with _rendering:
        return _kept(kind, theme)  # type: ignore[arg-type]


def template_named(name: str) -> Template | None:
    """The template of this name; None if it is of no kind, theme or version that there is now."""
    from mfexplore.figures.frame import Drawn
    from mfexplore.figures.style import THEMES

    key, theme, version_ = name.split("-")
    kind = next((kind for kind in Drawn.kinds() if kind.key == key), None)
    return template(kind, theme) if kind and theme in THEMES and version_ == stamp() else None


@cache
def _kept(kind: type[Drawn], theme: str) -> Template:
    from mfexplore.figures.style import THEMES

    name = f"{kind.key}-{theme}-{stamp()}"
    for place in dict.fromkeys([cache_folder(), *kept_folders()]):
        if place is not None:
            with suppress(OSError, ValueError, KeyError):  # not there, or broken: the next, or made anew
                kept = json.loads((place / _file(name)).read_text(encoding="utf-8"))
                return Template(name, kept["parts"], json.dumps(kept["document"]))
    parts, document = render(kind, THEMES[theme])
    folder = cache_folder()
    if folder is not None:
        whole = json.dumps({"parts": parts, "document": document})
        if write_whole(folder / _file(name), whole.encode()):  # a full disk is no reason to show nothing
            for former in set(folder.glob(_file(f"{kind.key}-{theme}-*"))) - {folder / _file(name)}:
                with suppress(OSError):
                    if time.time() - former.stat().st_mtime > FORMER_SECONDS:  # another checkout may use it now
                        former.unlink()
    return Template(name, parts, json.dumps(document))


def _file(name: str) -> str:
    return f"figure-{name}.json"


def render(kind: type[Drawn], theme: Any) -> tuple[dict[str, str], dict[str, Any]]:
    """Render a kind of figure in a theme: its parts, and Bokeh's JSON of it."""
    from bokeh.document import Document

    from mfexplore.figures.frame import Figure

    with _rendering:
        with _drawing_with_bokeh():
            figure, layers = _render(kind.declare(), kind.options)
        parts = {
            "figure": figure, "x_range": figure.x_range, "y_range": figure.y_range, "xaxis": figure.xaxis[0],
            "yaxis": figure.yaxis[0], "xgrid": figure.xgrid[0], "ygrid": figure.ygrid[0],
        }  # fmt: skip
        parts |= _tickers(figure)
        parts |= kind.finish(figure, layers)
        if any(renderer.level == "overlay" for renderer in layers.values()):
            # All figures of a page share one canvas of WebGL. Where only the sheet on top is drawn again Bokeh does not
            # make it fit first: marks would be missing, and bits of another figure be seen in a corner.
            figure.output_backend = "canvas"
        for name, renderer in layers.items():
            parts |= {name: renderer, f"{name}.glyph": renderer.glyph, f"{name}.source": renderer.data_source}
        names = {name: model.id for name, model in parts.items()}
        document = Document()
        document.add_root(figure)
        dressed = Figure(Template("", names, ""))
        kind.look(dressed, theme)
        apply({model.id: model for model in parts.values()}, dressed.take().changes)
        rendered = [names, {"doc": document.to_json(deferred=False), "root_id": figure.id, "target_id": None}]
        # Bokeh counts its models from the start of every process. Whoever puts a figure up has models of his own, with
        # the same numbers.
        unique = IDENTITY.sub(rf'"{kind.key}-{theme.name}-\1"', json.dumps(rendered))
        parts_by_name, whole = json.loads(unique)
        return parts_by_name, whole


def apply(models: Mapping[str, Any], changes: list[tuple[str, str, Any]]) -> None:
    """Make changes of a figure on Bokeh models of it by their identities, for who has them at hand."""
    from mfexplore.figures.frame import Ref

    for id_, attribute, value in changes:
        if isinstance(value, Ref):
            value = models[value.id]
        elif isinstance(value, Mapping):
            value = dict(value)
        setattr(models[id_], attribute, value)


def _tickers(figure: Any) -> dict[str, Any]:
    """Each axis has a ticker that finds round values by itself, and one that is told them: see `Scale`."""
    from bokeh.models import BasicTicker, FixedTicker

    made: dict[str, Any] = {}
    for axis, drawn in (("x", figure.xaxis[0]), ("y", figure.yaxis[0])):
        free, told = BasicTicker(), FixedTicker(ticks=[])
        drawn.update(ticker=free, tags=[free, told])  # what stands in its tags travels with the axis
        made |= {f"{axis}_ticker": free, f"{axis}_told_ticker": told}
    return made


def _render(layers: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Any, dict[str, Any]]:
    import holoviews as hv
    from bokeh.document import Document

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shared: dict[str, Any] = {"toolbar": None, "default_tools": [], "responsive": True, "show_legend": False}
        overlay = hv.Overlay(list(layers.values())).opts(hv.opts.Overlay(**(shared | dict(options))))
        # HoloViews would put its theme on the document of whichever session is at work just now; only in the mode
        # "server" does it take the one it is given.
        plot = hv.renderer("bokeh").instance(mode="server").get_plot(overlay, doc=Document())
    figure = plot.state
    plots = list(plot.subplots.values())
    assert len(plots) == len(layers)
    found = {}
    for name, one in zip(layers, plots, strict=True):
        renderer = one.handles["glyph_renderer"]
        renderer.update(name=name, nonselection_glyph=None, selection_glyph=None, muted_glyph=None)
        found[name] = renderer
    figure.update(sizing_mode="stretch_both", min_height=40, min_width=40, tools=[], toolbar_location=None)
    figure.document.remove_root(figure) if figure.document else None
    return figure, found


def load_holoviews() -> Any:
    """HoloViews with its Bokeh renderer, without touching the page of a notebook or what its user has chosen."""
    import holoviews as hv

    with _rendering, _drawing_with_bokeh():
        return hv


@contextmanager
def _drawing_with_bokeh() -> Iterator[None]:
    """Bokeh is HoloViews' current backend inside, and afterwards again the one that was."""
    import holoviews as hv

    chosen = hv.Store.current_backend
    try:
        import holoviews.plotting.bokeh  # registers itself; hv.extension would load scripts from afar

        hv.Store.set_current_backend("bokeh")
        yield
    finally:
        hv.Store.set_current_backend(chosen)
