r"""Teacher and student: recovering a teacher's weights from labels, with the best algorithm and in principle.

A teacher $x\in\mathbb R^N$ with independent components, $x_i=\pm1$ (*binary*) or $x_i\sim\mathcal N(0,1)$ (*gaussian*),
answers $M=\alpha N$ random questions $F_\mu$, $F_{\mu i}\sim\mathcal N(0,1/N)$:

$$y_\mu=\varphi\big(F_\mu\!\cdot x+\sqrt\Delta\,\xi_\mu\big) \tag{1}$$

with $\varphi(s)=\mathrm{sign}\,s$, or $|s|$ (*phase*), or $s$ (*linear*), and $\xi_\mu\sim\mathcal N(0,1)$. The
student knows prior, channel, $F$ and $y$ and asks for the posterior mean. In the large system its overlap with the
teacher, $q=x\cdot\langle x\rangle/N$, makes the free entropy

$$\Phi(q)=\psi_P(R)-\tfrac12Rq+\alpha\,\psi_{\rm out}(q) \tag{2}$$

stationary, where $R$ is the signal-to-noise ratio of an effective scalar channel $h=Rx+\sqrt R\,z$:

$$q=\mathbb E\tanh(R+\sqrt R\,z)\;\;[\textrm{binary}],\qquad q=\frac R{1+R}\;\;[\textrm{gaussian}] \tag{3}$$

$$R=\alpha\,I(q),\qquad I=\frac{J(\rho)}v,\qquad v=1-q+\Delta,\quad\rho=\frac qv \tag{4}$$

The channel enters through one function: with $u\sim\mathcal N(0,\rho)$ and $s\sim\mathcal N(u,1)$

$$J=\mathbb E\frac{\phi(u)^2}{H(u)H(-u)}\;[\textrm{sign}],\quad
J=1-\mathbb E\,s^2\,\mathrm{sech}^2(us)\;[\textrm{phase}] \tag{5}$$

and $J=1$ for the linear channel.

**Algorithm.** Generalised approximate message passing (GAMP) obeys the *state evolution* $R_{t+1}=\alpha I(q(R_t))$ at
every step. Started without knowledge it reaches the first fixed point (branch *uninformed*), started at the teacher the
last one (*informed*). Which of them is the truth, the larger $\Phi$ decides; equivalently the larger posterior entropy

$$S=S_P+\alpha\,[\psi_{\rm out}(q)-\psi_{\rm out}(1)] \tag{6}$$

with $S_P=\frac12R(1-q)+\overline{s(h)}$ for binary and $\frac12[R(1-q)-\ln(1+R)]$ for gaussian teachers ($s(h)$:
entropy of a spin in the field $h$; for gaussian teachers the entropy relative to the prior). Where the informed
branch takes over lies the *information-theoretic threshold*; where the uninformed one ends, the *algorithmic* one. In
between learning is possible and, as far as anyone knows, *hard*.

A new question is answered wrongly with probability $\arccos(\sqrt q)/\pi$ (sign) or with the mean squared error
$1-q$ (linear), $1-\frac2\pi(\sqrt{1-q^2}+q\arcsin q)$ (phase). One sample of the posterior instead of its mean errs
with $\arccos(q)/\pi$ (Gibbs).

**Valid:** everywhere as $N\to\infty$: the student is Bayes-optimal, replica symmetry cannot break. At finite $N$
deviations are of order $N^{-1/2}$, and metastable states live for a number of iterations that grows with $N$. For
*phase* and *linear* without noise the numbers are those of $\Delta=10^{-12}$ (measured to twelve digits), the
thresholds those of the limit $\Delta\to0$. The sign of the teacher cannot be known from *phase*.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfexplore.core import (
    Array,
    Branch,
    Landmark,
    Landscape,
    Law,
    Model,
    NotOfferedError,
    Observable,
    Patterns,
    Phase,
    Plane,
    Points,
    Preset,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Task,
    choice,
    control,
)
from mfexplore.numerics.bracketing import bracketed_roots
from mfexplore.numerics.elementary import exp, log, log1p, tanh
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.message_passing import (
    LoadCurves,
    MessagePassing,
    noise_density,
    normal_tail,
    projections,
    random_matrix,
)

BINARY, GAUSSIAN = 0, 1
SIGN, PHASE, LINEAR = 0, 1, 2
INFORMED, UNINFORMED = 0, 1
UNDETECTED, IMPOSSIBLE, HARD, EASY, SMOOTH = range(5)
LOWEST_NOISE = 1e-12  # of channels with a continuous output
NO_NOISE = 1e-9  # an effective noise below it means that the teacher was found
LOW_SNR, HIGH_SNR = -14.0, 32.0
INVERSE_SQRT_2PI = 1.0 / math.sqrt(2.0 * math.pi)
TABLE = 64  # Chebyshev coefficients of the phase channel


@kernel
def binary_prior(snr):
    """(q, 1 - q, mean entropy of a spin) of eq. (3), to relative accuracy for snr in (0, 1400).

    The field has the density exp(-snr/2) e^h N(h; 0, snr); folding h and -h together leaves positive even integrands
    that are analytic for |Im h| < pi/2, so the trapezoid rule converges exponentially in its step.
    """
    width = math.sqrt(snr)
    step = min(0.25, 0.35 * width)
    count = int(min(9.0 * width, 45.0) / step) + 1
    q = v = s = 0.0
    for k in range(count):
        h = k * step
        e = exp(-h)
        d = e * e
        weight = (0.5 if k == 0 else 1.0) * exp(-0.5 * h * h / snr)
        cosh, t = 0.5 * (1.0 + d) / e, (1.0 - d) / (1.0 + d)
        q += weight * cosh * t * t
        v += weight / cosh
        s += weight * cosh * (log1p(d) + 2.0 * h * d / (1.0 + d))
    scale = 2.0 * step * math.exp(-0.5 * snr) / width * INVERSE_SQRT_2PI
    v *= scale
    return (q * scale if snr < 1.0 else 1.0 - v), v, s * scale


@kernel
def prior_values(prior, snr):
    """(q, 1 - q, entropy part of eq. (6)) for snr in [0, inf]."""
    if prior == GAUSSIAN:
        if snr == math.inf:
            return 1.0, 0.0, -math.inf
        v = 1.0 / (1.0 + snr)
        return snr * v, v, 0.5 * (snr * v - math.log1p(snr))
    if snr == 0.0:
        return 0.0, 1.0, math.log(2.0)
    if snr > 1400.0:
        return 1.0, 0.0, 0.0
    q, v, s = binary_prior(snr)
    return q, v, 0.5 * snr * v + s


@kernel
def fill_phase_table(coordinate, information, potential):
    """(1 + rho) J / rho and E ln(1 + e^(-2us)) of the phase channel, at sqrt(rho)/(1 + sqrt(rho)) = coordinate."""
    for i in range(coordinate.size):
        root = coordinate[i] / (1.0 - coordinate[i])
        rho = root * root
        small = rho < 1.0
        step = 0.08 * min(root, 1.0)
        total = rest = 0.0
        for k in range(-int(9.0 / 0.08), int(9.0 / 0.08) + 1):
            u = k * step
            a = exp(-0.5 * u * u / rho) * step / root * INVERSE_SQRT_2PI
            x, y = 0.0, 0.0
            for j in range(-110, 111):
                s = u + 0.08 * j
                b = exp(-0.5 * (0.08 * j) ** 2)
                e = exp(-2.0 * abs(u * s))
                t = (1.0 - e) / (1.0 + e)
                away = abs(s) * t - abs(u)  # s tanh(us) - u, up to its sign
                x += b * (away * away if small else 4.0 * s * s * e / (1.0 + e) ** 2)
                y += b * (log1p(e) + (2.0 * abs(u * s) if u * s < 0.0 else 0.0))
            total += a * x * 0.08 * INVERSE_SQRT_2PI
            rest += a * y * 0.08 * INVERSE_SQRT_2PI
        information[i] = (1.0 + rho) / rho * (total if small else 1.0 - total)
        potential[i] = rest


@lru_cache(maxsize=1)
def phase_table() -> Array:
    """Chebyshev coefficients on [0, 1] of the two functions of `fill_phase_table`, shape (2, TABLE)."""
    coordinate = 0.5 * (1 + np.cos(math.pi * (np.arange(TABLE) + 0.5) / TABLE))
    values = np.empty((2, TABLE))
    fill_phase_table(coordinate, values[0], values[1])
    k = np.arange(TABLE)
    basis = np.cos(math.pi * k[:, None] * (np.arange(TABLE) + 0.5) / TABLE)
    return np.ascontiguousarray((2 - (k == 0))[:, None] / TABLE * (basis @ values.T)).T.copy()


@kernel
def chebyshev(coefficients, x):
    """Clenshaw's sum on [0, 1]."""
    y = 2.0 * (2.0 * x - 1.0)
    b1 = b2 = 0.0
    for k in range(coefficients.size - 1, 0, -1):
        b1, b2 = coefficients[k] + y * b1 - b2, b1
    return coefficients[0] + 0.5 * y * b1 - b2


