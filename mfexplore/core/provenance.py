"""What a dataset says about itself: where it came from, enough to make it again, and what its variables mean."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

from mfexplore.core.controls import Control
from mfexplore.core.declaration import Coordinate, Observable, in_words
from mfexplore.core.seeds import Seed, written_seed

if TYPE_CHECKING:
    from mfexplore.core.model import Model


@cache
def versions() -> dict[str, str]:
    """Versions of mfexplore and of the packages its numbers depend on."""
    found = {}
    for package in ("mfexplore", "numpy", "numba", "scipy", "xarray"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def provenance(model: Model, *, seed: Seed | None = None, **more: Any) -> dict[str, Any]:
    """Attributes of a Dataset: system, its version, all controls (JSON), package versions (JSON), the citation; and the
    seed, where there is one, so that `read_seed` has it back.
    """
    drawn = {} if seed is None else {"seed": written_seed(seed)}
    return (
        drawn
        | {
            "system": model.key,
            "title": model.title,
            "system_version": model.version,
            "controls": json.dumps(model.values()),
            "versions": json.dumps(versions()),
            "source": "; ".join(s.citation for s in model.sources),
            "Conventions": "CF-1.11",
        }
        | more
    )


def attributes(thing: Control | Observable | Coordinate) -> dict[str, str]:
    """CF attributes of a variable that is declared."""
    return {"long_name": thing.title, "symbol": thing.symbol, "units": thing.unit, "description": thing.doc}


def observed_attributes(model: Model, name: str) -> dict[str, str]:
    """The same for something a simulation observes, which the theory need not know."""
    declared = [attributes(o) for o in model.observables if o.name == name]
    return declared[0] if declared else {"long_name": in_words(name)}


def error_attributes(of: dict[str, str]) -> dict[str, str]:
    """CF attributes of the standard error of a variable."""
    return unit_of(of) | {"long_name": f"standard error of {of['long_name']}"}


def unit_of(of: dict[str, str]) -> dict[str, str]:
    """The unit of a variable, where it has one."""
    return {k: v for k, v in of.items() if k == "units"}
