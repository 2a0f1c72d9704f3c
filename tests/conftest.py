"""Fixtures shared by all tests."""

from __future__ import annotations

import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import settings

from mfexplore.core import Model, Preset, catalogue
from mfexplore.core.catalogue import places
from mfexplore.core.errors import UnknownNameError

# Kernels compile on first use, so no deadline; the same examples in every run, so that a failure can be repeated.
settings.register_profile("mfexplore", deadline=None, max_examples=25, derandomize=True)
settings.load_profile("mfexplore")

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
]  # fmt: skip
HERE = Path(__file__).parent
OWN_TESTS = HERE / "models"


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20261123)


@pytest.fixture
def warnings_are_errors() -> Iterator[None]:
    """As a user may have set it: warnings are errors, and floating-point errors raise."""
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        warnings.simplefilter("ignore", ResourceWarning)  # of what other tests left, whenever that is collected
        yield


@pytest.fixture(scope="module")  # its event loop would be in the way of tests that run one
def browser() -> Iterator[Any]:
    """A real Chromium, driven by Playwright; whoever has none skips what needs it."""
    sync_api = pytest.importorskip("playwright.sync_api")
    executable = os.environ.get("MFEXPLORE_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    with sync_api.sync_playwright() as playwright:
        try:
            opened = playwright.chromium.launch(executable_path=executable, args=CHROMIUM_FLAGS)
        except sync_api.Error as error:
            pytest.skip(f"no Chromium: {error}")
        yield opened
        opened.close()


# -- one system after another ------------------------------------------------------------------------------------------


@pytest.fixture
def system(request: pytest.FixtureRequest) -> type[Model]:
    return catalogue.system(request.param)


@pytest.fixture
def preset(request: pytest.FixtureRequest, system: type[Model]) -> Preset:
    return next(preset for preset in system.presets if preset.name == request.param)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--system",
        action="append",
        metavar="KEY",
        help="only the contract and the own tests of this system; repeatable",
    )


def own_system(file: Path) -> str | None:
    """The system that a file of tests is about: `tests/models/<wing>/test_<key>.py`."""
    return file.stem.removeprefix("test_") if OWN_TESTS in file.parents else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """The own tests of other systems are not even imported."""
    wanted, own = config.getoption("--system"), own_system(collection_path)
    return True if wanted and collection_path.suffix == ".py" and own is not None and own not in wanted else None


@pytest.hookimpl(tryfirst=True)  # before xdist looks for groups
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """What is about one system is done by one worker, which then has its kernels; the contract is spread over all."""
    wanted = config.getoption("--system")
    for item in items:
        if item.get_closest_marker("browser"):  # on a busy machine it may be late; what fails three times is wrong
            item.add_marker(pytest.mark.flaky(reruns=2, reruns_delay=2))
        about = item.callspec.params.values() if hasattr(item, "callspec") else ()
        key = own_system(item.path) or next((v for v in about if isinstance(v, str) and v in places()), None)
        item.add_marker(pytest.mark.xdist_group(key or item.path.relative_to(HERE).as_posix()))
    if wanted:
        unknown = [key for key in wanted if key not in places()]
        if unknown:
            raise pytest.UsageError(str(UnknownNameError("system", unknown[0], places())))
        groups = [(item, item.get_closest_marker("xdist_group")) for item in items]
        chosen = [item for item, group in groups if group is not None and group.args[0] in wanted]
        config.hook.pytest_deselected(items=list(set(items) - set(chosen)))
        items[:] = chosen
