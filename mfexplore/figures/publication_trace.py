"""The trace of a simulation for paper: one panel per observable, theory as dashed lines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore.core.declaration import Observable
from mfexplore.core.model import Model
from mfexplore.figures.publication import paper
from mfexplore.figures.style import LIGHT, line_colour, mpl_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

MOST_PANELS = 6


def traces(trace: xr.Dataset, kind: type[Model], theory: xr.Dataset | None = None, width: float = 4.6) -> Figure:
    """Every declared observable of a trace (at most MOST_PANELS) against time, each on its scale; time is logarithmic
    where the run was recorded so.

    theory: `equilibrium()` at the same controls, drawn where it has the same observable: a line for each theory of what
    was simulated, and a shade beyond what is a bound.
    """
    from matplotlib.figure import Figure

    shown = [o for o in kind.observables if o.name in trace and np.ptp(trace[o.name].values) > 0][:MOST_PANELS]
    shown = shown or [o for o in kind.observables if o.name in trace][:1]
    times = trace["time"].values
    by_ratios = trace["time"].attrs.get("recording") == "log"
    with paper():
        figure = Figure(figsize=(width, 0.5 + 1.3 * len(shown)), layout="constrained")
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for axes, observable in zip(panels, shown, strict=True):
            values = trace[observable.name].values
            if observable.is_logarithmic:
                axes.set_yscale("log")
                values = np.where(values > 0, values, np.nan)
            axes.plot(times, values, color=line_colour(0), lw=1.0)
            if theory is not None and observable.name in theory:
                _draw_theory(axes, theory, observable, _model(kind, trace))
            axes.set_title(mpl_label(observable), loc="left", fontsize=9)  # beside the axis it would not fit
        if by_ratios and (times > 0).any():
            panels[-1].set(xscale="log", xlim=(times[times > 0].min(), times.max()))
        panels[-1].set_xlabel(f"time [{trace['time'].attrs['units']}]")
    return figure


def _model(kind: type[Model], trace: xr.Dataset) -> Model:
    """The controls that the run began at."""
    return kind(**json.loads(trace.attrs["controls"]))


def _draw_theory(axes: Any, theory: xr.Dataset, observable: Observable, model: Model) -> None:
    """What theory says of the long run."""
    values = theory[observable.name]
    if "method" not in values.dims:
        if values.ndim == 0:
            axes.axhline(float(values), color=LIGHT.marker, lw=1.0, ls=(0, (5, 4)))
        return
    for k, method in enumerate(model.methods):
        value = values.sel({"method": method.name})
        if value.ndim or not (np.isfinite(value) and model.applies(method) and model.describes(method)):
            continue
        axes.axhline(float(value), color=line_colour(k), lw=1.0, ls=(0, (5, 4)), label=method.title)
        if side := method.bound_of(observable.name):
            low, high = axes.get_ylim()
            far = max(high, float(value)) if side == "upper" else min(low, float(value))
            axes.axhspan(float(value), far, color=line_colour(k), alpha=0.13, lw=0)
    if axes.get_legend_handles_labels()[1]:
        axes.legend(frameon=False, fontsize=7)