@kernel
def sign_channel(rho):
    """(J, psi_out) of the sign channel: averages over u ~ N(0, rho) of functions that fall off like exp(-u^2/2)."""
    if rho == 0.0:
        return 4.0 * INVERSE_SQRT_2PI * INVERSE_SQRT_2PI, -math.log(2.0)
    if rho == math.inf:
        return 0.0, 0.0
    width = math.sqrt(rho)
    step = min(0.25, 0.35 * width)
    count = int(min(9.0 * width, 9.5) / step) + 1
    information = potential = 0.0
    for k in range(count):
        u = k * step
        mass, hazard = normal_tail(u)
        weight = (0.5 if k == 0 else 1.0) * exp(-0.5 * u * u / rho)
        information += weight * hazard * hazard * mass / (1.0 - mass)
        potential += weight * (mass * log(mass) + (1.0 - mass) * log1p(-mass))
    scale = 2.0 * step / width * INVERSE_SQRT_2PI
    return scale * information, scale * potential


@kernel
def information_by_snr(channel, rho, table):
    """J(rho) of eq. (5) divided by rho/(1 + rho) for the phase channel, J(rho) itself for the others."""
    if channel == LINEAR:
        return 1.0
    if channel == SIGN:
        return sign_channel(rho)[0]
    root = math.sqrt(rho)
    return chebyshev(table[0], root / (1.0 + root))


