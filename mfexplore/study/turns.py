"""Who computes next: never more threads at once than there are cores, hands first, and equal shares for all people.

A thread that computes for somebody takes a `Turn`, and in the middle of long work asks it now and then whether the
work is still wanted (`cancelled`). That question is also where it gives way: it returns only when it is this turn's
turn again. So whatever can be cancelled can be interrupted, and nothing else has to be known here about the work.
"""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from enum import IntEnum
from pathlib import Path

from mfexplore.core.forks import renew_after_fork

SLICE = 0.03  # seconds that somebody computes before others of the same rank, who had less, go first
LOOK = 0.004  # seconds between two looks at who waits
REST = 0.4  # seconds without a touch after which a hand rests
LOOKS = 4  # in that time, at who may compute now


class Rank(IntEnum):
    """How urgent work is, most urgent first."""

    HAND = 0  # what follows a hand: the point, the curve, the first picture of a diagram
    FRAME = 1  # of a running simulation
    REFINEMENT = 2  # finer pictures of what is there, files that were asked for
    BACKGROUND = 3  # ensembles, exact sums, checks: while the hand rests


BUSY = 0.03  # seconds that the page's thread is late: background work waits; so does refinement at several times that
FADES = 0.1  # seconds after which half of a lateness is forgotten


class Person:
    """Somebody with a page open. Hands are always answered; all else stops while the page is not `visible`."""

    def __init__(self) -> None:
        self.spent = [0.0] * len(Rank)  # seconds of computing, by rank; who was away does not save them up
        self.touched = -REST
        self._visible = True

    @property
    def visible(self) -> bool:
        return self._visible

    @visible.setter
    def visible(self, on: bool) -> None:
        self._visible = on
        scheduler.look()

    def touch(self) -> None:
        """A hand moved: work in the background waits until it rests."""
        self.touched = time.monotonic()

    @property
    def rests(self) -> bool:
        return time.monotonic() - self.touched >= REST


owner = Person()  # whoever calls from Python: has the whole machine, is never hidden, and moves no hand


class Turn:
    """The right of one thread to compute: `with turn: ...`. Entering waits, and raises CancelledError if cancelled.

    Attributes:
        people: for whom; they share the costs.
        rank: may be changed while computing (`lower`).
        ahead: called with the number of turns that come before, while it waits for long, and with None when it goes on.
    """

    def __init__(
        self,
        people: Sequence[Person] = (owner,),
        rank: Rank = Rank.HAND,
        ahead: Callable[[int | None], None] = lambda turns: None,
    ) -> None:
        self.people, self.rank, self.ahead = people, rank, ahead
        self.ended = threading.Event()
        self.granted = threading.Event()
        self.told: int | None = None
        self.since = self.looked = self.paid = 0.0
        self.wake: Callable[[], None] = lambda: None  # whoever waits for something else than the scheduler

    def __enter__(self) -> Turn:
        scheduler.take(self)
        self._outer, _here.turn = current(), self
        return self

    def __exit__(self, *error: object) -> None:
        _here.turn = self._outer
        scheduler.leave(self)

    @property
    def over(self) -> bool:
        """Whether it was cancelled."""
        return self.ended.is_set()

    def cancel(self) -> None:
        """The work is not wanted any more; from any thread."""
        self.ended.set()
        scheduler.withdraw(self)
        self.wake()

    def cancelled(self) -> bool:
        """Whether the work is not wanted any more. The thread that asks first gives way to what is more urgent."""
        return give_way() or self.over

    def lower(self, rank: Rank) -> None:
        """What follows is of another rank."""
        if rank != self.rank:
            self.rank = rank
            scheduler.give_way(self)

    @property
    def share(self) -> float:
        """What those have spent, on work of this rank, who can see the result."""
        return min((p.spent[self.rank] for p in self.people if p.visible), default=float("inf"))


_here = threading.local()


def current() -> Turn | None:
    """The turn that this thread computes in."""
    turn: Turn | None = getattr(_here, "turn", None)
    return turn


def lower(rank: Rank) -> None:
    """What this thread computes from here on is of another rank. Raises CancelledError if it is not wanted any more."""
    turn = current()
    if turn is not None:
        turn.lower(rank)


