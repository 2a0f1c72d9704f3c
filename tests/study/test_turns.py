"""No more threads compute than there are places; hands come first, people are equal, hidden pages wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from mfexplore.study import turns
from mfexplore.study.turns import Person, Rank, Scheduler, Turn, cores


def wait_until(condition: Callable[[], object], seconds: float = 10.0) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


@pytest.fixture
def scheduler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scheduler]:
    """One place, so that an order can be told."""
    made = Scheduler(1)
    monkeypatch.setattr(turns, "scheduler", made)
    monkeypatch.setattr(turns, "LOOK", 0.0)
    yield made
    wait_until(lambda: not made._computing and not made.queued)


def in_thread(work: Callable[[], object]) -> threading.Thread:
    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    return thread


def queue(scheduler: Scheduler, turn: Turn, work: Callable[[], object]) -> threading.Thread:
    """Another thread that wants to compute, and waits for its turn now."""
    before = scheduler.queued

    def run() -> None:
        with turn:
            work()

    thread = in_thread(run)
    wait_until(lambda: scheduler.queued > before)
    return thread


def test_the_most_urgent_goes_first(scheduler: Scheduler) -> None:
    order: list[Rank] = []
    person = Person()
    with Turn([person]):
        ranks = [Rank.BACKGROUND, Rank.REFINEMENT, Rank.HAND, Rank.FRAME]
        threads = [queue(scheduler, Turn([person], rank), lambda rank=rank: order.append(rank)) for rank in ranks]
    for thread in threads:
        thread.join(10)
    assert order == sorted(ranks)


def test_never_more_at_once_than_places(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "scheduler", Scheduler(2))
    inside, most = [0], [0]
    lock = threading.Lock()

    def compute() -> None:
        for _ in range(5):
            with Turn([Person()]):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.002)
                with lock:
                    inside[0] -= 1

    threads = [in_thread(compute) for _ in range(12)]
    for thread in threads:
        thread.join(10)
    assert most == [2]


def test_a_hand_does_not_wait_for_less_urgent_work_and_that_gives_way_when_it_asks(scheduler: Scheduler) -> None:
    order: list[str] = []
    inside, go = threading.Event(), threading.Event()

    def hand() -> None:
        with Turn([Person()]):
            inside.set()
            go.wait(10)
            order.append("hand")

    with Turn([Person()], Rank.BACKGROUND) as turn:
        thread = in_thread(hand)
        assert inside.wait(10), "it is computed beside work that does not ask"
        threading.Timer(0.05, go.set).start()
        assert not turn.cancelled()
        order.append("ensemble")
    thread.join(10)
    assert order == ["hand", "ensemble"]


def test_less_urgent_work_uses_only_places_that_more_urgent_work_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = Scheduler(2)
    monkeypatch.setattr(turns, "scheduler", scheduler)
    with Turn([Person()]), Turn([Person()], Rank.FRAME) as frame:
        refinement = queue(scheduler, Turn([Person()], Rank.REFINEMENT), lambda: None)
        assert not scheduler._should_leave(frame)
    refinement.join(10)
    assert not refinement.is_alive()


def test_people_of_the_same_rank_have_equal_shares(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many threads one of them has."""
    monkeypatch.setattr(turns, "SLICE", 0.0)
    greedy, modest = Person(), Person()
    stop = threading.Event()

    def compute(person: Person) -> None:
        with Turn([person], Rank.REFINEMENT) as turn:
            while not (turn.cancelled() or stop.is_set()):
                time.sleep(0.001)

    threads = [in_thread(lambda: compute(greedy)) for _ in range(4)] + [in_thread(lambda: compute(modest))]
    wait_until(lambda: greedy.spent[Rank.REFINEMENT] + modest.spent[Rank.REFINEMENT] > 0.5)
    stop.set()
    for thread in threads:
        thread.join(10)
    shares = sorted(person.spent[Rank.REFINEMENT] for person in (greedy, modest))
    assert shares[1] < 1.5 * shares[0]


