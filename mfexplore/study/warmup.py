"""Compile ahead of time: use everything a system offers once, at a tiny size, so that its kernels are kept."""

from __future__ import annotations

import hashlib
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from functools import cache
from typing import Any

import llvmlite.binding as llvm
import numpy as np
from numba.core.dispatcher import Dispatcher

from mfexplore.core.catalogue import source, system
from mfexplore.core.errors import NotOfferedError
from mfexplore.core.folders import PACKAGE, cache_folder, kept_folders, write_whole
from mfexplore.core.model import Model
from mfexplore.core.sources import sources
from mfexplore.numerics.kernel import COMPILER, KeptKernel, intact, settings
from mfexplore.study.processes import end_with_input

TINY = 256  # largest size simulated here; a kernel is the same code at any size


@cache
def processor() -> str:
    """What kernels are compiled for: NUMBA_CPU_NAME and NUMBA_CPU_FEATURES, or the processor at hand."""
    name = settings.CPU_NAME or llvm.get_host_cpu_name()
    features = settings.CPU_FEATURES
    if features is None:
        features = llvm.get_host_cpu_features().flatten()
    return f"{platform.machine()} {name} {features}"


def _mark(key: str) -> str:
    """Name of the file that says which kernels the system needs, made from these sources by this Numba for this
    processor. It changes with every change of a kernel, a block or a constant, and with no other.
    """
    stamp = sources().stamp(sources().imported(source(key)), "compiled")
    setting = f"{COMPILER} {processor()} {stamp}"
    return f"warm-{key}-{hashlib.sha256(setting.encode()).hexdigest()[:24]}.json"


def is_warm(key: str) -> bool:
    """Whether `warm(key)` has been completed for the present sources and processor, and all that it kept is there and
    whole. Imports no system. Raises UnknownNameError.
    """
    folders, mark = kept_folders(), _mark(key)
    for folder in folders:
        with suppress(OSError, ValueError):
            needed = json.loads((folder / mark).read_bytes())
            if all(any(intact(place / name) is not None for place in folders) for name in needed):
                return True
    return False


def _kept(key: str) -> list[str] | None:
    """The files of all kernels that this process has used from the sources of a system; None if one is not kept."""
    files: set[str] = set()
    for file in sources().imported(source(key)):
        parts = file.relative_to(PACKAGE.parent).with_suffix("").parts
        module = sys.modules.get(".".join(parts[:-1] if parts[-1] == "__init__" else parts))
        for value in vars(module).values() if module else ():
            cache = getattr(value, "_cache", None) if isinstance(value, Dispatcher) else None
            if isinstance(cache, KeptKernel):
                if len(cache.files) < len(value.signatures):
                    return None
                files |= cache.files
    return sorted(files)


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


def plane_calls(models: Sequence[Model]) -> Iterator[Callable[[], Any]]:
    """Everything it asks along an axis and in a plane, of the first model for which the plane is there."""
    for plane in models[0].planes:
        model = next(one for one in models if one.applies(plane))
        for name in (plane.x, plane.y):
            axis = model.control(name).grid(3)
            yield lambda model=model, name=name, axis=axis: model.theory(**{name: axis})  # type: ignore[misc]
            for landmark in filter(model.applies, model.landmarks):
                yield lambda model=model, name=name, landmark=landmark: model.landmark(landmark.name, name)  # type: ignore[misc]
        yield lambda model=model, plane=plane: model.diagram(plane.x, plane.y, resolution=5)  # type: ignore[misc]
    if models[0].planes:
        yield models[0].boundaries


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
        calls += plane_calls(models)
    if kind.offers("simulation"):
        calls.append(lambda: models[0].ensemble(samples=2))
    for done, call in enumerate(calls):
        progress(done / len(calls))
        with suppress(NotOfferedError):
            call()
    progress(1.0)
    folder, files = cache_folder(), _kept(key)
    if folder is not None and files is not None:
        write_whole(folder / _mark(key), json.dumps(files).encode())


if __name__ == "__main__":  # python -m mfexplore.study.warmup SYSTEM: as long as its standard input is open
    end_with_input()
    warm(sys.argv[1])
