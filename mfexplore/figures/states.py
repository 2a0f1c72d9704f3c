"""The state of a simulation as a picture: one class per kind of picture in core/pictures.py."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

import mfexplore.figures.charts  # noqa: F401 (its kinds are found among the others)
from mfexplore.core.pictures import (
    Density,
    Lattice,
    Network,
    Particles,
    Patterns,
    Phases,
    Picture,
    Spectrum,
    Trajectories,
)
from mfexplore.figures.frame import NOTHING, Figure, Part, clear, colour_mapper, glyphs, load_holoviews, thin
from mfexplore.figures.picture import StateFigure, arrows, colour_map, fit, frame, key_on_paper, without_axes
from mfexplore.figures.style import LIGHT, SANS, Theme, cyclic, diverging, line_colour, palette, sequential, two_tone

MOST_PIXELS = 512  # along a side: more than the picture has on the screen
MOST_MARKS = 3000  # points, particles, links
MOST_LINES = 40
MOST_ARROWS = 600
BEND = 0.18  # of its length, how far an arc leaves the straight line
LETTERS_ACROSS = 56  # of captions side by side


def figure_of(picture: Any) -> type[StateFigure]:
    """The kind of figure that shows a picture."""
    return next(kind for kind in StateFigure.kinds() if type(picture) in kind.shows)


def picture_figure(picture: Picture, theme: Theme, figure: Figure | None = None) -> StateFigure:
    """The figure for this kind of picture, already showing it. figure: the place to put it up in."""
    made = figure_of(picture)(theme, figure)
    made.show(picture)
    return made


def fits(made: StateFigure, picture: Picture) -> bool:
    """Whether a figure can show this kind of picture."""
    return type(made) is figure_of(picture)


class StatePlace:
    """The picture of a run: the figure that its kind of picture needs, which may change with the controls."""

    def __init__(self, theme: Theme) -> None:
        self.theme = theme
        self.figure = Figure()
        self._state: StateFigure | None = None
        self._size: tuple[float, float] | None = None

    def show(self, picture: Picture) -> None:
        """Draw a picture of any kind."""
        if self._state is None or not fits(self._state, picture):
            self._state = picture_figure(picture, self.theme, self.figure)
            if self._size is not None:
                self._state.resize(*self._size)
        else:
            self._state.show(picture)

    def resize(self, width: float, height: float) -> None:
        """Its frame has another size in pixels."""
        if width > 0 and height > 0:
            self._size = width, height
            if self._state is not None:
                self._state.resize(width, height)

    def key(self, picture: Picture) -> list[tuple[str, str]]:
        """What the colours of a picture mean."""
        return [] if self._state is None else self._state.named(picture)

    @property
    def shape(self) -> str:
        """How much room the picture needs: "square", "wide" or "mosaic"."""
        return "square" if self._state is None else self._state.shape

    @property
    def drawn(self) -> list[str]:
        return []

    def veil(self, hidden: Collection[str]) -> None:
        """A picture of a run is of the run: where that is hidden the page has no place for it."""

    def dress(self, theme: Theme) -> None:
        """Put on the colours of a theme; those of the marks come with the next picture."""
        self.theme = theme
        if self._state is not None:
            self._state.dress(theme)


def _image(*captions: str) -> dict[str, Any]:
    hv = load_holoviews()
    image = hv.Image(np.zeros((2, 2), np.float32), bounds=(0, 0, 1, 1), kdims=["x", "y"], vdims=["z"])
    layers = {"image": image.opts(cmap=list(two_tone()), clim=(-1, 1), colorbar=False)}
    return layers | {name: hv.Labels([(0.5, 0.5, "")]) for name in captions}


class LatticeFigure(StateFigure):
    shows = (Lattice,)
    key = "lattice"

    @staticmethod
    def declare() -> dict[str, Any]:
        return _image()

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        return super().finish(figure, layers) | {"image.mapper": layers["image"].glyph.color_mapper}

    def show(self, picture: Lattice) -> None:
        values = shrink(picture.values)
        _set_mapper(self.layers["image"].mapper, picture, values, self.theme)
        rows, columns = values.shape
        self.layers["image"].put(image=[values[::-1]], x=[0.0], y=[0.0], dw=[float(columns)], dh=[float(rows)])
        frame(self.figure, columns, rows)

    def named(self, picture: Lattice) -> list[tuple[str, str]]:
        named = state_key(picture.states, self.theme)
        outside = bool(picture.outside) and bool((picture.values < 0).any())
        return [*named, (picture.outside, outside_colour(self.theme))] if outside else named

    @staticmethod
    def on_paper(axes: Any, picture: Lattice) -> None:
        spins = np.issubdtype(picture.values.dtype, np.integer) and picture.high - picture.low <= 2
        colours = two_tone() if spins and not picture.states else palette(picture.signed)
        if picture.states:
            colours = state_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        scale = colour_map(colours).with_extremes(under=f"{LIGHT.ghost}80")
        axes.imshow(picture.values, cmap=scale, vmin=picture.low, vmax=picture.high, interpolation="nearest")
        without_axes(axes)


class PatternsFigure(StateFigure):
    """Small images side by side, each with its caption below."""

    shows = (Patterns,)
    key, shape = "patterns", "mosaic"

    @staticmethod
    def declare() -> dict[str, Any]:
        return _image("captions")

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["captions"].glyph.update(
            text_font={"value": SANS}, text_font_size="11px", text_align="center", text_baseline="top"
        )
        return super().finish(figure, layers) | {"image.mapper": layers["image"].glyph.color_mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("captions").glyph.update(text_color=theme.soft)
        figure.layer("image").mapper.update(palette=list(two_tone(theme.card, theme.ink)))

    def show(self, picture: Patterns) -> None:
        self.layers["image"].mapper.update(low=picture.low, high=picture.high)
        images = [shrink(values)[::-1] for _, values in picture.images]
        longest = max(len(caption) for caption, _ in picture.images)
        columns = min(len(images), 3 if len(images) <= 6 else 4, max(2, LETTERS_ACROSS // max(longest, 1)))
        rows = -(-len(images) // columns)
        left = [1.08 * (k % columns) for k in range(len(images))]
        bottom = [1.28 * (rows - 1 - k // columns) + 0.2 for k in range(len(images))]
        ones = [1.0] * len(images)
        self.layers["image"].put(image=images, x=left, y=bottom, dw=ones, dh=ones)
        captions = [caption for caption, _ in picture.images]
        if self.layers["captions"].columns.get("Label") != captions:
            self.layers["captions"].put(x=np.array(left) + 0.5, y=np.array(bottom) - 0.04, Label=captions)
        frame(self.figure, 1.08 * columns - 0.08, 1.28 * rows - 0.08)

    @staticmethod
    def on_paper(axes: Any, picture: Patterns) -> None:
        columns = min(len(picture.images), 3)
        rows = -(-len(picture.images) // columns)
        for k, (caption, values) in enumerate(picture.images):
            left, top = 1.1 * (k % columns), -1.35 * (k // columns)
            axes.imshow(
                values,
                cmap=colour_map(two_tone()),
                vmin=picture.low,
                vmax=picture.high,
                extent=(left, left + 1, top - 1, top),
            )
            axes.text(left + 0.5, top - 1.04, caption, ha="center", va="top", fontsize=7, color=LIGHT.soft)
        axes.set(xlim=(-0.05, 1.1 * columns), ylim=(-1.35 * rows, 0.1))
        without_axes(axes)


class PhasesFigure(StateFigure):
    """Oscillators on the unit circle with the order parameter as an arrow."""

    shows = (Phases,)
    key = "phases"
    options = {"xlim": (-1.22, 1.22), "ylim": (-1.22, 1.22)}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        turn = np.linspace(0, 2 * np.pi, 181)
        return {
            "ring": hv.Curve((np.cos(turn), np.sin(turn)), "x", "y"),
            "dots": hv.Points([(0.0, 0.0)]),
            "arrow": hv.Segments([(0.0, 0.0, 1.0, 0.0)]),
            "tip": hv.Points([(0.0, 0.0)]),
        }

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear({name: layers[name] for name in ("dots", "arrow", "tip")})
        layers["dots"].data_source.data = {"x": [], "y": [], "c": []}
        mapper = colour_mapper()
        layers["dots"].glyph.update(
            size=6, line_color=None, fill_color={"field": "c", "transform": mapper}, fill_alpha=0.7
        )
        layers["ring"].glyph.update(line_width=1.5)
        layers["arrow"].glyph.update(line_width=3.5)
        layers["tip"].glyph.update(size=11, line_width=1.5)
        return super().finish(figure, layers) | {"dots.mapper": mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyph = glyphs(figure)
        glyph["ring"].update(line_color=theme.line)
        figure.layer("dots").mapper.update(palette=list(mark_colours(theme)))
        glyph["arrow"].update(line_color=theme.marker)
        glyph["tip"].update(fill_color=theme.marker, line_color=theme.card)

    def show(self, picture: Phases) -> None:
        angles = thin(picture.angles, MOST_MARKS)
        colour = np.zeros(len(angles)) if picture.colour is None else ranks(thin(picture.colour, MOST_MARKS))
        radius = 1.0 + 0.07 * (colour - 0.5)  # a thin ring, so that equal phases do not hide each other
        self.layers["dots"].put(x=radius * np.cos(angles), y=radius * np.sin(angles), c=colour)
        x, y = picture.mean.real, picture.mean.imag
        self.layers["arrow"].put(x0=np.zeros(1), y0=np.zeros(1), x1=np.array([x]), y1=np.array([y]))
        self.layers["tip"].put(x=np.array([x]), y=np.array([y]))

    @staticmethod
    def on_paper(axes: Any, picture: Phases) -> None:
        turn = np.linspace(0, 2 * np.pi, 181)
        axes.plot(np.cos(turn), np.sin(turn), color=LIGHT.line, lw=1.2)
        colour = np.zeros(len(picture.angles)) if picture.colour is None else ranks(picture.colour)
        radius = 1.0 + 0.07 * (colour - 0.5)
        axes.scatter(
            radius * np.cos(picture.angles),
            radius * np.sin(picture.angles),
            8,
            colour,
            cmap=colour_map(mark_colours(LIGHT)),
        )
        axes.annotate(
            "", (picture.mean.real, picture.mean.imag), (0, 0), arrowprops={"color": LIGHT.marker, "width": 1.5}
        )
        without_axes(axes)


class LinesFigure(StateFigure):
    """Trajectories and densities: lines against a common abscissa."""

    shows = (
        Trajectories,
        Density,
    )
    key, square, shape = "lines", False, "wide"
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        return {"lines": load_holoviews().Path([[(0.0, 0.0), (1.0, 1.0)]])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        layers["lines"].data_source.data = {"xs": [], "ys": [], "c": []}
        layers["lines"].glyph.update(line_color={"field": "c"}, line_width=1.6, line_alpha=0.85)
        return super().finish(figure, layers)

    def show(self, picture: Trajectories | Density) -> None:
        if isinstance(picture, Trajectories):
            x, rows = picture.times, list(picture.values[:MOST_LINES])
        else:
            x, rows = picture.x, [values for _, values in picture.curves]
        self.figure.part("xaxis").update(axis_label=picture.x_title)
        self.figure.part("yaxis").update(axis_label=picture.y_title)
        short = thin(np.asarray(x), 800).astype(np.float32)
        ys = [thin(np.asarray(row), 800).astype(np.float32) for row in rows]
        colours = [line_colour(k, self.theme) for k in range(len(ys))]
        self.layers["lines"].put(xs=[short] * len(ys), ys=ys, c=colours)
        fit(self.figure, short, np.concatenate(ys) if ys else NOTHING)

    def named(self, picture: Trajectories | Density) -> list[tuple[str, str]]:
        names = [name for name, _ in picture.curves] if isinstance(picture, Density) else picture.names
        return [(name, line_colour(k, self.theme)) for k, name in enumerate(names)]

    @staticmethod
    def on_paper(axes: Any, picture: Trajectories | Density) -> None:
        rows = list(picture.curves) if isinstance(picture, Density) else [(n, v) for n, v in _rows(picture)]
        for k, (name, values) in enumerate(rows):
            x = picture.x if isinstance(picture, Density) else picture.times
            axes.plot(x, values, color=line_colour(k), lw=1.2, label=name or None)
        axes.set(xlabel=picture.x_title, ylabel=picture.y_title)


class SpectrumFigure(StateFigure):
    """Eigenvalues: a histogram when they are real, points in the plane when they are complex."""

    shows = (Spectrum,)
    key, square, shape = "spectrum", False, "wide"
    options = {"xlabel": "x", "ylabel": "y"}

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        return {"bars": hv.Rectangles([(0.0, 0.0, 1.0, 1.0)]), "dots": hv.Points([(0.0, 0.0)])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["bars"].glyph.update(fill_alpha=0.5)
        layers["dots"].glyph.update(size=4, line_color=None, fill_alpha=0.7)
        return super().finish(figure, layers)

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("bars").glyph.update(fill_color=theme.accent, line_color=theme.card)
        figure.layer("dots").glyph.update(fill_color=theme.accent)

    def show(self, picture: Spectrum) -> None:
        values = picture.values[np.isfinite(picture.values)]
        complex_ = np.iscomplexobj(values)
        empty = {"left": NOTHING, "right": NOTHING, "bottom": NOTHING, "top": NOTHING}
        across = f"{picture.title}, real part" if complex_ else picture.title
        self.figure.part("xaxis").update(axis_label=across)
        self.figure.part("yaxis").update(axis_label="imaginary part" if complex_ else "density")
        if complex_:
            shown = thin(values, MOST_MARKS)
            self.layers["bars"].put(**empty)
            self.layers["dots"].put(x=shown.real.astype(np.float32), y=shown.imag.astype(np.float32))
            fit(self.figure, shown.real, shown.imag)
        elif values.size:
            heights, edges = np.histogram(values, bins=60, density=True)
            self.layers["dots"].put(x=NOTHING, y=NOTHING)
            self.layers["bars"].put(left=edges[:-1], right=edges[1:], bottom=np.zeros_like(heights), top=heights)
            fit(self.figure, edges, np.append(heights, 0.0))

    @staticmethod
    def on_paper(axes: Any, picture: Spectrum) -> None:
        values = picture.values[np.isfinite(picture.values)]
        if np.iscomplexobj(values):
            axes.plot(values.real, values.imag, ".", ms=3, color=LIGHT.accent)
            axes.set(xlabel=f"{picture.title}, real part", ylabel="imaginary part")
        else:
            axes.hist(values, 60, density=True, color=LIGHT.accent, alpha=0.5)
            axes.set(xlabel=picture.title, ylabel="density")


class ParticlesFigure(StateFigure):
    shows = (Particles,)
    key = "particles"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        return {"dots": hv.Points([(0.0, 0.0)]), "headings": hv.Path([[(0.0, 0.0), (1.0, 1.0)]])}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        from bokeh.models import Circle

        clear(layers)
        layers["dots"].data_source.data = {"x": [], "y": [], "r": [], "c": []}
        mapper = colour_mapper()
        # Particles have a radius in the units of the box, which HoloViews' Points do not.
        fill: Any = {"field": "c", "transform": mapper}
        layers["dots"].glyph = Circle(
            x="x", y="y", radius={"field": "r"}, fill_color=fill, line_color=None, fill_alpha=0.85
        )
        layers["headings"].glyph.update(line_width=1.2)
        return super().finish(figure, layers) | {"dots.mapper": mapper}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        figure.layer("headings").glyph.update(line_color=theme.ink)

    def show(self, picture: Particles) -> None:
        x, y = thin(picture.x, MOST_MARKS), thin(picture.y, MOST_MARKS)
        radius = thin(np.broadcast_to(picture.radius, np.shape(picture.x)), MOST_MARKS).astype(np.float32)
        colour, low, high, colours = self._colours(picture)
        self.layers["dots"].mapper.update(palette=list(colours), low=low, high=high)
        self.layers["dots"].put(x=x, y=y, r=radius, c=thin(colour, MOST_MARKS).astype(np.float32))
        if picture.heading is not None or self.layers["headings"].columns:
            heading = np.empty(0) if picture.heading is None else thin(picture.heading, MOST_MARKS)[:MOST_ARROWS]
            n = len(heading)
            length = 2 * radius[:n]
            lines = arrows(x[:n], y[:n], length * np.cos(heading), length * np.sin(heading))
            self.layers["headings"].put(xs=lines[0], ys=lines[1])
        left, right, bottom, top = picture.box
        frame(self.figure, right - left, top - bottom, left, bottom)

    def _colours(self, picture: Particles) -> tuple[NDArray[Any], float, float, tuple[str, ...]]:
        """A number for every particle, where its scale begins and ends, and the colours along it."""
        if picture.states and picture.colour is not None:
            named = species_colours(len(picture.states), self.theme)
            return picture.colour, -0.5, len(named) - 0.5, named
        if picture.colour is not None:
            return ranks(picture.colour), 0.0, 1.0, mark_colours(self.theme)
        if picture.heading is not None:
            return picture.heading % (2 * np.pi), 0.0, 2 * np.pi, cyclic()
        return np.zeros(len(picture.x)), 0.0, 1.0, (self.theme.accent,)

    def named(self, picture: Particles) -> list[tuple[str, str]]:
        return list(zip(picture.states, species_colours(len(picture.states), self.theme), strict=True))

    @staticmethod
    def on_paper(axes: Any, picture: Particles) -> None:
        from matplotlib.collections import EllipseCollection

        colour: NDArray[Any] = np.zeros(len(picture.x))
        colours: tuple[str, ...] = (LIGHT.accent, LIGHT.accent)
        if picture.states and picture.colour is not None:
            colour, colours = picture.colour, species_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        elif picture.colour is not None:
            colour, colours = ranks(picture.colour), mark_colours(LIGHT)
        elif picture.heading is not None:
            colour, colours = picture.heading % (2 * np.pi), cyclic()
        width = np.broadcast_to(2 * np.asarray(picture.radius, float), np.shape(picture.x))
        axes.add_collection(EllipseCollection(
            width, width, np.zeros(len(width)), units="xy", offsets=np.column_stack([picture.x, picture.y]),
            offset_transform=axes.transData, array=colour, cmap=colour_map(colours), alpha=0.85,
        ))  # fmt: skip
        if picture.heading is not None:
            axes.quiver(
                picture.x, picture.y, np.cos(picture.heading), np.sin(picture.heading), color=LIGHT.ink, width=0.002
            )
        left, right, bottom, top = picture.box
        axes.set(xlim=(left, right), ylim=(bottom, top))
        without_axes(axes)


class NetworkFigure(StateFigure):
    shows = (Network,)
    key = "network"

    @staticmethod
    def declare() -> dict[str, Any]:
        hv = load_holoviews()
        nodes = hv.Points([(0.0, 0.0)])
        bent = hv.Path([[(0.0, 0.0), (1.0, 1.0)]])
        return {"links": hv.Segments([(0.0, 0.0, 1.0, 1.0)]), "bent": bent, "nodes": nodes}

    @classmethod
    def finish(cls, figure: Any, layers: Mapping[str, Any]) -> dict[str, Any]:
        clear(layers)
        layers["nodes"].data_source.data = {"x": [], "y": [], "c": []}
        layers["links"].data_source.data = {"x0": [], "y0": [], "x1": [], "y1": [], "c": []}
        layers["bent"].data_source.data = {"xs": [], "ys": [], "c": []}
        mapper, links = colour_mapper(), colour_mapper(-1.0, 1.0)
        for name in ("links", "bent"):  # straight ones, and arcs and the heads of arrows
            layers[name].glyph.update(line_alpha=0.35, line_width=0.8, line_color={"field": "c", "transform": links})
        layers["nodes"].glyph.update(fill_color={"field": "c", "transform": mapper})
        return super().finish(figure, layers) | {"nodes.mapper": mapper, "links.mapper": links}

    @classmethod
    def look(cls, figure: Figure, theme: Theme) -> None:
        super().look(figure, theme)
        glyphs(figure)["nodes"].update(line_color=theme.ghost)  # or one of the colour of the ground would not be seen

    def __init__(self, theme: Theme, figure: Figure | None = None) -> None:
        super().__init__(theme, figure)
        self._linked: Any = None

    def named(self, picture: Network) -> list[tuple[str, str]]:
        return state_key(picture.states, self.theme)

    def show(self, picture: Network) -> None:
        signed = picture.low < 0 < picture.high
        colours = state_colours(len(picture.states), self.theme) or palette(signed, self.theme)
        self.layers["nodes"].mapper.update(palette=list(colours), low=picture.low, high=picture.high)
        size = float(np.clip(60 / np.sqrt(max(len(picture.x), 1)), 7, 24))  # few nodes are larger
        self.layers["nodes"].glyph.update(size=size)
        linked = (id(picture.edges), id(picture.edge_colour), self.theme.name)
        if self._linked != linked:  # links seldom change, and are most of the data
            self._linked = linked
            self._link(picture)
        self.layers["nodes"].put(x=picture.x, y=picture.y, c=picture.colour.astype(np.float32))
        low, high = np.array([picture.x.min(), picture.y.min()]), np.array([picture.x.max(), picture.y.max()])
        margin = 0.005 * size
        width, height = np.maximum(high - low, 1e-9) * (1 + 2 * margin)
        left, bottom = low - margin * (high - low)
        frame(self.figure, float(width), float(height), float(left), float(bottom))

    def _link(self, picture: Network) -> None:
        a, b = thin(picture.edges, MOST_MARKS).T
        plain = picture.edge_colour is None
        colour = np.zeros(len(a)) if picture.edge_colour is None else thin(picture.edge_colour, MOST_MARKS)
        most = float(np.nanmax(np.abs(colour), initial=0.0)) or 1.0
        shades = (self.theme.ghost,) if plain else diverging(self.theme)
        self.layers["links"].mapper.update(palette=list(shades), low=-most, high=most)
        for name in ("links", "bent"):
            self.layers[name].glyph.update(line_alpha=0.35 if plain else 0.8)
        start = np.array([picture.x[a], picture.y[a]], float)
        way = np.array([picture.x[b], picture.y[b]], float) - start
        xs: list[Any] = []
        ys: list[Any] = []
        straight = slice(0, 0) if picture.arcs else slice(None)
        side = np.array([-way[1], way[0]]) * (BEND if picture.arcs else 0.0)
        if picture.arcs:
            t = np.linspace(0, 1, 13)
            bent = start[..., None] + way[..., None] * t + side[..., None] * (4 * t * (1 - t))
            xs, ys = list(bent[0].astype(np.float32)), list(bent[1].astype(np.float32))
        if picture.directed:  # a head beyond the middle, where the lines of a node do not yet come together
            length = np.hypot(*way)
            short = 0.04 * max(float(np.ptp(picture.x)), float(np.ptp(picture.y)), 1e-9)
            u, v = way / np.maximum(length, 1e-300) * np.minimum(short / 0.25, length)
            tip = start + 0.6 * way + side * (4 * 0.6 * 0.4)
            heads = arrows(tip[0] - u, tip[1] - v, u, v)
            xs, ys = [*xs, *(line[2:] for line in heads[0])], [*ys, *(line[2:] for line in heads[1])]
        times = picture.arcs + picture.directed
        x, y = start
        self.layers["links"].put(
            x0=x[straight], y0=y[straight], x1=(x + way[0])[straight], y1=(y + way[1])[straight], c=colour[straight]
        )
        self.layers["bent"].put(xs=xs, ys=ys, c=np.tile(colour, times))

    @staticmethod
    def on_paper(axes: Any, picture: Network) -> None:
        from matplotlib.collections import LineCollection

        ends = np.stack([np.column_stack([picture.x[k], picture.y[k]]) for k in picture.edges.T], axis=1)
        plain = picture.edge_colour is None
        most = 1.0 if picture.edge_colour is None else float(np.nanmax(np.abs(picture.edge_colour), initial=0.0)) or 1.0
        links = LineCollection(
            list(ends), array=picture.edge_colour, cmap=colour_map(diverging()), lw=0.6, alpha=0.35 if plain else 0.8
        )
        if plain:
            links.set(color=LIGHT.ghost)
        else:
            links.set_clim(-most, most)
        axes.add_collection(links)
        colours = palette(picture.low < 0 < picture.high)
        if picture.states:
            colours = state_colours(len(picture.states), LIGHT)
            key_on_paper(axes, picture.states, colours)
        axes.scatter(
            picture.x, picture.y, 14, picture.colour, cmap=colour_map(colours), vmin=picture.low, vmax=picture.high,
            zorder=2, edgecolors=LIGHT.ghost, linewidths=0.4,
        )  # fmt: skip
        without_axes(axes)


def _rows(picture: Trajectories) -> list[tuple[str, NDArray[Any]]]:
    return [(picture.names[k] if k < len(picture.names) else "", values) for k, values in enumerate(picture.values)]


def shrink(values: NDArray[Any]) -> NDArray[Any]:
    """At most MOST_PIXELS along a side, by taking every k-th; small integers as int8, everything else as float32."""
    step = max(1, -(-max(values.shape) // MOST_PIXELS))
    small = values[::step, ::step]
    if values.dtype == np.bool_:
        return np.ascontiguousarray(small, np.uint8)
    integer = np.issubdtype(values.dtype, np.integer)
    kind = (np.int8 if values.dtype == np.int8 else np.int32) if integer else np.float32
    return np.ascontiguousarray(small, kind)


def ranks(values: NDArray[Any]) -> NDArray[np.float32]:
    """Values as evenly spread numbers from 0 to 1, so that a few outliers do not take all the colours; equal ones have
    equal numbers.
    """
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    middle = np.cumsum(ties) - (ties + 1) / 2  # SciPy's rankdata does this, and brings 35 MiB with it
    return np.asarray(middle[place] / max(1, len(values) - 1), np.float32)


def _set_mapper(mapper: Part, picture: Lattice, values: NDArray[Any], theme: Theme) -> None:
    spins = np.issubdtype(values.dtype, np.integer) and picture.high - picture.low <= 2
    if picture.states:
        colours = state_colours(len(picture.states), theme)
        mapper.update(low_color=outside_colour(theme))
    else:
        colours = two_tone(theme.card, theme.ink) if spins else palette(picture.signed, theme)
    mapper.update(low=picture.low, high=picture.high, palette=list(colours))


def state_colours(n: int, theme: Theme) -> tuple[str, ...]:
    """Colours of the named states of a lattice: the first is ground."""
    return (theme.card, *(line_colour(k, theme) for k in (0, 3, 1, 4, 5)))[:n]


def species_colours(n: int, theme: Theme) -> tuple[str, ...]:
    """Colours of the named species of particles, which all are to be seen on the ground."""
    return tuple(line_colour(k, theme) for k in (0, 3, 1, 4, 5, 2))[:n]


def mark_colours(theme: Theme) -> tuple[str, ...]:
    """The sequential map for marks on the ground, without the end that can hardly be seen on it."""
    return sequential()[80:] if theme.name == "dark" else sequential()[:-30]


def state_key(states: tuple[str, ...], theme: Theme) -> list[tuple[str, str]]:
    """Those names with their colours."""
    return list(zip(states, state_colours(len(states), theme), strict=True))


def outside_colour(theme: Theme) -> str:
    """Between ground and ink: seen, but behind everything else."""
    return f"{theme.ghost}80"
