"""Elementary functions that LLVM turns into SIMD when they stand inside a loop of a kernel.

Numba calls the scalar C library for `math.exp` and friends, which stops a loop from vectorising. These are straight
lines of arithmetic without a branch or a call, 5 to 30 times as fast in a loop over an array. Outside such a loop
`math` is as good.

All take and return float64. They are compiled without reassociation, whatever the kernel around them allows, because
their argument reduction lives from the order of its roundings. An odd function takes the sign of its argument, that of
zero too: "x if x == 0" would put a condition around the calculation, and conditions within conditions vectorise only
where vectors have masks (AVX-512). NaN gives NaN. The stated errors are the largest found against mpmath over the whole
range, in units in the last place (ulp) of the exact value.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import numba
import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])


def precise_block(function: Function) -> Function:
    """Compile a building block that keeps its order of roundings (only a*b + c may fuse) and always inlines."""
    compiled: Any = numba.njit(forceinline=True, error_model="numpy", fastmath={"contract"})(function)
    return compiled  # type: ignore[no-any-return]


# Adding and subtracting 1.5 * 2^52 rounds to the nearest whole number, which then also stands in the lowest bits.
SHIFT = 6755399441055744.0
SHIFT_BITS = np.int64(0x4338000000000000)
ONE_BITS = np.int64(0x3FF0000000000000)
SIGN_BIT = np.int64(-0x8000000000000000)
LN2_HIGH, LN2_LOW = 0.6931471803691238, 1.9082149292705877e-10


@precise_block
def power_of_two(k):
    """2^k for an int64 k in [-1022, 1023]."""
    return np.int64((k << np.int64(52)) + ONE_BITS).view(np.float64)


@precise_block
def exp_parts(x):
    """(e^r - 1, s, 1/t, t) with e^x = e^r s t, s and t powers of two, |r| <= ln(2)/2. x within [-746, 710]."""
    shifted = x * 1.4426950408889634 + SHIFT
    n = shifted - SHIFT
    k = np.float64(shifted).view(np.int64) - SHIFT_BITS
    r = (x - n * LN2_HIGH) - n * LN2_LOW
    q = 1.1470745597729725e-11 * r + 1.6059043836821613e-10
    q = q * r + 2.08767569878681e-09
    q = q * r + 2.505210838544172e-08
    q = q * r + 2.755731922398589e-07
    q = q * r + 2.7557319223985893e-06
    q = q * r + 2.48015873015873e-05
    q = q * r + 0.0001984126984126984
    q = q * r + 0.001388888888888889
    q = q * r + 0.008333333333333333
    q = q * r + 0.041666666666666664
    q = q * r + 0.16666666666666666
    q = q * r + 0.5
    half = k >> np.int64(1)
    rest = k - half
    return r + r * r * q, power_of_two(half), power_of_two(-rest), power_of_two(rest)


@precise_block
def clamp(x, low, high):
    """The nearest number to x within [low, high]; NaN stays NaN."""
    x = low if x < low else x
    return high if x > high else x


@precise_block
def exp(x):
    """e^x, error 1 ulp; gradual underflow, 0 below -745.2, inf above 709.78."""
    p, s, _, t = exp_parts(clamp(x, -746.0, 710.0))
    return (p * s + s) * t


@precise_block
def expm1(x):
    """e^x - 1, error 2 ulp, also near 0."""
    p, s, inverse, t = exp_parts(clamp(x, -746.0, 710.0))
    return math.copysign((p * s + (s - inverse)) * t, x)


@precise_block
def tanh(x):
    """Hyperbolic tangent, error 2.5 ulp."""
    p, s, inverse, t = exp_parts(clamp(-2.0 * abs(x), -80.0, 0.0))
    m = (p * s + (s - inverse)) * t
    return math.copysign(m / (m + 2.0), x)


@precise_block
def tanh_sech2(x):
    """(tanh x, 1 - tanh^2 x), errors 2.5 and 4.5 ulp: the second is not a difference of nearly equal numbers."""
    p, s, inverse, t = exp_parts(clamp(-2.0 * abs(x), -746.0, 0.0))
    m = (p * s + (s - inverse)) * t
    e = (p * s + s) * t
    d = m + 2.0
    return math.copysign(m / d, x), 4.0 * e / (d * d)


@precise_block
def log_of_normal(x, halvings):
    """log(x 2^-halvings), error 1 ulp, for a positive x that is neither subnormal nor infinite: straight on, where
    `log` looks for what x may not be.
    """
    bits = np.float64(x).view(np.uint64)
    # Take the power of two out so that the rest lies in [sqrt(1/2), sqrt(2)). Unsigned: AVX2 shifts no signed words.
    moved = bits + np.uint64(0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
    power = moved >> np.uint64(52)  # 1023 too large
    f = np.uint64(bits - (power << np.uint64(52)) + np.uint64(0x3FF0000000000000)).view(np.float64) - 1.0
    n = np.uint64(power | np.uint64(0x4330000000000000)).view(np.float64) - 4503599627371519.0
    n = n - halvings
    s = f / (2.0 + f)
    z = s * s
    q = z * 0.1479819860511659 + 0.1531383769920937
    q = q * z + 0.1818357216161805
    q = q * z + 0.2222219843214978
    q = q * z + 0.2857142874366239
    q = q * z + 0.3999999999940942
    q = q * z + 0.6666666666666735
    h = 0.5 * f * f
    return n * LN2_HIGH - ((h - (s * (h + z * q) + n * LN2_LOW)) - f)


@precise_block
def log(x):
    """Natural logarithm, error 1 ulp; -inf at 0, NaN below."""
    tiny = x < 2.2250738585072014e-308
    y = log_of_normal(x * 18014398509481984.0 if tiny else x, 54.0 if tiny else 0.0)
    y = y if x < math.inf else x + x
    y = -math.inf if x == 0.0 else y
    return math.nan if x < 0.0 else y


@precise_block
def log1p(x):
    """log(1 + x), error 2 ulp, also near 0."""
    u = 1.0 + x
    # The rounding of 1 + x, divided by u, is what log(u) misses.
    missed = (x - u) + 1.0 if u > 2.0 else x - (u - 1.0)
    missed = missed if u < math.inf else 0.0
    missed = 0.0 if u <= 0.0 else missed / u
    return math.copysign(log(u) + missed, x)


@precise_block
def sincos(x):
    """(sin x, cos x), error 2 ulp for |x| <= 10^6, absolute error 3e-16 up to 10^14 on processors with fused
    multiply-add (all of the last decade); NaN beyond, where float64 no longer knows the phase.
    """
    shifted = x * 0.6366197723675814 + SHIFT
    n = shifted - SHIFT
    k = np.float64(shifted).view(np.int64)
    # pi/2 in three parts of 33 bits, so that n times each of the first two is exact
    r = x - n * 1.5707963267341256
    r = r - n * 6.077100506303966e-11
    r = r - n * 2.0222662487959506e-21
    z = r * r
    s = z * 1.58969099521155e-10 - 2.5050760253406863e-08
    s = s * z + 2.7557313707070068e-06
    s = s * z - 0.0001984126982985795
    s = s * z + 0.00833333333332249
    s = s * z - 0.16666666666666632
    s = r + r * z * s
    c = 2.0875723212981748e-09 - z * 1.1359647557788195e-11
    c = c * z - 2.7557314351390663e-07
    c = c * z + 2.480158728947673e-05
    c = c * z - 0.001388888888887411
    c = c * z + 0.0416666666666666
    h = 0.5 * z
    w = 1.0 - h
    c = w + (((1.0 - w) - h) + z * z * c)
    odd = (k & np.int64(1)) != 0
    sine, cosine = (c if odd else s), (s if odd else c)
    sine = np.int64(np.float64(sine).view(np.int64) ^ ((k & np.int64(2)) << np.int64(62))).view(np.float64)
    turns = (k + np.int64(1)) & np.int64(2)
    cosine = np.int64(np.float64(cosine).view(np.int64) ^ (turns << np.int64(62))).view(np.float64)
    known = abs(x) <= 1e14
    sine = x if x == 0.0 else sine
    return (sine if known else math.nan), (cosine if known else math.nan)


@precise_block
def erfcx(x):
    """e^(x^2) erfc(x) for 0 <= x <= 1e300, error 5 ulp."""
    x = clamp(x, 0.0, 1e300)
    t = (x - 3.75) / (x + 3.75)
    # (1 + 2x) erfcx(x) is nearly constant: its Chebyshev interpolant in t, written out in powers
    p = 4.2514714447963895e-10 * t + 3.1114333809799254e-10
    p = p * t - 5.1739902140113095e-09
    p = p * t - 3.744210080962018e-09
    p = p * t + 3.8675334242222354e-08
    p = p * t + 2.3263508708859124e-08
    p = p * t - 2.5866850716155884e-07
    p = p * t - 5.7218230603224086e-08
    p = p * t + 1.751637648849062e-06
    p = p * t - 9.73559896736775e-07
    p = p * t - 1.1444146237700524e-05
    p = p * t + 2.238423915508223e-05
    p = p * t + 5.164909889268241e-05
    p = p * t - 0.0002901540805408417
    p = p * t + 0.0002937136655913448
    p = p * t + 0.0017556258528952954
    p = p * t - 0.009746579558029276
    p = p * t + 0.028362277418956406
    p = p * t - 0.05869339858963677
    p = p * t + 0.09230432116037748
    p = p * t - 0.10880393014174886
    p = p * t + 0.0822767384901452
    p = p * t + 0.0035854154854644293
    p = p * t - 0.14024059858554697
    p = p * t + 1.2375126308378275
    return p / (1.0 + 2.0 * x)


@precise_block
def gaussian(x, rate):
    """e^(-rate x^2) to 2 ulp for rate 1/2 or 1: the rounding of x^2 would cost x^2 ulp, so it is taken in two parts."""
    x = clamp(x, -40.0, 40.0)
    high = np.int64(np.float64(x).view(np.int64) & np.int64(-0x8000000)).view(np.float64)
    d = rate * (x - high) * (x + high)
    return exp(-rate * high * high) * (1.0 - d * (1.0 - d * (0.5 - d * 0.16666666666666666)))


@precise_block
def erf_small(x):
    """Error function for |x| <= 1."""
    z = clamp(x * x, 0.0, 1.0)
    p = 5.958930743134941e-11 * z - 1.1373902296430911e-09
    p = p * z + 1.4660051998394848e-08
    p = p * z - 1.6350354461959655e-07
    p = p * z + 1.6461004480962034e-06
    p = p * z - 1.4925595519506043e-05
    p = p * z + 0.00012055331122299266
    p = p * z - 0.0008548326981129666
    p = p * z + 0.005223977624823223
    p = p * z - 0.026866170645077334
    p = p * z + 0.11283791670954882
    p = p * z - 0.3761263890318375
    p = p * z + 1.1283791670955126
    return x * p


@precise_block
def erf(x):
    """Error function, error 2 ulp."""
    a = abs(x)
    tail = 1.0 - erfcx(a) * gaussian(a, 1.0)
    return erf_small(x) if a < 1.0 else math.copysign(tail, x)


@precise_block
def erfc(x):
    """1 - erf(x) without cancellation, error 5 ulp; underflows gradually from 26.5 on."""
    tail = erfcx(abs(x)) * gaussian(x, 1.0)
    near = 1.0 - erf_small(x)
    return near if abs(x) < 0.5 else (tail if x >= 0.0 else 2.0 - tail)


@precise_block
def log_ndtr(x):
    """Logarithm of the standard normal distribution function, relative error 1e-15 in both tails."""
    a = abs(x) * 0.7071067811865476
    scaled = erfcx(a)
    lower = log(0.5 * scaled) - 0.5 * x * x
    upper = log1p(-0.5 * scaled * gaussian(x, 0.5))
    return lower if x < 0.0 else upper


@precise_block
def normal_tail(u):
    """(H(u), phi(u)/H(u)) with phi the standard normal density and H(u) the mass above u; relative errors 1e-15."""
    scaled = erfcx(abs(u) * 0.7071067811865476)
    e = gaussian(u, 0.5)
    beyond = 0.5 * scaled * e
    below = 1.0 - beyond
    mass = beyond if u >= 0.0 else below
    hazard = 0.7978845608028654 / scaled if u >= 0.0 else 0.3989422804014327 * e / below
    return mass, hazard