@kernel
def output_potential(channel, rho, v, table):
    """Psi_out of eq. (2), up to a constant."""
    if channel == SIGN:
        return sign_channel(rho)[1]
    if channel == LINEAR:
        return -0.5 * math.log(v)
    root = math.sqrt(rho)
    return -0.5 * math.log(v) + chebyshev(table[1], root / (1.0 + root))


@kernel
def load_of(prior, channel, snr, noise, table):
    """The load at which R = snr solves eqs. (3) and (4)."""
    q, v, _ = prior_values(prior, snr)
    v += noise
    if v == 0.0:
        return 0.0
    information = information_by_snr(channel, q / v, table)
    if channel == PHASE:
        return snr / q * v * (v + q) / information
    return snr * v / information


@kernel
def fill_loads(prior, channel, log_snr, noise, table, load):
    for i in range(log_snr.size):
        load[i] = load_of(prior, channel, math.exp(log_snr[i]), noise[i], table)


@kernel
def fill_values(prior, channel, log_snr, load, noise, table, out):
    """Columns of out: q, 1 - q, entropy (6), relative residual of eq. (4). log_snr may be infinite."""
    for i in range(log_snr.size):
        snr = math.exp(log_snr[i])
        q, v, entropy = prior_values(prior, snr)
        out[i, 0], out[i, 1] = q, v
        out[i, 3] = 0.0
        if 0.0 < snr < math.inf:
            out[i, 3] = abs(load_of(prior, channel, snr, noise[i], table) / load[i] - 1.0)
        total = v + noise[i]
        there = output_potential(channel, math.inf if total == 0.0 else q / total, total, table)
        truth = output_potential(channel, math.inf if noise[i] == 0.0 else 1.0 / noise[i], noise[i], table)
        out[i, 2] = entropy + load[i] * (there - truth)


@kernel
def fill_landscape(prior, channel, q, load, noise, table, out):
    """The free entropy (2) minus its value at q = 1 without knowledge of x, with R from eq. (4)."""
    truth = output_potential(channel, math.inf if noise == 0.0 else 1.0 / noise, noise, table)
    for i in range(q.size):
        v = 1.0 - q[i] + noise
        if v == 0.0:  # the teacher itself: there R is infinite, and only the entropy is left
            out[i] = prior_values(prior, math.inf)[2]
            continue
        rho = q[i] / v
        information = information_by_snr(channel, rho, table) / v
        if channel == PHASE:
            information *= rho / (1.0 + rho)
        snr = load * information
        inner, _, entropy = prior_values(prior, snr)
        # psi_P - R q/2 from the entropy part, which has its own q: R (1 - q) / 2 + ...
        out[i] = entropy + 0.5 * snr * (inner - q[i]) + load * (output_potential(channel, rho, v, table) - truth)


@kernel
def evolve_overlap(prior, channel, q, load, noise, table, path):
    """State evolution from the overlap q, written to path (path[0] = q)."""
    path[0] = q
    for t in range(1, path.size):
        v = 1.0 - q + noise
        if v > 0.0:
            rho = q / v
            information = information_by_snr(channel, rho, table) / v
            if channel == PHASE:
                information *= rho / (1.0 + rho)
            q = prior_values(prior, load * information)[0]
        path[t] = q


