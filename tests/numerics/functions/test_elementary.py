"""Vectorising elementary functions: accuracy against mpmath over the whole range, special values, SIMD code for
processors of several kinds, whichever is at hand.
"""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import mpmath as mp
import numba
import numpy as np
import pytest
from scipy.special import log_ndtr, ndtr

from mfexplore.numerics.functions import elementary
from mfexplore.numerics.kernel import FASTMATH

INF, NAN = np.inf, np.nan


@cache
def over_array(function: Any, part: int | None = None) -> Any:
    """The function in the loop of a kernel, as it is meant to be used."""
    if part is None:

        def loop(x):
            out = np.empty_like(x)
            for i in range(x.size):
                out[i] = function(x[i])
            return out

    else:

        def loop(x):
            out = np.empty_like(x)
            for i in range(x.size):
                out[i] = function(x[i])[part]
            return out

    return numba.njit(error_model="numpy", fastmath=FASTMATH)(loop)  # not cached: a closure


def both_signs(low: float, high: float, rng: np.random.Generator) -> Any:
    """Numbers of both signs, uniform in the logarithm between 10^low and 10^high."""
    x = 10 ** rng.uniform(low, high, 600)
    return np.concatenate([x, -x, rng.uniform(-2, 2, 600)])


def scaled_erfc(x: Any) -> Any:
    if x < 50:
        return mp.exp(x * x) * mp.erfc(x)
    return mp.fsum(mp.rf(mp.mpf(1) / 2, k) * (-1) ** k / x ** (2 * k) for k in range(8)) / (x * mp.sqrt(mp.pi))


def log_of_ndtr(x: Any) -> Any:
    tail = mp.erfc(abs(x) / mp.sqrt(2)) / 2
    return mp.log(tail) if x < 0 else mp.log1p(-tail)


