"""Where a value stands on an axis: what is logarithmic is drawn by its decimal logarithm.

Bokeh fixes the kind of an axis when a figure is made, and ours are made once; so the figures plot places, and the
labels of the ticks say the values.
"""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.frame import Figure, get_range, set_range
from mfexplore.figures.style import nice

SMALL = 0.01  # an axis that ends below it is labelled in powers of ten: Bokeh would write 5.000e-4
MOST_DECADES = 12  # that a logarithmic axis shows by itself: what is still smaller is as good as nothing
MOST_TICKS = 8


class Scaled(Protocol):
    """What has a scale: a control, an observable, a coordinate, an axis of a picture."""

    @property
    def is_logarithmic(self) -> bool: ...


class Scale:
    """The scale of the axis of something (None: a plain linear axis)."""

    def __init__(self, thing: Scaled | None = None) -> None:
        self.is_log = thing is not None and thing.is_logarithmic
        whole = getattr(thing, "is_integer", False) or getattr(thing, "discrete", False)
        self.least = 1.0 if whole else 0.0  # between ticks

    def place(self, values: Any) -> NDArray[Any]:
        """Values -> places on the axis; NaN for what has none (nothing has grown yet)."""
        values = np.asarray(values)
        return np.log10(np.where(values > 0, values, np.nan)) if self.is_log else values

    def places_of_ends(self, mean: NDArray[Any], error: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Where error bars begin and end; on a logarithmic axis they are as long below as above, if they reach zero."""
        low, high = mean - error, mean + error
        if self.is_log:
            with np.errstate(invalid="ignore", divide="ignore"):
                low = np.where(low > 0, low, mean**2 / high)
        return self.place(low), self.place(high)

    def value(self, place: float) -> float:
        """Place on the axis -> value."""
        return float(10**place) if self.is_log else float(place)

    def range(self, values: NDArray[Any], low: float | None, high: float | None) -> tuple[float, float]:
        """The values that an axis has to show: as declared, else what the data need (without the outer percent)."""
        finite = np.asarray(values)[np.isfinite(values)]
        if self.is_log:
            finite = finite[finite > 0]
            low, high = (None if end is None or end <= 0 else end for end in (low, high))
        if finite.size == 0:
            low = low if low is not None else 0.1 * (high or 10.0) if self.is_log else min(0.0, high or 0.0)
            return low, high if high is not None else max(10 * low, low + 1.0) if self.is_log else low + 1.0
        a, b = np.quantile(finite, (0.005, 0.995)) if finite.size > 50 else (finite.min(), finite.max())
        low, high = float(a) if low is None else low, float(b) if high is None else high
        if self.is_log:
            low = max(low, high / 10.0**MOST_DECADES)
            return (low, high) if high > 1.001 * low else (low / 2, low * 2)
        spread = abs(high) or 1.0
        return (low, high) if high - low > 1e-6 * spread else (low - 0.5 * spread, high + 0.5 * spread)

    def foot(self, shown: tuple[float, float]) -> float:
        """Where bars stand on an axis that shows these values."""
        return shown[0] if self.is_log else 0.0

    def show(self, figure: Figure, axis: str, low: float, high: float) -> None:
        """Show the window [low, high] of values on axis "x" or "y" of a figure, with ticks at round values."""
        set_range(figure, axis, float(self.place(low)), float(self.place(high)))
        drawn, free, told = (figure.part(f"{axis}{part}") for part in ("axis", "_ticker", "_told_ticker"))
        # An axis of Bokeh never forgets what a place was called: all that had a name hear what they are worth now.
        names = {place: tick(self.value(place)) for place in drawn["major_label_overrides"] or {}}
        if not self.is_log and max(abs(low), abs(high)) > SMALL:
            free.update(min_interval=self.least)
            drawn.update(major_label_overrides=names, ticker=free.ref)
            return
        labels = self.labels(low, high)
        told.update(ticks=list(labels))
        drawn.update(major_label_overrides=names | labels, ticker=told.ref)

    def labels(self, low: float, high: float) -> dict[float, str]:
        """Round values within [low, high] in words, by their places."""
        values = round_values(low, high) if self.is_log else even_values(low, high)
        return {float(place): tick(value) for place, value in zip(self.place(values), values, strict=True)}


def room(
    figure: Figure, axis: str, scale: Scale, low: float, high: float, margin: float = 0.0, firm: bool = False
) -> None:
    """Show [low, high] of values, and a margin in parts of it; unless firm, an axis that has room for them already and
    not far too much stays, so that it does not tremble while a run goes on.
    """
    a, b = (float(scale.place(end)) for end in (low, high))
    shown = get_range(figure, axis)
    if not firm and shown is not None and shown[0] <= a and b <= shown[1] and b - a > 0.5 * (shown[1] - shown[0]):
        return
    scale.show(figure, axis, scale.value(a - margin * (b - a)), scale.value(b + margin * (b - a)))


def tick(value: float) -> str:
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
    return inside[:: -(-len(inside) // MOST_TICKS)] if len(inside) >= 3 else even_values(low, high)


def even_values(low: float, high: float) -> list[float]:
    """Round values in equal steps within [low, high]; at least three."""
    inside: list[float] = []
    for step in (10.0 ** np.floor(np.log10(high - low)) * part for part in (5, 2, 1, 0.5, 0.2)):
        inside = [float(k * step) for k in range(int(np.ceil(low / step)), int(np.floor(high / step)) + 1)]
        if len(inside) >= 3:
            break
    return inside
