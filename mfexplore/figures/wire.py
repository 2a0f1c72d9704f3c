"""Changes of a figure in the words of Bokeh's own protocol, so that a browser can apply them as they come."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.frame import Ref, Update

Keep = Callable[[NDArray[Any]], str]  # puts an array beside the events, and says by which name they know it


def into(buffers: list[bytes]) -> Keep:
    """Arrays are appended to `buffers`; their names are their places: "0", "1", ..."""

    def keep(values: NDArray[Any]) -> str:
        buffers.append(np.ascontiguousarray(values).tobytes())
        return str(len(buffers) - 1)

    return keep


def events(update: Update, keep: Keep) -> list[dict[str, Any]]:
    """The events of a patch for `Document.apply_json_patch`, whose buffers are what was kept, by name."""
    return [
        {"kind": "ModelChanged", "model": {"id": id_}, "attr": name, "new": encode(value, keep)}
        for id_, name, value in update.changes
    ]


def encode(value: Any, keep: Keep) -> Any:
    """One value as Bokeh's JSON."""
    if isinstance(value, np.ndarray):
        return _array(value, keep)
    if value is None or isinstance(value, str | int):  # most of what a column holds that is no array
        return value
    if isinstance(value, list | tuple):
        return [encode(one, keep) for one in value]
    if isinstance(value, Ref):
        return {"id": value.id}
    if isinstance(value, Mapping):
        return {"type": "map", "entries": [[encode(k, keep), encode(v, keep)] for k, v in value.items()]}
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"type": "number", "value": "nan" if math.isnan(value) else "+inf" if value > 0 else "-inf"}
    return value


@cache
def _name(of: np.dtype[Any]) -> str:
    return of.name


def _array(values: NDArray[Any], keep: Keep) -> dict[str, Any]:
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    array = {"type": "bytes", "data": {"id": keep(values)}}
    return {
        "type": "ndarray", "array": array, "shape": list(values.shape), "dtype": _name(values.dtype), "order": "little",
    }  # fmt: skip
