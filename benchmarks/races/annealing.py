"""Simulated annealing of the Sherrington-Kirkpatrick model, N = 1000 and 4000, against dwave-samplers, openjij and C.

Per attempted update, beta from 0.1 to 3. The peers' cost of a sweep is the difference of a long and a short call, so
that what they spend on preparing the problem (more than on annealing) does not count.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.harness import OURS, Missing, Report, Timed, available, c_function, peer, seeds
from mfexplore.families.dense_spins import Interaction, blank, local_fields, metropolis_sweeps, symmetric_couplings
from mfexplore.numerics.chance.random import new_stream

SWEEPS = {1000: (200, 7), 4000: (40, 5)}


def schedule(sweeps: int) -> NDArray[np.float64]:
    return 1 / np.linspace(0.1, 3.0, sweeps)


def ours(rows: NDArray[Any], scale: float, sweeps: int, rng: np.random.Generator) -> Callable[[], NDArray[Any]]:
    """An annealing of our own, ready to be run. scale: the unit of the couplings over sqrt(N)."""
    n = len(rows)
    spins, fields = blank(rows)
    stream, temperatures = new_stream(rng), schedule(sweeps)

    def run() -> NDArray[Any]:
        spins[:] = np.where(rng.random(n) < 0.5, -1, 1)
        local_fields(rows, spins, fields)
        metropolis_sweeps(Interaction(rows, scale, 0.0, 0.0), spins, fields, temperatures, stream)
        return spins

    return run


def several(run: Callable[[], Any], work: int) -> int:
    """Ten annealings, because the two milliseconds of one are as uncertain as the clock. Returns the updates done."""
    for _ in range(10):
        run()
    return 10 * work


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    dwave, dimod, openjij = peer("dwave-samplers", "dwave.samplers"), peer("dimod"), peer("openjij")
    for n, (sweeps, target) in SWEEPS.items():
        gauss, unit = symmetric_couplings(n, False, rng)
        signs, _ = symmetric_couplings(n, True, rng)
        unit /= math.sqrt(n)
        narrow = np.ascontiguousarray(gauss[:, :n])  # C has no use for whole vectors
        kind = ("-DNARROW",) if narrow.dtype == np.int8 else ()
        c_anneal = c_function("annealing", "anneal", int, "-ffast-math", *kind)
        anneal = ours(gauss, unit, sweeps, rng)
        state, (spins, fields) = seeds(rng, 2), blank(gauss)

        def in_c(n: int = n, rows: Any = narrow, unit: float = unit, sweeps: int = sweeps, s: Any = spins,
                 h: Any = fields, state: Any = state, c_anneal: Any = c_anneal) -> NDArray[Any]:  # fmt: skip
            s[:] = np.where(rng.random(n) < 0.5, -1, 1)
            local_fields(rows, s, h)
            c_anneal(n, rows, h, s, unit, sweeps, schedule(sweeps), state)
            return np.asarray(s)

        upper = np.triu_indices(n, 1)

        def problem(rows: Any, scale: float, upper: Any = upper, n: int = n) -> Any:
            weights = -scale * rows[upper].astype(np.float64)
            return dimod.BinaryQuadraticModel.from_numpy_vectors(np.zeros(n), (*upper, weights), 0.0, "SPIN")

        def dwave_run(bqm: Any, sweeps: int, reads: int = 1) -> NDArray[Any]:
            found = dwave.SimulatedAnnealingSampler().sample(
                bqm, num_reads=reads, num_sweeps=sweeps, beta_range=[0.1, 3.0], beta_schedule_type="linear"
            )
            return np.asarray(found.record.sample)

        def timed(run: Callable[[int], Any], sweeps: int = sweeps, n: int = n) -> Timed:
            start = time.process_time()
            run(sweeps)
            middle = time.process_time()
            run(3 * sweeps)
            end = time.process_time()
            return Timed(2 * sweeps * n, max(1e-9, (end - middle) - (middle - start)))

        def energies(samples: Iterable[Any], rows: Any, scale: float, n: int = n) -> list[float]:
            real = [np.asarray(s, np.float32) for s in samples]
            return [-0.5 * scale * float(s @ (rows[:, :n] @ s)) / n for s in real]

        reads = 12 if n == 1000 else 4
        by_sign = ours(signs, n**-0.5, sweeps, rng)
        mine = energies([anneal().copy() for _ in range(reads)], gauss, unit)
        mine_by_sign = energies([by_sign().copy() for _ in range(reads)], signs, n**-0.5)
        sides: list[tuple[str, list[float], list[float]]] = []
        if not isinstance(c_anneal, Missing):
            sides.append(("C", mine, energies([in_c().copy() for _ in range(reads)], gauss, unit)))
        if not isinstance(dwave, Missing) and not isinstance(dimod, Missing):
            gauss_problem, sign_problem = problem(gauss, unit), problem(signs, n**-0.5)
            sides.append(("dwave-samplers", mine, energies(dwave_run(gauss_problem, sweeps, reads), gauss, unit)))
            theirs = energies(dwave_run(sign_problem, sweeps, reads), signs, n**-0.5)
            sides.append(("dwave-samplers with couplings +-1", mine_by_sign, theirs))
        if n == 1000:
            couplings = {(int(i), int(j)): -unit * float(gauss[i, j]) for i, j in zip(*upper, strict=True)}

            def openjij_run(sweeps: int, reads: int = 1, couplings: Any = couplings) -> Any:
                return (
                    openjij.SASampler()
                    .sample_ising({}, couplings, num_reads=reads, num_sweeps=sweeps, beta_min=0.1, beta_max=3.0)
                    .record.sample
                )

            if not isinstance(openjij, Missing):  # its temperatures are spaced by ratios, so it ends near, not equal
                theirs = energies(openjij_run(sweeps, reads), gauss, unit)
                report.check(f"N = {n}: energy {np.mean(mine):.4f}, openjij {np.mean(theirs):.4f}",
                             abs(np.mean(mine) - np.mean(theirs)) < 0.03)  # fmt: skip
        for name, here, theirs in sides:
            error = math.sqrt((np.var(here) + np.var(theirs)) / (reads - 1))
            report.check(f"N = {n}: energy {np.mean(here):.4f}, {name} {np.mean(theirs):.4f} (error {error:.4f})",
                         abs(np.mean(here) - np.mean(theirs)) < 4 * error)  # fmt: skip
        work = sweeps * n
        contenders: dict[str, Any] = {
            OURS: lambda anneal=anneal, work=work: several(anneal, work),
            "C": available(c_anneal, lambda in_c=in_c, work=work: several(in_c, work)),
            "dwave-samplers": available(dwave, lambda: timed(lambda k: dwave_run(gauss_problem, k))),  # noqa: B023
        }
        rounds = 7 if n == 1000 else 3
        if n == 1000:
            contenders["openjij"] = available(
                openjij,  # it prepares for seconds: fewer sweeps would drown in their scatter
                lambda: timed(openjij_run, 30 * sweeps),  # noqa: B023
            )
            report.race(f"SK annealing N={n}", "updates/s", work,
                        {k: v for k, v in contenders.items() if k in (OURS, "openjij")}, rounds=1)  # fmt: skip
            del contenders["openjij"]
        report.race(f"SK annealing N={n}", "updates/s", work, contenders, {"dwave-samplers": target, "C": 1.0},
                    rounds=rounds)  # fmt: skip
        report.race(
            f"SK annealing N={n}, couplings +-1", "updates/s", work,
            {
                OURS: lambda by_sign=by_sign, work=work: several(by_sign, work),
                "dwave-samplers": available(dwave, lambda: timed(lambda k: dwave_run(sign_problem, k))),  # noqa: B023
            },
            {"dwave-samplers": 2 * target}, rounds=rounds,
        )  # fmt: skip
