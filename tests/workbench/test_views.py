"""What the panels compute."""

from __future__ import annotations

import numpy as np
import xarray as xr

from mfexplore.core.catalogue import system
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration


def test_a_branch_that_grows_like_a_square_root_is_followed_to_zero() -> None:
    at = Exploration.of(system("curie_weiss")(), along="y")
    even = views.curve(at)
    (followed,) = views.refined_curve(at, even, lambda: False)
    smallest = [float(d["magnetization"].sel(branch="up").min()) for d in (even, followed)]
    assert smallest[1] < 0.2 * smallest[0]
    temperatures = followed["temperature"].values
    assert (np.diff(temperatures) > 0).all()
    again = at.model.theory(temperature=temperatures)
    np.testing.assert_allclose(followed["magnetization"], again["magnetization"], atol=1e-7)


def test_a_steep_line_does_not_lean() -> None:
    """The exact magnetization of the square lattice falls like the eighth root, from 0.65 to 0 in one even step."""
    at = Exploration.of(system("ising_lattice")(), along="y")
    coarse = views.curve(at)
    (finer,) = views.refined_curve(at, coarse, lambda: False)
    even, refined = (d["magnetization"].sel({"method": "exact"}) for d in (coarse, finer))

    def width(m: xr.DataArray) -> float:
        """Of the step in which it falls to zero."""
        last = int(np.flatnonzero(m.values > 0)[-1])
        return float(np.diff(m["temperature"].values)[last])

    assert width(refined) < 0.02 * width(even)
    assert refined.sizes["temperature"] < 500


def test_a_curve_whose_branches_do_not_end_is_not_refined() -> None:
    at = Exploration.of(system("curie_weiss")(), along="x", x_window=(0.2, 1.0)).with_controls(temperature=1.4)
    assert not list(views.refined_curve(at, views.curve(at), lambda: False))


def test_a_cancelled_curve_is_not_followed_further() -> None:
    at = Exploration.of(system("curie_weiss")(), along="y")
    assert not list(views.refined_curve(at, views.curve(at), lambda: True))
