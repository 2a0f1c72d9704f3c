"""Following a root along a row of points, and pinning one down in a bracket, inside kernels."""

from __future__ import annotations

from mfexplore.numerics.kernel import kernel


@kernel
def false_position(bracket):
    """Where the chord of a bracket (low, high, f(low), f(high), side) crosses zero. Start with side = 0."""
    low, high, f_low, f_high, _ = bracket
    return (low * f_high - high * f_low) / (f_high - f_low)


@kernel
def narrowed(bracket, x, f):
    """The bracket after the value f at x within it (Illinois: an end that stays twice has its value halved, so that the
    chord lands beyond the root; order 1.44, and never outside).
    """
    low, high, f_low, f_high, side = bracket
    if f * f_low > 0.0:
        return x, high, f, f_high * (0.5 if side == 1 else 1.0), 1
    return low, x, f_low * (0.5 if side == -1 else 1.0), f, -1


@kernel
def predicted(places, values, known, place):
    """Polynomial through the last one to three solutions (newest first), at a new place."""
    a, b, c = places
    if known == 1:
        return values[0]
    if known == 2:
        return values[0] + (values[0] - values[1]) * (place - a) / (a - b)
    return (
        values[0] * (place - b) * (place - c) / ((a - b) * (a - c))
        + values[1] * (place - a) * (place - c) / ((b - a) * (b - c))
        + values[2] * (place - a) * (place - b) / ((c - a) * (c - b))
    )


@kernel
def remember(places, first, second, known, place, new_first, new_second):
    """Put a solution of two numbers in front of the last two (arrays of shape (3,)); returns how many are known now."""
    for k in (2, 1):
        places[k], first[k], second[k] = places[k - 1], first[k - 1], second[k - 1]
    places[0], first[0], second[0] = place, new_first, new_second
    return min(known + 1, 3)
