"""Where a dataset came from: enough to make it again."""

from __future__ import annotations

import json
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING, Any

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


def provenance(model: Model, **more: Any) -> dict[str, Any]:
    """Attributes of a Dataset: system, its version, all controls (JSON), package versions (JSON), the citation."""
    return {
        "system": model.key,
        "title": model.title,
        "system_version": model.version,
        "controls": json.dumps(model.values()),
        "versions": json.dumps(versions()),
        "source": "; ".join(s.citation for s in model.sources),
        "Conventions": "CF-1.11",
    } | more
