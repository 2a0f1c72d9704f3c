"""A run carried along a control and back."""

from __future__ import annotations

import numpy as np
import pytest

import mfexplore as mf
from mfexplore.core import NotOfferedError


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
