"""What is not possible is told in a sentence that names the argument and the value; the rest gives a right result."""

from __future__ import annotations

import math
import pickle
from collections.abc import Callable
from decimal import Decimal
from functools import partial
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

import mfexplore as mf
from mfexplore import core
from mfexplore.cli import app
from mfexplore.core import Model, system
from mfexplore.core.arguments import number_from, whole_number, window
from mfexplore.core.catalogue import places
from mfexplore.core.errors import ArgumentError, ControlError, MfexploreError, NotOfferedError, UnknownNameError
from mfexplore.study.diagram import diagram
from mfexplore.study.ensemble import measure_ages
from mfexplore.study.scaling import finite_size
from mfexplore.workbench.exploration import Exploration

Kind = system("curie_weiss")
MODEL: Model = Kind(size=100)
NO_NUMBERS = [
    math.nan, math.inf, -math.inf, -1, True, np.True_, "", "hot", None, 1j, np.complex128(1), 10**400, [0.5], [], {},
    np.array([0.5]), np.array(True), np.array([[0.5]]), np.datetime64("2020-01-01"), ..., b"1", np.ma.masked,
]  # fmt: skip


@pytest.mark.parametrize("value", NO_NUMBERS, ids=repr)
def test_what_is_no_temperature(value: Any) -> None:
    with pytest.raises(ControlError, match=r"temperature = .* is not possible; allowed: a number from 0 to 2"):
        Kind(temperature=value)


@pytest.mark.parametrize(
    "value",
    [0.5, "0.5", np.float32(0.5), np.array(0.5), Decimal("0.5"), " 0.5 "],
    ids=lambda value: type(value).__name__,
)
def test_what_is_half(value: Any) -> None:
    assert type(Kind(temperature=value).temperature) is float
    assert Kind(temperature=value) == Kind(temperature=0.5)
    assert Kind().theory(temperature=value).identical(Kind().theory(temperature=0.5))


@pytest.mark.parametrize("key", places())
def test_what_is_zero_but_for_rounding_is_zero(key: str) -> None:
    """Theories divide by a temperature of 5e-17, and a field of -0.0 may choose the other side of a jump."""
    kind = system(key)
    zeros = {name: made for name, made in kind.controls().items() if not made.is_choice and made.low <= 0 <= made.high}
    for name, made in zeros.items():
        for value in (-0.0, 5e-324, 1e-16 * (made.high - made.low)):
            if not made.is_integer or value == 0:
                got = getattr(kind(**{name: value}), name)
                assert (got, math.copysign(1, got)) == (0, 1), (name, value)
    assert (Kind().theory(field=np.arange(-1, 1, 0.01))["field"] == 0).sum() == 1


def test_minus_zero_is_zero() -> None:
    axis = Kind().theory(field=[-0.0, np.float32(-0.0)])
    assert not np.signbit(axis["field"]).any()
    assert axis.isel(field=0, drop=True).equals(Kind().theory(field=0.0))


@pytest.mark.parametrize("value", [100.5, "many", 10**30, 0, -5, np.True_, None, [100]], ids=repr)
def test_what_is_no_size(value: Any) -> None:
    with pytest.raises(ControlError, match=r"size = .* is not possible; allowed: a whole number from 2"):
        Kind(size=value)


@pytest.mark.parametrize("value", ["sideways", "", 0, None, True, ["up"], np.array(["up", "down"]), b"up"], ids=repr)
def test_what_is_no_option(value: Any) -> None:
    with pytest.raises(ControlError, match=r"start = .* is not possible; allowed: up \| down"):
        Kind(start=value)


AXES: list[tuple[dict[str, Any], str]] = [
    ({"temperature": []}, "temperature = .*at least one"),
    ({"temperature": ()}, "temperature = .*at least one"),
    ({"temperature": np.array([])}, "temperature = .*at least one"),
    ({"start": []}, "start = .*at least one"),
    ({"temperature": [0.5, math.nan]}, "temperature = nan"),
    ({"temperature": [0.5, math.inf]}, "temperature = inf"),
    ({"temperature": [0.5, True]}, "temperature = True"),
    ({"temperature": np.array([True, False])}, "temperature = True"),
    ({"temperature": [0.5, "hot"]}, "temperature = 'hot'"),
    ({"temperature": [0.5, [0.6]]}, r"temperature = \[0.6\]"),
    ({"temperature": np.ones((2, 2))}, r"temperature = .*\(2, 2\).*one-dimensional"),
    ({"temperature": [1j]}, "temperature = 1j"),
    ({"start": ["up", "sideways"]}, "start = 'sideways'"),
    ({"tempratur": [0.5]}, "'tempratur'.*Did you mean 'temperature'"),
    ({"temperature": np.ma.array([0.5, 0.6], mask=[False, True])}, "temperature = None"),
    ({"method": "exact"}, "no method 'exact'"),
    ({"method": ["exact"]}, r"no method \['exact'\]"),
]


