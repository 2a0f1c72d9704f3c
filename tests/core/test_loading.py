"""Garbage is looked for again after something was loaded, whatever happened."""

from __future__ import annotations

import gc
import weakref

import pytest

from mfexplore.core.loading import first_use, loading


def test_the_collector_rests_until_the_last_has_left() -> None:
    assert gc.isenabled()
    with loading():
        with loading():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled()


def test_who_switched_it_off_finds_it_off() -> None:
    gc.disable()
    try:
        with loading():
            pass
        assert not gc.isenabled()
    finally:
        gc.enable()


def test_it_rests_for_the_first_use_of_a_class_only() -> None:
    class Thing: ...

    with first_use(Thing):
        assert not gc.isenabled()
    with first_use(Thing):
        assert gc.isenabled()


def test_an_error_leaves_it_on_and_the_use_counts_as_none() -> None:
    class Thing: ...

    rested = []

    def fail() -> None:
        with first_use(Thing):
            rested.append(not gc.isenabled())
            raise ValueError("wrong")

    for _ in range(2):
        with pytest.raises(ValueError, match="wrong"):
            fail()
        assert gc.isenabled()
    assert rested == [True, True]


def test_what_was_loaded_is_not_searched_at_once_but_is_not_kept_either() -> None:
    class Thing:
        itself: Thing

    def lose() -> weakref.ref[Thing]:
        thing = Thing()
        thing.itself = thing
        return weakref.ref(thing)

    with loading():
        lost = lose()
    gc.collect(1)
    assert lost() is not None, "it counts as old"
    gc.collect()
    assert lost() is None
    assert gc.get_freeze_count() < 10_000


def test_what_somebody_put_aside_stays_there() -> None:
    everything = [[] for _ in range(20_000)]
    gc.collect()
    gc.freeze()
    try:
        with loading():
            pass
        assert gc.get_freeze_count() >= len(everything)
    finally:
        gc.unfreeze()
