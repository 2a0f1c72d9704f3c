"""Journeys to pages that a link has prepared: bare ones in a frame, and those of a class."""

from __future__ import annotations

from typing import Any

import pytest
from journeys import FIND, PATIENCE, SOURCE, marker_at, until, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

WITHIN = """selector => { const box = bench().querySelector(selector).getBoundingClientRect();
    return box.width > 20 && box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight; }"""


@pytest.mark.parametrize("size", [(600, 400), (1280, 720)], ids=["small", "large"])
def test_a_bare_page_is_diagram_picture_and_controls_in_a_frame(page: Any, address: str, size: tuple[int, int]) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    visit(page, address, "?ui=bare&theme=dark&temperature=0.6")
    for part in (".figure-diagram", ".figure-state", "#slide-temperature", "#slide-field", "#play", "#whole-page"):
        until(page, WITHIN, part)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    assert page.evaluate("document.documentElement.scrollHeight <= innerHeight"), "a frame does not scroll"
    assert page.locator(".figure-diagram").bounding_box()["height"] > 0.4 * size[1]
    for chrome in (".logo", "#sharing", "#tab-About", ".checks", "[data-figure=curve]"):
        assert not page.is_visible(chrome), chrome
    page.click("#play")
    until(page, "() => bench().querySelector('[data-mirror=reading]').textContent.startsWith('magnetization')")
    page.click("#grip")
    page.click("[data-preset=paramagnet]")
    marker_at(page, 0.0, 1.4)
    until(page, "() => /ui=bare&theme=dark&.*temperature=1.4/.test(location.search)")
    assert "ui=" not in page.get_attribute("#whole-page", "href")
    assert "temperature=1.4" in page.get_attribute("#whole-page", "href")


def test_a_teacher_prepares_a_page_for_a_class(page: Any, address: str, browser: Any) -> None:
    visit(page, address)
    page.click("#sharing summary")
    page.click("#for-class")
    page.select_option("#class-task", "1")
    for word in ("theory", "simulation"):
        page.check(f"[data-veil-word={word}]")
    page.select_option("[data-hold=temperature]", "lock")
    page.select_option("[data-hold=coupling]", "hide")
    page.check("#class-collect")
    link = page.input_value("#class-link")
    assert "?ui=teach&task=1&veil=theory,simulation&lock=temperature&hide=coupling&class=" in link

    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(FIND)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(link)
    tab.wait_for_selector("#asking:has-text('How strong')")
    marker_at(tab, 0.0, 0.6)  # where the task is
    assert not tab.locator(".toast").count()
    assert tab.is_disabled("#slide-temperature")
    for gone in ("#box-coupling", "#sentence", ".checks", "[data-figure=trace]", "#for-class"):
        assert not tab.is_visible(gone), gone
    tab.focus("#plane")
    tab.keyboard.press("ArrowUp")
    tab.keyboard.press("ArrowLeft")
    marker_at(tab, -0.005, 0.6)
    box = tab.locator(".figure-diagram").bounding_box()
    tab.mouse.click(box["x"] + 0.6 * box["width"], box["y"] + 0.2 * box["height"])
    until(tab, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] > 0.05")
    assert tab.evaluate(f"{SOURCE}(['diagram', 'marker', 'y'])[0]") == pytest.approx(0.6)
    until(tab, "() => location.search.includes('ui=teach&task=1&veil=theory,simulation&lock=temperature')")
    tab.reload()
    tab.wait_for_selector("#asking:has-text('How strong')")
    tab.fill("#guess", "0.19")
    tab.keyboard.press("Enter")
    tab.wait_for_selector("#answered.right")
    tab.wait_for_selector("#sentence")
    assert tab.is_visible("[data-figure=trace]")
    tab.wait_for_selector("#classmates:has-text('The class has made 1 guess, 1 of them right.')")
    until(
        tab, f"() => {SOURCE}(['diagram', 'guess_path', 'xs']).length === 3"
    )  # guess, truth, and the pile of the class
    page.goto(link)  # the teacher looks as well
    page.wait_for_selector("#asking:has-text('How strong')")
    page.click("#skip")
    page.wait_for_selector("#classmates:has-text('1 guess')")
    assert tab.is_disabled("#slide-temperature"), "what is locked stays so"
    context.close()


def test_at_first_sight_there_are_three_controls_and_the_rest_is_one_click_away(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 1440, "height": 900})
    visit(page, address, "?size=500")
    for part in ("#slide-coupling", "[data-preset=hysteresis]", ".figure-diagram", "#sentence", "#play", "#all"):
        until(page, WITHIN, part)
    assert page.locator("[data-control]:visible").count() == 3
    assert page.inner_text("#all") == "All 7 controls (1 changed)"
    page.click("#all")
    assert page.input_value("#box-size") == "500"
    assert page.locator("[data-control]:visible").count() == 7
    until(page, "() => location.hash.includes('controls=all')")
    page.reload()
    page.wait_for_selector("#box-size")
