r"""Kuramoto model: oscillators of different frequencies that pull each other into step, with noise.

$N$ phases on the unit circle, each with its own natural frequency $\omega_i$ drawn from a density $g(\omega)$:

$$\dot\theta_i=\omega_i+\frac KN\sum_j\sin(\theta_j-\theta_i)+\sqrt{2D}\,\xi_i(t) \tag{1}$$

The coherence $r$ and the mean phase $\psi$ are those of the mean field $re^{i\psi}=\frac1N\sum_je^{i\theta_j}$, so that
every oscillator feels only $\dot\theta_i=\omega_i-Kr\sin(\theta_i-\psi)+\sqrt{2D}\,\xi_i$. For one frequency and a
constant $q=Kr$ the moments $z_n=\langle e^{in\theta}\rangle$ of the stationary density obey

$$(nD-i\omega)\,z_n=\tfrac q2\,(z_{n-1}-z_{n+1}),\qquad
S_n=\frac{z_n}{z_{n-1}}=\frac{q/2}{nD-i\omega+\frac q2S_{n+1}} \tag{2}$$

a continued fraction whose value is a ratio of Bessel functions of complex order,
$S_1=I_{1-i\omega/D}(q/D)\,/\,I_{-i\omega/D}(q/D)$. Coherence is self-consistent if

$$r=F(Kr),\qquad F(q)=\int g(\omega)\,\mathrm{Re}\,S_1(\omega;q)\,d\omega \tag{3}$$

Every solution lies on the curve $K(q)=q/F(q)$. Frequencies (width $\gamma$, separation $\omega_0$), each symmetric:

- *lorentzian*, half-width $\gamma$: the integral picks $\omega=i\gamma$; $r=\sqrt{1-2\gamma/K}$ at $D=0$.
- *gaussian*, standard deviation $\gamma$. *uniform* on $[-\gamma,\gamma]$: without noise coherence jumps from 0 to
  $\pi/4$, yet there is no hysteresis.
- *bimodal*: two Lorentzians of half-width $\gamma$ centred at $\pm\omega_0$.
- *identical*: all $\omega_i=0$. Then $D$ is the temperature of a magnet of planar rotors (XY model) with
  $H=-\frac{K}{2N}\sum_{ij}\cos(\theta_i-\theta_j)$ and $r=I_1(x)/I_0(x)$ with $x=Kr/D$.

The incoherent state gives way at the critical coupling

$$K_c=\frac{2}{\int g(\omega)\frac{D}{D^2+\omega^2}d\omega} \tag{4}$$

which is $2(\gamma+D)$, $\;2\gamma\sqrt{2/\pi}\,e^{-D^2/2\gamma^2}/\mathrm{erfc}(D/\sqrt2\gamma)$ and
$2\gamma/\arctan(\gamma/D)$ for the first three. For two peaks it is $2(a+\omega_0^2/a)$ with $a=\gamma+D$ as long as
$\omega_0<a$; beyond, two groups start to turn against each other at $K_c=4a$ already: a *standing wave*, in which the
coherence oscillates. If $\mathrm{Re}\,(a-i\omega_0)^{-2}(a+D-i\omega_0)^{-1}<0$ the coherent state exists below the $K$
of eq. (4), down to the fold where $dK/dq=0$, and sweeping the coupling draws a hysteresis loop.

In time, and with the frequency continued into the upper half plane where $g$ allows it, the moments obey

$$\dot z_n=(in\omega-n^2D)\,z_n+\frac{nK}2\,(\bar z\,z_{n-1}-\bar z^*z_{n+1}),\qquad
\bar z=\int g\,z_1\,d\omega \tag{5}$$

which without noise stays on the manifold $z_n=z_1^n$ of Ott and Antonsen: for the Lorentzian
$\dot r=(\frac K2-\gamma)r-\frac K2r^3$. The driving torques do the work $\omega_i\dot\theta_i$, all of it turned into
heat. Coherence saves the power

$$\langle\omega^2\rangle-\langle\omega\dot\theta\rangle=Kr\int g(\omega)\,\omega\,\mathrm{Im}\,S_1\,d\omega \tag{6}$$

per oscillator ($K\gamma r^2$ for the Lorentzian), and the entropy production drops by this divided by $D$.

**Valid:** as $N\to\infty$, for stationary states. At finite $N$ the incoherent state shows $r\sim N^{-1/2}$, and states
near $K_c$ fluctuate more ($N^{-1/4}$ for identical oscillators). Where only the standing wave is stable, theory says
so but gives no coherence; the predicted path, eq. (5), still follows it. A standing wave may also live beside the
coherent state.
"""

from __future__ import annotations

import cmath
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from scipy.special import erf, ive

from mfexplore.core import (
    Array,
    Branch,
    Failure,
    Landmark,
    Landscape,
    Model,
    NotOfferedError,
    Observable,
    Phase,
    Phases,
    Plane,
    Points,
    Preset,
    Profile,
    Promise,
    Reference,
    Simulation,
    Solution,
    Source,
    Task,
    choice,
    control,
)
from mfexplore.numerics.elementary import erfcx, sincos
from mfexplore.numerics.kernel import inline_kernel, kernel
from mfexplore.numerics.later import brentq
from mfexplore.numerics.random import fill_normal, new_stream

