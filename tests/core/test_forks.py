"""After a real fork everything that uses threads works in the child, whatever the parent's threads were doing."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable

import pytest

from mfexplore.core.forks import ForkLock
from mfexplore.core.together import Together
from mfexplore.models.lattices.curie_weiss import CurieWeiss
from mfexplore.numerics.matrices.blas import one_blas_thread
from mfexplore.study.answers import answers
from mfexplore.study.diagram import diagram
from mfexplore.study.turns import Turn, scheduler
from mfexplore.workbench import views
from mfexplore.workbench.exploration import Exploration
from mfexplore.workbench.jobs import Jobs
from mfexplore.workbench.live import Live

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")

SMALL = CurieWeiss(size=50)
SECONDS = 60


def in_child(work: Callable[[], object]) -> bool:
    """Whether `work` returns something true in a forked child; False if it raises or hangs."""
    child = os.fork()
    if child == 0:
        ended = threading.Timer(SECONDS, lambda: os._exit(2))
        ended.daemon = True
        ended.start()
        try:
            right = bool(work())
        except BaseException:
            right = False
        os._exit(0 if right else 1)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def mean_of_ensemble(seed: int) -> float:
    return float(SMALL.ensemble(samples=2, seed=seed)["magnetization"])


def test_a_pool_of_forked_processes_averages_as_its_parent_did() -> None:
    expected = [mean_of_ensemble(seed) for seed in range(3)]
    with multiprocessing.get_context("fork").Pool(2) as pool:
        assert pool.map_async(mean_of_ensemble, range(3)).get(SECONDS) == expected


def test_diagrams() -> None:
    diagram(SMALL, resolution=33)
    assert in_child(lambda: diagram(SMALL, resolution=65).sizes["temperature"] == 65)


def test_places_that_threads_of_the_parent_hold_are_free_in_the_child() -> None:
    hold, held = threading.Event(), threading.Semaphore(0)

    def compute() -> None:
        with Turn():
            held.release()
            hold.wait(SECONDS)

    threads = [threading.Thread(target=compute) for _ in range(scheduler.places)]
    for thread in threads:
        thread.start()
        held.acquire()
    try:
        assert in_child(lambda: mean_of_ensemble(0) is not None)
    finally:
        hold.set()
        for thread in threads:
            thread.join()


def test_answers_that_the_parent_is_computing() -> None:
    hold = threading.Event()

    def slow(cancelled: Callable[[], bool]) -> object:
        hold.wait(SECONDS)
        yield 1

    thread = threading.Thread(target=lambda: list(answers.ask("slow", slow)))
    thread.start()
    try:
        at = Exploration.of(SMALL)
        views.curve(at)
        assert in_child(lambda: list(answers.ask("slow", lambda cancelled: iter([2]))) == [2])
        assert in_child(lambda: views.curve(at).sizes["temperature"] > 1)
    finally:
        hold.set()
        thread.join()


def test_jobs_and_runs_of_a_page() -> None:
    jobs, shown = Jobs(lambda call: call()), threading.Event()
    live = Live(lambda call: call(), lambda frame: shown.set(), lambda message: None)
    hold = threading.Event()
    try:
        live.start(SMALL, seed=1)
        assert shown.wait(SECONDS)
        shown.clear()
        jobs.submit("a", lambda cancelled: iter([hold.wait(SECONDS)]), lambda nothing: None)

        def works() -> bool:
            told = threading.Event()
            jobs.submit("a", lambda cancelled: iter([1]), lambda one: told.set())
            live.step()
            return told.wait(SECONDS) and shown.wait(SECONDS)

        assert in_child(works)
    finally:
        hold.set()
        jobs.close()
        live.close()


def test_a_change_of_the_process_that_a_thread_of_the_parent_made_is_undone() -> None:
    changed: list[bool] = []

    def change() -> Callable[[], object]:
        changed.append(True)
        return changed.clear

    together = Together(change)
    hold, inside = threading.Event(), threading.Event()

    def stay() -> None:
        with together(), one_blas_thread():
            inside.set()
            hold.wait(SECONDS)

    thread = threading.Thread(target=stay)
    thread.start()
    inside.wait(SECONDS)

    def free() -> bool:
        before = not changed
        with together():
            return before and changed == [True]

    try:
        assert in_child(free)
        assert in_child(lambda: not changed)
    finally:
        hold.set()
        thread.join()


def test_a_lock_that_a_thread_of_the_parent_holds_is_open_in_the_child() -> None:
    lock, hold, inside = ForkLock(), threading.Event(), threading.Event()

    def stay() -> None:
        with lock:
            inside.set()
            hold.wait(SECONDS)

    thread = threading.Thread(target=stay)
    thread.start()
    inside.wait(SECONDS)

    def opens() -> bool:
        with lock:
            return True

    try:
        assert in_child(opens)
    finally:
        hold.set()
        thread.join()
