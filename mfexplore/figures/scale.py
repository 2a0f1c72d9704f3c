"""Where a value of a control stands on an axis: a logarithmic control is drawn by its decimal logarithm.

Bokeh fixes the kind of an axis when a figure is made, and ours are made once; so the figures plot places, and the
labels of the ticks say the values.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.controls import Control
from mfexplore.figures.frame import Figure, set_range
from mfexplore.figures.style import nice

SMALL = 0.01  # an axis that ends below it is labelled in powers of ten: Bokeh would write 5.000e-4


class Scale:
    """The scale of the axis of one control (None: a plain linear axis)."""

    def __init__(self, control: Control | None = None) -> None:
        self.is_log = control is not None and control.is_logarithmic
        self.least = 1.0 if control is not None and control.is_integer else 0.0  # between ticks

    def place(self, values: Any) -> NDArray[Any]:
        """Values -> places on the axis; NaN for what has none (nothing has grown yet)."""
        values = np.asarray(values)
        return np.log10(np.where(values > 0, values, np.nan)) if self.is_log else values

    def value(self, place: float) -> float:
        """Place on the axis -> value."""
        return float(10**place) if self.is_log else float(place)

    def show(self, figure: Figure, axis: str, low: float, high: float) -> None:
        """Show the window [low, high] of values on axis "x" or "y" of a figure, with ticks at round values."""
        set_range(figure, axis, float(self.place(low)), float(self.place(high)))
        drawn, free, told = (figure.part(f"{axis}{part}") for part in ("axis", "_ticker", "_told_ticker"))
        if not self.is_log and max(abs(low), abs(high)) > SMALL:
            free.update(min_interval=self.least)
            drawn.update(major_label_overrides={}, ticker=free.ref)
            return
        values = round_values(low, high) if self.is_log else even_values(low, high)
        places = [float(p) for p in self.place(values)]
        told.update(ticks=places)
        labels = {place: _tick(value) for place, value in zip(places, values, strict=True)}
        drawn.update(major_label_overrides=labels, ticker=told.ref)


def _tick(value: float) -> str:
    """A round value, with a power of ten where it is far from one."""
    if value == 0:
        return "0"
    power = int(np.floor(np.log10(abs(value)) + 1e-9))
    if -4 < power < 6:
        return f"{value:,.0f}" if power > 3 else nice(value)
    factor = nice(value / 10.0**power)
    raised = "10" + str(power).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return raised if factor == "1" else f"{factor}·{raised}"


def round_values(low: float, high: float) -> list[float]:
    """Powers of ten within [low, high], with 2 and 5 times them where there are few, and equal steps where that is not
    enough; at least two values.
    """
    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
        found = [s * 10.0**k for k in range(first, last + 1) for s in steps]
        inside = [v for v in found if low * (1 - 1e-9) <= v <= high * (1 + 1e-9)]
        if len(inside) >= 4:
            break
    return inside if len(inside) >= 3 else even_values(low, high)


def even_values(low: float, high: float) -> list[float]:
    """Round values in equal steps within [low, high]; at least three."""
    inside: list[float] = []
    for step in (10.0 ** np.floor(np.log10(high - low)) * part for part in (5, 2, 1, 0.5, 0.2)):
        inside = [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
        if len(inside) >= 3:
            break
    return inside