INCOHERENT, COHERENT, UNSTABLE = 0, 1, 2
SMALL_TURN = 0.06
FREQUENCIES = ("lorentzian", "gaussian", "uniform", "bimodal", "identical")
LORENTZIAN, GAUSSIAN, UNIFORM, BIMODAL, IDENTICAL = range(5)


@cache
def nodes(kind: int) -> Array:
    """Rows Re w, Im w, Re weight, Im weight, shape (4, n): the integral of g f over the frequencies is
    Re sum(weight f(width w + shift)) for f analytic in the upper half plane with f(-w*) = f(w)*.

    There every moment of eq. (2) is analytic (its poles lie below -iD), so the path of integration may leave the real
    line, where the moments get edges as the noise vanishes. Lorentzians pick their pole. The Gaussian is entire: the
    trapezoid rule on the line Im w = 2.5 has a relative error of 1e-13 whatever the noise. The uniform density is
    integrated along an ellipse that leaves its edge at a right angle, with nodes dense at the edge.
    """
    w: Array
    weight: Array
    if kind == GAUSSIAN:
        step = 0.5
        w = (np.arange(18) + 0.5) * step + 2.5j
        weight = 2 * step * np.exp(-w * w / 2) / math.sqrt(2 * math.pi)
    elif kind == UNIFORM:
        x, weights = np.polynomial.legendre.leggauss(32)
        v = (x + 1) / 2
        angle = np.pi / 2 * v**3
        w = np.cos(angle) + 0.5j * np.sin(angle)
        weight = (np.sin(angle) - 0.5j * np.cos(angle)) * (1.5 * np.pi * v**2) * (weights / 2)
    else:
        w, weight = np.array([0j if kind == IDENTICAL else 1j]), np.array([1 + 0j])
    return np.stack([w.real, w.imag, weight.real, weight.imag])


@kernel
def moments(q, noise, width, shift, table, work):
    """S_1 of eq. (2) and dS_1/dq at the frequencies width * w + shift of a table of nodes.

    Written to the rows Re S, Im S, Re S', Im S' of `work`. The fraction is started from the uniform expansion of the
    Bessel functions for large order (exact without noise), which must be taken some way up from the edge of locking,
    where a frequency on the real line equals q.
    """
    count = table.shape[1]
    depth = 1
    if noise > 0.0:
        depth = 16
        if width * table[1, 0] < 0.3 * q:
            depth += int(min(8.0 * (q / noise) ** (1.0 / 3.0), 2000.0))
    half = 0.5 * q
    for j in range(count):
        b = width * table[1, j] + (depth - 0.5) * noise if noise > 0.0 else width * table[1, j]
        m = complex(max(b, 1e-30), -(width * table[0, j] + shift))  # never exactly on the edge, where w = 0
        w = cmath.sqrt(m * m + q * q)
        lift = noise * m / (w * w)
        s = q / (w + m) * cmath.exp(-0.5 * lift - noise * noise * m * (0.5 - 0.625 * m * m / (w * w)) / (w * w * w))
        d = s * (m / (q * w) + lift * q / (w * w))
        work[0, j], work[1, j], work[2, j], work[3, j] = s.real, s.imag, d.real, d.imag
    for n in range(depth - 1, 0, -1):
        for j in range(count):
            sr, si, dr, di = work[0, j], work[1, j], work[2, j], work[3, j]
            x = n * noise + width * table[1, j] + half * sr
            y = half * si - (width * table[0, j] + shift)
            scale = 1.0 / (x * x + y * y)
            tr, ti = x * scale, -y * scale  # 1 / denominator
            er, ei = 0.5 * sr + half * dr, 0.5 * si + half * di
            sr, si = half * tr, half * ti
            fr, fi = 0.5 - (sr * er - si * ei), -(sr * ei + si * er)
            work[0, j], work[1, j] = sr, si
            work[2, j], work[3, j] = tr * fr - ti * fi, tr * fi + ti * fr


@kernel
def response(q, noise, width, shift, kind, table, work):
    """(F, dF/dq, integral of g w Im S_1) of eqs. (3) and (6)."""
    if width == 0.0 and kind != BIMODAL:
        moments(q, noise, 0.0, 0.0, table[:, :1], work)
        return work[0, 0], work[2, 0], 0.0
    if kind == UNIFORM and noise == 0.0:
        if q < width:  # the drifting ones contribute nothing: F is linear
            return 0.25 * math.pi * q / width, 0.25 * math.pi / width, 0.0
        u = width / q
        arc, root = math.asin(u), math.sqrt(1.0 - u * u)
        return 0.5 * (arc / u + root), 0.5 * (arc / width - root / q), width * width / (3.0 * q)
    moments(q, noise, width, shift, table, work)
    f = 0.0
    slope = 0.0
    torque = 0.0
    for j in range(table.shape[1]):
        a, b = table[2, j], table[3, j]
        f += a * work[0, j] - b * work[1, j]
        slope += a * work[2, j] - b * work[3, j]
        x, y = width * table[0, j] + shift, width * table[1, j]
        re, im = x * work[0, j] - y * work[1, j], x * work[1, j] + y * work[0, j]
        torque += a * im + b * re
    return f, slope, torque


