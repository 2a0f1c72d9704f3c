"""Controls: what a person can tune, declared once as the fields of a model.

Widgets, links, the command line, validation, documentation and tests all read this declaration.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.arguments import scalar
from mfexplore.core.declaration import Options, in_words
from mfexplore.core.errors import ControlError, NotOfferedError

Role = Literal[
    "temperature", "load", "disorder", "field", "coupling", "order", "rate", "time", "data", "size", "setting", "start"
]  # fmt: skip
Part = Literal["both", "theory", "simulation"]
Value = float | int | str
ROUNDING = 1e-12  # of the part of a range below zero: so far from zero steps through it may come
LEAST = 1e-15  # of a range that begins at zero; four memories of 400 neurons in sixes are a load of 4e-13


@dataclass(frozen=True)
class Control:
    """Declaration of one control.

    Attributes:
        name: field name on the model, the field's word in full.
        default: value of a fresh model; its type (float, int, str) is the type of the control.
        low, high: inclusive bounds of a number (None for a choice).
        step: step of the slider and of the arrow keys.
        symbol: LaTeX, without dollar signs.
        unit: unit in words or symbols, "" if dimensionless.
        role: what the control is in the physics: a "rate" is a learning rate or a step, "time" how long something
            lasts (an age, a horizon), "data" how much or what is learnt from. It decides the group on the page; a
            "size" and a "start" need a new run.
        doc: one line of help.
        options: the allowed words of a choice, () for a number.
        scale: "log" where equal ratios matter more than equal differences.
        part: whether theory, simulation or both depend on it.
        quenched: changing it needs a new sample; a running simulation cannot follow it.
        title: as people write its name; option_titles: as they write the options that are not plain words.
        only: the words of choices under which it has an effect.
    """

    name: str
    default: Value
    low: float | int | None
    high: float | int | None
    step: float | int | None
    symbol: str
    unit: str
    role: Role
    doc: str
    options: tuple[str, ...] = ()
    scale: Literal["linear", "log"] = "linear"
    part: Part = "both"
    quenched: bool = False
    title: str = ""
    only: Options = field(default_factory=dict, hash=False)
    option_titles: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def is_choice(self) -> bool:
        return bool(self.options)

    @property
    def is_integer(self) -> bool:
        return isinstance(self.default, int)

    @property
    def is_logarithmic(self) -> bool:
        """Whether an axis or a slider of it is divided by ratios: declared so, and positive throughout."""
        return self.scale == "log" and not self.is_choice and self.bounds[0] > 0

    @property
    def is_followed(self) -> bool:
        """Whether a running simulation follows a change of it; else it needs a new run."""
        return not self.quenched and self.role not in ("size", "start")

    @property
    def is_carried(self) -> bool:
        """Whether a run can be carried along it: a number that a running simulation follows, and depends on."""
        return self.is_followed and not self.is_choice and self.part != "theory" and self.role != "time"

    def option_title(self, option: str) -> str:
        """An option as people write it."""
        return self.option_titles.get(option) or in_words(option)

    @property
    def bounds(self) -> tuple[float, float]:
        """The inclusive bounds of a number."""
        if self.low is None or self.high is None:
            raise NotOfferedError(self.title, "bounds: it is a choice between words")
        return float(self.low), float(self.high)

    @property
    def allowed(self) -> str:
        """The allowed values in words, as error messages and help show them."""
        if self.is_choice:
            return " | ".join(self.options)
        kind = "whole number" if self.is_integer else "number"
        unit = f" {self.unit}" if self.unit else ""
        return f"a {kind} from {self.low:g} to {self.high:g}{unit}"

    def check(self, value: Any, system: str) -> Value:
        """Return `value` as this control's own type; raise ControlError if it is not allowed.

        What differs from zero by rounding errors (-0.0, or 8.9e-16 of `np.arange(-1, 1, 0.01)`) is zero: theories tell
        the two apart, and at 8.9e-16 they divide by it.
        """
        given = scalar(value)
        if self.is_choice:
            if not isinstance(given, str) or given not in self.options:
                raise ControlError(system, self.name, value, self.allowed)
            return str(given)
        if isinstance(given, bool | bytes | np.ndarray):
            raise ControlError(system, self.name, value, self.allowed)
        try:
            number = float(given)
        except (TypeError, ValueError, OverflowError):
            raise ControlError(system, self.name, value, self.allowed) from None
        low, high = self.bounds
        if math.isnan(number) or not low <= number <= high or (self.is_integer and number != int(number)):
            raise ControlError(system, self.name, value, self.allowed)
        if low <= 0 <= high and abs(number) < max(ROUNDING * -low, LEAST * high):
            number = 0.0
        return int(number) if self.is_integer else number

    def check_array(self, values: Any, system: str) -> NDArray[Any]:
        """The same for an axis: a 1-d array of allowed values, at least one (float64, int64 or str)."""
        if getattr(values, "ndim", 1) > 1:
            raise ControlError(system, self.name, f"array of shape {values.shape}", "a one-dimensional array")
        items = values if isinstance(values, list | tuple | range) else np.atleast_1d(np.asanyarray(values)).tolist()
        if not len(items):
            raise ControlError(system, self.name, values, f"at least one value, each {self.allowed}")
        dtype = np.str_ if self.is_choice else np.int64 if self.is_integer else np.float64
        return np.array([self.check(v, system) for v in items], dtype=dtype)

    def grid(self, n: int, low: float | None = None, high: float | None = None) -> NDArray[Any]:
        """`n` values between the bounds (or a narrower window), equally spaced on the control's scale."""
        if self.is_choice:
            return np.array(self.options)
        a = self.bounds[0] if low is None else float(low)
        b = self.bounds[1] if high is None else float(high)
        values = np.geomspace(a, b, n) if self.scale == "log" else np.linspace(a, b, n)
        values[0], values[-1] = a, b
        return np.unique(np.rint(values)).astype(np.int64) if self.is_integer else values

    def within(self, values: Iterable[float]) -> NDArray[np.float64]:
        """Those of the values that lie within the bounds, sorted."""
        low, high = self.bounds
        return np.array(sorted(v for v in values if low <= v <= high), dtype=np.float64)


def control(
    default: float | int,
    low: float | int,
    high: float | int,
    *,
    symbol: str,
    role: Role,
    doc: str,
    unit: str = "",
    step: float | int | None = None,
    scale: Literal["linear", "log"] = "linear",
    part: Part = "both",
    quenched: bool = False,
    title: str = "",
    only: Options | None = None,
) -> Any:
    """Declare a number: a float, or a whole number if `default` is an int. See `Control` for the arguments."""
    if step is None:
        step = 1 if isinstance(default, int) else (high - low) / 1000
    made = Control("", default, low, high, step, symbol, unit, role, doc, (), scale, part, quenched, title, only or {})
    return field(default=default, metadata={"control": made})


def choice(
    default: str,
    options: tuple[str, ...] | Mapping[str, str],
    *,
    doc: str,
    symbol: str = "",
    role: Role = "setting",
    part: Part = "both",
    quenched: bool = True,
    title: str = "",
    only: Options | None = None,
) -> Any:
    """Declare a choice between words, or from words to what they are called. See `Control` for the arguments."""
    titles = options if isinstance(options, Mapping) else {}
    made = Control(
        "", default, None, None, None, symbol, "", role, doc, tuple(options), "linear", part, quenched, title,
        only or {}, titles,
    )  # fmt: skip
    return field(default=default, metadata={"control": made})


def named(made: Control, name: str) -> Control:
    return replace(made, name=name, title=made.title or in_words(name))
