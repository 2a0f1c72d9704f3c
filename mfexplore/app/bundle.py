"""The page's script and style as one text each, made from the plain files in `static`: there is nothing to build."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from mfexplore.figures import legends

STATIC = Path(__file__).parent / "static"
MODULES = (
    "channel",
    "line",
    "controls",
    "figures",
    "plane",
    "touch",
    "terms",
    "share",
    "predict",
    "around",
    "restore",
    "address",
    "asked",
    "dressed",
    "keys",
    "pins",
    "toasts",
    "told",
    "workbench",
)  # fmt: skip; each after what it imports
SHEETS = ("base", "workbench", "faces")


@cache
def script(*more: str) -> str:
    """One ES module that exports `render`; or, with more modules, one that exports nothing. The modules share a scope,
    so no two may use the same name at their top.
    """
    parts = []
    for name in (*MODULES, *more):
        text = (STATIC / f"{name}.js").read_text(encoding="utf-8")
        text = re.sub(r'^import .* from "\./\w+\.js";\n', "", text, flags=re.MULTILINE)
        if more or name != MODULES[-1]:
            text = re.sub(r"^export ", "", text, flags=re.MULTILINE)
        parts.append(text)
    return "\n".join(parts)


@cache
def style() -> str:
    """One style sheet, for a page and for the shadow of a component alike."""
    return "\n".join([*((STATIC / f"{name}.css").read_text(encoding="utf-8") for name in SHEETS), legends.sheet()])