@kernel
def critical_coupling(noise, width, shift, kind):
    """K_c: above it the incoherent state is unstable, eq. (4)."""
    if kind == BIMODAL:
        a = noise + width
        return 2.0 * (a + shift * shift / a) if shift < a else 4.0 * a
    if width == 0.0 or kind == IDENTICAL:
        return 2.0 * noise
    if kind == LORENTZIAN:
        return 2.0 * (noise + width)
    if kind == GAUSSIAN:
        return 1.5957691216057308 * width / erfcx(noise / (1.4142135623730951 * width))
    return 2.0 * width / math.atan2(width, noise)


@kernel
def fold(noise, width, shift, kind, table, work):
    """(q, K) where coherence first appears, below the K of eq. (4); q = 0 if it appears there, with r = 0."""
    if kind != BIMODAL:
        return 0.0, critical_coupling(noise, width, shift, kind)
    a = noise + width
    if shift == 0.0:
        return 0.0, 2.0 * a
    if a > 0.0:
        first, second = complex(a, -shift), complex(a + noise, -shift)
        if (1.0 / (first * first * second)).real >= 0.0:
            return 0.0, 2.0 * (a + shift * shift / a)
    low, high = 0.0, shift + a
    for _ in range(60):
        f, slope, _ = response(high, noise, width, shift, kind, table, work)
        if f - high * slope > 0.0:
            break
        low = high
        high *= 1.5
    for _ in range(50):
        q = 0.5 * (low + high)
        f, slope, _ = response(q, noise, width, shift, kind, table, work)
        if f - q * slope > 0.0:
            high = q
        else:
            low = q
        if high - low < 1e-12 * high:
            break
    f, slope, _ = response(high, noise, width, shift, kind, table, work)
    return high, high / f


@kernel
def root(coupling, low, high, rising, noise, width, shift, kind, table, work):
    """The q between low and high with K(q) = coupling, by Newton's method on K^2 as a function of q^2, which is nearly
    a straight line, kept in the bracket. `rising`: whether K rises with q there. Returns (q, iterations).
    """
    target = coupling * coupling
    a, b = low * low, high * high
    p = b if rising else 0.5 * (a + b)
    for iteration in range(80):
        q = math.sqrt(p)
        f, slope, _ = response(q, noise, width, shift, kind, table, work)
        k = q / f if f > 0.0 else math.inf
        excess = k * k - target
        if (excess > 0.0) == rising:
            b = p
        else:
            a = p
        gradient = k * (f - q * slope) / (f * f) / q
        new = p - excess / gradient
        if not (a < new < b):
            new = 0.5 * (a + b)
        if abs(new - p) <= 1e-15 * p or b - a <= 1e-15 * b:
            p = new
            break
        p = new
    return math.sqrt(p), iteration + 1


@kernel
def solve_points(coupling, noise, width, shift, kind, table, field, torque, residual, iterations, growing):
    """All stationary states. Arrays of shape (n, 3): the field q = Kr, the integral of eq. (6), the residual of
    eq. (3) (NaN where a branch does not exist); `growing`, shape (n,): whether the incoherent state is unstable.
    """
    work = np.empty((4, table.shape[1]))
    critical, corner_q, corner = 0.0, 0.0, 0.0
    for i in range(coupling.size):
        k, d, g, s = coupling[i], noise[i], width[i], shift[i]
        if i == 0 or d != noise[i - 1] or g != width[i - 1] or s != shift[i - 1]:
            critical = critical_coupling(d, g, s, kind)
            corner_q, corner = fold(d, g, s, kind, table, work)
            # the K of eq. (4), from which the unstable branch hangs (infinite for two sharp lines without noise)
            bare = 2.0 * (d + g + s * s / (d + g)) if kind == BIMODAL else critical
        growing[i] = k > critical
        field[i, INCOHERENT], torque[i, INCOHERENT], residual[i, INCOHERENT] = 0.0, 0.0, 0.0
        if k > corner:
            q, count = root(k, corner_q, k, True, d, g, s, kind, table, work)
            field[i, COHERENT], iterations[i, COHERENT] = q, count
            if corner_q > 0.0 and k < bare:
                q, count = root(k, 0.0, corner_q, False, d, g, s, kind, table, work)
                field[i, UNSTABLE], iterations[i, UNSTABLE] = q, count
            for branch in (COHERENT, UNSTABLE):
                q = field[i, branch]
                if q > 0.0:
                    f, _, p = response(q, d, g, s, kind, table, work)
                    torque[i, branch], residual[i, branch] = p, abs(q / k - f)


