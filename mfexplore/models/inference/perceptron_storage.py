r"""Perceptron storage: how many random patterns one neuron can learn, and which algorithms get there.

A perceptron with $N$ weights stores $M=\alpha N$ random patterns $\xi^\mu\in\{\pm1\}^N$ with random labels
$y_\mu=\pm1$ if every *stability* reaches the margin $\kappa$:

$$\Delta_\mu=\frac{y_\mu}{\sqrt N}\,w\cdot\xi^\mu\ge\kappa,\qquad \mu=1,\dots,\alpha N \tag{1}$$

The weights are *spherical*, $|w|^2=N$, or *binary*, $w_i=\pm1$. Gardner counts the solutions. At temperature $T$, where
every violated pattern costs one unit of energy, the replica-symmetric free entropy per weight is the extremum over $q$
(the overlap of two solutions) and $\hat q$ of

$$\ln Z=\mathcal S(\hat q)-\tfrac12\hat q(1-q)\,[\textrm{binary}]+\alpha\!\int\!Dz\,
\ln\big[\epsilon+(1-\epsilon)H(u)\big] \tag{2}$$

with $u=(\kappa-\sqrt q\,z)/\sqrt{1-q}$, $\epsilon=e^{-1/T}$, $Dz$ the standard normal measure, $H(u)=\int_u^\infty
Dz$, $\mathcal S=\int Dz\ln2\cosh\sqrt{\hat q}z$ for binary and $\mathcal S=\frac12[\ln(1-q)+\frac q{1-q}]$ for
spherical weights. Stationarity gives, with $g=\frac{(1-\epsilon)\varphi(u)}{\epsilon+(1-\epsilon)H(u)}$,

$$\hat q=\frac{\alpha}{1-q}\int\!Dz\,g^2$$

$$q=\int\!Dz\tanh^2\!\sqrt{\hat q}\,z\;\;[\textrm{binary}],\qquad
\hat q=\frac q{(1-q)^2}\;\;[\textrm{spherical}] \tag{3}$$

**Capacity.** Spherical: at $T=0$ the solutions shrink to one, $q\to1$, at

$$\frac1{\alpha_c}=\int_{-\kappa}^\infty\!Dt\,(t+\kappa)^2=(1+\kappa^2)\Phi(\kappa)+\kappa\varphi(\kappa),\qquad
\alpha_c(0)=2 \tag{4}$$

Beyond it the fewest violations (Gardner and Derrida) follow from $x=\lim (1-q)/T$ and $s=\sqrt{2x}$:

$$\frac1\alpha=\int_{\kappa-s}^{\kappa}\!Dt\,(\kappa-t)^2,\qquad \textrm{violated fraction}=\Phi(\kappa-s) \tag{5}$$

Binary: there are finitely many weights, so the last solution is gone where the *entropy* vanishes (Krauth and Mézard),
at $\alpha_c(0)=0.833$ with $q=0.56$ still far from 1. Wherever the entropy (2) would be negative the system is
*frozen*: its true state is that of the freezing temperature $T_f$ at which the entropy vanishes.

**Stability.** Replica symmetry holds while

$$\lambda=1-\alpha\,\overline{(\partial_\omega g_\omega)^2}\;\overline{(\partial_b\langle w\rangle)^2}>0 \tag{6}$$

(de Almeida and Thouless; $g_\omega=g/\sqrt{1-q}$). The very same condition makes message passing converge.

**The race.** All rules see the same patterns; a unit of time is one pass, work of order $MN$. *Perceptron*: add every
pattern that is wrong (binary: its clipped form, hidden integers whose signs are the weights). *AdaTron*: the weights of
largest smallest stability (binary: their signs). *SBPI*: the clipped rule that also deepens what is barely right
(spherical: the same as perceptron). *Message passing*: approximate message passing for the centre of all solutions;
with `reinforcement` it commits itself more and more to one of them. *Annealing*: Metropolis sampling of (2), cooled
to the temperature $T$.

**Valid:** the spherical theory for $\kappa\ge0$ below capacity, and the binary one (with its frozen phase) as
conjectured exact. For $\kappa<0$ near capacity and for spherical weights beyond capacity $\lambda<0$: replica symmetry
breaks, eq. (4) is then only an upper bound and eq. (5) a lower one. Binary solutions at $T=0$ are isolated points
(frozen one-step replica symmetry breaking), yet SBPI and reinforced message passing find solutions up to
$\alpha\approx0.75$: they are drawn to rare dense clusters that this typical-case theory does not see. Temperatures
below 0.002 count as zero.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import log_ndtr as scipy_log_ndtr
from scipy.special import ndtr, ndtri, ndtri_exp

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.message_passing.algorithm import MessagePassing
from mfexplore.families.message_passing.state_evolution import LoadCurves
from mfexplore.families.perceptrons import Adatron, Annealing, Rosenblatt, Rule, Sbpi, on_sphere, random_patterns, signs
from mfexplore.numerics.elementary import exp, log, log_ndtr, normal_tail
from mfexplore.numerics.gaussian import response, response_and_entropy
from mfexplore.numerics.kernel import kernel

SPHERICAL, BINARY = 0, 1
STORABLE, UNSTORABLE, FROZEN = 0, 1, 2
BROKEN = 1

NODES = 640  # enough for any average below
REACH = 8.3  # standard deviations
STRIP = 2.8  # the zeros of H(u) lie no closer to the real axis
MAP_STEP = 0.13
INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
COLDEST, HOTTEST = 0.002, 8.0  # what is colder counts as zero: e^(-1/T) soon underflows


@kernel
def place_nodes(q, v, margin, temperature, u, weight):
    """Nodes u and weights for averages of eq. (2) over z, accurate for any q in (0, 1) and v = 1 - q.

    The integrand changes over a width of about 1 at u = 0 and, at low temperature, more sharply at u = sqrt(2/T), where
    H(u) falls below epsilon. Either the nodes are equidistant and fine enough, or du/dt follows both widths (a sum of
    two asinh), and the trapezoid rule in t converges exponentially however broad the Gaussian is. Returns their number.
    """
    scale = math.sqrt(v)
    centre, sigma = margin / scale, math.sqrt(q) / scale
    edge, sharp = 0.0, STRIP
    if temperature > 0.0:
        edge = math.sqrt(2.0 / temperature + 1.0)
        sharp = min(math.pi / edge, STRIP)
    step = min(0.35 * sigma, 0.2 * sharp)
    half = int(REACH * sigma / step) + 1
    if half <= 150:
        for k in range(2 * half + 1):
            x = (k - half) * step
            u[k] = centre + x
            weight[k] = exp(-0.5 * (x / sigma) ** 2) * step / sigma * INVERSE_SQRT_2PI
        return 2 * half + 1
    low, high = centre - REACH * sigma, centre + REACH * sigma
    if temperature == 0.0:
        t = math.asinh(low / STRIP)
        n = min(int((math.asinh(high / STRIP) - t) / MAP_STEP) + 1, u.size)
        for k in range(n):
            e = exp(t + k * MAP_STEP)
            u[k] = 0.5 * STRIP * (e - 1.0 / e)
            z = (u[k] - centre) / sigma
            weight[k] = 0.5 * STRIP * (e + 1.0 / e) * exp(-0.5 * z * z) * MAP_STEP / sigma * INVERSE_SQRT_2PI
        return n
    x, n = low, 0
    t = math.asinh(x / STRIP) + math.asinh((x - edge) / sharp)
    while x < high and n < u.size:
        slope = 1.0 / (1.0 / math.sqrt(STRIP * STRIP + x * x) + 1.0 / math.sqrt(sharp * sharp + (x - edge) ** 2))
        z = (x - centre) / sigma
        u[n] = x
        weight[n] = slope * exp(-0.5 * z * z) * MAP_STEP / sigma * INVERSE_SQRT_2PI
        n += 1
        t += MAP_STEP
        x += MAP_STEP * slope
        for _ in range(3):
            missing = t - math.asinh(x / STRIP) - math.asinh((x - edge) / sharp)
            x += missing / (1.0 / math.sqrt(STRIP * STRIP + x * x) + 1.0 / math.sqrt(sharp * sharp + (x - edge) ** 2))
    return n


@kernel
def mean_square(q, v, margin, temperature, u, weight):
    """Average of g^2, eq. (3). u, weight: scratch of shape (NODES,)."""
    n = place_nodes(q, v, margin, temperature, u, weight)
    floor = math.exp(-1.0 / temperature) if temperature > 0.0 else 0.0
    total = 0.0
    for k in range(n):
        mass, hazard = normal_tail(u[k])
        share = 1.0 if floor == 0.0 else (1.0 - floor) * mass / (floor + (1.0 - floor) * mass)
        g = hazard * share
        total += weight[k] * g * g
    return total


@kernel
def averages(q, v, margin, temperature, u, weight):
    """Averages of g^2, ln[epsilon + (1 - epsilon) H], the violated fraction, g, and (dg/du)^2."""
    n = place_nodes(q, v, margin, temperature, u, weight)
    floor = math.exp(-1.0 / temperature) if temperature > 0.0 else 0.0
    square = mean_log = violated = mean = curvature = 0.0
    for k in range(n):
        mass, hazard = normal_tail(u[k])
        total = floor + (1.0 - floor) * mass
        share = 1.0 if floor == 0.0 else (1.0 - floor) * mass / total
        mean_log += weight[k] * (log_ndtr(-u[k]) if floor == 0.0 else log(total))
        violated += weight[k] * (0.0 if floor == 0.0 else floor * (1.0 - mass) / total)
        g = hazard * share
        mean += weight[k] * g
        square += weight[k] * g * g
        far = share == 1.0 and u[k] > 100.0  # there g - u cancels: its series in 1/u instead
        slope = 1.0 - 1.0 / (u[k] * u[k]) + 6.0 / u[k] ** 4 if far else g * (g - u[k])
        curvature += weight[k] * slope * slope
    return square, mean_log, violated, mean, curvature


@kernel
def prior(kind, log_snr):
    """(q, 1 - q) for qhat = exp(log_snr), the right part of eq. (3)."""
    snr = math.exp(log_snr)
    if kind == SPHERICAL:
        v = 2.0 / (1.0 + math.sqrt(1.0 + 4.0 * snr))
        return snr * v * v, v
    _, q, v, _, _ = response(0.0, math.sqrt(snr), 1.0)
    return q, max(v, 1e-300)


@kernel
def fill_loads(kind, log_snr, margin, temperature, load):
    """The load at which qhat = exp(log_snr) solves eq. (3)."""
    u, weight = np.empty(NODES), np.empty(NODES)
    for i in range(log_snr.size):
        q, v = prior(kind, log_snr[i])
        load[i] = math.exp(log_snr[i]) * v / mean_square(q, v, margin[i], temperature[i], u, weight)


@kernel
def fill_values(kind, log_snr, margin, temperature, load, out):
    """Columns of out: q, entropy, violated fraction, mean stability, replicon (6), relative residual of eq. (3)."""
    u, weight = np.empty(NODES), np.empty(NODES)
    for i in range(log_snr.size):
        snr = math.exp(log_snr[i])
        q, v = prior(kind, log_snr[i])
        square, mean_log, violated, mean, curvature = averages(q, v, margin[i], temperature[i], u, weight)
        if kind == SPHERICAL:
            free_entropy = 0.5 * (math.log(v) + q / v)
            fluctuation = v * v
        else:
            _, _, chi, _, _, fluctuation, entropy = response_and_entropy(0.0, math.sqrt(snr), 1.0)
            free_entropy = 0.5 * snr * chi + entropy
        free_entropy += load[i] * mean_log
        energy = load[i] * violated / temperature[i] if temperature[i] > 0.0 else 0.0
        out[i, 0] = q
        out[i, 1] = free_entropy + energy
        out[i, 2] = violated
        out[i, 3] = mean * math.sqrt(v)
        out[i, 4] = 1.0 - load[i] * curvature / (v * v) * fluctuation
        out[i, 5] = abs(load[i] * square / (v * snr) - 1.0)


@kernel
def binary_entropy(log_snr, margin, temperature, u, weight):
    """(entropy, load) of the binary solution with qhat = exp(log_snr)."""
    snr = math.exp(log_snr)
    _, q, v, _, _, _, entropy = response_and_entropy(0.0, math.sqrt(snr), 1.0)
    square, mean_log, violated, _, _ = averages(q, v, margin, temperature, u, weight)
    load = snr * v / square
    energy = violated / temperature if temperature > 0.0 else 0.0
    return 0.5 * snr * v + entropy + load * (mean_log + energy), load


@kernel
def entropy_vanishes(margin, temperature, low, high, u, weight):
    """(log qhat, load) at which the binary entropy is zero, by false position (Illinois) in log qhat."""
    f_low, load = binary_entropy(low, margin, temperature, u, weight)
    f_high, _ = binary_entropy(high, margin, temperature, u, weight)
    x = low
    for _ in range(80):
        x = high - f_high * (high - low) / (f_high - f_low)
        f, load = binary_entropy(x, margin, temperature, u, weight)
        if abs(f) < 1e-15 or abs(x - high) < 1e-14:
            break
        if f * f_high < 0.0:
            low, f_low = high, f_high
        else:
            f_low *= 0.5
        high, f_high = x, f
    return x, load


LOW_SNR, HIGH_SNR = -7.0, 5.0  # the entropy of the binary perceptron vanishes within


@kernel
def fill_vanishing(margin, temperature, log_snr, load):
    """`entropy_vanishes` for arrays."""
    u, weight = np.empty(NODES), np.empty(NODES)
    for i in range(margin.size):
        log_snr[i], load[i] = entropy_vanishes(margin[i], temperature[i], LOW_SNR, HIGH_SNR, u, weight)


@kernel
def freeze(load, margin, start, u, weight):
    """(log qhat, T_f) at which the binary entropy vanishes at a load beyond capacity.

    Newton in (log qhat, log T) from `start`; without success false position in log T.
    """
    x, t = start
    for _ in range(12):
        s, a = binary_entropy(x, margin, math.exp(t), u, weight)
        sx, ax = binary_entropy(x + 1e-6, margin, math.exp(t), u, weight)
        st, at = binary_entropy(x, margin, math.exp(t + 1e-6), u, weight)
        f = math.log(a / load)
        fx, ft = math.log(ax / a) * 1e6, math.log(at / a) * 1e6
        sx, st = (sx - s) * 1e6, (st - s) * 1e6
        determinant = fx * st - ft * sx
        dx, dt = (f * st - ft * s) / determinant, (fx * s - f * sx) / determinant
        if not abs(dx) + abs(dt) < 2.0:
            break
        x, t = x - dx, t - dt
        if not (LOW_SNR < x < HIGH_SNR and math.log(COLDEST) < t < math.log(HOTTEST)):
            break
        if abs(dx) + abs(dt) < 1e-11:
            return x, t
    low, high = math.log(COLDEST), math.log(HOTTEST)
    x, a = entropy_vanishes(margin, COLDEST, LOW_SNR, HIGH_SNR, u, weight)
    f_low = math.log(a / load)
    if f_low >= 0.0:  # freezes only below the coldest temperature, which then stands for zero
        return x, low
    _, a = entropy_vanishes(margin, HOTTEST, LOW_SNR, HIGH_SNR, u, weight)
    f_high = math.log(a / load)
    for _ in range(60):
        t = high - f_high * (high - low) / (f_high - f_low)
        x, a = entropy_vanishes(margin, math.exp(t), LOW_SNR, HIGH_SNR, u, weight)
        f = math.log(a / load)
        if abs(f) < 1e-14 or abs(t - high) < 1e-13:
            break
        if f * f_high < 0.0:
            low, f_low = high, f_high
        else:
            f_low *= 0.5
        high, f_high = t, f
    return x, t


@kernel
def fill_frozen(load, margin, log_snr, temperature):
    """`freeze` for arrays, each point starting from the one before."""
    u, weight = np.empty(NODES), np.empty(NODES)
    start = (0.5, -1.5)
    for i in range(load.size):
        start = freeze(load[i], margin[i], start, u, weight)
        log_snr[i], temperature[i] = start[0], math.exp(start[1])


def density(x: Array) -> Array:
    return np.asarray(np.exp(-0.5 * np.square(x)) * INVERSE_SQRT_2PI)


def spherical_capacity(margin: Array) -> Array:
    """Eq. (4)."""
    return np.asarray(1 / ((1 + np.square(margin)) * ndtr(margin) + margin * density(margin)))


def binary_capacity(margin: Array) -> Array:
    """The load at which the entropy of binary weights vanishes at T = 0; margin of shape (n,)."""
    margin = np.asarray(margin, np.float64)
    log_snr, load = np.empty_like(margin), np.empty_like(margin)
    fill_vanishing(margin, np.zeros_like(margin), log_snr, load)
    return load


CAPACITY: dict[str, Callable[[Array], Array]] = {"spherical": spherical_capacity, "binary": binary_capacity}


@lru_cache(maxsize=64)
def margins_stored(weights: str, loads: bytes) -> Array:
    """The largest margin at which each load (float64 in `loads`) can be stored, shape (n,)."""
    load = np.frombuffer(loads)

    def excess(margin: Array, which: Array) -> Array:
        return np.asarray(np.log(CAPACITY[weights](margin) / load[which]))

    return bracketed_roots(excess, np.full(load.shape, -4.0), np.full(load.shape, 14.0))


@lru_cache(maxsize=32)
def load_curves(weights: str, margins: bytes, temperatures: bytes) -> LoadCurves:
    """The solutions of eq. (3) as curves load(qhat), one per pair of margin and temperature."""
    margin, temperature = np.frombuffer(margins), np.frombuffer(temperatures)
    kind = BINARY if weights == "binary" else SPHERICAL

    def load_at(log_snr: Array, row: Array) -> Array:
        load = np.empty_like(log_snr)
        fill_loads(kind, log_snr, margin[row], temperature[row], load)
        return load

    high = 7.0 if kind == BINARY else 36.0
    return LoadCurves(load_at, margin.size, -18.0, high, points=193)


def fewest_violations(load: Array, margin: Array) -> tuple[Array, Array]:
    """Violated fraction and mean stability of eq. (5), for loads beyond capacity."""

    def missing(s: Array, which: Array) -> Array:
        k, a = margin[which], margin[which] - s
        window = (1 + k * k) * (ndtr(k) - ndtr(a)) + k * density(k) + (a - 2 * k) * density(a)
        return np.asarray(window - 1 / load[which])

    a = margin - bracketed_roots(missing, np.zeros_like(load), np.full_like(load, 12.0) + margin)
    return ndtr(a), margin * (ndtr(margin) - ndtr(a)) + density(margin) - density(a)


class Passing(Rule):
    """Approximate message passing for the mean weights; the field of every weight remembers itself if reinforced."""

    temperature = 0.0
    reinforcement = 0.0
    last_field: Array | None = None

    def started(self) -> None:
        rows, size = self.patterns.shape
        self.passing = MessagePassing(self.patterns, np.zeros(size), 1.0)
        self.passes = 0
        self.drawn = self.rng.random((2, rows))
        self.typical = np.zeros(rows)

    def one_pass(self) -> None:
        omega, v = self.passing.forward()
        v = max(v, 1e-9)
        u = (self.threshold - omega) / math.sqrt(v)
        log_tail = scipy_log_ndtr(-u)
        hazard = np.exp(-0.5 * u * u - log_tail) * INVERSE_SQRT_2PI
        if self.temperature > 0:
            epsilon = math.exp(-1 / self.temperature)
            tail = (1 - epsilon) * np.exp(log_tail)
            hazard *= tail / (epsilon + tail)
        curvature = max(float(np.mean(hazard * (hazard - u))), 1e-12) / v
        self.typical = self.draw(omega, math.sqrt(v), log_tail)
        r, noise = self.passing.backward(hazard / math.sqrt(v), curvature)
        field = r / noise
        if self.reinforcement > 0 and self.last_field is not None:
            field = field + (1 - (1 - self.reinforcement) ** self.passes) * self.last_field
        self.last_field = field
        self.passes += 1
        if self.binary:
            mean = np.tanh(field)
            self.passing.accept(mean, float(1 - np.mean(mean * mean)))
        else:
            variance = 2 / (1 + math.sqrt(1 + 4 * float(np.mean(field * field))))
            self.passing.accept(field * variance, variance)

    def draw(self, omega: Array, deviation: float, log_tail: Array) -> Array:
        """The stability of every pattern in one typical state: a normal number around omega, above the margin, or
        below it with the probability that the temperature allows. The same random numbers are used in every pass.
        """
        first, second = self.drawn
        above = omega - deviation * ndtri_exp(np.log(first) + log_tail)
        if self.temperature == 0:
            return np.asarray(above)
        tail = np.exp(log_tail)
        epsilon = math.exp(-1 / self.temperature)
        below = omega + deviation * ndtri(first * (1 - tail))
        return np.where(second * (tail + epsilon * (1 - tail)) < tail, above, below)

    @property
    def weights(self) -> Array:
        mean = self.passing.mean.astype(np.float32)
        return signs(mean) if self.binary else on_sphere(mean)

    @property
    def overlap(self) -> float:
        """Mean square of the mean weight."""
        return float(np.mean(self.passing.mean**2))

    @property
    def keeps_on(self) -> bool:
        return self.passing.change > 1e-10


RULES: dict[str, type[Rule]] = {
    "perceptron": Rosenblatt,
    "adatron": Adatron,
    "sbpi": Sbpi,
    "message_passing": Passing,
    "annealing": Annealing,
}
RACERS = {
    "spherical": ("perceptron", "adatron", "message_passing", "annealing"),
    "binary": ("perceptron", "sbpi", "message_passing", "adatron", "annealing"),
}


class PerceptronRace(core.Simulation["PerceptronStorage"]):
    """One rule, or all of them at once, on the same random patterns."""

    time_unit = "passes"
    relaxation, window = 300.0, 0.0

    def prepare(self) -> None:
        m = self.model
        patterns = random_patterns(self.rng, m.patterns, m.size)
        names = RACERS[m.weights] if m.algorithm == "race" else (m.algorithm,)
        streams = self.rng.spawn(len(RULES))  # by rule, so that a rule alone runs as it does in the race
        self.rules = {
            name: RULES[name](patterns, m.margin, m.weights == "binary", streams[list(RULES).index(name)])
            for name in names
        }
        self.widest = -math.inf
        self.retune()
        self.look()

    def retune(self) -> None:
        for rule in self.rules.values():
            if isinstance(rule, Passing | Annealing):
                rule.temperature = self.model.temperature
            if isinstance(rule, Passing):
                rule.reinforcement = self.model.reinforcement

    def look(self) -> None:
        self.stabilities = {name: rule.stabilities() for name, rule in self.rules.items()}
        self.violated = {name: float(np.mean(self.stabilities[name] < r.threshold)) for name, r in self.rules.items()}
        self.widest = max(self.widest, *(float(s.min()) for s in self.stabilities.values()))

    def evolve(self, duration: float) -> None:
        for _ in range(round(duration)):
            for name, rule in self.rules.items():
                if self.violated[name] > 0 or rule.keeps_on:
                    rule.one_pass()
        self.look()

    @property
    def finished(self) -> bool:
        return all(self.violated[name] == 0 and not rule.keeps_on for name, rule in self.rules.items())

    def samples(self, observable: str | None = None) -> Array:
        """Stabilities of a typical state as message passing sees it; of the rule that runs, if that is another."""
        passing = self.rules.get("message_passing")
        return passing.typical if isinstance(passing, Passing) else next(iter(self.stabilities.values()))

    def observe(self) -> dict[str, float]:
        # Theory speaks of a typical state at the temperature, which only annealing shows; the race is about the best.
        best = min(self.violated.values())
        typical = self.violated.get("annealing", best) if self.model.temperature > 0 else best
        found = {
            "violated_fraction": typical,
            "success": float(best == 0),
            "largest_margin": self.widest,
            "stability": float(np.mean(self.samples())),
        }
        for name in ("message_passing", "annealing"):
            if name in self.rules:
                rule = self.rules[name]
                assert isinstance(rule, Passing | Annealing)
                found["overlap"] = rule.overlap
                break
        if len(self.rules) > 1:
            found |= {f"violated_{name}": value for name, value in self.violated.items()}
        return found

    def picture(self) -> core.Patterns:
        """Every pattern is a pixel: blank while it is wrong, the fuller the more clearly it is right."""
        images = []
        for name, values in self.stabilities.items():
            side = math.isqrt(values.size)
            shown = values[: side * side].reshape(side, side)
            beyond = np.clip(0.5 * (shown - self.model.margin), 0.0, 1.0)
            wrong = round(self.violated[name] * values.size)
            caption = f"{name.replace('_passing', 's')}: {wrong or 'done'}"
            images.append((caption, np.where(shown < self.rules[name].threshold, 0.0, 0.4 + 0.6 * beyond)))
        return core.Patterns(tuple(images), 0.0, 1.0)


@dataclass(frozen=True)
class PerceptronStorage(core.Model):
    load: float = core.control(
        1.0, 0.01, 10.0, symbol=r"\alpha", unit="M/N", role="load", step=0.01, quenched=True,
        doc="random patterns to be stored, per weight",
    )  # fmt: skip
    margin: float = core.control(
        0.0, -1.0, 2.0, symbol=r"\kappa", role="disorder", step=0.01, quenched=True,
        doc="how clearly every pattern must be classified",
    )  # fmt: skip
    temperature: float = core.control(
        0.0, 0.0, 2.0, symbol="T", role="temperature", step=0.01,
        doc="tolerance for violated patterns, each of which costs an energy of 1 (0: none)",
    )  # fmt: skip
    weights: str = core.choice(
        "spherical", ("spherical", "binary"), doc="real weights of fixed norm, or weights +1 and -1"
    )
    size: int = core.control(
        1001, 11, 10_001, symbol="N", role="size", scale="log", part="simulation",
        doc="weights simulated",
    )  # fmt: skip
    algorithm: str = core.choice(
        "race", ("race", *RULES), part="simulation", doc="the rule that learns, or all of them on the same patterns"
    )
    reinforcement: float = core.control(
        0.0, 0.0, 0.2, symbol=r"\rho", role="setting", step=0.001, part="simulation",
        doc="how fast message passing commits itself (0: it finds the centre of all solutions)",
    )  # fmt: skip

    title = "Perceptron storage"
    summary = "How many random patterns one neuron can learn, and which learning rules get there."
    sources = (
        core.Source("E. Gardner, J. Phys. A 21, 257 (1988)", doi="10.1088/0305-4470/21/1/030"),
        core.Source("E. Gardner and B. Derrida, J. Phys. A 21, 271 (1988)", doi="10.1088/0305-4470/21/1/031"),
        core.Source("W. Krauth and M. Mézard, J. Physique 50, 3057 (1989)", doi="10.1051/jphys:0198900500200305700"),
        core.Source("J. K. Anlauf and M. Biehl, Europhys. Lett. 10, 687 (1989)", doi="10.1209/0295-5075/10/7/014"),
        core.Source("C. Baldassi et al., PNAS 104, 11079 (2007)", doi="10.1073/pnas.0700324104"),
        core.Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        core.Observable("overlap", "q", "overlap of two solutions", low=0, high=1),
        core.Observable(
            "entropy", "S", "logarithm of the number (volume) of solutions, per weight", low=-3, high=math.log(2)
        ),
        core.Observable("violated_fraction", r"\epsilon", "fraction of patterns below the margin", low=0),
        core.Observable("stability", r"\overline\Delta", "mean stability of the patterns"),
        core.Observable("largest_margin", r"\kappa_c", "largest margin that this load allows", low=-1, high=2, signed=True),
        core.Observable(
            "replicon", r"\lambda", "negative where replica symmetry breaks, eq. (6)", low=-1, high=1, signed=True
        ),
        core.Observable("success", "P", "probability that all patterns can be stored", low=0, high=1),
    )  # fmt: skip
    phases = (
        core.Phase("storable", "There are weights that satisfy every pattern."),
        core.Phase("unstorable", "Every choice of weights leaves a fraction of the patterns below the margin."),
        core.Phase("frozen", "No binary weights satisfy all; the best are a few isolated points, and nothing moves."),
    )
    failures = (
        core.Failure(
            "replica_symmetry_broken",
            "Solutions fall into separate clusters (eq. 6): the true capacity is lower and the true number of "
            "violations higher than shown.",
        ),
    )
    landmarks = (
        core.Landmark("capacity", r"\alpha_c", "beyond it no weights satisfy every pattern"),
        core.Landmark("at_line", r"\lambda=0", "beyond it replica symmetry breaks", continuous=False, title="AT line"),
        core.Landmark("freezing", "T_f", "below it binary weights are frozen into isolated states"),
    )
    planes = (
        core.Plane("margin", "load", "violated_fraction", x_range=(-0.5, 1.5), y_range=(0.01, 4.0)),
        core.Plane("load", "temperature", "violated_fraction", x_range=(0.01, 4.0), y_range=(0.0, 1.0)),
    )
    presets = (
        core.Preset(
            "half full", {"load": 1.0},
            "Every rule but annealing stores all patterns: half the capacity. Which one leaves the widest gap?",
        ),
        core.Preset(
            "near capacity", {"load": 1.8, "algorithm": "race"},
            "The perceptron rule needs hundreds of passes for the last few patterns: hardly any volume is left.",
        ),
        core.Preset(
            "widest margin", {"load": 0.5, "margin": 0.8, "algorithm": "adatron"},
            "AdaTron piles patterns up exactly at the largest possible margin, 1.03, beyond the 0.8 that is asked for.",
            (core.Promise(core.Value("largest_margin"), 1.03, 0.005),),
        ),
        core.Preset(
            "beyond capacity", {"load": 3.0, "temperature": 1.5, "size": 501},
            "Nobody can win. Annealing settles at the violated fraction of theory, 0.35; cooled to 0.5 it gets stuck.",
            (core.Promise(core.Value("violated_fraction"), 0.35, 0.005),
             core.Promise(core.Mean("violated_fraction", 200, 400), 0.35, 0.02)),
        ),
        core.Preset(
            "binary weights", {"weights": "binary", "load": 0.6, "reinforcement": 0.005},
            "SBPI and reinforced message passing win; clipping, and annealing, which freezes, do not.",
        ),
        core.Preset(
            "solutions nobody finds", {"weights": "binary", "load": 0.8, "reinforcement": 0.005},
            "Theory promises e^(0.035 N) solutions, yet no rule finds one: they are isolated points.",
            (core.Promise(core.Value("entropy"), 0.035, 0.0005),),
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "capacity of spherical weights at margin 0", 2.0, 1e-12, "Cover 1965; Gardner 1988",
            lambda model: float(PerceptronStorage().landmark("capacity", "load")[0]),
        ),
        core.Reference(
            "capacity of spherical weights at margin 1", 0.519572229604938, 1e-12, "eq. (4)",
            lambda model: float(PerceptronStorage(margin=1.0).landmark("capacity", "load")[0]),
        ),
        core.Reference(
            "capacity of binary weights at margin 0", 0.8330785997, 2e-10, "Krauth and Mézard 1989 (0.833), recomputed",
            lambda model: float(PerceptronStorage(weights="binary").landmark("capacity", "load")[0]),
        ),
        core.Reference(
            "entropy of binary weights at load 0.5", 0.31439006685554066, 1e-10, "replica-symmetric equations",
            lambda model: float(PerceptronStorage(weights="binary", load=0.5).theory()["entropy"]),
        ),
        core.Reference(
            "overlap of spherical weights at load 1.5", 0.8217211868, 1e-9, "replica-symmetric equations",
            lambda model: float(PerceptronStorage(load=1.5).theory()["overlap"]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A neuron with real weights shall classify random patterns with a margin of at least 0.5. "
            "How many per weight can it store? Predict, then move the load until AdaTron fails.",
            {"margin": 0.5, "load": 0.5, "algorithm": "adatron"}, "load",
            lambda model: float(model.landmark("capacity", "load")[0]), 0.1,
            "Half a standard deviation of margin already costs more than half of the capacity, 0.96 instead of 2.",
        ),
        core.Task(
            "Weights that are only +1 or -1 carry one bit each, so at most one random label per weight can be stored. "
            "At which load does the last solution disappear?",
            {"weights": "binary", "load": 0.5, "reinforcement": 0.005}, "load",
            lambda model: float(model.landmark("capacity", "load")[0]), 0.05,
            "The entropy vanishes at 0.833, close to the one bit per weight; algorithms give up earlier, near 0.75.",
        ),
    )  # fmt: skip
    simulation = PerceptronRace

    @property
    def patterns(self) -> int:
        """M, at least one."""
        return self.counted("load", self.size)

    def realised(self) -> PerceptronStorage:
        return self.with_simulated(load=self.patterns / self.size)

    @property
    def kind(self) -> int:
        return BINARY if self.weights == "binary" else SPHERICAL

    def curves(self, margin: Array, temperature: Array) -> tuple[LoadCurves, Array]:
        """The curves of all different pairs of margin and temperature, and which of them each point lies on."""
        pairs, row = np.unique(np.stack([margin, temperature]), axis=1, return_inverse=True)
        return load_curves(self.weights, pairs[0].tobytes(), pairs[1].tobytes()), row.reshape(-1)

    def solve(self, points: Points) -> core.Solution:
        load, margin, temperature = points["load"], points["margin"], points["temperature"]
        temperature = np.where(temperature < COLDEST, 0.0, temperature)
        different, place = np.unique(margin, return_inverse=True)
        beyond = load > CAPACITY[self.weights](different)[place]
        hard = beyond & (temperature == 0)
        lost = hard if self.kind == SPHERICAL else np.zeros_like(hard)
        out = np.full((load.size, 6), np.nan)
        kept = np.flatnonzero(~lost & ~(hard & (self.kind == BINARY)))
        endless = np.zeros(load.size, bool)
        if kept.size:
            curves, row = self.curves(margin, temperature)
            log_snr = curves.solve(row[kept], load[kept], informed=False)
            endless[kept] = np.isinf(log_snr)
            log_snr = np.clip(log_snr, -18.0, 36.0)
            values = np.empty((kept.size, 6))
            fill_values(self.kind, log_snr, margin[kept], temperature[kept], load[kept], values)
            out[kept] = values
        frozen = np.zeros(load.size, bool)
        if self.kind == BINARY:
            frozen = hard | (beyond & ((out[:, 1] < 0) | endless))
            out[frozen] = self._frozen(load[frozen], margin[frozen])
        if lost.any():
            violated, stability = fewest_violations(load[lost], margin[lost])
            out[lost] = np.stack(
                [np.ones_like(violated), np.full_like(violated, -np.inf), violated, stability,
                 np.full_like(violated, -np.inf), np.zeros_like(violated)], axis=1,
            )  # fmt: skip
        loads, place = np.unique(load, return_inverse=True)
        names = ("overlap", "entropy", "violated_fraction", "stability", "replicon")
        values_by_name = {name: out[:, k] for k, name in enumerate(names)}
        values_by_name["largest_margin"] = margins_stored(self.weights, loads.tobytes())[place]
        values_by_name["success"] = (~beyond).astype(float)
        validity = np.where((out[:, 4] < 0) & ~frozen, BROKEN, 0)
        return core.Solution(values_by_name, out[:, 5], validity=validity, extra={"beyond": beyond, "frozen": frozen})

    def _frozen(self, load: Array, margin: Array) -> Array:
        """Rows of `fill_values` at the freezing temperature, with an entropy of zero."""
        log_snr, temperature = np.empty_like(load), np.empty_like(load)
        fill_frozen(load, margin, log_snr, temperature)
        out = np.empty((load.size, 6))
        fill_values(BINARY, log_snr, margin, temperature, load, out)
        out[:, 5] = np.where(temperature <= 1.001 * COLDEST, 0.0, np.maximum(out[:, 5], np.abs(out[:, 1])))
        out[:, 1] = 0.0
        return out

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        beyond, frozen = solution.extra["beyond"], solution.extra["frozen"]
        return np.where(frozen, FROZEN, np.where(beyond, UNSTORABLE, STORABLE))

    def landmark(self, name: str, along: str) -> Array:
        margin, load = np.array([self.margin]), np.array([self.load])
        if name == "capacity" and along == "load":
            found = CAPACITY[self.weights](margin)
        elif name == "capacity" and along == "margin":
            found = margins_stored(self.weights, load.tobytes())
        elif name == "at_line" and along == "load":
            found = self._at_line(margin, np.array([self.temperature]))[1]
        elif name == "freezing" and along == "load" and self.kind == BINARY:
            if self.temperature < COLDEST:
                return np.empty(0)  # there it is the capacity
            log_snr, found = np.empty(1), np.empty(1)
            fill_vanishing(margin, np.array([self.temperature]), log_snr, found)
        elif name == "freezing" and along == "temperature" and self.kind == BINARY:
            log_snr, found = np.empty(1), np.empty(1)
            fill_frozen(load, margin, log_snr, found)
            found = found[load > binary_capacity(margin)]
        else:
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        return self.control(along).within(found.tolist())

    def _at_line(self, margin: Array, temperature: Array) -> tuple[Array, Array]:
        """(row, load) of every point of the curves load(qhat) at which the replicon changes sign."""
        temperature = np.where(temperature < COLDEST, 0.0, temperature)
        x = np.linspace(-6.0, 5.0, 23) if self.kind == BINARY else np.linspace(-6.0, 30.0, 37)

        def values(log_snr: Array, which: Array) -> tuple[Array, Array]:
            load, out = np.empty_like(log_snr), np.empty((log_snr.size, 6))
            fill_loads(self.kind, log_snr, margin[which], temperature[which], load)
            fill_values(self.kind, log_snr, margin[which], temperature[which], load, out)
            return load, out

        def replicon(log_snr: Array, which: Array) -> Array:
            return values(log_snr, which)[1][:, 4]

        each = np.repeat(np.arange(margin.size), x.size)
        value = replicon(np.tile(x, margin.size), each).reshape(margin.size, x.size)
        which, k = np.nonzero((value[:, :-1] > 0) & (value[:, 1:] < 0))
        ends = value[which, k], value[which, k + 1]
        log_snr = bracketed_roots(lambda at, i: replicon(at, which[i]), x[k], x[k + 1], ends, tolerance=1e-12)
        load, out = values(log_snr, which)
        real = (self.kind == SPHERICAL) | (out[:, 1] > 0)  # binary weights freeze before the entropy is negative
        return which[real], load[real]

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        if {x, y} == {"load", "temperature"} and name in ("at_line", "freezing"):
            temperature = np.linspace(COLDEST, 2.0, 49)
            margin = np.full_like(temperature, self.margin)
            if name == "freezing":
                if self.kind == SPHERICAL:
                    raise core.NotOfferedError(self.title, "freezing of spherical weights")
                log_snr, load = np.empty_like(margin), np.empty_like(margin)
                fill_vanishing(margin, temperature, log_snr, load)
            else:
                which, load = self._at_line(margin, temperature)
                temperature = temperature[which]
            low, high = self.control("load").bounds
            load = np.where((load >= low) & (load <= high), load, np.nan)
            return (load, temperature) if x == "load" else (temperature, load)
        if name == "at_line" and (x, y) == ("margin", "load"):
            margin = np.linspace(*x_range, 49)
            which, load = self._at_line(margin, np.full_like(margin, self.temperature))
            low, high = self.control("load").bounds
            inside = (load >= low) & (load <= high)
            return margin[which][inside], load[inside]
        return super().trace_landmark(name, x, y, x_range)

    def law(self) -> core.Law:
        values = np.linspace(-4.0, 5.0, 361)
        values = np.sort(np.append(values, [self.margin - 1e-12, self.margin]))  # the density jumps there
        solution = self.solve({n: np.array([float(getattr(self, n))]) for n in ("load", "margin", "temperature")})
        q = float(solution.values["overlap"][0])
        doc = "replica theory for a typical state at this temperature"
        if q == 1.0:
            cut = self.margin - _reach(float(solution.values["violated_fraction"][0]), self.margin)
            free = np.where((values < cut) | (values > self.margin), density(values), 0.0)
            at_margin = float(ndtr(self.margin) - ndtr(cut))
            return core.Law("stability_of_each_pattern", values, free, doc, ((self.margin, at_margin),))
        temperature = self.temperature
        if bool(solution.extra["frozen"][0]):
            temperature = float(self.landmark("freezing", "temperature")[0])
        v = 1 - q
        epsilon = math.exp(-1 / temperature) if temperature >= COLDEST else 0.0
        t = np.sinh(np.linspace(-1, 1, 1201) * math.asinh(9 / math.sqrt(v)))
        step = np.gradient(t)
        # The field omega behind a stability Delta is normal with mean q Delta and variance q v.
        u = (self.margin - q * values[:, None]) / math.sqrt(v) - math.sqrt(q) * t
        log_tail = scipy_log_ndtr(-u)
        log_total = log_tail if epsilon == 0 else np.logaddexp(math.log(epsilon), math.log1p(-epsilon) + log_tail)
        weight = (np.exp(-0.5 * t * t - log_total) * step).sum(axis=1) * INVERSE_SQRT_2PI
        weight *= np.where(values >= self.margin, 1.0, epsilon)
        return core.Law("stability_of_each_pattern", values, density(values) * weight, doc)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        if self.algorithm not in ("race", "message_passing") or self.reinforcement > 0:
            raise core.NotOfferedError(self.title, "a predicted path for this algorithm")
        u, weight = np.empty(NODES), np.empty(NODES)
        q = start["overlap"]
        path = [q]
        for _ in range(int(np.max(times, initial=0.0)) + 1):
            square = mean_square(max(q, 1e-9), max(1 - q, 1e-9), self.margin, self.temperature, u, weight)
            q = prior(self.kind, math.log(self.load * square / max(1 - q, 1e-9)))[0]
            path.append(q)
        return {"overlap": np.interp(times, np.arange(len(path)), path)}

    def footprint(self) -> int:
        return 10 * self.size * self.patterns  # float32 patterns, by row and by column


def _reach(violated: float, margin: float) -> float:
    """The width s of eq. (5), from the violated fraction."""
    return float(bracketed_roots(lambda s, which: ndtr(margin - s) - violated, np.zeros(1), np.full(1, 20.0))[0])
