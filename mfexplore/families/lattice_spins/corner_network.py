r"""Ising spins on a planar graph, with any couplings and no field, as a walk on the corners of the graph.

Where two neighbouring edges leave a site they enclose a corner; $E$ edges make $2E$ corners. A walker goes round its
site counterclockwise. When it meets the edge $e$ it passes it with the amplitude $\cos\alpha_e=1/\cosh2K_e$, and with
$\sin\alpha_e=\tanh2K_e$ (of either sign) it goes along its near side to the other end, into the corner there that
follows the edge. Its direction turns on the way, and a turn by $\omega$ is worth a phase $e^{i\omega/2}$. One step of
this walk is a unitary matrix $U$, and exactly

$$Z^2=2^N\prod_e\cosh2K_e\;\det(1-U)$$

(the free fermions of Kac and Ward 1952, in the form of a network: Merz and Chalker 2002). Measuring phases from the
direction that a corner faces makes $U$ real and orthogonal: its elements are $\pm\cos\alpha$ and $\pm\sin\alpha$.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenvalues

Array = NDArray[Any]


@dataclass(frozen=True)
class CornerNetwork:
    """The walk on the corners of a planar graph. A corner has the number of the half-edge that it follows
    counterclockwise: 2 e at the first site of edge e, 2 e + 1 at the second.

    sites: their number N; site, angle: where each half-edge begins and its direction in [0, 2 pi), shape (2 E,).
    onward: the half-edge met first from each corner; passing, crossing: signs of the two steps from there. All of shape
    (2 E,).
    """

    sites: int
    site: NDArray[np.int64]
    angle: Array
    onward: NDArray[np.int64]
    passing: Array
    crossing: Array

    @classmethod
    def of(cls, sites: int, edges: NDArray[np.int64], directions: Array) -> CornerNetwork:
        """The network of a graph drawn with straight edges that do not cross, every site on at least one of them.

        Args:
            sites: number of sites; edges: pairs of them, shape (E, 2).
            directions: angle at which each edge leaves its first site, shape (E,). It arrives from the opposite one.
        """
        site = np.asarray(edges).ravel()
        angle = np.stack([directions, np.asarray(directions) + math.pi], axis=-1).ravel() % (2 * math.pi)
        order = np.lexsort((angle, site))
        ends = np.flatnonzero(np.diff(site[order], append=-1))
        following = np.arange(1, order.size + 1)
        following[ends] = np.append(0, ends[:-1] + 1)
        onward = np.empty_like(order)
        onward[order] = order[following]
        turned = np.ones(order.size)  # a walker that goes once round has turned by 2 pi: the sign changes
        turned[order[ends]] = -1.0
        return cls(sites, site, angle, onward, turned, turned * np.where(angle[onward] >= math.pi, 1.0, -1.0))

    def walk(self, couplings: Array) -> Array:
        """One step U, real and orthogonal, shape (2 E, 2 E): column: from, row: to. couplings: K_e = J_e/T, (E,)."""
        cosine, sine = (part[self.onward // 2] for part in (1 / np.cosh(2 * couplings), np.tanh(2 * couplings)))
        step = np.zeros((self.onward.size, self.onward.size))
        corners = np.arange(self.onward.size)
        step[self.onward, corners] = self.passing * cosine
        step[self.onward ^ 1, corners] = self.crossing * sine
        return step

    def zeros(self, couplings: Array) -> Array:
        """Angles in [0, pi] of the zeros z = e^(+-i theta) of det(z - U), each pair once: ascending, shape (E,); small
        ones are right to 1e-8.
        """
        step = self.walk(couplings)
        cosines = symmetric_eigenvalues((step + step.T) / 2)[::-2]  # both of a pair have the same cosine
        return np.arccos(np.clip(cosines, -1, 1))

    def log_partition(self, couplings: Array) -> float:
        """The logarithm of Z; on a torus, the logarithm of one of the four Pfaffians that Z is made of."""
        step = self.walk(couplings)
        with one_blas_thread():
            log_determinant = np.linalg.slogdet(np.eye(len(step)) - step)[1]
        cosh = np.logaddexp(2 * couplings, -2 * couplings) - math.log(2)
        return float(self.sites * math.log(2) + cosh.sum() + log_determinant) / 2

    def correlations(self, couplings: Array) -> Array:
        """<s_i s_j> = d ln Z/d K_e across every edge, shape (E,)."""
        step, corners = self.walk(couplings), np.arange(self.onward.size)
        with one_blas_thread():
            green = np.linalg.inv(np.eye(len(step)) - step)
        cosine, sine = 1 / np.cosh(2 * couplings), np.tanh(2 * couplings)
        edge = self.onward // 2
        slope = green[corners, self.onward] * self.passing * sine[edge]
        slope -= green[corners, self.onward ^ 1] * self.crossing * cosine[edge]
        return np.asarray(sine + cosine * np.bincount(edge, slope, len(sine)))

    def fisher_zeros(self, signs: Array) -> Array:
        """Zeros of Z^2 in the complex plane of t = tanh K, for couplings of one strength: shape (2 E,).

        They are 1/eigenvalues of the matrix of Kac and Ward, det(1 - t W) = Z^2 / (2^N prod cosh K)^2: a walk along
        edges that never turns back, with the same phase for a turn. signs: +-1 for every edge, shape (E,).
        """
        half = np.arange(self.site.size)
        joined = (self.site[:, None] == self.site[half ^ 1]) & (half[:, None] != half ^ 1)
        turn = self.angle[:, None] - self.angle
        sign = np.where(np.abs(turn) > math.pi, -1.0, 1.0)
        with one_blas_thread():
            values = np.linalg.eigvals(np.where(joined, sign * signs[half // 2][:, None], 0.0))
        return np.asarray(1 / np.where(np.abs(values) > 1e-6, values, 0j + 1e-300))


def square(side: int, periodic: bool) -> tuple[NDArray[np.int64], Array, Array]:
    """A square lattice for `CornerNetwork.of`: edges, directions, and signs that belong to the couplings; site =
    side * row + column.

    On a torus they are -1 on the edges that close it: of the four Pfaffians of Z this is the one whose waves change
    sign around the torus both ways. It is the bulk's at every temperature, because no such wave has momentum zero.
    """
    row, column = np.indices((side, side)).reshape(2, -1)
    edges, directions, signs = [], [], []
    for step, direction in (((0, 1), 0.0), ((1, 0), math.pi / 2)):
        r, c = row + step[0], column + step[1]
        closes = (r == side) | (c == side)
        there = np.stack([row * side + column, r % side * side + c % side], axis=-1)
        kept = ~closes | periodic
        edges.append(there[kept])
        directions.append(np.full(kept.sum(), direction))
        signs.append(np.where(closes, -1.0, 1.0)[kept])
    return np.concatenate(edges), np.concatenate(directions), np.concatenate(signs)
