"""What a page without a server knows: arrays kept in few bytes, and theory on a grid."""

from __future__ import annotations

import gzip
import json
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from mfexplore.core import system
from mfexplore.study.diagram import diagram
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.plane import CHOSEN, NONE, STABLE, VALUE, Plane
from mfexplore.workbench.sentence import number, sentence
from mfexplore.workbench.tape import FEW, Tape, encode


def decode(code: list[Any], content: bytes, like: NDArray[Any]) -> NDArray[Any]:
    """As `tape.js` does it."""
    if not code:
        return np.frombuffer(content, like.dtype)
    bits, low, high, steps = code
    raw = np.frombuffer(content, np.uint8).astype(int)
    numbers = raw if bits == 8 else 256 * raw[: raw.size // 2] + raw[raw.size // 2 :]
    if steps:
        numbers = np.cumsum(numbers) % 2**bits
    return np.where(numbers > 0, low + (numbers - 1) * (high - low) / (2**bits - 2), np.nan)


@pytest.mark.parametrize("bits", [8, 16])
def test_an_array_comes_back_as_fine_as_its_bits(bits: int, rng: np.random.Generator) -> None:
    smooth = np.sin(np.linspace(0, 3, 500)).astype(np.float32)
    for values in (smooth, rng.normal(size=500).astype(np.float32), np.full(100, 2.5, np.float32)):
        values = values.copy()
        values[7] = np.nan
        code, content = encode(values, bits)
        found = decode(code, content, values)
        assert np.isnan(found[7])
        np.testing.assert_allclose(found, values, atol=0.51 * np.ptp(np.delete(values, 7)) / (2**bits - 2) + 1e-6)
        assert len(content) == values.size * bits // 8


def test_what_is_short_whole_or_endless_stays_as_it_is() -> None:
    for values in (np.linspace(0, 1, FEW, dtype=np.float32), np.arange(1000, dtype=np.int32), np.full(99, 1e6)):
        code, content = encode(values, 8)
        np.testing.assert_array_equal(decode(code, content, values), values)


def test_what_was_told_before_costs_nothing_and_what_is_not_used_is_left_out() -> None:
    tape = Tape()
    one = tape.tell({"new": {"id": tape.keep(np.zeros(3))}})
    again = tape.tell({"new": {"id": tape.keep(np.zeros(3))}})
    other = tape.tell({"new": {"id": tape.keep(np.ones(3))}})
    assert one == again != other
    packed = gzip.decompress(tape.pack({"key": "x"}, [other]))
    head = json.loads(packed[4 : 4 + int.from_bytes(packed[:4], "little")])
    assert list(head["told"]) == [str(other)]
    assert list(head["arrays"]) == ["1"]


@pytest.mark.parametrize("key", ["curie_weiss", "ising_lattice"])  # branches, and rival methods
def test_the_plane_says_what_theory_says(key: str) -> None:
    at = Exploration.of(system(key)())
    dataset = diagram(at.model, at.x, at.y, 17)
    plane = Plane(dataset, at)
    plane.say(at)
    texts, which = plane.sentences[at.colour]
    for row, column in ((3, 4), (12, 9), (16, 0)):
        model = at.model.replace(**{at.x: float(dataset[at.x][column]), at.y: float(dataset[at.y][row])})
        theory = model.theory()
        pick = int(plane.picks[row, column])
        said = sentence(model, theory, at.colour, at.branch, at.method)
        value = np.nan if pick == NONE else float(plane.values[at.colour][pick, row, column])
        headline, text, validity, verdict = texts[which[row, column]]
        assert (headline, validity, verdict) == (said.headline, said.validity, said.verdict)
        assert text.replace(VALUE, number(value)) == said.text
        if "branch" in theory.dims:
            kinds = plane.kinds[:, row, column]
            np.testing.assert_array_equal(kinds & STABLE > 0, np.ravel(theory["stable"]))
            assert np.flatnonzero(kinds & CHOSEN).tolist() == [int(theory["equilibrium"])]
