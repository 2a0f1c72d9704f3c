"""Samplers of the tridiagonal matrices of eq. (2), and the simulation that draws one after another."""

from __future__ import annotations

import math
from collections import deque
from typing import TYPE_CHECKING, Any

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.models.glasses.beta_ensemble.theory import coulomb_gas, mean_field, mean_level
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.level_statistics import gap_ratios
from mfexplore.numerics.matrices.tridiagonal import tridiagonal_eigenvalues

if TYPE_CHECKING:
    from mfexplore.models.glasses.beta_ensemble import BetaEnsemble  # noqa: F401 (what it simulates)

CLASSICAL = ("hermite", "laguerre", "jacobi")
REMEMBERED = 40_000  # levels of recent matrices, for histograms
SHOWN = 24  # matrices one above the other in the picture, and levels of each


def classical_matrix(
    potential: str, shapes: Array, left: float, right: float, rng: np.random.Generator
) -> tuple[Array, Array]:
    """Diagonal (n,) and squared off-diagonal (n - 1,) of an exact draw from eq. (2).

    shapes: kappa_i, shape (n,), the last 0; left, right: the exponents a and b of the walls.
    """
    if potential == "hermite":
        return rng.standard_normal(shapes.size), rng.standard_gamma(shapes[:-1])
    if potential == "laguerre":
        upper, lower = rng.standard_gamma(shapes + left), rng.standard_gamma(shapes[:-1])
        diagonal = upper.copy()
        diagonal[1:] += lower
        return diagonal, upper[:-1] * lower
    odd, even = rng.beta(shapes + left, shapes + right), rng.beta(shapes[:-1], shapes[1:] + left + right)
    first = odd.copy()
    first[1:] *= 1 - even
    second = (1 - odd[:-1]) * even
    diagonal = first.copy()
    diagonal[1:] += second
    return diagonal, first[:-1] * second


@kernel
def draw_diagonal(g, stiffness, force, rng):
    """A draw from e^(-g x^4/4 - stiffness x^2 - force x): a normal one that touches it at x^2 = s, then rejection. The
    best s is the normal one's own mean square, a root of a cubic; between one and two tries where stiffness >= 0.
    """
    w = 2.0 * max(stiffness, 0.0) + math.sqrt(g) + (g * force * force) ** (1.0 / 3.0)
    for _ in range(50):  # from above, where the cubic is convex
        value = ((w - 2.0 * stiffness) * w - g) * w - g * force * force
        step = value / ((3.0 * w - 4.0 * stiffness) * w - g)
        w -= step
        if abs(step) <= 1e-9 * w:
            break
    s = (w - 2.0 * stiffness) / g
    while True:
        x = rng.standard_normal() / math.sqrt(w) - force / w
        if rng.random() < math.exp(-0.25 * g * (x * x - s) ** 2):
            return x


@kernel
def draw_square(shape, rate, g, rng):
    """A draw from b^(shape - 1) e^(-rate b - g b^2/2), b > 0: a Gamma variable whose mean is where both touch, then
    rejection; fewer than two tries where rate >= 0.
    """
    root = math.sqrt(rate * rate + 4.0 * g * shape)
    steep = 0.5 * (rate + root) if rate > 0.0 else 2.0 * g * shape / (root - rate)
    middle = (steep - rate) / g
    while True:
        b = rng.standard_gamma(shape) / steep
        if rng.random() < math.exp(-0.5 * g * (b - middle) ** 2):
            return b


@kernel
def gibbs_pass(a, b, shapes, g, mu, rng):
    """Every second a_i given the rest, then the others; then the same with b_i. O(N) in all.

    a, b: shape (n,), overwritten; shapes: kappa_i; the last b and shape are 0.
    """
    n = a.size
    for parity in range(2):
        for i in range(parity, n, 2):
            before = b[i - 1] if i > 0 else 0.0
            force = before * a[i - 1] if i > 0 else 0.0
            if i < n - 1:
                force += b[i] * a[i + 1]
            a[i] = draw_diagonal(g, g * (before + b[i]) + 0.5 * mu, g * force, rng)
    for parity in range(2):
        for i in range(parity, n - 1, 2):
            around = a[i] * a[i] + a[i] * a[i + 1] + a[i + 1] * a[i + 1] + b[i + 1]
            if i > 0:
                around += b[i - 1]
            b[i] = draw_square(shapes[i], mu + g * around, g, rng)