@pytest.mark.parametrize(("axes", "told"), AXES, ids=lambda value: str(value)[:40])
def test_what_is_no_axis(axes: dict[str, Any], told: str) -> None:
    with pytest.raises(MfexploreError, match=told):
        MODEL.theory(**axes)
    if "method" not in axes:
        with pytest.raises(MfexploreError, match=told):
            mf.sweep(MODEL, axes, samples=1, progress=False)


def test_unsorted_and_repeated_axes_keep_their_order() -> None:
    values = [0.9, 0.3, 0.3, 0.6]
    together = MODEL.theory(temperature=values)
    assert together["temperature"].values.tolist() == values
    for k, value in enumerate(values):
        alone = MODEL.theory(temperature=value)
        assert together["magnetization"].values[k] == pytest.approx(alone["magnetization"].values, abs=1e-6)
    words = ["up", "down", "up"]
    found = MODEL.theory(start=words, temperature=values, field=range(1))
    assert found["start"].values.tolist() == words
    assert found["magnetization"].dims[:3] == ("start", "temperature", "field")
    for k in range(3):
        np.testing.assert_array_equal(found["magnetization"].values[k, :, 0], together["magnetization"].values)


SCALED = partial(finite_size, MODEL, [20, 40], samples=2, updates=5, relaxation=1)
CALLS: list[tuple[Callable[[], Any], str]] = [
    (lambda: MODEL.ensemble(samples=0), "ensemble: samples = 0 .*whole number from 1 to"),
    (lambda: MODEL.ensemble(samples=-3), "samples = -3"),
    (lambda: MODEL.ensemble(samples=10**30), "samples = 1000"),
    (lambda: mf.sweep(MODEL, {"temperature": [0.5]}, samples=10**30), "samples = 1000"),
    (lambda: mf.sweep(MODEL, {"temperature": [0.5]}, samples=1, store=3, progress=False), "sweep: store = 3"),  # type: ignore[arg-type]
    (lambda: Exploration.of(MODEL, x_window="ab"), "x_window = 'ab'"),  # type: ignore[arg-type]
    (lambda: Exploration.of(MODEL, y_window=(0, 1, 2)), "y_window = .*rising numbers"),
    (lambda: mf.movie(3, "run.gif"), "no system 3"),
    (lambda: mf.movie(MODEL, "run.gif", frames=0), "movie: frames = 0"),
    (lambda: mf.movie(MODEL, "run.gif", frames=1.5), "movie: frames = 1.5"),
    (lambda: finite_size(MODEL, [100], points=10**9), "points = 1000000000"),
    (lambda: SCALED().collapse(0, 1, 1), "collapse: temperature = 0"),
    (lambda: SCALED().crossings(dimension=0), "dimension = 0"),
    (lambda: MODEL.ensemble(samples=2.5), "samples = 2.5"),  # type: ignore[arg-type]
    (lambda: MODEL.ensemble(samples=True), "samples = True"),
    (lambda: MODEL.ensemble(samples="2"), "samples = '2'"),  # type: ignore[arg-type]
    (lambda: mf.sweep(MODEL, {"temperature": [0.5]}, samples=0), "sweep: samples = 0"),
    (lambda: mf.sweep("curie_weis", {}), "Did you mean 'curie_weiss'"),
    (lambda: mf.sweep(MODEL, {}, executor="thread"), "Did you mean 'threads'"),
    (lambda: MODEL.diagram(resolution=1), "diagram: resolution = 1 .*from 2 to 4097"),
    (lambda: MODEL.diagram(resolution=0), "resolution = 0"),
    (lambda: MODEL.diagram(resolution=-3), "resolution = -3"),
    (lambda: MODEL.diagram(resolution=9.5), "resolution = 9.5"),  # type: ignore[arg-type]
    (lambda: MODEL.diagram(x="temperature", y="temperature"), "temperature against itself"),
    (lambda: MODEL.diagram(x="start"), "no axis 'start'"),
    (lambda: MODEL.diagram(x="tempratur"), "Did you mean 'temperature'"),
    (lambda: MODEL.diagram(tempratur=1), "Did you mean 'temperature'"),
    (lambda: MODEL.boundaries(x="feld"), "Did you mean 'field'"),
    (lambda: MODEL.control("start").bounds, "does not offer bounds"),
    (lambda: Kind.preset("ordred"), "Did you mean 'ordered'"),
    (lambda: Kind.observable("magnetisation"), "Did you mean 'magnetization'"),
    (lambda: mf.system("curie_weis"), "Did you mean 'curie_weiss'"),
    (lambda: mf.system(""), "no system ''"),
    (lambda: mf.system(None), "no system None"),  # type: ignore[arg-type]
    (lambda: mf.system(["curie_weiss"]), "no system"),  # type: ignore[arg-type]
    (lambda: MODEL.landmark("coexistence", ["field"]), "no control"),  # type: ignore[arg-type]
    (lambda: MODEL.landmark(np.array(["coexistence"]), "field"), "no boundary"),  # type: ignore[arg-type]
    (lambda: Kind(temperature=10**5000), "temperature = int of very many digits"),
    (lambda: MODEL.simulate(seed=-(10**5000)), "seed = int of very many digits"),
    (lambda: MODEL.simulate(size=0), "size = 0"),
    (lambda: finite_size(MODEL, [100], samples=1), "samples = 1 .*from 2 to"),
    (lambda: finite_size(MODEL, []), "size = .*at least one"),
    (lambda: finite_size(MODEL.replace(temperature=0), [100, 200]), "temperature = 0.0 .*a number above 0"),
    (lambda: finite_size(MODEL, [100], updates=0), "updates = 0"),
    (lambda: finite_size(system("hopfield")(), [100, 200]), "does not offer finite-size scaling"),
    (lambda: MODEL.diagram(resolution=10**9), "diagram: resolution = 1000000000 .*from 2 to 4097"),
    (lambda: MODEL.hysteresis("field", [0.1], samples=0), "hysteresis: samples = 0"),
    (lambda: MODEL.hysteresis("field", [0.1], samples=True), "hysteresis: samples = True"),
    (lambda: MODEL.hysteresis("field", [0.1], dwell=-1), "hysteresis: dwell = -1"),
    (lambda: MODEL.hysteresis("field", [0.1], dwell=math.nan), "hysteresis: dwell = nan"),
    (lambda: MODEL.hysteresis("field", [0.1], dwell=0), "hysteresis: dwell = 0"),
    (lambda: MODEL.hysteresis("field", []), "field = .*at least one"),
    (lambda: measure_ages(MODEL, [1.0, math.nan], seed=0, sample=0), "measure_ages: ages = nan"),
    (lambda: measure_ages(MODEL, [2.0, 1.0], seed=0, sample=0), "ages = .*do not fall"),
    (lambda: measure_ages(MODEL, [1.0], seed=0, sample=-1), "sample = -1"),
    (lambda: MODEL.simulate().advance("1"), "duration = '1'"),  # type: ignore[arg-type]
    (lambda: MODEL.simulate().advance(10**400), "duration = 1000"),
    (lambda: MODEL.simulate().advance_to(math.nan), "time = nan"),
    (lambda: MODEL.simulate().advance_to(None), "time = None"),  # type: ignore[arg-type]
    (lambda: MODEL.simulate().follow(None), "follow: model = None"),  # type: ignore[arg-type]
    (lambda: MODEL.simulate().follow(system("kuramoto")()), "follow: model = .*the same system"),
    (lambda: MODEL.simulate().samples("magnetisation"), "Did you mean 'magnetization'"),
    (lambda: core.Value("magnetisation").of(MODEL), "Did you mean 'magnetization'"),
    (lambda: core.Value("magnetization", "upp").of(MODEL), "no branch 'upp'"),
    (lambda: core.Mean("magnetisation", 0, 1).of(MODEL), "Did you mean 'magnetization'"),
    (lambda: core.Mean("magnetization", 2, 1).of(MODEL), "Mean: start = 2"),
    (lambda: core.Exact("magnetisation").of(MODEL), "Did you mean 'magnetization'"),
    (lambda: core.Crossing("spinodal_up", "field", 9).of(MODEL), "does not offer"),
    (lambda: core.Crossing("spinodal_upp", "field").of(MODEL), "no boundary 'spinodal_upp'"),
    (lambda: mf.sweep(None, {}), "no system None"),  # type: ignore[arg-type]
    (lambda: mf.sweep(MODEL, ["temperature"]), "over = .*names of controls"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize("number", range(len(CALLS)))
def test_what_can_not_be_done(number: int) -> None:
    call, told = CALLS[number]
    with pytest.raises(MfexploreError, match=told):
        call()


@pytest.mark.parametrize("key", places())
def test_boundaries_are_asked_for_by_name_in_a_plane_that_is_one(key: str) -> None:
    """Also of systems that know their boundaries otherwise than by `boundary`."""
    model = system(key)()
    plane, name = model.plane(), model.landmarks[0].name
    window = model.range(plane, "x")
    places = core.solution.columns(model, {})
    wrong: list[Callable[[], Any]] = [
        lambda: model.landmark("nowhere", plane.x),
        lambda: model.landmark(name, "nothing"),
        lambda: model.boundary("nowhere", places),
        lambda: model.trace_landmark("nowhere", plane.x, plane.y, window),
        lambda: model.trace_landmark(name, plane.x, "nothing", window),
        lambda: model.trace_landmark(name, plane.x, plane.x, window),
    ]
    for call in wrong:
        with pytest.raises(UnknownNameError if call is not wrong[-1] else NotOfferedError):
            call()
    for value in (window[::-1], (window[0], math.nan), (-1e300, window[0]), "01", None):
        with pytest.raises(ArgumentError, match="x_range"):
            model.trace_landmark(name, plane.x, plane.y, value)  # type: ignore[arg-type]


WINDOWS = [(1, 0), (0.5, 0.5), (math.nan, 1), (0, math.inf), (-1, 1), (0, 1, 2), 3, "01", ("0", "1"), (False, True)]


@pytest.mark.parametrize("value", WINDOWS, ids=repr)
def test_what_is_no_window(value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"x_range = .* rising numbers from 0 to 2"):
        diagram(MODEL, "temperature", "field", 9, x_range=value)


def test_the_least_that_is_possible() -> None:
    picture = MODEL.diagram(resolution=np.int64(2))  # type: ignore[arg-type]
    assert picture.sizes["temperature"] == picture.sizes["field"] == 2
    one = MODEL.ensemble(samples=1, seed=1)
    assert np.isfinite(one["magnetization"])
    assert np.isnan(one["magnetization_standard_error"])
    assert "two samples" in one["magnetization_standard_error"].attrs["comment"]


@pytest.mark.parametrize("check", [whole_number, number_from])
@pytest.mark.parametrize("value", [math.nan, math.inf, 1j, "1", None, np.True_, [1], -1], ids=repr)
def test_checks(check: Callable[..., Any], value: Any) -> None:
    with pytest.raises(ArgumentError, match=r"^here: this = "):
        check("here", "this", value, 0)
    assert check("here", "this", np.array(3), 0, 3) == 3
    assert window("here", "this", np.array([0, 1]), 0, 1) == (0.0, 1.0)


@pytest.mark.parametrize(
    "arguments",
    [
        ["simulate", "curie_weiss", "--time", "nan"], ["simulate", "curie_weiss", "--time", "inf"],
        ["simulate", "curie_weiss", "--time", "-1"], ["simulate", "curie_weiss", "--samples", "0"],
        ["simulate", "curie_weiss", "temperature="], ["simulate", "curie_weiss", "=1"],
        ["simulate", "curie_weiss", "temperature=1", "temperature=1,5"], ["simulate", "curie_weiss", "size=1e400"],
        ["diagram", "curie_weiss", "--resolution", "1"], ["diagram", "curie_weiss", "--resolution", "-3"],
        ["diagram", "curie_weiss", "--x", "field", "--y", "field"], ["diagram", "curie_weiss", "--preset", ""],
        ["serve", "curie_weis"], ["serve", "--port", "70000"], ["warmup", "--jobs", "0"], ["notebook", "curie_weis"],
    ],
    ids=" ".join,
)  # fmt: skip
def test_commands_refuse(arguments: list[str]) -> None:
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 2, result.output
    assert "Traceback" not in result.output
    assert isinstance(result.exception, SystemExit)


def test_a_run_of_no_time_is_its_start() -> None:
    assert "after 0 sweeps" in CliRunner().invoke(app, ["simulate", "curie_weiss", "size=100", "--time", "0"]).output


def test_errors_can_be_pickled_and_are_short() -> None:
    error = ArgumentError("here", "this", list(range(1000)), "less")
    assert str(pickle.loads(pickle.dumps(error))) == str(error)
    assert len(str(error)) < 120
    assert isinstance(error, ValueError)
    assert issubclass(NotOfferedError, MfexploreError)
