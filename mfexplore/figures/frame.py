"""What all figures have in common: a figure here is a light description of what a browser shows, and what is new of it.

`template.py` puts figures up. From then on they change by patches: columns of a layer, properties of a part.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, Self

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.style import SANS, SERIF, Theme
from mfexplore.figures.template import Template, load_holoviews, template

__all__ = ["NOTHING", "Drawing", "Drawn", "Figure", "Layer", "Part", "Ref", "Update", "load_holoviews"]


@dataclass(frozen=True)
class Ref:
    """Stands for another part of the figure, as the value of a property."""

    id: str


@dataclass(frozen=True)
class Update:
    """What is new of a figure. template: to be put up first, if it is another; changes: identity of a part, name and
    value of a property, in the order in which they have to be made.
    """

    template: Template | None
    changes: list[tuple[str, str, Any]]


class Figure:
    """What one place of a page shows. Only its latest state counts: what was replaced before `take` is never sent."""

    def __init__(self, shown: Template | None = None) -> None:
        self._template = shown
        self._properties: dict[tuple[str, str], Any] = {}
        self._columns: dict[str, dict[str, Any]] = {}
        self._renewed = shown is not None
        self._new: dict[tuple[str, str], None] = {}
        self._withheld: set[str] = set()
        self._tell: Callable[[], None] = lambda: None

    def put_up(self, shown: Template) -> None:
        """Show a figure of another kind, or the same anew: nothing of the one before is left."""
        self._template, self._renewed = shown, True
        self._properties.clear()
        self._columns.clear()
        self._new.clear()
        self._tell()

    def listen(self, tell: Callable[[], None]) -> None:
        """tell: called whenever there is something to `take`; one listens at a time."""
        self._tell = tell

    def renew(self) -> None:
        """There is a page that knows nothing: it has to take everything."""
        self._renewed = self._template is not None
        self._new = dict.fromkeys([*self._properties, *((layer, "data") for layer in self._columns)])
        self._tell()

    def take(self) -> Update:
        """What is new since the last time."""
        new, self._new = self._new, {}
        shown, self._renewed = (self._template if self._renewed else None), False
        return Update(shown, [(self.id(part), name, self._value(part, name)) for part, name in new])

    def _value(self, part: str, name: str) -> Any:
        if name != "data":
            return self._properties[part, name]
        columns = self._columns[part]
        return {column: values[:0] for column, values in columns.items()} if part in self._withheld else columns

    def withhold(self, layers: Collection[str]) -> None:
        """Keep the columns of these layers here, and let those of all others go: what nobody is to see yet must not
        travel either.
        """
        sources = {f"{layer}.source" for layer in layers}
        changed, self._withheld = sources ^ self._withheld, sources
        for source in sorted(changed & self._columns.keys()):
            self._new[source, "data"] = None
        if self._new:
            self._tell()

    def id(self, part: str) -> str:
        assert self._template is not None, "nothing is put up yet"
        return self._template.parts[part]

    def part(self, name: str) -> Part:
        """A part by its name: "figure", "x_range", "xaxis", "x_ticker", "curve.glyph" for the layer "curve", ..."""
        return Part(self, name)

    def layer(self, name: str) -> Layer:
        return Layer(self, name)

    @property
    def layers(self) -> dict[str, Layer]:
        """All layers by their names."""
        if self._template is None:
            return {}
        names = [part.removesuffix(".source") for part in self._template.parts if part.endswith(".source")]
        return {name: Layer(self, name) for name in names}

    def set(self, part: str, properties: Mapping[str, Any]) -> None:
        """Change properties of a part; what is so already is not new."""
        for name, value in properties.items():
            key = (part, name)
            if key not in self._properties or self._properties[key] != value:
                self._properties[key] = value
                self._new.pop(key, None)  # the order is that of the last changes
                self._new[key] = None
        if self._new:
            self._tell()

    def get(self, part: str, name: str) -> Any:
        """What a property was set to; None if it was left as the template has it."""
        return self._properties.get((part, name))

    def put(self, layer: str, columns: dict[str, Any]) -> None:
        source = f"{layer}.source"
        self._columns[source] = columns
        if source in self._withheld:
            return
        self._new.pop((source, "data"), None)
        self._new[source, "data"] = None
        self._tell()

    def columns(self, layer: str) -> dict[str, Any]:
        return self._columns.get(f"{layer}.source", {})


@dataclass(frozen=True)
class Part:
    """One part of a figure: an axis, a range, a glyph, ..."""

    figure: Figure
    name: str

    def update(self, **properties: Any) -> None:
        self.figure.set(self.name, properties)

    def __getitem__(self, name: str) -> Any:
        return self.figure.get(self.name, name)

    @property
    def ref(self) -> Ref:
        return Ref(self.figure.id(self.name))


@dataclass(frozen=True)
class Layer:
    """One glyph of a figure and the columns that it draws."""

    figure: Figure
    name: str

    @property
    def glyph(self) -> Part:
        return self.figure.part(f"{self.name}.glyph")

    @property
    def mapper(self) -> Part:
        return self.figure.part(f"{self.name}.mapper")

    @property
    def columns(self) -> dict[str, Any]:
        """What was put last; empty before."""
        return self.figure.columns(self.name)

    def put(self, **columns: Any) -> None:
        """Replace all columns at once: float64 becomes float32, which halves what travels to the browser."""
        self.figure.put(self.name, {name: compact(values) for name, values in columns.items()})


def compact(values: Any) -> Any:
    if isinstance(values, np.ndarray) and values.dtype == np.float64:
        return values.astype(np.float32)
    if isinstance(values, np.ndarray) and values.dtype == np.int64:
        return values.astype(np.int32)
    if isinstance(values, list) and values and isinstance(values[0], np.ndarray):
        return [compact(one) for one in values]
    return values


class Drawing(Protocol):
    """What a panel needs of its figure."""

    @property
    def figure(self) -> Figure:
        """What the page has to show."""

    @property
    def drawn(self) -> list[str]:
        """What of its legend is drawn."""

    def dress(self, theme: Theme) -> None:
        """Put on the colours of a theme."""

    def veil(self, hidden: Collection[str]) -> None:
        """Hide what "theory" says, or what a "simulation" does, and show what is not hidden."""


class Drawn:
    """Base of every kind of figure. It is declared, finished and given its look once, by `template.render`; an instance
    changes what its `figure` shows.

    Attributes:
        key: the name of the kind. options: of the HoloViews overlay. told: the layers that tell what theory says.
        ran: those that show what simulations do.
    """

    key: ClassVar[str]
    options: ClassVar[Mapping[str, Any]] = {}
    told: ClassVar[tuple[str, ...]] = ()
    ran: ClassVar[tuple[str, ...]] = ()

    @staticmethod
    def declare() -> dict[str, Any]:
        """HoloViews elements by the names of their layers, from the ground up."""
        raise NotImplementedError

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        """What HoloViews has no words for, on the Bokeh figure and its renderers; the parts that are changed later and
        have no name yet, by name.
        """
        return {}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        """Everything that another theme changes and no data decide."""
        dress(figure, theme)

    @classmethod
    def template(cls, theme: Theme) -> Template:
        return template(cls, theme.name)

    def __init__(self, theme: Theme, figure: Figure | None = None) -> None:
        """figure: the place to put it up in; its own if there is none."""
        self.theme = theme
        self.figure = figure or Figure()
        self.figure.put_up(self.template(theme))
        self.layers = self.figure.layers

    def dress(self, theme: Theme) -> None:
        """Put on the colours of a theme."""
        self.theme = theme
        self.look(self.figure, theme)

    def veil(self, hidden: Collection[str]) -> None:
        """Hide what theory says, or what runs do, for somebody who is to predict it; show what is not hidden."""
        veiled = {"theory": self.told, "simulation": self.ran}
        away = {name for what, names in veiled.items() if what in hidden for name in names}
        for name in dict.fromkeys((*self.told, *self.ran)):
            self.figure.part(name).update(visible=name not in away)
        self.figure.withhold(away)

    @classmethod
    def kinds(cls) -> list[type[Self]]:
        """Every kind of figure that can be put up."""
        below = [kind for child in cls.__subclasses__() for kind in child.kinds()]
        return ([cls] if "key" in vars(cls) else []) + below


# -- when a figure is put up: on Bokeh's own models -----------------------------------------------------------------


def share_source(layers: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> None:
    """Let several glyphs read from one source, so that they change in one message. columns: property -> column, by
    layer name.
    """
    first = layers[next(iter(columns))]
    for name, properties in columns.items():
        layers[name].data_source = first.data_source
        for property_, column in properties.items():
            setattr(layers[name].glyph, property_, column)


def on_top(layers: Mapping[str, Any], *names: str) -> None:
    """Draw layers that move often on a sheet of their own, so that the browser need not draw the rest again with them.
    Nothing on this sheet is cut off at the frame: see `inside`.
    """
    for name in names:
        layers[name].level = "overlay"


def clear(layers: Mapping[str, Any]) -> None:
    """Take away what was declared only to have something to render."""
    for renderer in layers.values():
        source = renderer.data_source
        source.data = {name: [] for name in source.data}


def guessed(layers: Mapping[str, Any]) -> None:
    """Layers for what a person predicts: the page fills them itself, at the speed of the hand."""
    layers["guess_path"].data_source.data = {name: [] for name in ("xs", "ys", "dash")}
    layers["guess_path"].glyph.update(line_width=2.6, line_dash={"field": "dash"})
    layers["guess"].glyph.update(size=13, line_width=2.6)


def colour_mapper(low: float = 0.0, high: float = 1.0) -> Any:
    from bokeh.models import LinearColorMapper

    return LinearColorMapper(palette=["#808080"], low=low, high=high)


def colour_bar(figure: Any) -> Any:
    from bokeh.models.annotations import ColorBar

    return next(bar for place in ("right", "left", "above", "below") for bar in getattr(figure, place)
                if isinstance(bar, ColorBar))  # fmt: skip


def write_axes(figure: Any, *, size: str = "11px") -> None:
    """Fonts, ticks and margins that every figure has."""
    figure.update(
        background_fill_color=None, border_fill_color=None, outline_line_color=None, min_border=4,
        min_border_right=12, min_border_top=8,
    )  # fmt: skip
    for axis in figure.axis:
        axis.update(
            axis_label_text_font=SERIF, axis_label_text_font_style="normal", axis_label_text_font_size="14px",
            major_label_text_font=SANS, major_label_text_font_size=size, minor_tick_line_color=None, major_tick_in=0,
            major_tick_out=4, axis_label_standoff=8,
        )  # fmt: skip


# -- afterwards: on the description ------------------------------------------------------------------------------------


def dress(figure: Figure, theme: Theme, *, grid: bool = False) -> None:
    """Colours of a theme on the parts that every figure has."""
    for name in ("xaxis", "yaxis"):
        axis = figure.part(name)
        axis.update(
            axis_label_text_color=theme.ink, major_label_text_color=theme.soft, axis_line_color=theme.ghost,
            major_tick_line_color=theme.ghost,
        )  # fmt: skip
        if axis["axis_label"]:
            axis.update(axis_label=afresh(axis["axis_label"]))
    for name in ("xgrid", "ygrid"):
        figure.part(name).update(grid_line_color=theme.line if grid else None, grid_line_alpha=0.7)


def dress_guess(glyph: Mapping[str, Part], theme: Theme) -> None:
    """The colours of what `guessed` has made."""
    glyph["guess_path"].update(line_color=theme.guess)
    glyph["guess"].update(line_color=theme.guess, fill_color=theme.card)


def glyphs(figure: Figure) -> Mapping[str, Part]:
    """The glyphs of all layers by their names."""
    return {name: layer.glyph for name, layer in figure.layers.items()}


def afresh(label: str) -> str:
    """The same label, but not for Bokeh: it sets mathematics once, in the colour of that time, until it changes."""
    return label.removesuffix(" ") if label.endswith(" ") else f"{label} " if "$$" in label else label


def set_range(figure: Figure, axis: str, low: float, high: float, margin: float = 0.0) -> None:
    """Show [low, high], widened by a fraction; nothing is sent if that is shown already."""
    spread = high - low
    low, high = float(low - margin * spread), float(high + margin * spread)
    figure.part(f"{axis}_range").update(start=low, end=high)


def get_range(figure: Figure, axis: str) -> tuple[float, float] | None:
    """What is shown; None if nothing was asked for yet."""
    shown = figure.part(f"{axis}_range")
    return None if shown["start"] is None else (shown["start"], shown["end"])


def inside(figure: Figure, x: NDArray[Any], y: NDArray[Any] | None = None) -> NDArray[np.bool_]:
    """Which places lie within the frame; without y, only along the abscissa."""

    def within(axis: str, places: NDArray[Any]) -> NDArray[np.bool_]:
        low, high = get_range(figure, axis) or (0.0, 1.0)
        slack = 1e-6 * (high - low)
        return np.asarray((places >= low - slack) & (places <= high + slack))

    return within("x", x) if y is None else within("x", x) & within("y", y)


def thin(values: NDArray[Any], most: int) -> NDArray[Any]:
    """Every k-th value, so that at most `most` remain, and always the last one."""
    if len(values) <= most:
        return values
    return values[(len(values) - 1) % (step := -(-len(values) // most)) :: step]


NOTHING = np.empty(0, np.float32)
