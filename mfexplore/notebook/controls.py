"""From the declaration of a control to widgets: the one place where the two meet."""

from __future__ import annotations

import html
import math
from collections.abc import Callable
from typing import Any

import ipywidgets as widgets

from mfexplore.core.controls import Control
from mfexplore.core.declaration import sentence_case
from mfexplore.figures.style import symbol_html, unit_html
from mfexplore.workbench.sheet import as_text, snap

Heard = Callable[[str, Any], None]  # name of the control, new value (text, if somebody typed something strange)


class NumberControl:
    """Label, number box and slider of one number. `heard` gets what a person does, not what `show` does."""

    def __init__(self, declared: Control, value: float | int, heard: Heard) -> None:
        self.declared, self._heard, self.shown = declared, heard, value
        low, high = declared.bounds
        self._log = declared.is_logarithmic
        shared = {"readout": False, "continuous_update": True, "description_allow_html": False}
        if self._log:
            a, b = math.log10(low), math.log10(high)
            self.slider = widgets.FloatLogSlider(value=value, base=10, min=a, max=b, step=(b - a) / 400, **shared)
        else:
            self.slider = widgets.FloatSlider(value=value, min=low, max=high, step=float(declared.step or 1), **shared)
        self.box = widgets.Text(value=as_text(value), continuous_update=False, tooltip=declared.allowed)
        label = widgets.HTML(f"<span>{html.escape(sentence_case(declared.title))} {symbol_html(declared)}</span>")
        unit = unit_html(declared)
        note = widgets.HTML(f"<small>{html.escape(declared.doc)}{f', {unit}' if unit else ''}</small>")
        self.widget = widgets.VBox([widgets.HBox([label, self.box]), self.slider, note])
        self.widget.add_class("mfexplore-control")
        self.slider.observe(self._slid, "value")
        self.box.observe(self._typed, "value")

    def show(self, value: float | int) -> None:
        """Stand at a value, silently."""
        self.shown = value
        if not self._stands(self.slider.value):
            self.slider.value = value
        if self.box.value != as_text(value):
            self.box.value = as_text(value)

    def _stands(self, position: float) -> bool:
        """Whether this position of the slider is, to half a step, the value that is shown."""
        near, far = (position, float(self.shown)) if not self._log else (math.log10(position), math.log10(self.shown))
        return bool(abs(near - far) <= 0.5001 * self.slider.step)

    def _slid(self, change: dict[str, Any]) -> None:
        if self._stands(float(change["new"])):  # the browser rounded a value between two steps
            return
        value = snap(self.declared, float(change["new"]))
        self.shown = value
        self.box.value = as_text(value)
        self._heard(self.declared.name, value)

    def _typed(self, change: dict[str, Any]) -> None:
        text = str(change["new"]).strip().replace(",", ".")
        if text == as_text(self.shown):
            return
        try:
            self._heard(self.declared.name, float(text))
        except ValueError:
            self._heard(self.declared.name, text)


class ChoiceControl:
    """The words of a choice as buttons, of which one is down."""

    def __init__(self, declared: Control, value: str, heard: Heard) -> None:
        self.declared, self._heard, self.shown = declared, heard, value
        options = [(declared.option_title(option), option) for option in declared.options]
        self.buttons = widgets.ToggleButtons(options=options, value=value)
        self.buttons.add_class("mfexplore-chips")
        label = widgets.HTML(f"<span>{html.escape(sentence_case(declared.title))} {symbol_html(declared)}</span>")
        note = widgets.HTML(f"<small>{html.escape(declared.doc)}</small>")
        self.widget = widgets.VBox([label, self.buttons, note])
        self.widget.add_class("mfexplore-control")
        self.buttons.observe(self._chosen, "value")

    def show(self, value: str) -> None:
        """Stand at a value, silently."""
        self.shown = value
        self.buttons.value = value

    def _chosen(self, change: dict[str, Any]) -> None:
        if change["new"] != self.shown:
            self.shown = change["new"]
            self._heard(self.declared.name, self.shown)


def control_widget(declared: Control, value: Any, heard: Heard) -> NumberControl | ChoiceControl:
    made = ChoiceControl if declared.is_choice else NumberControl
    return made(declared, value, heard)


class Menu:
    """A drop-down that can be set without being heard. options: value -> title."""

    def __init__(self, title: str, options: dict[Any, str], value: Any, heard: Callable[[Any], None]) -> None:
        self.shown, self._options = value, options
        self.widget = widgets.Dropdown(
            options=[(words, one) for one, words in options.items()], value=value, description=title
        )

        def chosen(change: dict[str, Any]) -> None:
            if change["new"] != self.shown:
                self.shown = change["new"]
                heard(self.shown)

        self.widget.observe(chosen, "value")

    def show(self, value: Any) -> None:
        """Stand at a value, silently."""
        self.shown = value
        self.widget.value = value

    def offer(self, options: dict[Any, str], value: Any) -> None:
        """Other options, and stand at one of them, silently."""
        made = tuple((words, one) for one, words in options.items())
        if self.widget.options != made:
            self.shown = next(iter(options))  # where the widget goes by itself
            self.widget.options = made
        if value in options:
            self.show(value)

    def without(self, absent: list[str], value: Any) -> None:
        """The options it was made with but for these, and stand at one of them, silently."""
        self.offer({one: words for one, words in self._options.items() if one not in absent}, value)


class Tabs:
    """Buttons of which one is down, and that can be set without being heard; the same as a `Menu`, always open."""

    def __init__(self, heard: Callable[[Any], None]) -> None:
        self.shown: Any = None
        self.widget = widgets.ToggleButtons(options=[])
        self.widget.add_class("mfexplore-chips")

        def chosen(change: dict[str, Any]) -> None:
            if change["new"] is not None and change["new"] != self.shown:
                self.shown = change["new"]
                heard(self.shown)

        self.widget.observe(chosen, "value")

    def offer(self, options: dict[Any, str], value: Any) -> None:
        """Other options, and stand at one of them, silently."""
        made = tuple((words, one) for one, words in options.items())
        if self.widget.options != made:
            self.shown = next(iter(options))  # where the widget goes by itself
            self.widget.options = made
        self.shown = value
        self.widget.value = value
