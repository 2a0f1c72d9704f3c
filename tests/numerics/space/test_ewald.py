"""Dipolar sums: independent of where the halves are parted, against a plain sum, and Lorentz's field."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from mfexplore.numerics.space import ewald


def test_sums_do_not_depend_on_where_the_halves_are_parted() -> None:
    places = np.array([[0.0, 0.0, 0.0], [0.3, 0.1, 0.7], [1.0, 1.0, 1.0]])
    one, other = (ewald.in_box(places, 2.0, splitting) for splitting in (1.2, 2.3))
    np.testing.assert_allclose(one, other, atol=1e-12)
    assert np.abs(np.trace(one, axis1=1, axis2=2)).max() < 20


def test_differences_by_a_plain_sum_over_spheres() -> None:
    """A sphere of images in tin foil has Lorentz's field 4 pi / 3 of the polarisation more than one in the void."""
    place, side, reach = np.array([[0.4, 0.2, 0.9]]), 2.0, 40
    images = side * np.array(list(itertools.product(range(-reach, reach + 1), repeat=3)), np.float64)
    images = images[(images**2).sum(axis=1) < (side * reach) ** 2]
    r = place[0] - images
    length = np.linalg.norm(r, axis=1)[:, None, None]
    plain = (np.eye(3) / length**3 - 3 * r[:, :, None] * r[:, None, :] / length**5).sum(axis=0)
    found = ewald.in_box(place, side)[0]
    np.testing.assert_allclose(found, plain - 4 * math.pi / (3 * side**3) * np.eye(3), atol=2e-3)
    assert found == pytest.approx(found.T, abs=1e-13)


def test_lorentz_field_of_a_cubic_lattice() -> None:
    """All dipoles alike on a cubic lattice of spacing 1, also cut into boxes of 8."""
    sites = np.array(list(itertools.product(range(2), repeat=3)), np.float64)
    total = ewald.in_box(sites, 2.0).sum(axis=0)
    np.testing.assert_allclose(total, -4 * math.pi / 3 * np.eye(3), atol=1e-12)


def test_waves_of_the_lattice_are_those_of_the_box() -> None:
    side, splitting = 4, 1.6
    sites = np.array(list(itertools.product(range(side), repeat=3)), np.float64)
    wave = 2 * np.pi / side * np.array([[1.0, 2.0, 0.0]])
    direct = (ewald.in_box(sites, float(side)) * np.cos(sites @ wave[0])[:, None, None]).sum(axis=0)
    around = np.array(list(itertools.product(range(-5, 6), repeat=3)), np.float64)
    np.testing.assert_allclose(ewald.of_waves(wave, around, 2 * np.pi * around, 1.0, splitting)[0], direct, atol=1e-12)
