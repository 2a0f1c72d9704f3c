"""A server to travel to, a fresh tab, and one that several journeys share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from journeys import FIND, PATIENCE, back_home, free_port, served, visit

from mfexplore.study.warmup import is_warm, warm

FAILED = pytest.StashKey[bool]()


@pytest.fixture(scope="session")
def address() -> Iterator[str]:
    """A running server, with the kernels of the system that the journeys visit compiled."""
    if not is_warm("curie_weiss"):
        warm("curie_weiss")
    with served(free_port()) as url:
        yield url


@pytest.fixture(scope="module")
def context(browser: Any) -> Iterator[Any]:
    """One person after another: scripts that one has loaded the next need not load and compile again."""
    opened = browser.new_context(viewport={"width": 1400, "height": 1000}, accept_downloads=True)
    opened.add_init_script(FIND)
    yield opened
    opened.close()


class Tab:
    """A fresh tab, with all the trouble that it has had: script errors, requests to anywhere but the server."""

    def __init__(self, context: Any, address: str) -> None:
        self.page = context.new_page()
        self.page.set_default_timeout(PATIENCE)
        self.troubles: list[str] = []
        self.page.on("pageerror", lambda error: self.troubles.append(str(error)))
        self.page.on(
            "request",
            lambda r: None if r.url.startswith((address, address.replace("http", "ws"), "data:", "blob:"))
            else self.troubles.append(r.url),
        )  # fmt: skip

    def close(self) -> None:
        """With all that the browser has kept for its person."""
        self.page.evaluate("location.origin === 'null' || localStorage.clear()")
        self.page.close()


@pytest.fixture
def page(context: Any, address: str) -> Iterator[Any]:
    """A fresh tab that fails the test on a script error or on a request to anywhere but the server."""
    tab = Tab(context, address)
    yield tab.page
    tab.close()
    assert not tab.troubles


@pytest.fixture(scope="module")
def shelf(context: Any) -> list[Tab]:
    """Where the shared tab lies between two journeys; it is closed with its context."""
    return []


@pytest.fixture
def home(request: pytest.FixtureRequest, context: Any, address: str, shelf: list[Tab]) -> Iterator[Any]:
    """A page at the default point of the system, with the same care as `page`. Opening it is what costs most of a
    journey, so the next one gets it too, put back; unless this one has failed.
    """
    request.node.stash[FAILED] = False
    if shelf:
        tab = shelf.pop()
    else:
        tab = Tab(context, address)
        visit(tab.page, address)
    yield tab.page
    if request.node.stash[FAILED] or tab.troubles:
        tab.close()
    else:
        back_home(tab.page)
        shelf.append(tab)
    assert not tab.troubles


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report: Any = yield
    item.stash[FAILED] = item.stash.get(FAILED, False) or report.failed
    return report
