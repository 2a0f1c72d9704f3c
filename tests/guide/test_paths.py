"""Learning paths lead to systems and presets that exist."""

from __future__ import annotations

import pytest

from mfexplore.core.catalogue import entry, places
from mfexplore.guide.paths import LearningPath, paths


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.slug)
def test_every_step_can_be_taken(path: LearningPath) -> None:
    assert path.about.endswith(".")
    assert len(path.steps) >= 4
    assert len({(step.system, step.preset) for step in path.steps}) == len(path.steps)
    for step in path.steps:
        assert step.system in places()
        assert not step.preset or step.preset in entry(step.system).presets, f"{step.system}: {step.preset}"
        assert step.do.endswith((".", "?"))


def test_the_first_is_for_whoever_comes_for_the_first_time() -> None:
    first = paths()[0]
    assert first.title == "Start here"
    assert all(entry(step.system).level == "first contact" for step in first.steps)
