"""Journeys of a person through the app, in a real Chromium."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from journeys import FIND, PATIENCE, SOURCE, await_answer, column, free_port, marker_at, running, served, until, visit

import mfexplore as mf
from mfexplore.app import pages
from mfexplore.study import export

SERVE_ME = Path(pages.__file__).parent / "serve_me.py"  # to import it is to serve it

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_gallery_leads_to_a_system(page: Any, address: str) -> None:
    page.goto(address)
    page.fill("#search", "no such thing anywhere")
    page.wait_for_selector("#nothing")
    for words in ("weiss 1907", "h_s↑"):  # a paper, a symbol
        page.fill("#search", words)
        assert "Curie-Weiss" in page.inner_text(".system:visible")
    for words in ("synchronization", "Tc", "XY", "Landau"):
        page.fill("#search", words)
        assert page.locator(".system:visible").count(), words
    page.fill("#search", "AMP")
    page.wait_for_selector("#found:visible")
    assert "Compressed sensing" in page.inner_text(".system:visible >> nth=0"), "not a sample, nor an amplitude"
    page.fill("#search", "weiss")
    assert "Curie-Weiss" in page.inner_text(".system:visible >> nth=0"), "what has it in its name comes first"
    page.reload()
    assert page.input_value("#search") == "weiss", "the address keeps what was searched for"
    assert page.locator("h1").count() == 1
    page.wait_for_selector(".system:visible img.there")
    page.click(".system:visible")
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    assert "Curie-Weiss" in page.title()


def test_slider_moves_marker_and_curve(home: Any) -> None:
    before = column(home, "curve", "theory", "ys")
    home.focus("#slide-coupling")
    home.keyboard.press("End")
    until(home, "() => $('box-coupling').value === '2'")
    until(home, f"before => JSON.stringify({SOURCE}(['curve', 'theory', 'ys'])) !== before", _compact(home, before))
    home.focus("#slide-temperature")
    home.keyboard.press("ArrowRight")
    marker_at(home, 0.0, 0.705)
    until(home, "() => $('headline').textContent.startsWith('Bistable')")


def _compact(page: Any, values: Any) -> str:
    text: str = page.evaluate("values => JSON.stringify(values)", values)
    return text


def test_click_drag_and_arrow_keys_move_the_marker(home: Any) -> None:
    box = home.locator(".figure-diagram").bounding_box()
    home.mouse.click(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    until(home, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] < -0.1")
    x, y = (column(home, "diagram", "marker", n)[0] for n in "xy")
    home.keyboard.press("ArrowRight")
    marker_at(home, x + 0.005, y)
    home.keyboard.press("Shift+ArrowDown")
    marker_at(home, x + 0.005, y - 0.05)
    assert home.input_value("#box-temperature") == f"{y - 0.05:.4g}".rstrip("0")


def test_preset_undo_and_redo(home: Any) -> None:
    home.click("[data-preset='hysteresis']")
    until(home, "() => $('box-drive_amplitude').value === '0.4'")
    assert "turn only beyond the spinodal" in home.inner_text("#watch")
    until(home, "() => $('play').getAttribute('aria-pressed') === 'true'")
    assert home.get_attribute("[data-preset='hysteresis']", "aria-pressed") == "true"
    home.click("#reset")
    until(home, "() => !$('watch').textContent.includes('spinodal')")
    home.click("#undo")
    until(home, "() => $('box-drive_amplitude').value === '0.4'")
    home.click("#undo")
    until(home, "() => $('box-drive_amplitude').value === '0'")
    home.click("#redo")
    until(home, "() => $('box-drive_amplitude').value === '0.4'")


def test_link_restores_what_was_on_the_screen(page: Any, address: str) -> None:
    visit(page, address, "?temperature=0.55&field=0.1&seed=5&colour=susceptibility&along=x")
    marker_at(page, 0.1, 0.55)
    page.fill("#box-field", "0.2")
    page.keyboard.press("Enter")
    until(page, "() => location.search.includes('field=0.2')")
    link = page.url
    visit(page, address)
    page.goto(link)
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    marker_at(page, 0.2, 0.55)
    assert page.input_value("#seed") == "5"
    until(page, "() => bench().querySelector('[data-view=colour]').value === 'susceptibility'")


def test_bad_link_and_bad_value_are_told_and_nothing_is_lost(page: Any, address: str) -> None:
    visit(page, address, "?temperature=99&field=0.1&colour=nothing&unheard=1")
    page.wait_for_selector(".toast")
    until(page, "() => bench().querySelector('.toast span').textContent.split('\\n').length === 3")
    marker_at(page, 0.1, 0.7)
    page.fill("#box-temperature", "warm")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast.error")
    until(page, "() => $('box-temperature').value === '0.7'")
    page.click("#all")
    page.fill("#seed", "-3")
    page.keyboard.press("Enter")
    page.wait_for_selector(".toast:has-text('seed =')")
    until(page, "() => $('seed').value === '0'")
    page.goto(f"{address}/curie_wiess")
    assert "Did you mean 'curie_weiss'?" in page.inner_text("main")


def test_simulation_plays_pauses_and_restarts(home: Any) -> None:
    home.click("#play")
    until(home, "() => parseFloat($('clock').textContent) > 10")
    home.click("#play")
    until(home, "() => $('play').getAttribute('aria-pressed') === 'false'")
    home.click("#restart")
    until(home, "() => parseFloat($('clock').textContent) === 0")
    home.click("#step")
    until(home, "() => parseFloat($('clock').textContent) === 1")


def test_pages_help_theme_and_task(page: Any, address: str) -> None:
    visit(page, address)
    page.click("#tab-About")
    assert page.locator("#pane-About .equation").count() == 6
    page.click("#tab-Data")
    page.wait_for_selector("#table td")
    page.click("#tab-Code")
    assert "mf.system(" in page.inner_text("#python")
    page.click("#tab-Tasks")
    page.fill(".task input", "0.18")
    page.keyboard.press("Enter")
    page.wait_for_selector(".task .answer")
    page.click("#help")
    page.wait_for_selector("dialog[open]")
    page.keyboard.press("Escape")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.reload()
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"


def swipe(page: Any, x: float, y: float, across: float, up: float) -> None:
    """A finger goes down, moves by so much, and lifts."""
    fingers = page.context.new_cdp_session(page)
    for kind, part in [("touchStart", 0.0), *(("touchMove", k / 8) for k in range(1, 9)), ("touchEnd", 1.0)]:
        points = [] if kind == "touchEnd" else [{"x": x + across * part, "y": y + up * part}]
        fingers.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})


def test_on_a_phone_cause_and_effect_are_on_one_screen_and_scrolling_moves_nothing(browser: Any, address: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    context.add_init_script(FIND)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    visit(tab, address, "?temperature=0.55&field=0.1")
    assert tab.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    within = """selector => { const box = bench().querySelector(selector).getBoundingClientRect();
        return box.left >= 0 && box.right <= innerWidth && box.top >= 0 && box.bottom <= innerHeight; }"""
    assert tab.evaluate(within, ".grip [data-press=play]")
    plane = tab.locator(".figure-diagram").bounding_box()
    swipe(tab, plane["x"] + 0.6 * plane["width"], plane["y"] + 0.3 * plane["height"], -20, -200)
    until(tab, "() => scrollY > 50")
    marker_at(tab, 0.1, 0.55)
    tab.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    tab.click("#export summary")
    assert tab.evaluate(within, "#export .sheet")
    tab.click("#export summary")
    tab.click("#grip")
    until(tab, within, "#slide-temperature")
    until(tab, within, ".figure-diagram")
    tab.click(".grip [data-press=play]")
    until(tab, "() => bench().querySelector('[data-mirror=reading]').textContent.startsWith('magnetization')")
    tab.click("[data-stage=state]")
    until(tab, within, "[data-figure=state]")
    assert tab.evaluate(within, "#slide-temperature")
    tab.click("[data-stage=diagram]")
    until(tab, within, ".figure-diagram")
    plane = tab.locator(".figure-diagram").bounding_box()
    tab.touchscreen.tap(plane["x"] + 0.3 * plane["width"], plane["y"] + 0.4 * plane["height"])
    until(tab, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] < -0.1")
    context.close()


def test_browser_back_and_forward_stay_in_the_workbench(page: Any, address: str) -> None:
    visit(page, address)
    page.fill("#box-field", "0.2")
    page.keyboard.press("Enter")
    until(page, "() => location.search.includes('field=0.2')")
    page.wait_for_timeout(1100)
    page.click("[data-preset=paramagnet]")
    until(page, "() => location.search.includes('temperature=1.4')")
    page.go_back()
    marker_at(page, 0.2, 0.7)
    page.go_forward()
    marker_at(page, 0.0, 1.4)
    page.fill("#box-temperature", "1.8")
    page.keyboard.press("Enter")
    page.wait_for_selector("#outside:has-text('temperature 1.8')")
    page.click("#whole")
    page.wait_for_selector("#outside", state="hidden")


def test_a_task_hides_theory_until_it_is_answered(page: Any, address: str) -> None:
    visit(page, address)
    page.click("#try")
    page.click("[data-task-start]")
    page.wait_for_selector("#asking:has-text('How strong')")
    assert not page.is_visible("#sentence")
    diagram = "Bokeh.documents.flatMap(d => d.roots()).find(r => r.name === 'diagram')"
    colours = f"{diagram}.renderers.find(r => r.name === 'colour')"
    until(page, f"() => !{colours}.visible")
    page.fill("#guess", "0.19")
    page.keyboard.press("Enter")
    page.wait_for_selector("#answered.right")
    until(page, f"() => {colours}.visible")
    assert page.is_visible("#sentence")


def test_two_people_do_not_disturb_each_other(page: Any, address: str) -> None:
    visit(page, address, "?temperature=0.5")
    other = page.context.new_page()
    visit(other, address, "?temperature=1.2")
    other.focus("#slide-temperature")
    other.keyboard.press("Home")
    marker_at(other, 0.0, 0.0)
    marker_at(page, 0.0, 0.5)
    other.close()


def test_shared_link_restores_the_view(page: Any, address: str) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    visit(page, address, "?temperature=0.55")
    page.select_option("[data-view=x]", "coupling")
    until(page, "() => location.search.includes('x=coupling')")
    page.click("#sharing summary")
    page.click("#share")
    page.wait_for_selector(".toast.info")
    link = page.evaluate("navigator.clipboard.readText()")
    visit(page, address)
    page.goto(link)
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    marker_at(page, 1.0, 0.55)


def test_shared_link_restores_how_one_looks(page: Any, address: str, browser: Any) -> None:
    visit(page, address)
    page.select_option("[data-choices=trace] select", "energy")
    page.focus("#speed")
    page.keyboard.press("End")
    page.click("#tab-Data")
    until(page, "() => location.hash.includes('pane=Data')")
    elsewhere = browser.new_context(viewport={"width": 1400, "height": 1000})
    elsewhere.add_init_script(FIND)
    other = elsewhere.new_page()
    other.goto(page.url)
    other.wait_for_selector("#pane-Data td")
    until(other, "() => bench().querySelector('[data-choices=trace] select').value === 'energy'")
    assert other.input_value("#speed") == "2.5"
    elsewhere.close()


def test_live_run_goes_on_where_the_diagram_is_clicked(page: Any, address: str) -> None:
    visit(page, address)
    page.click("[data-along=x]")
    page.click("#play")
    until(page, "() => parseFloat($('clock').textContent) > 3")
    box = page.locator(".figure-diagram").bounding_box()
    page.mouse.click(box["x"] + 0.7 * box["width"], box["y"] + 0.3 * box["height"])
    until(page, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] > 0.3")
    x = column(page, "diagram", "marker", "x")[0]
    until(page, f"x => Math.abs({SOURCE}(['curve', 'live', 'x']).at(-1) - x) < 1e-4", x)
    before = page.evaluate("parseFloat($('clock').textContent)")
    until(page, f"() => parseFloat($('clock').textContent) > {before}")
    assert before > 3  # the same run, not a new one


def test_pointer_reads_the_diagram(home: Any) -> None:
    box = home.locator(".figure-diagram").bounding_box()
    home.mouse.move(box["x"] + 0.7 * box["width"], box["y"] + 0.7 * box["height"])
    until(home, "() => /^field 0\\.\\d+, temperature 0\\.\\d+: magnetization (0\\.9|1)/"
                ".test($('readout').textContent)")  # fmt: skip
    home.mouse.move(5, 5)
    until(home, "() => $('readout').textContent === ''")


def test_page_opens_again_as_it_was_when_the_server_returns(browser: Any) -> None:
    """Behind a prefix, too, and from an address with a slash at its end."""
    port = free_port()
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(FIND)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    with served(port, prefix="/on/a/hub") as url:
        tab.goto(f"{url}/curie_weiss/?temperature=0.55&seed=3")
        tab.wait_for_function("document.documentElement.dataset.connected === 'true'")
        marker_at(tab, 0.0, 0.55)
        assert tab.url.startswith(f"{url}/curie_weiss?")
        tab.fill("#box-field", "0.2")
        tab.keyboard.press("Enter")
        until(tab, "() => location.search.includes('field=0.2')")
    tab.wait_for_selector("#lost:visible")
    with served(port, prefix="/on/a/hub"):
        tab.wait_for_selector("#lost", state="hidden")
        until(tab, "() => document.documentElement.dataset.connected === 'true'")
        marker_at(tab, 0.2, 0.55)
        assert tab.input_value("#seed") == "3"
        tab.click(".logo")
        tab.wait_for_selector(".system:visible")
        context.close()


def test_a_line_that_breaks_or_cannot_be_had_loses_nothing(page: Any, address: str) -> None:
    lines: list[Any] = []

    def route(line: Any) -> None:
        lines.append(line)
        if len(lines) == 2:
            line.close()
        else:
            line.connect_to_server()

    page.route_web_socket(re.compile("/line/"), route)
    visit(page, address, "?temperature=0.7&field=0.1")
    assert len(lines) == 1
    lines[0].close()
    page.fill("#box-field", "0.2")
    page.keyboard.press("Enter")
    marker_at(page, 0.2, 0.7)
    until(page, "() => location.search.includes('field=0.2')")
    page.fill("#box-temperature", "0.55")  # the second line was refused: the component's messages serve
    page.keyboard.press("Enter")
    marker_at(page, 0.2, 0.55)


def test_choosing_the_other_axis_swaps_both(page: Any, address: str) -> None:
    visit(page, address, "?temperature=0.55&field=0.1")
    page.select_option("[data-view=x]", "temperature")
    marker_at(page, 0.55, 0.1)
    assert page.input_value("[data-view=y]") == "field"
    assert not page.locator(".toast").count()
    until(page, "() => location.search.includes('x=temperature')")
    link = page.url
    page.goto("about:blank")
    page.goto(link)
    page.wait_for_function("document.documentElement.dataset.connected === 'true'")
    marker_at(page, 0.55, 0.1)
    assert page.input_value("[data-view=y]") == "field"


def test_zoom_and_back(home: Any) -> None:
    left = "(() => Bokeh.documents.flatMap(doc => doc.roots()).find(r => r.name === 'diagram').x_range.start)()"
    home.focus("#plane")
    home.keyboard.press("+")
    until(home, f"() => {left} === -0.5")
    until(home, "() => location.search.includes('x_window')")
    home.keyboard.press("0")
    until(home, f"() => {left} === -1")


def test_pin_and_undo_of_a_drag(home: Any) -> None:
    home.keyboard.press("p")
    home.wait_for_selector("#pins li")
    box = home.locator(".figure-diagram").bounding_box()
    home.mouse.move(box["x"] + 0.3 * box["width"], box["y"] + 0.3 * box["height"])
    home.mouse.down()
    for step in range(6):
        home.mouse.move(box["x"] + (0.3 + 0.02 * step) * box["width"], box["y"] + 0.3 * box["height"])
    home.mouse.up()
    until(home, f"() => {SOURCE}(['diagram', 'marker', 'x'])[0] !== 0")
    until(home, "() => !$('undo').disabled")
    home.keyboard.press("Control+z")
    marker_at(home, 0.0, 0.7)
    assert len(column(home, "curve", "pins", "xs")) == 3  # one for each branch
    home.click("[data-pin=rename]")
    home.keyboard.type("before")
    home.keyboard.press("Enter")
    home.fill("#box-field", "0.2")
    home.keyboard.press("Enter")
    home.click("[data-pin=visit] >> text=before")
    marker_at(home, 0.0, 0.7)
    home.click("[data-pin=remove]")
    home.wait_for_selector("#pins-card", state="hidden")


def test_a_run_is_carried_and_a_plane_measured_when_somebody_asks(page: Any, address: str) -> None:
    visit(page, address, "?temperature=0.6&size=100&along=x")
    page.click("text=Carry up and down")
    page.wait_for_selector("[data-simulate=curve] >> text=Stop")
    until(page, f"{SOURCE}(['curve', 'arrows', 'x']).length > 3")
    page.wait_for_selector("[data-legend=curve] [data-drawn=loop]:not([hidden])")
    page.wait_for_selector("[data-simulate=curve] >> text=Clear")
    assert len(column(page, "curve", "arrows", "x")) == 66
    page.click("[data-simulate=curve]")
    until(page, f"{SOURCE}(['curve', 'arrows', 'x']).length === 0")
    page.click("[data-simulate=diagram] >> text=Measure")
    until(page, f"{SOURCE}(['diagram', 'measured', 'x']).length > 3")
    page.click("[data-simulate=diagram] >> text=Stop")
    page.wait_for_selector("[data-simulate=diagram] >> text=Clear")
    page.fill("#box-coupling", "0.8")
    page.press("#box-coupling", "Enter")
    until(page, f"{SOURCE}(['diagram', 'measured', 'x']).length === 0")
    page.fill("#average-value", "12")
    page.click("[data-simulate=average]")
    page.wait_for_selector("[data-simulating=average] >> text=from 12 samples")
    assert page.input_value("#sweep-name") == "field", "along which the curve is"
    page.click("#sweep-run")
    until(page, f"new Set({SOURCE}(['curve', 'trail', 'x'])).size > 5")
    page.click("#sweep-run >> text=Stop")
    page.wait_for_selector("#sweep-run >> text=Sweep")


def test_a_reference_leads_to_its_point(page: Any, address: str) -> None:
    visit(page, address, "?temperature=1.3")
    page.wait_for_selector("[data-check='1'] .value >> text=task 1")
    page.click("#tab-About")
    page.click("[data-reference='1']")
    until(page, "$('box-temperature').value === '0.6'")
    assert page.is_visible("#plane")


def test_exports_of_every_kind_open(page: Any, address: str, tmp_path: Path) -> None:
    visit(page, address, "?field=0.1")
    begins = {
        "png": b"\x89PNG",
        "svg": b"<?xml",
        "pdf": b"%PDF",
        "csv": b"#",
        "nc": b"\x89HDF",
        "ipynb": b"{",
        "gif": b"GIF89a",
    }
    for what in ("run.gif", "diagram.png", "curve.svg", "curve.pdf", "trace.csv", "curve.nc", "notebook.ipynb"):
        page.click("#export summary")
        with page.expect_download() as download:
            page.click(f"[data-export='{what}']")
        assert download.value.path().read_bytes().startswith(begins[what.rpartition(".")[2]]), what
    visit(page, address)
    page.set_input_files("#file", download.value.path())
    until(page, "$('box-field').value === '0.1'")
    page.set_input_files("#file", Path(__file__))
    page.wait_for_selector(".toast >> text=does not say where it was made")
    over = {"temperature": [0.5, 1.0], "field": [-0.2, 0.2]}
    sweep = mf.sweep("curie_weiss", over, samples=2, progress=False, size=50)
    page.set_input_files("#file", export.save(sweep, tmp_path / "mine.csv"))
    page.wait_for_selector("text=mine.csv: 4 points in this plane")
    page.click("[data-simulate=sweep]")
    page.wait_for_selector("text=mine.csv", state="detached")


def test_keyboard_alone_reaches_controls_and_help(page: Any, address: str) -> None:
    page.emulate_media(color_scheme="dark")
    visit(page, address)
    assert page.evaluate("document.documentElement.dataset.theme") == "dark", "as the system has it, at the first visit"
    page.wait_for_selector("[data-figure=trace] .bk-events", state="attached")
    nameless = """() => { const found = []; const look = node => { for (const one of node.querySelectorAll("*")) {
        const name = one.ariaLabel || one.innerText || one.labels?.length;
        if (one.tabIndex >= 0 && !name && one.checkVisibility()) found.push(one.outerHTML.slice(0, 80));
        if (one.shadowRoot) look(one.shadowRoot); } }; look(bench()); return found; }"""
    assert page.evaluate(nameless) == []
    assert page.evaluate("bench().querySelectorAll('h1').length") == 1
    assert page.get_attribute("#speed", "aria-valuetext") == "1 step per frame"
    reached = []
    for _ in range(14):
        page.keyboard.press("Tab")
        active = "(document.activeElement.shadowRoot ?? document).activeElement"
        reached.append(page.evaluate(f"{active}.id || {active}.dataset.press"))
        assert (
            page.evaluate(
                "getComputedStyle((document.activeElement.shadowRoot ?? document).activeElement).outlineStyle"
            )
            != "none"
        ), reached
    assert {"theme", "help", "box-temperature", "slide-temperature"} <= set(reached)
    assert reached.index("play") < 10
    page.focus("#plane")
    page.keyboard.press("?")
    page.wait_for_selector("#keys[open]")
    page.keyboard.press("Escape")
    page.wait_for_selector("#keys:not([open])", state="attached")
    page.click("#help")
    page.uncheck("#single-keys")
    page.keyboard.press("Escape")
    page.focus("#plane")
    page.keyboard.press("?")
    page.keyboard.press("p")
    assert not page.locator("#keys[open]").count()
    assert not page.locator("#pins li").count()


def test_boundaries_are_explained_and_paper_has_no_buttons(home: Any) -> None:
    home.wait_for_selector("[data-drawn=spinodal_up]")
    assert "ceases to exist" in home.inner_text("[data-legend=diagram]")
    assert "not to be trusted" not in home.inner_text("[data-legend=diagram]")
    home.emulate_media(media="print")
    assert not home.is_visible("#sharing")
    assert home.is_visible("#sentence")
    home.emulate_media(media="screen")


TWO = """
import panel as pn
import mfexplore as mf
from mfexplore.app import Workbench

