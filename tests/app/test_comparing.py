"""A journey to two live states side by side."""

from __future__ import annotations

from typing import Any

import pytest
from journeys import SOURCE, until, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_a_pinned_view_and_another_run_side_by_side(page: Any, address: str) -> None:
    visit(page, address, "?temperature=0.5")
    page.click("#pin")
    page.fill("#box-temperature", "1.3")
    page.keyboard.press("Enter")
    until(page, "() => location.search.includes('temperature=1.3')")
    page.click("[data-pin=compare]")
    left, right = (page.wait_for_selector(f"iframe[name={name}]").content_frame() for name in ("left", "right"))
    for frame, temperature in ((left, "0.5"), (right, "1.3")):
        frame.wait_for_function("document.documentElement.dataset.connected === 'true'")
        frame.wait_for_function(f"$('box-temperature').value === '{temperature}'")
    page.wait_for_function("document.querySelector('.differs').textContent.includes('temperature 0.5')")
    page.click("#play")
    for frame in (left, right):
        frame.wait_for_function("parseFloat($('clock').textContent) > 2")
    left.fill("#box-field", "0.2")
    left.press("#box-field", "Enter")
    page.wait_for_function("document.querySelector('.differs').textContent.includes('field 0.2')")
    page.check("#common")
    left.focus("#slide-temperature")
    left.press("#slide-temperature", "ArrowRight")
    right.wait_for_function("$('box-temperature').value === '0.505'")  # the one that a hand moves leads
    right.wait_for_function(f"Math.abs({SOURCE}(['diagram', 'marker', 'y'])[0] - 0.505) < 1e-4")
    right.focus("#plane")
    right.press("#plane", "ArrowLeft")
    left.wait_for_function("$('box-field').value === '-0.005'")
    page.wait_for_function("document.querySelector('.differs').textContent === 'the same controls'")
    page.wait_for_function("location.search.includes('common=1') && location.search.includes('temperature%3D0.505')")
    page.reload()
    page.wait_for_function("document.querySelector('.differs').textContent === 'the same controls'")


def test_a_system_that_does_not_exist_cannot_be_compared(page: Any, address: str) -> None:
    page.goto(f"{address}/compare?system=curie_wiess")
    assert "Did you mean 'curie_weiss'?" in page.inner_text("main")
