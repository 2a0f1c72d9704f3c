"""The trace of a simulation for paper: one panel per observable, theory as a dashed line."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mfexplore.core.model import Model
from mfexplore.figures.publication import paper
from mfexplore.figures.style import LIGHT, line_colour, mpl_label

if TYPE_CHECKING:
    import xarray as xr
    from matplotlib.figure import Figure

MOST_PANELS = 6


def traces(trace: xr.Dataset, kind: type[Model], theory: xr.Dataset | None = None, width: float = 4.6) -> Figure:
    """Every declared observable of a trace (at most MOST_PANELS) against time.

    theory: `equilibrium()` at the same controls, drawn where it has the same observable without further dimensions.
    """
    from matplotlib.figure import Figure

    shown = [o for o in kind.observables if o.name in trace and np.ptp(trace[o.name].values) > 0][:MOST_PANELS]
    shown = shown or [o for o in kind.observables if o.name in trace][:1]
    with paper():
        figure = Figure(figsize=(width, 0.5 + 1.3 * len(shown)), layout="constrained")
        panels = figure.subplots(len(shown), 1, sharex=True, squeeze=False)[:, 0]
        for axes, observable in zip(panels, shown, strict=True):
            axes.plot(trace["time"].values, trace[observable.name].values, color=line_colour(0), lw=1.0)
            if theory is not None and observable.name in theory and theory[observable.name].ndim == 0:
                axes.axhline(float(theory[observable.name]), color=LIGHT.marker, lw=1.0, ls=(0, (5, 4)))
            axes.set_title(mpl_label(observable), loc="left", fontsize=9)  # beside the axis it would not fit
        panels[-1].set_xlabel(f"time [{trace['time'].attrs['units']}]")
    return figure
