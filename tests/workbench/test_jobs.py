"""The newest request wins, the last always finishes, nothing outlives its page."""

from __future__ import annotations

import threading
import time

from mfexplore.workbench.jobs import Jobs


def wait_until(condition, seconds: float = 5.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def levels(name: str, gate: threading.Event | None = None, count: int = 5):
    def work(cancelled):
        for k in range(count):
            if cancelled():
                return
            yield f"{name}{k}"
            if gate is not None:
                gate.wait(5)

    return work


def test_the_newest_wins_and_the_last_finishes() -> None:
    jobs, seen, finished = Jobs(lambda call: call()), [], []
    gate = threading.Event()
    jobs.submit("diagram", levels("a", gate), seen.append, lambda: finished.append("a"))
    wait_until(lambda: seen == ["a0"])
    jobs.submit("diagram", levels("b", gate), seen.append, lambda: finished.append("b"))
    jobs.submit("diagram", levels("c", gate), seen.append, lambda: finished.append("c"))
    gate.set()
    wait_until(lambda: finished)
    assert finished == ["c"]
    assert seen[-5:] == ["c0", "c1", "c2", "c3", "c4"]
    assert not [s for s in seen if s.startswith("b")]


def test_a_slider_that_never_rests_still_shows_first_results() -> None:
    jobs, seen = Jobs(lambda call: call()), []
    for k in range(200):
        jobs.submit("diagram", levels(f"{k}-"), seen.append)
        time.sleep(0.001)
    wait_until(lambda: not jobs.busy("diagram"))
    firsts = {s.split("-")[0] for s in seen}
    assert len(firsts) > 5
    assert seen[-1] == "199-4"


def test_kinds_do_not_disturb_each_other() -> None:
    jobs, seen = Jobs(lambda call: call()), []
    jobs.submit("a", levels("a"), seen.append)
    jobs.submit("b", levels("b"), seen.append)
    wait_until(lambda: len(seen) == 10)


def test_cancel_stops_between_slices() -> None:
    jobs, seen, gate = Jobs(lambda call: call()), [], threading.Event()
    jobs.submit("a", levels("a", gate), seen.append)
    wait_until(lambda: seen == ["a0"])
    jobs.cancel("a")
    gate.set()
    wait_until(lambda: not jobs.busy("a"))
    assert seen == ["a0"]


def test_a_failure_is_told_and_the_next_job_runs() -> None:
    jobs, seen, errors = Jobs(lambda call: call()), [], []

    def broken(cancelled):
        yield 1
        raise ZeroDivisionError("kernel")

    jobs.submit("a", broken, seen.append, fail=errors.append)
    wait_until(lambda: errors)
    assert isinstance(errors[0], ZeroDivisionError)
    wait_until(lambda: not jobs.busy("a"))
    jobs.submit("a", levels("a"), seen.append)
    wait_until(lambda: len(seen) == 6)


def test_a_closed_page_stops_its_work_and_takes_no_more() -> None:
    jobs, seen, gate = Jobs(lambda call: call()), [], threading.Event()
    jobs.submit("a", levels("a", gate), seen.append)
    wait_until(lambda: seen == ["a0"])
    jobs.close()
    gate.set()
    jobs.submit("a", levels("z"), seen.append)
    wait_until(lambda: not jobs.busy("a"))
    assert seen == ["a0"]


def test_a_job_lets_another_show_its_first_result() -> None:
    jobs, seen = Jobs(lambda call: call()), []

    def slow(cancelled):
        time.sleep(0.03)
        yield from ("curve 0", "curve 1")

    jobs.submit("curve", slow, seen.append)
    jobs.submit("point", levels("point ", count=1), seen.append, after="curve")
    wait_until(lambda: len(seen) == 3)
    assert seen[0] == "curve 0"


def test_courtesy_has_an_end() -> None:
    jobs, seen = Jobs(lambda call: call()), []
    gate = threading.Event()

    def stuck(cancelled):
        gate.wait(5)
        yield "curve"

    jobs.submit("curve", stuck, seen.append)
    jobs.submit("point", levels("point", count=1), seen.append, after="curve")
    wait_until(lambda: seen == ["point0"], seconds=2.0)
    gate.set()
    wait_until(lambda: seen == ["point0", "curve"])
