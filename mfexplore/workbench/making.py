"""Files that a person asked for are made as jobs. What takes long says how far it is, is one at a time for a person,
and can be given up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from mfexplore.core.errors import MfexploreError
from mfexplore.study.turns import Rank, lower
from mfexplore.workbench import exports
from mfexplore.workbench.exports import File, Held
from mfexplore.workbench.jobs import Cancelled, Jobs
from mfexplore.workbench.messages import Progress, Said

LONG = "long file"  # the kind of its job
BUSY = "A file is being made already. It can be given up beside Export."


class Making:
    """What one desk makes. say: tells the page something; give: hands the file over; fail: tells what went wrong."""

    def __init__(
        self, jobs: Jobs, say: Callable[[Said], None], give: Callable[[File], None], fail: Callable[[Exception], None]
    ) -> None:
        self._jobs, self._say, self._give, self._fail = jobs, say, give, fail

    def ask(self, what: str, held: Held) -> None:
        """Make a file. Raises MfexploreError while another one takes long."""
        is_long = what in exports.LONG
        if is_long and self._jobs.busy(LONG):
            raise MfexploreError(BUSY)

        def work(cancelled: Cancelled) -> Iterator[exports.Part | File]:
            lower(Rank.REFINEMENT)
            yield from exports.making(what, held, cancelled) if is_long else iter([exports.make(what, held)])

        kind = LONG if is_long else "export"
        end = self._end if is_long else lambda: None
        if is_long:
            self._tell(0.0, "begins")
        self._jobs.submit(kind, work, self._deliver, end, self._failed, queued=partial(self._queued, is_long))

    def give_up(self) -> None:
        """Nobody waits any longer for what takes long."""
        self._jobs.cancel(LONG)
        self._end()

    def _deliver(self, made: exports.Part | File) -> None:
        if isinstance(made, File):
            self._give(made)
        else:
            self._tell(*made)

    def _queued(self, is_long: bool, before: int | None) -> None:
        if before is not None:
            self._tell(0.0, f"waiting for its turn ({before} before it)", "file" if is_long else "queue")
        elif not is_long:
            self._say(Progress("queue", None, ""))

    def _failed(self, error: Exception) -> None:
        self._end()
        self._fail(error)

    def _end(self) -> None:
        self._say(Progress("file", None, ""))

    def _tell(self, fraction: float, text: str, what: str = "file") -> None:
        self._say(Progress(what, fraction, text))