@kernel
def respond(channel, y, omega, v, g, curvature):
    """Write g of GAMP and -dg/domega; return the means of the second and of g^2. v: variance behind the channel."""
    root = math.sqrt(v)
    for i in range(y.size):
        if channel == SIGN:
            u = -y[i] * omega[i] / root
            _, hazard = normal_tail(u)
            g[i] = y[i] * hazard / root
            curvature[i] = hazard * (hazard - u) / v
        elif channel == PHASE:
            t = tanh(y[i] * omega[i] / v)
            g[i] = (y[i] * t - omega[i]) / v
            curvature[i] = (1.0 - y[i] * y[i] * (1.0 - t * t) / v) / v
        else:
            g[i] = (y[i] - omega[i]) / v
            curvature[i] = 1.0 / v
    total = square = 0.0
    for i in range(y.size):  # apart, for the order of a sum beside a store depends on where the arrays happen to lie
        total += curvature[i]
        square += g[i] * g[i]
    return total / y.size, square / y.size


PRIORS = ("binary", "gaussian")
CHANNELS = ("sign", "phase", "linear")


def effective_noise(channel: int, noise: Array) -> Array:
    """The noise that the equations see: never zero where the output is continuous."""
    return np.maximum(noise, LOWEST_NOISE) if channel != SIGN else np.asarray(noise, np.float64)


@lru_cache(maxsize=64)
def load_curves(prior: int, channel: int, noises: bytes) -> LoadCurves:
    """The fixed points of state evolution as curves load(R), one per noise."""
    noise, table = effective_noise(channel, np.frombuffer(noises)), phase_table()

    def load_at(log_snr: Array, row: Array) -> Array:
        load = np.empty_like(log_snr)
        fill_loads(prior, channel, log_snr, noise[row], table, load)
        return load

    return LoadCurves(load_at, noise.size, LOW_SNR, HIGH_SNR, points=321)


@lru_cache(maxsize=8)
def last_fold(prior: int, channel: int) -> float:
    """The largest noise, within some per cent, at which the state evolution has a fold; 0 if it never has."""
    noise = np.geomspace(1e-3, 1.0, 65)
    curves = load_curves(prior, channel, noise.tobytes())
    folded = [k for k in range(noise.size) if curves.jumps(k, True)[0].size]
    return float(noise[folded[-1]]) if folded else 0.0


class GeneralisedMessagePassing(Simulation):
    """GAMP for one teacher and one set of questions."""

    time_unit = "iterations"
    relaxation, window = 200.0, 0.0

    def prepare(self) -> None:
        m = self.model
        n, rows = m.size, m.examples
        if m.prior == "binary":
            self.teacher = self.rng.choice(np.array([-1.0, 1.0]), n)
        else:
            self.teacher = self.rng.standard_normal(n)
            self.teacher /= math.sqrt(float(np.mean(self.teacher**2)))
        matrix = random_matrix(self.rng, rows, n)
        seen = projections(matrix, self.teacher) + math.sqrt(m.noise) * self.rng.standard_normal(rows)
        self.answers = np.sign(seen) if m.channel == "sign" else np.abs(seen) if m.channel == "phase" else seen
        # A hint, as from a scalar channel of this signal-to-noise ratio: phase alone cannot tell x from -x.
        hint = 30.0 if m.start == "informed" else 0.01 if m.channel == "phase" else 0.0
        field = hint * self.teacher + math.sqrt(hint) * self.rng.standard_normal(n)
        mean, variance = self.posterior(field, hint)
        self.passing = MessagePassing(matrix, mean, variance)
        self.seen = mean

    @property
    def orientation(self) -> float:
        """-1 where phases have led to the negative of the teacher, which answers alike."""
        return -1.0 if self.model.channel == "phase" and float(np.mean(self.teacher * self.passing.mean)) < 0 else 1.0

    def posterior(self, field: Array, snr: float) -> tuple[Array, float]:
        """Mean, and mean variance, of the teacher's components given R x + noise of variance R."""
        if self.model.prior == "binary":
            mean = np.tanh(field)
            return mean, float(np.mean(1 - mean * mean))
        return field / (1 + snr), 1 / (1 + snr)

    def evolve(self, duration: float) -> None:
        m = self.model
        noise = float(effective_noise(m.channel_code, np.array(m.noise)))
        for _ in range(round(duration)):
            if self.finished:
                return
            omega, v = self.passing.forward()
            g, slopes = np.empty_like(omega), np.empty_like(omega)
            total = max(v + noise, LOWEST_NOISE)
            curvature, square = respond(m.channel_code, self.answers, omega, total, g, slopes)
            # Equal on average for the Bayes-optimal student. The first is more accurate, but may be negative for phase.
            self.seen, s = self.passing.backward(g, curvature if curvature > 0 else max(square, 1e-12))
            self.passing.accept(*self.posterior(self.seen / s, 1 / s))

    @property
    def finished(self) -> bool:
        # Once binary weights are certain no question is left in doubt, and the next step would divide 0 by 0.
        certain = self.model.prior == "binary" and self.passing.variance * self.teacher.size < 1e-3
        return certain or self.passing.change < 1e-14

    def observe(self) -> dict[str, float]:
        x, a = self.teacher, self.passing.mean
        overlap, sign = float(np.mean(x * a)), self.orientation
        error = float(np.mean((x - sign * a) ** 2))
        cosine = sign * overlap / math.sqrt(max(float(np.mean(a * a)) * float(np.mean(x * x)), 1e-300))
        return {
            "overlap": sign * overlap,
            "mean_squared_error": error,
            "generalization_error": float(self.model.error_of_new(min(max(cosine, -1.0), 1.0), sign * overlap, error)),
        }

    def samples(self) -> Array:
        """What the effective scalar channel adds to the teacher."""
        return self.seen - self.orientation * self.teacher

    def picture(self) -> Patterns:
        side = math.isqrt(self.teacher.size)
        shown = slice(0, side * side)
        images = [
            (caption, values[shown].reshape(side, side))
            for caption, values in (("teacher", self.teacher), ("student", self.orientation * self.passing.mean))
        ]
        reach = 1.0 if self.model.prior == "binary" else 2.5
        return Patterns(tuple(images), -reach, reach)


