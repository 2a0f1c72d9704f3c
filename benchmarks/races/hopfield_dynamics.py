"""Asynchronous dynamics of a Hopfield network of 10^4 neurons and 10^3 memories, against NumPy and C.

All sides update the same neurons in the same order. C gets these, and the thresholds, for nothing.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import OURS, Report, available, c_function
from mfexplore.models.memory.hopfield.dynamics import Network, count_overlaps, heat_bath, whole_numbers
from mfexplore.numerics.chance.random import fill_uniform

N, P, FEW = 10_000, 1_000, 2_000
TEMPERATURE = 0.1


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    patterns = (2 * rng.integers(0, 2, (N, P), dtype=np.int8) - 1).astype(np.int8)
    cue = np.where(rng.random(N) < 0.25, -patterns[:, 0], patterns[:, 0]).astype(np.int8)
    begin, zero = whole_numbers(N, P)
    count_overlaps(patterns, cue, begin)
    words, sums = np.zeros(N, np.uint32), np.zeros(N, np.int32)
    start = np.array([12345], np.uint64)
    draws = np.empty(2 * N)
    fill_uniform(start.copy(), draws)
    sites = (draws[::2] * N).astype(np.int64)
    u = draws[1::2] + 1e-16
    thresholds = 0.5 * TEMPERATURE * N * np.log(u / (1 - u))
    dense = patterns.astype(np.float32)
    couplings = dense @ dense.T
    np.fill_diagonal(couplings, 0)

    spins, overlaps, floating = cue.copy(), begin.copy(), begin.astype(np.float32)
    real = cue.astype(np.float32)

    def prepare() -> None:
        spins[:], overlaps[:], floating[:], real[:] = cue, begin, begin, cue

    def ours() -> None:
        network = Network(patterns, overlaps, zero, spins, words, sums)
        heat_bath(network, TEMPERATURE, 0.0, 0.0, N, start.copy())

    c_float = c_function("hopfield", "overlaps_float", None, "-ffast-math")
    c_short = c_function("hopfield", "overlaps_short", None, "-ffast-math")

    def in_c_float() -> None:
        c_float(P, patterns, floating, spins, sites, thresholds, N)

    def in_c_short() -> None:
        c_short(P, patterns, overlaps, spins, sites, thresholds, N)

    def numpy_couplings(updates: int = FEW) -> int:
        for i, threshold in zip(sites[:updates], thresholds[:updates], strict=True):
            real[i] = 1.0 if couplings[i] @ real > threshold else -1.0
        return updates

    def numpy_overlaps(updates: int = FEW) -> int:
        for i, threshold in zip(sites[:updates], thresholds[:updates], strict=True):
            old = real[i]
            new = 1.0 if dense[i] @ floating - P * old > threshold else -1.0
            if new != old:
                floating.__iadd__((new - old) * dense[i])
                real[i] = new
        return updates

    def final(run: object, state: NDArray[np.generic]) -> NDArray[np.int8]:
        prepare()
        run()  # type: ignore[operator]
        return state.astype(np.int8)

    reference = final(ours, spins)
    report.check(
        "same final state as NumPy with couplings", (final(lambda: numpy_couplings(N), real) == reference).all()
    )
    report.check("same final state as NumPy with overlaps", (final(lambda: numpy_overlaps(N), real) == reference).all())
    for name, function, run in (("float", c_float, in_c_float), ("int16", c_short, in_c_short)):
        if not isinstance(available(function, run), str):
            report.check(f"same final state as C ({name})", (final(run, spins) == reference).all())
    changed = int((reference != cue).sum())
    report.check(f"neurons move: {changed} of {N} in one sweep", changed > N // 10)
    report.race(
        "Hopfield dynamics N=10^4, P=10^3", "updates/s", N,
        {
            OURS: ours,
            "NumPy, couplings": numpy_couplings,
            "NumPy, overlaps": numpy_overlaps,
            "C, float": available(c_float, in_c_float),
            "C, int16": available(c_short, in_c_short),
        },
        {"NumPy, couplings": 40, "NumPy, overlaps": 40, "C, float": 1.0, "C, int16": 1.0},
        rounds=9, prepare=prepare,
    )  # fmt: skip
