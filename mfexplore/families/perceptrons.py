"""Rules that look for weights w of a perceptron with (w . x) / sqrt(N) >= margin for every pattern x.

Patterns are float32 of shape (M, N) with entries +-1/sqrt(N), multiplied by their labels. The *stability* of a pattern
is its product with weights of norm sqrt(N). One pass looks at every pattern once, or costs as much: of order M N.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import log_ndtr, ndtri, ndtri_exp

from mfexplore.families.message_passing.algorithm import MessagePassing
from mfexplore.numerics.functions.gaussian import INVERSE_SQRT_2PI
from mfexplore.numerics.kernel import kernel
from mfexplore.numerics.matrices.matrix_vector import product

Array = NDArray[np.float64]
Float32 = NDArray[np.float32]


def random_patterns(rng: np.random.Generator, patterns: int, size: int) -> Float32:
    """Independent entries +-1/sqrt(size), shape (patterns, size)."""
    found = rng.integers(0, 2, (patterns, size), dtype=np.int8).astype(np.float32)
    found -= np.float32(0.5)
    found *= np.float32(2 / math.sqrt(size))
    return found


@kernel
def dot(x, y):
    total = np.float32(0.0)
    for i in range(x.size):
        total += x[i] * y[i]
    return total


@kernel
def rosenblatt_pass(patterns, order, margin, weights):
    """Add every pattern whose stability is below the margin. Returns how many were added; overwrites `weights`."""
    size = weights.size
    root = np.float32(math.sqrt(size))
    square = dot(weights, weights)
    mistakes = 0
    for mu in order:
        field = dot(patterns[mu], weights)
        if field < margin * math.sqrt(square / size):
            for i in range(size):
                weights[i] += root * patterns[mu, i]
            square += 2.0 * root * field + root * root
            mistakes += 1
    return mistakes


class Clipping(NamedTuple):
    """How hidden integers learn. They are odd and stay within +-bound. If the stability exceeds the margin by less than
    `barely`, then, with probability `chance`, those that agree with the pattern already move on (SBPI).
    """

    margin: float
    bound: int
    barely: float
    chance: float


@kernel
def hidden_pass(patterns, order, clipping, hidden, weights, rng):
    """Hidden integers move by a pattern whose stability is below the margin; the weights are their signs."""
    size = weights.size
    mistakes = 0
    for mu in order:
        stability = dot(patterns[mu], weights)
        wrong = stability < clipping.margin
        if not wrong:
            barely = stability < clipping.margin + clipping.barely
            if clipping.chance == 0.0 or not barely or rng.random() >= clipping.chance:
                continue
        for i in range(size):
            step = 2 if patterns[mu, i] > 0.0 else -2
            if wrong or hidden[i] * step > 0:
                moved = hidden[i] + step
                if abs(moved) <= clipping.bound:
                    hidden[i] = moved
                    weights[i] = 1.0 if moved > 0 else -1.0
        mistakes += wrong
    return mistakes


@kernel
def adatron_pass(patterns, order, rate, strengths, weights):
    """Coordinate ascent on the strengths x_mu >= 0 with which each pattern is embedded, w = sum of x_mu * pattern.

    Its fixed point has the largest possible smallest stability. Returns the largest violation of the conditions of
    optimality (every pattern at least 1, exactly 1 where it is embedded).
    """
    worst = 0.0
    for mu in order:
        missing = 1.0 - dot(patterns[mu], weights)
        step = rate * missing
        if step < -strengths[mu]:
            step = -strengths[mu]
        violation = missing if missing > 0.0 or strengths[mu] > 0.0 else 0.0
        worst = max(worst, abs(violation))
        if step != 0.0:
            strengths[mu] += step
            move = np.float32(step)
            for i in range(weights.size):
                weights[i] += move * patterns[mu, i]
    return worst


@kernel
def allowed(before, after, temperature, rng):
    """Metropolis: whether to go from `before` to `after` violated patterns."""
    if after <= before:
        return True
    return temperature > 0.0 and rng.random() < math.exp((before - after) / temperature)


@kernel
def flip_sweep(columns, threshold, temperature, weights, stabilities, rng):
    """As many attempts to flip a random binary weight as there are weights. columns: patterns, transposed."""
    size = weights.size
    violated = 0
    for mu in range(stabilities.size):
        violated += stabilities[mu] < threshold
    for _ in range(size):
        i = int(rng.random() * size)
        column = columns[i]
        change = np.float32(-2.0 * weights[i])
        after = 0
        for mu in range(stabilities.size):
            after += stabilities[mu] + change * column[mu] < threshold
        if allowed(violated, after, temperature, rng):
            weights[i] = -weights[i]
            violated = after
            for mu in range(stabilities.size):
                stabilities[mu] += change * column[mu]


@kernel
def rotate_sweep(columns, threshold, temperature, angle, weights, stabilities, rng):
    """As many attempts as weights to rotate a random pair of them by at most `angle`. Returns the accepted fraction."""
    size = weights.size
    violated = 0
    for mu in range(stabilities.size):
        violated += stabilities[mu] < threshold
    accepted = 0
    for _ in range(size):
        i = int(rng.random() * size)
        j = (i + 1 + int(rng.random() * (size - 1))) % size
        turn = angle * (2.0 * rng.random() - 1.0)
        c, s = math.cos(turn), math.sin(turn)
        new_i = np.float32(c * weights[i] - s * weights[j])
        new_j = np.float32(s * weights[i] + c * weights[j])
        first, second = columns[i], columns[j]
        a, b = new_i - weights[i], new_j - weights[j]
        after = 0
        for mu in range(stabilities.size):
            after += stabilities[mu] + a * first[mu] + b * second[mu] < threshold
        if allowed(violated, after, temperature, rng):
            accepted += 1
            weights[i], weights[j] = new_i, new_j
            violated = after
            for mu in range(stabilities.size):
                stabilities[mu] += a * first[mu] + b * second[mu]
    return accepted / size


class Rule:
    """A rule that improves `weights` (float32, shape (N,)) pass by pass.

    Attributes:
        title: what it is called.
        temperature, reinforcement: of those rules that know them; they may be changed on the way.
    """

    title: ClassVar[str]
    temperature = 0.0
    reinforcement = 0.0

    def __init__(self, patterns: Float32, margin: float, binary: bool, rng: np.random.Generator) -> None:
        self.patterns, self.binary, self.rng = patterns, binary, rng
        self.tie = 1e-3 / math.sqrt(patterns.shape[1])  # sums of +-1/sqrt(N) that equal the margin satisfy it
        self.threshold = margin - self.tie
        self.started()

    def started(self) -> None:
        raise NotImplementedError

    def one_pass(self) -> None:
        raise NotImplementedError

    def order(self) -> NDArray[np.int64]:
        return self.rng.permutation(self.patterns.shape[0])

    @property
    def weights(self) -> Float32:
        """The weights it proposes: +-1, or of norm sqrt(N)."""
        raise NotImplementedError

    def stabilities(self) -> Float32:
        """Shape (M,)."""
        out = np.empty(self.patterns.shape[0], np.float32)
        product(self.patterns, self.weights, out)
        return out

    @property
    def overlap(self) -> float:
        """Between two weights that it might propose as well; NaN if it knows only one."""
        return math.nan

    @property
    def keeps_on(self) -> bool:
        """Whether it has more to do although no pattern is violated."""
        return False


def on_sphere(weights: Float32) -> Float32:
    norm = math.sqrt(float(dot(weights, weights)))
    return np.asarray(weights * np.float32(math.sqrt(weights.size) / max(norm, 1e-30)))


def signs(weights: Float32) -> Float32:
    return np.where(weights >= 0, np.float32(1), np.float32(-1))


class Rosenblatt(Rule):
    """The perceptron rule; for binary weights its clipped form, with hidden integers."""

    title = "perceptron"
    chance = 0.0
    visible: Float32

    def started(self) -> None:
        size = self.patterns.shape[1]
        if self.binary:
            self.hidden = 2 * self.rng.integers(0, 2, size) - 1
            self.visible = np.asarray(self.hidden, np.float32)
            barely = 1.5 / math.sqrt(size)  # the first of the steps 2/sqrt(N) of a stability
            self.clipping = Clipping(self.threshold, 2 * int(1.25 * math.sqrt(size)) + 1, barely, self.chance)
        else:
            self.visible = np.asarray(self.rng.standard_normal(size, dtype=np.float32))

    def one_pass(self) -> None:
        if self.binary:
            hidden_pass(self.patterns, self.order(), self.clipping, self.hidden, self.visible, self.rng)
        else:
            rosenblatt_pass(self.patterns, self.order(), self.threshold, self.visible)

    @property
    def weights(self) -> Float32:
        return self.visible if self.binary else on_sphere(self.visible)


class Sbpi(Rosenblatt):
    """Stochastic belief-propagation-inspired: the clipped rule that also deepens what is barely right."""

    title = "SBPI"
    chance = 0.3


class Adatron(Rule):
    """The weights of largest smallest stability; for binary weights the signs of these."""

    title = "AdaTron"

    def started(self) -> None:
        rows, size = self.patterns.shape
        self.strengths = np.zeros(rows)
        self.real = np.zeros(size, np.float32)
        self.violation = math.inf

    def one_pass(self) -> None:
        self.violation = adatron_pass(self.patterns, self.order(), 1.5, self.strengths, self.real)

    @property
    def weights(self) -> Float32:
        return signs(self.real) if self.binary else on_sphere(self.real)

    @property
    def keeps_on(self) -> bool:
        return self.violation > 1e-4


class Annealing(Rule):
    """Metropolis sampling of two independent copies, cooled towards the temperature of the model."""

    title = "annealing"
    hottest, cooling = 3.0, 0.97

    def started(self) -> None:
        size = self.patterns.shape[1]
        self.columns = np.ascontiguousarray(self.patterns.T)
        start = self.rng.standard_normal((2, size), dtype=np.float32)
        self.copies = signs(start) if self.binary else np.stack([on_sphere(start[0]), on_sphere(start[1])])
        self.angle = 1.0
        self.excess = self.hottest

    def one_pass(self) -> None:
        self.excess *= self.cooling
        now = self.temperature + (self.excess if self.excess > 1e-3 else 0.0)
        stabilities = np.empty(self.patterns.shape[0], np.float32)
        for weights in self.copies:
            product(self.patterns, weights, stabilities)
            if self.binary:
                flip_sweep(self.columns, self.threshold, now, weights, stabilities, self.rng)
            else:
                rate = rotate_sweep(self.columns, self.threshold, now, self.angle, weights, stabilities, self.rng)
                self.angle = min(math.pi, self.angle * (1.1 if rate > 0.4 else 0.9))
                weights[:] = on_sphere(weights)

    @property
    def weights(self) -> Float32:
        return np.asarray(self.copies[0])

    @property
    def overlap(self) -> float:
        """Between the two copies."""
        return float(dot(self.copies[0], self.copies[1])) / int(self.copies.shape[1])

    @property
    def keeps_on(self) -> bool:
        return True


class Passing(Rule):
    """Approximate message passing for the mean weights; the field of every weight remembers itself if reinforced."""

    title = "message passing"
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
        log_tail = log_ndtr(-u)
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
    def weights(self) -> Float32:
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
