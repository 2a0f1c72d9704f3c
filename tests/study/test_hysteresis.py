"""A run carried along a control and back."""

from __future__ import annotations

import numpy as np
import pytest

import mfexplore as mf
from mfexplore.core import NotOfferedError
from mfexplore.core.seeds import stream
from mfexplore.study.hysteresis import carried


def test_a_magnet_turns_at_its_spinodal_and_not_before() -> None:
    model = mf.system("curie_weiss")(temperature=0.6, size=20_000)
    field = np.linspace(-0.4, 0.4, 33)
    loop = model.hysteresis("field", field, dwell=40, seed=1)
    turned = [
        float(field[np.flatnonzero(np.diff(np.sign(loop["magnetization"].sel(direction=d))))[0]])
        for d in ("up", "down")
    ]
    limit = float(model.landmark("spinodal_down", "field")[0])  # 0.185
    assert turned[0] == pytest.approx(limit, abs=0.04)
    assert turned[1] == pytest.approx(-limit, abs=0.06)
    inside = loop["magnetization"].sel(field=0.0)
    assert float(inside.sel(direction="down")) > 0.8
    assert float(inside.sel(direction="up")) < -0.8


def test_the_state_is_carried_and_nothing_else() -> None:
    model = mf.system("curie_weiss")(temperature=1.5, size=500)
    loop = model.hysteresis("temperature", [1.2, 1.5], dwell=20, samples=3, seed=2)
    assert loop["magnetization"].dims == ("direction", "temperature")
    assert loop["magnetization_standard_error"].notnull().all()
    again = model.hysteresis("temperature", [1.2, 1.5], dwell=20, samples=3, seed=2)
    assert loop.identical(again)


def test_what_needs_a_new_run_is_refused_by_name() -> None:
    with pytest.raises(NotOfferedError, match="along size"):
        mf.system("curie_weiss")().hysteresis("size", [100, 200])


def test_what_was_not_reached_is_unknown() -> None:
    model, asked = mf.system("curie_weiss")(temperature=0.6, size=100), []

    def cancelled() -> bool:
        asked.append(1)
        return len(asked) > 400

    loop = model.hysteresis("field", [-0.2, 0.0, 0.2], dwell=100, seed=1, cancelled=cancelled)
    reached = np.isfinite(loop["magnetization"].values)
    assert reached[0, 0]
    assert not reached[1].any()


def test_every_value_is_there_as_soon_as_it_is_known_and_stays() -> None:
    model, values = mf.system("curie_weiss")(temperature=0.6, size=100), np.array([-0.2, 0.2])
    parts = list(carried(model, "field", values, 20.0, stream(1, 0)))
    known = [int(np.isfinite(part["magnetization"]).sum()) for part in parts]
    assert known == [0, 1, 2, 3, 4]
    whole = model.hysteresis("field", values, dwell=20.0, seed=1)
    np.testing.assert_array_equal(parts[-1]["magnetization"], whole["magnetization"])


@pytest.mark.parametrize(("name", "there"), [("field", True), ("size", False), ("start", False), ("coupling", True)])
def test_a_run_is_carried_only_along_what_it_follows(name: str, there: bool) -> None:
    assert mf.system("curie_weiss").control(name).is_carried == there