kind = mf.system("curie_weiss")
one, two = Workbench(kind(temperature=0.5)), Workbench(kind(temperature=1.2))
slider = pn.widgets.FloatSlider.from_param(one.controls.param.temperature, name="theirs")
pn.template.FastListTemplate(title="Theirs", sidebar=[slider], main=[one, two]).servable()
"""


@pytest.fixture(scope="module")
def panel_serves(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Panel's own command on our file and on somebody else's, with options of its own."""
    theirs = tmp_path_factory.mktemp("apps") / "theirs.py"
    theirs.write_text(TWO)
    port = free_port()
    options = ["--port", str(port), "--prefix", "mine", "--num-procs", "2"]
    with running(sys.executable, "-m", "panel", "serve", str(SERVE_ME), str(theirs), *options):
        url = f"http://localhost:{port}/mine"
        await_answer(url)
        yield url


def test_panel_serves_the_workbench_with_its_own_options(browser: Any, panel_serves: str) -> None:
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    context.add_init_script(FIND)
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    tab.goto(f"{panel_serves}/serve_me")
    tab.click("a[href='?system=curie_weiss']")
    tab.wait_for_function("document.documentElement.dataset.connected === 'true'")
    tab.wait_for_selector("#progress.done", state="attached")
    tab.fill("#box-temperature", "0.55")
    tab.keyboard.press("Enter")
    marker_at(tab, 0.0, 0.55)
    until(tab, "() => location.search.includes('system=curie_weiss&') && location.search.includes('0.55')")
    context.close()


