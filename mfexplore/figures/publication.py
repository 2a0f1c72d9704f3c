"""Figures for paper: the same data as on the screen, drawn again with matplotlib as PNG, SVG or PDF."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.declaration import Landmark
from mfexplore.core.model import Model
from mfexplore.core.simulation import Measured
from mfexplore.core.together import Together
from mfexplore.figures.curves import curve_range, lines_of, theory_columns
from mfexplore.figures.diagram import Prepared, choose, prepare
from mfexplore.figures.frame import NOTHING
from mfexplore.figures.function import functions_of
from mfexplore.figures.lettering import Lettering, pieces
from mfexplore.figures.scale import Scale
from mfexplore.figures.style import LIGHT, line_colour, mpl_label, mpl_math, palette
from mfexplore.figures.symbols import typeset
from mfexplore.study.measured import Dots

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

LETTERS = 21  # of a caption in an inch
STYLE: Any = {
    "font.family": "serif", "font.serif": ["DejaVu Serif"], "mathtext.fontset": "cm", "font.size": 9.0,
    "axes.edgecolor": LIGHT.soft, "axes.labelcolor": LIGHT.ink, "xtick.color": LIGHT.soft, "ytick.color": LIGHT.soft,
    "axes.spines.top": False, "axes.spines.right": False, "svg.fonttype": "path", "pdf.fonttype": 42,
    "hatch.linewidth": 0.4, "svg.hashsalt": "mfexplore",
}  # fmt: skip


def _begin() -> Callable[[], object]:
    import matplotlib.style

    context = matplotlib.style.context(["default", STYLE])
    context.__enter__()
    return lambda: context.__exit__(None, None, None)


# with paper(): figures are drawn in our style alone, whatever the user's matplotlibrc and rcParams say, and these are
# afterwards as they were. They hold for the whole process, so threads share one change.
paper = Together(_begin)


def diagram(
    dataset: xr.Dataset,
    kind: type[Model],
    observable: str,
    branch: str | None = None,
    method: str | None = None,
    boundaries: xr.Dataset | None = None,
    marker: tuple[float, float] | None = None,
    size: tuple[float, float] = (5.2, 4.0),
    bare: bool = False,
    measured: Dots | None = None,
) -> Figure:
    """A phase diagram from a Dataset over (y, x). bare: no axes and no names, for a thumbnail. measured: what
    simulations say, as dots in the colours of the theory.
    """
    from matplotlib.colors import ListedColormap
    from matplotlib.figure import Figure

    y, x = (str(d) for d in dataset[observable].dims[:2])
    prepared = prepare(dataset, kind, observable, branch, method)
    declared = kind.observable(observable)
    with paper():
        figure = Figure(figsize=size, layout=None if bare else "constrained")
        axes = figure.add_axes((0, 0, 1, 1)) if bare else figure.add_subplot()
        scales = (Scale(kind.control(x)), Scale(kind.control(y)))
        axes.set(xscale="log" if scales[0].is_log else "linear", yscale="log" if scales[1].is_log else "linear")
        xs, ys = dataset[x].values, dataset[y].values
        image = axes.pcolormesh(
            xs, ys, prepared.values, cmap=ListedColormap(list(palette(declared.signed))), vmin=prepared.limits[0],
            vmax=prepared.limits[1], shading="nearest", rasterized=True,
        )  # fmt: skip
        at = choose(dataset, kind, branch, method).transpose(y, x, ...)
        for mask, hatch, colour in (
            (~at["converged"].values, "xxxx", LIGHT.soft),
            (at["validity"].values > 0, "////", "#1d243366"),
        ):
            if mask.any() and min(mask.shape) > 1:
                axes.contourf(xs, ys, mask.astype(float), levels=[0.5, 1.5], colors="none", hatches=[hatch]).set(
                    edgecolor=colour, linewidth=0.0
                )
        curves = _boundaries(axes, boundaries, kind, x, y)
        if measured is not None:
            px, py, values = measured.shown(observable)
            axes.scatter(
                px, py, s=34, c=Scale(declared).place(values), cmap=image.cmap, norm=image.norm,  # type: ignore[arg-type]
                edgecolors="white", linewidths=0.9, zorder=3,
            )  # fmt: skip
        axes.set(xlim=(xs[0], xs[-1]), ylim=(ys[0], ys[-1]))
        if bare:
            axes.axis("off")
            return figure
        _letter(axes, prepared, kind, scales, curves)
        if marker is not None:
            axes.plot(*marker, "o", mfc="white", mec=LIGHT.marker, mew=1.8, ms=8)
        axes.set(xlabel=mpl_label(kind.control(x)), ylabel=mpl_label(kind.control(y)))
        bar = figure.colorbar(image, ax=axes, label=mpl_label(declared), aspect=30, pad=0.02)
        if declared.is_logarithmic:
            labels = Scale(declared).labels(*(10.0**limit for limit in prepared.limits))
            bar.set_ticks(list(labels), labels=list(labels.values()))
        bar.outline.set_visible(False)  # type: ignore[operator]
    return figure


def _boundaries(
    axes: Any, boundaries: xr.Dataset | None, kind: type[Model], x: str, y: str
) -> list[tuple[Landmark, NDArray[Any], NDArray[Any]]]:
    """Draw the boundaries; returns them."""
    if boundaries is None or "boundary" not in boundaries:
        return []
    found = []
    for landmark in kind.landmarks:
        if landmark.name not in boundaries["boundary"].values:
            continue
        one = boundaries.sel(boundary=landmark.name)
        xs, ys = one[x].values, one[y].values
        style = "-" if landmark.continuous else (0, (4, 2))
        for piece in pieces(xs, ys):
            axes.plot(xs[piece], ys[piece], color="white", lw=2.6, alpha=0.55)
            axes.plot(xs[piece], ys[piece], color=LIGHT.ink, lw=1.3, ls=style)
        found.append((landmark, xs, ys))
    return found


def _letter(
    axes: Any, prepared: Prepared, kind: type[Model], scales: tuple[Scale, Scale],
    curves: list[tuple[Landmark, NDArray[Any], NDArray[Any]]],
) -> None:  # fmt: skip
    """Names of regions and symbols of boundaries, as on the screen."""
    from matplotlib.patheffects import withStroke

    across, up = (scale.place(limits) for scale, limits in zip(scales, (axes.get_xlim(), axes.get_ylim()), strict=True))
    placed = [[s.place(v) for s, v in zip(scales, curve[1:], strict=True)] for curve in curves]
    letters = Lettering(tuple(across), tuple(up), [(xs, ys) for xs, ys in placed])
    names = letters.name_regions(prepared.phases, prepared.box, tuple(phase.title for phase in kind.phases))
    written = [(px, py, name, "italic") for px, py, name in names]
    landmarks = [curve[0] for curve in curves]
    symbols = letters.place_symbols([typeset(landmark.symbol)[1] for landmark in landmarks])
    for landmark, place in zip(landmarks, symbols, strict=True):
        if place is not None:
            written.append((*place, f"${mpl_math(landmark.symbol)}$", "normal"))
    halo = [withStroke(linewidth=2.5, foreground="white", alpha=0.8)]
    for px, py, text, style in written:
        at_x, at_y = (scale.value(p) for scale, p in zip(scales, (px, py), strict=True))
        axes.text(at_x, at_y, text, style=style, ha="center", va="center", color=LIGHT.ink, path_effects=halo)


def curve(
    dataset: xr.Dataset,
    kind: type[Model],
    control: str,
    observable: str,
    points: Sequence[tuple[float, float, float]] = (),
    size: tuple[float, float] = (4.6, 3.2),
    loop: xr.Dataset | None = None,
) -> Figure:
    """Theory along a control, with the means and standard errors of a simulation: (x, mean, error). The side of a bound
    on which the truth cannot be is shaded. loop: of `Model.hysteresis` along the same control, as arrows.
    """
    from matplotlib.figure import Figure

    declared, up = kind.observable(observable), Scale(kind.observable(observable))
    with paper():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        columns = theory_columns(dataset, kind, control, observable)
        low, high = _with_margin(up, *curve_range(columns, declared))
        bounds = {method.name: method.bound_of(observable) for method in kind.methods}
        for k, line in enumerate(lines_of(kind)):
            colour = line_colour(line.colour)
            drawn = np.isfinite(columns[f"stable{k}"]).any()
            axes.plot(columns["x"], columns[f"stable{k}"], color=colour, lw=1.0, label=line.title if drawn else None)
            axes.plot(columns["x"], columns[f"equilibrium{k}"], color=colour, lw=2.0)
            never = not drawn and np.isfinite(columns[f"unstable{k}"]).any()  # stable nowhere, but it has a name
            axes.plot(
                columns["x"], columns[f"unstable{k}"], color=colour, lw=1.0, ls=":", label=line.title if never else None
            )
            if line.method and bounds[line.method] and np.isfinite(columns[f"equilibrium{k}"]).any():
                far = high if bounds[line.method] == "upper" else low
                axes.fill_between(columns["x"], columns[f"equilibrium{k}"], far, color=colour, alpha=0.13, lw=0)
        if loop is not None and observable in loop:
            _carried(axes, loop[control].values, *loop[observable].values)
        if points:
            px, mean, error = np.array(points).T
            _with_errors(axes, px, mean, error, up, "simulation")
        axes.set(
            xlabel=mpl_label(kind.control(control)), ylabel=mpl_label(declared),
            xscale=_kind_of_axis(Scale(kind.control(control))), yscale=_kind_of_axis(up),
            xlim=(columns["x"][0], columns["x"][-1]), ylim=(low, high),
        )  # fmt: skip
        axes.legend(frameon=False, fontsize=8)
    return figure


def function(
    theory: xr.Dataset,
    kind: type[Model],
    name: str,
    measured: Measured | None = None,
    across: Measured | None = None,
    size: tuple[float, float] = (4.6, 3.2),
) -> Figure:
    """An observable that is a function, from `Model.theory()` at one point: lines, or bars over whole numbers, and what
    a run has measured as points. across: what it has measured of the function on the abscissa, where there is one.
    """
    from matplotlib.figure import Figure

    observable = kind.observable(name)
    on_abscissa = kind.observable(observable.against) if observable.against else kind.coordinate(str(observable.over))
    scale, up = Scale(on_abscissa), Scale(observable)
    lines = functions_of(theory, kind, name)
    with paper():
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.set(xscale=_kind_of_axis(scale), yscale=_kind_of_axis(up))
        for k, one in enumerate(lines):
            colour = line_colour(one.line.colour)
            if getattr(on_abscissa, "discrete", False):
                width = 0.8 / len(lines)
                places = one.x + (k - 0.5 * (len(lines) - 1)) * width
                axes.bar(places, one.y, width, color=colour, alpha=0.45, lw=0, label=one.line.title)
            else:
                width = {"equilibrium": 2.0}.get(one.kind, 1.0)
                style = ":" if one.kind == "unstable" else "-"
                axes.plot(one.x, one.y, color=colour, lw=width, ls=style, label=one.line.title)
        if measured is not None:
            x = np.asarray(measured.coordinate if across is None else across.values, float)
            error = np.zeros(len(x)) if measured.error is None else np.nan_to_num(measured.error)
            _with_errors(axes, x, np.asarray(measured.values, float), error, up, "one run")
        low, high = up.range(np.concatenate([one.y for one in lines] or [NOTHING]), observable.low, observable.high)
        axes.set(xlabel=mpl_label(on_abscissa), ylabel=mpl_label(observable), ylim=_with_margin(up, low, high))
        if lines:
            axes.legend(frameon=False, fontsize=8)
    return figure


def _kind_of_axis(scale: Scale) -> str:
    return "log" if scale.is_log else "linear"


def _with_margin(scale: Scale, low: float, high: float) -> tuple[float, float]:
    """A little more than [low, high], on its scale."""
    a, b = (float(scale.place(end)) for end in (low, high))
    return scale.value(a - 0.06 * (b - a)), scale.value(b + 0.06 * (b - a))


def _with_errors(axes: Any, x: Any, mean: Any, error: Any, up: Scale, label: str) -> None:
    """Points with error bars, which on a logarithmic axis do not reach below zero."""
    low, high = (np.array([up.value(p) for p in places]) for places in up.places_of_ends(mean, error))
    axes.errorbar(
        x, mean, [mean - low, high - mean], fmt="o", ms=3.5, mfc="white", color=LIGHT.ink, lw=0.9, label=label, zorder=4
    )


def _carried(axes: Any, x: NDArray[Any], up: NDArray[Any], down: NDArray[Any]) -> None:
    """A run that was carried up and down, as arrows that point its way."""
    for y, marker, fill, label in ((up, ">", LIGHT.marker, "one run, up"), (down, "<", "white", "and down")):
        axes.plot(x, y, marker, ls="-", lw=0.8, ms=4, color=LIGHT.marker, mfc=fill, mew=0.8, label=label, zorder=3)


def save(
    figure: Figure, form: str, record: Mapping[str, Any] | None = None, dpi: int = 300, caption: str = ""
) -> bytes:
    """The file of a figure ("png", "svg" or "pdf") with the record of the exploration in its metadata. caption: what it
    is of, in small letters below it.
    """
    text = json.dumps(record or {})
    key = {"png": "Description", "svg": "Description", "pdf": "Subject"}[form]
    metadata: dict[str, Any] = {key: text} | ({"Date": None} if form == "svg" else {})
    if form == "pdf":
        metadata["CreationDate"] = None
    out = io.BytesIO()
    with paper():
        if caption:
            lines = "\n".join(wrap(caption.replace("$", r"\$"), int(LETTERS * figure.get_figwidth())))
            figure.supxlabel(lines, x=0.01, ha="left", fontsize=6, color=LIGHT.soft)
        figure.savefig(out, format=form, dpi=dpi, metadata=metadata)
    return out.getvalue()
