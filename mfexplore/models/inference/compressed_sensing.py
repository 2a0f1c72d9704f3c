r"""Compressed sensing: recovering a sparse signal from fewer measurements than unknowns.

A signal $x\in\mathbb R^N$ of which only a fraction $\rho$ (the *sparsity*) is not zero, these normally distributed,

$$x_i\sim(1-\rho)\,\delta_0+\rho\,\mathcal N(0,1) \tag{1}$$

is measured by $M=\alpha N$ random projections with noise of variance $\Delta$

$$y=Fx+\sqrt\Delta\,\xi,\qquad F_{\mu i}\sim\mathcal N(0,1/N) \tag{2}$$

*Approximate message passing* (AMP) undoes $F$ step by step with a scalar *denoiser* $\eta$:

$$z^t=y-Fa^t+\frac{z^{t-1}}\alpha\,\overline{\eta'},\qquad S=\frac{\overline{(z^t)^2}}\alpha,\qquad
a^{t+1}=\eta\Big(a^t+\frac{F^{\mathsf T}z^t}\alpha,\;S\Big) \tag{3}$$

As $N\to\infty$ the argument of $\eta$ is the signal plus Gaussian noise of variance $S$, and the mean squared error
follows the *state evolution*

$$E_{t+1}=\mathrm{mse}(S_t),\qquad S_t=\frac{\Delta+E_t}\alpha,\qquad E_0=\rho \tag{4}$$

**Bayes-optimal** denoiser: with $r=\sqrt S\,w$ and $A=1/(1+S)$ a component is believed to be non-zero with probability
$\pi=[1+e^{-\ell}]^{-1}$, $\;\ell=\ln\frac\rho{1-\rho}+\frac12\ln SA+\frac12Aw^2$, and

$$\eta=\pi\,\frac r{1+S},\qquad\mathrm{mse}(S)=\rho SA+(1-\rho)\,SA^2\!\int\!Dw\;w^2\pi(w) \tag{5}$$

($Dw$: standard normal). Its fixed points are the stationary points of the free entropy

$$\Phi(E)=-\frac\alpha2\Big[\ln(\Delta+E)+\frac{\Delta+\rho}{\Delta+E}\Big]
+\mathbb E_r\ln\Big[1-\rho+\rho\sqrt{SA}\,e^{Aw^2/2}\Big] \tag{6}$$

whose highest maximum is the truth. On all of them $\alpha=[\mathrm{mse}(S)+\Delta]/S$: where this curve turns lie the
*spinodals*. Between the upper one, where AMP started at $E=\rho$ gets through, and the information-theoretic threshold
(equal maxima; $\alpha=\rho$ without noise) recovery is *hard*.

**Lasso** ($\ell_1$) denoiser: soft thresholding, $\eta=\mathrm{sign}(r)\,(|r|-\lambda\sqrt S)_+$, with the threshold
that is best for the signal. Without noise it recovers the signal above the Donoho-Tanner line

$$\alpha_{\ell_1}(\rho)=\min_\lambda\Big[\rho(1+\lambda^2)
+2(1-\rho)\big((1+\lambda^2)\Phi(-\lambda)-\lambda\varphi(\lambda)\big)\Big] \tag{7}$$

and never is there a second solution: no transition is jumped, but more measurements are needed.

**Photograph.** The signal can be a photograph (shipped with scikit-learn), in its Haar wavelet coefficients: the
largest $\rho N$ of them are kept, every scale in units of its own strength. They are not normally distributed; state
evolution, averaged over the coefficients themselves, predicts the recovery all the same.

**Valid:** (4)-(6) exactly as $N\to\infty$ for the random signal; at finite $N$ deviations are of order $N^{-1/2}$ and
the hard phase shows its plateau only for $N\gtrsim2000$. For the lasso $\Phi$ is eq. (6) at the error that it reaches.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from mfexplore import core
from mfexplore.core import Array, Points
from mfexplore.core.bracketing import bracketed_roots
from mfexplore.families.message_passing.algorithm import MessagePassing, noise_law, projections, random_matrix
from mfexplore.families.message_passing.state_evolution import LoadCurves
from mfexplore.numerics.elementary import exp, log1p, normal_tail
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.wavelets import haar, inverse_haar, scales

BAYES, LASSO = 0, 1
INFORMED, UNINFORMED = 0, 1
IMPOSSIBLE, HARD, EASY, SMOOTH, LASSO_FAILS = range(5)
NOT_NORMAL = 1
LOW_SNR, HIGH_SNR = -6.0, 25.0
NEVER = 40.0  # a threshold that nothing exceeds
SQRT_HALF, INVERSE_SQRT_2PI = math.sqrt(0.5), 1.0 / math.sqrt(2.0 * math.pi)

W_STEP = 0.1
W = (np.arange(111) + 0.5) * W_STEP
W_WEIGHT = 2.0 * W_STEP * INVERSE_SQRT_2PI * np.exp(-0.5 * W * W)


@kernel
def evidence(rho, s):
    """(ell of eq. (5) at w = 0, A): the logarithm of the odds for a non-zero component is ell + A w^2/2."""
    a = 1.0 / (1.0 + s)
    return math.log(rho / (1.0 - rho)) + 0.5 * math.log(s * a), a


@kernel
def bayes_error(rho, s):
    """The mse of eq. (5). The integrand is even and analytic in a strip, so the midpoint rule converges fast."""
    odds, a = evidence(rho, s)
    total = 0.0
    for k in range(W.size):
        total += W_WEIGHT[k] * W[k] * W[k] / (1.0 + exp(-(odds + 0.5 * a * W[k] * W[k])))
    return s * a * (rho + (1.0 - rho) * a * total)


@kernel
def free_entropy(rate, rho, noise, s):
    """Eq. (6) at E + Delta = alpha S. Where a component is not zero the logarithm is ell + ln(1 + e^-ell): the mean of
    the first is known, and e^ell times the density of the zeros is the density of the others, so the rest is localised.
    The mean contains rho/2S, which is large at little noise and cancels against the first bracket: it is left out.
    """
    odds, a = evidence(rho, s)
    total = 0.0
    for k in range(W.size):
        ell = odds + 0.5 * a * W[k] * W[k]
        rest = log1p(exp(-abs(ell)))
        soft, other = rest + max(ell, 0.0), rest + max(-ell, 0.0)
        total += W_WEIGHT[k] * (soft + exp(ell) * other)
    evidence_of_signal = math.log(1.0 - rho) + rho * odds + (1.0 - rho) * total
    return evidence_of_signal - 0.5 * rate * math.log(rate * s) - 0.5 * noise / s


@kernel
def lasso_slope(rho, s, threshold):
    """Derivative of `lasso_error` in the threshold, divided by 4 S."""
    root = math.sqrt(s / (1.0 + s))
    mass, hazard = normal_tail(threshold)
    inner, rate = normal_tail(threshold * root)
    return (1.0 - rho) * mass * (threshold - hazard) + rho * inner * (threshold - root * rate)


@kernel
def best_threshold(rho, s):
    """The lambda of least error at the noise S, in units of sqrt(S), by false position (Illinois)."""
    low, high = 0.0, 4.0
    f_low, f_high = lasso_slope(rho, s, low), lasso_slope(rho, s, high)
    while f_high < 0.0 and high < NEVER:
        low, f_low = high, f_high
        high *= 2.0
        f_high = lasso_slope(rho, s, high)
    if f_high <= 0.0:
        return NEVER
    x = high
    for k in range(100):
        x = 0.5 * (low + high) if k % 4 == 3 else high - f_high * (high - low) / (f_high - f_low)
        f = lasso_slope(rho, s, x)
        if abs(f) < 1e-17 or abs(high - low) < 1e-13:
            break
        if f * f_high < 0.0:
            low, f_low = high, f_high
        else:
            f_low *= 0.5
        high, f_high = x, f
    return x


@kernel
def lasso_error(rho, s, threshold):
    """Mean squared error of soft thresholding at `threshold` sqrt(S)."""
    mass, hazard = normal_tail(threshold)
    zeros = 2.0 * s * mass * (1.0 + threshold * threshold - threshold * hazard)
    t = threshold * math.sqrt(s / (1.0 + s))
    biased = s * (1.0 + threshold * threshold)
    inside = math.erf(t * SQRT_HALF)  # not 1 - 2 H(t): its error would be large against a small S
    others = biased + inside * (1.0 - biased) - 2.0 * (1.0 + s) * t * exp(-0.5 * t * t) * INVERSE_SQRT_2PI
    return (1.0 - rho) * zeros + rho * others


@kernel
def error_after(denoiser, rho, s):
    """One step of state evolution (4)."""
    return bayes_error(rho, s) if denoiser == BAYES else lasso_error(rho, s, best_threshold(rho, s))


@kernel
def fill_rates(denoiser, log_snr, rho, noise, rate):
    """The measurement rate at which S = exp(-log_snr) is a fixed point."""
    for i in range(log_snr.size):
        s = math.exp(-log_snr[i])
        rate[i] = (error_after(denoiser, rho[i], s) + noise[i]) / s


@kernel
def fill_values(denoiser, log_snr, rate, rho, noise, out):
    """Columns of out: E, S, free entropy (6), threshold in units of sqrt(S), relative residual of eq. (4)."""
    for i in range(log_snr.size):
        s = math.exp(-log_snr[i])
        error = error_after(denoiser, rho[i], s)
        out[i, 0], out[i, 1] = error, s
        out[i, 2] = free_entropy(rate[i], rho[i], noise[i], s)
        if denoiser == BAYES:
            odds, a = evidence(rho[i], s)
            out[i, 3] = math.sqrt(max(-2.0 * odds / a, 0.0))
        else:
            out[i, 3] = best_threshold(rho[i], s)
        out[i, 4] = abs((noise[i] + error) / (s * rate[i]) - 1.0)


@kernel
def fill_potential(error, rate, rho, noise, out):
    """Free entropy (6) along the error."""
    for i in range(error.size):
        out[i] = free_entropy(rate, rho, noise, (noise + error[i]) / rate)


@kernel
def evolve_error(denoiser, error, rate, rho, noise, path):
    """State evolution (4), path[0] = error."""
    path[0] = error
    for t in range(1, path.size):
        error = error_after(denoiser, rho, (noise + error) / rate)
        path[t] = error


@kernel
def denoise(denoiser, r, s, rho, mean, slope):
    """Write eta(r, S) and its derivative."""
    if denoiser == BAYES:
        odds, a = evidence(rho, s)
        for i in range(r.size):
            p = 1.0 / (1.0 + exp(-(odds + 0.5 * a * r[i] * r[i] / s)))
            mean[i] = p * r[i] * a
            slope[i] = a * p * (1.0 + (1.0 - p) * a * r[i] * r[i] / s)
    else:
        cut = best_threshold(rho, s) * math.sqrt(s)
        for i in range(r.size):
            beyond = abs(r[i]) - cut
            mean[i] = math.copysign(beyond, r[i]) if beyond > 0.0 else 0.0
            slope[i] = 1.0 if beyond > 0.0 else 0.0


@kernel
def fill_donoho_tanner(rho, rate):
    """Eq. (7)."""
    for i in range(rho.size):
        threshold = best_threshold(rho[i], 1e-300)
        mass, hazard = normal_tail(threshold)
        square = threshold * threshold
        rate[i] = rho[i] * (1.0 + square) + 2.0 * (1.0 - rho[i]) * mass * (1.0 + square - threshold * hazard)


def donoho_tanner(rho: Array) -> Array:
    """Eq. (7) for an array."""
    rho = np.asarray(rho, np.float64)
    rate = np.empty_like(rho)
    fill_donoho_tanner(rho, rate)
    return rate


DENOISERS = ("bayes", "lasso")


@lru_cache(maxsize=64)
def load_curves(denoiser: int, sparsities: bytes, noises: bytes) -> LoadCurves:
    """The fixed points of state evolution as curves alpha(1/S), one per pair of sparsity and noise."""
    rho, noise = np.frombuffer(sparsities), np.frombuffer(noises)

    def rate_at(log_snr: Array, row: Array) -> Array:
        rate = np.empty_like(log_snr)
        fill_rates(denoiser, log_snr, rho[row], noise[row], rate)
        return rate

    return LoadCurves(rate_at, rho.size, LOW_SNR, HIGH_SNR, points=225)


@lru_cache(maxsize=4)
def photograph(side: int) -> Array:
    """A summer palace in grey, square, with zero mean, shape (side, side)."""
    from sklearn.datasets import load_sample_image

    grey = np.asarray(load_sample_image("china.jpg"), np.float64).mean(axis=2)
    block = min(grey.shape) // side
    top, left = ((n - block * side) // 2 for n in grey.shape)
    square = grey[top : top + block * side, left : left + block * side]
    small = square.reshape(side, block, side, block).mean(axis=(1, 3))
    return small - small.mean()


@lru_cache(maxsize=16)
def sparse_photograph(side: int, sparsity: float) -> tuple[Array, Array]:
    """(signal, strength), shape (side^2,): the largest Haar coefficients of the photograph are signal * strength, the
    others left out; the strength is the same within a scale, and the mean square of the non-zero signal one there.
    """
    coefficients = haar(photograph(side)).ravel()
    kept = np.zeros(coefficients.size, bool)
    kept[np.argsort(-np.abs(coefficients))[: max(1, round(sparsity * coefficients.size))]] = True
    scale = scales(side).ravel()
    strength = np.ones(coefficients.size)
    for level in np.unique(scale[kept]):
        here = scale == level
        strength[here] = math.sqrt(float(np.mean(coefficients[here & kept] ** 2)))
    return np.where(kept, coefficients / strength, 0.0), strength


class ApproximateMessagePassing(core.Simulation["CompressedSensing"]):
    """AMP, eq. (3), for one signal and one measurement."""

    time_unit = "iterations"
    relaxation, window = 300.0, 0.0

    def prepare(self) -> None:
        m = self.model
        n, rows = m.pixels, m.measurements
        if m.signal == "image":
            self.side = math.isqrt(n)
            self.truth, self.strength = sparse_photograph(self.side, m.sparsity)
        else:
            # Exactly rho N components of mean square one: samples then differ less, and the limit is the same.
            values = self.rng.standard_normal(m.non_zero)
            self.truth = np.zeros(n)
            self.truth[self.rng.permutation(n)[: values.size]] = values / math.sqrt(float(np.mean(values**2)))
        matrix = random_matrix(self.rng, rows, n)
        self.measured = projections(matrix, self.truth) + math.sqrt(m.noise) * self.rng.standard_normal(rows)
        informed = m.start == "informed"
        self.passing = MessagePassing(matrix, self.truth.copy() if informed else np.zeros(n), 0.0)
        self.noise = (m.noise + self.error()) / m.rate
        self.seen = self.passing.mean

    def error(self) -> float:
        return float(np.mean((self.passing.mean - self.truth) ** 2))

    def evolve(self, duration: float) -> None:
        m = self.model
        for _ in range(round(duration)):
            if self.finished:
                return
            omega, _ = self.passing.forward()
            residual = self.measured - omega
            seen = max(float(np.mean(residual**2)), 1e-18)
            self.seen, self.noise = self.passing.backward(residual / seen, 1 / seen)
            mean, slope = np.empty_like(self.seen), np.empty_like(self.seen)
            denoise(m.denoiser_code, self.seen, self.noise, m.sparsity, mean, slope)
            self.passing.accept(mean, self.noise * float(np.mean(slope)))

    @property
    def finished(self) -> bool:
        return self.passing.change < 1e-7 * self.model.noise + 1e-15

    def observe(self) -> dict[str, float]:
        error = max(self.error(), 1e-16)
        power = max(float(np.mean(self.truth**2)), 1e-16)
        return {
            "mean_squared_error": error,
            "log_relative_error": math.log10(error / power),
            "effective_noise": self.noise,
        }

    def samples(self, observable: str | None = None) -> Array:
        """The noise that the denoiser was given."""
        return self.seen - self.truth

    def picture(self) -> core.Patterns:
        if self.model.signal == "image":
            shape = (self.side, self.side)
            # A picture is ink on paper: what is dark in the photograph has the large values.
            ink = -photograph(self.side)
            images = (
                ("photograph", ink),
                ("its wavelets", -inverse_haar((self.truth * self.strength).reshape(shape))),
                ("recovered", -inverse_haar((self.passing.mean * self.strength).reshape(shape))),
            )
            return core.Patterns(images, float(ink.min()), float(ink.max()))
        side = math.isqrt(self.truth.size)
        arrays = (("signal", self.truth), ("recovered", self.passing.mean))
        return core.Patterns(tuple((name, a[: side * side].reshape(side, side)) for name, a in arrays), -2.5, 2.5)


@dataclass(frozen=True)
class CompressedSensing(core.Model):
    measurement_rate: float = core.control(
        0.45, 0.02, 1.0, symbol=r"\alpha", unit="M/N", role="load", step=0.005, quenched=True,
        doc="how many numbers are measured, per unknown",
    )  # fmt: skip
    sparsity: float = core.control(
        0.2, 0.01, 0.9, symbol=r"\rho", role="disorder", step=0.005, quenched=True,
        doc="fraction of the signal that is not zero",
    )  # fmt: skip
    noise: float = core.control(
        1e-6, 1e-10, 1.0, symbol=r"\Delta", role="temperature", step=1e-10, scale="log", quenched=True,
        doc="variance of the noise of a measurement",
    )  # fmt: skip
    denoiser: str = core.choice(
        "bayes", DENOISERS, quenched=False, doc="Bayes-optimal for the signal, or soft thresholding (lasso)"
    )
    signal: str = core.choice("random", ("random", "image"), doc="a random signal, or the wavelets of a photograph")
    size: int = core.control(
        4096, 64, 16_384, symbol="N", role="size", scale="log", part="simulation",
        doc="unknowns of the simulated signal (of a photograph: the next lower power of 4)",
    )  # fmt: skip
    start: str = core.choice(
        "uninformed", ("uninformed", "informed"), role="start", part="simulation",
        doc="whether message passing starts from zero or at the signal",
    )  # fmt: skip

    title = "Compressed sensing"
    summary = "A sparse signal, or a photograph, recovered from fewer measurements than unknowns - up to a sharp line."
    sources = (
        core.Source("D. L. Donoho, A. Maleki and A. Montanari, PNAS 106, 18914 (2009)", doi="10.1073/pnas.0909892106"),
        core.Source("F. Krzakala et al., Phys. Rev. X 2, 021005 (2012)", doi="10.1103/PhysRevX.2.021005"),
        core.Source("D. L. Donoho and J. Tanner, PNAS 102, 9452 (2005)", doi="10.1073/pnas.0502258102"),
        core.Source("M. Gabrié, J. Phys. A 53, 223002 (2020)", arxiv="1911.00890"),
    )
    observables = (
        core.Observable(
            "log_relative_error", r"\log_{10}E/\rho", "logarithm of the error, relative to the signal", high=0
        ),
        core.Observable("mean_squared_error", "E", "mean squared error of a component", low=0),
        core.Observable("effective_noise", "S", "variance of the noise that the denoiser sees", low=0),
        core.Observable("threshold", r"\lambda", "from how many effective noises on a component counts", low=0, high=8),
        core.Observable("free_entropy", r"\Phi", "free entropy per unknown, eq. (6)"),
    )
    branches = (
        core.Branch("informed", "what is reached from the signal itself"),
        core.Branch("uninformed", "what message passing reaches from zero"),
    )
    phases = (
        core.Phase("impossible", "The measurements do not determine the signal."),
        core.Phase("hard", "The measurements determine the signal, but message passing gets stuck far from it."),
        core.Phase("easy", "The signal is recovered up to the noise."),
        core.Phase(
            "smooth", "With so much noise there is no transition: the error falls smoothly, and none can do better."
        ),
        core.Phase("lasso_fails", "The lasso blurs the signal; the Bayes-optimal denoiser may still recover it."),
    )
    failures = (
        core.Failure(
            "not_normal",
            "Wavelet coefficients are not normally distributed, as the values of theory assume; only the predicted "
            "path is averaged over the coefficients themselves.",
        ),
    )
    landmarks = (
        core.Landmark("spinodal", r"\alpha_{\rm AMP}", "beyond it Bayes-optimal message passing recovers the signal"),
        core.Landmark(
            "donoho_tanner",
            r"\alpha_{\ell_1}",
            "beyond it the lasso recovers a noiseless signal",
            title="Donoho-Tanner line",
        ),
        core.Landmark("information_threshold", r"\alpha_{\rm IT}", "beyond it the measurements determine the signal"),
        core.Landmark(
            "informed_spinodal",
            r"\alpha_{\rm inf}",
            "below it not even the true signal is a solution",
            continuous=False,
        ),
    )
    planes = (
        core.Plane("sparsity", "measurement_rate", "log_relative_error", "uninformed"),
        core.Plane("measurement_rate", "noise", "log_relative_error", "uninformed"),
    )
    presets = (
        core.Preset(
            "easy", {"measurement_rate": 0.45},
            "After a slow start the error collapses to the noise, although more than half of the data is missing.",
        ),
        core.Preset(
            "hard", {"measurement_rate": 0.3},
            "The signal is the only sparse one that fits, yet message passing stays far away; started at it, it stays.",
        ),
        core.Preset(
            "lasso fails", {"measurement_rate": 0.45, "denoiser": "lasso"},
            "The same measurements as in 'easy': soft thresholding, which does not know the signal's law, is stuck.",
        ),
        core.Preset(
            "lasso recovers", {"measurement_rate": 0.6, "denoiser": "lasso"},
            "Above the Donoho-Tanner line, 0.511 for this sparsity, the lasso recovers as well, more slowly.",
            (core.Promise(core.Crossing("donoho_tanner", "measurement_rate"), 0.511, 0.0005),),
        ),
        core.Preset(
            "photograph", {"signal": "image", "measurement_rate": 0.35, "sparsity": 0.1, "noise": 1e-8},
            "1434 random measurements of 4096 pixels: the summer palace appears within some twenty iterations.",
        ),
        core.Preset(
            "photograph, too few", {"signal": "image", "measurement_rate": 0.15, "sparsity": 0.1, "noise": 1e-8},
            "Below the spinodal only a blurred shadow of the palace is found, although 0.15 exceeds the sparsity 0.1.",
        ),
        core.Preset(
            "noisy", {"measurement_rate": 0.5, "noise": 0.05},
            "With so much noise every transition is gone: message passing is as good as any method can be.",
        ),
    )  # fmt: skip
    references = (
        core.Reference(
            "mean squared error at rate 0.5, sparsity 0.2, noise 0.01", 0.024572506826443, 1e-12,
            "state evolution iterated", lambda model: _error(0.5, 0.2, 1e-2, "uninformed"),
        ),
        core.Reference(
            "informed error at rate 0.2, sparsity 0.1, noise 1e-6", 1.117951185420344e-06, 1e-15,
            "state evolution iterated", lambda model: _error(0.2, 0.1, 1e-6, "informed"),
        ),
        core.Reference(
            "spinodal at sparsity 0.4 without noise", 0.5892460011308028, 1e-8, "Krzakala et al. 2012 (0.59)",
            lambda model: float(CompressedSensing(sparsity=0.4, noise=1e-10).landmark("spinodal", "measurement_rate")[-1]),
        ),
        core.Reference(
            "Donoho-Tanner line at sparsity 0.1", 0.32879350545362995, 1e-12, "eq. (7)",
            lambda model: float(CompressedSensing(sparsity=0.1).landmark("donoho_tanner", "measurement_rate")[0]),
        ),
    )  # fmt: skip
    tasks = (
        core.Task(
            "A fifth of the signal is not zero. From which measurement rate on does the lasso recover it? "
            "Predict, then move the rate.",
            {"measurement_rate": 0.3, "denoiser": "lasso", "noise": 1e-8}, "measurement_rate",
            lambda model: float(model.landmark("donoho_tanner", "measurement_rate")[0]), 0.03,
            "0.51, on the Donoho-Tanner line. Counting unknowns would allow 0.2; the Bayes-optimal way needs 0.36.",
        ),
        core.Task(
            "The denoiser now knows the law of the signal. From which measurement rate on does it succeed?",
            {"measurement_rate": 0.25, "noise": 1e-8}, "measurement_rate",
            lambda model: float(model.landmark("spinodal", "measurement_rate")[-1]), 0.02,
            "0.355: between 0.2 and this the problem is hard, not impossible.",
        ),
    )  # fmt: skip
    simulation = ApproximateMessagePassing

    @property
    def pixels(self) -> int:
        """N: the size, or the largest power of 4 that does not exceed it."""
        return 4 ** int(math.log(self.size + 0.5, 4)) if self.signal == "image" else self.size

    @property
    def measurements(self) -> int:
        return self.counted("measurement_rate", self.pixels)

    @property
    def rate(self) -> float:
        """The measurement rate M/N after rounding."""
        return self.measurements / self.pixels

    @property
    def non_zero(self) -> int:
        """Components of the signal that are not zero."""
        return self.counted("sparsity", self.pixels)

    def realised(self) -> CompressedSensing:
        return self.with_simulated(size=self.pixels, measurement_rate=self.rate, sparsity=self.non_zero / self.pixels)

    @property
    def denoiser_code(self) -> int:
        return DENOISERS.index(self.denoiser)

    def curves(self, rho: Array, noise: Array, denoiser: int) -> tuple[LoadCurves, Array, Array]:
        """The curves of all different pairs of sparsity and noise, these (2, k), and which of them each point is on."""
        pairs, row = np.unique(np.stack([rho, noise]), axis=1, return_inverse=True)
        return load_curves(denoiser, pairs[0].tobytes(), pairs[1].tobytes()), pairs, row.reshape(-1)

    def solve(self, points: Points) -> core.Solution:
        rate, rho, noise = points["measurement_rate"], points["sparsity"], points["noise"]
        curves, pairs, row = self.curves(rho, noise, self.denoiser_code)
        log_snr = np.stack([curves.solve(row, rate, informed=branch == INFORMED) for branch in range(2)], axis=1)
        flat = np.empty((2 * rate.size, 5))
        twice = (np.repeat(rate, 2), np.repeat(rho, 2), np.repeat(noise, 2))
        clipped = np.clip(log_snr, LOW_SNR, HIGH_SNR).ravel()
        fill_values(self.denoiser_code, clipped, twice[0], twice[1], twice[2], flat)
        out = flat.reshape(rate.size, 2, 5)
        error, s, free_entropy, threshold, residual = (out[:, :, k] for k in range(5))
        values = {
            "log_relative_error": np.log10(error / rho[:, None]),
            "mean_squared_error": error,
            "effective_noise": s,
            "threshold": threshold,
            "free_entropy": free_entropy,
        }
        jumps = [curves.jumps(k, True)[0] for k in range(pairs.shape[1])]
        last = np.array([j.max(initial=-1.0) for j in jumps])[row]
        validity = np.full_like(residual, NOT_NORMAL if self.signal == "image" else 0, np.int64)
        return core.Solution(values, residual, validity=validity, extra={"log_snr": log_snr, "last": last})

    @staticmethod
    def _apart(solution: core.Solution) -> Array:
        log_snr = solution.extra["log_snr"]
        return log_snr[:, INFORMED] > log_snr[:, UNINFORMED] + 1e-9

    def select(self, points: Points, solution: core.Solution) -> Array:
        free_entropy = solution.values["free_entropy"]
        wins = self._apart(solution) & (free_entropy[:, INFORMED] > free_entropy[:, UNINFORMED])
        return np.where(wins, INFORMED, UNINFORMED)

    def classify(self, points: Points, solution: core.Solution, equilibrium: Array) -> Array:
        rate, last = points["measurement_rate"], solution.extra["last"]
        if self.denoiser == "lasso":
            different, place = np.unique(points["sparsity"], return_inverse=True)
            return np.where(rate > donoho_tanner(different)[place], EASY, LASSO_FAILS)
        single = np.where(last < 0, SMOOTH, np.where(rate > last, EASY, IMPOSSIBLE))
        double = np.where(equilibrium == INFORMED, HARD, IMPOSSIBLE)
        return np.where(self._apart(solution), double, single)

    def landmark(self, name: str, along: str) -> Array:
        if name == "donoho_tanner" and along == "sparsity":
            found = bracketed_roots(
                lambda rho, which: donoho_tanner(rho) - self.measurement_rate, np.array([1e-6]), np.array([1 - 1e-9])
            )
        elif along != "measurement_rate":
            raise core.NotOfferedError(self.title, f"{name} along {along}")
        else:
            rho, noise = np.array([self.sparsity]), np.array([self.noise])
            found = self._thresholds(name, rho, noise)
        return self.control(along).within(found[np.isfinite(found)].tolist())

    def _thresholds(self, name: str, rho: Array, noise: Array) -> Array:
        """The measurement rate of a boundary for every pair; NaN where there is none."""
        if name == "donoho_tanner":
            return donoho_tanner(rho)
        curves, pairs, row = self.curves(rho, noise, BAYES)
        count = pairs.shape[1]
        ups = np.array([curves.jumps(k, True)[0].max(initial=-np.inf) for k in range(count)])
        downs = np.array([curves.jumps(k, False)[0].min(initial=np.inf) for k in range(count)])
        folded = np.flatnonzero(np.isfinite(ups) & np.isfinite(downs))
        found = np.full(count, np.nan)
        if name == "spinodal":
            found[folded] = ups[folded]
        elif name == "informed_spinodal":
            found[folded] = downs[folded]
        elif folded.size:

            def advantage(rate: Array, which: Array) -> Array:
                k = folded[which]
                heights = []
                for informed in (True, False):
                    out = np.empty((k.size, 5))
                    fill_values(BAYES, curves.solve(k, rate, informed), rate, pairs[0, k], pairs[1, k], out)
                    heights.append(out[:, 2])
                return np.asarray(heights[0] - heights[1])

            found[folded] = bracketed_roots(
                advantage, downs[folded] * (1 + 1e-10), ups[folded] * (1 - 1e-10), tolerance=1e-12
            )
        return found[row]

    def trace_landmark(self, name: str, x: str, y: str, x_range: tuple[float, float]) -> tuple[Array, Array]:
        other = y if x == "measurement_rate" else x
        if "measurement_rate" not in (x, y) or other not in ("sparsity", "noise"):
            return super().trace_landmark(name, x, y, x_range)
        values = self.control(other).grid(97)
        rho = values if other == "sparsity" else np.full_like(values, self.sparsity)
        noise = values if other == "noise" else np.full_like(values, self.noise)
        rate = self._thresholds(name, rho, noise)
        low, high = self.control("measurement_rate").bounds
        inside = (rate >= low) & (rate <= high)
        rate, values = rate[inside], values[inside]
        return (rate, values) if x == "measurement_rate" else (values, rate)

    def landscape(self) -> core.Landscape:
        if self.denoiser == "lasso":
            raise core.NotOfferedError(self.title, "a landscape whose minima are states of the lasso")
        lowest = math.log10(self.noise / self.sparsity) - 2
        relative = np.linspace(min(lowest, -3.0), 0.0, 401)
        out = np.empty_like(relative)
        fill_potential(self.sparsity * 10**relative, self.measurement_rate, self.sparsity, self.noise, out)
        return core.Landscape("log_relative_error", relative, -out)

    def law(self) -> core.Law:
        columns = {n: np.array([float(getattr(self, n))]) for n in ("measurement_rate", "sparsity", "noise")}
        branch = INFORMED if self.start == "informed" else UNINFORMED
        variance = float(self.solve(columns).values["effective_noise"][0, branch])
        return noise_law("noise_of_each_component", variance)

    def predicted_path(self, start: Mapping[str, float], times: Array) -> dict[str, Array]:
        path = np.empty(int(np.max(times, initial=0.0)) + 2)
        if self.signal == "image":
            truth, _ = sparse_photograph(math.isqrt(self.pixels), self.sparsity)
            self._evolve_photograph(truth, start["mean_squared_error"], path)
            power = float(np.mean(truth**2))
        else:
            evolve_error(self.denoiser_code, start["mean_squared_error"], self.rate, self.sparsity, self.noise, path)
            power = self.sparsity
        steps = np.arange(path.size)
        later = np.exp(np.interp(times, steps, np.log(np.maximum(path, 1e-16))))
        before = np.interp(times, steps, np.append(path[0], path[:-1]))  # what the denoiser of this step was given
        return {
            "mean_squared_error": later,
            "log_relative_error": np.log10(later / power),
            "effective_noise": (self.noise + before) / self.rate,
        }

    def _evolve_photograph(self, truth: Array, error: float, path: Array) -> None:
        """State evolution with the average over the coefficients themselves instead of eq. (1)."""
        z = np.linspace(-5, 5, 41)
        weight = np.exp(-0.5 * z * z) / np.exp(-0.5 * z * z).sum()
        values, count = np.unique(truth, return_counts=True)
        share = count / truth.size
        path[0] = error
        for t in range(1, path.size):
            s = (self.noise + error) / self.rate
            r = (values[:, None] + math.sqrt(s) * z).ravel()
            mean, slope = np.empty_like(r), np.empty_like(r)
            denoise(self.denoiser_code, r, s, self.sparsity, mean, slope)
            squared = (mean.reshape(values.size, z.size) - values[:, None]) ** 2
            new = float(share @ squared @ weight)
            if abs(new - error) < 1e-9 * error:
                path[t:] = new
                return
            path[t] = error = new

    def footprint(self) -> int:
        return 4 * self.pixels * self.measurements + 200 * self.pixels


def _error(rate: float, rho: float, noise: float, branch: str) -> float:
    model = CompressedSensing(measurement_rate=rate, sparsity=rho, noise=noise)
    return float(model.theory()["mean_squared_error"].sel(branch=branch))
