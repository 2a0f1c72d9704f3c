"""Compile ahead of time: use everything a system offers once, at a tiny size, so that its kernels are kept."""

from __future__ import annotations

import hashlib
import platform
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm
import numba
import numpy as np

from mfexplore.core.catalogue import places, system
from mfexplore.core.errors import NotOfferedError
from mfexplore.core.model import Model
from mfexplore.numerics.kernel import PACKAGE, settings, store

TINY = 256  # largest size simulated here; a kernel is the same code at any size


@cache
def processor() -> str:
    """What kernels are compiled for: NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, or the processor at hand."""
    name = settings.CPU_NAME or llvm.get_host_cpu_name()
    features = settings.CPU_FEATURES
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    return f"{platform.machine()} {name} {features}"


def _mark(key: str) -> Path | None:
    """The file that says: with these sources, this Numba and this processor, the system has been warmed."""
    folder = store(PACKAGE / "models" / places()[key] / f"{key}.py")
    if folder is None:
        return None
    setting = f"{sys.version_info[:2]} {numba.__version__} {processor()}"
    return folder / f"warm-{hashlib.sha256(setting.encode()).hexdigest()[:12]}"


def is_warm(key: str) -> bool:
    """Whether `warm(key)` has been completed for the present sources and processor. Imports no system.
    Raises UnknownNameError.
    """
    if key not in places():
        system(key)  # raises
    mark = _mark(key)
    return mark is not None and mark.exists()


def tiny(model: Model) -> Model:
    """The model at a size that costs nothing."""
    for name, made in model.controls().items():
        if made.role == "size":
            low, _ = made.bounds
            model = model.replace(**{name: max(int(low), min(getattr(model, name), TINY))})
    return model


def variants(kind: type[Model]) -> list[Model]:
    """Tiny models that between them take every option of every choice, and every preset."""
    default = tiny(kind())
    found = [default]
    for name, made in kind.controls().items():
        found += [default.replace(**{name: option}) for option in made.options]
    found += [tiny(kind.preset(preset.name)) for preset in kind.presets]
    return list(dict.fromkeys(found))


def theory_calls(model: Model) -> Iterator[Callable[[], Any]]:
    """Everything the workbench asks of the theory at one point."""
    yield model.theory
    yield model.equilibrium
    for capability in ("landscape", "law", "exact"):
        yield getattr(model, capability)


def plane_calls(model: Model) -> Iterator[Callable[[], Any]]:
    """Everything it asks along an axis and in a plane."""
    for plane in model.planes:
        for name in (plane.x, plane.y):
            axis = model.control(name).grid(3)
            yield lambda name=name, axis=axis: model.theory(**{name: axis})  # type: ignore[misc]
            for landmark in model.landmarks:
                yield lambda name=name, landmark=landmark: model.landmark(landmark.name, name)  # type: ignore[misc]
        yield lambda plane=plane: model.diagram(plane.x, plane.y, resolution=5)  # type: ignore[misc]
    if model.planes:
        yield model.boundaries


def simulate(model: Model) -> None:
    """Everything it asks of a simulation."""
    run = model.simulate(seed=1)
    start = run.observe()
    run.advance(2 * run.step)
    run.picture()
    run.trace()
    run.follow(model)
    with suppress(NotOfferedError):
        model.law()
        run.samples()
    with suppress(NotOfferedError):
        model.predicted_path(start, np.linspace(0.0, 2 * run.step, 3))


def warm(key: str, progress: Callable[[float], None] = lambda fraction: None) -> None:
    """Compile and keep every kernel of a system, in this process: all of its theory, simulation and ensemble, once.

    Takes seconds when cold and well under that when everything is kept already. `progress` is called with the finished
    fraction. Raises UnknownNameError, and whatever the system itself raises.
    """
    kind = system(key)
    calls: list[Callable[[], Any]] = []
    models = variants(kind)
    for model in models:
        if kind.offers("solve"):
            calls += theory_calls(model)
        if kind.offers("simulation"):
            calls.append(lambda model=model: simulate(model))  # type: ignore[misc]
    if kind.offers("solve"):
        calls += plane_calls(models[0])
    if kind.offers("simulation"):
        calls.append(lambda: models[0].ensemble(samples=2))
    for done, call in enumerate(calls):
        progress(done / len(calls))
        with suppress(NotOfferedError):
            call()
    progress(1.0)
    mark = _mark(key)
    if mark is not None:
        mark.parent.mkdir(parents=True, exist_ok=True)
        mark.touch()
