"""A page without a server, opened from disk in a real Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import mfexplore as mf
from mfexplore.app.snapshot import MOST_BYTES
from mfexplore.core.errors import UnknownNameError
from mfexplore.workbench import recording

SHOWN = """(([figure, layer, column]) => {
  const root = Bokeh.documents.flatMap(doc => doc.roots()).find(r => r.name === figure);
  const data = root.renderers.find(r => r.name === layer).data_source.data;
  return Array.from(data instanceof Map ? data.get(column) : data[column], v => typeof v === "number" ? v : v.length);
})"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("snapshot") / "page.html"
    told = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recording, "SIMULATING", 0.4)
        patch.setattr(recording, "FRAMES", 6)
        patch.setattr(recording, "STEPS", 40)
        model = mf.system("curie_weiss")(temperature=1.2, field=0.3, size=100)
        content = mf.snapshot(model, path, presets=["ordered"], progress=lambda part, text: told.append((part, text)))
    assert path.read_bytes() == content
    assert told[-1][0] == 1.0
    assert [part for part, _ in told] == sorted(part for part, _ in told)
    return path


@pytest.fixture
def page(browser: Any, file: Path) -> Iterator[Any]:
    opened = browser.new_page(viewport={"width": 1280, "height": 900})
    asked: list[str] = []
    errors: list[str] = []
    opened.on("request", lambda request: asked.append(request.url))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.goto(file.as_uri())
    opened.wait_for_selector("#page[data-open]")
    opened.wait_for_function("Bokeh.documents.length >= 5")
    yield opened
    opened.close()
    assert not errors
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_it_is_small_and_says_where_it_comes_from(file: Path) -> None:
    text = file.read_text()
    assert len(text.encode()) <= MOST_BYTES
    assert '"system": "curie_weiss"' in text
    assert "temperature=1.2" in text


def test_presets_that_are_not_there_are_refused_before_anything_is_computed() -> None:
    with pytest.raises(UnknownNameError, match="nonsense"):
        mf.snapshot("curie_weiss", presets=["nonsense"])


@pytest.mark.browser
def test_it_opens_at_its_point_with_what_was_simulated_there(page: Any) -> None:
    assert page.input_value("#box-temperature") == "1.2"
    assert page.is_disabled("#box-coupling")
    assert "simulations of size 100" in page.inner_text("#said")
    assert page.evaluate(SHOWN, ["curve", "points", "x"])
    assert page.evaluate(SHOWN, ["diagram", "colour", "dw"]) == pytest.approx([2 + 2 / 256], abs=0.01)
    for hidden in ("#undo", "#export", "#seed", "[data-preset='metastable']"):
        assert not page.is_visible(hidden), hidden


@pytest.mark.browser
def test_where_the_marker_goes_the_numbers_follow(page: Any) -> None:
    page.fill("#box-field", "-0.5")
    page.press("#box-field", "Enter")
    page.wait_for_selector("#page[data-away=true]")
    theory = float(mf.system("curie_weiss")(temperature=1.2, field=-0.5).equilibrium()["magnetization"])
    said = page.inner_text("#said")
    assert float(said.split()[1]) == pytest.approx(theory, abs=0.002), said
    assert page.evaluate(SHOWN, ["diagram", "marker", "x"]) == [-0.5]
    assert page.evaluate(SHOWN, ["curve", "theory", "xs"]), "theory is drawn through the marker"
    assert page.evaluate(SHOWN, ["curve", "points", "x"]) == [], "what was simulated belongs to another line"
    page.fill("#box-field", "0.3")
    page.press("#box-field", "Enter")
    page.wait_for_selector("#page[data-away=false]")
    assert "simulations of size 100" in page.inner_text("#said")


@pytest.mark.browser
@pytest.mark.parametrize("end", ["", r"\text{ }"], ids=["as it was", "renewed"])
def test_mathematics_is_set_in_the_colour_that_is_asked_for(end: str, page: Any) -> None:
    formula = r"\color[RGB]{1, 2, 3} \text{temperature  }T\text{  }[J/k_B]" + end
    made = page.evaluate("f => Bokeh.require('models/text/mathjax/index').tex2svg(f).innerHTML", formula)
    assert 'fill="rgb(1, 2, 3)"' in made
    assert "<path" in made


@pytest.mark.browser
def test_a_task_is_predicted_without_a_server(page: Any) -> None:
    curve = "Bokeh.documents.flatMap(doc => doc.roots()).find(root => root.name === 'curve')"
    theory = f"{curve}.renderers.find(one => one.name === 'theory')"
    page.click("#tab-Tasks")
    page.click("[data-task-start]")
    page.wait_for_selector("#asking:has-text('How strong')")
    assert page.input_value("#box-temperature") == "0.6"
    page.wait_for_function(f"{theory}.visible === false")
    assert not page.is_visible("#sentence")
    page.fill("#box-field", "-0.1")
    page.press("#box-field", "Enter")
    page.wait_for_selector("#page[data-away=true]")
    assert page.evaluate(f"{theory}.visible") is False, "wherever the marker goes"
    page.fill("#guess", "0.9")
    page.click("#reveal")
    page.wait_for_selector("#answered:has-text('Not quite: the answer is -0.185')")
    page.wait_for_function(f"{theory}.visible")
    assert page.is_visible("#sentence")


@pytest.mark.browser
def test_a_preset_plays_and_other_views_and_themes_are_there(page: Any) -> None:
    page.click("[data-preset=ordered]")
    page.wait_for_function("document.getElementById('clock').textContent.startsWith('40 ')")
    assert len(page.evaluate(SHOWN, ["trace", "trace", "t"])) > 6
    assert page.inner_text("#watch")
    page.select_option("[data-view=colour]", "energy")
    page.wait_for_function("document.getElementById('said').textContent.startsWith('Energy')")
    page.click("[data-along=x]")
    axis = "Bokeh.documents.flatMap(doc => doc.roots()).find(r => r.name === 'curve').below[0].axis_label"
    page.wait_for_function(f"{axis}.startsWith('field')")
    page.click("#theme")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    page.click("#restart")
    page.wait_for_function("document.getElementById('clock').textContent.startsWith('0 ')")
