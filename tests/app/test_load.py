"""A few people at once, over the real protocol: all are answered, nobody sees an error, and nothing stays."""

from __future__ import annotations

import asyncio

from benchmarks import load
from mfexplore.study.warmup import is_warm, warm

KEYS = ("curie_weiss",)


def test_all_are_answered() -> None:
    for key in KEYS:
        if not is_warm(key):
            warm(key)
    seen = load.Seen()
    with load.serving() as server:
        asyncio.run(load.crowd(server.address, people=4, seconds=3, keys=KEYS, rate=4.0, seen=seen))
        assert server.cpu() > 0
        assert server.memory() > 0
    assert seen.errors == []
    assert len(seen.usable) == 4
    assert len(seen.answers) >= 4
    assert seen.frames > 0


def test_an_error_is_counted() -> None:
    seen = load.Seen()
    with load.serving() as server:
        asyncio.run(load.crowd(server.address, people=1, seconds=0, keys=("no_such_system",), rate=10.0, seen=seen))
    assert len(seen.errors) == 1
