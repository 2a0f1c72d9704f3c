"""A running simulation beside a page: it advances in a thread of its own and hands over frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from mfexplore.core.errors import MfexploreError, NotOfferedError
from mfexplore.core.forks import renew_after_fork
from mfexplore.core.model import Model
from mfexplore.core.pictures import Picture
from mfexplore.core.seeds import Seed
from mfexplore.core.simulation import Measured, Simulation
from mfexplore.study.turns import Person, Rank, Turn, scheduler

FRAME = 1 / 30  # seconds between two frames
SLICE = 0.02  # seconds of computing in one frame, at most one step more
PATIENCE = 2.0  # seconds to wait for a page that does not draw
LINGER = 2.0  # seconds after which a thread that has nothing to do ends
PART = 0.1  # of the time that measuring functions may take
COURTESY = 4.0  # times the wait for the page's thread: so long the next frame leaves it to others ...
LONGEST_COURTESY = 1.0  # ... but never longer, in seconds


@dataclass(frozen=True)
class Frame:
    """The simulation at one moment. series: copies, shape (n,); restarted: nothing before belongs to this run.
    advanced: it is at another time, or another run; else it only follows other controls, or another picture is looked
    at. pictures: the names of those there are, of which `picture` is the one called `looked_at`. profiles: the
    functions that it has measured, perhaps a little earlier. samples: for a histogram, of the observable `sampled`
    (None: of none).
    """

    time: float
    times: NDArray[Any]
    series: dict[str, NDArray[Any]]
    picture: Picture
    looked_at: str
    pictures: tuple[str, ...]
    profiles: dict[str, Measured]
    samples: NDArray[Any] | None
    sampled: str | None
    model: Model
    finished: bool
    restarted: bool
    advanced: bool
    per_second: float
    unit: str  # of time
    step: float  # of time between two points of the series
    recording: Literal["linear", "log"]


class Live:
    """Plays a simulation. Every method returns at once; frames come through `post`, one at a time, so a slow page slows
    the frames and nothing else, and so do other people's hands: frames are computed when no hand waits, and the longer
    one had to wait in the page's thread, the later is the next. `fail` gets the message of an error (a size too large,
    say), and the last run stays.

    person: who watches; while that page is not visible, nothing runs.
    """

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        show: Callable[[Frame], None],
        fail: Callable[[str], None],
        person: Person | None = None,
    ) -> None:
        self._post, self._show, self._fail = post, show, fail
        self._person = person or Person()
        self._order: tuple[Model, Seed] | None = None  # start this
        self._follow: Model | None = None
        self._steps = 0
        self._picture: str | None = None
        self._sampled: str | None = None
        self._looks = False  # a frame is wanted, since another picture is looked at
        self._profiles: dict[str, Measured] = {}
        self._profiled = (0.0, 0.0)  # when, and how long it took
        self._closed = False
        self._lag = 0.0
        self._run: Simulation[Any] | None = None
        self._seed: Seed = 0
        self.playing = False
        self.speed = 1.0  # steps per frame
        self.renew()
        renew_after_fork(self)

    def renew(self) -> None:
        self._wake = threading.Condition()
        self._drawn = threading.Event()
        self._turn = Turn([self._person], Rank.FRAME)
        self._thread: threading.Thread | None = None

    def start(self, model: Model, seed: Seed) -> None:
        """Begin a new run."""
        with self._wake:
            self._order, self._follow = (model, seed), None
            self._notify()

    def follow(self, model: Model) -> None:
        """Go on at other controls, or begin anew if the simulation cannot follow the change."""
        with self._wake:
            if self._order is not None:
                self._order = (model, self._order[1])
            else:
                self._follow = model
            self._notify()

    def play(self, on: bool) -> None:
        with self._wake:
            self.playing = on
            self._notify()

    def step(self) -> None:
        with self._wake:
            self._steps += 1
            self._notify()

    def look_at(self, picture: str | None, sampled: str | None = None) -> None:
        """Show another picture of the run (None, or a name that it does not have: the usual one), and samples of
        another observable (None: of none).
        """
        with self._wake:
            if (picture, sampled) != (self._picture, self._sampled):
                self._picture, self._sampled, self._looks = picture, sampled, True
                self._notify()

    def set_speed(self, steps: float) -> None:
        """So many steps per frame, within reason."""
        self.speed = min(max(steps, 0.02), 1000.0)

    def close(self) -> None:
        """End the thread; for a page that was closed."""
        with self._wake:
            self._closed = True
            self._drawn.set()
            self._notify()
        self._turn.cancel()

    def trace(self) -> Any:
        """The trace of the present run as a Dataset, or None."""
        return None if self._run is None else self._run.trace()

    def _notify(self) -> None:
        if self._thread is None and not self._closed:
            self._thread = threading.Thread(target=self._loop, name="live", daemon=True)
            self._thread.start()
        self._wake.notify()

    def _loop(self) -> None:
        due = time.perf_counter()
        owed = 0.0
        while True:
            with self._wake:
                if not self._something_to_do():
                    if not self._wake.wait_for(self._something_to_do, LINGER):
                        self._thread = None
                        return
                    due = time.perf_counter()
                if self._closed:
                    return
                order, follow, steps = self._order, self._follow, self._steps
                self._order = self._follow = None
                self._steps, looks, self._looks = 0, self._looks, False
            try:
                frame = None
                with self._turn:
                    restarted = self._begin(order, follow)
                    started = time.perf_counter()
                    owed = min(owed + self.speed, 10 * max(1.0, self.speed)) if self._goes else 0.0
                    done = self._advance(int(owed) + steps, started)
                    owed = max(0.0, owed - done)
                    if self._run is not None and (done or restarted or looks or follow is not None):
                        per_second = done / max(time.perf_counter() - due, FRAME)
                        frame = self._frame(self._run, restarted, done > 0, per_second)
                if frame is not None:
                    self._hand_over(frame)
            except CancelledError:
                return
            except MfexploreError as error:
                self._stop(str(error))
            except Exception as error:  # a broken kernel must not take the page's live view with it
                self._stop(f"The simulation stopped: {error}")
            due = max(due + FRAME, time.perf_counter() - FRAME)
            wait = max(due - time.perf_counter(), min(COURTESY * max(self._lag, scheduler.lag), LONGEST_COURTESY))
            if wait > 0:
                time.sleep(wait)

    def _something_to_do(self) -> bool:
        return bool(self._closed or self._order or self._follow or self._steps or self._looks or self._goes)

    @property
    def _goes(self) -> bool:
        return self.playing and self._run is not None and not self._run.finished

    def _begin(self, order: tuple[Model, Seed] | None, follow: Model | None) -> bool:
        if order is None and follow is not None and self._run is not None and not self._run.follow(follow):
            order = (follow, self._seed)
        if order is None:
            return False
        model, self._seed = order
        self._run = model.simulate(seed=self._seed)
        return True

    def _advance(self, steps: int, started: float) -> int:
        """Up to `steps` steps within one slice of time; at least one. Returns how many."""
        done = 0
        while self._run is not None and done < steps and not self._run.finished:
            self._run.advance()
            done += 1
            if time.perf_counter() - started > SLICE or self._closed:
                break
        return done

    def _frame(self, run: Simulation[Any], restarted: bool, moved: bool, per_second: float) -> Frame:
        times, series = run.series()
        album = run.pictures()
        wanted = self._picture
        looked_at = wanted if wanted is not None and wanted in album else next(iter(album))
        return Frame(
            run.time, times.copy(), {n: v.copy() for n, v in series.items()}, album[looked_at], looked_at, tuple(album),
            self._measured(run, restarted), _samples(run, self._sampled), self._sampled, run.model, run.finished,
            restarted, moved or restarted, per_second, run.time_unit, run.step, run.recording,
        )  # fmt: skip

    def _measured(self, run: Simulation[Any], restarted: bool) -> dict[str, Measured]:
        """The functions of a run: anew, unless that would take more than its part of the time."""
        before, cost = self._profiled
        started = time.perf_counter()
        if restarted or run.finished or not self.playing or started - before > cost / PART:
            self._profiles = run.profiles()
            self._profiled = started, time.perf_counter() - started
        return self._profiles

    def _hand_over(self, frame: Frame) -> None:
        self._drawn.clear()
        handed = time.perf_counter()

        def draw() -> None:
            self._lag = time.perf_counter() - handed
            try:
                self._show(frame)
            finally:
                self._drawn.set()

        self._post(draw)
        self._drawn.wait(PATIENCE)

    def _stop(self, message: str) -> None:
        self.playing = False
        self._post(lambda: self._fail(message))


def _samples(run: Simulation[Any], observable: str | None) -> NDArray[Any] | None:
    """What the histogram shows; None if it shows nothing, or something that this run does not know."""
    if observable is None:
        return None
    try:
        return np.array(run.samples(observable))
    except (NotOfferedError, KeyError):
        return None
