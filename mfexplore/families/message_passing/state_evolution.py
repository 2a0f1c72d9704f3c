r"""Approximate message passing on a dense random matrix, and the scalar recursion that predicts it.

An unknown $x\in\mathbb R^N$ with independent prior components is observed through $z=Fx$,
$F_{\mu i}\sim\mathcal N(0,1/N)$, and an output $y_\mu$ that depends on $z_\mu$ alone; $\alpha=M/N$. *Generalised
approximate message passing* keeps one mean $a_i$ per component and iterates

$$\omega=Fa-Vg,\quad V=\overline v,\quad
g_\mu=\partial_\omega\ln\int\!dz\,\mathcal N(z;\omega_\mu,V)P(y_\mu|z) \tag{1}$$

$$r=a+S\,F^{\mathsf T}g,\qquad S^{-1}=\alpha\,\overline{-\partial_\omega g},\quad
a_i=\eta(r_i,S),\quad v_i=S\,\partial_r\eta \tag{2}$$

with two matrix-vector products per iteration and nothing else of order $MN$. As $N\to\infty$, $r_i$ is the true
$x_i$ plus Gaussian noise of variance $S=1/R$, and

$$R_{t+1}=\alpha\,I(R_t) \tag{3}$$

(*state evolution*) with a function $I$ that depends on prior and output, but not on $\alpha$. Its fixed points
therefore lie on the explicit curve $\alpha(R)=R/I(R)$: no iteration, and a fold is simply a turning point of the curve.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.bracketing import bracketed_roots
from mfexplore.numerics.elementary import erfcx, gaussian, precise_block
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrix_vector import product, transposed_product

Array = NDArray[np.float64]
Rows = NDArray[np.int64]

SQRT_HALF = math.sqrt(0.5)
SQRT_2_OVER_PI = math.sqrt(2.0 / math.pi)
INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)


@precise_block
def normal_tail(u):
    """(H(u), phi(u)/H(u)) with phi the standard normal density and H(u) the mass above u; relative errors 1e-15."""
    scaled = erfcx(abs(u) * SQRT_HALF)
    e = gaussian(u, 0.5)
    beyond = 0.5 * scaled * e
    below = 1.0 - beyond
    mass = beyond if u >= 0.0 else below
    hazard = SQRT_2_OVER_PI / scaled if u >= 0.0 else INVERSE_SQRT_2PI * e / below
    return mass, hazard


def random_matrix(rng: np.random.Generator, rows: int, columns: int) -> NDArray[np.float32]:
    """F of shape (rows, columns) with entries of variance 1/columns."""
    matrix = rng.standard_normal((rows, columns), dtype=np.float32)
    matrix *= np.float32(1 / math.sqrt(columns))
    return matrix


def projections(matrix: NDArray[np.float32], x: Array) -> Array:
    """F x, with the rounding of `MessagePassing.forward`, so that an exact solution leaves no residual."""
    out = np.empty(matrix.shape[0], np.float32)
    product(matrix, x.astype(np.float32), out)
    return out.astype(np.float64)


class MessagePassing:
    """State of the iteration (1)-(2). The caller supplies the two scalar functions between the products:

    >>> omega, v = passing.forward()
    >>> r, s = passing.backward(g, curvature)      # g of (1) at omega, v; curvature = mean of -dg/domega
    >>> passing.accept(a, variance)                # eta(r, s) and the mean of s * deta/dr

    Attributes:
        matrix: F, float32 of shape (M, N), never copied.
        mean: a, float64 of shape (N,). variance: V. change: mean square of the last change of a.
    """

    def __init__(self, matrix: NDArray[np.float32], mean: Array, variance: float) -> None:
        self.matrix = matrix
        self.mean = mean
        self.variance = variance
        self.output = np.zeros(matrix.shape[0])
        self.change = math.inf
        self._forward = np.empty(matrix.shape[0], np.float32)
        self._backward = np.empty(matrix.shape[1], np.float32)

    def forward(self) -> tuple[Array, float]:
        """omega, shape (M,), and V of eq. (1)."""
        product(self.matrix, self.mean.astype(np.float32), self._forward)
        return self._forward - self.variance * self.output, self.variance

    def backward(self, output: Array, curvature: float) -> tuple[Array, float]:
        """r, shape (N,), and S of eq. (2), from g of shape (M,) and the mean of -dg/domega (> 0)."""
        rows, columns = self.matrix.shape
        self.output = output
        noise = columns / (rows * curvature)
        transposed_product(self.matrix, output.astype(np.float32), self._backward)
        return self.mean + noise * self._backward, noise

    def accept(self, mean: Array, variance: float) -> None:
        """Take over the new estimate."""
        self.change = float(np.mean((mean - self.mean) ** 2))
        self.mean, self.variance = mean, variance


@kernel
def find_brackets(node_load, count, row, load, last, position):
    """Where the curve of each row first reaches the load from below (or, with `last`, is below it for the last time).

    Writes the index of the node at the upper (lower) end of the bracket; -1 if even the first node is above the load,
    `count` if even the last is below.
    """
    for i in range(load.size):
        r = row[i]
        n = count[r]
        if last:
            k = n - 1
            while k >= 0 and not node_load[r, k] <= load[i]:
                k -= 1
            position[i] = k if k < n - 1 else n
        else:
            k = 0
            while k < n and not node_load[r, k] >= load[i]:
                k += 1
            position[i] = k if k > 0 else -1


class LoadCurves:
    """The curves alpha(ln R) on which the state evolutions of several systems stand still, and their fixed points.

    Args:
        load_at: the curve, called with ln R and the number of the system, both of shape (n,); returns alpha > 0.
        rows: how many systems.
        low, high: the range of ln R. Below it counts as R = 0 (ln R = -inf), above it as perfect knowledge (inf).
        points: nodes per curve. Between two of them a curve may turn once.

    Attributes:
        turn_row, turn_snr, turn_load, turn_up: the turning points, shape (k,): system, ln R, alpha, whether a maximum.
    """

    def __init__(
        self, load_at: Callable[[Array, Rows], Array], rows: int, low: float, high: float, points: int = 385
    ) -> None:
        self.load_at = load_at
        x = np.linspace(low, high, points)
        grid = np.tile(x, (rows, 1))
        load = load_at(grid.ravel(), np.repeat(np.arange(rows), points)).reshape(rows, points)
        self._turns(x, load)
        extra = int(np.bincount(self.turn_row, minlength=rows).max(initial=0))
        self._snr = np.full((rows, points + extra), np.inf)
        self._load = np.full((rows, points + extra), np.nan)
        self._snr[:, :points], self._load[:, :points] = grid, load
        place = np.array([np.sum(self.turn_row[:i] == r) for i, r in enumerate(self.turn_row)], np.int64)
        self._snr[self.turn_row, points + place] = self.turn_snr
        self._load[self.turn_row, points + place] = self.turn_load
        order = np.argsort(self._snr, axis=1, kind="stable")
        self._snr = np.take_along_axis(self._snr, order, 1)
        self._load = np.take_along_axis(self._load, order, 1)
        self._count = points + np.bincount(self.turn_row, minlength=rows)

    def _turns(self, x: Array, load: Array) -> None:
        """Find the turning points on the grid, then each by golden section and a final parabola."""
        step = np.diff(load, axis=1)
        with np.errstate(invalid="ignore"):
            turns = step[:, :-1] * step[:, 1:] < 0
            real = np.maximum(np.abs(step[:, :-1]), np.abs(step[:, 1:])) > 1e-10 * load[:, 1:-1]
        row, k = np.nonzero(turns & real)
        up = step[row, k] > 0
        sign = np.where(up, -1.0, 1.0)

        def height(at: Array) -> Array:
            return sign * self.load_at(at, row)

        golden = 0.5 * (math.sqrt(5) - 1)
        a, b = x[k], x[k + 2]
        c, d = b - golden * (b - a), a + golden * (b - a)
        fc, fd = height(c), height(d)
        for _ in range(14):
            left = fc < fd
            a, b = np.where(left, a, c), np.where(left, d, b)
            new = np.where(left, b - golden * (b - a), a + golden * (b - a))
            value = height(new)
            c, d, fc, fd = (
                np.where(left, new, d), np.where(left, c, new), np.where(left, value, fd), np.where(left, fc, value)
            )  # fmt: skip
        centre, h = 0.5 * (a + b), 5e-5  # smaller drowns in rounding, larger is not a parabola
        for _ in range(4):
            below, here, above = height(centre - h), height(centre), height(centre + h)
            curvature = above - 2 * here + below
            with np.errstate(divide="ignore", invalid="ignore"):
                shift = 0.5 * h * (below - above) / curvature
            centre = centre + np.clip(np.nan_to_num(shift, posinf=0.0, neginf=0.0), -4 * h, 4 * h)
        self.turn_row, self.turn_snr, self.turn_up = row, centre, up
        self.turn_load = self.load_at(centre, row)

    def solve(self, row: Rows, load: Array, informed: bool) -> Array:
        """The fixed point that state evolution reaches from no knowledge (R = 0) or, `informed`, from the truth
        (R = infinity), as ln R of shape (n,); -inf or inf where it lies beyond the range.
        """
        position = np.empty(load.size, np.int64)
        find_brackets(self._load, self._count, row, load, informed, position)
        outside = (position < 0) | (position >= self._count[row])
        upper = np.where(outside, 1, position + 1 if informed else position)
        snr_low, snr_high = self._snr[row, upper - 1], self._snr[row, upper]
        inside = np.flatnonzero(~outside)
        with np.errstate(divide="ignore"):
            target = np.log(load[inside])

            def excess(x: Array, which: Rows) -> Array:
                return np.asarray(np.log(self.load_at(x, row[inside][which])) - target[which])

            ends = (
                np.log(self._load[row, upper - 1][inside]) - target,
                np.log(self._load[row, upper][inside]) - target,
            )
            found = bracketed_roots(excess, snr_low[inside], snr_high[inside], ends)
        result = np.where(position < 0, -np.inf, np.inf)
        result[inside] = found
        return result

    def jumps(self, row: int, up: bool) -> tuple[Array, Array]:
        """Loads at which the uninformed solution jumps up (the informed one down) and ln R there, sorted by load:
        the turning points that no earlier (later) part of the curve exceeds (undercuts).
        """
        of_row = (self.turn_row == row) & (self.turn_up == up)
        loads, places = self.turn_load[of_row], self.turn_snr[of_row]
        n = self._count[row]
        snr, load = self._snr[row, :n], self._load[row, :n]
        kept = [
            np.max(load[snr < x], initial=0.0) <= height * (1 + 1e-12)
            if up
            else np.min(load[snr > x], initial=np.inf) >= height * (1 - 1e-12)
            for x, height in zip(places, loads, strict=True)
        ]
        order = np.argsort(loads[kept])
        return loads[kept][order], places[kept][order]


def noise_density(variance: float) -> tuple[Array, Array]:
    """What the components of r scatter with around the truth: (values, density), normal with mean zero."""
    deviation = math.sqrt(variance)
    x = np.linspace(-5, 5, 201)
    return x * deviation, np.exp(-0.5 * x * x) * INVERSE_SQRT_2PI / deviation
