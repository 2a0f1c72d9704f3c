"""Simulation of the random network, with a tangent vector, correlations and covariances measured on the way."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import erf as scipy_erf

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.learning.random_network.theory import ACTIVITY, SLOPE, linear_covariance
from mfexplore.numerics.chance.random import fill_normal, new_stream
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.functions.elementary import erf, exp, tanh_sech2
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.blas import one_blas_thread
from mfexplore.numerics.matrices.matrix_vector import products

if TYPE_CHECKING:
    from mfexplore.models.learning.random_network import RandomNetwork  # noqa: F401


@kernel
def activate(x, tangent, smooth, rates, lifted):
    """Rates phi(x) and phi'(x) times the tangent, as float32. `smooth`: tanh, else erf(sqrt(pi) x/2)."""
    if smooth:
        for i in range(x.size):
            t, d = tanh_sech2(x[i])
            rates[i] = t
            lifted[i] = d * tangent[i]
    else:
        for i in range(x.size):
            rates[i] = erf(0.886226925452758 * x[i])
            lifted[i] = exp(-0.7853981633974483 * x[i] * x[i]) * tangent[i]


class Couplings(NamedTuple):
    """Couplings at gain 1 (float32), gain, noise, and the nonlinearity: tanh if `smooth`, else erf(sqrt(pi) x/2)."""

    matrix: Array
    gain: float
    noise: float
    smooth: bool


class Currents(NamedTuple):
    """Currents x and a tangent vector of length 1, shape (N,), and room for a step: float32 (2, N), float64 (7, N)."""

    x: Array
    tangent: Array
    both: Array
    work: Array


@kernel
def heun(couplings, currents, step, steps, stream):
    """Eq. (1) and its linearisation along the path by Heun's method, 2 N^2 multiplications of float32 each step for
    both. The currents are overwritten, the tangent brought back to length 1; returns the logarithm of its growth.
    """
    matrix, gain, noise, smooth = couplings
    x, tangent, both, work = currents
    n = x.size
    rates, lifted = both[0], both[1]
    push, lift, push_after, lift_after, kick = work[0], work[1], work[2], work[3], work[4]
    moved, moved_tangent = work[5], work[6]
    strength = math.sqrt(2.0 * noise * step)
    kick[:] = 0.0
    for _ in range(steps):
        if noise > 0.0:
            fill_normal(stream, kick)
        activate(x, tangent, smooth, rates, lifted)
        products(matrix, both, work[:2])
        for i in range(n):
            push[i] = gain * push[i] - x[i]
            lift[i] = gain * lift[i] - tangent[i]
            moved[i] = x[i] + step * push[i] + strength * kick[i]
            moved_tangent[i] = tangent[i] + step * lift[i]
        activate(moved, moved_tangent, smooth, rates, lifted)
        products(matrix, both, work[2:4])
        for i in range(n):
            x[i] += 0.5 * step * (push[i] + gain * push_after[i] - moved[i]) + strength * kick[i]
            tangent[i] += 0.5 * step * (lift[i] + gain * lift_after[i] - moved_tangent[i])
    total = 0.0
    for i in range(n):
        total += tangent[i] * tangent[i]
        if abs(x[i]) < 1e-20:  # silence: numbers below the normal ones of float32 would be slow
            x[i] = 0.0
    length = math.sqrt(total)
    for i in range(n):
        tangent[i] /= length
    return math.log(length)


