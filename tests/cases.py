"""What tests are given: verified values of a system, or every system, or every preset, one after another."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mfexplore.core.catalogue import Entry, entry, places

REFERENCES = Path(__file__).parent / "references"


def reference_values(model: str) -> list[dict[str, Any]]:
    """The verified values of one card's model, from tests/references/*.json; each has id, params, quantity, value."""
    values = [v for file in sorted(REFERENCES.glob("*.json")) for v in json.loads(file.read_text())]
    return [v for v in values if v["model"] == model]


def each_system(holds: Callable[[Entry], bool] = lambda entry: True) -> Any:
    """Give a test every system, present and future, of which this is true, as its argument `system`.

    To collect the tests imports none: what is asked is what the index knows.
    """
    return pytest.mark.parametrize("system", [key for key in places() if holds(entry(key))], indirect=True)


def each_preset(of: Callable[[Entry], tuple[str, ...]] = lambda entry: entry.presets) -> Any:
    """Give a test every preset of every system (or those named), as its arguments `system` and `preset`."""
    cases = [
        pytest.param(key, name, id=f"{key}-{name.replace(' ', '_')}") for key in places() for name in of(entry(key))
    ]
    return pytest.mark.parametrize(("system", "preset"), cases, indirect=True)
