r"""Random advection: mass that is carried from site to site at random, with a little of it left behind.

$N$ sites hold masses $m_i\ge0$ of mean 1. Along every bond $i\to j$, at the rate 1, mass is carried:

$$m_i'=(1-a)\,m_i+b\,m_j,\qquad m_j'=a\,m_i+(1-b)\,m_j \tag{1}$$

On a *ring* the bonds lead to both neighbours; on the *complete* graph to everybody, at the rate $2/(N-1)$ each. Rules:

- *keep*: a share $\epsilon$ of what is carried stays behind, $a=1-\epsilon$, $b=0$;
- *mix*: the other site gives as much of its own in return, $a=1-\epsilon$, $b=\epsilon$;
- *all*: nothing is left behind, $a=1$, $b=0$ ($\epsilon\to0$): lumps that only coalesce;
- *share*: both divide what they have at random (Kipnis, Marchioro and Presutti).

**Exactly,** the correlations $C_r=\langle m_im_{i+r}\rangle$ obey equations of their own,

$$\dot C_0=4(yC_1-xC_0),\quad\dot C_1=2(xC_0-yC_1)+w(C_2-C_1),\quad\dot C_r=w(C_{r+1}+C_{r-1}-2C_r) \tag{2}$$

with $x=a(1-a)+b(1-b)$, $y=a+b-2ab$, $w=2(a+b)$ (*share*: $\frac13,\frac23,2$). At rest all $C_{r\ge1}$ are equal, and
with $\kappa=y/x$

$$\langle m^2\rangle=\frac{\kappa N}{\kappa+N-1},\qquad
Y=\Big\langle\frac{\sum m_i^2}{(\sum m_i)^2}\Big\rangle=\frac\kappa{\kappa+N-1} \tag{3}$$

$\kappa=1/\epsilon$ for *keep*. The *participation* $Y$ tells two regimes apart: **one lump** that wanders
($Y\approx1$) if $N\ll\kappa$, and a spread field of $1/Y\approx N/\kappa$ lumps if $N\gg\kappa$, with the border at
$N=\kappa+1$, where $Y=\frac12$.

**Mean field** takes the partner from the same distribution, but independently: a random map applied again and again
(an iterated function system), $m\to(1-a)m+bm^*$ or $(1-b)m+am^*$. Its moments follow one from another,

$$\mu_n\Big[1-\tfrac12\big((1-a)^n+a^n+(1-b)^n+b^n\big)\Big]=\tfrac12\sum_{j=1}^{n-1}\binom nj\mu_j\mu_{n-j}
\big[(1-a)^jb^{n-j}+(1-b)^ja^{n-j}\big] \tag{4}$$

so that $\mu_2=\kappa$, and for *keep* $\mu_3=(2-\epsilon)/\epsilon^2$.

**The hierarchy.** Let $F(m)=\langle1-e^{-m_i/m}\rangle$, in words: the fraction of sites that hold more than about $m$.
With $\psi=1-F$ the map gives, for *keep*,

$$2\psi(m)=\psi(m/\epsilon)+\psi(m)\,\psi(m/(1-\epsilon)) \tag{5}$$

For small $\epsilon$, below the largest lumps, this is $F(m)^2=F(m/\epsilon)$: with $F_k=F(\epsilon^{k+1/2})$

$$F_k^2=F_{k-1} \tag{6}$$

Lumps of size $\epsilon^k$ are what those of size $\epsilon^{k-1}$ have left behind, and they are caught by larger
ones: a site is of level $k$ or larger after a transfer if it is the giver and was of level $k-1$, or if it or its
partner was. On a ring partners are not independent, and (6) holds only roughly.

**Coalescence** (*all*): what is on a site came from an interval of sites, whose ends wander until they meet. The
fraction of sites that hold a lump is, with $\lambda+1/\lambda=2+s/2$ and from everything being even,

$$\tilde c(s)=\frac1s\Big(1-\frac{\lambda-\lambda^{2N-1}}{1-\lambda^{2N}}\Big),\qquad c\to\frac1{\sqrt{2\pi t}}
\quad(1\ll t\ll N^2) \tag{7}$$

as for walkers $A+A\to A$; the mean field has $c=1/(1+2t)$.

**Valid:** (2), (3), (7) at any $N$; (4) to (6) for $N\gg\kappa$, where a site meets itself again only after long.
The rule of the paper could not be read in full; it is one of this family, as are the named special cases.

**Simulation:** transfer by transfer. An even field takes a time of order $N^2$ to become stationary on a ring.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import comb, gammaln

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.families.walkers import inverse_laplace
from mfexplore.numerics.chance.random import advanced, new_stream, random_word, uniform
from mfexplore.numerics.chance.statistics import BlockAverages
from mfexplore.numerics.kernel import kernel

EXACT, MEAN_FIELD = range(2)  # as in `methods`
LEVELS, ORDERS = np.arange(-1, 8), np.arange(1, 7)
FAINTEST = -8.0  # log10 of the least mass in the picture
ROWS, COLUMNS = 240, 320  # of the field in time, at most
SPELL = 1.03  # ratio of the times of two rows of it, where lumps only coalesce
SMALL = {"rule": ("keep", "mix")}


@kernel
def transfer(mass, a, b, complete, transfers, stream):
    """So many transfers (1) along random bonds, O(1) each; `mass` is overwritten. a < 0: both share at random."""
    n = mass.size
    sites, half = np.uint64(n), np.uint64(32)
    position = stream[0]
    for k in range(transfers):
        word = random_word(position, 2 * k)
        i = np.int64(((word >> half) * sites) >> half)
        if complete:
            j = np.int64(((word & np.uint64(0xFFFFFFFF)) * (sites - np.uint64(1))) >> half)
            j += j >= i
        else:
            j = i + 1 if word & np.uint64(1) else i - 1
            j = 0 if j == n else n - 1 if j < 0 else j
        giver, other = mass[i], mass[j]
        if a < 0.0:
            mass[i] = uniform(position, 2 * k + 1) * (giver + other)
            mass[j] = giver + other - mass[i]
        else:
            mass[i] = (1.0 - a) * giver + b * other
            mass[j] = a * giver + (1.0 - b) * other
    stream[0] = advanced(position, 2 * transfers)


@kernel
def coalesce(mass, lumps, count, complete, due, until, stream):
    """Transfers of everything up to a time, O(1) each: only the sites `lumps[:count]` have something to give.

    mass and lumps, both of shape (n,), and due, of shape (1,), the time of the next transfer, are overwritten; returns
    how many lumps are left.
    """
    n, drawn, position = mass.size, 0, stream[0]
    while count > 1 and due[0] <= until:
        word = random_word(position, 2 * drawn)
        k = np.int64(((word >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32))
        i = lumps[k]
        if complete:
            j = np.int64(((word & np.uint64(0xFFFFFFFF)) * np.uint64(n - 1)) >> np.uint64(32))
            j += j >= i
        else:
            j = i + 1 if word & np.uint64(1) else i - 1
            j = 0 if j == n else n - 1 if j < 0 else j
        if mass[j] > 0.0:
            count -= 1
            lumps[k] = lumps[count]
        else:
            lumps[k] = j
        mass[j] += mass[i]
        mass[i] = 0.0
        due[0] -= math.log(1.0 - uniform(position, 2 * drawn + 1)) / (2.0 * count)
        drawn += 1
    stream[0] = advanced(position, 2 * drawn)
    return count


@kernel
def occupation(mixing, returned, inner, found):
    """F of eq. (5) at 1/m = first (1 - mixing)^(-k / inner), k = 0, 1, ...; the first where F = 1/m still holds.

    returned: 1 for the rule *mix*, else 0; inner: steps of the grid for a factor of 1 - mixing. `found` holds the
    first value and is overwritten.
    """
    back = inner * math.log(mixing) / math.log(1.0 - mixing)  # steps of the grid for a factor of mixing
    whole = int(back)
    part = back - whole
    start = found[0]
    grow = (1.0 - mixing) ** (-1.0 / inner)
    for k in range(1, found.size):
        x = start * grow**k
        carried = found[k - inner] if k >= inner else x * (1.0 - mixing)
        left = x * mixing
        if k - whole - 1 >= 0:
            left = (1.0 - part) * found[k - whole] + part * found[k - whole - 1]
        if returned == 1:
            found[k] = left - 0.5 * left * left + carried - 0.5 * carried * carried
        else:
            found[k] = (left + carried) / (1.0 + carried)


def occupied(mixing: float, rule: str, levels: Array) -> Array:
    """F_k of mean field at any levels (real), from eq. (5) upwards from masses so large that nobody has them."""
    inner = max(1, math.ceil(mixing / 0.004))
    first = 1e-4 * mixing
    wanted = -np.log(mixing) * (np.asarray(levels) + 0.5)  # ln 1/m
    step = -math.log1p(-mixing) / inner
    found = np.empty(math.ceil((wanted.max() - math.log(first)) / step) + 2)
    found[0] = first
    occupation(mixing, int(rule == "mix"), inner, found)
    grid = math.log(first) + step * np.arange(found.size)
    return np.asarray(np.interp(wanted, grid, found))


class RandomAdvectionSimulation(core.Simulation["RandomAdvection"]):
    """Transfers along random bonds; one unit of time brings one transfer along every bond on average."""

    time_unit, recording = "transfers per bond", "log"

    def prepare(self) -> None:
        m = self.model
        self.mass = np.ones(m.size)
        self.stream = new_stream(self.rng)
        self.lumps, self.count = np.arange(m.size), m.size
        self.due = self.rng.exponential(0.5 / m.size, 1)
        x, y, _ = (float(rate[0]) for rate in m.rates(np.array([m.mixing])))
        if m.geometry == "complete":  # all C_r are alike: eq. (2) is one rate
            slow = 50 / (4 * (x + y / (m.size - 1)))
        else:  # what diffuses from afar is, relative to C_0, kappa over the root of the time
            slow = min(m.size, 100 * y / max(x, 1e-9)) ** 2
        self.step = float(min(max(1.0, slow / 8000), max(1.0, 50_000 / m.size)))
        self.relaxation, self.window = 0.15 * slow + 20, 0.3 * slow + 50
        if m.rule == "all":
            self.step = self.quantum = 0.25
            self.relaxation, self.window = slow, 0.0  # until there is one lump
        columns = min(m.size, COLUMNS)
        self.raster = np.full((min(ROWS, 3 * columns // 4), columns), np.nan)
        self.rows, self.row_due = 0, 0.25
        self.averages = BlockAverages(len(LEVELS) + len(ORDERS))
        self.retune()

    def retune(self) -> None:
        self.averages = BlockAverages(len(LEVELS) + len(ORDERS))

    def evolve(self, duration: float) -> None:
        m = self.model
        if m.rule == "all":
            self._coalesce(self.time + duration)
            return
        transfer(
            self.mass, *m.shares, m.geometry == "complete", int(self.rng.poisson(2 * m.size * duration)), self.stream
        )  # fmt: skip
        moments = np.vander(self.mass, ORDERS[-1] + 1, increasing=True)[:, 1:].mean(axis=0)
        self.averages.add(np.concatenate([self._occupied(LEVELS), moments]))
        self._draw_row()

    def _coalesce(self, until: float) -> None:
        """Lumps merge up to a time; the rows of the picture are at times that do not depend on how it is cut."""
        while self.row_due <= until and self.count > 1:
            self._merge(self.row_due)
            self._draw_row()
            self.row_due *= SPELL
        self._merge(until)

    def _merge(self, until: float) -> None:
        complete = self.model.geometry == "complete"
        self.count = coalesce(self.mass, self.lumps, self.count, complete, self.due, until, self.stream)

    def _draw_row(self) -> None:
        if self.rows == len(self.raster):
            self.raster[:-1] = self.raster[1:]
        self.rows = min(self.rows + 1, len(self.raster))
        with np.errstate(divide="ignore"):
            self.raster[self.rows - 1] = np.log10(self.mass[: self.raster.shape[1]])

    def _occupied(self, levels: Array) -> Array:
        """F_k of the masses now, for rules with a share that stays."""
        m = self.model
        if m.rule not in SMALL["rule"]:
            return np.full(len(levels), np.nan)
        return np.asarray(-np.expm1(-self.mass * m.mixing ** -(levels[:, None] + 0.5)).mean(axis=1))

    def observe(self) -> dict[str, float]:
        square = float(np.mean(self.mass**2))
        return {"participation": square / self.model.size, "second_moment": square, "lump_density": self._held()}

    def _held(self) -> float:
        """Fraction of the sites that hold something."""
        m = self.model
        return float((self.count if m.rule == "all" else np.count_nonzero(self.mass)) / m.size)

    @property
    def finished(self) -> bool:
        return self.model.rule == "all" and self.count == 1

    def profiles(self) -> dict[str, core.Measured]:
        if self.model.rule == "all":  # which never comes to rest
            return {}
        mean, error = self.averages.mean_and_error()
        n = len(LEVELS)
        found = {"moments": core.Measured(ORDERS.astype(float), mean[n:], error[n:])}
        if self.model.rule in SMALL["rule"]:
            found["occupied"] = core.Measured(LEVELS.astype(float), mean[:n], error[:n])
        return found

    def pictures(self) -> core.Album:
        album: dict[str, Callable[[], core.Picture]] = {"field": self.picture, "masses": self._masses}
        if self.model.rule == "keep":
            album |= {"hierarchy": self._hierarchy, "square over next": self._ratio}
        return core.Album(album)

    def picture(self) -> core.Lattice:
        shown = np.where(np.isnan(self.raster), FAINTEST, np.maximum(self.raster, FAINTEST))
        top = max(1.0, math.log10(self.model.size))
        how = ", by ratios" if self.model.rule == "all" else ""
        return core.Lattice(shown, FAINTEST, top, f"log10 of the mass; sites across, time down{how}", signed=False)

    def _masses(self) -> core.Chart:
        site = np.arange(self.raster.shape[1])
        shown = np.maximum(self.mass[: site.size], 10**FAINTEST)
        return core.Chart(
            (core.Series("mass", site, shown, "points"),), core.Axis("site"),
            core.Axis("mass", "log", 10**FAINTEST, 1.2 * self.model.size), caption="the field now",
        )  # fmt: skip

    def _hierarchy(self) -> core.Chart:
        """F_k^2 against F_(k-1), averaged over the later half of the run."""
        mean, error = self.averages.mean_and_error()
        f, e = mean[: len(LEVELS)], error[: len(LEVELS)]
        theory = occupied(self.model.mixing, "keep", np.linspace(-1, 7, 65))
        return core.Chart(
            (core.Series("run", f[:-1], f[1:] ** 2, "points", error=2 * f[1:] * e[1:]),
             core.Series("mean field", theory[:-8], theory[8:] ** 2)),
            core.Axis("fraction above one level", low=0, high=1),
            core.Axis("square of that above the next", low=0, high=1),
            (core.Guide(1.0, (0.0, 0.0), "equal"),), "every dot: two neighbouring levels of mass", equal=True,
        )  # fmt: skip

    def _ratio(self) -> core.Chart:
        """F_k^2 / F_(k-1), averaged over the later half of the run."""
        mean, error = self.averages.mean_and_error()
        f, e = mean[: len(LEVELS)], error[: len(LEVELS)]
        theory = occupied(self.model.mixing, "keep", LEVELS.astype(float))
        k = LEVELS[1:].astype(float)
        with np.errstate(divide="ignore", invalid="ignore"):
            found = f[1:] ** 2 / f[:-1]
            spread = found * np.hypot(2 * e[1:] / f[1:], e[:-1] / f[:-1])
        return core.Chart(
            (core.Series("run", k, found, "points", error=spread),
             core.Series("mean field", k, theory[1:] ** 2 / theory[:-1])),
            core.Axis("level"), core.Axis("square over the level above", low=0.6, high=1.4),
            caption="1 where every level has left behind the next",
        )  # fmt: skip


@dataclass(frozen=True)
class RandomAdvection(core.Model):
    size: int = core.control(256, 8, 4096, symbol="N", role="size", scale="log", doc="sites")
    mixing: float = core.control(
        0.01, 1e-4, 0.5, symbol=r"\epsilon", role="rate", scale="log",
        doc="share of the mass that stays behind, or that is given in return",
    )  # fmt: skip
    rule: str = core.choice("keep", ("keep", "mix", "all", "share"), doc="what a transfer leaves behind")
    geometry: str = core.choice("ring", ("ring", "complete"), doc="between neighbours, or between any two sites")

    title = "Random advection"
    summary = "Mass carried about at random: one lump or many, and a hierarchy of what each of them has left behind."
    tags = core.Tags("course", 15, ("patterns", "phase transition"), ("exact sums", "master equations"))
    relations = (
        core.Relation(
            "coincides with", "annihilation",
            "If nothing is left behind, lumps on a ring are walkers that coalesce at the first contact: one process, "
            "asked for its masses here and for its density there.",
            here={"rule": "all", "geometry": "ring"},
            there={"reaction": "coalescence", "geometry": "line", "reactivity": 1.0},
        ),
    )  # fmt: skip
    sources = (
        core.Source("K. Kang and S. Redner, Phys. Rev. A 30, 2833 (1984)", doi="10.1103/PhysRevA.30.2833"),
        core.Source("C. Kipnis, C. Marchioro and E. Presutti, J. Stat. Phys. 27, 65 (1982)", doi="10.1007/BF01011740"),
        core.Source("H. Takayasu and Y. Taguchi, Phys. Rev. Lett. 70, 782 (1993)", doi="10.1103/PhysRevLett.70.782"),
    )
    observables = (
        core.Observable("participation", "Y", "sum of squares over square of the sum: one over the number of lumps",
                        low=0, high=1),
        core.Observable("second_moment", r"\langle m^2\rangle", "mean square of a mass", low=1, scale="log"),
        core.Observable(
            "lump_density", "c", "fraction of sites that hold anything", scale="log", only={"rule": ("all",)}
        ),
        core.Observable(
            "occupied", "F_k", "fraction of sites with more than about ε^(k+1/2)", over="level", low=0, high=1,
            only=SMALL,
        ),
        core.Observable("moments", r"\mu_n", "mean of the n-th power of a mass", over="order", scale="log"),
    )  # fmt: skip
    coordinates = (
        core.Coordinate("level", "k", "logarithm of a mass to the base ε"),
        core.Coordinate("order", "n", "which power", discrete=True),
    )
    methods = (
        core.Method("exact", "all correlations of two sites, eqs. (2) and (3)"),
        core.Method("mean_field", "partners are drawn independently, eqs. (4) and (5)"),
    )
    phases = (
        core.Phase("one_lump", "A single lump holds most of the mass, and wanders."),
        core.Phase(
            "spread", "The mass is spread over many lumps, which merge and are fed again by what is left behind."
        ),
    )
    failures = (
        core.Failure(
            "more_than_there_is",
            "Mean field puts more on one site than there is: the lumps have met all of the others.",
        ),
    )
    landmarks = (
        core.Landmark(
            "condensation", r"N=\kappa+1", "half of the mass squared is on one site", of="mixing", continuous=False
        ),
    )
    planes = (core.Plane("size", "mixing", "participation", along="y"),)
    presets = (
        core.Preset(
            "one lump", {"size": 16, "mixing": 0.001},
            "Everything gathers on one site, Y = 0.985; a lump steps and leaves a trail behind that it picks up again.",
            (core.Promise(core.Value("participation", method="exact"), 0.985, 0.0005),),
            core.View(series="participation", picture="field", function="occupied"),
        ),
        core.Preset(
            "hierarchy", {"size": 4096, "mixing": 0.01, "geometry": "complete"},
            "Levels of mass, each a hundred times lighter: the share above one is the square of that above the next.",
            view=core.View(picture="hierarchy", function="occupied", series="second_moment"),
        ),
        core.Preset(
            "hierarchy on a ring", {"size": 256, "mixing": 0.01},
            "Neighbours are no strangers: at the top of the hierarchy the square is a fifth too small.",
            view=core.View(picture="square over next", function="occupied", series="second_moment"),
        ),
        core.Preset(
            "ideal gas", {"size": 256, "rule": "share"},
            "Shared at random, the mass of a site is that of an energy in a gas: the mean square is 1.99.",
            (core.Promise(core.Value("second_moment", method="exact"), 1.99, 0.005),),
            core.View(series="second_moment", picture="masses", function="moments"),
        ),
        core.Preset(
            "coalescence clock", {"size": 2048, "rule": "all"},
            "Nothing is left behind: lumps only merge, and their number falls as one over the root of time.",
            view=core.View(series="lump_density", picture="field"),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "keep a fifth, 32 sites", 4.444444444444446, 1e-12, "closed form; Monte Carlo 4.4400",
            core.Value("second_moment", method="exact"), {"size": 32, "mixing": 0.2},
        ),
        core.Reference(
            "give a tenth in return, 32 sites", 4.1, 1e-12, "closed form; Monte Carlo 4.0959",
            core.Value("second_moment", method="exact"), {"size": 32, "mixing": 0.1, "rule": "mix"},
        ),
        core.Reference(
            "shared at random, 32 sites", 64 / 33, 1e-12, "uniform on the simplex", published=True,
            of=core.Value("second_moment", method="exact"), at={"size": 32, "rule": "share"},
        ),
        core.Reference(
            "third moment of mean field, a fifth kept", 45.0, 1e-10, r"$(2-\epsilon)/\epsilon^2$",
            core.Value("moments", method="mean_field", place=3), {"mixing": 0.2},
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A ring of 64 sites. Which share must stay behind for half of the squared mass to be in one lump?",
            {"size": 64, "mixing": 0.2}, "mixing", core.Crossing("condensation", "mixing"), 0.003,
            "Two sites are as good as one lump when the ring is as long as κ = 1/ε: a lump is caught again by its own "
            "trail within about κ steps.",
        ),
        core.Task(
            "A tenth stays behind, on a ring without end. What is the mean square of the mass of a site?",
            {"size": 4096, "mixing": 0.1}, "second_moment", core.Value("second_moment", method="mean_field"), 0.6,
            "Each transfer destroys a share 2ε of the mean square and makes twice the square of the mean: κ = 1/ε.",
        ),
    )  # fmt: skip
    simulation = RandomAdvectionSimulation

    @property
    def shares(self) -> tuple[float, float]:
        """(a, b) of eq. (1); a is negative where both share at random."""
        kept = {"keep": (1 - self.mixing, 0.0), "mix": (1 - self.mixing, self.mixing), "all": (1.0, 0.0)}
        return kept.get(self.rule, (-1.0, 0.0))

    def rates(self, mixing: Array) -> tuple[Array, Array, Array]:
        """x, y, w of eq. (2)."""
        one = np.ones_like(mixing)
        if self.rule == "share":
            return one / 3, 2 * one / 3, 2 * one
        a = one if self.rule == "all" else 1 - mixing
        b = mixing if self.rule == "mix" else 0 * one
        return a * (1 - a) + b * (1 - b), a + b - 2 * a * b, 2 * (a + b)

    def solve(self, points: Points) -> core.Solution:
        n = points["size"].astype(np.float64)
        x, y, _ = self.rates(points["mixing"])
        square = np.full((n.size, 2), np.nan)
        square[:, EXACT] = y * n / (y + x * (n - 1))  # kappa = y/x may be infinite
        with np.errstate(divide="ignore"):
            square[:, MEAN_FIELD] = np.where(x > 0, y / x, np.nan)
        values = {"second_moment": square, "participation": square / n[:, None]}
        if self.rule == "all":
            values["lump_density"] = np.stack([1 / n, np.full_like(n, np.nan)], axis=-1)
        beyond = np.zeros(square.shape, bool)
        with np.errstate(invalid="ignore"):
            beyond[:, MEAN_FIELD] = square[:, MEAN_FIELD] > n
        residual = np.where(np.isnan(square), np.nan, 0.0)
        return core.Solution(values, residual, fails={"more_than_there_is": beyond})

    def equations(self, state: Mapping[str, Any]) -> dict[str, float]:
        square, n = state["second_moment"], self.size
        if self.rule == "share":  # averages over the uniform share
            u = (np.arange(2000) + 0.5) / 2000
            first = second = np.stack([u, u])
        else:
            a, b = self.shares
            first, second = np.array([[1 - a], [b]]), np.array([[a], [1 - b]])
        together = (n - square) / (n - 1) if state["method"] == "exact" else 1.0  # <m_i m_j>
        after = (
            np.mean(first**2 + second**2) * 2 * square
            + 2 * np.mean(first[0] * first[1] + second[0] * second[1]) * together
        )
        return {"(2)": (after / (2 * square) - 1) if self.rule != "all" or state["method"] == "exact" else 0.0}

    def classify(self, points: Points, states: core.States) -> Mapping[str, Array]:
        lumped = states.solution.values["participation"][:, EXACT] > 0.5
        return {"one_lump": lumped, "spread": ~lumped}

    def boundary(self, name: str, points: Points) -> Array:
        n = points["size"].astype(np.float64)
        if self.rule == "keep":
            return 1 / (n - 1)
        return (1 - np.sqrt(1 - 2 / n)) / 2 if self.rule == "mix" else np.full_like(n, np.nan)

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        """As a smooth curve, although sizes are whole numbers."""
        if {x, y} != {"size", "mixing"}:
            return super().trace_landmark(name, x, y, x_range)
        n = np.geomspace(*self.control("size").bounds, 129)
        border = self.boundary(name, {"size": n})
        kept = (border >= self.control("mixing").bounds[0]) & (border <= self.control("mixing").bounds[1])
        n, border = np.where(kept, n, np.nan), np.where(kept, border, np.nan)
        return (n, border) if x == "size" else (border, n)

    def profiles(self) -> dict[str, core.Profile]:
        moments = np.full((2, len(ORDERS)), np.nan)
        square = self.solve({"size": np.array([self.size]), "mixing": np.array([self.mixing])}).values["second_moment"][
            0
        ]
        moments[EXACT, :2] = 1.0, square[EXACT]
        if self.rule == "share":
            n, k = self.size, ORDERS
            moments[EXACT] = np.exp(k * math.log(n) + gammaln(k + 1) + gammaln(n) - gammaln(n + k))
        moments[MEAN_FIELD] = self._moments()
        levels = np.linspace(LEVELS[0], LEVELS[-1], 65)
        fractions = np.full((2, levels.size), np.nan)
        if self.rule in SMALL["rule"]:
            fractions[MEAN_FIELD] = occupied(self.mixing, self.rule, levels)
        return {
            "occupied": core.Profile(levels, fractions), "moments": core.Profile(ORDERS.astype(float), moments)
        }  # fmt: skip

    def _moments(self) -> Array:
        """Eq. (4)."""
        if self.rule == "share":
            return np.exp(gammaln(ORDERS + 1.0))
        a, b = self.shares
        if self.rule == "all":
            return np.full(len(ORDERS), np.nan)
        found = np.ones(len(ORDERS) + 1)
        for n in ORDERS[1:]:
            j = np.arange(1, n)
            gain = comb(n, j) * found[j] * found[n - j] * ((1 - a) ** j * b ** (n - j) + (1 - b) ** j * a ** (n - j))
            found[n] = 0.5 * gain.sum() / (1 - 0.5 * ((1 - a) ** n + a**n + (1 - b) ** n + b**n))
        return found[1:]

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        """From an even field: eq. (2) in closed form but for an inverse Laplace transform, and eq. (7)."""
        t, n = np.asarray(times, np.float64), self.size
        later = t > 0
        square, lumps = np.ones_like(t), np.ones_like(t)
        x, y, w = (float(v[0]) for v in self.rates(np.array([self.mixing])))
        if self.geometry == "complete":
            rest = y * n / (y + x * (n - 1))
            square = rest + (1 - rest) * np.exp(-4 * (x + y / (n - 1)) * t)
            lumps = 1 / (n - (n - 1) * np.exp(-2 * t / (n - 1)))
        elif later.any():
            square[later] = inverse_laplace(lambda s: _square(s, n, x, y, w), t[later])
            lumps[later] = inverse_laplace(lambda s: _lumps(s, n), t[later])
        path = {"second_moment": square, "participation": square / n}
        return path | ({"lump_density": lumps} if self.rule == "all" else {})

    def caveat(self) -> str:
        return "the field is not stationary yet (on a ring that takes a time of order N squared), or few lumps are left"


def _decay(s: Array, rate: float) -> Array:
    """The root below one of s = rate (root + 1/root - 2)."""
    return 2 * rate / (2 * rate + s + np.sqrt(s) * np.sqrt(s + 4 * rate))


def _square(s: Array, n: int, x: float, y: float, w: float) -> Array:
    """Transform of C_0 of eq. (2): C_r = 1/s + B (decay^r + decay^(n - r)) for r >= 1."""
    decay = _decay(s, w)
    near, far = 1 + decay**n, decay + decay ** (n - 1)
    source = 2 * y / s - 2 * x * (1 + 4 * y / s) / (s + 4 * x)
    amplitude = source / (8 * x * y * far / (s + 4 * x) - 2 * y * far - w * (near - far))
    return (1 + 4 * y * (1 / s + amplitude * far)) / (s + 4 * x)


def _lumps(s: Array, n: int) -> Array:
    """Eq. (7)."""
    decay = _decay(s, 2.0)
    return (1 - (decay - decay ** (2 * n - 1)) / (1 - decay ** (2 * n))) / s
