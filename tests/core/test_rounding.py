"""What was simulated is what results say, in every system."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from cases import each_system

from mfexplore import core
from mfexplore.core import ControlError, Model
from mfexplore.core.rounding import simulated_grid
from mfexplore.study.scaling import finite_size
from mfexplore.study.sweep import sweep
from mfexplore.workbench.agreement import Sampled
from mfexplore.workbench.sentence import sentence

FEW = 10  # and one more are the same square, the same cube; what grows as 2^N is quick
simulated = each_system(lambda entry: "simulation" in entry.offers)


def sizes_of(kind: type[Model]) -> list[str]:
    """The controls that say how large the simulation is."""
    return [name for name, made in kind.controls().items() if made.role == "size" and made.part != "theory"]


def grounds(kind: type[Model]) -> list[Model]:
    """The system with every word of every choice, and at both ends of every number."""
    found = [kind()]
    for name, made in kind.controls().items():
        found += [kind(**{name: value}) for value in (made.options if made.is_choice else made.bounds)]
    sizes = [kind(**{name: int(size)}) for name in sizes_of(kind) for size in kind.control(name).grid(12)]
    words = [(name, word) for name, made in kind.controls().items() for word in made.options]
    return found + sizes + [one.replace(**{name: word}) for one in sizes for name, word in words]


@simulated
def test_what_is_simulated_is_simulated_as_itself(system: type[Model]) -> None:
    if not system.offers("realised"):
        pytest.skip("rounds nothing")
    for model in grounds(system):
        once = model.realised()  # within the bounds of all controls, or it could not be made
        assert once.realised() == once


def fingerprint(model: Model) -> Any:
    run = model.simulate(seed=2)
    run.advance(2 * run.step)
    return str(run.observe()), run.rng.bit_generator.state  # as text, in which NaN is NaN


def sized(kind: type[Model], size: int) -> Model:
    """The system with all sizes as near to this as they may be."""
    bounds = {name: kind.control(name).bounds for name in sizes_of(kind)}
    return kind(**{name: int(min(max(low, size), high)) for name, (low, high) in bounds.items()})


@simulated
def test_what_simulates_the_same_says_the_same(system: type[Model]) -> None:
    """A new system that rounds its size, or a fraction of it, and does not say so, fails here."""
    few, more = sized(system, FEW), sized(system, 2 * FEW)  # of fewer, two loads may be the same by chance
    changes = [(few, name, getattr(few, name) + 1) for name in sizes_of(system) if few.applies(system.control(name))]
    changes += [
        (more, name, getattr(more, name) * (1 + 1e-3))
        for name, made in system.controls().items()
        if made.role == "load" and made.quenched and not made.is_choice and not made.is_integer and more.applies(made)
    ]
    before = {start: fingerprint(start) for start in dict.fromkeys(start for start, _, _ in changes)}
    for start, name, other in changes:
        near = start.replace(**{name: min(other, system.control(name).bounds[1])})
        after = fingerprint(near)
        if after == before[start]:
            assert near.realised() == start.realised(), name
        if near.realised() != near:
            assert fingerprint(near.realised()) == after


def test_sizes_that_are_one_lattice_are_refused() -> None:
    model = core.system("ising_lattice")()
    for ask in (
        lambda: sweep(model, {"size": [20_000, 25_000, 30_000]}, samples=1, progress=False),
        lambda: finite_size(model, [20_000, 25_000, 30_000], samples=2),
    ):
        with pytest.raises(ControlError, match=r"size = \[20000, 25000, 30000\].*simulation, that of size = 16384"):
            ask()


def test_labels_are_what_was_simulated() -> None:
    model = core.system("hopfield")(size=64)
    found = sweep(model, {"load": [0.05, 0.1]}, samples=1, progress=False)
    assert found["load"].values.tolist() == [3 / 64, 6 / 64]
    both = sweep(model, {"load": [0.05, 0.1], "size": [64, 100]}, samples=1, progress=False)
    assert both["load"].values.tolist() == [0.05, 0.1]
    np.testing.assert_array_equal(both["load_simulated"], [[3 / 64, 0.05], [6 / 64, 0.1]])
    by_lattice = sweep("ising_lattice", {"lattice": ["square", "cubic"]}, samples=1, size=100, progress=False)
    np.testing.assert_array_equal(by_lattice["size_simulated"], [100, 125])
    ensemble = model.ensemble(samples=1, load=0.05)
    assert json.loads(ensemble.attrs["controls"])["load"] == 3 / 64
    np.testing.assert_array_equal(ensemble["overlap_theory"], model.theory(load=3 / 64)["overlap"])


def test_a_run_and_its_words_say_what_was_simulated() -> None:
    model = core.system("ising_lattice")(size=20_000)
    run = model.simulate(seed=1)
    assert json.loads(run.trace().attrs["controls"])["size"] == 16_384
    assert run.follow(model.replace(size=25_000)), "it is the same lattice"
    assert model.extent() == "of size 16,384"
    assert model.rounding() == {"size": "size 16,384 instead of 20,000"}
    assert model.realised().rounding() == {}
    few = core.system("hopfield")(size=16, load=0.01)
    words = sentence(few, few.theory(), "overlap", measured=Sampled(0.9, 0.1, 8)).text
    assert "in 8 simulations of size 16 (with load 0.0625 instead of 0.01)" in words


def test_what_is_not_rounded_keeps_its_label() -> None:
    grid = simulated_grid(core.system("hopfield")(size=1000), {"load": np.linspace(0.05, 0.3, 6)})
    np.testing.assert_array_equal(grid.axes["load"], np.linspace(0.05, 0.3, 6))
    with pytest.raises(ControlError, match="load"):
        simulated_grid(core.system("hopfield")(size=16), {"load": np.linspace(0.0, 0.3, 31)})
