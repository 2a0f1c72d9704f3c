"""Generalization gap: features, and the moments of their laws that all errors follow from."""

from __future__ import annotations

import math
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from mfexplore.core import Array
from mfexplore.families.digits import digits
from mfexplore.numerics.matrices.blas import one_blas_thread, symmetric_eigenpairs

NETWORKS = {"features": ("network", "digits")}
POOL = 8192  # inputs that the moments of a random network's features are averaged over
NEGLIGIBLE = 1e-12  # eigenvalues below it, of a sum of one, are none
SIZE = math.sqrt(2 / math.pi)  # mean size of a standard normal number
# Teachers beside that of the controls: strength of the linear and of the other part, standard deviation of the noise.
OTHERS = (
    (1, 0, 1), (0, 1, 0.2), (0.7, 0.7, 0), (0.5, 0, 0.3), (0, 0.8, 0.8), (0, 0, 1.2), (0.3, 1, 0.5), (1.2, 0, 0.1)
)  # fmt: skip


class Moments(NamedTuple):
    """What features can do for the two parts of the teacher, over all inputs.

    eigenvalues, directions: of their covariance, shapes (N,) and (N, N); best: readouts of the two parts, shape (N, 2);
    rest: covariance of what those leave, shape (2, 2).
    """

    eigenvalues: Array
    directions: Array
    best: Array
    rest: Array


class World(NamedTuple):
    """What is drawn once: the direction of the teacher, shape (inputs,), weights of the hidden layers, and `scale`, by
    which their last activities are features. pool: inputs and parts of the teacher to average over.
    """

    direction: Array
    hidden: tuple[Array, ...]
    scale: float
    pool: tuple[Array, Array]
    moments: Moments


@cache
def images() -> tuple[Array, Array]:
    """Pixels of all digits, with mean 0 each and variance 1 in all, and +1 for an even digit, -1 for an odd one."""
    pixels, values = digits()
    inputs = pixels.reshape(len(pixels), -1) - pixels.reshape(len(pixels), -1).mean(axis=0)
    return inputs / inputs.std(), 1.0 - 2.0 * (values % 2)


def examples(features: str, direction: Array, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Random inputs, shape (count, inputs), and the linear and the other part of the teacher there, (count, 2)."""
    if features == "digits":
        inputs, parity = images()
        chosen = rng.integers(len(inputs), size=count) if count else slice(None)  # none: all there are
        linear = inputs @ direction
        return inputs[chosen], np.stack([linear / linear.std(), parity], axis=1)[chosen]
    inputs = rng.standard_normal((count, direction.size))
    along = inputs @ direction
    return inputs, np.stack([along, (np.abs(along) - SIZE) / math.sqrt(1 - SIZE**2)], axis=1)


def layers(inputs: Array, hidden: tuple[Array, ...]) -> list[Array]:
    """The inputs and the activities of every hidden layer, each of shape (examples, units)."""
    found = [inputs]
    with one_blas_thread():
        for weights in hidden:
            found.append(np.maximum(found[-1] @ weights, 0))
    return found


def moments(features: Array, parts: Array) -> Moments:
    """From averages over inputs. features: shape (inputs, N); parts: shape (inputs, 2)."""
    with one_blas_thread():
        covariance, overlap = features.T @ features / len(features), features.T @ parts / len(features)
    eigenvalues, directions = symmetric_eigenpairs(covariance)
    there = eigenvalues > NEGLIGIBLE
    inverse = np.where(there, 1 / np.where(there, eigenvalues, 1.0), 0.0)
    best = directions @ (inverse[:, None] * (directions.T @ overlap))
    return Moments(np.where(there, eigenvalues, 0.0), directions, best, parts.T @ parts / len(parts) - best.T @ overlap)


@lru_cache(maxsize=16)
@one_blas_thread()
def world(features: str, size: int, depth: int, sample: int) -> World:
    """Everything of a sample but its examples."""
    rng = np.random.default_rng((sample, size))  # not the stream of the run with this seed
    count = size if features == "gaussian" else images()[0].shape[1] if features == "digits" else max(2, size // 2)
    direction = rng.standard_normal(count)
    direction /= np.linalg.norm(direction)
    if features == "gaussian":
        best = np.stack([direction * math.sqrt(size), np.zeros(size)], axis=1)
        exact = Moments(np.full(size, 1 / size), np.eye(size), best, np.diag([0.0, 1.0]))
        return World(direction, (), 1 / math.sqrt(size), examples(features, direction, 1, rng), exact)
    widths = (count, *(size,) * depth)
    hidden = tuple(rng.standard_normal(shape) * math.sqrt(2 / shape[0]) for shape in pairwise(widths))
    pool = examples(features, direction, 0 if features == "digits" else POOL, rng)
    last = layers(pool[0], hidden)[-1]
    scale = 1 / math.sqrt(float(np.mean(np.sum(last**2, axis=1))))
    return World(direction, hidden, scale, pool, moments(scale * last, pool[1]))
