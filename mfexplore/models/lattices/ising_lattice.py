r"""Ising model on a lattice: neighbours only, and what mean-field theories make of it.

Spins $s_i=\pm1$ on a periodic lattice whose sites have $c$ neighbours each, with the energy

$$H=-\sum_{\langle ij\rangle}s_is_j-h\sum_i s_i \tag{1}$$

(the coupling is the unit of energy, $k_B=1$). Three theories stand side by side.

*Mean field* replaces the neighbours by their mean and orders below $T_c=c$:

$$m=\tanh\frac{cm+h}T \tag{2}$$

with the free energy $f=\frac12cm^2-T\ln2\cosh[(cm+h)/T]$ per spin. *Bethe* treats each spin and its neighbours exactly,
but takes the neighbours as independent once that spin is removed, as on a tree. Each sends a field $u$, so that
$m=\tanh[(h+cu)/T]$, and order appears below $T_c=1/\mathrm{artanh}\frac1{c-1}$:

$$u=T\,\mathrm{artanh}\Big[\tanh\frac1T\,\tanh\frac{h+(c-1)u}T\Big] \tag{3}$$

*Exact* results exist in two dimensions without a field (Onsager 1944, Yang 1952). Let $K=1/T$, $w=e^{4K}$,
$C=\cosh2K$, $S=\sinh2K$, and let angular brackets be the mean over two angles $a,b$ from $0$ to $2\pi$. The triangular
lattice has

$$\frac{\ln Z}N=\ln2+\tfrac12\langle\ln[C^3+S^3-S(\cos a+\cos b+\cos(a+b))]\rangle \tag{4}$$

and the spontaneous magnetization $m^8=(w-3)(w+1)^3/[(w+3)(w-1)^3]$; the square lattice has

$$\frac{\ln Z}N=\ln2+\tfrac12\langle\ln[C^2-S(\cos a+\cos b)]\rangle \tag{5}$$

and $m^8=1-S^{-4}$.

Summing out every second site of the honeycomb lattice leaves a triangular one with $e^{4K'}=2\cosh2K-1$ (star and
triangle). Putting a site on each bond of a honeycomb lattice ($e^{2K'}=\cosh2M$) and summing out the sites where three
bonds meet ($e^{4K}=2\cosh2M-1$) leaves the kagome lattice. In three dimensions there is no solution; the critical
points shown are the published Monte Carlo values.

Near $T_c$ a system of linear size $L$ depends on temperature and size only through $(K-K_c)L^{y_t}$. So the ratio

$$Q=\frac{\langle m^2\rangle^2}{\langle m^4\rangle} \tag{6}$$

has, at $T_c$, the same value for all large $L$: its curves cross there, with slopes $\propto L^{y_t}$, while
$\langle m^2\rangle\propto L^{2y_h-2d}$. The exponents depend on the dimension $d$ but not on the lattice:
$y_t=1$, $y_h=15/8$ in the plane, $y_t=1.58693(9)$, $y_h=2.48178(5)$ in space, and $Q=0.62341(4)$ for a cube.

**Valid:** mean field and Bethe ignore fluctuations on long scales. Between the true critical temperature and their
own they show an order (and a hysteresis) that does not exist; there they are marked as failing, as they are where a
better one of the three differs by more than 0.05 in the magnetization. Their exponents are wrong in both dimensions.
They come the closer the more neighbours there are; Bethe also the longer the shortest loop is, which is why it is
nearly right on the hydrogen-peroxide lattice (three neighbours, no loop shorter than ten).
*Exact* is absent, not failing, in three dimensions and in a field.

Simulations: single-spin updates (Metropolis; 64 spins to a machine word on the square lattice without a field) or
clusters (Wolff; Swendsen and Wang), measured after a fixed number of clusters.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.lattice_spins import bit_lattice
from mfexplore.families.lattice_spins.bethe_lattice import LN2, bethe_lattice, log_cosh
from mfexplore.families.lattice_spins.clusters import all_clusters, single_clusters
from mfexplore.families.lattice_spins.enumeration import count_states
from mfexplore.families.lattice_spins.lattice_green import green, log_determinant
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.lattices import CRYSTALS, cells_for, drawing, neighbourhood, sites
from mfexplore.numerics.random import advanced, new_stream, uniform

MEAN_FIELD, BETHE, EXACT = 0, 1, 2
PARAMAGNET, UP, DOWN, BISTABLE = 0, 1, 2, 3

CRITICAL_COUPLINGS = {
    "square": 0.5 * math.log(1 + math.sqrt(2)),
    "triangular": 0.25 * math.log(3),
    "honeycomb": 0.5 * math.log(2 + math.sqrt(3)),
    "kagome": 0.25 * math.log(3 + 2 * math.sqrt(3)),
    "cubic": 0.22165463,
    "bcc": 0.1573725,
    "fcc": 0.1020707,
    "diamond": 0.3697398,
    "hydrogen_peroxide": 0.5738,  # our own, by finite-size scaling up to 24 cells a side; error 1 in the last digit
}
EXPONENTS = {2: (1.0, 15 / 8), 3: (1.58693, 2.48178)}  # y_t and y_h
TIME_UNITS = {"metropolis": "sweeps", "wolff": "rounds of clusters", "swendsen_wang": "updates"}
NOTICEABLE = 0.05  # difference of two theories' magnetizations
BLOCKS = 10  # of the window of an ensemble, each longer than the memory of the energy unless it is critical
ENUMERABLE = 20  # sites whose states are all counted for exact values


# -- mean field and Bethe ------------------------------------------------------------------------------------------


@kernel
def mean_field(t, h, c):
    """(m, energy, specific heat, free energy, residual) of eq. (2) for t > 0, h >= 0: the largest root, by Newton from
    m = 1, which cannot step over it because the residual is convex there.
    """
    m = 0.0
    if h > 0.0 or t < c:
        m = 1.0
        for _ in range(200):
            value = math.tanh((c * m + h) / t)
            slope = 1.0 - c / t * (1.0 - value * value)
            step = (m - value) / slope if slope > 0.0 else 0.0
            m -= step
            if abs(step) <= 1e-16:
                break
    local = c * m + h
    rest = 1.0 - math.tanh(local / t) ** 2
    heat = local * local * rest / (t * (t - c * rest)) if m > 0.0 else 0.0
    free = 0.5 * c * m * m - t * (log_cosh(local / t) + LN2)
    return m, -0.5 * c * m * m - h * m, heat, free, abs(m - math.tanh(local / t))


@kernel
def solve_points(temperature, field, coordination, magnetization, energy, heat, free_energy, residual):
    """Mean field and Bethe, eq. (3), at every point, written into columns 0 and 1 of the outputs of shape (n, 3)."""
    c = float(coordination)
    for i in range(temperature.size):
        t, h = temperature[i], abs(field[i])
        sign = -1.0 if field[i] < 0.0 else 1.0
        ground = -0.5 * c - h
        for method in range(2):
            if t <= 0.0:
                solution = (1.0, ground, 0.0, ground, 0.0)
            elif method == 0:
                solution = mean_field(t, h, c)
            else:
                solution = bethe_lattice(t, h, c)[1:]
            magnetization[i, method] = sign * solution[0]
            energy[i, method] = solution[1]
            heat[i, method] = solution[2]
            free_energy[i, method] = solution[3]
            residual[i, method] = solution[4]


def spinodal(method: int, temperature: Array, coordination: int) -> Array:
    """Field at which the state against it ceases to exist, by mean field or Bethe; 0 above their T_c."""
    t, c = np.asarray(temperature, np.float64), coordination
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if method == MEAN_FIELD:
            m = np.sqrt(1 - t / c)
            found = np.where(t > 0, c * m - t * np.arctanh(m), c)
        else:
            k = np.minimum(1 / t, 300)  # from there on the result is that of zero temperature
            a = 0.5 * np.arccosh((c - 1) * np.sinh(2 * k) - np.cosh(2 * k))
            w = 0.5 * (np.logaddexp(k + a, -k - a) - np.logaddexp(k - a, a - k))
            found = np.where(t > 0, ((c - 1) * w - a) / k, c - 2)
    result: Array = np.nan_to_num(found)
    return result


# -- exact, eqs. (4) and (5) ---------------------------------------------------------------------------------------

Series = tuple[Array, Array, Array]  # a function of the coupling with its first and second derivative


def planar(prefactor: float, log_scale: Series, delta: Series, triangular: bool) -> Series:
    """The sum ln 2 + prefactor [ln scale + Phi(kappa)] with derivatives; delta = kappa - kappa_c is at least 0."""
    d = np.maximum(delta[0], 1e-300)
    g, g_slope = green(d, triangular)
    # At T_c itself kappa' = 0 and G = infinity; their product vanishes there.
    first = np.where(delta[0] > 0, g * delta[1], 0)
    second = np.where(delta[0] > 0, g_slope * delta[1] ** 2 + g * delta[2], math.inf)
    value = math.log(2) + prefactor * (log_scale[0] + log_determinant(d, triangular))
    return value, prefactor * (log_scale[1] + first), prefactor * (log_scale[2] + second)


def square_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K, eq. (5)."""
    c, s = np.cosh(2 * k), np.sinh(2 * k)
    delta = (s - 1) ** 2 / s, 2 * c * (1 - s**-2), 4 * s * (1 - s**-2) + 8 * c**2 * s**-3
    return planar(0.5, (np.log(s), 2 * c / s, -4 / s**2), delta, triangular=False)


