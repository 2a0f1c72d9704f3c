"""For paper: the picture of a run, the distribution of what it samples, and the landscape it moves in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import in_words
from mfexplore.core.model import Landscape, Law, Model
from mfexplore.core.pictures import (
    Axis,
    Chart,
    Density,
    Field,
    Lattice,
    Network,
    Particles,
    Patterns,
    Phases,
    Picture,
    Series,
    Spectrum,
    Trajectories,
)
from mfexplore.figures.histogram import BINS, beyond
from mfexplore.figures.publication import paper
from mfexplore.figures.states import mark_colours, ranks, species_colours, state_colours
from mfexplore.figures.style import LIGHT, cyclic, diverging, line_colour, mpl_label, palette, two_tone

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = (4.6, 3.2)


def landscape(shown: Landscape, kind: type[Model], values: NDArray[Any], stable: NDArray[Any]) -> Figure:
    """A potential, its rivals, and the branches on it: values and stable of shape (branches,)."""
    observable = kind.observable(shown.observable)
    figure, axes = _frame(mpl_label(observable) + (f" ({shown.note})" if shown.note else ""), shown.title)
    axes.plot(shown.coordinate, shown.free_energy, color=LIGHT.ink, lw=1.6, label=shown.title if shown.rivals else None)
    for k, (name, rival) in enumerate(shown.rivals):
        axes.plot(shown.coordinate, rival, color=line_colour(k + 1), lw=1.2, label=name)
    order = np.argsort(shown.coordinate)
    heights = np.interp(values, shown.coordinate[order], shown.free_energy[order], left=np.nan, right=np.nan)
    known = np.isfinite(heights)
    if shown.branches is not None:
        known &= [branch.name in shown.branches for branch in kind.branches]
    for one, full in ((stable, line_colour(0)), (~stable, "white")):
        at = one & known
        axes.plot(values[at], heights[at], "o", mfc=full, mec=line_colour(0), ms=6)
    finite = shown.free_energy[np.isfinite(shown.free_energy)]
    if finite.size:  # walls may dwarf the wells
        low, high = float(finite.min()), float(np.quantile(finite, 0.93))
        axes.set_ylim(low - 0.1 * (high - low), high + 0.1 * (high - low) or low + 1.0)
    return _named(figure)


def histogram(laws: tuple[Law, ...], kind: type[Model], samples: NDArray[Any] | None) -> Figure:
    """What a run samples, under what theories predict of it: all laws are of one observable."""
    first = laws[0]
    declared = next((o for o in kind.observables if o.name == first.observable), None)
    up = "fraction beyond" if first.scale == "log" else "probability" if first.discrete else "density"
    figure, axes = _frame(mpl_label(declared) if declared else in_words(first.observable), up)
    finite = np.empty(0) if samples is None else np.asarray(samples[np.isfinite(samples)], float)
    if first.scale == "log":
        axes.set(xscale="log", yscale="log")
        tail = np.sort(finite[finite > 0])
        axes.step(tail, 1 - np.arange(tail.size) / max(tail.size, 1), where="pre", color=LIGHT.ghost, label="run")
    elif finite.size:
        if first.circular:
            start = float(np.asarray(first.values, float)[0])
            finite = start + (finite - start) % (2 * np.pi)
        edges: Any = np.arange(np.floor(finite.min()) - 0.5, np.ceil(finite.max()) + 1) if first.discrete else BINS
        axes.hist(finite, edges, density=True, color=LIGHT.ghost, alpha=0.45, label="run")
    names = [method.name for method in kind.methods]
    for law in laws:
        values, density = np.asarray(law.values, float), np.asarray(law.density, float)
        if law.scale == "log":
            values, density = beyond(values, np.nan_to_num(density))
        colour = line_colour(names.index(law.method)) if law.method in names else LIGHT.marker
        axes.plot(
            values, density, "o" if law.discrete else "-", ms=4, lw=1.5, color=colour, label=law.method or "theory"
        )
        for place, weight in law.atoms:
            axes.vlines(place, 0, weight * float(np.nanmax(density, initial=1.0)), color=colour, lw=2)
    return _named(figure)


def picture(shown: Picture) -> Figure:
    """The state of a run, whatever kind of picture it is."""
    figure, axes = _frame("", "")
    with paper():
        _KINDS[type(shown)](axes, shown)
        caption = getattr(shown, "caption", "")
        if caption:
            axes.set_title(caption, fontsize=9, color=LIGHT.soft)
    return _named(figure)


def _frame(across: str, up: str) -> tuple[Figure, Any]:
    from matplotlib.figure import Figure

    with paper():
        figure = Figure(figsize=SIZE, layout="constrained")
        axes = figure.add_subplot()
        axes.set(xlabel=across, ylabel=up)
    return figure, axes


def _named(figure: Figure) -> Figure:
    with paper():
        for axes in figure.axes:
            if axes.get_legend_handles_labels()[1]:
                axes.legend(frameon=False, fontsize=8)
    return figure


def _map(colours: tuple[str, ...]) -> Any:
    from matplotlib.colors import ListedColormap

    return ListedColormap(list(colours))


def _states(axes: Any, states: tuple[str, ...], colours: tuple[str, ...]) -> None:
    for name, colour in zip(states, colours, strict=True):
        axes.plot([], [], "s", mfc=colour, mec=LIGHT.ghost, label=name)


def _bare(axes: Any) -> None:
    axes.set_aspect("equal")
    axes.axis("off")


def _lattice(axes: Any, shown: Lattice) -> None:
    spins = np.issubdtype(shown.values.dtype, np.integer) and shown.high - shown.low <= 2
    colours = two_tone() if spins and not shown.states else palette(shown.signed)
    if shown.states:
        colours = state_colours(len(shown.states), LIGHT)
        _states(axes, shown.states, colours)
    scale = _map(colours).with_extremes(under=f"{LIGHT.ghost}80")
    axes.imshow(shown.values, cmap=scale, vmin=shown.low, vmax=shown.high, interpolation="nearest")
    _bare(axes)


def _patterns(axes: Any, shown: Patterns) -> None:
    columns = min(len(shown.images), 3)
    rows = -(-len(shown.images) // columns)
    for k, (caption, values) in enumerate(shown.images):
        left, top = 1.1 * (k % columns), -1.35 * (k // columns)
        axes.imshow(
            values, cmap=_map(two_tone()), vmin=shown.low, vmax=shown.high, extent=(left, left + 1, top - 1, top)
        )
        axes.text(left + 0.5, top - 1.04, caption, ha="center", va="top", fontsize=7, color=LIGHT.soft)
    axes.set(xlim=(-0.05, 1.1 * columns), ylim=(-1.35 * rows, 0.1))
    _bare(axes)


def _phases(axes: Any, shown: Phases) -> None:
    turn = np.linspace(0, 2 * np.pi, 181)
    axes.plot(np.cos(turn), np.sin(turn), color=LIGHT.line, lw=1.2)
    colour = np.zeros(len(shown.angles)) if shown.colour is None else ranks(shown.colour)
    radius = 1.0 + 0.07 * (colour - 0.5)
    axes.scatter(
        radius * np.cos(shown.angles), radius * np.sin(shown.angles), 8, colour, cmap=_map(mark_colours(LIGHT))
    )
    axes.annotate("", (shown.mean.real, shown.mean.imag), (0, 0), arrowprops={"color": LIGHT.marker, "width": 1.5})
    _bare(axes)


def _lines(axes: Any, shown: Trajectories | Density) -> None:
    rows = list(shown.curves) if isinstance(shown, Density) else [(n, v) for n, v in _rows(shown)]
    for k, (name, values) in enumerate(rows):
        x = shown.x if isinstance(shown, Density) else shown.times
        axes.plot(x, values, color=line_colour(k), lw=1.2, label=name or None)
    axes.set(xlabel=shown.x_title, ylabel=shown.y_title)


def _rows(shown: Trajectories) -> list[tuple[str, NDArray[Any]]]:
    return [(shown.names[k] if k < len(shown.names) else "", values) for k, values in enumerate(shown.values)]


def _spectrum(axes: Any, shown: Spectrum) -> None:
    values = shown.values[np.isfinite(shown.values)]
    if np.iscomplexobj(values):
        axes.plot(values.real, values.imag, ".", ms=3, color=LIGHT.accent)
        axes.set(xlabel=f"{shown.title}, real part", ylabel="imaginary part")
    else:
        axes.hist(values, 60, density=True, color=LIGHT.accent, alpha=0.5)
        axes.set(xlabel=shown.title, ylabel="density")


def _particles(axes: Any, shown: Particles) -> None:
    from matplotlib.collections import EllipseCollection

    colour: NDArray[Any] = np.zeros(len(shown.x))
    colours: tuple[str, ...] = (LIGHT.accent, LIGHT.accent)
    if shown.states and shown.colour is not None:
        colour, colours = shown.colour, species_colours(len(shown.states), LIGHT)
        _states(axes, shown.states, colours)
    elif shown.colour is not None:
        colour, colours = ranks(shown.colour), mark_colours(LIGHT)
    elif shown.heading is not None:
        colour, colours = shown.heading % (2 * np.pi), cyclic()
    width = np.broadcast_to(2 * np.asarray(shown.radius, float), np.shape(shown.x))
    axes.add_collection(EllipseCollection(
        width, width, np.zeros(len(width)), units="xy", offsets=np.column_stack([shown.x, shown.y]),
        offset_transform=axes.transData, array=colour, cmap=_map(colours), alpha=0.85,
    ))  # fmt: skip
    if shown.heading is not None:
        axes.quiver(shown.x, shown.y, np.cos(shown.heading), np.sin(shown.heading), color=LIGHT.ink, width=0.002)
    left, right, bottom, top = shown.box
    axes.set(xlim=(left, right), ylim=(bottom, top))
    _bare(axes)


def _network(axes: Any, shown: Network) -> None:
    from matplotlib.collections import LineCollection

    ends = np.stack([np.column_stack([shown.x[k], shown.y[k]]) for k in shown.edges.T], axis=1)
    plain = shown.edge_colour is None
    most = 1.0 if shown.edge_colour is None else float(np.nanmax(np.abs(shown.edge_colour), initial=0.0)) or 1.0
    links = LineCollection(
        list(ends), array=shown.edge_colour, cmap=_map(diverging()), lw=0.6, alpha=0.35 if plain else 0.8
    )
    if plain:
        links.set(color=LIGHT.ghost)
    else:
        links.set_clim(-most, most)
    axes.add_collection(links)
    colours = palette(shown.low < 0 < shown.high)
    if shown.states:
        colours = state_colours(len(shown.states), LIGHT)
        _states(axes, shown.states, colours)
    axes.scatter(
        shown.x, shown.y, 14, shown.colour, cmap=_map(colours), vmin=shown.low, vmax=shown.high, zorder=2,
        edgecolors=LIGHT.ghost, linewidths=0.4,
    )  # fmt: skip
    _bare(axes)


def _chart(axes: Any, shown: Chart) -> None:
    _name(axes, shown.x, shown.y)
    colours = {name: line_colour(k) for k, name in enumerate(dict.fromkeys(s.name for s in shown.series))}
    named: set[str] = set()
    for series in shown.series:
        _series(axes, series, colours[series.name], "" if series.name in named else series.name)
        named.add(series.name)
    for guide in shown.guides:
        style = {"color": LIGHT.soft, "lw": 1, "ls": "--", "label": guide.name}
        if shown.x.scale == shown.y.scale == "linear":
            axes.axline(guide.through, slope=guide.slope, **style)
        else:  # the slope is an exponent
            x = np.geomspace(max(axes.get_xlim()[0], 1e-12), axes.get_xlim()[1], 20)
            axes.plot(x, guide.through[1] * (x / guide.through[0]) ** guide.slope, **style)
    if shown.equal:
        axes.set_aspect("equal")


def _series(axes: Any, series: Series, colour: str, name: str) -> None:
    x, y = np.asarray(series.x, float), np.asarray(series.y, float)
    if series.kind == "points":
        axes.errorbar(x, y, series.error, fmt="o", ms=3, mfc="white", color=colour, lw=0.9, label=name or None)
    elif series.kind == "bars":
        axes.bar(
            x, y, 0.8 * float(np.min(np.diff(np.unique(x)), initial=1.0)), color=colour, alpha=0.4, label=name or None
        )
    elif series.kind == "band" and series.upper is not None:
        axes.fill_between(x, y, series.upper, color=colour, alpha=0.22, lw=0, label=name or None)
    else:
        style = {"drawstyle": "steps-mid"} if series.kind == "step" else {}
        axes.plot(x, y, color=colour, lw=1.3, label=name or None, **style)


def _field(axes: Any, shown: Field) -> None:
    _name(axes, shown.x, shown.y)
    left, right, bottom, top = shown.extent
    rows, columns = shown.values.shape
    across, up = (
        np.geomspace(a, b, n + 1) if axis.is_logarithmic else np.linspace(a, b, n + 1)
        for axis, a, b, n in ((shown.x, left, right, columns), (shown.y, bottom, top, rows))
    )
    colours = cyclic() if shown.cyclic else palette(shown.signed)
    image = axes.pcolormesh(
        across, up, shown.values, cmap=_map(colours), vmin=shown.low, vmax=shown.high, rasterized=True
    )  # fmt: skip
    if shown.contours:
        middle = [0.5 * (edges[1:] + edges[:-1]) for edges in (across, up)]
        axes.contour(*middle, shown.values, levels=sorted(shown.contours), colors=LIGHT.ink, linewidths=0.8)
    for x, y in shown.paths:
        axes.plot(x, y, color=LIGHT.marker, lw=1.2)
    for k, series in enumerate(shown.points):
        _series(axes, series, line_colour(k + 1), series.name)
    if shown.arrows is not None:
        a = shown.arrows
        head = {"headwidth": 0, "headlength": 0, "headaxislength": 0, "pivot": "middle"} if a.headless else {}
        axes.quiver(a.x, a.y, a.u, a.v, angles="xy", scale_units="xy", scale=1, color=LIGHT.ink, width=0.003, **head)
    axes.figure.colorbar(image, ax=axes, aspect=30, pad=0.02).outline.set_visible(False)


def _name(axes: Any, x: Axis, y: Axis) -> None:
    axes.set(xlabel=x.title, ylabel=y.title, xscale=x.scale, yscale=y.scale)
    if None not in (x.low, x.high):
        axes.set_xlim(x.low, x.high)
    if None not in (y.low, y.high):
        axes.set_ylim(y.low, y.high)


_KINDS: dict[type, Callable[[Any, Any], None]] = {
    Lattice: _lattice, Patterns: _patterns, Phases: _phases, Trajectories: _lines, Density: _lines,
    Spectrum: _spectrum, Particles: _particles, Network: _network, Chart: _chart, Field: _field,
}  # fmt: skip
