"""An explorable atlas of mean-field physics: theory and finite-size simulation under the same sliders.

>>> import mfexplore as mf
>>> CurieWeiss = mf.system("curie_weiss")
>>> round(float(CurieWeiss(temperature=0.5).equilibrium()["magnetization"]), 6)
0.957504
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from mfexplore.core.catalogue import entries, system, systems
from mfexplore.core.errors import MfexploreError
from mfexplore.core.extras import needs
from mfexplore.core.verbs import register

if TYPE_CHECKING:
    import pandas as pd

register(
    diagram="mfexplore.study.diagram:diagram",
    diagram_levels="mfexplore.study.diagram:diagram_levels",
    ensemble="mfexplore.study.ensemble:ensemble",
    hysteresis="mfexplore.study.hysteresis:hysteresis",
    explore="mfexplore.notebook:explore",
    page="mfexplore.app.snapshot:exported",
)

__all__ = ["MfexploreError", "catalog", "movie", "serve", "snapshot", "sweep", "system", "systems"]


def catalog() -> pd.DataFrame:
    """Every system as a table: key (index), title, wing, controls, source."""
    import pandas as pd

    rows = [(e.key, e.title, e.wing, ", ".join(e.controls), e.source) for e in entries()]
    return pd.DataFrame(rows, columns=["key", "title", "wing", "controls", "source"]).set_index("key")


def movie(*args: Any, **options: Any) -> bytes:
    """The live picture of a run as GIF or MP4; see `mfexplore.workbench.film.movie`."""
    content: bytes = import_module("mfexplore.workbench.film").movie(*args, **options)
    return content


def serve(**options: Any) -> str:
    """Open the app in a browser, and return its address; see `mfexplore.app.server.serve` for the options."""
    with needs("app"):
        server = import_module("mfexplore.app.server")
    address: str = server.serve(**options)
    return address


def snapshot(*args: Any, **options: Any) -> bytes:
    """A page of a system that needs no server, as one HTML file; see `mfexplore.app.snapshot.snapshot`."""
    with needs("app"):
        made = import_module("mfexplore.app.snapshot")
    content: bytes = made.snapshot(*args, **options)
    return content


def sweep(*args: Any, **options: Any) -> Any:
    """Average the simulation over disorder on a grid of controls; see `mfexplore.study.sweep.sweep`."""
    return import_module("mfexplore.study.sweep").sweep(*args, **options)
