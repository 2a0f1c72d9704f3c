"""Schloegl's bistable reactions, event by event: one trajectory, and many, against GillesPy2's C++ solver and C.

A + 2X <-> 3X, B <-> X with the usual constants, from X = 250. GillesPy2 compiles a program; only that program's own CPU
time counts, of a long run minus that of a short one, so neither compiling nor starting nor reading its output.
"""

from __future__ import annotations

import ctypes
import logging
import math
import os
import resource
import sysconfig
from typing import Any

import numpy as np

from benchmarks.harness import OURS, Missing, Report, Timed, available, c_function, peer, seeds
from mfexplore.families.birth_death import simulate, simulate_many, tables
from mfexplore.numerics.chance.random import new_stream

BIRTH = np.array([200.0, -0.015, 0.015, 0.0])  # 200 + 0.015 x (x - 1)
DEATH = np.array([0.0, 3.5 + 2 * 1e-4 / 6, -3 * 1e-4 / 6, 1e-4 / 6])  # 3.5 x + 1e-4/6 x (x - 1) (x - 2)
START, SHORT = 250, 4.0
MANY = 4096


def gillespy_solver(gillespy2: Any, duration: float) -> Any:
    """GillesPy2's compiled solver of the same reactions, that reports start and end only."""
    model = gillespy2.Model("schloegl")
    x = gillespy2.Species("X", START)
    model.add_species([x])
    k1, k2, k3, k4 = (
        gillespy2.Parameter(name, value) for name, value in (("k1", 0.015), ("k2", 1e-4 / 6), ("k3", 200), ("k4", 3.5))
    )
    model.add_parameter([k1, k2, k3, k4])
    model.add_reaction([
        gillespy2.Reaction("r1", {x: 2}, {x: 3}, propensity_function="k1*X*(X-1)"),
        gillespy2.Reaction("r2", {x: 3}, {x: 2}, propensity_function="k2*X*(X-1)*(X-2)"),
        gillespy2.Reaction("r3", {}, {x: 1}, rate=k3),
        gillespy2.Reaction("r4", {x: 1}, {}, rate=k4),
    ])  # fmt: skip
    model.timespan(np.array([0.0, duration]))
    # It compiles by the Python behind a virtual environment, which does not see what is installed in that.
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = sysconfig.get_paths()["purelib"]
    try:
        return gillespy2.SSACSolver(model)
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


def children_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def race(report: Report) -> None:
    rng = np.random.default_rng(1)
    stream, state = new_stream(rng), seeds(rng, 2)
    n = np.arange(2001.0)
    birth, death = (np.polynomial.polynomial.polyval(n, c) for c in (BIRTH, DEATH))
    birth[-1] = 0.0
    mean_wait, share_up = tables(birth, death)
    events = np.zeros(1)
    textbook = c_function("birth_death", "gillespie", ctypes.c_double)
    with_tables = c_function("birth_death", "by_tables", ctypes.c_double)

    in_lockstep = c_function("birth_death", "lockstep", ctypes.c_double, "-fno-math-errno", "-fno-trapping-math")
    lanes = seeds(rng, 2 * 128)

    many = np.full(20_000, float(START))
    per_trajectory = simulate_many(many, SHORT, BIRTH, DEATH, stream) / many.size
    ends: dict[str, np.ndarray[Any, Any]] = {
        "one by one": np.array([simulate(START, SHORT, mean_wait, share_up, stream)[0] for _ in range(5000)])
    }
    if not isinstance(textbook, Missing):
        ends["C"] = np.array([textbook(float(START), SHORT, state, events) for _ in range(5000)])
        ends["C with tables"] = np.array(
            [with_tables(float(START), SHORT, mean_wait, share_up, state, events) for _ in range(5000)]
        )
    if not isinstance(in_lockstep, Missing):
        ends["C in lockstep"] = np.full(20_000, float(START))
        in_lockstep(20_000, ends["C in lockstep"], SHORT, BIRTH, DEATH, lanes)
    gillespy2 = peer("gillespy2")
    if not isinstance(gillespy2, Missing):
        logging.getLogger("GillesPy2").setLevel(logging.ERROR)
        short_solver, long_solver = gillespy_solver(gillespy2, SHORT), gillespy_solver(gillespy2, 400.0)
        found = short_solver.run(number_of_trajectories=2000, seed=1)
        ends["GillesPy2"] = np.array([float(one["X"][-1]) for one in found])
        long_solver.run(number_of_trajectories=1, seed=1)
    for name, values in ends.items():
        error = math.hypot(values.std() / math.sqrt(values.size), many.std() / math.sqrt(many.size))
        report.check(f"mean X({SHORT:g}): lockstep {many.mean():.1f}, {name} {values.mean():.1f} (error {error:.1f})",
                     abs(values.mean() - many.mean()) < 4 * error)  # fmt: skip

    def theirs(solver: Any, duration: float, few: int, more: int) -> Timed:
        """`more` trajectories minus `few`, by the events that are expected in them."""
        start = children_seconds()
        solver.run(number_of_trajectories=few, seed=int(rng.integers(1, 10**6)))
        middle = children_seconds()
        solver.run(number_of_trajectories=more, seed=int(rng.integers(1, 10**6)))
        seconds = (children_seconds() - middle) - (middle - start)
        return Timed((more - few) * events_in[duration], max(seconds, 1e-9))

    def counted(run: Any, *arguments: Any) -> float:
        run(*arguments, events)
        return float(events[0])

    long_events = float(np.mean([simulate(START, 400.0, mean_wait, share_up, stream)[1] for _ in range(40)]))
    events_in = {SHORT: float(per_trajectory), 400.0: long_events}
    duration = 4000.0
    report.race(
        "Schloegl, one trajectory", "events/s", 0,
        {
            OURS: lambda: simulate(START, duration, mean_wait, share_up, stream)[1],
            "GillesPy2 C++": available(gillespy2, lambda: theirs(long_solver, 400.0, 1, 9)),
            "C, textbook": available(textbook, lambda: counted(textbook, float(START), duration / 4, state)),
            "C, same tables": available(
                with_tables, lambda: counted(with_tables, float(START), duration / 4, mean_wait, share_up, state)
            ),
        },
        {"GillesPy2 C++": 15},
        rounds=7,
    )  # fmt: skip

    def ensemble() -> float:
        return float(simulate_many(np.full(MANY, float(START)), SHORT, BIRTH, DEATH, stream))

    def ensemble_in_c() -> float:
        return float(in_lockstep(MANY, np.full(MANY, float(START)), SHORT, BIRTH, DEATH, seeds(rng, 2 * 128)))

    report.race(
        f"Schloegl, {MANY} trajectories", "events/s", 0,
        {
            OURS: ensemble,
            "GillesPy2 C++": available(gillespy2, lambda: theirs(short_solver, SHORT, 100, 1100)),
            "C, in lockstep": available(in_lockstep, ensemble_in_c),
        },
        {"GillesPy2 C++": 80, "C, in lockstep": 1.0},
        rounds=5,
    )  # fmt: skip
