"""What a page asks, and what it does not tell meanwhile: tasks, the veil over theory and simulation, the checks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from mfexplore.core.errors import MfexploreError
from mfexplore.core.model import Model
from mfexplore.workbench import messages, views
from mfexplore.workbench.face import Face
from mfexplore.workbench.guesses import Asked, Guess, guesses, in_words
from mfexplore.workbench.jobs import Cancelled, Jobs
from mfexplore.workbench.messages import Said
from mfexplore.workbench.panels import Panel
from mfexplore.workbench.sentence import judgement
from mfexplore.workbench.sketch import Sketched, Traced


class VeiledError(MfexploreError):
    """Something was asked for that is hidden until a prediction is made."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what} would tell what you are to predict: answer first, or ask to see it.")


class Lesson:
    """Of one page. A task that a person sets hides theory until it is answered or left; what the link of the page hides
    stays hidden, wherever one goes, until it is revealed.
    """

    def __init__(
        self, kind: type[Model], face: Face, panels: Sequence[Panel], jobs: Jobs, say: Callable[[Said], None],
        fail: Callable[[Exception], None], changed: Callable[[], None],
    ) -> None:  # fmt: skip
        """changed: called when something else is hidden than before."""
        self.kind, self._panels, self._jobs, self._say, self._fail = kind, panels, jobs, say, fail
        self._changed = changed
        self.asking = -1  # the task that is to be answered before theory is shown
        self._of_the_link = face.task  # the task of the link, while it is not answered
        self._veil = face.veil  # of the link, while it is not revealed
        self._sketching = False  # somebody draws the curve as it should be
        self._face = face
        self._leave: Callable[[], None] = lambda: None  # the guesses of the class
        self._checks: dict[int, views.Check] = {}
        self._revealed: set[int] = set()  # tasks
        self._told: tuple[int, frozenset[str]] = (-1, frozenset())

    def begin(self) -> None:
        """As the link has it; and compute the checks."""
        self._turn(self._of_the_link)
        self._jobs.submit("checks", self._check, self._tell_check, fail=self._fail)

    @property
    def hidden(self) -> frozenset[str]:
        """What is not told: "theory", "simulation"."""
        if self._sketching:
            return frozenset(("theory", "simulation"))
        return frozenset(self._veil) | ({"theory"} if self.asking >= 0 else set())

    def ask(self, index: int) -> None:
        """Set a task, and hide what would tell its answer unless it is known."""
        self._turn(-1 if index in self._revealed else index)

    def leave(self) -> None:
        """Somebody goes elsewhere: a task of theirs is none any more, but that of the link is."""
        self._sketching = False
        self._turn(self._of_the_link)

    def sketch(self) -> None:
        """Hide everything while somebody sketches."""
        self._sketching = True
        self._turn(self.asking)

    def see_sketch(self, sketched: Sketched | Traced) -> None:
        """Say how near it came, and show what there is."""
        self._say(messages.Answer(-1, sketched.right, str(sketched), ""))
        self.skip()

    def skip(self) -> None:
        """Show everything, without an answer."""
        self._of_the_link, self._veil, self._sketching = -1, (), False
        self._turn(-1)
        self._see_class()

    def close(self) -> None:
        """The page is gone."""
        self._leave()

    def _see_class(self) -> None:
        """Show what the class of the link has guessed, from now on."""
        face = self._face
        if not face.group or face.task < 0:
            return

        def tell(made: list[Guess]) -> None:
            self._say(messages.Guesses(face.task, [guess.value for guess in made], in_words(made)))

        self._leave()
        self._leave = guesses.watch(self._asked(face.task), tell)

    def _asked(self, index: int) -> Asked:
        return Asked(self._face.group, self.kind.key, index)

    def refuse(self, what: str, *kinds: str) -> None:
        """Raises VeiledError if any of these is hidden."""
        if self.hidden & set(kinds):
            raise VeiledError(what)

    def _turn(self, index: int) -> None:
        self.asking = index
        if self._told == (index, self.hidden):
            return
        self._told = index, self.hidden
        for panel in self._panels:
            panel.veil(self.hidden)
        self._say(messages.Asking(index, sorted(self.hidden)))
        for found in self._checks.items():
            self._tell_check(found)
        self._changed()

    def reveal(self, index: int, guess: float, who: str = "") -> None:
        """Judge a guess, and show what there is. who: see `messages.Reveal`."""
        task = self.kind.tasks[index]

        def work(cancelled: Cancelled) -> Iterator[messages.Answer]:
            judged = task.judge(guess, self.kind)
            yield messages.Answer(index, judged.right, judgement(judged), task.lesson, float(judged.truth))

        def show(answer: messages.Answer) -> None:
            self._say(answer)
            self._revealed.add(answer.index)
            if self._face.group:
                guesses.make(self._asked(index), who[:60] or str(id(self)), Guess(guess, answer.right))
            for found in self._checks.items():
                self._tell_check(found)
            if answer.index == self.asking:
                self.skip()

        self._jobs.submit(f"task-{index}", work, show, fail=self._fail)

    # -- checks against the literature --------------------------------------------------------------------------------

    def _check(self, cancelled: Cancelled) -> Iterator[tuple[int, views.Check]]:
        yield from enumerate(views.checks(self.kind, cancelled))

    def _tell_check(self, found: tuple[int, views.Check]) -> None:
        """A reference and what comes out here; but not before the task of which that is the answer is revealed."""
        index, check = found
        self._checks[index] = check
        value, computed = f"{check.value:.6g}", f"{check.computed:.6g}"
        secret = next((task for task in check.answers if task not in self._revealed), None)
        if secret is not None:
            value = computed = f"task {secret + 1}"
        elif "theory" in self._veil:
            value = computed = "hidden"
        mark = f"✓ {check.digits} digit{'' if check.digits == 1 else 's'}" if check.agrees else f"≠ {value}"
        self._say(messages.Check(index, check.title, value, computed, check.source, check.agrees, mark))
