"""Samples of the random-bond model and the zeros of their partition functions."""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from mfexplore import core
from mfexplore.core import Array
from mfexplore.families.lattice_spins.corner_network import CornerNetwork, square
from mfexplore.numerics.matrices.blas import symmetric_eigenpairs

if TYPE_CHECKING:
    from mfexplore.models.lattices.fisher_zeros import FisherZeros  # noqa: F401

BINS = np.linspace(0, math.pi, 37)
FISHER = 7  # spins along a side up to which the zeros in the plane of the temperature are computed


@lru_cache(maxsize=16)
def lattice(side: int, periodic: bool) -> tuple[CornerNetwork, Array]:
    """The network of a square lattice, and the signs its couplings are multiplied by."""
    edges, directions, signs = square(side, periodic)
    return CornerNetwork.of(side * side, edges, directions), signs


def frustrated(signs: Array, side: int, periodic: bool) -> Array:
    """Which plaquettes have an odd number of negative bonds: bool of shape (..., rows, columns), for signs (..., E)."""
    across = side if periodic else side - 1
    rows = signs[..., : side * across].reshape(*signs.shape[:-1], side, across)
    columns = signs[..., side * across :].reshape(*signs.shape[:-1], across, side)
    if periodic:
        product = rows * np.roll(rows, -1, -2) * columns * np.roll(columns, -1, -1)
    else:
        product = rows[..., :-1, :] * rows[..., 1:, :] * columns[..., :-1] * columns[..., 1:]
    return np.asarray(product < 0)


class FisherZerosSimulation(core.Simulation["FisherZeros"]):
    """One sample of the signs after another. Temperature and fraction move the zeros of the present sample: a bond is
    negative if its own random number is below p.
    """

    time_unit = "samples"
    relaxation, window = 0.0, 8.0

    def prepare(self) -> None:
        m = self.model
        self.network, self.seam = lattice(m.side, m.border == "periodic")
        self.draw()
        self.forget()

    def draw(self) -> None:
        self.chance = self.rng.random(self.seam.size)
        self.solve()

    def solve(self) -> None:
        """All that is asked of the present sample."""
        m, network = self.model, self.network
        self.signs = np.where(self.chance < m.antiferromagnetic_fraction, -1.0, 1.0)
        self.couplings = self.signs * self.seam / m.temperature
        self.zeros = network.zeros(self.couplings)
        correlations = network.correlations(self.couplings)
        self.seen = {
            "angular_gap": float(self.zeros[0]),
            "bond_energy": -float(np.mean(self.signs * self.seam * correlations)),
            "free_energy": -m.temperature * network.log_partition(self.couplings) / m.side**2,
        }

    def forget(self) -> None:
        self.histograms = [self.histogram()]

    def histogram(self) -> Array:
        """Density of zeros of the sample; the circle has another half."""
        return np.histogram(self.zeros, BINS)[0] / (2 * self.zeros.size * np.diff(BINS))

    def retune(self) -> None:
        self.solve()
        self.forget()

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            self.draw()
            self.histograms.append(self.histogram())

    def observe(self) -> dict[str, float]:
        return self.seen

    def profiles(self) -> dict[str, core.Measured]:
        seen = np.array(self.histograms)
        error = seen.std(0, ddof=1) / math.sqrt(len(seen)) if len(seen) > 1 else None
        return {"zero_density": core.Measured((BINS[1:] + BINS[:-1]) / 2, seen.mean(0), error)}

    def pictures(self) -> Mapping[str, core.Picture]:
        return core.Album({"circle": self.picture, "lowest zero": self.lowest, "Fisher's plane": self.fisher})

    def picture(self) -> core.Chart:
        m = self.model
        angles = np.concatenate([self.zeros, -self.zeros])
        name = "zeros of Z²" if m.border == "open" else "zeros of one determinant"
        series = [circle(), core.Series(name, np.cos(angles), np.sin(angles), "points")]
        bound = m.bound()
        if bound > 0:
            series.append(arc("none here, whatever the signs", bound, 1.09))
        gap = float(m.equilibrium(method="coherent_potential", profiles=False)["angular_gap"])
        if gap > 0:
            series.append(arc("gap of theory", gap, 1.16))
        series.append(core.Series("the physical point", np.array([1.0]), np.array([0.0]), "points"))
        return plane("z", 1.25, series, f"θ of the nearest zero: {self.zeros[0]:.3f}")

    def lowest(self) -> core.Field:
        """Where the walker of the zero nearest to z = 1 is, and the frustrated plaquettes."""
        m, step = self.model, self.network.walk(self.couplings)
        states = symmetric_eigenpairs((step + step.T) / 2)[1][:, -2:]
        weight = np.bincount(self.network.site, (states**2).sum(1) / 2).reshape(m.side, m.side)
        row, column = np.nonzero(frustrated(self.signs, m.side, m.border == "periodic"))
        return core.Field(
            weight, (-0.5, m.side - 0.5, -0.5, m.side - 0.5), core.Axis("column"), core.Axis("row"),
            0.0, float(weight.max()), points=(core.Series("frustrated plaquettes", column + 0.5, row + 0.5, "points"),),
            caption=f"where the walker is whose zero is nearest to z = 1 (θ = {self.zeros[0]:.3f})",
        )  # fmt: skip

    def fisher(self) -> core.Chart:
        """The zeros of the same Z², of a corner of the lattice, in the plane of sinh 2K."""
        side = min(self.model.side, FISHER)
        network, _ = lattice(side, False)
        rows, columns = self.square_signs()
        signs = np.concatenate([rows[:side, : side - 1].ravel(), columns[: side - 1, :side].ravel()])
        t = network.fisher_zeros(signs)
        t = t[np.abs(t * t - 1) > 1e-6]  # those at zero temperature are at infinity here
        s = 2 * t / (1 - t * t)
        s = s[np.abs(s) < 3]
        here = np.array([math.sinh(2 / self.model.temperature)])
        series = [
            circle(), core.Series("zeros of Z²", s.real, s.imag, "points"),
            core.Series("the physical point", here, np.zeros(1), "points"),
        ]  # fmt: skip
        where = "" if side == self.model.side else f" of a corner of {side} × {side} spins"
        return plane("sinh 2K", 3.0, series, f"zeros{where} in the plane of the temperature")

    def square_signs(self) -> tuple[Array, Array]:
        """Signs of the bonds along rows and along columns."""
        side = self.model.side
        across = side if self.model.border == "periodic" else side - 1
        return self.signs[: side * across].reshape(side, across), self.signs[side * across :].reshape(across, side)


def plane(name: str, reach: float, series: list[core.Series], caption: str) -> core.Chart:
    """A complex plane around zero."""
    x, y = (core.Axis(f"{part} {name}", low=-reach, high=reach) for part in ("Re", "Im"))
    return core.Chart(tuple(series), x, y, caption=caption, equal=True)


def circle() -> core.Series:
    angle = np.linspace(0, 2 * math.pi, 181)
    return core.Series("unit circle", np.cos(angle), np.sin(angle))


def arc(name: str, angle: float, radius: float) -> core.Series:
    """A bow outside of the circle from -angle to angle."""
    a = np.linspace(-angle, angle, 61)
    return core.Series(name, radius * np.cos(a), radius * np.sin(a))
