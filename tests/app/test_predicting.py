"""Journeys of somebody who predicts before looking."""

from __future__ import annotations

from typing import Any

import pytest
from journeys import SOURCE, column, until, visit

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def visible(layer: str) -> str:
    figure = "Bokeh.documents.flatMap(d => d.roots()).find(r => r.name === 'curve')"
    return f"{figure}?.renderers.find(r => r.name === '{layer}').visible"


def test_a_curve_is_sketched_with_mouse_and_keys_and_judged(page: Any, address: str) -> None:
    visit(page, address)
    page.click("#predict")
    until(page, f"() => {visible('theory')} === false && {visible('points')} === false")
    assert not page.is_visible("[data-figure=trace]")
    until(page, f"() => {SOURCE}(['curve', 'guess', 'y']).length === 9")
    box = page.locator(".figure-curve").bounding_box()
    page.mouse.move(box["x"] + 0.25 * box["width"], box["y"] + 12)
    page.mouse.down()
    page.mouse.move(box["x"] + 0.6 * box["width"], box["y"] + 12, steps=12)
    page.mouse.up()
    until(page, f"() => {SOURCE}(['curve', 'guess', 'y']).filter(y => y > 0.9).length >= 3")
    page.focus("#sketcher")
    page.keyboard.press("PageUp")
    until(page, "() => /temperature 0\\.\\d+, magnetization/.test($('predicted').textContent)")
    page.click("#predict")
    until(page, "() => /of 9 points near the curve/.test($('predicted').textContent)")
    until(page, f"() => {visible('theory')} && {visible('points')}")
    assert len(column(page, "curve", "guess", "y")) == 9, "the sketch is seen beside the truth"
    page.wait_for_timeout(500)  # what comes sooner counts as the last step of the hand before
    page.click("[data-preset=paramagnet]")
    until(page, f"() => {SOURCE}(['curve', 'guess', 'y']).length === 0")


def test_a_boundary_is_sketched_on_the_diagram_and_the_marker_stays(page: Any, address: str) -> None:
    visit(page, address, "?x=coupling&temperature=1.1")
    page.click("#predict-boundary")
    until(page, f"() => {SOURCE}(['diagram', 'guess', 'y']).length === 9")
    assert not page.is_visible("#predict")
    box = page.locator(".figure-diagram").bounding_box()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.55 * box["width"], box["y"] + 0.3 * box["height"], steps=6)
    page.mouse.up()
    until(page, f"() => {SOURCE}(['diagram', 'guess', 'y'])[4] > 1.1")
    assert column(page, "diagram", "marker", "x") == [1.0]
    page.focus("#plane")
    for key in ["ArrowLeft"] * 8 + ["PageDown"] * 4:
        page.keyboard.press(key)
    until(page, f"() => {SOURCE}(['diagram', 'guess', 'y'])[0] < 0.3")
    assert "coupling 0." in page.inner_text("#predicted-boundary")
    page.keyboard.press("Shift+ArrowRight")
    page.click("#predict-boundary")
    until(page, "() => /of 9 points near the boundary/.test($('predicted-boundary').textContent)")
    page.focus("#plane")
    page.keyboard.press("ArrowRight")
    until(page, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] > 1")


def test_the_guess_of_a_task_is_dragged_kept_and_saved(page: Any, address: str) -> None:
    visit(page, address)
    page.click("#try")
    page.click("[data-task-start]")
    page.wait_for_selector("#asking:has-text('How strong')")
    page.click("[data-along=x]")
    page.locator(".figure-curve").scroll_into_view_if_needed()
    box = page.locator(".figure-curve").bounding_box()
    page.mouse.click(box["x"] + 0.4 * box["width"], box["y"] + 0.5 * box["height"])
    until(page, "() => Number($('guess').value) < -0.05")
    guess = float(page.input_value("#guess"))
    for figure in ("curve", "diagram"):
        assert column(page, figure, "guess_path", "xs")[0] == pytest.approx([guess, guess], abs=1e-3)
    page.fill("#box-field", "-0.19")
    page.keyboard.press("Enter")
    until(page, "() => $('guess').value === '-0.19'")  # who moves what is asked for has it as a guess
    page.click("#reveal")
    page.wait_for_selector("#answered.right")
    until(page, f"() => {SOURCE}(['diagram', 'guess_path', 'xs']).length === 2")  # the guess and the truth
    page.reload()
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    page.click("#tab-Tasks")
    page.wait_for_selector("[data-task] .solved")
    assert "1 of 1 predictions" in page.inner_text("#kept-here")
    with page.expect_download() as download:
        page.click("#kept-save")
    saved = download.value.path().read_text().splitlines()
    assert saved[0] == '"when","system","what","right","said","page"'
    assert '"Curie-Weiss ferromagnet","task 1","true"' in saved[1]
    page.click("#kept-forget")
    page.wait_for_selector("#kept", state="hidden")
