"""The app: a gallery and a workbench for each system, as components of Panel and as a server of its own."""

from __future__ import annotations

from typing import Any

__all__ = ["Workbench"]


def __getattr__(name: str) -> Any:
    """Panel takes a second to load, which whoever only wants the proxy need not wait for."""
    if name == "Workbench":
        from mfexplore.app.component import Workbench

        return Workbench
    raise AttributeError(name)
