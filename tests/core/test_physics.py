"""Physics that every system must obey which has the quantities: thermodynamics; no system is named here."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from cases import each_preset, each_system

from mfexplore.core import Array, Model, NotOfferedError, Preset

# -- thermodynamics ------------------------------------------------------------------------------------------------

# What the names of observables mean: the factor times the derivative of another one with a control.
DERIVATIVES = {
    "entropy": (-1, "free_energy", "temperature"),
    "magnetization": (-1, "free_energy", "field"),
    "transverse_magnetization": (-1, "free_energy", "transverse_field"),
    "specific_heat": (1, "energy", "temperature"),
    "susceptibility": (1, "magnetization", "field"),
}
STEP = 2e-3


def points(system: type[Model], rng: np.random.Generator, count: int) -> Iterator[Model]:
    """The presets, and random points inside the first plane, for every choice of words; every second time all other
    physical controls are drawn too.
    """
    for preset in system.presets:
        yield system.preset(preset.name)
    words = {n: c.options for n, c in system.controls().items() if c.is_choice and c.part != "simulation"}
    combinations = list(itertools.product(*words.values()))
    plane = system.planes[0]
    for k in range(max(count, len(combinations))):
        model = system(**dict(zip(words, combinations[k % len(combinations)], strict=True)))
        windows = {getattr(plane, axis): model.range(plane, axis) for axis in ("x", "y")}
        if k % 2:
            free = [n for n in system.axis_names() if system.control(n).role not in ("size", "setting", "start")]
            windows = {n: system.control(n).bounds for n in free} | windows
        drawn = {}
        for name, (low, high) in windows.items():
            value = rng.uniform(low + 0.05 * (high - low), high - 0.05 * (high - low))
            drawn[name] = type(getattr(model, name))(value)
        yield model.replace(**drawn)


def cheap(model: Model) -> Model:
    """The model with orders of a hierarchy that cost little."""
    for name, made in model.controls().items():
        if made.role == "order":
            model = model.replace(**{name: min(getattr(model, name), made.low + 2)})
    return model


def slope(theory: Any, name: str, along: str) -> tuple[Array, Array]:
    """Derivative in the middle of five points, and how far it can be trusted."""
    far_below, below, _, above, far_above = theory[name].transpose(along, ...).values
    near, far = (above - below) / (2 * STEP), (far_above - far_below) / (4 * STEP)
    return near + (near - far) / 3, np.abs(near - far)


def identities(theory: Any, along: str, names: set[str]) -> Iterator[tuple[str, Array, Array, Array]]:
    """What is compared: its name, its value, what it must be by another way, and the error of that way."""
    here = theory.isel({along: 2})
    for name, (factor, of, control) in DERIVATIVES.items():
        if control == along and {name, of} <= names:
            derivative, error = slope(theory, of, along)
            yield f"{name} of {of}", here[name].values, factor * derivative, error
    if along == "temperature" and "energy" in names:
        f, t = here["free_energy"].values, float(here["temperature"])
        derivative, error = slope(theory, "free_energy", along)
        yield "energy of free_energy", here["energy"].values, f - t * derivative, t * error
        if "entropy" in names:
            yield "energy of entropy", here["energy"].values, f + t * here["entropy"].values, np.zeros(f.shape)


@each_system(lambda entry: "free_energy" in entry.observables)
def test_thermodynamics(system: type[Model]) -> None:
    """Entropy -df/dT, energy f + Ts, magnetization -df/dh, ... on every branch of every theory where it is smooth."""
    if not {control for _, _, control in DERIVATIVES.values()} & set(system.controls()):
        pytest.skip("no control by which a derivative of the free energy has a name")
    names = {o.name for o in system.observables if o.thermodynamic}
    excluded = {b.name for b in system.branches if not b.thermodynamic}
    untested = {b.name for b in system.branches} - excluded
    for model in map(cheap, points(system, np.random.default_rng(7), 8)):
        for along in {control for _, _, control in DERIVATIVES.values()} & set(system.controls()):
            middle, (low, high) = getattr(model, along), system.control(along).bounds
            if abs(middle) <= 2 * STEP or not low + 2 * STEP < middle < high - 2 * STEP:
                continue  # at zero field magnetizations jump
            theory = model.theory(profiles=False, **{along: middle + STEP * np.arange(-2, 3)})
            here = theory.isel({along: 2})
            if system.branches:
                here = here.sel(branch=[b.name for b in system.branches if b.name not in excluded])
                theory = theory.sel(branch=here["branch"].values)
            for what, value, right, error in identities(theory, along, names):
                scale = 1 + np.abs(value) + np.abs(right)
                smooth = here["converged"] & (error < 1e-2 * scale)  # all five points on one solution
                wrong = smooth & (np.abs(value - right) > 2e-6 * scale + 5 * error)
                for index in map(tuple, np.argwhere(wrong.values)):
                    place = {d: str(here[d].values[i]) for d, i in zip(wrong.dims, index, strict=True)}
                    raise AssertionError(f"{what}: {value[index]}, not {right[index]}, {place} of {model}")
                if system.branches:
                    tested = smooth.any([d for d in smooth.dims if d != "branch"])
                    untested -= set(here["branch"].values[tested.values])
    assert not untested, f"no point of {untested} was smooth"


# -- exactness -----------------------------------------------------------------------------------------------------

SAMPLES = 10  # of every smallest simulation


def smallest(system: type[Model], rng: np.random.Generator) -> Iterator[Model]:
    """The smallest size of every choice of words but the start, at a random warm point of the first plane."""
    words = {n: c.options for n, c in system.controls().items() if c.is_choice and c.role != "start"}
    sizes = {n: c.low for n, c in system.controls().items() if c.role == "size"}
    plane = system.planes[0]
    for combination in itertools.product(*words.values()):
        model = system(**sizes, **dict(zip(words, combination, strict=True)))
        for axis in ("x", "y"):
            name, (low, high) = getattr(plane, axis), model.range(plane, axis)
            if system.control(name).role == "size":
                continue
            if system.control(name).role == "temperature":
                low = (low + high) / 2
            model = model.replace(**{name: rng.uniform(low, high)})
        yield model


@each_system(lambda entry: "exact" in entry.offers)
def test_the_smallest_simulations_meet_exact_values(system: type[Model]) -> None:
    """An algorithm that is wrong, or never sees some states, shows where there are few; with a field and without."""
    fields = [n for n, c in system.controls().items() if c.role == "field" and c.part != "simulation"]
    compared = 0
    for model in smallest(system, np.random.default_rng(3)):
        for variant in dict.fromkeys((model, model.replace(**dict.fromkeys(fields, 0.0)))):
            try:
                exact = variant.exact()
            except NotOfferedError:
                continue  # too large already
            found = [variant.simulate(seed=seed).measure() for seed in range(SAMPLES)]
            compared += 1
            shared = [name for name in exact if name in found[0]]
            assert shared
            for name in shared:
                values = np.array([one[name] for one in found])
                error = values.std(ddof=1) / np.sqrt(SAMPLES)
                assert values.mean() == pytest.approx(exact[name], abs=5 * error + 1e-12), f"{name}, {variant}"
    assert compared


# -- what presets promise ------------------------------------------------------------------------------------------


@each_preset(lambda entry: entry.promising)
def test_presets_keep_their_promises(system: type[Model], preset: Preset) -> None:
    for promise in preset.promises:
        found = promise.found(system.preset(preset.name))
        assert abs(found - promise.value) <= promise.tolerance, f"{promise}: {found}"
