"""How messages travel: read from what a page has sent, and checked; written as JSON can hold it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, get_type_hints

from mfexplore.core.errors import MfexploreError, UnknownNameError
from mfexplore.workbench.messages import Heard, Said

MOST_POINTS = 100  # of a sketch


class MessageError(MfexploreError):
    """A message with a field too many, too few, or of the wrong type."""

    def __init__(self, kind: str, problem: str) -> None:
        super().__init__(f"The message {kind!r} was not understood: {problem}.")


def name_of(kind: type[Heard | Said]) -> str:
    """What stands under "type" in a message."""
    return kind.__name__.lower()


HEARD = {name_of(kind): kind for kind in Heard.__subclasses__()}
SAID = {name_of(kind): kind for kind in Said.__subclasses__()}


def read(message: Mapping[str, Any]) -> Heard:
    """A message of a page. Raises UnknownNameError for one that is not declared and MessageError for a bad field."""
    name = str(message.get("type"))
    if name not in HEARD:
        raise UnknownNameError("message", name[:60], HEARD)
    kind = HEARD[name]
    given = {field: value for field, value in message.items() if field not in ("type", "seq")}
    declared = {field.name: field.default is MISSING for field in fields(kind)}
    for field in given:
        if field not in declared:
            raise MessageError(name, f"it has no {field[:60]!r}")
    for field, needed in declared.items():
        if needed and field not in given:
            raise MessageError(name, f"its {field!r} is missing")
    types = get_type_hints(kind)
    for field, value in given.items():
        if not _fits(value, types[field]):
            raise MessageError(name, f"its {field!r} is {str(value)[:60]!r}, which is no {types[field]}")
    return kind(**given)


def _fits(value: Any, wanted: Any) -> bool:
    """Whether a value from JSON is of a declared type; of numbers only finite ones."""
    if wanted is Any:
        return value is None or isinstance(value, bool | int | float | str)
    if wanted is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if wanted is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if wanted in (str, bool):
        return isinstance(value, wanted)
    if wanted == list[float]:
        return isinstance(value, list | tuple) and 0 < len(value) <= MOST_POINTS and all(_fits(v, float) for v in value)
    if value is None:
        return True
    return isinstance(value, list | tuple) and len(value) == 2 and all(_fits(v, float) for v in value)  # a window


def written(message: Said) -> dict[str, Any]:
    """A message for the page, as JSON can hold it."""
    content = {field.name: getattr(message, field.name) for field in fields(message)}
    return {"type": name_of(type(message))} | {name: _plain(value) for name, value in content.items()}


def _plain(value: Any) -> Any:
    """JSON has no NaN, no infinity and no NumPy: the first two become null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if hasattr(value, "item"):
        return _plain(value.item())
    return value
