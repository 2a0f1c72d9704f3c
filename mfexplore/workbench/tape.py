"""What a page was told, kept in few bytes: every change once, every array once and no finer than it is seen.

A tape is what a page without a server plays: `app/static/tape.js` reads what `Tape.pack` writes.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mfexplore.figures.curves import FAR
from mfexplore.figures.frame import Update
from mfexplore.figures.wire import events

FEW = 64  # numbers that are kept as they are


class Tape:
    """Messages, changes of figures and arrays, each known by its number; what was told before has its number."""

    def __init__(self) -> None:
        self.told: list[str] = []  # as JSON
        self.arrays: list[tuple[NDArray[Any], int]] = []  # with the bits that a number of them is worth
        self._numbers: dict[Any, int] = {}

    def tell(self, message: Any) -> int:
        """Keep something that JSON can hold; returns its number."""
        text = json.dumps(message, allow_nan=False, separators=(",", ":"))
        if text not in self._numbers:
            self._numbers[text] = len(self.told)
            self.told.append(text)
        return self._numbers[text]

    def keep(self, values: NDArray[Any], bits: int = 16) -> str:
        """Keep an array; returns its name, which is its number. bits: what a float of it is worth, 8 or 16."""
        values = np.ascontiguousarray(values)
        key = (values.dtype.str, values.shape, bits, values.tobytes())
        if key not in self._numbers:
            self._numbers[key] = len(self.arrays)
            self.arrays.append((values, bits))
        return str(self._numbers[key])

    def changes(self, update: Update, bits: int = 16, but: Iterable[str] = ()) -> list[int]:
        """Keep the changes of a figure, but those of some parts; returns their numbers."""
        there = Update(None, [one for one in update.changes if one[0] not in but])
        return [self.tell(event) for event in events(there, lambda values: self.keep(values, bits))]

    def pack(self, head: Mapping[str, Any], used: Iterable[int]) -> bytes:
        """The head, what of the messages is `used` by their numbers, and the arrays that these and the head name; those
        that are like each other should be used one after the other.
        """
        told = {number: json.loads(self.told[number]) for number in used}
        body = bytearray()
        table: dict[str, list[Any]] = {}
        for name in _named([*told.values(), head]):
            if name not in table:
                code, content = encode(*self.arrays[int(name)])
                table[name] = [len(body), len(content), *code]
                body.extend(content)
        whole = dict(head) | {"told": told, "arrays": table}
        text = json.dumps(whole, allow_nan=False, separators=(",", ":")).encode()
        return gzip.compress(len(text).to_bytes(4, "little") + text + bytes(body), 9, mtime=0)


def _named(told: Any) -> Iterator[str]:
    """The names of the arrays in something that JSON can hold; models of Bokeh have longer ones."""
    if isinstance(told, Mapping):
        if str(told.get("id", "")).isdigit():
            yield told["id"]
        for value in told.values():
            yield from _named(value)
    elif isinstance(told, list):
        for value in told:
            yield from _named(value)


def encode(values: NDArray[Any], bits: int) -> tuple[list[Any], bytes]:
    """An array as bytes that compress well, and how to read them: nothing (as they are), or the bits of a number, the
    lowest and the highest value, and whether numbers are differences; the number 0 is NaN. Of numbers of 16 bits the
    high bytes come first, then the low ones.
    """
    finite = np.isfinite(values) if values.dtype.kind == "f" else np.zeros(0, bool)
    if values.dtype.kind != "f" or values.size <= FEW or not finite.any() or np.abs(values[finite]).max() >= FAR:
        return [], values.tobytes()
    low, high = float(values[finite].min()), float(values[finite].max())
    levels = (1 << bits) - 2
    places = np.rint((np.where(finite, values, low) - low) / ((high - low) or 1.0) * levels) + 1
    numbers = np.where(finite, places, 0).astype(f"uint{bits}").ravel()
    steps = np.diff(numbers, prepend=numbers.dtype.type(0))  # modulo 2**bits
    found = [_bytes(numbers), _bytes(steps)]
    best = min((0, 1), key=lambda k: len(zlib.compress(found[k], 1)))
    return [bits, low, high, best], found[best]


def _bytes(numbers: NDArray[Any]) -> bytes:
    if numbers.dtype == np.uint8:
        return numbers.tobytes()
    return (numbers >> 8).astype(np.uint8).tobytes() + (numbers & 255).astype(np.uint8).tobytes()
