"""Widgets made from declarations: what a person does is heard once, what the desk shows is not heard at all."""

from __future__ import annotations

from typing import Any

import pytest
from cases import each_system

import mfexplore as mf
from mfexplore.core import Model
from mfexplore.notebook.controls import ChoiceControl, Menu, NumberControl, control_widget
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.sheet import Sheet, as_text


class Heard(list[tuple[str, Any]]):
    def __call__(self, name: str, value: Any) -> None:
        self.append((name, value))


@each_system()
def test_every_control_of_every_system_stands_at_its_values(system: type[Model]) -> None:
    for declared in system.controls().values():
        heard = Heard()
        made = control_widget(declared, declared.default, heard)
        values = declared.options if declared.is_choice else (declared.low, declared.high, declared.default)
        for value in values:
            made.show(value)  # type: ignore[arg-type]
            assert made.shown == value, declared.name
        assert not heard, declared.name


@each_system()
def test_every_control_is_in_one_group(system: type[Model]) -> None:
    names = [declared.name for _, controls in Sheet(Exploration.of(system())).groups for declared in controls]
    assert sorted(names) == sorted(system.controls())


@pytest.fixture
def temperature() -> tuple[NumberControl, Heard]:
    heard = Heard()
    return NumberControl(mf.system("curie_weiss").control("temperature"), 0.7, heard), heard


def test_slider_is_heard_and_moves_the_box(temperature: tuple[NumberControl, Heard]) -> None:
    made, heard = temperature
    made.slider.value = 0.52
    assert heard == [("temperature", 0.52)]
    assert made.box.value == "0.52"


def test_box_takes_numbers_and_passes_on_what_is_none(temperature: tuple[NumberControl, Heard]) -> None:
    made, heard = temperature
    made.box.value = "0,4"
    made.box.value = "warm"
    assert heard == [("temperature", 0.4), ("temperature", "warm")]
    made.show(0.7)  # what the desk answers to a bad value
    assert made.box.value == "0.7"


def test_rounding_of_a_logarithmic_slider_is_not_a_change() -> None:
    heard = Heard()
    made = NumberControl(mf.system("curie_weiss").control("size"), 2000, heard)
    made.slider.value = made.slider.value * 10 ** (0.4 * made.slider.step)  # as the browser rounds to its steps
    assert not heard
    assert made.shown == 2000
    made.slider.value = 10 ** (3 + 3 * made.slider.step)
    assert [name for name, _ in heard] == ["size"]
    assert isinstance(heard[0][1], int)


def test_choice() -> None:
    heard = Heard()
    made = ChoiceControl(mf.system("hopfield").control("memories"), "random", heard)
    made.buttons.value = "digits"
    made.show("random")
    assert heard == [("memories", "digits")]


def test_menu_offers_other_options_silently() -> None:
    heard: list[Any] = []
    menu = Menu("trace of", {"": ""}, "", heard.append)
    menu.offer({"a": "A", "b": "B"}, "b")
    assert menu.widget.value == "b"
    assert not heard
    menu.widget.value = "a"
    assert heard == ["a"]


def test_a_small_number_is_not_shown_as_nothing() -> None:
    shown = [as_text(value) for value in (0.000732421875, 3.906e-13, 0.0, 0.25, 1234.5)]
    assert shown == ["0.000732", "3.91e-13", "0", "0.25", "1234.5"]
