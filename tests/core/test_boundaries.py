"""Where boundaries that are stated once are crossed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from mfexplore.core import Array, Landmark, Model, Points, Source, control


@dataclass(frozen=True)
class Ramp(Model):
    height: float = control(1.0, 0.0, 4.0, symbol="h", role="coupling", doc="what the boundary is explicit in")
    place: float = control(0.5, 0.0, 4.0, symbol="x", role="disorder", doc="along which it rises to 2, and stays there")
    other: float = control(0.5, 0.0, 1.0, symbol="y", role="field", doc="on which it does not depend")

    title = "Ramp"
    sources = (Source("nobody"),)
    observables = ()
    landmarks = (Landmark("ramp", "r", "goes up and stays", of="height"),)

    def boundary(self, name: str, points: Points) -> Array:
        return np.minimum(points["place"], 2.0)


def test_a_boundary_is_crossed_where_it_passes_the_value_of_its_control() -> None:
    assert Ramp(height=1.3).landmark("ramp", "place") == pytest.approx([1.3], abs=1e-12)
    assert Ramp(place=1.3).landmark("ramp", "height") == pytest.approx([1.3])
    assert not Ramp(height=3.0).landmark("ramp", "place").size


def test_a_boundary_that_stays_where_the_model_is_is_not_crossed() -> None:
    assert not Ramp(height=2.0).landmark("ramp", "place").size
    assert not Ramp(height=0.5, place=0.5).landmark("ramp", "other").size


def test_a_boundary_over_whole_numbers_goes_up_in_stairs_without_gaps() -> None:
    """Level at every whole number, and on to the next; it only breaks off where there is no boundary."""

    @dataclass(frozen=True)
    class Stairs(Model):
        height: float = control(1.0, 0.0, 9.0, symbol="h", role="coupling", doc="what the boundary is explicit in")
        layers: int = control(1, 1, 9, symbol="n", role="size", doc="along which it rises")

        title = "Stairs"
        sources = (Source("nobody"),)
        observables = ()
        landmarks = (Landmark("stairs", "r", "one more for each, but for the fifth", of="height"),)

        def boundary(self, name: str, points: Points) -> Array:
            return np.where(points["layers"] == 5, np.nan, points["layers"])

    x, y = Stairs().trace_landmark("stairs", "layers", "height", (1.0, 9.0))
    seen = np.isfinite(y)
    assert np.abs(y - x)[seen].max() == 0.5
    assert (np.diff(x[seen]) >= 0).all()
    assert x[~seen] == pytest.approx([4.5, 5.0, 5.5]), "one gap, where there is no boundary"


def test_a_costly_boundary_is_computed_at_few_points_and_where_it_is_bent(monkeypatch: pytest.MonkeyPatch) -> None:
    def traced(finest: int) -> tuple[Array, Array, int]:
        monkeypatch.setattr(Ramp, "landmarks", (Landmark("ramp", "r", "goes up", of="height", finest=finest),))
        asked: list[int] = []
        monkeypatch.setattr(
            Ramp, "boundary", lambda self, name, points: asked.append(len(points["place"])) or kink(points)
        )
        x, y = Ramp().trace_landmark("ramp", "place", "height", (0.0, 4.0))
        return x, y, sum(asked)

    def kink(points: Points) -> Array:
        return np.minimum(points["place"], 2.03)

    (x, y, few), (_, _, many) = traced(17), traced(129)
    assert few < many / 3
    assert np.abs(y - np.minimum(x, 2.03)).max() < 1e-12
    assert np.diff(x)[np.searchsorted(x, 2.03) - 1] < 0.01, "it is followed into its bend"