CASES: dict[str, tuple[Any, int | None, Callable[[Any], Any], Callable[[np.random.Generator], Any], float]] = {
    "exp": (elementary.exp, None, mp.exp, lambda r: np.append(both_signs(-5, 2.85, r), r.uniform(-745, 709.7, 600)), 1),
    "expm1": (elementary.expm1, None, mp.expm1, lambda r: both_signs(-20, 2.85, r), 2),
    "tanh": (elementary.tanh, None, mp.tanh, lambda r: both_signs(-20, 2, r), 2.5),
    "tanh_sech2 tanh": (elementary.tanh_sech2, 0, mp.tanh, lambda r: both_signs(-20, 2, r), 2.5),
    "tanh_sech2 sech2": (elementary.tanh_sech2, 1, lambda x: mp.sech(x) ** 2, lambda r: both_signs(-20, 2.5, r), 4.5),
    "log": (elementary.log, None, mp.log, lambda r: np.append(10 ** r.uniform(-323, 308, 900), 0.5 + r.random(900)), 1),
    "log1p": (elementary.log1p, None, mp.log1p, lambda r: np.append(10 ** r.uniform(-30, 308, 900), -r.random(900)), 2),
    "sin": (elementary.sincos, 0, mp.sin, lambda r: both_signs(-10, 6, r), 2),
    "cos": (elementary.sincos, 1, mp.cos, lambda r: both_signs(-10, 6, r), 2),
    "erfcx": (elementary.erfcx, None, scaled_erfc, lambda r: abs(both_signs(-10, 9, r)), 5),
    "erf": (elementary.erf, None, mp.erf, lambda r: both_signs(-10, 1, r), 2),
    "erfc": (elementary.erfc, None, mp.erfc, lambda r: both_signs(-10, 1.42, r), 5),
    "log_ndtr": (elementary.log_ndtr, None, log_of_ndtr, lambda r: both_signs(-10, 1.5, r), 6),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_error_in_units_in_the_last_place(name: str, rng: np.random.Generator) -> None:
    function, part, exact, draw, allowed = CASES[name]
    x = draw(rng)
    values = over_array(function, part)(x)
    with mp.workdps(40):
        for at, value in zip(x.tolist(), values.tolist(), strict=True):
            truth = exact(mp.mpf(at))
            error = float(abs(mp.mpf(value) - truth) / mp.mpf(float(np.spacing(abs(float(truth))))))
            assert error <= allowed, f"{name}({at!r}) = {value!r}, off by {error:.2f} ulp"


@pytest.mark.parametrize(
    ("name", "at", "expected"),
    [
        ("exp", [0, INF, -INF, 710, -746, 1e300], [1, INF, 0, INF, 0, INF]),
        ("expm1", [0, -0.0, INF, -INF, 5e-324], [0, -0.0, INF, -1, 5e-324]),
        ("tanh", [0, -0.0, INF, -INF, 1e308], [0, -0.0, 1, -1, 1]),
        ("tanh_sech2 sech2", [0, INF, -INF], [1, 0, 0]),
        ("log", [0, -0.0, INF, -1, -INF, 1], [-INF, -INF, INF, NAN, NAN, 0]),
        ("log1p", [0, -0.0, INF, -1, -1.5, 5e-324], [0, -0.0, INF, -INF, NAN, 5e-324]),
        ("sin", [0, -0.0, INF, -INF, 1e15], [0, -0.0, NAN, NAN, NAN]),
        ("cos", [0, INF, -INF, 1e15], [1, NAN, NAN, NAN]),
        ("erf", [0, -0.0, INF, -INF], [0, -0.0, 1, -1]),
        ("erfc", [0, INF, -INF, 40], [1, 0, 2, 0]),
        ("log_ndtr", [INF, -INF], [-0.0, -INF]),
    ],
)
def test_special_values(name: str, at: list[float], expected: list[float]) -> None:
    function, part, *_ = CASES[name]
    found = over_array(function, part)(np.array([*at, NAN], float))
    wanted = np.array([*expected, NAN], float)
    np.testing.assert_array_equal(found, wanted)
    known = ~np.isnan(wanted)
    np.testing.assert_array_equal(np.signbit(found[known]), np.signbit(wanted[known]))


def test_normal_tail() -> None:
    u = np.linspace(-37, 37, 2001)
    mass, hazard = (over_array(elementary.normal_tail, part)(u) for part in (0, 1))
    np.testing.assert_allclose(mass, ndtr(-u), rtol=1e-12)
    np.testing.assert_allclose(hazard, np.exp(-0.5 * u * u - log_ndtr(-u)) / math.sqrt(2 * math.pi), rtol=1e-12)


def test_phase_is_kept_for_huge_arguments(rng: np.random.Generator) -> None:
    x = both_signs(6, 14, rng)
    sine, cosine = over_array(elementary.sincos, 0)(x), over_array(elementary.sincos, 1)(x)
    for at, s, c in zip(x.tolist(), sine.tolist(), cosine.tolist(), strict=True):
        assert s == pytest.approx(float(mp.sin(mp.mpf(at))), abs=3e-16)
        assert c == pytest.approx(float(mp.cos(mp.mpf(at))), abs=3e-16)


# -- other processors --------------------------------------------------------------------------------------------------

LANES = {"x86-64-v3": 4, "x86-64-v4": 4, "aarch64": 2}  # float64 in a vector that LLVM is content with
SELF = Path(__file__)


def loops() -> dict[str, str]:
    """The compiled loop over each function, as LLVM has left it; not run, for this processor may not be able to."""
    found = {}
    for name, (function, part, *_) in CASES.items():
        loop = over_array(function, part)
        loop.compile((numba.float64[::1],))
        found[name] = next(iter(loop.inspect_llvm().values()))
    return found


def loops_on_arm() -> dict[str, str]:
    """The same for a processor of another kind: optimised by LLVM as it comes, from what Numba has not optimised."""
    llvm.initialize_all_targets()
    triple = "aarch64-unknown-linux-gnu"
    machine = llvm.Target.from_triple(triple).create_target_machine(cpu="generic", opt=3)
    options = llvm.create_pipeline_tuning_options(speed_level=3)
    options.loop_vectorization = True
    found = {}
    for name, code in loops().items():
        module = llvm.parse_assembly(code)
        module.triple, module.data_layout = triple, str(machine.target_data)
        builder = llvm.create_pass_builder(machine, options)
        builder.getModulePassManager().run(module, builder)
        found[name] = str(module)
    return found


def on_another(target: str, command: list[str]) -> str:
    """What a Python says whose kernels are compiled for the target."""
    settings = {"NUMBA_CPU_NAME": target, "NUMBA_CPU_FEATURES": ""} if target != "aarch64" else {"NUMBA_OPT": "0"}
    command, environment = [sys.executable, *command], os.environ | settings
    done = subprocess.run(command, env=environment, cwd=SELF.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@cache
def compiled_for(target: str) -> dict[str, str]:
    made = "loops_on_arm" if target == "aarch64" else "loops"
    return dict(json.loads(on_another(target, ["-c", f"import json, {SELF.stem} as t; print(json.dumps(t.{made}()))"])))


x86 = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64"), reason="Numba compiles for its own kind"
)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("target", [pytest.param(t, marks=x86 if "x86" in t else ()) for t in LANES])
def test_loops_vectorise(target: str, name: str) -> None:
    """The compiled loop multiplies vectors, on processors with wide, with very wide and with narrow ones."""
    assert f"fmul contract <{LANES[target]} x double>" in compiled_for(target)[name]


@x86
def test_errors_are_the_same_without_avx512() -> None:
    chosen = "test_error_in_units or test_special_values or test_phase"
    said = on_another("x86-64-v3", ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-k", chosen, str(SELF)])
    assert " passed" in said