class RandomNetworkSimulation(core.Simulation["RandomNetwork"]):
    """Eq. (1) with a tangent vector carried along, whose growth is the Lyapunov exponent."""

    time_unit = "membrane times"
    step, relaxation, window = 0.5, 100.0, 200.0
    longest = 0.1  # step of integration
    watched = 200  # neurons whose past is kept
    remembered = 120  # steps it is kept for
    block = 32  # steps after which covariances are summed
    largest = 600  # neurons up to which all eigenvalues are found

    def prepare(self) -> None:
        n = self.model.size
        self._normal = self.rng.standard_normal((n, n))
        self._couple()
        x, tangent = self.rng.standard_normal(n), self.rng.standard_normal(n)
        work = np.empty((2, n), np.float32), np.empty((7, n))
        self.currents = Currents(x, tangent / np.linalg.norm(tangent), *work)
        self.stream = new_stream(self.rng)
        self._growth = 0.0
        self._forget()

    def _couple(self) -> None:
        """Couplings at gain 1 with the correlation between opposite directions that the symmetry asks for."""
        rho, n = self.model.symmetry, self.model.size
        even, odd = math.sqrt(1 + rho) / 2, math.sqrt(1 - rho) / 2
        matrix = (even + odd) * self._normal + (even - odd) * self._normal.T
        np.fill_diagonal(matrix, 0.0)
        self.matrix = (matrix / math.sqrt(n)).astype(np.float32)
        self._symmetry = rho
        self._eigenvalues: Array | None = None

    def _forget(self) -> None:
        """Start averages anew."""
        n = self.model.size
        self._past = np.zeros((self.remembered, min(self.watched, n)))  # the newest in the place of the oldest
        self._times = np.zeros(self.remembered)
        self._records = 0
        self._products = BlockAverages(self.remembered)
        self._second = np.zeros((n, n))
        self._pending: list[Array] = []
        self._summed = 0
        self._linear: Array | None = None

    def retune(self) -> None:
        if self.model.symmetry != self._symmetry:
            self._couple()
        self._forget()

    @property
    def x(self) -> Array:
        """Currents, shape (N,)."""
        return self.currents.x

    def evolve(self, duration: float) -> None:
        m = self.model
        steps = math.ceil(duration / self.longest - 1e-9)
        couplings = Couplings(self.matrix, m.gain, m.noise, m.nonlinearity == "tanh")
        self._growth = heun(couplings, self.currents, duration / steps, steps, self.stream) / duration
        self._remember(self.time + duration)

    def _remember(self, time: float) -> None:
        now, place = self.x[: self._past.shape[1]], self._records % self.remembered
        self._past[place], self._times[place] = now, time
        self._records += 1
        products = self._past @ now / len(now)
        self._products.add(np.roll(products[::-1], place + 1), np.arange(self.remembered) < self._records)  # by lag
        self._pending.append(self.rates())
        if len(self._pending) == self.block:
            block = np.array(self._pending)
            with one_blas_thread():
                self._second += block.T @ block
            self._summed += len(block)
            self._pending.clear()

    def rates(self) -> Array:
        """phi(x), shape (N,)."""
        tanh = self.model.nonlinearity == "tanh"
        return np.tanh(self.x) if tanh else np.asarray(scipy_erf(math.sqrt(math.pi) / 2 * self.x))

    def observe(self) -> dict[str, float]:
        rates = self.rates()
        return {
            "variance": float(self.x @ self.x) / len(self.x),
            "activity": float(rates @ rates) / len(rates),
            "lyapunov_exponent": self._growth,
        }

    def samples(self, observable: str | None = None) -> Array:
        return self.x

    def profiles(self) -> dict[str, core.Measured]:
        """Averages over time and the watched neurons, since the last change."""
        mean, error = self._products.mean_and_error()
        known = np.isfinite(mean)
        return {"autocorrelation": core.Measured(np.flatnonzero(known) * self.step, mean[known], error[known])}

    def covariance(self) -> Array:
        """Measured second moments of the rates since the last change, shape (N, N). Raises NotOfferedError."""
        if not self._summed:
            raise core.NotOfferedError(self.model.title, f"covariances before {self.block * self.step:g} time units")
        return self._second / self._summed

    def linear_covariance(self) -> Array:
        """The same of the linear network with these couplings, eq. (7)."""
        if self._linear is None:
            m = self.model
            self._linear = linear_covariance(self.matrix, m.gain, m.noise, m.nonlinearity)
        return self._linear

    def picture(self) -> core.Trajectories:
        kept = np.arange(max(0, self._records - self.remembered), self._records) % self.remembered
        times = self._times[kept] if kept.size else np.zeros(1)
        values = self._past[kept, :12].T if kept.size else self.x[None, :12].T
        return core.Trajectories(times, values.copy(), "time", "current", "currents of twelve neurons")

    def pictures(self) -> core.Album:
        return core.Album({"currents": self.picture, "eigenvalues": self._spectrum, "covariances": self._covariances})

    def _spectrum(self) -> core.Spectrum:
        n = min(self.model.size, self.largest)
        if self._eigenvalues is None:
            part = self.matrix[:n, :n].astype(np.float64) * math.sqrt(self.model.size / n)
            with one_blas_thread():
                self._eigenvalues = np.linalg.eigvals(part).astype(np.complex128)
        slope = self.model.active_state()[SLOPE]
        caption = "rates of growth in the linear network: the mean slope shrinks the disc until it fits left of 0"
        return core.Spectrum(self.model.gain * slope * self._eigenvalues - 1, "eigenvalue of -1 + slope J", caption)

    def _covariances(self) -> core.Chart:
        """Every dot a pair of neurons."""
        x = y = np.empty(0)
        if self.model.size > self.largest:
            caption = f"up to {self.largest} neurons"
        elif not self._summed or not self.model.active_state()[ACTIVITY] > 0:
            caption = "waiting for averages"
        else:
            above = np.triu_indices(self.model.size, 1)
            x, y = self.linear_covariance()[above], self.covariance()[above]
            caption = f"covariances of pairs of rates, correlation {np.corrcoef(x, y)[0, 1]:.2f}"
            x, y = (values[:: -(-len(values) // 2000)] for values in (x, y))
        return core.Chart(
            (core.Series("pairs of neurons", x, y, "points"),), core.Axis("linear network"), core.Axis("measured"),
            (core.Guide(1.0, (0.0, 0.0), "equal"),), caption, equal=True,
        )  # fmt: skip
