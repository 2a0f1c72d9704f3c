"""Functions of SciPy that are loaded when they are first called.

`scipy.optimize`, `scipy.integrate` and `scipy.sparse.linalg` load each other and much else, which takes longer than the
first result of most systems; and a first result seldom needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from typing import Any


def later(module: str, name: str) -> Callable[..., Any]:
    """The function `name` of a module that is loaded at the first call."""

    @cache
    def found() -> Callable[..., Any]:
        function: Callable[..., Any] = getattr(import_module(module), name)
        return function

    def call(*args: Any, **options: Any) -> Any:
        return found()(*args, **options)

    call.__doc__ = f"See `{module}.{name}`."
    return call


brentq = later("scipy.optimize", "brentq")
eigsh = later("scipy.sparse.linalg", "eigsh")
linear_operator = later("scipy.sparse.linalg", "LinearOperator")
quad = later("scipy.integrate", "quad")
solve_ivp = later("scipy.integrate", "solve_ivp")
