"""Every file that is exported leads back to where it was made, read in a real Chromium."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest

from mfexplore.app import bundle
from mfexplore.core import system
from mfexplore.figures.movie import movie
from mfexplore.study.diagram import diagram
from mfexplore.workbench import restore
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.exports import Held, make
from mfexplore.workbench.views import curve

pytestmark = pytest.mark.browser
PAGE = "https://somewhere.else/class/curie_weiss"
FORMS = ("diagram.png", "diagram.svg", "diagram.pdf", "diagram.csv", "diagram.nc", "curve.nc", "notebook.ipynb")


@pytest.fixture(scope="module")
def at() -> Exploration:
    model = system("curie_weiss")(temperature=0.6, field=-0.05, size=50)
    return Exploration.of(model, seed=5, colour="energy", x_window=(-0.1, 0.1))


@pytest.fixture(scope="module")
def held(at: Exploration) -> Held:
    run = at.model.simulate(seed=at.seed)
    return Held(at, PAGE, diagram=diagram(at.model, at.x, at.y, 9), curve=curve(at), trace=run.trace())


@pytest.fixture(scope="module")
def made_at(browser: Any) -> Iterator[Any]:
    """What the page's own script finds in a file; None if nothing."""
    page = browser.new_page()
    script = (bundle.STATIC / "restore.js").read_text().replace("export ", "")
    page.add_script_tag(content=f"{script}\nwindow.madeAt = madeAt;")

    def read(content: bytes) -> Any:
        text = base64.b64encode(content).decode()
        return page.evaluate("text => fetch('data:;base64,' + text).then(a => a.blob()).then(madeAt)", text)

    yield read
    page.close()


@pytest.mark.parametrize("what", FORMS)
def test_what_is_exported_leads_back(what: str, made_at: Any, held: Held, at: Exploration) -> None:
    content = make(what, held).content
    assert made_at(content) == {"system": "curie_weiss", "query": at.to_query()}
    assert restore.made_at(content) == ("curie_weiss", at.to_query()), "and so does a notebook find it"


def test_a_film_and_a_record_lead_back(made_at: Any, at: Exploration) -> None:
    *_, film = movie(at.model.simulate(), "gif", 2.0, frames=2, record=at.record(PAGE))
    for content in (film, json.dumps(at.record()).encode(), json.dumps(at.record(f"{PAGE}?bench=1")).encode()):
        found = made_at(content)
        assert restore.made_at(content) == (found["system"], found["query"])
        assert found["system"] == "curie_weiss"
        assert parse_qs(found["query"])["temperature"] == ["0.6"]


@pytest.mark.parametrize("content", [b"", b"GIF89a", b"\x89PNG nothing", b'{"system": "kuramoto"}', bytes(100_000)])
def test_other_files_say_nothing(content: bytes, made_at: Any) -> None:
    assert made_at(content) is restore.made_at(content) is None
