"""Denoisers of a component that is zero or normal, their mean squared errors, and the state evolution they make."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.message_passing.state_evolution import StateEvolution
from mfexplore.numerics.functions.elementary import exp, log1p, normal_tail
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI, normal_density
from mfexplore.numerics.kernel import kernel

DENOISERS = {"bayes": "Bayes", "lasso": "LASSO"}
BAYES, LASSO = range(len(DENOISERS))
NEVER = 40.0  # a threshold that nothing exceeds
SQRT_HALF = math.sqrt(0.5)

W_STEP = 0.1
W = (np.arange(111) + 0.5) * W_STEP
W_WEIGHT = 2.0 * W_STEP * normal_density(W)


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


class State(NamedTuple):
    """Values at n points, each of shape (n,); threshold: in units of sqrt(S); residual: relative, of eq. (4)."""

    mean_squared_error: Array
    effective_noise: Array
    free_entropy: Array
    threshold: Array
    residual: Array


@kernel
def error_after(denoiser, rho, s):
    """One step of state evolution (4), and the threshold above which a component counts."""
    if denoiser == LASSO:
        threshold = best_threshold(rho, s)
        return lasso_error(rho, s, threshold), threshold
    odds, a = evidence(rho, s)
    return bayes_error(rho, s), math.sqrt(max(-2.0 * odds / a, 0.0))


@kernel
def fill_rates(denoiser, log_snr, rho, noise, rate):
    """The measurement rate at which S = exp(-log_snr) is a fixed point."""
    for i in range(log_snr.size):
        s = math.exp(-log_snr[i])
        rate[i] = (error_after(denoiser, rho[i], s)[0] + noise[i]) / s


@kernel
def fill_state(denoiser, log_snr, rate, rho, noise, out):
    """out: a State."""
    for i in range(log_snr.size):
        s = math.exp(-log_snr[i])
        error, out.threshold[i] = error_after(denoiser, rho[i], s)
        out.mean_squared_error[i], out.effective_noise[i] = error, s
        out.free_entropy[i] = free_entropy(rate[i], rho[i], noise[i], s)
        out.residual[i] = abs((noise[i] + error) / (s * rate[i]) - 1.0)


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
def donoho_tanner_rate(rho):
    """Eq. (7)."""
    threshold = best_threshold(rho, 1e-300)
    mass, hazard = normal_tail(threshold)
    square = threshold * threshold
    return rho * (1.0 + square) + 2.0 * (1.0 - rho) * mass * (1.0 + square - threshold * hazard)


def donoho_tanner(rho: Array) -> Array:
    """The same for an array."""
    different, place = np.unique(rho, return_inverse=True)
    return np.array([donoho_tanner_rate(one) for one in different])[place]


@dataclass(frozen=True)
class DenoisedEvolution(StateEvolution):
    """State evolution (4) of a denoiser, by its word. Its parameters are sparsity and noise, its load the rate."""

    denoiser: str
    interval = (-6.0, 25.0, 225)

    @property
    def code(self) -> int:
        return list(DENOISERS).index(self.denoiser)

    def estimate(self, r: Array, s: float, rho: float) -> tuple[Array, Array]:
        """The eta(r, S) of eq. (3) and its derivative."""
        mean, slope = np.empty_like(r), np.empty_like(r)
        denoise(self.code, r, s, rho, mean, slope)
        return mean, slope

    def error(self, rho: float, s: float) -> float:
        """The mse of eq. (4)."""
        return float(error_after(self.code, rho, s)[0])

    def load(self, log_snr: Array, *parameters: Array) -> Array:
        rate = np.empty_like(log_snr)
        fill_rates(self.code, log_snr, parameters[0], parameters[1], rate)
        return rate

    def state(self, log_snr: Array, rate: Array, rho: Array, noise: Array) -> State:
        """All of shape (n,); ln R beyond the range counts as its end."""
        state = State(*np.empty((5, log_snr.size)))
        fill_state(self.code, np.clip(log_snr, *self.interval[:2]), rate, rho, noise, state)
        return state

    def free_entropy(self, log_snr: Array, load: Array, *parameters: Array) -> Array:
        return self.state(log_snr, load, parameters[0], parameters[1]).free_entropy
