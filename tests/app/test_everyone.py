"""Pages for everyone: what axe has to say of them, and every stop of the keyboard."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from journeys import visit

axe = pytest.importorskip("axe_playwright_python")
pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

AXE = (Path(axe.__file__).parent / "axe.min.js").read_text(encoding="utf-8")
SERIOUS = """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => `${one.id}: ${one.nodes.map(node => node.html.slice(0, 90)).slice(0, 3).join(" | ")}`)"""


def serious(page: Any) -> list[str]:
    """The serious violations that axe finds in what is shown now."""
    page.evaluate(AXE)
    found: list[str] = page.evaluate(SERIOUS)
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_workbench_has_no_serious_violation(page: Any, address: str, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)
    visit(page, address)
    page.click("#all")
    for tab in ("Explore", "About", "Tasks", "Code", "Data"):
        page.click(f"#tab-{tab}")
        page.wait_for_timeout(300)
        assert serious(page) == [], tab
    page.click("#tab-Explore")
    page.click("#predict")
    assert serious(page) == [], "while somebody predicts"
    page.click("#sharing summary")
    page.click("#for-class")
    assert serious(page) == [], "the dialog for a class"


@pytest.mark.parametrize(("query", "size"), [
    ("?ui=bare", (600, 400)), ("?ui=teach&task=1&veil=theory,simulation&lock=field", (1200, 900)), ("", (390, 844)),
], ids=["bare", "teach", "phone"])  # fmt: skip
def test_nor_have_its_other_faces(page: Any, address: str, query: str, size: tuple[int, int]) -> None:
    page.set_viewport_size(dict(zip(("width", "height"), size, strict=True)))
    visit(page, address, query)
    if size[0] < 1000:
        page.click("#grip")
    assert serious(page) == []


@pytest.mark.parametrize("width", [1400, 390], ids=["wide", "phone"])
def test_nor_the_pages_around(page: Any, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    for path in ("/", "/map", "/paths", "/glossary", "/compare?system=curie_weiss", "/nothing_here"):
        page.goto(address + path)
        page.wait_for_selector("#main")
        assert serious(page) == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{path} is wider than its page"


def test_play_is_within_the_first_ten_stops_of_a_frame(page: Any, address: str) -> None:
    page.set_viewport_size({"width": 600, "height": 400})
    visit(page, address, "?ui=bare")
    active = "(document.activeElement.shadowRoot ?? document).activeElement"
    reached = []
    for _ in range(10):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(f"{active}.id"))
        assert page.evaluate(f"{active}.checkVisibility()"), reached
    assert "play" in reached
    assert "slide-temperature" in reached
