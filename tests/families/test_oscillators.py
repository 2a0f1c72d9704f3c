"""Phase oscillators with a coupling of one's own, and what is measured of them."""

from __future__ import annotations

import numpy as np
from scipy.integrate import solve_ivp

from mfexplore.core import Axis
from mfexplore.families import oscillators
from mfexplore.numerics.chance.random import new_stream
from mfexplore.numerics.kernel import kernel


@kernel
def on_a_ring(sine, cosine, coupling, torque):
    """Each is pulled by its two neighbours."""
    n = sine.size
    for i in range(n):
        before, after = (i - 1) % n, (i + 1) % n
        s, c = sine[before] + sine[after], cosine[before] + cosine[after]
        torque[i] = coupling * (s * cosine[i] - c * sine[i])


@kernel
def on_all(sine, cosine, coupling, torque):
    """Each is pulled by the mean of all."""
    c, s = coupling * cosine.mean(), coupling * sine.mean()
    for i in range(sine.size):
        torque[i] = s * cosine[i] - c * sine[i]


ring = oscillators.heun_of(on_a_ring)


def test_a_ring_moves_as_an_accurate_solver_says() -> None:
    rng = np.random.default_rng(1)
    omega = rng.normal(size=12)
    state = oscillators.start("incoherent", omega, rng)
    begin = state.theta.copy()

    def slope(time: float, theta: np.ndarray) -> np.ndarray:
        return omega + 0.7 * (np.sin(np.roll(theta, 1) - theta) + np.sin(np.roll(theta, -1) - theta))

    exact = solve_ivp(slope, (0, 2), begin, rtol=1e-11, atol=1e-11).y[:, -1]
    ring(state, 0.7, 0.0, 0.002, 1000, new_stream(rng))
    np.testing.assert_allclose(state.theta, exact, atol=2e-5)
    np.testing.assert_allclose(state.sine, np.sin(state.theta), atol=1e-14)


def test_the_mean_field_is_the_coupling_of_all_to_all() -> None:
    phases = []
    for heun in (oscillators.heun_of(on_all), oscillators.heun_globally):
        rng = np.random.default_rng(4)
        state = oscillators.start("incoherent", rng.normal(size=31), rng)
        heun(state, 2.0, 0.1, 0.05, 40, new_stream(rng))
        phases.append(state.theta)
    np.testing.assert_allclose(*phases, atol=1e-11)


def test_free_phases_diffuse() -> None:
    rng = np.random.default_rng(2)
    state = oscillators.start("coherent", np.full(20_001, 0.3), rng)
    ring(state, 0.0, 0.2, 0.01, 300, new_stream(rng))
    assert abs(state.theta.mean() - 0.9) < 4 * np.sqrt(2 * 0.2 * 3 / 20_001)
    assert abs(state.theta.var() - 1.2) < 4 * 1.2 * np.sqrt(2 / 20_001)
    oscillators.wrap(state.theta)
    assert ((state.theta >= 0) & (state.theta <= 2 * np.pi)).all()


def test_averages_by_frequency_of_a_frozen_state() -> None:
    rng = np.random.default_rng(3)
    omega = np.repeat([-9.0, -1.0, 2.0], [5, 10, 20])
    state = oscillators.start("incoherent", omega, rng)
    averages = oscillators.FrequencyAverages(omega, fastest=6.0)
    assert averages.measured()[0].coordinate.size == 0
    for _ in range(4):
        averages.add(state, coupling=0.5)
    mean = np.exp(1j * state.theta).mean()
    coherence, velocity = averages.measured()
    np.testing.assert_allclose(coherence.coordinate, [-1.0, 2.0])
    groups = [state.theta[omega == w] - np.angle(mean) for w in (-1.0, 2.0)]
    np.testing.assert_allclose(coherence.values, [np.cos(g).mean() for g in groups], atol=1e-12)
    np.testing.assert_allclose(
        velocity.values, [w - 0.5 * abs(mean) * np.sin(g).mean() for w, g in zip((-1, 2), groups, strict=True)]
    )
    np.testing.assert_allclose(coherence.error, 0, atol=1e-12)


def test_a_raster_shows_the_latest_times() -> None:
    raster = oscillators.Raster(rows=2, columns=5)
    for step in range(1, 8):
        raster.add(0.5 * step, np.array([step, 7.0]))
    picture = raster.picture(Axis("place", low=0.0, high=1.0), "")
    assert picture.extent == (1.5, 3.5, 0.0, 1.0)
    np.testing.assert_allclose(picture.values[0], np.arange(3, 8) % (2 * np.pi))
    assert picture.cyclic