@dataclass(frozen=True)
class TeacherStudent(Model):
    load: float = control(
        1.35, 0.01, 10.0, symbol=r"\alpha", unit="M/N", role="load", step=0.01, quenched=True,
        doc="answered questions, per weight of the teacher",
    )  # fmt: skip
    noise: float = control(
        0.0, 0.0, 1.0, symbol=r"\Delta", role="temperature", step=0.001, quenched=True,
        doc="variance of the noise inside the channel",
    )  # fmt: skip
    prior: str = choice("binary", PRIORS, doc="the teacher's weights: +1 and -1, or normally distributed")
    channel: str = choice("sign", CHANNELS, doc="what is seen of the teacher's field: its sign, its size, or all of it")
    size: int = control(
        2000, 16, 20_000, symbol="N", role="size", scale="log", part="simulation",
        doc="weights of the simulated teacher",
    )  # fmt: skip
    start: str = choice(
        "uninformed", ("uninformed", "informed"), role="start", part="simulation",
        doc="whether message passing starts without knowledge or at the teacher",
    )  # fmt: skip

    title = "Teacher and student"
    summary = (
        "When data determine a hidden signal, and when the best known algorithm can find it: easy, hard, impossible."
    )
    sources = (
        Source("J. Barbier et al., PNAS 116, 5451 (2019)", doi="10.1073/pnas.1802705116", arxiv="1708.03395"),
        Source("G. Györgyi, Phys. Rev. A 41, 7097 (1990)", doi="10.1103/PhysRevA.41.7097"),
        Source("H. S. Seung et al., Phys. Rev. A 45, 6056 (1992)", doi="10.1103/PhysRevA.45.6056"),
        Source("S. Rangan, IEEE ISIT 2168 (2011)", doi="10.1109/ISIT.2011.6033942", arxiv="1010.5141"),
        Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        Observable("overlap", "q", "overlap of teacher and student", low=0, high=1),
        Observable("generalization_error", r"\epsilon_g", "error on a new question", low=0, high=0.5),
        Observable("gibbs_error", r"\epsilon_G", "the same for one sample of the posterior", low=0, high=0.5),
        Observable("mean_squared_error", r"1-q", "mean squared error of the weights", low=0, high=1),
        Observable("effective_noise", "1/R", "variance of the noise in the effective scalar channel", low=0, high=4),
        Observable(
            "entropy", "S", "entropy of the posterior per weight, eq. (6)", low=-2, high=math.log(2), signed=True
        ),
    )
    branches = (
        Branch("informed", "what is reached from the teacher itself"),
        Branch("uninformed", "what message passing reaches without knowledge"),
    )
    phases = (
        Phase("undetected", "Nothing can be learnt: the overlap is zero."),
        Phase("impossible", "The data do not determine the teacher; no method can do better than the low overlap."),
        Phase("hard", "The data determine the teacher, but no efficient algorithm is known that finds it."),
        Phase("easy", "Message passing finds what the data determine."),
        Phase(
            "smooth", "With so much noise (or this prior) there is no transition: message passing is always optimal."
        ),
    )
    landmarks = (
        Landmark("information_threshold", r"\alpha_{\rm IT}", "beyond it the data determine the teacher"),
        Landmark("algorithmic_threshold", r"\alpha_{\rm AMP}", "beyond it message passing finds the teacher"),
        Landmark(
            "informed_spinodal", r"\alpha_{\rm inf}", "below it not even the truth is a solution", continuous=False
        ),
        Landmark("weak_recovery", r"\alpha_{\rm WR}", "beyond it phases allow a first, small overlap"),
    )
    planes = (
        Plane("load", "noise", "overlap", "uninformed", x_range=(0.01, 2.5), along="x"),
        Plane("load", "noise", "generalization_error", x_range=(0.01, 10.0), y_range=(0.0, 1.0), along="x"),
    )
    presets = (
        Preset(
            "hard", {"load": 1.35},
            "The entropy of the uninformed branch is negative: only the teacher fits. Yet the student stays at 0.76.",
            (Promise("overlap", 0.76, 0.005, branch="uninformed"),),
        ),
        Preset("easy", {"load": 1.7}, "After a plateau the overlap jumps to one: every weight is found."),
        Preset(
            "impossible", {"load": 1.0},
            "Exponentially many students answer everything right; the overlap of 0.56 is the best possible.",
            (Promise("overlap", 0.56, 0.005),),
        ),
        Preset(
            "Gaussian teacher", {"load": 2.0, "prior": "gaussian"},
            "No transition: every further question improves the student a little; in the end the error is 0.44/load.",
            (Promise("generalization_error", 0.044, 0.001, changes={"load": 10.0}),),
        ),
        Preset(
            "phase retrieval", {"load": 1.3, "channel": "phase", "prior": "gaussian"},
            "Without the signs of the field the student hesitates for many iterations, then finds the teacher exactly.",
        ),
        Preset(
            "phase retrieval, hard", {"load": 1.08, "channel": "phase", "prior": "gaussian", "size": 5000},
            "There are more equations than unknowns, yet message passing stays half blind until the load reaches 1.13.",
            (Promise("algorithmic_threshold", 1.13, 0.005, along="load"),),
        ),
        Preset(
            "noisy linear", {"load": 0.6, "noise": 0.05, "channel": "linear"},
            "Many users share one radio channel: from 0.563 measurements per user on, message passing separates them.",
            (Promise("algorithmic_threshold", 0.563, 0.0005, along="load"),),
        ),
    )  # fmt: skip
    references = (
        Reference(
            "information threshold of the binary perceptron", 1.244683989851392, 1e-9,
            "zero posterior entropy; Györgyi 1990 (1.245)",
            lambda: float(TeacherStudent().landmark("information_threshold", "load")[0]),
        ),
        Reference(
            "algorithmic threshold of the binary perceptron", 1.4926318182298768, 1e-9, "Barbier et al. 2019 (1.493)",
            lambda: float(TeacherStudent().landmark("algorithmic_threshold", "load")[0]),
        ),
        Reference(
            "overlap of the binary perceptron at load 1.2", 0.6686613798669829, 1e-10, "state evolution iterated",
            lambda: float(TeacherStudent(load=1.2).theory()["overlap"].sel(branch="uninformed")),
        ),
        Reference(
            "Bayes error for a gaussian teacher at load 10", 0.04357320396543955, 1e-11, "Opper and Haussler 1991",
            lambda: float(TeacherStudent(load=10, prior="gaussian").equilibrium()["generalization_error"]),
        ),
        Reference(
            "algorithmic threshold of phase retrieval", 1.128471406672124, 1e-8, "Barbier et al. 2019 (1.128)",
            lambda: float(
                TeacherStudent(channel="phase", prior="gaussian").landmark("algorithmic_threshold", "load")[0]
            ),
        ),
        Reference(
            "weak recovery from phases", 0.5, 1e-12, "Mondelli and Montanari 2018",
            lambda: float(TeacherStudent(channel="phase", prior="gaussian").landmark("weak_recovery", "load")[0]),
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "A teacher with 2000 binary weights labels random questions. How many answers per weight does message "
            "passing need to find the teacher exactly? Predict, then move the load.",
            {"load": 1.0}, "load",
            lambda model: float(model.landmark("algorithmic_threshold", "load")[0]), 0.06,
            "It takes 1.49, although 1.245 determine the teacher completely. In between the problem is hard.",
        ),
        Task(
            "Only the absolute values |F x| of random projections are measured, of a gaussian signal. "
            "From which load on does message passing recover it exactly?",
            {"load": 0.8, "channel": "phase", "prior": "gaussian"}, "load",
            lambda model: float(model.landmark("algorithmic_threshold", "load")[0]), 0.03,
            "1.13: hardly more than the one equation per unknown that any method needs.",
        ),
    )  # fmt: skip
    simulation = GeneralisedMessagePassing

    @property
    def examples(self) -> int:
        """M, at least one."""
        return self.counted("load", self.size)

    def realised(self) -> TeacherStudent:
        return self.with_simulated(load=self.examples / self.size)

    @property
    def prior_code(self) -> int:
        return PRIORS.index(self.prior)

    @property
    def channel_code(self) -> int:
        return CHANNELS.index(self.channel)

    def curves(self, noise: Array) -> tuple[LoadCurves, Array, Array]:
        """The curves of all different noises, these, and which of them each point lies on."""
        different, row = np.unique(noise, return_inverse=True)
        return load_curves(self.prior_code, self.channel_code, different.tobytes()), different, row

    def values_on(self, log_snr: Array, load: Array, noise: Array) -> Array:
        """Rows of `fill_values`."""
        out = np.empty((log_snr.size, 4))
        noise = effective_noise(self.channel_code, noise)
        fill_values(self.prior_code, self.channel_code, log_snr, load, noise, phase_table(), out)
        return out

    def error_of_new(self, cosine: Array | float, overlap: Array | float, squared: Array | float) -> Array | float:
        """Generalization error by the cosine between student and teacher, their overlap or the squared distance."""
        if self.channel == "sign":
            return np.arccos(cosine) / math.pi
        if self.channel == "linear":
            return squared
        q = np.clip(overlap, 0.0, 1.0)
        return 1 - 2 / math.pi * (np.sqrt(1 - q * q) + q * np.arcsin(q))

    def solve(self, points: Points) -> Solution:
        load, noise = points["load"], points["noise"]
        curves, different, row = self.curves(noise)
        log_snr = np.stack([curves.solve(row, load, informed=branch == INFORMED) for branch in range(2)], axis=1)
        out = self.values_on(log_snr.ravel(), np.repeat(load, 2), np.repeat(noise, 2)).reshape(load.size, 2, 4)
        q, v = out[:, :, 0], out[:, :, 1]
        cosine = np.sqrt(q)
        if self.channel == "sign":  # arccos near 1 from the small complement
            gibbs = 2 / math.pi * np.arcsin(np.sqrt(v / 2))
            error = np.arcsin(np.sqrt(v)) / math.pi
        else:
            error = np.asarray(self.error_of_new(cosine, q, v))
            gibbs = 2 * v if self.channel == "linear" else 2 * error
        values = {
            "overlap": q,
            "generalization_error": error,
            "gibbs_error": gibbs,
            "mean_squared_error": v,
            "effective_noise": np.exp(-log_snr),
            "entropy": out[:, :, 2],
        }
        turns = [[curves.jumps(k, up)[0] for up in (True, False)] for k in range(different.size)]
        folded = np.array([up.size > 0 for up, _ in turns])[row]
        last = np.array([up.max(initial=-1.0) for up, _ in turns])[row]
        return Solution(
            values, out[:, :, 3], extra={"log_snr": log_snr, "folded": folded, "beyond": folded & (load > last)}
        )

    def select(self, points: Points, solution: Solution) -> Array:
        log_snr, entropy = solution.extra["log_snr"], solution.values["entropy"]
        wins = entropy[:, INFORMED] > entropy[:, UNINFORMED]
        if self.channel != "sign":  # without noise the limit decides: enough equations for the unknowns
            enough = points["load"] > (1.0 if self.prior == "gaussian" else 0.0)
            wins = np.where(points["noise"] == 0, enough, wins)
        apart = log_snr[:, INFORMED] > log_snr[:, UNINFORMED] + 1e-9
        return np.where(apart & wins, INFORMED, UNINFORMED)

    def classify(self, points: Points, solution: Solution, equilibrium: Array) -> Array:
        log_snr = solution.extra["log_snr"]
        apart = log_snr[:, INFORMED] > log_snr[:, UNINFORMED] + 1e-9
        single = np.where(solution.extra["beyond"], EASY, IMPOSSIBLE)
        phase = np.where(apart, np.where(equilibrium == INFORMED, HARD, IMPOSSIBLE), single)
        phase = np.where(solution.extra["folded"] | apart, phase, SMOOTH)
        detected = solution.values["overlap"][np.arange(phase.size), equilibrium] > 0
        return np.where(detected, phase, UNDETECTED)

    def landmark(self, name: str, along: str) -> Array:
        if along != "load":
            raise NotOfferedError(self.title, f"{name} along {along}")
        if name == "weak_recovery":
            found = [0.5 * (1 + self.noise) ** 2] if self.channel == "phase" else []
        elif name == "information_threshold":
            found = self._information_threshold(np.array([self.noise])).tolist()
        else:
            curves = load_curves(self.prior_code, self.channel_code, np.array([self.noise]).tobytes())
            found = curves.jumps(0, up=name == "algorithmic_threshold")[0].tolist()
        return self.control(along).within([x for x in found if math.isfinite(x)])

    def _information_threshold(self, noise: Array) -> Array:
        """The load at which both branches have the same entropy, by noise (increasing); NaN where they never do."""
        curves, _, row = self.curves(noise)
        found = np.full(noise.shape, np.nan)
        ups = [curves.jumps(k, True)[0] for k in range(noise.size)]
        downs = [curves.jumps(k, False)[0] for k in range(noise.size)]
        folded = np.flatnonzero([up.size > 0 for up in ups])
        if folded.size == 0:
            return found
        high = np.array([ups[k].max() for k in folded]) * (1 - 1e-10)
        low = np.array([downs[k].min() if downs[k].size else 1e-3 for k in folded]) * (1 + 1e-10)

        def advantage(load: Array, which: Array) -> Array:
            k = folded[which]
            informed, uninformed = (
                self.values_on(curves.solve(row[k], load, start), load, noise[k])[:, 2] for start in (True, False)
            )
            return np.asarray(informed - uninformed)

        found[folded] = bracketed_roots(advantage, low, high, tolerance=1e-13)
        if self.channel != "sign":
            found[noise == 0] = 1.0 if self.prior == "gaussian" else np.nan
        return found

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        if {x, y} != {"load", "noise"}:
            return super().trace_landmark(name, x, y, x_range)
        # Thresholds end where the fold vanishes, at small noise: most rows go there.
        noise = np.concatenate([np.linspace(0, 0.3, 121)[:-1] ** 2 / 0.3, np.linspace(0.3, 1.0, 15)])
        if name == "weak_recovery":
            load = 0.5 * (1 + noise) ** 2 if self.channel == "phase" else np.full_like(noise, np.nan)
        elif name == "information_threshold":
            load = self._information_threshold(noise)
        else:
            curves, _, _ = self.curves(noise)
            up = name == "algorithmic_threshold"
            jumps = [curves.jumps(k, up)[0] for k in range(noise.size)]
            load = np.array([(j.max() if up else j.min()) if j.size else np.nan for j in jumps])
        low, high = self.control("load").bounds
        inside = (load >= low) & (load <= high)
        load, noise = load[inside], noise[inside]
        return (load, noise) if x == "load" else (noise, load)

    def range(self, plane: Plane, axis: str) -> tuple[float, float]:
        """Noises up to a little above the last at which there is a transition, unless the plane declares others."""
        if getattr(plane, axis) == "noise" and getattr(plane, f"{axis}_range") is None:
            return 0.0, min(1.0, 1.3 * last_fold(self.prior_code, self.channel_code) or 1.0)
        return super().range(plane, axis)

    def landscape(self) -> Landscape:
        q = np.concatenate([np.linspace(0, 0.99, 397), 1 - np.geomspace(0.01, 1e-6, 60)[1:], [1.0]])
        out = np.empty_like(q)
        noise = float(effective_noise(self.channel_code, np.array(self.noise)))
        fill_landscape(self.prior_code, self.channel_code, q, self.load, noise, phase_table(), out)
        return Landscape("overlap", q, -out)

    def law(self) -> Law:
        column = {"load": np.array([self.load]), "noise": np.array([self.noise])}
        branch = INFORMED if self.start == "informed" else UNINFORMED
        variance = float(self.solve(column).values["effective_noise"][0, branch])
        if not NO_NOISE < variance < math.inf:
            raise NotOfferedError(self.title, "a distribution of noise where nothing can be learnt, or everything")
        return Law("noise_of_each_weight", *noise_density(variance), "normal, with the variance of state evolution")

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        path = np.empty(int(np.max(times, initial=0.0)) + 2)
        noise = float(effective_noise(self.channel_code, np.array(self.noise)))
        q = min(max(start["overlap"], 0.0), 1.0)
        evolve_overlap(self.prior_code, self.channel_code, q, self.load, noise, phase_table(), path)
        overlap = np.interp(times, np.arange(path.size), path)
        error = np.asarray(self.error_of_new(np.sqrt(overlap), overlap, 1 - overlap))
        return {"overlap": overlap, "mean_squared_error": 1 - overlap, "generalization_error": error}

    def footprint(self) -> int:
        return 4 * self.size * self.examples + 200 * (self.size + self.examples)
