"""Docstrings are pages and help here, so they are there even under `python -OO`, which leaves them out."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from functools import cache
from types import ModuleType


@cache
def docstring(thing: ModuleType | Callable[..., object]) -> str:
    """The docstring of a module or a function as it was written, from its source where Python has dropped it."""
    if thing.__doc__ is not None:
        return thing.__doc__
    tree = ast.parse(textwrap.dedent(inspect.getsource(thing)))
    written = tree if isinstance(thing, ModuleType) else tree.body[0]
    return ast.get_docstring(written, clean=False) or ""  # type: ignore[arg-type]
