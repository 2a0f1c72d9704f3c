"""History: nothing a person does is lost."""

from __future__ import annotations

import pytest

from mfexplore.core.catalogue import system
from mfexplore.core.errors import ControlError
from mfexplore.workbench.exploration import Exploration, Pinned
from mfexplore.workbench.session import Session


@pytest.fixture
def session() -> Session:
    return Session(Exploration.of(system("curie_weiss")()))


def test_undo_and_redo_walk_the_same_way(session: Session) -> None:
    visited = [session.current]
    for temperature in (0.5, 0.6, 0.8):
        session.set_controls(temperature=temperature)
        visited.append(session.current)
    for expected in reversed(visited[:-1]):
        session.undo()
        assert session.current == expected
    session.undo()
    for expected in visited[1:]:
        session.redo()
        assert session.current == expected
    assert not session.can_redo


def test_a_drag_is_one_step_of_undo(session: Session) -> None:
    before = session.current
    for k in range(50):
        session.set_controls(gesture="temperature", temperature=0.5 + k / 100)
    session.undo()
    assert session.current == before
    assert not session.can_undo


def test_a_bad_value_changes_nothing(session: Session) -> None:
    before = session.current
    with pytest.raises(ControlError, match="temperature"):
        session.set_controls(temperature=-1)
    assert session.current == before
    assert not session.can_undo


def test_a_preset_looks_the_same_wherever_one_comes_from(session: Session) -> None:
    session.preset("hysteresis")
    expected = session.current
    session.preset("ordered")
    session.set_view(x=session.current.y, colour="susceptibility")
    session.preset("hysteresis")
    assert session.current == expected


def test_presets_and_reset_can_be_undone(session: Session) -> None:
    session.set_controls(temperature=0.123)
    session.preset("hysteresis")
    assert session.current.model == system("curie_weiss").preset("hysteresis")
    session.reset()
    assert session.current.model == system("curie_weiss")()
    session.undo()
    session.undo()
    assert session.current.model.temperature == 0.123


def test_listeners_hear_every_move(session: Session) -> None:
    heard = []
    session.listen(lambda old, new: heard.append((old.model.temperature, new.model.temperature)))
    session.set_controls(temperature=0.5)
    session.undo()
    assert heard == [(0.7, 0.5), (0.5, 0.7)]


def test_a_pin_keeps_its_view(session: Session) -> None:
    session.set_controls(temperature=0.5)
    pin = session.pin()
    session.set_controls(temperature=0.9)
    assert pin.title == "temperature = 0.5"
    session.rename(0, "cold")
    session.reset()
    session.visit(0)
    assert session.current.model.temperature == 0.5
    (restored,) = Exploration.from_query("curie_weiss", session.current.to_query())[0].pins
    assert restored == Pinned("cold", pin.query)
    session.unpin(0)
    assert session.current.pins == ()
    session.undo()
    assert session.current.pins == (restored,)
