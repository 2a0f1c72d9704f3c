"""What a workbench in a notebook shows of a system that says everything."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from test_bench import Browser
from toy import Toy


@pytest.fixture
def shown() -> Iterator[Browser]:
    made = Browser(Toy())
    made.says()
    made.until(lambda: made.desk and made.desk.frame and made.page.bench.choices["state"].shown)
    yield made
    made.close()


def test_functions_pictures_and_distributions_are_chosen_there_too(shown: Browser) -> None:
    bench = shown.page.bench
    assert shown.until(lambda: bench.places["function"].children and bench.places["recursion"].children)
    shown.until(
        lambda: [value for _, value in bench.choices["function"].widget.options] == ["decay", "response", "shape"]
    )
    bench.choices["function"].widget.value = "shape"
    shown.until(lambda: shown.desk.session.current.function == "shape")
    bench.choices["state"].widget.value = "eigenvalues"
    shown.until(lambda: shown.desk.frame.looked_at == "eigenvalues")
    bench.choices["histogram"].widget.value = "angle"
    shown.until(lambda: shown.desk.session.current.law == "angle")
    shown.until(lambda: "steeper" in bench.keys["landscape"].value)


def test_what_does_not_exist_is_hidden_there_too(shown: Browser) -> None:
    bench = shown.page.bench
    bench.every.click()
    shown.until(lambda: bench.controls["dressing"].widget.layout.display == "none")
    assert "wild" not in [value for _, value in bench.menus["branch"].widget.options]
    bench.controls["kind"].buttons.value = "dressed"
    shown.until(lambda: bench.controls["dressing"].widget.layout.display is None)
    assert "wild" in [value for _, value in bench.menus["branch"].widget.options]
    assert "dressing" in [value for _, value in bench.menus["x"].widget.options]