@kernel
def follow_moments(times, start, coupling, noise, width, shift, table, modes, longest, out):
    """Coherence at `times` (shape (n,), rising) by eq. (5), started on the Ott-Antonsen manifold at coherence `start`.

    Fourth-order Runge-Kutta, the linear part exactly; steps no longer than `longest`. z is real: the frequencies are
    symmetric, and so is the start.
    """
    count = table.shape[1]
    z = np.empty((modes + 2, count), np.complex128)
    stage = np.empty_like(z)
    kept = np.empty((4, modes + 2, count), np.complex128)
    half = np.empty_like(z)
    for n in range(modes + 2):
        for j in range(count):
            z[n, j] = start**n
    weight = np.empty(count, np.complex128)
    for j in range(count):
        weight[j] = complex(table[2, j], table[3, j])
    out[0] = start
    before = -1.0
    for i in range(1, times.size):
        steps = max(1, math.ceil((times[i] - times[i - 1]) / longest))
        h = (times[i] - times[i - 1]) / steps
        if abs(h - before) > 1e-12 * h:
            before = h
            for n in range(modes + 2):
                for j in range(count):
                    rate = complex(-n * width * table[1, j] - n * n * noise, n * (width * table[0, j] + shift))
                    half[n, j] = cmath.exp(0.5 * h * rate)
        mean = 0.0
        for _ in range(steps):
            for k in range(4):
                source = z if k == 0 else stage
                mean = 0.0
                for j in range(count):
                    mean += (weight[j] * source[1, j]).real
                for j in range(count):
                    source[modes + 1, j] = source[modes, j] * source[1, j]
                for n in range(1, modes + 1):
                    gain = 0.5 * n * coupling * mean
                    for j in range(count):
                        kept[k, n, j] = gain * (source[n - 1, j] - source[n + 1, j])
                if k < 3:
                    for j in range(count):
                        stage[0, j] = 1.0
                    for n in range(1, modes + 1):
                        for j in range(count):
                            e = half[n, j]
                            if k == 0:
                                stage[n, j] = e * (z[n, j] + 0.5 * h * kept[0, n, j])
                            elif k == 1:
                                stage[n, j] = e * z[n, j] + 0.5 * h * kept[1, n, j]
                            else:
                                stage[n, j] = e * (e * z[n, j] + h * kept[2, n, j])
            for n in range(1, modes + 1):
                for j in range(count):
                    e = half[n, j]
                    both = e * (kept[1, n, j] + kept[2, n, j])
                    z[n, j] = e * e * (z[n, j] + h / 6.0 * kept[0, n, j]) + h / 6.0 * (2.0 * both + kept[3, n, j])
        mean = 0.0
        for j in range(count):
            mean += (weight[j] * z[1, j]).real
        out[i] = mean


@inline_kernel
def turned(sine, cosine, angle):
    """(sine, cosine) of a phase turned by a small angle, to 4e-16 below SMALL_TURN."""
    square = angle * angle
    y = angle * (1.0 - square / 6.0 * (1.0 - square / 20.0 * (1.0 - square / 42.0)))
    x = -0.5 * square * (1.0 - square / 12.0 * (1.0 - square / 30.0 * (1.0 - square / 56.0)))
    return sine + (cosine * y + sine * x), cosine + (cosine * x - sine * y)


@kernel
def heun(theta, omega, coupling, noise, step, steps, stream, sine, cosine, next_sine, next_cosine, kick):
    """Advance eq. (1) by `steps` steps of Heun's method, O(N) each, and wrap the phases into [0, 2 pi).

    theta, sine, cosine (of theta) are overwritten; next_sine, next_cosine and kick (of even length) are scratch.
    """
    n = theta.size
    strength = math.sqrt(2.0 * noise * step)
    c, s = 0.0, 0.0
    for i in range(n):
        c += cosine[i]
        s += sine[i]
    c *= coupling / n
    s *= coupling / n
    kick[:] = 0.0
    for _ in range(steps):
        if noise > 0.0:
            fill_normal(stream, kick)
        c2, s2 = 0.0, 0.0
        for i in range(n):
            pull = s * cosine[i] - c * sine[i]
            alone = theta[i] + step * omega[i] + strength * kick[i]
            theta[i] = alone
            a, b = sincos(alone + step * pull)
            next_sine[i], next_cosine[i] = a, b
            s2 += a
            c2 += b
        c2 *= coupling / n
        s2 *= coupling / n
        c1, s1 = 0.0, 0.0
        if 0.5 * step * (math.hypot(c, s) + math.hypot(c2, s2)) < SMALL_TURN:
            for i in range(n):  # the second stage turns every oscillator by little, which is cheaper than starting anew
                pull, next_pull = s * cosine[i] - c * sine[i], s2 * next_cosine[i] - c2 * next_sine[i]
                theta[i] += 0.5 * step * (pull + next_pull)
                a, b = turned(next_sine[i], next_cosine[i], 0.5 * step * (next_pull - pull))
                sine[i], cosine[i] = a, b
                s1 += a
                c1 += b
        else:
            for i in range(n):
                pull = s * cosine[i] - c * sine[i] + s2 * next_cosine[i] - c2 * next_sine[i]
                theta[i] += 0.5 * step * pull
                a, b = sincos(theta[i])
                sine[i], cosine[i] = a, b
                s1 += a
                c1 += b
        c = c1 * coupling / n
        s = s1 * coupling / n
    for i in range(n):
        theta[i] -= 2.0 * math.pi * math.floor(theta[i] / (2.0 * math.pi))