def test_who_was_away_has_not_saved_up(scheduler: Scheduler) -> None:
    here, away = Person(), Person()
    here.spent[Rank.HAND] = 100.0
    with Turn([here]):
        pass
    with Turn([away]):
        pass
    assert away.spent[Rank.HAND] >= 100.0


def test_a_hidden_page_computes_nothing_but_what_a_hand_asked_for(scheduler: Scheduler) -> None:
    person, done = Person(), []
    person.visible = False
    thread = queue(scheduler, Turn([person], Rank.FRAME), lambda: done.append("frame"))
    with Turn([person]):
        done.append("hand")
    assert done == ["hand"]
    person.visible = True
    thread.join(10)
    assert done == ["hand", "frame"]


def test_work_that_some_who_share_it_can_see_goes_on(scheduler: Scheduler) -> None:
    hidden = Person()
    hidden.visible = False
    with Turn([hidden, Person()], Rank.REFINEMENT) as turn:
        assert not turn.cancelled()


def test_background_waits_for_the_hand_to_rest(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    person, done = Person(), []
    monkeypatch.setattr(Person, "rests", property(lambda self: bool(done)))
    monkeypatch.setattr(turns, "REST", 0.01)
    thread = queue(scheduler, Turn([person], Rank.BACKGROUND), lambda: done.append("ensemble"))
    time.sleep(0.05)
    assert not done
    done.append("rest")
    thread.join(10)
    assert done == ["rest", "ensemble"]


def test_a_server_that_was_late_and_has_gone_keeps_nobody_waiting(
    scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "REST", 0.01)
    done: list[float] = []
    scheduler.late(0.2)
    threads = [
        queue(scheduler, Turn([Person()], rank), lambda: done.append(scheduler.lag))
        for rank in (Rank.BACKGROUND, Rank.REFINEMENT)
    ]
    for thread in threads:
        thread.join(10)
    assert max(done) < 4 * turns.BUSY
    assert min(done) < turns.BUSY


def test_one_place_stays_free_of_background_work(monkeypatch: pytest.MonkeyPatch) -> None:
    scheduler = Scheduler(2)
    monkeypatch.setattr(turns, "scheduler", scheduler)
    with Turn([Person()], Rank.BACKGROUND):
        second = queue(scheduler, Turn([Person()], Rank.BACKGROUND), lambda: None)
        assert len(scheduler._computing) == 1
    second.join(10)
    assert not second.is_alive()


def test_a_cancelled_turn_does_not_wait(scheduler: Scheduler) -> None:
    turn, ended = Turn([Person()]), []

    def wait() -> None:
        with pytest.raises(turns.CancelledError), turn:
            raise AssertionError
        ended.append(True)

    with Turn([Person()]):
        in_thread(wait)
        wait_until(lambda: scheduler.queued)
        turn.cancel()
        wait_until(lambda: ended)


def test_who_waits_is_told_how_many_come_before(scheduler: Scheduler, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "REST", 0.01)
    told: list[int | None] = []
    with Turn([Person()]):
        first = queue(scheduler, Turn([Person()]), lambda: time.sleep(0.05))
        second = queue(scheduler, Turn([Person()], Rank.REFINEMENT, told.append), lambda: None)
        wait_until(lambda: told == [1])
    first.join(10)
    second.join(10)
    assert told[0] == 1
    assert told[-1] is None


def test_there_is_at_least_one_core() -> None:
    assert 1 <= cores() <= 10_000


def test_processes_that_share_a_machine_leave_each_other_their_part_but_for_hands() -> None:
    made = Scheduler(4)
    made.share_with(2)
    turns_of = {rank: [Turn([Person()], rank) for _ in range(5)] for rank in (Rank.FRAME, Rank.HAND)}
    for rank, most in ((Rank.FRAME, 2), (Rank.HAND, 4)):
        for turn in turns_of[rank]:
            made._waiting[rank].append(turn)
        made.look()
        assert sum(turn.rank == rank for turn in made._computing) == most