def test_two_workbenches_stand_in_a_page_of_somebody_else(browser: Any, panel_serves: str) -> None:
    from playwright.sync_api import expect

    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    tab = context.new_page()
    tab.set_default_timeout(PATIENCE)
    expect.set_options(timeout=PATIENCE)
    broken: list[str] = []
    tab.on("pageerror", lambda error: broken.append(str(error)))
    tab.goto(f"{panel_serves}/theirs")
    boxes, sentences = tab.locator("#box-temperature"), tab.locator("#sentence")
    boxes.nth(1).wait_for()
    one, two = boxes.nth(0), boxes.nth(1)
    tab.wait_for_selector("#progress.done >> nth=1", state="attached")
    assert tab.locator("canvas").count() >= 4, "both have drawn their figures"
    one.fill("0.7")
    one.press("Enter")
    tab.wait_for_selector("text=0.70")  # their slider follows
    assert two.input_value() == "1.2"
    tab.locator(".noUi-handle").focus()
    tab.keyboard.press("ArrowRight")
    expect(one).not_to_have_value("0.7")  # and leads
    before = sentences.nth(1).inner_text()
    two.fill("0.8")
    two.press("Enter")
    expect(sentences.nth(1)).not_to_have_text(before)
    assert broken == []
    context.close()
