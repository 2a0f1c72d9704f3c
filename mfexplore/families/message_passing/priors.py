r"""Priors of one component: $\pm1$ (*binary*) or standard normal (*gaussian*), seen through $h=Rx+\sqrt R\,z$.

$$q=\mathbb E\tanh(R+\sqrt R\,z)\;\;[\textrm{binary}],\qquad q=\frac R{1+R}\;\;[\textrm{gaussian}] \tag{1}$$

$$S_P=\tfrac12R(1-q)+\overline{s(h)}\;\;[\textrm{binary}],\qquad
S_P=\tfrac12[R(1-q)-\ln(1+R)]\;\;[\textrm{gaussian}] \tag{2}$$

($s(h)$: entropy of a spin in the field $h$; the entropy of a gaussian component is relative to the prior).
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from mfexplore.numerics.functions.elementary import exp, log1p
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI
from mfexplore.numerics.kernel import kernel

Array = NDArray[np.float64]

PRIORS = {"binary": "binary", "gaussian": "Gaussian"}
BINARY, GAUSSIAN = range(len(PRIORS))


@kernel
def binary_prior(snr):
    """(q, 1 - q, mean entropy of a spin) of eq. (1), to relative accuracy for snr in (0, 1400).

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
    """(q, 1 - q, entropy part (2)) for snr in [0, inf]."""
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


def draw(prior: str, n: int, rng: np.random.Generator) -> Array:
    """Many (n) independent components. Normal ones get a mean square of exactly one: samples then differ less."""
    if prior == "binary":
        return rng.choice(np.array([-1.0, 1.0]), n)
    components = rng.standard_normal(n)
    return np.asarray(components / math.sqrt(float(np.mean(components**2))))


def posterior(prior: str, field: Array, snr: float) -> tuple[Array, float]:
    """Mean of every component given its field R x + noise of variance R, and the mean variance."""
    if prior == "binary":
        mean = np.tanh(field)
        return mean, float(np.mean(1 - mean * mean))
    return field / (1 + snr), 1 / (1 + snr)
