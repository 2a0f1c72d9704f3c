"""From a HoloViews declaration to a Bokeh figure, once; after that only the data of its sources change."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.style import SANS, SERIF, Theme

_rendering = threading.RLock()  # HoloViews keeps its options in global trees
_rendered: dict[str, Any] = {}


class Drawing(Protocol):
    """What a panel needs of its figure."""

    @property
    def drawn(self) -> list[str]:
        """What of its legend is drawn."""

    def dress(self, theme: Theme) -> None:
        """Put on the colours of a theme."""


@dataclass
class Layer:
    """One glyph of a figure and the source of its data."""

    renderer: Any

    @property
    def glyph(self) -> Any:
        return self.renderer.glyph

    @property
    def source(self) -> Any:
        return self.renderer.data_source

    def put(self, **columns: Any) -> None:
        """Replace all columns at once: float64 becomes float32, which halves what travels to the browser."""
        self.source.data = {name: compact(values) for name, values in columns.items()}


def compact(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values.astype(np.float32)
    if isinstance(values, np.ndarray) and values.dtype == np.int64:
        return values.astype(np.int32)
    return values


def render(key: str, declare: Callable[[], Mapping[str, Any]], **options: Any) -> tuple[Any, dict[str, Layer]]:
    """Declare HoloViews elements and render their overlay to a Bokeh figure; once per process for each `key`.

    HoloViews takes a few hundred milliseconds for a figure. So what it rendered is kept as Bokeh's own description, and
    each caller gets a fresh copy of it, which takes a tenth of that.

    Args:
        key: the same key means the same declaration.
        declare: makes the elements by name; called only if this key is new.
        options: of the overlay.

    Returns the figure, without toolbar and stretched to its place, and the layers by name.
    """
    from bokeh.document import Document  # here, because paper figures and the command do without Bokeh

    with _rendering:
        if key not in _rendered:
            _rendered[key] = _render(declare(), options)
        document = Document.from_json(_rendered[key])
    figure = document.roots[0]
    document.remove_root(figure)
    layers = {r.name: Layer(r) for r in figure.renderers}  # type: ignore[attr-defined]
    return figure, layers


def _render(layers: Mapping[str, Any], options: dict[str, Any]) -> Any:
    import holoviews as hv
    from bokeh.document import Document

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        shared: dict[str, Any] = {"toolbar": None, "default_tools": [], "responsive": True, "show_legend": False}
        overlay = hv.Overlay(list(layers.values())).opts(hv.opts.Overlay(**(shared | options)))
        # HoloViews would put its theme on the document of whichever session is at work just now; only in the mode
        # "server" does it take the one it is given.
        plot = hv.renderer("bokeh").instance(mode="server").get_plot(overlay, doc=Document())
    figure = plot.state
    plots = list(plot.subplots.values())
    assert len(plots) == len(layers)
    for name, one in zip(layers, plots, strict=True):
        one.handles["glyph_renderer"].name = name
        one.handles["glyph_renderer"].update(nonselection_glyph=None, selection_glyph=None, muted_glyph=None)
    figure.update(sizing_mode="stretch_both", min_height=40, min_width=40, tools=[], toolbar_location=None)
    document = Document()
    document.add_root(figure)
    return document.to_json()


def load_holoviews() -> Any:
    """HoloViews with its Bokeh renderer, loaded once and without touching the page of a notebook."""
    import holoviews as hv

    with _rendering:
        if "bokeh" not in hv.Store.renderers:
            import holoviews.plotting.bokeh  # registers itself; hv.extension would load scripts from afar

            hv.Store.set_current_backend("bokeh")
    return hv


def share_source(layers: Mapping[str, Layer], columns: Mapping[str, Mapping[str, str]]) -> Layer:
    """Let several glyphs read from one source, so that they change in one message. columns: property -> column, by
    layer name. Returns the layer whose source they share.
    """
    first = layers[next(iter(columns))]
    for name, properties in columns.items():
        layers[name].renderer.data_source = first.source
        for property_, column in properties.items():
            setattr(layers[name].glyph, property_, column)
    first.renderer.view.update()
    return first


def dress(figure: Any, theme: Theme, *, grid: bool = False, size: str = "12px") -> None:
    """Colours and fonts of a theme on the parts that every figure has."""
    figure.update(
        background_fill_color=None, border_fill_color=None, outline_line_color=None, min_border=4,
        min_border_right=12, min_border_top=8,
    )  # fmt: skip
    for axis in figure.axis:
        axis.update(
            axis_label_text_font=SERIF, axis_label_text_font_style="normal", axis_label_text_font_size="14px",
            axis_label_text_color=theme.ink, major_label_text_font=SANS, major_label_text_font_size=size,
            major_label_text_color=theme.soft, axis_line_color=theme.ghost, major_tick_line_color=theme.ghost,
            minor_tick_line_color=None, major_tick_in=0, major_tick_out=4, axis_label_standoff=8,
        )  # fmt: skip
        axis.axis_label = afresh(axis.axis_label)
    for lines in figure.grid:
        lines.update(grid_line_color=theme.line if grid else None, grid_line_alpha=0.7)


def afresh(label: Any) -> str:
    """The same label (or none), but not for Bokeh: it sets mathematics once, in the colour of that time, until the text
    changes.
    """
    text = label or ""
    return text.removesuffix(" ") if text.endswith(" ") else f"{text} " if "$$" in text else text


def colour_bar(figure: Any) -> Any:
    from bokeh.models.annotations import ColorBar

    return next(bar for place in ("right", "left", "above", "below") for bar in getattr(figure, place)
                if isinstance(bar, ColorBar))  # fmt: skip


def set_range(figure: Any, axis: str, low: float, high: float, margin: float = 0.0) -> None:
    """Show [low, high], widened by a fraction; nothing is sent if that is shown already."""
    shown = figure.x_range if axis == "x" else figure.y_range
    spread = high - low
    low, high = float(low - margin * spread), float(high + margin * spread)
    if (shown.start, shown.end) != (low, high):
        shown.update(start=low, end=high)


def on_top(layers: Mapping[str, Layer], *names: str) -> None:
    """Draw layers that move often on a sheet of their own, so that the browser need not draw the rest again with them.
    Nothing on this sheet is cut off at the frame: see `inside`.
    """
    for name in names:
        layers[name].renderer.level = "overlay"


def inside(figure: Any, x: NDArray[Any], y: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Which places lie within the frame; without y, only along the abscissa."""

    def within(shown: Any, places: NDArray[Any]) -> NDArray[np.bool_]:
        slack = 1e-6 * (shown.end - shown.start)
        return np.asarray((places >= shown.start - slack) & (places <= shown.end + slack))

    return within(figure.x_range, x) if y is None else within(figure.x_range, x) & within(figure.y_range, y)


def thin(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Every k-th value, so that at most `most` remain, and always the last one."""
    if len(values) <= most:
        return values
    return values[(len(values) - 1) % (step := -(-len(values) // most)) :: step]


NOTHING = np.empty(0, np.float32)