@kernel
def measure(omega, sine, cosine, coupling, fastest):
    """(Re z, Im z, fraction of frequencies within the mean field Kr, power saved per oscillator) of a state.

    Beyond `fastest` an oscillator turns too fast for its steps, but its mean drag is known: w <sin> = Kr/2.
    """
    n = omega.size
    c, s = 0.0, 0.0
    for i in range(n):
        c += cosine[i]
        s += sine[i]
    c /= n
    s /= n
    field = coupling * math.sqrt(c * c + s * s)
    locked, torque = 0.0, 0.0
    for i in range(n):
        w = omega[i]
        locked += 1.0 if abs(w) <= field else 0.0
        torque += w * (c * sine[i] - s * cosine[i]) * coupling if abs(w) <= fastest else 0.5 * field * field
    return c, s, locked / n, torque / n


class KuramotoSimulation(Simulation):
    """Eq. (1) for N oscillators by Heun's method, which is of second order also with this noise."""

    time_unit = "time units"
    step, relaxation, window = 0.2, 60.0, 60.0
    shown = 1000

    def prepare(self) -> None:
        n = self.model.size
        level = (np.arange(n) + 0.5) / n if self.model.sampling == "quantile" else self.rng.random(n)
        self.standard, self.side = self.model.standard_frequencies(level)
        self.retune()
        self.theta = np.zeros(n) if self.model.start == "coherent" else self.rng.random(n) * 2 * np.pi
        self.sine, self.cosine = np.sin(self.theta), np.cos(self.theta)
        self._scratch = np.empty(n), np.empty(n), np.empty(n + n % 2)
        self.stream = new_stream(self.rng)

    def retune(self) -> None:
        m = self.model
        self.omega = m.disorder * self.standard + m.separation * self.side
        self.longest = min(0.05, 0.1 / m.coupling) if m.coupling > 0 else 0.05  # step of integration
        self.fastest = 0.5 / self.longest  # frequency up to which it resolves how the mean field drags

    def evolve(self, duration: float) -> None:
        m = self.model
        steps = math.ceil(duration / self.longest - 1e-9)
        heun(
            self.theta, self.omega, m.coupling, m.temperature, duration / steps, steps, self.stream, self.sine,
            self.cosine, *self._scratch,
        )  # fmt: skip

    def mean_field(self) -> complex:
        """The complex order parameter."""
        return complex(self.cosine.mean(), self.sine.mean())

    def observe(self) -> dict[str, float]:
        c, s, locked, saved = measure(self.omega, self.sine, self.cosine, self.model.coupling, self.fastest)
        return {"coherence": math.hypot(c, s), "locked_fraction": locked, "power_saved": saved}

    def picture(self) -> Phases:
        stride = -(-self.model.size // self.shown)
        limit = 3 * self.model.disorder + self.model.separation
        speed = np.clip(self.omega[::stride], -limit, limit)
        caption = "phases, coloured by natural frequency" + (f"; every {stride}th of them" if stride > 1 else "")
        return Phases(self.theta[::stride].copy(), self.mean_field(), speed, caption)


@dataclass(frozen=True)
class Kuramoto(Model):
    coupling: float = control(
        2.0, 0.0, 8.0, symbol="K", unit="1/time", role="coupling", step=0.01,
        doc="how strongly each oscillator is pulled towards the phases of all others",
    )  # fmt: skip
    temperature: float = control(
        0.1, 0.0, 2.0, symbol="D", unit="1/time", role="temperature", step=0.005,
        doc="noise: diffusion of a free phase, the temperature of the rotors",
    )  # fmt: skip
    disorder: float = control(
        0.5, 0.0, 2.0, symbol=r"\gamma", unit="1/time", role="disorder", step=0.005,
        doc="width of the frequencies: half-width (lorentzian, bimodal), standard deviation, or largest (uniform)",
    )  # fmt: skip
    separation: float = control(
        1.0, 0.0, 4.0, symbol=r"\omega_0", unit="1/time", role="disorder", step=0.01,
        doc="the two peaks of a bimodal density lie at plus and minus this frequency; no effect on the others",
    )  # fmt: skip
    frequencies: str = choice(
        "lorentzian", FREQUENCIES, symbol="g", role="disorder", doc="density of the natural frequencies"
    )
    size: int = control(
        20_000, 10, 1_000_000, symbol="N", role="size", scale="log", part="simulation",
        doc="oscillators simulated",
    )  # fmt: skip
    sampling: str = choice(
        "quantile", ("quantile", "random"), part="simulation",
        doc="frequencies evenly spaced in probability, or drawn at random (larger deviations from sample to sample)",
    )  # fmt: skip
    start: str = choice(
        "incoherent", ("incoherent", "coherent"), role="start", part="simulation",
        doc="phases at the start: anywhere on the circle, or all equal",
    )  # fmt: skip

    version = 2
    title = "Kuramoto oscillators"
    summary = "Oscillators of different frequencies fall into step above a critical coupling, smoothly or with a jump."
    sources = (
        Source("Y. Kuramoto, Chemical Oscillations, Waves, and Turbulence (1984)", doi="10.1007/978-3-642-69689-3"),
        Source("H. Sakaguchi, Prog. Theor. Phys. 79, 39 (1988): with noise", doi="10.1143/PTP.79.39"),
        Source("E. Ott, T. M. Antonsen, Chaos 18, 037113 (2008)", doi="10.1063/1.2930766", arxiv="0806.0004"),
        Source(
            "E. A. Martens et al., Phys. Rev. E 79, 026204 (2009): two Lorentzians", doi="10.1103/PhysRevE.79.026204",
            arxiv="0809.2129",
        ),
        Source("D. Pazó, Phys. Rev. E 72, 046211 (2005): uniform frequencies", doi="10.1103/PhysRevE.72.046211"),
    )  # fmt: skip
    observables = (
        Observable("coherence", "r", "length of the mean of all phase vectors", low=0, high=1),
        Observable(
            "locked_fraction", r"P(|\omega|\leq Kr)", "oscillators slow enough to lock to the mean field, were it not "
            "for the noise", low=0, high=1,
        ),
        Observable(
            "power_saved", r"\langle\omega^2\rangle-\langle\omega\dot\theta\rangle",
            "power per oscillator that coherence saves the driving torques, eq. (6)", unit="1/time^2", low=0,
        ),
        Observable(
            "effective_frequency", r"\langle\dot\theta\rangle", "mean velocity of an oscillator against its natural "
            "frequency: locked ones stand still", unit="1/time", signed=True, over="natural_frequency",
        ),
    )  # fmt: skip
    branches = (
        Branch("incoherent", "phases spread evenly, every oscillator at its own pace"),
        Branch("coherent", "a common rhythm"),
        Branch("unstable", "the threshold between the two where both are stable"),
    )
    phases = (
        Phase("incoherent", "Frequencies and noise win: no common rhythm survives."),
        Phase("coherent", "A common rhythm grows from any start."),
        Phase("bistable", "Incoherence and coherence are both stable: which one you see depends on the start."),
        Phase("standing_wave", "Two groups turn against each other; the coherence swells and fades for ever."),
    )
    failures = (
        Failure(
            "oscillating", "No stationary state is stable here: the coherence keeps oscillating. Watch the simulation "
            "or the predicted path instead.",
        ),
    )  # fmt: skip
    landmarks = (
        Landmark("critical_coupling", "K_c", "above it incoherence is unstable"),
        Landmark("fold", "K_f", "below it no coherent state exists (end of the hysteresis loop)", continuous=False),
    )
    planes = (
        Plane("coupling", "temperature", "coherence", x_range=(0.0, 6.0), along="x"),
        Plane("coupling", "disorder", "coherence", x_range=(0.0, 6.0), along="x"),
        Plane("coupling", "separation", "coherence", along="x"),
    )
    presets = (
        Preset(
            "onset", {"coupling": 2.2, "disorder": 1.0, "temperature": 0.0, "size": 100_000},
            "Ten per cent above the threshold K = 2 the phases gather to r = 0.30, growing slowly from noise.",
            (Promise("critical_coupling", 2.0, 1e-9, along="coupling"),
             Promise("coherence", 0.30, 0.005)),
        ),
        Preset(
            "locked and drifting", {"frequencies": "gaussian", "coupling": 2.0, "disorder": 1.0, "temperature": 0.0},
            "The slow oscillators stand still at an angle set by their frequency; the fast ones slip past them.",
        ),
        Preset(
            "explosive", {"frequencies": "uniform", "coupling": 1.4, "disorder": 1.0, "temperature": 0.0},
            "Ten per cent above the threshold K = 1.273 the coherence leaps to 0.87; just below it there is none.",
            (Promise("critical_coupling", 1.273, 0.0005, along="coupling"),
             Promise("coherence", 0.87, 0.005)),
        ),
        Preset(
            "rotors", {"frequencies": "identical", "coupling": 1.0, "temperature": 0.3, "start": "coherent"},
            "Without different frequencies this is a magnet: warm it past T = K/2 and the order melts smoothly.",
        ),
        Preset(
            "hysteresis",
            {"frequencies": "bimodal", "coupling": 1.9, "disorder": 0.5, "separation": 0.5, "temperature": 0.0},
            "From the coherent start the rhythm stays, from the incoherent one it never begins.",
        ),
        Preset(
            "standing wave",
            {"frequencies": "bimodal", "coupling": 1.5, "disorder": 0.1, "separation": 1.0, "temperature": 0.1},
            "Two groups run in opposite directions: the coherence swells when they meet and fades when they part.",
        ),
    )  # fmt: skip
    references = (
        Reference(
            "Lorentzian without noise, $K=3$, width 1", 0.5773502691896257, 1e-12, r"$\sqrt{1-2\gamma/K}$",
            lambda: coherence(coupling=3, disorder=1, temperature=0),
        ),
        Reference(
            "Lorentzian with noise, $K=2.5$, width 0.5, $D=0.5$", 0.5209599586489116, 1e-12,
            "continued fraction with mpmath; checked against the Fokker-Planck equation of 4001 frequencies",
            lambda: coherence(coupling=2.5, disorder=0.5, temperature=0.5),
        ),
        Reference(
            "Gaussian without noise, $K=2$, standard deviation 1", 0.7151739566831832, 1e-11,
            "closed form with Bessel functions", lambda: coherence("gaussian", coupling=2, disorder=1, temperature=0),
        ),
        Reference(
            "magnetization of planar rotors, $T=0.49$", 0.19866447201536014, 1e-12, "$I_1/I_0$ self-consistent",
            lambda: coherence("identical", coupling=1, temperature=0.49),
        ),
        Reference(
            "critical coupling of Gaussian frequencies with noise 0.5", 2.282155540736129, 1e-12, "closed form",
            lambda: float(
                Kuramoto(frequencies="gaussian", disorder=1, temperature=0.5).landmark("critical_coupling", "coupling")[
                    0
                ]
            ),
        ),
    )  # fmt: skip
    tasks = (
        Task(
            "Half of the oscillators would turn at +0.5, half at -0.5, each with a Lorentzian spread of 0.5. Start "
            "coherent and lower the coupling: at which $K$ does the rhythm break down?",
            {
                "frequencies": "bimodal", "disorder": 0.5, "separation": 0.5, "temperature": 0.0, "coupling": 2.5,
                "start": "coherent",
            },
            "coupling", lambda model: float(model.landmark("fold", "coupling")[0]), 0.05,
            "On the way up the rhythm begins at K = 2; on the way down it lasts until the fold at K = 1.81.",
        ),
        Task(
            "Uniform frequencies between -1 and 1, no noise. How large is the coherence just after it appears?",
            {"frequencies": "uniform", "disorder": 1.0, "temperature": 0.0, "coupling": 1.2733}, "coherence",
            lambda model: math.pi / 4, 0.05,
            "At the threshold all oscillators lock at once: the mean of cos θ with sin θ spread evenly is π/4.",
        ),
    )  # fmt: skip
    simulation = KuramotoSimulation

    @property
    def kind(self) -> int:
        """Position of the density in FREQUENCIES."""
        return FREQUENCIES.index(self.frequencies)

    def standard_frequencies(self, level: Array) -> tuple[Array, Array]:
        """Frequencies at levels of the cumulative probability (0 to 1), for width 1, and the side (-1, 1, or 0 if there
        is one peak) on which each lies. Arrays of the shape of `level`.
        """
        from scipy.special import ndtri

        side = np.zeros_like(level)
        if self.kind == BIMODAL:
            side = np.where(level < 0.5, -1.0, 1.0)
            level = np.where(level < 0.5, 2 * level, 2 * level - 1)
        level = np.clip(level, 1e-12, 1 - 1e-12)
        standard: dict[int, Callable[[], Array]] = {
            GAUSSIAN: lambda: ndtri(level),
            UNIFORM: lambda: 2 * level - 1,
            IDENTICAL: lambda: np.zeros_like(level),
        }
        return standard.get(self.kind, lambda: np.tan(np.pi * (level - 0.5)))(), side

    def _columns(self, points: Points) -> tuple[Array, Array, Array, Array]:
        k, d, g, s = (points[n] for n in ("coupling", "temperature", "disorder", "separation"))
        if self.kind == IDENTICAL:
            g = np.zeros_like(g)
        return k, d, g, s if self.kind == BIMODAL else np.zeros_like(s)

    def solve(self, points: Points) -> Solution:
        k, d, g, s = self._columns(points)
        field = np.full((k.size, 3), np.nan)
        torque, residual = np.full_like(field, np.nan), np.full_like(field, np.nan)
        iterations = np.zeros(field.shape, np.int64)
        growing = np.empty(k.size, np.bool_)
        solve_points(k, d, g, s, self.kind, nodes(self.kind), field, torque, residual, iterations, growing)
        k, g, s = k[:, None], g[:, None], s[:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = {
                "coherence": np.where(field > 0, field / k, field),
                "locked_fraction": np.where(field > 0, self._within(field, g, s), field),
                "power_saved": field * torque,
            }
        exists = residual <= self.tolerance
        stable = exists & np.array([True, True, False])
        stable[:, INCOHERENT] &= ~growing
        oscillating = ~stable.any(axis=1)
        validity = np.where(oscillating[:, None] & exists, 1, 0)
        return Solution(values, residual, stable=stable, validity=validity, iterations=iterations)

    def _within(self, q: Array, width: Array, shift: Array) -> Array:
        """Fraction of natural frequencies between -q and q."""
        if self.kind == GAUSSIAN:
            return np.asarray(np.where(width > 0, erf(q / (math.sqrt(2) * width)), 1.0))
        if self.kind == UNIFORM:
            return np.asarray(np.where(width > 0, np.minimum(q / width, 1.0), 1.0))
        return np.asarray((np.arctan2(q - shift, width) + np.arctan2(q + shift, width)) / np.pi)

    def select(self, points: Points, solution: Solution) -> Array:
        """Coherence where it is stable (the branch reached from a coherent start), else incoherence."""
        stable = solution.stable
        assert stable is not None
        return np.where(stable[:, COHERENT], COHERENT, np.where(stable[:, INCOHERENT], INCOHERENT, -1))

    def classify(self, points: Points, solution: Solution, equilibrium: Array) -> Array:
        stable = solution.stable
        assert stable is not None
        return np.where(stable[:, COHERENT], np.where(stable[:, INCOHERENT], 2, 1), np.where(equilibrium < 0, 3, 0))

    def profiles(self) -> dict[str, Profile]:
        omega = np.linspace(-6, 6, 241)
        values = np.full((3, omega.size), np.nan)
        values[INCOHERENT] = omega
        theory = self.solve({n: np.array([float(getattr(self, n))]) for n in self.axis_names()})
        for branch in (COHERENT, UNSTABLE):
            q = self.coupling * float(theory.values["coherence"][0, branch])
            if q > 0 and self.temperature > 0:
                table = np.zeros((4, omega.size))
                table[0] = omega
                work = np.empty_like(table)
                moments(q, self.temperature, 1.0, 0.0, table, work)
                values[branch] = omega - q * work[1]
            elif q > 0:
                values[branch] = np.sign(omega) * np.sqrt(np.maximum(omega**2 - q**2, 0))
        return {"effective_frequency": Profile(omega, values)}

    def _corner(self, name: str, **changes: float) -> float:
        """K at which the boundary lies at these controls; for "fold", that of eq. (4) where there is no fold."""
        d, g, s = (changes.get(n, getattr(self, n)) for n in ("temperature", "disorder", "separation"))
        if name == "critical_coupling":
            return float(critical_coupling(d, g, s, self.kind))
        table = nodes(self.kind)
        return float(fold(d, g, s, self.kind, table, np.empty_like(table))[1])

    def _has_fold(self) -> bool:
        if self.kind != BIMODAL:
            return False
        table = nodes(BIMODAL)
        q, _ = fold(self.temperature, self.disorder, self.separation, BIMODAL, table, np.empty_like(table))
        return bool(q > 0)

    def landmark(self, name: str, along: str) -> Array:
        if along not in ("coupling", "temperature", "disorder", "separation"):
            raise NotOfferedError(self.title, f"{name} along {along}")
        if name == "fold" and self.kind != BIMODAL:
            return np.array([])
        made = self.control(along)
        if along == "coupling":
            found = [self._corner(name)] if name == "critical_coupling" or self._has_fold() else []
            return made.within(found)
        low, high = made.bounds

        def excess(value: float) -> float:
            return self._corner(name, **{along: value}) - self.coupling

        # The boundary rises with noise and with either spread of the frequencies, so there is at most one crossing.
        if not excess(low) <= 0 < excess(high):
            return np.array([])
        value = brentq(excess, low, high, xtol=1e-13)
        if name == "fold" and not self.replace(**{along: value})._has_fold():
            return np.array([])
        return made.within([value])

    def landscape(self) -> Landscape:
        """Free energy of the rotors at a given mean field; only identical oscillators are in equilibrium."""
        if self.kind != IDENTICAL:
            raise NotOfferedError(self.title, "a free energy unless all frequencies are equal (no equilibrium)")
        r = np.linspace(0, 1, 401)
        k, d = self.coupling, self.temperature
        entropic = k * r
        if d > 0:
            x = k * r / d
            entropic = d * (np.log(ive(0, x)) + x)
        return Landscape("coherence", r, k * r * r / 2 - entropic)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        k, d = self.coupling, self.temperature
        width = 0.0 if self.kind == IDENTICAL else self.disorder
        shift = self.separation if self.kind == BIMODAL else 0.0
        # The moments fall off as exp(-n^2 D/2Kr); the last is closed as on the manifold without noise.
        modes = min(48, 8 + math.ceil(4 * math.sqrt(k / d))) if d > 0 else 1
        longest = min(0.05, 1.5 / (modes * k)) if k > 0 else 0.05
        path = np.empty(len(times))
        follow_moments(
            np.asarray(times, np.float64), start["coherence"], k, d, width, shift, nodes(self.kind), modes, longest,
            path,
        )  # fmt: skip
        return {"coherence": np.abs(path)}

    def footprint(self) -> int:
        return 80 * self.size


def coherence(frequencies: str = "lorentzian", *, coupling: float, temperature: float, disorder: float = 0.5) -> float:
    """Coherence of the coherent branch."""
    model = Kuramoto(coupling, temperature, disorder, frequencies=frequencies)
    return float(model.theory()["coherence"].sel(branch="coherent"))