class BetaEnsembleSimulation(core.Simulation["BetaEnsemble"]):
    """Matrices one after another: independent ones where a recipe is known, else one Gibbs pass from each to the next,
    from a Hermite matrix at the start.
    """

    time_unit = "matrices"
    relaxation, window = 8.0, 32.0

    def prepare(self) -> None:
        self.chain = self.model.potential not in CLASSICAL
        self._forget()
        self.a, self.b = np.empty(0), np.empty(0)
        self._draw("hermite" if self.chain else self.model.potential)

    def retune(self) -> None:
        """What is remembered belongs to the controls before, but for the present matrix."""
        self._forget()
        self._remember()

    def _forget(self) -> None:
        m = self.model
        self.shapes = 0.5 * m.beta * np.arange(m.size - 1, -1, -1.0)
        at = m.charges()
        self.theory = mean_field(at) or coulomb_gas(at)
        self.centre = mean_level(at)
        self.spectra = deque[Array](maxlen=max(SHOWN, REMEMBERED // m.size))
        self.moments = deque[tuple[float, float]](maxlen=100)
        self.largest = deque[float](maxlen=5000)
        count = m.size - 1
        even = 2 * np.linspace(0, count / 2, 31).round()  # where there are two bands, elements alternate
        self.stretches = np.unique(np.append(np.minimum(even, count), count)).astype(int)
        self.squares = BlockAverages(self.stretches.size - 1)

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            self._draw(self.model.potential)

    def _draw(self, potential: str) -> None:
        m = self.model
        if potential in CLASSICAL:
            self.a, self.b = classical_matrix(potential, self.shapes, m.left_exponent, m.right_exponent, self.rng)
            self.b = np.append(self.b, 0.0)
        else:
            gibbs_pass(self.a, self.b, self.shapes, m.quartic, m.quadratic, self.rng)
        self._remember()

    def _remember(self) -> None:
        levels = tridiagonal_eigenvalues(self.a, self.b[:-1])
        self.spectra.append(levels)
        square = (levels - self.centre) ** 2
        self.moments.append((float(square.mean()), float((square**2).mean())))
        self.largest.append(float(levels[-1]))
        self.squares.add(np.add.reduceat(self.b[:-1], self.stretches[:-1]) / np.diff(self.stretches))

    def _settled(self, remembered: deque[Any]) -> list[Any]:
        """Without the first half, where a Gibbs sampler may still be on its way."""
        return list(remembered)[len(remembered) // 2 if self.chain else 0 :]

    def _middle(self, levels: Array) -> slice:
        return slice(levels.size // 4, levels.size - levels.size // 4)

    def observe(self) -> dict[str, float]:
        levels = self.spectra[-1]
        second, fourth = np.mean(self._settled(self.moments), axis=0)
        ratios = gap_ratios(levels[self._middle(levels)]) if levels.size >= 6 else np.array([np.nan])
        return {
            "variance": self.moments[-1][0],
            "kurtosis": float(fourth / second**2),
            "gap_ratio": float(ratios.mean()),
            "largest_level": self.largest[-1],
        }

    def _unfolded(self, levels: Array) -> Array:
        """Numbers of levels below these, by theory."""
        return self.model.size * np.interp(levels, self.theory.values, self.theory.below)

    def samples(self, observable: str | None = None) -> Array:
        if observable == "spacing":
            gaps = [np.diff(self._unfolded(levels)[self._middle(levels)]) for levels in self._settled(self.spectra)]
            return np.concatenate(gaps)
        if observable == "largest_level":
            return np.array(self._settled(self.largest))
        if observable in (None, "level"):
            return np.concatenate(self._settled(self.spectra))
        return super().samples(observable)

    def profiles(self) -> dict[str, core.Measured]:
        """Squares off the diagonal, in about 30 stretches; errors from blocks, for a pass remembers those before."""
        places = (self.stretches[1:] + self.stretches[:-1] + 1) / (2 * self.model.size)
        return {"off_diagonal_square": core.Measured(places, *self.squares.mean_and_error())}

    def pictures(self) -> core.Album:
        return core.Album({"levels": self._rows, "density": self._density})

    def picture(self) -> core.Chart:
        return self._rows()

    def _rows(self) -> core.Chart:
        """The middle of the recent spectra, one above the other, in units of the mean gap."""
        rows = [self._unfolded(levels) - self.model.size / 2 for levels in list(self.spectra)[-SHOWN:]]
        shown = [row[np.abs(row) < SHOWN / 2] for row in rows]
        heights = np.repeat(np.arange(len(shown)) + SHOWN - len(shown), [row.size for row in shown])
        levels = core.Series("levels", np.concatenate(shown), heights.astype(float), kind="points")
        reach = min(SHOWN, self.model.size) / 2
        return core.Chart(
            (levels,), core.Axis("place in units of the mean gap", low=-reach, high=reach),
            core.Axis("matrix", low=-1, high=SHOWN),
            caption="each row: the middle levels of one matrix, the newest on top",
        )  # fmt: skip

    def _density(self) -> core.Chart:
        levels = self.samples("level")
        at = self.model.charges()
        counts, edges = np.histogram(levels, bins=60)
        bars = core.Series(
            "levels of recent matrices",
            (edges[1:] + edges[:-1]) / 2,
            counts / counts.sum() / np.diff(edges),
            kind="bars",
        )
        lines = [("mean field, eq. (3)", mean_field(at)), ("Coulomb gas", coulomb_gas(at))]
        drawn = [core.Series(name, law.values, law.density) for name, law in lines if law is not None]
        top = 1.2 * max([float(bars.y.max()), *(float(np.quantile(line.y, 0.95)) for line in drawn)])
        return core.Chart((bars, *drawn), core.Axis("level"), core.Axis("density", low=0, high=top))
