"""For paper: the picture of a run, the distribution of what it samples, and the landscape it moves in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import in_words
from mfexplore.core.model import Landscape, Law, Model
from mfexplore.core.pictures import (
    Picture,
)
from mfexplore.figures.histogram import BINS, beyond
from mfexplore.figures.publication import paper
from mfexplore.figures.states import figure_of
from mfexplore.figures.style import LIGHT, line_colour, mpl_label

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
        figure_of(shown).on_paper(axes, shown)
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
