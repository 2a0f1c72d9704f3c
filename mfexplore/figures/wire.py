"""Changes of a figure in the words of Bokeh's own protocol, so that a browser can apply them as they come."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from mfexplore.figures.frame import Ref, Update


def events(update: Update, buffers: list[bytes]) -> list[dict[str, Any]]:
    """The events of a patch for `Document.apply_json_patch`. Arrays are appended to `buffers`, which the events know by
    their place: "0", "1", ...
    """
    return [
        {"kind": "ModelChanged", "model": {"id": id_}, "attr": name, "new": encode(value, buffers)}
        for id_, name, value in update.changes
    ]


def encode(value: Any, buffers: list[bytes]) -> Any:
    """One value as Bokeh's JSON."""
    if isinstance(value, np.ndarray):
        return _array(value, buffers)
    if isinstance(value, Ref):
        return {"id": value.id}
    if isinstance(value, Mapping):
        return {"type": "map", "entries": [[encode(k, buffers), encode(v, buffers)] for k, v in value.items()]}
    if isinstance(value, list | tuple):
        return [encode(one, buffers) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return {"type": "number", "value": "nan" if math.isnan(value) else "+inf" if value > 0 else "-inf"}
    return value


def _array(values: np.ndarray[Any, Any], buffers: list[bytes]) -> dict[str, Any]:
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    data = {"id": str(len(buffers))}
    buffers.append(np.ascontiguousarray(values).tobytes())
    array = {"type": "bytes", "data": data}
    return {
        "type": "ndarray", "array": array, "shape": list(values.shape), "dtype": values.dtype.name, "order": "little",
    }  # fmt: skip