def triangular_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K, eq. (4)."""
    w, rest = np.exp(4 * k), np.expm1(4 * k)
    c, s = np.cosh(2 * k), np.sinh(2 * k)
    slope, curvature = 0.5 - 2 / rest**2, 4 / rest**3
    delta = (w - 3) ** 2 / (2 * rest), 4 * w * slope, 16 * w * slope + 16 * w**2 * curvature
    return planar(0.5, (np.log(s), 2 * c / s, -4 / s**2), delta, triangular=True)


def chained(outer: Series, inner: Series) -> Series:
    """f(g(K)) with its derivatives, from those of f at g and those of g."""
    return outer[0], outer[1] * inner[1], outer[2] * inner[1] ** 2 + outer[1] * inner[2]


def summed(*terms: tuple[float, Series]) -> Series:
    a, b, c = (sum(weight * series[k] for weight, series in terms) for k in range(3))
    return np.asarray(a), np.asarray(b), np.asarray(c)


def log_cosh_series(x: Array, rate: float) -> Series:
    """The function ln 2 cosh(rate K) at x = rate K."""
    t = np.tanh(x)
    return np.logaddexp(x, -x), rate * t, rate**2 * (1 - t**2)


def star_to_triangle(k: Array) -> tuple[Series, Series]:
    """(K', ln A) of 2 cosh K(s1 + s2 + s3) = A exp K'(s1 s2 + s2 s3 + s3 s1)."""
    three, one = log_cosh_series(3 * k, 3.0), log_cosh_series(k, 1.0)
    return summed((0.25, three), (-0.25, one)), summed((0.25, three), (0.75, one))


def honeycomb_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K: half the sites form a triangular lattice."""
    inner, log_a = star_to_triangle(k)
    return summed((0.5, log_a), (0.5, chained(triangular_lattice(inner[0]), inner)))


def decoration(k: Array) -> tuple[Series, Series]:
    """(M, K') for the kagome lattice: e^(4K) = 2 cosh 2M - 1 and e^(2K') = cosh 2M, with derivatives by K."""
    w = np.exp(4 * k)
    y, s = (w + 1) / 2, np.sqrt((w - 1) * (w + 3)) / 2  # cosh and sinh of 2M
    y1, y2 = 2 * w, 8 * w
    m = 0.5 * np.arccosh(y), 0.5 * y1 / s, 0.5 * (y2 / s - y * y1**2 / s**3)
    inner = 0.5 * np.log(y), 0.5 * y1 / y, 0.5 * (y2 / y - y1**2 / y**2)
    return m, inner


def kagome_lattice(k: Array) -> Series:
    """(ln Z)/N with derivatives by K."""
    m, inner = decoration(k)
    log_b = summed((0.5, (2 * math.log(2) + 2 * inner[0], 2 * inner[1], 2 * inner[2])))
    log_a = chained(star_to_triangle(m[0])[1], m)
    return summed((2 / 3, chained(honeycomb_lattice(inner[0]), inner)), (1.0, log_b), (-2 / 3, log_a))


def triangular_magnetization(w: Array) -> Array:
    """Spontaneous magnetization of the triangular lattice, eq. (4)."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.maximum((w - 3) * ((w + 1) / (w - 1)) ** 3 / (w + 3), 0) ** 0.125)


def exact_magnetization(lattice: str, k: Array) -> Array:
    """Spontaneous magnetization at K = 1/T."""
    if lattice == "square":
        return np.asarray(np.maximum(1 - np.sinh(2 * k) ** -4.0, 0) ** 0.125)
    if lattice == "triangular":
        return triangular_magnetization(np.exp(4 * k))
    if lattice == "honeycomb":
        return triangular_magnetization(2 * np.cosh(2 * k) - 1)
    y = (np.exp(4 * k) + 1) / 2
    # A decorating spin follows the two sites of the honeycomb lattice beside it.
    return np.asarray(triangular_magnetization(y + 1 / y - 1) * np.sqrt(1 - y**-2))


PLANAR = {
    "square": square_lattice,
    "triangular": triangular_lattice,
    "honeycomb": honeycomb_lattice,
    "kagome": kagome_lattice,
}


def exact_solution(lattice: str, temperature: Array) -> tuple[Array, Array, Array, Array]:
    """(magnetization, energy, specific heat, free energy) of the infinite lattice without a field."""
    coldest = 0.05  # below, excitations are rarer than e^-100
    t = np.maximum(temperature, coldest)
    with np.errstate(divide="ignore", invalid="ignore"):
        log_z, slope, curvature = PLANAR[lattice](1 / t)
    cold = temperature < coldest
    ground = -0.5 * CRYSTALS[lattice].coordination
    return (
        np.where(cold, 1, exact_magnetization(lattice, 1 / t)),
        np.where(cold, ground, -slope),
        np.where(cold, 0, np.maximum(curvature / t**2, 0)),
        np.where(cold, ground, -t * log_z),
    )


def torus(side: int, k: complex) -> complex:
    """(ln Z)/N of the square lattice on a torus without a field (Kaufman 1949), analytic in K."""
    angle = np.pi * np.arange(1, side) / side
    odd_angle = np.pi * (np.arange(side) + 0.5) / side

    def gamma(angles: Array) -> Array:
        x = np.cosh(2 * k) * np.cosh(2 * k) / np.sinh(2 * k) - np.cos(2 * angles)
        return np.asarray(np.log(x + np.sqrt(x * x - 1)))

    odd, even = 0.5 * side * gamma(odd_angle), 0.5 * side * gamma(angle)
    lowest = 0.5 * side * (2 * k + np.log(np.tanh(k)))  # changes sign at T_c
    sign = 1.0 if lowest.real >= 0 else -1.0
    rest = (even + np.log1p(np.exp(-2 * even))).sum(), (even + np.log1p(-np.exp(-2 * even))).sum()
    terms = (
        (1.0, (odd + np.log1p(np.exp(-2 * odd))).sum()),
        (1.0, (odd + np.log1p(-np.exp(-2 * odd))).sum()),
        (1.0, rest[0] + sign * lowest + np.log1p(np.exp(-2 * sign * lowest))),
        (sign, rest[1] + sign * lowest + np.log(1 - np.exp(-2 * sign * lowest))),
    )
    largest = max(x.real for _, x in terms)
    total = sum(s * np.exp(x - largest) for s, x in terms)
    return complex((largest + np.log(total) - math.log(2)) / side**2 + 0.5 * np.log(2 * np.sinh(2 * k)))


# -- simulation ----------------------------------------------------------------------------------------------------


@kernel
def metropolis(spins, kinds, shifts, acceptance, sweeps, stream):
    """Update every spin `sweeps` times in order. acceptance: probability to flip, by [spin up][sum of neighbours]."""
    coordination = shifts.shape[1]
    for _ in range(sweeps):
        position = stream[0]
        for i in range(spins.size):
            kind = np.int64(kinds[i])
            total = coordination
            for k in range(coordination):
                total += spins[i + shifts[kind, k]]
            value = spins[i]
            flips = uniform(position, i) < acceptance[1 if value > 0 else 0, total]
            spins[i] = -value if flips else value
        stream[0] = advanced(position, spins.size)


@kernel
def sums(spins, kinds, shifts):
    """(sum of the spins, sum over bonds of the product of their ends)."""
    total, bonds = np.int64(0), np.int64(0)
    for i in range(spins.size):
        kind = np.int64(kinds[i])
        local = 0
        for k in range(shifts.shape[1]):
            local += spins[i + shifts[kind, k]]
        total += spins[i]
        bonds += spins[i] * local
    return total, bonds // 2


class IsingSimulation(core.Simulation["IsingLattice"]):
    """Spins on the lattice; `spins` (int8), or two colours packed into words while `packed`."""

    even: bit_lattice.Words
    odd: bit_lattice.Words

    relaxation, window = 200.0, 400.0

    def prepare(self) -> None:
        m = self.model
        self.cells = m.cells
        self.spins = np.ones(m.sites, np.int8)
        if m.start == "random":
            self.spins[self.rng.random(m.sites) < 0.5] = -1
        elif m.start == "down":
            self.spins[:] = -1
        self.place = neighbourhood(m.lattice, self.cells)
        self.stream = new_stream(self.rng)
        self.time_unit = TIME_UNITS[m.algorithm]  # type: ignore[misc]  # of this run, not of all
        if m.algorithm == "wolff":
            self.members = np.zeros(m.sites + 1, np.int32)
        elif m.algorithm == "swendsen_wang":
            self.parent, self.weight = np.zeros((2, m.sites), np.int32)
        self.last = 0
        self.packed = False
        self.words_fit = m.lattice == "square" and m.algorithm == "metropolis" and self.cells % bit_lattice.SIDE == 0
        if self.words_fit:
            self.generators, self.scratch = bit_lattice.generators(self.rng), bit_lattice.workspace(self.cells)
        self.retune()

    def retune(self) -> None:
        m = self.model
        c = CRYSTALS[m.lattice].coordination
        beta = 1 / m.temperature if m.temperature > 0 else math.inf
        self.field = m.field * beta if m.field else 0.0
        self.joining = -math.expm1(-2 * beta)
        self.clusters = m.clusters_per_round
        local = 2 * (np.arange(2 * c + 1) - c + m.field)
        with np.errstate(invalid="ignore"):
            loss = np.nan_to_num(np.stack([-local, local]) * beta, nan=0.0, posinf=np.inf, neginf=-np.inf)
            # A flip that costs nothing must not be certain: in fixed order a small lattice would never see some states.
            self.acceptance = (1 - 1 / m.sites) * np.exp(-np.maximum(loss, 0))
        if self.words_fit and (m.field == 0) != self.packed:
            if self.packed:
                self.spins = bit_lattice.unpack(self.even, self.odd).ravel()
            else:
                self.even, self.odd = bit_lattice.pack(self.spins.reshape(self.cells, self.cells))
            self.packed = not self.packed
        self.three, self.four = (bit_lattice.threshold(math.exp(-x * beta)) for x in (4, 8))

    def evolve(self, duration: float) -> None:
        rounds = round(duration)
        if self.packed:
            bit_lattice.sweep(self.even, self.odd, rounds, self.three, self.four, self.generators, self.scratch)
        elif self.model.algorithm == "metropolis":
            metropolis(self.spins, self.place.kinds, self.place.shifts, self.acceptance, rounds, self.stream)
        elif self.model.algorithm == "wolff":
            _, self.last = single_clusters(
                self.spins, self.place.kinds, self.place.shifts, self.joining, self.field, rounds * self.clusters,
                self.members, self.stream,
            )  # fmt: skip
        else:
            all_clusters(
                self.spins, self.place.kinds, self.place.shifts, self.joining, self.field, rounds, self.parent,
                self.weight, self.stream,
            )  # fmt: skip

    def observe(self) -> dict[str, float]:
        if self.packed:
            total, bonds = bit_lattice.count(self.even, self.odd)
        else:
            total, bonds = sums(self.spins, self.place.kinds, self.place.shifts)
        n = self.spins.size
        m = total / n
        return {"magnetization": m, "absolute_magnetization": abs(m), "energy": -bonds / n - self.model.field * m}

    def picture(self) -> core.Lattice:
        m = self.model
        spins = bit_lattice.unpack(self.even, self.odd).ravel() if self.packed else self.spins
        shown = 2 * spins
        if m.algorithm == "wolff":
            shown[self.members[: self.last]] //= 2
        site = drawing(m.lattice, self.cells)
        values = np.where(site < 0, 0, shown[site]).astype(np.int8)
        captions = [f"{self.cells} × {self.cells} cells" + (" in the middle layer" if m.dimension == 3 else "")]
        if m.algorithm == "wolff":
            captions.append("the last cluster is paler")
        return core.Lattice(values, -2, 2, caption=", ".join(captions))

    def measure(self, cancelled: Callable[[], bool] = lambda: False) -> dict[str, float]:
        """Means over the window, with what only fluctuations tell: specific heat and the ratio Q of eq. (6)."""
        found = super().measure(cancelled)
        late = round(self.window / self.step)
        m, e = (self.series()[1][name][-late:] for name in ("magnetization", "energy"))
        t = self.model.temperature
        # Within the window the energy varies around the window's own mean; how much that varies is seen in its blocks.
        variance = e.var() + e.reshape(BLOCKS, -1).mean(axis=1).var(ddof=1) / BLOCKS
        found["specific_heat"] = float(variance * self.spins.size / t**2) if t > 0 else 0.0
        fourth = float(np.mean(m**4))
        found["binder_ratio"] = float(np.mean(m**2)) ** 2 / fourth if fourth > 0 else math.nan
        return found


@dataclass(frozen=True)
class IsingLattice(core.Model):
    lattice: str = core.choice("square", tuple(CRYSTALS), doc="how the spins are arranged")
    temperature: float = core.control(
        2.3, 0.0, 13.0, symbol="T", unit="J/k_B", role="temperature", step=0.01, doc="thermal noise in each spin"
    )
    field: float = core.control(
        0.0, -2.0, 2.0, symbol="h", unit="J", role="field", step=0.01, doc="uniform field that favours spins up"
    )
    size: int = core.control(
        65_536, 8, 2**24, symbol="N", role="size", scale="log", part="simulation",
        doc="spins simulated, rounded to a whole box (on the square lattice with single-spin updates, from 128 × 128 "
        "on, to sides that are multiples of 128)",
    )  # fmt: skip
    algorithm: str = core.choice(
        "metropolis", {"metropolis": "Metropolis", "wolff": "Wolff", "swendsen_wang": "Swendsen-Wang"}, part="simulation",
        doc="how spins are updated: one by one, one cluster at a time, or all clusters at once",
    )  # fmt: skip
    start: str = core.choice(
        "up", ("up", "down", "random"), role="start", part="simulation",
        doc="state the simulation starts from; a random one orders up here and down there, or either way by chance",
    )  # fmt: skip

    version = 2
    title = "Ising model on lattices"
    summary = (
        "Nine lattices, three theories and the truth: what mean field misses, and how finite-size scaling finds it."
    )
    sources = (
        core.Source("L. Onsager, Phys. Rev. 65, 117 (1944)", doi="10.1103/PhysRev.65.117"),
        core.Source("C. N. Yang, Phys. Rev. 85, 808 (1952)", doi="10.1103/PhysRev.85.808"),
        core.Source("B. Kaufman, Phys. Rev. 76, 1232 (1949)", doi="10.1103/PhysRev.76.1232"),
        core.Source(
            "X. Qian, Y. Deng, L. N. Shchur, H. W. J. Blöte, Ising models on the hydrogen peroxide and other lattices "
            "(2026)", arxiv="2603.02962",
        ),
        core.Source("Y. Deng, H. W. J. Blöte, Phys. Rev. E 68, 036125 (2003)", doi="10.1103/PhysRevE.68.036125"),
        core.Source("P. H. Lundow, K. Markström, A. Rosengren, Phil. Mag. 89, 2009 (2009)", doi="10.1080/14786430802680512"),
    )  # fmt: skip
    methods = (
        core.Method("mean_field", "every neighbour is replaced by the mean spin, eq. (2)"),
        core.Method(
            "bethe", "a spin with its neighbours is treated exactly, loops are ignored, eq. (3)", title="Bethe"
        ),
        core.Method(
            "exact",
            "the infinite lattice, solved; absent in three dimensions and in a field, where nobody has solved it",
        ),
    )
    observables = (
        core.Observable("magnetization", "m", "mean spin", low=-1, high=1, signed=True),
        core.Observable("absolute_magnetization", "|m|", "size of the mean spin", low=0, high=1),
        core.Observable("energy", "e", "energy per spin", unit="J"),
        core.Observable(
            "specific_heat", "C", "change of the energy with temperature, per spin", unit="k_B", low=0, high=4
        ),
        core.Observable("free_energy", "f", "free energy per spin", unit="J"),
        core.Observable("entropy", "S", "entropy per spin", unit="k_B", low=0, high=math.log(2)),
        core.Observable("binder_ratio", "Q", "ratio of moments of the magnetization, eq. (6)", low=0, high=1),
    )
    phases = (
        core.Phase("paramagnet", "Noise wins over the coupling: without a field nothing is magnetized."),
        core.Phase("magnetized_up", "Only one state exists: up, as the field."),
        core.Phase("magnetized_down", "Only one state exists: down, as the field."),
        core.Phase("bistable", "Up and down both exist; by the exact theory only where there is no field."),
    )
    failures = (
        core.Failure(
            "false_order",
            "The lattice is already disordered at this temperature: fluctuations, which this theory ignores, destroy "
            "the two states that it still shows.",
        ),
        core.Failure(
            "fluctuations",
            "A better theory of the same lattice gives a magnetization that differs by more than 0.05: fluctuations, "
            "which this one ignores, matter here.",
        ),
    )
    landmarks = (
        core.Landmark("critical_temperature", "T_c", "the lattice itself orders below it"),
        core.Landmark(
            "critical_temperature_bethe",
            r"T_c^{\rm Bethe}",
            "Bethe's theory orders below it",
            continuous=False,
            title="critical temperature (Bethe)",
        ),
        core.Landmark(
            "critical_temperature_mean_field", r"T_c^{\rm MF}", "mean-field theory orders below it", continuous=False
        ),
        core.Landmark("coexistence", r"f_\uparrow=f_\downarrow", "up and down have the same free energy (first order)"),
        core.Landmark(
            "spinodal_bethe",
            r"h_s^{\rm Bethe}",
            "by Bethe's theory the state against the field ends",
            continuous=False,
            title="spinodal (Bethe)",
        ),
        core.Landmark(
            "spinodal_mean_field", r"h_s^{\rm MF}", "by mean field the state against the field ends", continuous=False
        ),
    )
    planes = (core.Plane("field", "temperature", "magnetization"),)
    presets = (
        core.Preset(
            "critical point", {"temperature": 2.269, "size": 262_144, "start": "random"},
            "Islands within islands, of every size up to that of the box, and the larger ones hardly move.",
        ),
        core.Preset(
            "three answers", {"temperature": 2.6},
            "Mean field says m = 0.87, Bethe says m = 0.66, and both are wrong: the spins soon forget their start.",
            (core.Promise(core.Value("magnetization", method="mean_field"), 0.87, 0.005),
             core.Promise(core.Value("magnetization", method="bethe"), 0.66, 0.005),
             core.Promise(core.Mean("magnetization", 100, 200), 0.0, 0.02)),
        ),
        core.Preset(
            "quench", {"temperature": 1.4, "size": 262_144, "start": "random"},
            "Domains grow, but only as the square root of time: the magnetization stays far from its exact value.",
        ),
        core.Preset(
            "Wolff clusters", {"temperature": 2.269, "size": 65_536, "algorithm": "wolff"},
            "One cluster turns at once: the critical slowing down of single-spin updates is gone.",
        ),
        core.Preset(
            "hydrogen peroxide",
            {"lattice": "hydrogen_peroxide", "temperature": 1.743, "size": 32_768, "algorithm": "wolff"},
            "Three neighbours and no loop shorter than ten: Bethe (T = 1.820) is off by 4%, mean field (3) by 72%.",
            (core.Promise(core.Crossing("critical_temperature", "temperature"), 1.743, 0.0005),
             core.Promise(core.Crossing("critical_temperature_bethe", "temperature"), 1.820, 0.0005),
             core.Promise(core.Crossing("critical_temperature_mean_field", "temperature"), 3.0, 1e-9)),
        ),
        core.Preset(
            "face-centred cubic", {"lattice": "fcc", "temperature": 10.4, "size": 32_000},
            "Twelve neighbours: mean field (T = 12) does better than anywhere else here, and still sees false order.",
            (core.Promise(core.Crossing("critical_temperature_mean_field", "temperature"), 12.0, 1e-9),
             core.Promise(core.Mean("magnetization", 100, 200), 0.0, 0.05)),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "energy at the critical point of the square lattice", -math.sqrt(2), 1e-12, "Onsager 1944",
            lambda model: float(IsingLattice(temperature=2 / math.log(1 + math.sqrt(2))).theory(method="exact")["energy"]),
        ),
        core.Reference(
            "spontaneous magnetization of the square lattice at $T=2$", 0.911319377877496, 1e-13, "Yang 1952, mpmath",
            lambda model: float(IsingLattice(temperature=2.0).theory(method="exact")["magnetization"]),
        ),
        core.Reference(
            "energy of a 64 × 64 torus at $T=2.6$", -1.0282937039991242, 1e-11, "Kaufman 1949, mpmath",
            lambda model: IsingLattice(temperature=2.6, size=4096).exact()["energy"],
        ),
        core.Reference(
            "mean size of the magnetization on a 4 × 4 torus at $T=2.5$", 0.7647123932216846, 1e-12,
            "sum over $2^{16}$ states",
            lambda model: IsingLattice(temperature=2.5, size=16).exact()["absolute_magnetization"],
        ),
        core.Reference(
            "critical temperature of the kagome lattice", 2.143319440105504, 1e-13, r"$4/\ln(3+2\sqrt3)$",
            lambda model: float(IsingLattice(lattice="kagome").landmark("critical_temperature", "temperature")[0]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "All spins of a square lattice start up. Raise the temperature until they no longer stay up. At which "
            "temperature is that?",
            {"temperature": 1.5}, "temperature",
            lambda model: float(model.landmark("critical_temperature", "temperature")[0]), 0.05,
            "It is 2.269, not the 4 of mean field or the 2.885 of Bethe: what the theories leave out is fluctuations.",
        ),
        core.Task(
            "Honeycomb and hydrogen-peroxide lattice both have three neighbours, so mean field and Bethe cannot tell "
            "them apart. The first orders below T = 1.519. What is the critical temperature of the second?",
            {"lattice": "hydrogen_peroxide", "temperature": 1.5, "size": 32_768}, "temperature",
            lambda model: float(model.landmark("critical_temperature", "temperature")[0]), 0.08,
            "1.743: in three dimensions, with longer loops, the neighbours of a spin are more nearly independent, as "
            "Bethe assumes (1.820).",
        ),
    )  # fmt: skip
    simulation = IsingSimulation

    @property
    def dimension(self) -> int:
        return CRYSTALS[self.lattice].dimension

    @property
    def coordination(self) -> int:
        return CRYSTALS[self.lattice].coordination

    @property
    def cells(self) -> int:
        """Cells along each side of the box that is simulated."""
        side = cells_for(self.lattice, self.size)
        while sites(self.lattice, side) > self.control("size").bounds[1]:
            side -= 1
        if self.lattice == "square" and self.algorithm == "metropolis" and side >= bit_lattice.SIDE:
            return bit_lattice.SIDE * round(side / bit_lattice.SIDE)
        return side

    @property
    def sites(self) -> int:
        """Spins in that box."""
        return sites(self.lattice, self.cells)

    def realised(self) -> IsingLattice:
        return self.with_simulated(size=self.sites)

    def critical(self, method: str) -> float:
        """Critical temperature by a method; for "exact" in three dimensions the published Monte Carlo value."""
        c = self.coordination
        if method == "mean_field":
            return float(c)
        return 1 / math.atanh(1 / (c - 1)) if method == "bethe" else 1 / CRITICAL_COUPLINGS[self.lattice]

    @property
    def clusters_per_round(self) -> int:
        """Wolff clusters per unit of time, about as many as turn every spin once. Fixed in advance from theory, so that
        measuring after a round is not biased: Bethe's mean cluster size, at equal distance from the critical point.
        """
        n, d, t = self.sites, self.dimension, self.temperature
        t *= self.critical("bethe") / self.critical("exact")
        m = abs(float(self._approximations(np.array([t]), np.zeros(1))[0][0, BETHE]))
        k = min(1 / t, 50) if t > 0 else 50
        c = self.coordination
        above = (1 + math.tanh(k)) / max(1 - (c - 1) * math.tanh(k), 1e-9)  # T times the susceptibility
        largest = n ** (2 * EXPONENTS[d][1] / d - 1)
        return max(1, round(n / (max(m * m * n, largest) if m > 0 else min(above, largest))))

    def _approximations(self, t: Array, h: Array) -> tuple[Array, ...]:
        outputs = tuple(np.full((t.size, 3), np.nan) for _ in range(5))
        solve_points(t, h, self.coordination, *outputs)
        return outputs

    def solve(self, points: Points) -> core.Solution:
        t, h = points["temperature"], points["field"]
        m, energy, heat, free_energy, residual = self._approximations(t, h)
        known = (h == 0) & (self.lattice in PLANAR)
        if known.any():
            found = exact_solution(self.lattice, t[known])
            for column, solved in zip((m, energy, heat, free_energy), found, strict=True):
                column[known, EXACT] = solved
            residual[known, EXACT] = 0.0
        with np.errstate(divide="ignore", invalid="ignore"):
            entropy = np.where(t[:, None] > 0, (energy - free_energy) / t[:, None], 0 * energy)
        values = {
            "magnetization": m,
            "absolute_magnetization": np.abs(m),
            "energy": energy,
            "specific_heat": heat,
            "free_energy": free_energy,
            "entropy": entropy,
            # Below T_c the magnetization has one size; above it is Gaussian around zero.
            "binder_ratio": np.where(np.isnan(m), np.nan, np.where(m != 0, 1.0, 1 / 3)),
        }
        validity = np.zeros(m.shape, np.int8)
        false = t >= self.critical("exact")
        for method, name in ((MEAN_FIELD, "mean_field"), (BETHE, "bethe")):
            ordered = (t < self.critical(name)) & (np.abs(h) <= spinodal(method, t, self.coordination))
            better = np.where(known, m[:, EXACT], m[:, BETHE])
            differs = np.abs(m[:, method] - better) > NOTICEABLE
            validity[:, method] = np.where(false & ordered, 1, np.where(differs, 2, 0))
        return core.Solution(values, residual, validity=validity)

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        t, h = points["temperature"], points["field"]
        phase = np.empty((t.size, 3), np.int8)
        for method, named in enumerate(self.methods):
            limit = spinodal(method, t, self.coordination) if method != EXACT else np.zeros_like(t)
            alone = np.where(h > 0, UP, DOWN)
            below = np.where(np.abs(h) <= limit, BISTABLE, alone)
            phase[:, method] = np.where(t >= self.critical(named.name), PARAMAGNET, below)
        return phase

    def landmark(self, name: str, along: str) -> Array:
        t, h = self.temperature, self.field
        found: list[float] = []
        if name.startswith("critical_temperature") and along == "temperature":
            method = name.removeprefix("critical_temperature").removeprefix("_") or "exact"
            found = [self.critical(method)] if h == 0 else []
        elif name == "coexistence" and along == "field":
            found = [0.0] if t < self.critical("exact") else []
        elif name.startswith("spinodal") and along == "field":
            method = name.removeprefix("spinodal_")
            if t < self.critical(method):
                limit = float(spinodal((MEAN_FIELD, BETHE)[method == "bethe"], np.array(t), self.coordination))
                found = [-limit, limit]
        else:
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return self.control(along).within(found)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """In the plane of field and temperature, as curves over temperature."""
        if {x, y} != {"field", "temperature"}:
            raise core.NotOfferedError(self.title, f"the boundary {name!r} in the plane ({x}, {y})")
        method = name.removeprefix("critical_temperature").removeprefix("spinodal").removeprefix("_") or "exact"
        if name.startswith("critical_temperature"):
            field, temperature = np.zeros(1), np.array([self.critical(method)])
        elif name == "coexistence":
            temperature = np.linspace(0.0, self.critical("exact"), 129)
            field = np.zeros_like(temperature)
        else:
            end = self.critical(method)
            half = end * np.sin(np.linspace(0, np.pi / 2, 257))
            limit = spinodal((MEAN_FIELD, BETHE)[method == "bethe"], half, self.coordination)
            field, temperature = np.concatenate([-limit, limit[::-1]]), np.concatenate([half, half[::-1]])
            low, high = self.control("field").bounds
            field = np.where((field < low) | (field > high), np.nan, field)
        return (field, temperature) if x == "field" else (temperature, field)

    def exact(self) -> dict[str, float]:
        """By counting all states of up to 20 spins; on a larger square lattice without a field by Kaufman's formula.

        Raises NotOfferedError for other sizes and lattices.
        """
        if self.sites <= ENUMERABLE:
            return self._counted()
        if self.lattice != "square" or self.field != 0:
            raise core.NotOfferedError(
                self.title, "exact values at this size, but on the square lattice without a field"
            )
        t = max(self.temperature, 0.1)  # no larger box is excited below, to 16 digits
        k, tiny, step = 1 / t, 1e-20, 1e-4

        def slope(k: float) -> float:
            return torus(self.cells, complex(k, tiny)).imag / tiny

        heat = (8 * (slope(k + step) - slope(k - step)) - slope(k + 2 * step) + slope(k - 2 * step)) / (12 * step)
        energy, free_energy = -slope(k), -t * torus(self.cells, complex(k, 0)).real
        return {
            "energy": energy,
            "specific_heat": heat / t**2,
            "free_energy": free_energy,
            "entropy": (energy - free_energy) / t,
        }

    def density_of_states(self) -> Array:
        """Number of states of up to 20 spins, by number of disagreeing bonds and of spins up."""
        if self.sites > ENUMERABLE:
            raise core.NotOfferedError(self.title, f"counting the states of more than {ENUMERABLE} spins")
        table = neighbourhood(self.lattice, self.cells).table()
        counts = np.empty((table.size // 2 + 1, self.sites + 1), np.int64)
        count_states(table, counts)
        return counts

    def _counted(self) -> dict[str, float]:
        n = self.sites
        counts = self.density_of_states()
        m = (2 * np.arange(n + 1) - n) / n
        e = (2 * np.arange(len(counts)) - (len(counts) - 1))[:, None] / n - self.field * m
        lowest = e[counts > 0].min()
        t = self.temperature
        with np.errstate(invalid="ignore", divide="ignore"):
            weight = counts * np.exp(-np.nan_to_num((e - lowest) * n / np.float64(t), nan=0.0))
        z = weight.sum()
        weight /= z
        energy = float((weight * e).sum())
        free_energy = lowest - t * math.log(z) / n
        squared, fourth = float((weight * m**2).sum()), float((weight * m**4).sum())
        return {
            "magnetization": float((weight * m).sum()),
            "absolute_magnetization": float((weight * np.abs(m)).sum()),
            "energy": energy,
            "specific_heat": n * float((weight * (e - energy) ** 2).sum()) / t**2 if t > 0 else 0.0,
            "free_energy": free_energy,
            "entropy": (energy - free_energy) / t if t > 0 else math.log(z) / n,
            "binder_ratio": squared**2 / fourth,
        }

    def range(self, plane: core.Plane, axis: str) -> tuple[float, float]:
        """Temperatures up to a little above the mean-field transition."""
        if getattr(plane, axis) == "temperature":
            return 0.0, min(1.1 * self.coordination, 13.0)
        return super().range(plane, axis)

    def caveat(self) -> str:
        if self.start == "random":
            return "out of a random start domains grow slowly, and each sample ends up or down by chance"
        return "fluctuations, which near the critical point are large and slow, or finite size"

    def footprint(self) -> int:
        return 24 * self.size