def give_way() -> bool:
    """Let what is more urgent than this thread go first. True if what it computes is not wanted any more."""
    turn = current()
    if turn is None:
        return False
    if not turn.over and time.perf_counter() - turn.looked > LOOK:
        with suppress(CancelledError):
            scheduler.give_way(turn)
    return turn.over


@contextmanager
def aside() -> Iterator[None]:
    """Leave the place to others while waiting for something. Raises CancelledError at the end if cancelled."""
    turn = current()
    if turn is None:
        yield
        return
    scheduler.leave(turn)
    try:
        yield
    finally:
        scheduler.take(turn)


class Scheduler:
    """Gives turns to at most `places` threads of a rank at once, those of more urgent ranks counted with them.

    So nobody waits for what is less urgent: that may be deep in a kernel, and gives its place back when it next asks.
    Until then there are more threads than places. None has less of the system's priority than others: taken off its
    core while it holds the interpreter, it would keep everybody waiting.
    """

    def __init__(self, places: int) -> None:
        self.places = places
        self.ours = places  # of them, for all but hands
        self.renew()
        renew_after_fork(self)

    def share_with(self, processes: int) -> None:
        """So many processes do the same on this machine, this one included: each leaves the others their part of it.
        Hands alone may have it all, as they compute for a moment.
        """
        self.ours = max(1, self.places // processes)

    def renew(self) -> None:
        self._lock = threading.Lock()
        self._waiting: dict[Rank, list[Turn]] = {rank: [] for rank in Rank}  # most urgent first
        self._computing: set[Turn] = set()
        self._late: tuple[float, float] = 0.0, -math.inf  # seconds, and when
        self._last = [0.0] * len(Rank)  # the share of who was last given a turn: where newcomers begin

    @property
    def lag(self) -> float:
        """Seconds that the thread that answers the pages of a server is late. What it was fades with time, as whoever
        said so may be gone.
        """
        seconds, when = self._late
        return seconds * math.exp2((when - time.monotonic()) / FADES)

    @property
    def queued(self) -> int:
        """How many turns wait."""
        return sum(map(len, self._waiting.values()))

    def late(self, seconds: float) -> None:
        """That thread was so much later than it wanted."""
        self._late = max(seconds, self.lag), time.monotonic()

    def take(self, turn: Turn) -> None:
        """Wait for a place."""
        with self._lock:
            if turn.over:
                raise CancelledError
            turn.granted.clear()
            for person in turn.people:
                person.spent[turn.rank] = max(person.spent[turn.rank], self._last[turn.rank])
            self._waiting[turn.rank].append(turn)
            self._give()
        try:
            while not turn.granted.wait(self._patience(turn)):
                self.look()
                self._tell(turn)
            if turn.told is not None:
                turn.told = None
                turn.ahead(None)
            if turn.over:
                raise CancelledError
        except BaseException:  # also of somebody who interrupts the program
            self.withdraw(turn)
            self.leave(turn)
            raise

    def _patience(self, turn: Turn) -> float | None:
        """Seconds until this thread looks whether something has changed with time. One look is for all who wait, so
        that there are only a few of them in that time, however many wait.
        """
        if turn.rank <= Rank.FRAME:
            return None
        return REST * max(1.0, self.queued / LOOKS)

    def leave(self, turn: Turn) -> None:
        """Give the place back."""
        with self._lock:
            self._pay(turn)
            self._computing.discard(turn)
            self._give()

    def withdraw(self, turn: Turn) -> None:
        """Let a turn that was cancelled not wait any longer."""
        with self._lock:
            if turn in self._waiting[turn.rank]:
                self._waiting[turn.rank].remove(turn)
            turn.granted.set()

    def look(self) -> None:
        """Something has changed about who may compute."""
        with self._lock:
            self._give()

    def give_way(self, turn: Turn) -> None:
        """Let those go first who should, and come back when all of them have."""
        with self._lock:
            self._pay(turn)
            turn.looked = time.perf_counter()
            if turn not in self._computing or not self._should_leave(turn):
                return
        self.leave(turn)
        self.take(turn)

    def _has_place(self, rank: Rank, but: Turn | None = None) -> bool:
        """Whether this rank has a place, not counting one turn; where it has none, less urgent ones have none."""
        places = self.places if rank == Rank.HAND else self.ours
        return sum(t.rank <= rank for t in self._computing if t is not but) < places

    def _should_leave(self, turn: Turn) -> bool:
        if not (self._may(turn) and self._has_place(turn.rank, turn)):
            return True
        had_enough = turn.looked - turn.since > SLICE
        urgent = (other for rank in Rank if rank < turn.rank for other in self._waiting[rank])
        return any(map(self._may, urgent)) or (
            had_enough and any(other.share < turn.share and self._may(other) for other in self._waiting[turn.rank])
        )

    def _may(self, turn: Turn) -> bool:
        """Whether it may compute at all now."""
        if turn.rank == Rank.HAND or owner in turn.people:
            return True
        if self._stands_back(turn.rank, turn) or not any(person.visible for person in turn.people):
            return False
        if turn.rank <= Rank.REFINEMENT:
            return True
        if not all(person.rests for person in turn.people if person.visible):
            return False
        others = (t for t in self._computing if t.rank == Rank.BACKGROUND and t is not turn)
        return not any(person in other.people for other in others for person in turn.people)

    def _stands_back(self, rank: Rank, but: Turn | None = None) -> bool:
        """Whether work of this rank stands back now, whoever it is for: since the thread that answers the pages is
        late, or since there is enough of it. Nobody knows how soon work in the background asks whether it should give
        way: one place stays free of it, if there are two.
        """
        if rank <= Rank.FRAME:
            return False
        if rank == Rank.REFINEMENT:
            return self.lag > 4 * BUSY
        others = sum(t.rank == Rank.BACKGROUND for t in self._computing if t is not but)
        return self.lag > BUSY or others >= max(1, self.ours - 1)

    def _give(self) -> None:
        while (best := self._next()) is not None:
            self._waiting[best.rank].remove(best)
            self._computing.add(best)
            if best.share < float("inf"):
                self._last[best.rank] = max(self._last[best.rank], best.share)
            best.since = best.looked = best.paid = time.perf_counter()
            best.granted.set()

    def _next(self) -> Turn | None:
        """The most urgent; of the same rank who has had least, and of equals who has waited longest. Asked so often, of
        so many in a class, that nobody is looked at more closely than it takes.
        """
        for rank, waiting in self._waiting.items():
            if not waiting:
                continue
            if not self._has_place(rank):
                return None
            stands_back = self._stands_back(rank)
            best, least = None, float("inf")
            for turn in waiting:
                if stands_back and owner not in turn.people:
                    continue
                if (best is None or turn.share < least) and self._may(turn):
                    best, least = turn, turn.share
            if best is not None:
                return best
        return None

    def _pay(self, turn: Turn) -> None:
        if turn not in self._computing:
            return
        now = time.perf_counter()
        for person in turn.people:
            person.spent[turn.rank] += (now - turn.paid) / len(turn.people)
        turn.paid = now

    def _tell(self, turn: Turn) -> None:
        with self._lock:
            before = sum(len(self._waiting[rank]) for rank in Rank if rank < turn.rank)
            before += sum(t.share < turn.share for t in self._waiting[turn.rank])
        if before != turn.told:
            turn.told = before
            turn.ahead(before)


def cores() -> int:
    """Processors that this process may use: what its affinity and, in a container, its control group leave it."""
    found = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for quota, period in _quotas():
        if quota > 0:
            found = min(found, -(-quota // period))
    return max(1, found)


def _quotas() -> Iterator[tuple[int, int]]:
    """Microseconds of computing per microseconds, as control groups of either version allow them."""
    groups = Path("/sys/fs/cgroup")
    with suppress(OSError, ValueError):
        quota, period = (groups / "cpu.max").read_text().split()
        yield int(quota), int(period)  # "max" is no number
    with suppress(OSError, ValueError):
        quota, period = ((groups / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        yield int(quota), int(period)


scheduler = Scheduler(cores())
